/* One variant under way. */
#include "pack/variant.h"

#include <string.h>
#include <sys/stat.h>

#include "pack/archive.h"
#include "pack/order.h"
#include "pack/plant.h"

enum {
	WINDOW_LOG = 26,   /* 64 MiB: half of what every decoder accepts */
	MAX_JOBS = 5,      /* of all variants: each holds about 9 MiB */
	BLOCK = 256 << 10, /* 2 MiB of them fit the cache of a processor */
};

static const struct overlay_entry plain_dir = { .kind = OVERLAY_DIR,
						.mode = 0755 };

/* All windows together take what one alone does. */
static unsigned window_log(size_t variants)
{
	unsigned log = WINDOW_LOG;

	for (size_t n = 1; n < variants; n *= 2)
		log--;
	return log;
}

static unsigned jobs_of(const struct pack_job *job)
{
	unsigned jobs = job->options->jobs;

	if (jobs > MAX_JOBS)
		jobs = MAX_JOBS;
	return jobs / (unsigned)job->n;
}

static int open_archive(struct variant *v, const struct pack_job *job,
			struct err *e)
{
	const struct pack_options *o = job->options;
	struct out_options out = {
		.format = o->format,
		.jobs = jobs_of(job),
		.window_log = window_log(job->n),
		.block = BLOCK,
		.plain_digest = o->tar_digest,
	};

	if (!out.format.level)
		out.format.level = o->level;
	return archive_open(job->dirfd, v->of->name, &out, &v->sink, e);
}

int variant_open(struct variant *v, const struct pack_job *job, size_t i,
		 struct err *e)
{
	const struct pack_options *o = job->options;

	*v = (struct variant){ .of = &job->variants[i],
			       .mem = arena_new(),
			       .shift = o->shift };
	v->links.mem = v->mem;
	if (edits_open(v->of->edits, v->mem, &v->edits, e))
		return err_wrap(e, "edits of %s", v->of->name);
	return o->as_tree ? plant_open(job->dirfd, v->of->name, o->file_fd,
				       &v->sink, e) :
			    open_archive(v, job, e);
}

void variant_done(struct variant *v)
{
	if (v->sink)
		v->sink->ops->close(v->sink);
	v->sink = NULL;
	buf_done(&v->hidden);
	buf_done(&v->cwd);
	arena_freep(&v->mem);
}

static void hide(struct variant *v, const char *path)
{
	v->hides = true;
	buf_clear(&v->hidden);
	buf_adds(&v->hidden, path);
}

bool variant_hides(const struct variant *v, const char *path)
{
	const char *hidden = buf_str(&v->hidden);

	return v->hides &&
	       (str_eq(path, hidden) || order_beneath(path, hidden));
}

static bool is_node(uint32_t mode)
{
	return S_ISCHR(mode) || S_ISBLK(mode);
}

static int no_directory(const char *path, struct err *e)
{
	return err_set(e, 0, "edits beneath /%s, which is no directory", path);
}

/*
 * The edit of something that the tree has. NULL in *ret: it stays as it is,
 * unless it is hidden, which *ret_gone says.
 */
static int edit_of(struct variant *v, const struct edit *x, uint32_t mode,
		   const struct overlay_entry **ret, struct err *e)
{
	bool is_dir = S_ISDIR(mode);
	enum overlay_kind kind = x->entry ? x->entry->kind : OVERLAY_DIR;

	*ret = NULL;
	if (!x->entry)
		return is_dir ? 0 : no_directory(x->path, e);
	switch (kind) {
	case OVERLAY_FILE:
	case OVERLAY_LINK:
		hide(v, x->path);
		*ret = x->entry;
		return 0;
	case OVERLAY_DIR:
		*ret = is_dir ? NULL : x->entry;
		return 0;
	case OVERLAY_HIDE:
		hide(v, x->path);
		*ret = x->holds && !is_dir ? &plain_dir : NULL;
		return 0;
	case OVERLAY_EMPTY:
		if (x->holds && !is_dir)
			return no_directory(x->path, e);
		if (is_dir)
			hide(v, x->path);
		return 0;
	}
	return 0;
}

static bool is_gone(const struct edit *x)
{
	return x->entry && x->entry->kind == OVERLAY_HIDE && !x->holds;
}

int variant_decide(struct variant *v, const char *path,
		   const struct tree_stat *st, bool shared,
		   struct variant_act *ret, struct err *e)
{
	struct variant_act act = { VARIANT_TREE, NULL, NULL };
	const struct edit *x;

	*ret = (struct variant_act){ VARIANT_NOT, NULL, NULL };
	if (variant_hides(v, path))
		return 0;
	x = edits_take(&v->edits, path);
	if (x && edit_of(v, x, st->mode, &act.edit, e))
		return err_wrap(e, "%s", v->of->name);
	if (x && is_gone(x))
		return 0;
	if (act.edit) {
		act.kind = VARIANT_EDIT;
	} else if (is_node(st->mode) && !v->of->keep_nodes) {
		v->result.nodes_skipped++;
		return 0;
	} else if (shared) {
		act.first = links_find(&v->links, st->dev, st->ino);
		if (act.first)
			act.kind = VARIANT_LINK;
	}
	*ret = act;
	return 0;
}

const struct overlay_entry *variant_addition(const struct edit *x)
{
	if (!x->entry)
		return &plain_dir;
	switch (x->entry->kind) {
	case OVERLAY_FILE:
	case OVERLAY_LINK:
	case OVERLAY_DIR:
		return x->entry;
	case OVERLAY_HIDE:
	case OVERLAY_EMPTY:
		break;
	}
	return x->holds ? &plain_dir : NULL;
}

/* Leaves the directories that do not hold path. */
static void leave_dirs(struct variant *v, const char *path)
{
	while (v->dirs.n > 0) {
		size_t n = v->dirs.v[v->dirs.n - 1].n;

		if (n == 0 ||
		    (strncmp(path, buf_str(&v->cwd), n) == 0 && path[n] == '/'))
			break;
		v->dirs.n--;
	}
}

static const uint32_t types[] = {
	[OVERLAY_FILE] = S_IFREG,
	[OVERLAY_LINK] = S_IFLNK,
	[OVERLAY_DIR] = S_IFDIR,
};

/* What is new has the time of the directory that it is put into. */
static void set_new(struct variant *v, const struct overlay_entry *edit,
		    struct tree_stat *st)
{
	st->mode = types[edit->kind] | (edit->mode & 07777);
	if (edit->kind == OVERLAY_LINK)
		st->mode |= 0777;
	st->uid = edit->uid;
	st->gid = edit->gid;
	if (v->dirs.n > 0)
		st->mtime = v->dirs.v[v->dirs.n - 1].mtime;
}

int variant_edit(struct variant *v, const char *path,
		 const struct overlay_entry *edit, const struct member *old,
		 struct member *ret, struct err *e)
{
	struct member m = { .path = path,
			    .st.nlink = 1,
			    .edit = old ? "replaced" : "added" };
	bool keeps = old && edit->kind == OVERLAY_FILE && S_ISREG(old->st.mode);

	leave_dirs(v, path);
	set_new(v, edit, &m.st);
	if (edit->kind == OVERLAY_FILE)
		m.st.size = edit->n;
	if (edit->kind == OVERLAY_LINK)
		m.target = edit->target;
	if (keeps) { /* ids are shifted there */
		m.st.mode = old->st.mode;
		m.st.uid = old->st.uid;
		m.st.gid = old->st.gid;
		m.st.mtime = old->st.mtime;
		m.xattrs = old->xattrs;
	} else if (v->shift && !v->shift->back && /* new: the guest's ids */
		   shift_owner(v->shift, &m.st, e)) {
		return err_wrap(e, "edit of /%s", path);
	}
	*ret = m;
	return 0;
}

static void count(struct variant *v, const struct member *m)
{
	struct pack_result *r = &v->result;
	uint64_t *const types_of[] = {
		[S_IFIFO >> 12] = &r->fifos, [S_IFCHR >> 12] = &r->nodes,
		[S_IFDIR >> 12] = &r->dirs,  [S_IFBLK >> 12] = &r->nodes,
		[S_IFREG >> 12] = &r->files, [S_IFLNK >> 12] = &r->links,
	};

	++*(m->first ? &r->hardlinks : types_of[(m->st.mode & S_IFMT) >> 12]);
	if (m->edit)
		r->edits++;
}

int variant_put(struct variant *v, const struct member *m, struct err *e)
{
	int r = v->sink->ops->member(v->sink, m, e);

	if (r < 0)
		return -1;
	count(v, m);
	leave_dirs(v, m->path);
	if (S_ISDIR(m->st.mode)) {
		buf_clear(&v->cwd);
		buf_adds(&v->cwd, m->path);
		*vec_add(v->mem, &v->dirs) = (struct variant_dir){
			.n = strlen(m->path),
			.mtime = m->st.mtime,
		};
	}
	return r;
}
