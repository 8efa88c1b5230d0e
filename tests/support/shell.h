/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SLB_TESTS_SUPPORT_SHELL_H
#define SLB_TESTS_SUPPORT_SHELL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* Output of a shell command, without its last line feed; good until the next. Fails the test where it exits otherwise
 * than 0. */
__attribute__((format(printf, 1, 2))) static inline const char *shell(const char *format, ...)
{
	static char out[1 << 16];
	char command[8192];
	va_list args;
	FILE *pipe = NULL;
	size_t n = 0;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	n = fread(out, 1, sizeof(out) - 1, pipe);
	while (n > 0 && out[n - 1] == '\n')
		n--;
	out[n] = '\0';
	if (pclose(pipe) != 0)
		fail_msg("%s", command);
	return out;
}

#endif
