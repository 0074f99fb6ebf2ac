/* What rehost and the guest's first process tell each other at the start. */
#ifndef REHOST_RUNTIME_WIRE_H
#define REHOST_RUNTIME_WIRE_H

#include <sys/types.h>

#include "base/err.h"

enum wire_kind {
	WIRE_READY, /* to rehost: mounts are made, put me into the groups */
	WIRE_GO,    /* to the other: go on */
	WIRE_PID,   /* to rehost: the guest's first process */
	WIRE_FD,    /* to rehost: the console's master */
	WIRE_ERR,   /* to rehost: it went wrong */
	WIRE_END,   /* it was executed: the socket is closed */
};

struct wire {
	enum wire_kind kind;
	pid_t pid;
	int fd; /* owned by the receiver */
	struct err err;
};

int wire_send(int sock, enum wire_kind kind, pid_t pid, struct err *e);
int wire_send_fd(int sock, int fd, struct err *e);
void wire_send_err(int sock, const struct err *err);

/* Waits for the next message; ETIMEDOUT after so many seconds. */
int wire_recv(int sock, unsigned seconds, struct wire *ret, struct err *e);

/* Waits for that message; another one is an error, WIRE_ERR its own. */
int wire_want(int sock, unsigned seconds, enum wire_kind kind, struct wire *ret,
	      struct err *e);

#endif
