/* SPDX-License-Identifier: EUPL-1.2 */
/* One space, two devices, one epoch and one body, the same in every run: what golden files and forgeries start from. */
#ifndef SLB_TESTS_BATCH_SAMPLE_H
#define SLB_TESTS_BATCH_SAMPLE_H

#include <string.h>

#include "batch/batch.h"
#include "model/edit.h"

/* Bytes that count up from `self`. */
static inline void counting_fill(void *self, void *out, size_t len)
{
	uint8_t *next = self;
	uint8_t *p = out;

	while (len-- > 0)
		*p++ = (*next)++;
}

struct sample_device {
	uint8_t sign_public[SIGN_PUBLIC_LEN];
	uint8_t sign_secret[SIGN_SECRET_LEN];
	uint8_t box_public[BOX_PUBLIC_LEN];
	uint8_t box_secret[BOX_SECRET_LEN];
	struct device_id id;
	struct tag tag;
};

struct sample {
	struct space_id space;
	struct tag space_tag;
	struct sample_device dev[2];
	struct epoch_secret secret;
	struct epoch_id epoch;
	struct file_header header; /* of batch 7 of device 0 */
	struct batch_author author;
};

static inline void sample_init(struct sample *s)
{
	static const uint8_t nonce[SPACE_NONCE_LEN] = "spreekuur-nonce";
	uint8_t next = 1;
	struct rng rng = { counting_fill, &next };
	struct recipient to[2];
	struct epoch_id none;

	*s = (struct sample){ 0 };
	for (int d = 0; d < 2; d++) {
		sign_keypair(&rng, s->dev[d].sign_public, s->dev[d].sign_secret);
		box_keypair(&rng, s->dev[d].box_public, s->dev[d].box_secret);
		rng_fill(&rng, s->dev[d].tag.b, TAG_LEN);
	}
	s->space = space_id_make(SPACE_CIRCLE, s->dev[0].sign_public, nonce);
	rng_fill(&rng, s->space_tag.b, TAG_LEN);
	for (int d = 0; d < 2; d++) {
		s->dev[d].id = device_id_make(s->space, s->dev[d].sign_public, 0);
		to[d].dev = s->dev[d].id;
		memcpy(to[d].box_public, s->dev[d].box_public, BOX_PUBLIC_LEN);
	}
	rng_fill(&rng, s->secret.key, EPOCH_KEY_LEN);
	recipients_hash(to, 2, s->secret.recipients);
	parents_hash(&none, 0, s->secret.parents);
	s->epoch = epoch_id_make(s->secret.key, s->space, s->secret.recipients, s->secret.parents);
	s->header = (struct file_header){ FILE_BATCH, s->space_tag, s->dev[0].tag, s->epoch, 7 };
	s->author = (struct batch_author){ s->space, s->dev[0].id, 7 };
}

/* A new contact, and a form that changes a record of the other device. */
static inline enum err sample_body(const struct sample *s, struct buf *out)
{
	static const uint8_t did[] = { 0x82, 0x81, 0x66, 'b', 'e', 'l', 'l', 'e', 'n', 0x80 };
	static const uint8_t note[] = { 0x82, 0xf6, 0x65, 'k', 'o', 'r', 't', '.' };
	static const uint8_t day[] = { 0x19, 0x4f, 0x2a };
	static const uint8_t event[] = { 0x83, 0x64, 'p', 'l', 'a', 'n', 0x19, 0x4f, 0x2a, 0xf6 };
	const struct write contact[] = { { F_contact_date, { day, sizeof(day) } },
		                         { F_contact_did, { did, sizeof(did) } },
		                         { F_contact_text, { note, sizeof(note) } } };
	const struct write referral[] = { { F_referral_status, { event, sizeof(event) } } };
	const struct seen seen[] = { { s->dev[1].id, 2 } };
	struct context_entry context[] = { { s->dev[1].id, 3, { 1, 2, 3, 4, 5, 6, 7, 8 } } };
	struct dot first = { s->dev[0].id, 41 };
	struct edit edits[] = {
		{ .dot = first,
		  .target = first,
		  .kind = KIND_contact,
		  .clock = { 1780000000000, 0 },
		  .writes = contact,
		  .write_count = 3 },
		{ .dot = { s->dev[0].id, 42 },
		  .target = { s->dev[1].id, 5 },
		  .clock = { 1780000000000, 1 },
		  .seen = seen,
		  .seen_count = 1,
		  .writes = referral,
		  .write_count = 1 },
	};
	struct body body = {
		.first_counter = 41, .context = context, .context_count = 1, .edits = edits, .edit_count = 2
	};

	memset(body.prev, 0x77, sizeof(body.prev));
	return body_put(&body, s->dev[0].id, out);
}

#endif
