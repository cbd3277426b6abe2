//! Objects that an item of 2.x names by what earlier items answered (KMIP 2.1, sections 4.58 and 11.58).

use std::{collections::BTreeMap, ops::Range};

use bindery_ttlv::registry::{ResultReason, UniqueIdentifierEnumeration as By};

use crate::message::{Failure, ResponsePayload, UniqueIdentifier};

/// The identifiers in the answers of a batch so far.
#[derive(Debug, Default)]
pub(super) struct Named {
    all: Vec<UniqueIdentifier>,
    /// Those of the latest item of each operation.
    latest: BTreeMap<u32, Range<usize>>,
}

impl Named {
    /// Takes in what an answer names.
    pub(super) fn answered(&mut self, payload: &ResponsePayload) {
        match payload {
            ResponsePayload::Certify(of) => self.one(By::CERTIFY, &of.unique_identifier),
            ResponsePayload::Create(of) => self.one(By::CREATE, &of.unique_identifier),
            ResponsePayload::DeriveKey(of) => self.one(By::DERIVE_KEY, &of.unique_identifier),
            ResponsePayload::Import(of) => self.one(By::IMPORT, &of.unique_identifier),
            ResponsePayload::JoinSplitKey(of) => {
                self.one(By::JOIN_SPLIT_KEY, &of.unique_identifier);
            }
            ResponsePayload::Register(of) => self.one(By::REGISTER, &of.unique_identifier),
            ResponsePayload::ReKey(of) => self.one(By::RE_KEY, &of.unique_identifier),
            ResponsePayload::ReCertify(of) => self.one(By::RE_CERTIFY, &of.unique_identifier),
            ResponsePayload::Locate(of) => self.several(By::LOCATE, &of.unique_identifiers),
            ResponsePayload::CreateSplitKey(of) => {
                self.several(By::CREATE_SPLIT_KEY, &of.unique_identifiers);
            }
            ResponsePayload::CreateKeyPair(of) => self.pair(
                [
                    By::CREATE_KEY_PAIR,
                    By::CREATE_KEY_PAIR_PRIVATE_KEY,
                    By::CREATE_KEY_PAIR_PUBLIC_KEY,
                ],
                [&of.private_key_unique_identifier, &of.public_key_unique_identifier],
            ),
            ResponsePayload::ReKeyKeyPair(of) => self.pair(
                [
                    By::RE_KEY_KEY_PAIR,
                    By::RE_KEY_KEY_PAIR_PRIVATE_KEY,
                    By::RE_KEY_KEY_PAIR_PUBLIC_KEY,
                ],
                [&of.private_key_unique_identifier, &of.public_key_unique_identifier],
            ),
            _ => {}
        }
    }

    fn one(&mut self, by: By, uid: &UniqueIdentifier) {
        self.several(by, std::slice::from_ref(uid));
    }

    fn several(&mut self, by: By, uids: &[UniqueIdentifier]) {
        let begin = self.all.len();
        self.all.extend_from_slice(uids);
        self.latest.insert(by.0, begin..self.all.len());
    }

    fn pair(&mut self, [both, private, public]: [By; 3], uids: [&UniqueIdentifier; 2]) {
        let begin = self.all.len();
        self.all.extend(uids.into_iter().cloned());
        self.latest.insert(both.0, begin..begin + 2);
        self.latest.insert(private.0, begin..begin + 1);
        self.latest.insert(public.0, begin + 1..begin + 2);
    }

    /// The object of the latest item of an operation.
    ///
    /// # Errors
    /// There is none, or there are several: the specification has the item repeated for each, which
    /// this server does not do.
    pub(super) fn latest(&self, by: By) -> Result<String, Failure> {
        let place = self.latest.get(&by.0).cloned().and_then(|range| self.all.get(range));
        match place.unwrap_or_default() {
            [one] => Ok(one.to_string()),
            [] => Err(missing(&format!("no earlier item of the batch is a {by} that names one"))),
            several => Err(Failure::feature_not_supported(format!(
                "the latest {by} names {} objects; name one, by an Integer or its identifier",
                several.len()
            ))),
        }
    }

    /// The n-th identifier of the answers, from 0 on, or counted back from the last by a negative
    /// number.
    ///
    /// # Errors
    /// There are fewer.
    pub(super) fn at(&self, place: i32) -> Result<String, Failure> {
        let from_start = match usize::try_from(place) {
            Ok(place) => Some(place),
            Err(_) => self.all.len().checked_sub(place.unsigned_abs() as usize),
        };
        match from_start.and_then(|place| self.all.get(place)) {
            Some(uid) => Ok(uid.to_string()),
            None => Err(missing(&format!(
                "the batch has named {} objects so far, and {place} is none of them",
                self.all.len()
            ))),
        }
    }
}

fn missing(text: &str) -> Failure {
    Failure::new(ResultReason::OBJECT_NOT_FOUND, text)
}

#[cfg(test)]
mod tests {
    use super::{By, Named};
    use crate::message::{CreateKeyPairResponse, CreateResponse, ReKeyKeyPairResponse};
    use bindery_ttlv::registry::ObjectType;

    #[test]
    fn pairs_are_named_whole_and_by_halves() {
        let mut named = Named::default();
        named.answered(&CreateKeyPairResponse::new("private", "public").into());
        named.answered(&CreateResponse::new(ObjectType::SYMMETRIC_KEY, "key").into());
        named.answered(&CreateKeyPairResponse::new("private 2", "public 2").into());
        named.answered(&ReKeyKeyPairResponse::new("new private", "new public").into());
        let latest = |by| named.latest(by).unwrap();
        assert_eq!(latest(By::CREATE_KEY_PAIR_PRIVATE_KEY), "private 2");
        assert_eq!(latest(By::CREATE_KEY_PAIR_PUBLIC_KEY), "public 2");
        assert_eq!(latest(By::RE_KEY_KEY_PAIR_PRIVATE_KEY), "new private");
        assert_eq!(latest(By::RE_KEY_KEY_PAIR_PUBLIC_KEY), "new public");
        assert_eq!(latest(By::CREATE), "key");
        for several in [By::CREATE_KEY_PAIR, By::RE_KEY_KEY_PAIR, By::IMPORT] {
            named.latest(several).unwrap_err();
        }
        assert_eq!(
            (named.at(2).unwrap(), named.at(-1).unwrap()),
            ("key".into(), "new public".into())
        );
    }
}
