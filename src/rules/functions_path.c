/*
 * functions_path.c: what a server would see of a path, for rules that guard
 * one. A path written in another way must not pass a rule that its plain form
 * does not.
 */
#include "rules/functions.h"
#include "rules/rules.h"

/* Can the path differ from its normal form? A path that can't is not copied. */
static bool may_differ(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '%' || s.ptr[i] == '\\' || s.ptr[i] == ';' ||
            (s.ptr[i] == '/' && i + 1 < s.len && (s.ptr[i + 1] == '/' || s.ptr[i + 1] == '.')))
            return true;
    return false;
}

/*
 * Takes the next character off `*s`: an escape of an unreserved one as itself (RFC 3986, 6.2.2.2), another
 * one with capital digits (6.2.2.1), what is no escape as it stands. What some server takes for a slash is
 * one: a backslash, and the escapes of both. Returns its length in `out`.
 */
static unsigned next_char(struct slice *s, char out[static 3])
{
    int byte = s->ptr[0] == '%' && s->len > 2 ? rules_hex_byte(s->ptr + 1) : -1;
    unsigned taken = byte < 0 ? 1 : 3, len = taken;
    memcpy(out, s->ptr, taken);
    if (byte == '/' || byte == '\\' || out[0] == '\\')
        byte = '/';
    if (byte == '/' || (byte >= 0 && rules_is_unreserved((char)byte))) {
        out[0] = (char)byte;
        len = 1;
    }
    for (unsigned i = 1; i < len; i++)
        out[i] = (char)(out[i] >= 'a' ? out[i] - 'a' + 'A' : out[i]);
    s->ptr += taken;
    s->len -= taken;
    return len;
}

/*
 * Ends a segment at `at`, which starts behind a slash: "." goes, ".." goes with the segment before it
 * (RFC 3986, 5.2.4). Returns where the path goes on, behind a slash.
 */
static char *end_segment(char *path, char *segment, char *at)
{
    size_t len = (size_t)(at - segment);
    if (len == 1 && segment[0] == '.')
        return segment;
    if (len != 2 || segment[0] != '.' || segment[1] != '.')
        return at;
    if (segment == path + 1)
        return segment;
    for (segment--; segment[-1] != '/';)
        segment--;
    return segment;
}

static struct slice normalize(struct rules_run *run, struct slice s)
{
    if (!s.len || s.ptr[0] != '/' || !may_differ(s))
        return s;
    char *path = rules_alloc(run, s.len), *at = path;
    if (!path)
        return SLICE("");
    *at++ = '/';
    s.ptr++, s.len--;
    char *segment = at;
    bool parameters = false; /* of the segment, which begin at its first ";" */
    while (s.len) {
        char piece[3];
        unsigned len = next_char(&s, piece);
        parameters = piece[0] != '/' && (parameters || piece[0] == ';');
        if (parameters)
            continue;
        if (piece[0] != '/') {
            at = mempcpy(at, piece, len);
            continue;
        }
        char *end = end_segment(path, segment, at);
        at = end;
        if (at[-1] != '/')
            *at++ = '/';
        segment = at;
    }
    at = end_segment(path, segment, at);
    return (struct slice){path, (size_t)(at - path)};
}

static void call_normalize_path(const struct rules_call *call, struct rules_value *out)
{
    out->string = normalize(call->run, call->args[0].string);
}

const struct rules_function rules_path_functions[] = {
    {"normalize_path",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"path", RULES_STRING, 0}},
     NULL,
     call_normalize_path,
     .doc =
         "The path as servers may see it, for conditions and not for sending on: escapes of letters, digits "
         "and - . _ ~ decoded, the others in capitals; `%2F`, `\\`, `%5C` and `//` made `/`; parameters (`;` "
         "and what follows in a segment) left out; then `.` and `..` carried out. What doesn't start with / "
         "stays as it is.",
     .example = "normalize_path('/a/./b;x//%2e%2E%2F%61dmin') == '/a/admin'",
     .source = "RFC 3986, 5.2.4 and 6.2.2"},
    {0},
};
