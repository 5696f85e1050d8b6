/* Fork: the parent goes on, the child is told or logs in by itself, nobody hangs. */

#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "server.h"
#include "system.h"

/* What was there before the fork. */
struct inherited {
    cli_auth_client *client;
    cli_auth_login *login;
    cli_auth_request *request;
    cli_auth_request *userinfo;
    cli_auth_prompt *prompt;
};

static struct inherited prepare(const struct server *server)
{
    struct inherited all;

    all.client = client_of(server_authkit(server));
    all.login = cli_auth_login_new(all.client, NULL);
    all.prompt = started(all.login);
    all.request = cli_auth_client_begin_refresh(all.client, "a", NULL, NULL);
    all.userinfo = cli_auth_client_begin_userinfo(all.client, "a", NULL, NULL);
    return all;
}

static void let_go(struct inherited *all)
{
    cli_auth_request_free(all->request);
    cli_auth_request_free(all->userinfo);
    cli_auth_prompt_free(all->prompt);
    cli_auth_login_free(all->login);
    cli_auth_client_free(all->client);
}

static void check_forked(const struct inherited *all)
{
    cli_auth_tokens *tokens;
    cli_auth_prompt *prompt;
    cli_auth_step *step;
    cli_auth_error *error = NULL;
    bool done;

    CHECK_STATUS(cli_auth_login_start(all->login, &prompt, &error), CLI_AUTH_FORKED);
    CHECK_ERROR(error, CLI_AUTH_FORKED);
    CHECK_STATUS(cli_auth_login_poll(all->login, NULL, NULL, &tokens, NULL), CLI_AUTH_FORKED);
    CHECK_STATUS(cli_auth_login_step(all->login, 0, &step, NULL), CLI_AUTH_FORKED);
    cli_auth_login_cancel(all->login);
    cli_auth_request_cancel(all->request);
    CHECK_STATUS(cli_auth_login_step(all->login, (double)INFINITY, &step, NULL), CLI_AUTH_FORKED);
    CHECK_STATUS(cli_auth_request_step(all->request, 60, &done, &tokens, NULL), CLI_AUTH_FORKED);
    CHECK_STATUS(cli_auth_request_step(all->userinfo, 60, &done, NULL, NULL), CLI_AUTH_FORKED);
    CHECK(cli_auth_request_identity(all->userinfo) == NULL);
    /* What needs no engine is there. */
    CHECK(cli_auth_prompt_user_code(all->prompt)[0] != '\0');
    prompt = cli_auth_login_prompt(all->login);
    CHECK_TEXT(cli_auth_prompt_user_code(prompt), cli_auth_prompt_user_code(all->prompt));
    cli_auth_prompt_free(prompt);
}

enum ending { BY_EXIT, BY__EXIT };

/* Ends a child. It leaks what the parent's engine needs, on purpose. */
static void end(enum ending ending)
{
    if (ending == BY__EXIT && !is_watched())
        _exit(EXIT_SUCCESS);
    leave(EXIT_SUCCESS);
}

/* A child that uses what it inherited, logs in by itself with the client, and ends. */
static pid_t child(struct inherited *all, const struct server *server, enum ending ending)
{
    pid_t pid = fork();

    if (pid == 0) {
        cli_auth_login *own;

        alarm(60);
        check_forked(all);
        own = cli_auth_login_new(all->client, NULL);
        start(own);
        cli_auth_login_free(own);
        let_go(all);
        free(server->ca_pem);
        end(ending);
    }
    return pid;
}

/* The child frees everything that it inherited; the parent gets its token. */
static void parent_goes_on(const char *settings)
{
    struct server server = server_new(settings);
    struct inherited all = prepare(&server);
    cli_auth_tokens *tokens;

    cli_auth_step_free(stepped(all.login, 0));
    CHECK_NUMBER(child_status(child(&all, &server, BY_EXIT)), 0);
    cli_auth_step_free(stepped(all.login, 0));
    CHECK_NUMBER(child_status(child(&all, &server, BY__EXIT)), 0);
    server_answer(&server, cli_auth_prompt_user_code(all.prompt), "approve");
    CHECK_STATUS(cli_auth_login_poll(all.login, NULL, NULL, &tokens, NULL), CLI_AUTH_OK);
    CHECK(cli_auth_tokens_identity(tokens) != NULL);
    CHECK_NUMBER(server_count(&server, "device"), 3);
    CHECK(!server_saw(&server, "polled_too_early"));
    cli_auth_tokens_free(tokens);
    let_go(&all);
    server_free(&server);
}

static void the_parent_goes_on(void)
{
    parent_goes_on("{\"interval\":1}");
}

static void the_parent_goes_on_over_tls(void)
{
    parent_goes_on("{\"interval\":1,\"tls\":\"good\"}");
}

static void poll_it(void *data)
{
    struct inherited *all = data;
    cli_auth_tokens *tokens;

    CHECK_STATUS(cli_auth_login_poll(all->login, NULL, NULL, &tokens, NULL), CLI_AUTH_OK);
    cli_auth_tokens_free(tokens);
}

/* Another thread drives the login while this one forks. */
static void while_a_thread_polls(const char *settings)
{
    struct server server = server_new(settings);
    struct inherited all = prepare(&server);
    struct thread thread;

    thread_start(&thread, poll_it, &all);
    wait_until_asleep(thread.id);
    CHECK_NUMBER(child_status(child(&all, &server, BY__EXIT)), 0);
    CHECK_NUMBER(child_status(child(&all, &server, BY__EXIT)), 0);
    server_answer(&server, cli_auth_prompt_user_code(all.prompt), "approve");
    thread_join(&thread);
    let_go(&all);
    server_free(&server);
}

static void a_fork_while_a_thread_polls(void)
{
    while_a_thread_polls("{\"interval\":1}");
    while_a_thread_polls("{\"interval\":1,\"script\":{\"token\":[{\"delay\":3}]}}");
}

/* A client that was never used, and one that was: both make whole logins in the child. */
static void a_whole_login_in_the_child(void)
{
    struct server server = server_new(APPROVES);
    cli_auth_client *client = client_of(server_authkit(&server));
    cli_auth_login *login;

    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            alarm(60);
            login = cli_auth_login_new(client, NULL);
            log_in(login);
            cli_auth_login_free(login);
            cli_auth_client_free(client);
            end(BY_EXIT);
        }
        login = cli_auth_login_new(client, NULL);
        log_in(login);
        cli_auth_login_free(login);
        CHECK_NUMBER(child_status(pid), 0);
    }
    cli_auth_client_free(client);
    server_free(&server);
}

/* A child can read an inherited identity, and can send requests with an inherited client. */
static void userinfo_in_the_child(void)
{
    struct server server = server_new(APPROVES);
    cli_auth_client_options *options = server_for_issuer(&server);
    cli_auth_refresh_options *refresh = cli_auth_refresh_options_new();
    cli_auth_client *client;
    cli_auth_login *login;
    cli_auth_tokens *tokens, *renewed;
    cli_auth_identity *asked;
    const char *subject, *refresh_token;
    pid_t pid;

    cli_auth_client_options_add_scope(options, "openid");
    cli_auth_client_options_add_scope(options, "offline_access");
    client = client_of(options);
    login = cli_auth_login_new(client, NULL);
    start(login);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, NULL), CLI_AUTH_OK);
    cli_auth_login_free(login);
    subject = cli_auth_identity_subject(cli_auth_tokens_identity(tokens));
    refresh_token = cli_auth_tokens_expose_refresh_token(tokens);
    cli_auth_refresh_options_set_subject(refresh, subject);
    pid = fork();
    if (pid == 0)
        alarm(60);
    CHECK_STATUS(cli_auth_client_userinfo(client, cli_auth_tokens_expose_access_token(tokens), subject, &asked, NULL),
                 CLI_AUTH_OK);
    CHECK_TEXT(cli_auth_identity_subject(asked), subject);
    cli_auth_identity_free(asked);
    if (pid == 0) {
        CHECK_STATUS(cli_auth_client_refresh(client, refresh_token, refresh, &renewed, NULL), CLI_AUTH_OK);
        CHECK_TEXT(cli_auth_identity_subject(cli_auth_tokens_identity(renewed)), subject);
        cli_auth_tokens_free(renewed);
    }
    cli_auth_refresh_options_free(refresh);
    cli_auth_tokens_free(tokens);
    cli_auth_client_free(client);
    if (pid == 0)
        end(BY_EXIT);
    CHECK_NUMBER(child_status(pid), 0);
    CHECK_NUMBER(server_count(&server, "userinfo"), 2);
    server_free(&server);
}

const struct test forks_tests[] = {
    {"fork_and_the_parent_goes_on", the_parent_goes_on},
    {"fork_and_the_parent_goes_on_over_tls", the_parent_goes_on_over_tls},
    {"fork_while_a_thread_polls", a_fork_while_a_thread_polls},
    {"fork_and_a_whole_login_in_the_child", a_whole_login_in_the_child},
    {"fork_and_userinfo_in_the_child", userinfo_in_the_child},
    {NULL, NULL},
};
