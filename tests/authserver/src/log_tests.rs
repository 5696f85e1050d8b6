use super::*;

fn request(body: usize) -> Request {
    Request {
        method: "POST".to_owned(),
        path: "/x".to_owned(),
        query: None,
        http_1_0: false,
        headers: vec![("Host".to_owned(), "h".to_owned())],
        body: vec![b'a'; body],
        body_announced: true,
        arrived: Instant::now(),
    }
}

fn log() -> (Log, Place) {
    let log = Log::new(true);
    let connection = log.opened(Origin::Main, &Arc::default());
    (log, connection)
}

fn arrive(log: &Log, connection: Place, body: usize) -> Place {
    log.arrived(connection, &request(body), "token", &Checked::default())
}

fn numbers(log: &Value, list: &str, name: &str) -> Vec<u64> {
    log[list].as_array().unwrap().iter().map(|entry| entry[name].as_u64().unwrap()).collect()
}

#[test]
fn the_oldest_requests_are_dropped_and_counted() {
    let (log, connection) = log();
    let first = arrive(&log, connection, 10);
    for _ in 0..MOST_REQUESTS + 4 {
        arrive(&log, connection, 10);
    }
    // It went on while the log moved on.
    log.ended(first, End::Replied, Some(200), Instant::now());
    let json = log.json("s1");
    let kept = numbers(&json, "requests", "request");
    assert_eq!((kept.len(), kept[0]), (MOST_REQUESTS, 6));
    assert_eq!(json["dropped"], json!({"connections": 0, "requests": 5}));
    let last = &json["requests"][MOST_REQUESTS - 1];
    assert_eq!(
        (&last["call"], &last["on_connection"]),
        (&json!(MOST_REQUESTS + 5), &json!(MOST_REQUESTS + 5))
    );
    log.forget();
    assert_eq!(log.json("s1")["dropped"], json!({"connections": 0, "requests": 0}));
}

#[test]
fn large_requests_and_large_answers_leave_room_for_few() {
    let (log, connection) = log();
    for _ in 0..100 {
        arrive(&log, connection, 1024 * 1024);
    }
    assert_eq!(log.json("s1")["dropped"]["requests"], 69);
    for _ in 0..100 {
        let place = arrive(&log, connection, 10);
        log.answering(place, None, Some("e".repeat(MOST_BYTES / 2 - 2000)));
    }
    assert_eq!(numbers(&log.json("s1"), "requests", "request"), [199, 200]);
    let place = arrive(&log, connection, 2 * MOST_BYTES);
    log.ended(place, End::Replied, Some(200), Instant::now());
    assert_eq!(log.json("s1")["requests"][0]["status"], 200);
}

#[test]
fn the_oldest_closed_connections_are_dropped_and_open_ones_still_tell_of_their_requests() {
    let (log, open) = log();
    for _ in 0..2 * MOST_CONNECTIONS {
        let place = log.opened(Origin::Other, &Arc::default());
        log.connection(place, |entry| entry.closed = Some((At(Instant::now()), ClosedBy::Client)));
        assert!(log.entries().connections.len() <= MOST_CONNECTIONS);
    }
    arrive(&log, open, 1);
    let json = log.json("s1");
    let kept = numbers(&json, "connections", "connection");
    assert_eq!((kept[0], kept[kept.len() - 1]), (1, 2 * 20_000 + 1));
    assert_eq!(json["dropped"]["connections"], 2 * MOST_CONNECTIONS + 1 - kept.len());
    assert_eq!(
        (&json["requests"][0]["connection"], &json["connections"][0]["requests"]),
        (&json!(1), &json!(1))
    );
}
