/*
 * Memory that is freed together: a list of heap blocks, linked both ways
 * because a large array that grows gives its old block back at once. Small
 * things share a block.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

struct block {
	struct block *next, *prev;
	max_align_t data[];
};

/* Larger things have a block of their own; all have for the sanitizer. */
#ifdef __SANITIZE_ADDRESS__
enum { SMALL = 0 };
#else
enum { SMALL = 1024 };
#endif

/* Blocks that small things share: the first one, and the most. */
enum { SHARED_MIN = 512, SHARED_MAX = 16384 };

struct arena {
	struct block *first;
	size_t size;
	char *free; /* what is left of the block that is shared now */
	size_t n_free, shared;
};

NORETURN static void out_of_memory(size_t size)
{
	fprintf(stderr, "rehost: out of memory (%zu bytes)\n", size);
	abort();
}

static void *get(size_t size)
{
	void *p = calloc(1, size);

	if (p == NULL)
		out_of_memory(size);
	return p;
}

struct arena *arena_new(void)
{
	return get(sizeof(struct arena));
}

/* Takes the block out of the list and frees it. */
static void drop(struct arena *a, struct block *b)
{
	if (b->prev != NULL)
		b->prev->next = b->next;
	else
		a->first = b->next;
	if (b->next != NULL)
		b->next->prev = b->prev;
	free(b);
}

static void *add_block(struct arena *a, size_t size)
{
	struct block *b;

	if (size > SIZE_MAX - sizeof(*b))
		out_of_memory(size);
	b = get(sizeof(*b) + size);
	b->next = a->first;
	if (b->next != NULL)
		b->next->prev = b;
	a->first = b;
	return b->data;
}

void arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	while (a->first != NULL)
		drop(a, a->first);
	free(a);
}

void arena_freep(struct arena **a)
{
	arena_free(*a);
	*a = NULL;
}

/* A new block for small things, with room for one of this size. */
static void share(struct arena *a, size_t size)
{
	a->shared = a->shared == 0 ? SHARED_MIN : a->shared * 2;
	if (a->shared > SHARED_MAX)
		a->shared = SHARED_MAX;
	if (a->shared < size)
		a->shared = size;
	a->free = add_block(a, a->shared);
	a->n_free = a->shared;
}

/* align: a power of two. Everything has an address of its own. */
static void *take(struct arena *a, size_t size, size_t align)
{
	size_t skip = -(uintptr_t)a->free & (align - 1);
	void *p;

	a->size += size;
	if (size > SMALL || SMALL == 0)
		return add_block(a, size);
	if (size == 0)
		size = 1;
	if (size + skip > a->n_free) {
		share(a, size);
		skip = 0;
	}
	p = a->free + skip;
	a->free += skip + size;
	a->n_free -= skip + size;
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	return take(a, size, _Alignof(max_align_t));
}

static char *take_text(struct arena *a, const char *s, size_t n)
{
	char *p = take(a, n + 1, 1);

	memcpy(p, s, n);
	return p;
}

void *arena_memdup(struct arena *a, const void *data, size_t size)
{
	void *p = arena_alloc(a, size);

	if (size != 0)
		memcpy(p, data, size);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return take_text(a, s, strlen(s));
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	return take_text(a, s, strnlen(s, n));
}

/* The header cannot say it: fmt is checked where it is written. */
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) PRINTF(2, 0);

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char text[256], *p; /* most fit: formatted once */
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	p = take(a, n < 0 ? 1 : (size_t)n + 1, 1);
	if (n > 0 && (size_t)n < sizeof(text))
		memcpy(p, text, (size_t)n);
	else if (n > 0)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

size_t arena_size(const struct arena *a)
{
	return a->size;
}

/* An array's old place; a small one stays taken until the arena is freed. */
static void give_back(struct arena *a, void *v, size_t size)
{
	if (size <= SMALL)
		return;
	drop(a, (struct block *)((char *)v - offsetof(struct block, data)));
	a->size -= size;
}

void *arena_grow(struct arena *a, void *v, size_t *cap, size_t n, size_t size)
{
	size_t want = *cap == 0 ? 4 : *cap * 2;
	void *p;

	if (n <= *cap)
		return v;
	if (want < n)
		want = n;
	if (want > SIZE_MAX / 2 / size)
		out_of_memory(want);
	p = arena_alloc(a, want * size);
	if (*cap != 0) {
		memcpy(p, v, *cap * size);
		give_back(a, v, *cap * size);
	}
	*cap = want;
	return p;
}
