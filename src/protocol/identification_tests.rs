use std::time::{Duration, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;
use crate::protocol::{
    keys::tests::{Signer, key_set},
    reply::Reply,
    settings::Dialect,
    token,
};

/// A response with an ID token, and the keys that verify it.
struct Bench {
    signer: Signer,
    client: ClientSettings,
    server: Metadata,
    subject: Option<String>,
}

impl Bench {
    fn new() -> Self {
        Self {
            signer: Signer::new("ES256"),
            client: ClientSettings::public("id"),
            server: Metadata::example(),
            subject: None,
        }
    }

    fn begin(&self, id_token: &str) -> Transition {
        let body = format!(r#"{{"access_token":"acc-1","token_type":"Bearer","id_token":"{id_token}"}}"#);
        let mut reply = Reply::json(200, &body);
        reply.sent.time_of_day = UNIX_EPOCH + Duration::from_secs(1_000);
        let response = token::read(&reply.object().unwrap(), &reply, Dialect::Standard, &[]).unwrap();
        let origin = match &self.subject {
            Some(subject) => Origin::Refresh(Some(subject.clone())),
            None => Origin::Login,
        };
        let client = ClientSettings { params: self.client.params.clone(), ..ClientSettings::public("id") };
        let client = ClientSettings { verify_id_token: self.client.verify_id_token, ..client };
        Identification::begin(&Arc::new(client), &Arc::new(self.server.clone()), response, origin)
    }

    fn token(&self, subject: &str) -> String {
        let claims = format!(r#"{{"iss":"https://h","aud":"id","sub":"{subject}","iat":1000,"exp":1300}}"#);
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","kid":"k1"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.signer.sign(&signed));
        format!("{signed}.{signature}")
    }

    fn keys(&self, id: &str) -> Input {
        Input::Keys(Ok(Arc::new(key_set(&[self.signer.jwk(&format!(r#""kid":"{id}","#))]))))
    }
}

fn fetching((identification, effect): Transition) -> (Identification, bool) {
    match (identification, effect) {
        (Some(identification), Effect::FetchKeys { url, renew }) => {
            assert_eq!(url.as_str(), "https://h/jwks");
            (identification, renew)
        }
        (_, effect) => panic!("{effect:?}"),
    }
}

fn reported((identification, effect): Transition) -> (Identification, String) {
    match (identification, effect) {
        (Some(identification), Effect::Tell(Notice::Event(Event::IdentityUnverified { message }))) => {
            (identification, message)
        }
        (_, effect) => panic!("{effect:?}"),
    }
}

fn ended((identification, effect): Transition) -> Result<Option<String>, Error> {
    assert!(identification.is_none());
    match effect {
        Effect::Finish(outcome) => {
            outcome.map(|response| response.identity.as_ref().map(|user| user.subject().to_owned()))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_response_is_given_out_when_its_id_token_was_verified() {
    let bench = Bench::new();
    let (identification, renew) = fetching(bench.begin(&bench.token("u1")));
    assert!(!renew);
    let (waiting, effect) = identification.advance(Input::Tick);
    assert!(matches!(effect, Effect::Wait { until: None }));
    let user = ended(waiting.unwrap().advance(bench.keys("k1"))).unwrap();
    assert_eq!(user.as_deref(), Some("u1"));
}

#[test]
fn there_is_nothing_to_check_without_a_token_an_issuer_or_the_wish() {
    let bench = Bench::new();
    assert_eq!(ended(bench.begin("")).unwrap(), None);
    let unknown = Bench { server: Metadata { issuer: None, ..Metadata::example() }, ..Bench::new() };
    assert_eq!(ended(unknown.begin("x")).unwrap(), None);
    let mut unwanted = Bench::new();
    unwanted.client.verify_id_token = false;
    assert_eq!(ended(unwanted.begin("x")).unwrap(), None);
}

// proves: OIDCC-10.1.1-01
#[test]
fn an_unknown_key_is_looked_for_once_more() {
    let bench = Bench::new();
    let again = || {
        let (identification, renew) = fetching(bench.begin(&bench.token("u1")));
        assert!(!renew);
        let (identification, renew) = fetching(identification.advance(bench.keys("old")));
        assert!(renew);
        identification
    };
    assert_eq!(ended(again().advance(bench.keys("k1"))).unwrap().as_deref(), Some("u1"));
    let error = ended(again().advance(bench.keys("old"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert!(error.to_string().contains("no key for its signature"), "{error}");
}

// proves: P6-jwks
#[test]
fn tokens_without_keys_are_given_out_after_an_event() {
    let bench = Bench::new();
    let begin = || fetching(bench.begin(&bench.token("u1"))).0;
    let lost = || Error::new(ErrorKind::Network, "no\u{7}route");
    for failure in
        [Input::Keys(Err(lost())), Input::Lost(crate::RetryReason::Timeout, lost()), Input::Failed(lost())]
    {
        let (identification, message) = reported(begin().advance(failure));
        assert!(message.ends_with("no\u{fffd}route"), "{message}");
        assert_eq!(ended(identification.advance(Input::Tick)).unwrap(), None);
    }
    let (identification, _) = reported(begin().advance(Input::NotSent));
    assert!(identification.into_response().identity.is_none());
    let unknown = Bench { server: Metadata { jwks_uri: None, ..Metadata::example() }, ..Bench::new() };
    let (_, message) = reported(unknown.begin("x.y.z"));
    assert!(message.contains("`jwks_uri`"), "{message}");
}

// proves: OIDCC-12.2-01, R8725-3.3-01
#[test]
fn a_refused_token_and_another_user_end_the_login() {
    let mut bench = Bench::new();
    let refuse = |bench: &Bench, token: &str| {
        let identification = fetching(bench.begin(token)).0;
        ended(identification.advance(bench.keys("k1"))).unwrap_err()
    };
    let error = refuse(&bench, "no-token");
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert_eq!(error.to_string(), "the server's ID token was refused: it is not a JWT");
    bench.subject = Some("u1".into());
    let error = refuse(&bench, &bench.token("u2"));
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert!(error.to_string().contains("another user"), "{error}");
    let identification = fetching(bench.begin(&bench.token("u1"))).0;
    assert!(ended(identification.advance(bench.keys("k1"))).is_ok());
}

// proves: OIDCC-3.1.3.7-09
#[test]
fn a_nonce_that_the_program_sent_is_checked() {
    let mut bench = Bench::new();
    bench.client.params = vec![("nonce".into(), "n-1".into())];
    let identification = fetching(bench.begin(&bench.token("u1"))).0;
    let error = ended(identification.advance(bench.keys("k1"))).unwrap_err();
    assert!(error.to_string().contains("`nonce`"), "{error}");
}
