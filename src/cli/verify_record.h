/* The records of verifications. */
#ifndef REHOST_CLI_VERIFY_RECORD_H
#define REHOST_CLI_VERIFY_RECORD_H

#include "runtime/verify_report.h"

/* This host, for a document: kernel, cgroups, security modules, the time. */
json_t *verify_record_host(struct arena *mem);

/* Writes the run's record beside its guest, never over another. */
int verify_record(const struct verify_run *v, struct arena *mem, struct err *e);

#endif
