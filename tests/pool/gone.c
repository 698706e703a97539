/* Workers that are dead already, and callers that have gone: between a death, or
 * the end of a limit, and the server's hearing of it there is always a while. */
#include "lending.h"
#include "several.h"
#include "simulation.h"

#if POOLY_VERSION >= 4

static Lives lives;

/* A WORKER THAT TAKES ITS TIME TO BE FINALIZED
 *
 * It is dead when that begins, and its EXIT comes when that is over. */

static Door door;

static void
finalize (gpointer state G_GNUC_UNUSED)
{
  door_stand (&door);
}

static const GenServerClass slow_class = { .name = "Slow",
                                           .finalize = finalize };

static void
begin (guint size, guint max_overflow, PoolyStrategy strategy)
{
  PoolyConfig config = elastic (&slow_class, NULL, size, max_overflow);

  config.strategy = strategy;
  gate_reset (&door.entered);
  gate_reset (&door.leave);
  start_elastic (&config);
}

static gpointer
kill_it (gpointer pid)
{
  process_exit (POINTER_TO_PID (pid), REASON_KILL);
  return NULL;
}

/* Whoever kills an idle process may be the one who finalizes it. */
static GThread *
kill_slowly (Pid worker)
{
  GThread *killer = g_thread_new ("killer", kill_it, PID_TO_POINTER (worker));

  gate_wait (&door.entered);
  g_assert_false (process_is_alive (worker));
  return killer;
}

static void
let_it_end (GThread *killer)
{
  gate_open (&door.leave);
  g_thread_join (killer);
}

/* The next one is, or none. */
void
test_gone_dead_worker_is_not_lent (void)
{
  Pid workers[2];
  GThread *killer;

  begin (2, 0, POOLY_LIFO);
  take_all (workers, 2);
  pooly_checkin (FACE_POOL, workers[0]);
  pooly_checkin (FACE_POOL, workers[1]);
  killer = kill_slowly (workers[1]);
  g_assert_cmpuint (take (), ==, workers[0]);
  assert_not_taken (POOLY_ERROR_FULL);
  let_it_end (killer);
  wait_until (get_status ().state == POOLY_READY);
  assert_state (1, 1, POOLY_READY, 0, 0);
  g_assert_true (process_is_alive (take ()));
  pooly_stop ();
  test_end ();
}

/* Nobody loses his place in the line for it. */
void
test_gone_dead_worker_is_not_handed_on (void)
{
  Pid waiters[2] = { consumer_new (), consumer_new () }, worker;
  GThread *killer;

  begin (1, 0, POOLY_LIFO);
  worker = take ();
  let_wait (waiters[0], 1);
  let_wait (waiters[1], 2);
  killer = kill_slowly (worker);
  pooly_checkin (FACE_POOL, worker);
  assert_state (1, 0, POOLY_FULL, 0, 2);
  let_it_end (killer);
  worker = hear_worker (waiters[0]);
  g_assert_true (process_is_alive (worker));
  assert_state (0, 1, POOLY_FULL, 0, 1);
  dismiss (waiters[0]);
  g_assert_cmpuint (hear_worker (waiters[1]), ==, worker);
  dismiss (waiters[1]);
  pooly_stop ();
  test_end ();
}

/* While the server waits for the end of one that it dismisses, somebody comes and
 * goes: that moves nobody in the line of those that rest. */
void
test_gone_idle_one_keeps_its_place (void)
{
  g_autoptr (GError) error = NULL;
  Pid workers[3];

  begin (2, 1, POOLY_FIFO);
  take_all (workers, 3);
  pooly_checkin (FACE_POOL, workers[2]);
  gate_wait (&door.entered);
  pooly_checkin (FACE_POOL, workers[0]);
  pooly_checkin (FACE_POOL, workers[1]);
  g_assert_cmpuint (pooly_checkout_wait (FACE_POOL, 1, &error), ==, PID_NONE);
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_TIMEOUT);
  gate_open (&door.leave);
  g_assert_cmpuint (take (), ==, workers[0]);
  pooly_stop ();
  test_end ();
}

/* WHOSE THREAD IT IS
 *
 * A message that makes the server wait must not be handled on the thread of a
 * client who just comes by: its limit would not hold, and a check-in would wait. */

enum { REST = 1 };

static gboolean
init_slowly (gpointer state G_GNUC_UNUSED, gconstpointer args G_GNUC_UNUSED,
             GError **error G_GNUC_UNUSED)
{
  process_sleep (1);
  assert_server_waits_on_its_own ();
  return TRUE;
}

static const GenServerClass sleeper_class = { .name = "Sleeper",
                                              .init = init_slowly };

void
test_race_gone_limit_while_one_is_replaced (void)
{
  PoolyConfig config = elastic (&sleeper_class, NULL, 1, 0);
  g_autoptr (GError) error = NULL;

  start_elastic (&config);
  process_exit (take (), REASON_KILL);
  if (pooly_checkout_wait (FACE_POOL, 10, &error) == PID_NONE)
    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_TIMEOUT);
  stop_simulated ();
  test_end ();
}

static void
end_it (gpointer pid)
{
  process_exit (POINTER_TO_PID (pid), REASON_KILL);
}

/* That one dies just now does not have another started there. */
void
test_race_gone_limit_while_the_idle_one_dies (void)
{
  PoolyConfig config = elastic (&sleeper_class, NULL, 1, 1);
  g_autoptr (GError) error = NULL;
  Pid worker, killer;

  start_elastic (&config);
  worker = take ();
  pooly_checkin (FACE_POOL, worker);
  killer = spawn ("killer", end_it, PID_TO_POINTER (worker));
  if (pooly_checkout_wait (FACE_POOL, 10, &error) == PID_NONE)
    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_TIMEOUT);
  wait_for (killer);
  stop_simulated ();
  test_end ();
}

static gboolean
is_short (gconstpointer state G_GNUC_UNUSED, const Message *message)
{
  return message->tag != REST;
}

static void
handle_cast (gpointer state G_GNUC_UNUSED, Message *request)
{
  if (request->tag != REST)
    return;
  process_sleep (1);
  assert_server_waits_on_its_own ();
}

/* It is short, but not always. */
static const GenServerClass moody_class = { .name = "Moody",
                                            .is_short = is_short,
                                            .handle_cast = handle_cast };

/* Whoever dismisses such a one waits for it. */
void
test_race_gone_checkin_of_one_at_work (void)
{
  PoolyConfig config = elastic (&moody_class, NULL, 1, 1);
  Pid worker;

  start_elastic (&config);
  take ();
  worker = take ();
  gen_server_cast (worker, (Message) { .tag = REST });
  pooly_checkin (FACE_POOL, worker);
  stop_simulated ();
  test_end ();
}

enum { WORK = 1, GO };

static gboolean
is_no_work (gconstpointer state G_GNUC_UNUSED, const Message *message)
{
  return message->tag != WORK;
}

static void
work (gpointer state G_GNUC_UNUSED, Message *request)
{
  gen_server_call (request->pid, (Message) { .tag = WORK }, -1, NULL, NULL);
}

/* They end when they are told to, but not before their work is done. */
static const GenServerClass loyal_class = { .name = "Loyal",
                                            .is_short = is_no_work,
                                            .init = init_trapping,
                                            .handle_cast = work };

/* Work is done when it is told so. */
static void
keep_gate (gpointer data G_GNUC_UNUSED)
{
  From from = { 0 };
  Message message = { 0 };

  while (message.tag != GO)
    if (process_receive (&message, 1) && message.tag == WORK)
      from = (From) { .pid = message.sender, .ref = message.ref };
    else
      assert_server_waits_on_its_own ();
  gen_server_reply (from, (Message) { 0 });
}

static void
stop_pooly (gpointer data G_GNUC_UNUSED)
{
  pooly_stop ();
}

/* One worker has ended and is not missed any more; another one is at work, and the
 * supervisor waits for that.  Who gives one back does not. */
void
test_race_gone_checkin_at_stop (void)
{
  PoolyConfig config = elastic (&loyal_class, NULL, 2, 0);
  Pid gate = spawn ("gate", keep_gate, NULL), stopper, worker;

  time_hold ();
  start_elastic (&config);
  worker = take ();
  gen_server_cast (worker, (Message) { .tag = WORK, .pid = gate });
  stopper = spawn ("stopper", stop_pooly, NULL);
  for (guint i = test_random (20); i > 0; i--)
    process_is_alive (worker);
  pooly_checkin (FACE_POOL, worker);
  process_send (gate, (Message) { .tag = GO });
  wait_for (gate);
  wait_for (stopper);
  time_free ();
  stop_simulated ();
  test_end ();
}

/* WHO LEAVES WITHOUT A WORD */

/* What the pool server is told, and nobody else should tell it. */
enum { CHECKOUT = 3, EXPIRED = 7 };

void
test_gone_without_a_word (void)
{
  PoolyConfig config = elastic (&short_mortal_class, &lives, 1, 0);
  Pid server, waiter = consumer_new (), worker;

  start_elastic (&config);
  server = process_whereis (FACE_SERVER);
  worker = take ();
  for (guint i = 0; i < 3; i++) {
    gen_server_call (server, (Message) { .tag = CHECKOUT, .number = TRUE }, 1,
                     NULL, NULL);
    assert_state (0, 1, POOLY_FULL, 0, 1);
  }
  let_wait (waiter, 2);
  pooly_checkin (FACE_POOL, worker);
  g_assert_cmpuint (hear_worker (waiter), ==, worker);
  dismiss (waiter);
  assert_state (1, 0, POOLY_READY, 0, 0);
  pooly_stop ();
  test_end ();
}

static void
say_expired (Pid worker)
{
  process_send (process_whereis (FACE_SERVER),
                (Message) { .tag = EXPIRED, .pid = worker });
}

/* One that is idle does: so that is what it was told. */
void
test_gone_lent_one_does_not_expire (void)
{
  PoolyConfig config = elastic (&short_mortal_class, &lives, 1, 1);
  Pid workers[2];

  config.overflow_ttl_ms = G_MAXINT;
  start_elastic (&config);
  take_all (workers, 2);
  say_expired (workers[1]);
  assert_state (0, 2, POOLY_FULL, 1, 0);
  g_assert_true (process_is_alive (workers[1]));
  pooly_checkin (FACE_POOL, workers[1]);
  assert_state (1, 1, POOLY_OVERFLOW, 1, 0);
  say_expired (workers[1]);
  assert_state (0, 1, POOLY_OVERFLOW, 0, 0);
  pooly_stop ();
  test_end ();
}

#endif
