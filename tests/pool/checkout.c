/* Borrowing a worker. */
#include "scenarios.h"

void
test_checkout_idle_worker_is_lent (void)
{
  Pid worker;

  face_start (2);
  worker = take ();
  g_assert_true (process_is_alive (worker));
  assert_status (1, 1);
  g_assert_true (sample_worker_work_for (worker, 0, NULL));
  pooly_stop ();
  test_end ();
}

void
test_checkout_same_worker_comes_back (void)
{
  Pid worker;

  face_start (3);
  worker = take ();
  for (guint i = 0; i < 100; i++) {
    face_checkin (worker);
    assert_status (3, 0);
    g_assert_cmpuint (take (), ==, worker);
    assert_status (2, 1);
  }
  pooly_stop ();
  test_end ();
}

void
test_checkout_last_in_is_first_out (void)
{
  Pid first, second, third;

  face_start (3);
  first = take ();
  second = take ();
  third = take ();
  face_checkin (second);
  face_checkin (first);
  face_checkin (third);
  g_assert_cmpuint (take (), ==, third);
  g_assert_cmpuint (take (), ==, first);
  g_assert_cmpuint (take (), ==, second);
  pooly_stop ();
  test_end ();
}

void
test_checkout_each_worker_once (void)
{
  g_autoptr (GHashTable) taken = g_hash_table_new (NULL, NULL);

  face_start (50);
  for (guint i = 0; i < 50; i++)
    g_assert_true (g_hash_table_add (taken, PID_TO_POINTER (take ())));
  pooly_stop ();
  test_end ();
}

/* Full is an answer, not the end: the next check-in ends it. */
void
test_checkout_full (void)
{
  Pid worker;

  face_start (2);
  take ();
  worker = take ();
  assert_not_taken (POOLY_ERROR_FULL);
  assert_not_taken (POOLY_ERROR_FULL);
  g_assert_cmpuint (face_checkout (NULL), ==, PID_NONE);
  assert_status (0, 2);
  face_checkin (worker);
  assert_status (1, 1);
  g_assert_cmpuint (take (), ==, worker);
  pooly_stop ();
  test_end ();
}

/* Who has a worker raises its flag, and finds it down. */
static gpointer
use_workers (gpointer flags)
{
  for (guint i = test_scaled (3000); i > 0; i--) {
    g_autoptr (GError) error = NULL;
    Pid worker = face_checkout (&error);
    gint *flag = g_hash_table_lookup (flags, PID_TO_POINTER (worker));

    if (worker == PID_NONE) {
      g_assert_error (error, POOLY_ERROR, POOLY_ERROR_FULL);
      continue;
    }
    g_assert_nonnull (flag);
    g_assert_true (g_atomic_int_compare_and_exchange (flag, 0, 1));
    g_thread_yield ();
    g_assert_true (g_atomic_int_compare_and_exchange (flag, 1, 0));
    face_checkin (worker);
  }
  return NULL;
}

void
test_checkout_one_worker_one_consumer (void)
{
  g_autoptr (GHashTable) flags = g_hash_table_new_full (NULL, NULL, NULL,
                                                        g_free);
  Pid workers[3];

  face_start (3);
  for (guint i = 0; i < 3; i++) {
    workers[i] = take ();
    g_hash_table_insert (flags, PID_TO_POINTER (workers[i]), g_new0 (gint, 1));
  }
  for (guint i = 0; i < 3; i++)
    face_checkin (workers[i]);
  run_threads (8, use_workers, flags);
  assert_status (3, 0);
  pooly_stop ();
  test_end ();
}

void
test_checkout_without_pool_is_down (void)
{
  assert_not_taken (POOLY_ERROR_DOWN);
  g_assert_cmpuint (face_checkout (NULL), ==, PID_NONE);
  face_start (1);
  take ();
  pooly_stop ();
  assert_not_taken (POOLY_ERROR_DOWN);
  test_end ();
}
