#include "append.h"

#include <string.h>

void fw_append(char *out, size_t size, const char *text) {
    size_t len = strlen(out), more = strlen(text);
    if (more > size - 1 - len) more = size - 1 - len;
    memcpy(out + len, text, more);
    out[len + more] = 0;
}
