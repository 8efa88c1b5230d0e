// SPDX-License-Identifier: EUPL-1.2
// Coming in at a host: its key or certificate is looked at first, then the login of the job is given, once. Nothing of
// the person's own is used: no known_hosts file, no key of a folder, no git configuration. A host that is not the one
// it should be is told nothing.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"
#include "courier/giterr.h"
#include "courier/net.h"
#include "courier/watchdog.h"

static const struct job_item *job_item_of(const struct job *job, enum job_kind kind)
{
	for (size_t i = 0; i < job->count; i++) {
		if (job->item[i].kind == kind)
			return &job->item[i];
	}
	return NULL;
}

// ---- Who the host is ----

static const char *key_type(git_cert_ssh_raw_type_t type)
{
	switch (type) {
	case GIT_CERT_SSH_RAW_TYPE_RSA:
		return "rsa";
	case GIT_CERT_SSH_RAW_TYPE_DSS:
		return "dss";
	case GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_256:
	case GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_384:
	case GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_521:
		return "ecdsa";
	case GIT_CERT_SSH_RAW_TYPE_KEY_ED25519:
		return "ed25519";
	default:
		return "unknown";
	}
}

/* The `host` line of the report goes out at once: the "fail" that follows names it. */
static void tell_host(const struct net *n, const char *type, const char *hex)
{
	struct report_line line = { .kind = REPORT_HOST, .field = { type, hex } };
	struct buf out = { 0 };

	if (report_write(&line, &out) == ERR_OK)
		(void)!file_write_fd(NULL, STDOUT_FILENO, "report", out.data, out.len);
	buf_free(&out);
}

static int check_host_key(struct net *n, const git_cert_hostkey *cert)
{
	char hex[2 * JOB_PIN_LEN + 1];
	bool any = false;

	if ((cert->type & GIT_CERT_SSH_SHA256) == 0)
		return GIT_ECERTIFICATE;
	hex_put(cert->hash_sha256, JOB_PIN_LEN, hex);
	for (size_t i = 0; i < n->job->count; i++) {
		if (n->job->item[i].kind != JOB_TRUST)
			continue;
		any = true;
		if (strcmp(n->job->item[i].field[0], hex) == 0)
			return 0;
	}
	fingerprint_put(cert->hash_sha256, n->shown);
	tell_host(n, (cert->type & GIT_CERT_SSH_RAW) != 0 ? key_type(cert->raw_type) : "unknown", hex);
	n->no = any ? NO_HOST_CHANGED : NO_HOST_UNKNOWN;
	return GIT_ECERTIFICATE;
}

static int on_certificate(git_cert *cert, int valid, const char *host, void *arg)
{
	struct net *n = arg;

	watchdog_kick();
	if (cert->cert_type == GIT_CERT_HOSTKEY_LIBSSH2)
		return check_host_key(n, (const git_cert_hostkey *)cert);
	if (valid)
		return 0;
	n->no = NO_CERTIFICATE;
	return GIT_ECERTIFICATE;
}

// ---- Who we are ----

static int give_key(git_credential **out, const char *user, const char *hex)
{
	struct buf key = { 0 };
	int rc = GIT_EAUTH;

	if (job_hex_get(hex, &key) && buf_terminate(&key) == ERR_OK)
		rc = git_credential_ssh_key_memory_new(out, user, NULL, (const char *)key.data, NULL);
	buf_free(&key);
	return rc;
}

static int give_password(git_credential **out, const char *user, const char *hex)
{
	struct buf word = { 0 };
	int rc = GIT_EAUTH;

	if (job_hex_get(hex, &word) && buf_terminate(&word) == ERR_OK)
		rc = git_credential_userpass_plaintext_new(out, user, (const char *)word.data);
	buf_free(&word);
	return rc;
}

/* libgit2 asks again when the host said no: once is enough, and hosts lock who tries often. */
static int on_login(git_credential **out, const char *url, const char *user, unsigned allowed, void *arg)
{
	struct net *n = arg;
	const struct job_item *login = job_item_of(n->job, JOB_LOGIN);
	const char *secret = job_get(n->job, JOB_SECRET);
	bool key = login != NULL && strcmp(login->field[0], "key") == 0;
	bool password = login != NULL && strcmp(login->field[0], "password") == 0;

	watchdog_kick();
	if (login != NULL && (allowed & GIT_CREDENTIAL_USERNAME) != 0)
		return git_credential_username_new(out, login->field[1]);
	if (n->tried || login == NULL) {
		n->no = n->tried ? NO_LOGIN : NO_LOGIN_GIVEN;
		return GIT_EAUTH;
	}
	n->tried = true;
	n->no = NO_LOGIN; /* until the host lets us in */
	if (user == NULL || !n->at.ssh)
		user = login->field[1];
	if (key && secret != NULL && (allowed & GIT_CREDENTIAL_SSH_MEMORY) != 0)
		return give_key(out, user, secret);
	if (password && secret != NULL && (allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) != 0)
		return give_password(out, user, secret);
	if (!key && !password && (allowed & GIT_CREDENTIAL_SSH_KEY) != 0)
		return git_credential_ssh_key_from_agent(out, user);
	return GIT_EAUTH;
}

// ---- What the host says meanwhile ----

static int on_words(const char *text, int len, void *arg)
{
	net_heard(arg, text, len > 0 ? (size_t)len : 0);
	return 0;
}

static int on_transfer(const git_indexer_progress *stats, void *arg)
{
	watchdog_kick();
	return 0;
}

static int on_packing(int stage, uint32_t current, uint32_t total, void *arg)
{
	watchdog_kick();
	return 0;
}

static int on_upload(unsigned current, unsigned total, size_t bytes, void *arg)
{
	watchdog_kick();
	return 0;
}

/* NULL: the host moved the branch and says so. Only that counts as pushed (S2). */
static int on_branch(const char *name, const char *status, void *arg)
{
	struct net *n = arg;

	watchdog_kick();
	for (size_t i = 0; i < n->items; i++) {
		struct push_item *item = &n->item[i];

		if (strcmp(item->copy.name, name) != 0)
			continue;
		item->result = status == NULL ? PUSH_DONE : net_refused(&item->ec, n, status, &item->err);
	}
	return 0;
}

void net_callbacks(struct net *n, git_remote_callbacks *out)
{
	out->sideband_progress = on_words;
	out->credentials = on_login;
	out->certificate_check = on_certificate;
	out->transfer_progress = on_transfer;
	out->pack_progress = on_packing;
	out->push_transfer_progress = on_upload;
	out->push_update_reference = on_branch;
	out->payload = n;
}

/* A certificate is no secret, but libgit2 takes one only from a file: this one is in memory. */
static enum err believe(struct errctx *ec, const char *hex)
{
	struct buf der = { 0 };
	char path[64];
	int fd = memfd_create("authority", MFD_CLOEXEC);
	enum err e = fd < 0 ? err_errno(ec, errno, "the certificate") : ERR_OK;
	int rc = 0;

	if (e == ERR_OK && !job_hex_get(hex, &der))
		e = err_errno(ec, ENOMEM, "the certificate");
	if (e == ERR_OK)
		e = file_write_fd(ec, fd, "the certificate", der.data, der.len);
	if (e == ERR_OK) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		rc = git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, path, NULL);
	}
	if (rc != 0)
		e = err_set(ec, ERR_INPUT,
		            "The certificate of the authority cannot be read. Type remote trust --ca FILE again.", NULL,
		            NULL, NULL);
	if (fd >= 0)
		close(fd);
	buf_free(&der);
	return e;
}

enum err net_login_start(struct errctx *ec, const struct job *job)
{
	const char *agent = job_get(job, JOB_AGENT);
	const char *ca = job_get(job, JOB_CA);

	/* libgit2 reads $HOME/.ssh/known_hosts, which says nothing about whom this neighbourhood trusts. */
	if (setenv("HOME", "/nonexistent", 1) != 0 || (agent != NULL && setenv("SSH_AUTH_SOCK", agent, 1) != 0))
		return err_errno(ec, errno, "the environment");
	return ca == NULL ? ERR_OK : believe(ec, ca);
}
