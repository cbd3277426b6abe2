//! Who it is that speaks: credentials in messages, MACs, the channel, the session's address.

use bindery_core::Context;
use bindery_syncml::{Chal, Content, Meta, StatusCode};
use bytes::Bytes;
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use super::{
    AppAuth, Device, DmServerConfig,
    config::Scheme,
    state::{Proof, State},
};
use crate::Incoming;

/// What is known of who speaks.
pub(super) struct Access {
    /// Whether it is the device.
    pub(super) granted: bool,
    /// The status of `SyncHdr`.
    pub(super) code: StatusCode,
    /// What is asked for next.
    pub(super) chal: Option<Chal>,
    /// The nonce that the device's next proof has to be made with, where it is a new one.
    pub(super) nonce: Option<Bytes>,
    /// By what the device goes on proving itself.
    pub(super) proof: Proof,
    /// Whether credentials were looked at: what a rate limit counts.
    pub(super) tried: bool,
}

impl Access {
    fn granted(code: StatusCode, proof: Proof) -> Self {
        Self { granted: true, code, chal: None, nonce: None, proof, tried: false }
    }

    fn denied(code: StatusCode) -> Self {
        let proof = Proof::default();
        Self { granted: false, code, chal: None, nonce: None, proof, tried: false }
    }

    const fn after_trying(mut self) -> Self {
        self.tried = true;
        self
    }
}

/// What the question is asked with.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) config: &'a DmServerConfig,
    pub(super) cx: &'a Context,
    pub(super) incoming: &'a Incoming,
    /// The session, if it goes on.
    pub(super) state: Option<&'a State>,
    /// Sixteen fresh random octets.
    pub(super) nonce: [u8; 16],
    /// What nonces for unknown devices are made of.
    pub(super) decoy: &'a [u8; 16],
}

impl Asking<'_> {
    /// Who speaks in the name of a device.
    pub(super) fn answer(&self, device: Option<&Device>) -> Access {
        let Some(device) = device else { return self.challenge(None) };
        let access = self.judge(device);
        if access.granted && !device.enabled {
            return Access::denied(StatusCode::FORBIDDEN);
        }
        access
    }

    fn judge(&self, device: &Device) -> Access {
        if self.channel_is(device) {
            return Access::granted(StatusCode::OK, Proof::Channel);
        }
        let Some(client) = &device.client else { return Access::denied(StatusCode::FORBIDDEN) };
        if let Some(hmac) = &self.incoming.hmac {
            let good = self.allows(Scheme::Mac)
                && hmac.username == client.name
                && !client.nonce.is_empty()
                && hmac.verify(&client.digest, &client.nonce, &self.incoming.octets);
            return if good { self.mac() } else { self.challenge(Some(client)).after_trying() };
        }
        // Once used, every message has one.
        if self.state.is_some_and(|state| state.proof == Proof::Mac) {
            return self.challenge(Some(client));
        }
        if self.incoming.message.hdr.cred.is_some() {
            return self.credentials(client).after_trying();
        }
        match self.state {
            Some(state) if self.goes_on(state) => Access::granted(StatusCode::OK, state.proof),
            _ => self.challenge(Some(client)),
        }
    }

    /// Whether the channel stands for the device: by the device's own account, or, where it has no
    /// credentials, by that of who manages it.
    fn channel_is(&self, device: &Device) -> bool {
        self.cx.principal.as_ref().is_some_and(|principal| {
            principal.as_str() == device.id
                || (device.client.is_none() && *principal == device.owner)
        })
    }

    fn allows(&self, scheme: Scheme) -> bool {
        let clear = scheme == Scheme::Basic
            && !self.cx.channel.is_tls()
            && !self.config.dangerous_basic_in_clear;
        !clear && self.config.schemes.contains(&scheme)
    }

    fn mac(&self) -> Access {
        let (chal, nonce) = self.next(Scheme::Mac);
        let mut access = Access::granted(StatusCode::OK, Proof::Mac).after_trying();
        (access.chal, access.nonce) = (chal, nonce);
        access
    }

    fn credentials(&self, client: &AppAuth) -> Access {
        let Some(cred) = &self.incoming.message.hdr.cred else {
            return self.challenge(Some(client));
        };
        let named = cred.meta.as_ref().and_then(|meta| meta.kind.as_deref());
        let scheme = named.map_or(Some(Scheme::Basic), Scheme::from_name);
        let Some(scheme) = scheme.filter(|scheme| self.allows(*scheme)) else {
            return self.challenge(Some(client));
        };
        let good = match scheme {
            Scheme::Basic => cred.data.as_str().is_some_and(|d| client.digest.verify_basic(d)),
            // An empty nonce counts any number of times, so it does not count.
            Scheme::Md5 if !client.nonce.is_empty() => {
                cred.octets()
                    .is_some_and(|octets| client.digest.verify_md5_octets(&client.nonce, &octets))
                    || cred
                        .data
                        .as_str()
                        .is_some_and(|d| client.digest.verify_md5(&client.nonce, d))
            }
            _ => false,
        };
        if !good {
            return self.challenge(Some(client));
        }
        // Who has to send credentials in a session again does not follow RespURI.
        let ignores =
            self.state.is_some_and(|state| matches!(state.proof, Proof::Address | Proof::Message));
        let (code, proof) = match (self.config.bind_to_address, ignores) {
            (false, _) => (StatusCode::AUTHENTICATION_ACCEPTED, Proof::Session),
            (true, false) => (StatusCode::AUTHENTICATION_ACCEPTED, Proof::Address),
            (true, true) => (StatusCode::OK, Proof::Message),
        };
        let mut access = Access::granted(code, proof);
        if scheme == Scheme::Md5 {
            (access.chal, access.nonce) = self.next(scheme);
        }
        access
    }

    /// Whether the message comes from whom the session was given to.
    pub(super) fn goes_on(&self, state: &State) -> bool {
        match (state.proof, &state.token) {
            (Proof::Session, _) => true,
            (Proof::Address, Some(token)) => {
                let shown = token_of(self.incoming).unwrap_or_default();
                shown.as_bytes().ct_eq(token.as_bytes()).into()
            }
            _ => false,
        }
    }

    /// A challenge with a new nonce, of a scheme that was just used.
    fn next(&self, scheme: Scheme) -> (Option<Chal>, Option<Bytes>) {
        let nonce = Bytes::copy_from_slice(&self.nonce);
        (Some(challenge(scheme, &nonce)), Some(nonce))
    }

    /// No, and what is asked for: 401 if there was something, 407 if there was nothing. Unknown
    /// devices are asked like known ones.
    fn challenge(&self, client: Option<&AppAuth>) -> Access {
        let shown = self.incoming.hmac.is_some() || self.incoming.message.hdr.cred.is_some();
        let code = if shown {
            StatusCode::INVALID_CREDENTIALS
        } else {
            StatusCode::AUTHENTICATION_REQUIRED_MISSING_CREDENTIALS
        };
        let mut access = Access::denied(code);
        let was_mac = self.state.is_some_and(|state| state.proof == Proof::Mac);
        let asked = if self.incoming.hmac.is_some() || was_mac {
            Some(Scheme::Mac).filter(|scheme| self.allows(*scheme))
        } else {
            None
        };
        let first = self.config.schemes.iter().copied().find(|scheme| self.allows(*scheme));
        let Some(scheme) = asked.or(first) else { return access };
        let nonce = match client {
            Some(client) if !client.nonce.is_empty() => client.nonce.clone(),
            Some(_) => {
                let fresh = Bytes::copy_from_slice(&self.nonce);
                access.nonce = Some(fresh.clone());
                fresh
            }
            None => self.decoy_nonce(),
        };
        access.chal = Some(challenge(scheme, &nonce));
        access
    }

    /// What an unknown device is told: the same each time, as for a known one.
    fn decoy_nonce(&self) -> Bytes {
        let mut hash = Md5::new();
        hash.update(self.decoy);
        hash.update(self.incoming.message.hdr.source.loc_uri.as_bytes());
        Bytes::copy_from_slice(&hash.finalize())
    }
}

/// The name under which the session's token stands in the query of its address.
pub(super) const TOKEN: &str = "session";

/// The token that the request's address carries.
pub(super) fn token_of(incoming: &Incoming) -> Option<&str> {
    let query = incoming.url.as_ref()?.query()?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(name, value)| (name == TOKEN).then_some(value))
}

fn challenge(scheme: Scheme, nonce: &[u8]) -> Chal {
    let next_nonce = (scheme != Scheme::Basic).then(|| Content::base64(nonce));
    let meta = Meta {
        format: Some("b64".into()),
        kind: Some(scheme.name().into()),
        next_nonce,
        ..Meta::default()
    };
    Chal { meta, ..Chal::default() }
}
