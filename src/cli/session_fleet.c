/* Reading every guest once for what concerns all of them. */
#include "base/json.h"
#include "base/log.h"
#include "batch.h"
#include "cli/session.h"
#include "cli/work.h"

static int read_one(void *arg, size_t i, struct buf *record,
		    struct buf *section, struct err *e)
{
	struct session *s = arg;
	struct work *w CLEANUP(work_freep) = NULL;
	json_t *j CLEANUP(json_freep) = NULL;

	(void)section;
	if (work_read_brief(s, i, &w, e) < 0 || work_options(w, e) < 0)
		return -1;
	j = fleet_record(w->g);
	json_write_compact(record, j);
	return 0;
}

static int enter(void *arg, struct err *e)
{
	return session_confine(arg, NULL, e);
}

/* A guest that failed has no part in the fleet; its plan says why. */
static void add_one(void *arg, size_t i, const struct batch_result *r)
{
	struct session *s = arg;
	json_t *j CLEANUP(json_freep) = NULL;

	(void)i;
	if (!r->ok)
		return;
	j = json_loadb(buf_str(&r->record), r->record.n, 0, NULL);
	if (j != NULL)
		fleet_add(s->fleet, j);
}

/* Patterns that fit nothing are slips of the pen (design 1.3). */
static void warn_unused(const struct session *s)
{
	size_t n;
	const struct fleet_unused *u =
		fleet_unused(s->fleet, s->site, s->mem, &n);

	if (s->o->args.n != 0) /* only some guests were asked for */
		return;
	for (size_t i = 0; i < n; i++)
		log_warn("%s:%u: %s fits nothing", s->site->file, u[i].line,
			 u[i].text);
}

int session_fleet(struct session *s, struct err *e)
{
	const struct batch b = { .n = s->sources.list.n,
				 .jobs = s->o->jobs,
				 .seconds = 300,
				 .arg = s,
				 .enter = enter,
				 .run = read_one,
				 .done = add_one };

	s->fleet = fleet_new(s->mem);
	if (batch_run(&b, e) < 0)
		return -1;
	if (fleet_settle(s->fleet, s->site->idmap_base, s->site->idmap_size,
			 s->site->idmap_per_guest, e) < 0)
		return -1;
	warn_unused(s);
	return 0;
}
