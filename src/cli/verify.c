/* rehost verify: does the guest run as its configuration promises? */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "batch.h"
#include "cli/commands.h"
#include "cli/judging.h"
#include "cli/lab.h"
#include "cli/verify_files.h"
#include "cli/verify_record.h"
#include "runtime/running.h"

struct verifying {
	struct judging judging;
	const struct options *o;
	const struct engine *engine;
};

/* --- in the worker --- */

static int look(const struct verifying *v, const struct verify_package *p,
		struct arena *mem, struct verify_run *ret, struct err *e)
{
	const struct look_options how = lab_look(v->o, v->engine);
	struct verify_baseline *record = arena_alloc(mem, sizeof(*record));
	const enum verify_verdict least = v->judging.require == VERIFIED__MAX ?
						  VERIFIED_ANNOUNCED :
						  v->judging.require;

	if (!v->o->running)
		return look_run(p, &how, mem, ret, e);
	if (verify_record_find(p, v->engine->name, least, mem, record, e) < 0)
		return -1;
	return running_look(p, record, &how, mem, ret, e);
}

/* The record is the exit status that this guest makes. */
static int one(void *verifying, size_t i, struct buf *record,
	       struct buf *section, struct err *e)
{
	const struct verifying *v = verifying;
	const struct options *o = v->o;
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct verify_package p;
	struct verify_run run;

	if (verify_load(o->args.v[i], lab_target(o), mem, &p, e) < 0)
		return -1;
	if (o->dry_run) {
		const struct look_options how = lab_look(o, v->engine);

		buf_printf(record, "%d", EXIT_OK);
		return look_print(&p, &how, mem, section, e);
	}
	if (judging_accept(&v->judging, mem, &p, e) < 0 ||
	    look(v, &p, mem, &run, e) < 0 || verify_record(&run, mem, e) < 0)
		return -1;
	return judging_take(&v->judging, &run, record, section);
}

/* --- in the parent --- */

static void started(void *verifying, size_t i)
{
	const struct verifying *v = verifying;

	if (v->o->args.n > 1 && !v->o->quiet && !v->o->dry_run)
		log_note("%s: starts", v->o->args.v[i]);
}

static void done(void *verifying, size_t i, const struct batch_result *r)
{
	struct verifying *v = verifying;

	judging_add(&v->judging, v->o->args.v[i], r);
}

static int check_options(struct verifying *v, struct arena *mem, struct err *e)
{
	const struct options *o = v->o;

	if (o->args.n == 0)
		return err_set(e, EINVAL, "verify: which DIR/NAME?");
	if (o->targets.n > 1)
		return err_set(e, EINVAL, "verify: one target at a time");
	if (o->running && (o->files || o->dry_run || o->probes != NULL))
		return err_set(e, EINVAL,
			       "verify --running only looks: not with %s",
			       o->files   ? "--files" :
			       o->dry_run ? "--dry-run" :
					    "--probes");
	v->engine = lab_engine(o, mem, e);
	if (v->engine == NULL)
		return -1;
	if (o->running && v->engine->find == NULL)
		return err_set(e, EINVAL,
			       "--engine=%s: nobody runs a guest in "
			       "production with it",
			       v->engine->name);
	return judging_open(&v->judging, mem, e);
}

static int verify_all(struct verifying *v, struct arena *mem, struct err *e)
{
	const struct batch b = { .n = v->o->args.n,
				 .jobs = v->o->jobs,
				 .arg = v,
				 .run = one,
				 .done = done,
				 .started = started };
	int r;

	if (v->o->dry_run)
		v->judging.format = FORMAT_TEXT;
	judging_open_document(&v->judging, mem);
	r = batch_run(&b, e);
	judging_close_document(&v->judging);
	if (r < 0) /* what the workers could not take away themselves */
		box_sweep(lab_scratch(v->o));
	return r < 0 ? -1 : v->judging.status;
}

int verify_run(const struct options *o, struct arena *mem, struct err *e)
{
	struct verifying v = { .judging = { .o = o }, .o = o };

	if (o->files && !o->running)
		return verify_files(o, mem, e);
	if (check_options(&v, mem, e) < 0)
		return -1;
	if (geteuid() != 0 && !o->dry_run)
		return err_set(e, EPERM, "verify %s: run it as root",
			       o->running ? "looks into guests" :
					    "boots guests");
	return verify_all(&v, mem, e);
}
