/*
 * The site file (rehost.conf(5)): the operator's decisions, each with its
 * line. Read by libconfuse. See design part 1.3 for the words.
 */
#ifndef REHOST_SITE_H
#define REHOST_SITE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/inet.h"
#include "base/str.h"
#include "model/field.h"

struct site_subnet {
	unsigned line;
	const char *text; /* "192.0.2.0/24" */
	struct inet_net net;
	const char *attach, *gateway; /* NULL: not given */
	struct strv dns;
	long vlan; /* -1: not given */
};

struct site_device {
	unsigned line;
	const char *name, *attach; /* name: globs allowed */
	const char *gateway4, *gateway6;
	long vlan, mtu; /* -1: not given */
};

struct site_guest {
	unsigned line;
	const char *pattern; /* "ovz07/openvz:101", globs allowed */
	const char *name, *target, *reason;
	long id; /* 0: not given */
	bool skip;
	struct strv set;   /* "limit.memory=8G" */
	unsigned set_line; /* of the word */
};

struct site_accept {
	unsigned line;
	const char *code, *target, *reason, *by;
	struct strv guests; /* patterns; none: every guest */
};

struct site_target {
	unsigned line;
	const char *name, *path, *version, *cgroup; /* "v1" "v2" "both" */
	const char *pool, *project;
};

struct site_choice {              /* one word of `explain site` */
	const char *name, *value; /* as given, or the default */
	unsigned line;            /* 0: the default */
};

struct site {
	const char *file; /* NULL: no site file */
	PVEC(struct site_subnet) subnets;
	PVEC(struct site_device) devices;
	PVEC(struct site_guest) guests;
	PVEC(struct site_accept) accepts;
	PVEC(struct site_target) targets;
	VEC(struct site_choice) choices;
	uint64_t idmap_base, idmap_size;
	bool idmap_per_guest;
	unsigned idmap_line; /* 0: not given */
	const char *require; /* verdict; NULL: not given */
};

/* One row a top-level word: the documentation of `explain site`. */
struct site_word {
	const char *name, *value, *text; /* value: the default, "" none */
	const char *allowed; /* "new|old"; upper case: a kind of value */
};
const struct site_word *site_words(size_t *ret_n);

/* Checks of values, one for each kind; the error says what is allowed. */
int site_words_check(const struct site_word *w, const char *value,
		     struct err *e);
int site_words_attach(const char *value, struct err *e); /* nic.attach */

/* An empty site (all defaults). */
struct site *site_new(struct arena *mem);

/* Unknown words and bad values are errors with file and line. */
int site_read(const char *path, struct arena *mem, struct site **ret,
	      struct err *e);

/* The value of a top-level word: "vserver-release", "memory-headroom" ... */
const char *site_choice(const struct site *s, const char *name);
unsigned site_choice_line(const struct site *s, const char *name);

/*
 * One element of `set` or of --set: FIELD=VALUE for a field of the guest, and
 * SCOPE.ITEM.MEMBER=VALUE for one of its lists, ITEM being a place from 0 or
 * the item's key: nic.0.attach, addr.192.0.2.10.prefix, mount./tmp.options.
 * Field and value are checked here; whether the item exists is not.
 */
struct site_set {
	enum field_id field;
	const char *item; /* NULL: the guest itself */
	const char *value;
};
/* Whether the first n bytes name a field, so that a guest's name ends there. */
bool site_set_is_field(const char *name, size_t n);
int site_set_parse(const char *text, struct arena *mem, struct site_set *ret,
		   struct err *e);

/* The smallest subnet that holds the address; NULL: none. */
const struct site_subnet *site_subnet(const struct site *s,
				      const struct inet_addr *a);
/* The first block that fits; NULL: none. */
const struct site_device *site_device(const struct site *s, const char *dev);
const struct site_target *site_target(const struct site *s, const char *name);
/*
 * Whether a guest pattern fits a key "HOST/KIND:ID"; one without a slash is
 * about KIND:ID on any host.
 */
bool site_fits(const char *pattern, const char *key);

#endif
