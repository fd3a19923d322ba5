#include "base/memory.h"

#include <string.h>
#include <unistd.h>

#include "base/macros.h"

static void *checked(void *p)
{
    static const char message[] = "noxy: out of memory\n";
    if (UNLIKELY(!p)) {
        if (write(STDERR_FILENO, message, sizeof message - 1) < 0)
            _exit(70);
        abort();
    }
    return p;
}

void *memory_zalloc(size_t size)
{
    return checked(calloc(1, size ? size : 1));
}

void *memory_realloc(void *old, size_t size)
{
    return checked(realloc(old, size ? size : 1));
}

char *memory_strdup(const char *text)
{
    return checked(strdup(text));
}
