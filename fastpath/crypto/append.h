/* Appends text to a string in a buffer of fixed size. */
#ifndef FW_CRYPTO_APPEND_H
#define FW_CRYPTO_APPEND_H

#include <stddef.h>

/* Appends `text` to the string in `out`, a buffer of `size` bytes. Truncates the result to size - 1 bytes and a terminating 0. */
void fw_append(char *out, size_t size, const char *text);

#endif
