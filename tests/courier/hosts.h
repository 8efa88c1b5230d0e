/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Real hosts for the courier's tests (tests/support/hosts), and a wire to them that can be cut: a proxy on loopback
 * that counts connections and bytes, and closes everything once as many bytes went through it as the test allows.
 */
#ifndef SLB_TESTS_COURIER_HOSTS_H
#define SLB_TESTS_COURIER_HOSTS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/codec.h"
#include "scene.h"

enum host_kind { HOST_SSH, HOST_HTTPS };

struct host {
	enum host_kind kind;
	char dir[192];
	int port;
	char user[64];
	char secret[8192]; /* hex */
	char trust[80];    /* hex, ssh */
	char ca[8192];     /* hex, https */
};

static inline void hex_file(const char *path, char *out, size_t size)
{
	struct buf b = { 0 };

	assert_int_equal(file_read(NULL, path, size / 2 - 1, &b), ERR_OK);
	while (b.len > 0 && b.data[b.len - 1] == '\n' && strstr(path, "password") != NULL)
		b.len--;
	hex_put(b.data, b.len, out);
	buf_free(&b);
}

static inline void host_read(struct host *h)
{
	char path[256];

	h->port = atoi(shell("cat %s/port", h->dir));
	if (h->kind == HOST_SSH) {
		snprintf(h->user, sizeof(h->user), "%s", shell("cat %s/user", h->dir));
		snprintf(path, sizeof(path), "%s/user_ed25519", h->dir);
		hex_file(path, h->secret, sizeof(h->secret));
		snprintf(h->trust, sizeof(h->trust), "%s",
		         shell("cut -d' ' -f2 %s/host_ecdsa.pub | base64 -d | sha256sum | cut -d' ' -f1", h->dir));
		return;
	}
	strcpy(h->user, "buurt");
	snprintf(path, sizeof(path), "%s/password", h->dir);
	hex_file(path, h->secret, sizeof(h->secret));
	shell("openssl x509 -in %s/ca.pem -outform der -out %s/ca.der", h->dir, h->dir);
	snprintf(path, sizeof(path), "%s/ca.der", h->dir);
	hex_file(path, h->ca, sizeof(h->ca));
}

/* Hosts that a failed test left running end with the program. */
static char hosts_left[64][192];
static size_t hosts_started;

static inline void hosts_stop(void)
{
	char command[512];

	for (size_t i = 0; i < hosts_started; i++) {
		snprintf(command, sizeof(command), "tests/support/hosts stop %.191s", hosts_left[i]);
		if (system(command) != 0)
			fprintf(stderr, "not stopped: %s\n", hosts_left[i]);
	}
}

/* Starts it, with an empty repository "remote" in it. */
static inline void host_begin(const struct scene *s, enum host_kind kind, struct host *h)
{
	*h = (struct host){ .kind = kind };
	snprintf(h->dir, sizeof(h->dir), "%s/%s", s->dir, kind == HOST_SSH ? "ssh" : "https");
	if (hosts_started == 0)
		assert_int_equal(atexit(hosts_stop), 0);
	assert_true(hosts_started < sizeof(hosts_left) / sizeof(hosts_left[0]));
	memcpy(hosts_left[hosts_started++], h->dir, sizeof(h->dir));
	shell("tests/support/hosts %s %s", kind == HOST_SSH ? "ssh" : "https", h->dir);
	shell("git init -q --bare %s/git/remote.git && ln -sfn %s/git/remote.git %s/remote", h->dir, h->dir, s->dir);
	host_read(h);
}

static inline void host_end(const struct host *h)
{
	shell("tests/support/hosts stop %s", h->dir);
}

/* The address of a repository there, through that port. */
static inline const char *host_url(const struct host *h, int port, const char *repository)
{
	static char url[512];

	if (h->kind == HOST_SSH)
		snprintf(url, sizeof(url), "ssh://%s@localhost:%d%s/git/%s", h->user, port, h->dir, repository);
	else
		snprintf(url, sizeof(url), "https://localhost:%d/%s", port, repository);
	return url;
}

static inline void job_url(struct job *job, const char *url)
{
	assert_int_equal(job->item[1].kind, JOB_REMOTE);
	free(job->item[1].field[0]);
	job->item[1].field[0] = strdup(url);
}

/* A job of that device with all that it needs to come in. */
static inline struct job job_at(const struct scene *s, const struct host *h, int port, char device)
{
	struct job job = job_of(s, device);

	job_url(&job, host_url(h, port, "remote.git"));
	job_line(&job, JOB_LOGIN, h->kind == HOST_SSH ? "key" : "password", h->user, NULL);
	job_line(&job, JOB_SECRET, h->secret, NULL, NULL);
	if (h->kind == HOST_SSH)
		job_line(&job, JOB_TRUST, h->trust, NULL, NULL);
	else
		job_line(&job, JOB_CA, h->ca, NULL, NULL);
	return job;
}

// ---- A wire that can be cut ----

struct wire {
	atomic_long left;       /* bytes until it is cut; negative: never */
	atomic_long bytes;      /* that went through */
	atomic_int connections; /* that were made */
};

struct proxy {
	struct wire *wire; /* shared with the process that carries */
	int port;
	pid_t pid;
};

static inline int dial(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Carries one read; false at the end, or where the wire is cut. */
static inline bool carry(struct wire *w, int from, int to)
{
	char data[4096];
	ssize_t n = read(from, data, sizeof(data));
	long left = atomic_load(&w->left);

	if (n <= 0)
		return false;
	if (left >= 0 && n > left)
		n = left;
	if (left >= 0)
		atomic_fetch_sub(&w->left, n);
	atomic_fetch_add(&w->bytes, n);
	for (ssize_t at = 0; at < n;) {
		ssize_t out = write(to, data + at, (size_t)(n - at));

		if (out <= 0)
			return false;
		at += out;
	}
	return left < 0 || n < left;
}

static inline void carry_both(struct wire *w, int a, int b)
{
	struct pollfd p[2] = { { .fd = a, .events = POLLIN }, { .fd = b, .events = POLLIN } };
	bool on = b >= 0;

	while (on && poll(p, 2, -1) > 0) {
		if (p[0].revents != 0)
			on = carry(w, a, b);
		if (on && p[1].revents != 0)
			on = carry(w, b, a);
	}
	close(a);
	if (b >= 0)
		close(b);
}

static inline void proxy_begin(struct proxy *p, int to)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 16) == 0 &&
	            getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	p->port = ntohs(at.sin_port);
	p->wire = mmap(NULL, sizeof(*p->wire), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(p->wire != MAP_FAILED);
	atomic_store(&p->wire->left, -1);
	p->pid = fork();
	if (p->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGCHLD, SIG_IGN);
		signal(SIGPIPE, SIG_IGN);
		for (;;) {
			int in = accept(fd, NULL, NULL);

			if (in < 0)
				_exit(0);
			atomic_fetch_add(&p->wire->connections, 1);
			if (fork() == 0) {
				close(fd);
				carry_both(p->wire, in, dial(to));
				_exit(0);
			}
			close(in);
		}
	}
	assert_true(p->pid > 0);
	close(fd);
}

static inline void proxy_end(struct proxy *p)
{
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
	munmap(p->wire, sizeof(*p->wire));
}

/* Cut after so many bytes more; negative: never. Counts from here on. */
static inline void proxy_cut(struct proxy *p, long after)
{
	atomic_store(&p->wire->left, after);
	atomic_store(&p->wire->bytes, 0);
	atomic_store(&p->wire->connections, 0);
}

#endif
