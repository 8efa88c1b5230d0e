// SPDX-License-Identifier: EUPL-1.2
// An invitation as text, and found again in whatever text it travelled in. All of it is pure.
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/codec.h"
#include "base/try.h"
#include "crypto/hash.h"
#include "model/wire.h"
#include "sync/invite.h"
#include "sync/join.h"

#define PREFIX "sleutelbos-"
#define PREFIX_LEN (sizeof(PREFIX) - 1)
#define CHECK_LEN 5
#define LETTERS_MAX 16384 /* a longest invitation has 12,900 */
#define PLACES_MAX 64     /* at which a text is looked at */

const struct invited_space *invitation_main(const struct invitation *i)
{
	return &i->space[i->spaces > 1 && i->space[0].kind == SPACE_OWN ? 1 : 0];
}

/* [1, secret, expires s, remote, [[id, kind, tag, name, sign, box]...]]; with 2 in front, and flags at the end, where
 * it is for a device or asks for six words; with 3, flags and access where the host asks for a login or must be known
 */
static enum err invitation_cbor(const struct invitation *i, struct buf *out)
{
	uint64_t flags = invite_flags(i->device, i->compare);
	uint64_t version = !access_empty(&i->access) ? 3 : flags != 0 ? 2 : 1;
	enum err e = ERR_OK;

	TRY(wire_put_array(out, 4 + version));
	TRY(wire_put_uint(out, version));
	TRY(wire_put_bytes(out, i->secret, INVITE_SECRET_LEN));
	TRY(wire_put_int(out, i->expires_ms / 1000));
	TRY(wire_put_text(out, i->remote, strlen(i->remote)));
	TRY(wire_put_array(out, i->spaces));
	for (size_t k = 0; k < i->spaces; k++) {
		const struct invited_space *s = &i->space[k];

		TRY(wire_put_array(out, 6));
		TRY(wire_put_bytes(out, s->id.b, SPACE_ID_LEN));
		TRY(wire_put_uint(out, s->kind));
		TRY(wire_put_bytes(out, s->tag.b, TAG_LEN));
		TRY(wire_put_text(out, s->name, strlen(s->name)));
		TRY(wire_put_bytes(out, s->sign, SIGN_PUBLIC_LEN));
		TRY(wire_put_bytes(out, s->box, BOX_PUBLIC_LEN));
	}
	if (version >= 2)
		TRY(wire_put_uint(out, flags));
	if (version == 3)
		TRY(access_put(&i->access, out));
done:
	return e;
}

enum err invitation_put(const struct invitation *i, struct buf *out)
{
	struct buf b = { 0 };
	uint8_t check[HASH_LEN];
	enum err e = ERR_OK;

	TRY(invitation_cbor(i, &b));
	hash_bytes("slb invitation text", buf_bytes(&b), check);
	TRY(buf_put(&b, check, CHECK_LEN));
	TRY(buf_put_str(out, PREFIX));
	TRY(buf_reserve(out, base32_len(b.len) + 1));
	base32_put(b.data, b.len, (char *)out->data + out->len);
	out->len += base32_len(b.len);
	TRY(buf_terminate(out));
done:
	buf_free(&b);
	return e;
}

/* --- and read again --- */

static enum err text_copy(struct wire_in *in, char *out, size_t size)
{
	struct bytes t = { 0 };

	if (wire_get_text(in, &t) != ERR_OK || t.len >= size)
		return ERR_DAMAGED;
	memcpy(out, t.data, t.len);
	out[t.len] = '\0';
	return ERR_OK;
}

static enum err invited_space_get(struct wire_in *in, struct invited_space *s)
{
	uint64_t kind = 0;
	size_t n = 0;
	enum err e = ERR_OK;

	TRY(wire_get_array(in, &n));
	MUST_BE(n == 6);
	TRY(wire_get_exact(in, s->id.b, SPACE_ID_LEN));
	TRY(wire_get_uint(in, &kind));
	MUST_BE(kind >= SPACE_OWN && kind <= SPACE_NEIGHBOURHOOD);
	s->kind = (enum space_kind)kind;
	TRY(wire_get_exact(in, s->tag.b, TAG_LEN));
	TRY(text_copy(in, s->name, sizeof(s->name)));
	TRY(wire_get_exact(in, s->sign, SIGN_PUBLIC_LEN));
	TRY(wire_get_exact(in, s->box, BOX_PUBLIC_LEN));
done:
	return e;
}

/* Only a device comes into somebody's own space, and what was written alone goes along there: so no other invitation
 * may name one. The neighbourhood is the last, and there is one. */
static bool spaces_fit(const struct invitation *i)
{
	for (size_t k = 0; k < i->spaces; k++) {
		bool last = k + 1 == i->spaces;

		if ((i->space[k].kind == SPACE_NEIGHBOURHOOD) != last)
			return false;
		if (i->space[k].kind == SPACE_OWN && (!i->device || k > 0))
			return false;
		for (size_t j = 0; j < k; j++) {
			if (memcmp(i->space[j].id.b, i->space[k].id.b, SPACE_ID_LEN) == 0)
				return false;
		}
	}
	return i->spaces >= 1 && i->spaces <= (i->device ? INVITE_SPACES : 2);
}

enum err invitation_parse(struct bytes bytes, struct invitation *out)
{
	struct wire_in in = wire_in(bytes);
	uint64_t version = 0;
	uint64_t flags = 0;
	int64_t seconds = 0;
	size_t parts = 0;
	size_t n = 0;
	enum err e = ERR_OK;

	*out = (struct invitation){ 0 };
	TRY(wire_get_array(&in, &parts));
	TRY(wire_get_uint(&in, &version));
	MUST_BE(version >= 1 && version <= 3 && parts == 4 + version);
	TRY(wire_get_exact(&in, out->secret, INVITE_SECRET_LEN));
	TRY(wire_get_int(&in, &seconds));
	MUST_BE(seconds > 0 && seconds < INT64_MAX / 1000);
	out->expires_ms = seconds * 1000;
	TRY(text_copy(&in, out->remote, sizeof(out->remote)));
	TRY(wire_get_array(&in, &n));
	MUST_BE(n >= 1 && n <= INVITE_SPACES);
	for (size_t k = 0; k < n; k++)
		TRY(invited_space_get(&in, &out->space[k]));
	out->spaces = n;
	if (version >= 2)
		TRY(wire_get_uint(&in, &flags));
	TRY(invite_flags_get(flags, &out->device, &out->compare));
	MUST_BE(version == 3 || (version == 2) == out->compare);
	if (version == 3)
		TRY(access_get(&in, &out->access));
	MUST_BE((version == 3) == !access_empty(&out->access));
	TRY(wire_at_end(&in));
	MUST_BE(spaces_fit(out));
done:
	return e;
}

/* A text without what mail puts into it: line ends that were marked as not meant (quoted-printable), and the zero bytes
 * of wide characters. */
static enum err text_clean(const char *text, size_t len, struct buf *out)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < len; i++) {
		size_t end = i + 1 < len && text[i] == '=' && text[i + 1] == '\r' ? i + 2 : i + 1;

		if (text[i] == '=' && end < len && text[end] == '\n')
			i = end;
		else if (text[i] != '\0')
			e = buf_put_byte(out, (uint8_t)text[i]);
	}
	return e;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
}

/* The letters from `text` on, over white space and the marks of a reply; words behind an invitation come along. */
static enum err letters_take(const char *text, size_t len, struct buf *out)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < len && out->len < LETTERS_MAX; i++) {
		if (is_letter(text[i]))
			e = buf_put_byte(out, (uint8_t)text[i]);
		else if (!isspace((unsigned char)text[i]) && text[i] != '>')
			break;
	}
	return e;
}

/* The bytes of an invitation whose letters begin here; where it ends, its own array says. */
static enum err bytes_at(const char *text, size_t len, struct buf *out)
{
	struct buf letters = { 0 };
	struct buf all = { 0 };
	struct wire_in in;
	struct bytes item = { 0 };
	uint8_t check[HASH_LEN];
	size_t n = 0;
	size_t bytes = 0;
	enum err e = ERR_OK;

	TRY(letters_take(text, len, &letters));
	n = letters.len;
	while (letters.len % 8 != 0) /* an "a" is five zero bits */
		TRY(buf_put_byte(&letters, 'a'));
	bytes = letters.len / 8 * 5;
	MUST_BE(bytes > 0);
	TRY(buf_reserve(&all, bytes));
	MUST_BE(base32_get((char *)letters.data, letters.len, all.data, bytes));
	all.len = bytes;
	in = wire_in(buf_bytes(&all));
	TRY(wire_get_raw(&in, &item));
	bytes = item.len + CHECK_LEN;
	MUST_BE(base32_len(bytes) <= n);
	TRY(buf_reserve(out, bytes));
	MUST_BE(base32_get((char *)letters.data, base32_len(bytes), out->data, bytes));
	out->len = item.len;
	hash_bytes("slb invitation text", buf_bytes(out), check);
	MUST_BE(memcmp(check, out->data + out->len, CHECK_LEN) == 0);
done:
	buf_free(&letters);
	buf_free(&all);
	return e;
}

/* Looks at every place where one may begin. *found counts different ones. */
static enum err text_search(struct bytes text, struct invitation *out, size_t *found)
{
	const char *t = (const char *)text.data;
	struct buf bytes = { 0 };
	size_t places = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; i + PREFIX_LEN < text.len && places < PLACES_MAX && e == ERR_OK; i++) {
		struct invitation one;

		if (strncasecmp(t + i, PREFIX, PREFIX_LEN) != 0)
			continue;
		places++;
		buf_reset(&bytes);
		e = bytes_at(t + i + PREFIX_LEN, text.len - i - PREFIX_LEN, &bytes);
		if (e == ERR_OK)
			e = invitation_parse(buf_bytes(&bytes), &one);
		if (e == ERR_OK && (*found == 0 || memcmp(one.secret, out->secret, INVITE_SECRET_LEN) != 0)) {
			*out = one;
			(*found)++;
		}
		if (e == ERR_DAMAGED)
			e = ERR_OK;
	}
	buf_free(&bytes);
	return e;
}

enum err invitation_get(struct errctx *ec, const char *text, size_t len, struct invitation *out)
{
	struct buf clean = { 0 };
	size_t found = 0;
	enum err e = text_clean(text, len, &clean);

	*out = (struct invitation){ 0 };
	if (e == ERR_OK)
		e = text_search(buf_bytes(&clean), out, &found);
	buf_free(&clean);
	if (e == ERR_OK && found > 1)
		return err_set(
		    ec, ERR_INPUT,
		    "There is more than one invitation in this text. Leave only the one that you want to use.", NULL,
		    NULL, NULL);
	if (e == ERR_OK && found == 0)
		return err_set(ec, ERR_DAMAGED,
		               "This invitation is not complete, or a character is wrong. Copy it again as a whole.",
		               NULL, NULL, NULL);
	return e;
}
