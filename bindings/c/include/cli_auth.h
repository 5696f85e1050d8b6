/**
 * @file cli_auth.h
 * @brief Signs users in to command-line tools: the OAuth 2.0 Device Authorization Grant (RFC 8628).
 *
 * A client holds the settings for one authorization server. A login is a single login attempt: start it, show its
 * prompt, and poll until the user has decided.
 *
 * @code
 * cli_auth_client_options *options = cli_auth_client_options_authkit("client_123");
 * cli_auth_client *client = cli_auth_client_new(options, &error);
 * cli_auth_login *login = cli_auth_login_new(client, &error);
 * if (login && cli_auth_login_start(login, &prompt, &error) == CLI_AUTH_OK) {
 *     fputs(cli_auth_prompt_text(prompt), stderr);
 *     status = cli_auth_login_poll(login, NULL, NULL, &tokens, &error);
 * }
 * @endcode
 *
 * The following rules apply to every function:
 *
 * - **Results.** A `cli_auth_status` is 0 (`CLI_AUTH_OK`) on success. Outputs are written only on success. An error is
 *   written only on failure, and the pointer for it may be NULL. A function that creates a handle returns NULL on
 *   failure.
 * - **Ownership.** A function that returns a non-const pointer transfers ownership; release it with the matching
 *   `_free`. A `const` pointer is borrowed, and stays valid as long as the handle that it came from. The caller keeps
 *   ownership of arguments. The library copies what it keeps. Every `_free` accepts NULL.
 * - **Texts** are UTF-8 and end with NUL, in both directions.
 * - **Times** are in seconds. As a wait, `INFINITY` means as long as it takes.
 * - **Threads.** The documentation of each type says what several threads may do at once. A handle may be used on any
 *   thread, not only on the one that created it. A `_free` must be the last call with its handle.
 * - **Claims.** One call at a time drives a login. `cli_auth_login_start`, `_poll` and `_step` ensure this themselves.
 *   The functions of the section "Claims" are only for packages of other languages, which wait outside this library
 *   between the steps of one call.
 * - **The process.** The library installs no signal handler and raises no signal, except that a browser's opener causes
 *   SIGCHLD when it exits. Nothing runs in the background except a thread that resolves the server's name, and the
 *   thread that `cli_auth_login_fd` starts. Only `cli_auth_login_poll` calls your code, on the thread that called it.
 *   The first call of a client that sends something, or `cli_auth_login_fd`, reads the environment (proxies, trusted
 *   roots): do not call `setenv` in another thread meanwhile.
 * - **Undefined behaviour,** which the library does not check: using a handle after its `_free`, or as another type;
 *   leaving a call by `longjmp` or a C++ exception, from the callback or from a signal handler; `pthread_cancel` of a
 *   thread in a call, or `pthread_exit` in the callback; a call on a stack of less than 64 KiB; any call except a
 *   `_free` in an `atexit` function or a static destructor.
 * - **Bugs.** A bug in this library returns `CLI_AUTH_INTERNAL` and prints a line on standard error.
 * - **Fork.** A child must not use a login or a request of its parent; such a call returns `CLI_AUTH_FORKED`. A client
 *   works in both processes.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/* Generated from bindings/c/src by `cargo xtask check --write`. Do not edit. */

#ifndef CLI_AUTH_H
#define CLI_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The version of this header, as a text. `cli_auth_version` returns the version of the library. */
#define CLI_AUTH_VERSION "0.1.0"
/** The major version in `CLI_AUTH_VERSION`. */
#define CLI_AUTH_VERSION_MAJOR 0
/** The minor version in `CLI_AUTH_VERSION`. */
#define CLI_AUTH_VERSION_MINOR 1
/** The patch version in `CLI_AUTH_VERSION`. */
#define CLI_AUTH_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @defgroup cli_auth_types Types
 * @{
 */

/**
 * A client of one authorization server. Several threads may use it at once.
 *
 * In a forked child it continues to work, with connections of the child's own. Free it with `cli_auth_client_free`.
 * Logins and requests that were created from it stay usable.
 */
typedef struct cli_auth_client cli_auth_client;

/**
 * The settings of a client.
 *
 * The functions below copy every argument. Only one thread at a time may use the options. `cli_auth_client_new` checks
 * the values. The options keep the first setting that was refused, and `cli_auth_client_new` then fails with its
 * error, so the caller need not check the status of each function.
 *
 * Free the options with `cli_auth_client_options_free`. They may be freed at any time after `cli_auth_client_new`, or
 * used for another client.
 */
typedef struct cli_auth_client_options cli_auth_client_options;

/**
 * Why a call failed.
 *
 * The caller owns it and frees it with `cli_auth_error_free`. It does not change, and several threads may read it at
 * once. What its functions return is borrowed from it. All its functions accept NULL.
 */
typedef struct cli_auth_error cli_auth_error;

/**
 * What a login reports while it waits, for display to the user. The caller need not react to any event. Its texts are
 * sanitised and contain no secret.
 *
 * An event is borrowed. Its owner is the step that it came from, or the library while the callback runs. It does not
 * change, and several threads may read it at once. All its functions accept NULL. Times are in seconds.
 */
typedef struct cli_auth_event cli_auth_event;

/**
 * The user who logged in, as the server vouches for it. With WorkOS AuthKit, this is the user in the token response.
 * With an OpenID Connect server, it is the verified ID token, or the response of `cli_auth_client_userinfo`. An ID
 * token that was not verified gives no identity.
 *
 * It does not change, and several threads may read it at once. What its functions return is borrowed from it and is
 * raw: pass it to `cli_auth_sanitize` before you print it. All its functions accept NULL. An identity that
 * `cli_auth_tokens_identity` or `cli_auth_request_identity` returned is borrowed itself and must not be freed.
 */
typedef struct cli_auth_identity cli_auth_identity;

/**
 * A single login attempt.
 *
 * Several threads may use it, but only one call at a time may drive it: `cli_auth_login_start`, `_poll` or `_step`.
 * While one of them runs, another fails with `CLI_AUTH_BUSY`. In a forked child, a login of the parent fails with
 * `CLI_AUTH_FORKED`. The login of the parent continues.
 *
 * It stays usable when its client is freed. Free it with `cli_auth_login_free`, which ends it.
 */
typedef struct cli_auth_login cli_auth_login;

/**
 * The code and the URL that a user needs to approve a login (RFC 8628 section 3.2).
 *
 * The caller owns it and frees it with `cli_auth_prompt_free`. It does not change, and several threads may use it at
 * once. What its functions return is borrowed from it, unless they say otherwise. All its functions accept NULL.
 */
typedef struct cli_auth_prompt cli_auth_prompt;

/**
 * What a refresh asks for besides new tokens: other scopes, an organization, a resource.
 *
 * The functions below copy every argument. Only one thread at a time may use the options. The options keep the first
 * setting that was refused, and a refresh then fails with its error, so the caller need not check the status of each
 * function. Free the options with `cli_auth_refresh_options_free`, at any time after the call that used them.
 */
typedef struct cli_auth_refresh_options cli_auth_refresh_options;

/**
 * A refresh, a revocation or a userinfo request in progress, for programs that want to cancel it or to wait for it in
 * steps.
 *
 * One thread at a time may step it. Any thread may cancel it. It stays usable when its client is freed. Free it with
 * `cli_auth_request_free`, which ends it.
 */
typedef struct cli_auth_request cli_auth_request;

/**
 * The result of one `cli_auth_login_step`.
 *
 * The caller owns it and frees it with `cli_auth_step_free`. It does not change, and several threads may read it at
 * once. All its functions accept NULL.
 */
typedef struct cli_auth_step cli_auth_step;

/**
 * The tokens that the server issued (RFC 6749 section 5.1).
 *
 * The access token is for its API. This library does not look into it.
 *
 * The caller owns them and frees them with `cli_auth_tokens_free`, which overwrites the secrets that were exposed.
 * They do not change, and several threads may read them at once. What their functions return is borrowed from them.
 * All their functions accept NULL.
 */
typedef struct cli_auth_tokens cli_auth_tokens;

/**
 * The result of a call: `CLI_AUTH_OK`, or what the caller should do next. Statuses are only ever added. Treat a status
 * that you do not know as `CLI_AUTH_INTERNAL`.
 */
typedef int32_t cli_auth_status;

/**
 * A function that receives the events of a login. It runs on the thread that called `cli_auth_login_poll`, and no lock
 * is held meanwhile.
 *
 * It may cancel the login. A call that would drive the login fails with `CLI_AUTH_BUSY`. It must not free the login.
 * It must not leave by `longjmp` or a C++ exception, which is undefined behaviour.
 *
 * @param user_data The pointer that was passed to `cli_auth_login_poll`.
 * @param event The event, borrowed until the callback returns.
 */
typedef void (*cli_auth_event_callback)(void *user_data, const cli_auth_event *event);

/** @} */

/**
 * @defgroup cli_auth_version Version
 * @{
 */

/**
 * The version of the C interface. It is also the version number of the shared library (`libcli_auth.so.0`). It
 * increases when something is removed or changed. Additions do not change it.
 */
#define CLI_AUTH_ABI_VERSION 0

/**
 * Returns the version of the library that is loaded, such as `0.1.0`. `CLI_AUTH_VERSION` is the version that the
 * program was compiled with.
 *
 * @return The version. It stays valid as long as the program runs.
 */
const char *cli_auth_version(void);

/**
 * Returns the version of the C interface of the library that is loaded. A program that loads the library with `dlopen`
 * must check that it equals `CLI_AUTH_ABI_VERSION`.
 *
 * @return The version of the interface.
 */
uint32_t cli_auth_abi_version(void);

/** @} */

/**
 * @defgroup cli_auth_status Statuses
 * @{
 */

/**
 * The call succeeded.
 */
#define CLI_AUTH_OK 0

/**
 * The user denied the request. Do not start another login unless the user asks for one.
 */
#define CLI_AUTH_DENIED 1

/**
 * The code expired, or the login timeout of the client passed. Start another login when the user asks for one.
 */
#define CLI_AUTH_EXPIRED 2

/**
 * `cli_auth_login_cancel` or `cli_auth_request_cancel` was called.
 */
#define CLI_AUTH_CANCELLED 3

/**
 * The server requires a step that only the user can take in a browser, such as choosing an organization or enrolling a
 * second factor.
 */
#define CLI_AUTH_ACTION_REQUIRED 4

/**
 * The server refuses this client or this request, for example because the client id is wrong or the device flow is not
 * enabled. Repeating the request does not help.
 */
#define CLI_AUTH_REJECTED 5

/**
 * The server does not support the operation.
 */
#define CLI_AUTH_UNSUPPORTED 6

/**
 * The server could not be reached, or reported that it cannot respond now. Try again later.
 */
#define CLI_AUTH_NETWORK 7

/**
 * No secure connection could be established: the server's certificate was refused, the TLS handshake failed, or this
 * machine has no trusted roots. Check the clock, the host name and the trusted roots.
 */
#define CLI_AUTH_TLS 8

/**
 * The server sent a response that the standards do not allow. Nothing in it was used.
 */
#define CLI_AUTH_INVALID_RESPONSE 9

/**
 * A setting of the client is invalid. Nothing was sent.
 */
#define CLI_AUTH_INVALID_CONFIG 10

/**
 * The process was forked after this login or request was created. Create a new one in the child.
 */
#define CLI_AUTH_FORKED 11

/**
 * Another call is driving this login or request. It may be the call whose callback is running.
 */
#define CLI_AUTH_BUSY 12

/**
 * A bug in this library, or a lack of system resources. (A lack of memory ends the process.)
 */
#define CLI_AUTH_INTERNAL 13

/**
 * The call is invalid: it was made out of order, an argument is NULL that must not be, a text is not UTF-8, or a
 * constant does not exist. Nothing was done.
 */
#define CLI_AUTH_MISUSE 14

/**
 * The refresh token is no longer valid: it was used, has expired or was revoked. The user must log in again.
 */
#define CLI_AUTH_LOGIN_REQUIRED 15

/**
 * The proxy cannot be used: its setting is invalid, it could not be reached, or it refused the connection. Check the
 * setting.
 */
#define CLI_AUTH_PROXY 16

/**
 * A session could not be read or written. No function of this version returns it.
 */
#define CLI_AUTH_STORE 17

/**
 * Returns the name of a status in snake_case, such as `ok`, `denied` or `action_required`. The names are the same in
 * every language.
 *
 * @param status Any number.
 * @return The name, or `unknown` for a status that this version does not have. It stays valid as long as the program
 * runs.
 */
const char *cli_auth_status_name(cli_auth_status status);

/** @} */

/**
 * @defgroup cli_auth_options Client options
 * @{
 */

/**
 * Uses the method that the server's metadata names, otherwise `client_secret_basic`.
 */
#define CLI_AUTH_CLIENT_SECRET_AUTO 0

/**
 * `client_secret_basic`: sends the secret in an `Authorization: Basic` header (RFC 6749 section 2.3.1).
 */
#define CLI_AUTH_CLIENT_SECRET_BASIC 1

/**
 * `client_secret_post`: sends the secret in the body of the request.
 */
#define CLI_AUTH_CLIENT_SECRET_POST 2

/**
 * Uses PKCE if the server's metadata lists the method `S256`, which only a client by issuer reads. If the server then
 * refuses the first request as invalid, it is sent once more without PKCE.
 */
#define CLI_AUTH_PKCE_AUTO 0

/**
 * Always uses PKCE.
 */
#define CLI_AUTH_PKCE_ALWAYS 1

/**
 * Never uses PKCE.
 */
#define CLI_AUTH_PKCE_NEVER 2

/**
 * Creates the options of a client of WorkOS AuthKit.
 *
 * @param client_id The client id of the environment. If it is NULL, `cli_auth_client_new` fails.
 * @return Options, owned by the caller. Never NULL.
 */
cli_auth_client_options *cli_auth_client_options_authkit(const char *client_id);

/**
 * Creates the options of a client of WorkOS Connect.
 *
 * @param domain The AuthKit domain, such as `acme.authkit.app`, with or without `https://`. If it is NULL,
 * `cli_auth_client_new` fails.
 * @param client_id The client id of the application. If it is NULL, `cli_auth_client_new` fails.
 * @return Options, owned by the caller. Never NULL.
 */
cli_auth_client_options *cli_auth_client_options_workos_connect(const char *domain, const char *client_id);

/**
 * Creates the options of a client of any server that publishes its metadata (RFC 8414, then OpenID Connect Discovery).
 *
 * @param issuer The issuer, exactly as the server writes it. If it is NULL, `cli_auth_client_new` fails.
 * @param client_id The client id. If it is NULL, `cli_auth_client_new` fails.
 * @return Options, owned by the caller. Never NULL.
 */
cli_auth_client_options *cli_auth_client_options_for_issuer(const char *issuer,
                                                            const char *client_id);

/**
 * Creates the options of a client of any server, with explicit endpoints.
 *
 * @param device_authorization_endpoint The URL of the device authorization endpoint (RFC 8628 section 3.1). If it is
 * NULL, `cli_auth_client_new` fails.
 * @param token_endpoint The URL of the token endpoint. If it is NULL, `cli_auth_client_new` fails.
 * @param client_id The client id. If it is NULL, `cli_auth_client_new` fails.
 * @return Options, owned by the caller. Never NULL.
 */
cli_auth_client_options *cli_auth_client_options_with_endpoints(const char *device_authorization_endpoint,
                                                                const char *token_endpoint,
                                                                const char *client_id);

/**
 * Sets the base URL of the WorkOS API. Defaults to `https://api.workos.com`.
 *
 * Only for options of `cli_auth_client_options_authkit`. With any other options, `cli_auth_client_new` fails with
 * `CLI_AUTH_INVALID_CONFIG`.
 *
 * @param options The options. Must not be NULL.
 * @param url The base URL. Must not be NULL.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_set_api_base(cli_auth_client_options *options,
                                                     const char *url);

/**
 * Sets the URL of the device authorization endpoint, for a server whose metadata lacks it. It takes precedence over
 * that of the metadata.
 *
 * Only for options of `cli_auth_client_options_for_issuer`. With any other options, `cli_auth_client_new` fails with
 * `CLI_AUTH_INVALID_CONFIG`.
 *
 * @param options The options. Must not be NULL.
 * @param url The URL. Must not be NULL.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_set_device_authorization_endpoint(cli_auth_client_options *options,
                                                                          const char *url);

/**
 * Sets the URL of the token endpoint, for a server whose metadata lacks it. See
 * `cli_auth_client_options_set_device_authorization_endpoint`.
 *
 * @param options The options. Must not be NULL.
 * @param url The URL. Must not be NULL.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_set_token_endpoint(cli_auth_client_options *options, const char *url);

/**
 * Sets the URL of the revocation endpoint (RFC 7009). It takes precedence over that of the metadata.
 *
 * Only for options of `cli_auth_client_options_with_endpoints` and `cli_auth_client_options_for_issuer`. With any
 * other options, `cli_auth_client_new` fails with `CLI_AUTH_INVALID_CONFIG`.
 *
 * @param options The options. Must not be NULL.
 * @param url The URL. Must not be NULL.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_set_revocation_endpoint(cli_auth_client_options *options,
                                                                const char *url);

/**
 * Adds a scope to the device authorization request (RFC 6749 section 3.3). No scope is requested by default. WorkOS
 * AuthKit has no scopes.
 *
 * @param options The options. Must not be NULL.
 * @param scope One scope, such as `offline_access`. Must not be NULL.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_add_scope(cli_auth_client_options *options,
                                                  const char *scope);

/**
 * Adds a parameter to the device authorization request. Do not use it for secrets.
 *
 * @param options The options. Must not be NULL.
 * @param name The name. Must not be NULL. `cli_auth_client_new` refuses names that the protocol sets itself, and any
 * name that is added twice except `resource` (RFC 8707 section 2).
 * @param value The value. Must not be NULL.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_add_param(cli_auth_client_options *options,
                                                  const char *name,
                                                  const char *value);

/**
 * Adds a parameter to the token request, which is sent at every poll. Do not use it for secrets.
 *
 * Some servers require `resource` (RFC 8707 section 2) or `audience` here as well as in the device authorization
 * request.
 *
 * @param options The options. Must not be NULL.
 * @param name The name. Must not be NULL. The rules are those of `cli_auth_client_options_add_param`.
 * @param value The value. Must not be NULL.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_add_token_param(cli_auth_client_options *options,
                                                        const char *name,
                                                        const char *value);

/**
 * Adds a parameter to every refresh (RFC 6749 section 6), such as `resource` (RFC 8707 section 2.2). A login does not
 * send it. Do not use it for secrets.
 *
 * @param options The options. Must not be NULL.
 * @param name The name. Must not be NULL. The rules are those of `cli_auth_client_options_add_param`.
 * @param value The value. Must not be NULL.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_add_refresh_param(cli_auth_client_options *options,
                                                          const char *name,
                                                          const char *value);

/**
 * Sets whether an ID token is verified (OpenID Connect Core section 3.1.3.7). The default is true.
 *
 * If it is not, its keys are not fetched, nothing in it is checked, and `cli_auth_tokens_identity` returns NULL.
 * WorkOS AuthKit issues no ID token.
 *
 * @param options The options. Must not be NULL.
 * @param verify Whether it is verified.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_verify_id_token(cli_auth_client_options *options,
                                                        bool verify);

/**
 * Adds a header to every request. Its value is treated as a secret.
 *
 * The header is sent to every server that the settings or the metadata name.
 *
 * @param options The options. Must not be NULL.
 * @param name The name. Must not be NULL.
 * @param value The value. Must not be NULL.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_add_header(cli_auth_client_options *options,
                                                   const char *name,
                                                   const char *value);

/**
 * Trusts certificates in addition to those of the operating system. Another call adds more certificates. A server that
 * presents one of these certificates itself is accepted too, for example with a self-signed one.
 *
 * @param options The options. Must not be NULL.
 * @param pem The content of a PEM file with at least one certificate. It need not end with NUL. Must not be NULL.
 * @param length The length of `pem` in bytes, at most 4 MiB.
 * @return `CLI_AUTH_OK`, `CLI_AUTH_INVALID_CONFIG` if `length` is larger, or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_add_ca_pem(cli_auth_client_options *options,
                                                   const char *pem,
                                                   size_t length);

/**
 * Sends every request through a proxy, except requests to this machine. Defaults to the proxy that the environment
 * names (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`).
 *
 * @param options The options. Must not be NULL.
 * @param url A URL with the scheme `http`, `https`, `socks5h` or `socks4a` (the proxy resolves names), `socks5` or
 * `socks4` (this machine does), or `socks` (read as `socks5h`). It may contain a user name and a password,
 * percent-encoded, and is treated as a secret. NTLM and Negotiate are not supported. Must not be NULL.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_set_proxy(cli_auth_client_options *options,
                                                  const char *url);

/**
 * Sets the name and version of the program: the first part of the User-Agent of every request. The prompt shows the
 * name.
 *
 * @param options The options. Must not be NULL.
 * @param product A name with an optional version, such as `my-cli` or `my-cli/1.2`. Must not be NULL.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_set_product(cli_auth_client_options *options,
                                                    const char *product);

/**
 * Sets a client secret, for servers that require one. A secret in a distributed program is not confidential (RFC 8252
 * section 8.5).
 *
 * @param options The options. Must not be NULL.
 * @param secret The secret. Must not be NULL. The library overwrites its copy when the options and the client are
 * freed. It does not overwrite the caller's text.
 * @param auth `CLI_AUTH_CLIENT_SECRET_AUTO`, `CLI_AUTH_CLIENT_SECRET_BASIC` or `CLI_AUTH_CLIENT_SECRET_POST`.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_set_client_secret(cli_auth_client_options *options,
                                                          const char *secret,
                                                          int32_t auth);

/**
 * Sets whether a login uses PKCE (RFC 7636), which binds the tokens to the program that began the login.
 *
 * @param options The options. Must not be NULL.
 * @param pkce `CLI_AUTH_PKCE_AUTO`, `CLI_AUTH_PKCE_ALWAYS` or `CLI_AUTH_PKCE_NEVER`. Defaults to `CLI_AUTH_PKCE_AUTO`.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_set_pkce(cli_auth_client_options *options,
                                                 int32_t pkce);

/**
 * Sets the timeout for establishing a connection (DNS, TCP and TLS). Defaults to 10 seconds.
 *
 * @param options The options. Must not be NULL.
 * @param seconds The timeout in seconds: more than 0 and at most 24 hours. `cli_auth_client_new` checks the range.
 * @return `CLI_AUTH_OK`, `CLI_AUTH_INVALID_CONFIG` if `seconds` is negative, not a number or too large to represent,
 * or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_set_connect_timeout(cli_auth_client_options *options,
                                                            double seconds);

/**
 * Sets how long a server may send nothing within a response. Defaults to 15 seconds.
 *
 * @param options The options. Must not be NULL.
 * @param seconds The timeout in seconds: more than 0 and at most 24 hours. `cli_auth_client_new` checks the range.
 * @return As `cli_auth_client_options_set_connect_timeout`.
 */
cli_auth_status cli_auth_client_options_set_read_timeout(cli_auth_client_options *options,
                                                         double seconds);

/**
 * Sets the timeout for a whole request. Defaults to 25 seconds. A poll that takes longer counts as lost, and the login
 * continues.
 *
 * @param options The options. Must not be NULL.
 * @param seconds The timeout in seconds: more than 0 and at most 24 hours. `cli_auth_client_new` checks the range.
 * @return As `cli_auth_client_options_set_connect_timeout`.
 */
cli_auth_status cli_auth_client_options_set_request_timeout(cli_auth_client_options *options,
                                                            double seconds);

/**
 * Sets the timeout for a whole login, counted from its first step. The login then ends with `CLI_AUTH_EXPIRED`, and
 * the server is not notified. By default only the lifetime of the code limits a login.
 *
 * @param options The options. Must not be NULL.
 * @param seconds The timeout in seconds: more than 0. `cli_auth_client_new` checks the range.
 * @return As `cli_auth_client_options_set_connect_timeout`.
 */
cli_auth_status cli_auth_client_options_set_login_timeout(cli_auth_client_options *options,
                                                          double seconds);

/**
 * Allows plain http to this machine (`localhost` and every name below it, `127.0.0.0/8`, `::1`). **For tests and local
 * development only**: any user of this machine can listen. Plain http to any other host stays refused.
 *
 * @param options The options. Must not be NULL.
 * @param allow Whether plain http is allowed. Defaults to false.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_allow_insecure_loopback(cli_auth_client_options *options,
                                                                bool allow);

/**
 * Frees options.
 *
 * @param options The options. May be NULL.
 */
void cli_auth_client_options_free(cli_auth_client_options *options);

/** @} */

/**
 * @defgroup cli_auth_client Clients
 * @{
 */

/**
 * Creates a client. Checks every setting and sends nothing.
 *
 * @param options The settings. Must not be NULL. The caller keeps ownership.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return A client, owned by the caller; free it with `cli_auth_client_free`. NULL on failure.
 */
cli_auth_client *cli_auth_client_new(const cli_auth_client_options *options, cli_auth_error **error);

/**
 * Exchanges a refresh token for new tokens (RFC 6749 section 6). Sends one request, after discovery where that is
 * needed, and never repeats it. If the response has an ID token, it is verified, for which the keys of the server may
 * have to be fetched.
 *
 * Blocks until there is a response. The client's timeouts apply to each request. To be able to end the request, use
 * `cli_auth_client_begin_refresh` instead. May be called from any thread.
 *
 * Many servers, including WorkOS, invalidate the refresh token that was sent. Store the new one before you do anything
 * else. Never refresh the same token from two processes at once.
 *
 * @param client The client. Must not be NULL.
 * @param refresh_token The refresh token. Must not be NULL. An empty one returns `CLI_AUTH_INVALID_CONFIG`.
 * @param options What else to ask for. May be NULL. The caller keeps ownership.
 * @param[out] tokens The new tokens. Written only on success; owned by the caller. Must not be NULL.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK`, or what to do next. After `CLI_AUTH_LOGIN_REQUIRED` the token is no longer valid: log in
 * again. After `CLI_AUTH_NETWORK`, keep the token and try again; it may have been used if the response was lost. After
 * `CLI_AUTH_ACTION_REQUIRED`, log in again in the browser. After `CLI_AUTH_INVALID_RESPONSE`, the ID token was refused
 * or is for another user, and the refresh token has probably been used.
 */
cli_auth_status cli_auth_client_refresh(cli_auth_client *client,
                                        const char *refresh_token,
                                        const cli_auth_refresh_options *options,
                                        cli_auth_tokens **tokens,
                                        cli_auth_error **error);

/**
 * Revokes a token (RFC 7009). Sends one request, after discovery where that is needed.
 *
 * Blocks in the same way as `cli_auth_client_refresh`. May be called from any thread.
 *
 * Revoke the refresh token: servers then revoke its access tokens too. A token that the server does not know counts as
 * revoked.
 *
 * @param client The client. Must not be NULL.
 * @param token The token. Must not be NULL. An empty one returns `CLI_AUTH_INVALID_CONFIG`.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK`, or what to do next. `CLI_AUTH_UNSUPPORTED` means that the server has no revocation endpoint
 * (WorkOS has none) or cannot revoke this kind of token. After `CLI_AUTH_NETWORK` the token may still be valid.
 */
cli_auth_status cli_auth_client_revoke(cli_auth_client *client,
                                       const char *token,
                                       cli_auth_error **error);

/**
 * Begins a refresh as `cli_auth_client_refresh` does it, without waiting for the response. `cli_auth_request_step`
 * drives the request, and so does any other call of this client that waits for the server. May be called from any
 * thread.
 *
 * @param client The client. Must not be NULL.
 * @param refresh_token The refresh token. Must not be NULL or empty.
 * @param options What else to ask for. May be NULL. The caller keeps ownership.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return A request, owned by the caller; free it with `cli_auth_request_free`. NULL on failure.
 */
cli_auth_request *cli_auth_client_begin_refresh(cli_auth_client *client,
                                                const char *refresh_token,
                                                const cli_auth_refresh_options *options,
                                                cli_auth_error **error);

/**
 * Begins a revocation as `cli_auth_client_revoke` does it, without waiting for the response. See
 * `cli_auth_client_begin_refresh`.
 *
 * @param client The client. Must not be NULL.
 * @param token The token. Must not be NULL or empty.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return A request, owned by the caller; free it with `cli_auth_request_free`. NULL on failure.
 */
cli_auth_request *cli_auth_client_begin_revoke(cli_auth_client *client,
                                               const char *token,
                                               cli_auth_error **error);

/**
 * Asks the server who the user of an access token is (OpenID Connect Core section 5.3). Sends one request, after
 * discovery where that is needed.
 *
 * Blocks in the same way as `cli_auth_client_refresh`. May be called from any thread. The access token must have been
 * issued for the scope `openid`.
 *
 * @param client The client. Must not be NULL.
 * @param access_token The access token. Must not be NULL. An empty one returns `CLI_AUTH_INVALID_CONFIG`.
 * @param subject The `cli_auth_identity_subject` of the login. A response about another user returns
 * `CLI_AUTH_INVALID_RESPONSE`. May be NULL if it is not known.
 * @param[out] identity The user. Written only on success; owned by the caller, who frees it with
 * `cli_auth_identity_free`. Must not be NULL.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK`, or what to do next. `CLI_AUTH_UNSUPPORTED` means that the server has no userinfo endpoint, or
 * that it is not known, as with WorkOS AuthKit and explicit endpoints. After `CLI_AUTH_REJECTED` the server does not
 * accept the access token.
 */
cli_auth_status cli_auth_client_userinfo(cli_auth_client *client,
                                         const char *access_token,
                                         const char *subject,
                                         cli_auth_identity **identity,
                                         cli_auth_error **error);

/**
 * Begins a userinfo request as `cli_auth_client_userinfo` does it, without waiting for the response. See
 * `cli_auth_client_begin_refresh`. `cli_auth_request_identity` returns the user after the last step.
 *
 * @param client The client. Must not be NULL.
 * @param access_token The access token. Must not be NULL or empty.
 * @param subject The `cli_auth_identity_subject` of the login. May be NULL if it is not known.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return A request, owned by the caller; free it with `cli_auth_request_free`. NULL on failure.
 */
cli_auth_request *cli_auth_client_begin_userinfo(cli_auth_client *client,
                                                 const char *access_token,
                                                 const char *subject,
                                                 cli_auth_error **error);

/**
 * Frees a client. Must not be called while another thread is in a call with the client.
 *
 * @param client The client. May be NULL.
 */
void cli_auth_client_free(cli_auth_client *client);

/** @} */

/**
 * @defgroup cli_auth_refresh_options Refresh options
 * @{
 */

/**
 * Creates options that ask for nothing else.
 *
 * @return The options, owned by the caller; free them with `cli_auth_refresh_options_free`.
 */
cli_auth_refresh_options *cli_auth_refresh_options_new(void);

/**
 * Asks for an access token with this scope, and with those of other calls, only. The user must have granted it (RFC
 * 6749 section 6). Without any call, the new token has all scopes that were granted.
 *
 * @param options The options. Must not be NULL.
 * @param scope One scope. Must not be NULL.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_refresh_options_add_scope(cli_auth_refresh_options *options,
                                                   const char *scope);

/**
 * Adds a parameter to the request, such as `resource` (RFC 8707 section 2.2) or the `organization_id` of WorkOS. It
 * replaces those of `cli_auth_client_options_add_refresh_param` with the same name. Do not use it for secrets.
 *
 * @param options The options. Must not be NULL.
 * @param name The name. Must not be NULL. The rules are those of `cli_auth_client_options_add_param`.
 * @param value The value. Must not be NULL.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_refresh_options_add_param(cli_auth_refresh_options *options,
                                                   const char *name,
                                                   const char *value);

/**
 * Sets the user that the tokens must be for: the `cli_auth_identity_subject` of the login. If the response identifies
 * another user, the refresh returns `CLI_AUTH_INVALID_RESPONSE` (OpenID Connect Core section 12.2).
 *
 * @param options The options. Must not be NULL.
 * @param subject The id of the user. Must not be NULL.
 * @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_refresh_options_set_subject(cli_auth_refresh_options *options,
                                                     const char *subject);

/**
 * Frees options.
 *
 * @param options The options. May be NULL.
 */
void cli_auth_refresh_options_free(cli_auth_refresh_options *options);

/** @} */

/**
 * @defgroup cli_auth_login Logins
 * @{
 */

/**
 * Creates a login. Does no I/O. May be called from any thread.
 *
 * @param client The client. Must not be NULL. The caller keeps ownership and may free it before the login.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return A login, owned by the caller; free it with `cli_auth_login_free`. NULL on failure.
 */
cli_auth_login *cli_auth_login_new(cli_auth_client *client, cli_auth_error **error);

/**
 * Requests a code from the server: discovery where that is needed, then one request, or a second one without PKCE if
 * the server refuses PKCE.
 *
 * Blocks until there is a response. The client's timeouts apply to each request. Nothing is retried, because a user is
 * waiting. Another call returns the same prompt, or the error of a login that has failed: it cannot be restarted.
 *
 * @param login The login. Must not be NULL.
 * @param[out] prompt The prompt to show to the user. Written only on success; owned by the caller. Must not be NULL.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK`, or what to do next. After `CLI_AUTH_NETWORK`, try again later with a new login.
 */
cli_auth_status cli_auth_login_start(cli_auth_login *login,
                                     cli_auth_prompt **prompt,
                                     cli_auth_error **error);

/**
 * Waits for the user's decision. Blocks until the login ends. Transport failures are not errors: they are reported as
 * `CLI_AUTH_EVENT_RETRYING`, and the login continues.
 *
 * It returns early when another thread, the callback or a signal handler calls `cli_auth_login_cancel` (see there). A
 * signal alone does not end it.
 *
 * @param login The login. Must not be NULL. Before `cli_auth_login_start` the status is `CLI_AUTH_MISUSE`, because the
 * user has not seen the code.
 * @param on_event The function that is called with every event. May be NULL.
 * @param user_data A pointer that is passed to `on_event`. May be NULL.
 * @param[out] tokens The tokens. Written only on success, just before the call returns; owned by the caller. Must not
 * be NULL.
 * @param[out] error The error. Written only on failure, just before the call returns; owned by the caller. May be
 * NULL.
 * @return `CLI_AUTH_OK`, or what to do next. Every program should handle `CLI_AUTH_DENIED`, `CLI_AUTH_EXPIRED`,
 * `CLI_AUTH_CANCELLED` and `CLI_AUTH_ACTION_REQUIRED`. Another call returns the same outcome.
 */
cli_auth_status cli_auth_login_poll(cli_auth_login *login,
                                    cli_auth_event_callback on_event,
                                    void *user_data,
                                    cli_auth_tokens **tokens,
                                    cli_auth_error **error);

/**
 * Drives a login for a limited time. `cli_auth_login_start` and `cli_auth_login_poll` are built on it. Use it in
 * programs with an event loop of their own, with `cli_auth_login_fd`.
 *
 * A request that is in progress when the time is up continues: a later step returns its response, and the request is
 * never sent again. After the login has ended, every step returns the same outcome.
 *
 * @param login The login. Must not be NULL.
 * @param max_wait The longest wait in seconds. 0 or less does not wait for the network; INFINITY waits as long as it
 * takes. Two steps may block for longer: the step that sends the first request of a client reads and parses the
 * trusted root certificates, and the step that ends a cancelled login may spend up to 2 seconds on revoking tokens
 * that arrived too late.
 * @param[out] step The result. Written only on success; owned by the caller. Must not be NULL.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK` with a step, or the outcome of the login.
 */
cli_auth_status cli_auth_login_step(cli_auth_login *login,
                                    double max_wait,
                                    cli_auth_step **step,
                                    cli_auth_error **error);

/**
 * Returns a file descriptor for an event loop: poll, epoll, libuv, GLib. It is readable while `cli_auth_login_step`
 * would have something to do: a request has ended, the login was cancelled, or the last step returned a prompt or an
 * event. It is also readable at first, so that a loop begins with a step. A step makes it unreadable.
 *
 * Watch it for reading, together with a timer, and call `cli_auth_login_step` with a `max_wait` of 0 when it becomes
 * readable, and when `cli_auth_step_due_in` of the last step has passed. The descriptor does not report that time.
 *
 * The first call for a login of a client starts a thread, which drives the requests of the client's logins from then
 * on. It never calls your code. Your signal handlers never run on it. It ends after the client, its logins and its
 * requests are freed. Only one call at a time may drive the login, as without a descriptor.
 *
 * May be called at any time, from any thread, also while another call drives the login. It never blocks. Each call
 * returns the same descriptor. It is close-on-exec and non-blocking.
 *
 * @param login The login. Must not be NULL.
 * @param[out] fd The descriptor. Written only on success. It belongs to the login, and is valid until
 * `cli_auth_login_free`: stop watching it before that. Do not read it, write to it or close it. Must not be NULL.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK`, `CLI_AUTH_FORKED` in a forked child, which must not watch the descriptor of its parent,
 * `CLI_AUTH_INTERNAL` if there is no descriptor or no thread left, or `CLI_AUTH_MISUSE`. `CLI_AUTH_UNSUPPORTED` is
 * for systems without such descriptors.
 */
cli_auth_status cli_auth_login_fd(cli_auth_login *login,
                                  int *fd,
                                  cli_auth_error **error);

/**
 * Cancels a login. The call that drives it returns `CLI_AUTH_CANCELLED` at once, whatever it waits for, and so does
 * every later call. If tokens arrived at the same moment, the driving call first revokes them where the server
 * supports it, which may take up to 2 seconds. After the login has ended, this function does nothing.
 *
 * It is idempotent and wait-free. It may be called from any thread, from the callback and from a signal handler. It
 * preserves `errno`. A request that is in progress is dropped. The descriptor of `cli_auth_login_fd` becomes readable.
 *
 * @param login The login. May be NULL.
 */
void cli_auth_login_cancel(const cli_auth_login *login);

/**
 * Returns the prompt of a login, if there is one yet. Each call returns a new handle. May be called from any thread.
 *
 * @param login The login. May be NULL.
 * @return A prompt, owned by the caller; free it with `cli_auth_prompt_free`. NULL if there is none yet, and for NULL.
 */
cli_auth_prompt *cli_auth_login_prompt(const cli_auth_login *login);

/**
 * Frees a login and ends it. Must not be called from the login's own callback, or while another thread is in a call
 * with the login, including `cli_auth_login_cancel`. Cancel the login, wait for the calls to return, then free it.
 *
 * @param login The login. May be NULL.
 */
void cli_auth_login_free(cli_auth_login *login);

/** @} */

/**
 * @defgroup cli_auth_prompt Prompts
 * @{
 */

/**
 * Returns the code that the user compares or enters. It is raw. The server decides on its case and punctuation: show
 * it unchanged, but sanitised.
 *
 * @param prompt The prompt. May be NULL.
 * @return The code, borrowed from the prompt; NULL for NULL.
 */
const char *cli_auth_prompt_user_code(const cli_auth_prompt *prompt);

/**
 * Returns the URL at which the user enters the code. It is raw. Its scheme is https (or http on this machine where
 * allowed), and it contains no user name.
 *
 * @param prompt The prompt. May be NULL.
 * @return The URL, borrowed from the prompt; NULL for NULL.
 */
const char *cli_auth_prompt_verification_uri(const cli_auth_prompt *prompt);

/**
 * Returns the verification URL with the code in it. It is raw. Show the code beside it nevertheless (RFC 8628 section
 * 3.3.1).
 *
 * @param prompt The prompt. May be NULL.
 * @return The URL, borrowed from the prompt; NULL if the server sent none, and for NULL.
 */
const char *cli_auth_prompt_verification_uri_complete(const cli_auth_prompt *prompt);

/**
 * Returns the lifetime of the code, counted from before it was requested.
 *
 * @param prompt The prompt. May be NULL.
 * @return Seconds; 0 for NULL.
 */
double cli_auth_prompt_expires_in(const cli_auth_prompt *prompt);

/**
 * Returns the host of the verification URL in ASCII form, so that look-alike letters are visible. It may differ from
 * the host that issued the code (RFC 8628 section 5.3).
 *
 * @param prompt The prompt. May be NULL.
 * @return The host, borrowed from the prompt; NULL for NULL.
 */
const char *cli_auth_prompt_host(const cli_auth_prompt *prompt);

/**
 * Returns the product name of the client, without the version.
 *
 * @param prompt The prompt. May be NULL.
 * @return The name, borrowed from the prompt; NULL if no product was set, and for NULL.
 */
const char *cli_auth_prompt_product(const cli_auth_prompt *prompt);

/**
 * Returns the prompt as plain text, 80 columns wide: the code, the URL, the name of the program, and a warning. It is
 * safe to print. It ends with a line break, and URLs are never broken.
 *
 * @param prompt The prompt. May be NULL.
 * @return The text, borrowed from the prompt; an empty text for NULL.
 */
const char *cli_auth_prompt_text(const cli_auth_prompt *prompt);

/**
 * Returns the same text for standard error, as wide as the terminal. The code is bold if standard error is a terminal,
 * `NO_COLOR` is unset or empty, and `TERM` is not `dumb`. The first call decides on the layout.
 *
 * @param prompt The prompt. May be NULL.
 * @return The text, borrowed from the prompt; an empty text for NULL.
 */
const char *cli_auth_prompt_text_for_stderr(const cli_auth_prompt *prompt);

/**
 * Returns the same text, plain and wrapped at a given width.
 *
 * @param prompt The prompt. May be NULL.
 * @param columns The width in columns. A width below 24 counts as 24.
 * @return A text, owned by the caller; free it with `cli_auth_string_free`. NULL for NULL.
 */
char *cli_auth_prompt_text_wrapped(const cli_auth_prompt *prompt, uint32_t columns);

/**
 * Opens the verification page in the user's browser. It does so only if standard error is a terminal, this is neither
 * an SSH session nor a CI job, and there is a display. `BROWSER`, if set, is tried first, also in an SSH session and
 * without a display. It returns at once and never fails the login.
 *
 * Show the code first: the page asks the user to compare it. The URL is passed to the opener as one argument, never
 * through a shell. The opener is a child of the calling process, which receives SIGCHLD when it exits. A thread of the
 * library collects its status.
 *
 * @param prompt The prompt. May be NULL.
 * @param[out] why_not Why nothing was started, for display to the user. Written only then; borrowed from the prompt.
 * May be NULL.
 * @return Whether an opener was started. It is not known whether a page appeared.
 */
bool cli_auth_prompt_open_browser(const cli_auth_prompt *prompt,
                                  const char **why_not);

/**
 * Frees a prompt and every text that was borrowed from it.
 *
 * @param prompt The prompt. May be NULL.
 */
void cli_auth_prompt_free(cli_auth_prompt *prompt);

/** @} */

/**
 * @defgroup cli_auth_event Events
 * @{
 */

/**
 * The user has not approved the login yet.
 */
#define CLI_AUTH_EVENT_PENDING 1

/**
 * The server asked for a longer interval between polls.
 */
#define CLI_AUTH_EVENT_SLOWED_DOWN 2

/**
 * The server could not be reached or could not respond. The login continues.
 */
#define CLI_AUTH_EVENT_RETRYING 3

/**
 * The machine was suspended.
 */
#define CLI_AUTH_EVENT_RESUMED 4

/**
 * The user approved the login, but the ID token was not verified because the keys of the server could not be fetched.
 * The tokens follow, without an identity.
 */
#define CLI_AUTH_EVENT_IDENTITY_UNVERIFIED 5

/**
 * Returns the kind of an event. Kinds are only ever added: ignore a kind that you do not know.
 *
 * @param event The event. May be NULL.
 * @return One of `CLI_AUTH_EVENT_...`; 0 for NULL.
 */
int32_t cli_auth_event_kind(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_PENDING`: returns the time until the next poll.
 *
 * @param event The event. May be NULL.
 * @return Seconds; 0 for other kinds and for NULL.
 */
double cli_auth_event_next_poll_in(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_PENDING`: returns the time until the code expires.
 *
 * @param event The event. May be NULL.
 * @return Seconds; 0 for other kinds and for NULL.
 */
double cli_auth_event_expires_in(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_SLOWED_DOWN`: returns the new interval, which applies to this and all later polls.
 *
 * @param event The event. May be NULL.
 * @return Seconds; 0 for other kinds and for NULL.
 */
double cli_auth_event_interval(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_RETRYING`: returns the reason as a word for programs: `http_502` (or any other status), `timeout`,
 * `dns`, `connect`, `connection_lost`, `tls`, `certificate`, `malformed_response` or `blocked` (a bot check, a captive
 * portal or a gateway has responded). Words are only ever added.
 *
 * @param event The event. May be NULL.
 * @return The word, borrowed from the event; NULL for other kinds and for NULL.
 */
const char *cli_auth_event_reason(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_RETRYING`: returns the number of consecutive failures, starting at 1.
 *
 * @param event The event. May be NULL.
 * @return The number; 0 for other kinds and for NULL.
 */
uint32_t cli_auth_event_attempt(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_RETRYING`: returns the time until the next poll.
 *
 * @param event The event. May be NULL.
 * @return Seconds; 0 for other kinds and for NULL.
 */
double cli_auth_event_retry_in(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_RETRYING`: returns the server's id of the request, as `cli_auth_error_request_id` does.
 *
 * @param event The event. May be NULL.
 * @return The id, borrowed from the event; NULL if there was no response or it has none, for other kinds and for NULL.
 */
const char *cli_auth_event_request_id(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_RESUMED`: returns how long the machine was suspended.
 *
 * @param event The event. May be NULL.
 * @return Seconds; 0 for other kinds and for NULL.
 */
double cli_auth_event_suspended_for(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_IDENTITY_UNVERIFIED`: returns a sentence for the user that says why there are no keys.
 *
 * @param event The event. May be NULL.
 * @return The sentence, borrowed from the event; NULL for other kinds and for NULL.
 */
const char *cli_auth_event_message(const cli_auth_event *event);

/** @} */

/**
 * @defgroup cli_auth_step Steps
 * @{
 */

/**
 * The server issued a code. Show it to the user.
 */
#define CLI_AUTH_STEP_PROMPT 1

/**
 * The login reports an event.
 */
#define CLI_AUTH_STEP_EVENT 2

/**
 * Nothing happened yet.
 */
#define CLI_AUTH_STEP_WAITING 3

/**
 * The user approved the login.
 */
#define CLI_AUTH_STEP_AUTHORIZED 4

/**
 * Returns the kind of a step. Kinds are only ever added: call `cli_auth_login_step` again after a kind that you do not
 * know.
 *
 * @param step The step. May be NULL.
 * @return One of `CLI_AUTH_STEP_...`; 0 for NULL.
 */
int32_t cli_auth_step_kind(const cli_auth_step *step);

/**
 * `CLI_AUTH_STEP_WAITING`: returns how long nothing will happen. It is 0 while a request is in progress: call
 * `cli_auth_login_step` again with a wait that you can afford. If the login has a descriptor (`cli_auth_login_fd`), it
 * is never 0 for that reason, but the longest time to wait for the descriptor to become readable.
 *
 * A timer that stops while the machine is suspended should wait only a few seconds at a time.
 *
 * @param step The step. May be NULL.
 * @return Seconds; 0 for other kinds and for NULL.
 */
double cli_auth_step_due_in(const cli_auth_step *step);

/**
 * `CLI_AUTH_STEP_EVENT`: returns the event.
 *
 * @param step The step. May be NULL.
 * @return The event, borrowed from the step; NULL for other kinds and for NULL.
 */
const cli_auth_event *cli_auth_step_event(const cli_auth_step *step);

/**
 * `CLI_AUTH_STEP_PROMPT`: returns the prompt. Each call returns a new handle.
 *
 * @param step The step. May be NULL.
 * @return A prompt, owned by the caller; free it with `cli_auth_prompt_free`. NULL for other kinds and for NULL.
 */
cli_auth_prompt *cli_auth_step_prompt(const cli_auth_step *step);

/**
 * `CLI_AUTH_STEP_AUTHORIZED`: returns the tokens. Each call returns a new handle.
 *
 * @param step The step. May be NULL.
 * @return Tokens, owned by the caller; free them with `cli_auth_tokens_free`. NULL for other kinds and for NULL.
 */
cli_auth_tokens *cli_auth_step_tokens(const cli_auth_step *step);

/**
 * Frees a step and the event that was borrowed from it.
 *
 * @param step The step. May be NULL.
 */
void cli_auth_step_free(cli_auth_step *step);

/** @} */

/**
 * @defgroup cli_auth_tokens Tokens
 * @{
 */

/**
 * Returns the access token in clear text. Send it as `Authorization: Bearer ...` over TLS, and only to the API that it
 * was issued for.
 *
 * @param tokens The tokens. May be NULL.
 * @return The secret, borrowed from the tokens; NULL for NULL.
 */
const char *cli_auth_tokens_expose_access_token(const cli_auth_tokens *tokens);

/**
 * Returns the refresh token in clear text, for `cli_auth_client_refresh`. If a refresh brought no new refresh token,
 * this is the old one.
 *
 * @param tokens The tokens. May be NULL.
 * @return The secret, borrowed from the tokens; NULL if the server sent none, and for NULL. Many servers send one only
 * for the scope `offline_access`.
 */
const char *cli_auth_tokens_expose_refresh_token(const cli_auth_tokens *tokens);

/**
 * Returns the OpenID Connect ID token in clear text, as it was received. It was verified if `cli_auth_tokens_identity`
 * returns an identity and the server is not WorkOS AuthKit.
 *
 * @param tokens The tokens. May be NULL.
 * @return The secret, borrowed from the tokens; NULL if the server sent none, and for NULL.
 */
const char *cli_auth_tokens_expose_id_token(const cli_auth_tokens *tokens);

/**
 * Returns whether there is a refresh token.
 *
 * @param tokens The tokens. May be NULL.
 * @return Whether there is one; false for NULL.
 */
bool cli_auth_tokens_has_refresh_token(const cli_auth_tokens *tokens);

/**
 * Returns whether there is an ID token.
 *
 * @param tokens The tokens. May be NULL.
 * @return Whether there is one; false for NULL.
 */
bool cli_auth_tokens_has_id_token(const cli_auth_tokens *tokens);

/**
 * Returns the token type as the server spelled it. It is `Bearer` in upper or lower case.
 *
 * @param tokens The tokens. May be NULL.
 * @return The token type, borrowed from the tokens; NULL for NULL.
 */
const char *cli_auth_tokens_token_type(const cli_auth_tokens *tokens);

/**
 * Returns the granted scopes, in the server's order. If the server named none, these are the scopes that
 * were requested (RFC 6749 section 5.1).
 *
 * @param tokens The tokens. May be NULL.
 * @return An array that ends with NULL, borrowed from the tokens; NULL if neither the server nor the client named a
 * scope, and for NULL.
 */
const char *const *cli_auth_tokens_scopes(const cli_auth_tokens *tokens);

/**
 * Reads the lifetime of the access token, counted from its issue.
 *
 * @param tokens The tokens. May be NULL.
 * @param[out] seconds The lifetime in seconds. Written only if it is known. May be NULL.
 * @return Whether it is known; false for NULL. Treat an unknown lifetime neither as expired nor as valid forever.
 */
bool cli_auth_tokens_expires_in(const cli_auth_tokens *tokens,
                                double *seconds);

/**
 * Reads when the access token expires. The time follows this machine's clock, or the token's own `exp` if the server
 * named no lifetime. The lifetime is counted from before the request was sent, so the duration of the request does not
 * make this time too late.
 *
 * @param tokens The tokens. May be NULL.
 * @param[out] unix_seconds The time in seconds since 1970-01-01 00:00 UTC. Written only if it is known. May be NULL.
 * @return Whether it is known; false for NULL.
 */
bool cli_auth_tokens_expires_at(const cli_auth_tokens *tokens,
                                double *unix_seconds);

/**
 * Returns the user who logged in.
 *
 * With WorkOS AuthKit, this is the user of the response. With a client by issuer and with WorkOS Connect, it is the
 * verified ID token, which servers issue for the scope `openid`. With explicit endpoints, nothing is known about the
 * keys.
 *
 * @param tokens The tokens. May be NULL.
 * @return The identity, borrowed from the tokens; NULL if the server did not say, if its ID token was not verified
 * (`CLI_AUTH_EVENT_IDENTITY_UNVERIFIED` says why), and for NULL.
 */
const cli_auth_identity *cli_auth_tokens_identity(const cli_auth_tokens *tokens);

/**
 * Returns the names of all other members of the server's response, sorted. They are raw.
 *
 * @param tokens The tokens. May be NULL.
 * @return An array that ends with NULL, borrowed from the tokens; NULL for NULL.
 */
const char *const *cli_auth_tokens_other_names(const cli_auth_tokens *tokens);

/**
 * Returns any other member of the response, as raw JSON. It is treated as a secret, because it may be one (AuthKit
 * sends tokens of an identity provider).
 *
 * @param tokens The tokens. May be NULL.
 * @param name The name of the member. If it is NULL or not UTF-8, the result is NULL.
 * @return The JSON text, borrowed from the tokens; NULL if the response has no such member, and for NULL.
 */
const char *cli_auth_tokens_expose_other(const cli_auth_tokens *tokens,
                                         const char *name);

/**
 * Frees tokens and overwrites the secrets that were exposed.
 *
 * @param tokens The tokens. May be NULL.
 */
void cli_auth_tokens_free(cli_auth_tokens *tokens);

/** @} */

/**
 * @defgroup cli_auth_identity Identities
 * @{
 */

/**
 * Returns the id of the user, which never changes: `sub` of OpenID Connect, or the id of AuthKit's user, such as
 * `user_01H...`. It is unique at this server only.
 *
 * @param identity The identity. May be NULL.
 * @return The id, borrowed from the identity; NULL for NULL.
 */
const char *cli_auth_identity_subject(const cli_auth_identity *identity);

/**
 * Returns the e-mail address. It may change, and may belong to another user later: do not identify the user by it.
 *
 * @param identity The identity. May be NULL.
 * @return The address, borrowed from the identity; NULL if the server did not name it, and for NULL. OpenID Connect
 * servers name it only if the scope `email` was requested.
 */
const char *cli_auth_identity_email(const cli_auth_identity *identity);

/**
 * Reads whether the server has verified that the e-mail address is the user's.
 *
 * @param identity The identity. May be NULL.
 * @param[out] verified Whether it has. Written only if the server says so or denies it. May be NULL.
 * @return Whether the server says so or denies it; false for NULL.
 */
bool cli_auth_identity_email_verified(const cli_auth_identity *identity, bool *verified);

/**
 * Returns the full name.
 *
 * @param identity The identity. May be NULL.
 * @return The name, borrowed from the identity; NULL if the server did not name it, and for NULL. OpenID Connect
 * servers name it only if the scope `profile` was requested.
 */
const char *cli_auth_identity_name(const cli_auth_identity *identity);

/**
 * Returns the id of the organization that the user logged in to: the `organization_id` of AuthKit, or the claim
 * `org_id`.
 *
 * @param identity The identity. May be NULL.
 * @return The id, borrowed from the identity; NULL if there is none, and for NULL.
 */
const char *cli_auth_identity_organization_id(const cli_auth_identity *identity);

/**
 * Returns the names of all claims, or of all members of AuthKit's user, sorted.
 *
 * @param identity The identity. May be NULL.
 * @return An array that ends with NULL, borrowed from the identity; NULL for NULL.
 */
const char *const *cli_auth_identity_claim_names(const cli_auth_identity *identity);

/**
 * Returns any claim, or any member of AuthKit's user, as raw JSON.
 *
 * @param identity The identity. May be NULL.
 * @param name The name of the claim. If it is NULL or not UTF-8, the result is NULL.
 * @return The JSON text, borrowed from the identity; NULL if there is no such claim, and for NULL.
 */
const char *cli_auth_identity_claim(const cli_auth_identity *identity, const char *name);

/**
 * Frees an identity that `cli_auth_client_userinfo` returned.
 *
 * @param identity The identity. May be NULL.
 */
void cli_auth_identity_free(cli_auth_identity *identity);

/** @} */

/**
 * @defgroup cli_auth_request Requests
 * @{
 */

/**
 * Waits for the response.
 *
 * @param request The request. Must not be NULL.
 * @param max_wait The longest wait in seconds. 0 or less does not wait for the network; INFINITY waits as long as it
 * takes. The step that sends the first request of a client may block for longer: it reads and parses the trusted root
 * certificates.
 * @param[out] done Whether the response has arrived. It is returned once; a later step returns `CLI_AUTH_MISUSE`.
 * Written only on success. Must not be NULL.
 * @param[out] tokens The new tokens of a refresh. Written only if `done` is true; owned by the caller. Must not be
 * NULL for a refresh, and is not used for other requests.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return As the call that waits for the same kind of request. `CLI_AUTH_CANCELLED` after
 * `cli_auth_request_cancel`, `CLI_AUTH_BUSY` while another thread steps it, `CLI_AUTH_FORKED` in a forked child.
 */
cli_auth_status cli_auth_request_step(cli_auth_request *request,
                                      double max_wait,
                                      bool *done,
                                      cli_auth_tokens **tokens,
                                      cli_auth_error **error);

/**
 * Returns the user that a userinfo request was answered with.
 *
 * @param request The request. May be NULL.
 * @return The identity, borrowed from the request; NULL before the response has arrived, for other requests, and for
 * NULL.
 */
const cli_auth_identity *cli_auth_request_identity(const cli_auth_request *request);

/**
 * Cancels a request. The step that waits for it returns `CLI_AUTH_CANCELLED` at once, and so does every later step. A
 * response that has already arrived is still returned. It is not known whether the server received the request.
 *
 * It is wait-free. It may be called from any thread and from a signal handler. It preserves `errno`.
 *
 * @param request The request. May be NULL.
 */
void cli_auth_request_cancel(const cli_auth_request *request);

/**
 * Frees a request and ends it. Must not be called while another thread is in a call with the request, including
 * `cli_auth_request_cancel`.
 *
 * @param request The request. May be NULL.
 */
void cli_auth_request_free(cli_auth_request *request);

/** @} */

/**
 * @defgroup cli_auth_claim Claims
 * @{
 */

/**
 * Claims a login for one call of a package of another language.
 *
 * Claims are only for packages of other languages, which wait outside this library between the steps of one call. Such
 * a call claims the login when it begins, drives it with `cli_auth_claim_step`, and always ends with
 * `cli_auth_claim_release`. Programs in C do not need claims: `cli_auth_login_start`, `_poll` and `_step` claim the
 * login themselves.
 *
 * May be called from any thread.
 *
 * @param login The login. Must not be NULL.
 * @param number A number that identifies this call: more than 0, less than 2^63, and not used by another call on this
 * login at the same time.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK`, `CLI_AUTH_BUSY` while another call drives the login, `CLI_AUTH_FORKED` in a forked child, or
 * `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_claim_login(cli_auth_login *login,
                                     uint64_t number,
                                     cli_auth_error **error);

/**
 * Returns what `cli_auth_login_start` returns, without driving the login.
 *
 * @param login The login. Must not be NULL.
 * @param number The number of the call that holds the claim.
 * @param[out] prompt The prompt, owned by the caller; free it with `cli_auth_prompt_free`. NULL if the call must step
 * first: there is no prompt yet, or the login was cancelled, which the next step reports. Written only on success.
 * Must not be NULL.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK`, or the outcome of a login that has failed.
 */
cli_auth_status cli_auth_claim_prompt(cli_auth_login *login,
                                      uint64_t number,
                                      cli_auth_prompt **prompt,
                                      cli_auth_error **error);

/**
 * Checks that the login can be polled: `cli_auth_login_start` has succeeded, or the login has ended.
 *
 * @param login The login. Must not be NULL.
 * @param number The number of the call that holds the claim.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE` if the user has not seen the code yet.
 */
cli_auth_status cli_auth_claim_check_started(cli_auth_login *login, uint64_t number, cli_auth_error **error);

/**
 * Does the same as `cli_auth_login_step`, for the call that holds the claim. Tokens that it returns count as accepted
 * when the call calls `cli_auth_claim_release`. Until then, `cli_auth_claim_abandon` revokes them.
 *
 * @param login The login. Must not be NULL.
 * @param number The number of the call that holds the claim.
 * @param max_wait The longest wait in seconds, as for `cli_auth_login_step`.
 * @param[out] step The result. Written only on success; owned by the caller. Must not be NULL.
 * @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK` with a step, or the outcome of the login. `CLI_AUTH_BUSY` if this call does not hold the
 * claim.
 */
cli_auth_status cli_auth_claim_step(cli_auth_login *login,
                                    uint64_t number,
                                    double max_wait,
                                    cli_auth_step **step,
                                    cli_auth_error **error);

/**
 * Cancels a login and revokes tokens that were issued but not accepted, where the server supports it. Revoking may
 * take up to 2 seconds. This call revokes them if it holds the claim or no other call does. Otherwise the call that
 * holds the claim does.
 *
 * @param login The login. May be NULL.
 * @param number The number of the call.
 */
void cli_auth_claim_abandon(cli_auth_login *login,
                            uint64_t number);

/**
 * Releases a claim, so that other calls can drive the login. Does nothing if this call does not hold the claim.
 *
 * @param login The login. May be NULL.
 * @param number The number of the call.
 */
void cli_auth_claim_release(cli_auth_login *login,
                            uint64_t number);

/** @} */

/**
 * @defgroup cli_auth_error Errors
 * @{
 */

/**
 * Returns the status, which says what to do next.
 *
 * @param error The error. May be NULL.
 * @return The status that the call returned; `CLI_AUTH_OK` for NULL.
 */
cli_auth_status cli_auth_error_status(const cli_auth_error *error);

/**
 * Returns the name of the status in snake_case, such as `denied` or `network`.
 *
 * @param error The error. May be NULL.
 * @return The name; `ok` for NULL. It stays valid as long as the program runs.
 */
const char *cli_auth_error_kind(const cli_auth_error *error);

/**
 * Returns a sentence for the user: what happened and what to do next. It contains no secret. What came from the server
 * is sanitised.
 *
 * @param error The error. May be NULL.
 * @return The sentence, borrowed from the error; an empty text for NULL.
 */
const char *cli_auth_error_message(const cli_auth_error *error);

/**
 * Returns the server's error code as it was sent (RFC 6749 section 5.2, RFC 8628 section 3.5), or the `code` of
 * WorkOS. It is raw, except that secrets are masked: pass it to `cli_auth_sanitize` before you print it.
 *
 * @param error The error. May be NULL.
 * @return The code, borrowed from the error; NULL if there was none, and for NULL.
 */
const char *cli_auth_error_oauth_error(const cli_auth_error *error);

/**
 * Returns the server's description of the error, sanitised. The message already contains it.
 *
 * @param error The error. May be NULL.
 * @return The description, borrowed from the error; NULL if the server sent none, and for NULL.
 */
const char *cli_auth_error_description(const cli_auth_error *error);

/**
 * Returns the technical cause in the words of the operating system, TLS or HTTP, such as `Connection refused (os error
 * 111)`. The message does not contain it. It is sanitised.
 *
 * @param error The error. May be NULL.
 * @return The cause, borrowed from the error; NULL if there is nothing to add, and for NULL.
 */
const char *cli_auth_error_detail(const cli_auth_error *error);

/**
 * Returns the HTTP status of the response that caused the error.
 *
 * @param error The error. May be NULL.
 * @return The status; 0 if there was no response, and for NULL.
 */
int32_t cli_auth_error_http_status(const cli_auth_error *error);

/**
 * Returns the server's identifier of the request (`x-request-id`), sanitised. Include it when you contact the server's
 * support.
 *
 * @param error The error. May be NULL.
 * @return The identifier, borrowed from the error; NULL if there is none, and for NULL.
 */
const char *cli_auth_error_request_id(const cli_auth_error *error);

/**
 * Reads how long the server asked to wait before the next request (RFC 9110 section 10.2.3). The value is as large as
 * the server sent it, so the caller should limit it.
 *
 * @param error The error. May be NULL.
 * @param[out] seconds The wait in seconds. Written only if the server asked for one. May be NULL.
 * @return Whether the server asked for a wait; false for NULL.
 */
bool cli_auth_error_retry_after(const cli_auth_error *error,
                                double *seconds);

/**
 * Returns the claims challenge of a server such as Microsoft Entra ID, if it came with `CLI_AUTH_ACTION_REQUIRED`.
 * Pass it to a new login as the extra parameter `claims` of both requests. It is raw, except that secrets are masked.
 *
 * @param error The error. May be NULL.
 * @return The challenge, borrowed from the error; NULL if there is none, and for NULL.
 */
const char *cli_auth_error_claims(const cli_auth_error *error);

/**
 * Returns the ids of the organizations that the user may choose from, if the server named them with
 * `CLI_AUTH_ACTION_REQUIRED`. They are raw.
 *
 * @param error The error. May be NULL.
 * @return An array that ends with NULL, borrowed from the error; NULL if the server named none, and for NULL.
 */
const char *const *cli_auth_error_organization_ids(const cli_auth_error *error);

/**
 * Returns the names of the same organizations, in the same order. They are raw.
 *
 * @param error The error. May be NULL.
 * @return An array that ends with NULL, borrowed from the error; NULL if the server named none, and for NULL.
 */
const char *const *cli_auth_error_organization_names(const cli_auth_error *error);

/**
 * Returns the `pending_authentication_token` of WorkOS in clear text. A component that holds the WorkOS API key can
 * complete the required step with it. A tool on a user's machine cannot: let the user log in again.
 *
 * @param error The error. May be NULL.
 * @return The secret, borrowed from the error and overwritten when the error is freed; NULL if there is none, and for
 * NULL.
 */
const char *cli_auth_error_expose_pending_authentication_token(const cli_auth_error *error);

/**
 * Returns the names of all members of the server's response, sorted. They are raw.
 *
 * @param error The error. May be NULL.
 * @return An array that ends with NULL, borrowed from the error; it is empty if the response is not a JSON object or
 * there was none. NULL for NULL.
 */
const char *const *cli_auth_error_member_names(const cli_auth_error *error);

/**
 * Returns any member of the server's response, as raw JSON. It is treated as a secret, because it may be one.
 *
 * @param error The error. May be NULL.
 * @param name The name of the member. If it is NULL or not UTF-8, the result is NULL.
 * @return The JSON text, borrowed from the error and overwritten when the error is freed; NULL if the response has no
 * such member, and for NULL.
 */
const char *cli_auth_error_expose_member(const cli_auth_error *error,
                                         const char *name);

/**
 * Frees an error and overwrites the secrets that were exposed.
 *
 * @param error The error. May be NULL.
 */
void cli_auth_error_free(cli_auth_error *error);

/** @} */

/**
 * @defgroup cli_auth_text Texts
 * @{
 */

/**
 * Makes a text from a server safe to show in a terminal. Tabs and line breaks become spaces. A run of other control
 * characters, invisible characters and direction marks becomes one U+FFFD. White space at the start and the end is
 * removed. A text of more than 400 characters is cut after 400 and marked with an ellipsis (U+2026).
 *
 * The results of `cli_auth_error_message`, `cli_auth_error_description`, `cli_auth_error_request_id` and the
 * `cli_auth_prompt_text` functions are already sanitised. Texts that are documented as raw are not.
 *
 * @param text The text. May be NULL. Bytes that are not UTF-8 become U+FFFD.
 * @return A text, owned by the caller; free it with `cli_auth_string_free`. NULL for NULL.
 */
char *cli_auth_sanitize(const char *text);

/**
 * Frees a text that this library returned as `char *`. A `const char *` is borrowed and must not be freed.
 *
 * @param text The text. May be NULL.
 */
void cli_auth_string_free(char *text);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
