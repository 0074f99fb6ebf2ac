/*
 * What needs all guests at once. A guest is a record: its key, its name, and
 * the things that must not be there twice as (what, value) items. Everything
 * is decided in the order of keys.
 */
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/inet.h"
#include "model/guest.h"
#include "plan/fleet.h"
#include "plan/fleet_order.h"
#include "site.h"

enum { NAME_LONG = 100 }; /* bytes of a reduced name: prefixes come on top */

/* What a guest may share with another one by mistake; names in the record. */
enum what { ADDRESS, MAC, NAME, ID, NID, TAG, ROOT, DEVICE, WHAT__MAX };

static const struct {
	const char *name;
	bool one_host; /* means something on the old host only */
} whats[WHAT__MAX] = {
	[ADDRESS] = { .name = "address" },
	[MAC] = { .name = "mac" },
	[NAME] = { .name = "name" },
	[ID] = { .name = "id", .one_host = true },
	[NID] = { .name = "ncontext", .one_host = true },
	[TAG] = { .name = "tag", .one_host = true },
	[ROOT] = { .name = "root", .one_host = true },
	[DEVICE] = { .name = "device", .one_host = true },
};

struct item {
	enum what what;
	const char *value;
	const struct member *member;
};

struct fleet {
	struct arena *mem;
	PVEC(struct member) members; /* settled: by key */
	VEC(struct item) items;      /* settled: by what, value, key */
	uint64_t idmap_base, idmap_step;
};

struct fleet *fleet_new(struct arena *mem)
{
	struct fleet *f = arena_alloc(mem, sizeof(*f));

	f->mem = mem;
	return f;
}

/* Letters, digits, '.', '_' and '-'; anything else becomes '-'. */
static char *reduce(struct arena *mem, const char *name)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._-";
	char *out;

	/* A dash at the start would be taken for an option. */
	while (*name == '.' || *name == '-')
		name++;
	out = arena_strndup(mem, *name == '\0' ? "guest" : name, NAME_LONG);
	for (char *c = out; *c != '\0'; c++)
		if (strchr(legal, *c) == NULL)
			*c = '-';
	return out;
}

/*
 * Names of directories may be any bytes, JSON holds UTF-8 only: bytes that are
 * none are written out, so that two of them stay two.
 */
static const char *as_text(struct arena *mem, const char *s)
{
	const size_t n = strlen(s);

	return str_utf8(s, n) ? s : str_show(mem, s, n, 0);
}

static void put_text(const struct guest *g, json_t *record, const char *key,
		     const char *value)
{
	json_put_str(record, key, as_text(g->mem, value));
}

static void put_list(const struct guest *g, json_t *record, enum what what,
		     const char *value)
{
	json_t *list = json_object_get(record, whats[what].name);

	if (list == NULL) {
		json_put(record, whats[what].name, json_array());
		list = json_object_get(record, whats[what].name);
	}
	json_array_append_new(list, json_text(as_text(g->mem, value)));
}

/* Loopback and link-local addresses may be there as often as one likes. */
static void put_addresses(json_t *record, const struct guest *g)
{
	for (size_t i = 0; i < g->addrs.n; i++) {
		const struct addr *a = g->addrs.v[i];
		struct inet_addr ip;
		struct err e;

		if (a->dev.from != NULL)
			put_list(g, record, DEVICE, a->dev.v);
		if (a->ip.from == NULL || inet_parse(a->ip.v, &ip, &e) < 0 ||
		    inet_is_loopback(&ip) || inet_is_linklocal(&ip) ||
		    inet_is_any(&ip))
			continue;
		put_list(g, record, ADDRESS, a->ip.v);
	}
}

static void put_depends(json_t *record, const struct guest *g)
{
	json_t *list = json_array();
	const struct opt_str *shared[] = { &g->ns_pid, &g->ns_net, &g->ns_ipc,
					   &g->ns_uts };

	for (size_t i = 0; i < g->depends.v.n; i++)
		json_array_append_new(
			list, json_text(as_text(g->mem, g->depends.v.v[i])));
	for (size_t i = 0; i < COUNT(shared); i++)
		if (shared[i]->from != NULL &&
		    str_starts(shared[i]->v, "shared:"))
			json_array_append_new(
				list,
				json_text(as_text(g->mem, shared[i]->v + 7)));
	json_put(record, "depends", list);
}

static void put_id(const struct guest *g, json_t *record, enum what what,
		   const struct opt_u64 *id)
{
	char text[24];

	if (id->from == NULL)
		return;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)id->v);
	put_list(g, record, what, text);
}

json_t *fleet_record(const struct guest *g)
{
	json_t *record = json_object();

	put_text(g, record, "key", g->key);
	put_text(g, record, "host", g->host);
	put_text(g, record, "kind", g->kind);
	put_text(g, record, "guest", g->id);
	put_list(g, record, NAME, g->name);
	put_addresses(record, g);
	for (size_t i = 0; i < g->nics.n; i++) {
		if (g->nics.v[i]->mac.from != NULL)
			put_list(g, record, MAC, g->nics.v[i]->mac.v);
		if (g->nics.v[i]->parent.from != NULL)
			put_list(g, record, DEVICE, g->nics.v[i]->parent.v);
	}
	put_id(g, record, ID, &g->xid);
	put_id(g, record, NID, &g->nid);
	put_id(g, record, TAG, &g->tag);
	if (g->rootfs.from != NULL)
		put_list(g, record, ROOT, g->rootfs.v);
	put_depends(record, g);
	return record;
}

static void add_items(struct fleet *f, const struct member *m,
		      const json_t *record, enum what what)
{
	const json_t *list = json_object_get(record, whats[what].name);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *value = json_string_value(json_array_get(list, i));

		if (value == NULL)
			continue;
		*vec_add(f->mem, &f->items) = (struct item){
			.what = what,
			.value = what == NAME ? m->base :
						arena_strdup(f->mem, value),
			.member = m,
		};
	}
}

void fleet_add(struct fleet *f, const json_t *record)
{
	struct member *m = pvec_add(f->mem, &f->members);
	const json_t *names = json_object_get(record, "name");
	const json_t *list = json_object_get(record, "depends");
	const char *name = json_string_value(json_array_get(names, 0));

	m->key = arena_strdup(f->mem, json_str(record, "key"));
	m->host = arena_strdup(f->mem, json_str(record, "host"));
	m->kind = arena_strdup(f->mem, json_str(record, "kind"));
	m->id = arena_strdup(f->mem, json_str(record, "guest"));
	m->base = reduce(f->mem, name == NULL ? m->id : name);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *other = json_string_value(json_array_get(list, i));

		if (other != NULL)
			strv_add(f->mem, &m->depends,
				 arena_strdup(f->mem, other));
	}
	for (unsigned what = 0; what < WHAT__MAX; what++)
		add_items(f, m, record, what);
}

static int by_key(const void *a, const void *b)
{
	const struct member *const *x = a;
	const struct member *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static int by_item(const void *a, const void *b)
{
	const struct item *x = a;
	const struct item *y = b;
	int c;

	if (x->what != y->what)
		return x->what < y->what ? -1 : 1;
	c = strcmp(x->value, y->value);
	return c != 0 ? c : strcmp(x->member->key, y->member->key);
}

static int by_name(const void *a, const void *b)
{
	const struct member *const *x = a;
	const struct member *const *y = b;
	const int c = strcmp((*x)->name, (*y)->name);

	return c != 0 ? c : strcmp((*x)->key, (*y)->key);
}

/* How much stands around the name: nothing, HOST-, then -KIND, then -ID. */
enum { ALONE, WITH_HOST, WITH_KIND, WITH_ID };

static void make_name(struct arena *mem, struct member *m)
{
	const char *host = reduce(mem, m->host);
	const char *kind = reduce(mem, m->kind);

	switch (m->level) {
	case ALONE:
		m->name = m->base;
		break;
	case WITH_HOST:
		m->name = arena_printf(mem, "%s-%s", host, m->base);
		break;
	case WITH_KIND:
		m->name = arena_printf(mem, "%s-%s-%s", host, m->base, kind);
		break;
	case WITH_ID:
		m->name = arena_printf(mem, "%s-%s-%s-%s", host, m->base, kind,
				       reduce(mem, m->id));
		break;
	default: /* ids that differ in illegal bytes only */
		m->name = arena_printf(mem, "%s-%s-%s-%s-%u", host, m->base,
				       kind, reduce(mem, m->id),
				       m->level - WITH_ID);
		break;
	}
}

/* Files of the output directory: design 1.2. */
static bool is_reserved(const char *name)
{
	static const char *const names[] = { "index.json", "report.html",
					     "host" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

/*
 * One step for those whose name is not theirs alone. All of them take it, so
 * that no name depends on who came first; only at the end, where nothing is
 * left to tell them apart, the order of keys does.
 */
static bool raise_names(struct arena *mem, struct member **v, size_t n)
{
	bool raised = false;
	size_t end;

	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n; end++)
			if (!str_eq(v[end]->name, v[i]->name))
				break;
		if (end == i + 1 && !is_reserved(v[i]->name))
			continue;
		for (size_t j = i; j < end; j++) {
			if (v[j]->level < WITH_ID)
				v[j]->level++;
			else
				v[j]->level += (unsigned)(j - i);
			make_name(mem, v[j]);
		}
		raised = true;
	}
	return raised;
}

static void settle_names(struct fleet *f)
{
	const size_t n = f->members.n;
	struct member **v =
		arena_memdup(f->mem, f->members.v, n * sizeof(struct member *));

	for (size_t i = 0; i < n; i++)
		make_name(f->mem, v[i]);
	do
		qsort(v, n, sizeof(struct member *), by_name);
	while (raise_names(f->mem, v, n));
}

int fleet_settle(struct fleet *f, uint64_t idmap_base, uint64_t idmap_size,
		 bool per_guest, struct err *e)
{
	const uint64_t ranges = per_guest ? f->members.n : 1;

	if (idmap_base > UINT32_MAX || idmap_size > UINT32_MAX ||
	    idmap_size * ranges > UINT32_MAX - idmap_base)
		return err_set(e, 0,
			       "idmap: %zu guests with %llu ids each from %llu "
			       "on need more than 32 bits",
			       f->members.n, (unsigned long long)idmap_size,
			       (unsigned long long)idmap_base);
	f->idmap_base = idmap_base;
	f->idmap_step = per_guest ? idmap_size : 0;
	if (f->members.n == 0)
		return 0;
	qsort(f->members.v, f->members.n, sizeof(*f->members.v), by_key);
	qsort(f->items.v, f->items.n, sizeof(*f->items.v), by_item);
	settle_names(f);
	fleet_order_settle(f->members.v, f->members.n, f->mem);
	return 0;
}

/* The place of the key in the order of keys; false: not in the fleet. */
static bool find(const struct fleet *f, const char *key, size_t *ret)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	size_t low = 0, high = f->members.n;

	key = as_text(mem, key);
	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		const int c = strcmp(f->members.v[mid]->key, key);

		if (c == 0) {
			*ret = mid;
			return true;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

const char *fleet_name(const struct fleet *f, const char *key)
{
	size_t i;

	return find(f, key, &i) ? f->members.v[i]->name : NULL;
}

uint64_t fleet_ids(const struct fleet *f, const char *key)
{
	size_t i = f->members.n; /* nobody's, for a guest that is not there */

	find(f, key, &i);
	return f->idmap_base + i * f->idmap_step;
}

long fleet_order(const struct fleet *f, const char *key)
{
	size_t i;

	return find(f, key, &i) ? f->members.v[i]->order : 0;
}

struct strv fleet_bad_depends(const struct fleet *f, struct arena *mem,
			      const char *key)
{
	struct strv bad = { 0 };
	size_t i;

	if (!find(f, key, &i))
		return bad;
	for (size_t j = 0; j < f->members.v[i]->bad.n; j++)
		strv_add(mem, &bad, f->members.v[i]->bad.v[j]);
	return bad;
}

/* The first item that is not before (what, value). */
static size_t first_item(const struct fleet *f, enum what what,
			 const char *value)
{
	size_t low = 0, high = f->items.n;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		const struct item *it = &f->items.v[mid];

		if (it->what < what ||
		    (it->what == what && strcmp(it->value, value) < 0))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct strv fleet_same(const struct fleet *f, struct arena *mem,
		       const char *what, const char *value, const char *key)
{
	struct strv others = { 0 };
	unsigned w = 0;
	size_t own;

	while (w < WHAT__MAX && !str_eq(whats[w].name, what))
		w++;
	if (w == WHAT__MAX || !find(f, key, &own))
		return others;
	value = as_text(mem, value);
	if (w == NAME)
		value = reduce(mem, value);
	for (size_t i = first_item(f, w, value); i < f->items.n; i++) {
		const struct item *it = &f->items.v[i];

		if (it->what != w || !str_eq(it->value, value))
			break;
		if (it->member == f->members.v[own] ||
		    (whats[w].one_host &&
		     !str_eq(it->member->host, f->members.v[own]->host)) ||
		    strv_has(&others, it->member->key))
			continue;
		strv_add(mem, &others, it->member->key);
	}
	return others;
}

static bool fits_guest(const struct fleet *f, const char *pattern)
{
	for (size_t i = 0; i < f->members.n; i++)
		if (site_fits(pattern, f->members.v[i]->key))
			return true;
	return false;
}

static bool fits_device(const struct fleet *f, const char *pattern)
{
	for (size_t i = first_item(f, DEVICE, ""); i < f->items.n; i++)
		if (f->items.v[i].what == DEVICE &&
		    str_glob(pattern, f->items.v[i].value))
			return true;
	return false;
}

static bool fits_subnet(const struct fleet *f, const struct inet_net *net)
{
	for (size_t i = first_item(f, ADDRESS, ""); i < f->items.n; i++) {
		const struct item *it = &f->items.v[i];
		struct inet_addr a;
		struct err e;

		if (it->what == ADDRESS && inet_parse(it->value, &a, &e) == 0 &&
		    inet_net_has(net, &a))
			return true;
	}
	return false;
}

struct unused_list {
	struct fleet_unused *v;
	size_t n, cap;
};

static void add_unused(struct arena *mem, struct unused_list *list,
		       unsigned line, const char *word, const char *pattern)
{
	*vec_add(mem, list) = (struct fleet_unused){
		.line = line,
		.text = arena_printf(mem, "%s \"%s\"", word, pattern),
	};
}

static int by_line(const void *a, const void *b)
{
	const struct fleet_unused *x = a;
	const struct fleet_unused *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return strcmp(x->text, y->text);
}

struct fleet_unused *fleet_unused(const struct fleet *f, const struct site *s,
				  struct arena *mem, size_t *ret_n)
{
	struct unused_list list = { 0 };

	for (size_t i = 0; i < s->guests.n; i++)
		if (!fits_guest(f, s->guests.v[i]->pattern))
			add_unused(mem, &list, s->guests.v[i]->line, "guest",
				   s->guests.v[i]->pattern);
	for (size_t i = 0; i < s->accepts.n; i++)
		for (size_t j = 0; j < s->accepts.v[i]->guests.n; j++)
			if (!fits_guest(f, s->accepts.v[i]->guests.v[j]))
				add_unused(mem, &list, s->accepts.v[i]->line,
					   "accept: guest",
					   s->accepts.v[i]->guests.v[j]);
	for (size_t i = 0; i < s->devices.n; i++)
		if (!fits_device(f, s->devices.v[i]->name))
			add_unused(mem, &list, s->devices.v[i]->line, "device",
				   s->devices.v[i]->name);
	for (size_t i = 0; i < s->subnets.n; i++)
		if (!fits_subnet(f, &s->subnets.v[i]->net))
			add_unused(mem, &list, s->subnets.v[i]->line, "subnet",
				   s->subnets.v[i]->text);
	if (list.n > 1)
		qsort(list.v, list.n, sizeof(*list.v), by_line);
	*ret_n = list.n;
	return list.v;
}
