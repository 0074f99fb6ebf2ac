/*
 * Compiler attributes and the one clean-up idiom of this project.
 *
 * CLEANUP(f) calls f(&variable) when the variable leaves its scope; every
 * type that owns something outside an arena has such a function, named
 * x_done (embedded) or x_freep/x_closep (pointer or descriptor).
 */
#ifndef REHOST_BASE_ATTR_H
#define REHOST_BASE_ATTR_H

#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CLEANUP(func) __attribute__((cleanup(func)))
#define MUST_USE __attribute__((warn_unused_result))
#define UNUSED __attribute__((unused))
#define NORETURN __attribute__((noreturn))

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
