/* Names of files, which are bytes, in formats that want characters. */
#include "pack/charset.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/str.h"

/*
 * Characters that may compose with the one before them, or change places with
 * a neighbour, when Unicode is normalised; scripts that have many of them as a
 * whole.
 */
static const struct {
	uint32_t first, last;
} unsafe[] = {
	{ 0x300, 0x36f },     { 0x483, 0x487 },     { 0x591, 0x5c7 },
	{ 0x610, 0x61a },     { 0x64b, 0x670 },     { 0x6d6, 0x6ed },
	{ 0x711, 0x74a },     { 0x7eb, 0x7f3 },     { 0x816, 0x8ff },
	{ 0x900, 0xfff },     { 0x1000, 0x109f },   { 0x1100, 0x11ff },
	{ 0x135d, 0x135f },   { 0x1714, 0x1cff },   { 0x1dc0, 0x1dff },
	{ 0x20d0, 0x20ff },   { 0x2cef, 0x2cf1 },   { 0x2d7f, 0x2dff },
	{ 0x302a, 0x302f },   { 0x3099, 0x309a },   { 0xa66f, 0xabff },
	{ 0xfb1e, 0xfb1e },   { 0xfe20, 0xfe2f },   { 0x101fd, 0x103ff },
	{ 0x10a00, 0x11fff }, { 0x16af0, 0x16fff }, { 0x1bc9e, 0x1bc9e },
	{ 0x1d165, 0x1d244 }, { 0x1e000, 0x1e9ff },
};

static bool is_unsafe(uint32_t c)
{
	for (size_t i = 0; i < COUNT(unsafe); i++)
		if (c >= unsafe[i].first && c <= unsafe[i].last)
			return true;
	return false;
}

/* Takes a character off valid UTF-8. */
static uint32_t next(const unsigned char **s)
{
	uint32_t c = *(*s)++;
	unsigned more = c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

	if (more > 0)
		c &= 0x3fU >> more;
	for (; more > 0; more--)
		c = c << 6 | (*(*s)++ & 0x3f);
	return c;
}

/* Nearly every name is. */
static bool is_ascii(const char *s)
{
	while (*s && (unsigned char)*s < 0x80)
		s++;
	return *s == '\0';
}

bool charset_is_safe(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	if (!s || is_ascii(s))
		return true;
	if (!str_utf8(s, strlen(s)))
		return false;
	while (*p)
		if (is_unsafe(next(&p)))
			return false;
	return true;
}
