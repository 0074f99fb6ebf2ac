/*
 * "Could not do it": the error of a function that failed.
 *
 * A function that can fail takes `struct err *e` last, returns -1 exactly
 * when it filled *e, and 0 (or what it documents) otherwise. Outputs are
 * untouched on failure. An err lives on the caller's stack and owns nothing.
 * Messages are lower case and name operation and object:
 * "open /etc/vz/conf/101.conf: Permission denied".
 */
#ifndef REHOST_BASE_ERR_H
#define REHOST_BASE_ERR_H

#include "attr.h"

struct err {
	int code; /* errno, or 0 where none applies */
	char msg[512];
};

/* Fills *e; a code other than 0 appends ": strerror(code)". */
void err_fill(struct err *e, int code, const char *fmt, ...) PRINTF(3, 4);

/* Puts "text: " before the message that is there. */
void err_push(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* Both are -1, in sight of the compiler: "return err_set(...)" is one act. */
#define err_set(e, code, ...) (err_fill((e), (code), __VA_ARGS__), -1)
#define err_wrap(e, ...) (err_push((e), __VA_ARGS__), -1)

#endif
