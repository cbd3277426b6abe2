//! Pre-shared keys (RFC 4279).

use bindery_tls::PskIdentities;
use openssl::{
    ex_data::Index,
    rand::rand_bytes,
    ssl::{Ssl, SslContextBuilder},
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
    if psk.keys.is_empty() {
        return;
    }
    context.set_psk_server_callback(move |ssl, identity, out| {
        let identity = identity.unwrap_or_default();
        // All are looked at, so that the time tells nothing of the place in the list.
        let mut found = None;
        for psk in &psk.keys {
            if psk.identity() == identity {
                found = Some(psk);
            }
        }
        if let Some(verdict) = ssl.ex_data(place) {
            let named = identity.escape_ascii().to_string();
            verdict.noted().identity = Some((named, found.is_some()));
        }
        let mut decoy = [0; DECOY];
        rand_bytes(&mut decoy)?;
        let key = found.map_or(&decoy[..], |psk| psk.key());
        Ok(put(key, out))
    });
}

/// The client's side: the first key, whatever the hint.
pub(crate) fn offer(context: &mut SslContextBuilder, psk: PskIdentities) {
    let Some(first) = psk.keys.into_iter().next() else { return };
    context.set_psk_client_callback(move |_, _hint, identity, key| {
        // OpenSSL wants the identity as a C string; `Psk` has no zero octets in it.
        let mut name = first.identity().to_vec();
        name.push(0);
        Ok(match put(&name, identity) {
            0 => 0,
            _ => put(first.key(), key),
        })
    });
}

/// Copies what fits whole; nothing otherwise, which fails the handshake.
fn put(octets: &[u8], out: &mut [u8]) -> usize {
    let Some(place) = out.get_mut(..octets.len()) else { return 0 };
    place.copy_from_slice(octets);
    octets.len()
}
