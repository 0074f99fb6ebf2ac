/* Names of files, which are bytes, in formats that want characters. */
#ifndef REHOST_PACK_CHARSET_H
#define REHOST_PACK_CHARSET_H

#include <stdbool.h>

/*
 * Whether s is UTF-8 that comes out of every reader as it went in: libarchive
 * composes characters, so that "e" and an accent become another name. NULL is.
 */
bool charset_is_safe(const char *s);

#endif
