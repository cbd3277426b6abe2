//! Who proves what: the device to the server, and the server to the device.

use std::fmt;

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
    /// The nonce that our answer asks for, after a good proof.
    next: Option<Bytes>,
}

/// What the server's message proves.
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

/// Without nonces, and what they are made of.
impl fmt::Debug for Proofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Proofs");
        shown.field("auth", &self.auth).field("accepted", &self.accepted);
        shown.field("lasting", &self.lasting).field("refused", &self.refused);
        shown.field("server_lasting", &self.server_lasting);
        shown.field("server_failures", &self.server_failures).finish_non_exhaustive()
    }
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
            next: None,
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
    pub(super) fn check(&mut self, incoming: &Incoming, account: &Account) -> Proof {
        self.next = None;
        let Some(server) = &account.server else {
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
        // A nonce counts once.
        let spent = nonced && server.spent && self.server_nonce == server.nonce;
        let good = good.map(|good| good && !spent);
        if good != Some(true) {
            let code = match good {
                Some(_) => StatusCode::INVALID_CREDENTIALS,
                None => StatusCode::AUTHENTICATION_REQUIRED_MISSING_CREDENTIALS,
            };
            self.next = nonced.then(|| next_nonce(&self.random, &mut self.nonces));
            let chal = chal(server.auth, self.next.clone());
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
        self.next = nonced.then(|| next_nonce(&self.random, &mut self.nonces));
        let chal = self.next.clone().map(|next| chal(server.auth, Some(next)));
        Proof { trusted: true, proved: true, code, chal }
    }

    /// After a good proof: an answer tells the server the next nonce, or none does.
    pub(super) fn settle(&mut self, account: &mut Account, answered: bool) {
        let (Some(next), Some(server)) = (self.next.take(), &mut account.server) else { return };
        server.spent = !answered;
        if answered {
            (server.nonce, self.server_nonce) = (next.clone(), next);
        }
    }

    /// After a bad proof, or none: our answer asks for one under a nonce of this session. Whether
    /// the server may try again.
    pub(super) fn ask_again(&mut self) -> bool {
        self.server_failures += 1;
        self.server_nonce = self.next.take().unwrap_or_default();
        self.server_failures < ATTEMPTS
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
