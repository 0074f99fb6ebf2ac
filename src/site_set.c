/*
 * FIELD=VALUE, as `set` of a guest block and --set take it. The value is
 * tried on an object that is thrown away, so that a mistake is told at the
 * line or option where it stands, whatever guest it is for.
 */
#include <string.h>

#include "base/attr.h"
#include "base/devrule.h"
#include "base/inet.h"
#include "derive.h"
#include "site.h"

static int check_address(const char *value, struct err *e)
{
	struct inet_addr a;

	return inet_parse(value, &a, e);
}

static int check_mac(const char *value, struct err *e)
{
	uint8_t mac[6];

	return inet_mac_parse(value, mac, e);
}

static int check_device(const char *value, struct err *e)
{
	struct devrule rule;

	return devrule_parse(value, &rule, e);
}

static int check_ifname(const char *value, struct err *e)
{
	if (!inet_ifname_ok(value))
		return err_set(e, 0, "\"%s\" is no name of an interface",
			       value);
	return 0;
}

static int check_path(const char *value, struct err *e)
{
	if (*value != '/')
		return err_set(e, 0, "\"%s\" is no absolute path", value);
	return 0;
}

/* Fields whose text has a form that the type does not show. */
static const struct {
	enum field_id field;
	int (*check)(const char *value, struct err *e);
} forms[] = {
	{ .field = FIELD_NIC_ATTACH, .check = site_words_attach },
	{ .field = FIELD_NIC_MAC, .check = check_mac },
	{ .field = FIELD_NIC_GATEWAY4, .check = check_address },
	{ .field = FIELD_NIC_GATEWAY6, .check = check_address },
	{ .field = FIELD_ADDR_IP, .check = check_address },
	{ .field = FIELD_ADDR_NIC, .check = check_ifname },
	{ .field = FIELD_ADDR_BROADCAST, .check = check_address },
	{ .field = FIELD_ADDR_PEER, .check = check_address },
	{ .field = FIELD_ROUTE_VIA, .check = check_address },
	{ .field = FIELD_DEVICE_RULE, .check = check_device },
	{ .field = FIELD_DEVICE_PATH, .check = check_path },
	{ .field = FIELD_MOUNT_TARGET, .check = check_path },
	{ .field = FIELD_ROOTFS, .check = check_path },
};

static int check_form(enum field_id id, const char *value, struct err *e)
{
	for (size_t i = 0; i < COUNT(forms); i++)
		if (forms[i].field == id && forms[i].check(value, e) < 0)
			return err_wrap(e, "%s", field_get(id)->name);
	return 0;
}

/* No target's file can express them. */
static int check_bytes(const char *value, struct err *e)
{
	for (const char *c = value; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return err_set(e, 0, "control byte in the value");
	return 0;
}

/* Does what the pass will do, to an object that nobody sees. */
static int check_value(enum field_id id, const char *value, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct guest *g = guest_new(mem);
	const struct origin *from =
		derive_origin(g, ORIGIN_OPTION, "", 0, "", NULL);
	struct finding *f =
		finding_add(g, FIND_SRC_OVERRIDDEN, NULL, from, "tried");
	/* Every list's item is smaller than the guest. */
	void *object = field_get(id)->scope == SCOPE_GUEST ?
			       (void *)g :
			       arena_alloc(mem, sizeof(*g));

	return derive_text(g, id, object, value, from, f, e);
}

/* "nic.0.attach" to the field nic.attach and the item "0". */
static enum field_id find_item(struct arena *mem, const char *name,
			       const char **ret_item)
{
	const char *first = strchr(name, '.');
	const char *last = strrchr(name, '.');
	enum field_id id;

	if (first == NULL || last - first < 2)
		return FIELD__MAX;
	id = field_find(
		arena_printf(mem, "%.*s%s", (int)(first - name), name, last));
	if (id == FIELD__MAX || field_get(id)->scope == SCOPE_GUEST)
		return FIELD__MAX;
	*ret_item = arena_strndup(mem, first + 1, (size_t)(last - first - 1));
	return id;
}

bool site_set_is_field(const char *name, size_t n)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const char *text = arena_strndup(mem, name, n);
	const char *item;

	return field_find(text) != FIELD__MAX ||
	       find_item(mem, text, &item) != FIELD__MAX;
}

static int find_field(struct arena *mem, const char *name, struct site_set *s,
		      struct err *e)
{
	s->item = NULL;
	s->field = field_find(name);
	if (s->field == FIELD__MAX)
		s->field = find_item(mem, name, &s->item);
	if (s->field == FIELD__MAX)
		return err_set(e, 0, "\"%s\" is no field", name);
	if (s->item == NULL && field_get(s->field)->scope != SCOPE_GUEST)
		return err_set(e, 0,
			       "%s is a field of a list: name the item, %s.0%s",
			       name,
			       field_scope_name(field_get(s->field)->scope),
			       strrchr(name, '.'));
	return 0;
}

int site_set_parse(const char *text, struct arena *mem, struct site_set *ret,
		   struct err *e)
{
	const char *equals = strchr(text, '=');
	struct site_set s;

	if (equals == NULL || equals == text)
		return err_set(e, 0, "\"%s\" is not FIELD=VALUE", text);
	s.value = arena_strdup(mem, equals + 1);
	if (find_field(mem, arena_strndup(mem, text, (size_t)(equals - text)),
		       &s, e) < 0)
		return -1;
	if (check_bytes(s.value, e) < 0)
		return err_wrap(e, "%s", field_get(s.field)->name);
	if (check_form(s.field, s.value, e) < 0 ||
	    check_value(s.field, s.value, e) < 0)
		return -1;
	*ret = s;
	return 0;
}
