/* A program that is not linked with the library loads it, logs in, unloads it, and loads it again. */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cli_auth.h>

static void give_up(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, dlerror());
    exit(EXIT_FAILURE);
}

/* Declares a function of the library under its own name, and finds it. */
#define FIND(library, name)                                  \
    __typeof__(&cli_auth_##name) name = NULL;                \
    *(void **)(&name) = dlsym(library, "cli_auth_" #name);   \
    if (name == NULL)                                        \
        give_up("cli_auth_" #name)

static void log_in(const char *path, const char *url)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    cli_auth_client_options *options;
    cli_auth_client *client;
    cli_auth_login *login;
    cli_auth_prompt *prompt = NULL;
    cli_auth_tokens *tokens = NULL;

    if (library == NULL)
        give_up(path);
    FIND(library, version);
    FIND(library, client_options_authkit);
    FIND(library, client_options_set_api_base);
    FIND(library, client_options_allow_insecure_loopback);
    FIND(library, client_options_free);
    FIND(library, client_new);
    FIND(library, client_free);
    FIND(library, login_new);
    FIND(library, login_start);
    FIND(library, login_poll);
    FIND(library, login_free);
    FIND(library, prompt_free);
    FIND(library, tokens_token_type);
    FIND(library, tokens_free);

    if (strcmp(version(), CLI_AUTH_VERSION) != 0)
        exit(EXIT_FAILURE);
    options = client_options_authkit("client_test");
    client_options_set_api_base(options, url);
    client_options_allow_insecure_loopback(options, true);
    client = client_new(options, NULL);
    login = login_new(client, NULL);
    if (login_start(login, &prompt, NULL) != CLI_AUTH_OK ||
        login_poll(login, NULL, NULL, &tokens, NULL) != CLI_AUTH_OK || strcmp(tokens_token_type(tokens), "Bearer") != 0) {
        fputs("the login failed\n", stderr);
        exit(EXIT_FAILURE);
    }
    tokens_free(tokens);
    prompt_free(prompt);
    login_free(login);
    client_free(client);
    client_options_free(options);
    if (dlclose(library) != 0)
        give_up("dlclose");
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: loading LIBRARY URL\n", stderr);
        return 2;
    }
    for (int i = 0; i < 3; i++)
        log_in(argv[1], argv[2]);
    return EXIT_SUCCESS;
}
