/* Writing one guest's directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/str.h"
#include "cli/package.h"
#include "cli/package_parts.h"
#include "pack/pack.h"
#include "report/report.h"

static const char archive[] = "rootfs.tar.zst";

/* Adds a file of the package and remembers its digest for SHA256SUMS. */
static int put(struct package *p, const char *path, const void *data, size_t n,
	       struct err *e)
{
	const char *slash = strrchr(path, '/');
	char hex[DIGEST_HEX];
	int dir CLEANUP(fd_closep) = -1;

	if (slash != NULL) {
		const char *parent = arena_strndup(p->w->mem, path,
						   (size_t)(slash - path));

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
	struct tree *t = p->w->source->host->tree;
	const struct strv *files = &p->w->g->sources;

	for (size_t i = 0; i < files->n; i++) {
		const char *data, *path = files->v[i];
		struct err why;
		size_t n;

		if (tree_read(t, path, 1 << 20, p->w->mem, &data, &n, &why) < 0)
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
			const char *path = arena_printf(p->w->mem, "%s/%s",
							em->emitter->name,
							f->path);

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

static int put_rootfs(struct package *p, struct err *e)
{
	struct work *w = p->w;
	const struct strv skip = skipped(w);
	const struct pack_options o = { .one_fs = true,
					.skip = skip.v,
					.n_skip = skip.n };

	if (w->root == NULL || str_eq(w->session->o->rootfs, "none"))
		return 0;
	if (pack_write(w->root, p->stage, archive, &o, w->mem, &p->packed, e) <
	    0)
		return err_wrap(e, "pack %s", w->g->rootfs.v);
	p->has_rootfs = true;
	package_artefact(p, archive, p->packed.sha256, p->packed.bytes_out);
	package_findings(p);
	return 0;
}

static int put_records(struct package *p, json_t **ret_document, struct err *e)
{
	struct buf text CLEANUP(buf_done) = { 0 };
	json_t *doc CLEANUP(json_freep) = work_document(p->w);
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
	package_sums(p, &text);
	return put_text(p, "SHA256SUMS", buf_str(&text), e);
}

static int fill(struct package *p, json_t **ret_document, struct err *e)
{
	json_t *manifest CLEANUP(json_freep) = NULL;

	if (put_sources(p, e) < 0 || put_targets(p, e) < 0 ||
	    package_validate(p, e) < 0 || put_rootfs(p, e) < 0 ||
	    put_records(p, ret_document, e) < 0 || put_guides(p, e) < 0)
		return -1;
	manifest = package_manifest(p);
	return put_json(p, "manifest.json", manifest, e);
}

/* The finished directory takes its name; an older one goes only then. */
static int settle(struct package *p, int dir, const char *stage,
		  struct err *e)
{
	const char *name = p->w->g->package;
	const char *old = arena_printf(p->w->mem, ".%s.old", name);

	if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		if (fd_remove_tree(dir, old, e) < 0)
			return -1;
		if (renameat(dir, name, dir, old) < 0)
			return err_set(e, errno, "rename %s", name);
	}
	if (renameat(dir, stage, dir, name) < 0)
		return err_set(e, errno, "rename %s", stage);
	return fd_remove_tree(dir, old, e);
}

int package_write(struct work *w, int dir, json_t **ret_document,
		  struct err *e)
{
	const char *name = w->g->package;
	const char *stage = arena_printf(w->mem, ".%s.part", name);
	struct package p = { .w = w, .stage_name = stage, .dir = dir };
	int fd CLEANUP(fd_closep) = -1;
	json_t *doc = NULL;
	struct err ignored;

	if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !w->session->o->force)
		return err_set(e, 0, "%s is there already: --force replaces it",
			       name);
	if (fd_remove_tree(dir, stage, e) < 0)
		return -1;
	if (mkdirat(dir, stage, 0700) < 0)
		return err_set(e, errno, "make %s", stage);
	fd = openat(dir, stage, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "open %s", stage);
	p.stage = fd;
	if (fill(&p, &doc, e) < 0 || settle(&p, dir, stage, e) < 0) {
		json_freep(&doc);
		fd_remove_tree(dir, stage, &ignored);
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
		buf_printf(b, "  copy %s -> %s/source%s\n",
			   w->g->sources.v[i], name, w->g->sources.v[i]);
	for (size_t i = 0; i < w->emissions.n; i++)
		for (size_t j = 0; j < w->emissions.v[i]->files.n; j++)
			buf_printf(b, "  write %s/%s/%s (%zu bytes)\n", name,
				   w->emissions.v[i]->emitter->name,
				   w->emissions.v[i]->files.v[j].path,
				   w->emissions.v[i]->files.v[j].n);
	if (w->root != NULL && !str_eq(w->session->o->rootfs, "none"))
		buf_printf(b, "  pack %s -> %s/%s\n", w->g->rootfs.v, name,
			   archive);
	buf_printf(b,
		   "  write %s/report.json report.txt policy.json README.txt "
		   "SHA256SUMS manifest.json\n",
		   name);
}
