/*
 * rehost status: where the guests of DIR stand. From index.json and the newest
 * record of each engine; nothing is run, nothing is written.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/verify_record.h"

static int cmp_names(const void *a, const void *b)
{
	return verify_record_cmp(*(const char *const *)a,
				 *(const char *const *)b);
}

static struct strv record_names(const char *dir, struct arena *mem)
{
	DIR *d = opendir(arena_printf(mem, "%s/verify", dir));
	const struct dirent *entry;
	struct strv names = { 0 };

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.' && str_ends(entry->d_name, ".json"))
			strv_add(mem, &names, arena_strdup(mem, entry->d_name));
	if (d != NULL)
		closedir(d);
	if (names.n > 1)
		qsort(names.v, names.n, sizeof(*names.v), cmp_names);
	return names;
}

/* The digest that records name the manifest by; NULL: there is none. */
static const char *manifest_digest(const char *dir, struct arena *mem)
{
	const char *path = arena_printf(mem, "%s/manifest.json", dir);
	int fd CLEANUP(fd_closep) = open(path, O_RDONLY | O_CLOEXEC);
	struct buf b CLEANUP(buf_done) = { 0 };
	char chunk[65536], hex[DIGEST_HEX];
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(&b, chunk, (size_t)n);
	if (n < 0)
		return NULL;
	digest_of(b.p, b.n, hex);
	return arena_strdup(mem, hex);
}

/* A record as an entry of "verified"; NULL: it cannot be read. */
static json_t *record_entry(const char *path, const char *manifest,
			    struct arena *mem)
{
	static const char *const copied[] = { "target", "engine",
					      "engine_version", "verdict",
					      "isolation" };
	json_t *doc CLEANUP(json_freep) = json_load_file(path, 0, NULL);
	const json_t *g = json_array_get(json_object_get(doc, "guests"), 0);
	json_t *o;

	if (!json_is_object(g)) {
		log_warn("%s: no record of a verification", path);
		return NULL;
	}
	o = json_object();
	for (size_t i = 0; i < COUNT(copied); i++)
		json_put(o, copied[i],
			 json_incref(json_object_get(g, copied[i])));
	json_put_bool(o, "running",
		      json_is_string(json_object_get(g, "compared_with")));
	json_put_str(o, "time", json_str(json_object_get(doc, "host"), "time"));
	json_put_bool(o, "current",
		      str_eq(arena_strdup(mem, json_str(g, "manifest_sha256")),
			     manifest));
	return o;
}

static bool same_engine(const json_t *a, const json_t *b)
{
	return str_eq(json_str(a, "target"), json_str(b, "target")) &&
	       str_eq(json_str(a, "engine"), json_str(b, "engine")) &&
	       json_object_get(a, "running") == json_object_get(b, "running");
}

/* Takes the entry: in place of an older one of its target and engine. */
static void keep_newest(json_t *list, json_t *entry)
{
	const json_t *old;
	size_t i;

	json_array_foreach (list, i, old) {
		if (!same_engine(old, entry))
			continue;
		if (strcmp(json_str(old, "time"), json_str(entry, "time")) <= 0)
			json_array_set_new(list, i, entry);
		else
			json_decref(entry);
		return;
	}
	json_array_append_new(list, entry);
}

static json_t *verified(const char *dir, struct arena *mem)
{
	const struct strv names = record_names(dir, mem);
	const char *manifest = manifest_digest(dir, mem);
	json_t *list = json_array();

	for (size_t i = 0; i < names.n; i++) {
		json_t *entry = record_entry(arena_printf(mem, "%s/verify/%s",
							  dir, names.v[i]),
					     manifest, mem);

		if (entry != NULL)
			keep_newest(list, entry);
	}
	return list;
}

/* Phases that the index holds for a guest; null: not yet. */
static json_t *phase(const json_t *g, const char *name)
{
	json_t *v = json_object_get(g, name);

	return v == NULL ? json_null() : json_incref(v);
}

static json_t *guest_entry(const char *dir, const json_t *g, struct arena *mem)
{
	static const char *const phases[] = { "planned", "converted" };
	static const char *const later[] = { "deployed", "enabled",
					     "downtime" };
	json_t *o = json_object();

	json_put_str(o, "key", json_str(g, "key"));
	json_put_str(o, "name", json_str(g, "name"));
	json_put_str(o, "verdict", json_str(g, "verdict"));
	for (size_t i = 0; i < COUNT(phases); i++)
		json_put(o, phases[i], phase(g, phases[i]));
	json_put(o, "verified",
		 verified(arena_printf(mem, "%s/%s", dir, json_str(g, "name")),
			  mem));
	for (size_t i = 0; i < COUNT(later); i++)
		json_put(o, later[i], phase(g, later[i]));
	return o;
}

static int load_guests(const char *dir, struct arena *mem, json_t **ret,
		       struct err *e)
{
	const char *path = arena_printf(mem, "%s/index.json", dir);
	json_error_t why;
	json_t *index CLEANUP(json_freep) = json_load_file(path, 0, &why);
	const json_t *guests = json_object_get(index, "guests"), *g;
	json_t *list;
	size_t i;

	if (index == NULL)
		return err_set(e, 0, "%s: %s", path, why.text);
	if (!json_is_array(guests))
		return err_set(e, 0, "%s: not what convert writes", path);
	list = json_array();
	json_array_foreach (guests, i, g)
		json_array_append_new(list, guest_entry(dir, g, mem));
	*ret = list;
	return 0;
}

/* "builtin announced, lxc different*"; the star: of an older conversion. */
static char *verified_text(const json_t *g, struct arena *mem, bool *ret_old)
{
	const json_t *list = json_object_get(g, "verified"), *v;
	struct strv words = { 0 };
	size_t i;

	json_array_foreach (list, i, v) {
		const bool old = !json_is_true(json_object_get(v, "current"));

		strv_add(mem, &words,
			 arena_printf(
				 mem, "%s/%s %s%s%s", json_str(v, "target"),
				 json_str(v, "engine"),
				 json_is_true(json_object_get(v, "running")) ?
					 "running " :
					 "",
				 json_str(v, "verdict"), old ? "*" : ""));
		*ret_old |= old;
	}
	return words.n == 0 ? arena_strdup(mem, "-") :
			      strv_join(mem, &words, ", ");
}

static const char *cell(const json_t *g, const char *name, struct arena *mem)
{
	const json_t *v = json_object_get(g, name);

	if (json_is_integer(v))
		return arena_printf(mem, "%" JSON_INTEGER_FORMAT,
				    json_integer_value(v));
	return json_is_string(v) ? str_show(mem, json_string_value(v),
					    json_string_length(v), 0) :
				   "-";
}

static const struct column {
	const char *head, *member; /* NULL: the verifications */
} columns[] = {
	{ "GUEST", "key" },           { "PLANNED", "verdict" },
	{ "CONVERTED", "converted" }, { "VERIFIED", NULL },
	{ "DEPLOYED", "deployed" },   { "ENABLED", "enabled" },
	{ "DOWNTIME", "downtime" },
};

struct row {
	const char *cells[COUNT(columns)];
};

static void print_row(const struct row *r, const size_t *width)
{
	for (size_t c = 0; c + 1 < COUNT(columns); c++)
		printf("%-*s  ", (int)width[c], r->cells[c]);
	printf("%s\n", r->cells[COUNT(columns) - 1]);
}

static void print_text(const json_t *list, struct arena *mem)
{
	VEC(struct row) rows = { 0 };
	struct row *r = vec_add(mem, &rows);
	size_t width[COUNT(columns)] = { 0 }, i;
	const json_t *g;
	bool old = false;

	for (size_t c = 0; c < COUNT(columns); c++)
		r->cells[c] = columns[c].head;
	json_array_foreach (list, i, g) {
		r = vec_add(mem, &rows);
		for (size_t c = 0; c < COUNT(columns); c++)
			r->cells[c] = columns[c].member == NULL ?
					      verified_text(g, mem, &old) :
					      cell(g, columns[c].member, mem);
	}
	for (i = 0; i < rows.n; i++)
		for (size_t c = 0; c < COUNT(columns); c++)
			if (width[c] < strlen(rows.v[i].cells[c]))
				width[c] = strlen(rows.v[i].cells[c]);
	for (i = 0; i < rows.n; i++)
		print_row(&rows.v[i], width);
	if (old)
		printf("* of an older conversion\n");
}

static void print_json(json_t *list)
{
	json_t *doc CLEANUP(json_freep) = json_object();
	struct buf b CLEANUP(buf_done) = { 0 };

	json_put_int(doc, "schema", 1);
	json_put_str(doc, "tool", "rehost " REHOST_VERSION);
	json_put(doc, "guests", json_incref(list));
	json_write(&b, doc);
	fputs(buf_str(&b), stdout);
}

int status_run(const struct options *o, struct arena *mem, struct err *e)
{
	const char *format = o->format == NULL ? "text" : o->format;
	json_t *list CLEANUP(json_freep) = NULL;

	if (o->args.n != 1)
		return err_set(e, EINVAL, "status: which DIR, one of convert?");
	if (!str_eq(format, "text") && !str_eq(format, "json"))
		return err_set(e, EINVAL,
			       "status --format=%s: not text or json", format);
	if (load_guests(o->args.v[0], mem, &list, e) < 0)
		return -1;
	if (str_eq(format, "json"))
		print_json(list);
	else
		print_text(list, mem);
	return EXIT_OK;
}
