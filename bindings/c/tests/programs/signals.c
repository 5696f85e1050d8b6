/* Signals are the host's: its mask, its handlers, its threads. */

#define _GNU_SOURCE

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "server.h"
#include "system.h"

struct dispositions {
    struct sigaction of[65];
    sigset_t mask;
};

static void handler(int number)
{
    (void)number;
}

/* All of them at once, with something that is no default among them. */
static void look(struct dispositions *now_set)
{
    memset(now_set, 0, sizeof *now_set);
    for (int i = 1; i <= 64; i++)
        sigaction(i, NULL, &now_set->of[i]);
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &now_set->mask) == 0);
}

static void unchanged(const struct dispositions *before)
{
    struct dispositions after;

    look(&after);
    for (int i = 1; i <= 64; i++) {
        CHECK(after.of[i].sa_handler == before->of[i].sa_handler);
        CHECK_NUMBER(after.of[i].sa_flags, before->of[i].sa_flags);
        CHECK_NUMBER(sigismember(&after.mask, i), sigismember(&before->mask, i));
    }
}

static void check_unchanged(void *user_data, const cli_auth_event *event)
{
    (void)event;
    unchanged(user_data);
}

/* Before and after each call, and in the callback. */
static void mask_and_handlers(void)
{
    struct server server = server_new("{\"interval\":1,\"answer\":\"approve\",\"answer_after_polls\":1}");
    struct server silent = server_new(HANGS_AT("device"));
    cli_auth_client *client;
    cli_auth_login *login;
    cli_auth_tokens *tokens;
    cli_auth_step *step;
    cli_auth_prompt *prompt;
    struct dispositions before;
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigset_t some;

    sigemptyset(&action.sa_mask);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    sigemptyset(&some);
    sigaddset(&some, SIGUSR2);
    sigaddset(&some, SIGRTMIN + 3);
    CHECK(pthread_sigmask(SIG_BLOCK, &some, NULL) == 0);
    look(&before);

    client = client_of(server_authkit(&server));
    unchanged(&before);
    login = cli_auth_login_new(client, NULL);
    unchanged(&before);
    prompt = started(login);
    unchanged(&before);
    cli_auth_prompt_open_browser(prompt, NULL);
    unchanged(&before);
    cli_auth_prompt_free(prompt);
    cli_auth_step_free(stepped(login, 0.01));
    unchanged(&before);
    CHECK_STATUS(cli_auth_login_poll(login, check_unchanged, &before, &tokens, NULL), CLI_AUTH_OK);
    unchanged(&before);
    CHECK_STATUS(cli_auth_client_refresh(client, "nobody's", NULL, &tokens, NULL), CLI_AUTH_LOGIN_REQUIRED);
    unchanged(&before);
    CHECK_STATUS(cli_auth_client_revoke(client, "nobody's", NULL), CLI_AUTH_UNSUPPORTED);
    unchanged(&before);
    cli_auth_tokens_free(tokens);
    cli_auth_login_free(login);
    cli_auth_client_free(client);
    unchanged(&before);

    login = login_at(&silent);
    cli_auth_step_free(stepped(login, 0.05));
    cli_auth_login_cancel(login);
    CHECK_STATUS(cli_auth_login_step(login, 1, &step, NULL), CLI_AUTH_CANCELLED);
    cli_auth_login_free(login);
    unchanged(&before);
    server_free(&server);
    server_free(&silent);
}

static atomic_int host_thread;
static atomic_int here, elsewhere;

static void record(int number)
{
    (void)number;
    if ((pid_t)syscall(SYS_gettid) == (pid_t)atomic_load(&host_thread))
        atomic_fetch_add(&here, 1);
    else
        atomic_fetch_add(&elsewhere, 1);
}

static atomic_bool finished;

/* Looks up a host name again and again: the library resolves names on a thread of its own. */
static void resolve(void *data)
{
    cli_auth_client *client = data;

    atomic_store(&host_thread, (int)thread_id());
    while (atomic_load(&here) <= 100) {
        cli_auth_login *login = cli_auth_login_new(client, NULL);
        cli_auth_prompt *prompt;

        CHECK_STATUS(cli_auth_login_start(login, &prompt, NULL), CLI_AUTH_NETWORK);
        cli_auth_login_free(login);
    }
    atomic_store(&finished, true);
}

/* A signal to the process goes to any thread that does not block it. This thread does: only the host's other one is
   left. */
static void handlers_on_host_threads(void)
{
    cli_auth_client *client = client_of_unknown_host();
    struct sigaction action = {.sa_handler = record, .sa_flags = SA_RESTART};
    struct thread thread;
    sigset_t user;
    size_t most = 0;

    sigemptyset(&action.sa_mask);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    thread_start(&thread, resolve, client);
    sigemptyset(&user);
    sigaddset(&user, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &user, NULL) == 0);
    while (atomic_load(&host_thread) == 0)
        pause_for(0.001);
    while (!atomic_load(&finished)) {
        size_t count = threads();
        most = count > most ? count : most;
        CHECK(kill(getpid(), SIGUSR1) == 0);
        pause_for(0.0002);
    }
    thread_join(&thread);
    /* One that came when only this thread was left. */
    sigtimedwait(&user, NULL, &(struct timespec){.tv_sec = 0});
    CHECK_NUMBER(atomic_load(&elsewhere), 0);
    /* This one, the other one, and the library's. */
    CHECK(most >= 3);
    cli_auth_client_free(client);
}

const struct test signals_tests[] = {
    {"mask_and_handlers", mask_and_handlers},
    {"handlers_on_host_threads", handlers_on_host_threads},
    {NULL, NULL},
};
