/* DiskDescriptor.xml and the chains of images it describes. */
#include "image/descriptor.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/num.h"
#include "base/str.h"
#include "base/xml.h"

enum {
	MAX_IMAGES = 4096,      /* and shots */
	MAX_CHAIN = 512,        /* as PLOOP_CHAIN */
	MAX_TEXT = 4096,        /* of an element */
	SECTOR = 512,           /* bytes */
	CLUSTER_SECTORS = 2048, /* where it does not say */
};

#define GUID_TOP "5fbaabe3-6958-40ff-92a7-860e329aab41"
#define GUID_NONE "00000000-0000-0000-0000-000000000000"

static const char *const roots[] = { "Parallels_disk_image",
				     "Virtuozzo_disk_image" };

/* "NAME: text", code EUCLEAN; is -1. */
#define bad(name, e, ...) (bad_fill((name), (e), __VA_ARGS__), -1)

PRINTF(3, 4)
static void bad_fill(const char *name, struct err *e, const char *fmt, ...)
{
	char text[sizeof(e->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_fill(e, 0, "%s: %s", name, text);
	e->code = EUCLEAN;
}

bool descriptor_is(const char *data, size_t n)
{
	for (size_t i = 0; i < COUNT(roots); i++)
		if (memmem(data, n, roots[i], strlen(roots[i])))
			return true;
	return false;
}

/* The text of a child without blanks around; NULL: there is none, or "". */
static const char *text_of(const struct xml_node *of, const char *name,
			   struct arena *mem)
{
	const struct xml_node *node = xml_child(of, name);
	struct slice s;

	if (!node)
		return NULL;
	s = slice_trim((struct slice){ node->text, strlen(node->text) });
	if (s.n > MAX_TEXT)
		s.n = MAX_TEXT;
	return s.n > 0 ? slice_dup(mem, s) : NULL;
}

/* Lower case, without braces; NULL stays, none is NULL. */
static const char *guid_of(const char *text, struct arena *mem)
{
	struct slice s = { text, text ? strlen(text) : 0 };
	char *guid;

	if (!text)
		return NULL;
	if (s.n >= 2 && s.p[0] == '{' && s.p[s.n - 1] == '}')
		s = (struct slice){ s.p + 1, s.n - 2 };
	guid = slice_dup(mem, s);
	for (char *p = guid; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return str_eq(guid, GUID_NONE) ? NULL : guid;
}

static const char *show(const char *s, struct arena *mem)
{
	return s ? str_show(mem, s, strlen(s), 64) : "none";
}

static int read_number(const struct xml_node *of, const char *key,
		       struct arena *mem, uint64_t *ret, struct err *e)
{
	const char *text = text_of(of, key, mem);

	if (text && num_u64(text, ret, e)) {
		e->code = EUCLEAN;
		return err_wrap(e, "%s", key);
	}
	return 0;
}

static int add_image(struct descriptor *d, const struct xml_node *node,
		     struct arena *mem, struct err *e)
{
	const char *type = text_of(node, "Type", mem);
	struct descriptor_image one = {
		.guid = guid_of(text_of(node, "GUID", mem), mem),
		.file = text_of(node, "File", mem),
		.plain = type && str_caseeq(type, "Plain"),
	};

	if (d->images.n == MAX_IMAGES)
		return bad(d->name, e, "more than %d images", MAX_IMAGES);
	if (!one.guid || !one.file)
		return bad(d->name, e, "Image %zu has no %s", d->images.n + 1,
			   one.guid ? "File" : "GUID");
	if (!type || (!one.plain && !str_caseeq(type, "Compressed")))
		return bad(d->name, e,
			   "Image %s: its Type is \"%s\", neither Compressed "
			   "nor Plain",
			   show(one.guid, mem), show(type, mem));
	*vec_add(mem, &d->images) = one;
	return 0;
}

static int read_cluster(struct descriptor *d, const struct xml_node *storage,
			struct arena *mem, struct err *e)
{
	uint64_t sectors = CLUSTER_SECTORS;

	if (read_number(storage, "Blocksize", mem, &sectors, e))
		return err_wrap(e, "%s", d->name);
	if (sectors < 64 || sectors > 131072 || (sectors & (sectors - 1)))
		return bad(d->name, e,
			   "Blocksize: clusters of %" PRIu64 " sectors: not a "
			   "power of two from 64 to 131072",
			   sectors);
	d->cluster = (uint32_t)sectors * SECTOR;
	return 0;
}

static int read_storage(struct descriptor *d, const struct xml_node *root,
			struct arena *mem, struct err *e)
{
	const struct xml_node *data = xml_child(root, "StorageData");
	const struct xml_node *storage = xml_child(data, "Storage");

	if (text_of(xml_child(data, "Volume"), "Parent", mem))
		return bad(d->name, e,
			   "Volume: a linked clone of another disk, which is "
			   "not read: merge it first");
	if (!storage)
		return bad(d->name, e, "there is no Storage");
	if (xml_again(storage))
		return bad(d->name, e,
			   "more than one Storage: a split disk, "
			   "which is not read");
	if (read_cluster(d, storage, mem, e))
		return -1;
	for (const struct xml_node *node = xml_child(storage, "Image"); node;
	     node = xml_again(node))
		if (add_image(d, node, mem, e))
			return -1;
	if (d->images.n == 0)
		return bad(d->name, e, "there is no Image");
	return 0;
}

static int read_shots(struct descriptor *d, const struct xml_node *root,
		      struct arena *mem, struct err *e)
{
	const struct xml_node *shots = xml_child(root, "Snapshots");

	d->top = guid_of(text_of(shots, "TopGUID", mem), mem);
	for (const struct xml_node *node = xml_child(shots, "Shot"); node;
	     node = xml_again(node)) {
		struct descriptor_shot one = {
			.guid = guid_of(text_of(node, "GUID", mem), mem),
			.parent =
				guid_of(text_of(node, "ParentGUID", mem), mem),
			.temporary = xml_child(node, "Temporary") ||
				     xml_child(node, "TemporaryZero") ||
				     xml_child(node, "TemporaryZeroSwap"),
		};

		if (!one.guid)
			return bad(d->name, e, "Shot %zu has no GUID",
				   d->shots.n + 1);
		if (d->shots.n == MAX_IMAGES)
			return bad(d->name, e, "more than %d snapshots",
				   MAX_IMAGES);
		*vec_add(mem, &d->shots) = one;
	}
	/* older ones leave out the state on top */
	if (d->images.n == d->shots.n + 1)
		*vec_add(mem, &d->shots) =
			(struct descriptor_shot){ .guid = GUID_TOP };
	if (d->images.n != d->shots.n)
		return bad(d->name, e, "%zu images for %zu snapshots",
			   d->images.n, d->shots.n);
	return 0;
}

static int read_root(struct descriptor *d, const struct xml_node *root,
		     struct arena *mem, struct err *e)
{
	const struct xml_node *disk = xml_child(root, "Disk_Parameters");
	uint64_t sectors = 0;

	if (text_of(xml_child(disk, "Encryption"), "KeyId", mem))
		return bad(d->name, e,
			   "Encryption: the disk is encrypted: "
			   "decrypt it on the old host first");
	if (read_number(disk, "Disk_size", mem, &sectors, e))
		return err_wrap(e, "%s", d->name);
	if (sectors == 0 || !num_mul(sectors, SECTOR, &d->size) ||
	    d->size > INT64_MAX)
		return bad(d->name, e,
			   "Disk_size: %" PRIu64 " sectors are no disk",
			   sectors);
	return read_storage(d, root, mem, e) || read_shots(d, root, mem, e) ?
		       -1 :
		       0;
}

int descriptor_read(const char *data, size_t n, const char *name,
		    struct arena *mem, struct descriptor *ret, struct err *e)
{
	struct descriptor d = { .name = arena_strdup(mem, name) };
	struct xml_node *root;

	if (n > DESCRIPTOR_MAX)
		return bad(name, e, "larger than %d bytes", DESCRIPTOR_MAX);
	if (xml_read(data, n, name, mem, &root, NULL, e))
		return -1;
	if (!xml_is(root, roots[0]) && !xml_is(root, roots[1]))
		return bad(name, e, "its root element is \"%s\", not %s",
			   show(root->name, mem), roots[0]);
	if (read_root(&d, root, mem, e))
		return -1;
	*ret = d;
	return 0;
}

static const struct descriptor_shot *shot_of(const struct descriptor *d,
					     const char *guid)
{
	for (size_t i = 0; i < d->shots.n; i++)
		if (str_eq(d->shots.v[i].guid, guid))
			return &d->shots.v[i];
	return NULL;
}

static const struct descriptor_image *image_of(const struct descriptor *d,
					       const char *guid)
{
	for (size_t i = 0; i < d->images.n; i++)
		if (str_eq(d->images.v[i].guid, guid))
			return &d->images.v[i];
	return NULL;
}

static int add_link(const struct descriptor *d, const struct descriptor_shot *s,
		    struct arena *mem, struct descriptor_chain *c,
		    struct err *e)
{
	const struct descriptor_image *one = image_of(d, s->guid);

	if (!one)
		return bad(d->name, e, "snapshot %s has no Image",
			   show(s->guid, mem));
	if (c->n == MAX_CHAIN)
		return bad(d->name, e,
			   "snapshot %s: its chain is longer than "
			   "%d, or a loop",
			   show(s->guid, mem), MAX_CHAIN);
	if (one->plain && s->parent)
		return bad(d->name, e, "Image %s is Plain, but not the base",
			   show(one->guid, mem));
	c->v[c->n++] = one;
	c->temporary |= s->temporary;
	return 0;
}

int descriptor_chain(const struct descriptor *d, const char *snapshot,
		     struct arena *mem, struct descriptor_chain *ret,
		     struct err *e)
{
	const char *guid = snapshot ? guid_of(snapshot, mem) :
			   d->top   ? d->top :
				      GUID_TOP;
	const struct descriptor_shot *s = guid ? shot_of(d, guid) : NULL;
	struct descriptor_chain c = { 0 };

	if (!s)
		return bad(d->name, e, "%s %s is none of its %zu snapshots",
			   snapshot ? "GUID" : "TopGUID", show(guid, mem),
			   d->shots.n);
	if (s->temporary)
		return bad(d->name, e,
			   "snapshot %s is a temporary one, of a backup that "
			   "was cut off: ploop snapshot-merge it first",
			   show(guid, mem));
	c.v = arena_alloc(mem, MAX_CHAIN * sizeof(const void *));
	while (s) {
		const char *parent = s->parent;

		if (add_link(d, s, mem, &c, e))
			return -1;
		s = parent ? shot_of(d, parent) : NULL;
		if (parent && !s)
			return bad(d->name, e,
				   "ParentGUID %s is none of its "
				   "snapshots",
				   show(parent, mem));
	}
	*ret = c;
	return 0;
}
