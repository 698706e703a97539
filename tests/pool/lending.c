/* What the scenarios of overflow and of waiting share. */
#include "lending.h"

#include "scheduler.h"
#include "simulation.h"

#if POOLY_VERSION >= 4

/* What has come in before its time: who is lent what another gave back may say
 * so before that other one does. */
static GQueue early; /* Message */

/* THE POOL */

PoolyConfig
elastic (const GenServerClass *worker, Lives *lives, guint size,
         guint max_overflow)
{
  return (PoolyConfig) { .name = FACE_POOL,
                         .worker = worker,
                         .args = lives,
                         .size = size,
                         .max_overflow = max_overflow };
}

const GenServerClass *
choose_class (void)
{
  return test_random (2) == 0 ? &mortal_class : &short_mortal_class;
}

void
start_elastic (const PoolyConfig *config)
{
  g_autoptr (GError) error = NULL;

  if (config->args != NULL)
    *(Lives *) config->args = (Lives) { 0 };
  pooly_start_pools (config, 1, &error);
  g_assert_no_error (error);
}

void
stop_elastic (const PoolyConfig *config)
{
  const Lives *lives = config->args;

  pooly_stop ();
  assert_nothing_is_left ();
  assert_lives (lives, g_atomic_int_get (&lives->n_begun));
}

void
end_elastic (const PoolyConfig *config)
{
  const Lives *lives = config->args;
  g_autofree Pid *workers = g_new (Pid, config->size);
  guint size = config->size;

  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  get_status (); /* has heard all now, and been told of those it lent to */
  while (get_status ().overflow > 0)
    process_sleep (1); /* who is kept warm has still to be dismissed */
  assert_state (size, 0, POOLY_READY, 0, 0);
  g_assert_cmpuint (early.length, ==, 0);
  g_assert_cmpuint (count_children (FACE_WORKER_SUPERVISOR), ==, size);
  for (guint i = 0; i < size; i++) {
    workers[i] = take ();
    g_assert_true (process_is_alive (workers[i]));
    g_assert_false (is_among (workers[i], workers, i));
  }
  stop_simulated ();
  assert_lives (lives, g_atomic_int_get (&lives->n_begun));
  test_end ();
}

PoolyStatus
get_status (void)
{
  g_autoptr (GError) error = NULL;
  PoolyStatus status = { 0 };

  pooly_status (FACE_POOL, &status, &error);
  g_assert_no_error (error);
  return status;
}

GArray *
list_workers (void)
{
  Pid supervisor = process_whereis (FACE_WORKER_SUPERVISOR);
  g_autoptr (GArray) children = supervisor_which_children (supervisor, NULL);
  GArray *workers = g_array_new (FALSE, FALSE, sizeof (Pid));

  for (guint i = 0; children != NULL && i < children->len; i++)
    g_array_append_val (workers, g_array_index (children, ChildInfo, i).pid);
  return workers;
}

/* CONSUMERS */

void
report_clear (Report *report)
{
  g_clear_pointer (&report->message, g_free);
}

static void
report_to (Pid test, Pid worker, const GError *error)
{
  Message report = { .tag = REPORT,
                     .pid = worker,
                     .number = error != NULL ? error->code : -1,
                     .data = error != NULL ? g_strdup (error->message) : NULL,
                     .free_data = g_free };

  process_send (test, report);
}

static void
obey (gpointer test)
{
  Message order;

  while (process_receive (&order, -1) && order.tag != LEAVE_US) {
    g_autoptr (GError) error = NULL;
    Pid worker = PID_NONE;

    if (order.tag == TAKE)
      worker = pooly_checkout (FACE_POOL, &error);
    else if (order.tag == WAIT)
      worker = pooly_checkout_wait (FACE_POOL, (int) order.number, &error);
    else
      pooly_checkin (FACE_POOL, order.pid);
    report_to (POINTER_TO_PID (test), worker, error);
  }
}

Pid
consumer_new (void)
{
  return spawn ("consumer", obey, PID_TO_POINTER (process_self ()));
}

void
tell (Pid consumer, Order order, int timeout_ms)
{
  process_send (consumer, (Message) { .tag = order, .number = timeout_ms });
}

Report
hear (Pid consumer)
{
  g_autofree Message *first = g_queue_pop_head (&early);
  Message message = first != NULL ? *first : test_receive (REPORT);

  g_assert_cmpuint (message.sender, ==, consumer);
  return (Report) { .worker = message.pid,
                    .why = (int) message.number,
                    .message = message_take_data (&message) };
}

Pid
hear_worker (Pid consumer)
{
  g_auto (Report) report = hear (consumer);

  g_assert_cmpstr (report.message, ==, NULL);
  g_assert_cmpuint (report.worker, !=, PID_NONE);
  return report.worker;
}

void
hear_failure (Pid consumer, PoolyError why)
{
  g_auto (Report) report = hear (consumer);

  g_assert_cmpuint (report.worker, ==, PID_NONE);
  g_assert_cmpint (report.why, ==, why);
}

Pid
let_take (Pid consumer)
{
  tell (consumer, TAKE, 0);
  return hear_worker (consumer);
}

void
let_give (Pid consumer, Pid worker)
{
  Message message;

  process_send (consumer, (Message) { .tag = GIVE, .pid = worker });
  while ((message = test_receive (REPORT)).sender != consumer)
    g_queue_push_tail (&early, g_memdup2 (&message, sizeof message));
}

void
await_waiting (guint n_waiting)
{
  while (get_status ().waiting != n_waiting)
    process_sleep (1);
}

void
let_wait (Pid consumer, guint n_waiting)
{
  tell (consumer, WAIT, -1);
  await_waiting (n_waiting);
}

void
dismiss (Pid consumer)
{
  tell (consumer, LEAVE_US, 0);
  wait_for (consumer);
}

/* TIME
 *
 * The clock jumps to what is due next.  So there is always something due a
 * millisecond from now; and when it shall jump further, that waits until then,
 * and goes on from there before anybody else does. */

gboolean
time_is_simulated (void)
{
  return test_limit () < 0;
}

#define TICK_ID G_MAXUINT64
#define MAX_TICKS 100000 /* where nothing else happens, the test is stuck */

static gint64 tick_due; /* or 0 */
static guint n_ticks;   /* since the test has last said something of time */

static void
tick (guint64 id G_GNUC_UNUSED)
{
  g_assert_cmpuint (++n_ticks, <, MAX_TICKS);
  tick_due = scheduler_now () + G_TIME_SPAN_MILLISECOND;
  scheduler_call_at (tick_due, TICK_ID, tick);
}

void
time_free (void)
{
  if (tick_due != 0)
    scheduler_forget (tick_due, TICK_ID);
  tick_due = 0;
  n_ticks = 0;
}

void
time_hold (void)
{
  time_free ();
  if (time_is_simulated ())
    tick (TICK_ID);
}

void
time_pass (guint duration_ms)
{
  get_status (); /* what was asked of the pool is done first */
  if (tick_due != 0) {
    time_free ();
    tick_due = scheduler_now () + duration_ms * G_TIME_SPAN_MILLISECOND;
    scheduler_call_at (tick_due, TICK_ID, tick);
  }
  process_sleep (duration_ms);
}

#endif
