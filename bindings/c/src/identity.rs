//! The user who logged in.

use std::{
    collections::BTreeMap,
    ffi::{CString, c_char},
    ptr,
};

use super::{
    entry::{self, Out, write_some},
    text::{self, List, copy, lend},
};
use cli_auth::Identity;

/// The user who logged in, as the server vouches for it. With WorkOS AuthKit, this is the user in the token response.
/// With an OpenID Connect server, it is the verified ID token, or the response of `cli_auth_client_userinfo`. An ID
/// token that was not verified gives no identity.
///
/// It does not change, and several threads may read it at once. What its functions return is borrowed from it and is
/// raw: pass it to `cli_auth_sanitize` before you print it. All its functions accept NULL. An identity that
/// `cli_auth_tokens_identity` or `cli_auth_request_identity` returned is borrowed itself and must not be freed.
pub struct cli_auth_identity {
    identity: Identity,
    subject: CString,
    email: Option<CString>,
    name: Option<CString>,
    organization_id: Option<CString>,
    claim_names: List,
    claims: BTreeMap<String, CString>,
}

impl cli_auth_identity {
    pub(super) fn new(identity: Identity) -> Self {
        let claim = |name: &str| Some((name.to_owned(), copy(identity.claim(name)?)));
        Self {
            subject: copy(identity.subject()),
            email: identity.email().map(copy),
            name: identity.name().map(copy),
            organization_id: identity.organization_id().map(copy),
            claim_names: List::new(identity.claim_names()),
            claims: identity.claim_names().filter_map(claim).collect(),
            identity,
        }
    }
}

/// Returns the id of the user, which never changes: `sub` of OpenID Connect, or the id of AuthKit's user, such as
/// `user_01H...`. It is unique at this server only.
///
/// @param identity The identity. May be NULL.
/// @return The id, borrowed from the identity; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_identity_subject(identity: Option<&cli_auth_identity>) -> *const c_char {
    lend(identity.map(|it| &it.subject))
}

/// Returns the e-mail address. It may change, and may belong to another user later: do not identify the user by it.
///
/// @param identity The identity. May be NULL.
/// @return The address, borrowed from the identity; NULL if the server did not name it, and for NULL. OpenID Connect
/// servers name it only if the scope `email` was requested.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_identity_email(identity: Option<&cli_auth_identity>) -> *const c_char {
    lend(identity.and_then(|it| it.email.as_ref()))
}

/// Reads whether the server has verified that the e-mail address is the user's.
///
/// @param identity The identity. May be NULL.
/// @param[out] verified Whether it has. Written only if the server says so or denies it. May be NULL.
/// @return Whether the server says so or denies it; false for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_identity_email_verified(
    identity: Option<&cli_auth_identity>,
    verified: Out<'_, bool>,
) -> bool {
    write_some(verified, identity.and_then(|it| it.identity.email_verified()))
}

/// Returns the full name.
///
/// @param identity The identity. May be NULL.
/// @return The name, borrowed from the identity; NULL if the server did not name it, and for NULL. OpenID Connect
/// servers name it only if the scope `profile` was requested.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_identity_name(identity: Option<&cli_auth_identity>) -> *const c_char {
    lend(identity.and_then(|it| it.name.as_ref()))
}

/// Returns the id of the organization that the user logged in to: the `organization_id` of AuthKit, or the claim
/// `org_id`.
///
/// @param identity The identity. May be NULL.
/// @return The id, borrowed from the identity; NULL if there is none, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_identity_organization_id(identity: Option<&cli_auth_identity>) -> *const c_char {
    lend(identity.and_then(|it| it.organization_id.as_ref()))
}

/// Returns the names of all claims, or of all members of AuthKit's user, sorted.
///
/// @param identity The identity. May be NULL.
/// @return An array that ends with NULL, borrowed from the identity; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_identity_claim_names(
    identity: Option<&cli_auth_identity>,
) -> *const *const c_char {
    identity.map_or(ptr::null(), |it| it.claim_names.lend())
}

/// Returns any claim, or any member of AuthKit's user, as raw JSON.
///
/// @param identity The identity. May be NULL.
/// @param name The name of the claim. If it is NULL or not UTF-8, the result is NULL.
/// @return The JSON text, borrowed from the identity; NULL if there is no such claim, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_identity_claim(
    identity: Option<&cli_auth_identity>,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: the caller passes NULL or a text that ends with NUL.
    let name = unsafe { text::read("name", name) };
    match (identity, name) {
        (Some(identity), Ok(name)) => lend(identity.claims.get(name)),
        _ => ptr::null(),
    }
}

/// Frees an identity that `cli_auth_client_userinfo` returned.
///
/// @param identity The identity. May be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_identity_free(identity: Option<Box<cli_auth_identity>>) {
    entry::free(identity);
}
