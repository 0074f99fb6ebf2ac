/* What verify saw, as JSON, as text, as JUnit. */
#include <inttypes.h>
#include <string.h>

#include "runtime/verify_report.h"

static const char *relation_name(const struct verify_check *c)
{
	return c->drift ? "drift" : policy_relation_name(c->relation);
}

static json_t *check_json(const struct verify_check *c)
{
	const struct verify_announced *a = c->announced;
	json_t *o = json_object(), *codes = json_array();

	json_put_str(o, "area", field_area_name(c->area));
	json_put_str(o, "item", c->item);
	json_put(o, "before", json_text(c->before));
	json_put(o, "observed_before", json_text(c->recorded));
	json_put(o, "expected", json_text(c->expected));
	json_put(o, "observed", json_text(c->observed));
	json_put_str(o, "relation", relation_name(c));
	json_put_bool(o, "required", c->required);
	json_put_bool(o, "surprise", c->surprise);
	json_put(o, "reason", json_text(c->reason));
	for (size_t i = 0; a != NULL && i < a->codes.n; i++)
		json_array_append_new(codes, json_text(a->codes.v[i]));
	json_put(o, "announced", codes);
	json_put(o, "accepted", json_text(a == NULL ? NULL : a->accepted));
	json_put(o, "probe", json_text(c->probe));
	return o;
}

static json_t *boot_json(const struct verify_seen *s)
{
	json_t *o = json_object(), *lines = json_array();

	json_put(o, "failed", json_text(s->failed));
	json_put_int(o, "milliseconds", s->ms);
	for (size_t i = 0; i < s->console.n; i++)
		json_array_append_new(lines, json_text(s->console.v[i]));
	json_put(o, "console", lines);
	return o;
}

json_t *verify_report_guest(const struct verify_run *v)
{
	const struct verify_result *r = &v->result;
	json_t *o = json_object(), *counts = json_object(),
	       *checks = json_array();

	json_put_str(o, "key", v->package->key);
	json_put_str(o, "name", v->package->name);
	json_put_str(o, "target", v->package->target);
	json_put_str(o, "engine", v->engine);
	json_put(o, "engine_version", json_text(v->engine_version));
	json_put_str(o, "manifest_sha256", v->package->manifest_sha256);
	json_put_str(o, "verdict", verify_verdict_name(r->verdict));
	json_put_str(o, "isolation", verify_isolation_name(r->isolation));
	json_put_u64(o, "surprises", r->surprises);
	for (enum relation i = REL_EQUAL; i <= REL_UNSEEN; i++)
		json_put_u64(counts, policy_relation_name(i), r->counts[i]);
	json_put_u64(counts, "drift", r->drifts);
	json_put(o, "counts", counts);
	json_put(o, "compared_with",
		 json_text(v->baseline == NULL ? NULL : v->baseline->file));
	json_put(o, "boot", boot_json(&v->seen));
	for (size_t i = 0; i < r->checks.n; i++)
		json_array_append_new(checks, check_json(&r->checks.v[i]));
	json_put(o, "checks", checks);
	return o;
}

json_t *verify_report_document(const char *tool, json_t *host, json_t *guests)
{
	json_t *o = json_object();

	json_put_int(o, "schema", 1);
	json_put_str(o, "tool", tool);
	json_put(o, "host", host);
	json_put(o, "guests", guests);
	return o;
}

void verify_report_json_open(const char *tool, json_t *host, struct buf *b)
{
	json_t *name CLEANUP(json_freep) = json_text(tool);

	buf_printf(b, "{\n\"schema\": 1,\n\"tool\": \"%s\",\n\"host\": ",
		   json_string_value(name));
	json_write(b, host);
	buf_adds(b, ",\n\"guests\": [\n");
}

void verify_report_json_close(struct buf *b)
{
	buf_adds(b, "]\n}\n");
}

/* --- text --- */

static const char *mark(const struct verify_check *c, bool utf8)
{
	if (c->surprise)
		return utf8 ? "\u2717" : "X";
	if (c->relation == REL_UNSEEN)
		return "?";
	if (c->relation == REL_EQUAL)
		return utf8 ? "\u2713" : "+";
	return "~";
}

static const char *shown(const char *value)
{
	if (value == NULL)
		return "-";
	return value[0] == '\0' ? "\"\"" : value;
}

static void text_check(const struct verify_check *c, bool utf8, struct buf *b)
{
	const struct verify_announced *a = c->announced;

	buf_printf(b, "  %s %-12s %s: ", mark(c, utf8),
		   field_area_name(c->area), c->item);
	if (c->relation == REL_EQUAL && !c->surprise)
		buf_adds(b, shown(c->observed));
	else if (c->relation == REL_UNSEEN)
		buf_printf(b, "%sunseen: %s", c->required ? "required, " : "",
			   c->reason);
	else if (c->surprise)
		buf_printf(b, "%s: planned %s, seen %s", relation_name(c),
			   shown(c->expected), shown(c->observed));
	else
		buf_printf(b, "%s: was %s, is %s",
			   policy_relation_name(c->relation), shown(c->before),
			   shown(c->observed));
	for (size_t i = 0; a != NULL && i < a->codes.n; i++)
		buf_printf(b, "%s%s", i == 0 ? " [" : " ", a->codes.v[i]);
	if (a != NULL)
		buf_addc(b, ']');
	if (c->service && c->surprise)
		buf_adds(b, ", to be accepted as " VERIFY_FAILED_SERVICE);
	if (a != NULL && a->accepted != NULL)
		buf_printf(b, " accepted: %s", a->accepted);
	buf_addc(b, '\n');
}

static void text_head(const struct verify_run *v, struct buf *b)
{
	const struct verify_result *r = &v->result;

	buf_printf(b, "%s: %s %s %s: %s, isolation %s", v->package->key,
		   v->package->target, v->baseline == NULL ? "on" : "under",
		   v->engine, verify_verdict_name(r->verdict),
		   verify_isolation_name(r->isolation));
	if (v->seen.failed != NULL) {
		buf_printf(b, ": %s\n", v->seen.failed);
		return;
	}
	buf_addc(b, ';');
	if (v->baseline == NULL)
		buf_printf(b, " up in %u.%03u s;", v->seen.ms / 1000,
			   v->seen.ms % 1000);
	for (enum relation i = REL_EQUAL; i <= REL_UNSEEN; i++)
		if (r->counts[i] != 0)
			buf_printf(b, " %zu %s", r->counts[i],
				   policy_relation_name(i));
	buf_printf(b, ", %zu not as planned", r->surprises);
	if (v->baseline != NULL)
		buf_printf(b, ", %zu not as in %s", r->drifts,
			   v->baseline->file);
	buf_addc(b, '\n');
}

void verify_report_text(const struct verify_run *v, bool everything, bool utf8,
			struct buf *b)
{
	const struct verify_result *r = &v->result;

	text_head(v, b);
	for (size_t i = 0; i < r->checks.n; i++) {
		const struct verify_check *c = &r->checks.v[i];

		if (everything || c->surprise || c->relation != REL_EQUAL)
			text_check(c, utf8, b);
	}
	for (size_t i = 0; i < v->seen.console.n; i++)
		buf_printf(b, "  console: %s\n", v->seen.console.v[i]);
}

/* --- JUnit --- */

static void xml_text(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '<')
			buf_adds(b, "&lt;");
		else if (*s == '>')
			buf_adds(b, "&gt;");
		else if (*s == '&')
			buf_adds(b, "&amp;");
		else if (*s == '"')
			buf_adds(b, "&quot;");
		else if ((unsigned char)*s < 0x20)
			buf_addc(b, '?'); /* XML 1.0 has no such character */
		else
			buf_addc(b, *s);
	}
}

static void junit_case(const struct verify_check *c, struct buf *b)
{
	buf_printf(b, "    <testcase classname=\"%s\" name=\"",
		   field_area_name(c->area));
	xml_text(b, c->item);
	buf_adds(b, "\">");
	if (c->surprise) {
		buf_printf(b, "<failure message=\"%s\">planned ",
			   relation_name(c));
		xml_text(b, shown(c->expected));
		buf_adds(b, ", seen ");
		xml_text(b, shown(c->observed));
		buf_adds(b, "</failure>");
	} else if (c->relation == REL_UNSEEN) {
		buf_adds(b, "<skipped message=\"");
		xml_text(b, c->reason);
		buf_adds(b, "\"/>");
	}
	buf_adds(b, "</testcase>\n");
}

void verify_report_junit_open(struct buf *b)
{
	buf_adds(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		    "<testsuites name=\"rehost verify\">\n");
}

void verify_report_junit(const struct verify_run *v, struct buf *b)
{
	const struct verify_result *r = &v->result;
	const bool failed = v->seen.failed != NULL;

	buf_adds(b, "  <testsuite name=\"");
	xml_text(b, v->package->key);
	buf_printf(b,
		   "\" tests=\"%zu\" failures=\"%zu\" errors=\"%d\" "
		   "skipped=\"%zu\">\n",
		   r->checks.n + failed, r->surprises, failed,
		   r->counts[REL_UNSEEN]);
	if (failed) {
		buf_adds(b, "    <testcase classname=\"boot\" name=\"start\">"
			    "<error message=\"");
		xml_text(b, v->seen.failed);
		buf_adds(b, "\"/></testcase>\n");
	}
	for (size_t i = 0; i < r->checks.n; i++)
		junit_case(&r->checks.v[i], b);
	buf_adds(b, "  </testsuite>\n");
}

void verify_report_junit_close(struct buf *b)
{
	buf_adds(b, "</testsuites>\n");
}
