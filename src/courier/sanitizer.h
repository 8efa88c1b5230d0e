/* SPDX-License-Identifier: EUPL-1.2 */
/* Is this a build under a sanitizer of memory? It needs terabytes of addresses, and looks for leaks, of which
 * libgit2 1.5 has some of its own: what it reads of known_hosts for each ssh connection. */
#ifndef SLB_COURIER_SANITIZER_H
#define SLB_COURIER_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif

#ifdef UNDER_SANITIZER
#include <sanitizer/lsan_interface.h>
#define LEAKS_OF_OTHERS_BEGIN() __lsan_disable()
#define LEAKS_OF_OTHERS_END() __lsan_enable()
#else
#define LEAKS_OF_OTHERS_BEGIN() ((void)0)
#define LEAKS_OF_OTHERS_END() ((void)0)
#endif

#endif
