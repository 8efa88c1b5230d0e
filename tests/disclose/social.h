/* SPDX-License-Identifier: EUPL-1.2 */
/* Tables that others use for their measurements (tests/data/social_assistance), as worlds of the attacker. */
#ifndef SLB_TESTS_SOCIAL_H
#define SLB_TESTS_SOCIAL_H

#include <stdio.h>
#include <stdlib.h>

#include "disclose/attacker.h"

struct social_names {
	char name[ATK_CODES][12];
};

static inline int social_code(struct social_names *n, int *codes, const char *name)
{
	for (int k = 1; k < *codes; k++) {
		if (strcmp(n->name[k], name) == 0)
			return k;
	}
	snprintf(n->name[*codes], sizeof n->name[0], "%s", name);
	return (*codes)++;
}

/* region x purpose, or county > region x purpose. False: no file, or not as expected. */
static inline bool social_read(struct atk_world *w, bool hierarchy)
{
	static struct {
		int a, b;
		long n;
	} row[ATK_CELLS];
	struct social_names names[2] = { 0 };
	FILE *f = fopen(
	    hierarchy ? "tests/data/social_assistance/hierarchy.csv" : "tests/data/social_assistance/two_way.csv", "r");
	char line[80], county[12], region[12], purpose[12];
	int rows = 0;

	memset(w, 0, sizeof *w);
	w->dims = 2;
	w->codes[0] = w->codes[1] = 1;
	w->tables = 1;
	w->table[0] = 3;
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		long n;
		bool fits = hierarchy ? sscanf(line, "%11[^,],%11[^,],%11[^,],%ld", county, region, purpose, &n) == 4
		                      : sscanf(line, "%11[^,],%11[^,],%ld", region, purpose, &n) == 3;
		int parent = fits && hierarchy ? social_code(&names[0], &w->codes[0], county) : 0;

		if (!fits)
			continue;
		row[rows].a = social_code(&names[0], &w->codes[0], region);
		row[rows].b = social_code(&names[1], &w->codes[1], purpose);
		w->parent[0][row[rows].a] = parent;
		row[rows++].n = n;
	}
	if (f != NULL)
		fclose(f);
	if (rows == 0)
		return false;
	atk_lay_out(w);
	for (int k = 0; k < rows; k++)
		w->n[w->index[row[k].a][row[k].b][0]] += row[k].n;
	atk_margins(w);
	return true;
}

#endif
