/* Checks: the first that fails says where, and ends the program with status 1. */

#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include <cli_auth.h>

#define CHECK(condition) check_that((condition), #condition, __FILE__, __LINE__)
#define CHECK_NUMBER(got, want) check_number((long long)(got), (long long)(want), #got, __FILE__, __LINE__)
/* Either may be NULL. */
#define CHECK_TEXT(got, want) check_text((got), (want), #got, __FILE__, __LINE__)
#define CHECK_BETWEEN(got, least, most) check_between((got), (least), (most), #got, __FILE__, __LINE__)
#define CHECK_STATUS(got, want) check_status((got), (want), #got, __FILE__, __LINE__)
/* Holds an error's status against the one wanted, and frees it. */
#define CHECK_ERROR(error, want) check_error((error), (want), __FILE__, __LINE__)

void check_that(bool holds, const char *what, const char *file, int line);
void check_number(long long got, long long want, const char *what, const char *file, int line);
void check_text(const char *got, const char *want, const char *what, const char *file, int line);
void check_between(double got, double least, double most, const char *what, const char *file, int line);
void check_status(cli_auth_status got, cli_auth_status want, const char *what, const char *file, int line);
void check_error(cli_auth_error *error, cli_auth_status want, const char *file, int line);

/* A named case. Lists of them end with a NULL name. */
struct test {
    const char *name;
    void (*run)(void);
};

extern const struct test misuse_tests[];
extern const struct test values_tests[];
extern const struct test events_tests[];
extern const struct test lifetimes_tests[];
extern const struct test callbacks_tests[];
extern const struct test steps_tests[];
extern const struct test descriptor_tests[];
extern const struct test drivers_tests[];
extern const struct test claims_tests[];
extern const struct test requests_tests[];
extern const struct test identities_tests[];
extern const struct test refreshes_tests[];
extern const struct test signals_tests[];
extern const struct test sigpipe_tests[];
extern const struct test forks_tests[];
extern const struct test resources_tests[];

#endif
