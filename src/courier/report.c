// SPDX-License-Identifier: EUPL-1.2
// Writes report lines and remembers the worst grade, which becomes the exit status.
#include "courier/report.h"

#include "base/file.h"
#include "courier/watchdog.h"

static const struct {
	enum grade grade;
	const char *code;
} failures[ERR_COUNT] = {
	[ERR_OK] = { GRADE_LATER, "unknown" },       [ERR_USAGE] = { GRADE_PERSON, "job" },
	[ERR_LOCKED] = { GRADE_PERSON, "access" },   [ERR_NOT_FOUND] = { GRADE_LATER, "missing" },
	[ERR_INPUT] = { GRADE_PERSON, "odd" },       [ERR_LATER] = { GRADE_LATER, "busy" },
	[ERR_DAMAGED] = { GRADE_PERSON, "damaged" }, [ERR_REFUSED] = { GRADE_PERSON, "refused" },
	[ERR_IO] = { GRADE_PERSON, "io" },           [ERR_NO_SPACE] = { GRADE_PERSON, "disk-full" },
	[ERR_NO_MEMORY] = { GRADE_LATER, "memory" },
};

void report_line(struct report *r, enum report_kind kind, const char *a, const char *b, const char *c, const char *d)
{
	struct report_line line = { .kind = kind, .field = { a, b, c, d } };
	struct buf out = { 0 };

	if (r->err == ERR_OK)
		r->err = report_write(&line, &out);
	if (r->err == ERR_OK)
		r->err = file_write_fd(NULL, r->fd, "report", out.data, out.len);
	buf_free(&out);
	watchdog_kick();
}

void report_oid(struct report *r, enum report_kind kind, const char *ref, const git_oid *id)
{
	char hex[GIT_OID_HEXSZ + 1];

	report_line(r, kind, ref, git_oid_tostr(hex, sizeof(hex), id), NULL, NULL);
}

void report_fail_as(struct report *r, enum grade grade, const char *code, const struct errctx *ec)
{
	char text[1024] = "";

	err_text(ec, NULL, text, sizeof(text));
	report_line(r, REPORT_FAIL, grade_name(grade), code, text[0] != '\0' ? text : "It did not work.", NULL);
	if (grade > r->worst)
		r->worst = grade;
}

void report_fail(struct report *r, enum err e, const char *code, const struct errctx *ec)
{
	report_fail_as(r, failures[e].grade, code != NULL ? code : failures[e].code, ec);
}
