// SPDX-License-Identifier: EUPL-1.2
// System calls by seccomp, through libseccomp: a list of those that the program makes, narrowed by their arguments
// where an argument decides. The rest is answered as by a kernel that has no such call, so that the C library of
// another release falls back on what it knows; what somebody would want who took the process over gets EPERM, and says
// so here by name.
#include <errno.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "confine/parts.h"

// Files are Landlock's matter, memory and time nobody's.
static const int harmless[] = {
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(pread64),
	SCMP_SYS(preadv),
	SCMP_SYS(preadv2),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(pwrite64),
	SCMP_SYS(pwritev),
	SCMP_SYS(pwritev2),
	SCMP_SYS(lseek),
	SCMP_SYS(_llseek),
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(creat),
	SCMP_SYS(close),
	SCMP_SYS(close_range),
	SCMP_SYS(stat),
	SCMP_SYS(stat64),
	SCMP_SYS(fstat),
	SCMP_SYS(fstat64),
	SCMP_SYS(lstat),
	SCMP_SYS(lstat64),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64),
	SCMP_SYS(statx),
	SCMP_SYS(statfs),
	SCMP_SYS(statfs64),
	SCMP_SYS(fstatfs),
	SCMP_SYS(fstatfs64),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getdents),
	SCMP_SYS(getdents64),
	SCMP_SYS(getcwd),
	SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	SCMP_SYS(rmdir),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(link),
	SCMP_SYS(linkat),
	SCMP_SYS(truncate),
	SCMP_SYS(ftruncate),
	SCMP_SYS(ftruncate64),
	SCMP_SYS(fallocate),
	SCMP_SYS(fadvise64),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(syncfs),
	SCMP_SYS(sync_file_range),
	SCMP_SYS(copy_file_range),
	SCMP_SYS(sendfile),
	SCMP_SYS(flock),
	SCMP_SYS(chmod),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat),
	SCMP_SYS(utime),
	SCMP_SYS(utimes),
	SCMP_SYS(utimensat),
	SCMP_SYS(futimesat),
	SCMP_SYS(umask),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(pipe),
	SCMP_SYS(pipe2),
	SCMP_SYS(memfd_create),
	SCMP_SYS(fcntl),
	SCMP_SYS(fcntl64),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(select),
	SCMP_SYS(_newselect),
	SCMP_SYS(pselect6),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(msync),
	SCMP_SYS(mlock),
	SCMP_SYS(mlock2),
	SCMP_SYS(munlock),
	SCMP_SYS(futex),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(get_robust_list),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(rseq),
	SCMP_SYS(membarrier),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(times),
	SCMP_SYS(alarm),
	SCMP_SYS(setitimer),
	SCMP_SYS(getitimer),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getpgrp),
	SCMP_SYS(getpgid),
	SCMP_SYS(getsid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getgroups),
	SCMP_SYS(getrlimit),
	SCMP_SYS(ugetrlimit),
	SCMP_SYS(setrlimit),
	SCMP_SYS(getrusage),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(getrandom),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigpending),
	SCMP_SYS(rt_sigsuspend),
	SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(wait4),
	SCMP_SYS(waitid),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	// On sockets that are open: to the starter, to callers.
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
};

// Another program, another process's memory, new sockets, the kernel: those of which a refusal is to be recognised as
// one. All else that is not listed does not exist.
static const struct {
	int call;
	unsigned unless; // of enum confine_may: then it is allowed above, perhaps with some arguments alone
} refused[] = {
	{ SCMP_SYS(execve), 0 },
	{ SCMP_SYS(execveat), 0 },
	{ SCMP_SYS(ptrace), 0 },
	{ SCMP_SYS(process_vm_readv), 0 },
	{ SCMP_SYS(process_vm_writev), 0 },
	{ SCMP_SYS(pidfd_getfd), 0 },
	{ SCMP_SYS(socket), CONFINE_MAY_INET | CONFINE_MAY_UNIX },
	{ SCMP_SYS(connect), CONFINE_MAY_INET | CONFINE_MAY_UNIX },
	{ SCMP_SYS(bind), CONFINE_MAY_INET },
	{ SCMP_SYS(listen), CONFINE_MAY_ACCEPT },
	{ SCMP_SYS(accept), 0 },
	{ SCMP_SYS(accept4), CONFINE_MAY_ACCEPT },
	{ SCMP_SYS(kill), CONFINE_MAY_FORK },
	{ SCMP_SYS(tkill), 0 },
	{ SCMP_SYS(clone), CONFINE_MAY_FORK },
	{ SCMP_SYS(fork), CONFINE_MAY_FORK },
	{ SCMP_SYS(vfork), 0 },
	{ SCMP_SYS(unshare), 0 },
	{ SCMP_SYS(setns), 0 },
	{ SCMP_SYS(mount), 0 },
	{ SCMP_SYS(umount2), 0 },
	{ SCMP_SYS(pivot_root), 0 },
	{ SCMP_SYS(chroot), 0 },
	{ SCMP_SYS(keyctl), 0 },
	{ SCMP_SYS(add_key), 0 },
	{ SCMP_SYS(request_key), 0 },
	{ SCMP_SYS(bpf), 0 },
	{ SCMP_SYS(perf_event_open), 0 },
	{ SCMP_SYS(io_uring_setup), 0 },
	{ SCMP_SYS(userfaultfd), 0 },
	{ SCMP_SYS(open_by_handle_at), 0 },
	{ SCMP_SYS(setuid), 0 },
	{ SCMP_SYS(setgid), 0 },
	{ SCMP_SYS(symlink), 0 },
	{ SCMP_SYS(symlinkat), 0 },
	{ SCMP_SYS(mknod), 0 },
	{ SCMP_SYS(mknodat), 0 },
	{ SCMP_SYS(personality), 0 },
};

// What may be asked of a terminal or a file; TIOCSTI, which types in the person's place, is not among it.
static const unsigned long asked[] = {
	TCGETS,
	TCSETS,
	TCSETSW,
	TCSETSF,
	TIOCGWINSZ,
	TIOCGPGRP,
	FIONREAD,
	FIONBIO,
	FIOCLEX,
	// TCGETS2 and its kin, which newer C libraries use.
	0x802C542A,
	0x402C542B,
	0x402C542C,
	0x402C542D,
};

static int allow(scmp_filter_ctx f, int call)
{
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 0);
}

static int allow_if(scmp_filter_ctx f, int call, struct scmp_arg_cmp a)
{
	return seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, 1, &a);
}

static struct scmp_arg_cmp arg_is(unsigned arg, uint64_t value)
{
	return SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, 0xFFFFFFFFu, value);
}

// Memory that can be run: none that can be written, and none at all without CONFINE_MAY_LOAD.
static int memory_calls(scmp_filter_ctx f, unsigned may)
{
	static const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect) };
	const struct scmp_arg_cmp plain = SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp code = SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(calls) / sizeof(calls[0]); i++) {
		rc = allow_if(f, calls[i], plain);
		if (rc == 0 && (may & CONFINE_MAY_LOAD) != 0)
			rc = allow_if(f, calls[i], code);
	}
	return rc;
}

static int process_calls(scmp_filter_ctx f, unsigned may)
{
	static const unsigned long prctls[] = { PR_SET_NAME,
		                                PR_GET_NAME,
		                                PR_GET_DUMPABLE,
		                                PR_SET_PDEATHSIG,
		                                PR_GET_NO_NEW_PRIVS,
		                                PR_SET_NO_NEW_PRIVS,
		                                /* names for memory: PR_SET_VMA */ 0x53564D41 };
	const struct scmp_arg_cmp unseen[] = { arg_is(0, PR_SET_DUMPABLE), arg_is(1, 0) };
	// fork() as the C library does it: no new namespace, and no thread.
	const uint64_t spaces = 0x7E020000u | 0x00000080u | 0x00010000u;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(prctls) / sizeof(prctls[0]); i++)
		rc = allow_if(f, SCMP_SYS(prctl), arg_is(0, prctls[i]));
	if (rc == 0)
		rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 2, unseen);
	for (size_t i = 0; rc == 0 && i < sizeof(asked) / sizeof(asked[0]); i++)
		rc = allow_if(f, SCMP_SYS(ioctl), arg_is(1, asked[i]));
	// Limits of its own, not of others.
	if (rc == 0)
		rc = allow_if(f, SCMP_SYS(prlimit64), arg_is(0, 0));
	if (rc == 0)
		rc = allow(f, SCMP_SYS(tgkill));
	if (rc == 0 && (may & CONFINE_MAY_FORK) != 0)
		rc = allow(f, SCMP_SYS(kill));
	if (rc == 0 && (may & CONFINE_MAY_FORK) != 0)
		rc = allow_if(f, SCMP_SYS(clone), SCMP_CMP(0, SCMP_CMP_MASKED_EQ, spaces, 0));
	if (rc == 0 && (may & CONFINE_MAY_FORK) != 0)
		rc = allow(f, SCMP_SYS(fork));
	return rc;
}

static int socket_calls(scmp_filter_ctx f, unsigned may)
{
	static const int families[] = { AF_INET, AF_INET6, AF_NETLINK };
	int rc = allow_if(f, SCMP_SYS(socketpair), arg_is(0, AF_UNIX));

	for (size_t i = 0; rc == 0 && (may & CONFINE_MAY_INET) != 0 && i < sizeof(families) / sizeof(families[0]); i++)
		rc = allow_if(f, SCMP_SYS(socket), arg_is(0, (uint64_t)families[i]));
	if (rc == 0 && (may & CONFINE_MAY_UNIX) != 0)
		rc = allow_if(f, SCMP_SYS(socket), arg_is(0, AF_UNIX));
	if (rc == 0 && (may & (CONFINE_MAY_INET | CONFINE_MAY_UNIX)) != 0)
		rc = allow(f, SCMP_SYS(connect));
	// The C library binds what it asks the kernel for its addresses by; Landlock keeps TCP from listening.
	if (rc == 0 && (may & CONFINE_MAY_INET) != 0)
		rc = allow(f, SCMP_SYS(bind));
	if (rc == 0 && (may & CONFINE_MAY_ACCEPT) != 0)
		rc = allow(f, SCMP_SYS(listen));
	if (rc == 0 && (may & CONFINE_MAY_ACCEPT) != 0)
		rc = allow(f, SCMP_SYS(accept4));
	return rc;
}

static int fill(scmp_filter_ctx f, unsigned may)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(harmless) / sizeof(harmless[0]); i++)
		rc = allow(f, harmless[i]);
	if (rc == 0)
		rc = memory_calls(f, may);
	if (rc == 0)
		rc = process_calls(f, may);
	if (rc == 0)
		rc = socket_calls(f, may);
	for (size_t i = 0; rc == 0 && i < sizeof(refused) / sizeof(refused[0]); i++)
		if ((refused[i].unless & may) == 0)
			rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), refused[i].call, 0);
	return rc;
}

enum err confine_calls(struct errctx *ec, const struct confine_wish *wish, struct confinement *active)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int rc = f == NULL ? -ENOMEM : fill(f, wish->may);

	if (rc != 0) {
		seccomp_release(f);
		return err_errno(ec, rc < 0 ? -rc : EINVAL, "seccomp");
	}
	rc = seccomp_load(f);
	seccomp_release(f);
	if (rc == -ENOMEM)
		return err_errno(ec, ENOMEM, "seccomp");
	// A kernel without it, or a container that withholds it.
	active->calls = rc == 0;
	return ERR_OK;
}
