"""TAXII 1.0 and 1.1: cabby and libtaxii as clients of `bindery serve`, with Basic and with client certificates.

Run by `cargo xtask interop taxii`: taxii.py PROGRAM FOLDER. BINDERY_VECTORS may name a folder with taxii/wire (requests
that clients by others sent) and taxii/xsd: their answers are then read by libtaxii and validated against the schemas.
What clients print and return is looked at, never their exit status: theirs is 0 after an error too.
Prints `ok NAME` or `FAIL NAME: why` for each check.
"""

import glob
import gzip
import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import traceback

import cabby
import libtaxii
import libtaxii.clients
import libtaxii.constants as ids
import libtaxii.messages_10 as messages_10
import libtaxii.messages_11 as messages_11
from lxml import etree

PROGRAM, FOLDER = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
BIN = os.path.dirname(sys.executable)
VECTORS = os.environ.get("BINDERY_VECTORS")
STIX = "urn:stix.mitre.org:xml:1.1.1"
HTTPS = "urn:taxii.mitre.org:protocol:https:1.0"
FEED, CLOSED = "default", "closed"
failed = 0

# They would stand before the authority that a check names.
for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
    os.environ.pop(variable, None)


def path(name):
    return os.path.join(FOLDER, name)


CA, CERT, KEY = path("dev/ca.pem"), path("dev/client.pem"), path("dev/client.key")


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


def wait_for(process, line, log):
    for _ in range(600):
        with open(log) as file:
            if re.search(line, file.read()):
                return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    with open(log) as file:
        sys.exit(f"{line!r} did not come: {file.read()}")


def start(log, *arguments):
    with open(log, "w") as file:
        return subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=FOLDER)


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait(30)


CONFIG = """
[listener.main]
address = "127.0.0.1:{port}"
certificate = "dev/server.pem"
key = "dev/server.key"
client_authorities = "dev/ca.pem"
client_certificates = "optional"
tls_policy = "taxii"
[service.taxii]
http_auth = ["basic"]
dialects = ["released"]
part_blocks = 4
default_destinations = ["default"]
[service.taxii.collection.default]
description = "what everybody with an account reads and writes"
bindings = ["{stix}", "urn:example:text"]
read = ["@accounts"]
write = ["@accounts"]
[service.taxii.collection.closed]
description = "what one account reads"
read = ["carol"]
write = []
[accounts]
file = "accounts.toml"
[store]
file = "feeds.db"
kek_file = "dev/bindery.kek"
"""


def prepare():
    """Certificates by `bindery dev`, accounts, a configuration; then the server."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.makedirs(FOLDER)
    dev = start(path("dev.log"), "dev", "--data", "dev", "--listen", f"127.0.0.1:{free_port()}")
    wait_for(dev, r"(?m)^ready ", path("dev.log"))
    stop(dev)
    port = free_port()
    with open(path("bindery.toml"), "w") as file:
        file.write(CONFIG.format(port=port, stix=STIX))
    for user, password in [("carol", "carols password"), ("dave", "daves password")]:
        with open(path("password"), "w") as file:
            file.write(password)
        command = [PROGRAM, "account", "set", user, "--password-file", "password", "--config", "bindery.toml"]
        subprocess.run(command, cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)
    server = start(path("server.log"), "serve", "--config", "bindery.toml")
    wait_for(server, r"ready ", path("server.log"))
    return server, port


SERVER, PORT = prepare()
DISCOVERY, MANAGEMENT = "/taxii-discovery-service/", "/taxii/collection-management"
POLL, INBOX = "/taxii/poll", "/taxii/inbox"
BASIC = ("carol", "carols password")

# --- cabby ------------------------------------------------------------------------------------------------------------


def of_cabby(version, way):
    client = cabby.create_client("127.0.0.1", port=PORT, use_https=True, discovery_path=DISCOVERY, version=version)
    named = {"username": BASIC[0], "password": BASIC[1]} if way == "basic" else {"cert_file": CERT, "key_file": KEY}
    client.set_auth(ca_cert=CA, verify_ssl=True, **named)
    return client


def cabby_discovery(version, way):
    services = of_cabby(version, way).discover_services()
    kinds = sorted(service.type for service in services)
    management = "FEED_MANAGEMENT" if version == "1.0" else "COLLECTION_MANAGEMENT"
    expect(kinds == sorted(["DISCOVERY", "INBOX", "POLL", management]), kinds)
    for service in services:
        expect(service.address.startswith(f"https://127.0.0.1:{PORT}/"), service.address)
        expect(service.protocol == HTTPS, service.protocol)


def cabby_collections(version, way):
    found = {one.name: one for one in of_cabby(version, way).get_collections()}
    # Whom a collection is not for does not see it.
    expect(sorted(found) == ([CLOSED, FEED] if way == "basic" else [FEED]), sorted(found))
    expect([one.id for one in found[FEED].content_bindings] == [STIX, "urn:example:text"], "bindings")


def content(number, version, way):
    return f'<stix:STIX_Package xmlns:stix="http://stix.mitre.org/stix-1" id="{version}-{way}-{number}">&amp;</stix:STIX_Package>'


def mine(blocks, version, way):
    """The numbers of the blocks that were sent by these means, in order; their content is as it was sent."""
    numbers = []
    for block in blocks:
        text = block.content if isinstance(block.content, str) else block.content.decode()
        root = etree.fromstring(text)
        expect(root.tag == "{http://stix.mitre.org/stix-1}STIX_Package" and root.text == "&", text)
        if root.get("id").startswith(f"{version}-{way}-"):
            numbers.append(int(root.get("id").rsplit("-", 1)[1]))
    return numbers


def cabby_push(version, way):
    client = of_cabby(version, way)
    for number in range(10):
        named = {"collection_names": [FEED]} if version == "1.1" and number % 2 else {}
        client.push(content(number, version, way), STIX, **named)


def cabby_poll(version, way):
    """Ten blocks in parts of four: cabby follows them in 1.1."""
    blocks = list(of_cabby(version, way).poll(FEED))
    expect(mine(blocks, version, way) == list(range(10)), mine(blocks, version, way))
    labels = [block.timestamp for block in blocks]
    expect(all(a < b for a, b in zip(labels, labels[1:])), f"labels {labels}")
    expect(all(block.binding == STIX if isinstance(block.binding, str) else block.binding.id == STIX for block in blocks), "binding")


def cabby_window(version, way):
    client = of_cabby(version, way)
    blocks = list(client.poll(FEED))
    begin, end = blocks[2].timestamp, blocks[7].timestamp
    found = [block.timestamp for block in client.poll(FEED, begin_date=begin, end_date=end)]
    expect(found == [block.timestamp for block in blocks[3:8]], found)


def cabby_count(way):
    client = of_cabby("1.1", way)
    count = client.get_content_count(FEED)
    expect((count.count, count.is_partial) == (len(list(client.poll(FEED))), False), str(count))


def cabby_filter(way):
    client = of_cabby("1.1", way)
    client.push("plain & simple".replace("&", "&amp;"), "urn:example:text", collection_names=[FEED])
    blocks = list(client.poll(FEED, content_bindings=["urn:example:text"]))
    expect(len(blocks) == 1 and b"plain" in blocks[0].content, blocks)
    # So that others read STIX only.
    expect(len(list(client.poll(FEED, content_bindings=[STIX]))) == len(list(client.poll(FEED))) - 1, "others")


def cabby_refusal(name, status, function):
    try:
        function()
    except cabby.exceptions.UnsuccessfulStatusError as error:
        expect(error.status == status, error.status)
        return
    raise AssertionError(f"{name}: no error")


def cabby_refused(way):
    client = of_cabby("1.1", way)
    cabby_refusal("unknown", "NOT_FOUND", lambda: list(client.poll("urn:nowhere")))
    cabby_refusal("binding", "UNSUPPORTED_CONTENT", lambda: client.push("x", "urn:other", collection_names=[FEED]))
    push = lambda: client.push(content(0, "1.1", "x"), STIX, collection_names=["urn:nowhere"])
    cabby_refusal("destination", "DESTINATION_COLLECTION_ERROR", push)
    if way == "certificate":
        cabby_refusal("closed", "NOT_FOUND", lambda: list(client.poll(CLOSED)))


def cabby_unauthorized(version):
    client = cabby.create_client("127.0.0.1", port=PORT, use_https=True, discovery_path=DISCOVERY, version=version)
    client.set_auth(ca_cert=CA, verify_ssl=True)
    try:
        client.discover_services()
    except Exception as error:
        expect("401" in str(error) or "UNAUTHORIZED" in str(error), repr(error))
        return
    raise AssertionError("no error")


def cabby_subscription(way):
    client = of_cabby("1.1", way)
    made = client.subscribe(FEED)
    one = made.subscriptions[0]
    expect(one.status == "ACTIVE", one.status)
    expect(client.subscribe(FEED).subscriptions[0].id == one.id, "the same terms are another one")
    known = one.id
    for action, status in [("pause", "PAUSED"), ("pause", "PAUSED"), ("resume", "ACTIVE"), ("unsubscribe", "UNSUBSCRIBED")]:
        did = getattr(client, f"{action}_subscription" if action != "unsubscribe" else "unsubscribe")(FEED, known)
        expect(did.subscriptions[0].status == status, f"{action}: {did.subscriptions[0].status}")
        if action != "unsubscribe":
            seen = client.get_subscription_status(FEED, subscription_id=known).subscriptions[0]
            expect((seen.id, seen.status) == (known, status), f"{action}: {seen.status}")
    polled = client.subscribe(FEED).subscriptions[0].id
    expect(len(list(client.poll(FEED, subscription_id=polled))) > 0, "a poll by subscription")


def cabby_subscription_10(way):
    client = of_cabby("1.0", way)
    one = client.subscribe(FEED).subscriptions[0]
    seen = client.get_subscription_status(FEED, subscription_id=one.id)
    expect([s.id for s in seen.subscriptions] == [one.id], "status")
    client.unsubscribe(FEED, one.id)


# --- cabby's programs -------------------------------------------------------------------------------------------------


def program(name, *arguments, where=DISCOVERY):
    command = [os.path.join(BIN, name), "--host", "127.0.0.1", "--port", str(PORT), "--https", "--path", where]
    command += ["--ca-cert", CA, "--cert", CERT, "--key", KEY, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def programs():
    told = program("taxii-discovery")
    expect("=== Service Instance ===" in told and "COLLECTION_MANAGEMENT" in told, told)
    told = program("taxii-collections", where=MANAGEMENT)
    expect(f"Collection Name: {FEED}" in told, told)
    with open(path("block.xml"), "w") as file:
        file.write(content(0, "1.1", "program"))
    told = program("taxii-push", "-f", path("block.xml"), "--dest", FEED, "--binding", STIX, where=INBOX)
    expect("successfully" in told, told)
    os.makedirs(path("polled"), exist_ok=True)
    told = program("taxii-poll", "-c", FEED, "-b", STIX, "--dest-dir", path("polled"), where=POLL)
    files = [open(name).read() for name in glob.glob(path("polled") + "/*")]
    expect(any("1.1-program-0" in text for text in files), told)
    told = program("taxii-poll", "-c", FEED, "--count-only", where=POLL)
    expect(re.search(r"Content blocks count: [1-9]\d*, is partial: False", told), told)
    told = program("taxii-subscription", "-c", FEED, "-a", "subscribe", where=MANAGEMENT)
    expect("Status:" in told and "ACTIVE" in told, told)


# --- libtaxii ---------------------------------------------------------------------------------------------------------


def by_libtaxii(where, message, way, version):
    client = libtaxii.clients.HttpClient()
    client.set_use_https(True)
    client.set_verify_server(verify_server=True, ca_file=CA)
    if way == "basic":
        client.set_auth_type(libtaxii.clients.HttpClient.AUTH_BASIC)
        client.set_auth_credentials({"username": BASIC[0], "password": BASIC[1]})
    else:
        client.set_auth_type(libtaxii.clients.HttpClient.AUTH_CERT)
        client.set_auth_credentials({"cert_file": CERT, "key_file": KEY})
    binding = ids.VID_TAXII_XML_10 if version == "1.0" else ids.VID_TAXII_XML_11
    answer = client.call_taxii_service2("127.0.0.1", where, binding, message.to_xml(), PORT)
    read = libtaxii.get_message_from_http_response(answer, message.message_id)
    validate(read.to_xml(), version)
    expect(read.in_response_to == message.message_id, f"in response to {read.in_response_to}")
    return read


SCHEMAS = {}


class Local(etree.Resolver):
    def resolve(self, url, public_id, context):
        if url.endswith("xmldsig-core-schema.xsd"):
            return self.resolve_filename(os.path.join(VECTORS, "taxii/xsd/libtaxii/xmldsig-core-schema.xsd"), context)
        return None


def schema(version):
    if version not in SCHEMAS and VECTORS:
        found = glob.glob(os.path.join(VECTORS, "taxii/xsd", "**", "*.xsd"), recursive=True)
        wanted = "taxii_xml_binding-1.1" if version == "1.1" else "taxii_xml_binding-1"
        parser = etree.XMLParser(no_network=True, load_dtd=False)
        parser.resolvers.add(Local())
        for one in sorted(found):
            if etree.parse(one).getroot().get("targetNamespace", "").endswith("messages/" + wanted):
                SCHEMAS[version] = etree.XMLSchema(etree.parse(one, parser))
                break
    return SCHEMAS.get(version)


def validate(octets, version):
    by = schema(version)
    if by is not None:
        document = etree.fromstring(octets)
        expect(by.validate(document), str(by.error_log.last_error))


def libtaxii_11(way):
    m = messages_11
    new = m.generate_message_id
    read = by_libtaxii(DISCOVERY, m.DiscoveryRequest(new()), way, "1.1")
    expect(len(read.service_instances) == 4, read.to_text())
    read = by_libtaxii(MANAGEMENT, m.CollectionInformationRequest(new()), way, "1.1")
    expect(FEED in [one.collection_name for one in read.collection_informations], read.to_text())
    inbox = m.InboxMessage(new(), destination_collection_names=[FEED])
    inbox.content_blocks = [m.ContentBlock(m.ContentBinding(STIX), content(n, "1.1", f"libtaxii{way}")) for n in range(10)]
    read = by_libtaxii(INBOX, inbox, way, "1.1")
    expect(read.status_type == "SUCCESS", read.to_text())
    # The same message again is stored once.
    expect(by_libtaxii(INBOX, inbox, way, "1.1").status_type == "SUCCESS", "again")
    poll = m.PollRequest(new(), collection_name=FEED, poll_parameters=m.PollParameters())
    read = by_libtaxii(POLL, poll, way, "1.1")
    blocks, part = list(read.content_blocks), 1
    expect(read.more and len(blocks) == 4 and read.result_part_number == 1, read.to_text()[:300])
    total, last = read.record_count.record_count, read.inclusive_end_timestamp_label
    while read.more:
        part += 1
        ask = m.PollFulfillmentRequest(
            new(), collection_name=FEED, result_id=read.result_id, result_part_number=part
        )
        read = by_libtaxii(POLL, ask, way, "1.1")
        expect(read.result_part_number == part and 0 < len(read.content_blocks) <= 4, read.result_part_number)
        expect(read.exclusive_begin_timestamp_label == last, f"a gap before part {part}")
        last = read.inclusive_end_timestamp_label
        blocks += read.content_blocks
    expect(len(blocks) == total, f"{len(blocks)} of {total}")
    stix = [block for block in blocks if block.content_binding.binding_id == STIX]
    expect(mine(stix, "1.1", f"libtaxii{way}") == list(range(10)), "the blocks that were sent")
    ask = m.PollFulfillmentRequest(
        new(), collection_name=FEED, result_id=read.result_id, result_part_number=part + 2
    )
    read = by_libtaxii(POLL, ask, way, "1.1")
    expect(read.status_type == "INVALID_RESPONSE_PART" and int(read.status_detail["MAX_PART_NUMBER"]) == part, read.to_text())


def libtaxii_10(way):
    m = messages_10
    new = m.generate_message_id
    read = by_libtaxii(DISCOVERY, m.DiscoveryRequest(new()), way, "1.0")
    expect(len(read.service_instances) == 4, read.to_text())
    read = by_libtaxii(MANAGEMENT, m.FeedInformationRequest(new()), way, "1.0")
    expect(FEED in [one.feed_name for one in read.feed_informations], read.to_text())
    inbox = m.InboxMessage(new())
    inbox.content_blocks = [m.ContentBlock(STIX, content(n, "1.0", f"libtaxii{way}")) for n in range(10)]
    expect(by_libtaxii(INBOX, inbox, way, "1.0").status_type == "SUCCESS", "inbox")
    read = by_libtaxii(POLL, m.PollRequest(new(), feed_name=FEED, content_bindings=[STIX]), way, "1.0")
    expect(mine(read.content_blocks, "1.0", f"libtaxii{way}") == list(range(10)), "the blocks that were sent")
    # The end is a cursor: behind it there is nothing yet, and then the next block.
    ask = lambda: m.PollRequest(new(), feed_name=FEED, exclusive_begin_timestamp_label=read.inclusive_end_timestamp_label)
    expect(by_libtaxii(POLL, ask(), way, "1.0").content_blocks == [], "nothing new")
    more = m.InboxMessage(new(), content_blocks=[m.ContentBlock(STIX, content(10, "1.0", f"libtaxii{way}"))])
    by_libtaxii(INBOX, more, way, "1.0")
    expect(mine(by_libtaxii(POLL, ask(), way, "1.0").content_blocks, "1.0", f"libtaxii{way}") == [10], "the next one")


# --- requests that were recorded --------------------------------------------------------------------------------------

# What the recorded requests ask for, by the path that they were sent to.
PATHS = {"discovery": DISCOVERY, "collection": MANAGEMENT, "feed": MANAGEMENT, "poll": POLL, "inbox": INBOX}


def split_request(octets):
    head, _, body = octets.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if ":" in line]
    return lines[0].split(" ")[:2], fields, body


def where_of(body, target):
    text = body.decode("utf-8", "replace")
    for word, where in [
        ("Poll_", POLL), ("Inbox_Message", INBOX), ("Subscription_Management", MANAGEMENT),
        ("_Information_Request", MANAGEMENT), ("Discovery_Request", DISCOVERY),
    ]:
        if word in text:
            return where
    return next((where for word, where in PATHS.items() if word in target.lower()), DISCOVERY)


def replay(octets):
    (method, target), fields, body = split_request(octets)
    context = ssl.create_default_context(cafile=CA)
    context.load_cert_chain(CERT, KEY)
    connection = http.client.HTTPSConnection("127.0.0.1", PORT, context=context, timeout=30)
    # Recorded in clear and with another account: here it is TLS and a certificate.
    body = body.replace(b"protocol:http:1.0", b"protocol:https:1.0")
    connection.putrequest(method, where_of(body, target), skip_host=True, skip_accept_encoding=True)
    for name, value in fields:
        if name.lower() in ("authorization", "content-length", "host", "connection"):
            continue
        connection.putheader(name, value.replace("protocol:http:1.0", "protocol:https:1.0"))
    connection.putheader("Host", f"127.0.0.1:{PORT}")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    octets = answer.read()
    return answer, gzip.decompress(octets) if answer.getheader("Content-Encoding") == "gzip" else octets


def recorded(file):
    with open(file, "rb") as one:
        answer, octets = replay(one.read())
    binding = answer.getheader("X-TAXII-Content-Type")
    if binding is None:
        # Not about a TAXII message: a status says it, and there is no server error.
        expect(400 <= answer.status < 500, f"{answer.status} {octets[:200]}")
        return
    version = "1.0" if binding.endswith("1.0") else "1.1"
    validate(octets, version)
    read = (messages_10 if version == "1.0" else messages_11).get_message_from_xml(octets)
    expect(read.message_type, "no message")
    expect(answer.getheader("X-TAXII-Protocol") == HTTPS, answer.getheader("X-TAXII-Protocol"))
    name = os.path.basename(file)
    if name.startswith(("lt1", "cb1")) and not name.startswith(("err", "neg")):
        expect(getattr(read, "status_type", "SUCCESS") in ("SUCCESS", "NOT_FOUND", "DESTINATION_COLLECTION_ERROR", "UNSUPPORTED_CONTENT"), read.to_text())


def main():
    for way in ("basic", "certificate"):
        for version in ("1.0", "1.1"):
            for function in (cabby_discovery, cabby_collections, cabby_push, cabby_poll, cabby_window):
                check(f"cabby {version} {way}: {function.__name__[6:]}", function, version, way)
        check(f"cabby 1.0 {way}: subscription", cabby_subscription_10, way)
        check(f"cabby 1.1 {way}: subscription", cabby_subscription, way)
        check(f"cabby 1.1 {way}: refusals", cabby_refused, way)
        check(f"libtaxii 1.0 {way}", libtaxii_10, way)
        check(f"libtaxii 1.1 {way}", libtaxii_11, way)
        check(f"cabby 1.1 {way}: count", cabby_count, way)
    check("cabby 1.1: filter by content binding", cabby_filter, "basic")
    for version in ("1.0", "1.1"):
        check(f"cabby {version}: who says nothing is refused", cabby_unauthorized, version)
    check("cabby's programs", programs)
    for file in sorted(glob.glob(os.path.join(VECTORS or "/nowhere", "taxii/wire/*.request"))):
        check(f"recorded {os.path.basename(file)}", recorded, file)


try:
    main()
finally:
    stop(SERVER)
if SERVER.returncode != 0:
    failed += 1
    print(f"FAIL the server ends well: {SERVER.returncode}")
sys.exit(1 if failed else 0)
