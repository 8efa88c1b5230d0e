// SPDX-License-Identifier: EUPL-1.2
// The address of the repository, said by a coordinator and followed by every home. What was followed is remembered by
// its hash, so that what a person sets for one home afterwards stays until the next word of a coordinator.
#include "app/moving.h"

#include <stdlib.h>
#include <string.h>

#include "app/remotes.h"
#include "app/within.h"
#include "base/codec.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "model/draft.h"
#include "store/store.h"
#include "sync/access.h"

#define NAME "repository"
#define KEPT "repository" /* the hash of what was followed last */

static bool names_it(const struct loaded *l)
{
	struct bytes name = { 0 };

	return record_text(&l->record, F_setting_name, &name) && name.len == strlen(NAME) &&
	       memcmp(name.data, NAME, name.len) == 0;
}

/* The first setting of that name; *id stays without a counter where there is none. Its value is appended. */
static enum err find(struct errctx *ec, struct app *app, int64_t space, struct dot *id, struct buf *value)
{
	struct dots ids = { 0 };
	enum err e = store_of_kind(ec, app->store, KIND_setting, space, &ids);

	*id = (struct dot){ 0 };
	for (size_t i = 0; e == ERR_OK && i < ids.n && id->counter == 0; i++) {
		struct bytes text = { 0 };
		struct loaded l;

		e = store_load(ec, app->store, ids.d[i], &l);
		if (e != ERR_OK)
			break;
		if (names_it(&l)) {
			*id = ids.d[i];
			if (record_text(&l.record, F_setting_value, &text))
				e = buf_put(value, text.data, text.len);
		}
		store_loaded_free(&l);
	}
	dots_free(&ids);
	return e;
}

static enum err value_make(const char *url, const struct access *access, struct buf *out)
{
	struct buf bytes = { 0 };
	enum err e = ERR_OK;

	if (access_empty(access)) {
		e = buf_put_byte(out, '-');
	} else {
		e = access_put(access, &bytes);
		if (e == ERR_OK)
			e = buf_reserve(out, base32_len(bytes.len) + 1);
		if (e == ERR_OK) {
			base32_put(bytes.data, bytes.len, (char *)out->data + out->len);
			out->len += base32_len(bytes.len);
		}
	}
	if (e == ERR_OK)
		e = buf_put_byte(out, ' ');
	if (e == ERR_OK)
		e = buf_put_str(out, url);
	if (e == ERR_OK)
		e = buf_terminate(out);
	buf_free(&bytes);
	return e;
}

/* ERR_DAMAGED for anything value_make() would not write; then nobody follows it. */
static enum err value_read(struct bytes value, char url[static REMOTE_MAX + 1], struct access *out)
{
	const uint8_t *blank = value.len == 0 ? NULL : memchr(value.data, ' ', value.len);
	size_t chars = blank == NULL ? 0 : (size_t)(blank - value.data);
	size_t len = value.len - chars - 1;
	struct buf bytes = { 0 };
	enum err e = ERR_OK;

	memset(out, 0, sizeof(*out));
	if (blank == NULL || len == 0 || len > REMOTE_MAX || memchr(blank, '\0', len + 1) != NULL)
		return ERR_DAMAGED;
	memcpy(url, blank + 1, len);
	url[len] = '\0';
	if (!app_remote_is_host(url) || app_remote_check(NULL, url) != ERR_OK)
		return ERR_DAMAGED;
	if (chars == 1 && value.data[0] == '-')
		return ERR_OK;
	e = buf_reserve(&bytes, chars);
	if (e == ERR_OK) {
		struct wire_in in;

		bytes.len = chars * 5 / 8;
		e = base32_get((const char *)value.data, chars, bytes.data, bytes.len) ? ERR_OK : ERR_DAMAGED;
		in = wire_in(buf_bytes(&bytes));
		if (e == ERR_OK)
			e = access_get(&in, out);
		if (e == ERR_OK)
			e = wire_at_end(&in);
	}
	buf_free(&bytes);
	return e;
}

static enum err followed(struct errctx *ec, struct app *app, int64_t space, struct bytes value, bool *out)
{
	uint8_t hash[HASH_LEN];
	struct buf kept = { 0 };
	enum err e = store_kept_get(ec, app->store, space, KEPT, &kept);

	hash_bytes("slb repository", value, hash);
	*out = e == ERR_OK && kept.len == HASH_LEN && memcmp(kept.data, hash, HASH_LEN) == 0;
	buf_free(&kept);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err mark_followed(struct errctx *ec, struct app *app, int64_t space, struct bytes value)
{
	uint8_t hash[HASH_LEN];

	hash_bytes("slb repository", value, hash);
	return store_kept_put(ec, app->store, space, KEPT, (struct bytes){ hash, sizeof(hash) });
}

enum err moving_may(struct errctx *ec, struct app *app, const struct space_row *neighbourhood, bool *out)
{
	*out = false;
	return neighbourhood->state != SPACE_MEMBER ? ERR_OK : within_role(ec, app, neighbourhood, "coordinator", out);
}

enum err moving_say(struct errctx *ec, struct app *app, const struct space_row *neighbourhood, const char *url,
                    const struct access *access, bool acted)
{
	struct access *shared = access_new(1);
	struct change c = { .kind = KIND_setting, .space = neighbourhood->n };
	struct buf value = { 0 }, before = { 0 };
	struct draft d = { 0 };
	struct dot id = { 0 };
	enum err e = shared == NULL ? within_no_memory(ec) : within_arrived(ec, app, neighbourhood->n);

	if (e == ERR_OK)
		e = find(ec, app, neighbourhood->n, &id, &before);
	if (e == ERR_OK) {
		access_shared(access, shared);
		e = value_make(url, shared, &value);
	}
	if (e == ERR_OK && value.len - 1 == before.len && memcmp(value.data, before.data, before.len) == 0)
		goto done;
	if (id.counter == 0)
		draft_text(&d, F_setting_name, NAME);
	else
		c = (struct change){ .target = id, .space = neighbourhood->n };
	if (e == ERR_OK) {
		draft_text(&d, F_setting_value, (const char *)value.data);
		e = draft_writes(&d, &c.writes, &c.write_count);
	}
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK) {
		e = store_write(ec, app->store, &c, app_now_ms(app), &id);
		if (e == ERR_OK && acted)
			e = mark_followed(ec, app, neighbourhood->n,
			                  (struct bytes){ value.data, strlen((char *)value.data) });
		e = within_end(ec, app, e);
	}
done:
	secret_free(shared);
	buf_free(&value);
	buf_free(&before);
	draft_free(&d);
	return e;
}

/* A person's own login stays while the address does; whom to believe is what was said. */
static enum err take(struct errctx *ec, struct app *app, struct space_row *row, const char *url, struct access *said)
{
	struct access *known = access_new(1);
	enum err e = known == NULL ? within_no_memory(ec) : access_load(ec, app->store, url, known);

	if (e == ERR_OK && (known->mine || (said->method == ACCESS_NONE && known->method != ACCESS_NONE))) {
		said->method = known->method;
		said->mine = known->mine;
		memcpy(said->user, known->user, sizeof(said->user));
		memcpy(said->secret, known->secret, sizeof(said->secret));
		said->secret_len = known->secret_len;
	}
	if (e == ERR_OK)
		e = access_save(ec, app->store, url, said);
	strcpy(row->remote, url);
	if (e == ERR_OK)
		e = store_space_update(ec, app->store, row);
	secret_free(known);
	return e;
}

enum err moving_follow(struct errctx *ec, struct app *app, int64_t neighbourhood, bool *moved)
{
	struct access *said = access_new(1);
	char url[REMOTE_MAX + 1];
	struct buf value = { 0 };
	struct space_row row;
	struct dot id = { 0 };
	bool done = false;
	enum err e = said == NULL ? within_no_memory(ec) : store_space_get(ec, app->store, neighbourhood, &row);

	*moved = false;
	if (e == ERR_OK && row.state == SPACE_MEMBER)
		e = find(ec, app, neighbourhood, &id, &value);
	if (e == ERR_OK && value.len > 0)
		e = followed(ec, app, neighbourhood, buf_bytes(&value), &done);
	if (e != ERR_OK || value.len == 0 || done || value_read(buf_bytes(&value), url, said) != ERR_OK)
		goto out;
	*moved = strcmp(row.remote, url) != 0;
	e = store_begin(ec, app->store);
	if (e == ERR_OK) {
		e = take(ec, app, &row, url, said);
		if (e == ERR_OK)
			e = mark_followed(ec, app, neighbourhood, buf_bytes(&value));
		e = within_end(ec, app, e);
	}
	if (e != ERR_OK)
		*moved = false;
out:
	secret_free(said);
	buf_free(&value);
	return e;
}
