/* SPDX-License-Identifier: EUPL-1.2 */
/* UNDER_SANITIZER: this is a build under a sanitizer of memory, which needs terabytes of addresses. */
#ifndef SLB_BASE_SANITIZER_H
#define SLB_BASE_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif

#endif
