/*
 * message.h: the head of a request or a response, whatever protocol it came
 * in: start line and fields in order, as slices of the bytes received.
 */
#ifndef NOXY_HTTP_MESSAGE_H
#define NOXY_HTTP_MESSAGE_H

#include "http/field.h"

enum {
    MESSAGE_FIELDS_MAX = 128,                            /* as many as may be received */
    MESSAGE_FIELDS_OF_RULES = 32,                        /* as many as rules add */
    MESSAGE_FIELDS_ADDED = MESSAGE_FIELDS_OF_RULES + 16, /* and as many as are added in all */
};

/* What follows the head. */
enum body_kind {
    BODY_NONE,
    BODY_LENGTH, /* body_length bytes */
    BODY_STREAM, /* of unknown length, with a proper end (chunked, END_STREAM) */
    BODY_CLOSE,  /* until the connection ends (responses) */
    BODY_TUNNEL, /* both directions are bytes without a frame, after 101 */
};

/* Later ones compare greater. */
enum http_version { HTTP_1_0, HTTP_1_1, HTTP_2 };

struct message {
    /* a request */
    struct slice method, target; /* as received */
    struct slice scheme;         /* of an absolute target, "" else */
    struct slice host; /* of an absolute target's authority, else of Host: with its port; may be "" */
    struct slice path; /* from the first "/" (with the query), or "*" */
    /* a response */
    uint16_t status;
    struct slice reason;

    struct slice raw_line; /* the start line with its CRLF, if it can be passed on as it is; else empty */
    uint8_t version;       /* enum http_version: of the protocol that it came in */
    bool head_method;      /* a request by HEAD */
    bool close;            /* Connection: close, or HTTP/1.0 without keep-alive */
    bool upgrade;          /* Connection: upgrade with an Upgrade field */
    bool expect_continue;
    enum body_kind body;
    uint64_t body_length;

    uint16_t count;
    struct field fields[MESSAGE_FIELDS_MAX + MESSAGE_FIELDS_ADDED];
};

/* "HTTP/1.1", as the access log and TRACE show it; the number begins behind the slash. */
struct slice http_version_text(enum http_version v);

/* Empties it; the fields' memory is left as it is. */
void message_init(struct message *m);

/* The first field with that id, dropped ones passed over; NULL: none. */
struct field *message_find(struct message *m, enum field_id id);

/* Does the list field of that id, over all its lines and dropped ones too, have this member (without case)?
 */
bool message_list_has(const struct message *m, enum field_id id, struct slice member);

/* Marks all fields of that id as dropped. */
void message_drop(struct message *m, enum field_id id);

/*
 * Adds a field line that stands as "name: value CRLF" at `line`, its memory being the caller's. False: no
 * room.
 */
bool message_add_raw(struct message *m, enum field_id id, const char *line, size_t name_len,
                     size_t value_len);

/* Drops what concerns one connection only: the hop-by-hop fields, and what Connection names (RFC
 * 9110, 7.6.1). */
void message_drop_hop(struct message *m);

#endif
