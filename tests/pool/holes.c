/* The holes that a version is meant to have, and the next one mends. */
#include "scenarios.h"

static gpointer
take_and_end (gpointer worker)
{
  *(Pid *) worker = take ();
  return NULL;
}

/* Nobody tells the server, so nobody else ever gets that worker. */
void
test_consumer_death_worker_is_lost (void)
{
  Pid worker;

  face_start (2);
  run_threads (1, take_and_end, &worker);
  assert_status (1, 1);
  g_assert_true (process_is_alive (worker));
  face_checkin (worker);
  assert_status (1, 1);
  g_assert_cmpuint (take (), !=, worker);
  assert_not_taken (POOLY_ERROR_FULL);
  pooly_stop ();
  test_end ();
}

/* Returns: the child that was not in the pool before, once it runs */
static Pid
find_new_worker (const Pid *workers, guint n_workers)
{
  Pid supervisor = process_whereis (FACE_WORKER_SUPERVISOR);
  g_autoptr (GArray) children = supervisor_which_children (supervisor, NULL);

  for (guint i = 0; i < children->len; i++) {
    Pid pid = g_array_index (children, ChildInfo, i).pid;

    if (pid != PID_NONE && !is_among (pid, workers, n_workers))
      return pid;
  }
  return PID_NONE;
}

/* A pool of two; the one that came back last dies while it is idle. */
static Pid
start_and_kill_one (Pid workers[2])
{
  Pid new_worker;

  face_start (2);
  workers[0] = take ();
  workers[1] = take ();
  face_checkin (workers[0]);
  face_checkin (workers[1]);
  kill_and_wait (workers[1]);
  wait_until ((new_worker = find_new_worker (workers, 2)) != PID_NONE);
  return new_worker;
}

/* The supervisor has started another, and the server does not know. */
void
test_worker_death_dead_one_is_lent (void)
{
  g_autoptr (GError) error = NULL;
  Pid workers[2];

  start_and_kill_one (workers);
  assert_status (2, 0);
  g_assert_cmpuint (take (), ==, workers[1]);
  g_assert_false (sample_worker_work_for (workers[1], 0, &error));
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_NOPROC);
  pooly_stop ();
  test_end ();
}

/* It lives, and nobody can have it. */
void
test_worker_death_new_one_is_never_lent (void)
{
  Pid workers[2], new_worker;

  new_worker = start_and_kill_one (workers);
  g_assert_true (process_is_alive (new_worker));
  g_assert_cmpuint (take (), !=, new_worker);
  g_assert_cmpuint (take (), !=, new_worker);
  assert_not_taken (POOLY_ERROR_FULL);
  face_checkin (new_worker);
  assert_not_taken (POOLY_ERROR_FULL);
  pooly_stop ();
  test_end ();
}

/* Nobody starts it again, and the server lends its workers, all dead. */
void
test_worker_supervisor_death_dead_ones_are_lent (void)
{
  Pid workers[2];

  face_start (2);
  for (guint i = 0; i < 2; i++)
    workers[i] = take ();
  for (guint i = 0; i < 2; i++)
    face_checkin (workers[i]);
  kill_and_wait (process_whereis (FACE_WORKER_SUPERVISOR));
  for (guint i = 0; i < 2; i++)
    g_assert_true (process_wait_end (workers[i], test_limit ()));
  assert_status (2, 0);
  for (guint i = 0; i < 2; i++)
    g_assert_false (process_is_alive (take ()));
  assert_not_taken (POOLY_ERROR_FULL);
  g_assert_cmpuint (process_whereis (FACE_WORKER_SUPERVISOR), ==, PID_NONE);
  pooly_stop ();
  test_end ();
}

/* From version 2 on. */

#define SIZE 3

/* Not FULL: the worker's own error. */
static void
assert_out_of_order (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (face_checkout (&error), ==, PID_NONE);
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_WORKER);
  g_assert_nonnull (strstr (error->message, LIVES_FAULT));
}

/* Who is not replaced is missed from then on: nobody tries again.  The others
 * are lent as before, and replaced as before. */
static void
check_without_replacement (const GenServerClass *worker)
{
  static Lives lives;
  Pid server, workers[SIZE];

  lives = (Lives) { .fails_at = SIZE + 1 };
  start_pool (worker, &lives, SIZE);
  server = process_whereis (FACE_SERVER);
  take_all (workers, SIZE);
  face_checkin (workers[1]);
  kill_and_wait (workers[0]);
  assert_status (1, 1);
  g_assert_cmpuint (take (), ==, workers[1]);
  assert_out_of_order ();
  face_checkin (workers[2]);
  g_assert_cmpuint (take (), ==, workers[2]);
  assert_out_of_order ();

  kill_and_wait (workers[2]);
  assert_status (1, 1);
  g_assert_true (process_is_alive (take ()));
  assert_out_of_order ();
  g_assert_cmpuint (process_whereis (FACE_SERVER), ==, server);
  pooly_stop ();
  assert_lives (&lives, SIZE + 2);
}

void
test_worker_death_without_replacement (void)
{
  check_without_replacement (&mortal_class);
  check_without_replacement (&short_mortal_class);
  test_end ();
}

static void
stop_supervisor (Pid supervisor)
{
  supervisor_stop (supervisor, -1);
}

/* The server learns of its workers' deaths, and has nobody who could start
 * others.  Only a new pool helps. */
static void
check_stays_empty (void (*end) (Pid supervisor))
{
  Pid server, workers[SIZE];

  face_start (SIZE);
  server = process_whereis (FACE_SERVER);
  take_all (workers, SIZE);
  check_in_all (workers, SIZE - 1);
  end (process_whereis (FACE_WORKER_SUPERVISOR));
  for (guint i = 0; i < SIZE; i++)
    g_assert_true (process_wait_end (workers[i], test_limit ()));
  assert_status (0, 0);
  assert_not_taken (POOLY_ERROR_WORKER);
  face_checkin (workers[SIZE - 1]);
  assert_status (0, 0);
  g_assert_cmpuint (process_whereis (FACE_SERVER), ==, server);
  g_assert_cmpuint (process_whereis (FACE_WORKER_SUPERVISOR), ==, PID_NONE);
  pooly_stop ();

  face_start (SIZE);
  take_all (workers, SIZE);
  pooly_stop ();
}

void
test_worker_supervisor_death_pool_stays_empty (void)
{
  check_stays_empty (kill_and_wait);
  check_stays_empty (stop_supervisor);
  test_end ();
}
