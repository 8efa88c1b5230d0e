/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One edit in the making: fields as people type them, checked, and only what differs from the record becomes a write.
 *
 *   struct editor ed;
 *   editor_new(&ed, app, ec);  or  editor_of(&ed, app, ec, &loaded.record);
 *   editor_line(&ed, F_contact_..., "field", text); ...       errors stick
 *   e = editor_write(&ed, space, KIND_contact, &id);          frees
 *
 * A text of NULL means: not given, leave the field alone; "" takes the value away. Private to app/.
 */
#ifndef SLB_APP_EDITOR_H
#define SLB_APP_EDITOR_H

#include "app/check.h"
#include "app/pool.h"
#include "app/reading.h"
#include "app/session.h"
#include "model/draft.h"
#include "model/record.h"

struct editor {
	struct app *app;
	struct errctx *ec;
	const struct record *old; /* NULL for a new record */
	struct draft draft;
	struct pool pool;
	enum err failed;
	const struct seen *seen; /* what the form was read with; NULL: everything that is applied here */
	size_t seen_count;
	const char *text_was; /* the long text that it showed then; NULL: the one that stands */
};

void editor_new(struct editor *ed, struct app *app, struct errctx *ec);
/* `old` is borrowed until editor_write() or editor_free(). */
void editor_of(struct editor *ed, struct app *app, struct errctx *ec, const struct record *old);
void editor_free(struct editor *ed);
/* What the form was read with (M2); borrowed like `old`. */
void editor_read_with(struct editor *ed, const struct reading *r);

void editor_line(struct editor *ed, uint32_t tag, const char *field, const char *text, enum check_bsn bsn);
void editor_text(struct editor *ed, uint32_t tag, const char *field, const char *text, enum check_bsn bsn);
void editor_id(struct editor *ed, uint32_t tag, const char *field, enum list list, const char *id);
/* Elements divided by commas; `list` LIST_none: any line. The given ones replace what is there. */
void editor_set(struct editor *ed, uint32_t tag, const char *field, enum list list, const char *text);
/* NO_DAY takes the date away. */
void editor_day(struct editor *ed, uint32_t tag, int64_t day);
void editor_bool(struct editor *ed, uint32_t tag, bool v);
/* A dot without a counter takes the reference away. */
void editor_ref(struct editor *ed, uint32_t tag, struct dot ref);
void editor_event(struct editor *ed, uint32_t tag, const char *status, int64_t day, const char *reason);
void editor_retract(struct editor *ed, uint32_t tag, struct dot which);

/* True when something differs. */
bool editor_changed(const struct editor *ed);

/* Writes (inside the caller's transaction) and frees; nothing is written where nothing differs. For a new record
 * `kind` and *id receives its id; for an old one `kind` is KIND_none and id may be NULL. */
enum err editor_write(struct editor *ed, int64_t space, uint32_t kind, struct dot *id) MUST_CHECK;

#endif
