/* Unit tests of walking a directory tree (src/tree). */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "check_tree.h"

enum { LEVELS = 2000 }; /* of "level-NNNN/": far beyond PATH_MAX */

/* What a walk said, a line each; and what the visitor does at one path. */
struct trail {
	struct buf said;
	const char *at;
	int answer;
	void (*act)(void);
	struct tree *t;
};

static int follow(void *arg, const char *path, const struct tree_stat *st,
		  struct err *e)
{
	struct trail *w = arg;

	buf_printf(&w->said, "%s%s\n", path,
		   !st               ? strerrorname_np(e->code) :
		   S_ISDIR(st->mode) ? "/" :
				       "");
	if (!w->at || !str_eq(path, w->at) || !st)
		return 0;
	if (w->act)
		w->act();
	return w->answer;
}

static void trail_done(struct trail *w)
{
	buf_done(&w->said);
}

static void make_walk(void)
{
	make_dir("b");
	make_dir("b/d");
	make_file("b/d/x", "");
	make_file("b/a", "");
	make_file("b-", "");
	make_file("b.", "");
	make_link("b", "c");
	make_dir("e");
}

static const struct {
	const char *start, *at;
	int answer;
	const char *said;
} walks[] = {
	{ "", NULL, 0, "/\nb/\nb/a\nb/d/\nb/d/x\nb-\nb.\nc\ne/\n" },
	{ "/", "b", 1, "/\nb/\nb-\nb.\nc\ne/\n" },
	{ "/b/", NULL, 0, "/\na\nd/\nd/x\n" },
	{ "c", "a", 1, "/\na\nd/\nd/x\n" },
	{ "b/a", NULL, 0, "\n" },
	{ "/", "b/d", -7, "/\nb/\nb/a\nb/d/\n" },
	{ "/", "", 1, "/\n" },
};

START_TEST(walk)
{
	struct box b CLEANUP(box_done);
	struct trail w CLEANUP(trail_done) = { .at = walks[_i].at,
					       .answer = walks[_i].answer };
	int r;

	box_open(&b);
	make_walk();
	/* names sort by bytes inside a directory: "b" before "b-" */
	r = tree_walk(b.t, walks[_i].start, true, follow, &w, &b.e);
	ck_assert_int_eq(r, walks[_i].answer < 0 ? walks[_i].answer : 0);
	ck_assert_str_eq(buf_str(&w.said), walks[_i].said);
}
END_TEST

static unsigned count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* A file that is open already is read whatever has its name by now. */
static int read_still(void *arg, const char *path, const struct tree_stat *st,
		      struct err *e)
{
	struct box *b = arg;
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	struct tree_file *other CLEANUP(tree_file_closep) = NULL;
	char bytes[8];

	ck_assert_msg(st, "%s", e->msg);
	if (!str_eq(path, "b/a"))
		return 0;
	ck_assert_int_eq(tree_file_open(b->t, "b/d/x", &other, e), 0);
	ck_assert_int_eq(tree_file_read(other, 0, bytes, 8, e), 5);
	ck_assert_int_eq(unlink("b/a"), 0);
	ck_assert_int_eq(mkfifo("b/a", 0600), 0);
	ck_assert_int_eq(tree_file_open(b->t, "/b/a", &f, e), 0);
	ck_assert_uint_eq(tree_file_opened(f)->ino, st->ino);
	ck_assert_int_eq(tree_file_read(f, 0, bytes, 8, e), 3);
	ck_assert_mem_eq(bytes, "old", 3);
	tree_file_closep(&f);
	ck_assert_int_eq(tree_file_open(b->t, "b/a", &f, e), -1);
	ck_assert_int_eq(e->code, EINVAL);
	b->seen++;
	return 0;
}

START_TEST(still)
{
	struct box b CLEANUP(box_done);
	struct trail w CLEANUP(trail_done) = { .at = NULL };
	struct trail again CLEANUP(trail_done) = { .at = NULL };
	unsigned fds;

	box_open(&b);
	make_walk();
	ck_assert_int_eq(unlink("b/a"), 0);
	make_file("b/a", "old");
	ck_assert_int_eq(unlink("b/d/x"), 0);
	make_file("b/d/x", "other");
	ck_assert_int_eq(tree_walk(b.t, "", true, follow, &w, &b.e), 0);
	tree_set_still(b.t);
	fds = count_fds();
	ck_assert_int_eq(tree_walk(b.t, "", true, follow, &again, &b.e), 0);
	ck_assert_str_eq(buf_str(&w.said), buf_str(&again.said));
	ck_assert_int_eq(tree_walk(b.t, "", true, read_still, &b, &b.e), 0);
	ck_assert_uint_eq(b.seen, 1);
	ck_assert_uint_eq(count_fds(), fds);
}
END_TEST

START_TEST(nothing_there)
{
	struct box b CLEANUP(box_done);
	struct trail w CLEANUP(trail_done) = { .at = NULL };

	box_open(&b);
	ck_assert_int_eq(tree_walk(b.t, "none", true, follow, &w, &b.e), -1);
	ck_assert_int_eq(b.e.code, ENOENT);
	ck_assert_str_eq(buf_str(&w.said), "");
	ck_assert_int_eq(tree_open_dir("none", &b.t, &b.e), -1);
	ck_assert_int_eq(b.e.code, ENOENT);
}
END_TEST

static void swap_for_link(void)
{
	ck_assert_int_eq(rename("b", "../b"), 0);
	make_link("..", "b");
}

static void swap_for_dir(void)
{
	ck_assert_int_eq(rename("b", "../b"), 0);
	make_dir("b");
	make_file("b/other", "");
}

static void swap_for_nothing(void)
{
	ck_assert_int_eq(rename("b", "../b"), 0);
}

static const struct {
	void (*act)(void);
	const char *said;
} swaps[] = {
	{ swap_for_link, "bENOTDIR\n" },
	{ swap_for_dir, "bESTALE\n" },
	{ swap_for_nothing, "bENOENT\n" },
};

START_TEST(walk_swapped)
{
	struct box b CLEANUP(box_done);
	struct trail w CLEANUP(trail_done) = { .at = "b",
					       .act = swaps[_i].act };
	char *want;

	box_open(&b);
	make_walk();
	want = arena_printf(b.mem, "/\nb/\n%sb-\nb.\nc\ne/\n", swaps[_i].said);
	ck_assert_int_eq(tree_walk(b.t, "", true, follow, &w, &b.e), 0);
	ck_assert_str_eq(buf_str(&w.said), want);
}
END_TEST

/* Makes n levels and goes there; the descriptor of the lowest. */
static int make_levels(int n)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[32];

	for (int i = 0; i < n; i++) {
		int next;

		snprintf(name, sizeof(name), "level-%04d", i);
		ck_assert_int_eq(mkdirat(fd, name, 0755), 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		fd_closep(&fd);
		fd = next;
	}
	return fd;
}

struct depth {
	struct tree *t;
	struct arena *mem;
	unsigned dirs, fds;
	char *lowest; /* path of the file at the end */
};

static int measure(void *arg, const char *path, const struct tree_stat *st,
		   struct err *e)
{
	struct depth *d = arg;
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	struct tree_xattrs x;
	struct tree_stat again;
	unsigned n = count_fds();
	char bytes[8];

	ck_assert_msg(st, "%s", e->msg);
	if (n > d->fds)
		d->fds = n;
	if (S_ISDIR(st->mode)) {
		d->dirs++;
		return 0;
	}
	ck_assert_int_eq(tree_lstat(d->t, path, &again, e), 0);
	ck_assert_uint_eq(st->ino, again.ino);
	ck_assert_int_eq(tree_xattrs(d->t, path, d->mem, &x, e), 0);
	ck_assert_int_eq(tree_file_open(d->t, path, &f, e), 0);
	ck_assert_int_eq(tree_file_read(f, 0, bytes, 8, e), 6);
	if (!str_starts(path, "z"))
		d->lowest = arena_strdup(d->mem, path);
	return 0;
}

START_TEST(deep)
{
	struct box b CLEANUP(box_done);
	struct depth d = { 0 };
	unsigned before;
	struct tree_stat st;
	int fd CLEANUP(fd_closep) = -1;
	int bottom CLEANUP(fd_closep) = -1;

	box_open(&b);
	d.t = b.t;
	d.mem = b.mem;
	fd = make_levels(LEVELS);
	bottom = openat(fd, "bottom", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_eq(write(bottom, "bottom", 6), 6);
	make_file("z", "bottom"); /* on the way back */
	before = count_fds();
	ck_assert_int_eq(tree_walk(b.t, "", true, measure, &d, &b.e), 0);
	ck_assert_uint_eq(d.dirs, LEVELS + 1);
	ck_assert_uint_eq(count_fds(), before);
	ck_assert_uint_le(d.fds, before + 40);
	ck_assert_uint_eq(strlen(d.lowest), LEVELS * 11 + 6);
	/* outside of a walk as well */
	ck_assert_int_eq(tree_lstat(b.t, d.lowest, &st, &b.e), 0);
	ck_assert_uint_eq(st.size, 6);
	ck_assert_str_eq(text_of(&b, d.lowest), "bottom");
	ck_assert_str_eq(
		text_of(&b, arena_printf(b.mem, "./%s/../bottom", d.lowest)),
		"ENAMETOOLONG");
}
END_TEST

/* Level 1 of 60 is moved while the walk is at the bottom: see reopen(). */
static void move_level(void)
{
	ck_assert_int_eq(rename("level-0000/level-0001", "../moved"), 0);
}

START_TEST(walk_moved)
{
	struct box b CLEANUP(box_done);
	struct trail w CLEANUP(trail_done) = { .act = move_level };
	struct buf path CLEANUP(buf_done) = { 0 };
	int fd CLEANUP(fd_closep) = -1;

	box_open(&b);
	fd = make_levels(60);
	make_file("level-0000/next", "");
	make_file("level-0000/level-0001/beside", "");
	for (int i = 0; i < 60; i++)
		buf_printf(&path, "%slevel-%04d", i ? "/" : "", i);
	w.at = path.p;
	ck_assert_int_eq(tree_walk(b.t, "", true, follow, &w, &b.e), 0);
	ck_assert(str_ends(w.said.p, "level-0059/\nlevel-0000/next\n"));
	ck_assert(strstr(w.said.p, "level-0001/beside\n"));
}
END_TEST

/* Needs a mount; elsewhere tests/root has it again with a real guest. */
START_TEST(one_file_system)
{
	struct box b CLEANUP(box_done);
	struct trail in CLEANUP(trail_done) = { .at = NULL };
	struct trail all CLEANUP(trail_done) = { .at = NULL };

	bool can = unshare(CLONE_NEWNS) == 0 &&
		   mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;

	/* after that: a tree sees the mounts of where it was opened */
	box_open(&b);
	if (!can)
		return;
	make_dir("m");
	make_file("n", "");
	ck_assert_int_eq(mount("none", "m", "tmpfs", 0, NULL), 0);
	make_file("m/x", "");
	ck_assert_int_eq(tree_walk(b.t, "", true, follow, &in, &b.e), 0);
	ck_assert_int_eq(tree_walk(b.t, "", false, follow, &all, &b.e), 0);
	ck_assert_int_eq(umount("m"), 0);
	ck_assert_str_eq(buf_str(&in.said), "/\nm/\nn\n");
	ck_assert_str_eq(buf_str(&all.said), "/\nm/\nm/x\nn\n");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("tree_walk");
	TCase *c = tcase_create("tree_walk");

	tcase_add_loop_test(c, walk, 0, COUNT(walks));
	tcase_add_test(c, still);
	tcase_add_test(c, nothing_there);
	tcase_add_loop_test(c, walk_swapped, 0, COUNT(swaps));
	tcase_add_test(c, deep);
	tcase_add_test(c, walk_moved);
	tcase_add_test(c, one_file_system);
	tcase_set_timeout(c, 30);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
