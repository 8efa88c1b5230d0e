// SPDX-License-Identifier: EUPL-1.2
// What a disk may hold after a power loss: a recording of calls, played on a model of files and names.
#include "faults/crash.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SECTOR 512
#define NAME_LEN 96
#define FDS 256
#define PROCESSES 4
#define PASSING 16
#define NONE SIZE_MAX

struct bytes_of {
	uint8_t *data;
	size_t len;
	size_t cap;
};

enum op_kind { OP_WRITE, OP_CUT, OP_SYNC, OP_LINK, OP_UNLINK, OP_RENAME, OP_SAY };

/* One call. OP_LINK: `name` in `dir` is `inode` from here on; OP_RENAME: it moves there from `from` in `from_dir`. */
struct op {
	enum op_kind kind;
	size_t inode;
	uint64_t at; /* offset, or the new size */
	size_t len;
	uint8_t *data;
	bool whole; /* of OP_SYNC: fsync, not fdatasync */
	bool child; /* not by the process that was started first */
	size_t dir;
	size_t from_dir;
	char name[NAME_LEN];
	char from[NAME_LEN];
	char call[16];
};

struct inode {
	bool dir;
	struct bytes_of first; /* as it was before the program began */
	struct bytes_of durable;
	uint64_t hash; /* of durable, where hashed */
	bool hashed;
	size_t *pending; /* ops since the last sync */
	size_t pending_n;
	size_t pending_cap;
	/* in the state drawn last */
	struct bytes_of drawn;
	bool differs; /* from durable */
};

struct entry {
	size_t dir;
	size_t inode;
	char name[NAME_LEN];
};

struct names {
	struct entry *e;
	size_t n;
	size_t cap;
};

/* An open file of the program; `inode` NONE: nothing of ours. */
struct open_file {
	size_t inode;
	uint64_t at;
	bool append;
};

struct process {
	long pid;
	struct open_file fd[FDS];
	char *begun; /* a call that did not return yet, or NULL */
	size_t begun_op;
};

struct crash {
	struct op *op;
	size_t op_n;
	size_t op_cap;
	struct inode *inode;
	size_t inode_n;
	size_t inode_cap;
	struct names first;
	struct names durable;
	struct names drawn;
	size_t *names_pending; /* ops on names since they were last made durable */
	size_t names_pending_n;
	size_t names_pending_cap;
	size_t next;
	size_t journal; /* the last fsync */
	size_t left_out;
	size_t left_out_file; /* an inode that is never synced, or NONE */
	size_t acknowledged;
	bool spoke;
	char where[160];
	/* while the recording is read */
	struct names now;
	struct process process[PROCESSES];
	size_t processes;
	struct process *by;               /* whose call is read */
	struct open_file passed[PASSING]; /* on their way between processes, the oldest first */
	size_t passed_n;
	char root[512];
};

/* ---- Memory ---- */

static void *grown(void *list, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return list;
	*cap = *cap == 0 ? 64 : 2 * *cap;
	list = realloc(list, *cap * size);
	assert_non_null(list);
	return list;
}

static void resize(struct bytes_of *b, size_t len)
{
	if (len > b->cap) {
		b->cap = len * 2;
		b->data = realloc(b->data, b->cap);
		assert_non_null(b->data);
	}
	if (len > b->len)
		memset(b->data + b->len, 0, len - b->len);
	b->len = len;
}

static void put(struct bytes_of *b, uint64_t at, const uint8_t *data, size_t len)
{
	if (at + len > b->len)
		resize(b, at + len);
	if (len > 0)
		memcpy(b->data + at, data, len);
}

static void copy(struct bytes_of *to, const struct bytes_of *from)
{
	to->len = 0;
	put(to, 0, from->data, from->len);
}

/* Not for enemies: it tells states apart. */
static uint64_t hash_of(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t word = 0;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		h = (h ^ word) * UINT64_C(0x9fb21c651e98df25);
		h ^= h >> 32;
	}
	word = len;
	if (len > 0)
		memcpy((uint8_t *)&word + 1, p, len);
	h = (h ^ word) * UINT64_C(0x9fb21c651e98df25);
	return h ^ h >> 29;
}

/* ---- Names ---- */

static size_t names_at(const struct names *n, size_t dir, const char *name)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->e[i].dir == dir && strcmp(n->e[i].name, name) == 0)
			return i;
	return NONE;
}

static size_t names_get(const struct names *n, size_t dir, const char *name)
{
	size_t i = names_at(n, dir, name);

	return i == NONE ? NONE : n->e[i].inode;
}

static void names_remove(struct names *n, size_t dir, const char *name)
{
	size_t i = names_at(n, dir, name);

	if (i != NONE)
		n->e[i] = n->e[--n->n];
}

static void names_set(struct names *n, size_t dir, const char *name, size_t inode)
{
	names_remove(n, dir, name);
	n->e = grown(n->e, n->n, &n->cap, sizeof(*n->e));
	n->e[n->n] = (struct entry){ .dir = dir, .inode = inode };
	assert_true(strlen(name) < NAME_LEN);
	strcpy(n->e[n->n++].name, name);
}

static void names_copy(struct names *to, const struct names *from)
{
	to->n = 0;
	for (size_t i = 0; i < from->n; i++)
		names_set(to, from->e[i].dir, from->e[i].name, from->e[i].inode);
}

static void names_apply(struct names *n, const struct op *op)
{
	switch (op->kind) {
	case OP_LINK:
		names_set(n, op->dir, op->name, op->inode);
		break;
	case OP_UNLINK:
		names_remove(n, op->dir, op->name);
		break;
	case OP_RENAME:
		names_remove(n, op->from_dir, op->from);
		names_set(n, op->dir, op->name, op->inode);
		break;
	default:
		break;
	}
}

static size_t inode_new(struct crash *c, bool dir)
{
	c->inode = grown(c->inode, c->inode_n, &c->inode_cap, sizeof(*c->inode));
	c->inode[c->inode_n] = (struct inode){ .dir = dir };
	return c->inode_n++;
}

/* What is there before the program begins. */
static void load(struct crash *c, size_t dir, const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e = NULL;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char below[1024];
		struct stat st;
		size_t inode = 0;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
		assert_int_equal(lstat(below, &st), 0);
		if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
			continue;
		inode = inode_new(c, S_ISDIR(st.st_mode));
		names_set(&c->first, dir, e->d_name, inode);
		if (S_ISDIR(st.st_mode)) {
			load(c, inode, below);
		} else {
			FILE *f = fopen(below, "rb");

			assert_non_null(f);
			resize(&c->inode[inode].first, (size_t)st.st_size);
			assert_int_equal(fread(c->inode[inode].first.data, 1, (size_t)st.st_size, f), st.st_size);
			fclose(f);
		}
	}
	closedir(d);
}

/* The directory and last name of a path; false where it lies outside. "" is the directory itself. */
static bool resolve(const struct crash *c, size_t at_dir, const char *path, size_t *dir, char name[static NAME_LEN])
{
	size_t len = strlen(c->root);

	*dir = 0;
	name[0] = '\0';
	if (path[0] == '/') {
		if (strncmp(path, c->root, len) != 0 || (path[len] != '/' && path[len] != '\0'))
			return false;
		path += len;
	} else if (at_dir == NONE) {
		return false;
	} else {
		*dir = at_dir;
	}
	for (;;) {
		size_t part = 0;

		while (*path == '/')
			path++;
		part = strcspn(path, "/");
		if (part == 0)
			return true;
		if (part == 1 && path[0] == '.') {
			path++;
			continue;
		}
		if (name[0] != '\0') {
			*dir = names_get(&c->now, *dir, name);
			if (*dir == NONE)
				return false;
		}
		assert_true(part < NAME_LEN && !(part == 2 && path[0] == '.' && path[1] == '.'));
		memcpy(name, path, part);
		name[part] = '\0';
		path += part;
	}
}

static size_t lookup(const struct crash *c, size_t dir, const char *name)
{
	return name[0] == '\0' ? dir : names_get(&c->now, dir, name);
}

/* ---- Lines of a recording ---- */

struct call {
	char name[24];
	char *arg[10];
	size_t args;
	long long ret;
	bool injected;
};

static int hex(char h)
{
	return h <= '9' ? h - '0' : h - 'a' + 10;
}

/* A string of \x.. in place of itself; returns its length. */
static size_t unhex(char *text)
{
	char *out = text;
	const char *in = text;

	assert_true(*in++ == '"');
	while (*in != '"') {
		assert_true(in[0] == '\\' && in[1] == 'x');
		*out++ = (char)(hex(in[2]) << 4 | hex(in[3]));
		in += 4;
	}
	assert_true(in[1] != '.'); /* cut off by strace */
	*out = '\0';
	return (size_t)(out - text);
}

/* Cuts the arguments at the commas that stand in no bracket. Strings are hex and hold none of these. */
static bool call_parse(char *line, struct call *out)
{
	char *p = strchr(line, '(');
	char *end = NULL;
	char *ret = NULL;
	int depth = 0;

	*out = (struct call){ .args = 0 };
	if (p == NULL || line[0] < 'a' || line[0] > 'z' || (size_t)(p - line) >= sizeof(out->name))
		return false;
	memcpy(out->name, line, (size_t)(p - line));
	ret = strrchr(p, '=');
	end = ret;
	assert_non_null(ret);
	while (*end != ')')
		end--;
	*end = '\0';
	out->ret = strtoll(ret + 1, NULL, 0);
	out->injected = strstr(ret, "INJECTED") != NULL;
	for (char *q = ++p; p != end && p != NULL; p = q) {
		out->arg[out->args++] = p;
		assert_true(out->args < 10);
		for (; *q != '\0' && (*q != ',' || depth > 0); q++)
			depth += (*q == '[' || *q == '{') - (*q == ']' || *q == '}');
		if (*q == '\0')
			break;
		*q++ = '\0';
		q += *q == ' ';
	}
	return true;
}

static long long number(const struct call *k, size_t i)
{
	assert_true(i < k->args);
	return strtoll(k->arg[i], NULL, 0);
}

/* ---- From calls to what they do ---- */

static struct op *op_new(struct crash *c, enum op_kind kind, const struct call *k)
{
	struct op *op = NULL;

	c->op = grown(c->op, c->op_n, &c->op_cap, sizeof(*c->op));
	op = &c->op[c->op_n++];
	*op = (struct op){ .kind = kind, .inode = NONE, .child = c->by != &c->process[0] };
	snprintf(op->call, sizeof(op->call), "%.15s", k->name);
	return op;
}

static void name_op(struct crash *c, struct op *op, size_t dir, const char *name, size_t inode)
{
	op->dir = dir;
	op->inode = inode;
	strcpy(op->name, name);
	names_apply(&c->now, op);
}

static struct open_file *file_of(struct crash *c, long long fd)
{
	assert_true(fd >= 0 && fd < FDS);
	return &c->by->fd[fd];
}

static size_t dir_arg(struct crash *c, const struct call *k, size_t i)
{
	return strncmp(k->arg[i], "AT_FDCWD", 8) == 0 ? NONE : file_of(c, number(k, i))->inode;
}

/* The path in argument i, relative to the descriptor in the one before it where `at`. */
static bool path_arg(struct crash *c, const struct call *k, size_t i, bool at, size_t *dir, char name[static NAME_LEN])
{
	size_t base = at ? dir_arg(c, k, i - 1) : NONE;

	unhex(k->arg[i]);
	return resolve(c, base, k->arg[i], dir, name);
}

static void cut_op(struct crash *c, const struct call *k, size_t inode, uint64_t size)
{
	struct op *op = op_new(c, OP_CUT, k);

	op->inode = inode;
	op->at = size;
}

static void take_open(struct crash *c, const struct call *k)
{
	char name[NAME_LEN];
	size_t dir = 0;
	size_t inode = NONE;
	bool at = strcmp(k->name, "openat") == 0;
	const char *flags = k->arg[at ? 2 : 1];

	if (path_arg(c, k, at ? 1 : 0, at, &dir, name)) {
		inode = lookup(c, dir, name);
		if (strstr(flags, "O_TMPFILE") != NULL) {
			inode = inode_new(c, false);
		} else if (inode == NONE && strstr(flags, "O_CREAT") != NULL) {
			inode = inode_new(c, false);
			name_op(c, op_new(c, OP_LINK, k), dir, name, inode);
		} else if (inode != NONE && strstr(flags, "O_TRUNC") != NULL) {
			cut_op(c, k, inode, 0);
		}
		/* NONE: a file that another program wrote */
	}
	*file_of(c, k->ret) = (struct open_file){ .inode = inode, .append = strstr(flags, "O_APPEND") != NULL };
}

static void write_op(struct crash *c, const struct call *k, size_t inode, uint64_t at, const void *data, size_t len)
{
	struct op *op = op_new(c, OP_WRITE, k);

	op->inode = inode;
	op->at = at;
	op->len = len;
	op->data = malloc(len + 1);
	assert_non_null(op->data);
	memcpy(op->data, data, len);
}

static void take_write(struct crash *c, const struct call *k, bool has_offset)
{
	struct open_file *f = file_of(c, number(k, 0));
	size_t len = 0;

	if (f->inode == NONE && (number(k, 0) != 1 || c->by != &c->process[0]))
		return;
	len = unhex(k->arg[1]);
	assert_true(len >= (size_t)k->ret);
	if (f->inode == NONE) {
		op_new(c, OP_SAY, k)->len = strncmp(k->arg[1], "ACK ", 4) == 0;
		return;
	}
	assert_false(f->append); /* the program has no such file */
	write_op(c, k, f->inode, has_offset ? (uint64_t)number(k, 3) : f->at, k->arg[1], (size_t)k->ret);
	if (!has_offset)
		f->at += (uint64_t)k->ret;
}

static void take_sync(struct crash *c, const struct call *k)
{
	struct open_file *f = file_of(c, number(k, 0));
	struct op *op = NULL;

	if (f->inode == NONE || k->injected)
		return;
	op = op_new(c, OP_SYNC, k);
	op->inode = f->inode;
	op->whole = strcmp(k->name, "fsync") == 0;
}

static void take_rename(struct crash *c, const struct call *k)
{
	bool at = strcmp(k->name, "rename") != 0;
	char name[NAME_LEN];
	struct op op = { 0 };
	struct op *out = NULL;
	size_t dir = 0;
	size_t inode = 0;
	bool from = path_arg(c, k, at ? 1 : 0, at, &op.from_dir, op.from);
	bool to = path_arg(c, k, at ? 3 : 1, at, &dir, name);

	assert_true(from == to); /* nothing moves in or out */
	if (!from)
		return;
	inode = lookup(c, op.from_dir, op.from);
	assert_true(inode != NONE);
	out = op_new(c, OP_RENAME, k);
	out->from_dir = op.from_dir;
	strcpy(out->from, op.from);
	name_op(c, out, dir, name, inode);
}

static void take_unlink(struct crash *c, const struct call *k)
{
	bool at = strcmp(k->name, "unlinkat") == 0;
	char name[NAME_LEN];
	size_t dir = 0;

	if (path_arg(c, k, at ? 1 : 0, at, &dir, name))
		name_op(c, op_new(c, OP_UNLINK, k), dir, name, NONE);
}

static void take_mkdir(struct crash *c, const struct call *k)
{
	bool at = strcmp(k->name, "mkdirat") == 0;
	char name[NAME_LEN];
	size_t dir = 0;

	if (path_arg(c, k, at ? 1 : 0, at, &dir, name)) {
		size_t inode = inode_new(c, true);

		name_op(c, op_new(c, OP_LINK, k), dir, name, inode);
	}
}

static void take_link(struct crash *c, const struct call *k)
{
	bool at = strcmp(k->name, "linkat") == 0;
	char from[NAME_LEN];
	char name[NAME_LEN];
	size_t from_dir = 0;
	size_t dir = 0;
	bool a = path_arg(c, k, at ? 1 : 0, at, &from_dir, from);
	bool b = path_arg(c, k, at ? 3 : 1, at, &dir, name);
	size_t inode = a ? lookup(c, from_dir, from) : NONE;

	/* How a file without a name gets one. */
	if (strncmp(k->arg[at ? 1 : 0], "/proc/self/fd/", 14) == 0)
		inode = file_of(c, atoi(k->arg[at ? 1 : 0] + 14))->inode;
	else
		assert_true(a == b);
	if (b)
		name_op(c, op_new(c, OP_LINK, k), dir, name, inode);
}

static void take_cut(struct crash *c, const struct call *k)
{
	size_t inode = file_of(c, number(k, 0))->inode;

	if (inode != NONE)
		cut_op(c, k, inode, (uint64_t)number(k, 1));
}

static void take_fd_call(struct crash *c, const struct call *k)
{
	const char *n = k->name;

	if (strcmp(n, "close") == 0)
		*file_of(c, number(k, 0)) = (struct open_file){ .inode = NONE };
	else if (strncmp(n, "dup", 3) == 0 || (strcmp(n, "fcntl") == 0 && strstr(k->arg[1], "F_DUPFD") != NULL))
		*file_of(c, k->ret) = *file_of(c, number(k, 0));
	else if (strcmp(n, "lseek") == 0)
		file_of(c, number(k, 0))->at = (uint64_t)k->ret;
}

/* Descriptors between processes. Whoever asks waits for the answer, so they arrive in the order in which they left. */
static void take_passed(struct crash *c, const struct call *k, bool sent)
{
	char *p = strstr(k->arg[1], "SCM_RIGHTS, cmsg_data=[");

	if (p == NULL)
		return;
	p = strchr(p, '[');
	do {
		struct open_file *f = file_of(c, strtoll(p + 1, &p, 10));

		if (sent) {
			assert_true(c->passed_n < PASSING);
			c->passed[c->passed_n++] = *f;
		} else {
			assert_true(c->passed_n > 0);
			*f = c->passed[0];
			memmove(c->passed, c->passed + 1, --c->passed_n * sizeof(*f));
		}
	} while (*p == ',');
}

/* These could change a file in ways that are not followed here; the program has no business with them. */
static void refuse(struct crash *c, const struct call *k)
{
	size_t fd = strcmp(k->name, "mmap") == 0 ? 4 : strcmp(k->name, "copy_file_range") == 0 ? 2 : 0;

	if (strcmp(k->name, "mmap") == 0 &&
	    (strstr(k->arg[2], "MAP_SHARED") == NULL || strstr(k->arg[1], "PROT_WRITE") == NULL))
		return;
	if (strcmp(k->name, "mmap") == 0 && number(k, fd) < 0)
		return;
	if (k->arg[fd][0] == '"' || file_of(c, number(k, fd))->inode != NONE)
		fail_msg("%s: not a call that this can follow", k->name);
}

static void take(struct crash *c, const struct call *k)
{
	const char *n = k->name;

	if (k->ret < 0 || strcmp(n, "sync_file_range") == 0)
		return;
	if (strcmp(n, "openat") == 0 || strcmp(n, "open") == 0)
		take_open(c, k);
	else if (strcmp(n, "write") == 0)
		take_write(c, k, false);
	else if (strcmp(n, "pwrite64") == 0)
		take_write(c, k, true);
	else if (strcmp(n, "ftruncate") == 0)
		take_cut(c, k);
	else if (strcmp(n, "fsync") == 0 || strcmp(n, "fdatasync") == 0)
		take_sync(c, k);
	else if (strncmp(n, "rename", 6) == 0)
		take_rename(c, k);
	else if (strncmp(n, "unlink", 6) == 0 || strcmp(n, "rmdir") == 0)
		take_unlink(c, k);
	else if (strncmp(n, "mkdir", 5) == 0)
		take_mkdir(c, k);
	else if (strncmp(n, "link", 4) == 0)
		take_link(c, k);
	else if (strcmp(n, "sendmsg") == 0 || strcmp(n, "recvmsg") == 0)
		take_passed(c, k, n[0] == 's');
	else if (strcmp(n, "close") == 0 || strncmp(n, "dup", 3) == 0 || strcmp(n, "fcntl") == 0 ||
	         strcmp(n, "lseek") == 0)
		take_fd_call(c, k);
	else
		refuse(c, k);
}

/* A process that is seen for the first time has nothing of ours open: the starter closes what it inherits. */
static struct process *process_of(struct crash *c, long pid)
{
	struct process *p = NULL;

	for (size_t i = 0; i < c->processes; i++)
		if (c->process[i].pid == pid)
			return &c->process[i];
	assert_true(c->processes < PROCESSES);
	p = &c->process[c->processes++];
	p->pid = pid;
	for (size_t i = 0; i < FDS; i++)
		p->fd[i].inode = NONE;
	return p;
}

/* One line; a call that strace shows in two halves, because another process had its turn, counts where it returned. */
static void take_line(struct crash *c, char *line)
{
	struct call k;
	char *end = NULL;
	char *whole = NULL;
	long pid = strtol(line, &end, 10); /* 0: the recording is of one process */

	line = end + strspn(end, " ");
	c->by = process_of(c, pid);
	end = strstr(line, " <unfinished ...>");
	if (end != NULL) {
		assert_null(c->by->begun);
		c->by->begun = strndup(line, (size_t)(end - line));
		assert_non_null(c->by->begun);
		c->by->begun_op = c->op_n;
		return;
	}
	if (strncmp(line, "<... ", 5) == 0) {
		assert_non_null(c->by->begun);
		end = strstr(line, " resumed>");
		assert_non_null(end);
		/* A sync promises nothing for what was written while it ran. */
		if (strncmp(c->by->begun, "fsync", 5) == 0 || strncmp(c->by->begun, "fdatasync", 9) == 0)
			assert_true(c->op_n == c->by->begun_op);
		assert_true(asprintf(&whole, "%s%s", c->by->begun, end + 9) > 0);
		free(c->by->begun);
		c->by->begun = NULL;
		line = whole;
	}
	if (call_parse(line, &k))
		take(c, &k);
	free(whole);
}

static void read_trace(struct crash *c, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;

	assert_non_null(f);
	names_copy(&c->now, &c->first);
	while (getline(&line, &cap, f) > 0)
		take_line(c, line);
	free(line);
	fclose(f);
	for (size_t i = 0; i < c->processes; i++)
		free(c->process[i].begun);
	assert_true(c->op_n > 0);
}

struct crash *crash_new(const char *trace, const char *root, const char *before)
{
	struct crash *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	snprintf(c->root, sizeof(c->root), "%s", root);
	c->left_out = SIZE_MAX;
	c->left_out_file = NONE;
	inode_new(c, true); /* 0: the root */
	load(c, 0, before);
	read_trace(c, trace);
	crash_rewind(c);
	return c;
}

void crash_free(struct crash *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->op_n; i++)
		free(c->op[i].data);
	for (size_t i = 0; i < c->inode_n; i++) {
		free(c->inode[i].first.data);
		free(c->inode[i].durable.data);
		free(c->inode[i].drawn.data);
		free(c->inode[i].pending);
	}
	free(c->op);
	free(c->inode);
	free(c->first.e);
	free(c->durable.e);
	free(c->drawn.e);
	free(c->now.e);
	free(c->names_pending);
	free(c);
}

/* ---- Playing it ---- */

size_t crash_syncs(const struct crash *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->op_n; i++)
		n += c->op[i].kind == OP_SYNC;
	return n;
}

bool crash_sync_of_child(const struct crash *c, size_t sync)
{
	for (size_t i = 0; i < c->op_n; i++)
		if (c->op[i].kind == OP_SYNC && sync-- == 0)
			return c->op[i].child;
	return false;
}

void crash_leave_out(struct crash *c, size_t sync)
{
	c->left_out = SIZE_MAX;
	c->left_out_file = NONE;
	for (size_t i = 0; i < c->op_n && sync != SIZE_MAX; i++)
		if (c->op[i].kind == OP_SYNC && sync-- == 0)
			c->left_out = i;
}

void crash_leave_out_all_of(struct crash *c, size_t sync)
{
	crash_leave_out(c, sync);
	assert_true(c->left_out != SIZE_MAX);
	c->left_out_file = c->op[c->left_out].inode;
}

void crash_rewind(struct crash *c)
{
	names_copy(&c->durable, &c->first);
	c->names_pending_n = 0;
	c->next = 0;
	c->journal = 0;
	c->acknowledged = 0;
	c->spoke = false;
	for (size_t i = 0; i < c->inode_n; i++) {
		copy(&c->inode[i].durable, &c->inode[i].first);
		c->inode[i].hashed = false;
		c->inode[i].pending_n = 0;
	}
}

static void data_apply(struct bytes_of *b, const struct op *op)
{
	if (op->kind == OP_CUT)
		resize(b, op->at);
	else
		put(b, op->at, op->data, op->len);
}

static void sync_names(struct crash *c, size_t dir, bool all)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->names_pending_n; i++) {
		const struct op *op = &c->op[c->names_pending[i]];

		if (all || op->dir == dir || (op->kind == OP_RENAME && op->from_dir == dir))
			names_apply(&c->durable, op);
		else
			c->names_pending[kept++] = c->names_pending[i];
	}
	c->names_pending_n = kept;
}

static void play_sync(struct crash *c, const struct op *op)
{
	struct inode *n = &c->inode[op->inode];

	if (n->dir)
		sync_names(c, op->inode, false);
	for (size_t i = 0; i < n->pending_n; i++)
		data_apply(&n->durable, &c->op[n->pending[i]]);
	n->hashed = n->hashed && n->pending_n == 0;
	n->pending_n = 0;
}

bool crash_step(struct crash *c)
{
	size_t i = c->next;
	const struct op *op = &c->op[i];

	if (i == c->op_n)
		return false;
	c->next++;
	snprintf(c->where, sizeof(c->where), "call %zu of %zu, %s %.60s", i + 1, c->op_n, op->call, op->name);
	if (op->kind == OP_SAY) {
		c->acknowledged += op->len;
		c->spoke = true;
	} else if (op->kind == OP_SYNC) {
		if (i != c->left_out && op->inode != c->left_out_file) {
			play_sync(c, op);
			c->journal = op->whole ? i : c->journal;
		}
	} else if (op->kind == OP_WRITE || op->kind == OP_CUT) {
		struct inode *n = &c->inode[op->inode];

		n->pending = grown(n->pending, n->pending_n, &n->pending_cap, sizeof(*n->pending));
		n->pending[n->pending_n++] = i;
	} else {
		c->names_pending =
		    grown(c->names_pending, c->names_pending_n, &c->names_pending_cap, sizeof(*c->names_pending));
		c->names_pending[c->names_pending_n++] = i;
	}
	return true;
}

size_t crash_acknowledged(const struct crash *c)
{
	return c->acknowledged;
}

bool crash_spoke(const struct crash *c)
{
	return c->spoke;
}

const char *crash_where(const struct crash *c)
{
	return c->where;
}

bool crash_pending(const struct crash *c)
{
	for (size_t i = 0; i < c->inode_n; i++)
		if (c->inode[i].pending_n > 0)
			return true;
	return c->names_pending_n > 0;
}

/* ---- States ---- */

/* Some sectors of a write: a run at its start, a run at its end, or any. */
static void apply_torn(struct bytes_of *b, const struct op *op, struct random *chance)
{
	uint64_t sectors = (op->at + op->len + SECTOR - 1) / SECTOR - op->at / SECTOR;
	uint64_t kind = random_below(chance, 3);
	uint64_t cut = random_below(chance, sectors + 1);
	uint64_t sector = 0;

	for (size_t done = 0; done < op->len; sector++) {
		size_t end = (size_t)((op->at + done) / SECTOR * SECTOR + SECTOR - op->at);
		bool keep = kind == 0 ? sector < cut : kind == 1 ? sector >= cut : random_chance(chance, 50);

		end = end > op->len ? op->len : end;
		if (keep)
			put(b, op->at + done, op->data + done, end - done);
		done = end;
	}
}

enum style { NOTHING, ALL, PREFIX, LAST_TORN, ALL_BUT_ONE, ANY, ANY_TORN, STYLES };

static void draw_file(struct crash *c, struct inode *n, struct random *chance)
{
	enum style style = (enum style)random_below(chance, STYLES);
	size_t pick = n->pending_n == 0 ? 0 : random_below(chance, n->pending_n);

	n->differs = n->pending_n > 0 && style != NOTHING;
	if (!n->differs)
		return;
	copy(&n->drawn, &n->durable);
	for (size_t i = 0; i < n->pending_n; i++) {
		const struct op *op = &c->op[n->pending[i]];
		bool last = i + 1 == n->pending_n;
		bool keep = style == ALL || (style == LAST_TORN) || (style == PREFIX && i < pick) ||
		            (style == ALL_BUT_ONE && i != pick) || (style >= ANY && random_chance(chance, 50));
		bool torn = (style == LAST_TORN && last) ||
		            (style == PREFIX && i == pick && random_chance(chance, 50)) ||
		            (style == ANY_TORN && random_chance(chance, 40));

		if (torn && op->kind == OP_WRITE)
			apply_torn(&n->drawn, op, chance);
		else if (keep)
			data_apply(&n->drawn, op);
	}
}

static void draw_names(struct crash *c, enum crash_model model, struct random *chance)
{
	uint64_t style = random_below(chance, 3);
	size_t carried = 0; /* by a whole fsync, of whatever, that came after them */
	size_t prefix = 0;

	while (carried < c->names_pending_n && c->names_pending[carried] < c->journal)
		carried++;
	prefix = random_below(chance, c->names_pending_n + 1);
	if (model == CRASH_ORDERED)
		prefix = carried + random_below(chance, c->names_pending_n - carried + 1);
	names_copy(&c->drawn, &c->durable);
	for (size_t i = 0; i < c->names_pending_n; i++) {
		bool keep = style == 0 || (style == 1 ? i < prefix : i == prefix || random_chance(chance, 50));

		if (model == CRASH_ORDERED ? i < prefix : keep)
			names_apply(&c->drawn, &c->op[c->names_pending[i]]);
	}
}

static const struct bytes_of *content(const struct inode *n)
{
	return n->differs ? &n->drawn : &n->durable;
}

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;

	return x->dir != y->dir ? (x->dir < y->dir ? -1 : 1) : strcmp(x->name, y->name);
}

uint64_t crash_draw(struct crash *c, enum crash_model model, struct random *chance)
{
	uint64_t h = 1;

	for (size_t i = 0; i < c->inode_n; i++)
		draw_file(c, &c->inode[i], chance);
	draw_names(c, model, chance);
	qsort(c->drawn.e, c->drawn.n, sizeof(*c->drawn.e), by_name);
	for (size_t i = 0; i < c->drawn.n; i++) {
		const struct entry *e = &c->drawn.e[i];
		struct inode *n = &c->inode[e->inode];
		uint64_t of = 0;

		if (!n->hashed) {
			n->hash = hash_of(7, n->durable.data, n->durable.len);
			n->hashed = true;
		}
		of = n->differs ? hash_of(7, n->drawn.data, n->drawn.len) : n->hash;
		h = hash_of(h, &e->dir, sizeof(e->dir));
		h = hash_of(h, e->name, strlen(e->name));
		h = hash_of(h, &of, sizeof(of));
	}
	return h;
}

/* ---- On disk ---- */

static void clear(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e = NULL;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char below[1024];

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
		if (unlink(below) != 0) {
			clear(below);
			assert_int_equal(rmdir(below), 0);
		}
	}
	closedir(d);
}

static void write_dir(const struct crash *c, size_t dir, const char *path)
{
	for (size_t i = 0; i < c->drawn.n; i++) {
		const struct entry *e = &c->drawn.e[i];
		char below[1024];

		if (e->dir != dir)
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, e->name);
		if (c->inode[e->inode].dir) {
			assert_int_equal(mkdir(below, 0700), 0);
			write_dir(c, e->inode, below);
		} else {
			const struct bytes_of *b = content(&c->inode[e->inode]);
			int fd = open(below, O_WRONLY | O_CREAT | O_EXCL, 0600);

			assert_true(fd >= 0);
			assert_int_equal(b->len == 0 ? 0 : write(fd, b->data, b->len), b->len);
			close(fd);
		}
	}
}

void crash_write(const struct crash *c, const char *out)
{
	clear(out);
	write_dir(c, 0, out);
}

bool crash_file(const struct crash *c, const char *path, const uint8_t **data, size_t *len)
{
	size_t inode = 0;

	for (const char *next = path; *next != '\0' && inode != NONE;) {
		char name[NAME_LEN];
		size_t part = strcspn(next, "/");

		assert_true(part < NAME_LEN);
		memcpy(name, next, part);
		name[part] = '\0';
		inode = names_get(&c->drawn, inode, name);
		next += part + (next[part] == '/');
	}
	if (inode == NONE)
		return false;
	*data = content(&c->inode[inode])->data;
	*len = content(&c->inode[inode])->len;
	return true;
}
