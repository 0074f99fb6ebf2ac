/* tar stream -> digest -> zstd -> digest -> file, in one thread. */
#include "pack/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <zstd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/str.h"

enum {
	/*
	 * Fed to zstd in whole pieces of this size, so that nothing about the
	 * result depends on how reads came in.
	 */
	PIECE = 1 << 20,
	/* 64 MiB: half of what every decoder accepts without being asked */
	WINDOW_LOG = 26,
};

struct out {
	struct arena *mem;
	int dirfd; /* borrowed */
	const char *name, *temporary;
	int fd;
	bool is_there; /* the temporary file */
	ZSTD_CCtx *zstd;
	struct digest *plain, *packed;
	uint64_t bytes_tar, bytes_out;
	char *in; /* PIECE bytes, in_n of them used */
	size_t in_n;
	char *packed_bytes; /* ZSTD_CStreamOutSize() */
	size_t packed_size;
};

static int set(struct out *o, ZSTD_cParameter key, int value, struct err *e)
{
	size_t r = ZSTD_CCtx_setParameter(o->zstd, key, value);

	if (ZSTD_isError(r))
		return err_set(e, 0, "set up zstd: %s", ZSTD_getErrorName(r));
	return 0;
}

static int set_up_zstd(struct out *o, int level, struct err *e)
{
	const struct {
		ZSTD_cParameter key;
		int value;
	} params[] = {
		{ ZSTD_c_compressionLevel, level },
		{ ZSTD_c_enableLongDistanceMatching, 1 },
		{ ZSTD_c_windowLog, WINDOW_LOG },
		{ ZSTD_c_checksumFlag, 1 },
	};

	o->zstd = ZSTD_createCCtx();
	if (!o->zstd)
		return err_set(e, ENOMEM, "set up zstd");
	for (size_t i = 0; i < COUNT(params); i++)
		if (set(o, params[i].key, params[i].value, e))
			return -1;
	o->packed_size = ZSTD_CStreamOutSize();
	o->packed_bytes = arena_alloc(o->mem, o->packed_size);
	return 0;
}

static int make_temporary(struct out *o, struct err *e)
{
	unsigned random;

	do {
		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return err_set(e, errno, "get random bytes");
		o->temporary =
			arena_printf(o->mem, ".%s.%08x", o->name, random);
		o->fd = openat(o->dirfd, o->temporary,
			       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	} while (o->fd < 0 && errno == EEXIST);
	if (o->fd < 0)
		return err_set(e, errno, "create %s", o->temporary);
	o->is_there = true;
	return 0;
}

static struct out *out_new(int dirfd, const char *name)
{
	struct arena *mem = arena_new();
	struct out *o = arena_alloc(mem, sizeof(*o));

	o->mem = mem;
	o->dirfd = dirfd;
	o->name = arena_strdup(mem, name);
	o->fd = -1;
	o->plain = digest_new();
	o->packed = digest_new();
	o->in = arena_alloc(mem, PIECE);
	return o;
}

int out_open(int dirfd, const char *name, int level, struct out **ret,
	     struct err *e)
{
	struct out *o CLEANUP(out_closep) = NULL;

	if (*name == '\0' || strchr(name, '/'))
		return err_set(e, EINVAL, "create archive \"%s\"", name);
	o = out_new(dirfd, name);
	if (set_up_zstd(o, level, e) || make_temporary(o, e))
		return -1;
	*ret = o;
	o = NULL;
	return 0;
}

/* Compresses what is waiting; with ZSTD_e_end the frame is ended as well. */
static int flush(struct out *o, ZSTD_EndDirective how, struct err *e)
{
	ZSTD_inBuffer in = { .src = o->in, .size = o->in_n };
	size_t left;

	digest_add(o->plain, o->in, o->in_n);
	do {
		ZSTD_outBuffer out = { .dst = o->packed_bytes,
				       .size = o->packed_size };

		left = ZSTD_compressStream2(o->zstd, &out, &in, how);
		if (ZSTD_isError(left))
			return err_set(e, 0, "compress %s: %s", o->name,
				       ZSTD_getErrorName(left));
		digest_add(o->packed, out.dst, out.pos);
		if (fd_write_all(o->fd, out.dst, out.pos, o->name, e))
			return -1;
		o->bytes_out += out.pos;
	} while (how == ZSTD_e_end ? left > 0 : in.pos < in.size);
	o->in_n = 0;
	return 0;
}

int out_add(struct out *o, const void *data, size_t n, struct err *e)
{
	const char *p = data;

	o->bytes_tar += n;
	while (n > 0) {
		size_t room = PIECE - o->in_n, take = n < room ? n : room;

		memcpy(o->in + o->in_n, p, take);
		o->in_n += take;
		p += take;
		n -= take;
		if (o->in_n == PIECE && flush(o, ZSTD_e_continue, e))
			return -1;
	}
	return 0;
}

int out_finish(struct out *o, struct out_totals *ret, struct err *e)
{
	if (flush(o, ZSTD_e_end, e))
		return -1;
	if (fsync(o->fd))
		return err_set(e, errno, "sync %s", o->name);
	if (renameat(o->dirfd, o->temporary, o->dirfd, o->name))
		return err_set(e, errno, "rename to %s", o->name);
	o->is_there = false;
	ret->bytes_tar = o->bytes_tar;
	ret->bytes_out = o->bytes_out;
	digest_end(o->packed, ret->sha256);
	digest_end(o->plain, ret->tar_sha256);
	o->packed = o->plain = NULL;
	return 0;
}

void out_closep(struct out **o)
{
	struct out *x = *o;

	if (!x)
		return;
	if (x->is_there)
		unlinkat(x->dirfd, x->temporary, 0);
	fd_closep(&x->fd);
	ZSTD_freeCCtx(x->zstd);
	digest_freep(&x->plain);
	digest_freep(&x->packed);
	arena_free(x->mem);
	*o = NULL;
}
