/*
 * Hostile values in every field of the model: none becomes a setting of an
 * LXC config, none is lost without a finding.
 */
#include "tests/lxc_objects.h"

static const char *const hostile[] = {
	"x\nlxc.hook.start=/evil",
	"x\rlxc.hook.start=/evil",
	"\nlxc.hook.start=/evil\n",
	"x\x01y",
	"\x7f",
	"\"q\"",
	"'",
	"",
	" lead",
	"trail ",
	"#c",
	"=",
	"a=b",
	"../../etc",
	"/",
	"/a/../b",
	"\xff\xfe",
	"%s%n%s",
	"a,b",
	"a\\040b",
	"max",
	"-1",
	"lxc.hook.start=/evil",
	"shared:x\nlxc.hook.start=/evil",
	"bridge:x\nlxc.hook.start=/evil",
	"c 1:3\nlxc.hook.start=/evil",
	"18446744073709551616",
};

/* The other fields of the guest's one object of each list. */
static const char *const legal[][2] = {
	{ "nic.name", "eth0" },
	{ "nic.attach", "bridge:br0" },
	{ "addr.ip", "192.0.2.10" },
	{ "addr.prefix", "24" },
	{ "route.dest", "default" },
	{ "route.via", "192.0.2.1" },
	{ "mount.target", "/data" },
	{ "mount.source", "/srv" },
	{ "mount.type", "none" },
	{ "mount.options", "bind" },
	{ "device.rule", "c 10:229" },
	{ "device.access", "rw" },
	{ "device.path", "/dev/fuse" },
	{ "rlimit.name", "nproc" },
	{ "rlimit.soft", "1" },
	{ "rlimit.hard", "2" },
	{ "sysctl.name", "net.ipv4.ip_forward" },
	{ "sysctl.value", "1" },
	{ "env.name", "X" },
	{ "env.value", "y" },
	{ "hook.path", "/x" },
	{ "disk.path", "/" },
	{ "disk.space", "4096" },
	{ "io.device", "8:0" },
	{ "io.read-bytes", "4096" },
	{ "idmap.kind", "u" },
	{ "idmap.inside", "0" },
	{ "idmap.outside", "100000" },
	{ "idmap.count", "65536" },
};

static void *object_of(struct box *b, enum scope scope)
{
	struct nic *n;
	struct addr *a;

	switch (scope) {
	case SCOPE_NIC:
		return pvec_add(b->mem, &b->g->nics);
	case SCOPE_ADDR:
		n = add_nic(b, "eth0", "bridge:br0");
		a = pvec_add(b->mem, &b->g->addrs);
		a->nic = n;
		return a;
	case SCOPE_ROUTE:
		return pvec_add(b->mem, &b->g->routes);
	case SCOPE_MOUNT:
		return pvec_add(b->mem, &b->g->mounts);
	case SCOPE_DEVICE:
		return pvec_add(b->mem, &b->g->devices);
	case SCOPE_RLIMIT:
		return pvec_add(b->mem, &b->g->rlimits);
	case SCOPE_SYSCTL:
		return pvec_add(b->mem, &b->g->sysctls);
	case SCOPE_ENV:
		return pvec_add(b->mem, &b->g->envs);
	case SCOPE_HOOK:
		return pvec_add(b->mem, &b->g->hooks);
	case SCOPE_DISK:
		return pvec_add(b->mem, &b->g->disks);
	case SCOPE_IO:
		return pvec_add(b->mem, &b->g->ios);
	case SCOPE_IDMAP:
		return pvec_add(b->mem, &b->g->idmaps);
	case SCOPE_GUEST:
	case SCOPE__MAX:
		break;
	}
	return b->g;
}

/* Nothing of a source becomes a setting, or escapes its comment. */
static void assert_harmless(const struct box *b, const char *field,
			    const char *text)
{
	struct slice rest = { b->text, strlen(b->text) }, line;

	while (slice_next(&rest, '\n', &line)) {
		const char *l = slice_dup(b->mem, line);
		bool plain = true;

		for (const char *c = l; *c != '\0'; c++)
			if ((unsigned char)*c < 0x20 && *c != '\t')
				plain = false;
		ck_assert_msg(plain && !str_starts(l, "lxc.hook") &&
				      (*l == '\0' || *l == '#' ||
				       str_starts(l, "lxc.")),
			      "%s = \"%s\" gave the line \"%s\"", field, text,
			      l);
	}
}

static void hostile_value(enum field_id id, const char *value)
{
	const struct field *f = field_get(id);
	void *object;
	struct box b;

	box_open(&b);
	object = object_of(&b, f->scope);
	set(&b, f->name, object, value);
	for (size_t i = 0; i < COUNT(legal) && f->scope != SCOPE_GUEST; i++)
		if (field_get(field_find(legal[i][0]))->scope == f->scope)
			set(&b, legal[i][0], object, legal[i][1]);
	/* what the plan withholds it announces itself */
	if (id != FIELD_DEVICE_ACCESS || value[0] != '\0') {
		emit(&b);
		assert_harmless(&b, f->name, value);
		assert_announced(&b);
	}
	box_done(&b);
}

START_TEST(hostile_field)
{
	const enum field_id id = (enum field_id)_i;
	const enum value_type type = field_get(id)->type;

	if (type == VALUE_STR || type == VALUE_STRV)
		for (size_t i = 0; i < COUNT(hostile); i++)
			hostile_value(id, hostile[i]);
}
END_TEST

/* Names and paths that are no fields, but stand in the file. */
START_TEST(hostile_guest)
{
	struct box b;

	box_open(&b);
	b.g->key = "h\nlxc.hook.start = /evil/vserver:web";
	b.g->name = "x\nlxc.hook.start = /evil";
	emit(&b);
	assert_harmless(&b, "name", b.g->name);
	ck_assert_ptr_nonnull(find(&b, "INI014"));
	box_done(&b);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("lxc hostile");
	TCase *h = add_case(s, "hostile");

	tcase_add_loop_test(h, hostile_field, 0, FIELD__MAX);
	tcase_add_test(h, hostile_guest);
	return s;
}

int main(void)
{
	return run_suite(suite());
}
