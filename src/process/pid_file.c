#include "process/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { CONTENT_MAX = 32 };

/* Digits and a newline, or nothing at all: anything else is somebody's file that was named by mistake. */
static bool looks_like_one(int fd, char content[CONTENT_MAX])
{
    ssize_t n = pread(fd, content, CONTENT_MAX - 1, 0);
    if (n < 0 || n == CONTENT_MAX - 1)
        return false;
    content[n] = '\0';
    content[strcspn(content, "\n")] = '\0';
    return content[strspn(content, "0123456789")] == '\0' && strlen(content) + 1 >= (size_t)n;
}

static int lock(int fd, const char *path, struct error *err)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_SETLK, &l) == 0)
        return 0;
    if (errno != EACCES && errno != EAGAIN)
        return error_set_errno(err, "cannot lock the pid file %s", path);
    l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_GETLK, &l) < 0 || l.l_type == F_UNLCK)
        return error_set(err, "another noxy with the pid file %s is running", path);
    return error_set(err, "another noxy with the pid file %s is running (pid %ld)", path, (long)l.l_pid);
}

/* Is the file of that name still the one that was opened? Its last owner may have removed it meanwhile. */
static bool still_there(int fd, const char *path)
{
    struct stat opened, named;
    return fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

static int open_once(const char *path, int *fd, struct error *err)
{
    char content[CONTENT_MAX];
    struct stat st;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
    if (*fd < 0)
        return error_set_errno(err, "cannot open the pid file %s", path);
    if (fstat(*fd, &st) < 0 || !S_ISREG(st.st_mode) || !looks_like_one(*fd, content)) {
        close(*fd);
        return error_set(err, "%s exists and is not a pid file: noxy leaves it alone", path);
    }
    if (lock(*fd, path, err) < 0) {
        close(*fd);
        return -1;
    }
    return 0;
}

int pid_file_open(struct pid_file *p, const char *path, struct error *err)
{
    *p = PID_FILE_NONE;
    for (int tries = 0; tries < 10; tries++) {
        int fd;
        if (open_once(path, &fd, err) < 0)
            return -1;
        if (still_there(fd, path)) {
            *p = (struct pid_file){.path = memory_strdup(path), .fd = fd};
            return 0;
        }
        close(fd);
    }
    return error_set(err, "the pid file %s is removed again and again by somebody else", path);
}

int pid_file_write(struct pid_file *p, struct error *err)
{
    char number[CONTENT_MAX];
    int len = snprintf(number, sizeof number, "%ld\n", (long)getpid());
    if (ftruncate(p->fd, 0) < 0 || pwrite(p->fd, number, (size_t)len, 0) != len)
        return error_set_errno(err, "cannot write the pid file %s", p->path);
    return 0;
}

void pid_file_remove(struct pid_file *p)
{
    if (!p->path)
        return;
    if (still_there(p->fd, p->path))
        unlink(p->path);
    close(p->fd);
    free(p->path);
    *p = PID_FILE_NONE;
}
