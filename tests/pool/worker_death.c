/* A worker dies: another takes its place, and nobody is lent the dead one. */
#include "scenarios.h"

#define SIZE 3

/* How a worker may die. */

static void
kill_worker (Pid worker)
{
  process_exit (worker, REASON_KILL);
}

static void (*const deaths[]) (Pid worker) = { sample_worker_crash,
                                               sample_worker_stop,
                                               kill_worker };

/* When it returns, the server has been told; so whatever is asked of the server
 * now, it knows. */
static void
die (Pid worker, guint death)
{
  deaths[death](worker);
  g_assert_true (process_wait_end (worker, test_limit ()));
}

/* Who died is replaced by a new one, who did not is still there, the server has
 * not suffered, and no worker runs that nobody can have. */
static void
assert_is_replaced (Pid dead, const Pid *others, Pid server)
{
  Pid workers[SIZE];

  assert_status (SIZE, 0);
  take_all (workers, SIZE);
  g_assert_false (is_among (dead, workers, SIZE));
  for (guint i = 0; i < SIZE - 1; i++)
    g_assert_true (is_among (others[i], workers, SIZE));
  g_assert_cmpuint (process_whereis (FACE_SERVER), ==, server);
  g_assert_cmpuint (count_children (FACE_WORKER_SUPERVISOR), ==, SIZE);
}

static void
check_is_replaced (gboolean is_busy, guint death)
{
  Pid server, workers[SIZE];

  face_start (SIZE);
  server = process_whereis (FACE_SERVER);
  take_all (workers, SIZE);
  check_in_all (workers, is_busy ? SIZE - 1 : SIZE);
  assert_status (is_busy ? SIZE - 1 : SIZE, is_busy ? 1 : 0);
  die (workers[SIZE - 1], death);
  assert_is_replaced (workers[SIZE - 1], workers, server);
  pooly_stop ();
}

void
test_worker_death_busy_one_is_replaced (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (deaths); i++)
    check_is_replaced (TRUE, i);
  test_end ();
}

void
test_worker_death_idle_one_is_replaced (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (deaths); i++)
    check_is_replaced (FALSE, i);
  test_end ();
}

/* Wherever it stands among the idle ones. */
void
test_worker_death_dead_one_is_not_lent (void)
{
  for (guint i = 0; i < SIZE; i++) {
    Pid workers[SIZE], worker;

    face_start (SIZE);
    take_all (workers, SIZE);
    check_in_all (workers, SIZE);
    kill_and_wait (workers[i]);
    for (guint j = 0; j < SIZE; j++) {
      worker = take ();
      g_assert_cmpuint (worker, !=, workers[i]);
      g_assert_true (sample_worker_work_for (worker, 0, NULL));
    }
    pooly_stop ();
  }
  test_end ();
}

/* The call that it was at ends, and the next one finds nobody. */
void
test_worker_death_consumer_is_told (void)
{
  g_autoptr (GError) error = NULL;
  Work work;
  Pid worker;

  face_start (1);
  worker = take ();
  work_begin (&work, worker, G_MAXINT);
  kill_and_wait (worker);
  work_end (&work);
  g_assert_error (work.error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_clear_error (&work.error);
  g_assert_false (sample_worker_work_for (worker, 0, &error));
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_NOPROC);

  assert_status (1, 0);
  g_assert_true (sample_worker_work_for (take (), 0, NULL));
  pooly_stop ();
  test_end ();
}

/* Who borrowed it need not know that it is dead. */
void
test_worker_death_late_checkin_is_ignored (void)
{
  Pid worker, workers[SIZE];

  face_start (SIZE);
  worker = take ();
  kill_and_wait (worker);
  face_checkin (worker);
  assert_status (SIZE, 0);
  take_all (workers, SIZE);
  face_checkin (worker);
  assert_status (0, SIZE);
  assert_not_taken (POOLY_ERROR_FULL);
  pooly_stop ();
  test_end ();
}

static gpointer
take_and_see_it_die (gpointer data)
{
  Pid *workers = data;

  workers[0] = take ();
  workers[1] = take ();
  kill_and_wait (workers[0]);
  return NULL;
}

/* Of two that it had one came back by its own death, one by the consumer's. */
void
test_worker_death_then_consumer_death (void)
{
  Pid taken[2], workers[SIZE];

  face_start (SIZE);
  run_threads (1, take_and_see_it_die, taken);
  assert_status (SIZE, 0);
  take_all (workers, SIZE);
  g_assert_false (is_among (taken[0], workers, SIZE));
  g_assert_true (is_among (taken[1], workers, SIZE));
  pooly_stop ();
  test_end ();
}

static gpointer
kill_it (gpointer worker)
{
  kill_and_wait (POINTER_TO_PID (worker));
  return NULL;
}

/* A thread for each, the lent ones and the idle ones. */
static void
kill_all (const Pid *workers, guint n_workers)
{
  g_autofree GThread **threads = g_new (GThread *, n_workers);

  for (guint i = 0; i < n_workers; i++)
    threads[i] = g_thread_new ("killer", kill_it, PID_TO_POINTER (workers[i]));
  for (guint i = 0; i < n_workers; i++)
    g_thread_join (threads[i]);
}

#define MANY 20

static void
check_all_at_once (const GenServerClass *worker)
{
  static Lives lives;
  Pid workers[MANY], new_workers[MANY];

  lives = (Lives) { 0 };
  start_pool (worker, &lives, MANY);
  take_all (workers, MANY);
  check_in_all (workers, MANY / 2);
  kill_all (workers, MANY);
  assert_status (MANY, 0);
  take_all (new_workers, MANY);
  for (guint i = 0; i < MANY; i++)
    g_assert_false (is_among (workers[i], new_workers, MANY));
  pooly_stop ();
  assert_lives (&lives, 2 * MANY);
}

void
test_worker_death_all_at_once (void)
{
  check_all_at_once (&mortal_class);
  check_all_at_once (&short_mortal_class);
  test_end ();
}

/* More often than a supervisor would put up with. */
void
test_worker_death_again_and_again (void)
{
  guint n_deaths = test_scaled (1000);
  Pid server, workers[SIZE];

  face_start (SIZE);
  server = process_whereis (FACE_SERVER);
  for (guint i = 0; i < n_deaths; i++) {
    Pid worker = take ();

    if (i % 2 == 0)
      face_checkin (worker);
    kill_and_wait (worker);
    assert_status (SIZE, 0);
  }
  take_all (workers, SIZE);
  g_assert_cmpuint (process_whereis (FACE_SERVER), ==, server);
  g_assert_cmpuint (count_children (FACE_WORKER_SUPERVISOR), ==, SIZE);
  pooly_stop ();
  test_end ();
}

#define MB (1024 * 1024)

/* Whom the server has watched as long as that worker was lent. */
void
test_worker_death_leaves_nothing_behind (void)
{
  guint n_deaths = test_scaled (50000);
  static Lives lives;
  gint64 before = 0;

  lives = (Lives) { 0 };
  start_pool (&short_mortal_class, &lives, 1);
  for (guint i = 0; i < n_deaths; i++) {
    if (i == n_deaths / 2)
      before = test_resident_bytes ();
    kill_and_wait (take ());
  }
  g_assert_cmpint (test_resident_bytes () - before, <, MB / 2);
  assert_status (1, 0); /* the last one is replaced by now */
  pooly_stop ();
  assert_lives (&lives, (gint) n_deaths + 1);
  test_end ();
}
