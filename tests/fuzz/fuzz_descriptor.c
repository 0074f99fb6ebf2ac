/* DiskDescriptor.xml and the chains that it describes. */
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "image/descriptor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct descriptor_chain c;
	struct descriptor d;
	struct err e;

	if (descriptor_read((const char *)data, n, "x", mem, &d, &e))
		return 0;
	descriptor_chain(&d, NULL, mem, &c, &e);
	for (size_t i = 0; i < d.shots.n && i < 8; i++)
		descriptor_chain(&d, d.shots.v[i].guid, mem, &c, &e);
	return 0;
}
