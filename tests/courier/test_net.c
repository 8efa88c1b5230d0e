// SPDX-License-Identifier: EUPL-1.2
// Goal: over ssh and https, with real hosts on loopback, everything arrives and nothing is told too much: a host that
// is not the right one learns no login; each failure says whether it passes and what a person can do; a no-op costs one
// connection and a sync that sends two (S6); a wire that is cut anywhere loses nothing, and "sent" is never said of
// what the host does not hold (S2, S3).
//
// Mistakes it was seen to catch: see the list at the end.
#include "hosts.h"

#include "base/codec.h"

// ---- What works ----

static void send_one(const struct scene *s, const struct host *h, int port, char device, const char *name)
{
	struct job job = job_at(s, h, port, device);
	struct heard *heard_all = NULL;
	char sent[128];

	job_spool(s, &job, device, name, name);
	heard_all = run_job(s, &job);
	snprintf(sent, sizeof(sent), "sent " OWN "%c %s\n", device, name);
	assert_heard(heard_all, sent);
	assert_int_equal(heard_all->fails, 0);
}

static void goes_there_and_back(enum host_kind kind)
{
	struct scene s;
	struct host h;
	struct proxy p;
	struct job job;
	struct heard *all = NULL;
	char have[64];

	scene_begin(&s);
	host_begin(&s, kind, &h);
	proxy_begin(&p, h.port);

	proxy_cut(&p, -1);
	send_one(&s, &h, p.port, 'a', "b-1");
	assert_string_equal(tip_in(&s, "remote", 'a'), tip_in(&s, "a/repo", 'a'));
	print_message("# first push: %d connections, %ld bytes\n", atomic_load(&p.wire->connections),
	              atomic_load(&p.wire->bytes));
	assert_true(atomic_load(&p.wire->connections) <= 2);

	job = job_at(&s, &h, p.port, 'b');
	all = run_job(&s, &job);
	assert_heard(all, "file " OWN "a ");
	assert_heard(all, "tip " OWN "a ");
	assert_int_equal(all->fails, 0);

	/* something to fetch and something to send: two */
	send_one(&s, &h, p.port, 'a', "b-2");
	proxy_cut(&p, -1);
	send_one(&s, &h, p.port, 'b', "b-3");
	assert_true(atomic_load(&p.wire->connections) <= 2);
	assert_string_equal(shell("git -C %s/remote fsck --no-progress 2>&1 | grep -v notice || true", s.dir), "");

	/* nothing new: one, and one listing */
	snprintf(have, sizeof(have), "%s", tip_in(&s, "remote", 'a'));
	proxy_cut(&p, -1);
	job = job_at(&s, &h, p.port, 'b');
	job_line(&job, JOB_HAVE, OWN "a", have, NULL);
	job_line(&job, JOB_HAVE, OWN "b", tip_in(&s, "remote", 'b'), NULL);
	all = run_job(&s, &job);
	assert_string_equal(all->text, "");
	assert_int_equal(atomic_load(&p.wire->connections), 1);
	print_message("# nothing new: %ld bytes\n", atomic_load(&p.wire->bytes));

	/* what came is whole, and nothing of the exchange stays beside it */
	assert_string_equal(shell("git -C %s/b/repo fsck --no-progress 2>&1 | grep -v notice || true", s.dir), "");
	assert_string_equal(shell("ls %s/b/repo | grep incoming || true", s.dir), "");
	proxy_end(&p);
	host_end(&h);
	scene_end(&s);
}

static void test_ssh(void **state)
{
	goes_there_and_back(HOST_SSH);
}

static void test_https(void **state)
{
	goes_there_and_back(HOST_HTTPS);
}

/* What is long known is neither told nor brought again, whatever there is of it: of this branch and of others. */
static void test_history_costs_nothing(void **state)
{
	static const enum host_kind kinds[] = { HOST_SSH, HOST_HTTPS };

	for (size_t i = 0; i < 2; i++) {
		struct scene s;
		struct host h;
		struct proxy p;
		struct job job;
		long before = 0, fetched = 0, sent = 0;

		scene_begin(&s);
		host_begin(&s, kinds[i], &h);
		proxy_begin(&p, h.port);
		for (const char *device = "abc"; *device != '\0'; device++) {
			job = job_at(&s, &h, h.port, *device);
			for (int k = 0; k < 100; k++) {
				char name[16];

				snprintf(name, sizeof(name), "b-%d", k);
				job_spool(&s, &job, *device, name, shell("head -c 1500 /dev/urandom | base64 -w0"));
			}
			assert_int_equal(run_job(&s, &job)->fails, 0);
		}
		job = job_at(&s, &h, p.port, 'd');
		assert_int_equal(run_job(&s, &job)->fails, 0);
		before = atomic_load(&p.wire->bytes);
		job = job_at(&s, &h, h.port, 'a');
		assert_int_equal(run_job(&s, &job)->fails, 0);
		send_one(&s, &h, h.port, 'b', "b-100");
		proxy_cut(&p, -1);
		job = job_at(&s, &h, p.port, 'd');
		assert_heard(run_job(&s, &job), "b-100");
		fetched = atomic_load(&p.wire->bytes);
		proxy_cut(&p, -1);
		send_one(&s, &h, p.port, 'a', "b-100");
		sent = atomic_load(&p.wire->bytes);
		print_message("# all of it %ld bytes, one more fetched %ld, one more sent %ld\n", before, fetched,
		              sent);
		assert_true(before > 400000);
		assert_true(fetched < 20000); /* seen: 8,505 to 10,937; most of it is the greeting */
		assert_true(sent < 20000);
		proxy_end(&p);
		host_end(&h);
		scene_end(&s);
	}
}

/* Many branches, more than one exchange brings: all of them come, and a kill between two costs only the one. */
static void test_many_branches(void **state)
{
	struct scene s;
	struct host h;
	struct job job;
	struct heard *all = NULL;
	size_t files = 0;

	scene_begin(&s);
	host_begin(&s, HOST_SSH, &h);
	send_one(&s, &h, h.port, 'a', "b-1");
	for (int i = 0; i < 40; i++) /* the same commit on forty branches */
		shell("git -C %s/remote update-ref " OWN "x%c%c %s", s.dir, 'a' + i / 20, 'a' + i % 20,
		      tip_in(&s, "remote", 'a'));
	job = job_at(&s, &h, h.port, 'b');
	all = run_job(&s, &job);
	assert_int_equal(all->fails, 0);
	for (const char *at = all->text; (at = strstr(at, "file " OWN)) != NULL; at++)
		files++;
	assert_int_equal(files, 41);
	host_end(&h);
	scene_end(&s);
}

// ---- What does not ----

static struct heard *with(const struct scene *s, struct job *job)
{
	struct heard *all = run_job(s, job);

	assert_not_heard(all, "sent ");
	return all;
}

static void replace(struct job *job, enum job_kind kind, const char *value)
{
	for (size_t i = 0; i < job->count; i++) {
		if (job->item[i].kind != kind)
			continue;
		free(job->item[i].field[0]);
		job->item[i].field[0] = strdup(value);
	}
}

static void drop(struct job *job, enum job_kind kind)
{
	for (size_t i = 0; i < job->count;) {
		if (job->item[i].kind != kind) {
			i++;
			continue;
		}
		for (size_t k = 0; k < JOB_FIELDS; k++)
			free(job->item[i].field[k]);
		memmove(&job->item[i], &job->item[i + 1], (job->count - i - 1) * sizeof(job->item[0]));
		job->count--;
	}
}

static void test_ssh_refusals(void **state)
{
	struct scene s;
	struct host h;
	struct job job;
	struct heard *all = NULL;
	char hex[8192], path[256], host_line[128];

	scene_begin(&s);
	host_begin(&s, HOST_SSH, &h);

	/* an unknown host is shown and told nothing */
	job = job_at(&s, &h, h.port, 'a');
	drop(&job, JOB_TRUST);
	job_spool(&s, &job, 'a', "b-1", "one");
	all = with(&s, &job);
	snprintf(host_line, sizeof(host_line), "host ecdsa %s\nfail person host-key ", h.trust);
	assert_heard(all, host_line);
	assert_heard(all, shell("ssh-keygen -lf %s/host_ecdsa.pub | cut -d' ' -f2", h.dir));

	/* one that changed too */
	job = job_at(&s, &h, h.port, 'a');
	replace(&job, JOB_TRUST, "0000000000000000000000000000000000000000000000000000000000000000");
	assert_heard(with(&s, &job), "fail person host-changed ");
	assert_string_equal(shell("grep -c 'Accepted\\|Failed\\|publickey' %s/log || true", h.dir), "0");

	/* keys: ecdsa comes in, RSA and a stranger's do not */
	job = job_at(&s, &h, h.port, 'a');
	snprintf(path, sizeof(path), "%s/user_ecdsa", h.dir);
	hex_file(path, hex, sizeof(hex));
	replace(&job, JOB_SECRET, hex);
	assert_int_equal(with(&s, &job)->fails, 0);
	job = job_at(&s, &h, h.port, 'a');
	snprintf(path, sizeof(path), "%s/user_rsa", h.dir);
	hex_file(path, hex, sizeof(hex));
	replace(&job, JOB_SECRET, hex);
	assert_heard(with(&s, &job), "fail person login ");
	shell("sed -i '/ed25519/d' %s/keys", h.dir);
	job = job_at(&s, &h, h.port, 'a');
	assert_heard(with(&s, &job), "fail person login ");
	shell("cat %s/user_*.pub >%s/keys", h.dir, h.dir);
	job = job_at(&s, &h, h.port, 'a');
	drop(&job, JOB_LOGIN);
	drop(&job, JOB_SECRET);
	assert_heard(with(&s, &job), "fail person login-needed ");

	/* the person's own agent */
	snprintf(path, sizeof(path), "%s/agent", h.dir);
	shell("ssh-agent -a %s | sed -n 's/^SSH_AGENT_PID=\\([0-9]*\\).*/\\1/p' >%s/agent.pid", path, h.dir);
	shell("SSH_AUTH_SOCK=%s ssh-add -q %s/user_ecdsa 2>&1", path, h.dir);
	job = job_at(&s, &h, h.port, 'a');
	drop(&job, JOB_LOGIN);
	drop(&job, JOB_SECRET);
	job_line(&job, JOB_LOGIN, "agent", h.user, NULL);
	job_line(&job, JOB_AGENT, path, NULL, NULL);
	assert_int_equal(with(&s, &job)->fails, 0);
	shell("kill $(cat %s/agent.pid)", h.dir);
	job = job_at(&s, &h, h.port, 'a');
	drop(&job, JOB_LOGIN);
	drop(&job, JOB_SECRET);
	job_line(&job, JOB_LOGIN, "agent", h.user, NULL);
	job_line(&job, JOB_AGENT, path, NULL, NULL);
	assert_heard(with(&s, &job), "fail person login ");

	/* no repository; a host that takes nothing */
	job = job_at(&s, &h, h.port, 'a');
	job_url(&job, host_url(&h, h.port, "nowhere.git"));
	assert_heard(with(&s, &job), "fail person no-repository ");
	shell("printf '#!/bin/sh\\necho this neighbourhood is closed >&2\\nexit 1\\n' >%s/remote/hooks/pre-receive && "
	      "chmod +x "
	      "%s/remote/hooks/pre-receive",
	      s.dir, s.dir);
	job = job_at(&s, &h, h.port, 'a');
	job_spool(&s, &job, 'a', "b-1", "one");
	all = with(&s, &job);
	assert_heard(all, "fail person rejected ");
	assert_heard(all, "this neighbourhood is closed");
	shell("printf '#!/bin/sh\\necho No space left on device >&2\\nexit 1\\n' >%s/remote/hooks/pre-receive", s.dir);
	job = job_at(&s, &h, h.port, 'a');
	job_spool(&s, &job, 'a', "b-1", "one");
	assert_heard(with(&s, &job), "fail later host-full ");

	host_end(&h);
	job = job_at(&s, &h, h.port, 'a');
	assert_heard(with(&s, &job), "fail later refused ");
	job = job_at(&s, &h, h.port, 'a');
	job_url(&job, "ssh://git@nobody.invalid/x.git");
	assert_heard(with(&s, &job), "fail later n"); /* name or network: as it is here */
	scene_end(&s);
}

static void certificate(struct host *h, const char *kind)
{
	shell("tests/support/hosts stop %s && tests/support/hosts certificate %s %s && tests/support/hosts "
	      "https %s",
	      h->dir, h->dir, kind, h->dir);
	h->port = atoi(shell("cat %s/port", h->dir));
}

static void test_https_refusals(void **state)
{
	struct scene s;
	struct host h;
	struct job job;
	static const char *const bad[] = { "expired", "foreign", "other-name" };

	scene_begin(&s);
	host_begin(&s, HOST_HTTPS, &h);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		certificate(&h, bad[i]);
		job = job_at(&s, &h, h.port, 'a');
		assert_heard(with(&s, &job), "fail person certificate ");
	}
	certificate(&h, "good");
	job = job_at(&s, &h, h.port, 'a'); /* the system's authorities do not know this one */
	drop(&job, JOB_CA);
	assert_heard(with(&s, &job), "fail person certificate ");
	/* none of them was told the login */
	assert_string_equal(shell("grep -c Basic %s/log || true", h.dir), "0");

	job = job_at(&s, &h, h.port, 'a');
	replace(&job, JOB_SECRET, "6e6565");
	assert_heard(with(&s, &job), "fail person login ");
	job = job_at(&s, &h, h.port, 'a');
	drop(&job, JOB_LOGIN);
	drop(&job, JOB_SECRET);
	assert_heard(with(&s, &job), "fail person login-needed ");
	job = job_at(&s, &h, h.port, 'a');
	job_url(&job, host_url(&h, h.port, "nowhere.git"));
	assert_heard(with(&s, &job), "fail person no-repository ");
	job = job_at(&s, &h, h.port, 'a');
	job_url(&job, "http://localhost/x.git");
	assert_heard(with(&s, &job), "fail person transport ");
	job = job_at(&s, &h, h.port, 'a');
	assert_int_equal(with(&s, &job)->fails, 0);
	host_end(&h);
	scene_end(&s);
}

/* Sent on to another host: nothing is asked of it, so it is told nothing. Within one host it is followed. */
static void test_redirects(void **state)
{
	struct scene s;
	struct host h;
	struct job job;
	char other[256];

	scene_begin(&s);
	host_begin(&s, HOST_HTTPS, &h);
	snprintf(other, sizeof(other), "%s/other", s.dir);
	shell("mkdir -p %s && cp %s/ca.* %s/stranger.* %s/password %s", other, h.dir, h.dir, h.dir, other);
	/* the same machine by its number is another name, and so another host */
	shell("echo https://127.0.0.1:%d >%s/redirect && tests/support/hosts https %s", h.port, other, other);
	job = job_at(&s, &h, atoi(shell("cat %s/port", other)), 'a');
	assert_heard(with(&s, &job), "fail person moved ");
	assert_string_equal(shell("cat %s/log", h.dir), "");
	assert_string_equal(shell("grep -c Basic %s/log || true", other), "0");

	shell("tests/support/hosts stop %s && echo https://localhost:%d >%s/redirect && tests/support/hosts "
	      "https %s",
	      other, h.port, other, other);
	job = job_at(&s, &h, atoi(shell("cat %s/port", other)), 'a');
	assert_int_equal(with(&s, &job)->fails, 0);
	shell("tests/support/hosts stop %s", other);
	host_end(&h);
	scene_end(&s);
}

// ---- Cut anywhere ----

/* "sent" was said: then the host holds it, now. */
static void sent_is_true(const struct scene *s, const struct heard *all, const char *name)
{
	char sent[64];

	snprintf(sent, sizeof(sent), "sent " OWN "a %s\n", name);
	if (heard(all, sent))
		shell("git -C %s/remote log --format= --name-only " OWN "a | grep -qx %s", s->dir, name);
}

static void cut_at_random(enum host_kind kind, const char *which)
{
	const char *soak = getenv("SLB_SOAK"), *given = getenv("SLB_SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 0) : 1;
	int rounds = soak != NULL ? 200 : 15, broken = 0;
	struct scene s;
	struct host h;
	struct proxy p;
	long whole = 0;

	scene_begin(&s);
	host_begin(&s, kind, &h);
	proxy_begin(&p, h.port);
	send_one(&s, &h, p.port, 'a', "b-0");
	proxy_cut(&p, -1);
	send_one(&s, &h, p.port, 'a', "b-00");
	whole = atomic_load(&p.wire->bytes);
	print_message("# %s: %d cuts within %ld bytes, SLB_SEED=%u\n", which, rounds, whole, seed);
	srand(seed);
	for (int i = 1; i <= rounds; i++) {
		struct heard *all = NULL;
		struct job job;
		char name[16];

		snprintf(name, sizeof(name), "b-%d", i);
		proxy_cut(&p, 1 + rand() % whole);
		job = job_at(&s, &h, p.port, 'a');
		job_spool(&s, &job, 'a', name, name);
		all = run_job(&s, &job);
		broken += all->fails > 0;
		sent_is_true(&s, all, name);
		if (i % 5 != 0)
			continue;
		/* one that reads, cut too, and then all that was not sent in one go */
		proxy_cut(&p, 1 + rand() % whole);
		job = job_at(&s, &h, p.port, 'b');
		(void)run_job(&s, &job);
		proxy_cut(&p, -1);
		job = job_at(&s, &h, p.port, 'a');
		for (int k = i - 4; k <= i; k++) {
			snprintf(name, sizeof(name), "b-%d", k);
			job_spool(&s, &job, 'a', name, name);
		}
		all = run_job(&s, &job);
		assert_int_equal(all->fails, 0);
		for (int k = i - 4; k <= i; k++) {
			char sent[64];

			snprintf(sent, sizeof(sent), "sent " OWN "a b-%d\n", k);
			assert_heard(all, sent);
		}
	}
	assert_true(broken >= rounds / 2);
	/* each once, none lost */
	assert_int_equal(
	    atoi(shell("git -C %s/remote log --format= --name-only --diff-filter=A " OWN "a | sort -u | wc -l", s.dir)),
	    rounds + 2);
	assert_int_equal(
	    atoi(shell("git -C %s/remote log --format= --name-only --diff-filter=A " OWN "a | wc -l", s.dir)),
	    rounds + 2);
	proxy_end(&p);
	host_end(&h);
	scene_end(&s);
}

static void test_ssh_cut(void **state)
{
	cut_at_random(HOST_SSH, "ssh");
}

static void test_https_cut(void **state)
{
	cut_at_random(HOST_HTTPS, "https");
}

/* The host got the objects and died before it moved the branch: unsent, and sent the next time. */
static void test_between_objects_and_branch(void **state)
{
	static const enum host_kind kinds[] = { HOST_SSH, HOST_HTTPS };

	for (size_t i = 0; i < 2; i++) {
		struct scene s;
		struct host h;
		struct job job;
		struct heard *all = NULL;

		scene_begin(&s);
		host_begin(&s, kinds[i], &h);
		shell("printf '#!/bin/sh\\ntouch %s/objects-are-there\\nkill -9 $PPID\\n' >%s/remote/hooks/pre-receive "
		      "&& "
		      "chmod +x %s/remote/hooks/pre-receive",
		      s.dir, s.dir, s.dir);
		job = job_at(&s, &h, h.port, 'a');
		job_spool(&s, &job, 'a', "b-1", "one");
		all = run_job(&s, &job);
		assert_not_heard(all, "sent ");
		assert_true(all->fails > 0);
		shell("test -e %s/objects-are-there && rm %s/remote/hooks/pre-receive", s.dir, s.dir);
		assert_string_equal(tip_in(&s, "remote", 'a'), "");
		send_one(&s, &h, h.port, 'a', "b-1");
		host_end(&h);
		scene_end(&s);
	}
}

/* A branch of an epoch that is over goes where it stands as the job says, and nowhere else (K3). */
static void test_drop(void **state)
{
	static const enum host_kind kinds[] = { HOST_SSH, HOST_HTTPS };

	for (size_t i = 0; i < 2; i++) {
		struct scene s;
		struct host h;
		struct job job;
		struct heard *all = NULL;
		char old[64];
		char line[160];

		scene_begin(&s);
		host_begin(&s, kinds[i], &h);
		send_one(&s, &h, h.port, 'a', "b-1");
		send_one(&s, &h, h.port, 'b', "b-1");
		snprintf(old, sizeof(old), "%s", tip_in(&s, "remote", 'a'));
		send_one(&s, &h, h.port, 'a', "b-2");
		/* something was added since */
		job = job_at(&s, &h, h.port, 'b');
		job_line(&job, JOB_HAVE, OWN "a", old, NULL);
		job_line(&job, JOB_DROP, OWN "a", old, NULL);
		all = run_job(&s, &job);
		assert_not_heard(all, "dropped ");
		assert_int_equal(all->fails, 0);
		snprintf(old, sizeof(old), "%s", tip_in(&s, "remote", 'a'));
		assert_string_not_equal(old, "");
		/* now it is as it is known */
		job = job_at(&s, &h, h.port, 'b');
		job_line(&job, JOB_HAVE, OWN "a", old, NULL);
		job_line(&job, JOB_DROP, OWN "a", old, NULL);
		all = run_job(&s, &job);
		snprintf(line, sizeof(line), "dropped " OWN "a %s\n", old);
		assert_heard(all, line);
		assert_int_equal(all->fails, 0);
		assert_string_equal(tip_in(&s, "remote", 'a'), "");
		assert_string_not_equal(tip_in(&s, "remote", 'b'), "");
		/* one that is gone already */
		job = job_at(&s, &h, h.port, 'c');
		job_line(&job, JOB_DROP, OWN "a", old, NULL);
		assert_heard(run_job(&s, &job), line);
		host_end(&h);
		scene_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ssh),
		cmocka_unit_test(test_https),
		cmocka_unit_test(test_history_costs_nothing),
		cmocka_unit_test(test_many_branches),
		cmocka_unit_test(test_ssh_refusals),
		cmocka_unit_test(test_https_refusals),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_between_objects_and_branch),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_ssh_cut),
		cmocka_unit_test(test_https_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
