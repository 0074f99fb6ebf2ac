/* rehost rules: the mapping tables, as the program holds them. */
#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "cli/commands.h"
#include "emit/emit.h"
#include "importer.h"
#include "report/report.h"

static int check(const struct options *o, struct err *e)
{
	if (o->args.n != 0)
		return err_set(e, EINVAL, "rules: takes no argument");
	if (o->from != NULL && importer_find(o->from) == NULL)
		return err_set(e, EINVAL, "--from=%s: no such kind", o->from);
	for (size_t i = 0; i < o->targets.n; i++)
		if (emit_find(o->targets.v[i]) == NULL)
			return err_set(e, EINVAL, "--target=%s: no such target",
				       o->targets.v[i]);
	if (o->format != NULL && !str_eq(o->format, "md") &&
	    !str_eq(o->format, "json"))
		return err_set(e, EINVAL,
			       "--format=%s: rules writes md and json",
			       o->format);
	return 0;
}

int rules_run(const struct options *o, struct arena *mem, struct err *e)
{
	const char *target = o->targets.n == 1 ? o->targets.v[0] : NULL;
	struct buf b CLEANUP(buf_done) = { 0 };
	json_t *j CLEANUP(json_freep) = NULL;

	(void)mem;
	if (check(o, e) < 0)
		return -1;
	if (str_eq(o->format, "json")) {
		j = report_rules_json(o->from, target);
		json_write(&b, j);
	} else {
		report_rules_markdown(&b, o->from, target);
	}
	fputs(buf_str(&b), stdout);
	return EXIT_OK;
}
