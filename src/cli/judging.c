/* Verdicts of several guests: what is accepted, statuses, documents. */
#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/judging.h"
#include "cli/verify_accept.h"
#include "cli/verify_record.h"
#include "model/finding.h"

/* Exit statuses as design 1.1 ranks them: the first that applies. */
static int status_of(const struct judging *v, enum verify_verdict verdict)
{
	if (verdict == VERIFIED_FAILED)
		return EXIT_FAILED;
	if (verdict == VERIFIED_INCOMPLETE && v->require == VERIFIED__MAX)
		return EXIT_INCOMPLETE;
	if (verdict == VERIFIED_DIFFERENT ||
	    (v->require != VERIFIED__MAX && verdict < v->require))
		return EXIT_DIFFERENT;
	return verdict == VERIFIED_INCOMPLETE ? EXIT_INCOMPLETE : EXIT_OK;
}

void judging_worse(struct judging *v, int status)
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

int judging_accept(const struct judging *v, struct arena *mem,
		   struct verify_package *p, struct err *e)
{
	const struct accepting a = { .o = v->o,
				     .site = v->site,
				     .key = p->key,
				     .name = p->name,
				     .target = p->target };
	const char *reason = NULL;
	bool needless;

	if (verify_accept_reason(&a, finding_row(FIND_INI_FAILED)->code, mem,
				 &p->failed_accepted, &needless, e) < 0)
		return -1;
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

static void render(const struct judging *v, const struct verify_run *run,
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

int judging_take(const struct judging *v, const struct verify_run *run,
		 struct buf *record, struct buf *section)
{
	buf_printf(record, "%d", status_of(v, run->result.verdict));
	render(v, run, section);
	return 0;
}

void judging_add(struct judging *v, const char *name,
		 const struct batch_result *r)
{
	struct buf status CLEANUP(buf_done) = { 0 };

	if (!r->ok) {
		log_error("%s: %s", name, r->why);
		judging_worse(v, EXIT_FAILED);
		return;
	}
	buf_add(&status, r->record.p, r->record.n);
	judging_worse(v, buf_str(&status)[0] - '0');
	if (v->format == FORMAT_JSON && v->n_printed++ > 0)
		printf(",\n");
	fwrite(r->section.p, 1, r->section.n, stdout);
	fflush(stdout);
}

void judging_open_document(const struct judging *v, struct arena *mem)
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
	fflush(stdout); /* not once more by each worker */
}

void judging_close_document(const struct judging *v)
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
	return err_set(e, EINVAL, "--format=%s: not text, json or junit",
		       o->format);
}

static int find_require(struct judging *v, struct err *e)
{
	const char *name = v->o->require != NULL ? v->o->require :
						   v->site->require;

	v->require = VERIFIED__MAX;
	if (name == NULL)
		return 0;
	v->require = verify_verdict_find(name);
	if (v->require == VERIFIED__MAX)
		return err_set(e, EINVAL, "--require=%s: no such verdict",
			       name);
	return 0;
}

int judging_open(struct judging *v, struct arena *mem, struct err *e)
{
	if (find_format(v->o, &v->format, e) < 0)
		return -1;
	if (verify_accept_site(v->o, mem, &v->site, e) < 0 ||
	    find_require(v, e) < 0) {
		e->code = EINVAL;
		return -1;
	}
	return 0;
}
