/* Included by every file that calls the library. */
#include <stdlib.h>
#include <string.h>

#if __has_include(<cli_auth.h>)
#include <cli_auth.h>
#elif defined CLIAUTH_SYSTEM
#error "cliauth: cli_auth.h is not installed, or pkg-config does not find cli-auth.pc (look at PKG_CONFIG_PATH)"
#else
#error "cliauth: this is the source tree, without the library: use the packed module, or install the C library and build with -tags cliauth_system"
#endif
