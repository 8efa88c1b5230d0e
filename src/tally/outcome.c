// SPDX-License-Identifier: EUPL-1.2
// From a line of events to one outcome. What is summed up is how the organisation answered, never what a person did.
#include "tally/outcome.h"

#include <string.h>

static bool is(struct bytes b, const char *id)
{
	return b.len == strlen(id) && memcmp(b.data, id, b.len) == 0;
}

bool outcome_sent(const struct event *events, size_t count, int64_t *day)
{
	bool sent = false;

	for (size_t i = 0; i < count; i++) {
		if (is(events[i].status, "verstuurd") && (!sent || events[i].date < *day)) {
			*day = events[i].date;
			sent = true;
		}
	}
	return sent;
}

static bool side_of_resident(struct bytes reason)
{
	static const char *const ids[] = { "geen_contact", "niet_gekomen", "wil_niet", "reiskosten" };

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		if (is(reason, ids[i]))
			return true;
	}
	return false;
}

static const char *outcome_of(const struct event *ev)
{
	static const struct {
		const char *status;
		const char *outcome;
	} same[] = {
		{ "verstuurd", "stil" },          { "aangenomen", "aangenomen" }, { "afspraak", "aangenomen" },
		{ "wachtlijst", "wachtlijst" },   { "geholpen", "geholpen" },     { "doorgestuurd", "niet_dienst" },
		{ "ingetrokken", "ingetrokken" },
	};

	if (is(ev->status, "niet_gelukt"))
		return side_of_resident(ev->reason) ? "niet_bewoner" : "niet_dienst";
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		if (is(ev->status, same[i].status))
			return same[i].outcome;
	}
	return NULL;
}

const char *outcome_at(const struct event *events, size_t count, int64_t day)
{
	const char *now = NULL;
	int64_t sent = 0;

	if (!outcome_sent(events, count, &sent) || sent > day)
		return NULL;
	for (size_t i = 0; i < count && events[i].date <= day; i++) {
		const char *o = outcome_of(&events[i]);

		now = o != NULL ? o : now;
	}
	return now;
}
