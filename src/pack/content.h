/*
 * The digest of a file's content in the list of members: 64 digits of the
 * SHA-256 of all of it; or "z" and 64 digits, of a file with large holes,
 * where blocks of zeros do not count.
 */
#ifndef REHOST_PACK_CONTENT_H
#define REHOST_PACK_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

enum { CONTENT_TEXT = DIGEST_HEX + 1 };

struct content;

/* Which of the two it is for a file with so many bytes of holes. */
bool content_has_large_holes(uint64_t holes);

struct content *content_new(void);
/* Starts a file of so many bytes. */
void content_begin(struct content *c, uint64_t size, bool large_holes);
/* In order; what is left out is zeros. */
void content_add(struct content *c, uint64_t at, const void *data, size_t n);
/* Ends the file; another may begin. */
void content_end(struct content *c, char ret[CONTENT_TEXT]);
void content_freep(struct content **c); /* for CLEANUP */

#endif
