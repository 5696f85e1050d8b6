/* What is freed is gone: no thread, no descriptor, no memory. (valgrind and AddressSanitizer look at the memory of
   every case.) */

#include <stdio.h>

#include "check.h"
#include "server.h"
#include "system.h"

static void whole_life(const char *settings)
{
    size_t descriptors = open_descriptors();
    struct server server = server_new(settings);
    cli_auth_client *client = client_of(server_authkit(&server));
    cli_auth_login *login = cli_auth_login_new(client, NULL);

    CHECK_NUMBER(threads(), 1);
    log_in(login);
    cli_auth_login_free(login);
    cli_auth_client_free(client);
    wait_for_threads(1);
    wait_for_descriptors(descriptors);
    server_free(&server);
}

static void nothing_is_left(void)
{
    whole_life("{\"interval\":1,\"answer\":\"approve\"}");
}

static void nothing_is_left_of_a_look_up(void)
{
    size_t descriptors = open_descriptors();
    cli_auth_client *client = client_of_unknown_host();
    cli_auth_login *login = cli_auth_login_new(client, NULL);
    cli_auth_prompt *prompt;

    CHECK_STATUS(cli_auth_login_start(login, &prompt, NULL), CLI_AUTH_NETWORK);
    cli_auth_login_free(login);
    cli_auth_client_free(client);
    wait_for_threads(1);
    wait_for_descriptors(descriptors);
}

static void nothing_is_left_over_tls(void)
{
    whole_life("{\"interval\":1,\"answer\":\"approve\",\"tls\":\"good\"}");
}

/* Freed in the middle of everything. */
static void nothing_is_left_of_what_was_given_up(void)
{
    static const struct {
        const char *settings;
        double wait;
    } ways[] = {
        {HANGS_AT("device"), 0.3}, {HANGS_AT("token"), 1.5}, {WAITS, 0.1}, {"{\"tls\":\"handshake_hang\"}", 0.3}, {"{}", 0}};
    size_t descriptors = open_descriptors();

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct server server = server_new(ways[i].settings);
        cli_auth_login *login = login_at(&server);
        double end = now() + ways[i].wait;

        while (now() < end)
            cli_auth_step_free(stepped(login, end - now() > 0 ? end - now() : 0));
        cli_auth_login_free(login);
        wait_for_threads(1);
        wait_for_descriptors(descriptors);
        server_free(&server);
    }
}

/* Kilobytes of this process in memory. */
static long resident(void)
{
    long pages = 0, ignored;
    FILE *file = fopen("/proc/self/statm", "r");

    CHECK(file != NULL && fscanf(file, "%ld %ld", &ignored, &pages) == 2);
    fclose(file);
    return pages * 4;
}

static void make_logins(cli_auth_client *client, int count)
{
    for (int i = 0; i < count; i++) {
        cli_auth_login *login = cli_auth_login_new(client, NULL);

        if (i % 10 == 0)
            start(login);
        if (i % 20 == 0)
            cli_auth_login_cancel(login);
        cli_auth_login_free(login);
    }
}

/* 1,000 logins of one client, some of them started, and clients of their own for some more. */
static void a_thousand_logins(void)
{
    struct server server = server_new("{\"log\":false}");
    cli_auth_client *client = client_of(server_authkit(&server));
    int count = is_watched() ? 200 : 1000;
    size_t descriptors;
    long before;

    make_logins(client, 200);
    descriptors = open_descriptors();
    before = resident();
    make_logins(client, count);
    for (int i = 0; i < count / 10; i++) {
        cli_auth_login *login = login_at(&server);
        if (i % 10 == 0)
            start(login);
        cli_auth_login_free(login);
    }
    CHECK_BETWEEN((double)open_descriptors(), 0, (double)descriptors);
    CHECK_NUMBER(threads(), 1);
    if (!is_watched())
        CHECK_BETWEEN((double)(resident() - before), -1e6, 1024);
    cli_auth_client_free(client);
    server_free(&server);
}

/* Sends requests of every kind, and reads tokens, identities and the members of errors. */
static void ask_everything(cli_auth_client *client, int count)
{
    for (int i = 0; i < count; i++) {
        cli_auth_refresh_options *options = cli_auth_refresh_options_new();
        cli_auth_tokens *tokens;
        cli_auth_identity *user;
        cli_auth_error *error;
        cli_auth_request *request;
        bool done;

        cli_auth_refresh_options_add_scope(options, "a");
        cli_auth_refresh_options_add_param(options, "audience", "b");
        cli_auth_refresh_options_set_subject(options, "user_1");
        CHECK_STATUS(cli_auth_client_refresh(client, "a", options, &tokens, NULL), CLI_AUTH_OK);
        CHECK_TEXT(cli_auth_tokens_expose_refresh_token(tokens), "r");
        cli_auth_tokens_free(tokens);
        cli_auth_request_free(cli_auth_client_begin_refresh(client, "a", options, NULL));
        cli_auth_refresh_options_free(options);

        CHECK_STATUS(cli_auth_client_userinfo(client, "a", "user_1", &user, NULL), CLI_AUTH_OK);
        CHECK_TEXT(cli_auth_identity_claim(user, "sub"), "\"user_1\"");
        cli_auth_identity_free(user);
        CHECK_STATUS(cli_auth_client_userinfo(client, "a", "user_2", &user, &error), CLI_AUTH_INVALID_RESPONSE);
        CHECK_TEXT(cli_auth_error_expose_member(error, "sub"), "\"user_1\"");
        cli_auth_error_free(error);
        request = cli_auth_client_begin_userinfo(client, "a", NULL, NULL);
        CHECK_STATUS(cli_auth_request_step(request, 30, &done, NULL, NULL), CLI_AUTH_OK);
        CHECK(done && cli_auth_request_identity(request) != NULL);
        cli_auth_request_free(request);
        cli_auth_request_free(cli_auth_client_begin_userinfo(client, "a", NULL, NULL));
    }
}

static void a_thousand_requests(void)
{
    struct server server =
        server_new("{\"log\":false,\"script\":{\"refresh\":{\"steps\":[{\"json\":{\"access_token\":\"a\","
                   "\"token_type\":\"Bearer\",\"refresh_token\":\"r\"}}],\"then\":\"repeat\"},\"userinfo\":{\"steps\":"
                   "[{\"json\":{\"sub\":\"user_1\",\"email\":\"a@b.example\"}}],\"then\":\"repeat\"}}}");
    cli_auth_client *client = client_of(server_workos_connect(&server));
    size_t descriptors;
    long before;

    ask_everything(client, 50);
    descriptors = open_descriptors();
    before = resident();
    ask_everything(client, is_watched() ? 20 : 250);
    CHECK_BETWEEN((double)open_descriptors(), 0, (double)descriptors);
    CHECK_NUMBER(threads(), 1);
    if (!is_watched())
        CHECK_BETWEEN((double)(resident() - before), -1e6, 1024);
    cli_auth_client_free(client);
    server_free(&server);
}

const struct test resources_tests[] = {
    {"nothing_is_left", nothing_is_left},
    {"nothing_is_left_of_a_look_up", nothing_is_left_of_a_look_up},
    {"nothing_is_left_over_tls", nothing_is_left_over_tls},
    {"nothing_is_left_of_what_was_given_up", nothing_is_left_of_what_was_given_up},
    {"a_thousand_logins", a_thousand_logins},
    {"a_thousand_requests", a_thousand_requests},
    {NULL, NULL},
};
