/*
 * The site file that a fleet needs: a block for every device and network that
 * carries addresses, filled in where the facts know, and a line for every
 * finding that only the operator can settle.
 */
#include <string.h>
#include <sys/socket.h>

#include "base/inet.h"
#include "base/log.h"
#include "cli/template.h"
#include "site.h"

/* One line of the template; equal ones of several guests are one. */
struct choice {
	const char *line;
	unsigned guests;
};

struct choices {
	struct arena *mem;
	VEC(struct choice) list[3]; /* devices, subnets, guests */
};

enum { DEVICES, SUBNETS, GUESTS };

static void add_line(json_t *lists, int which, const char *line)
{
	json_array_append_new(json_array_get(lists, (size_t)which),
			      json_text(line));
}

static void device_line(struct work *w, const struct nic *n, json_t *lists)
{
	const char *v4 = n->gateway4.from == NULL ?
				 "" :
				 arena_printf(w->mem, "  gateway4 = \"%s\"",
					      n->gateway4.v);
	const char *v6 = n->gateway6.from == NULL ?
				 "" :
				 arena_printf(w->mem, "  gateway6 = \"%s\"",
					      n->gateway6.v);

	/* what no wire carried needs no decision */
	if (n->parent.from == NULL || n->attach.from == NULL ||
	    str_eq(n->attach.v, "routed:lo"))
		return;
	add_line(lists, DEVICES,
		 arena_printf(w->mem, "device \"%s\" { attach = \"%s\"%s%s }",
			      n->parent.v, n->attach.v, v4, v6));
}

/* An address whose device nobody knows: its network has to be named. */
static void subnet_line(struct work *w, const struct addr *a, json_t *lists)
{
	struct inet_addr ip;
	struct err e;

	if (a->nic != NULL || a->ip.from == NULL ||
	    inet_parse(a->ip.v, &ip, &e) < 0)
		return;
	add_line(lists, SUBNETS,
		 arena_printf(w->mem,
			      "# subnet \"%s/%u\" { attach = \"bridge:IF\"  "
			      "gateway = \"ADDRESS\" }    # %s",
			      a->ip.v, inet_bits(&ip), w->g->key));
}

/* A blocker that cannot be waived has no accept block to fill in. */
static const char *guest_line(struct work *w, const struct finding *f,
			      const struct finding_row *row)
{
	const char *what = arena_printf(
		w->mem, "# %s %s: %s", row->code, w->g->key,
		str_show(w->mem, f->message, strlen(f->message), 160));

	if (row->waive == WAIVE_NO)
		return arena_printf(w->mem, "%s (cannot be accepted)", what);
	return arena_printf(w->mem,
			    "%s\n# accept \"%s\" { guests = {\"%s\"}  reason "
			    "= \"\"  by = \"\" }",
			    what, row->code, w->g->key);
}

/* What is blocked or lost until the operator speaks. */
static void guest_lines(struct work *w, json_t *lists)
{
	for (size_t i = 0; i < w->g->findings.n; i++) {
		const struct finding *f = w->g->findings.v[i];
		const struct finding_row *row = finding_row(f->id);

		if (row->severity != SEV_BLOCKER || f->accepted != NULL)
			continue;
		add_line(lists, GUESTS, guest_line(w, f, row));
	}
}

static int template_one(void *planning, size_t i, struct buf *record,
			struct buf *section, struct err *e)
{
	struct planning *p = planning;
	struct work *w CLEANUP(work_freep) = NULL;
	json_t *lists CLEANUP(json_freep) = json_pack("[[],[],[]]");
	json_t *doc CLEANUP(json_freep) = NULL;
	json_t *rec CLEANUP(json_freep) = NULL;

	(void)section;
	if (work_read(p->s, i, &w, e) < 0 || work_plan(w, e) < 0)
		return -1;
	for (size_t j = 0; j < w->g->nics.n; j++)
		device_line(w, w->g->nics.v[j], lists);
	for (size_t j = 0; j < w->g->addrs.n; j++)
		subnet_line(w, w->g->addrs.v[j], lists);
	guest_lines(w, lists);
	doc = work_document(w, true);
	rec = report_record(doc);
	json_put(rec, "choices", json_incref(lists));
	json_write_compact(record, rec);
	return 0;
}

static void collect(struct planning *p, size_t i, const json_t *record)
{
	struct choices *c = p->arg;
	const json_t *lists = json_object_get(record, "choices");

	(void)i;
	for (size_t l = 0; l < COUNT(c->list); l++) {
		const json_t *list = json_array_get(lists, l), *line;
		size_t j;

		json_array_foreach (list, j, line) {
			const char *text = json_string_value(line);
			bool known = false;

			for (size_t k = 0; k < c->list[l].n && !known; k++)
				if (str_eq(c->list[l].v[k].line, text)) {
					c->list[l].v[k].guests++;
					known = true;
				}
			if (!known)
				*vec_add(c->mem, &c->list[l]) = (struct choice){
					arena_strdup(c->mem, text), 1
				};
		}
	}
}

static void print_list(FILE *to, const struct choices *c, int which,
		       const char *title)
{
	if (c->list[which].n == 0)
		return;
	fprintf(to, "\n# %s\n", title);
	for (size_t i = 0; i < c->list[which].n; i++)
		fprintf(to, "%s%s\n", c->list[which].v[i].line,
			which == DEVICES ?
				arena_printf(c->mem, "    # %u guest%s",
					     c->list[which].v[i].guests,
					     c->list[which].v[i].guests == 1 ?
						     "" :
						     "s") :
				"");
}

static void print_words(FILE *to)
{
	size_t n;
	const struct site_word *words = site_words(&n);

	fputs("\n# Choices of the whole site, with what holds now "
	      "(rehost explain site).\n",
	      to);
	for (size_t i = 0; i < n; i++)
		fprintf(to, "# %s = \"%s\"\n", words[i].name, words[i].value);
}

int template_print(struct planning *p, FILE *to, struct err *e)
{
	struct choices c = { .mem = p->s->mem };

	p->arg = &c;
	p->after = collect;
	if (planning_run(p, template_one, e) < 0)
		return -1;
	fputs("# Site file for rehost; see rehost.conf(5).\n"
	      "# Lines without # hold as they are; the others wait.\n",
	      to);
	print_list(to, &c, DEVICES,
		   "How the addresses of each device of the old hosts reach "
		   "the wire.");
	print_list(to, &c, SUBNETS, "Addresses whose device is not known.");
	print_list(to, &c, GUESTS, "Guests that are blocked until decided.");
	print_words(to);
	return p->totals.failed != 0 ? EXIT_FAILED : EXIT_OK;
}
