/* What the operating system says of this process, and waits that are bounded. */

#ifndef SYSTEM_H
#define SYSTEM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* "At once", with room for a busy machine, and still less than any timeout of the library: how fast it is is measured
   elsewhere. Seconds. */
#define SOON (is_watched() ? 14.0 : 8.0)

/* Seconds on a clock that only goes on. */
double now(void);
void pause_for(double seconds);

/* Waits until it holds, at most for a minute; else the check fails. */
void wait_until(bool (*holds)(void *), void *data);
/* Waits until this thread sleeps in the kernel, and goes on sleeping. */
void wait_until_asleep(pid_t thread);

pid_t thread_id(void);
size_t open_descriptors(void);
size_t threads(void);
/* Waits until there are no more of them than that. */
void wait_for_descriptors(size_t at_most);
void wait_for_threads(size_t at_most);

/* A thread that is joined within a minute, or the check fails. */
struct thread {
    pthread_t handle;
    void (*run)(void *);
    void *data;
    pid_t id;
    double ended; /* by now() */
};
void thread_start(struct thread *thread, void (*run)(void *), void *data);
void thread_join(struct thread *thread);

/* Waits for a child; gives its exit status, or minus the signal that ended it. */
int child_status(pid_t child);

/* Whether a tool watches this process that makes it slow, and looks for leaks: valgrind or a sanitizer. */
bool is_watched(void);
/* Ends the process. To a tool that looks for leaks, a process that becomes another program has none: for ends that
   cannot be tidy. */
_Noreturn void leave(int status);

#endif
