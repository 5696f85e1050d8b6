/* Measures the C library from inside a program, as bench/meter does for Rust. */

#include "meter.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
	"usage: meter polls  --url URL --ca-file FILE --logins N --seconds S\n"
	"       meter cancel --url URL --ca-file FILE --logins N --after SECONDS\n"
	"       meter crowd  --url URL --ca-file FILE --logins N\n"
	"\n"
	"polls   N logins, polled by one thread in turn: processor time of a poll on a kept connection\n"
	"cancel  N logins, a client and a thread each: from another thread's cli_auth_login_cancel() to the return of poll()\n"
	"crowd   N logins of one client in one thread, by step(), from the start to the token";

int main(int argc, char **argv)
{
	static const struct option KNOWN[] = {
		{"url", required_argument, NULL, 'u'},	   {"ca-file", required_argument, NULL, 'c'},
		{"logins", required_argument, NULL, 'n'},  {"seconds", required_argument, NULL, 's'},
		{"after", required_argument, NULL, 's'},   {NULL, 0, NULL, 0},
	};
	struct options options = {NULL, NULL, 0, 0.0};
	int known;
	while ((known = getopt_long(argc, argv, "", KNOWN, NULL)) != -1) {
		switch (known) {
		case 'u':
			options.url = optarg;
			break;
		case 'c':
			options.ca_file = optarg;
			break;
		case 'n':
			options.logins = strtoul(optarg, NULL, 10);
			break;
		case 's':
			options.seconds = strtod(optarg, NULL);
			break;
		default:
			fail(USAGE);
		}
	}
	if (optind + 1 != argc || options.url == NULL || options.ca_file == NULL || options.logins == 0)
		fail(USAGE);
	if (strcmp(argv[optind], "polls") == 0)
		measure_polls(&options);
	else if (strcmp(argv[optind], "cancel") == 0)
		measure_cancel(&options);
	else if (strcmp(argv[optind], "crowd") == 0)
		measure_crowd(&options);
	else
		fail(USAGE);
	return EXIT_SUCCESS;
}
