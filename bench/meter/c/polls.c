/* The cost of one poll.

   A client waits at least a second between the polls of one login, so many logins share one client here. One thread
   drives the login that is due next through the blocking interface, like a command-line tool drives its only login. The
   starts are staggered, so that polls do not overlap. With enough logins, the thread never sleeps. */

#include "meter.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* The server's interval plus the client's guard. */
#define PERIOD 1.05

static double poll_once(cli_auth_login *login)
{
	cli_auth_step *step = NULL;
	cli_auth_error *error = NULL;
	expect_ok(cli_auth_login_step(login, INFINITY, &step, &error), error);
	const cli_auth_event *event = cli_auth_step_event(step);
	if (event == NULL || cli_auth_event_kind(event) != CLI_AUTH_EVENT_PENDING)
		fail("expected every poll to be pending");
	double wait = cli_auth_event_next_poll_in(event);
	cli_auth_step_free(step);
	return wait;
}

void measure_polls(const struct options *options)
{
	cli_auth_client *client = new_client(options);
	cli_auth_login **logins = allocate(options->logins, sizeof *logins);
	struct queue due = {allocate(options->logins, sizeof *due.heap), 0};
	double began = now(), spacing = PERIOD / (double)options->logins;
	for (size_t number = 0; number < options->logins; number++) {
		sleep_until(began + spacing * (double)number);
		cli_auth_prompt *prompt = NULL;
		cli_auth_error *error = NULL;
		logins[number] = new_login(client);
		expect_ok(cli_auth_login_start(logins[number], &prompt, &error), error);
		cli_auth_prompt_free(prompt);
		push(&due, now() + PERIOD, number);
	}

	/* The first round is not measured. It brings every login into the state in which later rounds find it. */
	double begin = now() + PERIOD, end = begin + options->seconds;
	double slept = 0.0, cpu = 0.0;
	unsigned long polls = 0;
	bool measured = false;
	while (next_at(&due) < end) {
		struct due next = pop(&due);
		if (!measured && next.at >= begin) {
			measured = true;
			cpu = cpu_seconds();
			polls = 0;
			slept = 0.0;
		}
		slept += fmax(next.at - now(), 0.0);
		double wait = poll_once(logins[next.number]);
		polls++;
		push(&due, now() + wait, next.number);
	}
	if (!measured)
		fail("no poll was measured");
	cpu = cpu_seconds() - cpu;
	/* The average pause before one poll. */
	printf("{\"polls\": %lu, \"slept_s\": %.9f, \"cpu_us\": %.1f, \"sockets\": %ld}\n", polls,
	       slept / (double)polls, cpu * 1e6, open_sockets());

	for (size_t number = 0; number < options->logins; number++)
		cli_auth_login_free(logins[number]);
	cli_auth_client_free(client);
	free(logins);
	free(due.heap);
}
