use galley_domain::{Hidden, OrgId};
use uuid::Uuid;

use crate::{KeyError, Keyring, MOST_BYTES, MOST_PREVIOUS, Place, Sealed, VaultError, new_key};

const SECRET: &str = "sk-the-tenant's-own";

fn ring(current: &Hidden, previous: &[Hidden]) -> Keyring {
    Keyring::new(current, previous).expect("a ring")
}

fn fresh() -> Hidden {
    new_key().expect("a key")
}

fn place(purpose: &str) -> Place<'_> {
    Place { org: OrgId(Uuid::from_u128(1)), row: Uuid::from_u128(2), purpose }
}

#[test]
fn what_is_sealed_opens_at_its_place_only() {
    let ring = ring(&fresh(), &[]);
    let home = place("model_key");
    let sealed = ring.seal(home, &Hidden::new(SECRET)).expect("sealed");
    assert_eq!(ring.open(home, &sealed).expect("opened").expose(), SECRET);
    let elsewhere = [
        Place { org: OrgId(Uuid::from_u128(9)), ..home },
        Place { row: Uuid::from_u128(9), ..home },
        Place { purpose: "model_keys", ..home },
        Place { purpose: "", ..home },
    ];
    for wrong in elsewhere {
        assert_eq!(ring.open(wrong, &sealed), Err(VaultError::NotOpened), "{wrong:?}");
        assert_eq!(ring.rewrap(wrong, sealed.clone()), Err(VaultError::NotOpened), "{wrong:?}");
    }
}

#[test]
fn every_bit_counts() {
    let ring = ring(&fresh(), &[]);
    let home = place("model_key");
    let good = ring.seal(home, &Hidden::new(SECRET)).expect("sealed");
    let spoilt = |change: &dyn Fn(&mut Sealed)| {
        let mut bad = good.clone();
        change(&mut bad);
        assert_eq!(ring.open(home, &bad), Err(VaultError::NotOpened));
    };
    for at in 0..good.sealed.len() {
        spoilt(&|bad| bad.sealed[at] ^= 1);
        spoilt(&|bad| bad.sealed.truncate(at));
    }
    for at in 0..good.wrapped_key.len() {
        spoilt(&|bad| bad.wrapped_key[at] ^= 0x80);
        spoilt(&|bad| bad.wrapped_key.truncate(at));
    }
    spoilt(&|bad| bad.sealed.push(0));
    // Both layers of another secret of the same place: each has a data key of its own.
    let other = ring.seal(home, &Hidden::new("another")).expect("sealed");
    spoilt(&|bad| bad.sealed.clone_from(&other.sealed));
    spoilt(&|bad| bad.wrapped_key.clone_from(&other.wrapped_key));
    spoilt(&|bad| std::mem::swap(&mut bad.sealed, &mut bad.wrapped_key));
}

#[test]
fn nothing_of_the_secret_is_seen_and_nothing_repeats() {
    let ring = ring(&fresh(), &[]);
    let seal = || ring.seal(place("model_key"), &Hidden::new(SECRET)).expect("sealed");
    let (one, two) = (seal(), seal());
    assert!(one.sealed != two.sealed && one.wrapped_key != two.wrapped_key);
    assert!(!one.sealed.windows(4).any(|window| SECRET.as_bytes().windows(4).any(|part| part == window)));
}

#[test]
fn a_new_key_takes_over_and_the_old_one_can_go() {
    let (old, new) = (fresh(), fresh());
    let before = ring(&old, &[]).seal(place("a"), &Hidden::new(SECRET)).expect("sealed");
    let both = ring(&new, std::slice::from_ref(&old));
    assert_eq!(both.open(place("a"), &before).expect("opened").expose(), SECRET);
    let after = both.rewrap(place("a"), before.clone()).expect("rewrapped");
    assert_eq!(after.sealed, before.sealed, "only the data key is encrypted anew");
    assert_eq!(after.key_id, both.current().as_str());
    let alone = ring(&new, &[]);
    assert_eq!(alone.open(place("a"), &after).expect("opened").expose(), SECRET);
    let error = alone.open(place("a"), &before).expect_err("its key is gone");
    assert_eq!(error, VaultError::UnknownKey(before.key_id.clone()));
    assert!(error.to_string().contains("secrets.previous_keys") && error.to_string().contains(&before.key_id));
}

#[test]
fn lengths_have_limits() {
    let ring = ring(&fresh(), &[]);
    for (length, good) in [(0, false), (1, true), (MOST_BYTES, true), (MOST_BYTES + 1, false)] {
        let sealed = ring.seal(place("a"), &Hidden::new("é".repeat(length / 2) + &"e".repeat(length % 2)));
        assert_eq!(sealed.is_ok(), good, "{length}");
        assert!(good || sealed == Err(VaultError::Length(length)));
    }
}

#[test]
fn keys_are_read_in_the_spellings_that_people_have() {
    let key = fresh();
    let id = ring(&key, &[]).current().clone();
    assert_eq!(id.as_str().len(), 16);
    for spelled in [key.expose().trim_end_matches('=').to_owned(), format!(" {}\n", key.expose())] {
        assert_eq!(ring(&Hidden::new(spelled), &[]).current(), &id);
    }
    assert_ne!(ring(&fresh(), &[]).current(), &id);
    let doubled = ring(&key, &[key.clone(), fresh(), key.clone()]);
    assert_eq!((doubled.current(), doubled.previous().count()), (&id, 1));
}

#[test]
fn a_wrong_key_is_named_by_its_setting_and_not_repeated() {
    let short = fresh().expose()[4..].to_owned();
    let long = format!("{}AAAA", fresh().expose().trim_end_matches('='));
    for wrong in ["", "planted secret", &short, &long, &"A".repeat(10_000), "\u{0}", "ключ"] {
        let error = Keyring::new(&Hidden::new(wrong), []).expect_err("it is none");
        assert_eq!(error, KeyError::Unreadable("secrets.key"));
        assert!(error.to_string().contains("new-key") && !error.to_string().contains("planted"));
        let error = Keyring::new(&fresh(), &[Hidden::new(wrong)]).expect_err("it is none");
        assert!(error.to_string().contains("secrets.previous_keys"), "{error}");
    }
    let many: Vec<Hidden> = (0..=MOST_PREVIOUS).map(|_| fresh()).collect();
    assert_eq!(Keyring::new(&fresh(), &many).expect_err("too many"), KeyError::TooMany);
    assert!(Keyring::new(&fresh(), &many[1..]).is_ok());
}

#[test]
fn a_ring_shows_ids_only() {
    let (one, two) = (fresh(), fresh());
    let shown = format!("{:?}", ring(&one, std::slice::from_ref(&two)));
    assert!(!shown.contains(one.expose()) && !shown.contains(two.expose()), "{shown}");
    assert_eq!(VaultError::unknown(&"x\n".repeat(99)), VaultError::UnknownKey("x".repeat(16)));
}

#[test]
fn a_signature_is_of_one_text_for_one_purpose_by_a_key_of_the_ring() {
    let (old, new) = (fresh(), fresh());
    let before = ring(&old, &[]);
    let signature = before.sign("link", "a/b");
    assert!(before.has_signed("link", "a/b", &signature));
    assert!(ring(&new, std::slice::from_ref(&old)).has_signed("link", "a/b", &signature), "also after a rotation");
    assert!(!ring(&new, &[]).has_signed("link", "a/b", &signature));
    for (purpose, text) in [("link", "a/c"), ("other", "a/b"), ("lin", "ka/b")] {
        assert!(!before.has_signed(purpose, text, &signature), "{purpose} {text}");
    }
    assert!(!before.has_signed("link", "a/b", &signature[..31]) && !before.has_signed("link", "a/b", &[]));
}
