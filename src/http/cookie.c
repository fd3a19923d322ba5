#include "http/cookie.h"

bool cookie_next(struct slice *rest, struct slice *name, struct slice *value)
{
    while (rest->len > 0) {
        const char *end = memchr(rest->ptr, ';', rest->len);
        struct slice pair = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
        size_t used = pair.len + (end != NULL);
        *rest = (struct slice){rest->ptr + used, rest->len - used};
        const char *equal = pair.len ? memchr(pair.ptr, '=', pair.len) : NULL;
        if (!equal)
            continue;
        size_t name_len = (size_t)(equal - pair.ptr);
        *name = slice_trim((struct slice){pair.ptr, name_len});
        *value = slice_trim((struct slice){equal + 1, pair.len - name_len - 1});
        return true;
    }
    return false;
}
