//! Who proves what: the device to the server, and the server to the device.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bindery_syncml::{Chal, Content, Cred, Meta, StatusCode};
use bytes::Bytes;
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use crate::{
    Hmac, Incoming,
    client::account::{Account, AuthType, Credential},
};

/// How often each side may fail before the session is given up.
const ATTEMPTS: u32 = 3;

/// How far the proofs of a session are.
#[derive(Debug)]
pub(super) struct Proofs {
    random: [u8; 16],
    nonces: u32,
    /// How the device proves itself: what the account says, until the server asks otherwise.
    auth: Option<AuthType>,
    /// The nonce for the device's next proof.
    nonce: Bytes,
    /// Whether the server has taken the device's proof for the whole session.
    lasting: bool,
    accepted: bool,
    refused: u32,
    /// Whether the server has proved itself for the whole session.
    server_lasting: bool,
    server_nonce: Bytes,
    server_failures: u32,
}

/// What the server's message proves.
#[derive(Debug)]
pub(super) struct Proof {
    /// Whether what it asks may be done.
    pub(super) trusted: bool,
    /// Whether it was proved inside the message.
    pub(super) proved: bool,
    /// The status of its header.
    pub(super) code: StatusCode,
    /// What is asked of the server next.
    pub(super) chal: Option<Chal>,
}

impl Proofs {
    pub(super) fn new(account: &Account, random: [u8; 16]) -> Self {
        let nonce = |of: &Option<Credential>| {
            of.as_ref().map(|credential| credential.nonce.clone()).unwrap_or_default()
        };
        Self {
            random,
            nonces: 0,
            auth: account.client.as_ref().map(|client| client.auth),
            nonce: nonce(&account.client),
            lasting: false,
            accepted: false,
            refused: 0,
            server_lasting: false,
            server_nonce: nonce(&account.server),
            server_failures: 0,
        }
    }

    /// The credentials that the next message carries.
    pub(super) fn cred(&self, account: &Account) -> Option<Cred> {
        let client = account.client.as_ref().filter(|_| !self.lasting)?;
        let data = match self.auth? {
            AuthType::Basic => {
                let clear = Zeroizing::new(format!("{}:{}", client.name, *client.secret));
                STANDARD.encode(clear.as_bytes())
            }
            AuthType::Digest => client.digest().md5(&self.nonce),
            // Beside the message, not in it.
            AuthType::Hmac => return None,
        };
        let scheme = self.auth?.scheme();
        let meta =
            Meta { format: Some("b64".into()), kind: Some(scheme.into()), ..Meta::default() };
        Some(Cred { meta: Some(Box::new(meta)), data: data.into(), ..Cred::default() })
    }

    /// The MAC of a message, where the two sides use it.
    pub(super) fn hmac(&self, account: &Account, octets: &[u8]) -> Option<Hmac> {
        let client = account.client.as_ref().filter(|_| self.auth == Some(AuthType::Hmac))?;
        Some(Hmac::sign(&client.name, &client.digest(), &self.nonce, octets))
    }

    /// Whether the server has taken the device's proof.
    pub(super) const fn accepted(&self) -> bool {
        self.accepted
    }

    /// The server wants (other) credentials. Whether there are any to try.
    pub(super) fn challenged(&mut self, account: &mut Account, chal: Option<&Chal>) -> bool {
        self.refused += 1;
        (self.lasting, self.accepted) = (false, false);
        let Some(client) = &account.client else { return false };
        let asked = chal.and_then(|chal| chal.meta.kind.as_deref());
        match asked.map(AuthType::from_scheme) {
            // A password is not given to whoever asks for less than the account says.
            Some(Some(AuthType::Basic)) if client.auth != AuthType::Basic => return false,
            Some(Some(auth)) => self.auth = Some(auth),
            Some(None) => return false,
            None => {}
        }
        // The nonce serves this session; the account keeps its own until the server is known.
        if let Some(nonce) = chal.and_then(Chal::nonce) {
            self.nonce = nonce;
        }
        self.refused < ATTEMPTS
    }

    /// The server has taken the device's message.
    pub(super) fn taken(&mut self, account: &mut Account, chal: Option<&Chal>, lasting: bool) {
        self.accepted = true;
        self.lasting |= lasting;
        if let (Some(nonce), Some(client)) = (chal.and_then(Chal::nonce), &mut account.client) {
            self.nonce = nonce.clone();
            client.nonce = nonce;
        }
    }

    /// Looks at the server's proof.
    pub(super) fn check(&mut self, incoming: &Incoming, account: &mut Account) -> Proof {
        let Some(server) = &mut account.server else {
            return Proof { trusted: true, proved: false, code: StatusCode::OK, chal: None };
        };
        let cred = incoming.message.hdr.cred.as_deref();
        let good = match (server.auth, &incoming.hmac, cred) {
            (AuthType::Hmac, Some(hmac), _) => {
                let right = hmac.username == server.name;
                Some(right && hmac.verify(&server.digest(), &self.server_nonce, &incoming.octets))
            }
            (AuthType::Hmac, None, _) => None,
            (_, _, Some(cred)) => Some(is_proof(server, &self.server_nonce, cred)),
            (_, _, None) if self.server_lasting => {
                return Proof { trusted: true, proved: true, code: StatusCode::OK, chal: None };
            }
            (_, _, None) => None,
        };
        let nonced = server.auth != AuthType::Basic;
        if good != Some(true) {
            self.server_failures += 1;
            let code = match good {
                Some(_) => StatusCode::INVALID_CREDENTIALS,
                None => StatusCode::AUTHENTICATION_REQUIRED_MISSING_CREDENTIALS,
            };
            let chal = chal(server.auth, nonced.then(|| self.next_nonce()));
            return Proof { trusted: false, proved: false, code, chal: Some(chal) };
        }
        let code = match server.auth {
            // Each message proves itself.
            AuthType::Hmac => StatusCode::OK,
            _ => {
                self.server_lasting = true;
                StatusCode::AUTHENTICATION_ACCEPTED
            }
        };
        let next = nonced.then(|| next_nonce(&self.random, &mut self.nonces));
        if let Some(next) = &next {
            (server.nonce, self.server_nonce) = (next.clone(), next.clone());
        }
        let chal = next.map(|next| chal(server.auth, Some(next)));
        Proof { trusted: true, proved: true, code, chal }
    }

    /// Whether the server has failed too often.
    pub(super) const fn server_failed(&self) -> bool {
        self.server_failures >= ATTEMPTS
    }

    fn next_nonce(&mut self) -> Bytes {
        let nonce = next_nonce(&self.random, &mut self.nonces);
        self.server_nonce = nonce.clone();
        nonce
    }
}

/// A nonce that nobody can foresee, none like another.
fn next_nonce(random: &[u8; 16], count: &mut u32) -> Bytes {
    *count += 1;
    let mut hash = Md5::new();
    hash.update(random);
    hash.update(count.to_be_bytes());
    Bytes::copy_from_slice(&hash.finalize())
}

fn is_proof(server: &Credential, nonce: &[u8], cred: &Cred) -> bool {
    let kind = cred.meta.as_ref().and_then(|meta| meta.kind.as_deref());
    let kind = AuthType::from_scheme(kind.unwrap_or(AuthType::Basic.scheme()));
    if kind != Some(server.auth) {
        return false;
    }
    match (server.auth, &cred.data.content) {
        (AuthType::Basic, content) => {
            content.as_str().is_some_and(|text| server.digest().verify_basic(text.trim()))
        }
        (_, Content::Opaque(octets)) if octets.len() == 16 => {
            server.digest().verify_md5_octets(nonce, octets)
        }
        (_, content) => {
            content.as_str().is_some_and(|text| server.digest().verify_md5(nonce, text.trim()))
        }
    }
}

fn chal(auth: AuthType, nonce: Option<Bytes>) -> Chal {
    let meta = Meta {
        format: Some("b64".into()),
        kind: Some(auth.scheme().into()),
        next_nonce: nonce.map(|nonce| Content::base64(&nonce)),
        ..Meta::default()
    };
    Chal { meta, ..Chal::default() }
}
