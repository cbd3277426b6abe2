//! Derive Key (KMIP 1.4, section 4.6).

use bindery_ttlv::registry::{
    DerivationMethod as Method, HashingAlgorithm as Hash, KeyFormatType, LinkType, ObjectType,
    ResultReason, SecretDataType,
};

use super::{Scene, cryptography, describe, made_here};
use crate::{
    Secret,
    message::{
        Attribute, AttributeValue, CryptographicParameters, DerivationParameters, DeriveKeyRequest,
        Failure, KeyBlock, Link, ManagedObject, SecretData, SymmetricKey,
    },
    service::{
        Derivation, Fault,
        object::Object,
        template::{apply, given, lacking},
    },
};

/// The most iterations of PBKDF2: about a second of a processor.
const ITERATIONS: u32 = 2_000_000;

/// A new key or secret from one or two others: the key to derive with, and where there is a second
/// one it is the derivation data.
pub(in crate::service) fn decide(
    scene: &Scene<'_>,
    bases: &[Object],
    uid: String,
    request: &DeriveKeyRequest,
    attributes: &[Attribute],
) -> Result<Object, Fault> {
    let bits = given(attributes, |value| match value {
        AttributeValue::CryptographicLength(bits) => Some(*bits),
        _ => None,
    })
    .ok_or_else(|| lacking("Cryptographic Length", request.object_type))?;
    let octets = usize::try_from(bits).ok().filter(|bits| *bits > 0 && bits % 8 == 0);
    let octets =
        octets.map(|bits| bits / 8).filter(|octets| *octets <= 65_536).ok_or_else(|| {
            Failure::invalid_field("a derived object has whole octets, 65,536 at most")
        })?;
    let key = octets_of(scene, bases, request, octets)?;
    let algorithm = given(attributes, |value| match value {
        AttributeValue::CryptographicAlgorithm(algorithm) => Some(*algorithm),
        _ => None,
    });
    let material = match request.object_type {
        ObjectType::SYMMETRIC_KEY => {
            let algorithm =
                algorithm.ok_or_else(|| lacking("Cryptographic Algorithm", request.object_type))?;
            let block = KeyBlock::new(KeyFormatType::RAW, key).with_algorithm(algorithm, bits);
            ManagedObject::SymmetricKey(SymmetricKey::new(block))
        }
        ObjectType::SECRET_DATA => ManagedObject::SecretData(SecretData::new(
            SecretDataType::SEED,
            KeyBlock::new(KeyFormatType::RAW, key),
        )),
        other => {
            let text = format!("Derive Key makes symmetric keys and secret data, not a {other:?}");
            return Err(Failure::new(ResultReason::INVALID_OBJECT_TYPE, text).into());
        }
    };
    let mut object = Object::new(uid, scene.principal.clone(), scene.now, material);
    // The length of secret data is said for the derivation; it is no attribute of such an object.
    let kept: Vec<Attribute> = attributes
        .iter()
        .filter(|attribute| {
            request.object_type != ObjectType::SECRET_DATA
                || !matches!(attribute.value, AttributeValue::CryptographicLength(_))
        })
        .cloned()
        .collect();
    apply(&mut object, &kept, scene.version, scene.config.attributes)?;
    for base in bases {
        let link = Link::new(LinkType::DERIVATION_BASE_OBJECT_LINK, base.uid.as_str());
        object.attributes.push(Attribute::new(link));
    }
    made_here(scene, &mut object);
    describe(&mut object, scene.crypto);
    Ok(object)
}

/// The base with a link to what was derived from it.
pub(in crate::service) fn linked(scene: &Scene<'_>, base: Object, derived: &Object) -> Object {
    let mut base = scene.touched(base);
    let link = Link::new(LinkType::DERIVED_KEY_LINK, derived.uid.as_str());
    base.attributes.push(Attribute::new(link));
    base
}

fn octets_of(
    scene: &Scene<'_>,
    bases: &[Object],
    request: &DeriveKeyRequest,
    octets: usize,
) -> Result<Secret, Fault> {
    let Some(base) = bases.first() else { return Err(missing("the key to derive from").into()) };
    let secret = cryptography::octets(base)?;
    let said = &request.derivation_parameters;
    let second = match bases.get(1) {
        Some(second) => Some(cryptography::octets(second)?.clone()),
        None => said.derivation_data.clone(),
    };
    let own = said.cryptographic_parameters.as_deref();
    let parameters: CryptographicParameters = cryptography::parameters(base, own);
    let hash = parameters.hashing_algorithm.unwrap_or(Hash::SHA_256);
    let data = second.as_ref().map(Secret::expose);
    let mut out = zeroize::Zeroizing::new(vec![0; octets]);
    match request.derivation_method {
        Method::PBKDF2 => {
            let method = pbkdf2(said, &parameters)?;
            scene.crypto.derive(&method, secret.expose(), &mut out)?;
        }
        Method::HASH => {
            let mut running = scene.crypto.hash(hash)?;
            running.update(data.unwrap_or_else(|| secret.expose()));
            return shortened(&Secret::new(running.finish()), octets);
        }
        Method::HMAC => {
            let data = data.ok_or_else(|| missing("the Derivation Data"))?;
            let mut running = scene.crypto.hmac(hash, secret.expose())?;
            running.update(data);
            return shortened(&Secret::new(running.finish()), octets);
        }
        Method::ENCRYPT => {
            let data = second.ok_or_else(|| missing("the Derivation Data"))?;
            let work = cryptography::work(base, parameters, false)?;
            if work.is_aead() {
                return Err(Failure::feature_not_supported(
                    "keys are derived by encryption without authentication here",
                )
                .into());
            }
            let iv = said.initialization_vector.as_ref();
            let sealed = work.run(scene, &data, iv, &[], None)?;
            return shortened(&sealed.data, octets);
        }
        Method::NIST800_108_C => {
            let data = data.ok_or_else(|| missing("the Derivation Data"))?;
            scene.crypto.derive(&Derivation::Counter(hash, data), secret.expose(), &mut out)?;
        }
        Method::HKDF => {
            let salt = said.salt.as_deref().unwrap_or_default();
            let method = Derivation::Hkdf(hash, salt, data.unwrap_or_default());
            scene.crypto.derive(&method, secret.expose(), &mut out)?;
        }
        other => {
            let text = format!("the Derivation Method {other:?} is not offered");
            return Err(Failure::feature_not_supported(text).into());
        }
    }
    Ok(Secret::new(std::mem::take(&mut *out)))
}

fn missing(what: &str) -> Failure {
    Failure::missing_data(format!("{what} is missing"))
}

fn pbkdf2<'a>(
    said: &'a DerivationParameters,
    parameters: &CryptographicParameters,
) -> Result<Derivation<'a>, Failure> {
    let salt = said.salt.as_deref().ok_or_else(|| missing("the Salt"))?;
    let iterations = said.iteration_count.and_then(|count| u32::try_from(count).ok());
    let iterations =
        iterations.filter(|count| (1..=ITERATIONS).contains(count)).ok_or_else(|| {
            Failure::invalid_field(format!("the Iteration Count is between 1 and {ITERATIONS}"))
        })?;
    // RFC 8018 has SHA-1 where nothing is said.
    let hash = parameters.hashing_algorithm.unwrap_or(Hash::SHA_1);
    Ok(Derivation::Pbkdf2(hash, salt, iterations))
}

/// As much as is asked for of what a method gave.
fn shortened(given: &Secret, octets: usize) -> Result<Secret, Fault> {
    match given.expose().get(..octets) {
        Some(part) => Ok(Secret::from(part)),
        None => Err(Failure::invalid_field(format!(
            "the method gives {} octets, and {octets} are asked for",
            given.len()
        ))
        .into()),
    }
}
