/*
 * What of the host shows inside: files of the kernel that reach the whole
 * machine, processes, interfaces, the root above the guest's; and who the
 * guest's root is outside.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inet.h"
#include "base/num.h"
#include "runtime/probe.h"

static struct verify_fact *add(struct probe *p, enum area area,
			       const char *item, bool expected)
{
	struct verify_fact *f = vec_add(p->mem, &p->seen->facts);

	*f = (struct verify_fact){ .area = area,
				   .item = item,
				   .expected = expected ? "yes" : "no",
				   .grants = true,
				   .probe = "host" };
	return f;
}

static bool planned_is(struct probe *p, enum field_id field, const char *value)
{
	return str_eq(policy_get(p->package->planned, field, ""), value);
}

/* --- files that reach the whole machine --- */

enum view { VIEW_PROC_SYS, VIEW_PROC, VIEW_SYS, VIEW_RAWIO, VIEW_SYSLOG };

/*
 * Opened, never read or written. VIEW says what opens them: the view of /proc
 * that leaves /proc/sys (or anything) writable, that of /sys, a capability.
 */
static const struct kernel_file {
	const char *path, *item;
	int flags;
	enum view view;
} kernel_files[] = {
	{ "/proc/sysrq-trigger", "may open sysrq-trigger", O_WRONLY,
	  VIEW_PROC_SYS },
	{ "/proc/sys/kernel/core_pattern", "may write core_pattern", O_WRONLY,
	  VIEW_PROC_SYS },
	{ "/proc/sys/kernel/modprobe", "may write the path of modprobe",
	  O_WRONLY, VIEW_PROC_SYS },
	{ "/proc/sys/vm/panic_on_oom", "may write vm.panic_on_oom", O_WRONLY,
	  VIEW_PROC_SYS },
	{ "/proc/irq/default_smp_affinity", "may route interrupts", O_WRONLY,
	  VIEW_PROC },
	{ "/proc/kcore", "may read kcore", O_RDONLY, VIEW_RAWIO },
	{ "/proc/kmsg", "may open kmsg", O_RDONLY, VIEW_SYSLOG },
	{ "/sys/kernel/uevent_helper", "may write uevent_helper", O_WRONLY,
	  VIEW_SYS },
	{ "/sys/power/state", "may suspend the host", O_WRONLY, VIEW_SYS },
};

static void in_kernel_files(int fd, const void *arg)
{
	(void)arg;
	for (size_t i = 0; i < COUNT(kernel_files); i++) {
		const int f =
			open(kernel_files[i].path,
			     kernel_files[i].flags | O_CLOEXEC | O_NONBLOCK);

		dprintf(fd, "%d\n", f < 0 ? errno : 0);
		if (f >= 0)
			close(f);
	}
}

static bool has_cap(struct probe *p, const char *cap)
{
	return policy_get(p->package->planned, FIELD_CAPS, cap) != NULL;
}

/* Root of mapped ids owns nothing there, and has no right over the machine. */
static bool is_open(struct probe *p, enum view view)
{
	const struct policy *planned = p->package->planned;
	const char *proc = policy_get(planned, FIELD_PROC_VIEW, "");

	if (planned_is(p, FIELD_NS_USER, "private"))
		return false;
	switch (view) {
	case VIEW_PROC_SYS:
		return str_eq(proc, "rw");
	case VIEW_PROC:
		return proc != NULL && !str_eq(proc, "ro") &&
		       !str_eq(proc, "none");
	case VIEW_SYS:
		return planned_is(p, FIELD_SYS_VIEW, "rw");
	case VIEW_RAWIO:
		return has_cap(p, "sys_rawio");
	case VIEW_SYSLOG:
		return has_cap(p, "syslog");
	}
	return false;
}

static const char *withheld(struct probe *p, enum view view)
{
	if (view == VIEW_RAWIO && has_cap(p, "sys_rawio"))
		return "withheld";
	return NULL;
}

static int see_kernel_files(struct probe *p, struct err *e)
{
	struct slice rest, line;
	const char *text;
	size_t n = 0;

	if (probe_inside(p, in_kernel_files, NULL, &text, e) < 0)
		return -1;
	rest = (struct slice){ text, strlen(text) };
	for (; n < COUNT(kernel_files) && slice_next(&rest, '\n', &line); n++) {
		const struct kernel_file *k = &kernel_files[n];
		const bool open = str_eq(slice_dup(p->mem, line), "0");
		struct verify_fact *f;

		if (access(k->path, F_OK) < 0)
			continue; /* this kernel has none to close */
		f = add(p, AREA_KERNEL, k->item, is_open(p, k->view));
		f->observed = open ? "yes" : "no";
		f->reason = withheld(p, k->view);
		f->optional = f->reason != NULL;
	}
	return n == COUNT(kernel_files) ?
		       0 :
		       err_set(e, 0, "files of the kernel were not all tried");
}

/* --- the host beside the guest --- */

/* What cannot be inside: ourselves, our interfaces, the root we have. */
struct ourselves {
	char started[32]; /* clock ticks, as proc_pid_stat(5) counts them */
	char comm[32];
	struct stat root;
	struct strv macs;
};

/* "PID (COMM) STATE ...": field 22 is the start, and COMM may hold anything. */
static bool read_stat(const char *path, char *ret_comm, size_t comm_size,
		      char *ret_started, size_t size)
{
	char text[1024], *open_at, *close_at, *word;
	int fd CLEANUP(fd_closep) = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	open_at = strchr(text, '(');
	close_at = strrchr(text, ')');
	if (open_at == NULL || close_at == NULL)
		return false;
	*close_at = '\0';
	snprintf(ret_comm, comm_size, "%s", open_at + 1);
	word = close_at + 1;
	for (unsigned field = 3; field < 22 && word != NULL; field++)
		word = strchr(word + 1, ' ');
	if (word == NULL)
		return false;
	word[1 + strcspn(word + 1, " ")] = '\0';
	snprintf(ret_started, size, "%s", word + 1);
	return true;
}

static bool sees_process(const struct ourselves *us)
{
	DIR *dir = opendir("/proc");
	const struct dirent *d;
	bool seen = false;

	while (dir != NULL && !seen && (d = readdir(dir)) != NULL) {
		char path[300], comm[32], started[32];

		if (d->d_name[0] < '1' || d->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", d->d_name);
		seen = read_stat(path, comm, sizeof(comm), started,
				 sizeof(started)) &&
		       str_eq(comm, us->comm) && str_eq(started, us->started);
	}
	if (dir != NULL)
		closedir(dir);
	return seen;
}

/* Hardware addresses but that of the loopback. */
static void list_macs(struct arena *mem, struct strv *ret)
{
	static const uint8_t none[6];
	struct ifaddrs *list;

	if (getifaddrs(&list) < 0)
		return;
	for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
		struct sockaddr_ll ll;
		char mac[18];

		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_PACKET)
			continue;
		memcpy(&ll, i->ifa_addr, sizeof(ll));
		if (memcmp(ll.sll_addr, none, sizeof(none)) == 0)
			continue;
		inet_mac_show(ll.sll_addr, mac);
		strv_add(mem, ret, arena_strdup(mem, mac));
	}
	freeifaddrs(list);
}

static bool sees_interface(const struct ourselves *us)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct strv inside = { 0 };

	list_macs(mem, &inside);
	for (size_t i = 0; i < inside.n; i++)
		if (strv_has(&us->macs, inside.v[i]))
			return true;
	return false;
}

/* The old way out: a root below the working directory does not hold it. */
static bool leaves_root(const struct ourselves *us)
{
	enum { DEEP = 64 };
	int fd CLEANUP(fd_closep) =
		open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat own, top;

	if (fd < 0 || fstat(fd, &own) < 0)
		return false;
	if (chroot("/proc") == 0 && fchdir(fd) < 0)
		return false;
	for (unsigned i = 0; i < DEEP; i++)
		if (chdir("..") < 0)
			return false;
	if (stat(".", &top) < 0)
		return false;
	return top.st_dev != own.st_dev || top.st_ino != own.st_ino ||
	       (top.st_dev == us->root.st_dev && top.st_ino == us->root.st_ino);
}

static const struct look {
	const char *item;
	enum field_id shared; /* "host" there: it is meant to be seen */
	bool (*sees)(const struct ourselves *us);
} looks[] = {
	{ "sees the host's processes", FIELD_NS_PID, sees_process },
	{ "sees the host's interfaces", FIELD_NS_NET, sees_interface },
	/* last: it moves the root of who looks */
	{ "leaves its root", FIELD_NS_MOUNT, leaves_root },
};

static void in_looks(int fd, const void *arg)
{
	for (size_t i = 0; i < COUNT(looks); i++)
		dprintf(fd, "%s\n", looks[i].sees(arg) ? "yes" : "no");
}

static int see_host(struct probe *p, struct err *e)
{
	struct ourselves us = { 0 };
	struct slice rest, line;
	const char *text;
	size_t n = 0;

	if (!read_stat("/proc/self/stat", us.comm, sizeof(us.comm), us.started,
		       sizeof(us.started)) ||
	    stat("/", &us.root) < 0)
		return err_set(e, errno, "look at ourselves");
	list_macs(p->mem, &us.macs);
	if (probe_inside(p, in_looks, &us, &text, e) < 0)
		return -1;
	rest = (struct slice){ text, strlen(text) };
	for (; n < COUNT(looks) && slice_next(&rest, '\n', &line); n++) {
		const bool host = planned_is(p, looks[n].shared, "host");
		struct verify_fact *f =
			add(p, AREA_NAMESPACES, looks[n].item, host);

		f->observed = slice_dup(p->mem, line);
		if (host)
			f->reason = "withheld: the host's is not shared";
	}
	return n == COUNT(looks) ?
		       0 :
		       err_set(e, 0, "looks for the host were cut off");
}

/* --- who its root is --- */

static void see_root(struct probe *p)
{
	const struct policy *planned = p->package->planned;
	const bool mapped = planned_is(p, FIELD_NS_USER, "private");
	const char *outside = policy_get(planned, FIELD_IDMAP_OUTSIDE, "u 0");
	struct verify_fact *f = vec_add(p->mem, &p->seen->facts);
	const char *text, *ids = NULL;
	struct err e;
	size_t n;

	if (probe_proc(p, "status", &text, &n, &e) == 0)
		ids = probe_line(p, text, "Uid");
	*f = (struct verify_fact){
		.area = AREA_IDS,
		.item = "its root is on the host",
		.expected = mapped && outside != NULL ? outside : "0",
		.probe = "host",
	};
	if (ids == NULL)
		f->reason = "/proc/PID/status cannot be read";
	else
		f->observed = arena_strndup(p->mem, ids, strcspn(ids, "\t "));
}

/* What cannot be looked at is said with every item. */
static void no_looks(struct probe *p, const char *why)
{
	for (size_t i = 0; i < COUNT(looks); i++)
		add(p, AREA_NAMESPACES, looks[i].item, false)->reason = why;
}

static void no_kernel_files(struct probe *p, const char *why)
{
	for (size_t i = 0; i < COUNT(kernel_files); i++)
		if (access(kernel_files[i].path, F_OK) == 0)
			add(p, AREA_KERNEL, kernel_files[i].item,
			    is_open(p, kernel_files[i].view))
				->reason = why;
}

int probe_host(struct probe *p, struct err *e)
{
	see_root(p);
	if (see_kernel_files(p, e) < 0)
		no_kernel_files(p, arena_strdup(p->mem, e->msg));
	if (see_host(p, e) < 0)
		no_looks(p, arena_strdup(p->mem, e->msg));
	return 0;
}
