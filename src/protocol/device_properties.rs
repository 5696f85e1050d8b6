//! Property tests: the device flow with random server behaviour, and the parsers with random input.

use proptest::prelude::*;

use super::*;

/// One action of a random server.
#[derive(Clone, Debug)]
enum Act {
    Pending { interval: Option<u32> },
    SlowDown { interval: Option<u32> },
    Gateway { status: u16, retry_after: Option<u32> },
    Lost,
    Noise(u16, Vec<u8>),
    Token,
}

fn act() -> impl Strategy<Value = Act> {
    let interval = || prop::option::of(prop_oneof![0_u32..60, any::<u32>()]);
    prop_oneof![
        6 => interval().prop_map(|interval| Act::Pending { interval }),
        4 => interval().prop_map(|interval| Act::SlowDown { interval }),
        3 => (prop::sample::select(vec![408_u16, 429, 500, 503, 599]), prop::option::of(0_u32..100))
            .prop_map(|(status, retry_after)| Act::Gateway { status, retry_after }),
        3 => Just(Act::Lost),
        1 => (100_u16..999, prop::collection::vec(any::<u8>(), 0..60)).prop_map(|(s, b)| Act::Noise(s, b)),
        1 => Just(Act::Token),
    ]
}

fn body(code: &str, interval: Option<u32>) -> String {
    match interval {
        Some(interval) => format!(r#"{{"error":"{code}","interval":{interval}}}"#),
        None => format!(r#"{{"error":"{code}"}}"#),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    // proves: R8628-3.5-03, R8628-3.5-04, R8628-3.5-09, R8628-3.5-10, R8628-3.2-06
    #[test]
    fn polls_are_never_early_and_every_login_ends(
        interval in 1_u64..40,
        expires_in in 1_u64..2_000,
        acts in prop::collection::vec((act(), 0_u64..20_000, 0_u64..3_000), 0..60),
    ) {
        let grant = GRANT.replace("60", &expires_in.to_string()).replace(":5}", &format!(":{interval}}}"));
        let mut bench = Bench::granted(&grant);
        let deadline = ms(1_000 + expires_in * 1_000);
        // The shortest wait that RFC 8628 allows after the last response, computed as a server would.
        let mut least = ms(interval * 1_000);
        let mut allowed_at = bench.now.elapsed + least;
        let mut acts = acts.into_iter();
        let mut steps = 0;
        // Whether the prompt or the last event said that a poll follows.
        let mut announced = true;
        loop {
            steps += 1;
            prop_assert!(steps < 10_000, "the login does not end");
            match bench.advance(Input::Tick) {
                Effect::Wait { until: Some(due) } => {
                    prop_assert!(due > bench.now.elapsed, "the flow waits until a time that has passed");
                    let wait = due - bench.now.elapsed;
                    bench.pass(wait);
                }
                effect if is_poll(&effect) => {
                    prop_assert!(bench.now.elapsed >= allowed_at, "polled {:?} early", allowed_at - bench.now.elapsed);
                    prop_assert!(bench.now.elapsed < deadline, "polled after the deadline");
                    prop_assert!(announced, "polled after the last poll");
                    let (act, latency, drift) = acts.next().unwrap_or((Act::Pending { interval: None }, 0, 0));
                    bench.pass(ms(latency));
                    let (mut extra, mut back_off) = (Duration::ZERO, Duration::ZERO);
                    let effect = match &act {
                        Act::Pending { interval } => {
                            bench.respond(400, &body("authorization_pending", *interval))
                        }
                        Act::SlowDown { interval } => {
                            least = (least + ms(5_000)).max(ms(u64::from(interval.unwrap_or(0)) * 1_000).min(ms(31_622_400_000)));
                            bench.respond(400, &body("slow_down", *interval))
                        }
                        Act::Gateway { status, retry_after } => {
                            let mut reply = Reply::json(*status, "<html>");
                            reply.retry_after = retry_after.map(|s| ms(u64::from(s) * 1_000));
                            extra = reply.retry_after.unwrap_or_default();
                            if *status == 429 {
                                extra = extra.max(least + ms(5_000));
                            }
                            back_off = least * 2;
                            bench.advance(Input::Reply(reply))
                        }
                        Act::Lost => {
                            back_off = least * 2;
                            bench.lose()
                        }
                        Act::Noise(status, bytes) => {
                            let mut reply = Reply::json(*status, "");
                            reply.body = Some(zeroize::Zeroizing::new(bytes.clone()));
                            bench.advance(Input::Reply(reply))
                        }
                        Act::Token => bench.respond(200, TOKEN),
                    };
                    announced = matches!(effect, Effect::Tell(_));
                    match effect {
                        Effect::Finish(outcome) => {
                            prop_assert_eq!(outcome.is_ok(), matches!(act, Act::Token));
                            break;
                        }
                        Effect::Wait { until } => prop_assert_eq!(until, Some(deadline)),
                        Effect::Tell(_) => {
                            // For the last poll before the deadline, only the back-off may be shortened.
                            let last = deadline.saturating_sub(ms(2_000));
                            let backed_off = (bench.now.elapsed + back_off).min(last);
                            allowed_at = backed_off.max(bench.now.elapsed + least.max(extra));
                        }
                        other => prop_assert!(false, "{other:?}"),
                    }
                    bench.pass(ms(drift));
                }
                Effect::Finish(outcome) => {
                    prop_assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Expired);
                    break;
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }

    // proves: R8259-9-01, P5-24
    #[test]
    fn parsers_do_not_panic_on_random_bytes(status in any::<u16>(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut reply = Reply::json(status, "");
        reply.body = Some(zeroize::Zeroizing::new(bytes));
        let _ = grant::read(&reply, Loopback::Allowed, &["s3cret"]);
        let _ = poll::read(&reply, Dialect::AuthKit, &["s3cret"], true);
        let _ = verdict::refresh::read(&reply, Dialect::Standard, &[]);
        let _ = verdict::revoke::read(&reply, &[]);
    }

    #[test]
    fn parsers_do_not_panic_on_random_json(
        text in r#"\{("(device_code|user_code|verification_uri|expires_in|interval|error|access_token|token_type|scope|organizations)":(-?[0-9]{1,30}(\.[0-9]{1,5})?(e[0-9]{1,4})?|"[^"\\\\]{0,20}"|null|true|\[\{\}\]|\{"a":1\}),?){0,6}\}"#
    ) {
        for text in [text.clone(), text.replace(",}", "}")] {
            let reply = Reply::json(200, &text);
            let _ = grant::read(&reply, Loopback::Allowed, &[]);
            let _ = poll::read(&reply, Dialect::AuthKit, &[], false);
        }
    }
}
