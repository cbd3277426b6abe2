#!/usr/bin/env python3
"""Upgrade to TLS within HTTP/1.1 (RFC 2817) with CUPS, the one implementation by others that lives.

CUPS' client (lpstat -E, ipptool -E, and ipptool on 426) is upgraded by our server; our client upgrades against cupsd: by
an offer, by insisting, with a body, and where cupsd insists (426). Everything on this machine.

Arguments: the program `upgrade` (tests/examples); a folder for files.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time

PROGRAM = sys.argv[1]
FOLDER = pathlib.Path(sys.argv[2])
failures = 0

# A request that needs no printer: CUPS-Get-Default.
IPP = bytes.fromhex("02004001" "0000002a" "01") + b"".join(
    bytes([tag]) + len(name).to_bytes(2, "big") + name + len(value).to_bytes(2, "big") + value
    for tag, name, value in [(0x47, b"attributes-charset", b"utf-8"), (0x48, b"attributes-natural-language", b"en")]
) + b"\x03"

TEST = """{
  NAME "an operation"
  OPERATION Get-Printer-Attributes
  GROUP operation-attributes-tag
  ATTR charset attributes-charset utf-8
  ATTR naturalLanguage attributes-natural-language en
  ATTR uri printer-uri $uri
  STATUS successful-ok
}
"""


def check(name, good, why=""):
    global failures
    failures += not good
    print(f"ok {name}" if good else f"FAIL {name}: {str(why)[-700:]!r}", flush=True)


def run(*command, **options):
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 60, **options}
    environment = {**os.environ, "HOME": str(FOLDER), "LC_ALL": "C"}
    return subprocess.run([str(part) for part in command], cwd=FOLDER, env=environment, **options)


class Server:
    """Our server, and the lines that it prints."""

    def __init__(self):
        self.process = subprocess.Popen([PROGRAM, "serve", FOLDER], text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.places = dict(self.process.stdout.readline().split() for _ in range(3))
        self.lines = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.strip())

    def served(self):
        lines, self.lines = self.lines, []
        return lines

    def stop(self):
        self.process.stdin.close()
        return self.process.wait(20)


def by_cups(server):
    """CUPS' client, upgraded by us."""
    (FOLDER / "one.test").write_text(TEST)
    for place in ["optional", "required"]:
        port = server.places[place].rsplit(":", 1)[1]
        done = run("lpstat", "-E", "-h", f"localhost:{port}", "-r")
        check(f"lpstat -E at {place}", "scheduler is running" in done.stdout, done)
        server.served()
        done = run("ipptool", "-E", "-V", "2.0", "-t", f"ipp://localhost:{port}/ipp", "one.test")
        served = server.served()
        check(f"ipptool -E at {place}", done.returncode == 0 and "PASS" in done.stdout, done)
        check(f"ipptool -E at {place}: answered within TLS", served and all("over TLS 1." in line for line in served), served)
    port = server.places["required"].rsplit(":", 1)[1]
    done = run("ipptool", "-V", "2.0", "-t", f"ipp://localhost:{port}/ipp", "one.test")
    served = server.served()
    check("ipptool without -E upgrades by itself on our 426", done.returncode == 0 and "PASS" in done.stdout, done)
    check("ipptool on our 426: answered within TLS", served and all("over TLS 1." in line for line in served), served)
    port = server.places["optional"].rsplit(":", 1)[1]
    done = run("ipptool", "-V", "2.0", "-t", f"ipp://localhost:{port}/ipp", "one.test")
    served = server.served()
    check("ipptool without -E is answered in clear where that is allowed", done.returncode == 0 and "over clear" in str(served),
          f"{done} {served}")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def listens(address, process):
    for _ in range(200):
        if process.poll() is not None:
            return False
        try:
            socket.create_connection(address, 1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


def own_address():
    """An address of this machine other than loopback: to cupsd clients on loopback need no TLS. Nothing leaves it."""
    for word in run("hostname", "-I").stdout.split():
        if "." in word:
            return word
    return None


def cupsd():
    """cupsd, upgraded by our client."""
    folder, port, outside = FOLDER / "cups", free_port(), own_address()
    for name in ["ssl", "spool", "cache", "state", "serverroot"]:
        (folder / name).mkdir(parents=True)
    run(PROGRAM, "issue", folder / "ssl", "localhost", *([outside] if outside else []))
    ca = folder / "ssl" / "ca.pem"
    more = f"Listen {outside}:{port}\n" if outside else ""
    (folder / "cupsd.conf").write_text(f"""
LogLevel debug
Listen 127.0.0.1:{port}
{more}ServerName localhost
ServerAlias *
Browsing Off
WebInterface Yes
DefaultAuthType None
<Location />
  Order allow,deny
  Allow all
</Location>
<Location /printers>
  Encryption Required
  Order allow,deny
  Allow all
</Location>
""")
    (folder / "cups-files.conf").write_text(f"""
ServerRoot {folder}/serverroot
ServerKeychain {folder}/ssl
CacheDir {folder}/cache
StateDir {folder}/state
RequestRoot {folder}/spool
TempDir {folder}/spool
AccessLog {folder}/access.log
ErrorLog {folder}/error.log
PageLog {folder}/page.log
""")
    (FOLDER / "ipp").write_bytes(IPP)
    process = subprocess.Popen(["/usr/sbin/cupsd", "-f", "-c", folder / "cupsd.conf", "-s", folder / "cups-files.conf"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if not listens(("127.0.0.1", port), process):
            log = folder / "error.log"
            check("cupsd starts", False, log.read_text() if log.is_file() else "no log")
            return
        url = f"http://localhost:{port}/"
        done = run(PROGRAM, "ask", "required", url, ca, "ipp", "application/ipp")
        lines = done.stdout.splitlines()
        good = len(lines) == 2 and all(line.startswith("200 TLS1.") for line in lines)
        check("our client insists on TLS at cupsd, and sends two bodies within it", good, done)
        # The answer is to our request: version, status, and its number.
        numbers = [line.split()[2][8:16] for line in lines if len(line.split()) == 3]
        check("our client at cupsd: the answers are IPP's to our requests", numbers == ["0000002a"] * 2, lines)
        # cupsd takes an offer from a POST, and then answers 404 within TLS ("unexpected HTTP read state" in its log):
        # it does not read the body on. That is its own; what is ours is that the answer comes within TLS.
        done = run(PROGRAM, "ask", "optional", url, ca, "ipp", "application/ipp")
        lines = [line.split()[:2] for line in done.stdout.splitlines()]
        good = len(lines) == 2 and all(channel.startswith("TLS1.") for _, channel in lines)
        check("our client's offer with a body is taken by cupsd, and answered within TLS", good, lines or done)
        done = run(PROGRAM, "ask", "never", f"http://localhost:{port}/", ca, "ipp", "application/ipp")
        check("our client at cupsd without an upgrade, in clear", done.stdout.startswith("200 clear"), done)
        other = FOLDER / "ca.pem"
        done = run(PROGRAM, "ask", "required", f"http://localhost:{port}/", other, "ipp", "application/ipp")
        check("our client refuses cupsd's certificate by another authority", done.returncode != 0 and "TLS" in done.stderr, done)
        check("this machine has an address beside loopback, for which cupsd insists on TLS", outside)
        if outside:
            required(port, outside, ca)
    finally:
        process.terminate()
        process.wait(20)


def required(port, outside, ca):
    """cupsd insists (426): seen raw, and gone through by our client."""
    with socket.create_connection((outside, port), 10) as raw:
        head = (f"POST /printers/x HTTP/1.1\r\nHost: {outside}:{port}\r\nContent-Type: application/ipp\r\n"
                f"Content-Length: {len(IPP)}\r\n\r\n")
        raw.sendall(head.encode() + IPP)
        raw.settimeout(10)
        answer = raw.recv(65536).decode(errors="replace")
    if not answer.startswith("HTTP/1.1 426 "):
        check("cupsd answers 426 where it requires TLS", False, answer)
        return
    check("cupsd answers 426 where it requires TLS", "\r\nUpgrade: TLS/1." in answer, answer)
    done = run(PROGRAM, "ask", "optional", f"http://{outside}:{port}/printers/x", ca, "ipp", "application/ipp")
    lines = done.stdout.splitlines()
    good = len(lines) == 2 and all(line.split()[1].startswith("TLS1.") and not line.startswith("426") for line in lines)
    check("our client goes through cupsd's 426 to TLS, with a body", good, done)


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    server = Server()
    try:
        by_cups(server)
        cupsd()
    finally:
        ended = server.stop()
    check("the server ended in order", ended == 0, ended)
    print(run("cups-config", "--version").stdout.strip() if shutil.which("cups-config") else run("ipptool", "--version").stdout.strip())
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
