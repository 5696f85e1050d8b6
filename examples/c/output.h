/* What the tool says: for people on standard error with the result on standard output, or JSON lines for programs. */

#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>

#include <cli_auth.h>

struct output {
    bool json;
    bool counting; /* the line with the countdown is on the screen */
    bool closed;   /* whoever read standard output is gone */
};

void output_prompt(struct output *output, const cli_auth_prompt *prompt);
void output_launched(void);
void output_event(struct output *output, const cli_auth_event *event);
void output_authorized(struct output *output, const cli_auth_tokens *tokens);
void output_error(struct output *output, const cli_auth_error *error);

/* A setting that the tool itself found wrong: `what` and `why` are one sentence. */
void output_wrong_setting(struct output *output, const char *what, const char *name, const char *why);

#endif
