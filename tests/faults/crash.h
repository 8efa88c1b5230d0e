/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a disk may hold after a power loss, from what a real program was seen to do (strace). It shares no code with
 * what it tests.
 *
 * A recording is the list of calls that changed something below one directory. Files are inodes here, not names: what
 * is written through a descriptor goes to the file it was opened as, whatever is called so now. For each inode there is
 * what is durable and what was written since its last sync; for the names there is what is durable and what was
 * created, renamed and removed since.
 *
 * Between any two calls the power may fail. Of the writes and cuts to a file that were not synced each may be there,
 * in part (sectors of 512 bytes) or not at all, whatever became of those before it. For names there are two models:
 *
 *   CRASH_ORDERED  a journal, as ext4 has one: names change in the order in which they were changed, and a fsync of
 *                  any file or directory makes all changes of names before it durable
 *   CRASH_ANY      what POSIX promises: each change of a name that was not followed by a fsync of its directory may
 *                  be there or not, in any combination; a sync of the file itself says nothing about its name
 */
#ifndef SLB_TESTS_FAULTS_CRASH_H
#define SLB_TESTS_FAULTS_CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/random.h"

/* Options of strace for a recording; add "-o FILE" and the program. It may fork once "-f" is added: then what children
 * do counts in the order in which their calls returned, and descriptors are followed from one process to the other. A
 * child may inherit no file below the directory. */
#define CRASH_STRACE                                                                                                   \
	"-xx -s 67108864 -e trace=openat,?open,?creat,close,dup,?dup2,dup3,fcntl,lseek,mmap,"                          \
	"write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,copy_file_range,sendfile,"                \
	"fsync,fdatasync,sync_file_range,syncfs,?rename,renameat,?renameat2,?unlink,unlinkat,?rmdir,"                  \
	"?mkdir,mkdirat,?link,linkat,?symlink,symlinkat,sendmsg,recvmsg"

enum crash_model { CRASH_ORDERED, CRASH_ANY };

struct crash;

/* `trace` is the recording of a program that worked in the directory `root`; `before` holds that directory's content
 * as it was when the program began. A call of the program that is not understood fails the test. */
struct crash *crash_new(const char *trace, const char *root, const char *before);
void crash_free(struct crash *c);

/* Syncs in the recording; one of them, from 0, can be left out, as if the program had not made it: nothing that it
 * can see would have been different. SIZE_MAX: none. A sync that strace did not let through (retval=) is none. */
size_t crash_syncs(const struct crash *c);
void crash_leave_out(struct crash *c, size_t sync);
/* Was this sync made by a child of the program? */
bool crash_sync_of_child(const struct crash *c, size_t sync);

/* The same for every sync of the file or directory that this one is of. */
void crash_leave_out_all_of(struct crash *c, size_t sync);

/* Back to before the first call; then one call after the other, until false. */
void crash_rewind(struct crash *c);
bool crash_step(struct crash *c);
/* Lines that began with "ACK " and were printed so far. */
size_t crash_acknowledged(const struct crash *c);
/* Was anything printed so far? */
bool crash_spoke(const struct crash *c);
/* The last call, in words. */
const char *crash_where(const struct crash *c);
/* Is anything in the balance right now? If not, there is one state only. */
bool crash_pending(const struct crash *c);

/* Draws one of the states that the disk may be in now. Returns a hash of all names and content in it. */
uint64_t crash_draw(struct crash *c, enum crash_model model, struct random *chance);
/* Writes the state drawn last into the directory `out`, which holds nothing else afterwards. */
void crash_write(const struct crash *c, const char *out);
/* The content of a file in the state drawn last; false where there is none. `path` begins below the root; of a
 * directory the content is empty. */
bool crash_file(const struct crash *c, const char *path, const uint8_t **data, size_t *len);

#endif
