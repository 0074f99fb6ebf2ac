/*
 * Reads the site file with libconfuse. The words of a block are rows: name,
 * type, check and place. libconfuse keeps no line for a word and hands no
 * context to its callbacks; both the line of a word and the message of an
 * error travel in the comments of words and blocks, which are not used
 * otherwise and belong to libconfuse.
 */
#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/num.h"
#include "model/finding.h"
#include "site.h"
#include "site_text.h"

enum { FILE_MAX = 4 << 20 }; /* bytes: ten thousand guests fit */

enum kind { KIND_TEXT, KIND_NUMBER, KIND_YES, KIND_LIST };

struct word {
	const char *name;
	enum kind kind;
	size_t offset; /* in the block's struct */
	int (*check)(const char *text, struct err *e); /* of each text */
	long min, max;                                 /* of a number */
};

/* A block being read into its struct. */
struct block_reader {
	struct site *site;
	struct arena *mem;
	cfg_t *cfg; /* of the block */
	const char *title;
	unsigned line;       /* of the block */
	unsigned piece_line; /* of the piece that libconfuse counts from */
};

struct block {
	const char *name;
	const struct word *words;
	size_t n_words;
	bool no_title;
	bool repeats; /* the same title may come again */
	/* Makes the struct, checks the title. */
	void *(*begin)(struct block_reader *r, struct err *e);
	/* What no row can check; NULL: nothing. */
	int (*end)(struct block_reader *r, void *object, struct err *e);
};

static int check_address(const char *text, struct err *e)
{
	struct inet_addr a;

	return inet_parse(text, &a, e);
}

static int check_family(const char *text, int family, struct err *e)
{
	struct inet_addr a;

	if (inet_parse(text, &a, e) < 0)
		return -1;
	if (a.family != family)
		return err_set(e, 0, "%s is of the other family", text);
	return 0;
}

static int check_inet4(const char *text, struct err *e)
{
	return check_family(text, AF_INET, e);
}

static int check_inet6(const char *text, struct err *e)
{
	return check_family(text, AF_INET6, e);
}

static int one_of(const char *text, const char *const *words, size_t n,
		  struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(text, words[i]))
			return 0;
	err_fill(e, 0, "\"%s\" is none of", text);
	for (size_t i = 0; i < n; i++) {
		const size_t len = strlen(e->msg);

		snprintf(e->msg + len, sizeof(e->msg) - len, " %s", words[i]);
	}
	return -1;
}

/* The targets of the command line; which one can be written is emit's. */
static int check_target(const char *text, struct err *e)
{
	static const char *const targets[] = { "lxc", "incus",   "nspawn",
					       "oci", "libvirt", "proxmox" };

	return one_of(text, targets, COUNT(targets), e);
}

static int check_cgroup(const char *text, struct err *e)
{
	static const char *const modes[] = { "v1", "v2", "both" };

	return one_of(text, modes, COUNT(modes), e);
}

/* Verdicts of verify, design 1.4. */
static int check_verdict(const char *text, struct err *e)
{
	static const char *const verdicts[] = { "failed",     "different",
						"incomplete", "announced",
						"accepted",   "equivalent" };

	return one_of(text, verdicts, COUNT(verdicts), e);
}

/* A name for the package directory. */
static int check_name(const char *text, struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	if (*text == '\0' || *text == '.' ||
	    text[strspn(text, letters)] != '\0')
		return err_set(e, 0,
			       "\"%s\" is no name: letters, digits, dots, "
			       "dashes and underlines, no dot at the start",
			       text);
	return 0;
}

static int check_pattern(const char *text, struct err *e)
{
	if (*text == '\0')
		return err_set(e, 0, "an empty pattern fits no guest");
	return 0;
}

static int check_path(const char *text, struct err *e)
{
	if (*text != '/')
		return err_set(e, 0, "\"%s\" is no absolute path", text);
	return 0;
}

static int check_set(const char *text, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct site_set ignored;

	return site_set_parse(text, mem, &ignored, e);
}

#define TEXT(name_, type, member, check_)                                      \
	{                                                                      \
		.name = (name_), .kind = KIND_TEXT,                            \
		.offset = offsetof(struct type, member), .check = (check_)     \
	}
#define LIST(name_, type, member, check_)                                      \
	{                                                                      \
		.name = (name_), .kind = KIND_LIST,                            \
		.offset = offsetof(struct type, member), .check = (check_)     \
	}
#define NUMBER(name_, type, member, min_, max_)                                \
	{                                                                      \
		.name = (name_), .kind = KIND_NUMBER,                          \
		.offset = offsetof(struct type, member), .min = (min_),        \
		.max = (max_)                                                  \
	}
#define YES(name_, type, member)                                               \
	{                                                                      \
		.name = (name_), .kind = KIND_YES,                             \
		.offset = offsetof(struct type, member)                        \
	}
enum { VLAN_MAX = 4094, MTU_MIN = 68, MTU_MAX = 65536 };

static const struct word subnet_words[] = {
	TEXT("attach", site_subnet, attach, site_words_attach),
	TEXT("gateway", site_subnet, gateway, check_address),
	LIST("dns", site_subnet, dns, check_address),
	NUMBER("vlan", site_subnet, vlan, 1, VLAN_MAX),
};

static const struct word device_words[] = {
	TEXT("attach", site_device, attach, site_words_attach),
	TEXT("gateway4", site_device, gateway4, check_inet4),
	TEXT("gateway6", site_device, gateway6, check_inet6),
	NUMBER("vlan", site_device, vlan, 1, VLAN_MAX),
	NUMBER("mtu", site_device, mtu, MTU_MIN, MTU_MAX),
};

static const struct word guest_words[] = {
	TEXT("name", site_guest, name, check_name),
	TEXT("target", site_guest, target, check_target),
	TEXT("reason", site_guest, reason, NULL),
	NUMBER("id", site_guest, id, 1, INT_MAX),
	YES("skip", site_guest, skip),
	LIST("set", site_guest, set, check_set),
};

static const struct word accept_words[] = {
	TEXT("target", site_accept, target, check_target),
	TEXT("reason", site_accept, reason, NULL),
	TEXT("by", site_accept, by, NULL),
	LIST("guests", site_accept, guests, check_pattern),
};

static const struct word target_words[] = {
	TEXT("path", site_target, path, check_path),
	TEXT("version", site_target, version, NULL),
	TEXT("cgroup", site_target, cgroup, check_cgroup),
	TEXT("pool", site_target, pool, NULL),
	TEXT("project", site_target, project, NULL),
};

/* A struct of its own, because the site's members are not long. */
struct idmap_block {
	long base, size;
	bool per_guest;
};

static const struct word idmap_words[] = {
	NUMBER("base", idmap_block, base, 1, UINT32_MAX),
	NUMBER("size", idmap_block, size, 1, UINT32_MAX),
	YES("per-guest", idmap_block, per_guest),
};

/* libconfuse counts from 1 in each piece. */
static unsigned real_line(const struct block_reader *r, int line)
{
	return r->piece_line + (unsigned)line - 1;
}

static unsigned word_line(const struct block_reader *r, cfg_opt_t *opt)
{
	const char *text = cfg_opt_getcomment(opt);
	uint64_t n = 1;
	struct err e;

	if (text != NULL && num_u64(text, &n, &e) < 0)
		n = 1;
	return real_line(r, (int)n);
}

static void *begin_subnet(struct block_reader *r, struct err *e)
{
	struct site_subnet *s;
	struct inet_net net;

	if (inet_net_parse(r->title, &net, e) < 0)
		return NULL;
	s = pvec_add(r->mem, &r->site->subnets);
	s->line = r->line;
	s->text = r->title;
	s->net = net;
	s->vlan = -1;
	return s;
}

static int end_subnet(struct block_reader *r, void *object, struct err *e)
{
	const struct site_subnet *s = object;

	(void)r;
	if (s->gateway != NULL &&
	    check_family(s->gateway, s->net.addr.family, e) < 0)
		return err_wrap(e, "gateway");
	return 0;
}

static void *begin_device(struct block_reader *r, struct err *e)
{
	struct site_device *d;

	if (!inet_ifname_ok(r->title)) {
		err_fill(e, 0, "no name of a device");
		return NULL;
	}
	d = pvec_add(r->mem, &r->site->devices);
	d->line = r->line;
	d->name = r->title;
	d->vlan = d->mtu = -1;
	return d;
}

static void *begin_guest(struct block_reader *r, struct err *e)
{
	struct site_guest *g;

	if (check_pattern(r->title, e) < 0)
		return NULL;
	g = pvec_add(r->mem, &r->site->guests);
	g->line = r->line;
	g->pattern = r->title;
	return g;
}

static int end_guest(struct block_reader *r, void *object, struct err *e)
{
	struct site_guest *g = object;

	(void)e;
	g->set_line = word_line(r, cfg_getopt(r->cfg, "set"));
	return 0;
}

static void *begin_accept(struct block_reader *r, struct err *e)
{
	const enum finding_id id = finding_find(r->title);
	struct site_accept *a;

	if (id == FIND__MAX) {
		err_fill(e, 0, "no code of a finding");
		return NULL;
	}
	if (finding_row(id)->waive == WAIVE_NO) {
		err_fill(e, 0, "cannot be waived: %s", finding_row(id)->text);
		return NULL;
	}
	a = pvec_add(r->mem, &r->site->accepts);
	a->line = r->line;
	a->code = r->title;
	return a;
}

static int end_accept(struct block_reader *r, void *object, struct err *e)
{
	const struct site_accept *a = object;

	(void)r;
	if (a->reason == NULL || *a->reason == '\0')
		return err_set(e, 0, "needs a reason");
	return 0;
}

static void *begin_target(struct block_reader *r, struct err *e)
{
	struct site_target *t;

	if (check_target(r->title, e) < 0)
		return NULL;
	t = pvec_add(r->mem, &r->site->targets);
	t->line = r->line;
	t->name = r->title;
	return t;
}

static void *begin_idmap(struct block_reader *r, struct err *e)
{
	struct idmap_block *b = arena_alloc(r->mem, sizeof(*b));

	(void)e;
	*b = (struct idmap_block){
		.base = (long)r->site->idmap_base,
		.size = (long)r->site->idmap_size,
		.per_guest = r->site->idmap_per_guest,
	};
	return b;
}

static int end_idmap(struct block_reader *r, void *object, struct err *e)
{
	const struct idmap_block *b = object;

	if (b->size > (long)UINT32_MAX - b->base)
		return err_set(e, 0, "ids beyond 4294967294 do not exist");
	r->site->idmap_base = (uint64_t)b->base;
	r->site->idmap_size = (uint64_t)b->size;
	r->site->idmap_per_guest = b->per_guest;
	r->site->idmap_line = r->line;
	return 0;
}

#define WORDS(array) .words = (array), .n_words = COUNT(array)
static const struct block blocks[] = {
	{ .name = "subnet",
	  WORDS(subnet_words),
	  .begin = begin_subnet,
	  .end = end_subnet },
	{ .name = "device", WORDS(device_words), .begin = begin_device },
	{ .name = "guest",
	  WORDS(guest_words),
	  .begin = begin_guest,
	  .end = end_guest },
	{ .name = "accept",
	  WORDS(accept_words),
	  .repeats = true,
	  .begin = begin_accept,
	  .end = end_accept },
	{ .name = "target", WORDS(target_words), .begin = begin_target },
	{ .name = "idmap",
	  WORDS(idmap_words),
	  .no_title = true,
	  .begin = begin_idmap,
	  .end = end_idmap },
};

/* Leaves the first message, with its line before it, in the block. */
static void PRINTF(2, 0) keep_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char msg[256];

	if (cfg->comment != NULL)
		return;
	vsnprintf(msg, sizeof(msg), fmt, ap);
	if (asprintf(&cfg->comment, "%d %s", cfg->line, msg) < 0)
		cfg->comment = NULL;
}

/* Called by libconfuse behind each value: the line goes with the word. */
static int keep_line(cfg_t *cfg, cfg_opt_t *opt)
{
	char line[16];

	if (opt->comment != NULL && (opt->flags & CFGF_LIST) == 0) {
		cfg_error(cfg, "'%s' is given twice", opt->name);
		return -1;
	}
	snprintf(line, sizeof(line), "%d", cfg->line);
	return cfg_opt_setcomment(opt, line);
}

static cfg_opt_t make_opt(const struct word *w)
{
	cfg_opt_t opt = CFG_STR(w->name, NULL, CFGF_NODEFAULT);

	switch (w->kind) {
	case KIND_TEXT:
		break;
	case KIND_NUMBER:
		opt = (cfg_opt_t)CFG_INT(w->name, 0, CFGF_NODEFAULT);
		break;
	case KIND_YES:
		opt = (cfg_opt_t)CFG_BOOL(w->name, cfg_false, CFGF_NODEFAULT);
		break;
	case KIND_LIST:
		opt = (cfg_opt_t)CFG_STR_LIST(w->name, NULL, CFGF_NODEFAULT);
		break;
	}
	opt.validcb = keep_line;
	return opt;
}

static cfg_opt_t make_block(struct arena *mem, const struct block *b)
{
	cfg_opt_t *opts = arena_alloc(mem, (b->n_words + 1) * sizeof(*opts));
	const cfg_flag_t flags = CFGF_MULTI |
				 (b->no_title ? CFGF_NONE : CFGF_TITLE);

	for (size_t i = 0; i < b->n_words; i++)
		opts[i] = make_opt(&b->words[i]);
	opts[b->n_words] = (cfg_opt_t)CFG_END();
	return (cfg_opt_t)CFG_SEC(b->name, opts, flags);
}

/* All that may stand at the top: blocks, require, and the choices. */
static cfg_opt_t *make_opts(struct arena *mem)
{
	size_t n_words, n = 0;
	const struct site_word *words = site_words(&n_words);
	cfg_opt_t *opts =
		arena_alloc(mem, (COUNT(blocks) + n_words + 2) * sizeof(*opts));

	for (size_t i = 0; i < COUNT(blocks); i++)
		opts[n++] = make_block(mem, &blocks[i]);
	opts[n++] = make_opt(&(struct word){ .name = "require" });
	for (size_t i = 0; i < n_words; i++)
		opts[n++] = make_opt(&(struct word){ .name = words[i].name });
	opts[n] = (cfg_opt_t)CFG_END();
	return opts;
}

static void cfg_freep(cfg_t **cfg)
{
	if (*cfg != NULL)
		cfg_free(*cfg);
}

static int bad_word(const struct block_reader *r, cfg_opt_t *opt, struct err *e)
{
	err_push(e, "%s", opt->name);
	return err_wrap(e, "%s:%u", r->site->file, word_line(r, opt));
}

static int store_text(const struct block_reader *r, const struct word *w,
		      cfg_opt_t *opt, void *at, struct err *e)
{
	for (unsigned i = 0; i < cfg_opt_size(opt); i++) {
		const char *text = cfg_opt_getnstr(opt, i);

		if (w->check != NULL && w->check(text, e) < 0)
			return bad_word(r, opt, e);
		text = arena_strdup(r->mem, text);
		if (w->kind == KIND_LIST)
			strv_add(r->mem, at, text);
		else
			*(const char **)at = text;
	}
	return 0;
}

static int store_word(const struct block_reader *r, const struct word *w,
		      void *object, struct err *e)
{
	cfg_opt_t *opt = cfg_getopt(r->cfg, w->name);
	void *at = (char *)object + w->offset;
	long n;

	if (cfg_opt_size(opt) == 0)
		return 0;
	switch (w->kind) {
	case KIND_TEXT:
	case KIND_LIST:
		return store_text(r, w, opt, at, e);
	case KIND_YES:
		*(bool *)at = cfg_opt_getnbool(opt, 0) == cfg_true;
		break;
	case KIND_NUMBER:
		n = cfg_opt_getnint(opt, 0);
		if (n < w->min || n > w->max) {
			err_fill(e, 0, "%ld is not from %ld to %ld", n, w->min,
				 w->max);
			return bad_word(r, opt, e);
		}
		*(long *)at = n;
		break;
	}
	return 0;
}

static int bad_block(const struct block_reader *r, const struct block *b,
		     struct err *e)
{
	if (b->no_title)
		err_push(e, "%s", b->name);
	else
		err_push(e, "%s \"%s\"", b->name, r->title);
	return err_wrap(e, "%s:%u", r->site->file, r->line);
}

static int read_block(struct block_reader *r, const struct block *b,
		      struct err *e)
{
	void *object = b->begin(r, e);

	if (object == NULL)
		return bad_block(r, b, e);
	for (size_t i = 0; i < b->n_words; i++)
		if (store_word(r, &b->words[i], object, e) < 0)
			return -1;
	if (b->end != NULL && b->end(r, object, e) < 0)
		return bad_block(r, b, e);
	return 0;
}

/* Blocks that were read, for the check of titles that come twice. */
struct seen {
	const struct block *block;
	const char *title;
	unsigned line;
};

struct seen_list {
	struct seen *v;
	size_t n, cap;
};

static int check_seen(struct block_reader *r, const struct block *b,
		      struct seen_list *seen, struct err *e)
{
	for (size_t i = 0; i < seen->n; i++) {
		const struct seen *s = &seen->v[i];

		if (s->block != b || b->repeats || !str_eq(s->title, r->title))
			continue;
		err_fill(e, 0, "is there already at line %u", s->line);
		return bad_block(r, b, e);
	}
	*vec_add(r->mem, seen) =
		(struct seen){ .block = b, .title = r->title, .line = r->line };
	return 0;
}

static int read_require(struct block_reader *r, cfg_t *root, struct err *e)
{
	cfg_opt_t *opt = cfg_getopt(root, "require");
	const struct word w = { .name = "require", .check = check_verdict };

	if (cfg_opt_size(opt) == 0)
		return 0;
	if (r->site->require != NULL) {
		err_fill(e, 0, "is given twice");
		return bad_word(r, opt, e);
	}
	return store_text(r, &w, opt, &r->site->require, e);
}

static int read_choices(struct block_reader *r, cfg_t *root, struct err *e)
{
	size_t n;
	const struct site_word *words = site_words(&n);

	for (size_t i = 0; i < n; i++) {
		struct site_choice *c = &r->site->choices.v[i];
		cfg_opt_t *opt = cfg_getopt(root, words[i].name);
		const char *text;

		if (cfg_opt_size(opt) == 0)
			continue;
		text = cfg_opt_getnstr(opt, 0);
		if (c->line != 0) {
			err_fill(e, 0, "is given twice");
			return bad_word(r, opt, e);
		}
		if (site_words_check(&words[i], text, e) < 0)
			return bad_word(r, opt, e);
		c->value = arena_strdup(r->mem, text);
		c->line = word_line(r, opt);
	}
	return 0;
}

/* The message that keep_error left in the piece or in its block. */
static int parse_error(const struct block_reader *r, cfg_t *root, struct err *e)
{
	const char *found = root->comment;
	struct slice rest, line = { "", 0 };
	uint64_t n = 1;
	struct err ignored;

	for (size_t i = 0; found == NULL && i < COUNT(blocks); i++)
		if (cfg_size(root, blocks[i].name) > 0)
			found = cfg_getnsec(root, blocks[i].name, 0)->comment;
	if (found == NULL)
		return err_set(e, 0, "%s:%u: not understood", r->site->file,
			       r->piece_line);
	rest = (struct slice){ found, strlen(found) };
	if (slice_word(&rest, &line))
		num_u64(slice_dup(r->mem, line), &n, &ignored);
	rest = slice_trim(rest);
	return err_set(e, 0, "%s:%u: %.*s", r->site->file, real_line(r, (int)n),
		       (int)rest.n, rest.p);
}

static int read_piece(struct block_reader *r, const struct site_piece *p,
		      struct seen_list *seen, struct err *e)
{
	struct arena *scratch CLEANUP(arena_freep) = arena_new();
	cfg_t *root CLEANUP(cfg_freep) =
		cfg_init(make_opts(scratch), CFGF_NONE);

	if (root == NULL)
		return err_set(e, errno, "read %s", r->site->file);
	r->piece_line = p->line;
	cfg_set_error_function(root, keep_error);
	if (cfg_parse_buf(root, p->text) != CFG_SUCCESS)
		return parse_error(r, root, e);
	if (read_require(r, root, e) < 0 || read_choices(r, root, e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(blocks); i++) {
		if (cfg_size(root, blocks[i].name) == 0)
			continue;
		r->cfg = cfg_getnsec(root, blocks[i].name, 0);
		r->line = p->block;
		r->title = cfg_title(r->cfg) == NULL ?
				   "" :
				   arena_strdup(r->mem, cfg_title(r->cfg));
		if (check_seen(r, &blocks[i], seen, e) < 0 ||
		    read_block(r, &blocks[i], e) < 0)
			return -1;
	}
	return 0;
}

static int read_file(const char *path, struct buf *b, struct err *e)
{
	int fd CLEANUP(fd_closep) = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char piece[1 << 14];
	ssize_t n;

	if (fd < 0)
		return err_set(e, errno, "open %s", path);
	do {
		n = read(fd, piece, sizeof(piece));
		if (n > 0)
			buf_add(b, piece, (size_t)n);
		if (b->n > FILE_MAX)
			return err_set(e, EFBIG, "read %s", path);
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		return err_set(e, errno, "read %s", path);
	return 0;
}

int site_read(const char *path, struct arena *mem, struct site **ret,
	      struct err *e)
{
	struct buf text CLEANUP(buf_done) = { 0 };
	struct block_reader r = { .mem = mem };
	struct site_pieces pieces;
	struct seen_list seen = { 0 };

	if (read_file(path, &text, e) < 0)
		return -1;
	if (site_text_cut(path, buf_str(&text), text.n, mem, &pieces, e) < 0)
		return -1;
	r.site = site_new(mem);
	r.site->file = arena_strdup(mem, path);
	for (size_t i = 0; i < pieces.n; i++)
		if (read_piece(&r, &pieces.v[i], &seen, e) < 0)
			return -1;
	*ret = r.site;
	return 0;
}
