//! What `bindery dev` keeps in its directory: certificates, keys, the client's context.

use std::{fs, net::IpAddr, path::Path, time::Duration};

use bindery_core::{IdentityMap, Peer, Timestamp};
use bindery_store::Kek;
use bindery_tls::{
    Certificate, CertificateIdentity, Identity, TlsError,
    pki::{Authority, Issued, Leaf, Validity},
};

use super::file_failure;
use crate::{
    config::ClientSettings,
    context::{ContextFile, FILE_NAME},
    error::Result,
    files,
};

/// The authority's certificate.
pub(super) const CA_CERTIFICATE: &str = "ca.pem";
const CA_KEY: &str = "ca.key";
/// The server's certificate.
pub(super) const SERVER_CERTIFICATE: &str = "server.pem";
/// The server's key.
pub(super) const SERVER_KEY: &str = "server.key";
const CLIENT_CERTIFICATE: &str = "client.pem";
const CLIENT_KEY: &str = "client.key";
/// The key-encryption key.
pub(super) const KEK: &str = "bindery.kek";
/// The store.
pub(crate) const DATABASE: &str = "bindery.db";

/// The context's name.
const CONTEXT: &str = "dev";
/// The client's name.
const CLIENT: &str = "alice";
const ORGANIZATION: &str = "bindery dev";

const DAY: i64 = 24 * 3600;
/// How long the authority's certificate is valid, in days.
const CA_DAYS: i64 = 3650;
/// How long the others are, in days: what browsers take at most.
const LEAF_DAYS: i64 = 397;

/// What is in the directory.
#[derive(Debug)]
pub(crate) struct Made {
    /// Whether the directory was empty before.
    pub(crate) new: bool,
    /// What it is, its file, its fingerprint.
    pub(crate) certificates: Vec<(&'static str, &'static str, String)>,
    /// The account that the client's certificate stands for.
    pub(crate) account: String,
}

/// Makes what is missing in the directory, and renews certificates that are out of date or not
/// for the address. The authority and its key stay, so accounts and trust stay too.
///
/// # Errors
/// The directory cannot be written, or what is in it cannot be used.
pub(crate) fn prepare(folder: &Path, listen: IpAddr, now: Timestamp) -> Result<Made> {
    make_folder(folder)?;
    let new = !folder.join(CA_CERTIFICATE).exists();
    let authority = if new { new_authority(folder, now)? } else { kept_authority(folder)? };
    let server = || {
        let names = ["127.0.0.1".to_owned(), "::1".to_owned(), listen.to_string()];
        let leaf = names.iter().fold(Leaf::server("localhost"), |leaf, name| leaf.with_name(name));
        leaf.with_organization(ORGANIZATION).with_validity(validity(now, LEAF_DAYS))
    };
    let server_names = |certificate: &Certificate| {
        listen.is_unspecified() || certificate.ip_addresses.contains(&listen)
    };
    let files = [SERVER_CERTIFICATE, SERVER_KEY];
    let server = leaf(folder, files, now, server_names, || authority.issue(&server()))?;
    let files = [CLIENT_CERTIFICATE, CLIENT_KEY];
    let alice = Leaf::client(CLIENT)
        .with_organization(ORGANIZATION)
        .with_validity(validity(now, LEAF_DAYS));
    let client = leaf(folder, files, now, |_| true, || authority.issue(&alice))?;
    let kek = folder.join(KEK);
    if !kek.exists() {
        refuse_lost_kek(folder)?;
        Kek::generate_file(&kek).map_err(|error| file_failure(&kek, &error))?;
    }
    let ca = folder.join(CA_CERTIFICATE);
    let roots = authority.roots().map_err(|error| file_failure(&ca, &error))?;
    let fingerprints = [
        ("CA", CA_CERTIFICATE, roots.certificates().first()),
        ("server", SERVER_CERTIFICATE, server.chain().first()),
        ("client", CLIENT_CERTIFICATE, client.chain().first()),
    ];
    let mut certificates = Vec::new();
    for (what, file, der) in fingerprints {
        let read = der.map(Certificate::from_der).transpose();
        let read = read.map_err(|error| file_failure(&folder.join(file), &error))?;
        certificates.push((what, file, read.map(|read| read.fingerprint).unwrap_or_default()));
    }
    Ok(Made { new, certificates, account: account(&client) })
}

/// The account that a certificate stands for, as the server's default has it.
fn account(identity: &Identity) -> String {
    let peer = Peer::default().with_certificates(identity.chain().to_vec());
    let principal = CertificateIdentity::subject().principal(&peer).ok().flatten();
    principal.map(|principal| principal.to_string()).unwrap_or_default()
}

/// A store without its key can never be read again: that is no case for making a new key.
fn refuse_lost_kek(folder: &Path) -> Result<()> {
    let database = folder.join(DATABASE);
    if database.exists() {
        return Err(file_failure(
            &folder.join(KEK),
            &format!("the key is missing and {} was made with it", database.display()),
        ));
    }
    Ok(())
}

/// The settings of a client of services at these URLs; paths are relative to the directory.
pub(crate) fn client_settings([kmip, omadm, taxii]: [&str; 3]) -> ClientSettings {
    ClientSettings {
        url: Some(kmip.to_owned()),
        omadm_url: Some(omadm.to_owned()),
        taxii_url: Some(taxii.to_owned()),
        cacert: Some(CA_CERTIFICATE.into()),
        cert: Some(CLIENT_CERTIFICATE.into()),
        key: Some(CLIENT_KEY.into()),
        ..ClientSettings::default()
    }
}

/// Writes the client's context. Its paths are relative, so that the directory may move.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write_context(folder: &Path, urls: [&str; 3]) -> Result<()> {
    let contexts = ContextFile {
        default: Some(CONTEXT.to_owned()),
        context: [(CONTEXT.to_owned(), client_settings(urls))].into(),
    };
    let file = folder.join(FILE_NAME);
    let text = toml::to_string(&contexts).map_err(|error| file_failure(&file, &error))?;
    let text = format!("# Written by `bindery dev` at each start.\n{text}");
    write(&file, text.as_bytes())
}

/// Makes the directory, for its owner only, where there is none.
///
/// # Errors
/// It cannot be made.
pub(super) fn make_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| file_failure(folder, &error))
}

fn new_authority(folder: &Path, now: Timestamp) -> Result<Authority> {
    let file = folder.join(CA_CERTIFICATE);
    let made = Authority::new("bindery dev CA", validity(now, CA_DAYS));
    let authority = made.map_err(|error| file_failure(&file, &error))?;
    // The certificate last: where it is, the key is too.
    write(&folder.join(CA_KEY), authority.key_pem().as_bytes())?;
    write(&file, authority.certificate_pem().as_bytes())?;
    Ok(authority)
}

fn kept_authority(folder: &Path) -> Result<Authority> {
    let read = |name: &str| {
        let file = folder.join(name);
        fs::read_to_string(&file).map_err(|error| file_failure(&file, &error))
    };
    let (certificate, key) = (read(CA_CERTIFICATE)?, read(CA_KEY)?);
    Authority::from_pem(&certificate, &key)
        .map_err(|error| file_failure(&folder.join(CA_CERTIFICATE), &error))
}

/// The certificate of the two files; a new one where there is none that will do.
fn leaf(
    folder: &Path,
    [certificate, key]: [&str; 2],
    now: Timestamp,
    fits: impl Fn(&Certificate) -> bool,
    issue: impl FnOnce() -> Result<Issued, TlsError>,
) -> Result<Identity> {
    let (certificate, key) = (folder.join(certificate), folder.join(key));
    if certificate.exists() {
        let failed = |error: TlsError| file_failure(&certificate, &error);
        let identity = Identity::from_pem_files(&certificate, &key).map_err(failed)?;
        let read = identity.certificate().map_err(failed)?;
        let tomorrow = now.saturating_add(Duration::from_secs(DAY.unsigned_abs()));
        if read.not_after > tomorrow && fits(&read) {
            return Ok(identity);
        }
    }
    let issued = issue().map_err(|error| file_failure(&certificate, &error))?;
    write(&key, issued.key_pem().as_bytes())?;
    write(&certificate, issued.certificate_pem().as_bytes())?;
    issued.identity().map_err(|error| file_failure(&certificate, &error))
}

/// From an hour ago, for clocks that differ.
fn validity(now: Timestamp, days: i64) -> Validity {
    let seconds = now.unix_seconds();
    Validity {
        not_before: Timestamp::from_unix_seconds(seconds.saturating_sub(3600)),
        not_after: Timestamp::from_unix_seconds(seconds.saturating_add(days * DAY)),
    }
}

/// Writes a file that only its owner may read, whole or not at all.
fn write(file: &Path, octets: &[u8]) -> Result<()> {
    files::replace(file, octets).map_err(|error| file_failure(file, &error))
}
