/*
 * Limits and the device list, read from the groups of pid 1: v1 where the host
 * has mounted the controller so, else v2. Every group down to the guest's
 * counts, from the first that is not ours as well. Facts: cgroup-v1/ and
 * cgroup-v2.rst of the kernel's documentation.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/devrule.h"
#include "base/fd.h"
#include "base/num.h"
#include "runtime/devprog.h"
#include "runtime/probe.h"

/* Groups from the guest's upwards, as directories of the host. */
struct groups {
	bool v2;
	struct strv dirs;
};

/* The path of a process in the hierarchy of a controller; "" : v2. */
static const char *path_of(struct probe *p, const char *text,
			   const char *controller)
{
	struct slice rest = { text, strlen(text) }, line;

	while (slice_next(&rest, '\n', &line)) {
		const char *s = slice_dup(p->mem, line);
		const char *list = strchr(s, ':');
		const char *path = list == NULL ? NULL : strchr(list + 1, ':');
		struct strv names;

		if (path == NULL)
			continue;
		names = strv_split(p->mem,
				   arena_strndup(p->mem, list + 1,
						 (size_t)(path - list - 1)),
				   ",");
		if (controller[0] == '\0' ? names.n == 0 :
					    strv_has(&names, controller))
			return path + 1;
	}
	return NULL;
}

/* Where a hierarchy is mounted; NULL: nowhere. */
static const char *mount_of(struct probe *p, const char *text,
			    const char *controller)
{
	struct slice rest = { text, strlen(text) }, line;

	while (slice_next(&rest, '\n', &line)) {
		const struct strv w =
			strv_split(p->mem, slice_dup(p->mem, line), " ");
		size_t dash = 6;
		struct strv options;

		while (dash < w.n && !str_eq(w.v[dash], "-"))
			dash++;
		if (dash + 3 >= w.n)
			continue;
		options = strv_split(p->mem, w.v[dash + 3], ",");
		if (controller[0] == '\0' ?
			    str_eq(w.v[dash + 1], "cgroup2") :
			    str_eq(w.v[dash + 1], "cgroup") &&
				    strv_has(&options, controller))
			return w.v[4];
	}
	return NULL;
}

/*
 * The groups of pid 1 as its own namespace of groups shows them: what lies
 * below that namespace's root the guest made by itself, and its own limits in
 * there (systemd has some for init.scope) are no policy.
 */
static int read_inner(struct probe *p, const char **ret, struct err *e)
{
	int own CLEANUP(fd_closep) =
		open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC);
	int theirs CLEANUP(fd_closep) =
		open(arena_printf(p->mem, "/proc/%d/ns/cgroup",
				  (int)p->subject->init),
		     O_RDONLY | O_CLOEXEC);
	struct stat a, b;
	size_t n;
	int rc;

	if (own >= 0 && theirs >= 0 && fstat(own, &a) == 0 &&
	    fstat(theirs, &b) == 0 && a.st_ino == b.st_ino) {
		*ret = ""; /* it sees what we see: nothing is its own there */
		return 0;
	}
	if (own < 0 || theirs < 0 || setns(theirs, CLONE_NEWCGROUP) < 0)
		return err_set(e, errno, "join the guest's view of its groups");
	rc = probe_proc(p, "cgroup", ret, &n, e);
	if (setns(own, CLONE_NEWCGROUP) < 0)
		return err_set(e, errno, "leave the guest's view of groups");
	return rc;
}

/* Without what the guest made: `inner` is the end of `path` in its view. */
static char *engines_part(struct arena *mem, const char *path,
			  const char *inner)
{
	const size_t n = strlen(path), m = inner == NULL ? 0 : strlen(inner);

	if (m <= 1 || str_starts(inner, "/..") || m > n ||
	    !str_eq(path + n - m, inner))
		return arena_strdup(mem, path);
	return arena_strndup(mem, path, n - m);
}

/* Whether `path` is `of` or above it. */
static bool is_above(const char *path, const char *of)
{
	const size_t n = strlen(path);

	return str_eq(path, "/") || path[0] == '\0' ||
	       (str_starts(of, path) && (of[n] == '/' || of[n] == '\0'));
}

static int find_in(struct probe *p, const char *controller, struct groups *ret,
		   bool *ret_found, struct err *e)
{
	const char *mounts, *theirs, *inner, *ours, *dir;
	char *path;
	size_t n;

	if (probe_read(p, "/proc/self/mountinfo", &mounts, &n, e) < 0 ||
	    probe_read(p, "/proc/self/cgroup", &ours, &n, e) < 0 ||
	    probe_proc(p, "cgroup", &theirs, &n, e) < 0 ||
	    read_inner(p, &inner, e) < 0)
		return -1;
	dir = mount_of(p, mounts, controller);
	theirs = path_of(p, theirs, controller);
	ours = path_of(p, ours, controller);
	*ret_found = dir != NULL && theirs != NULL && ours != NULL;
	if (!*ret_found)
		return 0;
	path = engines_part(p->mem, theirs, path_of(p, inner, controller));
	while (!is_above(path, ours)) {
		char *slash = strrchr(path, '/');

		strv_add(p->mem, &ret->dirs,
			 arena_printf(p->mem, "%s%s", dir, path));
		if (slash == NULL)
			break;
		*slash = '\0';
	}
	return 0;
}

static int find_groups(struct probe *p, const char *controller,
		       struct groups *ret, struct err *e)
{
	bool found;

	*ret = (struct groups){ 0 };
	if (find_in(p, controller, ret, &found, e) < 0)
		return -1;
	if (found)
		return 0;
	ret->v2 = true;
	if (find_in(p, "", ret, &found, e) < 0)
		return -1;
	return found ? 0 :
		       err_set(e, 0, "no controller %s on this host",
			       controller);
}

enum kind { KIND_LEAST, KIND_TEXT };

struct limit_row {
	enum field_id field;
	const char *controller, *v1, *v2;
	enum kind kind;
	unsigned word;                   /* of the v2 file's line */
	uint64_t (*convert)(uint64_t n); /* from v1 */
	const char *usual;               /* what a group has that nobody set */
};

/* As the emitted numbers were rounded, targets.md 1.2. */
static uint64_t from_shares(uint64_t n)
{
	return (n * 100 + 512) / 1024;
}

static uint64_t from_blkio(uint64_t n)
{
	return n < 10 ? 1 : 1 + ((n - 10) * 9999 + 495) / 990;
}

static const struct limit_row limit_rows[] = {
	{ FIELD_MEM_MAX, "memory", "memory.limit_in_bytes", "memory.max",
	  KIND_LEAST, 0, NULL, NULL },
	{ FIELD_MEM_LOW, "memory", "memory.soft_limit_in_bytes", "memory.low",
	  KIND_TEXT, 0, NULL, "0" },
	{ FIELD_MEM_HIGH, "memory", NULL, "memory.high", KIND_LEAST, 0, NULL,
	  NULL },
	{ FIELD_SWAP_MAX, "memory", "memory.memsw.limit_in_bytes",
	  "memory.swap.max", KIND_LEAST, 0, NULL, NULL },
	{ FIELD_PIDS_MAX, "pids", "pids.max", "pids.max", KIND_LEAST, 0, NULL,
	  NULL },
	{ FIELD_CPU_QUOTA, "cpu", "cpu.cfs_quota_us", "cpu.max", KIND_LEAST, 0,
	  NULL, NULL },
	{ FIELD_CPU_PERIOD, "cpu", "cpu.cfs_period_us", "cpu.max", KIND_TEXT, 1,
	  NULL, "100000" },
	{ FIELD_CPU_BURST, "cpu", "cpu.cfs_burst_us", "cpu.max.burst",
	  KIND_TEXT, 0, NULL, "0" },
	{ FIELD_CPU_WEIGHT, "cpu", "cpu.shares", "cpu.weight", KIND_TEXT, 0,
	  from_shares, "100" },
	{ FIELD_CPU_NICE, "cpu", NULL, "cpu.weight.nice", KIND_TEXT, 0, NULL,
	  NULL },
	{ FIELD_CPU_SET, "cpuset", "cpuset.cpus", "cpuset.cpus", KIND_TEXT, 0,
	  NULL, NULL },
	{ FIELD_MEM_NODES, "cpuset", "cpuset.mems", "cpuset.mems", KIND_TEXT, 0,
	  NULL, NULL },
	{ FIELD_IO_WEIGHT, "blkio", "blkio.weight", "io.weight", KIND_TEXT, 1,
	  from_blkio, "100" },
};

/* v1 shows "no limit" as the largest number of whole pages. */
enum { PAGE = 4096 };

static bool is_none(const char *s)
{
	uint64_t n;
	struct err e;

	return str_eq(s, "max") || str_eq(s, "-1") ||
	       (num_u64(s, &n, &e) == 0 && n >= INT64_MAX - PAGE);
}

static const char *read_word(struct probe *p, const struct limit_row *r,
			     const struct groups *g, size_t i)
{
	const char *file = g->v2 ? r->v2 : r->v1, *text;
	struct strv w;
	struct err e;
	size_t n;

	if (file == NULL ||
	    probe_read(p, arena_printf(p->mem, "%s/%s", g->dirs.v[i], file),
		       &text, &n, &e) < 0)
		return NULL;
	w = strv_split(p->mem, text, " \n");
	return w.n > (g->v2 ? r->word : 0) ? w.v[g->v2 ? r->word : 0] : NULL;
}

/* The smallest of the guest's groups; NULL: none of them limits. */
static const char *least(struct probe *p, const struct limit_row *r,
			 const struct groups *g, bool *ret_any)
{
	const char *min = NULL;
	uint64_t best = 0, n;
	struct err e;

	for (size_t i = 0; i < g->dirs.n; i++) {
		const char *s = read_word(p, r, g, i);

		*ret_any |= s != NULL;
		if (s == NULL || is_none(s) || num_u64(s, &n, &e) < 0)
			continue;
		if (min == NULL || n < best)
			min = s, best = n;
	}
	return min;
}

/* The kernel counts memory in pages. */
static bool rounded(const char *planned, const char *seen)
{
	uint64_t a, b;
	struct err e;

	return planned != NULL && num_u64(planned, &a, &e) == 0 &&
	       num_u64(seen, &b, &e) == 0 && a / PAGE * PAGE == b;
}

static const char *less_memory(struct probe *p, const char *both)
{
	const char *mem = policy_get(p->seen->observed, FIELD_MEM_MAX, "");
	uint64_t a, b;
	struct err e;

	if (mem == NULL || num_u64(both, &a, &e) < 0 ||
	    num_u64(mem, &b, &e) < 0 || a < b)
		return both;
	return arena_printf(p->mem, "%" PRIu64, a - b);
}

static const char *first_text(struct probe *p, const struct limit_row *r,
			      const struct groups *g, bool *ret_any)
{
	const char *s = g->dirs.n == 0 ? NULL : read_word(p, r, g, 0);
	uint64_t n;
	struct err e;

	*ret_any = s != NULL;
	if (s == NULL || is_none(s))
		return NULL;
	if (!g->v2 && r->convert != NULL && num_u64(s, &n, &e) == 0)
		s = arena_printf(p->mem, "%" PRIu64, r->convert(n));
	return s;
}

static void see_limit(struct probe *p, const struct limit_row *r)
{
	const bool asked = probe_asked(p, r->field, "");
	const char *planned = policy_get(p->package->planned, r->field, "");
	const char *value;
	struct groups g;
	struct err why;
	bool any = false;

	if (find_groups(p, r->controller, &g, &why) < 0) {
		probe_unseen(p, r->field, "", arena_strdup(p->mem, why.msg));
		return;
	}
	value = r->kind == KIND_LEAST ? least(p, r, &g, &any) :
					first_text(p, r, &g, &any);
	if (!any && g.dirs.n != 0) {
		probe_unseen(p, r->field, "", "this host has no such file");
		return;
	}
	if (value == NULL)
		return;
	if (r->field == FIELD_SWAP_MAX && !g.v2)
		value = less_memory(p, value);
	if (rounded(planned, value))
		value = planned;
	/* a set of processors is always there, and then the parent's */
	if (asked || r->kind == KIND_LEAST ||
	    (r->usual != NULL && !str_eq(value, r->usual)))
		probe_add(p, r->field, "", value);
}

/* The least of a disk's limit so far, in the groups from the guest's up. */
static void see_io_word(struct probe *p, const char *disk, const char *word)
{
	const char *equals = strchr(word, '=');
	const char *seen;
	enum field_id f;
	uint64_t a, b;
	struct err e;

	if (equals == NULL || num_u64(equals + 1, &a, &e) < 0)
		return; /* "max" */
	f = policy_io_field(
		arena_strndup(p->mem, word, (size_t)(equals - word)));
	if (f == FIELD__MAX)
		return;
	seen = policy_get(p->seen->observed, f, disk);
	if (seen == NULL || (num_u64(seen, &b, &e) == 0 && a < b))
		probe_add(p, f, disk, equals + 1);
}

static void unseen_io(struct probe *p, const char *why)
{
	for (enum field_id f = 0; f < FIELD__MAX; f++)
		if (policy_io_word(f) != NULL)
			probe_unseen(p, f, NULL, why);
}

/* "8:16 rbps=N wbps=max riops=max wiops=max" a line, of cgroup v2 alone. */
static void see_io(struct probe *p)
{
	struct slice rest, line;
	const char *text;
	struct groups g;
	struct err e;
	size_t n;

	if (find_groups(p, "io", &g, &e) < 0 || !g.v2) {
		unseen_io(p, "limits of a disk are read in cgroup v2 alone");
		return;
	}
	for (size_t i = 0; i < g.dirs.n; i++) {
		if (probe_read(p,
			       arena_printf(p->mem, "%s/io.max", g.dirs.v[i]),
			       &text, &n, &e) < 0)
			continue;
		rest = (struct slice){ text, n };
		while (slice_next(&rest, '\n', &line)) {
			const struct strv w = strv_split(
				p->mem, slice_dup(p->mem, line), " ");

			for (size_t j = 1; j < w.n; j++)
				see_io_word(p, w.v[0], w.v[j]);
		}
	}
}

int probe_limits(struct probe *p, struct err *e)
{
	(void)e;
	see_io(p);
	for (size_t i = 0; i < COUNT(limit_rows); i++)
		see_limit(p, &limit_rows[i]);
	return 0;
}

static int see_rule(struct probe *p, const char *line, bool *ret_all,
		    struct err *e)
{
	char id[DEVRULE_TEXT], access[4];
	struct devrule r;

	if (devrule_parse(line, &r, e) < 0)
		return err_wrap(e, "devices.list");
	*ret_all |= r.type == 'a';
	devrule_show_id(&r, id);
	devrule_show_access(r.access, access);
	if (r.type == 'a')
		return 0;
	probe_add(p, FIELD_DEVICE_RULE, id, id);
	probe_add(p, FIELD_DEVICE_ACCESS, id, access);
	return 0;
}

/* Where everything is allowed, what is planned is allowed too. */
static void add_planned_rules(struct probe *p)
{
	const struct policy *planned = p->package->planned;

	for (size_t i = 0; i < planned->items.n; i++) {
		const struct policy_item *it = &planned->items.v[i];

		if (it->field == FIELD_DEVICE_RULE ||
		    it->field == FIELD_DEVICE_ACCESS)
			probe_add(p, it->field, it->key, it->value);
	}
}

/*
 * A program shows what it allows, not the rules that it was made from: one of
 * the plan that adds nothing to wider ones is taken for seen.
 */
static int see_planned(struct probe *p, const struct devprog_list *progs,
		       const struct policy_item *it, struct err *e)
{
	char text[4];
	struct devrule r;
	unsigned access;

	if (devrule_parse(arena_printf(p->mem, "%s r", it->key), &r, e) < 0)
		return -1;
	if (r.any_major || r.any_minor ||
	    policy_get(p->seen->observed, it->field, it->key) != NULL)
		return 0;
	if (devprog_access(progs, &r, &access, e) < 0)
		return -1;
	devrule_show_access(access, text);
	if (access == 0)
		return 0;
	probe_add(p, FIELD_DEVICE_RULE, it->key, it->key);
	probe_add(p, FIELD_DEVICE_ACCESS, it->key, text);
	return 0;
}

/* As v1 has it: all is allowed but for exceptions, which it does not show. */
static bool allows_all(const struct devprog_rules *rules)
{
	for (size_t i = 0; i < rules->list.n; i++) {
		const struct devrule *r = &rules->list.v[i];

		if (r->type == 'c' && r->any_major && r->any_minor)
			return r->access == DEV_RWM;
	}
	return rules->any;
}

/* The programs of the group that the engine made, and of those above it. */
static int see_programs(struct probe *p, const char *dir, struct err *e)
{
	const struct policy *planned = p->package->planned;
	struct devprog_list progs;
	struct devprog_rules rules;
	char text[DEVRULE_TEXT];
	bool all = false;

	if (devprog_read(dir, p->mem, &progs, e) < 0 ||
	    devprog_rules(&progs, p->mem, &rules, e) < 0)
		return -1;
	if (allows_all(&rules)) {
		probe_add(p, FIELD_DEVICE_POLICY, "", "any");
		add_planned_rules(p);
		return 0;
	}
	for (size_t i = 0; i < rules.list.n; i++) {
		devrule_show(&rules.list.v[i], text);
		if (see_rule(p, text, &all, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < planned->items.n; i++)
		if (planned->items.v[i].field == FIELD_DEVICE_ACCESS &&
		    see_planned(p, &progs, &planned->items.v[i], e) < 0)
			return -1;
	probe_add(p, FIELD_DEVICE_POLICY, "", "list");
	return 0;
}

static int see_list(struct probe *p, const char *dir, struct err *e)
{
	struct slice rest, line;
	const char *text;
	bool all = false;
	size_t n;

	if (probe_read(p, arena_printf(p->mem, "%s/devices.list", dir), &text,
		       &n, e) < 0)
		return -1;
	rest = (struct slice){ text, n };
	while (slice_next(&rest, '\n', &line))
		if (see_rule(p, slice_dup(p->mem, line), &all, e) < 0)
			return -1;
	probe_add(p, FIELD_DEVICE_POLICY, "", all ? "any" : "list");
	if (all)
		add_planned_rules(p);
	return 0;
}

/* v1 shows the list, v2 a program, which is run here on every device. */
int probe_devices(struct probe *p, struct err *e)
{
	struct groups g;

	if (find_groups(p, "devices", &g, e) < 0)
		return -1;
	if (g.dirs.n == 0) { /* in our own group: nothing is confined */
		probe_add(p, FIELD_DEVICE_POLICY, "", "any");
		add_planned_rules(p);
		return 0;
	}
	return g.v2 ? see_programs(p, g.dirs.v[0], e) :
		      see_list(p, g.dirs.v[0], e);
}
