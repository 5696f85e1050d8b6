/* What the functions of prompt, tokens and errors say, held against what the server said. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "server.h"
#include "system.h"

/* The error of a login at a server with these settings, polled if it starts. */
static cli_auth_error *failed(const char *settings)
{
    struct server server = server_new(settings);
    cli_auth_login *login = login_at(&server);
    cli_auth_prompt *prompt = NULL;
    cli_auth_tokens *tokens = NULL;
    cli_auth_error *error = NULL;
    cli_auth_status status = cli_auth_login_start(login, &prompt, &error);

    if (status == CLI_AUTH_OK)
        status = cli_auth_login_poll(login, NULL, NULL, &tokens, &error);
    CHECK(status != CLI_AUTH_OK && error != NULL);
    CHECK_STATUS(cli_auth_error_status(error), status);
    CHECK_TEXT(cli_auth_error_kind(error), cli_auth_status_name(status));
    CHECK(strlen(cli_auth_error_message(error)) > 15);
    cli_auth_prompt_free(prompt);
    cli_auth_login_free(login);
    server_free(&server);
    return error;
}

static void versions(void)
{
    char version[32];

    snprintf(version, sizeof version, "%d.%d.%d", CLI_AUTH_VERSION_MAJOR, CLI_AUTH_VERSION_MINOR, CLI_AUTH_VERSION_PATCH);
    CHECK_TEXT(CLI_AUTH_VERSION, version);
    CHECK_TEXT(cli_auth_version(), CLI_AUTH_VERSION);
    CHECK_NUMBER(cli_auth_abi_version(), CLI_AUTH_ABI_VERSION);
}

static void status_names(void)
{
    static const char *const names[] = {
        "ok",      "denied", "expired",          "cancelled",      "action_required", "rejected", "unsupported",
        "network", "tls",    "invalid_response", "invalid_config", "forked",          "busy",     "internal",
        "misuse",  "login_required", "proxy",    "store"};

    for (int32_t i = 0; i < (int32_t)(sizeof names / sizeof *names); i++)
        CHECK_TEXT(cli_auth_status_name(i), names[i]);
    CHECK_TEXT(cli_auth_status_name(-1), "unknown");
    CHECK_TEXT(cli_auth_status_name(9999), "unknown");
}

static void sanitizer(void)
{
    char *safe = cli_auth_sanitize("a\x1b[31mb\xe2\x80\xae" "c\x07" "d");
    char *long_text = malloc(100001);

    CHECK_TEXT(safe, "a\xef\xbf\xbd[31mb\xef\xbf\xbd" "c\xef\xbf\xbd" "d");
    cli_auth_string_free(safe);
    CHECK(long_text != NULL);
    memset(long_text, 'a', 100000);
    long_text[100000] = '\0';
    safe = cli_auth_sanitize(long_text);
    CHECK(strlen(safe) < 3000);
    cli_auth_string_free(safe);
    free(long_text);
    safe = cli_auth_sanitize("");
    CHECK_TEXT(safe, "");
    cli_auth_string_free(safe);
}

static void prompt_values(void)
{
    struct server server = server_new(
        "{\"expires_in\":600,\"script\":{\"device\":[{\"merge\":{\"user_code\":\"AB\\u001b-12\","
        "\"verification_uri\":\"https://login.example/device\",\"verification_uri_complete\":"
        "\"https://login.example/device?user_code=AB-12\"}},{\"remove\":[\"verification_uri_complete\"]}]}}");
    cli_auth_client_options *options = server_authkit(&server);
    cli_auth_client *client;
    cli_auth_login *login;
    cli_auth_prompt *prompt, *again;
    const char *why = "written";
    char *narrow, *least;

    CHECK_STATUS(cli_auth_client_options_set_product(options, "test-tool/7"), CLI_AUTH_OK);
    client = client_of(options);
    login = cli_auth_login_new(client, NULL);
    CHECK(cli_auth_login_prompt(login) == NULL);
    prompt = started(login);
    CHECK_TEXT(cli_auth_prompt_user_code(prompt), "AB\x1b-12");
    CHECK_TEXT(cli_auth_prompt_verification_uri(prompt), "https://login.example/device");
    CHECK_TEXT(cli_auth_prompt_verification_uri_complete(prompt), "https://login.example/device?user_code=AB-12");
    CHECK_BETWEEN(cli_auth_prompt_expires_in(prompt), 590, 600);
    CHECK_TEXT(cli_auth_prompt_host(prompt), "login.example");
    CHECK_TEXT(cli_auth_prompt_product(prompt), "test-tool");
    CHECK(strstr(cli_auth_prompt_text(prompt), "test-tool") != NULL);
    CHECK(strchr(cli_auth_prompt_text(prompt), '\x1b') == NULL);
    CHECK(cli_auth_prompt_text(prompt)[strlen(cli_auth_prompt_text(prompt)) - 1] == '\n');
    CHECK(strstr(cli_auth_prompt_text_for_stderr(prompt), "login.example") != NULL);
    CHECK(cli_auth_prompt_text_for_stderr(prompt) == cli_auth_prompt_text_for_stderr(prompt));
    narrow = cli_auth_prompt_text_wrapped(prompt, 0);
    least = cli_auth_prompt_text_wrapped(prompt, 24);
    CHECK_TEXT(narrow, least);
    CHECK(strcmp(narrow, cli_auth_prompt_text(prompt)) != 0);
    cli_auth_string_free(narrow);
    cli_auth_string_free(least);
    narrow = cli_auth_prompt_text_wrapped(prompt, UINT32_MAX);
    CHECK(strlen(narrow) > 40);
    cli_auth_string_free(narrow);

    /* Standard error is no terminal here. */
    CHECK(!cli_auth_prompt_open_browser(prompt, &why));
    CHECK(strlen(why) > 5 && strcmp(why, "written") != 0);
    CHECK(!cli_auth_prompt_open_browser(prompt, NULL));

    /* Called again, it is the same prompt. */
    again = started(login);
    CHECK(again != prompt);
    CHECK_TEXT(cli_auth_prompt_user_code(again), "AB\x1b-12");
    cli_auth_prompt_free(again);
    CHECK_NUMBER(server_count(&server, "device"), 1);
    cli_auth_prompt_free(prompt);
    cli_auth_login_free(login);
    cli_auth_client_free(client);

    login = login_at(&server);
    prompt = started(login);
    CHECK(cli_auth_prompt_verification_uri_complete(prompt) == NULL);
    CHECK(cli_auth_prompt_product(prompt) == NULL);
    cli_auth_prompt_free(prompt);
    cli_auth_login_free(login);
    server_free(&server);
}

static void tokens_of_authkit(void)
{
    struct server server = server_new("{\"answer\":\"approve\",\"interval\":1,\"user\":{\"id\":\"user_7\"},"
                                      "\"organizations\":[{\"id\":\"org_1\",\"name\":\"One\"}]}");
    cli_auth_login *login = login_at(&server);
    cli_auth_tokens *tokens = NULL;
    double expires_in, expires_at;

    start(login);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, NULL), CLI_AUTH_OK);
    CHECK(strlen(cli_auth_tokens_expose_access_token(tokens)) > 20);
    CHECK(cli_auth_tokens_has_refresh_token(tokens));
    CHECK(strlen(cli_auth_tokens_expose_refresh_token(tokens)) > 10);
    CHECK(!cli_auth_tokens_has_id_token(tokens) && cli_auth_tokens_expose_id_token(tokens) == NULL);
    CHECK_TEXT(cli_auth_tokens_token_type(tokens), "Bearer");
    CHECK(cli_auth_tokens_scopes(tokens) == NULL);
    CHECK(cli_auth_tokens_expires_in(tokens, &expires_in) && cli_auth_tokens_expires_in(tokens, NULL));
    CHECK_BETWEEN(expires_in, 280, 301);
    CHECK(cli_auth_tokens_expires_at(tokens, &expires_at) && cli_auth_tokens_expires_at(tokens, NULL));
    CHECK_BETWEEN(expires_at - (double)time(NULL), 280, 301);
    CHECK_TEXT(cli_auth_identity_subject(cli_auth_tokens_identity(tokens)), "user_7");
    cli_auth_tokens_free(tokens);
    cli_auth_login_free(login);
    server_free(&server);
}

/* Tokens as a refresh brings them: the script's answer, word for word. */
static void tokens_of_connect(void)
{
    struct server server = server_new(
        "{\"script\":{\"refresh\":[{\"json\":{\"access_token\":\"at-1\",\"token_type\":\"Bearer\",\"refresh_token\":\"rt-2\","
        "\"id_token\":\"h.p.s\",\"expires_in\":60,\"scope\":\"openid b.c\",\"zeta\":[1,2],\"alpha\":\"\\u00e9\"}},"
        "{\"json\":{\"access_token\":\"at-3\",\"token_type\":\"Bearer\",\"scope\":\"\"}}]}}");
    cli_auth_client_options *options = server_workos_connect(&server);
    cli_auth_client *client;
    cli_auth_tokens *tokens = NULL;
    const char *const *names;
    double seconds = -7;

    CHECK_STATUS(cli_auth_client_options_verify_id_token(options, false), CLI_AUTH_OK);
    client = client_of(options);
    CHECK_STATUS(cli_auth_client_refresh(client, "rt-1", NULL, &tokens, NULL), CLI_AUTH_OK);
    CHECK_TEXT(cli_auth_tokens_expose_access_token(tokens), "at-1");
    CHECK(cli_auth_tokens_expose_access_token(tokens) == cli_auth_tokens_expose_access_token(tokens));
    CHECK_TEXT(cli_auth_tokens_expose_refresh_token(tokens), "rt-2");
    CHECK_TEXT(cli_auth_tokens_expose_id_token(tokens), "h.p.s");
    CHECK(cli_auth_tokens_has_refresh_token(tokens) && cli_auth_tokens_has_id_token(tokens));
    CHECK_TEXT(cli_auth_tokens_token_type(tokens), "Bearer");
    CHECK_TEXT(cli_auth_tokens_scopes(tokens)[0], "openid");
    CHECK_TEXT(cli_auth_tokens_scopes(tokens)[1], "b.c");
    CHECK(cli_auth_tokens_scopes(tokens)[2] == NULL);
    CHECK(cli_auth_tokens_expires_in(tokens, &seconds));
    CHECK_BETWEEN(seconds, 50, 60);
    CHECK(cli_auth_tokens_identity(tokens) == NULL);
    names = cli_auth_tokens_other_names(tokens);
    CHECK_TEXT(names[0], "alpha");
    CHECK_TEXT(names[1], "zeta");
    CHECK(names[2] == NULL);
    CHECK_TEXT(cli_auth_tokens_expose_other(tokens, "zeta"), "[1,2]");
    CHECK_TEXT(cli_auth_tokens_expose_other(tokens, "alpha"), "\"\xc3\xa9\"");
    CHECK(cli_auth_tokens_expose_other(tokens, "beta") == NULL);
    CHECK(cli_auth_tokens_expose_other(tokens, "\xff") == NULL && cli_auth_tokens_expose_other(tokens, NULL) == NULL);
    cli_auth_tokens_free(tokens);

    CHECK_STATUS(cli_auth_client_refresh(client, "rt-2", NULL, &tokens, NULL), CLI_AUTH_OK);
    seconds = -7;
    CHECK(!cli_auth_tokens_expires_in(tokens, &seconds) && !cli_auth_tokens_expires_at(tokens, &seconds));
    CHECK_BETWEEN(seconds, -7, -7);
    CHECK(cli_auth_tokens_scopes(tokens) == NULL);
    CHECK(cli_auth_tokens_other_names(tokens) != NULL && cli_auth_tokens_other_names(tokens)[0] == NULL);
    CHECK(!cli_auth_tokens_has_id_token(tokens) && cli_auth_tokens_expose_id_token(tokens) == NULL);
    cli_auth_tokens_free(tokens);
    cli_auth_client_free(client);
    server_free(&server);
}

static void error_denied(void)
{
    cli_auth_error *error = failed("{\"answer\":\"deny\",\"interval\":1}");
    double seconds;

    CHECK_STATUS(cli_auth_error_status(error), CLI_AUTH_DENIED);
    CHECK_TEXT(cli_auth_error_oauth_error(error), "access_denied");
    CHECK(cli_auth_error_description(error) != NULL && cli_auth_error_detail(error) == NULL);
    CHECK_NUMBER(cli_auth_error_http_status(error), 400);
    CHECK(strlen(cli_auth_error_request_id(error)) > 3);
    CHECK(cli_auth_error_organization_ids(error) == NULL && cli_auth_error_organization_names(error) == NULL);
    CHECK(cli_auth_error_expose_pending_authentication_token(error) == NULL);
    CHECK(!cli_auth_error_retry_after(error, &seconds));
    cli_auth_error_free(error);
}

static void error_with_a_cause(void)
{
    cli_auth_error *error = failed("{\"script\":{\"device\":[{\"reset\":\"before\"}]}}");

    CHECK_STATUS(cli_auth_error_status(error), CLI_AUTH_NETWORK);
    CHECK_TEXT(cli_auth_error_detail(error), "Connection reset by peer (os error 104)");
    CHECK(strstr(cli_auth_error_message(error), "os error") == NULL);
    cli_auth_error_free(error);
}

static void error_action_required(void)
{
    cli_auth_error *error =
        failed("{\"interval\":1,\"organizations\":[{\"id\":\"org_1\",\"name\":\"One\"},{\"id\":\"org_2\",\"name\":"
               "\"Two\\u001b\"}],\"answer\":{\"decision\":\"step_up\",\"body\":{\"pending_authentication_token\":"
               "\"pending-secret\"}}}");
    const char *const *ids = cli_auth_error_organization_ids(error);
    const char *const *names = cli_auth_error_organization_names(error);

    CHECK_STATUS(cli_auth_error_status(error), CLI_AUTH_ACTION_REQUIRED);
    CHECK_TEXT(cli_auth_error_oauth_error(error), "organization_selection_required");
    CHECK_NUMBER(cli_auth_error_http_status(error), 403);
    CHECK_TEXT(ids[0], "org_1");
    CHECK_TEXT(names[0], "One");
    CHECK_TEXT(ids[1], "org_2");
    CHECK_TEXT(names[1], "Two\x1b");
    CHECK(ids[2] == NULL && names[2] == NULL);
    CHECK_TEXT(cli_auth_error_expose_pending_authentication_token(error), "pending-secret");
    CHECK(strstr(cli_auth_error_message(error), "pending-secret") == NULL);
    cli_auth_error_free(error);
}

static void error_kinds(void)
{
    cli_auth_error *error = failed("{\"script\":{\"device\":[{\"error\":\"invalid_client\",\"status\":401,\"merge\":"
                                   "{\"error_description\":\"no\\u001b such\"}}]}}");

    CHECK_TEXT(cli_auth_error_oauth_error(error), "invalid_client");
    CHECK_TEXT(cli_auth_error_description(error), "no\xef\xbf\xbd such");
    CHECK_NUMBER(cli_auth_error_http_status(error), 401);
    CHECK_ERROR(error, CLI_AUTH_REJECTED);
    CHECK_ERROR(failed("{\"interval\":1,\"script\":{\"token\":[\"expired_token\"]}}"), CLI_AUTH_EXPIRED);
    CHECK_ERROR(failed("{\"script\":{\"device\":[{\"json\":{\"device_code\":5}}]}}"), CLI_AUTH_INVALID_RESPONSE);
    error = failed("{\"script\":{\"connection\":[\"reset\"]}}");
    CHECK(cli_auth_error_oauth_error(error) == NULL && cli_auth_error_description(error) == NULL);
    CHECK(cli_auth_error_request_id(error) == NULL);
    CHECK_NUMBER(cli_auth_error_http_status(error), 0);
    CHECK_ERROR(error, CLI_AUTH_NETWORK);
}

/* Members are raw. Texts for display contain none of them. */
static void error_members(void)
{
    cli_auth_error *error =
        failed("{\"script\":{\"device\":[{\"status\":400,\"json\":{\"error\":\"invalid_client\","
               "\"suberror\":\"bad\\u001btoken\",\"hint\":{\"secret\":\"raw-secret\"},\"a\":null}}]}}");
    const char *const *names = cli_auth_error_member_names(error);

    CHECK_TEXT(names[0], "a");
    CHECK_TEXT(names[1], "error");
    CHECK_TEXT(names[2], "hint");
    CHECK_TEXT(names[3], "suberror");
    CHECK(names[4] == NULL);
    CHECK_TEXT(cli_auth_error_expose_member(error, "a"), "null");
    CHECK_TEXT(cli_auth_error_expose_member(error, "error"), "\"invalid_client\"");
    CHECK_TEXT(cli_auth_error_expose_member(error, "hint"), "{\"secret\":\"raw-secret\"}");
    CHECK_TEXT(cli_auth_error_expose_member(error, "suberror"), "\"bad\\u001btoken\"");
    CHECK(cli_auth_error_expose_member(error, "hint") == cli_auth_error_expose_member(error, "hint"));
    CHECK(cli_auth_error_expose_member(error, "secret") == NULL && cli_auth_error_expose_member(error, "") == NULL);
    CHECK(cli_auth_error_expose_member(error, "\xff") == NULL && cli_auth_error_expose_member(error, NULL) == NULL);
    CHECK(strstr(cli_auth_error_message(error), "raw-secret") == NULL);
    CHECK(cli_auth_error_description(error) == NULL);
    CHECK(cli_auth_error_detail(error) == NULL || strstr(cli_auth_error_detail(error), "raw-secret") == NULL);
    CHECK_ERROR(error, CLI_AUTH_REJECTED);

    /* Without a JSON object, and without a response, there are no members. */
    error = failed("{\"script\":{\"device\":[{\"status\":400,\"json\":[1]}]}}");
    CHECK(cli_auth_error_member_names(error) != NULL && cli_auth_error_member_names(error)[0] == NULL);
    cli_auth_error_free(error);
    error = failed("{\"script\":{\"connection\":[\"reset\"]}}");
    CHECK(cli_auth_error_member_names(error) != NULL && cli_auth_error_member_names(error)[0] == NULL);
    CHECK(cli_auth_error_expose_member(error, "error") == NULL);
    CHECK_ERROR(error, CLI_AUTH_NETWORK);
    CHECK(cli_auth_client_new(NULL, &error) == NULL);
    CHECK(cli_auth_error_member_names(error) != NULL && cli_auth_error_member_names(error)[0] == NULL);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
}

static void error_tls(void)
{
    CHECK_ERROR(failed("{\"tls\":\"untrusted\"}"), CLI_AUTH_TLS);
    CHECK_ERROR(failed("{\"tls\":\"wrong_name\"}"), CLI_AUTH_TLS);
}

static void error_retry_after(void)
{
    cli_auth_error *error =
        failed("{\"script\":{\"device\":[{\"status\":503,\"body\":\"\",\"headers\":{\"Retry-After\":\"70\"}}]}}");
    double seconds = 0;

    CHECK(cli_auth_error_retry_after(error, &seconds) && cli_auth_error_retry_after(error, NULL));
    CHECK_BETWEEN(seconds, 70, 70);
    CHECK_NUMBER(cli_auth_error_http_status(error), 503);
    CHECK_ERROR(error, CLI_AUTH_NETWORK);
}

const struct test values_tests[] = {
    {"versions", versions},
    {"status_names", status_names},
    {"sanitizer", sanitizer},
    {"prompt_values", prompt_values},
    {"tokens_of_authkit", tokens_of_authkit},
    {"tokens_of_connect", tokens_of_connect},
    {"error_denied", error_denied},
    {"error_with_a_cause", error_with_a_cause},
    {"error_action_required", error_action_required},
    {"error_kinds", error_kinds},
    {"error_members", error_members},
    {"error_over_tls", error_tls},
    {"error_retry_after", error_retry_after},
    {NULL, NULL},
};
