/*
 * A chain of ploop images. At opening the tables of all images become one map
 * of the disk's clusters, so that a read needs no search, and threads share
 * it without a lock.
 */
#include "image/ploop.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum {
	HEADER = 64,
	SECTOR = 512,
	TYPE_EXPANDABLE = 2,
	MIN_SECTORS = 64, /* of a cluster */
	MAX_SECTORS = 131072,
	BAT_PIECE = 16384,      /* entries read at once */
	MAX_IN_FILE = 1 << 29,  /* clusters of a file: 64 MiB of bitmap */
	CLOSED_21 = 0x312e3276, /* "v2.1" */
	IN_USE = 0x746f6e59,
	FLAG_EMPTY = 1,
	FLAG_CONVERTED = 2, /* to version 2, and that was interrupted */
};

/* Both are 16 bytes, without a NUL. */
static const char signatures[2][17] = { "WithoutFreeSpace",
					"WithouFreSpacExt" };

struct header {
	unsigned version;
	uint32_t type, sectors, clusters, in_use, first, flags;
	uint64_t size; /* sectors of the disk */
};

/* Where a cluster of the disk lies. */
struct ploop {
	struct block block;
	struct block **chain;
	size_t n;
	bool plain; /* the last of them */
	uint32_t cluster;
	uint64_t clusters;
	uint32_t *place; /* cluster in the file; 0: in none but a plain one */
	uint16_t *image; /* whose file */
};

static int signature_of(const char *p)
{
	for (int i = 0; i < 2; i++)
		if (memcmp(p, signatures[i], sizeof(signatures[i]) - 1) == 0)
			return i + 1;
	return 0;
}

bool ploop_is(struct block *b)
{
	char bytes[HEADER];
	struct err why;

	return b->size >= HEADER &&
	       block_read(b, 0, bytes, HEADER, &why) == 0 &&
	       signature_of(bytes) != 0;
}

static int check_cluster(struct block *b, const struct header *h, struct err *e)
{
	if (h->sectors < MIN_SECTORS || h->sectors > MAX_SECTORS ||
	    (h->sectors & (h->sectors - 1)))
		return block_bad(b, e,
				 "m_Sectors: clusters of %" PRIu32
				 " sectors: not a power of two from %d to %d",
				 h->sectors, MIN_SECTORS, MAX_SECTORS);
	if (h->first == 0 || h->first % h->sectors)
		return block_bad(b, e,
				 "m_FirstBlockOffset: %" PRIu32
				 " is not a multiple of the %" PRIu32
				 " sectors of a cluster",
				 h->first, h->sectors);
	if ((uint64_t)h->first * SECTOR > b->size)
		return block_bad(b, e,
				 "m_FirstBlockOffset: data begin at sector "
				 "%" PRIu32 ", the file ends at byte %" PRIu64,
				 h->first, b->size);
	return 0;
}

static int check_size(struct block *b, const struct header *h, struct err *e)
{
	uint64_t whole = h->size / h->sectors;

	if (h->size > INT64_MAX / SECTOR)
		return block_bad(b, e,
				 "m_SizeInSectors: %" PRIu64 " is no disk",
				 h->size);
	if (h->clusters != whole &&
	    (h->size % h->sectors == 0 || h->clusters != whole + 1))
		return block_bad(b, e,
				 "m_Size: %" PRIu32 " clusters are not the "
				 "%" PRIu64 " of m_SizeInSectors",
				 h->clusters, whole);
	if (h->clusters > PLOOP_CLUSTERS)
		return block_bad(b, e,
				 "m_Size: %" PRIu32 " clusters, more than %d",
				 h->clusters, PLOOP_CLUSTERS);
	if (HEADER + 4 * (uint64_t)h->clusters > (uint64_t)h->first * SECTOR)
		return block_bad(b, e,
				 "m_Size: the table of %" PRIu32 " clusters "
				 "reaches into the data",
				 h->clusters);
	return 0;
}

static int check_header(struct block *b, const struct header *h, struct err *e)
{
	if (h->type != TYPE_EXPANDABLE)
		return block_bad(b, e,
				 "m_Type: %" PRIu32
				 " is not an expandable image (2)",
				 h->type);
	if (h->flags & FLAG_CONVERTED)
		return block_bad(b, e,
				 "m_Flags: its conversion to version 2 was "
				 "interrupted: ploop check repairs it");
	if (h->flags & ~(uint32_t)FLAG_EMPTY)
		return block_bad(b, e, "m_Flags: unknown: %#" PRIx32, h->flags);
	return check_cluster(b, h, e) ? -1 : check_size(b, h, e);
}

static int read_header(struct block *b, struct header *ret, struct err *e)
{
	char p[HEADER];

	if (b->size < HEADER)
		return block_bad(b, e, "%" PRIu64 " bytes hold no header",
				 b->size);
	if (block_read(b, 0, p, HEADER, e))
		return -1;
	*ret = (struct header){
		.version = (unsigned)signature_of(p),
		.type = block_le32(p + 16),
		.sectors = block_le32(p + 28),
		.clusters = block_le32(p + 32),
		.size = block_le32(p + 36),
		.in_use = block_le32(p + 44),
		.first = block_le32(p + 48),
		.flags = block_le32(p + 52),
	};
	if (ret->version == 0)
		return block_bad(b, e, "m_Sig: not a ploop image");
	if (ret->version == 2)
		ret->size = block_le64(p + 36);
	return check_header(b, ret, e);
}

/* The table of one image while it is put into the map. */
struct table {
	struct ploop *p;
	struct block *b;
	const struct header *h;
	size_t image;
	uint64_t in_file; /* whole clusters */
	uint8_t *taken;   /* a bit for each */
};

/* Entry i of the table, checked, as a cluster of the file. */
static int place_of(struct table *t, uint64_t i, uint32_t value, uint32_t *ret,
		    struct err *e)
{
	uint32_t at = value;

	if (t->h->version == 1) {
		at = value / t->h->sectors;
		if (value % t->h->sectors)
			return block_bad(t->b, e,
					 "BAT entry %" PRIu64 ": sector "
					 "%" PRIu32 " is within a cluster",
					 i, value);
	}
	if (at < t->h->first / t->h->sectors)
		return block_bad(t->b, e,
				 "BAT entry %" PRIu64 ": cluster %" PRIu32
				 " is part of the table",
				 i, at);
	if (at >= t->in_file)
		return block_bad(t->b, e,
				 "BAT entry %" PRIu64 ": cluster %" PRIu32
				 " is beyond the %" PRIu64 " of the file",
				 i, at, t->in_file);
	if (t->taken[at / 8] & 1U << at % 8)
		return block_bad(t->b, e,
				 "BAT entry %" PRIu64 ": cluster %" PRIu32
				 " is that of another entry too",
				 i, at);
	t->taken[at / 8] |= (uint8_t)(1U << at % 8);
	*ret = at;
	return 0;
}

static int map_piece(struct table *t, uint64_t from, const uint32_t *v,
		     size_t n, struct err *e)
{
	struct ploop *p = t->p;

	for (size_t i = 0; i < n; i++) {
		uint32_t value = block_le32(v + i), at;

		if (value == 0)
			continue;
		if (place_of(t, from + i, value, &at, e))
			return -1;
		if (from + i >= p->clusters || p->place[from + i])
			continue;
		p->place[from + i] = at;
		p->image[from + i] = (uint16_t)t->image;
	}
	return 0;
}

static int map_image(struct ploop *p, size_t image, const struct header *h,
		     struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct table t = { .p = p, .b = p->chain[image], .h = h };
	uint32_t *v = arena_alloc(mem, BAT_PIECE * sizeof(*v));

	t.image = image;
	t.in_file = t.b->size / p->cluster;
	if (t.in_file > MAX_IN_FILE)
		return block_bad(t.b, e,
				 "a file of %" PRIu64 " clusters, more than %d",
				 t.in_file, MAX_IN_FILE);
	t.taken = arena_alloc(mem, t.in_file / 8 + 1);
	for (uint64_t i = 0; i < h->clusters; i += BAT_PIECE) {
		uint64_t left = h->clusters - i;
		size_t n = left < BAT_PIECE ? (size_t)left : BAT_PIECE;

		if (block_read(t.b, HEADER + 4 * i, v, n * sizeof(*v), e) ||
		    map_piece(&t, i, v, n, e))
			return -1;
	}
	return 0;
}

static void ploop_close(struct block *b)
{
	struct ploop *p = (struct ploop *)b;

	for (size_t i = 0; i < p->n; i++)
		block_closep(&p->chain[i]);
}

static struct block *base_of(const struct ploop *p)
{
	return p->plain ? p->chain[p->n - 1] : NULL;
}

/* What is in no image but perhaps a plain one, zeros beyond its end. */
static int read_beneath(struct ploop *p, uint64_t at, char *data, size_t n,
			struct err *e)
{
	struct block *base = base_of(p);
	uint64_t left = base && at < base->size ? base->size - at : 0;
	size_t there = left < n ? (size_t)left : n;

	if (there > 0 && block_read(base, at, data, there, e))
		return -1;
	memset(data + there, 0, n - there);
	return 0;
}

/* Whether cluster i + 1 lies behind cluster i in the same place. */
static bool goes_on(const struct ploop *p, uint64_t i)
{
	if (p->place[i] == 0 || p->place[i + 1] == 0)
		return p->place[i] == p->place[i + 1];
	return p->image[i] == p->image[i + 1] &&
	       p->place[i] + 1 == p->place[i + 1];
}

/* Bytes at an offset that one read gives, at most n; rest: of the disk. */
static size_t run_of(const struct ploop *p, uint64_t at, size_t n)
{
	uint64_t i = at / p->cluster, end = (i + 1) * p->cluster;

	while (end < at + n && goes_on(p, i)) {
		i++;
		end += p->cluster;
	}
	return end < at + n ? (size_t)(end - at) : n;
}

static int ploop_read(struct block *b, uint64_t at, void *data, size_t n,
		      struct err *e)
{
	struct ploop *p = (struct ploop *)b;
	char *to = data;

	while (n > 0) {
		uint64_t i = at / p->cluster, in = at % p->cluster;
		size_t one = run_of(p, at, n);
		int r;

		if (p->place[i] == 0)
			r = read_beneath(p, at, to, one, e);
		else
			r = block_read(p->chain[p->image[i]],
				       (uint64_t)p->place[i] * p->cluster + in,
				       to, one, e);
		if (r)
			return -1;
		to += one;
		at += one;
		n -= one;
	}
	return 0;
}

/* The clusters from i that images hold; none of them: length 0. */
static struct tree_extent held(const struct ploop *p, uint64_t i)
{
	uint64_t to = i;

	while (to < p->clusters && p->place[to])
		to++;
	return (struct tree_extent){ i * p->cluster, (to - i) * p->cluster };
}

static int ploop_next(struct block *b, uint64_t at, struct tree_extent *ret,
		      struct err *e)
{
	struct ploop *p = (struct ploop *)b;
	struct block *base = base_of(p);
	struct tree_extent x = { 0 }, low = { 0 };
	uint64_t i = at / p->cluster;
	int r = base ? block_next(base, at, &low, e) : 0;

	if (r < 0)
		return -1;
	while (i < p->clusters && !p->place[i])
		i++;
	if (i < p->clusters)
		x = held(p, i);
	if (r > 0 && (x.length == 0 || low.offset < x.offset))
		x = low;
	if (x.length == 0 || x.offset >= b->size)
		return 0;
	if (x.length > b->size - x.offset)
		x.length = b->size - x.offset;
	*ret = x;
	return 1;
}

static const struct block_ops ploop_ops = {
	.close = ploop_close,
	.read = ploop_read,
	.next = ploop_next,
};

static void note(const struct ploop_options *o, const char *name,
		 const char *text)
{
	if (o->notes)
		strv_add(o->mem, o->notes,
			 arena_printf(o->mem, "%s: m_DiskInUse: %s", name,
				      text));
}

/* An image that is written to, or was when its host went down. */
static int check_closed(struct ploop *p, size_t i, const struct header *h,
			const struct ploop_options *o, struct err *e)
{
	if (h->in_use == 0 || h->in_use == CLOSED_21)
		return 0;
	if (i > 0) {
		note(o, p->chain[i]->name,
		     "this lower image was never closed: something may have "
		     "written to it since");
		return 0;
	}
	if (!o->live) {
		block_bad_fill(p->chain[i]->name, e,
			       h->in_use == IN_USE ?
				       "m_DiskInUse: the image was not closed: "
				       "it is mounted, or its host went down" :
				       "m_DiskInUse: unknown mark %#" PRIx32,
			       h->in_use);
		e->code = EBUSY;
		return -1;
	}
	note(o, p->chain[i]->name, "read although it was not closed");
	return 0;
}

static int add_image(struct ploop *p, size_t i, const struct ploop_options *o,
		     struct err *e)
{
	struct block *b = p->chain[i];
	struct header h;
	uint32_t cluster;

	if (read_header(b, &h, e))
		return -1;
	cluster = h.sectors * SECTOR;
	if (p->cluster != 0 && cluster != p->cluster)
		return block_bad(b, e,
				 "m_Sectors: clusters of %" PRIu32
				 " bytes, not "
				 "the %" PRIu32 " of its chain or description",
				 cluster, p->cluster);
	if (check_closed(p, i, &h, o, e))
		return -1;
	if (i == 0) {
		p->cluster = cluster;
		p->block.size = h.size * SECTOR;
		p->clusters = h.size / h.sectors + (h.size % h.sectors > 0);
		p->place = arena_alloc(p->block.mem,
				       (p->clusters + 1) * sizeof(*p->place));
		p->image = arena_alloc(p->block.mem,
				       (p->clusters + 1) * sizeof(*p->image));
	}
	return map_image(p, i, &h, e);
}

int ploop_open(struct block **chain, size_t n, bool plain,
	       const struct ploop_options *o, struct block **ret, struct err *e)
{
	struct block *made CLEANUP(block_closep) = NULL;
	struct arena *mem = arena_new();
	struct ploop *p = arena_alloc(mem, sizeof(*p));

	made = &p->block;
	p->block.ops = &ploop_ops;
	p->block.mem = mem;
	p->block.name = arena_strdup(mem, chain[0]->name);
	p->block.id = chain[0]->id;
	p->chain = arena_memdup(mem, chain, n * sizeof(*chain));
	p->n = n;
	p->plain = plain;
	p->cluster = o->cluster;
	if (n > PLOOP_CHAIN)
		return block_bad(chain[0], e, "a chain of %zu images", n);
	for (size_t i = 0; i < n - plain; i++)
		if (add_image(p, i, o, e))
			return -1;
	*ret = made;
	made = NULL;
	return 0;
}
