/* Workers that can't start: the pool lives on, and tries again. */
#include "lending.h"
#include "scheduler.h"
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

static void
fail_from_now_on (gint n_times)
{
  g_atomic_int_set (&lives.n_to_fail, n_times);
}

static void
assert_fails (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (pooly_checkout (FACE_POOL, &error), ==, PID_NONE);
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_WORKER);
  g_assert_cmpstr (error->message, ==,
                   "a worker could not start: " LIVES_FAULT);
}

static void
await_whole (guint size)
{
  while (get_status ().idle + get_status ().busy < size)
    process_sleep (1000 / (time_is_simulated () ? 1 : 1000));
}

/* Who needs that worker is told why, those who have theirs are left alone, and
 * the pool server is still the same. */
void
test_race_healing_pool_lives_on (void)
{
  PoolyConfig config = begin (2, 1);
  Pid server = process_whereis (FACE_SERVER), workers[2];

  workers[0] = take ();
  workers[1] = take ();
  fail_from_now_on (-1);
  kill_and_wait (workers[0]);
  assert_state (0, 1, POOLY_FULL, 0, 0);
  assert_fails ();
  assert_not_taken (POOLY_ERROR_WORKER);
  pooly_checkin (FACE_POOL, workers[1]);
  assert_state (1, 0, POOLY_READY, 0, 0);
  g_assert_cmpuint (take (), ==, workers[1]);
  kill_and_wait (workers[1]);
  assert_state (0, 0, POOLY_FULL, 0, 0);
  assert_fails ();
  g_assert_cmpint (g_atomic_int_get (&lives.n_begun), >=, 3);
  fail_from_now_on (0);
  await_whole (2);
  assert_state (2, 0, POOLY_READY, 0, 0);
  g_assert_cmpuint (process_whereis (FACE_SERVER), ==, server);
  end_elastic (&config);
}

void
test_race_healing_idle_worker_dies (void)
{
  PoolyConfig config = begin (2, 0);
  Pid worker = take ();

  pooly_checkin (FACE_POOL, worker);
  fail_from_now_on (1 + (gint) test_random (3));
  kill_and_wait (worker);
  await_whole (2);
  end_elastic (&config);
}

/* Or it would be tried as often as somebody asks, or dies. */
void
test_race_healing_is_not_tried_in_between (void)
{
  PoolyConfig config = begin (2, 1);
  Pid workers[2] = { take (), take () };
  gint n_begun;

  time_hold ();
  fail_from_now_on (-1);
  kill_and_wait (workers[0]);
  assert_fails ();
  n_begun = g_atomic_int_get (&lives.n_begun);
  kill_and_wait (workers[1]);
  for (guint i = 0; i < 10; i++)
    assert_fails ();
  if (time_is_simulated ())
    g_assert_cmpint (g_atomic_int_get (&lives.n_begun), ==, n_begun);
  time_free ();
  fail_from_now_on (0);
  await_whole (2);
  end_elastic (&config);
}

/* Those who wait do so on, and are served in their order when it heals. */
void
test_race_healing_waiters_are_served (void)
{
  PoolyConfig config = begin (2, 1);
  Pid waiters[3], workers[3], next;

  for (guint i = 0; i < 3; i++)
    workers[i] = take ();
  for (guint i = 0; i < 3; i++) {
    waiters[i] = consumer_new ();
    let_wait (waiters[i], i + 1);
  }
  fail_from_now_on (-1);
  for (guint i = 0; i < 3; i++)
    kill_and_wait (workers[i]);
  assert_state (0, 0, POOLY_FULL, 0, 3);
  fail_from_now_on (0);
  for (guint i = 0; i < 3; i++) {
    Message report = test_receive (REPORT);

    g_assert_true (process_is_alive (report.pid));
    g_assert_true (is_among (report.sender, waiters, 3));
    workers[i] = report.pid;
  }
  g_assert_false (is_among (workers[0], workers + 1, 2));
  assert_state (0, 3, POOLY_FULL, 1, 0);
  next = waiters[0];
  for (guint i = 0; i < 3; i++)
    dismiss (waiters[i]);
  g_assert_false (process_is_alive (next));
  end_elastic (&config);
}

/* A check-in comes before it. */
void
test_race_healing_waiter_is_served_by_another_s (void)
{
  PoolyConfig config = begin (2, 0);
  Pid waiter = consumer_new (), workers[2];

  take_all (workers, 2);
  let_wait (waiter, 1);
  fail_from_now_on (-1);
  kill_and_wait (workers[0]);
  assert_state (0, 1, POOLY_FULL, 0, 1);
  pooly_checkin (FACE_POOL, workers[1]);
  g_assert_cmpuint (hear_worker (waiter), ==, workers[1]);
  assert_state (0, 1, POOLY_FULL, 0, 0);
  let_give (waiter, workers[1]);
  fail_from_now_on (0);
  await_whole (2);
  dismiss (waiter);
  end_elastic (&config);
}

/* One who waits only for what could not start gives up when its time is over,
 * and then there is nothing left to try. */
void
test_race_healing_nobody_waits_any_more (void)
{
  PoolyConfig config = begin (1, 1);
  Pid waiter = consumer_new (), workers[2];

  take_all (workers, 2);
  let_wait (waiter, 1);
  fail_from_now_on (-1);
  kill_and_wait (workers[0]);
  assert_state (0, 1, POOLY_FULL, 0, 1);
  kill_and_wait (waiter);
  while (get_status ().state != POOLY_OVERFLOW)
    process_sleep (1000 / (time_is_simulated () ? 1 : 1000));
  assert_state (0, 1, POOLY_OVERFLOW, 0, 0);
  fail_from_now_on (0);
  pooly_checkin (FACE_POOL, workers[1]);
  end_elastic (&config);
}

/* All at once, at the start: that is no running pool. */
void
test_healing_is_not_for_the_start (void)
{
  PoolyConfig config = elastic (&short_mortal_class, &lives, 2, 1);
  g_autoptr (GError) error = NULL;

  lives = (Lives) { .n_to_fail = -1 };
  g_assert_false (pooly_start_pools (&config, 1, &error));
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_WORKER);
  g_assert_nonnull (strstr (error->message, LIVES_FAULT));
  assert_nothing_is_left ();
  assert_lives (&lives, 1);
  test_end ();
}

/* WHEN */

/* A worker that says when it was tried, and starts when it may. */

static Pid test;
static gint may_start; /* atomic */

static gboolean
say_when (gpointer state G_GNUC_UNUSED, gconstpointer args G_GNUC_UNUSED,
          GError **error)
{
  gboolean is_to_start = g_atomic_int_get (&may_start);
  Message when = { .tag = REPORT,
                   .pid = is_to_start ? process_self () : PID_NONE,
                   .number = scheduler_now () };

  process_send (test, when);
  if (is_to_start)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, LIVES_FAULT);
  return FALSE;
}

static const GenServerClass telling_class = { .name = "Telling",
                                              .init = say_when };

/* Until a try succeeds.
 *
 * Returns: the worker */
static Pid
await_success (void)
{
  Pid worker;

  while ((worker = test_receive (REPORT).pid) == PID_NONE)
    continue;
  await_whole (1);
  return worker;
}

static Pid
begin_telling (guint max_overflow)
{
  PoolyConfig config = { .name = FACE_POOL,
                         .worker = &telling_class,
                         .size = 1,
                         .max_overflow = max_overflow };

  test = process_self ();
  may_start = TRUE;
  start_elastic (&config);
  return await_success ();
}

/* Its end, and then each time later: 100 ms, 200 ms and so on. */
static void
check_delays (Pid worker, guint n_tries)
{
  gint64 last;
  guint delay_ms = 100;

  g_atomic_int_set (&may_start, FALSE);
  process_exit (worker, REASON_KILL);
  last = test_receive (REPORT).number;
  for (guint i = 0; i < n_tries; i++) {
    gint64 next = test_receive (REPORT).number;

    g_assert_cmpint (next - last, >=, delay_ms * G_TIME_SPAN_MILLISECOND);
    if (time_is_simulated ())
      g_assert_cmpint (next - last, <,
                       (delay_ms + 50) * G_TIME_SPAN_MILLISECOND);
    last = next;
    delay_ms = MIN (2 * delay_ms, 10000);
  }
}

/* Up to ten seconds; and a success makes the next ones short again. */
void
test_race_healing_tries_again_later_and_later (void)
{
  guint n_tries = time_is_simulated () ? 10 : 2;
  Pid worker = begin_telling (0);

  check_delays (worker, n_tries);
  g_atomic_int_set (&may_start, TRUE);
  worker = await_success ();
  check_delays (worker, 2);
  g_atomic_int_set (&may_start, TRUE);
  worker = await_success ();
  assert_state (1, 0, POOLY_READY, 0, 0);
  g_assert_cmpuint (take (), ==, worker);
  stop_simulated ();
  test_end ();
}

/* What was missing is not missing any more, though nothing was started. */
void
test_race_healing_starts_over_when_none_is_missing (void)
{
  Pid worker = begin_telling (1), overflow, waiter = consumer_new ();
  Message report;

  g_assert_cmpuint (take (), ==, worker);
  overflow = take ();
  g_assert_cmpuint (test_receive (REPORT).pid, ==, overflow);
  let_wait (waiter, 1);
  g_atomic_int_set (&may_start, FALSE);
  process_exit (overflow, REASON_KILL);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (test_receive (REPORT).pid, ==, PID_NONE);
  kill_and_wait (waiter);
  while (get_status ().state != POOLY_OVERFLOW)
    process_sleep (1);
  while (process_receive (&report, 0))
    message_clear (&report);
  check_delays (worker, 2);
  g_atomic_int_set (&may_start, TRUE);
  await_success ();
  stop_simulated ();
  test_end ();
}

static gboolean
is_served_anew (Pid server)
{
  Pid successor = process_whereis (FACE_SERVER);

  return successor != PID_NONE && successor != server
         && pooly_status (FACE_POOL, &(PoolyStatus) { 0 }, NULL);
}

/* Whoever starts it anew can't be told, so it tries again, too. */
void
test_race_healing_after_the_server_s_death (void)
{
  PoolyConfig config = begin (2, 0);
  Pid server = process_whereis (FACE_SERVER);

  fail_from_now_on (-1);
  kill_and_wait (server);
  while (!is_served_anew (server))
    process_sleep (1);
  assert_state (0, 0, POOLY_FULL, 0, 0);
  assert_fails ();
  fail_from_now_on (0);
  await_whole (2);
  end_elastic (&config);
}

#endif
