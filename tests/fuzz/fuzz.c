// SPDX-License-Identifier: EUPL-1.2
// One libFuzzer program for the target that TARGET names (make fuzz).
#include "fuzz/targets.h"

#define JOIN(a, b) a##b
#define CALL(target) JOIN(fuzz_, target)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CALL(TARGET)((struct bytes){ data, len });
	return 0;
}
