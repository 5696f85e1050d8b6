//! Reads who the user is: from verified claims, or from AuthKit's `user` object.

use super::json::Object;
use crate::{Identity, identity::Fields, secret::Masker};

/// Reads the claims of OpenID Connect, which the caller has verified. `subject` is the `sub` among them. Secrets are
/// masked.
pub(super) fn of_claims(subject: &str, claims: &Object<'_>, masker: &Masker) -> Identity {
    let text = |name: &str| claims.text(name).map(|text| masker.hide(&text));
    Identity::new(Fields {
        subject: masker.hide(subject),
        name: text("name"),
        organization_id: text("org_id"),
        ..common(claims, masker)
    })
}

/// Reads AuthKit's `user` object and the organization beside it. `None` if the user has no id.
pub(super) fn of_user(user: &Object<'_>, organization_id: Option<&str>, masker: &Masker) -> Option<Identity> {
    let text = |name: &str| user.text(name).map(|text| masker.hide(&text)).filter(|text| !text.is_empty());
    let names: Vec<_> = ["first_name", "last_name"].into_iter().filter_map(text).collect();
    Some(Identity::new(Fields {
        subject: text("id")?,
        name: text("name").or_else(|| Some(names.join(" ")).filter(|name| !name.is_empty())),
        organization_id: organization_id.map(|id| masker.hide(id)),
        ..common(user, masker)
    }))
}

/// Reads what both have in common.
fn common(claims: &Object<'_>, masker: &Masker) -> Fields {
    Fields {
        subject: String::new(),
        email: claims.text("email").map(|text| masker.hide(&text)),
        // Some servers quote it.
        email_verified: match claims.raw("email_verified") {
            Some("true" | "\"true\"") => Some(true),
            Some("false" | "\"false\"") => Some(false),
            _ => None,
        },
        name: None,
        organization_id: None,
        claims: claims.members().map(|(name, raw)| (name.to_owned(), masker.hide(raw))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(body: &str) -> Option<Identity> {
        of_user(&Object::parse(body.as_bytes()).unwrap(), Some("org_1"), &Masker::new([]))
    }

    #[test]
    fn the_name_of_a_user_is_put_together_from_its_parts() {
        for (body, name) in [
            (r#"{"id":"u"}"#, None),
            (r#"{"id":"u","first_name":"Ada","last_name":null}"#, Some("Ada")),
            (r#"{"id":"u","first_name":"Ada","last_name":"Example","name":null}"#, Some("Ada Example")),
            (r#"{"id":"u","first_name":"Ada","name":"Countess Ada"}"#, Some("Countess Ada")),
        ] {
            assert_eq!(user(body).unwrap().name(), name, "{body}");
        }
        assert!(user(r#"{"id":""}"#).is_none() && user(r#"{"id":5}"#).is_none());
    }

    #[test]
    fn an_address_is_verified_only_if_the_server_says_so() {
        for (value, verified) in [
            ("true", Some(true)),
            ("\"true\"", Some(true)),
            ("false", Some(false)),
            ("null", None),
            ("1", None),
        ] {
            let body = format!(r#"{{"id":"u","email_verified":{value}}}"#);
            assert_eq!(user(&body).unwrap().email_verified(), verified, "{value}");
        }
    }
}
