/* Several pools, and deaths at the wrong moment.  What races.c says of one pool is
 * true here of each; and what becomes of one must not be seen in another. */
#include "several.h"
#include "simulation.h"

#if POOLY_VERSION >= 3

/* Any of pool A's.  B, which has a loan, does not notice. */
static void
check_death_in_a (Pid victim)
{
  Pid mine = take_from ("B");
  Family b = get_family ("B");
  Pid consumers[] = { spawn_consumer (try_to_borrow, "A"),
                      spawn_consumer (borrow_some, "B"),
                      spawn_killer (victim) };

  for (guint i = 0; i < G_N_ELEMENTS (consumers); i++)
    wait_for (consumers[i]);
  wait_for (victim);
  assert_is_right ("A");
  assert_same_family ("B", &b);
  pooly_checkin ("B", mine);
  assert_is_right ("B");
  end_simulated ();
}

void
test_race_worker_of_one_pool_dies (void)
{
  begin_simulated ();
  check_death_in_a (get_family ("A").workers[test_random (POOL_SIZE)]);
}

void
test_race_worker_supervisor_dies (void)
{
  begin_simulated ();
  check_death_in_a (find_part ("A", "WorkerSupervisor"));
}

void
test_race_pool_server_dies (void)
{
  begin_simulated ();
  check_death_in_a (find_part ("A", "Server"));
}

void
test_race_pool_supervisor_dies (void)
{
  begin_simulated ();
  check_death_in_a (find_part ("A", "Supervisor"));
}

/* All pools fall; A and B come back, C does not. */
static void
check_death_above (const char *name)
{
  Pid victim = process_whereis (name), consumers[3];
  Family a = get_family ("A");
  PoolyConfig c = choose_mortals ("C");

  g_assert_true (pooly_start_pool (&c, NULL));
  consumers[0] = spawn_consumer (try_to_borrow, "A");
  consumers[1] = spawn_consumer (try_to_borrow, "B");
  consumers[2] = spawn_consumer (try_to_borrow_unknown, "C");
  spawn_killer (victim);
  wait_for (victim);
  for (guint i = 0; i < G_N_ELEMENTS (consumers); i++)
    wait_for (consumers[i]);
  wait_for (a.server);
  assert_is_right ("A");
  assert_is_right ("B");
  assert_not_taken_from ("C", POOLY_ERROR_NO_SUCH_POOL);
  g_assert_true (pooly_start_pool (&c, NULL));
  assert_is_right ("C");
  end_simulated ();
}

void
test_race_pools_supervisor_dies (void)
{
  begin_simulated ();
  check_death_above ("Pooly.PoolsSupervisor");
}

void
test_race_pooly_server_dies (void)
{
  begin_simulated ();
  check_death_above ("Pooly.Server");
}

/* RANDOM OPERATIONS */

#define N_OPERATIONS 8

static PoolyConfig pool_c;
static gint n_kills_left; /* atomic; so many are healed, whoever they meet */

static const char *
any_pool (GRand *chance)
{
  static const char *const names[] = { "A", "B", "C" };

  return names[g_rand_int_range (chance, 0, 3)];
}

static void
random_borrow (GRand *chance)
{
  g_autoptr (GError) error = NULL;
  const char *pool = any_pool (chance);
  Pid worker = pooly_checkout (pool, &error);

  if (worker == PID_NONE && !may_be_unknown (error) && !process_is_dying ())
    g_assert_no_error (error);
  if (g_rand_boolean (chance))
    gen_server_call (worker, (Message) { .tag = 1 }, -1, NULL, NULL);
  if (g_rand_boolean (chance))
    process_exit (worker, crash ());
  if (g_rand_boolean (chance)) /* else it keeps it as long as it lives */
    pooly_checkin (pool, worker);
}

static void
random_kill (GRand *chance)
{
  static const char *const names[] = {
    "Pooly.Server", "Pooly.PoolsSupervisor", "ASupervisor",
    "AServer",      "AWorkerSupervisor",     "BSupervisor",
    "BServer",      "BWorkerSupervisor",     "CSupervisor",
    "CServer",      "CWorkerSupervisor",
  };
  gint32 which = g_rand_int_range (chance, 0, G_N_ELEMENTS (names));

  if (g_atomic_int_add (&n_kills_left, -1) > 0)
    kill_and_wait (process_whereis (names[which]));
}

static void
random_start (GRand *chance G_GNUC_UNUSED)
{
  pooly_start_pool (&pool_c, NULL);
}

static void
random_stop (GRand *chance G_GNUC_UNUSED)
{
  pooly_stop_pool ("C", NULL);
}

static void
play (gpointer seed)
{
  static void (*const operations[]) (GRand * chance) = {
    random_borrow, random_borrow, random_borrow, random_borrow,
    random_kill,   random_start,  random_start,  random_stop
  };
  GRand *chance = g_rand_new_with_seed (GPOINTER_TO_UINT (seed));

  for (guint i = 0; i < N_OPERATIONS; i++)
    operations[g_rand_int_range (chance, 0, G_N_ELEMENTS (operations))](chance);
  g_rand_free (chance);
}

void
test_race_random_operations_on_pools (void)
{
  Pid players[3];

  begin_simulated ();
  pool_c = choose_mortals ("C");
  n_kills_left = SUPERVISOR_MAX_RESTARTS;
  for (guint i = 0; i < G_N_ELEMENTS (players); i++)
    players[i] = spawn ("player", play,
                        GUINT_TO_POINTER (test_random (G_MAXINT32)));
  for (guint i = 0; i < G_N_ELEMENTS (players); i++)
    wait_for (players[i]);
  assert_is_right ("A");
  assert_is_right ("B");
  pooly_stop_pool ("C", NULL);
  assert_is_over ("C");
  random_start (NULL);
  assert_is_right ("C");
  end_simulated ();
}

#endif
