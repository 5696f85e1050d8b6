/* SIGPIPE kills a C program that does not expect it. It never comes from this library, and the host's own is left to
   it. */

#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"
#include "server.h"
#include "system.h"

static atomic_bool broken;
static atomic_int broke;

static bool breaks(int fd)
{
    struct stat status;

    if (!atomic_load(&broken) || fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode))
        return false;
    /* As the kernel does it: to the thread that writes. */
    atomic_fetch_add(&broke, 1);
    pthread_kill(pthread_self(), SIGPIPE);
    errno = EPIPE;
    return true;
}

/* Found before those of the C library: a connection that breaks while the library writes, at every write. */
ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return breaks(fd) ? -1 : (ssize_t)syscall(SYS_writev, fd, parts, count);
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    return breaks(fd) ? -1 : (ssize_t)syscall(SYS_write, fd, bytes, count);
}

static bool is_pending(void)
{
    sigset_t pending;

    CHECK(sigpending(&pending) == 0);
    return sigismember(&pending, SIGPIPE) == 1;
}

static void default_disposition(void)
{
    struct sigaction action;

    CHECK(sigaction(SIGPIPE, NULL, &action) == 0);
    CHECK(action.sa_handler == SIG_DFL);
}

/* Every call that writes, while every write breaks. */
static void while_writes_break(const char *settings)
{
    struct server server = server_new(settings);
    cli_auth_client *client = client_of(server_authkit(&server));
    cli_auth_login *login = cli_auth_login_new(client, NULL), *begun = cli_auth_login_new(client, NULL);
    cli_auth_request *request;
    cli_auth_prompt *prompt;
    cli_auth_tokens *tokens = NULL;
    bool done;
    double end;

    default_disposition();
    start(begun);
    server_listen(&server, false);
    server_listen(&server, true);
    atomic_store(&broke, 0);
    atomic_store(&broken, true);
    CHECK_STATUS(cli_auth_login_start(login, &prompt, NULL), CLI_AUTH_NETWORK);
    CHECK_STATUS(cli_auth_client_refresh(client, "a", NULL, &tokens, NULL), CLI_AUTH_NETWORK);
    request = cli_auth_client_begin_refresh(client, "a", NULL, NULL);
    CHECK_STATUS(cli_auth_request_step(request, 30, &done, &tokens, NULL), CLI_AUTH_NETWORK);
    for (end = now() + 1.5; now() < end;)
        cli_auth_step_free(stepped(begun, 0.2));
    CHECK(atomic_load(&broke) >= 4);
    atomic_store(&broken, false);
    CHECK(!is_pending());
    default_disposition();
    cli_auth_request_free(request);
    cli_auth_login_free(login);
    cli_auth_login_free(begun);
    cli_auth_client_free(client);
    server_free(&server);
}

static void broken_writes(void)
{
    while_writes_break("{\"interval\":1}");
}

static void broken_writes_over_tls(void)
{
    while_writes_break("{\"interval\":1,\"tls\":\"good\"}");
}

/* A server that resets for real. */
static void while_resetting(const char *settings)
{
    struct server server = server_new(settings);
    cli_auth_client *client = client_of(server_authkit(&server)), *other;

    default_disposition();
    for (int i = 0; i < 20; i++) {
        cli_auth_tokens *tokens;
        CHECK(cli_auth_client_refresh(client, "a", NULL, &tokens, NULL) != CLI_AUTH_OK);
        CHECK(!is_pending());
    }
    other = client_of(server_workos_connect(&server));
    for (int i = 0; i < 5; i++) {
        cli_auth_request *request = cli_auth_client_begin_userinfo(other, "a", NULL, NULL);
        cli_auth_identity *user;
        bool done;
        CHECK(cli_auth_client_userinfo(other, "a", NULL, &user, NULL) != CLI_AUTH_OK);
        CHECK(!is_pending());
        CHECK(cli_auth_request_step(request, 30, &done, NULL, NULL) != CLI_AUTH_OK);
        CHECK(!is_pending());
        cli_auth_request_free(request);
    }
    default_disposition();
    cli_auth_client_free(other);
    cli_auth_client_free(client);
    server_free(&server);
}

static void resets(void)
{
    while_resetting("{\"script\":{\"connection\":{\"steps\":[\"reset\"],\"then\":\"repeat\"}}}");
    while_resetting("{\"script\":{\"connection\":{\"steps\":[\"close\"],\"then\":\"repeat\"}}}");
    while_resetting("{\"script\":{\"any\":{\"steps\":[{\"reset\":\"before\"}],\"then\":\"repeat\"}}}");
}

static void resets_over_tls(void)
{
    while_resetting("{\"tls\":\"good\",\"script\":{\"connection\":{\"steps\":[\"reset\"],\"then\":\"repeat\"}}}");
    while_resetting("{\"tls\":\"handshake_reset\"}");
    while_resetting("{\"tls\":\"good\",\"script\":{\"any\":{\"steps\":[{\"reset\":\"before\"}],\"then\":\"repeat\"}}}");
    while_resetting("{\"tls\":\"good\",\"script\":{\"any\":{\"steps\":[{\"close_after\":0}],\"then\":\"repeat\"}}}");
}

/* Connections that were good and are reset while a login holds them. */
static void reset_while_held(const char *settings)
{
    struct server server = server_new(settings);
    cli_auth_login *login = login_at(&server);
    cli_auth_tokens *tokens;

    start(login);
    for (size_t i = 1; i <= 2; i++) {
        server_listen(&server, false);
        server_listen(&server, true);
        while (server_count(&server, "token") < i)
            cli_auth_step_free(stepped(login, 0.2));
    }
    server_answer(&server, NULL, "approve");
    CHECK_STATUS(cli_auth_login_poll(login, NULL, NULL, &tokens, NULL), CLI_AUTH_OK);
    CHECK(!is_pending());
    cli_auth_tokens_free(tokens);
    cli_auth_login_free(login);
    server_free(&server);
}

static void held(void)
{
    reset_while_held("{\"interval\":1}");
}

static void held_over_tls(void)
{
    reset_while_held("{\"interval\":1,\"tls\":\"good\"}");
}

/* A host that blocks SIGPIPE and has one pending still has it afterwards; one that has none gets none. */
static void the_hosts_own(void)
{
    struct server server = server_new("{}");
    cli_auth_client *client = client_of(server_authkit(&server));
    cli_auth_tokens *tokens;
    sigset_t pipe_only, mask;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    CHECK(pthread_sigmask(SIG_BLOCK, &pipe_only, NULL) == 0);
    atomic_store(&broken, true);
    CHECK_STATUS(cli_auth_client_refresh(client, "a", NULL, &tokens, NULL), CLI_AUTH_NETWORK);
    CHECK(!is_pending());
    CHECK(pthread_kill(pthread_self(), SIGPIPE) == 0);
    CHECK(is_pending());
    CHECK_STATUS(cli_auth_client_refresh(client, "a", NULL, &tokens, NULL), CLI_AUTH_NETWORK);
    atomic_store(&broken, false);
    CHECK(is_pending());
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
    CHECK(sigismember(&mask, SIGPIPE) == 1);
    /* Taken, as it would kill at the unblocking. */
    CHECK_NUMBER(sigwaitinfo(&pipe_only, NULL), SIGPIPE);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL) == 0);
    cli_auth_client_free(client);
    server_free(&server);
}

const struct test sigpipe_tests[] = {
    {"sigpipe_of_broken_writes", broken_writes},
    {"sigpipe_of_broken_writes_over_tls", broken_writes_over_tls},
    {"sigpipe_of_resets", resets},
    {"sigpipe_of_resets_over_tls", resets_over_tls},
    {"sigpipe_of_held_connections", held},
    {"sigpipe_of_held_connections_over_tls", held_over_tls},
    {"sigpipe_of_the_host", the_hosts_own},
    {NULL, NULL},
};
