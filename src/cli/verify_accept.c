/* Accepted findings, at the time of a verification. */
#include <string.h>
#include <unistd.h>

#include "cli/verify_accept.h"
#include "model/finding.h"
#include "plan/options.h"

static const char default_site[] = "/etc/rehost.conf";

int verify_accept_site(const struct options *o, struct arena *mem,
		       struct site **ret, struct err *e)
{
	if (o->site != NULL)
		return site_read(o->site, mem, ret, e);
	if (access(default_site, R_OK) == 0)
		return site_read(default_site, mem, ret, e);
	*ret = site_new(mem);
	return 0;
}

static bool concerns(const struct accepting *a, const struct site_accept *s)
{
	if (s->target != NULL && !str_eq(s->target, a->target))
		return false;
	for (size_t i = 0; i < s->guests.n; i++)
		if (site_fits(s->guests.v[i], a->key))
			return true;
	return s->guests.n == 0;
}

static const char *site_reason(const struct accepting *a, const char *code)
{
	const char *reason = NULL;

	for (size_t i = 0; i < a->site->accepts.n; i++) {
		const struct site_accept *s = a->site->accepts.v[i];

		if (str_eq(s->code, code) && concerns(a, s))
			reason = s->reason;
	}
	return reason;
}

/* An option wins over the site file. */
static int option_reason(const struct accepting *a, enum finding_id id,
			 struct arena *mem, const char **reason, struct err *e)
{
	for (size_t i = 0; i < a->o->accept.n; i++) {
		struct plan_accept_option x;

		if (plan_accept_parse(a->o->accept.v[i], mem, &x, e) < 0)
			return -1;
		if (x.id == id &&
		    (x.guest == NULL || site_fits(x.guest, a->key) ||
		     str_eq(x.guest, a->name)))
			*reason = x.reason;
	}
	return 0;
}

int verify_accept_reason(const struct accepting *a, const char *code,
			 struct arena *mem, const char **ret,
			 bool *ret_needless, struct err *e)
{
	const enum finding_id id = finding_find(code);
	const char *reason = NULL;
	const struct finding_row *row;

	if (id == FIND__MAX)
		return err_set(e, 0, "\"%s\" is no code of a finding", code);
	row = finding_row(id);
	if (row->waive != WAIVE_NO) {
		reason = site_reason(a, code);
		if (option_reason(a, id, mem, &reason, e) < 0)
			return -1;
	}
	*ret = reason;
	*ret_needless = row->severity == SEV_NOTE;
	return 0;
}
