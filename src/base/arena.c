/*
 * Memory that is freed together: a list of heap blocks, linked both ways
 * because an array that grows gives its old block back at once.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

struct block {
	struct block *next, *prev;
	size_t size;
	max_align_t data[];
};

struct arena {
	struct block *first;
	size_t size;
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
	a->size -= b->size;
	free(b);
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

void *arena_alloc(struct arena *a, size_t size)
{
	struct block *b;

	if (size > SIZE_MAX - sizeof(*b))
		out_of_memory(size);
	b = get(sizeof(*b) + size);
	b->size = size;
	b->next = a->first;
	if (b->next != NULL)
		b->next->prev = b;
	a->first = b;
	a->size += size;
	return b->data;
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
	return arena_memdup(a, s, strlen(s) + 1);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p;

	n = strnlen(s, n);
	p = arena_alloc(a, n + 1);
	memcpy(p, s, n);
	return p;
}

/* The header cannot say it: fmt is checked where it is written. */
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) PRINTF(2, 0);

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	p = arena_alloc(a, n < 0 ? 1 : (size_t)n + 1);
	if (n > 0)
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
		drop(a, (struct block *)((char *)v -
					 offsetof(struct block, data)));
	}
	*cap = want;
	return p;
}
