/*
 * The driver of every importer: makes origins, finds rows, runs parsers, keeps
 * the outcome of each setting. Authors of importers cannot drop anything
 * silently; the worst they can do is leave out a row, which is then "unknown".
 */
#include <stdarg.h>

#include "derive.h"
#include "reading.h"

struct reading *reading_new(struct guest *g, const struct source *s,
			    const struct importer *imp)
{
	struct reading *r = arena_alloc(g->mem, sizeof(*r));

	r->g = g;
	r->source = s;
	r->importer = imp;
	return r;
}

void reading_file(struct reading *r, const char *path)
{
	if (!strv_has(&r->g->sources, path))
		strv_add(r->g->mem, &r->g->sources,
			 arena_strdup(r->g->mem, path));
}

const struct origin *reading_origin(struct reading *r, enum origin_kind kind,
				    const char *file, unsigned line,
				    const char *key, const char *text)
{
	struct origin *o = arena_alloc(r->g->mem, sizeof(*o));

	*o = (struct origin){ .kind = kind,
			      .line = line,
			      .file = file,
			      .key = key,
			      .text = text };
	return o;
}

struct setting *reading_bare(struct reading *r, const struct origin *at,
			     const char *item)
{
	struct setting *s = pvec_add(r->g->mem, &r->g->settings);

	s->from = *at;
	s->item = item == NULL ? NULL : arena_strdup(r->g->mem, item);
	r->cur = s;
	return s;
}

void reading_resume(struct reading *r, struct setting *s)
{
	r->cur = s;
}

static void decide(struct setting *s, enum bin bin, const char *note)
{
	s->decided = true;
	s->bin = bin;
	s->note = note;
}

void reading_decide(struct reading *r, enum bin bin, const char *note_fmt, ...)
{
	va_list ap;

	va_start(ap, note_fmt);
	decide(r->cur, bin, arena_vprintf(r->g->mem, note_fmt, ap));
	va_end(ap);
}

void reading_approx(struct reading *r, const char *note_fmt, ...)
{
	va_list ap;

	va_start(ap, note_fmt);
	r->cur->approx = true;
	r->cur->note = arena_vprintf(r->g->mem, note_fmt, ap);
	va_end(ap);
}

/* The setting that is read, or before the first the source as a whole. */
static const struct origin *here(struct reading *r)
{
	struct origin *whole;

	if (r->cur != NULL)
		return &r->cur->from;
	whole = arena_alloc(r->g->mem, sizeof(*whole));
	*whole = (struct origin){ .kind = ORIGIN_FILE, .file = r->g->source };
	return whole;
}

struct finding *reading_find(struct reading *r, enum finding_id id,
			     const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(r->g->mem, fmt, ap);
	va_end(ap);
	return finding_add(r->g, id, NULL, here(r), "%s", text);
}

struct finding *reading_find_at(struct reading *r, enum finding_id id,
				const struct origin *from, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(r->g->mem, fmt, ap);
	va_end(ap);
	return finding_add(r->g, id, NULL, from, "%s", text);
}

/* The finding of a row that is not exact, at the current setting. */
static void find_row(struct reading *r, const struct setting *s)
{
	const struct key *row = s->row;
	struct finding *f;

	if (row->finding == FIND__MAX)
		return;
	f = finding_add(r->g, row->finding, NULL, &s->from, "%s",
			s->note != NULL ? s->note : row->note);
	if (row->field != FIELD__MAX)
		finding_covers(r->g, f, row->field, NULL);
}

/* What the row says of every value of it, once its parser is content. */
static void apply_fate(struct reading *r, struct setting *s)
{
	switch (s->row->fate) {
	case FATE_DROPPED:
		decide(s, BIN_DROPPED, s->row->note);
		break;
	case FATE_HOSTSIDE:
		decide(s, BIN_HOSTSIDE, s->row->note);
		break;
	case FATE_INERT:
		decide(s, BIN_INERT, s->row->note);
		break;
	case FATE_APPROX: /* when the reading is over: reading_close */
	case FATE_EXACT:
	case FATE_DECIDED:
		return;
	}
	find_row(r, s);
}

static void run_row(struct reading *r, struct setting *s)
{
	struct err e;

	if (s->row->parse != NULL && s->row->parse(r, s->from.text, &e) < 0) {
		r->cur = s;
		decide(s, BIN_INVALID, arena_strdup(r->g->mem, e.msg));
		reading_find(r, FIND_SRC_NOT_STARTED, "%s: left out", e.msg);
		return;
	}
	r->cur = s;
	if (!s->decided)
		apply_fate(r, s);
}

struct setting *reading_setting(struct reading *r, const struct key *keys,
				size_t n_keys, const struct origin *at,
				const char *name, const char *item)
{
	struct setting *s = reading_bare(r, at, item);

	s->row = importer_key(keys, n_keys, name);
	if (s->row == NULL) {
		decide(s, BIN_UNKNOWN, "not a setting of the old tools");
		reading_find(r, FIND_SRC_UNKNOWN_KEY, "not known: not carried");
		return s;
	}
	run_row(r, s);
	return s;
}

void reading_assumed(struct reading *r, const struct key *keys, size_t n_keys,
		     const struct origin *at, const char *name,
		     const char *item)
{
	struct setting *s = arena_alloc(r->g->mem, sizeof(*s));

	s->from = *at;
	s->from.kind = ORIGIN_DEFAULT;
	s->item = item == NULL ? NULL : arena_strdup(r->g->mem, item);
	s->row = importer_key(keys, n_keys, name);
	r->cur = s;
	if (s->row != NULL)
		run_row(r, s);
}

void reading_default(struct reading *r, enum field_id f, void *object,
		     const char *text, const char *ref)
{
	derive_default(r->g, f, object, text, ref);
}

void reading_defaults(struct reading *r)
{
	for (size_t i = 0; i < r->importer->n_defaults; i++) {
		const struct default_value *d = &r->importer->defaults[i];

		reading_default(r, d->field, r->g, d->value, d->ref);
	}
}

static bool any_survives(const struct setting *s)
{
	for (size_t i = 0; i < s->parts.n; i++)
		if (setting_survives(s, i))
			return true;
	return false;
}

/* Settings of no fate and no value are a fault of the importer: said aloud. */
static void close_setting(struct reading *r, struct setting *s)
{
	r->cur = s;
	if (s->decided)
		return;
	if (s->parts.n == 0) {
		decide(s, BIN_UNKNOWN, "read and not accounted for");
		reading_find(r, FIND_SYN_UNACCOUNTED,
			     "read and not accounted for");
		return;
	}
	if (s->row != NULL && s->row->fate == FATE_APPROX && any_survives(s)) {
		s->approx = true;
		find_row(r, s);
		if (s->note == NULL)
			s->note = s->row->note;
	}
}

int reading_close(struct reading *r, struct err *e)
{
	(void)e;
	for (size_t i = 0; i < r->g->settings.n; i++)
		close_setting(r, r->g->settings.v[i]);
	r->cur = NULL;
	return 0;
}
