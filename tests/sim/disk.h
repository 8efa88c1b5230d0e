/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Disks in memory, one for each device, with what a real one does on a bad day.
 *
 * Files of device N lie below "/sim/N/". The program's own calls reach them: those of SQLite through a VFS (which also
 * is SQLite's default one), the others through functions of the C library that the linker wraps (tests/sim/wrap.c).
 *
 * Every call that changes something is a step. A disk can die at any step: that call does nothing, and from there on
 * every call fails, as if the process had been killed there. disk_revive() says what is left: all that was written, or,
 * after a power loss, what was synced and some of the rest (names in the order in which they were made, writes in any
 * order, each whole, in sectors of 512 bytes, or not at all).
 */
#ifndef SLB_TESTS_SIM_DISK_H
#define SLB_TESTS_SIM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "model/random.h"

#define DISKS_MAX 64
#define DISK_PATH 160

struct disk;

/* Once per process, after app_start(). */
void disks_start(void);
/* The VFS beneath the vault's. */
sqlite3_vfs *disk_vfs(void);

/* An empty disk, with its top folder. */
struct disk *disk_new(unsigned number);
void disk_free(struct disk *d); /* no file of it is open; accepts NULL */
/* Puts the files of another disk in the place of all that is here; everything is durable. */
void disk_copy(struct disk *to, const struct disk *from);
/* A file made whole by another program of the same device; no step. */
void disk_put(struct disk *d, const char *path, struct bytes content);
/* Appends the content; false when there is no such file. */
bool disk_get(struct disk *d, const char *path, struct buf *out);

/* The disk dies at the n-th step from here (from 1; 0: never). */
void disk_die_after(struct disk *d, uint64_t n);
/* The n-th step from here fails once, as a full disk does. */
void disk_full_after(struct disk *d, uint64_t n);
/* A step that is no call to this disk, of its own process or of its courier: false when the device is dead. */
bool disk_step(struct disk *d);
bool disk_dead(const struct disk *d);
bool disk_was_full(const struct disk *d); /* disk_full_after() took effect */
uint64_t disk_steps(const struct disk *d);
/* `loss` NULL: only the process ended. Else power was lost, and it decides what of the rest is there. */
void disk_revive(struct disk *d, struct random *loss);

/* --- for wrap.c and disk_vfs.c: as the calls of the C library, -1 with errno --- */

/* Is this a path (a descriptor) of ours? */
struct disk *disk_of(const char *path);
bool disk_fd(int fd);
int disk_open(const char *path, int flags);
int disk_close(int fd);
ssize_t disk_read(int fd, void *out, size_t len);
ssize_t disk_pread(int fd, void *out, size_t len, int64_t at);
ssize_t disk_write(int fd, const void *data, size_t len);
ssize_t disk_pwrite(int fd, const void *data, size_t len, int64_t at);
int disk_cut(int fd, int64_t size);
int disk_sync(int fd);
void disk_sync_names(const char *path); /* of that disk; no step */
int disk_lock(int fd, int operation);
int disk_rename(const char *from, const char *to);
int disk_unlink(const char *path);
int disk_mkdir(const char *path);
int disk_rmdir(const char *path);
int disk_stat(const char *path, struct stat *out);
int disk_fstat(int fd, struct stat *out);
/* The path of a descriptor, while it is open. */
const char *disk_fd_path(int fd);
/* The n-th name below a folder, from 0; NULL past the end. */
const char *disk_entry(const char *path, size_t n, bool *folder);

#endif
