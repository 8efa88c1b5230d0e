/* SPDX-License-Identifier: EUPL-1.2 */
/* The report as it is written: one write a line, so that the other side may act on each line at once. */
#ifndef SLB_COURIER_REPORT_H
#define SLB_COURIER_REPORT_H

#include <git2.h>

#include "base/err.h"
#include "courier/job.h"

struct report {
	int fd;
	enum grade worst; /* of all failures so far */
	enum err err;     /* the first line that could not be written: nobody listens any more */
};

/* One line; fields as job.h has them, NULL beyond the kind's. */
void report_line(struct report *r, enum report_kind kind, const char *a, const char *b, const char *c, const char *d);
/* "KIND REF OID" */
void report_oid(struct report *r, enum report_kind kind, const char *ref, const git_oid *id);
/* "fail": the text of `ec`, the grade and, where `code` is NULL, the word that belong to `e`. */
void report_fail(struct report *r, enum err e, const char *code, const struct errctx *ec);
/* The same with a grade that differs from the usual one. */
void report_fail_as(struct report *r, enum grade grade, const char *code, const struct errctx *ec);

#endif
