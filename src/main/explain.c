#include "main/explain.h"

#include <stdio.h>
#include <string.h>

#include "explain/explain.h"
#include "main/parts.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
    "usage: noxy explain [-c FILE] [--json] METHOD URL [-H 'Name: value']... [--src IP]\n"
    "                    [--data FILE | --length BYTES] [--frontend NAME]\n"
    "       noxy explain [-c FILE] [--json] tcp ADDRESS:PORT [--src IP] [--frontend NAME]\n"
    "Tells where that request or connection would go, and why, without a running noxy.\n"
    "  -c, --config FILE    the configuration\n"
    "  -H, --header FIELD   a header field of the request\n"
    "      --src IP         who sends it; 127.0.0.1 when absent\n"
    "      --data FILE      its body is that file, of which only the size is looked at\n"
    "      --length BYTES   its body is so long\n"
    "      --frontend NAME  the frontend that gets it; by the URL's scheme and port when absent\n"
    "      --json           a JSON document instead of a text\n";

static int bad_usage(const char *why)
{
    fprintf(stderr, "noxy: %s\n%s", why, usage);
    return EXIT_USAGE;
}

/* The options that are not the request's own. `*at` is moved on. False: it is none of them. */
static bool take_own(struct process_options *o, char **words, unsigned *at, unsigned count, bool *json)
{
    static const char config[] = "--config";
    const char *word = words[*at];
    if (strcmp(word, "--json") == 0)
        *json = true;
    else if ((strcmp(word, "-c") == 0 || strcmp(word, config) == 0) && *at + 1 < count)
        o->config_path = words[++*at];
    else if (strncmp(word, config, sizeof config - 1) == 0 && word[sizeof config - 1] == '=')
        o->config_path = word + sizeof config;
    else if (strncmp(word, "-c", 2) == 0 && word[2])
        o->config_path = word + 2;
    else
        return false;
    return true;
}

int explain_main(struct process_options *o, char **words, unsigned count)
{
    struct explain_request r;
    struct error err;
    bool json = false;
    unsigned left = 0;
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(words[i], "-h") == 0 || strcmp(words[i], "--help") == 0)
            return fputs(usage, stdout) == EOF || fflush(stdout) == EOF;
        if (explain_takes_value(words[i]) && i + 1 < count) {
            words[left++] = words[i++];
            words[left++] = words[i];
        } else if (!take_own(o, words, &i, count, &json)) {
            words[left++] = words[i];
        }
    }
    if (explain_read_words(&r, words, left, true, &err) < 0)
        return bad_usage(err.text);
    parts_register();
    return process_explain(o, &r, json);
}
