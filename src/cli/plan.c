/* rehost plan: the dry run. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "batch.h"
#include "cli/commands.h"
#include "cli/planning.h"
#include "cli/template.h"

static int open_format(const struct options *o,
		       const struct report_format **ret, struct err *e)
{
	const char *name = o->format == NULL ? "text" : o->format;

	*ret = report_format(name);
	if (*ret == NULL)
		return err_set(e, EINVAL,
			       "--format=%s: plan writes text, json, html, md "
			       "and csv",
			       name);
	return 0;
}

int plan_cmd_run(const struct options *o, struct arena *mem, struct err *e)
{
	struct session *s CLEANUP(session_closep) = NULL;
	struct planning *p CLEANUP(planning_freep) = NULL;
	const struct report_format *format;

	if (open_format(o, &format, e) < 0 || session_open(o, mem, &s, e) < 0)
		return -1;
	if (s->sources.list.n == 0) {
		log_error("no guest was found; looked at %s",
			  session_places(s, mem));
		return EXIT_FAILED;
	}
	if (session_fleet(s, e) < 0)
		return -1;
	p = planning_new(s, format, options_color(o, STDOUT_FILENO));
	if (o->site_template)
		return template_print(p, stdout, e);
	if (planning_run(p, planning_one, e) < 0 ||
	    planning_print(p, stdout, e) < 0)
		return -1;
	return planning_status(p);
}
