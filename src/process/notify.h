/*
 * notify.h: tells systemd how noxy does (sd_notify(3)): a datagram to the
 * socket named by $NOTIFY_SOCKET. Without that variable nothing is sent.
 */
#ifndef NOXY_PROCESS_NOTIFY_H
#define NOXY_PROCESS_NOTIFY_H

/* Serves; `status` is one line for `systemctl status`. */
void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);

#endif
