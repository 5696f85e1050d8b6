/* UTF-8. */

#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* Takes the next character off a text; -1 for a byte that belongs to none. The end is no character: look for it first. */
int32_t text_next(const char **text);
bool text_is_utf8(const char *text);

#endif
