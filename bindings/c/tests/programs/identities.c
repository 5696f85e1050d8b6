/* The user who logged in: from AuthKit, from an ID token, and from the userinfo endpoint. */

#include <string.h>

#include "check.h"
#include "server.h"

/* Creates a client with these options, which are freed, and these scopes. Their list ends with NULL. */
static cli_auth_client *client_with_scopes(cli_auth_client_options *options, const char *const *scopes)
{
    for (; *scopes != NULL; scopes++)
        CHECK_STATUS(cli_auth_client_options_add_scope(options, *scopes), CLI_AUTH_OK);
    return client_of(options);
}

/* Returns the tokens of a login that ends with this status. */
static cli_auth_tokens *logged_in(cli_auth_client *client, cli_auth_status status)
{
    cli_auth_login *login = cli_auth_login_new(client, NULL);
    cli_auth_tokens *tokens = NULL;
    cli_auth_error *error = NULL;

    start(login);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, &error), status);
    if (status != CLI_AUTH_OK)
        CHECK_ERROR(error, status);
    cli_auth_login_free(login);
    return tokens;
}

static void of_authkit(void)
{
    struct server server =
        server_new("{\"answer\":\"approve\",\"interval\":1,\"organizations\":[{\"id\":\"org_1\",\"name\":\"One\"}],"
                   "\"user\":{\"id\":\"user_7\",\"email\":\"a\\u001b@b.example\",\"metadata\":{\"team\":[\"x\"]}}}");
    cli_auth_client *client = client_of(server_authkit(&server));
    cli_auth_tokens *tokens = logged_in(client, CLI_AUTH_OK);
    const cli_auth_identity *user = cli_auth_tokens_identity(tokens);
    const char *const *names = cli_auth_identity_claim_names(user);
    bool verified = false, sorted = true;
    size_t count = 0;

    CHECK(user != NULL && cli_auth_tokens_identity(tokens) == user);
    CHECK_TEXT(cli_auth_identity_subject(user), "user_7");
    /* Values are raw. */
    CHECK_TEXT(cli_auth_identity_email(user), "a\x1b@b.example");
    CHECK(cli_auth_identity_email_verified(user, &verified) && cli_auth_identity_email_verified(user, NULL));
    CHECK(verified);
    CHECK_TEXT(cli_auth_identity_name(user), "Ada Example");
    CHECK_TEXT(cli_auth_identity_organization_id(user), "org_1");
    CHECK_TEXT(cli_auth_identity_claim(user, "id"), "\"user_7\"");
    CHECK_TEXT(cli_auth_identity_claim(user, "email"), "\"a\\u001b@b.example\"");
    CHECK_TEXT(cli_auth_identity_claim(user, "metadata"), "{\"team\":[\"x\"]}");
    CHECK_TEXT(cli_auth_identity_claim(user, "locale"), "null");
    CHECK(cli_auth_identity_claim(user, "organization_id") == NULL && cli_auth_identity_claim(user, "") == NULL);
    CHECK(cli_auth_identity_claim(user, "\xff") == NULL && cli_auth_identity_claim(user, NULL) == NULL);
    for (; names[count] != NULL; count++) {
        CHECK(cli_auth_identity_claim(user, names[count]) != NULL);
        sorted = sorted && (count == 0 || strcmp(names[count - 1], names[count]) < 0);
    }
    CHECK(sorted && count > 5);
    CHECK_NUMBER(server_count(&server, "jwks"), 0);
    cli_auth_tokens_free(tokens);
    cli_auth_client_free(client);
    server_free(&server);
}

static void of_an_id_token(void)
{
    static const char *const some[] = {"openid", NULL}, *const all[] = {"openid", "email", "profile", NULL};
    struct server server = server_new("{\"answer\":\"approve\",\"interval\":1,\"user\":{\"email_verified\":false}}");
    cli_auth_client *client = client_with_scopes(server_for_issuer(&server), all);
    cli_auth_tokens *tokens = logged_in(client, CLI_AUTH_OK);
    const cli_auth_identity *user = cli_auth_tokens_identity(tokens);
    bool verified = true;

    CHECK_TEXT(cli_auth_identity_subject(user), "user_01TESTADAEXAMPLE0000000000");
    CHECK_TEXT(cli_auth_identity_email(user), "ada@example.test");
    CHECK(cli_auth_identity_email_verified(user, &verified) && !verified);
    CHECK_TEXT(cli_auth_identity_name(user), "Ada Example");
    CHECK(cli_auth_identity_organization_id(user) == NULL);
    CHECK_TEXT(cli_auth_identity_claim(user, "aud"), "\"client_test\"");
    CHECK_TEXT(cli_auth_identity_claim(user, "given_name"), "\"Ada\"");
    CHECK(strstr(cli_auth_identity_claim(user, "iss"), server.url) != NULL);
    CHECK_NUMBER(server_count(&server, "jwks"), 1);
    cli_auth_tokens_free(tokens);
    cli_auth_client_free(client);

    /* WorkOS Connect needs no metadata. A claim that is missing is NULL. */
    client = client_with_scopes(server_workos_connect(&server), some);
    tokens = logged_in(client, CLI_AUTH_OK);
    user = cli_auth_tokens_identity(tokens);
    verified = true;
    CHECK_TEXT(cli_auth_identity_subject(user), "user_01TESTADAEXAMPLE0000000000");
    CHECK(cli_auth_identity_email(user) == NULL && cli_auth_identity_name(user) == NULL);
    CHECK(!cli_auth_identity_email_verified(user, &verified) && verified);
    cli_auth_tokens_free(tokens);
    cli_auth_client_free(client);

    /* Without the scope there is no ID token. */
    client = client_of(server_workos_connect(&server));
    tokens = logged_in(client, CLI_AUTH_OK);
    CHECK(!cli_auth_tokens_has_id_token(tokens) && cli_auth_tokens_identity(tokens) == NULL);
    cli_auth_tokens_free(tokens);
    cli_auth_client_free(client);
    server_free(&server);
}

/* An invalid ID token ends the login. If it is not verified, there is no identity. */
static void only_if_verified(void)
{
    static const char *const scopes[] = {"openid", NULL};
    struct server server =
        server_new("{\"answer\":\"approve\",\"interval\":1,\"id_token\":{\"signature\":\"bad\"}}");
    cli_auth_client_options *options = server_for_issuer(&server);
    cli_auth_client *client;
    cli_auth_tokens *tokens;

    CHECK_STATUS(cli_auth_client_options_verify_id_token(options, true), CLI_AUTH_OK);
    client = client_with_scopes(options, scopes);
    CHECK(logged_in(client, CLI_AUTH_INVALID_RESPONSE) == NULL);
    CHECK_NUMBER(server_count(&server, "jwks"), 1);
    cli_auth_client_free(client);

    options = server_for_issuer(&server);
    CHECK_STATUS(cli_auth_client_options_verify_id_token(options, false), CLI_AUTH_OK);
    client = client_with_scopes(options, scopes);
    tokens = logged_in(client, CLI_AUTH_OK);
    CHECK(cli_auth_tokens_has_id_token(tokens) && strlen(cli_auth_tokens_expose_id_token(tokens)) > 20);
    CHECK(cli_auth_tokens_identity(tokens) == NULL);
    CHECK_NUMBER(server_count(&server, "jwks"), 1);
    cli_auth_tokens_free(tokens);
    cli_auth_client_free(client);
    server_free(&server);
}

static void asked_for(void)
{
    static const char *const scopes[] = {"openid", "email", NULL};
    struct server server = server_new(APPROVES);
    cli_auth_client *client = client_with_scopes(server_for_issuer(&server), scopes);
    cli_auth_tokens *tokens = logged_in(client, CLI_AUTH_OK);
    const char *access_token = cli_auth_tokens_expose_access_token(tokens);
    const char *subject = cli_auth_identity_subject(cli_auth_tokens_identity(tokens));
    cli_auth_identity *user = NULL, *untouched;
    cli_auth_error *error = NULL;

    CHECK_STATUS(cli_auth_client_userinfo(client, access_token, subject, &user, &error), CLI_AUTH_OK);
    CHECK_TEXT(cli_auth_identity_subject(user), subject);
    CHECK_TEXT(cli_auth_identity_email(user), "ada@example.test");
    CHECK(cli_auth_identity_claim(user, "aud") == NULL);
    cli_auth_identity_free(user);
    CHECK_STATUS(cli_auth_client_userinfo(client, access_token, NULL, &user, &error), CLI_AUTH_OK);
    CHECK_TEXT(cli_auth_identity_subject(user), subject);
    CHECK(error == NULL);

    untouched = user;
    CHECK_STATUS(cli_auth_client_userinfo(client, access_token, "user_2", &user, &error), CLI_AUTH_INVALID_RESPONSE);
    CHECK(strstr(cli_auth_error_message(error), "another user") != NULL);
    CHECK(strstr(cli_auth_error_message(error), "ada@") == NULL);
    CHECK_ERROR(error, CLI_AUTH_INVALID_RESPONSE);
    CHECK_STATUS(cli_auth_client_userinfo(client, "not-a-token", NULL, &user, &error), CLI_AUTH_REJECTED);
    CHECK_NUMBER(cli_auth_error_http_status(error), 401);
    CHECK_TEXT(cli_auth_error_oauth_error(error), "unauthorized");
    CHECK_TEXT(cli_auth_error_expose_member(error, "error"), "\"unauthorized\"");
    CHECK_ERROR(error, CLI_AUTH_REJECTED);
    CHECK_STATUS(cli_auth_client_userinfo(client, "", NULL, &user, NULL), CLI_AUTH_INVALID_CONFIG);
    CHECK_STATUS(cli_auth_client_userinfo(client, "a b", NULL, &user, NULL), CLI_AUTH_INVALID_CONFIG);
    CHECK(cli_auth_client_begin_userinfo(client, "", NULL, &error) == NULL);
    CHECK_ERROR(error, CLI_AUTH_INVALID_CONFIG);
    CHECK_NUMBER(server_count(&server, "userinfo"), 4);
    cli_auth_client_free(client);

    /* AuthKit has no userinfo endpoint, and that of explicit endpoints is not known. */
    client = client_of(server_authkit(&server));
    CHECK_STATUS(cli_auth_client_userinfo(client, access_token, NULL, &user, NULL), CLI_AUTH_UNSUPPORTED);
    cli_auth_client_free(client);
    client = client_of(cli_auth_client_options_with_endpoints("https://a.example/d", "https://a.example/t", "c"));
    CHECK_STATUS(cli_auth_client_userinfo(client, access_token, NULL, &user, NULL), CLI_AUTH_UNSUPPORTED);
    cli_auth_client_free(client);
    CHECK_NUMBER(server_count(&server, "userinfo"), 4);
    CHECK(user == untouched);
    cli_auth_identity_free(user);
    cli_auth_tokens_free(tokens);
    server_free(&server);
}

/* Claims as the server sends them. */
static void values_of_userinfo(void)
{
    static const struct {
        bool said, verified;
    } wanted[] = {{true, true}, {true, true}, {true, false}, {false, false}, {false, false}};
    struct server server = server_new(
        "{\"script\":{\"userinfo\":[{\"json\":{\"sub\":\"u\",\"email_verified\":true}},"
        "{\"json\":{\"sub\":\"u\",\"email_verified\":\"true\"}},{\"json\":{\"sub\":\"u\",\"email_verified\":false}},"
        "{\"json\":{\"sub\":\"u\",\"email_verified\":1}},{\"json\":{\"sub\":\"u\"}},"
        "{\"json\":{\"sub\":\"u\\u0000v\",\"name\":\"\\u00c4da\",\"org_id\":\"org_2\","
        "\"groups\":[\"a\",{\"b\":1}]}}]}}");
    cli_auth_client *client = client_of(server_workos_connect(&server));
    cli_auth_identity *user;
    const char *const *names;

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        bool verified = !wanted[i].verified;

        CHECK_STATUS(cli_auth_client_userinfo(client, "a", "u", &user, NULL), CLI_AUTH_OK);
        CHECK(cli_auth_identity_email_verified(user, &verified) == wanted[i].said);
        CHECK(verified == (wanted[i].said == wanted[i].verified));
        cli_auth_identity_free(user);
    }
    CHECK_STATUS(cli_auth_client_userinfo(client, "a", NULL, &user, NULL), CLI_AUTH_OK);
    /* A NUL does not end a text. */
    CHECK_TEXT(cli_auth_identity_subject(user), "u\xef\xbf\xbdv");
    CHECK_TEXT(cli_auth_identity_name(user), "\xc3\x84" "da");
    CHECK_TEXT(cli_auth_identity_organization_id(user), "org_2");
    CHECK(cli_auth_identity_email(user) == NULL);
    CHECK_TEXT(cli_auth_identity_claim(user, "groups"), "[\"a\",{\"b\":1}]");
    names = cli_auth_identity_claim_names(user);
    CHECK_TEXT(names[0], "groups");
    CHECK_TEXT(names[1], "name");
    CHECK_TEXT(names[2], "org_id");
    CHECK_TEXT(names[3], "sub");
    CHECK(names[4] == NULL);
    cli_auth_identity_free(user);
    cli_auth_client_free(client);
    server_free(&server);
}

const struct test identities_tests[] = {
    {"identity_of_authkit", of_authkit},
    {"identity_of_an_id_token", of_an_id_token},
    {"identity_only_if_verified", only_if_verified},
    {"identity_asked_for", asked_for},
    {"identity_values_of_userinfo", values_of_userinfo},
    {NULL, NULL},
};
