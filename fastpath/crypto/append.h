/* Text put together in a buffer of fixed size. */
#ifndef FW_CRYPTO_APPEND_H
#define FW_CRYPTO_APPEND_H

#include <stddef.h>

/* Appends `text` to the string in `out`, which has room for `size` bytes with its end; cuts what has no room. */
void fw_append(char *out, size_t size, const char *text);

#endif
