//! Logins as a client sees them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing test is meant to panic

mod common;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use common::{DEVICE_GRANT, Process, sleep};
use ring::{digest, signature};
use serde_json::{Value, json};

fn control() -> Process {
    Process::start(&["--control"])
}

#[test]
fn a_person_who_approves_is_logged_in_once() {
    let process = control();
    let server = process.server(json!({"interval": 1}));
    let started = server.start("openid profile email offline_access");
    assert_eq!((&started["interval"], &started["expires_in"]), (&json!(1), &json!(300)));
    sleep(1.0);
    assert_eq!(server.poll(&started).error(), (400, "authorization_pending".to_owned()));
    let code = started["user_code"].as_str().unwrap();
    let (status, answered) =
        server.control("POST", "/answer", &json!({"user_code": code, "decision": "approve"}));
    assert_eq!((status, &answered["state"]), (200, &json!("approved")));
    sleep(1.0);
    let granted = server.poll(&started);
    assert_eq!((granted.status, granted.header("cache-control")), (200, Some("no-store")));
    let tokens = granted.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("bearer"), &json!(300)));
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let userinfo =
        server.target.send("GET", "/oauth2/userinfo", &[("Authorization", &bearer)], b"").unwrap().json();
    assert_eq!((&userinfo["email"], &userinfo["name"]), (&json!("ada@example.test"), &json!("Ada Example")));
    sleep(1.0);
    assert_eq!(server.poll(&started).error(), (400, "invalid_grant".to_owned()));
}

#[test]
fn denial_expiry_and_haste_have_their_errors() {
    let process = control();
    let denied = process.server(json!({"interval": 1, "answer": "deny"}));
    let expired = process.server(json!({"interval": 1, "answer": "approve", "expires_in": 1}));
    let hasty = process.server(json!({"interval": 1}));
    let started: Vec<Value> = [&denied, &expired, &hasty].iter().map(|server| server.start("")).collect();
    assert_eq!(hasty.poll(&started[2]).error(), (400, "slow_down".to_owned()));
    sleep(1.2);
    assert_eq!(denied.poll(&started[0]).error(), (400, "access_denied".to_owned()));
    assert_eq!(expired.poll(&started[1]).error(), (400, "expired_token".to_owned()));
    // The interval is 6 s now, so this is early too.
    assert_eq!(hasty.poll(&started[2]).error(), (400, "slow_down".to_owned()));
    let violations: Vec<Value> =
        hasty.log()["requests"].as_array().unwrap().iter().map(|entry| entry["violations"].clone()).collect();
    assert_eq!(violations, [json!([]), json!(["polled_too_early"]), json!(["polled_too_early"])]);
}

#[test]
fn authkit_answers_as_authkit_does() {
    let process = control();
    let server = process.server(json!({"interval": 1, "answer": "approve"}));
    let json_type = [("Content-Type", "application/json")];
    let body = json!({"client_id": "client_test"}).to_string();
    let path = "/user_management/authorize/device";
    let started = server.target.send("POST", path, &json_type, body.as_bytes()).unwrap().json();
    assert_eq!(started["device_code"].as_str().unwrap().len(), 64);
    sleep(1.0);
    let form = [
        ("grant_type", DEVICE_GRANT),
        ("device_code", started["device_code"].as_str().unwrap()),
        ("client_id", "client_test"),
    ];
    let granted = server.target.post("/user_management/authenticate", &form).json();
    assert!(granted["token_type"].is_null() && granted["expires_in"].is_null());
    assert_eq!(granted["user"]["object"], "user");
    let claims: Value = part(granted["access_token"].as_str().unwrap(), 1);
    let lifetime = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!((lifetime, &claims["sub"]), (300, &granted["user"]["id"]));
    // Within the grace a replay gives the same successor.
    let refresh = |token: &Value| {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.as_str().unwrap()),
            ("client_id", "client_test"),
        ];
        server.target.post("/user_management/authenticate", &form).json()
    };
    let first = refresh(&granted["refresh_token"]);
    assert_ne!(first["refresh_token"], granted["refresh_token"]);
    assert_eq!(refresh(&granted["refresh_token"])["refresh_token"], first["refresh_token"]);
    let disabled = server.target.post(path, &[("client_id", "client_disabled")]);
    assert_eq!(disabled.error(), (403, "access_denied".to_owned()));
}

#[test]
fn a_step_up_has_authkits_second_shape() {
    let process = control();
    let decision = json!({"decision": "step_up", "body": {"extra": 1}});
    let server = process.server(json!({"interval": 1, "answer": decision}));
    let started = server.start("");
    sleep(1.0);
    let refused = server.poll(&started);
    let body = refused.json();
    assert_eq!((refused.status, &body["code"]), (403, &json!("organization_selection_required")));
    assert_eq!((body["organizations"].as_array().unwrap().len(), &body["extra"]), (2, &json!(1)));
    assert!(body["pending_authentication_token"].is_string());
}

#[test]
fn a_replayed_refresh_token_ends_everything() {
    let process = control();
    let server = process.server(json!({"interval": 1, "answer": "approve"}));
    let started = server.start("offline_access");
    sleep(1.0);
    let tokens = server.poll(&started).json();
    let first = tokens["refresh_token"].as_str().unwrap();
    let second = server.refresh(first).json();
    let second = second["refresh_token"].as_str().unwrap();
    assert_ne!(first, second);
    assert_eq!(server.refresh(first).error(), (400, "invalid_grant".to_owned()));
    assert_eq!(server.refresh(second).error(), (400, "invalid_grant".to_owned()));
}

#[test]
fn revoked_tokens_are_dead_and_unknown_ones_are_fine() {
    let process = control();
    let server = process.server(json!({"interval": 1, "answer": "approve"}));
    let started = server.start("openid offline_access");
    sleep(1.0);
    let tokens = server.poll(&started).json();
    let revoke = |token: &str| {
        server.target.post("/oauth2/revoke", &[("token", token), ("client_id", "client_test")]).status
    };
    let userinfo = || {
        let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
        server.target.send("GET", "/oauth2/userinfo", &[("Authorization", &bearer)], b"").unwrap().status
    };
    assert_eq!((revoke("unknown"), userinfo()), (200, 200));
    assert_eq!((revoke(tokens["refresh_token"].as_str().unwrap()), userinfo()), (200, 401));
    assert_eq!(server.refresh(tokens["refresh_token"].as_str().unwrap()).error().1, "invalid_grant");
    let without = process.server(json!({"revocation": false}));
    assert_eq!(without.target.post("/oauth2/revoke", &[("token", "x"), ("client_id", "c")]).status, 404);
    let metadata = without.target.get("/.well-known/oauth-authorization-server").json();
    assert!(metadata["revocation_endpoint"].is_null());
}

#[test]
fn a_secret_opens_introspection_and_logging_out_ends_the_session() {
    let process = control();
    let server = process.server(json!({"interval": 1, "answer": "approve"}));
    let started = server.start("openid");
    sleep(1.0);
    let token = server.poll(&started).json()["access_token"].as_str().unwrap().to_owned();
    let introspect = |secret| {
        let form =
            [("token", token.as_str()), ("client_id", "client_confidential"), ("client_secret", secret)];
        server.target.post("/oauth2/introspection", &form)
    };
    assert_eq!(introspect("wrong").error(), (401, "invalid_client".to_owned()));
    let known = introspect("test secret:+%é").json();
    assert_eq!((&known["active"], &known["client_id"]), (&json!(true), &json!("client_test")));
    let logout = format!("/user_management/sessions/logout?session_id={}", known["sid"].as_str().unwrap());
    let away = server.target.get(&format!("{logout}&return_to=https://elsewhere.example/"));
    assert_eq!(away.header("location"), Some(format!("{}/device", server.target.url).as_str()));
    assert_eq!(introspect("test secret:+%é").json(), json!({"active": false}));
}

#[test]
fn id_tokens_verify_with_the_published_keys() {
    let process = control();
    for alg in ["rs256", "ps256", "es256", "es384", "ed25519"] {
        let server = process.server(json!({"interval": 1, "answer": "approve", "alg": alg}));
        let metadata = server.target.get("/.well-known/openid-configuration").json();
        let started = server.start("openid email");
        sleep(1.0);
        let tokens = server.poll(&started).json();
        let token = tokens["id_token"].as_str().unwrap().to_owned();
        let key = server.target.get("/oauth2/jwks").json()["keys"][0].clone();
        let header: Value = part(&token, 0);
        assert_eq!(
            (&header["kid"], &header["alg"]),
            (&key["kid"], &metadata["id_token_signing_alg_values_supported"][0])
        );
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let member = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let rsa = |parameters| {
            let public = signature::RsaPublicKeyComponents { n: member("n"), e: member("e") };
            public.verify(parameters, signed.as_bytes(), &signature)
        };
        let point = || [vec![4], member("x"), member("y")].concat();
        let other = |algorithm, key| {
            signature::UnparsedPublicKey::<Vec<u8>>::new(algorithm, key).verify(signed.as_bytes(), &signature)
        };
        let verified = match alg {
            "rs256" => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            "ps256" => rsa(&signature::RSA_PSS_2048_8192_SHA256),
            "es256" => other(&signature::ECDSA_P256_SHA256_FIXED, point()),
            "es384" => other(&signature::ECDSA_P384_SHA384_FIXED, point()),
            _ => other(&signature::ED25519, member("x")),
        };
        assert_eq!(verified, Ok(()), "{alg}");
        let claims: Value = part(&token, 1);
        let hash = match alg {
            "es384" => &digest::SHA384,
            "ed25519" => &digest::SHA512,
            _ => &digest::SHA256,
        };
        let hash = digest::digest(hash, tokens["access_token"].as_str().unwrap().as_bytes());
        let left = &hash.as_ref()[..hash.as_ref().len() / 2];
        assert_eq!(claims["at_hash"], URL_SAFE_NO_PAD.encode(left));
        assert_eq!((&claims["iss"], &claims["aud"]), (&metadata["issuer"], &json!("client_test")));
        assert_eq!(claims["email"], "ada@example.test");
    }
}

#[test]
fn id_tokens_and_keys_deviate_as_told() {
    let process = control();
    let settings = json!({
        "interval": 1, "answer": "approve", "issuer_path": "/t", "alg": "es256", "clock_offset": 3600,
        "id_token": {"header": {"kid": "new"}, "claims": {"iss": "{issuer}/", "exp": {"from_now": -60}, "sub": null}},
        "jwks": {"before": [{"kty": "oct"}], "key": {"kid": "new"}},
        "script": {"jwks": [{"merge": {"keys": []}}], "token": ["grant"], "userinfo": [{"merge": {"sub": "x"}}]}
    });
    let server = process.server(settings);
    let form = [("client_id", "client_test"), ("scope", "openid")];
    let started = server.target.post("/t/oauth2/device_authorization", &form).json();
    let form = [
        ("grant_type", DEVICE_GRANT),
        ("device_code", started["device_code"].as_str().unwrap()),
        ("client_id", "client_test"),
    ];
    let tokens = server.target.post("/t/oauth2/token", &form).json();
    let token = tokens["id_token"].as_str().unwrap();
    let claims = part(token, 1);
    assert_eq!(claims["iss"], format!("{}/", server.made["issuer"].as_str().unwrap()));
    assert_eq!(claims["exp"].as_u64(), claims["iat"].as_u64().map(|now| now - 60));
    assert_eq!(claims.get("sub"), None);
    let metadata = server.target.get("/.well-known/oauth-authorization-server/t").json();
    let path =
        |name: &str| metadata[name].as_str().unwrap().strip_prefix(&server.target.url).unwrap().to_owned();
    let kids = || -> Vec<Value> {
        let keys = server.target.get(&path("jwks_uri")).json()["keys"].as_array().unwrap().clone();
        keys.iter().map(|key| key["kid"].clone()).collect()
    };
    assert_eq!((kids(), kids()), (vec![], vec![Value::Null, json!("new")]));
    let userinfo = |authorization: &str| {
        let headers = [("Authorization", authorization)];
        server.target.send("GET", &path("userinfo_endpoint"), &headers, b"").unwrap()
    };
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    assert_eq!(userinfo(&bearer).json()["sub"], "x");
    let refused = userinfo("Bearer wrong");
    let challenge = Some("Bearer error=\"invalid_token\"");
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, challenge));
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn an_issuer_with_a_path_is_found_where_the_standards_say() {
    let process = control();
    let server = process.server(json!({"issuer_path": "/tenant/1", "discovery": "oauth"}));
    let metadata = server.target.get("/.well-known/oauth-authorization-server/tenant/1").json();
    assert_eq!(metadata["issuer"], server.made["issuer"]);
    assert_eq!(metadata["token_endpoint"], format!("{}/tenant/1/oauth2/token", server.target.url));
    assert_eq!(server.target.get("/.well-known/oauth-authorization-server").status, 404);
    assert_eq!(server.target.get("/tenant/1/.well-known/openid-configuration").status, 404);
}

#[test]
fn clients_authenticate_in_one_way_and_requests_keep_the_rules() {
    let process = control();
    let server = process.server(json!({}));
    let path = "/oauth2/device_authorization";
    let secret = "test secret:+%é";
    let encoded = STANDARD.encode("client_confidential:test+secret%3A%2B%25%C3%A9");
    let basic = format!("Basic {encoded}");
    let form_type = ("Content-Type", "application/x-www-form-urlencoded");
    let send = |headers: &[(&str, &str)], body: &str| {
        server.target.send("POST", path, headers, body.as_bytes()).unwrap()
    };
    let authorization = ("Authorization", basic.as_str());
    assert_eq!(send(&[form_type, authorization], "").status, 200);
    let posted = [("client_id", "client_confidential"), ("client_secret", secret)];
    assert_eq!(server.target.post(path, &posted).status, 200);
    assert_eq!(send(&[form_type, authorization], &common::encode(&posted)).status, 400);
    let none = server.target.post(path, &[("client_id", "client_confidential")]);
    assert_eq!(none.error(), (401, "invalid_client".to_owned()));
    assert_eq!(send(&[form_type], "client_id=a&client_id=a").error().1, "invalid_request");
    assert_eq!(
        send(&[("Content-Type", "application/json")], r#"{"client_id":"a"}"#).error().1,
        "invalid_request"
    );
    assert_eq!(server.target.post(&format!("{path}?client_id=a"), &[("client_id", "a")]).status, 400);
    assert_eq!(server.target.get(path).status, 405);
    let log = server.log();
    let violations: Vec<&Value> =
        log["requests"].as_array().unwrap().iter().map(|entry| &entry["violations"]).collect();
    assert_eq!(
        violations,
        [
            &json!([]),
            &json!([]),
            &json!(["several_client_authentications"]),
            &json!(["missing_client_authentication"]),
            &json!(["duplicate_parameter:client_id"]),
            &json!(["content_type"]),
            &json!(["parameter_in_url:client_id"]),
            &json!(["method"]),
        ]
    );
}
