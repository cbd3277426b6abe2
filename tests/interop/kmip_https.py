"""KMIP over HTTPS with independent software: PyKMIP makes and reads the messages, curl carries them.

Run by `cargo xtask interop kmip`, against a server whose address and certificates stand in the
environment (BINDERY_URL, BINDERY_CACERT, BINDERY_CERT, BINDERY_KEY). Prints a line per check,
`ok NAME` or `FAIL NAME: why`, and at the end `N passed, N failed`; exits 1 if any failed.
"""

import os
import subprocess
import sys
import tempfile
import traceback

from kmip.core import enums, primitives
from kmip.core.factories.attributes import AttributeFactory
from kmip.core.messages import contents, messages, payloads
from kmip.core.utils import BytearrayStream
from kmip.pie import client as pie_client
from kmip.pie import exceptions as pie_exceptions
from kmip.pie import objects as pie_objects

URL = os.environ["BINDERY_URL"]
CACERT = os.environ["BINDERY_CACERT"]
CERT = os.environ["BINDERY_CERT"]
KEY = os.environ["BINDERY_KEY"]
VERSIONS = [
    enums.KMIPVersion.KMIP_1_0,
    enums.KMIPVersion.KMIP_1_1,
    enums.KMIPVersion.KMIP_1_2,
    enums.KMIPVersion.KMIP_1_3,
    enums.KMIPVersion.KMIP_1_4,
]

passed = 0
failed = 0


def check(name, function, *arguments, **named):
    """Runs one check; a failed assertion or any exception fails it."""
    global passed, failed
    try:
        result = function(*arguments, **named)
    except Exception as error:  # a check may fail in any way, and the others go on
        failed += 1
        place = traceback.extract_tb(error.__traceback__)[-1]
        print(f"FAIL {name}: {type(error).__name__}: {error} (line {place.lineno})")
        return None
    passed += 1
    print(f"ok {name}")
    return result


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def curl(body, *options, certificate=True, content_type="application/octet-stream"):
    """Posts a body; gives the status, the header fields (lower case) and the content."""
    with tempfile.TemporaryDirectory() as folder:
        request = os.path.join(folder, "request")
        headers = os.path.join(folder, "headers")
        answer = os.path.join(folder, "answer")
        with open(request, "wb") as file:
            file.write(body)
        command = ["curl", "--silent", "--show-error", "--max-time", "20", "--cacert", CACERT]
        if certificate:
            command += ["--cert", CERT, "--key", KEY]
        command += ["--dump-header", headers, "--output", answer, "--header", "Expect:"]
        command += ["--header", f"Content-Type: {content_type}"]
        command += ["--data-binary", f"@{request}", *options, URL]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ConnectionError(f"curl exit {done.returncode}: {done.stderr.strip()}")
        with open(headers, encoding="latin-1", newline="") as file:
            # An interim response (100) has a head of its own before the last one.
            heads = file.read().split("\r\n\r\n")
        lines = [head for head in heads if head][-1].split("\r\n")
        status = int(lines[0].split(" ")[1])
        fields = {}
        for line in lines[1:]:
            if ":" in line:
                name, value = line.split(":", 1)
                fields.setdefault(name.strip().lower(), []).append(value.strip())
        content = b""
        if os.path.exists(answer):
            with open(answer, "rb") as file:
                content = file.read()
        return lines[0].split(" ")[0], status, fields, content


class CurlProtocol:
    """Stands where PyKMIP's client has its socket: one HTTPS request for each message."""

    def __init__(self, *options):
        self.options = options
        self.answer = b""

    def write(self, buffer):
        version, status, fields, self.answer = curl(bytes(buffer), *self.options)
        expect(status == 200, f"status {status} {fields}")
        expect(fields.get("content-type") == ["application/octet-stream"], f"type {fields}")
        if version == "HTTP/1.1":
            directives = ",".join(fields.get("cache-control", []))
            expect("no-cache" in directives, f"Cache-Control {directives!r}")

    def read(self):
        return BytearrayStream(self.answer)


def open_client(version, *options):
    client = pie_client.ProxyKmipClient(hostname="127.0.0.1", port=0)
    client.kmip_version = version
    client.proxy.protocol = CurlProtocol(*options)
    client._is_open = True
    return client


def reason_of(function, *arguments, **named):
    """The Result Reason of a call that has to fail."""
    try:
        function(*arguments, **named)
    except pie_exceptions.KmipOperationFailure as error:
        return error.reason
    raise AssertionError("the operation succeeded")


def life_of_a_key(client, label):
    algorithm = enums.CryptographicAlgorithm.AES
    uid = client.create(algorithm, 256, name=f"interop-{label}")
    expect(isinstance(uid, str) and uid, "no unique identifier")

    found = client.locate(attributes=[
        AttributeFactory().create_attribute(
            enums.AttributeType.NAME, f"interop-{label}"),
    ])
    expect(found == [uid], f"Locate found {found}, not {[uid]}")

    key = client.get(uid)
    expect(key.cryptographic_algorithm == algorithm, "algorithm")
    expect(key.cryptographic_length == 256 and len(key.value) == 32, "length")
    expect(client.get(uid).value == key.value, "the same key twice")

    names = client.get_attribute_list(uid)
    for name in ["Unique Identifier", "Object Type", "Cryptographic Algorithm",
                 "Cryptographic Length", "Cryptographic Usage Mask", "State", "Name",
                 "Initial Date", "Last Change Date"]:
        expect(name in names, f"{name} is not among {names}")

    _, attributes = client.get_attributes(uid, ["State", "Cryptographic Length"])
    values = {str(a.attribute_name): a.attribute_value.value for a in attributes}
    expect(values == {"State": enums.State.PRE_ACTIVE, "Cryptographic Length": 256}, values)

    client.activate(uid)
    _, attributes = client.get_attributes(uid, ["State"])
    expect(attributes[0].attribute_value.value == enums.State.ACTIVE, "not active")
    reason_of(client.destroy, uid)

    client.revoke(enums.RevocationReasonCode.CESSATION_OF_OPERATION, uid)
    _, attributes = client.get_attributes(uid, ["State"])
    expect(attributes[0].attribute_value.value == enums.State.DEACTIVATED, "not deactivated")

    client.destroy(uid)
    reason_of(client.get, uid)


def registered_objects(client, label):
    key = pie_objects.SymmetricKey(
        enums.CryptographicAlgorithm.AES, 128, bytes(range(16)),
        masks=[enums.CryptographicUsageMask.ENCRYPT], name=f"registered-{label}")
    uid = client.register(key)
    expect(client.get(uid).value == bytes(range(16)), "symmetric key")
    client.destroy(uid)

    secret = pie_objects.SecretData(
        b"correct horse battery staple", enums.SecretDataType.PASSWORD,
        masks=[enums.CryptographicUsageMask.DERIVE_KEY], name=f"secret-{label}")
    uid = client.register(secret)
    expect(client.get(uid).value == b"correct horse battery staple", "secret data")
    client.destroy(uid)

    opaque = pie_objects.OpaqueObject(
        bytes(range(256)) * 64, enums.OpaqueDataType.NONE, name=f"opaque-{label}")
    uid = client.register(opaque)
    expect(client.get(uid).value == bytes(range(256)) * 64, "opaque object")
    client.destroy(uid)


def query_and_versions(client):
    result = client.proxy.query(query_functions=[
        enums.QueryFunction.QUERY_OPERATIONS,
        enums.QueryFunction.QUERY_OBJECTS,
        enums.QueryFunction.QUERY_SERVER_INFORMATION,
    ])
    expect(result.result_status.value == enums.ResultStatus.SUCCESS, result.result_message)
    for operation in ["CREATE", "REGISTER", "LOCATE", "GET", "GET_ATTRIBUTES",
                      "GET_ATTRIBUTE_LIST", "ACTIVATE", "REVOKE", "DESTROY", "QUERY"]:
        expect(enums.Operation[operation] in result.operations, f"{operation} not offered")
    expect(enums.ObjectType.SYMMETRIC_KEY in result.object_types, "no symmetric keys")
    expect(result.vendor_identification, "no vendor identification")


def discover_versions(client):
    result = client.proxy.discover_versions()
    expect(result.result_status.value == enums.ResultStatus.SUCCESS, result.result_message)
    offered = [(v.major, v.minor) for v in result.protocol_versions]
    expect(offered == [(2, 1), (2, 0), (1, 4), (1, 3), (1, 2), (1, 1), (1, 0)], offered)


def header(version, count, **options):
    return messages.RequestHeader(
        protocol_version=contents.ProtocolVersion(*version),
        batch_count=contents.BatchCount(count), **options)


def encode(message, version=enums.KMIPVersion.KMIP_1_2):
    stream = BytearrayStream()
    message.write(stream, version)
    return bytes(stream.buffer)


def decode(content, version=enums.KMIPVersion.KMIP_1_2):
    response = messages.ResponseMessage()
    response.read(BytearrayStream(content), version)
    return response


def item(operation, payload, number=None):
    unique = None
    if number is not None:
        unique = contents.UniqueBatchItemID(bytes([number]))
    return messages.RequestBatchItem(
        operation=primitives.Enumeration(
            enums.Operation, operation, tag=enums.Tags.OPERATION),
        unique_batch_item_id=unique, request_payload=payload)


def batch_with_an_error_inside():
    query = payloads.QueryRequestPayload(
        query_functions=[enums.QueryFunction.QUERY_OPERATIONS])
    missing = payloads.GetRequestPayload(unique_identifier="no-such-object")
    option = contents.BatchErrorContinuationOption(
        enums.BatchErrorContinuationOption.CONTINUE)
    request = messages.RequestMessage(
        request_header=header((1, 2), 3, batch_error_cont_option=option),
        batch_items=[item(enums.Operation.QUERY, query, 1),
                     item(enums.Operation.GET, missing, 2),
                     item(enums.Operation.QUERY, query, 3)])
    _, status, _, content = curl(encode(request))
    expect(status == 200, f"status {status}")
    items = decode(content).batch_items
    statuses = [i.result_status.value for i in items]
    success, failure = enums.ResultStatus.SUCCESS, enums.ResultStatus.OPERATION_FAILED
    expect(statuses == [success, failure, success], statuses)
    expect(items[1].result_reason.value == enums.ResultReason.ITEM_NOT_FOUND,
           items[1].result_reason.value)
    expect([bytes(i.unique_batch_item_id.value) for i in items] == [b"\x01", b"\x02", b"\x03"],
           "unique batch item ids")


def operation_that_is_not_there():
    # PyKMIP has no payload for Poll; any will do.
    payload = payloads.RekeyRequestPayload(unique_identifier="1")
    request = messages.RequestMessage(
        request_header=header((1, 2), 1), batch_items=[item(enums.Operation.POLL, payload)])
    _, status, _, content = curl(encode(request))
    expect(status == 200, f"status {status}")
    # PyKMIP reads no answer to an operation that it has no payload for: Result Reason (42007E) by its octets.
    reason = enums.ResultReason.OPERATION_NOT_SUPPORTED.value.to_bytes(4, "big")
    expect(b"\x42\x00\x7e\x05\x00\x00\x00\x04" + reason in content, content.hex())


def query_message(**options):
    payload = payloads.QueryRequestPayload(
        query_functions=[enums.QueryFunction.QUERY_OPERATIONS,
                         enums.QueryFunction.QUERY_OBJECTS])
    return encode(messages.RequestMessage(
        request_header=header((1, 2), 1, **options),
        batch_items=[item(enums.Operation.QUERY, payload)]))


def maximum_response_size():
    small = query_message(maximum_response_size=contents.MaximumResponseSize(256))
    _, status, _, content = curl(small)
    expect(status == 200 and len(content) <= 256, f"status {status}, {len(content)} octets")
    answer = decode(content).batch_items[0]
    expect(answer.result_reason.value == enums.ResultReason.RESPONSE_TOO_LARGE,
           answer.result_reason.value)
    large = query_message(maximum_response_size=contents.MaximumResponseSize(2048))
    answer = decode(curl(large)[3]).batch_items[0]
    expect(answer.result_status.value == enums.ResultStatus.SUCCESS, "2048 is enough")


def http_1_0():
    version, status, fields, content = curl(query_message(), "--http1.0")
    expect(status == 200, f"status {status}")
    expect("transfer-encoding" not in fields, "chunked in HTTP/1.0")
    expect(int(fields["content-length"][0]) == len(content), "Content-Length")
    expect(decode(content).batch_items, version)


def chunked_request():
    _, status, _, content = curl(query_message(), "--header", "Transfer-Encoding: chunked")
    expect(status == 200 and decode(content).batch_items, f"status {status}")


def expect_100_continue():
    _, status, _, content = curl(query_message(), "--header", "Expect: 100-continue",
                                 "--expect100-timeout", "10")
    expect(status == 200 and decode(content).batch_items, f"status {status}")


def refused(status_expected, body, *options, **named):
    _, status, _, content = curl(body, *options, **named)
    expect(status == status_expected, f"status {status}")
    expect(not content.startswith(b"\x42\x00\x7b"), "a KMIP message in a refusal")


def without_a_certificate():
    try:
        _, status, _, _ = curl(query_message(), certificate=False)
    except ConnectionError as error:
        expect("certificate" in str(error).lower() or "alert" in str(error).lower()
               or "reset" in str(error).lower(), str(error))
        return
    raise AssertionError(f"served with status {status}")


def in_clear():
    clear = URL.replace("https://", "http://")
    done = subprocess.run(
        ["curl", "--silent", "--max-time", "10", "--data-binary", "@-", "--header",
         "Content-Type: application/octet-stream", clear],
        input=query_message(), capture_output=True, check=False)
    expect(done.returncode != 7, "nobody listens")
    expect(b"\x42\x00\x7b" not in done.stdout, "a KMIP message in clear")


def main():
    for version in VERSIONS:
        label = version.name.lower()
        client = open_client(version)
        check(f"query ({label})", query_and_versions, client)
        if version != enums.KMIPVersion.KMIP_1_0:
            check(f"discover versions ({label})", discover_versions, client)
        check(f"life of a key ({label})", life_of_a_key, client, label)
        check(f"registered objects ({label})", registered_objects, client, label)
    check("life of a key over HTTP/1.0", life_of_a_key,
          open_client(enums.KMIPVersion.KMIP_1_2, "--http1.0"), "http10")
    check("batch with an error inside", batch_with_an_error_inside)
    check("operation that is not there", operation_that_is_not_there)
    check("maximum response size", maximum_response_size)
    check("HTTP/1.0", http_1_0)
    check("chunked request", chunked_request)
    check("expect 100-continue", expect_100_continue)
    check("wrong method refused", refused, 405, b"", "--request", "GET")
    check("unknown method refused", refused, 501, query_message(), "--request", "BREW")
    check("wrong content type refused", refused, 415, query_message(),
          content_type="text/plain")
    check("no TTLV refused", refused, 400, b"this is no TTLV message")
    check("truncated message refused", refused, 400, query_message()[:-9])
    check("two messages refused", refused, 400, query_message() * 2)
    check("no client certificate refused", without_a_certificate)
    check("nothing served in clear", in_clear)
    check("still serving", query_and_versions, open_client(enums.KMIPVersion.KMIP_1_2))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
