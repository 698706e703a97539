/* Starting a pool, and not being able to. */
#include "scenarios.h"

static Lives lives;

/* When start returns, every worker has been through its init. */
void
test_start_pool_is_ready (void)
{
  lives = (Lives) { 0 };
  start_pool (&mortal_class, &lives, 20);
  g_assert_cmpint (g_atomic_int_get (&lives.n_begun), ==, 20);
  assert_status (20, 0);
  for (guint i = 0; i < 20; i++)
    take ();
  assert_status (0, 20);
  pooly_stop ();
  test_end ();
}

void
test_start_tree_has_names (void)
{
  face_start (3);
  g_assert_cmpuint (process_whereis (FACE_SERVER), !=, PID_NONE);
  g_assert_cmpuint (count_children (FACE_TOP), ==, 2);
  g_assert_cmpuint (count_children (FACE_WORKER_SUPERVISOR), ==, 3);
  pooly_stop ();
  test_end ();
}

static void
assert_is_invalid (const GenServerClass *worker, guint size, const char *field)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (face_start_with (worker, NULL, size, &error));
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_INVALID_CONFIG);
  g_assert_nonnull (strstr (error->message, field));
  assert_nothing_is_left ();
}

void
test_start_worker_is_required (void)
{
  assert_is_invalid (NULL, 1, "worker");
  pooly_stop ();
  test_end ();
}

void
test_start_size_has_limits (void)
{
  assert_is_invalid (&sample_worker_class, 0, "size");
  assert_is_invalid (&sample_worker_class, POOLY_MAX_SIZE + 1, "size");
  assert_is_invalid (&sample_worker_class, G_MAXUINT, "size");
  face_start (1);
  assert_status (1, 0);
  pooly_stop ();
  test_end ();
}

/* The second start is refused, and the first pool does not notice. */
void
test_start_twice_exists (void)
{
  g_autoptr (GError) error = NULL;
  Pid server, worker;

  face_start (2);
  server = process_whereis (FACE_SERVER);
  worker = take ();
  g_assert_false (face_start_with (&sample_worker_class, NULL, 5, &error));
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_EXISTS);
  g_assert_cmpuint (process_whereis (FACE_SERVER), ==, server);
  g_assert_true (process_is_alive (worker));
  assert_status (1, 1);
  face_checkin (worker);
  assert_status (2, 0);
  pooly_stop ();
  test_end ();
}

static gpointer
start_one_of_many (gpointer n_started)
{
  g_autoptr (GError) error = NULL;

  if (face_start_with (&mortal_class, &lives, 3, &error))
    g_atomic_int_inc ((gint *) n_started);
  else
    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_EXISTS);
  return NULL;
}

void
test_start_many_at_once_one_wins (void)
{
  gint n_started = 0;

  lives = (Lives) { 0 };
  run_threads (8, start_one_of_many, &n_started);
  g_assert_cmpint (n_started, ==, 1);
  assert_status (3, 0);
  pooly_stop ();
  assert_lives (&lives, 3);
  test_end ();
}

/* That worker's own error is the start's, nothing is left of the others, and
 * the next start finds everything as it was. */
static void
check_worker_fails (const GenServerClass *worker, gint which)
{
  g_autoptr (GError) error = NULL;

  lives = (Lives) { .fails_at = which };
  g_assert_false (face_start_with (worker, &lives, 5, &error));
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_WORKER);
  g_assert_nonnull (strstr (error->message, LIVES_FAULT));
  assert_nothing_is_left ();
  assert_lives (&lives, which);
  assert_not_taken (POOLY_ERROR_DOWN);

  lives = (Lives) { 0 };
  start_pool (worker, &lives, 5);
  assert_status (5, 0);
  pooly_stop ();
  assert_lives (&lives, 5);
}

void
test_start_first_worker_fails (void)
{
  check_worker_fails (&mortal_class, 1);
  check_worker_fails (&short_mortal_class, 1);
  test_end ();
}

void
test_start_middle_worker_fails (void)
{
  check_worker_fails (&mortal_class, 3);
  check_worker_fails (&short_mortal_class, 3);
  test_end ();
}

void
test_start_last_worker_fails (void)
{
  check_worker_fails (&mortal_class, 5);
  check_worker_fails (&short_mortal_class, 5);
  test_end ();
}

static gpointer
start_and_end (gpointer data G_GNUC_UNUSED)
{
  face_start (2);
  return NULL;
}

/* The pool belongs to the program. */
void
test_start_outlives_its_thread (void)
{
  run_threads (1, start_and_end, NULL);
  assert_status (2, 0);
  take ();
  assert_status (1, 1);
  pooly_stop ();
  test_end ();
}

static void
start_and_stand (gpointer door)
{
  face_start (2);
  door_stand (door);
}

void
test_start_outlives_its_killed_process (void)
{
  static Door door;
  Pid starter = process_spawn (start_and_stand, &door, NULL);

  gate_wait (&door.entered);
  kill_and_wait (starter);
  assert_status (2, 0);
  gate_open (&door.leave);
  pooly_stop ();
  test_end ();
}

void
test_start_many_workers (void)
{
  guint size = test_scaled (g_test_slow () ? 10000 : 1000);

  lives = (Lives) { 0 };
  start_pool (&mortal_class, &lives, size);
  assert_status (size, 0);
  for (guint i = 0; i < size; i++)
    take ();
  assert_not_taken (POOLY_ERROR_FULL);
  pooly_stop ();
  assert_lives (&lives, (gint) size);
  test_end ();
}
