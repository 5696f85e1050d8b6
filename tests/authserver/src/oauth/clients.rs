//! Who may ask, and how a client says who it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::http::request::form_text;
use crate::settings::{AuthMethod, Registration};

/// The clients that a server knows.
#[derive(Debug)]
pub(crate) struct Clients {
    registered: Vec<Registration>,
    /// Any other id is a public first-party client.
    open: bool,
}

impl Clients {
    pub(crate) fn new(registered: Option<Vec<Registration>>) -> Clients {
        let open = registered.is_none();
        let registered = registered.unwrap_or_else(|| {
            let confidential = Some("test secret:+%é".to_owned());
            vec![
                Registration { secret: confidential, ..public("client_confidential") },
                Registration {
                    third_party: true,
                    name: Some("Third-Party Tool".to_owned()),
                    ..public("client_third_party")
                },
                Registration { device_grant: false, ..public("client_disabled") },
            ]
        });
        Clients { registered, open }
    }

    /// The registration of a client id.
    pub(crate) fn get(&self, client_id: &str) -> Option<Registration> {
        let known = self.registered.iter().find(|client| client.client_id == client_id).cloned();
        known.or_else(|| self.open.then(|| public(client_id)))
    }
}

fn public(client_id: &str) -> Registration {
    Registration {
        client_id: client_id.to_owned(),
        secret: None,
        name: None,
        third_party: false,
        device_grant: true,
        auth_methods: None,
    }
}

impl Registration {
    fn accepts(&self, method: AuthMethod) -> bool {
        match (&self.auth_methods, &self.secret) {
            (Some(methods), _) => methods.contains(&method),
            (None, Some(_)) => method != AuthMethod::None,
            (None, None) => method == AuthMethod::None,
        }
    }

    /// What people are shown.
    pub(crate) fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.client_id)
    }
}

/// What a request carried to identify its client.
#[derive(Debug, Default)]
pub(crate) struct Credentials<'a> {
    pub(crate) authorization: Option<&'a str>,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) client_secret: Option<&'a str>,
}

/// Why a client is refused: the violation for the log, if the client broke a rule, and what the client is told.
#[derive(Debug, PartialEq)]
pub(crate) struct Refused {
    pub(crate) violation: Option<String>,
    pub(crate) error: &'static str,
    pub(crate) description: &'static str,
}

impl Refused {
    fn request(violation: &str, description: &'static str) -> Refused {
        Refused { violation: Some(violation.to_owned()), error: "invalid_request", description }
    }

    fn client(violation: Option<&str>, description: &'static str) -> Refused {
        Refused { violation: violation.map(str::to_owned), error: "invalid_client", description }
    }

    /// 401 for a client that could not be authenticated, else 400.
    pub(crate) fn status(&self) -> u16 {
        if self.error == "invalid_client" { 401 } else { 400 }
    }
}

/// Decides who the client is. With `secret_required` a confidential client has to prove it.
pub(crate) fn authenticate(
    clients: &Clients,
    given: &Credentials<'_>,
    secret_required: bool,
) -> Result<Registration, Refused> {
    let basic = given.authorization.map(basic_credentials).transpose()?;
    let client_id = match (&basic, given.client_id) {
        (Some((id, _)), Some(also)) if id != also => {
            return Err(Refused::request("several_client_authentications", "two different client ids"));
        }
        (Some((id, _)), _) => id.as_str(),
        (None, Some(id)) => id,
        (None, None) => {
            return Err(Refused::request("missing_parameter:client_id", "client_id is required"));
        }
    };
    if basic.is_some() && given.client_secret.is_some() {
        let text = "more than one client authentication method";
        return Err(Refused::request("several_client_authentications", text));
    }
    let Some(client) = clients.get(client_id) else {
        return Err(Refused::client(None, "Unknown client"));
    };
    let (method, secret) = match (&basic, given.client_secret) {
        (Some((_, secret)), _) => (AuthMethod::Basic, Some(secret.as_str())),
        (None, Some(secret)) => (AuthMethod::Post, Some(secret)),
        (None, None) => (AuthMethod::None, None),
    };
    match (&client.secret, method) {
        (None, AuthMethod::Basic) => {
            return Err(Refused::client(
                Some("authorization_from_public_client"),
                "a public client must not authenticate",
            ));
        }
        (None, AuthMethod::Post) => {
            return Err(Refused::client(
                Some("secret_from_public_client"),
                "a public client must not authenticate",
            ));
        }
        (Some(_), AuthMethod::None) if secret_required && !client.accepts(AuthMethod::None) => {
            let violation = Some("missing_client_authentication");
            return Err(Refused::client(violation, "client authentication is required"));
        }
        (_, AuthMethod::None) => {}
        (Some(expected), _) if Some(expected.as_str()) != secret => {
            return Err(Refused::client(None, "wrong client secret"));
        }
        (Some(_), method) if !client.accepts(method) => {
            return Err(Refused::client(None, "this client is registered for another authentication method"));
        }
        (Some(_), _) => {}
    }
    Ok(client)
}

/// RFC 6749, section 2.3.1: id and secret are form-encoded, each by itself, before base64.
fn basic_credentials(authorization: &str) -> Result<(String, String), Refused> {
    let malformed = || Refused::client(Some("malformed_authorization"), "malformed Authorization header");
    let (scheme, encoded) = authorization.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| malformed())?;
    let colon = decoded.iter().position(|byte| *byte == b':').ok_or_else(malformed)?;
    let (id, secret) = decoded.split_at(colon);
    let mut well_formed = true;
    let id = form_text(id, &mut well_formed);
    let secret = form_text(secret.get(1..).unwrap_or_default(), &mut well_formed);
    id.zip(secret).filter(|_| well_formed).ok_or_else(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENCODED: &str = "client_confidential:test+secret%3A%2B%25%C3%A9";

    fn clients() -> Clients {
        Clients::new(None)
    }

    fn basic(plain: &str) -> String {
        format!("Basic {}", STANDARD.encode(plain))
    }

    fn violation(given: &Credentials<'_>) -> Option<String> {
        authenticate(&clients(), given, true).err().and_then(|refused| refused.violation)
    }

    #[test]
    fn basic_is_decoded_twice() {
        let header = basic(ENCODED);
        let given = Credentials { authorization: Some(&header), ..Credentials::default() };
        assert_eq!(authenticate(&clients(), &given, true).unwrap().client_id, "client_confidential");
        let unencoded = basic("client_confidential:test secret:+%é");
        let given = Credentials { authorization: Some(&unencoded), ..Credentials::default() };
        assert!(authenticate(&clients(), &given, true).is_err());
    }

    #[test]
    fn one_method_a_request_and_none_from_public_clients() {
        let header = basic(ENCODED);
        let both = Credentials { authorization: Some(&header), client_id: None, client_secret: Some("x") };
        assert_eq!(violation(&both).as_deref(), Some("several_client_authentications"));
        let public = basic("anyone:");
        let public = Credentials { authorization: Some(&public), ..Credentials::default() };
        assert_eq!(violation(&public).as_deref(), Some("authorization_from_public_client"));
        let posted = Credentials { client_id: Some("anyone"), client_secret: Some("x"), authorization: None };
        assert_eq!(violation(&posted).as_deref(), Some("secret_from_public_client"));
        let silent = Credentials { client_id: Some("client_confidential"), ..Credentials::default() };
        assert_eq!(violation(&silent).as_deref(), Some("missing_client_authentication"));
        assert!(authenticate(&clients(), &silent, false).is_ok());
    }

    #[test]
    fn with_registrations_nobody_else_exists() {
        let clients = Clients::new(Some(vec![public("only")]));
        assert!(clients.get("only").is_some());
        assert!(clients.get("other").is_none());
    }
}
