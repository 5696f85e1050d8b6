/* What a C program can get wrong: everything is answered by a status, nothing crashes, and nothing is sent. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "server.h"
#include "system.h"

#define NOT_UTF8 "caf\xe9"

/* What an output holds that was not written. */
static char mark;
#define UNTOUCHED(type) ((type *)(void *)&mark)

static void null_settings(void)
{
    CHECK_STATUS(cli_auth_client_options_set_api_base(NULL, "https://a.example"), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_set_device_authorization_endpoint(NULL, "https://a.example"), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_set_token_endpoint(NULL, "https://a.example"), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_set_revocation_endpoint(NULL, "https://a.example"), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_add_scope(NULL, "a"), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_add_param(NULL, "a", "b"), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_add_token_param(NULL, "a", "b"), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_add_refresh_param(NULL, "a", "b"), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_verify_id_token(NULL, true), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_set_pkce(NULL, CLI_AUTH_PKCE_AUTO), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_add_header(NULL, "a", "b"), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_add_ca_pem(NULL, "a", 1), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_set_proxy(NULL, "http://a.example"), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_set_product(NULL, "a"), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_set_client_secret(NULL, "a", 0), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_set_connect_timeout(NULL, 1), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_set_read_timeout(NULL, 1), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_set_request_timeout(NULL, 1), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_set_login_timeout(NULL, 1), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_allow_insecure_loopback(NULL, true), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_refresh_options_add_scope(NULL, "a"), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_refresh_options_add_param(NULL, "a", "b"), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_refresh_options_set_subject(NULL, "a"), CLI_AUTH_MISUSE);
}

static void null_calls(void)
{
    bool done = true;
    cli_auth_prompt *prompt = UNTOUCHED(cli_auth_prompt);
    cli_auth_tokens *tokens = UNTOUCHED(cli_auth_tokens);
    cli_auth_step *step = UNTOUCHED(cli_auth_step);
    cli_auth_identity *identity = UNTOUCHED(cli_auth_identity);
    cli_auth_error *error = NULL;

    CHECK(cli_auth_client_new(NULL, &error) == NULL);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK(cli_auth_login_new(NULL, &error) == NULL);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK(cli_auth_client_begin_refresh(NULL, "a", NULL, &error) == NULL);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK(cli_auth_client_begin_revoke(NULL, "a", &error) == NULL);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK(cli_auth_client_begin_userinfo(NULL, "a", NULL, &error) == NULL);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_refresh(NULL, "a", NULL, &tokens, &error), CLI_AUTH_MISUSE);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_revoke(NULL, "a", &error), CLI_AUTH_MISUSE);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_userinfo(NULL, "a", NULL, &identity, &error), CLI_AUTH_MISUSE);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_login_start(NULL, &prompt, &error), CLI_AUTH_MISUSE);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_login_poll(NULL, NULL, NULL, &tokens, &error), CLI_AUTH_MISUSE);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_login_step(NULL, 0, &step, &error), CLI_AUTH_MISUSE);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_request_step(NULL, 0, &done, &tokens, &error), CLI_AUTH_MISUSE);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK(done && prompt == UNTOUCHED(cli_auth_prompt) && tokens == UNTOUCHED(cli_auth_tokens) &&
          step == UNTOUCHED(cli_auth_step) && identity == UNTOUCHED(cli_auth_identity));
    CHECK(cli_auth_request_identity(NULL) == NULL);

    cli_auth_login_cancel(NULL);
    cli_auth_request_cancel(NULL);
}

static void null_prompts_and_events(void)
{
    const char *why = NULL;

    CHECK(cli_auth_login_prompt(NULL) == NULL);
    CHECK(cli_auth_prompt_user_code(NULL) == NULL);
    CHECK(cli_auth_prompt_verification_uri(NULL) == NULL);
    CHECK(cli_auth_prompt_verification_uri_complete(NULL) == NULL);
    CHECK_BETWEEN(cli_auth_prompt_expires_in(NULL), 0, 0);
    CHECK(cli_auth_prompt_host(NULL) == NULL);
    CHECK(cli_auth_prompt_product(NULL) == NULL);
    CHECK_TEXT(cli_auth_prompt_text(NULL), "");
    CHECK_TEXT(cli_auth_prompt_text_for_stderr(NULL), "");
    CHECK(cli_auth_prompt_text_wrapped(NULL, 80) == NULL);
    CHECK(!cli_auth_prompt_open_browser(NULL, NULL));
    CHECK(!cli_auth_prompt_open_browser(NULL, &why));
    CHECK(why != NULL && strlen(why) > 5);

    CHECK_NUMBER(cli_auth_step_kind(NULL), 0);
    CHECK_BETWEEN(cli_auth_step_due_in(NULL), 0, 0);
    CHECK(cli_auth_step_event(NULL) == NULL);
    CHECK(cli_auth_step_prompt(NULL) == NULL);
    CHECK(cli_auth_step_tokens(NULL) == NULL);

    CHECK_NUMBER(cli_auth_event_kind(NULL), 0);
    CHECK_BETWEEN(cli_auth_event_next_poll_in(NULL), 0, 0);
    CHECK_BETWEEN(cli_auth_event_expires_in(NULL), 0, 0);
    CHECK_BETWEEN(cli_auth_event_interval(NULL), 0, 0);
    CHECK(cli_auth_event_reason(NULL) == NULL);
    CHECK_NUMBER(cli_auth_event_attempt(NULL), 0);
    CHECK_BETWEEN(cli_auth_event_retry_in(NULL), 0, 0);
    CHECK(cli_auth_event_request_id(NULL) == NULL);
    CHECK_BETWEEN(cli_auth_event_suspended_for(NULL), 0, 0);
    CHECK(cli_auth_event_message(NULL) == NULL);
}

static void null_tokens_and_errors(void)
{
    double seconds = -7;

    CHECK(cli_auth_tokens_expose_access_token(NULL) == NULL);
    CHECK(cli_auth_tokens_expose_refresh_token(NULL) == NULL);
    CHECK(cli_auth_tokens_expose_id_token(NULL) == NULL);
    CHECK(!cli_auth_tokens_has_refresh_token(NULL) && !cli_auth_tokens_has_id_token(NULL));
    CHECK(cli_auth_tokens_token_type(NULL) == NULL);
    CHECK(cli_auth_tokens_scopes(NULL) == NULL);
    CHECK(!cli_auth_tokens_expires_in(NULL, &seconds) && !cli_auth_tokens_expires_in(NULL, NULL));
    CHECK(!cli_auth_tokens_expires_at(NULL, &seconds) && !cli_auth_tokens_expires_at(NULL, NULL));
    CHECK(cli_auth_tokens_identity(NULL) == NULL);
    CHECK(cli_auth_tokens_other_names(NULL) == NULL);
    CHECK(cli_auth_tokens_expose_other(NULL, "a") == NULL && cli_auth_tokens_expose_other(NULL, NULL) == NULL);

    CHECK_STATUS(cli_auth_error_status(NULL), CLI_AUTH_OK);
    CHECK_TEXT(cli_auth_error_kind(NULL), "ok");
    CHECK_TEXT(cli_auth_error_message(NULL), "");
    CHECK(cli_auth_error_oauth_error(NULL) == NULL && cli_auth_error_description(NULL) == NULL);
    CHECK(cli_auth_error_request_id(NULL) == NULL && cli_auth_error_detail(NULL) == NULL);
    CHECK_NUMBER(cli_auth_error_http_status(NULL), 0);
    CHECK(!cli_auth_error_retry_after(NULL, &seconds) && !cli_auth_error_retry_after(NULL, NULL));
    CHECK(cli_auth_error_organization_ids(NULL) == NULL && cli_auth_error_organization_names(NULL) == NULL);
    CHECK(cli_auth_error_expose_pending_authentication_token(NULL) == NULL);
    CHECK(cli_auth_error_member_names(NULL) == NULL);
    CHECK(cli_auth_error_expose_member(NULL, "a") == NULL && cli_auth_error_expose_member(NULL, NULL) == NULL);
    CHECK_BETWEEN(seconds, -7, -7);
    CHECK(cli_auth_sanitize(NULL) == NULL);
}

static void null_identities(void)
{
    bool verified = true;

    CHECK(cli_auth_identity_subject(NULL) == NULL);
    CHECK(cli_auth_identity_email(NULL) == NULL);
    CHECK(!cli_auth_identity_email_verified(NULL, &verified) && !cli_auth_identity_email_verified(NULL, NULL));
    CHECK(verified);
    CHECK(cli_auth_identity_name(NULL) == NULL);
    CHECK(cli_auth_identity_organization_id(NULL) == NULL);
    CHECK(cli_auth_identity_claim_names(NULL) == NULL);
    CHECK(cli_auth_identity_claim(NULL, "a") == NULL && cli_auth_identity_claim(NULL, NULL) == NULL);
}

static void null_everywhere(void)
{
    null_settings();
    null_calls();
    null_prompts_and_events();
    null_tokens_and_errors();
    null_identities();

    cli_auth_string_free(NULL);
    cli_auth_client_options_free(NULL);
    cli_auth_client_free(NULL);
    cli_auth_login_free(NULL);
    cli_auth_request_free(NULL);
    cli_auth_refresh_options_free(NULL);
    cli_auth_identity_free(NULL);
    cli_auth_prompt_free(NULL);
    cli_auth_step_free(NULL);
    cli_auth_tokens_free(NULL);
    cli_auth_error_free(NULL);
}

/* Outputs that have to be there, on handles that live. */
static void null_outputs(void)
{
    struct server server = server_new("{\"answer\":\"approve\"}");
    cli_auth_client *client = client_of(server_authkit(&server));
    cli_auth_login *login = cli_auth_login_new(client, NULL);
    cli_auth_request *request = cli_auth_client_begin_refresh(client, "a", NULL, NULL);
    cli_auth_tokens *tokens = UNTOUCHED(cli_auth_tokens);
    cli_auth_identity *identity = UNTOUCHED(cli_auth_identity);
    cli_auth_error *error = NULL;

    CHECK_STATUS(cli_auth_login_start(login, NULL, &error), CLI_AUTH_MISUSE);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_login_start(login, NULL, NULL), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, NULL, NULL), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_login_step(login, 0, NULL, NULL), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_refresh(client, "a", NULL, NULL, NULL), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_refresh(client, NULL, NULL, &tokens, NULL), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_revoke(client, NULL, NULL), CLI_AUTH_MISUSE);
    CHECK(cli_auth_client_begin_refresh(client, NULL, NULL, NULL) == NULL);
    CHECK(cli_auth_client_begin_revoke(client, NULL, NULL) == NULL);
    CHECK_STATUS(cli_auth_client_userinfo(client, "a", NULL, NULL, NULL), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_userinfo(client, NULL, NULL, &identity, NULL), CLI_AUTH_MISUSE);
    CHECK(cli_auth_client_begin_userinfo(client, NULL, NULL, NULL) == NULL);
    CHECK_STATUS(cli_auth_request_step(request, 0, NULL, &tokens, NULL), CLI_AUTH_MISUSE);
    CHECK(tokens == UNTOUCHED(cli_auth_tokens) && identity == UNTOUCHED(cli_auth_identity));
    CHECK_NUMBER(server_count(&server, "device") + server_count(&server, "token"), 0);
    CHECK_NUMBER(server_count(&server, "refresh") + server_count(&server, "userinfo"), 0);

    cli_auth_request_free(request);
    cli_auth_login_free(login);
    cli_auth_client_free(client);
    server_free(&server);
}

/* What cli_auth_client_new says of options, which are freed. The message names this, unless it is NULL. */
static cli_auth_status refusal_naming(cli_auth_client_options *options, const char *name)
{
    cli_auth_error *error = NULL;
    cli_auth_status status = CLI_AUTH_OK;
    cli_auth_client *client = cli_auth_client_new(options, &error);

    if (client == NULL) {
        status = cli_auth_error_status(error);
        CHECK(strlen(cli_auth_error_message(error)) > 10);
        CHECK(name == NULL || strstr(cli_auth_error_message(error), name) != NULL);
        CHECK_TEXT(cli_auth_error_kind(error), cli_auth_status_name(status));
    }
    cli_auth_error_free(error);
    cli_auth_client_free(client);
    cli_auth_client_options_free(options);
    return status;
}

static cli_auth_status refusal(cli_auth_client_options *options)
{
    return refusal_naming(options, NULL);
}

static cli_auth_client_options *authkit(void)
{
    return cli_auth_client_options_authkit("client_test");
}

static void not_utf8(void)
{
    cli_auth_client *client = client_of(authkit());
    cli_auth_tokens *tokens = UNTOUCHED(cli_auth_tokens);
    cli_auth_identity *identity = UNTOUCHED(cli_auth_identity);
    cli_auth_client_options *options;
    char *safe;

    CHECK_STATUS(refusal(cli_auth_client_options_authkit(NOT_UTF8)), CLI_AUTH_MISUSE);
    CHECK_STATUS(refusal(cli_auth_client_options_authkit(NULL)), CLI_AUTH_MISUSE);
    CHECK_STATUS(refusal(cli_auth_client_options_workos_connect(NOT_UTF8, "c")), CLI_AUTH_MISUSE);
    CHECK_STATUS(refusal(cli_auth_client_options_workos_connect("a.example", NULL)), CLI_AUTH_MISUSE);
    CHECK_STATUS(refusal(cli_auth_client_options_for_issuer(NULL, "c")), CLI_AUTH_MISUSE);
    CHECK_STATUS(refusal(cli_auth_client_options_with_endpoints("https://a.example/d", NOT_UTF8, "c")),
                 CLI_AUTH_MISUSE);
#define REFUSED(call)                                 \
    options = authkit();                              \
    CHECK_STATUS((call), CLI_AUTH_MISUSE);            \
    CHECK_STATUS(refusal(options), CLI_AUTH_MISUSE)
    REFUSED(cli_auth_client_options_set_api_base(options, NOT_UTF8));
    REFUSED(cli_auth_client_options_set_api_base(options, NULL));
    REFUSED(cli_auth_client_options_set_device_authorization_endpoint(options, NOT_UTF8));
    REFUSED(cli_auth_client_options_set_device_authorization_endpoint(options, NULL));
    REFUSED(cli_auth_client_options_set_token_endpoint(options, NOT_UTF8));
    REFUSED(cli_auth_client_options_set_token_endpoint(options, NULL));
    REFUSED(cli_auth_client_options_set_revocation_endpoint(options, NOT_UTF8));
    REFUSED(cli_auth_client_options_add_scope(options, NULL));
    REFUSED(cli_auth_client_options_add_param(options, NOT_UTF8, "b"));
    REFUSED(cli_auth_client_options_add_param(options, "a", NOT_UTF8));
    REFUSED(cli_auth_client_options_add_param(options, NULL, "b"));
    REFUSED(cli_auth_client_options_add_token_param(options, "a", NOT_UTF8));
    REFUSED(cli_auth_client_options_add_token_param(options, NULL, "b"));
    REFUSED(cli_auth_client_options_add_refresh_param(options, "a", NOT_UTF8));
    REFUSED(cli_auth_client_options_add_refresh_param(options, NULL, "b"));
    REFUSED(cli_auth_client_options_set_pkce(options, -1));
    REFUSED(cli_auth_client_options_set_pkce(options, 3));
    REFUSED(cli_auth_client_options_add_header(options, "a", NOT_UTF8));
    REFUSED(cli_auth_client_options_add_header(options, "a", NULL));
    REFUSED(cli_auth_client_options_add_ca_pem(options, NULL, 0));
    REFUSED(cli_auth_client_options_add_ca_pem(options, NULL, 99));
    REFUSED(cli_auth_client_options_set_proxy(options, NOT_UTF8));
    REFUSED(cli_auth_client_options_set_product(options, NULL));
    REFUSED(cli_auth_client_options_set_client_secret(options, NOT_UTF8, CLI_AUTH_CLIENT_SECRET_AUTO));
    REFUSED(cli_auth_client_options_set_client_secret(options, "a", -1));
    REFUSED(cli_auth_client_options_set_client_secret(options, "a", 3));
    REFUSED(cli_auth_client_options_set_client_secret(options, "a", INT32_MAX));
#undef REFUSED

    CHECK_STATUS(cli_auth_client_refresh(client, NOT_UTF8, NULL, &tokens, NULL), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_revoke(client, NOT_UTF8, NULL), CLI_AUTH_MISUSE);
    CHECK(cli_auth_client_begin_refresh(client, NOT_UTF8, NULL, NULL) == NULL);
    CHECK(cli_auth_client_begin_revoke(client, NOT_UTF8, NULL) == NULL);
    CHECK_STATUS(cli_auth_client_userinfo(client, NOT_UTF8, NULL, &identity, NULL), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_userinfo(client, "a", NOT_UTF8, &identity, NULL), CLI_AUTH_MISUSE);
    CHECK(cli_auth_client_begin_userinfo(client, NOT_UTF8, NULL, NULL) == NULL);
    CHECK(cli_auth_client_begin_userinfo(client, "a", NOT_UTF8, NULL) == NULL);
    CHECK(tokens == UNTOUCHED(cli_auth_tokens) && identity == UNTOUCHED(cli_auth_identity));
    safe = cli_auth_sanitize(NOT_UTF8);
    CHECK_TEXT(safe, "caf\xef\xbf\xbd");
    cli_auth_string_free(safe);
    cli_auth_client_free(client);
}

static void times(void)
{
    static cli_auth_status (*const setters[])(cli_auth_client_options *, double) = {
        cli_auth_client_options_set_connect_timeout, cli_auth_client_options_set_read_timeout,
        cli_auth_client_options_set_request_timeout, cli_auth_client_options_set_login_timeout};
    static const char *const names[] = {"connect timeout", "read timeout", "request timeout", "login timeout"};
    static const double wrong[] = {(double)NAN, -1, -1e-9, -(double)INFINITY, 1e300};
    struct server server = server_new("{}");
    cli_auth_client *client = client_of(server_authkit(&server));
    cli_auth_login *login = cli_auth_login_new(client, NULL);
    cli_auth_request *request = cli_auth_client_begin_refresh(client, "a", NULL, NULL);
    cli_auth_step *step = UNTOUCHED(cli_auth_step);
    cli_auth_tokens *tokens = UNTOUCHED(cli_auth_tokens);
    bool done;

    for (size_t i = 0; i < sizeof setters / sizeof *setters; i++) {
        cli_auth_client_options *options;

        for (size_t j = 0; j < sizeof wrong / sizeof *wrong; j++) {
            options = authkit();
            CHECK_STATUS(setters[i](options, wrong[j]), CLI_AUTH_INVALID_CONFIG);
            CHECK_STATUS(refusal_naming(options, names[i]), CLI_AUTH_INVALID_CONFIG);
        }
        options = authkit();
        CHECK_STATUS(setters[i](options, 0), CLI_AUTH_OK);
        CHECK_STATUS(refusal(options), CLI_AUTH_INVALID_CONFIG);
        options = authkit();
        CHECK_STATUS(setters[i](options, 86400), CLI_AUTH_OK);
        CHECK_STATUS(refusal(options), CLI_AUTH_OK);
        options = authkit();
        setters[i](options, 1e15);
        CHECK_STATUS(refusal(options), setters[i] == cli_auth_client_options_set_login_timeout
                                           ? CLI_AUTH_OK
                                           : CLI_AUTH_INVALID_CONFIG);
    }
    CHECK_STATUS(cli_auth_login_step(login, (double)NAN, &step, NULL), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_request_step(request, (double)NAN, &done, &tokens, NULL), CLI_AUTH_MISUSE);
    CHECK(step == UNTOUCHED(cli_auth_step) && tokens == UNTOUCHED(cli_auth_tokens));
    CHECK_NUMBER(server_count(&server, "device"), 0);
    /* What is over already is no wait, and a wait may be longer than can be counted. */
    CHECK_STATUS(cli_auth_login_step(login, -1e-9, &step, NULL), CLI_AUTH_OK);
    CHECK_NUMBER(cli_auth_step_kind(step), CLI_AUTH_STEP_WAITING);
    cli_auth_step_free(step);
    CHECK_STATUS(cli_auth_login_step(login, -(double)INFINITY, &step, NULL), CLI_AUTH_OK);
    cli_auth_step_free(step);
    CHECK_STATUS(cli_auth_login_step(login, 1e300, &step, NULL), CLI_AUTH_OK);
    CHECK_NUMBER(cli_auth_step_kind(step), CLI_AUTH_STEP_PROMPT);
    cli_auth_step_free(step);
    cli_auth_request_free(request);
    cli_auth_login_free(login);
    cli_auth_client_free(client);
    server_free(&server);
}

/* The first refusal counts; what comes after it neither hides nor heals it. */
static void refusals_are_remembered(void)
{
    cli_auth_client_options *options = authkit();

    CHECK_STATUS(cli_auth_client_options_set_login_timeout(options, -1), CLI_AUTH_INVALID_CONFIG);
    CHECK_STATUS(cli_auth_client_options_add_scope(options, NOT_UTF8), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_client_options_set_login_timeout(options, 5), CLI_AUTH_OK);
    for (int i = 0; i < 2; i++) {
        cli_auth_error *error = NULL;
        CHECK(cli_auth_client_new(options, &error) == NULL);
        CHECK_ERROR(error, CLI_AUTH_INVALID_CONFIG);
    }
    cli_auth_client_options_free(options);

    options = cli_auth_client_options_workos_connect(NULL, "c");
    CHECK_STATUS(cli_auth_client_options_set_login_timeout(options, -1), CLI_AUTH_INVALID_CONFIG);
    CHECK_STATUS(refusal(options), CLI_AUTH_MISUSE);
    /* Values are looked at when the client is made. */
    options = cli_auth_client_options_for_issuer("ftp://a.example", "c");
    CHECK_STATUS(refusal(options), CLI_AUTH_INVALID_CONFIG);
    options = authkit();
    CHECK_STATUS(cli_auth_client_options_add_ca_pem(options, "no certificate", 14), CLI_AUTH_OK);
    CHECK_STATUS(refusal(options), CLI_AUTH_INVALID_CONFIG);
    options = authkit();
    CHECK_STATUS(cli_auth_client_options_add_refresh_param(options, "grant_type", "a"), CLI_AUTH_OK);
    CHECK_STATUS(refusal_naming(options, "grant_type"), CLI_AUTH_INVALID_CONFIG);
    options = authkit();
    CHECK_STATUS(cli_auth_client_options_add_refresh_param(options, "a", "1"), CLI_AUTH_OK);
    CHECK_STATUS(cli_auth_client_options_add_refresh_param(options, "a", "2"), CLI_AUTH_OK);
    CHECK_STATUS(refusal(options), CLI_AUTH_INVALID_CONFIG);
    /* The length of a file that could not be measured: nothing is read. */
    options = authkit();
    CHECK_STATUS(cli_auth_client_options_add_ca_pem(options, "", (size_t)-1), CLI_AUTH_INVALID_CONFIG);
    CHECK_STATUS(refusal(options), CLI_AUTH_INVALID_CONFIG);
}

static cli_auth_status add_twice(cli_auth_refresh_options *options, const char *name)
{
    CHECK_STATUS(cli_auth_refresh_options_add_param(options, name, "1"), CLI_AUTH_OK);
    return cli_auth_refresh_options_add_param(options, name, "2");
}

/* A refresh fails with the first error of its options, and sends nothing. */
static void refused_refresh_options(void)
{
    struct server server = server_new("{}");
    cli_auth_client *client = client_of(server_authkit(&server));
    cli_auth_tokens *tokens = UNTOUCHED(cli_auth_tokens);
    cli_auth_refresh_options *options;
    cli_auth_error *error = NULL;

#define REFUSED(call, status, want)                                                                  \
    options = cli_auth_refresh_options_new();                                                        \
    CHECK_STATUS((call), (status));                                                                  \
    CHECK_STATUS(cli_auth_refresh_options_add_scope(options, "a"), CLI_AUTH_OK);                     \
    CHECK_STATUS(cli_auth_client_refresh(client, "a", options, &tokens, &error), (want));            \
    CHECK_ERROR(error, (want));                                                                      \
    CHECK_STATUS(cli_auth_client_refresh(client, "a", options, &tokens, NULL), (want));              \
    CHECK(cli_auth_client_begin_refresh(client, "a", options, &error) == NULL);                      \
    CHECK_ERROR(error, (want));                                                                      \
    cli_auth_refresh_options_free(options)
    REFUSED(cli_auth_refresh_options_add_scope(options, NULL), CLI_AUTH_MISUSE, CLI_AUTH_MISUSE);
    REFUSED(cli_auth_refresh_options_add_scope(options, NOT_UTF8), CLI_AUTH_MISUSE, CLI_AUTH_MISUSE);
    REFUSED(cli_auth_refresh_options_add_param(options, NULL, "b"), CLI_AUTH_MISUSE, CLI_AUTH_MISUSE);
    REFUSED(cli_auth_refresh_options_add_param(options, NOT_UTF8, "b"), CLI_AUTH_MISUSE, CLI_AUTH_MISUSE);
    REFUSED(cli_auth_refresh_options_add_param(options, "a", NULL), CLI_AUTH_MISUSE, CLI_AUTH_MISUSE);
    REFUSED(cli_auth_refresh_options_add_param(options, "a", NOT_UTF8), CLI_AUTH_MISUSE, CLI_AUTH_MISUSE);
    REFUSED(cli_auth_refresh_options_set_subject(options, NULL), CLI_AUTH_MISUSE, CLI_AUTH_MISUSE);
    REFUSED(cli_auth_refresh_options_set_subject(options, NOT_UTF8), CLI_AUTH_MISUSE, CLI_AUTH_MISUSE);
    /* Values are checked when they are used. */
    REFUSED(cli_auth_refresh_options_add_scope(options, "a b"), CLI_AUTH_OK, CLI_AUTH_INVALID_CONFIG);
    REFUSED(cli_auth_refresh_options_add_scope(options, ""), CLI_AUTH_OK, CLI_AUTH_INVALID_CONFIG);
    REFUSED(cli_auth_refresh_options_add_param(options, "refresh_token", "b"), CLI_AUTH_OK, CLI_AUTH_INVALID_CONFIG);
    REFUSED(cli_auth_refresh_options_add_param(options, "a", ""), CLI_AUTH_OK, CLI_AUTH_INVALID_CONFIG);
    REFUSED(add_twice(options, "audience"), CLI_AUTH_OK, CLI_AUTH_INVALID_CONFIG);
#undef REFUSED
    CHECK(tokens == UNTOUCHED(cli_auth_tokens));
    CHECK_NUMBER(server_count(&server, "refresh"), 0);
    cli_auth_client_free(client);
    server_free(&server);
}

/* Outputs are written only on success, an error only on failure, and nobody has to ask for it. */
static void outputs(void)
{
    struct server server = server_new("{\"answer\":\"deny\",\"interval\":1,\"script\":{\"device\":"
                                      "[\"unauthorized_client\"],\"refresh\":[\"invalid_grant\",\"invalid_grant\"]}}");
    cli_auth_client *client = client_of(server_authkit(&server));
    cli_auth_login *login = cli_auth_login_new(client, NULL);
    cli_auth_prompt *prompt = UNTOUCHED(cli_auth_prompt);
    cli_auth_tokens *tokens = UNTOUCHED(cli_auth_tokens);
    cli_auth_step *step = UNTOUCHED(cli_auth_step);
    cli_auth_error *error = NULL;

    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, &error), CLI_AUTH_MISUSE);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_login_start(login, &prompt, &error), CLI_AUTH_REJECTED);
    CHECK_ERROR(error, CLI_AUTH_REJECTED);
    CHECK_STATUS(cli_auth_login_start(login, &prompt, NULL), CLI_AUTH_REJECTED);
    CHECK_STATUS(cli_auth_login_step(login, 0, &step, NULL), CLI_AUTH_REJECTED);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, NULL), CLI_AUTH_REJECTED);
    CHECK_STATUS(cli_auth_client_refresh(client, "a", NULL, &tokens, &error), CLI_AUTH_LOGIN_REQUIRED);
    CHECK_ERROR(error, CLI_AUTH_LOGIN_REQUIRED);
    CHECK_STATUS(cli_auth_client_refresh(client, "a", NULL, &tokens, NULL), CLI_AUTH_LOGIN_REQUIRED);
    CHECK(prompt == UNTOUCHED(cli_auth_prompt) && tokens == UNTOUCHED(cli_auth_tokens) &&
          step == UNTOUCHED(cli_auth_step));
    CHECK(cli_auth_login_prompt(login) == NULL);
    cli_auth_login_free(login);

    login = cli_auth_login_new(client, NULL);
    error = UNTOUCHED(cli_auth_error);
    CHECK_STATUS(cli_auth_login_start(login, &prompt, &error), CLI_AUTH_OK);
    CHECK(error == UNTOUCHED(cli_auth_error));
    cli_auth_prompt_free(prompt);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, NULL), CLI_AUTH_DENIED);
    CHECK(tokens == UNTOUCHED(cli_auth_tokens));
    cli_auth_login_free(login);
    cli_auth_client_free(client);
    server_free(&server);
}

const struct test misuse_tests[] = {
    {"null_everywhere", null_everywhere},
    {"null_outputs", null_outputs},
    {"not_utf8", not_utf8},
    {"times", times},
    {"refusals_are_remembered", refusals_are_remembered},
    {"refused_refresh_options", refused_refresh_options},
    {"outputs", outputs},
    {NULL, NULL},
};
