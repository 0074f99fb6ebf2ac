/*
 * The tree that the guest runs on, against the list of what was packed:
 * files.zst of the package, whose head says what its fields are. Contents are
 * compared by verify --files; here it is the metadata that isolation and
 * programs live by. The guest writes to an overlay, so its tree stays as it
 * was unpacked.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <zstd.h>

#include "base/fd.h"
#include "base/num.h"
#include "runtime/probe.h"

enum aspect {
	ASPECT_TYPE,
	ASPECT_MODE,
	ASPECT_OWNER,
	ASPECT_SIZE,
	ASPECT_TARGET,
	ASPECT_NUMBER,
	ASPECT__MAX
};

static const char *const aspect_items[ASPECT__MAX] = {
	[ASPECT_TYPE] = "files are there",
	[ASPECT_MODE] = "permissions of files",
	[ASPECT_OWNER] = "owners of files",
	[ASPECT_SIZE] = "sizes of files",
	[ASPECT_TARGET] = "targets of links and nodes",
	[ASPECT_NUMBER] = "files beside those packed",
};

/* Fields of a line, in their order. */
enum {
	PATH,
	TYPE,
	MODE,
	OWNER,
	SIZE,
	MTIME,
	CTIME,
	LINKS,
	XATTRS,
	CONTENT,
	EDIT,
	VARIANTS,
	N_FIELDS
};

struct checking {
	struct probe *p;
	struct arena *mem;   /* of one line */
	int root;            /* the tree */
	const char *variant; /* its number; NULL: not yet known */
	uint64_t n, wrong[ASPECT__MAX];
	const char *first[ASPECT__MAX];
};

static void differs(struct checking *c, enum aspect a, const char *path)
{
	if (c->wrong[a]++ == 0)
		c->first[a] = arena_strdup(c->p->mem, path);
}

/* "\OOO" is the byte of that octal number. */
static const char *unescape(struct arena *mem, const char *s)
{
	char *ret = arena_strdup(mem, s), *to = ret;

	for (; *s != '\0'; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' &&
		    s[2] != '\0' && s[3] != '\0') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
				       (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
	return ret;
}

static char type_of(mode_t mode)
{
	static const struct {
		mode_t type;
		char letter;
	} types[] = { { S_IFREG, 'f' }, { S_IFDIR, 'd' }, { S_IFLNK, 'l' },
		      { S_IFIFO, 'p' }, { S_IFCHR, 'c' }, { S_IFBLK, 'b' } };

	for (size_t i = 0; i < COUNT(types); i++)
		if ((mode & S_IFMT) == types[i].type)
			return types[i].letter;
	return '-';
}

static const char *target_of(struct checking *c, const char *path,
			     const struct stat *st)
{
	char text[4096];
	ssize_t n;

	if (!S_ISLNK(st->st_mode))
		return arena_printf(c->mem, "%u:%u", major(st->st_rdev),
				    minor(st->st_rdev));
	n = readlinkat(c->root, path, text, sizeof(text));
	return n < 0 ? "" : arena_strndup(c->mem, text, (size_t)n);
}

static void check_member(struct checking *c, char *const w[N_FIELDS])
{
	const char *name = unescape(c->mem, w[PATH]);
	const char *path = name[1] == '\0' ? "." : name + 1;
	const char type = w[TYPE][0] == 'h' ? 'f' : w[TYPE][0];
	struct stat st;

	if (fstatat(c->root, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (type_of(st.st_mode) != type && w[TYPE][0] != 'h')) {
		differs(c, ASPECT_TYPE, w[PATH]);
		return;
	}
	if (type != 'l' &&
	    !str_eq(w[MODE], arena_printf(c->mem, "%04o", st.st_mode & 07777)))
		differs(c, ASPECT_MODE, w[PATH]);
	if (!str_eq(w[OWNER],
		    arena_printf(c->mem, "%u:%u", st.st_uid, st.st_gid)))
		differs(c, ASPECT_OWNER, w[PATH]);
	if (w[TYPE][0] == 'f' &&
	    !str_eq(w[SIZE],
		    arena_printf(c->mem, "%" PRIu64, (uint64_t)st.st_size)))
		differs(c, ASPECT_SIZE, w[PATH]);
	if ((type == 'l' || type == 'c' || type == 'b') &&
	    !str_eq(unescape(c->mem, w[CONTENT]), target_of(c, path, &st)))
		differs(c, ASPECT_TARGET, w[PATH]);
}

/* "# variant 0 is rootfs.tar.zst" */
static void take_variant(struct checking *c, const char *line)
{
	const struct strv w = strv_split(c->p->mem, line, " ");

	if (w.n == 5 && str_eq(w.v[1], "variant") &&
	    str_eq(w.v[4], c->p->package->rootfs))
		c->variant = w.v[2];
}

static void check_line(struct checking *c, char *line)
{
	char *w[N_FIELDS], *at = line;
	size_t n = 0;

	if (line[0] == '#') {
		take_variant(c, line);
		return;
	}
	while (n < N_FIELDS && at != NULL)
		w[n++] = strsep(&at, "\t");
	if (n < N_FIELDS || w[PATH][0] != '/')
		return;
	if (!str_eq(w[VARIANTS], "*")) {
		const struct strv of = strv_split(c->mem, w[VARIANTS], ",");

		if (c->variant == NULL || !strv_has(&of, c->variant))
			return;
	}
	c->n++;
	check_member(c, w);
}

/* Whole lines of what has come; the rest stays in b. */
static void check_lines(struct checking *c, struct buf *b)
{
	char *text = b->p, *end;
	size_t left = b->n;

	while (left > 0 && (end = memchr(text, '\n', left)) != NULL) {
		*end = '\0';
		c->mem = arena_new();
		check_line(c, text);
		arena_free(c->mem);
		left -= (size_t)(end + 1 - text);
		text = end + 1;
	}
	memmove(b->p, text, left);
	b->n = left;
}

static void stream_freep(ZSTD_DStream **s)
{
	ZSTD_freeDStream(*s);
}

static int check_list(struct checking *c, int fd, struct err *e)
{
	ZSTD_DStream *s CLEANUP(stream_freep) = ZSTD_createDStream();
	struct buf b CLEANUP(buf_done) = { 0 };
	char packed[65536], plain[65536];
	ssize_t n;

	if (s == NULL)
		return err_set(e, ENOMEM, "zstd");
	while ((n = read(fd, packed, sizeof(packed))) > 0) {
		ZSTD_inBuffer in = { packed, (size_t)n, 0 };

		while (in.pos < in.size) {
			ZSTD_outBuffer out = { plain, sizeof(plain), 0 };
			const size_t rc = ZSTD_decompressStream(s, &out, &in);

			if (ZSTD_isError(rc))
				return err_set(e, 0, "files.zst: %s",
					       ZSTD_getErrorName(rc));
			buf_add(&b, plain, out.pos);
			if (b.n > 0)
				check_lines(c, &b);
		}
	}
	return n < 0 ? err_set(e, errno, "read files.zst") : 0;
}

/* Entries of a directory and of all beneath it, itself not counted. */
static uint64_t count_below(int dirfd, const char *name)
{
	const int fd = openat(dirfd, name,
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;
	uint64_t n = 0;

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		if (str_eq(d->d_name, ".") || str_eq(d->d_name, ".."))
			continue;
		n++;
		if (d->d_type == DT_DIR)
			n += count_below(fd, d->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	return n;
}

static void add_aspect(struct probe *p, enum aspect a, const char *observed,
		       const char *why)
{
	*vec_add(p->mem, &p->seen->facts) = (struct verify_fact){
		.area = AREA_DATA,
		.item = aspect_items[a],
		.expected = "as packed",
		.observed = observed,
		.reason = why,
		.optional = why != NULL,
		.probe = "data",
	};
}

static void tell(struct checking *c)
{
	const uint64_t there = count_below(c->root, ".") + 1;

	if (there != c->n)
		c->wrong[ASPECT_NUMBER] = there > c->n ? there - c->n :
							 c->n - there;
	for (enum aspect a = 0; a < ASPECT__MAX; a++)
		add_aspect(c->p, a,
			   c->wrong[a] == 0 ?
				   "as packed" :
			   c->first[a] == NULL ?
				   arena_printf(c->p->mem,
						"%" PRIu64 " more "
						"or fewer",
						c->wrong[a]) :
				   arena_printf(c->p->mem,
						"%" PRIu64 " not: %s ...",
						c->wrong[a], c->first[a]),
			   NULL);
}

static int see_tree(struct probe *p, struct err *e)
{
	const char *list =
		arena_printf(p->mem, "%s/files.zst", p->package->dir);
	int fd CLEANUP(fd_closep) = open(list, O_RDONLY | O_CLOEXEC);
	int root CLEANUP(fd_closep) =
		open(p->subject->rootfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct checking c = { .p = p, .root = root };

	if (p->package->tree != NULL)
		return err_set(e, 0, "nothing is packed by a rehearsal");
	if (fd < 0)
		return err_set(e, errno, "open %s", list);
	if (root < 0)
		return err_set(e, errno, "open %s", p->subject->rootfs);
	if (check_list(&c, fd, e) < 0)
		return -1;
	tell(&c);
	return 0;
}

int probe_data(struct probe *p, struct err *e)
{
	const char *why = p->subject->rootfs == NULL ?
				  "this engine does not say where the tree is" :
				  NULL;

	if (why == NULL && see_tree(p, e) == 0)
		return 0;
	if (why == NULL)
		why = arena_strdup(p->mem, e->msg);
	for (enum aspect a = 0; a < ASPECT__MAX; a++)
		add_aspect(p, a, NULL, why);
	return 0;
}
