/* What every process of the guest gets, pid 1 and those called into it. */
#ifndef REHOST_RUNTIME_INNER_H
#define REHOST_RUNTIME_INNER_H

#include "base/err.h"

/*
 * A session keyring of its own. Where the kernel has none, or a filter above
 * us refuses the call, there is nothing to leave.
 */
int inner_keyring(struct err *e);

#endif
