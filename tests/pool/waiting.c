/* Waiting for a worker: first come, first served, and not for longer than one
 * wants to. */
#include "lending.h"
#include "simulation.h"

#if POOLY_VERSION >= 4

static Lives lives;

static PoolyConfig
begin (guint size, guint max_overflow)
{
  PoolyConfig config = elastic (choose_class (), &lives, size, max_overflow);

  start_elastic (&config);
  return config;
}

#define N_WAITERS 4

/* They are in line in this order. */
static void
line_up (Pid *waiters)
{
  for (guint i = 0; i < N_WAITERS; i++) {
    waiters[i] = consumer_new ();
    let_wait (waiters[i], i + 1);
  }
}

static void
dismiss_all (const Pid *waiters)
{
  for (guint i = 0; i < N_WAITERS; i++)
    dismiss (waiters[i]);
}

void
test_race_wait_idle_worker_is_lent (void)
{
  PoolyConfig config = begin (1, 1);
  Pid consumer = consumer_new (), workers[2];

  tell (consumer, WAIT, -1);
  workers[0] = hear_worker (consumer);
  assert_state (0, 1, POOLY_OVERFLOW, 0, 0);
  tell (consumer, WAIT, -1);
  workers[1] = hear_worker (consumer);
  assert_state (0, 2, POOLY_FULL, 1, 0);
  g_assert_cmpuint (workers[0], !=, workers[1]);
  dismiss (consumer);
  end_elastic (&config);
}

/* An overflow worker, too, is handed on and not dismissed. */
static void
check_first_come (guint max_overflow)
{
  Pid waiters[N_WAITERS], worker;

  begin (1, max_overflow);
  worker = take ();
  for (guint i = 0; i < max_overflow; i++)
    worker = take ();
  line_up (waiters);
  assert_state (0, 1 + max_overflow, POOLY_FULL, max_overflow, N_WAITERS);
  assert_not_taken (POOLY_ERROR_FULL);
  pooly_checkin (FACE_POOL, worker);
  for (guint i = 0; i < N_WAITERS; i++) {
    g_assert_cmpuint (hear_worker (waiters[i]), ==, worker);
    assert_state (0, 1 + max_overflow, POOLY_FULL, max_overflow,
                  N_WAITERS - 1 - i);
    let_give (waiters[i], worker);
  }
  dismiss_all (waiters);
  g_assert_cmpint (lives.n_begun, ==, 1 + (gint) max_overflow);
  stop_simulated ();
  assert_lives (&lives, g_atomic_int_get (&lives.n_begun));
  test_end ();
}

void
test_race_wait_first_come_first_served (void)
{
  check_first_come (0);
}

void
test_race_wait_for_overflow (void)
{
  check_first_come (2);
}

/* Whoever leaves the line, those behind come earlier and keep their order. */
void
test_race_wait_first_come_whoever_dies (void)
{
  PoolyConfig config = begin (1, 0);
  Pid waiters[N_WAITERS], worker = take ();
  guint dead = test_random (N_WAITERS);

  line_up (waiters);
  kill_and_wait (waiters[dead]);
  assert_state (0, 1, POOLY_FULL, 0, N_WAITERS - 1);
  pooly_checkin (FACE_POOL, worker);
  for (guint i = 0; i < N_WAITERS; i++)
    if (i != dead) {
      g_assert_cmpuint (hear_worker (waiters[i]), ==, worker);
      let_give (waiters[i], worker);
    }
  dismiss_all (waiters);
  end_elastic (&config);
}

/* A worker's end brings the first one another worker. */
void
test_race_wait_worker_dies (void)
{
  PoolyConfig config = begin (1, 1);
  Pid waiters[N_WAITERS], workers[2], next;

  workers[0] = take ();
  workers[1] = take ();
  line_up (waiters);
  kill_and_wait (workers[test_random (2)]);
  next = hear_worker (waiters[0]);
  g_assert_false (is_among (next, workers, 2));
  assert_state (0, 2, POOLY_FULL, 1, N_WAITERS - 1);
  kill_and_wait (next);
  next = hear_worker (waiters[1]);
  assert_state (0, 2, POOLY_FULL, 1, N_WAITERS - 2);
  kill_and_wait (waiters[1]);
  g_assert_cmpuint (hear_worker (waiters[2]), ==, next);
  kill_and_wait (waiters[3]);
  assert_state (0, 2, POOLY_FULL, 1, 0);
  dismiss_all (waiters);
  pooly_checkin (FACE_POOL, workers[0]);
  pooly_checkin (FACE_POOL, workers[1]);
  end_elastic (&config);
}

/* Who has one and waits for another leaves both when it dies. */
void
test_race_wait_owner_dies_while_it_waits (void)
{
  PoolyConfig config = begin (1, 0);
  Pid owner = consumer_new (), waiter = consumer_new (), worker;

  worker = let_take (owner);
  let_wait (owner, 1);
  let_wait (waiter, 2);
  kill_and_wait (owner);
  g_assert_cmpuint (hear_worker (waiter), ==, worker);
  assert_state (0, 1, POOLY_FULL, 0, 0);
  dismiss (waiter);
  end_elastic (&config);
}

/* TIME OVER */

static void
assert_not_in_time (int timeout_ms)
{
  g_autoptr (GError) error = NULL;
  PoolyStatus before = get_status (), after;

  g_assert_cmpuint (pooly_checkout_wait (FACE_POOL, timeout_ms, &error), ==,
                    PID_NONE);
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_TIMEOUT);
  g_assert_cmpstr (error->message, ==, "no worker in time");
  after = get_status ();
  g_assert_cmpmem (&before, sizeof before, &after, sizeof after);
}

void
test_race_wait_time_is_over (void)
{
  PoolyConfig config = begin (1, 0);
  Pid worker = take ();

  assert_not_in_time (0);
  assert_not_in_time (1);
  assert_not_in_time (1);
  pooly_checkin (FACE_POOL, worker);
  end_elastic (&config);
}

/* Not at all: whatever comes of it, nothing is lost. */
void
test_race_wait_not_at_all (void)
{
  PoolyConfig config = begin (1, 0);
  g_autoptr (GError) error = NULL;
  Pid worker = pooly_checkout_wait (FACE_POOL, 0, &error);

  if (worker == PID_NONE)
    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_TIMEOUT);
  pooly_checkin (FACE_POOL, worker);
  end_elastic (&config);
}

/* One who gives up does not take another's turn, nor another's place; and when
 * it comes again, it is the last. */
void
test_race_wait_again (void)
{
  PoolyConfig config = begin (1, 0);
  Pid first = consumer_new (), second = consumer_new (), worker = take ();

  tell (first, WAIT, 1);
  tell (second, WAIT, -1);
  hear_failure (first, POOLY_ERROR_TIMEOUT);
  await_waiting (1);
  let_wait (first, 2);
  pooly_checkin (FACE_POOL, worker);
  g_assert_cmpuint (hear_worker (second), ==, worker);
  assert_state (0, 1, POOLY_FULL, 0, 1);
  let_give (second, worker);
  g_assert_cmpuint (hear_worker (first), ==, worker);
  dismiss (first);
  dismiss (second);
  end_elastic (&config);
}

/* THE END OF THE POOL */

static void
check_end (void (*end_it) (void))
{
  Pid waiters[N_WAITERS];

  begin (1, 0);
  take ();
  line_up (waiters);
  end_it ();
  for (guint i = 0; i < N_WAITERS; i++) {
    Message report = test_receive (REPORT);

    g_assert_cmpuint (report.pid, ==, PID_NONE);
    g_assert_cmpint (report.number, ==, POOLY_ERROR_DOWN);
    g_assert_nonnull (strstr (report.data, "the pool is not there: "));
    message_clear (&report);
  }
  dismiss_all (waiters);
  stop_simulated ();
  assert_lives (&lives, g_atomic_int_get (&lives.n_begun));
  test_end ();
}

static void
stop_the_pool (void)
{
  g_assert_true (pooly_stop_pool (FACE_POOL, NULL));
}

void
test_race_wait_pool_is_stopped (void)
{
  check_end (stop_the_pool);
}

void
test_race_wait_all_is_stopped (void)
{
  check_end (pooly_stop);
}

static void
kill_the_server (void)
{
  kill_and_wait (process_whereis (FACE_SERVER));
}

void
test_race_wait_server_is_killed (void)
{
  check_end (kill_the_server);
}

/* WHILE THE SERVER IS BUSY */

/* A worker whose init stands at a door when it is not one of the first. */

static Door door;
static gint n_begun;          /* atomic */
static gint n_that_may_enter; /* atomic */

static gboolean
stand (gpointer state G_GNUC_UNUSED, gconstpointer args G_GNUC_UNUSED,
       GError **error G_GNUC_UNUSED)
{
  if (g_atomic_int_add (&n_begun, 1) >= g_atomic_int_get (&n_that_may_enter))
    door_stand (&door);
  return TRUE;
}

static const GenServerClass standing_class = { .name = "Standing",
                                               .init = stand };

static PoolyConfig
begin_standing (guint max_overflow, guint ttl_ms)
{
  PoolyConfig config = { .name = FACE_POOL,
                         .worker = &standing_class,
                         .size = 1,
                         .max_overflow = max_overflow,
                         .overflow_ttl_ms = ttl_ms };

  n_begun = 0;
  n_that_may_enter = 1;
  gate_reset (&door.entered);
  gate_reset (&door.leave);
  start_elastic (&config);
  return config;
}

static void
let_enter (void)
{
  g_atomic_int_set (&n_that_may_enter, G_MAXINT);
  gate_open (&door.leave);
}

/* Waits in vain until a worker is being started for it.  If its time is over before
 * the server looks at its call, none is. */
static void
have_one_started (Pid hasty)
{
  for (int limit_ms = 1; !gate_is_open (&door.entered); limit_ms *= 2) {
    tell (hasty, WAIT, limit_ms);
    hear_failure (hasty, POOLY_ERROR_TIMEOUT);
  }
}

/* The limit is one's own, and what was started for one who does not wait any
 * more goes to the next. */
void
test_waiting_limit_holds_while_a_worker_starts (void)
{
  Pid hasty = consumer_new (), patient = consumer_new (), worker;

  begin_standing (0, 0);
  process_exit (take (), REASON_KILL);
  gate_wait (&door.entered);
  tell (hasty, WAIT, 1);
  hear_failure (hasty, POOLY_ERROR_TIMEOUT);
  tell (patient, WAIT, -1);
  let_enter ();
  worker = hear_worker (patient);
  g_assert_true (process_is_alive (worker));
  assert_state (0, 1, POOLY_FULL, 0, 0);
  dismiss (hasty);
  dismiss (patient);
  assert_state (1, 0, POOLY_READY, 0, 0);
  pooly_stop ();
  test_end ();
}

static void
check_its_own_worker_starts (guint ttl_ms, guint n_left)
{
  Pid hasty = consumer_new ();

  begin_standing (1, ttl_ms);
  take ();
  have_one_started (hasty);
  let_enter ();
  assert_state (n_left, 1, POOLY_OVERFLOW, n_left, 0);
  dismiss (hasty);
  pooly_stop ();
}

/* Also where that worker was to be its own: then it is dismissed, or kept. */
void
test_waiting_limit_holds_while_its_own_worker_starts (void)
{
  check_its_own_worker_starts (0, 0);
  check_its_own_worker_starts (G_MAXINT, 1);
  test_end ();
}

/* The next in line gets it, who came when the server was busy. */
void
test_waiting_next_one_gets_what_was_started (void)
{
  Pid hasty = consumer_new (), patient = consumer_new (), worker = PID_NONE;

  begin_standing (1, 0);
  take ();
  have_one_started (hasty);
  tell (patient, WAIT, -1);
  let_enter ();
  worker = hear_worker (patient);
  g_assert_true (process_is_alive (worker));
  assert_state (0, 2, POOLY_FULL, 1, 0);
  dismiss (hasty);
  dismiss (patient);
  assert_state (0, 1, POOLY_OVERFLOW, 0, 0);
  pooly_stop ();
  test_end ();
}

/* Only for the first of them, who was there; and for the one who still waits. */
void
test_waiting_nothing_is_started_for_the_gone (void)
{
  Pid hasty[3], patient = consumer_new ();

  begin_standing (3, 0);
  take ();
  for (guint i = 0; i < 3; i++)
    hasty[i] = consumer_new ();
  have_one_started (hasty[0]);
  tell (patient, WAIT, -1);
  for (guint i = 1; i < 3; i++) {
    tell (hasty[i], WAIT, 1);
    hear_failure (hasty[i], POOLY_ERROR_TIMEOUT);
  }
  let_enter ();
  hear_worker (patient);
  assert_state (0, 2, POOLY_OVERFLOW, 1, 0);
  g_assert_cmpint (g_atomic_int_get (&n_begun), ==, 3);
  for (guint i = 0; i < 3; i++)
    dismiss (hasty[i]);
  dismiss (patient);
  pooly_stop ();
  test_end ();
}

#define MB (1024 * 1024)

/* In line, and out of it in each of the ways there are. */
void
test_waiting_leaves_nothing_behind (void)
{
  guint n_times = test_scaled (20000);
  PoolyConfig config = begin (1, 0);
  Pid waiter = consumer_new (), worker = take ();
  gint64 before = 0;

  for (guint i = 0; i < n_times; i++) {
    if (i == n_times / 2)
      before = test_resident_bytes ();
    g_assert_cmpuint (pooly_checkout_wait (FACE_POOL, 0, NULL), ==, PID_NONE);
    if (i % 10 != 0)
      continue;
    let_wait (waiter, 1);
    if (i % 20 == 0) {
      kill_and_wait (waiter);
      waiter = consumer_new ();
    } else {
      pooly_checkin (FACE_POOL, worker);
      worker = hear_worker (waiter);
      let_give (waiter, worker);
      worker = take ();
    }
  }
  g_assert_cmpint (test_resident_bytes () - before, <, MB);
  assert_state (0, 1, POOLY_FULL, 0, 0);
  dismiss (waiter);
  stop_elastic (&config);
  test_end ();
}

#endif
