// SPDX-License-Identifier: EUPL-1.2
// Goal: a real service directory becomes entries a person can search; each row or cell that cannot be used is named
// with file, row and column, and costs no other row.
// Seen to catch: a location's telephone put before the service's, rows joined by the first digit of an id, a
// rejected row used all the same, row numbers that skip empty lines, a fax taken for a telephone.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "render/flat.h"
#include "render/hsds.h"

static const struct directory_entry *entry_of(const struct directory_import *im, const char *source)
{
	for (size_t i = 0; i < im->entries; i++)
		if (strcmp(im->entry[i].source, source) == 0)
			return &im->entry[i];
	fail_msg("no entry %s", source);
	return NULL;
}

static enum err open_in(void *ctx, struct errctx *ec, const char *name, int *fd)
{
	*fd = openat(*(int *)ctx, name, O_RDONLY);
	return ERR_OK;
}

#define FOLDER(FD) (&(struct hsds_folder){ open_in, &(FD) })

static void import_folder(const char *folder, struct directory_import *im)
{
	struct errctx ec = { 0 };
	int fd = open(folder, O_RDONLY | O_DIRECTORY);

	assert_true(fd >= 0);
	assert_int_equal(hsds_import(&ec, FOLDER(fd), im), ERR_OK);
	close(fd);
}

static void san_mateo_is_imported(void **state)
{
	struct directory_import im = { 0 };

	import_folder("tests/data/sanmateo_ohana", &im);
	assert_int_equal(im.entries, 21);
	for (size_t i = 0; i < im.entries; i++) {
		assert_non_null(im.entry[i].name);
		assert_non_null(im.entry[i].organisation);
		assert_non_null(im.entry[i].address);
		assert_non_null(im.entry[i].phone);
		assert_non_null(im.entry[i].description);
		assert_string_equal(im.entry[i].kind, "formal");
	}
	directory_import_clear(&im);
}

static void what_belongs_together_is_joined(void **state)
{
	struct directory_import im = { 0 };
	const struct directory_entry *e = NULL;

	import_folder("tests/data/sanmateo_ohana", &im);

	/* Service 2: everything comes from its location. */
	e = entry_of(&im, "hsds:2");
	assert_string_equal(e->name, "Second Career Employment Program");
	assert_string_equal(e->organisation, "Peninsula Family Service");
	assert_string_equal(e->phone, "650 403-4300 ext. 4385");
	assert_string_equal(e->address, "24 Second Avenue, San Mateo, CA 94401");
	assert_string_equal(e->languages, "cmn,tl,it,es");
	assert_string_equal(e->group, "werk");
	assert_string_equal(e->domains, "werk");
	assert_string_equal(e->application, "Apply by phone for an appointment.");
	assert_null(e->hours);
	assert_null(e->email);

	/* Service 22: its own telephone, hours, e-mail and language come first; the fax is left out. */
	e = entry_of(&im, "hsds:22");
	assert_string_equal(e->name, "Passport Photos");
	assert_string_equal(e->organisation, "Example Agency");
	assert_string_equal(e->phone, "123-456-7890 ext. 123 (Passport Photos); 650-222-5555 (Passport Help via SMS)");
	assert_string_equal(e->hours, "Mo 08:00-12:00,14:00-16:00; We 10:00-15:00");
	assert_string_equal(e->address, "2013 Avenue of the fellows, Suite 100, San Francisco, CA 94103");
	assert_string_equal(e->email, "passports@example.org");
	assert_string_equal(e->languages, "es");
	assert_string_equal(e->documents, "Government-issued picture identification");

	/* Service 23 at the same location: that location's. */
	e = entry_of(&im, "hsds:23");
	assert_string_equal(e->phone, "650 372-6200 ext. 123 (Information); 800 372-6200 (Hotline); "
	                              "650 372-6200 ext. 202 (Rental Assistance)");
	assert_string_equal(e->hours, "Mo-Fr 08:00-17:00; Sa 10:00-18:00; Su 11:00-17:00");
	assert_string_equal(e->email, "info@example.org");
	assert_string_equal(e->languages, "yue,ru,es,tl,nan");
	assert_string_equal(e->group, "anders");
	directory_import_clear(&im);
}

static void odd_rows_are_named(void **state)
{
	static const struct {
		const char *file;
		size_t row;
		const char *column;
		const char *value;
	} odd[] = {
		{ "phones.csv", 41, "contact_id", "29" },
		{ "phones.csv", 42, "contact_id", "29" },
		{ "phones.csv", 47, "contact_id", "36" },
		{ "phones.csv", 49, "contact_id", "32" },
		{ "phones.csv", 50, "contact_id", "32" },
		{ "phones.csv", 55, "contact_id", "29" },
		{ "regular_schedules.csv", 12, "closes_at", "03:00" },
		{ "services.csv", 21, "status", "defunct" },
		{ "services.csv", 22, "status", "inactive" },
	};
	struct directory_import im = { 0 };

	import_folder("tests/data/sanmateo_ohana", &im);
	assert_int_equal(im.rejects, sizeof(odd) / sizeof(*odd));
	for (size_t i = 0; i < im.rejects; i++) {
		assert_string_equal(im.reject[i].file, odd[i].file);
		assert_int_equal(im.reject[i].row, odd[i].row);
		assert_string_equal(im.reject[i].column, odd[i].column);
		assert_string_equal(im.reject[i].value, odd[i].value);
		assert_non_null(strstr(im.reject[i].why, "%1"));
	}
	directory_import_clear(&im);
}

/* A folder of its own with the given files; names and contents in turn, NULL at the end. */
static int folder_with(const char *const *files)
{
	const char *base = getenv("TMPDIR");
	char path[4096];
	int fd = -1;

	snprintf(path, sizeof(path), "%s/hsds.XXXXXX", base != NULL ? base : "/tmp");
	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	for (; files[0] != NULL; files += 2) {
		int file = openat(fd, files[0], O_WRONLY | O_CREAT | O_EXCL, 0600);

		assert_true(file >= 0);
		assert_int_equal(file_write_fd(NULL, file, files[0], files[1], strlen(files[1])), ERR_OK);
		close(file);
	}
	return fd;
}

/* One reject each, which leaves `entries` entries. */
static void each_kind_of_odd_row(void **state)
{
	static const struct {
		const char *files[11];
		size_t entries;
		const char *file;
		size_t row;
		const char *column;
	} cases[] = {
		{ { "services.csv", "id,name\n1,A\n,B\n" }, 1, "services.csv", 3, "id" },
		{ { "services.csv", "id,name\n1,A\n1,B\n" }, 1, "services.csv", 3, "id" },
		{ { "services.csv", "id,name\n1,A\n2,\n" }, 1, "services.csv", 3, "name" },
		{ { "services.csv", "id,name\n1,A\n2,B,C\n3,D\n" }, 2, "services.csv", 3, "3" },
		{ { "services.csv", "id,name\n1,A\n\n2,\xFF\n3,D\n" }, 2, "services.csv", 4, "name" },
		{ { "services.csv", "id,name,location_id\n1,A,7\n" }, 1, "services.csv", 2, "location_id" },
		{ { "services.csv", "id,name,organization_id\n1,A,7\n" }, 1, "services.csv", 2, "organization_id" },
		{ { "services.csv", "id,name,location_id\n1,A,7\n", "locations.csv", "id,organization_id\n7,9\n" },
		  1,
		  "locations.csv",
		  2,
		  "organization_id" },
		{ { "services.csv", "id,name,taxonomy_ids\n1,A,\"5, 6\"\n", "taxonomy.csv",
		    "taxonomy_id,name,parent_id\n5,Housing,5\n" },
		  1,
		  "services.csv",
		  2,
		  "taxonomy_ids" },
		{ { "services.csv", "id,name\n1,A\n", "phones.csv", "service_id,number\n1,02O-123\n" },
		  1,
		  "phones.csv",
		  2,
		  "number" },
		{ { "services.csv", "id,name\n1,A\n", "phones.csv", "service_id,number\n10,020-123\n" },
		  1,
		  "phones.csv",
		  2,
		  "service_id" },
		{ { "services.csv", "id,name\n1,A\n", "phones.csv", "number\n020-123\n" },
		  1,
		  "phones.csv",
		  2,
		  "location_id" },
		{ { "services.csv", "id,name\n1,A\n", "regular_schedules.csv",
		    "service_id,weekday,opens_at,closes_at\n1,Someday,9am,5pm\n" },
		  1,
		  "regular_schedules.csv",
		  2,
		  "weekday" },
		{ { "services.csv", "id,name\n1,A\n", "regular_schedules.csv",
		    "service_id,weekday,opens_at,closes_at\n1,Monday,early,5pm\n" },
		  1,
		  "regular_schedules.csv",
		  2,
		  "opens_at" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct directory_import im = { 0 };
		struct errctx ec = { 0 };
		int fd = folder_with(cases[i].files);

		assert_int_equal(hsds_import(&ec, FOLDER(fd), &im), ERR_OK);
		close(fd);
		assert_int_equal(im.entries, cases[i].entries);
		assert_int_equal(im.rejects, 1);
		assert_string_equal(im.reject[0].file, cases[i].file);
		assert_int_equal(im.reject[0].row, cases[i].row);
		assert_string_equal(im.reject[0].column, cases[i].column);
		directory_import_clear(&im);
	}
}

static void a_folder_that_is_none_is_refused(void **state)
{
	static const struct {
		const char *files[5];
		enum err e;
	} cases[] = {
		{ { NULL }, ERR_NOT_FOUND },
		{ { "services.csv", "id,title\n1,A\n" }, ERR_INPUT },
		{ { "services.csv", "name\nA\n" }, ERR_INPUT },
		{ { "services.csv", "id,name\n1,\"A\n" }, ERR_INPUT },
		{ { "services.csv", "id,name\n1,A\n", "locations.csv", "name\nB\n" }, ERR_INPUT },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct directory_import im = { 0 };
		struct errctx ec = { 0 };
		int fd = folder_with(cases[i].files);

		assert_int_equal(hsds_import(&ec, FOLDER(fd), &im), cases[i].e);
		assert_int_equal(ec.code, cases[i].e);
		assert_non_null(ec.msg);
		assert_int_equal(im.entries, 0);
		assert_int_equal(im.rejects, 0);
		close(fd);
	}
}

static void the_flat_file_reads_back(void **state)
{
	struct directory_import im = { 0 };
	struct directory_import again = { 0 };
	struct buf out = { 0 };

	import_folder("tests/data/sanmateo_ohana", &im);
	free(im.entry[0].name);
	im.entry[0].name = strdup("=HYPERLINK(\"http://example.org\")");
	assert_int_equal(flat_export(im.entry, im.entries, &out), ERR_OK);
	assert_int_equal(flat_import(NULL, "flat.csv", buf_bytes(&out), &again), ERR_OK);
	assert_int_equal(again.rejects, 0);
	assert_int_equal(again.entries, im.entries);
	for (size_t i = 0; i < im.entries; i++) {
		for (size_t f = 0; f < DIRECTORY_FIELD_COUNT; f++) {
			const char *a = *directory_field(&im.entry[i], f);
			const char *b = *directory_field(&again.entry[i], f);

			assert_string_equal(a != NULL ? a : "", b != NULL ? b : "");
		}
	}
	assert_non_null(memmem(out.data, out.len, "\"'=HYPERLINK", 12));
	buf_free(&out);
	directory_import_clear(&im);
	directory_import_clear(&again);
}

static void the_flat_file_is_checked(void **state)
{
	static const char content[] = "Name;group;kind;domains;checked_on;colour\r\n"
	                              "Buurttafel;initiatief;initiative;meedoen,taal;2026-03-31;blue\r\n"
	                              "A;nonsense;formal;geld;2026-03-31\r\n"
	                              "B;wonen;other;geld;2026-03-31\r\n"
	                              "C;wonen;formal;geld,x;2026-03-31\r\n"
	                              "D;wonen;formal;geld;31-3-2026\r\n"
	                              ";wonen\r\n"
	                              "E\r\n";
	static const struct {
		size_t row;
		const char *column;
	} odd[] = { { 3, "group" }, { 4, "kind" }, { 5, "domains" }, { 6, "checked_on" }, { 7, "name" } };
	struct directory_import im = { 0 };
	struct errctx ec = { 0 };

	assert_int_equal(flat_import(&ec, "x.csv", (struct bytes){ (const uint8_t *)content, strlen(content) }, &im),
	                 ERR_OK);
	assert_int_equal(im.entries, 6);
	assert_string_equal(im.entry[0].group, "initiatief");
	assert_string_equal(im.entry[0].domains, "meedoen,taal");
	assert_string_equal(im.entry[1].group, "anders");
	assert_string_equal(im.entry[2].kind, "formal");
	assert_null(im.entry[3].domains);
	assert_null(im.entry[4].checked_on);
	assert_string_equal(im.entry[5].group, "anders");
	assert_int_equal(im.rejects, sizeof(odd) / sizeof(*odd));
	for (size_t i = 0; i < im.rejects; i++) {
		assert_string_equal(im.reject[i].file, "x.csv");
		assert_int_equal(im.reject[i].row, odd[i].row);
		assert_string_equal(im.reject[i].column, odd[i].column);
	}
	directory_import_clear(&im);
	assert_int_equal(flat_import(&ec, "x.csv", (struct bytes){ (const uint8_t *)"a,b\n", 4 }, &im), ERR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(san_mateo_is_imported),
		cmocka_unit_test(what_belongs_together_is_joined),
		cmocka_unit_test(odd_rows_are_named),
		cmocka_unit_test(each_kind_of_odd_row),
		cmocka_unit_test(a_folder_that_is_none_is_refused),
		cmocka_unit_test(the_flat_file_reads_back),
		cmocka_unit_test(the_flat_file_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
