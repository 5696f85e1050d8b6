/* Signs a user in from a terminal. It contains everything that a tool needs around libcli_auth, and is meant to be
   copied. */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cli_auth.h>

#include "options.h"
#include "output.h"

enum { DENIED = 3, EXPIRED = 4, ACTION_REQUIRED = 5 };

/* How many seconds a cancelled login may take to return. Revoking a token that arrived too late takes up to 2. */
enum { GRACE = 3 };

/* The largest PEM file that the library accepts. One byte more is read, so that the library refuses a larger file. */
enum { PEM_LIMIT = 4 * 1024 * 1024 };

/* The state that the signal handlers use. */
static cli_auth_login *_Atomic current_login;
static volatile sig_atomic_t caught;
static volatile sig_atomic_t status_when_late;

static void leave_now(int number)
{
    (void)number;
    _exit(status_when_late);
}

/* Ends the program after the given number of seconds, at most some decades, even if a full pipe that is not read blocks
   it. */
static void leave_after(double seconds, int status)
{
    unsigned whole = seconds < 1e9 ? (unsigned)seconds : 1000000000;

    status_when_late = status;
    alarm(whole < seconds ? whole + 1 : whole);
}

/* The first Ctrl-C or SIGTERM cancels the login, which then returns. A second one ends the program at once. */
static void cancel(int number)
{
    int saved = errno;

    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    caught = number;
    leave_after(GRACE, 128 + number);
    cli_auth_login_cancel(current_login);
    errno = saved;
}

static void handle(int number, void (*handler)(int))
{
    /* A write that a signal interrupts continues. */
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
    sigaction(number, &action, NULL);
}

/* A standard stream that was closed when the program started stays unusable, and no socket receives its number. */
static void occupy_closed_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Returns false if the file cannot be read. The reason has then been printed. */
static bool add_certificates(cli_auth_client_options *settings, const char *path, struct output *output)
{
    char *pem = malloc(PEM_LIMIT + 1);
    FILE *file = pem == NULL ? NULL : fopen(path, "rb");
    bool read = false;

    if (file != NULL) {
        size_t length = fread(pem, 1, PEM_LIMIT + 1, file);
        read = !ferror(file);
        if (read)
            cli_auth_client_options_add_ca_pem(settings, pem, length);
    }
    if (!read) {
        char why[128];
        snprintf(why, sizeof why, ": %s", strerror(errno));
        output_wrong_setting(output, "cannot read", path, why);
    }
    free(pem);
    if (file != NULL)
        fclose(file);
    return read;
}

static bool add_secret(cli_auth_client_options *settings, const char *variable, struct output *output)
{
    const char *secret = getenv(variable);
    cli_auth_status status = CLI_AUTH_MISUSE;

    if (secret != NULL)
        status = cli_auth_client_options_set_client_secret(settings, secret, CLI_AUTH_CLIENT_SECRET_AUTO);
    if (status == CLI_AUTH_MISUSE)
        output_wrong_setting(output, "the variable", variable, " is not set to a text");
    return status != CLI_AUTH_MISUSE;
}

static cli_auth_client_options *settings_of_provider(const struct options *options)
{
    const char *const *value = options->value;

    switch (options->provider) {
    case AUTHKIT:
        return cli_auth_client_options_authkit(value[OPT_CLIENT_ID]);
    case CONNECT:
        return cli_auth_client_options_workos_connect(value[OPT_DOMAIN], value[OPT_CLIENT_ID]);
    case OIDC:
        return cli_auth_client_options_for_issuer(value[OPT_ISSUER], value[OPT_CLIENT_ID]);
    case ENDPOINTS:
        return cli_auth_client_options_with_endpoints(value[OPT_DEVICE_ENDPOINT], value[OPT_TOKEN_ENDPOINT],
                                                 value[OPT_CLIENT_ID]);
    }
    return NULL;
}

/* Returns NULL if the client cannot be created. `error` stays NULL if the reason has already been printed. */
static cli_auth_client *make_client(const struct options *options, struct output *output, cli_auth_error **error)
{
    const char *const *value = options->value;
    cli_auth_client_options *settings = settings_of_provider(options);
    cli_auth_client *client = NULL;

    /* The options keep the first setting that was refused. cli_auth_client_new returns its error. */
    cli_auth_client_options_set_product(settings, "login-example/" LOGIN_EXAMPLE_VERSION);
    cli_auth_client_options_allow_insecure_loopback(settings, value[OPT_INSECURE_LOOPBACK] != NULL);
    cli_auth_client_options_set_pkce(settings, options->pkce);
    if (value[OPT_API_BASE] != NULL)
        cli_auth_client_options_set_api_base(settings, value[OPT_API_BASE]);
    if (options->provider == OIDC && value[OPT_DEVICE_ENDPOINT] != NULL)
        cli_auth_client_options_set_device_authorization_endpoint(settings, value[OPT_DEVICE_ENDPOINT]);
    if (options->provider == OIDC && value[OPT_TOKEN_ENDPOINT] != NULL)
        cli_auth_client_options_set_token_endpoint(settings, value[OPT_TOKEN_ENDPOINT]);
    if (value[OPT_REVOCATION_ENDPOINT] != NULL)
        cli_auth_client_options_set_revocation_endpoint(settings, value[OPT_REVOCATION_ENDPOINT]);
    if (options->timeout > 0)
        cli_auth_client_options_set_login_timeout(settings, options->timeout);
    for (size_t i = 0; i < options->extra_count; i++) {
        const struct extra *extra = &options->extras[i];

        if (extra->option == OPT_SCOPE)
            cli_auth_client_options_add_scope(settings, extra->value);
        else if (extra->option == OPT_PARAM)
            cli_auth_client_options_add_param(settings, extra->name, extra->value);
        else if (extra->option == OPT_TOKEN_PARAM)
            cli_auth_client_options_add_token_param(settings, extra->name, extra->value);
        else
            cli_auth_client_options_add_header(settings, extra->name, extra->value);
    }
    if ((value[OPT_CLIENT_SECRET_ENV] == NULL || add_secret(settings, value[OPT_CLIENT_SECRET_ENV], output)) &&
        (value[OPT_CA_FILE] == NULL || add_certificates(settings, value[OPT_CA_FILE], output)))
        client = cli_auth_client_new(settings, error);
    cli_auth_client_options_free(settings);
    return client;
}

static void on_event(void *user_data, const cli_auth_event *event)
{
    struct output *output = user_data;

    output_event(output, event);
    if (output->closed)
        cli_auth_login_cancel(current_login);
}

/* Returns the exit status of a login that failed. */
static int failure(const cli_auth_error *error)
{
    switch (cli_auth_error_status(error)) {
    case CLI_AUTH_DENIED:
        return DENIED;
    case CLI_AUTH_EXPIRED:
        return EXPIRED;
    case CLI_AUTH_ACTION_REQUIRED:
        return ACTION_REQUIRED;
    case CLI_AUTH_CANCELLED:
        return 128 + (caught == SIGTERM ? SIGTERM : SIGINT);
    default:
        return EXIT_FAILURE;
    }
}

/* Shows the prompt and waits until the login has ended. */
static void run(cli_auth_login *login, const struct options *options, struct output *output, cli_auth_tokens **tokens,
                cli_auth_error **error)
{
    cli_auth_prompt *prompt;

    if (cli_auth_login_start(login, &prompt, error) != CLI_AUTH_OK)
        return;
    output_prompt(output, prompt);
    if (!output->json && options->value[OPT_NO_BROWSER] == NULL && cli_auth_prompt_open_browser(prompt, NULL))
        output_launched();
    cli_auth_prompt_free(prompt);
    if (!output->closed)
        cli_auth_login_poll(login, on_event, output, tokens, error);
}

static int log_in(const struct options *options)
{
    struct output output = {.json = options->value[OPT_JSON] != NULL};
    cli_auth_error *error = NULL;
    cli_auth_tokens *tokens = NULL;
    cli_auth_login *login = NULL;
    cli_auth_client *client = make_client(options, &output, &error);
    int status = EXIT_FAILURE;

    if (client != NULL)
        login = cli_auth_login_new(client, &error);
    if (login != NULL) {
        current_login = login;
        handle(SIGALRM, leave_now);
        /* This must come first: a signal sets a shorter time. */
        if (options->timeout > 0)
            leave_after(options->timeout + GRACE, EXPIRED);
        handle(SIGINT, cancel);
        handle(SIGTERM, cancel);
        run(login, options, &output, &tokens, &error);
    }
    if (error != NULL) {
        output_error(&output, error);
        status = failure(error);
    } else if (tokens != NULL) {
        output_authorized(&output, tokens);
        status = EXIT_SUCCESS;
    }
    /* Standard output was closed, so its reader is gone. */
    if (output.closed)
        status = EXIT_FAILURE;

    current_login = NULL;
    cli_auth_error_free(error);
    cli_auth_tokens_free(tokens);
    cli_auth_login_free(login);
    cli_auth_client_free(client);
    return status;
}

int main(int argc, char **argv)
{
    struct options options;
    int status;

    occupy_closed_streams();
    /* A write to a pipe without a reader must fail, and must not kill the program. */
    signal(SIGPIPE, SIG_IGN);
    status = options_read(&options, argc, argv);
    if (status == OPTIONS_GIVEN)
        status = log_in(&options);
    options_free(&options);
    return status;
}
