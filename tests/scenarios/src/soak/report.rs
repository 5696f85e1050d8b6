//! The report: a line for each failed round with details in a file, and the figures.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::plan::Plan;
use super::round::Seen;
use super::verdict::Figures;

/// Maximum number of faults in a line; the file has all.
const SHOWN: usize = 3;

/// Prints one line about a failed round, and writes the details into `folder`.
pub(crate) fn print_failure(folder: &Path, number: u64, faults: &[String], details: &str) {
    let path = folder.join(format!("round-{number}.log"));
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, details));
    let place = match written {
        Ok(()) => format!(" [{}]", path.display()),
        Err(error) => format!(" [{}: {error}]", path.display()),
    };
    let shown: Vec<&str> = faults.iter().take(SHOWN).map(String::as_str).collect();
    let more = faults.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("; {more} more") } else { String::new() };
    println!("FAILED round {number}: {}{more}{place}", shown.join("; ").replace('\n', " "));
}

/// Returns everything about a round as text.
pub(crate) fn details(seed: u64, number: u64, plan: &Plan, seen: Option<&Seen>, faults: &[String]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "round {number} of seed {seed}: repeat it with --seed {seed} --first-round {number} --rounds 1"
    );
    faults.iter().for_each(|fault| {
        let _ = writeln!(text, "- {fault}");
    });
    let _ = writeln!(text, "\n{plan:#?}");
    let Some(seen) = seen else { return text };
    for outcome in seen.tokens.iter().chain(&seen.between).chain(&seen.checks) {
        let life = &outcome.life;
        let _ = writeln!(
            text,
            "\n{} (process {}): {:?}, {:.3} to {:.3}, killed {:?}, stopped {:?}, token {:?}\n{}{}",
            outcome.word,
            outcome.number,
            outcome.end,
            life.started,
            life.ended,
            life.killed,
            life.stops,
            outcome.token,
            outcome.stdout,
            outcome.stderr
        );
    }
    let log = serde_json::to_string_pretty(&seen.log).unwrap_or_default();
    let _ = writeln!(text, "\nserver's log:\n{log}");
    text
}

/// Returns the figures in a few lines.
pub(crate) fn figures(figures: &Figures) -> String {
    let Figures { rounds, tokens, refreshes, killed, stopped, try_again, logouts, second_logins, .. } =
        figures;
    let seconds = figures.longest_ms / 1000;
    let tenths = figures.longest_ms % 1000 / 100;
    format!(
        "{rounds} rounds: {tokens} tokens, {refreshes} refresh requests, {killed} processes killed, {stopped} stopped, \
         {try_again} told to try again; {logouts} logouts, {second_logins} second logins; longest call \
         {seconds}.{tenths} s\n\
         lost sessions: {} by a kill between request and save, {} by a lost response without grace, {} avoidable",
        figures.lost_by_kill, figures.lost_by_response, figures.lost_avoidably
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_name_each_kind_of_loss() {
        let figures = Figures {
            rounds: 9,
            longest_ms: 2345,
            lost_by_kill: 1,
            lost_by_response: 2,
            lost_avoidably: 3,
            ..Figures::default()
        };
        let text = super::figures(&figures);
        assert!(text.starts_with("9 rounds: ") && text.contains("longest call 2.3 s"));
        assert!(text.contains(
            "1 by a kill between request and save, 2 by a lost response without grace, 3 avoidable"
        ));
    }

    #[test]
    fn the_details_say_how_to_repeat_the_round() {
        let plan = Plan::new(5, 7, 2, true);
        let text = details(5, 7, &plan, None, &["something".to_owned()]);
        assert!(text.contains("--seed 5 --first-round 7 --rounds 1") && text.contains("- something"));
    }
}
