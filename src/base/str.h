/* Strings: slices, trimming, words. Nothing here allocates but in an arena. */
#ifndef REHOST_BASE_STR_H
#define REHOST_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"

/* A piece of text that somebody else owns; not NUL-terminated. */
struct slice {
	const char *p;
	size_t n;
};

/* A list of strings, NULL-terminated as well (v[n] == NULL). */
struct strv {
	const char **v;
	size_t n;
};

bool str_eq(const char *a, const char *b);     /* NULL equals only NULL */
bool str_caseeq(const char *a, const char *b); /* ASCII only */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* Behind the last slash of a path; all of it where there is none. */
const char *str_base(const char *path);
/* Up to the last slash; "/" where there is none but the first. */
const char *str_dir(struct arena *mem, const char *path);
bool slice_eq(struct slice s, const char *t);
char *slice_dup(struct arena *a, struct slice s);

/* Cuts blanks, tabs, CR, LF, VT, FF from both ends. */
struct slice slice_trim(struct slice s);

/*
 * Takes the next piece up to (not including) `sep` off *rest; false when
 * nothing is left. A final separator does not make an empty last piece.
 */
bool slice_next(struct slice *rest, char sep, struct slice *ret);

/* Takes the next word separated by blanks and tabs; false at the end. */
bool slice_word(struct slice *rest, struct slice *ret);

/* Splits at any run of bytes out of `seps`; empty pieces are left out. */
struct strv strv_split(struct arena *a, const char *s, const char *seps);
void strv_add(struct arena *a, struct strv *v, const char *s); /* borrows s */
bool strv_has(const struct strv *v, const char *s);
char *strv_join(struct arena *a, const struct strv *v, const char *sep);

/*
 * One line of printable text for messages and reports: control bytes, quotes
 * and invalid UTF-8 become \n, \t, \xNN ..., and text beyond max bytes becomes
 * "..." (max 0: no bound). Secrets are the caller's business.
 */
char *str_show(struct arena *a, const char *s, size_t n, size_t max);

/* Whether the n bytes are valid UTF-8 without NUL. */
bool str_utf8(const char *s, size_t n);

/* fnmatch-like: '*' any run, '?' one byte, no classes, '/' not special. */
bool str_glob(const char *pattern, const char *s);

#endif
