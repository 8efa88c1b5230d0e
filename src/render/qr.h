/* SPDX-License-Identifier: EUPL-1.2 */
/* QR codes (ISO/IEC 18004, by libqrencode) as SVG, PNG and characters. What is drawn may be a secret: the square is
 * wiped when freed; what the libraries keep meanwhile is not in our hands. */
#ifndef SLB_RENDER_QR_H
#define SLB_RENDER_QR_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

struct qr;

enum qr_place {
	QR_PAPER,  /* paper is folded and stained: a quarter may be unreadable (level Q), less where the text is long */
	QR_SCREEN, /* small matters more (level L) */
};
/* Capitals and digits take the least room. ERR_INPUT with a sentence for a text that no square can hold (over 4,296
 * such characters); ERR_NO_MEMORY. */
enum err qr_new(struct errctx *ec, const char *text, enum qr_place place, struct qr **out) MUST_CHECK;
void qr_free(struct qr *qr); /* accepts NULL */

/* Modules on each side, the quiet border of four included. */
int qr_side(const struct qr *qr);

/* A <path> with one unit a module, from 0,0 to qr_side(), for use inside an <svg>. */
void qr_svg_path(const struct qr *qr, FILE *out);
/* A whole SVG image of `mm` millimetres; `title` is plain text without markup. */
void qr_svg(const struct qr *qr, const char *title, int mm, FILE *out);
/* Block characters, two rows of modules a line. `coloured`: black on white by escape codes, for a terminal; else the
 * dark modules are the blocks. */
void qr_blocks(const struct qr *qr, bool coloured, FILE *out);
/* A whole PNG, `scale` pixels a module. */
enum err qr_png(struct errctx *ec, const struct qr *qr, int scale, FILE *out) MUST_CHECK;

#endif
