// SPDX-License-Identifier: EUPL-1.2
// Goal: an export holds everything of mine and nothing else: each version and event, the records without a date or a
// conversation, and no key, device of a tally or setting; what people typed cannot act in a browser or a spreadsheet;
// the conversations read back as they were; equal states give equal bytes.
// Seen to catch: "<" left as it is, a text in an attribute, a retracted event
// dropped, an unknown field dropped, the second version left out of versions.csv, a circle that was only asked for.
#include <unistd.h>

#include "app/desk.h"
#include "render/export.h"
#include "render/import.h"

#define EVIL "\"><script>alert('x')</script><img src=x onerror=y>&amp;\xE2\x80\xAE javascript:1\x1B[31m"

struct files {
	char *text[EXPORT_FILES];
	size_t len[EXPORT_FILES];
	size_t rows[EXPORT_FILES];
};

static void export_all(struct desk *d, enum lang lang, struct files *out)
{
	struct export_sink s = { .lang = lang };

	memset(out, 0, sizeof(*out));
	for (int f = 0; f < EXPORT_FILES; f++) {
		s.file[f] = open_memstream(&out->text[f], &out->len[f]);
		assert_non_null(s.file[f]);
	}
	assert_int_equal(export_write(&d->ec, d->app, &s), ERR_OK);
	for (int f = 0; f < EXPORT_FILES; f++) {
		assert_int_equal(fclose(s.file[f]), 0);
		out->rows[f] = s.rows[f];
	}
}

static void files_free(struct files *f)
{
	for (int i = 0; i < EXPORT_FILES; i++)
		free(f->text[i]);
}

static void holds(const struct files *f, enum export_file file, const char *words)
{
	if (strstr(f->text[file], words) == NULL)
		fail_msg("%s lacks: %s\n%.3000s", export_file_name(file), words, f->text[file]);
}

static void lacks(const struct files *f, enum export_file file, const char *words)
{
	if (strstr(f->text[file], words) != NULL)
		fail_msg("%s holds: %s", export_file_name(file), words);
}

static void contact(struct desk *d, const struct contact_fields *f, char id[static ID_TEXT_LEN])
{
	char said[512];

	if (contact_add(&d->ec, d->app, "Tafel", f, id) != ERR_OK)
		fail_msg("%s", err_text(&d->ec, NULL, said, sizeof(said)));
}

static void everything_is_there(void **state)
{
	struct contact_fields f = { .date = "2026-11-01", .resident = "Omar", .text = "eerste", .domains = "geld" };
	struct referral_fields to = { .service_name = "De Brug", .group = "zorg", .kind = "mee", .date = "2026-11-02" };
	struct status_change change = { .status = "afspraak", .date = "2026-11-03" };
	struct status_change wrong = { .status = "fout" };
	struct referral_made made;
	struct referral_made next;
	struct draft draft = { 0 };
	struct dot dot = { 0 };
	struct desk d;
	struct files out;
	char id[ID_TEXT_LEN];
	char bare[ID_TEXT_LEN];
	char gone[ID_TEXT_LEN];

	desk_open(&d);
	desk_space(&d, SPACE_CIRCLE, "Tafel", NULL);
	desk_space(&d, SPACE_NEIGHBOURHOOD, "Bos", "coordinator");
	contact(&d, &f, id);
	assert_int_equal(referral_add(&d.ec, d.app, id, &to, &made), ERR_OK);
	assert_int_equal(referral_status(&d.ec, d.app, made.id, &change, bare, &next), ERR_OK);
	assert_int_equal(referral_status(&d.ec, d.app, made.id, &wrong, bare, &next), ERR_OK);
	/* two versions, and a field of a newer program */
	draft_long_text(&draft, F_contact_text, "eerste", "zmarkapart");
	draft_text(&draft, FIELD_TAG(99, CLASS_REG), "zmarknieuw");
	desk_other(&d, id, 0x31, 1, &draft);
	assert_int_equal(contact_edit(&d.ec, d.app, id, &(struct contact_fields){ .text = "zmarkhier" }, bare), ERR_OK);
	draft_long_text(&draft, F_contact_text, "eerste", "zmarkdaar");
	desk_other(&d, id, 0x32, 1, &draft);
	/* without a date */
	f = (struct contact_fields){ .text = "zmarkloos" };
	contact(&d, &f, bare);
	draft_null(&draft, F_contact_date);
	desk_other(&d, bare, 0x33, 1, &draft);
	/* a referral of which the conversation was erased */
	f.text = "zmarkgewist";
	contact(&d, &f, gone);
	to.domain = "taal";
	to.service_name = "zmarkwees";
	assert_int_equal(referral_add(&d.ec, d.app, gone, &to, &made), ERR_OK);
	draft_bool(&draft, F_any_erased, true);
	desk_other(&d, gone, 0x34, 1, &draft);
	assert_true(dot_parse(gone, &dot));

	export_all(&d, LANG_NL, &out);
	assert_int_equal(out.rows[EXPORT_CONTACTS_CSV], 2);
	assert_int_equal(out.rows[EXPORT_LOG], 2);
	assert_int_equal(out.rows[EXPORT_REFERRALS_CSV], 2);
	assert_int_equal(out.rows[EXPORT_EVENTS_CSV], 2);
	assert_int_equal(out.rows[EXPORT_RESIDENTS_CSV], 1);
	assert_int_equal(out.rows[EXPORT_MEMBERS_CSV], 2);
	for (int file = EXPORT_HTML; file < EXPORT_FILES; file++) {
		lacks(&out, (enum export_file)file, "zmarkgewist");
		if (file == EXPORT_HTML || file == EXPORT_JSON || file == EXPORT_VERSIONS_CSV) {
			holds(&out, (enum export_file)file, "zmarkhier");
			holds(&out, (enum export_file)file, "zmarkdaar");
		}
		if (file == EXPORT_HTML || file == EXPORT_JSON || file == EXPORT_CONTACTS_CSV || file == EXPORT_LOG)
			holds(&out, (enum export_file)file, "zmarkloos");
		if (file == EXPORT_HTML || file == EXPORT_JSON || file == EXPORT_REFERRALS_CSV)
			holds(&out, (enum export_file)file, "zmarkwees");
	}
	holds(&out, EXPORT_HTML, "Het gesprek staat hier niet.");
	holds(&out, EXPORT_JSON, "\"field\":\"#99\"");
	holds(&out, EXPORT_JSON, "\"raw\":\"6a7a6d61726b6e69657577\"");
	holds(&out, EXPORT_JSON, "\"takes_back\":");
	holds(&out, EXPORT_JSON, "[\"afspraak\",\"2026-11-03\"]");
	lacks(&out, EXPORT_EVENTS_CSV, "afspraak");
	files_free(&out);
	desk_close(&d);
}

static void nothing_else_is_there(void **state)
{
	struct draft draft = { 0 };
	struct change c = { 0 };
	struct space_row asked = { .kind = SPACE_CIRCLE, .name = "zmarkgevraagd", .state = SPACE_ASKED };
	struct dot id = { 0 };
	struct desk d;
	struct files out;

	desk_open(&d);
	d.neighbourhood = desk_space(&d, SPACE_NEIGHBOURHOOD, "Bos", "coordinator");
	assert_int_equal(store_begin(&d.ec, d.app->store), ERR_OK);
	for (uint32_t kind = KIND_plan; kind <= KIND_setting + 20; kind++) {
		draft_text(&draft, FIELD_TAG(1, CLASS_REG), "zmarkgeheim");
		c = (struct change){ .space = d.neighbourhood, .kind = kind };
		assert_int_equal(draft_writes(&draft, &c.writes, &c.write_count), ERR_OK);
		assert_int_equal(store_write(&d.ec, d.app->store, &c, d.now_ms, &id), ERR_OK);
		draft_free(&draft);
	}
	memset(asked.id.b, 9, sizeof(asked.id.b));
	assert_int_equal(store_space_add(&d.ec, d.app->store, &asked), ERR_OK);
	assert_int_equal(store_kept_put(&d.ec, d.app->store, d.neighbourhood, "invite/x",
	                                (struct bytes){ (const uint8_t *)"zmarkgeheim", 11 }),
	                 ERR_OK);
	assert_int_equal(store_commit(&d.ec, d.app->store), ERR_OK);
	export_all(&d, LANG_EN, &out);
	for (int file = 0; file < EXPORT_FILES; file++) {
		lacks(&out, (enum export_file)file, "zmarkgeheim");
		lacks(&out, (enum export_file)file, "zmarkgevraagd");
	}
	files_free(&out);
	desk_close(&d);
}

/* Every tag of the page is one of ours and holds nothing that was typed. */
static void check_tags(const char *page)
{
	static const char *const names[] = { "!DOCTYPE", "html", "head", "meta", "title",   "style",   "body", "header",
		                             "h1",       "h2",   "h3",   "h4",   "h5",      "p",       "nav",  "ul",
		                             "ol",       "li",   "a",    "main", "section", "article", "dl",   "div",
		                             "dt",       "dd",   "bdi",  "time", "span" };
	static const char *const never[] = { "src=",    "http:",  "https:",     "url(",
		                             "onerror", "script", "javascript", "zmark" };

	for (const char *p = strchr(page, '<'); p != NULL; p = strchr(p, '<')) {
		const char *end = strchr(p, '>');
		char tag[512];
		size_t len = 0;
		bool known = false;

		assert_non_null(end);
		p += p[1] == '/' ? 2 : 1;
		len = strcspn(p, " >\n");
		assert_true((size_t)(end - p) < sizeof(tag));
		snprintf(tag, sizeof(tag), "%.*s", (int)(end - p), p);
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			known = known || (strlen(names[i]) == len && strncmp(names[i], p, len) == 0);
		if (!known)
			fail_msg("a tag <%s>", tag);
		for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
			if (strstr(tag, never[i]) != NULL)
				fail_msg("in a tag: <%s>", tag);
		}
		p = end;
	}
}

static void what_was_typed_cannot_act(void **state)
{
	struct contact_fields f = {
		.date = "2026-11-01", .resident = "zmark\"><b>", .text = "zmark" EVIL, .domains = "geld"
	};
	struct referral_fields to = {
		.service_name = "zmark'><a href=x>", .group = "zorg", .kind = "mee", .text = "zmark" EVIL
	};
	struct resident_fields who = { .nick = "=zmark</bdi>", .number = "zmark<i>", .note = "zmark" EVIL };
	struct referral_made made;
	struct desk d;
	struct files out;
	char id[ID_TEXT_LEN];

	desk_open(&d);
	desk_space(&d, SPACE_CIRCLE, "Tafel", NULL);
	desk_space(&d, SPACE_CIRCLE, "zmark\" onclick=\"x", NULL);
	contact(&d, &f, id);
	assert_int_equal(referral_add(&d.ec, d.app, id, &to, &made), ERR_OK);
	assert_int_equal(resident_add(&d.ec, d.app, "Tafel", &who, id), ERR_OK);
	for (int lang = 0; lang < LANG_COUNT; lang++) {
		export_all(&d, (enum lang)lang, &out);
		check_tags(out.text[EXPORT_HTML]);
		lacks(&out, EXPORT_HTML, "\x1B");
		holds(&out, EXPORT_HTML, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
		holds(&out, EXPORT_HTML, "default-src 'none'");
		holds(&out, EXPORT_HTML, lang == LANG_AR ? "dir=\"rtl\"" : "dir=\"ltr\"");
		holds(&out, EXPORT_RESIDENTS_CSV, "\"'=zmark</bdi>\"");
		files_free(&out);
	}
	desk_close(&d);
}

/* Texts that CSV could lose, out and in again in another home. */
static void conversations_read_back(void **state)
{
	static const char *const texts[] = { "=1+1",
		                             "'=1",
		                             "''-x",
		                             "'t huis",
		                             "a\nb",
		                             "a\r\nb",
		                             "\ttab",
		                             " blank ",
		                             "\"",
		                             "a,b;c",
		                             "@x\r",
		                             "+31 20",
		                             "\xE2\x80\xAE\xD9\x85",
		                             "id",
		                             "-",
		                             "'",
		                             "\r\n=2",
		                             EVIL };
	const size_t n = sizeof(texts) / sizeof(*texts);
	struct contact_query all = { 0 };
	struct contact_list list;
	struct import_log log;
	struct import_made counts;
	struct desk d;
	struct desk other;
	struct files out;
	char id[ID_TEXT_LEN];

	desk_open(&d);
	desk_space(&d, SPACE_CIRCLE, "Tafel", NULL);
	for (size_t i = 0; i < n; i++) {
		struct contact_fields f = { .text = texts[i] };

		contact(&d, &f, id);
	}
	export_all(&d, LANG_NL, &out);
	desk_close(&d);
	for (int file = EXPORT_LOG; file <= EXPORT_CONTACTS_CSV; file++) {
		struct bytes in = { (const uint8_t *)out.text[file], out.len[file] };
		bool found[sizeof(texts) / sizeof(*texts)] = { false };

		desk_open(&other);
		desk_space(&other, SPACE_CIRCLE, "Tafel", NULL);
		assert_int_equal(import_parse(&other.ec, "c.csv", in, &log), ERR_OK);
		assert_int_equal(import_run(&other.ec, other.app, &log, NULL, NULL, NULL, &counts), ERR_OK);
		assert_int_equal(counts.contacts, n);
		assert_int_equal(contact_list_some(&other.ec, other.app, &all, &list), ERR_OK);
		for (size_t i = 0; i < list.n; i++)
			for (size_t k = 0; k < n; k++)
				found[k] = found[k] || strcmp(list.item[i].text, texts[k]) == 0;
		for (size_t k = 0; k < n; k++)
			if (!found[k])
				fail_msg("lost: %s", texts[k]);
		contact_list_free(&list);
		import_log_free(&log);
		desk_close(&other);
	}
	files_free(&out);
}

static void equal_states_give_equal_bytes(void **state)
{
	struct contact_fields f = { .date = "2026-11-01", .resident = "Omar", .text = "eerste", .domains = "geld" };
	struct desk d;
	struct files one;
	struct files two;
	char id[ID_TEXT_LEN];

	desk_open(&d);
	desk_space(&d, SPACE_CIRCLE, "Tafel", NULL);
	contact(&d, &f, id);
	export_all(&d, LANG_NL, &one);
	d.now_ms += 1000;
	export_all(&d, LANG_NL, &two);
	for (int file = 0; file < EXPORT_FILES; file++) {
		assert_int_equal(one.len[file], two.len[file]);
		assert_memory_equal(one.text[file], two.text[file], one.len[file]);
	}
	files_free(&one);
	files_free(&two);
	desk_close(&d);
}

static bool stop_now(void *ctx)
{
	return true;
}

static void a_full_disk_and_a_stop_are_told(void **state)
{
	struct contact_fields f = { .text = "x" };
	struct desk d;
	char id[ID_TEXT_LEN];

	desk_open(&d);
	desk_space(&d, SPACE_CIRCLE, "Tafel", NULL);
	for (int i = 0; i < 200; i++)
		contact(&d, &f, id);
	for (int full = 0; full < EXPORT_FILES; full++) {
		struct export_sink s = { .lang = LANG_NL };
		enum err e = ERR_OK;

		for (int i = 0; i < EXPORT_FILES; i++) {
			s.file[i] = fopen(i == full ? "/dev/full" : "/dev/null", "w");
			assert_non_null(s.file[i]);
			if (i == full)
				setvbuf(s.file[i], NULL, _IONBF, 0);
		}
		desk_clear(&d);
		e = export_write(&d.ec, d.app, &s);
		for (int i = 0; i < EXPORT_FILES; i++)
			fclose(s.file[i]);
		assert_int_equal(e, ERR_NO_SPACE);
		assert_string_equal(d.ec.arg[0], export_file_name((enum export_file)full));
	}
	desk_clear(&d);
	struct export_sink s = { .lang = LANG_NL, .stop = stop_now };

	for (int i = 0; i < EXPORT_FILES; i++)
		s.file[i] = fopen("/dev/null", "w");
	assert_int_equal(export_write(&d.ec, d.app, &s), ERR_LATER);
	for (int i = 0; i < EXPORT_FILES; i++)
		fclose(s.file[i]);
	desk_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_there),           cmocka_unit_test(nothing_else_is_there),
		cmocka_unit_test(what_was_typed_cannot_act),     cmocka_unit_test(conversations_read_back),
		cmocka_unit_test(equal_states_give_equal_bytes), cmocka_unit_test(a_full_disk_and_a_stop_are_told),
	};

	return cmocka_run_group_tests_name("render/export", tests, NULL, NULL);
}
