// SPDX-License-Identifier: EUPL-1.2
// base32 and hex, strict on the way in: one value has one spelling (but for the case of letters).
#include "base/codec.h"

#include <string.h>

static const char alphabet32[] = "abcdefghijklmnopqrstuvwxyz234567";

void base32_put(const uint8_t *in, size_t len, char *out)
{
	uint32_t acc = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < len; i++) {
		acc = (acc << 8) | in[i];
		bits += 8;
		while (bits >= 5) {
			bits -= 5;
			*out++ = alphabet32[(acc >> bits) & 31];
		}
	}
	if (bits > 0)
		*out++ = alphabet32[(acc << (5 - bits)) & 31];
	*out = '\0';
}

static int digit32(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

bool base32_get(const char *in, size_t chars, uint8_t *out, size_t len)
{
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t n = 0;

	if (chars != base32_len(len))
		return false;
	for (size_t i = 0; i < chars; i++) {
		int d = digit32(in[i]);

		if (d < 0)
			return false;
		acc = (acc << 5) | (uint32_t)d;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (uint8_t)(acc >> bits);
		}
	}
	return n == len && (acc & ((1U << bits) - 1)) == 0;
}

void hex_put(const uint8_t *in, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[in[i] >> 4];
		*out++ = digits[in[i] & 15];
	}
	*out = '\0';
}

static int digit16(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_get(const char *in, size_t chars, uint8_t *out, size_t len)
{
	if (chars != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int hi = digit16(in[2 * i]);
		int lo = digit16(in[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi * 16 + lo);
	}
	return true;
}

static const char alphabet64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_put(const uint8_t *in, size_t len, char *out)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)in[i] << 16 | (n > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (n > 2 ? in[i + 2] : 0u);

		*out++ = alphabet64[v >> 18];
		*out++ = alphabet64[v >> 12 & 63];
		*out++ = n > 1 ? alphabet64[v >> 6 & 63] : '=';
		*out++ = n > 2 ? alphabet64[v & 63] : '=';
	}
	*out = '\0';
}

bool base64_get(const char *in, size_t chars, uint8_t *out, size_t size, size_t *len)
{
	uint32_t v = 0;
	unsigned bits = 0;
	size_t pads = 0;

	*len = 0;
	for (size_t i = 0; i < chars; i++) {
		const char *at = in[i] == '\0' ? NULL : strchr(alphabet64, in[i]);

		if (in[i] == ' ' || in[i] == '\n' || in[i] == '\r' || in[i] == '\t')
			continue;
		if (in[i] == '=') {
			pads++;
			continue;
		}
		if (at == NULL || pads > 0)
			return false;
		v = v << 6 | (uint32_t)(at - alphabet64);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (*len == size)
			return false;
		out[(*len)++] = (uint8_t)(v >> bits);
		v &= (1u << bits) - 1;
	}
	return v == 0 && bits < 6 && pads <= 2;
}

void fingerprint_put(const uint8_t sha256[static 32], char out[static FINGERPRINT_TEXT_LEN])
{
	char text[45];

	base64_put(sha256, 32, text);
	memcpy(out, "SHA256:", 7);
	memcpy(out + 7, text, 43);
	out[50] = '\0';
}

bool fingerprint_get(const char *in, uint8_t sha256[static 32])
{
	size_t len = 0;

	return strncmp(in, "SHA256:", 7) == 0 && strlen(in) == FINGERPRINT_TEXT_LEN - 1 &&
	       base64_get(in + 7, 43, sha256, 32, &len) && len == 32;
}
