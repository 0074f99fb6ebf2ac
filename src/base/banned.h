/*
 * Functions that do not compile here: for each there is one safe way.
 *   strcpy strcat sprintf -> arena_printf, buf_printf   strtok -> slice_next
 *   atoi                  -> num.h                      system popen -> proc.h
 *
 * The Makefile includes it before the first line of every C file; the headers
 * that name the poisoned words themselves therefore come first here. strtoull
 * and its kind, which num.c alone may call, are left to the lint: so early,
 * no file can say that it is num.c.
 */
#ifndef REHOST_BASE_BANNED_H
#define REHOST_BASE_BANNED_H

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With fortification some of them are macros; a macro is not poisoned. */
#undef alloca
#undef sprintf
#undef vsprintf
#undef strcpy
#undef strcat

#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets atoi atol atoll
#pragma GCC poison alloca system popen mktemp tmpnam

#endif
