/*
 * explain.c: `noxy explain`: a configuration is loaded as for a start, its
 * servers get a state in which nothing has happened yet, and nothing is bound,
 * resolved or opened.
 */
#include <stdio.h>
#include <stdlib.h>

#include "explain/explain.h"
#include "process/generation.h"
#include "process/process.h"

/* The whole of it has been written. */
static int print(const char *text)
{
    if (fputs(text, stdout) != EOF && fflush(stdout) == 0)
        return 0;
    perror("noxy: cannot write");
    return 1;
}

static int print_explanation(json_t *explanation, bool json)
{
    struct text out = {0};
    char *dump = json ? json_dumps(explanation, JSON_INDENT(2)) : NULL;
    if (json)
        text_printf(&out, "%s\n", dump ? dump : "null");
    else
        explain_print(explanation, &out);
    int status = print(text_str(&out));
    text_free(&out);
    free(dump);
    json_decref(explanation);
    return status;
}

static int bind_slots(const struct generation *g, struct error *err)
{
    if (state_open(err) < 0)
        return -1;
    for (uint32_t i = 0; i < g->frontend_count; i++)
        if (frontend_bind_state(g->frontends[i], err) < 0)
            return -1;
    for (uint32_t i = 0; i < g->backend_count; i++)
        if (backend_bind_state(g->backends[i], err) < 0)
            return -1;
    return 0;
}

static int explain_by(const struct generation *g, const struct explain_request *r, bool json)
{
    struct error err;
    const struct explain_host host = {
        .frontends = g->frontends, .frontend_count = g->frontend_count, .generation = 1};
    json_t *explanation = bind_slots(g, &err) < 0 ? NULL : explain(&host, r, &err);
    if (explanation)
        return print_explanation(explanation, json);
    fprintf(stderr, "noxy: %s\n", err.text);
    return 1;
}

int process_explain(const struct process_options *o, const struct explain_request *r, bool json)
{
    struct generation *g = generation_load(o->config_path, o->sections, CONF_TO_EXPLAIN);
    int status = 1;
    if (generation_valid(g)) {
        status = explain_by(g, r, json);
        state_close();
    } else {
        struct text report = {0};
        generation_print_report(g, &report);
        fputs(text_str(&report), stderr);
        text_free(&report);
    }
    generation_free(g);
    return status;
}
