/* Child processes, held by pidfd where the kernel has them. */
#ifndef REHOST_BASE_PROC_H
#define REHOST_BASE_PROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "buf.h"
#include "err.h"

/*
 * Runs argv (argv[0] looked up in PATH) with stdin from /dev/null, collects
 * stdout and stderr together (at most 1 MiB; the rest is read and dropped),
 * kills it after seconds. ret_status as of waitpid; -1 with *e when it could
 * not be started or timed out.
 */
int proc_run(const char *const argv[], unsigned seconds, struct buf *ret_out,
	     int *ret_status, struct err *e);

#endif
