/* The output of the tool: text for the user on standard error and the result on standard output, or JSON lines for
   programs. */

#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>

#include <cli_auth.h>

struct output {
    bool json;
    bool in_place; /* the countdown is rewritten in place */
    bool counting; /* the countdown is the last line on the screen */
    bool closed;   /* the reader of standard output is gone */
};

void output_prompt(struct output *output, const cli_auth_prompt *prompt);
void output_launched(void);
void output_event(struct output *output, const cli_auth_event *event);
void output_authorized(struct output *output, const cli_auth_tokens *tokens);
void output_error(struct output *output, const cli_auth_error *error);

/* Reports a setting that the tool itself refuses. `what`, `name` and `why` form one sentence. */
void output_wrong_setting(struct output *output, const char *what, const char *name, const char *why);

#endif
