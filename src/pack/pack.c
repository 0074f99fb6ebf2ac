/*
 * Packing: each entry of the walk is read once, ahead, and becomes a member of
 * those variants that take it, or a line of the result.
 */
#include "pack/pack.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "pack/ahead.h"
#include "pack/content.h"
#include "pack/list.h"
#include "pack/meta.h"
#include "pack/order.h"
#include "pack/variant.h"

enum { PIECE = 1 << 20 }; /* read at a time, bytes */

struct pack {
	struct tree *tree;  /* the thread's that reads ahead */
	struct tree *again; /* the same for this one, once it was needed */
	struct ahead *ahead;
	const struct pack_job *job;
	const struct pack_options *o;
	struct arena *mem;     /* of the result */
	struct arena *scratch; /* of the whole run */
	struct variant variants[PACK_VARIANTS];
	size_t n;                /* variants opened */
	struct list *list;       /* NULL: none is wanted */
	struct content *content; /* for it */
	struct pack_result read; /* what holds for all variants */
	uint64_t dev;            /* of the root */
	char *bytes;             /* PIECE */
};

/* One entry on its way; dies with the visit. */
struct item {
	const char *path;
	struct entry *en;
	bool shared;       /* its inode has more names, which stay together */
	struct arena *mem; /* NULL until some is needed */
	struct member source; /* as VARIANT_TREE takes it */
	struct variant_act acts[PACK_VARIANTS];
	char content[CONTENT_TEXT];
};

static void pack_done(struct pack *p)
{
	ahead_closep(&p->ahead);
	tree_closep(&p->again);
	for (size_t i = 0; i < p->n; i++)
		variant_done(&p->variants[i]);
	list_closep(&p->list);
	content_freep(&p->content);
	arena_freep(&p->scratch);
}

static bool is_unsorted(const struct pack *p)
{
	return tree_is_in_order(p->tree);
}

static void item_done(struct item *it)
{
	tree_file_closep(&it->en->file);
	arena_freep(&it->mem);
}

static struct arena *item_mem(struct item *it)
{
	if (!it->mem)
		it->mem = arena_new();
	return it->mem;
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

static int shift_ids(struct pack *p, struct item *it, struct member *m,
		     struct err *e)
{
	const struct shift *s = p->o->shift;

	if (!s)
		return 0;
	if (shift_owner(s, &m->st, e) ||
	    shift_xattrs(s, &m->xattrs, item_mem(it), e))
		return err_wrap(e, "shift ids of /%s",
				str_show(item_mem(it), it->path,
					 strlen(it->path), 300));
	return 0;
}

/* A name that was not read ahead, for others of its inode were. */
static int read_again(struct pack *p, struct item *it, struct err *e)
{
	if (it->en->is_read)
		return 0;
	if (!p->again && tree_sub(p->tree, "/", &p->again, e))
		return -1;
	entry_read(it->en, p->again, item_mem(it), NULL,
		   tree_is_still(p->tree));
	return 0;
}

/* Metadata of what is taken from the tree, or replaced by a file. */
static int read_item(struct pack *p, struct item *it, struct err *e)
{
	struct member *m = &it->source;
	struct entry *en = it->en;

	if (read_again(p, it, e))
		return -1;
	*m = (struct member){ .path = en->path,
			      .st = en->lost ? en->st : en->opened,
			      .xattrs = en->xattrs,
			      .target = en->target,
			      .data = en->data,
			      .n_data = en->n_data,
			      .file = en->file };
	if (en->lost && is_taken(p, it, VARIANT_TREE)) {
		lost(p, it->path, en->lost);
		leave_out(p, it);
		if (!is_taken(p, it, VARIANT_EDIT))
			return 0;
	}
	if (en->xattrs_lost)
		note(p,
		     is_gone(en->xattrs_lost->code) ? &p->read.changed :
						      &p->read.unreadable,
		     it->path);
	p->read.xattrs_dropped += meta_drop(&m->xattrs);
	return shift_ids(p, it, m, e);
}

/* Hands a piece of content to all that take it. */
static int put_data(struct pack *p, const struct item *it, uint64_t at,
		    const char *bytes, size_t n, struct content *c,
		    struct err *e)
{
	p->read.bytes_in += n;
	if (p->o->read)
		__atomic_store_n(p->o->read, p->read.bytes_in,
				 __ATOMIC_RELAXED);
	if (c)
		content_add(c, at, bytes, n);
	for (size_t i = 0; i < p->n; i++) {
		struct sink *s = p->variants[i].sink;

		if (it->acts[i].kind == VARIANT_TREE &&
		    s->ops->data(s, at, bytes, n, e))
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
		ssize_t n = tree_file_read(it->en->file, at, p->bytes,
					   left < PIECE ? (size_t)left : PIECE,
					   &why);

		if (n < 0 && is_unsorted(p)) { /* nor can what follows be */
			*e = why;
			return -1;
		}
		if (n < 0)
			note(p, &p->read.unreadable, it->path);
		if (n <= 0)
			return 1;
		if (put_data(p, it, at, p->bytes, (size_t)n, c, e))
			return -1;
		done += (uint64_t)n;
	}
	return 0;
}

static int put_whole(struct pack *p, struct item *it, struct content *c,
		     struct err *e)
{
	if (it->en->bytes_lost)
		note(p, &p->read.unreadable, it->path);
	return it->en->n > 0 ?
		       put_data(p, it, 0, it->en->bytes, it->en->n, c, e) :
		       0;
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
	struct content *c = p->content;
	int r = 0;

	if (c)
		content_begin(c, m->st.size,
			      content_has_large_holes(holes_of(m)));
	if (it->en->is_whole)
		r = put_whole(p, it, c, e);
	for (size_t i = 0; i < m->n_data && r == 0 && !it->en->is_whole; i++)
		r = put_extent(p, it, &m->data[i], c, e);
	if (r < 0)
		return -1;
	if (c)
		content_end(c, it->content);
	return 0;
}

/* Whether it changed while the walk and we looked at it. */
static bool is_changed(const struct entry *en)
{
	struct tree_stat now;
	struct err why;

	if (en->changed || !entry_is_same(&en->st, &en->opened))
		return true;
	return en->file && (tree_file_stat(en->file, &now, &why) ||
			    !entry_is_same(&en->opened, &now));
}

static int put_file(struct pack *p, struct item *it, struct err *e)
{
	if (put_content(p, it, e))
		return -1;
	if (is_changed(it->en))
		note(p, &p->read.changed, it->path);
	return 0;
}

static int put_hardlink(struct pack *p, size_t i, struct item *it,
			struct err *e)
{
	struct member m = { .path = it->path,
			    .st = it->en->st,
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
		links_add(&v->links, it->en->st.dev, it->en->st.ino,
			  arena_strdup(v->mem, it->path));
	return 0;
}

static int put_acts(struct pack *p, struct item *it, struct err *e)
{
	for (size_t i = 0; i < p->n; i++)
		if (it->acts[i].kind == VARIANT_TREE && put_tree(p, i, it, e))
			return -1;
	if (S_ISREG(it->en->st.mode) && is_taken(p, it, VARIANT_TREE) &&
	    put_file(p, it, e))
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

/* The first edit of a path that the tree does not have; NULL: none. */
static const char *addition(struct pack *p, const char *path, const char *with)
{
	const char *first = path;

	for (size_t i = 0; i < p->n; i++) {
		const struct edit *x = edits_peek(&p->variants[i].edits, with);

		if (x && (!first || order_paths(x->path, first) < 0))
			first = x->path;
	}
	return first;
}

/*
 * The edits for paths that the tree does not have, before path; in a walk that
 * is not sorted those with a directory, or all that are left.
 */
static int add_before(struct pack *p, const char *path, const char *with,
		      struct err *e)
{
	const char *first;

	while ((first = addition(p, path, with)) != path) {
		for (size_t i = 0; i < p->n; i++) {
			struct variant *v = &p->variants[i];
			const struct edit *x = edits_take(&v->edits, first);
			const struct overlay_entry *what =
				x ? variant_addition(x) : NULL;

			if (what && put_edit(p, i, first, what, NULL, e))
				return -1;
		}
	}
	return 0;
}

static int decide(struct pack *p, struct item *it, struct err *e)
{
	for (size_t i = 0; i < p->n; i++)
		if (variant_decide(&p->variants[i], it->path, &it->en->st,
				   it->shared, &it->acts[i], e))
			return -1;
	if (S_ISSOCK(it->en->st.mode)) { /* lives as long as who listens */
		p->read.sockets++;
		leave_out(p, it);
	}
	return 0;
}

static int put(struct pack *p, struct entry *en, struct err *e)
{
	struct item it CLEANUP(item_done) = {
		.path = en->path,
		.en = en,
		.shared = entry_is_shared(&en->st),
		.content = "-",
	};

	if (!entry_is_known(en->st.mode) && !S_ISSOCK(en->st.mode))
		return lost(p, en->path, &(struct err){ .code = EIO });
	if (decide(p, &it, e))
		return -1;
	if (is_taken(p, &it, VARIANT_TREE) && entry_is_unified(&en->st))
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

static enum ahead_way way(const void *arg, const char *path)
{
	static const enum ahead_way ways[] = {
		[SKIP_NOT] = AHEAD_READ,
		[SKIP_ALL] = AHEAD_NAME,
		[SKIP_BELOW] = AHEAD_ONLY,
	};

	return ways[is_skipped(arg, path)];
}

static int see(struct pack *p, struct entry *en, struct err *e)
{
	const struct tree_stat *st = &en->st;

	if (is_hidden(p, en->path)) /* beneath what an edit took */
		return 0;
	if (is_skipped(p, en->path) == SKIP_ALL) {
		p->read.skipped++;
		return 0;
	}
	if (en->why && *en->path)
		return lost(p, en->path, en->why);
	if (en->why) {
		*e = *en->why;
		return -1;
	}
	if (*en->path == '\0')
		p->dev = st->dev;
	else if (!is_unsorted(p) && add_before(p, en->path, NULL, e))
		return -1;
	if (st->flags)
		note(p, &p->read.flagged, en->path);
	if (S_ISDIR(st->mode) && p->o->one_fs && st->dev != p->dev)
		note(p, &p->read.mounts, en->path);
	if (put(p, en, e))
		return -1;
	return is_unsorted(p) && S_ISDIR(st->mode) ?
		       add_before(p, NULL, en->path, e) :
		       0;
}

static int see_all(struct pack *p, struct err *e)
{
	const struct ahead_options o = {
		.one_fs = p->o->one_fs,
		.with_content = !p->o->as_tree && !is_unsorted(p),
		.way = way,
		.arg = p,
	};
	struct entry *en;
	int r;

	if (ahead_open(p->tree, &o, &p->ahead, e))
		return -1;
	while ((r = ahead_next(p->ahead, &en, e)) > 0)
		if (see(p, en, e))
			return -1;
	ahead_closep(&p->ahead);
	return r < 0 ? -1 : add_before(p, NULL, NULL, e);
}

static int open_list(struct pack *p, struct err *e)
{
	const char **names;

	if (!p->job->files)
		return 0;
	names = arena_alloc(p->scratch, p->job->n * sizeof(*names));
	for (size_t i = 0; i < p->job->n; i++)
		names[i] = p->job->variants[i].name;
	p->content = content_new();
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
		if (is_unsorted(p))
			edits_unsorted(&v->edits, p->tree, v->mem);
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

	if (open_all(&p, e) || see_all(&p, e) || finish(&p, &outcome, e) ||
	    place(&p, e))
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
