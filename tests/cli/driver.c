// SPDX-License-Identifier: EUPL-1.2
// usage: driver no-landlock|no-seccomp PROGRAM ARGUMENT...
// Runs a program on a system that lacks one of them, as an old kernel or a container does.
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int rc = f == NULL || argc < 3 ? -1 : 0;

	if (rc == 0 && strcmp(argv[1], "no-landlock") == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0);
	else if (rc == 0) {
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0);
		if (rc == 0)
			rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
			                      SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP, 0));
	}
	if (rc != 0 || seccomp_load(f) != 0) {
		fputs("driver: no such system can be had here\n", stderr);
		return 77;
	}
	seccomp_release(f);
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
