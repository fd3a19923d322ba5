/*
 * tls_words.c: OpenSSL's errors in words.
 */
#include <openssl/err.h>
#include <stdio.h>

#include "net/tls_parts.h"

/* The deepest error tells the cause; those above it only say what failed for it. */
void tls_take_error(char *out, size_t size)
{
    const char *data = NULL;
    int flags = 0;
    unsigned long code = ERR_peek_error_all(NULL, NULL, NULL, &data, &flags);
    const char *words = code ? ERR_reason_error_string(code) : NULL;
    if (words && data && flags & ERR_TXT_STRING && data[0])
        snprintf(out, size, "%s (%s)", words, data);
    else if (words)
        snprintf(out, size, "%s", words);
    else if (code)
        snprintf(out, size, "error %lx", code);
    else
        snprintf(out, size, "%s", "");
    ERR_clear_error();
}
