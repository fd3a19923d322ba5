/*
 * functions_coding.c: functions that write bytes in other characters and
 * back. What is no base64 and no hexadecimal text gives the empty string,
 * what is decoded may hold any byte, NUL and line ends too.
 */
#include "rules/functions.h"
#include "rules/rules.h"

/* ---- base64, RFC 4648 ---- */

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static struct slice base64(struct rules_run *run, struct slice s, const char *alphabet, bool padded)
{
    size_t len = padded ? (s.len + 2) / 3 * 4 : (s.len * 4 + 2) / 3, used = 0;
    char *text = rules_alloc(run, len);
    if (!text)
        return SLICE("");
    uint32_t bits = 0;
    unsigned count = 0; /* of bits that no character stands for yet */
    for (size_t i = 0; i < s.len; i++) {
        bits = bits << 8 | (unsigned char)s.ptr[i];
        for (count += 8; count >= 6; count -= 6)
            text[used++] = alphabet[bits >> (count - 6) & 0x3f];
    }
    if (count)
        text[used++] = alphabet[bits << (6 - count) & 0x3f];
    memset(text + used, '=', len - used);
    return (struct slice){text, len};
}

static int base64_value(char c, const char *alphabet)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == alphabet[62]    ? 62
           : c == alphabet[63]    ? 63
                                  : -1;
}

/* Padding may be left out, but is right where it stands; bits that nothing is made of are zero: so no two
 * texts with padding, nor two without, mean the same. */
static struct slice unbase64(struct rules_run *run, struct slice s, const char *alphabet)
{
    size_t full = s.len;
    while (s.len && full - s.len < 2 && s.ptr[s.len - 1] == '=')
        s.len--;
    if (s.len % 4 == 1 || (s.len < full && full % 4 != 0))
        return SLICE("");
    size_t used = 0;
    char *text = rules_alloc(run, s.len / 4 * 3 + 2);
    if (!text)
        return SLICE("");
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < s.len; i++) {
        int value = base64_value(s.ptr[i], alphabet);
        if (value < 0)
            return SLICE("");
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8)
            text[used++] = (char)(bits >> (count -= 8));
    }
    if (bits & ((1u << count) - 1))
        return SLICE("");
    return (struct slice){text, used};
}

static void call_base64_encode(const struct rules_call *call, struct rules_value *out)
{
    out->string = base64(call->run, call->args[0].string, standard, true);
}

static void call_base64_decode(const struct rules_call *call, struct rules_value *out)
{
    out->string = unbase64(call->run, call->args[0].string, standard);
}

static void call_base64url_encode(const struct rules_call *call, struct rules_value *out)
{
    out->string = base64(call->run, call->args[0].string, for_urls, false);
}

static void call_base64url_decode(const struct rules_call *call, struct rules_value *out)
{
    out->string = unbase64(call->run, call->args[0].string, for_urls);
}

/* ---- hexadecimal ---- */

static const char hex_digits[] = "0123456789abcdef";

static void call_hex_encode(const struct rules_call *call, struct rules_value *out)
{
    struct slice s = call->args[0].string;
    char *text = rules_alloc(call->run, s.len * 2);
    out->string = SLICE("");
    if (!text)
        return;
    for (size_t i = 0; i < s.len; i++) {
        text[2 * i] = hex_digits[(unsigned char)s.ptr[i] >> 4];
        text[2 * i + 1] = hex_digits[s.ptr[i] & 0xf];
    }
    out->string = (struct slice){text, s.len * 2};
}

static void call_hex_decode(const struct rules_call *call, struct rules_value *out)
{
    struct slice s = call->args[0].string;
    char *text = s.len % 2 ? NULL : rules_alloc(call->run, s.len / 2);
    out->string = SLICE("");
    for (size_t i = 0; text && i < s.len; i += 2) {
        int byte = rules_hex_byte(s.ptr + i);
        if (byte < 0)
            return;
        text[i / 2] = (char)byte;
    }
    if (text)
        out->string = (struct slice){text, s.len / 2};
}

/* ---- escapes ---- */

enum { ESCAPE_MAX = 6 };

/* How a byte is written; returns the length. One that stands for itself has the length 1. */
typedef unsigned escape(char c, char out[static ESCAPE_MAX]);

static struct slice escape_all(struct rules_run *run, struct slice s, escape *write)
{
    char piece[ESCAPE_MAX];
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++)
        len += write(s.ptr[i], piece);
    if (len == s.len)
        return s;
    char *text = rules_alloc(run, len), *at = text;
    if (!text)
        return SLICE("");
    for (size_t i = 0; i < s.len; i++) {
        unsigned n = write(s.ptr[i], piece);
        at = mempcpy(at, piece, n);
    }
    return (struct slice){text, len};
}

static unsigned put_escape(char out[static ESCAPE_MAX], struct slice text)
{
    memcpy(out, text.ptr, text.len);
    return (unsigned)text.len;
}

static unsigned for_url(char c, char out[static ESCAPE_MAX])
{
    static const char digits[] = "0123456789ABCDEF"; /* capital: RFC 3986, 2.1 */
    out[0] = c;
    if (rules_is_unreserved(c))
        return 1;
    out[0] = '%';
    out[1] = digits[(unsigned char)c >> 4];
    out[2] = digits[c & 0xf];
    return 3;
}

static unsigned for_html(char c, char out[static ESCAPE_MAX])
{
    switch (c) {
    case '&':
        return put_escape(out, SLICE("&amp;"));
    case '<':
        return put_escape(out, SLICE("&lt;"));
    case '>':
        return put_escape(out, SLICE("&gt;"));
    case '"':
        return put_escape(out, SLICE("&quot;"));
    case '\'':
        return put_escape(out, SLICE("&#39;"));
    default:
        out[0] = c;
        return 1;
    }
}

static unsigned for_json(char c, char out[static ESCAPE_MAX])
{
    bool control = (unsigned char)c < 0x20 || c == 0x7f;
    out[0] = control || c == '"' || c == '\\' ? '\\' : c;
    if (out[0] == c && c != '\\')
        return 1;
    out[1] = c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c;
    if (!control || out[1] != c)
        return 2;
    memcpy(out + 1, "u00", 3);
    out[4] = hex_digits[(unsigned char)c >> 4];
    out[5] = hex_digits[c & 0xf];
    return 6;
}

static void call_url_encode(const struct rules_call *call, struct rules_value *out)
{
    out->string = escape_all(call->run, call->args[0].string, for_url);
}

static void call_html_escape(const struct rules_call *call, struct rules_value *out)
{
    out->string = escape_all(call->run, call->args[0].string, for_html);
}

static void call_json_escape(const struct rules_call *call, struct rules_value *out)
{
    out->string = escape_all(call->run, call->args[0].string, for_json);
}

/* The byte of the escape that stands at `at`, behind which there are `left` bytes with it; -1: it is none. */
static int escape_at(const char *at, size_t left)
{
    return left > 2 ? rules_hex_byte(at + 1) : -1;
}

/* What is malformed stays as it is: a stray % must not hide the rest from a condition. */
static void call_url_decode(const struct rules_call *call, struct rules_value *out)
{
    struct slice s = call->args[0].string;
    out->string = s;
    if (!s.len || !memchr(s.ptr, '%', s.len))
        return;
    size_t len = 0;
    char *text = rules_alloc(call->run, s.len);
    for (size_t i = 0; text && i < s.len; i++) {
        int byte = s.ptr[i] == '%' ? escape_at(s.ptr + i, s.len - i) : -1;
        text[len++] = byte < 0 ? s.ptr[i] : (char)byte;
        i += byte < 0 ? 0 : 2;
    }
    out->string = text ? (struct slice){text, len} : SLICE("");
}

static void call_is_url_encoded(const struct rules_call *call, struct rules_value *out)
{
    struct slice s = call->args[0].string;
    const char *at;
    out->boolean = true;
    while (out->boolean && s.len && (at = memchr(s.ptr, '%', s.len))) {
        s.len -= (size_t)(at - s.ptr);
        out->boolean = escape_at(at, s.len) >= 0;
        s = (struct slice){at + 1, s.len - 1};
    }
}

const struct rules_function rules_coding_functions[] = {
    {"base64_encode",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_base64_encode,
     .doc = "The bytes in base64, with padding.",
     .example = "base64_encode('user:pw') == 'dXNlcjpwdw=='",
     .source = "RFC 4648, 4"},
    {"base64_decode",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_base64_decode,
     .doc =
         "The bytes that base64 stands for (any, NUL too); empty for what is no base64. The padding may be "
         "missing.",
     .example = "base64_decode('dXNlcjpwdw==') == 'user:pw'",
     .source = "RFC 4648, 4"},
    {"base64url_encode",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_base64url_encode,
     .doc = "The bytes in the base64 of URLs and tokens: - and _ for + and /, no padding.",
     .example = "base64url_encode('a?>') == 'YT8-'",
     .source = "RFC 4648, 5"},
    {"base64url_decode",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_base64url_decode,
     .doc = "The bytes that the base64 of URLs stands for (any, NUL too); empty for what is none.",
     .example = "base64url_decode('YT8-') == 'a?>'",
     .source = "RFC 4648, 5"},
    {"hex_encode",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_hex_encode,
     .doc = "Each byte as two hexadecimal digits, in small letters.",
     .example = "hex_encode('az') == '617a'",
     .source = "RFC 4648, 8"},
    {"hex_decode",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_hex_decode,
     .doc = "The bytes that pairs of hexadecimal digits stand for (any, NUL too); empty for what is none.",
     .example = "hex_decode('617A') == 'az'",
     .source = "RFC 4648, 8"},
    {"url_encode",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_url_encode,
     .doc = "Every byte but letters, digits and - . _ ~ as %XX: for a value inside a URL.",
     .example = "url_encode('a b/c') == 'a%20b%2Fc'",
     .source = "RFC 3986, 2.1"},
    {"url_decode",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_url_decode,
     .doc = "Each %XX as the byte it stands for (any, NUL too). A `%` that no two hexadecimal digits follow "
            "stays as it is, and so does a `+`.",
     .example = "url_decode('a%20b%2Fc%') == 'a b/c%'",
     .source = "RFC 3986, 2.1"},
    {"is_url_encoded",
     RULES_BOOL,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_is_url_encoded,
     .doc =
         "Do two hexadecimal digits follow each `%`? For refusing what servers may read in different ways.",
     .example = "is_url_encoded('/a%20b') && !is_url_encoded('/a%2')",
     .source = "RFC 3986, 2.1"},
    {"html_escape",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_html_escape,
     .doc = "The text for a place in an HTML page: & < > \" ' as character references.",
     .example = "html_escape('<b>') == '&lt;b&gt;'",
     .source = "HTML, 13.1.4"},
    {"json_escape",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_json_escape,
     .doc = "The text for a place between the quotes of a JSON string.",
     .example = "json_escape('a\"b') == 'a\\\\\"b'",
     .source = "RFC 8259, 7"},
    {0},
};
