/*
 * The operations of a tree on an ext2/3/4 file system: names are looked up
 * here, component by component, links are followed beneath the root.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "image/ext4.h"

enum {
	MAX_LINKS = 40,         /* followed for one path, as the kernel */
	VISIBLE = 0x705bdfff,   /* flags that FS_IOC_GETFLAGS shows */
	MAX_PATH = 1024 * 1024, /* bytes, of a path with links in it */
};

static struct ext4_tree *of(struct tree *t)
{
	return (struct ext4_tree *)t;
}

static const char *skip_slashes(const char *path)
{
	while (*path == '/')
		path++;
	return path;
}

static const char *full_name(const struct ext4_tree *t, const char *path,
			     struct arena *mem)
{
	path = skip_slashes(path);
	return arena_printf(mem, "%s%s%s", t->tree.name, *path ? "/" : "",
			    path);
}

static const char *show(const struct ext4_tree *t, const char *path,
			struct arena *mem)
{
	const char *full = full_name(t, path, mem);

	return str_show(mem, full, strlen(full), 300);
}

int ext4_tree_fail(const struct ext4_tree *t, const char *op, const char *path,
		   struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const char *name = show(t, path, mem);
	int code = e->code;

	/* without text: one of errno that the path got */
	if (!*e->msg) {
		err_fill(e, code, "%s %s", op, name);
		return -1;
	}
	err_push(e, "%s %s", op, name);
	return -1;
}

/* --- looking names up ----------------------------------------------------- */

/* A directory on the way, and its name in the one before. */
struct step {
	uint32_t ino;
	const char *name;
};

struct lookup {
	struct ext4_tree *t;
	struct arena *mem;
	VEC(struct step) way;    /* the root first */
	struct ext4_inode inode; /* of the last */
	struct slice rest;       /* of the path */
	unsigned links;
	bool follow; /* a link at the end, too */
};

/* Only a code: the caller names the path. */
static int no(int code, struct err *e)
{
	*e = (struct err){ .code = code };
	return -1;
}

static int load(struct lookup *l, struct err *e)
{
	return ext4_inode(l->t->x, l->way.v[l->way.n - 1].ino, &l->inode, e);
}

static bool is_last(const struct lookup *l)
{
	return *skip_slashes(l->rest.p) == '\0';
}

/* The link just looked up: its text goes before the rest. */
static int follow(struct lookup *l, struct err *e)
{
	const char *text, *all;

	if (++l->links > MAX_LINKS)
		return no(ELOOP, e);
	if (ext4_file_link(l->t->x, &l->inode, l->mem, &text, e))
		return -1;
	all = arena_printf(l->mem, "%s%s%s", text, l->rest.n > 0 ? "/" : "",
			   l->rest.n > 0 ? l->rest.p : "");
	l->rest = (struct slice){ all, strlen(all) };
	if (l->rest.n > MAX_PATH)
		return no(ENAMETOOLONG, e);
	l->way.n = *text == '/' ? 1 : l->way.n - 1;
	return load(l, e);
}

static int go_up(struct lookup *l, struct err *e)
{
	if (l->way.n > 1)
		l->way.n--;
	return load(l, e);
}

static int go_down(struct lookup *l, struct slice name, bool slash,
		   struct err *e)
{
	uint32_t ino;
	int r;

	if (name.n > NAME_MAX)
		return no(ENAMETOOLONG, e);
	r = ext4_dir_find(l->t->x, &l->inode, name, &ino, e);
	if (r <= 0)
		return r < 0 ? -1 : no(ENOENT, e);
	*vec_add(l->mem, &l->way) =
		(struct step){ ino, slice_dup(l->mem, name) };
	if (load(l, e))
		return -1;
	if (S_ISLNK(l->inode.raw.i_mode) && (l->follow || slash || !is_last(l)))
		return follow(l, e);
	return 0;
}

/* Takes the next component off the rest; slash: one stood behind it. */
static struct slice next_name(struct lookup *l, bool *ret_slash)
{
	const char *p = skip_slashes(l->rest.p);
	size_t n = strcspn(p, "/");

	l->rest = (struct slice){ p + n, strlen(p + n) };
	*ret_slash = l->rest.n > 0;
	return (struct slice){ p, n };
}

static int run(struct lookup *l, struct err *e)
{
	*vec_add(l->mem, &l->way) = (struct step){ l->t->root, "" };
	if (load(l, e))
		return -1;
	while (l->rest.n > 0) {
		bool slash;
		struct slice name = next_name(l, &slash);
		int r = 0;

		if (!S_ISDIR(l->inode.raw.i_mode))
			return no(ENOTDIR, e);
		if (slice_eq(name, ".."))
			r = go_up(l, e);
		else if (name.n > 0 && !slice_eq(name, "."))
			r = go_down(l, name, slash, e);
		if (r)
			return -1;
	}
	return 0;
}

/* Looks path up, with the lock; on failure *e is without path. */
static int look_up(struct ext4_tree *t, const char *path, bool follow_last,
		   struct lookup *l, struct err *e)
{
	*l = (struct lookup){
		.t = t,
		.mem = arena_new(),
		.rest = { path, strlen(path) },
		.follow = follow_last,
	};
	return run(l, e);
}

static void lookup_done(struct lookup *l)
{
	arena_freep(&l->mem);
}

/* The entry itself, no link at its end followed; quick where a walk is. */
static int find_entry(struct ext4_tree *t, const char *path,
		      struct ext4_inode *ret, struct err *e)
{
	struct lookup l CLEANUP(lookup_done) = { 0 };

	if (t->path && str_eq(skip_slashes(path), t->path)) {
		*ret = *t->inode;
		return 0;
	}
	if (look_up(t, path, false, &l, e))
		return -1;
	*ret = l.inode;
	return 0;
}

int ext4_tree_find(struct ext4_tree *t, const char *path,
		   struct ext4_inode *ret, struct err *e)
{
	struct ext4 *locked CLEANUP(ext4_unlock) = t->x;
	struct lookup l CLEANUP(lookup_done) = { 0 };

	ext4_lock(t->x);
	if (look_up(t, path, true, &l, e))
		return -1;
	*ret = l.inode;
	return 0;
}

/* --- the operations ------------------------------------------------------- */

static int op_stat(struct tree *t, const char *path, struct tree_stat *ret,
		   struct err *e)
{
	struct ext4_inode i;

	if (ext4_tree_find(of(t), path, &i, e))
		return ext4_tree_fail(of(t), "stat", path, e);
	ext4_stat(of(t)->x, &i, ret);
	return 0;
}

static int op_lstat(struct tree *t, const char *path, struct tree_stat *ret,
		    struct err *e)
{
	struct ext4 *x CLEANUP(ext4_unlock) = of(t)->x;
	struct ext4_inode i;

	ext4_lock(x);
	if (find_entry(of(t), path, &i, e))
		return ext4_tree_fail(of(t), "stat", path, e);
	ext4_stat(x, &i, ret);
	return 0;
}

static int op_readlink(struct tree *t, const char *path, struct arena *mem,
		       const char **ret, struct err *e)
{
	struct ext4 *x CLEANUP(ext4_unlock) = of(t)->x;
	struct ext4_inode i;
	int r;

	ext4_lock(x);
	r = find_entry(of(t), path, &i, e);
	if (r == 0)
		r = S_ISLNK(i.raw.i_mode) ? ext4_file_link(x, &i, mem, ret, e) :
					    no(EINVAL, e);
	return r ? ext4_tree_fail(of(t), "read link", path, e) : 0;
}

static int op_resolve(struct tree *t, const char *path, struct arena *mem,
		      const char **ret, struct err *e)
{
	struct ext4 *x CLEANUP(ext4_unlock) = of(t)->x;
	struct lookup l CLEANUP(lookup_done) = { 0 };
	struct buf full CLEANUP(buf_done) = { 0 };

	ext4_lock(x);
	if (look_up(of(t), path, true, &l, e))
		return ext4_tree_fail(of(t), "resolve", path, e);
	for (size_t i = 1; i < l.way.n; i++)
		buf_printf(&full, "/%s", l.way.v[i].name);
	*ret = arena_strdup(mem, l.way.n > 1 ? buf_str(&full) : "/");
	return 0;
}

static int op_list(struct tree *t, const char *path, struct arena *mem,
		   struct tree_entries *ret, struct err *e)
{
	struct ext4 *x CLEANUP(ext4_unlock) = of(t)->x;
	struct lookup l CLEANUP(lookup_done) = { 0 };
	int r;

	ext4_lock(x);
	r = look_up(of(t), path, true, &l, e);
	if (r == 0)
		r = S_ISDIR(l.inode.raw.i_mode) ?
			    ext4_dir_entries(x, &l.inode, mem, ret, e) :
			    no(ENOTDIR, e);
	return r ? ext4_tree_fail(of(t), "list", path, e) : 0;
}

static const struct {
	const char *text;
	int code;
} not_regular[] = {
	[S_IFIFO >> 12] = { "it is a FIFO", EINVAL },
	[S_IFCHR >> 12] = { "it is a character device", EINVAL },
	[S_IFDIR >> 12] = { "it is a directory", EISDIR },
	[S_IFBLK >> 12] = { "it is a block device", EINVAL },
	[S_IFLNK >> 12] = { "it is a link", ELOOP },
	[S_IFSOCK >> 12] = { "it is a socket", EINVAL },
};

static int open_inode(struct ext4_tree *t, const struct ext4_inode *i,
		      const char *path, struct tree_file **ret, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const char *name = show(t, path, mem);
	size_t type = (i->raw.i_mode & S_IFMT) >> 12;

	if (S_ISREG(i->raw.i_mode))
		return ext4_file_of(t->x, i, name, t->tree.ops, ret, e);
	if (type >= COUNT(not_regular) || !not_regular[type].text)
		return err_set(e, EINVAL, "read %s", name);
	err_fill(e, 0, "read %s: %s", name, not_regular[type].text);
	e->code = not_regular[type].code;
	return -1;
}

static int op_file_open(struct tree *t, const char *path,
			struct tree_file **ret, struct err *e)
{
	struct ext4_inode i;
	int r;

	ext4_lock(of(t)->x);
	r = find_entry(of(t), path, &i, e);
	ext4_unlock(&of(t)->x);
	if (r)
		return ext4_tree_fail(of(t), "open", path, e);
	return open_inode(of(t), &i, path, ret, e);
}

static int op_read(struct tree *t, const char *path, size_t max,
		   struct arena *mem, struct slice *ret, struct err *e)
{
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	struct ext4_inode i;
	uint64_t size;
	char *data;

	if (ext4_tree_find(of(t), path, &i, e))
		return ext4_tree_fail(of(t), "open", path, e);
	if (open_inode(of(t), &i, path, &f, e))
		return -1;
	size = f->opened.size;
	if (size > max) {
		err_fill(e, 0, "read %s: it is larger than %zu bytes", f->name,
			 max);
		e->code = EFBIG;
		return -1;
	}
	data = arena_alloc(mem, (size_t)size + 1);
	if (size > 0 && ext4_file_read(f, 0, data, (size_t)size, e) < 0)
		return -1;
	*ret = (struct slice){ data, (size_t)size };
	return 0;
}

static int op_xattrs(struct tree *t, const char *path, struct arena *mem,
		     struct tree_xattrs *ret, struct err *e)
{
	struct ext4 *x CLEANUP(ext4_unlock) = of(t)->x;
	struct ext4_inode i;

	ext4_lock(x);
	if (find_entry(of(t), path, &i, e) || ext4_xattrs(x, &i, mem, ret, e))
		return ext4_tree_fail(of(t), "xattrs of", path, e);
	return 0;
}

static int op_flags(struct tree *t, const char *path, uint32_t *ret,
		    struct err *e)
{
	struct ext4 *x CLEANUP(ext4_unlock) = of(t)->x;
	struct ext4_inode i;

	ext4_lock(x);
	if (find_entry(of(t), path, &i, e))
		return ext4_tree_fail(of(t), "flags of", path, e);
	*ret = S_ISREG(i.raw.i_mode) || S_ISDIR(i.raw.i_mode) ?
		       i.raw.i_flags & VISIBLE :
		       0;
	return 0;
}

static void op_close(struct tree *t)
{
	ext4_drop(of(t)->x);
}

static int op_sub(struct tree *t, const char *path, struct tree **ret,
		  struct err *e);

static const struct tree_ops ops = {
	.close = op_close,
	.sub = op_sub,
	.stat = op_stat,
	.lstat = op_lstat,
	.readlink = op_readlink,
	.resolve = op_resolve,
	.list = op_list,
	.read = op_read,
	.xattrs = op_xattrs,
	.flags = op_flags,
	.walk = ext4_walk,
	.file_open = op_file_open,
	.file_close = ext4_file_close,
	.file_stat = ext4_file_stat,
	.file_read = ext4_file_read,
	.file_next = ext4_file_next,
	.file_fd = ext4_file_fd,
};

static struct ext4_tree *new_tree(struct ext4 *x, const char *name)
{
	struct arena *mem = arena_new();
	struct ext4_tree *t = arena_alloc(mem, sizeof(*t));

	t->tree.ops = &ops;
	t->tree.mem = mem;
	t->tree.name = arena_strdup(mem, name);
	t->x = x;
	t->root = EXT2_ROOT_INO;
	return t;
}

struct tree *ext4_tree(struct ext4 *x, const char *name)
{
	struct ext4_tree *t = new_tree(x, name);

	t->tree.still = true;
	return &t->tree;
}

static int op_sub(struct tree *t, const char *path, struct tree **ret,
		  struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct ext4_tree *sub;
	struct ext4_inode i;

	if (ext4_tree_find(of(t), path, &i, e))
		return ext4_tree_fail(of(t), "open", path, e);
	if (!S_ISDIR(i.raw.i_mode)) {
		no(ENOTDIR, e);
		return ext4_tree_fail(of(t), "open", path, e);
	}
	sub = new_tree(ext4_use(of(t)->x), full_name(of(t), path, mem));
	sub->root = i.ino;
	sub->tree.still = t->still;
	*ret = &sub->tree;
	return 0;
}
