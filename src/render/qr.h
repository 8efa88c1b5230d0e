/* SPDX-License-Identifier: EUPL-1.2 */
/* QR codes (ISO/IEC 18004, by libqrencode) as SVG and PNG. What is drawn may be a secret: the square is wiped when
 * freed; what the libraries keep meanwhile is not in our hands. */
#ifndef SLB_RENDER_QR_H
#define SLB_RENDER_QR_H

#include <stdio.h>

#include "base/err.h"

struct qr;

/* A quarter of the square may be unreadable (level Q): paper is folded and stained. ERR_NO_MEMORY. */
enum err qr_new(struct errctx *ec, const char *text, struct qr **out) MUST_CHECK;
void qr_free(struct qr *qr); /* accepts NULL */

/* Modules on each side, the quiet border of four included. */
int qr_side(const struct qr *qr);

/* A <path> with one unit a module, from 0,0 to qr_side(), for use inside an <svg>. */
void qr_svg_path(const struct qr *qr, FILE *out);
/* A whole PNG, `scale` pixels a module. */
enum err qr_png(struct errctx *ec, const struct qr *qr, int scale, FILE *out) MUST_CHECK;

#endif
