/*
 * Digests of content. With large holes it is the SHA-256 over each block of
 * 4 KiB, the last filled up with zeros, that is not all zeros: its number (64
 * bits, little-endian), then its bytes. So a hole of terabytes takes no time,
 * and where a file system puts its holes makes no difference.
 */
#include "pack/content.h"

#include <endian.h>
#include <string.h>

#include "base/arena.h"

enum { BLOCK = 4096 };

static const char zeros[64 << 10];

struct content {
	struct arena *mem;
	struct digest *digest;
	uint64_t size;
	uint64_t at; /* digested so far, if not by blocks */
	bool by_blocks;
	uint64_t number; /* of the block */
	bool is_used;    /* the block holds something but zeros */
	char block[BLOCK];
};

bool content_has_large_holes(uint64_t holes)
{
	return holes > UINT64_C(64) << 20;
}

struct content *content_new(void)
{
	struct arena *mem = arena_new();
	struct content *c = arena_alloc(mem, sizeof(*c));

	c->mem = mem;
	c->digest = digest_new();
	return c;
}

void content_begin(struct content *c, uint64_t size, bool large_holes)
{
	c->size = size;
	c->at = 0;
	c->by_blocks = large_holes;
	c->number = 0;
}

static void add_zeros(struct content *c, uint64_t to)
{
	while (c->at < to) {
		size_t n = sizeof(zeros);

		if (to - c->at < n)
			n = (size_t)(to - c->at);
		digest_add(c->digest, zeros, n);
		c->at += n;
	}
}

static void end_block(struct content *c)
{
	uint64_t number = htole64(c->number);

	if (!c->is_used)
		return;
	digest_add(c->digest, &number, sizeof(number));
	digest_add(c->digest, c->block, BLOCK);
	memset(c->block, 0, BLOCK);
	c->is_used = false;
}

static bool is_zero(const char *p, size_t n)
{
	return n == 0 || (p[0] == '\0' && memcmp(p, p + 1, n - 1) == 0);
}

static void add_to_blocks(struct content *c, uint64_t at, const char *p,
			  size_t n)
{
	while (n > 0) {
		size_t begin = at % BLOCK, take = BLOCK - begin;

		if (take > n)
			take = n;
		if (at / BLOCK != c->number)
			end_block(c);
		c->number = at / BLOCK;
		if (!is_zero(p, take)) {
			memcpy(c->block + begin, p, take);
			c->is_used = true;
		}
		at += take;
		p += take;
		n -= take;
	}
}

void content_add(struct content *c, uint64_t at, const void *data, size_t n)
{
	if (c->by_blocks) {
		add_to_blocks(c, at, data, n);
		return;
	}
	add_zeros(c, at);
	digest_add(c->digest, data, n);
	c->at += n;
}

void content_end(struct content *c, char ret[CONTENT_TEXT])
{
	if (c->by_blocks)
		end_block(c);
	else
		add_zeros(c, c->size);
	ret[0] = 'z';
	digest_take(c->digest, ret + c->by_blocks);
}

void content_freep(struct content **c)
{
	if (!*c)
		return;
	digest_freep(&(*c)->digest);
	arena_free((*c)->mem);
	*c = NULL;
}
