"""KMIP on TLS without HTTP, with PyKMIP's own client from its socket up, as existing software speaks it.

Run by `cargo xtask interop kmip`, against the same server and port as kmip_https.py and with the same
environment. Prints a line per check, `ok NAME` or `FAIL NAME: why`; exits 1 if any failed.
"""

import hashlib
import hmac
import socket
import ssl
import struct
import sys
from urllib.parse import urlsplit

from kmip.core import attributes
from kmip.core import enums
from kmip.pie import client as pie_client
from kmip.pie import objects as pie_objects

import kmip_https
from kmip_https import CACERT, CERT, KEY, URL, VERSIONS, check, decode, expect, query_message

HOST = urlsplit(URL).hostname
PORT = urlsplit(URL).port


def tls_context(certificate=True):
    context = ssl.create_default_context(cafile=CACERT)
    if certificate:
        context.load_cert_chain(CERT, KEY)
    return context


def wrap_socket(sock, keyfile=None, certfile=None, ca_certs=None, **_):
    """What Python 3.12 took away and PyKMIP 0.11 still calls."""
    context = ssl.create_default_context(cafile=ca_certs)
    context.check_hostname = False
    context.load_cert_chain(certfile, keyfile)
    return context.wrap_socket(sock)


if not hasattr(ssl, "wrap_socket"):
    ssl.wrap_socket = wrap_socket


def client(version):
    return pie_client.ProxyKmipClient(
        hostname=HOST, port=PORT, cert=CERT, key=KEY, ca=CACERT, kmip_version=version)


def with_client(version, function, *arguments):
    with client(version) as opened:
        function(opened, *arguments)


class Stream:
    """A connection that sends what it is told."""

    def __init__(self, certificate=True):
        raw = socket.create_connection((HOST, PORT), timeout=20)
        self.socket = tls_context(certificate).wrap_socket(raw, server_hostname=HOST)

    def send(self, octets):
        self.socket.sendall(octets)

    def receive(self, length):
        octets = b""
        while len(octets) < length:
            piece = self.socket.recv(length - len(octets))
            if not piece:
                return None
            octets += piece
        return octets

    def message(self):
        """The next message; None at the end of the stream."""
        head = self.receive(8)
        if head is None:
            return None
        return head + self.receive(struct.unpack(">I", head[4:])[0])

    def ask(self, octets):
        self.send(octets)
        return decode(self.message()).batch_items[0]


def many_messages_on_one_connection():
    stream = Stream()
    for _ in range(5):
        expect(stream.ask(query_message()).result_status.value == enums.ResultStatus.SUCCESS, "a query")


def messages_in_pieces_and_together():
    stream = Stream()
    message = query_message()
    for octet in message:
        stream.send(bytes([octet]))
    expect(decode(stream.message()).batch_items, "in pieces")
    stream.send(message * 3)
    for _ in range(3):
        expect(decode(stream.message()).batch_items, "together")


def unreadable_requests_are_answered():
    stream = Stream()
    # A Request Message whose header is missing.
    answer = stream.ask(bytes.fromhex("4200780100000000"))
    expect(answer.result_reason.value == enums.ResultReason.INVALID_MESSAGE, answer.result_reason)
    expect(stream.ask(query_message()).result_status.value == enums.ResultStatus.SUCCESS,
           "the connection goes on")


def a_length_that_is_too_long_is_told():
    stream = Stream()
    answer = stream.ask(bytes.fromhex("42007801") + struct.pack(">I", 1 << 30))
    expect(answer.result_reason.value == enums.ResultReason.INVALID_MESSAGE, answer.result_reason)
    expect(stream.message() is None, "the connection ends")


def something_else_is_not_answered():
    stream = Stream()
    stream.send(b"\x16\x03\x01\x00\x05hello world, this is no message")
    octets = stream.socket.recv(100)
    expect(b"\x42\x00\x7b" not in octets, "a KMIP message")


def no_certificate_no_service():
    try:
        answer = Stream(certificate=False)
        answer.send(query_message())
        expect(answer.message() is None, "served")
    except (ssl.SSLError, ConnectionError):
        pass


def cryptography(client, label):
    """Key pairs, attributes, encryption, signatures, MACs and derivation, by PyKMIP's client."""
    mask = enums.CryptographicUsageMask
    key = client.create(enums.CryptographicAlgorithm.AES, 256, name=f"cipher-{label}",
                        cryptographic_usage_mask=[mask.ENCRYPT, mask.DECRYPT, mask.DERIVE_KEY])
    client.activate(key)
    plain, iv = b"sixteen octets..and more", bytes(range(16))
    parameters = {
        "cryptographic_algorithm": enums.CryptographicAlgorithm.AES,
        "block_cipher_mode": enums.BlockCipherMode.CBC,
        "padding_method": enums.PaddingMethod.PKCS5,
    }
    sealed, _ = client.encrypt(plain, uid=key, cryptographic_parameters=parameters,
                               iv_counter_nonce=iv)
    expect(sealed != plain and len(sealed) == 32, f"{len(sealed)} octets")
    opened = client.decrypt(sealed, uid=key, cryptographic_parameters=parameters,
                            iv_counter_nonce=iv)
    expect(opened == plain, opened)

    public, private = client.create_key_pair(
        enums.CryptographicAlgorithm.RSA, 2048,
        public_name=f"public-{label}", public_usage_mask=[mask.VERIFY],
        private_name=f"private-{label}", private_usage_mask=[mask.SIGN])
    client.activate(private)
    client.activate(public)
    scheme = {
        "padding_method": enums.PaddingMethod.PSS,
        "cryptographic_algorithm": enums.CryptographicAlgorithm.RSA,
        "hashing_algorithm": enums.HashingAlgorithm.SHA_256,
    }
    signature = client.sign(b"message", uid=private, cryptographic_parameters=scheme)
    verdict = client.signature_verify(b"message", signature, uid=public,
                                      cryptographic_parameters=scheme)
    expect(verdict == enums.ValidityIndicator.VALID, verdict)
    verdict = client.signature_verify(b"another", signature, uid=public,
                                      cryptographic_parameters=scheme)
    expect(verdict == enums.ValidityIndicator.INVALID, verdict)
    names = client.get_attribute_list(private)
    expect("Link" in names and "Digest" in names, names)

    secret = pie_objects.SymmetricKey(
        enums.CryptographicAlgorithm.HMAC_SHA256, 256, bytes(range(32)),
        masks=[mask.MAC_GENERATE], name=f"mac-{label}")
    secret = client.register(secret)
    client.activate(secret)
    _, mac = client.mac(b"data", secret, enums.CryptographicAlgorithm.HMAC_SHA256)
    expected = hmac.new(bytes(range(32)), b"data", hashlib.sha256).digest()
    expect(mac == expected, mac)

    derived = client.derive_key(
        enums.ObjectType.SYMMETRIC_KEY, [key], enums.DerivationMethod.PBKDF2,
        {"cryptographic_parameters": {"hashing_algorithm": enums.HashingAlgorithm.SHA_256},
         "salt": b"salt", "iteration_count": 1000},
        cryptographic_length=128, cryptographic_algorithm=enums.CryptographicAlgorithm.AES,
        cryptographic_usage_mask=[mask.ENCRYPT])
    base = client.get(key).value
    expected = hashlib.pbkdf2_hmac("sha256", base, b"salt", 1000, 16)
    expect(client.get(derived).value == expected, "the derived key")
    found = client.locate(attributes=[
        client.attribute_factory.create_attribute(
            enums.AttributeType.NAME, attribute_value(f"private-{label}"))])
    expect(found == [private], found)
    for uid in [key, public, private, secret]:
        client.revoke(enums.RevocationReasonCode.CESSATION_OF_OPERATION, uid)
        client.destroy(uid)
    client.destroy(derived)


def attribute_value(name):
    return attributes.Name.create(name, enums.NameType.UNINTERPRETED_TEXT_STRING)


def main():
    for version in VERSIONS:
        label = f"{version.name.lower()}, TLS"
        check(f"query ({label})", with_client, version, kmip_https.query_and_versions)
        check(f"life of a key ({label})", with_client, version, kmip_https.life_of_a_key, label)
        check(f"registered objects ({label})", with_client, version,
              kmip_https.registered_objects, label)
        if version.value >= enums.KMIPVersion.KMIP_1_2.value:
            check(f"cryptography ({label})", with_client, version, cryptography, label)
    check("many messages on one connection", many_messages_on_one_connection)
    check("messages in pieces and together", messages_in_pieces_and_together)
    check("unreadable requests are answered", unreadable_requests_are_answered)
    check("a length that is too long is told", a_length_that_is_too_long_is_told)
    check("something else is not answered", something_else_is_not_answered)
    check("no certificate, no service", no_certificate_no_service)
    check("HTTP on the same port", kmip_https.http_1_0)
    print(f"{kmip_https.passed} passed, {kmip_https.failed} failed")
    return 1 if kmip_https.failed or not kmip_https.passed else 0


if __name__ == "__main__":
    sys.exit(main())
