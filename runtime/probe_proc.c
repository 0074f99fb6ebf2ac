/* What /proc says of pid 1: rights, namespaces, maps, limits, environment. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cap.h"
#include "base/num.h"
#include "runtime/probe.h"

/* A line of /proc/PID/status of pid 1. */
static int status(struct probe *p, const char *key, const char **ret,
		  struct err *e)
{
	const char *text, *value;
	size_t n;

	if (probe_proc(p, "status", &text, &n, e) < 0)
		return -1;
	value = probe_line(p, text, key);
	if (value == NULL)
		return err_set(e, 0, "/proc/PID/status has no %s", key);
	*ret = value;
	return 0;
}

static bool hex(const char *s, uint64_t *ret)
{
	uint64_t n = 0;

	for (; *s != '\0'; s++) {
		const char *digits = "0123456789abcdef";
		const char *at = strchr(digits, *s);

		if (at == NULL)
			return false;
		n = n << 4 | (uint64_t)(at - digits);
	}
	*ret = n;
	return true;
}

/* Whatever set a capability is in: no process may have what is not planned. */
static const char *const cap_sets[] = { "CapBnd", "CapPrm", "CapEff", "CapInh",
					"CapAmb" };

static int add_sets(struct probe *p, const char *text, uint64_t *ret,
		    struct err *e)
{
	for (size_t i = 0; i < COUNT(cap_sets); i++) {
		const char *value = probe_line(p, text, cap_sets[i]);
		uint64_t set;

		if (value == NULL) /* CapAmb: Linux 4.3 */
			continue;
		if (!hex(value, &set))
			return err_set(e, 0, "%s %s", cap_sets[i], value);
		*ret |= set;
	}
	return 0;
}

/* Children may end while they are looked at. */
static int add_children(struct probe *p, uint64_t *ret, struct err *e)
{
	const char *text;
	struct strv pids;
	struct err gone;
	size_t n;

	if (probe_proc(p,
		       arena_printf(p->mem, "task/%d/children",
				    (int)p->subject->init),
		       &text, &n, &gone) < 0)
		return 0; /* a kernel without that file */
	pids = strv_split(p->mem, text, " \n");
	for (size_t i = 0; i < pids.n; i++)
		if (probe_read(p,
			       arena_printf(p->mem, "/proc/%s/status",
					    pids.v[i]),
			       &text, &n, &gone) == 0 &&
		    add_sets(p, text, ret, e) < 0)
			return -1;
	return 0;
}

int probe_caps(struct probe *p, struct err *e)
{
	const char *text;
	uint64_t set = 0;
	size_t n;

	if (probe_proc(p, "status", &text, &n, e) < 0 ||
	    add_sets(p, text, &set, e) < 0 || add_children(p, &set, e) < 0)
		return -1;
	for (unsigned bit = 0; bit < 64; bit++) {
		const char *name = cap_name(bit);

		if ((set & CAP_BIT(bit)) == 0)
			continue;
		if (name == NULL)
			name = arena_printf(p->mem, "%u", bit);
		probe_add(p, FIELD_CAPS, name, "yes");
	}
	return 0;
}

/* Whether two processes share a namespace. */
static int same_ns(const char *a, const char *b, const char *ns, bool *ret,
		   struct err *e)
{
	char path[2][64];
	struct stat st[2];

	snprintf(path[0], sizeof(path[0]), "/proc/%s/ns/%s", a, ns);
	snprintf(path[1], sizeof(path[1]), "/proc/%s/ns/%s", b, ns);
	for (size_t i = 0; i < 2; i++)
		if (stat(path[i], &st[i]) < 0)
			return err_set(e, errno, "stat %s", path[i]);
	*ret = st[0].st_dev == st[1].st_dev && st[0].st_ino == st[1].st_ino;
	return 0;
}

/*
 * The engine's own process (the parent of pid 1) stands for the host: where
 * the lab has a network of its own, the guest would share that one.
 */
int probe_namespaces(struct probe *p, struct err *e)
{
	static const struct {
		const char *name;
		enum field_id field;
	} ns[] = {
		{ "pid", FIELD_NS_PID },       { "net", FIELD_NS_NET },
		{ "mnt", FIELD_NS_MOUNT },     { "ipc", FIELD_NS_IPC },
		{ "uts", FIELD_NS_UTS },       { "user", FIELD_NS_USER },
		{ "cgroup", FIELD_NS_CGROUP },
	};
	const char *init = arena_printf(p->mem, "%d", (int)p->subject->init);
	const char *parent;

	if (status(p, "PPid", &parent, e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(ns); i++) {
		bool ours, theirs;

		if (same_ns(init, "self", ns[i].name, &ours, e) < 0 ||
		    same_ns(init, parent, ns[i].name, &theirs, e) < 0)
			return -1;
		probe_add(p, ns[i].field, "",
			  ours || theirs ? "host" : "private");
	}
	return 0;
}

static int read_map(struct probe *p, const char *file, const char *kind,
		    struct err *e)
{
	const char *text;
	struct strv w;
	size_t n;

	if (probe_proc(p, file, &text, &n, e) < 0)
		return -1;
	w = strv_split(p->mem, text, " \n");
	for (size_t i = 0; i + 2 < w.n; i += 3) {
		const char *key = arena_printf(p->mem, "%s %s", kind, w.v[i]);

		probe_add(p, FIELD_IDMAP_OUTSIDE, key, w.v[i + 1]);
		probe_add(p, FIELD_IDMAP_COUNT, key, w.v[i + 2]);
	}
	return 0;
}

/* The host's own map is no map. */
int probe_idmap(struct probe *p, struct err *e)
{
	bool host;

	if (same_ns(arena_printf(p->mem, "%d", (int)p->subject->init), "self",
		    "user", &host, e) < 0)
		return -1;
	if (host)
		return 0;
	return read_map(p, "uid_map", "u", e) < 0 ?
		       -1 :
		       read_map(p, "gid_map", "g", e);
}

static int read_nice(struct probe *p, struct err *e)
{
	int n;

	errno = 0;
	n = getpriority(PRIO_PROCESS, (id_t)p->subject->init);
	if (n == -1 && errno != 0)
		return err_set(e, errno, "getpriority");
	/* that of a process for which nobody asked another */
	if (n != 0 || policy_get(p->package->planned, FIELD_NICE, "") != NULL)
		probe_add(p, FIELD_NICE, "", arena_printf(p->mem, "%d", n));
	return 0;
}

/* What nobody set is what the parent has. */
static int read_oom(struct probe *p, struct err *e)
{
	const char *text, *ours;
	size_t n;

	if (probe_proc(p, "oom_score_adj", &text, &n, e) < 0 ||
	    probe_read(p, "/proc/self/oom_score_adj", &ours, &n, e) < 0)
		return -1;
	if (!str_eq(text, ours) || probe_asked(p, FIELD_OOM_SCORE, ""))
		probe_add(p, FIELD_OOM_SCORE, "",
			  arena_strndup(p->mem, text, strcspn(text, "\n")));
	return 0;
}

/* ioprio_set(2): the class above 13 bits of priority; 0: nobody set one. */
static int read_ioprio(struct probe *p, struct err *e)
{
	enum { WHO_PROCESS = 1, CLASS_SHIFT = 13 };
	const long n = syscall(SYS_ioprio_get, WHO_PROCESS, p->subject->init);

	if (n < 0)
		return err_set(e, errno, "ioprio_get");
	if (n >> CLASS_SHIFT == 0)
		return 0;
	probe_add(p, FIELD_IO_CLASS, "",
		  arena_printf(p->mem, "%ld", n >> CLASS_SHIFT));
	probe_add(p, FIELD_IO_PRIORITY, "",
		  arena_printf(p->mem, "%ld", n & ((1 << CLASS_SHIFT) - 1)));
	return 0;
}

int probe_status(struct probe *p, struct err *e)
{
	const char *text;

	if (status(p, "NoNewPrivs", &text, e) < 0)
		return -1;
	if (str_eq(text, "1") || probe_asked(p, FIELD_NO_NEW_PRIVS, ""))
		probe_add(p, FIELD_NO_NEW_PRIVS, "",
			  str_eq(text, "1") ? "yes" : "no");
	if (read_nice(p, e) < 0 || read_ioprio(p, e) < 0)
		return -1;
	return read_oom(p, e);
}

/*
 * "PROFILE (MODE)" of AppArmor, which confines in the mode "enforce" alone: any
 * other is told. SELinux has no mode of a label's own.
 */
static const char *label_of(struct arena *mem, const char *text)
{
	static const char confines[] = " (enforce)";
	const size_t n = strcspn(text, "\n");
	const char *label = arena_strndup(mem, text, n);

	if (str_ends(label, confines))
		return arena_strndup(mem, text, n - strlen(confines));
	return label;
}

/* Without a module that labels, the attribute is not there (EINVAL). */
int probe_lsm(struct probe *p, struct err *e)
{
	const char *planned = policy_get(p->package->planned, FIELD_LSM, "");
	const char *text;
	struct err why;
	size_t n;

	(void)e;
	if (probe_proc(p, "attr/current", &text, &n, &why) == 0 && n != 0) {
		probe_add(p, FIELD_LSM, "", label_of(p->mem, text));
	} else if (planned == NULL || str_eq(planned, "none")) {
		probe_add(p, FIELD_LSM, "", "none");
	} else {
		probe_unseen(p, FIELD_LSM, "",
			     "this host has no security module that labels");
	}
	return 0;
}

static void in_uts(int fd, const void *arg)
{
	struct utsname u;

	(void)arg;
	if (uname(&u) == 0)
		dprintf(fd, "%s\n%s\n%s\n%s\n%s\n%s\n", u.nodename,
			u.domainname, u.machine, u.sysname, u.release,
			u.version);
}

/* Which the personality decides: i386 to i686 are one architecture. */
static const char *arch_of(const char *machine)
{
	if (strlen(machine) == 4 && machine[0] == 'i' &&
	    str_ends(machine, "86"))
		return "i686";
	return machine;
}

/*
 * personality(2) of pid 1: PER_LINUX32 makes uname say a 32-bit machine; its
 * flags by the names that setarch(8) and the old tools have.
 */
static const struct {
	unsigned long flag;
	const char *name;
} personality_flags[] = {
	{ UNAME26, "uname26" },
	{ MMAP_PAGE_ZERO, "mmap_page_zero" },
	{ SHORT_INODE, "short_inode" },
	{ WHOLE_SECONDS, "whole_seconds" },
	{ STICKY_TIMEOUTS, "sticky_timeouts" },
	{ ADDR_LIMIT_32BIT, "addr_limit_32bit" },
	{ ADDR_LIMIT_3GB, "addr_limit_3gb" },
};

static int see_personality(struct probe *p, const char **machine, struct err *e)
{
	struct strv flags = { 0 };
	const char *text;
	uint64_t value;
	size_t n;

	if (probe_proc(p, "personality", &text, &n, e) < 0)
		return -1;
	text = arena_strndup(p->mem, text, strcspn(text, "\n"));
	if (num_u64_hex(text, &value, e) < 0)
		return err_wrap(e, "/proc/PID/personality");
	if ((value & PER_MASK) == (PER_LINUX32 & PER_MASK) &&
	    str_eq(*machine, "x86_64"))
		*machine = "i686";
	for (size_t i = 0; i < COUNT(personality_flags); i++)
		if ((value & personality_flags[i].flag) != 0)
			strv_add(p->mem, &flags, personality_flags[i].name);
	if (flags.n != 0)
		probe_add(p, FIELD_PERSONALITY, "",
			  strv_join(p->mem, &flags, " "));
	return 0;
}

/* What nobody set is what the host has. */
static bool is_our_name(const char *name)
{
	struct utsname u;

	return uname(&u) == 0 && str_eq(u.nodename, name);
}

int probe_uts(struct probe *p, struct err *e)
{
	static const enum field_id faked[] = { FIELD_UTS_MACHINE,
					       FIELD_UTS_SYSNAME,
					       FIELD_UTS_RELEASE,
					       FIELD_UTS_VERSION };
	const char *text;
	struct slice rest, line;
	const char *v[6];
	size_t n = 0;

	if (probe_inside(p, in_uts, NULL, &text, e) < 0)
		return -1;
	rest = (struct slice){ text, strlen(text) };
	while (n < COUNT(v) && slice_next(&rest, '\n', &line))
		v[n++] = slice_dup(p->mem, line);
	if (n != COUNT(v))
		return err_set(e, 0, "uname inside failed");
	if (probe_asked(p, FIELD_HOSTNAME, "") || !is_our_name(v[0]))
		probe_add(p, FIELD_HOSTNAME, "", v[0]);
	/* the kernel shows so what nobody set */
	if (probe_asked(p, FIELD_DOMAINNAME, "") && !str_eq(v[1], "(none)"))
		probe_add(p, FIELD_DOMAINNAME, "", v[1]);
	if (see_personality(p, &v[2], e) < 0)
		return -1;
	probe_add(p, FIELD_ARCH, "", arch_of(v[2]));
	for (size_t i = 0; i < COUNT(faked); i++)
		if (policy_get(p->package->planned, faked[i], "") != NULL)
			probe_add(p, faked[i], "", v[2 + i]);
	return 0;
}

int probe_environ(struct probe *p, struct err *e)
{
	const char *text, *s;
	size_t n;

	if (probe_proc(p, "environ", &text, &n, e) < 0)
		return -1;
	for (s = text; s < text + n; s += strlen(s) + 1) {
		const char *eq = strchr(s, '=');

		if (eq != NULL && eq != s)
			probe_add(p, FIELD_ENV_VALUE,
				  arena_strndup(p->mem, s, (size_t)(eq - s)),
				  eq + 1);
	}
	return 0;
}

static const struct {
	const char *name;
	__rlimit_resource_t resource;
} resources[] = {
	{ "as", RLIMIT_AS },
	{ "core", RLIMIT_CORE },
	{ "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE },
	{ "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE },
	{ "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC },
	{ "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME },
	{ "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

static const char *show_rlimit(struct arena *mem, rlim_t n)
{
	if (n == RLIM_INFINITY)
		return "unlimited";
	return arena_printf(mem, "%" PRIu64, (uint64_t)n);
}

/* Those that nothing asks for are the host's, and no part of a policy. */
int probe_rlimits(struct probe *p, struct err *e)
{
	for (size_t i = 0; i < COUNT(resources); i++) {
		const char *name = resources[i].name;
		struct rlimit r;

		if (!probe_asked(p, FIELD_RLIMIT_SOFT, name) &&
		    !probe_asked(p, FIELD_RLIMIT_HARD, name))
			continue;
		if (prlimit(p->subject->init, resources[i].resource, NULL, &r) <
		    0)
			return err_set(e, errno, "prlimit %s", name);
		probe_add(p, FIELD_RLIMIT_SOFT, name,
			  show_rlimit(p->mem, r.rlim_cur));
		probe_add(p, FIELD_RLIMIT_HARD, name,
			  show_rlimit(p->mem, r.rlim_max));
	}
	return 0;
}
