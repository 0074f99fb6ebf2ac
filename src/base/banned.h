/*
 * Functions that do not compile here: for each there is one safe way.
 * Force-included by the Makefile after the system's own headers are guarded.
 *   strcpy strcat sprintf -> arena_printf, buf_printf   strtok -> slice_next
 *   atoi strtol...        -> num.h                      system popen -> proc.h
 */
#ifndef REHOST_BASE_BANNED_H
#define REHOST_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets atoi atol atoll
#pragma GCC poison alloca system popen mktemp tmpnam

#endif
