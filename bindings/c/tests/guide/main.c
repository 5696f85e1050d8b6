/* Runs the functions of the C guide against a test server whose user approves. */
#define _DEFAULT_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "redirect.h"

#include "functions.inc" /* written by the test: the functions of the guide */

#define CHECK(condition)                                                             \
    do {                                                                             \
        if (!(condition)) {                                                          \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);  \
            exit(1);                                                                 \
        }                                                                            \
    } while (0)

/* Errors, Tokens, and Refresh and revoke. */
static void whole_life(cli_auth_client *client)
{
    cli_auth_tokens *tokens = NULL;
    char first[4096];

    CHECK(log_in(client, &tokens) == 0);
    call_the_api(tokens);
    CHECK(cli_auth_tokens_identity(tokens));
    greet(cli_auth_tokens_identity(tokens));
    snprintf(first, sizeof first, "%s", cli_auth_tokens_expose_refresh_token(tokens));
    CHECK(renew(client, &tokens) == CLI_AUTH_OK);
    CHECK(strcmp(first, cli_auth_tokens_expose_refresh_token(tokens)) != 0);
    CHECK(switch_to(client, "org_1", &tokens) == CLI_AUTH_REJECTED); /* the user belongs to none */
    log_out(client, tokens);
}

/* Tokens: the user, once from the ID token and once from the server. */
static void by_an_issuer(const char *url)
{
    cli_auth_client_options *options = cli_auth_client_options_for_issuer(url, "client_123");
    cli_auth_client *client;
    cli_auth_tokens *tokens = NULL;

    cli_auth_client_options_allow_insecure_loopback(options, true);
    cli_auth_client_options_add_scope(options, "openid");
    cli_auth_client_options_add_scope(options, "email");
    client = cli_auth_client_new(options, NULL);
    CHECK(client && log_in(client, &tokens) == 0);
    CHECK(cli_auth_tokens_identity(tokens));
    greet(cli_auth_tokens_identity(tokens));
    ask_who(client, tokens);
    cli_auth_tokens_free(tokens);
    cli_auth_client_free(client);
    cli_auth_client_options_free(options);
}

/* An event loop of your own. */
static void by_steps(cli_auth_client *client)
{
    cli_auth_login *login = cli_auth_login_new(client, NULL);
    cli_auth_tokens *tokens = NULL;

    CHECK(drive(login, &tokens) == CLI_AUTH_OK);
    CHECK(cli_auth_tokens_identity(tokens));
    cli_auth_tokens_free(tokens);
    cli_auth_login_free(login);
}

static bool never(void)
{
    return false;
}

static bool at_once(void)
{
    return true;
}

/* A package for another language. */
static void by_a_claim(cli_auth_client *client)
{
    cli_auth_login *login = cli_auth_login_new(client, NULL);
    cli_auth_tokens *tokens = NULL;

    CHECK(log_in_as(login, 1, never, &tokens) == CLI_AUTH_OK);
    CHECK(cli_auth_tokens_identity(tokens));
    cli_auth_tokens_free(tokens);
    cli_auth_login_free(login);

    login = cli_auth_login_new(client, NULL);
    tokens = NULL;
    CHECK(log_in_as(login, 2, at_once, &tokens) == CLI_AUTH_CANCELLED);
    CHECK(!tokens);
    CHECK(log_in_as(login, 3, never, &tokens) == CLI_AUTH_CANCELLED);
    cli_auth_login_free(login);
}

/* Ending a login: a signal that comes before the poll, so that it is there for sure. */
static void by_a_signal(cli_auth_client *client)
{
    cli_auth_login *login = cli_auth_login_new(client, NULL);
    cli_auth_prompt *prompt = NULL;
    cli_auth_tokens *tokens = NULL;

    cancel_on_signals(login);
    CHECK(cli_auth_login_start(login, &prompt, NULL) == CLI_AUTH_OK);
    CHECK(raise(SIGTERM) == 0);
    CHECK(caught == SIGTERM);
    CHECK(cli_auth_login_poll(login, show, stderr, &tokens, NULL) == CLI_AUTH_CANCELLED);
    CHECK(!tokens);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    cli_auth_prompt_free(prompt);
    cli_auth_login_free(login);
}

int main(void)
{
    cli_auth_client *client = test_client(getenv("CLI_AUTH_TEST_SERVER"));

    CHECK(client);
    whole_life(client);
    by_an_issuer(getenv("CLI_AUTH_TEST_SERVER"));
    by_steps(client);
    by_a_claim(client);
    by_a_signal(client);
    cli_auth_client_free(client);
    puts("all of the guide ran");
    return 0;
}
