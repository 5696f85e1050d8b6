//! The settings of a client.

use std::{ffi::c_char, mem, ptr::NonNull, slice, time::Duration};

use super::{
    entry::{self, Refusal, into_handle, required},
    status::{CLI_AUTH_MISUSE, CLI_AUTH_OK, cli_auth_status},
    text::read,
};
use cli_auth::{Client, ClientAuth, ClientBuilder, Error, host};

/// As the server's metadata says, else `client_secret_basic`.
pub const CLI_AUTH_CLIENT_SECRET_AUTO: i32 = 0;
/// `client_secret_basic`: in an `Authorization: Basic` header (RFC 6749 section 2.3.1).
pub const CLI_AUTH_CLIENT_SECRET_BASIC: i32 = 1;
/// `client_secret_post`: in the body of the request.
pub const CLI_AUTH_CLIENT_SECRET_POST: i32 = 2;

/// The settings of a client.
///
/// Everything is copied. One thread at a time. A setting that is refused is remembered as well: `cli_auth_client_new` fails with
/// the first one, so the statuses of the functions below need not be looked at one by one. Values are checked by
/// `cli_auth_client_new`.
///
/// Free them with `cli_auth_client_options_free`, any time after `cli_auth_client_new`, or use them for another client.
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
        // What is left behind by a refusal is never built.
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

/// A client of WorkOS AuthKit.
///
/// @param client_id The client id of the environment.
/// @return Options, owned by the caller, never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_authkit(
    client_id: *const c_char,
) -> *mut cli_auth_client_options {
    // SAFETY: the caller gives NULL or a text that ends with NUL.
    let client_id = unsafe { read("client_id", client_id) };
    cli_auth_client_options::make(|| Ok(Client::authkit(client_id?)))
}

/// A client of WorkOS Connect.
///
/// @param domain The AuthKit domain: `acme.authkit.app`, or with `https://`.
/// @param client_id The client id of the application.
/// @return Options, owned by the caller, never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_workos_connect(
    domain: *const c_char,
    client_id: *const c_char,
) -> *mut cli_auth_client_options {
    // SAFETY: the caller gives NULLs or texts that end with NUL.
    let (domain, client_id) = unsafe { (read("domain", domain), read("client_id", client_id)) };
    cli_auth_client_options::make(|| Ok(Client::workos_connect(domain?, client_id?)))
}

/// A client of any server that publishes its metadata: RFC 8414, then OpenID Connect Discovery.
///
/// @param issuer The issuer, exactly as the server writes it.
/// @param client_id The client id.
/// @return Options, owned by the caller, never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_for_issuer(
    issuer: *const c_char,
    client_id: *const c_char,
) -> *mut cli_auth_client_options {
    // SAFETY: the caller gives NULLs or texts that end with NUL.
    let (issuer, client_id) = unsafe { (read("issuer", issuer), read("client_id", client_id)) };
    cli_auth_client_options::make(|| Ok(Client::for_issuer(issuer?, client_id?)))
}

/// A client of any other server.
///
/// @param device_authorization_endpoint Where a code is asked for (RFC 8628 section 3.1).
/// @param token_endpoint Where tokens are asked for.
/// @param client_id The client id.
/// @return Options, owned by the caller, never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_with_endpoints(
    device_authorization_endpoint: *const c_char,
    token_endpoint: *const c_char,
    client_id: *const c_char,
) -> *mut cli_auth_client_options {
    // SAFETY: the caller gives NULLs or texts that end with NUL.
    let (device, token, client_id) = unsafe {
        (
            read("device_authorization_endpoint", device_authorization_endpoint),
            read("token_endpoint", token_endpoint),
            read("client_id", client_id),
        )
    };
    cli_auth_client_options::make(|| Ok(Client::with_endpoints(device?, token?, client_id?)))
}

/// AuthKit only: another address of the API than `https://api.workos.com`.
///
/// @param options The options.
/// @param url The address.
/// @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_set_api_base(
    options: Option<&mut cli_auth_client_options>,
    url: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller gives NULL or a text that ends with NUL.
    let url = unsafe { read("url", url) };
    cli_auth_client_options::set(options, |builder| Ok(builder.api_base(url?)))
}

/// Explicit endpoints only: where tokens are revoked (RFC 7009).
///
/// @param options The options.
/// @param url The address.
/// @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_set_revocation_endpoint(
    options: Option<&mut cli_auth_client_options>,
    url: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller gives NULL or a text that ends with NUL.
    let url = unsafe { read("url", url) };
    cli_auth_client_options::set(options, |builder| Ok(builder.revocation_endpoint(url?)))
}

/// One more scope to ask for. AuthKit has none.
///
/// @param options The options.
/// @param scope One scope, such as `offline_access`.
/// @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_add_scope(
    options: Option<&mut cli_auth_client_options>,
    scope: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller gives NULL or a text that ends with NUL.
    let scope = unsafe { read("scope", scope) };
    cli_auth_client_options::set(options, |builder| Ok(builder.scope(scope?)))
}

/// One more parameter of the device authorization request.
///
/// @param options The options.
/// @param name Its name. What the protocol sets itself is refused.
/// @param value Its value.
/// @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_add_param(
    options: Option<&mut cli_auth_client_options>,
    name: *const c_char,
    value: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller gives NULLs or texts that end with NUL.
    let (name, value) = unsafe { (read("name", name), read("value", value)) };
    cli_auth_client_options::set(options, |builder| Ok(builder.param(name?, value?)))
}

/// One more header of every request. Its value counts as a secret.
///
/// @param options The options.
/// @param name Its name.
/// @param value Its value.
/// @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_add_header(
    options: Option<&mut cli_auth_client_options>,
    name: *const c_char,
    value: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller gives NULLs or texts that end with NUL.
    let (name, value) = unsafe { (read("name", name), read("value", value)) };
    cli_auth_client_options::set(options, |builder| Ok(builder.header(name?, value?)))
}

/// Certificates to trust beside those of the system.
///
/// @param options The options.
/// @param pem The content of a PEM file, with one certificate or many.
/// @param length How many bytes it has, at most 4 MiB.
/// @return `CLI_AUTH_OK`, `CLI_AUTH_INVALID_CONFIG` for more, or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_add_ca_pem(
    options: Option<&mut cli_auth_client_options>,
    pem: *const c_char,
    length: usize,
) -> cli_auth_status {
    cli_auth_client_options::set(options, |builder| {
        let pem = required("pem", NonNull::new(pem.cast_mut()))?;
        // First: the length of a file that could not be measured is no length.
        if length > host::MAX_PEM_BYTES {
            return Err(host::invalid_config(
                "the CA certificates cannot be used: they are larger than 4 MiB",
            )
            .into());
        }
        // SAFETY: the caller gives a place with so many bytes; a signed or unsigned char is a byte.
        Ok(builder.ca_pem(unsafe { slice::from_raw_parts(pem.as_ptr().cast::<u8>(), length) }))
    })
}

/// The proxy of every request, instead of the one that the environment names (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`).
///
/// @param options The options.
/// @param url `http://` or `https://`, with a user and password where it wants them.
/// @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_set_proxy(
    options: Option<&mut cli_auth_client_options>,
    url: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller gives NULL or a text that ends with NUL.
    let url = unsafe { read("url", url) };
    cli_auth_client_options::set(options, |builder| Ok(builder.proxy(url?)))
}

/// Who asks: the User-Agent of every request, and the name in the prompt.
///
/// @param options The options.
/// @param product Such as `my-cli` or `my-cli/1.2`.
/// @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_set_product(
    options: Option<&mut cli_auth_client_options>,
    product: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller gives NULL or a text that ends with NUL.
    let product = unsafe { read("product", product) };
    cli_auth_client_options::set(options, |builder| Ok(builder.product(product?)))
}

/// A client secret, for servers that insist on one. A secret in a distributed program is not confidential (RFC 8252 section
/// 8.5).
///
/// @param options The options.
/// @param secret The secret. The copy is overwritten when options and client are freed; the caller's own text is not.
/// @param auth `CLI_AUTH_CLIENT_SECRET_AUTO`, `CLI_AUTH_CLIENT_SECRET_BASIC` or `CLI_AUTH_CLIENT_SECRET_POST`.
/// @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_options_set_client_secret(
    options: Option<&mut cli_auth_client_options>,
    secret: *const c_char,
    auth: i32,
) -> cli_auth_status {
    // SAFETY: the caller gives NULL or a text that ends with NUL.
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

fn set_time(
    options: Option<&mut cli_auth_client_options>,
    seconds: f64,
    name: &str,
    change: fn(ClientBuilder, Duration) -> ClientBuilder,
) -> cli_auth_status {
    cli_auth_client_options::set(options, |builder| Ok(change(builder, host::timeout(name, seconds)?)))
}

/// Timeout for establishing a connection (DNS, TCP and TLS). Defaults to 10 seconds.
///
/// @param options The options.
/// @param seconds More than 0 and at most 24 hours, as for the two limits that follow.
/// @return `CLI_AUTH_OK`, `CLI_AUTH_INVALID_CONFIG` for what is no time, or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_options_set_connect_timeout(
    options: Option<&mut cli_auth_client_options>,
    seconds: f64,
) -> cli_auth_status {
    set_time(options, seconds, "connect timeout", ClientBuilder::connect_timeout)
}

/// How long a server may be silent within a response. Defaults to 15 seconds.
///
/// @param options The options.
/// @param seconds The limit.
/// @return As `cli_auth_client_options_set_connect_timeout`.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_options_set_read_timeout(
    options: Option<&mut cli_auth_client_options>,
    seconds: f64,
) -> cli_auth_status {
    set_time(options, seconds, "read timeout", ClientBuilder::read_timeout)
}

/// How long one request may take in all. Defaults to 25 seconds. A poll that takes longer counts as lost, and the login goes on.
///
/// @param options The options.
/// @param seconds The limit.
/// @return As `cli_auth_client_options_set_connect_timeout`.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_options_set_request_timeout(
    options: Option<&mut cli_auth_client_options>,
    seconds: f64,
) -> cli_auth_status {
    set_time(options, seconds, "request timeout", ClientBuilder::request_timeout)
}

/// How long a whole login may take, from its first step. Without it, the code's lifetime alone decides. Then the login ends
/// with `CLI_AUTH_EXPIRED`; the server is not told.
///
/// @param options The options.
/// @param seconds More than 0.
/// @return As `cli_auth_client_options_set_connect_timeout`.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_options_set_login_timeout(
    options: Option<&mut cli_auth_client_options>,
    seconds: f64,
) -> cli_auth_status {
    set_time(options, seconds, "login timeout", ClientBuilder::login_timeout)
}

/// Allows plain http to this machine (`localhost`, `127.0.0.0/8`, `::1`). **For tests and local development only**: anybody on this
/// machine can listen. http to any other host stays refused.
///
/// @param options The options.
/// @param allow Whether it is allowed. Defaults to false.
/// @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_options_allow_insecure_loopback(
    options: Option<&mut cli_auth_client_options>,
    allow: bool,
) -> cli_auth_status {
    cli_auth_client_options::set(options, |builder| Ok(builder.allow_insecure_loopback(allow)))
}

/// Frees options.
///
/// @param options The options, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_options_free(options: Option<Box<cli_auth_client_options>>) {
    entry::free(options);
}
