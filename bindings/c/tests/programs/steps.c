/* The bounded step, as an event loop uses it. */

#include <math.h>

#include "check.h"
#include "server.h"
#include "system.h"

/* A whole login with a timer of the host's own: called only when there is something to do, and never blocking. */
static void with_a_timer(void)
{
    struct server server = server_new("{\"interval\":1,\"answer\":\"approve\",\"answer_after_polls\":1}");
    cli_auth_login *login = login_at(&server);
    cli_auth_tokens *tokens = NULL, *again;
    int prompts = 0, events = 0, waits = 0;

    while (tokens == NULL) {
        cli_auth_step *step = stepped(login, 0);
        cli_auth_prompt *prompt = cli_auth_step_prompt(step);
        double due_in = cli_auth_step_due_in(step);
        int32_t kind = cli_auth_step_kind(step);

        CHECK((prompt != NULL) == (kind == CLI_AUTH_STEP_PROMPT));
        CHECK((cli_auth_step_event(step) != NULL) == (kind == CLI_AUTH_STEP_EVENT));
        prompts += prompt != NULL;
        cli_auth_prompt_free(prompt);
        if (kind == CLI_AUTH_STEP_EVENT) {
            events++;
            CHECK_NUMBER(cli_auth_event_kind(cli_auth_step_event(step)), CLI_AUTH_EVENT_PENDING);
        }
        if (kind == CLI_AUTH_STEP_WAITING) {
            CHECK_BETWEEN(due_in, 0, 1.5);
            waits += due_in > 0.5;
            pause_for(due_in > 0 ? due_in : 0.01);
        } else {
            CHECK_BETWEEN(due_in, 0, 0);
        }
        tokens = cli_auth_step_tokens(step);
        CHECK((tokens != NULL) == (kind == CLI_AUTH_STEP_AUTHORIZED));
        cli_auth_step_free(step);
    }
    CHECK_NUMBER(prompts, 1);
    CHECK_NUMBER(events, 1);
    CHECK_NUMBER(waits, 2);
    CHECK_NUMBER(server_count(&server, "token"), 2);
    CHECK(!server_saw(&server, "polled_too_early"));

    /* After the outcome, that outcome again, by every call, and no request. */
    for (int i = 0; i < 3; i++) {
        cli_auth_step *step = stepped(login, i == 0 ? 0 : (double)INFINITY);
        CHECK_NUMBER(cli_auth_step_kind(step), CLI_AUTH_STEP_AUTHORIZED);
        again = cli_auth_step_tokens(step);
        CHECK_TEXT(cli_auth_tokens_expose_access_token(again), cli_auth_tokens_expose_access_token(tokens));
        cli_auth_tokens_free(again);
        cli_auth_step_free(step);
    }
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &again, NULL), CLI_AUTH_OK);
    cli_auth_tokens_free(again);
    CHECK_NUMBER(server_count(&server, "token"), 2);
    cli_auth_tokens_free(tokens);
    cli_auth_login_free(login);
    server_free(&server);
}

/* 0 never blocks: not while the server is silent, and not while it is too early to ask. */
static void never_block(const char *settings, bool begin)
{
    struct server server = server_new(settings);
    cli_auth_login *login = login_at(&server);
    double begun, total = 0;

    if (begin)
        start(login);
    for (int i = 0; i < 50; i++) {
        cli_auth_step *step;

        begun = now();
        step = stepped(login, 0);
        total += now() - begun;
        CHECK_NUMBER(cli_auth_step_kind(step), CLI_AUTH_STEP_WAITING);
        cli_auth_step_free(step);
    }
    CHECK_BETWEEN(total, 0, SOON);
    /* A wait is kept, and not exceeded by much. */
    begun = now();
    cli_auth_step_free(stepped(login, 0.3));
    CHECK_BETWEEN(now() - begun, 0.29, 0.3 + SOON);
    cli_auth_login_free(login);
    server_free(&server);
}

static void zero_never_blocks(void)
{
    never_block(HANGS_AT("device"), false);
    never_block(WAITS, true);
}

static void forever(void)
{
    struct server server = server_new(APPROVES);
    cli_auth_login *login = login_at(&server);
    cli_auth_step *step = stepped(login, (double)INFINITY);

    CHECK_NUMBER(cli_auth_step_kind(step), CLI_AUTH_STEP_PROMPT);
    cli_auth_step_free(step);
    step = stepped(login, (double)INFINITY);
    CHECK_NUMBER(cli_auth_step_kind(step), CLI_AUTH_STEP_AUTHORIZED);
    cli_auth_step_free(step);
    cli_auth_login_free(login);
    server_free(&server);
}

/* A login that failed says so again, and so does one that was cancelled. */
static void failures_stay(void)
{
    struct server server = server_new("{\"interval\":1,\"answer\":\"deny\"}");
    cli_auth_login *login = login_at(&server);
    cli_auth_prompt *prompt;
    cli_auth_tokens *tokens;
    cli_auth_step *step;

    start(login);
    CHECK_STATUS(cli_auth_login_step(login, 30, &step, NULL), CLI_AUTH_DENIED);
    cli_auth_login_cancel(login);
    CHECK_STATUS(cli_auth_login_step(login, 0, &step, NULL), CLI_AUTH_DENIED);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, NULL), CLI_AUTH_DENIED);
    CHECK_STATUS(cli_auth_login_start(login, &prompt, NULL), CLI_AUTH_DENIED);
    CHECK_NUMBER(server_count(&server, "token"), 1);
    cli_auth_login_free(login);

    login = login_at(&server);
    cli_auth_login_cancel(login);
    CHECK_STATUS(cli_auth_login_step(login, 0, &step, NULL), CLI_AUTH_CANCELLED);
    CHECK_STATUS(cli_auth_login_step(login, (double)INFINITY, &step, NULL), CLI_AUTH_CANCELLED);
    CHECK_NUMBER(server_count(&server, "device"), 1);
    cli_auth_login_free(login);
    server_free(&server);
}

const struct test steps_tests[] = {
    {"steps_with_a_timer", with_a_timer},
    {"steps_of_zero_never_block", zero_never_blocks},
    {"steps_of_infinity", forever},
    {"failures_stay", failures_stay},
    {NULL, NULL},
};
