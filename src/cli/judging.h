/*
 * Verdicts of several guests, as verify and rehearse give them: what is
 * accepted, the exit status, and the document on standard output.
 */
#ifndef REHOST_CLI_JUDGING_H
#define REHOST_CLI_JUDGING_H

#include "batch.h"
#include "cli/options.h"
#include "runtime/verify_report.h"
#include "site.h"

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_JUNIT };

struct judging {
	const struct options *o;
	struct site *site;
	enum verify_verdict require; /* VERIFIED__MAX: none */
	enum format format;
	int status;
	size_t n_printed;
};

/* From the options: site file, --require, --format. Wrong ones are EINVAL. */
int judging_open(struct judging *v, struct arena *mem, struct err *e);

/*
 * Marks what the operator accepts. What was accepted when it was converted
 * stays so.
 */
int judging_accept(const struct judging *v, struct arena *mem,
		   struct verify_package *p, struct err *e);

/* In a worker: record (the status that this guest makes) and section. */
int judging_take(const struct judging *v, const struct verify_run *run,
		 struct buf *record, struct buf *section);

/* In the parent: prints the section; of name, for messages. */
void judging_add(struct judging *v, const char *name,
		 const struct batch_result *r);
void judging_worse(struct judging *v, int status);

/* What stands around the guests. */
void judging_open_document(const struct judging *v, struct arena *mem);
void judging_close_document(const struct judging *v);

#endif
