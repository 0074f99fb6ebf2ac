/*
 * What a package is made of, as one digest: a second run of the same input
 * need not write it again (--resume).
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/str.h"
#include "cli/package_parts.h"

struct key_walk {
	struct digest *d;
	uint64_t bytes;
};

static void add_text(struct digest *d, const char *text)
{
	if (text != NULL)
		digest_add(d, text, strlen(text));
	digest_add(d, "", 1); /* a NUL between any two */
}

static void add_number(struct digest *d, uint64_t n)
{
	digest_add(d, &n, sizeof(n));
}

static uint64_t bytes_of(const struct tree_stat *st)
{
	return st->blocks * 512 < st->size ? st->blocks * 512 : st->size;
}

/* Each name has its share; those of an immutable inode are packed each. */
static uint32_t names_of(const struct tree_stat *st)
{
	return st->nlink > 1 && !(st->flags & FS_IMMUTABLE_FL) ? st->nlink : 1;
}

static int add_entry(void *arg, const char *path, const struct tree_stat *st,
		     struct err *e)
{
	struct key_walk *w = arg;

	(void)e;
	add_text(w->d, path);
	if (st == NULL) /* unreadable: packing says so */
		return 0;
	add_number(w->d, st->mode);
	add_number(w->d, st->uid);
	add_number(w->d, st->gid);
	add_number(w->d, st->size);
	add_number(w->d, (uint64_t)st->mtime.tv_sec);
	add_number(w->d, (uint64_t)st->mtime.tv_nsec);
	add_number(w->d, (uint64_t)st->ctime.tv_sec);
	add_number(w->d, (uint64_t)st->ctime.tv_nsec);
	if (S_ISREG(st->mode))
		w->bytes += bytes_of(st) / names_of(st);
	return 0;
}

static void add_sources(struct package *p, struct digest *d)
{
	const struct strv *files = &p->w->g->sources;

	for (size_t i = 0; i < files->n; i++) {
		const char *data;
		struct err e;
		size_t n;

		add_text(d, files->v[i]);
		if (work_read_source(p->w, files->v[i], &data, &n, &e) == 0)
			digest_add(d, data, n);
	}
}

/* The emitted text holds site file, --set and facts as far as they count. */
static void add_plan(struct package *p, struct digest *d)
{
	const struct options *o = p->w->session->o;

	add_text(d, REHOST_VERSION);
	add_text(d, o->rootfs);
	add_text(d, o->compress);
	add_number(d, o->shift);
	add_text(d, p->w->g->package);
	for (size_t i = 0; i < p->w->emissions.n; i++) {
		const struct emission *em = p->w->emissions.v[i];

		add_text(d, em->emitter->name);
		for (size_t j = 0; j < em->files.n; j++) {
			add_text(d, em->files.v[j].path);
			add_text(d, em->files.v[j].text);
		}
	}
	for (size_t i = 0; i < p->w->g->findings.n; i++) {
		add_text(d, p->w->g->findings.v[i]->message);
		add_text(d, p->w->g->findings.v[i]->accepted);
	}
}

int package_key(struct package *p, uint64_t *ret_bytes, struct err *e)
{
	struct digest *d CLEANUP(digest_freep) = digest_new();
	struct key_walk w = { .d = d };
	char hex[DIGEST_HEX];

	add_sources(p, d);
	add_plan(p, d);
	if (p->rootfs != NULL &&
	    tree_walk(p->w->root, "", true, add_entry, &w, e) < 0)
		return err_wrap(e, "measure %s", p->w->g->rootfs.v);
	digest_end(d, hex);
	d = NULL;
	p->key = arena_strdup(p->w->mem, hex);
	*ret_bytes = w.bytes;
	return 0;
}

static bool has_size(int dir, const char *path, uint64_t size)
{
	struct stat st;

	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

/* Every artefact is there with its size. */
static bool is_whole(int dir, const json_t *manifest)
{
	const json_t *a;
	size_t i;

	json_array_foreach (json_object_get(manifest, "artefacts"), i, a)
		if (!has_size(dir, json_str(a, "path"), json_num(a, "bytes")))
			return false;
	return i > 0;
}

bool package_is_same(int dir, const char *name, const char *key)
{
	int fd CLEANUP(fd_closep) =
		openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int file CLEANUP(fd_closep) =
		fd < 0 ? -1 : openat(fd, "manifest.json", O_RDONLY | O_CLOEXEC);
	json_t *m CLEANUP(json_freep) = file < 0 ? NULL :
						   json_loadfd(file, 0, NULL);

	return m != NULL && str_eq(json_str(m, "resume_key"), key) &&
	       is_whole(fd, m);
}
