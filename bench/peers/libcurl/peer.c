/* RFC 8628 implemented with libcurl on one kept connection, as in C tools that use no OAuth library. Members of a
   response are found by text search; a real program would also need a JSON parser.

   usage: peer-libcurl URL CA_FILE

   The output is that of the floor, so that one benchmark can run both. */

#define _POSIX_C_SOURCE 200809L

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define LONGEST_ANSWER ((size_t)1 << 20)
#define PATIENCE_S 30L

struct text {
	char *chars;
	size_t length;
};

static void fail(const char *why)
{
	fprintf(stderr, "%s\n", why);
	exit(EXIT_FAILURE);
}

static void append(struct text *text, const char *more, size_t length)
{
	char *chars = realloc(text->chars, text->length + length + 1);
	if (chars == NULL)
		fail("out of memory");
	memcpy(chars + text->length, more, length);
	text->chars = chars;
	text->length += length;
	text->chars[text->length] = '\0';
}

static void append_file(struct text *text, const char *path)
{
	char piece[16384];
	size_t length;
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		fail(path);
	while ((length = fread(piece, 1, sizeof piece, file)) > 0)
		append(text, piece, length);
	fclose(file);
}

static size_t receive(char *piece, size_t size, size_t count, void *user_data)
{
	struct text *answer = user_data;
	if (answer->length + size * count > LONGEST_ANSWER)
		return 0; /* ends the transfer */
	append(answer, piece, size * count);
	return size * count;
}

/* Posts a form, stores the response in `answer` and returns the HTTP status. */
static long post(CURL *curl, const char *url, const char *path, const char *form, struct text *answer)
{
	char whole[1024];
	long status = 0;
	if (snprintf(whole, sizeof whole, "%s%s", url, path) >= (int)sizeof whole)
		fail("the URL is too long");
	answer->length = 0;
	append(answer, "", 0);
	curl_easy_setopt(curl, CURLOPT_URL, whole);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form);
	CURLcode code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		fail(curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* Copies the value of a string member without decoding it. */
static bool member(const struct text *answer, const char *name, char *value, size_t size)
{
	char quoted[64];
	snprintf(quoted, sizeof quoted, "\"%s\":\"", name);
	const char *begin = strstr(answer->chars, quoted);
	if (begin == NULL)
		return false;
	begin += strlen(quoted);
	size_t length = strcspn(begin, "\"");
	if (length >= size)
		return false;
	memcpy(value, begin, length);
	value[length] = '\0';
	return true;
}

static double interval_of(const struct text *answer)
{
	const char *found = strstr(answer->chars, "\"interval\":");
	return found == NULL ? 5.0 : strtod(found + strlen("\"interval\":"), NULL);
}

/* Uses the system's roots and an additional one, on a kept connection. */
static CURL *client(const char *ca_file, struct text *answer)
{
	struct text roots = {NULL, 0};
	char *system_roots = NULL;
	CURL *curl = curl_easy_init();
	if (curl == NULL)
		fail("libcurl does not start");
	curl_easy_getinfo(curl, CURLINFO_CAINFO, &system_roots);
	if (system_roots != NULL)
		append_file(&roots, system_roots);
	append_file(&roots, ca_file);
	struct curl_blob blob = {roots.chars, roots.length, CURL_BLOB_COPY};
	curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
	free(roots.chars);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, PATIENCE_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	return curl;
}

static void wait_for(double seconds)
{
	struct timespec pause = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
	nanosleep(&pause, NULL);
}

static long long cpu_us(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec +
	       usage.ru_stime.tv_usec;
}

int main(int argc, char **argv)
{
	struct text answer = {NULL, 0};
	char user_code[64], device_code[256], form[512], error[64];
	if (argc != 3)
		fail("usage: peer-libcurl URL CA_FILE");
	curl_global_init(CURL_GLOBAL_DEFAULT);
	CURL *curl = client(argv[2], &answer);

	if (post(curl, argv[1], "/oauth2/device_authorization", "client_id=bench", &answer) != 200 ||
	    !member(&answer, "user_code", user_code, sizeof user_code) ||
	    !member(&answer, "device_code", device_code, sizeof device_code))
		fail("no code");
	double interval = interval_of(&answer);
	printf("%s\n", user_code);
	fflush(stdout);

	char *escaped = curl_easy_escape(curl, device_code, 0);
	snprintf(form, sizeof form,
		 "grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Adevice_code&device_code=%s&client_id=bench",
		 escaped);
	curl_free(escaped);
	long long before = cpu_us();
	for (;;) {
		wait_for(interval);
		if (post(curl, argv[1], "/oauth2/token", form, &answer) == 200)
			break;
		if (!member(&answer, "error", error, sizeof error))
			fail("no token");
		if (strcmp(error, "slow_down") == 0)
			interval += 5.0;
		else if (strcmp(error, "authorization_pending") != 0)
			fail(error);
	}
	printf("token\ncpu_us %lld\n", cpu_us() - before);

	curl_easy_cleanup(curl);
	curl_global_cleanup();
	free(answer.chars);
	return EXIT_SUCCESS;
}
