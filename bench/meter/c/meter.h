/* What the measures share. Each prints one JSON object on one line; whatever goes wrong ends the program. */

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

/* A client of the server that is measured against; it knows its endpoints, so nothing is discovered. */
cli_auth_client *new_client(const struct options *options);
cli_auth_login *new_login(cli_auth_client *client);

_Noreturn void fail(const char *why);
/* Ends the program unless `status` is good, and says what the error says. */
void expect_ok(cli_auth_status status, const cli_auth_error *error);
void *allocate(size_t count, size_t size);

/* Seconds of a clock that only goes forward. */
double now(void);
/* Until that clock shows `at`. */
void sleep_until(double at);

/* What the operating system counts of this process. */
double cpu_seconds(void);
long peak_kib(void);
long open_sockets(void);
long threads(void);

/* Numbers, each with the time at which it is due. */
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
/* When the next one is due; infinity if there is none. */
double next_at(const struct queue *queue);

#endif
