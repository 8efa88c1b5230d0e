// SPDX-License-Identifier: EUPL-1.2
// The bytes of a key file. Its content stands twice, so that one bad sector does not cost everything; a checksum tells
// damage from a wrong passphrase before anything is derived, a keyed check over all of it comes afterwards.
#include "vault/keycopy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"
#include "crypto/hash.h"
#include "vault/keyslot.h"

#define MAGIC "SLBKEYS1"
#define MAGIC_LEN 8
#define HEAD_LEN (MAGIC_LEN + 4 + 4 + KEY_ID_LEN)
#define COUNT_AT (MAGIC_LEN + 4)
#define SLOT_HEAD_LEN 8
#define TRAILER_LEN (HASH_LEN + HASH_LEN)
#define FILE_MAX 65536
/* Each costs a derivation before a passphrase is called wrong; a file with more was not written here. */
#define PASS_SLOTS_MAX 4

/* ---- Reading ---- */

const uint8_t *keycopy_id(struct bytes copy)
{
	return copy.data + MAGIC_LEN + 8;
}

bool keycopy_next(struct bytes copy, size_t *at, struct keyslot *out)
{
	size_t end = copy.len - TRAILER_LEN;
	size_t len = 0;

	if (*at == 0)
		*at = HEAD_LEN;
	if (*at + SLOT_HEAD_LEN > end)
		return false;
	len = be32_get(copy.data + *at + 4);
	if (len > end - *at - SLOT_HEAD_LEN)
		return false;
	out->type = be32_get(copy.data + *at);
	out->body = (struct bytes){ copy.data + *at + SLOT_HEAD_LEN, len };
	*at += SLOT_HEAD_LEN + len;
	return true;
}

static bool slots_whole(struct bytes copy)
{
	uint32_t count = be32_get(copy.data + COUNT_AT);
	size_t at = HEAD_LEN;
	unsigned passphrases = 0;
	unsigned sheets = 0;
	struct keyslot s;

	for (; count > 0; count--) {
		if (!keycopy_next(copy, &at, &s) || !slot_body_sound(s.type, s.body))
			return false;
		passphrases += s.type == SLOT_PASSPHRASE;
		sheets += s.type == SLOT_SHEET;
	}
	return at == copy.len - TRAILER_LEN && passphrases <= PASS_SLOTS_MAX && sheets <= 1;
}

static void mac_make(const uint8_t *master, struct bytes covered, uint8_t out[static HASH_LEN])
{
	hash_parts("sleutelbos key file 1", master, &covered, 1, out, HASH_LEN);
}

static void checksum_make(struct bytes covered, uint8_t out[static HASH_LEN])
{
	hash_bytes("sleutelbos key file checksum 1", covered, out);
}

/* As somebody wrote it. */
static bool copy_unhurt(struct bytes copy)
{
	uint8_t sum[HASH_LEN];

	if (copy.len < HEAD_LEN + TRAILER_LEN || memcmp(copy.data, MAGIC, MAGIC_LEN) != 0 ||
	    be32_get(copy.data + MAGIC_LEN) != copy.len)
		return false;
	checksum_make((struct bytes){ copy.data, copy.len - HASH_LEN }, sum);
	return hash_equal(sum, copy.data + copy.len - HASH_LEN, HASH_LEN);
}

static bool copy_whole(struct bytes copy)
{
	return copy_unhurt(copy) && slots_whole(copy);
}

/* *out is the second where neither is whole. */
static bool copy_find(struct bytes file, struct bytes *out, bool *twice)
{
	struct bytes first = { file.data, 0 };
	struct bytes half = { file.data + file.len / 2, file.len - file.len / 2 };

	if (file.len >= HEAD_LEN)
		first.len = be32_get(file.data + MAGIC_LEN);
	if (first.len > file.len)
		first.len = 0;
	*out = copy_whole(first) ? first : half;
	*twice = file.len % 2 == 0 && memcmp(file.data, half.data, half.len) == 0;
	return copy_whole(*out);
}

enum err keycopy_read(struct errctx *ec, const char *path, struct buf *file, struct bytes *copy, bool *twice)
{
	enum err e = file_read(ec, path, FILE_MAX, file);

	if (e == ERR_OK && copy_find(buf_bytes(file), copy, twice))
		return ERR_OK;
	if (e == ERR_OK && copy_unhurt(*copy))
		return err_set(ec, ERR_DAMAGED,
		               "This version of the program does not know the key file %1. Open it with the version "
		               "that wrote it, or put back another copy.",
		               path, NULL, NULL);
	if (e == ERR_OK || e == ERR_INPUT)
		return err_set(ec, ERR_DAMAGED, "The key file %1 is damaged. Put back a copy of it.", path, NULL, NULL);
	return e;
}

enum err keycopy_check(struct errctx *ec, struct bytes copy, const uint8_t *master)
{
	uint8_t mac[HASH_LEN];

	mac_make(master, (struct bytes){ copy.data, copy.len - TRAILER_LEN }, mac);
	if (hash_equal(mac, copy.data + copy.len - TRAILER_LEN, HASH_LEN))
		return ERR_OK;
	return err_set(ec, ERR_DAMAGED, "The key file was changed by something else. Put back a copy of it.", NULL,
	               NULL, NULL);
}

/* ---- Writing ---- */

enum err keycopy_begin(struct buf *out, const uint8_t *key_id)
{
	uint8_t head[HEAD_LEN] = { 0 };

	memcpy(head, MAGIC, MAGIC_LEN);
	memcpy(head + MAGIC_LEN + 8, key_id, KEY_ID_LEN);
	return buf_put(out, head, sizeof(head));
}

enum err keycopy_slot(struct buf *out, uint32_t type, struct bytes body)
{
	uint8_t head[SLOT_HEAD_LEN];
	enum err e = ERR_OK;

	be32_put(head, type);
	be32_put(head + 4, (uint32_t)body.len);
	e = buf_put(out, head, sizeof(head));
	if (e == ERR_OK)
		e = buf_put(out, body.data, body.len);
	if (e == ERR_OK)
		be32_put(out->data + COUNT_AT, be32_get(out->data + COUNT_AT) + 1);
	return e;
}

enum err keycopy_end(struct buf *out, const uint8_t *master, struct buf *file)
{
	uint8_t hash[HASH_LEN];
	enum err e = ERR_OK;

	be32_put(out->data + MAGIC_LEN, (uint32_t)(out->len + TRAILER_LEN));
	mac_make(master, buf_bytes(out), hash);
	e = buf_put(out, hash, sizeof(hash));
	if (e == ERR_OK) {
		checksum_make(buf_bytes(out), hash);
		e = buf_put(out, hash, sizeof(hash));
	}
	for (int i = 0; i < 2 && e == ERR_OK; i++)
		e = buf_put(file, out->data, out->len);
	return e;
}

enum err keycopy_lock(struct errctx *ec, const char *path, int *fd)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
	enum err e = dir == NULL ? err_errno(ec, ENOMEM, path) : ERR_OK;

	*fd = -1;
	if (e == ERR_OK) {
		*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (*fd < 0)
			e = err_errno(ec, errno, dir);
	}
	if (e == ERR_OK && flock(*fd, LOCK_EX | LOCK_NB) != 0) {
		e = errno != EWOULDBLOCK
		        ? err_errno(ec, errno, dir)
		        : err_set(ec, ERR_LATER, "Another command is at work in this home. Try again when it is done.",
		                  NULL, NULL, NULL);
		close(*fd);
		*fd = -1;
	}
	free(dir);
	return e;
}
