/* How often somebody may die until the one above gives up.  It is OTP's rule: of
 * what happens in SUPERVISOR_MAX_SECONDS a supervisor heals
 * SUPERVISOR_MAX_RESTARTS; with one more it stops what is left, and itself.  That
 * is one restart for the supervisor above. */
#include "scheduler.h"
#include "several.h"
#include "simulation.h"

#if POOLY_VERSION >= 3

/* So many deaths are one too many. */
#define TOO_MANY (SUPERVISOR_MAX_RESTARTS + 1)

static Lives lives;

/* TIME */

static gint64 began;

/* On a slow machine the first death may be forgotten before the last; and in a
 * simulation the clock may jump.  (For some it nearly always does, so those are
 * not simulated.) */
static gboolean
is_too_late (void)
{
  return scheduler_now () - began
         >= SUPERVISOR_MAX_SECONDS * (gint64) G_TIME_SPAN_SECOND;
}

/* Runs it anew as long as it was too late. */
static void
run_in_time (gboolean (*run) (void))
{
  gboolean is_done = FALSE;

  for (guint i = 0; i < 5 && !is_done; i++) {
    start_mortals (POOLS, &lives);
    began = scheduler_now ();
    is_done = run ();
    stop_simulated ();
    g_assert_cmpint (lives.n_over, ==, lives.n_begun);
  }
  if (!is_done)
    g_test_skip ("this machine is too slow");
  test_end ();
}

/* DEATHS */

static gboolean
is_there_but (const char *name, Pid old)
{
  Pid pid = process_whereis (name);

  return pid != PID_NONE && pid != old;
}

/* Returns when there is another in its place, and the pools are whole; or when
 * nothing is there any more. */
static void
kill_by_name (const char *name)
{
  Pid top = process_whereis (FACE_TOP), victim = process_whereis (name);

  kill_and_wait (victim);
  while (process_is_alive (top)
         && !(is_there_but (name, victim) && is_whole ("A") && is_whole ("B")
              && is_whole ("C")))
    process_sleep (1);
}

/* Kills it until it would be one too many. */
static void
kill_all_but_one (const char *name)
{
  for (guint i = 0; i < SUPERVISOR_MAX_RESTARTS; i++)
    kill_by_name (name);
}

/* What @name's death does to the supervisor that counts it, and what that one's
 * end does to who counts that. */
static gboolean
check_limit (const char *name, const char *counts, const char *above)
{
  Pid supervisor = process_whereis (counts);
  Pid next = process_whereis (above);

  kill_all_but_one (name);
  if (is_too_late ())
    return FALSE;
  g_assert_cmpuint (process_whereis (counts), ==, supervisor);
  kill_by_name (name);
  if (is_too_late ())
    return FALSE;
  g_assert_false (process_is_alive (supervisor));
  g_assert_cmpuint (process_whereis (counts), !=, PID_NONE);
  g_assert_cmpuint (process_whereis (above), ==, next);

  /* It counts from the beginning. */
  supervisor = process_whereis (counts);
  kill_all_but_one (name);
  if (is_too_late ())
    return FALSE;
  g_assert_cmpuint (process_whereis (counts), ==, supervisor);
  return TRUE;
}

static gboolean
kill_pool_servers (void)
{
  return check_limit ("AServer", "ASupervisor", "Pooly.PoolsSupervisor");
}

void
test_race_limit_of_pool_servers (void)
{
  run_in_time (kill_pool_servers);
}

/* The pool server follows its worker supervisor: that is one death to count. */
static gboolean
kill_worker_supervisors (void)
{
  return check_limit ("AWorkerSupervisor", "ASupervisor",
                      "Pooly.PoolsSupervisor");
}

void
test_race_limit_of_worker_supervisors (void)
{
  run_in_time (kill_worker_supervisors);
}

static gboolean
kill_pool_supervisors (void)
{
  return check_limit ("ASupervisor", "Pooly.PoolsSupervisor",
                      "Pooly.Supervisor");
}

void
test_limit_of_pool_supervisors (void)
{
  run_in_time (kill_pool_supervisors);
}

/* Each pool has its own limit. */
static gboolean
kill_all_but_one_in_each (void)
{
  const char *const *names = POOLS;
  Family families[3];

  for (guint i = 0; i < 3; i++)
    families[i] = get_family (names[i]);
  kill_all_but_one ("AServer");
  kill_all_but_one ("BServer");
  kill_all_but_one ("CWorkerSupervisor");
  if (is_too_late ())
    return FALSE;
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (find_part (names[i], "Supervisor"), ==,
                      families[i].supervisor);
  return TRUE;
}

void
test_race_limit_is_each_pool_s_own (void)
{
  run_in_time (kill_all_but_one_in_each);
}

/* Who replaces workers is no supervisor that counts. */
static gboolean
kill_workers (void)
{
  Family family = get_family ("A");

  for (guint i = 0; i < 5 * TOO_MANY; i++) {
    Pid worker = take_from ("A");

    kill_and_wait (worker);
    pooly_checkin ("A", worker);
    assert_serves ("A");
  }
  g_assert_cmpuint (find_part ("A", "Server"), ==, family.server);
  g_assert_cmpuint (find_part ("A", "WorkerSupervisor"), ==,
                    family.worker_supervisor);
  return TRUE;
}

void
test_race_limit_is_not_for_workers (void)
{
  run_in_time (kill_workers);
}

/* THE TOP */

static void
assert_down (void)
{
  PoolyConfig config = mortals ("D", &lives);
  g_autoptr (GError) start_error = NULL, stop_error = NULL, error = NULL;
  PoolyStatus status;

  assert_not_taken_from ("A", POOLY_ERROR_DOWN);
  assert_not_taken_from ("D", POOLY_ERROR_DOWN);
  pooly_checkin ("A", process_self ());
  g_assert_false (pooly_status ("A", &status, &error));
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_DOWN);
  g_assert_false (pooly_start_pool (&config, &start_error));
  g_assert_error (start_error, POOLY_ERROR, POOLY_ERROR_DOWN);
  g_assert_false (pooly_stop_pool ("A", &stop_error));
  g_assert_error (stop_error, POOLY_ERROR, POOLY_ERROR_DOWN);
}

/* Nothing hangs, nothing is left, and the next start finds it all as it was. */
static void
assert_ends (Pid top)
{
  Lives others;

  wait_for (top);
  wait_for_all ();
  assert_nothing_is_left ();
  assert_down ();
  start_mortals (POOLS, &others);
  assert_serves ("A");
  stop_simulated ();
  g_assert_cmpint (others.n_over, ==, others.n_begun);
}

/* So many deaths of @name are too many for the top. */
static gboolean
check_top (const char *name, guint n_deaths)
{
  Pid top = process_whereis (FACE_TOP);

  for (guint i = 1; i < n_deaths; i++) {
    kill_by_name (name);
    if (is_too_late ())
      return FALSE;
    g_assert_true (process_is_alive (top));
  }
  kill_by_name (name);
  if (is_too_late ())
    return FALSE;
  assert_ends (top);
  return TRUE;
}

static gboolean
kill_pooly_servers (void)
{
  return check_top ("Pooly.Server", TOO_MANY);
}

void
test_race_limit_of_pooly_servers (void)
{
  run_in_time (kill_pooly_servers);
}

static gboolean
kill_pools_supervisors (void)
{
  return check_top ("Pooly.PoolsSupervisor", TOO_MANY);
}

void
test_limit_of_pools_supervisors (void)
{
  run_in_time (kill_pools_supervisors);
}

static gboolean
kill_pool_supervisors_to_the_top (void)
{
  return check_top ("ASupervisor", TOO_MANY * TOO_MANY);
}

void
test_limit_of_pool_supervisors_reaches_the_top (void)
{
  run_in_time (kill_pool_supervisors_to_the_top);
}

static gboolean
kill_pool_servers_to_the_top (void)
{
  return check_top ("AServer", TOO_MANY * TOO_MANY * TOO_MANY);
}

void
test_limit_of_pool_servers_reaches_the_top (void)
{
  run_in_time (kill_pool_servers_to_the_top);
}

static gboolean
kill_top (void)
{
  return check_top (FACE_TOP, 1);
}

void
test_race_top_is_killed (void)
{
  run_in_time (kill_top);
}

#endif
