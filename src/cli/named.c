// SPDX-License-Identifier: EUPL-1.2
// Which files a command line names.
#include "cli/named.h"

#include <stdlib.h>
#include <string.h>

#include "cli/files.h"

/* Does a step of the path lead upwards? */
static bool climbs(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")) != NULL; p += 2)
		if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return true;
	return false;
}

static bool below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	while (len > 0 && folder[len - 1] == '/')
		len--;
	return len > 0 && strncmp(path, folder, len) == 0 && path[len] == '/' && !climbs(path + len);
}

/* Is `path` the folder that `word` stands in? */
static bool holds(const char *path, const char *word)
{
	const char *slash = strrchr(word, '/');

	if (slash == NULL)
		return strcmp(path, ".") == 0;
	return strlen(path) == (size_t)(slash - word) && strncmp(path, word, strlen(path)) == 0;
}

static bool word_names(const char *word, const char *path, bool open_dir)
{
	char *part = NULL;
	bool yes = false;

	if (word[0] == '\0')
		return false;
	if (strcmp(word, path) == 0 || below(path, word) || (open_dir && holds(path, word)))
		return true;
	part = files_part_of(word);
	yes = part != NULL && below(path, part);
	free(part);
	return yes;
}

bool named_has(const struct named *n, const char *path, bool open_dir)
{
	if (n->any)
		return true;
	for (int i = 1; i < n->argc; i++) {
		const char *behind = strchr(n->argv[i], '=');

		if (word_names(n->argv[i], path, open_dir) ||
		    (behind != NULL && word_names(behind + 1, path, open_dir)))
			return true;
	}
	return false;
}
