/* Tar archives made in memory, with members that no tar program would write. */
#ifndef REHOST_TESTS_CHECK_ARCHIVE_MAKE_H
#define REHOST_TESTS_CHECK_ARCHIVE_MAKE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"

/* What is not set is what a regular file of root has. */
struct tar_member {
	const char *name;
	char type; /* of tar: '0' file, '1' hard link, '2' link, '5' ... */
	const char *target;
	const char *data;
	size_t n;
	uint64_t size; /* as it is said, if not n */
	unsigned mode, uid, gid, major, minor;
	uint64_t mtime;
	const void *at_386; /* of an old GNU sparse header, 126 bytes */
};

static void tar_octal(char *to, size_t n, uint64_t v)
{
	char text[32];

	snprintf(text, sizeof(text), "%0*llo", (int)n - 1,
		 (unsigned long long)v);
	memcpy(to, text, n - 1);
}

/* Numbers that do not fit are in base 256, as GNU tar has them. */
static void tar_number(char *to, size_t n, uint64_t v)
{
	if (v >> 3 * (n - 1) == 0) {
		tar_octal(to, n, v);
		return;
	}
	memset(to, 0, n);
	to[0] = '\200';
	for (size_t i = n; i > n - 8; i--, v >>= 8)
		to[i - 1] = (char)(v & 0xff);
}

static void tar_text(char *to, size_t n, const char *s)
{
	const size_t len = s ? strlen(s) : 0;

	if (len > 0)
		memcpy(to, s, len < n ? len : n);
}

static void tar_pad(struct buf *b)
{
	while (b->n % 512 > 0)
		buf_addc(b, '\0');
}

static void tar_header(struct buf *b, const struct tar_member *m)
{
	char h[512] = { 0 };
	unsigned sum = 0;

	tar_text(h, 100, m->name);
	tar_octal(h + 100, 8, m->mode ? m->mode : 0644);
	tar_octal(h + 108, 8, m->uid);
	tar_octal(h + 116, 8, m->gid);
	tar_number(h + 124, 12, m->size ? m->size : m->n);
	tar_octal(h + 136, 12, m->mtime);
	memset(h + 148, ' ', 8);
	h[156] = m->type ? m->type : '0';
	tar_text(h + 157, 100, m->target);
	memcpy(h + 257, "ustar  ", 8);
	tar_octal(h + 329, 8, m->major);
	tar_octal(h + 337, 8, m->minor);
	if (m->at_386)
		memcpy(h + 386, m->at_386, 126);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned char)h[i];
	tar_octal(h + 148, 7, sum);
	buf_add(b, h, sizeof(h));
}

UNUSED static void tar_add(struct buf *b, const struct tar_member *m)
{
	if (m->name && strlen(m->name) > 100)
		tar_add(b, &(struct tar_member){ .name = "././@LongLink",
						 .type = 'L',
						 .data = m->name,
						 .n = strlen(m->name) + 1 });
	if (m->target && strlen(m->target) > 100)
		tar_add(b, &(struct tar_member){ .name = "././@LongLink",
						 .type = 'K',
						 .data = m->target,
						 .n = strlen(m->target) + 1 });
	tar_header(b, m);
	if (m->n > 0)
		buf_add(b, m->data, m->n);
	tar_pad(b);
}

/* A pax record for the member that comes next. */
UNUSED static void tar_pax(struct buf *b, const char *key, const void *value,
			   size_t n)
{
	struct buf r CLEANUP(buf_done) = { 0 };
	size_t len = strlen(key) + n + 3, all = len;
	char digits[24];

	do {
		all = len +
		      (size_t)snprintf(digits, sizeof(digits), "%zu", all);
	} while (all != len + strlen(digits) ||
		 (size_t)snprintf(digits, sizeof(digits), "%zu", all) + len !=
			 all);
	buf_printf(&r, "%zu %s=", all, key);
	buf_add(&r, value, n);
	buf_addc(&r, '\n');
	tar_add(b, &(struct tar_member){
			   .name = "pax", .type = 'x', .data = r.p, .n = r.n });
}

UNUSED static void tar_end(struct buf *b)
{
	static const char zeros[1024];

	buf_add(b, zeros, sizeof(zeros));
}

UNUSED static void tar_file(struct buf *b, const char *name, const char *text)
{
	tar_add(b, &(struct tar_member){
			   .name = name, .data = text, .n = strlen(text) });
}

UNUSED static void tar_dir(struct buf *b, const char *name)
{
	tar_add(b, &(struct tar_member){
			   .name = name, .type = '5', .mode = 0755 });
}

#endif
