// SPDX-License-Identifier: EUPL-1.2
// The server: libmicrohttpd on a socket of the caller's, without a thread, with bounded memory for each connection. The
// guard (web/guard.h) stands before everything; what passes it is one JSON question to one handler, or a file that is
// embedded in the program. Nothing is cached, framed, or allowed to load from elsewhere (W1).
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/tr.h"
#include "web/inside.h"

#define CONNECTIONS_MAX 256
#define CONNECTION_MEMORY (32 * 1024)
#define CONNECTION_S 20
#define LOCK_MINUTES 10
/* Locked, and nobody asked for anything: the browser is closed. */
#define ALONE_MS (30LL * 60 * 1000)
#define TIDY_MS 5000

struct request {
	unsigned refused; /* an HTTP status; 0: it may pass */
	enum guard_place place;
	struct buf body;
	bool answered;
};

int64_t web_boot_ms(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- answers --- */

static const struct {
	const char *name;
	const char *value;
} always[] = {
	{ "Content-Security-Policy",
	  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
	  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
	  "trusted-types 'none'" },
	{ "Cache-Control", "no-store" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Embedder-Policy", "require-corp" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Permissions-Policy", "camera=(), microphone=(), geolocation=(), usb=(), serial=(), payment=()" },
};

/* Takes over `data` where `mode` says so. */
static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *type, void *data, size_t len,
                              enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, data, mode);
	enum MHD_Result done = MHD_YES;

	if (r == NULL) {
		if (mode == MHD_RESPMEM_MUST_FREE)
			free(data);
		return MHD_NO;
	}
	for (size_t i = 0; done == MHD_YES && i < sizeof(always) / sizeof(always[0]); i++)
		done = MHD_add_response_header(r, always[i].name, always[i].value);
	if (done == MHD_YES)
		done = MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (done == MHD_YES)
		done = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return done;
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned status)
{
	static char none[] = "{}";

	return answer(c, status, "application/json", none, sizeof(none) - 1, MHD_RESPMEM_PERSISTENT);
}

static unsigned status_of(enum err e)
{
	switch (e) {
	case ERR_OK:
		return 200;
	case ERR_LOCKED:
		return 423;
	case ERR_NOT_FOUND:
		return 404;
	case ERR_USAGE:
	case ERR_INPUT:
		return 422;
	case ERR_REFUSED:
		return 409;
	case ERR_LATER:
		return 503;
	case ERR_NO_SPACE:
		return 507;
	default:
		return 500;
	}
}

static void error_doc(struct doc *d, enum lang lang, const struct errctx *ec, enum err e)
{
	char text[4 * ERR_ARG_LEN + 1024];
	const char *msg = ec->msg != NULL      ? ec->msg
	                  : e == ERR_NOT_FOUND ? TR("It was not found.")
	                  : e == ERR_DAMAGED   ? TR("Something here is damaged. Look with: sleutelbos verify")
	                                       : TR("It did not work.");

	err_text(ec, lang_tr(lang, msg), text, sizeof(text));
	doc_object(d, NULL);
	doc_object(d, "error");
	doc_int(d, "exit", err_exit_status(e));
	doc_text(d, "message", text);
	doc_end(d);
	doc_end(d);
}

/* Prints and frees the document. */
static enum MHD_Result answer_doc(struct MHD_Connection *c, unsigned status, struct doc *d)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	enum err e = ERR_NO_MEMORY;

	if (f == NULL) {
		doc_free(d);
		return MHD_NO;
	}
	e = doc_print(NULL, d, f);
	if (fclose(f) != 0 || e != ERR_OK || text == NULL) {
		free(text);
		return refuse(c, 500);
	}
	return answer(c, status, "application/json", text, len, MHD_RESPMEM_MUST_FREE);
}

/* --- files that are embedded --- */

/* The page itself, with the token for the browser that has just come in. */
static enum MHD_Result answer_page(struct MHD_Connection *c, const char *token)
{
	const struct web_asset *a = web_asset_find("index.html");
	const char *mark = "@TOKEN@";
	const unsigned char *at = a == NULL ? NULL : memmem(a->data, a->len, mark, strlen(mark));
	struct buf b = { 0 };
	enum MHD_Result done = MHD_NO;

	if (at != NULL && buf_put(&b, a->data, (size_t)(at - a->data)) == ERR_OK && buf_put_str(&b, token) == ERR_OK &&
	    buf_put(&b, at + strlen(mark), a->len - (size_t)(at - a->data) - strlen(mark)) == ERR_OK)
		done = answer(c, 200, a->type, b.data, b.len, MHD_RESPMEM_MUST_COPY);
	buf_free(&b);
	return done;
}

static enum MHD_Result answer_file(struct MHD_Connection *c, const char *path)
{
	const struct web_asset *a = NULL;
	union {
		const void *given;
		void *data;
	} shared;

	if (strcmp(path, "/") == 0)
		return answer_page(c, "");
	a = web_asset_find(path + strlen("/a/"));
	if (a == NULL)
		return refuse(c, 404);
	shared.given = a->data;
	return answer(c, 200, a->type, shared.data, a->len, MHD_RESPMEM_PERSISTENT);
}

/* --- questions --- */

static enum lang lang_of(struct MHD_Connection *c)
{
	const char *name = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "X-Sleutelbos-Lang");
	enum lang lang = LANG_NL;

	if (name == NULL || lang_parse(name, &lang) != ERR_OK)
		return LANG_NL;
	return lang;
}

static enum err run_handler(struct web_call *call, const struct web_handler *h, struct bytes body)
{
	struct ask *in = NULL;
	enum err e = ERR_OK;
	enum err left_out = ERR_OK;

	/* or it was put in the place of another and could not be opened again */
	if (!h->without_app && (call->app == NULL || !app_is_open(call->app)))
		return err_set(call->ec, ERR_LOCKED, "Sleutelbos is locked. Type your passphrase.", NULL, NULL, NULL);
	e = ask_parse(call->ec, body, &in);
	call->in = in;
	if (e == ERR_OK) {
		call->w->handled++;
		if (h->touches)
			web_touch(call->w);
		e = h->run(call);
	}
	if (e == ERR_OK && call->app != NULL && call->app == call->w->app) {
		left_out = app_unread(call->ec, call->app);
		e = left_out;
	}
	ask_free(in);
	return e;
}

static enum MHD_Result answer_api(struct web *w, struct MHD_Connection *c, const char *name, struct bytes body)
{
	const struct web_handler *h = web_handler_find(name);
	struct errctx ec = { 0 };
	struct pool pool = { 0 };
	struct web_call call = { .w = w, .app = w->app, .ec = &ec, .pool = &pool, .lang = lang_of(c) };
	enum err e = ERR_OK;

	if (h == NULL)
		return refuse(c, 404);
	call.out = doc_new();
	doc_object(call.out, NULL);
	e = run_handler(&call, h, body);
	if (e == ERR_OK)
		doc_end(call.out);
	if (e != ERR_OK) {
		doc_free(call.out);
		call.out = doc_new();
		error_doc(call.out, call.lang, &ec, e);
	}
	pool_free(&pool);
	return answer_doc(c, status_of(e), call.out);
}

static enum MHD_Result answer_words(struct MHD_Connection *c, unsigned status, enum lang lang, const char *msg)
{
	char *page = NULL;
	int len = asprintf(
	    &page,
	    "<!doctype html><html lang=\"%s\" dir=\"%s\"><meta charset=\"utf-8\"><title>Sleutelbos</title>"
	    "<link rel=\"stylesheet\" href=\"/a/app.css\"><main class=\"alone\"><h1>Sleutelbos</h1><p>%s</p></main>",
	    lang_name(lang), lang_is_rtl(lang) ? "rtl" : "ltr", lang_tr(lang, msg));

	if (len < 0)
		return MHD_NO;
	return answer(c, status, "text/html; charset=utf-8", page, (size_t)len, MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result answer_start(struct web *w, struct MHD_Connection *c, const char *body)
{
	switch (start_use(w, body)) {
	case START_OPEN:
		start_tidy(w);
		web_touch(w);
		return answer_page(c, w->o.shared->token);
	case START_USED:
		/* either somebody else was before her, or is here now: neither goes on */
		web_token_new(w->rng, w->o.shared->token);
		w->end = WEB_LOCK;
		return answer_words(
		    c, 403, LANG_NL,
		    TR("This address was used before. To be safe, Sleutelbos is locked now. Close this tab "
		       "and start Sleutelbos again."));
	default:
		return answer_words(c, 403, LANG_NL,
		                    TR("This address is too old. Close this tab and start Sleutelbos again."));
	}
}

static enum MHD_Result answer_door(struct web *w, struct MHD_Connection *c)
{
	struct errctx ec = { 0 };
	struct pool pool = { 0 };
	const char *path = NULL;
	enum lang lang = lang_of(c);
	enum err e = start_file(&ec, w, lang, &pool, &path);
	struct doc *d = doc_new();

	if (e != ERR_OK) {
		error_doc(d, lang, &ec, e);
	} else {
		doc_object(d, NULL);
		doc_text(d, "file", path);
		doc_end(d);
	}
	pool_free(&pool);
	return answer_doc(c, status_of(e), d);
}

/* --- one request after the other --- */

struct header_find {
	const char *name;
	const char *value;
	unsigned times;
};

static enum MHD_Result header_one(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct header_find *f = cls;

	if (strcasecmp(key, f->name) == 0) {
		f->value = value == NULL ? "" : value;
		f->times++;
	}
	return MHD_YES;
}

/* NULL where it is absent, "" where it came twice. */
static const char *header(struct MHD_Connection *c, const char *name)
{
	struct header_find f = { .name = name };

	MHD_get_connection_values(c, MHD_HEADER_KIND, header_one, &f);
	return f.times > 1 ? "" : f.value;
}

static unsigned look(struct web *w, struct MHD_Connection *c, const char *method, const char *path,
                     enum guard_place *place)
{
	const struct guard g = { w->o.port, w->o.shared->token, w->o.shared->door };
	const struct guard_request r = {
		.method = method,
		.path = path,
		.host = header(c, "Host"),
		.origin = header(c, "Origin"),
		.fetch_site = header(c, "Sec-Fetch-Site"),
		.fetch_dest = header(c, "Sec-Fetch-Dest"),
		.content_type = header(c, "Content-Type"),
		.token = header(c, GUARD_HEADER),
		.query = MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, NULL, NULL) > 0,
	};

	return guard_check(&g, &r, place);
}

static bool announces_too_much(struct MHD_Connection *c)
{
	const char *len = header(c, "Content-Length");

	return len != NULL && (strlen(len) > 7 || atol(len) > WEB_BODY_MAX);
}

static enum MHD_Result answer_request(struct web *w, struct MHD_Connection *c, const char *path, struct request *r)
{
	enum MHD_Result done = MHD_NO;

	r->answered = true;
	if (buf_terminate(&r->body) != ERR_OK)
		return refuse(c, 500);
	switch (r->place) {
	case GUARD_PAGE:
		done = answer_file(c, path);
		break;
	case GUARD_API:
		done = answer_api(w, c, path + strlen("/api/"), buf_bytes(&r->body));
		break;
	case GUARD_START:
		done = answer_start(w, c, (const char *)r->body.data);
		break;
	default:
		done = answer_door(w, c);
		break;
	}
	return done;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *path, const char *method,
                                  const char *version, const char *data, size_t *len, void **self)
{
	struct web *w = cls;
	struct request *r = *self;

	if (r == NULL) {
		r = calloc(1, sizeof(*r));
		if (r == NULL)
			return MHD_NO;
		*self = r;
		w->asked_ms = web_boot_ms();
		r->refused = look(w, c, method, path, &r->place);
		if (r->refused == 0 && announces_too_much(c))
			r->refused = 413;
		if (r->refused != 0)
			return refuse(c, r->refused);
		return MHD_YES;
	}
	if (*len > 0) {
		/* one that did not say how long it is: nothing is owed to it but the end */
		if (r->body.len + *len > WEB_BODY_MAX || buf_put(&r->body, data, *len) != ERR_OK)
			return MHD_NO;
		*len = 0;
		return MHD_YES;
	}
	return r->answered ? MHD_YES : answer_request(w, c, path, r);
}

static void on_end(void *cls, struct MHD_Connection *c, void **self, enum MHD_RequestTerminationCode why)
{
	struct request *r = *self;

	if (r != NULL)
		buf_free(&r->body);
	free(r);
	*self = NULL;
}

/* --- the server itself --- */

enum err web_open(struct errctx *ec, const struct web_options *o, struct web **out)
{
	struct web *w = calloc(1, sizeof(*w));
	const union MHD_DaemonInfo *info = NULL;

	*out = NULL;
	if (w == NULL)
		return err_errno(ec, ENOMEM, "web");
	w->o = *o;
	w->rng = app_rng(o->app);
	w->clock = app_clock(o->app);
	w->touched_ms = w->asked_ms = web_boot_ms();
	w->lock_ms = (int64_t)(o->lock_minutes > 0 ? o->lock_minutes : LOCK_MINUTES) * 60 * 1000;
	w->daemon =
	    MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, w, MHD_OPTION_LISTEN_SOCKET, o->listener,
	                     MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	                     (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
	                     (unsigned)(o->patience_s > 0 ? o->patience_s : CONNECTION_S), MHD_OPTION_NOTIFY_COMPLETED,
	                     on_end, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	info = w->daemon == NULL ? NULL : MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL) {
		web_close(w);
		return err_set(ec, ERR_IO, "The web interface could not start. Close other programs and try again.",
		               NULL, NULL, NULL);
	}
	w->epoll = info->epoll_fd;
	w->files = (1u << WEB_STARTS) - 1; /* of a process that was killed */
	start_tidy(w);
	*out = w;
	return ERR_OK;
}

void web_close(struct web *w)
{
	if (w == NULL)
		return;
	if (w->daemon != NULL) {
		MHD_quiesce_daemon(w->daemon); /* the listening socket is the caller's */
		MHD_stop_daemon(w->daemon);
	}
	free(w);
}

int web_fd(const struct web *w)
{
	return w->epoll;
}

int web_wait(const struct web *w)
{
	MHD_UNSIGNED_LONG_LONG mhd = 0;
	int wait = TIDY_MS;

	if (w->end != WEB_GOES_ON || w->wish == SYNC_ASKED)
		return 0;
	if (MHD_get_timeout(w->daemon, &mhd) == MHD_YES && mhd < (unsigned)wait)
		wait = (int)mhd;
	return wait;
}

struct app *web_app(const struct web *w)
{
	return w->app;
}

void web_touch(struct web *w)
{
	w->touched_ms = web_boot_ms();
}

uint64_t web_handled(const struct web *w)
{
	return w->handled;
}

enum web_end web_answer(struct web *w)
{
	MHD_run(w->daemon);
	return w->end;
}

enum web_end web_turn(struct web *w)
{
	int64_t now = 0;

	MHD_run(w->daemon);
	if (w->end != WEB_GOES_ON) {
		MHD_run(w->daemon); /* the answer that says so */
		return w->end;
	}
	now = web_boot_ms();
	start_tidy(w);
	if (w->app != NULL && now - w->touched_ms > w->lock_ms)
		return WEB_LOCK;
	if (w->app == NULL && now - w->asked_ms > ALONE_MS)
		return WEB_QUIT;
	web_sync_turn(w);
	return w->end;
}
