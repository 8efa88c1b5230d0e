/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A recovery sheet as it goes on paper: HTML (one page A4, Dutch and English), SVG and PNG (the QR code, the first with
 * its words), plain text. The QR code holds "SLBSHEET1 number word ... word" in capitals, which `recover --words-file`
 * takes as it is.
 */
#ifndef SLB_RENDER_SHEET_H
#define SLB_RENDER_SHEET_H

#include <stdio.h>

#include "app/recovery.h"

enum sheet_format { SHEET_HTML, SHEET_SVG, SHEET_PNG, SHEET_TXT };

/* What the end of a file's name asks for; HTML where it has none. ERR_INPUT for another. */
enum err sheet_format_of(struct errctx *ec, const char *path, enum sheet_format *out) MUST_CHECK;

/* Failures to write stay on the stream. */
enum err sheet_print(struct errctx *ec, const struct sheet_view *sheet, enum sheet_format format, FILE *out) MUST_CHECK;

#endif
