// SPDX-License-Identifier: EUPL-1.2
// The recovery sheet for people: large, calm, in Dutch and English, and complete without any other file. Nobody's name
// is on it: who finds it should not learn whose it is.
#include "render/sheet.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "app/dates.h"
#include "app/secret_text.h"
#include "base/tr.h"
#include "render/lang.h"
#include "render/qr.h"
#include "render/text.h"

#define PNG_SCALE 12

enum err sheet_format_of(struct errctx *ec, const char *path, enum sheet_format *out)
{
	static const struct {
		const char *end;
		enum sheet_format format;
	} ends[] = {
		{ ".html", SHEET_HTML }, { ".htm", SHEET_HTML }, { ".svg", SHEET_SVG },
		{ ".png", SHEET_PNG },   { ".txt", SHEET_TXT },
	};
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash == NULL ? path : slash, '.');

	*out = SHEET_HTML;
	if (dot == NULL)
		return ERR_OK;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strcasecmp(dot, ends[i].end) == 0) {
			*out = ends[i].format;
			return ERR_OK;
		}
	}
	return err_set(ec, ERR_INPUT,
	               "A recovery sheet cannot be made as %1. Give a name that ends in .html, .svg, .png or .txt.",
	               dot, NULL, NULL);
}

/* ---- What is said ---- */

#define USE_STEPS 4

struct sentences {
	const char *title;
	const char *made;
	const char *lead;
	const char *whose;
	const char *use;
	const char *use_step[USE_STEPS];
	const char *can;
	const char *can_text;
	const char *cannot;
	const char *cannot_text;
	const char *lost;
	const char *lost_text;
	const char *square;
	const char *after;
};

static const struct sentences said = {
	.title = TR("Recovery sheet number %1"),
	.made = TR("Made on %1"),
	.lead =
	    TR("With these words you choose a new passphrase when you have forgotten yours. Keep this sheet at home, "
	       "away from your laptop."),
	.whose = TR("Of:"),
	.use = TR("How to use it"),
	.use_step = { TR("On the computer with your Sleutelbos, type: sleutelbos recover"),
	              TR("Is that computer gone? Then on another: sleutelbos recover --remote URL"),
	              TR("Type the 16 words in their order. Capitals do not matter."),
	              TR("Choose a new passphrase. You type it twice.") },
	.can = TR("What it can do"),
	.can_text =
	    TR("Whoever has this sheet and your computer can read everything. A copy of its files is enough, or "
	       "the shared repository. So show it to nobody."),
	.cannot = TR("What it cannot do"),
	.cannot_text = TR("Without one of these it opens nothing. Your conversations are not on this sheet."),
	.lost = TR("Is the sheet gone, or has somebody seen it?"),
	.lost_text = TR("Make a new sheet and sync: this one then no longer opens your Sleutelbos. After that, type: "
	                "sleutelbos rekey"),
	.square = TR("The square holds the same words. Scan it with your own devices only."),
	.after = TR("Is this on paper? Then delete the file, and empty the bin."),
};

static const char *const months[] = { TR("January"),   TR("February"), TR("March"),    TR("April"),
	                              TR("May"),       TR("June"),     TR("July"),     TR("August"),
	                              TR("September"), TR("October"),  TR("November"), TR("December") };

/* "2 December 2026" */
static void day_written(enum lang lang, int64_t day, char *out, size_t size)
{
	struct date d = day_date(day);

	snprintf(out, size, "%d %s %d", d.day, lang_tr(lang, months[d.month - 1]), d.year);
}

/* A sentence with its one value. */
static void say(FILE *out, enum lang lang, const char *msg, const char *value)
{
	const struct text t = { .out = out, .lang = lang };

	text_say(&t, msg, value, NULL, NULL);
}

/* "sleutelbos recover" and the like stand in a sentence, after a colon, at its end: they are set as typed. */
static void say_command(FILE *out, enum lang lang, const char *msg)
{
	const char *text = lang_tr(lang, msg);
	const char *command = strstr(text, ": sleutelbos ");

	if (command == NULL) {
		fputs(text, out);
		return;
	}
	fwrite(text, 1, (size_t)(command + 2 - text), out);
	fprintf(out, "<code>%s</code>", command + 2);
}

/* ---- The QR code ---- */

/* In guarded memory, as the words are. */
static enum err qr_of(struct errctx *ec, const struct sheet_view *sheet, struct qr **out)
{
	struct secret_text *s = secret_text_new();
	enum err e = s == NULL ? err_errno(ec, ENOMEM, "QR") : ERR_OK;

	*out = NULL;
	if (e != ERR_OK)
		return e;
	s->len = (size_t)snprintf(s->text, sizeof(s->text), "SLBSHEET1 %u", sheet->number);
	for (int i = 0; i < SHEET_WORD_COUNT; i++) {
		s->text[s->len++] = ' ';
		for (const char *p = sheet->word[i]; *p != '\0'; p++)
			s->text[s->len++] = (char)(*p - 'a' + 'A');
	}
	s->text[s->len] = '\0';
	e = qr_new(ec, s->text, QR_PAPER, out);
	secret_text_free(s);
	return e;
}

/* ---- HTML ---- */

static const char style[] =
    "@page{size:A4;margin:14mm}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;padding:1rem;max-width:182mm;background:#fff;color:#1a1a1a;"
    "font:1.0625rem/1.45 'Atkinson Hyperlegible','DejaVu Sans',Verdana,sans-serif}"
    "h1{font-size:1.6rem;line-height:1.2;margin:0}"
    "h2{font-size:1.1em;margin:.9rem 0 .1rem}"
    "p{margin:.2rem 0}"
    ".day{color:#444;margin-bottom:.6rem}"
    ".lead{font-size:1.15rem;margin:.4rem 0 .8rem}"
    ".key{display:flex;flex-wrap:wrap;gap:1.2rem;align-items:center;border:2px solid #1f5f4a;border-radius:10px;"
    "padding:1rem;break-inside:avoid}"
    "ol.words{list-style:none;margin:0;padding:0;flex:1 1 17rem;display:grid;"
    "grid-template-columns:repeat(4,1fr);gap:.6rem .8rem}"
    "ol.words li{display:flex;gap:.5rem;align-items:baseline;font:700 1.4rem/1.3 'DejaVu Sans Mono',monospace}"
    "ol.words span{font:400 .95rem/1 'DejaVu Sans',Verdana,sans-serif;color:#555;min-width:1.4rem;text-align:right}"
    ".square{flex:0 0 12rem;margin:0;text-align:center}"
    ".square svg{width:12rem;height:12rem;display:block;background:#fff}"
    ".whose{margin:.9rem 0 0;display:flex;gap:.5rem}.whose i{flex:1;border-bottom:1px solid #555}"
    ".help{display:grid;grid-template-columns:1fr 1fr;gap:0 1.8rem}"
    ".help ol{margin:.2rem 0;padding-left:1.3rem}"
    "code{font:600 .95em 'DejaVu Sans Mono',monospace;white-space:nowrap}"
    "section[lang=en]{border-top:1px solid #bbb;margin-top:1rem;padding-top:.2rem}"
    ".note{margin-top:.9rem;padding:.6rem .8rem;background:#fff3d6;border-left:5px solid #b26a00}"
    "@media(max-width:600px){ol.words{grid-template-columns:1fr "
    "1fr}.help{grid-template-columns:1fr}.square{flex-basis:100%}.square svg{margin:0 auto}}"
    "@media print{body{padding:0;font-size:10.6pt;line-height:1.35}h1{font-size:20pt}.lead{font-size:12.5pt}"
    ".key{flex-wrap:nowrap;padding:5mm}ol.words{grid-template-columns:repeat(4,1fr);gap:5mm 2mm}"
    "ol.words li{font-size:17pt;gap:1.5mm}ol.words span{font-size:9pt;min-width:5mm}"
    ".square{flex:0 0 46mm}.square svg{width:46mm;height:46mm}.help{grid-template-columns:1fr 1fr}"
    "section[lang=en]{font-size:9.4pt;break-inside:avoid}h2{margin-top:3mm}.note{display:none}}";

static void html_help(FILE *out, enum lang lang)
{
	fprintf(out, "<div class=\"help\"><div><h2>%s</h2><ol>", lang_tr(lang, said.use));
	for (int i = 0; i < USE_STEPS; i++) {
		fputs("<li>", out);
		say_command(out, lang, said.use_step[i]);
		fputs("</li>", out);
	}
	fprintf(out, "</ol><h2>%s</h2><p>", lang_tr(lang, said.lost));
	say_command(out, lang, said.lost_text);
	fprintf(out, "</p></div><div><h2>%s</h2><p>%s</p><h2>%s</h2><p>%s</p><p>%s</p></div></div>\n",
	        lang_tr(lang, said.can), lang_tr(lang, said.can_text), lang_tr(lang, said.cannot),
	        lang_tr(lang, said.cannot_text), lang_tr(lang, said.square));
}

static void html_head(FILE *out, enum lang lang, const struct sheet_view *sheet, const char *level)
{
	char number[16];
	char day[64];

	snprintf(number, sizeof(number), "%u", sheet->number);
	day_written(lang, sheet->day, day, sizeof(day));
	fprintf(out, "<%s>", level);
	say(out, lang, said.title, number);
	fprintf(out, "</%s>\n<p class=\"day\">Sleutelbos · ", level);
	say(out, lang, said.made, day);
	fputs("</p>\n", out);
}

static void html_print(const struct sheet_view *sheet, const struct qr *qr, FILE *out)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", sheet->number);
	fputs(
	    "<!doctype html>\n<html lang=\"nl\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	    "<title>Sleutelbos: ",
	    out);
	say(out, LANG_NL, said.title, number);
	fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n", style);
	html_head(out, LANG_NL, sheet, "h1");
	fprintf(out, "<p class=\"lead\">%s</p>\n<div class=\"key\">\n<ol class=\"words\" lang=\"zxx\">\n",
	        lang_tr(LANG_NL, said.lead));
	for (int i = 0; i < SHEET_WORD_COUNT; i++)
		fprintf(out, "<li><span>%d</span>%s</li>\n", i + 1, sheet->word[i]);
	fprintf(out,
	        "</ol>\n<p class=\"square\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"QR\" "
	        "shape-rendering=\"crispEdges\">",
	        qr_side(qr), qr_side(qr));
	qr_svg_path(qr, out);
	fprintf(out, "</svg></p>\n</div>\n<p class=\"whose\">%s<i></i></p>\n", lang_tr(LANG_NL, said.whose));
	html_help(out, LANG_NL);
	fprintf(out, "<p class=\"note\">%s</p>\n</main>\n<section lang=\"en\">\n", lang_tr(LANG_NL, said.after));
	html_head(out, LANG_EN, sheet, "h2");
	fprintf(out, "<p>%s</p>\n", lang_tr(LANG_EN, said.lead));
	html_help(out, LANG_EN);
	fprintf(out, "<p class=\"note\">%s</p>\n</section>\n</body>\n</html>\n", lang_tr(LANG_EN, said.after));
}

/* ---- SVG ---- */

/* Four columns of four words below the square; units of a tenth of a millimetre. */
static void svg_print(const struct sheet_view *sheet, const struct qr *qr, FILE *out)
{
	char number[16];
	char day[64];

	snprintf(number, sizeof(number), "%u", sheet->number);
	day_written(LANG_NL, sheet->day, day, sizeof(day));
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"120mm\" "
	      "height=\"160mm\" viewBox=\"0 0 1200 1600\">\n<title>Sleutelbos: ",
	      out);
	say(out, LANG_NL, said.title, number);
	fputs("</title>\n<rect width=\"1200\" height=\"1600\" fill=\"#fff\"/>\n"
	      "<g font-family=\"DejaVu Sans,Verdana,sans-serif\" fill=\"#1a1a1a\">\n"
	      "<text x=\"60\" y=\"100\" font-size=\"54\" font-weight=\"700\">",
	      out);
	say(out, LANG_NL, said.title, number);
	fputs("</text>\n<text x=\"60\" y=\"160\" font-size=\"36\">Sleutelbos · ", out);
	say(out, LANG_NL, said.made, day);
	fprintf(out, "</text>\n<g transform=\"translate(150 190) scale(%.4f)\" shape-rendering=\"crispEdges\">",
	        900.0 / qr_side(qr));
	qr_svg_path(qr, out);
	fputs("</g>\n", out);
	for (int i = 0; i < SHEET_WORD_COUNT; i++) {
		int x = 60 + i % 4 * 280;
		int y = 1210 + i / 4 * 100;

		fprintf(out,
		        "<text x=\"%d\" y=\"%d\" font-size=\"30\" fill=\"#555\" text-anchor=\"end\">%d</text>"
		        "<text x=\"%d\" y=\"%d\" font-size=\"58\" font-weight=\"700\" "
		        "font-family=\"DejaVu Sans Mono,monospace\">%s</text>\n",
		        x + 40, y, i + 1, x + 55, y, sheet->word[i]);
	}
	fputs("</g>\n</svg>\n", out);
}

/* ---- Text ---- */

static void txt_help(FILE *out, enum lang lang, const struct sheet_view *sheet)
{
	char number[16];
	char day[64];

	snprintf(number, sizeof(number), "%u", sheet->number);
	day_written(lang, sheet->day, day, sizeof(day));
	fputs("Sleutelbos: ", out);
	say(out, lang, said.title, number);
	fputs(". ", out);
	say(out, lang, said.made, day);
	fprintf(out, ".\n\n%s\n\n%s\n", lang_tr(lang, said.lead), lang_tr(lang, said.use));
	for (int i = 0; i < USE_STEPS; i++)
		fprintf(out, "  %d. %s\n", i + 1, lang_tr(lang, said.use_step[i]));
	fprintf(out, "\n%s\n  %s\n%s\n  %s\n%s\n  %s\n%s\n", lang_tr(lang, said.can), lang_tr(lang, said.can_text),
	        lang_tr(lang, said.cannot), lang_tr(lang, said.cannot_text), lang_tr(lang, said.lost),
	        lang_tr(lang, said.lost_text), lang_tr(lang, said.after));
}

static void txt_print(const struct sheet_view *sheet, FILE *out)
{
	txt_help(out, LANG_NL, sheet);
	for (int i = 0; i < SHEET_WORD_COUNT; i++)
		fprintf(out, "%s%2d %s", i % 4 == 0 ? "\n    " : "    ", i + 1, sheet->word[i]);
	/* The same on one line, by which `recover` knows this file. */
	fprintf(out, "\n\nSLBSHEET1 %u", sheet->number);
	for (int i = 0; i < SHEET_WORD_COUNT; i++)
		fprintf(out, " %s", sheet->word[i]);
	fputs("\n\n", out);
	txt_help(out, LANG_EN, sheet);
}

enum err sheet_print(struct errctx *ec, const struct sheet_view *sheet, enum sheet_format format, FILE *out)
{
	struct qr *qr = NULL;
	enum err e = format == SHEET_TXT ? ERR_OK : qr_of(ec, sheet, &qr);

	if (e != ERR_OK)
		return e;
	switch (format) {
	case SHEET_HTML:
		html_print(sheet, qr, out);
		break;
	case SHEET_SVG:
		svg_print(sheet, qr, out);
		break;
	case SHEET_PNG:
		e = qr_png(ec, qr, PNG_SCALE, out);
		break;
	case SHEET_TXT:
		txt_print(sheet, out);
		break;
	}
	qr_free(qr);
	return e;
}
