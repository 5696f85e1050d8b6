#define _POSIX_C_SOURCE 200809L

#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "system.h"

enum { LONGEST_ANSWER = 8 * 1024 * 1024 };

static void send_all(int fd, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t sent = send(fd, text, left, MSG_NOSIGNAL);
        CHECK(sent > 0);
        text += sent;
        left -= (size_t)sent;
    }
}

/* One request to the control interface. Gives the body of the answer, to be freed. */
static char *control(const char *method, const char *path, const char *body)
{
    const char *url = getenv("CLI_AUTH_CONTROL");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char head[512];
    char *answer = malloc(LONGEST_ANSWER + 1);
    char *end;
    size_t length = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(url != NULL && answer != NULL && fd >= 0);
    address.sin_port = htons((unsigned short)strtoul(strrchr(url, ':') + 1, NULL, 10));
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    snprintf(head, sizeof head,
             "%s /control/%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n\r\n",
             method, path, strstr(url, "//") + 2, strlen(body));
    send_all(fd, head);
    send_all(fd, body);
    for (;;) {
        ssize_t got = read(fd, answer + length, LONGEST_ANSWER - length);
        CHECK(got >= 0 && length < LONGEST_ANSWER);
        if (got == 0)
            break;
        length += (size_t)got;
    }
    close(fd);
    answer[length] = '\0';
    end = strstr(answer, "\r\n\r\n");
    if (strncmp(answer, "HTTP/1.1 2", 10) != 0 || end == NULL) {
        fprintf(stderr, "%s %s: %s\n", method, path, answer);
        leave(EXIT_FAILURE);
    }
    memmove(answer, end + 4, strlen(end + 4) + 1);
    return answer;
}

/* The text member `name` of a JSON object, to be freed; NULL if it is no text. */
static char *member(const char *json, const char *name)
{
    char key[64];
    const char *from;
    char *text, *to;

    snprintf(key, sizeof key, "\"%s\":\"", name);
    from = strstr(json, key);
    if (from == NULL)
        return NULL;
    from += strlen(key);
    to = text = malloc(strlen(from) + 1);
    CHECK(text != NULL);
    for (; *from != '"' && *from != '\0'; from++) {
        if (*from == '\\')
            *to++ = *++from == 'n' ? '\n' : *from;
        else
            *to++ = *from;
    }
    *to = '\0';
    return text;
}

static void copy_member(const char *json, const char *name, char *to, size_t size)
{
    char *text = member(json, name);

    CHECK(text != NULL && strlen(text) < size);
    strcpy(to, text);
    free(text);
}

/* A request about this server. */
static char *about(const struct server *server, const char *method, const char *path, const char *body)
{
    char whole[256];

    snprintf(whole, sizeof whole, "servers/%s%s", server->id, path);
    return control(method, whole, body);
}

struct server server_new(const char *settings)
{
    struct server server;
    char *answer = control("POST", "servers", settings);

    copy_member(answer, "id", server.id, sizeof server.id);
    copy_member(answer, "url", server.url, sizeof server.url);
    server.ca_pem = member(answer, "ca_pem");
    free(answer);
    return server;
}

void server_free(struct server *server)
{
    free(about(server, "DELETE", "", ""));
    free(server->ca_pem);
}

void server_answer(const struct server *server, const char *user_code, const char *decision)
{
    char body[256];

    if (user_code == NULL)
        snprintf(body, sizeof body, "{\"decision\":\"%s\"}", decision);
    else
        snprintf(body, sizeof body, "{\"decision\":\"%s\",\"user_code\":\"%s\"}", decision, user_code);
    free(about(server, "POST", "/answer", body));
}

void server_listen(const struct server *server, bool listening)
{
    free(about(server, "PUT", "/listening", listening ? "{\"listening\":true}" : "{\"listening\":false}"));
}

static size_t count_in(const char *log, const char *endpoint)
{
    char pattern[64];
    size_t count = 0;

    snprintf(pattern, sizeof pattern, "\"endpoint\":\"%s\"", endpoint);
    for (const char *at = log; (at = strstr(at, pattern)) != NULL; at++)
        count++;
    return count;
}

size_t server_count(const struct server *server, const char *endpoint)
{
    char *log = about(server, "GET", "/log", "");
    size_t count = count_in(log, endpoint);

    free(log);
    return count;
}

void server_wait_for(const struct server *server, const char *endpoint, size_t count)
{
    char path[128];
    char *log;

    snprintf(path, sizeof path, "/log?endpoint=%s&count=%zu&timeout=30", endpoint, count);
    log = about(server, "GET", path, "");
    CHECK(count_in(log, endpoint) >= count);
    free(log);
}

bool server_saw(const struct server *server, const char *text)
{
    char *log = about(server, "GET", "/log", "");
    bool saw = strstr(log, text) != NULL;

    free(log);
    return saw;
}

static cli_auth_client_options *reaching(const struct server *server, cli_auth_client_options *options)
{
    CHECK_STATUS(cli_auth_client_options_allow_insecure_loopback(options, true), CLI_AUTH_OK);
    if (server->ca_pem != NULL)
        CHECK_STATUS(cli_auth_client_options_add_ca_pem(options, server->ca_pem, strlen(server->ca_pem)), CLI_AUTH_OK);
    return options;
}

cli_auth_client_options *server_authkit(const struct server *server)
{
    cli_auth_client_options *options = cli_auth_client_options_authkit("client_test");

    CHECK_STATUS(cli_auth_client_options_set_api_base(options, server->url), CLI_AUTH_OK);
    return reaching(server, options);
}

cli_auth_client_options *server_workos_connect(const struct server *server)
{
    return reaching(server, cli_auth_client_options_workos_connect(server->url, "client_test"));
}

cli_auth_client_options *server_for_issuer(const struct server *server)
{
    return reaching(server, cli_auth_client_options_for_issuer(server->url, "client_test"));
}

cli_auth_client *client_of(cli_auth_client_options *options)
{
    cli_auth_error *error = NULL;
    cli_auth_client *client = cli_auth_client_new(options, &error);

    if (client == NULL)
        CHECK_ERROR(error, CLI_AUTH_OK);
    cli_auth_client_options_free(options);
    return client;
}

cli_auth_client *client_of_unknown_host(void)
{
    return client_of(cli_auth_client_options_with_endpoints("https://name.invalid/device",
                                                            "https://name.invalid/token", "client_1"));
}

cli_auth_login *login_at(const struct server *server)
{
    cli_auth_client *client = client_of(server_authkit(server));
    cli_auth_login *login = cli_auth_login_new(client, NULL);

    CHECK(login != NULL);
    cli_auth_client_free(client);
    return login;
}

cli_auth_prompt *started(cli_auth_login *login)
{
    cli_auth_prompt *prompt = NULL;
    cli_auth_error *error = NULL;

    if (cli_auth_login_start(login, &prompt, &error) != CLI_AUTH_OK)
        CHECK_ERROR(error, CLI_AUTH_OK);
    return prompt;
}

void start(cli_auth_login *login)
{
    cli_auth_prompt_free(started(login));
}

cli_auth_step *stepped(cli_auth_login *login, double max_wait)
{
    cli_auth_step *step = NULL;
    cli_auth_error *error = NULL;

    if (cli_auth_login_step(login, max_wait, &step, &error) != CLI_AUTH_OK)
        CHECK_ERROR(error, CLI_AUTH_OK);
    return step;
}

void log_in(cli_auth_login *login)
{
    cli_auth_tokens *tokens = NULL;
    cli_auth_error *error = NULL;

    start(login);
    if (cli_auth_login_poll(login, NULL, NULL, &tokens, &error) != CLI_AUTH_OK)
        CHECK_ERROR(error, CLI_AUTH_OK);
    CHECK_TEXT(cli_auth_tokens_token_type(tokens), "Bearer");
    cli_auth_tokens_free(tokens);
}
