/* The guest's /dev: a tmpfs, nodes, links, the console. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/devrule.h"
#include "base/fd.h"
#include "base/str.h"
#include "runtime/idmap.h"
#include "runtime/mount.h"
#include "runtime/run.h"
#include "runtime/wire.h"

static int own(const struct run *r, int dir, const char *name, struct err *e)
{
	const long uid = idmap_outside(r->ops, 'u', 0);
	const long gid = idmap_outside(r->ops, 'g', 0);

	if (fchownat(dir, name, (uid_t)uid, (gid_t)gid, AT_SYMLINK_NOFOLLOW) <
	    0)
		return err_set(e, errno, "chown %s", name);
	return 0;
}

static int make_links(const struct run *r, int dev, struct err *e)
{
	static const struct {
		const char *name, *to;
	} links[] = {
		{ "fd", "/proc/self/fd" },
		{ "stdin", "/proc/self/fd/0" },
		{ "stdout", "/proc/self/fd/1" },
		{ "stderr", "/proc/self/fd/2" },
	};

	for (size_t i = 0; i < COUNT(links); i++) {
		if (symlinkat(links[i].to, dev, links[i].name) < 0)
			return err_set(e, errno, "link %s", links[i].name);
		if (own(r, dev, links[i].name, e) < 0)
			return -1;
	}
	return 0;
}

/* a: where. Mounted with the host's rights: nodes on it can be opened. */
int dev_mount(struct run *r, const struct op *op, struct err *e)
{
	int target CLEANUP(fd_closep) =
		mount_open_target(r->root, r->mem, op->a, false, e);
	int dev CLEANUP(fd_closep) = -1;

	if (target < 0)
		return -1;
	if (mount("none", mount_fd_path(r->mem, target), "tmpfs",
		  MS_NOSUID | MS_NOEXEC, "size=500k,mode=755") < 0)
		return err_set(e, errno, "mount tmpfs");
	dev = fd_open_in(r->root, op->a, O_RDONLY | O_DIRECTORY);
	if (dev < 0)
		return err_set(e, errno, "open");
	if (own(r, dev, ".", e) < 0)
		return -1;
	return make_links(r, dev, e);
}

/* a: path, b: "c 1:3". Without a tmpfs the tree may have it already. */
int dev_node(struct run *r, const struct op *op, struct err *e)
{
	const char *slash = strrchr(op->a, '/');
	const char *dir = arena_strndup(r->mem, op->a, (size_t)(slash - op->a));
	int fd CLEANUP(fd_closep) = -1;
	struct devrule rule;

	if (devrule_parse(arena_printf(r->mem, "%s r", op->b), &rule, e) < 0)
		return -1;
	fd = mount_open_target(r->root, r->mem, dir, false, e);
	if (fd < 0)
		return -1;
	if (mknodat(fd, slash + 1,
		    (rule.type == 'b' ? S_IFBLK : S_IFCHR) | 0666,
		    makedev(rule.major, rule.minor)) < 0 &&
	    errno != EEXIST)
		return err_set(e, errno, "mknod");
	if (fchmodat(fd, slash + 1, 0666, 0) < 0)
		return err_set(e, errno, "chmod");
	return own(r, fd, slash + 1, e);
}

/* A file that something can be bound to, whatever was there before. */
static int bind_file(const char *from, const char *to, struct err *e)
{
	int fd;

	if (unlink(to) < 0 && errno != ENOENT)
		return err_set(e, errno, "unlink %s", to);
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_set(e, errno, "make %s", to);
	close(fd);
	if (mount(from, to, NULL, MS_BIND, NULL) < 0)
		return err_set(e, errno, "bind %s", to);
	return 0;
}

static int open_master(const char *path, char *ret_name, size_t n,
		       struct err *e)
{
	const int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	int zero = 0;

	if (fd < 0)
		return err_set(e, errno, "open %s", path);
	if (ioctl(fd, TIOCSPTLCK, &zero) == 0 &&
	    ptsname_r(fd, ret_name, n) == 0)
		return fd;
	close(fd);
	return err_set(e, errno, "unlock a pseudo terminal");
}

static int open_slave(struct run *r, const char *path, struct err *e)
{
	r->terminal = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return r->terminal < 0 ? err_set(e, errno, "open %s", path) : 0;
}

/* For a guest whose list has no terminals: pid 1 gets it opened. */
int dev_terminal(struct run *r, const struct op *op, struct err *e)
{
	char name[64];

	(void)op;
	r->master = open_master("/dev/ptmx", name, sizeof(name), e);
	if (r->master < 0)
		return -1;
	if (r->ops->userns && chown(name, (uid_t)idmap_outside(r->ops, 'u', 0),
				    (gid_t)idmap_outside(r->ops, 'g', 0)) < 0)
		return err_set(e, errno, "chown %s", name);
	return open_slave(r, name, e);
}

/*
 * a: where. The master goes to rehost, and the slave, which becomes pid 1's
 * terminal, as well: it is not to be closed before the guest ends.
 */
int dev_console(struct run *r, const struct op *op, struct err *e)
{
	int master CLEANUP(fd_closep) = fd_steal(&r->master);
	char name[64];

	if (master < 0) {
		master = open_master("/dev/pts/ptmx", name, sizeof(name), e);
		if (master < 0 || bind_file(name, op->a, e) < 0 ||
		    open_slave(r, op->a, e) < 0)
			return -1;
	}
	if (bind_file("/dev/pts/ptmx", "/dev/ptmx", e) < 0)
		return -1;
	if (wire_send_fd(r->sync, master, e) < 0)
		return -1;
	return wire_send_fd(r->sync, r->terminal, e);
}
