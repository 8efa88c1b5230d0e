// SPDX-License-Identifier: EUPL-1.2
// Guarded memory for what a person types as a secret (V1).
#include "app/secret_text.h"

#include <string.h>

#include "crypto/secret.h"

struct secret_text *secret_text_new(void)
{
	struct secret_text *s = NULL;

	if (crypto_start() != ERR_OK)
		return NULL;
	s = secret_new(sizeof(*s));
	if (s != NULL)
		memset(s, 0, sizeof(*s));
	return s;
}

void secret_text_free(struct secret_text *s)
{
	secret_free(s);
}
