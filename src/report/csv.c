/* Every setting and its bin for each target, a row each (RFC 4180). */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "report/parts.h"

/* A spreadsheet would take a cell that starts like this for a formula. */
static bool is_formula(const char *s)
{
	return s[0] != '\0' && strchr("=+-@\t\r", s[0]) != NULL;
}

void report_csv_cell(struct buf *b, const char *s, const char *end)
{
	buf_addc(b, '"');
	if (is_formula(s))
		buf_addc(b, '\'');
	while (*s != '\0') {
		const size_t bad = parts_unsafe(s);

		if (*s == '"')
			buf_addc(b, '"');
		if (bad != 0)
			parts_escape(b, s, bad);
		else
			buf_addc(b, *s);
		s += bad == 0 ? 1 : bad;
	}
	buf_addc(b, '"');
	buf_adds(b, end);
}

static void add_row(struct buf *b, const json_t *guest, const json_t *s,
		    const char *target, const char *bin)
{
	report_csv_cell(b, json_str(guest, "key"), ",");
	report_csv_cell(b, json_str(guest, "name"), ",");
	report_csv_cell(b, json_str(s, "file"), ",");
	if (json_num(s, "line") != 0)
		buf_printf(b, "%" PRIu64, json_num(s, "line"));
	buf_addc(b, ',');
	report_csv_cell(b, json_str(s, "key"), ",");
	report_csv_cell(b, json_str(s, "item"), ",");
	report_csv_cell(b, json_str(s, "value"), ",");
	report_csv_cell(b, target, ",");
	report_csv_cell(b, bin, ",");
	report_csv_cell(b, json_str(s, "note"), "\r\n");
}

/* A guest that failed has no settings, but its row says why. */
static void add_failed(struct buf *b, const json_t *guest)
{
	report_csv_cell(b, json_str(guest, "key"), ",");
	report_csv_cell(b, json_str(guest, "name"), ",,,,,,,\"failed\",");
	report_csv_cell(b, json_str(guest, "failed"), "\r\n");
}

static void csv_head(struct buf *b, const struct report_options *o,
		     const struct report_totals *t)
{
	(void)o;
	(void)t;
	buf_adds(b, "key,name,file,line,setting,item,value,target,bin,note"
		    "\r\n");
}

static void csv_guest(struct buf *b, const struct report_options *o,
		      const json_t *guest)
{
	const json_t *s;
	size_t i;

	(void)o;
	if (parts_str(guest, "failed") != NULL)
		add_failed(b, guest);
	json_array_foreach (json_object_get(guest, "settings"), i, s) {
		json_t *bin;
		const char *target;

		json_object_foreach (json_object_get(s, "outcome"), target, bin)
			add_row(b, guest, s, target, json_string_value(bin));
	}
}

static void csv_tail(struct buf *b, const struct report_options *o,
		     const struct report_totals *t)
{
	(void)b;
	(void)o;
	(void)t;
}

const struct report_format csv_report = {
	.name = "csv",
	.between = "",
	.head = csv_head,
	.guest = csv_guest,
	.tail = csv_tail,
};
