/*
 * Thin helpers over jansson. A json_t belongs to who made it; json_put* steal
 * the value, as jansson's _new functions do. Text is canonical: keys in the
 * order they were set, two blanks of indent, one newline at the end.
 */
#ifndef REHOST_BASE_JSON_H
#define REHOST_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

void json_freep(json_t **j); /* for CLEANUP */

/*
 * Bytes of a legacy file need not be UTF-8: what is not becomes U+FFFD, so
 * that the document is always valid. NULL becomes null.
 */
json_t *json_text(const char *s);
json_t *json_textn(const char *s, size_t n);

void json_put(json_t *object, const char *key, json_t *value);
void json_put_str(json_t *object, const char *key, const char *s);
void json_put_int(json_t *object, const char *key, int64_t n);
void json_put_u64(json_t *object, const char *key, uint64_t n);
void json_put_bool(json_t *object, const char *key, bool b);

/* Appends the document as text; compact has no white space nor newline. */
void json_write(struct buf *b, const json_t *j);
void json_write_compact(struct buf *b, const json_t *j);

/* Member of an object as a borrowed string / number; "" / 0 when absent. */
const char *json_str(const json_t *object, const char *key);
uint64_t json_num(const json_t *object, const char *key);

#endif
