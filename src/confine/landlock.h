/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Landlock as the kernel documents it (Documentation/userspace-api/landlock.rst, include/uapi/linux/landlock.h of
 * Linux 6.12), because the headers of Debian 12 end with version 3 of it. Layouts and numbers are part of the kernel's
 * interface and do not change.
 */
#ifndef SLB_CONFINE_LANDLOCK_H
#define SLB_CONFINE_LANDLOCK_H

#include <stdint.h>
#include <sys/syscall.h>

/* The numbers are the same on all architectures. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define LL_CREATE_RULESET_VERSION 1u
#define LL_RULE_PATH_BENEATH 1
#define LL_RULE_NET_PORT 2

struct ll_ruleset {
	uint64_t fs;
	uint64_t net;    /* from version 4 on */
	uint64_t scoped; /* from version 6 on */
};

struct ll_path_beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

struct ll_net_port {
	uint64_t allowed;
	uint64_t port;
};

enum ll_fs {
	LL_EXECUTE = 1 << 0,
	LL_WRITE_FILE = 1 << 1,
	LL_READ_FILE = 1 << 2,
	LL_READ_DIR = 1 << 3,
	LL_REMOVE_DIR = 1 << 4,
	LL_REMOVE_FILE = 1 << 5,
	LL_MAKE_CHAR = 1 << 6,
	LL_MAKE_DIR = 1 << 7,
	LL_MAKE_REG = 1 << 8,
	LL_MAKE_SOCK = 1 << 9,
	LL_MAKE_FIFO = 1 << 10,
	LL_MAKE_BLOCK = 1 << 11,
	LL_MAKE_SYM = 1 << 12,
	LL_REFER = 1 << 13,     /* from version 2 on */
	LL_TRUNCATE = 1 << 14,  /* 3 */
	LL_IOCTL_DEV = 1 << 15, /* 5 */
};

enum ll_net { LL_BIND_TCP = 1 << 0, LL_CONNECT_TCP = 1 << 1 };
enum ll_scope { LL_SCOPE_ABSTRACT_UNIX = 1 << 0, LL_SCOPE_SIGNAL = 1 << 1 };

#endif
