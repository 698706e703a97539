/* How the pool is doing: idle + busy = size, whoever asks and when. */
#include "scenarios.h"

#define SIZE 5

/* Takes and gives back, rightly and wrongly, and counts what it has. */
void
test_status_adds_up_at_every_step (void)
{
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (Pid));
  Pid returned = PID_NONE;

  face_start (SIZE);
  for (guint i = 0; i < 2000; i++) {
    if (g_test_rand_bit () && taken->len == SIZE) {
      assert_not_taken (POOLY_ERROR_FULL);
    } else if (taken->len == 0 || g_test_rand_bit ()) {
      if (taken->len < SIZE) {
        Pid worker = take ();

        g_array_append_val (taken, worker);
        returned = returned == worker ? PID_NONE : returned;
      }
    } else {
      guint which = (guint) g_test_rand_int_range (0, (gint32) taken->len);

      face_checkin (returned); /* once more, or nothing */
      returned = g_array_index (taken, Pid, which);
      g_array_remove_index (taken, which);
      face_checkin (returned);
    }
    assert_status (SIZE - taken->len, taken->len);
  }
  pooly_stop ();
  test_end ();
}

static gboolean
adds_up_until (guint n_loans)
{
  g_autoptr (GError) error = NULL;
  PoolyStatus status = { 0 };

  face_status (&status, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (status.idle + status.busy, ==, SIZE);
  return load_count () >= n_loans;
}

void
test_status_adds_up_under_load (void)
{
  face_start (SIZE);
  load_begin ();
  wait_until (adds_up_until (test_scaled (20000)));
  load_end ();
  assert_status (SIZE, 0);
  pooly_stop ();
  test_end ();
}

void
test_status_without_pool_is_down (void)
{
  g_autoptr (GError) before = NULL, after = NULL;
  PoolyStatus status;

  g_assert_false (face_status (&status, &before));
  g_assert_error (before, POOLY_ERROR, POOLY_ERROR_DOWN);
  face_start (1);
  g_assert_true (face_status (&status, NULL));
  pooly_stop ();
  g_assert_false (face_status (&status, &after));
  g_assert_error (after, POOLY_ERROR, POOLY_ERROR_DOWN);
  g_assert_false (face_status (&status, NULL));
  test_end ();
}
