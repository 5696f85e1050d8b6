//! Runs many cases in parallel. They mostly wait, so there are more workers than processors.

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use crate::case::Case;
use crate::checks::{Fault, faults};
use crate::control::Control;
use crate::play::{Seen, play};

/// The outcome of one case.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) case: Case,
    /// The observations and faults, or why the case could not be run.
    pub(crate) run: Result<(Seen, Vec<Fault>), String>,
}

impl Outcome {
    pub(crate) fn passed(&self) -> bool {
        self.run.as_ref().is_ok_and(|(_, faults)| faults.is_empty())
    }
}

/// Runs the cases, longest first, and passes on each outcome as it arrives.
pub(crate) fn play_all(
    mut cases: Vec<Case>,
    tool: &str,
    control: &Control,
    jobs: usize,
    mut each: impl FnMut(Outcome),
) {
    cases.sort_by(|a, b| b.takes.total_cmp(&a.takes));
    let queue = Mutex::new(cases.into_iter());
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs {
            let (queue, sender) = (&queue, sender.clone());
            scope.spawn(move || {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(case) = next else { break };
                    let run = play(&case, tool, control).map(|seen| {
                        let faults = faults(&case, &seen);
                        (seen, faults)
                    });
                    if sender.send(Outcome { case, run }).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        receiver.into_iter().for_each(&mut each);
    });
}
