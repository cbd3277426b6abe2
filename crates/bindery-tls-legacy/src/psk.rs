//! Pre-shared keys (RFC 4279).

use bindery_tls::PskIdentities;
use openssl::{
    ex_data::Index,
    rand::rand_bytes,
    ssl::{Ssl, SslContextBuilder, SslRef, SslVersion},
};

use crate::verdict::Verdict;

/// How many octets of an unknown identity's random key are made.
const DECOY: usize = 32;

/// The server's side: the key of the identity that a client names.
///
/// A client that names an unknown identity gets a random key, so that it fails as one with a wrong
/// key does and learns nothing of who is known (RFC 4279, section 2, permits that).
///
/// What a client named is noted, for the log alone.
pub(crate) fn serve(
    context: &mut SslContextBuilder,
    psk: PskIdentities,
    place: Index<Ssl, Verdict>,
) {
    if psk.is_empty() {
        return;
    }
    context.set_psk_server_callback(move |ssl, identity, out| {
        if is_tls_1_3(ssl) {
            return Ok(0);
        }
        let identity = identity.unwrap_or_default();
        let found = psk.find(identity);
        if let Some(verdict) = ssl.ex_data(place) {
            let named = identity.escape_ascii().to_string();
            verdict.noted().identity = Some((named, found.is_some()));
        }
        let mut decoy = [0; DECOY];
        rand_bytes(&mut decoy)?;
        let key = found.as_ref().map_or(&decoy[..], |psk| psk.key());
        Ok(put(key, out))
    });
}

/// The client's side: the key that is chosen after the server's hint.
pub(crate) fn offer(context: &mut SslContextBuilder, psk: PskIdentities) {
    if psk.is_empty() {
        return;
    }
    context.set_psk_client_callback(move |ssl, hint, identity, key| {
        if is_tls_1_3(ssl) {
            return Ok(0);
        }
        let Some(chosen) = psk.offer(hint.filter(|hint| !hint.is_empty())) else { return Ok(0) };
        // OpenSSL wants the identity as a C string; `Psk` has no zero octets in it.
        let mut name = chosen.identity().to_vec();
        name.push(0);
        Ok(match put(&name, identity) {
            0 => 0,
            _ => put(chosen.key(), key),
        })
    });
}

/// OpenSSL asks the same callbacks for external keys of TLS 1.3, which this backend does not speak: nobody could say
/// afterwards who the peer is, since OpenSSL then notes no identity. On a client's side it is so as long as TLS 1.3 may
/// still come of the hello that is being written.
fn is_tls_1_3(ssl: &SslRef) -> bool {
    ssl.version2() == Some(SslVersion::TLS1_3)
}

/// Copies what fits whole; nothing otherwise, which fails the handshake.
fn put(octets: &[u8], out: &mut [u8]) -> usize {
    let Some(place) = out.get_mut(..octets.len()) else { return 0 };
    place.copy_from_slice(octets);
    octets.len()
}
