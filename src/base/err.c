// SPDX-License-Identifier: EUPL-1.2
// One error type; the first error of a session wins, so that the cause is told and not its consequences.
#include "base/err.h"

#include <errno.h>
#include <string.h>

static void arg_copy(char out[static ERR_ARG_LEN], const char *in)
{
	size_t len = in == NULL ? 0 : strlen(in);

	if (len >= ERR_ARG_LEN) {
		len = ERR_ARG_LEN - 1;
		while (len > 0 && ((unsigned char)in[len] & 0xC0) == 0x80)
			len--;
	}
	if (len > 0)
		memcpy(out, in, len);
	out[len] = '\0';
}

enum err err_set_4(struct errctx *ec, enum err code, const char *msg, const struct err_args *args)
{
	if (ec == NULL || ec->code != ERR_OK)
		return code;
	ec->code = code;
	ec->msg = msg;
	for (int i = 0; i < ERR_ARGS; i++)
		arg_copy(ec->arg[i], args->arg[i]);
	return code;
}

enum err err_set(struct errctx *ec, enum err code, const char *msg, const char *a1, const char *a2, const char *a3)
{
	return err_set_4(ec, code, msg, &(struct err_args){ { a1, a2, a3, NULL } });
}

enum err err_errno(struct errctx *ec, int errnum, const char *what)
{
	switch (errnum) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return err_set(ec, ERR_NO_SPACE, "The disk is full: %1 was not written. Make room and try again.", what,
		               NULL, NULL);
	case ENOMEM:
		return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.",
		               NULL, NULL, NULL);
	case ENOENT:
		return err_set(ec, ERR_NOT_FOUND, "%1 was not found.", what, NULL, NULL);
	default:
		return err_set(ec, ERR_IO, "%1 could not be read or written: %2.", what, strerror(errnum), NULL);
	}
}

void err_clear(struct errctx *ec)
{
	if (ec != NULL)
		*ec = (struct errctx){ .code = ERR_OK };
}

const char *err_text(const struct errctx *ec, const char *template, char *out, unsigned size)
{
	const char *p = template != NULL ? template : ec->msg;
	unsigned n = 0;

	if (size == 0)
		return out;
	for (; p != NULL && *p != '\0' && n + 1 < size; p++) {
		if (p[0] == '%' && p[1] >= '1' && p[1] < '1' + ERR_ARGS) {
			const char *a = ec->arg[p[1] - '1'];

			while (*a != '\0' && n + 1 < size)
				out[n++] = *a++;
			p++;
		} else {
			out[n++] = *p;
		}
	}
	out[n] = '\0';
	return out;
}

int err_exit_status(enum err code)
{
	static const int status[ERR_COUNT] = {
		[ERR_OK] = 0,    [ERR_USAGE] = 2,    [ERR_LOCKED] = 3,    [ERR_NOT_FOUND] = 4,
		[ERR_INPUT] = 5, [ERR_LATER] = 6,    [ERR_DAMAGED] = 7,   [ERR_REFUSED] = 8,
		[ERR_IO] = 9,    [ERR_NO_SPACE] = 9, [ERR_NO_MEMORY] = 9,
	};

	return (unsigned)code < ERR_COUNT ? status[code] : 9;
}
