/*
 * pid_file.h: the master's process number in a file, which it keeps locked
 * while it lives: so a second noxy with the same file is refused, and a file
 * that a crash left behind is recognised and taken over.
 */
#ifndef NOXY_PROCESS_PID_FILE_H
#define NOXY_PROCESS_PID_FILE_H

#include "base/error.h"

struct pid_file {
    char *path; /* NULL: none */
    int fd;
};

#define PID_FILE_NONE ((struct pid_file){.path = NULL, .fd = -1})

/*
 * Opens and locks the file, and makes it if there is none. What it holds is not touched yet. The lock is this
 * process's and not its children's. -1 with `err`: another noxy holds it, or it is something else than a pid
 * file.
 */
int pid_file_open(struct pid_file *p, const char *path, struct error *err);
/* Writes this process's number. -1 with `err`. */
int pid_file_write(struct pid_file *p, struct error *err);
/* Removes the file and gives the lock up. Nothing happens if there is none. */
void pid_file_remove(struct pid_file *p);

#endif
