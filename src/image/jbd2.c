/* Reading the journal of ext3 and ext4. */
#include "image/jbd2.h"

#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

const uint8_t jbd2_magic[4] = { 0xc0, 0x3b, 0x39, 0x98 };

enum {
	MAGIC_N = sizeof(jbd2_magic),
	SUPER = 1024, /* bytes of the superblock */
	HEAD = 12,    /* of each block of the log: magic, type, number */
	TAIL = 4,     /* a checksum, where there are some */
	UUID = 16,
	REVOKE_HEAD = 16,
	SUPER_SUM = 0xfc, /* where in the superblock its checksum is */
	COMMIT_SUM = 16,  /* and in a commit block */
	COMMIT_TIME = 48, /* seconds */
	CRC32 = 1,        /* kinds of checksums */
	CRC32C = 4,
	MAX_RECORDS = 2 << 20, /* of blocks, of revoked ones: 8 GiB by 4 KiB */
	FAST_BLOCKS = 256,     /* where the superblock does not say */
	FAST_HEAD = 9,         /* tag that begins the area of fast commits */
};

enum block_type {
	DESCRIPTOR = 1,
	COMMIT = 2,
	SUPER_V1 = 3,
	SUPER_V2 = 4,
	REVOKE = 5,
};

enum {
	COMPAT_CHECKSUM = 0x1, /* of a transaction, in its commit block */
	HAS_64BIT = 0x2,       /* incompatible features; 0x1: revoke blocks */
	ASYNC_COMMIT = 0x4,
	CSUM_V2 = 0x8,
	CSUM_V3 = 0x10,
	FAST_COMMIT = 0x20,
	KNOWN = 0x3f,
};

enum { /* flags of a tag */
       ESCAPED = 1,
       SAME_UUID = 2,
       LAST_TAG = 8,
};

struct log {
	struct block *b;
	struct arena *mem;
	uint64_t n_blocks;   /* of the file system */
	uint32_t size;       /* bytes of a block */
	uint32_t first, end; /* the blocks that are written, round and round */
	uint32_t all;        /* fast commits are in those from end on to here */
	uint32_t start, sequence; /* where the log begins, and with what */
	uint32_t incompat;
	bool sums;        /* a checksum is in each block and tag */
	bool commit_sums; /* one is in each commit block */
	uint32_t seed;    /* of checksums */
	size_t tag_bytes;
	char *head, *data; /* a block each */
};

/* a after b: positive. The numbers begin anew after the last one. */
static int32_t after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

/* Is -1, in sight of the compiler. */
#define damaged(l, e, ...) (damage((l)->b, (e), __VA_ARGS__), -1)

static void PRINTF(3, 4)
	damage(struct block *b, struct err *e, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	block_bad_fill(b->name, e,
		       "its journal is damaged and cannot be replayed: %s: let "
		       "e2fsck repair a copy of the image, and look at what it "
		       "gives up",
		       text);
}

static int read_block(struct log *l, uint32_t nr, char *ret, struct err *e)
{
	return block_read(l->b, (uint64_t)nr * l->size, ret, l->size, e);
}

static uint32_t sum(uint32_t seed, const void *data, size_t n)
{
	return ext2fs_crc32c_le(seed, data, n);
}

/* The checksum of n bytes in which it lies itself, taken as zeros. */
static bool sum_is_right(uint32_t seed, const char *data, size_t n, size_t at)
{
	static const char none[TAIL];
	uint32_t crc = sum(seed, data, at);

	crc = sum(crc, none, TAIL);
	crc = sum(crc, data + at + TAIL, n - at - TAIL);
	return crc == block_be32(data + at);
}

/* --- the superblock ------------------------------------------------------- */

/* What the features say of the form of the rest. */
static int read_features(struct log *l, const char *s, struct err *e)
{
	uint32_t compat = block_be32(s + 36);

	l->incompat = block_be32(s + 40);
	l->sums = l->incompat & (CSUM_V2 | CSUM_V3);
	l->commit_sums = compat & COMPAT_CHECKSUM;
	if (l->incompat & ~(uint32_t)KNOWN || block_be32(s + 44))
		return block_bad(l->b, e,
				 "its journal has features that are not known "
				 "(0x%" PRIx32 ", 0x%" PRIx32 "): let a newer "
				 "e2fsck replay it on a copy of the image",
				 l->incompat, block_be32(s + 44));
	if ((l->incompat & CSUM_V2 && l->incompat & CSUM_V3) ||
	    (l->sums && l->commit_sums))
		return damaged(l, e,
			       "s_feature_incompat: two kinds of "
			       "checksums");
	if (l->sums &&
	    (s[80] != CRC32C || !sum_is_right(UINT32_MAX, s, SUPER, SUPER_SUM)))
		return damaged(l, e, "s_checksum: wrong");
	l->seed = l->sums ? sum(UINT32_MAX, s + 48, UUID) : 0;
	l->tag_bytes = l->incompat & HAS_64BIT ? 12 : 8;
	if (l->incompat & CSUM_V2)
		l->tag_bytes += 2;
	if (l->incompat & CSUM_V3)
		l->tag_bytes = 16;
	return 0;
}

static int read_numbers(struct log *l, const char *s, struct err *e)
{
	uint32_t fast = 0;

	if (block_be32(s + 12) != l->size)
		return damaged(l, e, "s_blocksize: %" PRIu32,
			       block_be32(s + 12));
	l->all = block_be32(s + 16);
	l->first = block_be32(s + 20);
	l->sequence = block_be32(s + 24);
	l->start = block_be32(s + 28);
	if (l->incompat & FAST_COMMIT) {
		fast = block_be32(s + 84);
		fast = fast ? fast : FAST_BLOCKS;
	}
	if (l->all > l->b->size / l->size || fast >= l->all)
		return damaged(l, e, "s_maxlen: %" PRIu32 " blocks", l->all);
	l->end = l->all - fast;
	if (l->first == 0 || l->first >= l->end)
		return damaged(l, e, "s_first: block %" PRIu32, l->first);
	if (l->start && (l->start < l->first || l->start >= l->end))
		return damaged(l, e, "s_start: block %" PRIu32, l->start);
	return 0;
}

static int read_super(struct log *l, struct jbd2_replay *ret, struct err *e)
{
	char s[SUPER];
	uint32_t type;

	if (block_read(l->b, 0, s, sizeof(s), e))
		return -1;
	type = block_be32(s + 4);
	if (memcmp(s, jbd2_magic, MAGIC_N) != 0 ||
	    (type != SUPER_V1 && type != SUPER_V2))
		return damaged(l, e, "it has no superblock");
	if (type == SUPER_V1)
		memset(s + 36, 0, sizeof(s) - 36);
	ret->aborted = block_be32(s + 32) != 0;
	if (read_features(l, s, e))
		return -1;
	return read_numbers(l, s, e);
}

/* --- blocks of the log ---------------------------------------------------- */

struct revoked {
	uint64_t nr;
	uint32_t sequence;
};

/*
 * Going through the log, twice: first to see where it ends and that it can be
 * believed, then to take what is in it.
 */
struct pass {
	struct log *l;
	struct jbd2_replay *taken; /* NULL: the first time */
	VEC(struct jbd2_copy) copies;
	VEC(struct revoked) revoked;
	uint32_t at, sequence; /* the next block, its transaction */
	uint32_t walked;       /* blocks */
	/* of the first time */
	bool doubted;        /* a sum of this transaction is wrong */
	bool ended;          /* the last commit block was not all written */
	uint64_t time;       /* of the last commit block, seconds */
	uint32_t commit_sum; /* of this transaction so far */
};

static int go_on(struct pass *p, struct err *e)
{
	struct log *l = p->l;

	if (++p->walked > l->end - l->first + 1)
		return damaged(l, e, "transaction %" PRIu32 " has no end",
			       p->sequence);
	if (++p->at == l->end)
		p->at = l->first;
	return 0;
}

struct tag {
	uint64_t nr;
	uint32_t flags, sum;
};

/* The tag at *at of the descriptor block, if there is one more. */
static bool next_tag(const struct log *l, size_t *at, struct tag *ret)
{
	const char *p = l->head + *at;
	const size_t end = l->size - (l->sums ? TAIL : 0);

	if (*at + l->tag_bytes > end)
		return false;
	ret->nr = block_be32(p);
	if (l->incompat & CSUM_V3) {
		ret->flags = block_be32(p + 4);
		ret->sum = block_be32(p + 12);
	} else {
		ret->flags = block_be16(p + 6);
		ret->sum = block_be16(p + 4);
	}
	if (l->incompat & HAS_64BIT)
		ret->nr |= (uint64_t)block_be32(p + 8) << 32;
	*at += l->tag_bytes + (ret->flags & SAME_UUID ? 0 : UUID);
	if (ret->flags & LAST_TAG)
		*at = end;
	return true;
}

static int take_copy(struct pass *p, const struct tag *tag, struct err *e)
{
	struct log *l = p->l;
	const uint32_t order = (uint32_t)p->copies.n;

	if (l->sums) {
		uint32_t crc = sum(l->seed, l->head + 8, 4);

		if (read_block(l, p->at, l->data, e))
			return -1;
		crc = sum(crc, l->data, l->size);
		if (!(l->incompat & CSUM_V3))
			crc &= UINT16_MAX;
		if (crc != tag->sum)
			return damaged(l, e,
				       "transaction %" PRIu32 ": the checksum "
				       "of block %" PRIu64 " is wrong",
				       p->sequence, tag->nr);
	}
	if (tag->nr >= l->n_blocks)
		return damaged(l, e,
			       "transaction %" PRIu32 ": block %" PRIu64
			       " is beyond the file system",
			       p->sequence, tag->nr);
	if (order == MAX_RECORDS)
		return damaged(l, e, "more blocks than are read");
	*vec_add(l->mem, &p->copies) = (struct jbd2_copy){
		.nr = tag->nr,
		.log = p->at,
		.order = order,
		.sequence = p->sequence,
		.escaped = tag->flags & ESCAPED,
	};
	return 0;
}

/* The first time: a block is passed over, after it was summed up. */
static int pass_copy(struct pass *p, struct err *e)
{
	struct log *l = p->l;

	if (!l->commit_sums)
		return 0;
	if (read_block(l, p->at, l->data, e))
		return -1;
	p->commit_sum =
		ext2fs_crc32_be(p->commit_sum, (uint8_t *)l->data, l->size);
	return 0;
}

static bool is_summed(const struct log *l)
{
	return !l->sums ||
	       sum_is_right(l->seed, l->head, l->size, l->size - TAIL);
}

static int take_descriptor(struct pass *p, struct err *e)
{
	struct log *l = p->l;
	size_t at = HEAD;
	struct tag tag;

	if (!is_summed(l)) {
		if (p->taken)
			return damaged(l, e,
				       "transaction %" PRIu32 ": the checksum "
				       "of a descriptor block is wrong",
				       p->sequence);
		p->doubted = true; /* an older one lies there, or it is bad */
	}
	if (l->commit_sums && !p->taken)
		p->commit_sum = ext2fs_crc32_be(p->commit_sum,
						(uint8_t *)l->head, l->size);
	while (next_tag(l, &at, &tag))
		if ((p->taken ? take_copy(p, &tag, e) : pass_copy(p, e)) ||
		    go_on(p, e))
			return -1;
	return 0;
}

static int take_revoked(struct pass *p, struct err *e)
{
	struct log *l = p->l;
	const size_t bytes = l->incompat & HAS_64BIT ? 8 : 4;
	const size_t end = block_be32(l->head + HEAD);

	if (!is_summed(l))
		p->doubted = true;
	if (!p->taken)
		return 0;
	if (p->doubted || end > l->size - (l->sums ? TAIL : 0))
		return damaged(l, e,
			       "transaction %" PRIu32 ": a revoke block is "
			       "wrong",
			       p->sequence);
	for (size_t at = REVOKE_HEAD; at + bytes <= end; at += bytes) {
		const char *r = l->head + at;

		if (p->revoked.n == MAX_RECORDS)
			return damaged(l, e,
				       "more revoked blocks than are "
				       "read");
		*vec_add(l->mem, &p->revoked) = (struct revoked){
			bytes == 8 ? block_be64(r) : block_be32(r),
			p->sequence,
		};
	}
	return 0;
}

static bool is_committed(const struct pass *p)
{
	const struct log *l = p->l;
	const uint32_t found = block_be32(l->head + COMMIT_SUM);

	if (l->sums)
		return sum_is_right(l->seed, l->head, l->size, COMMIT_SUM);
	if (!l->commit_sums)
		return true;
	if (l->head[12] == 0 && l->head[13] == 0 && found == 0)
		return true; /* it was made without */
	return l->head[12] == CRC32 && l->head[13] == 4 &&
	       found == p->commit_sum;
}

/*
 * The first time. 1: the log ends before this transaction, since its blocks
 * are what an earlier round left there.
 */
static int see_commit(struct pass *p, struct err *e)
{
	struct log *l = p->l;
	const uint64_t time = block_be64(l->head + COMMIT_TIME);

	if (p->ended)
		return damaged(l, e,
			       "transaction %" PRIu32 ": its commit block is "
			       "wrong, and others follow",
			       p->sequence - 1);
	if (p->doubted || !is_committed(p)) {
		if (time < p->time)
			return 1;
		if (p->doubted || !(l->incompat & ASYNC_COMMIT))
			return damaged(l, e,
				       "transaction %" PRIu32 ": a checksum is "
				       "wrong",
				       p->sequence);
		/* it was written before its blocks, which did not follow */
		p->ended = true;
	}
	p->time = time;
	p->commit_sum = UINT32_MAX;
	return 0;
}

/* 1: the log ends before it. */
static int take_block(struct pass *p, struct err *e)
{
	switch ((enum block_type)block_be32(p->l->head + 4)) {
	case DESCRIPTOR:
		return take_descriptor(p, e);
	case REVOKE:
		return take_revoked(p, e);
	case COMMIT:
		if (!p->taken) {
			int r = see_commit(p, e);

			if (r)
				return r;
		}
		p->sequence++;
		return 0;
	case SUPER_V1:
	case SUPER_V2:
		break;
	}
	return 1;
}

/*
 * Goes through the log up to a transaction that was not committed, or to the
 * one of that number.
 */
static int pass_log(struct pass *p, const uint32_t *end, struct err *e)
{
	struct log *l = p->l;
	int r = 0;

	p->at = l->start;
	p->sequence = l->sequence;
	p->commit_sum = UINT32_MAX;
	while (r == 0 && !(end && p->sequence == *end)) {
		if (read_block(l, p->at, l->head, e))
			return -1;
		if (memcmp(l->head, jbd2_magic, MAGIC_N) != 0 ||
		    block_be32(l->head + 8) != p->sequence)
			break;
		r = go_on(p, e) ? -1 : take_block(p, e);
	}
	return r < 0 ? -1 : 0;
}

/* --- what is to be replayed ----------------------------------------------- */

static int by_place(const void *a, const void *b)
{
	const struct jbd2_copy *x = a, *y = b;

	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int by_number(const void *a, const void *b)
{
	const struct revoked *x = a, *y = b;

	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	return after(x->sequence, y->sequence);
}

/* The last revocation of a block; *at goes forward with the blocks asked. */
static const struct revoked *last_of(const struct pass *p, uint64_t nr,
				     size_t *at)
{
	const struct revoked *found = NULL;

	while (*at < p->revoked.n && p->revoked.v[*at].nr <= nr) {
		if (p->revoked.v[*at].nr == nr)
			found = &p->revoked.v[*at];
		++*at;
	}
	return found;
}

/* Of each block the last copy, unless it was revoked then or later. */
static void choose(struct pass *p, struct jbd2_replay *ret)
{
	size_t at = 0, n = 0;

	if (p->copies.n)
		qsort(p->copies.v, p->copies.n, sizeof(*p->copies.v), by_place);
	if (p->revoked.n)
		qsort(p->revoked.v, p->revoked.n, sizeof(*p->revoked.v),
		      by_number);
	for (size_t i = 0; i < p->copies.n; i++) {
		const struct jbd2_copy *c = &p->copies.v[i];
		const struct revoked *r;

		if (i + 1 < p->copies.n && c[1].nr == c->nr)
			continue;
		r = last_of(p, c->nr, &at);
		if (!r || after(r->sequence, c->sequence) < 0)
			p->copies.v[n++] = *c;
	}
	ret->v = p->copies.v;
	ret->n = n;
}

/* Fast commits are changes, not blocks; those after the last transaction. */
static int check_fast(struct log *l, uint32_t sequence, struct err *e)
{
	if (l->end == l->all)
		return 0;
	if (read_block(l, l->end, l->data, e))
		return -1;
	if (block_le16(l->data) != FAST_HEAD ||
	    block_le32(l->data + 8) != sequence)
		return 0;
	return block_bad(l->b, e,
			 "its journal has fast commits, which are not read: "
			 "let e2fsck replay it on a copy of the image");
}

int jbd2_read(struct block *log, uint32_t block_size, uint64_t n_blocks,
	      struct arena *mem, struct jbd2_replay *ret, struct err *e)
{
	struct log l = {
		.b = log, .mem = mem, .n_blocks = n_blocks, .size = block_size
	};
	struct jbd2_replay found = { 0 };
	struct pass see = { .l = &l }, take = { .l = &l, .taken = &found };
	uint32_t end;

	if (read_super(&l, &found, e))
		return -1;
	l.head = arena_alloc(mem, l.size);
	l.data = arena_alloc(mem, l.size);
	if (l.start) {
		if (pass_log(&see, NULL, e))
			return -1;
		end = see.sequence - see.ended;
		if (check_fast(&l, end, e) || pass_log(&take, &end, e))
			return -1;
		found.transactions = end - l.sequence;
		choose(&take, &found);
	}
	*ret = found;
	return 0;
}
