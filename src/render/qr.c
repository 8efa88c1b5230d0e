// SPDX-License-Identifier: EUPL-1.2
// QR codes: libqrencode makes the square, this draws it.
#include "render/qr.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>
#include <qrencode.h>

#define QUIET 4

struct qr {
	QRcode *code;
};

enum err qr_new(struct errctx *ec, const char *text, enum qr_place place, struct qr **out)
{
	static const QRecLevel levels[] = { QR_ECLEVEL_Q, QR_ECLEVEL_M, QR_ECLEVEL_L };
	const size_t count = sizeof(levels) / sizeof(levels[0]);
	struct qr *qr = calloc(1, sizeof(*qr));
	int why = ENOMEM;

	*out = NULL;
	for (size_t i = place == QR_PAPER ? 0 : count - 1; qr != NULL && qr->code == NULL && i < count; i++) {
		errno = 0;
		qr->code = QRcode_encodeString(text, 0, levels[i], QR_MODE_8, 1);
		why = errno;
		if (why != ERANGE)
			break;
	}
	if (qr == NULL || qr->code == NULL) {
		free(qr);
		if (why == ERANGE)
			return err_set(
			    ec, ERR_INPUT,
			    "This is too much for a QR code. Leave out --qr, or invite to one circle at a time.", NULL,
			    NULL, NULL);
		return err_errno(ec, ENOMEM, "QR");
	}
	*out = qr;
	return ERR_OK;
}

void qr_free(struct qr *qr)
{
	if (qr == NULL)
		return;
	explicit_bzero(qr->code->data, (size_t)qr->code->width * (size_t)qr->code->width);
	QRcode_free(qr->code);
	free(qr);
}

int qr_side(const struct qr *qr)
{
	return qr->code->width + 2 * QUIET;
}

static bool dark(const struct qr *qr, int x, int y)
{
	int w = qr->code->width;

	x -= QUIET;
	y -= QUIET;
	return x >= 0 && y >= 0 && x < w && y < w && (qr->code->data[y * w + x] & 1) != 0;
}

void qr_svg_path(const struct qr *qr, FILE *out)
{
	int side = qr_side(qr);

	fputs("<path d=\"", out);
	for (int y = 0; y < side; y++) {
		for (int x = 0; x < side; x++) {
			int n = 0;

			while (dark(qr, x + n, y))
				n++;
			if (n > 0)
				fprintf(out, "M%d %dh%dv1h-%dz", x, y, n, n);
			x += n;
		}
	}
	fputs("\"/>", out);
}

void qr_svg(const struct qr *qr, const char *title, int mm, FILE *out)
{
	int side = qr_side(qr);

	fprintf(out,
	        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%dmm\" "
	        "height=\"%dmm\" viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">\n<title>%s</title>\n"
	        "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
	        mm, mm, side, side, title, side, side);
	qr_svg_path(qr, out);
	fputs("\n</svg>\n", out);
}

void qr_blocks(const struct qr *qr, bool coloured, FILE *out)
{
	static const char *const glyph[] = { " ", "\u2580", "\u2584", "\u2588" };
	int side = qr_side(qr);

	for (int y = 0; y < side; y += 2) {
		if (coloured)
			fputs("\033[30;107m", out);
		for (int x = 0; x < side; x++)
			fputs(glyph[(dark(qr, x, y) ? 1 : 0) | (dark(qr, x, y + 1) ? 2 : 0)], out);
		fputs(coloured ? "\033[0m\n" : "\n", out);
	}
}

enum err qr_png(struct errctx *ec, const struct qr *qr, int scale, FILE *out)
{
	int side = qr_side(qr) * scale;
	size_t size = (size_t)side * (size_t)side;
	png_image image = { .version = PNG_IMAGE_VERSION,
		            .width = (png_uint_32)side,
		            .height = (png_uint_32)side,
		            .format = PNG_FORMAT_GRAY };
	uint8_t *pixels = malloc(size);
	enum err e = ERR_OK;

	if (pixels == NULL)
		return err_errno(ec, ENOMEM, "PNG");
	for (int y = 0; y < side; y++)
		for (int x = 0; x < side; x++)
			pixels[(size_t)y * (size_t)side + (size_t)x] = dark(qr, x / scale, y / scale) ? 0 : 255;
	/* What did not reach the file is seen when it is flushed. */
	if (png_image_write_to_stdio(&image, out, 0, pixels, 0, NULL) == 0 && ferror(out) == 0)
		e = err_errno(ec, ENOMEM, "PNG");
	explicit_bzero(pixels, size);
	free(pixels);
	return e;
}
