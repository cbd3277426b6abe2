#!/usr/bin/env python3
"""The TLS backend on OpenSSL by software of others: what a listener takes is what its policy declares.

`bindery serve`, built with OpenSSL, has a listener for each policy to the letter: `omadm-1.3` (TLS 1.0 to 1.2, PSK-TLS),
`kmip-1.4` and `kmip-2.1`, and one that rustls serves in the same process. `openssl s_client` tries every suite that it
knows in every version, sslyze every one that it knows, gnutls-cli the six PSK suites of OMA DM. The other way round, our
client meets `openssl s_server`. A KMIP request goes over a suite that rustls has not, by our client and by curl.

Arguments: the program; a folder for files; and `vendored` where the program has SSL 3.0, RC4 and 3DES: then tlslite-ng
(PyPI) tries those.
"""

import csv
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import urllib.request

import tls
from tls import FOLDER, PROGRAM, VERSIONS, check, many, must, run, same

VENDORED = "vendored" in sys.argv[3:]
BACKEND = "dangerous-legacy-openssl"
IDENTITY, KEY = "device-17", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
LISTENERS = {
    "omadm": ("omadm-1.3", 'psk_file = "devices.psk"'),
    "kmip14": ("kmip-1.4", ""),
    "kmip21": ("kmip-2.1", ""),
}
# The suites of OMA DM 1.3, section 5.4: OpenSSL's name, GnuTLS' key exchange and cipher.
PSK_SUITES = [
    ("PSK-AES128-GCM-SHA256", "PSK", "AES-128-GCM:+AEAD"),
    ("DHE-PSK-AES128-GCM-SHA256", "DHE-PSK", "AES-128-GCM:+AEAD"),
    ("RSA-PSK-AES128-GCM-SHA256", "RSA-PSK", "AES-128-GCM:+AEAD"),
    ("PSK-AES128-CBC-SHA256", "PSK", "AES-128-CBC:+SHA256"),
    ("DHE-PSK-AES128-CBC-SHA256", "DHE-PSK", "AES-128-CBC:+SHA256"),
    ("RSA-PSK-AES128-CBC-SHA256", "RSA-PSK", "AES-128-CBC:+SHA256"),
]
OLD = ["-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]


def serve():
    """A listener for each policy on OpenSSL, and one on rustls beside them."""
    for name, text in [("kek", os.urandom(32).hex()), ("devices.psk", f"{IDENTITY}:{KEY}\nother:{KEY[::-1]}\n")]:
        (FOLDER / name).write_text(text)
        os.chmod(FOLDER / name, 0o600)
    text = '[service.kmip]\n[admin]\naddress = "127.0.0.1:0"\n[store]\nfile = "legacy.db"\nkek_file = "kek"\n'
    files = 'address = "127.0.0.1:0"\ncertificate = "rsa.pem"\nkey = "rsa.key"\nclient_authorities = "ca.pem"\n'
    for name, (policy, more) in LISTENERS.items():
        text += f'[listener.{name}]\n{files}tls_policy = "{policy}"\ntls_backend = "{BACKEND}"\n{more}\n'
    text += f'[listener.modern]\n{files}tls_policy = "modern"\n'
    (FOLDER / "legacy.toml").write_text(text)
    log = open(FOLDER / "serve.log", "w")
    process = subprocess.Popen([PROGRAM, "serve", "--config", "legacy.toml", "-o", "json"], cwd=FOLDER,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"bindery serve does not start: {(FOLDER / 'serve.log').read_text()}")
    ready = json.loads(line)
    addresses = {one["name"]: re.search(r"//([^/]+)", one["kmip"])[1] for one in ready["listeners"]}
    return process, addresses, ready["admin"]


def handshakes(admin):
    """How many handshakes the server has finished."""
    with urllib.request.urlopen(f"{admin}/metrics", timeout=20) as answer:
        return int(re.search(r"^bindery_handshakes_total (\d+)", answer.read().decode(), re.M)[1])


def known():
    """What openssl knows: OpenSSL's name to (IANA's name, first version)."""
    rows = (line.split() for line in must("openssl", "ciphers", "-V", "-stdname", *OLD[1:]).splitlines())
    _, openssl_names, _ = tls.registry()
    first = {"SSLv3": "TLS 1.0", "TLSv1": "TLS 1.0", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}
    # Where a suite's document has it in newer versions only than OpenSSL does, the document counts (RFC 6367).
    table = pathlib.Path(__file__).parents[2] / "crates/bindery-tls/registry/cipher-suites.csv"
    documents = {row[1]: row[3] for row in csv.reader(table.read_text().splitlines()[1:])}
    suites = ((row[4], openssl_names.get(row[4], row[2]), first[row[5]]) for row in rows)
    return {ours: (iana, max(since, documents.get(iana, since))) for ours, iana, since in suites}


def declared(policy, suites, has_keys):
    """(version, suite) pairs of a policy for a server with an RSA key, among these suites."""
    shown = json.loads(must(PROGRAM, "tls", "policy", policy, "--tls-backend", BACKEND, "-o", "json"))
    check(f"{policy} is served by OpenSSL", shown["served"], shown["refusal"])
    versions = [one for one in shown["versions"] if one != "SSL 3.0"]
    pairs = set()
    for iana, first in suites.values():
        kind = iana.split("_WITH_")[0]
        # ECDSA and DSS suites need keys of another kind.
        if iana not in shown["suites"] or kind.endswith(("ECDSA", "DSS")) or ("PSK" in kind and not has_keys):
            continue
        pairs |= {(version, iana) for version in versions
                  if (version >= first if "_WITH_" in iana else version == "TLS 1.3") and version != "TLS 1.3"
                  or version == first == "TLS 1.3"}
    return set(versions), pairs


def scan(name, address, suites):
    """Every version and suite that openssl knows, one handshake each."""
    policy, more = LISTENERS[name]
    versions, pairs = declared(policy, suites, "psk_file" in more)
    psk = ["-psk_identity", IDENTITY, "-psk", KEY]
    tries = sorted(version for version in VERSIONS if version != "SSL 3.0")
    met = many(lambda version: tls.s_client(address, f"-{VERSIONS[version]}", *OLD, *psk), tries)
    same(f"openssl {policy} versions", {version for version, one in zip(tries, met) if one}, versions)
    for version in tries:
        fit = sorted(ours for ours, (_, first) in suites.items()
                     if (first == "TLS 1.3") == (version == "TLS 1.3") and version >= first)
        option = "-ciphersuites" if version == "TLS 1.3" else "-cipher"
        end = "" if version == "TLS 1.3" else ":@SECLEVEL=0"
        met = many(lambda one: tls.s_client(address, f"-{VERSIONS[version]}", option, one + end, *psk), fit)
        found = {(version, suites[ours][0]) for ours, one in zip(fit, met) if one and one[1] == ours}
        same(f"openssl {policy} {version}: {len(fit)} suites", found, {pair for pair in pairs if pair[0] == version})
    return versions, pairs


def by_sslyze(name, address, versions, pairs):
    policy = LISTENERS[name][0]
    taken, looked, _, _, early = tls.sslyze(name, address)
    # It offers no pre-shared key.
    usable = {pair for pair in pairs if "PSK" not in pair[1]}
    if VENDORED and policy == "omadm-1.3":
        usable |= {("SSL 3.0", "TLS_RSA_WITH_RC4_128_SHA"), ("SSL 3.0", "TLS_RSA_WITH_3DES_EDE_CBC_SHA")}
    same(f"sslyze {policy} versions", {version for version, _ in taken},
         {version for version, _ in usable & looked})
    same(f"sslyze {policy} suites", taken, usable & looked)
    check(f"sslyze {policy} no early data", early is False)
    for version in sorted({version for version, _ in looked}):
        print(f"sslyze knows {sum(1 for one, _ in looked if one == version)} suites of {version}")


def pre_shared(address, admin):
    """The six suites by openssl and by gnutls-cli; a wrong key and an unknown identity are refused alike."""
    host, port = address.split(":")
    for ours, exchange, cipher in PSK_SUITES:
        met = tls.s_client(address, "-tls1_2", "-cipher", ours, "-psk_identity", IDENTITY, "-psk", KEY)
        check(f"openssl {ours}", met == ("TLSv1.2", ours), str(met))
        priority = f"NONE:+VERS-TLS1.2:+{exchange}:+{cipher}:+COMP-NULL:+SIGN-ALL:+GROUP-ALL"
        before = handshakes(admin)
        done = run("gnutls-cli", host, "-p", port, "--priority", priority, "--pskusername", IDENTITY, "--pskkey", KEY,
                   "--x509cafile", "ca.pem", "--no-ca-verification", input="", stdin=None)
        said = done.stdout + done.stderr
        # gnutls-cli 3.7.9 ends in a segmentation fault when it is to print the group of DHE-PSK: the server's own
        # count then tells that the handshake was finished, both Finished messages included.
        crashed = done.returncode == -signal.SIGSEGV
        wanted = crashed or f"-({exchange}" in said and "Handshake was completed" in said
        check(f"gnutls-cli {ours}{' (it crashes afterwards)' if crashed else ''}",
              wanted and handshakes(admin) == before + 1, said[-400:])
    heard = []
    for identity, key in [("device-99", KEY), (IDENTITY, KEY[2:] + "ff")]:
        done = run("openssl", "s_client", "-connect", address, "-tls1_2", "-cipher", PSK_SUITES[0][0],
                   "-psk_identity", identity, "-psk", key)
        heard.append(sorted(set(re.findall(r"alert [a-z ]+", done.stdout + done.stderr))))
        check(f"openssl {identity} with a key that is not its own is refused", "Cipher is (NONE)" in done.stdout
              or "Cipher is PSK" not in done.stdout or done.returncode != 0, done.stdout[-300:])
    check("an unknown identity and a wrong key hear the same", heard[0] == heard[1] and heard[0], str(heard))


def our_client(suites):
    """Our client against `openssl s_server`: it names the version and the suite that it met."""
    cells = [(version, ours) for version in ["TLS 1.0", "TLS 1.1", "TLS 1.2"]
             for ours in ["AES128-SHA", "AES256-SHA", "ECDHE-RSA-AES128-SHA"]]
    cells += [("TLS 1.2", ours) for ours in ["AES256-SHA256", "AES128-GCM-SHA256"]]
    cells += [("TLS 1.2", ours) for ours, _, _ in PSK_SUITES]
    (FOLDER / "one.psk").write_text(f"{IDENTITY}:{KEY}\n")
    os.chmod(FOLDER / "one.psk", 0o600)
    for version, ours in cells:
        iana = suites[ours][0]
        options = [f"-{VERSIONS[version]}", "-cipher", f"{ours}:@SECLEVEL=0"]
        if "PSK" in ours:
            options += ["-psk", KEY, "-psk_identity", IDENTITY]
        code, said, log = meet(options)
        met = (said.get("version"), said.get("suite"))
        check(f"client {version} {ours}: we name it", code in (0, 3) and met == (version, iana), f"{said} {log[-300:]}")
        check(f"client {version} {ours}: openssl names it", f"CIPHER is {ours}" in log, log[-300:])

    # The hint of a server (RFC 4279, 5.2) is read; to send one the binding has no call.
    options = ["-psk", KEY, "-psk_identity", IDENTITY, "-psk_hint", "plant 7", "-tls1_2", "-cipher",
               "PSK-AES128-CBC-SHA256:@SECLEVEL=0"]
    code, said, log = meet(options)
    check("client reads the PSK identity hint of openssl s_server", said.get("psk_hint") == "plant 7", f"{said}")


def meet(options):
    log = FOLDER / "s_server.log"
    with open(log, "w") as out:
        server = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", "rsa.pem", "-key",
                                   "rsa.key", *options], cwd=FOLDER, stdin=subprocess.PIPE, stdout=out,
                                  stderr=subprocess.STDOUT)
    try:
        for _ in range(200):
            port = re.search(r"^ACCEPT 127\.0\.0\.1:(\d+)", log.read_text(), re.M)
            if port:
                break
            time.sleep(0.05)
        else:
            raise SystemExit(f"s_server does not listen: {log.read_text()}")
        done = run(PROGRAM, "tls", "probe", f"127.0.0.1:{port[1]}", "--tls-policy", "omadm-1.3", "--tls-backend",
                   BACKEND, "--psk-file", "one.psk", "-o", "json")
        for _ in range(40):
            if "CIPHER is" in log.read_text() or "rror" in log.read_text():
                break
            time.sleep(0.05)
        return done.returncode, json.loads(done.stdout or done.stderr.splitlines()[-1]), log.read_text()
    finally:
        server.kill()
        server.wait()


def kmip(address):
    """A KMIP request over a suite that KMIP 1.x makes mandatory and rustls has not."""
    suite, ours = "TLS_RSA_WITH_AES_256_CBC_SHA256", "AES256-SHA256"
    common = ["--url", f"https://localhost:{address.split(':')[1]}/kmip", "--cacert", "ca.pem", "--cert", "client.pem",
              "--key", "client.key"]
    done = run(PROGRAM, "kmip", "query", *common, "--tls-policy", "kmip-1.4", "--tls-backend", BACKEND, "--suite",
               suite, "-v", "-o", "json")
    check(f"our client: KMIP Query over {suite}", done.returncode == 0 and suite in done.stderr,
          done.stdout[-200:] + done.stderr[-400:])
    body = run(PROGRAM, "kmip", "query", *common, "--dry-run", "-o", "raw", text=False).stdout
    (FOLDER / "query.bin").write_bytes(body)
    done = run("curl", "-sS", "-v", "--cacert", "ca.pem", "--cert", "client.pem", "--key", "client.key", "--tls-max",
               "1.2", "--ciphers", ours, "-H", "Content-Type: application/octet-stream", "--data-binary",
               "@query.bin", "-o", "answer.bin", f"https://localhost:{address.split(':')[1]}/kmip")
    decoded = run(PROGRAM, "decode", "answer.bin")
    check(f"curl: KMIP Query over {ours}", ours in done.stderr and "Success" in decoded.stdout,
          done.stderr[-300:] + decoded.stdout[-300:])


def by_tlslite(address):
    """SSL 3.0, RC4 and 3DES by tlslite-ng: RC4 and 3DES in SSL 3.0 and in nothing newer, as OMA has them."""
    import socket
    from tlslite.api import HandshakeSettings, TLSConnection, X509, X509CertChain, parsePEMKey
    from tlslite.errors import BaseTLSException
    versions = {"SSL 3.0": (3, 0), "TLS 1.0": (3, 1), "TLS 1.1": (3, 2), "TLS 1.2": (3, 3)}
    # AES came with RFC 3268, for TLS 1.0 and later.
    wanted = {("SSL 3.0", "rc4"), ("SSL 3.0", "3des")} | {(v, "aes128") for v in versions if v != "SSL 3.0"}
    chain = X509CertChain([X509().parse((FOLDER / "client_rsa.pem").read_text())])
    private = parsePEMKey((FOLDER / "client_rsa.key").read_text(), private=True)
    host, port = address.split(":")
    for version, number in versions.items():
        for cipher in ["rc4", "3des", "aes128"]:
            settings = HandshakeSettings()
            settings.minVersion = settings.maxVersion = number
            settings.cipherNames, settings.macNames = [cipher], ["sha"]
            settings.keyExchangeNames = ["rsa"]
            met = None
            with socket.create_connection((host, int(port)), 20) as stream:
                connection = TLSConnection(stream)
                try:
                    connection.handshakeClientCert(chain, private, settings=settings)
                    met = (connection.version, connection.session.getCipherName())
                    connection.close()
                except (BaseTLSException, OSError) as error:
                    met = met or str(error)
            taken = isinstance(met, tuple) and met[0] == number
            check(f"tlslite-ng {version} {cipher}: {'taken' if (version, cipher) in wanted else 'refused'}",
                  taken == ((version, cipher) in wanted), str(met))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    tls.certificates()
    must("openssl", "genpkey", *tls.KEYS["rsa"], "-out", "client_rsa.key")
    must("openssl", "req", "-new", "-key", "client_rsa.key", "-subj", "/CN=client", "-out", "client_rsa.csr")
    must("openssl", "x509", "-req", "-in", "client_rsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "30",
         "-CAcreateserial", "-extfile", "client.ext", "-out", "client_rsa.pem")
    suites = known()
    server, addresses, admin = serve()
    try:
        log = (FOLDER / "serve.log").read_text()
        check("the log names what is not safe", "TLS 1.0" in log and "not safe" in log, log[-400:])
        for name in LISTENERS:
            versions, pairs = scan(name, addresses[name], suites)
            by_sslyze(name, addresses[name], versions, pairs)
        met = tls.s_client(addresses["modern"], "-tls1_1", *OLD)
        check("rustls beside it takes no TLS 1.1", met is None, str(met))
        check("rustls beside it takes TLS 1.3", tls.s_client(addresses["modern"], "-tls1_3") is not None)
        pre_shared(addresses["omadm"], admin)
        kmip(addresses["kmip14"])
        if VENDORED:
            by_tlslite(addresses["omadm"])
    finally:
        server.terminate()
        ended = server.wait(60)
    check("the server ended in order", ended == 0, str(ended))
    our_client(suites)
    return 1 if tls.failures else 0


if __name__ == "__main__":
    sys.exit(main())
