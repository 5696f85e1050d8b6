/* The file descriptor of a login: an event loop takes a step when there is something to do, and at no other time. */

#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "server.h"
#include "system.h"

/* Only against hangs. */
static const double LONGEST = 60;

static int descriptor_of(cli_auth_login *login)
{
    cli_auth_error *error = NULL;
    int fd = -1;

    if (cli_auth_login_fd(login, &fd, &error) != CLI_AUTH_OK)
        CHECK_ERROR(error, CLI_AUTH_OK);
    CHECK(fd >= 0);
    return fd;
}

static bool is_readable(int fd, double within)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    int ready = poll(&watched, 1, (int)(within * 1000));

    CHECK(ready >= 0 && (watched.revents & ~POLLIN) == 0);
    return ready == 1;
}

/* A login in an event loop. */
struct driven {
    cli_auth_login *login;
    int fd;
    double due; /* by now(); INFINITY without a time */
    int steps, prompts, events;
    cli_auth_tokens *tokens;
};

static struct driven driven(cli_auth_login *login)
{
    return (struct driven){.login = login, .fd = descriptor_of(login), .due = (double)INFINITY};
}

static void take_a_step(struct driven *driven)
{
    cli_auth_step *step = stepped(driven->login, 0);
    double due_in = cli_auth_step_due_in(step);

    driven->steps++;
    driven->due = (double)INFINITY;
    switch (cli_auth_step_kind(step)) {
    case CLI_AUTH_STEP_PROMPT:
        driven->prompts++;
        break;
    case CLI_AUTH_STEP_EVENT:
        driven->events++;
        break;
    case CLI_AUTH_STEP_WAITING:
        CHECK(due_in > 0);
        driven->due = now() + due_in;
        break;
    default:
        driven->tokens = cli_auth_step_tokens(step);
        CHECK(driven->tokens != NULL);
        break;
    }
    cli_auth_step_free(step);
}

/* Waits for the descriptors and for the times, and takes a step of each login that has a reason.
   Gives how many go on. */
static size_t turn(struct driven *all, size_t count)
{
    struct pollfd *watched = calloc(count, sizeof *watched);
    double first = (double)INFINITY, wait;
    size_t left = 0;
    int ready;

    CHECK(watched != NULL);
    for (size_t i = 0; i < count; i++) {
        watched[i] = (struct pollfd){.fd = all[i].tokens == NULL ? all[i].fd : -1, .events = POLLIN};
        if (all[i].tokens == NULL && all[i].due < first)
            first = all[i].due;
    }
    wait = first - now() < LONGEST ? first - now() : LONGEST;
    ready = poll(watched, (nfds_t)count, wait > 0 ? (int)(wait * 1000) + 1 : 0);
    CHECK(ready > 0 || (ready == 0 && now() >= first));
    for (size_t i = 0; i < count; i++) {
        if (all[i].tokens != NULL)
            continue;
        /* Either is a reason for one step, also after a prompt and after an event. */
        if (watched[i].revents != 0 || all[i].due <= now())
            take_a_step(&all[i]);
        left += all[i].tokens == NULL;
    }
    free(watched);
    return left;
}

/* A prompt, one event and the tokens, each after a request and before a wait. */
static void check_driven(const struct driven *driven)
{
    CHECK_NUMBER(driven->prompts, 1);
    CHECK_NUMBER(driven->events, 1);
    /* Request, prompt, wait; request, event, wait; request, tokens. */
    CHECK_BETWEEN(driven->steps, 4, 8);
    /* The end was said. */
    CHECK(!is_readable(driven->fd, 0));
}

static void drives_a_login(const char *settings)
{
    struct server server = server_new(settings);
    cli_auth_login *login = login_at(&server);
    struct driven one;

    CHECK_NUMBER(threads(), 1);
    one = driven(login);
    CHECK_NUMBER(threads(), 2);
    CHECK(is_readable(one.fd, 0));
    while (turn(&one, 1) > 0)
        continue;
    check_driven(&one);
    CHECK_NUMBER(threads(), 2);
    CHECK_NUMBER(server_count(&server, "token"), 2);
    CHECK(!server_saw(&server, "polled_too_early"));
    cli_auth_tokens_free(one.tokens);
    cli_auth_login_free(login);
    server_free(&server);
}

#define SLOW                                                                                  \
    "\"interval\":1,\"answer\":\"approve\",\"answer_after_polls\":1,"                         \
    "\"script\":{\"device\":[{\"delay\":0.5}],\"token\":[{\"delay\":0.5},{\"delay\":0.5}]}"

static void drives(void)
{
    drives_a_login("{" SLOW "}");
}

static void drives_over_tls(void)
{
    drives_a_login("{" SLOW ",\"tls\":\"good\"}");
}

/* One thread, however many logins. */
static void a_hundred_logins(void)
{
    enum { MANY = 100 };
    static struct driven all[MANY];
    struct server server = server_new("{\"interval\":1,\"answer\":\"approve\",\"answer_after_polls\":1}");
    cli_auth_client *client = client_of(server_authkit(&server));

    for (int i = 0; i < MANY; i++)
        all[i] = driven(cli_auth_login_new(client, NULL));
    CHECK_NUMBER(threads(), 2);
    cli_auth_client_free(client);
    while (turn(all, MANY) > 0)
        continue;
    CHECK_NUMBER(threads(), 2);
    for (int i = 0; i < MANY; i++) {
        check_driven(&all[i]);
        cli_auth_tokens_free(all[i].tokens);
        cli_auth_login_free(all[i].login);
    }
    CHECK_NUMBER(server_count(&server, "token"), 2 * MANY);
    CHECK(!server_saw(&server, "polled_too_early"));
    server_free(&server);
}

/* The calls that wait go on as without it, and one of them may be inside while another thread asks. */
static void start_and_poll(void)
{
    struct server server = server_new(APPROVES);
    cli_auth_login *login = login_at(&server);
    int fd = descriptor_of(login);

    log_in(login);
    CHECK_NUMBER(descriptor_of(login), fd);
    CHECK(!is_readable(fd, 0));
    CHECK_NUMBER(server_count(&server, "token"), 1);
    cli_auth_login_free(login);

    /* Asked for after the prompt. */
    login = login_at(&server);
    start(login);
    CHECK(is_readable(descriptor_of(login), 0));
    cli_auth_step_free(stepped(login, 0));
    CHECK(!is_readable(descriptor_of(login), 0));
    cli_auth_login_free(login);
    server_free(&server);
}

static void poll_to_the_end(void *data)
{
    cli_auth_tokens *tokens;

    CHECK_STATUS(cli_auth_login_poll(data, NULL, NULL, &tokens, NULL), CLI_AUTH_CANCELLED);
}

/* Asking is not driving: it neither waits for the call that drives, nor fails with BUSY. */
static void asked_while_another_thread_polls(void)
{
    struct server server = server_new(WAITS);
    cli_auth_login *login = login_at(&server);
    struct thread thread;
    cli_auth_step *step;

    start(login);
    thread_start(&thread, poll_to_the_end, login);
    wait_until_asleep(thread.id);
    CHECK(is_readable(descriptor_of(login), 0));
    CHECK_STATUS(cli_auth_login_step(login, 0, &step, NULL), CLI_AUTH_BUSY);
    cli_auth_login_cancel(login);
    thread_join(&thread);
    cli_auth_login_free(login);
    server_free(&server);
}

static void wait_for_it(void *data)
{
    CHECK(is_readable(*(int *)data, LONGEST));
}

/* The thread of the event loop sleeps in poll(2); this one cancels. */
static void cancel_wakes(const char *settings, const char *endpoint)
{
    struct server server = server_new(settings);
    cli_auth_login *login = login_at(&server);
    int fd = descriptor_of(login);
    struct thread thread;
    cli_auth_step *step;
    double cancelled;

    if (strcmp(endpoint, "device") != 0)
        start(login);
    while (is_readable(fd, 0))
        cli_auth_step_free(stepped(login, 0));
    server_wait_for(&server, "device", 1);
    thread_start(&thread, wait_for_it, &fd);
    wait_until_asleep(thread.id);
    cancelled = now();
    cli_auth_login_cancel(login);
    thread_join(&thread);
    CHECK_BETWEEN(thread.ended - cancelled, -1, SOON);
    CHECK_STATUS(cli_auth_login_step(login, 0, &step, NULL), CLI_AUTH_CANCELLED);
    cli_auth_login_free(login);
    server_free(&server);
}

static void a_cancel_wakes_the_loop(void)
{
    cancel_wakes(WAITS, "token");
    cancel_wakes(HANGS_AT("device"), "device");
}

/* Cancelled before it was asked for, and more often than a pipe has room. */
static void cancelled_before(void)
{
    struct server server = server_new(WAITS);
    cli_auth_login *login = login_at(&server);
    cli_auth_step *step;
    int fd;

    cli_auth_login_cancel(login);
    fd = descriptor_of(login);
    for (int i = 0; i < 100000; i++)
        cli_auth_login_cancel(login);
    CHECK(is_readable(fd, 0));
    CHECK_STATUS(cli_auth_login_step(login, 0, &step, NULL), CLI_AUTH_CANCELLED);
    CHECK(!is_readable(fd, 0));
    CHECK_NUMBER(server_count(&server, "device"), 0);
    cli_auth_login_free(login);
    server_free(&server);
}

/* A step of 0 with a silent server: no waiting, and no answer for the loop to spin on. */
static void zero_never_blocks(void)
{
    struct server server = server_new(HANGS_AT("device"));
    cli_auth_login *login = login_at(&server);
    int fd = descriptor_of(login);
    double begun = now();

    for (int i = 0; i < 50; i++) {
        cli_auth_step *step = stepped(login, 0);

        CHECK_NUMBER(cli_auth_step_kind(step), CLI_AUTH_STEP_WAITING);
        CHECK(cli_auth_step_due_in(step) > 1);
        CHECK(!is_readable(fd, 0));
        cli_auth_step_free(step);
    }
    CHECK_BETWEEN(now() - begun, 0, SOON);
    server_wait_for(&server, "device", 1);
    CHECK_NUMBER(server_count(&server, "device"), 1);
    cli_auth_login_free(login);
    server_free(&server);
}

/* No program that this one becomes has any of it. */
static void is_closed_on_exec(void)
{
    enum { MOST = 1024 };
    bool before[MOST];
    struct server server = server_new(WAITS);
    cli_auth_login *login = login_at(&server);
    int fd;

    for (int i = 0; i < MOST; i++)
        before[i] = fcntl(i, F_GETFD) >= 0;
    fd = descriptor_of(login);
    CHECK(fd < MOST && !before[fd]);
    for (int i = 0; i < MOST; i++) {
        int flags = fcntl(i, F_GETFD);

        CHECK(before[i] || flags < 0 || (flags & FD_CLOEXEC) != 0);
    }
    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    cli_auth_login_free(login);
    server_free(&server);
}

/* What the thread that is not this one blocks, as the system says it. */
static unsigned long long blocked_by_the_other_thread(void)
{
    DIR *folder = opendir("/proc/self/task");
    unsigned long long blocked = 0;
    struct dirent *entry;
    char path[300], line[256];

    CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL) {
        FILE *file;

        if (entry->d_name[0] == '.' || atol(entry->d_name) == (long)thread_id())
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        file = fopen(path, "r");
        CHECK(file != NULL);
        while (fgets(line, sizeof line, file) != NULL)
            if (strncmp(line, "SigBlk:", 7) == 0)
                blocked = strtoull(line + 7, NULL, 16);
        fclose(file);
    }
    closedir(folder);
    return blocked;
}

static bool blocks(unsigned long long mask, int number)
{
    return (mask >> (number - 1) & 1) == 1;
}

/* While the C library starts a thread, that blocks even what reports a crash. */
static bool has_begun(void *data)
{
    unsigned long long *mask = data;

    *mask = blocked_by_the_other_thread();
    return !blocks(*mask, SIGSEGV);
}

static void the_thread_blocks_signals(void)
{
    static const int blocked[] = {SIGPIPE, SIGINT, SIGTERM, SIGALRM, SIGCHLD, SIGUSR1};
    struct server server = server_new(WAITS);
    cli_auth_login *login = login_at(&server);
    unsigned long long mask;

    descriptor_of(login);
    CHECK_NUMBER(threads(), 2);
    wait_until(has_begun, &mask);
    for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++)
        CHECK(blocks(mask, blocked[i]));
    cli_auth_login_free(login);
    server_free(&server);
}

/* Freed in the middle of a request, and in the middle of a wait. */
static void freed_in_the_middle(void)
{
    size_t descriptors = open_descriptors();
    struct server server = server_new(HANGS_AT("device")), waiting = server_new(WAITS);
    cli_auth_client *client = client_of(server_authkit(&server));
    cli_auth_login *login = cli_auth_login_new(client, NULL);
    size_t before;

    /* The client goes on, and so does its thread. */
    descriptor_of(login);
    before = open_descriptors();
    for (size_t i = 1; i <= 3; i++) {
        cli_auth_login *other = cli_auth_login_new(client, NULL);

        descriptor_of(other);
        CHECK_NUMBER(open_descriptors(), before + 2);
        cli_auth_step_free(stepped(other, 0));
        server_wait_for(&server, "device", i);
        cli_auth_login_free(other);
        wait_for_descriptors(before);
        CHECK_NUMBER(threads(), 2);
    }
    cli_auth_client_free(client);
    cli_auth_step_free(stepped(login, 0));
    server_wait_for(&server, "device", 4);
    cli_auth_login_free(login);
    wait_for_threads(1);
    wait_for_descriptors(descriptors);

    login = login_at(&waiting);
    descriptor_of(login);
    start(login);
    cli_auth_login_free(login);
    wait_for_threads(1);
    wait_for_descriptors(descriptors);
    server_free(&server);
    server_free(&waiting);
}

/* A child must not use it, and makes its own; the parent's loop goes on. */
static void in_a_child(void)
{
    struct server server = server_new("{" SLOW "}");
    cli_auth_client *client = client_of(server_authkit(&server));
    struct driven one = driven(cli_auth_login_new(client, NULL));
    pid_t pid;

    take_a_step(&one);
    pid = fork();
    if (pid == 0) {
        cli_auth_error *error = NULL;
        struct driven own;
        int fd = -2;

        alarm(60);
        CHECK_STATUS(cli_auth_login_fd(one.login, &fd, &error), CLI_AUTH_FORKED);
        CHECK_ERROR(error, CLI_AUTH_FORKED);
        CHECK_NUMBER(fd, -2);
        cli_auth_login_cancel(one.login);
        own = driven(cli_auth_login_new(client, NULL));
        CHECK_NUMBER(threads(), 2);
        while (turn(&own, 1) > 0)
            continue;
        cli_auth_tokens_free(own.tokens);
        cli_auth_login_free(own.login);
        cli_auth_login_free(one.login);
        cli_auth_client_free(client);
        wait_for_threads(1);
        leave(EXIT_SUCCESS);
    }
    while (turn(&one, 1) > 0)
        continue;
    check_driven(&one);
    CHECK_NUMBER(child_status(pid), 0);
    cli_auth_tokens_free(one.tokens);
    cli_auth_login_free(one.login);
    cli_auth_client_free(client);
    server_free(&server);
}

/* Asked for in a child alone: it is the parent's login all the same. */
static void asked_in_a_child(void)
{
    struct server server = server_new(WAITS);
    cli_auth_login *login = login_at(&server);
    pid_t pid = fork();

    if (pid == 0) {
        int fd;

        alarm(60);
        CHECK_STATUS(cli_auth_login_fd(login, &fd, NULL), CLI_AUTH_FORKED);
        CHECK_NUMBER(threads(), 1);
        cli_auth_login_free(login);
        leave(EXIT_SUCCESS);
    }
    CHECK_NUMBER(child_status(pid), 0);
    cli_auth_login_free(login);
    server_free(&server);
}

static void wrong_arguments(void)
{
    struct server server = server_new(WAITS);
    cli_auth_login *login = login_at(&server);
    cli_auth_error *error = NULL;
    int fd = -2;

    CHECK_STATUS(cli_auth_login_fd(NULL, &fd, &error), CLI_AUTH_MISUSE);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK_STATUS(cli_auth_login_fd(login, NULL, &error), CLI_AUTH_MISUSE);
    CHECK_ERROR(error, CLI_AUTH_MISUSE);
    CHECK_NUMBER(fd, -2);
    CHECK_NUMBER(threads(), 1);
    cli_auth_login_free(login);
    server_free(&server);
}

const struct test descriptor_tests[] = {
    {"descriptor_drives_a_login", drives},
    {"descriptor_drives_a_login_over_tls", drives_over_tls},
    {"descriptors_of_a_hundred_logins", a_hundred_logins},
    {"descriptor_beside_start_and_poll", start_and_poll},
    {"descriptor_while_another_thread_polls", asked_while_another_thread_polls},
    {"descriptor_is_woken_by_cancel", a_cancel_wakes_the_loop},
    {"descriptor_of_a_cancelled_login", cancelled_before},
    {"descriptor_and_steps_of_zero", zero_never_blocks},
    {"descriptor_is_closed_on_exec", is_closed_on_exec},
    {"descriptor_thread_blocks_signals", the_thread_blocks_signals},
    {"descriptor_of_a_freed_login", freed_in_the_middle},
    {"descriptor_in_a_child", in_a_child},
    {"descriptor_asked_for_in_a_child", asked_in_a_child},
    {"descriptor_misuse", wrong_arguments},
    {NULL, NULL},
};
