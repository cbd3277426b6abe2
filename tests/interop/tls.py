#!/usr/bin/env python3
"""TLS policies by scanners: what a listener takes is what its policy declares, in both directions.

For each built-in policy that rustls serves (and each kind of server key) `bindery serve` has a listener. sslyze and
sslscan say which versions, suites and groups it takes; that must equal what `bindery tls policy` declares, within what
each scanner knows, which is printed. What they do not know is probed by name with `openssl s_client`. What that does not
know either is probed by `bindery tls probe`, which is marked as not independent. The other way round, our client meets
`openssl s_server` in each version and suite that both have.

Arguments: the program; a folder for files; and `testssl` for the slow scan by testssl.sh too.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

PROGRAM = sys.argv[1]
FOLDER = pathlib.Path(sys.argv[2])
TESTSSL = "testssl" in sys.argv[3:]

# Policies that rustls serves, with what narrows them in the listener's table.
POLICIES = {
    "kmip": "",
    "kmip-2.1": 'tls_versions = ["TLS 1.3"]',
    "modern": "",
    "omadm": "",
    "taxii": "",
}
KEYS = {"ecdsa": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]}
# Names of groups that scanners write otherwise than IANA.
GROUPS = {"X25519": "x25519", "X448": "x448", "prime256v1": "secp256r1", "prime192v1": "secp192r1"}
VERSIONS = {"SSL 3.0": "ssl3", "TLS 1.0": "tls1", "TLS 1.1": "tls1_1", "TLS 1.2": "tls1_2", "TLS 1.3": "tls1_3"}
failures = 0
LOCK = threading.Lock()


def check(name, good, why=""):
    global failures
    line = f"ok {name}\n" if good else f"FAIL {name}: {why}\n"
    # The scans run side by side, and a line is counted only when it is whole.
    with LOCK:
        failures += not good
        sys.stdout.write(line)
        sys.stdout.flush()


def same(name, found, declared):
    more, less = sorted(found - declared), sorted(declared - found)
    check(name, not more and not less, f"taken but not declared: {more}; declared but not taken: {less}")


def run(*command, **options):
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 120, **options}
    return subprocess.run([str(part) for part in command], cwd=FOLDER, **options)


def must(*command):
    done = run(*command)
    if done.returncode != 0:
        raise SystemExit(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def certificates():
    """An authority, a server's certificate of each kind, a client's: by openssl, not by our own code."""
    key = ["openssl", "genpkey", *KEYS["ecdsa"]]
    must(*key, "-out", "ca.key")
    must("openssl", "req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=Scan CA", "-days", "30", "-out", "ca.pem")
    for name, kind, usage in [("ecdsa", "ecdsa", "serverAuth"), ("rsa", "rsa", "serverAuth"),
                              ("client", "ecdsa", "clientAuth")]:
        must("openssl", "genpkey", *KEYS[kind], "-out", f"{name}.key")
        os.chmod(FOLDER / f"{name}.key", 0o600)
        must("openssl", "req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
        (FOLDER / f"{name}.ext").write_text(
            f"subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage={usage}\nbasicConstraints=CA:FALSE\n")
        must("openssl", "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "30",
             "-CAcreateserial", "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def serve():
    """`bindery serve` with a listener for each policy and key; gives the process and the addresses."""
    (FOLDER / "kek").write_text(os.urandom(32).hex())
    os.chmod(FOLDER / "kek", 0o600)
    text = '[service.kmip]\n[store]\nfile = "scan.db"\nkek_file = "kek"\n'
    for policy, more in POLICIES.items():
        for key in KEYS:
            text += (f'[listener.{policy.replace(".", "_")}-{key}]\naddress = "127.0.0.1:0"\n'
                     f'certificate = "{key}.pem"\nkey = "{key}.key"\nclient_authorities = "ca.pem"\n'
                     f'tls_policy = "{policy}"\n{more}\n')
    (FOLDER / "scan.toml").write_text(text)
    log = open(FOLDER / "serve.log", "w")
    process = subprocess.Popen([PROGRAM, "serve", "--config", "scan.toml", "-o", "json"], cwd=FOLDER,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"bindery serve does not start: {(FOLDER / 'serve.log').read_text()}")
    ready = json.loads(line)
    addresses = {one["name"]: re.search(r"//([^/]+)", one["kmip"])[1] for one in ready["listeners"]}
    return process, addresses


def declared(policy, key):
    """What a policy declares for a server key: versions, (version, suite) pairs, groups."""
    shown = json.loads(must(PROGRAM, "tls", "policy", policy, "-o", "json"))
    rows = [row for row in shown["rows"] if row["need"] != "left out"]
    versions = {row["name"] for row in rows if row["what"] == "version"}
    if POLICIES[policy]:
        versions &= {"TLS 1.3"}
    suites = set()
    for row in rows:
        if row["what"] != "suite" or not (row["used"] or POLICIES[policy]):
            continue
        name = row["name"]
        newest = "_WITH_" not in name
        if newest and "TLS 1.3" in versions:
            suites.add(("TLS 1.3", name))
        elif not newest and "TLS 1.2" in versions and f"_{key.upper()}_WITH" in name:
            suites.add(("TLS 1.2", name))
    # A version whose suites all need another kind of key cannot be met: kmip in TLS 1.2 with RSA.
    versions &= {version for version, _ in suites}
    return versions, suites, {row["name"] for row in rows if row["what"] == "group"}


def sslyze(name, address):
    """Versions, suites and groups that sslyze finds, and what it looked for."""
    out = FOLDER / f"{name}.sslyze.json"
    # The exit status is about Mozilla's profile, which is not asked for; no file is a failure.
    done = run(sys.executable, "-m", "sslyze", "--cert", "client.pem", "--key", "client.key", "--json_out", out,
               "--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3", "--elliptic_curves",
               "--early_data", address)
    if not out.is_file():
        raise SystemExit(f"sslyze {address}: {done.stdout}{done.stderr}")
    result = json.loads(out.read_text())["server_scan_results"][0]["scan_result"]
    taken, looked = set(), set()
    for label, version in [("ssl_2_0", "SSL 2.0"), ("ssl_3_0", "SSL 3.0"), ("tls_1_0", "TLS 1.0"),
                           ("tls_1_1", "TLS 1.1"), ("tls_1_2", "TLS 1.2"), ("tls_1_3", "TLS 1.3")]:
        found = result[f"{label}_cipher_suites"]["result"]
        suites = lambda kind: {(version, one["cipher_suite"]["name"]) for one in found[kind]}
        taken |= suites("accepted_cipher_suites")
        looked |= suites("accepted_cipher_suites") | suites("rejected_cipher_suites")
    curves = result["elliptic_curves"]["result"]
    iana = lambda kind: {GROUPS.get(one["name"], one["name"]) for one in curves[kind] or []}
    early = result["tls_1_3_early_data"]["result"]["supports_early_data"]
    groups = iana("supported_curves")
    return taken, looked, groups, groups | iana("rejected_curves"), early


def sslscan(name, address):
    """Versions, suites and groups that sslscan finds."""
    out = FOLDER / f"{name}.sslscan.xml"
    run("sslscan", "--no-colour", "--no-heartbleed", "--no-renegotiation", "--no-compression", "--no-fallback",
        "--certs=client.pem", "--pk=client.key", f"--xml={out}", address)
    test = xml.etree.ElementTree.parse(out).find("ssltest")
    versions = {f"{one.get('type').upper()} {one.get('version')}" + (".0" if one.get("type") == "ssl" else "")
                for one in test.iter("protocol") if one.get("enabled") == "1"}
    suites = {(one.get("sslversion").replace("v", " "), int(one.get("id"), 16)) for one in test.iter("cipher")}
    groups = {int(one.get("id"), 16) for one in test.iter("group")}
    return versions, suites, groups


def registry():
    """IANA's table as this repository has it: number to name, OpenSSL's name to IANA's."""
    table = pathlib.Path(__file__).parents[2] / "crates/bindery-tls/registry"
    rows = [line.split(",") for line in (table / "cipher-suites.csv").read_text().splitlines()[1:]]
    groups = [line.split(",") for line in (table / "groups.csv").read_text().splitlines()[1:]]
    return ({int(row[0], 16): row[1] for row in rows}, {row[2]: row[1] for row in rows if row[2]},
            {int(row[0], 16): row[1] for row in groups})


def s_client(address, *options):
    """The version and suite that `openssl s_client` meets; nothing when there is no session."""
    done = run("openssl", "s_client", "-connect", address, "-cert", "client.pem", "-key", "client.key", "-CAfile",
               "ca.pem", *options)
    met = re.search(r"New, (?:SSL|TLS)v\S+, Cipher is (\S+)", done.stdout)
    version = re.search(r"Protocol *: (\S+)", done.stdout) or re.search(r"^New, (TLSv1\.3)", done.stdout, re.M)
    if not met or met[1] == "(NONE)":
        return None
    return (version[1] if version else ""), met[1]


def many(work, items):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(work, items))


def by_openssl(name, address, versions, suites, groups, unknown_suites, unknown_groups):
    """Versions, and the suites and groups that the scanners do not know, by name."""
    wanted = {version for version in VERSIONS if version != "SSL 3.0"}
    level = ["-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    met = many(lambda v: s_client(address, f"-{VERSIONS[v]}", *level), sorted(wanted))
    same(f"openssl {name} versions", {v for v, one in zip(sorted(wanted), met) if one}, versions)
    psk = ["-psk", "00112233445566778899aabbccddeeff"]
    met = many(lambda one: s_client(address, "-tls1_2", "-cipher", f"{one[0]}:@SECLEVEL=0", *psk), unknown_suites)
    found = {("TLS 1.2", iana) for (_, iana), one in zip(unknown_suites, met) if one}
    known = {("TLS 1.2", iana) for _, iana in unknown_suites}
    same(f"openssl {name} {len(known)} suites that sslyze does not know", found, suites & known)
    met = many(lambda group: s_client(address, "-tls1_3", "-groups", group), sorted(unknown_groups))
    same(f"openssl {name} {len(unknown_groups)} groups that sslyze does not know",
         {group for group, one in zip(sorted(unknown_groups), met) if one}, groups & unknown_groups)


def scan(name, address, policy, key, names, openssl_names, group_names):
    versions, suites, groups = declared(policy, key)
    taken, looked, curves, known_curves, early = sslyze(name, address)
    same(f"sslyze {name} versions", {version for version, _ in taken}, versions)
    same(f"sslyze {name} suites", taken, suites & looked)
    same(f"sslyze {name} groups", curves, groups & known_curves)
    check(f"sslyze {name} declared suites are all known", suites <= looked, str(suites - looked))
    check(f"sslyze {name} no early data", early is False)
    found_versions, found, found_groups = sslscan(name, address)
    same(f"sslscan {name} versions", found_versions, versions)
    same(f"sslscan {name} suites", {(v, names.get(number, hex(number))) for v, number in found}, suites)
    found_groups = {group_names.get(number, hex(number)) for number in found_groups}
    same(f"sslscan {name} groups", found_groups, groups - {"X25519MLKEM768"})
    # What sslyze does not look for, by OpenSSL's names.
    missing = sorted((ours, iana) for ours, iana in openssl_names.items()
                     if "_WITH_" in iana and ("TLS 1.2", iana) not in looked)
    finite = {"ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"}
    by_openssl(name, address, versions, suites, groups, missing, finite - known_curves)
    # Only our own client knows the hybrid groups here.
    probed = json.loads(must(PROGRAM, "tls", "probe", address, "--scan", "--cert", "client.pem", "--key", "client.key",
                             "-o", "json"))
    hybrid = {row["name"] for row in probed["scan"] if row["what"] == "group" and "MLKEM" in row["name"]}
    taken = {row["name"] for row in probed["scan"] if row["taken"]} & hybrid
    same(f"bindery {name} hybrid groups (not independent)", taken, groups & hybrid)
    return looked, known_curves, missing, hybrid


def our_client():
    """Our client against `openssl s_server`: each version and suite that both have, one it has not."""
    shown = json.loads(must(PROGRAM, "tls", "policy", "modern", "-o", "json"))
    rows = [row for row in shown["rows"] if row["what"] == "suite" and row["used"]]
    for row in rows:
        newest = "_WITH_" not in row["name"]
        key = "rsa" if "_RSA_" in row["name"] else "ecdsa"
        suite = ["-ciphersuites", row["name"], "-tls1_3"] if newest else ["-cipher", row["openssl"], "-tls1_2"]
        version = "TLS 1.3" if newest else "TLS 1.2"
        code, probed, log = meet(key, suite)
        met = (probed.get("version"), probed.get("suite"))
        check(f"client {version} {row['name']}: we name it", code == 0 and met == (version, row["name"]), str(probed))
        said = re.findall(r"^CIPHER is (\S+)", log, re.M)
        check(f"client {version} {row['name']}: openssl names it", row["openssl"] in said, log[-300:])
    for version in ["tls1_1", "tls1"]:
        code, error, log = meet("rsa", [f"-{version}", "-cipher", "ALL:@SECLEVEL=0"])
        good = code == 3 and "CIPHER is" not in log and "GET " not in log
        check(f"client refuses {version}", good, f"{code} {error} {log[-300:]}")
    code, error, log = meet("rsa", ["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"])
    check("client refuses a suite outside its policy", code == 3 and "CIPHER is" not in log, f"{code} {error}")


def scanned():
    """`--scan` of an s_server, which serves one connection at a time; and its refusals after the handshake."""
    declared = {"TLS 1.2": "-tls1_2", "TLS 1.3": "-tls1_3"}
    for only in [None, *declared]:
        options = [declared[only]] if only else []
        code, probed, log = meet("ecdsa", options, "--scan", "--timeout", "5s")
        taken = {row["name"] for row in probed.get("scan") or [] if row["taken"]}
        same(f"scan of openssl s_server {only or 'with both versions'}", taken & set(declared),
             {only} if only else set(declared))
        check(f"scan of openssl s_server {only or 'with both versions'}: every row has an answer",
              all(row["taken"] is not None for row in probed.get("scan") or [{"taken": None}]), str(probed)[:300])
    asks = ["-Verify", "1", "-verify_return_error", "-CAfile", "ca.pem"]
    for version, option in declared.items():
        code, probed, log = meet("ecdsa", [option, *asks])
        told = probed.get("refused", {}).get("kind") if version == "TLS 1.3" else probed.get("kind")
        check(f"openssl s_server refuses us without a certificate in {version}: we say so",
              code == 3 and told == "no-client-certificate", f"{code} {probed}")
        code, probed, log = meet("ecdsa", [option, *asks], "--cert", "client.pem", "--key", "client.key")
        check(f"openssl s_server takes our certificate in {version}", code == 0 and probed["refused"] is None,
              f"{code} {probed}")


def meet(key, options, *more):
    """One probe of an s_server: exit code, what our client says, what the server wrote."""
    log = FOLDER / "s_server.log"
    with open(log, "w") as out:
        server = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", f"{key}.pem", "-key",
                                   f"{key}.key", *options], cwd=FOLDER, stdin=subprocess.PIPE, stdout=out,
                                  stderr=subprocess.STDOUT)
    try:
        for _ in range(200):
            port = re.search(r"^ACCEPT 127\.0\.0\.1:(\d+)", log.read_text(), re.M)
            if port:
                break
            time.sleep(0.05)
        else:
            raise SystemExit(f"s_server does not listen: {log.read_text()}")
        done = run(PROGRAM, "tls", "probe", f"127.0.0.1:{port[1]}", "--tls-policy", "modern", *more, "-o",
                   "json")
        for _ in range(40):
            if "CIPHER is" in log.read_text() or "rror" in log.read_text():
                break
            time.sleep(0.05)
        return done.returncode, json.loads(done.stdout or done.stderr.splitlines()[-1]), log.read_text()
    finally:
        server.kill()
        server.wait()


def testssl(name, address, policy, key):
    """The same by testssl.sh, which takes half a minute."""
    versions, suites, _ = declared(policy, key)
    out = FOLDER / f"{name}.testssl.json"
    out.unlink(missing_ok=True)
    run("testssl", "--quiet", "--warnings", "off", "--color", "0", "-p", "-E", "--jsonfile", out, address, timeout=900)
    found = json.loads(out.read_text())
    ids = {"SSLv2": "SSL 2.0", "SSLv3": "SSL 3.0", "TLS1": "TLS 1.0", "TLS1_1": "TLS 1.1", "TLS1_2": "TLS 1.2",
           "TLS1_3": "TLS 1.3"}
    offered = {ids[one["id"]] for one in found
               if one["id"] in ids and one["finding"].startswith("offered") and "not offered" not in one["finding"]}
    same(f"testssl {name} versions", offered, versions)
    rows = [one["finding"].split() for one in found if one["id"].startswith("cipher")]
    taken = {part for row in rows for part in row if part.startswith("TLS_")}
    same(f"testssl {name} suites", taken, {suite for _, suite in suites})


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    names, openssl_names, group_names = registry()
    certificates()
    for policy in ["kmip-1.4", "kmip-2.1", "omadm-1.3"]:
        shown = json.loads(must(PROGRAM, "tls", "policy", policy, "-o", "json"))
        check(f"{policy} is refused by rustls", shown["served"] is False and shown["refusal"])
    server, addresses = serve()
    try:
        work = [(policy, key, f"{policy.replace('.', '_')}-{key}") for policy in POLICIES for key in KEYS]
        one = lambda each: scan(each[2], addresses[each[2]], each[0], each[1], names, openssl_names, group_names)
        # The scanners mostly wait.
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            looked, curves, missing, hybrid = list(pool.map(one, work))[-1]
        if TESTSSL:
            for policy, key, name in work:
                testssl(name, addresses[name], policy, key)
        count = lambda version: sum(1 for one, _ in looked if one == version)
        print("sslyze knows " + ", ".join(f"{count(v)} suites of {v}" for v in sorted({v for v, _ in looked})))
        print(f"sslyze knows {len(curves)} groups: {', '.join(sorted(curves))}")
        print("sslscan knows its OpenSSL's suites and, by raw hellos, more; it lists only what is taken: "
              + re.search(r"\d+\.\d+\.\d+\S*", run("sslscan", "--no-colour", "--version").stdout)[0])
        print(f"openssl s_client alone: {len(missing)} suites: {', '.join(ours for ours, _ in missing)}")
        print(f"only our own client: groups {', '.join(sorted(hybrid))}")
    finally:
        server.terminate()
        ended = server.wait(60)
    check("the server ended in order", ended == 0, str(ended))
    our_client()
    scanned()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
