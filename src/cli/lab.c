/* What the commands that boot guests have in common. */
#include "cli/lab.h"

const char *lab_scratch(const struct options *o)
{
	return o->scratch == NULL ? "/var/tmp/rehost" : o->scratch;
}

const char *lab_target(const struct options *o)
{
	return o->targets.n == 0 ? "lxc" : o->targets.v[0];
}
