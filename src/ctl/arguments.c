#include "ctl/arguments.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int read_size(const char *path, char *out, size_t size, const char *format, struct error *err)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return error_set_errno(err, "cannot read %.200s", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, "%.200s is not a file", path);
    snprintf(out, size, format, (long long)st.st_size);
    return 0;
}

int arguments_prepare(char **words, int *count, bool *json, struct error *err)
{
    static const char data[] = "--data", data_is[] = "--data=";
    static char length[] = "--length", number[32], length_is[48];
    int left = 0;
    for (int i = 0; i < *count; i++) {
        char *word = words[i];
        if (strcmp(word, "--json") == 0) {
            *json = true;
            continue;
        }
        words[left++] = word;
        if (strncmp(word, data_is, sizeof data_is - 1) == 0) {
            if (read_size(word + sizeof data_is - 1, length_is, sizeof length_is, "--length=%lld", err) < 0)
                return -1;
            words[left - 1] = length_is;
        } else if (strcmp(word, data) == 0 && i + 1 < *count) {
            if (read_size(words[++i], number, sizeof number, "%lld", err) < 0)
                return -1;
            words[left - 1] = length;
            words[left++] = number;
        } else if (strcmp(word, "-H") == 0 && i + 1 < *count) {
            words[left++] = words[++i]; /* whatever it looks like */
        }
    }
    *count = left;
    return 0;
}
