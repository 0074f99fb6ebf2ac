/* The members of an archive, through libarchive's reader. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "pack/verify.h"

struct reading {
	struct verify *v;
	struct archive *a;
	int fd;
	struct arena *mem; /* of the member */
};

static void reading_done(struct reading *r)
{
	archive_read_free(r->a);
	fd_closep(&r->fd);
	arena_freep(&r->mem);
}

static int fail(struct reading *r, struct err *e)
{
	return err_set(e, 0, "read: %s", archive_error_string(r->a));
}

static int set_up(struct reading *r, struct err *e)
{
	const struct pack_check *c = r->v->check;

	r->fd = openat(c->dirfd, c->archive, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (r->fd < 0)
		return err_set(e, errno, "open");
	r->a = archive_read_new();
	if (!r->a)
		return err_set(e, ENOMEM, "set up libarchive");
	if (archive_read_support_format_tar(r->a) != ARCHIVE_OK ||
	    archive_read_support_filter_all(r->a) < ARCHIVE_WARN ||
	    archive_read_open_fd(r->a, r->fd, 1 << 20) != ARCHIVE_OK)
		return fail(r, e);
	return 0;
}

/* "./etc/" is "etc" */
static const char *path_of(const char *name, struct arena *mem)
{
	size_t n;

	if (!name)
		return NULL;
	if (str_starts(name, "./"))
		name += 2;
	n = strlen(name);
	while (n > 0 && name[n - 1] == '/')
		n--;
	return arena_strndup(mem, name, n);
}

static int digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* The writer has %XX for some bytes of the names of xattrs. */
static const char *xattr_name(const char *s, struct arena *mem)
{
	char *name = arena_strdup(mem, s), *to = name;

	while (*s) {
		if (*s == '%' && digit(s[1]) >= 0 && digit(s[2]) >= 0) {
			*to++ = (char)(digit(s[1]) << 4 | digit(s[2]));
			s += 3;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
	return name;
}

static int by_name(const void *a, const void *b)
{
	const struct tree_xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void read_xattrs(struct archive_entry *ae, struct arena *mem,
			struct tree_xattrs *ret)
{
	VEC(struct tree_xattr) all = { 0 };
	const char *name;
	const void *value;
	size_t size;

	archive_entry_xattr_reset(ae);
	while (archive_entry_xattr_next(ae, &name, &value, &size) == ARCHIVE_OK)
		*vec_add(mem, &all) = (struct tree_xattr){
			.name = xattr_name(name, mem),
			.value = value,
			.size = size,
		};
	if (all.n > 1)
		qsort(all.v, all.n, sizeof(*all.v), by_name);
	*ret = (struct tree_xattrs){ .v = all.v, .n = all.n };
}

/* 1: a name of it cannot be read. */
static int member_of(struct archive_entry *ae, struct arena *mem,
		     struct member *ret)
{
	const char *path = path_of(archive_entry_pathname(ae), mem);
	struct member m = {
		.path = path,
		.first = path_of(archive_entry_hardlink(ae), mem),
		.target = archive_entry_symlink(ae),
		.st = { .mode = archive_entry_mode(ae),
			.uid = (uint32_t)archive_entry_uid(ae),
			.gid = (uint32_t)archive_entry_gid(ae),
			.size = (uint64_t)archive_entry_size(ae),
			.mtime = { archive_entry_mtime(ae),
				   archive_entry_mtime_nsec(ae) },
			.rdev_major = (uint32_t)archive_entry_rdevmajor(ae),
			.rdev_minor = (uint32_t)archive_entry_rdevminor(ae) },
	};

	if (!path || (S_ISLNK(m.st.mode) && !m.first && !m.target))
		return 1;
	read_xattrs(ae, mem, &m.xattrs);
	*ret = m;
	return 0;
}

static int read_content(struct reading *r, struct content *c, struct err *e)
{
	const void *data;
	size_t n;
	la_int64_t at;
	int got;

	while ((got = archive_read_data_block(r->a, &data, &n, &at)) ==
	       ARCHIVE_OK)
		if (n > 0)
			content_add(c, (uint64_t)at, data, n);
	return got == ARCHIVE_EOF ? 0 : fail(r, e);
}

static int see(struct reading *r, struct archive_entry *ae, struct err *e)
{
	struct content *c = NULL;
	struct member m = { 0 };
	int has;

	arena_freep(&r->mem);
	r->mem = arena_new();
	if (member_of(ae, r->mem, &m))
		return err_set(e, 0, "a name cannot be read");
	has = verify_begin(r->v, &m, &c, e);
	if (has <= 0)
		return has;
	if (c && read_content(r, c, e))
		return -1;
	return verify_end(r->v, &m, c, e);
}

int verify_archive(struct verify *v, struct err *e)
{
	struct reading r CLEANUP(reading_done) = { .v = v, .fd = -1 };
	struct archive_entry *ae;
	int got;

	if (set_up(&r, e))
		return -1;
	while ((got = archive_read_next_header(r.a, &ae)) == ARCHIVE_OK ||
	       got == ARCHIVE_WARN)
		if (see(&r, ae, e))
			return -1;
	return got == ARCHIVE_EOF ? 0 : fail(&r, e);
}
