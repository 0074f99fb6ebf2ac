/* The tree interface: each call goes to the back end of the tree. */
#include "tree/tree.h"

#include <errno.h>
#include <sys/stat.h>

#include "tree/dir.h"
#include "tree/tree_ops.h"

int tree_open_dir(const char *path, struct tree **ret, struct err *e)
{
	return dir_open(path, ret, e);
}

int tree_sub(struct tree *t, const char *path, struct tree **ret, struct err *e)
{
	return t->ops->sub(t, path, ret, e);
}

void tree_close(struct tree *t)
{
	if (!t)
		return;
	t->ops->close(t);
	arena_free(t->mem);
}

void tree_closep(struct tree **t)
{
	tree_close(*t);
	*t = NULL;
}

void tree_set_still(struct tree *t)
{
	t->still = true;
}

bool tree_is_still(const struct tree *t)
{
	return t->still;
}

bool tree_is_in_order(const struct tree *t)
{
	return t->ops->in_order;
}

const char *tree_name(const struct tree *t)
{
	return t->name;
}

void tree_set_name(struct tree *t, const char *name)
{
	t->name = arena_strdup(t->mem, name);
}

int tree_stat(struct tree *t, const char *path, struct tree_stat *ret,
	      struct err *e)
{
	return t->ops->stat(t, path, ret, e);
}

int tree_lstat(struct tree *t, const char *path, struct tree_stat *ret,
	       struct err *e)
{
	return t->ops->lstat(t, path, ret, e);
}

bool tree_exists(struct tree *t, const char *path)
{
	struct tree_stat st;
	struct err e;

	return tree_stat(t, path, &st, &e) == 0;
}

bool tree_is_dir(struct tree *t, const char *path)
{
	struct tree_stat st;
	struct err e;

	return tree_stat(t, path, &st, &e) == 0 && S_ISDIR(st.mode);
}

int tree_readlink(struct tree *t, const char *path, struct arena *mem,
		  const char **ret, struct err *e)
{
	return t->ops->readlink(t, path, mem, ret, e);
}

int tree_resolve(struct tree *t, const char *path, struct arena *mem,
		 const char **ret, struct err *e)
{
	return t->ops->resolve(t, path, mem, ret, e);
}

int tree_list(struct tree *t, const char *path, struct arena *mem,
	      struct tree_entries *ret, struct err *e)
{
	return t->ops->list(t, path, mem, ret, e);
}

int tree_read(struct tree *t, const char *path, size_t max, struct arena *mem,
	      const char **ret_data, size_t *ret_n, struct err *e)
{
	struct slice data;

	if (t->ops->read(t, path, max, mem, &data, e))
		return -1;
	*ret_data = data.p;
	*ret_n = data.n;
	return 0;
}

int tree_xattrs(struct tree *t, const char *path, struct arena *mem,
		struct tree_xattrs *ret, struct err *e)
{
	return t->ops->xattrs(t, path, mem, ret, e);
}

int tree_flags(struct tree *t, const char *path, uint32_t *ret, struct err *e)
{
	return t->ops->flags(t, path, ret, e);
}

int tree_file_open(struct tree *t, const char *path, struct tree_file **ret,
		   struct err *e)
{
	return t->ops->file_open(t, path, ret, e);
}

void tree_file_closep(struct tree_file **f)
{
	if (!*f)
		return;
	(*f)->ops->file_close(*f);
	arena_free((*f)->mem);
	*f = NULL;
}

const struct tree_stat *tree_file_opened(const struct tree_file *f)
{
	return &f->opened;
}

int tree_file_stat(struct tree_file *f, struct tree_stat *ret, struct err *e)
{
	return f->ops->file_stat(f, ret, e);
}

ssize_t tree_file_read(struct tree_file *f, uint64_t offset, void *data,
		       size_t n, struct err *e)
{
	return f->ops->file_read(f, offset, data, n, e);
}

ssize_t tree_file_try(struct tree_file *f, uint64_t offset, void *data,
		      size_t n, struct err *e)
{
	if (!f->ops->file_try)
		return err_set(e, EOPNOTSUPP, "read %s", f->name);
	return f->ops->file_try(f, offset, data, n, e);
}

void tree_file_expect(struct tree_file *f, uint64_t offset, uint64_t n)
{
	if (f->ops->file_expect)
		f->ops->file_expect(f, offset, n);
}

int tree_file_next(struct tree_file *f, uint64_t at, struct tree_extent *ret,
		   struct err *e)
{
	return f->ops->file_next(f, at, ret, e);
}

int tree_file_fd(const struct tree_file *f)
{
	return f->ops->file_fd(f);
}

int tree_walk(struct tree *t, const char *path, bool one_fs, tree_visit visit,
	      void *arg, struct err *e)
{
	const struct tree_visitor visitor = { .visit = visit, .arg = arg };

	return t->ops->walk(t, path, one_fs, &visitor, e);
}
