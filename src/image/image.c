/* Opening an image: its form, its partition, its file system. */
#include "image/image.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "image/block.h"
#include "image/descriptor.h"
#include "image/ext4.h"
#include "image/mount.h"
#include "image/partition.h"
#include "image/ploop.h"

static const struct tree_image_options no_options;

struct opening {
	struct tree *t;
	const char *path; /* links followed */
	const char *name; /* for messages */
	const struct tree_image_options *o;
	struct arena *mem;
	struct ploop_options ploop;
};

static void note(struct opening *o, const char *text)
{
	if (o->o->notes)
		strv_add(o->o->mem, o->o->notes,
			 arena_printf(o->o->mem, "%s: %s", o->name, text));
}

/* "/vz/private/101/root.hdd" of a file in it. */
static const char *folder_of(const char *path, struct arena *mem)
{
	const char *slash = strrchr(path, '/');

	return arena_strndup(mem, path, slash ? (size_t)(slash - path) : 0);
}

static bool has_dotdot(const char *path)
{
	struct slice rest = { path, strlen(path) }, word;

	while (slice_next(&rest, '/', &word))
		if (slice_eq(word, ".."))
			return true;
	return false;
}

/*
 * A file of the disk's directory. An absolute name must mean the same one:
 * what is elsewhere is another disk's.
 */
static int image_path(struct opening *o, const char *file, const char **ret,
		      struct err *e)
{
	const char *folder = folder_of(o->path, o->mem);

	if (*file != '/')
		folder = arena_printf(o->mem, "%s/%s", folder, file);
	else if (str_starts(file, arena_printf(o->mem, "%s/", folder)))
		folder = file;
	else
		folder = NULL;
	if (!folder || has_dotdot(file)) {
		err_fill(e, 0,
			 "%s: File \"%s\" is not in the directory of the "
			 "disk: put it there and say so",
			 o->name, str_show(o->mem, file, strlen(file), 200));
		e->code = EUCLEAN;
		return -1;
	}
	*ret = folder;
	return 0;
}

/* Images that were opened, until the chain takes them over. */
struct pile {
	struct block *v[PLOOP_CHAIN];
	size_t n;
};

static void pile_done(struct pile *p)
{
	for (size_t i = 0; i < p->n; i++)
		block_closep(&p->v[i]);
}

static int open_images(struct opening *o, const struct descriptor_chain *c,
		       struct pile *p, struct err *e)
{
	for (size_t i = 0; i < c->n; i++) {
		const char *path;

		if (image_path(o, c->v[i]->file, &path, e) ||
		    block_open(o->t, path, &p->v[i], e))
			return -1;
		p->n++;
	}
	return 0;
}

/* A disk of one plain image has the size that the description says. */
static int open_plain(struct pile *p, uint64_t size, struct block **ret)
{
	struct block *b = p->v[0];

	p->n = 0;
	*ret = size < b->size ? block_part(b, 0, size) : b;
	return 0;
}

static void note_rest(struct opening *o, const struct descriptor *d,
		      const struct descriptor_chain *c)
{
	if (c->temporary)
		note(o, "a snapshot in its chain is temporary: a backup or "
			"merge was cut off");
	if (d->images.n > c->n)
		note(o, arena_printf(o->mem,
				     "%zu images of other snapshots are not "
				     "read",
				     d->images.n - c->n));
}

static int open_disk(struct opening *o, const char *data, size_t n,
		     struct block **ret, struct err *e)
{
	struct pile p CLEANUP(pile_done) = { .n = 0 };
	struct descriptor_chain c;
	struct descriptor d;
	bool plain;
	size_t count;

	if (descriptor_read(data, n, o->name, o->mem, &d, e) ||
	    descriptor_chain(&d, o->o->snapshot, o->mem, &c, e) ||
	    open_images(o, &c, &p, e))
		return -1;
	note_rest(o, &d, &c);
	plain = c.v[c.n - 1]->plain;
	if (plain && c.n == 1)
		return open_plain(&p, d.size, ret);
	o->ploop.cluster = d.cluster;
	count = p.n;
	p.n = 0;
	if (ploop_open(p.v, count, plain, &o->ploop, ret, e))
		return -1;
	if ((*ret)->size != d.size && !o->o->snapshot)
		note(o, arena_printf(o->mem,
				     "Disk_size is %" PRIu64 " bytes, that of "
				     "the top image %" PRIu64,
				     d.size, (*ret)->size));
	return 0;
}

/* What the file at o->path is a disk of. */
static int open_any(struct opening *o, struct block **ret, struct err *e)
{
	struct block *b CLEANUP(block_closep) = NULL;
	struct block *chain[1];
	char head[1024];
	const char *data;
	size_t n;

	if (block_open(o->t, o->path, &b, e))
		return -1;
	n = b->size < sizeof(head) ? (size_t)b->size : sizeof(head);
	if (n > 0 && block_read(b, 0, head, n, e))
		return -1;
	if (descriptor_is(head, n)) {
		if (tree_read(o->t, o->path, DESCRIPTOR_MAX, o->mem, &data, &n,
			      e))
			return -1;
		return open_disk(o, data, n, ret, e);
	}
	if (o->o->snapshot)
		return err_set(e, EINVAL,
			       "%s: it has no snapshots: it is not the "
			       "DiskDescriptor.xml of a disk",
			       o->name);
	chain[0] = b;
	b = NULL;
	if (ploop_is(chain[0]))
		return ploop_open(chain, 1, false, &o->ploop, ret, e);
	*ret = chain[0];
	return 0;
}

static void note_state(struct opening *o, const struct ext4_state *s)
{
	if (s->replayed)
		note(o, arena_printf(o->mem,
				     "it was not unmounted: its journal was "
				     "replayed in memory, %" PRIu32
				     " transactions with %" PRIu64
				     " blocks; the image is as it was",
				     s->transactions, s->blocks));
	if (s->replayed && o->o->ret_crashed)
		*o->o->ret_crashed = true;
	if (s->errors)
		note(o, "the kernel had met errors in its file system: let "
			"e2fsck look at a copy");
}

static int open_ext4(struct opening *o, struct block **part, const char *name,
		     struct tree **ret, struct err *e)
{
	struct ext4_state state;
	struct ext4 *x;

	if (ext4_open(part, &x, &state, e))
		return -1;
	note_state(o, &state);
	*ret = ext4_tree(x, name);
	return 0;
}

static int open_mount(struct opening *o, const struct partition_found *p,
		      const char *name, struct tree **ret, struct err *e)
{
	if (mount_open(p->b, p->fs, name, ret, e))
		return -1;
	note(o, arena_printf(o->mem,
			     "its %s is read through a mount that replays no "
			     "log: what a crash left there only is not seen",
			     p->fs->name));
	return 0;
}

/* What every guest has, and no /boot, /home or /var. */
static bool is_root(struct block *part, const struct partition_fs *fs)
{
	struct block *b CLEANUP(block_closep) = block_view(part, 0, part->size);
	struct tree *t CLEANUP(tree_closep) = NULL;
	struct opening o = { .o = &no_options };
	struct err e;

	if (fs ? mount_open(b, fs, "", &t, &e) : open_ext4(&o, &b, "", &t, &e))
		return false;
	return tree_is_dir(t, "etc") &&
	       (tree_is_dir(t, "sbin") || tree_is_dir(t, "usr"));
}

static int open_fs(struct opening *o, struct tree **ret, struct err *e)
{
	const struct partition_wish wish = { .number = o->o->partition,
					     .mount = o->o->mount,
					     .is_root = is_root,
					     .mem = o->mem };
	const char *name =
		arena_printf(o->mem, "%s%s:", tree_name(o->t), o->path);
	struct block *disk CLEANUP(block_closep) = NULL;
	struct block *part CLEANUP(block_closep) = NULL;
	struct partition_found p;

	if (open_any(o, &disk, e) || partition_find(&disk, &wish, &p, e))
		return -1;
	part = p.b;
	if (p.fs ? open_mount(o, &p, name, ret, e) :
		   open_ext4(o, &part, name, ret, e))
		return -1;
	if (p.note)
		note(o, p.note);
	return 0;
}

int image_open(struct tree *t, const char *path,
	       const struct tree_image_options *options, struct tree **ret,
	       struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct opening o = { .t = t, .o = options ? options : &no_options };
	const char *full;

	o.mem = mem;
	if (tree_resolve(t, path, mem, &o.path, e))
		return -1;
	full = arena_printf(mem, "%s%s", tree_name(t), o.path);
	o.name = str_show(mem, full, strlen(full), 300);
	o.ploop = (struct ploop_options){
		.live = o.o->live,
		.mem = o.o->mem,
		.notes = o.o->notes,
	};
	return open_fs(&o, ret, e);
}
