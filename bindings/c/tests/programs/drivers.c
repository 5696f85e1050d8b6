/* Several threads, and ends from outside: from another thread, and from a signal handler. */

#define _XOPEN_SOURCE 700 /* setitimer */

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>

#include "check.h"
#include "server.h"
#include "system.h"

/* A thread that starts a login and polls it to its end. */
struct driver {
    cli_auth_login *login;
    struct thread thread;
    bool starts; /* it starts the login, too */
    cli_auth_status status;
};

static void drive(void *data)
{
    struct driver *driver = data;
    cli_auth_prompt *prompt = NULL;
    cli_auth_tokens *tokens = NULL;

    driver->status = driver->starts ? cli_auth_login_start(driver->login, &prompt, NULL) : CLI_AUTH_OK;
    if (driver->status == CLI_AUTH_OK)
        driver->status = cli_auth_login_poll(driver->login, NULL, NULL, &tokens, NULL);
    cli_auth_prompt_free(prompt);
    cli_auth_tokens_free(tokens);
}

/* Every call that drives answers BUSY at once; those that look do not mind. */
static void check_busy(cli_auth_login *login)
{
    cli_auth_prompt *prompt;
    cli_auth_tokens *tokens;
    cli_auth_step *step;
    cli_auth_error *error = NULL;
    double begun = now();

    CHECK_STATUS(cli_auth_login_start(login, &prompt, &error), CLI_AUTH_BUSY);
    CHECK_ERROR(error, CLI_AUTH_BUSY);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, NULL), CLI_AUTH_BUSY);
    CHECK_STATUS(cli_auth_login_step(login, 60, &step, NULL), CLI_AUTH_BUSY);
    CHECK_BETWEEN(now() - begun, 0, SOON);
    cli_auth_prompt_free(cli_auth_login_prompt(login));
}

/* A callback that says when it was called, and returns once it may. */
struct gate {
    atomic_int events;
    atomic_bool open;
};

static void stay_in_the_callback(void *user_data, const cli_auth_event *event)
{
    struct gate *gate = user_data;

    CHECK(cli_auth_event_kind(event) != 0);
    atomic_fetch_add(&gate->events, 1);
    while (!atomic_load(&gate->open))
        pause_for(0.005);
}

static bool is_in_the_callback(void *data)
{
    return atomic_load(&((struct gate *)data)->events) > 0;
}

struct held {
    cli_auth_login *login;
    struct gate gate;
};

static void poll_held(void *data)
{
    struct held *held = data;
    cli_auth_tokens *tokens;

    CHECK_STATUS(cli_auth_login_poll(held->login, stay_in_the_callback, &held->gate, &tokens, NULL), CLI_AUTH_OK);
    cli_auth_tokens_free(tokens);
}

/* A poll is the driver also while its callback runs, and goes on to its tokens. */
static void a_second_driver_during_the_callback(void)
{
    struct server server = server_new("{\"interval\":1,\"answer\":\"approve\",\"answer_after_polls\":1}");
    struct held held = {.login = login_at(&server)};
    struct thread thread;

    start(held.login);
    thread_start(&thread, poll_held, &held);
    wait_until(is_in_the_callback, &held.gate);
    check_busy(held.login);
    atomic_store(&held.gate.open, true);
    thread_join(&thread);
    CHECK_NUMBER(atomic_load(&held.gate.events), 1);
    CHECK_NUMBER(server_count(&server, "token"), 2);
    cli_auth_login_free(held.login);
    server_free(&server);
}

static void a_second_driver(void)
{
    struct server server = server_new(HANGS_AT("device")), waiting = server_new(WAITS);
    struct driver driver = {.login = login_at(&server), .starts = true};

    thread_start(&driver.thread, drive, &driver);
    server_wait_for(&server, "device", 1);
    check_busy(driver.login);
    cli_auth_login_cancel(driver.login);
    thread_join(&driver.thread);
    CHECK_STATUS(driver.status, CLI_AUTH_CANCELLED);
    cli_auth_login_free(driver.login);

    driver = (struct driver){.login = login_at(&waiting)};
    start(driver.login);
    thread_start(&driver.thread, drive, &driver);
    wait_until_asleep(driver.thread.id);
    check_busy(driver.login);
    cli_auth_login_cancel(driver.login);
    thread_join(&driver.thread);
    CHECK_STATUS(driver.status, CLI_AUTH_CANCELLED);
    cli_auth_login_free(driver.login);
    server_free(&server);
    server_free(&waiting);
}

/* Cancels from this thread what another one waits for; the driver returns at once. */
static void cancel_other(const char *settings, const char *endpoint)
{
    struct server server = server_new(settings);
    struct driver driver = {.login = login_at(&server)};
    cli_auth_tokens *tokens;
    double cancelled;

    driver.starts = endpoint != NULL && strcmp(endpoint, "device") == 0;
    if (!driver.starts)
        start(driver.login);
    thread_start(&driver.thread, drive, &driver);
    if (endpoint != NULL)
        server_wait_for(&server, endpoint, 1);
    wait_until_asleep(driver.thread.id);
    cancelled = now();
    errno = E2BIG;
    cli_auth_login_cancel(driver.login);
    CHECK_NUMBER(errno, E2BIG);
    thread_join(&driver.thread);
    CHECK_STATUS(driver.status, CLI_AUTH_CANCELLED);
    CHECK_BETWEEN(driver.thread.ended - cancelled, -1, SOON / 2);
    /* Again, and then: it stays cancelled. */
    cli_auth_login_cancel(driver.login);
    CHECK_STATUS(cli_auth_login_poll(driver.login, NULL, NULL, &tokens, NULL), CLI_AUTH_CANCELLED);
    cli_auth_login_free(driver.login);
    server_free(&server);
}

static void cancel_from_a_thread(void)
{
    cancel_other(WAITS, NULL);
    cancel_other(HANGS_AT("token"), "token");
    cancel_other(HANGS_AT("device"), "device");
}

static void cancel_after_the_outcome(void)
{
    struct server server = server_new(APPROVES);
    cli_auth_login *login = login_at(&server);
    cli_auth_tokens *tokens;

    log_in(login);
    cli_auth_login_cancel(login);
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, NULL), CLI_AUTH_OK);
    cli_auth_tokens_free(tokens);
    cli_auth_login_free(login);
    server_free(&server);
}

static cli_auth_login *volatile signalled;
static volatile sig_atomic_t errno_kept;
static volatile sig_atomic_t times_caught;

static void cancel_signalled(int number)
{
    int before = errno;

    (void)number;
    times_caught++;
    errno = ENOTTY;
    cli_auth_login_cancel(signalled);
    errno_kept = errno == ENOTTY;
    errno = before;
}

static void ignore(int number)
{
    (void)number;
    times_caught++;
}

static void on_alarm_in(double seconds, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    struct itimerval timer = {.it_value = {.tv_sec = 0, .tv_usec = (suseconds_t)(seconds * 1e6)}};

    sigemptyset(&action.sa_mask);
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

/* The handler runs on the only thread, inside the call that waits. */
static void cancel_by_handler(const char *settings, bool in_start, int flags)
{
    struct server server = server_new(settings);
    struct driver driver = {.login = login_at(&server), .starts = in_start};
    double begun;

    if (!in_start)
        start(driver.login);
    signalled = driver.login;
    errno_kept = 0;
    begun = now();
    on_alarm_in(0.3, cancel_signalled, flags);
    drive(&driver);
    CHECK_STATUS(driver.status, CLI_AUTH_CANCELLED);
    CHECK_BETWEEN(now() - begun, 0.25, SOON);
    CHECK(errno_kept);
    signalled = NULL;
    cli_auth_login_free(driver.login);
    server_free(&server);
}

static void cancel_from_a_handler(void)
{
    cancel_by_handler(WAITS, false, 0);
    cancel_by_handler(WAITS, false, SA_RESTART);
    cancel_by_handler(HANGS_AT("token"), false, SA_RESTART);
    cancel_by_handler(HANGS_AT("device"), true, 0);
}

/* A signal that cancels nothing disturbs nothing. */
static void a_signal_alone(void)
{
    struct server server = server_new("{\"interval\":1,\"answer\":\"approve\",\"answer_after_polls\":1}");
    cli_auth_login *login = login_at(&server);
    struct itimerval often = {.it_value = {.tv_usec = 5000}, .it_interval = {.tv_usec = 5000}};

    on_alarm_in(0.005, ignore, 0);
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    log_in(login);
    CHECK(setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_sec = 0}}, NULL) == 0);
    CHECK(times_caught > 20);
    CHECK_NUMBER(server_count(&server, "device"), 1);
    CHECK_NUMBER(server_count(&server, "token"), 2);
    CHECK(!server_saw(&server, "polled_too_early"));
    cli_auth_login_free(login);
    server_free(&server);
}

enum { MANY = 50 };

static void many_threads(void)
{
    struct server server = server_new("{\"interval\":1,\"answer\":\"approve\",\"answer_after_polls\":1}");
    cli_auth_client *client = client_of(server_authkit(&server));
    static struct driver drivers[MANY];

    for (int i = 0; i < MANY; i++) {
        drivers[i] = (struct driver){.login = cli_auth_login_new(client, NULL), .starts = true};
        thread_start(&drivers[i].thread, drive, &drivers[i]);
    }
    for (int i = 0; i < MANY; i++) {
        thread_join(&drivers[i].thread);
        CHECK_STATUS(drivers[i].status, CLI_AUTH_OK);
        cli_auth_login_free(drivers[i].login);
    }
    cli_auth_client_free(client);
    CHECK_NUMBER(server_count(&server, "device"), MANY);
    CHECK(!server_saw(&server, "polled_too_early"));
    server_free(&server);
}

/* One driver ends, the others of the same client go on. */
static void one_of_several_is_cancelled(void)
{
    struct server server = server_new("{\"interval\":1,\"answer\":\"approve\",\"answer_after\":2}");
    cli_auth_client *client = client_of(server_authkit(&server));
    struct driver drivers[4];

    for (int i = 0; i < 4; i++) {
        drivers[i] = (struct driver){.login = cli_auth_login_new(client, NULL), .starts = true};
        thread_start(&drivers[i].thread, drive, &drivers[i]);
    }
    cli_auth_client_free(client);
    server_wait_for(&server, "device", 4);
    cli_auth_login_cancel(drivers[0].login);
    thread_join(&drivers[0].thread);
    cli_auth_login_free(drivers[0].login);
    CHECK_STATUS(drivers[0].status, CLI_AUTH_CANCELLED);
    for (int i = 1; i < 4; i++) {
        thread_join(&drivers[i].thread);
        CHECK_STATUS(drivers[i].status, CLI_AUTH_OK);
        cli_auth_login_free(drivers[i].login);
    }
    server_free(&server);
}

const struct test drivers_tests[] = {
    {"a_second_driver", a_second_driver},
    {"a_second_driver_during_the_callback", a_second_driver_during_the_callback},
    {"cancel_from_a_thread", cancel_from_a_thread},
    {"cancel_after_the_outcome", cancel_after_the_outcome},
    {"cancel_from_a_handler", cancel_from_a_handler},
    {"a_signal_alone", a_signal_alone},
    {"many_threads", many_threads},
    {"one_of_several_is_cancelled", one_of_several_is_cancelled},
    {NULL, NULL},
};
