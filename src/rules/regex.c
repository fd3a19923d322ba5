#define PCRE2_CODE_UNIT_WIDTH 8
#include "rules/regex.h"

#include <pcre2.h>
#include <stdio.h>

enum {
    /* Some milliseconds at most; an honest expression on a request's line or field stays far below. */
    MATCH_LIMIT = 100000,
    DEPTH_LIMIT = 1000,
    HEAP_LIMIT = 1024, /* KiB */
    JIT_STACK_START = 32 * 1024,
    JIT_STACK_MAX = 512 * 1024,
};

/* $ is the very end and . is any byte, a newline too: what a client can put into a text must not end a guard
 * early. */
enum {
    REGEX_OPTIONS =
        PCRE2_DOLLAR_ENDONLY | PCRE2_DOTALL | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C,
};

struct pattern {
    struct regex regex;
    struct regex_plain plain;
    pcre2_code *code; /* NULL: a plain one */
    bool jit;
    uint32_t min_len;
    int first, last; /* a byte that each subject has, as the first of a match or later; -1: none is known */
};

/* Of the process: made with the first regular expression, so that matching allocates nothing. */
static struct {
    pcre2_match_context *limits;
    pcre2_match_data *whole, *groups; /* for a match without its captures, and with them */
} shared;

static void *checked(void *p)
{
    if (p)
        return p;
    fprintf(stderr, "noxy: no memory for regular expressions\n");
    abort();
}

static void prepare_shared(void)
{
    if (shared.limits)
        return;
    shared.limits = checked(pcre2_match_context_create(NULL));
    shared.whole = checked(pcre2_match_data_create(1, NULL));
    shared.groups = checked(pcre2_match_data_create(RULES_CAPTURES, NULL));
    pcre2_set_match_limit(shared.limits, MATCH_LIMIT);
    pcre2_set_depth_limit(shared.limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(shared.limits, HEAP_LIMIT);
    pcre2_jit_stack *stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL);
    if (stack) /* there is none where PCRE2 was built without JIT */
        pcre2_jit_stack_assign(shared.limits, NULL, stack);
}

static void release(void *code)
{
    pcre2_code_free(code);
}

static uint32_t ask(const pcre2_code *code, uint32_t what)
{
    uint32_t answer = 0;
    return pcre2_pattern_info(code, what, &answer) == 0 ? answer : 0;
}

/* A caseless one is told as one of its two forms: it serves only if it has no other. */
static int certain_byte(const pcre2_code *code, uint32_t type, uint32_t value, bool no_case)
{
    if (ask(code, type) != 1 || no_case)
        return -1;
    return (int)ask(code, value);
}

/* "(?i" may stand anywhere, and a byte that is known may then be in its other case. */
static bool has_options(struct slice pattern)
{
    return pattern.len && memmem(pattern.ptr, pattern.len, "(?", 2);
}

static pcre2_code *compile(struct slice pattern, size_t *at, struct error *err)
{
    pcre2_compile_context *context = checked(pcre2_compile_context_create(NULL));
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    int code;
    PCRE2_SIZE offset = 0;
    pcre2_code *made =
        pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, REGEX_OPTIONS, &code, &offset, context);
    pcre2_compile_context_free(context);
    if (!made) {
        char text[256];
        pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
        error_set(err, "%s", text);
        *at = MIN(offset, pattern.len);
    }
    return made;
}

const struct regex *regex_new(struct arena *a, struct slice pattern, size_t *at, struct error *err)
{
    struct pattern *r = ARENA_NEW(a, struct pattern);
    prepare_shared();
    pcre2_code *code = compile(pattern, at, err);
    if (!code)
        return NULL;
    regex_plain_read(a, pattern, &r->plain);
    if (r->plain.anchored && !r->plain.no_case)
        r->regex.start = r->plain.text;
    if (r->plain.kind != REGEX_ANY) {
        pcre2_code_free(code);
        return &r->regex;
    }
    arena_on_free(a, release, code);
    bool no_case = has_options(pattern);
    r->code = code;
    r->min_len = ask(code, PCRE2_INFO_MINLENGTH);
    r->first = certain_byte(code, PCRE2_INFO_FIRSTCODETYPE, PCRE2_INFO_FIRSTCODEUNIT, no_case);
    r->last = certain_byte(code, PCRE2_INFO_LASTCODETYPE, PCRE2_INFO_LASTCODEUNIT, no_case);
    /* Where the system allows no code to be made, PCRE2 interprets the pattern, with the same result. */
    PCRE2_SIZE size = 0;
    r->jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0 &&
             pcre2_pattern_info(code, PCRE2_INFO_JITSIZE, &size) == 0 && size > 0;
    return &r->regex;
}

/* Can it be said without PCRE2 that there is no match? */
static bool is_hopeless(const struct pattern *r, struct slice subject, size_t from)
{
    const struct slice *text = &r->plain.text;
    const char *start = subject.ptr + from;
    size_t left = subject.len - from;
    if (left < r->min_len || (from && r->plain.anchored))
        return true;
    if (text->len && r->plain.anchored) {
        if (left < text->len)
            return true;
        return r->plain.no_case ? strncasecmp(start, text->ptr, text->len) != 0
                                : memcmp(start, text->ptr, text->len) != 0;
    }
    if (r->last >= 0 && (!left || !memchr(start, r->last, left)))
        return true;
    if (text->len)
        return !wanted_find(&r->plain.wanted, (struct slice){start, left});
    return r->first >= 0 && (!left || !memchr(start, r->first, left));
}

static const char *reason(int rc)
{
    switch (rc) {
    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
        return "it needs too many steps for this text";
    case PCRE2_ERROR_HEAPLIMIT:
    case PCRE2_ERROR_JIT_STACKLIMIT:
    case PCRE2_ERROR_NOMEMORY:
        return "it needs too much memory for this text";
    default:
        return NULL;
    }
}

static void fail(struct rules_run *run, int rc)
{
    const char *why = reason(rc);
    char text[128] = "";
    if (!why) {
        pcre2_get_error_message(rc, (PCRE2_UCHAR *)text, sizeof text);
        why = text;
    }
    rules_fail(run, "a regular expression was given up: %s", why);
}

static void set_captures(struct slice *captures, struct slice subject, const pcre2_match_data *data,
                         uint32_t set)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer((pcre2_match_data *)data);
    for (uint32_t i = 0; i < RULES_CAPTURES; i++) {
        bool there = i < set && ends[2 * i] != PCRE2_UNSET && ends[2 * i] <= ends[2 * i + 1];
        captures[i] = there ? (struct slice){subject.ptr + ends[2 * i], ends[2 * i + 1] - ends[2 * i]}
                            : (struct slice){"", 0};
    }
}

static bool find_plain(const struct pattern *r, struct slice subject, size_t from, struct slice *captures)
{
    size_t start;
    if (!regex_plain_find(&r->plain, subject, from, &start))
        return false;
    if (captures) {
        for (unsigned i = 1; i < RULES_CAPTURES; i++)
            captures[i] = (struct slice){"", 0};
        captures[0] = (struct slice){subject.ptr + start, r->plain.text.len};
    }
    return true;
}

bool regex_find(const struct regex *regex, struct rules_run *run, struct slice subject, size_t from,
                struct slice *captures)
{
    const struct pattern *r = CONTAINER_OF(regex, struct pattern, regex);
    if (!subject.ptr)
        subject = (struct slice){"", 0};
    if (!r->code)
        return find_plain(r, subject, from, captures);
    if (from > subject.len || is_hopeless(r, subject, from))
        return false;
    pcre2_match_data *data = captures ? shared.groups : shared.whole;
    int rc = (r->jit ? pcre2_jit_match : pcre2_match)(r->code, (PCRE2_SPTR)subject.ptr, subject.len, from, 0,
                                                      data, shared.limits);
    if (LIKELY(rc == PCRE2_ERROR_NOMATCH))
        return false;
    if (rc < 0) {
        fail(run, rc);
        return false;
    }
    if (captures) /* 0: there are more groups than can be kept */
        set_captures(captures, subject, data, rc ? (uint32_t)rc : RULES_CAPTURES);
    return true;
}
