/* More workers while all are lent, up to a limit, and which is lent next. */
#include "lending.h"
#include "several.h"
#include "simulation.h"

#if POOLY_VERSION >= 4

static Lives lives;

static PoolyConfig
begin (guint size, guint max_overflow)
{
  PoolyConfig config = elastic (&short_mortal_class, &lives, size,
                                max_overflow);

  start_elastic (&config);
  return config;
}

static void
end (const PoolyConfig *config)
{
  stop_elastic (config);
  test_end ();
}

void
test_overflow_grows_up_to_its_limit (void)
{
  PoolyConfig config = begin (2, 2);
  Pid workers[4];

  assert_state (2, 0, POOLY_READY, 0, 0);
  workers[0] = take ();
  assert_state (1, 1, POOLY_READY, 0, 0);
  workers[1] = take ();
  assert_state (0, 2, POOLY_OVERFLOW, 0, 0);
  g_assert_cmpint (lives.n_begun, ==, 2);
  workers[2] = take ();
  assert_state (0, 3, POOLY_OVERFLOW, 1, 0);
  workers[3] = take ();
  assert_state (0, 4, POOLY_FULL, 2, 0);
  for (guint i = 0; i < 4; i++) {
    g_assert_true (process_is_alive (workers[i]));
    g_assert_false (is_among (workers[i], workers, i));
  }
  assert_not_taken (POOLY_ERROR_FULL);
  assert_state (0, 4, POOLY_FULL, 2, 0);
  g_assert_cmpint (lives.n_begun, ==, 4);
  end (&config);
}

/* Whoever comes back first is dismissed, and those who come back last stay. */
void
test_overflow_comes_back_to_zero (void)
{
  PoolyConfig config = begin (2, 2);

  for (guint i = 0; i < 4; i++) {
    Pid workers[4];

    take_all (workers, 4);
    pooly_checkin (FACE_POOL, workers[i]);
    assert_state (0, 3, POOLY_OVERFLOW, 1, 0);
    g_assert_false (process_is_alive (workers[i]));
    pooly_checkin (FACE_POOL, workers[(i + 1) % 4]);
    assert_state (0, 2, POOLY_OVERFLOW, 0, 0);
    g_assert_false (process_is_alive (workers[(i + 1) % 4]));
    pooly_checkin (FACE_POOL, workers[(i + 2) % 4]);
    assert_state (1, 1, POOLY_READY, 0, 0);
    pooly_checkin (FACE_POOL, workers[(i + 3) % 4]);
    assert_state (2, 0, POOLY_READY, 0, 0);
    g_assert_true (process_is_alive (workers[(i + 2) % 4]));
    g_assert_true (process_is_alive (workers[(i + 3) % 4]));
    g_assert_cmpuint (count_children (FACE_WORKER_SUPERVISOR), ==, 2);
  }
  end (&config);
}

void
test_overflow_of_none (void)
{
  PoolyConfig config = begin (1, 0);
  g_autoptr (GError) error = NULL;

  take ();
  assert_state (0, 1, POOLY_FULL, 0, 0);
  g_assert_cmpuint (pooly_checkout (FACE_POOL, &error), ==, PID_NONE);
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_FULL);
  g_assert_cmpstr (error->message, ==, "every worker is lent");
  g_assert_cmpint (lives.n_begun, ==, 1);
  end (&config);
}

/* There are as many as there should be, or more: none takes its place. */
void
test_overflow_worker_dies (void)
{
  PoolyConfig config = begin (1, 2);

  for (guint which = 0; which < 3; which++) {
    gint n_begun = lives.n_begun;
    Pid workers[3];

    take_all (workers, 3);
    kill_and_wait (workers[which]);
    assert_state (0, 2, POOLY_OVERFLOW, 1, 0);
    kill_and_wait (workers[(which + 1) % 3]);
    assert_state (0, 1, POOLY_OVERFLOW, 0, 0);
    g_assert_cmpint (lives.n_begun, ==, n_begun + 2);
    kill_and_wait (workers[(which + 2) % 3]);
    assert_state (1, 0, POOLY_READY, 0, 0);
    g_assert_cmpint (lives.n_begun, ==, n_begun + 3);
  }
  end (&config);
}

void
test_overflow_consumer_dies (void)
{
  PoolyConfig config = begin (1, 2);
  Pid consumer = consumer_new (), workers[3];

  for (guint i = 0; i < 3; i++)
    workers[i] = let_take (consumer);
  assert_not_taken (POOLY_ERROR_FULL);
  kill_and_wait (consumer);
  assert_state (1, 0, POOLY_READY, 0, 0);
  g_assert_true (is_among (take (), workers, 3));
  g_assert_cmpuint (count_children (FACE_WORKER_SUPERVISOR), ==, 1);
  end (&config);
}

/* Its own error is told, the pool has not suffered, and the next one may be
 * luckier. */
void
test_overflow_worker_fails (void)
{
  PoolyConfig config = begin (1, 1);
  g_autoptr (GError) error = NULL;
  Pid worker = take ();

  lives.fails_at = 2;
  g_assert_cmpuint (pooly_checkout (FACE_POOL, &error), ==, PID_NONE);
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_WORKER);
  g_assert_cmpstr (error->message, ==,
                   "a worker could not start: " LIVES_FAULT);
  assert_state (0, 1, POOLY_OVERFLOW, 0, 0);
  g_assert_true (process_is_alive (worker));
  take ();
  assert_state (0, 2, POOLY_FULL, 1, 0);
  g_assert_cmpint (lives.n_begun, ==, 3);
  end (&config);
}

/* Who waits is told, too, and does not wait on for another. */
void
test_overflow_worker_fails_who_would_wait (void)
{
  PoolyConfig config = begin (1, 1);
  g_autoptr (GError) error = NULL;

  take ();
  lives.fails_at = 2;
  g_assert_cmpuint (pooly_checkout_wait (FACE_POOL, -1, &error), ==, PID_NONE);
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_WORKER);
  g_assert_nonnull (strstr (error->message, LIVES_FAULT));
  assert_state (0, 1, POOLY_OVERFLOW, 0, 0);
  end (&config);
}

/* A worker that takes its time to stop. */

static Door door;

static void
stand (gpointer state G_GNUC_UNUSED, Reason reason G_GNUC_UNUSED)
{
  door_stand (&door);
}

static const GenServerClass reluctant_class = { .name = "Reluctant",
                                                .init = init_trapping,
                                                .terminate = stand };

/* The pool waits for the end of one that it dismisses; who gave it back does
 * not. */
void
test_overflow_checkin_does_not_wait (void)
{
  PoolyConfig config = elastic (&reluctant_class, NULL, 1, 1);
  Pid worker;

  gate_reset (&door.entered);
  gate_reset (&door.leave);
  start_elastic (&config);
  take ();
  worker = take ();
  pooly_checkin (FACE_POOL, worker);
  gate_wait (&door.entered);
  g_assert_true (process_is_alive (worker));
  gate_open (&door.leave);
  assert_state (0, 1, POOLY_OVERFLOW, 0, 0);
  g_assert_false (process_is_alive (worker));
  pooly_stop ();
  test_end ();
}

/* WHICH IS NEXT */

static void
check_order (PoolyStrategy strategy, guint first, guint second, guint third)
{
  PoolyConfig config = elastic (&short_mortal_class, &lives, 3, 0);
  Pid workers[3];

  config.strategy = strategy;
  start_elastic (&config);
  take_all (workers, 3);
  check_in_all (workers, 3);
  g_assert_cmpuint (take (), ==, workers[first]);
  g_assert_cmpuint (take (), ==, workers[second]);
  g_assert_cmpuint (take (), ==, workers[third]);
  stop_elastic (&config);
}

void
test_strategy_lifo (void)
{
  check_order (POOLY_LIFO, 2, 1, 0);
  test_end ();
}

void
test_strategy_fifo (void)
{
  check_order (POOLY_FIFO, 0, 1, 2);
  test_end ();
}

/* Of those which nobody has had, too; and a new one is the last of all. */
void
test_strategy_fifo_from_the_first (void)
{
  PoolyConfig config = elastic (&short_mortal_class, &lives, 3, 0);
  g_autoptr (GArray) workers = NULL;
  const Pid *pids;

  config.strategy = POOLY_FIFO;
  start_elastic (&config);
  workers = list_workers ();
  pids = (const Pid *) (gpointer) workers->data;
  kill_and_wait (pids[1]);
  assert_state (3, 0, POOLY_READY, 0, 0);
  g_assert_cmpuint (take (), ==, pids[0]);
  g_assert_cmpuint (take (), ==, pids[2]);
  g_assert_false (is_among (take (), pids, 3));
  end (&config);
}

/* WRONG FIELDS */

static void
assert_wrong (const PoolyConfig *config, const char *field)
{
  g_autoptr (GError) error = NULL, more_error = NULL;
  PoolyConfig right = elastic (&short_mortal_class, &lives, 1, 0);

  lives = (Lives) { 0 };
  right.name = "Right";
  g_assert_false (pooly_start_pools (config, 1, &error));
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_INVALID_CONFIG);
  g_assert_true (g_str_has_prefix (error->message, field));
  assert_nothing_is_left ();

  start_elastic (&right);
  g_assert_false (pooly_start_pool (config, &more_error));
  g_assert_error (more_error, POOLY_ERROR, POOLY_ERROR_INVALID_CONFIG);
  g_assert_cmpstr (more_error->message, ==, error->message);
  stop_elastic (&right);
}

void
test_overflow_field_is_wrong (void)
{
  PoolyConfig config = elastic (&short_mortal_class, &lives, 1, 0);

  config.max_overflow = POOLY_MAX_SIZE + 1;
  assert_wrong (&config, "max_overflow: 1000001, ");
  config.max_overflow = G_MAXUINT;
  assert_wrong (&config, "max_overflow: 4294967295, ");
  config.max_overflow = 0;
  config.overflow_ttl_ms = (guint) G_MAXINT + 1;
  assert_wrong (&config, "overflow_ttl_ms: 2147483648, ");
  config.overflow_ttl_ms = 0;
  config.strategy = (PoolyStrategy) 2;
  assert_wrong (&config, "strategy: 2, ");
  config.strategy = (PoolyStrategy) -1;
  assert_wrong (&config, "strategy: -1, ");
  test_end ();
}

/* The greatest of each. */
void
test_overflow_field_is_right (void)
{
  PoolyConfig config = elastic (&short_mortal_class, &lives, 1, POOLY_MAX_SIZE);

  config.overflow_ttl_ms = G_MAXINT;
  config.strategy = POOLY_FIFO;
  start_elastic (&config);
  take ();
  take ();
  assert_state (0, 2, POOLY_OVERFLOW, 1, 0);
  end (&config);
}

#define MB (1024 * 1024)

/* An overflow worker comes and goes each time; or dies, and with it whatever was
 * kept of it. */
static void
churn (const PoolyConfig *config, void (*leave) (Pid worker))
{
  guint n_times = test_scaled (50000);
  gint64 before = 0;

  start_elastic (config);
  take ();
  for (guint i = 0; i < n_times; i++) {
    if (i == n_times / 2)
      before = test_resident_bytes ();
    leave (take ());
  }
  g_assert_cmpint (test_resident_bytes () - before, <, MB / 2);
  stop_elastic (config);
}

static void
check_in (Pid worker)
{
  pooly_checkin (FACE_POOL, worker);
}

static void
check_in_and_kill (Pid worker)
{
  pooly_checkin (FACE_POOL, worker);
  kill_and_wait (worker);
}

void
test_overflow_leaves_nothing_behind (void)
{
  PoolyConfig config = elastic (&short_mortal_class, &lives, 1, 1);

  churn (&config, check_in);
  churn (&config, kill_and_wait);
  config.overflow_ttl_ms = G_MAXINT;
  churn (&config, check_in);
  churn (&config, kill_and_wait);
  churn (&config, check_in_and_kill);
  test_end ();
}

/* KEPT WARM */

#define HOUR_MS 3600000

static void
begin_kept (guint size, guint max_overflow)
{
  PoolyConfig config = elastic (choose_class (), &lives, size, max_overflow);

  config.overflow_ttl_ms = 3 * HOUR_MS;
  config.strategy = test_random (2) == 0 ? POOLY_LIFO : POOLY_FIFO;
  start_elastic (&config);
  time_hold ();
}

static void
end_kept (void)
{
  time_free ();
  stop_simulated ();
  assert_lives (&lives, g_atomic_int_get (&lives.n_begun));
  test_end ();
}

/* The last message that was due may still be on its way. */
static void
await_overflow (guint n_overflow)
{
  while (get_status ().overflow != n_overflow)
    process_sleep (1);
}

/* On real threads time would have to be waited for; this one does. */
void
test_race_kept_and_dismissed (void)
{
  PoolyConfig config = elastic (choose_class (), &lives, 1, 2);
  Pid workers[3];

  config.overflow_ttl_ms = 1;
  start_elastic (&config);
  take_all (workers, 3);
  check_in_all (workers, 3);
  end_elastic (&config);
}

void
test_race_kept_is_lent_again (void)
{
  Pid workers[3], again[3];

  begin_kept (1, 2);
  take_all (workers, 3);
  check_in_all (workers, 3);
  assert_state (3, 0, POOLY_OVERFLOW, 2, 0);
  take_all (again, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_true (is_among (again[i], workers, 3));
  assert_state (0, 3, POOLY_FULL, 2, 0);
  g_assert_cmpint (lives.n_begun, ==, 3);
  end_kept ();
}

/* Those who came back first, and no more than are too many. */
void
test_race_kept_until_its_time_is_over (void)
{
  Pid workers[3];

  begin_kept (1, 2);
  take_all (workers, 3);
  check_in_all (workers, 3);
  if (time_is_simulated ()) {
    time_pass (2 * HOUR_MS);
    assert_state (3, 0, POOLY_OVERFLOW, 2, 0);
    time_pass (2 * HOUR_MS);
    await_overflow (0);
    assert_state (1, 0, POOLY_READY, 0, 0);
    g_assert_false (process_is_alive (workers[0]));
    g_assert_false (process_is_alive (workers[1]));
    g_assert_true (process_is_alive (workers[2]));
  }
  end_kept ();
}

/* Its time begins anew each time that it comes back. */
void
test_race_kept_anew (void)
{
  Pid regular, worker;

  begin_kept (1, 1);
  regular = take ();
  worker = take ();
  for (guint i = 0; i < 5 && time_is_simulated (); i++) {
    pooly_checkin (FACE_POOL, worker);
    time_pass (2 * HOUR_MS);
    assert_state (1, 1, POOLY_OVERFLOW, 1, 0);
    g_assert_cmpuint (take (), ==, worker);
    time_pass (2 * HOUR_MS); /* while it is lent */
    assert_state (0, 2, POOLY_FULL, 1, 0);
  }
  g_assert_true (process_is_alive (regular));
  g_assert_true (process_is_alive (worker));
  end_kept ();
}

/* Where others have died it is none too many any more. */
void
test_race_kept_for_good (void)
{
  Pid regular, worker;

  begin_kept (1, 1);
  regular = take ();
  worker = take ();
  pooly_checkin (FACE_POOL, worker);
  kill_and_wait (regular);
  assert_state (1, 0, POOLY_READY, 0, 0);
  if (time_is_simulated ())
    time_pass (4 * HOUR_MS);
  assert_state (1, 0, POOLY_READY, 0, 0);
  g_assert_cmpuint (take (), ==, worker);
  g_assert_cmpint (lives.n_begun, ==, 2);
  end_kept ();
}

static void
take_at_its_time (gpointer test)
{
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GError) error = NULL;
    Pid worker = pooly_checkout (FACE_POOL, &error);

    g_assert_no_error (error);
    test_call (worker, (Message) { .tag = 1 });
    pooly_checkin (FACE_POOL, worker);
    process_sleep (1);
  }
  process_send (POINTER_TO_PID (test), (Message) { .tag = REPORT });
}

/* It is lent, or dismissed, and never both. */
void
test_race_kept_is_taken_at_its_time (void)
{
  PoolyConfig config = elastic (choose_class (), &lives, 1, 2);
  gpointer test = PID_TO_POINTER (process_self ());
  Pid consumers[3];

  config.overflow_ttl_ms = 1;
  start_elastic (&config);
  for (guint i = 0; i < 3; i++)
    consumers[i] = spawn ("consumer", take_at_its_time, test);
  for (guint i = 0; i < 3; i++) {
    test_receive (REPORT);
    wait_for (consumers[i]);
  }
  end_elastic (&config);
}

#else

/* A pool that is to be version 4's must say so. */
void
test_overflow_face_is_version_4 (void)
{
  g_assert_cmpint (POOLY_VERSION, >=, 4);
}

#endif
