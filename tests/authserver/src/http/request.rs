//! One request, as it came: header names in their spelling, headers in their order, the body as bytes.

use std::time::Instant;

use percent_encoding::percent_decode;

/// A complete request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// What follows the `?`, undecoded.
    pub(crate) query: Option<String>,
    /// Spoken version is HTTP/1.0: the connection does not stay.
    pub(crate) http_1_0: bool,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The body's length was announced, by a length or by the chunked coding.
    pub(crate) body_announced: bool,
    /// When its first byte was read.
    pub(crate) arrived: Instant,
}

impl Request {
    /// The first value of a header; `name` in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The media type of the body in lower case, without its parameters.
    pub(crate) fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        let essence = value.split(';').next().unwrap_or(value);
        Some(essence.trim().to_ascii_lowercase())
    }

    /// The client asked for this to be the last exchange of the connection.
    pub(crate) fn closes(&self) -> bool {
        let close =
            self.header("connection").is_some_and(|value| value.to_ascii_lowercase().contains("close"));
        self.http_1_0 || close
    }

    /// The decoded parameters of the query; those that are no UTF-8 are left out.
    pub(crate) fn query_parameters(&self) -> Vec<(String, String)> {
        let query = self.query.as_deref().unwrap_or_default();
        form_pairs(query.as_bytes()).map(|form| form.pairs).unwrap_or_default()
    }
}

/// The first value of a header; `name` in lower case.
pub(crate) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// A decoded form, and whether it is as it should be: two hexadecimal digits after each `%`, and not too long.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Form {
    pub(crate) pairs: Vec<(String, String)>,
    pub(crate) well_formed: bool,
}

/// No request needs more; a form with more of them is malformed.
pub(crate) const MOST_PARAMETERS: usize = 1000;

/// Decodes `application/x-www-form-urlencoded`; None when what was encoded is no UTF-8.
pub(crate) fn form_pairs(encoded: &[u8]) -> Option<Form> {
    let mut form = Form { pairs: Vec::new(), well_formed: true };
    for pair in encoded.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if form.pairs.len() == MOST_PARAMETERS {
            form.well_formed = false;
            break;
        }
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = form_text(halves.next().unwrap_or_default(), &mut form.well_formed)?;
        let value = form_text(halves.next().unwrap_or_default(), &mut form.well_formed)?;
        form.pairs.push((name, value));
    }
    Some(form)
}

/// Decodes one name or value.
pub(crate) fn form_text(encoded: &[u8], well_formed: &mut bool) -> Option<String> {
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decoded: Vec<u8> = percent_decode(&spaced).collect();
    // The decoder leaves a broken escape as it is, so counting tells.
    let escapes = spaced.iter().filter(|byte| **byte == b'%').count();
    if decoded.len() + 2 * escapes != spaced.len() {
        *well_formed = false;
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded_with_duplicates_and_order_kept() {
        let form = form_pairs(b"a=1+2&b=%C3%A9&a=&c").unwrap();
        let expected = [("a", "1 2"), ("b", "é"), ("a", ""), ("c", "")];
        assert_eq!(form.pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(form.well_formed);
    }

    #[test]
    fn what_is_no_form_is_told() {
        assert_eq!(form_pairs(b"a=%FF"), None);
        assert!(!form_pairs(b"a=%zz").unwrap().well_formed);
        assert!(!form_pairs(b"a=100%").unwrap().well_formed);
        assert!(form_pairs("a&".repeat(MOST_PARAMETERS).as_bytes()).unwrap().well_formed);
        let endless = form_pairs("a&".repeat(100_000).as_bytes()).unwrap();
        assert_eq!((endless.pairs.len(), endless.well_formed), (MOST_PARAMETERS, false));
    }
}
