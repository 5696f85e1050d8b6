/* A program as somebody else would build it, from what is installed. Given the test server's URL, it logs in there. It
   is C and C++ alike. */
#include <stdio.h>
#include <string.h>

#include <cli_auth.h>

static int failed(const char *what, cli_auth_error *error)
{
    fprintf(stderr, "%s: %s\n", what, cli_auth_error_message(error));
    cli_auth_error_free(error);
    return 1;
}

/* A client that cannot be: the library says why. */
static int refused(void)
{
    cli_auth_error *error = NULL;
    cli_auth_client_options *options = cli_auth_client_options_for_issuer("http://issuer.example", "client");
    cli_auth_client *client = cli_auth_client_new(options, &error);
    cli_auth_client_options_free(options);
    if (client != NULL || cli_auth_error_status(error) != CLI_AUTH_INVALID_CONFIG) {
        cli_auth_client_free(client);
        return failed("a plain http issuer was not refused", error);
    }
    printf("refused: %s\n", cli_auth_error_message(error));
    cli_auth_error_free(error);
    return 0;
}

static int log_in(const char *url)
{
    cli_auth_error *error = NULL;
    cli_auth_prompt *prompt = NULL;
    cli_auth_tokens *tokens = NULL;
    cli_auth_client_options *options = cli_auth_client_options_authkit("client_cli");
    cli_auth_client_options_set_api_base(options, url);
    cli_auth_client_options_allow_insecure_loopback(options, true);
    cli_auth_client *client = cli_auth_client_new(options, &error);
    cli_auth_client_options_free(options);
    cli_auth_login *login = client ? cli_auth_login_new(client, &error) : NULL;
    cli_auth_client_free(client);
    cli_auth_status status = CLI_AUTH_INTERNAL;
    if (login != NULL) {
        status = cli_auth_login_start(login, &prompt, &error);
    }
    if (status == CLI_AUTH_OK) {
        fputs(cli_auth_prompt_text(prompt), stderr);
        status = cli_auth_login_poll(login, NULL, NULL, &tokens, &error);
    }
    if (status == CLI_AUTH_OK) {
        printf("authorized: %s\n", cli_auth_tokens_token_type(tokens));
    }
    cli_auth_tokens_free(tokens);
    cli_auth_prompt_free(prompt);
    cli_auth_login_free(login);
    return status == CLI_AUTH_OK ? 0 : failed("no login", error);
}

int main(int argc, char **argv)
{
    if (cli_auth_abi_version() != CLI_AUTH_ABI_VERSION || strcmp(cli_auth_version(), CLI_AUTH_VERSION) != 0) {
        fprintf(stderr, "compiled with %s, runs with %s\n", CLI_AUTH_VERSION, cli_auth_version());
        return 1;
    }
    printf("version: %s\n", cli_auth_version());
    if (refused() != 0) {
        return 1;
    }
    return argc > 1 ? log_in(argv[1]) : 0;
}
