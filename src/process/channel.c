#include "process/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/memory.h"

/* How a message stands in its datagram. */
struct packet {
    uint32_t type;
    uint32_t text_in_fd; /* the descriptor holds the text */
    uint64_t value;
    char text[CHANNEL_TEXT_SHORT];
};

enum { PACKET_HEAD = offsetof(struct packet, text) };

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int channel_pair(int fds[2], struct error *err)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
        return error_set_errno(err, "cannot make a channel to a new process");
    return 0;
}

/* A sealed memfd with the text, or -1. */
static int text_to_fd(const char *text, size_t len)
{
    int fd = memfd_create("noxy-message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -1;
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, text + done, len - done);
        if (n < 0) {
            close(fd);
            return -1;
        }
        done += (size_t)n;
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The text of a memfd, to be freed, or NULL. Closes the descriptor. */
static char *text_from_fd(int fd)
{
    struct stat st;
    char *text = NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= 0 && st.st_size <= CHANNEL_TEXT_MAX) {
        size_t len = (size_t)st.st_size, done = 0;
        text = memory_zalloc(len + 1);
        while (done < len) {
            ssize_t n = pread(fd, text + done, len - done, (off_t)done);
            if (n <= 0)
                break;
            done += (size_t)n;
        }
    }
    close(fd);
    return text;
}

static void attach_fd(struct msghdr *msg, union control *control, int fd)
{
    memset(control, 0, sizeof *control);
    msg->msg_control = control->bytes;
    msg->msg_controllen = sizeof control->bytes;
    struct cmsghdr *head = CMSG_FIRSTHDR(msg);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
}

static int send_packet(struct channel *c, const struct packet *p, size_t text_len, int fd, struct error *err)
{
    struct iovec iov = {(void *)(uintptr_t)p, PACKET_HEAD + text_len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    union control control;
    if (fd >= 0)
        attach_fd(&msg, &control, fd);
    ssize_t n;
    do
        n = sendmsg(c->watch.fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 ? error_set_errno(err, "cannot send a message to another process") : 0;
}

int channel_send(struct channel *c, enum channel_type type, uint64_t value, const char *text, int fd,
                 struct error *err)
{
    struct packet p = {.type = type, .value = value};
    size_t len = text ? strnlen(text, CHANNEL_TEXT_MAX) : 0;
    if (c->watch.fd < 0)
        return error_set(err, "the other process has gone");
    if (len <= CHANNEL_TEXT_SHORT) {
        if (len)
            memcpy(p.text, text, len);
        return send_packet(c, &p, len, fd, err);
    }
    int text_fd = text_to_fd(text, len);
    if (text_fd < 0)
        return error_set_errno(err, "cannot make a memory file for a message");
    p.text_in_fd = 1;
    int result = send_packet(c, &p, 0, text_fd, err);
    close(text_fd);
    return result;
}

static int fd_of(struct msghdr *msg)
{
    int fd = -1;
    struct cmsghdr *head = CMSG_FIRSTHDR(msg);
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
        head->cmsg_len == CMSG_LEN(sizeof fd))
        memcpy(&fd, CMSG_DATA(head), sizeof fd);
    return fd;
}

/* Takes a datagram apart and hands it out; one that is malformed is thrown away. */
static void hand_out(struct channel *c, const struct packet *p, size_t len, int fd)
{
    char text[CHANNEL_TEXT_SHORT + 1] = "", *long_text = NULL;
    struct channel_message m = {
        .type = (enum channel_type)p->type, .value = p->value, .text = text, .fd = fd};
    if (len < PACKET_HEAD || p->type >= CHANNEL_TYPE_COUNT) {
        if (fd >= 0)
            close(fd);
        return;
    }
    memcpy(text, p->text, len - PACKET_HEAD);
    if (p->text_in_fd && fd >= 0) {
        long_text = text_from_fd(fd);
        m.text = long_text ? long_text : "";
        m.fd = -1;
    }
    c->received(c, &m);
    if (m.fd >= 0)
        close(m.fd);
    free(long_text);
}

static void readable(struct watch *w, unsigned events)
{
    struct channel *c = CONTAINER_OF(w, struct channel, watch);
    (void)events;
    while (c->watch.fd >= 0) {
        struct packet p;
        union control control;
        struct iovec iov = {&p, sizeof p};
        struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
        if (c->takes_fds) {
            msg.msg_control = control.bytes;
            msg.msg_controllen = sizeof control.bytes;
        }
        ssize_t n = recvmsg(c->watch.fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            c->ended(c);
            return;
        }
        hand_out(c, &p, (size_t)n, fd_of(&msg));
    }
}

int channel_open(struct channel *c, struct loop *l, int fd, struct error *err)
{
    c->loop = l;
    c->watch = (struct watch){.fd = fd, .ready = readable};
    if (loop_watch(l, &c->watch) == 0)
        return 0;
    error_set_errno(err, "cannot watch the channel to another process");
    close(fd);
    c->watch.fd = -1;
    return -1;
}

void channel_close(struct channel *c)
{
    if (c->watch.fd < 0)
        return;
    loop_forget(c->loop, &c->watch);
    close(c->watch.fd);
    c->watch.fd = -1;
}
