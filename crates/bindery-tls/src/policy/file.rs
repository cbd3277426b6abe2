//! Policies as TOML.

use std::{borrow::Cow, fmt, ops::Range, path::PathBuf, time::Duration};

use bindery_core::{CipherSuite, TlsVersion};
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Characteristics, ClientAuth, Demand, Need, Policy, Resumption, Row, SignatureScheme, Trust,
    restriction::{group_named, suite_named, version_named},
};
use crate::{TlsError, TlsErrorKind, pem::configuration, registry};

/// A name of the file, and where it stands.
type Name = Spanned<String>;

/// What is wrong, and where that stands in the text, in octets.
struct Wrong {
    error: TlsError,
    span: Option<Range<usize>>,
}

impl From<TlsError> for Wrong {
    fn from(error: TlsError) -> Self {
        Self { error, span: None }
    }
}

/// Says where a fault stands.
fn at<T>(what: &Spanned<T>) -> impl FnOnce(TlsError) -> Wrong + use<T> {
    let span = what.span();
    move |error| Wrong { error, span: Some(span) }
}

/// The file's tables. A key that is not here is an error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    title: String,
    references: Vec<String>,
    based_on: Option<Name>,
    versions: Spanned<Versions>,
    suites: Spanned<Suites>,
    groups: Names,
    signatures: Names,
    client_certificates: Option<Certificates>,
    alpn: Option<Vec<String>>,
    resumption: Option<bool>,
    ticket_rotation_seconds: Option<Spanned<u32>>,
    trust_anchors: Vec<PathBuf>,
    crls: Vec<PathBuf>,
    psk_identities: Option<Vec<String>>,
}

impl Default for File {
    fn default() -> Self {
        Self {
            title: "a policy of the configuration".into(),
            references: Vec::new(),
            based_on: None,
            versions: Spanned::new(0..0, Versions::default()),
            suites: Spanned::new(0..0, Suites::default()),
            groups: Names::default(),
            signatures: Names::default(),
            client_certificates: None,
            alpn: None,
            resumption: None,
            ticket_rotation_seconds: None,
            trust_anchors: Vec::new(),
            crls: Vec::new(),
            psk_identities: None,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Versions {
    minimum: Option<Name>,
    maximum: Option<Name>,
    required: Vec<Name>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Suites {
    required: Option<Vec<Name>>,
    permitted: Option<Vec<Name>>,
    left_out: Option<Vec<Name>>,
    order: Vec<Name>,
    #[serde(rename = "where")]
    characteristics: Option<Like>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Names {
    required: Option<Vec<Name>>,
    permitted: Option<Vec<Name>>,
    left_out: Option<Vec<Name>>,
}

/// What is not given asks for what no careful operator goes without: who wants suites without it
/// says so.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Like {
    min_bits: u16,
    key_exchange: Spanned<Words>,
    signing: Spanned<Words>,
    encryption: Spanned<Words>,
    integrity: Spanned<Words>,
    forward_secrecy: bool,
    aead: bool,
    recommended: bool,
}

/// `"any"`, `"present"`, or the words that are taken.
enum Words {
    One(String),
    Many(Vec<String>),
}

/// Read by hand, so that what is wrong with it is said in the words of the file.
impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfWords;

        impl<'de> Visitor<'de> for OfWords {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"any\", \"present\", a word of the registry, or a list of such words")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Words, E> {
                Ok(Words::One(word.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Words, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = list.next_element()? {
                    words.push(word);
                }
                Ok(Words::Many(words))
            }
        }

        deserializer.deserialize_any(OfWords)
    }
}

impl Default for Words {
    fn default() -> Self {
        Self::One("present".into())
    }
}

impl Default for Like {
    fn default() -> Self {
        let present = || Spanned::new(0..0, Words::default());
        Self {
            min_bits: 128,
            key_exchange: present(),
            signing: present(),
            encryption: present(),
            integrity: present(),
            forward_secrecy: false,
            aead: false,
            recommended: false,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Certificates {
    None,
    Optional,
    Required,
}

/// Where the keys of a policy are told.
const KEYS: &str = "bindery tls policy --keys shows every key";

impl Policy {
    /// Every key of a policy with its meaning, as commented TOML: a policy that is good as it
    /// stands. This needs the feature `toml`.
    pub const KEYS: &str = include_str!("keys.toml");

    /// Reads a policy from TOML, under a name. This needs the feature `toml`.
    ///
    /// `based_on` names a built-in policy to start from; a table that is given takes the place of
    /// that policy's rows of the same kind. Paths of files are taken as they stand:
    /// [`Policy::with_files_in`] puts relative ones into a folder. Without `based_on`, groups and
    /// signature schemes that are not given are those of `modern`; versions and suites must be
    /// given. [`Policy::KEYS`] has every key.
    ///
    /// # Errors
    /// [`TlsErrorKind::Configuration`]: not TOML, an unknown key, a name that no registry has, a
    /// name of a built-in policy, or nothing permitted at all; the message names key, line and
    /// column.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, TlsError> {
        Self::from_toml_table(name, text, &[]).map_err(|error| {
            let place = error.span().map(|span| place(text, span.start)).unwrap_or_default();
            let message = format!("TLS policy {name}: {place}{}", error.message());
            TlsError::new(TlsErrorKind::Configuration, message, error.hint().to_owned())
                .with_source(error)
        })
    }

    /// The same from a table of a larger text, such as `["tls", "policy", "plant"]` of a program's
    /// configuration. [`TlsError::span`] tells where in the whole text a fault stands.
    ///
    /// # Errors
    /// As [`Policy::from_toml`], or there is no such table. The message does not name the place.
    pub fn from_toml_table(name: &str, text: &str, path: &[&str]) -> Result<Self, TlsError> {
        let read = |error: toml::de::Error| {
            let message = error.message().replace('\n', " ");
            let told = configuration(message, KEYS).with_span(error.span());
            told.with_source(error)
        };
        let table = table(text, path).map_err(read)?;
        let Some(table) = table else {
            let message = format!("there is no table [{}]", path.join("."));
            return Err(configuration(message, "add it"));
        };
        let header = table.span();
        let file = File::deserialize(toml::de::Deserializer::from(table)).map_err(read)?;
        if Self::named(name).is_some() {
            let message = "a built-in policy has this name";
            let hint = "give it another name, and based_on the built-in";
            return Err(configuration(message, hint).with_span(Some(header)));
        }
        file.into_policy(name).map_err(|Wrong { error, span }| {
            let span = span.filter(|span| !span.is_empty()).unwrap_or(header);
            error.with_span(Some(span))
        })
    }
}

/// A table of a text, by its path.
fn table<'t>(
    text: &'t str,
    path: &[&str],
) -> Result<Option<Spanned<DeTable<'t>>>, toml::de::Error> {
    let mut found = DeTable::parse(text)?;
    for key in path {
        let mut entries = found.into_inner().into_iter();
        let Some((_, value)) = entries.find(|(name, _)| name.get_ref() == key) else {
            return Ok(None);
        };
        let span = value.span();
        let DeValue::Table(inner) = value.into_inner() else { return Ok(None) };
        found = Spanned::new(span, inner);
    }
    Ok(Some(found))
}

/// `line 3, column 7: `, both from 1; a column is a character.
fn place(text: &str, start: usize) -> String {
    let before = text.get(..start).unwrap_or(text);
    let begin = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before.get(begin..).unwrap_or_default().chars().count() + 1;
    format!("line {}, column {column}: ", before.matches('\n').count() + 1)
}

impl File {
    fn into_policy(self, name: &str) -> Result<Policy, Wrong> {
        let base = self.based_on.as_ref().map(|base| {
            Policy::named(base.get_ref()).ok_or_else(|| {
                let known = Policy::built_in();
                let known: Vec<&str> = known.iter().map(|policy| policy.name.as_ref()).collect();
                let message =
                    format!("based_on = {:?}: no built-in policy is called so", base.get_ref());
                let hint = format!("leave it out, or name a built-in policy: {}", known.join(", "));
                at(base)(configuration(message, hint))
            })
        });
        let (from_base, base) = match base.transpose()? {
            Some(base) => (true, base),
            None => (false, Policy::modern()),
        };
        let title = self.title.clone();
        let mut policy = Policy { name: name.to_owned().into(), title: title.into(), ..base };
        policy.references = self.references.iter().cloned().map(Cow::from).collect();
        policy.notes.clear();
        policy.modern_subset = None;
        let (versions, suites) = (self.versions.get_ref(), self.suites.get_ref());
        versions.put_into(&mut policy, from_base, at(&self.versions))?;
        suites.put_into(&mut policy, from_base, at(&self.suites))?;
        self.groups.put_into(&mut policy.groups, group_named, "groups")?;
        self.signatures.put_into(&mut policy.signatures, signature_named, "signatures")?;
        policy.client_auth = match self.client_certificates {
            None => policy.client_auth,
            Some(Certificates::None) => ClientAuth::None,
            Some(Certificates::Optional) => ClientAuth::Optional,
            Some(Certificates::Required) => ClientAuth::Required,
        };
        if let Some(protocols) = self.alpn {
            policy.alpn = Some(protocols.into_iter().map(String::into_bytes).collect());
        }
        let identities = self.psk_identities;
        policy.trust = Trust {
            anchors: self.trust_anchors,
            crls: self.crls,
            psk_identities: identities.map(|all| all.into_iter().map(String::into_bytes).collect()),
        };
        policy.resumption =
            resumption(policy.resumption, self.resumption, self.ticket_rotation_seconds)?;
        Ok(policy)
    }
}

fn resumption(
    base: Resumption,
    tickets: Option<bool>,
    seconds: Option<Spanned<u32>>,
) -> Result<Resumption, Wrong> {
    let rotation = match &seconds {
        None if !base.tickets => Resumption::default().rotation,
        None => base.rotation,
        Some(seconds) => Duration::from_secs((*seconds.get_ref()).into()),
    };
    if let Some(seconds) = &seconds
        && (rotation.is_zero() || rotation > Resumption::LONGEST_ROTATION)
    {
        let longest = Resumption::LONGEST_ROTATION.as_secs();
        let message = format!("ticket_rotation_seconds: from 1 to {longest}");
        return Err(at(seconds)(configuration(message, "six hours are 21600")));
    }
    match tickets.unwrap_or(base.tickets) {
        false => Ok(Resumption::none()),
        true => Ok(Resumption::rotating(rotation)),
    }
}

impl Versions {
    fn put_into(
        &self,
        policy: &mut Policy,
        from_base: bool,
        here: impl FnOnce(TlsError) -> Wrong,
    ) -> Result<(), Wrong> {
        let Self { minimum: None, maximum: None, required } = self else {
            return self.range(policy);
        };
        if !required.is_empty() || !from_base {
            let message = "versions: neither minimum nor maximum is given";
            return Err(here(configuration(
                message,
                "write [versions] with minimum = \"TLS 1.2\"",
            )));
        }
        Ok(())
    }

    fn range(&self, policy: &mut Policy) -> Result<(), Wrong> {
        let version = |name: &Name| version_named(name.get_ref()).map_err(at(name));
        let bound = |name: &Option<Name>, or| name.as_ref().map_or(Ok(or), version);
        let minimum = bound(&self.minimum, TlsVersion::TLS_1_2)?;
        let maximum = bound(&self.maximum, TlsVersion::TLS_1_3)?;
        if minimum > maximum {
            let message = format!("versions: minimum = {minimum} is above maximum = {maximum}");
            let error = configuration(message, "exchange the two");
            return Err(match self.minimum.as_ref().or(self.maximum.as_ref()) {
                Some(bound) => at(bound)(error),
                None => error.into(),
            });
        }
        let mut required = Vec::new();
        for name in &self.required {
            let one = version(name)?;
            if !(minimum..=maximum).contains(&one) {
                let message = format!("versions: required = {one} is outside minimum and maximum");
                return Err(at(name)(configuration(message, "take it out, or move the bounds")));
            }
            required.push(one);
        }
        policy.versions = (0x0300..=0x0304)
            .rev()
            .map(TlsVersion)
            .map(|version| {
                if required.contains(&version) {
                    Row::required(version, "versions.required")
                } else if (minimum..=maximum).contains(&version) {
                    Row::permitted(version, "versions.minimum to versions.maximum")
                } else {
                    Row::left_out(version, "outside versions.minimum to versions.maximum")
                }
            })
            .collect();
        Ok(())
    }
}

impl Suites {
    fn put_into(
        &self,
        policy: &mut Policy,
        from_base: bool,
        here: impl FnOnce(TlsError) -> Wrong,
    ) -> Result<(), Wrong> {
        let named = Names {
            required: self.required.clone(),
            permitted: self.permitted.clone(),
            left_out: self.left_out.clone(),
        };
        if !named.are_given() && self.characteristics.is_none() {
            if !from_base {
                let message = "suites: none is named, and no characteristics are given";
                let hint = "write suites.permitted or [suites.where]";
                return Err(here(configuration(message, hint)));
            }
        } else {
            policy.suites = named.rows(suite_named, "suites")?;
            if let Some(like) = &self.characteristics {
                *policy = policy.clone().permitting(&like.characteristics()?, "suites.where");
            }
        }
        let mut order: Vec<CipherSuite> = Vec::new();
        for name in &self.order {
            let suite = suite_named(name.get_ref()).map_err(at(name))?;
            if !policy.suites.iter().any(|row| row.what == suite) {
                let message = format!("suites.order: {} stands in no row", suite.name);
                let hint = "permit it, or take it out of the order";
                return Err(at(name)(configuration(message, hint)));
            }
            order.push(suite);
        }
        let place = |suite| order.iter().position(|one| *one == suite).unwrap_or(order.len());
        policy.suites.sort_by_key(|row| place(row.what));
        let used = policy.suites.iter().any(|row| row.need != Need::LeftOut);
        if used {
            Ok(())
        } else {
            Err(here(configuration("suites: no suite is permitted", "permit one")))
        }
    }
}

impl Names {
    /// A list that is given and empty is given: it permits nothing, and not what is in the policy
    /// that this one is based on.
    const fn are_given(&self) -> bool {
        self.required.is_some() || self.permitted.is_some() || self.left_out.is_some()
    }

    fn put_into<T: Copy + PartialEq>(
        &self,
        rows: &mut Vec<Row<T>>,
        find: impl Fn(&str) -> Result<T, TlsError>,
        kind: &str,
    ) -> Result<(), Wrong> {
        if self.are_given() {
            *rows = self.rows(find, kind)?;
        }
        Ok(())
    }

    fn rows<T: Copy + PartialEq>(
        &self,
        find: impl Fn(&str) -> Result<T, TlsError>,
        source: &str,
    ) -> Result<Vec<Row<T>>, Wrong> {
        let mut rows: Vec<Row<T>> = Vec::new();
        let lists = [
            (&self.required, Need::Required, "required"),
            (&self.permitted, Need::Permitted, "permitted"),
            (&self.left_out, Need::LeftOut, "left_out"),
        ];
        for (names, need, key) in lists {
            for name in names.iter().flatten() {
                let what = find(name.get_ref()).map_err(at(name))?;
                if rows.iter().any(|row| row.what == what) {
                    let message = format!("{source}.{key}: {} is named twice", name.get_ref());
                    return Err(at(name)(configuration(message, "name it once")));
                }
                rows.push(Row::new(what, need, format!("{source}.{key}")));
            }
        }
        Ok(rows)
    }
}

impl Like {
    fn characteristics(&self) -> Result<Characteristics, Wrong> {
        let demand = |words: &Spanned<Words>, key, word_of: &dyn Fn(&_) -> _| {
            words.get_ref().demand(key, word_of).map_err(at(words))
        };
        Ok(Characteristics {
            min_bits: self.min_bits,
            key_exchange: demand(&self.key_exchange, "key_exchange", &|row| row.key_exchange)?,
            authentication: demand(&self.signing, "signing", &|row| row.authentication)?,
            encryption: demand(&self.encryption, "encryption", &|row| row.encryption)?,
            integrity: demand(&self.integrity, "integrity", &|row| row.integrity)?,
            forward_secrecy: self.forward_secrecy,
            aead: self.aead,
            recommended: self.recommended,
        })
    }
}

impl Words {
    fn demand(
        &self,
        key: &str,
        word_of: &dyn Fn(&registry::SuiteRow) -> &'static str,
    ) -> Result<Demand, TlsError> {
        let words = match self {
            Self::One(word) if word == "any" => return Ok(Demand::Any),
            Self::One(word) if word == "present" => return Ok(Demand::Present),
            Self::One(word) => std::slice::from_ref(word),
            Self::Many(words) => words,
        };
        let known = |word: &String| registry::suites::ALL.iter().any(|row| word_of(row) == word);
        if let Some(stranger) = words.iter().find(|word| !known(word)) {
            let message = format!("suites.where.{key}: no suite has {stranger:?}");
            let mut known: Vec<&str> = registry::suites::ALL.iter().map(word_of).collect();
            known.sort_unstable();
            known.dedup();
            let hint = format!(
                "write \"any\", \"present\", or words of the registry: {}",
                known.join(", ")
            );
            return Err(configuration(message, hint));
        }
        Ok(Demand::OneOf(words.iter().cloned().map(Cow::from).collect()))
    }
}

fn signature_named(name: &str) -> Result<SignatureScheme, TlsError> {
    registry::signature_named(name).ok_or_else(|| {
        let hint = "use IANA's names, such as ecdsa_secp256r1_sha256";
        configuration(format!("no signature scheme is called {name:?}"), hint)
    })
}
