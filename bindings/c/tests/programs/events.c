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
    char reason[64]; /* "" for none */
};

static void note(void *user_data, const cli_auth_event *event)
{
    struct record *record = user_data;
    const char *reason = cli_auth_event_reason(event);

    record->seen++;
    if (cli_auth_event_kind(event) != record->kind)
        return;
    record->next_poll_in = cli_auth_event_next_poll_in(event);
    record->expires_in = cli_auth_event_expires_in(event);
    record->interval = cli_auth_event_interval(event);
    record->retry_in = cli_auth_event_retry_in(event);
    record->suspended_for = cli_auth_event_suspended_for(event);
    record->attempt = cli_auth_event_attempt(event);
    strncpy(record->reason, reason == NULL ? "" : reason, sizeof record->reason - 1);
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

static void pending(void)
{
    struct record record = first(CLI_AUTH_EVENT_PENDING, "{\"interval\":1,\"expires_in\":60}");

    CHECK_BETWEEN(record.next_poll_in, 1, 1.5);
    CHECK_BETWEEN(record.expires_in, 40, 60);
    CHECK_BETWEEN(record.interval + record.retry_in + record.suspended_for + record.attempt, 0, 0);
    CHECK_TEXT(record.reason, "");
    CHECK_NUMBER(record.seen, 1);
}

static void slowed_down(void)
{
    struct record record =
        first(CLI_AUTH_EVENT_SLOWED_DOWN, "{\"interval\":1,\"script\":{\"token\":[\"slow_down\"]}}");

    CHECK_BETWEEN(record.interval, 6, 6);
    CHECK_BETWEEN(record.next_poll_in + record.expires_in + record.retry_in + record.suspended_for, 0, 0);
    CHECK_TEXT(record.reason, "");
}

static void retrying(void)
{
    struct record record = first(CLI_AUTH_EVENT_RETRYING,
                                 "{\"interval\":1,\"script\":{\"token\":[{\"status\":502,\"body\":\"gateway\"}]}}");

    CHECK_TEXT(record.reason, "http_502");
    CHECK_NUMBER(record.attempt, 1);
    CHECK_BETWEEN(record.retry_in, 1, 4);
    CHECK_BETWEEN(record.next_poll_in + record.expires_in + record.interval + record.suspended_for, 0, 0);
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
    CHECK_TEXT(record.reason, "");
    cli_auth_login_free(record.login);
    server_free(&server);
}

const struct test events_tests[] = {
    {"pending", pending}, {"slowed_down", slowed_down}, {"retrying", retrying}, {"resumed", resumed}, {NULL, NULL},
};
