"""`bindery taxii` against OpenTAXII (gunicorn): discovery, collections, push, polls in parts, subscriptions.

Run by `cargo xtask interop taxii`: taxii_client.py PROGRAM FOLDER, with OPENTAXII in the environment: the folder of the
programs of OpenTAXII's virtual environment. The server speaks TLS; one asks for Basic, the other for a client
certificate. Prints `ok NAME` or `FAIL NAME: why` for each check.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback

PROGRAM, FOLDER = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
OPENTAXII = os.environ["OPENTAXII"]
STIX = "urn:stix.mitre.org:xml:1.1.1"
failed = 0


def path(name):
    return os.path.join(FOLDER, name)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def check(name, function, *arguments):
    """Runs one check; whatever it raises fails it."""
    global failed
    try:
        function(*arguments)
        print(f"ok {name}")
    except Exception as error:  # a check may fail in any way, and the others go on
        failed += 1
        place = traceback.extract_tb(error.__traceback__)[-1]
        print(f"FAIL {name}: {type(error).__name__}: {str(error)[:400]} (line {place.lineno})")


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


CONFIG = """
domain: "127.0.0.1:{port}"
support_basic_auth: yes
return_server_error_details: no
auth_api:
  class: opentaxii.auth.sqldb.SQLDatabaseAPI
  parameters: {{db_connection: "sqlite:///{folder}/auth-{port}.db", create_tables: yes, secret: of-this-test}}
taxii1:
  save_raw_inbox_messages: no
  xml_parser_supports_huge_tree: yes
  count_blocks_in_poll_responses: yes
  unauthorized_status: UNAUTHORIZED
  hooks:
  persistence_api:
    class: opentaxii.persistence.sqldb.SQLDatabaseAPI
    parameters: {{db_connection: "sqlite:///{folder}/data-{port}.db", create_tables: yes}}
taxii2:
logging: {{opentaxii: info, root: info}}
"""

SERVICE = """
  - id: {id}
    type: {type}
    address: /services/{id}
    description: a service
    authentication_required: {auth}
    protocol_bindings: [urn:taxii.mitre.org:protocol:https:1.0]
{more}"""

DATA = """---
services:{services}
collections:
  - name: feed
    id: 1
    description: a feed
    type: DATA_FEED
    available: true
    accept_all_content: false
    supported_content: ["urn:stix.mitre.org:xml:1.1.1"]
    service_ids: [inbox, poll, management]
accounts:
  - username: carol
    password: carols password
    permissions: {{feed: modify}}
"""


def data(auth):
    """Services as an operator would write them."""
    more = {
        "inbox": ("inbox", "    destination_collection_required: no\n    accept_all_content: yes\n"),
        "discovery": ("discovery", "    advertised_services: [inbox, discovery, management, poll]\n"),
        "management": ("collection_management", ""),
        "poll": ("poll", "    subscription_required: no\n    max_result_count: 1000\n    max_result_size: 4\n"),
    }
    services = [SERVICE.format(id=name, type=kind, auth=auth, more=text) for name, (kind, text) in more.items()]
    return DATA.format(services="".join(services))


class OpenTaxii:
    """A server with its own databases."""

    def __init__(self, auth, *options):
        self.port = free_port()
        environment = dict(os.environ, OPENTAXII_CONFIG=path(f"config-{self.port}.yml"))
        with open(environment["OPENTAXII_CONFIG"], "w") as file:
            file.write(CONFIG.format(port=self.port, folder=FOLDER))
        with open(path(f"data-{self.port}.yml"), "w") as file:
            file.write(data(auth))
        sync = [os.path.join(OPENTAXII, "opentaxii-sync-data"), path(f"data-{self.port}.yml")]
        done = subprocess.run(sync, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"opentaxii-sync-data: {done.stderr}")
        self.log = path(f"gunicorn-{self.port}.log")
        command = [os.path.join(OPENTAXII, "gunicorn"), "opentaxii.http:app", "--workers=1", "--timeout=300"]
        command += ["--config=python:opentaxii.http", "--no-control-socket", f"--bind=127.0.0.1:{self.port}"]
        command += ["--certfile", path("dev/server.pem"), "--keyfile", path("dev/server.key"), *options]
        with open(self.log, "w") as file:
            self.process = subprocess.Popen(command, env=environment, stdout=file, stderr=file, cwd=FOLDER)
        for _ in range(600):
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        sys.exit(f"OpenTAXII does not listen: {open(self.log).read()}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def bindery(self, version, options, *verb, fails=False):
        """What the program prints: JSON, or its failure."""
        url = f"https://127.0.0.1:{self.port}/services/discovery"
        command = [PROGRAM, "taxii", "--url", url, "--cacert", path("dev/ca.pem"), "-t", version, "-o", "json"]
        done = subprocess.run([*command, *options, *verb], capture_output=True, text=True, cwd=FOLDER, timeout=120)
        if fails:
            expect(done.returncode != 0, done.stdout)
            return done.stderr + done.stdout
        expect(done.returncode == 0, done.stderr)
        return done.stdout


def prepare():
    """Certificates by `bindery dev`."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.makedirs(FOLDER)
    with open(path("dev.log"), "w") as log:
        command = [PROGRAM, "dev", "--data", "dev", "--listen", f"127.0.0.1:{free_port()}"]
        dev = subprocess.Popen(command, stdout=log, stderr=log, cwd=FOLDER)
    for _ in range(600):
        if re.search(r"(?m)^ready ", open(path("dev.log")).read()):
            break
        time.sleep(0.05)
    dev.send_signal(signal.SIGTERM)
    dev.wait(30)
    for name, text in [("password", "carols password"), ("wrong", "another")]:
        with open(path(name), "w") as file:
            file.write(text)
        os.chmod(path(name), 0o600)


def discovery(server, version, options):
    told = server.bindery(version, options, "discovery")
    for name in ("inbox", "poll", "management", "discovery"):
        expect(f"https://127.0.0.1:{server.port}/services/{name}" in told, told)


def collections(server, version, options):
    told = json.loads(server.bindery(version, options, "collections"))
    expect('"feed"' in json.dumps(told), told)


def block(version, number):
    return f'<s:STIX_Package xmlns:s="http://stix.mitre.org/stix-1" id="{version}-{number}">&amp;</s:STIX_Package>'


def push(server, version, options):
    for number in range(10):
        with open(path("block.xml"), "w") as file:
            file.write(block(version, number))
        # Its inbox takes no names of collections (destination_collection_required: no).
        named = []
        told = server.bindery(version, options, "push", *named, "--binding", STIX, "block.xml")
        expect("SUCCESS" in told, told)


def polled(server, version, options, *more):
    shutil.rmtree(path("polled"), ignore_errors=True)
    server.bindery(version, options, "poll", "-c", "feed", "--dest-dir", "polled", *more)
    files = sorted(os.listdir(path("polled"))) if os.path.isdir(path("polled")) else []
    texts = [open(path(os.path.join("polled", name))).read() for name in files]
    return [re.search(r'id="([^"]+)"', text).group(1) for text in texts]


def poll_11(server, options):
    """OpenTAXII gives parts of four blocks, and an empty one behind them: all blocks come, each once."""
    found = polled(server, "1.1", options)
    mine = [one for one in found if one.startswith("1.1-")]
    expect(sorted(mine) == sorted(f"1.1-{number}" for number in range(10)), found)
    told = json.loads(server.bindery("1.1", options, "poll", "-c", "feed", "--count-only"))
    expect(str(len(found)) in json.dumps(told), told)


def poll_10(server, options):
    """OpenTAXII gives a client of 1.0 the first four blocks only, and an end behind all of them."""
    found = polled(server, "1.0", options)
    expect(len(found) == len(set(found)) and len(found) >= 4, found)


def subscription(server, options):
    told = json.loads(server.bindery("1.1", options, "subscription", "-c", "feed", "subscribe"))
    known = re.search(r'"id": "([^"]+)"', json.dumps(told)).group(1)
    for action, status in [("status", "ACTIVE"), ("pause", "PAUSED"), ("resume", "ACTIVE"), ("unsubscribe", "UNSUBSCRIBED")]:
        told = server.bindery("1.1", options, "subscription", "-c", "feed", "-s", known, action)
        expect(status.lower() in told.lower(), f"{action}: {told}")


def refusals(server, options):
    told = server.bindery("1.1", options, "poll", "-c", "urn:nowhere", fails=True)
    expect("NOT_FOUND" in told or "not found" in told.lower(), told)


def exchanges(name, server, options):
    for version in ("1.0", "1.1"):
        check(f"OpenTAXII {version} {name}: discovery", discovery, server, version, options)
        check(f"OpenTAXII {version} {name}: collections", collections, server, version, options)
        check(f"OpenTAXII {version} {name}: push", push, server, version, options)
    check(f"OpenTAXII 1.1 {name}: poll in parts, count", poll_11, server, options)
    check(f"OpenTAXII 1.0 {name}: poll", poll_10, server, options)
    check(f"OpenTAXII 1.1 {name}: subscription", subscription, server, options)
    check(f"OpenTAXII 1.1 {name}: refusals", refusals, server, options)


def unauthorized(server, *options):
    told = server.bindery("1.1", options, "collections", fails=True)
    expect("UNAUTHORIZED" in told or "unauthorized" in told.lower() or "401" in told, told)


def no_certificate(server):
    told = server.bindery("1.1", [], "discovery", fails=True)
    expect("certificate" in told.lower(), told)


prepare()
basic = OpenTaxii("yes")
try:
    exchanges("basic", basic, ["--user", "carol", "--password-file", "password"])
    check("OpenTAXII: a wrong password", unauthorized, basic, "--user", "carol", "--password-file", "wrong")
    check("OpenTAXII: no password", unauthorized, basic)
finally:
    basic.stop()
certificate = OpenTaxii("no", "--ca-certs", path("dev/ca.pem"), "--cert-reqs", "2")
try:
    exchanges("certificate", certificate, ["--cert", "dev/client.pem", "--key", "dev/client.key"])
    check("OpenTAXII: no certificate", no_certificate, certificate)
finally:
    certificate.stop()
sys.exit(1 if failed else 0)
