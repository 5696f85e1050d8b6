#define _POSIX_C_SOURCE 200809L

#include "output.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "text.h"

/* JSON in ASCII only, so that a server's text cannot control a terminal that shows these lines. */

static void put_quoted(const char *text)
{
    putchar('"');
    while (*text != '\0') {
        int32_t c = text_next(&text);

        if (c < 0)
            c = 0xFFFD;
        if (c == '"' || c == '\\')
            printf("\\%c", (char)c);
        else if (c >= ' ' && c <= '~')
            putchar(c);
        else if (c < 0x10000)
            printf("\\u%04x", (unsigned)c);
        else
            printf("\\u%04x\\u%04x", 0xD7C0u + ((unsigned)c >> 10), 0xDC00u + ((unsigned)c & 0x3FF));
    }
    putchar('"');
}

static void put_text(const char *name, const char *text)
{
    printf(",\"%s\":", name);
    if (text == NULL)
        fputs("null", stdout);
    else
        put_quoted(text);
}

static void put_bool(const char *name, bool value)
{
    printf(",\"%s\":%s", name, value ? "true" : "false");
}

/* Writes at most three decimals, and none for a whole number. */
static void put_seconds(const char *name, double seconds)
{
    char number[DBL_MAX_10_EXP + 8];
    size_t length = (size_t)snprintf(number, sizeof number, "%.3f", seconds);

    while (number[length - 1] == '0')
        length--;
    if (number[length - 1] == '.')
        length--;
    printf(",\"%s\":%.*s", name, (int)length, number);
}

static void begin(const char *event)
{
    printf("{\"event\":\"%s\"", event);
}

/* Flushes standard output. */
static void flush(struct output *output)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        output->closed = true;
}

static void end(struct output *output)
{
    fputs("}\n", stdout);
    flush(output);
}

/* Output for the user. Standard error may be closed too, which does not stop the program. */

static long long whole(double seconds)
{
    return seconds < 1e15 ? (long long)seconds : (long long)1e15;
}

/* Whether standard error is a terminal on which a line can be rewritten. Users of screen readers set ACCESSIBLE. */
static bool can_rewrite(void)
{
    const unsigned short needed = 48; /* columns */
    const char *term = getenv("TERM");
    const char *accessible = getenv("ACCESSIBLE");
    struct winsize size;

    if (term == NULL || *term == '\0' || strcmp(term, "dumb") == 0)
        return false;
    if (accessible != NULL && *accessible != '\0')
        return false;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= needed;
}

static void end_count_down(struct output *output)
{
    if (output->counting && output->in_place)
        fputc('\n', stderr);
    output->counting = false;
}

/* Updates the countdown, or prints one line where nothing can be rewritten. */
static void count_down(struct output *output, double left)
{
    if (!output->counting)
        output->in_place = can_rewrite();
    if (output->in_place)
        fprintf(stderr, "\rWaiting for your approval, %lld s left. ", whole(left));
    else if (!output->counting)
        fputs("Waiting for your approval.\n", stderr);
    output->counting = true;
}

/* Prints a raw text of the server, sanitised. */
static void show(FILE *stream, const char *raw)
{
    char *safe = cli_auth_sanitize(raw);

    if (safe != NULL)
        fputs(safe, stream);
    cli_auth_string_free(safe);
}

void output_prompt(struct output *output, const cli_auth_prompt *prompt)
{
    if (!output->json) {
        fputs(cli_auth_prompt_text_for_stderr(prompt), stderr);
        return;
    }
    begin("prompt");
    put_text("user_code", cli_auth_prompt_user_code(prompt));
    put_text("verification_uri", cli_auth_prompt_verification_uri(prompt));
    put_text("verification_uri_complete", cli_auth_prompt_verification_uri_complete(prompt));
    put_seconds("expires_in", cli_auth_prompt_expires_in(prompt));
    end(output);
}

void output_launched(void)
{
    fputs("A browser should open now. If it does not, open the address yourself.\n", stderr);
}

static void event_as_json(struct output *output, const cli_auth_event *event)
{
    switch (cli_auth_event_kind(event)) {
    case CLI_AUTH_EVENT_PENDING:
        begin("pending");
        put_seconds("next_poll_in", cli_auth_event_next_poll_in(event));
        put_seconds("expires_in", cli_auth_event_expires_in(event));
        break;
    case CLI_AUTH_EVENT_SLOWED_DOWN:
        begin("slowed_down");
        put_seconds("interval", cli_auth_event_interval(event));
        break;
    case CLI_AUTH_EVENT_RETRYING:
        begin("retrying");
        put_text("reason", cli_auth_event_reason(event));
        put_seconds("attempt", cli_auth_event_attempt(event));
        put_seconds("retry_in", cli_auth_event_retry_in(event));
        break;
    case CLI_AUTH_EVENT_RESUMED:
        begin("resumed");
        put_seconds("suspended_for", cli_auth_event_suspended_for(event));
        break;
    case CLI_AUTH_EVENT_IDENTITY_UNVERIFIED:
        begin("identity_unverified");
        put_text("message", cli_auth_event_message(event));
        break;
    default: /* a kind of a newer library */
        return;
    }
    end(output);
}

void output_event(struct output *output, const cli_auth_event *event)
{
    int32_t kind = cli_auth_event_kind(event);

    if (output->json) {
        event_as_json(output, event);
        return;
    }
    if (kind == CLI_AUTH_EVENT_PENDING) {
        count_down(output, cli_auth_event_expires_in(event));
        return;
    }
    end_count_down(output);
    if (kind == CLI_AUTH_EVENT_SLOWED_DOWN)
        fprintf(stderr, "The server asked to slow down. Polling every %lld s from now on.\n",
                whole(cli_auth_event_interval(event)));
    else if (kind == CLI_AUTH_EVENT_RETRYING)
        fprintf(stderr, "No valid response (%s). Trying again in %lld s.\n", cli_auth_event_reason(event),
                whole(cli_auth_event_retry_in(event)));
    else if (kind == CLI_AUTH_EVENT_RESUMED)
        fputs("The computer was suspended.\n", stderr);
    else if (kind == CLI_AUTH_EVENT_IDENTITY_UNVERIFIED)
        fprintf(stderr, "Note: %s.\n", cli_auth_event_message(event));
}

void output_authorized(struct output *output, const cli_auth_tokens *tokens)
{
    const char *user = cli_auth_identity_subject(cli_auth_tokens_identity(tokens));
    const char *const *scopes = cli_auth_tokens_scopes(tokens);
    double expires_in;

    if (!output->json) {
        end_count_down(output);
        fputs(user == NULL ? "Logged in" : "Logged in as ", stdout);
        if (user != NULL)
            show(stdout, user);
        fputs(".\n", stdout);
        flush(output);
        return;
    }
    begin("authorized");
    put_text("token_type", cli_auth_tokens_token_type(tokens));
    if (cli_auth_tokens_expires_in(tokens, &expires_in))
        put_seconds("expires_in", expires_in);
    else
        put_text("expires_in", NULL);
    if (scopes == NULL) {
        put_text("scope", NULL);
    } else {
        fputs(",\"scope\":[", stdout);
        for (size_t i = 0; scopes[i] != NULL; i++) {
            fputs(i == 0 ? "" : ",", stdout);
            put_quoted(scopes[i]);
        }
        putchar(']');
    }
    put_bool("has_refresh_token", cli_auth_tokens_has_refresh_token(tokens));
    put_bool("has_id_token", cli_auth_tokens_has_id_token(tokens));
    put_text("subject", user);
    put_text("saved", NULL);
    end(output);
}

static void error_as_json(struct output *output, const cli_auth_error *error)
{
    const char *const *ids = cli_auth_error_organization_ids(error);
    const char *const *names = cli_auth_error_organization_names(error);

    begin("error");
    put_text("kind", cli_auth_error_kind(error));
    put_text("oauth_error", cli_auth_error_oauth_error(error));
    put_text("message", cli_auth_error_message(error));
    if (cli_auth_error_http_status(error) != 0)
        put_seconds("http_status", cli_auth_error_http_status(error));
    else
        put_text("http_status", NULL);
    put_text("request_id", cli_auth_error_request_id(error));
    if (ids == NULL || names == NULL) {
        put_text("organizations", NULL);
    } else {
        fputs(",\"organizations\":[", stdout);
        for (size_t i = 0; ids[i] != NULL && names[i] != NULL; i++) {
            fputs(i == 0 ? "{\"id\":" : ",{\"id\":", stdout);
            put_quoted(ids[i]);
            put_text("name", names[i]);
            putchar('}');
        }
        putchar(']');
    }
    put_text("claims", cli_auth_error_claims(error));
    end(output);
}

void output_error(struct output *output, const cli_auth_error *error)
{
    const char *const *ids = cli_auth_error_organization_ids(error);
    const char *const *names = cli_auth_error_organization_names(error);
    const char *request_id = cli_auth_error_request_id(error);

    if (output->json) {
        error_as_json(output, error);
        return;
    }
    end_count_down(output);
    fprintf(stderr, "Not logged in: %s.\n", cli_auth_error_message(error));
    for (size_t i = 0; ids != NULL && names != NULL && ids[i] != NULL && names[i] != NULL; i++) {
        fputs("  ", stderr);
        show(stderr, ids[i]);
        fputs("  ", stderr);
        show(stderr, names[i]);
        fputc('\n', stderr);
    }
    if (request_id != NULL)
        fprintf(stderr, "Request ID: %s\n", request_id);
}

void output_wrong_setting(struct output *output, const char *what, const char *name, const char *why)
{
    char message[4096];

    snprintf(message, sizeof message, "%s %s%s", what, name, why);
    if (!output->json) {
        fprintf(stderr, "Not logged in: %s.\n", message);
        return;
    }
    begin("error");
    put_text("kind", "invalid_config");
    put_text("oauth_error", NULL);
    put_text("message", message);
    put_text("http_status", NULL);
    put_text("request_id", NULL);
    put_text("organizations", NULL);
    put_text("claims", NULL);
    end(output);
}
