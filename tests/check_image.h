/*
 * What the tests of disk images share: a scratch directory, commands, opening.
 */
#ifndef REHOST_TESTS_CHECK_IMAGE_H
#define REHOST_TESTS_CHECK_IMAGE_H

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "image/block.h"
#include "tree/tree_image.h"

/* A scratch directory, which is the current one, and a tree of it. */
struct box {
	char dir[64];
	struct arena *mem;
	struct tree *here;
	struct tree *t; /* the image's, when one is open */
	struct strv notes;
	struct err e;
};

UNUSED static void box_open(struct box *b)
{
	memset(b, 0, sizeof(*b));
	umask(022);
	snprintf(b->dir, sizeof(b->dir), "/tmp/check_image.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(b->dir));
	ck_assert_int_eq(chdir(b->dir), 0);
	b->mem = arena_new();
	ck_assert_int_eq(tree_open_dir(".", &b->here, &b->e), 0);
	tree_set_name(b->here, "");
}

UNUSED static void box_done(struct box *b)
{
	tree_close(b->t);
	tree_close(b->here);
	arena_free(b->mem);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(fd_remove_tree(AT_FDCWD, b->dir, &b->e), 0);
}

/* Runs a line of sh, which must succeed. */
UNUSED static void sh(const char *line)
{
	const char *const argv[] = { "sh", "-ec", line, NULL };
	struct buf out CLEANUP(buf_done) = { 0 };
	struct err e;
	int status = -1;

	ck_assert_int_eq(proc_run(argv, 120, &out, &status, &e), 0);
	ck_assert_msg(status == 0, "%s: %s", line, buf_str(&out));
}

UNUSED static bool has_tool(const char *name)
{
	const char *const argv[] = { "sh", "-c", "command -v \"$0\"", name,
				     NULL };
	struct buf out CLEANUP(buf_done) = { 0 };
	struct err e;
	int status = -1;

	return proc_run(argv, 60, &out, &status, &e) == 0 && status == 0;
}

UNUSED static void make_file(const char *path, const void *data, size_t n)
{
	int fd CLEANUP(fd_closep) =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, n), (ssize_t)n);
}

UNUSED static char *file_bytes(struct box *b, const char *path, size_t *ret_n)
{
	const char *data;

	ck_assert_msg(tree_read(b->here, path, 1 << 30, b->mem, &data, ret_n,
				&b->e) == 0,
		      "%s", b->e.msg);
	return arena_memdup(b->mem, data, *ret_n);
}

UNUSED static void open_image(struct box *b, const char *path,
			      const struct tree_image_options *o)
{
	tree_closep(&b->t);
	ck_assert_msg(tree_open_image(b->here, path, o, &b->t, &b->e) == 0,
		      "%s", b->e.msg);
}

/* It cannot be opened, with that code and text. */
UNUSED static void refuses(struct box *b, const char *path,
			   const struct tree_image_options *o, int code,
			   const char *text)
{
	struct tree *t = NULL;

	ck_assert_int_eq(tree_open_image(b->here, path, o, &t, &b->e), -1);
	ck_assert_msg(strstr(b->e.msg, text) != NULL, "\"%s\" is not in: %s",
		      text, b->e.msg);
	ck_assert_msg(b->e.code == code, "%s: %d", b->e.msg, b->e.code);
}

#endif
