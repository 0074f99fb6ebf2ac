/* The part of verify that looks at files only. */
#ifndef REHOST_CLI_VERIFY_FILES_H
#define REHOST_CLI_VERIFY_FILES_H

#include "cli/options.h"

/* As a command: -1 with *e, else an exit status. */
int verify_files(const struct options *o, struct arena *mem, struct err *e);

#endif
