#!/usr/bin/env python3
"""Proxies with software of others: our client through squid, with no authentication, Basic and Digest, and through two
proxies in a row, to https, to a server that upgrades, and in absolute form; curl through `bindery proxy`, with Basic and
Digest, to https, to a server that upgrades, and in absolute form. Everything on loopback.

Arguments: the program `upgrade` (tests/examples); the program `bindery`; a folder for files.
"""

import hashlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

PROGRAM, BINDERY = sys.argv[1], sys.argv[2]
FOLDER = pathlib.Path(sys.argv[3])
USER, PASSWORD = "alice", "correct horse"
failures = 0
running = []


def check(name, good, why=""):
    global failures
    failures += not good
    print(f"ok {name}" if good else f"FAIL {name}: {str(why)[-700:]!r}", flush=True)


def run(*command, env=None, **options):
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 60, **options}
    keep = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run([str(part) for part in command], cwd=FOLDER, env={**keep, **(env or {})}, **options)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def listens(port, process):
    for _ in range(400):
        if process.poll() is not None:
            return False
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


def start(*command, **options):
    process = subprocess.Popen([str(part) for part in command], cwd=FOLDER, text=True, **options)
    running.append(process)
    return process


def squid(name, lines):
    """A squid on a free port, in the foreground."""
    port, folder = free_port(), FOLDER / name
    folder.mkdir()
    # squid gives its rights up where it has more than it needs.
    folder.chmod(0o777)
    (folder / "squid.conf").write_text(f"""
http_port 127.0.0.1:{port}
pid_filename {folder}/squid.pid
access_log none
cache_log {folder}/cache.log
cache_store_log none
coredump_dir {folder}
cache deny all
shutdown_lifetime 0 seconds
visible_hostname {name}
acl loopback dst 127.0.0.0/8 ::1
{lines}
http_access deny all
""")
    process = start("/usr/sbin/squid", "-N", "-f", folder / "squid.conf", "-n", name, stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not listens(port, process):
        log = folder / "cache.log"
        check(f"{name} starts", False, log.read_text() if log.is_file() else "no log")
    return port


def ask(mode, url, proxies, user="", password=""):
    env = {"ASK_PROXIES": ",".join(f"127.0.0.1:{port}" for port in proxies), "ASK_PROXY_USER": user,
           "ASK_PROXY_PASSWORD": password}
    return run(PROGRAM, "ask", mode, url, FOLDER / "ca.pem", "hello", "text/plain", env=env)


def ours(name, places, proxies, user="", password=""):
    """Our client to each kind of server."""
    hello = "hello".encode().hex()
    for mode, scheme, place, host, channel in [("never", "https", "https", "127.0.0.1", "TLS1.3"),
                                               ("required", "http", "required", "localhost", "TLS1.3"),
                                               ("optional", "http", "required", "localhost", "TLS1.3"),
                                               ("never", "http", "optional", "localhost", "clear")]:
        port = places[place].rsplit(":", 1)[1]
        done = ask(mode, f"{scheme}://{host}:{port}/echo", proxies, user, password)
        check(f"our client through {name} to {place}, upgrade {mode}", done.stdout.splitlines() == [f"200 {channel} {hello}"] * 2,
              done)


def by_squid(places):
    ports = " ".join(place.rsplit(":", 1)[1] for place in places.values())
    allowed = f"acl ports port {ports}\nhttp_access allow loopback ports"
    plain = squid("plain", allowed)
    ours("squid", places, [plain])
    digits = hashlib.md5(f"{USER}:squid:{PASSWORD}".encode()).hexdigest()
    (FOLDER / "digest.users").write_text(f"{USER}:squid:{digits}\n")
    # htpasswd is in another package: openssl makes the same.
    made = run("openssl", "passwd", "-apr1", PASSWORD).stdout.strip()
    (FOLDER / "basic.users").write_text(f"{USER}:{made}\n")
    for file in ["digest.users", "basic.users"]:
        (FOLDER / file).chmod(0o644)
    who = f"acl known proxy_auth REQUIRED\nacl ports port {ports}\nhttp_access allow known loopback ports"
    basic = squid("basic", f"auth_param basic program /usr/lib/squid/basic_ncsa_auth {FOLDER}/basic.users\n"
                           f"auth_param basic realm squid\n{who}")
    digest = squid("digest", f"auth_param digest program /usr/lib/squid/digest_file_auth -c {FOLDER}/digest.users\n"
                             f"auth_param digest realm squid\n{who}")
    for name, port in [("basic", basic), ("digest", digest)]:
        ours(f"squid with {name}", places, [port], USER, PASSWORD)
        https = f"https://{places['https']}/echo"
        for how, user, password in [("a wrong password", USER, "wrong"), ("no user", "", "")]:
            done = ask("never", https, [port], user, password)
            check(f"our client through squid with {name}, {how}: told as the proxy's",
                  done.returncode != 0 and f"the proxy 127.0.0.1:{port}" in done.stderr, done)
    refused = ask("never", "https://127.0.0.1:9/echo", [plain])
    check("our client through squid to a port that is denied: told as the proxy's",
          refused.returncode != 0 and "answers 403" in refused.stderr, refused)
    # Two in a row: known to the client, and known to the first.
    first = squid("first", f"acl ports port {digest} {basic}\nhttp_access allow loopback ports")
    ours("two squids, the second with digest", places, [first, digest], USER, PASSWORD)
    parent = squid("parent", f"cache_peer 127.0.0.1 parent {plain} 0 no-query default\nnever_direct allow all\n{allowed}")
    ours("a squid behind a squid", places, [parent])


def curl(*options):
    done = run("curl", "-sS", "-v", "-m", "20", "-H", "Content-Type: text/plain", "--data-binary", "hello", "--cacert",
               FOLDER / "ca.pem", "-o", "-", "-w", "\n%{http_code} %{http_connect}", *options)
    return done.stdout, done.stderr


def our_proxy(*options):
    process = start(BINDERY, "proxy", "--listen", "127.0.0.1:0", "--allow-address", "127.0.0.0/8,::1", *options, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=open(FOLDER / "proxy.log", "a"))
    line = process.stdout.readline().split()
    return process, dict(word.split("=", 1) for word in line if "=" in word).get("proxy", "")


def by_curl(places):
    (FOLDER / "password").write_text(PASSWORD + "\n")
    for scheme in ["basic,digest-sha256,digest-md5"]:
        done = run(BINDERY, "account", "set", USER, "--password-file", "password", "--accounts", "accounts.toml", "--scheme",
                   scheme, "--realm", "proxy")
        check("an account for the proxy", done.returncode == 0, done)
    ports = ",".join(place.rsplit(":", 1)[1] for place in places.values())
    https, clear = f"https://{places['https']}/echo", f"http://{places['optional']}/echo"
    required = f"http://{places['required']}/echo"
    process, proxy = our_proxy("--allow-port", ports, "--forward", "--accounts", "accounts.toml", "--realm", "proxy", "--auth",
                               "digest,dangerous-basic")
    for scheme in ["--proxy-basic", "--proxy-digest", "--proxy-anyauth"]:
        who = ["--proxy", proxy, scheme, "-U", f"{USER}:{PASSWORD}"]
        out, said = curl(*who, https)
        check(f"curl {scheme} through our proxy to https", out == "hello\n200 200", out + said)
        out, said = curl(*who, clear)
        check(f"curl {scheme} through our proxy in absolute form", out == "hello\n200 000" and "1.1 bindery" in said, out + said)
        out, said = curl(*who, "--proxytunnel", clear)
        check(f"curl {scheme} in a tunnel of our proxy to a server that upgrades",
              out == "hello\n200 200" and "pgrade: TLS/1.3, TLS/1.2" in said, out + said)
    out, said = curl("--proxy", proxy, "--proxy-digest", "-U", f"{USER}:{PASSWORD}", "--proxytunnel", required)
    check("curl in a tunnel to a server that requires TLS gets its 426 whole", "\n426 200" in out and "OPTIONS *" in out, out)
    out, said = curl("--proxy", proxy, "--proxy-digest", "-U", f"{USER}:{PASSWORD}", required)
    check("curl in absolute form to it gets the 426 without what is for one hop", "\n426 000" in out and "< upgrade:" not in said.lower(), said)
    for how, who in [("no user", []), ("a wrong password", ["--proxy-digest", "-U", f"{USER}:wrong"])]:
        out, said = curl("--proxy", proxy, *who, https)
        check(f"curl through our proxy with {how} gets 407", out.endswith("000 407"), out + said)
    out, said = curl("--proxy", proxy, "--proxy-digest", "-U", f"{USER}:{PASSWORD}", "https://127.0.0.1:9/")
    check("curl through our proxy to a port that is not allowed gets 403", out.endswith("000 403"), out + said)
    # Ours behind ours, and ours behind squid.
    _, near = our_proxy("--allow-port", ports, "--next", proxy, "--next-user", USER, "--next-password-file", "password")
    out, said = curl("--proxy", near, https)
    check("curl through two of our proxies", out == "hello\n200 200", out + said)
    process.terminate()
    check("our proxy ends in order", process.wait(40) == 0, process.returncode)


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    FOLDER.chmod(0o755)
    (FOLDER / "hello").write_text("hello")
    server = start(PROGRAM, "serve", FOLDER, bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    places = dict(server.stdout.readline().split() for _ in range(3))
    try:
        by_squid(places)
        by_curl(places)
    finally:
        server.stdin.close()
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
    print(run("/usr/sbin/squid", "-v").stdout.splitlines()[0])
    print(run("curl", "--version").stdout.splitlines()[0])
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
