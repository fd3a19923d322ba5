#include "log_fixture.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct error err;
char log_folder[64], log_file[128];

void log_setup(void)
{
    signal(SIGPIPE, SIG_IGN); /* as noxy's processes do */
    snprintf(log_folder, sizeof log_folder, "/tmp/noxy-log-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(log_folder));
    snprintf(log_file, sizeof log_file, "%s/log", log_folder);
    log_set_process("worker 2");
}

void log_teardown(void)
{
    char old[160];
    log_close();
    snprintf(old, sizeof old, "%s.old", log_file);
    unlink(old);
    unlink(log_file);
    rmdir(log_folder);
}

void open_log(struct log_conf conf)
{
    ck_assert_msg(log_open(&conf, &err) == 0, "%s", err.text);
}

void open_file(enum log_format format)
{
    open_log((struct log_conf){
        .target = LOG_TARGET_FILE, .path = log_file, .level = LOG_LEVEL_INFO, .format = format});
}

/* What stands in `name`. */
const char *read_file(const char *name)
{
    static char text[4 << 20];
    int fd = open(name, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    ssize_t n = read(fd, text, sizeof text - 1);
    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    close(fd);
    return text;
}

unsigned lines_of(const char *text)
{
    unsigned n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}
