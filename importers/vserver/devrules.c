/*
 * cgroup/devices.allow and devices.deny. A new group has its parent's rules:
 * everything is allowed. devices.allow was written first, so what it adds is
 * there already, and a later "a" in devices.deny takes all of it away: then
 * nothing can be opened. What was meant is said in the finding. A single device
 * in devices.deny is one whose node in /dev cannot be opened.
 */
#include <string.h>

#include "base/devrule.h"
#include "base/str.h"
#include "importers/vserver/limits.h"
#include "importers/vserver/read.h"

/* A rule as the kernel's files take it: the access may not lack. */
static bool parse(struct reading *r, const char *line, struct devrule *ret,
		  struct err *e)
{
	const struct strv words = strv_split(r->g->mem, line, " \t");

	if (devrule_parse(line, ret, e) < 0)
		return false;
	if (ret->type == 'a' || words.n == 3)
		return true;
	return err_set(e, 0, "\"%s\": a device rule without access",
		       vserver_shown(r, line)) == 0;
}

/* Whether a line denies everything. */
static bool denies_all(struct reading *r, const struct setting *s)
{
	const struct strv lines = strv_split(r->g->mem, s->from.text, "\n");
	struct devrule rule;
	struct err e;

	for (size_t i = 0; i < lines.n; i++)
		if (parse(r, lines.v[i], &rule, &e) && rule.type == 'a')
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
		if (!parse(r, lines.v[i], &rule, &e))
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

/*
 * A device that the guest has with the access that is left of reading and
 * writing; false: of several devices only a part of it was denied, which no
 * list of what is allowed can say.
 */
static bool deny_one(struct reading *r, const struct devrule *rule)
{
	const unsigned left = (DEV_READ | DEV_WRITE) & ~rule->access;
	char id[DEVRULE_TEXT], access[4];
	struct device *d;

	if (left != 0 && (rule->any_major || rule->any_minor))
		return false;
	devrule_show_id(rule, id);
	devrule_show_access(left, access);
	d = take_device(r);
	take_str(r, FIELD_DEVICE_RULE, d, id);
	take_str(r, FIELD_DEVICE_ACCESS, d, access);
	return true;
}

static void deny_some(struct reading *r, struct setting *deny)
{
	const struct strv lines = strv_split(r->g->mem, deny->from.text, "\n");
	struct devrule rule;
	struct err e;
	bool all = true;

	reading_resume(r, deny);
	for (size_t i = 0; i < lines.n; i++) {
		if (!parse(r, lines.v[i], &rule, &e) || deny_one(r, &rule))
			continue;
		reading_find(r, FIND_DEV_FLAGS,
			     "devices.deny %s: not carried; remove those nodes "
			     "from the guest's /dev",
			     vserver_shown(r, lines.v[i]));
		all = false;
	}
	if (deny->parts.n == 0)
		reading_decide(r, all ? BIN_INVALID : BIN_DROPPED,
			       "no rule of it is carried");
	else
		reading_decide(r, all ? BIN_CARRIED : BIN_APPROXIMATED,
			       "not among the devices that may be opened");
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
	if (deny != NULL)
		deny_some(r, deny);
	if (allow == NULL)
		return;
	reading_resume(r, allow);
	reading_decide(r, BIN_INERT,
		       "everything was allowed already, as nothing was denied "
		       "before");
}
