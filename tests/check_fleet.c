/* Unit tests of what needs all guests at once (src/plan/fleet). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "derive.h"
#include "model/guest.h"
#include "plan/fleet.h"
#include "site.h"

struct box {
	struct arena *mem; /* of the guests, whose records are all that stays */
	struct arena *fleet_mem;
	struct fleet *f;
	struct guest *last;
	const struct origin *from;
	struct err e;
};

static void box_open(struct box *b)
{
	memset(b, 0, sizeof(*b));
	b->mem = arena_new();
	b->fleet_mem = arena_new();
	b->f = fleet_new(b->fleet_mem);
}

static void box_done(struct box *b)
{
	arena_free(b->mem);
	arena_free(b->fleet_mem);
}

/* Makes a guest "HOST/vserver:ID" of that name. */
static struct guest *make(struct box *b, const char *host, const char *id,
			  const char *name)
{
	struct guest *g = guest_new(b->mem);

	g->host = host;
	g->kind = "vserver";
	g->id = id;
	g->name = name;
	g->key = arena_printf(b->mem, "%s/%s:%s", host, g->kind, id);
	b->from = derive_origin(g, ORIGIN_TEXT, "/etc/x", 1, "x", NULL);
	return g;
}

static void add_address(struct box *b, struct guest *g, const char *ip,
			const char *dev)
{
	struct addr *a = pvec_add(g->mem, &g->addrs);

	a->ip = (struct opt_str){ .from = b->from, .v = ip };
	if (dev != NULL)
		a->dev = (struct opt_str){ .from = b->from, .v = dev };
}

static void depend(struct box *b, struct guest *g, const char *other)
{
	strv_add(g->mem, &g->depends.v, other);
	g->depends.from = b->from;
}

static void add(struct box *b, const struct guest *g)
{
	json_t *record CLEANUP(json_freep) = fleet_record(g);

	fleet_add(b->f, record);
}

static void settle(struct box *b)
{
	ck_assert_int_eq(fleet_settle(b->f, 1000000, 65536, true, &b->e), 0);
}

static const char *same(struct box *b, const char *what, const char *value,
			const char *key)
{
	struct strv v = fleet_same(b->f, b->mem, what, value, key);

	return strv_join(b->mem, &v, " ");
}

static const char *bad(struct box *b, const char *key)
{
	struct strv v = fleet_bad_depends(b->f, b->mem, key);

	return strv_join(b->mem, &v, " ");
}

static const struct {
	const char *name, *want;
} names[] = {
	{ "web", "web" },           { "web 1", "web-1" },
	{ "..", "guest" },          { "", "guest" },
	{ ".hidden", "hidden" },    { "-rf", "rf" },
	{ "a/b", "a-b" },           { "caf\303\251", "caf--" },
	{ "host", "h-host" },       { "index.json", "h-index.json" },
	{ "a_b.c-D9", "a_b.c-D9" },
};

START_TEST(one_name)
{
	struct box b;

	box_open(&b);
	add(&b, make(&b, "h", "x", names[_i].name));
	settle(&b);
	ck_assert_str_eq(fleet_name(b.f, "h/vserver:x"), names[_i].want);
	ck_assert_ptr_null(fleet_name(b.f, "h/vserver:y"));
	box_done(&b);
}
END_TEST

START_TEST(clashing_names)
{
	struct guest *g;
	struct box b;

	box_open(&b);
	add(&b, make(&b, "h2", "web", "web"));
	add(&b, make(&b, "h1", "web", "web"));
	add(&b, make(&b, "h1", "mail", "mail"));
	/* the name that the clash makes is taken, too */
	add(&b, make(&b, "h3", "z", "h1-web"));
	/* one host, one kind, one name */
	add(&b, make(&b, "h4", "a 1", "same"));
	add(&b, make(&b, "h4", "a-1", "same"));
	g = make(&b, "h4", "101", "same");
	g->kind = "openvz";
	g->key = "h4/openvz:101";
	add(&b, g);
	settle(&b);
	ck_assert_str_eq(fleet_name(b.f, "h2/vserver:web"), "h2-web");
	ck_assert_str_eq(fleet_name(b.f, "h1/vserver:web"), "h1-web-vserver");
	ck_assert_str_eq(fleet_name(b.f, "h3/vserver:z"), "h3-h1-web");
	ck_assert_str_eq(fleet_name(b.f, "h1/vserver:mail"), "mail");
	ck_assert_str_eq(fleet_name(b.f, "h4/openvz:101"), "h4-same-openvz");
	ck_assert_str_eq(fleet_name(b.f, "h4/vserver:a 1"),
			 "h4-same-vserver-a-1");
	ck_assert_str_eq(fleet_name(b.f, "h4/vserver:a-1"),
			 "h4-same-vserver-a-1-1");
	ck_assert_str_eq(same(&b, "name", "web", "h1/vserver:web"),
			 "h2/vserver:web");
	ck_assert_str_eq(same(&b, "name", "mail", "h1/vserver:mail"), "");
	box_done(&b);
}
END_TEST

static void set_things(struct box *b, struct guest *g, const char *ip,
		       uint64_t xid, const char *root, const char *mac)
{
	struct nic *n = pvec_add(g->mem, &g->nics);

	add_address(b, g, ip, "eth0");
	n->mac = (struct opt_str){ .from = b->from, .v = mac };
	g->xid = (struct opt_u64){ .from = b->from, .v = xid };
	g->nid = (struct opt_u64){ .from = b->from, .v = xid + 100 };
	g->tag = (struct opt_u64){ .from = b->from, .v = xid + 200 };
	g->rootfs = (struct opt_str){ .from = b->from, .v = root };
	add(b, g);
}

START_TEST(clashes)
{
	struct box b;

	box_open(&b);
	set_things(&b, make(&b, "h1", "a", "a"), "192.0.2.1", 7, "/v/a",
		   "02:00:00:00:00:01");
	set_things(&b, make(&b, "h1", "b", "b"), "192.0.2.1", 7, "/v/a",
		   "02:00:00:00:00:01");
	set_things(&b, make(&b, "h2", "c", "c"), "192.0.2.1", 7, "/v/a",
		   "02:00:00:00:00:01");
	set_things(&b, make(&b, "h2", "d", "d"), "127.0.0.5", 8, "/v/d",
		   "02:00:00:00:00:02");
	set_things(&b, make(&b, "h2", "e", "e"), "127.0.0.5", 9, "/v/e",
		   "02:00:00:00:00:03");
	settle(&b);
	ck_assert_str_eq(same(&b, "address", "192.0.2.1", "h1/vserver:a"),
			 "h1/vserver:b h2/vserver:c");
	ck_assert_str_eq(same(&b, "mac", "02:00:00:00:00:01", "h1/vserver:b"),
			 "h1/vserver:a h2/vserver:c");
	/* ids and paths mean something on their own host only */
	ck_assert_str_eq(same(&b, "id", "7", "h1/vserver:a"), "h1/vserver:b");
	ck_assert_str_eq(same(&b, "ncontext", "107", "h1/vserver:a"),
			 "h1/vserver:b");
	ck_assert_str_eq(same(&b, "tag", "207", "h1/vserver:a"),
			 "h1/vserver:b");
	ck_assert_str_eq(same(&b, "tag", "207", "h2/vserver:c"), "");
	ck_assert_str_eq(same(&b, "tag", "107", "h1/vserver:a"), "");
	ck_assert_str_eq(same(&b, "root", "/v/a", "h2/vserver:c"), "");
	ck_assert_str_eq(same(&b, "address", "127.0.0.5", "h2/vserver:d"), "");
	ck_assert_str_eq(same(&b, "address", "192.0.2.2", "h1/vserver:a"), "");
	ck_assert_str_eq(same(&b, "colour", "7", "h1/vserver:a"), "");
	box_done(&b);
}
END_TEST

START_TEST(order)
{
	struct guest *g;
	struct box b;

	box_open(&b);
	g = make(&b, "h", "app", "app");
	depend(&b, g, "db");
	depend(&b, g, "ldap");
	add(&b, g);
	g = make(&b, "h", "ldap", "ldap");
	depend(&b, g, "db");
	add(&b, g);
	add(&b, make(&b, "h", "db", "db"));
	add(&b, make(&b, "h", "other", "other"));
	/* another host's db is not meant */
	g = make(&b, "h2", "app", "app");
	depend(&b, g, "db");
	add(&b, g);
	settle(&b);
	ck_assert_int_eq(fleet_order(b.f, "h/vserver:db"), 1);
	ck_assert_int_eq(fleet_order(b.f, "h/vserver:ldap"), 2);
	ck_assert_int_eq(fleet_order(b.f, "h/vserver:app"), 3);
	ck_assert_int_eq(fleet_order(b.f, "h/vserver:other"), 0);
	ck_assert_int_eq(fleet_order(b.f, "h2/vserver:app"), 0);
	ck_assert_str_eq(bad(&b, "h/vserver:app"), "");
	ck_assert_str_eq(bad(&b, "h2/vserver:app"),
			 "\"db\", which is no guest of this host");
	box_done(&b);
}
END_TEST

START_TEST(circle)
{
	static const char *const edges[][2] = {
		{ "a", "b" },       { "b", "c" }, { "c", "a" },
		{ "self", "self" }, { "d", "a" }, { "d", "nobody" },
		{ "b", "base" },
	};
	static const char *const ids[] = { "a", "b", "c", "d", "self", "base" };
	struct box b;

	box_open(&b);
	for (size_t i = 0; i < COUNT(ids); i++) {
		struct guest *g = make(&b, "h", ids[i], ids[i]);

		for (size_t j = 0; j < COUNT(edges); j++)
			if (str_eq(edges[j][0], ids[i]))
				depend(&b, g, edges[j][1]);
		add(&b, g);
	}
	settle(&b);
	ck_assert_str_eq(bad(&b, "h/vserver:a"),
			 "\"b\", which depends on this guest in its turn");
	ck_assert_str_eq(bad(&b, "h/vserver:b"),
			 "\"c\", which depends on this guest in its turn");
	ck_assert_str_eq(bad(&b, "h/vserver:c"),
			 "\"a\", which depends on this guest in its turn");
	ck_assert_str_eq(bad(&b, "h/vserver:self"),
			 "\"self\", which is itself");
	ck_assert_str_eq(bad(&b, "h/vserver:d"),
			 "\"nobody\", which is no guest of this host");
	ck_assert_str_eq(bad(&b, "h/vserver:base"), "");
	/* what is not on the circle keeps its place */
	ck_assert_int_eq(fleet_order(b.f, "h/vserver:base"), 1);
	ck_assert_int_eq(fleet_order(b.f, "h/vserver:b"), 2);
	ck_assert_int_gt(fleet_order(b.f, "h/vserver:d"),
			 fleet_order(b.f, "h/vserver:a"));
	ck_assert_int_eq(fleet_order(b.f, "h/vserver:self"), 0);
	box_done(&b);
}
END_TEST

START_TEST(shared_namespace)
{
	struct guest *g;
	struct box b;

	box_open(&b);
	g = make(&b, "h", "front", "front");
	g->ns_net = (struct opt_str){ .from = b.from, .v = "shared:back" };
	add(&b, g);
	add(&b, make(&b, "h", "back", "back"));
	settle(&b);
	ck_assert_int_eq(fleet_order(b.f, "h/vserver:back"), 1);
	ck_assert_int_eq(fleet_order(b.f, "h/vserver:front"), 2);
	box_done(&b);
}
END_TEST

START_TEST(ranges)
{
	struct box b;

	box_open(&b);
	add(&b, make(&b, "h", "c", "c"));
	add(&b, make(&b, "h", "a", "a"));
	add(&b, make(&b, "h", "b", "b"));
	settle(&b);
	ck_assert_uint_eq(fleet_ids(b.f, "h/vserver:a"), 1000000);
	ck_assert_uint_eq(fleet_ids(b.f, "h/vserver:b"), 1065536);
	ck_assert_uint_eq(fleet_ids(b.f, "h/vserver:c"), 1131072);
	ck_assert_int_eq(fleet_settle(b.f, 1000000, 65536, false, &b.e), 0);
	ck_assert_uint_eq(fleet_ids(b.f, "h/vserver:c"), 1000000);
	ck_assert_int_eq(
		fleet_settle(b.f, 1000000, UINT64_C(1) << 31, true, &b.e), -1);
	ck_assert_ptr_nonnull(strstr(b.e.msg, "idmap"));
	ck_assert_int_eq(fleet_settle(b.f, UINT64_MAX, 2, true, &b.e), -1);
	box_done(&b);
}
END_TEST

/* Neither the order of adding nor how often changes anything. */
START_TEST(any_order)
{
	static const char *const ids[] = { "a", "b", "c", "d", "e" };
	const char *first[COUNT(ids)] = { 0 };
	struct box b;

	for (size_t turn = 0; turn < COUNT(ids); turn++) {
		box_open(&b);
		for (size_t i = 0; i < COUNT(ids); i++) {
			const char *id = ids[(i * 2 + turn) % COUNT(ids)];

			add(&b, make(&b, "h", id, "same"));
		}
		settle(&b);
		for (size_t i = 0; i < COUNT(ids); i++) {
			char key[32], line[128];

			snprintf(key, sizeof(key), "h/vserver:%s", ids[i]);
			snprintf(line, sizeof(line), "%s %llu",
				 fleet_name(b.f, key),
				 (unsigned long long)fleet_ids(b.f, key));
			if (turn == 0)
				first[i] = strdup(line);
			ck_assert_str_eq(line, first[i]);
		}
		box_done(&b);
	}
	for (size_t i = 0; i < COUNT(ids); i++)
		free((void *)(uintptr_t)first[i]);
}
END_TEST

/* At most 2 KiB a guest, design 2.3; 2000 guests in one line of waiting. */
START_TEST(large)
{
	enum { N = 2000 };
	struct box b;

	box_open(&b);
	for (unsigned i = 0; i < N; i++) {
		const char *id = arena_printf(b.mem, "customer-%04u", i);
		struct guest *g = make(&b, "production-host-7", id, id);
		char ip[INET_TEXT];

		for (unsigned j = 0; j < 4; j++) {
			snprintf(ip, sizeof(ip), "10.%u.%u.%u", j, i / 250,
				 i % 250);
			add_address(&b, g, arena_strdup(b.mem, ip), "eth0");
		}
		if (i > 0)
			depend(&b, g,
			       arena_printf(b.mem, "customer-%04u", i - 1));
		set_things(&b, g, arena_printf(b.mem, "192.0.2.%u", i % 250), i,
			   arena_printf(b.mem, "/vservers/%s", id),
			   "02:00:00:00:00:01");
	}
	settle(&b);
	ck_assert_uint_lt(arena_size(b.fleet_mem), N * 2048);
	ck_assert_int_eq(fleet_order(b.f,
				     "production-host-7/vserver:customer-1999"),
			 2000);
	box_done(&b);
}
END_TEST

START_TEST(unused)
{
	struct site *s;
	struct site_subnet *n;
	struct fleet_unused *u;
	struct guest *g;
	struct box b;
	size_t n_unused;

	box_open(&b);
	g = make(&b, "h", "a", "a");
	add_address(&b, g, "192.0.2.1", "eth0");
	add(&b, g);
	settle(&b);
	s = site_new(b.mem);
	n = pvec_add(b.mem, &s->subnets);
	n->text = "198.51.100.0/24";
	n->line = 9;
	ck_assert_int_eq(inet_net_parse(n->text, &n->net, &b.e), 0);
	n = pvec_add(b.mem, &s->subnets);
	ck_assert_int_eq(inet_net_parse("192.0.2.0/24", &n->net, &b.e), 0);
	*pvec_add(b.mem, &s->guests) =
		(struct site_guest){ .line = 5, .pattern = "vserver:b*" };
	*pvec_add(b.mem, &s->guests) =
		(struct site_guest){ .line = 6, .pattern = "h/*" };
	*pvec_add(b.mem, &s->devices) =
		(struct site_device){ .line = 2, .name = "eth1" };
	*pvec_add(b.mem, &s->devices) =
		(struct site_device){ .line = 3, .name = "eth0" };
	u = fleet_unused(b.f, s, b.mem, &n_unused);
	ck_assert_uint_eq(n_unused, 3);
	ck_assert_uint_eq(u[0].line, 2);
	ck_assert_str_eq(u[0].text, "device \"eth1\"");
	ck_assert_uint_eq(u[1].line, 5);
	ck_assert_str_eq(u[1].text, "guest \"vserver:b*\"");
	ck_assert_str_eq(u[2].text, "subnet \"198.51.100.0/24\"");
	box_done(&b);
}
END_TEST

START_TEST(nobody)
{
	struct box b;

	box_open(&b);
	settle(&b);
	ck_assert_ptr_null(fleet_name(b.f, "h/vserver:a"));
	ck_assert_int_eq(fleet_order(b.f, "h/vserver:a"), 0);
	ck_assert_str_eq(same(&b, "name", "a", "h/vserver:a"), "");
	box_done(&b);
}
END_TEST

/* Directory names of any bytes stay apart. */
START_TEST(bytes)
{
	struct box b;

	box_open(&b);
	add(&b, make(&b, "h", "\xff", "\xff"));
	add(&b, make(&b, "h", "\xfe", "\xfe"));
	settle(&b);
	ck_assert_ptr_nonnull(fleet_name(b.f, "h/vserver:\xff"));
	ck_assert_str_ne(fleet_name(b.f, "h/vserver:\xff"),
			 fleet_name(b.f, "h/vserver:\xfe"));
	ck_assert_uint_ne(fleet_ids(b.f, "h/vserver:\xff"),
			  fleet_ids(b.f, "h/vserver:\xfe"));
	ck_assert_uint_eq(fleet_ids(b.f, "h/vserver:gone"), 1131072);
	box_done(&b);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("fleet");
	TCase *c = tcase_create("fleet");

	tcase_add_loop_test(c, one_name, 0, COUNT(names));
	tcase_add_test(c, clashing_names);
	tcase_add_test(c, clashes);
	tcase_add_test(c, order);
	tcase_add_test(c, circle);
	tcase_add_test(c, shared_namespace);
	tcase_add_test(c, ranges);
	tcase_add_test(c, any_order);
	tcase_add_test(c, large);
	tcase_add_test(c, unused);
	tcase_add_test(c, nobody);
	tcase_add_test(c, bytes);
	tcase_set_timeout(c, 60);
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
