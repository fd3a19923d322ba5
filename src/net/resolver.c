#include "net/resolver.h"

#include <ares.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "base/macros.h"
#include "base/memory.h"

static const char resolv_conf[] = "/etc/resolv.conf";

/* A socket of c-ares, from its opening to its closing. */
struct resolver_socket {
    LIST_ENTRY(resolver_socket) link;
    struct watch watch;
    struct task again; /* events are edges: what is left ready is gone on with in the next round */
    struct resolver *resolver;
    bool wants_write;
};

struct resolver {
    struct loop *loop;
    ares_channel channel;
    struct timer timer;
    LIST_HEAD(, resolver_socket) sockets;
    int timeout_ms, tries;
    unsigned open;          /* queries */
    bool own_servers;       /* resolver_use_servers(): resolv.conf doesn't count */
    struct timespec config; /* when resolv.conf was last changed, as of the channel's making */
};

struct resolver_query {
    struct resolver *resolver;
    uint16_t port;
    resolver_done *done;
    void *context;
};

static struct resolver_socket *find_socket(struct resolver *r, int fd)
{
    struct resolver_socket *s;
    LIST_FOREACH (s, &r->sockets, link) {
        if (s->watch.fd == fd)
            return s;
    }
    return NULL;
}

static bool is_ready(const struct resolver_socket *s)
{
    struct pollfd p = {.fd = s->watch.fd, .events = (short)(s->wants_write ? POLLIN | POLLOUT : POLLIN)};
    return poll(&p, 1, 0) > 0;
}

static void set_timer(struct resolver *r)
{
    struct timeval tv;
    if (!ares_timeout(r->channel, NULL, &tv)) {
        loop_timer_stop(r->loop, &r->timer);
        return;
    }
    loop_timer_set(r->loop, &r->timer, (uint64_t)tv.tv_sec * 1000000 + (uint64_t)tv.tv_usec);
}

/* Lets c-ares read and write, which may close this socket and open others. */
static void process(struct resolver *r, int fd)
{
    ares_process_fd(r->channel, fd, fd);
    struct resolver_socket *s = find_socket(r, fd);
    if (s && is_ready(s))
        loop_defer(r->loop, &s->again);
    set_timer(r);
}

static void socket_ready(struct watch *w, unsigned events)
{
    struct resolver_socket *s = CONTAINER_OF(w, struct resolver_socket, watch);
    (void)events;
    process(s->resolver, w->fd);
}

static void socket_again(struct task *t)
{
    struct resolver_socket *s = CONTAINER_OF(t, struct resolver_socket, again);
    if (is_ready(s))
        process(s->resolver, s->watch.fd);
}

static void timed_out(struct timer *t)
{
    struct resolver *r = CONTAINER_OF(t, struct resolver, timer);
    ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(r);
}

static void socket_open(struct resolver *r, int fd, bool wants_write)
{
    struct resolver_socket *s = memory_zalloc(sizeof *s);
    s->resolver = r;
    s->watch = (struct watch){.fd = fd, .ready = socket_ready};
    s->again.run = socket_again;
    s->wants_write = wants_write;
    if (loop_watch(r->loop, &s->watch) != 0) { /* its queries end by their timeout */
        free(s);
        return;
    }
    LIST_INSERT_HEAD(&r->sockets, s, link);
}

static void socket_close(struct resolver_socket *s)
{
    loop_forget(s->resolver->loop, &s->watch);
    loop_undefer(s->resolver->loop, &s->again);
    LIST_REMOVE(s, link);
    free(s);
}

/* c-ares tells what it waits for; it waits for nothing when it is about to close the socket. */
static void socket_state(void *context, ares_socket_t fd, int readable, int writable)
{
    struct resolver *r = context;
    struct resolver_socket *s = find_socket(r, fd);
    if (!readable && !writable) {
        if (s)
            socket_close(s);
    } else if (!s) {
        socket_open(r, fd, writable);
    } else {
        s->wants_write = writable;
        if (writable) /* it may have been writable before: no edge will tell */
            loop_defer(r->loop, &s->again);
    }
}

/* When resolv.conf was last changed; zero when there is none. */
static struct timespec config_time(void)
{
    struct stat st;
    return stat(resolv_conf, &st) == 0 ? st.st_mtim : (struct timespec){0};
}

static int make_channel(struct resolver *r, struct error *err)
{
    struct ares_options options = {
        .timeout = r->timeout_ms, .tries = r->tries, .sock_state_cb = socket_state, .sock_state_cb_data = r};
    r->config = config_time();
    int rc = ares_init_options(&r->channel, &options,
                               ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    return rc == ARES_SUCCESS ? 0 : error_set(err, "cannot set up the resolver: %s", ares_strerror(rc));
}

/* A channel reads resolv.conf once, and a manager lives long. On failure the old channel stays. */
static void notice_changed_config(struct resolver *r)
{
    struct timespec now = config_time();
    if (r->own_servers || r->open > 0 || (now.tv_sec == r->config.tv_sec && now.tv_nsec == r->config.tv_nsec))
        return;
    ares_channel old = r->channel;
    if (make_channel(r, NULL) == 0)
        ares_destroy(old);
    else
        r->channel = old;
}

struct resolver *resolver_new(struct loop *l, uint64_t timeout_us, unsigned tries, struct error *err)
{
    int rc = ares_library_init(ARES_LIB_INIT_ALL);
    if (rc != ARES_SUCCESS) {
        error_set(err, "cannot set up the resolver: %s", ares_strerror(rc));
        return NULL;
    }
    struct resolver *r = memory_zalloc(sizeof *r);
    r->loop = l;
    r->timer.fire = timed_out;
    r->timeout_ms = (int)MIN(MAX(timeout_us / 1000, 1), 3600000);
    r->tries = (int)MIN(MAX(tries, 1), 100);
    LIST_INIT(&r->sockets);
    if (make_channel(r, err) != 0) {
        ares_library_cleanup();
        free(r);
        return NULL;
    }
    return r;
}

void resolver_free(struct resolver *r)
{
    if (!r)
        return;
    ares_destroy(r->channel);
    loop_timer_stop(r->loop, &r->timer);
    ares_library_cleanup();
    free(r);
}

int resolver_use_servers(struct resolver *r, const char *servers, struct error *err)
{
    int rc = ares_set_servers_ports_csv(r->channel, servers);
    if (rc != ARES_SUCCESS)
        return error_set(err, "cannot use the name servers \"%s\": %s", servers, ares_strerror(rc));
    r->own_servers = true;
    return 0;
}

static const char *words_of(int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
        return "no such name";
    case ARES_ENODATA:
        return "the name has no address";
    case ARES_ETIMEOUT:
        return "the name server does not answer in time";
    case ARES_ECONNREFUSED:
        return "no name server gives an answer"; /* none can be reached, or all fail (SERVFAIL, REFUSED) */
    default:
        return ares_strerror(status);
    }
}

static unsigned take_addresses(const struct ares_addrinfo *info, uint16_t port, struct address *out)
{
    unsigned count = 0;
    for (const struct ares_addrinfo_node *n = info->nodes; n && count < RESOLVER_ADDRESSES_MAX;
         n = n->ai_next) {
        if ((n->ai_family != AF_INET && n->ai_family != AF_INET6) || n->ai_addrlen > sizeof out->storage)
            continue;
        struct address *a = &out[count++];
        memcpy(&a->storage, n->ai_addr, n->ai_addrlen);
        a->len = n->ai_addrlen;
        address_set_port(a, port);
    }
    return count;
}

static void answered(void *context, int status, int timeouts, struct ares_addrinfo *info)
{
    struct resolver_query q = *(struct resolver_query *)context;
    struct address addresses[RESOLVER_ADDRESSES_MAX] = {0};
    unsigned count = status == ARES_SUCCESS && info ? take_addresses(info, q.port, addresses) : 0;
    (void)timeouts;
    free(context);
    if (info)
        ares_freeaddrinfo(info);
    if (count > 0)
        q.done(q.context, addresses, count, NULL);
    else if (status != ARES_EDESTRUCTION)
        q.done(q.context, NULL, 0, words_of(status == ARES_SUCCESS ? ARES_ENODATA : status));
    q.resolver->open--; /* only now: while c-ares calls back, its channel may not be replaced */
}

void resolver_ask(struct resolver *r, const char *host, uint16_t port, resolver_done *done, void *context)
{
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct resolver_query *q = memory_zalloc(sizeof *q);
    *q = (struct resolver_query){.resolver = r, .port = port, .done = done, .context = context};
    notice_changed_config(r);
    r->open++;
    ares_getaddrinfo(r->channel, host, NULL, &hints, answered, q);
    set_timer(r);
}
