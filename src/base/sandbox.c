/* Landlock rules of a worker. See landlock(7). */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sandbox.h"

#define READS                                                                  \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |          \
	 LANDLOCK_ACCESS_FS_EXECUTE)

/* All of the first version of the interface: every kernel with it has them. */
#define WRITES                                                                 \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |       \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |       \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |           \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |         \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

struct sandbox {
	int fd;
};

struct sandbox *sandbox_new(struct err *e)
{
	const struct landlock_ruleset_attr a = { .handled_access_fs = READS |
								      WRITES };
	const long fd = syscall(SYS_landlock_create_ruleset, &a, sizeof(a), 0);
	struct sandbox *s;

	if (fd < 0) {
		err_fill(e, errno, "make a sandbox");
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	s->fd = (int)fd;
	return s;
}

void sandbox_freep(struct sandbox **s)
{
	if (*s == NULL)
		return;
	fd_closep(&(*s)->fd);
	free(*s);
	*s = NULL;
}

static int allow(struct sandbox *s, const char *dir, unsigned long long access,
		 struct err *e)
{
	int fd CLEANUP(fd_closep) = open(dir, O_PATH | O_CLOEXEC);
	const struct landlock_path_beneath_attr a = { .allowed_access = access,
						      .parent_fd = fd };

	if (fd < 0)
		return err_set(e, errno, "open %s", dir);
	if (syscall(SYS_landlock_add_rule, s->fd, LANDLOCK_RULE_PATH_BENEATH,
		    &a, 0) < 0)
		return err_set(e, errno, "allow %s in the sandbox", dir);
	return 0;
}

int sandbox_read(struct sandbox *s, const char *dir, struct err *e)
{
	return allow(s, dir, READS, e);
}

int sandbox_write(struct sandbox *s, const char *dir, struct err *e)
{
	return allow(s, dir, READS | WRITES, e);
}

int sandbox_enter(struct sandbox *s, struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, s->fd, 0) < 0)
		return err_set(e, errno, "enter the sandbox");
	return 0;
}
