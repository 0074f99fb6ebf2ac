/*
 * libarchive writes the tar. Two of its choices are set right in the header
 * blocks before they go out, since it has no options for them:
 *
 * - With hdrcharset=BINARY, the one setting that keeps any byte in a name and
 *   asks no locale, every member says so in a record. GNU tar does not know
 *   the record and warns of each. It is needed only where a name is not
 *   UTF-8, or not what it becomes when libarchive's reader composes it;
 *   elsewhere a comment takes its place, or, where it is the only record, the
 *   extended header goes.
 * - The group bits of a member with an access ACL are the owning group's
 *   entry there. An inode's are the mask, and readers that chmod after
 *   setting the ACL (containers/storage, umoci) would set the mask by them.
 */
#include "pack/tar.h"

#include <archive.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "pack/charset.h"

enum {
	BLOCK = 512,
	/* places in a ustar header (POSIX.1-2001, pax) */
	MODE_AT = 100,
	SUM_AT = 148,
	SUM_BYTES = 8,
};

static const char BINARY[] = "21 hdrcharset=BINARY\n";
static const char COMMENT[] = "21 comment=utf8 text\n";
_Static_assert(sizeof(BINARY) == sizeof(COMMENT),
	       "one takes the other's place");

struct tar {
	struct arena *mem;
	struct archive *a;
	struct out *out; /* borrowed */
	bool in_header;
	struct buf header; /* of the member being started */
	bool is_over;      /* no more output */
	struct err out_err;
};

/*
 * Never fails for libarchive, which would leak its filter then: what went
 * wrong is kept, no more is written, and each call here looks for it.
 */
static la_ssize_t on_write(struct archive *a UNUSED, void *arg,
			   const void *data, size_t n)
{
	struct tar *t = arg;

	if (t->in_header)
		buf_add(&t->header, data, n);
	else if (!t->is_over && out_add(t->out, data, n, &t->out_err))
		t->is_over = true;
	return (la_ssize_t)n;
}

/* After a call of libarchive that gave `ok`. */
static int check(struct tar *t, bool ok, struct err *e)
{
	if (t->is_over) {
		*e = t->out_err;
		return -1;
	}
	if (ok)
		return 0;
	err_fill(e, 0, "write archive: %s", archive_error_string(t->a));
	e->code = archive_errno(t->a);
	return -1;
}

static int set_up(struct tar *t, struct err *e)
{
	static const char options[] = "xattrheader=SCHILY,hdrcharset=BINARY";
	struct archive *a = t->a;

	if (!a)
		return err_set(e, ENOMEM, "set up libarchive");
	return check(
		t,
		archive_write_set_format_pax(a) == ARCHIVE_OK &&
			archive_write_set_options(a, options) == ARCHIVE_OK &&
			archive_write_set_bytes_per_block(a, 0) == ARCHIVE_OK &&
			archive_write_open(a, t, NULL, on_write, NULL) ==
				ARCHIVE_OK,
		e);
}

int tar_open(struct out *out, struct tar **ret, struct err *e)
{
	struct arena *mem = arena_new();
	struct tar *t CLEANUP(tar_closep) = arena_alloc(mem, sizeof(*t));

	t->mem = mem;
	t->out = out;
	t->a = archive_write_new();
	if (set_up(t, e))
		return -1;
	*ret = t;
	t = NULL;
	return 0;
}

static bool has_safe_names(struct archive_entry *ae)
{
	return charset_is_safe(archive_entry_pathname(ae)) &&
	       charset_is_safe(archive_entry_hardlink(ae)) &&
	       charset_is_safe(archive_entry_symlink(ae));
}

static void set_mode(unsigned char *block, uint32_t mode)
{
	char text[SUM_BYTES + 1];
	unsigned sum = 0;

	snprintf(text, sizeof(text), "%06o ", mode & 07777);
	memcpy(block + MODE_AT, text, SUM_BYTES);
	memset(block + SUM_AT, ' ', SUM_BYTES);
	for (size_t i = 0; i < BLOCK; i++)
		sum += block[i];
	/* six digits, NUL, and the blank that is there */
	snprintf(text, sizeof(text), "%06o", sum & 0777777);
	memcpy(block + SUM_AT, text, SUM_BYTES - 1);
}

/*
 * An extended header, its records, then the ustar header, in blocks. Returns
 * how many bytes at the start are not wanted.
 */
static size_t correct(struct buf *header, struct archive_entry *ae,
		      uint32_t mode)
{
	char *records = header->p + BLOCK;
	size_t n = sizeof(BINARY) - 1, left_out = 0;

	if (header->n >= (size_t)3 * BLOCK && has_safe_names(ae) &&
	    memcmp(records, BINARY, n) == 0) {
		memcpy(records, COMMENT, n);
		if (records[n] == '\0') /* there are no others */
			left_out = (size_t)2 * BLOCK;
	}
	if (header->n >= BLOCK && ((mode ^ archive_entry_mode(ae)) & 07777))
		set_mode((unsigned char *)header->p + header->n - BLOCK, mode);
	return left_out;
}

int tar_entry(struct tar *t, struct archive_entry *ae, uint32_t mode,
	      struct err *e)
{
	size_t left_out;
	int r;

	if (check(t, archive_write_finish_entry(t->a) == ARCHIVE_OK, e))
		return -1;
	buf_clear(&t->header);
	t->in_header = true;
	r = archive_write_header(t->a, ae);
	t->in_header = false;
	if (check(t, r == ARCHIVE_OK || r == ARCHIVE_WARN, e))
		return -1;
	left_out = correct(&t->header, ae, mode);
	if (out_add(t->out, t->header.p + left_out, t->header.n - left_out, e))
		return -1;
	return r == ARCHIVE_WARN;
}

int tar_data(struct tar *t, const void *data, size_t n, struct err *e)
{
	la_ssize_t done = archive_write_data(t->a, data, n);

	return check(t, done == (la_ssize_t)n, e);
}

int tar_finish(struct tar *t, struct err *e)
{
	return check(t, archive_write_close(t->a) == ARCHIVE_OK, e);
}

void tar_closep(struct tar **t)
{
	struct tar *x = *t;

	if (!x)
		return;
	x->is_over = true; /* closing would end the archive */
	archive_write_free(x->a);
	buf_done(&x->header);
	arena_free(x->mem);
	*t = NULL;
}
