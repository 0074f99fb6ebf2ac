/* Partition tables, and what a stretch of a disk holds by its magic bytes. */
#include "image/partition.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/str.h"
#include "tree/tree_image.h"

enum {
	SECTOR = 512,
	MBR_TABLE = 446,     /* byte of its first entry */
	MBR_ENTRY = 16,      /* bytes of one */
	LOGICAL = 5,         /* number of the first logical partition */
	GPT_MAX_ENTRY = 4096 /* bytes of one */
};

struct part {
	unsigned number;
	uint64_t at, n; /* bytes */
	const struct content *is;
};

struct parts {
	struct part v[TREE_PARTITIONS];
	size_t n;
};

/* What begins at byte `at` of a file system or a disk. */
static const struct content {
	const char *name;
	uint32_t at;
	uint8_t n;
	char magic[9];
	bool readable;
	struct partition_fs fs; /* name NULL: it cannot be mounted */
	const char *advice;     /* of others */
} contents[] = {
	{ "ext2/3/4", 1080, 2, "\x53\xef", true, { NULL, { NULL } }, NULL },
	/* a guest's copy may have the UUID of one that is mounted */
	{ "XFS",
	  0,
	  4,
	  "XFSB",
	  false,
	  { "xfs", { "norecovery", "nouuid" } },
	  "--mount reads it as root; or mount it read-only (mount -o "
	  "ro,norecovery,loop) and name that directory as the guest's root" },
	{ "btrfs",
	  65600,
	  8,
	  "_BHRfS_M",
	  false,
	  { "btrfs", { "rescue=nologreplay" } },
	  "--mount reads it as root; or mount it read-only (mount -o ro,loop) "
	  "and name that directory as the guest's root" },
	{ "LUKS",
	  0,
	  6,
	  "LUKS\xba\xbe",
	  false,
	  { NULL, { NULL } },
	  "it is encrypted: open it (cryptsetup open --readonly) and copy what "
	  "is inside to a raw image" },
	{ "LVM",
	  512,
	  8,
	  "LABELONE",
	  false,
	  { NULL, { NULL } },
	  "activate it (losetup -r, vgchange -ay) and copy the guest's volume "
	  "to a raw image" },
	{ "qcow2",
	  0,
	  4,
	  "QFI\xfb",
	  false,
	  { NULL, { NULL } },
	  "qemu-img convert -O raw makes a raw image of it" },
};

static const struct content *content_at(struct block *b, uint64_t at,
					uint64_t n)
{
	for (size_t i = 0; i < COUNT(contents); i++) {
		const struct content *c = &contents[i];
		size_t len = c->n < sizeof(c->magic) ? c->n : sizeof(c->magic);
		char bytes[sizeof(c->magic)];
		struct err why;

		if (n >= c->at + len && at + c->at + len <= b->size &&
		    block_read(b, at + c->at, bytes, len, &why) == 0 &&
		    memcmp(bytes, c->magic, len) == 0)
			return c;
	}
	return NULL;
}

/* A partition that lies within the disk; others are no use. */
static void add(struct parts *p, struct block *b, unsigned number, uint64_t at,
		uint64_t n)
{
	if (p->n == TREE_PARTITIONS || at == 0 || n == 0 || at >= b->size)
		return;
	/* the end may lie beyond a disk that was made smaller */
	if (n > b->size - at)
		n = b->size - at;
	p->v[p->n++] = (struct part){ number, at, n, content_at(b, at, n) };
}

/* The entries of a GPT whose sectors have so many bytes. 1: there is one. */
static int read_gpt(struct block *b, uint32_t sector, struct parts *p,
		    struct err *e)
{
	static const char none[16];
	char head[92], entry[56];
	uint64_t table, at;
	uint32_t count, size;

	if (b->size < sector + sizeof(head) ||
	    block_read(b, sector, head, sizeof(head), e) ||
	    memcmp(head, "EFI PART", 8) != 0)
		return 0;
	table = block_le64(head + 72);
	count = block_le32(head + 80);
	size = block_le32(head + 84);
	if (size < 128 || size > GPT_MAX_ENTRY || table >= b->size / sector)
		return block_bad(b, e,
				 "GPT: entries of %" PRIu32 " bytes at sector "
				 "%" PRIu64,
				 size, table);
	for (uint32_t i = 0; i < count && i < TREE_PARTITIONS; i++) {
		uint64_t first, last;

		at = table * sector + (uint64_t)i * size;
		if (at + sizeof(entry) > b->size)
			break;
		if (block_read(b, at, entry, sizeof(entry), e))
			return -1;
		first = block_le64(entry + 32);
		last = block_le64(entry + 40);
		if (memcmp(entry, none, sizeof(none)) != 0 && first <= last &&
		    last < UINT64_MAX / sector)
			add(p, b, i + 1, first * sector,
			    (last - first + 1) * sector);
	}
	return 1;
}

static bool is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

/* Logical partitions: each has a table with itself and a link to the next. */
static int read_logical(struct block *b, uint64_t base, struct parts *p,
			struct err *e)
{
	uint64_t at = base;

	for (unsigned i = 0; i < TREE_PARTITIONS; i++) {
		uint8_t s[SECTOR];
		const uint8_t *one = s + MBR_TABLE, *more = one + MBR_ENTRY;

		if (at * SECTOR + SECTOR > b->size)
			return 0;
		if (block_read(b, at * SECTOR, s, sizeof(s), e))
			return -1;
		if (s[510] != 0x55 || s[511] != 0xaa)
			return 0;
		if (one[4] != 0)
			add(p, b, LOGICAL + i,
			    (at + block_le32(one + 8)) * SECTOR,
			    (uint64_t)block_le32(one + 12) * SECTOR);
		if (!is_extended(more[4]))
			return 0;
		at = base + block_le32(more + 8);
	}
	return 0;
}

static int read_mbr(struct block *b, struct parts *p, struct err *e)
{
	uint8_t s[SECTOR];

	if (b->size < SECTOR || block_read(b, 0, s, sizeof(s), e) ||
	    s[510] != 0x55 || s[511] != 0xaa)
		return 0;
	for (unsigned i = 0; i < 4; i++) {
		const uint8_t *one = s + MBR_TABLE + i * MBR_ENTRY;
		uint64_t first = block_le32(one + 8);
		uint64_t n = block_le32(one + 12);

		if (is_extended(one[4])) {
			if (read_logical(b, first, p, e))
				return -1;
		} else if (one[4] != 0) {
			add(p, b, i + 1, first * SECTOR, n * SECTOR);
		}
	}
	return 1;
}

static int read_table(struct block *b, struct parts *p, struct err *e)
{
	int r = read_gpt(b, SECTOR, p, e);

	if (r == 0)
		r = read_gpt(b, 4096, p, e);
	if (r == 0)
		r = read_mbr(b, p, e);
	return r;
}

/* "2: 10.0 GiB at byte 1048576, ext2/3/4; ..."; without those left out */
static void list(const struct parts *p, const struct part *without,
		 struct buf *ret)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct part *part = &p->v[i];
		char size[24];

		if (part == without)
			continue;
		num_show_size(part->n, size);
		buf_printf(ret, "%s%u: %s at byte %" PRIu64 ", %s",
			   ret->n > 0 ? "; " : "", part->number, size, part->at,
			   part->is ? part->is->name : "unknown");
	}
}

/* Why none of the parts can be taken. */
static int refuse(struct block *b, const struct parts *p, size_t readable,
		  size_t roots, struct err *e)
{
	struct buf text CLEANUP(buf_done) = { 0 };

	list(p, NULL, &text);
	if (p->n == 0)
		return block_bad(b, e,
				 "neither a file system nor a partition "
				 "is found in it");
	if (readable > 1)
		return block_bad(b, e,
				 "%s partitions hold the root of a guest (%s): "
				 "say which with --partition",
				 roots > 1 ? "several" : "none of the",
				 buf_str(&text));
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].is && p->v[i].is->advice)
			return block_bad(b, e, "partition %s: %s",
					 buf_str(&text), p->v[i].is->advice);
	return block_bad(b, e, "no partition holds an ext2/3/4 file system: %s",
			 buf_str(&text));
}

static bool is_readable(const struct content *c,
			const struct partition_wish *wish)
{
	return c && (c->readable || (wish->mount && c->fs.name));
}

static const struct partition_fs *fs_of(const struct content *c)
{
	return c->fs.name ? &c->fs : NULL;
}

static bool is_root(struct block *disk, const struct part *p,
		    const struct partition_wish *wish)
{
	struct block *view CLEANUP(block_closep) =
		block_view(disk, p->at, p->n);

	return wish->is_root(view, fs_of(p->is));
}

/* The one that was asked for. */
static int find_number(struct block *disk, const struct parts *p,
		       const struct partition_wish *wish,
		       const struct part **ret, struct err *e)
{
	const unsigned number = wish->number;
	struct buf text CLEANUP(buf_done) = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		const struct part *part = &p->v[i];

		if (part->number != number)
			continue;
		if (!is_readable(part->is, wish))
			return block_bad(
				disk, e, "partition %u holds %s: %s", number,
				part->is ? part->is->name :
					   "no file system that is "
					   "known",
				part->is ? part->is->advice : "take another");
		*ret = part;
		return 0;
	}
	list(p, NULL, &text);
	return block_bad(disk, e, "it has no partition %u: %s", number,
			 p->n > 0 ? buf_str(&text) : "it has none");
}

/* The only one that can be meant. */
static int find_root(struct block *disk, const struct parts *p,
		     const struct partition_wish *wish, const struct part **ret,
		     struct err *e)
{
	const struct part *only = NULL, *root = NULL;
	size_t readable = 0, roots = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (!is_readable(p->v[i].is, wish))
			continue;
		readable++;
		only = &p->v[i];
	}
	for (size_t i = 0; i < p->n && readable > 1; i++) {
		if (!is_readable(p->v[i].is, wish) ||
		    !is_root(disk, &p->v[i], wish))
			continue;
		roots++;
		root = &p->v[i];
	}
	if (readable != 1 && roots != 1)
		return refuse(disk, p, readable, roots, e);
	*ret = readable == 1 ? only : root;
	return 0;
}

static const char *note(const struct parts *p, const struct part *taken,
			struct arena *mem)
{
	struct buf text CLEANUP(buf_done) = { 0 };

	if (p->n < 2)
		return NULL;
	list(p, taken, &text);
	return arena_printf(mem, "partition %u is read, others are not: %s",
			    taken->number, buf_str(&text));
}

int partition_find(struct block **disk, const struct partition_wish *wish,
		   struct partition_found *ret, struct err *e)
{
	const struct content *whole = content_at(*disk, 0, (*disk)->size);
	struct parts p = { .n = 0 };
	const struct part *found;

	if (whole && !is_readable(whole, wish))
		return block_bad(*disk, e, "it holds %s: %s", whole->name,
				 whole->advice);
	if (!whole && read_table(*disk, &p, e) < 0)
		return -1;
	if (whole && wish->number == 0) {
		*ret = (struct partition_found){ *disk, fs_of(whole), NULL };
		*disk = NULL;
		return 0;
	}
	if (wish->number ? find_number(*disk, &p, wish, &found, e) :
			   find_root(*disk, &p, wish, &found, e))
		return -1;
	ret->b = block_part(*disk, found->at, found->n);
	ret->fs = fs_of(found->is);
	ret->note = note(&p, found, wish->mem);
	*disk = NULL;
	return 0;
}
