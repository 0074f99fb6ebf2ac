/* rehost verify: does the guest run as its configuration promises? */
#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "batch.h"
#include "cli/commands.h"
#include "cli/lab.h"
#include "cli/verify_accept.h"
#include "cli/verify_files.h"
#include "cli/verify_record.h"
#include "runtime/look.h"

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_JUNIT };

/* What the command knows of all its guests. */
struct verifying {
	const struct options *o;
	struct site *site;
	const struct engine *engine;
	enum verdict require; /* VERDICT__MAX: none */
	enum format format;
	int status;
	size_t n_printed;
};

/* Exit statuses as design 1.1 ranks them: the first that applies. */
static int status_of(const struct verifying *v, enum verdict verdict)
{
	if (verdict == VERDICT_FAILED)
		return EXIT_FAILED;
	if (verdict == VERDICT_INCOMPLETE && v->require == VERDICT__MAX)
		return EXIT_INCOMPLETE;
	if (verdict == VERDICT_DIFFERENT ||
	    (v->require != VERDICT__MAX && verdict < v->require))
		return EXIT_DIFFERENT;
	return verdict == VERDICT_INCOMPLETE ? EXIT_INCOMPLETE : EXIT_OK;
}

static void worse(struct verifying *v, int status)
{
	static const int ranks[] = { EXIT_FAILED, EXIT_DIFFERENT,
				     EXIT_INCOMPLETE };

	for (size_t i = 0; i < COUNT(ranks); i++) {
		if (v->status == ranks[i])
			return;
		if (status == ranks[i]) {
			v->status = status;
			return;
		}
	}
}

/* --- in the worker --- */

/* What was accepted when it was converted stays so. */
static int accept_item(const struct accepting *a, struct arena *mem,
		       struct verify_announced *d, struct err *e)
{
	const char *all = NULL;

	for (size_t i = 0; i < d->codes.n; i++) {
		const char *reason;
		bool needless;

		if (verify_accept_reason(a, d->codes.v[i], mem, &reason,
					 &needless, e) < 0)
			return -1;
		if (reason != NULL)
			all = reason;
		else if (!needless)
			return 0;
	}
	if (all != NULL)
		d->accepted = all;
	return 0;
}

static int accept_items(const struct verifying *v, struct arena *mem,
			struct verify_package *p, struct err *e)
{
	const struct accepting a = { .o = v->o,
				     .site = v->site,
				     .key = p->key,
				     .name = p->name,
				     .target = p->target };
	const char *reason = NULL;
	bool needless;

	for (size_t i = 0; i < p->announced.n; i++)
		if (accept_item(&a, mem, &p->announced.v[i], e) < 0)
			return -1;
	if (p->machine &&
	    verify_accept_reason(&a, "ISO001", mem, &reason, &needless, e) < 0)
		return -1;
	if (reason != NULL)
		p->machine_accepted = reason;
	return 0;
}

static void render(const struct verifying *v, const struct verify_run *run,
		   struct buf *b)
{
	const bool utf8 = str_eq(nl_langinfo(CODESET), "UTF-8");
	json_t *guest CLEANUP(json_freep) = NULL;

	if (v->format == FORMAT_JSON) {
		guest = verify_report_guest(run);
		json_write(b, guest);
	} else if (v->format == FORMAT_JUNIT) {
		verify_report_junit(run, b);
	} else {
		verify_report_text(run, v->o->verbose > 0, utf8, b);
	}
}

/* The record is the exit status that this guest makes. */
static int one(void *verifying, size_t i, struct buf *record,
	       struct buf *section, struct err *e)
{
	const struct verifying *v = verifying;
	const struct options *o = v->o;
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const struct look_options look = {
		.engine = v->engine,
		.scratch = lab_scratch(o),
		.ports = o->expect_ports,
		.most = o->probes == NULL ? CLASS_SAFE :
					    probe_class_find(o->probes),
		.seconds = LAB_START_SECONDS,
		.stop_seconds = LAB_STOP_SECONDS,
	};
	struct verify_package p;
	struct verify_run run;

	if (verify_load(o->args.v[i], lab_target(o), mem, &p, e) < 0)
		return -1;
	if (o->dry_run) {
		buf_printf(record, "%d", EXIT_OK);
		return look_print(&p, &look, mem, section, e);
	}
	if (accept_items(v, mem, &p, e) < 0 ||
	    look_run(&p, &look, mem, &run, e) < 0 ||
	    verify_record(&run, mem, e) < 0)
		return -1;
	buf_printf(record, "%d", status_of(v, run.result.verdict));
	render(v, &run, section);
	return 0;
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
	struct buf status CLEANUP(buf_done) = { 0 };

	if (!r->ok) {
		log_error("%s: %s", v->o->args.v[i], r->why);
		worse(v, EXIT_FAILED);
		return;
	}
	buf_add(&status, r->record.p, r->record.n);
	worse(v, buf_str(&status)[0] - '0');
	if (v->format == FORMAT_JSON && v->n_printed++ > 0)
		printf(",\n");
	fwrite(r->section.p, 1, r->section.n, stdout);
	fflush(stdout);
}

static void open_document(const struct verifying *v, struct arena *mem)
{
	json_t *host CLEANUP(json_freep) = NULL;
	struct buf b CLEANUP(buf_done) = { 0 };

	if (v->format == FORMAT_JSON) {
		host = verify_record_host(mem);
		verify_report_json_open("rehost " REHOST_VERSION, host, &b);
	} else if (v->format == FORMAT_JUNIT) {
		verify_report_junit_open(&b);
	}
	fwrite(b.p, 1, b.n, stdout);
}

static void close_document(const struct verifying *v)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	if (v->format == FORMAT_JSON)
		verify_report_json_close(&b);
	else if (v->format == FORMAT_JUNIT)
		verify_report_junit_close(&b);
	fwrite(b.p, 1, b.n, stdout);
}

static int find_format(const struct options *o, enum format *ret, struct err *e)
{
	static const char *const names[] = { [FORMAT_TEXT] = "text",
					     [FORMAT_JSON] = "json",
					     [FORMAT_JUNIT] = "junit" };

	for (enum format f = 0; f < COUNT(names); f++) {
		if (!str_eq(names[f], o->format == NULL ? "text" : o->format))
			continue;
		*ret = f;
		return 0;
	}
	return err_set(e, EINVAL, "verify --format=%s: not text, json or junit",
		       o->format);
}

static int find_require(struct verifying *v, struct err *e)
{
	const char *name = v->o->require != NULL ? v->o->require :
						   v->site->require;

	v->require = VERDICT__MAX;
	if (name == NULL)
		return 0;
	v->require = verify_verdict_find(name);
	if (v->require == VERDICT__MAX)
		return err_set(e, EINVAL, "--require=%s: no such verdict",
			       name);
	return 0;
}

static int check_options(struct verifying *v, struct arena *mem, struct err *e)
{
	const struct options *o = v->o;

	if (o->args.n == 0)
		return err_set(e, EINVAL, "verify: which DIR/NAME?");
	if (o->targets.n > 1)
		return err_set(e, EINVAL, "verify: one target at a time");
	v->engine = engine_find(o->engine == NULL ? "builtin" : o->engine);
	if (v->engine == NULL)
		return err_set(e, EINVAL, "--engine=%s: not one of %s",
			       o->engine, engine_names(mem));
	if (find_format(o, &v->format, e) < 0)
		return -1;
	if (verify_accept_site(o, mem, &v->site, e) < 0 ||
	    find_require(v, e) < 0) {
		e->code = EINVAL;
		return -1;
	}
	return 0;
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
		v->format = FORMAT_TEXT;
	open_document(v, mem);
	fflush(stdout); /* not once more by each worker */
	r = batch_run(&b, e);
	close_document(v);
	if (r < 0) /* what the workers could not take away themselves */
		box_sweep(lab_scratch(v->o));
	return r < 0 ? -1 : v->status;
}

int verify_run(const struct options *o, struct arena *mem, struct err *e)
{
	struct verifying v = { .o = o };

	if (o->files)
		return verify_files(o, mem, e);
	if (check_options(&v, mem, e) < 0)
		return -1;
	if (geteuid() != 0 && !o->dry_run)
		return err_set(e, EPERM, "verify boots guests: run it as root");
	return verify_all(&v, mem, e);
}
