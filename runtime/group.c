/*
 * Groups of control. Where a v1 controller is, libcgroup makes them, writes
 * and attaches; it knows neither named hierarchies nor a v2 tree beside v1
 * ones, so that those are directories and files here.
 */
#include <dirent.h>
#include <errno.h>
#include <libcgroup.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/group.h"
#include "runtime/group_v2.h"
#include "runtime/idmap.h"
#include "runtime/run.h"

static void cgroup_freep(struct cgroup **c)
{
	if (*c != NULL)
		cgroup_free(c);
}

/* ECGOTHER is errno's; the others have texts of the library's own. */
static int fail(int rc, const char *what, struct err *e)
{
	if (rc == ECGOTHER)
		return err_set(e, cgroup_get_last_errno(), "%s", what);
	return err_set(e, 0, "%s: %s", what, cgroup_strerror(rc));
}

int group_begin(struct err *e)
{
	const int rc = cgroup_init();

	return rc == 0 ? 0 : fail(rc, "look for the groups of this host", e);
}

static int open_group(const char *name, const char *controller,
		      struct cgroup **ret, struct cgroup_controller **ret_part,
		      struct err *e)
{
	*ret = cgroup_new_cgroup(name);
	if (*ret == NULL)
		return err_set(e, ENOMEM, "cgroup_new_cgroup");
	*ret_part = cgroup_add_controller(*ret, controller);
	if (*ret_part == NULL)
		return err_set(e, ENOENT, "controller %s", controller);
	return 0;
}

/* "cpu,cpuacct": one of them stands for the hierarchy. */
static const char *first_of(struct arena *mem, const char *controllers)
{
	return arena_strndup(mem, controllers, strcspn(controllers, ","));
}

static bool is_plain(const char *controllers)
{
	return str_eq(controllers, "v2") || controllers[0] == '\0' ||
	       str_starts(controllers, "name=");
}

/* A cpuset without processors and nodes takes no process. */
static int inherit_cpuset(struct run *r, const char *dir, struct err *e)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };

	for (size_t i = 0; i < COUNT(files); i++) {
		char text[256] = "";
		FILE *f = fopen(arena_printf(r->mem, "%s/../%s", dir, files[i]),
				"re");

		if (f == NULL)
			return err_set(e, errno, "open %s", files[i]);
		if (fgets(text, sizeof(text), f) == NULL)
			text[0] = '\0';
		fclose(f);
		if (run_write(arena_printf(r->mem, "%s/%s", dir, files[i]),
			      text, e) < 0)
			return -1;
	}
	return 0;
}

static int make(struct run *r, const struct op *op, struct err *e)
{
	struct cgroup *c CLEANUP(cgroup_freep) = NULL;
	struct cgroup_controller *part;
	int rc;

	if (is_plain(op->b)) {
		if (mkdir(op->a, 0755) < 0)
			return err_set(e, errno, "mkdir");
		return 0;
	}
	if (open_group(r->ops->group, first_of(r->mem, op->b), &c, &part, e) <
	    0)
		return -1;
	rc = cgroup_create_cgroup(c, 0);
	if (rc != 0)
		return fail(rc, "create", e);
	if (str_eq(op->b, "cpuset"))
		return inherit_cpuset(r, op->a, e);
	return 0;
}

/* a: its directory, b: controllers or "v2". Who runs rehost may be strict. */
int group_make(struct run *r, const struct op *op, struct err *e)
{
	const mode_t mask = umask(022);
	const int rc = make(r, op, e);

	umask(mask);
	return rc;
}

/*
 * a: directory. The guest's root may move processes
 * and make groups of its own in it; its limits stay the host's. Files: as the
 * kernel's cgroup-v2.rst has them delegated.
 */
int group_give(struct run *r, const struct op *op, struct err *e)
{
	static const char *const files[] = { "", "cgroup.procs", "tasks",
					     "cgroup.threads",
					     "cgroup.subtree_control" };
	const long uid = idmap_outside(r->ops, 'u', 0);
	const long gid = idmap_outside(r->ops, 'g', 0);

	for (size_t i = 0; i < COUNT(files); i++) {
		const char *path =
			arena_printf(r->mem, "%s/%s", op->a, files[i]);

		if (chown(path, (uid_t)uid, (gid_t)gid) < 0 && errno != ENOENT)
			return err_set(e, errno, "chown %s", path);
	}
	return 0;
}

/* a: directory, b: file, c: value, d: controller. One rule or value a call. */
int group_set(struct run *r, const struct op *op, struct err *e)
{
	struct cgroup *c CLEANUP(cgroup_freep) = NULL;
	struct cgroup_controller *part;
	int rc;

	if (group_v2_is(r->mem, op->a))
		return run_write(arena_printf(r->mem, "%s/%s", op->a, op->b),
				 op->c, e);
	if (open_group(r->ops->group, op->d, &c, &part, e) < 0)
		return -1;
	rc = cgroup_add_value_string(part, op->b, op->c);
	if (rc != 0)
		return fail(rc, "value", e);
	rc = cgroup_modify_cgroup(c);
	if (rc != 0)
		return fail(rc, "write", e);
	return 0;
}

static int join_plain(const struct ops *ops, const char *dir, pid_t pid,
		      struct err *e)
{
	return run_write(arena_printf(ops->mem, "%s/cgroup.procs", dir),
			 arena_printf(ops->mem, "%d", (int)pid), e);
}

static int join_one(const struct ops *ops, const struct op *op, pid_t pid,
		    pid_t init, struct err *e)
{
	struct cgroup *c CLEANUP(cgroup_freep) = NULL;
	struct cgroup_controller *part;
	int rc;

	if (str_eq(op->b, "v2") && init > 0)
		return join_plain(ops, group_v2_of(ops, op->a, init), pid, e);
	if (is_plain(op->b))
		return join_plain(ops, op->a, pid, e);
	if (open_group(ops->group, first_of(ops->mem, op->b), &c, &part, e) < 0)
		return -1;
	rc = cgroup_attach_task_pid(c, pid);
	if (rc != 0)
		return fail(rc, "attach", e);
	return 0;
}

int group_join(const struct ops *ops, pid_t pid, pid_t init, struct err *e)
{
	for (size_t i = 0; i < ops->list.n; i++) {
		const struct op *op = &ops->list.v[i];

		if (op->kind == OP_GROUP && join_one(ops, op, pid, init, e) < 0)
			return err_wrap(e, "join %s", op->a);
	}
	return 0;
}

/* Processes of the group and of those in it; how many there were. */
static size_t kill_all(struct arena *mem, const char *dir)
{
	FILE *f = fopen(arena_printf(mem, "%s/cgroup.procs", dir), "re");
	size_t n = 0;
	int pid;

	if (f == NULL)
		return 0;
	while (fscanf(f, "%d", &pid) == 1) {
		if (pid > 0)
			kill(pid, SIGKILL);
		n++;
	}
	fclose(f);
	return n;
}

/* How long what was killed may take to end on a busy machine. */
enum { EMPTY_SECONDS = 60 };

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static int remove_one(struct arena *mem, const char *dir, struct err *e)
{
	const struct timespec tick = { .tv_nsec = 10000000 };
	const time_t until = now() + EMPTY_SECONDS;

	/* a process that was killed leaves its group a little later */
	for (;;) {
		kill_all(mem, dir);
		if (rmdir(dir) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY || now() > until)
			return err_set(e, errno, "remove group %s", dir);
		nanosleep(&tick, NULL);
	}
}

/* With what the guest's own manager made in it, the deepest first. */
static int remove_below(struct arena *mem, const char *dir, unsigned depth,
			struct err *e)
{
	DIR *d = depth > 64 ? NULL : opendir(dir);
	const struct dirent *entry;
	int rc = 0;

	while (d != NULL && rc == 0 && (entry = readdir(d)) != NULL) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		rc = remove_below(
			mem, arena_printf(mem, "%s/%s", dir, entry->d_name),
			depth + 1, e);
	}
	if (d != NULL)
		closedir(d);
	return rc < 0 ? -1 : remove_one(mem, dir, e);
}

int group_remove_dir(const char *dir, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();

	return remove_below(mem, dir, 0, e);
}

int group_remove(const struct ops *ops, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < ops->group_dirs.n; i++)
		if (group_remove_dir(ops->group_dirs.v[i], e) < 0)
			rc = -1;
	return rc;
}
