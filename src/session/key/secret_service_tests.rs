//! The client of the Secret Service against one that misbehaves.

use std::{
    ffi::OsString,
    fs,
    os::unix::net::UnixListener,
    path::Path,
    time::{Duration, Instant},
};

use socket2::{Domain, SockAddr, Socket, Type};

use super::*;
use crate::session::key::fake_service::{Behaviour, FakeService, Fault};

/// The limit where the service responds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The limit where it does not.
const SHORT: Duration = Duration::from_millis(60);

/// A test fails if a call takes longer although it has the short limit.
const HANGS: Duration = Duration::from_secs(30);

fn at(bus: &str, limit: Duration) -> SecretService {
    let environment = |name: &str| (name == "DBUS_SESSION_BUS_ADDRESS").then(|| OsString::from(bus));
    SecretService::with_limits(dbus::session_bus(&environment), limit, limit)
}

fn at_path(path: &Path, limit: Duration) -> SecretService {
    at(&format!("unix:path={}", path.display()), limit)
}

fn item(login_id: &str) -> Item {
    Item {
        app: "my-cli".to_owned(),
        profile: "work".to_owned(),
        server: "https://login.example".to_owned(),
        login_id: login_id.to_owned(),
    }
}

fn key() -> Key {
    Key(zeroize::Zeroizing::new([7; 32]))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Read,
    Write,
    Remove,
}

use Operation::{Read, Remove, Write};

impl Operation {
    fn run(self, key_store: &SecretService) -> Result<(), KeyError> {
        match self {
            Read => key_store.read(&item("1")).map(drop),
            Write => key_store.write(&item("1"), &key()),
            Remove => key_store.remove(&item("1")),
        }
    }

    /// The calls that it makes if the item exists.
    fn calls(self) -> &'static [&'static str] {
        match self {
            Read => &["Hello", "ReadAlias", "Get", "SearchItems", "OpenSession", "GetSecret"],
            Write => &["Hello", "ReadAlias", "Get", "OpenSession", "CreateItem"],
            Remove => &["Hello", "ReadAlias", "Get", "SearchItems", "Delete"],
        }
    }
}

/// Runs the operation with a service that has the item.
fn run(operation: Operation, behaviour: Behaviour, limit: Duration) -> (Result<(), KeyError>, Vec<String>) {
    let service = FakeService::start(behaviour);
    let attributes = [("service", "my-cli"), ("account", "work@https://login.example"), ("login", "1")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    service.seen().items.push((attributes.into(), key().to_text().as_bytes().to_vec()));
    let started = Instant::now();
    let result = operation.run(&at_path(&service.path(), limit));
    if limit == SHORT {
        assert!(started.elapsed() < HANGS);
    }
    // The service may be slower than the limit.
    while service.seen().connections == 0 {
        assert!(started.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(1));
    }
    let seen = service.seen();
    assert_eq!(seen.connections, 1);
    assert!(!seen.calls.iter().any(|call| ["Prompt", "Unlock"].contains(&call.as_str())), "{:?}", seen.calls);
    (result, seen.calls.clone())
}

/// Runs every operation with every response replaced by the fault.
fn with_a_fault_at_every_step(fault: &Fault, limit: Duration, judge: impl Fn(&Result<(), KeyError>) -> bool) {
    for operation in [Read, Write, Remove] {
        for step in 0..=operation.calls().len() {
            let behaviour = Behaviour { fault: Some((step, fault.clone())), ..Behaviour::default() };
            let (result, calls) = run(operation, behaviour, limit);
            assert!(judge(&result), "{operation:?} {fault:?} at {step}: {result:?}");
            assert!(calls.len() <= step, "{operation:?} {fault:?} at {step}: {calls:?}");
        }
    }
}

#[test]
fn keys_are_stored_replaced_read_and_removed_over_one_connection_a_call() {
    for behaviour in [
        Behaviour::default(),
        Behaviour { big_endian: true, ..Behaviour::default() },
        Behaviour { chatter: true, ..Behaviour::default() },
        Behaviour { chatter: true, big_endian: true, pause: Some(Duration::ZERO), ..Behaviour::default() },
    ] {
        let service = FakeService::start(behaviour);
        let key_store = at_path(&service.path(), PATIENCE);
        assert!(matches!(key_store.read(&item("1")), Err(KeyError::Missing)));
        let (first, second) = (Key::random().unwrap(), Key::random().unwrap());
        key_store.write(&item("1"), &first).unwrap();
        key_store.write(&item("2"), &first).unwrap();
        key_store.write(&item("1"), &second).unwrap();
        assert_eq!(key_store.read(&item("1")).unwrap().bytes(), second.bytes());
        assert_eq!(key_store.read(&item("2")).unwrap().bytes(), first.bytes());
        key_store.remove(&item("1")).unwrap();
        key_store.remove(&item("1")).unwrap();
        assert!(matches!(key_store.read(&item("1")), Err(KeyError::Missing)));
        let seen = service.seen();
        assert_eq!(seen.connections, 9);
        assert_eq!(seen.items.len(), 1);
        assert_eq!(seen.items[0].0["xdg:schema"], "cli-auth.Key");
        assert_eq!(seen.items[0].1, first.to_text().as_bytes());
    }
}

#[test]
fn each_operation_makes_only_the_calls_that_it_needs() {
    for operation in [Read, Write, Remove] {
        let (result, calls) = run(operation, Behaviour::default(), PATIENCE);
        assert_eq!(
            (result, calls),
            (Ok(()), operation.calls().iter().map(|&call| call.to_owned()).collect())
        );
    }
}

#[test]
fn a_locked_key_store_is_reported_before_anything_is_searched() {
    for (behaviour, last) in [
        (Behaviour { locked: true, ..Behaviour::default() }, "Get"),
        (Behaviour { no_default: true, ..Behaviour::default() }, "ReadAlias"),
    ] {
        for operation in [Read, Write, Remove] {
            let (result, calls) = run(operation, behaviour.clone(), PATIENCE);
            assert!(matches!(result, Err(KeyError::Locked(_))), "{result:?}");
            assert_eq!(calls.last().unwrap(), last);
        }
    }
    for operation in [Read, Remove] {
        let behaviour = Behaviour { items_locked: true, ..Behaviour::default() };
        let (result, calls) = run(operation, behaviour, PATIENCE);
        assert!(matches!(result, Err(KeyError::Locked(_))), "{result:?}");
        assert_eq!(calls.last().unwrap(), "SearchItems");
    }
}

// proves: C-41
#[test]
fn a_prompt_is_never_shown_and_counts_as_locked() {
    for (operation, method) in [(Read, "GetSecret"), (Write, "CreateItem"), (Remove, "Delete")] {
        let behaviour = Behaviour { prompt_at: Some(method), ..Behaviour::default() };
        let (result, calls) = run(operation, behaviour, PATIENCE);
        assert!(matches!(result, Err(KeyError::Locked(_))), "{result:?}");
        assert_eq!(calls.last().unwrap(), method);
    }
}

#[test]
fn errors_of_the_service_are_judged_by_name() {
    let unavailable = |error: &KeyError| matches!(error, KeyError::Unavailable(_));
    let locked = |error: &KeyError| matches!(error, KeyError::Locked(_));
    let failed = |error: &KeyError| matches!(error, KeyError::Failed(_));
    let missing = |error: &KeyError| *error == KeyError::Missing;
    type Judge = fn(&KeyError) -> bool;
    let cases: [(Operation, &str, &str, Judge); 13] = [
        (Read, "ReadAlias", "org.freedesktop.DBus.Error.ServiceUnknown", unavailable),
        (Read, "ReadAlias", "org.freedesktop.DBus.Error.NameHasNoOwner", unavailable),
        (Write, "ReadAlias", "org.freedesktop.DBus.Error.NoReply", unavailable),
        (Write, "ReadAlias", "org.freedesktop.DBus.Error.Spawn.ExecFailed", unavailable),
        (Write, "ReadAlias", "org.freedesktop.DBus.Error.AccessDenied", unavailable),
        (Read, "Hello", "org.freedesktop.DBus.Error.LimitsExceeded", failed),
        (Read, "Get", "org.freedesktop.DBus.Error.UnknownMethod", failed),
        (Read, "OpenSession", "org.freedesktop.DBus.Error.NotSupported", failed),
        (Write, "CreateItem", "org.freedesktop.Secret.Error.IsLocked", locked),
        (Read, "GetSecret", "org.freedesktop.Secret.Error.IsLocked", locked),
        (Read, "GetSecret", "org.freedesktop.Secret.Error.NoSuchObject", missing),
        (Read, "GetSecret", "org.freedesktop.DBus.Error.UnknownMethod", missing),
        (Read, "GetSecret", "\u{1b}[2J", failed),
    ];
    for (operation, method, name, judge) in cases {
        let behaviour = Behaviour { error_at: Some((method, name)), ..Behaviour::default() };
        let error = run(operation, behaviour, PATIENCE).0.unwrap_err();
        assert!(judge(&error), "{method} {name}: {error:?}");
        assert!(!format!("{error:?}").contains("u{1b}"), "{error:?}");
    }
    let gone = Some(("Delete", "org.freedesktop.DBus.Error.UnknownObject"));
    assert_eq!(run(Remove, Behaviour { error_at: gone, ..Behaviour::default() }, PATIENCE).0, Ok(()));
}

#[test]
fn a_service_that_stops_responding_costs_no_more_than_the_limit() {
    let timed_out = |result: &Result<(), KeyError>| matches!(result, Err(KeyError::TimedOut(_)));
    with_a_fault_at_every_step(&Fault::Mute, SHORT, timed_out);
    // The start of a message, and no more.
    with_a_fault_at_every_step(&Fault::Bytes(b"l".to_vec()), SHORT, timed_out);
}

#[test]
fn the_limit_is_for_everything_and_not_for_each_byte() {
    for operation in [Read, Write, Remove] {
        let behaviour = Behaviour { pause: Some(Duration::from_millis(5)), ..Behaviour::default() };
        let (result, _) = run(operation, behaviour, SHORT);
        assert!(matches!(result, Err(KeyError::TimedOut(_))), "{result:?}");
    }
}

#[test]
fn a_connection_that_ends_early_is_a_failure() {
    with_a_fault_at_every_step(&Fault::Close, PATIENCE, |result| matches!(result, Err(KeyError::Failed(_))));
}

#[test]
fn what_is_no_message_is_a_failure() {
    let endless = vec![b'x'; 4096];
    let http = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec();
    let zeros = vec![0; 2048];
    for bytes in [endless, http, zeros] {
        let failed = |result: &Result<(), KeyError>| matches!(result, Err(KeyError::Failed(_)));
        with_a_fault_at_every_step(&Fault::Bytes(bytes), PATIENCE, failed);
    }
}

#[test]
fn a_length_beyond_the_limit_is_a_failure_at_once() {
    for (body, fields) in [(u32::MAX, 0), (0, u32::MAX), (u32::MAX, u32::MAX), (300_000, 0), (8, 1 << 27)] {
        let mut bytes = vec![b'l', 2, 1, 1];
        for number in [body, 1, fields] {
            bytes.extend(number.to_le_bytes());
        }
        for operation in [Read, Write, Remove] {
            for step in 1..=operation.calls().len() {
                let behaviour =
                    Behaviour { fault: Some((step, Fault::Bytes(bytes.clone()))), ..Behaviour::default() };
                let (result, _) = run(operation, behaviour, PATIENCE);
                assert!(matches!(result, Err(KeyError::Failed(_))), "{body} {fields} at {step}: {result:?}");
            }
        }
    }
}

#[test]
fn a_reply_to_another_call_is_ignored_and_a_reply_of_another_type_is_a_failure() {
    for operation in [Read, Write, Remove] {
        for step in 1..=operation.calls().len() {
            let behaviour = |fault| Behaviour { fault: Some((step, fault)), ..Behaviour::default() };
            let (result, _) = run(operation, behaviour(Fault::WrongSerial), SHORT);
            assert!(matches!(result, Err(KeyError::TimedOut(_))), "{operation:?} at {step}: {result:?}");
            // The name that the bus assigns is not needed.
            let (result, _) = run(operation, behaviour(Fault::WrongType), PATIENCE);
            assert_eq!(
                matches!(result, Err(KeyError::Failed(_))),
                step > 1,
                "{operation:?} at {step}: {result:?}"
            );
        }
    }
}

#[test]
fn a_secret_that_is_not_a_key_is_a_failure() {
    let service = FakeService::start(Behaviour::default());
    let key_store = at_path(&service.path(), PATIENCE);
    key_store.write(&item("1"), &key()).unwrap();
    service.seen().items[0].1 = b"hunter2".to_vec();
    let error = key_store.read(&item("1")).unwrap_err();
    assert!(matches!(&error, KeyError::Failed(text) if !text.contains("hunter2")), "{error:?}");
}

#[test]
fn a_bus_that_does_not_accept_the_user_is_unavailable() {
    let behaviour = Behaviour {
        fault: Some((0, Fault::Bytes(b"REJECTED EXTERNAL\r\n".to_vec()))),
        ..Behaviour::default()
    };
    let (result, _) = run(Read, behaviour, PATIENCE);
    assert!(matches!(result, Err(KeyError::Unavailable(_))), "{result:?}");
}

#[test]
fn without_a_bus_the_key_store_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, no_socket, dead) =
        (folder.path().join("missing"), folder.path().join("file"), folder.path().join("dead"));
    fs::write(&no_socket, "").unwrap();
    drop(UnixListener::bind(&dead).unwrap());
    for path in [&missing, &no_socket, &dead, &folder.path().join("a".repeat(200))] {
        let error = at_path(path, PATIENCE).read(&item("1")).unwrap_err();
        assert!(matches!(error, KeyError::Unavailable(_)), "{error:?}");
    }
    let nowhere = SecretService::with_limits(dbus::session_bus(&|_| None), PATIENCE, PATIENCE);
    assert!(matches!(nowhere.read(&item("1")), Err(KeyError::Unavailable(_))));

    let service = FakeService::start(Behaviour::default());
    let list = format!("unix:path={};unix:path={}", dead.display(), service.path().display());
    assert!(matches!(at(&list, PATIENCE).read(&item("1")), Err(KeyError::Missing)));
}

#[test]
fn a_bus_that_accepts_no_more_connections_costs_no_more_than_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bus");
    let address = SockAddr::unix(&path).unwrap();
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    listener.bind(&address).unwrap();
    listener.listen(0).unwrap();
    let mut queue = Vec::new();
    loop {
        let waiting = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        waiting.set_nonblocking(true).unwrap();
        if waiting.connect(&address).is_err() {
            break;
        }
        queue.push(waiting);
    }
    let started = Instant::now();
    let error = at_path(&path, SHORT).read(&item("1")).unwrap_err();
    assert!(matches!(error, KeyError::TimedOut(_)), "{error:?}");
    assert!(started.elapsed() < HANGS);
}

#[test]
fn a_name_in_the_abstract_namespace_is_reached() {
    let name = format!("cli-auth-{}", std::process::id());
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    listener.bind(&SockAddr::unix(format!("\0{name}")).unwrap()).unwrap();
    listener.listen(1).unwrap();
    let error = at(&format!("unix:abstract={name}"), SHORT).read(&item("1")).unwrap_err();
    assert!(matches!(error, KeyError::TimedOut(_)), "{error:?}");
}
