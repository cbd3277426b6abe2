//! Policies as TOML.

use std::{borrow::Cow, path::PathBuf, time::Duration};

use bindery_core::{CipherSuite, TlsVersion};
use serde::Deserialize;

use super::{
    Characteristics, ClientAuth, Demand, Need, Policy, Resumption, Row, SignatureScheme, Trust,
    restriction::{group_named, suite_named, version_named},
};
use crate::{TlsError, TlsErrorKind, pem::configuration, registry};

/// The file's tables. A key that is not here is an error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    title: String,
    references: Vec<String>,
    based_on: Option<String>,
    versions: Versions,
    suites: Suites,
    groups: Names,
    signatures: Names,
    client_certificates: Option<Certificates>,
    alpn: Option<Vec<String>>,
    resumption: Option<bool>,
    ticket_rotation_seconds: Option<u32>,
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
            versions: Versions::default(),
            suites: Suites::default(),
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
    minimum: Option<String>,
    maximum: Option<String>,
    required: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Suites {
    required: Option<Vec<String>>,
    permitted: Option<Vec<String>>,
    left_out: Option<Vec<String>>,
    order: Vec<String>,
    #[serde(rename = "where")]
    characteristics: Option<Like>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Names {
    required: Option<Vec<String>>,
    permitted: Option<Vec<String>>,
    left_out: Option<Vec<String>>,
}

/// What is not given asks for what no careful operator goes without: who wants suites without it
/// says so.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Like {
    min_bits: u16,
    key_exchange: Words,
    signing: Words,
    encryption: Words,
    integrity: Words,
    forward_secrecy: bool,
    aead: bool,
    recommended: bool,
}

/// `"any"`, `"present"`, or the words that are taken.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

impl Default for Words {
    fn default() -> Self {
        Self::One("present".into())
    }
}

impl Default for Like {
    fn default() -> Self {
        Self {
            min_bits: 128,
            key_exchange: Words::default(),
            signing: Words::default(),
            encryption: Words::default(),
            integrity: Words::default(),
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

impl Policy {
    /// Reads a policy from TOML, under a name. This needs the feature `toml`.
    ///
    /// `based_on` names a built-in policy to start from; a table that is given takes the place of
    /// that policy's rows of the same kind. Paths of files are taken as they stand:
    /// [`Policy::with_files_in`] puts relative ones into a folder. Without `based_on`, groups and signature schemes that
    /// are not given are those of `modern`; versions and suites must be given.
    ///
    /// # Errors
    /// [`TlsErrorKind::Configuration`]: not TOML, an unknown key, a name that no registry has, a
    /// name of a built-in policy, or nothing permitted at all; the message names key and line.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, TlsError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let message = format!("TLS policy {name}: {}", error.to_string().trim_end());
            configuration(message, "bindery-tls/README.md lists the keys").with_source(error)
        })?;
        if Self::named(name).is_some() {
            let message = format!("TLS policy {name}: a built-in policy has this name");
            return Err(configuration(message, "give it another name, and based_on the built-in"));
        }
        file.into_policy(name).map_err(|error| {
            let message = format!("TLS policy {name}: {}", error.message());
            TlsError::new(TlsErrorKind::Configuration, message, error.hint().to_owned())
        })
    }
}

impl File {
    fn into_policy(self, name: &str) -> Result<Policy, TlsError> {
        let base = self.based_on.as_deref().map(|base| {
            Policy::named(base).ok_or_else(|| {
                let message = format!("based_on = {base:?}: no built-in policy is called so");
                configuration(message, "leave it out, or name a built-in policy")
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
        self.versions.put_into(&mut policy, from_base)?;
        self.suites.put_into(&mut policy, from_base)?;
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
    seconds: Option<u32>,
) -> Result<Resumption, TlsError> {
    let rotation = match seconds {
        None if !base.tickets => Resumption::default().rotation,
        None => base.rotation,
        Some(seconds) => Duration::from_secs(seconds.into()),
    };
    if rotation.is_zero() || rotation > Resumption::LONGEST_ROTATION {
        let longest = Resumption::LONGEST_ROTATION.as_secs();
        let message = format!("ticket_rotation_seconds: from 1 to {longest}");
        return Err(configuration(message, "six hours are 21600"));
    }
    match tickets.unwrap_or(base.tickets) {
        false => Ok(Resumption::none()),
        true => Ok(Resumption::rotating(rotation)),
    }
}

impl Versions {
    fn put_into(&self, policy: &mut Policy, from_base: bool) -> Result<(), TlsError> {
        let Self { minimum: None, maximum: None, required } = self else {
            return self.range(policy);
        };
        if !required.is_empty() || !from_base {
            let message = "versions: neither minimum nor maximum is given";
            return Err(configuration(message, "write [versions] with minimum = \"TLS 1.2\""));
        }
        Ok(())
    }

    fn range(&self, policy: &mut Policy) -> Result<(), TlsError> {
        let bound = |name: &Option<String>, or| name.as_deref().map_or(Ok(or), version_named);
        let minimum = bound(&self.minimum, TlsVersion::TLS_1_2)?;
        let maximum = bound(&self.maximum, TlsVersion::TLS_1_3)?;
        let required: Vec<_> =
            self.required.iter().map(|n| version_named(n)).collect::<Result<_, _>>()?;
        if minimum > maximum {
            let message = format!("versions: minimum = {minimum} is above maximum = {maximum}");
            return Err(configuration(message, "exchange the two"));
        }
        if let Some(outside) = required.iter().find(|v| !(minimum..=maximum).contains(*v)) {
            let message = format!("versions: required = {outside} is outside minimum and maximum");
            return Err(configuration(message, "take it out, or move the bounds"));
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
    fn put_into(&self, policy: &mut Policy, from_base: bool) -> Result<(), TlsError> {
        let named = Names {
            required: self.required.clone(),
            permitted: self.permitted.clone(),
            left_out: self.left_out.clone(),
        };
        if !named.are_given() && self.characteristics.is_none() {
            if !from_base {
                let message = "suites: none is named, and no characteristics are given";
                return Err(configuration(message, "write suites.permitted or [suites.where]"));
            }
        } else {
            policy.suites = named.rows(suite_named, "suites")?;
            if let Some(like) = &self.characteristics {
                *policy = policy.clone().permitting(&like.characteristics()?, "suites.where");
            }
        }
        let order: Vec<CipherSuite> =
            self.order.iter().map(|name| suite_named(name)).collect::<Result<_, _>>()?;
        if let Some(stranger) = order.iter().find(|s| !policy.suites.iter().any(|r| r.what == **s))
        {
            let message = format!("suites.order: {} stands in no row", stranger.name);
            return Err(configuration(message, "permit it, or take it out of the order"));
        }
        let place = |suite| order.iter().position(|one| *one == suite).unwrap_or(order.len());
        policy.suites.sort_by_key(|row| place(row.what));
        let used = policy.suites.iter().any(|row| row.need != Need::LeftOut);
        if used {
            Ok(())
        } else {
            Err(configuration("suites: no suite is permitted", "permit one"))
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
    ) -> Result<(), TlsError> {
        if self.are_given() {
            *rows = self.rows(find, kind)?;
        }
        Ok(())
    }

    fn rows<T: Copy + PartialEq>(
        &self,
        find: impl Fn(&str) -> Result<T, TlsError>,
        source: &str,
    ) -> Result<Vec<Row<T>>, TlsError> {
        let mut rows: Vec<Row<T>> = Vec::new();
        let lists = [
            (&self.required, Need::Required, "required"),
            (&self.permitted, Need::Permitted, "permitted"),
            (&self.left_out, Need::LeftOut, "left_out"),
        ];
        for (names, need, key) in lists {
            for name in names.iter().flatten() {
                let what = find(name)?;
                if rows.iter().any(|row| row.what == what) {
                    let message = format!("{source}.{key}: {name} is named twice");
                    return Err(configuration(message, "name it once"));
                }
                rows.push(Row::new(what, need, format!("{source}.{key}")));
            }
        }
        Ok(rows)
    }
}

impl Like {
    fn characteristics(&self) -> Result<Characteristics, TlsError> {
        Ok(Characteristics {
            min_bits: self.min_bits,
            key_exchange: self.key_exchange.demand("key_exchange", &|row| row.key_exchange)?,
            authentication: self.signing.demand("signing", &|row| row.authentication)?,
            encryption: self.encryption.demand("encryption", &|row| row.encryption)?,
            integrity: self.integrity.demand("integrity", &|row| row.integrity)?,
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
            let hint = "write \"any\", \"present\", or words of the registry, such as ECDHE";
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
