//! From options to the payload of a request.

use std::{fs, path::Path};

use bindery_kmip::{
    Secret,
    message::{
        ActivateRequest, AttributeValue, Certificate, CreateRequest, DestroyRequest,
        DiscoverVersionsRequest, GetAttributeListRequest, GetAttributesRequest, GetRequest,
        KeyBlock, LocateRequest, ManagedObject, Name, OpaqueDataType, OpaqueObject, PrivateKey,
        PublicKey, QueryRequest, RegisterRequest, RequestPayload, RevocationReason, RevokeRequest,
        SecretData, SymmetricKey, TemplateAttribute,
    },
};
use bindery_ttlv::{
    DateTime, ProtocolVersion, RawValue, Text,
    registry::{
        CertificateType, CryptographicAlgorithm, CryptographicUsageMask, KeyFormatType, ObjectType,
        QueryFunction, RevocationReasonCode, SecretDataType, State,
    },
};
use rustls_pki_types::{
    CertificateDer, PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer, pem::PemObject,
};

use super::names;
use crate::{
    args::kmip::{
        CreateArgs, LocateArgs, NewObjectArgs, ObjectKind, RegisterArgs, RevokeArgs, Version,
    },
    decode,
    error::{Failure, Result},
};

/// Create: a symmetric key.
pub(crate) fn create(args: &CreateArgs) -> Result<RequestPayload> {
    let algorithm = algorithm(&args.alg)?;
    if args.length <= 0 {
        return Err(Failure::usage(format!("a key of {} bits cannot be made", args.length))
            .hint("give --length in bits, such as 256"));
    }
    let mut attributes = vec![
        AttributeValue::CryptographicAlgorithm(algorithm),
        AttributeValue::CryptographicLength(args.length),
        AttributeValue::CryptographicUsageMask(usage(&args.new.usage, default_usage(algorithm))?),
    ];
    attributes.extend(new_object(&args.new)?);
    let template = TemplateAttribute::from_iter(attributes);
    Ok(CreateRequest::new(ObjectType::SYMMETRIC_KEY, template).into())
}

/// Register: an object from a file.
pub(crate) fn register(args: &RegisterArgs) -> Result<RequestPayload> {
    let octets = decode::read_file(&args.file)?;
    if octets.is_empty() {
        return Err(Failure::usage(format!("{} is empty", args.file.display()))
            .hint("name the file with the object's value"));
    }
    let algorithm = args.alg.as_deref().map(algorithm).transpose()?;
    let object = object(args, octets, algorithm)?;
    let mut attributes = Vec::new();
    let default = match args.kind {
        ObjectKind::OpaqueObject => None,
        ObjectKind::SymmetricKey => algorithm.map(default_usage),
        ObjectKind::SecretData => Some(CryptographicUsageMask::DERIVE_KEY),
        ObjectKind::Certificate | ObjectKind::PublicKey => Some(CryptographicUsageMask::VERIFY),
        ObjectKind::PrivateKey => Some(CryptographicUsageMask::SIGN),
    };
    if let Some(default) = default {
        let usage = usage(&args.new.usage, default)?;
        attributes.push(AttributeValue::CryptographicUsageMask(usage));
    }
    attributes.extend(new_object(&args.new)?);
    Ok(RegisterRequest::new(object, TemplateAttribute::from_iter(attributes)).into())
}

fn object(
    args: &RegisterArgs,
    octets: Vec<u8>,
    algorithm: Option<CryptographicAlgorithm>,
) -> Result<ManagedObject> {
    Ok(match args.kind {
        ObjectKind::SymmetricKey => {
            let bits = i32::try_from(octets.len().saturating_mul(8)).unwrap_or(i32::MAX);
            let block = KeyBlock::new(KeyFormatType::RAW, Secret::new(octets));
            let algorithm = needed(algorithm, "--alg")?;
            let length = args.length.unwrap_or(bits);
            ManagedObject::SymmetricKey(SymmetricKey::new(block.with_algorithm(algorithm, length)))
        }
        ObjectKind::SecretData => {
            let block = KeyBlock::new(KeyFormatType::OPAQUE, Secret::new(octets));
            ManagedObject::SecretData(SecretData::new(SecretDataType::PASSWORD, block))
        }
        ObjectKind::OpaqueObject => {
            // The only value that KMIP 1.x leaves to the clients: an extension.
            let kind = OpaqueDataType(0x8000_0000);
            ManagedObject::OpaqueObject(OpaqueObject::new(kind, Secret::new(octets)))
        }
        ObjectKind::Certificate => {
            let der = der::<CertificateDer<'static>>(&args.file, octets, |der| der.to_vec())?;
            ManagedObject::Certificate(Certificate::new(CertificateType::X_509, der))
        }
        ObjectKind::PublicKey => {
            let der =
                der::<SubjectPublicKeyInfoDer<'static>>(&args.file, octets, |der| der.to_vec())?;
            let block = asymmetric(KeyFormatType::X_509, der, algorithm, args.length)?;
            ManagedObject::PublicKey(PublicKey::new(block))
        }
        ObjectKind::PrivateKey => {
            let der = der::<PrivatePkcs8KeyDer<'static>>(&args.file, octets, |der| {
                der.secret_pkcs8_der().to_vec()
            })?;
            let block = asymmetric(KeyFormatType::PKCS_8, der, algorithm, args.length)?;
            ManagedObject::PrivateKey(PrivateKey::new(block))
        }
    })
}

fn asymmetric(
    format: KeyFormatType,
    der: Vec<u8>,
    algorithm: Option<CryptographicAlgorithm>,
    length: Option<i32>,
) -> Result<KeyBlock> {
    let (algorithm, length) = (needed(algorithm, "--alg")?, needed(length, "--length")?);
    Ok(KeyBlock::new(format, Secret::new(der)).with_algorithm(algorithm, length))
}

fn needed<T>(value: Option<T>, option: &str) -> Result<T> {
    value.ok_or_else(|| {
        Failure::usage(format!("this type of object needs {option}"))
            .hint("add the option; KMIP asks for it")
    })
}

/// DER from DER or PEM.
fn der<T: PemObject>(file: &Path, octets: Vec<u8>, take: fn(&T) -> Vec<u8>) -> Result<Vec<u8>> {
    let begin = octets.iter().position(|octet| !octet.is_ascii_whitespace()).unwrap_or(0);
    if !octets.get(begin..).unwrap_or_default().starts_with(b"-----BEGIN ") {
        return Ok(octets);
    }
    T::from_pem_slice(&octets).map(|value| take(&value)).map_err(|error| {
        Failure::usage(format!("{}: PEM, but not of this type: {error}", file.display())).hint(
            "check --type; keys are SubjectPublicKeyInfo (PUBLIC KEY) or PKCS#8 (PRIVATE KEY)",
        )
    })
}

/// Locate.
pub(crate) fn locate(args: &LocateArgs) -> Result<RequestPayload> {
    let mut attributes = Vec::new();
    if let Some(name) = &args.name {
        attributes.push(Name::text(name.as_str()).into());
    }
    if let Some(kind) = args.kind {
        attributes.push(object_type(kind).into());
    }
    if let Some(state) = &args.state {
        attributes.push(State(names::value(State::REGISTRY, state)?).into());
    }
    if let Some(alg) = &args.alg {
        attributes.push(algorithm(alg)?.into());
    }
    if let Some(length) = args.length {
        attributes.push(AttributeValue::CryptographicLength(length));
    }
    if let Some(group) = &args.group {
        attributes.push(AttributeValue::ObjectGroup(group.as_str().into()));
    }
    attributes.extend(custom(&args.attributes)?);
    let mut request = LocateRequest::new(attributes);
    request.maximum_items = args.max;
    Ok(request.into())
}

/// The objects that have a name.
pub(crate) fn locate_by_name(name: &str) -> LocateRequest {
    let mut request = LocateRequest::new([AttributeValue::from(Name::text(name))]);
    // Two tell that there is more than one, and more tell which.
    request.maximum_items = Some(20);
    request
}

/// Get, of an object.
pub(crate) fn get(object: &str) -> RequestPayload {
    GetRequest::new(object).into()
}

/// Get Attributes, of an object: these, or all.
pub(crate) fn get_attributes(object: &str, names: &[String]) -> RequestPayload {
    GetAttributesRequest::new(object, names.iter().map(String::as_str)).into()
}

/// Get Attribute List, of an object.
pub(crate) fn get_attribute_list(object: &str) -> RequestPayload {
    GetAttributeListRequest::new(object).into()
}

/// Activate, of an object.
pub(crate) fn activate(object: &str) -> RequestPayload {
    ActivateRequest::new(object).into()
}

/// Destroy, of an object.
pub(crate) fn destroy(object: &str) -> RequestPayload {
    DestroyRequest::new(object).into()
}

/// Revoke, of an object; a compromise has its date, or else began at `now`.
pub(crate) fn revoke(object: &str, args: &RevokeArgs, now: i64) -> Result<RequestPayload> {
    let table = RevocationReasonCode::REGISTRY;
    let code = RevocationReasonCode(names::value(table, &args.reason)?);
    let compromise =
        matches!(code, RevocationReasonCode::KEY_COMPROMISE | RevocationReasonCode::CA_COMPROMISE);
    if args.compromised_at.is_some() && !compromise {
        return Err(Failure::usage(format!("{} is no compromise", args.reason))
            .hint("leave out --compromised-at, or give --reason key-compromise"));
    }
    let mut reason = RevocationReason::new(code);
    reason.revocation_message = args.message.as_deref().map(Text::from);
    let mut request = RevokeRequest::new(object, reason);
    if compromise {
        let since = args.compromised_at.map_or(now, jiff::Timestamp::as_second);
        request.compromise_occurrence_date = Some(DateTime(since));
    }
    Ok(request.into())
}

/// Query.
pub(crate) fn query(functions: &[String]) -> Result<RequestPayload> {
    if functions.is_empty() {
        let usual = [
            QueryFunction::QUERY_OPERATIONS,
            QueryFunction::QUERY_OBJECTS,
            QueryFunction::QUERY_SERVER_INFORMATION,
        ];
        return Ok(QueryRequest::new(usual).into());
    }
    let value = |text: &String| {
        let table = QueryFunction::REGISTRY;
        // `operations` stands for Query Operations.
        names::value(table, text)
            .or_else(|failure| names::value(table, &format!("query {text}")).map_err(|_| failure))
    };
    let functions: Result<Vec<QueryFunction>> =
        functions.iter().map(|text| value(text).map(QueryFunction)).collect();
    Ok(QueryRequest::new(functions?).into())
}

/// Discover Versions.
pub(crate) fn discover_versions(versions: &[Version]) -> RequestPayload {
    let versions: Vec<ProtocolVersion> =
        versions.iter().map(|version| protocol(*version)).collect();
    DiscoverVersionsRequest::new(versions).into()
}

/// The version as the messages have it.
pub(crate) const fn protocol(version: Version) -> ProtocolVersion {
    ProtocolVersion::new(version.major, version.minor)
}

fn algorithm(text: &str) -> Result<CryptographicAlgorithm> {
    names::value(CryptographicAlgorithm::REGISTRY, text).map(CryptographicAlgorithm)
}

fn usage(texts: &[String], default: CryptographicUsageMask) -> Result<CryptographicUsageMask> {
    if texts.is_empty() {
        return Ok(default);
    }
    names::mask(CryptographicUsageMask::REGISTRY, texts).map(CryptographicUsageMask)
}

fn default_usage(algorithm: CryptographicAlgorithm) -> CryptographicUsageMask {
    if algorithm.name().is_some_and(|name| name.starts_with("HMAC")) {
        CryptographicUsageMask::MAC_GENERATE | CryptographicUsageMask::MAC_VERIFY
    } else {
        CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT
    }
}

fn new_object(args: &NewObjectArgs) -> Result<Vec<AttributeValue>> {
    let names = args.names.iter().map(|name| Name::text(name.as_str()).into());
    let groups = args.groups.iter().map(|group| AttributeValue::ObjectGroup(group.as_str().into()));
    Ok(names.chain(groups).chain(custom(&args.attributes)?).collect())
}

/// `x-purpose=backup`, or `x-purpose=@FILE`.
fn custom(texts: &[String]) -> Result<Vec<AttributeValue>> {
    let read = |text: &String| {
        let pair = text.split_once('=').filter(|(name, _)| name.starts_with("x-"));
        let Some((name, value)) = pair else {
            return Err(Failure::usage(format!("\"{text}\" is no custom attribute"))
                .hint("write it like x-purpose=backup; only names that begin with x- are custom"));
        };
        let value = match value.strip_prefix('@') {
            Some(file) => fs::read_to_string(file).map_err(|error| {
                Failure::usage(format!("{file}: {error}")).hint("name a file with UTF-8 text")
            })?,
            None => value.to_owned(),
        };
        let value = Text::from(value.as_str());
        Ok(AttributeValue::Other(name.into(), RawValue::of(&value)))
    };
    texts.iter().map(read).collect()
}

const fn object_type(kind: ObjectKind) -> ObjectType {
    match kind {
        ObjectKind::SymmetricKey => ObjectType::SYMMETRIC_KEY,
        ObjectKind::SecretData => ObjectType::SECRET_DATA,
        ObjectKind::OpaqueObject => ObjectType::OPAQUE_OBJECT,
        ObjectKind::Certificate => ObjectType::CERTIFICATE,
        ObjectKind::PublicKey => ObjectType::PUBLIC_KEY,
        ObjectKind::PrivateKey => ObjectType::PRIVATE_KEY,
    }
}

/// An attribute of a message, for tests of what the options became.
#[cfg(test)]
pub(crate) fn attribute<'a>(
    attributes: &'a [bindery_kmip::message::Attribute],
    name: &str,
) -> Option<&'a AttributeValue> {
    attributes.iter().find(|attribute| attribute.name() == name).map(|attribute| &attribute.value)
}
