// SPDX-License-Identifier: EUPL-1.2
// The job and report texts, both described by one table of kinds and field types. What comes in is checked against it
// to the last byte: the courier does not trust the key process's strings as paths, nor the key process the courier's.
#include "courier/job.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

#define JOB_HEAD "sleutelbos-job 1"
#define JOB_END "end"
#define PATH_LEN_MAX 4000
#define TAG_LEN_MAX 52
#define HEADS "refs/heads/"

enum type { T_NONE, T_PATH, T_PREFIX, T_REF, T_OID, T_NAME, T_GRADE, T_WORD, T_TEXT, T_HEX, T_PIN, T_METHOD, T_USER };

struct shape {
	const char *word;
	unsigned char type[REPORT_FIELDS];
};

static const struct shape job_shape[JOB_KINDS] = {
	[JOB_REPO] = { "repo", { T_PATH } },
	[JOB_REMOTE] = { "remote", { T_PATH } },
	[JOB_LOGIN] = { "login", { T_METHOD, T_USER } },
	[JOB_SECRET] = { "secret", { T_HEX } },
	[JOB_TRUST] = { "trust", { T_PIN } },
	[JOB_CA] = { "ca", { T_HEX } },
	[JOB_AGENT] = { "agent", { T_PATH } },
	[JOB_IN] = { "in", { T_PATH } },
	[JOB_CREATE] = { "create", { T_NONE } },
	[JOB_TELL] = { "tell", { T_NONE } },
	[JOB_PACK] = { "pack", { T_NONE } },
	[JOB_WANT] = { "want", { T_PREFIX } },
	[JOB_HAVE] = { "have", { T_REF, T_OID } },
	[JOB_OWN] = { "own", { T_REF } },
	[JOB_PUT] = { "put", { T_REF, T_NAME, T_PATH } },
	[JOB_RESTORE] = { "restore", { T_REF } },
	[JOB_OVER] = { "over", { T_REF, T_OID } },
	[JOB_DROP] = { "drop", { T_REF, T_OID } },
};

static const struct shape report_shape[REPORT_KINDS] = {
	[REPORT_FILE] = { "file", { T_REF, T_OID, T_NAME, T_PATH } },
	[REPORT_TIP] = { "tip", { T_REF, T_OID } },
	[REPORT_REWOUND] = { "rewound", { T_REF, T_OID } },
	[REPORT_GONE] = { "gone", { T_REF } },
	[REPORT_SENT] = { "sent", { T_REF, T_NAME } },
	[REPORT_AHEAD] = { "ahead", { T_REF, T_OID } },
	[REPORT_LOST] = { "lost", { T_REF, T_OID } },
	[REPORT_RESTORED] = { "restored", { T_REF, T_OID } },
	[REPORT_HOST] = { "host", { T_WORD, T_PIN } },
	[REPORT_DROPPED] = { "dropped", { T_REF, T_OID } },
	[REPORT_CONFINED] = { "confined", { T_TEXT } },
	[REPORT_BUSY] = { "busy", { T_NONE } },
	[REPORT_FAIL] = { "fail", { T_GRADE, T_WORD, T_TEXT } },
	[REPORT_DONE] = { "done", { T_NONE } },
};

static const struct {
	const char *name;
	int status;
} grades[] = {
	[GRADE_NONE] = { "done", 0 },
	[GRADE_NOW] = { "now", 10 },
	[GRADE_LATER] = { "later", 11 },
	[GRADE_PERSON] = { "person", 12 },
};

#define GRADES (sizeof(grades) / sizeof(grades[0]))

const char *grade_name(enum grade grade)
{
	return grades[grade].name;
}

enum grade grade_parse(const char *name)
{
	for (size_t i = GRADE_NOW; i < GRADES; i++) {
		if (strcmp(name, grades[i].name) == 0)
			return (enum grade)i;
	}
	return GRADE_NONE;
}

int grade_exit_status(enum grade grade)
{
	return grades[grade].status;
}

// ---- Fields ----

/* How many tags stand in `s`, each a run of base32 with one "/" between; 0 where it is anything else. */
static unsigned tags_count(const char *s, size_t len)
{
	unsigned tags = 0;
	size_t run = 0;

	for (size_t i = 0; i <= len; i++) {
		char c = i < len ? s[i] : '/';

		if ((c >= 'a' && c <= 'z') || (c >= '2' && c <= '7')) {
			if (++run > TAG_LEN_MAX)
				return 0;
		} else if (c == '/' && run > 0) {
			tags++;
			run = 0;
		} else {
			return 0;
		}
	}
	return tags;
}

bool job_ref_valid(const char *ref)
{
	unsigned tags = 0;

	if (strncmp(ref, HEADS, sizeof(HEADS) - 1) != 0)
		return false;
	ref += sizeof(HEADS) - 1;
	tags = tags_count(ref, strlen(ref));
	return tags >= 2 && tags <= 4;
}

bool job_prefix_valid(const char *prefix)
{
	size_t len = strlen(prefix);
	unsigned tags = 0;

	if (strncmp(prefix, HEADS, sizeof(HEADS) - 1) != 0 || prefix[len - 1] != '/')
		return false;
	if (len == sizeof(HEADS) - 1)
		return false;
	tags = tags_count(prefix + sizeof(HEADS) - 1, len - sizeof(HEADS));
	return tags >= 1 && tags <= 3;
}

bool job_name_valid(const char *name, size_t len)
{
	if (len == 0 || len > JOB_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return true;
}

static bool hex_valid(const char *s, size_t len)
{
	return strlen(s) == len && strspn(s, "0123456789abcdef") == len;
}

static bool method_valid(const char *s)
{
	return strcmp(s, "password") == 0 || strcmp(s, "key") == 0 || strcmp(s, "agent") == 0;
}

static bool user_valid(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	}
	return len > 0 && len <= JOB_USER_MAX;
}

static bool field_valid(enum type type, const char *s)
{
	size_t len = strlen(s);

	switch (type) {
	case T_PATH:
		return len > 0 && len <= PATH_LEN_MAX && strpbrk(s, "\t\n\r") == NULL;
	case T_PREFIX:
		return job_prefix_valid(s);
	case T_REF:
		return job_ref_valid(s);
	case T_OID:
		return hex_valid(s, JOB_OID_LEN);
	case T_PIN:
		return hex_valid(s, 2 * JOB_PIN_LEN);
	case T_HEX:
		return len > 0 && len <= JOB_HEX_MAX && len % 2 == 0 && hex_valid(s, len);
	case T_METHOD:
		return method_valid(s);
	case T_USER:
		return user_valid(s, len);
	case T_NAME:
	case T_WORD:
		return job_name_valid(s, len);
	case T_GRADE:
		return grade_parse(s) != GRADE_NONE;
	case T_TEXT:
		return len > 0 && len <= PATH_LEN_MAX && strpbrk(s, "\t\n\r") == NULL;
	case T_NONE:
		break;
	}
	return false;
}

static bool shape_fits(const struct shape *shape, const char *const field[], size_t fields)
{
	for (size_t i = 0; i < fields; i++) {
		if (shape->type[i] == T_NONE ? field[i] != NULL
		                             : field[i] == NULL || !field_valid(shape->type[i], field[i]))
			return false;
	}
	return true;
}

static enum err line_write(const struct shape *shape, const char *const field[], size_t fields, struct buf *out)
{
	enum err e = buf_put_str(out, shape->word);

	for (size_t i = 0; e == ERR_OK && i < fields && field[i] != NULL; i++) {
		e = buf_put_byte(out, '\t');
		if (e == ERR_OK)
			e = buf_put_str(out, field[i]);
	}
	return e == ERR_OK ? buf_put_byte(out, '\n') : e;
}

/* Cuts `line` at its TABs. Returns the kind, -1 where no shape fits. */
static int line_parse(char *line, const struct shape shapes[], int kinds, const char *field[], size_t fields)
{
	char *rest = strchr(line, '\t');
	size_t n = 0;
	int kind = 0;

	if (rest != NULL)
		*rest++ = '\0';
	while (kind < kinds && strcmp(shapes[kind].word, line) != 0)
		kind++;
	if (kind == kinds)
		return -1;
	for (size_t i = 0; i < fields; i++)
		field[i] = NULL;
	while (rest != NULL) {
		char *tab = strchr(rest, '\t');

		if (n == fields)
			return -1;
		if (tab != NULL)
			*tab++ = '\0';
		field[n++] = rest;
		rest = tab;
	}
	return shape_fits(&shapes[kind], field, fields) ? kind : -1;
}

// ---- The job ----

enum err job_add(struct errctx *ec, struct job *job, enum job_kind kind, const char *a, const char *b, const char *c)
{
	const char *field[JOB_FIELDS] = { a, b, c };
	struct job_item item = { .kind = kind };

	if (!shape_fits(&job_shape[kind], field, JOB_FIELDS))
		return err_set(ec, ERR_INPUT,
		               "The courier cannot be given %1 %2: this name has a form it does not take.",
		               job_shape[kind].word, a, NULL);
	if (job->count == job->cap) {
		size_t cap = job->cap == 0 ? 16 : job->cap * 2;
		struct job_item *grown = reallocarray(job->item, cap, sizeof(*grown));

		if (grown == NULL)
			goto no_memory;
		job->item = grown;
		job->cap = cap;
	}
	for (size_t i = 0; i < JOB_FIELDS && field[i] != NULL; i++) {
		item.field[i] = strdup(field[i]);
		if (item.field[i] == NULL)
			goto no_memory;
	}
	job->item[job->count++] = item;
	return ERR_OK;
no_memory:
	for (size_t i = 0; i < JOB_FIELDS; i++)
		free(item.field[i]);
	return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL, NULL,
	               NULL);
}

/* Where to fetch into, from where, and where to keep it: once each. One way to come in. */
static bool job_whole(const struct job *job)
{
	unsigned seen[JOB_KINDS] = { 0 };

	for (size_t i = 0; i < job->count; i++)
		seen[job->item[i].kind]++;
	return seen[JOB_REPO] == 1 && seen[JOB_REMOTE] == 1 && seen[JOB_IN] == 1 && seen[JOB_LOGIN] <= 1 &&
	       seen[JOB_SECRET] <= 1 && seen[JOB_CA] <= 1 && seen[JOB_AGENT] <= 1;
}

enum err job_write(struct errctx *ec, const struct job *job, struct buf *out)
{
	enum err e = buf_put_str(out, JOB_HEAD "\n");

	if (!job_whole(job))
		return err_set(ec, ERR_INPUT, "The courier's job must name one repository, one remote and one folder.",
		               NULL, NULL, NULL);
	for (size_t i = 0; e == ERR_OK && i < job->count; i++) {
		const struct job_item *item = &job->item[i];

		e = line_write(&job_shape[item->kind], (const char *const *)item->field, JOB_FIELDS, out);
	}
	if (e == ERR_OK)
		e = buf_put_str(out, JOB_END "\n");
	return e == ERR_OK ? ERR_OK
	                   : err_set(ec, e, "There is not enough memory. Close other programs and try again.", NULL,
	                             NULL, NULL);
}

enum err job_parse(struct errctx *ec, struct bytes text, struct job *job)
{
	const char *bad = "The courier's job is not of the form it knows. Install one version of the whole program.";
	char *copy = NULL, *line = NULL, *next = NULL;
	bool head = false, ended = false;
	enum err e = ERR_OK;

	if (text.len > JOB_MAX || (text.len > 0 && memchr(text.data, '\0', text.len) != NULL))
		return err_set(ec, ERR_INPUT, bad, NULL, NULL, NULL);
	copy = strndup(text.len > 0 ? (const char *)text.data : "", text.len);
	if (copy == NULL)
		return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.",
		               NULL, NULL, NULL);
	for (line = copy; e == ERR_OK && !ended && (next = strchr(line, '\n')) != NULL; line = next) {
		const char *field[JOB_FIELDS];
		int kind = -1;

		*next++ = '\0';
		if (!head) {
			head = strcmp(line, JOB_HEAD) == 0;
			if (!head)
				break;
		} else if (strcmp(line, JOB_END) == 0) {
			ended = true;
		} else {
			kind = line_parse(line, job_shape, JOB_KINDS, field, JOB_FIELDS);
			if (kind < 0)
				break;
			e = job_add(ec, job, (enum job_kind)kind, field[0], field[1], field[2]);
		}
	}
	if (e == ERR_OK && (!ended || *line != '\0' || !job_whole(job)))
		e = err_set(ec, ERR_INPUT, bad, NULL, NULL, NULL);
	explicit_bzero(copy, text.len);
	free(copy);
	return e;
}

const char *job_get(const struct job *job, enum job_kind kind)
{
	for (size_t i = 0; i < job->count; i++) {
		if (job->item[i].kind == kind)
			return job->item[i].field[0] == NULL ? "" : job->item[i].field[0];
	}
	return NULL;
}

bool job_hex_get(const char *hex, struct buf *out)
{
	size_t len = strlen(hex) / 2;

	if (buf_reserve(out, len + 1) != ERR_OK || !hex_get(hex, 2 * len, out->data + out->len, len))
		return false;
	out->len += len;
	return true;
}

void job_free(struct job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		for (size_t k = 0; k < JOB_FIELDS; k++) {
			if (job->item[i].field[k] != NULL)
				explicit_bzero(job->item[i].field[k], strlen(job->item[i].field[k]));
			free(job->item[i].field[k]);
		}
	}
	free(job->item);
	*job = (struct job){ 0 };
}

// ---- The report ----

enum err report_write(const struct report_line *line, struct buf *out)
{
	const struct shape *shape = &report_shape[line->kind];
	char text[PATH_LEN_MAX + 1];
	const char *field[REPORT_FIELDS];

	for (size_t i = 0; i < REPORT_FIELDS; i++) {
		field[i] = line->field[i];
		if (shape->type[i] == T_TEXT && field[i] != NULL) {
			size_t len = strnlen(field[i], PATH_LEN_MAX);

			for (size_t k = 0; k < len; k++)
				text[k] = (unsigned char)field[i][k] < ' ' ? ' ' : field[i][k];
			text[len] = '\0';
			field[i] = text;
		}
	}
	if (!shape_fits(shape, field, REPORT_FIELDS))
		return ERR_INPUT;
	return line_write(shape, field, REPORT_FIELDS, out);
}

enum err report_parse(char *line, struct report_line *out)
{
	int kind = strlen(line) < REPORT_LINE_MAX
	               ? line_parse(line, report_shape, REPORT_KINDS, out->field, REPORT_FIELDS)
	               : -1;

	if (kind < 0)
		return ERR_DAMAGED;
	out->kind = (enum report_kind)kind;
	return ERR_OK;
}
