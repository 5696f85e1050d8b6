/* Everything lives exactly as long as its documentation says, whatever is freed around it. */

#define _POSIX_C_SOURCE 200809L

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "server.h"

/* A lent text, and what it said when it was lent. */
struct lent {
    const char *text;
    char *copy;
};

enum { MOST = 32 };

struct loans {
    struct lent lent[MOST];
    size_t count;
};

static void lend(struct loans *loans, const char *text)
{
    CHECK(text != NULL && loans->count < MOST);
    loans->lent[loans->count++] = (struct lent){.text = text, .copy = strdup(text)};
}

static void still_good(const struct loans *loans)
{
    for (size_t i = 0; i < loans->count; i++)
        CHECK_TEXT(loans->lent[i].text, loans->lent[i].copy);
}

static void settle(struct loans *loans)
{
    for (size_t i = 0; i < loans->count; i++)
        free(loans->lent[i].copy);
    loans->count = 0;
}

static void lend_prompt(struct loans *loans, const cli_auth_prompt *prompt)
{
    const char *why = NULL;

    lend(loans, cli_auth_prompt_user_code(prompt));
    lend(loans, cli_auth_prompt_verification_uri(prompt));
    lend(loans, cli_auth_prompt_verification_uri_complete(prompt));
    lend(loans, cli_auth_prompt_host(prompt));
    lend(loans, cli_auth_prompt_product(prompt));
    lend(loans, cli_auth_prompt_text(prompt));
    lend(loans, cli_auth_prompt_text_for_stderr(prompt));
    CHECK(!cli_auth_prompt_open_browser(prompt, &why));
    lend(loans, why);
}

static void lend_tokens(struct loans *loans, const cli_auth_tokens *tokens)
{
    lend(loans, cli_auth_tokens_expose_access_token(tokens));
    lend(loans, cli_auth_tokens_expose_refresh_token(tokens));
    lend(loans, cli_auth_tokens_expose_id_token(tokens));
    lend(loans, cli_auth_tokens_token_type(tokens));
    lend(loans, cli_auth_tokens_scopes(tokens)[0]);
    lend(loans, cli_auth_tokens_scopes(tokens)[1]);
    lend(loans, cli_auth_tokens_other_names(tokens)[0]);
    lend(loans, cli_auth_tokens_expose_other(tokens, cli_auth_tokens_other_names(tokens)[0]));
}

static void lend_identity(struct loans *loans, const cli_auth_identity *identity)
{
    lend(loans, cli_auth_identity_subject(identity));
    lend(loans, cli_auth_identity_email(identity));
    lend(loans, cli_auth_identity_name(identity));
    lend(loans, cli_auth_identity_organization_id(identity));
    lend(loans, cli_auth_identity_claim_names(identity)[0]);
    lend(loans, cli_auth_identity_claim(identity, "email"));
}

/* Prompt, tokens and their texts outlive the login, the client and each other's copies. */
static void texts_outlive_the_others(void)
{
    struct server server =
        server_new("{\"answer\":\"approve\",\"interval\":1,\"organizations\":[{\"id\":\"org_1\",\"name\":\"One\"}],"
                   "\"script\":{\"token\":[{\"grant\":true,\"merge\":{\"extra\":1}}]}}");
    cli_auth_client_options *options = server_workos_connect(&server);
    cli_auth_client *client;
    cli_auth_login *login;
    cli_auth_prompt *prompt, *copy;
    cli_auth_step *step;
    cli_auth_tokens *tokens, *again, *third;
    const cli_auth_identity *identity;
    struct loans loans = {.count = 0};

    cli_auth_client_options_add_scope(options, "openid");
    cli_auth_client_options_add_scope(options, "email");
    cli_auth_client_options_add_scope(options, "profile");
    cli_auth_client_options_add_scope(options, "offline_access");
    cli_auth_client_options_set_product(options, "test-tool");
    client = client_of(options);
    login = cli_auth_login_new(client, NULL);
    prompt = started(login);
    copy = cli_auth_login_prompt(login);
    CHECK(copy != NULL && copy != prompt);
    lend_prompt(&loans, prompt);
    cli_auth_client_free(client);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, NULL), CLI_AUTH_OK);
    lend_tokens(&loans, tokens);
    identity = cli_auth_tokens_identity(tokens);
    lend_identity(&loans, identity);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &again, NULL), CLI_AUTH_OK);
    CHECK(again != tokens && cli_auth_tokens_identity(again) != identity);
    step = stepped(login, 0);
    third = cli_auth_step_tokens(step);
    CHECK(third != NULL && third != tokens && cli_auth_step_prompt(step) == NULL);
    lend(&loans, cli_auth_tokens_expose_access_token(third));
    cli_auth_step_free(step);
    cli_auth_login_free(login);
    still_good(&loans);
    cli_auth_prompt_free(copy);
    cli_auth_tokens_free(again);
    server_free(&server);
    still_good(&loans);
    cli_auth_tokens_free(third);
    loans.count--;
    free(loans.lent[loans.count].copy);
    still_good(&loans);
    CHECK(cli_auth_tokens_identity(tokens) == identity);
    settle(&loans);
    cli_auth_tokens_free(tokens);
    cli_auth_prompt_free(prompt);
}

static void an_error_outlives_all(void)
{
    struct server server =
        server_new("{\"interval\":1,\"answer\":{\"decision\":\"step_up\"},"
                   "\"organizations\":[{\"id\":\"org_1\",\"name\":\"One\"},{\"id\":\"org_2\",\"name\":\"Two\"}]}");
    cli_auth_login *login = login_at(&server);
    cli_auth_tokens *tokens;
    cli_auth_error *error = NULL, *again = NULL;
    struct loans loans = {.count = 0};

    start(login);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, &error), CLI_AUTH_ACTION_REQUIRED);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, &again), CLI_AUTH_ACTION_REQUIRED);
    CHECK(error != again);
    lend(&loans, cli_auth_error_message(error));
    lend(&loans, cli_auth_error_kind(error));
    lend(&loans, cli_auth_error_oauth_error(error));
    lend(&loans, cli_auth_error_description(error));
    lend(&loans, cli_auth_error_request_id(error));
    lend(&loans, cli_auth_error_organization_ids(error)[1]);
    lend(&loans, cli_auth_error_organization_names(error)[1]);
    lend(&loans, cli_auth_error_expose_pending_authentication_token(error));
    lend(&loans, cli_auth_error_member_names(error)[0]);
    lend(&loans, cli_auth_error_expose_member(error, "code"));
    CHECK(cli_auth_error_expose_member(again, "code") != cli_auth_error_expose_member(error, "code"));
    cli_auth_error_free(again);
    cli_auth_login_free(login);
    server_free(&server);
    still_good(&loans);
    settle(&loans);
    cli_auth_error_free(error);
}

/* The caller owns the identity that userinfo returned. That of a request is borrowed from the request. */
static void identities_outlive_the_others(void)
{
    struct server server =
        server_new("{\"script\":{\"userinfo\":{\"steps\":[{\"json\":{\"sub\":\"user_1\",\"email\":\"a@b.example\","
                   "\"name\":\"A B\",\"org_id\":\"org_1\"}}],\"then\":\"repeat\"}}}");
    cli_auth_client *client = client_of(server_workos_connect(&server));
    cli_auth_request *request = cli_auth_client_begin_userinfo(client, "a", "user_1", NULL);
    cli_auth_identity *identity;
    struct loans loans = {.count = 0}, borrowed = {.count = 0};
    bool done = false;

    CHECK_STATUS(cli_auth_client_userinfo(client, "a", "user_1", &identity, NULL), CLI_AUTH_OK);
    lend_identity(&loans, identity);
    cli_auth_client_free(client);
    CHECK_STATUS(cli_auth_request_step(request, 30, &done, NULL, NULL), CLI_AUTH_OK);
    CHECK(done);
    lend_identity(&borrowed, cli_auth_request_identity(request));
    server_free(&server);
    still_good(&loans);
    cli_auth_request_cancel(request);
    still_good(&borrowed);
    settle(&borrowed);
    cli_auth_request_free(request);
    still_good(&loans);
    settle(&loans);
    cli_auth_identity_free(identity);
}

/* An event is borrowed from its step, and outlives the login. */
static void an_event_outlives_its_login(void)
{
    struct server server = server_new(APPROVES_WITHOUT_KEYS);
    cli_auth_client_options *options = server_workos_connect(&server);
    cli_auth_client *client;
    cli_auth_login *login;
    cli_auth_step *step;
    struct loans loans = {.count = 0};

    cli_auth_client_options_add_scope(options, "openid");
    client = client_of(options);
    login = cli_auth_login_new(client, NULL);
    cli_auth_client_free(client);
    step = stepped(login, 30);
    while (cli_auth_event_kind(cli_auth_step_event(step)) != CLI_AUTH_EVENT_IDENTITY_UNVERIFIED) {
        CHECK(cli_auth_step_kind(step) != CLI_AUTH_STEP_AUTHORIZED);
        cli_auth_step_free(step);
        step = stepped(login, 30);
    }
    lend(&loans, cli_auth_event_message(cli_auth_step_event(step)));
    cli_auth_login_free(login);
    server_free(&server);
    still_good(&loans);
    settle(&loans);
    cli_auth_step_free(step);
}

/* The client and the options it came from go first. */
static void a_login_outlives_its_client(void)
{
    struct server server = server_new(APPROVES);
    cli_auth_client *client = client_of(server_authkit(&server));
    cli_auth_login *fresh = cli_auth_login_new(client, NULL);
    cli_auth_login *begun = cli_auth_login_new(client, NULL);
    cli_auth_refresh_options *options = cli_auth_refresh_options_new();
    cli_auth_request *request = cli_auth_client_begin_refresh(client, "a", options, NULL);
    cli_auth_tokens *tokens;
    bool done = false;

    cli_auth_refresh_options_free(options);
    start(begun);
    cli_auth_client_free(client);
    log_in(begun);
    cli_auth_login_free(begun);
    log_in(fresh);
    cli_auth_login_free(fresh);
    CHECK_STATUS(cli_auth_request_step(request, 30, &done, &tokens, NULL), CLI_AUTH_LOGIN_REQUIRED);
    cli_auth_request_free(request);
    server_free(&server);
}

static void options_are_used_twice(void)
{
    struct server server = server_new("{}");
    cli_auth_client_options *options = server_authkit(&server);
    cli_auth_client *first = cli_auth_client_new(options, NULL), *second;
    cli_auth_login *login;
    cli_auth_prompt *prompt;

    /* The first client keeps what it was made with. */
    CHECK_STATUS(cli_auth_client_options_set_product(options, "second"), CLI_AUTH_OK);
    second = client_of(options);
    CHECK(first != NULL);
    login = cli_auth_login_new(first, NULL);
    prompt = started(login);
    CHECK(cli_auth_prompt_product(prompt) == NULL);
    cli_auth_prompt_free(prompt);
    cli_auth_login_free(login);
    cli_auth_client_free(first);
    login = cli_auth_login_new(second, NULL);
    prompt = started(login);
    CHECK_TEXT(cli_auth_prompt_product(prompt), "second");
    cli_auth_prompt_free(prompt);
    cli_auth_login_free(login);
    cli_auth_client_free(second);
    server_free(&server);
}

/* What was given can change and go as soon as the call has returned. */
static void what_is_given_is_copied(void)
{
    struct server server = server_new("{\"script\":{\"device\":[{\"merge\":{\"user_code\":\"A-1\"}}]}}");
    char id[] = "client_test", name[] = "audience", value[] = "everybody";
    char *url = strdup(server.url);
    cli_auth_client_options *options = cli_auth_client_options_authkit(id);
    cli_auth_client *client;
    cli_auth_login *login;

    memset(id, 'x', sizeof id - 1);
    CHECK_STATUS(cli_auth_client_options_set_api_base(options, url), CLI_AUTH_OK);
    memset(url, 'x', strlen(url));
    free(url);
    CHECK_STATUS(cli_auth_client_options_add_param(options, name, value), CLI_AUTH_OK);
    memset(name, 'x', sizeof name - 1);
    memset(value, 'x', sizeof value - 1);
    cli_auth_client_options_allow_insecure_loopback(options, true);
    client = client_of(options);
    login = cli_auth_login_new(client, NULL);
    start(login);
    CHECK(server_saw(&server, "\"audience\",\"everybody\""));
    cli_auth_login_free(login);
    cli_auth_client_free(client);
    server_free(&server);
}

const struct test lifetimes_tests[] = {
    {"texts_outlive_the_others", texts_outlive_the_others},
    {"an_error_outlives_all", an_error_outlives_all},
    {"identities_outlive_the_others", identities_outlive_the_others},
    {"an_event_outlives_its_login", an_event_outlives_its_login},
    {"a_login_outlives_its_client", a_login_outlives_its_client},
    {"options_are_used_twice", options_are_used_twice},
    {"what_is_given_is_copied", what_is_given_is_copied},
    {NULL, NULL},
};
