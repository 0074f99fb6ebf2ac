/*
 * Messages on standard error: "rehost: warning: ...". For cli, batch and
 * report only; everything below returns errors and findings.
 */
#ifndef REHOST_BASE_LOG_H
#define REHOST_BASE_LOG_H

#include "attr.h"

void log_error(const char *fmt, ...) PRINTF(1, 2);
void log_warn(const char *fmt, ...) PRINTF(1, 2);
void log_note(const char *fmt, ...) PRINTF(1, 2);

#endif
