// SPDX-License-Identifier: EUPL-1.2
// Deflate with a preset dictionary. The streams are kept, because setting one up costs more than a small batch.
#include "batch/zip.h"

#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "gen/dictionary.h"

#define CHUNK 65536

struct zip {
	z_stream deflate;
	z_stream inflate;
};

enum err zip_new(struct zip **out)
{
	struct zip *z = calloc(1, sizeof(*z));

	*out = NULL;
	if (z == NULL)
		return ERR_NO_MEMORY;
	if (deflateInit2(&z->deflate, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(z);
		return ERR_NO_MEMORY;
	}
	if (inflateInit2(&z->inflate, -15) != Z_OK) {
		deflateEnd(&z->deflate);
		free(z);
		return ERR_NO_MEMORY;
	}
	*out = z;
	return ERR_OK;
}

void zip_free(struct zip *z)
{
	if (z == NULL)
		return;
	deflateEnd(&z->deflate);
	inflateEnd(&z->inflate);
	free(z);
}

enum err zip_deflate(struct zip *z, struct bytes in, struct buf *out)
{
	z_stream *s = &z->deflate;
	int rc = Z_OK;

	if (in.len > BATCH_BODY_MAX)
		return ERR_INPUT;
	if (deflateReset(s) != Z_OK || deflateSetDictionary(s, dictionary, (uInt)dictionary_len) != Z_OK)
		return ERR_NO_MEMORY;
	s->next_in = in.data;
	s->avail_in = (uInt)in.len;
	do {
		if (buf_reserve(out, CHUNK) != ERR_OK)
			return ERR_NO_MEMORY;
		s->next_out = out->data + out->len;
		s->avail_out = CHUNK;
		rc = deflate(s, Z_FINISH);
		out->len += CHUNK - s->avail_out;
	} while (rc == Z_OK);
	return rc == Z_STREAM_END ? ERR_OK : ERR_NO_MEMORY;
}

enum err zip_inflate(struct zip *z, struct bytes in, size_t max, struct buf *out)
{
	z_stream *s = &z->inflate;
	size_t start = out->len;
	int rc = Z_OK;

	if (in.len > FILE_MAX || inflateReset(s) != Z_OK ||
	    inflateSetDictionary(s, dictionary, (uInt)dictionary_len) != Z_OK)
		return ERR_DAMAGED;
	s->next_in = in.data;
	s->avail_in = (uInt)in.len;
	do {
		if (buf_reserve(out, CHUNK) != ERR_OK)
			return ERR_NO_MEMORY;
		s->next_out = out->data + out->len;
		s->avail_out = CHUNK;
		rc = inflate(s, Z_NO_FLUSH);
		if (rc == Z_MEM_ERROR)
			return ERR_NO_MEMORY;
		out->len += CHUNK - s->avail_out;
		if (out->len - start > max)
			break;
	} while (rc == Z_OK && s->avail_out == 0);
	if (rc == Z_STREAM_END && s->avail_in == 0 && out->len - start <= max)
		return ERR_OK;
	out->len = start;
	return ERR_DAMAGED;
}
