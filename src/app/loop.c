// SPDX-License-Identifier: EUPL-1.2
// What became of a referral.
#include "app/loop.h"

#include <string.h>

#include "app/dates.h"

static const struct {
	const char *reason;
	enum reason_side side;
} sides[] = {
	{ "vol", SIDE_SERVICE },
	{ "past_niet", SIDE_SERVICE },
	{ "buiten_gebied", SIDE_SERVICE },
	{ "papieren", SIDE_SERVICE },
	{ "geen_antwoord", SIDE_SERVICE },
	{ "bestaat_niet", SIDE_SERVICE },
	{ "verkeerde_dienst", SIDE_SERVICE },
	{ "geen_tolk", SIDE_SERVICE },
	{ "geen_contact", SIDE_RESIDENT },
	{ "niet_gekomen", SIDE_RESIDENT },
	{ "wil_niet", SIDE_RESIDENT },
	{ "reiskosten", SIDE_RESIDENT },
};

static const struct {
	const char *status;
	const char *outcome; /* NULL: by the side of the reason, or none */
	bool answer;
	bool ends;
} states[] = {
	{ "plan", NULL, false, false },
	{ "verstuurd", "stil", false, false },
	{ "aangenomen", "aangenomen", true, false },
	{ "afspraak", "aangenomen", true, false },
	{ "wachtlijst", "wachtlijst", true, false },
	{ "geholpen", "geholpen", true, true },
	{ "niet_gelukt", NULL, false, true },
	{ "doorgestuurd", "niet_dienst", true, true },
	{ "ingetrokken", "ingetrokken", false, true },
};

static int state_of(const char *status)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(states[i].status, status) == 0)
			return (int)i;
	}
	return -1;
}

enum reason_side loop_reason_side(const char *reason)
{
	for (size_t i = 0; reason != NULL && i < sizeof(sides) / sizeof(sides[0]); i++) {
		if (strcmp(sides[i].reason, reason) == 0)
			return sides[i].side;
	}
	return SIDE_NONE;
}

const char *loop_outcome(const char *status, const char *reason)
{
	int s = state_of(status);

	if (s < 0)
		return NULL;
	if (strcmp(status, "niet_gelukt") == 0)
		return loop_reason_side(reason) == SIDE_RESIDENT ? "niet_bewoner" : "niet_dienst";
	return states[s].outcome;
}

bool loop_ends(const char *status)
{
	int s = state_of(status);

	return s >= 0 && states[s].ends;
}

static bool is_answer(const struct loop_event *e)
{
	int s = state_of(e->status);

	if (s < 0)
		return false;
	if (strcmp(e->status, "niet_gelukt") == 0)
		return loop_reason_side(e->reason) == SIDE_SERVICE && strcmp(e->reason, "geen_antwoord") != 0;
	return states[s].answer;
}

struct loop loop_read(const struct loop_event *events, size_t count, int64_t today)
{
	struct loop l = { .since = NO_DAY, .tried = NO_DAY, .reached = NO_DAY, .helped = NO_DAY };

	for (size_t i = 0; i < count; i++) {
		const struct loop_event *e = &events[i];

		if (l.tried == NO_DAY && strcmp(e->status, "verstuurd") == 0)
			l.tried = e->day;
		if (l.reached == NO_DAY && is_answer(e))
			l.reached = e->day;
		if (l.helped == NO_DAY && strcmp(e->status, "geholpen") == 0)
			l.helped = e->day;
		l.status = e->status;
		l.reason = e->reason;
		l.since = e->day;
	}
	if (l.status != NULL) {
		l.outcome = loop_outcome(l.status, l.reason);
		l.silent = strcmp(l.status, "verstuurd") == 0 && today - l.since > SILENT_DAYS;
	}
	return l;
}
