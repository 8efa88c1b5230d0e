/* SPDX-License-Identifier: EUPL-1.2 */
/* Fixed-width integers in byte order, base32 and hex. Nothing here allocates. */
#ifndef SLB_BASE_CODEC_H
#define SLB_BASE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline void be16_put(uint8_t out[static 2], uint16_t v)
{
	out[0] = (uint8_t)(v >> 8);
	out[1] = (uint8_t)v;
}

static inline uint16_t be16_get(const uint8_t in[static 2])
{
	return (uint16_t)((in[0] << 8) | in[1]);
}

static inline void be32_put(uint8_t out[static 4], uint32_t v)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static inline uint32_t be32_get(const uint8_t in[static 4])
{
	return ((uint32_t)in[0] << 24) | ((uint32_t)in[1] << 16) | ((uint32_t)in[2] << 8) | in[3];
}

static inline void be64_put(uint8_t out[static 8], uint64_t v)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

static inline uint64_t be64_get(const uint8_t in[static 8])
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = (v << 8) | in[i];
	return v;
}

/* RFC 4648 base32 without padding, in lower case (safe on file systems that fold case).
 * `out` takes base32_len(len) characters and a NUL. */
static inline size_t base32_len(size_t len)
{
	return (len * 8 + 4) / 5;
}
void base32_put(const uint8_t *in, size_t len, char *out);
/* Reads exactly `len` bytes from exactly base32_len(len) characters; upper case is accepted, non-zero spare
 * bits are not. */
bool base32_get(const char *in, size_t chars, uint8_t *out, size_t len);

/* Lower-case hex; `out` takes 2 * len characters and a NUL. */
void hex_put(const uint8_t *in, size_t len, char *out);
bool hex_get(const char *in, size_t chars, uint8_t *out, size_t len);

/* Base64 (RFC 4648) with its "=" at the end; `out` takes base64_len(len) characters and a NUL. */
static inline size_t base64_len(size_t len)
{
	return (len + 2) / 3 * 4;
}
void base64_put(const uint8_t *in, size_t len, char *out);
/* White space is passed over, "=" may be missing. Writes at most `size` bytes, *len receives how many; false where it
 * is no base64 or too long. */
bool base64_get(const char *in, size_t chars, uint8_t *out, size_t size, size_t *len);

/* The SHA-256 of an ssh key as OpenSSH prints it: "SHA256:" and base64 without "=". `out` takes FINGERPRINT_TEXT_LEN.
 */
#define FINGERPRINT_TEXT_LEN 51
void fingerprint_put(const uint8_t sha256[static 32], char out[static FINGERPRINT_TEXT_LEN]);
/* The same read again; false where it is none. */
bool fingerprint_get(const char *in, uint8_t sha256[static 32]);

#endif
