/* Claims: a package that waits outside of the library makes one of its calls the one that drives. */

#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "server.h"
#include "system.h"

enum { MINE = 7, OTHER = 8 };

static void claim(cli_auth_login *login, uint64_t number)
{
    CHECK_STATUS(cli_auth_claim_login(login, number, NULL), CLI_AUTH_OK);
}

/* A step of the call with this number, which has to succeed. */
static cli_auth_step *claimed_step(cli_auth_login *login, uint64_t number, double max_wait)
{
    cli_auth_step *step = NULL;
    cli_auth_error *error = NULL;

    CHECK_STATUS(cli_auth_claim_step(login, number, max_wait, &step, &error), CLI_AUTH_OK);
    CHECK(step != NULL && error == NULL);
    return step;
}

/* Steps until a step of this kind. */
static cli_auth_step *claimed_steps_until(cli_auth_login *login, uint64_t number, int32_t kind)
{
    cli_auth_step *step;

    while (cli_auth_step_kind(step = claimed_step(login, number, (double)INFINITY)) != kind)
        cli_auth_step_free(step);
    return step;
}

/* Every call that does not have the claim, and would drive, is refused at once. */
static void check_busy(cli_auth_login *login, uint64_t holder)
{
    uint64_t other = holder + 1;
    cli_auth_prompt *prompt;
    cli_auth_tokens *tokens;
    cli_auth_step *step;
    cli_auth_error *error = NULL;
    double begun = now();

    CHECK_STATUS(cli_auth_claim_login(login, other, &error), CLI_AUTH_BUSY);
    CHECK_ERROR(error, CLI_AUTH_BUSY);
    CHECK_STATUS(cli_auth_claim_login(login, holder, NULL), CLI_AUTH_BUSY);
    error = NULL;
    CHECK_STATUS(cli_auth_claim_step(login, other, 60, &step, &error), CLI_AUTH_BUSY);
    CHECK_ERROR(error, CLI_AUTH_BUSY);
    CHECK_STATUS(cli_auth_login_start(login, &prompt, NULL), CLI_AUTH_BUSY);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, NULL), CLI_AUTH_BUSY);
    CHECK_STATUS(cli_auth_login_step(login, 60, &step, NULL), CLI_AUTH_BUSY);
    CHECK_BETWEEN(now() - begun, 0, SOON);
}

static void one_call_has_it(void)
{
    struct server server = server_new(WAITS);
    cli_auth_login *login = login_at(&server);
    cli_auth_step *step;

    claim(login, MINE);
    check_busy(login, MINE);
    /* A call that does not hold it cannot give it back. */
    cli_auth_claim_release(login, OTHER);
    cli_auth_claim_release(login, 0);
    check_busy(login, MINE);
    cli_auth_step_free(claimed_steps_until(login, MINE, CLI_AUTH_STEP_PROMPT));
    check_busy(login, MINE);

    cli_auth_claim_release(login, MINE);
    CHECK_STATUS(cli_auth_claim_step(login, MINE, 0, &step, NULL), CLI_AUTH_BUSY);
    cli_auth_claim_release(login, MINE);
    claim(login, OTHER);
    check_busy(login, OTHER);
    cli_auth_step_free(claimed_step(login, OTHER, 0));
    cli_auth_claim_release(login, OTHER);
    cli_auth_step_free(stepped(login, 0));
    CHECK_NUMBER(server_count(&server, "device"), 1);
    cli_auth_login_free(login);
    server_free(&server);
}

/* Between the steps of the call that has the claim, others may cancel and read the prompt. */
static void cancel_is_free_for_all(void)
{
    struct server server = server_new(WAITS);
    cli_auth_login *login = login_at(&server);
    cli_auth_prompt *prompt;
    cli_auth_step *step;

    claim(login, MINE);
    CHECK_STATUS(cli_auth_claim_prompt(login, MINE, &prompt, NULL), CLI_AUTH_OK);
    CHECK(prompt == NULL);
    cli_auth_step_free(claimed_steps_until(login, MINE, CLI_AUTH_STEP_PROMPT));
    prompt = cli_auth_login_prompt(login);
    CHECK(prompt != NULL);
    cli_auth_prompt_free(prompt);
    CHECK_STATUS(cli_auth_claim_prompt(login, MINE, &prompt, NULL), CLI_AUTH_OK);
    CHECK(prompt != NULL);
    cli_auth_prompt_free(prompt);
    cli_auth_login_cancel(login);
    /* The next step reports the cancel. */
    CHECK_STATUS(cli_auth_claim_prompt(login, MINE, &prompt, NULL), CLI_AUTH_OK);
    CHECK(prompt == NULL);
    CHECK_STATUS(cli_auth_claim_step(login, MINE, (double)INFINITY, &step, NULL), CLI_AUTH_CANCELLED);
    CHECK_STATUS(cli_auth_claim_prompt(login, MINE, &prompt, NULL), CLI_AUTH_CANCELLED);
    cli_auth_claim_release(login, MINE);
    CHECK_STATUS(cli_auth_login_step(login, 0, &step, NULL), CLI_AUTH_CANCELLED);
    cli_auth_login_free(login);
    server_free(&server);
}

static void a_whole_login(void)
{
    struct server server = server_new("{\"interval\":1,\"answer\":\"approve\",\"answer_after_polls\":1}");
    cli_auth_login *login = login_at(&server);
    cli_auth_tokens *tokens, *again;
    cli_auth_step *step;
    cli_auth_error *error = NULL;

    claim(login, MINE);
    CHECK_STATUS(cli_auth_claim_check_started(login, MINE, &error), CLI_AUTH_MISUSE);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    cli_auth_step_free(claimed_steps_until(login, MINE, CLI_AUTH_STEP_PROMPT));
    CHECK_STATUS(cli_auth_claim_check_started(login, MINE, NULL), CLI_AUTH_OK);
    cli_auth_step_free(claimed_steps_until(login, MINE, CLI_AUTH_STEP_EVENT));
    step = claimed_steps_until(login, MINE, CLI_AUTH_STEP_AUTHORIZED);
    tokens = cli_auth_step_tokens(step);
    cli_auth_step_free(step);
    cli_auth_claim_release(login, MINE);

    /* They are in the hands of the program: nothing takes them back. */
    cli_auth_claim_abandon(login, OTHER);
    claim(login, OTHER);
    CHECK_STATUS(cli_auth_claim_check_started(login, OTHER, NULL), CLI_AUTH_OK);
    cli_auth_step_free(claimed_steps_until(login, OTHER, CLI_AUTH_STEP_AUTHORIZED));
    cli_auth_claim_abandon(login, OTHER);
    cli_auth_claim_release(login, OTHER);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &again, NULL), CLI_AUTH_OK);
    CHECK_TEXT(cli_auth_tokens_expose_access_token(again), cli_auth_tokens_expose_access_token(tokens));
    CHECK_NUMBER(server_count(&server, "revoke"), 0);
    CHECK_NUMBER(server_count(&server, "token"), 2);
    cli_auth_tokens_free(again);
    cli_auth_tokens_free(tokens);
    cli_auth_login_free(login);
    server_free(&server);
}

/* A poll has the claim for as long as it takes, in its callback as well. */
struct polling {
    cli_auth_login *login;
    int events;
};

static void claim_in_the_callback(void *user_data, const cli_auth_event *event)
{
    struct polling *polling = user_data;

    CHECK(cli_auth_event_kind(event) != 0);
    polling->events++;
    check_busy(polling->login, MINE);
    cli_auth_claim_release(polling->login, MINE);
    check_busy(polling->login, MINE);
}

static void a_poll_has_it(void)
{
    struct server server = server_new("{\"interval\":1,\"answer\":\"approve\",\"answer_after_polls\":2}");
    struct polling polling = {.login = login_at(&server)};
    cli_auth_tokens *tokens;

    start(polling.login);
    CHECK_STATUS(cli_auth_login_poll(polling.login, claim_in_the_callback, &polling, &tokens, NULL), CLI_AUTH_OK);
    CHECK_NUMBER(polling.events, 2);
    cli_auth_tokens_free(tokens);
    claim(polling.login, MINE);
    cli_auth_claim_release(polling.login, MINE);
    cli_auth_login_free(polling.login);
    server_free(&server);
}

/* A login at a server that can revoke. */
static cli_auth_login *revocable_login_at(const struct server *server)
{
    cli_auth_client_options *options = server_for_issuer(server);
    cli_auth_client *client;
    cli_auth_login *login;

    cli_auth_client_options_add_scope(options, "offline_access");
    client = client_of(options);
    login = cli_auth_login_new(client, NULL);
    cli_auth_client_free(client);
    return login;
}

/* What was granted is taken back, and nobody gets it any more. */
static void check_revoked(struct server *server, cli_auth_login *login)
{
    cli_auth_tokens *tokens;
    cli_auth_step *step;

    CHECK_NUMBER(server_count(server, "revoke"), 1);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, NULL), CLI_AUTH_CANCELLED);
    CHECK_STATUS(cli_auth_login_step(login, 0, &step, NULL), CLI_AUTH_CANCELLED);
    CHECK_NUMBER(server_count(server, "token"), 1);
    CHECK_NUMBER(server_count(server, "revoke"), 1);
    cli_auth_login_free(login);
    server_free(server);
}

/* Claims it, and steps until the only poll was sent. Its response comes a second later, while no call waits for it. */
static cli_auth_login *granted_unseen(const struct server *server)
{
    cli_auth_login *login = revocable_login_at(server);

    start(login);
    claim(login, MINE);
    while (server_count(server, "token") == 0)
        cli_auth_step_free(claimed_step(login, MINE, 0.01));
    pause_for(1.5);
    return login;
}

#define GRANTS_SLOWLY "{\"interval\":1,\"script\":{\"token\":[{\"grant\":true,\"delay_body\":1}]}}"

static void abandoned_by_its_holder(void)
{
    struct server server = server_new(GRANTS_SLOWLY);
    cli_auth_login *login = granted_unseen(&server);

    cli_auth_claim_abandon(login, MINE);
    check_busy(login, MINE); /* it still has to be released */
    cli_auth_claim_release(login, MINE);
    check_revoked(&server, login);
}

static void abandoned_by_a_call_that_can_get_it(void)
{
    struct server server = server_new(GRANTS_SLOWLY);
    cli_auth_login *login = granted_unseen(&server);

    cli_auth_claim_release(login, MINE);
    cli_auth_claim_abandon(login, OTHER);
    check_revoked(&server, login);
}

/* The call that has the claim does it. */
static void abandoned_by_another_call(void)
{
    struct server server = server_new(GRANTS_SLOWLY);
    cli_auth_login *login = granted_unseen(&server);
    cli_auth_step *step;

    cli_auth_claim_abandon(login, OTHER);
    CHECK_NUMBER(server_count(&server, "revoke"), 0);
    CHECK_STATUS(cli_auth_claim_step(login, MINE, 0, &step, NULL), CLI_AUTH_CANCELLED);
    cli_auth_claim_release(login, MINE);
    check_revoked(&server, login);
}

/* A step returned them, but the call that took it did not end well. */
static void abandoned_before_they_were_accepted(void)
{
    struct server server = server_new(APPROVES);
    cli_auth_login *login = revocable_login_at(&server);

    claim(login, MINE);
    cli_auth_step_free(claimed_steps_until(login, MINE, CLI_AUTH_STEP_AUTHORIZED));
    cli_auth_claim_abandon(login, MINE);
    cli_auth_claim_release(login, MINE);
    check_revoked(&server, login);
}

static void abandoned_before_it_began(void)
{
    struct server server = server_new("{}");
    cli_auth_login *login = revocable_login_at(&server);
    cli_auth_prompt *prompt;

    cli_auth_claim_abandon(login, MINE);
    CHECK_STATUS(cli_auth_login_start(login, &prompt, NULL), CLI_AUTH_CANCELLED);
    CHECK_NUMBER(server_count(&server, "device"), 0);
    cli_auth_login_free(login);
    server_free(&server);
}

static void misuse(void)
{
    static const uint64_t wrong[] = {0, UINT64_C(1) << 63, UINT64_MAX};
    struct server server = server_new("{}");
    cli_auth_login *login = login_at(&server);
    cli_auth_prompt *prompt;
    cli_auth_step *step;
    cli_auth_error *error = NULL;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        error = NULL;
        CHECK_STATUS(cli_auth_claim_login(login, wrong[i], &error), CLI_AUTH_MISUSE);
        CHECK_ERROR(error, CLI_AUTH_MISUSE);
    }
    CHECK_STATUS(cli_auth_claim_login(NULL, MINE, NULL), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_claim_check_started(NULL, MINE, NULL), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_claim_prompt(NULL, MINE, &prompt, NULL), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_claim_step(NULL, MINE, 0, &step, NULL), CLI_AUTH_MISUSE);
    cli_auth_claim_abandon(NULL, MINE);
    cli_auth_claim_release(NULL, MINE);
    /* The largest number that there is. */
    claim(login, INT64_MAX);
    CHECK_STATUS(cli_auth_claim_step(login, INT64_MAX, 0, NULL, NULL), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_claim_step(login, INT64_MAX, (double)NAN, &step, NULL), CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_claim_check_started(login, OTHER, NULL), CLI_AUTH_BUSY);
    CHECK_STATUS(cli_auth_claim_prompt(login, OTHER, &prompt, NULL), CLI_AUTH_BUSY);
    CHECK_STATUS(cli_auth_claim_prompt(login, INT64_MAX, NULL, NULL), CLI_AUTH_MISUSE);
    cli_auth_claim_release(login, INT64_MAX);
    CHECK_STATUS(cli_auth_claim_step(login, 0, 0, &step, NULL), CLI_AUTH_MISUSE);
    CHECK_NUMBER(server_count(&server, "device"), 0);
    cli_auth_login_free(login);
    server_free(&server);
}

/* The child is told, whoever has the claim in the parent; the parent's call goes on. */
static void a_fork(bool claimed)
{
    struct server server = server_new(APPROVES);
    cli_auth_login *login = login_at(&server);
    pid_t pid;

    start(login);
    if (claimed)
        claim(login, MINE);
    pid = fork();
    if (pid == 0) {
        cli_auth_error *error = NULL;

        alarm(60);
        CHECK_STATUS(cli_auth_claim_login(login, OTHER, &error), CLI_AUTH_FORKED);
        CHECK_ERROR(error, CLI_AUTH_FORKED);
        CHECK_STATUS(cli_auth_claim_login(login, MINE, NULL), CLI_AUTH_FORKED);
        cli_auth_claim_abandon(login, OTHER);
        cli_auth_claim_abandon(login, MINE);
        cli_auth_claim_release(login, MINE);
        cli_auth_login_free(login);
        free(server.ca_pem);
        leave(EXIT_SUCCESS);
    }
    CHECK_NUMBER(child_status(pid), 0);
    if (!claimed)
        claim(login, MINE);
    check_busy(login, MINE);
    cli_auth_step_free(claimed_steps_until(login, MINE, CLI_AUTH_STEP_AUTHORIZED));
    cli_auth_claim_release(login, MINE);
    cli_auth_login_free(login);
    server_free(&server);
}

static void forks(void)
{
    a_fork(false);
    a_fork(true);
}

const struct test claims_tests[] = {
    {"claim_by_one_call", one_call_has_it},
    {"claim_and_cancel", cancel_is_free_for_all},
    {"claim_and_a_whole_login", a_whole_login},
    {"claim_of_a_poll", a_poll_has_it},
    {"claim_abandoned_by_its_holder", abandoned_by_its_holder},
    {"claim_abandoned_by_a_call_that_can_get_it", abandoned_by_a_call_that_can_get_it},
    {"claim_abandoned_by_another_call", abandoned_by_another_call},
    {"claim_abandoned_before_tokens_were_accepted", abandoned_before_they_were_accepted},
    {"claim_abandoned_before_the_start", abandoned_before_it_began},
    {"claim_misuse", misuse},
    {"claim_and_fork", forks},
    {NULL, NULL},
};
