// SPDX-License-Identifier: EUPL-1.2
// Looks for words and keys in the whole memory of a process.
#include "faults/image.h"

#include <ctype.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define WINDOW (1u << 20)
#define FACTOR UINT64_C(0x9e3779b97f4a7c15)
#define SLOTS (1u << 16)

/* A fragment: 12 bytes, back to front, and what they are part of. */
struct fragment {
	uint8_t back[IMAGE_FRAGMENT];
	uint64_t hash;
	const char *name;
	size_t next; /* in its slot; 0: none */
};

struct image {
	struct fragment *fragment; /* from 1 */
	size_t n;
	size_t cap;
	size_t slot[SLOTS];
	uint8_t *window; /* not looked at itself */
};

struct image *image_new(void)
{
	struct image *im = calloc(1, sizeof(*im));

	assert_non_null(im);
	im->n = 1;
	im->window = mmap(NULL, WINDOW, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(im->window != MAP_FAILED);
	return im;
}

void image_free(struct image *im)
{
	munmap(im->window, WINDOW);
	free(im->fragment);
	free(im);
}

/* Of 12 bytes from the first to the last. */
static uint64_t hash_forwards(const struct fragment *f)
{
	uint64_t h = 0;

	for (size_t i = 0; i < IMAGE_FRAGMENT; i++)
		h = h * FACTOR + f->back[IMAGE_FRAGMENT - 1 - i] + 1;
	return h;
}

static size_t slot_of(uint64_t hash)
{
	return (size_t)(hash >> 48);
}

static void fragment_add(struct image *im, const char *name, const uint8_t *back)
{
	struct fragment *f = NULL;

	if (im->n + 1 >= im->cap) {
		im->cap = im->cap == 0 ? 256 : im->cap * 2;
		im->fragment = realloc(im->fragment, im->cap * sizeof(*im->fragment));
		assert_non_null(im->fragment);
	}
	f = &im->fragment[im->n];
	memcpy(f->back, back, IMAGE_FRAGMENT);
	f->name = name;
	f->hash = hash_forwards(f);
	f->next = im->slot[slot_of(f->hash)];
	im->slot[slot_of(f->hash)] = im->n++;
}

void image_bytes(struct image *im, const char *name, const uint8_t *backwards, size_t len)
{
	assert_true(len >= IMAGE_FRAGMENT);
	for (size_t i = 0; i + IMAGE_FRAGMENT <= len; i++)
		fragment_add(im, name, backwards + i);
}

void image_turn(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len / 2; i++) {
		uint8_t b = bytes[i];

		bytes[i] = bytes[len - 1 - i];
		bytes[len - 1 - i] = b;
	}
}

void image_text(struct image *im, const char *name, const char *backwards)
{
	size_t len = strlen(backwards);
	uint8_t *form = malloc(2 * len);

	assert_non_null(form);
	image_bytes(im, name, (const uint8_t *)backwards, len);
	for (size_t i = 0; i < len; i++)
		form[i] = (uint8_t)tolower((unsigned char)backwards[i]);
	image_bytes(im, name, form, len);
	for (int little = 0; little < 2; little++) {
		memset(form, 0, 2 * len);
		for (size_t i = 0; i < len; i++)
			form[2 * i + (size_t)little] = (uint8_t)backwards[i];
		image_bytes(im, name, form, 2 * len);
	}
	free(form);
}

/* ---- Looking ---- */

struct mapping {
	uint64_t from;
	uint64_t to;
	char rights[5];
	char name[80];
	bool guarded;
};

static bool fragment_at(const struct fragment *f, const uint8_t *at)
{
	for (size_t i = 0; i < IMAGE_FRAGMENT; i++)
		if (at[i] != f->back[IMAGE_FRAGMENT - 1 - i])
			return false;
	return true;
}

static void note(struct image_result *out, const struct mapping *m, const char *name, uint64_t at)
{
	struct image_place *p = &out->first[out->places < 16 ? out->places : 15];

	out->places++;
	out->outside += !m->guarded;
	if (m->guarded && out->places > 16)
		return;
	*p = (struct image_place){ .name = name, .at = at, .guarded = m->guarded };
	snprintf(p->where, sizeof(p->where), "%s", m->name);
}

static void look(const struct image *im, const struct mapping *m, uint64_t at, size_t len, struct image_result *out)
{
	const uint8_t *p = im->window;
	uint64_t drop = 1;
	uint64_t h = 0;

	for (int i = 0; i < IMAGE_FRAGMENT; i++)
		drop *= FACTOR;
	for (size_t i = 0; i < len; i++) {
		h = h * FACTOR + p[i] + 1;
		if (i + 1 < IMAGE_FRAGMENT)
			continue;
		if (i >= IMAGE_FRAGMENT)
			h -= drop * (uint64_t)(p[i - IMAGE_FRAGMENT] + 1);
		for (size_t k = im->slot[slot_of(h)]; k != 0; k = im->fragment[k].next)
			if (im->fragment[k].hash == h && fragment_at(&im->fragment[k], p + i + 1 - IMAGE_FRAGMENT)) {
				note(out, m, im->fragment[k].name, at + i + 1 - IMAGE_FRAGMENT);
				break;
			}
	}
}

static void scan_mapping(const struct image *im, int mem, const struct mapping *m, struct image_result *out)
{
	for (uint64_t at = m->from; at < m->to;) {
		size_t want = m->to - at < WINDOW ? (size_t)(m->to - at) : WINDOW;
		ssize_t n = pread(mem, im->window, want, (off_t)at);

		if (n <= 0) { /* guard pages and the like */
			at += 4096;
			continue;
		}
		look(im, m, at, (size_t)n, out);
		out->bytes += (uint64_t)n;
		/* Overlapping, so that nothing hides in the seam. */
		at += (size_t)n == want && at + (size_t)n < m->to ? (uint64_t)n - IMAGE_FRAGMENT : (uint64_t)n;
	}
}

/* What stands in smaps: a line with the range, then lines about it, the last of them with its flags. */
static bool mapping_next(FILE *maps, struct mapping *m)
{
	char line[512];

	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long long from = 0;
		unsigned long long to = 0;
		int name = 0;

		if (strncmp(line, "VmFlags:", 8) == 0) {
			m->guarded = strstr(line, " dd") != NULL;
			return true;
		}
		if (sscanf(line, "%llx-%llx %4s %*s %*s %*s %n", &from, &to, m->rights, &name) < 3 || name == 0)
			continue;
		m->from = from;
		m->to = to;
		line[strcspn(line, "\n")] = '\0';
		snprintf(m->name, sizeof(m->name), "%.79s", line + name);
	}
	return false;
}

bool image_scan(struct image *im, pid_t pid, struct image_result *out)
{
	char path[64];
	struct mapping m = { .from = 0 };
	FILE *maps = NULL;
	int mem = -1;

	*out = (struct image_result){ .places = 0 };
	snprintf(path, sizeof(path), "/proc/%d/smaps", pid == 0 ? (int)getpid() : (int)pid);
	maps = fopen(path, "r");
	snprintf(path, sizeof(path), "/proc/%d/mem", pid == 0 ? (int)getpid() : (int)pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	if (maps == NULL || mem < 0) {
		if (maps != NULL)
			fclose(maps);
		if (mem >= 0)
			close(mem);
		return false;
	}
	while (mapping_next(maps, &m)) {
		bool file_only = strchr(m.name, '/') == m.name && m.rights[1] != 'w' && m.rights[3] == 'p';
		bool window = pid == 0 && m.from <= (uintptr_t)im->window && m.to > (uintptr_t)im->window;

		if (file_only || strncmp(m.name, "[v", 2) == 0)
			continue;
		if (window) { /* mappings of one kind are joined by the kernel: around it */
			struct mapping part = m;

			part.to = (uintptr_t)im->window;
			scan_mapping(im, mem, &part, out);
			part = m;
			part.from = (uintptr_t)im->window + WINDOW;
			scan_mapping(im, mem, &part, out);
			continue;
		}
		scan_mapping(im, mem, &m, out);
	}
	memset(im->window, 0, WINDOW);
	fclose(maps);
	close(mem);
	return out->bytes > 0;
}
