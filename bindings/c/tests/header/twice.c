/* Included twice, first before everything else: the header needs nothing but itself. */
#include "cli_auth.h"
#include "cli_auth.h"

#if CLI_AUTH_VERSION_MAJOR < 0 || CLI_AUTH_VERSION_MINOR < 0 || CLI_AUTH_VERSION_PATCH < 0 || CLI_AUTH_ABI_VERSION < 0
#error "the versions are numbers"
#endif

extern const char header_version[];
const char header_version[] = CLI_AUTH_VERSION;

/* Every constant that a status can be compared with is one. */
int name_of(cli_auth_status status);
int name_of(cli_auth_status status)
{
    switch (status) {
    case CLI_AUTH_OK:
    case CLI_AUTH_MISUSE:
        return cli_auth_status_name(status) != NULL;
    default:
        return 0;
    }
}
