/*
 * A guest built by hand and what the LXC emitter makes of it: shared by the
 * tests check_lxc*.c, each a program of its own.
 */
#ifndef REHOST_TESTS_LXC_BOX_H
#define REHOST_TESTS_LXC_BOX_H

#include <check.h>
#include <string.h>

#include "base/attr.h"
#include "base/str.h"
#include "derive.h"
#include "emit/emit.h"
#include "policy/from_guest.h"

extern const struct emitter lxc_emitter;

struct box {
	struct arena *mem;
	struct guest *g;
	struct emit_options options;
	struct emission *em;
	const char *text; /* of the config */
	struct err e;
};

static inline void box_open(struct box *b)
{
	memset(b, 0, sizeof(*b));
	b->mem = arena_new();
	b->g = guest_new(b->mem);
	b->g->host = "h1";
	b->g->kind = "vserver";
	b->g->id = "web";
	b->g->name = "web";
	b->g->key = "h1/vserver:web";
	b->g->source = "/etc/vservers/web";
	b->options = (struct emit_options){ .version = "5.0",
					    .path = "/var/lib/lxc",
					    .cgroup = CGROUP_V2 };
}

static inline void box_done(struct box *b)
{
	arena_free(b->mem);
}

/* A value of the source: of the lowest kind, so that no finding covers it. */
static inline void set(struct box *b, const char *field, void *object,
		       const char *text)
{
	const enum field_id id = field_find(field);

	ck_assert_msg(id != FIELD__MAX, "no field %s", field);
	if (field_get(id)->area != AREA_NONE)
		derive_default(b->g, id, object, text, "the test");
	else if (field_value(id, object).from == NULL)
		ck_assert_int_eq(derive_text(b->g, id, object, text,
					     derive_origin(b->g, ORIGIN_TEXT,
							   "/x", 1, field,
							   NULL),
					     NULL, &b->e),
				 0);
}

static inline void set_guest(struct box *b, const char *field, const char *text)
{
	set(b, field, b->g, text);
}

/* As the plan does where the source has interfaces of its own. */
static inline void name_carriers(struct box *b)
{
	for (size_t i = 0; i < b->g->addrs.n; i++) {
		struct addr *a = b->g->addrs.v[i];

		if (a->nic != NULL && a->nic->name.from != NULL &&
		    a->carrier.from == NULL)
			set(b, "addr.nic", a, a->nic->name.v);
	}
}

/* Takes the guest as it stands for the source's policy, and writes it. */
static inline void emit(struct box *b)
{
	int rc;

	name_carriers(b);
	b->g->policy = policy_from_guest(b->g, b->mem);
	rc = emit_run(&lxc_emitter, b->g, &b->options, b->mem, &b->em, &b->e);
	ck_assert_msg(rc == 0, "%s", b->e.msg);
	b->text = b->em->files.v[0].text;
}

static inline const struct finding *find(const struct box *b, const char *code)
{
	for (size_t i = 0; i < b->g->findings.n; i++)
		if (str_eq(finding_row(b->g->findings.v[i]->id)->code, code))
			return b->g->findings.v[i];
	return NULL;
}

/* Promise 2: nothing differs that no finding tells of. */
static inline void assert_announced(const struct box *b)
{
	const struct finding *f = find(b, "SYN001");

	ck_assert_msg(f == NULL, "%s\n%s", f == NULL ? "" : f->message,
		      b->text);
}

static inline bool has_line(const struct box *b, const char *line)
{
	const size_t n = strlen(line);

	for (const char *at = strstr(b->text, line); at != NULL;
	     at = strstr(at + 1, line))
		if ((at == b->text || at[-1] == '\n') && at[n] == '\n')
			return true;
	return false;
}

static inline void assert_line(const struct box *b, const char *line)
{
	ck_assert_msg(has_line(b, line), "no line \"%s\" in\n%s", line,
		      b->text);
}

static inline void assert_item(const struct box *b, enum field_id f,
			       const char *key, const char *value)
{
	const char *is = policy_get(b->em->policy, f, key);

	ck_assert_msg(str_eq(is, value), "%s %s is %s, not %s",
		      field_get(f)->name, key, is ? is : "absent",
		      value ? value : "absent");
}

static inline const struct emit_outcome *
outcome(const struct box *b, enum field_id f, const void *object)
{
	for (size_t i = 0; i < b->em->outcomes.n; i++)
		if (b->em->outcomes.v[i].field == f &&
		    b->em->outcomes.v[i].object == object)
			return &b->em->outcomes.v[i];
	ck_abort_msg("no outcome of %s", field_get(f)->name);
}

static inline TCase *add_case(Suite *s, const char *name)
{
	TCase *c = tcase_create(name);

	tcase_set_timeout(c, 60);
	suite_add_tcase(s, c);
	return c;
}

static inline int run_suite(Suite *s)
{
	SRunner *r = srunner_create(s);
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}

#endif
