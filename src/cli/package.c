/* Writing one guest's directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/package.h"
#include "cli/package_parts.h"
#include "pack/pack.h"
#include "plan/overlay.h"
#include "report/report.h"

/* Adds a file of the package and remembers its digest for SHA256SUMS. */
static int put(struct package *p, const char *path, const void *data, size_t n,
	       struct err *e)
{
	const char *slash = strrchr(path, '/');
	char hex[DIGEST_HEX];
	int dir CLEANUP(fd_closep) = -1;

	if (slash != NULL) {
		const char *parent =
			arena_strndup(p->w->mem, path, (size_t)(slash - path));

		if (fd_mkdirs(p->stage, parent, e) < 0)
			return -1;
		dir = openat(p->stage, parent,
			     O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			return err_set(e, errno, "open %s", parent);
	}
	if (fd_replace(slash == NULL ? p->stage : dir,
		       slash == NULL ? path : slash + 1, data, n, e) < 0)
		return -1;
	digest_of(data, n, hex);
	package_artefact(p, path, hex, n);
	return 0;
}

static int put_text(struct package *p, const char *path, const char *text,
		    struct err *e)
{
	return put(p, path, text, strlen(text), e);
}

static int put_json(struct package *p, const char *path, const json_t *j,
		    struct err *e)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	json_write(&b, j);
	return put(p, path, b.p, b.n, e);
}

/* Every file that was read, verbatim, below source/. */
static int put_sources(struct package *p, struct err *e)
{
	const struct strv *files = &p->w->g->sources;

	for (size_t i = 0; i < files->n; i++) {
		const char *data, *path = files->v[i];
		struct err why;
		size_t n;

		if (work_read_source(p->w, path, &data, &n, &why) < 0)
			continue; /* was reported as unreadable */
		while (*path == '/')
			path++;
		path = arena_printf(p->w->mem, "source/%s", path);
		if (put(p, path, data, n, e) < 0)
			return -1;
	}
	return 0;
}

static int put_targets(struct package *p, struct err *e)
{
	for (size_t i = 0; i < p->w->emissions.n; i++) {
		const struct emission *em = p->w->emissions.v[i];

		for (size_t j = 0; j < em->files.n; j++) {
			const struct emit_file *f = &em->files.v[j];
			const char *path = arena_printf(
				p->w->mem, "%s/%s", em->emitter->name, f->path);

			if (put(p, path, f->text, f->n, e) < 0)
				return -1;
		}
	}
	return 0;
}

/*
 * What runs into a mount is not the guest's: proc and sys belong to the kernel,
 * and what lay below a tmpfs was never seen (reference vserver.md 4.6).
 */
static struct strv skipped(struct work *w)
{
	struct strv skip = { 0 };

	strv_add(w->mem, &skip, "/proc/*");
	strv_add(w->mem, &skip, "/sys/*");
	for (size_t i = 0; i < w->g->mounts.n; i++) {
		const struct mount *m = w->g->mounts.v[i];

		if (m->type.from != NULL && str_eq(m->type.v, "tmpfs") &&
		    m->target.from != NULL &&
		    m->target.from->kind != ORIGIN_DERIVED)
			strv_add(w->mem, &skip,
				 arena_printf(w->mem, "%s/*", m->target.v));
	}
	return skip;
}

/* Threads of this guest: all while there are no more guests than that. */
static unsigned threads(const struct session *s)
{
	size_t n = s->sources.list.n;

	return n > 0 && n < s->o->jobs ? s->o->jobs / (unsigned)n : 1;
}

/* The guest's own ranges. */
static struct shift *shift_of(struct work *w)
{
	struct shift *s = arena_alloc(w->mem, sizeof(*s));
	VEC(struct shift_range) kinds[2] = { { 0 }, { 0 } };

	for (size_t i = 0; i < w->g->idmaps.n; i++) {
		const struct idmap *m = w->g->idmaps.v[i];

		*vec_add(w->mem, &kinds[str_eq(m->kind.v, "g")]) =
			(struct shift_range){
				.inside = (uint32_t)m->inside.v,
				.outside = (uint32_t)m->outside.v,
				.count = (uint32_t)m->count.v,
			};
	}
	*s = (struct shift){ .uid = kinds[0].v,
			     .n_uid = kinds[0].n,
			     .gid = kinds[1].v,
			     .n_gid = kinds[1].n };
	return s;
}

/*
 * The archive holds the guest's own ids, or with --shift those of the host's
 * side; the tree may be of either kind.
 */
static const struct shift *shift_wanted(struct work *w)
{
	const struct guest *g = w->g;
	const bool is_shifted = g->root_shifted.from != NULL &&
				g->root_shifted.v;
	const bool want = w->session->o->shift && g->idmaps.n != 0;
	struct shift *s;

	if (is_shifted == want)
		return NULL;
	s = shift_of(w);
	s->back = is_shifted;
	return s;
}

static int open_format(struct package *p, struct err *e)
{
	const struct options *o = p->w->session->o;

	p->is_tree = str_eq(o->rootfs, "tree");
	if (p->is_tree && tree_is_in_order(p->w->root))
		return err_set(e, EINVAL,
			       "--rootfs=tree: %s is an archive, whose order "
			       "is not that of a tree's list of files: convert "
			       "it to an archive and unpack that",
			       p->w->g->rootfs.v);
	if (o->compress != NULL && format_parse(o->compress, &p->format, e) < 0)
		return err_wrap(e, "--compress=%s", o->compress);
	p->rootfs = p->is_tree ? "rootfs" :
				 arena_printf(p->w->mem, "rootfs%s",
					      format_suffix(p->format.kind));
	return 0;
}

static int put_rootfs(struct package *p, struct err *e)
{
	struct work *w = p->w;
	const struct strv skip = skipped(w);
	const struct overlay edits = plan_edits_overlay(w->g, w->mem);
	const struct pack_options o = {
		.format = p->format,
		.jobs = threads(w->session),
		.one_fs = true,
		.as_tree = p->is_tree,
		.file_fd = tree_file_fd,
		.read = w->progress == NULL ? NULL : &w->progress->done,
		.shift = shift_wanted(w),
		.skip = skip.v,
		.n_skip = skip.n,
	};
	const struct pack_variant v = { .name = p->rootfs, .edits = &edits };
	const struct pack_job job = { .dirfd = p->stage,
				      .options = &o,
				      .variants = &v,
				      .n = 1,
				      .files = "files.zst" };
	struct pack_outcome out;

	if (str_eq(w->g->state, "stopped"))
		tree_set_still(w->root);
	if (pack_run(w->root, &job, w->mem, &out, e) < 0)
		return err_wrap(e, "pack %s", w->g->rootfs.v);
	p->packed = out.v[0];
	if (!p->is_tree)
		package_artefact(p, p->rootfs, p->packed.sha256,
				 p->packed.bytes_out);
	package_artefact(p, job.files, out.files_sha256, out.files_bytes);
	package_findings(p);
	return 0;
}

static int put_records(struct package *p, json_t **ret_document, struct err *e)
{
	struct buf text CLEANUP(buf_done) = { 0 };
	json_t *doc CLEANUP(json_freep) = work_document(p->w, false);
	json_t *policy CLEANUP(json_freep) = package_policy(p);
	struct report_options o = { .tool = "rehost " REHOST_VERSION,
				    .single = true,
				    .verbose = 1 };

	text_report.guest(&text, &o, doc);
	if (put_json(p, "report.json", doc, e) < 0 ||
	    put_text(p, "report.txt", buf_str(&text), e) < 0 ||
	    put_json(p, "policy.json", policy, e) < 0)
		return -1;
	*ret_document = json_incref(doc);
	return 0;
}

static int put_guides(struct package *p, struct err *e)
{
	struct buf text CLEANUP(buf_done) = { 0 };

	package_readme(p, &text);
	if (put_text(p, "README.txt", buf_str(&text), e) < 0)
		return -1;
	buf_clear(&text);
	package_cutover(p, &text);
	if (put_text(p, "CUTOVER.txt", buf_str(&text), e) < 0)
		return -1;
	buf_clear(&text);
	package_sums(p, &text);
	return put_text(p, "SHA256SUMS", buf_str(&text), e);
}

static int fill(struct package *p, json_t **ret_document, struct err *e)
{
	json_t *manifest CLEANUP(json_freep) = NULL;

	if (put_sources(p, e) < 0 || put_targets(p, e) < 0 ||
	    package_validate(p, e) < 0 ||
	    (p->rootfs != NULL && put_rootfs(p, e) < 0) ||
	    put_records(p, ret_document, e) < 0 || put_guides(p, e) < 0)
		return -1;
	manifest = package_manifest(p);
	return put_json(p, "manifest.json", manifest, e);
}

/*
 * Puts the finished directory where an older one is, which gets the name old:
 * in one step where the file system can, so that there is always one of them.
 */
static int take_place(int dir, const char *stage, const char *name,
		      const char *old, struct err *e)
{
	if (renameat2(dir, stage, dir, name, RENAME_EXCHANGE) == 0)
		return renameat(dir, stage, dir, old) < 0 ?
			       err_set(e, errno, "rename %s", stage) :
			       0;
	if (errno != EINVAL && errno != ENOSYS)
		return err_set(e, errno, "rename %s", stage);
	if (renameat(dir, name, dir, old) < 0)
		return err_set(e, errno, "rename %s", name);
	return renameat(dir, stage, dir, name) < 0 ?
		       err_set(e, errno, "rename %s", stage) :
		       0;
}

/* The finished directory takes its name; an older one goes only then. */
static int settle(struct package *p, int dir, const char *stage, struct err *e)
{
	const char *name = p->w->g->package;
	const char *old = arena_printf(p->w->mem, ".%s.old", name);

	/* what a killed run left goes in any case */
	if (fd_remove_tree(dir, old, e) < 0)
		return -1;
	if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return take_place(dir, stage, name, old, e) < 0 ?
			       -1 :
			       fd_remove_tree(dir, old, e);
	return renameat(dir, stage, dir, name) < 0 ?
		       err_set(e, errno, "rename %s", stage) :
		       0;
}

/* Refused, skipped (1) or to be written (0). */
static int check_place(struct package *p, struct err *e)
{
	const struct options *o = p->w->session->o;
	const char *name = p->w->g->package;

	if (faccessat(p->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (o->resume)
		return package_is_same(p->dir, name, p->key);
	if (!o->force)
		return err_set(e, 0,
			       "%s is there already: --force replaces it, "
			       "--resume goes on",
			       name);
	return 0;
}

/* Half of the tree's size is what an archive of it takes at the most. */
static int check_space(struct package *p, uint64_t bytes, struct err *e)
{
	const uint64_t need = p->is_tree ? bytes : bytes / 2;
	char needs[24], has[24];
	struct statvfs s;
	uint64_t room;

	if (p->rootfs == NULL || fstatvfs(p->dir, &s) < 0)
		return 0;
	room = (uint64_t)s.f_bavail * s.f_frsize;
	if (need <= room)
		return 0;
	num_show_size(need, needs);
	num_show_size(room, has);
	return err_set(e, ENOSPC, "%s: needs about %s, %s are free",
		       p->w->g->package, needs, has);
}

static int make_stage(struct package *p, int *ret, struct err *e)
{
	int fd;

	if (fd_remove_tree(p->dir, p->stage_name, e) < 0)
		return -1;
	if (mkdirat(p->dir, p->stage_name, 0700) < 0)
		return err_set(e, errno, "make %s", p->stage_name);
	fd = openat(p->dir, p->stage_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "open %s", p->stage_name);
	*ret = fd;
	return 0;
}

/* Everything that may refuse the guest before anything is written. */
static int prepare(struct package *p, struct err *e)
{
	uint64_t bytes = 0;
	int same;

	if (p->w->root != NULL && !str_eq(p->w->session->o->rootfs, "none") &&
	    open_format(p, e) < 0)
		return -1;
	if (package_key(p, &bytes, e) < 0)
		return -1;
	if (p->w->progress != NULL)
		__atomic_store_n(&p->w->progress->total, bytes,
				 __ATOMIC_RELAXED);
	same = check_place(p, e);
	if (same != 0)
		return same;
	return check_space(p, bytes, e);
}

int package_write(struct work *w, int dir, json_t **ret_document, struct err *e)
{
	struct package p = { .w = w,
			     .stage_name = arena_printf(w->mem, ".%s.part",
							w->g->package),
			     .dir = dir };
	int fd CLEANUP(fd_closep) = -1;
	json_t *doc = NULL;
	struct err ignored;
	int r = prepare(&p, e);

	if (r != 0)
		return r;
	if (make_stage(&p, &fd, e) < 0)
		return -1;
	p.stage = fd;
	if (fill(&p, &doc, e) < 0 || settle(&p, dir, p.stage_name, e) < 0) {
		json_freep(&doc);
		fd_remove_tree(dir, p.stage_name, &ignored);
		return -1;
	}
	*ret_document = doc;
	return 0;
}

void package_plan(struct work *w, struct buf *b)
{
	const char *name = w->g->package;

	buf_printf(b, "%s: verdict %s\n", w->g->key,
		   plan_verdict_name(w->verdict));
	if (w->verdict >= VERDICT_BLOCKED) {
		buf_printf(b, "  nothing: see rehost plan %s\n", w->g->key);
		return;
	}
	buf_printf(b, "  mkdir %s\n", name);
	for (size_t i = 0; i < w->g->sources.n; i++)
		buf_printf(b, "  copy %s -> %s/source%s\n", w->g->sources.v[i],
			   name, w->g->sources.v[i]);
	for (size_t i = 0; i < w->emissions.n; i++)
		for (size_t j = 0; j < w->emissions.v[i]->files.n; j++)
			buf_printf(b, "  write %s/%s/%s (%zu bytes)\n", name,
				   w->emissions.v[i]->emitter->name,
				   w->emissions.v[i]->files.v[j].path,
				   w->emissions.v[i]->files.v[j].n);
	if (w->root != NULL && !str_eq(w->session->o->rootfs, "none"))
		buf_printf(b, "  pack %s -> %s/rootfs, files.zst\n",
			   w->g->rootfs.v, name);
	buf_printf(b,
		   "  write %s/report.json report.txt policy.json README.txt "
		   "SHA256SUMS manifest.json\n",
		   name);
}
