use super::*;

const WHO: Identity<'_> = Identity { kind: "kmip material", parts: &["uid-1", "alice"] };

#[test]
fn a_wrapped_key_opens_under_its_kek_and_name_only() {
    let (kek, other) = (Kek::generate().unwrap(), Kek::generate().unwrap());
    let (key, another) = (DataKey::generate().unwrap(), DataKey::generate().unwrap());
    let wrapped = key.wrap(&kek).unwrap();
    let unwrapped = DataKey::unwrap(&kek, key.id(), &wrapped).unwrap();
    let sealed = seal::seal(&key, WHO, b"secret").unwrap();
    assert_eq!(*seal::open(&unwrapped, WHO, &sealed).unwrap(), b"secret");
    assert_eq!(
        DataKey::unwrap(&other, key.id(), &wrapped).unwrap_err(),
        SealError::OtherKey(kek.id().octets())
    );
    assert_eq!(DataKey::unwrap(&kek, another.id(), &wrapped).unwrap_err(), SealError::Forged);
}

#[test]
fn a_ring_opens_what_any_of_its_keys_sealed() {
    let (old, new) = (DataKey::generate().unwrap(), DataKey::generate().unwrap());
    let sealed = [&old, &new].map(|key| seal::seal(key, WHO, b"secret").unwrap());
    let mut ring = Ring::new(new);
    assert_eq!(*ring.open(WHO, &sealed[1]).unwrap(), b"secret");
    assert_eq!(ring.open(WHO, &sealed[0]), Err(SealError::OtherKey(old.id().0)));
    ring.add(old);
    assert_eq!(*ring.open(WHO, &sealed[0]).unwrap(), b"secret");
    assert_eq!(ring.open(WHO, &[1, 2]), Err(SealError::Short(2)));
}

#[test]
fn what_the_kek_itself_sealed_opens_under_it_as_data_key() {
    let kek = Kek::generate().unwrap();
    let sealed = seal::seal(&kek, WHO, b"secret").unwrap();
    let ring = Ring::new(DataKey::of_kek(&kek).unwrap());
    assert_eq!(*ring.open(WHO, &sealed).unwrap(), b"secret");
}

#[test]
fn no_key_is_shown() {
    let key = DataKey::generate().unwrap();
    let keys = Keys::new(Kek::generate().unwrap(), Ring::new(key.clone()));
    let shown = format!("{keys:?}");
    assert!(shown.contains(&key.id().to_string()), "{shown}");
    assert!(!shown.contains(&format!("{}, {}", key.octets[0], key.octets[1])), "{shown}");
}
