use super::*;

/// A request of a process, answered 0.1 s later.
fn sent(by: usize, token: &str, arrived: f64, answer: Answer) -> Sent {
    Sent { token: token.to_owned(), by: Some(by), arrived, ended: Some(arrived + 0.1), answer }
}

/// Processes that live until the end, except those that are killed.
fn history(sent: Vec<Sent>, killed: &[(usize, f64)]) -> History {
    let mut lives: BTreeMap<usize, Life> =
        (0..10).map(|number| (number, Life { ended: 100.0, ..Life::default() })).collect();
    for (number, at) in killed {
        lives.insert(*number, Life { ended: *at, killed: Some(*at), ..Life::default() });
    }
    History { sent, lives, ..History::default() }
}

fn is_avoidable(history: &History) -> bool {
    matches!(history.loss(), Loss::Avoidable(_))
}

use Answer::{Dead, DeadUnheard, Later, Lost, Other, Rotated};

#[test]
fn a_chain_of_refreshes_has_no_fault() {
    let chain = vec![sent(1, "a", 1.0, Rotated), sent(2, "b", 2.0, Rotated), sent(1, "c", 3.0, Rotated)];
    assert_eq!(history(chain, &[]).faults(), [""; 0]);
}

#[test]
fn a_kill_between_the_request_and_the_save_excuses_the_loss() {
    for killed in [1.0, 1.05, 1.2] {
        let history = history(vec![sent(1, "a", 1.0, Rotated), sent(2, "a", 2.0, Dead)], &[(1, killed)]);
        assert_eq!((history.loss(), history.faults().len()), (Loss::Killed, 0), "{killed}");
    }
}

#[test]
fn a_kill_at_another_time_excuses_nothing() {
    // Before the request, or long after the response.
    for killed in [0.9, 3.0] {
        let history = history(vec![sent(1, "a", 1.0, Rotated), sent(2, "a", 4.0, Dead)], &[(1, killed)]);
        assert!(is_avoidable(&history) && history.faults().len() == 1, "{killed}");
    }
}

#[test]
fn the_kill_of_another_process_excuses_nothing() {
    let history = history(vec![sent(1, "a", 1.0, Rotated), sent(2, "a", 2.0, Dead)], &[(3, 1.05)]);
    assert!(is_avoidable(&history));
    assert_eq!(history.faults().len(), 1);
}

#[test]
fn a_process_that_was_stopped_had_no_time_to_save() {
    let mut history = history(vec![sent(1, "a", 1.0, Rotated), sent(2, "a", 5.0, Dead)], &[(1, 4.5)]);
    assert!(is_avoidable(&history));
    history.lives.get_mut(&1).unwrap().stops = vec![(1.05, 4.4)];
    assert_eq!(history.loss(), Loss::Killed);
}

#[test]
fn a_lost_response_excuses_the_loss_unless_the_server_has_a_grace() {
    let requests = vec![sent(1, "a", 1.0, Lost), sent(1, "a", 2.0, Dead)];
    let mut history = history(requests, &[]);
    assert_eq!((history.loss(), history.faults().len()), (Loss::ResponseLost, 0));
    history.grace = 30.0;
    assert!(is_avoidable(&history));
    history.sent[1].arrived = 32.0;
    assert_eq!(history.loss(), Loss::ResponseLost);
}

#[test]
fn going_back_to_a_spent_token_is_avoidable() {
    let requests = vec![sent(1, "a", 1.0, Lost), sent(2, "b", 2.0, Rotated), sent(3, "a", 3.0, Dead)];
    assert!(is_avoidable(&history(requests, &[])));
}

#[test]
fn a_loss_without_a_refusal_is_avoidable() {
    assert!(is_avoidable(&history(vec![sent(1, "a", 1.0, Rotated)], &[])));
    assert!(is_avoidable(&history(vec![sent(1, "a", 1.0, Dead)], &[])));
}

#[test]
fn a_token_is_sent_again_after_temporary_trouble_only() {
    let again =
        |answer| history(vec![sent(1, "a", 1.0, answer), sent(2, "a", 2.0, Rotated)], &[]).faults().len();
    assert_eq!((again(Later), again(Lost)), (0, 0));
    assert_eq!((again(Rotated), again(Dead)), (1, 1));
    // The response itself is a fault, too.
    assert_eq!(again(Other), 2);
}

#[test]
fn a_refusal_that_no_client_received_counts_for_the_loss_only() {
    let requests = vec![sent(1, "a", 1.0, Lost), sent(1, "a", 2.0, DeadUnheard), sent(2, "a", 3.0, Dead)];
    let history = history(requests, &[]);
    assert_eq!((history.loss(), history.faults().len()), (Loss::ResponseLost, 0));
}

#[test]
fn requests_of_two_processes_must_not_overlap() {
    let requests = vec![sent(1, "a", 1.0, Later), sent(2, "a", 1.05, Rotated)];
    assert_eq!(history(requests.clone(), &[]).faults().len(), 1);
    // A killed process has no more to do with its request.
    assert_eq!(history(requests, &[(1, 1.02)]).faults().len(), 0);
    // A request without a response counts as under way while its sender lives.
    let mut open = vec![sent(1, "a", 1.0, Lost), sent(2, "a", 9.0, Rotated)];
    open[0].ended = None;
    assert_eq!(history(open.clone(), &[]).faults().len(), 1);
    assert_eq!(history(open, &[(1, 8.0)]).faults().len(), 0);
}
