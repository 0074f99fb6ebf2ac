/* A fleet's report as text: 24 lines of 80 columns, whatever its size. */
#ifndef REHOST_REPORT_SUMMARY_H
#define REHOST_REPORT_SUMMARY_H

#include "report/report.h"

/*
 * Verdicts, the guests that are not ready, a line a code. With o->by_guest
 * the verdicts alone: the guests follow. With o->verbose nothing is left out
 * and the advice of each code is added, however long that gets.
 */
void summary_text(struct buf *b, const struct report_options *o,
		  const struct report_totals *t);

#endif
