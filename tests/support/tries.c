// SPDX-License-Identifier: EUPL-1.2
// What somebody would try who took a process over.
#include "support/tries.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int listener = -1;

static int got(long rc)
{
	return rc < 0 ? errno : 0;
}

static int opened(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static const char *join(char out[static 600], const char *a, const char *b)
{
	snprintf(out, 600, "%s/%s", a, b);
	return out;
}

// ---- Files ----

static int read_outside(const struct tries *t)
{
	return opened(t->file, O_RDONLY);
}

static int read_passwords(const struct tries *t)
{
	return opened("/etc/passwd", O_RDONLY);
}

static int list_outside(const struct tries *t)
{
	return opened(t->folder, O_RDONLY | O_DIRECTORY);
}

static int write_outside(const struct tries *t)
{
	return opened(t->file, O_WRONLY | O_APPEND);
}

static int make_outside(const struct tries *t)
{
	char path[600];
	int e = opened(join(path, t->folder, "made"), O_WRONLY | O_CREAT | O_EXCL);

	if (e == 0)
		unlink(path);
	return e;
}

static int remove_outside(const struct tries *t)
{
	return got(unlink(t->file));
}

static int folder_outside(const struct tries *t)
{
	char path[600];
	int e = got(mkdir(join(path, t->folder, "dir"), 0700));

	if (e == 0)
		rmdir(path);
	return e;
}

static int rename_out(const struct tries *t)
{
	char from[600], to[600];
	int e = opened(join(from, t->inside, "to-go"), O_WRONLY | O_CREAT);

	e = e != 0 ? 0 : got(rename(from, join(to, t->folder, "gone")));
	unlink(to);
	unlink(from);
	return e;
}

static int link_in(const struct tries *t)
{
	char to[600];
	int e = got(link(t->file, join(to, t->inside, "linked")));

	if (e == 0)
		e = opened(to, O_RDONLY);
	unlink(to);
	return e;
}

static int look_into_parent(const struct tries *t)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)getppid());
	return opened(path, O_RDONLY);
}

static int way_by_proc(const struct tries *t)
{
	char path[600];

	snprintf(path, sizeof(path), "/proc/self/root%s", t->file);
	return opened(path, O_RDONLY);
}

// ---- Programs ----

static char true_path[] = "/bin/true";

static int start_program(const struct tries *t)
{
	char *const argv[] = { true_path, NULL };

	return got(execve(true_path, argv, NULL));
}

static int start_from_memory(const struct tries *t)
{
	char *const argv[] = { true_path, NULL };
	int in = open(true_path, O_RDONLY);
	int e = 0;

	if (in < 0)
		in = memfd_create("program", 0);
	if (in < 0)
		return errno;
	e = got(syscall(SYS_execveat, in, "", argv, NULL, 0x1000));
	return e == ENOEXEC ? 0 : e;
}

static int code_in_memory(const struct tries *t)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, 4096);
	return 0;
}

static int code_later(const struct tries *t)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int e = p == MAP_FAILED ? errno : got(mprotect(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));

	if (p != MAP_FAILED)
		munmap(p, 4096);
	return e;
}

static int type_for_the_person(const struct tries *t)
{
	// ENOTTY says that there is no terminal here; the question was let through.
	int e = got(ioctl(0, TIOCSTI, "x"));

	return e == ENOTTY || e == EIO ? 0 : e;
}

// ---- Other processes ----

static int trace_parent(const struct tries *t)
{
	int e = got(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));

	if (e == 0)
		ptrace(PTRACE_DETACH, getppid(), NULL, NULL);
	return e;
}

static int read_parent(const struct tries *t)
{
	char here[8];
	struct iovec to = { here, sizeof(here) };
	struct iovec from = { (void *)(uintptr_t)&tries_count, sizeof(here) };

	return got(process_vm_readv(getppid(), &to, 1, &from, 1, 0));
}

static int signal_parent(const struct tries *t)
{
	return got(kill(getppid(), SIGWINCH));
}

static int be_seen(const struct tries *t)
{
	return got(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int is_seen(const struct tries *t)
{
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? EPERM : 0;
}

static int core_file(const struct tries *t)
{
	struct rlimit r;

	return getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_cur == 0 ? EPERM : 0;
}

static int gain_rights(const struct tries *t)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? EPERM : 0;
}

// ---- Sockets ----

static int connected(int family, const void *to, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int e = fd < 0 ? errno : got(connect(fd, to, len));

	if (fd >= 0)
		close(fd);
	return e;
}

static int another_port(const struct tries *t)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)t->port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connected(AF_INET, &a, sizeof(a));
}

static int listen_there(const struct tries *t)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int e = fd < 0 ? errno : got(bind(fd, (struct sockaddr *)&a, sizeof(a)));

	if (fd >= 0)
		close(fd);
	return e;
}

static int server_here(const struct tries *t)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%.90s/socket", t->folder);
	return connected(AF_UNIX, &a, sizeof(a));
}

static int raw_packets(const struct tries *t)
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

// ---- The kernel ----

static int ring(const struct tries *t)
{
	char params[256] = { 0 };
	long fd = syscall(SYS_io_uring_setup, 1, params);

	if (fd < 0)
		return errno;
	close((int)fd);
	return 0;
}

static int new_user_space(const struct tries *t)
{
	return got(syscall(SYS_unshare, 0x10000000));
}

static int key_ring(const struct tries *t)
{
	return got(syscall(SYS_keyctl, 0, -3, 1));
}

static int filter_program(const struct tries *t)
{
	char attr[64] = { 0 };

	// EINVAL: it was looked at.
	return got(syscall(SYS_bpf, 0, attr, sizeof(attr))) == EINVAL ? 0 : errno;
}

static int mount_something(const struct tries *t)
{
	int e = got(syscall(SYS_mount, "none", t->inside, "no-such", 0, NULL));

	return e == ENODEV ? 0 : e;
}

const struct try tries[] = {
	{ "read a file elsewhere", TRY_FILES, read_outside },
	{ "read /etc/passwd", TRY_FILES, read_passwords },
	{ "list a folder elsewhere", TRY_FILES, list_outside },
	{ "write to a file elsewhere", TRY_FILES, write_outside },
	{ "make a file elsewhere", TRY_FILES, make_outside },
	{ "make a folder elsewhere", TRY_FILES, folder_outside },
	{ "move a file out", TRY_FILES, rename_out },
	{ "read a file elsewhere by a link", TRY_FILES, link_in },
	{ "read a file elsewhere by /proc", TRY_FILES, way_by_proc },
	{ "look into the parent", TRY_FILES | TRY_ROOT, look_into_parent },
	{ "remove a file elsewhere", TRY_FILES, remove_outside },
	{ "start a program", TRY_CALLS, start_program },
	{ "start a program from memory", TRY_CALLS, start_from_memory },
	{ "memory to write and to run", TRY_CALLS, code_in_memory },
	{ "written memory to run", TRY_CALLS, code_later },
	{ "type in the person's place", TRY_CALLS | TRY_ROOT, type_for_the_person },
	{ "trace the parent", TRY_CALLS | TRY_ROOT, trace_parent },
	{ "read the parent's memory", TRY_CALLS | TRY_ROOT, read_parent },
	{ "signal the parent", TRY_SCOPE, signal_parent },
	{ "be seen again", TRY_CALLS, be_seen },
	{ "be seen", TRY_ALWAYS, is_seen },
	{ "leave a core file", TRY_ALWAYS | TRY_ROOT, core_file },
	{ "gain rights by a program", TRY_ALWAYS, gain_rights },
	{ "connect to another port", TRY_PORTS, another_port },
	{ "listen at a port", TRY_PORTS, listen_there },
	{ "connect to a server of this machine", TRY_CALLS, server_here },
	{ "raw packets", TRY_CALLS | TRY_ROOT, raw_packets },
	{ "io_uring", TRY_CALLS | TRY_ROOT, ring },
	{ "user namespaces", TRY_CALLS | TRY_ROOT, new_user_space },
	{ "the kernel's keys", TRY_CALLS | TRY_ROOT, key_ring },
	{ "bpf", TRY_CALLS | TRY_ROOT, filter_program },
	{ "mount", TRY_CALLS | TRY_ROOT, mount_something },
};
const size_t tries_count = sizeof(tries) / sizeof(tries[0]);

void tries_begin(struct tries *t, const char *dir, const char *inside)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(a);
	int fd = -1;

	*t = (struct tries){ 0 };
	snprintf(t->inside, sizeof(t->inside), "%s", inside);
	snprintf(t->folder, sizeof(t->folder), "%.200s/outside", dir);
	snprintf(t->file, sizeof(t->file), "%.240s/file", t->folder);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(u.sun_path, sizeof(u.sun_path), "%.90s/socket", t->folder);
	if (mkdir(t->folder, 0700) != 0 || (fd = open(t->file, O_WRONLY | O_CREAT, 0600)) < 0 ||
	    write(fd, "x", 1) != 1 || bind(listener, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(listener, 8) != 0 || getsockname(listener, (struct sockaddr *)&a, &len) != 0)
		abort();
	close(fd);
	t->port = ntohs(a.sin_port);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&u, sizeof(u)) != 0 || listen(fd, 8) != 0)
		abort();
}

void tries_end(struct tries *t)
{
	close(listener);
	listener = -1;
}
