/*
 * command.h: the commands of the admin socket: one table, one row a command.
 * noxyctl's help and its "did you mean", the manual and the server's checks
 * of arguments come from here, so this file and command_table.c need nothing
 * but base/: noxyctl links them without the server.
 *
 * A new command is one row here and one function admin_run_ID() in the server
 * (handlers.h binds it by the identifier).
 *
 * Each row: identifier, name, arguments' syntax, how many arguments at most,
 * whether options are among them (else there are only those that all commands
 * have), seconds that noxyctl waits for the answer, one line, longer help.
 */
#ifndef NOXY_ADMIN_COMMAND_H
#define NOXY_ADMIN_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum {
    COMMAND_LINE_MAX = 4096, /* bytes of a command's line, without the newline */
    COMMAND_WORDS_MAX = 64,  /* words of a line, options included */
};

#define COMMAND_TABLE(X)                                                                                     \
    X(stats, "stats", "[NAME]", 1, false, 10, "counters, rates, errors and latencies",                       \
      "For each frontend, backend and server: its state, sessions and requests (open now, in all, a\n"       \
      "second), bytes, responses by class, retries, and the median and 99th percentile of the time that\n"   \
      "a request took. Below, where there is something to tell: why a server is out, errors by reason,\n"    \
      "and latencies. Rates are those of the last second. With NAME: only the frontends and backends of\n"   \
      "that name, with their servers.\n")                                                                    \
    X(info, "info", "", 0, false, 10, "version, uptime, generation, connections",                            \
      "What runs: version, the master's process id, how long noxy and this configuration have been\n"        \
      "running, the number of workers, connections open now and at most, the configuration's file.\n")       \
    X(backends, "backends", "", 0, false, 10, "the backends with their state, one a line",                   \
      "Each backend: how many of its servers get requests, how they are balanced, and the requests in\n"     \
      "flight.\n")                                                                                           \
    X(servers, "servers", "[BACKEND]", 1, false, 10,                                                         \
      "the servers with address, state and reason, one a line",                                              \
      "Each server: its backend, address, weight, state and since when, requests in flight, health checks\n" \
      "passed and failed, and the reason of its state. With BACKEND: only that one's servers.\n")            \
    X(explain, "explain", "METHOD URL [OPTIONS]", COMMAND_WORDS_MAX - 1, true, 10,                           \
      "where a request would go now, and why",                                                               \
      "Walks the conditions for a request that nobody sent and tells each with the values that it saw,\n"    \
      "the actions, and the servers: which may get it, which would, and why not the others. Nothing is\n"    \
      "changed by it. \"tcp ADDRESS:PORT\" instead of METHOD URL: for a connection in mode tcp.\n"           \
      "  -H 'Name: value'   a header field of the request; as many as there are\n"                           \
      "  --src IP           who sends it; 127.0.0.1 when absent\n"                                           \
      "  --data FILE        its body is that file, of which only the size is looked at\n"                    \
      "  --length BYTES     its body is so long\n"                                                           \
      "  --frontend NAME    the frontend that gets it; by the URL's scheme and port when absent\n")          \
    X(reload, "reload", "", 0, false, 60, "load the configuration file anew",                                \
      "Loads the configuration file and returns when the new generation serves, with what changed. If the\n" \
      "file is wrong, its errors are shown and nothing changes. No connection is lost either way.\n")        \
    X(ping, "ping", "", 0, false, 10, "answer pong",                                                         \
      "Answers pong: noxy's manager is alive and reads its admin socket.\n")                                 \
    X(help, "help", "[COMMAND]", 1, false, 10, "this list, or what a command does",                          \
      "Lists the commands, or explains one.\n")

struct command {
    const char *name;
    const char *arguments;
    uint32_t arguments_max;
    bool has_options; /* of its own: words that begin with - are arguments */
    uint32_t patience_s;
    const char *summary;
    const char *help; /* lines, each ended by a newline */
};

enum command_id {
#define X(id, ...) COMMAND_##id,
    COMMAND_TABLE(X)
#undef X
        COMMAND_COUNT
};

extern const struct command command_table[COMMAND_COUNT];

/* NULL: no command of that name. */
const struct command *command_find(const char *name);
/* The name that `word` was probably meant to be; NULL: none is near. */
const char *command_nearest(const char *word);

/* The commands with their summaries, one a line. */
void command_print_list(struct text *out);
/* Syntax and help of one. */
void command_print_help(const struct command *c, struct text *out);

#endif
