/* What a worker may still do with files. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/sandbox.h"
#include "cli/session.h"

/* What a validator of a target needs to run; absent ones do not matter. */
static const char *const system_dirs[] = {
	"/usr", "/bin",  "/sbin", "/lib", "/lib32",       "/lib64",
	"/etc", "/proc", "/sys",  "/run", "/var/lib/lxc",
};

static int allow_write(struct sandbox *s, const char *dir, struct err *e)
{
	return access(dir, F_OK) == 0 ? sandbox_write(s, dir, e) : 0;
}

/* A validator makes it at its first use, which it could not from here. */
static int allow_made(struct sandbox *s, const char *dir, mode_t mode,
		      struct err *e)
{
	if (access("/usr/bin/lxc-info", X_OK) == 0)
		mkdir(dir, mode); /* there already is fine */
	return allow_write(s, dir, e);
}

/*
 * Where lxc-info takes its locks: below /run/lxc as root, below
 * XDG_RUNTIME_DIR or ~/.cache for others (lxc 5.0, src/lxc/lxclock.c).
 */
static int allow_locks(struct sandbox *s, struct arena *mem, struct err *e)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *home = getenv("HOME");

	if (geteuid() == 0)
		return allow_made(s, "/run/lxc", 0755, e);
	if (runtime != NULL && allow_write(s, runtime, e) < 0)
		return -1;
	if (home == NULL)
		return 0;
	return allow_made(s, arena_printf(mem, "%s/.cache", home), 0700, e);
}

static int allow_system(struct sandbox *s, struct arena *mem, struct err *e)
{
	for (size_t i = 0; i < COUNT(system_dirs); i++)
		if (access(system_dirs[i], F_OK) == 0 &&
		    sandbox_read(s, system_dirs[i], e) < 0)
			return -1;
	return allow_locks(s, mem, e) < 0 ? -1 : allow_write(s, "/dev", e);
}

int session_confine(const struct session *s, const char *output, struct err *e)
{
	struct sandbox *box CLEANUP(sandbox_freep) = NULL;

	if (s->o->mount) /* no rule can name a mount before it is made */
		return 0;
	box = sandbox_new(e);
	if (box == NULL) /* an older kernel, or switched off */
		return e->code == ENOSYS || e->code == EOPNOTSUPP ? 0 : -1;
	for (size_t i = 0; i < s->hosts.n; i++)
		if (sandbox_read(box, s->hosts.v[i]->dir, e) < 0)
			return -1;
	if (output != NULL && sandbox_write(box, output, e) < 0)
		return -1;
	if (allow_system(box, s->mem, e) < 0)
		return -1;
	return sandbox_enter(box, e);
}
