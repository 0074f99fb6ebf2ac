/* The site's decisions: defaults and look-ups. site_read.c fills it. */
#include <string.h>

#include "base/str.h"
#include "site.h"

/* What subuid(5) files of current distributions leave free. */
enum { IDMAP_BASE = 1000000, IDMAP_SIZE = 65536 };

struct site *site_new(struct arena *mem)
{
	struct site *s = arena_alloc(mem, sizeof(*s));
	size_t n;
	const struct site_word *words = site_words(&n);

	s->idmap_base = IDMAP_BASE;
	s->idmap_size = IDMAP_SIZE;
	s->idmap_per_guest = true;
	for (size_t i = 0; i < n; i++)
		*vec_add(mem, &s->choices) = (struct site_choice){
			.name = words[i].name,
			.value = words[i].value,
		};
	return s;
}

static const struct site_choice *find_choice(const struct site *s,
					     const char *name)
{
	for (size_t i = 0; i < s->choices.n; i++)
		if (str_eq(s->choices.v[i].name, name))
			return &s->choices.v[i];
	return NULL;
}

const char *site_choice(const struct site *s, const char *name)
{
	const struct site_choice *c = find_choice(s, name);

	return c == NULL ? "" : c->value;
}

unsigned site_choice_line(const struct site *s, const char *name)
{
	const struct site_choice *c = find_choice(s, name);

	return c == NULL ? 0 : c->line;
}

const struct site_subnet *site_subnet(const struct site *s,
				      const struct inet_addr *a)
{
	const struct site_subnet *best = NULL;

	for (size_t i = 0; i < s->subnets.n; i++) {
		const struct site_subnet *it = s->subnets.v[i];

		if (inet_net_has(&it->net, a) &&
		    (best == NULL || it->net.prefix > best->net.prefix))
			best = it;
	}
	return best;
}

const struct site_device *site_device(const struct site *s, const char *dev)
{
	for (size_t i = 0; i < s->devices.n; i++)
		if (str_glob(s->devices.v[i]->name, dev))
			return s->devices.v[i];
	return NULL;
}

const struct site_target *site_target(const struct site *s, const char *name)
{
	for (size_t i = 0; i < s->targets.n; i++)
		if (str_eq(s->targets.v[i]->name, name))
			return s->targets.v[i];
	return NULL;
}

bool site_fits(const char *pattern, const char *key)
{
	const char *slash = strchr(key, '/');

	if (strchr(pattern, '/') == NULL && slash != NULL)
		key = slash + 1;
	return str_glob(pattern, key);
}
