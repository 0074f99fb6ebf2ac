/*
 * Devices, opened by a process in the guest's groups: the list or the program
 * of the group decides, whatever nodes lie in its /dev. Only of devices whose
 * opening does nothing: EPERM is denied, ENXIO or ENODEV allowed without
 * a driver.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/devrule.h"
#include "base/fd.h"
#include "base/num.h"
#include "runtime/probe.h"
#include "runtime/wire.h"

/* Documentation/admin-guide/devices.txt; all are character devices. */
static const struct device {
	unsigned major, minor;
	const char *name;
} devices[] = {
	{ 1, 3, "null" },    { 1, 5, "zero" },
	{ 1, 7, "full" },    { 1, 8, "random" },
	{ 1, 9, "urandom" }, { 5, 0, "tty" },
	{ 10, 200, "tun" },  { 10, 229, "fuse" },
	{ 10, 232, "kvm" },  { 10, 237, "loop-control" },
};

/* Not O_RDWR: a rule may give one without the other. */
static const struct way {
	const char *word;
	int flags;
	unsigned access;
} ways[] = {
	{ "read", O_RDONLY, DEV_READ },
	{ "write", O_WRONLY, DEV_WRITE },
};

static void name_of(const struct device *d, char ret[32])
{
	snprintf(ret, 32, "%u:%u", d->major, d->minor);
}

/* In mounts of its own: they last as long as the directory is open. */
static int make_nodes(int sock, struct err *e)
{
	int dir CLEANUP(fd_closep) = -1;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/proc", "tmpfs", 0, "mode=755") < 0)
		return err_set(e, errno, "mount a place for nodes");
	dir = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(e, errno, "open a place for nodes");
	for (size_t i = 0; i < COUNT(devices); i++) {
		char name[32];

		name_of(&devices[i], name);
		if (mknodat(dir, name, S_IFCHR,
			    makedev(devices[i].major, devices[i].minor)) < 0 ||
		    fchmodat(dir, name, 0666, 0) < 0)
			return err_set(e, errno, "make node %s", name);
	}
	return wire_send_fd(sock, dir, e);
}

static NORETURN void nodes_child(int sock)
{
	struct err e = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (make_nodes(sock, &e) < 0)
		wire_send_err(sock, &e);
	_exit(0);
}

/* A directory that holds all the nodes. */
static int open_nodes(struct err *e)
{
	int sock[2], rc;
	struct wire w;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		return err_set(e, errno, "make a pair of sockets");
	pid = fork();
	if (pid == 0)
		nodes_child(sock[1]);
	close(sock[1]);
	rc = pid < 0 ? err_set(e, errno, "fork") :
		       wire_want(sock[0], 10, WIRE_FD, &w, e);
	close(sock[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return rc < 0 ? -1 : w.fd;
}

/* arg: the directory. An errno for each device and way, a line. */
static void in_open(int fd, const void *arg)
{
	const int *dir = arg;

	for (size_t i = 0; i < COUNT(devices); i++)
		for (size_t j = 0; j < COUNT(ways); j++) {
			char name[32];
			int f;

			name_of(&devices[i], name);
			f = openat(*dir, name,
				   ways[j].flags | O_NONBLOCK | O_NOCTTY |
					   O_CLOEXEC);
			dprintf(fd, "%d\n", f < 0 ? errno : 0);
			if (f >= 0)
				close(f);
		}
}

/* Whether the planned rules let it be opened that way. */
static bool allows(struct probe *p, const struct device *d, unsigned access)
{
	const struct policy *planned = p->package->planned;
	const struct devrule want = { .type = 'c',
				      .major = d->major,
				      .minor = d->minor };

	if (!str_eq(policy_get(planned, FIELD_DEVICE_POLICY, ""), "list"))
		return true;
	for (size_t i = 0; i < planned->items.n; i++) {
		const struct policy_item *it = &planned->items.v[i];
		struct devrule rule;
		struct err e;

		if (it->field == FIELD_DEVICE_ACCESS &&
		    devrule_parse(arena_printf(p->mem, "%s %s", it->key,
					       it->value),
				  &rule, &e) == 0 &&
		    devrule_covers(&rule, &want) && (rule.access & access) != 0)
			return true;
	}
	return false;
}

/* No list where the host has no groups of devices: the policy is unseen. */
static const char *no_list(struct probe *p)
{
	for (size_t i = 0; i < p->seen->unseen.n; i++)
		if (p->seen->unseen.v[i].field == FIELD_DEVICE_POLICY)
			return p->seen->unseen.v[i].reason;
	return NULL;
}

static void add(struct probe *p, const struct device *d, const struct way *w,
		const char *observed, const char *why)
{
	*vec_add(p->mem, &p->seen->facts) = (struct verify_fact){
		.area = AREA_DEVICES,
		.item = arena_printf(p->mem, "may %s c %u:%u, %s", w->word,
				     d->major, d->minor, d->name),
		.expected = allows(p, d, w->access) ? "yes" : "no",
		.observed = observed,
		.reason = why,
		.grants = true,
		.optional = why != NULL,
		.probe = "opens",
	};
}

static void add_all(struct probe *p, const char *why)
{
	for (size_t i = 0; i < COUNT(devices); i++)
		for (size_t j = 0; j < COUNT(ways); j++)
			add(p, &devices[i], &ways[j], NULL, why);
}

static int see_opens(struct probe *p, struct err *e)
{
	int dir CLEANUP(fd_closep) = open_nodes(e);
	struct slice rest, line;
	const char *text;
	int64_t why;

	if (dir < 0 || probe_inside(p, in_open, &dir, &text, e) < 0)
		return -1;
	rest = (struct slice){ text, strlen(text) };
	for (size_t i = 0; i < COUNT(devices) * COUNT(ways); i++) {
		if (!slice_next(&rest, '\n', &line) ||
		    num_i64(slice_dup(p->mem, line), &why, e) < 0)
			return err_set(e, 0, "opening devices was cut off");
		add(p, &devices[i / COUNT(ways)], &ways[i % COUNT(ways)],
		    why == EPERM || why == EACCES ? "no" : "yes", NULL);
	}
	return 0;
}

int probe_opens(struct probe *p, struct err *e)
{
	const char *why = no_list(p);

	if (why != NULL)
		add_all(p, why);
	else if (see_opens(p, e) < 0)
		add_all(p, arena_strdup(p->mem, e->msg));
	return 0;
}
