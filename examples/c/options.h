/* The options on the command line. */

#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGIN_EXAMPLE_VERSION "0.1.0"

enum provider { AUTHKIT, CONNECT, OIDC, ENDPOINTS };

enum option_id {
    OPT_PROVIDER,
    OPT_CLIENT_ID,
    OPT_API_BASE,
    OPT_DOMAIN,
    OPT_ISSUER,
    OPT_DEVICE_ENDPOINT,
    OPT_TOKEN_ENDPOINT,
    OPT_REVOCATION_ENDPOINT,
    OPT_CLIENT_SECRET_ENV,
    OPT_CA_FILE,
    OPT_PKCE,
    OPT_TIMEOUT,
    OPT_INSECURE_LOOPBACK,
    OPT_JSON,
    OPT_APP,
    OPT_PROFILE,
    OPT_STORE,
    OPT_NO_BROWSER,
    OPT_BEGIN,
    OPT_RESUME,
    OPT_MIN_VALIDITY,
    OPT_REFUSED_ENV,
    OPT_SINGLE, /* the number of options that may be given once; repeatable options follow */
    OPT_SCOPE = OPT_SINGLE,
    OPT_PARAM,
    OPT_TOKEN_PARAM,
    OPT_HEADER,
    OPT_HELP,
    OPT_VERSION,
    OPTION_COUNT
};

/* One --scope, --param, --token-param or --header. */
struct extra {
    enum option_id option;
    const char *name; /* NULL for a scope */
    const char *value;
};

/* The texts belong to argv. */
struct options {
    enum provider provider;
    double timeout;                /* seconds; 0: no timeout */
    int32_t pkce;                  /* CLI_AUTH_PKCE_... */
    const char *value[OPT_SINGLE]; /* NULL: not given; an option without a value has "" */
    struct extra *extras;
    size_t extra_count;
};

enum { OPTIONS_GIVEN = -1 };

/* Returns OPTIONS_GIVEN, or the exit status of the program if it must end. Everything has then been printed. The caller
   must call options_free in both cases. */
int options_read(struct options *options, int argc, char **argv);
void options_free(struct options *options);

#endif
