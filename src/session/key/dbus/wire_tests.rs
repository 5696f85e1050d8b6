//! Messages that are written and read back, damaged, and arbitrary.

use proptest::prelude::*;

use super::*;

fn example(serial: u32, texts: &[String]) -> Zeroizing<Vec<u8>> {
    let call = Call {
        destination: "org.example",
        path: "/org/example",
        interface: "org.example.Interface",
        member: "Method",
        signature: "a{ss}ayv",
    };
    call.message(serial, |body| {
        body.array(8, |entries| {
            for text in texts {
                entries.structure();
                entries.string(text);
                entries.string(text);
            }
        });
        body.bytes(&[1, 2, 3]);
        body.variant("b", |value| value.bool(true));
    })
}

/// Reads with every method, from every place.
fn read_everything(message: &[u8]) {
    if let Some(fixed) = message.first_chunk() {
        let _ = size(fixed);
    }
    let _ = parse(message);
    let readers: [fn(&mut Reader<'_>) -> Option<()>; 9] = [
        |reader| reader.bool().map(drop),
        |reader| reader.string().map(drop),
        |reader| reader.path().map(drop),
        |reader| reader.signature().map(drop),
        |reader| reader.structure(),
        |reader| reader.variant("s"),
        |reader| reader.array(8)?.string().map(drop),
        |reader| reader.bytes().map(drop),
        |reader| {
            let signature = reader.signature()?;
            reader.skip(signature)
        },
    ];
    for read in readers {
        for at in 0..message.len().min(64) + 2 {
            for big_endian in [false, true] {
                let mut reader = Reader { bytes: message, at, big_endian };
                for _ in 0..8 {
                    if read(&mut reader).is_none() {
                        break;
                    }
                }
            }
        }
    }
}

#[test]
fn an_object_path_has_to_be_one_that_a_bus_accepts() {
    for (path, valid) in [
        ("/", true),
        ("/org/freedesktop/secrets_1", true),
        ("", false),
        ("relative", false),
        ("//", false),
        ("/a/", false),
        ("/a-b", false),
        ("/\u{e4}", false),
    ] {
        let mut written = Writer::new();
        written.string(path);
        let mut reader = Reader { bytes: &written.0, at: 0, big_endian: false };
        assert_eq!(reader.path(), valid.then_some(path), "{path}");
    }
}

#[test]
fn the_size_is_only_known_for_the_start_of_a_message_within_the_limit() {
    let start = [b'l', 2, 0, 1, 5, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0];
    let changed = |at: usize, byte: u8| {
        let mut bytes = start;
        bytes[at] = byte;
        size(&bytes)
    };
    assert_eq!(size(&start), Some(16 + 16 + 5));
    assert_eq!(changed(0, b'x'), None);
    assert_eq!(changed(3, 2), None);
    // 196,608 bytes, then 262,144.
    assert_eq!(changed(6, 3), Some(16 + 16 + 5 + 196_608));
    assert_eq!(changed(6, 4), None);
    assert_eq!(changed(7, 255), None);
    assert_eq!(changed(15, 255), None);
}

#[test]
fn a_message_that_is_cut_or_goes_on_is_not_read() {
    let mut bytes = example(1, &["text".to_owned()]);
    assert!(parse(&bytes).is_some());
    bytes.push(0);
    assert!(parse(&bytes).is_none());
    let size = bytes.len();
    bytes.truncate(size - 2);
    assert!(parse(&bytes).is_none());
}

#[test]
fn a_text_ends_with_a_nul_and_has_no_other() {
    let read = |bytes: &[u8]| Reader { bytes, at: 0, big_endian: false }.string().map(str::to_owned);
    assert_eq!(read(b"\x02\0\0\0ab\0"), Some("ab".to_owned()));
    assert_eq!(read(b"\x02\0\0\0abc"), None);
    assert_eq!(read(b"\x02\0\0\0a\0\0"), None);
    assert_eq!(read(b"\x02\0\0\0\xff\xff\0"), None);
    assert_eq!(read(b"\x02\0\0\0ab"), None);
}

#[test]
fn the_memory_of_a_message_with_the_longest_names_does_not_move() {
    let message = example(1, &["a".repeat(3 * 1024), "b".repeat(3 * 1024), "c".repeat(3 * 1024)]);
    assert_eq!(message.capacity(), CAPACITY);
}

proptest! {
    #[test]
    fn a_written_message_is_read_back(
        serial in 1u32..,
        texts in prop::collection::vec("[^\0]{0,40}", 0..5),
    ) {
        let bytes = example(serial, &texts);
        let message = parse(&bytes).unwrap();
        prop_assert_eq!(message.kind, Kind::Other);
        prop_assert_eq!(message.signature, "a{ss}ayv");
        let mut body = message.body;
        let mut entries = body.array(8).unwrap();
        for text in &texts {
            entries.structure().unwrap();
            prop_assert_eq!(entries.string(), Some(text.as_str()));
            prop_assert_eq!(entries.string(), Some(text.as_str()));
        }
        prop_assert!(entries.is_at_the_end());
        prop_assert_eq!(body.bytes(), Some(&[1, 2, 3][..]));
        prop_assert_eq!(body.variant("b"), Some(()));
        prop_assert_eq!(body.bool(), Some(true));
        prop_assert!(body.is_at_the_end());
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_everything(&bytes);
        // And with a start that looks like a reply.
        for (at, byte) in [b'l', 2, 1, 1, 16, 0, 0, 0].into_iter().enumerate().take(bytes.len()) {
            bytes[at] = byte;
        }
        read_everything(&bytes);
    }

    #[test]
    fn a_damaged_message_never_panics(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        keep in any::<prop::sample::Index>(),
    ) {
        let mut bytes = example(1, &["text".to_owned()]);
        let size = bytes.len();
        for (at, byte) in damage {
            bytes[at.index(size)] = byte;
        }
        read_everything(&bytes);
        bytes.truncate(keep.index(size));
        read_everything(&bytes);
    }
}
