/* The commands: each one file. They print data on standard output. */
#ifndef REHOST_CLI_COMMANDS_H
#define REHOST_CLI_COMMANDS_H

#include "cli/options.h"

#define COMMAND(id, name, run, args, text)                                     \
	int run(const struct options *o, struct arena *mem, struct err *e);
#include "cli/commands.def"
#undef COMMAND

/* -1 with *e where the command could not be done; else an exit status. */

#endif
