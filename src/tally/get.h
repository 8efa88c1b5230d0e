/* SPDX-License-Identifier: EUPL-1.2 */
/* Two readers that bodies of a tally share. False, with the position somewhere in the item, for anything else. */
#ifndef SLB_TALLY_GET_H
#define SLB_TALLY_GET_H

#include <stdbool.h>
#include <string.h>

#include "model/wire.h"
#include "tally/quarter.h"

static inline bool get_small(struct wire_in *in, uint32_t max, uint32_t *out)
{
	uint64_t v = 0;

	if (wire_get_uint(in, &v) != ERR_OK || v > max)
		return false;
	*out = (uint32_t)v;
	return true;
}

static inline bool get_quarter(struct wire_in *in, struct quarter *out)
{
	struct bytes t = { 0 };
	char text[QUARTER_TEXT_LEN] = "";

	if (wire_get_text(in, &t) != ERR_OK || t.len != QUARTER_TEXT_LEN - 1)
		return false;
	memcpy(text, t.data, t.len);
	return quarter_parse(text, out);
}

#endif
