/* Compressors: libzstd itself, the rest through libarchive's filters. */
#include "pack/squeeze.h"

#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_createCCtx_advanced */

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/attr.h"
#include "base/str.h"
#include "pack/pages.h"

struct squeeze {
	struct squeeze_setup setup;
	ZSTD_CCtx *zstd;
	ZSTD_outBuffer out; /* of zstd */
	struct archive *filter;
	bool failed; /* in the callback: sink_err says why */
	struct err sink_err;
};

static int set(struct squeeze *s, ZSTD_cParameter key, int value, struct err *e)
{
	size_t r = ZSTD_CCtx_setParameter(s->zstd, key, value);

	if (ZSTD_isError(r))
		return err_set(e, 0, "set up zstd: %s", ZSTD_getErrorName(r));
	return 0;
}

static void *get_memory(void *arg UNUSED, size_t n)
{
	void *p = malloc(n);

	if (p)
		pages_advise(p, n);
	return p;
}

static void free_memory(void *arg UNUSED, void *p)
{
	free(p);
}

/*
 * What libzstd is told beside the level and the window, found by measuring
 * root file systems: a long match is looked for at every 512th place instead
 * of every 128th, which is a tenth of the time, and what that costs in size
 * comes back by shorter matches at level 1 and by larger jobs, each of which
 * starts with nothing but its window of long matches.
 */
enum {
	RATE_LOG = 9,
	MIN_MATCH = 6,       /* 7 of its own */
	JOB = 4 << 20,       /* bytes; a thread holds about two */
	SMALL_JOB = 1 << 20, /* without a window to fill */
};

/*
 * At least one worker: libzstd's result with one is that with any number, but
 * not that with none.
 */
static int open_zstd(struct squeeze *s, struct arena *mem, struct err *e)
{
	int window = (int)s->setup.window_log;
	int level = format_level(s->setup.format);
	const struct {
		ZSTD_cParameter key;
		int value;
		bool wanted;
	} params[] = {
		{ ZSTD_c_compressionLevel, level, true },
		{ ZSTD_c_enableLongDistanceMatching, 1, window > 0 },
		{ ZSTD_c_windowLog, window, window > 0 },
		{ ZSTD_c_ldmHashRateLog, RATE_LOG, window > 0 },
		{ ZSTD_c_minMatch, MIN_MATCH, window > 0 && level == 1 },
		{ ZSTD_c_jobSize, window > 0 ? JOB : SMALL_JOB, true },
		{ ZSTD_c_checksumFlag, 1, true },
		{ ZSTD_c_nbWorkers, s->setup.jobs ? (int)s->setup.jobs : 1,
		  true },
	};

	s->zstd = ZSTD_createCCtx_advanced(
		(ZSTD_customMem){ get_memory, free_memory, NULL });
	if (!s->zstd)
		return err_set(e, ENOMEM, "set up zstd");
	for (size_t i = 0; i < COUNT(params); i++)
		if (params[i].wanted &&
		    set(s, params[i].key, params[i].value, e))
			return -1;
	s->out.size = ZSTD_CStreamOutSize();
	s->out.dst = arena_alloc(mem, s->out.size);
	return 0;
}

static int run_zstd(struct squeeze *s, ZSTD_inBuffer *in, ZSTD_EndDirective how,
		    struct err *e)
{
	size_t left;

	do {
		s->out.pos = 0;
		left = ZSTD_compressStream2(s->zstd, &s->out, in, how);
		if (ZSTD_isError(left))
			return err_set(e, 0, "compress: %s",
				       ZSTD_getErrorName(left));
		if (s->out.pos > 0 &&
		    s->setup.sink(s->setup.arg, s->out.dst, s->out.pos, e))
			return -1;
	} while (how == ZSTD_e_end ? left > 0 : in->pos < in->size);
	return 0;
}

static int add_zstd(struct squeeze *s, const void *data, size_t n,
		    struct err *e)
{
	ZSTD_inBuffer in = { .src = data, .size = n };

	return run_zstd(s, &in, ZSTD_e_continue, e);
}

/* All input is in by now: an end with some left would cut it by chance. */
static int end_zstd(struct squeeze *s, struct err *e)
{
	ZSTD_inBuffer in = { .src = "", .size = 0 };

	return run_zstd(s, &in, ZSTD_e_end, e);
}

/* Never fails for libarchive, which would leak its filter then: see tar.c. */
static la_ssize_t on_write(struct archive *a UNUSED, void *arg,
			   const void *data, size_t n)
{
	struct squeeze *s = arg;

	if (!s->failed && s->setup.sink(s->setup.arg, data, n, &s->sink_err))
		s->failed = true;
	return (la_ssize_t)n;
}

static int check(struct squeeze *s, bool ok, struct err *e)
{
	if (s->failed) {
		*e = s->sink_err;
		return -1;
	}
	if (ok)
		return 0;
	err_fill(e, 0, "compress: %s", archive_error_string(s->filter));
	e->code = archive_errno(s->filter);
	return -1;
}

/* gzip's header would hold the time of day, but for "!timestamp". */
static int set_up_filter(struct squeeze *s, char level[12])
{
	struct archive *a = s->filter;
	bool gzip = s->setup.format.kind == FORMAT_GZIP;

	if ((gzip ? archive_write_add_filter_gzip(a) :
		    archive_write_add_filter_xz(a)) != ARCHIVE_OK ||
	    archive_write_set_filter_option(a, NULL, "compression-level",
					    level) != ARCHIVE_OK)
		return -1;
	if (gzip && archive_write_set_filter_option(a, "gzip", "timestamp",
						    NULL) != ARCHIVE_OK)
		return -1;
	return archive_write_set_format_raw(a) == ARCHIVE_OK &&
			       archive_write_set_bytes_per_block(a, 0) ==
				       ARCHIVE_OK &&
			       archive_write_open(a, s, NULL, on_write, NULL) ==
				       ARCHIVE_OK ?
		       0 :
		       -1;
}

static int open_filter(struct squeeze *s, struct arena *mem UNUSED,
		       struct err *e)
{
	struct archive_entry *ae = archive_entry_new();
	char level[12];
	bool ok;

	s->filter = archive_write_new();
	if (!ae || !s->filter)
		return err_set(e, ENOMEM, "set up libarchive");
	snprintf(level, sizeof(level), "%d", format_level(s->setup.format));
	archive_entry_set_filetype(ae, AE_IFREG);
	archive_entry_set_pathname(ae, "tar");
	ok = set_up_filter(s, level) == 0 &&
	     archive_write_header(s->filter, ae) == ARCHIVE_OK;
	archive_entry_free(ae);
	return check(s, ok, e);
}

static int add_filter(struct squeeze *s, const void *data, size_t n,
		      struct err *e)
{
	return check(s, archive_write_data(s->filter, data, n) == (la_ssize_t)n,
		     e);
}

static int end_filter(struct squeeze *s, struct err *e)
{
	return check(s, archive_write_close(s->filter) == ARCHIVE_OK, e);
}

static const struct {
	int (*open)(struct squeeze *s, struct arena *mem, struct err *e);
	int (*add)(struct squeeze *s, const void *data, size_t n,
		   struct err *e);
	int (*end)(struct squeeze *s, struct err *e);
} kinds[] = {
	[FORMAT_ZSTD] = { open_zstd, add_zstd, end_zstd },
	[FORMAT_GZIP] = { open_filter, add_filter, end_filter },
	[FORMAT_XZ] = { open_filter, add_filter, end_filter },
};

int squeeze_open(const struct squeeze_setup *setup, struct arena *mem,
		 struct squeeze **ret, struct err *e)
{
	struct squeeze *s CLEANUP(squeeze_closep) =
		arena_alloc(mem, sizeof(*s));

	s->setup = *setup;
	if (kinds[setup->format.kind].open(s, mem, e))
		return -1;
	*ret = s;
	s = NULL;
	return 0;
}

int squeeze_add(struct squeeze *s, const void *data, size_t n, struct err *e)
{
	return kinds[s->setup.format.kind].add(s, data, n, e);
}

int squeeze_end(struct squeeze *s, struct err *e)
{
	return kinds[s->setup.format.kind].end(s, e);
}

void squeeze_closep(struct squeeze **s)
{
	struct squeeze *x = *s;

	if (!x)
		return;
	x->failed = true; /* closing would end the stream */
	archive_write_free(x->filter);
	ZSTD_freeCCtx(x->zstd);
	*s = NULL;
}
