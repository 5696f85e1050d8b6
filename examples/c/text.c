#include "text.h"

int32_t text_next(const char **text)
{
    /* The smallest character that each number of bytes may encode. A longer encoding is not valid. */
    static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)*text;
    int length = at[0] < 0x80 ? 1 : at[0] < 0xC0 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : at[0] < 0xF8 ? 4 : 0;
    int32_t character = length == 1 ? at[0] : at[0] & (0x7F >> length);

    *text += 1;
    if (length == 0)
        return -1;
    for (int i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return -1;
        character = character << 6 | (at[i] & 0x3F);
    }
    if (character < least[length] || character > 0x10FFFF || (character >= 0xD800 && character <= 0xDFFF))
        return -1;
    *text += length - 1;
    return character;
}

bool text_is_utf8(const char *text)
{
    while (*text != '\0')
        if (text_next(&text) < 0)
            return false;
    return true;
}
