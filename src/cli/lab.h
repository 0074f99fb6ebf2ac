/* What the commands that boot guests have in common. */
#ifndef REHOST_CLI_LAB_H
#define REHOST_CLI_LAB_H

#include "cli/options.h"
#include "runtime/look.h"

/* Patience for a start, and between the signal to stop and the kill. */
enum { LAB_START_SECONDS = 120, LAB_STOP_SECONDS = 60 };

/* --scratch, or where it is by default. */
const char *lab_scratch(const struct options *o);

/* --engine; NULL with *e (EINVAL) when there is none of that name. */
const struct engine *lab_engine(const struct options *o, struct arena *mem,
				struct err *e);

/* How verify and rehearse look, as far as the options say. */
struct look_options lab_look(const struct options *o,
			     const struct engine *engine);

/* The one target that is looked at. */
const char *lab_target(const struct options *o);

#endif
