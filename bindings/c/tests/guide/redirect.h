/* Put before the code of the documents: what they say of AuthKit goes to the test server. */
#include <cli_auth.h>
#include <stdlib.h>

static inline cli_auth_client_options *at_the_test_server(const char *client_id)
{
    cli_auth_client_options *options = cli_auth_client_options_authkit(client_id);

    cli_auth_client_options_set_api_base(options, getenv("CLI_AUTH_TEST_SERVER"));
    cli_auth_client_options_allow_insecure_loopback(options, true);
    return options;
}

#define cli_auth_client_options_authkit at_the_test_server
