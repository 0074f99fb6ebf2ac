/*
 * Memory that is freed together: all of one guest.
 *
 * Built for the address sanitizer, each allocation is a heap block of its own,
 * so that its bounds are seen. Out of memory ends the process with a message:
 * a worker dies, and so that guest alone (design 2.3). All memory comes zeroed.
 */
#ifndef REHOST_BASE_ARENA_H
#define REHOST_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "attr.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);   /* NULL is fine */
void arena_freep(struct arena **a); /* for CLEANUP */

void *arena_alloc(struct arena *a, size_t size);
void *arena_memdup(struct arena *a, const void *data, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap);

/* Bytes handed out so far; for tests and for the memory bound of a guest. */
size_t arena_size(const struct arena *a);

/*
 * Growing arrays in an arena. VEC(T) holds values; the address of an element
 * is good until the next vec_add. PVEC(T) holds pointers to zeroed elements
 * whose addresses never change: use it for whatever is pointed to.
 *
 *	VEC(uint32_t) ids;      *vec_add(mem, &ids) = 7;
 *	PVEC(struct nic) nics;  struct nic *n = pvec_add(mem, &nics);
 */
#define VEC(type)                                                              \
	struct {                                                               \
		type *v;                                                       \
		size_t n, cap;                                                 \
	}
#define PVEC(type)                                                             \
	struct {                                                               \
		type **v;                                                      \
		size_t n, cap;                                                 \
	}

#define vec_add(mem, vec)                                                      \
	((vec)->v = arena_grow((mem), (vec)->v, &(vec)->cap, (vec)->n + 1,     \
			       sizeof(*(vec)->v)),                             \
	 &(vec)->v[(vec)->n++])

#define pvec_add(mem, vec)                                                     \
	((vec)->v = arena_grow((mem), (vec)->v, &(vec)->cap, (vec)->n + 1,     \
			       sizeof(*(vec)->v)),                             \
	 (vec)->v[(vec)->n] = arena_alloc((mem), sizeof(**(vec)->v)),          \
	 (vec)->v[(vec)->n++])

/* Makes room for n elements; new ones are zero. Used by the macros. */
void *arena_grow(struct arena *a, void *v, size_t *cap, size_t n, size_t size);

#endif
