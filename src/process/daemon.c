#include "process/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* All bytes, however often a signal comes between. */
static void write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return;
        bytes += n;
        len -= (size_t)n;
    }
}

/* The operator's command: prints what comes and ends with the status that the first byte tells. */
static _Noreturn void wait_for_report(int fd)
{
    static const char nothing[] = "noxy: the new process ended before it served\n";
    char bytes[4096], status = '?';
    ssize_t n;
    while ((n = read(fd, bytes, sizeof bytes)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        size_t skip = status == '?' ? 1 : 0;
        if (skip)
            status = bytes[0];
        write_all(STDERR_FILENO, bytes + skip, (size_t)n - skip);
    }
    if (status == '?')
        write_all(STDERR_FILENO, nothing, sizeof nothing - 1);
    _exit(status == '0' ? 0 : 1);
}

static void leave_terminal(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    if (null > STDERR_FILENO)
        close(null);
}

int daemon_start(struct error *err)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return error_set_errno(err, "cannot make a pipe");
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        error_set_errno(err, "cannot fork");
        close(fds[0]);
        close(fds[1]);
        return -1;
    }
    if (pid > 0) {
        close(fds[1]);
        wait_for_report(fds[0]);
    }
    close(fds[0]);
    /* The leader of the new session ends at once, so that noxy can never get a terminal again. */
    if (setsid() < 0 || (pid = fork()) < 0) {
        daemon_report(fds[1], false, "noxy: cannot fork into the background\n");
        _exit(1);
    }
    if (pid > 0)
        _exit(0);
    leave_terminal();
    if (chdir("/") < 0) {
        daemon_report(fds[1], false, "noxy: cannot change to the folder /\n");
        _exit(1);
    }
    return fds[1];
}

void daemon_report(int fd, bool serves, const char *text)
{
    if (fd < 0)
        return;
    write_all(fd, serves ? "0" : "1", 1);
    write_all(fd, text, strlen(text));
    close(fd);
}
