/* What the parent keeps of each guest, and the sums over all. */
#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "report/report.h"

/* Adds one finding to the counts of its code. */
static void count_code(json_t *codes, const json_t *finding)
{
	const char *code = json_str(finding, "code");
	const bool open = json_is_null(json_object_get(finding, "accepted"));
	json_t *c = json_object_get(codes, code);

	if (c == NULL) {
		c = json_object();
		json_put_int(c, "count", 0);
		json_put_int(c, "open", 0);
		json_put(codes, code, c);
	}
	json_put_u64(c, "count", json_num(c, "count") + 1);
	json_put_u64(c, "open", json_num(c, "open") + open);
}

static json_t *verdicts(const json_t *guest)
{
	json_t *all = json_object(),
	       *targets = json_object_get(guest, "targets");
	json_t *t;
	const char *name;

	json_object_foreach (targets, name, t)
		json_put(all, name, json_text(json_str(t, "verdict")));
	return all;
}

/* Open findings by severity, so that the codes need not be kept. */
static json_t *tally(const json_t *codes)
{
	uint64_t n[SEV_BLOCKER + 1] = { 0 };
	json_t *list = json_array();

	for (enum finding_id id = 0; id < FIND__MAX; id++) {
		const struct finding_row *row = finding_row(id);
		const json_t *c = json_object_get(codes, row->code);

		if (c != NULL)
			n[row->severity] += json_num(c, "open");
	}
	for (size_t i = 0; i < COUNT(n); i++)
		json_array_append_new(list, json_integer((json_int_t)n[i]));
	return list;
}

json_t *report_record(const json_t *guest)
{
	static const char *const kept[] = { "key", "host", "name", "kind",
					    "verdict" };
	json_t *o = json_object(), *codes = json_object(), *f;
	size_t i;

	for (i = 0; i < COUNT(kept); i++)
		json_put_str(o, kept[i], json_str(guest, kept[i]));
	json_put(o, "failed", json_incref(json_object_get(guest, "failed")));
	json_put(o, "targets", verdicts(guest));
	json_array_foreach (json_object_get(guest, "findings"), i, f)
		count_code(codes, f);
	json_put(o, "tally", tally(codes));
	json_put(o, "codes", codes);
	if (json_is_true(json_object_get(guest, "same")))
		json_put_bool(o, "same", true); /* --resume left it alone */
	if (json_object_get(guest, "host_parts") != NULL)
		json_put(o, "host_parts",
			 json_incref(json_object_get(guest, "host_parts")));
	return o;
}

/* The catalogue's order is the order of codes: NET, CAP, DEV ... */
static void add_codes(struct report_totals *t, const json_t *codes)
{
	const char *code;
	json_t *c;

	if (t->codes == NULL)
		t->codes = json_object();
	json_object_foreach ((json_t *)(uintptr_t)codes, code, c) {
		json_t *sum = json_object_get(t->codes, code);

		if (sum == NULL) {
			sum = json_object();
			json_put_int(sum, "guests", 0);
			json_put_int(sum, "count", 0);
			json_put_int(sum, "open", 0);
			json_put(t->codes, code, sum);
		}
		json_put_u64(sum, "guests", json_num(sum, "guests") + 1);
		json_put_u64(sum, "count",
			     json_num(sum, "count") + json_num(c, "count"));
		json_put_u64(sum, "open",
			     json_num(sum, "open") + json_num(c, "open"));
	}
}

void report_totals_add(struct report_totals *t, json_t *record)
{
	struct buf text CLEANUP(buf_done) = { 0 };
	const char *verdict = json_str(record, "verdict");

	if (t->mem == NULL)
		t->mem = arena_new();
	t->n++;
	t->ready += str_eq(verdict, "ready");
	t->review += str_eq(verdict, "review");
	t->blocked += str_eq(verdict, "blocked");
	t->failed += str_eq(verdict, "failed");
	add_codes(t, json_object_get(record, "codes"));
	json_object_del(record, "codes"); /* summed up: 2 KiB a guest */
	json_object_del(record, "host_parts");
	json_write_compact(&text, record);
	strv_add(t->mem, &t->guests, arena_strdup(t->mem, buf_str(&text)));
	json_decref(record);
}

json_t *report_totals_guest(const struct report_totals *t, size_t i)
{
	return json_loads(t->guests.v[i], 0, NULL);
}

void report_totals_done(struct report_totals *t)
{
	arena_freep(&t->mem);
	json_freep(&t->codes);
}
