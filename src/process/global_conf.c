#include "process/global_conf.h"

#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/macros.h"

#define SECOND ((uint64_t)1000000)
#define DAY    (86400 * SECOND)

/* ---- types of this section ---- */

static int set_threads(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                       void *field, struct error *err)
{
    uint64_t n;
    (void)l, (void)key;
    if (node->kind == CONF_SCALAR && strcmp(node->text, "max") == 0) {
        *(uint32_t *)field = 0;
        return 0;
    }
    if (node->kind != CONF_SCALAR || node->quoted || conf_read_number(node->text, &n, NULL) < 0 || n < 1 ||
        n > WORKERS_MAX)
        return error_set(err, "a number from 1 to %d belongs here, or max", WORKERS_MAX);
    *(uint32_t *)field = (uint32_t)n;
    return 0;
}

static const struct conf_type type_threads = {.name = "number or max", .set = set_threads};

static int set_mode(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                    void *field, struct error *err)
{
    uint32_t mode = 0;
    (void)l, (void)key;
    const char *text = node->kind == CONF_SCALAR ? node->text : "";
    size_t len = strlen(text);
    if (len < 3 || len > 4 || text[strspn(text, "01234567")] || (len == 4 && text[0] != '0'))
        return error_set(err, "permissions in octal digits belong here, such as 0660");
    for (; *text; text++)
        mode = mode * 8 + (uint32_t)(*text - '0');
    *(uint32_t *)field = mode;
    return 0;
}

static const struct conf_type type_mode = {.name = "octal permissions", .set = set_mode};

/* ---- log ---- */

static const struct conf_choice log_targets[] = {
    {"stdout", LOG_TARGET_STDOUT, "standard output"},
    {"stderr", LOG_TARGET_STDERR, "standard error"},
    {"file", LOG_TARGET_FILE, "the file named by `path`"},
    {"syslog", LOG_TARGET_SYSLOG, "syslog, local or at `address`"},
    {0},
};

static const struct conf_choice log_levels[] = {
    {"error", LOG_LEVEL_ERROR, "what needs somebody"},
    {"warn", LOG_LEVEL_WARN, "also what may soon"},
    {"notice", LOG_LEVEL_NOTICE, "also starts, reloads, ends"},
    {"info", LOG_LEVEL_INFO, "also the ordinary course of things"},
    {"debug", LOG_LEVEL_DEBUG, "also what helps to find a mistake in noxy; its processes may then be traced"},
    {0},
};

static const struct conf_choice log_formats[] = {
    {"text", LOG_FORMAT_TEXT, "lines for people"},
    {"json", LOG_FORMAT_JSON, "one JSON object a line"},
    {0},
};

static const struct conf_key log_keys[] = {
    {"target", &conf_type_choice, offsetof(struct log_conf, target), 0, "stdout", "Where the log goes.",
     .choices = log_targets},
    {"path", &conf_type_path, offsetof(struct log_conf, path), 0, NULL, "The file, with target file.",
     .example = "/var/log/noxy/noxy.log"},
    {"address", &conf_type_string, offsetof(struct log_conf, address), 0, "/dev/log",
     .doc = "Of target syslog: a local socket, or IP:PORT for UDP."},
    {"facility", &conf_type_string, offsetof(struct log_conf, facility), 0, "daemon",
     .doc = "Of target syslog."},
    {"level", &conf_type_choice, offsetof(struct log_conf, level), 0, "info",
     "The least important lines that are written.", .choices = log_levels},
    {"format", &conf_type_choice, offsetof(struct log_conf, format), 0, "text", "How a line looks.",
     .choices = log_formats},
    {0},
};

static void check_log(struct conf_load *l, void *structure, const struct conf_node *node)
{
    const struct log_conf *log = structure;
    const struct conf_node *path = conf_node_get(node, "path");
    struct error err;
    if (log_check(log, &err) < 0)
        conf_error(l, node, NULL, "%s", err.text);
    if (log->target == LOG_TARGET_FILE && !log->path)
        conf_error(l, node, "write path: /var/log/noxy/noxy.log",
                   "the log's target is file, but no path is set");
    if (log->target != LOG_TARGET_FILE && path)
        conf_error(l, path, "write target: file", "path belongs to the log's target file");
}

static const struct conf_table log_table = {
    .doc = "What noxy tells about itself.",
    .keys = log_keys,
    .size = sizeof(struct log_conf),
    .shorthand = "target",
    .check = check_log,
};

/* ---- admin_socket ---- */

#define ADMIN(name) offsetof(struct admin_socket_conf, name)

static const struct conf_key admin_keys[] = {
    {"enabled", &conf_type_bool, ADMIN(enabled), 0, "true", .doc = "Whether there is one."},
    {"path", &conf_type_path, ADMIN(path), 0, NULL, "The socket's path.", .example = "/run/noxy/admin.sock"},
    {"mode", &type_mode, ADMIN(mode), 0, "0660", .doc = "Who may use it: its file's permissions."},
    {"user", &conf_type_string, ADMIN(user), 0, NULL, "The file's owner; noxy's starter when absent.",
     .example = "root"},
    {"group", &conf_type_string, ADMIN(group), 0, NULL,
     "The file's group; that of noxy's starter when absent.", .example = "adm"},
    {0},
};

static void check_admin(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct admin_socket_conf *a = structure;
    struct sockaddr_un un;
    a->uid = (uid_t)-1;
    a->gid = (gid_t)-1;
    if (a->path && strlen(a->path) >= sizeof un.sun_path)
        conf_error(l, node, NULL, "the admin socket's path has %zu characters, and the system allows %zu",
                   strlen(a->path), sizeof un.sun_path - 1);
    if (a->user) {
        const struct passwd *user = getpwnam(a->user);
        if (user)
            a->uid = user->pw_uid;
        else
            conf_error(l, conf_node_get(node, "user"), NULL, "there is no user \"%s\" on this system",
                       a->user);
    }
    if (a->group) {
        const struct group *group = getgrnam(a->group);
        if (group)
            a->gid = group->gr_gid;
        else
            conf_error(l, conf_node_get(node, "group"), NULL, "there is no group \"%s\" on this system",
                       a->group);
    }
}

static const struct conf_table admin_table = {
    .doc = "The socket for noxyctl.",
    .keys = admin_keys,
    .size = sizeof(struct admin_socket_conf),
    .shorthand = "path",
    .toggle = "enabled",
    .check = check_admin,
};

/* ---- global ---- */

#define FIELD(name) offsetof(struct global_conf, name)

static const struct conf_key global_keys[] = {
    {"threads", &type_threads, FIELD(threads), 0, "max",
     .doc = "Worker processes, each with one thread; max: one for each CPU.", .alias = "workers"},
    {"maxconn", &conf_type_number, FIELD(maxconn), 0, "20000",
     "Connections of clients at once, over all workers and frontends.", .min = 1, .max = 10000000},
    {"health_check", &conf_type_time, FIELD(health_check), 0, "5s",
     "Time between two health checks of a server, where its backend sets none.", .min = 1000, .max = DAY},
    {"user", &conf_type_string, FIELD(user), 0, NULL,
     "Whose rights the workers and the manager have, when started as root; noxy or nobody when absent.",
     .example = "noxy"},
    {"group", &conf_type_string, FIELD(group), 0, NULL, "Their group; the user's own when absent.",
     .example = "noxy"},
    {"pid_file", &conf_type_path, FIELD(pid_file), 0, NULL,
     "Holds the master's process number while noxy runs.", .example = "/run/noxy/noxy.pid"},
    {"admin_socket", &conf_type_map, FIELD(admin_socket), 0, "",
     "The socket that noxyctl talks to; " RUNSTATEDIR "/noxy/admin.sock when absent.", .table = &admin_table,
     .example = "/run/noxy/admin.sock"},
    {"log", &conf_type_map, FIELD(log), 0, "", "What noxy tells about itself, and where.",
     .table = &log_table, .example = "{ target: stdout, level: info }"},
    {"drain_timeout", &conf_type_time, FIELD(drain_timeout), 0, "30s",
     "How long the connections of an old generation may go on after a reload, or all of them after SIGQUIT.",
     .max = 30 * DAY},
    {0},
};

static void check_global(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct global_conf *g = structure;
    struct error err;
    bool wrong_group;
    const struct conf_node *user = conf_node_get(node, "user"), *group = conf_node_get(node, "group");
    if (privileges_choose(&g->credentials, g->user, g->group, &wrong_group, &err) < 0)
        conf_error(l, wrong_group ? group : user ? user : node, NULL, "%s", err.text);
    else if ((g->user || g->group) && !g->credentials.change)
        conf_notice(l, user ? user : group, NULL, "%s has no effect: noxy was not started as root",
                    user ? "user" : "group");
}

const struct conf_table global_conf_table = {
    .doc = "Processes and their rights, limits, the admin socket, the log.",
    .keys = global_keys,
    .size = sizeof(struct global_conf),
    .check = check_global,
};

uint32_t global_conf_workers(const struct global_conf *g)
{
    cpu_set_t set;
    if (g->threads)
        return g->threads;
    long n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
    return (uint32_t)MIN(MAX(n, 1), WORKERS_MAX);
}
