/* Device programs: the same answers as a list of cgroup v1, and read back. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/str.h"
#include "runtime/devprog.h"

static const struct list {
	bool any;
	const char *rules; /* separated by ';' */
	const char *read;  /* as read back, where that is not the same */
} lists[] = {
	{ false, "", NULL },
	{ false, "c 1:3 rw", NULL },
	{ false, "c 1:3 rw;c 1:5 rwm;c 5:0 r;c 136:* rw;b 8:0 m", NULL },
	{ false, "c *:* m;b *:* m;c 1:3 rwm;c 136:* rwm",
	  "b *:* m;c *:* m;c 1:3 rwm;c 136:* rwm" },
	{ false, "c *:3 r;c 1:* w", "c *:3 r;c 1:* w" },
	{ false, "c 4294967295:1048575 rwm;c 0:0 r", NULL },
	{ true, "", "b *:* rwm;c *:* rwm" },
	{ true, "b *:* rw", "b *:* m;c *:* rwm" },
	{ true, "c 10:130 rwm", "b *:* rwm;c *:* rwm" },
};

static void parse(const struct list *l, struct arena *mem,
		  struct devprog_rules *ret)
{
	const struct strv words = strv_split(mem, l->rules, ";");
	struct err e;

	*ret = (struct devprog_rules){ .any = l->any };
	for (size_t i = 0; i < words.n; i++)
		ck_assert_int_eq(devrule_parse(words.v[i],
					       vec_add(mem, &ret->list), &e),
				 0);
}

/*
 * The kernel's own list, security/device_cgroup.c: a rule has to allow all of
 * an access, one that denies a part of it denies it.
 */
static bool as_v1(const struct devprog_rules *rules, const struct devrule *d)
{
	for (size_t i = 0; i < rules->list.n; i++) {
		const struct devrule *r = &rules->list.v[i];

		if ((r->type != 'a' && r->type != d->type) ||
		    (!r->any_major && r->major != d->major) ||
		    (!r->any_minor && r->minor != d->minor))
			continue;
		if (rules->any ? (d->access & r->access) != 0 :
				 (d->access & ~r->access) == 0)
			return !rules->any;
	}
	return rules->any;
}

START_TEST(answers)
{
	static const uint32_t numbers[] = { 0,  1,   2,   3,       5,         8,
					    10, 130, 136, 1048575, UINT32_MAX };
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct devprog_rules rules;
	struct devprog prog;
	struct err e;

	parse(&lists[_i], mem, &rules);
	devprog_make(&rules, mem, &prog);
	for (size_t a = 0; a < COUNT(numbers); a++)
		for (size_t b = 0; b < COUNT(numbers); b++)
			for (unsigned k = 0; k < 14; k++) {
				const struct devrule d = {
					.type = "bc"[k & 1],
					.major = numbers[a],
					.minor = numbers[b],
					.access = 1 + k / 2,
				};
				bool allowed;

				ck_assert_int_eq(devprog_run(&prog, &d,
							     &allowed, &e),
						 0);
				ck_assert_msg(allowed == as_v1(&rules, &d),
					      "%s: %c %u:%u %u",
					      lists[_i].rules, d.type, d.major,
					      d.minor, d.access);
			}
}
END_TEST

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, separated by ';'. */
static const char *show(struct arena *mem, const struct devprog_rules *rules)
{
	struct strv words = { 0 };
	char text[DEVRULE_TEXT];

	for (size_t i = 0; i < rules->list.n; i++) {
		devrule_show(&rules->list.v[i], text);
		strv_add(mem, &words, arena_strdup(mem, text));
	}
	if (words.n > 1)
		qsort(words.v, words.n, sizeof(*words.v), by_text);
	return strv_join(mem, &words, ";");
}

START_TEST(read_back)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct devprog_rules rules, seen, expected;
	const struct list text = { false, lists[_i].read, NULL };
	struct devprog_list progs = { 0 };
	struct err e;

	parse(&lists[_i], mem, &rules);
	devprog_make(&rules, mem, vec_add(mem, &progs.list));
	ck_assert_int_eq(devprog_rules(&progs, mem, &seen, &e), 0);
	expected = rules;
	if (lists[_i].read != NULL)
		parse(&text, mem, &expected);
	ck_assert_str_eq(show(mem, &seen), show(mem, &expected));
	ck_assert_int_eq(seen.any,
			 lists[_i].any && !str_eq(lists[_i].rules, "b *:* rw"));
}
END_TEST

/* Two programs allow what both of them do; none allows everything. */
START_TEST(several)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const struct list a = { false, "c 1:3 rw;c 1:5 rwm", NULL };
	const struct list b = { false, "c 1:3 rm;c 5:0 rwm", NULL };
	struct devprog_list progs = { 0 };
	struct devprog_rules rules;
	struct err e;

	ck_assert_int_eq(devprog_rules(&progs, mem, &rules, &e), 0);
	ck_assert(rules.any);
	parse(&a, mem, &rules);
	devprog_make(&rules, mem, vec_add(mem, &progs.list));
	parse(&b, mem, &rules);
	devprog_make(&rules, mem, vec_add(mem, &progs.list));
	ck_assert_int_eq(devprog_rules(&progs, mem, &rules, &e), 0);
	ck_assert_str_eq(show(mem, &rules), "c 1:3 r");
	ck_assert(!rules.any);
}
END_TEST

/* Code that is not understood is an error, not an answer. */
static const struct bpf_insn strange[][2] = {
	{ { .code = BPF_JMP | BPF_CALL, .imm = 1 } },
	{ { .code = BPF_LD | BPF_IMM | BPF_DW } },
	{ { .code = BPF_ALU64 | BPF_DIV | BPF_K, .imm = 2 } },
	{ { .code = BPF_JMP | BPF_JA, .off = -1 } },
	{ { .code = BPF_JMP | BPF_JA, .off = 7 } },
	{ { .code = BPF_JMP | BPF_JA, .off = -9 } },
	{ { .code = BPF_LDX | BPF_MEM | BPF_W, .off = 12 } },
	{ { .code = BPF_LDX | BPF_MEM | BPF_W, .off = -4 } },
	{ { .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 15 } },
	{ { .code = BPF_ALU64 | BPF_MOV | BPF_K } },
};

START_TEST(not_understood)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const struct devrule d = { .type = 'c', .access = DEV_READ };
	struct devprog prog = { 0 };
	struct err e;
	bool allowed;

	*vec_add(mem, &prog.code) = strange[_i][0];
	ck_assert_int_eq(devprog_run(&prog, &d, &allowed, &e), -1);
	ck_assert_str_ne(e.msg, "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("device programs");
	TCase *c = tcase_create("device programs");
	SRunner *r;
	int failed;

	tcase_add_loop_test(c, answers, 0, COUNT(lists));
	tcase_add_loop_test(c, read_back, 0, COUNT(lists));
	tcase_add_test(c, several);
	tcase_add_loop_test(c, not_understood, 0, COUNT(strange));
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
