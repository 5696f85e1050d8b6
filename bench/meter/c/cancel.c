/* From cli_auth_login_cancel() on one thread to the return of cli_auth_login_poll() on another. */

#include "meter.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Pause between two cancels, so that they do not affect each other. */
#define PAUSE 0.005

struct waiting {
	cli_auth_client *client;
	cli_auth_login *login;
	pthread_t thread;
	cli_auth_status status;
	double returned;
};

static void *wait_for_the_person(void *argument)
{
	struct waiting *one = argument;
	cli_auth_tokens *tokens = NULL;
	one->status = cli_auth_login_poll(one->login, NULL, NULL, &tokens, NULL);
	one->returned = now();
	return NULL;
}

void measure_cancel(const struct options *options)
{
	struct waiting *all = allocate(options->logins, sizeof *all);
	for (struct waiting *one = all; one < all + options->logins; one++) {
		cli_auth_prompt *prompt = NULL;
		cli_auth_error *error = NULL;
		one->client = new_client(options);
		one->login = new_login(one->client);
		expect_ok(cli_auth_login_start(one->login, &prompt, &error), error);
		cli_auth_prompt_free(prompt);
		if (pthread_create(&one->thread, NULL, wait_for_the_person, one) != 0)
			fail("no thread");
	}
	/* Long enough to reach the requested state: asleep, or with a request in flight. */
	sleep_until(now() + options->seconds);
	printf("{\"milliseconds\": [");
	for (struct waiting *one = all; one < all + options->logins; one++) {
		sleep_until(now() + PAUSE);
		double cancelled = now();
		cli_auth_login_cancel(one->login);
		pthread_join(one->thread, NULL);
		if (one->status != CLI_AUTH_CANCELLED)
			fail(cli_auth_status_name(one->status));
		printf("%s%.6f", one == all ? "" : ", ", (one->returned - cancelled) * 1e3);
		cli_auth_login_free(one->login);
		cli_auth_client_free(one->client);
	}
	printf("]}\n");
	free(all);
}
