/*
 * functions_file.c: functions that look things up in files of lists and maps
 * (file.h).
 */
#include "rules/file.h"
#include "rules/functions.h"
#include "rules/rules.h"

/* The file of argument 1, whose keys are `keys`. */
static const void *prepare(struct rules_preparing *p, enum rules_keys keys, enum rules_values values, int *at,
                           struct error *err)
{
    *at = 1;
    if (p->load)
        return rules_file_load(p->load, p->constants[1]->string, keys, values, err);
    error_set(err, "files can be read only when a configuration is loaded");
    return NULL;
}

/* The same by the type of argument 0: texts or networks. */
static const void *prepare_any(struct rules_preparing *p, enum rules_values values, int *at,
                               struct error *err)
{
    if (p->types[0] == RULES_STRING || p->types[0] == RULES_IP)
        return prepare(p, p->types[0] == RULES_IP ? RULES_NETWORKS : RULES_TEXTS, values, at, err);
    *at = 0;
    error_set(err, "a string or an ip can be looked up, not a %s", rules_type_name(p->types[0]));
    return NULL;
}

static const void *prepare_in_file(struct rules_preparing *p, int *at, struct error *err)
{
    return prepare_any(p, RULES_NO_VALUES, at, err);
}

static const void *prepare_in_domains(struct rules_preparing *p, int *at, struct error *err)
{
    return prepare(p, RULES_DOMAINS, RULES_NO_VALUES, at, err);
}

static const void *prepare_in_paths(struct rules_preparing *p, int *at, struct error *err)
{
    return prepare(p, RULES_PATHS, RULES_NO_VALUES, at, err);
}

static const void *prepare_map(struct rules_preparing *p, int *at, struct error *err)
{
    return prepare_any(p, RULES_TEXT_VALUES, at, err);
}

static const void *prepare_map_int(struct rules_preparing *p, int *at, struct error *err)
{
    return prepare_any(p, RULES_INT_VALUES, at, err);
}

static const void *prepare_map_domain(struct rules_preparing *p, int *at, struct error *err)
{
    return prepare(p, RULES_DOMAINS, RULES_TEXT_VALUES, at, err);
}

static const void *prepare_map_path(struct rules_preparing *p, int *at, struct error *err)
{
    return prepare(p, RULES_PATHS, RULES_TEXT_VALUES, at, err);
}

static const struct rules_entry *look_up(const struct rules_call *call)
{
    const struct rules_value *v = &call->args[0];
    return call->types[0] == RULES_IP ? rules_file_find_ip(call->data, v->ip)
                                      : rules_file_find(call->data, v->string);
}

static void call_in(const struct rules_call *call, struct rules_value *out)
{
    out->boolean = look_up(call) != NULL;
}

static void call_map(const struct rules_call *call, struct rules_value *out)
{
    const struct rules_entry *e = look_up(call);
    out->string = e                 ? (struct slice){e->text, e->value_len}
                  : call->count > 2 ? call->args[2].string
                                    : SLICE("");
}

static void call_map_int(const struct rules_call *call, struct rules_value *out)
{
    const struct rules_entry *e = look_up(call);
    out->number = e ? e->number : call->count > 2 ? call->args[2].number : 0;
}

const struct rules_function rules_file_functions[] = {
    {"in_file",
     RULES_BOOL,
     RULES_ANYWHERE,
     {{"value", RULES_STRING, RULES_ANY_TYPE}, {"file", RULES_STRING, RULES_CONSTANT}},
     prepare_in_file,
     call_in,
     .doc = "Is the string a line of the file, or the address in one of the networks in it? A relative name "
            "starts "
            "at the configuration's directory; `#` begins a comment; the file is read again at a reload.",
     .example = "in_file('blocked.example', 'hosts.lst')",
     .source = ""},
    {"in_domains",
     RULES_BOOL,
     RULES_ANYWHERE,
     {{"host", RULES_STRING, 0}, {"file", RULES_STRING, RULES_CONSTANT}},
     prepare_in_domains,
     call_in,
     .doc = "Is the host in the file of domains? `www.example.org` is that name, `*.example.org` all names "
            "below, "
            "`.example.org` both. Capital letters are the same as small ones.",
     .example = "in_domains('www.blocked.example', 'domains.lst')",
     .source = ""},
    {"in_paths",
     RULES_BOOL,
     RULES_ANYWHERE,
     {{"path", RULES_STRING, 0}, {"file", RULES_STRING, RULES_CONSTANT}},
     prepare_in_paths,
     call_in,
     .doc = "Is the path, or one above it, in the file? `/api` has `/api` and `/api/v1`, not `/apis`; "
            "`/api/` only "
            "what is below.",
     .example = "in_paths('/admin/users', 'paths.lst')",
     .source = ""},
    {"map",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"value", RULES_STRING, RULES_ANY_TYPE},
      {"file", RULES_STRING, RULES_CONSTANT},
      {"otherwise", RULES_STRING, RULES_OPTIONAL}},
     prepare_map,
     call_map,
     .doc =
         "The value that the file has for the string, or for the smallest network that the address is in; "
         "`otherwise` (or the empty string) where it has none. Each line is a key, white space and a value.",
     .example = "map('www.example.org', 'backends.map', 'default') == 'web'",
     .source = ""},
    {"map_int",
     RULES_INT,
     RULES_ANYWHERE,
     {{"value", RULES_STRING, RULES_ANY_TYPE},
      {"file", RULES_STRING, RULES_CONSTANT},
      {"otherwise", RULES_INT, RULES_OPTIONAL}},
     prepare_map_int,
     call_map_int,
     .doc = "As `map`, with values that are whole numbers; `otherwise` (or 0) where there is none.",
     .example = "map_int('gold', 'shares.map', 1) > 10",
     .source = ""},
    {"map_domain",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"host", RULES_STRING, 0},
      {"file", RULES_STRING, RULES_CONSTANT},
      {"otherwise", RULES_STRING, RULES_OPTIONAL}},
     prepare_map_domain,
     call_map,
     .doc =
         "The value of the domain in the file, written as for `in_domains`: the name itself goes before the "
         "longest domain above it.",
     .example = "map_domain('a.example.org', 'domains.map', 'default') == 'api'",
     .source = ""},
    {"map_path",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"path", RULES_STRING, 0},
      {"file", RULES_STRING, RULES_CONSTANT},
      {"otherwise", RULES_STRING, RULES_OPTIONAL}},
     prepare_map_path,
     call_map,
     .doc = "The value of the longest path in the file, written as for `in_paths`, that the path is or is "
            "below.",
     .example = "map_path('/api/v1/users', 'paths.map', 'web') == 'api'",
     .source = ""},
    {0},
};
