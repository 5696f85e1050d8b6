//! From a step and the answer it starts from to what is sent.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::write::GzEncoder;
use flate2::{Compress, Compression, Crc, FlushCompress};
use serde_json::{Map, Value, json};

use super::placeholders::{Placeholders, fill, fill_json};
use super::step::{DripFrom, HttpVersion, Step, Where};
use crate::clock::duration;
use crate::http::delivery::{Cut, Delivery, Drip, Framing, Point};
use crate::http::{Body, Response};

/// Which answer a step changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Start {
    Real,
    Grant,
    /// None: the step says everything.
    Nothing,
}

/// What a step comes to.
#[derive(Debug)]
pub(crate) struct Scripted {
    pub(crate) response: Response,
    pub(crate) delivery: Delivery,
    /// Afterwards nobody is listening for this long.
    pub(crate) down_for: Option<std::time::Duration>,
}

/// Whether the server's own behaviour has to run for this step. A step that breaks off before the first byte, and asks
/// for nothing else, leaves the server's state alone.
pub(crate) fn starts_from(step: &Step) -> Start {
    let cut = [step.reset, step.close, step.hang];
    let cut_before = cut.contains(&Some(Where::Before));
    let says_something = step.error.is_some()
        || step.json.is_some()
        || step.body.is_some()
        || step.body_base64.is_some()
        || step.huge.is_some()
        || step.gzip_bomb.is_some()
        || step.raw.is_some()
        || step.raw_base64.is_some();
    let changes_json = step.merge.is_some() || !step.remove.is_empty();
    let own_status = step.status.is_some() || step.location.is_some();
    match () {
        () if step.grant => Start::Grant,
        () if step.real => Start::Real,
        () if says_something || cut_before || (own_status && !changes_json) => Start::Nothing,
        () => Start::Real,
    }
}

/// Applies a step to the answer it starts from.
pub(crate) fn apply(
    step: &Step,
    base: Option<Response>,
    values: &mut dyn Placeholders,
) -> Result<Scripted, String> {
    let mut response = match base {
        Some(base) => base,
        None => own_answer(step, values)?,
    };
    if let Some(status) = step.status {
        response.status = status;
    }
    change_json(step, &mut response, values);
    set_headers(step, &mut response, values);
    Ok(Scripted { response, delivery: delivery(step, values)?, down_for: step.down_for.map(duration) })
}

fn own_answer(step: &Step, values: &mut dyn Placeholders) -> Result<Response, String> {
    if let Some(error) = &step.error {
        return Ok(Response::json(400, &json!({ "error": error })));
    }
    if let Some(json) = &step.json {
        let mut json = json.clone();
        fill_json(&mut json, values);
        return Ok(Response::json(200, &json));
    }
    if let Some(bytes) = step.gzip_bomb {
        let prefix = fill(step.body.as_deref().unwrap_or_default(), values);
        let bomb = gzip_bomb(prefix.as_bytes(), bytes).map_err(|error| error.to_string())?;
        return Ok(Response::json(200, &Value::Null).with("Content-Encoding", "gzip").bytes(bomb));
    }
    if let Some(body) = &step.body {
        let body = fill(body, values).into_bytes();
        return Ok(Response::empty(200).with("Content-Type", "text/plain").bytes(body));
    }
    if let Some(body) = &step.body_base64 {
        let body = STANDARD.decode(body).map_err(|error| format!("body_base64: {error}"))?;
        return Ok(Response::json(200, &Value::Null).bytes(body));
    }
    if let Some(huge) = &step.huge {
        let mut response = Response::json(200, &Value::Null);
        response.body = Body::Huge {
            prefix: fill(&huge.prefix, values).into_bytes(),
            fill: huge.fill.clone().into_bytes(),
            bytes: huge.bytes,
            suffix: fill(&huge.suffix, values).into_bytes(),
        };
        return Ok(response);
    }
    Ok(Response::empty(200))
}

fn change_json(step: &Step, response: &mut Response, values: &mut dyn Placeholders) {
    if step.merge.is_none() && step.remove.is_empty() {
        return;
    }
    let Some(Value::Object(mut members)) = response.body.json() else {
        return;
    };
    for name in &step.remove {
        members.remove(name);
    }
    if let Some(change) = &step.merge {
        let mut change = Value::Object(change.clone());
        fill_json(&mut change, values);
        if let Value::Object(change) = change {
            merge(&mut members, change);
        }
    }
    response.body = Body::Bytes(Value::Object(members).to_string().into_bytes());
}

/// Objects merge deeply; anything else replaces.
pub(crate) fn merge(into: &mut Map<String, Value>, change: Map<String, Value>) {
    for (name, value) in change {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(below)), Value::Object(change)) => merge(below, change),
            (_, value) => {
                into.insert(name, value);
            }
        }
    }
}

fn set_headers(step: &Step, response: &mut Response, values: &mut dyn Placeholders) {
    if let Some(content_type) = &step.content_type {
        response.set("Content-Type", content_type.as_deref());
    }
    if let Some(location) = &step.location {
        let location = fill(location, values);
        response.set("Location", Some(&location));
    }
    // Several of one name may be wanted: replace what the answer had, then append.
    for (name, _) in &step.headers.0 {
        response.set(name, None);
    }
    for (name, value) in &step.headers.0 {
        response.headers.push((name.clone(), fill(value, values)));
    }
    if let Some(flood) = &step.header_flood {
        let value = "x".repeat(flood.bytes);
        for number in 0..flood.count {
            response.headers.push((format!("X-Flood-{number}"), value.clone()));
        }
    }
    if step.encoding.is_some()
        && let Body::Bytes(plain) = &response.body
        && let Ok(compressed) = gzip(plain)
    {
        response.body = Body::Bytes(compressed);
        response.set("Content-Encoding", Some("gzip"));
    }
}

fn delivery(step: &Step, values: &mut dyn Placeholders) -> Result<Delivery, String> {
    let raw = match (&step.raw, &step.raw_base64) {
        (Some(text), _) => Some(fill(text, values).into_bytes()),
        (None, Some(bytes)) => Some(STANDARD.decode(bytes).map_err(|error| format!("raw_base64: {error}"))?),
        (None, None) => None,
    };
    let framing = match (step.chunk_size, step.content_length, step.until_close) {
        (Some(size), _, _) => Framing::Chunked(size),
        (None, Some(length), _) => Framing::WrongLength(length),
        (None, None, true) => Framing::UntilClose,
        (None, None, false) => Framing::Length,
    };
    let cuts = [(Cut::Reset, step.reset), (Cut::Close, step.close), (Cut::Hang, step.hang)];
    let cut = cuts.into_iter().find_map(|(cut, at)| at.map(|at| (cut, point(at))));
    Ok(Delivery {
        delay: duration(step.delay),
        delay_body: duration(step.delay_body),
        interim: step.interim.clone(),
        http_1_0: step.http_version == Some(HttpVersion::V10),
        framing,
        drip: step.drip.as_ref().map(|drip| Drip {
            bytes: drip.bytes,
            every: duration(drip.every),
            headers_too: drip.since == DripFrom::Headers,
        }),
        cut,
        says_close: step.connection_close,
        close_after: step.close_after.map(duration),
        raw,
        no_body: false,
    })
}

fn point(at: Where) -> Point {
    match at {
        Where::Before => Point::Before,
        Where::Headers => Point::Headers,
        Where::Body => Point::Body,
    }
}

fn gzip(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain)?;
    encoder.finish()
}

/// A gzip stream of a thousandth of its decoded size. One compressed block of spaces is repeated, so that making a
/// large bomb costs no more than sending it.
fn gzip_bomb(prefix: &[u8], spaces: u64) -> Result<Vec<u8>, flate2::CompressError> {
    const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    const LAST_BLOCK: [u8; 2] = [3, 0];
    const BLOCK: usize = 1024 * 1024;
    let block = vec![b' '; BLOCK];
    let (blocks, rest) = (spaces / 1024 / 1024, usize::try_from(spaces % (1024 * 1024)).unwrap_or_default());
    let rest = block.get(..rest).unwrap_or_default();

    let mut bomb = HEADER.to_vec();
    bomb.extend(deflated(prefix)?);
    let compressed = deflated(&block)?;
    for _ in 0..blocks {
        bomb.extend_from_slice(&compressed);
    }
    bomb.extend(deflated(rest)?);
    bomb.extend_from_slice(&LAST_BLOCK);

    let (mut sum, mut block_sum) = (Crc::new(), Crc::new());
    sum.update(prefix);
    block_sum.update(&block);
    for _ in 0..blocks {
        sum.combine(&block_sum);
    }
    sum.update(rest);
    bomb.extend_from_slice(&sum.sum().to_le_bytes());
    bomb.extend_from_slice(&sum.amount().to_le_bytes());
    Ok(bomb)
}

/// Deflate blocks that end on a byte and refer to nothing before them.
fn deflated(plain: &[u8]) -> Result<Vec<u8>, flate2::CompressError> {
    let mut out = Vec::with_capacity(plain.len() + 1024);
    Compress::new(Compression::best(), false).compress_vec(plain, &mut out, FlushCompress::Full)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    struct NoValues;

    impl Placeholders for NoValues {
        fn value(&mut self, _: &str) -> Option<String> {
            None
        }
    }

    fn step(value: Value) -> Step {
        Step::read(value).unwrap()
    }

    fn starts(value: Value) -> Start {
        starts_from(&step(value))
    }

    #[test]
    fn faults_alone_spoil_the_real_answer_and_bodies_replace_it() {
        assert_eq!(starts(json!({"delay": 1})), Start::Real);
        assert_eq!(starts(json!({"merge": {"a": 1}, "status": 400})), Start::Real);
        assert_eq!(starts(json!({"reset": "body"})), Start::Real);
        assert_eq!(starts(json!({"reset": "before"})), Start::Nothing);
        assert_eq!(starts(json!({"real": true, "reset": "before"})), Start::Real);
        assert_eq!(starts(json!({"status": 502})), Start::Nothing);
        assert_eq!(starts(json!({"body": ""})), Start::Nothing);
        assert_eq!(starts(json!("slow_down")), Start::Nothing);
    }

    #[test]
    fn merging_is_deep_and_removing_comes_first() {
        let base = Response::json(200, &json!({"a": {"b": 1, "c": 2}, "d": 3}));
        let step = step(json!({"merge": {"a": {"b": null}}, "remove": ["d"]}));
        let sent = apply(&step, Some(base), &mut NoValues).unwrap().response;
        assert_eq!(sent.body.json().unwrap(), json!({"a": {"b": null, "c": 2}}));
    }

    #[test]
    fn a_null_body_is_a_body_and_a_null_content_type_is_none() {
        let sent =
            apply(&step(json!({"json": null, "content_type": null})), None, &mut NoValues).unwrap().response;
        assert_eq!(sent.body.json(), Some(Value::Null));
        assert!(!sent.headers.iter().any(|(name, _)| name == "Content-Type"));
    }

    #[test]
    fn a_bomb_is_small_until_it_is_opened() {
        let bomb = gzip_bomb(b"{", 10_000_000).unwrap();
        assert!(bomb.len() < 20_000);
        let mut opened = Vec::new();
        flate2::read::GzDecoder::new(bomb.as_slice()).read_to_end(&mut opened).unwrap();
        assert_eq!((opened.len(), opened[0], opened[9_999_999]), (10_000_001, b'{', b' '));
    }
}
