/* The rows of the probes, printed. */
#include <stdbool.h>

#include "policy/policy.h"
#include "runtime/probe_tables.h"

/* Words of the rows' macros. */
static const char PASSIVE[] = "passive", SAFE[] = "safe", HEAVY[] = "heavy";
static const char OUTSIDE[] = "outside", INSIDE[] = "inside", BOTH[] = "both";

static const struct {
	const char *name, *class, *side, *how;
} probes[] = {
#define PROBE(name, class, side, how) { #name, class, side, how },
#include "runtime/probes.def"
#undef PROBE
};

static const struct {
	enum field_id field;
	const char *by, *required;
} fields[] = {
#define SEEN(id, probe, required)                                              \
	{ FIELD_##id, #probe, (required) ? "yes" : "no" },
#define UNSEEN(id, why) { FIELD_##id, why, "no" },
#include "runtime/probe.def"
#undef SEEN
#undef UNSEEN
};

static const struct {
	const char *item, *caps;
	enum area area;
} trials[] = {
#define TRY(id, area, reach, caps, who, item) { item, caps, AREA_##area },
#include "runtime/probe_try.def"
#undef TRY
};

void probe_tables(struct buf *b)
{
	buf_adds(b, "| probe | class | side | how |\n"
		    "| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < COUNT(probes); i++)
		buf_printf(b, "| %s | %s | %s | %s |\n", probes[i].name,
			   probes[i].class, probes[i].side, probes[i].how);
	buf_adds(b, "\n| field | seen by, or why not | required |\n"
		    "| --- | --- | --- |\n");
	for (size_t i = 0; i < COUNT(fields); i++)
		buf_printf(b, "| `%s` | %s | %s |\n",
			   field_get(fields[i].field)->name, fields[i].by,
			   fields[i].required);
	buf_adds(b, "\n| tried | area | let through by |\n"
		    "| --- | --- | --- |\n");
	for (size_t i = 0; i < COUNT(trials); i++)
		buf_printf(b, "| %s | %s | %s |\n", trials[i].item,
			   field_area_name(trials[i].area),
			   trials[i].caps[0] == '\0' ? "anything but a filter" :
						       trials[i].caps);
}
