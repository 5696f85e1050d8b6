//! One command of the example tool that has ended, and the secrets that it must not print.

use std::time::Duration;

use serde_json::Value;

use crate::tool::{End, Tool};

const LOOK: Duration = Duration::from_millis(10);

/// The shortest text in a record that is a secret.
pub(crate) const SHORTEST_SECRET: usize = 16;

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) end: End,
    pub(crate) seconds: f64,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    /// Waits for the end of a command. Kills one that takes longer than `limit`.
    pub(crate) fn wait_for(tool: &mut Tool, limit: Duration) -> Result<Self, String> {
        let end = loop {
            tool.read(LOOK);
            if let Some(end) = tool.ended().map_err(|error| error.to_string())? {
                break end;
            }
            if tool.started.elapsed() > limit {
                tool.kill();
                break End::TimedOut;
            }
        };
        let seconds = tool.started.elapsed().as_secs_f64();
        tool.read_rest();
        Ok(Self { end, seconds, stdout: tool.stdout.text(), stderr: tool.stderr.text() })
    }

    /// Returns the last line of standard output, or null if it is not JSON.
    pub(crate) fn last(&self) -> Value {
        serde_json::from_str(self.stdout.lines().last().unwrap_or_default()).unwrap_or_default()
    }

    /// Returns whether a secret was printed. Only `token` prints one: the access token.
    pub(crate) fn prints_a_secret(&self, word: &str, secrets: &[String]) -> bool {
        let last = self.last();
        let token = last.get("access_token").and_then(Value::as_str).unwrap_or(self.stdout.trim());
        secrets.iter().any(|secret| {
            let is_token = word == "token" && token == secret;
            self.stderr.contains(secret.as_str()) || (!is_token && self.stdout.contains(secret.as_str()))
        })
    }
}

/// Returns the texts in the second line of a record, which is not sealed.
pub(crate) fn secrets_of(record: &[u8]) -> Vec<String> {
    let line = record.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
    let mut found = Vec::new();
    collect(&serde_json::from_slice(line).unwrap_or_default(), &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= SHORTEST_SECRET => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(stdout: &str, stderr: &str) -> Done {
        Done { end: End::Status(0), seconds: 0.1, stdout: stdout.to_owned(), stderr: stderr.to_owned() }
    }

    #[test]
    fn the_secrets_of_a_record_are_in_its_second_line() {
        let record = b"{\"login_id\":\"0123456789abcdef0123\"}\n{\"a\":{\"b\":[\"secret-secret-secret\",\"short\"]}}\nx";
        assert_eq!(secrets_of(record), ["secret-secret-secret"]);
        assert_eq!(secrets_of(b"").len(), 0);
    }

    #[test]
    fn only_token_prints_a_secret_and_only_the_access_token() {
        let secrets = ["an-access-token".to_owned(), "a-refresh-token".to_owned()];
        for token in [r#"{"access_token":"an-access-token"}"#, "an-access-token\n"] {
            assert!(!done(token, "").prints_a_secret("token", &secrets));
            assert!(done(token, "").prints_a_secret("login", &secrets));
        }
        assert!(done("a-refresh-token and more", "").prints_a_secret("token", &secrets));
        assert!(done("", "an-access-token").prints_a_secret("token", &secrets));
    }
}
