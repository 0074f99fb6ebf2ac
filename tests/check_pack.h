/*
 * What the tests of packing share: a scratch directory, and archives read
 * back with libarchive.
 */
#ifndef REHOST_TESTS_CHECK_PACK_H
#define REHOST_TESTS_CHECK_PACK_H

#include <archive.h>
#include <archive_entry.h>
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/fd.h"
#include "pack/pack.h"
#include "tree/tree_ops.h"

/* A scratch directory with "root" to be packed; the current directory. */
struct box {
	char dir[64];
	struct arena *mem;
	struct tree *t;
	struct tree_ops ops; /* of t, to be changed */
	struct pack_result got;
	struct err e;
};

UNUSED static void box_open(struct box *b)
{
	memset(b, 0, sizeof(*b));
	snprintf(b->dir, sizeof(b->dir), "%s/check_pack.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(b->dir));
	ck_assert_int_eq(chdir(b->dir), 0);
	ck_assert_int_eq(mkdir("root", 0755), 0);
	b->mem = arena_new();
	ck_assert_int_eq(tree_open_dir("root", &b->t, &b->e), 0);
	b->ops = *b->t->ops;
	b->t->ops = &b->ops;
}

UNUSED static void box_done(struct box *b)
{
	tree_close(b->t);
	arena_free(b->mem);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(fd_remove_tree(AT_FDCWD, b->dir, &b->e), 0);
}

UNUSED static void make_file(const char *path, const void *data, size_t n)
{
	int fd CLEANUP(fd_closep) =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, n), (ssize_t)n);
}

UNUSED static void set_time(const char *path)
{
	const struct timespec t[2] = { { 1, 0 }, { 1234567890, 123456789 } };

	ck_assert_int_eq(utimensat(AT_FDCWD, path, t, AT_SYMLINK_NOFOLLOW), 0);
}

UNUSED static int pack(struct box *b, const char *name,
		       const struct pack_options *o)
{
	return pack_write(b->t, AT_FDCWD, name, o, b->mem, &b->got, &b->e);
}

UNUSED static void pack_ok(struct box *b, const struct pack_options *o)
{
	int r = pack(b, "out.tar.zst", o);

	ck_assert_msg(r == 0, "%s", r ? b->e.msg : "");
}

/* An archive read back: a line of text for each member, and its content. */
struct listing {
	struct archive *a;
	struct archive_entry *ae;
	struct buf text, content;
};

UNUSED static void listing_done(struct listing *l)
{
	archive_read_free(l->a);
	buf_done(&l->text);
	buf_done(&l->content);
}

UNUSED static void read_content(struct listing *l)
{
	char bytes[16384];
	la_ssize_t n;

	buf_clear(&l->content);
	while ((n = archive_read_data(l->a, bytes, sizeof(bytes))) > 0)
		buf_add(&l->content, bytes, (size_t)n);
	ck_assert_int_eq(n, 0);
}

/*
 * A file's content is told by its length and its first and last byte. Of a
 * hard link libarchive gives no type.
 */
UNUSED static void list_member(struct listing *l)
{
	struct archive_entry *ae = l->ae;
	const struct buf *c = &l->content;
	const char *hard = archive_entry_hardlink(ae);
	const char *sym = archive_entry_symlink(ae);

	read_content(l);
	buf_printf(&l->text, "%06o %s", archive_entry_mode(ae),
		   archive_entry_pathname(ae));
	if (hard)
		buf_printf(&l->text, " = %s", hard);
	if (sym)
		buf_printf(&l->text, " -> %s", sym);
	if (c->n > 0)
		buf_printf(&l->text, " %zu %02x %02x", c->n,
			   (unsigned char)c->p[0],
			   (unsigned char)c->p[c->n - 1]);
	buf_addc(&l->text, '\n');
}

UNUSED static void list_open(struct listing *l, const char *path)
{
	l->a = archive_read_new();
	archive_read_support_format_tar(l->a);
	archive_read_support_filter_all(l->a);
	ck_assert_int_eq(archive_read_open_filename(l->a, path, 16384), 0);
}

UNUSED static bool list_next(struct listing *l)
{
	int r = archive_read_next_header(l->a, &l->ae);

	ck_assert_msg(r == ARCHIVE_OK || r == ARCHIVE_EOF, "%s",
		      archive_error_string(l->a));
	return r == ARCHIVE_OK;
}

UNUSED static void expect(const char *path, const char *text)
{
	struct listing l CLEANUP(listing_done) = { 0 };

	list_open(&l, path);
	while (list_next(&l))
		list_member(&l);
	ck_assert_str_eq(buf_str(&l.text), text);
}

/* Leaves l at that member, content read; fails when there is none. */
UNUSED static void find_member(struct listing *l, const char *name)
{
	list_open(l, "out.tar.zst");
	while (list_next(l)) {
		if (str_eq(archive_entry_pathname(l->ae), name)) {
			read_content(l);
			return;
		}
	}
	ck_abort_msg("no member %s", name);
}

#endif
