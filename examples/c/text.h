/* UTF-8. */

#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* Reads the next character of a text and advances `text`. Returns -1 for a byte that belongs to no character. The
   caller must check for the end of the text first. */
int32_t text_next(const char **text);
bool text_is_utf8(const char *text);

#endif
