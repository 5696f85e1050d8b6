//! Tests for the device flow with a fake clock. Property tests are in `device_properties.rs`.

use super::*;
use crate::{
    Secret,
    protocol::{settings::Dialect, uri::Loopback, verdict},
};

const GRANT: &str = r#"{"device_code":"dev-123","user_code":"AB-CD","verification_uri":"https://h/","expires_in":60,"interval":5}"#;
const TOKEN: &str = r#"{"access_token":"t","token_type":"Bearer"}"#;
const PENDING: &str = r#"{"error":"authorization_pending"}"#;
const SLOW_DOWN: &str = r#"{"error":"slow_down"}"#;

/// A login and a clock that the test controls.
struct Bench {
    flow: DeviceFlow,
    now: Now,
    /// When the device authorization request was sent.
    sent: Duration,
}

impl Bench {
    fn new() -> Self {
        Self::limited(None)
    }

    fn limited(time_limit: Option<Duration>) -> Self {
        Self::with(Pkce::Never, time_limit)
    }

    fn with(pkce: Pkce, time_limit: Option<Duration>) -> Self {
        let client = ClientSettings {
            secrets: vec![Secret::new("s3cret")],
            scopes: vec!["asked".into()],
            pkce,
            ..ClientSettings::public("id")
        };
        Self {
            flow: DeviceFlow::new(Arc::new(client), time_limit, Some(Verifier::new(&[7; 32]))),
            now: Now { elapsed: ms(1_000), awake: ms(1_000) },
            sent: ms(1_000),
        }
    }

    /// Returns a login that has sent its device authorization request.
    fn authorizing() -> Self {
        Self::new().authorize()
    }

    fn authorize(mut self) -> Self {
        assert!(matches!(self.advance(Input::Tick), Effect::Discover));
        self.sent = self.now.elapsed;
        let sent = self.advance(discovered());
        assert!(matches!(sent, Effect::Send { not_after: None, request } if request.url.path() == "/device"));
        self
    }

    /// Returns a login that has received its code at 1 s. The code expires at 61 s, and the first poll is due at 6.1 s.
    fn granted(grant: &str) -> Self {
        let mut bench = Self::authorizing();
        let effect = bench.respond(200, grant);
        assert!(matches!(effect, Effect::Tell(Notice::Prompt(_))), "{effect:?}");
        bench
    }

    fn advance(&mut self, input: Input) -> Effect<Tokens> {
        self.flow.advance(input, self.now)
    }

    fn pass(&mut self, time: Duration) {
        self.now.elapsed += time;
        self.now.awake += time;
    }

    /// Advances the clock to the next poll, checks that the poll is sent, and returns the time that passed.
    fn until_poll(&mut self) -> Duration {
        let from = self.now.elapsed;
        match self.advance(Input::Tick) {
            Effect::Wait { until: Some(due) } => self.pass(due - from),
            other => panic!("{other:?}"),
        }
        assert!(is_poll(&self.advance(Input::Tick)));
        self.now.elapsed - from
    }

    fn respond(&mut self, status: u16, body: &str) -> Effect<Tokens> {
        let mut reply = Reply::json(status, body);
        reply.sent.elapsed = self.sent;
        self.advance(Input::Reply(reply))
    }

    fn lose(&mut self) -> Effect<Tokens> {
        self.advance(Input::Lost(RetryReason::ConnectionLost, Error::new(ErrorKind::Network, "lost")))
    }
}

fn discovered() -> Input {
    Input::Discovered(Arc::new(Metadata::example()))
}

fn is_poll(effect: &Effect<Tokens>) -> bool {
    matches!(effect, Effect::Send { request, not_after: Some(_) } if request.url.path() == "/token")
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn error(effect: Effect<Tokens>) -> Error {
    match effect {
        Effect::Finish(Err(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn event(effect: Effect<Tokens>) -> Event {
    match effect {
        Effect::Tell(Notice::Event(event)) => event,
        other => panic!("{other:?}"),
    }
}

// proves: R8628-3.5-03, R8628-3.4-05, R8628-3.3-03, D-3, P5-25
#[test]
fn polling_starts_after_one_interval_and_continues_while_pending() {
    let mut bench = Bench::granted(GRANT);
    assert_eq!(bench.until_poll(), ms(5_100));
    assert!(matches!(bench.advance(Input::Tick), Effect::Wait { until: None }));
    bench.pass(ms(200));
    assert_eq!(
        event(bench.respond(400, PENDING)),
        Event::Pending { next_poll_in: ms(5_100), expires_in: ms(60_000 - 5_300) }
    );
    assert_eq!(bench.until_poll(), ms(5_100));
    assert!(matches!(bench.respond(200, TOKEN), Effect::Finish(Ok(_))));
    assert!(matches!(bench.flow.state, State::Ended));
}

// proves: R8628-3.5-04, R8628-3.5-09, P5-02, P5-03, P5-05
#[test]
fn slow_down_is_reported_never_fatal_and_persists_across_failures() {
    let mut bench = Bench::granted(&GRANT.replace("60", "600"));
    bench.until_poll();
    for interval in [10, 15, 20, 25, 30] {
        assert_eq!(
            event(bench.respond(400, SLOW_DOWN)),
            Event::SlowedDown { interval: ms(interval * 1_000) }
        );
        assert!(bench.until_poll() >= ms(interval * 1_000));
    }
    let lost = event(bench.lose());
    assert_eq!(
        lost,
        Event::Retrying {
            reason: RetryReason::ConnectionLost,
            attempt: 1,
            retry_in: ms(84_000),
            request_id: None
        }
    );
    assert_eq!(bench.until_poll(), ms(84_000));
    bench.respond(400, PENDING);
    assert_eq!(bench.until_poll(), ms(42_000));
}

// proves: R8628-3.5-08, R9110-15.6.4-01, P5-09, P5-10
#[test]
fn transient_failures_back_off_and_count_attempts() {
    let mut bench = Bench::granted(&GRANT.replace("60", "600"));
    bench.until_poll();
    let mut gateway = Reply::json(502, "<html>");
    gateway.retry_after = Some(ms(15_000));
    gateway.request_id = Some("req-\u{7}1 dev".into());
    let reported = event(bench.advance(Input::Reply(gateway)));
    assert_eq!(
        reported,
        Event::Retrying {
            reason: RetryReason::Http(502),
            attempt: 1,
            retry_in: ms(15_300),
            request_id: Some("req-\u{fffd}1 dev".into())
        }
    );
    bench.until_poll();
    let reported = event(bench.lose());
    assert_eq!(
        reported,
        Event::Retrying {
            reason: RetryReason::ConnectionLost,
            attempt: 2,
            retry_in: ms(20_400),
            request_id: None
        }
    );
    bench.until_poll();
    let broken = Input::Failed(Error::internal("a task panicked"));
    assert_eq!(error(bench.advance(broken)).kind(), ErrorKind::Internal);
}

/// Responds to every poll with `response` until the login ends. Returns the times of the polls and the error. Every
/// poll but the last one is followed by an event.
fn to_the_end(
    bench: &mut Bench,
    mut response: impl FnMut(&mut Bench) -> Effect<Tokens>,
) -> (Vec<u64>, Error) {
    let (mut polls, mut announced) = (Vec::new(), true);
    loop {
        match bench.advance(Input::Tick) {
            Effect::Wait { until: Some(due) } => bench.pass(due - bench.now.elapsed),
            effect if is_poll(&effect) => {
                assert!(announced);
                polls.push(u64::try_from(bench.now.elapsed.as_millis()).unwrap());
                announced = matches!(response(bench), Effect::Tell(_));
            }
            other => {
                assert!(!announced);
                return (polls, error(other));
            }
        }
    }
}

// proves: R8628-3.2-06, R8628-3.2-07, P5-11, P5-23
#[test]
fn the_last_poll_is_shortly_before_the_deadline() {
    let mut bench = Bench::granted(GRANT);
    let (polls, expired) = to_the_end(&mut bench, |bench| bench.respond(400, PENDING));
    assert_eq!(polls[..2], [6_100, 11_200]);
    assert_eq!(polls[9..], [52_000, 59_000]);
    assert_eq!((expired.kind(), bench.now.elapsed), (ErrorKind::Expired, ms(61_000)));
    assert_eq!(expired.to_string(), "the code expired before the login was approved: start again");
}

// proves: P5-11
#[test]
fn back_off_is_shortened_for_a_last_poll() {
    let mut lost = Bench::granted(&GRANT.replace(":5}", ":1}"));
    let (polls, expired) = to_the_end(&mut lost, Bench::lose);
    assert_eq!(polls, [2_050, 4_100, 8_180, 16_340, 32_660, 59_000]);
    assert_eq!((expired.kind(), lost.now.elapsed), (ErrorKind::Expired, ms(61_000)));
    assert!(expired.to_string().contains("the last poll failed (lost)"), "{expired}");

    let mut gateway = Bench::granted(&GRANT.replace("60", "300"));
    let body = r#"{"message":"maintenance"}"#;
    let (polls, expired) = to_the_end(&mut gateway, |bench| bench.respond(503, body));
    assert_eq!((*polls.last().unwrap(), gateway.now.elapsed), (299_000, ms(301_000)));
    assert_eq!((expired.kind(), expired.http_status()), (ErrorKind::Expired, Some(503)));
    assert_eq!(expired.description(), Some("maintenance"));

    let mut well_again = Bench::granted(GRANT);
    let mut responses = 0;
    let (_, expired) = to_the_end(&mut well_again, |bench| {
        responses += 1;
        if responses == 1 { bench.respond(503, "") } else { bench.respond(400, PENDING) }
    });
    assert_eq!(expired.http_status(), None);
}

#[test]
fn a_slow_poll_does_not_end_the_login_early() {
    let mut bench = Bench::granted(&GRANT.replace("60", "36"));
    let (polls, expired) = to_the_end(&mut bench, |bench| {
        bench.pass(ms(10_000));
        bench.lose()
    });
    assert_eq!(polls, [6_100, 26_300]);
    assert_eq!((expired.kind(), bench.now.elapsed), (ErrorKind::Expired, ms(37_000)));
    assert!(expired.to_string().contains("the last poll failed"), "{expired}");
}

// proves: R9110-10.2.3-02
#[test]
fn a_wait_beyond_the_codes_lifetime_ends_the_login_immediately() {
    let mut never = Bench::granted(&GRANT.replace(":5}", ":86400}"));
    let expired = error(never.advance(Input::Tick));
    assert_eq!((expired.kind(), never.now.elapsed), (ErrorKind::Expired, ms(1_000)));
    assert!(expired.to_string().contains("86400 seconds"), "{expired}");

    let mut waiting = Bench::granted(GRANT);
    waiting.until_poll();
    let mut later = Reply::json(503, r#"{"error":"overloaded","error_description":"maintenance"}"#);
    later.retry_after = Some(ms(3_600_000));
    let expired = error(waiting.advance(Input::Reply(later)));
    assert!(expired.to_string().contains("3600 seconds"), "{expired}");
    assert!(expired.to_string().ends_with("(the server says: maintenance)"), "{expired}");
    assert_eq!((expired.kind(), expired.http_status()), (ErrorKind::Expired, Some(503)));
    assert_eq!(expired.oauth_error(), Some("overloaded"));
}

#[test]
fn no_poll_is_sent_at_the_deadline() {
    // An interval of 10 s leaves no time for a poll if the code lives 10 s. If the code lives longer, one poll fits.
    for (life, polled) in [("10", false), ("10.01", true)] {
        let mut bench = Bench::granted(&GRANT.replace("60", life).replace(":5}", ":10}"));
        assert_eq!(matches!(bench.advance(Input::Tick), Effect::Wait { .. }), polled, "{life}");
    }
    let mut late = Bench::granted(GRANT);
    late.pass(ms(60_000));
    assert_eq!(error(late.advance(Input::Tick)).kind(), ErrorKind::Expired);
}

#[test]
fn intermediary_failures_after_a_valid_response_are_transient() {
    let refused = || Input::Failed(Error::new(ErrorKind::Tls, "a certificate of a captive portal"));
    let mut first = Bench::granted(&GRANT.replace("60", "600"));
    first.until_poll();
    assert_eq!(error(first.respond(403, "<html>")).kind(), ErrorKind::InvalidResponse);
    // The device authorization response came over a connection with a valid certificate, so an invalid one is
    // transient on the same server. A token endpoint on another server may never have had a valid certificate.
    let mut first = Bench::granted(&GRANT.replace("60", "600"));
    first.until_poll();
    assert!(matches!(first.advance(refused()), Effect::Tell(_)));
    let mut elsewhere = Bench::new();
    elsewhere.advance(Input::Tick);
    let token_endpoint = url::Url::parse("https://elsewhere/token").unwrap();
    let server = Metadata { token_endpoint, ..Metadata::example() };
    elsewhere.advance(Input::Discovered(Arc::new(server)));
    elsewhere.respond(200, &GRANT.replace("60", "600"));
    elsewhere.until_poll();
    assert_eq!(error(elsewhere.advance(refused())).kind(), ErrorKind::Tls);

    let mut later = Bench::granted(&GRANT.replace("60", "600"));
    later.until_poll();
    later.respond(400, PENDING);
    later.until_poll();
    let reported = event(later.respond(403, "<html>"));
    assert!(matches!(reported, Event::Retrying { reason: RetryReason::Blocked, .. }), "{reported:?}");
    later.until_poll();
    let reported = event(later.advance(refused()));
    assert!(
        matches!(reported, Event::Retrying { reason: RetryReason::Certificate, attempt: 2, .. }),
        "{reported:?}"
    );
    later.until_poll();
    assert!(matches!(later.respond(200, TOKEN), Effect::Finish(Ok(_))));
}

/// Returns the bodies of the device authorization requests and of the first poll. The server responds to the first
/// request with `refusal`.
fn bodies(pkce: Pkce, lists_pkce: bool, refusal: Option<&str>) -> (Vec<String>, String) {
    let body = |effect: Effect<Tokens>| match effect {
        Effect::Send { request, .. } => request.form.unwrap().to_string(),
        other => panic!("{other:?}"),
    };
    let mut bench = Bench::with(pkce, None);
    bench.advance(Input::Tick);
    let server = Metadata { lists_pkce, ..Metadata::example() };
    let mut first = vec![body(bench.advance(Input::Discovered(Arc::new(server))))];
    if let Some(refusal) = refusal {
        first.push(body(bench.respond(400, refusal)));
    }
    assert!(matches!(bench.respond(200, GRANT), Effect::Tell(Notice::Prompt(_))));
    bench.pass(ms(6_000));
    (first, body(bench.advance(Input::Tick)))
}

// proves: R7636-X-01
#[test]
fn pkce_is_used_as_set_and_as_the_server_offers() {
    for (pkce, lists_pkce, used) in [
        (Pkce::Auto, true, true),
        (Pkce::Auto, false, false),
        (Pkce::Always, false, true),
        (Pkce::Never, true, false),
    ] {
        let (first, poll) = bodies(pkce, lists_pkce, None);
        let challenge =
            first[0].contains("&code_challenge=") && first[0].contains("&code_challenge_method=S256");
        assert_eq!((challenge, poll.contains("&code_verifier=")), (used, used), "{pkce:?} {lists_pkce}");
    }
}

// proves: R7636-X-01
#[test]
fn pkce_that_is_refused_is_left_out_once_and_only_with_auto() {
    let (first, poll) = bodies(Pkce::Auto, true, Some(r#"{"error":"invalid_request"}"#));
    assert!(first[0].contains("code_challenge") && !first[1].contains("code_challenge"), "{first:?}");
    assert!(!poll.contains("code_verifier"), "{poll}");

    let refused = |pkce, lists_pkce, body: &str| {
        let mut bench = Bench::with(pkce, None);
        bench.advance(Input::Tick);
        bench.advance(Input::Discovered(Arc::new(Metadata { lists_pkce, ..Metadata::example() })));
        error(bench.respond(400, body))
    };
    let missing =
        r#"{"error":"invalid_request","error_description":"Missing parameter: code_challenge_method"}"#;
    let requires = refused(Pkce::Auto, false, missing);
    assert_eq!(requires.kind(), ErrorKind::Rejected);
    assert!(requires.to_string().starts_with("the server requires PKCE: set the PKCE option to \"always\""));
    let unknown = refused(Pkce::Always, true, missing);
    assert!(unknown.to_string().starts_with("the server refused PKCE: set the PKCE option to \"never\""));
    assert_eq!(refused(Pkce::Auto, true, r#"{"error":"invalid_scope"}"#).kind(), ErrorKind::Rejected);
}

/// Returns a login at a server that lists PKCE, after its device authorization request.
fn with_pkce(time_limit: Option<Duration>) -> Bench {
    let mut bench = Bench::with(Pkce::Auto, time_limit);
    bench.advance(Input::Tick);
    let server = Metadata { lists_pkce: true, ..Metadata::example() };
    bench.advance(Input::Discovered(Arc::new(server)));
    bench
}

#[test]
fn the_request_without_pkce_is_sent_once_and_in_time() {
    let other = r#"{"error":"invalid_request","error_description":"no audience"}"#;
    let missing = r#"{"error":"invalid_request","error_description":"code_challenge is missing"}"#;
    for second in [other, missing] {
        let mut bench = with_pkce(None);
        assert!(matches!(bench.respond(400, other), Effect::Send { .. }));
        // What the server refused first is the reason, even if it then misses PKCE.
        assert_eq!(error(bench.respond(400, second)).description(), Some("no audience"));
    }
    assert_eq!(error(with_pkce(None).respond(429, other)).kind(), ErrorKind::Network);
    let mut late = with_pkce(Some(ms(5_000)));
    late.pass(ms(5_000));
    assert_eq!(error(late.respond(400, other)).kind(), ErrorKind::Rejected);
}

#[test]
fn without_random_numbers_pkce_fails() {
    let mut bench = Bench::with(Pkce::Always, None);
    bench.flow.pkce = None;
    bench.advance(Input::Tick);
    let failed = bench.advance(Input::Discovered(Arc::new(Metadata::example())));
    assert_eq!(error(failed).kind(), ErrorKind::Internal);
}

// proves: R7636-X-01
#[test]
fn an_echoed_verifier_is_masked() {
    let mut bench = Bench::with(Pkce::Always, None).authorize();
    bench.respond(200, GRANT);
    bench.pass(ms(6_000));
    bench.advance(Input::Tick);
    let verifier = Verifier::new(&[7; 32]).verifier;
    let echo = format!(r#"{{"error":"invalid_grant","error_description":"bad {}"}}"#, verifier.expose());
    assert_eq!(error(bench.respond(400, &echo)).description(), Some("bad ****"));
}

#[test]
fn a_server_without_the_device_flow_is_unsupported() {
    let mut bench = Bench::new();
    bench.advance(Input::Tick);
    let server = Metadata { device_authorization_endpoint: None, ..Metadata::example() };
    let unsupported = error(bench.advance(Input::Discovered(Arc::new(server))));
    assert_eq!(unsupported.kind(), ErrorKind::Unsupported);
    assert!(unsupported.to_string().contains("`device_authorization_endpoint`"), "{unsupported}");
}

#[test]
fn the_code_lifetime_starts_when_the_request_was_sent() {
    let mut bench = Bench::authorizing();
    // The request waits 30 s for a connection before it is sent.
    bench.pass(ms(30_000));
    bench.sent = bench.now.elapsed;
    bench.pass(ms(20_000));
    bench.respond(200, GRANT);
    let State::Waiting(granted) = &bench.flow.state else { panic!("{:?}", bench.flow.state) };
    assert_eq!(granted.expires_at, ms(91_000));
    assert!(matches!(granted.next, Next::PollAt(due) if due == ms(56_100)), "{granted:?}");
}

// proves: R8628-3.5-13
#[test]
fn suspension_is_reported_once_and_causes_at_most_one_poll() {
    let mut bench = Bench::granted(&GRANT.replace("60", "6000"));
    bench.now.elapsed += ms(3_600_000);
    assert_eq!(event(bench.advance(Input::Tick)), Event::Resumed { suspended_for: ms(3_600_000) });
    assert!(is_poll(&bench.advance(Input::Tick)));
    bench.respond(400, PENDING);
    assert_eq!(bench.until_poll(), ms(5_100));
    bench.respond(400, PENDING);
    // A suspension of less than a second is not reported, but such suspensions add up.
    bench.now.elapsed += ms(999);
    assert!(matches!(bench.advance(Input::Tick), Effect::Wait { .. }));
    bench.now.elapsed += ms(1);
    assert_eq!(event(bench.advance(Input::Tick)), Event::Resumed { suspended_for: ms(1_000) });

    let mut dead = Bench::granted(GRANT);
    dead.now.elapsed += ms(3_600_000);
    assert!(matches!(dead.advance(Input::Tick), Effect::Tell(Notice::Event(Event::Resumed { .. }))));
    assert_eq!(error(dead.advance(Input::Tick)).kind(), ErrorKind::Expired);
}

#[test]
fn a_suspension_before_the_login_is_not_reported() {
    let mut bench = Bench::new();
    bench.now.elapsed += ms(3_600_000);
    bench = bench.authorize();
    bench.respond(200, GRANT);
    assert!(matches!(bench.advance(Input::Tick), Effect::Wait { .. }));
}

// proves: R8628-3.1-09, R8628-3.5-05, R8628-3.5-06, R8628-3.5-07
#[test]
fn error_codes_that_end_the_login_are_final() {
    for (body, kind) in [
        (r#"{"error":"access_denied"}"#, ErrorKind::Denied),
        (r#"{"error":"expired_token"}"#, ErrorKind::Expired),
        (r#"{"error":"invalid_grant"}"#, ErrorKind::Rejected),
    ] {
        let mut bench = Bench::granted(GRANT);
        bench.until_poll();
        assert_eq!(error(bench.respond(400, body)).kind(), kind);
        assert_eq!(error(bench.advance(Input::Tick)).kind(), ErrorKind::Internal);
    }
}

#[test]
fn an_unsent_poll_is_sent_again_unless_the_code_expired() {
    let mut bench = Bench::granted(GRANT);
    bench.until_poll();
    assert!(is_poll(&bench.advance(Input::NotSent)));
    bench.pass(ms(60_000));
    assert_eq!(error(bench.advance(Input::NotSent)).kind(), ErrorKind::Expired);
    assert_eq!(error(Bench::authorizing().advance(Input::NotSent)).kind(), ErrorKind::Network);
    let mut discovering = Bench::new();
    discovering.advance(Input::Tick);
    assert_eq!(error(discovering.advance(Input::NotSent)).kind(), ErrorKind::Network);
    assert_eq!(error(Bench::new().advance(Input::NotSent)).kind(), ErrorKind::Internal);
    assert_eq!(error(Bench::granted(GRANT).advance(Input::NotSent)).kind(), ErrorKind::Internal);
}

#[test]
fn two_malformed_http_responses_in_a_row_end_the_login() {
    let malformed = || Input::Lost(RetryReason::Malformed, Error::new(ErrorKind::InvalidResponse, "no HTTP"));
    let mut bench = Bench::granted(&GRANT.replace("60", "6000"));
    bench.until_poll();
    for between in [PENDING, "<html>"] {
        let reported = event(bench.advance(malformed()));
        assert!(matches!(reported, Event::Retrying { reason: RetryReason::Malformed, .. }), "{reported:?}");
        bench.until_poll();
        assert!(matches!(bench.respond(503, between), Effect::Tell(_)));
        bench.until_poll();
    }
    assert!(matches!(bench.advance(malformed()), Effect::Tell(_)));
    bench.until_poll();
    assert!(matches!(bench.lose(), Effect::Tell(_)));
    bench.until_poll();
    assert!(matches!(bench.advance(malformed()), Effect::Tell(_)));
    bench.until_poll();
    assert_eq!(error(bench.advance(malformed())).kind(), ErrorKind::InvalidResponse);
}

#[test]
fn the_device_authorization_request_is_not_retried() {
    let mut lost = Bench::authorizing();
    assert!(matches!(lost.advance(Input::Tick), Effect::Wait { until: None }));
    assert_eq!(error(lost.lose()).kind(), ErrorKind::Network);

    let mut refused = Bench::authorizing();
    assert_eq!(error(refused.respond(503, "")).kind(), ErrorKind::Network);

    let mut ready = Bench::new();
    assert_eq!(error(ready.lose()).kind(), ErrorKind::Network);
}

#[test]
fn an_unexpected_response_is_an_internal_error() {
    assert_eq!(error(Bench::new().respond(200, GRANT)).kind(), ErrorKind::Internal);
    assert_eq!(error(Bench::granted(GRANT).respond(200, TOKEN)).kind(), ErrorKind::Internal);
    assert_eq!(error(Bench::granted(GRANT).lose()).kind(), ErrorKind::Network);
}

#[test]
fn secrets_echoed_by_the_server_are_masked() {
    let mut bench = Bench::authorizing();
    let reported =
        error(bench.respond(400, r#"{"error":"invalid_client","error_description":"bad s3cret"}"#));
    assert_eq!(reported.description(), Some("bad ****"));

    let mut bench = Bench::granted(GRANT);
    bench.until_poll();
    let reported =
        error(bench.respond(400, r#"{"error":"invalid_grant","error_description":"bad s3cret, dev-123"}"#));
    assert_eq!(reported.description(), Some("bad ****, ****"));
}

#[test]
fn the_time_limit_ends_waits_but_accepts_a_late_token() {
    let limited = || Bench::limited(Some(ms(10_000)));
    let mut hanging = limited().authorize();
    assert!(matches!(hanging.advance(Input::Tick), Effect::Wait { until: Some(end) } if end == ms(11_000)));
    hanging.pass(ms(10_000));
    assert_eq!(error(hanging.advance(Input::Tick)).kind(), ErrorKind::Expired);

    let mut waiting = limited().authorize();
    waiting.respond(200, &GRANT.replace(":5}", ":15}"));
    assert!(matches!(waiting.advance(Input::Tick), Effect::Wait { until: Some(end) } if end == ms(11_000)));

    let mut late = limited().authorize();
    late.respond(200, GRANT);
    late.until_poll();
    late.pass(ms(30_000));
    assert!(matches!(late.respond(200, TOKEN), Effect::Finish(Ok(_))));
}

// proves: R6749-3.3-02, R6749-5.1-04, R6749-5.1-07
#[test]
fn a_missing_scope_means_the_requested_scope() {
    for (member, scopes) in [("", ["asked"]), (r#","scope":"granted""#, ["granted"])] {
        let mut bench = Bench::granted(GRANT);
        bench.until_poll();
        match bench.respond(200, &TOKEN.replace('}', &format!("{member}}}"))) {
            Effect::Finish(Ok(response)) => assert_eq!(response.scopes.as_ref().unwrap(), &scopes),
            other => panic!("{other:?}"),
        }
    }
}

#[path = "device_properties.rs"]
mod properties;
