/*
 * A made-up host with one Linux-VServer guest, "web", for the unit tests of
 * the reader: write files below CFG, read, look at fields and settings.
 */
#ifndef REHOST_TESTS_CHECK_VSERVER_H
#define REHOST_TESTS_CHECK_VSERVER_H

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "facts.h"
#include "importer.h"
#include "reading.h"

extern const struct importer vserver_importer;

struct box {
	char dir[64];
	int fd;
	struct arena *mem;
	struct facts facts;
	struct host host;
	struct source source;
	struct guest *g;
	struct reading *r;
};

/* A file beneath the root: "etc/vservers/web.conf". */
static inline void box_host(struct box *b, const char *path, const char *text)
{
	char *p = arena_strdup(b->mem, path);
	char *slash = strrchr(p, '/');
	int fd CLEANUP(fd_closep) = -1;
	struct err e;

	*slash = '\0';
	ck_assert_int_eq(fd_mkdirs(b->fd, p, &e), 0);
	*slash = '/';
	fd = openat(b->fd, p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* A file of the configuration of all guests: ".defaults/shell". */
static inline void box_put(struct box *b, const char *path, const char *text)
{
	box_host(b, arena_printf(b->mem, "etc/vservers/%s", path), text);
}

/* A file of the guest. */
static inline void box_file(struct box *b, const char *path, const char *text)
{
	box_put(b, arena_printf(b->mem, "web/%s", path), text);
}

static inline void box_link(struct box *b, const char *text, const char *path)
{
	ck_assert_int_eq(
		symlinkat(text, b->fd,
			  arena_printf(b->mem, "etc/vservers/web/%s", path)),
		0);
}

static inline void box_dir(struct box *b, const char *path)
{
	struct err e;

	ck_assert_int_eq(fd_mkdirs(b->fd, path, &e), 0);
}

static inline void box_open(struct box *b)
{
	struct err e;

	memset(b, 0, sizeof(*b));
	snprintf(b->dir, sizeof(b->dir), "/tmp/check_vserver.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(b->dir));
	b->fd = open(b->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(b->fd, 0);
	b->mem = arena_new();
	b->host = (struct host){ .name = "old", .dir = b->dir };
	ck_assert_int_eq(tree_open_dir(b->dir, &b->host.tree, &e), 0);
	b->source = (struct source){ .host = &b->host,
				     .kind = "vserver",
				     .id = "web",
				     .path = "/etc/vservers/web" };
	box_dir(b, "etc/vservers/web");
	box_dir(b, "vservers/web");
	box_link(b, "/vservers/web", "vdir");
	box_file(b, "context", "40007\n");
}

static inline void box_read(struct box *b)
{
	struct err e;

	b->g = guest_new(b->mem);
	b->r = reading_new(b->g, &b->source, &vserver_importer);
	if (vserver_importer.read(b->r, &b->source, &e) < 0)
		ck_abort_msg("%s", e.msg);
}

static inline void box_close(struct box *b)
{
	struct err e;

	tree_close(b->host.tree);
	close(b->fd);
	fd_remove_tree(AT_FDCWD, b->dir, &e);
	arena_free(b->mem);
}

/* A guest of one file, read. */
static inline void box_one(struct box *b, const char *path, const char *text)
{
	box_open(b);
	box_file(b, path, text);
	box_read(b);
}

/* The first setting of that key (path below CFG) and item (NULL: any). */
static inline struct setting *box_setting(const struct box *b, const char *key,
					  const char *item)
{
	for (size_t i = 0; i < b->g->settings.n; i++) {
		struct setting *s = b->g->settings.v[i];

		if (str_eq(s->from.key, key) &&
		    (item == NULL || str_eq(s->item, item)))
			return s;
	}
	ck_abort_msg("no setting %s %s", key, item == NULL ? "" : item);
}

/* How many settings the file at path below CFG gave. */
static inline size_t box_count(const struct box *b, const char *key)
{
	size_t n = 0;

	for (size_t i = 0; i < b->g->settings.n; i++)
		n += str_eq(b->g->settings.v[i]->from.key, key);
	return n;
}

static inline size_t box_found(const struct box *b, enum finding_id id)
{
	size_t n = 0;

	for (size_t i = 0; i < b->g->findings.n; i++)
		n += b->g->findings.v[i]->id == id;
	return n;
}

/* Whether a finding's message holds the text. */
static inline bool box_says(const struct box *b, enum finding_id id,
			    const char *text)
{
	for (size_t i = 0; i < b->g->findings.n; i++)
		if (b->g->findings.v[i]->id == id &&
		    strstr(b->g->findings.v[i]->message, text) != NULL)
			return true;
	return false;
}

/* The canonical text of one of the guest's own fields; NULL: absent. */
static inline const char *box_value(const struct box *b, enum field_id f)
{
	const struct value v = field_value(f, b->g);

	return v.from == NULL ? NULL : value_show(b->mem, &v);
}

#endif
