/* A batch of plans and the report that it makes. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/planning.h"

static const char *const tool = "rehost " REHOST_VERSION;

struct planning *planning_new(struct session *s,
			      const struct report_format *format, bool color)
{
	struct planning *p = arena_alloc(s->mem, sizeof(*p));
	struct strv targets = { 0 };

	for (size_t i = 0; i < s->targets.n; i++)
		strv_add(s->mem, &targets, s->targets.v[i]->emitter->name);
	p->s = s;
	p->format = format;
	p->options = (struct report_options){
		.tool = tool,
		.targets = targets.v,
		.n_targets = targets.n,
		.single = s->sources.list.n == 1,
		.by_guest = str_eq(s->o->by, "guest"),
		.verbose = s->o->verbose,
		.color = color,
	};
	return p;
}

void planning_freep(struct planning **p)
{
	if (*p == NULL)
		return;
	progress_freep(&(*p)->progress);
	report_totals_done(&(*p)->totals);
	if ((*p)->spool != NULL)
		fclose((*p)->spool);
}

static bool has_sections(const struct planning *p)
{
	return p->format->has_sections == NULL ||
	       p->format->has_sections(&p->options);
}

void planning_render(const struct planning *p, const json_t *document,
		     struct buf *record, struct buf *section)
{
	json_t *j CLEANUP(json_freep) = report_record(document);

	json_write_compact(record, j);
	if (!has_sections(p))
		return;
	p->format->guest(section, &p->options, document);
}

int planning_one(void *planning, size_t i, struct buf *record,
		 struct buf *section, struct err *e)
{
	struct planning *p = planning;
	struct work *w CLEANUP(work_freep) = NULL;
	json_t *doc CLEANUP(json_freep) = NULL;

	if (work_read(p->s, i, &w, e) < 0 || work_plan(w, e) < 0)
		return -1;
	doc = work_document(w, !has_sections(p));
	planning_render(p, doc, record, section);
	return 0;
}

/* A guest whose worker failed still has its place in every document. */
static void failed(struct planning *p, size_t i, const char *why,
		   struct buf *record, struct buf *section)
{
	const struct source *src = p->s->sources.list.v[i];
	json_t *doc CLEANUP(json_freep) =
		report_failed(source_key(p->s->mem, src), src->host->name,
			      src->kind, src->id, why);

	log_error("%s: %s", source_key(p->s->mem, src), why);
	planning_render(p, doc, record, section);
}

static void spool(struct planning *p, const struct buf *section)
{
	if (p->spool == NULL)
		p->spool = tmpfile();
	if (p->spool != NULL)
		fwrite(buf_str(section), 1, section->n, p->spool);
	*vec_add(p->s->mem, &p->lengths) = section->n;
}

static void done(void *planning, size_t i, const struct batch_result *r)
{
	struct planning *p = planning;
	struct buf record CLEANUP(buf_done) = { 0 };
	struct buf section CLEANUP(buf_done) = { 0 };
	const struct buf *rec = &r->record, *sec = &r->section;
	json_t *j;

	progress_hide(p->progress);
	progress_end(p->progress, i);
	if (!r->ok) {
		failed(p, i, r->why, &record, &section);
		rec = &record;
		sec = &section;
	}
	j = json_loadb(buf_str(rec), rec->n, 0, NULL);
	if (j == NULL)
		return;
	if (p->after != NULL)
		p->after(p, i, j);
	report_totals_add(&p->totals, j);
	spool(p, sec);
}

static int enter(void *planning, struct err *e)
{
	const struct planning *p = planning;
	const bool writes = p->s->o->command == COMMAND_CONVERT &&
			    !p->s->o->dry_run;

	return session_confine(p->s, writes ? p->s->o->output : NULL, e);
}

static void started(void *planning, size_t i)
{
	struct planning *p = planning;

	progress_start(p->progress, i,
		       source_key(p->s->mem, p->s->sources.list.v[i]));
}

static void tick(void *planning)
{
	const struct planning *p = planning;

	progress_tick(p->progress);
}

int planning_run(struct planning *p,
		 int (*one)(void *planning, size_t i, struct buf *record,
			    struct buf *section, struct err *e),
		 struct err *e)
{
	const struct batch b = {
		.n = p->s->sources.list.n,
		.jobs = p->s->o->jobs,
		.seconds = str_eq(p->s->o->rootfs, "none") ||
					   p->s->o->command != COMMAND_CONVERT ?
				   600 :
				   0,
		.arg = p,
		.enter = enter,
		.run = one,
		.started = started,
		.done = done,
		.tick = tick,
	};
	const struct progress_options o = {
		.n = b.n,
		.quiet = p->s->o->quiet,
		.verb = p->verb,
	};

	p->progress = progress_new(p->s->mem, &o);
	return batch_run(&b, e);
}

/* Looked at each time: fclose tells only of what it writes itself. */
static int put(FILE *to, const char *text, struct err *e)
{
	return fputs(text, to) < 0 ? err_set(e, errno, "write report") : 0;
}

static int copy_section(struct planning *p, size_t n, FILE *to, struct err *e)
{
	char chunk[65536];

	while (n > 0) {
		const size_t want = n < sizeof(chunk) ? n : sizeof(chunk);

		if (fread(chunk, 1, want, p->spool) != want)
			return err_set(e, errno, "read spooled report");
		if (fwrite(chunk, 1, want, to) != want)
			return err_set(e, errno, "write report");
		n -= want;
	}
	return 0;
}

int planning_sections(struct planning *p, FILE *to, struct err *e)
{
	bool first = true;

	if (p->spool == NULL || fflush(p->spool) != 0 || ferror(p->spool))
		return err_set(e, errno, "spool the report");
	rewind(p->spool);
	for (size_t i = 0; i < p->lengths.n; i++) {
		if (p->lengths.v[i] == 0)
			continue;
		if (!first && put(to, p->format->between, e) < 0)
			return -1;
		first = false;
		if (copy_section(p, p->lengths.v[i], to, e) < 0)
			return -1;
	}
	return 0;
}

int planning_print(struct planning *p, FILE *to, struct err *e)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	p->format->head(&b, &p->options, &p->totals);
	if (put(to, buf_str(&b), e) < 0 || planning_sections(p, to, e) < 0)
		return -1;
	buf_clear(&b);
	p->format->tail(&b, &p->options, &p->totals);
	return put(to, buf_str(&b), e);
}

/* Whether a code's row is of the kind that --strict refuses. */
static bool is_strict(const char *code, const char *strict)
{
	const enum finding_id id = finding_find(code);
	const struct finding_row *row;

	if (id == FIND__MAX)
		return false;
	row = finding_row(id);
	if (str_eq(strict, "weaker"))
		return row->isolation == ISO_WEAKER;
	return row->severity >=
	       (str_eq(strict, "change") ? SEV_CHANGE : SEV_LOSS);
}

static bool strict_refuses(const struct planning *p)
{
	const char *code;
	json_t *value;

	if (p->s->o->strict == NULL)
		return false;
	json_object_foreach (p->totals.codes, code, value)
		if (json_num(value, "open") > 0 &&
		    is_strict(code, p->s->o->strict))
			return true;
	return false;
}

int planning_status(const struct planning *p)
{
	if (p->totals.failed != 0 || p->totals.n == 0)
		return EXIT_FAILED;
	if (p->totals.blocked != 0 || strict_refuses(p))
		return EXIT_BLOCKED;
	return EXIT_OK;
}
