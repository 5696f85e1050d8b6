/* Shared by the measures. Each prints one JSON object on one line; any failure ends the program. */

#ifndef METER_H
#define METER_H

#include <stddef.h>

#include <cli_auth.h>

struct options {
	const char *url;
	const char *ca_file;
	size_t logins;
	double seconds;
};

void measure_polls(const struct options *options);
void measure_cancel(const struct options *options);
void measure_crowd(const struct options *options);

/* A client of the measured server, with explicit endpoints so that no discovery is needed. */
cli_auth_client *new_client(const struct options *options);
cli_auth_login *new_login(cli_auth_client *client);

_Noreturn void fail(const char *why);
/* Ends the program with the error's message unless `status` is CLI_AUTH_OK. */
void expect_ok(cli_auth_status status, const cli_auth_error *error);
void *allocate(size_t count, size_t size);

/* Seconds of a monotonic clock. */
double now(void);
/* Sleeps until that clock shows `at`. */
void sleep_until(double at);

/* Resource use of this process, as counted by the operating system. */
double cpu_seconds(void);
long peak_kib(void);
long open_sockets(void);
long threads(void);

/* A queue of numbers, each with the time at which it is due. */
struct due {
	double at;
	size_t number;
};

struct queue {
	struct due *heap;
	size_t length;
};

void push(struct queue *queue, double at, size_t number);
struct due pop(struct queue *queue);
/* Returns when the next number is due; infinity if the queue is empty. */
double next_at(const struct queue *queue);

#endif
