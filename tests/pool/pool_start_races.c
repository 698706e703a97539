/* Pools that are started and stopped, and deaths at the wrong moment. */
#include "several.h"
#include "simulation.h"

#if POOLY_VERSION >= 3

/* STARTING */

/* When they are said to be there they are. */
void
test_race_start_then_checkout (void)
{
  begin_simulated ();
  pooly_checkin ("B", take_from ("B"));
  pooly_checkin ("A", take_from ("A"));
  end_simulated ();
}

static gint n_started; /* atomic */

static void
start_c (gpointer config)
{
  g_autoptr (GError) error = NULL;

  if (pooly_start_pool (config, &error))
    g_atomic_int_inc (&n_started);
  else
    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_EXISTS);
}

/* Consumers may come too early. */
void
test_race_one_name_is_started_twice (void)
{
  PoolyConfig config;
  Pid starters[2], consumer;

  begin_simulated ();
  config = choose_mortals ("C");
  n_started = 0;
  consumer = spawn_consumer (try_to_borrow_unknown, "C");
  for (guint i = 0; i < 2; i++)
    starters[i] = spawn ("starter", start_c, &config);
  for (guint i = 0; i < 2; i++)
    wait_for (starters[i]);
  wait_for (consumer);
  g_assert_cmpint (n_started, ==, 1);
  assert_is_right ("C");
  end_simulated ();
}

/* Two pools of which one has a process of the same name as the other: neither
 * that one nor A and B must suffer. */
static void
check_clash (const char *first, const char *second)
{
  PoolyConfig one = choose_mortals (first), other = choose_mortals (second);
  g_autoptr (GError) error = NULL;
  Family a = get_family ("A"), b = get_family ("B"), family;
  Pid consumers[] = { spawn_consumer (borrow_some, "A"),
                      spawn_consumer (borrow_some, "B") };

  g_assert_true (pooly_start_pool (&one, NULL));
  family = get_family (first);
  g_assert_false (pooly_start_pool (&other, &error));
  g_assert_nonnull (strstr (error->message, "CWorkerSupervisor"));
  for (guint i = 0; i < G_N_ELEMENTS (consumers); i++)
    wait_for (consumers[i]);
  assert_same_family ("A", &a);
  assert_same_family ("B", &b);
  assert_same_family (first, &family);
  assert_is_right ("A");
  assert_is_right ("B");
  assert_is_right (first);
}

void
test_race_built_names_clash (void)
{
  gboolean is_longer_first;

  begin_simulated ();
  is_longer_first = test_random (2) == 0;
  check_clash (is_longer_first ? "CWorker" : "C",
               is_longer_first ? "C" : "CWorker");
  end_simulated ();
}

/* Somebody of C is killed as soon as he can be found, maybe before he has begun.
 * Then C is there and whole, or nothing of it is. */
static void
kill_when_found (gpointer name)
{
  Pid victim = PID_NONE;

  for (guint i = 0; i < 20 && victim == PID_NONE; i++)
    if ((victim = process_whereis (name)) == PID_NONE)
      process_sleep (0);
  process_exit (victim, REASON_KILL);
}

static void
check_start_with_death (const char *name)
{
  g_autoptr (GError) error = NULL;
  PoolyConfig config;
  gboolean is_started;
  Pid killer;

  begin_simulated ();
  config = choose_mortals ("C");
  killer = spawn ("killer", kill_when_found, (gpointer) name);
  is_started = pooly_start_pool (&config, &error);
  wait_for (killer);
  if (is_started) {
    assert_is_right ("C");
  } else {
    g_assert_cmpuint (error->domain, ==, POOLY_ERROR);
    assert_is_over ("C");
    g_assert_true (pooly_start_pool (&config, NULL));
    assert_is_right ("C");
  }
  assert_is_right ("A");
  assert_is_right ("B");
  end_simulated ();
}

void
test_race_server_dies_at_start (void)
{
  check_start_with_death ("CServer");
}

void
test_race_worker_supervisor_dies_at_start (void)
{
  check_start_with_death ("CWorkerSupervisor");
}

void
test_race_supervisor_dies_at_start (void)
{
  check_start_with_death ("CSupervisor");
}

/* All pools are being started again, and A suffers once more. */
void
test_race_death_while_all_rise (void)
{
  static const char *const parts[] = { "AServer", "AWorkerSupervisor",
                                       "ASupervisor" };
  Pid server, killer;

  begin_simulated ();
  server = find_part ("A", "Server");
  kill_and_wait (process_whereis ("Pooly.Server"));
  wait_for (server);
  killer = spawn ("killer", kill_when_found, (gpointer) parts[test_random (3)]);
  wait_for (killer);
  assert_is_right ("A");
  assert_is_right ("B");
  end_simulated ();
}

/* STOPPING */

/* Who has or wants one of its workers gets an error; who uses B does not. */
static void
check_stop (Pid victim)
{
  Pid consumers[] = { spawn_consumer (try_to_borrow_unknown, "A"),
                      spawn_consumer (borrow_some, "B"),
                      spawn_killer (victim) };
  PoolyConfig config = choose_mortals ("A");

  g_assert_true (pooly_stop_pool ("A", NULL));
  for (guint i = 0; i < G_N_ELEMENTS (consumers); i++)
    wait_for (consumers[i]);
  assert_is_over ("A");
  assert_is_right ("B");
  g_assert_true (pooly_start_pool (&config, NULL));
  assert_is_right ("A");
  end_simulated ();
}

void
test_race_checkout_at_stop (void)
{
  begin_simulated ();
  check_stop (PID_NONE);
}

void
test_race_death_at_stop (void)
{
  Family a;
  const Pid *all = (const Pid *) (gpointer) &a;

  begin_simulated ();
  a = get_family ("A");
  check_stop (all[test_random (sizeof a / sizeof *all)]);
}

/* Four pools, each of which takes nearly the five seconds that it may. */

#ifdef SIMULATED
#define FAREWELL_MS 4900
#else
#define FAREWELL_MS 1
#endif

static void
terminate_slowly (gpointer state G_GNUC_UNUSED, Reason reason G_GNUC_UNUSED)
{
  process_sleep (FAREWELL_MS);
}

static const GenServerClass slow_class = { .name = "Slow",
                                           .init = init_trapping,
                                           .terminate = terminate_slowly };

void
test_race_stop_takes_its_time (void)
{
  static const char *const names[] = { "A", "B", "C", "D" };
  PoolyConfig configs[4];

  for (guint i = 0; i < 4; i++)
    configs[i] = (PoolyConfig) { .name = names[i],
                                 .worker = &slow_class,
                                 .size = 2 };
  g_assert_true (pooly_start_pools (configs, 4, NULL));
  pooly_stop ();
  assert_nothing_is_left ();
  test_end ();
}

/* Whoever was below it ends by itself, and that is waited for, too. */
void
test_race_stop_after_the_top_s_death (void)
{
  begin_simulated ();
  process_exit (process_whereis (FACE_TOP), REASON_KILL);
  pooly_stop ();
  assert_nothing_is_left ();
  end_simulated ();
}

/* A is there all the time, or comes back: nobody may say that there is no such
 * pool. */
void
test_race_stop_while_all_fall (void)
{
  g_autoptr (GError) error = NULL;
  Pid victim;

  begin_simulated ();
  victim = process_whereis ("Pooly.PoolsSupervisor");
  spawn_killer (victim);
  if (!pooly_stop_pool ("A", &error))
    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_DOWN);
  wait_for (victim);
  assert_is_right ("B");
  end_simulated ();
}

#endif
