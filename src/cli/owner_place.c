// SPDX-License-Identifier: EUPL-1.2
// The meeting place of a home's owner and its callers. The socket is only as private as the directory around it, so
// that directory is checked to be one's own and 0700; where a file system cannot keep that promise (FAT, a network
// share) or the name would be too long for a socket, a fresh directory elsewhere is used and its name left in the home.
#include "cli/owner_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "cli/owner.h"
#include "confine/confine.h"

// Callers that may wait to be seen.
#define BACKLOG 256
#define CONNECT_S 30
#define CLAIM_STEP_NS 10000000L

static enum err no_memory(struct errctx *ec)
{
	return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL, NULL,
	               NULL);
}

static char *in_home(const char *home, const char *name)
{
	char *s = NULL;

	return asprintf(&s, "%s/owner%s", home, name) < 0 ? NULL : s;
}

enum err owner_home_id(struct errctx *ec, const char *home, char out[static OWNER_HOME_ID_LEN])
{
	struct stat st;

	if (stat(home, &st) != 0)
		return err_errno(ec, errno, home);
	snprintf(out, OWNER_HOME_ID_LEN, "%jx:%jx", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return ERR_OK;
}

// ---- Who owns the home ----

static enum err lock_wait(struct errctx *ec, int fd, int wait_ms)
{
	const struct timespec step = { .tv_nsec = CLAIM_STEP_NS };

	for (int waited = 0;; waited += (int)(CLAIM_STEP_NS / 1000000)) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return ERR_OK;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_errno(ec, errno, "owner/lock");
		if (waited >= wait_ms)
			return err_set(ec, ERR_LATER,
			               "Another command is at work in this home. Try again when it is done.", NULL,
			               NULL, NULL);
		nanosleep(&step, NULL);
	}
}

enum err owner_claim(struct errctx *ec, const char *home, int wait_ms, int *fd)
{
	char *dir = in_home(home, "");
	char *lock = in_home(home, "/lock");
	enum err e = dir == NULL || lock == NULL ? no_memory(ec) : ERR_OK;

	*fd = -1;
	if (e == ERR_OK)
		e = file_make_dir(ec, dir);
	if (e == ERR_OK) {
		*fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (*fd < 0)
			e = err_errno(ec, errno, lock);
	}
	if (e == ERR_OK)
		e = lock_wait(ec, *fd, wait_ms);
	if (e != ERR_OK && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	free(dir);
	free(lock);
	return e;
}

// ---- A private directory ----

static bool on_local_disk(const char *dir)
{
	// Magic numbers of statfs(2): NFS, SMB, CIFS, SMB2, 9P, Ceph, AFS, Coda, FUSE. What is not local may show one
	// socket to two machines.
	static const unsigned long remote[] = { 0x6969,     0x517B,     0xFF534D42, 0xFE534D42, 0x01021997,
		                                0x00C36400, 0x5346414F, 0x73757245, 0x65735546 };
	struct statfs fs;

	if (statfs(dir, &fs) != 0)
		return false;
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		if (((unsigned long)fs.f_type & 0xFFFFFFFFu) == remote[i])
			return false;
	return true;
}

static bool is_private(const char *dir)
{
	struct stat st;

	if (lstat(dir, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return false;
	if ((st.st_mode & 077) == 0)
		return true;
	return chmod(dir, 0700) == 0 && lstat(dir, &st) == 0 && (st.st_mode & 077) == 0;
}

// ---- The owner's end ----

static bool address(const char *path, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(a->sun_path))
		return false;
	memcpy(a->sun_path, path, strlen(path) + 1);
	return true;
}

// A socket at `path` that does not listen yet, or an errno: ENAMETOOLONG, or what the file system says to sockets.
static int socket_at(const char *path, int *listener)
{
	struct sockaddr_un a;
	mode_t before = 0;
	int e = 0;
	int fd = -1;

	if (!address(path, &a))
		return ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	if (unlink(path) != 0 && errno != ENOENT)
		e = errno;
	before = umask(0177);
	if (e == 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		e = errno;
	umask(before);
	if (e != 0) {
		close(fd);
		return e;
	}
	*listener = fd;
	return 0;
}

static int open_at_home(const char *home, struct owner_place *p)
{
	char *dir = in_home(home, "");
	int e = ENOMEM;

	p->socket = in_home(home, "/socket");
	if (dir != NULL && p->socket != NULL)
		e = is_private(dir) && on_local_disk(dir) ? socket_at(p->socket, &p->listener) : EPERM;
	free(dir);
	return e;
}

// A fresh directory under `base`, which nobody can have made before.
static int open_elsewhere(const char *base, struct owner_place *p)
{
	int e = 0;

	p->base = strdup(base);
	if (p->base == NULL || asprintf(&p->dir, "%s/sleutelbos-XXXXXX", base) < 0) {
		p->dir = NULL;
		return ENOMEM;
	}
	if (mkdtemp(p->dir) == NULL) {
		e = errno;
		free(p->dir);
		p->dir = NULL;
		return e;
	}
	p->socket = file_join(p->dir, "socket");
	if (p->socket == NULL)
		return ENOMEM;
	return is_private(p->dir) ? socket_at(p->socket, &p->listener) : EPERM;
}

// The socket that HOME/owner/where names, or NULL. Only a note of our own making for this very home counts: a copy of a
// home has a copy of the note, which leads to somebody else's owner.
static char *where_read(const char *home, const char *where)
{
	char id[OWNER_HOME_ID_LEN];
	struct buf b = { 0 };
	char *path = NULL;
	const char *end = "/socket";

	if (file_read(NULL, where, 4096, &b) == ERR_OK && buf_terminate(&b) == ERR_OK &&
	    owner_home_id(NULL, home, id) == ERR_OK) {
		char *s = (char *)b.data;
		size_t len = strcspn(s, "\n");

		if (s[len] == '\n' && strcmp(s + len + 1, id) == 0) {
			s[len] = '\0';
			if (len > strlen(end) && s[0] == '/' && strstr(s, "/sleutelbos-") != NULL &&
			    strcmp(s + len - strlen(end), end) == 0)
				path = strdup(s);
		}
	}
	buf_free(&b);
	return path;
}

static enum err where_write(struct errctx *ec, const char *home, const struct owner_place *p)
{
	char id[OWNER_HOME_ID_LEN];
	struct buf b = { 0 };
	enum err e = owner_home_id(ec, home, id);

	if (e == ERR_OK &&
	    (buf_put_str(&b, p->socket) != ERR_OK || buf_put_str(&b, "\n") != ERR_OK || buf_put_str(&b, id) != ERR_OK))
		e = no_memory(ec);
	if (e == ERR_OK)
		e = file_replace(ec, p->where, buf_bytes(&b));
	buf_free(&b);
	return e;
}

// Clears what a killed owner left: its socket elsewhere, and the note that names it.
static void clear_left_over(const char *home, const char *where)
{
	char *path = where_read(home, where);

	if (path != NULL) {
		struct stat st;
		char *slash = strrchr(path, '/');

		if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
			unlink(path);
		*slash = '\0';
		rmdir(path);
	}
	free(path);
	unlink(where);
}

static void place_reset(struct owner_place *p)
{
	if (p->listener >= 0)
		close(p->listener);
	if (p->dir != NULL)
		rmdir(p->dir);
	free(p->socket);
	free(p->dir);
	free(p->base);
	p->listener = -1;
	p->socket = NULL;
	p->dir = NULL;
	p->base = NULL;
}

enum err owner_place_make(struct errctx *ec, const char *home, struct owner_place *p)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *bases[] = { runtime, "/tmp" };
	int problem = 0;
	enum err e = ERR_OK;

	*p = (struct owner_place){ .listener = -1 };
	p->where = in_home(home, "/where");
	if (p->where == NULL)
		return no_memory(ec);
	clear_left_over(home, p->where);
	problem = open_at_home(home, p);
	if (problem == 0) {
		free(p->where);
		p->where = NULL;
		return ERR_OK;
	}
	for (size_t i = 0; problem != 0 && i < 2; i++) {
		if (bases[i] == NULL || bases[i][0] != '/')
			continue;
		place_reset(p);
		problem = open_elsewhere(bases[i], p);
	}
	if (problem != 0)
		e = err_errno(ec, problem, p->socket != NULL ? p->socket : home);
	else
		e = where_write(ec, home, p);
	if (e != ERR_OK)
		owner_place_close(p);
	return e;
}

enum err owner_place_listen(struct errctx *ec, struct owner_place *p)
{
	return listen(p->listener, BACKLOG) == 0 ? ERR_OK : err_errno(ec, errno, p->socket);
}

enum err owner_place_open(struct errctx *ec, const char *home, struct owner_place *p)
{
	enum err e = owner_place_make(ec, home, p);

	if (e == ERR_OK)
		e = owner_place_listen(ec, p);
	if (e != ERR_OK)
		owner_place_close(p);
	return e;
}

size_t owner_place_reach(const struct owner_place *p, struct confine_place out[static OWNER_PLACES])
{
	if (p->dir == NULL)
		return 0;
	out[0] = (struct confine_place){ p->dir, CONFINE_WRITE };
	out[1] = (struct confine_place){ p->base, CONFINE_RMDIR };
	return 2;
}

void owner_place_close(struct owner_place *p)
{
	if (p->listener >= 0)
		unlink(p->socket);
	if (p->where != NULL)
		unlink(p->where);
	free(p->where);
	p->where = NULL;
	place_reset(p);
}

// ---- The caller's end ----

bool owner_place_same_user(int fd, int *pid)
{
	struct ucred u = { 0 };
	socklen_t len = sizeof(u);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &len) != 0 || len != sizeof(u))
		return false;
	*pid = u.pid;
	return u.uid == geteuid();
}

// 0, or an errno.
static int connect_to(const char *path, int *fd)
{
	struct sockaddr_un a;
	const struct timeval patience = { .tv_sec = CONNECT_S };
	int e = 0;
	int s = -1;

	if (!address(path, &a))
		return ENOENT;
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return errno;
	// Bounds the wait for a place in the backlog; EAGAIN then.
	if (setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0) {
		e = errno;
		close(s);
		return e;
	}
	while (connect(s, (struct sockaddr *)&a, sizeof(a)) != 0) {
		if (errno == EINTR)
			continue;
		e = errno;
		close(s);
		return e;
	}
	*fd = s;
	return 0;
}

enum err owner_place_connect(struct errctx *ec, const char *home, int *fd, int *pid)
{
	char *where = in_home(home, "/where");
	char *path = where == NULL ? NULL : where_read(home, where);
	enum err e = ERR_OK;
	int problem = 0;

	*fd = -1;
	*pid = 0;
	if (path == NULL)
		path = in_home(home, "/socket");
	if (where == NULL || path == NULL) {
		e = no_memory(ec);
		goto done;
	}
	problem = connect_to(path, fd);
	if (problem == EACCES || problem == EPERM || (problem == 0 && !owner_place_same_user(*fd, pid)))
		e = err_set(ec, ERR_REFUSED, "The process that keeps this vault open belongs to another user.", NULL,
		            NULL, NULL);
	else if (problem == EAGAIN)
		e = err_set(ec, ERR_LATER, "Too many commands are waiting for the open vault. Try again later.", NULL,
		            NULL, NULL);
	else if (problem != 0 && problem != ENOENT && problem != ECONNREFUSED && problem != ENOTDIR)
		e = err_errno(ec, problem, path);
	if (e != ERR_OK && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
done:
	free(where);
	free(path);
	return e;
}
