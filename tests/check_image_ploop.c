/*
 * Unit tests of ploop: images and chains that a writer of our own makes are
 * read back; qemu-img is a second writer. What lies is refused by name.
 */
#include <errno.h>

#include "check_image_guest.h"
#include "check_image_text.h"
#include "image/ploop.h"

enum { DISK = 40 << 20 };

static void put32(char *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

/*
 * "name" holds the clusters of disk that differ from those of below (NULL:
 * zeros), the last of them first in the file.
 */
static void write_ploop(struct box *b, const char *name, unsigned version,
			uint32_t sectors, const char *disk, const char *below)
{
	const size_t cs = sectors * 512, n = (DISK + cs - 1) / cs;
	const size_t head = (64 + 4 * n + cs - 1) / cs;
	char *out = arena_alloc(b->mem, (head + n) * cs);
	char *zeros = arena_alloc(b->mem, DISK);
	uint32_t at = (uint32_t)head;

	memcpy(out, version == 1 ? "WithoutFreeSpace" : "WithouFreSpacExt", 16);
	put32(out + 16, 2);
	put32(out + 28, sectors);
	put32(out + 32, (uint32_t)n);
	put32(out + 36, DISK / 512);
	put32(out + 48, (uint32_t)(head * sectors));
	below = below ? below : zeros;
	for (size_t i = n; i-- > 0;) {
		size_t len = DISK - i * cs < cs ? DISK - i * cs : cs;

		if (memcmp(disk + i * cs, below + i * cs, len) == 0)
			continue;
		put32(out + 64 + 4 * i, version == 1 ? at * sectors : at);
		memcpy(out + at++ * cs, disk + i * cs, len);
	}
	make_file(name, out, at * cs);
}

#define GUID(n) "{00000000-0000-0000-0000-00000000000" #n "}"
#define NONE "{00000000-0000-0000-0000-000000000000}"
#define IMAGE(n, type, file)                                                   \
	"<Image><GUID>" GUID(n) "</GUID><Type>" type "</Type><File>" file      \
				"</File></Image>"
#define SHOT(n, parent)                                                        \
	"<Shot><GUID>" GUID(n) "</GUID><ParentGUID>" parent                    \
			       "</ParentGUID></Shot>"
#define XML(images, top, shots)                                                \
	"<?xml version=\"1.0\"?><Parallels_disk_image Version=\"1.0\">"        \
	"<Disk_Parameters><Disk_size>81920</Disk_size></Disk_Parameters>"      \
	"<StorageData><Storage><Blocksize>2048</Blocksize>" images             \
	"</Storage></StorageData><Snapshots>" top shots                        \
	"</Snapshots></Parallels_disk_image>"
#define TOP(n) "<TopGUID>" GUID(n) "</TopGUID>"

/* The disk at three times, as files 1.raw to 3.raw and in memory. */
static void make_disks(struct box *b, char *disk[3])
{
	size_t n;

	make_guest(false);
	sh("mke2fs -q -F -t ext4 -d root 1.raw 40M; cp 1.raw 2.raw; "
	   "echo second >file; "
	   "debugfs -w -R 'write file second' 2.raw 2>&1; cp 2.raw 3.raw; "
	   "debugfs -w -R 'rm /small' 3.raw 2>&1");
	disk[0] = file_bytes(b, "1.raw", &n);
	disk[1] = file_bytes(b, "2.raw", &n);
	disk[2] = file_bytes(b, "3.raw", &n);
	ck_assert_uint_eq(n, DISK);
}

static char *text_at(struct box *b, const char *path, const char *snapshot)
{
	const struct tree_image_options o = { .snapshot = snapshot,
					      .mem = b->mem,
					      .notes = &b->notes };

	open_image(b, path, &o);
	return text_of(b, b->t);
}

static const struct {
	unsigned version;
	uint32_t sectors;
} forms[] = { { 1, 64 }, { 2, 64 }, { 1, 2048 }, { 2, 2048 }, { 2, 8192 } };

START_TEST(single)
{
	struct box b CLEANUP(box_done);
	const char *want;
	char *disk[3];

	box_open(&b);
	make_disks(&b, disk);
	want = text_at(&b, "1.raw", NULL);
	write_ploop(&b, "hds", forms[_i].version, forms[_i].sectors, disk[0],
		    NULL);
	same_text(&b, want, text_at(&b, "hds", NULL), "single");
	refuses(&b, "hds", &(struct tree_image_options){ .snapshot = "x" },
		EINVAL, "no snapshots");
}
END_TEST

/* The last bytes of a disk may share a cluster with nothing. */
START_TEST(qemu)
{
	struct box b CLEANUP(box_done);
	const char *want;
	char *disk[3];

	box_open(&b);
	if (!has_tool("qemu-img"))
		return;
	make_disks(&b, disk);
	want = text_at(&b, "3.raw", NULL);
	sh("qemu-img convert -f raw -O parallels 3.raw hds");
	same_text(&b, want, text_at(&b, "hds", NULL), "written by qemu-img");
	write_ploop(&b, "own", 1, 2048, disk[2], NULL);
	sh("qemu-img convert -f parallels -O raw own raw; cmp raw 3.raw");
}
END_TEST

static void write_text(const char *path, const char *text)
{
	make_file(path, text, strlen(text));
}

/* Base raw or expanded, two deltas; each state is what it was. */
START_TEST(chain)
{
	static const char *const xml[] = {
		XML(IMAGE(1, "Plain", "1.raw") IMAGE(2, "Compressed", "d2")
			    IMAGE(3, "Compressed", "d3"),
		    TOP(3), SHOT(3, GUID(2)) SHOT(1, NONE) SHOT(2, GUID(1))),
		XML(IMAGE(3, "Compressed", "d3") IMAGE(1, "Compressed", "d1")
			    IMAGE(2, "Compressed", "d2"),
		    TOP(3), SHOT(1, NONE) SHOT(2, GUID(1)) SHOT(3, GUID(2))),
	};
	struct box b CLEANUP(box_done);
	const char *want[3];
	char *disk[3];

	box_open(&b);
	make_disks(&b, disk);
	for (int i = 0; i < 3; i++)
		want[i] =
			text_at(&b, arena_printf(b.mem, "%d.raw", i + 1), NULL);
	write_ploop(&b, "d1", 2, 2048, disk[0], NULL);
	write_ploop(&b, "d2", 2, 2048, disk[1], disk[0]);
	write_ploop(&b, "d3", 2, 2048, disk[2], disk[1]);
	write_text("x.xml", xml[_i]);
	same_text(&b, want[2], text_at(&b, "x.xml", NULL), "top");
	ck_assert_uint_eq(b.notes.n, 0);
	same_text(&b, want[1],
		  text_at(&b, "x.xml", "00000000-0000-0000-0000-000000000002"),
		  "second");
	ck_assert_uint_eq(b.notes.n, 1);
	same_text(&b, want[0], text_at(&b, "x.xml", GUID(1)), "first");
	refuses(&b, "x.xml", &(struct tree_image_options){ .snapshot = "no" },
		EUCLEAN, "GUID no is none of its 3 snapshots");
}
END_TEST

START_TEST(in_use)
{
	struct box b CLEANUP(box_done);
	struct tree_image_options o = { .live = true };
	char *disk[3], *bytes;
	size_t n;

	box_open(&b);
	make_disks(&b, disk);
	write_ploop(&b, "hds", 2, 2048, disk[0], NULL);
	bytes = file_bytes(&b, "hds", &n);
	put32(bytes + 44, 0x746f6e59);
	make_file("hds", bytes, n);
	refuses(&b, "hds", NULL, EBUSY, "/hds: m_DiskInUse: the image was not");
	o.mem = b.mem;
	o.notes = &b.notes;
	open_image(&b, "hds", &o);
	ck_assert_uint_eq(b.notes.n, 1);
	ck_assert_ptr_nonnull(strstr(b.notes.v[0], "not closed"));
}
END_TEST

/* Each lie in a header or table is told by the name of its field. */
START_TEST(lies)
{
	static const struct {
		size_t at;
		uint32_t value;
		const char *text;
	} v[] = {
		{ 16, 3, "m_Type: 3" },
		{ 28, 0, "m_Sectors: clusters of 0" },
		{ 28, 3, "m_Sectors: clusters of 3" },
		{ 28, 1U << 31, "m_Sectors" },
		{ 28, 63, "m_Sectors" },
		{ 32, 41, "m_Size: 41" },
		{ 32, 0xffffffff, "m_Size" },
		{ 36, 0xffffffff, "m_Size" },
		{ 40, 0xffffffff, "m_SizeInSectors" },
		{ 48, 0, "m_FirstBlockOffset: 0" },
		{ 48, 2049, "m_FirstBlockOffset: 2049" },
		{ 48, 0x7ffff800, "m_FirstBlockOffset: data begin" },
		{ 52, 2, "m_Flags: its conversion" },
		{ 52, 64, "m_Flags: unknown" },
		{ 64, 0x7fffffff, "BAT entry 0: cluster 2147483647 is beyond" },
		{ 68, 1, "is that of another entry too" },
	};
	struct box b CLEANUP(box_done);
	char *disk[3], *bytes;
	size_t n;

	box_open(&b);
	make_disks(&b, disk);
	write_ploop(&b, "ok", 2, 2048, disk[0], NULL);
	bytes = file_bytes(&b, "ok", &n);
	for (size_t i = 0; i < COUNT(v); i++) {
		char was[4];

		memcpy(was, bytes + v[i].at, 4);
		put32(bytes + v[i].at, v[i].value);
		make_file("hds", bytes, n);
		refuses(&b, "hds", NULL, EUCLEAN, v[i].text);
		memcpy(bytes + v[i].at, was, 4);
	}
	make_file("hds", bytes, 100);
	refuses(&b, "hds", NULL, EUCLEAN, "m_FirstBlockOffset: data begin");
	write_ploop(&b, "hds", 1, 2048, disk[0], NULL);
	bytes = file_bytes(&b, "hds", &n);
	put32(bytes + 64, 2049);
	make_file("hds", bytes, n);
	refuses(&b, "hds", NULL, EUCLEAN, "sector 2049 is within a cluster");
}
END_TEST

/* Descriptions that lie, or must not be followed. */
START_TEST(descriptions)
{
#define ONE IMAGE(1, "Compressed", "d1")
	static const struct {
		const char *xml, *text;
		int code;
	} v[] = {
		{ XML("", TOP(1), SHOT(1, NONE)), "there is no Image",
		  EUCLEAN },
		{ XML(ONE, TOP(2), SHOT(1, NONE)), "TopGUID", EUCLEAN },
		{ XML(ONE, "", SHOT(1, NONE)), "TopGUID 5fbaabe3", EUCLEAN },
		{ XML(ONE, TOP(1), SHOT(1, GUID(1))), "or a loop", EUCLEAN },
		{ XML(ONE, TOP(1), SHOT(1, GUID(7))), "ParentGUID", EUCLEAN },
		{ XML(ONE, TOP(1), SHOT(1, NONE) SHOT(2, NONE)),
		  "1 images for 2 snapshots", EUCLEAN },
		{ XML(IMAGE(1, "Other", "d1"), TOP(1), SHOT(1, NONE)),
		  "neither Compressed nor Plain", EUCLEAN },
		{ XML(IMAGE(1, "Compressed", "../d1"), TOP(1), SHOT(1, NONE)),
		  "not in the directory", EUCLEAN },
		{ XML(IMAGE(1, "Compressed", "/etc/passwd"), TOP(1),
		      SHOT(1, NONE)),
		  "not in the directory", EUCLEAN },
		{ XML(IMAGE(1, "Compressed", "none"), TOP(1), SHOT(1, NONE)),
		  "none", ENOENT },
		{ XML(IMAGE(1, "Compressed", "fifo"), TOP(1), SHOT(1, NONE)),
		  "it is a FIFO", EINVAL },
		{ XML(ONE "</Storage><Storage>", TOP(1), SHOT(1, NONE)),
		  "more than one Storage", EUCLEAN },
		{ XML(ONE "<Blocksize>3</Blocksize>", TOP(1), SHOT(1, NONE)),
		  "m_Sectors: clusters of 32768", EUCLEAN },
		{ "<!DOCTYPE x [<!ENTITY a \"b\">]>" XML(ONE, TOP(1),
							 SHOT(1, NONE)),
		  "DOCTYPE", EUCLEAN },
		{ "<Parallels_disk_image>", "not well-formed", EUCLEAN },
		{ "<x>Parallels_disk_image</x>", "its root element is \"x\"",
		  EUCLEAN },
		{ "<Virtuozzo_disk_image><Disk_Parameters><Disk_size>"
		  "99999999999999999999</Disk_size></Disk_Parameters>"
		  "</Virtuozzo_disk_image>",
		  "Disk_size", EUCLEAN },
	};
	struct box b CLEANUP(box_done);
	char *disk = NULL;

	box_open(&b);
	disk = arena_alloc(b.mem, DISK);
	disk[0] = 1;
	sh("mkdir disk; mkfifo disk/fifo");
	write_ploop(&b, "disk/d1", 2, 64, disk, NULL);
	for (size_t i = 0; i < COUNT(v); i++) {
		write_text("disk/x.xml", v[i].xml);
		refuses(&b, "disk/x.xml", NULL, v[i].code, v[i].text);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("ploop");
	TCase *c = tcase_create("ploop");

	tcase_add_loop_test(c, single, 0, COUNT(forms));
	tcase_add_test(c, qemu);
	tcase_add_loop_test(c, chain, 0, 2);
	tcase_add_test(c, in_use);
	tcase_add_test(c, lies);
	tcase_add_test(c, descriptions);
	tcase_set_timeout(c, 240);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	if (!has_tool("mke2fs") || !has_tool("debugfs")) {
		puts("1..0 # SKIP e2fsprogs is not there");
		return 0;
	}
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
