#include "event/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void readable(struct watch *w, unsigned events)
{
    struct signals *s = CONTAINER_OF(w, struct signals, watch);
    struct signalfd_siginfo info;
    (void)events;
    while (read(w->fd, &info, sizeof info) == sizeof info)
        s->caught(s, (int)info.ssi_signo);
}

int signals_open(struct signals *s, struct loop *l, const int *list, void (*caught)(struct signals *, int),
                 struct error *err)
{
    sigset_t set;
    sigemptyset(&set);
    for (; *list; list++)
        sigaddset(&set, *list);
    sigprocmask(SIG_BLOCK, &set, NULL);
    *s = (struct signals){.loop = l, .caught = caught, .watch.ready = readable};
    s->watch.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (s->watch.fd < 0)
        return error_set_errno(err, "cannot make a signal descriptor");
    if (loop_watch(l, &s->watch) < 0) {
        error_set_errno(err, "cannot watch the signal descriptor");
        close(s->watch.fd);
        return -1;
    }
    return 0;
}

void signals_close(struct signals *s)
{
    loop_forget(s->loop, &s->watch);
    close(s->watch.fd);
}
