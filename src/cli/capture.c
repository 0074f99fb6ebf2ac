/* rehost capture: print the script that records an old host's facts. */
#include <stdio.h>

#include "cli/commands.h"

static const char script[] = {
#include "embed/capture.sh.inc"
	, '\0'
};

int capture_run(const struct options *o, struct arena *mem, struct err *e)
{
	(void)mem;
	(void)e;
	if (o->args.n != 0)
		return err_set(e, 22, "capture: takes no argument");
	fputs(script, stdout);
	return EXIT_OK;
}
