// SPDX-License-Identifier: EUPL-1.2
// Calls that give memory, as the linker knows them: __wrap_NAME is called, __real_NAME is the library's.
#include "support/short_memory.h"

#include <stdarg.h>
#include <stdio.h>

#include <sodium.h>

#define WRAP(short, type, name, parameters, arguments)                                                                 \
	type __real_##name parameters;                                                                                 \
	type __wrap_##name parameters;                                                                                 \
	type __wrap_##name parameters                                                                                  \
	{                                                                                                              \
		return short() ? NULL : __real_##name arguments;                                                       \
	}

WRAP(memory_is_short, void *, malloc, (size_t n), (n))
WRAP(memory_is_short, void *, calloc, (size_t n, size_t size), (n, size))
WRAP(memory_is_short, void *, realloc, (void *p, size_t n), (p, n))
WRAP(memory_is_short, char *, strdup, (const char *s), (s))
WRAP(memory_is_short, char *, strndup, (const char *s, size_t n), (s, n))
WRAP(keys_are_short, void *, sodium_malloc, (size_t n), (n))

int __wrap_asprintf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **out, const char *format, ...)
{
	va_list args;
	int n = -1;

	if (memory_is_short())
		return -1;
	va_start(args, format);
	n = vasprintf(out, format, args);
	va_end(args);
	return n;
}

int __wrap___asprintf_chk(char **out, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));
int __wrap___asprintf_chk(char **out, int flag, const char *format, ...)
{
	va_list args;
	int n = -1;

	(void)flag;
	if (memory_is_short())
		return -1;
	va_start(args, format);
	n = vasprintf(out, format, args);
	va_end(args);
	return n;
}

/* Quick, and it needs memory. */
int __wrap_crypto_pwhash(unsigned char *out, unsigned long long len, const char *text, unsigned long long text_len,
                         const unsigned char *salt, unsigned long long ops, size_t mem, int alg);
int __wrap_crypto_pwhash(unsigned char *out, unsigned long long len, const char *text, unsigned long long text_len,
                         const unsigned char *salt, unsigned long long ops, size_t mem, int alg)
{
	(void)ops;
	(void)mem;
	(void)alg;
	if (keys_are_short())
		return -1;
	return crypto_generichash(out, (size_t)len, (const unsigned char *)text, text_len, salt,
	                          crypto_pwhash_SALTBYTES);
}
