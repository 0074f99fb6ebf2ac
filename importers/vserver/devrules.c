/*
 * cgroup/devices.allow and devices.deny. A new group has its parent's rules:
 * everything is allowed. devices.allow was written first, so what it adds is
 * there already, and a later "a" in devices.deny takes all of it away: then
 * nothing can be opened. What was meant is said in the finding.
 */
#include <string.h>

#include "base/devrule.h"
#include "base/str.h"
#include "importers/vserver/limits.h"
#include "importers/vserver/read.h"

/* Whether a line denies everything. */
static bool denies_all(struct reading *r, const struct setting *s)
{
	const struct strv lines = strv_split(r->g->mem, s->from.text, "\n");
	struct devrule rule;
	struct err e;

	for (size_t i = 0; i < lines.n; i++)
		if (devrule_parse(lines.v[i], &rule, &e) == 0 &&
		    rule.type == 'a')
			return true;
	return false;
}

/* The rules on one line of text, for messages. */
static const char *rules_of(struct reading *r, const struct setting *s)
{
	const struct strv lines = strv_split(r->g->mem, s->from.text, "\n");

	return vserver_shown(r, strv_join(r->g->mem, &lines, ", "));
}

static void find_bad(struct reading *r, struct setting *s)
{
	const struct strv lines = strv_split(r->g->mem, s->from.text, "\n");
	struct devrule rule;
	struct err e;

	reading_resume(r, s);
	for (size_t i = 0; i < lines.n; i++)
		if (devrule_parse(lines.v[i], &rule, &e) < 0)
			reading_find(r, FIND_DEV_BAD_RULE, "%s: left out",
				     e.msg);
}

static void deny_all(struct reading *r, struct setting *allow,
		     struct setting *deny)
{
	struct finding *f;

	reading_resume(r, deny);
	take_str(r, FIELD_DEVICE_POLICY, r->g, "list");
	f = reading_find(r, FIND_DEV_ORDER,
			 "devices.deny \"%s\" was written after devices.allow: "
			 "no device can be opened%s%s",
			 rules_of(r, deny),
			 allow == NULL ? "" : "; meant were ",
			 allow == NULL ? "" : rules_of(r, allow));
	finding_covers(r->g, f, FIELD_DEVICE_POLICY, NULL);
	if (allow == NULL)
		return;
	reading_resume(r, allow);
	reading_decide(r, BIN_OVERRIDDEN,
		       "devices.deny was written later and denied everything");
}

void vserver_devrules_settle(struct reading *r, struct setting *allow,
			     struct setting *deny)
{
	if (allow != NULL)
		find_bad(r, allow);
	if (deny != NULL)
		find_bad(r, deny);
	if (deny != NULL && denies_all(r, deny)) {
		deny_all(r, allow, deny);
		return;
	}
	if (deny != NULL) {
		reading_resume(r, deny);
		reading_decide(r, BIN_DROPPED,
			       "single devices were denied: only the nodes in "
			       "/dev count");
		reading_find(r, FIND_DEV_FLAGS,
			     "devices.deny %s: not carried; remove those nodes "
			     "from the guest's /dev",
			     rules_of(r, deny));
	}
	if (allow == NULL)
		return;
	reading_resume(r, allow);
	reading_decide(r, BIN_INERT,
		       "everything was allowed already, as nothing was denied "
		       "before");
}
