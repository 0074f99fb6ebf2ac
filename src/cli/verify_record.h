/* The records of verifications. */
#ifndef REHOST_CLI_VERIFY_RECORD_H
#define REHOST_CLI_VERIFY_RECORD_H

#include "runtime/verify_report.h"

/* This host, for a document: kernel, cgroups, security modules, the time. */
json_t *verify_record_host(struct arena *mem);

/* Writes the run's record beside its guest, never over another. */
int verify_record(const struct verify_run *v, struct arena *mem, struct err *e);

/* Names of records in order of time; those of one second are numbered. */
int verify_record_cmp(const char *a, const char *b);

/*
 * The newest record of p, as it was converted last, whose verdict is at least
 * that: of that engine, or else of any. Records of guests that ran in
 * production are none. An error when there is no such record.
 */
int verify_record_find(const struct verify_package *p, const char *engine,
		       enum verify_verdict least, struct arena *mem,
		       struct verify_baseline *ret, struct err *e);

#endif
