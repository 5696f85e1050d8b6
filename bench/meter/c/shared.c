#define _POSIX_C_SOURCE 200809L

#include "meter.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_URL 512
#define LARGEST_FILE ((size_t)64 * 1024)

void fail(const char *why)
{
	fprintf(stderr, "meter: %s\n", why);
	exit(EXIT_FAILURE);
}

void expect_ok(cli_auth_status status, const cli_auth_error *error)
{
	if (status != CLI_AUTH_OK)
		fail(error == NULL ? cli_auth_status_name(status) : cli_auth_error_message(error));
}

void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);
	if (memory == NULL)
		fail("out of memory");
	return memory;
}

cli_auth_client *new_client(const struct options *options)
{
	char device[LONGEST_URL], token[LONGEST_URL], *pem = allocate(1, LARGEST_FILE);
	snprintf(device, sizeof device, "%s/oauth2/device_authorization", options->url);
	snprintf(token, sizeof token, "%s/oauth2/token", options->url);
	FILE *file = fopen(options->ca_file, "rb");
	if (file == NULL)
		fail("cannot read the CA file");
	size_t length = fread(pem, 1, LARGEST_FILE, file);
	fclose(file);

	cli_auth_client_options *settings = cli_auth_client_options_with_endpoints(device, token, "bench");
	cli_auth_client_options_add_ca_pem(settings, pem, length);
	cli_auth_error *error = NULL;
	cli_auth_client *client = cli_auth_client_new(settings, &error);
	if (client == NULL)
		fail(cli_auth_error_message(error));
	cli_auth_client_options_free(settings);
	free(pem);
	return client;
}

cli_auth_login *new_login(cli_auth_client *client)
{
	cli_auth_error *error = NULL;
	cli_auth_login *login = cli_auth_login_new(client, &error);
	if (login == NULL)
		fail(cli_auth_error_message(error));
	return login;
}

double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void sleep_until(double at)
{
	double whole = floor(at);
	struct timespec time = {(time_t)whole, (long)((at - whole) * 1e9)};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

double cpu_seconds(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* The peak of getrusage() is at least that of the parent process. */
long peak_kib(void)
{
	char line[256];
	long kib = 0;
	FILE *status = fopen("/proc/self/status", "r");
	if (status == NULL)
		return 0;
	while (fgets(line, sizeof line, status) != NULL)
		if (sscanf(line, "VmHWM: %ld kB", &kib) == 1)
			break;
	fclose(status);
	return kib;
}

static long count(const char *folder, int is_one(const char *folder, const char *name))
{
	long found = 0;
	DIR *entries = opendir(folder);
	if (entries == NULL)
		return 0;
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
		found += entry->d_name[0] != '.' && is_one(folder, entry->d_name);
	closedir(entries);
	return found;
}

static int is_socket(const char *folder, const char *name)
{
	char path[512], target[16] = "";
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return readlink(path, target, sizeof target - 1) > 0 && strncmp(target, "socket:", 7) == 0;
}

static int is_anything(const char *folder, const char *name)
{
	(void)folder, (void)name;
	return 1;
}

long open_sockets(void)
{
	return count("/proc/self/fd", is_socket);
}

long threads(void)
{
	return count("/proc/self/task", is_anything);
}

static void swap(struct due *one, struct due *other)
{
	struct due kept = *one;
	*one = *other;
	*other = kept;
}

void push(struct queue *queue, double at, size_t number)
{
	size_t here = queue->length++;
	queue->heap[here] = (struct due){at, number};
	for (; here > 0 && at < queue->heap[(here - 1) / 2].at; here = (here - 1) / 2)
		swap(&queue->heap[here], &queue->heap[(here - 1) / 2]);
}

struct due pop(struct queue *queue)
{
	struct due first = queue->heap[0], *heap = queue->heap;
	heap[0] = heap[--queue->length];
	for (size_t here = 0, least; (least = 2 * here + 1) < queue->length; here = least) {
		if (least + 1 < queue->length && heap[least + 1].at < heap[least].at)
			least++;
		if (heap[here].at <= heap[least].at)
			break;
		swap(&heap[here], &heap[least]);
	}
	return first;
}

double next_at(const struct queue *queue)
{
	return queue->length == 0 ? INFINITY : queue->heap[0].at;
}
