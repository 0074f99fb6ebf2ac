/*
 * Packing trees that work against it: directories swapped for links while it
 * runs, files without end, paths of any depth and no room. Being killed:
 * check_kill.c.
 */
#include <dirent.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "check_pack.h"
#include "tree/dir.h"

/* How many entries the current directory has whose name begins so. */
static unsigned count_names(const char *begin)
{
	DIR *d = opendir(".");
	const struct dirent *de;
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	while ((de = readdir(d)))
		n += str_starts(de->d_name, begin);
	closedir(d);
	return n;
}

static void end_child(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* Swaps root/dir with a link that leads out, until it is killed. */
static pid_t start_swapping(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	while (pid == 0) {
		renameat2(AT_FDCWD, "root/dir", AT_FDCWD, "root/trap",
			  RENAME_EXCHANGE);
		if (getppid() == 1)
			_exit(0);
	}
	return pid;
}

/*
 * Nothing from outside may get in. The trap leads to a directory that looks
 * like the one it is swapped with, but for its content.
 */
START_TEST(swap)
{
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	pid_t pid;

	box_open(&b);
	ck_assert_int_eq(mkdir("root/dir", 0755), 0);
	ck_assert_int_eq(mkdir("root/dir/sub", 0755), 0);
	ck_assert_int_eq(mkdir("out", 0755), 0);
	ck_assert_int_eq(mkdir("out/sub", 0755), 0);
	for (int i = 0; i < 50; i++) {
		make_file(arena_printf(b.mem, "root/dir/sub/%d", i), "in", 2);
		make_file(arena_printf(b.mem, "out/sub/%d", i), "SECRET", 6);
	}
	ck_assert_int_eq(symlink("../out", "root/trap"), 0);
	pid = start_swapping();
	for (int i = 0; i < 60; i++) {
		struct listing l CLEANUP(listing_done) = { 0 };

		pack_ok(&b, &o);
		list_open(&l, "out.tar.zst");
		while (list_next(&l)) {
			read_content(&l);
			ck_assert_ptr_null(strstr(buf_str(&l.content), "SEC"));
		}
	}
	end_child(pid);
}
END_TEST

/* Before each read the file becomes longer by more than is read. */
static ssize_t outgrow(struct tree_file *f, uint64_t offset, void *data,
		       size_t n, struct err *e)
{
	struct stat st;

	ck_assert_int_eq(stat("root/log", &st), 0);
	ck_assert_int_lt(st.st_size, 1 << 30); /* does it ever end? */
	ck_assert_int_eq(truncate("root/log", st.st_size + (off_t)(2 * n)), 0);
	return dir_file_read(f, offset, data, n, e);
}

/* A file that grows faster than it is read ends where it ended when opened. */
START_TEST(grow)
{
	static char data[3 << 20];
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	struct listing l CLEANUP(listing_done) = { 0 };

	box_open(&b);
	memset(data, 'x', sizeof(data));
	make_file("root/log", data, sizeof(data));
	b.ops.file_read = outgrow;
	pack_ok(&b, &o);
	ck_assert_uint_eq(b.got.changed.n, 1);
	ck_assert_uint_eq(b.got.bytes_in, sizeof(data));
	find_member(&l, "./log");
	ck_assert_uint_eq(l.content.n, sizeof(data));
}
END_TEST

enum { DEPTH = 10000 };

/* Far longer than any path that a system call takes. */
START_TEST(deep)
{
	struct pack_options o = { .one_fs = true };
	const struct pack_variant v = { .name = "deep" };
	struct pack_job job = { .dirfd = -1,
				.options = &o,
				.variants = &v,
				.n = 1,
				.files = "files.zst" };
	struct pack_check check = { .files = "files.zst" };
	struct pack_outcome got;
	struct pack_verified same;
	struct box b CLEANUP(box_done);
	int top CLEANUP(fd_closep) = -1;

	box_open(&b);
	top = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(chdir("root"), 0);
	for (int i = 0; i < DEPTH; i++) {
		ck_assert_int_eq(mkdir("d", 0755), 0);
		ck_assert_int_eq(chdir("d"), 0);
	}
	make_file("bottom", "x", 1);
	ck_assert_int_eq(fchdir(top), 0);
	job.dirfd = check.dirfd = top;
	ck_assert_msg(pack_run(b.t, &job, b.mem, &got, &b.e) == 0, "%s",
		      b.e.msg);
	ck_assert_uint_eq(got.v[0].dirs, DEPTH + 1);
	ck_assert_uint_eq(got.v[0].files, 1);
	check.tree = b.t;
	ck_assert_int_eq(pack_verify(&check, b.mem, &same, &b.e), 0);
	ck_assert_uint_eq(same.n, 0);
	check.archive = "deep";
	ck_assert_int_eq(pack_verify(&check, b.mem, &same, &b.e), 0);
	ck_assert_uint_eq(same.n, 0);
	ck_assert_uint_eq(same.members, DEPTH + 2);
	if (geteuid() == 0) { /* and as a tree */
		o.as_tree = true;
		ck_assert_int_eq(unlink("deep"), 0);
		ck_assert_msg(pack_run(b.t, &job, b.mem, &got, &b.e) == 0, "%s",
			      b.e.msg);
		ck_assert_uint_eq(count_names(".deep"), 0);
	}
}
END_TEST

START_TEST(as_user)
{
	const struct pack_options o = { .as_tree = true };
	struct box b CLEANUP(box_done);
	bool is_root = geteuid() == 0;
	int r;

	box_open(&b);
	if (is_root)
		ck_assert_int_eq(seteuid(65534), 0);
	r = pack(&b, "rootfs", &o);
	if (is_root)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(r, -1);
	ck_assert_int_eq(b.e.code, EPERM);
	ck_assert_ptr_nonnull(strstr(b.e.msg, "need root"));
	ck_assert_uint_eq(count_names(""), 3); /* . .. root */
}
END_TEST

static void make_noise(const char *path, size_t n)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	uint64_t x = 88172645463325252;

	while (b.n < n) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		buf_add(&b, &x, sizeof(x));
	}
	make_file(path, b.p, b.n);
}

/* The room ends at many places: each time an error, each time nothing left. */
START_TEST(no_room)
{
	static const char *const format[] = { "zstd", "gzip:1", "none" };
	struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	struct rlimit room = { 0, RLIM_INFINITY };
	struct pack_variant v[] = { { .name = "one" }, { .name = "two" } };
	const struct pack_job job = { .dirfd = AT_FDCWD,
				      .options = &o,
				      .variants = v,
				      .n = 2,
				      .files = "files" };
	struct pack_outcome got;
	unsigned errors = 0;

	box_open(&b);
	make_noise("root/noise", 6 << 20);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(format_parse(format[_i], &o.format, &b.e), 0);
	for (rlim_t at = 1; at < 7 << 20; at += 700001) {
		room.rlim_cur = at;
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &room), 0);
		if (pack_run(b.t, &job, b.mem, &got, &b.e) == 0)
			break;
		errors++;
		ck_assert_int_eq(b.e.code, EFBIG);
		ck_assert_uint_eq(count_names(""), 3);
	}
	ck_assert_uint_ge(errors, 8);
	room.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &room), 0);
	ck_assert_int_eq(pack_run(b.t, &job, b.mem, &got, &b.e), 0);
	ck_assert_uint_eq(count_names(""), 6);
}
END_TEST

/*
 * A million names, with FULL=1: otherwise the same code for a hundredth of the
 * time.
 */
START_TEST(many_entries)
{
	const struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	const char *full = getenv("FULL");
	unsigned n = full && *full == '1' ? 1000000 : 10000;
	char name[64];

	box_open(&b);
	ck_assert_int_eq(chdir("root"), 0);
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%u\n\377\033[31m", i);
		ck_assert_int_eq(symlink("/../../etc/shadow", name), 0);
	}
	ck_assert_int_eq(chdir(".."), 0);
	pack_ok(&b, &o);
	ck_assert_uint_eq(b.got.links, n);
	ck_assert_uint_eq(b.got.files, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("pack_hostile");
	TCase *c = tcase_create("pack_hostile");

	tcase_add_test(c, swap);
	tcase_add_test(c, grow);
	tcase_add_test(c, deep);
	tcase_add_test(c, as_user);
	tcase_add_loop_test(c, no_room, 0, 3);
	tcase_add_test(c, many_entries);
	tcase_set_timeout(c, 300);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	SRunner *r;
	int failed;

	setlocale(LC_CTYPE, "C.UTF-8");
	/* ext4 is slow at making files for seconds after many were removed */
	if (access("/dev/shm", R_OK | W_OK | X_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	r = srunner_create(suite());
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
