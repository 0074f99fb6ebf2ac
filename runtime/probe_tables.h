/* The probes as documents have them. */
#ifndef REHOST_RUNTIME_PROBE_TABLES_H
#define REHOST_RUNTIME_PROBE_TABLES_H

#include "base/buf.h"

/* Tables of the probes, the fields and what else is tried, in Markdown. */
void probe_tables(struct buf *b);

#endif
