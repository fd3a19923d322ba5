/* The command `explain`: where a request would go now, and why. */
#include "admin/handlers.h"
#include "explain/explain.h"

void admin_run_explain(struct admin_session *s, char *const *args, unsigned count, struct answer *a)
{
    const struct admin_host *h = s->admin->host;
    const struct explain_host host = {.frontends = h->frontends,
                                      .frontend_count = h->frontend_count,
                                      .generation = h->generation,
                                      .running = true};
    struct explain_request r;
    struct error err;
    json_t *explanation = NULL;
    if (explain_read_words(&r, args, count, false, &err) == 0)
        explanation = explain(&host, &r, &err);
    if (!explanation) {
        answer_fail(a, "%s", err.text);
        return;
    }
    if (!a->json)
        explain_print(explanation, &a->text);
    a->document = explanation;
}
