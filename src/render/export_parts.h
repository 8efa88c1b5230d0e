/* SPDX-License-Identifier: EUPL-1.2 */
/* The writers behind render/export.h. Private to export*.c. */
#ifndef SLB_RENDER_EXPORT_PARTS_H
#define SLB_RENDER_EXPORT_PARTS_H

#include "render/export.h"

/* The header of each CSV file. */
enum err export_csv_heads(struct export_sink *s) MUST_CHECK;
/* What one record adds to them. */
enum err export_csv_row(struct export_sink *s, const struct export_row *row) MUST_CHECK;
enum err export_csv_member(struct export_sink *s, const struct member_view *m) MUST_CHECK;

/* The document from the outside in: begin; for each space begin, for each list begin, items, end; end; end. */
struct export_json {
	struct errctx *ec;
	FILE *out;
	bool first_space;
	bool first_item;
};
enum err export_json_begin(struct export_json *j, const struct export_spaces *all, int64_t today) MUST_CHECK;
enum err export_json_space(struct export_json *j, const struct export_space *space) MUST_CHECK;
void export_json_list(struct export_json *j, const char *name);
enum err export_json_row(struct export_json *j, const struct export_row *row) MUST_CHECK;
enum err export_json_member(struct export_json *j, const struct member_view *m) MUST_CHECK;
void export_json_list_end(struct export_json *j);
void export_json_space_end(struct export_json *j);
void export_json_end(struct export_json *j);

/* The page; `count` is that of export_count(). */
void export_html_begin(const struct export_sink *s, const struct export_spaces *all, int64_t today);
void export_html_space(const struct export_sink *s, const struct export_space *space, bool empty);
void export_html_list(const struct export_sink *s, enum export_kind kind, size_t count);
void export_html_row(const struct export_sink *s, const struct export_row *row);
void export_html_list_end(const struct export_sink *s, enum export_kind kind, size_t count);
void export_html_members(const struct export_sink *s, const struct member_view *list, size_t n);
void export_html_space_end(const struct export_sink *s);
void export_html_end(const struct export_sink *s);

#endif
