//! Tests for the policy of one call, step by step.

use super::{examples::*, *};

/// One call with a store that no other process changes.
struct Bench {
    flow: TokenFlow,
    now: Moment,
    disk: Option<Arc<Record>>,
    ask: Ask,
    note: Option<Note>,
    busy: bool,
    interrupted: bool,
    reach: Result<(), Error>,
    prepare: Result<(), Error>,
    /// The responses in their order.
    answers: Vec<Reaction>,
    save_fails: bool,
    /// The refresh tokens that were sent, with the time.
    sent: Vec<(String, Duration)>,
    left: Option<Note>,
    revoked: Vec<String>,
    unlocked: u32,
}

/// What the server does with a request.
#[derive(Clone)]
enum Reaction {
    Issue(u64),
    Dead,
    Refuse,
    Later { sent: bool, status: Option<u16>, retry_after: Option<u64>, takes: u64 },
    OtherUser,
}

const LOST: Reaction = Reaction::Later { sent: true, status: None, retry_after: None, takes: 6 };

impl Bench {
    /// A call when this many seconds of the token's life have passed.
    fn after(seconds: u64, server: Server) -> Self {
        Self::with(seconds, server, ask())
    }

    fn with(seconds: u64, server: Server, ask: Ask) -> Self {
        Self {
            flow: TokenFlow::new(ask.clone(), server, None),
            now: start().after(Duration::from_secs(seconds)),
            disk: Some(Arc::new(login(start()))),
            ask,
            note: None,
            busy: false,
            interrupted: false,
            reach: Ok(()),
            prepare: Ok(()),
            answers: Vec::new(),
            save_fails: false,
            sent: Vec::new(),
            left: None,
            revoked: Vec::new(),
            unlocked: 0,
        }
    }

    fn answering(mut self, answers: impl IntoIterator<Item = Reaction>) -> Self {
        self.answers = answers.into_iter().collect();
        self
    }

    fn run(&mut self) -> Finished {
        let mut input = Input::Tick;
        for _ in 0..100 {
            input = match self.flow.advance(input, self.now) {
                Effect::Load => Input::Loaded(Ok(self.disk.clone())),
                Effect::Lock { .. } if self.busy => {
                    Input::NotLocked(Error::new(ErrorKind::Busy, "process 1 is using it"))
                }
                Effect::Lock { .. } => Input::Locked(Held { note: self.note, interrupted: self.interrupted }),
                Effect::Reach { .. } => Input::Reached(self.reach.clone()),
                Effect::Prepare => Input::Prepared(self.prepare.clone()),
                Effect::Send { token, record, .. } => {
                    self.sent.push((token.expose().to_owned(), self.now.elapsed - start().elapsed));
                    Input::Answered(self.answer(&record))
                }
                Effect::Pause(time) => {
                    self.now = self.now.after(time);
                    Input::Tick
                }
                Effect::Save(_) if self.save_fails => Input::Saved(Saved::Failed(full())),
                Effect::Save(record) => {
                    assert!(record.header.is_successor_of(&self.disk.as_ref().unwrap().header));
                    self.disk = Some(record);
                    Input::Saved(Saved::Done)
                }
                Effect::Unlock(note) => {
                    self.unlocked += 1;
                    self.left = note;
                    Input::Tick
                }
                Effect::Revoke(token) => {
                    assert_eq!(self.unlocked, 1, "the server is asked after the unlock");
                    self.revoked.push(token.expose().to_owned());
                    Input::Tick
                }
                Effect::Finish(finished) => return *finished,
            };
        }
        panic!("the call does not end");
    }

    fn answer(&mut self, record: &Record) -> Answer {
        match self.answers.remove(0) {
            Reaction::Issue(number) => answer(record, &self.ask, number, self.now),
            Reaction::Dead => Answer::Dead(dead()),
            Reaction::Refuse => Answer::Refused(Error::new(ErrorKind::Rejected, "no")),
            Reaction::Later { sent, status, retry_after, takes } => {
                self.now = self.now.after(Duration::from_secs(takes));
                let error = match status {
                    Some(status) => network().with_http(status, None, retry_after.map(Duration::from_secs)),
                    None => network(),
                };
                Answer::Later { error, sent }
            }
            Reaction::OtherUser => Answer::OtherUser {
                response: Arc::new(issued(9, self.now)),
                error: Error::new(ErrorKind::InvalidResponse, "other"),
            },
        }
    }

    fn times(&self) -> Vec<u64> {
        self.sent.iter().map(|(_, at)| at.as_secs()).collect()
    }
}

fn token_of(finished: &Finished) -> &str {
    finished.result.as_ref().unwrap().access.token.expose()
}

fn kind_of(finished: &Finished) -> (ErrorKind, Option<ErrorReason>) {
    let error = finished.result.as_ref().unwrap_err();
    (error.kind(), error.reason())
}

fn is_failed_refresh(events: &[SessionEvent]) -> bool {
    matches!(events, [SessionEvent::RefreshFailed { .. }])
}

// proves: C-1, C-3
#[test]
fn a_token_is_refreshed_in_the_last_fifth_of_its_life_and_when_it_is_too_short() {
    for (seconds, validity, sends, token) in [
        (0, 15, 0, "access-0"),
        (239, 15, 0, "access-0"),
        (241, 15, 1, "access-1"),
        (286, 15, 1, "access-1"),
        (0, 299, 0, "access-0"),
        (0, 301, 1, "access-1"),
        (290, 0, 1, "access-1"),
        (5_000, 0, 1, "access-1"),
    ] {
        let ask = Ask { min_validity: Duration::from_secs(validity), ..ask() };
        let mut bench = Bench::with(seconds, NO_REPLAY, ask).answering([Reaction::Issue(1)]);
        let finished = bench.run();
        assert_eq!(token_of(&finished), token, "{seconds} {validity}");
        assert_eq!(bench.sent.len(), sends, "{seconds} {validity}");
        assert_eq!(finished.result.unwrap().refreshed, sends == 1);
    }
}

// proves: C-3
#[test]
fn processes_refresh_early_at_different_times() {
    let early_at = |random: u8| {
        let ask = Ask { jitter: crate::session::judgement::Jitter::new(random), ..ask() };
        let record = login(start());
        let judged = |seconds: &u64| judge(&record, &ask, start().after(Duration::from_secs(*seconds)));
        (0..300).find(|seconds| judged(seconds) == Judgement::Early).unwrap()
    };
    assert_eq!((early_at(255), early_at(128), early_at(0)), (226, 241, 256));
}

// proves: C-6
#[test]
fn a_token_of_unknown_lifetime_is_used_until_it_is_refused() {
    let unknown = || {
        let mut record = login(start());
        record.header.times = super::super::record::Times::new(start(), None, None);
        Some(Arc::new(record))
    };
    let mut bench = Bench::after(1_000_000, NO_REPLAY);
    bench.disk = unknown();
    assert_eq!(token_of(&bench.run()), "access-0");
    let ask = Ask { refused: Some(Secret::new("access-0")), ..ask() };
    let mut bench = Bench::with(10, NO_REPLAY, ask).answering([Reaction::Issue(1)]);
    bench.disk = unknown();
    assert_eq!(token_of(&bench.run()), "access-1");
}

// proves: C-7
#[test]
fn a_refused_token_is_refreshed_once_whoever_asks() {
    let refusing = |token: &str| Ask { refused: Some(Secret::new(token)), ..ask() };
    let mut bench = Bench::with(10, NO_REPLAY, refusing("access-0")).answering([Reaction::Issue(1)]);
    assert_eq!(token_of(&bench.run()), "access-1");
    // Another caller with the same refused token gets the new one.
    let mut second = Bench::with(10, NO_REPLAY, refusing("access-0"));
    second.disk = bench.disk.clone();
    assert_eq!(token_of(&second.run()), "access-1");
    assert!(second.sent.is_empty());
    // A token that is not the current one was refused long ago.
    assert_eq!(token_of(&Bench::with(10, NO_REPLAY, refusing("access-7")).run()), "access-0");
    // The server issues the refused token again: it is not asked a third time.
    let mut same = Bench::with(10, NO_REPLAY, refusing("access-0")).answering([Reaction::Issue(0)]);
    same.run();
    let mut again = Bench::with(10, NO_REPLAY, refusing("access-0"));
    again.disk = same.disk;
    assert_eq!(kind_of(&again.run()).0, ErrorKind::Rejected);
    // A failed refresh does not bring the refused token back.
    let mut lost = Bench::with(10, NO_REPLAY, refusing("access-0")).answering([LOST, LOST]);
    assert_eq!(kind_of(&lost.run()).0, ErrorKind::Network);
}

// proves: C-8, C-16
#[test]
fn in_the_early_window_nobody_waits_and_a_failure_costs_nothing() {
    let mut busy = Bench::after(260, NO_REPLAY);
    busy.busy = true;
    let finished = busy.run();
    assert!(token_of(&finished) == "access-0" && finished.events.is_empty());
    let mut urgent = Bench::after(299, NO_REPLAY);
    urgent.busy = true;
    assert_eq!(kind_of(&urgent.run()).0, ErrorKind::Busy);

    let mut offline = Bench::after(260, NO_REPLAY);
    offline.reach = Err(network());
    let finished = offline.run();
    assert!(token_of(&finished) == "access-0" && is_failed_refresh(&finished.events));
    let left = offline.left.unwrap();
    assert_eq!((left.failed_at, left.spent), (offline.now, None));
    // For half a minute nobody tries again, except who must.
    for (later, sends) in [(29, 0), (31, 1)] {
        let mut next = Bench::after(250, NO_REPLAY).answering([Reaction::Issue(1)]);
        next.note = Some(Note { failed_at: next.now, spent: None });
        next.now = next.now.after(Duration::from_secs(later));
        next.ask.min_validity = Duration::ZERO;
        next.flow = TokenFlow::new(next.ask.clone(), NO_REPLAY, None);
        next.run();
        assert_eq!(next.sent.len(), sends, "{later}");
    }
    let mut urgent = Bench::after(299, NO_REPLAY).answering([Reaction::Issue(1)]);
    urgent.note = offline.left;
    assert_eq!(token_of(&urgent.run()), "access-1");
}

// proves: C-20
#[test]
fn nothing_is_sent_if_the_response_could_not_be_saved() {
    for (seconds, error) in [(260, None), (299, Some((ErrorKind::Store, Some(ErrorReason::NoSpace))))] {
        let mut bench = Bench::after(seconds, NO_REPLAY);
        bench.prepare = Err(full());
        let finished = bench.run();
        assert!(bench.sent.is_empty());
        match error {
            None => assert!(token_of(&finished) == "access-0" && is_failed_refresh(&finished.events)),
            Some(error) => assert_eq!(kind_of(&finished), error),
        }
        assert_eq!(bench.disk.unwrap().header.generation, 1);
    }
}

// proves: C-22, C-23
#[test]
fn a_lost_response_is_asked_for_again_only_where_that_is_safe() {
    // A server with a replay window: three attempts, whether the token is still good or not.
    for seconds in [260, 299] {
        let mut silent = Bench::after(seconds, AUTHKIT).answering([LOST, LOST, LOST]);
        silent.run();
        assert_eq!(silent.times(), [seconds, seconds + 6, seconds + 12]);
        let mut recovered = Bench::after(seconds, AUTHKIT).answering([LOST, Reaction::Issue(1)]);
        assert_eq!(token_of(&recovered.run()), "access-1");
        let tokens: Vec<_> = recovered.sent.iter().map(|(token, _)| token.as_str()).collect();
        assert_eq!(tokens, ["refresh-0", "refresh-0"]);
    }
    // Another server: the current token is used as long as it is good, then the same token is sent once more.
    let mut good = Bench::after(260, NO_REPLAY).answering([LOST]);
    let finished = good.run();
    assert!(token_of(&finished) == "access-0" && is_failed_refresh(&finished.events));
    assert_eq!(good.left.unwrap().spent, Some(1));
    let mut later = Bench::after(284, NO_REPLAY);
    later.note = good.left.map(|note| Note { failed_at: start(), ..note });
    assert_eq!(token_of(&later.run()), "access-0");
    assert!(later.sent.is_empty(), "a token that may be spent is not sent early again");
    let mut expired = Bench::after(299, NO_REPLAY).answering([LOST, LOST]);
    assert_eq!(kind_of(&expired.run()).0, ErrorKind::Network);
    assert_eq!(expired.times(), [299, 305]);
}

// proves: C-23
#[test]
fn a_server_that_is_busy_is_asked_again_after_a_pause_and_not_before_it_wants() {
    let later =
        |status, retry_after| Reaction::Later { sent: true, status: Some(status), retry_after, takes: 0 };
    let mut busy =
        Bench::after(299, AUTHKIT).answering([later(503, None), later(429, Some(5)), Reaction::Issue(1)]);
    assert_eq!(token_of(&busy.run()), "access-1");
    assert_eq!(busy.times(), [299, 300, 305]);
    let mut long = Bench::after(299, AUTHKIT).answering([later(503, Some(20))]);
    let finished = long.run();
    assert_eq!(kind_of(&finished).0, ErrorKind::Network);
    let (quiet, _) = finished.quiet.unwrap();
    assert_eq!(quiet, Duration::from_secs(20));
}

// proves: C-24
#[test]
fn a_request_that_was_not_sent_is_no_attempt() {
    let not_sent = Reaction::Later { sent: false, status: None, retry_after: None, takes: 0 };
    let mut bench = Bench::after(299, AUTHKIT).answering([not_sent]);
    assert_eq!(kind_of(&bench.run()).0, ErrorKind::Network);
    assert_eq!(bench.left.unwrap().spent, None);
}

// proves: C-25
#[test]
fn trouble_and_refusals_leave_the_record() {
    for (answer, kind) in [(LOST, ErrorKind::Network), (Reaction::Refuse, ErrorKind::Rejected)] {
        let mut bench = Bench::after(299, NO_REPLAY).answering([answer.clone(), answer]);
        assert_eq!(kind_of(&bench.run()).0, kind);
        assert_eq!(*bench.disk.unwrap(), login(start()));
    }
}

// proves: C-26
#[test]
fn a_dead_token_is_removed_and_the_access_token_is_given_while_it_lives() {
    let mut dead = Bench::after(299, NO_REPLAY).answering([Reaction::Dead]);
    assert_eq!(kind_of(&dead.run()), (ErrorKind::LoginRequired, Some(ErrorReason::SessionEnded)));
    let record = dead.disk.unwrap();
    assert!(record.tokens.refresh_token.is_none() && record.header.ended == Some(Ended::Refused));
    let mut next = Bench::after(299, NO_REPLAY);
    next.disk = Some(record);
    assert_eq!(kind_of(&next.run()), (ErrorKind::LoginRequired, Some(ErrorReason::SessionEnded)));
    assert!(next.sent.is_empty());

    let mut early = Bench::after(260, NO_REPLAY).answering([Reaction::Dead]);
    let finished = early.run();
    assert!(token_of(&finished) == "access-0" && matches!(finished.events[..], [SessionEvent::Ended { .. }]));
    let mut next = Bench::after(262, NO_REPLAY);
    next.disk = early.disk;
    assert_eq!(token_of(&next.run()), "access-0");

    let mut interrupted = Bench::after(299, NO_REPLAY).answering([Reaction::Dead]);
    interrupted.interrupted = true;
    assert_eq!(kind_of(&interrupted.run()), (ErrorKind::LoginRequired, Some(ErrorReason::Interrupted)));
}

// proves: C-28
#[test]
fn tokens_of_another_user_are_revoked_and_end_the_session() {
    let mut bench = Bench::after(299, NO_REPLAY).answering([Reaction::OtherUser]);
    assert_eq!(kind_of(&bench.run()).0, ErrorKind::InvalidResponse);
    assert_eq!(bench.revoked, ["refresh-9"]);
    let record = bench.disk.unwrap();
    assert_eq!((record.header.ended, record.header.has_refresh_token), (Some(Ended::OtherUser), false));
    assert_eq!(record.tokens.access_token.expose(), "access-0");
}

// proves: C-50
#[test]
fn tokens_that_cannot_be_saved_are_given_and_kept() {
    let mut bench = Bench::after(299, NO_REPLAY).answering([Reaction::Issue(1)]);
    bench.save_fails = true;
    let finished = bench.run();
    assert_eq!(token_of(&finished), "access-1");
    assert!(matches!(finished.events[..], [SessionEvent::NotSaved { .. }]));
    assert_eq!(refresh_token_of(&finished.unsaved.unwrap()), "refresh-1");
}

// proves: C-12
#[test]
fn a_token_with_parameters_leaves_the_one_without_them() {
    let variant = super::super::record::Variant::new(&[("organization_id".into(), "org_1".into())]);
    let with = Ask { variant, ..ask() };
    let mut bench = Bench::with(10, NO_REPLAY, with.clone()).answering([Reaction::Issue(1)]);
    assert_eq!(token_of(&bench.run()), "access-1");
    let disk = bench.disk.unwrap();
    assert_eq!(refresh_token_of(&disk), "refresh-1");
    for (ask, token) in [(ask(), "access-0"), (with, "access-1")] {
        let mut next = Bench::with(20, NO_REPLAY, ask);
        next.disk = Some(Arc::clone(&disk));
        assert_eq!(token_of(&next.run()), token);
        assert!(next.sent.is_empty());
    }
}

#[test]
fn a_forced_refresh_is_made_and_returns_nothing_else() {
    let forced = Ask { force: true, ..ask() };
    let mut bench = Bench::with(10, NO_REPLAY, forced.clone()).answering([Reaction::Issue(1)]);
    assert_eq!(token_of(&bench.run()), "access-1");
    let mut lost = Bench::with(10, NO_REPLAY, forced).answering([LOST, LOST]);
    assert_eq!(kind_of(&lost.run()).0, ErrorKind::Network);
}

#[test]
fn after_a_failure_this_process_is_quiet_for_a_moment() {
    let mut bench = Bench::after(299, NO_REPLAY);
    bench.flow = TokenFlow::new(ask(), NO_REPLAY, Some(network()));
    assert_eq!(kind_of(&bench.run()).0, ErrorKind::Network);
    let mut early = Bench::after(260, NO_REPLAY);
    early.flow = TokenFlow::new(ask(), NO_REPLAY, Some(network()));
    assert_eq!(token_of(&early.run()), "access-0");
    assert!(bench.unlocked == 0 && early.unlocked == 0);
    // A call that sent nothing does not make the wait longer.
    let mut flow = TokenFlow::new(ask(), NO_REPLAY, Some(network()));
    let now = start().after(Duration::from_secs(299));
    flow.advance(Input::Tick, now);
    let effect = flow.advance(Input::Loaded(Ok(Some(Arc::new(login(start()))))), now);
    assert!(matches!(effect, Effect::Finish(finished) if finished.quiet.is_none()));
}

#[test]
fn only_a_temporary_failure_makes_this_process_quiet() {
    let flow = TokenFlow::new(ask(), NO_REPLAY, None);
    let due = Due { record: Arc::new(login(start())), early: false };
    let quiet = |kind| flow.failed(&due, Error::new(kind, "x"), start()).quiet.is_some();
    assert!(quiet(ErrorKind::Network) && quiet(ErrorKind::Tls) && quiet(ErrorKind::Proxy));
    for kind in [ErrorKind::ActionRequired, ErrorKind::Rejected, ErrorKind::Cancelled, ErrorKind::Busy] {
        assert!(!quiet(kind), "{kind:?}");
    }
}

// proves: C-1, C-7
#[test]
fn a_call_accepts_what_another_one_returned_only_if_it_could_have_returned_it_itself() {
    let access = login(start()).access(&ask().variant).unwrap();
    let at = |seconds| start().after(Duration::from_secs(seconds));
    let accepts = |ask: Ask, is_new, seconds| ask.accepts(&access, is_new, at(seconds));
    assert!(accepts(ask(), false, 285));
    assert!(!accepts(ask(), false, 286));
    assert!(accepts(ask(), true, 286));
    assert!(!accepts(Ask { force: true, ..ask() }, true, 0));
    assert!(!accepts(Ask { refused: Some(access.token.clone()), ..ask() }, true, 0));
}
