#include "options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cli_auth.h>

#include "text.h"

enum { USAGE = 2 };

static const char help[] =
    "usage: login-example [COMMAND] --provider PROVIDER --client-id ID [OPTION]...\n"
    "\n"
    "Logs you in, in a browser on this or another device. The command is login, which may be left out, or\n"
    "token, status or logout, which need a stored login.\n"
    "\n"
    "  --provider PROVIDER       authkit (WorkOS AuthKit), connect (WorkOS Connect; needs --domain),\n"
    "                            oidc (any server that publishes its metadata; needs --issuer),\n"
    "                            endpoints (any other; needs --device-endpoint and --token-endpoint)\n"
    "  --client-id ID            how the server knows this tool\n"
    "  --api-base URL            authkit: another address of the WorkOS API\n"
    "  --domain HOST_OR_URL      connect: the AuthKit domain\n"
    "  --issuer URL              oidc: the issuer, exactly as the server writes it\n"
    "  --device-endpoint URL     endpoints: where a login begins; oidc: if the metadata lacks it\n"
    "  --token-endpoint URL      endpoints: where the tokens come from; oidc: if the metadata lacks it\n"
    "  --revocation-endpoint URL endpoints: where tokens are revoked; oidc: if the metadata lacks it\n"
    "  --client-secret-env NAME  the environment variable that holds a client secret\n"
    "  --scope S                 a scope to ask for; may be repeated\n"
    "  --param K=V               an extra parameter of the device authorization request (token: of a refresh);\n"
    "                            may be repeated\n"
    "  --token-param K=V         an extra parameter of the token request; may be repeated\n"
    "  --pkce MODE               auto (if the server's metadata lists it), always or never\n"
    "  --header 'NAME: VALUE'    an extra header of every request; may be repeated\n"
    "  --ca-file PEM             certificates to trust beside those of the system\n"
    "  --insecure-loopback       allow plain http to this machine, for tests\n"
    "  --app NAME                the program that the stored login belongs to\n"
    "  --profile NAME            the name of the stored login\n"
    "  --store STORE             where to store the login: auto, keyring, file or none; this tool can only use\n"
    "                            none, the default\n"
    "  --json                    print one JSON object a line on standard output, and nothing else\n"
    "  --no-browser              login: do not open a browser\n"
    "  --timeout SECONDS         login: give up after this time\n"
    "  --begin                   login: store the login and end after the prompt\n"
    "  --resume                  login: go on with the login that --begin stored\n"
    "  --min-validity SECONDS    token: how long the token must be valid\n"
    "  --refused-env NAME        token: the variable with a token that was refused\n"
    "  --help, --version         print this, or the version\n";

static const struct option long_options[] = {
    [OPT_PROVIDER] = {"provider", required_argument, NULL, OPT_PROVIDER},
    [OPT_CLIENT_ID] = {"client-id", required_argument, NULL, OPT_CLIENT_ID},
    [OPT_API_BASE] = {"api-base", required_argument, NULL, OPT_API_BASE},
    [OPT_DOMAIN] = {"domain", required_argument, NULL, OPT_DOMAIN},
    [OPT_ISSUER] = {"issuer", required_argument, NULL, OPT_ISSUER},
    [OPT_DEVICE_ENDPOINT] = {"device-endpoint", required_argument, NULL, OPT_DEVICE_ENDPOINT},
    [OPT_TOKEN_ENDPOINT] = {"token-endpoint", required_argument, NULL, OPT_TOKEN_ENDPOINT},
    [OPT_REVOCATION_ENDPOINT] = {"revocation-endpoint", required_argument, NULL, OPT_REVOCATION_ENDPOINT},
    [OPT_CLIENT_SECRET_ENV] = {"client-secret-env", required_argument, NULL, OPT_CLIENT_SECRET_ENV},
    [OPT_CA_FILE] = {"ca-file", required_argument, NULL, OPT_CA_FILE},
    [OPT_PKCE] = {"pkce", required_argument, NULL, OPT_PKCE},
    [OPT_TIMEOUT] = {"timeout", required_argument, NULL, OPT_TIMEOUT},
    [OPT_INSECURE_LOOPBACK] = {"insecure-loopback", no_argument, NULL, OPT_INSECURE_LOOPBACK},
    [OPT_JSON] = {"json", no_argument, NULL, OPT_JSON},
    [OPT_APP] = {"app", required_argument, NULL, OPT_APP},
    [OPT_PROFILE] = {"profile", required_argument, NULL, OPT_PROFILE},
    [OPT_STORE] = {"store", required_argument, NULL, OPT_STORE},
    [OPT_NO_BROWSER] = {"no-browser", no_argument, NULL, OPT_NO_BROWSER},
    [OPT_BEGIN] = {"begin", no_argument, NULL, OPT_BEGIN},
    [OPT_RESUME] = {"resume", no_argument, NULL, OPT_RESUME},
    [OPT_MIN_VALIDITY] = {"min-validity", required_argument, NULL, OPT_MIN_VALIDITY},
    [OPT_REFUSED_ENV] = {"refused-env", required_argument, NULL, OPT_REFUSED_ENV},
    [OPT_SCOPE] = {"scope", required_argument, NULL, OPT_SCOPE},
    [OPT_PARAM] = {"param", required_argument, NULL, OPT_PARAM},
    [OPT_TOKEN_PARAM] = {"token-param", required_argument, NULL, OPT_TOKEN_PARAM},
    [OPT_HEADER] = {"header", required_argument, NULL, OPT_HEADER},
    [OPT_HELP] = {"help", no_argument, NULL, OPT_HELP},
    [OPT_VERSION] = {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

/* The options that only one command has. */
static const struct {
    enum option_id option;
    const char *command;
} command_options[] = {
    {OPT_TIMEOUT, "login"}, {OPT_NO_BROWSER, "login"},   {OPT_BEGIN, "login"},
    {OPT_RESUME, "login"},  {OPT_MIN_VALIDITY, "token"}, {OPT_REFUSED_ENV, "token"},
};

/* The options that only some providers have, and whether the first one requires them. */
static const struct {
    enum option_id option;
    enum provider provider;
    bool needed;
    bool also_oidc;
} provider_options[] = {
    {OPT_API_BASE, AUTHKIT, false, false},
    {OPT_DOMAIN, CONNECT, true, false},
    {OPT_ISSUER, OIDC, true, false},
    {OPT_DEVICE_ENDPOINT, ENDPOINTS, true, true},
    {OPT_TOKEN_ENDPOINT, ENDPOINTS, true, true},
    {OPT_REVOCATION_ENDPOINT, ENDPOINTS, false, true},
};

static int wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int wrong(const char *format, ...)
{
    va_list arguments;

    fputs("login-example: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("\nTry 'login-example login --help'.\n", stderr);
    return USAGE;
}

/* The words that an option or the command may be. NULL ends each list. */
static const char *const providers[] = {
    [AUTHKIT] = "authkit", [CONNECT] = "connect", [OIDC] = "oidc", [ENDPOINTS] = "endpoints", NULL};
static const char *const pkce_modes[] = {
    [CLI_AUTH_PKCE_AUTO] = "auto", [CLI_AUTH_PKCE_ALWAYS] = "always", [CLI_AUTH_PKCE_NEVER] = "never", NULL};
static const char *const stores[] = {"auto", "keyring", "file", "none", NULL};
static const char *const commands[] = {"login", "token", "status", "logout", NULL};

/* Returns the position of a word in a list, or -1. */
static int find(const char *word, const char *const *list)
{
    for (int i = 0; list[i] != NULL; i++)
        if (strcmp(word, list[i]) == 0)
            return i;
    return -1;
}

/* Reads a decimal number above 0 and below 2^64. strtod alone would also accept "0x10", " 1" and "infinity". */
static bool read_seconds(const char *word, double *seconds)
{
    char *end;

    if (word[strspn(word, "+-.0123456789eE")] != '\0')
        return false;
    *seconds = strtod(word, &end);
    return end != word && *end == '\0' && *seconds > 0 && *seconds < 0x1p64;
}

static char *trimmed(char *text)
{
    char *end = text + strlen(text);

    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0';
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

static int read_extra(struct options *options, enum option_id option, char *word)
{
    struct extra *extra = &options->extras[options->extra_count];

    *extra = (struct extra){.option = option, .value = word};
    if (option != OPT_SCOPE) {
        bool header = option == OPT_HEADER;
        char *separator = strchr(word, header ? ':' : '=');

        if (separator == NULL)
            return header ? wrong("--header %s: write it as 'Name: value'", word)
                          : wrong("--%s %s: write it as NAME=VALUE", long_options[option].name, word);
        *separator = '\0';
        extra->name = header ? trimmed(word) : word;
        extra->value = header ? trimmed(separator + 1) : separator + 1;
    }
    options->extra_count++;
    return OPTIONS_GIVEN;
}

static int read_option(struct options *options, enum option_id option, char *word)
{
    const char *name = long_options[option].name;

    /* A path may contain any bytes. */
    if (word != NULL && option != OPT_CA_FILE && !text_is_utf8(word))
        return wrong("--%s: this is not UTF-8", name);
    if (option >= OPT_SINGLE)
        return read_extra(options, option, word);
    if (options->value[option] != NULL)
        return wrong("--%s is given twice", name);
    options->value[option] = word == NULL ? "" : word;
    if (option == OPT_PROVIDER) {
        int provider = find(word, providers);

        if (provider < 0)
            return wrong("there is no --provider %s", word);
        options->provider = (enum provider)provider;
    }
    if (option == OPT_PKCE && (options->pkce = find(word, pkce_modes)) < 0)
        return wrong("--pkce %s: write auto, always or never", word);
    if (option == OPT_STORE && find(word, stores) < 0)
        return wrong("--store %s: write auto, keyring, file or none", word);
    if (option == OPT_TIMEOUT && !read_seconds(word, &options->timeout))
        return wrong("--timeout %s: give a number of seconds above 0", word);
    return OPTIONS_GIVEN;
}

/* Ends the program because of a limit of this tool: the command line is valid. */
static int refuse(const char *what, const char *why)
{
    fprintf(stderr, "login-example: %s %s.\n", what, why);
    return USAGE;
}

/* Refuses what needs a stored login, because this tool does not store any. */
static int check_store(const struct options *options, const char *command)
{
    const char *store = options->value[OPT_STORE] == NULL ? "none" : options->value[OPT_STORE];
    bool begin = options->value[OPT_BEGIN] != NULL;
    bool resume = options->value[OPT_RESUME] != NULL;

    if (begin && resume)
        return wrong("--begin and --resume cannot be used together");
    if (strcmp(store, "none") != 0)
        return refuse("this tool", "cannot store a login yet, so --store must be none");
    if (strcmp(command, "login") != 0)
        return refuse(command, "needs a stored login, and --store is none");
    if (begin || resume)
        return wrong("--%s needs a store, and --store is none", begin ? "begin" : "resume");
    return OPTIONS_GIVEN;
}

static int check(const struct options *options, const char *command)
{
    for (size_t i = 0; i < sizeof command_options / sizeof *command_options; i++) {
        enum option_id option = command_options[i].option;

        if (options->value[option] != NULL && strcmp(command_options[i].command, command) != 0)
            return wrong("--%s is for %s", long_options[option].name, command_options[i].command);
    }
    if (options->value[OPT_PROVIDER] == NULL)
        return wrong("--provider is missing");
    if (options->value[OPT_CLIENT_ID] == NULL)
        return wrong("--client-id is missing");
    for (size_t i = 0; i < sizeof provider_options / sizeof *provider_options; i++) {
        const char *name = long_options[provider_options[i].option].name;
        bool given = options->value[provider_options[i].option] != NULL;
        bool own = provider_options[i].provider == options->provider;

        if (given && !own && !(provider_options[i].also_oidc && options->provider == OIDC))
            return wrong("--%s is for another provider", name);
        if (!given && own && provider_options[i].needed)
            return wrong("this provider needs --%s", name);
    }
    return check_store(options, command);
}

/* getopt_long accepts "--time" for "--timeout" until a new option makes it ambiguous. Abbreviations are refused, so
   that no script depends on them. */
static bool is_abbreviated(const char *word, int option)
{
    size_t length = strcspn(word, "=");

    return word[0] == '-' && word[1] == '-' && length != strlen(long_options[option].name) + 2;
}

int options_read(struct options *options, int argc, char **argv)
{
    bool named = argc > 1 && argv[1][0] != '-';
    const char *command = named ? argv[1] : "login";

    *options = (struct options){.provider = AUTHKIT};
    options->extras = calloc((size_t)argc + 1, sizeof *options->extras);
    if (options->extras == NULL) {
        perror("login-example");
        return EXIT_FAILURE;
    }
    if (find(command, commands) < 0)
        return wrong("there is no command %s; the commands are login, token, status and logout", command);
    optind = named ? 2 : 1;
    for (;;) {
        char *word = argv[optind];
        int option = getopt_long(argc, argv, "+:hV", long_options, NULL);
        int status;

        if (option == -1)
            break;
        if (option == '?' || (option < OPTION_COUNT && is_abbreviated(word, option)))
            return wrong("%s is not an option", word);
        /* A word that begins with a hyphen is the next option, unless it is written as --option=-value. */
        if (option == ':' || (option == OPT_CA_FILE && optarg[0] == '\0') ||
            (optarg != NULL && optarg == argv[optind - 1] && optarg[0] == '-' && optarg[1] != '\0'))
            return wrong("%s needs a value", word);
        if (option == OPT_HELP || option == 'h') {
            fputs(help, stdout);
            return EXIT_SUCCESS;
        }
        if (option == OPT_VERSION || option == 'V') {
            puts("login-example " LOGIN_EXAMPLE_VERSION);
            return EXIT_SUCCESS;
        }
        status = read_option(options, (enum option_id)option, optarg);
        if (status != OPTIONS_GIVEN)
            return status;
    }
    if (optind < argc)
        return wrong("%s is too much", argv[optind]);
    return check(options, command);
}

void options_free(struct options *options)
{
    free(options->extras);
}
