//! Checks the bytes on both streams: no terminal control characters, no secrets, and the expected text.

use super::Fault;
use crate::case::{Case, Text};
use crate::play::Seen;
use crate::tool::{End, Stream};

/// Minimum length of a secret. Shorter strings occur by chance.
const SHORTEST_SECRET: usize = 6;

pub(super) fn check(case: &Case, seen: &Seen) -> Vec<Fault> {
    let mut faults = Vec::new();
    let streams = [("standard output", &seen.stdout), ("standard error", &seen.stderr)];
    for (name, stream) in streams {
        let on_terminal = case.terminal && name == "standard error";
        faults.extend(byte_fault(name, stream, on_terminal, case.expect.plain));
        faults.extend(secret_faults(name, &stream.text(), case, seen));
    }
    faults.extend(text_faults("standard output", &case.expect.stdout, &seen.stdout, seen));
    faults.extend(text_faults("standard error", &case.expect.stderr, &seen.stderr, seen));
    match seen.end {
        End::Status(2) => {
            // Incorrect usage: all text is on standard error.
            if !seen.stdout.bytes().is_empty() {
                faults.push(Fault::new("standard output", "nothing", format!("{:?}", seen.stdout.text())));
            }
            if seen.stderr.text().trim().is_empty() {
                faults.push(Fault::new("standard error", "a helpful line", "nothing"));
            }
        }
        End::Status(status) if status != 0 && !case.json && !seen.stdout_closed => {
            if !seen.stdout.bytes().is_empty() {
                faults.push(Fault::new("standard output", "nothing", format!("{:?}", seen.stdout.text())));
            }
            if seen.stderr.text().trim().is_empty() {
                faults.push(Fault::new("standard error", "what went wrong", "nothing"));
            }
        }
        End::Status(0) if !case.json && seen.stdout.text().trim().is_empty() => {
            faults.push(Fault::new("standard output", "the result", "nothing"));
        }
        _ => {}
    }
    let rewrites = is_rewritten(&seen.stderr.text());
    if let Some(wanted) = case.expect.rewrites.filter(|wanted| *wanted != rewrites) {
        faults.push(Fault::new("a line rewritten in place", wanted, rewrites));
    }
    let wanted: Vec<Vec<String>> = case
        .expect
        .opened
        .iter()
        .map(|call| call.iter().map(|arg| seen.values.text(arg)).collect())
        .collect();
    if wanted != seen.opened {
        faults.push(Fault::new("browser", format!("{wanted:?}"), format!("{:?}", seen.opened)));
    }
    let written = seen.stderr.bytes().len();
    if let Some(most) = case.expect.max_stderr.filter(|most| written > *most) {
        faults.push(Fault::new("standard error", format!("<= {most} bytes"), written));
    }
    if !seen.unwanted_files.is_empty() {
        faults.push(Fault::new("files", "absent", format!("{:?}", seen.unwanted_files)));
    }
    if let Some(most) = case.expect.max_rss_mb
        && seen.peak_rss_kb > most * 1024
    {
        faults.push(Fault::new("peak memory", format!("<= {most} MB"), format!("{} kB", seen.peak_rss_kb)));
    }
    faults
}

/// Returns whether the cursor returns to the start of a line that has text. A terminal adds a carriage return to each
/// line feed.
fn is_rewritten(text: &str) -> bool {
    text.replace("\r\n", "\n").contains('\r')
}

/// Finds the first character that controls a terminal. Unless `plain`, a terminal may receive the tool's own escape
/// sequences.
fn byte_fault(name: &str, stream: &Stream, terminal: bool, plain: bool) -> Option<Fault> {
    let Ok(text) = std::str::from_utf8(stream.bytes()) else {
        return Some(Fault::new(name, "UTF-8", format!("{:?}", stream.text())));
    };
    let escapes = terminal && !plain;
    let allowed = |c: char| match c {
        '\n' => true,
        '\r' => terminal,
        '\u{1b}' | '\u{7}' => escapes,
        _ => !is_control(c),
    };
    let bad = text.chars().find(|c| !allowed(*c))?;
    let line = text.lines().find(|line| line.contains(bad)).unwrap_or_default();
    Some(Fault::new(name, "no control, bidi or zero-width character", format!("{bad:?} in {line:?}")))
}

/// C0, DEL, C1, bidi controls, zero-width and line separators.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn secret_faults(name: &str, text: &str, case: &Case, seen: &Seen) -> Vec<Fault> {
    let mut secrets: Vec<String> = seen.log.secrets.clone();
    for request in &seen.log.requests {
        for (key, value) in request.form.iter().flatten() {
            if matches!(
                key.as_str(),
                "device_code" | "code_verifier" | "client_secret" | "refresh_token" | "token"
            ) {
                secrets.push(value.clone());
            }
        }
    }
    let named_secret = |key: &String| key.contains("SECRET");
    secrets
        .extend(case.env.iter().filter(|(key, _)| named_secret(key)).filter_map(|(_, value)| value.clone()));
    secrets.sort();
    secrets.dedup();
    let mut faults: Vec<Fault> = secrets
        .iter()
        .filter(|secret| secret.chars().count() >= SHORTEST_SECRET)
        .filter(|secret| text.contains(secret.as_str()) || text.contains(&in_json(secret)))
        .map(|secret| Fault::new(name, "no secret", format!("{secret:?}")))
        .collect();
    // A case that intends to echo a secret but does not would prove nothing.
    for name_of_secret in ["{device_code}", "{access_token}", "{refresh_token}", "{id_token}"] {
        if text.contains(name_of_secret) {
            faults.push(Fault::new(name, "a server that fills in its placeholders", name_of_secret));
        }
    }
    if looks_like_a_token(text) {
        faults.push(Fault::new(name, "no token", format!("{text:?}")));
    }
    faults
}

/// Returns the secret as it is written inside a JSON string.
fn in_json(secret: &str) -> String {
    let quoted = serde_json::Value::from(secret).to_string();
    quoted.trim_matches('"').to_owned()
}

/// Returns whether the text contains a JWT, which counts as a token even if the server's list lacks it.
fn looks_like_a_token(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .any(|word| word.starts_with("eyJ") && word.len() > 20 && word.contains('.'))
}

fn text_faults(name: &str, wanted: &Text, stream: &Stream, seen: &Seen) -> Vec<Fault> {
    let text = stream.text();
    let mut faults = Vec::new();
    for part in &wanted.has {
        let part = seen.values.text(part);
        if !text.contains(&part) {
            faults.push(Fault::new(name, format!("{part:?}"), format!("{text:?}")));
        }
    }
    for part in &wanted.lacks {
        let part = seen.values.text(part);
        if text.contains(&part) {
            faults.push(Fault::new(name, format!("no {part:?}"), format!("{text:?}")));
        }
    }
    if wanted.empty && !text.is_empty() {
        faults.push(Fault::new(name, "nothing", format!("{text:?}")));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{case, case_with, poll, seen};
    use super::*;
    use serde_json::{Value, json};

    fn with(stdout: &str, stderr: &str, status: i32) -> Seen {
        let mut seen = seen();
        seen.end = End::Status(status);
        seen.stdout.push(stdout.as_bytes(), seen.clock_start());
        seen.stderr.push(stderr.as_bytes(), seen.clock_start());
        seen
    }

    fn count(expect: Value, seen: &Seen) -> usize {
        check(&case(expect), seen).len()
    }

    #[test]
    fn control_characters_are_faults_on_both_streams() {
        assert_eq!(count(json!({"exit": 0}), &with("ok ünïcode 日本\n", "ok\n", 0)), 0);
        for bad in
            ["\u{1b}[2J", "\u{7}", "\r", "\u{9b}2J", "\u{202e}", "\u{200b}", "\u{feff}", "\u{0}", "\u{7f}"]
        {
            assert_eq!(count(json!({"exit": 0}), &with(bad, "", 0)), 1, "{bad:?}");
            assert_eq!(count(json!({"exit": 0}), &with("", bad, 0)), 1, "{bad:?}");
        }
        let mut broken = with("", "", 0);
        broken.stderr.push(&[0xff, 0xfe], broken.clock_start());
        assert_eq!(count(json!({"exit": 0}), &broken), 1);
    }

    #[test]
    fn a_line_is_rewritten_by_a_carriage_return_without_a_line_feed() {
        for (text, rewrites) in [("a\rb\r\n", true), ("a\r\nb\r\n", false), ("", false)] {
            let on_terminal =
                |wanted| case_with(json!({"terminal": true}), json!({"exit": 0, "rewrites": wanted}));
            assert_eq!(check(&on_terminal(rewrites), &with("", text, 0)), []);
            assert_eq!(check(&on_terminal(!rewrites), &with("", text, 0)).len(), 1, "{text:?}");
        }
    }

    #[test]
    fn escapes_are_allowed_on_a_terminal_unless_plain() {
        let seen = with("", "\u{1b}[1mA\u{1b}[0m\r\n", 0);
        let on_terminal = |expect| case_with(json!({"terminal": true}), expect);
        assert_eq!(check(&on_terminal(json!({"exit": 0})), &seen), []);
        assert_eq!(check(&on_terminal(json!({"exit": 0, "plain": true})), &seen).len(), 1);
        assert_eq!(check(&on_terminal(json!({"exit": 0})), &with("", "\u{202e}", 0)).len(), 1);
        assert_eq!(check(&on_terminal(json!({"exit": 0})), &with("\u{1b}", "", 0)).len(), 1);
    }

    #[test]
    fn secrets_from_every_source_are_found() {
        let mut seen = with("a given-secret-1", "", 0);
        assert_eq!(count(json!({"exit": 0}), &seen), 0);
        seen.log.secrets = vec!["given-secret-1".into(), "x".into()];
        assert_eq!(count(json!({"exit": 0}), &seen), 1);

        let mut seen = with("", "code my-device-code", 0);
        seen.log.requests.push(poll(1.0, 1.0));
        assert_eq!(count(json!({"exit": 0}), &seen), 0);
        seen.log.requests[0].form = Some(vec![("device_code".into(), "my-device-code".into())]);
        assert_eq!(count(json!({"exit": 0}), &seen), 1);

        let case = case_with(json!({"env": {"MY_SECRET": "hush \"hush"}}), json!({"exit": 0}));
        assert_eq!(check(&case, &with("{\"m\":\"hush \\\"hush\"}", "", 0)).len(), 1);
        assert_eq!(count(json!({"exit": 0}), &with("", "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.", 0)), 1);
        assert_eq!(count(json!({"exit": 0}), &with("the code {device_code}", "", 0)), 1);
    }

    #[test]
    fn checks_of_text_and_empty_streams_can_fail() {
        let seen = with("out", "err", 0);
        assert_eq!(
            count(json!({"exit": 0, "stdout": {"has": ["out"]}, "stderr": {"lacks": ["out"]}}), &seen),
            0
        );
        assert_eq!(count(json!({"exit": 0, "stdout": {"has": ["err"]}}), &seen), 1);
        assert_eq!(count(json!({"exit": 0, "stderr": {"lacks": ["err"]}}), &seen), 1);
        assert_eq!(count(json!({"exit": 0, "stderr": {"empty": true}}), &seen), 1);
        assert_eq!(count(json!({"exit": 0, "max_stderr": 3}), &seen), 0);
        assert_eq!(count(json!({"exit": 0, "max_stderr": 2}), &seen), 1);
    }

    #[test]
    fn results_go_to_standard_output_and_errors_to_standard_error() {
        let plain = |status| case_with(json!({"json": false}), json!({"exit": status}));
        assert_eq!(check(&plain(0), &with("done", "", 0)), []);
        assert_eq!(check(&plain(0), &with("", "done", 0)).len(), 1);
        assert_eq!(check(&plain(1), &with("", "trouble", 1)), []);
        assert_eq!(check(&plain(1), &with("x", "", 1)).len(), 2);
        assert_eq!(check(&case(json!({"exit": 2})), &with("", "usage", 2)), []);
        assert_eq!(check(&case(json!({"exit": 2})), &with("{}", "", 2)).len(), 2);
    }

    #[test]
    fn unexpected_browsers_files_and_memory_use_are_faults() {
        let mut seen = with("", "", 0);
        seen.unwanted_files = vec!["pwned".into()];
        assert_eq!(count(json!({"exit": 0}), &seen), 1);
        seen.unwanted_files.clear();
        seen.opened = vec![vec!["xdg-open".into(), "https://h".into()]];
        seen.peak_rss_kb = 2048;
        assert_eq!(count(json!({"exit": 0}), &seen), 1);
        let expect = json!({"exit": 0, "opened": [["xdg-open", "https://h"]], "max_rss_mb": 2});
        assert_eq!(count(expect, &seen), 0);
        assert_eq!(
            count(json!({"exit": 0, "opened": [["xdg-open", "https://h"]], "max_rss_mb": 1}), &seen),
            1
        );
        seen.opened.clear();
        assert_eq!(count(json!({"exit": 0, "opened": [["xdg-open", "https://h"]]}), &seen), 1);
    }
}
