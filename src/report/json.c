/* plan's JSON document, a guest at a time. */
#include "base/str.h"
#include "report/report.h"

static void json_head(struct buf *b, const struct report_options *o,
		      const struct report_totals *t)
{
	json_t *tool CLEANUP(json_freep) = json_text(o->tool);

	(void)t;
	buf_printf(b, "{\n\"schema\": 1,\n\"tool\": \"%s\",\n\"guests\": [\n",
		   json_string_value(tool));
}

static void json_guest(struct buf *b, const struct report_options *o,
		       const json_t *guest)
{
	(void)o;
	json_write(b, guest);
}

static void json_tail(struct buf *b, const struct report_options *o,
		      const struct report_totals *t)
{
	json_t *s CLEANUP(json_freep) = json_object();

	(void)o;
	json_put_u64(s, "guests", t->n);
	json_put_u64(s, "ready", t->ready);
	json_put_u64(s, "review", t->review);
	json_put_u64(s, "blocked", t->blocked);
	json_put_u64(s, "failed", t->failed);
	json_put(s, "codes",
		 t->codes == NULL ? json_object() : json_incref(t->codes));
	buf_adds(b, "],\n\"summary\": ");
	json_write(b, s);
	buf_adds(b, "}\n");
}

const struct report_format json_report = {
	.name = "json",
	.between = ",\n",
	.head = json_head,
	.guest = json_guest,
	.tail = json_tail,
};
