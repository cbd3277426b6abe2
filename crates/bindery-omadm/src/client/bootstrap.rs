//! Bootstrap: the first account, from a provisioning document (OMA DM Bootstrap 1.2; the
//! application characteristic `w7`).

use bindery_syncml::{Characteristic, Options, Parameter, ProvisioningDoc};
use bytes::Bytes;
use thiserror::Error;

use super::{Account, AuthType, Credential};

/// Why a provisioning document gives no account.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BootstrapError {
    /// It cannot be read.
    #[error("the provisioning document cannot be read: {0}")]
    Document(#[from] bindery_syncml::Error),
    /// There is no characteristic for device management in it.
    #[error("the provisioning document has no APPLICATION with APPID w7")]
    NoApplication,
    /// Something that an account needs is missing or no good.
    #[error("the APPLICATION w7 has no good {0}")]
    Missing(&'static str),
}

impl Account {
    /// Reads the account of the first `w7` application of a provisioning document, in XML or
    /// WBXML.
    ///
    /// # Errors
    /// The document cannot be read, or the account in it lacks identifier or address.
    pub fn from_provisioning(document: &Bytes) -> Result<Self, BootstrapError> {
        let document = ProvisioningDoc::decode(document, &Options::LENIENT)?;
        let mut applications = document.characteristics.iter().filter(|it| is(it, "APPLICATION"));
        let application = applications
            .find(|it| it.value("APPID") == Some("w7"))
            .ok_or(BootstrapError::NoApplication)?;
        let server_id =
            application.value("PROVIDER-ID").ok_or(BootstrapError::Missing("PROVIDER-ID"))?;
        let inner = inside(application, "APPADDR").find_map(|it| it.value("ADDR"));
        let address = application.value("ADDR").or(inner);
        let address: http::Uri = address
            .and_then(|address| address.parse().ok())
            .filter(|address: &http::Uri| address.scheme().is_some() && address.host().is_some())
            .ok_or(BootstrapError::Missing("ADDR"))?;
        let mut account = Self::new(server_id, address);
        if let Some(name) = application.value("NAME") {
            name.clone_into(&mut account.name);
        }
        for auth in inside(application, "APPAUTH") {
            let Some(credential) = credential(auth) else { continue };
            match auth.value("AAUTHLEVEL") {
                // How the device proves itself to the application's server, ..
                Some("APPSRV") => account.client = Some(credential),
                // .. and the server to the device.
                Some("CLIENT") => account.server = Some(credential),
                _ => {}
            }
        }
        Ok(account)
    }
}

fn credential(auth: &Characteristic) -> Option<Credential> {
    // Without a type the digest is meant.
    let kind = auth.value("AAUTHTYPE").map_or(Some(AuthType::Digest), AuthType::from_name)?;
    let secret = auth.value("AAUTHSECRET").unwrap_or_default();
    let mut credential = Credential::new(kind, auth.value("AAUTHNAME")?, secret);
    if let Some(nonce) = auth.value("AAUTHDATA") {
        use base64::Engine as _;
        // Base64 as in NextNonce; what is none is taken as it stands.
        let octets = base64::engine::general_purpose::STANDARD.decode(nonce);
        credential.nonce = octets.unwrap_or_else(|_| nonce.as_bytes().to_vec()).into();
    }
    Some(credential)
}

fn inside<'c>(
    of: &'c Characteristic,
    kind: &'static str,
) -> impl Iterator<Item = &'c Characteristic> {
    let inner = of.parameters.iter().filter_map(|parameter| match parameter {
        Parameter::Characteristic(inner) => Some(inner),
        _ => None,
    });
    inner.filter(move |inner| is(inner, kind))
}

fn is(characteristic: &Characteristic, kind: &str) -> bool {
    characteristic.kind.eq_ignore_ascii_case(kind)
}
