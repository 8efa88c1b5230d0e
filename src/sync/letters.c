// SPDX-License-Identifier: EUPL-1.2
// Letters about joining: the branch they lie on, and the hashes that bind them.
#include "sync/letters.h"

#include <stdio.h>
#include <string.h>

#include "base/codec.h"

#define KEPT_MAILBOX "mailbox"

enum err mailbox(struct errctx *ec, struct sync *y, int64_t neighbourhood, char ref[static REF_MAX + 1],
                 struct tag *tag)
{
	struct buf b = { 0 };
	char text[TAG_TEXT_LEN];
	enum err e = store_kept_get(ec, y->store, neighbourhood, KEPT_MAILBOX, &b);

	if (e == ERR_NOT_FOUND) {
		rng_fill(y->rng, tag->b, TAG_LEN);
		e = store_kept_put(ec, y->store, neighbourhood, KEPT_MAILBOX, (struct bytes){ tag->b, TAG_LEN });
	} else if (e == ERR_OK) {
		e = b.len == TAG_LEN ? ERR_OK : ERR_DAMAGED;
		if (e == ERR_OK)
			memcpy(tag->b, b.data, TAG_LEN);
	}
	tag_text(*tag, text);
	snprintf(ref, REF_MAX + 1, "refs/heads/join/%s", text);
	buf_free(&b);
	return e;
}

enum err mailbox_renew(struct errctx *ec, struct sync *y, int64_t neighbourhood)
{
	struct file_row *list = NULL;
	char old[REF_MAX + 1];
	char new[REF_MAX + 1];
	struct tag tag;
	size_t n = 0;
	enum err e = mailbox(ec, y, neighbourhood, old, &tag);

	if (e == ERR_OK)
		e = store_kept_delete(ec, y->store, neighbourhood, KEPT_MAILBOX);
	if (e == ERR_OK)
		e = mailbox(ec, y, neighbourhood, new, &tag);
	if (e == ERR_OK)
		e = store_outgoing_list(ec, y->store, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (strcmp(list[i].ref, old) != 0)
			continue;
		e = store_outgoing_drop(ec, y->store, list[i].space, list[i].name);
		if (e == ERR_OK)
			e = store_outgoing_put(ec, y->store, list[i].space, new, list[i].name, buf_bytes(&list[i].file),
			                       list[i].edits);
	}
	store_files_free(list, n);
	return e;
}

/* A letter goes into the outgoing files under a name that no other has. */
enum err letter_send(struct errctx *ec, struct sync *y, int64_t neighbourhood, const char *what, struct bytes file)
{
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	uint8_t hash[HASH_LEN];
	char hex[17];
	struct tag tag;
	enum err e = mailbox(ec, y, neighbourhood, ref, &tag);

	hash_bytes("slb letter", file, hash);
	hex_put(hash, 8, hex);
	snprintf(name, sizeof(name), "%s-%s", what, hex);
	return e != ERR_OK ? e : store_outgoing_put(ec, y->store, neighbourhood, ref, name, file, 0);
}

/* Proof that the joiner holds the secret of each key it shows. */
void possession_hash(const uint8_t bundle[static BUNDLE_LEN], struct space_id space,
                     const uint8_t id[static INVITATION_ID_LEN], uint8_t out[static HASH_LEN])
{
	const struct bytes parts[] = { { bundle, BUNDLE_LEN }, { space.b, SPACE_ID_LEN }, { id, INVITATION_ID_LEN } };

	hash_parts("slb possession", NULL, parts, 3, out, HASH_LEN);
}

void request_words(const uint8_t id[static INVITATION_ID_LEN], const struct words_part *parts, size_t count,
                   uint8_t out[static HASH_LEN])
{
	struct bytes all[1 + 3 * INVITE_SPACES] = { { id, INVITATION_ID_LEN } };

	for (size_t i = 0; i < count && i < INVITE_SPACES; i++) {
		all[1 + 3 * i] = (struct bytes){ parts[i].space.b, SPACE_ID_LEN };
		all[2 + 3 * i] = (struct bytes){ parts[i].sign, SIGN_PUBLIC_LEN };
		all[3 + 3 * i] = (struct bytes){ parts[i].bundle, BUNDLE_LEN };
	}
	hash_parts("slb join words", NULL, all, 1 + 3 * count, out, HASH_LEN);
}

void request_mac(const uint8_t secret[static INVITE_SECRET_LEN], struct bytes request, uint8_t out[static HASH_LEN])
{
	hash_parts("slb join mac", secret, &request, 1, out, HASH_LEN);
}

void answer_hash(const uint8_t joiner[static BUNDLE_LEN], struct bytes answer, uint8_t out[static HASH_LEN])
{
	const struct bytes parts[] = { { joiner, BUNDLE_LEN }, answer };

	hash_parts("slb join answer", NULL, parts, 2, out, HASH_LEN);
}
