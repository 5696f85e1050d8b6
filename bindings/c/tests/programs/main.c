/* Runs the cases that are named, one after the other; the first check that fails ends it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "system.h"

static const struct test *const all[] = {
    misuse_tests,  values_tests,     identities_tests, events_tests,   lifetimes_tests, callbacks_tests,
    steps_tests,   descriptor_tests, drivers_tests,    claims_tests,   requests_tests,  refreshes_tests,
    signals_tests, sigpipe_tests,    forks_tests,      resources_tests,
};

static const struct test *find(const char *name)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (const struct test *test = all[i]; test->name != NULL; test++)
            if (strcmp(test->name, name) == 0)
                return test;
    fprintf(stderr, "there is no case %s\n", name);
    exit(EXIT_FAILURE);
}

/* Whatever it was about, it leaves no thread and no descriptor. */
static void run(const struct test *test)
{
    size_t descriptors = open_descriptors();

    test->run();
    wait_for_threads(1);
    wait_for_descriptors(descriptors);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            for (const struct test *test = all[i]; test->name != NULL; test++)
                puts(test->name);
        return EXIT_SUCCESS;
    }
    if (argc < 2) {
        fprintf(stderr, "usage: checks --list | checks CASE...\n");
        return 2;
    }
    for (int i = 1; i < argc; i++)
        run(find(argv[i]));
    return EXIT_SUCCESS;
}
