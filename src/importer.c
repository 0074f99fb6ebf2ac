/* The registry of importers; the Makefile lists them from their file names. */
#include "base/attr.h"
#include "base/str.h"
#include "importer.h"

#define IMPORTER(name) extern const struct importer name##_importer;
#include "importers.def"
#undef IMPORTER

#define IMPORTER(name) &name##_importer,
static const struct importer *const importers[] = {
#include "importers.def"
};
#undef IMPORTER

const struct importer *const *importer_all(size_t *ret_n)
{
	*ret_n = COUNT(importers);
	return importers;
}

const struct importer *importer_find(const char *name)
{
	for (size_t i = 0; i < COUNT(importers); i++)
		if (str_eq(importers[i]->name, name))
			return importers[i];
	return NULL;
}

const struct key *importer_key(const struct key *keys, size_t n,
			       const char *name)
{
	/* most rows differ in the first byte: no call for them */
	for (size_t i = 0; i < n; i++)
		if (keys[i].name[0] == name[0] && str_eq(keys[i].name, name))
			return &keys[i];
	return NULL;
}
