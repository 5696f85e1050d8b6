//! The prompt as text for a terminal.

use std::{env, io::IsTerminal, time::Duration};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{Prompt, prompt::shown_uri, sanitize};

/// The width in columns if it is unknown.
const DEFAULT_WIDTH: usize = 80;

/// The minimum width in columns. Smaller widths count as this one.
const LEAST_WIDTH: usize = 24;

/// The maximum width of the code, in columns. With a longer one, a server could put other text into the prompt.
const CODE_WIDTH: usize = 64;

/// The layout of the prompt.
#[derive(Clone, Copy)]
struct Style {
    columns: usize,
    bold: bool,
}

impl Style {
    /// The layout for files, pipes and logs.
    fn plain() -> Self {
        Self { columns: DEFAULT_WIDTH, bold: false }
    }

    fn for_stderr() -> Self {
        let stderr = std::io::stderr();
        if !stderr.is_terminal() {
            return Self::plain();
        }
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        let columns =
            terminal_size::terminal_size_of(stderr).map_or(DEFAULT_WIDTH, |(width, _)| width.0.into());
        Self { columns, bold: !dumb && !set("NO_COLOR") }
    }
}

impl Prompt {
    /// Returns the prompt as plain text for the user, wrapped at 80 columns: code, URL, the program that requests the
    /// login, and a warning. Safe to print.
    ///
    /// Ends with a line break. URLs are never broken.
    ///
    /// ```
    /// # fn show(prompt: &cli_auth::Prompt) {
    /// eprint!("{}", prompt.text());
    /// # }
    /// ```
    pub fn text(&self) -> String {
        self.laid_out(Style::plain())
    }

    /// Variant of [`text`](Prompt::text) that wraps at `columns`. Values below 24 count as 24.
    ///
    /// ```
    /// # fn show(prompt: &cli_auth::Prompt) {
    /// eprint!("{}", prompt.text_wrapped(60));
    /// # }
    /// ```
    pub fn text_wrapped(&self, columns: usize) -> String {
        self.laid_out(Style { columns, ..Style::plain() })
    }

    /// Variant of [`text`](Prompt::text) for standard error. If that is a terminal, uses its width, and prints the code
    /// in bold unless `NO_COLOR` is set and not empty, or `TERM` is unset, empty or `dumb`.
    ///
    /// The text contains no other escape sequence.
    ///
    /// ```
    /// # fn show(prompt: &cli_auth::Prompt) {
    /// eprint!("{}", prompt.text_for_stderr());
    /// # }
    /// ```
    pub fn text_for_stderr(&self) -> String {
        self.laid_out(Style::for_stderr())
    }

    fn laid_out(&self, style: Style) -> String {
        let width = style.columns.max(LEAST_WIDTH);
        let code = shown_code(self.user_code());
        let code = if style.bold { format!("\u{1b}[1m{code}\u{1b}[0m") } else { code };
        let product = self.product().map(sanitize).filter(|name| !name.is_empty());
        let product = product.as_deref().unwrap_or("This program");

        let mut text = String::new();
        let mut paragraph = |words: &str| {
            text.push_str(&wrap(words, width));
            text.push('\n');
        };
        paragraph(&format!(
            "{product} asks you to log in at {}. Open this page in a browser, on this or another device:",
            self.host()
        ));
        paragraph(&format!("\n    {}\n", shown_uri(self.verification_uri())));
        paragraph("Enter this code:");
        paragraph(&format!("\n    {code}\n"));
        if let Some(complete) = self.verification_uri_complete() {
            paragraph("Or open this page and check that it shows the same code:");
            paragraph(&format!("\n    {}\n", shown_uri(complete)));
        }
        paragraph(&format!(
            "The code expires in {}. Approve only if you started this login yourself, just now. If someone sent you \
             this code, do not enter it: they would be signed in as you.",
            in_words(self.expires_in())
        ));
        text
    }
}

/// Returns the code as the prompt shows it: sanitised, with single spaces, and no wider than [`CODE_WIDTH`].
fn shown_code(code: &str) -> String {
    let folded = sanitize(code).split_whitespace().collect::<Vec<_>>().join(" ");
    let mut width = 0_usize;
    let fits = |c: &char| {
        // A mark without a width of its own counts too: a letter can carry any number of them.
        width = width.saturating_add(c.width().unwrap_or_default().max(1));
        width <= CODE_WIDTH
    };
    let shown: String = folded.chars().take_while(fits).collect();
    if shown.len() < folded.len() { shown + "…" } else { shown }
}

/// Breaks a paragraph at spaces. A paragraph that begins with a line break is left unchanged.
fn wrap(paragraph: &str, width: usize) -> String {
    if paragraph.starts_with('\n') {
        return paragraph.to_owned();
    }
    let mut wrapped = String::new();
    let mut column = 0_usize;
    for word in paragraph.split(' ') {
        let needed = word.width();
        if column > 0 && column.saturating_add(needed).saturating_add(1) > width {
            wrapped.push('\n');
            column = 0;
        } else if column > 0 {
            wrapped.push(' ');
            column = column.saturating_add(1);
        }
        wrapped.push_str(word);
        column = column.saturating_add(needed);
    }
    wrapped
}

fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        _ => (seconds / 3600, "hour"),
    };
    if count == 1 { format!("{count} {unit}") } else { format!("{count} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Secret, protocol::grant::Grant, sanitize::is_deceptive};

    fn prompt(user_code: &str, uri: &str, complete: Option<&str>) -> Prompt {
        let grant = Grant {
            device_code: Secret::new("dev-secret-1"),
            user_code: user_code.into(),
            verification_uri: uri.into(),
            verification_uri_complete: complete.map(str::to_owned),
            expires_in: Duration::from_secs(300),
            interval: Duration::from_secs(5),
        };
        Prompt::new(&grant, Some("tool\u{1b}]0;x\u{7}".into()))
    }

    // proves: R8628-3.3-01, R8628-3.3-02, R8628-3.3.1-02, R8628-3.3.1-03, R8628-5.4-01, R10027-6.1.13-01,
    // R10027-6.1.14-01, R8628-6.1-01
    #[test]
    fn the_prompt_has_code_url_product_and_warning() {
        let prompt = prompt("wdjb-mjht", "https://h/device", Some("https://h/device?user_code=wdjb-mjht"));
        let text = prompt.text();
        for part in [
            "wdjb-mjht\n",
            "    https://h/device\n",
            "?user_code=wdjb-mjht\n",
            "log in at h.",
            "tool",
            "5 minutes",
            "someone sent you",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("dev-secret-1"));
    }

    // proves: CLI-09, P5-21
    #[test]
    fn server_text_cannot_control_the_terminal() {
        let text = prompt("\u{1b}[2JAB\u{202e}CD", "https://xn--e1afmkfd.example/\u{43f}", None).text();
        assert!(text.chars().all(|c| c == '\n' || !is_deceptive(c)), "{text:?}");
        assert!(text.contains("https://xn--e1afmkfd.example/%D0%BF"), "{text}");
    }

    #[test]
    fn user_codes_are_shortened_and_kept_on_one_line() {
        let long = "A".repeat(CODE_WIDTH);
        assert_eq!(shown_code(&long), long);
        assert_eq!(shown_code(&format!("{long}B")), format!("{long}…"));
        assert_eq!(shown_code("AB  CD\u{a0}\u{3000}\r\n\r\n EF"), "AB CD EF");
        assert_eq!(shown_code(&"コ".repeat(33)), format!("{}…", "コ".repeat(32)));
        assert_eq!(shown_code(&format!("A{}", "\u{301}".repeat(8000))).chars().count(), CODE_WIDTH + 1);
    }

    #[test]
    fn lines_are_wrapped_but_urls_are_not_broken() {
        let uri = format!("https://h/{}", "x".repeat(100));
        let prompt = prompt("AB", &uri, None);
        for width in [1, 24, 40, 80, 200] {
            let text = prompt.text_wrapped(width);
            assert!(text.contains(&format!("\n    {uri}\n")), "{text}");
            for line in text.lines().filter(|line| !line.contains("https://")) {
                assert!(line.width() <= width.max(LEAST_WIDTH), "{width}: {line}");
            }
        }
    }

    #[test]
    fn escape_sequences_are_used_only_for_bold_text() {
        let prompt = prompt("AB", "https://h/", None);
        assert!(!prompt.text().contains('\u{1b}'));
        assert!(prompt.laid_out(Style { columns: 80, bold: true }).contains("\u{1b}[1mAB\u{1b}[0m"));
    }

    #[test]
    fn lifetimes_are_formatted_in_whole_units() {
        for (seconds, words) in [(1, "1 second"), (90, "90 seconds"), (300, "5 minutes"), (7200, "2 hours")] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
    }
}
