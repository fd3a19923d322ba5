/*
 * message_functions.c: functions of expressions that look into the message:
 * its fields, cookies, arguments, and what set_var has set. Names are
 * literals, so that what is known of them is looked up when they are
 * compiled. Fields that an action has dropped aren't seen, added ones are.
 */
#include "base/macros.h"
#include "http/chars.h"
#include "http/cookie.h"
#include "http/query.h"
#include "http/subject.h"
#include "rules/rules.h"

static const struct http_subject *subject_of(const struct rules_call *call)
{
    return call->run->subject;
}

static struct message *request_of(const struct rules_call *call)
{
    return subject_of(call)->request;
}

static struct message *response_of(const struct rules_call *call)
{
    return subject_of(call)->response;
}

/* ---- names ---- */

/* The name of a field, a cookie (`id` is FIELD_OTHER), an argument or a variable. */
struct wanted {
    struct slice name;
    enum field_id id;
};

static const struct wanted *keep_name(struct rules_preparing *p, bool field)
{
    struct slice name = p->constants[0]->string;
    struct wanted *w = ARENA_NEW(p->arena, struct wanted);
    w->name = (struct slice){arena_copy(p->arena, name.ptr, name.len), name.len};
    w->id = field ? field_lookup(name) : FIELD_OTHER;
    return w;
}

static bool is_token(struct slice name)
{
    return name.len > 0 && chars_all(name, CHAR_TOKEN);
}

static const void *prepare_field(struct rules_preparing *p, int *at, struct error *err)
{
    struct slice name = p->constants[0]->string;
    if (is_token(name))
        return keep_name(p, true);
    *at = 0;
    error_set(err,
              name.len ? "no header field can have the name '%.*s'" : "the name of a header field is empty",
              SLICE_ARG(name));
    return NULL;
}

static const void *prepare_cookie(struct rules_preparing *p, int *at, struct error *err)
{
    struct slice name = p->constants[0]->string;
    if (is_token(name))
        return keep_name(p, false);
    *at = 0;
    error_set(err, name.len ? "no cookie can have the name '%.*s'" : "the name of a cookie is empty",
              SLICE_ARG(name));
    return NULL;
}

static const void *prepare_arg(struct rules_preparing *p, int *at, struct error *err)
{
    if (p->constants[0]->string.len > 0)
        return keep_name(p, false);
    *at = 0;
    error_set(err, "the name of an argument is empty");
    return NULL;
}

/* ---- lists of values ---- */

enum { VALUES_MAX = 256 }; /* of one list; with more of one name the run fails: a guard must not miss one */

/* The values of one name, as they are found; without `items` they are only counted. */
struct values {
    struct rules_run *run;
    struct rules_value *items;
    unsigned count;
};

/* False: there is room for no more. */
static bool add_value(struct values *v, struct slice value)
{
    if (v->items)
        v->items[v->count].string = value;
    return ++v->count <= VALUES_MAX;
}

/* Gives each value to add_value(), until that says no. */
typedef void find_values(const struct rules_call *call, struct values *v);

static void make_list(const struct rules_call *call, find_values *find, struct rules_value *out)
{
    static const struct rules_list none = {.of = RULES_STRING};
    struct values v = {.run = call->run};
    out->list = &none;
    find(call, &v);
    if (v.count > VALUES_MAX)
        rules_fail(call->run, "more than %d values of one name", VALUES_MAX);
    if (v.count == 0 || v.count > VALUES_MAX)
        return;
    struct rules_list *list = (void *)rules_alloc(call->run, sizeof *list);
    v.items = (void *)rules_alloc(call->run, v.count * sizeof *v.items);
    if (!list || !v.items)
        return;
    v.count = 0;
    find(call, &v);
    *list = (struct rules_list){RULES_STRING, v.count, v.items};
    out->list = list;
}

/* ---- fields ---- */

/* The next field line of that name at `*at` or behind it, which is moved beyond it; NULL: none. */
static const struct field *next_field(const struct message *m, const struct wanted *w, unsigned *at)
{
    while (*at < m->count) {
        const struct field *f = &m->fields[(*at)++];
        if (LIKELY(f->id != w->id) || f->dropped)
            continue;
        if (w->id != FIELD_OTHER || slice_equal_nocase((struct slice){f->name, f->name_len}, w->name))
            return f;
    }
    return NULL;
}

static unsigned count_fields(const struct message *m, const struct wanted *w, size_t *bytes)
{
    unsigned count = 0, at = 0;
    const struct field *f;
    *bytes = 0;
    while ((f = next_field(m, w, &at))) {
        *bytes += f->value_len;
        count++;
    }
    return count;
}

/* The values of several lines as one (RFC 9110, 5.3); of Cookie, which HTTP/2 takes apart (RFC 9113, 8.2.3).
 */
static struct slice join_fields(struct rules_run *run, const struct message *m, const struct wanted *w)
{
    size_t bytes;
    unsigned count = count_fields(m, w, &bytes), at = 0;
    size_t len = bytes + 2 * (size_t)(count - 1);
    const char *separator = w->id == FIELD_COOKIE ? "; " : ", ";
    char *text = rules_alloc(run, len), *end = text;
    if (!text)
        return SLICE("");
    for (unsigned i = 0; i < count; i++) {
        const struct field *f = next_field(m, w, &at);
        if (i > 0)
            end = (char *)memcpy(end, separator, 2) + 2;
        if (f->value_len)
            end = (char *)memcpy(end, f->value, f->value_len) + f->value_len;
    }
    return (struct slice){text, (size_t)(end - text)};
}

static struct slice value_of(struct rules_run *run, const struct message *m, const struct wanted *w)
{
    unsigned at = 0;
    const struct field *first = next_field(m, w, &at);
    if (!first)
        return SLICE("");
    /* Set-Cookie is the one that can't be joined. */
    if (LIKELY(w->id == FIELD_SET_COOKIE || !next_field(m, w, &at)))
        return field_value(first);
    return join_fields(run, m, w);
}

static bool has_field(const struct message *m, const struct wanted *w)
{
    unsigned at = 0;
    return next_field(m, w, &at) != NULL;
}

/* Where no line says it, an absolute target does (RFC 9112, 3.2.2). */
static bool is_host_of_target(const struct message *m, const struct wanted *w)
{
    return UNLIKELY(w->id == FIELD_HOST) && m->host.len > 0 && !has_field(m, w);
}

static void call_header(const struct rules_call *call, struct rules_value *out)
{
    const struct message *m = request_of(call);
    out->string = is_host_of_target(m, call->data) ? m->host : value_of(call->run, m, call->data);
}

static void call_response_header(const struct rules_call *call, struct rules_value *out)
{
    out->string = value_of(call->run, response_of(call), call->data);
}

static void call_has_header(const struct rules_call *call, struct rules_value *out)
{
    const struct message *m = request_of(call);
    out->boolean = has_field(m, call->data) || is_host_of_target(m, call->data);
}

static void call_has_response_header(const struct rules_call *call, struct rules_value *out)
{
    out->boolean = has_field(response_of(call), call->data);
}

static void call_header_count(const struct rules_call *call, struct rules_value *out)
{
    const struct message *m = request_of(call);
    size_t bytes;
    out->number = count_fields(m, call->data, &bytes) + is_host_of_target(m, call->data);
}

static void find_headers(const struct rules_call *call, struct values *v)
{
    const struct message *m = request_of(call);
    unsigned at = 0;
    if (is_host_of_target(m, call->data))
        add_value(v, m->host);
    for (const struct field *f; (f = next_field(m, call->data, &at));)
        if (!add_value(v, field_value(f)))
            return;
}

static void call_headers(const struct rules_call *call, struct rules_value *out)
{
    make_list(call, find_headers, out);
}

/* ---- cookies ---- */

/* Without a pair of quotes around it: in RFC 6265 they belong to the value, but most servers take them off.
 */
static struct slice unquoted(struct slice s)
{
    if (s.len < 2 || s.ptr[0] != '"' || s.ptr[s.len - 1] != '"')
        return s;
    return (struct slice){s.ptr + 1, s.len - 2};
}

static const struct wanted cookie_lines = {SLICE("cookie"), FIELD_COOKIE};

static bool find_cookie(const struct message *m, struct slice wanted, struct slice *value)
{
    unsigned at = 0;
    for (const struct field *f; (f = next_field(m, &cookie_lines, &at));) {
        struct slice rest = field_value(f), name;
        while (cookie_next(&rest, &name, value))
            if (slice_equal(name, wanted))
                return true;
    }
    return false;
}

static void call_cookie(const struct rules_call *call, struct rules_value *out)
{
    const struct wanted *w = call->data;
    struct slice value;
    out->string = find_cookie(request_of(call), w->name, &value) ? unquoted(value) : SLICE("");
}

static void find_cookies(const struct rules_call *call, struct values *v)
{
    const struct wanted *w = call->data;
    unsigned at = 0;
    for (const struct field *f; (f = next_field(request_of(call), &cookie_lines, &at));) {
        struct slice rest = field_value(f), name, value;
        while (cookie_next(&rest, &name, &value))
            if (slice_equal(name, w->name) && !add_value(v, unquoted(value)))
                return;
    }
}

static void call_cookies(const struct rules_call *call, struct rules_value *out)
{
    make_list(call, find_cookies, out);
}

static void call_has_cookie(const struct rules_call *call, struct rules_value *out)
{
    const struct wanted *w = call->data;
    struct slice value;
    out->boolean = find_cookie(request_of(call), w->name, &value);
}

static void call_response_cookie(const struct rules_call *call, struct rules_value *out)
{
    static const struct wanted lines = {SLICE("set-cookie"), FIELD_SET_COOKIE};
    const struct wanted *w = call->data;
    unsigned at = 0;
    for (const struct field *f; (f = next_field(response_of(call), &lines, &at));) {
        struct slice line = field_value(f), name, value;
        /* What follows the first pair are attributes. */
        const char *end = line.len ? memchr(line.ptr, ';', line.len) : NULL;
        if (end)
            line.len = (size_t)(end - line.ptr);
        if (cookie_next(&line, &name, &value) && slice_equal(name, w->name)) {
            out->string = unquoted(value);
            return;
        }
    }
    out->string = SLICE("");
}

/* ---- arguments ---- */

static struct slice query_of(const struct rules_call *call)
{
    struct slice uri = request_of(call)->path;
    const char *mark = uri.len ? memchr(uri.ptr, '?', uri.len) : NULL;
    return mark ? (struct slice){mark + 1, uri.len - (size_t)(mark + 1 - uri.ptr)} : SLICE("");
}

static bool find_arg(const struct rules_call *call, struct slice *value)
{
    const struct wanted *w = call->data;
    struct slice query = query_of(call);
    return query_next(&query, w->name, value);
}

static struct slice decoded(struct rules_run *run, struct slice value)
{
    if (query_is_plain(value))
        return value;
    char *text = rules_alloc(run, value.len);
    return text ? (struct slice){text, query_decode(value, text)} : SLICE("");
}

static void call_arg(const struct rules_call *call, struct rules_value *out)
{
    struct slice value;
    out->string = find_arg(call, &value) ? decoded(call->run, value) : SLICE("");
}

static void call_has_arg(const struct rules_call *call, struct rules_value *out)
{
    struct slice value;
    out->boolean = find_arg(call, &value);
}

static void find_args(const struct rules_call *call, struct values *v)
{
    const struct wanted *w = call->data;
    struct slice query = query_of(call), value;
    while (query_next(&query, w->name, &value))
        if (!add_value(v, v->items ? decoded(call->run, value) : value))
            return;
}

static void call_args(const struct rules_call *call, struct rules_value *out)
{
    make_list(call, find_args, out);
}

/* ---- variables of the configuration's own ---- */

/* That something sets it, and that all that do give it one type, is seen to when the configuration is loaded.
 */
static const void *prepare_var(struct rules_preparing *p, int *at, struct error *err)
{
    (void)at, (void)err;
    return keep_name(p, false);
}

static void call_var(const struct rules_call *call, struct rules_value *out)
{
    const struct wanted *w = call->data;
    /* Empty, 0, false or no address. */
    memset(out, 0, sizeof *out);
    for (const struct http_var *v = subject_of(call)->vars; v; v = v->next)
        if (slice_equal(v->name, w->name)) {
            *out = v->value;
            return;
        }
}

const struct rules_function http_functions[] = {
    {.name = "header",
     .result = RULES_STRING,
     .stages = RULES_WITH_REQUEST,
     .parameters = {{"name", RULES_STRING, RULES_CONSTANT}},
     .prepare = prepare_field,
     .call = call_header,
     .doc =
         "The request's header field of that name, at the response, too; '' if there is none. Several lines "
         "are joined by ', ', those of Cookie by '; '.",
     .example = "header('user-agent') =~ '(?i)badbot'",
     .source = "RFC 9110, 5.3"},
    {.name = "has_header",
     .result = RULES_BOOL,
     .stages = RULES_WITH_REQUEST,
     .parameters = {{"name", RULES_STRING, RULES_CONSTANT}},
     .prepare = prepare_field,
     .call = call_has_header,
     .doc = "Has the request a header field of that name? It may be empty.",
     .example = "!has_header('authorization')",
     .source = "RFC 9110, 5.1"},
    {.name = "header_count",
     .result = RULES_INT,
     .stages = RULES_WITH_REQUEST,
     .parameters = {{"name", RULES_STRING, RULES_CONSTANT}},
     .prepare = prepare_field,
     .call = call_header_count,
     .doc = "How many lines of the request's header have that name.",
     .example = "header_count('x-forwarded-for') > 1",
     .source = "RFC 9110, 5.2"},
    {.name = "headers",
     .result = RULES_LIST,
     .stages = RULES_WITH_REQUEST,
     .parameters = {{"name", RULES_STRING, RULES_CONSTANT}},
     .prepare = prepare_field,
     .call = call_headers,
     .doc =
         "The value of each line of the request's header that has that name, in order and not taken apart at "
         "commas. More than 256 make the rule fail.",
     .example = "'yes' in headers('x-block')",
     .source = "RFC 9110, 5.2"},
    {.name = "response_header",
     .result = RULES_STRING,
     .stages = RULES_AT_RESPONSE,
     .parameters = {{"name", RULES_STRING, RULES_CONSTANT}},
     .prepare = prepare_field,
     .call = call_response_header,
     .doc = "The response's header field of that name; '' if there is none. Several lines are joined by ', "
            "', but "
            "of Set-Cookie it is the first.",
     .example = "response_header('content-type') =~ '^text/html'",
     .source = "RFC 9110, 5.3"},
    {.name = "has_response_header",
     .result = RULES_BOOL,
     .stages = RULES_AT_RESPONSE,
     .parameters = {{"name", RULES_STRING, RULES_CONSTANT}},
     .prepare = prepare_field,
     .call = call_has_response_header,
     .doc = "Has the response a header field of that name? It may be empty.",
     .example = "!has_response_header('cache-control')",
     .source = "RFC 9110, 5.1"},
    {.name = "cookie",
     .result = RULES_STRING,
     .stages = RULES_WITH_REQUEST,
     .parameters = {{"name", RULES_STRING, RULES_CONSTANT}},
     .prepare = prepare_cookie,
     .call = call_cookie,
     .doc =
         "The value of the request's first cookie of that name, which has case; '' if there is none. Quotes "
         "around it are taken off.",
     .example = "cookie('beta') == 'yes'",
     .source = "RFC 6265, 5.4"},
    {.name = "cookies",
     .result = RULES_LIST,
     .stages = RULES_WITH_REQUEST,
     .parameters = {{"name", RULES_STRING, RULES_CONSTANT}},
     .prepare = prepare_cookie,
     .call = call_cookies,
     .doc = "The values of all cookies of the request that have that name, in order, without quotes around "
            "them. "
            "More than 256 make the rule fail.",
     .example = "length(cookies('session')) > 1",
     .source = "RFC 6265, 5.4"},
    {.name = "has_cookie",
     .result = RULES_BOOL,
     .stages = RULES_WITH_REQUEST,
     .parameters = {{"name", RULES_STRING, RULES_CONSTANT}},
     .prepare = prepare_cookie,
     .call = call_has_cookie,
     .doc = "Has the request a cookie of that name? It may be empty.",
     .example = "!has_cookie('session')",
     .source = "RFC 6265, 5.4"},
    {.name = "response_cookie",
     .result = RULES_STRING,
     .stages = RULES_AT_RESPONSE,
     .parameters = {{"name", RULES_STRING, RULES_CONSTANT}},
     .prepare = prepare_cookie,
     .call = call_response_cookie,
     .doc = "The value of the first cookie of that name that the response sets; '' if it sets none. Quotes "
            "around it are taken off.",
     .example = "response_cookie('session') != ''",
     .source = "RFC 6265, 4.1"},
    {.name = "arg",
     .result = RULES_STRING,
     .stages = RULES_WITH_REQUEST,
     .parameters = {{"name", RULES_STRING, RULES_CONSTANT}},
     .prepare = prepare_arg,
     .call = call_arg,
     .doc =
         "The value of the query's first argument of that name, '+' and %XX decoded in both; '' if there is "
         "none. A '%' that no two hexadecimal digits follow stands for itself.",
     .example = "arg('lang') in ('de', 'fr')",
     .source = "WHATWG URL, 5.1"},
    {.name = "args",
     .result = RULES_LIST,
     .stages = RULES_WITH_REQUEST,
     .parameters = {{"name", RULES_STRING, RULES_CONSTANT}},
     .prepare = prepare_arg,
     .call = call_args,
     .doc =
         "The values of all arguments of the query that have that name, in order, decoded as those of `arg`. "
         "More than 256 make the rule fail.",
     .example = "'admin' in args('role')",
     .source = "WHATWG URL, 5.1"},
    {.name = "has_arg",
     .result = RULES_BOOL,
     .stages = RULES_WITH_REQUEST,
     .parameters = {{"name", RULES_STRING, RULES_CONSTANT}},
     .prepare = prepare_arg,
     .call = call_has_arg,
     .doc = "Has the query an argument of that name? It may be empty or without '='.",
     .example = "has_arg('debug')",
     .source = "WHATWG URL, 5.1"},
    {.name = "var",
     .result = RULES_TYPE_COUNT, /* what variable_type() of the language says */
     .stages = RULES_WITH_REQUEST,
     .parameters = {{"name", RULES_STRING, RULES_CONSTANT}},
     .prepare = prepare_var,
     .call = call_var,
     .doc =
         "What set_var has given to that name, for this request and its response; until then '', 0, false or "
         "no address.",
     .example = "var('tier') == 'gold'",
     .source = ""},
    {.name = NULL},
};
