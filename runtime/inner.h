/* What every process of the guest gets, pid 1 and those called into it. */
#ifndef REHOST_RUNTIME_INNER_H
#define REHOST_RUNTIME_INNER_H

#include <sys/types.h>

#include "base/err.h"

/*
 * A session keyring of its own. Where the kernel has none, or a filter above
 * us refuses the call, there is nothing to leave.
 */
int inner_keyring(struct err *e);

enum { INNER_LABEL_MAX = 512 };

/*
 * AppArmor's profile of a process, which is "" where none confines it; and
 * ours from now on. proc: a /proc that both are in.
 */
int inner_label_of(int proc, pid_t pid, char ret[INNER_LABEL_MAX],
		   struct err *e);
int inner_take_label(int proc, const char *label, struct err *e);

#endif
