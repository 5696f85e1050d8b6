/**
 * @file cli_auth.h
 * @brief Signs users in to command-line tools: the OAuth 2.0 Device Authorization Grant (RFC 8628).
 *
 * A client holds the settings for one authorization server. A login is a single login attempt: start it, show its prompt, poll until
 * the user has decided.
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
 * What holds for every function:
 *
 * - **Results.** A `cli_auth_status` is 0 (`CLI_AUTH_OK`) on success. Outputs are written only on success. An error is written only
 *   on failure; where it is asked for, NULL may be given instead. A function that makes a handle gives NULL on failure.
 * - **Ownership.** A function that returns a non-const pointer transfers ownership; release it with the matching `_free`. A `const`
 *   pointer is borrowed, and stays valid as long as the handle that it came from. Arguments stay the caller's, and are copied where
 *   they are kept. Every `_free` takes NULL.
 * - **Texts** are UTF-8 and end with NUL, in both directions.
 * - **Times** are seconds. As a wait, `INFINITY` means as long as it takes.
 * - **Threads.** Each type says what may be done at once. No handle belongs to the thread that made it. A `_free` must be the last
 *   call with its handle.
 * - **Claims.** One call drives a login at a time. `cli_auth_login_start`, `_poll` and `_step` see to that by themselves. The functions of
 *   the section "Claims" are only for packages of other languages, which wait outside of this library between the steps of one call.
 * - **The process.** No signal handler is installed, and no signal is raised but for the end of a browser's opener. Nothing runs in
 *   the background but a thread that looks up the server's name. Your code is called by `cli_auth_login_poll` alone, on the thread
 *   that called it. The environment (proxies, trusted roots) is read at the first request: no `setenv` in another thread meanwhile.
 * - **Not to be done,** and not checked: using a handle after its `_free`, or as another type; leaving a call by `longjmp` or a C++
 *   exception, from the callback or from a signal handler; `pthread_cancel` of a thread inside a call, or `pthread_exit` in the
 *   callback; a call on a stack of less than 64 KiB; anything but a `_free` in an `atexit` function or a static destructor. A defect of this library returns `CLI_AUTH_INTERNAL`, with a line on standard error.
 * - **Fork.** A child may not use a login or request of its parent (`CLI_AUTH_FORKED`); a client works in both.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/* Made from bindings/c/src by `cargo xtask check --write`. Do not edit. */

#ifndef CLI_AUTH_H
#define CLI_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The version of this header, as a text. `cli_auth_version` tells that of the library. */
#define CLI_AUTH_VERSION "0.1.0"
/** The first number of `CLI_AUTH_VERSION`. */
#define CLI_AUTH_VERSION_MAJOR 0
/** The second number of `CLI_AUTH_VERSION`. */
#define CLI_AUTH_VERSION_MINOR 1
/** The third number of `CLI_AUTH_VERSION`. */
#define CLI_AUTH_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @defgroup cli_auth_types Types
 * @{
 */

/**
 * A client of one authorization server. All threads may use it at once.
 *
 * In a forked child it works on, with connections of the child's own. Free it with `cli_auth_client_free`; logins and
 * requests that were made from it live on.
 */
typedef struct cli_auth_client cli_auth_client;

/**
 * The settings of a client.
 *
 * Everything is copied. One thread at a time. A setting that is refused is remembered as well: `cli_auth_client_new` fails with
 * the first one, so the statuses of the functions below need not be looked at one by one. Values are checked by
 * `cli_auth_client_new`.
 *
 * Free them with `cli_auth_client_options_free`, any time after `cli_auth_client_new`, or use them for another client.
 */
typedef struct cli_auth_client_options cli_auth_client_options;

/**
 * Why a call did not succeed.
 *
 * It belongs to whoever received it: free it with `cli_auth_error_free`. It does not change, and all threads may read it.
 * What its functions return lives as long as it. All of them take NULL, and give what says "nothing".
 */
typedef struct cli_auth_error cli_auth_error;

/**
 * Something that a user may want to see while a login waits. None of them needs a reaction. It holds no text of the server
 * and no secret.
 *
 * It is borrowed: from the call of the callback, or from its step. It does not change, and all threads may read it. All of
 * its functions take NULL. Times are in seconds.
 */
typedef struct cli_auth_event cli_auth_event;

/**
 * A single login attempt.
 *
 * All threads may use it, but only one call drives it at a time (`start`, `poll` or `step`, for as long as it takes): a second one fails
 * with `CLI_AUTH_BUSY`. A login that was inherited through a fork fails with `CLI_AUTH_FORKED`; the parent's goes on.
 *
 * It lives on when its client is freed. Free it with `cli_auth_login_free`, which ends it.
 */
typedef struct cli_auth_login cli_auth_login;

/**
 * The code and the address that a user needs to approve a login (RFC 8628 section 3.2).
 *
 * It belongs to whoever received it: free it with `cli_auth_prompt_free`. It does not change, and all threads may read it.
 * What its functions return lives as long as it, unless they say otherwise. All of them take NULL.
 */
typedef struct cli_auth_prompt cli_auth_prompt;

/**
 * A refresh or a revocation under way, for programs that want to end it or wait for it in slices.
 *
 * One thread at a time steps it; every thread may cancel it. It lives on when its client is freed. Free it with
 * `cli_auth_request_free`, which ends it.
 */
typedef struct cli_auth_request cli_auth_request;

/**
 * What one `cli_auth_login_step` found. It belongs to whoever received it: free it with `cli_auth_step_free`. It does not
 * change, and all threads may read it. All of its functions take NULL.
 */
typedef struct cli_auth_step cli_auth_step;

/**
 * The tokens that the server gave out (RFC 6749 section 5.1).
 *
 * Nothing in here was verified by this library: it came over TLS from the token endpoint, and that is all.
 *
 * They belong to whoever received them: free them with `cli_auth_tokens_free`, which overwrites the secrets that were
 * exposed. They do not change, and all threads may read them. What their functions return lives as long as they. All of
 * them take NULL.
 */
typedef struct cli_auth_tokens cli_auth_tokens;

/**
 * What came of a call: `CLI_AUTH_OK`, or what to do next. Numbers are only ever added: treat one that you do not know like
 * `CLI_AUTH_INTERNAL`.
 */
typedef int32_t cli_auth_status;

/**
 * Called with the events of a login, on the thread that called `cli_auth_login_poll`, with no lock held.
 *
 * It may cancel the login. A call that would drive it fails with `CLI_AUTH_BUSY`. It must not free the login, and must not leave
 * by `longjmp` or a C++ exception: that is undefined behaviour.
 *
 * @param user_data What was given to `cli_auth_login_poll`.
 * @param event What happened; borrowed until the callback returns.
 */
typedef void (*cli_auth_event_callback)(void *user_data, const cli_auth_event *event);

/** @} */

/**
 * @defgroup cli_auth_version Version
 * @{
 */

/**
 * The version of the interface, which is also the number of the shared library (`libcli_auth.so.0`). It grows when something
 * was removed or changed; additions leave it as it is.
 */
#define CLI_AUTH_ABI_VERSION 0

/**
 * The version of the library that runs, such as `0.1.0`. `CLI_AUTH_VERSION` is the one that the program was compiled with.
 *
 * @return A text that lives as long as the program.
 */
const char *cli_auth_version(void);

/**
 * The interface of the library that runs. A program that loads it by `dlopen` checks that this is `CLI_AUTH_ABI_VERSION`.
 *
 * @return The number.
 */
uint32_t cli_auth_abi_version(void);

/** @} */

/**
 * @defgroup cli_auth_status Statuses
 * @{
 */

/**
 * It succeeded.
 */
#define CLI_AUTH_OK 0

/**
 * The user denied the request. Do not start another login unless the user asks for one.
 */
#define CLI_AUTH_DENIED 1

/**
 * The code, or the time that the program allowed, ran out. Start again when the user wants to.
 */
#define CLI_AUTH_EXPIRED 2

/**
 * `cli_auth_login_cancel` or `cli_auth_request_cancel` was called.
 */
#define CLI_AUTH_CANCELLED 3

/**
 * The server wants something first that only the user can do in a browser: choose an organization, enrol a second factor.
 */
#define CLI_AUTH_ACTION_REQUIRED 4

/**
 * The server refuses this client or this request: a wrong client id, a refresh token that is used up, the device flow not
 * switched on. Trying again changes nothing.
 */
#define CLI_AUTH_REJECTED 5

/**
 * The server does not offer what was asked for.
 */
#define CLI_AUTH_UNSUPPORTED 6

/**
 * The server was not reached, or said that it cannot answer now. Try again later.
 */
#define CLI_AUTH_NETWORK 7

/**
 * No secure connection: the server's certificate was refused. Check the clock, the name and the trusted roots.
 */
#define CLI_AUTH_TLS 8

/**
 * The server sent a response that the standards do not allow. Nothing in it was used.
 */
#define CLI_AUTH_INVALID_RESPONSE 9

/**
 * A setting of the client is wrong. Nothing was sent.
 */
#define CLI_AUTH_INVALID_CONFIG 10

/**
 * The process was forked after this login or request was made. Make a new one in the child.
 */
#define CLI_AUTH_FORKED 11

/**
 * Another call drives this login or request at the moment, perhaps the one that called this callback.
 */
#define CLI_AUTH_BUSY 12

/**
 * A defect of this library, or a lack of system resources. (A lack of memory ends the process.)
 */
#define CLI_AUTH_INTERNAL 13

/**
 * A call that makes no sense: out of its order, NULL where it may not be, a text that is not UTF-8, or a constant that does not
 * exist. Nothing was done.
 */
#define CLI_AUTH_MISUSE 14

/**
 * The name of a status in snake_case, the same in every language: `ok`, `denied`, `action_required`, ...
 *
 * @param status Any number.
 * @return A text that lives as long as the program; `unknown` for a status that this version does not have.
 */
const char *cli_auth_status_name(cli_auth_status status);

/** @} */

/**
 * @defgroup cli_auth_options Client options
 * @{
 */

/**
 * As the server's metadata says, else `client_secret_basic`.
 */
#define CLI_AUTH_CLIENT_SECRET_AUTO 0

/**
 * `client_secret_basic`: in an `Authorization: Basic` header (RFC 6749 section 2.3.1).
 */
#define CLI_AUTH_CLIENT_SECRET_BASIC 1

/**
 * `client_secret_post`: in the body of the request.
 */
#define CLI_AUTH_CLIENT_SECRET_POST 2

/**
 * A client of WorkOS AuthKit.
 *
 * @param client_id The client id of the environment.
 * @return Options, owned by the caller, never NULL.
 */
cli_auth_client_options *cli_auth_client_options_authkit(const char *client_id);

/**
 * A client of WorkOS Connect.
 *
 * @param domain The AuthKit domain: `acme.authkit.app`, or with `https://`.
 * @param client_id The client id of the application.
 * @return Options, owned by the caller, never NULL.
 */
cli_auth_client_options *cli_auth_client_options_workos_connect(const char *domain, const char *client_id);

/**
 * A client of any server that publishes its metadata: RFC 8414, then OpenID Connect Discovery.
 *
 * @param issuer The issuer, exactly as the server writes it.
 * @param client_id The client id.
 * @return Options, owned by the caller, never NULL.
 */
cli_auth_client_options *cli_auth_client_options_for_issuer(const char *issuer, const char *client_id);

/**
 * A client of any other server.
 *
 * @param device_authorization_endpoint Where a code is asked for (RFC 8628 section 3.1).
 * @param token_endpoint Where tokens are asked for.
 * @param client_id The client id.
 * @return Options, owned by the caller, never NULL.
 */
cli_auth_client_options *cli_auth_client_options_with_endpoints(const char *device_authorization_endpoint,
                                                                const char *token_endpoint,
                                                                const char *client_id);

/**
 * AuthKit only: another address of the API than `https://api.workos.com`.
 *
 * @param options The options.
 * @param url The address.
 * @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_set_api_base(cli_auth_client_options *options, const char *url);

/**
 * Explicit endpoints only: where tokens are revoked (RFC 7009).
 *
 * @param options The options.
 * @param url The address.
 * @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_set_revocation_endpoint(cli_auth_client_options *options,
                                                                const char *url);

/**
 * One more scope to ask for. AuthKit has none.
 *
 * @param options The options.
 * @param scope One scope, such as `offline_access`.
 * @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_add_scope(cli_auth_client_options *options, const char *scope);

/**
 * One more parameter of the device authorization request.
 *
 * @param options The options.
 * @param name Its name. What the protocol sets itself is refused.
 * @param value Its value.
 * @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_add_param(cli_auth_client_options *options,
                                                  const char *name,
                                                  const char *value);

/**
 * One more header of every request. Its value counts as a secret.
 *
 * @param options The options.
 * @param name Its name.
 * @param value Its value.
 * @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_add_header(cli_auth_client_options *options,
                                                   const char *name,
                                                   const char *value);

/**
 * Certificates to trust beside those of the system.
 *
 * @param options The options.
 * @param pem The content of a PEM file, with one certificate or many.
 * @param length How many bytes it has, at most 4 MiB.
 * @return `CLI_AUTH_OK`, `CLI_AUTH_INVALID_CONFIG` for more, or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_add_ca_pem(cli_auth_client_options *options,
                                                   const char *pem,
                                                   size_t length);

/**
 * The proxy of every request, instead of the one that the environment names (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`).
 *
 * @param options The options.
 * @param url `http://` or `https://`, with a user and password where it wants them.
 * @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_set_proxy(cli_auth_client_options *options,
                                                  const char *url);

/**
 * Who asks: the User-Agent of every request, and the name in the prompt.
 *
 * @param options The options.
 * @param product Such as `my-cli` or `my-cli/1.2`.
 * @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_set_product(cli_auth_client_options *options, const char *product);

/**
 * A client secret, for servers that insist on one. A secret in a distributed program is not confidential (RFC 8252 section
 * 8.5).
 *
 * @param options The options.
 * @param secret The secret. The copy is overwritten when options and client are freed; the caller's own text is not.
 * @param auth `CLI_AUTH_CLIENT_SECRET_AUTO`, `CLI_AUTH_CLIENT_SECRET_BASIC` or `CLI_AUTH_CLIENT_SECRET_POST`.
 * @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_set_client_secret(cli_auth_client_options *options,
                                                          const char *secret,
                                                          int32_t auth);

/**
 * Timeout for establishing a connection (DNS, TCP and TLS). Defaults to 10 seconds.
 *
 * @param options The options.
 * @param seconds More than 0 and at most 24 hours, as for the two limits that follow.
 * @return `CLI_AUTH_OK`, `CLI_AUTH_INVALID_CONFIG` for what is no time, or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_set_connect_timeout(cli_auth_client_options *options, double seconds);

/**
 * How long a server may be silent within a response. Defaults to 15 seconds.
 *
 * @param options The options.
 * @param seconds The limit.
 * @return As `cli_auth_client_options_set_connect_timeout`.
 */
cli_auth_status cli_auth_client_options_set_read_timeout(cli_auth_client_options *options, double seconds);

/**
 * How long one request may take in all. Defaults to 25 seconds. A poll that takes longer counts as lost, and the login goes on.
 *
 * @param options The options.
 * @param seconds The limit.
 * @return As `cli_auth_client_options_set_connect_timeout`.
 */
cli_auth_status cli_auth_client_options_set_request_timeout(cli_auth_client_options *options,
                                                            double seconds);

/**
 * How long a whole login may take, from its first step. Without it, the code's lifetime alone decides. Then the login ends
 * with `CLI_AUTH_EXPIRED`; the server is not told.
 *
 * @param options The options.
 * @param seconds More than 0.
 * @return As `cli_auth_client_options_set_connect_timeout`.
 */
cli_auth_status cli_auth_client_options_set_login_timeout(cli_auth_client_options *options,
                                                          double seconds);

/**
 * Allows plain http to this machine (`localhost`, `127.0.0.0/8`, `::1`). **For tests and local development only**: anybody on this
 * machine can listen. http to any other host stays refused.
 *
 * @param options The options.
 * @param allow Whether it is allowed. Defaults to false.
 * @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`.
 */
cli_auth_status cli_auth_client_options_allow_insecure_loopback(cli_auth_client_options *options,
                                                                bool allow);

/**
 * Frees options.
 *
 * @param options The options, or NULL.
 */
void cli_auth_client_options_free(cli_auth_client_options *options);

/** @} */

/**
 * @defgroup cli_auth_client Clients
 * @{
 */

/**
 * Makes a client. Every setting is checked, nothing is sent.
 *
 * @param options Its settings. They stay the caller's.
 * @param[out] error Why not, written only then; owned by the caller. May be NULL.
 * @return A client, owned by the caller, or NULL.
 */
cli_auth_client *cli_auth_client_new(const cli_auth_client_options *options, cli_auth_error **error);

/**
 * Trades a refresh token for new tokens (RFC 6749 section 6): one request, after discovery where that is needed, never repeated
 * by itself. Blocks until there is a response; each request has the client's timeouts. `cli_auth_client_begin_refresh` can be ended.
 *
 * Many servers, WorkOS among them, retire the token that was sent: store the new one before anything else. Never refresh one
 * token from two processes at once.
 *
 * @param client The client.
 * @param refresh_token The token.
 * @param[out] tokens The new tokens, written only on success; owned by the caller.
 * @param[out] error Why not, written only then; owned by the caller. May be NULL.
 * @return `CLI_AUTH_REJECTED`: the token is dead, log in again. `CLI_AUTH_NETWORK`: keep it and try again; it may have been
 * used if the response was lost. `CLI_AUTH_ACTION_REQUIRED`: log in again, in the browser.
 */
cli_auth_status cli_auth_client_refresh(cli_auth_client *client,
                                        const char *refresh_token,
                                        cli_auth_tokens **tokens,
                                        cli_auth_error **error);

/**
 * Ends a token's life (RFC 7009): one request, after discovery where that is needed. Blocks as `cli_auth_client_refresh` does.
 *
 * Revoke the refresh token: servers then drop its access tokens too. A token that the server does not know counts as revoked.
 *
 * @param client The client.
 * @param token The token.
 * @param[out] error Why not, written only then; owned by the caller. May be NULL.
 * @return `CLI_AUTH_UNSUPPORTED`: the server has no revocation endpoint (WorkOS has none), or cannot revoke this kind of token.
 * `CLI_AUTH_NETWORK`: the token still lives.
 */
cli_auth_status cli_auth_client_revoke(cli_auth_client *client,
                                       const char *token,
                                       cli_auth_error **error);

/**
 * Begins what `cli_auth_client_refresh` does, without waiting: `cli_auth_request_step` drives it, and so does any other call
 * that waits for this client's server.
 *
 * @param client The client.
 * @param refresh_token The token.
 * @param[out] error Why not, written only then; owned by the caller. May be NULL.
 * @return A request, owned by the caller, or NULL.
 */
cli_auth_request *cli_auth_client_begin_refresh(cli_auth_client *client,
                                                const char *refresh_token,
                                                cli_auth_error **error);

/**
 * Begins what `cli_auth_client_revoke` does, as `cli_auth_client_begin_refresh`.
 *
 * @param client The client.
 * @param token The token.
 * @param[out] error Why not, written only then; owned by the caller. May be NULL.
 * @return A request, owned by the caller, or NULL.
 */
cli_auth_request *cli_auth_client_begin_revoke(cli_auth_client *client,
                                               const char *token,
                                               cli_auth_error **error);

/**
 * Frees a client. Not while another thread is inside a call with it.
 *
 * @param client The client, or NULL.
 */
void cli_auth_client_free(cli_auth_client *client);

/** @} */

/**
 * @defgroup cli_auth_login Logins
 * @{
 */

/**
 * Makes a login. No I/O.
 *
 * @param client The client.
 * @param[out] error Why not, written only then; owned by the caller. May be NULL.
 * @return A login, owned by the caller, or NULL.
 */
cli_auth_login *cli_auth_login_new(cli_auth_client *client, cli_auth_error **error);

/**
 * Asks the server for a code: discovery where needed, then one request. Blocks until there is a response; each request has
 * the client's timeouts. Nothing is tried twice, since a user is waiting. Called again, it returns the same prompt, or the
 * same error: a login that failed is over.
 *
 * @param login The login.
 * @param[out] prompt What the user has to see, written only on success; owned by the caller.
 * @param[out] error Why not, written only then; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK`, or what to do next. `CLI_AUTH_NETWORK`: try again later, with a new login.
 */
cli_auth_status cli_auth_login_start(cli_auth_login *login,
                                     cli_auth_prompt **prompt,
                                     cli_auth_error **error);

/**
 * Waits for the user's decision. Transport trouble is not an error here: it is reported as `CLI_AUTH_EVENT_RETRYING`, and the
 * login goes on.
 *
 * It returns at once when another thread, the callback or a signal handler calls `cli_auth_login_cancel` (see there). A
 * signal alone does not end it.
 *
 * @param login The login. Before `cli_auth_login_start` the status is `CLI_AUTH_MISUSE`: the user has not seen the code.
 * @param on_event Called with every event, or NULL.
 * @param user_data Given to `on_event` as it is.
 * @param[out] tokens What the server gave out, written only on success, as the last thing; owned by the caller.
 * @param[out] error Why not, written only then, as the last thing; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK`, or what to do next: `CLI_AUTH_DENIED`, `CLI_AUTH_EXPIRED`, `CLI_AUTH_CANCELLED` and
 * `CLI_AUTH_ACTION_REQUIRED` are the ends that every program meets. Called again, it returns the same outcome.
 */
cli_auth_status cli_auth_login_poll(cli_auth_login *login,
                                    cli_auth_event_callback on_event,
                                    void *user_data,
                                    cli_auth_tokens **tokens,
                                    cli_auth_error **error);

/**
 * Drives a login for a while: the primitive under `start` and `poll`, for programs with an event loop of their own.
 *
 * A request that is under way when the time is up goes on: the next step finds its response, and it is never sent again. After
 * the outcome, every step returns that outcome again.
 *
 * @param login The login.
 * @param max_wait At most so many seconds. 0 or less never blocks, but for the step that ends a cancelled login: revoking a token that
 * came too late may take it two seconds. INFINITY waits as long as it takes.
 * @param[out] step What was found, written only on success; owned by the caller.
 * @param[out] error Why not, written only then; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK` with a step, or how the login ended.
 */
cli_auth_status cli_auth_login_step(cli_auth_login *login,
                                    double max_wait,
                                    cli_auth_step **step,
                                    cli_auth_error **error);

/**
 * Ends a login: the call that drives it returns `CLI_AUTH_CANCELLED` at once, whatever it waits for, and so does every later
 * one (but `cli_auth_login_start` still returns a prompt that there is). Where tokens had come at that very moment, the call
 * revokes them first if the server can, which may take two seconds. After the outcome it changes nothing.
 *
 * Idempotent and wait-free: callable from every thread, from the callback and from a signal handler. It leaves `errno` as it
 * was. A request that is under way is dropped.
 *
 * @param login The login, or NULL.
 */
void cli_auth_login_cancel(const cli_auth_login *login);

/**
 * The prompt, once there is one.
 *
 * @param login The login.
 * @return A prompt, owned by the caller, or NULL.
 */
cli_auth_prompt *cli_auth_login_prompt(const cli_auth_login *login);

/**
 * Frees a login, and ends it. Not from its own callback, and not while another thread is inside a call with it,
 * `cli_auth_login_cancel` included: cancel it, wait for the calls to return, then free it.
 *
 * @param login The login, or NULL.
 */
void cli_auth_login_free(cli_auth_login *login);

/** @} */

/**
 * @defgroup cli_auth_prompt Prompts
 * @{
 */

/**
 * The code that the user compares or types, raw. Case and punctuation are the server's business: show it as it is, but
 * sanitised.
 *
 * @param prompt The prompt.
 * @return The code; NULL for NULL.
 */
const char *cli_auth_prompt_user_code(const cli_auth_prompt *prompt);

/**
 * Where the user types the code, raw. It is https (or loopback where allowed) and has no user name in it.
 *
 * @param prompt The prompt.
 * @return The address; NULL for NULL.
 */
const char *cli_auth_prompt_verification_uri(const cli_auth_prompt *prompt);

/**
 * The same with the code in it, raw. Show the code beside it all the same (RFC 8628 section 3.3.1).
 *
 * @param prompt The prompt.
 * @return The address, or NULL where the server sent none.
 */
const char *cli_auth_prompt_verification_uri_complete(const cli_auth_prompt *prompt);

/**
 * How long the code lives, counted from before it was asked for.
 *
 * @param prompt The prompt.
 * @return Seconds; 0 for NULL.
 */
double cli_auth_prompt_expires_in(const cli_auth_prompt *prompt);

/**
 * The host that the user is sent to, in ASCII form, so that look-alike letters show. It may be another host than the one
 * that was asked for the code (RFC 8628 section 5.3).
 *
 * @param prompt The prompt.
 * @return The host; NULL for NULL.
 */
const char *cli_auth_prompt_host(const cli_auth_prompt *prompt);

/**
 * Who asks: the product name that the client was made with, without the version.
 *
 * @param prompt The prompt.
 * @return The name, or NULL where no product was set.
 */
const char *cli_auth_prompt_product(const cli_auth_prompt *prompt);

/**
 * The prompt for a user, plain and 80 columns wide: code, address, program, and a warning. Safe to print. Ends with a
 * line break; addresses are never broken.
 *
 * @param prompt The prompt.
 * @return The text; an empty one for NULL.
 */
const char *cli_auth_prompt_text(const cli_auth_prompt *prompt);

/**
 * The same as standard error can show it: in its width, and with the code in bold where it is a terminal, `NO_COLOR` is
 * unset or empty and `TERM` is not `dumb`. Laid out at the first call.
 *
 * @param prompt The prompt.
 * @return The text; an empty one for NULL.
 */
const char *cli_auth_prompt_text_for_stderr(const cli_auth_prompt *prompt);

/**
 * The same, plain and wrapped at so many columns.
 *
 * @param prompt The prompt.
 * @param columns The width; less than 24 counts as 24.
 * @return A text, owned by the caller, for `cli_auth_string_free`; NULL for NULL.
 */
char *cli_auth_prompt_text_wrapped(const cli_auth_prompt *prompt, uint32_t columns);

/**
 * Opens the page in the user's browser, where that makes sense: standard error is a terminal, this is no SSH session and
 * no CI job, and there is a display. Honours `BROWSER`. Returns at once and never fails the login.
 *
 * Show the code first: the page asks the user to compare it. The address goes to the opener as one argument, never
 * through a shell. The opener is a child of your process: when it ends, there is a SIGCHLD, and its status is for the program to
 * collect (`waitpid`) or to leave.
 *
 * @param prompt The prompt.
 * @param[out] why_not Why nothing was started, for a user to read; written only then. May be NULL.
 * @return Whether an opener was started. Whether a page appeared is not known.
 */
bool cli_auth_prompt_open_browser(const cli_auth_prompt *prompt,
                                  const char **why_not);

/**
 * Frees a prompt, and with it every text that it lent.
 *
 * @param prompt The prompt, or NULL.
 */
void cli_auth_prompt_free(cli_auth_prompt *prompt);

/** @} */

/**
 * @defgroup cli_auth_event Events
 * @{
 */

/**
 * Nobody has approved yet.
 */
#define CLI_AUTH_EVENT_PENDING 1

/**
 * The server asked for more time between polls.
 */
#define CLI_AUTH_EVENT_SLOWED_DOWN 2

/**
 * The server was not reached or could not answer. The login goes on by itself.
 */
#define CLI_AUTH_EVENT_RETRYING 3

/**
 * The machine was asleep.
 */
#define CLI_AUTH_EVENT_RESUMED 4

/**
 * What happened. Kinds are only ever added: pass over one that you do not know.
 *
 * @param event The event.
 * @return One of `CLI_AUTH_EVENT_...`; 0 for NULL.
 */
int32_t cli_auth_event_kind(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_PENDING`: until the next poll.
 *
 * @param event The event.
 * @return Seconds; 0 for other kinds.
 */
double cli_auth_event_next_poll_in(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_PENDING`: until the code is worthless.
 *
 * @param event The event.
 * @return Seconds; 0 for other kinds.
 */
double cli_auth_event_expires_in(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_SLOWED_DOWN`: the new interval, for this and all later polls.
 *
 * @param event The event.
 * @return Seconds; 0 for other kinds.
 */
double cli_auth_event_interval(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_RETRYING`: what went wrong, in a word for programs: `http_502` (any status), `timeout`, `dns`, `connect`,
 * `connection_lost`, `tls`, `malformed_response`. Words are only ever added.
 *
 * @param event The event.
 * @return The word; NULL for other kinds.
 */
const char *cli_auth_event_reason(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_RETRYING`: how many times in a row something went wrong, from 1.
 *
 * @param event The event.
 * @return The number; 0 for other kinds.
 */
uint32_t cli_auth_event_attempt(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_RETRYING`: until the next poll.
 *
 * @param event The event.
 * @return Seconds; 0 for other kinds.
 */
double cli_auth_event_retry_in(const cli_auth_event *event);

/**
 * `CLI_AUTH_EVENT_RESUMED`: how long the machine slept.
 *
 * @param event The event.
 * @return Seconds; 0 for other kinds.
 */
double cli_auth_event_suspended_for(const cli_auth_event *event);

/** @} */

/**
 * @defgroup cli_auth_step Steps
 * @{
 */

/**
 * The server granted a code: show it to the user.
 */
#define CLI_AUTH_STEP_PROMPT 1

/**
 * Something to tell the user.
 */
#define CLI_AUTH_STEP_EVENT 2

/**
 * Nothing yet.
 */
#define CLI_AUTH_STEP_WAITING 3

/**
 * The user approved.
 */
#define CLI_AUTH_STEP_AUTHORIZED 4

/**
 * What was found. Kinds are only ever added: step again at one that you do not know.
 *
 * @param step The step.
 * @return One of `CLI_AUTH_STEP_...`; 0 for NULL.
 */
int32_t cli_auth_step_kind(const cli_auth_step *step);

/**
 * `CLI_AUTH_STEP_WAITING`: how long nothing will happen. 0 while a request is under way: then step again, with a wait that
 * you can afford.
 *
 * Timers that stand still while the machine is suspended should not wait for longer than some seconds at a time.
 *
 * @param step The step.
 * @return Seconds; 0 for other kinds.
 */
double cli_auth_step_due_in(const cli_auth_step *step);

/**
 * `CLI_AUTH_STEP_EVENT`: the event.
 *
 * @param step The step.
 * @return The event, which lives as long as the step; NULL for other kinds.
 */
const cli_auth_event *cli_auth_step_event(const cli_auth_step *step);

/**
 * `CLI_AUTH_STEP_PROMPT`: the prompt.
 *
 * @param step The step.
 * @return A prompt, owned by the caller, for `cli_auth_prompt_free`; NULL for other kinds.
 */
cli_auth_prompt *cli_auth_step_prompt(const cli_auth_step *step);

/**
 * `CLI_AUTH_STEP_AUTHORIZED`: the tokens.
 *
 * @param step The step.
 * @return Tokens, owned by the caller, for `cli_auth_tokens_free`; NULL for other kinds.
 */
cli_auth_tokens *cli_auth_step_tokens(const cli_auth_step *step);

/**
 * Frees a step, and with it the event that it lent.
 *
 * @param step The step, or NULL.
 */
void cli_auth_step_free(cli_auth_step *step);

/** @} */

/**
 * @defgroup cli_auth_tokens Tokens
 * @{
 */

/**
 * The token for the API in clear text, to be sent as `Authorization: Bearer ...` over TLS, and only to the API that it is
 * for.
 *
 * @param tokens The tokens.
 * @return The secret; NULL for NULL.
 */
const char *cli_auth_tokens_expose_access_token(const cli_auth_tokens *tokens);

/**
 * The token for `cli_auth_client_refresh` in clear text. After a refresh without a new one, the old one.
 *
 * @param tokens The tokens.
 * @return The secret, or NULL where the server gave none: many give one only for the scope `offline_access`.
 */
const char *cli_auth_tokens_expose_refresh_token(const cli_auth_tokens *tokens);

/**
 * The OpenID Connect ID token in clear text, **unverified**: read no identity from it before you checked it (signature, `iss`,
 * `aud`, `exp`; OpenID Connect Core section 3.1.3.7).
 *
 * @param tokens The tokens.
 * @return The secret, or NULL where the server gave none.
 */
const char *cli_auth_tokens_expose_id_token(const cli_auth_tokens *tokens);

/**
 * Whether there is a refresh token.
 *
 * @param tokens The tokens.
 * @return Whether; false for NULL.
 */
bool cli_auth_tokens_has_refresh_token(const cli_auth_tokens *tokens);

/**
 * Whether there is an ID token.
 *
 * @param tokens The tokens.
 * @return Whether; false for NULL.
 */
bool cli_auth_tokens_has_id_token(const cli_auth_tokens *tokens);

/**
 * The token type as the server spelled it: some spelling of `Bearer`.
 *
 * @param tokens The tokens.
 * @return The type; NULL for NULL.
 */
const char *cli_auth_tokens_token_type(const cli_auth_tokens *tokens);

/**
 * What was granted, in the server's order. Where the server names nothing, these are the scopes that were asked for (RFC 6749
 * section 5.1).
 *
 * @param tokens The tokens.
 * @return An array that ends with NULL, or NULL where neither the server nor the client named a scope.
 */
const char *const *cli_auth_tokens_scopes(const cli_auth_tokens *tokens);

/**
 * The access token's lifetime when it was given out.
 *
 * @param tokens The tokens.
 * @param[out] seconds The lifetime, written only where it is known.
 * @return Whether it is known. Unknown is neither zero nor for ever.
 */
bool cli_auth_tokens_expires_in(const cli_auth_tokens *tokens, double *seconds);

/**
 * When the access token ends, by this machine's clock or, where the server named no lifetime, by the token's own `exp`.
 * Counted from before the request left, so it is never too late by the time that the response took.
 *
 * @param tokens The tokens.
 * @param[out] unix_seconds Seconds since 1970-01-01 00:00 UTC, written only where it is known.
 * @return Whether it is known.
 */
bool cli_auth_tokens_expires_at(const cli_auth_tokens *tokens,
                                double *unix_seconds);

/**
 * WorkOS AuthKit: the id of the user, such as `user_01H...`, raw.
 *
 * @param tokens The tokens.
 * @return The id, or NULL with other servers: their ID token tells who it is, once verified.
 */
const char *cli_auth_tokens_user_id(const cli_auth_tokens *tokens);

/**
 * WorkOS AuthKit: the id of the organization that the user logged in to, raw.
 *
 * @param tokens The tokens.
 * @return The id, or NULL.
 */
const char *cli_auth_tokens_organization_id(const cli_auth_tokens *tokens);

/**
 * The names of all other members of the server's response, sorted, raw.
 *
 * @param tokens The tokens.
 * @return An array that ends with NULL; NULL for NULL.
 */
const char *const *cli_auth_tokens_other_names(const cli_auth_tokens *tokens);

/**
 * Any other member of the response, as raw JSON. A secret, since it may be one (AuthKit: tokens of an identity provider).
 *
 * @param tokens The tokens.
 * @param name The member's name.
 * @return The JSON text, or NULL where the response has no such member.
 */
const char *cli_auth_tokens_expose_other(const cli_auth_tokens *tokens,
                                         const char *name);

/**
 * Frees tokens, and overwrites what of them was exposed.
 *
 * @param tokens The tokens, or NULL.
 */
void cli_auth_tokens_free(cli_auth_tokens *tokens);

/** @} */

/**
 * @defgroup cli_auth_request Requests
 * @{
 */

/**
 * Waits for the response.
 *
 * @param request The request.
 * @param max_wait At most so many seconds; 0 or less only looks, INFINITY waits as long as it takes.
 * @param[out] done Whether the response is there. It is returned once. Written only on success.
 * @param[out] tokens The new tokens of a refresh, written only with `done`; owned by the caller. May be NULL for a revocation.
 * @param[out] error Why not, written only then; owned by the caller. May be NULL.
 * @return As `cli_auth_client_refresh` or `cli_auth_client_revoke`. `CLI_AUTH_CANCELLED` after `cli_auth_request_cancel`,
 * `CLI_AUTH_BUSY` while another thread steps it, `CLI_AUTH_FORKED` in a forked child.
 */
cli_auth_status cli_auth_request_step(cli_auth_request *request,
                                      double max_wait,
                                      bool *done,
                                      cli_auth_tokens **tokens,
                                      cli_auth_error **error);

/**
 * Ends a request: the step that waits for it returns `CLI_AUTH_CANCELLED` at once, and so does every later one. A response
 * that is there already is still returned. Whether the server saw the request is not known.
 *
 * Wait-free; callable from every thread, and from a signal handler. It leaves `errno` as it was.
 *
 * @param request The request, or NULL.
 */
void cli_auth_request_cancel(const cli_auth_request *request);

/**
 * Frees a request, and ends it. Not while another thread is inside a call with it, `cli_auth_request_cancel` included.
 *
 * @param request The request, or NULL.
 */
void cli_auth_request_free(cli_auth_request *request);

/** @} */

/**
 * @defgroup cli_auth_claim Claims
 * @{
 */

/**
 * Makes one call of a package the one that drives a login.
 *
 * Claims are only for packages of other languages, which wait outside of this library between the steps of one call. Such a call
 * claims the login at its begin, drives it with `cli_auth_claim_step`, and ends with `cli_auth_claim_release`, whatever happened
 * in between. Programs in C need none of this: `cli_auth_login_start`, `_poll` and `_step` claim the login by themselves.
 *
 * @param login The login.
 * @param number A number for this call: not 0, below 2^63, and none that another call uses on this login at the same time.
 * @param[out] error Why not, written only then; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK`; `CLI_AUTH_BUSY` while another call drives it, `CLI_AUTH_FORKED` in a forked child.
 */
cli_auth_status cli_auth_claim_login(cli_auth_login *login,
                                     uint64_t number,
                                     cli_auth_error **error);

/**
 * Whether polling makes sense: `cli_auth_login_start` succeeded, or the login has ended.
 *
 * @param login The login.
 * @param number The number of the call that has the claim.
 * @param[out] error Why not, written only then; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`: the user has not seen the code.
 */
cli_auth_status cli_auth_claim_check_started(cli_auth_login *login, uint64_t number, cli_auth_error **error);

/**
 * As `cli_auth_login_step`, for the call that has the claim. Tokens that it returns count as accepted with
 * `cli_auth_claim_release`; until then `cli_auth_claim_abandon` revokes them.
 *
 * @param login The login.
 * @param number The number of the call that has the claim.
 * @param max_wait At most so many seconds, as for `cli_auth_login_step`.
 * @param[out] step What was found, written only on success; owned by the caller.
 * @param[out] error Why not, written only then; owned by the caller. May be NULL.
 * @return `CLI_AUTH_OK` with a step, or how the login ended. `CLI_AUTH_BUSY` where this call does not have the claim.
 */
cli_auth_status cli_auth_claim_step(cli_auth_login *login,
                                    uint64_t number,
                                    double max_wait,
                                    cli_auth_step **step,
                                    cli_auth_error **error);

/**
 * Cancels a login. Tokens that have come and were not accepted are revoked where the server can, which may take two seconds: by
 * this call where it has the claim or nothing else has, otherwise by the call that has it.
 *
 * @param login The login, or NULL.
 * @param number The number of the call.
 */
void cli_auth_claim_abandon(cli_auth_login *login,
                            uint64_t number);

/**
 * Ends a claim: other calls can drive the login. Changes nothing where this call does not have it.
 *
 * @param login The login, or NULL.
 * @param number The number of the call.
 */
void cli_auth_claim_release(cli_auth_login *login, uint64_t number);

/** @} */

/**
 * @defgroup cli_auth_error Errors
 * @{
 */

/**
 * What to do next.
 *
 * @param error The error.
 * @return The status that the call returned; `CLI_AUTH_OK` for NULL.
 */
cli_auth_status cli_auth_error_status(const cli_auth_error *error);

/**
 * The status in snake_case: `denied`, `network`, ...
 *
 * @param error The error.
 * @return A text that lives as long as the program; `ok` for NULL.
 */
const char *cli_auth_error_kind(const cli_auth_error *error);

/**
 * A sentence for the user: what happened and what to do next. It holds no secret, and what of it came
 * from the server is sanitised.
 *
 * @param error The error.
 * @return The sentence; an empty text for NULL.
 */
const char *cli_auth_error_message(const cli_auth_error *error);

/**
 * The server's error code as it came (RFC 6749 section 5.2, RFC 8628 section 3.5), or WorkOS's `code`. Raw, apart from
 * masked secrets: `cli_auth_sanitize` it before printing.
 *
 * @param error The error.
 * @return The code, or NULL where there was none.
 */
const char *cli_auth_error_oauth_error(const cli_auth_error *error);

/**
 * The server's own words, sanitised. The message holds them already.
 *
 * @param error The error.
 * @return The words, or NULL where the server said nothing.
 */
const char *cli_auth_error_description(const cli_auth_error *error);

/**
 * The HTTP status of the response that ended it.
 *
 * @param error The error.
 * @return The status, or 0 where there was no response.
 */
int32_t cli_auth_error_http_status(const cli_auth_error *error);

/**
 * The server's name for the request (`x-request-id`), sanitised: what its support will ask for.
 *
 * @param error The error.
 * @return The name, or NULL.
 */
const char *cli_auth_error_request_id(const cli_auth_error *error);

/**
 * How long the server asked to wait before the next request (RFC 9110 section 10.2.3). As large as the server said: cap it.
 *
 * @param error The error.
 * @param[out] seconds The wait, written only where there is one.
 * @return Whether the server asked.
 */
bool cli_auth_error_retry_after(const cli_auth_error *error,
                                double *seconds);

/**
 * The ids of the organizations to choose from, when the server named them with `CLI_AUTH_ACTION_REQUIRED`. Raw.
 *
 * @param error The error.
 * @return An array that ends with NULL, or NULL where the server named none.
 */
const char *const *cli_auth_error_organization_ids(const cli_auth_error *error);

/**
 * The names of the same organizations, in the same order. Raw.
 *
 * @param error The error.
 * @return An array that ends with NULL, or NULL where the server named none.
 */
const char *const *cli_auth_error_organization_names(const cli_auth_error *error);

/**
 * WorkOS's `pending_authentication_token` in clear text: the secret with which a component that holds the WorkOS API key can
 * complete the step. A tool on a user's machine cannot: let the user log in again.
 *
 * @param error The error.
 * @return The secret, overwritten when the error is freed; NULL where there is none.
 */
const char *cli_auth_error_expose_pending_authentication_token(const cli_auth_error *error);

/**
 * Frees an error.
 *
 * @param error The error, or NULL.
 */
void cli_auth_error_free(cli_auth_error *error);

/** @} */

/**
 * @defgroup cli_auth_text Texts
 * @{
 */

/**
 * A text of a server as it may be shown in a terminal: without control, invisible and direction characters (they become
 * U+FFFD), and cut after 2,000 characters.
 *
 * What `cli_auth_error_message`, `cli_auth_error_description` and `cli_auth_prompt_text` give is sanitised already. What is
 * called raw is not.
 *
 * @param text The text. Bytes that are not UTF-8 become U+FFFD.
 * @return A text, owned by the caller, for `cli_auth_string_free`; NULL for NULL.
 */
char *cli_auth_sanitize(const char *text);

/**
 * Frees a text that this library gave away: a `char *`, never a `const char *`.
 *
 * @param text The text, or NULL.
 */
void cli_auth_string_free(char *text);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
