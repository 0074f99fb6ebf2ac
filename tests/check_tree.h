/* What the tests of trees share: a scratch directory. */
#ifndef REHOST_TESTS_CHECK_TREE_H
#define REHOST_TESTS_CHECK_TREE_H

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/fd.h"
#include "base/str.h"
#include "tree/tree.h"

/* A fresh directory "root" in a scratch one, as current directory. */
struct box {
	char dir[64];
	struct arena *mem;
	struct tree *t;
	struct err e;
	unsigned seen; /* by a visitor */
};

UNUSED static void make_file(const char *path, const char *text)
{
	int fd CLEANUP(fd_closep) =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

UNUSED static void make_dir(const char *path)
{
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

UNUSED static void make_link(const char *text, const char *path)
{
	ck_assert_int_eq(symlink(text, path), 0);
}

UNUSED static void box_open(struct box *b)
{
	memset(b, 0, sizeof(*b));
	snprintf(b->dir, sizeof(b->dir), "/tmp/check_tree.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(b->dir));
	ck_assert_int_eq(chdir(b->dir), 0);
	make_dir("root");
	make_file("secret", "outside");
	b->mem = arena_new();
	ck_assert_int_eq(tree_open_dir("root", &b->t, &b->e), 0);
	ck_assert_int_eq(chdir("root"), 0);
}

UNUSED static void box_done(struct box *b)
{
	tree_close(b->t);
	arena_free(b->mem);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(fd_remove_tree(AT_FDCWD, b->dir, &b->e), 0);
}

UNUSED static const char *text_of(struct box *b, const char *path)
{
	const char *text;
	size_t n;

	if (tree_read(b->t, path, 4096, b->mem, &text, &n, &b->e))
		return strerrorname_np(b->e.code);
	ck_assert_uint_eq(strlen(text), n);
	return text;
}

#endif
