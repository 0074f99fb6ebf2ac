/* The verdict ladder of design 1.4, as a table. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "runtime/verify.h"
#include "runtime/verify_report.h"

/* One item, or one fact, in all its lives. */
struct row {
	const char *what;
	enum field_id field;
	const char *before, *planned, *observed;
	bool unseen, required, announced;
	const char *accepted;
	bool machine, failed;
	enum relation relation;
	bool surprise;
	enum verify_verdict verdict;
	enum verify_isolation isolation;
};

#define Y "yes"
static const struct row rows[] = {
	{ .what = "the same everywhere",
	  .field = FIELD_HOSTNAME,
	  .before = "a",
	  .planned = "a",
	  .observed = "a",
	  .relation = REL_EQUAL,
	  .verdict = VERIFIED_EQUIVALENT,
	  .isolation = VERIFIED_IS_EQUAL },
	{ .what = "stricter, announced: nothing to accept",
	  .field = FIELD_NS_PID,
	  .before = "filtered",
	  .planned = "private",
	  .observed = "private",
	  .announced = true,
	  .relation = REL_STRICTER,
	  .verdict = VERIFIED_EQUIVALENT,
	  .isolation = VERIFIED_IS_STRICTER },
	{ .what = "looser, announced: never equivalent",
	  .field = FIELD_NS_PID,
	  .before = "private",
	  .planned = "host",
	  .observed = "host",
	  .announced = true,
	  .relation = REL_LOOSER,
	  .verdict = VERIFIED_ANNOUNCED,
	  .isolation = VERIFIED_IS_WEAKER },
	{ .what = "looser, announced, accepted",
	  .field = FIELD_NS_PID,
	  .before = "private",
	  .planned = "host",
	  .observed = "host",
	  .announced = true,
	  .accepted = "change 1",
	  .relation = REL_LOOSER,
	  .verdict = VERIFIED_ACCEPTED,
	  .isolation = VERIFIED_IS_WEAKER },
	{ .what = "planned, but no finding says so",
	  .field = FIELD_NS_PID,
	  .before = "private",
	  .planned = "host",
	  .observed = "host",
	  .relation = REL_LOOSER,
	  .surprise = true,
	  .verdict = VERIFIED_DIFFERENT,
	  .isolation = VERIFIED_IS_WEAKER },
	{ .what = "an acceptance is not for what was seen instead",
	  .field = FIELD_NS_PID,
	  .before = "private",
	  .planned = "filtered",
	  .observed = "host",
	  .announced = true,
	  .accepted = "change 1",
	  .relation = REL_LOOSER,
	  .surprise = true,
	  .verdict = VERIFIED_DIFFERENT,
	  .isolation = VERIFIED_IS_WEAKER },
	{ .what = "as before, but not as planned",
	  .field = FIELD_MEM_MAX,
	  .before = "100",
	  .planned = "200",
	  .observed = "100",
	  .announced = true,
	  .relation = REL_STRICTER,
	  .surprise = true,
	  .verdict = VERIFIED_DIFFERENT,
	  .isolation = VERIFIED_IS_STRICTER },
	{ .what = "a limit that is not there",
	  .field = FIELD_MEM_MAX,
	  .before = "100",
	  .planned = "100",
	  .observed = NULL,
	  .relation = REL_LOOSER,
	  .surprise = true,
	  .verdict = VERIFIED_DIFFERENT,
	  .isolation = VERIFIED_IS_WEAKER },
	{ .what = "a capability too many",
	  .field = FIELD_CAPS,
	  .observed = Y,
	  .relation = REL_LOOSER,
	  .surprise = true,
	  .verdict = VERIFIED_DIFFERENT,
	  .isolation = VERIFIED_IS_WEAKER },
	{ .what = "a capability too few",
	  .field = FIELD_CAPS,
	  .before = Y,
	  .planned = Y,
	  .relation = REL_STRICTER,
	  .surprise = true,
	  .verdict = VERIFIED_DIFFERENT,
	  .isolation = VERIFIED_IS_STRICTER },
	{ .what = "something more, without order",
	  .field = FIELD_MOUNT_TARGET,
	  .observed = "/x",
	  .relation = REL_EXTRA,
	  .surprise = true,
	  .verdict = VERIFIED_DIFFERENT,
	  .isolation = VERIFIED_IS_WEAKER },
	{ .what = "something more, announced",
	  .field = FIELD_MOUNT_TARGET,
	  .planned = "/x",
	  .observed = "/x",
	  .announced = true,
	  .relation = REL_EXTRA,
	  .verdict = VERIFIED_ANNOUNCED,
	  .isolation = VERIFIED_IS_WEAKER },
	{ .what = "something missing",
	  .field = FIELD_HOSTNAME,
	  .before = "a",
	  .planned = "a",
	  .observed = "b",
	  .relation = REL_MISSING,
	  .surprise = true,
	  .verdict = VERIFIED_DIFFERENT,
	  .isolation = VERIFIED_IS_EQUAL },
	{ .what = "what confines and has no order proves nothing",
	  .field = FIELD_PROC_VIEW,
	  .before = "filtered",
	  .planned = "mixed",
	  .observed = "mixed",
	  .announced = true,
	  .relation = REL_MISSING,
	  .verdict = VERIFIED_ANNOUNCED,
	  .isolation = VERIFIED_IS_UNPROVEN },
	{ .what = "required and unseen",
	  .field = FIELD_MEM_MAX,
	  .before = "1",
	  .planned = "1",
	  .observed = "1",
	  .unseen = true,
	  .required = true,
	  .relation = REL_UNSEEN,
	  .verdict = VERIFIED_INCOMPLETE,
	  .isolation = VERIFIED_IS_UNPROVEN },
	{ .what = "unseen, not required",
	  .field = FIELD_AUTOSTART,
	  .before = Y,
	  .planned = Y,
	  .unseen = true,
	  .relation = REL_UNSEEN,
	  .verdict = VERIFIED_EQUIVALENT,
	  .isolation = VERIFIED_IS_EQUAL },
	{ .what = "unseen, and planned to be looser",
	  .field = FIELD_NS_PID,
	  .before = "private",
	  .planned = "host",
	  .unseen = true,
	  .announced = true,
	  .relation = REL_UNSEEN,
	  .verdict = VERIFIED_ANNOUNCED,
	  .isolation = VERIFIED_IS_WEAKER },
	{ .what = "required, but nothing asks for it",
	  .field = FIELD_MEM_MAX,
	  .before = "1",
	  .unseen = true,
	  .required = true,
	  .announced = true,
	  .relation = REL_UNSEEN,
	  .verdict = VERIFIED_ANNOUNCED,
	  .isolation = VERIFIED_IS_WEAKER },
	{ .what = "it was a machine",
	  .field = FIELD_HOSTNAME,
	  .before = "a",
	  .planned = "a",
	  .observed = "a",
	  .machine = true,
	  .relation = REL_EQUAL,
	  .verdict = VERIFIED_ANNOUNCED,
	  .isolation = VERIFIED_IS_WEAKER },
	{ .what = "it was a machine, and that is accepted",
	  .field = FIELD_HOSTNAME,
	  .before = "a",
	  .planned = "a",
	  .observed = "a",
	  .machine = true,
	  .accepted = "change 2",
	  .relation = REL_EQUAL,
	  .verdict = VERIFIED_ACCEPTED,
	  .isolation = VERIFIED_IS_WEAKER },
	{ .what = "it did not boot",
	  .field = FIELD_HOSTNAME,
	  .before = "a",
	  .planned = "a",
	  .observed = "a",
	  .failed = true,
	  .verdict = VERIFIED_FAILED,
	  .isolation = VERIFIED_IS_UNPROVEN },
	{ .what = "an address on another interface",
	  .field = FIELD_ADDR_NIC,
	  .planned = "eth0",
	  .observed = "eth1",
	  .announced = true,
	  .relation = REL_MISSING,
	  .surprise = true,
	  .verdict = VERIFIED_DIFFERENT,
	  .isolation = VERIFIED_IS_EQUAL },
	{ .what = "an address on an interface that the plan made",
	  .field = FIELD_ADDR_NIC,
	  .planned = "eth0",
	  .observed = "eth0",
	  .announced = true,
	  .relation = REL_EXTRA,
	  .verdict = VERIFIED_ANNOUNCED,
	  .isolation = VERIFIED_IS_WEAKER },
};

static struct policy *policy_of(struct arena *mem, const struct row *r,
				const char *value)
{
	struct policy *p = policy_new(mem);

	if (value != NULL)
		policy_add(p, r->field, "k", value);
	policy_sort(p);
	return p;
}

static void make(struct arena *mem, const struct row *r,
		 struct verify_package *p, struct verify_seen *s,
		 struct verify_look look[FIELD__MAX])
{
	*p = (struct verify_package){
		.key = "h/vserver:a",
		.name = "a",
		.target = "lxc",
		.manifest_sha256 = "00",
		.before = policy_of(mem, r, r->before),
		.planned = policy_of(mem, r, r->planned),
		.machine = r->machine,
		.machine_accepted = r->machine ? r->accepted : NULL,
	};
	*s = (struct verify_seen){
		.observed = policy_of(mem, r, r->observed),
		.failed = r->failed ? "its init is missing" : NULL,
	};
	if (r->announced) {
		struct verify_announced *a = vec_add(mem, &p->announced);

		a->field = r->field;
		a->key = "k";
		a->accepted = r->accepted;
		strv_add(mem, &a->codes, "NET001");
	}
	if (r->unseen)
		*vec_add(mem, &s->unseen) =
			(struct verify_unseen){ .field = r->field,
						.reason = "the host cannot" };
	for (size_t i = 0; i < FIELD__MAX; i++)
		look[i] = (struct verify_look){ .probe = "t",
						.required = r->required };
}

START_TEST(ladder)
{
	const struct row *r = &rows[_i];
	struct arena *mem = arena_new();
	struct verify_look look[FIELD__MAX];
	struct verify_package p;
	struct verify_seen s;
	struct verify_result v;

	make(mem, r, &p, &s, look);
	verify_judge(&p, &s, look, mem, &v);
	ck_assert_msg(v.verdict == r->verdict, "%s: verdict %s", r->what,
		      verify_verdict_name(v.verdict));
	ck_assert_msg(v.isolation == r->isolation, "%s: isolation %s", r->what,
		      verify_isolation_name(v.isolation));
	if (!r->failed) {
		ck_assert_uint_eq(v.checks.n, 1);
		ck_assert_msg(v.checks.v[0].relation == r->relation, "%s: %s",
			      r->what,
			      policy_relation_name(v.checks.v[0].relation));
		ck_assert_msg(v.checks.v[0].surprise == r->surprise,
			      "%s: surprise", r->what);
		ck_assert_uint_eq(v.counts[r->relation], 1);
		ck_assert_uint_eq(v.surprises, r->surprise);
	}
	arena_free(mem);
}
END_TEST

/* The worst of several items counts, in whatever order. */
START_TEST(worst_wins)
{
	struct arena *mem = arena_new();
	struct verify_look look[FIELD__MAX] = { { NULL, false } };
	struct verify_package p;
	struct verify_seen s;
	struct verify_result v;

	make(mem, &rows[2], &p, &s, look); /* looser, announced */
	policy_add(p.before, FIELD_HOSTNAME, "", "a");
	policy_add(p.planned, FIELD_HOSTNAME, "", "a");
	verify_judge(&p, &s, look, mem, &v);
	ck_assert_int_eq(v.verdict, VERIFIED_DIFFERENT);
	policy_add(s.observed, FIELD_HOSTNAME, "", "a");
	verify_judge(&p, &s, look, mem, &v);
	ck_assert_int_eq(v.verdict, VERIFIED_ANNOUNCED);
	*vec_add(mem, &s.facts) = (struct verify_fact){ .area = AREA_NETWORK,
							.item = "port tcp 80",
							.expected = Y };
	verify_judge(&p, &s, look, mem, &v);
	ck_assert_int_eq(v.verdict, VERIFIED_DIFFERENT);
	s.facts.v[0].reason = "cannot be seen";
	verify_judge(&p, &s, look, mem, &v);
	ck_assert_int_eq(v.verdict, VERIFIED_INCOMPLETE);
	arena_free(mem);
}
END_TEST

/* A stand-in is as promised where just that was asked for. */
static const struct {
	const char *planned, *asked;
	enum relation relation;
	enum verify_verdict verdict;
	bool required;
} stand_ins[] = {
	{ "/srv/a", "/srv/a", REL_UNSEEN, VERIFIED_EQUIVALENT, false },
	{ "/srv/a", "/", REL_MISSING, VERIFIED_DIFFERENT, true },
	{ NULL, "/", REL_EXTRA, VERIFIED_DIFFERENT, false },
	{ "/srv/a", NULL, REL_UNSEEN, VERIFIED_INCOMPLETE, true },
};

START_TEST(stands_in)
{
	const struct row r = { .field = FIELD_MOUNT_SOURCE,
			       .before = stand_ins[_i].planned,
			       .planned = stand_ins[_i].planned,
			       .observed = "overlay",
			       .unseen = true,
			       .required = true };
	struct arena *mem = arena_new();
	struct verify_look look[FIELD__MAX];
	struct verify_package p;
	struct verify_seen s;
	struct verify_result v;

	make(mem, &r, &p, &s, look);
	s.unseen.v[0].asked = stand_ins[_i].asked;
	verify_judge(&p, &s, look, mem, &v);
	ck_assert_int_eq(v.verdict, stand_ins[_i].verdict);
	ck_assert_uint_eq(v.checks.n, 1);
	ck_assert_int_eq(v.checks.v[0].relation, stand_ins[_i].relation);
	ck_assert_int_eq(v.checks.v[0].required, stand_ins[_i].required);
	arena_free(mem);
}
END_TEST

/* A right more is looser; what is optional leaves a verdict complete. */
START_TEST(facts)
{
	static const struct {
		struct verify_fact fact;
		enum relation relation;
		enum verify_verdict verdict;
	} cases[] = {
		{ { .expected = "no", .observed = "yes", .grants = true },
		  REL_LOOSER,
		  VERIFIED_DIFFERENT },
		{ { .expected = "yes", .observed = "no", .grants = true },
		  REL_STRICTER,
		  VERIFIED_DIFFERENT },
		{ { .expected = "no", .observed = "no", .grants = true },
		  REL_EQUAL,
		  VERIFIED_EQUIVALENT },
		{ { .expected = "0", .observed = "7" },
		  REL_MISSING,
		  VERIFIED_DIFFERENT },
		{ { .expected = "no", .reason = "no such call" },
		  REL_UNSEEN,
		  VERIFIED_INCOMPLETE },
		{ { .expected = "no",
		    .reason = "no such call",
		    .optional = true },
		  REL_UNSEEN,
		  VERIFIED_EQUIVALENT },
	};
	struct arena *mem = arena_new();
	const struct verify_package p = { .before = policy_new(mem),
					  .planned = policy_new(mem) };
	struct verify_seen s = { .observed = policy_new(mem) };
	const struct verify_look looks[FIELD__MAX] = { 0 };
	struct verify_result r;

	*vec_add(mem, &s.facts) = cases[_i].fact;
	s.facts.v[0].item = "may mount";
	s.facts.v[0].area = AREA_MOUNTS;
	verify_judge(&p, &s, looks, mem, &r);
	ck_assert_uint_eq(r.checks.n, 1);
	ck_assert_int_eq(r.checks.v[0].relation, cases[_i].relation);
	ck_assert_int_eq(r.verdict, cases[_i].verdict);
	arena_free(mem);
}
END_TEST

/* A service that failed: a surprise until the operator knows it. */
START_TEST(failed_service)
{
	struct arena *mem = arena_new();
	struct verify_package p = { .key = "h/vserver:a",
				    .name = "a",
				    .target = "lxc",
				    .before = policy_new(mem),
				    .planned = policy_new(mem) };
	struct verify_run v = { .package = &p,
				.engine = "builtin",
				.seen = { .observed = policy_new(mem) } };
	const struct verify_look looks[FIELD__MAX] = { 0 };

	*vec_add(mem, &v.seen.facts) = (struct verify_fact){
		.area = AREA_BOOT,
		.item = "unit a.service",
		.expected = "active",
		.observed = "failed",
		.service = true,
	};
	for (unsigned known = 0; known < 2; known++) {
		struct buf b CLEANUP(buf_done) = { 0 };

		p.failed_accepted = known ? "as ever" : NULL;
		verify_judge(&p, &v.seen, looks, mem, &v.result);
		ck_assert_int_eq(v.result.verdict, known ? VERIFIED_ACCEPTED :
							   VERIFIED_DIFFERENT);
		ck_assert_uint_eq(v.result.surprises, !known);
		verify_report_text(&v, false, false, &b);
		ck_assert_ptr_nonnull(strstr(
			buf_str(&b),
			known ? "~ boot         unit a.service: missing: was "
				"active, is failed [" VERIFY_FAILED_SERVICE
				"] accepted: as ever\n" :
				"X boot         unit a.service: missing: "
				"planned active, seen failed, to be accepted "
				"as " VERIFY_FAILED_SERVICE "\n"));
	}
	/* what is no service's fault is not accepted with them */
	v.seen.facts.v[0].service = false;
	verify_judge(&p, &v.seen, looks, mem, &v.result);
	ck_assert_int_eq(v.result.verdict, VERIFIED_DIFFERENT);
	arena_free(mem);
}
END_TEST

START_TEST(names)
{
	for (enum verify_verdict v = 0; v < VERIFIED__MAX; v++)
		ck_assert_int_eq(verify_verdict_find(verify_verdict_name(v)),
				 v);
	ck_assert_int_eq(verify_verdict_find("fine"), VERIFIED__MAX);
}
END_TEST

static void judged(struct arena *mem, const struct row *r,
		   struct verify_package *p, struct verify_run *v)
{
	struct verify_look look[FIELD__MAX];

	make(mem, r, p, &v->seen, look);
	v->package = p;
	v->engine = "builtin";
	verify_judge(p, &v->seen, look, mem, &v->result);
}

START_TEST(text_has_marks)
{
	static const struct {
		size_t row;
		bool utf8;
		const char *has;
	} t[] = {
		{ 0, true, "\u2713 identity     id.hostname k: a\n" },
		{ 0, false, "+ identity     id.hostname k: a\n" },
		{ 2, false,
		  "~ namespaces   ns.pid k: looser: was private, is "
		  "host [NET001]\n" },
		{ 3, false, "[NET001] accepted: change 1\n" },
		{ 7, true,
		  "\u2717 limits       limit.memory k: looser: "
		  "planned 100, seen -\n" },
		{ 14, true,
		  "? limits       limit.memory k: required, unseen: "
		  "the host cannot\n" },
	};
	struct arena *mem = arena_new();

	for (size_t i = 0; i < COUNT(t); i++) {
		struct buf b CLEANUP(buf_done) = { 0 };
		struct verify_package p;
		struct verify_run v = { 0 };

		judged(mem, &rows[t[i].row], &p, &v);
		verify_report_text(&v, true, t[i].utf8, &b);
		ck_assert_msg(strstr(buf_str(&b), t[i].has) != NULL, "%s",
			      buf_str(&b));
	}
	arena_free(mem);
}
END_TEST

START_TEST(junit_escapes)
{
	struct arena *mem = arena_new();
	struct buf b CLEANUP(buf_done) = { 0 };
	struct row r = rows[12];
	struct verify_package p;
	struct verify_run v = { 0 };

	r.observed = "<&\"\033";
	judged(mem, &r, &p, &v);
	verify_report_junit(&v, &b);
	ck_assert_ptr_nonnull(strstr(b.p, "seen &lt;&amp;&quot;?</failure>"));
	ck_assert_ptr_nonnull(strstr(b.p, "tests=\"1\" failures=\"1\""));
	arena_free(mem);
}
END_TEST

/* What a record had of one item, and what a look from outside makes of it. */
static const struct drift_row {
	const char *what, *item; /* NULL: the record does not name it */
	bool seen;
	enum verify_verdict record;
	const char *planned, *observed; /* host name, observed NULL: unseen */
	bool drift;
	enum verify_verdict verdict;
} drifts[] = {
	{ "as ever", "id.hostname k", true, VERIFIED_EQUIVALENT, "a", "a",
	  false, VERIFIED_EQUIVALENT },
	{ "another now", "id.hostname k", true, VERIFIED_EQUIVALENT, "a", "b",
	  true, VERIFIED_DIFFERENT },
	{ "the record did not see it", "id.hostname k", false,
	  VERIFIED_EQUIVALENT, "a", "b", false, VERIFIED_DIFFERENT },
	{ "new since", NULL, true, VERIFIED_EQUIVALENT, NULL, "b", true,
	  VERIFIED_DIFFERENT },
	{ "new, where the record saw nothing of its kind", "id.hostname x",
	  false, VERIFIED_EQUIVALENT, NULL, "b", false, VERIFIED_DIFFERENT },
	{ "not better than the record", "id.hostname k", true,
	  VERIFIED_ANNOUNCED, "a", "a", false, VERIFIED_ANNOUNCED },
	{ "what is not seen stands in the record", "id.hostname k", true,
	  VERIFIED_ACCEPTED, "a", NULL, false, VERIFIED_ACCEPTED },
};

START_TEST(drift)
{
	const struct drift_row *d = &drifts[_i];
	const struct row r = { .what = d->what,
			       .field = FIELD_HOSTNAME,
			       .before = d->planned,
			       .planned = d->planned,
			       .observed = d->observed,
			       .unseen = d->observed == NULL,
			       .required = true };
	struct verify_baseline b = { .verdict = d->record };
	struct arena *mem = arena_new();
	struct verify_package p;
	struct verify_run v = { 0 };

	judged(mem, &r, &p, &v);
	if (d->item != NULL)
		*vec_add(mem, &b.items) =
			(struct verify_recorded){ d->item, d->seen };
	verify_drift(&b, &p, &v.result);
	ck_assert_msg(v.result.checks.v[0].drift == d->drift, "%s", d->what);
	ck_assert_uint_eq(v.result.drifts, d->drift);
	ck_assert_msg(v.result.verdict == d->verdict, "%s: %s", d->what,
		      verify_verdict_name(v.result.verdict));
	arena_free(mem);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("verify");
	TCase *t = tcase_create("verdict");
	SRunner *r = srunner_create(s);
	int bad;

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, ladder, 0, (int)COUNT(rows));
	tcase_add_test(t, worst_wins);
	tcase_add_loop_test(t, stands_in, 0, (int)COUNT(stand_ins));
	tcase_add_loop_test(t, facts, 0, 6);
	tcase_add_loop_test(t, drift, 0, (int)COUNT(drifts));
	tcase_add_test(t, failed_service);
	tcase_add_test(t, names);
	tcase_add_test(t, text_has_marks);
	tcase_add_test(t, junit_escapes);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
