/* Refresh, revocation and userinfo: in one call, and as requests under way. */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "server.h"
#include "system.h"

/* A refresh token that the server gave out. */
static cli_auth_tokens *logged_in(const struct server *server)
{
    cli_auth_client_options *options = server_for_issuer(server);
    cli_auth_client *client;
    cli_auth_login *login;
    cli_auth_tokens *tokens;

    cli_auth_client_options_add_scope(options, "offline_access");
    client = client_of(options);
    login = cli_auth_login_new(client, NULL);
    start(login);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, NULL), CLI_AUTH_OK);
    cli_auth_login_free(login);
    cli_auth_client_free(client);
    return tokens;
}

static void in_one_call(void)
{
    struct server server = server_new(APPROVES);
    cli_auth_tokens *first = logged_in(&server), *second;
    cli_auth_client *client = client_of(server_for_issuer(&server));
    cli_auth_error *error = NULL;
    const char *old = cli_auth_tokens_expose_refresh_token(first);

    CHECK_STATUS(cli_auth_client_refresh(client, old, NULL, &second, &error), CLI_AUTH_OK);
    CHECK(strcmp(cli_auth_tokens_expose_refresh_token(second), old) != 0);
    CHECK_STATUS(cli_auth_client_revoke(client, cli_auth_tokens_expose_refresh_token(second), &error), CLI_AUTH_OK);
    CHECK(error == NULL);
    cli_auth_tokens_free(first);
    CHECK_STATUS(cli_auth_client_refresh(client, cli_auth_tokens_expose_refresh_token(second), NULL, &first, &error),
                 CLI_AUTH_LOGIN_REQUIRED);
    CHECK_TEXT(cli_auth_error_oauth_error(error), "invalid_grant");
    cli_auth_error_free(error);
    cli_auth_tokens_free(second);
    cli_auth_client_free(client);

    /* AuthKit has no revocation. */
    client = client_of(server_authkit(&server));
    CHECK_STATUS(cli_auth_client_revoke(client, "a", NULL), CLI_AUTH_UNSUPPORTED);
    CHECK_NUMBER(server_count(&server, "revoke"), 1);
    cli_auth_client_free(client);
    server_free(&server);
}

static void by_steps(void)
{
    struct server server = server_new("{\"answer\":\"approve\",\"interval\":1,\"script\":{\"refresh\":[{\"delay\":0.5}]}}");
    cli_auth_tokens *first = logged_in(&server), *second = NULL;
    cli_auth_client *client = client_of(server_for_issuer(&server));
    cli_auth_request *request =
        cli_auth_client_begin_refresh(client, cli_auth_tokens_expose_refresh_token(first), NULL, NULL);
    bool done = false;
    int steps = 0;

    while (!done) {
        double begun = now();
        CHECK_STATUS(cli_auth_request_step(request, 0.05, &done, &second, NULL), CLI_AUTH_OK);
        CHECK_BETWEEN(now() - begun, 0, SOON);
        steps++;
        CHECK(done == (second != NULL));
    }
    CHECK(steps > 3);
    CHECK(cli_auth_tokens_has_refresh_token(second));
    CHECK(cli_auth_request_identity(request) == NULL);
    /* The answer is given once. */
    first = (cli_auth_tokens_free(first), NULL);
    CHECK_STATUS(cli_auth_request_step(request, 0, &done, &first, NULL), CLI_AUTH_MISUSE);
    CHECK(done && first == NULL);
    cli_auth_request_free(request);

    request = cli_auth_client_begin_revoke(client, cli_auth_tokens_expose_refresh_token(second), NULL);
    done = false;
    CHECK_STATUS(cli_auth_request_step(request, (double)INFINITY, &done, NULL, NULL), CLI_AUTH_OK);
    CHECK(done && cli_auth_request_identity(request) == NULL);
    cli_auth_request_free(request);
    CHECK_NUMBER(server_count(&server, "refresh"), 1);
    CHECK_NUMBER(server_count(&server, "revoke"), 1);
    cli_auth_tokens_free(second);
    cli_auth_client_free(client);
    server_free(&server);
}

static void userinfo_by_steps(void)
{
    struct server server =
        server_new("{\"script\":{\"userinfo\":[{\"json\":{\"sub\":\"user_1\"},\"delay\":0.5},"
                   "{\"json\":{\"sub\":\"user_2\"}}]}}");
    cli_auth_client *client = client_of(server_for_issuer(&server));
    cli_auth_request *request = cli_auth_client_begin_userinfo(client, "a", "user_1", NULL);
    cli_auth_tokens *tokens = NULL;
    cli_auth_error *error = NULL;
    const cli_auth_identity *identity;
    bool done = false;
    int steps = 0;

    CHECK(request != NULL);
    while (!done) {
        CHECK(cli_auth_request_identity(request) == NULL);
        /* `tokens` may be NULL, and is not written. */
        CHECK_STATUS(cli_auth_request_step(request, 0.05, &done, steps++ == 0 ? NULL : &tokens, NULL), CLI_AUTH_OK);
    }
    CHECK(steps > 3 && tokens == NULL);
    identity = cli_auth_request_identity(request);
    CHECK_TEXT(cli_auth_identity_subject(identity), "user_1");
    /* The response is returned once. The identity stays valid. */
    CHECK_STATUS(cli_auth_request_step(request, 0, &done, NULL, NULL), CLI_AUTH_MISUSE);
    CHECK(cli_auth_request_identity(request) == identity);
    cli_auth_request_free(request);

    request = cli_auth_client_begin_userinfo(client, "a", "user_1", NULL);
    done = false;
    CHECK_STATUS(cli_auth_request_step(request, (double)INFINITY, &done, NULL, &error), CLI_AUTH_INVALID_RESPONSE);
    CHECK_ERROR(error, CLI_AUTH_INVALID_RESPONSE);
    CHECK(!done && cli_auth_request_identity(request) == NULL);
    cli_auth_request_free(request);
    CHECK_NUMBER(server_count(&server, "userinfo"), 2);
    cli_auth_client_free(client);
    server_free(&server);
}

/* A request that nobody drives sends nothing; freed or cancelled, it never will. */
static void not_begun(void)
{
    struct server server = server_new("{}");
    cli_auth_client *client = client_of(server_for_issuer(&server));
    cli_auth_request *request = cli_auth_client_begin_refresh(client, "a", NULL, NULL);
    cli_auth_tokens *tokens = NULL;
    bool done = false;

    cli_auth_request_free(request);
    request = cli_auth_client_begin_refresh(client, "a", NULL, NULL);
    cli_auth_request_cancel(request);
    CHECK_STATUS(cli_auth_request_step(request, 5, &done, &tokens, NULL), CLI_AUTH_CANCELLED);
    CHECK_STATUS(cli_auth_request_step(request, 5, &done, &tokens, NULL), CLI_AUTH_CANCELLED);
    CHECK(!done && tokens == NULL);
    cli_auth_request_free(request);
    cli_auth_request_free(cli_auth_client_begin_userinfo(client, "a", NULL, NULL));
    request = cli_auth_client_begin_userinfo(client, "a", NULL, NULL);
    cli_auth_request_cancel(request);
    CHECK_STATUS(cli_auth_request_step(request, 5, &done, NULL, NULL), CLI_AUTH_CANCELLED);
    CHECK(!done && cli_auth_request_identity(request) == NULL);
    cli_auth_request_free(request);
    cli_auth_client_free(client);
    CHECK_NUMBER(server_count(&server, "refresh") + server_count(&server, "userinfo"), 0);
    CHECK_NUMBER(server_count(&server, "discovery_oauth"), 0);
    server_free(&server);
}

struct waiter {
    cli_auth_request *request;
    struct thread thread;
    cli_auth_status status;
};

static void wait_for_answer(void *data)
{
    struct waiter *waiter = data;
    cli_auth_tokens *tokens;
    bool done;

    waiter->status = cli_auth_request_step(waiter->request, (double)INFINITY, &done, &tokens, NULL);
}

/* Frees the request, which hangs at this endpoint, and the server. */
static void check_busy_and_cancelled(struct server *server, const char *endpoint, cli_auth_request *request)
{
    struct waiter waiter = {.request = request};
    cli_auth_tokens *tokens;
    cli_auth_error *error = NULL;
    bool done;
    double cancelled;

    thread_start(&waiter.thread, wait_for_answer, &waiter);
    server_wait_for(server, endpoint, 1);
    wait_until_asleep(waiter.thread.id);
    CHECK_STATUS(cli_auth_request_step(waiter.request, 30, &done, &tokens, &error), CLI_AUTH_BUSY);
    CHECK_ERROR(error, CLI_AUTH_BUSY);
    CHECK(cli_auth_request_identity(waiter.request) == NULL);
    cancelled = now();
    cli_auth_request_cancel(waiter.request);
    thread_join(&waiter.thread);
    CHECK_STATUS(waiter.status, CLI_AUTH_CANCELLED);
    CHECK_BETWEEN(waiter.thread.ended - cancelled, -1, SOON);
    CHECK_STATUS(cli_auth_request_step(waiter.request, 30, &done, &tokens, NULL), CLI_AUTH_CANCELLED);
    CHECK(cli_auth_request_identity(waiter.request) == NULL);
    cli_auth_request_free(waiter.request);
    server_free(server);
}

static void busy_and_cancelled(void)
{
    struct server server = server_new(HANGS_AT("refresh"));
    cli_auth_client *client = client_of(server_authkit(&server));

    check_busy_and_cancelled(&server, "refresh", cli_auth_client_begin_refresh(client, "a", NULL, NULL));
    cli_auth_client_free(client);
}

static void userinfo_busy_and_cancelled(void)
{
    struct server server = server_new(HANGS_AT("userinfo"));
    cli_auth_client *client = client_of(server_workos_connect(&server));

    check_busy_and_cancelled(&server, "userinfo", cli_auth_client_begin_userinfo(client, "a", NULL, NULL));
    cli_auth_client_free(client);
}

static cli_auth_request *volatile signalled;

static void cancel_signalled(int number)
{
    (void)number;
    cli_auth_request_cancel(signalled);
}

static void cancelled_by_a_handler(void)
{
    struct server server = server_new(HANGS_AT("refresh"));
    cli_auth_client *client = client_of(server_authkit(&server));
    struct waiter waiter = {.request = cli_auth_client_begin_refresh(client, "a", NULL, NULL)};
    struct sigaction action = {.sa_handler = cancel_signalled};
    double begun = now();

    sigemptyset(&action.sa_mask);
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    signalled = waiter.request;
    alarm(1);
    wait_for_answer(&waiter);
    CHECK_STATUS(waiter.status, CLI_AUTH_CANCELLED);
    CHECK_BETWEEN(now() - begun, 0.9, 1 + SOON);
    signalled = NULL;
    cli_auth_request_free(waiter.request);
    cli_auth_client_free(client);
    server_free(&server);
}

/* Under way, and nobody wants it any more. */
static void freed_under_way(void)
{
    size_t descriptors = open_descriptors();
    struct server server = server_new(HANGS_AT("refresh"));
    cli_auth_client *client = client_of(server_authkit(&server));
    cli_auth_request *request = cli_auth_client_begin_refresh(client, "a", NULL, NULL);
    cli_auth_tokens *tokens = NULL;
    cli_auth_login *login;
    bool done = true;

    while (server_count(&server, "refresh") == 0) {
        CHECK_STATUS(cli_auth_request_step(request, 0.1, &done, &tokens, NULL), CLI_AUTH_OK);
        CHECK(!done && tokens == NULL);
    }
    cli_auth_request_free(request);
    /* The client is as good as before. */
    login = cli_auth_login_new(client, NULL);
    start(login);
    cli_auth_login_free(login);
    cli_auth_client_free(client);
    wait_for_descriptors(descriptors);
    server_free(&server);
}

const struct test requests_tests[] = {
    {"requests_in_one_call", in_one_call},
    {"requests_by_steps", by_steps},
    {"requests_userinfo_by_steps", userinfo_by_steps},
    {"requests_not_begun", not_begun},
    {"requests_busy_and_cancelled", busy_and_cancelled},
    {"requests_userinfo_busy_and_cancelled", userinfo_busy_and_cancelled},
    {"requests_cancelled_by_a_handler", cancelled_by_a_handler},
    {"requests_freed_under_way", freed_under_way},
    {NULL, NULL},
};
