/*
 * Secrets in configurations: what is not shown in a report (design 1.2). A
 * value is one when its name says so: DB_PASSWORD=..., password=... of cifs.
 */
#ifndef REHOST_BASE_SECRET_H
#define REHOST_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* What stands in a secret's place. */
extern const char secret_hidden[];

/* Whether a value of this name is a secret; NULL: no. */
bool secret_is_name(const char *name);

/*
 * Appends the text with the value behind each secret's name and "=" hidden:
 * up to the next comma or blank where the name stands behind a comma, as in
 * the options of a mount, else to the end of the line.
 */
void secret_mask(struct buf *out, const char *text, size_t n);

#endif
