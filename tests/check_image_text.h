/* A tree as text, in every attribute that an archive of it would have. */
#ifndef REHOST_TESTS_CHECK_IMAGE_TEXT_H
#define REHOST_TESTS_CHECK_IMAGE_TEXT_H

#include "check_image.h"

struct telling {
	struct tree *t;
	struct arena *mem;
	struct buf text;
};

/* The content in pieces; where there is no extent there must be zeros. */
UNUSED static void tell_content(struct telling *l, const char *path)
{
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	struct digest *d CLEANUP(digest_freep) = digest_new();
	struct tree_extent x = { 0 };
	char bytes[40000], hex[DIGEST_HEX];
	uint64_t at = 0;
	struct err e;
	ssize_t n;

	ck_assert_msg(tree_file_open(l->t, path, &f, &e) == 0, "%s", e.msg);
	while ((n = tree_file_read(f, at, bytes, sizeof(bytes), &e)) > 0) {
		digest_add(d, bytes, (size_t)n);
		for (ssize_t i = 0; i < n; i++) {
			uint64_t pos = at + (uint64_t)i;

			if (pos >= x.offset + x.length &&
			    tree_file_next(f, pos, &x, &e) <= 0)
				x = (struct tree_extent){ UINT64_MAX / 2, 1 };
			if (pos < x.offset && bytes[i] != 0)
				ck_abort_msg("%s: a hole is not zeros", path);
		}
		at += (uint64_t)n;
	}
	ck_assert_msg(n == 0, "%s", e.msg);
	digest_take(d, hex);
	buf_printf(&l->text, " %.16s", hex);
}

UNUSED static void tell_xattrs(struct telling *l, const char *path)
{
	struct tree_xattrs x;
	struct err e;

	ck_assert_msg(tree_xattrs(l->t, path, l->mem, &x, &e) == 0, "%s",
		      e.msg);
	for (size_t i = 0; i < x.n; i++) {
		char hex[DIGEST_HEX];

		digest_of(x.v[i].value, x.v[i].size, hex);
		buf_printf(&l->text, " %s=%zu:%.8s", x.v[i].name, x.v[i].size,
			   hex);
	}
}

UNUSED static int tell(void *arg, const char *path, const struct tree_stat *st,
		       struct err *e)
{
	struct telling *l = arg;
	const char *target;

	ck_assert_msg(st != NULL, "%s", st ? "" : e->msg);
	if (str_eq(path, "lost+found"))
		return 1;
	buf_printf(&l->text, "/%s %o %u:%u", path, st->mode, st->uid, st->gid);
	if (*path)
		buf_printf(&l->text, " n%u t%" PRId64, st->nlink,
			   (int64_t)st->mtime.tv_sec);
	if (!S_ISDIR(st->mode))
		buf_printf(&l->text, " s%" PRIu64 " %u,%u", st->size,
			   st->rdev_major, st->rdev_minor);
	tell_xattrs(l, path);
	if (S_ISLNK(st->mode)) {
		ck_assert_int_eq(tree_readlink(l->t, path, l->mem, &target, e),
				 0);
		buf_printf(&l->text, " -> %s", target);
	}
	if (S_ISREG(st->mode))
		tell_content(l, path);
	buf_addc(&l->text, '\n');
	return 0;
}

UNUSED static char *text_of(struct box *b, struct tree *t)
{
	struct telling l = { .t = t, .mem = b->mem };
	char *text;

	ck_assert_msg(tree_walk(t, "", true, tell, &l, &b->e) == 0, "%s",
		      b->e.msg);
	text = arena_strdup(b->mem, buf_str(&l.text));
	buf_done(&l.text);
	return text;
}

/* Line by line, so that a difference is short. */
UNUSED static void same_text(struct box *b, const char *want, const char *got,
			     const char *what)
{
	struct slice x = { want, strlen(want) }, y = { got, strlen(got) };
	struct slice p = { 0 }, q = { 0 };

	while (slice_next(&x, '\n', &p)) {
		if (!slice_next(&y, '\n', &q))
			q = (struct slice){ "nothing", 7 };
		ck_assert_msg(slice_eq(q, slice_dup(b->mem, p)),
			      "%s:\n%.*s\nnot\n%.*s", what, (int)q.n, q.p,
			      (int)p.n, p.p);
	}
	ck_assert(!slice_next(&y, '\n', &q));
}

#endif
