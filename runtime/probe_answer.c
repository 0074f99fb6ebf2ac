/*
 * Who answers the guest: routers and name servers. A datagram to a port where
 * nobody listens comes back as refused from whoever has the address; that
 * takes no right, and neither ARP nor neighbour discovery can be missing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inet.h"
#include "base/num.h"
#include "runtime/probe.h"

/*
 * An engine that gives IPv6 addresses as usual leaves them tentative for up to
 * two seconds (RFC 4862 5.4): until then nothing can be asked.
 */
enum { DISCARD_PORT = 9, WAIT_MS = 250, TRIES = 16 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t fill(const char *ip, const char *dev, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, ip, &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(DISCARD_PORT);
		return sizeof(ret->v4);
	}
	if (inet_pton(AF_INET6, ip, &ret->v6.sin6_addr) != 1)
		return 0;
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(DISCARD_PORT);
	if (IN6_IS_ADDR_LINKLOCAL(&ret->v6.sin6_addr))
		ret->v6.sin6_scope_id = if_nametoindex(dev);
	return sizeof(ret->v6);
}

/* 0: it answered; else errno. */
static int ask_once(const char *ip, const char *dev)
{
	union address to;
	const socklen_t n = fill(ip, dev, &to);
	int fd CLEANUP(fd_closep) =
		n == 0 ? -1 :
			 socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte = 0;

	if (fd < 0)
		return n == 0 ? EINVAL : errno;
	if (connect(fd, &to.any, n) < 0 || send(fd, &byte, 1, 0) < 0)
		return errno;
	if (poll(&p, 1, WAIT_MS) == 0)
		return ETIMEDOUT;
	return recv(fd, &byte, 1, 0) < 0 && errno != ECONNREFUSED ? errno : 0;
}

static int ask(const char *ip, const char *dev)
{
	const struct timespec tick = { .tv_nsec = WAIT_MS * 1000000L };
	int why = ETIMEDOUT;

	for (unsigned i = 0; i < TRIES; i++) {
		why = ask_once(ip, dev);
		if (why == 0 || why == ENETUNREACH)
			break;
		if (why != ETIMEDOUT)
			nanosleep(&tick, NULL);
	}
	return why;
}

/* More are not asked: interfaces and name servers are a handful. */
enum { ASKED_MAX = 64 };

/*
 * arg: address and interface in turn, NULL at the end; all are asked at the
 * same time. An errno a line.
 */
static void in_ask(int fd, const void *arg)
{
	const char *const *s = arg;
	pid_t pids[ASKED_MAX];
	size_t n = 0;

	for (; s[0] != NULL && n < ASKED_MAX; s += 2) {
		pids[n] = fork();
		if (pids[n] == 0)
			_exit(ask(s[0], s[1]));
		n++;
	}
	for (size_t i = 0; i < n; i++) {
		int status = 0;

		if (pids[i] < 0 || waitpid(pids[i], &status, 0) < 0)
			return;
		dprintf(fd, "%d\n", WEXITSTATUS(status));
	}
}

struct asked {
	struct strv list;  /* as in_ask takes it */
	struct strv items; /* of the facts */
};

static void add(struct probe *p, struct asked *a, const char *what,
		const char *ip, const char *dev)
{
	if (a->items.n == ASKED_MAX)
		return;
	strv_add(p->mem, &a->list, ip);
	strv_add(p->mem, &a->list, dev);
	strv_add(p->mem, &a->items,
		 arena_printf(p->mem, "%s %s answers", what, ip));
}

static void in_resolv(int fd, const void *arg)
{
	char text[65536];
	int f CLEANUP(fd_closep) =
		open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const ssize_t n = f < 0 ? 0 : read(f, text, sizeof(text));

	(void)arg;
	if (n > 0 && write(fd, text, (size_t)n) < 0)
		return;
}

static int add_resolvers(struct probe *p, struct asked *a, struct err *e)
{
	enum { SERVERS_MAX = 3 }; /* resolv.conf(5): more are not asked */
	struct slice rest, line;
	const char *text;
	unsigned n = 0;

	if (probe_inside(p, in_resolv, NULL, &text, e) < 0)
		return -1;
	rest = (struct slice){ text, strlen(text) };
	while (n < SERVERS_MAX && slice_next(&rest, '\n', &line)) {
		const struct strv w =
			strv_split(p->mem, slice_dup(p->mem, line), " \t\r");
		struct inet_addr ip;
		struct err bad;

		if (w.n >= 2 && str_eq(w.v[0], "nameserver") &&
		    inet_parse(w.v[1], &ip, &bad) == 0 &&
		    !inet_is_loopback(&ip) && !inet_is_linklocal(&ip)) {
			add(p, a, "name server", w.v[1], "");
			n++;
		}
	}
	return 0;
}

static void tell(struct probe *p, const char *item, int why)
{
	struct verify_fact *f = vec_add(p->mem, &p->seen->facts);

	*f = (struct verify_fact){
		.area = AREA_NETWORK,
		.item = item,
		.expected = "yes",
		.observed = why == 0 ? "yes" : "no",
		.probe = "answers",
	};
	/* whether it should have one is the probe of routes' to say */
	if (why == ENETUNREACH) {
		f->reason = "the guest has no route to it";
		f->optional = true;
	}
}

int probe_answers(struct probe *p, struct err *e)
{
	const struct policy *planned = p->package->planned;
	struct asked a = { 0 };
	struct slice rest, line;
	struct inet_addr ip;
	const char *text;
	struct err bad;
	int64_t why;

	for (size_t i = 0; i < planned->items.n; i++) {
		const struct policy_item *it = &planned->items.v[i];

		if ((it->field == FIELD_NIC_GATEWAY4 ||
		     it->field == FIELD_NIC_GATEWAY6) &&
		    inet_parse(it->value, &ip, &bad) == 0)
			add(p, &a, "gateway", it->value, it->key);
	}
	if (add_resolvers(p, &a, e) < 0)
		return -1;
	if (a.items.n == 0)
		return 0;
	strv_add(p->mem, &a.list, NULL);
	if (probe_inside(p, in_ask, a.list.v, &text, e) < 0)
		return -1;
	rest = (struct slice){ text, strlen(text) };
	for (size_t i = 0; i < a.items.n; i++) {
		if (!slice_next(&rest, '\n', &line) ||
		    num_i64(slice_dup(p->mem, line), &why, e) < 0)
			return err_set(e, 0, "questions inside were cut off");
		tell(p, a.items.v[i], (int)why);
	}
	return 0;
}
