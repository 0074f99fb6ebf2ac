/* Sets of capabilities, named by cap.def. */
#include "base/buf.h"
#include "base/cap.h"
#include "base/str.h"

#define CAP(bit, name) [bit] = name,
static const char *const names[CAP_N] = {
#include "base/cap.def"
};
#undef CAP

const char *cap_name(unsigned bit)
{
	return bit < CAP_N ? names[bit] : NULL;
}

int cap_find(const char *name)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();

	if (str_caseeq(arena_strndup(mem, name, 4), "cap_"))
		name += 4;
	for (int i = 0; i < CAP_N; i++)
		if (str_caseeq(name, names[i]))
			return i;
	return -1;
}

char *cap_show(struct arena *a, uint64_t set, const char *sep)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	for (unsigned i = 0; i < 64; i++) {
		if (!(set & CAP_BIT(i)))
			continue;
		if (b.n != 0)
			buf_adds(&b, sep);
		if (cap_name(i) != NULL)
			buf_adds(&b, cap_name(i));
		else
			buf_printf(&b, "%u", i);
	}
	return arena_strdup(a, buf_str(&b));
}
