//! The settings of a client.

use std::{ffi::c_char, mem, ptr::NonNull, slice, time::Duration};

use super::{
    entry::{self, Refusal, into_handle, required},
    status::{CLI_AUTH_MISUSE, CLI_AUTH_OK, cli_auth_status},
    text::read,
};
use cli_auth::{Client, ClientAuth, ClientBuilder, Error, Pkce, host};

/// Uses the method that the server's metadata names, otherwise `client_secret_basic`.
pub const CLI_AUTH_CLIENT_SECRET_AUTO: i32 = 0;
/// `client_secret_basic`: sends the secret in an `Authorization: Basic` header (RFC 6749 section 2.3.1).
pub const CLI_AUTH_CLIENT_SECRET_BASIC: i32 = 1;
/// `client_secret_post`: sends the secret in the body of the request.
pub const CLI_AUTH_CLIENT_SECRET_POST: i32 = 2;

/// Uses PKCE if the server's metadata lists the method `S256`, which only a client by issuer reads. If the server then
/// refuses the first request as invalid, it is sent once more without PKCE.
pub const CLI_AUTH_PKCE_AUTO: i32 = 0;
/// Always uses PKCE.
pub const CLI_AUTH_PKCE_ALWAYS: i32 = 1;
/// Never uses PKCE.
pub const CLI_AUTH_PKCE_NEVER: i32 = 2;

/// The settings of a client.
///
/// The functions below copy every argument. Only one thread at a time may use the options. `cli_auth_client_new` checks
/// the values. The options keep the first setting that was refused, and `cli_auth_client_new` then fails with its
/// error, so the caller need not check the status of each function.
///
/// Free the options with `cli_auth_client_options_free`. They may be freed at any time after `cli_auth_client_new`, or
/// used for another client.
pub struct cli_auth_client_options {
    builder: ClientBuilder,
    refused: Option<(cli_auth_status, Error)>,
}

type Change = Result<ClientBuilder, Refusal>;

impl cli_auth_client_options {
    fn make(make: impl FnOnce() -> Change) -> *mut Self {
        entry::value(std::ptr::null_mut(), || {
            let (builder, refused) = match make() {
                Ok(builder) => (builder, None),
                Err(Refusal { status, error }) => (Client::authkit(""), Some((status, error))),
            };
            into_handle(Self { builder, refused })
        })
    }

    fn set(options: Option<&mut Self>, change: impl FnOnce(ClientBuilder) -> Change) -> cli_auth_status {
        let Some(options) = options else { return CLI_AUTH_MISUSE };
        // After a refusal this placeholder stays. It is never built.
        let builder = mem::replace(&mut options.builder, Client::authkit(""));
        match entry::caught(|| change(builder)) {
            Ok(builder) => {
                options.builder = builder;
                CLI_AUTH_OK
            }
            Err(Refusal { status, error }) => {
                options.refused.get_or_insert((status, error));
                status
            }
        }
    }

    pub(super) fn build(&self) -> Result<Client, Refusal> {
        match &self.refused {
            Some((status, error)) => Err(Refusal { status: *status, error: error.clone() }),
            None => Ok(self.builder.clone().build()?),
        }
    }
}

/// Creates the options of a client of WorkOS AuthKit.
///
/// @param client_id The client id of the environment. If it is NULL, `cli_auth_client_new` fails.
/// @return Options, owned by the caller. Never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_authkit(
    client_id: *const c_char,
) -> *mut cli_auth_client_options {
    // SAFETY: the caller passes NULL or a text that ends with NUL.
    let client_id = unsafe { read("client_id", client_id) };
    cli_auth_client_options::make(|| Ok(Client::authkit(client_id?)))
}

/// Creates the options of a client of WorkOS Connect.
///
/// @param domain The AuthKit domain, such as `acme.authkit.app`, with or without `https://`. If it is NULL,
/// `cli_auth_client_new` fails.
/// @param client_id The client id of the application. If it is NULL, `cli_auth_client_new` fails.
/// @return Options, owned by the caller. Never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_workos_connect(
    domain: *const c_char,
    client_id: *const c_char,
) -> *mut cli_auth_client_options {
    // SAFETY: the caller passes NULLs or texts that end with NUL.
    let (domain, client_id) = unsafe { (read("domain", domain), read("client_id", client_id)) };
    cli_auth_client_options::make(|| Ok(Client::workos_connect(domain?, client_id?)))
}

/// Creates the options of a client of any server that publishes its metadata (RFC 8414, then OpenID Connect Discovery).
///
/// @param issuer The issuer, exactly as the server writes it. If it is NULL, `cli_auth_client_new` fails.
/// @param client_id The client id. If it is NULL, `cli_auth_client_new` fails.
/// @return Options, owned by the caller. Never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_for_issuer(
    issuer: *const c_char,
    client_id: *const c_char,
) -> *mut cli_auth_client_options {
    // SAFETY: the caller passes NULLs or texts that end with NUL.
    let (issuer, client_id) = unsafe { (read("issuer", issuer), read("client_id", client_id)) };
    cli_auth_client_options::make(|| Ok(Client::for_issuer(issuer?, client_id?)))
}

/// Creates the options of a client of any server, with explicit endpoints.
///
/// @param device_authorization_endpoint The URL of the device authorization endpoint (RFC 8628 section 3.1). If it is
/// NULL, `cli_auth_client_new` fails.
/// @param token_endpoint The URL of the token endpoint. If it is NULL, `cli_auth_client_new` fails.
/// @param client_id The client id. If it is NULL, `cli_auth_client_new` fails.
/// @return Options, owned by the caller. Never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_with_endpoints(
    device_authorization_endpoint: *const c_char,
    token_endpoint: *const c_char,
    client_id: *const c_char,
) -> *mut cli_auth_client_options {
    // SAFETY: the caller passes NULLs or texts that end with NUL.
    let (device, token, client_id) = unsafe {
        (
            read("device_authorization_endpoint", device_authorization_endpoint),
            read("token_endpoint", token_endpoint),
            read("client_id", client_id),
        )
    };
    cli_auth_client_options::make(|| Ok(Client::with_endpoints(device?, token?, client_id?)))
}

/// Sets the base URL of the WorkOS API. Defaults to `https://api.workos.com`.
///
/// Only for options of `cli_auth_client_options_authkit`. With any other options, `cli_auth_client_new` fails with
/// `CLI_AUTH_INVALID_CONFIG`.
///
/// @param options The options. Must not be NULL.
/// @param url The base URL. Must not be NULL.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_set_api_base(
    options: Option<&mut cli_auth_client_options>,
    url: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a text that ends with NUL.
    let url = unsafe { read("url", url) };
    cli_auth_client_options::set(options, |builder| Ok(builder.api_base(url?)))
}

/// Sets the URL of the device authorization endpoint, for a server whose metadata lacks it. It takes precedence over
/// that of the metadata.
///
/// Only for options of `cli_auth_client_options_for_issuer`. With any other options, `cli_auth_client_new` fails with
/// `CLI_AUTH_INVALID_CONFIG`.
///
/// @param options The options. Must not be NULL.
/// @param url The URL. Must not be NULL.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_set_device_authorization_endpoint(
    options: Option<&mut cli_auth_client_options>,
    url: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a text that ends with NUL.
    let url = unsafe { read("url", url) };
    cli_auth_client_options::set(options, |builder| Ok(builder.device_authorization_endpoint(url?)))
}

/// Sets the URL of the token endpoint, for a server whose metadata lacks it. See
/// `cli_auth_client_options_set_device_authorization_endpoint`.
///
/// @param options The options. Must not be NULL.
/// @param url The URL. Must not be NULL.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_set_token_endpoint(
    options: Option<&mut cli_auth_client_options>,
    url: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a text that ends with NUL.
    let url = unsafe { read("url", url) };
    cli_auth_client_options::set(options, |builder| Ok(builder.token_endpoint(url?)))
}

/// Sets the URL of the revocation endpoint (RFC 7009). It takes precedence over that of the metadata.
///
/// Only for options of `cli_auth_client_options_with_endpoints` and `cli_auth_client_options_for_issuer`. With any
/// other options, `cli_auth_client_new` fails with `CLI_AUTH_INVALID_CONFIG`.
///
/// @param options The options. Must not be NULL.
/// @param url The URL. Must not be NULL.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_set_revocation_endpoint(
    options: Option<&mut cli_auth_client_options>,
    url: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a text that ends with NUL.
    let url = unsafe { read("url", url) };
    cli_auth_client_options::set(options, |builder| Ok(builder.revocation_endpoint(url?)))
}

/// Adds a scope to the device authorization request (RFC 6749 section 3.3). No scope is requested by default. WorkOS
/// AuthKit has no scopes.
///
/// @param options The options. Must not be NULL.
/// @param scope One scope, such as `offline_access`. Must not be NULL.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_add_scope(
    options: Option<&mut cli_auth_client_options>,
    scope: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a text that ends with NUL.
    let scope = unsafe { read("scope", scope) };
    cli_auth_client_options::set(options, |builder| Ok(builder.scope(scope?)))
}

/// Adds a parameter to the device authorization request. Do not use it for secrets.
///
/// @param options The options. Must not be NULL.
/// @param name The name. Must not be NULL. `cli_auth_client_new` refuses names that the protocol sets itself, and any
/// name that is added twice except `resource` (RFC 8707 section 2).
/// @param value The value. Must not be NULL.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_add_param(
    options: Option<&mut cli_auth_client_options>,
    name: *const c_char,
    value: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller passes NULLs or texts that end with NUL.
    let (name, value) = unsafe { (read("name", name), read("value", value)) };
    cli_auth_client_options::set(options, |builder| Ok(builder.param(name?, value?)))
}

/// Adds a parameter to the token request, which is sent at every poll. Do not use it for secrets.
///
/// Some servers require `resource` (RFC 8707 section 2) or `audience` here as well as in the device authorization
/// request.
///
/// @param options The options. Must not be NULL.
/// @param name The name. Must not be NULL. The rules are those of `cli_auth_client_options_add_param`.
/// @param value The value. Must not be NULL.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_add_token_param(
    options: Option<&mut cli_auth_client_options>,
    name: *const c_char,
    value: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller passes NULLs or texts that end with NUL.
    let (name, value) = unsafe { (read("name", name), read("value", value)) };
    cli_auth_client_options::set(options, |builder| Ok(builder.token_param(name?, value?)))
}

/// Adds a parameter to every refresh (RFC 6749 section 6), such as `resource` (RFC 8707 section 2.2). A login does not
/// send it. Do not use it for secrets.
///
/// @param options The options. Must not be NULL.
/// @param name The name. Must not be NULL. The rules are those of `cli_auth_client_options_add_param`.
/// @param value The value. Must not be NULL.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_add_refresh_param(
    options: Option<&mut cli_auth_client_options>,
    name: *const c_char,
    value: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller passes NULLs or texts that end with NUL.
    let (name, value) = unsafe { (read("name", name), read("value", value)) };
    cli_auth_client_options::set(options, |builder| Ok(builder.refresh_param(name?, value?)))
}

/// Sets whether an ID token is verified (OpenID Connect Core section 3.1.3.7). The default is true.
///
/// If it is not, its keys are not fetched, nothing in it is checked, and `cli_auth_tokens_identity` returns NULL.
/// WorkOS AuthKit issues no ID token.
///
/// @param options The options. Must not be NULL.
/// @param verify Whether it is verified.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_options_verify_id_token(
    options: Option<&mut cli_auth_client_options>,
    verify: bool,
) -> cli_auth_status {
    cli_auth_client_options::set(options, |builder| Ok(builder.verify_id_token(verify)))
}

/// Adds a header to every request. Its value is treated as a secret.
///
/// The header is sent to every server that the settings or the metadata name.
///
/// @param options The options. Must not be NULL.
/// @param name The name. Must not be NULL.
/// @param value The value. Must not be NULL.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_add_header(
    options: Option<&mut cli_auth_client_options>,
    name: *const c_char,
    value: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller passes NULLs or texts that end with NUL.
    let (name, value) = unsafe { (read("name", name), read("value", value)) };
    cli_auth_client_options::set(options, |builder| Ok(builder.header(name?, value?)))
}

/// Trusts certificates in addition to those of the operating system. Another call adds more certificates. A server that
/// presents one of these certificates itself is accepted too, for example with a self-signed one.
///
/// @param options The options. Must not be NULL.
/// @param pem The content of a PEM file with at least one certificate. It need not end with NUL. Must not be NULL.
/// @param length The length of `pem` in bytes, at most 4 MiB.
/// @return `CLI_AUTH_OK`, `CLI_AUTH_INVALID_CONFIG` if `length` is larger, or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_add_ca_pem(
    options: Option<&mut cli_auth_client_options>,
    pem: *const c_char,
    length: usize,
) -> cli_auth_status {
    cli_auth_client_options::set(options, |builder| {
        let pem = required("pem", NonNull::new(pem.cast_mut()))?;
        // Checked first: the length may be an error value of the caller's, such as `(size_t)-1`.
        if length > host::MAX_PEM_BYTES {
            return Err(host::invalid_config(
                "the CA certificates cannot be used: they are larger than 4 MiB",
            )
            .into());
        }
        // SAFETY: the caller passes a pointer to that many bytes; a signed or unsigned char is a byte.
        Ok(builder.ca_pem(unsafe { slice::from_raw_parts(pem.as_ptr().cast::<u8>(), length) }))
    })
}

/// Sends every request through a proxy, except requests to this machine. Defaults to the proxy that the environment
/// names (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`).
///
/// @param options The options. Must not be NULL.
/// @param url A URL with the scheme `http`, `https`, `socks5h` or `socks4a` (the proxy resolves names), `socks5` or
/// `socks4` (this machine does), or `socks` (read as `socks5h`). It may contain a user name and a password,
/// percent-encoded, and is treated as a secret. NTLM and Negotiate are not supported. Must not be NULL.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_set_proxy(
    options: Option<&mut cli_auth_client_options>,
    url: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a text that ends with NUL.
    let url = unsafe { read("url", url) };
    cli_auth_client_options::set(options, |builder| Ok(builder.proxy(url?)))
}

/// Sets the name and version of the program: the first part of the User-Agent of every request. The prompt shows the
/// name.
///
/// @param options The options. Must not be NULL.
/// @param product A name with an optional version, such as `my-cli` or `my-cli/1.2`. Must not be NULL.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_set_product(
    options: Option<&mut cli_auth_client_options>,
    product: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a text that ends with NUL.
    let product = unsafe { read("product", product) };
    cli_auth_client_options::set(options, |builder| Ok(builder.product(product?)))
}

/// Sets a client secret, for servers that require one. A secret in a distributed program is not confidential (RFC 8252
/// section 8.5).
///
/// @param options The options. Must not be NULL.
/// @param secret The secret. Must not be NULL. The library overwrites its copy when the options and the client are
/// freed. It does not overwrite the caller's text.
/// @param auth `CLI_AUTH_CLIENT_SECRET_AUTO`, `CLI_AUTH_CLIENT_SECRET_BASIC` or `CLI_AUTH_CLIENT_SECRET_POST`.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_set_client_secret(
    options: Option<&mut cli_auth_client_options>,
    secret: *const c_char,
    auth: i32,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a text that ends with NUL.
    let secret = unsafe { read("secret", secret) };
    cli_auth_client_options::set(options, |builder| {
        let auth = match auth {
            CLI_AUTH_CLIENT_SECRET_AUTO => ClientAuth::Auto,
            CLI_AUTH_CLIENT_SECRET_BASIC => ClientAuth::ClientSecretBasic,
            CLI_AUTH_CLIENT_SECRET_POST => ClientAuth::ClientSecretPost,
            other => {
                return Err(Refusal::misuse(format!(
                    "auth is {other}, which is no CLI_AUTH_CLIENT_SECRET_..."
                )));
            }
        };
        Ok(builder.client_secret(secret?, auth))
    })
}

/// Sets whether a login uses PKCE (RFC 7636), which binds the tokens to the program that began the login.
///
/// @param options The options. Must not be NULL.
/// @param pkce `CLI_AUTH_PKCE_AUTO`, `CLI_AUTH_PKCE_ALWAYS` or `CLI_AUTH_PKCE_NEVER`. Defaults to `CLI_AUTH_PKCE_AUTO`.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_options_set_pkce(
    options: Option<&mut cli_auth_client_options>,
    pkce: i32,
) -> cli_auth_status {
    cli_auth_client_options::set(options, |builder| match pkce {
        CLI_AUTH_PKCE_AUTO => Ok(builder.pkce(Pkce::Auto)),
        CLI_AUTH_PKCE_ALWAYS => Ok(builder.pkce(Pkce::Always)),
        CLI_AUTH_PKCE_NEVER => Ok(builder.pkce(Pkce::Never)),
        other => Err(Refusal::misuse(format!("pkce is {other}, which is no CLI_AUTH_PKCE_..."))),
    })
}

fn set_time(
    options: Option<&mut cli_auth_client_options>,
    seconds: f64,
    name: &str,
    change: fn(ClientBuilder, Duration) -> ClientBuilder,
) -> cli_auth_status {
    cli_auth_client_options::set(options, |builder| Ok(change(builder, host::timeout(name, seconds)?)))
}

/// Sets the timeout for establishing a connection (DNS, TCP and TLS). Defaults to 10 seconds.
///
/// @param options The options. Must not be NULL.
/// @param seconds The timeout in seconds: more than 0 and at most 24 hours. `cli_auth_client_new` checks the range.
/// @return `CLI_AUTH_OK`, `CLI_AUTH_INVALID_CONFIG` if `seconds` is negative, not a number or too large to represent,
/// or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_options_set_connect_timeout(
    options: Option<&mut cli_auth_client_options>,
    seconds: f64,
) -> cli_auth_status {
    set_time(options, seconds, "connect timeout", ClientBuilder::connect_timeout)
}

/// Sets how long a server may send nothing within a response. Defaults to 15 seconds.
///
/// @param options The options. Must not be NULL.
/// @param seconds The timeout in seconds: more than 0 and at most 24 hours. `cli_auth_client_new` checks the range.
/// @return As `cli_auth_client_options_set_connect_timeout`.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_options_set_read_timeout(
    options: Option<&mut cli_auth_client_options>,
    seconds: f64,
) -> cli_auth_status {
    set_time(options, seconds, "read timeout", ClientBuilder::read_timeout)
}

/// Sets the timeout for a whole request. Defaults to 25 seconds. A poll that takes longer counts as lost, and the login
/// continues.
///
/// @param options The options. Must not be NULL.
/// @param seconds The timeout in seconds: more than 0 and at most 24 hours. `cli_auth_client_new` checks the range.
/// @return As `cli_auth_client_options_set_connect_timeout`.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_options_set_request_timeout(
    options: Option<&mut cli_auth_client_options>,
    seconds: f64,
) -> cli_auth_status {
    set_time(options, seconds, "request timeout", ClientBuilder::request_timeout)
}

/// Sets the timeout for a whole login, counted from its first step. The login then ends with `CLI_AUTH_EXPIRED`, and
/// the server is not notified. By default only the lifetime of the code limits a login.
///
/// @param options The options. Must not be NULL.
/// @param seconds The timeout in seconds: more than 0. `cli_auth_client_new` checks the range.
/// @return As `cli_auth_client_options_set_connect_timeout`.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_options_set_login_timeout(
    options: Option<&mut cli_auth_client_options>,
    seconds: f64,
) -> cli_auth_status {
    set_time(options, seconds, "login timeout", ClientBuilder::login_timeout)
}

/// Allows plain http to this machine (`localhost` and every name below it, `127.0.0.0/8`, `::1`). **For tests and local
/// development only**: any user of this machine can listen. Plain http to any other host stays refused.
///
/// @param options The options. Must not be NULL.
/// @param allow Whether plain http is allowed. Defaults to false.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_options_allow_insecure_loopback(
    options: Option<&mut cli_auth_client_options>,
    allow: bool,
) -> cli_auth_status {
    cli_auth_client_options::set(options, |builder| Ok(builder.allow_insecure_loopback(allow)))
}

/// Frees options.
///
/// @param options The options. May be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_options_free(options: Option<Box<cli_auth_client_options>>) {
    entry::free(options);
}
