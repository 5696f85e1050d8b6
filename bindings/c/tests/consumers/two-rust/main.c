/* Both libraries do what they do, panics included, as if each were alone. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cli_auth.h>

int32_t other_keep(int32_t number);

int main(void)
{
    char *text = cli_auth_sanitize("a\033[31mb");
    int fine = other_keep(1) == 1 && other_keep(-1) == -1 && other_keep(2) == 2
        && text != NULL && strchr(text, '\033') == NULL
        && strcmp(cli_auth_version(), CLI_AUTH_VERSION) == 0;
    cli_auth_string_free(text);
    cli_auth_client_options *options = cli_auth_client_options_authkit("client");
    cli_auth_client *client = cli_auth_client_new(options, NULL);
    fine = fine && client != NULL;
    cli_auth_client_free(client);
    cli_auth_client_options_free(options);
    puts(fine ? "both work" : "one of them fails");
    return !fine;
}
