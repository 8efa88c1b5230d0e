// SPDX-License-Identifier: EUPL-1.2
// Frames with descriptors over a Unix socket. Lengths are checked before anything is kept, a frame that breaks the
// rules ends the conversation, and nothing here ever blocks but where its name says wait.
#include "cli/wire.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/patience.h"
#include "base/codec.h"

#define RECEIVE_STEP 65536

void wire_init(struct wire *w, int fd)
{
	*w = (struct wire){ .fd = fd, .out_fd = { .fd = -1 } };
}

void wire_clear(struct wire *w)
{
	while (w->fd_count > 0)
		close(w->fds[--w->fd_count]);
	if (w->out_fd.fd >= 0)
		close(w->out_fd.fd);
	if (w->fd >= 0)
		close(w->fd);
	buf_free(&w->in);
	buf_free(&w->out);
	wire_init(w, -1);
}

// Keeps the descriptors of one message. More than there can be frames for is misuse.
static void fds_keep(struct wire *w, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		size_t n = 0;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd = -1;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (w->fd_count < WIRE_FDS) {
				w->fds[w->fd_count++] = fd;
			} else {
				close(fd);
				w->gone = true;
			}
		}
	}
	if ((m->msg_flags & MSG_CTRUNC) != 0)
		w->gone = true;
}

// True where the frame that begins the buffer keeps to the rules, as far as it can be seen yet.
static bool head_allowed(const struct wire *w)
{
	const uint8_t *h = w->in.data;

	if (w->in.len < WIRE_HEADER)
		return true;
	return h[0] >= 1 && h[0] < FRAME_KINDS && h[1] <= 1 && be32_get(h + 4) <= WIRE_BODY_MAX;
}

void wire_receive(struct wire *w)
{
	while (!w->gone && w->in.len < WIRE_HEADER + WIRE_BODY_MAX) {
		union {
			struct cmsghdr align;
			char bytes[CMSG_SPACE(WIRE_FDS * sizeof(int))];
		} control;
		struct iovec v;
		struct msghdr m = { .msg_iov = &v,
			            .msg_iovlen = 1,
			            .msg_control = control.bytes,
			            .msg_controllen = sizeof(control.bytes) };
		ssize_t n = 0;

		if (buf_reserve(&w->in, RECEIVE_STEP) != ERR_OK) {
			w->gone = true;
			return;
		}
		v = (struct iovec){ .iov_base = w->in.data + w->in.len, .iov_len = RECEIVE_STEP };
		n = recvmsg(w->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n <= 0) {
			w->gone = true;
			return;
		}
		fds_keep(w, &m);
		w->in.len += (size_t)n;
		if (!head_allowed(w))
			w->gone = true;
	}
}

bool wire_take(struct wire *w, struct frame_in *f)
{
	const uint8_t *h = w->in.data;
	size_t len = 0;

	if (w->in.len < WIRE_HEADER)
		return false;
	len = be32_get(h + 4);
	if (!head_allowed(w) || (w->in.len - WIRE_HEADER >= len && h[1] > w->fd_count)) {
		w->gone = true;
		buf_reset(&w->in);
		return false;
	}
	if (w->in.len - WIRE_HEADER < len)
		return false;
	*f = (struct frame_in){
		.kind = (enum frame)h[0], .version = be16_get(h + 2), .body = { h + WIRE_HEADER, len }, .fd = -1
	};
	if (h[1] == 1) {
		f->fd = w->fds[0];
		w->fd_count--;
		memmove(w->fds, w->fds + 1, w->fd_count * sizeof(w->fds[0]));
	}
	return true;
}

void wire_drop(struct wire *w, const struct frame_in *f)
{
	size_t used = WIRE_HEADER + f->body.len;
	size_t left = w->in.len - used;

	memmove(w->in.data, w->in.data + used, left);
	explicit_bzero(w->in.data + left, used);
	w->in.len = left;
}

uint32_t frame_get_int(struct frame_in *f)
{
	uint32_t v = 0;

	if (f->bad || f->body.len - f->pos < 4) {
		f->bad = true;
		return 0;
	}
	v = be32_get(f->body.data + f->pos);
	f->pos += 4;
	return v;
}

struct bytes frame_get_bytes(struct frame_in *f)
{
	uint32_t len = frame_get_int(f);
	struct bytes b = { NULL, 0 };

	if (f->bad || f->body.len - f->pos < len) {
		f->bad = true;
		return b;
	}
	b = (struct bytes){ f->body.data + f->pos, len };
	f->pos += len;
	return b;
}

char *frame_get_text(struct frame_in *f)
{
	struct bytes b = frame_get_bytes(f);
	char *s = NULL;

	if (!f->bad && (b.len == 0 || memchr(b.data, 0, b.len) == NULL))
		s = malloc(b.len + 1);
	if (s == NULL) {
		f->bad = true;
		return NULL;
	}
	if (b.len > 0)
		memcpy(s, b.data, b.len);
	s[b.len] = '\0';
	return s;
}

bool frame_ended(const struct frame_in *f)
{
	return !f->bad && f->pos == f->body.len;
}

enum err frame_put_int(struct buf *body, uint32_t v)
{
	uint8_t b[4];

	be32_put(b, v);
	return buf_put(body, b, sizeof(b));
}

enum err frame_put_text(struct buf *body, const char *s)
{
	enum err e = frame_put_int(body, (uint32_t)strlen(s));

	return e == ERR_OK ? buf_put_str(body, s) : e;
}

enum err wire_put(struct wire *w, enum frame kind, struct bytes body, int fd)
{
	uint8_t h[WIRE_HEADER] = { (uint8_t)kind, fd >= 0 };
	enum err e = ERR_OK;

	assert(fd < 0 || w->out_fd.fd < 0);
	be16_put(h + 2, WIRE_VERSION);
	be32_put(h + 4, (uint32_t)body.len);
	if (body.len > WIRE_BODY_MAX)
		e = ERR_INPUT;
	if (e == ERR_OK && w->out_pos == w->out.len) {
		buf_reset(&w->out);
		w->out_pos = 0;
	}
	if (e == ERR_OK)
		e = buf_reserve(&w->out, sizeof(h) + body.len);
	if (e != ERR_OK) {
		if (fd >= 0)
			close(fd);
		return e;
	}
	if (fd >= 0) {
		w->out_fd.at = w->out.len;
		w->out_fd.fd = fd;
	}
	e = buf_put(&w->out, h, sizeof(h));
	return e == ERR_OK ? buf_put(&w->out, body.data, body.len) : e;
}

// One sendmsg: up to the frame that carries a descriptor, or that frame's beginning together with it.
static ssize_t send_some(struct wire *w)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec v = { .iov_base = w->out.data + w->out_pos, .iov_len = wire_unsent(w) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	bool with_fd = w->out_fd.fd >= 0 && w->out_fd.at == w->out_pos;
	ssize_t n = 0;

	if (with_fd) {
		struct cmsghdr *c = NULL;

		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &w->out_fd.fd, sizeof(int));
	} else if (w->out_fd.fd >= 0) {
		v.iov_len = w->out_fd.at - w->out_pos;
	}
	n = sendmsg(w->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0 && with_fd) {
		close(w->out_fd.fd);
		w->out_fd.fd = -1;
	}
	return n;
}

void wire_send(struct wire *w)
{
	while (!w->gone && wire_unsent(w) > 0) {
		ssize_t n = send_some(w);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0)
			w->gone = true;
		else
			w->out_pos += (size_t)n;
	}
}

// 1: something happened; 0: time is up; -1: stop became readable.
static int wait_for(const struct wire *w, short events, int ms, int stop)
{
	struct pollfd p[2] = { { .fd = w->fd, .events = events }, { .fd = stop, .events = POLLIN } };
	int n = poll(p, 2, ms);

	if (n < 0)
		return 1;
	if (p[1].revents != 0)
		return -1;
	return n == 0 ? 0 : 1;
}

bool wire_next(struct wire *w, int ms, int stop, struct frame_in *f)
{
	int64_t end = patience_ms() + ms;

	for (;;) {
		int64_t left = ms < 0 ? -1 : end - patience_ms();
		short events = POLLIN;

		wire_send(w);
		if (wire_take(w, f))
			return true;
		if (w->gone || (ms >= 0 && left <= 0))
			return false;
		if (wire_unsent(w) > 0)
			events |= POLLOUT;
		if (wait_for(w, events, (int)left, stop) < 0)
			return false;
		wire_receive(w);
	}
}

bool wire_send_down_to(struct wire *w, size_t left, int ms, int stop)
{
	for (;;) {
		wire_send(w);
		if (w->gone || wire_unsent(w) <= left)
			return !w->gone;
		if (wait_for(w, POLLOUT, ms, stop) != 1)
			w->gone = true;
	}
}
