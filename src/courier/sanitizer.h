/* SPDX-License-Identifier: EUPL-1.2 */
/* A sanitizer of memory looks for leaks, of which libgit2 1.5 has some of its own: what it reads of known_hosts for
 * each ssh connection. */
#ifndef SLB_COURIER_SANITIZER_H
#define SLB_COURIER_SANITIZER_H

#include "base/sanitizer.h"

#ifdef UNDER_SANITIZER
#include <sanitizer/lsan_interface.h>
#define LEAKS_OF_OTHERS_BEGIN() __lsan_disable()
#define LEAKS_OF_OTHERS_END() __lsan_enable()
#else
#define LEAKS_OF_OTHERS_BEGIN() ((void)0)
#define LEAKS_OF_OTHERS_END() ((void)0)
#endif

#endif
