/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The two texts between the key process and the courier, which shares neither memory nor keys with it: the job that
 * goes in and the report that comes out. Both are lines of TAB-separated fields that end in a line feed, so a field
 * holds neither; no field is empty. Nothing here knows git.
 *
 * Job, first line "sleutelbos-job 1", last line "end":
 *   repo DIR            the local bare repository: a cache, made when missing, moved aside and made anew when damaged
 *   remote URL          a path, file://, ssh:// (or user@host:path), https://; others answer "fail person transport"
 *   login METHOD USER   how to come in there; METHOD is password, key or agent. At most one; without it: as anybody
 *   secret HEX          the password, or the private key as OpenSSH and PEM write it, byte for byte. It is in no other
 *                       line, no file and no argument, and wiped from memory when it was used
 *   trust HEX           SHA-256 of an ssh host key that is trusted; other keys are refused
 *   ca HEX              the certificate (DER) of the only authority that is believed for https; without it: those of
 *                       the system
 *   agent PATH          where the person's ssh agent listens
 *   in DIR              an existing directory for the files that are fetched
 *   create              make the remote when its path does not exist (its parent must)
 *   tell                say how this courier is confined for such a job, and do nothing else
 *   pack                pack the local repository, and a path remote, where they have grown
 *   want PREFIX         fetch every branch below it
 *   have REF OID        the last commit of REF that the key process has processed
 *   own REF             a branch that only this device writes
 *   put REF NAME PATH   commit the file PATH as NAME on REF, which is thereby `own`; one commit a put, in this order,
 *                       unless a commit of REF above its `have` holds NAME already
 *   drop REF OID        a branch of an epoch that is over: the remote's is removed where it still stands at OID
 *   restore REF         push our last known tip of REF back where the remote's is missing or an ancestor of it
 *   over REF OID        what the remote showed of REF, up to OID, was looked at and is of no use: where it still stands
 *                       there, push over it what we have of REF, which is `own` or to be restored
 *
 * Report:
 *   file REF OID NAME PATH   one file of a new commit, oldest commit first; PATH is complete and lies in `in`
 *   tip REF OID              everything of REF up to OID has been reported, or, on an own branch, is at the remote
 *   rewound REF OID          the remote's tip OID does not descend from `have`; what is new is reported all the same
 *   gone REF                 REF has a `have` and is wanted or own, and the remote does not show it
 *   sent REF NAME            the remote was seen, after the push, to hold the commit that carries NAME
 *   ahead REF OID            the remote holds commits of an own branch that nobody here made, or that are not of our
 *                            shape: nothing was pushed on it; what can be read of them follows
 *   lost REF OID             neither the remote nor the local repository holds `have` of an own branch any more: hand
 *                            over again what was not among the files of it that were reported just before, on top of
 *                            OID, the remote's tip; 40 zeros: it shows nothing that can be built on
 *   restored REF OID         REF was pushed back up to OID
 *   host TYPE HEX            the ssh host shows a key that no `trust` names: its type, its SHA-256. A "fail" follows
 *   dropped REF OID          the remote does not hold this branch any more, because of a `drop`
 *   confined TEXT            how this courier is confined, in the words of confine/confine.h; only where the job says
 * `tell` busy                     still at it, written about every ten seconds of work that has nothing else to report
 *   fail GRADE CODE TEXT     GRADE now, later or person; CODE one word; TEXT an English sentence
 *   done                     the last line; without it the courier died
 * For an own branch the job gives as `have` the last `tip` that was reported of it, and lists every put above it that
 * was not yet reported `sent`, in the order of the first time: then a kill, or a lost cache, is made good without a
 * trace. After `lost` the next job gives OID as `have`, or none.
 * A fork that was reported ends with its `tip`; a branch that only went back has none, and its `rewound` is repeated
 * until it was healed. A fork of an own branch is no place to go on from: ask for `over`. Of another's branch our
 * record stays on the line it had until the job's `have` lies on the other one. A branch whose remote tip equals `have`
 * yields no line. A report may name the same file again after a failure: what reads it must bear that.
 *
 * Names: a branch is refs/heads/ and two to four tags [a-z2-7]{1,52} with "/" between; PREFIX is refs/heads/ and one
 * to three tags, each with "/" after it; NAME is [a-z0-9-]{1,64}; OID 40 lower-case hex digits; HEX up to 8,192 of
 * them, an even number, 64 in `trust` and `host`; USER 1 to 128 visible characters of ASCII.
 */
#ifndef SLB_COURIER_JOB_H
#define SLB_COURIER_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define JOB_MAX (64u << 20) /* bytes of a whole job */
#define JOB_NAME_MAX 64
#define JOB_OID_LEN 40
#define JOB_HEX_MAX 8192 /* characters of a HEX field */
#define JOB_USER_MAX 128
#define JOB_PIN_LEN 32 /* bytes of a `trust` */
#define JOB_FIELDS 3
#define REPORT_FIELDS 4
#define REPORT_LINE_MAX 16384 /* bytes of one report line, line feed included */

enum job_kind {
	JOB_REPO,
	JOB_REMOTE,
	JOB_LOGIN,
	JOB_SECRET,
	JOB_TRUST,
	JOB_CA,
	JOB_AGENT,
	JOB_IN,
	JOB_CREATE,
	JOB_TELL,
	JOB_PACK,
	JOB_WANT,
	JOB_HAVE,
	JOB_OWN,
	JOB_PUT,
	JOB_RESTORE,
	JOB_OVER,
	JOB_DROP,
	JOB_KINDS
};

/* Fields beyond those of its kind are NULL. They belong to the job. */
struct job_item {
	enum job_kind kind;
	char *field[JOB_FIELDS];
};

/* Zero-initialised it is empty and valid. */
struct job {
	struct job_item *item;
	size_t count;
	size_t cap;
};

enum report_kind {
	REPORT_FILE,
	REPORT_TIP,
	REPORT_REWOUND,
	REPORT_GONE,
	REPORT_SENT,
	REPORT_AHEAD,
	REPORT_LOST,
	REPORT_RESTORED,
	REPORT_HOST,
	REPORT_DROPPED,
	REPORT_CONFINED,
	REPORT_BUSY,
	REPORT_FAIL,
	REPORT_DONE,
	REPORT_KINDS
};

/* Fields in the order of the list above; those beyond its kind are NULL. They are borrowed: report_parse() points
 * them into the line it was given. */
struct report_line {
	enum report_kind kind;
	const char *field[REPORT_FIELDS];
};

/* How a failure may end: again at once, again later, or only when a person does something. */
enum grade { GRADE_NONE, GRADE_NOW, GRADE_LATER, GRADE_PERSON };

/* Copies the fields. ERR_INPUT where they are not of the kind's form: the job is unchanged. */
enum err job_add(struct errctx *ec, struct job *job, enum job_kind kind, const char *a, const char *b,
                 const char *c) MUST_CHECK;
/* Appends the whole text. The job must hold one repo, one remote and one in (ERR_INPUT). */
enum err job_write(struct errctx *ec, const struct job *job, struct buf *out) MUST_CHECK;
/* Reads a whole text into an empty job; ERR_INPUT on anything else than the form above. */
enum err job_parse(struct errctx *ec, struct bytes text, struct job *job) MUST_CHECK;
/* The first field of the first item of that kind ("" where the kind has none), NULL where there is no such item. */
const char *job_get(const struct job *job, enum job_kind kind);
/* A HEX field's bytes, appended; false where it is none. */
bool job_hex_get(const char *hex, struct buf *out);
void job_free(struct job *job); /* wipes it; accepts an empty job */

/* Appends one line with its line feed; TAB and control characters in a TEXT become blanks. ERR_INPUT where the
 * fields are not of the kind's form. */
enum err report_write(const struct report_line *line, struct buf *out) MUST_CHECK;
/* Reads one line without its line feed, writing NULs into it. ERR_DAMAGED on anything else than the form above. */
enum err report_parse(char *line, struct report_line *out) MUST_CHECK;

const char *grade_name(enum grade grade);
/* GRADE_NONE where it is no grade's name. */
enum grade grade_parse(const char *name);
/* What the courier exits with: 0, 10, 11 or 12. */
int grade_exit_status(enum grade grade);

bool job_ref_valid(const char *ref);
bool job_prefix_valid(const char *prefix);
bool job_name_valid(const char *name, size_t len);

#endif
