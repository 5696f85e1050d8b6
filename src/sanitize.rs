//! Makes text from a server safe to print on a terminal.

/// The maximum length of the text that [`sanitize`] returns, in
/// characters. Longer text is cut and ends with an additional `…`.
///
/// ```
/// let long = "x".repeat(1000);
/// assert_eq!(cli_auth::sanitize(&long).chars().count(), cli_auth::SANITIZED_MAX_CHARS + 1); // the mark
/// ```
pub const SANITIZED_MAX_CHARS: usize = 400;

/// Returns the text without characters that could move the cursor, change colours, or hide or reorder text.
///
/// Removes control characters (C0, C1 and DEL, so that no escape sequence takes effect), bidirectional controls and
/// invisible characters, except for joiners inside the words of scripts that use them and inside emoji. Each run of
/// them is replaced with one `U+FFFD`, so that tampering is visible. Each tab and each line break becomes a space.
/// White space at both ends is removed. The result has at most [`SANITIZED_MAX_CHARS`] characters, and `…` if it was
/// cut.
///
/// Use it for every text from a server that is printed on a terminal. [`Prompt::text`](crate::Prompt::text) and the
/// texts of [`Error`](crate::Error) are already sanitised.
///
/// ```
/// assert_eq!(cli_auth::sanitize("\u{1b}[2JABCD\u{202e}-EFGH"), "\u{fffd}[2JABCD\u{fffd}-EFGH");
/// ```
pub fn sanitize(text: &str) -> String {
    let mut clean = String::new();
    let mut count = 0_usize;
    let mut last = None;
    let mut characters = text.chars().peekable();
    let mut before = None;
    while let Some(c) = characters.next() {
        let shown = match c {
            '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => ' ',
            c if is_part_of_a_word(before, c, characters.peek().copied()) => c,
            c if is_deceptive(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        };
        before = Some(c);
        if shown == char::REPLACEMENT_CHARACTER && last == Some(shown) {
            continue;
        }
        if count >= SANITIZED_MAX_CHARS {
            clean.push('…');
            break;
        }
        clean.push(shown);
        count = count.saturating_add(1);
        last = Some(shown);
    }
    clean.trim().to_owned()
}

/// Returns whether an invisible character is where legitimate text has it: a joiner between two letters of a script
/// that uses joiners, or a joiner or a variation selector in an emoji.
fn is_part_of_a_word(before: Option<char>, c: char, after: Option<char>) -> bool {
    // Syriac, Arabic and N'Ko; the scripts of India; Myanmar; Khmer.
    let joins = |c| {
        matches!(c, '\u{620}'..='\u{7ff}' | '\u{8a0}'..='\u{8ff}' | '\u{900}'..='\u{dff}'
            | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17b3}' | '\u{17b6}'..='\u{17ff}')
    };
    let is_emoji = |c| {
        matches!(c, '©' | '®' | '\u{203c}'..='\u{21aa}' | '\u{2300}'..='\u{27bf}' | '\u{2b05}'..='\u{2b55}'
            | '\u{1f000}'..='\u{1faff}')
    };
    match c {
        '\u{200c}' => before.is_some_and(joins) && after.is_some_and(joins),
        '\u{200d}' => {
            (before.is_some_and(joins) && after.is_some_and(joins))
                || (before.is_some_and(|c| is_emoji(c) || c == '\u{fe0f}') && after.is_some_and(is_emoji))
        }
        '\u{fe0f}' => before.is_some_and(is_emoji),
        _ => false,
    }
}

/// Returns whether a character is invisible or controls the terminal.
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
    fn control_bidi_and_invisible_characters_are_replaced() {
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
    fn joiners_are_kept_only_within_words_and_emoji() {
        for legitimate in
            ["می\u{200c}خواهم", "ක්\u{200d}ෂ", "👩\u{200d}💻", "❤\u{fe0f}\u{200d}🔥", "I ❤\u{fe0f} NY"]
        {
            assert_eq!(sanitize(legitimate), legitimate);
        }
        for (tampered, shown) in [
            ("ad\u{200d}min", "ad\u{fffd}min"),
            ("ad\u{200c}min", "ad\u{fffd}min"),
            ("a\u{fe0f}", "a\u{fffd}"),
            ("\u{200d}👩", "\u{fffd}👩"),
            ("👩\u{200d}", "👩\u{fffd}"),
            ("م\u{200c}\u{200c}م", "م\u{fffd}م"),
        ] {
            assert_eq!(sanitize(tampered), shown, "{tampered:?}");
        }
    }

    #[test]
    fn long_text_is_truncated_with_an_ellipsis() {
        let clean = sanitize(&"x".repeat(100_000));
        assert_eq!(clean.chars().count(), SANITIZED_MAX_CHARS + 1);
        assert!(clean.ends_with('…'));
        assert_eq!(sanitize(&"x".repeat(SANITIZED_MAX_CHARS)).chars().count(), SANITIZED_MAX_CHARS);
    }
}
