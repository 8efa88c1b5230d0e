// SPDX-License-Identifier: EUPL-1.2
// HSDS 1.x in CSV to flat entries: services.csv in its own order, each row joined with what belongs to it.
#include "render/hsds.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/tr.h"
#include "render/hours.h"
#include "render/hsds_files.h"
#include "render/terms.h"

/* How far a term's parents are followed; more than any taxonomy has, so that a circle ends. */
#define TAXONOMY_DEPTH 8

/* A row of services.csv and the rows it is joined to; 0 where there is none. */
struct joined {
	size_t service;
	size_t location;
	size_t organization;
};

static enum err put(struct hsds *h, struct buf *out, const char *divider, const char *text)
{
	if (*text == '\0')
		return ERR_OK;
	if ((out->len > 0 && buf_put_str(out, divider) != ERR_OK) || buf_put_str(out, text) != ERR_OK)
		return hsds_no_memory(h->ec);
	return ERR_OK;
}

/* The next piece of a list divided by commas, without spaces around it; false at the end. A comma within
 * parentheses divides nothing. */
static bool next_of_list(const char **list, const char **piece, size_t *len)
{
	const char *p = *list;
	const char *end = NULL;
	int depth = 0;

	while (*p == ' ' || *p == ',')
		p++;
	if (*p == '\0')
		return false;
	for (end = p; *end != '\0' && (*end != ',' || depth > 0); end++)
		depth += (*end == '(') - (*end == ')' && depth > 0);
	*list = end;
	while (end > p && end[-1] == ' ')
		end--;
	*piece = p;
	*len = (size_t)(end - p);
	return true;
}

/* The first that has a value: the service, its location, its organisation. */
static const char *nearest(const struct hsds *h, const struct joined *j, const char *column)
{
	const char *text = hsds_cell(h, SERVICES, j->service, column);

	if (*text == '\0' && j->location != 0)
		text = hsds_cell(h, LOCATIONS, j->location, column);
	if (*text == '\0' && j->organization != 0)
		text = hsds_cell(h, ORGANIZATIONS, j->organization, column);
	return text;
}

/* The rows of the nearest owner that has any. */
static struct hsds_rows nearest_rows(const struct hsds *h, const struct joined *j, const enum hsds_index index[3])
{
	const struct {
		enum hsds_file file;
		size_t row;
	} owner[] = { { SERVICES, j->service }, { LOCATIONS, j->location }, { ORGANIZATIONS, j->organization } };
	struct hsds_rows rows = { NULL, 0 };

	for (size_t i = 0; i < sizeof(owner) / sizeof(*owner) && rows.count == 0; i++)
		if (owner[i].row != 0 && index[i] != HSDS_INDICES)
			rows = hsds_find(h, index[i], hsds_cell(h, owner[i].file, owner[i].row, "id"));
	return rows;
}

// ---- The fields that are put together ----

/* "+1 650 403-4300 ext. 4385 (English)" */
static enum err put_phone(struct hsds *h, size_t row, struct buf *out)
{
	const char *type = hsds_cell(h, PHONES, row, "number_type");
	const char *prefix = hsds_cell(h, PHONES, row, "country_prefix");
	const char *what = hsds_cell(h, PHONES, row, "department");
	enum err e = ERR_OK;

	if (strcasecmp(type, "fax") == 0)
		return ERR_OK;
	if (*what == '\0' && strcasecmp(type, "voice") != 0)
		what = type;
	e = put(h, out, "; ", prefix);
	if (e == ERR_OK)
		e = put(h, out, *prefix != '\0' ? " " : "; ", hsds_cell(h, PHONES, row, "number"));
	if (e == ERR_OK)
		e = put(h, out, " ext. ", hsds_cell(h, PHONES, row, "extension"));
	if (e == ERR_OK)
		e = put(h, out, " (", what);
	return e == ERR_OK && *what != '\0' ? put(h, out, "", ")") : e;
}

static enum err put_phones(struct hsds *h, const struct joined *j, struct buf *out)
{
	static const enum hsds_index index[] = { PHONE_BY_SERVICE, PHONE_BY_LOCATION, PHONE_BY_ORGANIZATION };
	struct hsds_rows rows = nearest_rows(h, j, index);
	enum err e = ERR_OK;

	for (size_t i = 0; i < rows.count && e == ERR_OK; i++)
		e = put_phone(h, rows.row[i], out);
	return e;
}

static enum err put_hours(struct hsds *h, const struct joined *j, struct buf *out)
{
	static const enum hsds_index index[] = { SCHEDULE_BY_SERVICE, SCHEDULE_BY_LOCATION, HSDS_INDICES };
	struct hsds_rows rows = nearest_rows(h, j, index);
	struct hours hours = { 0 };
	enum err e = ERR_OK;

	for (size_t i = 0; i < rows.count && e == ERR_OK; i++) {
		size_t row = rows.row[i];

		if (hours_add(&hours, hours_weekday(hsds_cell(h, SCHEDULES, row, "weekday")),
		              hours_time(hsds_cell(h, SCHEDULES, row, "opens_at")),
		              hours_time(hsds_cell(h, SCHEDULES, row, "closes_at"))) != ERR_OK)
			e = hsds_reject(h, SCHEDULES, row, "weekday", TR("There are too many opening times on %1."));
	}
	if (e == ERR_OK && hours_put(&hours, out) != ERR_OK)
		e = hsds_no_memory(h->ec);
	return e;
}

static enum err put_address(struct hsds *h, const struct joined *j, struct buf *out)
{
	static const struct {
		const char *divider;
		const char *column;
	} part[] = {
		{ "", "address_1" },        { ", ", "address_2" },  { ", ", "city" },
		{ ", ", "state_province" }, { " ", "postal_code" },
	};
	size_t row =
	    j->location == 0 ? 0 : hsds_row(h, ADDRESS_BY_LOCATION, hsds_cell(h, LOCATIONS, j->location, "id"));
	enum err e = ERR_OK;

	for (size_t i = 0; row != 0 && i < sizeof(part) / sizeof(*part) && e == ERR_OK; i++)
		e = put(h, out, part[i].divider, hsds_cell(h, ADDRESSES, row, part[i].column));
	return e;
}

static enum err put_languages(struct hsds *h, const struct joined *j, struct buf *out)
{
	const char *list = nearest(h, j, "languages");
	const char *name = NULL;
	size_t len = 0;
	enum err e = ERR_OK;

	while (e == ERR_OK && next_of_list(&list, &name, &len)) {
		const char *code = terms_language(name, len);

		if (out->len > 0)
			e = buf_put_byte(out, ',');
		if (e == ERR_OK)
			e = code != NULL ? buf_put_str(out, code) : buf_put(out, name, len);
	}
	return e == ERR_OK ? ERR_OK : hsds_no_memory(h->ec);
}

// ---- Group and domains ----

/* A term of the taxonomy and all above it. */
static void hear_taxonomy(const struct hsds *h, size_t row, struct terms *terms)
{
	for (int depth = 0; row != 0 && depth < TAXONOMY_DEPTH; depth++) {
		const char *name = hsds_cell(h, TAXONOMY, row, "name");

		terms_hear(terms, name, strlen(name));
		row = hsds_row(h, TERM_BY_ID, hsds_cell(h, TAXONOMY, row, "parent_id"));
	}
}

static enum err hear_service(struct hsds *h, size_t service, struct terms *terms)
{
	const char *list = hsds_cell(h, SERVICES, service, "keywords");
	const char *piece = NULL;
	size_t len = 0;
	enum err e = ERR_OK;

	while (next_of_list(&list, &piece, &len))
		terms_hear(terms, piece, len);
	list = hsds_cell(h, SERVICES, service, "taxonomy_ids");
	while (e == ERR_OK && next_of_list(&list, &piece, &len)) {
		char *id = strndup(piece, len);
		size_t row = id == NULL ? 0 : hsds_row(h, TERM_BY_ID, id);

		if (id == NULL)
			e = hsds_no_memory(h->ec);
		else if (row == 0)
			e = hsds_reject_value(h, SERVICES, service, "taxonomy_ids",
			                      TR("The taxonomy has no term with the id %1."), id);
		hear_taxonomy(h, row, terms);
		free(id);
	}
	return e;
}

// ---- Entries ----

/* Moves what was collected into a member of the entry. */
static enum err keep(struct hsds *h, struct buf *text, char **member)
{
	enum err e = buf_terminate(text);

	if (e == ERR_OK && text->len > 0) {
		*member = strdup((const char *)text->data);
		e = *member == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	buf_free(text);
	return e == ERR_OK ? ERR_OK : hsds_no_memory(h->ec);
}

static enum err keep_text(struct hsds *h, const char *text, char **member)
{
	struct buf copy = { 0 };
	enum err e = put(h, &copy, "", text);

	return e == ERR_OK ? keep(h, &copy, member) : e;
}

static enum err copy_texts(struct hsds *h, const struct joined *j, struct directory_entry *entry)
{
	const char *eligibility = hsds_cell(h, SERVICES, j->service, "eligibility");
	const struct {
		const char *text;
		char **member;
	} texts[] = {
		{ hsds_cell(h, SERVICES, j->service, "name"), &entry->name },
		{ j->organization == 0 ? "" : hsds_cell(h, ORGANIZATIONS, j->organization, "name"),
		  &entry->organisation },
		{ "formal", &entry->kind },
		{ hsds_cell(h, SERVICES, j->service, "description"), &entry->description },
		{ *eligibility != '\0' ? eligibility : hsds_cell(h, SERVICES, j->service, "audience"),
		  &entry->eligibility },
		{ hsds_cell(h, SERVICES, j->service, "required_documents"), &entry->documents },
		{ hsds_cell(h, SERVICES, j->service, "application_process"), &entry->application },
		{ nearest(h, j, "email"), &entry->email },
		{ nearest(h, j, "website"), &entry->website },
		{ hsds_cell(h, SERVICES, j->service, "fees"), &entry->cost },
	};
	enum err e = ERR_OK;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) && e == ERR_OK; i++)
		e = keep_text(h, texts[i].text, texts[i].member);
	return e;
}

static enum err make_entry(struct hsds *h, const struct joined *j, struct directory_entry *entry)
{
	const struct {
		enum err (*put)(struct hsds *h, const struct joined *j, struct buf *out);
		char **member;
	} made[] = {
		{ put_phones, &entry->phone },
		{ put_hours, &entry->hours },
		{ put_address, &entry->address },
		{ put_languages, &entry->languages },
	};
	struct terms terms = { 0 };
	struct buf text = { 0 };
	enum err e = copy_texts(h, j, entry);

	for (size_t i = 0; i < sizeof(made) / sizeof(*made) && e == ERR_OK; i++) {
		e = made[i].put(h, j, &text);
		if (e == ERR_OK)
			e = keep(h, &text, made[i].member);
	}
	if (e == ERR_OK)
		e = hear_service(h, j->service, &terms);
	if (e == ERR_OK)
		e = keep_text(h, terms_group(&terms), &entry->group);
	if (e == ERR_OK && terms_domains(&terms, &text) != ERR_OK)
		e = hsds_no_memory(h->ec);
	if (e == ERR_OK)
		e = keep(h, &text, &entry->domains);
	if (e == ERR_OK)
		e = put(h, &text, "", "hsds:");
	if (e == ERR_OK)
		e = put(h, &text, "", hsds_cell(h, SERVICES, j->service, "id"));
	if (e == ERR_OK)
		e = keep(h, &text, &entry->source);
	buf_free(&text);
	return e;
}

/* What a service is joined to; an id that leads nowhere is reported and the service imported without. */
static enum err join(struct hsds *h, struct joined *j)
{
	const char *location = hsds_cell(h, SERVICES, j->service, "location_id");
	const char *organization = hsds_cell(h, SERVICES, j->service, "organization_id");
	enum hsds_file named_in = SERVICES;
	size_t row = j->service;
	enum err e = ERR_OK;

	j->location = hsds_row(h, LOCATION_BY_ID, location);
	if (*location != '\0' && j->location == 0)
		e = hsds_reject(h, SERVICES, j->service, "location_id",
		                TR("There is no row with the id %1 to join this to."));
	if (*organization == '\0' && j->location != 0) {
		named_in = LOCATIONS;
		row = j->location;
		organization = hsds_cell(h, LOCATIONS, row, "organization_id");
	}
	j->organization = hsds_row(h, ORGANIZATION_BY_ID, organization);
	if (e == ERR_OK && *organization != '\0' && j->organization == 0)
		e = hsds_reject(h, named_in, row, "organization_id",
		                TR("There is no row with the id %1 to join this to."));
	return e;
}

static enum err import_service(struct hsds *h, size_t row)
{
	const char *status = hsds_cell(h, SERVICES, row, "status");
	struct joined j = { .service = row };
	struct directory_entry entry = { 0 };
	enum err e = ERR_OK;

	if (*hsds_cell(h, SERVICES, row, "name") == '\0')
		return hsds_reject(h, SERVICES, row, "name", TR("The name is missing."));
	if (*status != '\0' && strcasecmp(status, "active") != 0)
		return hsds_reject(h, SERVICES, row, "status", TR("This is not offered now: %1."));
	e = join(h, &j);
	if (e == ERR_OK)
		e = make_entry(h, &j, &entry);
	if (e == ERR_OK && directory_import_add(h->out, &entry) != ERR_OK)
		e = hsds_no_memory(h->ec);
	directory_entry_clear(&entry);
	return e;
}

enum err hsds_import(struct errctx *ec, const struct hsds_folder *folder, struct directory_import *out)
{
	struct hsds h = { .ec = ec, .out = out };
	enum err e = ERR_OK;

	*out = (struct directory_import){ 0 };
	e = hsds_load(&h, folder);
	if (e == ERR_OK && csv_table_column(&h.table[SERVICES], "name") == SIZE_MAX)
		e = err_set(ec, ERR_INPUT, "%1, row 1: there is no column with the name %2.", "services.csv", "name",
		            NULL);
	for (size_t row = 1; row < h.table[SERVICES].rows && e == ERR_OK; row++)
		if (h.usable[SERVICES][row])
			e = import_service(&h, row);
	hsds_free(&h);
	if (e != ERR_OK)
		directory_import_clear(out);
	return e;
}
