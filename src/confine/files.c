// SPDX-License-Identifier: EUPL-1.2
// Files, ports and signals by Landlock. Everything the kernel can confine is: what no place allows is refused. Version
// 1 cannot rename from one folder to another at all, which git needs, so it counts as none.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confine/landlock.h"
#include "confine/parts.h"

#define VERSION_NEEDED 2

// What a rule on a file, which is no folder, may name.
#define OF_FILES (LL_EXECUTE | LL_WRITE_FILE | LL_READ_FILE | LL_TRUNCATE | LL_IOCTL_DEV)
#define WRITING                                                                                                        \
	(LL_READ_FILE | LL_READ_DIR | LL_WRITE_FILE | LL_REMOVE_DIR | LL_REMOVE_FILE | LL_MAKE_DIR | LL_MAKE_REG |     \
	 LL_REFER | LL_TRUNCATE)

static uint64_t rights_of(unsigned access)
{
	uint64_t r = 0;

	if ((access & CONFINE_READ) != 0)
		r |= LL_READ_FILE | LL_READ_DIR;
	if ((access & CONFINE_WRITE) != 0)
		r |= WRITING;
	if ((access & CONFINE_TERM) != 0)
		r |= LL_READ_FILE | LL_WRITE_FILE | LL_IOCTL_DEV | LL_TRUNCATE;
	if ((access & CONFINE_LIST) != 0)
		r |= LL_READ_DIR;
	if ((access & CONFINE_DIRS) != 0)
		r |= LL_MAKE_DIR | LL_REMOVE_DIR;
	if ((access & CONFINE_RMDIR) != 0)
		r |= LL_REMOVE_DIR;
	return r;
}

// All rights that this version can withhold.
static uint64_t handled(int version)
{
	uint64_t all = LL_REFER * 2 - 1;

	if (version >= 3)
		all |= LL_TRUNCATE;
	if (version >= 5)
		all |= LL_IOCTL_DEV;
	return all;
}

static enum err allow_place(struct errctx *ec, int rules, const struct confine_place *p, uint64_t known)
{
	struct ll_path_beneath rule = { .allowed = rights_of(p->access) & known };
	struct stat st;
	enum err e = ERR_OK;

	rule.fd = open(p->path, O_PATH | O_CLOEXEC);
	// What is not there, or not to be reached, is not allowed either.
	if (rule.fd < 0)
		return errno == ENOMEM || errno == EMFILE || errno == ENFILE ? err_errno(ec, errno, p->path) : ERR_OK;
	if (fstat(rule.fd, &st) != 0)
		e = err_errno(ec, errno, p->path);
	else if (!S_ISDIR(st.st_mode))
		rule.allowed &= OF_FILES;
	if (e == ERR_OK && rule.allowed != 0 &&
	    syscall(SYS_landlock_add_rule, rules, LL_RULE_PATH_BENEATH, &rule, 0) != 0 && errno != EBADFD)
		e = err_errno(ec, errno, p->path);
	// EBADFD: a pipe or the like, which needs no rule.
	close(rule.fd);
	return e;
}

static enum err allow_ports(struct errctx *ec, int rules, const struct confine_wish *wish)
{
	for (size_t i = 0; i < wish->ports; i++) {
		const struct ll_net_port rule = { LL_CONNECT_TCP, wish->port[i] };

		if (syscall(SYS_landlock_add_rule, rules, LL_RULE_NET_PORT, &rule, 0) != 0)
			return err_errno(ec, errno, "Landlock");
	}
	return ERR_OK;
}

// The attributes in the length that this version knows.
static int make_rules(const struct confine_wish *wish, int version)
{
	struct ll_ruleset set = { .fs = handled(version) };
	size_t len = version >= 6 ? sizeof(set) : version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);

	if (version >= 4)
		set.net = LL_BIND_TCP | ((wish->may & CONFINE_MAY_INET) != 0 && wish->ports == 0 ? 0 : LL_CONNECT_TCP);
	if (version >= 6)
		set.scoped = LL_SCOPE_ABSTRACT_UNIX | LL_SCOPE_SIGNAL;
	return (int)syscall(SYS_landlock_create_ruleset, &set, len, 0);
}

enum err confine_files(struct errctx *ec, const struct confine_wish *wish, struct confinement *active)
{
	int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LL_CREATE_RULESET_VERSION);
	int rules = -1;
	enum err e = ERR_OK;

	// ENOSYS: not in this kernel; EOPNOTSUPP: switched off; EPERM: a container withholds it.
	if (version < VERSION_NEEDED)
		return ERR_OK;
	rules = make_rules(wish, version);
	if (rules < 0)
		return err_errno(ec, errno, "Landlock");
	for (size_t i = 0; e == ERR_OK && i < wish->places; i++)
		e = allow_place(ec, rules, &wish->place[i], handled(version));
#ifdef SLB_COVERAGE
	// A build that counts its lines leaves the counts where it was built.
	if (e == ERR_OK)
		e = allow_place(ec, rules, &(struct confine_place){ SLB_COVERAGE, CONFINE_WRITE }, handled(version));
#endif
	if (e == ERR_OK && version >= 4)
		e = allow_ports(ec, rules, wish);
	if (e == ERR_OK && syscall(SYS_landlock_restrict_self, rules, 0) != 0) {
		// Inside sixteen others there is no room for one more.
		if (errno != E2BIG)
			e = err_errno(ec, errno, "Landlock");
		version = 0;
	}
	close(rules);
	if (e == ERR_OK && version > 0) {
		active->files = (unsigned)version;
		active->ports = version >= 4;
		active->scoped = version >= 6;
	}
	return e;
}
