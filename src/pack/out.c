/*
 * stream -> ring -> { digest, compressor } -> ring -> { digest and file }
 *
 * The first digest is made where it is wanted. Without it zstd, which has
 * threads and a queue of its own, is called at once and the first ring is not
 * there: that saves a copy of everything. What is not compressed goes from the
 * first ring to the file, and is digested once. A stage that fails keeps its
 * error and aborts both rings, so that the others end and the caller finds out.
 */
#include "pack/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/str.h"
#include "pack/ring.h"
#include "pack/squeeze.h"
#include "pack/thread.h"

enum stage_kind { STAGE_DIGEST, STAGE_SQUEEZE, STAGE_WRITE };
enum { STAGES = STAGE_WRITE + 1 };

struct stage {
	struct out *out;
	pthread_t thread;
	bool runs;
	bool failed;
	struct err err; /* by the thread; for others once it has ended */
};

struct out {
	struct arena *mem;
	int dirfd; /* borrowed */
	const char *name, *temporary;
	int fd;
	bool is_there; /* the temporary file */
	struct format format;
	bool direct; /* no first ring */
	char *piece; /* of the stream, piece_n bytes of a block, if so */
	size_t piece_n, block_size;
	struct ring plain_ring, packed_ring;
	struct ring_block *block;  /* being filled with the stream, or NULL */
	struct ring_block *packed; /* the same of who squeezes */
	struct squeeze *squeeze;   /* NULL: nothing is compressed */
	struct digest *plain_digest, *packed_digest;
	uint64_t bytes_tar, bytes_out;
	struct stage stages[STAGES];
};

static struct stage *failed_stage(struct out *o)
{
	for (size_t i = 0; i < STAGES; i++)
		if (o->stages[i].failed)
			return &o->stages[i];
	return NULL;
}

static void stop(struct out *o)
{
	ring_abort(&o->plain_ring);
	ring_abort(&o->packed_ring);
}

static void join(struct out *o)
{
	for (size_t i = 0; i < STAGES; i++) {
		if (o->stages[i].runs)
			pthread_join(o->stages[i].thread, NULL);
		o->stages[i].runs = false;
	}
}

/* Why the rings were aborted. */
static int fail(struct out *o, struct err *e)
{
	const struct stage *s;

	join(o);
	s = failed_stage(o);
	if (!s)
		return err_set(e, ECANCELED, "write %s", o->name);
	*e = s->err;
	return -1;
}

/* Adds to the block being filled of a ring; 1: it was aborted. */
static int ring_add(struct ring *r, struct ring_block **b, const char *data,
		    size_t n)
{
	while (n > 0) {
		size_t take;

		if (!*b)
			*b = ring_room(r);
		if (!*b)
			return 1;
		take = r->block_size - (*b)->n;
		if (take > n)
			take = n;
		memcpy((*b)->p + (*b)->n, data, take);
		(*b)->n += take;
		data += take;
		n -= take;
		if ((*b)->n == r->block_size) {
			ring_post(r);
			*b = NULL;
		}
	}
	return 0;
}

static void end_ring(struct ring *r, struct ring_block **b)
{
	if (*b)
		ring_post(r);
	*b = NULL;
	ring_end(r);
}

static int digest_stage(struct out *o, struct err *e UNUSED)
{
	const struct ring_block *b;

	while ((b = ring_take(&o->plain_ring, 1))) {
		digest_add(o->plain_digest, b->p, b->n);
		ring_release(&o->plain_ring, 1);
	}
	return 0;
}

static int on_squeezed(void *arg, const void *data, size_t n, struct err *e)
{
	struct out *o = arg;

	if (ring_add(&o->packed_ring, &o->packed, data, n))
		return err_set(e, ECANCELED, "write %s", o->name);
	return 0;
}

static int squeeze_stage(struct out *o, struct err *e)
{
	const struct ring_block *b;

	while ((b = ring_take(&o->plain_ring, 0))) {
		if (squeeze_add(o->squeeze, b->p, b->n, e))
			return -1;
		ring_release(&o->plain_ring, 0);
	}
	if (ring_is_aborted(&o->plain_ring))
		return 0;
	if (squeeze_end(o->squeeze, e))
		return -1;
	end_ring(&o->packed_ring, &o->packed);
	return 0;
}

static int write_stage(struct out *o, struct err *e)
{
	struct ring *r = o->squeeze ? &o->packed_ring : &o->plain_ring;
	const struct ring_block *b;

	while ((b = ring_take(r, 0))) {
		digest_add(o->packed_digest, b->p, b->n);
		if (fd_write_all(o->fd, b->p, b->n, o->name, e))
			return -1;
		o->bytes_out += b->n;
		ring_release(r, 0);
	}
	return 0;
}

static int (*const run[])(struct out *, struct err *) = {
	[STAGE_DIGEST] = digest_stage,
	[STAGE_SQUEEZE] = squeeze_stage,
	[STAGE_WRITE] = write_stage,
};

/*
 * A stage that was only woken because another failed has an error as well:
 * it does not count (ECANCELED).
 */
static void *stage_main(void *arg)
{
	struct stage *s = arg;
	struct out *o = s->out;

	if (run[s - o->stages](o, &s->err)) {
		s->failed = s->err.code != ECANCELED;
		stop(o);
	}
	return NULL;
}

static int start(struct out *o, enum stage_kind kind, struct err *e)
{
	struct stage *s = &o->stages[kind];

	s->out = o;
	if (thread_start(&s->thread, stage_main, s, e))
		return -1;
	s->runs = true;
	return 0;
}

static int start_all(struct out *o, const struct out_options *options,
		     struct err *e)
{
	const struct squeeze_setup setup = {
		.format = options->format,
		.jobs = options->jobs,
		.window_log = options->window_log,
		.sink = on_squeezed,
		.arg = o,
	};

	if (o->format.kind == FORMAT_NONE)
		return start(o, STAGE_WRITE, e);
	if (squeeze_open(&setup, o->mem, &o->squeeze, e) ||
	    (o->plain_digest && start(o, STAGE_DIGEST, e)) ||
	    (!o->direct && start(o, STAGE_SQUEEZE, e)) ||
	    start(o, STAGE_WRITE, e))
		return -1;
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

static struct out *out_new(int dirfd, const char *name,
			   const struct out_options *options)
{
	struct arena *mem = arena_new();
	struct out *o = arena_alloc(mem, sizeof(*o));
	bool packs = options->format.kind != FORMAT_NONE;
	bool twice = packs && options->plain_digest;

	o->mem = mem;
	o->dirfd = dirfd;
	o->name = arena_strdup(mem, name);
	o->fd = -1;
	o->format = options->format;
	o->plain_digest = twice ? digest_new() : NULL;
	o->packed_digest = digest_new();
	o->direct = options->format.kind == FORMAT_ZSTD && !twice;
	o->block_size = options->block;
	if (o->direct)
		o->piece = arena_alloc(mem, options->block);
	ring_init(&o->plain_ring, o->direct ? 1 : options->block, twice ? 2 : 1,
		  mem);
	ring_init(&o->packed_ring, packs ? options->block : 1, 1, mem);
	return o;
}

int out_open(int dirfd, const char *name, const struct out_options *options,
	     struct out **ret, struct err *e)
{
	struct out *o CLEANUP(out_closep) = NULL;

	if (*name == '\0' || strchr(name, '/'))
		return err_set(e, EINVAL, "create archive \"%s\"", name);
	o = out_new(dirfd, name, options);
	if (make_temporary(o, e) || start_all(o, options, e))
		return -1;
	*ret = o;
	o = NULL;
	return 0;
}

/* What stopped the compressor: itself, or the file behind it. */
static int squeeze_failed(struct out *o, struct err *e)
{
	stop(o);
	return e->code == ECANCELED ? fail(o, e) : -1;
}

static int squeeze_piece(struct out *o, const void *data, size_t n,
			 struct err *e)
{
	return squeeze_add(o->squeeze, data, n, e) ? squeeze_failed(o, e) : 0;
}

/* Small pieces are gathered: each call of the compressor costs. */
static int add_directly(struct out *o, const char *data, size_t n,
			struct err *e)
{
	while (n > 0) {
		size_t take = o->block_size - o->piece_n;

		if (o->piece_n == 0 && n >= o->block_size)
			return squeeze_piece(o, data, n, e);
		if (take > n)
			take = n;
		memcpy(o->piece + o->piece_n, data, take);
		o->piece_n += take;
		data += take;
		n -= take;
		if (o->piece_n < o->block_size)
			continue;
		o->piece_n = 0;
		if (squeeze_piece(o, o->piece, o->block_size, e))
			return -1;
	}
	return 0;
}

static int end_directly(struct out *o, struct err *e)
{
	if (squeeze_piece(o, o->piece, o->piece_n, e))
		return -1;
	if (squeeze_end(o->squeeze, e))
		return squeeze_failed(o, e);
	end_ring(&o->packed_ring, &o->packed);
	return 0;
}

int out_add(struct out *o, const void *data, size_t n, struct err *e)
{
	o->bytes_tar += n;
	if (o->direct)
		return add_directly(o, data, n, e);
	return ring_add(&o->plain_ring, &o->block, data, n) ? fail(o, e) : 0;
}

int out_finish(struct out *o, struct out_totals *ret, struct err *e)
{
	struct out_totals totals = { .bytes_tar = o->bytes_tar };

	if (o->direct && end_directly(o, e))
		return -1;
	if (!o->direct)
		end_ring(&o->plain_ring, &o->block);
	join(o);
	if (ring_is_aborted(&o->plain_ring))
		return fail(o, e);
	if (fsync(o->fd))
		return err_set(e, errno, "sync %s", o->name);
	totals.bytes_out = o->bytes_out;
	digest_end(o->packed_digest, totals.sha256);
	if (o->plain_digest)
		digest_end(o->plain_digest, totals.tar_sha256);
	o->packed_digest = o->plain_digest = NULL;
	if (!o->squeeze)
		memcpy(totals.tar_sha256, totals.sha256, DIGEST_HEX);
	*ret = totals;
	return 0;
}

int out_place(struct out *o, struct err *e)
{
	if (renameat(o->dirfd, o->temporary, o->dirfd, o->name))
		return err_set(e, errno, "rename to %s", o->name);
	o->is_there = false;
	return 0;
}

void out_closep(struct out **o)
{
	struct out *x = *o;

	if (!x)
		return;
	stop(x);
	join(x);
	if (x->is_there)
		unlinkat(x->dirfd, x->temporary, 0);
	fd_closep(&x->fd);
	squeeze_closep(&x->squeeze);
	digest_freep(&x->plain_digest);
	digest_freep(&x->packed_digest);
	ring_done(&x->plain_ring);
	ring_done(&x->packed_ring);
	arena_free(x->mem);
	*o = NULL;
}
