//! Makes text from a server safe to print on a terminal.

/// Longest text that [`sanitize`] lets through, in characters; more is cut and marked with `…`.
///
/// ```
/// let long = "x".repeat(1000);
/// assert_eq!(cli_auth::sanitize(&long).chars().count(), cli_auth::SANITIZED_MAX_CHARS + 1); // the mark
/// ```
pub const SANITIZED_MAX_CHARS: usize = 400;

/// The text with everything removed that could move the cursor, change colours, hide or reorder what a person reads.
///
/// Control characters (C0, C1, DEL, and so every escape sequence), line breaks, bidirectional controls and invisible
/// characters are dropped; each run of them leaves one `U+FFFD`, so that tampering is visible, except that tabs and line
/// breaks become a space. At most [`SANITIZED_MAX_CHARS`] characters remain.
///
/// Use it for every text of a server that goes to a terminal. [`Prompt::text`](crate::Prompt::text) and the texts of
/// [`Error`](crate::Error) went through it already.
///
/// ```
/// assert_eq!(cli_auth::sanitize("\u{1b}[2JABCD\u{202e}-EFGH"), "\u{fffd}[2JABCD\u{fffd}-EFGH");
/// ```
pub fn sanitize(text: &str) -> String {
    sanitize_to(text, SANITIZED_MAX_CHARS)
}

/// As [`sanitize`], with a limit of the caller's.
pub(crate) fn sanitize_to(text: &str, max_chars: usize) -> String {
    let mut clean = String::new();
    let mut count = 0_usize;
    let mut last = None;
    for c in text.chars() {
        let shown = match c {
            '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => ' ',
            c if is_deceptive(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        };
        if shown == char::REPLACEMENT_CHARACTER && last == Some(shown) {
            continue;
        }
        if count >= max_chars {
            clean.push('…');
            break;
        }
        clean.push(shown);
        count = count.saturating_add(1);
        last = Some(shown);
    }
    clean.trim().to_owned()
}

/// Whether a character is invisible, or acts on the terminal instead of being shown.
pub(crate) fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}'            // soft hyphen, grapheme joiner, Arabic letter mark
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers: blank glyphs
            | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' // Khmer and Mongolian invisibles
            | '\u{200b}'..='\u{200f}'                    // zero width, left-to-right and right-to-left marks
            | '\u{2028}'..='\u{202e}'                    // separators, embeddings and overrides
            | '\u{2060}'..='\u{206f}'                    // word joiner, isolates, deprecated format characters
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'       // variation selectors, byte order mark
            | '\u{fff9}'..='\u{fffb}'                    // interlinear annotation
            | '\u{fff0}'..='\u{fff8}'                  // unassigned, invisible
            | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}' // layout controls
            | '\u{1d173}'..='\u{1d17a}'                  // musical format characters
            | '\u{e0000}'..='\u{e0fff}') // tags and further variation selectors
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: CLI-09, R6749-5.2-04, P5-21
    #[test]
    fn controls_bidi_and_invisible_characters_never_get_through() {
        for c in [
            '\0',
            '\u{7}',
            '\u{1b}',
            '\u{7f}',
            '\u{9b}',
            '\u{202e}',
            '\u{2066}',
            '\u{200b}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            let clean = sanitize(&format!("a{c}{c}b"));
            assert_eq!(clean, "a\u{fffd}b", "{c:?}");
        }
        assert_eq!(sanitize("a\r\nb\tc"), "a  b c");
        assert_eq!(sanitize("WDJB-MJHT Ω コード"), "WDJB-MJHT Ω コード");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let clean = sanitize(&"x".repeat(100_000));
        assert_eq!(clean.chars().count(), SANITIZED_MAX_CHARS + 1);
        assert!(clean.ends_with('…'));
        assert_eq!(sanitize(&"x".repeat(SANITIZED_MAX_CHARS)).chars().count(), SANITIZED_MAX_CHARS);
    }
}
