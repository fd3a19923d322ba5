#include "process/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "log/log.h"

/* The address in $NOTIFY_SOCKET: a path, or "@name" in the abstract space. 0: none. */
static socklen_t target(struct sockaddr_un *un)
{
    const char *name = getenv("NOTIFY_SOCKET");
    if (!name || (name[0] != '/' && name[0] != '@') || !name[1])
        return 0;
    size_t len = strlen(name);
    if (len >= sizeof un->sun_path)
        return 0;
    *un = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(un->sun_path, name, len);
    if (name[0] == '@') {
        un->sun_path[0] = '\0';
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    }
    return sizeof *un;
}

static void notify(const char *text)
{
    struct sockaddr_un un;
    socklen_t len = target(&un);
    if (len == 0)
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&un, len) < 0)
        log_warn("cannot tell the service manager: %s", strerrordesc_np(errno));
    if (fd >= 0)
        close(fd);
}

void notify_ready(const char *status)
{
    char text[512];
    snprintf(text, sizeof text, "READY=1\nMAINPID=%ld\nSTATUS=%s", (long)getpid(), status);
    notify(text);
}

void notify_reloading(void)
{
    char text[128];
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=reloading",
             clock_monotonic_us());
    notify(text);
}

void notify_stopping(void)
{
    notify("STOPPING=1\nSTATUS=stopping");
}
