use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use rustls::RootCertStore;
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};
use webpki::KeyUsage;

use super::*;
use crate::{
    Provider,
    pki::{Authority, Leaf, Validity},
    rustls_backend::chains::Chains,
};

/// An algorithm that counts how often it is asked about this message.
#[derive(Debug)]
struct Counting {
    inner: &'static dyn SignatureVerificationAlgorithm,
    message: &'static [u8],
    count: &'static AtomicUsize,
}

impl SignatureVerificationAlgorithm for Counting {
    fn verify_signature(
        &self,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        if message == self.message {
            self.count.fetch_add(1, Relaxed);
        }
        self.inner.verify_signature(key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.signature_alg_id()
    }
}

fn counting(crls: &Crls) -> Option<(WebPkiSupportedAlgorithms, &'static AtomicUsize)> {
    let count: &'static AtomicUsize = Box::leak(Box::default());
    let der = crls.lists().next()?.der.to_vec().leak();
    let message = Signed::read(der)?.octets;
    let all = Provider::aws_lc_rs().crypto().signature_verification_algorithms.all;
    let wrapped = all.iter().map(|inner| {
        let counting = Counting { inner: *inner, message, count };
        Box::leak(Box::new(counting)) as &'static dyn SignatureVerificationAlgorithm
    });
    let all = wrapped.collect::<Vec<_>>().leak();
    Some((WebPkiSupportedAlgorithms { all, mapping: &[] }, count))
}

/// However many clients are looked up, in handshakes or after a reload: a long list is hashed once.
#[test]
fn the_signature_over_a_list_is_checked_once_for_all_that_are_looked_up() {
    let authority = Authority::new("Plant CA", Validity::default()).unwrap();
    let taken_back = authority.issue(&Leaf::client("mallory")).unwrap();
    let list = authority.revocation_list(&[&taken_back], Validity::default()).unwrap();
    let crls = Crls::from_octets(list.as_bytes()).unwrap();
    let (algorithms, count) = counting(&crls).unwrap();
    let roots = authority.roots().unwrap();
    let lists = Lists::new(&crls, &roots, algorithms).unwrap().map(Arc::new);
    let mut store = RootCertStore::empty();
    store.add(roots.certificates()[0].clone()).unwrap();
    let chains = Chains { roots: Arc::new(store), algorithms, lists };
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_700_000_000));
    let check = |issued: &crate::pki::Issued| {
        let identity = issued.identity().unwrap();
        chains.check(&identity.chain()[0], &[], now, KeyUsage::client_auth(), "client")
    };
    for number in 0..8 {
        let client = authority.issue(&Leaf::client(&format!("pump-{number}"))).unwrap();
        check(&client).unwrap();
        assert!(matches!(
            check(&taken_back),
            Err(Some(rustls::Error::InvalidCertificate(rustls::CertificateError::Revoked)))
        ));
    }
    assert_eq!(count.load(Relaxed), 1);
}

/// What the keys in chains decide is bounded, whatever clients show.
#[test]
fn verdicts_that_are_kept_are_bounded() {
    let authority = Authority::new("Plant CA", Validity::default()).unwrap();
    let list = authority.revocation_list(&[], Validity::default()).unwrap();
    let crls = Crls::from_octets(list.as_bytes()).unwrap();
    let algorithms = Provider::aws_lc_rs().crypto().signature_verification_algorithms;
    let lists = Lists::new(&crls, &authority.roots().unwrap(), algorithms).unwrap().unwrap();
    let list = lists.crls.lists().next().unwrap();
    for key in 0..2 * KEPT {
        assert!(!lists.is_signed_by(0, list, &key.to_be_bytes()));
    }
    assert_eq!(lists.signed.lock().unwrap().len(), KEPT);
    assert!(lists.is_signed_by(0, list, &lists.roots[0].spki));
}
