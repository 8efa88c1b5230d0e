// SPDX-License-Identifier: EUPL-1.2
// One incoming batch: is it from whom it says, does it follow on what we have, have its causes come? Upholds S1 (own
// edits are sealed first), S4 (what fails is set aside), S5 (two batches with one number are evidence), M1 (validity
// depends on the batches and their past alone).
#include "sync/apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/tr.h"
#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/acts.h"
#include "sync/again.h"
#include "sync/closing.h"
#include "sync/context.h"
#include "sync/epochs.h"
#include "sync/floor.h"
#include "sync/forks.h"
#include "sync/outbox.h"
#include "sync/resting.h"

struct incoming {
	const struct space_row *space;
	struct device_row author;
	uint64_t seq;
	uint8_t hash[HASH_LEN];
	struct buf signed_part;
	struct buf cbor;
	struct body body;
	struct had had;       /* whole: what the author had applied */
	uint64_t counter;     /* of the author's previous batch */
	bool follows;         /* its signature holds, and it follows on a batch that is known */
	struct awaits awaits; /* where it waits: for what */
};

static void incoming_free(struct incoming *in)
{
	body_free(&in->body);
	had_free(&in->had);
	buf_free(&in->signed_part);
	buf_free(&in->cbor);
}

static enum err set_fate(enum fate *fate, const char **why, enum fate what, const char *text)
{
	*fate = what;
	*why = text;
	return ERR_OK;
}

static void await_author(struct incoming *in, struct tag tag, uint64_t known)
{
	in->awaits = (struct awaits){ .what = AWAITS_AUTHOR, .id_len = TAG_LEN, .seq = known };
	memcpy(in->awaits.id, tag.b, TAG_LEN);
}

/* ERR_NOT_FOUND: this device did not sign it; ERR_DAMAGED: it did, and there is no body in it. */
static enum err author_try(struct sync *y, const struct file_header *h, const struct device_row *device,
                           struct incoming *in)
{
	struct batch_author author = { in->space->id, device->id, h->seq };
	enum err e = ERR_OK;

	buf_reset(&in->cbor);
	in->author = *device;
	e = batch_open(y->zip, &author, device->sign, buf_bytes(&in->signed_part), &in->cbor, in->hash);
	return e == ERR_DAMAGED && !sign_check(device->sign, (struct bytes){ in->hash, HASH_LEN }, in->signed_part.data)
	           ? ERR_NOT_FOUND
	           : e;
}

/* Opens the signature with the key of every device that has this tag: tags are the devices' own choice, so one may
 * have taken another's. ERR_NOT_FOUND: nobody signed it who is known here. It may be from somebody with that tag who
 * will be known, so it waits, also where others have the tag: who is heard of first must not decide (M1). ERR_DAMAGED:
 * its author signed what is no batch, or it is too short for a signature. */
static enum err author_open(struct errctx *ec, struct sync *y, const struct file_header *h, struct incoming *in)
{
	struct device_row *list = NULL;
	size_t n = 0;
	uint64_t known = 0;
	enum err e = store_device_list(ec, y->store, in->space->n, &list, &n);
	enum err found = in->signed_part.len < SIGN_LEN ? ERR_DAMAGED : ERR_NOT_FOUND;

	for (size_t i = 0; e == ERR_OK && i < n && found == ERR_NOT_FOUND; i++) {
		if (list[i].state == DEVICE_NAMED || memcmp(list[i].tag.b, h->device.b, TAG_LEN) != 0)
			continue;
		known++;
		found = author_try(y, h, &list[i], in);
	}
	free(list);
	if (found == ERR_NOT_FOUND)
		await_author(in, h->device, known);
	return e != ERR_OK ? e : found;
}

/* A device's first batch may say itself whose it is: a known device goes on under this id, and signed for it (S7).
 * Nothing of it is believed before both signatures hold. ERR_NOT_FOUND: it says no such thing, or of a device that is
 * not known here yet. */
static enum err author_introduced(struct errctx *ec, struct sync *y, const struct file_header *h, struct incoming *in)
{
	struct batch_author author = { in->space->id, { { 0 } }, h->seq };
	struct body body = { 0 };
	struct goes_on g;
	struct bundle b;
	struct device_row old;
	uint8_t hash[HASH_LEN];
	bool found = false;
	enum err e = batch_peek(y->zip, buf_bytes(&in->signed_part), &in->cbor);

	if (e == ERR_OK)
		e = body_parse(buf_bytes(&in->cbor), author.dev, &body);
	for (size_t i = 0; e == ERR_OK && i < body.control_count && !found; i++) {
		if (body.controls[i].type != CONTROL_GOES_ON)
			continue;
		e = goes_on_get(body.controls[i].payload, &g);
		bundle_get(g.bundle, &b);
		found = e == ERR_OK && memcmp(b.tag.b, h->device.b, TAG_LEN) == 0;
	}
	body_free(&body);
	if (e != ERR_OK || !found)
		return e != ERR_OK ? e : ERR_NOT_FOUND;
	e = store_device_by_id(ec, y->store, g.device, &old);
	if (e == ERR_NOT_FOUND || (e == ERR_OK && (old.state == DEVICE_NAMED || old.space != in->space->n)))
		in->awaits = (struct awaits){ .what = AWAITS_UNKNOWN }; /* of that one, not of this */
	if (e != ERR_OK || old.state == DEVICE_NAMED || old.space != in->space->n)
		return e != ERR_OK ? e : ERR_NOT_FOUND;
	goes_on_hash(in->space->id, g.device, g.bundle, hash);
	if (!sign_check(old.sign, (struct bytes){ hash, sizeof(hash) }, g.signature))
		return ERR_DAMAGED;
	author.dev = device_id_make(in->space->id, b.sign, b.incarnation);
	in->author = (struct device_row){ .space = in->space->n, .id = author.dev, .tag = b.tag };
	memcpy(in->author.sign, b.sign, SIGN_PUBLIC_LEN);
	buf_reset(&in->cbor);
	return batch_open(y->zip, &author, b.sign, buf_bytes(&in->signed_part), &in->cbor, in->hash);
}

/* Opens the seal and the signature. ERR_NOT_FOUND: key or author not known yet; ERR_DAMAGED: does not verify. */
static enum err incoming_open(struct errctx *ec, struct sync *y, const struct file_header *h, struct bytes file,
                              struct incoming *in)
{
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	enum err e = secret == NULL ? ERR_NO_MEMORY : epoch_key_load(ec, y, in->space->n, h->epoch, secret);

	if (e == ERR_NOT_FOUND)
		epoch_key_awaits(h->epoch, &in->awaits);
	if (e == ERR_OK && (h->seq == 0 || h->seq > STORE_NUMBER_MAX))
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		e = batch_unseal(file, secret->key, &in->signed_part);
	if (e == ERR_OK)
		e = author_open(ec, y, h, in);
	if (h->seq == 1 && (e == ERR_NOT_FOUND || e == ERR_DAMAGED) && in->signed_part.len > 0) {
		enum err introduced = ERR_OK;

		buf_reset(&in->cbor);
		introduced = author_introduced(ec, y, h, in);
		e = introduced == ERR_NOT_FOUND ? e : introduced;
	}
	if (e == ERR_OK)
		e = body_parse(buf_bytes(&in->cbor), in->author.id, &in->body);
	in->seq = h->seq;
	secret_free(secret);
	return e;
}

/* What a batch whose previous one is not here waits for: the last of its causes that is not here either. Most of these
 * came after that previous one, so that both are here when it comes; where not, it waits once more. */
static enum err await_cause(struct errctx *ec, struct sync *y, struct incoming *in)
{
	enum err e = ERR_OK;

	batch_awaits(in->author.id, in->seq - 1, &in->awaits);
	for (size_t i = in->body.context_count; e == ERR_OK && i-- > 0;) {
		const struct context_entry *c = &in->body.context[i];
		uint8_t hash[HASH_LEN];
		uint64_t counter = 0;

		e = store_batch_get(ec, y->store, c->dev, c->seq, &counter, hash);
		if (e == ERR_NOT_FOUND && c->seq <= STORE_NUMBER_MAX && device_cmp(c->dev, in->author.id) != 0) {
			batch_awaits(c->dev, c->seq, &in->awaits);
			return ERR_OK;
		}
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	return e;
}

/* Kept beside the line of its device that is applied here: as what others build on, and as evidence. */
static enum err keep_aside(struct errctx *ec, struct sync *y, struct incoming *in, enum fate *fate, const char **why)
{
	struct fork_batch b = {
		in->author.id, in->seq, in->hash, &in->body, buf_bytes(&in->signed_part),
	};
	uint64_t before = 0;
	uint64_t now = 0;
	enum err e = store_forked(ec, y->store, in->author.id, &before);

	if (e == ERR_OK)
		e = fork_keep(ec, y, in->space, &b);
	if (e == ERR_NOT_FOUND) /* on one that nobody has: a copy of a home gave that up when it met the other */
		return set_fate(fate, why, FATE_ASIDE, TR("A device sent two different batches with the same number."));
	if (e == ERR_OK)
		e = store_forked(ec, y->store, in->author.id, &now);
	if (e != ERR_OK || now == before)
		return e != ERR_OK ? e : set_fate(fate, why, FATE_LINE, NULL);
	(void)set_fate(fate, why, FATE_LINE, TR("A device sent two different batches with the same number."));
	return membership_renew(ec, y, in->space);
}

/* Does it follow on the author's previous batch here? */
static enum err check_chain(struct errctx *ec, struct sync *y, struct incoming *in, bool rebuilding, enum fate *fate,
                            const char **why)
{
	uint8_t known[HASH_LEN] = { 0 };
	struct fork_row row;
	uint64_t forked = 0;
	bool wanted = false;
	enum err e = store_batch_get(ec, y->store, in->author.id, in->seq, &in->counter, known);
	bool other = e == ERR_OK;

	if (e == ERR_OK && memcmp(known, in->hash, HASH_LEN) == 0)
		return set_fate(fate, why, FATE_KNOWN, NULL);
	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = store_fork_get(ec, y->store, in->author.id, in->seq, (struct bytes){ in->hash, HASH_LEN }, &row);
	if (e == ERR_OK)
		return set_fate(fate, why, FATE_KNOWN, NULL);
	if (e == ERR_NOT_FOUND)
		e = store_forked(ec, y->store, in->author.id, &forked);
	if (e != ERR_OK)
		return e;
	in->counter = 0;
	if (in->seq > 1) {
		e = store_batch_get(ec, y->store, in->author.id, in->seq - 1, &in->counter, known);
		if (e == ERR_NOT_FOUND && forked == 0) {
			(void)set_fate(fate, why, FATE_WAITS, NULL);
			return await_cause(ec, y, in);
		}
		other = other || e == ERR_NOT_FOUND;
	} else {
		memset(known, 0, sizeof(known));
	}
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	other = other || memcmp(known, in->body.prev, HASH_LEN) != 0;
	if (!other && forked > 0 && !rebuilding) { /* nothing more of it, but for what a joiner was promised */
		e = floor_wants(ec, y, in->space->n, in->author.id, in->seq, &wanted);
		other = !wanted;
	}
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	if (other)
		return keep_aside(ec, y, in, fate, why);
	if (in->body.first_counter != in->counter + 1)
		return set_fate(fate, why, FATE_ASIDE, TR("A batch does not follow on the one before it."));
	in->follows = true;
	return ERR_OK;
}

/* What it says to prove is to be here: then all judge it alike, and what it had not seen of that device is known. */
static enum err check_proofs(struct errctx *ec, struct sync *y, struct incoming *in, enum fate *fate, const char **why)
{
	struct fork_proof proof;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < in->body.control_count; i++) {
		if (in->body.controls[i].type != CONTROL_FORK)
			continue;
		e = fork_proof_get(in->body.controls[i].payload, &proof);
		if (e == ERR_OK)
			e = fork_proof_here(ec, y, &proof, &in->awaits);
		if (e == ERR_NOT_FOUND)
			return set_fate(fate, why, FATE_WAITS, NULL);
	}
	return e;
}

/* The whole context; waits while a batch that the author had seen is not here. */
static enum err check_context(struct errctx *ec, struct sync *y, struct incoming *in, enum fate *fate, const char **why)
{
	static const char *const reasons[] = {
		[CONTEXT_BACK] = TR("A batch says that less was seen than before."),
		[CONTEXT_STRANGE] = TR("A batch builds on another history of a device than the one here."),
		[CONTEXT_UNCLOSED] = TR("A batch leaves out what it must have seen."),
	};
	enum context_fate had = CONTEXT_GOOD;
	enum err e = had_load(ec, y, in->author.id, &in->had);

	if (e == ERR_OK)
		e = context_read(ec, y, in->space, in->author.id, &in->body, &in->had, &had, &in->awaits);
	if (e != ERR_OK || had == CONTEXT_GOOD)
		return e;
	return had == CONTEXT_WAITS ? set_fate(fate, why, FATE_WAITS, NULL)
	                            : set_fate(fate, why, FATE_ASIDE, reasons[had]);
}

/* [kind, founder's signing key, nonce] must give the space's id. */
static bool genesis_holds(const struct incoming *in, struct bytes payload)
{
	struct wire_in w = wire_in(payload);
	uint64_t kind = 0;
	size_t n = 0;
	uint8_t sign[SIGN_PUBLIC_LEN];
	uint8_t nonce[SPACE_NONCE_LEN];
	struct space_id id;

	if (wire_get_array(&w, &n) != ERR_OK || n != 3 || wire_get_uint(&w, &kind) != ERR_OK ||
	    wire_get_exact(&w, sign, sizeof(sign)) != ERR_OK || wire_get_exact(&w, nonce, sizeof(nonce)) != ERR_OK)
		return false;
	id = space_id_make((enum space_kind)kind, sign, nonce);
	return memcmp(id.b, in->space->id.b, SPACE_ID_LEN) == 0 && memcmp(sign, in->author.sign, sizeof(sign)) == 0;
}

static enum err apply_controls(struct errctx *ec, struct sync *y, struct incoming *in, enum fate *fate,
                               const char **why)
{
	struct moment at = { in->author.id, in->seq, 0, &in->had.here };
	bool good = true;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < in->body.control_count; i++) {
		const struct control *c = &in->body.controls[i];

		switch (c->type) {
		case CONTROL_EPOCH:
			at.order = i;
			e = epoch_record_take(ec, y, in->space, &at, c->payload, &good);
			break;
		case CONTROL_GENESIS:
			good = genesis_holds(in, c->payload);
			break;
		case CONTROL_CUT: /* sync/membership.h takes it up */
		case CONTROL_FORK:
		case CONTROL_BOX_KEY:
		case CONTROL_REBOX:
		case CONTROL_GOES_ON:
		case CONTROL_SNAPSHOT: /* sync/compaction.h */
			break;
		default:
			if (c->type % 2 == 1) { /* must be understood: a newer program will */
				in->awaits = (struct awaits){ .what = AWAITS_PROGRAM };
				return set_fate(fate, why, FATE_WAITS, NULL);
			}
		}
		if (e == ERR_OK && !good)
			return set_fate(fate, why, FATE_ASIDE,
			                TR("A batch names an epoch or a space that it does not belong to."));
	}
	return e;
}

/* An edit may only be about a record that its author had: one of its own before it, or one within the batch's context,
 * along the line that it followed. Then everything that it needs is here, and whether the record exists is the same
 * everywhere (M1). */
static bool target_seen(const struct incoming *in, const struct edit *edit)
{
	const struct vv_entry *entry = vv_get(&in->had.line, edit->target.dev);

	if (device_cmp(edit->target.dev, edit->dot.dev) == 0)
		return edit->target.counter < edit->dot.counter;
	if (entry == NULL)
		entry = vv_get(&in->had.here, edit->target.dev);
	return entry != NULL && edit->target.counter <= entry->counter;
}

static enum err apply_edit(struct errctx *ec, struct sync *y, const struct incoming *in, const struct edit *edit,
                           const struct judge *judge, struct received *r)
{
	struct had lowered = { 0 };
	const struct had *had = &in->had;
	uint32_t kind = edit->kind;
	bool good = true;
	enum err e = ERR_OK;

	if (edit->kind == KIND_none && !target_seen(in, edit))
		return ERR_DAMAGED;
	if (edit->seen_count > 0) {
		e = edit_had(ec, y, &in->had, edit, &lowered);
		e = e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
		had = &lowered;
	}
	if (e == ERR_OK && edit->kind == KIND_none && !judge->all)
		e = record_kind(ec, y, edit->target, &kind);
	if (e == ERR_OK) {
		struct context context = { &had->here, had_past(had, edit->dot) };

		good = judge_counts(judge, edit, kind);
		e = good ? store_apply(ec, y->store, in->space->n, edit, context, in->seq, clock_now(y->clock))
		         : store_apply_void(ec, y->store, in->space->n, edit, context, in->seq, clock_now(y->clock));
	}
	if (e == ERR_OK && good && edit->kind == KIND_none)
		r->changed++;
	else if (e == ERR_OK && good)
		r->records++;
	had_free(&lowered);
	return e;
}

static struct batch_told told_by(const struct incoming *in)
{
	return (struct batch_told){ in->space, in->author.id, in->seq, &in->had.here, &in->body };
}

/* A device's first batch has seen that it was let in. */
static enum err check_admission(struct errctx *ec, struct sync *y, struct incoming *in, enum fate *fate,
                                const char **why)
{
	struct batch_told told = told_by(in);
	enum err e = in->seq > 1 ? ERR_OK : membership_admitted(ec, y, &told);
	bool let_in = false;

	if (e == ERR_NOT_FOUND && in->had.line.n > 0) { /* by a batch that is not applied here */
		e = fork_let_in(ec, y, in->space, &in->had.line, in->author.id, &let_in);
		e = e == ERR_OK && !let_in ? ERR_NOT_FOUND : e;
	}
	return e == ERR_NOT_FOUND
	           ? set_fate(fate, why, FATE_ASIDE, TR("A batch is from somebody who was not a member then."))
	           : e;
}

/* What the batch says of membership, then its edits. */
static enum err apply_body(struct errctx *ec, struct sync *y, struct incoming *in, struct received *r)
{
	struct batch_told told = told_by(in);
	struct judge judge = { 0 };
	enum err e = store_seen_note(
	    ec, y->store,
	    &(struct applied_batch){
	        .space = in->space->n, .dev = in->author.id, .seq = in->seq, .context = &in->had.here });

	if (e == ERR_OK)
		e = membership_note(ec, y, &told);
	if (e == ERR_OK)
		e = judge_make(ec, y, &told, &judge);
	for (size_t i = 0; e == ERR_OK && i < in->body.edit_count; i++)
		e = apply_edit(ec, y, in, &in->body.edits[i], &judge, r);
	judge_free(&judge);
	return e;
}

/* A batch of this very device that is not here: a copy of it made that. Where others build on what this one sent under
 * that number, neither can be taken back: both are known, and this device goes on under another id (S7). */
static enum err own_strange(struct errctx *ec, struct sync *y, struct incoming *in, struct received *r, enum fate *fate,
                            const char **why)
{
	uint8_t before[HASH_LEN] = { 0 };
	uint64_t named = 0;
	uint64_t counter = 0;
	enum err e = ERR_OK;

	r->strange++;
	if (*fate == FATE_WAITS)
		return ERR_OK;
	if (in->seq > 1)
		e = store_batch_get(ec, y->store, in->author.id, in->seq - 1, &counter, before);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
	/* files come branch by branch: the two went apart before this one, and the first that differs is yet to come */
	if (*fate != FATE_LINE && memcmp(before, in->body.prev, HASH_LEN) != 0) {
		fork_awaits(in->author.id, in->seq - 1, in->body.prev, &in->awaits);
		return set_fate(fate, why, FATE_WAITS, NULL);
	}
	e = again_named(ec, y, in->space, &named);
	if (e == ERR_OK && in->seq > named && memcmp(before, in->body.prev, HASH_LEN) == 0)
		return set_fate(fate, why, FATE_COPY, NULL);
	if (e == ERR_OK && *fate == FATE_LINE) {
		*why =
		    TR("A copy of this home wrote under the same name, and others have both. This home goes on under "
		       "another one.");
		return again_copy(ec, y, in->space->n, 0);
	}
	return e != ERR_OK ? e
	                   : set_fate(fate, why, FATE_ASIDE,
	                              TR("The host holds batches of this device that it does not know itself."));
}

/* Is it another batch than the one that the member who let this device in had under that number? */
static enum err check_floor(struct errctx *ec, struct sync *y, struct incoming *in, enum fate *fate, const char **why)
{
	bool differs = false;
	enum err e = floor_differs(ec, y, in->space->n, in->author.id, in->seq, in->hash, &differs);

	if (e == ERR_OK && differs) {
		e = keep_aside(ec, y, in, fate, why);
		*why = TR("The host shows another history than the one that whoever let you in had. Ask them to "
		          "sync, and sync again.");
	}
	return e;
}

/* What opened: does it fit, and if so apply it. */
static enum err incoming_apply(struct errctx *ec, struct sync *y, struct incoming *in, struct received *r,
                               enum fate *fate, const char **why)
{
	struct applied_batch applied = { 0 };
	struct received counted = *r;
	bool own = device_cmp(in->author.id, in->space->me) == 0 && !r->rebuilding;
	bool paper = false;
	enum err e = check_chain(ec, y, in, r->rebuilding, fate, why);

	if (e == ERR_OK && own)
		e = device_is_paper(ec, y, in->space->n, &paper);
	own = own && !paper; /* the same sheet brought a home back before */
	if (e == ERR_OK && *fate != FATE_KNOWN && own) {
		e = own_strange(ec, y, in, r, fate, why);
		if (*fate != FATE_DONE && *fate != FATE_LINE)
			return e;
	}
	if (e == ERR_OK && *fate == FATE_DONE)
		e = check_floor(ec, y, in, fate, why);
	if (e == ERR_OK && *fate == FATE_DONE)
		e = check_proofs(ec, y, in, fate, why);
	if (e == ERR_OK && *fate == FATE_DONE)
		e = check_context(ec, y, in, fate, why);
	if (e == ERR_OK && *fate == FATE_DONE && !r->rebuilding)
		e = outbox_seal(ec, y, in->space); /* S1 */
	if (e == ERR_OK && *fate == FATE_DONE)
		e = apply_controls(ec, y, in, fate, why);
	if (e == ERR_OK && *fate == FATE_DONE)
		e = check_admission(ec, y, in, fate, why);
	if (e == ERR_OK && *fate == FATE_DONE)
		e = apply_body(ec, y, in, &counted);
	if (e == ERR_DAMAGED) {
		err_clear(ec);
		e = set_fate(fate, why, FATE_ASIDE, TR("A batch writes where it may not."));
	}
	if (e == ERR_OK && *fate == FATE_DONE) {
		applied = (struct applied_batch){ .space = in->space->n,
			                          .dev = in->author.id,
			                          .seq = in->seq,
			                          .counter = in->counter + in->body.edit_count,
			                          .hash = in->hash,
			                          .signed_part = buf_bytes(&in->signed_part),
			                          .context = &in->had.here };
		e = store_batch_applied(ec, y->store, &applied);
		if (e == ERR_OK)
			e = had_note(ec, y, in->space->n, in->author.id, &in->had);
		/* whoever was removed cannot put off by writing what waits until it rests (sync/closing.h) */
		if (e == ERR_OK && !r->rebuilding && in->author.state != DEVICE_REMOVED)
			e = device_was_seen(ec, y, in->author.id);
	}
	if (e == ERR_OK && *fate == FATE_DONE) {
		*r = counted;
		r->batches++;
	} else if (e == ERR_OK && *fate == FATE_LINE) {
		r->lines++;
	}
	if (e == ERR_OK && (*fate == FATE_DONE || *fate == FATE_LINE)) {
		r->last = (struct vv_entry){ .dev = in->author.id, .seq = in->seq };
		memcpy(r->last.hash, in->hash, VV_HASH_LEN);
	}
	return e;
}

/* A file whose key is not here, from an epoch that is closed perhaps: does everybody who has that tag stand beyond that
 * number already? Then it came another way (sync/carry.h), and waiting for the key would never end. */
static enum err is_known_otherwise(struct errctx *ec, struct sync *y, const struct space_row *space,
                                   const struct file_header *h, bool *known)
{
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct device_row *list = NULL;
	size_t n = 0;
	bool some = false;
	bool all = true;
	enum err e = secret == NULL ? ERR_NO_MEMORY : epoch_key_load(ec, y, space->n, h->epoch, secret);

	secret_free(secret);
	*known = false;
	if (e != ERR_NOT_FOUND)
		return e;
	e = store_device_list(ec, y->store, space->n, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		uint8_t hash[HASH_LEN];
		uint64_t counter = 0;

		if (list[i].state == DEVICE_NAMED || memcmp(list[i].tag.b, h->device.b, TAG_LEN) != 0)
			continue;
		some = true;
		e = store_batch_get(ec, y->store, list[i].id, h->seq, &counter, hash);
		all = all && e == ERR_OK;
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	free(list);
	*known = some && all;
	return e;
}

/* Its author and this home had the same of that device, up to what it had seen before. */
static void doubt_note(const struct incoming *in, struct received *r)
{
	struct device_id dev;
	const struct vv_entry *was = NULL;

	memcpy(dev.b, in->awaits.id, DEVICE_ID_LEN);
	was = vv_get(&in->had.here, dev);
	if (vv_get(&in->had.line, dev) == NULL)
		r->doubt = (struct vv_entry){ .dev = dev, .seq = was == NULL ? 1 : was->seq + 1 };
}

enum err batch_receive(struct errctx *ec, struct sync *y, const struct space_row *space, const struct file_header *h,
                       struct bytes file, struct received *r, enum fate *fate, const char **why)
{
	struct incoming in = { .space = space };
	enum epoch_state state = EPOCH_OPEN;
	bool known = false;
	enum err e = incoming_open(ec, y, h, file, &in);

	*fate = FATE_DONE;
	*why = NULL;
	if (e == ERR_NOT_FOUND) {
		e = epoch_state_of(ec, y, space, h->epoch, &state);
		if (e == ERR_OK && state != EPOCH_CLOSED)
			e = is_known_otherwise(ec, y, space, h, &known);
		if (e == ERR_OK) /* of a closed epoch the key is destroyed: what counts of it comes under another */
			e = set_fate(fate, why, state == EPOCH_CLOSED || known ? FATE_OTHER : FATE_WAITS, NULL);
	}
	if (e == ERR_DAMAGED)
		e = set_fate(fate, why, FATE_ASIDE, TR("A batch is damaged or not from whom it says."));
	else if (e == ERR_OK && *fate == FATE_DONE)
		e = incoming_apply(ec, y, &in, r, fate, why);
	if (e == ERR_OK && *fate == FATE_DONE && !r->rebuilding)
		e = epoch_stray(ec, y, space, h->epoch, &in.author, in.seq);
	r->awaits = in.awaits;
	if (in.awaits.what == AWAITS_LINE)
		doubt_note(&in, r);
	incoming_free(&in);
	return e;
}

enum err batch_again(struct errctx *ec, struct sync *y, const struct space_row *space, const struct signed_batch *batch,
                     struct received *r, enum fate *fate, const char **why)
{
	struct incoming in = { .space = space, .author = *batch->author, .seq = batch->seq };
	struct batch_author author = { space->id, batch->author->id, batch->seq };
	enum err e = buf_put(&in.signed_part, batch->signed_part.data, batch->signed_part.len);

	*fate = FATE_DONE;
	*why = NULL;
	if (e == ERR_OK)
		e = batch_open(y->zip, &author, in.author.sign, buf_bytes(&in.signed_part), &in.cbor, in.hash);
	if (e == ERR_OK)
		e = body_parse(buf_bytes(&in.cbor), in.author.id, &in.body);
	if (e == ERR_DAMAGED)
		e = set_fate(fate, why, FATE_ASIDE, TR("A batch is damaged or not from whom it says."));
	else if (e == ERR_OK)
		e = incoming_apply(ec, y, &in, r, fate, why);
	incoming_free(&in);
	return e;
}

enum err batch_evidence(struct errctx *ec, struct sync *y, const struct space_row *space, const struct file_header *h,
                        struct bytes file)
{
	struct incoming in = { .space = space };
	enum fate fate = FATE_DONE;
	const char *why = NULL;
	enum err e = incoming_open(ec, y, h, file, &in);

	if (e == ERR_OK)
		e = check_chain(ec, y, &in, false, &fate, &why);
	if (e == ERR_OK && in.follows)
		e = keep_aside(ec, y, &in, &fate, &why);
	incoming_free(&in);
	return e == ERR_NOT_FOUND || e == ERR_DAMAGED ? ERR_OK : e;
}
