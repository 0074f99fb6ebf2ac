/*
 * The tree of cgroup v2. Its root switches controllers on for the groups below
 * it: what a run adds there is noted on the root itself, as an attribute, so
 * that the last run (or the next one, if that was killed) takes it back. Facts:
 * cgroup-v2.rst of the kernel's documentation.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/devrule.h"
#include "base/fd.h"
#include "base/str.h"
#include "runtime/devprog.h"
#include "runtime/group_v2.h"
#include "runtime/run.h"

static const char note[] = "trusted.rehost.controllers";

enum { LINE = 512 };

bool group_v2_is(struct arena *mem, const char *dir)
{
	return access(arena_printf(mem, "%s/cgroup.controllers", dir), F_OK) ==
	       0;
}

/* "0::/rehost.web.7/init.scope": what follows the guest's group. */
const char *group_v2_of(const struct ops *ops, const char *dir, pid_t init)
{
	const char *path = arena_printf(ops->mem, "/proc/%d/cgroup", (int)init);
	const char *group = arena_printf(ops->mem, "/%s", ops->group);
	char line[4096];
	const char *below = NULL;
	FILE *f = fopen(path, "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (str_starts(line, "0::") && strstr(line, group) != NULL)
			below = arena_strdup(ops->mem, strstr(line, group) +
							       strlen(group));
	}
	if (f != NULL)
		fclose(f);
	return below == NULL ? dir : arena_printf(ops->mem, "%s%s", dir, below);
}

/* Runs change the root one after the other. */
static int lock_root(const char *root, struct err *e)
{
	int fd CLEANUP(fd_closep) =
		open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return err_set(e, errno, "lock %s", root);
	return fd_steal(&fd);
}

static struct strv words_of(struct arena *mem, const char *text, ssize_t n)
{
	return strv_split(mem, arena_strndup(mem, text, n < 0 ? 0 : (size_t)n),
			  " \n");
}

static struct strv enabled(struct arena *mem, int root)
{
	int fd CLEANUP(fd_closep) =
		openat(root, "cgroup.subtree_control", O_RDONLY | O_CLOEXEC);
	char text[LINE];

	return words_of(mem, text, fd < 0 ? -1 : read(fd, text, sizeof(text)));
}

static struct strv noted(struct arena *mem, int root)
{
	char text[LINE];

	return words_of(mem, text, fgetxattr(root, note, text, sizeof(text)));
}

static int write_root(int root, const char *text, struct err *e)
{
	int fd CLEANUP(fd_closep) =
		openat(root, "cgroup.subtree_control", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_set(e, errno, "write \"%s\" to %s", text,
			       "cgroup.subtree_control");
	return 0;
}

/* Noted first: a run that is killed in between leaves it to be undone. */
static int enable(struct arena *mem, int root, const char *name, struct err *e)
{
	struct strv list = noted(mem, root);
	const char *text;

	if (!strv_has(&list, name))
		strv_add(mem, &list, name);
	text = strv_join(mem, &list, " ");
	if (fsetxattr(root, note, text, strlen(text), 0) < 0)
		return err_set(e, errno, "note what is switched on");
	return write_root(root, arena_printf(mem, "+%s", name), e);
}

/* a: the root, b: controllers. */
int group_v2_enable(struct run *r, const struct op *op, struct err *e)
{
	int root CLEANUP(fd_closep) = lock_root(op->a, e);
	const struct strv wanted = strv_split(r->mem, op->b, " ");
	struct strv have;

	if (root < 0)
		return -1;
	have = enabled(r->mem, root);
	for (size_t i = 0; i < wanted.n; i++)
		if (!strv_has(&have, wanted.v[i]) &&
		    enable(r->mem, root, wanted.v[i], e) < 0)
			return -1;
	return 0;
}

static bool has_runs(int root)
{
	const int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool found = false;

	while (d != NULL && (entry = readdir(d)) != NULL)
		found |= str_starts(entry->d_name, "rehost.");
	if (d != NULL)
		closedir(d);
	return found;
}

int group_v2_disable(const char *root_path, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	int root CLEANUP(fd_closep) = lock_root(root_path, e);
	struct strv list;
	int rc = 0;

	if (root < 0)
		return -1;
	list = noted(mem, root);
	if (list.n == 0 || has_runs(root))
		return 0;
	for (size_t i = 0; i < list.n; i++)
		if (write_root(root, arena_printf(mem, "-%s", list.v[i]), e) <
		    0)
			rc = -1;
	if (fremovexattr(root, note) < 0)
		return err_set(e, errno, "forget what was switched on");
	return rc;
}

/* a: directory, b: "only" these devices or "all but" them, c: rules. */
int group_v2_devices(struct run *r, const struct op *op, struct err *e)
{
	const struct strv words = strv_split(r->mem, op->c, ",");
	struct devprog_rules rules = { .any = str_eq(op->b, "all but") };
	struct devprog prog;

	for (size_t i = 0; i < words.n; i++)
		if (devrule_parse(words.v[i] + strspn(words.v[i], " "),
				  vec_add(r->mem, &rules.list), e) < 0)
			return -1;
	devprog_make(&rules, r->mem, &prog);
	return devprog_attach(&prog, op->a, e);
}
