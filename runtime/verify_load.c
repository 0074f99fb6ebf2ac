/* A package's documents: what verify compares with. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/json.h"
#include "runtime/verify.h"

/* No document of a package is larger: a guest has some hundred items. */
enum { DOCUMENT_MAX = 64 << 20 };

static int slurp(const char *path, struct buf *ret, struct err *e)
{
	int fd CLEANUP(fd_closep) = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[65536];
	ssize_t n;

	if (fd < 0)
		return err_set(e, errno, "open %s", path);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		buf_add(ret, chunk, (size_t)n);
		if (ret->n > DOCUMENT_MAX)
			return err_set(e, EFBIG, "read %s", path);
	}
	return n < 0 ? err_set(e, errno, "read %s", path) : 0;
}

static int load(struct arena *mem, const char *dir, const char *file,
		struct buf *ret_bytes, json_t **ret, struct err *e)
{
	const char *path = arena_printf(mem, "%s/%s", dir, file);
	json_error_t why;

	if (slurp(path, ret_bytes, e) < 0)
		return -1;
	*ret = json_loadb(buf_str(ret_bytes), ret_bytes->n, 0, &why);
	if (*ret == NULL)
		return err_set(e, 0, "%s:%d: %s", path, why.line, why.text);
	return 0;
}

static int add_announced(struct verify_package *p, const json_t *d,
			 struct arena *mem, struct err *e)
{
	const json_t *codes = json_object_get(d, "findings"), *code;
	const char *why = json_str(d, "accepted");
	struct verify_announced a = {
		.field = field_find(json_str(d, "field")),
		.key = arena_strdup(mem, json_str(d, "key")),
		.accepted = why[0] == '\0' ? NULL : arena_strdup(mem, why),
	};
	size_t i;

	if (a.field == FIELD__MAX)
		return err_set(e, 0, "policy.json: no field \"%s\"",
			       json_str(d, "field"));
	json_array_foreach (codes, i, code)
		strv_add(mem, &a.codes,
			 arena_strdup(mem, json_string_value(code)));
	if (a.codes.n != 0)
		*vec_add(mem, &p->announced) = a;
	return 0;
}

/* Packages of earlier versions have none. */
static const char *ports_of(const json_t *list, struct arena *mem)
{
	struct strv ports = { 0 };
	const json_t *port;
	size_t i;

	json_array_foreach (list, i, port)
		if (json_is_string(port))
			strv_add(mem, &ports,
				 arena_strdup(mem, json_string_value(port)));
	return strv_join(mem, &ports, ",");
}

static int take_policy(struct verify_package *p, const json_t *j,
		       struct arena *mem, struct err *e)
{
	const json_t *planned =
		json_object_get(json_object_get(j, "targets"), p->target);
	const json_t *all =
		json_object_get(json_object_get(j, "differences"), p->target);
	const json_t *recorded = json_object_get(j, "recorded");
	const json_t *d;
	size_t i;

	if (json_num(j, "schema") != 1)
		return err_set(e, 0, "policy.json: not of schema 1");
	if (planned == NULL)
		return err_set(e, 0, "it was not converted for %s", p->target);
	p->key = arena_strdup(mem, json_str(j, "key"));
	p->ports = ports_of(json_object_get(j, "ports"), mem);
	if (policy_parse(json_object_get(j, "source"), mem, &p->before, e) <
		    0 ||
	    policy_parse(planned, mem, &p->planned, e) < 0)
		return -1;
	/* packages of earlier versions have none */
	if (recorded != NULL &&
	    policy_parse(recorded, mem, &p->recorded, e) < 0)
		return -1;
	json_array_foreach (all, i, d)
		if (add_announced(p, d, mem, e) < 0)
			return -1;
	return 0;
}

static void take_manifest(struct verify_package *p, const json_t *j,
			  struct arena *mem)
{
	const json_t *root = json_object_get(j, "rootfs");

	p->name = arena_strdup(mem, json_str(j, "name"));
	if (json_is_object(root))
		p->rootfs = arena_strdup(mem, json_str(root, "path"));
	p->rootfs_sha256 = arena_strdup(mem, json_str(root, "sha256"));
	p->rootfs_bytes = json_num(root, "tar_bytes");
	p->rootfs_is_tree = json_is_true(json_object_get(root, "tree"));
}

/* ISO001: its boundary was a machine. */
static void take_report(struct verify_package *p, const json_t *j,
			struct arena *mem)
{
	const json_t *list = json_object_get(j, "findings"), *f;
	size_t i;

	json_array_foreach (list, i, f) {
		const char *why = json_str(f, "accepted");

		if (!str_eq(json_str(f, "code"), "ISO001"))
			continue;
		p->machine = true;
		if (why[0] != '\0')
			p->machine_accepted = arena_strdup(mem, why);
	}
}

/* The manifest lists what was written: the documents have to be those. */
static int check_document(const json_t *manifest, const char *name,
			  const struct buf *bytes, struct err *e)
{
	const json_t *list = json_object_get(manifest, "artefacts"), *a;
	char hex[DIGEST_HEX];
	size_t i;

	digest_of(bytes->p, bytes->n, hex);
	json_array_foreach (list, i, a) {
		if (!str_eq(json_str(a, "path"), name))
			continue;
		if (!str_eq(json_str(a, "sha256"), hex))
			return err_set(e, 0,
				       "%s was changed after the conversion: "
				       "manifest.json has another SHA-256",
				       name);
		return 0;
	}
	return err_set(e, 0, "manifest.json does not list %s", name);
}

int verify_load(const char *dir, const char *target, struct arena *mem,
		struct verify_package *ret, struct err *e)
{
	struct verify_package p = { .dir = dir, .target = target };
	struct buf policy CLEANUP(buf_done) = { 0 };
	struct buf manifest CLEANUP(buf_done) = { 0 };
	struct buf report CLEANUP(buf_done) = { 0 };
	json_t *jp CLEANUP(json_freep) = NULL;
	json_t *jm CLEANUP(json_freep) = NULL;
	json_t *jr CLEANUP(json_freep) = NULL;
	char hex[DIGEST_HEX];

	if (load(mem, dir, "policy.json", &policy, &jp, e) < 0 ||
	    load(mem, dir, "manifest.json", &manifest, &jm, e) < 0 ||
	    load(mem, dir, "report.json", &report, &jr, e) < 0)
		return -1;
	if (check_document(jm, "policy.json", &policy, e) < 0 ||
	    check_document(jm, "report.json", &report, e) < 0 ||
	    take_policy(&p, jp, mem, e) < 0)
		return err_wrap(e, "%s", dir);
	take_manifest(&p, jm, mem);
	take_report(&p, jr, mem);
	if (!str_eq(json_str(jm, "key"), p.key))
		return err_set(e, 0, "%s: manifest.json is of another guest",
			       dir);
	digest_of(manifest.p, manifest.n, hex);
	p.manifest_sha256 = arena_strdup(mem, hex);
	*ret = p;
	return 0;
}

int verify_load_digest(const char *dir, struct arena *mem, const char **ret,
		       struct err *e)
{
	struct buf text CLEANUP(buf_done) = { 0 };
	char hex[DIGEST_HEX];

	if (slurp(arena_printf(mem, "%s/manifest.json", dir), &text, e) < 0)
		return -1;
	digest_of(text.p, text.n, hex);
	*ret = arena_strdup(mem, hex);
	return 0;
}
