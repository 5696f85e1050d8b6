//! HTML, with everything that came from outside escaped.

use std::fmt::Write;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::http::Response;

const STYLE: &str = include_str!("style.css");

/// Only this very style sheet, no scripts, nothing from anywhere, no frame around it, forms to this server.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
});

/// The picture above the title.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mark {
    Terminal,
    Good,
    Bad,
}

impl Mark {
    fn svg(self) -> String {
        let (class, path) = match self {
            Mark::Terminal => ("mark", "M7 9l3 3-3 3M12.5 15H17"),
            Mark::Good => ("mark good", "M7.5 12.5l3 3 6-6.5"),
            Mark::Bad => ("mark bad", "M8.5 8.5l7 7M15.5 8.5l-7 7"),
        };
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.8\" \
             stroke-linecap=\"round\" stroke-linejoin=\"round\" aria-hidden=\"true\">\
             <rect x=\"2.5\" y=\"3.5\" width=\"19\" height=\"17\" rx=\"4\"/><path d=\"{path}\"/></svg>"
        )
    }
}

/// A whole page; `content` is HTML already.
pub(super) fn page(status: u16, mark: Mark, title: &str, content: &str) -> Response {
    let title = escape(title);
    let mark = mark.svg();
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{mark}\n<h1>{title}</h1>\n{content}\n</main>\n\
         <footer>This is a test server. Nothing that it signs means anything.</footer>\n</body>\n</html>\n"
    );
    Response::html(status, html)
        .with("Cache-Control", "no-store")
        .with("Content-Security-Policy", &POLICY)
        .with("X-Frame-Options", "DENY")
        .with("X-Content-Type-Options", "nosniff")
        .with("Referrer-Policy", "same-origin")
        .with("Cross-Origin-Opener-Policy", "same-origin")
}

/// Text as HTML, also inside a quoted attribute. Control and direction characters become visible nothing.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' => {
                let _ = write!(escaped, "\u{fffd}");
            }
            letter if letter.is_control() => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_markup() {
        assert_eq!(escape("<b a=\"'&"), "&lt;b a=&quot;&#39;&amp;");
        assert_eq!(escape("a\u{202e}b\u{1b}c"), "a\u{fffd}b\u{fffd}c");
    }
}
