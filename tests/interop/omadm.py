#!/usr/bin/env python3
"""Device management with software of others.

SyncEvolution's client proves itself (basic, MD5) and refreshes three contacts, from it and into another one, in WBXML
and XML; curl runs device
management sessions with messages made by hand, behind HTTP Basic and Digest. Everything on loopback.

Arguments: the program `omadm` (tests/examples); a folder for files.
"""

import base64
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import xml.etree.ElementTree as ElementTree

PROGRAM = sys.argv[1]
FOLDER = pathlib.Path(sys.argv[2])
USER, PASSWORD = "alice", "correct horse"
NAMESPACE = "{SYNCML:SYNCML1.2}"
failures = 0

# Debian's SyncEvolution 2.0.0 gives curl lambdas through a variadic call, and crashes on each POST. This puts plain
# functions in their place that call the program's own.
CURE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
typedef size_t (*method)(void *self, void *buffer, size_t size);
static size_t on_write(void *buffer, size_t size, size_t count, void *self) {
    method m = (method)dlsym(RTLD_DEFAULT, "_ZN7SyncEvo18CurlTransportAgent9writeDataEPvm");
    return m ? m(self, buffer, size * count) : 0;
}
static size_t on_read(void *buffer, size_t size, size_t count, void *self) {
    method m = (method)dlsym(RTLD_DEFAULT, "_ZN7SyncEvo18CurlTransportAgent8readDataEPvm");
    return m ? m(self, buffer, size * count) : 0;
}
int curl_easy_setopt(void *handle, int option, ...) {
    static int (*real)(void *, int, ...);
    if (!real) real = (int (*)(void *, int, ...))dlsym(RTLD_NEXT, "curl_easy_setopt");
    va_list list;
    va_start(list, option);
    void *value = va_arg(list, void *);
    va_end(list);
    if (option == 20011) value = (void *)on_write;
    if (option == 20012) value = (void *)on_read;
    return real(handle, option, value);
}
"""


def check(name, good, why=""):
    global failures
    failures += not good
    print(f"ok {name}" if good else f"FAIL {name}: {str(why)[-900:]!r}", flush=True)


class Server:
    """The program, and the lines that it prints."""

    def __init__(self):
        environment = {**os.environ, "OMADM_PASSWORD": PASSWORD}
        self.process = subprocess.Popen([PROGRAM], env=environment, text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = self.process.stdout.readline().strip()
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.strip())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(20)


CARDS = ["Ada;Lovelace", "Grace;Hopper", "Karen;Sparck"]


def syncevolution(server, role, scheme, form, cards, sync, cure):
    """A client with these contacts runs one session. Its exit code, what it said, its folder of contacts."""
    home = FOLDER / f"home-{role}-{scheme}-{form}"
    shutil.rmtree(home, ignore_errors=True)
    contacts = home / "contacts"
    contacts.mkdir(parents=True)
    for number, name in enumerate(cards, 1):
        first, last = name.split(";")
        (contacts / str(number)).write_text(
            f"BEGIN:VCARD\nVERSION:3.0\nFN:{first} {last}\nN:{last};{first};;;\nEND:VCARD\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
    for folder in ["CONFIG", "DATA", "CACHE"]:
        environment[f"XDG_{folder}_HOME"] = str(home / folder.lower())
    base = ["dbus-run-session", "--", "syncevolution", "--daemon=no", "--keyring=no"]
    configured = subprocess.run(
        [*base, "--configure", "--template", "SyncEvolution", f"username={USER}", f"password={PASSWORD}",
         f"syncURL={server.url}/sync/{scheme}", f"deviceId={role}-{form}", f"enableWBXML={int(form == 'Wbxml')}",
         "SyncMLVersion=1.2", f"clientAuthType={scheme}", "loglevel=4", "preventSlowSync=0", "backend=file",
         "databaseFormat=text/vcard", "syncFormat=text/vcard", f"database=file://{contacts}", "uri=addressbook",
         "sync=two-way", "peer", "addressbook"],
        env=environment, capture_output=True, text=True, timeout=120)
    if configured.returncode:
        return configured.returncode, configured.stdout + configured.stderr, contacts
    done = subprocess.run([*base, "--run", "--sync", sync, "peer", "addressbook"],
                          env={**environment, "LD_PRELOAD": str(cure)}, capture_output=True, text=True, timeout=180)
    return done.returncode, done.stdout + done.stderr, contacts


def by_syncevolution(server):
    cure = FOLDER / "cure.so"
    (FOLDER / "cure.c").write_text(CURE)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", cure, FOLDER / "cure.c", "-ldl"], check=True)
    for scheme in ["basic", "md5"]:
        for form in ["Wbxml", "Xml"]:
            what = f"SyncEvolution {scheme} {form}"
            before = len(server.lines)
            code, said, _ = syncevolution(server, "give", scheme, form, CARDS, "refresh-from-client", cure)
            check(f"{what}: the client is content", code == 0 and "ynchronization successful" in said, (code, said))
            lines = server.lines[before:]
            proved = any(f"{form} 212 " in line for line in lines)
            check(f"{what}: it proves itself, in its form", proved and all(f" {form} " in it for it in lines), lines)
            if scheme == "md5":
                check(f"{what}: it takes the nonce of a challenge", any(" 401 " in it for it in lines), lines)
            check(f"{what}: three contacts came", bool(lines) and lines[-1].endswith("items=3"), lines)
            code, said, contacts = syncevolution(server, "get", scheme, form, [], "refresh-from-server", cure)
            check(f"{what}: another client is content", code == 0 and "ynchronization successful" in said, (code, said))
            got = " ".join(card.read_text() for card in contacts.iterdir())
            names = [all(part in got for part in name.split(";")) for name in CARDS]
            check(f"{what}: it has the three contacts", names == [True] * 3 and got.count("BEGIN:VCARD") == 3, got)


def message(number, target, body, cred=""):
    return (f'<?xml version="1.0" encoding="UTF-8"?><SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD>'
            f"<VerProto>DM/1.2</VerProto><SessionID>0</SessionID><MsgID>{number}</MsgID><Target><LocURI>{target}"
            f"</LocURI></Target><Source><LocURI>curl-1</LocURI></Source>{cred}</SyncHdr><SyncBody>{body}<Final/></SyncBody>"
            f"</SyncML>")


def curl(url, octets, *options):
    (FOLDER / "message.xml").write_text(octets)
    done = subprocess.run(
        ["curl", "-sS", "-v", "-m", "20", "-o", "answer.xml", "-w", "%{http_code}", *options, "-H",
         "Content-Type: application/vnd.syncml.dm+xml; charset=\"utf-8\"", "-H", "Accept: application/vnd.syncml.dm+xml",
         "--data-binary", "@message.xml", url],
        cwd=FOLDER, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return done.stdout, done.stderr


def statuses(answer):
    found = answer.iter(f"{NAMESPACE}Status")
    return {one.findtext(f"{NAMESPACE}Cmd"): one.findtext(f"{NAMESPACE}Data") for one in found}


def by_curl(server):
    first = ("<Alert><CmdID>1</CmdID><Data>1201</Data></Alert><Replace><CmdID>2</CmdID><Item><Source><LocURI>"
             "./DevInfo/DevId</LocURI></Source><Data>curl-1</Data></Item></Replace>")
    for scheme in ["basic", "digest"]:
        url = f"{server.url}/{scheme}"
        good = [f"--{scheme}", "-u", f"{USER}:{PASSWORD}"]
        code, said = curl(url, message(1, url, first))
        check(f"curl {scheme}: nobody gets 401", code == "401" and f"{scheme.capitalize()} realm" in said, said)
        code, said = curl(url, message(1, url, first), f"--{scheme}", "-u", f"{USER}:wrong")
        check(f"curl {scheme}: a wrong password gets 401", code == "401", said)
        code, said = curl(url, message(1, url, first), *good)
        if code != "200":
            check(f"curl {scheme}: package 1", False, said)
            continue
        answer = ElementTree.parse(FOLDER / "answer.xml")
        told = statuses(answer)
        check(f"curl {scheme}: package 1 is taken, SessionID 0 too",
              told.get("SyncHdr") in ("200", "212") and told.get("Alert") == "200" and told.get("Replace") == "200", told)
        check(f"curl {scheme}: the answer may not be stored", "no-store" in said.lower(), said)
        get = answer.find(f".//{NAMESPACE}Get/{NAMESPACE}CmdID")
        check(f"curl {scheme}: the command of the queue comes", get is not None, told)
        if get is None:
            continue
        target = answer.findtext(f".//{NAMESPACE}RespURI") or url
        back = (f"<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>200</Data></Status>"
                f"<Status><CmdID>2</CmdID><MsgRef>1</MsgRef><CmdRef>{get.text}</CmdRef><Cmd>Get</Cmd><Data>200</Data>"
                f"</Status><Results><CmdID>3</CmdID><MsgRef>1</MsgRef><CmdRef>{get.text}</CmdRef><Item><Source><LocURI>"
                f"./DevDetail/SwV</LocURI></Source><Data>7</Data></Item></Results>")
        second = message(2, target, back)
        code, said = curl(target, second, *good)
        answer = (FOLDER / "answer.xml").read_bytes()
        only = {child.tag for child in ElementTree.fromstring(answer).find(f"{NAMESPACE}SyncBody")}
        check(f"curl {scheme}: the session ends", code == "200" and only == {f"{NAMESPACE}Status", f"{NAMESPACE}Final"},
              (code, only))
        code, _ = curl(target, second, *good)
        check(f"curl {scheme}: the same message gets the same answer",
              code == "200" and (FOLDER / "answer.xml").read_bytes() == answer, code)
    code, said = curl(f"{server.url}/basic", "this is no message", "--basic", "-u", f"{USER}:{PASSWORD}")
    check("curl: what is no message gets 400", code == "400", said)
    code, said = curl(f"{server.url}/dm", message(1, server.url, first))
    answer = ElementTree.parse(FOLDER / "answer.xml")
    told, nonce = statuses(answer), answer.findtext(".//{syncml:metinf}NextNonce")
    check("curl: without HTTP authentication the message is asked for a proof",
          code == "200" and told.get("SyncHdr") == "407" and nonce, told)
    for name, password, number, expected in [("a wrong password", "wrong", 2, "401"), ("MD5", PASSWORD, 3, "212")]:
        proof = base64.b64encode(hashlib.md5(f"{USER}:{password}".encode()).digest()) + b":" + base64.b64decode(nonce)
        proof = base64.b64encode(hashlib.md5(proof).digest()).decode()
        cred = ('<Cred><Meta><Format xmlns="syncml:metinf">b64</Format><Type xmlns="syncml:metinf">syncml:auth-md5</Type>'
                f"</Meta><Data>{proof}</Data></Cred>")
        code, said = curl(f"{server.url}/dm", message(number, server.url, first, cred))
        answer = ElementTree.parse(FOLDER / "answer.xml")
        told, nonce = statuses(answer), answer.findtext(".//{syncml:metinf}NextNonce")
        check(f"curl: {name} in the message gets {expected}", told.get("SyncHdr") == expected and nonce, told)


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    server = Server()
    try:
        by_curl(server)
        by_syncevolution(server)
    finally:
        server.stop()
    sys.exit(bool(failures))


main()
