//! How one server behaves: what the command line and `POST /control/servers` can say.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value, json};

use crate::oauth::id_token::IdTokenSettings;
use crate::oauth::jwt::KeySetSettings;
use crate::oauth::pkce::Pkce;
use crate::script::Script;

/// Settings of one server. Every member has a default; an unknown one is an error.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub(crate) tls: TlsMode,
    pub(crate) host: Host,
    pub(crate) issuer_path: String,
    /// Seconds; None leaves the member out of the answer.
    pub interval: Option<Number>,
    /// Seconds that a code lives.
    pub expires_in: Number,
    pub(crate) enforce_interval: Option<f64>,
    pub(crate) slow_down: bool,
    /// What the person does.
    pub answer: Answer,
    pub(crate) answer_after: f64,
    pub(crate) answer_after_polls: u32,
    pub(crate) clients: Option<Vec<Registration>>,
    pub(crate) discovery: Discovery,
    pub(crate) revocation: bool,
    pub(crate) verification_uri_complete: bool,
    pub(crate) access_token_expires_in: u64,
    /// Seconds that the server's clock is ahead, in its tokens and in `Date`.
    pub(crate) clock_offset: i64,
    pub(crate) pkce: Pkce,
    pub(crate) rotate_refresh: bool,
    pub(crate) refresh_grace: Option<f64>,
    pub(crate) user: Map<String, Value>,
    pub(crate) organizations: Vec<Organization>,
    /// How tokens are signed; None: as the process was told.
    pub alg: Option<Alg>,
    pub(crate) id_token: IdTokenSettings,
    pub(crate) jwks: KeySetSettings,
    /// Whether requests are recorded.
    pub log: bool,
    pub(crate) script: Script,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            tls: TlsMode::None,
            host: Host::V4,
            issuer_path: String::new(),
            interval: Some(Number::from(5)),
            expires_in: Number::from(300),
            enforce_interval: None,
            slow_down: true,
            answer: Answer(None),
            answer_after: 0.0,
            answer_after_polls: 0,
            clients: None,
            discovery: Discovery::Both,
            revocation: true,
            verification_uri_complete: true,
            access_token_expires_in: 300,
            clock_offset: 0,
            pkce: Pkce::Optional,
            rotate_refresh: true,
            refresh_grace: None,
            user: Map::new(),
            organizations: Vec::new(),
            alg: None,
            id_token: IdTokenSettings::default(),
            jwks: KeySetSettings::default(),
            log: true,
            script: Script::default(),
        }
    }
}

impl Settings {
    /// What serde cannot see.
    pub(crate) fn check(&self) -> Result<(), String> {
        let path = &self.issuer_path;
        if !path.is_empty() && (!path.starts_with('/') || path.contains(['?', '#', '{'])) {
            return Err("issuer_path: must begin with / and hold no ? # {".to_owned());
        }
        Ok(())
    }
}

/// Which certificate a listener shows, or what it does instead of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TlsMode {
    None,
    Good,
    Untrusted,
    SelfSigned,
    SelfSignedRoot,
    SelfSignedRootExpired,
    SelfSignedRootWrongName,
    SelfSignedRootReplaced,
    P521,
    P521Tls12,
    P384Sha512,
    P256Sha512,
    RsaPss,
    Ed448,
    Expired,
    NotYetValid,
    WrongName,
    CnOnly,
    Tls11,
    HandshakeHang,
    HandshakeReset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Host {
    #[serde(rename = "127.0.0.1")]
    V4,
    #[serde(rename = "[::1]")]
    V6,
    #[serde(rename = "localhost")]
    Name,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Discovery {
    Both,
    Oauth,
    Oidc,
    None,
}

/// How tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alg {
    Rs256,
    Ps256,
    Es256,
    Es384,
    /// JOSE's `EdDSA`.
    Ed25519,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Organization {
    pub(crate) fn json(&self) -> Value {
        json!({"id": self.id, "name": self.name})
    }
}

/// A client that the server knows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registration {
    pub(crate) client_id: String,
    #[serde(default)]
    pub(crate) secret: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) third_party: bool,
    #[serde(default = "yes")]
    pub(crate) device_grant: bool,
    #[serde(default)]
    pub(crate) auth_methods: Option<Vec<AuthMethod>>,
}

fn yes() -> bool {
    true
}

/// How a client says who it is; the names of RFC 7591.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum AuthMethod {
    #[serde(rename = "none")]
    None,
    #[serde(rename = "client_secret_basic")]
    Basic,
    #[serde(rename = "client_secret_post")]
    Post,
}

/// What a person decides about a code.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Decision {
    Approve {
        #[serde(default)]
        organization_id: Option<String>,
    },
    Deny {},
    /// The person is known, but something else has to happen first.
    StepUp {
        #[serde(default = "organization_selection")]
        code: String,
        #[serde(default = "forbidden")]
        status: u16,
        #[serde(default)]
        body: Map<String, Value>,
    },
}

fn organization_selection() -> String {
    "organization_selection_required".to_owned()
}

fn forbidden() -> u16 {
    403
}

/// A decision in long or short form; None leaves it to a person at the page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer(pub(crate) Option<Decision>);

impl Answer {
    /// Approves every login.
    pub fn approve() -> Answer {
        Answer(Some(Decision::Approve { organization_id: None }))
    }

    /// Denies every login.
    pub fn deny() -> Answer {
        Answer(Some(Decision::Deny {}))
    }
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Answer, D::Error> {
        match Value::deserialize(input)? {
            Value::String(word) if word == "manual" => Ok(Answer(None)),
            Value::String(word) if word == "approve" => Ok(Answer::approve()),
            Value::String(word) if word == "deny" => Ok(Answer::deny()),
            value @ Value::Object(_) => {
                serde_json::from_value(value).map(|decision| Answer(Some(decision))).map_err(D::Error::custom)
            }
            other => Err(D::Error::custom(format!("no decision: {other}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Settings, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn an_interval_can_be_absent_null_or_a_number() {
        assert_eq!(parse("{}").unwrap().interval, Some(Number::from(5)));
        assert_eq!(parse(r#"{"interval":null}"#).unwrap().interval, None);
        assert_eq!(parse(r#"{"interval":2}"#).unwrap().interval, Some(Number::from(2)));
    }

    #[test]
    fn a_typing_error_is_told() {
        assert!(parse(r#"{"intervall":2}"#).is_err());
        assert!(parse(r#"{"answer":"aprove"}"#).is_err());
        assert!(parse(r#"{"answer":{"decision":"deny","why":"no"}}"#).is_err());
        assert!(parse(r#"{"tls":"bad"}"#).is_err());
        assert!(parse(r#"{"id_token":{"claim":{}}}"#).is_err());
        assert!(parse(r#"{"jwks":{"keys":[]}}"#).is_err());
    }

    #[test]
    fn decisions_have_a_short_and_a_long_form() {
        assert_eq!(parse(r#"{"answer":"deny"}"#).unwrap().answer, Answer::deny());
        assert_eq!(parse(r#"{"answer":{"decision":"deny"}}"#).unwrap().answer, Answer::deny());
        let step_up = parse(r#"{"answer":{"decision":"step_up","code":"mfa_challenge"}}"#).unwrap().answer;
        assert!(
            matches!(step_up.0, Some(Decision::StepUp { code, status: 403, .. }) if code == "mfa_challenge")
        );
    }
}
