/*
 * Walking an ext2/3/4 file system. A directory is gone into once: one that has
 * several names, or holds itself, is reported at the second.
 */
#include <errno.h>
#include <string.h>

#include "image/ext4.h"

enum {
	BITS = 1 << 15,   /* inodes of one piece of the map below */
	PIECES = 1 << 17, /* for 2^32 inodes */
};

struct frame {
	struct arena *mem; /* of the entries */
	struct tree_entries list;
	size_t next;
	size_t path_n; /* how much of the walk's path names this directory */
};

struct walk {
	struct ext4_tree *t;
	const struct tree_visitor *visitor;
	struct arena *mem;
	struct buf path;   /* start, a slash, and where we are beneath it */
	size_t start_n;    /* where the part begins that visitors see */
	uint8_t **entered; /* a bit for each directory */
	VEC(struct frame) stack;
	const char *outer_path; /* those of an outer walk are put back */
	const struct ext4_inode *outer_inode;
};

static void walk_done(struct walk *w)
{
	for (size_t i = 0; i < w->stack.n; i++)
		arena_freep(&w->stack.v[i].mem);
	w->t->path = w->outer_path;
	w->t->inode = w->outer_inode;
	buf_done(&w->path);
	arena_freep(&w->mem);
}

/* Whether it was entered before; it is from now on. */
static bool enters_again(struct walk *w, uint32_t ino)
{
	uint8_t **piece = &w->entered[ino / BITS];
	uint8_t bit = (uint8_t)(1U << ino % 8), *byte;

	if (!*piece)
		*piece = arena_alloc(w->mem, BITS / 8);
	byte = *piece + ino % BITS / 8;
	if (*byte & bit)
		return true;
	*byte |= bit;
	return false;
}

/* i NULL: *e says why. */
static int call(struct walk *w, const struct ext4_inode *i, struct err *e)
{
	const char *path = buf_str(&w->path);
	struct tree_stat st;

	w->t->path = i ? path : NULL;
	w->t->inode = i;
	if (i)
		ext4_stat(w->t->x, i, &st);
	path = w->path.n >= w->start_n ? path + w->start_n : "";
	return w->visitor->visit(w->visitor->arg, path, i ? &st : NULL, e);
}

/* Tells the visitor of an error. 1: the walk goes on past this entry. */
static int report(struct walk *w, const char *op, struct err *e)
{
	int r;

	ext4_tree_fail(w->t, op, buf_str(&w->path), e);
	r = call(w, NULL, e);
	return r < 0 ? r : 1;
}

static int get_inode(struct walk *w, uint64_t ino, struct ext4_inode *ret,
		     struct err *e)
{
	struct ext4 *x CLEANUP(ext4_unlock) = w->t->x;

	ext4_lock(x);
	return ext4_inode(x, (uint32_t)ino, ret, e);
}

static int get_entries(struct walk *w, const struct ext4_inode *i,
		       struct frame *f, struct err *e)
{
	struct ext4 *x CLEANUP(ext4_unlock) = w->t->x;

	ext4_lock(x);
	return ext4_dir_entries(x, i, f->mem, &f->list, e);
}

/* Makes the directory the top. 1: it is not gone into, which was reported. */
static int enter(struct walk *w, const struct ext4_inode *i, struct err *e)
{
	struct frame f = { .path_n = w->path.n };

	if (enters_again(w, i->ino)) {
		*e = (struct err){ .code = ELOOP };
		return report(w, "list", e);
	}
	f.mem = arena_new();
	if (get_entries(w, i, &f, e)) {
		arena_freep(&f.mem);
		return report(w, "list", e);
	}
	*vec_add(w->mem, &w->stack) = f;
	return 0;
}

/* 1: it is done; 0: it is a directory, which is the top now. */
static int visit(struct walk *w, uint64_t ino, struct err *e)
{
	struct ext4_inode i;
	int r;

	if (get_inode(w, ino, &i, e))
		return report(w, "stat", e);
	r = call(w, &i, e);
	if (r == 0 && S_ISDIR(i.raw.i_mode))
		return enter(w, &i, e);
	return r < 0 ? r : 1;
}

static void path_cut(struct walk *w, size_t n)
{
	if (n < w->path.n)
		w->path.p[w->path.n = n] = '\0';
}

static int step(struct walk *w, struct err *e)
{
	struct frame *f = &w->stack.v[w->stack.n - 1];
	size_t path_n = f->path_n;
	int r;

	path_cut(w, path_n);
	if (f->next == f->list.n) {
		arena_freep(&f->mem);
		w->stack.n--;
		return 0;
	}
	if (path_n > 0)
		buf_addc(&w->path, '/');
	buf_adds(&w->path, f->list.v[f->next].name);
	r = visit(w, f->list.v[f->next++].ino, e);
	return r < 0 ? r : 0;
}

/* path without slashes at either end, as the paths of entries begin. */
static void set_start(struct walk *w, const char *path)
{
	size_t n;

	while (*path == '/')
		path++;
	n = strlen(path);
	while (n > 0 && path[n - 1] == '/')
		n--;
	buf_add(&w->path, path, n);
	w->start_n = n > 0 ? n + 1 : 0;
}

int ext4_walk(struct tree *t, const char *path, bool one_fs UNUSED,
	      const struct tree_visitor *visitor, struct err *e)
{
	struct walk w CLEANUP(walk_done) = {
		.t = (struct ext4_tree *)t,
		.visitor = visitor,
		.mem = arena_new(),
		.outer_path = ((struct ext4_tree *)t)->path,
		.outer_inode = ((struct ext4_tree *)t)->inode,
	};
	struct ext4_inode start;
	int r;

	w.entered = arena_alloc(w.mem, PIECES * sizeof(*w.entered));
	set_start(&w, path);
	if (ext4_tree_find(w.t, path, &start, e))
		return ext4_tree_fail(w.t, "walk", path, e);
	r = call(&w, &start, e);
	if (r != 0 || !S_ISDIR(start.raw.i_mode))
		return r < 0 ? r : 0;
	r = enter(&w, &start, e);
	while (r >= 0 && w.stack.n > 0)
		r = step(&w, e);
	return r < 0 ? r : 0;
}
