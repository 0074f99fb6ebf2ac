/* Sources of blocks: files as they are, and parts of others. */
#include "image/block.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

uint16_t block_le16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

uint32_t block_le32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

uint64_t block_le64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

uint16_t block_be16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return be16toh(v);
}

uint32_t block_be32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

uint64_t block_be64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

void block_bad_fill(const char *name, struct err *e, const char *fmt, ...)
{
	char text[sizeof(e->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_fill(e, 0, "%s: %s", name, text);
	e->code = EUCLEAN;
}

int block_read(struct block *b, uint64_t at, void *data, size_t n,
	       struct err *e)
{
	if (at > b->size || n > b->size - at)
		return block_bad(b, e,
				 "%zu bytes at %" PRIu64
				 " are beyond its %" PRIu64,
				 n, at, b->size);
	return b->ops->read(b, at, data, n, e);
}

int block_next(struct block *b, uint64_t at, struct tree_extent *ret,
	       struct err *e)
{
	return at < b->size ? b->ops->next(b, at, ret, e) : 0;
}

int block_fd(const struct block *b, uint64_t *ret_at)
{
	return b->ops->fd ? b->ops->fd(b, ret_at) : -1;
}

void block_close(struct block *b)
{
	if (!b)
		return;
	b->ops->close(b);
	arena_free(b->mem);
}

void block_closep(struct block **b)
{
	block_close(*b);
	*b = NULL;
}

struct raw {
	struct block block;
	struct tree_file *file;
};

static void raw_close(struct block *b)
{
	tree_file_closep(&((struct raw *)b)->file);
}

static int raw_read(struct block *b, uint64_t at, void *data, size_t n,
		    struct err *e)
{
	struct tree_file *f = ((struct raw *)b)->file;
	char *p = data;

	while (n > 0) {
		ssize_t got = tree_file_read(f, at, p, n, e);

		if (got < 0)
			return -1;
		if (got == 0)
			return block_bad(b, e, "it ends at %" PRIu64 " now",
					 at);
		p += got;
		at += (size_t)got;
		n -= (size_t)got;
	}
	return 0;
}

static int raw_next(struct block *b, uint64_t at, struct tree_extent *ret,
		    struct err *e)
{
	return tree_file_next(((struct raw *)b)->file, at, ret, e);
}

static int raw_fd(const struct block *b, uint64_t *ret_at)
{
	*ret_at = 0;
	return tree_file_fd(((const struct raw *)b)->file);
}

static const struct block_ops raw_ops = {
	.close = raw_close,
	.read = raw_read,
	.next = raw_next,
	.fd = raw_fd,
};

int block_open(struct tree *t, const char *path, struct block **ret,
	       struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct raw *r = arena_alloc(mem, sizeof(*r));
	const struct tree_stat *st;
	const char *real, *full;

	if (tree_resolve(t, path, mem, &real, e) ||
	    tree_file_open(t, real, &r->file, e))
		return -1;
	st = tree_file_opened(r->file);
	full = arena_printf(mem, "%s%s", tree_name(t), real);
	r->block = (struct block){
		.ops = &raw_ops,
		.mem = mem,
		.name = str_show(mem, full, strlen(full), 200),
		.size = st->size,
		.id = st->dev << 32 ^ st->ino,
	};
	mem = NULL;
	*ret = &r->block;
	return 0;
}

struct part {
	struct block block;
	struct block *whole;
	uint64_t at;
};

static void part_close(struct block *b)
{
	block_closep(&((struct part *)b)->whole);
}

static void view_close(struct block *b UNUSED)
{
}

static int part_read(struct block *b, uint64_t at, void *data, size_t n,
		     struct err *e)
{
	struct part *p = (struct part *)b;

	return block_read(p->whole, p->at + at, data, n, e);
}

static int part_next(struct block *b, uint64_t at, struct tree_extent *ret,
		     struct err *e)
{
	struct part *p = (struct part *)b;
	struct tree_extent x;
	int r = block_next(p->whole, p->at + at, &x, e);

	if (r <= 0)
		return r;
	if (x.offset < p->at) {
		x.length -= p->at - x.offset;
		x.offset = p->at;
	}
	x.offset -= p->at;
	if (x.offset >= b->size)
		return 0;
	if (x.length > b->size - x.offset)
		x.length = b->size - x.offset;
	*ret = x;
	return 1;
}

static int part_fd(const struct block *b, uint64_t *ret_at)
{
	const struct part *p = (const struct part *)b;
	uint64_t at;
	int fd = block_fd(p->whole, &at);

	*ret_at = fd < 0 ? 0 : at + p->at;
	return fd;
}

static const struct block_ops part_ops = {
	.close = part_close,
	.read = part_read,
	.next = part_next,
	.fd = part_fd,
};

static const struct block_ops view_ops = {
	.close = view_close,
	.read = part_read,
	.next = part_next,
	.fd = part_fd,
};

static struct block *new_part(const struct block_ops *ops, struct block *whole,
			      uint64_t at, uint64_t n)
{
	struct arena *mem = arena_new();
	struct part *p = arena_alloc(mem, sizeof(*p));

	p->block = (struct block){
		.ops = ops,
		.mem = mem,
		.name = arena_strdup(mem, whole->name),
		.size = n,
		.id = whole->id,
	};
	p->whole = whole;
	p->at = at;
	return &p->block;
}

struct block *block_part(struct block *whole, uint64_t at, uint64_t n)
{
	return new_part(&part_ops, whole, at, n);
}

struct block *block_view(struct block *whole, uint64_t at, uint64_t n)
{
	return new_part(&view_ops, whole, at, n);
}
