/* Starting Pooly with several pools: all of them, or nothing. */
#include "several.h"

#if POOLY_VERSION >= 3

static Lives lives;

void
test_pools_each_serves_its_own (void)
{
  Family families[3];
  const char *const *names = POOLS;

  start_mortals (names, &lives);
  g_assert_cmpint (lives.n_begun, ==, 3 * POOL_SIZE);
  for (guint i = 0; i < 3; i++) {
    assert_is_complete (names[i]);
    assert_serves (names[i]);
    families[i] = get_family (names[i]);
    for (guint j = 0; j < i; j++)
      for (guint k = 0; k < POOL_SIZE; k++)
        g_assert_false (
          is_among (families[i].workers[k], families[j].workers, POOL_SIZE));
  }
  stop_mortals (&lives);
  test_end ();
}

/* Those are waited for until they have ended, and not for five seconds. */
static guint
count_supervisors (const char *supervisor)
{
  ChildCount count;

  supervisor_count_children (process_whereis (supervisor), &count, NULL);
  return count.n_supervisors;
}

void
test_pools_supervisors_are_known_as_such (void)
{
  start_mortals (POOLS, &lives);
  g_assert_cmpuint (count_supervisors (FACE_TOP), ==, 1);
  g_assert_cmpuint (count_supervisors ("Pooly.PoolsSupervisor"), ==, 3);
  g_assert_cmpuint (count_supervisors ("ASupervisor"), ==, 1);
  stop_mortals (&lives);
  test_end ();
}

/* What one lends, and to whom, is no other's business. */
void
test_pools_lend_independently (void)
{
  Pid worker;

  start_mortals (POOLS, &lives);
  worker = take_from ("A");
  take_from ("A");
  take_from ("B");
  assert_status_of ("A", POOL_SIZE - 2, 2);
  assert_status_of ("B", POOL_SIZE - 1, 1);
  assert_status_of ("C", POOL_SIZE, 0);

  pooly_checkin ("B", worker);
  pooly_checkin ("C", worker);
  assert_status_of ("A", POOL_SIZE - 2, 2);
  assert_status_of ("B", POOL_SIZE - 1, 1);
  assert_status_of ("C", POOL_SIZE, 0);
  pooly_checkin ("A", worker);
  assert_status_of ("A", POOL_SIZE - 1, 1);
  stop_mortals (&lives);
  test_end ();
}

/* A consumer with workers of each loses nothing but its life. */
static gpointer
take_of_each_and_end (gpointer data G_GNUC_UNUSED)
{
  take_from ("A");
  take_from ("B");
  take_from ("B");
  return NULL;
}

void
test_pools_all_hear_of_a_consumer_s_death (void)
{
  start_mortals (POOLS, &lives);
  run_threads (1, take_of_each_and_end, NULL);
  assert_serves ("A");
  assert_serves ("B");
  stop_mortals (&lives);
  test_end ();
}

void
test_pools_none_to_begin_with (void)
{
  g_autoptr (GError) error = NULL;

  start_mortals ((const char *const[]) { NULL }, &lives);
  assert_is_no_pool ("A");
  g_assert_false (pooly_start_pools (NULL, 0, &error));
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_EXISTS);
  start_more ("A", &lives);
  assert_is_complete ("A");
  assert_serves ("A");
  stop_mortals (&lives);
  test_end ();
}

/* Those that begin alike are not mistaken for each other, however long. */
void
test_pools_long_names (void)
{
  char names[3][80] = { "" };
  const char *pools[] = { names[0], names[1], names[2], NULL };

  for (guint i = 0; i < 3; i++)
    memset (names[i], 'A', 64 - i);
  start_mortals (pools, &lives);
  for (guint i = 0; i < 6; i++)
    assert_serves (pools[i % 3]);
  stop_mortals (&lives);
  test_end ();
}

/* Also when the pools are started again, they don't need them. */
void
test_pools_configs_are_copied (void)
{
  char name[] = "A", more[] = "B";
  PoolyConfig *config = g_new (PoolyConfig, 1);
  Pid server;

  lives = (Lives) { 0 };
  *config = mortals (name, &lives);
  g_assert_true (pooly_start_pools (config, 1, NULL));
  config->name = more;
  g_assert_true (pooly_start_pool (config, NULL));
  memset (config, 0xff, sizeof *config);
  g_free (config);
  *name = *more = '?';
  assert_serves ("A");
  assert_serves ("B");

  kill_and_wait (find_part ("B", "Server"));
  wait_until (is_whole ("B"));
  server = process_whereis ("Pooly.Server");
  kill_and_wait (server);
  wait_until (process_whereis ("Pooly.Server") != server && is_whole ("A"));
  assert_serves ("A");
  assert_is_no_pool ("?");
  stop_mortals (&lives);
  test_end ();
}

/* NOTHING */

/* Starts three of which the second can't: so nothing is left, and when it can,
 * all is as if this had never been. */
static void
check_not_started (const PoolyConfig *second, PoolyError code, const char *text)
{
  g_autoptr (GError) error = NULL;
  PoolyConfig configs[] = { mortals ("A", &lives), *second,
                            mortals ("C", &lives) };

  lives = (Lives) { 0 };
  g_assert_false (pooly_start_pools (configs, 3, &error));
  g_assert_error (error, POOLY_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, text));
  assert_nothing_is_left ();
  assert_lives (&lives, lives.n_begun);
  assert_not_taken_from ("A", POOLY_ERROR_DOWN);
  for (guint i = 0; i < 3; i++)
    if (configs[i].name != NULL)
      g_assert_cmpuint (registry_find (configs[i].name), ==, PID_NONE);

  start_mortals (POOLS, &lives);
  assert_serves ("A");
  assert_serves ("B");
  assert_serves ("C");
  stop_mortals (&lives);
}

/* From version 4 on it may be tried again before all are stopped. */
static void
assert_failed_at (const Lives *others, gint which)
{
  gint n_begun = g_atomic_int_get (&others->n_begun);

  if (POOLY_VERSION < 4)
    g_assert_cmpint (n_begun, ==, which);
  g_assert_cmpint (n_begun, >=, which);
  assert_lives (others, n_begun);
}

void
test_pools_one_with_a_worker_that_fails (void)
{
  for (gint which = 1; which <= POOL_SIZE; which++) {
    Lives others = { .fails_at = which };
    PoolyConfig config = mortals ("B", &others);

    check_not_started (&config, POOLY_ERROR_WORKER, LIVES_FAULT);
    assert_failed_at (&others, which);
    others = (Lives) { .fails_at = which };
    config.worker = &short_mortal_class;
    check_not_started (&config, POOLY_ERROR_WORKER, LIVES_FAULT);
    assert_failed_at (&others, which);
  }
  test_end ();
}

void
test_pools_one_with_a_wrong_field (void)
{
  PoolyConfig config = mortals (NULL, &lives);

  check_not_started (&config, POOLY_ERROR_INVALID_CONFIG, "name");
  config.name = "";
  check_not_started (&config, POOLY_ERROR_INVALID_CONFIG, "name");
  config.name = "B";
  config.size = 0;
  check_not_started (&config, POOLY_ERROR_INVALID_CONFIG, "size");
  config.size = POOLY_MAX_SIZE + 1;
  check_not_started (&config, POOLY_ERROR_INVALID_CONFIG, "size");
  config.size = 1;
  config.worker = NULL;
  check_not_started (&config, POOLY_ERROR_INVALID_CONFIG, "worker");
  test_end ();
}

void
test_pools_two_of_one_name (void)
{
  PoolyConfig config = mortals ("A", &lives);

  check_not_started (&config, POOLY_ERROR_EXISTS, "A");
  test_end ();
}

/* NAMES THAT ARE BUILT */

/* The error tells which name it is that two want; and which of them gets it when
 * both are started together is left to chance. */
static void
check_clash (const char *first, const char *second, PoolyError code)
{
  const char *built = "AWorkerSupervisor";
  g_autoptr (GError) error = NULL, later_error = NULL;
  PoolyConfig configs[] = { mortals (first, &lives), mortals (second, &lives) };
  Family family;
  Pid worker;

  lives = (Lives) { 0 };
  g_assert_false (pooly_start_pools (configs, 2, &error));
  g_assert_cmpuint (error->domain, ==, POOLY_ERROR);
  g_assert_nonnull (strstr (error->message, built));
  assert_nothing_is_left ();

  g_assert_true (pooly_start_pools (configs, 1, NULL));
  worker = take_from (first);
  family = get_family (first);
  g_assert_false (pooly_start_pool (&configs[1], &later_error));
  g_assert_error (later_error, POOLY_ERROR, (gint) code);
  g_assert_nonnull (strstr (later_error->message, built));
  assert_same_family (first, &family);
  assert_status_of (first, POOL_SIZE - 1, 1);
  pooly_checkin (first, worker);
  assert_serves (first);
  assert_not_taken_from (second, POOLY_ERROR_NO_SUCH_POOL);
  g_assert_true (pooly_stop_pool (first, NULL));
  g_assert_true (pooly_start_pool (&configs[1], NULL));
  assert_serves (second);
  stop_mortals (&lives);
}

/* Pool A's worker supervisor, and the supervisor of pool AWorker. */
void
test_pools_built_names_clash (void)
{
  check_clash ("A", "AWorker", POOLY_ERROR_EXISTS);
  check_clash ("AWorker", "A", POOLY_ERROR_WORKER);
  test_end ();
}

void
test_pools_built_names_clash_with_pooly (void)
{
  static const char *const names[] = { "Pooly.", "Pooly.Pools" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GError) error = NULL;
    PoolyConfig config = mortals (names[i], &lives);
    Pid top, server;

    start_mortals (POOLS, &lives);
    top = process_whereis (FACE_TOP);
    server = process_whereis ("Pooly.Server");
    g_assert_false (pooly_start_pool (&config, &error));
    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_EXISTS);
    g_assert_nonnull (strstr (error->message, "Supervisor"));
    g_assert_cmpuint (process_whereis (FACE_TOP), ==, top);
    g_assert_cmpuint (process_whereis ("Pooly.Server"), ==, server);
    assert_serves ("A");
    stop_mortals (&lives);
  }
  test_end ();
}

#else

/* A pool that is to be version 3's must say so. */
void
test_pools_face_is_version_3 (void)
{
  g_assert_cmpint (POOLY_VERSION, >=, 3);
}

#endif
