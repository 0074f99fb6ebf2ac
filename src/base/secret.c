/* Words that names of secrets have in them. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "base/secret.h"

const char secret_hidden[] = "(hidden)";

static bool has_word(const char *name, size_t n)
{
	static const char *const words[] = { "passw",      "passphrase",
					     "secret",     "token",
					     "api_key",    "apikey",
					     "private_key" };

	for (size_t i = 0; i < COUNT(words); i++) {
		const size_t len = strlen(words[i]);

		for (size_t at = 0; at + len <= n; at++)
			if (strncasecmp(name + at, words[i], len) == 0)
				return true;
	}
	return false;
}

bool secret_is_name(const char *name)
{
	return name != NULL && has_word(name, strlen(name));
}

static size_t name_len(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && (isalnum((unsigned char)s[i]) || s[i] == '_' ||
			 s[i] == '-' || s[i] == '.'))
		i++;
	return i;
}

static size_t span(const char *s, size_t n, const char *set)
{
	size_t i = 0;

	while (i < n && strchr(set, s[i]) != NULL && s[i] != '\0')
		i++;
	return i;
}

static size_t until(const char *s, size_t n, const char *set)
{
	size_t i = 0;

	while (i < n && (s[i] == '\0' || strchr(set, s[i]) == NULL))
		i++;
	return i;
}

/* How much of s is a value behind "="; 0: there is none. */
static size_t value_len(const char *s, size_t n, bool is_option,
			size_t *ret_skip)
{
	size_t skip = span(s, n, " \t");

	if (skip == n || s[skip] != '=')
		return 0;
	skip++;
	skip += span(s + skip, n - skip, " \t");
	*ret_skip = skip;
	if (n - skip >= strlen(secret_hidden) &&
	    memcmp(s + skip, secret_hidden, strlen(secret_hidden)) == 0)
		return 0; /* already */
	return until(s + skip, n - skip, is_option ? ", \t\n" : "\n");
}

void secret_mask(struct buf *out, const char *text, size_t n)
{
	bool is_option = false;

	while (n > 0) {
		size_t len = name_len(text, n), skip = 0, value = 0;

		if (len != 0 && has_word(text, len))
			value = value_len(text + len, n - len, is_option,
					  &skip);
		if (len == 0)
			len = 1;
		is_option = text[0] == ',';
		buf_add(out, text, len);
		if (value != 0) {
			buf_add(out, text + len, skip);
			buf_adds(out, secret_hidden);
			len += skip + value;
		}
		text += len;
		n -= len;
	}
}
