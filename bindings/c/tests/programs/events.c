/* What a login tells while it waits. */

#define _GNU_SOURCE /* CLOCK_BOOTTIME */

#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "server.h"

/* One event, and the login to be ended after it. */
struct record {
    cli_auth_login *login;
    int32_t kind; /* the one that is waited for */
    int seen;     /* how many events there were */
    double next_poll_in, expires_in, interval, retry_in, suspended_for;
    uint32_t attempt;
    char reason[64], request_id[64], message[512]; /* "" for none */
};

static void copy(char *to, const char *text, size_t size)
{
    strncpy(to, text == NULL ? "" : text, size - 1);
}

static void note(void *user_data, const cli_auth_event *event)
{
    struct record *record = user_data;

    record->seen++;
    if (cli_auth_event_kind(event) != record->kind)
        return;
    record->next_poll_in = cli_auth_event_next_poll_in(event);
    record->expires_in = cli_auth_event_expires_in(event);
    record->interval = cli_auth_event_interval(event);
    record->retry_in = cli_auth_event_retry_in(event);
    record->suspended_for = cli_auth_event_suspended_for(event);
    record->attempt = cli_auth_event_attempt(event);
    copy(record->reason, cli_auth_event_reason(event), sizeof record->reason);
    copy(record->request_id, cli_auth_event_request_id(event), sizeof record->request_id);
    copy(record->message, cli_auth_event_message(event), sizeof record->message);
    cli_auth_login_cancel(record->login);
}

/* The first event of this kind, and nothing that comes after it. */
static struct record first(int32_t kind, const char *settings)
{
    struct server server = server_new(settings);
    struct record record = {.kind = kind, .login = login_at(&server)};
    cli_auth_tokens *tokens;

    start(record.login);
    CHECK_STATUS(cli_auth_login_poll(record.login, note, &record, &tokens, NULL), CLI_AUTH_CANCELLED);
    cli_auth_login_free(record.login);
    server_free(&server);
    return record;
}

static void no_texts(const struct record *record)
{
    CHECK_TEXT(record->reason, "");
    CHECK_TEXT(record->request_id, "");
    CHECK_TEXT(record->message, "");
}

static void pending(void)
{
    struct record record = first(CLI_AUTH_EVENT_PENDING, "{\"interval\":1,\"expires_in\":60}");

    CHECK_BETWEEN(record.next_poll_in, 1, 1.5);
    CHECK_BETWEEN(record.expires_in, 40, 60);
    CHECK_BETWEEN(record.interval + record.retry_in + record.suspended_for + record.attempt, 0, 0);
    no_texts(&record);
    CHECK_NUMBER(record.seen, 1);
}

static void slowed_down(void)
{
    struct record record =
        first(CLI_AUTH_EVENT_SLOWED_DOWN, "{\"interval\":1,\"script\":{\"token\":[\"slow_down\"]}}");

    CHECK_BETWEEN(record.interval, 6, 6);
    CHECK_BETWEEN(record.next_poll_in + record.expires_in + record.retry_in + record.suspended_for, 0, 0);
    no_texts(&record);
}

static void retrying(void)
{
    struct record record = first(CLI_AUTH_EVENT_RETRYING,
                                 "{\"interval\":1,\"script\":{\"token\":[{\"status\":502,\"body\":\"gateway\","
                                 "\"headers\":{\"x-request-id\":\"req-7\"}}]}}");

    CHECK_TEXT(record.reason, "http_502");
    CHECK_TEXT(record.request_id, "req-7");
    CHECK_TEXT(record.message, "");
    CHECK_NUMBER(record.attempt, 1);
    CHECK_BETWEEN(record.retry_in, 1, 4);
    CHECK_BETWEEN(record.next_poll_in + record.expires_in + record.interval + record.suspended_for, 0, 0);

    /* Without a response there is no id. */
    record = first(CLI_AUTH_EVENT_RETRYING, "{\"interval\":1,\"script\":{\"token\":[{\"reset\":\"before\"}]}}");
    CHECK_TEXT(record.reason, "connection_lost");
    CHECK_TEXT(record.request_id, "");
}

/* The server's keys cannot be fetched. The tokens follow the event, without an identity. */
static void identity_unverified(void)
{
    struct server server = server_new(APPROVES_WITHOUT_KEYS);
    struct record record = {.kind = CLI_AUTH_EVENT_IDENTITY_UNVERIFIED, .login = NULL};
    cli_auth_client_options *options = server_workos_connect(&server);
    cli_auth_client *client;
    cli_auth_login *login;
    cli_auth_tokens *tokens = NULL;

    cli_auth_client_options_add_scope(options, "openid");
    client = client_of(options);
    login = cli_auth_login_new(client, NULL);
    start(login);
    CHECK_STATUS(cli_auth_login_poll(login, note, &record, &tokens, NULL), CLI_AUTH_OK);
    CHECK(strlen(record.message) > 40);
    CHECK_TEXT(record.reason, "");
    CHECK_TEXT(record.request_id, "");
    CHECK_BETWEEN(record.next_poll_in + record.expires_in + record.interval + record.retry_in, 0, 0);
    CHECK(cli_auth_tokens_has_id_token(tokens) && cli_auth_tokens_identity(tokens) == NULL);
    cli_auth_tokens_free(tokens);
    cli_auth_login_free(login);

    /* A login that is cancelled at this event ends as cancelled. */
    login = cli_auth_login_new(client, NULL);
    record.login = login;
    start(login);
    CHECK_STATUS(cli_auth_login_poll(login, note, &record, &tokens, NULL), CLI_AUTH_CANCELLED);
    cli_auth_login_free(login);
    cli_auth_client_free(client);
    server_free(&server);
}

static atomic_int suspended; /* seconds */

/* Found before that of the C library: makes the machine look as if it had been suspended. */
int clock_gettime(clockid_t clock, struct timespec *time)
{
    int status = (int)syscall(SYS_clock_gettime, clock, time);

    if (clock == CLOCK_BOOTTIME)
        time->tv_sec += atomic_load(&suspended);
    return status;
}

static void suspend(void *user_data, const cli_auth_event *event)
{
    if (cli_auth_event_kind(event) == CLI_AUTH_EVENT_PENDING)
        atomic_store(&suspended, 3600);
    note(user_data, event);
}

static void resumed(void)
{
    struct server server = server_new("{\"interval\":1,\"expires_in\":10000}");
    struct record record = {.kind = CLI_AUTH_EVENT_RESUMED, .login = login_at(&server)};
    cli_auth_tokens *tokens;

    start(record.login);
    CHECK_STATUS(cli_auth_login_poll(record.login, suspend, &record, &tokens, NULL), CLI_AUTH_CANCELLED);
    CHECK_BETWEEN(record.suspended_for, 3599, 3601);
    CHECK_BETWEEN(record.next_poll_in + record.expires_in + record.interval + record.retry_in, 0, 0);
    no_texts(&record);
    cli_auth_login_free(record.login);
    server_free(&server);
}

const struct test events_tests[] = {
    {"pending", pending},
    {"slowed_down", slowed_down},
    {"retrying", retrying},
    {"identity_unverified", identity_unverified},
    {"resumed", resumed},
    {NULL, NULL},
};
