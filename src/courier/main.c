// SPDX-License-Identifier: EUPL-1.2
// sleutelbos-courier: reads one job on standard input, exchanges with the remote, reports on standard output. It is
// given no key and sees no plaintext; it may be killed at any moment, and confines itself before it looks at the
// remote. The texts are described in job.h.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "courier/confined.h"
#include "courier/session.h"
#include "courier/watchdog.h"

static enum err read_job(struct errctx *ec, struct job *job)
{
	struct buf text = { 0 };
	enum err e = file_read_fd(ec, STDIN_FILENO, "the courier's job", JOB_MAX, &text);

	if (e == ERR_OK)
		e = job_parse(ec, buf_bytes(&text), job);
	buf_free(&text);
	/* The job may hold a password: nothing that goes wrong later finds it there again. */
	close(STDIN_FILENO);
	if (open("/dev/null", O_RDONLY) != STDIN_FILENO && e == ERR_OK)
		e = err_errno(ec, errno, "/dev/null");
	return e;
}

int main(void)
{
	struct report report = { .fd = STDOUT_FILENO };
	struct errctx ec = { 0 };
	struct job job = { 0 };
	struct confinement active = { 0 };
	enum err e = watchdog_start(&ec, &active);

	if (e == ERR_OK)
		e = read_job(&ec, &job);
	/* What runs another program, or reads of the system what the job does not name, does it before this line ends.
	 */
	if (e == ERR_OK)
		e = bare_start(&ec);
	if (e == ERR_OK)
		e = courier_confine(&ec, &job, &active);
	if (e == ERR_OK && job_get(&job, JOB_TELL) != NULL) {
		char words[CONFINE_WORDS];

		confinement_put(&active, words);
		report_line(&report, REPORT_CONFINED, words, NULL, NULL, NULL);
	} else if (e == ERR_OK) {
		session_run(&job, &report);
		bare_stop();
	} else {
		report_fail(&report, e, e == ERR_INPUT ? "job" : NULL, &ec);
	}
	report_line(&report, REPORT_DONE, NULL, NULL, NULL, NULL);
	job_free(&job);
	return grade_exit_status(report.err == ERR_OK ? report.worst : GRADE_LATER);
}
