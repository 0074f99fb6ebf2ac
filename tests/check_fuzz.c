/* What the fuzzers start from and have found, once each. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/proc.h"
#include "base/str.h"
#include "tree/tree.h"

/* The fuzzers' own functions, by their names. */
#define LLVMFuzzerTestOneInput fuzz_descriptor
#include "tests/fuzz/fuzz_descriptor.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_image
#include "tests/fuzz/fuzz_image.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_journal
#include "tests/fuzz/fuzz_journal.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_libvirt
#include "tests/fuzz/fuzz_libvirt.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_openvz
#include "tests/fuzz/fuzz_openvz.c"
#undef LLVMFuzzerTestOneInput

static const struct {
	const char *name;
	int (*run)(const uint8_t *data, size_t n);
} fuzzers[] = {
	{ "fuzz_descriptor", fuzz_descriptor },
	{ "fuzz_image", fuzz_image },
	{ "fuzz_journal", fuzz_journal },
	{ "fuzz_libvirt", fuzz_libvirt },
	{ "fuzz_openvz", fuzz_openvz },
};

START_TEST(replay)
{
	const char *const argv[] = { "sh", "tests/fuzz/seeds.sh",
				     fuzzers[_i].name, NULL };
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct tree *t CLEANUP(tree_closep) = NULL;
	struct buf list CLEANUP(buf_done) = { 0 };
	struct slice rest, line;
	unsigned files = 0;
	struct err e;
	int status;

	ck_assert_int_eq(proc_run(argv, 60, &list, &status, &e), 0);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(tree_open_dir("/", &t, &e), 0);
	rest = (struct slice){ list.p, list.n };
	while (slice_next(&rest, '\n', &line)) {
		const char *path = slice_dup(mem, line), *data;
		size_t n;

		if (line.n == 0)
			continue;
		ck_assert_msg(tree_read(t, path, 1 << 20, mem, &data, &n, &e) ==
				      0,
			      "%s", e.msg);
		printf("# %s\n", path);
		fuzzers[_i].run((const uint8_t *)data, n);
		files++;
	}
	ck_assert_uint_gt(files, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fuzz");
	TCase *c = tcase_create("replay");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(c, replay, 0, COUNT(fuzzers));
	tcase_set_timeout(c, 240);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
