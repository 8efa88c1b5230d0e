/* SPDX-License-Identifier: EUPL-1.2 */
/* How long something may take: a clock that nobody sets, which starts anywhere and stands still while the computer
 * sleeps. What is written down has its time from app_now_ms(). */
#ifndef SLB_APP_PATIENCE_H
#define SLB_APP_PATIENCE_H

#include <stdint.h>

int64_t patience_ms(void);

#endif
