/*
 * Capabilities and flags: the lists of words that the old tools turned into
 * masks (lib/listparser.hc). The default set is overwritten bit by bit in file
 * order, so an item can be undone by a later one. Each item is a setting with
 * an outcome of its own, by the row of the bit it names.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/cap.h"
#include "base/num.h"
#include "base/str.h"
#include "derive.h"
#include "facts.h"
#include "importers/vserver/caps.h"
#include "importers/vserver/read.h"

/* One list: where its rows are, what may stand before a word. */
static const struct list_row {
	const char *rows;   /* "FILE:" before the bit's word */
	const char *prefix; /* of a word, in any case; NULL: none */
	bool privilege;     /* an unknown word is a grant that is missing */
} lists[VS_LIST__MAX] = {
	[VS_BCAP] = { "bcapabilities:", "CAP_", true },
	[VS_CCAP] = { "ccapabilities:", "VXC_", true },
	[VS_NCAP] = { "ncapabilities:", "NXC_", true },
	[VS_CFLAG] = { "cflags:", "VXF_", false },
	[VS_NFLAG] = { "nflags:", "NXF_", false },
	[VS_UMASK] = { "umask:", NULL, true },
};

#define BIT(n) (UINT64_C(1) << (n))
enum {
	CCAP_UTSNAME = 0,
	CCAP_RAW_ICMP = 8,
	CCAP_AUDIT_CONTROL = 14,
	CFLAG_FAKEINIT = 4,
	CFLAG_SCHED_HARD = 8,
	CFLAG_SCHED_PRIO = 9,
	CFLAG_VIRT_UPTIME = 17,
	CFLAG_HIDE_NETIF = 25,
	CFLAG_SC_HELPER = 36,
	NCAP_TUN = 0,
	NCAP_RAW_ICMP = 8,
	NCAP_MULTICAST = 12,
	NFLAG_LBACK_ALLOW = 10,
	BITS = 64,
};

/* Other spellings of a bit, and the pseudo flags that mean several. */
static const struct alias {
	enum vserver_list list;
	const char *word;
	uint64_t bits;
} aliases[] = {
	{ VS_CCAP, "utsname", BIT(0) },
	{ VS_CCAP, "rlimit", BIT(1) },
	{ VS_CCAP, "icmp", BIT(8) },
	{ VS_CCAP, "ping", BIT(8) },
	{ VS_CCAP, "mount", BIT(16) },
	{ VS_CCAP, "remount", BIT(17) },
	{ VS_CFLAG, "info_lock", BIT(0) },
	{ VS_CFLAG, "info_sched", BIT(1) },
	{ VS_CFLAG, "info_nproc", BIT(2) },
	{ VS_CFLAG, "info_private", BIT(3) },
	{ VS_CFLAG, "info_init", BIT(4) },
	{ VS_CFLAG, "info_hideinfo", BIT(5) },
	{ VS_CFLAG, "info_ulimit", BIT(6) },
	{ VS_CFLAG, "info_namespace", BIT(7) },
	{ VS_CFLAG, "info_nspace", BIT(7) },
	{ VS_CFLAG, "secure", BIT(CFLAG_HIDE_NETIF) },
	{ VS_CFLAG, "default", BIT(CFLAG_VIRT_UPTIME) | BIT(CFLAG_SC_HELPER) },
	{ VS_NFLAG, "info_lock", BIT(0) },
	{ VS_NFLAG, "info_private", BIT(3) },
	{ VS_NFLAG, "remap_lback", BIT(9) },
	{ VS_NFLAG, "secure", BIT(25) },
	{ VS_BCAP, "quotactl", BIT(29) },
};

/* What the model calls a view that a flag gives; fields.def, kernel.virtual. */
static const struct view {
	unsigned bit;
	const char *name;
} views[] = {
	{ 16, "memory" }, { 18, "cpu" },  { 19, "load" },
	{ 17, "uptime" }, { 20, "time" },
};

/* What the model calls a namespace that umask allows; fields.def, ns.unshare.
 */
static const struct view spaces[] = {
	{ 9, "fs" },    { 17, "mount" }, { 26, "uts" }, { 27, "ipc" },
	{ 28, "user" }, { 29, "pid" },   { 30, "net" },
};

/* One word of a list, once it is understood. */
struct item {
	struct setting *s;
	enum vserver_list list;
	uint64_t bits;
	bool on;
	bool lost; /* overwritten, or never effective: it is decided */
};

struct vserver_caps {
	PVEC(struct item) items;
	uint64_t unasked[VS_LIST__MAX]; /* what holds without any item */
	uint64_t set[VS_LIST__MAX];     /* what holds in the end */
};

/* --- understanding a word ---------------------------------------------- */

static const struct key *bit_row(enum vserver_list list, unsigned bit)
{
	for (size_t i = 0; i < vserver_n_keys; i++)
		if (str_starts(vserver_keys[i].name, lists[list].rows) &&
		    VS_BIT_OF(vserver_keys[i].arg) == bit)
			return &vserver_keys[i];
	return NULL;
}

static const char *bit_word(enum vserver_list list, unsigned bit)
{
	const struct key *row = bit_row(list, bit);

	return row == NULL ? NULL : row->name + strlen(lists[list].rows);
}

static bool find_word(enum vserver_list list, const char *word, uint64_t *ret)
{
	for (size_t i = 0; i < COUNT(aliases); i++)
		if (aliases[i].list == list &&
		    str_caseeq(aliases[i].word, word)) {
			*ret = aliases[i].bits;
			return true;
		}
	for (size_t i = 0; i < vserver_n_keys; i++) {
		const struct key *row = &vserver_keys[i];
		const unsigned bit = VS_BIT_OF(row->arg);

		/* util-vserver never knew MULTICAST by its name: only ^12. */
		if (!str_starts(row->name, lists[list].rows) ||
		    (list == VS_NCAP && bit == NCAP_MULTICAST) ||
		    !str_caseeq(row->name + strlen(lists[list].rows), word))
			continue;
		*ret = BIT(bit);
		return true;
	}
	return false;
}

/* Without the list's prefix, which is in any case. */
static const char *without_prefix(enum vserver_list list, const char *word)
{
	const char *prefix = lists[list].prefix;

	if (prefix != NULL && strncasecmp(word, prefix, strlen(prefix)) == 0)
		return word + strlen(prefix);
	return word;
}

/*
 * "0x100", "256", "-1", "^12"; 0 when it is no number, -1 when it is a bad one.
 * One that is too large is the largest, as for the old tools.
 */
static int find_number(struct reading *r, const char *word, uint64_t *ret,
		       struct err *e)
{
	const bool is_bit = word[0] == '^';
	int64_t n;

	if (!is_bit && strspn(word, "+-0123456789") == 0)
		return 0;
	if (num_i64_nearest(word + is_bit, &n, e) < 0)
		return err_set(e, 0, "\"%s\" is no number",
			       vserver_shown(r, word));
	if (is_bit && (n < 0 || n >= BITS))
		return err_set(e, 0, "\"%s\" is no bit of a mask",
			       vserver_shown(r, word));
	*ret = is_bit ? BIT(n) : (uint64_t)n;
	return 1;
}

/* The tools compare only as many letters as were written. */
static bool abbreviates(const char *word, const char *whole)
{
	return strlen(word) <= strlen(whole) &&
	       strncasecmp(word, whole, strlen(word)) == 0;
}

static void warn_short(struct reading *r, const char *word, const char *whole)
{
	if (!str_caseeq(word, whole))
		reading_find(r, FIND_CAP_ABBREVIATED,
			     "\"%s\" is taken as \"%s\", as the old tools did",
			     vserver_shown(r, word), whole);
}

/* Nobody gives a guest everything unseen, in whatever way it is written. */
static void warn_all(struct reading *r, const char *word, uint64_t bits,
		     bool on)
{
	const bool is_short = strlen(word) < 3 && isalpha((uint8_t)word[0]);

	if (on && !is_short && (bits & CAP_ALL) == CAP_ALL)
		reading_find(r, FIND_CAP_ABBREVIATED,
			     "\"%s\" sets every bit of %s",
			     vserver_shown(r, word), r->cur->from.key);
}

/* 1: understood; 0: an unknown word; -1: cannot be one. */
static int understand(struct reading *r, enum vserver_list list,
		      const char *word, uint64_t *ret, struct err *e)
{
	if (word[0] == '\0')
		return err_set(e, 0, "an item without a word");
	if (abbreviates(word, "all") || abbreviates(word, "any")) {
		warn_short(r, word, abbreviates(word, "all") ? "all" : "any");
		*ret = UINT64_MAX;
		return 1;
	}
	if (abbreviates(word, "none")) {
		warn_short(r, word, "none");
		*ret = 0;
		return 1;
	}
	if (find_word(list, without_prefix(list, word), ret))
		return 1;
	return find_number(r, word, ret, e);
}

/* What a human would have read: without blanks and an inline comment. */
static const char *intended(struct reading *r, const char *value)
{
	struct slice s = { value, strlen(value) };
	const char *hash = strstr(value, " #");

	if (hash == NULL)
		hash = strstr(value, "\t#");
	if (hash != NULL)
		s.n = (size_t)(hash - value);
	return slice_dup(r->g->mem, slice_trim(s));
}

/* Takes the ! and ~ off; each turns the meaning round. */
static const char *negations(struct reading *r, const char *word, bool *ret_on)
{
	bool on = true;

	while (*word == '!' || *word == '~') {
		on = !on;
		word++;
	}
	*ret_on = on;
	return intended(r, word);
}

static struct item *keep(struct reading *r, enum vserver_list list,
			 uint64_t bits, bool on)
{
	struct item *i = pvec_add(r->g->mem, &vserver_of(r)->caps->items);

	*i = (struct item){ .s = r->cur, .list = list, .bits = bits, .on = on };
	return i;
}

static int unknown_word(struct reading *r, enum vserver_list list,
			const char *word, struct err *e)
{
	const char *shown = vserver_shown(r, word);

	if (!lists[list].privilege)
		return err_set(e, 0, "\"%s\" is no word of %s", shown,
			       r->cur->from.key);
	reading_decide(r, BIN_INVALID, "\"%s\" does not exist", shown);
	reading_find(r, FIND_CAP_UNKNOWN,
		     "\"%s\" is no word of %s: not granted; the old tools "
		     "refused to start with it",
		     shown, r->cur->from.key);
	return 0;
}

/* The last line without an end was lost; a grant or its removal with it. */
static void never_effective(struct reading *r, enum vserver_list list,
			    const char *value)
{
	reading_decide(r, BIN_INERT,
		       "the last line has no end and was lost: \"%s\" never "
		       "had an effect",
		       vserver_shown(r, value));
	reading_find(r,
		     lists[list].privilege ? FIND_CAP_NOT_EFFECTIVE :
					     FIND_SRC_NO_NEWLINE,
		     "\"%s\" is on a last line without newline: the old tools "
		     "lost it, so it is not taken; the intent was \"%s\"",
		     vserver_shown(r, value), vserver_shown(r, value));
}

static int take_item(struct reading *r, enum vserver_list list,
		     const char *value, struct err *e)
{
	const char *clear = intended(r, value), *word;
	uint64_t bits;
	bool on;
	int known;

	word = negations(r, clear, &on);
	known = understand(r, list, word, &bits, e);
	if (known < 0)
		return -1;
	if (known == 0)
		return unknown_word(r, list, word, e);
	warn_all(r, word, bits, on);
	if (!str_eq(clear, value) || strpbrk(value, " \t") != NULL)
		reading_find(r, FIND_SRC_NOT_STARTED,
			     "\"%s\": taken as \"%s%s\"; blanks and comments "
			     "in the item are not allowed",
			     vserver_shown(r, value), on ? "" : "~",
			     vserver_shown(r, word));
	if (vserver_of(r)->unterminated)
		never_effective(r, list, value);
	else
		keep(r, list, bits, on);
	return 0;
}

int vserver_caps_item(struct reading *r, const char *value, struct err *e)
{
	return take_item(r, VS_N_OF(r->cur->row->arg), value, e);
}

/* A word of the legacy file has no unterminated line and no comment. */
static void take_legacy(struct reading *r, enum vserver_list list,
			const char *word)
{
	struct err e;

	vserver_of(r)->unterminated = false;
	if (take_item(r, list, word, &e) < 0) {
		reading_decide(r, BIN_INVALID, "%s", e.msg);
		reading_find(r, FIND_SRC_NOT_STARTED, "%s: left out", e.msg);
	}
}

void vserver_caps_legacy(struct reading *r, const char *word)
{
	take_legacy(r, VS_BCAP, word);
}

void vserver_caps_legacy_flag(struct reading *r, const char *word)
{
	take_legacy(r, VS_CFLAG, word);
}

/* --- what holds in the end --------------------------------------------- */

void vserver_caps_begin(struct reading *r)
{
	struct vserver *v = vserver_of(r);

	v->caps = arena_alloc(r->g->mem, sizeof(*v->caps));
	if (v->legacy)
		return; /* the 2.4 kernel had none of these defaults */
	v->caps->set[VS_CCAP] = BIT(CCAP_UTSNAME) | BIT(CCAP_RAW_ICMP);
	if (v->release == VS_RELEASE_NEW)
		v->caps->set[VS_CCAP] |= BIT(CCAP_AUDIT_CONTROL);
	v->caps->set[VS_NCAP] = BIT(NCAP_RAW_ICMP);
	v->caps->set[VS_CFLAG] = BIT(CFLAG_FAKEINIT) | BIT(CFLAG_VIRT_UPTIME) |
				 BIT(CFLAG_HIDE_NETIF) | BIT(CFLAG_SC_HELPER);
	v->caps->set[VS_NFLAG] = BIT(25);
	memcpy(v->caps->unasked, v->caps->set, sizeof(v->caps->set));
}

static bool is_from(const struct item *i, const char *file)
{
	return str_eq(i->s->from.key, file);
}

/* The only bit of the item, or BITS. */
static unsigned single_bit(const struct item *i)
{
	for (unsigned bit = 0; bit < BITS; bit++)
		if (i->bits == BIT(bit))
			return bit;
	return BITS;
}

/* The row of the bit, where the item names only one. */
static void set_row(const struct item *i)
{
	const unsigned bit = single_bit(i);

	if (bit < BITS && bit_row(i->list, bit) != NULL)
		i->s->row = bit_row(i->list, bit);
}

/* Ends an item that something later or newer has replaced. */
static void lose(struct reading *r, struct item *i)
{
	i->lost = true;
	set_row(i);
	reading_resume(r, i->s);
}

/* An older file beside the newer one that the tools read in its place. */
static void supersede(struct reading *r, const char *old, const char *newer,
		      enum finding_id id)
{
	const struct vserver *v = vserver_of(r);
	const char *path = arena_printf(r->g->mem, "%s/%s", v->cfg, newer);

	if (!tree_exists(v->t, path))
		return;
	for (size_t k = 0; k < v->caps->items.n; k++) {
		struct item *i = v->caps->items.v[k];

		if (!is_from(i, old))
			continue;
		lose(r, i);
		reading_decide(r, BIN_OVERRIDDEN,
			       "%s is not read where there is %s", old, newer);
		reading_find(r, id, "\"%s\" not taken: %s is read, not %s",
			     i->s->from.text, newer, old);
	}
}

/* An item all of whose bits are named again later. */
static void overwrite(struct reading *r, size_t k)
{
	const struct vserver_caps *c = vserver_of(r)->caps;
	struct item *i = c->items.v[k];
	const struct item *by = NULL;
	uint64_t left = i->bits;

	for (size_t j = k + 1; j < c->items.n && left != 0; j++) {
		if (c->items.v[j]->lost || c->items.v[j]->list != i->list)
			continue;
		if ((left & c->items.v[j]->bits) != 0)
			by = c->items.v[j];
		left &= ~c->items.v[j]->bits;
	}
	if (by == NULL || left != 0)
		return;
	lose(r, i);
	reading_decide(r, BIN_OVERRIDDEN, "line %u says \"%s\"",
		       by->s->from.line, vserver_shown(r, by->s->from.text));
	reading_find(r, FIND_SRC_MULTIPLE,
		     "\"%s\": line %u says \"%s\", the "
		     "later counts",
		     vserver_shown(r, i->s->from.text), by->s->from.line,
		     vserver_shown(r, by->s->from.text));
}

static void apply(struct vserver_caps *c, const struct item *i)
{
	if (i->on)
		c->set[i->list] |= i->bits;
	else
		c->set[i->list] &= ~i->bits;
}

static void settle_bcap(struct reading *r, const struct item *i)
{
	const unsigned bit = single_bit(i);

	take_caps(r, FIELD_CAPS, r->g, i->bits & CAP_ALL, i->on);
	if ((i->bits & CAP_ALL) == 0) {
		reading_decide(r, BIN_INERT, "names no capability");
		if (i->bits != 0)
			reading_find(r, FIND_CAP_UNNAMED,
				     "\"%s\": no kernel has a capability of "
				     "that number, nothing is granted",
				     vserver_shown(r, i->s->from.text));
		return;
	}
	if (bit < BITS && bit_row(VS_BCAP, bit) == NULL)
		reading_find(r, FIND_CAP_UNNAMED, "\"%s\" is %s: %s",
			     i->s->from.text, cap_name(bit),
			     i->on ? "granted" : "taken away");
}

static const char *name_of(const struct view *rows, size_t n, unsigned bit)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].bit == bit)
			return rows[i].name;
	return NULL;
}

static void take_once(struct reading *r, enum field_id f, const char *word)
{
	const struct value v = field_value(f, r->g);

	if (v.from != NULL && v.from->kind >= r->cur->from.kind &&
	    strv_has(v.l, word))
		take_part(r, f, r->g);
	else
		take_element(r, f, r->g, word);
}

/* The value of a bit that is on or off; false: its row has no field. */
static bool take_bit(struct reading *r, const struct key *row, bool on)
{
	const unsigned bit = VS_BIT_OF(row->arg);
	const char *name;

	if (row->field == FIELD_PAUSED || row->field == FIELD_HOST_LOOPBACK ||
	    row->field == FIELD_TUN_CREATE || row->field == FIELD_MULTICAST) {
		take_bool(r, row->field, r->g, on);
		return true;
	}
	name = row->field == FIELD_UNSHARE ?
		       name_of(spaces, COUNT(spaces), bit) :
		       name_of(views, COUNT(views), bit);
	if (name == NULL || !on ||
	    (row->field != FIELD_UNSHARE && row->field != FIELD_VIRTUAL_VIEWS))
		return false;
	take_once(r, row->field, name);
	return true;
}

static void find_bit(struct reading *r, const struct key *row)
{
	struct finding *f;

	if (row->finding == FIND__MAX)
		return;
	f = reading_find(r, row->finding, "%s: %s", strchr(row->name, ':') + 1,
			 row->note);
	if (row->field != FIELD__MAX)
		finding_covers(r->g, f, row->field, NULL);
}

/* sched_hard and sched_prio are finished with the scheduler's settings. */
static bool is_scheduler(const struct item *i)
{
	return i->list == VS_CFLAG && i->on &&
	       (i->bits & (BIT(CFLAG_SCHED_HARD) | BIT(CFLAG_SCHED_PRIO))) != 0;
}

/* Every bit of an item that names one or several flags. */
static void settle_flag(struct reading *r, const struct item *i)
{
	const uint64_t unasked = vserver_of(r)->caps->unasked[i->list];
	bool taken = false, dropped = false;
	const char *note = "no such bit exists";

	for (unsigned bit = 0; bit < BITS; bit++) {
		const struct key *row;

		if ((i->bits & BIT(bit)) == 0)
			continue;
		row = bit_row(i->list, bit);
		if (row == NULL)
			continue;
		note = row->note;
		taken = take_bit(r, row, i->on) || taken;
		if (i->on && row->fate != FATE_DECIDED)
			find_bit(r, row);
		dropped = dropped || (i->on && row->fate == FATE_DROPPED);
	}
	if (taken || is_scheduler(i))
		return;
	if (!i->on && (i->bits & unasked) != 0)
		reading_decide(r, BIN_INERT, "the default is taken away: %s",
			       note);
	else if (!i->on)
		reading_decide(r, BIN_INERT, "taken away, and nothing sets it");
	else
		reading_decide(r, dropped ? BIN_DROPPED : BIN_INERT, "%s",
			       note);
}

/* --- partial capabilities ---------------------------------------------- */

/* ccapabilities, and raw_icmp which either list can take away. */
static uint64_t partial_set(const struct vserver_caps *c)
{
	uint64_t set = c->set[VS_CCAP];

	if ((c->set[VS_NCAP] & BIT(NCAP_RAW_ICMP)) == 0)
		set &= ~BIT(CCAP_RAW_ICMP);
	return set;
}

static bool is_partial(const struct item *i)
{
	return !i->lost &&
	       (i->list == VS_CCAP ||
		(i->list == VS_NCAP && (i->bits & BIT(NCAP_RAW_ICMP)) != 0));
}

static void take_partial(struct reading *r, uint64_t set)
{
	for (unsigned bit = 0; bit < BITS; bit++)
		if ((set & BIT(bit)) != 0 && bit_row(VS_CCAP, bit) != NULL)
			take_element(r, FIELD_PARTIAL_CAPS, r->g,
				     bit_word(VS_CCAP, bit));
}

static void default_partial(struct reading *r, uint64_t set)
{
	struct strv words = { 0 };

	for (unsigned bit = 0; bit < BITS; bit++)
		if ((set & BIT(bit)) != 0 && bit_row(VS_CCAP, bit) != NULL)
			strv_add(r->g->mem, &words, bit_word(VS_CCAP, bit));
	if (words.n > 0)
		reading_default(r, FIELD_PARTIAL_CAPS, r->g,
				strv_join(r->g->mem, &words, " "),
				"vserver.md 3.2, 3.5");
}

static void settle_partial_item(struct reading *r, const struct item *i,
				bool any)
{
	reading_resume(r, i->s);
	if (any)
		take_part(r, FIELD_PARTIAL_CAPS, r->g);
	else
		reading_decide(r, BIN_CARRIED,
			       "no partial capability is left, as here");
}

/* The last item that counts carries the list; the others take part in it. */
static void settle_partial(struct reading *r)
{
	const struct vserver_caps *c = vserver_of(r)->caps;
	const uint64_t set = partial_set(c);
	const struct item *last = NULL;

	for (size_t k = 0; k < c->items.n; k++)
		if (is_partial(c->items.v[k]))
			last = c->items.v[k];
	if (last == NULL) {
		default_partial(r, set);
		return;
	}
	reading_resume(r, last->s);
	take_partial(r, set);
	for (size_t k = 0; k < c->items.n; k++)
		if (is_partial(c->items.v[k]))
			settle_partial_item(r, c->items.v[k],
					    r->g->partial_caps.from != NULL);
}

/* --- the settling ------------------------------------------------------ */

static void settle_item(struct reading *r, struct item *i)
{
	set_row(i);
	reading_resume(r, i->s);
	if (i->list == VS_BCAP)
		settle_bcap(r, i);
	else if (i->list != VS_CCAP &&
		 (!is_partial(i) || (i->bits & ~BIT(NCAP_RAW_ICMP)) != 0))
		settle_flag(r, i);
}

/* virt_uptime is on by default, beside whatever else was asked for. */
static void settle_views(struct reading *r)
{
	struct guest *g = r->g;

	if ((vserver_of(r)->caps->set[VS_CFLAG] & BIT(CFLAG_VIRT_UPTIME)) == 0)
		return;
	if (g->virtual_views.from == NULL) {
		reading_default(r, FIELD_VIRTUAL_VIEWS, g, "uptime",
				"vserver.md 3.3: virt_uptime");
		return;
	}
	for (size_t i = 0; i < g->settings.n; i++)
		if (&g->settings.v[i]->from == g->virtual_views.from) {
			reading_resume(r, g->settings.v[i]);
			take_once(r, FIELD_VIRTUAL_VIEWS, "uptime");
			return;
		}
}

/* BCaps of a context's status file: 16 hexadecimal digits. */
static bool seen_caps(const struct facts_context *c, uint64_t *ret)
{
	uint64_t seen;
	struct err e;

	if (c == NULL || c->bcaps == NULL ||
	    num_u64_hex(c->bcaps, &seen, &e) < 0)
		return false;
	*ret = seen & CAP_ALL;
	return true;
}

static const char *shown_caps(const struct guest *g, uint64_t set)
{
	return set == 0 ? "none" : cap_show(g->mem, set, " ");
}

/*
 * What capture saw of the running context, beside what the files give. Where
 * none gives a set, the release's default is a guess: only what both have.
 */
static void compare_facts(struct reading *r)
{
	const struct facts *facts = r->source->host->facts;
	const struct facts_context *c;
	struct guest *g = r->g;
	const struct origin *at;
	struct finding *f;
	bool guessed;
	uint64_t seen;

	if (facts == NULL || g->xid.from == NULL)
		return;
	c = facts_context(facts, g->xid.v);
	if (!seen_caps(c, &seen) || seen == g->caps.v)
		return;
	at = reading_origin(r, ORIGIN_FACTS, facts->file, c->at.line, "BCaps",
			    c->bcaps);
	guessed = g->caps.from->kind == ORIGIN_DEFAULT;
	f = reading_find_at(
		r, FIND_CAP_RELEASE, at,
		"the running context had BCaps 0x%" PRIx64 ", the %s 0x%" PRIx64
		"%s; more: %s; less: %s",
		seen, guessed ? "default of its tools is" : "files give",
		g->caps.v,
		guessed ? ": only what both have is granted" :
			  ": it started from another set or older files",
		shown_caps(g, seen & ~g->caps.v),
		shown_caps(g, g->caps.v & ~seen));
	if (guessed)
		derive_caps(g, FIELD_CAPS, g, seen & g->caps.v, at, f);
}

void vserver_caps_settle(struct reading *r)
{
	struct vserver_caps *c = vserver_of(r)->caps;

	supersede(r, "capabilities", "bcapabilities", FIND_CAP_SUPERSEDED);
	supersede(r, "flags", "cflags", FIND_SRC_SHADOWED);
	for (size_t k = 0; k < c->items.n; k++) {
		if (c->items.v[k]->lost)
			continue;
		apply(c, c->items.v[k]);
		overwrite(r, k);
	}
	for (size_t k = 0; k < c->items.n; k++)
		if (!c->items.v[k]->lost)
			settle_item(r, c->items.v[k]);
	settle_partial(r);
	settle_views(r);
	compare_facts(r);
}

static uint64_t flag_bits(const char *name)
{
	uint64_t bits = 0;

	return find_word(VS_CFLAG, name, &bits) ? bits : 0;
}

bool vserver_caps_flag(struct reading *r, const char *name)
{
	return (vserver_of(r)->caps->set[VS_CFLAG] & flag_bits(name)) != 0;
}

struct setting *vserver_caps_flag_setting(struct reading *r, const char *name)
{
	const struct vserver_caps *c = vserver_of(r)->caps;
	struct setting *s = NULL;

	for (size_t k = 0; k < c->items.n; k++) {
		const struct item *i = c->items.v[k];

		if (!i->lost && i->list == VS_CFLAG && i->on &&
		    (i->bits & flag_bits(name)) != 0)
			s = i->s;
	}
	return s;
}
