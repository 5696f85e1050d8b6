/* A resolver that gives some names other addresses. A case's tool loads it before libc. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef int look_up(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    look_up *system = (look_up *)dlsym(RTLD_NEXT, "getaddrinfo");
    const char *names = getenv("SCENARIO_RESOLVER"); /* name=address name=address */
    size_t length = name == NULL ? 0 : strlen(name);
    char address[64];

    while (names != NULL && length > 0) {
        size_t entry = strcspn(names, " ");
        if (entry > length && entry - length - 1 < sizeof address && names[length] == '='
            && strncasecmp(names, name, length) == 0) {
            memcpy(address, names + length + 1, entry - length - 1);
            address[entry - length - 1] = '\0';
            return system(address, service, hints, found);
        }
        names = names[entry] == ' ' ? names + entry + 1 : NULL;
    }
    return system(name, service, hints, found);
}
