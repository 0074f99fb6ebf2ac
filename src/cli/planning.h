/*
 * A batch of plans and the report that it makes: what plan and convert have
 * in common. Sections are spooled to an unnamed file until all totals are
 * known.
 */
#ifndef REHOST_CLI_PLANNING_H
#define REHOST_CLI_PLANNING_H

#include <stdio.h>

#include "batch.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/work.h"
#include "report/report.h"

struct planning {
	struct session *s;
	const struct report_format *format;
	struct report_options options;
	struct report_totals totals;
	FILE *spool; /* the sections, one after the other */
	VEC(size_t) lengths;
	bool blocked;     /* by --strict */
	void *arg;        /* of the command */
	const char *verb; /* what a guest's start is told as; NULL: it is not */
	struct progress *progress; /* while it runs */
	/* In the parent, after a guest's record was added. May be NULL. */
	void (*after)(struct planning *p, size_t i, const json_t *record);
};

struct planning *planning_new(struct session *s,
			      const struct report_format *format, bool color);
void planning_freep(struct planning **p); /* for CLEANUP */

/* In the worker: plan guest i; record and section as report.h says. */
int planning_one(void *planning, size_t i, struct buf *record,
		 struct buf *section, struct err *e);

/* Runs one function for every guest, in workers. */
int planning_run(struct planning *p,
		 int (*one)(void *planning, size_t i, struct buf *record,
			    struct buf *section, struct err *e),
		 struct err *e);

/* Writes the sections alone. */
int planning_sections(struct planning *p, FILE *to, struct err *e);

/* Writes head, sections and tail. */
int planning_print(struct planning *p, FILE *to, struct err *e);

/* The exit status that the totals make (design 1.1). */
int planning_status(const struct planning *p);

/* Record and section of a document, for `one` functions. */
void planning_render(const struct planning *p, const json_t *document,
		     struct buf *record, struct buf *section);

#endif
