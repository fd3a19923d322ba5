#include "http/method.h"

#include "base/macros.h"

bool method_is_idempotent(struct slice method)
{
    static const struct slice idempotent[] = {
        {"GET", 3}, {"HEAD", 4}, {"OPTIONS", 7}, {"PUT", 3}, {"DELETE", 6}, {"TRACE", 5},
    };
    for (size_t i = 0; i < ARRAY_LEN(idempotent); i++)
        if (slice_equal(method, idempotent[i]))
            return true;
    return false;
}
