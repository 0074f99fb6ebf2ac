/*
 * JSON through jansson, which fails here only for want of memory or for text
 * that is not UTF-8, and json_textn lets none of that pass.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "base/str.h"

static void must(bool ok)
{
	if (ok)
		return;
	fprintf(stderr, "rehost: out of memory for JSON\n");
	abort();
}

void json_freep(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}

/* How many bytes the character at s takes; 0 when it is not UTF-8. */
static size_t character(const char *s, size_t n)
{
	for (size_t len = 1; len <= 4 && len <= n; len++)
		if (str_utf8(s, len))
			return len;
	return 0;
}

/* As s, with U+FFFD for each byte that is not UTF-8. */
static void replace_bytes(struct buf *b, const char *s, size_t n)
{
	while (n > 0) {
		const size_t len = character(s, n), taken = len == 0 ? 1 : len;

		if (len != 0)
			buf_add(b, s, len);
		else
			buf_adds(b, "\xef\xbf\xbd");
		s += taken;
		n -= taken;
	}
}

json_t *json_textn(const char *s, size_t n)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	json_t *j;

	if (s == NULL)
		return json_null();
	if (str_utf8(s, n)) {
		j = json_stringn_nocheck(s, n);
	} else {
		replace_bytes(&b, s, n);
		j = json_stringn_nocheck(b.p, b.n);
	}
	must(j != NULL);
	return j;
}

json_t *json_text(const char *s)
{
	return json_textn(s, s == NULL ? 0 : strlen(s));
}

void json_put(json_t *object, const char *key, json_t *value)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	replace_bytes(&b, key, strlen(key));
	must(json_object_set_new_nocheck(object, buf_str(&b), value) == 0);
}

void json_put_str(json_t *object, const char *key, const char *s)
{
	json_put(object, key, json_text(s));
}

void json_put_int(json_t *object, const char *key, int64_t n)
{
	json_put(object, key, json_integer(n));
}

/*
 * jansson's integers have 63 bits. What is larger becomes a string of digits:
 * json_num reads both.
 */
void json_put_u64(json_t *object, const char *key, uint64_t n)
{
	char digits[24];

	if (n <= INT64_MAX) {
		json_put_int(object, key, (int64_t)n);
		return;
	}
	snprintf(digits, sizeof(digits), "%" PRIu64, n);
	json_put_str(object, key, digits);
}

void json_put_bool(json_t *object, const char *key, bool b)
{
	json_put(object, key, json_boolean(b));
}

static int collect(const char *text, size_t n, void *data)
{
	buf_add(data, text, n);
	return 0;
}

static void write_with(struct buf *b, const json_t *j, size_t flags)
{
	must(json_dump_callback(j, collect, b, flags | JSON_ENCODE_ANY) == 0);
}

void json_write(struct buf *b, const json_t *j)
{
	write_with(b, j, JSON_INDENT(2));
	buf_addc(b, '\n');
}

void json_write_compact(struct buf *b, const json_t *j)
{
	write_with(b, j, JSON_COMPACT);
}

const char *json_str(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s == NULL ? "" : s;
}

uint64_t json_num(const json_t *object, const char *key)
{
	const json_t *j = json_object_get(object, key);
	struct err unused;
	uint64_t n = 0;

	if (json_is_integer(j))
		return json_integer_value(j) < 0 ?
			       0 :
			       (uint64_t)json_integer_value(j);
	if (json_is_string(j) && num_u64(json_string_value(j), &n, &unused))
		return 0;
	return n;
}
