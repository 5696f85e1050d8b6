//! An answer as a value, before anything decides how it travels.

use serde_json::Value;

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

/// The body of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Bytes(Vec<u8>),
    /// `fill` repeated until it is `bytes` long, made while it is sent.
    Huge {
        prefix: Vec<u8>,
        fill: Vec<u8>,
        bytes: u64,
        suffix: Vec<u8>,
    },
}

impl Body {
    pub(crate) fn len(&self) -> u64 {
        let length = |part: &[u8]| u64::try_from(part.len()).unwrap_or(u64::MAX);
        match self {
            Body::Bytes(bytes) => length(bytes),
            Body::Huge { prefix, bytes, suffix, .. } => {
                length(prefix).saturating_add(*bytes).saturating_add(length(suffix))
            }
        }
    }

    /// The body's JSON, where it is JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        match self {
            Body::Bytes(bytes) => serde_json::from_slice(bytes).ok(),
            Body::Huge { .. } => None,
        }
    }
}

impl Response {
    pub(crate) fn empty(status: u16) -> Response {
        Response { status, headers: Vec::new(), body: Body::Bytes(Vec::new()) }
    }

    /// JSON that may be kept by caches (metadata, keys).
    pub(crate) fn public_json(status: u16, body: &Value) -> Response {
        Response::empty(status).with("Content-Type", "application/json").bytes(body.to_string().into_bytes())
    }

    /// JSON that holds or concerns secrets.
    pub(crate) fn json(status: u16, body: &Value) -> Response {
        Response::public_json(status, body).with("Cache-Control", "no-store").with("Pragma", "no-cache")
    }

    pub(crate) fn html(status: u16, page: String) -> Response {
        Response::empty(status).with("Content-Type", "text/html; charset=utf-8").bytes(page.into_bytes())
    }

    /// An error as RFC 6749, section 5.2, shapes it.
    pub(crate) fn oauth_error(status: u16, error: &str, description: &str) -> Response {
        Response::json(status, &serde_json::json!({"error": error, "error_description": description}))
    }

    pub(crate) fn bytes(mut self, body: Vec<u8>) -> Response {
        self.body = Body::Bytes(body);
        self
    }

    /// Adds a header, or replaces it where it is there already.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Response {
        self.set(name, Some(value));
        self
    }

    /// Replaces all headers of this name; None leaves none.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) {
        self.headers.retain(|(have, _)| !have.eq_ignore_ascii_case(name));
        if let Some(value) = value {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// The phrase that goes with a status; clients ignore it, people reading a trace do not.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
