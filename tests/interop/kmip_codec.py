"""Binary KMIP messages with independent software: PyKMIP and bindery's types read and write the same octets.

Run by `cargo xtask interop kmip-codec`; BINDERY_CODEC is a program that reads a message (a line in hexadecimal)
into types and writes it again, BINDERY_MESSAGES a directory of messages that bindery wrote. For each message that
PyKMIP makes: bindery's types write the same octets, and PyKMIP reads what bindery wrote and writes it again. For
each of bindery's messages of an operation that PyKMIP knows, the same. At the end every structure of PyKMIP must
have been read by PyKMIP from what bindery wrote, but for those listed below with the reason.

Prints a line per check, `ok NAME` or `FAIL NAME: why`, and at the end `N passed, N failed`; exits 1 if any failed.
"""

import inspect
import os
import pathlib
import subprocess
import sys
import traceback

from kmip.core import attributes, enums, misc, objects, primitives, secrets
from kmip.core.factories.attributes import AttributeFactory
from kmip.core.factories.payloads.request import RequestPayloadFactory
from kmip.core.factories.payloads.response import ResponsePayloadFactory
from kmip.core.messages import contents, messages, payloads
from kmip.core.utils import BytearrayStream

V1 = [enums.KMIPVersion.KMIP_1_0, enums.KMIPVersion.KMIP_1_1, enums.KMIPVersion.KMIP_1_2,
      enums.KMIPVersion.KMIP_1_3, enums.KMIPVersion.KMIP_1_4]
V2 = [enums.KMIPVersion.KMIP_2_0]
# Operations whose payloads PyKMIP does not have.
UNKNOWN = {"AddAttribute", "Certify", "CreateSplitKey", "Export", "Hash", "Import", "JoinSplitKey", "MACVerify",
           "Notify", "Put", "RNGRetrieve", "RNGSeed", "ReCertify", "Validate"}
ONE_SIDE = {"Poll-1.4-response"}
# It lacks their fields for data in parts (KMIP 1.3), and refuses or drops them.
IN_PARTS = {"Decrypt", "Encrypt", "MAC", "Sign"}
# Structures that cannot come out of a message.
NEVER_READ = {
    "CredentialValue": "a base class",
    "KeyBlockKey": "a base class",
    "KeyMaterialStruct": "PyKMIP's Key Value refuses it",
    "MessageExtension": "PyKMIP writes an empty structure for it",
    "RequestPayload": "a base class",
    "ResponsePayload": "a base class",
    "Struct": "a base class",
}

UID = "49a1ca88-6bea-4fb2-b450-7e58802c3038"
WHEN = 1700000000

passed = 0
failed = 0
read = set()


def watch(cls):
    """Notes each class that PyKMIP reads."""
    if "read" not in vars(cls):
        return
    plain = cls.read

    def read_and_note(self, *arguments, **named):
        result = plain(self, *arguments, **named)
        read.add(type(self).__name__)
        return result

    cls.read = read_and_note


def structures():
    modules = [objects, secrets, attributes, misc, contents, messages]
    found = {}
    for module in modules:
        for name, cls in vars(module).items():
            if inspect.isclass(cls) and issubclass(cls, primitives.Struct):
                found[name] = cls
    for name, cls in vars(payloads).items():
        if inspect.isclass(cls):
            found[name] = cls
    return found


def complete_factories():
    """PyKMIP has the payloads of some operations, but its messages do not find them."""
    for operation in enums.Operation:
        word = "".join(part.capitalize() for part in operation.name.split("_"))
        for factory, suffix in ((RequestPayloadFactory, "RequestPayload"), (ResponsePayloadFactory, "ResponsePayload")):
            cls = getattr(payloads, word + suffix, None)
            name = f"_create_{operation.name.lower()}_payload"
            if cls is not None and name not in vars(factory):
                setattr(factory, name, lambda self, cls=cls: cls())


def mend_padding():
    """PyKMIP 0.11 writes eight octets too many behind a text of a multiple of eight octets that it has read."""
    plain = primitives.TextString.read_value

    def read_value(self, *arguments, **named):
        plain(self, *arguments, **named)
        self.padding_length %= self.PADDING_SIZE

    primitives.TextString.read_value = read_value


class Codec:
    """The program, a message in and a message out."""

    def __init__(self):
        self.process = subprocess.Popen(
            [os.environ["BINDERY_CODEC"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def through(self, octets):
        self.process.stdin.write(octets.hex() + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().strip()
        if not line or line.startswith("!"):
            raise AssertionError("bindery " + (line or "ended"))
        return bytes.fromhex(line)


def check(name, function, *arguments):
    """Runs one check; a failed assertion or any exception fails it."""
    global passed, failed
    try:
        function(*arguments)
    except Exception as error:  # a check may fail in any way, and the others go on
        failed += 1
        place = traceback.extract_tb(error.__traceback__)[-1]
        print(f"FAIL {name}: {type(error).__name__}: {error} ({place.name}, line {place.lineno})")
        return
    passed += 1
    print(f"ok {name}")


def same(found, expected, who):
    if found == expected:
        return
    at = next((i for i, (a, b) in enumerate(zip(found, expected)) if a != b), min(len(found), len(expected)))
    start = max(0, at - at % 8 - 8)
    raise AssertionError(
        f"{who} {len(found)} octets, not {len(expected)}; at {at}: ..{found[start:start + 32].hex()}"
        f" is not ..{expected[start:start + 32].hex()}")


def written(message, version):
    stream = BytearrayStream()
    message.write(stream, kmip_version=version)
    return bytes(stream.buffer)


def reread(octets, version):
    """What PyKMIP writes after it has read."""
    kind = messages.RequestMessage if octets[:3] == b"\x42\x00\x78" else messages.ResponseMessage
    message = kind()
    message.read(BytearrayStream(octets), kmip_version=version)
    return written(message, version)


def both_ways(codec, octets, version):
    ours = codec.through(octets)
    same(ours, octets, "bindery writes")
    same(reread(ours, version), ours, "PyKMIP writes")


def header_version(version):
    major, minor = version.name.split("_")[1:]
    return contents.ProtocolVersion(int(major), int(minor))


def request(version, operation, payload, **header):
    named = {"protocol_version": header_version(version), "batch_count": contents.BatchCount(1)}
    item = messages.RequestBatchItem(
        operation=contents.Operation(operation),
        unique_batch_item_id=contents.UniqueBatchItemID(b"\x01\x02"),
        request_payload=payload)
    named.update(header)
    return messages.RequestMessage(messages.RequestHeader(**named), [item])


def response(version, operation, payload, **item):
    header = messages.ResponseHeader(
        protocol_version=header_version(version),
        time_stamp=contents.TimeStamp(WHEN),
        batch_count=contents.BatchCount(1))
    named = {
        "operation": contents.Operation(operation),
        "unique_batch_item_id": contents.UniqueBatchItemID(b"\x01\x02"),
        "result_status": contents.ResultStatus(enums.ResultStatus.SUCCESS),
        "response_payload": payload,
    }
    named.update(item)
    return messages.ResponseMessage(header, [messages.ResponseBatchItem(**named)])


def text(value, tag):
    return primitives.TextString(value, tag)


def parameters():
    return attributes.CryptographicParameters(
        block_cipher_mode=enums.BlockCipherMode.CBC,
        padding_method=enums.PaddingMethod.PKCS5,
        hashing_algorithm=enums.HashingAlgorithm.SHA_256,
        key_role_type=enums.KeyRoleType.KEK)


def parameters_1_2():
    return attributes.CryptographicParameters(
        block_cipher_mode=enums.BlockCipherMode.GCM,
        padding_method=enums.PaddingMethod.NONE,
        hashing_algorithm=enums.HashingAlgorithm.SHA_256,
        key_role_type=enums.KeyRoleType.DEK,
        digital_signature_algorithm=enums.DigitalSignatureAlgorithm.SHA256_WITH_RSA_ENCRYPTION,
        cryptographic_algorithm=enums.CryptographicAlgorithm.AES,
        random_iv=True, iv_length=12, tag_length=16, fixed_field_length=4,
        invocation_field_length=8, counter_length=4, initial_counter_value=1)


def every_attribute():
    """An attribute of each kind that PyKMIP can make."""
    factory = AttributeFactory()
    kind = enums.AttributeType
    values = [
        (kind.UNIQUE_IDENTIFIER, UID), (kind.NAME, "a name"), (kind.OBJECT_TYPE, enums.ObjectType.SYMMETRIC_KEY),
        (kind.CRYPTOGRAPHIC_ALGORITHM, enums.CryptographicAlgorithm.AES), (kind.CRYPTOGRAPHIC_LENGTH, 256),
        (kind.CRYPTOGRAPHIC_PARAMETERS, {"block_cipher_mode": enums.BlockCipherMode.CBC}),
        (kind.CERTIFICATE_TYPE, enums.CertificateType.X_509), (kind.OPERATION_POLICY_NAME, "default"),
        (kind.CRYPTOGRAPHIC_USAGE_MASK,
         [enums.CryptographicUsageMask.ENCRYPT, enums.CryptographicUsageMask.DECRYPT]),
        (kind.LEASE_TIME, 3600), (kind.STATE, enums.State.ACTIVE), (kind.INITIAL_DATE, WHEN),
        (kind.ACTIVATION_DATE, WHEN), (kind.PROCESS_START_DATE, WHEN), (kind.PROTECT_STOP_DATE, WHEN),
        (kind.DEACTIVATION_DATE, WHEN), (kind.DESTROY_DATE, WHEN), (kind.COMPROMISE_OCCURRENCE_DATE, WHEN),
        (kind.COMPROMISE_DATE, WHEN), (kind.ARCHIVE_DATE, WHEN), (kind.OBJECT_GROUP, "a group"),
        (kind.APPLICATION_SPECIFIC_INFORMATION,
         {"application_namespace": "ssl", "application_data": "www.example.com"}),
        (kind.CONTACT_INFORMATION, "somebody"), (kind.LAST_CHANGE_DATE, WHEN),
    ]
    made = [factory.create_attribute(name, value) for name, value in values]
    digest = objects.Attribute(
        attribute_name=objects.Attribute.AttributeName("Digest"),
        attribute_index=objects.Attribute.AttributeIndex(0),
        attribute_value=attributes.Digest(
            attributes.HashingAlgorithm(enums.HashingAlgorithm.SHA_256),
            attributes.DigestValue(bytes(range(32))),
            misc.KeyFormatType(enums.KeyFormatType.RAW)))
    digest.attribute_value.tag = enums.Tags.ATTRIBUTE_VALUE
    return made + [digest, custom()]


def custom():
    value = attributes.CustomAttribute("a value")
    value.tag = enums.Tags.ATTRIBUTE_VALUE
    return objects.Attribute(
        attribute_name=objects.Attribute.AttributeName("x-own"),
        attribute_index=objects.Attribute.AttributeIndex(0),
        attribute_value=value)


def attribute(name=enums.AttributeType.CRYPTOGRAPHIC_LENGTH, value=256):
    return AttributeFactory().create_attribute(name, value)


def template(cls=objects.TemplateAttribute, every=False):
    names = [attributes.Name.create("a template", enums.NameType.UNINTERPRETED_TEXT_STRING)]
    return cls(names=names, attributes=every_attribute() if every else [attribute()])


def key_information(cls):
    return cls(unique_identifier=UID, cryptographic_parameters=parameters())


def wrapping(encoding=None):
    return objects.KeyWrappingData(
        wrapping_method=enums.WrappingMethod.ENCRYPT_THEN_MAC_SIGN,
        encryption_key_information=key_information(objects.EncryptionKeyInformation),
        mac_signature_key_information=key_information(objects.MACSignatureKeyInformation),
        mac_signature=b"\x01" * 16, iv_counter_nonce=b"\x02" * 8, encoding_option=encoding)


def key_block(form=enums.KeyFormatType.RAW, wrapped=None, compression=None, inside=()):
    return objects.KeyBlock(
        key_format_type=misc.KeyFormatType(form),
        key_compression_type=compression,
        key_value=objects.KeyValue(objects.KeyMaterial(bytes(range(32))), list(inside)),
        cryptographic_algorithm=attributes.CryptographicAlgorithm(enums.CryptographicAlgorithm.AES),
        cryptographic_length=attributes.CryptographicLength(256),
        key_wrapping_data=wrapped)


def managed_objects():
    """Each object, with its type and the first version that has it."""
    kind = enums.ObjectType
    compressed = objects.KeyBlock.KeyCompressionType(
        enums.KeyCompressionType.EC_PUBLIC_KEY_TYPE_UNCOMPRESSED)
    secret = secrets.SecretData.SecretDataType(enums.SecretDataType.PASSWORD)
    opaque = secrets.OpaqueObject.OpaqueDataType(enums.OpaqueDataType.NONE)
    return [
        (kind.CERTIFICATE, secrets.Certificate(enums.CertificateType.X_509, bytes(range(200)))),
        (kind.SYMMETRIC_KEY, secrets.SymmetricKey(key_block())),
        (kind.SYMMETRIC_KEY, secrets.SymmetricKey(key_block(wrapped=wrapping(), inside=[attribute()]))),
        (kind.PUBLIC_KEY, secrets.PublicKey(key_block(enums.KeyFormatType.X_509, compression=compressed))),
        (kind.PRIVATE_KEY, secrets.PrivateKey(key_block(enums.KeyFormatType.PKCS_8))),
        (kind.SPLIT_KEY, secrets.SplitKey(
            split_key_parts=4, key_part_identifier=1, split_key_threshold=2,
            split_key_method=enums.SplitKeyMethod.POLYNOMIAL_SHARING_PRIME_FIELD,
            prime_field_size=104729, key_block=key_block())),
        (kind.TEMPLATE, secrets.Template([attribute(), custom()])),
        (kind.SECRET_DATA, secrets.SecretData(secret, key_block(enums.KeyFormatType.OPAQUE))),
        (kind.OPAQUE_DATA, secrets.OpaqueObject(opaque, secrets.OpaqueObject.OpaqueDataValue(b"\x07" * 21))),
    ]


def credentials():
    """Each credential, with the first version that has it (as an index into V1)."""
    password = objects.UsernamePasswordCredential("somebody", "a password")
    device = objects.DeviceCredential(
        device_serial_number="s1", password="p", device_identifier="d", network_identifier="n",
        machine_identifier="m", media_identifier="i")
    attestation = objects.AttestationCredential(
        nonce=objects.Nonce(b"\x01", b"\x02\x03"), attestation_type=enums.AttestationType.TPM_QUOTE,
        attestation_measurement=b"\x04", attestation_assertion=b"\x05")
    return [
        (0, objects.Credential(enums.CredentialType.USERNAME_AND_PASSWORD, password)),
        (1, objects.Credential(enums.CredentialType.DEVICE, device)),
        (2, objects.Credential(enums.CredentialType.ATTESTATION, attestation)),
    ]


def specification():
    return objects.KeyWrappingSpecification(
        wrapping_method=enums.WrappingMethod.ENCRYPT,
        encryption_key_information=key_information(objects.EncryptionKeyInformation),
        mac_signature_key_information=key_information(objects.MACSignatureKeyInformation),
        attribute_names=["Cryptographic Length"])


def derivation():
    return attributes.DerivationParameters(
        cryptographic_parameters=parameters(), initialization_vector=b"\x01" * 16,
        derivation_data=b"\x02\x03", salt=b"\x04\x05", iteration_count=1000)


def rng():
    return objects.RNGParameters(
        rng_algorithm=enums.RNGAlgorithm.DRBG, cryptographic_algorithm=enums.CryptographicAlgorithm.AES,
        cryptographic_length=256, hashing_algorithm=enums.HashingAlgorithm.SHA_256,
        drbg_algorithm=enums.DRBGAlgorithm.CTR, recommended_curve=enums.RecommendedCurve.P_256,
        fips186_variation=enums.FIPS186Variation.GP_X_ORIGINAL, prediction_resistance=True)


def capability():
    # Without Batch Undo Capability: PyKMIP 0.11 reads it into Batch Continue Capability, and drops it.
    return objects.CapabilityInformation(
        streaming_capability=True, asynchronous_capability=False, attestation_capability=True,
        batch_continue_capability=True, unwrap_mode=enums.UnwrapMode.PROCESSED,
        destroy_action=enums.DestroyAction.SHREDDED, shredding_algorithm=enums.ShreddingAlgorithm.CRYPTOGRAPHIC,
        rng_mode=enums.RNGMode.NON_SHARED_INSTANTIATION)


def validation():
    return objects.ValidationInformation(
        validation_authority_type=enums.ValidationAuthorityType.COMMON_CRITERIA,
        validation_authority_country="XX", validation_authority_uri="https://example.com",
        validation_version_major=1, validation_version_minor=0, validation_type=enums.ValidationType.HYBRID,
        validation_level=2, validation_certificate_identifier="c",
        validation_certificate_uri="https://example.com/c", validation_vendor_uri="https://example.com/v",
        validation_profiles=["one", "two"])


def information():
    made = misc.ServerInformation()
    inner = BytearrayStream()
    text("anything", enums.Tags.VENDOR_IDENTIFICATION).write(inner)
    made.data = inner
    return made


def query_response(version):
    named = {
        "operations": [enums.Operation.CREATE, enums.Operation.GET],
        "object_types": [enums.ObjectType.SYMMETRIC_KEY],
        "vendor_identification": "a vendor", "server_information": information(),
        "application_namespaces": ["one", "two"],
    }
    if version >= enums.KMIPVersion.KMIP_1_1:
        named["extension_information"] = [objects.ExtensionInformation(
            extension_name=objects.ExtensionName("ACME"), extension_tag=objects.ExtensionTag(0x54AA01),
            extension_type=objects.ExtensionType(7))]
    if version >= enums.KMIPVersion.KMIP_1_2:
        named["attestation_types"] = [enums.AttestationType.TPM_QUOTE]
    if version >= enums.KMIPVersion.KMIP_1_3:
        named.update(
            rng_parameters=[rng()], validation_information=[validation()], capability_information=[capability()],
            profile_information=[objects.ProfileInformation(
                profile_name=enums.ProfileName.BASELINE_SERVER_BASIC_KMIPv12,
                server_uri="https://example.com", server_port=5696)],
            client_registration_methods=[enums.ClientRegistrationMethod.SERVER_PREGENERATED])
    if version >= enums.KMIPVersion.KMIP_2_0:
        named["defaults_information"] = objects.DefaultsInformation([objects.ObjectDefaults(
            object_type=enums.ObjectType.SYMMETRIC_KEY,
            attributes=objects.Attributes([attributes.CryptographicLength(256)]))])
        named["protection_storage_masks"] = [1, 2]
    return payloads.QueryResponsePayload(**named)


def pair(operation, asked, answered):
    """The request and response payload of an operation, by their parameters."""
    name = "".join(word.capitalize() for word in operation.name.split("_"))
    name = {"Mac": "MAC"}.get(name, name)
    return (operation, getattr(payloads, name + "RequestPayload")(**asked),
            getattr(payloads, name + "ResponsePayload")(**answered))


def common(version):
    """Operations whose payloads have one form in every version that PyKMIP knows."""
    o = enums.Operation
    uid = {"unique_identifier": UID}
    wrapped = {"unique_identifier": attributes.UniqueIdentifier(UID)}
    masked = {} if version < enums.KMIPVersion.KMIP_2_0 else {
        "protection_storage_masks": objects.ProtectionStorageMasks([1, 2])}
    symmetric = enums.ObjectType.SYMMETRIC_KEY
    yield pair(o.ACTIVATE, wrapped, wrapped)
    yield pair(o.ARCHIVE, uid, uid)
    yield pair(o.RECOVER, uid, uid)
    yield pair(o.DESTROY, wrapped, wrapped)
    yield pair(o.CANCEL, {"asynchronous_correlation_value": b"\x01"},
               {"asynchronous_correlation_value": b"\x01", "cancellation_result": enums.CancellationResult.CANCELED})
    yield o.POLL, payloads.PollRequestPayload(asynchronous_correlation_value=b"\x01"), None
    limits = dict(uid, usage_limits_count=500, cryptographic_usage_mask=12, lease_time=60)
    yield pair(o.CHECK, limits, limits)
    yield pair(o.GET_USAGE_ALLOCATION, dict(uid, usage_limits_count=500), uid)
    yield pair(o.OBTAIN_LEASE, uid, dict(uid, lease_time=60, last_change_date=WHEN))
    yield pair(o.CREATE, dict(masked, object_type=symmetric, template_attribute=template_for(version)),
               dict(uid, object_type=symmetric))
    yield pair(o.CREATE_KEY_PAIR, {
        "common_template_attribute": template_for(version, enums.Tags.COMMON_TEMPLATE_ATTRIBUTE),
        "private_key_template_attribute": template_for(version, enums.Tags.PRIVATE_KEY_TEMPLATE_ATTRIBUTE),
        "public_key_template_attribute": template_for(version, enums.Tags.PUBLIC_KEY_TEMPLATE_ATTRIBUTE),
    }, {"private_key_unique_identifier": UID, "public_key_unique_identifier": UID[::-1]})
    yield pair(o.DERIVE_KEY, {
        "object_type": symmetric, "unique_identifiers": [UID, UID[::-1]], "derivation_parameters": derivation(),
        "derivation_method": enums.DerivationMethod.PBKDF2, "template_attribute": template_for(version)}, uid)
    yield pair(o.GET, dict(uid, key_format_type=enums.KeyFormatType.RAW, key_wrapping_specification=specification()),
               dict(uid, object_type=symmetric, secret=secrets.SymmetricKey(key_block())))
    if version < enums.KMIPVersion.KMIP_2_0:
        yield pair(o.GET_ATTRIBUTE_LIST, uid, dict(uid, attribute_names=["Name", "State", "x-own"]))
        yield pair(o.GET_ATTRIBUTES, dict(uid, attribute_names=["Name", "State"]),
                   dict(uid, attributes=[attribute(), custom()]))
    functions = [enums.QueryFunction.QUERY_OPERATIONS, enums.QueryFunction.QUERY_OBJECTS]
    yield o.QUERY, payloads.QueryRequestPayload(functions), query_response(version)
    yield pair(o.REVOKE, dict(
        wrapped, revocation_reason=objects.RevocationReason(enums.RevocationReasonCode.KEY_COMPROMISE, "why"),
        compromise_occurrence_date=primitives.DateTime(WHEN, enums.Tags.COMPROMISE_OCCURRENCE_DATE)), wrapped)


def template_for(version, tag=enums.Tags.TEMPLATE_ATTRIBUTE):
    if version >= enums.KMIPVersion.KMIP_2_0:
        return objects.TemplateAttribute(attributes=[attribute()], tag=tag)
    return objects.TemplateAttribute(
        names=[attributes.Name.create("a template", enums.NameType.UNINTERPRETED_TEXT_STRING)],
        attributes=[attribute()], tag=tag)


def only_1_x(version):
    """Payloads whose form PyKMIP knows only of 1.x."""
    o = enums.Operation
    uid = {"unique_identifier": UID}
    yield pair(o.LOCATE, {"maximum_items": 10, "storage_status_mask": 1, "attributes": [attribute()]},
               {"unique_identifiers": [UID, UID[::-1]]})
    yield pair(o.DELETE_ATTRIBUTE, dict(uid, attribute_name="x-own", attribute_index=0), dict(uid, attribute=custom()))
    yield pair(o.MODIFY_ATTRIBUTE, dict(uid, attribute=custom()), dict(uid, attribute=custom()))
    for tag in (None, enums.Tags.TEMPLATE_ATTRIBUTE):
        answered = dict(uid) if tag is None else dict(uid, template_attribute=template())
        yield pair(o.REKEY, dict(uid, offset=60, template_attribute=template()), answered)
    yield o.REKEY_KEY_PAIR, payloads.RekeyKeyPairRequestPayload(
        attributes.PrivateKeyUniqueIdentifier(UID), misc.Offset(60), template(objects.CommonTemplateAttribute),
        template(objects.PrivateKeyTemplateAttribute), template(objects.PublicKeyTemplateAttribute),
    ), payloads.RekeyKeyPairResponsePayload(
        UID, UID[::-1], template(objects.PrivateKeyTemplateAttribute), template(objects.PublicKeyTemplateAttribute))


def from_1_1(version):
    versions = [contents.ProtocolVersion(1, 1), contents.ProtocolVersion(1, 0)]
    yield (enums.Operation.DISCOVER_VERSIONS, payloads.DiscoverVersionsRequestPayload(versions),
           payloads.DiscoverVersionsResponsePayload(versions))


def from_1_2(version):
    o = enums.Operation
    uid = {"unique_identifier": UID}
    asked = dict(uid, cryptographic_parameters=parameters_1_2(), data=b"\x01\x02\x03")
    bare = dict(uid, cryptographic_parameters=parameters(), data=b"\x01\x02\x03")
    given = bare if version < enums.KMIPVersion.KMIP_1_4 else asked
    sealed = {} if version < enums.KMIPVersion.KMIP_1_4 else {"auth_additional_data": b"\x05"}
    tagged = {} if version < enums.KMIPVersion.KMIP_1_4 else {"auth_tag": b"\x06" * 16}
    yield pair(o.ENCRYPT, dict(given, iv_counter_nonce=b"\x04" * 12, **sealed),
               dict(uid, data=b"\x07", iv_counter_nonce=b"\x04" * 12, **tagged))
    yield pair(o.DECRYPT, dict(given, iv_counter_nonce=b"\x04" * 12, **sealed, **tagged), dict(uid, data=b"\x07"))
    yield pair(o.SIGN, given, dict(uid, signature_data=b"\x08" * 64))
    yield pair(o.SIGNATURE_VERIFY, dict(given, signature_data=b"\x08" * 64),
               dict(uid, validity_indicator=enums.ValidityIndicator.VALID))
    yield (o.MAC, payloads.MACRequestPayload(
        attributes.UniqueIdentifier(UID), parameters(), objects.Data(b"\x09")),
        payloads.MACResponsePayload(attributes.UniqueIdentifier(UID), objects.MACData(b"\x0a" * 32)))


def only_2_0(version):
    o = enums.Operation
    uid = {"unique_identifier": UID}
    one, two = attributes.CryptographicLength(128), attributes.CryptographicLength(256)
    reference = objects.AttributeReference(vendor_identification="a vendor", attribute_name="own")
    new, current = objects.NewAttribute(two), objects.CurrentAttribute(one)
    yield pair(o.SET_ATTRIBUTE, dict(uid, new_attribute=new), uid)
    yield pair(o.MODIFY_ATTRIBUTE, dict(uid, current_attribute=current, new_attribute=new), uid)
    yield pair(o.DELETE_ATTRIBUTE, dict(uid, current_attribute=current), uid)
    yield pair(o.DELETE_ATTRIBUTE, dict(uid, attribute_reference=reference), uid)
    yield pair(o.REGISTER, {
        "object_type": enums.ObjectType.SYMMETRIC_KEY, "template_attribute": template_for(version),
        "managed_object": secrets.SymmetricKey(key_block()),
        "protection_storage_masks": objects.ProtectionStorageMasks([1])}, uid)


def operations(version):
    yield from common(version)
    if version < enums.KMIPVersion.KMIP_2_0:
        yield from only_1_x(version)
    else:
        yield from only_2_0(version)
    if version >= enums.KMIPVersion.KMIP_1_1:
        yield from from_1_1(version)
    if version >= enums.KMIPVersion.KMIP_1_2:
        yield from from_1_2(version)


def check_operations(codec, version):
    for operation, asked, answered in operations(version):
        name = f"{version.name} {operation.name}"
        check(f"{name} request", lambda: both_ways(
            codec, written(request(version, operation, asked), version), version))
        if answered is not None:
            check(f"{name} response", lambda: both_ways(
                codec, written(response(version, operation, answered), version), version))


def check_objects(codec, version):
    every = template(every=True)
    for kind, managed in managed_objects():
        name = type(managed).__name__
        asked = payloads.RegisterRequestPayload(
            object_type=kind, template_attribute=every, managed_object=managed)
        check(f"{version.name} REGISTER {name}", lambda: both_ways(
            codec, written(request(version, enums.Operation.REGISTER, asked), version), version))
        if version >= enums.KMIPVersion.KMIP_1_1:
            got = payloads.GetResponsePayload(object_type=kind, unique_identifier=UID, secret=managed)
            check(f"{version.name} GET {name}", lambda: both_ways(
                codec, written(response(version, enums.Operation.GET, got), version), version))


def check_attributes(codec, version):
    for one in every_attribute():
        got = payloads.GetAttributesResponsePayload(UID, [one])
        check(f"{version.name} attribute {one.attribute_name.value}", lambda: both_ways(
            codec, written(response(version, enums.Operation.GET_ATTRIBUTES, got), version), version))


def check_headers(codec, version):
    payload = payloads.QueryRequestPayload([enums.QueryFunction.QUERY_OPERATIONS])
    for since, credential in credentials():
        if version < V1[since]:
            continue
        asked = request(
            version, enums.Operation.QUERY, payload,
            maximum_response_size=contents.MaximumResponseSize(2048),
            asynchronous_indicator=contents.AsynchronousIndicator(False),
            authentication=contents.Authentication([credential]),
            batch_error_cont_option=contents.BatchErrorContinuationOption(enums.BatchErrorContinuationOption.STOP),
            batch_order_option=contents.BatchOrderOption(True),
            time_stamp=contents.TimeStamp(WHEN))
        check(f"{version.name} header with {credential.credential_type.name}", lambda: both_ways(
            codec, written(asked, version), version))
    refused = response(
        version, enums.Operation.GET, None,
        result_status=contents.ResultStatus(enums.ResultStatus.OPERATION_FAILED),
        result_reason=contents.ResultReason(enums.ResultReason.ITEM_NOT_FOUND),
        result_message=contents.ResultMessage("there is none"))
    check(f"{version.name} failure", lambda: both_ways(codec, written(refused, version), version))
    pending = response(
        version, enums.Operation.GET, None,
        result_status=contents.ResultStatus(enums.ResultStatus.OPERATION_PENDING),
        async_correlation_value=contents.AsynchronousCorrelationValue(b"\x01\x02"))
    check(f"{version.name} pending", lambda: both_ways(codec, written(pending, version), version))


def check_ours(codec):
    """The messages that bindery wrote, of the operations and versions that PyKMIP knows."""
    left = 0
    for path in sorted(pathlib.Path(os.environ["BINDERY_MESSAGES"]).iterdir()):
        operation, version, form = (path.name.split("-") + ["", ""])[:3]
        unknown = operation in UNKNOWN or operation in IN_PARTS or path.name in ONE_SIDE
        if version != "1.4" or form not in ("request", "response") or unknown:
            left += 1
            continue
        octets = path.read_bytes()
        check(f"bindery's {path.name}", both_ways, codec, octets, enums.KMIPVersion.KMIP_1_4)
    print(f"-- {left} of bindery's messages are of versions, operations or fields that PyKMIP does not have")


def check_coverage(known):
    missing = sorted(name for name in known if name not in read and name not in NEVER_READ)
    if missing:
        raise AssertionError("PyKMIP read nothing of " + ", ".join(missing))


def main():
    mend_padding()
    complete_factories()
    known = structures()
    for cls in set(known.values()):
        watch(cls)
    codec = Codec()
    for version in V1 + V2:
        check_operations(codec, version)
        check_headers(codec, version)
    for version in V1:
        check_objects(codec, version)
        check_attributes(codec, version)
    check("every structure that PyKMIP knows", check_coverage, known)
    check_ours(codec)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
