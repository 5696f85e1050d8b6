use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::protocol::keys::tests::{Signer, key_set};

const ISSUER: &str = "https://h/t";
const NOW: u64 = 1_000_000;

/// A server that signs tokens, and what is expected of them.
struct Bench {
    algorithm: &'static str,
    signer: Signer,
    keys: KeySet,
    access_token: Secret,
    nonce: Option<&'static str>,
    is_refresh: bool,
    is_servers: bool,
}

impl Bench {
    fn new(algorithm: &'static str) -> Self {
        let signer = Signer::new(algorithm);
        Self {
            algorithm,
            keys: key_set(&[signer.jwk(r#""kid":"k1","#)]),
            signer,
            access_token: Secret::new("acc-1"),
            nonce: None,
            is_refresh: false,
            is_servers: true,
        }
    }

    fn token(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.signer.sign(&signed));
        format!("{signed}.{signature}")
    }

    fn verify(&self, token: &str) -> Result<Identity, Refusal> {
        let expected = Expected {
            issuer: ISSUER,
            client_id: "id",
            nonce: self.nonce,
            is_refresh: self.is_refresh,
            access_token: &self.access_token,
            now: TimeOfDay { time: UNIX_EPOCH + Duration::from_secs(NOW), is_servers: self.is_servers },
        };
        let masker = Masker::new(["acc-1"]);
        verify(&Secret::new(token), &self.keys, &expected, &masker)
    }

    /// Verifies a token with this header.
    fn header(&self, header: &str) -> Result<Identity, Refusal> {
        self.verify(&self.token(header, &claims(&[])))
    }

    /// Verifies a token with these claims changed. `Null` removes one.
    fn claims(&self, changes: &[(&str, Value)]) -> Result<Identity, Refusal> {
        let header = json!({"alg": self.algorithm, "kid": "k1", "typ": "JWT"}).to_string();
        self.verify(&self.token(&header, &claims(changes)))
    }

    /// Returns why a token with these claims was refused.
    fn why(&self, changes: &[(&str, Value)]) -> String {
        why(self.claims(changes))
    }
}

fn why(result: Result<Identity, Refusal>) -> String {
    match result {
        Err(Refusal::Because(what)) => what,
        other => panic!("{other:?}"),
    }
}

fn claims(changes: &[(&str, Value)]) -> String {
    let good = json!({"iss": ISSUER, "sub": "user-1", "aud": "id", "exp": NOW + 300, "iat": NOW});
    let mut claims: Map<String, Value> = good.as_object().unwrap().clone();
    for (name, value) in changes {
        if value.is_null() {
            claims.remove(*name);
        } else {
            claims.insert((*name).to_owned(), value.clone());
        }
    }
    Value::Object(claims).to_string()
}

// proves: P6-id-token, OIDCC-3.1.3.7-04, R8725-3.2-01
#[test]
fn a_valid_token_of_each_algorithm_identifies_the_user() {
    for algorithm in ["RS256", "PS256", "ES256", "ES384", "EdDSA"] {
        let bench = Bench::new(algorithm);
        let more = [
            ("email", json!("a@h")),
            ("email_verified", json!("true")),
            ("name", json!("acc-1")),
            ("org_id", json!("org-1")),
            ("groups", json!(["x"])),
        ];
        let user = bench.claims(&more).unwrap();
        assert_eq!(
            (user.subject(), user.email(), user.email_verified()),
            ("user-1", Some("a@h"), Some(true))
        );
        assert_eq!((user.name(), user.organization_id()), (Some("****"), Some("org-1")));
        assert_eq!(user.claim("groups"), Some("[\"x\"]"));
        assert_eq!(user.claim_names().count(), 10);
        assert!(!format!("{user:?}").contains("a@h"));
    }
}

// proves: R7515-4-01, R7515-4.1.11-01, R8725-3.11-01, R8725-3.7-01, R8725-3.10-01, R7515-4.1-01, R7519-4-01
#[test]
fn the_header_must_be_that_of_an_id_token() {
    let bench = Bench::new("ES256");
    for good in [
        r#"{"alg":"ES256","kid":"k1"}"#,
        r#"{"alg":"ES256","typ":"jwt","x":1}"#,
        r#"{"alg":"ES256","kid":null}"#,
        r#"{"alg":"ES256","kid":"k1","jku":"https://evil","x5u":"https://evil","jwk":{}}"#,
    ] {
        bench.header(good).unwrap();
    }
    for (bad, words) in [
        (r#"{"alg":"ES256","alg":"ES256"}"#, "header"),
        ("[]", "header"),
        (r#"{"kid":"k1"}"#, "`alg` is missing"),
        (r#"{"alg":5}"#, "`alg` is of the wrong type"),
        (r#"{"alg":"ES256","kid":5}"#, "`kid` is of the wrong type"),
        (r#"{"alg":"ES256","crit":["b64"],"b64":true}"#, "extension"),
        (r#"{"alg":"ES256","crit":[]}"#, "extension"),
        (r#"{"alg":"ES256","crit":null}"#, "extension"),
        (r#"{"alg":"ES256","typ":"at+jwt"}"#, "`typ`"),
        (r#"{"alg":"ES256","typ":"logout+jwt"}"#, "`typ`"),
        (r#"{"alg":"none"}"#, "not signed"),
        (r#"{"alg":"nOnE"}"#, "not signed"),
        (r#"{"alg":"HS256"}"#, "share a secret"),
        (r#"{"alg":"ES512"}"#, "ES512, which"),
        (r#"{"alg":"es256"}"#, "es256, which"),
    ] {
        assert!(why(bench.header(bad)).contains(words), "{bad}: {}", why(bench.header(bad)));
    }
    let utf16 = format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(b"\xff\xfe{\0}\0"));
    assert!(why(bench.verify(&utf16)).contains("header"));
    assert_eq!(bench.header(r#"{"alg":"ES256","kid":"k2"}"#).unwrap_err(), Refusal::UnknownKey);
    assert_eq!(bench.header(r#"{"alg":"RS256","kid":"k1"}"#).unwrap_err(), Refusal::UnknownKey);
}

// proves: R8725-3.3-01, R8725-3.8-01, OIDCC-3.1.3.7-04, R7515-4.1-01, OIDCC-3.1.3.7-06
#[test]
fn only_the_servers_own_keys_verify_a_token() {
    let (bench, other) = (Bench::new("ES256"), Bench::new("ES256"));
    let header = r#"{"alg":"ES256","kid":"k1"}"#;
    assert!(why(bench.verify(&other.token(header, &claims(&[])))).contains("signature"));
    let jwk = other.signer.jwk("");
    let embedded = format!(r#"{{"alg":"ES256","kid":"k1","jwk":{jwk}}}"#);
    assert!(why(bench.verify(&other.token(&embedded, &claims(&[])))).contains("signature"));
    let good = bench.token(header, &claims(&[]));
    let (head, signature) = good.rsplit_once('.').unwrap();
    let changed = format!(
        "{header}.{payload}",
        header = head.split_once('.').unwrap().0,
        payload = URL_SAFE_NO_PAD.encode(claims(&[("sub", json!("root"))]))
    );
    assert!(why(bench.verify(&format!("{changed}.{signature}"))).contains("signature"));
    assert!(why(bench.verify(&format!("{head}."))).contains("signature"));
    for ill in ["", "x", "a.b.c.d.e"] {
        assert!(bench.verify(ill).is_err(), "{ill}");
    }
}

// proves: OIDCC-3.1.3.7-01, OIDCC-3.1.3.7-02, OIDCC-3.1.3.7-03, R8725-3.8-01, R8725-3.9-01
#[test]
fn the_token_must_be_of_this_issuer_and_for_this_client() {
    let bench = Bench::new("ES256");
    for good in [
        vec![("aud", json!(["id"]))],
        vec![("azp", json!("id"))],
        vec![("aud", json!(["project", "id"])), ("azp", json!("id"))],
    ] {
        bench.claims(&good).unwrap();
    }
    for (bad, words) in [
        (vec![("iss", json!("https://h/t/"))], "its issuer is \"https://h/t/\""),
        (vec![("iss", json!("https://H/t"))], "its issuer is"),
        (vec![("iss", Value::Null)], "`iss` is missing"),
        (vec![("iss", json!(5))], "`iss` is of the wrong type"),
        (vec![("aud", json!("other"))], "its audience is \"other\" and not \"id\""),
        (vec![("aud", json!(["other"]))], "its audience"),
        (vec![("aud", json!([]))], "its audience"),
        (vec![("aud", json!(["id", "other"]))], "several audiences"),
        (vec![("aud", json!(["id", 5]))], "`aud` is of the wrong type"),
        (vec![("aud", Value::Null)], "`aud` is missing"),
        (vec![("azp", json!("other"))], "\"other\" (`azp`)"),
        (vec![("azp", json!(5))], "`azp` is of the wrong type"),
    ] {
        assert!(bench.why(&bad).contains(words), "{bad:?}: {}", bench.why(&bad));
    }
}

// proves: OIDCC-3.1.3.7-07, OIDCC-3.1.3.7-08, OIDCC-2-01, R7519-4-01
#[test]
fn a_time_may_be_off_by_a_minute_and_the_error_names_the_clock() {
    let mut bench = Bench::new("ES256");
    for good in [
        vec![("exp", json!(NOW - 59))],
        vec![("exp", json!(1e300))],
        vec![("exp", json!(1_000_000.5))],
        vec![("iat", json!(NOW + 60))],
        vec![("iat", json!(0))],
        vec![("nbf", json!(NOW + 60))],
    ] {
        bench.claims(&good).unwrap();
    }
    for (bad, words) in [
        (
            vec![("exp", json!(NOW - 60))],
            "it expired (`exp`) at Mon, 12 Jan 1970 13:45:40 GMT, and the server's clock says",
        ),
        (vec![("exp", json!(-1e300))], "it expired (`exp`) at Thu, 01 Jan 1970"),
        (vec![("iat", json!(NOW + 61))], "it was issued (`iat`) at"),
        (vec![("iat", json!(1e300))], "it was issued (`iat`) at Fri, 31 Dec 9999"),
        (vec![("nbf", json!(NOW + 61))], "it becomes valid (`nbf`) at"),
        (vec![("exp", json!("1000300"))], "`exp` is of the wrong type"),
        (vec![("exp", Value::Null)], "`exp` is missing"),
        (vec![("iat", Value::Null)], "`iat` is missing"),
        (vec![("iat", json!(true))], "`iat` is of the wrong type"),
        (vec![("nbf", json!("x"))], "`nbf` is of the wrong type"),
    ] {
        assert!(bench.why(&bad).contains(words), "{bad:?}: {}", bench.why(&bad));
    }
    let expired = bench.why(&[("exp", json!(0))]);
    assert!(expired.contains("Mon, 12 Jan 1970 13:46:40 GMT: check the clocks"), "{expired}");
    bench.is_servers = false;
    assert!(bench.why(&[("exp", json!(0))]).contains("this machine's clock says"));
}

// proves: OIDCC-2-01, R8725-3.8-01
#[test]
fn the_subject_is_1_to_255_ascii_characters() {
    let bench = Bench::new("ES256");
    bench.claims(&[("sub", json!("x".repeat(255)))]).unwrap();
    for bad in [json!(""), json!("x".repeat(256)), json!("é"), json!(5), Value::Null] {
        assert!(bench.why(&[("sub", bad.clone())]).contains("`sub`"), "{bad}");
    }
}

// proves: OIDCC-3.1.3.7-09, OIDCC-3.1.3.7-10, OIDCC-12.2-01
#[test]
fn a_nonce_counts_only_if_one_was_sent() {
    let mut bench = Bench::new("ES256");
    bench.claims(&[("nonce", json!("n-1")), ("auth_time", json!(1)), ("acr", json!("x"))]).unwrap();
    bench.nonce = Some("n-1");
    bench.claims(&[("nonce", json!("n-1"))]).unwrap();
    for bad in [json!("n-2"), Value::Null] {
        assert!(bench.why(&[("nonce", bad)]).contains("`nonce`"));
    }
    bench.is_refresh = true;
    for good in [json!("n-1"), Value::Null] {
        bench.claims(&[("nonce", good)]).unwrap();
    }
    assert!(bench.why(&[("nonce", json!("n-2"))]).contains("`nonce`"));
}

// proves: OIDCC-3.1.3.8-01
#[test]
fn at_hash_must_be_that_of_the_access_token() {
    for (algorithm, hash) in
        [("ES256", &digest::SHA256), ("ES384", &digest::SHA384), ("EdDSA", &digest::SHA512)]
    {
        let bench = Bench::new(algorithm);
        let half = |token: &str| {
            let hash = digest::digest(hash, token.as_bytes());
            json!(URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2]))
        };
        bench.claims(&[("at_hash", half("acc-1"))]).unwrap();
        for bad in [half("acc-2"), json!(""), json!(5)] {
            assert!(bench.why(&[("at_hash", bad)]).contains("`at_hash`"), "{algorithm}");
        }
    }
}

#[test]
fn at_hash_of_the_standards_example_is_accepted() {
    // OpenID Connect Core appendix A.3.
    let bench = Bench {
        access_token: Secret::new("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
        ..Bench::new("RS256")
    };
    bench.claims(&[("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ"))]).unwrap();
}

// proves: R7519-4-01
#[test]
fn claims_must_be_one_object_without_duplicates() {
    let bench = Bench::new("ES256");
    for bad in ["[]", "", "{}x", r#"{"iss":"https://h/t","iss":"https://h/t"}"#] {
        let token = bench.token(r#"{"alg":"ES256"}"#, bad);
        assert!(why(bench.verify(&token)).contains("its claims"), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_token_breaks_the_check(header in ".{0,40}", claims in r#"\{("(iss|aud|exp|sub)":[0-9"a-z\[\]{}:,.e-]{0,20},?){0,4}\}"#, tail in ".{0,20}") {
        let bench = Bench::new("EdDSA");
        let tokens = [
            bench.token(&header, &claims),
            bench.token(r#"{"alg":"EdDSA"}"#, &claims),
            format!("{header}.{claims}.{tail}"),
        ];
        for token in tokens {
            prop_assert!(bench.verify(&token).is_err());
        }
    }
}
