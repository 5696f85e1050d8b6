/* The options of a refresh, and endpoints that the metadata of a server lacks. */

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "server.h"

/* Accepts every refresh token. */
#define REFRESHES                                                                                                  \
    "{\"script\":{\"refresh\":{\"steps\":[{\"json\":{\"access_token\":\"at-1\",\"token_type\":\"Bearer\"}}],\"then\":" \
    "\"repeat\"}}}"

/* Returns whether a request had this parameter. */
static bool sent(const struct server *server, const char *name, const char *value)
{
    char pair[128];

    snprintf(pair, sizeof pair, "[\"%s\",\"%s\"]", name, value);
    return server_saw(server, pair);
}

static void renew(cli_auth_client *client, const cli_auth_refresh_options *options)
{
    cli_auth_tokens *tokens;
    cli_auth_error *error = NULL;

    if (cli_auth_client_refresh(client, "rt-1", options, &tokens, &error) != CLI_AUTH_OK)
        CHECK_ERROR(error, CLI_AUTH_OK);
    CHECK_TEXT(cli_auth_tokens_expose_refresh_token(tokens), "rt-1");
    cli_auth_tokens_free(tokens);
}

static void with_scopes_and_params(void)
{
    struct server server = server_new(REFRESHES);
    cli_auth_client *client = client_of(server_for_issuer(&server));
    cli_auth_refresh_options *options = cli_auth_refresh_options_new();
    cli_auth_tokens *tokens;
    cli_auth_request *request;
    char name[] = "audience", value[] = "everybody", scope[] = "read";
    bool done = false;

    renew(client, NULL);
    renew(client, options);
    CHECK(!server_saw(&server, "\"scope\"") && !server_saw(&server, "\"resource\""));

    CHECK_STATUS(cli_auth_refresh_options_add_scope(options, scope), CLI_AUTH_OK);
    CHECK_STATUS(cli_auth_refresh_options_add_scope(options, "write"), CLI_AUTH_OK);
    CHECK_STATUS(cli_auth_refresh_options_add_param(options, name, value), CLI_AUTH_OK);
    CHECK_STATUS(cli_auth_refresh_options_add_param(options, "resource", "https://one.example"), CLI_AUTH_OK);
    CHECK_STATUS(cli_auth_refresh_options_add_param(options, "resource", "https://two.example"), CLI_AUTH_OK);
    /* The arguments were copied. */
    memset(name, 'x', sizeof name - 1);
    memset(value, 'x', sizeof value - 1);
    memset(scope, 'x', sizeof scope - 1);
    CHECK_STATUS(cli_auth_client_refresh(client, "rt-1", options, &tokens, NULL), CLI_AUTH_OK);
    CHECK_TEXT(cli_auth_tokens_scopes(tokens)[0], "read");
    CHECK_TEXT(cli_auth_tokens_scopes(tokens)[1], "write");
    cli_auth_tokens_free(tokens);
    CHECK(sent(&server, "scope", "read write") && sent(&server, "audience", "everybody"));
    CHECK(sent(&server, "resource", "https://one.example") && sent(&server, "resource", "https://two.example"));

    /* A request keeps a copy of the options. */
    request = cli_auth_client_begin_refresh(client, "rt-1", options, NULL);
    CHECK_STATUS(cli_auth_refresh_options_add_param(options, "late", "1"), CLI_AUTH_OK);
    cli_auth_refresh_options_free(options);
    CHECK_STATUS(cli_auth_request_step(request, 30, &done, &tokens, NULL), CLI_AUTH_OK);
    CHECK(done);
    CHECK_TEXT(cli_auth_tokens_scopes(tokens)[1], "write");
    cli_auth_tokens_free(tokens);
    cli_auth_request_free(request);
    CHECK(!server_saw(&server, "late"));
    CHECK_NUMBER(server_count(&server, "refresh"), 4);
    cli_auth_client_free(client);
    server_free(&server);
}

/* The client's parameters are sent with every refresh, but not with a login. Those of one refresh replace them. */
static void with_params_of_the_client(void)
{
    struct server server = server_new(REFRESHES);
    cli_auth_client_options *settings = server_for_issuer(&server);
    cli_auth_refresh_options *options = cli_auth_refresh_options_new();
    cli_auth_client *client;
    cli_auth_login *login;

    CHECK_STATUS(cli_auth_client_options_add_refresh_param(settings, "audience", "of-the-client"), CLI_AUTH_OK);
    CHECK_STATUS(cli_auth_client_options_add_refresh_param(settings, "resource", "https://one.example"), CLI_AUTH_OK);
    CHECK_STATUS(cli_auth_client_options_add_refresh_param(settings, "resource", "https://two.example"), CLI_AUTH_OK);
    client = client_of(settings);
    CHECK_STATUS(cli_auth_refresh_options_add_param(options, "resource", "https://three.example"), CLI_AUTH_OK);
    login = cli_auth_login_new(client, NULL);
    start(login);
    cli_auth_login_free(login);
    CHECK(!server_saw(&server, "of-the-client"));
    renew(client, options);
    CHECK(sent(&server, "audience", "of-the-client") && sent(&server, "resource", "https://three.example"));
    CHECK(!server_saw(&server, "one.example") && !server_saw(&server, "two.example"));
    renew(client, NULL);
    CHECK(sent(&server, "resource", "https://one.example") && sent(&server, "resource", "https://two.example"));
    cli_auth_refresh_options_free(options);
    cli_auth_client_free(client);
    server_free(&server);
}

/* Tokens for another user are refused, with an ID token and with AuthKit's user. */
static void with_a_subject(void)
{
    struct server server =
        server_new("{\"answer\":\"approve\",\"interval\":1,\"user\":{\"id\":\"user_7\"},\"rotate_refresh\":false}");

    for (int authkit = 0; authkit < 2; authkit++) {
        cli_auth_client_options *settings = authkit ? server_authkit(&server) : server_for_issuer(&server);
        cli_auth_refresh_options *options = cli_auth_refresh_options_new();
        cli_auth_client *client;
        cli_auth_login *login;
        cli_auth_tokens *tokens, *renewed = NULL;
        cli_auth_error *error = NULL;
        const char *refresh_token;

        if (!authkit) {
            cli_auth_client_options_add_scope(settings, "openid");
            cli_auth_client_options_add_scope(settings, "offline_access");
        }
        client = client_of(settings);
        login = cli_auth_login_new(client, NULL);
        start(login);
        CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, NULL), CLI_AUTH_OK);
        cli_auth_login_free(login);
        refresh_token = cli_auth_tokens_expose_refresh_token(tokens);

        CHECK_STATUS(cli_auth_refresh_options_set_subject(options, "user_8"), CLI_AUTH_OK);
        CHECK_STATUS(cli_auth_client_refresh(client, refresh_token, options, &renewed, &error),
                     CLI_AUTH_INVALID_RESPONSE);
        CHECK(strstr(cli_auth_error_message(error), "another user") != NULL);
        CHECK_ERROR(error, CLI_AUTH_INVALID_RESPONSE);
        CHECK(renewed == NULL);
        /* The last subject applies. */
        CHECK_STATUS(cli_auth_refresh_options_set_subject(options, "user_7"), CLI_AUTH_OK);
        CHECK_STATUS(cli_auth_client_refresh(client, refresh_token, options, &renewed, NULL), CLI_AUTH_OK);
        CHECK_TEXT(cli_auth_identity_subject(cli_auth_tokens_identity(renewed)), "user_7");
        CHECK(!server_saw(&server, "\"subject\""));
        cli_auth_tokens_free(renewed);
        cli_auth_tokens_free(tokens);
        cli_auth_refresh_options_free(options);
        cli_auth_client_free(client);
    }
    server_free(&server);
}

static void set_endpoints(cli_auth_client_options *options, const struct server *server)
{
    char url[128];

    snprintf(url, sizeof url, "%s/oauth2/device_authorization", server->url);
    CHECK_STATUS(cli_auth_client_options_set_device_authorization_endpoint(options, url), CLI_AUTH_OK);
    snprintf(url, sizeof url, "%s/oauth2/token", server->url);
    CHECK_STATUS(cli_auth_client_options_set_token_endpoint(options, url), CLI_AUTH_OK);
    snprintf(url, sizeof url, "%s/oauth2/revoke", server->url);
    CHECK_STATUS(cli_auth_client_options_set_revocation_endpoint(options, url), CLI_AUTH_OK);
}

/* Metadata with good keys and a good userinfo endpoint. The other endpoints are missing or wrong. */
#define METADATA_WITH(change)                                                                             \
    "{\"answer\":\"approve\",\"interval\":1,\"discovery\":\"oauth\",\"script\":{\"discovery_oauth\":{\"steps\":" \
    "[{\"real\":true," change "}],\"then\":\"repeat\"}}}"
#define ENDPOINTS_LACK \
    "\"remove\":[\"device_authorization_endpoint\",\"token_endpoint\",\"revocation_endpoint\"]"
#define ENDPOINTS_ARE_WRONG                                                          \
    "\"merge\":{\"device_authorization_endpoint\":\"{origin}/wrong\",\"token_endpoint\":" \
    "\"{origin}/wrong\",\"revocation_endpoint\":\"{origin}/wrong\"}"

static void with_endpoints_beside_the_metadata(void)
{
    static const char *const settings[] = {METADATA_WITH(ENDPOINTS_LACK), METADATA_WITH(ENDPOINTS_ARE_WRONG)};

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        struct server server = server_new(settings[i]);
        cli_auth_client_options *options = server_for_issuer(&server);
        cli_auth_client *client;
        cli_auth_login *login;
        cli_auth_tokens *tokens, *renewed;
        cli_auth_identity *user;
        const char *refresh_token;

        set_endpoints(options, &server);
        cli_auth_client_options_add_scope(options, "openid");
        cli_auth_client_options_add_scope(options, "offline_access");
        client = client_of(options);
        login = cli_auth_login_new(client, NULL);
        start(login);
        CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, NULL), CLI_AUTH_OK);
        cli_auth_login_free(login);
        refresh_token = cli_auth_tokens_expose_refresh_token(tokens);
        CHECK_STATUS(cli_auth_client_refresh(client, refresh_token, NULL, &renewed, NULL), CLI_AUTH_OK);
        cli_auth_tokens_free(tokens);
        /* Keys and the userinfo endpoint are those of the metadata. */
        CHECK(cli_auth_tokens_identity(renewed) != NULL);
        CHECK_STATUS(cli_auth_client_userinfo(client, cli_auth_tokens_expose_access_token(renewed), NULL, &user, NULL),
                     CLI_AUTH_OK);
        cli_auth_identity_free(user);
        CHECK_STATUS(cli_auth_client_revoke(client, cli_auth_tokens_expose_refresh_token(renewed), NULL), CLI_AUTH_OK);
        cli_auth_tokens_free(renewed);
        CHECK_NUMBER(server_count(&server, "device") + server_count(&server, "refresh"), 2);
        CHECK_NUMBER(server_count(&server, "revoke"), 1);
        CHECK_NUMBER(server_count(&server, "other"), 0);
        cli_auth_client_free(client);
        server_free(&server);
    }
}

/* Returns the status of cli_auth_client_new, and frees the options. */
static cli_auth_status refusal(cli_auth_client_options *options)
{
    cli_auth_error *error = NULL;
    cli_auth_client *client = cli_auth_client_new(options, &error);
    cli_auth_status status = cli_auth_error_status(error);

    CHECK((client == NULL) == (status != CLI_AUTH_OK));
    CHECK(client != NULL || strstr(cli_auth_error_message(error), "endpoint") != NULL);
    cli_auth_error_free(error);
    cli_auth_client_free(client);
    cli_auth_client_options_free(options);
    return status;
}

/* Only a client by issuer takes these endpoints, and only as https URLs. */
static void with_endpoints_of_another_client(void)
{
    static cli_auth_status (*const setters[])(cli_auth_client_options *, const char *) = {
        cli_auth_client_options_set_device_authorization_endpoint, cli_auth_client_options_set_token_endpoint};

    for (size_t i = 0; i < sizeof setters / sizeof *setters; i++) {
        cli_auth_client_options *all[] = {
            cli_auth_client_options_authkit("c"), cli_auth_client_options_workos_connect("a.example", "c"),
            cli_auth_client_options_with_endpoints("https://a.example/d", "https://a.example/t", "c")};
        cli_auth_client_options *options;

        for (size_t j = 0; j < sizeof all / sizeof *all; j++) {
            CHECK_STATUS(setters[i](all[j], "https://a.example/x"), CLI_AUTH_OK);
            CHECK_STATUS(refusal(all[j]), CLI_AUTH_INVALID_CONFIG);
        }
        options = cli_auth_client_options_for_issuer("https://a.example", "c");
        CHECK_STATUS(setters[i](options, "https://a.example/x"), CLI_AUTH_OK);
        CHECK_STATUS(refusal(options), CLI_AUTH_OK);
        options = cli_auth_client_options_for_issuer("https://a.example", "c");
        CHECK_STATUS(setters[i](options, "http://a.example/x"), CLI_AUTH_OK);
        CHECK_STATUS(refusal(options), CLI_AUTH_INVALID_CONFIG);
    }
}

const struct test refreshes_tests[] = {
    {"refresh_with_scopes_and_params", with_scopes_and_params},
    {"refresh_with_params_of_the_client", with_params_of_the_client},
    {"refresh_with_a_subject", with_a_subject},
    {"endpoints_beside_the_metadata", with_endpoints_beside_the_metadata},
    {"endpoints_of_another_client", with_endpoints_of_another_client},
    {NULL, NULL},
};
