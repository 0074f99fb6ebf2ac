/*
 * Packing: each entry of the walk is read once and becomes a member of those
 * variants that take it, or a line of the result.
 */
#include "pack/pack.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "pack/content.h"
#include "pack/extents.h"
#include "pack/list.h"
#include "pack/meta.h"
#include "pack/order.h"
#include "pack/variant.h"

enum { PIECE = 1 << 20 }; /* read at a time, bytes */

struct pack {
	struct tree *tree;
	const struct pack_job *job;
	const struct pack_options *o;
	struct arena *mem;     /* of the result */
	struct arena *scratch; /* of the whole run */
	struct variant variants[PACK_VARIANTS];
	size_t n; /* variants opened */
	struct list *list;
	struct pack_result read; /* what holds for all variants */
	uint64_t dev;            /* of the root */
	char *bytes;             /* PIECE */
};

/* One entry on its way; dies with the visit. */
struct item {
	const char *path; /* as tree_walk says it */
	const struct tree_stat *st;
	bool shared; /* its inode has more names, which stay together */
	struct arena *mem;
	struct member source; /* as VARIANT_TREE takes it */
	struct tree_file *file;
	struct variant_act acts[PACK_VARIANTS];
	char content[CONTENT_TEXT];
};

static void pack_done(struct pack *p)
{
	for (size_t i = 0; i < p->n; i++)
		variant_done(&p->variants[i]);
	list_closep(&p->list);
	arena_freep(&p->scratch);
}

static void item_done(struct item *it)
{
	tree_file_closep(&it->file);
	arena_freep(&it->mem);
}

static void note(struct pack *p, struct pack_names *names, const char *path)
{
	if (names->n++ < PACK_NAMES)
		strv_add(p->mem, &names->first,
			 arena_printf(p->mem, "/%s", path));
}

static bool is_gone(int code)
{
	switch (code) {
	case ENOENT: /* removed; the rest: replaced by something else */
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case EINVAL:
	case ESTALE:
		return true;
	default:
		return false;
	}
}

/* Why an entry is not in the archive; the packing goes on. */
static int lost(struct pack *p, const char *path, const struct err *why)
{
	note(p, is_gone(why->code) ? &p->read.vanished : &p->read.unreadable,
	     path);
	return 0;
}

/* 0, or which way a path is left out. */
enum skip { SKIP_NOT, SKIP_ALL, SKIP_BELOW };

static enum skip skip_of(const char *skip, const char *path)
{
	size_t n;

	while (*skip == '/' || str_starts(skip, "./"))
		skip += *skip == '/' ? 1 : 2;
	n = strlen(skip);
	if (n > 2 && str_ends(skip, "/*"))
		return strncmp(skip, path, n - 2) == 0 && !path[n - 2] ?
			       SKIP_BELOW :
			       SKIP_NOT;
	while (n > 0 && skip[n - 1] == '/')
		n--;
	return n > 0 && strncmp(skip, path, n) == 0 && !path[n] ? SKIP_ALL :
								  SKIP_NOT;
}

static enum skip is_skipped(const struct pack *p, const char *path)
{
	enum skip r = SKIP_NOT;

	for (size_t i = 0; i < p->o->n_skip && r != SKIP_ALL; i++) {
		enum skip one = skip_of(p->o->skip[i], path);

		if (one != SKIP_NOT)
			r = one;
	}
	return r;
}

static bool is_taken(const struct pack *p, const struct item *it,
		     enum variant_kind kind)
{
	for (size_t i = 0; i < p->n; i++)
		if (it->acts[i].kind == kind)
			return true;
	return false;
}

/* What cannot be taken from the tree is in no variant. */
static void leave_out(struct pack *p, struct item *it)
{
	for (size_t i = 0; i < p->n; i++)
		if (it->acts[i].kind == VARIANT_TREE)
			it->acts[i].kind = VARIANT_NOT;
}

/* Hands a member of one variant on, and to the list when it has no content. */
static int put_member(struct pack *p, size_t i, const struct member *m,
		      struct err *e)
{
	int r = variant_put(&p->variants[i], m, e);

	if (r < 0)
		return -1;
	if (r > 0)
		note(p, &p->read.unreadable, m->path);
	return 0;
}

static int put_list(struct pack *p, size_t i, const struct member *m,
		    const char *content, struct err *e)
{
	return p->list ? list_add(p->list, i, m, content, e) : 0;
}

static int read_link(struct pack *p, struct item *it, struct err *why)
{
	return tree_readlink(p->tree, it->path, it->mem, &it->source.target,
			     why);
}

/* What is announced is the open file's state, which the walk's may not be. */
static int read_file(struct pack *p, struct item *it, struct err *why)
{
	struct member *m = &it->source;

	if (tree_file_open(p->tree, it->path, &it->file, why))
		return -1;
	m->st = *tree_file_opened(it->file);
	if (extents_of(it->file, &m->st, it->mem, &m->data, &m->n_data, why))
		return -1;
	m->file = it->file;
	return 0;
}

static int read_nothing(struct pack *p UNUSED, struct item *it UNUSED,
			struct err *why UNUSED)
{
	return 0;
}

static int (*const read_type[])(struct pack *, struct item *, struct err *) = {
	[S_IFIFO >> 12] = read_nothing, [S_IFCHR >> 12] = read_nothing,
	[S_IFDIR >> 12] = read_nothing, [S_IFBLK >> 12] = read_nothing,
	[S_IFREG >> 12] = read_file,    [S_IFLNK >> 12] = read_link,
};

static bool is_known(uint32_t mode)
{
	size_t type = (mode & S_IFMT) >> 12;

	return type < COUNT(read_type) && read_type[type];
}

static int shift_ids(struct pack *p, struct item *it, struct member *m,
		     struct err *e)
{
	const struct shift *s = p->o->shift;

	if (!s)
		return 0;
	if (shift_owner(s, &m->st, e) ||
	    shift_xattrs(s, &m->xattrs, it->mem, e))
		return err_wrap(e, "shift ids of /%s",
				str_show(it->mem, it->path, strlen(it->path),
					 300));
	return 0;
}

/* Metadata of what is taken from the tree, or replaced by a file. */
static int read_item(struct pack *p, struct item *it, struct err *e)
{
	size_t type = (it->st->mode & S_IFMT) >> 12;
	struct member *m = &it->source;
	struct err why;

	m->path = it->path;
	m->st = *it->st;
	if (is_taken(p, it, VARIANT_TREE) && read_type[type](p, it, &why)) {
		lost(p, it->path, &why);
		leave_out(p, it);
		if (!is_taken(p, it, VARIANT_EDIT))
			return 0;
	}
	if (tree_xattrs(p->tree, it->path, it->mem, &m->xattrs, &why))
		note(p,
		     is_gone(why.code) ? &p->read.changed : &p->read.unreadable,
		     it->path);
	p->read.xattrs_dropped += meta_drop(&m->xattrs);
	return shift_ids(p, it, m, e);
}

/* Hands a piece of content to all that take it. */
static int put_data(struct pack *p, const struct item *it, uint64_t at,
		    size_t n, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		struct sink *s = p->variants[i].sink;

		if (it->acts[i].kind == VARIANT_TREE &&
		    s->ops->data(s, at, p->bytes, n, e))
			return -1;
	}
	return 0;
}

/* 1: the file is not what it was; what is missing becomes zeros. */
static int put_extent(struct pack *p, struct item *it,
		      const struct tree_extent *x, struct content *c,
		      struct err *e)
{
	struct err why;

	for (uint64_t done = 0; done < x->length;) {
		uint64_t left = x->length - done, at = x->offset + done;
		ssize_t n = tree_file_read(it->file, at, p->bytes,
					   left < PIECE ? (size_t)left : PIECE,
					   &why);

		if (n < 0)
			note(p, &p->read.unreadable, it->path);
		if (n <= 0)
			return 1;
		if (c)
			content_add(c, at, p->bytes, (size_t)n);
		if (put_data(p, it, at, (size_t)n, e))
			return -1;
		done += (uint64_t)n;
		p->read.bytes_in += (uint64_t)n;
	}
	return 0;
}

static uint64_t holes_of(const struct member *m)
{
	uint64_t data = 0;

	for (size_t i = 0; i < m->n_data; i++)
		data += m->data[i].length;
	return m->st.size > data ? m->st.size - data : 0;
}

static int put_content(struct pack *p, struct item *it, struct err *e)
{
	const struct member *m = &it->source;
	struct content *c CLEANUP(content_freep) = NULL;
	int r = 0;

	if (p->list)
		c = content_new(m->st.size,
				content_has_large_holes(holes_of(m)));
	for (size_t i = 0; i < m->n_data && r == 0; i++)
		r = put_extent(p, it, &m->data[i], c, e);
	if (r < 0)
		return -1;
	if (c)
		content_end(c, it->content);
	return 0;
}

static bool is_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_unchanged(const struct tree_stat *a, const struct tree_stat *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       is_time(&a->mtime, &b->mtime) && is_time(&a->ctime, &b->ctime);
}

static int put_file(struct pack *p, struct item *it, struct err *e)
{
	struct tree_stat after;
	struct err why;

	if (put_content(p, it, e))
		return -1;
	if (tree_file_stat(it->file, &after, &why) ||
	    !is_unchanged(it->st, &it->source.st) ||
	    !is_unchanged(&it->source.st, &after))
		note(p, &p->read.changed, it->path);
	return 0;
}

static int put_hardlink(struct pack *p, size_t i, struct item *it,
			struct err *e)
{
	struct member m = { .path = it->path,
			    .st = *it->st,
			    .first = it->acts[i].first };

	if (p->o->shift && shift_owner(p->o->shift, &m.st, e))
		return err_wrap(e, "shift ids of /%s", it->path);
	m.st.size = 0;
	return put_member(p, i, &m, e) || put_list(p, i, &m, NULL, e) ? -1 : 0;
}

/* old: what is replaced, or NULL. */
static int put_edit(struct pack *p, size_t i, const char *path,
		    const struct overlay_entry *edit, const struct member *old,
		    struct err *e)
{
	struct variant *v = &p->variants[i];
	struct tree_extent all = { 0, edit->n };
	char content[CONTENT_TEXT] = "-";
	struct member m;

	if (variant_edit(v, path, edit, old, &m, e))
		return -1;
	if (edit->kind == OVERLAY_FILE) {
		m.data = &all;
		m.n_data = edit->n > 0;
		digest_of(edit->data, edit->n, content);
	}
	if (put_member(p, i, &m, e))
		return -1;
	if (m.n_data > 0 &&
	    v->sink->ops->data(v->sink, 0, edit->data, edit->n, e))
		return -1;
	return put_list(p, i, &m, content, e);
}

static int put_tree(struct pack *p, size_t i, struct item *it, struct err *e)
{
	struct variant *v = &p->variants[i];

	if (put_member(p, i, &it->source, e))
		return -1;
	if (it->shared)
		links_add(&v->links, it->st->dev, it->st->ino,
			  arena_strdup(v->mem, it->path));
	return 0;
}

static int put_acts(struct pack *p, struct item *it, struct err *e)
{
	for (size_t i = 0; i < p->n; i++)
		if (it->acts[i].kind == VARIANT_TREE && put_tree(p, i, it, e))
			return -1;
	if (it->file && is_taken(p, it, VARIANT_TREE) && put_file(p, it, e))
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		const struct variant_act *a = &it->acts[i];
		int r = 0;

		if (a->kind == VARIANT_TREE)
			r = put_list(p, i, &it->source, it->content, e);
		else if (a->kind == VARIANT_LINK)
			r = put_hardlink(p, i, it, e);
		else if (a->kind == VARIANT_EDIT)
			r = put_edit(p, i, it->path, a->edit, &it->source, e);
		if (r)
			return -1;
	}
	return 0;
}

/* The edits for paths that the tree does not have, before path. */
static int add_before(struct pack *p, const char *path, struct err *e)
{
	for (;;) {
		const char *first = path;

		for (size_t i = 0; i < p->n; i++) {
			const struct edit *x =
				edits_peek(&p->variants[i].edits);

			if (x && (!first || order_paths(x->path, first) < 0))
				first = x->path;
		}
		if (first == path)
			return 0;
		for (size_t i = 0; i < p->n; i++) {
			struct variant *v = &p->variants[i];
			const struct edit *x = edits_take(&v->edits, first);
			const struct overlay_entry *what =
				x ? variant_addition(x) : NULL;

			if (what && put_edit(p, i, first, what, NULL, e))
				return -1;
		}
	}
}

/*
 * Names of an immutable inode were put together by the old host's unification,
 * which breaks them at the first write; elsewhere nothing would.
 */
static bool is_unified(const struct tree_stat *st)
{
	return S_ISREG(st->mode) && st->nlink > 1 &&
	       (st->flags & FS_IMMUTABLE_FL);
}

static int decide(struct pack *p, struct item *it, struct err *e)
{
	for (size_t i = 0; i < p->n; i++)
		if (variant_decide(&p->variants[i], it->path, it->st,
				   it->shared, &it->acts[i], e))
			return -1;
	if (S_ISSOCK(it->st->mode)) { /* lives as long as who listens */
		p->read.sockets++;
		leave_out(p, it);
	}
	return 0;
}

static int put(struct pack *p, const char *path, const struct tree_stat *st,
	       struct err *e)
{
	struct item it CLEANUP(item_done) = {
		.path = path,
		.st = st,
		.mem = arena_new(),
		.shared = st->nlink > 1 && !S_ISDIR(st->mode) &&
			  !is_unified(st),
		.content = "-",
	};

	if (!is_known(st->mode) && !S_ISSOCK(st->mode))
		return lost(p, path, &(struct err){ .code = EIO });
	if (decide(p, &it, e))
		return -1;
	if (is_taken(p, &it, VARIANT_TREE) && is_unified(st))
		p->read.unified++;
	if ((is_taken(p, &it, VARIANT_TREE) ||
	     is_taken(p, &it, VARIANT_EDIT)) &&
	    read_item(p, &it, e))
		return -1;
	return put_acts(p, &it, e);
}

static bool is_hidden(const struct pack *p, const char *path)
{
	for (size_t i = 0; i < p->n; i++)
		if (!variant_hides(&p->variants[i], path))
			return false;
	return true;
}

static int visit(void *arg, const char *path, const struct tree_stat *st,
		 struct err *e)
{
	struct pack *p = arg;
	enum skip skip = is_skipped(p, path);

	if (skip == SKIP_ALL) {
		p->read.skipped++;
		return 1;
	}
	if (!st)
		return *path ? lost(p, path, e) : -1;
	if (*path == '\0')
		p->dev = st->dev;
	else if (add_before(p, path, e))
		return -1;
	if (st->flags)
		note(p, &p->read.flagged, path);
	if (S_ISDIR(st->mode) && p->o->one_fs && st->dev != p->dev)
		note(p, &p->read.mounts, path);
	if (put(p, path, st, e))
		return -1;
	return skip == SKIP_BELOW || is_hidden(p, path);
}

static int open_list(struct pack *p, struct err *e)
{
	const char **names;

	if (!p->job->files)
		return 0;
	names = arena_alloc(p->scratch, p->job->n * sizeof(*names));
	for (size_t i = 0; i < p->job->n; i++)
		names[i] = p->job->variants[i].name;
	return list_open(p->job->dirfd, p->job->files, names, p->job->n,
			 &p->list, e);
}

static int open_all(struct pack *p, struct err *e)
{
	if (p->job->n == 0 || p->job->n > PACK_VARIANTS)
		return err_set(e, EINVAL, "%zu variants", p->job->n);
	p->scratch = arena_new();
	p->bytes = arena_alloc(p->scratch, PIECE);
	while (p->n < p->job->n) {
		struct variant *v = &p->variants[p->n++];

		if (variant_open(v, p->job, p->n - 1, e))
			return -1;
	}
	return open_list(p, e);
}

static int finish(struct pack *p, struct pack_outcome *ret, struct err *e)
{
	struct out_totals totals;

	for (size_t i = 0; i < p->n; i++) {
		struct sink *s = p->variants[i].sink;
		struct pack_result *r = &p->variants[i].result;

		if (s->ops->finish(s, &totals, e))
			return -1;
		r->bytes_tar = totals.bytes_tar;
		r->bytes_out = totals.bytes_out;
		memcpy(r->sha256, totals.sha256, DIGEST_HEX);
		memcpy(r->tar_sha256, totals.tar_sha256, DIGEST_HEX);
	}
	if (!p->list)
		return 0;
	if (list_finish(p->list, &totals, &ret->files_lines, e))
		return -1;
	ret->files_bytes = totals.bytes_out;
	memcpy(ret->files_sha256, totals.sha256, DIGEST_HEX);
	return 0;
}

static int place(struct pack *p, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		struct sink *s = p->variants[i].sink;

		if (s->ops->place(s, e))
			return -1;
	}
	return p->list ? list_place(p->list, e) : 0;
}

/* The numbers of the read into the result of a variant. */
static struct pack_result result_of(const struct pack *p, size_t i)
{
	struct pack_result r = p->variants[i].result;

	r.sockets = p->read.sockets;
	r.skipped = p->read.skipped;
	r.unified = p->read.unified;
	r.xattrs_dropped = p->read.xattrs_dropped;
	r.bytes_in = p->read.bytes_in;
	r.changed = p->read.changed;
	r.vanished = p->read.vanished;
	r.unreadable = p->read.unreadable;
	r.flagged = p->read.flagged;
	r.mounts = p->read.mounts;
	r.incomplete = r.unreadable.n > 0;
	return r;
}

int pack_run(struct tree *t, const struct pack_job *job, struct arena *mem,
	     struct pack_outcome *ret, struct err *e)
{
	struct pack p CLEANUP(pack_done) = {
		.tree = t, .job = job, .o = job->options, .mem = mem
	};
	struct pack_outcome outcome = { 0 };

	if (open_all(&p, e) || tree_walk(t, "", p.o->one_fs, visit, &p, e) ||
	    add_before(&p, NULL, e) || finish(&p, &outcome, e) || place(&p, e))
		return err_wrap(e, "pack %s", tree_name(t));
	outcome.n = p.n;
	outcome.v = arena_alloc(mem, p.n * sizeof(*outcome.v));
	for (size_t i = 0; i < p.n; i++)
		outcome.v[i] = result_of(&p, i);
	*ret = outcome;
	return 0;
}

int pack_write(struct tree *t, int dirfd, const char *name,
	       const struct pack_options *o, struct arena *mem,
	       struct pack_result *ret, struct err *e)
{
	const struct pack_variant variant = { .name = name,
					      .keep_nodes = o->keep_nodes };
	const struct pack_job job = {
		.dirfd = dirfd, .options = o, .variants = &variant, .n = 1
	};
	struct pack_outcome outcome;

	if (pack_run(t, &job, mem, &outcome, e))
		return -1;
	*ret = outcome.v[0];
	return 0;
}
