/* Killing by name, and who notices. */
#include "several.h"

#if POOLY_VERSION >= 3

static Lives lives, others;

/* A, B and C, one worker of each lent, and D, which was started later. */

static const char *const all[] = { "A", "B", "C", "D" };
static Family families[4];
static Pid lent[4];
static Pid pools_supervisor;
static Pid pooly_server;

static void
begin (void)
{
  start_mortals (POOLS, &lives);
  start_more ("D", &lives);
  for (guint i = 0; i < 4; i++) {
    take_from (all[i]);
    lent[i] = take_from (all[i]);
    families[i] = get_family (all[i]);
  }
  pools_supervisor = process_whereis ("Pooly.PoolsSupervisor");
  pooly_server = process_whereis ("Pooly.Server");
}

static void
end (void)
{
  stop_mortals (&lives);
}

/* Nobody in it is another one than before, and its loans stand. */
static void
assert_is_unmoved (guint which)
{
  const char *pool = all[which];

  assert_same_family (pool, &families[which]);
  assert_status_of (pool, POOL_SIZE - 2, 2);
  pooly_checkin (pool, lent[which]);
  assert_status_of (pool, POOL_SIZE - 1, 1);
  g_assert_cmpuint (take_from (pool), ==, lent[which]);
}

static gboolean
is_anew (guint which)
{
  Pid server = find_part (all[which], "Server");

  return server != PID_NONE && server != families[which].server
         && is_whole (all[which]);
}

/* Nobody of the old ones is alive, and the new ones are all there. */
static void
assert_is_anew (guint which)
{
  const char *pool = all[which];
  const Family *old = &families[which];
  Message answer;

  wait_until (is_anew (which));
  g_assert_false (process_is_alive (old->server));
  g_assert_false (process_is_alive (old->worker_supervisor));
  for (guint i = 0; i < POOL_SIZE; i++)
    g_assert_false (process_is_alive (old->workers[i]));
  g_assert_false (
    gen_server_call (lent[which], (Message) { .tag = 1 }, -1, &answer, NULL));
  pooly_checkin (pool, lent[which]);
  assert_is_complete (pool);
  assert_serves (pool);
}

/* Who is above the pools. */
static void
assert_top_is_unmoved (void)
{
  g_assert_cmpuint (process_whereis ("Pooly.PoolsSupervisor"), ==,
                    pools_supervisor);
  g_assert_cmpuint (process_whereis ("Pooly.Server"), ==, pooly_server);
}

static void
assert_others_are_unmoved (void)
{
  assert_top_is_unmoved ();
  for (guint i = 1; i < 4; i++)
    assert_is_unmoved (i);
}

/* Only its place is filled. */
static void
check_worker (Pid worker, guint n_idle, guint n_busy)
{
  Family family;

  kill_and_wait (worker);
  assert_status_of ("A", n_idle, n_busy);
  family = get_family ("A");
  g_assert_cmpuint (family.supervisor, ==, families[0].supervisor);
  g_assert_cmpuint (family.server, ==, families[0].server);
  g_assert_cmpuint (family.worker_supervisor, ==,
                    families[0].worker_supervisor);
  g_assert_false (is_among (worker, family.workers, POOL_SIZE));
  assert_is_complete ("A");
  assert_others_are_unmoved ();
}

void
test_walls_worker (void)
{
  Pid idle;

  begin ();
  check_worker (lent[0], POOL_SIZE - 1, 1);
  idle = take_from ("A");
  pooly_checkin ("A", idle);
  check_worker (idle, POOL_SIZE - 1, 1);
  end ();
  test_end ();
}

/* Its pool falls, and comes back under the same supervisor. */
static void
check_inside (Pid (*find) (void))
{
  begin ();
  kill_and_wait (find ());
  assert_is_anew (0);
  g_assert_cmpuint (find_part ("A", "Supervisor"), ==, families[0].supervisor);
  assert_others_are_unmoved ();
  end ();
}

static Pid
find_worker_supervisor (void)
{
  return find_part ("A", "WorkerSupervisor");
}

static Pid
find_pool_server (void)
{
  return find_part ("A", "Server");
}

static Pid
find_pool_supervisor (void)
{
  return find_part ("A", "Supervisor");
}

static Pid
find_pools_supervisor (void)
{
  return process_whereis ("Pooly.PoolsSupervisor");
}

static Pid
find_pooly_server (void)
{
  return process_whereis ("Pooly.Server");
}

void
test_walls_worker_supervisor (void)
{
  check_inside (find_worker_supervisor);
  test_end ();
}

void
test_walls_pool_server (void)
{
  check_inside (find_pool_server);
  test_end ();
}

void
test_walls_pool_supervisor (void)
{
  begin ();
  kill_and_wait (find_pool_supervisor ());
  assert_is_anew (0);
  g_assert_cmpuint (find_part ("A", "Supervisor"), !=, families[0].supervisor);
  assert_others_are_unmoved ();
  end ();
  test_end ();
}

/* What is between the pools and the top falls together and takes all of them.
 * What was started later nobody knows any more. */
static void
check_above (Pid (*find) (void))
{
  Pid top;

  begin ();
  top = process_whereis (FACE_TOP);
  kill_and_wait (find ());
  for (guint i = 0; i < 3; i++)
    assert_is_anew (i);
  g_assert_false (process_is_alive (pools_supervisor));
  g_assert_false (process_is_alive (pooly_server));
  g_assert_cmpuint (process_whereis (FACE_TOP), ==, top);
  g_assert_true (process_wait_end (families[3].server, test_limit ()));
  g_assert_true (process_wait_end (families[3].supervisor, test_limit ()));
  assert_is_no_pool ("D");
  start_more ("D", &lives);
  assert_is_anew (3);
  end ();
}

void
test_walls_pools_supervisor (void)
{
  check_above (find_pools_supervisor);
  test_end ();
}

void
test_walls_pooly_server (void)
{
  check_above (find_pooly_server);
  test_end ();
}

/* One that was stopped is started again with the others. */
void
test_walls_stopped_pool_comes_back (void)
{
  begin ();
  g_assert_true (pooly_stop_pool ("A", NULL));
  kill_and_wait (find_pooly_server ());
  for (guint i = 0; i < 3; i++)
    assert_is_anew (i);
  end ();
  test_end ();
}

/* SLOW WORKERS */

/* A's stand at a door when they are started again: nobody waits for them. */

void
test_walls_others_come_back_meanwhile (void)
{
  PoolyConfig configs[] = {
    { .name = "A", .worker = &standing_class, .size = 1 },
    mortals ("B", &lives),
  };

  lives = (Lives) { 0 };
  g_assert_true (pooly_start_pools (configs, 2, NULL));
  kill_and_wait (find_pooly_server ());
  gate_wait (&standing_door.entered);
  wait_until (is_whole ("B"));
  assert_serves ("B");
  start_more ("C", &lives);
  g_assert_true (pooly_stop_pool ("C", NULL));
  gate_open (&standing_door.leave);
  stop_mortals (&lives);
  test_end ();
}

/* UNDER LOAD */

static Pid
find_worker (void)
{
  return get_family ("A").workers[0];
}

/* And waits until there is another in its place. */
static void
kill_again (Pid (*find) (void))
{
  Pid victim = find ();

  kill_and_wait (victim);
  wait_until (find () != PID_NONE && find () != victim);
}

/* @is_above: whether it takes all pools along */
static void
kill_under_load (Pid (*find) (void), gboolean is_above)
{
  const char *const *names = POOLS;
  Family family;
  Load loads[3];

  start_mortals (names, &lives);
  family = get_family ("B");
  for (guint i = 0; i < 3; i++)
    load_pool (&loads[i], names[i], i == 0 || is_above);
  for (guint n_kills = 0; n_kills < SUPERVISOR_MAX_RESTARTS; n_kills++) {
    for (guint i = 0; i < 3; i++)
      load_wait_served (&loads[i]);
    kill_again (find);
    for (guint i = 0; i < 3; i++)
      wait_until (is_whole (names[i]));
  }
  for (guint i = 0; i < 3; i++)
    load_wait_served (&loads[i]);
  for (guint i = 0; i < 3; i++)
    load_finish (&loads[i]);
  if (!is_above)
    assert_same_family ("B", &family);
  for (guint i = 0; i < 3; i++) {
    assert_is_complete (names[i]);
    assert_serves (names[i]);
  }
  stop_mortals (&lives);
}

static void
check_under_load (Pid (*find) (void), gboolean is_above)
{
  for (guint i = test_scaled (5); i > 0; i--)
    kill_under_load (find, is_above);
  test_end ();
}

void
test_walls_worker_under_load (void)
{
  check_under_load (find_worker, FALSE);
}

void
test_walls_worker_supervisor_under_load (void)
{
  check_under_load (find_worker_supervisor, FALSE);
}

void
test_walls_pool_server_under_load (void)
{
  check_under_load (find_pool_server, FALSE);
}

void
test_walls_pool_supervisor_under_load (void)
{
  check_under_load (find_pool_supervisor, FALSE);
}

void
test_walls_pools_supervisor_under_load (void)
{
  check_under_load (find_pools_supervisor, TRUE);
}

void
test_walls_pooly_server_under_load (void)
{
  check_under_load (find_pooly_server, TRUE);
}

/* THE TOP */

/* Whoever is below it has not heard of its end yet, and still has his name. */
void
test_walls_top_and_start_at_once (void)
{
  const char *const *names = POOLS;
  Load loads[3];

  for (guint i = test_scaled (30); i > 0; i--) {
    start_mortals (names, &lives);
    for (guint j = 0; j < 3; j++)
      load_pool (&loads[j], names[j], TRUE);
    for (guint j = 0; j < 3; j++)
      load_wait_served (&loads[j]);
    kill_and_wait (process_whereis (FACE_TOP));
    start_mortals (names, &others);
    for (guint j = 0; j < 3; j++)
      load_wait_served (&loads[j]);
    for (guint j = 0; j < 3; j++)
      load_finish (&loads[j]);
    for (guint j = 0; j < 3; j++)
      assert_serves (names[j]);
    stop_mortals (&others);
    assert_lives (&lives, g_atomic_int_get (&lives.n_begun));
  }
  test_end ();
}

#endif
