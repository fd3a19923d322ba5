/*
 * words.c: the arguments of `explain`.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/table.h"
#include "explain/explain.h"

enum option { OPTION_HEADER, OPTION_SRC, OPTION_FRONTEND, OPTION_LENGTH, OPTION_DATA };

static const struct {
    const char *name;
    enum option option;
} options[] = {
    {"-H", OPTION_HEADER},           {"--header", OPTION_HEADER}, {"--src", OPTION_SRC},
    {"--frontend", OPTION_FRONTEND}, {"--length", OPTION_LENGTH}, {"--data", OPTION_DATA},
};

static int read_size(struct explain_request *r, const char *path, struct error *err)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return error_set_errno(err, "cannot read %.200s", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, "%.200s is not a file", path);
    r->has_body = true;
    r->body_length = (uint64_t)st.st_size;
    return 0;
}

static int take(struct explain_request *r, enum option option, const char *value, bool files,
                struct error *err)
{
    switch (option) {
    case OPTION_HEADER:
        if (r->header_count == EXPLAIN_HEADERS_MAX)
            return error_set(err, "more than %d header fields", EXPLAIN_HEADERS_MAX);
        r->headers[r->header_count++] = value;
        return 0;
    case OPTION_SRC:
        r->src = value;
        return 0;
    case OPTION_FRONTEND:
        r->frontend = value;
        return 0;
    case OPTION_LENGTH:
        r->has_body = true;
        return conf_read_number(value, &r->body_length, err);
    default:
        if (!files)
            return error_set(err, "--data names a file, which is not read here: give its size as --length");
        return read_size(r, value, err);
    }
}

/* The row of an option; `*value` is what stands behind its "=", or NULL. -1: it is none. */
static int find_option(const char *word, const char **value)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        size_t len = strlen(options[i].name);
        if (strncmp(word, options[i].name, len) != 0)
            continue;
        bool is_long = options[i].name[1] == '-';
        if (word[len] && is_long && word[len] != '=')
            continue;
        *value = !word[len] ? NULL : word + len + is_long;
        return (int)i;
    }
    return -1;
}

bool explain_takes_value(const char *word)
{
    const char *value;
    return find_option(word, &value) >= 0 && !value;
}

int explain_read_words(struct explain_request *r, char *const *words, unsigned count, bool files,
                       struct error *err)
{
    *r = (struct explain_request){0};
    for (unsigned i = 0; i < count; i++) {
        const char *value, *word = words[i];
        int row = find_option(word, &value);
        if (row >= 0 && !value && i + 1 == count)
            return error_set(err, "%s wants a value", options[row].name);
        if (row >= 0) {
            if (take(r, options[row].option, value ? value : words[++i], files, err) < 0)
                return -1;
        } else if (word[0] == '-') {
            return error_set(err, "unknown option \"%.64s\"", word);
        } else if (!r->method) {
            r->method = word;
        } else if (!r->url) {
            r->url = word;
        } else {
            return error_set(err, "what does \"%.64s\" mean? METHOD and URL are there already", word);
        }
    }
    return r->url ? 0 : error_set(err, "explain wants METHOD URL, or tcp ADDRESS:PORT");
}
