/* The documents of a verification: JSON, text, JUnit. */
#ifndef REHOST_RUNTIME_VERIFY_REPORT_H
#define REHOST_RUNTIME_VERIFY_REPORT_H

#include "base/buf.h"
#include "base/json.h"
#include "runtime/verify.h"

/* One guest that was looked at. */
struct verify_run {
	const struct verify_package *package;
	const char *engine, *engine_version;
	struct verify_seen seen;
	struct verify_result result;
	/* of a guest that ran already: what it is compared with; else NULL */
	const struct verify_baseline *baseline;
};

/* A guest of the document; schema verify.schema.json. */
json_t *verify_report_guest(const struct verify_run *v);
/* The document around them; steals guests. time: UTC, RFC 3339. */
json_t *verify_report_document(const char *tool, json_t *host, json_t *guests);

/*
 * The same document a guest at a time: what stands before the guests, which
 * the caller separates by commas, and behind them.
 */
void verify_report_json_open(const char *tool, json_t *host, struct buf *b);
void verify_report_json_close(struct buf *b);

/*
 * Lines for people: the verdict, then what is not equal; all with everything.
 * utf8: check marks, else ASCII.
 */
void verify_report_text(const struct verify_run *v, bool everything, bool utf8,
			struct buf *b);

/* <testsuites> of JUnit around one <testsuite> a guest. */
void verify_report_junit_open(struct buf *b);
void verify_report_junit(const struct verify_run *v, struct buf *b);
void verify_report_junit_close(struct buf *b);

#endif
