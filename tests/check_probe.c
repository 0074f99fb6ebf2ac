/* The rows of probe.def: every field that has an area has taken a stand. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "runtime/probe.h"

static const struct row {
	enum field_id field;
	bool seen;
	const char *why;
} rows[] = {
#define SEEN(id, probe, required) { FIELD_##id, true, NULL },
#define UNSEEN(id, why) { FIELD_##id, false, (why) },
#include "runtime/probe.def"
#undef SEEN
#undef UNSEEN
};

START_TEST(one_row_a_field)
{
	const enum field_id id = (enum field_id)_i;
	const bool wanted = field_get(id)->area != AREA_NONE;
	size_t n = 0;

	for (size_t i = 0; i < COUNT(rows); i++)
		n += rows[i].field == id;
	ck_assert_msg(n == wanted, "%s: %zu rows", field_get(id)->name, n);
}
END_TEST

START_TEST(looks_are_the_rows)
{
	struct verify_look looks[FIELD__MAX];
	const struct row *r = &rows[_i];

	probe_looks(looks);
	ck_assert_msg((looks[r->field].probe != NULL) == r->seen, "%s",
		      field_get(r->field)->name);
	if (!r->seen)
		ck_assert(r->why != NULL && r->why[0] != '\0' &&
			  !looks[r->field].required);
}
END_TEST

/* What no guest shows needs no guest to be said. */
START_TEST(an_engine_that_cannot)
{
	struct arena *mem = arena_new();
	struct verify_package package = { .planned = policy_new(mem),
					  .before = policy_new(mem) };
	struct verify_seen seen = { .observed = policy_new(mem) };
	const struct probe_subject subject = { .init = 0x7fffffff,
					       .rootless = "it cannot" };
	struct probe p = { .most = CLASS_SAFE,
			   .mem = mem,
			   .subject = &subject,
			   .package = &package,
			   .seen = &seen };
	bool named = false;

	probe_all(&p);
	for (size_t i = 0; i < seen.unseen.n; i++)
		named |= seen.unseen.v[i].field == FIELD_HOSTNAME &&
			 str_eq(seen.unseen.v[i].reason, "it cannot");
	ck_assert(named);
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool said = false;

		for (size_t j = 0; j < seen.unseen.n; j++)
			said |= seen.unseen.v[j].field == rows[i].field;
		ck_assert_msg(said || rows[i].field == FIELD_LSM ||
				      policy_get(seen.observed, rows[i].field,
						 "") != NULL ||
				      rows[i].field == FIELD_RLIMIT_SOFT ||
				      rows[i].field == FIELD_RLIMIT_HARD ||
				      rows[i].field == FIELD_SYSCTL_VALUE ||
				      rows[i].field == FIELD_DEVICE_PATH,
			      "%s: nothing said",
			      field_get(rows[i].field)->name);
	}
	arena_free(mem);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("probe");
	TCase *t = tcase_create("rows");
	SRunner *r = srunner_create(s);
	int bad;

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, one_row_a_field, 0, FIELD__MAX);
	tcase_add_loop_test(t, looks_are_the_rows, 0, (int)COUNT(rows));
	tcase_add_test(t, an_engine_that_cannot);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
