/*
 * Unit tests of packing: compressions, variants with their edits, the list of
 * members and verifying by it, shifting of ids.
 */
#include <endian.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <locale.h>
#include <sys/xattr.h>

#include "check_pack.h"
#include "pack/charset.h"
#include "pack/content.h"
#include "pack/edits.h"
#include "pack/extents.h"
#include "pack/order.h"
#include "pack/shift.h"

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

/* Text that compresses, of several rings of blocks. */
static void make_large(const char *path)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	uint32_t x = 1;

	for (size_t i = 0; i < 1500000; i++) {
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
} formats[] = {
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4 },
	{ "gzip", { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0 }, 8 }, /* no name, no time */
	{ "xz:1", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6 },
	{ "none", { '.', '/' }, 0 }, /* by what it lists */
};

/* All hold the same tar; the same file comes out of any number of jobs. */
START_TEST(compression)
{
	struct pack_options o = { .one_fs = true };
	struct box b CLEANUP(box_done);
	struct slice file;
	char tar[DIGEST_HEX], sha256[DIGEST_HEX];

	box_open(&b);
	make_tree();
	make_large("root/large");
	pack_ok(&b, &o);
	memcpy(tar, b.got.tar_sha256, sizeof(tar));
	ck_assert_int_eq(format_parse(formats[_i].format, &o.format, &b.e), 0);
	pack_ok(&b, &o);
	ck_assert_str_eq(b.got.tar_sha256, tar);
	memcpy(sha256, b.got.sha256, sizeof(sha256));
	slurp(&b, "out.tar.zst", &file);
	ck_assert_uint_eq(file.n, b.got.bytes_out);
	ck_assert_mem_eq(file.p, formats[_i].magic, formats[_i].n);
	expect("out.tar.zst", "040755 ./\n"
			      "040750 ./d/\n"
			      "100640 ./d/a 1 61 61\n"
			      "100644 ./d/b 1 62 62\n"
			      "100600 ./d.c 3 64 74\n"
			      "100644 ./large 13500000 31 0a\n"
			      "120777 ./link -> d/a\n"
			      "000640 ./z = ./d/a\n");
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
	make_large("root/large");
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

/* --- shift ---------------------------------------------------------------- */

static const struct shift_range ranges[] = { { 0, 100000, 1000 },
					     { 2000, 500, 1 } };

static const struct {
	uint32_t uid, ret;
	bool back;
	int r;
} owners[] = {
	{ 0, 100000, false, 0 }, { 999, 100999, false, 0 },
	{ 2000, 500, false, 0 }, { 1000, 1000, false, -1 },
	{ 100000, 0, true, 0 },  { 500, 2000, true, 0 },
	{ 501, 501, true, -1 },  { UINT32_MAX, UINT32_MAX, false, -1 },
};

START_TEST(shift_owners)
{
	const struct shift s = { ranges, ranges, 2, 2, owners[_i].back };
	struct tree_stat st = { .uid = owners[_i].uid, .gid = owners[_i].uid };
	struct err e;

	ck_assert_int_eq(shift_owner(&s, &st, &e), owners[_i].r);
	ck_assert_uint_eq(st.uid, owners[_i].ret);
	ck_assert_uint_eq(st.gid, owners[_i].ret);
}
END_TEST

static const struct {
	uint32_t magic, root; /* of what there is; its size by the version */
	bool back;
	uint32_t ret_magic, ret_root;
	int r;
} caps[] = {
	{ VFS_CAP_REVISION_2 | 1, 0, false, VFS_CAP_REVISION_3 | 1, 100000, 0 },
	{ VFS_CAP_REVISION_3, 10, false, VFS_CAP_REVISION_3, 100010, 0 },
	{ VFS_CAP_REVISION_3 | 1, 100000, true, VFS_CAP_REVISION_2 | 1, 0, 0 },
	{ VFS_CAP_REVISION_3, 100010, true, VFS_CAP_REVISION_3, 10, 0 },
	{ VFS_CAP_REVISION_3, 5000, false, 0, 0, -1 },
	{ VFS_CAP_REVISION_2, 0, true, 0, 0, -1 },
};

static size_t caps_size(uint32_t magic)
{
	return (magic & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_3 ?
		       XATTR_CAPS_SZ_3 :
		       XATTR_CAPS_SZ_2;
}

START_TEST(shift_caps)
{
	const struct shift s = { ranges, ranges, 2, 2, caps[_i].back };
	struct vfs_ns_cap_data in = { htole32(caps[_i].magic),
				      { { htole32(0x2000), 0 } },
				      htole32(caps[_i].root) },
			       out = { 0 };
	struct tree_xattr one = { "security.capability", &in,
				  caps_size(caps[_i].magic) };
	struct tree_xattrs x = { &one, 1 };
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct err e;

	ck_assert_int_eq(shift_xattrs(&s, &x, mem, &e), caps[_i].r);
	if (caps[_i].r)
		return;
	ck_assert_uint_eq(one.size, caps_size(caps[_i].ret_magic));
	memcpy(&out, one.value, one.size);
	ck_assert_uint_eq(le32toh(out.magic_etc), caps[_i].ret_magic);
	ck_assert_uint_eq(le32toh(out.rootid), caps[_i].ret_root);
	ck_assert_uint_eq(le32toh(out.data[0].permitted), 0x2000);
}
END_TEST

START_TEST(shift_acl)
{
	const struct shift s = { ranges, ranges, 2, 2, false };
	struct {
		struct posix_acl_xattr_header head;
		struct posix_acl_xattr_entry v[3];
	} acl = {
		{ htole32(POSIX_ACL_XATTR_VERSION) },
		{ { htole16(ACL_USER_OBJ), htole16(7), UINT32_MAX },
		  { htole16(ACL_USER), htole16(6), htole32(5) },
		  { htole16(ACL_GROUP), htole16(4), htole32(2000) } },
	};
	struct tree_xattr one = { "system.posix_acl_default", &acl,
				  sizeof(acl) };
	struct tree_xattrs x = { &one, 1 };
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct err e;

	ck_assert_int_eq(shift_xattrs(&s, &x, mem, &e), 0);
	memcpy(&acl, one.value, sizeof(acl));
	ck_assert_uint_eq(acl.v[0].e_id, UINT32_MAX);
	ck_assert_uint_eq(le32toh(acl.v[1].e_id), 100005);
	ck_assert_uint_eq(le32toh(acl.v[2].e_id), 500);
	ck_assert_int_eq(shift_xattrs(&s, &x, mem, &e), -1); /* not twice */
	one.size--;
	ck_assert_int_eq(shift_xattrs(&s, &x, mem, &e), -1);
}
END_TEST

/* An id that the ranges lack stops the packing and names the file. */
START_TEST(shift_refused)
{
	const struct shift s = { ranges, ranges, 0, 0, false };
	const struct pack_options o = { .shift = &s };
	struct box b CLEANUP(box_done);

	box_open(&b);
	ck_assert_int_eq(pack(&b, "out", &o), -1);
	ck_assert_ptr_nonnull(strstr(b.e.msg, "is in none of the ranges"));
	ck_assert_ptr_nonnull(strstr(b.e.msg, "shift ids of /"));
	ck_assert_int_eq(access("out", F_OK), -1);
}
END_TEST

/* --- parts ---------------------------------------------------------------- */

/* In the order of a walk. */
static const char *const ordered[] = { "",    "a",      "a/b", "a/b/c",
				       "a/c", "a\001b", "a b", "a.b",
				       "aa",  "b",      "\377" };

START_TEST(order)
{
	for (size_t i = 0; i < COUNT(ordered); i++)
		for (size_t j = 0; j < COUNT(ordered); j++) {
			int r = order_paths(ordered[i], ordered[j]);

			ck_assert_int_eq((r > 0) - (r < 0), (i > j) - (i < j));
		}
	ck_assert(order_beneath("a/b", "a") && order_beneath("a", ""));
	ck_assert(!order_beneath("a", "a") && !order_beneath("ab", "a"));
	ck_assert(!order_beneath("", ""));
}
END_TEST

static const struct {
	const char *name;
	bool safe;
} charsets[] = {
	{ "plain", true },
	{ "\303\251", true },
	{ "e\314\201", false }, /* the same, decomposed */
	{ "\346\227\245", true },
	{ "\360\237\230\200", true },
	{ "\343\202\253\343\202\231", false },
	{ "\341\204\200\341\205\241", false },
	{ "\377", false },
};

START_TEST(charset)
{
	ck_assert_int_eq(charset_is_safe(charsets[_i].name), charsets[_i].safe);
}
END_TEST

/* However the pieces are cut, and wherever the holes are. */
START_TEST(content)
{
	static const char data[10000] = { [5000] = 1, [9999] = 2 };
	char first[CONTENT_TEXT], second[CONTENT_TEXT];

	for (int large = 0; large < 2; large++) {
		struct content *c = content_new(20000, large);

		content_add(c, 0, data, sizeof(data));
		content_end(c, first);
		content_freep(&c);
		c = content_new(20000, large);
		content_add(c, 4999, data + 4999, 2);
		content_add(c, 9999, data + 9999, 1);
		content_end(c, second);
		content_freep(&c);
		ck_assert_str_eq(first, second);
		ck_assert_uint_eq(strlen(first), large ? 65 : 64);
	}
}
END_TEST

START_TEST(extents)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const size_t n = 2 * EXTENTS_MAX;
	struct tree_extent *v = arena_alloc(mem, n * sizeof(*v));
	uint64_t end;
	size_t left;

	for (size_t i = 0; i < n; i++)
		v[i] = (struct tree_extent){ i * 10000, 7000 - i % 2 * 6000 };
	left = extents_fit(v, n, n * 10000 - 9500);
	ck_assert_uint_le(left, EXTENTS_MAX);
	ck_assert_uint_gt(left, 1);
	ck_assert_uint_eq(v[0].offset, 0);
	end = v[left - 1].offset + v[left - 1].length;
	ck_assert_uint_eq(end, n * 10000 - 9500);
	ck_assert_uint_eq(extents_fit(v, left, 500), 1);
	ck_assert_uint_eq(v[0].length, 500);
	ck_assert_uint_eq(extents_fit(v, 1, 0), 0);
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
	tcase_add_test(c, list);
	tcase_add_test(c, verify_same);
	tcase_add_loop_test(c, verify_change, 0, COUNT(changes));
	tcase_add_test(c, verify_damage);
	tcase_add_loop_test(c, shift_owners, 0, COUNT(owners));
	tcase_add_loop_test(c, shift_caps, 0, COUNT(caps));
	tcase_add_test(c, shift_acl);
	tcase_add_test(c, shift_refused);
	tcase_add_test(c, order);
	tcase_add_loop_test(c, charset, 0, COUNT(charsets));
	tcase_add_test(c, content);
	tcase_add_test(c, extents);
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
