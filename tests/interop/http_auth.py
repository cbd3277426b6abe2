#!/usr/bin/env python3
"""HTTP authentication, and HTTP itself, with software of others.

curl and python-requests against our server: Basic, Digest (MD5, SHA-256, auth-int), wrong passwords, chunked, gzip and
deflate both ways, HTTP/1.0, keep-alive, Expect; slowhttptest's slow heads, bodies and reads. Our client against nginx (Basic) and Apache httpd (Basic, and Digest of
mod_auth_digest). Everything on loopback.

Arguments: the program `http_auth` (tests/examples); a folder for files.
"""

import gzip
import hashlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import zlib

import requests
from requests.auth import HTTPDigestAuth

PROGRAM = sys.argv[1]
FOLDER = pathlib.Path(sys.argv[2])
USER, PASSWORD = "alice", "correct horse"
failures = 0


def check(name, good, why=""):
    global failures
    failures += not good
    print(f"ok {name}" if good else f"FAIL {name}: {str(why)[-600:]!r}", flush=True)


def run(*command, **options):
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 60, **options}
    return subprocess.run([str(part) for part in command], cwd=FOLDER, **options)


def curl(*options):
    """What curl writes, its status codes, and what it says of the connection."""
    done = run("curl", "-sS", "-v", "-m", "20", "-o", "-", "-w", "\n%{http_code} %{http_version}", *options)
    return done.stdout, done.stderr


def by_curl(url):
    """curl, with each scheme and each way of sending a body."""
    text = ["-H", "Content-Type: text/plain"]
    user = ["-u", f"{USER}:{PASSWORD}"]
    body = [*text, "--data-binary", "hello"]
    for path, scheme, algorithm in [("basic", "--basic", ""), ("md5", "--digest", "MD5"),
                                    ("sha256", "--digest", "SHA-256"), ("sha256", "--anyauth", "SHA-256")]:
        out, said = curl(f"{url}/{path}", scheme, *user, *body)
        good = "alice:hello\n200" in out
        check(f"curl {scheme[2:]} {algorithm} at /{path}", good and f"algorithm={algorithm}" in said + "algorithm=", said)
    out, said = curl(f"{url}/md5", "--digest", *user, *body)
    check("curl: the 401 does not end the connection", "Re-using existing" in said or "Reusing existing" in said, said)
    out, said = curl(f"{url}/md5", "--digest", "-u", f"{USER}:wrong", *body)
    check("curl: a wrong password gets 401", "\n401" in out and "Digest realm" in said, said)
    out, said = curl(f"{url}/md5", *body)
    check("curl: no credentials get 401", "\n401" in out and "nonce=" in said, said)
    out, said = curl(f"{url}/basic", "--digest", *user, *body)
    check("curl: a scheme that is not offered gets 401", "\n401" in out and "Basic realm" in said, said)
    # HTTP itself, behind Digest and without.
    for path, proof in [("open", []), ("sha256", ["--digest", *user])]:
        who = "alice" if proof else "nobody"
        out, said = curl(f"{url}/{path}", *proof, *text, "-H", "Transfer-Encoding: chunked", "--data-binary", "hello")
        check(f"curl chunked at /{path}", f"{who}:hello\n200" in out, said)
        out, said = curl(f"{url}/{path}", *proof, *text, "-0", "--data-binary", "hello")
        check(f"curl HTTP/1.0 at /{path}", f"{who}:hello\n200" in out and "POST /" in said and "HTTP/1.0" in said, said)
        (FOLDER / "large").write_bytes(b"x" * 600_000)
        out, said = curl(f"{url}/{path}", *proof, *text, "-H", "Expect: 100-continue", "--data-binary", "@large")
        check(f"curl Expect at /{path}", "100 Continue" in said and out.endswith("\n200 1.1"), said[-400:])
        out, said = curl(f"{url}/{path}", *proof, *text, "--compressed", "--data-binary", "@large")
        coded = "content-encoding" in said.lower()
        check(f"curl --compressed at /{path}", coded and out.endswith("\n200 1.1") and "x" * 600_000 in out, said[-400:])
    for coding, octets in [("gzip", gzip.compress(b"hello")), ("deflate", zlib.compress(b"hello"))]:
        (FOLDER / "coded").write_bytes(octets)
        out, said = curl(f"{url}/open", *text, "-H", f"Content-Encoding: {coding}", "--data-binary", "@coded")
        check(f"curl sends {coding}", "nobody:hello\n200" in out, said)
    out, said = curl(f"{url}/open", f"{url}/open")
    check("curl GET twice over one connection", out.count("nobody:") == 2 and said.count("onnected to") == 1, said)


def by_requests(url):
    """python-requests: Digest in a session, its nonce counted up."""
    for path in ["md5", "sha256"]:
        session = requests.Session()
        session.auth = HTTPDigestAuth(USER, PASSWORD)
        answers = [session.post(f"{url}/{path}", data="hello", headers={"Content-Type": "text/plain"}, timeout=20)
                   for _ in range(3)]
        good = all(one.status_code == 200 and one.text == "alice:hello" for one in answers)
        check(f"requests Digest at /{path}, three times", good, [one.text for one in answers])
        check(f"requests Digest at /{path}: one challenge", [len(one.history) for one in answers] == [1, 0, 0],
              [len(one.history) for one in answers])
        info = answers[-1].headers.get("Authentication-Info", "")
        check(f"requests Digest at /{path}: the server proves itself", "rspauth=" in info and "nc=00000003" in info, info)
    answer = requests.post(f"{url}/md5", data="x", auth=HTTPDigestAuth(USER, "wrong"), timeout=20,
                           headers={"Content-Type": "text/plain"})
    check("requests Digest with a wrong password", answer.status_code == 401, answer.text)
    answer = requests.get(f"{url}/basic", auth=(USER, PASSWORD), timeout=20)
    check("requests Basic", answer.text == "alice:" and not answer.history, answer.text)


def ours(*arguments, password=PASSWORD):
    done = run(PROGRAM, *arguments, env={**os.environ, "HTTP_AUTH_PASSWORD": password})
    return done.stdout.splitlines(), done.stderr


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def listens(port, process):
    for _ in range(200):
        if process.poll() is not None:
            return False
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


def against(name, command, port, log, paths):
    """Our client against another server: twice over one connection, and with a wrong password."""
    process = subprocess.Popen(command, cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        if not listens(port, process):
            check(f"{name} starts", False, log.read_text() if log.is_file() else "no log")
            return
        for path, proved in paths:
            lines, said = ours("get", f"http://127.0.0.1:{port}{path}", USER)
            good = len(lines) == 2 and all(line.startswith("200 true") and "it works" in line for line in lines)
            check(f"our client at {name} {path}, twice", good, f"{lines} {said}")
            check(f"our client at {name} {path}: {'the server proves itself' if proved else 'no proof of the server'}",
                  all(line.split()[2] == str(proved).lower() for line in lines), lines)
            lines, said = ours("get", f"http://127.0.0.1:{port}{path}", USER, password="wrong")
            check(f"our client at {name} {path}: a wrong password is 401", lines and lines[0].startswith("401"),
                  f"{lines} {said}")
    finally:
        process.terminate()
        process.wait(20)


def nginx():
    port = free_port()
    (FOLDER / "nginx.conf").write_text(f"""
daemon off; pid nginx.pid; error_log {FOLDER}/nginx.log; worker_processes 1; user root;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {FOLDER}/t1; proxy_temp_path {FOLDER}/t2; fastcgi_temp_path {FOLDER}/t3;
  uwsgi_temp_path {FOLDER}/t4; scgi_temp_path {FOLDER}/t5;
  server {{ listen 127.0.0.1:{port}; root {FOLDER}/www;
    location /basic/ {{ auth_basic "nginx"; auth_basic_user_file {FOLDER}/basic.users; }} }}
}}
""")
    against("nginx", ["nginx", "-p", FOLDER, "-c", FOLDER / "nginx.conf"], port, FOLDER / "nginx.log",
            [("/basic/index.html", False)])


def apache():
    port, modules = free_port(), "/usr/lib/apache2/modules"
    names = ["mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "auth_digest"]
    loads = "\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in names)
    area = "\n".join(f"""<Location /{path}>
  AuthType {kind}
  AuthName "apache"
  {'AuthDigestProvider file' if kind == 'Digest' else 'AuthBasicProvider file'}
  {'AuthUserFile ' + str(FOLDER / users)}
  {extra}
  Require valid-user
</Location>""" for path, kind, users, extra in [
        ("basic", "Basic", "basic.users", ""), ("digest", "Digest", "digest.users", ""),
        ("short", "Digest", "digest.users", "AuthDigestNonceLifetime 1")])
    (FOLDER / "apache.conf").write_text(f"""{loads}
ServerName localhost
ServerRoot {FOLDER}
PidFile {FOLDER}/apache.pid
DefaultRuntimeDir {FOLDER}
Mutex default:{FOLDER}
ErrorLog {FOLDER}/apache.log
LogLevel auth_digest:info
Listen 127.0.0.1:{port}
DocumentRoot {FOLDER}/www
KeepAlive On
{area}
""")
    # mod_auth_digest gives rspauth in Authentication-Info.
    against("Apache", ["apache2", "-X", "-f", FOLDER / "apache.conf"], port, FOLDER / "apache.log",
            [("/basic/index.html", False), ("/digest/index.html", True), ("/short/index.html", True)])


def resident(process):
    """Resident memory in KiB."""
    return int(re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{process.pid}/status").read_text())[1])


def slow_clients(url, server):
    """slowhttptest: heads, bodies and reads that take their time, all at once, from one address. Others are served meanwhile,
    and what one address holds is bounded."""
    modes = {
        "slow heads": ["-H", "-u", f"{url}/open"],
        "slow bodies": ["-B", "-u", f"{url}/open", "-f", "text/plain"],
        "slow reads": ["-X", "-u", f"{url}/open", "-w", "1", "-y", "2", "-z", "1", "-k", "3"],
    }
    common = ["-c", "300", "-r", "150", "-i", "2", "-p", "3", "-l", "12"]
    before = resident(server)
    attackers = [subprocess.Popen(["slowhttptest", *mode, *common], cwd=FOLDER, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for mode in modes.values()]
    answers, held = [], []
    while any(attacker.poll() is None for attacker in attackers):
        out, _ = curl("--interface", "127.0.0.2", f"{url}/open", "-H", "Content-Type: text/plain", "--data-binary", "hello")
        answers.append(out)
        held.append(len(os.listdir(f"/proc/{server.pid}/fd")))
        time.sleep(0.5)
    good = len(answers) >= 10 and all(out == "nobody:hello\n200 1.1" for out in answers)
    check(f"slowhttptest ({', '.join(modes)}): {len(answers)} requests from another address are answered", good, answers)
    check(f"slowhttptest: one address holds no more than 256 of 900 connections, {max(held)} descriptors in all",
          150 < max(held) <= 256 + 40, held)
    grown = resident(server) - before
    check(f"slowhttptest: the server grows by {grown} KiB, no more than 32 MiB", grown < 32 << 10)
    for _ in range(100):
        if len(os.listdir(f"/proc/{server.pid}/fd")) < 40:
            break
        time.sleep(0.5)
    left = len(os.listdir(f"/proc/{server.pid}/fd"))
    check("slowhttptest: nothing of it is left", left < 40, left)


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    for path in ["basic", "digest", "short"]:
        (FOLDER / "www" / path).mkdir(parents=True)
        (FOLDER / "www" / path / "index.html").write_text("it works\n")
    run("htpasswd", "-b", "-c", "-m", "basic.users", USER, PASSWORD)
    ha1 = hashlib.md5(f"{USER}:apache:{PASSWORD}".encode()).hexdigest()
    (FOLDER / "digest.users").write_text(f"{USER}:apache:{ha1}\n")
    # What is written is read by processes that may have given their rights up.
    for path in [FOLDER, *FOLDER.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    server = subprocess.Popen([PROGRAM, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "HTTP_AUTH_PASSWORD": PASSWORD})
    try:
        url = server.stdout.readline().strip()
        by_curl(url)
        by_requests(url)
        for path in ["basic", "md5", "sha256", "int"]:
            lines, said = ours("post", f"{url}/{path}", USER, "hello")
            proved = str(path != "basic").lower()
            check(f"our client at /{path}", lines == [f"200 true {proved} alice:hello"] * 2, f"{lines} {said}")
        slow_clients(url, server)
    finally:
        server.stdin.close()
        ended = server.wait(20)
    check("the server ended in order", ended == 0, ended)
    nginx()
    apache()
    for command in [("curl", "--version"), ("nginx", "-v"), ("apache2", "-v")]:
        done = run(*command)
        print((done.stdout + done.stderr).splitlines()[0])
    print(f"requests {requests.__version__}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
