/*
 * rehost rehearse: the old guest's own tree, booted under an overlay with the
 * planned edits. Nothing of the guest is copied: what is written for it (its
 * configuration and policy) lies below scratch and is removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/judging.h"
#include "cli/lab.h"
#include "cli/package.h"
#include "cli/session.h"
#include "cli/upper.h"
#include "plan/overlay.h"
#include "runtime/look.h"

struct rehearsing {
	struct judging judging;
	const struct options *o;
	struct session *s;
	const struct engine *engine;
};

static const char *key_of(const struct rehearsing *r, size_t i)
{
	return source_key(r->s->mem, r->s->sources.list.v[i]);
}

/* What stands in the way of a guest, in one error. */
static int refuse(const struct work *w, struct err *e)
{
	struct strv codes = { 0 };

	for (size_t i = 0; i < w->g->findings.n; i++) {
		const struct finding *f = w->g->findings.v[i];

		if (finding_row(f->id)->severity == SEV_BLOCKER &&
		    f->accepted == NULL)
			strv_add(w->mem, &codes,
				 arena_printf(w->mem, "%s (%s)",
					      finding_row(f->id)->code,
					      f->message));
	}
	return err_set(e, 0, "blocked: %s",
		       codes.n == 0 ? "see rehost plan" :
				      strv_join(w->mem, &codes, "; "));
}

/* The guest's root as the real file system names it. */
static int real_root(struct work *w, const char **ret, struct err *e)
{
	const struct host *h = w->source->host;
	const char *path;

	if (w->root == NULL)
		return err_set(e, 0, "there is no root file system");
	if (tree_resolve(h->tree, w->g->rootfs.v, w->mem, &path, e) < 0)
		return -1;
	if (!tree_is_dir(h->tree, path))
		return err_set(e, 0,
			       "%s is a disk image, which no overlay lies "
			       "over: convert it and verify the result",
			       path);
	if (w->g->root_shifted.from != NULL && w->g->root_shifted.v)
		return err_set(e, 0,
			       "the owners in %s are ids of the host's side of "
			       "the guest's map, which would be mapped twice: "
			       "convert it and verify the result",
			       path);
	*ret = str_eq(h->dir, "/") ? path :
				     arena_printf(w->mem, "%s%s", h->dir, path);
	return 0;
}

/* A directory of this run, below scratch; removed by the next run at latest. */
static int make_stage(const struct rehearsing *r, struct work *w,
		      const char **ret, struct err *e)
{
	const char *scratch = lab_scratch(r->o);
	const char *dir = arena_printf(w->mem, "%s/rehost.%s.plan.%d", scratch,
				       w->g->package, (int)getpid());

	if (mkdir(scratch, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "mkdir %s", scratch);
	if (mkdir(dir, 0700) < 0)
		return err_set(e, errno, "mkdir %s", dir);
	*ret = dir;
	return 0;
}

static int write_plan(struct work *w, const char *stage, struct err *e)
{
	int dir CLEANUP(fd_closep) =
		open(stage, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *doc CLEANUP(json_freep) = NULL;

	if (dir < 0)
		return err_set(e, errno, "open %s", stage);
	return package_write(w, dir, &doc, e);
}

/* From what was written below stage to the verdict. */
static int look(const struct rehearsing *r, struct work *w, const char *stage,
		struct buf *record, struct buf *section, struct err *e)
{
	const struct overlay edits = plan_edits_overlay(w->g, w->mem);
	struct upper upper = { .tree = w->root, .edits = &edits };
	const struct options *o = r->o;
	struct look_options how = lab_look(o, r->engine);
	struct verify_package p;
	struct verify_run run;

	how.fill = upper_fill;
	how.fill_arg = &upper;
	if (verify_load(arena_printf(w->mem, "%s/%s", stage, w->g->package),
			lab_target(o), w->mem, &p, e) < 0 ||
	    real_root(w, &p.tree, e) < 0)
		return -1;
	if (o->dry_run) {
		buf_printf(record, "%d", EXIT_OK);
		return look_print(&p, &how, w->mem, section, e);
	}
	if (judging_accept(&r->judging, w->mem, &p, e) < 0 ||
	    look_run(&p, &how, w->mem, &run, e) < 0)
		return -1;
	return judging_take(&r->judging, &run, record, section);
}

static int one(void *rehearsing, size_t i, struct buf *record,
	       struct buf *section, struct err *e)
{
	const struct rehearsing *r = rehearsing;
	struct work *w CLEANUP(work_freep) = NULL;
	const char *stage;
	struct err why;
	int status;

	if (work_read(r->s, i, &w, e) < 0 || work_plan(w, e) < 0)
		return -1;
	if (w->verdict >= VERDICT_BLOCKED)
		return refuse(w, e);
	if (make_stage(r, w, &stage, e) < 0)
		return -1;
	status = write_plan(w, stage, e) < 0 ?
			 -1 :
			 look(r, w, stage, record, section, e);
	if (fd_remove_tree(AT_FDCWD, stage, &why) < 0)
		log_warn("%s", why.msg);
	return status;
}

static void started(void *rehearsing, size_t i)
{
	const struct rehearsing *r = rehearsing;

	if (r->s->sources.list.n > 1 && !r->o->quiet && !r->o->dry_run)
		log_note("%s: starts", key_of(r, i));
}

static void done(void *rehearsing, size_t i, const struct batch_result *b)
{
	struct rehearsing *r = rehearsing;

	judging_add(&r->judging, key_of(r, i), b);
}

static int rehearse_all(struct rehearsing *r, struct arena *mem, struct err *e)
{
	const struct batch b = { .n = r->s->sources.list.n,
				 .jobs = r->o->jobs,
				 .arg = r,
				 .run = one,
				 .done = done,
				 .started = started };
	int status;

	if (b.n == 0)
		return err_set(e, 0, "no guest was found; looked at %s",
			       session_places(r->s, mem));
	judging_open_document(&r->judging, mem);
	status = batch_run(&b, e);
	judging_close_document(&r->judging);
	if (status < 0)
		box_sweep(lab_scratch(r->o));
	return status < 0 ? -1 : r->judging.status;
}

int rehearse_run(const struct options *o, struct arena *mem, struct err *e)
{
	struct options own = *o;
	struct session *s CLEANUP(session_closep) = NULL;
	struct rehearsing r = { .judging = { .o = &own }, .o = &own };

	if (o->args.n == 0)
		return err_set(e, EINVAL, "rehearse: which SOURCE?");
	if (o->targets.n > 1)
		return err_set(e, EINVAL, "rehearse: one target at a time");
	own.rootfs = "none"; /* the plan alone is written */
	own.validate = "off";
	r.engine = lab_engine(o, mem, e);
	if (r.engine == NULL || judging_open(&r.judging, mem, e) < 0)
		return -1;
	if (geteuid() != 0 && !o->dry_run)
		return err_set(e, EPERM,
			       "rehearse boots guests: run it as root");
	if (o->dry_run)
		r.judging.format = FORMAT_TEXT;
	if (session_open(&own, mem, &s, e) < 0 || session_fleet(s, e) < 0)
		return -1;
	r.s = s;
	return rehearse_all(&r, mem, e);
}
