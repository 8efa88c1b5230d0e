// SPDX-License-Identifier: EUPL-1.2
// Text in a page of HTML.
#include "render/html.h"

#include <stdbool.h>

#include "base/utf8.h"

/* Characters that have no place in a page: controls but for line ends and tabs. */
static bool is_control(uint32_t c)
{
	return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0);
}

void html_put(FILE *out, const char *text)
{
	for (const char *p = text; *p != '\0';) {
		const char *from = p;
		uint32_t c = utf8_next(&p);

		if (c == '&')
			fputs("&amp;", out);
		else if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if (c == '\'')
			fputs("&#39;", out);
		else if (is_control(c))
			fputs(c == '\r' ? "" : "\xEF\xBF\xBD", out);
		else
			fwrite(from, 1, (size_t)(p - from), out);
	}
}
