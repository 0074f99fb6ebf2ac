/* Mounts, views of /proc and /sys, sysctls, device nodes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/devrule.h"
#include "base/fd.h"
#include "base/num.h"
#include "runtime/probe.h"

struct mounted {
	const char *target, *type, *source;
	struct strv options; /* of the mount and of the file system */
};

struct mounts {
	VEC(struct mounted) list;
};

/* A line of proc_pid_mountinfo(5); targets keep their \040. */
static void add_mount(struct arena *mem, const char *line, struct mounts *ret)
{
	const struct strv w = strv_split(mem, line, " ");
	struct mounted *m;
	size_t dash = 6;

	while (dash < w.n && !str_eq(w.v[dash], "-"))
		dash++;
	if (dash + 2 >= w.n)
		return;
	m = vec_add(mem, &ret->list);
	m->target = w.v[4];
	m->type = w.v[dash + 1];
	m->source = w.v[dash + 2];
	m->options = strv_split(mem,
				dash + 3 < w.n ?
					arena_printf(mem, "%s,%s", w.v[5],
						     w.v[dash + 3]) :
					w.v[5],
				",");
	/* whether the file system may be written says nothing of the mount */
	for (size_t i = strv_split(mem, w.v[5], ",").n; i < m->options.n; i++)
		if (str_eq(m->options.v[i], "ro") ||
		    str_eq(m->options.v[i], "rw"))
			m->options.v[i] = "";
}

static int read_mounts(struct probe *p, struct mounts *ret, struct err *e)
{
	struct slice rest, line;
	const char *text;
	size_t n;

	if (probe_proc(p, "mountinfo", &text, &n, e) < 0)
		return -1;
	*ret = (struct mounts){ 0 };
	rest = (struct slice){ text, n };
	while (slice_next(&rest, '\n', &line))
		add_mount(p->mem, slice_dup(p->mem, line), ret);
	return 0;
}

/* Of two mounts on one place the later one is seen. */
static const struct mounted *find_mount(const struct mounts *m,
					const char *target)
{
	const struct mounted *found = NULL;

	for (size_t i = 0; i < m->list.n; i++)
		if (str_eq(m->list.v[i].target, target))
			found = &m->list.v[i];
	return found;
}

/* What is at a path of the guest, links followed beneath its root only. */
static int stat_inside(struct probe *p, const char *path, struct stat *ret)
{
	int root CLEANUP(fd_closep) = open(arena_printf(p->mem, "/proc/%d/root",
							(int)p->subject->init),
					   O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd CLEANUP(fd_closep) = -1;

	if (root < 0)
		return -1;
	fd = fd_open_in(root, path, O_PATH);
	return fd < 0 ? -1 : fstat(fd, ret);
}

static bool is_device(struct probe *p, const char *path)
{
	struct stat st;

	return stat_inside(p, path, &st) == 0 &&
	       (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));
}

/*
 * A guest that has SYS_ADMIN where its ids are mapped mounts what it likes, as
 * it did before (its init /run and /dev/shm). What is empty at first and lies
 * on no device shows it nothing of the host's; from the configuration that was
 * emitted it is not, or it is an item as every other.
 */
static bool is_own(const struct probe *p, const struct mounted *m)
{
	static const char *const empty[] = { "tmpfs", "ramfs", "mqueue",
					     "hugetlbfs" };

	if (!str_eq(policy_get(p->package->planned, FIELD_CAPS, "sys_admin"),
		    "yes") ||
	    p->emitted == NULL ||
	    policy_get(p->emitted, FIELD_MOUNT_TARGET, m->target) != NULL)
		return false;
	for (size_t i = 0; i < COUNT(empty); i++)
		if (str_eq(m->type, empty[i]))
			return true;
	return false;
}

/*
 * The root is the guest's own; what lies inside of /proc and /sys is the view
 * of them; device nodes are seen by the probe of nodes.
 */
static bool is_item(struct probe *p, const struct mounted *m)
{
	if (probe_asked(p, FIELD_MOUNT_TARGET, m->target))
		return true;
	return !str_eq(m->target, "/") && !is_own(p, m) &&
	       !str_starts(m->target, "/proc/") &&
	       !str_starts(m->target, "/sys/") &&
	       !(str_starts(m->target, "/dev/") && is_device(p, m->target));
}

/* "16m" and "16384k" are one size. */
static uint64_t size_of(const char *s)
{
	static const char units[] = "kmgt";
	const size_t n = strlen(s);
	const char *unit = n == 0 ? NULL : strchr(units, s[n - 1] | 0x20);
	char digits[24];
	uint64_t v;
	struct err e;

	snprintf(digits, sizeof(digits), "%.*s",
		 (int)(n - (unit != NULL && n > 0)), s);
	if (num_u64(digits, &v, &e) < 0)
		return UINT64_MAX;
	return unit == NULL ? v : v << 10 * (unit - units + 1);
}

static bool has_size(const struct mounted *m, const char *size)
{
	for (size_t i = 0; i < m->options.n; i++)
		if (str_starts(m->options.v[i], "size=") &&
		    size_of(m->options.v[i] + 5) == size_of(size))
			return true;
	return false;
}

/* tmpfs does not show a mode that is its default. */
static bool has_mode(struct probe *p, const struct mounted *m,
		     const char *octal)
{
	struct stat st;
	char text[16];

	if (stat_inside(p, m->target, &st) < 0)
		return false;
	snprintf(text, sizeof(text), "%o", (unsigned)(st.st_mode & 07777));
	return str_eq(text, octal[0] == '0' ? octal + 1 : octal);
}

/* Flags of one mount: the word, and the one that shows when it is not set. */
static const struct {
	const char *word, *opposite; /* NULL: it shows by itself */
} flags[] = {
	{ "ro", NULL },
	{ "rw", NULL },
	{ "nosuid", NULL },
	{ "suid", "nosuid" },
	{ "nodev", NULL },
	{ "dev", "nodev" },
	{ "noexec", NULL },
	{ "exec", "noexec" },
	{ "noatime", NULL },
	{ "atime", "noatime" },
	{ "nodiratime", NULL },
	{ "diratime", "nodiratime" },
	{ "relatime", NULL },
	{ "norelatime", "relatime" },
	{ "strictatime", "relatime" },
};

/* Of a bind only its flags count: the kernel reads no other option. */
static bool is_bind(struct probe *p, const char *target)
{
	const struct policy *plan = p->package->planned;
	const char *type = policy_get(plan, FIELD_MOUNT_TYPE, target);
	const char *options = policy_get(plan, FIELD_MOUNT_OPTIONS, target);
	const struct strv words =
		strv_split(p->mem, options == NULL ? "" : options, " ");

	return str_eq(type, "none") ||
	       (type != NULL &&
		(strv_has(&words, "bind") || strv_has(&words, "rbind")));
}

static bool holds(struct probe *p, const struct mounted *m, const char *word)
{
	for (size_t i = 0; i < COUNT(flags); i++)
		if (str_eq(word, flags[i].word))
			return flags[i].opposite == NULL ?
				       strv_has(&m->options, word) :
				       !strv_has(&m->options,
						 flags[i].opposite);
	if (str_eq(word, "defaults") || is_bind(p, m->target))
		return true;
	if (str_starts(word, "size="))
		return has_size(m, word + 5);
	if (str_starts(word, "mode="))
		return has_mode(p, m, word + 5);
	return strv_has(&m->options, word);
}

/* What the plan asks for and is there, then what is there beyond it. */
static void add_options(struct probe *p, const struct mounted *m)
{
	static const char *const closing[] = { "ro", "nosuid", "nodev",
					       "noexec" };
	static const char *const engines[] = { "proc",   "sysfs",  "devpts",
					       "mqueue", "cgroup", "cgroup2" };
	const struct policy *plan = p->package->planned;
	const char *planned = policy_get(plan, FIELD_MOUNT_OPTIONS, m->target);
	const char *was =
		policy_get(p->package->before, FIELD_MOUNT_OPTIONS, m->target);
	const struct strv words =
		strv_split(p->mem, planned == NULL ? "" : planned, " ");
	/* a bind may have it from the host's own mount, as was advised */
	const struct strv before =
		strv_split(p->mem, was == NULL ? "" : was, " ");
	struct strv seen = { 0 };

	for (size_t i = 0; i < words.n; i++)
		if (holds(p, m, words.v[i]))
			strv_add(p->mem, &seen, words.v[i]);
	for (size_t i = 0; i < COUNT(engines); i++)
		if (planned == NULL && str_eq(m->type, engines[i]))
			return; /* as the engine mounts it */
	if (planned == NULL && str_eq(m->target, "/dev"))
		return;
	if (planned == NULL &&
	    policy_get(plan, FIELD_MOUNT_TARGET, m->target) &&
	    policy_get(plan, FIELD_MOUNT_TYPE, m->target) == NULL)
		return; /* what stands there is the engine's choice */
	for (size_t i = 0; i < COUNT(closing); i++)
		if (strv_has(&m->options, closing[i]) &&
		    !strv_has(&words, closing[i]) &&
		    !(is_bind(p, m->target) && strv_has(&before, closing[i])))
			strv_add(p->mem, &seen, closing[i]);
	if (seen.n != 0)
		probe_add(p, FIELD_MOUNT_OPTIONS, m->target,
			  strv_join(p->mem, &seen, " "));
}

/*
 * Of a directory of the host that is mounted here mountinfo shows the device
 * only: it is the planned one when that is the same directory.
 */
static bool is_bound(struct probe *p, const struct mounted *m,
		     const char *planned)
{
	struct stat here, there;

	return planned[0] == '/' && stat(planned, &there) == 0 &&
	       stat_inside(p, m->target, &here) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* Without a device or a directory it is a word that nothing reads. */
static void add_source(struct probe *p, const struct mounted *m)
{
	const char *planned =
		policy_get(p->package->planned, FIELD_MOUNT_SOURCE, m->target);

	if (planned == NULL)
		return;
	if ((strchr(planned, '/') == NULL && strchr(m->source, '/') == NULL) ||
	    is_bound(p, m, planned))
		probe_add(p, FIELD_MOUNT_SOURCE, m->target, planned);
	else
		probe_add(p, FIELD_MOUNT_SOURCE, m->target, m->source);
}

static void add_item(struct probe *p, const struct mounted *m)
{
	const char *type =
		policy_get(p->package->planned, FIELD_MOUNT_TYPE, m->target);

	probe_add(p, FIELD_MOUNT_TARGET, m->target, m->target);
	if (is_bind(p, m->target)) /* it shows the type of what was bound */
		probe_add(p, FIELD_MOUNT_TYPE, m->target, type);
	else if (type != NULL || !probe_asked(p, FIELD_MOUNT_TARGET, m->target))
		probe_add(p, FIELD_MOUNT_TYPE, m->target, m->type);
	add_source(p, m);
	add_options(p, m);
}

int probe_mounts(struct probe *p, struct err *e)
{
	struct mounts all;

	if (read_mounts(p, &all, e) < 0)
		return -1;
	for (size_t i = 0; i < all.list.n; i++) {
		const struct mounted *m = &all.list.v[i];

		if (is_item(p, m) && find_mount(&all, m->target) == m)
			add_item(p, m);
	}
	return 0;
}

static bool is_ro(const struct mounted *m)
{
	return m != NULL && strv_has(&m->options, "ro");
}

/* A kernel without that key has nothing to close. */
static bool sysrq_open(const struct mounts *all)
{
	return find_mount(all, "/proc/sysrq-trigger") == NULL &&
	       access("/proc/sysrq-trigger", F_OK) == 0;
}

static const char *proc_view(const struct mounts *all)
{
	if (is_ro(find_mount(all, "/proc")))
		return "ro";
	return is_ro(find_mount(all, "/proc/sys")) && !sysrq_open(all) ?
		       "mixed" :
		       "rw";
}

static const char *sys_view(const struct mounts *all)
{
	if (find_mount(all, "/sys") == NULL)
		return "none";
	if (!is_ro(find_mount(all, "/sys")))
		return "rw";
	for (size_t i = 0; i < all->list.n; i++)
		if (str_starts(all->list.v[i].target, "/sys/devices/") &&
		    !is_ro(&all->list.v[i]))
			return "mixed";
	return "ro";
}

int probe_views(struct probe *p, struct err *e)
{
	struct mounts all;

	if (read_mounts(p, &all, e) < 0)
		return -1;
	if (find_mount(&all, "/proc") != NULL)
		probe_add(p, FIELD_PROC_VIEW, "", proc_view(&all));
	else if (probe_asked(p, FIELD_PROC_VIEW, ""))
		probe_add(p, FIELD_PROC_VIEW, "", "none");
	probe_add(p, FIELD_SYS_VIEW, "", sys_view(&all));
	return 0;
}

/* arg: name and path in turn, NULL at the end. "name=value" a line. */
static void in_sysctls(int fd, const void *arg)
{
	const char *const *s = arg;

	for (; s[0] != NULL; s += 2) {
		char value[4096];
		int f = open(s[1], O_RDONLY | O_CLOEXEC);
		const ssize_t n = f < 0 ? -1 :
					  read(f, value, sizeof(value) - 1);

		if (f >= 0)
			close(f);
		if (n < 0)
			continue;
		value[n] = '\0';
		value[strcspn(value, "\n")] = '\0';
		for (char *c = value; *c != '\0'; c++)
			if (*c == '\t')
				*c = ' ';
		dprintf(fd, "%s=%s\n", s[0], value);
	}
}

static void add_sysctls(struct probe *p, const struct policy *from,
			struct strv *list)
{
	for (size_t i = 0; i < from->items.n; i++) {
		const struct policy_item *it = &from->items.v[i];
		char *path;

		if (it->field != FIELD_SYSCTL_VALUE)
			continue;
		path = arena_printf(p->mem, "/proc/sys/%s", it->key);
		for (char *c = path; *c != '\0'; c++)
			if (*c == '.')
				*c = '/';
		strv_add(p->mem, list, it->key);
		strv_add(p->mem, list, path);
	}
}

int probe_sysctls(struct probe *p, struct err *e)
{
	struct strv list = { 0 };
	struct slice rest, line;
	const char *text;

	/* of what is not planned the kernel's own value would show */
	add_sysctls(p, p->package->planned, &list);
	if (list.n == 0)
		return 0;
	if (probe_inside(p, in_sysctls, list.v, &text, e) < 0)
		return -1;
	rest = (struct slice){ text, strlen(text) };
	while (slice_next(&rest, '\n', &line)) {
		const char *s = slice_dup(p->mem, line);
		const char *eq = strchr(s, '=');

		if (eq != NULL)
			probe_add(p, FIELD_SYSCTL_VALUE,
				  arena_strndup(p->mem, s, (size_t)(eq - s)),
				  eq + 1);
	}
	return 0;
}

/* --- nodes --- */

static const char *node_id(struct arena *mem, const struct stat *st)
{
	return arena_printf(mem, "%c %u:%u", S_ISCHR(st->st_mode) ? 'c' : 'b',
			    major(st->st_rdev), minor(st->st_rdev));
}

/* Terminals of devpts, one of which an engine puts over /dev/console. */
enum { PTS_FIRST = 136, PTS_LAST = 143 };

static bool is_pts(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && major(st->st_rdev) >= PTS_FIRST &&
	       major(st->st_rdev) <= PTS_LAST;
}

static void planned_node(struct probe *p, const struct policy_item *it)
{
	struct stat st;

	if (stat_inside(p, it->value, &st) < 0)
		return;
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return;
	if (str_eq(node_id(p->mem, &st), it->key) ||
	    (str_eq(it->key, "c 5:1") && is_pts(&st)))
		probe_add(p, FIELD_DEVICE_PATH, it->key, it->value);
}

static void found_node(struct probe *p, const char *path)
{
	struct stat st;
	const char *id;

	if (stat_inside(p, path, &st) < 0 ||
	    (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)) || is_pts(&st))
		return;
	id = node_id(p->mem, &st);
	if (policy_get(p->seen->observed, FIELD_DEVICE_PATH, id) == NULL)
		probe_add(p, FIELD_DEVICE_PATH, id, path);
}

/* The names of /dev and of its folders: nodes lie no deeper. */
static void walk_dev(struct probe *p, const char *path, unsigned depth)
{
	DIR *dir = opendir(arena_printf(p->mem, "/proc/%d/root%s",
					(int)p->subject->init, path));
	const struct dirent *d;

	if (dir == NULL)
		return;
	while ((d = readdir(dir)) != NULL) {
		const char *name =
			arena_printf(p->mem, "%s/%s", path, d->d_name);

		if (d->d_name[0] == '.' || str_eq(name, "/dev/pts"))
			continue;
		if (d->d_type == DT_DIR && depth > 0)
			walk_dev(p, name, depth - 1);
		else if (d->d_type == DT_CHR || d->d_type == DT_BLK)
			found_node(p, name);
	}
	closedir(dir);
}

int probe_nodes(struct probe *p, struct err *e)
{
	const struct policy *planned = p->package->planned;

	(void)e;
	for (size_t i = 0; i < planned->items.n; i++)
		if (planned->items.v[i].field == FIELD_DEVICE_PATH)
			planned_node(p, &planned->items.v[i]);
	walk_dev(p, "/dev", 1);
	return 0;
}

/* --- pid 1 --- */

/* Whether pid 1 runs the file that the command names. */
static bool runs(struct probe *p, const char *file)
{
	struct stat exe, named;

	return stat(arena_printf(p->mem, "/proc/%d/exe", (int)p->subject->init),
		    &exe) == 0 &&
	       stat_inside(p, file, &named) == 0 &&
	       exe.st_dev == named.st_dev && exe.st_ino == named.st_ino;
}

/* "#!" puts the interpreter and its word before those of the command. */
static bool is_script(struct probe *p, const char *words, const char *planned)
{
	const struct strv want = strv_split(p->mem, planned, " ");

	return want.n != 0 && !runs(p, want.v[0]) &&
	       str_ends(words, arena_printf(p->mem, " %s", planned));
}

/*
 * An init may rewrite its words ("init [2]"): the file that it runs, and the
 * words only where the first is still the one it was called by.
 */
int probe_init(struct probe *p, struct err *e)
{
	const char *planned =
		policy_get(p->package->planned, FIELD_INIT_CMD, "");
	const char *text;
	struct strv want;
	char *words;
	size_t n;

	if (probe_proc(p, "cmdline", &text, &n, e) < 0)
		return -1;
	if (n == 0)
		return err_set(e, 0, "pid 1 shows no command line");
	words = arena_memdup(p->mem, text, n);
	for (size_t i = 0; i + 1 < n; i++)
		if (words[i] == '\0')
			words[i] = ' ';
	want = strv_split(p->mem, planned == NULL ? "" : planned, " ");
	if (want.n != 0 && ((!str_eq(text, want.v[0]) && runs(p, want.v[0])) ||
			    is_script(p, words, planned)))
		probe_add(p, FIELD_INIT_CMD, "", planned);
	else
		probe_add(p, FIELD_INIT_CMD, "", words);
	return 0;
}
