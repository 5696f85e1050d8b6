/* Many simultaneous logins: one client, one thread, and a loop over cli_auth_login_step().

   A waiting login is not stepped before it is due. Only a few have a request in flight: the loop blocks in one of them,
   which makes progress on all requests, and then steps the others. */

#include "meter.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Maximum number of requests in flight. */
#define MOST_UNDER_WAY 48
/* Bounds of the time that the loop blocks for one response while others may be available or due. */
#define SHORTEST_WAIT 0.001
#define LONGEST_WAIT 0.020
/* Interval in which open sockets and threads are counted. */
#define LOOK 0.05

struct one {
	cli_auth_login *login;
	double answered;
};

struct crowd {
	struct one *logins;
	struct queue due;
	size_t under_way[MOST_UNDER_WAY];
	size_t count_under_way;
	size_t done;
	size_t failed;
	cli_auth_status last_failure;
	double *gaps;
	size_t count_gaps;
	size_t room_for_gaps;
};

static void note_answer(struct crowd *crowd, struct one *one)
{
	double at = now();
	if (one->answered > 0.0 && crowd->count_gaps < crowd->room_for_gaps)
		crowd->gaps[crowd->count_gaps++] = at - one->answered;
	one->answered = at;
}

/* Steps a login until it waits or ends. Returns whether a request is in flight. */
static bool drive(struct crowd *crowd, size_t number, double max_wait)
{
	struct one *one = &crowd->logins[number];
	for (;;) {
		cli_auth_step *step = NULL;
		cli_auth_status status = cli_auth_login_step(one->login, max_wait, &step, NULL);
		int32_t kind = status == CLI_AUTH_OK ? cli_auth_step_kind(step) : 0;
		double due_in = status == CLI_AUTH_OK ? cli_auth_step_due_in(step) : 0.0;
		cli_auth_step_free(step);
		if (kind == CLI_AUTH_STEP_WAITING) {
			if (due_in > 0.0)
				push(&crowd->due, now() + due_in, number);
			return due_in <= 0.0;
		}
		if (status != CLI_AUTH_OK) {
			crowd->failed++;
			crowd->last_failure = status;
		} else {
			note_answer(crowd, one);
		}
		if (status != CLI_AUTH_OK || kind == CLI_AUTH_STEP_AUTHORIZED) {
			crowd->done += kind == CLI_AUTH_STEP_AUTHORIZED;
			cli_auth_login_free(one->login);
			one->login = NULL;
			return false;
		}
		max_wait = 0.0;
	}
}

static void begin_what_is_due(struct crowd *crowd)
{
	while (crowd->count_under_way < MOST_UNDER_WAY && next_at(&crowd->due) <= now()) {
		size_t number = pop(&crowd->due).number;
		if (drive(crowd, number, 0.0))
			crowd->under_way[crowd->count_under_way++] = number;
	}
}

static void wait_for_answers(struct crowd *crowd)
{
	double wait = LONGEST_WAIT;
	if (crowd->count_under_way < MOST_UNDER_WAY)
		wait = fmin(wait, fmax(next_at(&crowd->due) - now(), SHORTEST_WAIT));
	size_t still = 0;
	for (size_t index = 0; index < crowd->count_under_way; index++) {
		size_t number = crowd->under_way[index];
		if (drive(crowd, number, index == 0 ? wait : 0.0))
			crowd->under_way[still++] = number;
	}
	crowd->count_under_way = still;
}

static int ascending(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;
	return (a > b) - (a < b);
}

static void tell(const struct crowd *crowd, double wall, long sockets, long most_threads)
{
	printf("{\"done\": %zu, \"wall_s\": %.6f, \"cpu_s\": %.6f, \"peak_kib\": %ld, \"sockets\": %ld, \"threads\": %ld",
	       crowd->done, wall, cpu_seconds(), peak_kib(), sockets, most_threads);
	if (crowd->failed > 0)
		printf(", \"failed\": {\"%s\": %zu}", cli_auth_status_name(crowd->last_failure), crowd->failed);
	if (crowd->count_gaps > 0) {
		qsort(crowd->gaps, crowd->count_gaps, sizeof *crowd->gaps, ascending);
		printf(", \"gap_p99_s\": %.6f", crowd->gaps[crowd->count_gaps * 99 / 100]);
	}
	printf("}\n");
}

void measure_crowd(const struct options *options)
{
	/* There is a gap before each of the four polls, and there may be other events. */
	const size_t gaps = options->logins * 8;
	cli_auth_client *client = new_client(options);
	struct crowd crowd = {.logins = allocate(options->logins, sizeof *crowd.logins),
			      .due = {allocate(options->logins, sizeof *crowd.due.heap), 0},
			      .gaps = allocate(gaps, sizeof *crowd.gaps),
			      .room_for_gaps = gaps};
	double began = now(), look_at = began;
	long sockets = 0, most_threads = 0;
	for (size_t number = 0; number < options->logins; number++) {
		crowd.logins[number].login = new_login(client);
		push(&crowd.due, began, number);
	}
	while (crowd.done + crowd.failed < options->logins) {
		begin_what_is_due(&crowd);
		if (crowd.count_under_way > 0)
			wait_for_answers(&crowd);
		else if (crowd.due.length > 0)
			sleep_until(fmin(next_at(&crowd.due), look_at));
		if (now() >= look_at) {
			long open = open_sockets(), running = threads();
			sockets = open > sockets ? open : sockets;
			most_threads = running > most_threads ? running : most_threads;
			look_at = now() + LOOK;
		}
	}
	tell(&crowd, now() - began, sockets, most_threads);

	cli_auth_client_free(client);
	free(crowd.logins);
	free(crowd.due.heap);
	free(crowd.gaps);
}
