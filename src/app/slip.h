/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The code on a tear-off slip: six random characters and one that checks them, of 31 that cannot be taken for each
 * other (no 0, O, 1, I, L). With v_i the place of the i-th character in the alphabet, the sum of i * v_i for i = 1 to 7
 * is a multiple of 31; 31 is prime, so every single wrong character and every swap of two different ones is noticed.
 */
#ifndef SLB_APP_SLIP_H
#define SLB_APP_SLIP_H

#include <stdbool.h>

#include "base/env.h"

#define SLIP_LEN 7

void slip_new(const struct rng *rng, char out[static SLIP_LEN + 1]);

enum slip_reading { SLIP_NOT, SLIP_MISTYPED, SLIP_CODE };

/* Reads what a person typed: small letters, blanks and dashes are fine. SLIP_NOT: it has another shape. `out` holds
 * the code where it is one. */
enum slip_reading slip_read(const char *text, char out[static SLIP_LEN + 1]);

#endif
