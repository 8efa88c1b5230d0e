// SPDX-License-Identifier: EUPL-1.2
// How a browser gets in (W1): a token of 128 bits in a file that only its owner can read, which posts it. It never
// stands in an address, an argument or a log; it works once, for half a minute.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tr.h"
#include "web/inside.h"

void web_token_new(const struct rng *rng, char out[static WEB_TOKEN_LEN])
{
	uint8_t raw[(WEB_TOKEN_LEN - 1) / 2];

	rng_fill(rng, raw, sizeof(raw));
	for (size_t i = 0; i < sizeof(raw); i++)
		snprintf(out + 2 * i, 3, "%02x", raw[i]);
}

static unsigned slot_new(struct web *w)
{
	struct web_shared *s = w->o.shared;
	unsigned n = s->next_start++ % WEB_STARTS;

	web_token_new(w->rng, s->start[n].token);
	s->start[n].until_ms = web_boot_ms() + WEB_START_MS;
	s->start[n].state = START_OPEN;
	return n;
}

void web_start_new(struct web *w, char out[static WEB_TOKEN_LEN])
{
	memcpy(out, w->o.shared->start[slot_new(w)].token, WEB_TOKEN_LEN);
}

static char *file_of(const char *home, unsigned n)
{
	char *path = NULL;

	return asprintf(&path, "%s/owner/start-%u.html", home, n) < 0 ? NULL : path;
}

void web_start_files_remove(const char *home)
{
	for (unsigned n = 0; n < WEB_STARTS; n++) {
		char *name = file_of(home, n);

		if (name != NULL)
			unlink(name);
		free(name);
	}
}

/* No script of ours is needed where scripts are off: then a person presses the button. */
static int page(FILE *f, uint16_t port, const char *token, enum lang lang)
{
	return fprintf(
	    f,
	    "<!doctype html>\n<html lang=\"%s\" dir=\"%s\"><meta charset=\"utf-8\">"
	    "<meta name=\"referrer\" content=\"no-referrer\"><title>Sleutelbos</title>\n"
	    "<style>body{font:1.25rem system-ui,sans-serif;margin:20vh auto;max-width:30rem;text-align:center}"
	    "button{font:inherit;padding:.75rem 2rem}</style>\n"
	    "<form method=\"post\" action=\"http://127.0.0.1:%u/start\">"
	    "<input type=\"hidden\" name=\"token\" value=\"%s\"><button>%s</button></form>\n"
	    "<script>document.forms[0].submit()</script>\n",
	    lang_name(lang), lang_is_rtl(lang) ? "rtl" : "ltr", (unsigned)port, token,
	    lang_tr(lang, TR("Open Sleutelbos")));
}

enum err start_file(struct errctx *ec, struct web *w, enum lang lang, struct pool *p, const char **path)
{
	unsigned n = slot_new(w);
	char *name = file_of(w->o.home, n);
	FILE *f = NULL;
	int fd = -1;
	enum err e = name == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e == ERR_OK) {
		unlink(name);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		f = fd < 0 ? NULL : fdopen(fd, "w");
		if (f == NULL)
			e = err_set(ec, ERR_IO,
			            "The file that opens the browser could not be written. Is the disk full?", NULL,
			            NULL, NULL);
	}
	w->files |= 1u << n;
	if (f != NULL) {
		bool fine = page(f, w->o.port, w->o.shared->start[n].token, lang) > 0;

		if ((fclose(f) != 0 || !fine) && e == ERR_OK)
			e = err_set(ec, ERR_IO,
			            "The file that opens the browser could not be written. Is the disk full?", NULL,
			            NULL, NULL);
	} else if (fd >= 0) {
		close(fd);
	}
	*path = e == ERR_OK ? pool_str(p, name) : NULL;
	free(name);
	return e == ERR_OK && *path == NULL ? ERR_NO_MEMORY : e;
}

enum web_start_state start_use(struct web *w, const char *body)
{
	struct web_shared *s = w->o.shared;

	if (strncmp(body, "token=", 6) != 0)
		return START_NONE;
	for (unsigned n = 0; n < WEB_STARTS; n++) {
		enum web_start_state was = s->start[n].state;

		if (was == START_NONE || !guard_same(body + 6, s->start[n].token))
			continue;
		if (was == START_OPEN && web_boot_ms() > s->start[n].until_ms)
			return START_NONE;
		s->start[n].state = START_USED;
		return was;
	}
	return START_NONE;
}

void start_tidy(struct web *w)
{
	for (unsigned n = 0; n < WEB_STARTS; n++) {
		char *name = NULL;

		if ((w->files & 1u << n) == 0)
			continue;
		if (w->o.shared->start[n].state == START_OPEN && web_boot_ms() <= w->o.shared->start[n].until_ms)
			continue;
		name = file_of(w->o.home, n);
		if (name != NULL)
			unlink(name);
		free(name);
		w->files &= ~(1u << n);
	}
}
