#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

static const char *shown(const char *text)
{
    return text == NULL ? "(null)" : text;
}

void check_that(bool holds, const char *what, const char *file, int line)
{
    if (!holds) {
        fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
        leave(EXIT_FAILURE);
    }
}

void check_number(long long got, long long want, const char *what, const char *file, int line)
{
    if (got != want) {
        fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", file, line, what, got, want);
        leave(EXIT_FAILURE);
    }
}

void check_text(const char *got, const char *want, const char *what, const char *file, int line)
{
    if (got == want || (got != NULL && want != NULL && strcmp(got, want) == 0))
        return;
    fprintf(stderr, "%s:%d: %s is %s, not %s\n", file, line, what, shown(got), shown(want));
    leave(EXIT_FAILURE);
}

void check_between(double got, double least, double most, const char *what, const char *file, int line)
{
    if (!(got >= least && got <= most)) {
        fprintf(stderr, "%s:%d: %s is %g, not between %g and %g\n", file, line, what, got, least, most);
        leave(EXIT_FAILURE);
    }
}

void check_status(cli_auth_status got, cli_auth_status want, const char *what, const char *file, int line)
{
    if (got != want) {
        fprintf(stderr, "%s:%d: %s is %s, not %s\n", file, line, what, cli_auth_status_name(got),
                cli_auth_status_name(want));
        leave(EXIT_FAILURE);
    }
}

void check_error(cli_auth_error *error, cli_auth_status want, const char *file, int line)
{
    if (error == NULL) {
        fprintf(stderr, "%s:%d: there is no error\n", file, line);
        leave(EXIT_FAILURE);
    }
    if (cli_auth_error_status(error) != want) {
        fprintf(stderr, "%s:%d: the error is %s, not %s: %s\n", file, line, cli_auth_error_kind(error),
                cli_auth_status_name(want), cli_auth_error_message(error));
        leave(EXIT_FAILURE);
    }
    cli_auth_error_free(error);
}
