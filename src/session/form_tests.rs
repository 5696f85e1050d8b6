//! Tests for the form of a record in a file.

use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::session::{
    moment::Moment,
    record::{Owner, Variant},
};

fn times() -> Times {
    let received =
        Moment::new(UNIX_EPOCH + Duration::from_secs(1_700_000_000), Duration::from_secs(90), None);
    Times::new(received, Some(Duration::from_secs(290)), Some(Duration::from_secs(300)))
}

/// A record with something in every member.
fn record(protection: Protected) -> Record {
    let access =
        Access { token: Secret::new("variant-token"), token_type: "Bearer".to_owned(), times: times() };
    Record {
        header: Header {
            format: FORMAT,
            login_id: "00ff".to_owned(),
            generation: 7,
            owner: Owner {
                server: "https://login.example".to_owned(),
                client_id: "client_1".to_owned(),
                profile: "work".to_owned(),
            },
            subject: Some("user_1".to_owned()),
            organization: Some("org_1".to_owned()),
            scopes: Some(vec!["openid".to_owned(), "profile".to_owned()]),
            token_type: "Bearer".to_owned(),
            times: times(),
            has_refresh_token: true,
            ended: None,
            protection,
        },
        tokens: StoredTokens {
            refresh_token: Some(Secret::new("refresh-token")),
            access_token: Secret::new("access-token"),
            variants: BTreeMap::from([(Variant("organization_id=org_2".to_owned()), access)]),
            refused: Some(Secret::new("refused-token")),
        },
    }
}

fn text(file: &[u8]) -> String {
    String::from_utf8(file.to_vec()).unwrap()
}

/// The same file with another first line, and a third one that is right.
fn with_header(file: &[u8], edit: impl Fn(String) -> String) -> Vec<u8> {
    let (first, second) = lines(file).unwrap();
    with_trailer(edit(text(first)).as_bytes(), second).to_vec()
}

#[test]
fn a_record_survives_its_file() {
    let key = Key::random().unwrap();
    for (protection, key) in
        [(Protected::File, None), (Protected::Program, None), (Protected::Keyring, Some(&key))]
    {
        let record = record(protection);
        let file = write(&record, key).unwrap();
        assert_eq!(read(&file).unwrap().open(key).unwrap(), record);
    }
}

// proves: C-39
#[test]
fn the_header_has_no_secret_and_a_sealed_file_has_none_at_all() {
    let key = Key::random().unwrap();
    let secrets = ["refresh-token", "access-token", "variant-token", "refused-token"];
    let plain = write(&record(Protected::File), None).unwrap();
    let (header, _) = lines(&plain).unwrap();
    let sealed = text(&write(&record(Protected::Keyring), Some(&key)).unwrap());
    for secret in secrets {
        assert!(!text(header).contains(secret) && !sealed.contains(secret), "{secret}");
    }
    let sealed = format!("{:?}", read(sealed.as_bytes()).unwrap().open(Some(&key)).unwrap());
    assert!(secrets.iter().all(|secret| !sealed.contains(secret)), "{sealed}");
}

#[test]
fn two_files_of_one_record_are_sealed_with_two_nonces() {
    let key = Key::random().unwrap();
    let record = record(Protected::Keyring);
    assert_ne!(write(&record, Some(&key)).unwrap(), write(&record, Some(&key)).unwrap());
}

// proves: C-46
#[test]
fn an_edited_header_makes_a_sealed_file_unusable_even_with_the_right_hash() {
    let key = Key::random().unwrap();
    let file = write(&record(Protected::Keyring), Some(&key)).unwrap();
    let edited = with_header(&file, |header| header.replace("login.example", "evil.example"));
    assert_eq!(read(&edited).unwrap().open(Some(&key)).unwrap_err(), Unreadable::Damaged);
    let other = Key::random().unwrap();
    assert_eq!(read(&file).unwrap().open(Some(&other)).unwrap_err(), Unreadable::Damaged);
    assert_eq!(read(&file).unwrap().open(None).unwrap_err(), Unreadable::Damaged);
}

#[test]
fn a_header_that_contradicts_the_tokens_is_damaged() {
    let file = write(&record(Protected::File), None).unwrap();
    let edited = with_header(&file, |header| {
        header.replace("\"has_refresh_token\":true", "\"has_refresh_token\":false")
    });
    assert_eq!(read(&edited).unwrap().open(None).unwrap_err(), Unreadable::Damaged);
}

// proves: C-45
#[test]
fn a_file_that_was_cut_or_changed_anywhere_is_damaged() {
    let file = write(&record(Protected::File), None).unwrap();
    for end in 0..file.len() {
        assert_eq!(read(&file[..end]).unwrap_err(), Unreadable::Damaged, "cut at {end}");
    }
    for place in 0..file.len() {
        let mut changed = file.to_vec();
        changed[place] ^= 1;
        // A changed format may also look like a newer one. It is not used either way.
        assert!(read(&changed).is_err(), "changed at {place}");
    }
    let mut longer = file.to_vec();
    longer.push(b'\n');
    assert_eq!(read(&longer).unwrap_err(), Unreadable::Damaged);
}

// proves: C-45
#[test]
fn a_later_format_is_newer_and_anything_else_is_damaged() {
    for newer in ["{\"format\":2}", "{\"format\":2,\"anything\":[1]}\nand\nwhatever\nfollows"] {
        assert_eq!(read(newer.as_bytes()).unwrap_err(), Unreadable::Newer, "{newer}");
    }
    for damaged in
        ["", "\n\n\n", "{}", "{\"format\":0}", "{\"format\":-1}", "{\"format\":\"2\"}", "[2]", "\0\0"]
    {
        assert_eq!(read(damaged.as_bytes()).unwrap_err(), Unreadable::Damaged, "{damaged}");
    }
}

#[test]
fn a_trailer_with_the_wrong_length_is_damaged() {
    let file = write(&record(Protected::File), None).unwrap();
    let (first, second) = lines(&file).unwrap();
    for length in [0, 1, usize::MAX] {
        let trailer = Trailer { length, sha256: hash(file.get(..length).unwrap_or_default()) };
        let mut wrong = [first, b"\n", second, b"\n"].concat();
        wrong.extend(serde_json::to_vec(&trailer).unwrap());
        wrong.push(b'\n');
        assert_eq!(read(&wrong).unwrap_err(), Unreadable::Damaged, "{length}");
    }
}

#[test]
fn a_member_that_is_missing_or_of_another_type_makes_a_file_unusable() {
    let file = write(&record(Protected::File), None).unwrap();
    let (first, second) = lines(&file).unwrap();
    let header: serde_json::Value = serde_json::from_slice(first).unwrap();
    for name in header.as_object().unwrap().keys() {
        let mut wrong = header.clone();
        wrong[name] = serde_json::json!([{}]);
        let file = with_trailer(wrong.to_string().as_bytes(), second);
        assert_eq!(read(&file).unwrap_err(), Unreadable::Damaged, "{name}");
    }
    let tokens: serde_json::Value = serde_json::from_slice(second).unwrap();
    for name in tokens.as_object().unwrap().keys() {
        let mut wrong = tokens.clone();
        wrong[name] = serde_json::json!([{}]);
        let file = with_trailer(first, wrong.to_string().as_bytes());
        assert_eq!(read(&file).unwrap().open(None).unwrap_err(), Unreadable::Damaged, "{name}");
    }
}

#[test]
fn what_would_be_too_large_to_be_read_is_not_written() {
    let mut large = record(Protected::File);
    let mut access = large.tokens.variants.values().next().unwrap().clone();
    access.token = Secret::new("v".repeat(MAX_BYTES));
    large.tokens.variants.insert(Variant("resource=large".to_owned()), access);
    let file = write(&large, None).unwrap();
    assert!(file.len() <= MAX_BYTES);
    assert_eq!(read(&file).unwrap().open(None).unwrap().tokens.refresh_token, large.tokens.refresh_token);
    large.tokens.access_token = Secret::new("a".repeat(MAX_BYTES));
    assert!(write(&large, None).is_none());
}
