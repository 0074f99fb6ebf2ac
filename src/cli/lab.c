/* What the commands that boot guests have in common. */
#include <errno.h>

#include "cli/lab.h"

const char *lab_scratch(const struct options *o)
{
	return o->scratch == NULL ? "/var/tmp/rehost" : o->scratch;
}

const char *lab_target(const struct options *o)
{
	return o->targets.n == 0 ? "lxc" : o->targets.v[0];
}

const struct engine *lab_engine(const struct options *o, struct arena *mem,
				struct err *e)
{
	/* who runs guests in production is the target's own engine */
	const char *name = o->engine != NULL ? o->engine :
			   o->running        ? lab_target(o) :
					       "builtin";
	const struct engine *engine = engine_find(name);

	if (engine == NULL)
		err_fill(e, EINVAL, "--engine=%s: not one of %s", name,
			 engine_names(mem));
	return engine;
}

struct look_options lab_look(const struct options *o,
			     const struct engine *engine)
{
	return (struct look_options){
		.engine = engine,
		.scratch = lab_scratch(o),
		.ports = o->expect_ports,
		.most = o->probes == NULL ? CLASS_SAFE :
					    probe_class_find(o->probes),
		.seconds = LAB_START_SECONDS,
		.stop_seconds = LAB_STOP_SECONDS,
	};
}
