#define _GNU_SOURCE /* pthread_timedjoin_np, gettid */

#include "system.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static const double PATIENCE = 60;

double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void pause_for(double seconds)
{
    struct timespec left = {.tv_sec = (time_t)seconds};

    left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

void wait_until(bool (*holds)(void *), void *data)
{
    double end = now() + PATIENCE;

    while (!holds(data)) {
        CHECK(now() < end);
        pause_for(0.005);
    }
}

struct sleeper {
    pid_t thread;
    int seen; /* how many times in a row it slept */
};

static bool sleeps(void *data)
{
    struct sleeper *sleeper = data;
    char path[64], line[512] = "";
    const char *state;
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%ld/stat", (long)sleeper->thread);
    file = fopen(path, "r");
    CHECK(file != NULL && fgets(line, sizeof line, file) != NULL);
    fclose(file);
    /* The name before the state may hold anything but is in parentheses. */
    state = strrchr(line, ')');
    sleeper->seen = state != NULL && state[2] == 'S' ? sleeper->seen + 1 : 0;
    return sleeper->seen >= 10;
}

void wait_until_asleep(pid_t thread)
{
    struct sleeper sleeper = {.thread = thread};

    wait_until(sleeps, &sleeper);
}

pid_t thread_id(void)
{
    return (pid_t)syscall(SYS_gettid);
}

static size_t entries(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    size_t count = 0;

    CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.')
            count++;
    closedir(folder);
    return count;
}

size_t open_descriptors(void)
{
    /* One is the folder's own. */
    return entries("/proc/self/fd") - 1;
}

size_t threads(void)
{
    return entries("/proc/self/task");
}

static bool few_descriptors(void *data)
{
    return open_descriptors() <= *(size_t *)data;
}

static bool few_threads(void *data)
{
    return threads() <= *(size_t *)data;
}

void wait_for_descriptors(size_t at_most)
{
    wait_until(few_descriptors, &at_most);
}

void wait_for_threads(size_t at_most)
{
    wait_until(few_threads, &at_most);
}

static void *run_thread(void *data)
{
    struct thread *thread = data;

    __atomic_store_n(&thread->id, thread_id(), __ATOMIC_SEQ_CST);
    thread->run(thread->data);
    thread->ended = now();
    return NULL;
}

static bool has_begun(void *data)
{
    return __atomic_load_n(&((struct thread *)data)->id, __ATOMIC_SEQ_CST) != 0;
}

void thread_start(struct thread *thread, void (*run)(void *), void *data)
{
    *thread = (struct thread){.run = run, .data = data};
    CHECK(pthread_create(&thread->handle, NULL, run_thread, thread) == 0);
    wait_until(has_begun, thread);
}

void thread_join(struct thread *thread)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)PATIENCE;
    CHECK_NUMBER(pthread_timedjoin_np(thread->handle, NULL, &until), 0);
}

struct waited {
    pid_t child;
    int status;
};

static bool has_ended(void *data)
{
    struct waited *waited = data;

    return waitpid(waited->child, &waited->status, WNOHANG) == waited->child;
}

int child_status(pid_t child)
{
    struct waited waited = {.child = child};

    CHECK(child > 0);
    wait_until(has_ended, &waited);
    return WIFEXITED(waited.status) ? WEXITSTATUS(waited.status) : -WTERMSIG(waited.status);
}

bool is_watched(void)
{
    return getenv("CLI_AUTH_WATCHED") != NULL;
}

_Noreturn void leave(int status)
{
    const char *program = status == EXIT_SUCCESS ? "true" : "false";

    fflush(NULL);
    if (is_watched())
        execlp(program, program, (char *)NULL);
    exit(status);
}
