/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Is there a burgerservicenummer in a text? Nine digits that pass the eleven test (9a + 8b + ... + 2h - i is a
 * multiple of 11), together or in groups divided by spaces, dots or dashes; European, Arabic-Indic and full-width
 * digits. About one in eleven other numbers of nine digits passes too; a slash or letter between the digits says that
 * it is another number.
 */
#ifndef SLB_APP_BSN_H
#define SLB_APP_BSN_H

#include <stdbool.h>

/* `text` is valid UTF-8. */
bool bsn_inside(const char *text);

#endif
