#include "subject_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct http_subject subject;
struct rules_run run;
struct message request, response;

enum { PIECES_MAX = 4096 };
static char *pieces[PIECES_MAX];
static unsigned piece_count;
static struct arena arena;

char *exact_space(size_t len)
{
    char *piece = malloc(len ? len : 1);
    ck_assert(piece && piece_count < PIECES_MAX);
    return pieces[piece_count++] = piece;
}

struct slice exact_bytes(const char *bytes, size_t len)
{
    char *piece = exact_space(len);
    if (len)
        memcpy(piece, bytes, len);
    return (struct slice){piece, len};
}

struct slice exact(const char *text)
{
    return exact_bytes(text, strlen(text));
}

void subject_setup(void)
{
    arena_init(&arena);
    message_init(&request);
    message_init(&response);
    request.method = exact("GET");
    request.path = request.target = exact("/");
    request.version = response.version = HTTP_1_1;
    response.status = 200;
    subject = (struct http_subject){.request = &request, .response = &response, .scheme = "http"};
    run = (struct rules_run){.subject = &subject};
    run.next = run.memory;
}

void subject_teardown(void)
{
    while (piece_count > 0)
        free(pieces[--piece_count]);
    arena_free(&arena);
}

void add_field(struct message *m, const char *line)
{
    size_t name_len = strcspn(line, ":"), len = strlen(line);
    struct slice name = exact_bytes(line, name_len);
    ck_assert_uint_lt(name_len, len);
    ck_assert_uint_lt(m->count, MESSAGE_FIELDS_MAX);
    struct slice value = exact(line + name_len + 1 + (line[name_len + 1] == ' '));
    m->fields[m->count++] = (struct field){.name = name.ptr,
                                           .name_len = (uint16_t)name.len,
                                           .value = value.ptr,
                                           .value_len = (uint16_t)value.len,
                                           .id = (uint8_t)field_lookup(name)};
}

void drop_field(struct message *m, const char *name)
{
    for (unsigned i = 0; i < m->count; i++)
        if (slice_equal_nocase((struct slice){m->fields[i].name, m->fields[i].name_len}, slice_of(name)))
            m->fields[i].dropped = true;
}

const struct rules_variable *find_variable(const char *name)
{
    const struct rules_variable *tables[] = {http_variables, http_connection_variables, http_tls_variables};
    for (unsigned i = 0; i < ARRAY_LEN(tables); i++)
        for (const struct rules_variable *v = tables[i]; v->name; v++)
            if (strcmp(v->name, name) == 0)
                return v;
    return NULL;
}

const struct rules_function *find_function(const char *name)
{
    for (const struct rules_function *f = http_functions; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

static struct rules_value get(const char *name, enum rules_type type)
{
    const struct rules_variable *v = find_variable(name);
    struct rules_value out;
    ck_assert_msg(v && v->type == type, "%s", name);
    memset(&out, 0xa5, sizeof out);
    v->get(&run, &out);
    return out;
}

struct slice string_of(const char *variable)
{
    return get(variable, RULES_STRING).string;
}

int64_t number_of(const char *variable)
{
    return get(variable, RULES_INT).number;
}

struct ip ip_of(const char *variable)
{
    return get(variable, RULES_IP).ip;
}

static const void *prepare(const struct rules_function *f, const char *name, struct error *err)
{
    struct rules_value constant = {.string = exact(name)};
    const struct rules_value *constants[] = {&constant};
    uint8_t types[] = {RULES_STRING};
    struct rules_preparing p = {.arena = &arena, .constants = constants, .types = types, .count = 1};
    int at = -2;
    const void *data = f->prepare(&p, &at, err);
    ck_assert_int_eq(at, data ? -2 : 0);
    return data;
}

const char *refusal(const char *function, const char *name)
{
    static struct error err;
    err.text[0] = '\0';
    prepare(find_function(function), name, &err);
    return err.text;
}

static struct rules_value call(const char *function, const char *name, enum rules_type type)
{
    const struct rules_function *f = find_function(function);
    struct rules_value arg = {.string = exact(name)}, out;
    uint8_t types[] = {RULES_STRING};
    struct error err;
    ck_assert_msg(f && (f->result == type || f->result == RULES_TYPE_COUNT), "%s", function);
    const void *data = prepare(f, name, &err);
    ck_assert_ptr_nonnull(data);
    struct rules_call c = {.run = &run, .args = &arg, .types = types, .count = 1, .data = data};
    memset(&out, 0xa5, sizeof out);
    f->call(&c, &out);
    return out;
}

struct slice string_call(const char *function, const char *name)
{
    return call(function, name, RULES_STRING).string;
}

int64_t number_call(const char *function, const char *name)
{
    return call(function, name, RULES_INT).number;
}

bool bool_call(const char *function, const char *name)
{
    return call(function, name, RULES_BOOL).boolean;
}

const struct rules_list *list_call(const char *function, const char *name)
{
    const struct rules_list *list = call(function, name, RULES_LIST).list;
    ck_assert_ptr_nonnull(list);
    ck_assert_int_eq(list->of, RULES_STRING);
    return list;
}

bool slice_equal_or_tell(struct slice got, const char *want, size_t len)
{
    if (slice_equal(got, (struct slice){want, len}))
        return true;
    printf("got '%.*s', want '%.*s'\n", SLICE_ARG(got), (int)len, want);
    return false;
}
