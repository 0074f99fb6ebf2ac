/*
 * The journal of a file system of 1 KiB blocks. A seed is its beginning; what
 * follows is zeros, up to the end that its superblock tells.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "image/jbd2.h"
#include "tests/check_image_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	enum { LOG = 128 << 10, BLOCK = 1024, BLOCKS = 1 << 16 };
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	char *bytes = arena_alloc(mem, LOG);
	struct block *log CLEANUP(block_closep) = memory_open(bytes, LOG);
	struct jbd2_replay replay;
	struct err e;

	memcpy(bytes, data, n < LOG ? n : LOG);
	if (jbd2_read(log, BLOCK, BLOCKS, mem, &replay, &e))
		return 0;
	for (size_t i = 0; i < replay.n; i++)
		if (replay.v[i].nr >= BLOCKS ||
		    replay.v[i].log >= LOG / BLOCK ||
		    (i > 0 && replay.v[i].nr <= replay.v[i - 1].nr))
			__builtin_trap();
	return 0;
}
