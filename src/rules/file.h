/*
 * file.h: lists and maps in files, for functions such as in_file() and map().
 *
 * A file has one entry a line; `#` at the start of a line or behind white
 * space begins a comment. A list's entry is the whole line, a map's a key
 * without white space and, behind some, its value.
 *
 * Read when the configuration is loaded, once a load however many expressions
 * use it, and kept in the load's arena as it stands in the file: an entry is a
 * slice of it. A look-up allocates nothing, and takes the same time in a file
 * of ten entries and in one of a million.
 */
#ifndef NOXY_RULES_FILE_H
#define NOXY_RULES_FILE_H

#include "conf/table.h"
#include "net/network.h"

enum {
    RULES_FILE_MAX = 64 << 20,  /* bytes */
    RULES_FILE_LINES = 4 << 20, /* lines */
    RULES_DOMAIN_MAX = 253,     /* bytes of a domain, RFC 1035, 2.3.4 */
    RULES_FILE_PATH_MAX = 1024, /* bytes of a path among RULES_PATHS */
    RULES_FILE_MISTAKES = 20,   /* that are reported of one file */
};

/* What the keys are. */
enum rules_keys {
    RULES_TEXTS,    /* equal, byte by byte */
    RULES_DOMAINS,  /* without case: www.example.org itself, *.example.org all below, .example.org both */
    RULES_PATHS,    /* a path and all below it: /api has /api and /api/v1, not /apis */
    RULES_NETWORKS, /* addresses and networks: the longest prefix */
    RULES_KEYS_COUNT
};

enum rules_values { RULES_NO_VALUES, RULES_TEXT_VALUES, RULES_INT_VALUES };

struct rules_entry {
    uint64_t hash;
    const char *key; /* NULL: a free place */
    uint32_t key_len;
    uint32_t value_len : 31;
    uint32_t below_only : 1; /* of a domain that begins with a dot: written with a star, so not itself */
    union {
        const char *text;
        int64_t number;
    };
};

struct rules_file;

/*
 * `path` as written: a relative one starts at the configuration's directory. NULL with `err`; what is wrong
 * in the file is reported, too, with its own line.
 */
const struct rules_file *rules_file_load(struct conf_load *l, struct slice path, enum rules_keys keys,
                                         enum rules_values values, struct error *err);

/* The entry that fits best, by the kind of the file's keys: the equal one, the longest domain or path. NULL:
 * none. */
const struct rules_entry *rules_file_find(const struct rules_file *f, struct slice key);
/* Of a file of RULES_NETWORKS. */
const struct rules_entry *rules_file_find_ip(const struct rules_file *f, struct ip ip);

/* ---- within file.c and file_find.c ---- */

struct rules_file {
    enum rules_keys keys;
    enum rules_values values;
    const struct conf_file *source;
    const char *failure; /* NULL: it is valid */
    uint32_t count;
    uint32_t size;    /* places, a power of two: at most two thirds are taken */
    uint32_t longest; /* bytes of a key */
    struct rules_entry *entries;
    struct network_table *networks; /* to entries; NULL: the keys are something else */
};

/* Adds an entry (its hash is set here). Returns the one that has the key already, which stays; else NULL. */
const struct rules_entry *rules_file_add(struct rules_file *f, const struct rules_entry *e);

#endif
