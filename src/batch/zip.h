/* SPDX-License-Identifier: EUPL-1.2 */
/* Raw deflate with the preset dictionary of schema/dictionary.bin (format 1). */
#ifndef SLB_BATCH_ZIP_H
#define SLB_BATCH_ZIP_H

#include "batch/batch.h"

enum err zip_deflate(struct zip *z, struct bytes in, struct buf *out) MUST_CHECK;
/* At most `max` bytes come out; more, a stream that does not end, or one with bytes after its end is ERR_DAMAGED. */
enum err zip_inflate(struct zip *z, struct bytes in, size_t max, struct buf *out) MUST_CHECK;

#endif
