/* SPDX-License-Identifier: EUPL-1.2 */
/* The parsers of foreign bytes, one function each: what they take must be what they would write. A broken promise
 * aborts. Used by the fuzzer (fuzz.c) and, over the kept corpora, by the ordinary tests (test_corpora.c). */
#ifndef SLB_TESTS_FUZZ_TARGETS_H
#define SLB_TESTS_FUZZ_TARGETS_H

#include <stdlib.h>
#include <string.h>

#include "batch/batch.h"
#include "batch/bundle.h"
#include "batch/zip.h"
#include "fuzz/must.h"
#include "fuzz/sealed.h"
#include "model/record.h"
#include "render/csv.h"
#include "render/import.h"

static inline void fuzz_body_parse(struct bytes in)
{
	const struct device_id author = { { 'a', 'u', 't', 'h', 'o', 'r', '0', '1' } };
	struct body body;
	struct buf again = { 0 };

	if (body_parse(in, author, &body) != ERR_OK)
		return;
	must(body_put(&body, author, &again) == ERR_OK);
	must_equal(&again, in);
	for (size_t i = 0; i < body.edit_count; i++) {
		struct vv none = { 0 };
		struct record r;

		record_init(&r, body.edits[i].target);
		must(record_apply(&r, &body.edits[i], (struct context){ &none, i }) == ERR_OK);
		record_free(&r);
	}
	body_free(&body);
}

/* Head and parts, as an import walks them; the hash of each part is made to fit first. */
static inline void fuzz_bundle_get(struct bytes in)
{
	struct buf copy = { 0 };
	uint32_t parts = 0;
	size_t at = BUNDLE_HEAD_LEN;

	if (in.len < BUNDLE_HEAD_LEN || bundle_head_get((struct bytes){ in.data, BUNDLE_HEAD_LEN }, &parts) != ERR_OK)
		return;
	for (uint32_t n = 0; n < parts && in.len - at >= BUNDLE_PART_HEAD_LEN; n++) {
		struct bundle_part part;
		struct buf again = { 0 };
		struct bytes whole = { in.data + at, 0 };
		size_t len = 0;

		if (bundle_part_len(in.data + at, &len) != ERR_OK || len > in.len - at - BUNDLE_PART_HEAD_LEN)
			break;
		whole.len = BUNDLE_PART_HEAD_LEN + len;
		at += whole.len;
		part.ref = (struct bytes){ whole.data + BUNDLE_PART_HEAD_LEN, whole.data[0] };
		part.name = (struct bytes){ part.ref.data + part.ref.len, whole.data[1] };
		part.file = (struct bytes){ part.name.data + part.name.len,
			                    len - BUNDLE_HASH_LEN - part.ref.len - part.name.len };
		buf_reset(&copy);
		if (bundle_part_get(n, whole, &part) != ERR_OK && bundle_part_put(n, &part, &copy) == ERR_OK) {
			must(bundle_part_get(n, buf_bytes(&copy), &part) == ERR_OK);
			whole = buf_bytes(&copy);
		} else if (copy.len == 0 && bundle_part_get(n, whole, &part) != ERR_OK) {
			continue;
		}
		must(bundle_part_put(n, &part, &again) == ERR_OK);
		must_equal(&again, whole);
		buf_free(&again);
	}
	buf_free(&copy);
}

static inline void fuzz_edit_parse(struct bytes in)
{
	struct edit edit;
	struct body pool;
	struct buf again = { 0 };

	if (edit_parse(in, &edit, &pool) != ERR_OK)
		return;
	must(edit_put(&edit, &again) == ERR_OK);
	must_equal(&again, in);
	body_free(&pool);
}

static inline void fuzz_record_get(struct bytes in)
{
	struct record r;
	struct buf again = { 0 };
	struct event *events = NULL;
	struct bytes v = { 0 };
	const struct stamp *by = NULL;
	size_t n = 0;

	if (record_get(in, &r) != ERR_OK)
		return;
	must(record_put(&r, &again) == ERR_OK);
	must_equal(&again, in);
	(void)record_two_versions(&r);
	for (size_t i = 0; i < r.field_count; i++) {
		uint32_t tag = r.fields[i].tag;
		size_t versions = record_versions(&r, tag);

		must(versions >= 1 && record_version(&r, tag, versions - 1, &v, &by));
		must(!record_version(&r, tag, versions, &v, &by));
		must(record_shown(&r, tag) != NULL);
		(void)record_text(&r, tag, &v);
		(void)record_kept(&r, tag, 1, &v);
		must(record_element(&r, tag, 0, &v));
		must(record_events(&r, tag, &events, &n) == ERR_OK);
		free(events);
	}
	record_free(&r);
}

static inline void fuzz_file_header_get(struct bytes in)
{
	struct file_header h;
	uint8_t again[FILE_HEADER_LEN];

	if (file_header_get(in, &h) != ERR_OK)
		return;
	file_header_put(&h, again);
	must(bytes_cmp((struct bytes){ again, sizeof(again) }, (struct bytes){ in.data, FILE_HEADER_LEN }) == 0);
}

static inline void fuzz_zip_inflate(struct bytes in)
{
	static struct zip *z;
	struct buf out = { 0 };

	if (z == NULL)
		must(zip_new(&z) == ERR_OK);
	must(zip_inflate(z, in, 1 << 16, &out) == ERR_OK ? out.len <= 1 << 16 : out.len == 0);
	buf_free(&out);
}

/* Rows as we would write them, every column there. */
static inline void import_put(const struct import_log *log, struct buf *out)
{
	for (int c = 0; c < IMPORT_COLUMN_COUNT; c++)
		must(csv_put_text(out, import_column_name((enum import_column)c), c == 0) == ERR_OK);
	must(csv_put_end(out) == ERR_OK);
	for (size_t i = 0; i < log->rows; i++) {
		for (int c = 0; c < IMPORT_COLUMN_COUNT; c++) {
			const char *cell = log->row[i].cell[c];

			must(csv_put_text(out, cell == NULL ? "" : cell, c == 0) == ERR_OK);
		}
		must(csv_put_end(out) == ERR_OK);
	}
}

/* What was taken from a table reads back as the same rows. */
static inline void fuzz_import_parse(struct bytes in)
{
	struct import_log log;
	struct import_log again;
	struct buf out = { 0 };

	if (import_parse(NULL, "f.csv", in, &log) != ERR_OK) {
		must(log.rows == 0);
		return;
	}
	must(log.problems <= log.unusable && log.problems <= IMPORT_PROBLEMS_MAX);
	for (size_t i = 0; i < log.problems; i++)
		must(log.problem[i].why != NULL && log.problem[i].column != NULL && log.problem[i].row > 1);
	if (log.unusable == 0) {
		import_put(&log, &out);
		must(import_parse(NULL, "f.csv", buf_bytes(&out), &again) == ERR_OK);
		must(again.unusable == 0 && again.rows == log.rows);
		for (size_t i = 0; i < log.rows; i++) {
			for (int c = 0; c < IMPORT_COLUMN_COUNT; c++) {
				const char *a = log.row[i].cell[c];
				const char *b = again.row[i].cell[c];

				must(a == NULL ? b == NULL : b != NULL && strcmp(a, b) == 0);
			}
		}
		import_log_free(&again);
	}
	buf_free(&out);
	import_log_free(&log);
}

#define FUZZ_TARGETS(X)                                                                                                \
	X(body_parse)                                                                                                  \
	X(edit_parse)                                                                                                  \
	X(record_get)                                                                                                  \
	X(file_header_get)                                                                                             \
	X(zip_inflate)                                                                                                 \
	X(import_parse)                                                                                                \
	X(batch_parse)                                                                                                 \
	X(bundle_get)                                                                                                  \
	X(boxes_get)                                                                                                   \
	X(letter_get)                                                                                                  \
	X(invitation_get)                                                                                              \
	X(invitation_inner)                                                                                            \
	X(merge3)

#endif
