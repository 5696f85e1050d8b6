//! Property tests: processes that share a session, with random schedules, servers, clocks and crashes.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{examples::*, *};

/// The number of steps after which a call must have ended.
const MOST_STEPS: u32 = 400;

/// What the world does with the next step of a process.
#[derive(Clone, Debug)]
struct Choice {
    process: usize,
    /// Decides between the outcomes of the step.
    luck: u8,
    /// The time that passes before the step, in milliseconds.
    wait: u64,
}

fn choice() -> impl Strategy<Value = Choice> {
    let wait = prop_oneof![6 => 0_u64..200, 2 => 0_u64..20_000, 1 => 0_u64..400_000];
    (0..5_usize, any::<u8>(), wait).prop_map(|(process, luck, wait)| Choice { process, luck, wait })
}

/// A server that ends the session if a refresh token comes again, except in its replay window.
struct Family {
    alive: bool,
    /// The number of the refresh token that is good.
    current: u64,
    rotated_at: Moment,
    replay: Option<Duration>,
}

impl Family {
    /// Returns the number of the new tokens. `None` if the token is dead.
    fn refresh(&mut self, token: u64, now: Moment) -> Option<u64> {
        let age = now.since(self.rotated_at).unwrap();
        let is_replay = token + 1 == self.current && self.replay.is_some_and(|window| age < window);
        if !self.alive || (token != self.current && !is_replay) {
            self.alive = false;
            return None;
        }
        if !is_replay {
            self.current += 1;
            self.rotated_at = now;
        }
        Some(self.current)
    }
}

struct Process {
    flow: TokenFlow,
    ask: Ask,
    /// What it does next.
    next: Next,
    steps: u32,
    waited_since: Moment,
}

enum Next {
    Effect(Effect),
    /// A request is under way, with what will be received.
    Receive(Answer),
    /// A record is complete beside the current one.
    Rename(Arc<Record>),
    Ended,
}

struct World {
    now: Moment,
    disk: Option<Arc<Record>>,
    /// What a process that was killed left beside the record: nothing, or a complete successor.
    leftover: Option<Option<Arc<Record>>>,
    lock: Option<usize>,
    note: Option<Note>,
    server: Server,
    family: Family,
    processes: Vec<Process>,
    in_flight: Option<usize>,
    /// Tokens that the server has called dead in a response that was saved.
    buried: BTreeSet<u64>,
    /// Whether a response with new tokens was lost: no client can prevent that the session may end.
    lost: bool,
    logged_out: bool,
}

impl World {
    fn new(replay: bool) -> Self {
        let now = start();
        let server = if replay { AUTHKIT } else { NO_REPLAY };
        let family = Family { alive: true, current: 0, rotated_at: now, replay: server.replay_window };
        let mut world = Self {
            now,
            disk: Some(Arc::new(login(now))),
            leftover: None,
            lock: None,
            note: None,
            server,
            family,
            processes: Vec::new(),
            in_flight: None,
            buried: BTreeSet::new(),
            lost: false,
            logged_out: false,
        };
        world.processes = (0..5).map(|number| world.call(number)).collect();
        world
    }

    /// Returns a process that makes its next call.
    fn call(&self, luck: u8) -> Process {
        let refused =
            self.disk.as_ref().filter(|_| luck % 7 == 3).map(|disk| disk.tokens.access_token.clone());
        let ask = Ask { refused, jitter: crate::session::judgement::Jitter::new(luck), ..ask() };
        let mut flow = TokenFlow::new(ask.clone(), self.server, None);
        let next = Next::Effect(flow.advance(Input::Tick, self.now));
        Process { flow, ask, next, steps: 0, waited_since: self.now }
    }

    /// Kills a process. The system releases its lock, and its files stay.
    fn kill(&mut self, number: usize, luck: u8) {
        let fresh = self.call(luck);
        let killed = mem::replace(&mut self.processes[number], fresh);
        if self.lock != Some(number) {
            return;
        }
        self.lock = None;
        match killed.next {
            Next::Rename(record) => self.leftover = Some(Some(record)),
            Next::Receive(answer) => {
                self.in_flight = None;
                self.leftover = Some(None);
                self.lost |= matches!(answer, Answer::Issued { .. } | Answer::Later { sent: true, .. });
            }
            Next::Effect(Effect::Save(record)) => {
                self.leftover = Some(None);
                self.lost |= record.header.ended.is_none();
            }
            Next::Effect(_) | Next::Ended => {}
        }
    }

    fn step(&mut self, choice: &Choice) -> Result<(), TestCaseError> {
        self.now = self.now.after(Duration::from_millis(choice.wait));
        let number = choice.process;
        if choice.luck == 255 {
            self.kill(number, choice.luck);
            return Ok(());
        }
        if choice.luck == 254 && choice.wait.is_multiple_of(10) {
            // A logout does not wait for a process that hangs.
            self.disk = None;
            self.logged_out = true;
            return Ok(());
        }
        let next = mem::replace(&mut self.processes[number].next, Next::Ended);
        let input = match next {
            Next::Ended => {
                self.processes[number] = self.call(choice.luck);
                return Ok(());
            }
            Next::Receive(answer) => {
                self.in_flight = None;
                Input::Answered(answer)
            }
            Next::Rename(record) => Input::Saved(self.rename(number, record)?),
            Next::Effect(effect) => match self.carry_out(number, effect, choice.luck)? {
                Some(input) => input,
                None => return Ok(()),
            },
        };
        let now = self.now;
        let process = &mut self.processes[number];
        process.steps += 1;
        prop_assert!(process.steps < MOST_STEPS, "a call does not end");
        process.next = Next::Effect(process.flow.advance(input, now));
        Ok(())
    }

    /// Carries out an effect. `None` if the process goes on later.
    fn carry_out(&mut self, number: usize, effect: Effect, luck: u8) -> Result<Option<Input>, TestCaseError> {
        let holds = self.lock == Some(number);
        Ok(Some(match effect {
            Effect::Load if luck < 4 => Input::Loaded(Err(full())),
            Effect::Load => Input::Loaded(Ok(self.disk.clone())),
            Effect::Lock { wait } => match self.lock {
                None => Input::Locked(self.take(number)),
                Some(_)
                    if wait && self.now.since(self.processes[number].waited_since) < Some(25 * SECOND) =>
                {
                    self.processes[number].next = Next::Effect(Effect::Lock { wait });
                    return Ok(None);
                }
                Some(_) => Input::NotLocked(Error::new(ErrorKind::Busy, "busy")),
            },
            Effect::Reach { .. } if luck < 30 => Input::Reached(Err(network())),
            Effect::Reach { .. } => Input::Reached(Ok(())),
            Effect::Prepare if luck < 20 => Input::Prepared(Err(full())),
            Effect::Prepare => Input::Prepared(Ok(())),
            Effect::Send { token, record, .. } => {
                prop_assert!(holds && self.in_flight.is_none(), "two refreshes at a time");
                let number_sent = number_of(token.expose());
                if let Some(disk) = &self.disk {
                    prop_assert_eq!(
                        token.expose(),
                        refresh_token_of(disk),
                        "a token that is not the current one"
                    );
                }
                prop_assert!(!self.buried.contains(&number_sent), "a dead token was sent again");
                self.in_flight = Some(number);
                let answer = self.answer(number, number_sent, &record, luck);
                self.processes[number].next = Next::Receive(answer);
                return Ok(None);
            }
            Effect::Pause(time) => {
                self.now = self.now.after(time);
                Input::Tick
            }
            Effect::Save(_) if luck < 10 => {
                self.lost = true;
                Input::Saved(Saved::Failed(full()))
            }
            Effect::Save(record) => {
                prop_assert!(holds);
                self.processes[number].next = Next::Rename(record);
                return Ok(None);
            }
            Effect::Unlock(note) => {
                prop_assert!(holds);
                self.note = note.or(self.note);
                self.lock = None;
                Input::Tick
            }
            Effect::Revoke(_) => {
                prop_assert!(!holds, "a revocation under the lock");
                Input::Tick
            }
            Effect::Finish(finished) => {
                prop_assert!(!holds, "a call ended with the lock");
                self.check(number, &finished)?;
                self.processes[number].next = Next::Ended;
                return Ok(None);
            }
        }))
    }

    fn take(&mut self, number: usize) -> Held {
        self.lock = Some(number);
        let mut interrupted = false;
        match self.leftover.take() {
            Some(Some(record))
                if self.disk.as_ref().is_some_and(|disk| record.header.is_successor_of(&disk.header)) =>
            {
                self.disk = Some(record);
            }
            Some(_) => interrupted = true,
            None => {}
        }
        Held { note: self.note, interrupted }
    }

    /// Lets the server handle a request. What it does and what the client learns of it are two things.
    fn answer(&mut self, process: usize, token: u64, record: &Arc<Record>, luck: u8) -> Answer {
        match luck {
            0..20 => return Answer::Later { error: network(), sent: false },
            20..40 => return Answer::Later { error: network().with_http(503, None, None), sent: true },
            40..60 => return Answer::Later { error: network(), sent: true },
            60..65 => return Answer::Refused(Error::new(ErrorKind::Rejected, "no")),
            _ => {}
        }
        let Some(new) = self.family.refresh(token, self.now) else { return Answer::Dead(dead()) };
        if luck < 90 {
            // The server has rotated, and nobody hears of it.
            self.lost = true;
            return Answer::Later { error: network(), sent: true };
        }
        answer(record, &self.processes[process].ask, new, self.now)
    }

    fn rename(&mut self, number: usize, record: Arc<Record>) -> Result<Saved, TestCaseError> {
        prop_assert!(self.lock == Some(number));
        Ok(match self.disk.clone() {
            Some(disk) if record.header.is_successor_of(&disk.header) => {
                if record.header.ended.is_some() {
                    prop_assert!(!self.family.alive, "a session ended although the server did not say so");
                    self.buried.insert(number_of(&refresh_token_of(&disk)));
                }
                self.disk = Some(record);
                Saved::Done
            }
            disk => {
                prop_assert!(self.logged_out);
                Saved::Overtaken(disk)
            }
        })
    }

    /// Checks what a call returns.
    fn check(&self, number: usize, finished: &Finished) -> Result<(), TestCaseError> {
        let ask = &self.processes[number].ask;
        match &finished.result {
            Ok(given) => {
                prop_assert!(given.refreshed || ask.refused.as_ref() != Some(&given.access.token));
                // Time passes between the decision and this check.
                let issued_for = given.access.times.lifetime().unwrap();
                prop_assert!(issued_for >= ask.min_validity);
            }
            Err(error) if error.kind() == ErrorKind::LoginRequired => {
                prop_assert!(self.logged_out || !self.family.alive, "a login was asked for without need");
            }
            Err(error) => {
                let kinds = [ErrorKind::Network, ErrorKind::Busy, ErrorKind::Store, ErrorKind::Rejected];
                prop_assert!(kinds.contains(&error.kind()), "{error}");
            }
        }
        Ok(())
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn number_of(token: &str) -> u64 {
    token.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    // proves: C-11, C-13, C-17, C-19, C-25, C-26, C-34
    #[test]
    fn processes_never_refresh_at_once_and_no_session_ends_but_by_the_server(
        replay in any::<bool>(),
        choices in prop::collection::vec(choice(), 1..600),
    ) {
        let mut world = World::new(replay);
        for choice in &choices {
            world.step(choice)?;
            // What ended the session is a response that was lost: a killed process, or a broken connection.
            prop_assert!(world.family.alive || world.lost, "the server saw a spent token");
        }
    }

    // proves: C-11
    #[test]
    fn without_faults_the_session_never_ends(
        choices in prop::collection::vec(choice(), 1..600),
    ) {
        let mut world = World::new(false);
        for choice in choices {
            world.step(&Choice { luck: choice.luck % 100 + 100, ..choice })?;
            prop_assert!(world.family.alive && world.disk.as_ref().unwrap().header.ended.is_none());
        }
    }
}
