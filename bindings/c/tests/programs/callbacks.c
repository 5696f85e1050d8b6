/* The callback of cli_auth_login_poll. */

#define _POSIX_C_SOURCE 200809L

#include <signal.h>

#include "check.h"
#include "server.h"
#include "system.h"

struct seen {
    cli_auth_login *login;
    pid_t thread;
    int events;
    bool elsewhere; /* called on another thread */
    bool blocked;   /* called with SIGPIPE blocked */
};

static void look(void *user_data, const cli_auth_event *event)
{
    struct seen *seen = user_data;
    sigset_t mask;

    seen->events++;
    seen->elsewhere |= thread_id() != seen->thread;
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
    seen->blocked |= sigismember(&mask, SIGPIPE) == 1;
    CHECK(cli_auth_event_kind(event) != 0);
}

static void poll_here(void *data)
{
    struct seen *seen = data;
    cli_auth_tokens *tokens;

    seen->thread = thread_id();
    CHECK_STATUS(cli_auth_login_poll(seen->login, look, seen, &tokens, NULL), CLI_AUTH_OK);
    cli_auth_tokens_free(tokens);
}

/* Host code runs on the thread that called, with its user_data, and with the host's own signal mask. */
static void on_the_calling_thread(void)
{
    struct server server = server_new("{\"interval\":1,\"answer\":\"approve\",\"answer_after_polls\":2}");
    struct seen here = {.login = login_at(&server)}, there = {.login = login_at(&server)};
    struct thread thread;

    start(here.login);
    start(there.login);
    thread_start(&thread, poll_here, &there);
    poll_here(&here);
    thread_join(&thread);
    CHECK_NUMBER(here.events, 2);
    CHECK_NUMBER(there.events, 2);
    CHECK(!here.elsewhere && !there.elsewhere && !here.blocked && !there.blocked);
    CHECK(here.thread != there.thread);
    cli_auth_login_free(here.login);
    cli_auth_login_free(there.login);
    server_free(&server);
}

static void none(void)
{
    struct server server = server_new("{\"interval\":1,\"answer\":\"approve\",\"answer_after_polls\":1}");
    cli_auth_login *login = login_at(&server);

    log_in(login);
    cli_auth_login_free(login);
    server_free(&server);
}

static void cancel(void *user_data, const cli_auth_event *event)
{
    struct seen *seen = user_data;

    look(user_data, event);
    cli_auth_login_cancel(seen->login);
    cli_auth_login_cancel(seen->login);
}

static void that_cancels(void)
{
    struct server server = server_new("{\"interval\":1}");
    struct seen seen = {.login = login_at(&server), .thread = thread_id()};
    cli_auth_tokens *tokens;
    cli_auth_error *error = NULL;

    start(seen.login);
    CHECK_STATUS(cli_auth_login_poll(seen.login, cancel, &seen, &tokens, &error), CLI_AUTH_CANCELLED);
    CHECK_ERROR(error, CLI_AUTH_CANCELLED);
    CHECK_NUMBER(seen.events, 1);
    CHECK_NUMBER(server_count(&server, "token"), 1);
    cli_auth_login_free(seen.login);
    server_free(&server);
}

static void drive_again(void *user_data, const cli_auth_event *event)
{
    struct seen *seen = user_data;
    cli_auth_prompt *prompt;
    cli_auth_tokens *tokens;
    cli_auth_step *step;
    cli_auth_error *error = NULL;

    look(user_data, event);
    CHECK_STATUS(cli_auth_login_start(seen->login, &prompt, &error), CLI_AUTH_BUSY);
    CHECK_ERROR(error, CLI_AUTH_BUSY);
    CHECK_STATUS(cli_auth_login_poll(seen->login, drive_again, seen, &tokens, NULL), CLI_AUTH_BUSY);
    CHECK_STATUS(cli_auth_login_step(seen->login, 0, &step, NULL), CLI_AUTH_BUSY);
    CHECK_STATUS(cli_auth_login_step(seen->login, 60, &step, NULL), CLI_AUTH_BUSY);
    prompt = cli_auth_login_prompt(seen->login);
    CHECK(prompt != NULL);
    cli_auth_prompt_free(prompt);
}

/* It gets BUSY for its own login, and may use another one. */
static void that_drives(void)
{
    struct server server = server_new("{\"interval\":1,\"answer\":\"approve\",\"answer_after_polls\":1}");
    struct seen seen = {.login = login_at(&server), .thread = thread_id()};
    cli_auth_tokens *tokens;

    start(seen.login);
    CHECK_STATUS(cli_auth_login_poll(seen.login, drive_again, &seen, &tokens, NULL), CLI_AUTH_OK);
    CHECK_NUMBER(seen.events, 1);
    cli_auth_tokens_free(tokens);
    cli_auth_login_free(seen.login);
    server_free(&server);
}

static cli_auth_client *the_client;

static void log_in_another(void *user_data, const cli_auth_event *event)
{
    cli_auth_login *other = cli_auth_login_new(the_client, NULL);

    look(user_data, event);
    start(other);
    cli_auth_step_free(stepped(other, 0));
    cli_auth_login_free(other);
}

static void that_uses_another_login(void)
{
    struct server server = server_new("{\"interval\":1,\"answer\":\"approve\",\"answer_after_polls\":1}");
    struct seen seen = {.thread = thread_id()};
    cli_auth_tokens *tokens;

    the_client = client_of(server_authkit(&server));
    seen.login = cli_auth_login_new(the_client, NULL);
    start(seen.login);
    CHECK_STATUS(cli_auth_login_poll(seen.login, log_in_another, &seen, &tokens, NULL), CLI_AUTH_OK);
    CHECK_NUMBER(server_count(&server, "device"), 2);
    cli_auth_tokens_free(tokens);
    cli_auth_login_free(seen.login);
    cli_auth_client_free(the_client);
    server_free(&server);
}

const struct test callbacks_tests[] = {
    {"callback_on_the_calling_thread", on_the_calling_thread},
    {"callback_none", none},
    {"callback_that_cancels", that_cancels},
    {"callback_that_drives", that_drives},
    {"callback_that_uses_another_login", that_uses_another_login},
    {NULL, NULL},
};
