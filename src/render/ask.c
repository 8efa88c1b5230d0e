// SPDX-License-Identifier: EUPL-1.2
// JSON in, over jansson, which refuses NUL and broken UTF-8 by itself.
#include "render/ask.h"

#include <jansson.h>
#include <stdlib.h>

struct ask {
	json_t *root;
};

enum err ask_parse(struct errctx *ec, struct bytes json, struct ask **out)
{
	struct ask *a = calloc(1, sizeof(*a));
	json_error_t why;

	*out = NULL;
	if (a == NULL)
		return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.",
		               NULL, NULL, NULL);
	a->root = json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(a->root)) {
		ask_free(a);
		return err_set(
		    ec, ERR_INPUT,
		    "There is a character in it that cannot be kept. Remove strange characters and try again.", NULL,
		    NULL, NULL);
	}
	*out = a;
	return ERR_OK;
}

void ask_free(struct ask *a)
{
	if (a != NULL)
		json_decref(a->root);
	free(a);
}

const char *ask_text(const struct ask *a, const char *key)
{
	return json_string_value(json_object_get(a->root, key));
}

bool ask_flag(const struct ask *a, const char *key)
{
	return json_is_true(json_object_get(a->root, key));
}

int64_t ask_number(const struct ask *a, const char *key, int64_t otherwise)
{
	json_t *v = json_object_get(a->root, key);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

const char *ask_list(const struct ask *a, struct pool *p, const char *key)
{
	json_t *list = json_object_get(a->root, key);
	struct buf b = { 0 };
	const char *text = NULL;
	bool fine = json_is_array(list);

	for (size_t i = 0; fine && i < json_array_size(list); i++) {
		const char *item = json_string_value(json_array_get(list, i));

		fine = item != NULL && (i == 0 || buf_put_byte(&b, ',') == ERR_OK) && buf_put_str(&b, item) == ERR_OK;
	}
	if (fine)
		text = pool_text(p, buf_bytes(&b));
	buf_free(&b);
	return text;
}
