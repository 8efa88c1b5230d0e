// SPDX-License-Identifier: EUPL-1.2
// Goal (W1): of every mixture of Host, Origin, Sec-Fetch-Site, method, token, start token and content type, only what
// our own page sends reaches a handler; no answer lets another origin read it; slow, huge and malformed requests cost
// themselves their connection and nobody else anything, in bounded memory.
//
// The server is the real one, in this process, over real sockets.
//
// Seen to fail, each made on purpose: the Host not looked at; "null" taken for an Origin of /api; a token compared by
// its beginning; a start token that stays good, or good for ever; the body not bounded; the content type not looked at;
// a door that asks for no token; a question of the page by itself taken for a person.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "web/guard.h"
#include "web/inside.h"
#include "web/web.h"

#define TOKEN "00112233445566778899aabbccddeeff"
#define DOOR "ffeeddccbbaa99887766554433221100"

struct served {
	struct web *web;
	struct web_shared shared;
	int listener;
	uint16_t port;
	char home[256];
};

static enum err never(void *ctx, struct errctx *ec, const struct secret_text *passphrase, struct app **out)
{
	return err_set(ec, ERR_LOCKED, "Type your passphrase.", NULL, NULL, NULL);
}

static bool goes_on(void *ctx)
{
	return false;
}

static int begin(void **state)
{
	struct served *s = calloc(1, sizeof(*s));
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	static const struct app_options app = { 0 };
	struct web_options o = { .home = s->home,
		                 .app = &app,
		                 .shared = &s->shared,
		                 .host = { never, NULL, goes_on, NULL },
		                 .patience_s = 1 };
	struct errctx ec = { 0 };

	assert_int_equal(app_start(), ERR_OK);
	snprintf(s->home, sizeof(s->home), "%s/home-XXXXXX", getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(s->home));
	{
		char owner[300];

		snprintf(owner, sizeof(owner), "%s/owner", s->home);
		assert_int_equal(mkdir(owner, 0700), 0);
	}
	memcpy(s->shared.token, TOKEN, sizeof(TOKEN));
	memcpy(s->shared.door, DOOR, sizeof(DOOR));
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->listener, 64), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&a, &len), 0);
	s->port = o.port = ntohs(a.sin_port);
	o.listener = s->listener;
	assert_int_equal(web_open(&ec, &o, &s->web), ERR_OK);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct served *s = *state;

	web_close(s->web);
	close(s->listener);
	free(s);
	return 0;
}

/* --- one request --- */

static int dial(struct served *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		                 .sin_port = htons(s->port),
		                 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/* Sends, serves and reads until the answer is there or the server has hung up. Gives its status, 0 where there was
 * none; `answer` holds its beginning. */
static unsigned exchange(struct served *s, const char *data, size_t len, char *answer, size_t room)
{
	int fd = dial(s);
	size_t sent = 0;
	size_t got = 0;
	unsigned status = 0;

	for (;;) {
		struct pollfd p[2] = { { .fd = fd, .events = (short)(sent < len ? POLLIN | POLLOUT : POLLIN) },
			               { .fd = web_fd(s->web), .events = POLLIN } };
		ssize_t n = 0;

		assert_true(poll(p, 2, web_wait(s->web)) >= 0);
		web_turn(s->web);
		if (sent < len && (p[0].revents & POLLOUT) != 0) {
			n = send(fd, data + sent, len - sent, MSG_NOSIGNAL);
			sent = n > 0 ? sent + (size_t)n : len;
		}
		n = read(fd, answer + got, room - 1 - got);
		if (n == 0 || (n < 0 && (p[0].revents & (POLLHUP | POLLERR)) != 0))
			break;
		if (n > 0)
			got += (size_t)n;
		answer[got] = '\0';
		if (strstr(answer, "\r\n\r\n") != NULL)
			break;
		assert_true(got < room - 1);
	}
	close(fd);
	while (web_turn(s->web) == WEB_GOES_ON &&
	       poll(&(struct pollfd){ .fd = web_fd(s->web), .events = POLLIN }, 1, 0) > 0)
		;
	sscanf(answer, "HTTP/1.1 %u", &status);
	return status;
}

struct mixture {
	const char *method;
	const char *path;
	const char *host; /* NULL: none */
	const char *origin;
	const char *site;
	const char *type;
	const char *token;
	const char *body;
};

static unsigned request(struct served *s, const struct mixture *m, char answer[static 4096])
{
	char text[2048];
	int n = snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nConnection: close\r\n", m->method, m->path);

	if (m->host != NULL)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "Host: %s\r\n", m->host);
	if (m->origin != NULL)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "Origin: %s\r\n", m->origin);
	if (m->site != NULL)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "Sec-Fetch-Site: %s\r\n", m->site);
	if (m->type != NULL)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "Content-Type: %s\r\n", m->type);
	if (m->token != NULL)
		n += snprintf(text + n, sizeof(text) - (size_t)n, GUARD_HEADER ": %s\r\n", m->token);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "Content-Length: %zu\r\n\r\n%s", strlen(m->body), m->body);
	answer[0] = '\0';
	return exchange(s, text, (size_t)n, answer, 4096);
}

/* --- the matrix --- */

static void test_matrix(void **state)
{
	struct served *s = *state;
	char own_host[64], own_origin[64], local_host[64], other_port[64];
	char answer[4096];
	size_t asked = 0, reached = 0;
	snprintf(own_host, sizeof(own_host), "127.0.0.1:%u", s->port);
	snprintf(own_origin, sizeof(own_origin), "http://127.0.0.1:%u", s->port);
	snprintf(local_host, sizeof(local_host), "localhost:%u", s->port);
	snprintf(other_port, sizeof(other_port), "http://127.0.0.1:%u", s->port ^ 1);
	const char *hosts[] = { own_host, local_host, "evil.example", "127.0.0.1", NULL };
	const char *origins[] = { own_origin, "http://evil.example", "null", other_port, NULL };
	const char *sites[] = { "same-origin", "cross-site", NULL };
	const char *methods[] = { "POST", "GET", "OPTIONS", "PUT" };
	const char *types[] = { "application/json", "text/plain", NULL };
	const char *tokens[] = { TOKEN, "00112233445566778899aabbccddeefe", "0011", NULL };

	for (size_t h = 0; h < 5; h++) {
		for (size_t o = 0; o < 5; o++) {
			for (size_t f = 0; f < 3; f++) {
				/* of methods, types and tokens one differs at a time, and all of them in the worst
				 * places */
				for (size_t k = 0; k < 12; k++) {
					const struct mixture m = {
						.method = methods[k < 4 ? k : 0],
						.path = "/api/state",
						.host = hosts[h],
						.origin = origins[o],
						.site = sites[f],
						.type = types[k >= 4 && k < 7 ? k - 4 : 0],
						.token = tokens[k >= 7 && k < 11 ? k - 7
						                : k == 11        ? 3
						                                 : 0],
						.body = "{}",
					};
					bool ours = h == 0 && o == 0 && (f == 0 || f == 2) &&
					            strcmp(m.method, "POST") == 0 && m.type == types[0] &&
					            m.token == tokens[0];
					uint64_t before = web_handled(s->web);
					unsigned status = request(s, &m, answer);

					if (ours) {
						assert_int_equal(status, 200);
						assert_int_equal(web_handled(s->web), before + 1);
						continue;
					}
					asked++;
					reached += web_handled(s->web) != before;
					assert_int_not_equal(status, 200);
					assert_null(strcasestr(answer, "Access-Control"));
				}
			}
		}
	}
	print_message("# %zu requests that are not ours: %zu reached a handler\n", asked, reached);
	assert_true(asked >= 500);
	assert_int_equal(reached, 0);
}

/* Other doors: each line is refused. */
static void test_doors(void **state)
{
	struct served *s = *state;
	char own_host[64], own_origin[64], answer[4096];
	snprintf(own_host, sizeof(own_host), "127.0.0.1:%u", s->port);
	snprintf(own_origin, sizeof(own_origin), "http://127.0.0.1:%u", s->port);
	const struct mixture refused[] = {
		{ "POST", "/door", own_host, NULL, NULL, "application/json", TOKEN, "{}" },
		{ "POST", "/door", own_host, NULL, NULL, "application/json", NULL, "{}" },
		{ "POST", "/door", own_host, own_origin, NULL, "application/json", DOOR, "{}" },
		{ "POST", "/door", own_host, NULL, "cross-site", "application/json", DOOR, "{}" },
		{ "POST", "/api/state", own_host, own_origin, NULL, "application/json", DOOR, "{}" },
		{ "POST", "/api/nothing", own_host, own_origin, NULL, "application/json", TOKEN, "{}" },
		{ "POST", "/api/today", own_host, own_origin, NULL, "application/json", TOKEN, "{}" }, /* locked */
		{ "POST", "/api/state?x=1", own_host, own_origin, NULL, "application/json", TOKEN, "{}" },
		{ "POST", "/api/state", own_host, own_origin, NULL, "application/json", TOKEN, "[]" },
		{ "POST", "/api/unlock", own_host, own_origin, NULL, "application/json", TOKEN,
		  "{\"passphrase\":\"a\\u0000b\"}" },
		{ "POST", "/api/unlock", own_host, own_origin, NULL, "application/json", TOKEN,
		  "{\"passphrase\":\"\xff\"}" },
		{ "POST", "/start", own_host, "http://evil.example", NULL, "application/x-www-form-urlencoded", NULL,
		  "token=" TOKEN },
		{ "POST", "/start", own_host, "null", NULL, "text/plain", NULL, "token=" TOKEN },
		{ "POST", "/start", own_host, "null", NULL, "application/x-www-form-urlencoded", NULL, "token=" TOKEN },
		{ "POST", "/start", own_host, "null", NULL, "application/x-www-form-urlencoded", NULL, "token=" },
		{ "GET", "/", own_host, "http://evil.example", NULL, NULL, NULL, "" },
		{ "GET", "/", own_host, NULL, "cross-site", NULL, NULL, "" },
		{ "GET", "/a/../../etc/passwd", own_host, NULL, NULL, NULL, NULL, "" },
		{ "GET", "/a/nothing", own_host, NULL, NULL, NULL, NULL, "" },
		{ "HEAD", "/", own_host, NULL, NULL, NULL, NULL, "" },
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		unsigned status = request(s, &refused[i], answer);

		if (status == 200)
			print_error("line %zu was let in\n", i);
		assert_true(status >= 400);
		assert_true(status != 200);
	}
}

/* What every answer carries. */
static void test_headers(void **state)
{
	struct served *s = *state;
	char own_host[64], answer[4096];
	static const char *const wanted[] = { "Content-Security-Policy: default-src 'none'; script-src 'self'",
		                              "frame-ancestors 'none'",
		                              "Cache-Control: no-store",
		                              "X-Content-Type-Options: nosniff",
		                              "X-Frame-Options: DENY",
		                              "Referrer-Policy: no-referrer",
		                              "Cross-Origin-Resource-Policy: same-origin" };
	static const char *const paths[] = { "/", "/a/main.js", "/a/nothing" };

	snprintf(own_host, sizeof(own_host), "127.0.0.1:%u", s->port);
	for (size_t i = 0; i < 3; i++) {
		request(s, &(struct mixture){ "GET", paths[i], own_host, NULL, NULL, NULL, NULL, "" }, answer);
		for (size_t k = 0; k < sizeof(wanted) / sizeof(wanted[0]); k++)
			assert_non_null(strstr(answer, wanted[k]));
		assert_null(strcasestr(answer, "Access-Control"));
		assert_null(strcasestr(answer, "Set-Cookie"));
	}
}

/* A start token works once; its second use locks and makes the token of the session another. */
static void test_start(void **state)
{
	struct served *s = *state;
	char own_host[64], answer[4096], body[64], token[WEB_TOKEN_LEN];
	struct mixture m = {
		"POST", "/start", own_host, "null", NULL, "application/x-www-form-urlencoded", NULL, body
	};

	snprintf(own_host, sizeof(own_host), "127.0.0.1:%u", s->port);
	web_start_new(s->web, token);
	snprintf(body, sizeof(body), "token=%s", token);
	assert_int_equal(request(s, &m, answer), 200);
	assert_string_equal(s->shared.token, TOKEN);
	assert_int_equal(request(s, &m, answer), 403);
	assert_int_equal(web_turn(s->web), WEB_LOCK);
	assert_string_not_equal(s->shared.token, TOKEN);
}

/* One that is too old lets nobody in, and harms nobody either. */
static void test_start_late(void **state)
{
	struct served *s = *state;
	char own_host[64], answer[4096], body[64], token[WEB_TOKEN_LEN];
	struct mixture m = { "POST", "/start", own_host, NULL, NULL, "application/x-www-form-urlencoded", NULL, body };

	snprintf(own_host, sizeof(own_host), "127.0.0.1:%u", s->port);
	web_start_new(s->web, token);
	snprintf(body, sizeof(body), "token=%s", token);
	for (unsigned i = 0; i < WEB_STARTS; i++)
		s->shared.start[i].until_ms = 0;
	assert_int_equal(request(s, &m, answer), 403);
	assert_int_equal(web_turn(s->web), WEB_GOES_ON);
	assert_string_equal(s->shared.token, TOKEN);
}

/* It locks when no person did anything for so long (W2); what the page asks by itself is no person. */
static void test_locks_by_itself(void **state)
{
	struct served *s = *state;
	char own_host[64], own_origin[64], answer[4096];
	struct mixture m = { "POST", NULL, own_host, own_origin, NULL, "application/json", TOKEN, "{}" };

	snprintf(own_host, sizeof(own_host), "127.0.0.1:%u", s->port);
	snprintf(own_origin, sizeof(own_origin), "http://127.0.0.1:%u", s->port);
	s->web->touched_ms = 1;
	m.path = "/api/state";
	assert_int_equal(request(s, &m, answer), 200);
	assert_int_equal(s->web->touched_ms, 1);
	m.path = "/api/alive";
	assert_int_equal(request(s, &m, answer), 200);
	assert_true(s->web->touched_ms > 1);
	/* as if it were open; nothing looks inside on the way to the lock */
	s->web->app = (struct app *)s;
	assert_int_equal(web_turn(s->web), WEB_GOES_ON);
	s->web->touched_ms = web_boot_ms() - s->web->lock_ms - 1;
	assert_int_equal(web_turn(s->web), WEB_LOCK);
	s->web->app = NULL;
	/* locked, and nobody is there */
	s->web->asked_ms = web_boot_ms() - 31LL * 60 * 1000;
	assert_int_equal(web_turn(s->web), WEB_QUIT);
}

/* --- slow, huge and malformed --- */

static long resident_kb(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

static void test_huge(void **state)
{
	struct served *s = *state;
	char answer[4096] = "";
	size_t len = 64 * 1024 * 1024;
	char *all = malloc(len);
	int head = 0;
	long before = 0;

	assert_non_null(all);
	memset(all, 'a', len);
	head =
	    snprintf(all, 4096,
	             "POST /api/state HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nOrigin: http://127.0.0.1:%u\r\nContent-Type: "
	             "application/json\r\n" GUARD_HEADER ": " TOKEN "\r\nContent-Length: %zu\r\n\r\n",
	             s->port, s->port, len);
	before = resident_kb();
	assert_int_equal(exchange(s, all, (size_t)head + len - 4096, answer, sizeof(answer)), 413);
	answer[0] = '\0';
	/* a body of a megabyte, whole */
	head =
	    snprintf(all, 4096,
	             "POST /api/state HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nOrigin: http://127.0.0.1:%u\r\nContent-Type: "
	             "application/json\r\n" GUARD_HEADER ": " TOKEN "\r\nContent-Length: 1048576\r\n\r\n",
	             s->port, s->port);
	all[head] = ' ';
	assert_int_equal(exchange(s, all, (size_t)head + 1048576, answer, sizeof(answer)), 413);
	/* headers without end */
	memset(all, 'a', 1024 * 1024);
	memcpy(all, "GET / HTTP/1.1\r\nX: ", 19);
	answer[0] = '\0';
	assert_int_not_equal(exchange(s, all, 1024 * 1024, answer, sizeof(answer)), 200);
	assert_true(resident_kb() - before < 8 * 1024);
	free(all);
}

static void test_malformed(void **state)
{
	static const char *const bad[] = {
		"\r\n\r\n\r\n\r\n",
		"GET\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"\x16\x03\x01\x02\x01\r\n\r\n",
		"POST /api/state HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}",
		"POST /api/state HTTP/1.1\r\nContent-Length: -1\r\n\r\n{}",
		"POST /api/state HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
		"POST /api/state HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
	};
	struct served *s = *state;
	uint64_t before = web_handled(s->web);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char answer[4096] = "";
		int fd = dial(s);

		assert_true(send(fd, bad[i], strlen(bad[i]), MSG_NOSIGNAL) > 0);
		shutdown(fd, SHUT_WR);
		for (ssize_t n = -1; n != 0;) {
			struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
				               { .fd = web_fd(s->web), .events = POLLIN } };

			assert_true(poll(p, 2, web_wait(s->web)) >= 0);
			web_turn(s->web);
			n = read(fd, answer, sizeof(answer) - 1);
			if (n > 0) {
				answer[n] = '\0';
				assert_null(strstr(answer, "HTTP/1.1 200"));
			} else if (n < 0 && (p[0].revents & (POLLHUP | POLLERR)) != 0) {
				break;
			}
		}
		close(fd);
	}
	assert_int_equal(web_handled(s->web), before);
}

/* Two hundred that say half a line keep nobody from being answered. */
static void test_slow(void **state)
{
	struct served *s = *state;
	char own_host[64], own_origin[64], answer[4096];
	int slow[200];

	snprintf(own_host, sizeof(own_host), "127.0.0.1:%u", s->port);
	snprintf(own_origin, sizeof(own_origin), "http://127.0.0.1:%u", s->port);
	for (size_t i = 0; i < 200; i++) {
		slow[i] = dial(s);
		assert_true(send(slow[i], "POST /api/st", 12, MSG_NOSIGNAL) == 12);
		web_turn(s->web);
	}
	assert_int_equal(request(s,
	                         &(struct mixture){ "POST", "/api/state", own_host, own_origin, NULL,
	                                            "application/json", TOKEN, "{}" },
	                         answer),
	                 200);
	for (size_t i = 0; i < 200; i++)
		close(slow[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_matrix, begin, end),
		cmocka_unit_test_setup_teardown(test_doors, begin, end),
		cmocka_unit_test_setup_teardown(test_headers, begin, end),
		cmocka_unit_test_setup_teardown(test_start, begin, end),
		cmocka_unit_test_setup_teardown(test_start_late, begin, end),
		cmocka_unit_test_setup_teardown(test_locks_by_itself, begin, end),
		cmocka_unit_test_setup_teardown(test_huge, begin, end),
		cmocka_unit_test_setup_teardown(test_malformed, begin, end),
		cmocka_unit_test_setup_teardown(test_slow, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
