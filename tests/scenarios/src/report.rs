//! The report: a line for each failed case with details in a file, and a summary line.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::case::Case;
use crate::schedule::Outcome;

/// Maximum length of a line; the file has the full text.
const LINE_LIMIT: usize = 600;

/// Returns one line with the expected and the observed behaviour.
pub(crate) fn line(outcome: &Outcome, details: Option<&Path>) -> String {
    let why = match &outcome.run {
        Err(error) => error.clone(),
        Ok((_, faults)) => faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    };
    let why: String = why.replace('\n', " ");
    let short: String = why.chars().take(LINE_LIMIT).collect();
    let cut = if short.len() < why.len() { "..." } else { "" };
    let place = details.map(|path| format!(" [{}]", path.display())).unwrap_or_default();
    format!("FAILED {}: {short}{cut}{place}", outcome.case.id)
}

/// Returns a line that counts the cases that are not for this tool. `None` if there are none.
pub(crate) fn not_run(cases: &[Case], sessions: bool) -> Option<String> {
    let can = if sessions { "cannot" } else { "can" };
    let count = cases.len();
    (count > 0).then(|| format!("{count} not run, because they are only for tools that {can} store logins"))
}

/// Returns everything about a run as text.
pub(crate) fn details(outcome: &Outcome) -> String {
    let mut text = String::new();
    let case = &outcome.case;
    let _ = writeln!(text, "{}: {}\nproves {}\n", case.id, case.about, case.proves.join(", "));
    match &outcome.run {
        Err(error) => {
            let _ = writeln!(text, "not run: {error}");
        }
        Ok((seen, faults)) => {
            for fault in faults {
                let _ = writeln!(text, "- {fault}");
            }
            let _ = writeln!(text, "\ncommand: {:?}", seen.command);
            let _ = writeln!(text, "environment: {:?}", case.env);
            let _ = writeln!(text, "end: {:?} after {:.3} s", seen.end, seen.elapsed);
            for (name, stream) in [("stdout", &seen.stdout), ("stderr", &seen.stderr)] {
                let _ = writeln!(text, "\n{name}:");
                for (line, at) in stream.lines() {
                    let at = at.map_or(f64::NAN, |at| seen.clock.at(at));
                    let _ = writeln!(text, "{at:10.3} {}", line.escape_debug());
                }
            }
            let gaps: Vec<String> = seen.log.poll_gaps().iter().map(|gap| format!("{gap:.3}")).collect();
            let _ = writeln!(
                text,
                "\ngaps: {}\npeers: {:?}\nopened: {:?}",
                gaps.join(", "),
                seen.peers,
                seen.opened
            );
            let log = serde_json::to_string_pretty(&seen.raw_log).unwrap_or_default();
            let _ = writeln!(text, "\nserver's log:\n{log}");
        }
    }
    text
}

/// Removes the details of an earlier run so that they are not mistaken for those of this run.
pub(crate) fn remove_details(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "log") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes the details of a failed case into `folder`.
pub(crate) fn write_details(folder: &Path, outcome: &Outcome) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{}.log", outcome.case.id));
    fs::write(&path, details(outcome))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cases_that_are_not_for_the_tool_are_counted() {
        let case = |sessions: Option<bool>| -> Case {
            let case =
                json!({"id": "a", "proves": [], "about": "", "sessions": sessions, "expect": {"exit": 0}});
            serde_json::from_value(case).unwrap()
        };
        let cases = [case(None), case(Some(true)), case(Some(false))];
        assert_eq!(cases.each_ref().map(|case| case.is_for(true)), [true, true, false]);
        assert_eq!(cases.each_ref().map(|case| case.is_for(false)), [true, false, true]);
        assert_eq!(not_run(&[], true), None);
        let line = "3 not run, because they are only for tools that cannot store logins";
        assert_eq!(not_run(&cases, true).as_deref(), Some(line));
        assert!(not_run(&cases, false).unwrap().ends_with(" tools that can store logins"));
    }

    #[test]
    fn a_failure_is_one_line_that_ends_with_its_file() {
        let case = json!({"id": "a", "proves": ["X"], "about": "A.", "expect": {"exit": 0}});
        let case = serde_json::from_value(case).unwrap();
        let outcome = Outcome { case, run: Err(format!("first\nsecond {}", "x".repeat(2000))) };
        assert!(!outcome.passed());
        let folder = tempfile::tempdir().unwrap();
        let path = write_details(folder.path(), &outcome).unwrap();
        let line = line(&outcome, Some(&path));
        assert!(line.starts_with("FAILED a: first second xxx"));
        assert!(line.ends_with("a.log]") && !line.contains('\n') && line.len() < 800);
        assert!(fs::read_to_string(&path).unwrap().contains(&"x".repeat(2000)));
        remove_details(folder.path());
        assert!(!path.exists());
    }
}
