// SPDX-License-Identifier: EUPL-1.2
// Memory of directory entries and of what an import could not use.
#include "app/directory.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define VALUE_MAX 120

static const char *const field_name[DIRECTORY_FIELD_COUNT] = {
#define X(field) #field,
	DIRECTORY_FIELDS(X)
#undef X
};

static const size_t field_offset[DIRECTORY_FIELD_COUNT] = {
#define X(field) offsetof(struct directory_entry, field),
	DIRECTORY_FIELDS(X)
#undef X
};

const char *directory_field_name(size_t field)
{
	return field_name[field];
}

char **directory_field(struct directory_entry *e, size_t field)
{
	return (char **)(void *)((char *)e + field_offset[field]);
}

void directory_entry_clear(struct directory_entry *e)
{
	for (size_t i = 0; i < DIRECTORY_FIELD_COUNT; i++)
		free(*directory_field(e, i));
	*e = (struct directory_entry){ 0 };
}

void directory_import_clear(struct directory_import *import)
{
	for (size_t i = 0; i < import->entries; i++)
		directory_entry_clear(&import->entry[i]);
	for (size_t i = 0; i < import->rejects; i++) {
		free(import->reject[i].file);
		free(import->reject[i].column);
		free(import->reject[i].value);
	}
	free(import->entry);
	free(import->reject);
	*import = (struct directory_import){ 0 };
}

enum err directory_import_add(struct directory_import *import, struct directory_entry *e)
{
	struct directory_entry *entry = array_grown(import->entry, import->entries, sizeof(*entry));

	if (entry == NULL) {
		directory_entry_clear(e);
		return ERR_NO_MEMORY;
	}
	import->entry = entry;
	import->entry[import->entries++] = *e;
	*e = (struct directory_entry){ 0 };
	return ERR_OK;
}

/* At most VALUE_MAX bytes, not ending inside a character; control characters become spaces. */
static char *one_line(const char *text)
{
	size_t len = strnlen(text, VALUE_MAX + 1);
	char *copy = NULL;

	if (len > VALUE_MAX) {
		len = VALUE_MAX;
		while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
			len--;
	}
	copy = strndup(text, len);
	for (char *p = copy; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7F)
			*p = ' ';
	return copy;
}

enum err directory_import_reject(struct directory_import *import, const char *file, size_t row, const char *column,
                                 const char *why, const char *value)
{
	struct directory_reject *reject = array_grown(import->reject, import->rejects, sizeof(*reject));
	struct directory_reject new = { .row = row, .why = why };

	if (reject == NULL)
		return ERR_NO_MEMORY;
	import->reject = reject;
	new.file = strdup(file);
	new.column = strdup(column);
	new.value = one_line(value);
	if (new.file == NULL || new.column == NULL || new.value == NULL) {
		free(new.file);
		free(new.column);
		free(new.value);
		return ERR_NO_MEMORY;
	}
	import->reject[import->rejects++] = new;
	return ERR_OK;
}
