/*
 * Runs a fuzz target once over each of its seed files, the folder SEEDS below
 * the source tree ($srcdir).
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void run(const char *path)
{
    static uint8_t bytes[1 << 20];
    FILE *f = fopen(path, "rb");
    if (!f)
        fail(path);
    size_t len = fread(bytes, 1, sizeof bytes, f);
    if (ferror(f))
        fail(path);
    fclose(f);
    LLVMFuzzerTestOneInput(bytes, len);
}

int main(void)
{
    const char *srcdir = getenv("srcdir");
    char folder[512], path[1024];
    snprintf(folder, sizeof folder, "%s/%s", srcdir ? srcdir : ".", SEEDS);
    DIR *dir = opendir(folder);
    if (!dir)
        fail(folder);
    unsigned count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        run(path);
        count++;
    }
    closedir(dir);
    printf("%u seeds\n", count);
    return count ? EXIT_SUCCESS : EXIT_FAILURE;
}
