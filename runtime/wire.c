/* Messages over a pair of sockets. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/wire.h"

struct message {
	enum wire_kind kind;
	pid_t pid;
	struct err err;
};

int wire_send(int sock, enum wire_kind kind, pid_t pid, struct err *e)
{
	const struct message m = { .kind = kind, .pid = pid };

	if (send(sock, &m, sizeof(m), MSG_NOSIGNAL) < 0)
		return err_set(e, errno, "tell the other side");
	return 0;
}

void wire_send_err(int sock, const struct err *err)
{
	const struct message m = { .kind = WIRE_ERR, .err = *err };

	send(sock, &m, sizeof(m), MSG_NOSIGNAL);
}

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int wire_send_fd(int sock, int fd, struct err *e)
{
	struct message m = { .kind = WIRE_FD };
	union control c = { 0 };
	struct iovec iov = { .iov_base = &m, .iov_len = sizeof(m) };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = c.bytes,
			    .msg_controllen = sizeof(c.bytes) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&h);

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	if (sendmsg(sock, &h, MSG_NOSIGNAL) < 0)
		return err_set(e, errno, "hand a descriptor over");
	return 0;
}

static int fd_of(struct msghdr *h)
{
	const struct cmsghdr *cm = CMSG_FIRSTHDR(h);
	int fd = -1;

	if (cm != NULL && cm->cmsg_level == SOL_SOCKET &&
	    cm->cmsg_type == SCM_RIGHTS &&
	    cm->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(cm), sizeof(fd));
	return fd;
}

int wire_recv(int sock, unsigned seconds, struct wire *ret, struct err *e)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	struct message m;
	union control c = { 0 };
	struct iovec iov = { .iov_base = &m, .iov_len = sizeof(m) };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = c.bytes,
			    .msg_controllen = sizeof(c.bytes) };
	ssize_t n;

	if (poll(&p, 1, (int)seconds * 1000) <= 0)
		return err_set(e, ETIMEDOUT, "wait for the guest's start");
	n = recvmsg(sock, &h, MSG_CMSG_CLOEXEC);
	if (n < 0 && errno != ECONNRESET)
		return err_set(e, errno, "hear from the guest's start");
	if (n != (ssize_t)sizeof(m))
		m = (struct message){ .kind = WIRE_END };
	*ret = (struct wire){
		.kind = m.kind, .pid = m.pid, .fd = fd_of(&h), .err = m.err
	};
	return 0;
}

int wire_want(int sock, unsigned seconds, enum wire_kind kind, struct wire *ret,
	      struct err *e)
{
	struct wire w;

	if (wire_recv(sock, seconds, &w, e) < 0)
		return -1;
	if (w.kind == WIRE_ERR) {
		*e = w.err;
		return -1;
	}
	if (w.kind != kind) {
		if (w.fd >= 0)
			close(w.fd);
		return err_set(e, 0, "the guest's start ended early");
	}
	*ret = w;
	return 0;
}
