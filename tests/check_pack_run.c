/*
 * Unit tests of packing: compressions, variants with their edits, the list of
 * members and verifying by it.
 */
#include <errno.h>
#include <locale.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <stdint.h>

#include "check_pack.h"

static const char *const names[] = { "one.tar", "two.tar" };

/* Packs n variants without compression, and their list. */
static int run(struct box *b, const struct overlay *edits, size_t n,
	       struct pack_options *o, struct pack_outcome *ret)
{
	struct pack_variant variants[2] = {
		{ names[0], &edits[0], true },
		{ names[1], n > 1 ? &edits[1] : NULL, false },
	};
	const struct pack_job job = { .dirfd = AT_FDCWD,
				      .options = o,
				      .variants = variants,
				      .n = n,
				      .files = "files.zst" };

	return pack_run(b->t, &job, b->mem, ret, &b->e);
}

static void run_ok(struct box *b, const struct overlay *edits, size_t n,
		   struct pack_outcome *ret)
{
	struct pack_options o = { .format = { .kind = FORMAT_NONE } };
	int r = run(b, edits, n, &o, ret);

	ck_assert_msg(r == 0, "%s", r ? b->e.msg : "");
}

static void put(const char *path, const char *text, mode_t mode)
{
	const struct timespec t[2] = { { 1, 0 }, { 1000000000, 5 } };

	make_file(path, text, strlen(text));
	ck_assert_int_eq(chmod(path, mode), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, t, 0), 0);
}

/* A guest on which every kind of edit finds something. */
static void make_tree(void)
{
	umask(022);
	ck_assert_int_eq(mkdir("root/d", 0750), 0);
	put("root/d/a", "a", 0640);
	put("root/d/b", "b", 0644);
	put("root/d.c", "dot", 0600);
	ck_assert_int_eq(symlink("d/a", "root/link"), 0);
	ck_assert_int_eq(link("root/d/a", "root/z"), 0);
}

/* --- compression ---------------------------------------------------------- */

static const struct {
	const char *text;
	int r;
	enum format_kind kind;
	int level;
} format_texts[] = {
	{ "zstd", 0, FORMAT_ZSTD, 0 },
	{ "zstd:19", 0, FORMAT_ZSTD, 19 },
	{ "gzip:9", 0, FORMAT_GZIP, 9 },
	{ "xz:1", 0, FORMAT_XZ, 1 },
	{ "none", 0, FORMAT_NONE, 0 },
	{ "", -1, 0, 0 },
	{ "lz4", -1, 0, 0 },
	{ "zstd:", -1, 0, 0 },
	{ "zstd:20", -1, 0, 0 },
	{ "gzip:0", -1, 0, 0 },
	{ "gzip:+1", -1, 0, 0 },
	{ "none:1", -1, 0, 0 },
	{ "gzip:99999999999", -1, 0, 0 },
};

START_TEST(format_text)
{
	struct format f = { FORMAT_XZ, 77 };
	struct err e;

	ck_assert_int_eq(format_parse(format_texts[_i].text, &f, &e),
			 format_texts[_i].r);
	if (format_texts[_i].r) {
		ck_assert_int_eq(f.level, 77);
		return;
	}
	ck_assert_int_eq(f.kind, format_texts[_i].kind);
	ck_assert_int_eq(f.level, format_texts[_i].level);
}
END_TEST

enum {
	LARGE = 1500000, /* lines of 9 bytes: several jobs of zstd */
	RINGS = 500000,  /* several rings of blocks */
};

/* Text that compresses. */
static void make_large(const char *path, size_t lines)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	uint32_t x = 1;

	for (size_t i = 0; i < lines; i++) {
		x = x * 1664525 + 1013904223;
		buf_printf(&b, "%08x\n", x >> (x >> 29));
	}
	make_file(path, b.p, b.n);
}

static void slurp(struct box *b, const char *path, struct slice *ret)
{
	struct tree *here CLEANUP(tree_closep) = NULL;

	ck_assert_int_eq(tree_open_dir(".", &here, &b->e), 0);
	ck_assert_int_eq(tree_read(here, path, 1 << 28, b->mem, &ret->p,
				   &ret->n, &b->e),
			 0);
}

static const struct {
	const char *format;
	unsigned char magic[10];
	size_t n;
	size_t lines;
} formats[] = {
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, LARGE },
	{ "gzip",
	  { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0 },
	  8,
	  RINGS }, /* no name, no time */
	{ "xz:1", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, RINGS },
	{ "none", { '.', '/' }, 0, RINGS }, /* by what it lists */
};

/* All hold the same tar; the same file comes out of any number of jobs. */
START_TEST(compression)
{
	struct pack_options o = { .one_fs = true, .tar_digest = true };
	struct box b CLEANUP(box_done);
	struct slice file;
	char tar[DIGEST_HEX], sha256[DIGEST_HEX];

	box_open(&b);
	make_tree();
	make_large("root/large", formats[_i].lines);
	pack_ok(&b, &o);
	memcpy(tar, b.got.tar_sha256, sizeof(tar));
	ck_assert_int_eq(format_parse(formats[_i].format, &o.format, &b.e), 0);
	pack_ok(&b, &o);
	ck_assert_str_eq(b.got.tar_sha256, tar);
	memcpy(sha256, b.got.sha256, sizeof(sha256));
	slurp(&b, "out.tar.zst", &file);
	ck_assert_uint_eq(file.n, b.got.bytes_out);
	ck_assert_mem_eq(file.p, formats[_i].magic, formats[_i].n);
	expect("out.tar.zst", arena_printf(b.mem,
					   "040755 ./\n"
					   "040750 ./d/\n"
					   "100640 ./d/a 1 61 61\n"
					   "100644 ./d/b 1 62 62\n"
					   "100600 ./d.c 3 64 74\n"
					   "100644 ./large %zu 31 0a\n"
					   "120777 ./link -> d/a\n"
					   "000640 ./z = ./d/a\n",
					   formats[_i].lines * 9));
	o.jobs = 3;
	pack_ok(&b, &o);
	ck_assert_str_eq(b.got.sha256, sha256);
}
END_TEST

/* --- edits ---------------------------------------------------------------- */

#define FILE_EDIT(path_)                                                       \
	{                                                                      \
		.path = path_, .kind = OVERLAY_FILE, .data = "new!", .n = 4,   \
		.mode = 0604                                                   \
	}
#define EDIT(path_, kind_)                                                     \
	{                                                                      \
		.path = path_, .kind = kind_, .mode = 0711, .target = "to"     \
	}

static const struct {
	struct overlay_entry v[3];
	size_t n;
	const char *d; /* the members, less ./ */
} edit_cases[] = {
	/* replaced files keep their mode; a link to one becomes the file */
	{ { FILE_EDIT("/d/a") },
	  1,
	  "040750 ./d/\n100640 ./d/a 4 6e 21\n100644 ./d/b 1 62 62\n"
	  "100600 ./d.c 3 64 74\n120777 ./link -> d/a\n100640 ./z 1 61 61\n" },
	/* a link or directory that is replaced does not */
	{ { FILE_EDIT("/link"), FILE_EDIT("/d") },
	  2,
	  "100604 ./d 4 6e 21\n100600 ./d.c 3 64 74\n"
	  "100604 ./link 4 6e 21\n100640 ./z 1 61 61\n" },
	/* what is new goes to its sorted place, with what lacks above */
	{ { FILE_EDIT("/d/aa"), FILE_EDIT("/d/new/deep/f"), FILE_EDIT("/zz") },
	  3,
	  "040750 ./d/\n100640 ./d/a 1 61 61\n100604 ./d/aa 4 6e 21\n"
	  "100644 ./d/b 1 62 62\n040755 ./d/new/\n040755 ./d/new/deep/\n"
	  "100604 ./d/new/deep/f 4 6e 21\n100600 ./d.c 3 64 74\n"
	  "120777 ./link -> d/a\n000640 ./z = ./d/a\n100604 ./zz 4 6e 21\n" },
	{ { EDIT("/d/b", OVERLAY_LINK), EDIT("/d/x", OVERLAY_LINK) },
	  2,
	  "040750 ./d/\n100640 ./d/a 1 61 61\n120777 ./d/b -> to\n"
	  "120777 ./d/x -> to\n100600 ./d.c 3 64 74\n120777 ./link -> d/a\n"
	  "000640 ./z = ./d/a\n" },
	{ { EDIT("/d", OVERLAY_DIR), EDIT("/e", OVERLAY_DIR),
	    EDIT("/link", OVERLAY_DIR) },
	  3,
	  "040750 ./d/\n100640 ./d/a 1 61 61\n100644 ./d/b 1 62 62\n"
	  "100600 ./d.c 3 64 74\n040711 ./e/\n040711 ./link/\n"
	  "000640 ./z = ./d/a\n" },
	/* the first name hidden: the second is the file */
	{ { EDIT("/d", OVERLAY_HIDE), EDIT("/no", OVERLAY_HIDE) },
	  2,
	  "100600 ./d.c 3 64 74\n120777 ./link -> d/a\n100640 ./z 1 61 61\n" },
	{ { EDIT("/d", OVERLAY_EMPTY), EDIT("/link", OVERLAY_HIDE),
	    EDIT("/no", OVERLAY_EMPTY) },
	  3,
	  "040750 ./d/\n100600 ./d.c 3 64 74\n100640 ./z 1 61 61\n" },
	/* emptied or hidden, and filled anew */
	{ { EDIT("/d", OVERLAY_EMPTY), FILE_EDIT("/d/b"), FILE_EDIT("/d/c") },
	  3,
	  "040750 ./d/\n100604 ./d/b 4 6e 21\n100604 ./d/c 4 6e 21\n"
	  "100600 ./d.c 3 64 74\n120777 ./link -> d/a\n100640 ./z 1 61 61\n" },
	{ { EDIT("/link", OVERLAY_HIDE), FILE_EDIT("/link/f") },
	  2,
	  "040750 ./d/\n100640 ./d/a 1 61 61\n100644 ./d/b 1 62 62\n"
	  "100600 ./d.c 3 64 74\n040755 ./link/\n100604 ./link/f 4 6e 21\n"
	  "000640 ./z = ./d/a\n" },
};

START_TEST(edit)
{
	const struct overlay o = { edit_cases[_i].v, edit_cases[_i].n };
	struct box b CLEANUP(box_done);
	struct pack_outcome got;

	box_open(&b);
	make_tree();
	run_ok(&b, &o, 1, &got);
	expect("one.tar",
	       arena_printf(b.mem, "040755 ./\n%s", edit_cases[_i].d));
}
END_TEST

static const struct {
	struct overlay_entry v[2];
	const char *msg;
} bad_edits[] = {
	{ { FILE_EDIT("/d/a"), EDIT("d/a", OVERLAY_HIDE) },
	  "two edits of /d/a" },
	{ { FILE_EDIT("/n"), FILE_EDIT("/n/f") },
	  "edits of /n and beneath it" },
	{ { FILE_EDIT("/"), FILE_EDIT("/n") }, "an edit of the root itself" },
	{ { FILE_EDIT("/link/f"), FILE_EDIT("/n") },
	  "edits beneath /link, which is no directory" },
	{ { FILE_EDIT("/d.c/f"), EDIT("/d.c", OVERLAY_EMPTY) },
	  "edits beneath /d.c, which is no directory" },
};

START_TEST(bad_edit)
{
	const struct overlay o = { bad_edits[_i].v, 2 };
	struct pack_options none = { .format = { .kind = FORMAT_NONE } };
	struct box b CLEANUP(box_done);
	struct pack_outcome got = { .n = 77 };

	box_open(&b);
	make_tree();
	ck_assert_int_eq(run(&b, &o, 1, &none, &got), -1);
	ck_assert_msg(str_ends(b.e.msg, bad_edits[_i].msg), "%s", b.e.msg);
	ck_assert_uint_eq(got.n, 77);
	ck_assert_int_eq(access("one.tar", F_OK), -1);
}
END_TEST

/* What is replaced keeps time and xattrs; what is new has its directory's. */
START_TEST(edit_metadata)
{
	static const struct overlay_entry v[] = { FILE_EDIT("/d/a"),
						  FILE_EDIT("/d/n") };
	const struct overlay o = { v, 2 };
	struct box b CLEANUP(box_done);
	struct listing l CLEANUP(listing_done) = { 0 };
	struct pack_outcome got;
	bool has_xattrs;

	box_open(&b);
	make_tree();
	has_xattrs = setxattr("root/d/a", "user.x", "1", 1, 0) == 0;
	set_time("root/d");
	run_ok(&b, &o, 1, &got);
	ck_assert_uint_eq(got.v[0].edits, 2);
	list_open(&l, "one.tar");
	while (list_next(&l)) {
		if (str_eq(archive_entry_pathname(l.ae), "./d/a")) {
			ck_assert_int_eq(archive_entry_mtime(l.ae), 1000000000);
			ck_assert_int_eq(archive_entry_mtime_nsec(l.ae), 5);
			ck_assert_int_eq(archive_entry_xattr_count(l.ae),
					 has_xattrs);
		}
		if (str_eq(archive_entry_pathname(l.ae), "./d/n"))
			ck_assert_int_eq(archive_entry_mtime_nsec(l.ae),
					 123456789);
	}
}
END_TEST

/* --- variants ------------------------------------------------------------- */

START_TEST(variants)
{
	static const struct overlay_entry one[] = { EDIT("/d", OVERLAY_HIDE),
						    FILE_EDIT("/new") };
	static const struct overlay_entry two[] = { FILE_EDIT("/d/a"),
						    FILE_EDIT("/new") };
	const struct overlay edits[] = { { one, 2 }, { two, 2 } };
	struct box b CLEANUP(box_done);
	struct pack_outcome got;
	char alone[DIGEST_HEX];

	box_open(&b);
	make_tree();
	run_ok(&b, &edits[1], 1, &got);
	memcpy(alone, got.v[0].tar_sha256, sizeof(alone));
	run_ok(&b, edits, 2, &got);
	ck_assert_uint_eq(got.n, 2);
	expect("one.tar", "040755 ./\n100600 ./d.c 3 64 74\n"
			  "120777 ./link -> d/a\n100604 ./new 4 6e 21\n"
			  "100640 ./z 1 61 61\n");
	expect("two.tar", "040755 ./\n040750 ./d/\n100640 ./d/a 4 6e 21\n"
			  "100644 ./d/b 1 62 62\n100600 ./d.c 3 64 74\n"
			  "120777 ./link -> d/a\n100604 ./new 4 6e 21\n"
			  "100640 ./z 1 61 61\n");
	ck_assert_str_eq(got.v[1].tar_sha256, alone);
	ck_assert_uint_eq(got.v[0].files, 3);
	ck_assert_uint_eq(got.v[1].files, 5);
	ck_assert_uint_eq(got.v[1].edits, 2);
}
END_TEST

/* The body of files.zst, without what no test can know. */
static void read_list(struct buf *ret)
{
	struct listing l CLEANUP(listing_done) = { .a = archive_read_new() };
	struct slice rest, line, field;

	archive_read_support_format_raw(l.a);
	archive_read_support_filter_zstd(l.a);
	ck_assert_int_eq(archive_read_open_filename(l.a, "files.zst", 16384),
			 0);
	ck_assert(list_next(&l));
	read_content(&l);
	rest = (struct slice){ l.content.p, l.content.n };
	while (slice_next(&rest, '\n', &line)) {
		if (*line.p == '#')
			continue;
		for (int i = 0; slice_next(&line, '\t', &field); i++)
			if (i != 3 && i != 5 && i != 6) /* owner, times */
				buf_printf(ret, "%s%.*s", i ? " " : "",
					   (int)(field.n > 16 ? 16 : field.n),
					   field.p);
		buf_addc(ret, '\n');
	}
}

START_TEST(list)
{
	static const struct overlay_entry one[] = { EDIT("/d", OVERLAY_HIDE),
						    FILE_EDIT("/new") };
	static const struct overlay_entry two[] = { FILE_EDIT("/d/a"),
						    FILE_EDIT("/new") };
	const struct overlay edits[] = { { one, 2 }, { two, 2 } };
	struct box b CLEANUP(box_done);
	struct buf text CLEANUP(buf_done) = { 0 };
	struct pack_outcome got;

	box_open(&b);
	make_tree();
	put("root/odd\t\\\n", "", 0600);
	run_ok(&b, edits, 2, &got);
	read_list(&text);
	ck_assert_str_eq(
		buf_str(&text),
		"/ d 0755 0 3 - - - *\n"
		"/d d 0750 0 2 - - - 1\n"
		"/d/a f 0640 4 1 - bdd1e524e5c90bee replaced 1\n"
		"/d/b f 0644 1 1 - 3e23e8160039594a - 1\n"
		"/d.c f 0600 3 1 - e392dad8b08599f7 - *\n"
		"/link l 0777 0 1 - d/a - *\n"
		"/new f 0604 4 1 - bdd1e524e5c90bee added *\n"
		"/odd\\011\\134\\012 f 0600 0 1 - e3b0c44298fc1c14 - *\n"
		"/z f 0640 1 2 - ca978112ca1bbdca - *\n");
	ck_assert_uint_eq(got.files_lines, 9);
	ck_assert_uint_eq(strlen(got.files_sha256), 64);
}
END_TEST

/* In a child, so that it is the child's peak: of the variants, or of one. */
static void pack_bounded(struct box *b, size_t n)
{
	struct pack_options o = { .jobs = 2 };
	const struct overlay edits[] = { { NULL, 0 }, { NULL, 0 } };
	struct pack_outcome got;
	struct rusage used;
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int r = run(b, edits, n, &o, &got);

		getrusage(RUSAGE_SELF, &used);
		_exit(r || used.ru_maxrss > 160 << 10);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

/*
 * 160 MiB, one variant or two, of files and holes larger than that. The
 * sanitizers' own memory would be counted as well.
 */
START_TEST(memory)
{
	struct box b CLEANUP(box_done);
	struct buf noise CLEANUP(buf_done) = { 0 };
	uint64_t x = 88172645463325252;
	int fd CLEANUP(fd_closep) = -1;

	box_open(&b);
	if (getenv("UBSAN_OPTIONS"))
		return;
	fd = open("root/large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	for (int i = 0; i < 200; i++) {
		buf_clear(&noise);
		while (noise.n < 1 << 20) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			for (unsigned k = 0; k < 64; k += 4)
				buf_addc(&noise,
					 "0123456789abcdef"[x >> k & 15]);
		}
		ck_assert_int_eq(
			fd_write_all(fd, noise.p, noise.n, "large", &b.e), 0);
	}
	buf_done(&noise);
	ck_assert_int_eq(truncate("root/large", 500 << 20), 0);
	pack_bounded(&b, 1);
	pack_bounded(&b, 2);
}
END_TEST

/* --- verify --------------------------------------------------------------- */

static void verify(struct box *b, const struct pack_check *c, const char *want)
{
	struct buf text CLEANUP(buf_done) = { 0 };
	struct pack_verified got = { 0 };
	int r = pack_verify(c, b->mem, &got, &b->e);

	ck_assert_msg(r == 0, "%s", r ? b->e.msg : "");
	for (size_t i = 0; i < got.n_first; i++)
		buf_printf(&text, "%s: %s\n", got.first[i].path,
			   got.first[i].what);
	ck_assert_str_eq(buf_str(&text), want);
	ck_assert_uint_eq(got.n, got.n_first);
}

static void make_odd_tree(void)
{
	int fd CLEANUP(fd_closep) = -1;

	make_tree();
	put("root/odd\t\\\n\377", "x", 0600);
	put("root/e\314\201", "decomposed", 0600);
	put("root/\303\251", "composed", 0600);
	ck_assert_int_eq(mkfifo("root/fifo", 0600), 0);
	fd = open("root/huge", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_eq(pwrite(fd, "s", 1, 1 << 30), 1);
	ck_assert_int_eq(ftruncate(fd, (off_t)1 << 40), 0);
}

START_TEST(verify_same)
{
	static const struct overlay_entry v[] = { EDIT("/d/b", OVERLAY_HIDE) };
	const struct overlay edits[] = { { v, 1 }, { NULL, 0 } };
	struct pack_check c = { .dirfd = AT_FDCWD, .files = "files.zst" };
	struct box b CLEANUP(box_done);
	struct pack_outcome got;

	box_open(&b);
	make_odd_tree();
	(void)setxattr("root/d.c", "user.a=b%c", "1", 1, 0);
	(void)setxattr("root/d.c", "user.aaa", "2", 1, 0);
	run_ok(&b, edits, 2, &got);
	c.archive = c.variant = "one.tar";
	verify(&b, &c, "");
	c.archive = c.variant = "two.tar";
	verify(&b, &c, "");
	c.archive = "one.tar";
	verify(&b, &c, "/d/b: missing\n");
	c.archive = "two.tar";
	c.variant = "one.tar";
	verify(&b, &c, "/d/b: not in the list\n");
	c.archive = NULL;
	c.variant = "two.tar";
	c.tree = b.t;
	verify(&b, &c, "");
}
END_TEST

static void change_content(void)
{
	put("root/d.c", "dog", 0600);
}

static void change_hole(void)
{
	int fd CLEANUP(fd_closep) = open("root/huge", O_WRONLY | O_CLOEXEC);
	struct stat st;
	struct timespec t[2];

	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(pwrite(fd, "s", 1, (off_t)1 << 39), 1);
	t[0] = t[1] = st.st_mtim;
	ck_assert_int_eq(futimens(fd, t), 0);
}

static void change_mode(void)
{
	ck_assert_int_eq(chmod("root/d.c", 02600), 0);
}

static void change_time(void)
{
	set_time("root/d.c");
}

static void change_size(void)
{
	put("root/d.c", "do", 0600);
}

static void change_link(void)
{
	struct stat st;
	struct timespec t[2];

	ck_assert_int_eq(lstat("root/link", &st), 0);
	ck_assert_int_eq(unlink("root/link"), 0);
	ck_assert_int_eq(symlink("d/b", "root/link"), 0);
	t[0] = t[1] = st.st_mtim;
	ck_assert_int_eq(
		utimensat(AT_FDCWD, "root/link", t, AT_SYMLINK_NOFOLLOW), 0);
	set_time("root"); /* as before */
}

/* The second name of d/a becomes a file of its own. */
static void change_names(void)
{
	ck_assert_int_eq(unlink("root/z"), 0);
	put("root/z", "a", 0640);
	set_time("root");
}

static void change_entries(void)
{
	ck_assert_int_eq(unlink("root/d.c"), 0);
	put("root/c", "", 0600);
	set_time("root");
}

static const struct {
	void (*change)(void);
	const char *said;
} changes[] = {
	{ change_content, "/d.c: content cd6357efdd966de8c0cb2f876cc89ec7" },
	{ change_hole, "/huge: content z" },
	{ change_mode, "/d.c: mode 2600, not 0600\n" },
	{ change_time,
	  "/d.c: mtime 1234567890.123456789, not 1000000000.000000005\n" },
	{ change_size, "/d.c: size 2, not 3\n/d.c: content " },
	{ change_link, "/link: content d/b, not d/a\n" },
	{ change_names, "/z: type f, not h\n/z: size 1, not 0\n/z: content " },
	{ change_entries, "/c: not in the list\n/d.c: missing\n" },
};

START_TEST(verify_change)
{
	const struct overlay none = { NULL, 0 };
	struct pack_check c = { .dirfd = AT_FDCWD, .files = "files.zst" };
	struct pack_verified got = { 0 };
	struct buf text CLEANUP(buf_done) = { 0 };
	struct box b CLEANUP(box_done);
	struct pack_outcome outcome;

	box_open(&b);
	make_odd_tree();
	set_time("root");
	run_ok(&b, &none, 1, &outcome);
	c.tree = b.t;
	changes[_i].change();
	ck_assert_int_eq(pack_verify(&c, b.mem, &got, &b.e), 0);
	for (size_t i = 0; i < got.n_first; i++)
		buf_printf(&text, "%s: %s\n", got.first[i].path,
			   got.first[i].what);
	ck_assert_msg(str_starts(buf_str(&text), changes[_i].said), "%s",
		      buf_str(&text));
}
END_TEST

/* What is cut off, or something else, is an error and no difference. */
START_TEST(verify_damage)
{
	const struct overlay none = { NULL, 0 };
	struct pack_options o = { .one_fs = true };
	struct pack_check c = { .dirfd = AT_FDCWD,
				.files = "files.zst",
				.archive = "one.tar" };
	struct pack_verified got = { .n = 77 };
	struct box b CLEANUP(box_done);
	struct pack_outcome outcome;
	struct stat st;

	box_open(&b);
	make_tree();
	make_large("root/large", LARGE);
	ck_assert_int_eq(run(&b, &none, 1, &o, &outcome), 0);
	c.variant = "no.tar";
	ck_assert_int_eq(pack_verify(&c, b.mem, &got, &b.e), -1);
	c.variant = NULL;
	verify(&b, &c, "");
	ck_assert_int_eq(stat("one.tar", &st), 0);
	ck_assert_int_eq(truncate("one.tar", st.st_size / 2), 0);
	ck_assert_int_eq(pack_verify(&c, b.mem, &got, &b.e), -1);
	c.archive = "files.zst";
	ck_assert_int_eq(pack_verify(&c, b.mem, &got, &b.e), -1);
	c.files = "root/large";
	ck_assert_int_eq(pack_verify(&c, b.mem, &got, &b.e), -1);
	ck_assert_uint_eq(got.n, 77);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("pack_run");
	TCase *c = tcase_create("pack_run");

	tcase_add_loop_test(c, format_text, 0, COUNT(format_texts));
	tcase_add_loop_test(c, compression, 0, COUNT(formats));
	tcase_add_loop_test(c, edit, 0, COUNT(edit_cases));
	tcase_add_loop_test(c, bad_edit, 0, COUNT(bad_edits));
	tcase_add_test(c, edit_metadata);
	tcase_add_test(c, variants);
	tcase_add_test(c, memory);
	tcase_add_test(c, list);
	tcase_add_test(c, verify_same);
	tcase_add_loop_test(c, verify_change, 0, COUNT(changes));
	tcase_add_test(c, verify_damage);
	tcase_set_timeout(c, 120);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	SRunner *r;
	int failed;

	/* libarchive reads names by the locale; what is written has none */
	setlocale(LC_CTYPE, "C.UTF-8");
	r = srunner_create(suite());
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
