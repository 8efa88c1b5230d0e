/* SPDX-License-Identifier: EUPL-1.2 */
/* A call that takes `ec` as its errctx ends as it should; else its sentence is printed. After cmocka.h and base/err.h.
 */
#ifndef SLB_TESTS_SUPPORT_ASSERTS_H
#define SLB_TESTS_SUPPORT_ASSERTS_H

#define assert_err(call, want)                                                                                         \
	do {                                                                                                           \
		struct errctx ec_ = { 0 };                                                                             \
		struct errctx *ec = &ec_;                                                                              \
		enum err got_ = (call);                                                                                \
		char text_[800];                                                                                       \
                                                                                                                       \
		if (got_ != (want))                                                                                    \
			print_error("%s: %s\n", #call, err_text(ec, NULL, text_, sizeof(text_)));                      \
		assert_int_equal(got_, want);                                                                          \
	} while (0)

#define assert_ok(call) assert_err(call, ERR_OK)

#endif
