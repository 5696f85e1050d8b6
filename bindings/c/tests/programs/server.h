/* A virtual server of the test server, by its control interface (tests/authserver/README.md).
   The environment variable CLI_AUTH_CONTROL has the test server's address, http://127.0.0.1:PORT. */

#ifndef SERVER_H
#define SERVER_H

#include <stddef.h>

#include <cli_auth.h>

struct server {
    char id[32];
    char url[64];
    char *ca_pem; /* NULL without TLS */
};

/* `settings` is a JSON object. */
struct server server_new(const char *settings);
void server_free(struct server *server);

/* The person approves (or denies) the login with this code, or the newest one for NULL. */
void server_answer(const struct server *server, const char *user_code, const char *decision);
/* false resets every connection, and refuses new ones. */
void server_listen(const struct server *server, bool listening);
/* How many requests have arrived at an endpoint. */
size_t server_count(const struct server *server, const char *endpoint);
/* Waits until so many have. */
void server_wait_for(const struct server *server, const char *endpoint, size_t count);

/* Whether this is anywhere in the log. */
bool server_saw(const struct server *server, const char *text);

/* Settings that reach it: as AuthKit, as Connect, and by its metadata. */
cli_auth_client_options *server_authkit(const struct server *server);
cli_auth_client_options *server_workos_connect(const struct server *server);
cli_auth_client_options *server_for_issuer(const struct server *server);
/* A client of such settings, which are freed. */
cli_auth_client *client_of(cli_auth_client_options *options);
/* A client of a host that no resolver knows. Each login looks it up. */
cli_auth_client *client_of_unknown_host(void);
/* A login at the server as AuthKit, with a client of its own that only it holds. */
cli_auth_login *login_at(const struct server *server);
/* Starts it, which has to succeed; `start` frees the prompt. */
cli_auth_prompt *started(cli_auth_login *login);
void start(cli_auth_login *login);
/* Takes a step, which has to succeed. */
cli_auth_step *stepped(cli_auth_login *login, double max_wait);
/* Starts it and polls to its end, which has to be an approval. */
void log_in(cli_auth_login *login);

/* Settings of servers. */
#define APPROVES "{\"answer\":\"approve\",\"interval\":1}"
#define APPROVES_WITHOUT_KEYS                                                     \
    "{\"answer\":\"approve\",\"interval\":1,"                                     \
    "\"script\":{\"jwks\":{\"steps\":[{\"status\":404,\"body\":\"\"}],\"then\":\"repeat\"}}}"
#define WAITS "{\"interval\":600,\"expires_in\":3000}"
#define HANGS_AT(endpoint) \
    "{\"interval\":1,\"script\":{\"" endpoint "\":{\"steps\":[{\"hang\":\"before\"}],\"then\":\"repeat\"}}}"

#endif
