/* What the simulated scenarios of several pools share. */
#include "several.h"
#include "simulation.h"

#if POOLY_VERSION >= 3

static Lives lives;

PoolyConfig
choose_mortals (const char *name)
{
  PoolyConfig config = mortals (name, &lives);

  if (test_random (2) == 0)
    config.worker = &short_mortal_class;
  return config;
}

void
begin_simulated (void)
{
  PoolyConfig configs[] = { choose_mortals ("A"), choose_mortals ("B") };
  g_autoptr (GError) error = NULL;

  lives = (Lives) { 0 };
  pooly_start_pools (configs, G_N_ELEMENTS (configs), &error);
  g_assert_no_error (error);
}

void
end_simulated (void)
{
  stop_simulated ();
  g_assert_cmpint (lives.n_over, ==, lives.n_begun);
  test_end ();
}

/* A pool that never gets there should leave a trace that can be read. */
#ifdef SIMULATED
#define MAX_ROUNDS 1000
#else
#define MAX_ROUNDS G_MAXUINT
#endif

static gboolean
is_over (const char *pool)
{
  return find_part (pool, "Server") == PID_NONE
         && find_part (pool, "WorkerSupervisor") == PID_NONE;
}

static void
wait_for_pool (const char *pool, gboolean (*is_so) (const char *pool))
{
  for (guint i = 0; !is_so (pool); i++) {
    g_assert_cmpuint (i, <, MAX_ROUNDS);
    process_sleep (1);
  }
}

/* The server may still have to hear of the dead, and of those to whom it lends
 * what they have asked for: as in races.c. */
void
assert_is_right (const char *pool)
{
  PoolyStatus earlier;

  wait_for_pool (pool, is_whole);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  g_assert_true (pooly_status (pool, &earlier, NULL));
  assert_is_complete (pool);
  assert_serves (pool);
}

/* Where the pool's supervisor was killed, those under it end when they hear of
 * that; and then there is no such pool. */
void
assert_is_over (const char *pool)
{
  wait_for_pool (pool, is_over);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  assert_is_no_pool (pool);
}

/* CONSUMERS */

void
borrow_some (gpointer pool)
{
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GError) error = NULL;
    Pid worker = pooly_checkout (pool, &error);

    if (worker == PID_NONE) {
      g_assert_error (error, POOLY_ERROR, POOLY_ERROR_FULL);
      continue;
    }
    test_call (worker, (Message) { .tag = 1 });
    pooly_checkin (pool, worker);
  }
}

static void
try_to_borrow_but (const char *pool, gboolean (*may_fail) (const GError *error))
{
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GError) error = NULL, call_error = NULL;
    Pid worker = pooly_checkout (pool, &error);

    if (worker == PID_NONE && !may_fail (error))
      g_assert_no_error (error);
    if (worker != PID_NONE)
      gen_server_call (worker, (Message) { .tag = 1 }, -1, NULL, &call_error);
    pooly_checkin (pool, worker);
  }
}

void
try_to_borrow (gpointer pool)
{
  try_to_borrow_but (pool, may_fail_so);
}

void
try_to_borrow_unknown (gpointer pool)
{
  try_to_borrow_but (pool, may_be_unknown);
}

Pid
spawn_consumer (ProcessFunc func, const char *pool)
{
  return spawn ("consumer", func, (gpointer) pool);
}

#endif
