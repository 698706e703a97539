/* What a death costs, however many there are: `make steps` counts instructions
 * while these run with few and with many. */
#include "scenarios.h"

static gboolean
borrow (gpointer state G_GNUC_UNUSED, gconstpointer args G_GNUC_UNUSED,
        GError **error)
{
  return face_checkout (error) != PID_NONE;
}

static gboolean
is_short (gconstpointer state G_GNUC_UNUSED,
          const Message *message G_GNUC_UNUSED)
{
  return TRUE;
}

static const GenServerClass borrower_class = { .name = "Borrower",
                                               .is_short = is_short,
                                               .init = borrow };

void
test_steps_of_consumers_deaths (void)
{
  guint n = test_scaled (100000);
  g_autofree Pid *borrowers = g_new (Pid, n);
  g_autoptr (GError) error = NULL;
  Lives lives = { 0 };

  face_start_with (&short_mortal_class, &lives, n, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < n; i++)
    borrowers[i] = gen_server_start (&borrower_class, NULL, NULL, NULL);
  assert_status (0, n);
  for (guint i = 0; i < n; i++)
    process_exit (borrowers[i], REASON_KILL);
  assert_status (n, 0);
  pooly_stop ();
  test_end ();
}

#if POOLY_VERSION >= 4

static const GenServerClass waiter_class = { .name = "Waiter",
                                             .is_short = is_short };

static void
shuffle (Pid *pids, guint n)
{
  for (guint i = n - 1; i > 0; i--) {
    guint other = (guint) g_test_rand_int_range (0, (gint32) i + 1);
    Pid pid = pids[i];

    pids[i] = pids[other];
    pids[other] = pid;
  }
}

/* In any order; that there are so many threads would be another matter. */
void
test_steps_of_waiters_leaving (void)
{
  guint n = test_scaled (10000);
  g_autofree Pid *waiters = g_new (Pid, n);
  From first;
  Line line;

  line_init (&line);
  for (guint i = 0; i < n; i++) {
    waiters[i] = gen_server_start (&waiter_class, NULL, NULL, NULL);
    line_join (&line, (From) { .pid = waiters[i], .ref = 1 });
  }
  g_assert_cmpuint (line.waiters.length, ==, n);
  shuffle (waiters, n);
  for (guint i = 0; i < n; i++) {
    line_leave (&line, waiters[i]);
    g_assert_cmpuint (line.waiters.length, ==, n - 1 - i);
  }
  g_assert_false (line_pop (&line, &first));
  line_clear (&line);
  for (guint i = 0; i < n; i++)
    process_exit (waiters[i], REASON_KILL);
  test_end ();
}

#endif
