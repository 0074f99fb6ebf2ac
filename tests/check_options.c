/* Unit tests of --set, guest blocks, and accepted findings (src/plan). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "derive.h"
#include "plan/options.h"

struct box {
	struct arena *mem;
	struct guest *g;
	struct site *site;
	struct plan_options options;
	struct plan p;
	const char *set[8], *accept[8];
	struct err e;
};

static void box_open(struct box *b)
{
	memset(b, 0, sizeof(*b));
	b->mem = arena_new();
	b->g = guest_new(b->mem);
	b->g->host = "h1";
	b->g->kind = "vserver";
	b->g->id = "web";
	b->g->name = "web";
	b->g->key = "h1/vserver:web";
	b->site = site_new(b->mem);
	b->site->file = "/etc/rehost.conf";
	b->options.set = b->set;
	b->options.accept = b->accept;
	b->p = (struct plan){ .g = b->g,
			      .site = b->site,
			      .options = &b->options };
}

static void box_done(struct box *b)
{
	arena_free(b->mem);
}

static void option(struct box *b, const char *text)
{
	b->set[b->options.n_set++] = text;
}

static struct site_guest *block(struct box *b, const char *pattern,
				const char *set)
{
	struct site_guest *s = pvec_add(b->mem, &b->site->guests);

	s->pattern = pattern;
	s->line = (unsigned)b->site->guests.n * 10;
	s->set_line = s->line + 1;
	if (set != NULL)
		strv_add(b->mem, &s->set, set);
	return s;
}

static void run(struct box *b)
{
	const int rc = plan_options_pass(&b->p, &b->e);

	ck_assert_msg(rc == 0, "%s", b->e.msg);
}

static const struct origin *text(struct box *b)
{
	return derive_origin(b->g, ORIGIN_TEXT, "/etc/x", 3, "x", NULL);
}

static const struct finding *only(struct box *b, enum finding_id id)
{
	ck_assert_uint_eq(b->g->findings.n, 1);
	ck_assert_int_eq(b->g->findings.v[0]->id, id);
	return b->g->findings.v[0];
}

static bool covers(const struct finding *f, enum field_id field,
		   const char *key)
{
	for (size_t i = 0; i < f->covers.n; i++)
		if (f->covers.v[i].field == field &&
		    str_eq(f->covers.v[i].key, key))
			return true;
	return false;
}

START_TEST(replaced)
{
	const struct finding *f;
	struct box b;

	box_open(&b);
	b.g->mem_max = (struct opt_limit){ .from = text(&b), .v = 536870912 };
	option(&b, "limit.memory=8G");
	run(&b);
	ck_assert_uint_eq(b.g->mem_max.v, UINT64_C(8) << 30);
	ck_assert_int_eq(b.g->mem_max.from->kind, ORIGIN_OPTION);
	ck_assert_int_eq(b.g->mem_max.from->because->kind, ORIGIN_TEXT);
	f = only(&b, FIND_SRC_OVERRIDDEN);
	ck_assert_str_eq(f->message,
			 "limit.memory: \"8G\" in place of \"536870912\"");
	ck_assert_str_eq(f->from->file, "--set");
	ck_assert(covers(f, FIELD_MEM_MAX, NULL));
	/* the pass may run again */
	run(&b);
	only(&b, FIND_SRC_OVERRIDDEN);
	box_done(&b);
}
END_TEST

START_TEST(absent_before)
{
	struct box b;

	box_open(&b);
	option(&b, "boot.init=/sbin/init 3");
	run(&b);
	ck_assert_uint_eq(b.g->init_cmd.v.n, 2);
	ck_assert_str_eq(only(&b, FIND_SRC_OVERRIDDEN)->message,
			 "boot.init: \"/sbin/init 3\", where the source says "
			 "nothing");
	box_done(&b);
}
END_TEST

/* Site before option; a later block before an earlier one. */
START_TEST(precedence)
{
	struct box b;

	box_open(&b);
	block(&b, "*", "limit.pids=100");
	block(&b, "vserver:web", "limit.pids=200");
	block(&b, "vserver:mail", "limit.pids=300");
	run(&b);
	ck_assert_uint_eq(b.g->pids_max.v, 200);
	ck_assert_int_eq(b.g->pids_max.from->kind, ORIGIN_SITE);
	ck_assert_uint_eq(b.g->pids_max.from->line, 21);
	ck_assert_str_eq(b.g->pids_max.from->file, "/etc/rehost.conf");
	option(&b, "limit.pids=400");
	run(&b);
	ck_assert_uint_eq(b.g->pids_max.v, 400);
	run(&b);
	ck_assert_uint_eq(b.g->pids_max.v, 400);
	box_done(&b);
}
END_TEST

/* Which guest an option is for. */
static const struct {
	const char *text;
	bool fits;
} guests[] = {
	{ "web:limit.pids=7", true },
	{ "we*:limit.pids=7", true },
	{ "mail:limit.pids=7", false },
	{ "vserver:web:limit.pids=7", true },
	{ "h1/vserver:web:limit.pids=7", true },
	{ "h2/vserver:web:limit.pids=7", false },
	{ "*/vserver:*:limit.pids=7", true },
	{ "limit.pids=7", true },
};

START_TEST(which_guest)
{
	struct box b;

	box_open(&b);
	option(&b, guests[_i].text);
	ck_assert_int_eq(plan_options_check(&b.options, &b.e), 0);
	run(&b);
	ck_assert_int_eq(b.g->pids_max.from != NULL, guests[_i].fits);
	box_done(&b);
}
END_TEST

static struct addr *add_address(struct box *b, const char *ip)
{
	struct addr *a = pvec_add(b->mem, &b->g->addrs);

	a->ip = (struct opt_str){ .from = text(b), .v = ip };
	return a;
}

START_TEST(items)
{
	const struct finding *f;
	struct addr *a, *v6;
	struct box b;

	box_open(&b);
	a = add_address(&b, "192.0.2.10");
	v6 = add_address(&b, "2001:db8::5");
	option(&b, "addr.0.prefix=25");
	option(&b, "web:addr.2001:db8::5.prefix=64");
	run(&b);
	ck_assert_uint_eq(a->prefix.v, 25);
	ck_assert_uint_eq(v6->prefix.v, 64);
	ck_assert(covers(b.g->findings.v[0], FIELD_ADDR_PREFIX, "192.0.2.10"));
	b.g->findings.n = 0;
	option(&b, "addr.0.ip=192.0.2.99");
	run(&b);
	ck_assert_str_eq(a->ip.v, "192.0.2.99");
	f = only(&b, FIND_SRC_OVERRIDDEN);
	ck_assert(covers(f, FIELD_ADDR_IP, "192.0.2.10"));
	ck_assert(covers(f, FIELD_ADDR_IP, "192.0.2.99"));
	ck_assert(covers(f, FIELD_ADDR_PREFIX, "192.0.2.10"));
	ck_assert(covers(f, FIELD_ADDR_PREFIX, "192.0.2.99"));
	box_done(&b);
}
END_TEST

/* An item that a later pass makes; one that never comes is told at the end. */
START_TEST(later_items)
{
	struct nic *n;
	struct box b;

	box_open(&b);
	option(&b, "nic.0.attach=bridge:br0");
	option(&b, "nic.1.attach=none");
	run(&b);
	ck_assert_uint_eq(b.g->findings.n, 0);
	n = pvec_add(b.mem, &b.g->nics);
	n->attach = (struct opt_str){ .from = derive_origin(b.g, ORIGIN_DERIVED,
							    "", 0, "net", NULL),
				      .v = "routed:eth0" };
	ck_assert_int_eq(plan_options_last(&b.p, &b.e), 0);
	ck_assert_str_eq(n->attach.v, "bridge:br0");
	ck_assert_uint_eq(b.g->findings.n, 2);
	ck_assert_int_eq(b.g->findings.v[1]->id, FIND_HST_UNUSED_WORD);
	ck_assert_str_eq(b.g->findings.v[1]->message,
			 "nic.attach: the guest has no nic 1");
	box_done(&b);
}
END_TEST

/* "+" adds an item once, however often the pass runs, and by its name only. */
START_TEST(added)
{
	struct box b;

	box_open(&b);
	option(&b, "addr.+.ip=192.0.2.7");
	option(&b, "addr.192.0.2.7.device=eth0");
	option(&b, "mount.+.source=/y");
	run(&b);
	ck_assert_int_eq(plan_options_last(&b.p, &b.e), 0);
	ck_assert_uint_eq(b.g->addrs.n, 1);
	ck_assert_str_eq(b.g->addrs.v[0]->ip.v, "192.0.2.7");
	ck_assert_str_eq(b.g->addrs.v[0]->dev.v, "eth0");
	ck_assert_uint_eq(b.g->mounts.n, 0);
	ck_assert_uint_eq(b.g->findings.n, 3);
	ck_assert_str_eq(b.g->findings.v[2]->message,
			 "mount.source: an item is added by the field that "
			 "names it, mount.+.target");
	box_done(&b);
}
END_TEST

START_TEST(renamed)
{
	struct box b;

	box_open(&b);
	block(&b, "*", NULL)->name = "other";
	block(&b, "vserver:web", NULL)->name = "shop";
	run(&b);
	run(&b);
	ck_assert_str_eq(b.g->name, "shop");
	ck_assert_str_eq(only(&b, FIND_SRC_OVERRIDDEN)->message,
			 "the guest is called \"shop\" in place of \"web\"");
	ck_assert_uint_eq(b.g->findings.v[0]->from->line, 20);
	box_done(&b);
}
END_TEST

START_TEST(secret)
{
	struct env *v;
	struct box b;

	box_open(&b);
	v = pvec_add(b.mem, &b.g->envs);
	v->name = (struct opt_str){ .from = text(&b), .v = "DB_PASSWORD" };
	v->value = (struct opt_str){ .from = text(&b), .v = "hunter2" };
	option(&b, "env.DB_PASSWORD.value=swordfish");
	run(&b);
	ck_assert_str_eq(v->value.v, "swordfish");
	ck_assert_ptr_null(
		strstr(only(&b, FIND_SRC_OVERRIDDEN)->message, "hunter2"));
	ck_assert_ptr_null(strstr(b.g->findings.v[0]->message, "swordfish"));
	ck_assert_ptr_null(v->value.from->text);
	run(&b);
	only(&b, FIND_SRC_OVERRIDDEN);
	box_done(&b);
}
END_TEST

static const struct {
	const char *text, *message;
} bad[] = {
	{ "limit.memry=8G", "--set limit.memry: \"limit.memry\" is no field" },
	{ "web:limit.memry=8G", "--set web:limit.memry: " },
	{ "limit.memory", "--set limit.memory: " },
	{ "limit.memory=much", "--set limit.memory: limit.memory: " },
	{ "web:limit.pids=-1", "--set web:limit.pids: limit.pids: " },
	{ "cap.bounding=fly", "--set cap.bounding: cap.bounding: \"fly\"" },
	{ "id.hostname=a\nb", "--set id.hostname: id.hostname: control byte" },
};

START_TEST(bad_option)
{
	struct box b;

	box_open(&b);
	option(&b, bad[_i].text);
	ck_assert_int_eq(plan_options_check(&b.options, &b.e), -1);
	ck_assert_msg(str_starts(b.e.msg, bad[_i].message), "%s", b.e.msg);
	memset(&b.e, 0, sizeof(b.e));
	ck_assert_int_eq(plan_options_pass(&b.p, &b.e), -1);
	ck_assert_msg(str_starts(b.e.msg, bad[_i].message), "%s", b.e.msg);
	box_done(&b);
}
END_TEST

START_TEST(bad_site)
{
	struct box b;

	box_open(&b);
	block(&b, "*", "limit.memory=much");
	ck_assert_int_eq(plan_options_pass(&b.p, &b.e), -1);
	ck_assert_msg(str_starts(b.e.msg, "/etc/rehost.conf:11: set: "), "%s",
		      b.e.msg);
	box_done(&b);
}
END_TEST

static struct finding *find(struct box *b, enum finding_id id,
			    const char *target)
{
	return finding_add(b->g, id, target, text(b), "%s",
			   target == NULL ? "" : target);
}

START_TEST(accepted)
{
	struct finding *clash, *lxc, *incus, *other;
	struct site_accept *a;
	struct box b;

	box_open(&b);
	clash = find(&b, FIND_NET_CLASH, NULL);
	lxc = find(&b, FIND_LSM_NONE, "lxc");
	incus = find(&b, FIND_LSM_NONE, "incus");
	other = find(&b, FIND_NET_TUN, NULL);
	b.accept[b.options.n_accept++] = "NET019@web=behind = a proxy";
	b.accept[b.options.n_accept++] = "NET027@mail=not this one";
	a = pvec_add(b.mem, &b.site->accepts);
	*a = (struct site_accept){ .line = 4,
				   .code = "LSM003",
				   .target = "lxc",
				   .reason = "change 42817" };
	strv_add(b.mem, &a->guests, "h1/*");
	a = pvec_add(b.mem, &b.site->accepts);
	*a = (struct site_accept){ .code = "NET019",
				   .reason = "site",
				   .by = "mr" };
	ck_assert_int_eq(plan_options_check(&b.options, &b.e), 0);
	ck_assert_int_eq(plan_accept(&b.p, &b.e), 0);
	ck_assert_str_eq(clash->accepted, "behind = a proxy");
	ck_assert_str_eq(clash->accepted_by, "--accept");
	ck_assert_str_eq(lxc->accepted, "change 42817");
	ck_assert_str_eq(lxc->accepted_by, "/etc/rehost.conf:4");
	ck_assert_ptr_null(incus->accepted);
	ck_assert_ptr_null(other->accepted);
	b.options.n_accept = 0;
	ck_assert_int_eq(plan_accept(&b.p, &b.e), 0);
	ck_assert_str_eq(clash->accepted_by, "mr");
	box_done(&b);
}
END_TEST

START_TEST(not_this_guest)
{
	struct finding *f;
	struct site_accept *a;
	struct box b;

	box_open(&b);
	f = find(&b, FIND_NET_CLASH, NULL);
	a = pvec_add(b.mem, &b.site->accepts);
	*a = (struct site_accept){ .code = "NET019", .reason = "x" };
	strv_add(b.mem, &a->guests, "h2/*");
	ck_assert_int_eq(plan_accept(&b.p, &b.e), 0);
	ck_assert_ptr_null(f->accepted);
	box_done(&b);
}
END_TEST

static const struct {
	const char *text, *message;
} bad_accept[] = {
	{ "NET019", "--accept NET019: a reason is needed" },
	{ "NET019=", "--accept NET019=: a reason is needed" },
	{ "NET999=x", "--accept NET999=x: \"NET999\" is no code" },
	{ "SYN001=x", "--accept SYN001=x: SYN001 cannot be waived" },
	{ "DSK001@web=x", "--accept DSK001@web=x: DSK001 cannot be waived" },
};

START_TEST(refused)
{
	struct box b;

	box_open(&b);
	b.accept[b.options.n_accept++] = bad_accept[_i].text;
	ck_assert_int_eq(plan_options_check(&b.options, &b.e), -1);
	ck_assert_msg(str_starts(b.e.msg, bad_accept[_i].message), "%s",
		      b.e.msg);
	ck_assert_int_eq(plan_accept(&b.p, &b.e), -1);
	ck_assert_msg(str_starts(b.e.msg, bad_accept[_i].message), "%s",
		      b.e.msg);
	box_done(&b);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("options");
	TCase *c = tcase_create("set");
	TCase *a = tcase_create("accept");

	tcase_add_test(c, replaced);
	tcase_add_test(c, absent_before);
	tcase_add_test(c, precedence);
	tcase_add_loop_test(c, which_guest, 0, COUNT(guests));
	tcase_add_test(c, items);
	tcase_add_test(c, later_items);
	tcase_add_test(c, added);
	tcase_add_test(c, renamed);
	tcase_add_test(c, secret);
	tcase_add_loop_test(c, bad_option, 0, COUNT(bad));
	tcase_add_test(c, bad_site);
	tcase_add_test(a, accepted);
	tcase_add_test(a, not_this_guest);
	tcase_add_loop_test(a, refused, 0, COUNT(bad_accept));
	suite_add_tcase(s, c);
	suite_add_tcase(s, a);
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
