/*
 * What must hold of a guest before it is written, whoever decided: legal
 * names, one guest a root, sets that add up.
 */
#include <ctype.h>
#include <string.h>

#include "base/inet.h"
#include "base/str.h"
#include "derive.h"
#include "plan/fleet.h"
#include "plan/plan.h"

enum { HOSTNAME_MAX_BYTES = 64 }; /* __NEW_UTS_LEN of the kernel */

/* Host names of letters, digits, dots and dashes; RFC 1123. */
static char *legal_hostname(struct arena *mem, const char *name)
{
	char *s = arena_strndup(mem, name, HOSTNAME_MAX_BYTES);
	size_t n;

	for (char *c = s; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && *c != '.' && *c != '-')
			*c = '-';
	while (*s == '-' || *s == '.')
		s++;
	n = strlen(s);
	while (n > 0 && (s[n - 1] == '-' || s[n - 1] == '.'))
		s[--n] = '\0';
	return s;
}

static void hostname(struct plan *p)
{
	struct guest *g = p->g;
	const struct origin *from;
	struct finding *f;
	char *legal;

	if (g->hostname.from == NULL)
		return;
	legal = legal_hostname(g->mem, g->hostname.v);
	if (str_eq(legal, g->hostname.v))
		return;
	if (legal[0] == '\0')
		legal = legal_hostname(g->mem, g->name);
	if (legal[0] == '\0')
		legal = arena_strdup(g->mem, "guest");
	from = plan_origin(p, "validate", g->hostname.from);
	f = finding_add(
		g, FIND_INI_HOSTNAME, NULL, from, "\"%s\" becomes \"%s\"",
		str_show(g->mem, g->hostname.v, strlen(g->hostname.v), 100),
		legal);
	derive_str(g, FIELD_HOSTNAME, g, legal, from, f);
}

/* Names, roots and ids that another guest of the fleet has too. */
static void same(struct plan *p, const char *what, const char *value,
		 enum finding_id id, const struct origin *because)
{
	struct strv others =
		fleet_same(p->fleet, p->g->mem, what, value, p->g->key);

	if (others.n != 0)
		finding_add(p->g, id, NULL, plan_origin(p, "validate", because),
			    "%s %s is also that of %s", what, value,
			    strv_join(p->g->mem, &others, ", "));
}

/* One that follows from another id says nothing of its own. */
static void same_id(struct plan *p, const char *what, const struct opt_u64 *id)
{
	if (id->from != NULL && id->from->kind > ORIGIN_DEFAULT)
		same(p, what,
		     arena_printf(p->g->mem, "%llu", (unsigned long long)id->v),
		     FIND_SRC_ID, id->from);
}

static void clashes(struct plan *p)
{
	struct guest *g = p->g;
	struct finding *f;

	if (p->fleet == NULL)
		return;
	if (g->rootfs.from != NULL)
		same(p, "root", g->rootfs.v, FIND_DSK_SHARED_ROOT,
		     g->rootfs.from);
	same_id(p, "id", &g->xid);
	same_id(p, "ncontext", &g->nid);
	same_id(p, "tag", &g->tag);
	for (size_t i = 0; i < g->nics.n; i++)
		if (g->nics.v[i]->mac.from != NULL)
			same(p, "mac", g->nics.v[i]->mac.v,
			     FIND_HST_FIELD_CLASH, g->nics.v[i]->mac.from);
	if (str_eq(g->package, g->name))
		return;
	f = finding_add(
		g,
		fleet_same(p->fleet, g->mem, "name", g->name, g->key).n ?
			FIND_HST_NAME_CLASH :
			FIND_INI_NAME,
		NULL, plan_origin(p, "validate", g->config_name.from),
		"\"%s\" is called %s from now on",
		str_show(g->mem, g->name, strlen(g->name), 80), g->package);
	(void)f;
}

int plan_validate(struct plan *p, struct err *e)
{
	(void)e;
	hostname(p);
	clashes(p);
	return 0;
}
