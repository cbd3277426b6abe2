//! What a side keeps of a user and password, and what is made of it (OMA DM 1.2 Security, 5).

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, ZeroizeOnDrop};

/// MD5 of `user:password`: enough for each scheme of SyncML, so the password need not be kept.
///
/// It is as good as the password to whoever has it, so it is wiped when dropped and not shown.
#[derive(Clone, ZeroizeOnDrop)]
pub struct CredentialDigest([u8; 16]);

impl CredentialDigest {
    /// The digest of a user's name and password.
    #[must_use]
    pub fn new(user: &str, password: &str) -> Self {
        let mut hash = Md5::new();
        hash.update(user.as_bytes());
        hash.update(b":");
        hash.update(password.as_bytes());
        Self(hash.finalize().into())
    }

    /// The digest from its 16 octets, as [`octets`](Self::octets) gave them to be stored.
    #[must_use]
    pub const fn from_octets(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// The 16 octets, to be stored.
    #[must_use]
    pub const fn octets(&self) -> &[u8; 16] {
        &self.0
    }

    /// The credential of `syncml:auth-md5` in Base64. `nonce` is raw: decoded from `NextNonce`.
    #[must_use]
    pub fn md5(&self, nonce: &[u8]) -> String {
        STANDARD.encode(self.over(nonce, None))
    }

    /// Whether `data`, in Base64, is this credential by `syncml:auth-md5`; in constant time.
    #[must_use]
    pub fn verify_md5(&self, nonce: &[u8], data: &str) -> bool {
        same_base64(&self.over(nonce, None), data)
    }

    /// Whether `octets` are this credential by `syncml:auth-md5`: WBXML may carry it raw.
    #[must_use]
    pub fn verify_md5_octets(&self, nonce: &[u8], octets: &[u8]) -> bool {
        self.over(nonce, None).ct_eq(octets).into()
    }

    /// Whether `data`, Base64 of `user:password`, is this credential by `syncml:auth-basic`.
    #[must_use]
    pub fn verify_basic(&self, data: &str) -> bool {
        let Ok(mut clear) = STANDARD.decode(data) else { return false };
        let mut digest: [u8; 16] = Md5::digest(&clear).into();
        clear.zeroize();
        let same = self.0.ct_eq(&digest).into();
        digest.zeroize();
        same
    }

    /// The MAC of `syncml:auth-MAC` in Base64, over a message's octets as they are sent.
    #[must_use]
    pub fn mac(&self, nonce: &[u8], body: &[u8]) -> String {
        STANDARD.encode(self.over(nonce, Some(body)))
    }

    /// Whether `mac`, in Base64, is that of `body`; in constant time.
    #[must_use]
    pub fn verify_mac(&self, nonce: &[u8], body: &[u8], mac: &str) -> bool {
        same_base64(&self.over(nonce, Some(body)), mac)
    }

    /// MD5 of `B64(digest):nonce`, and `:B64(MD5(body))` where there is a body.
    pub(crate) fn over(&self, nonce: &[u8], body: Option<&[u8]>) -> [u8; 16] {
        let mut digest = STANDARD.encode(self.0);
        let mut hash = Md5::new();
        hash.update(digest.as_bytes());
        digest.zeroize();
        hash.update(b":");
        hash.update(nonce);
        if let Some(body) = body {
            hash.update(b":");
            hash.update(STANDARD.encode(Md5::digest(body)).as_bytes());
        }
        hash.finalize().into()
    }
}

/// In constant time.
impl PartialEq for CredentialDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for CredentialDigest {}

impl fmt::Debug for CredentialDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialDigest(..)")
    }
}

fn same_base64(ours: &[u8; 16], theirs: &str) -> bool {
    STANDARD.decode(theirs).is_ok_and(|theirs| ours.ct_eq(theirs.as_slice()).into())
}
