// SPDX-License-Identifier: EUPL-1.2
// Goal: while nothing else is to be done, an owner moves a long log into the database, so that no later save has to,
// and then looks whether everything is whole (V5); a short log stays where it is. Seen to fail with: no move at all; a
// move at any length.
#include "desk.h"

#include "app/watch.h"
#include "vault/vault.h"

static void log_some(struct desk *d, int count)
{
	char id[ID_TEXT_LEN];

	for (int i = 0; i < count; i++)
		assert_int_equal(contact_add(&d->ec, d->app, NULL, &(struct contact_fields){ .text = "gebeld" }, id),
		                 ERR_OK);
}

static void rest(struct desk *d)
{
	int steps = 0;

	while (app_idle_step(d->app))
		assert_true(++steps < 1000);
}

static void a_long_log_is_moved(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d);
	rest(&d);
	log_some(&d, 3);
	assert_true(vault_log_frames(d.app->vault) > 0);
	rest(&d);
	assert_true(vault_log_frames(d.app->vault) > 0); /* three conversations are no reason */
	assert_int_equal(app_watch(d.app).state, WATCH_WHOLE);
	log_some(&d, 60);
	rest(&d);
	assert_int_equal(vault_log_frames(d.app->vault), 0);
	assert_int_equal(app_watch(d.app).state, WATCH_WHOLE);
	desk_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_log_is_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
