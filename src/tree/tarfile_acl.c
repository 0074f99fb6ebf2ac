/*
 * Extended attributes of a member. An ACL, which tar keeps as text, becomes
 * the attribute that the kernel keeps it as (linux/posix_acl_xattr.h).
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "tree/tarfile.h"

enum { VERSION = 2, HEAD = 4, ENTRY = 8, MASK = 0x10 };

static const struct tag_row {
	int tag;        /* libarchive's */
	uint16_t value; /* ACL_USER_OBJ ..., in the order of the attribute */
	bool has_id;
} tags[] = {
	{ ARCHIVE_ENTRY_ACL_USER_OBJ, 0x01, false },
	{ ARCHIVE_ENTRY_ACL_USER, 0x02, true },
	{ ARCHIVE_ENTRY_ACL_GROUP_OBJ, 0x04, false },
	{ ARCHIVE_ENTRY_ACL_GROUP, 0x08, true },
	{ ARCHIVE_ENTRY_ACL_MASK, MASK, false },
	{ ARCHIVE_ENTRY_ACL_OTHER, 0x20, false },
};

struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};

static const struct {
	const char *name;
	int type;
} kinds[] = {
	{ "system.posix_acl_access", ARCHIVE_ENTRY_ACL_TYPE_ACCESS },
	{ "system.posix_acl_default", ARCHIVE_ENTRY_ACL_TYPE_DEFAULT },
};

static int by_tag(const void *a, const void *b)
{
	const struct acl_entry *x = a, *y = b;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static int by_name(const void *a, const void *b)
{
	const struct tree_xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static const struct tag_row *tag_of(int tag)
{
	for (size_t i = 0; i < COUNT(tags); i++)
		if (tags[i].tag == tag)
			return &tags[i];
	return NULL;
}

static void put_le(unsigned char **to, uint32_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		*(*to)++ = (unsigned char)(v >> 8 * i);
}

static void *encode(struct arena *mem, const struct acl_entry *v, size_t n)
{
	unsigned char *data = arena_alloc(mem, HEAD + n * ENTRY), *to = data;

	put_le(&to, VERSION, 4);
	for (size_t i = 0; i < n; i++) {
		put_le(&to, v[i].tag, 2);
		put_le(&to, v[i].perm, 2);
		put_le(&to, v[i].id, 4);
	}
	return data;
}

/* libarchive has bits 0 to 2 for x, w, r, as the kernel. */
static size_t entries_of(struct archive_entry *ae, int type, struct arena *mem,
			 struct acl_entry **ret, uint32_t *left_out)
{
	VEC(struct acl_entry) all = { 0 };
	int got, perm, tag, id;
	const char *name;

	if (archive_entry_acl_reset(ae, type) == 0)
		return 0;
	while (archive_entry_acl_next(ae, type, &got, &perm, &tag, &id,
				      &name) == ARCHIVE_OK) {
		const struct tag_row *row = tag_of(tag);

		if (!row || (row->has_id && id < 0)) {
			++*left_out;
			continue;
		}
		*vec_add(mem, &all) = (struct acl_entry){
			.tag = row->value,
			.perm = (uint16_t)(perm & 7),
			.id = row->has_id ? (uint32_t)id : UINT32_MAX,
		};
	}
	if (all.n > 1)
		qsort(all.v, all.n, sizeof(*all.v), by_tag);
	*ret = all.v;
	return all.n;
}

static bool has(const struct tree_xattrs *x, const char *name)
{
	for (size_t i = 0; i < x->n; i++)
		if (str_eq(x->v[i].name, name))
			return true;
	return false;
}

uint32_t tarfile_acl_mode(const struct tree_xattrs *x, uint32_t mode)
{
	for (size_t i = 0; i < x->n; i++) {
		const unsigned char *p = x->v[i].value;

		if (!str_eq(x->v[i].name, kinds[0].name))
			continue;
		for (size_t at = HEAD; at + ENTRY <= x->v[i].size; at += ENTRY)
			if (p[at] == MASK && p[at + 1] == 0)
				return (mode & ~070U) |
				       ((uint32_t)p[at + 2] & 7) << 3;
	}
	return mode;
}

/* GNU tar has %25 and %3D for the two bytes that its records cannot hold. */
static const char *plain_name(const char *s, struct arena *mem)
{
	char *name = arena_strdup(mem, s), *to = name;

	while (*s) {
		if (str_starts(s, "%25") || str_starts(s, "%3D")) {
			*to++ = s[1] == '2' ? '%' : '=';
			s += 3;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
	return name;
}

struct pile {
	VEC(struct tree_xattr) all;
};

static void add_acl(struct archive_entry *ae, size_t kind, struct arena *mem,
		    struct pile *p, uint32_t *left_out)
{
	const struct tree_xattrs have = { p->all.v, p->all.n };
	struct arena *own CLEANUP(arena_freep) = arena_new();
	struct acl_entry *v = NULL;
	size_t n;

	if (has(&have, kinds[kind].name))
		return;
	n = entries_of(ae, kinds[kind].type, own, &v, left_out);
	/* three entries say what the mode says */
	if (n <= 3 && kinds[kind].type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS)
		return;
	if (n > 0)
		*vec_add(mem, &p->all) = (struct tree_xattr){
			.name = kinds[kind].name,
			.value = encode(mem, v, n),
			.size = HEAD + n * ENTRY,
		};
}

void tarfile_acl_xattrs(struct archive_entry *ae, struct arena *mem,
			struct tree_xattrs *ret, uint32_t *left_out)
{
	struct pile p = { 0 };
	const char *name;
	const void *value;
	size_t size;

	archive_entry_xattr_reset(ae);
	while (archive_entry_xattr_next(ae, &name, &value, &size) == ARCHIVE_OK)
		*vec_add(mem, &p.all) = (struct tree_xattr){
			.name = plain_name(name, mem),
			.value = arena_memdup(mem, value, size),
			.size = size,
		};
	for (size_t i = 0; i < COUNT(kinds); i++)
		add_acl(ae, i, mem, &p, left_out);
	if (p.all.n > 1)
		qsort(p.all.v, p.all.n, sizeof(*p.all.v), by_name);
	*ret = (struct tree_xattrs){ p.all.v, p.all.n };
}
