/*
 * The site file as pieces of text, each with at most one block, so that every
 * word has a line and no block replaces another. Private to site_*.c.
 */
#ifndef REHOST_SITE_TEXT_H
#define REHOST_SITE_TEXT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct site_piece {
	const char *text; /* comments are blanks */
	unsigned line;    /* of its first byte */
	unsigned block;   /* line of its "{"; 0: no block */
};

struct site_pieces {
	struct site_piece *v;
	size_t n, cap;
};

/*
 * Cuts text behind each closing brace. What libconfuse would take in silence
 * (an open block at the end, NUL bytes) is an error with its line.
 */
int site_text_cut(const char *path, const char *text, size_t n,
		  struct arena *mem, struct site_pieces *ret, struct err *e);

#endif
