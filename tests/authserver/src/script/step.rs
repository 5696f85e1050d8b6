//! One step of a script, as JSON says it.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::settings::Answer;

/// What happens at one call of an endpoint.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Step {
    pub(crate) real: bool,
    pub(crate) grant: bool,
    pub(crate) error: Option<String>,
    pub(crate) decide: Option<Answer>,
    pub(crate) status: Option<u16>,
    /// Present also when it is `null`, which is a body as well.
    #[serde(deserialize_with = "present")]
    pub(crate) json: Option<Value>,
    pub(crate) body: Option<String>,
    pub(crate) body_base64: Option<String>,
    pub(crate) huge: Option<Huge>,
    pub(crate) merge: Option<Map<String, Value>>,
    pub(crate) remove: Vec<String>,
    /// `Some(None)` is "no content type at all".
    #[serde(deserialize_with = "present")]
    pub(crate) content_type: Option<Option<String>>,
    pub(crate) headers: Headers,
    pub(crate) location: Option<String>,
    pub(crate) header_flood: Option<HeaderFlood>,
    pub(crate) interim: Vec<u16>,
    pub(crate) encoding: Option<Encoding>,
    pub(crate) gzip_bomb: Option<u64>,
    pub(crate) delay: f64,
    pub(crate) delay_body: f64,
    pub(crate) drip: Option<DripStep>,
    pub(crate) chunk_size: Option<usize>,
    pub(crate) content_length: Option<u64>,
    pub(crate) until_close: bool,
    pub(crate) http_version: Option<HttpVersion>,
    pub(crate) connection_close: bool,
    pub(crate) close_after: Option<f64>,
    pub(crate) reset: Option<Where>,
    pub(crate) close: Option<Where>,
    pub(crate) hang: Option<Where>,
    pub(crate) raw: Option<String>,
    pub(crate) raw_base64: Option<String>,
    pub(crate) down_for: Option<f64>,
    pub(crate) times: Option<usize>,
}

fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(input: D) -> Result<Option<T>, D::Error> {
    T::deserialize(input).map(Some)
}

impl Step {
    /// Reads a step; a word is short for the usual ones.
    pub(crate) fn read(value: Value) -> Result<Step, String> {
        match value {
            Value::String(word) if word == "real" => Ok(Step { real: true, ..Step::default() }),
            Value::String(word) if word == "grant" => Ok(Step { grant: true, ..Step::default() }),
            Value::String(word) => Ok(Step { error: Some(word), ..Step::default() }),
            object @ Value::Object(_) => {
                let step: Step = serde_json::from_value(object).map_err(|error| error.to_string())?;
                step.check()
            }
            other => Err(format!("a step is a word or an object, not {other}")),
        }
    }

    fn check(self) -> Result<Step, String> {
        let bodies = [
            self.real,
            self.grant,
            self.error.is_some(),
            self.json.is_some(),
            self.body.is_some() && self.gzip_bomb.is_none(),
            self.body_base64.is_some(),
            self.huge.is_some(),
            self.gzip_bomb.is_some(),
            self.raw.is_some(),
            self.raw_base64.is_some(),
        ];
        if bodies.iter().filter(|given| **given).count() > 1 {
            return Err("real, grant, error, json, body, body_base64, huge, gzip_bomb, raw and raw_base64 \
                        exclude each other"
                .to_owned());
        }
        let cuts = [self.reset.is_some(), self.close.is_some(), self.hang.is_some()];
        if cuts.iter().filter(|given| **given).count() > 1 {
            return Err("reset, close and hang exclude each other".to_owned());
        }
        if self.status.is_some_and(|status| !(200..=999).contains(&status)) {
            return Err("status: 200 to 999".to_owned());
        }
        // These are made in memory.
        if self.gzip_bomb.is_some_and(|bytes| bytes > MOST_BOMB) {
            return Err(format!("gzip_bomb: at most {MOST_BOMB}"));
        }
        let too_much = |flood: &HeaderFlood| {
            flood.count.saturating_mul(flood.bytes.saturating_add(HEADER_NAME)) > MOST_FLOOD
        };
        if self.header_flood.as_ref().is_some_and(too_much) {
            return Err(format!(
                "header_flood: at most {MOST_FLOOD} bytes, with {HEADER_NAME} for each name"
            ));
        }
        Ok(self)
    }
}

const MOST_BOMB: u64 = 10_000_000_000;
const MOST_FLOOD: usize = 32 * 1024 * 1024;
const HEADER_NAME: usize = 20;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Huge {
    pub(crate) bytes: u64,
    #[serde(default = "letter")]
    pub(crate) fill: String,
    #[serde(default)]
    pub(crate) prefix: String,
    #[serde(default)]
    pub(crate) suffix: String,
}

fn letter() -> String {
    "a".to_owned()
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeaderFlood {
    pub(crate) count: usize,
    pub(crate) bytes: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DripStep {
    pub(crate) bytes: usize,
    pub(crate) every: f64,
    #[serde(default, rename = "from")]
    pub(crate) since: DripFrom,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DripFrom {
    #[default]
    Body,
    Headers,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Encoding {
    Gzip,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(crate) enum HttpVersion {
    #[serde(rename = "1.0")]
    V10,
    #[serde(rename = "1.1")]
    V11,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Where {
    Before,
    Headers,
    Body,
}

/// Headers as a list of pairs (order and duplicates kept) or as an object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers(pub(crate) Vec<(String, String)>);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Headers, D::Error> {
        let value = Value::deserialize(input)?;
        let headers = if value.is_object() {
            serde_json::from_value::<std::collections::BTreeMap<String, String>>(value)
                .map(|object| object.into_iter().collect())
        } else {
            serde_json::from_value(value)
        };
        headers.map(Headers).map_err(|error| D::Error::custom(format!("headers: {error}")))
    }
}

/// What happens to a connection before a byte of it is read.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConnectionStep {
    Real,
    Reset,
    Close,
    Hang,
}
