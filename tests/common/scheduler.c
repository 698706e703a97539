/* The scheduler: many processes on few threads, and none that stops others. */
#include "helper.h"

enum { PING = 1, WAIT, GO, RELEASE, STOP, ALL_HERE, DONE };

static Pid owner; /* who is told of everything */

static void
tell_owner (int tag)
{
  process_send (owner, (Message) { .tag = tag });
}

static gboolean
always_short (gconstpointer state, const Message *message)
{
  (void) state;
  (void) message;
  return TRUE;
}

/* A server that answers, on shared threads or on its callers'. */

static void
answer (gpointer state, Message *request, From from)
{
  (void) state;
  gen_server_reply (from,
                    (Message) { .tag = DONE, .number = request->number + 1 });
}

static const GenServerClass answering_class = { .name = "Answering",
                                                .handle_call = answer };

static const GenServerClass short_answering_class = { .name = "ShortAnswering",
                                                      .is_short = always_short,
                                                      .handle_call = answer };

static Pid
start (const GenServerClass *klass)
{
  g_autoptr (GError) error = NULL;
  Pid pid = gen_server_start (klass, NULL, NULL, &error);

  g_assert_no_error (error);
  return pid;
}

static Pid *
start_many (const GenServerClass *klass, guint count)
{
  Pid *pids = g_new (Pid, count);

  for (guint i = 0; i < count; i++)
    pids[i] = start (klass);
  return pids;
}

static void
kill_many (Pid *pids, guint count)
{
  for (guint i = 0; i < count; i++)
    process_exit (pids[i], REASON_KILL);
  for (guint i = 0; i < count; i++)
    g_assert_true (process_wait_end (pids[i], test_limit ()));
}

/* Somebody new, who needs a shared thread, gets one. */
static void
assert_others_go_on (void)
{
  Pid pid = start (&answering_class);

  for (guint i = 0; i < 10; i++)
    g_assert_cmpint (test_call (pid, (Message) { .tag = PING }).tag, ==, DONE);
  kill_many (&pid, 1);
}

/* BLOCKED: handlers that wait hold a thread each */

/* A hub answers when it is told to. */

typedef struct {
  GArray *waiting; /* of From */
} Hub;

static guint n_expected;

static gboolean
hub_init (gpointer state, gconstpointer args, GError **error)
{
  Hub *self = state;

  (void) args;
  (void) error;
  self->waiting = g_array_new (FALSE, FALSE, sizeof (From));
  return TRUE;
}

static void
hub_handle_call (gpointer state, Message *request, From from)
{
  Hub *self = state;

  (void) request;
  g_array_append_val (self->waiting, from);
  if (self->waiting->len == n_expected)
    tell_owner (ALL_HERE);
}

static void
hub_handle_cast (gpointer state, Message *request)
{
  Hub *self = state;

  (void) request;
  for (guint i = 0; i < self->waiting->len; i++)
    g_assert_true (gen_server_reply (g_array_index (self->waiting, From, i),
                                     (Message) { .tag = DONE }));
}

static void
hub_finalize (gpointer state)
{
  Hub *self = state;

  g_clear_pointer (&self->waiting, g_array_unref);
}

static const GenServerClass hub_class = {
  .name = "Hub",
  .state_size = sizeof (Hub),
  .init = hub_init,
  .handle_call = hub_handle_call,
  .handle_cast = hub_handle_cast,
  .finalize = hub_finalize,
};

static void
waiter_handle_cast (gpointer state, Message *request)
{
  (void) state;
  test_call (request->pid, (Message) { .tag = WAIT });
  tell_owner (DONE);
}

static const GenServerClass waiter_class = {
  .name = "Waiter", .handle_cast = waiter_handle_cast
};

static void
test_scheduler_blocked_inside_do_not_stop_others (void)
{
  guint count = test_scaled (1000);
  Pid hub = start (&hub_class);
  g_autofree Pid *waiters = start_many (&waiter_class, count);

  owner = process_self ();
  n_expected = count;
  for (guint i = 0; i < count; i++)
    gen_server_cast (waiters[i], (Message) { .tag = GO, .pid = hub });
  test_receive (ALL_HERE);
  assert_others_go_on ();

  gen_server_cast (hub, (Message) { .tag = RELEASE });
  for (guint i = 0; i < count; i++)
    test_receive (DONE);
  kill_many (waiters, count);
  kill_many (&hub, 1);
  test_end ();
}

static void
wait_at_gate (gpointer data)
{
  gate_wait ((Gate *) data);
}

/* Outside the runtime, which can't know that they wait. */
static void
test_scheduler_blocked_outside_do_not_stop_others (void)
{
  static Gate gate;
  guint count = test_scaled (1000);

  for (guint i = 0; i < count; i++)
    process_spawn_monitor (wait_at_gate, &gate, NULL, NULL, NULL);
  assert_others_go_on ();
  gate_open (&gate);
  for (guint i = 0; i < count; i++)
    test_receive (PROCESS_DOWN);
  test_end ();
}

/* STORM */

static gint n_threads, n_left; /* atomic */
static Gate calm;

static void
storm_handle_cast (gpointer state, Message *request)
{
  static _Thread_local gboolean is_known;

  (void) state;
  (void) request;
  if (!is_known)
    g_atomic_int_inc (&n_threads);
  is_known = TRUE;
  if (g_atomic_int_dec_and_test (&n_left))
    gate_open (&calm);
}

static gboolean
never_short (gconstpointer state, const Message *message)
{
  (void) state;
  (void) message;
  return FALSE;
}

/* No message of it is short, but its init is: so many are started soon. */
static const GenServerClass storm_class = { .name = "Storm",
                                            .is_short = never_short,
                                            .handle_cast = storm_handle_cast };

static void
test_scheduler_storm_takes_a_handful_of_threads (void)
{
  guint count = test_scaled (100000), n_casts = 5 * count;
  g_autofree Pid *pids = start_many (&storm_class, count);

  g_atomic_int_set (&n_left, (gint) n_casts);
  for (guint i = 0; i < n_casts; i++)
    gen_server_cast (pids[i % count], (Message) { .tag = GO });
  gate_wait (&calm);
  g_test_message ("%d threads", g_atomic_int_get (&n_threads));
  g_assert_cmpint (g_atomic_int_get (&n_threads), <=,
                   16 + 2 * (gint) g_get_num_processors ());
  kill_many (pids, count);
  test_end ();
}

/* ENDLESS: it never has nothing to do */

typedef struct {
  gboolean has_ended;
} Endless;

static void
endless_handle_cast (gpointer state, Message *request)
{
  Endless *self = state;

  if (request->tag == STOP)
    self->has_ended = TRUE;
  else if (!self->has_ended)
    gen_server_cast (process_self (), (Message) { .tag = GO });
}

static const GenServerClass endless_class = {
  .name = "Endless",
  .state_size = sizeof (Endless),
  .handle_call = answer,
  .handle_cast = endless_handle_cast,
};

static void
test_scheduler_endless_does_not_starve_others (void)
{
  guint count = 4 * g_get_num_processors ();
  g_autofree Pid *pids = start_many (&endless_class, count);

  for (guint i = 0; i < count; i++)
    gen_server_cast (pids[i], (Message) { .tag = GO });
  for (guint i = 0; i < 10; i++)
    assert_others_go_on ();
  /* Nor who asks it something. */
  for (guint i = 0; i < count; i++)
    test_call (pids[i], (Message) { .tag = PING });
  for (guint i = 0; i < count; i++)
    gen_server_cast (pids[i], (Message) { .tag = STOP });
  for (guint i = 0; i < count; i++)
    g_assert_true (
      gen_server_stop_sync (pids[i], REASON_NORMAL, test_limit (), NULL));
  test_end ();
}

/* MEMORY */

#define MB (1024 * 1024)

static void
test_scheduler_many_answer_within_200_mb (void)
{
  guint count = test_scaled (100000);
  gint64 before = test_resident_bytes (), taken;
  g_autofree Pid *pids = start_many (&short_answering_class, count);

  for (guint i = 0; i < count; i++)
    g_assert_cmpint (
      test_call (pids[i], (Message) { .tag = PING, .number = i }).number, ==,
      i + 1);
  for (guint i = 0; i < count; i++)
    g_assert_true (process_is_alive (pids[i]));
  taken = test_resident_bytes () - before;
  g_test_message ("%" G_GINT64_FORMAT " bytes a process", taken / count);
  g_assert_cmpint (taken, <, 200 * MB);
  kill_many (pids, count);
  test_end ();
}

/* What is made and undone, in one way each. */

static void
monitor_and_demonitor (Pid pid)
{
  process_demonitor (process_monitor (pid, NULL));
}

static void
link_and_unlink (Pid pid)
{
  process_link (pid);
  process_unlink (pid);
}

static void
set_timer_and_cancel (Pid pid)
{
  process_cancel_timer (
    process_send_after (pid, (Message) { .tag = PING }, 3600 * 1000));
}

static void
register_and_unregister (Pid pid)
{
  process_register ("Name", pid, NULL);
  process_unregister ("Name");
}

static void
call_and_answer (Pid pid)
{
  test_call (pid, (Message) { .tag = PING });
}

static void
start_and_kill (Pid pid)
{
  Pid other = start (&short_answering_class);

  (void) pid;
  process_exit (other, REASON_KILL);
}

static void
start_linked_and_stop (Pid pid)
{
  Pid other = gen_server_start_link (&short_answering_class, "Other", NULL,
                                     NULL);

  (void) pid;
  gen_server_stop_sync (other, REASON_NORMAL, test_limit (), NULL);
}

/* Each leaves nothing behind, on either side. */
static void
test_scheduler_memory_is_given_back (void)
{
  void (*cycles[]) (Pid pid) = { monitor_and_demonitor, link_and_unlink,
                                 set_timer_and_cancel,  register_and_unregister,
                                 call_and_answer,       start_and_kill,
                                 start_linked_and_stop };
  Pid pid = start (&short_answering_class);
  guint count = test_scaled (20000);

  for (guint i = 0; i < G_N_ELEMENTS (cycles); i++) {
    gint64 before = 0, taken;

    for (guint j = 0; j < 2 * count; j++) {
      if (j == count) /* what it needs once it has by now */
        before = test_resident_bytes ();
      cycles[i](pid);
    }
    taken = test_resident_bytes () - before;
    g_test_message ("cycle %u: %" G_GINT64_FORMAT " bytes", i, taken);
    g_assert_cmpint (taken, <, MB / 2);
  }
  kill_many (&pid, 1);
  test_end ();
}

/* GLib shares its idle threads among all pools; so whoever ran here before may
 * have made a process of the thread, and it still is one. */

static void
become_a_process (gpointer data, gpointer user_data)
{
  (void) user_data;
  process_self ();
  gate_wait (data);
}

static void
do_nothing (gpointer data)
{
  (void) data;
}

static void
test_scheduler_shared_threads_of_other_pools (void)
{
  static Gate gate;
  int count = 2 * (int) g_get_num_processors ();
  GThreadPool *others = g_thread_pool_new (become_a_process, NULL, count, FALSE,
                                           NULL);

  g_thread_pool_set_max_unused_threads (count);
  for (int i = 0; i < count; i++)
    g_thread_pool_push (others, &gate, NULL);
  gate_open (&gate);
  g_thread_pool_free (others, FALSE, TRUE);
  for (int i = 0; i < 10 * count; i++)
    g_assert_true (
      process_wait_end (process_spawn (do_nothing, NULL, NULL), test_limit ()));
}

#define ADD(path, name) \
  g_test_add_func ("/scheduler/" path, test_scheduler_##name)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("blocked/inside-do-not-stop-others", blocked_inside_do_not_stop_others);
  ADD ("blocked/outside-do-not-stop-others",
       blocked_outside_do_not_stop_others);
  ADD ("storm/takes-a-handful-of-threads", storm_takes_a_handful_of_threads);
  ADD ("endless/does-not-starve-others", endless_does_not_starve_others);
  ADD ("many/answer-within-200-mb", many_answer_within_200_mb);
  ADD ("memory/is-given-back", memory_is_given_back);
  ADD ("shared/threads-of-other-pools", shared_threads_of_other_pools);
  return g_test_run ();
}
