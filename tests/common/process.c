/* Processes: pids, mailboxes, functions and threads, timers. */
#include "helper.h"
#include "task.h"

enum { NUMBER = 1, PING, STAND, MARK };

/* A server that does nothing at all. */

static gboolean
always_short (gconstpointer state, const Message *message)
{
  (void) state;
  (void) message;
  return TRUE;
}

static const GenServerClass nobody_class = {
  .name = "Nobody",
  .is_short = always_short,
};

/* A server that stands in the door that a message brings it, never short. */

static void
standing_handle_call (gpointer state, Message *request, From from)
{
  (void) state;
  gen_server_reply (from, (Message) { .tag = request->tag });
}

static void
standing_handle_cast (gpointer state, Message *request)
{
  (void) state;
  if (request->tag == STAND)
    door_stand (request->data);
}

static const GenServerClass standing_class = {
  .name = "Standing",
  .handle_call = standing_handle_call,
  .handle_cast = standing_handle_cast,
};

static Pid
start (const GenServerClass *klass)
{
  g_autoptr (GError) error = NULL;
  Pid pid = gen_server_start (klass, NULL, NULL, &error);

  g_assert_no_error (error);
  return pid;
}

static Pid
start_standing (Door *door)
{
  Pid pid = start (&standing_class);

  gen_server_cast (pid, (Message) { .tag = STAND, .data = door });
  gate_wait (&door->entered);
  return pid;
}

static void
kill_and_wait (Pid pid)
{
  process_exit (pid, REASON_KILL);
  g_assert_true (process_wait_end (pid, test_limit ()));
}

/* After this, what was sent or told to us before has arrived. */
static void
receive_mark (void)
{
  process_send (process_self (), (Message) { .tag = MARK });
  test_receive (MARK);
}

/* PIDS */

static void
test_process_pid_is_never_reused (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  for (guint i = test_scaled (100000); i > 0; i--) {
    Pid pid = start (&nobody_class);

    g_assert_true (g_hash_table_add (seen, PID_TO_POINTER (pid)));
    kill_and_wait (pid);
  }
  test_end ();
}

/* A slot's memory is used again; the pid it had before still names nobody. */
static void
test_process_pid_is_not_its_slot (void)
{
  Pid stale = start (&nobody_class), pid = PID_NONE;
  gint freed = 0;

  kill_and_wait (stale);
  for (guint i = 0; i < 1 << 20; i++) {
    pid = start (&nobody_class);
    if (PID_SLOT (pid) == PID_SLOT (stale))
      break;
    kill_and_wait (pid);
  }
  g_assert_cmpuint (PID_SLOT (pid), ==, PID_SLOT (stale));
  g_assert_cmpuint (pid, !=, stale);

  g_assert_false (process_is_alive (stale));
  process_send (stale, (Message) { .data = &freed, .free_data = test_count });
  g_assert_cmpint (freed, ==, 1);
  kill_and_wait (stale);
  g_assert_true (process_is_alive (pid));
  kill_and_wait (pid);
  test_end ();
}

static void
check_cannot_be_told (Pid pid)
{
  gint freed = 0;
  Message message = { .tag = NUMBER, .data = &freed, .free_data = test_count };
  g_autoptr (GError) error = NULL, stop_error = NULL;
  Message reply = { 0 };

  process_send (pid, message);
  g_assert_cmpint (freed, ==, 1);
  gen_server_cast (pid, message);
  g_assert_cmpint (freed, ==, 2);
  g_assert_false (gen_server_reply ((From) { .pid = pid, .ref = 1 }, message));
  g_assert_cmpint (freed, ==, 3);
  g_assert_false (gen_server_call (pid, message, -1, &reply, &error));
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_NOPROC);
  g_assert_cmpint (freed, ==, 4);
  g_assert_false (gen_server_stop_sync (pid, REASON_NORMAL, -1, &stop_error));
  g_assert_error (stop_error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_NOPROC);
  g_assert_null (gen_server_describe (pid, -1));

  process_send_after (pid, message, 0);
  process_send_after (process_self (), (Message) { .tag = MARK }, 0);
  test_receive (MARK);
  g_assert_cmpint (g_atomic_int_get (&freed), ==, 5);
}

static void
check_has_no_life (Pid pid)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (process_is_alive (pid));
  g_assert_true (process_wait_end (pid, 0));
  process_exit (pid, REASON_NORMAL);
  process_exit (pid, REASON_KILL);
  process_unlink (pid);
  g_assert_false (process_register ("Nobody", pid, &error));
  g_assert_error (error, NAMES_ERROR, NAMES_ERROR_NOPROC);
  g_assert_cmpuint (process_whereis ("Nobody"), ==, PID_NONE);
  g_assert_null (process_get_name (pid));
}

static void
check_answers_noproc (Pid pid)
{
  int cookie;
  Ref monitor = process_monitor (pid, &cookie);
  Message message = test_receive (PROCESS_DOWN);

  g_assert_cmpuint (message.pid, ==, pid);
  g_assert_cmpuint (message.ref, ==, monitor);
  g_assert_cmpuint (message.reason, ==, REASON_NOPROC);
  g_assert_true (message.data == &cookie);

  process_trap_exits (TRUE);
  process_link (pid);
  message = test_receive (PROCESS_EXIT);
  g_assert_cmpuint (message.pid, ==, pid);
  g_assert_cmpuint (message.reason, ==, REASON_NOPROC);
}

static void
check_is_nobody (Pid pid)
{
  g_test_message (PID_FORMAT, PID_ARGS (pid));
  check_cannot_be_told (pid);
  check_has_no_life (pid);
  check_answers_noproc (pid);
}

static void
test_process_pid_none_is_safe (void)
{
  check_is_nobody (PID_NONE);
  test_end ();
}

static void
test_process_pid_is_read_as_it_is_printed (void)
{
  static const Pid pids[] = { (Pid) 1 << PID_SLOT_BITS, G_MAXUINT64 };

  for (guint i = 0; i < G_N_ELEMENTS (pids); i++) {
    g_autofree char *text = g_strdup_printf (PID_FORMAT, PID_ARGS (pids[i]));
    g_autofree char *bare = g_strndup (text + 1, strlen (text) - 2);
    Pid pid = PID_NONE;

    g_assert_true (pid_parse (text, &pid));
    g_assert_cmpuint (pid, ==, pids[i]);
    pid = PID_NONE;
    g_assert_true (pid_parse (bare, &pid));
    g_assert_cmpuint (pid, ==, pids[i]);
  }
  test_end ();
}

static void
test_process_pid_is_read_from_nothing_else (void)
{
  static const char *const texts[] = {
    "",
    "<>",
    "1",
    "1.",
    ".1",
    "<1.1",
    "1.1>",
    "1.1x",
    "1.1.1",
    " 1.1",
    "1.1 ",
    "1. 1",
    "1 .1",
    "+1.1",
    "1.+1",
    "-1.1",
    "1.-1",
    "0x1.1",
    "<<1.1>>",
    "<1.1>>",
    "< 1.1>",
    "1.0",
    "<1.1> ",
    "1,1",
    "x",
    "1..1",
    "16777216.1",
    "16777217.0",
    "1.1099511627776",
    "99999999999999999999.1",
    "1.99999999999999999999",
  };
  Pid pid = 7;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_test_message ("%s", texts[i]);
    g_assert_false (pid_parse (texts[i], &pid));
  }
  g_assert_cmpuint (pid, ==, 7);
  test_end ();
}

static void
test_process_pid_stale_is_safe (void)
{
  Pid server = start (&nobody_class);
  Pid long_server = start (&standing_class);

  kill_and_wait (server);
  check_is_nobody (server);
  kill_and_wait (long_server);
  check_is_nobody (long_server);
  test_end ();
}

static void
test_process_pid_made_up_is_safe (void)
{
  Pid generation = (Pid) 1 << PID_SLOT_BITS;

  check_is_nobody (process_self () + generation);
  check_is_nobody (process_self () - generation);
  check_is_nobody (generation - 1);
  check_is_nobody (G_MAXUINT64 - (generation - 1));
  check_is_nobody (G_MAXUINT64);
  g_assert_true (process_is_alive (process_self ()));
  test_end ();
}

static void
test_process_ref_made_up_is_safe (void)
{
  process_self ();
  for (Ref ref = 0; ref < 100; ref++) {
    g_assert_false (process_demonitor (ref));
    g_assert_false (process_cancel_timer (ref));
  }
  g_assert_false (process_demonitor (G_MAXUINT64));
  g_assert_false (process_cancel_timer (G_MAXUINT64));
  test_end ();
}

/* SENDING */

/* A recorder sees that each sender's numbers come in order, without a gap.
 * One message in three is not short: so it is run by shared threads and by its
 * callers, in turns. */

typedef struct {
  GHashTable *last; /* Pid → the number that came last */
} Recorder;

static gboolean
recorder_is_short (gconstpointer state, const Message *message)
{
  (void) state;
  return message->number % 3 != 0;
}

static gboolean
recorder_init (gpointer state, gconstpointer args, GError **error)
{
  Recorder *self = state;

  (void) args;
  (void) error;
  self->last = g_hash_table_new (NULL, NULL);
  return TRUE;
}

static void
recorder_handle (gpointer state, Message *message)
{
  Recorder *self = state;
  gpointer sender = PID_TO_POINTER (message->sender);
  gint64 last = GPOINTER_TO_SIZE (g_hash_table_lookup (self->last, sender));

  g_assert_cmpint (message->number, ==, last + 1);
  g_hash_table_insert (self->last, sender, GSIZE_TO_POINTER (message->number));
}

static void
recorder_handle_call (gpointer state, Message *request, From from)
{
  recorder_handle (state, request);
  gen_server_reply (from, (Message) { .number = request->number });
}

static void
recorder_finalize (gpointer state)
{
  Recorder *self = state;

  g_clear_pointer (&self->last, g_hash_table_unref);
}

static const GenServerClass recorder_class = {
  .name = "Recorder",
  .state_size = sizeof (Recorder),
  .is_short = recorder_is_short,
  .init = recorder_init,
  .handle_call = recorder_handle_call,
  .handle_cast = recorder_handle,
  .handle_info = recorder_handle,
  .finalize = recorder_finalize,
};

static void
send_numbers (gpointer data)
{
  Pid recorder = POINTER_TO_PID (data);
  gint64 count = test_scaled (4000);

  for (gint64 i = 1; i <= count; i++) {
    Message message = { .tag = NUMBER, .number = i };

    if (i == count || i % 32 == 0)
      test_call (recorder, message);
    else if (i % 2 == 0)
      process_send (recorder, message);
    else
      gen_server_cast (recorder, message);
  }
}

static gpointer
send_numbers_in_thread (gpointer data)
{
  send_numbers (data);
  return NULL;
}

/* Sent, cast and called, from threads and functions at the same time. */
static void
test_process_send_keeps_each_senders_order (void)
{
  Pid recorder = start (&recorder_class);
  GThread *threads[3];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++) {
    threads[i] = g_thread_new ("sender", send_numbers_in_thread,
                               PID_TO_POINTER (recorder));
    process_spawn_monitor (send_numbers, PID_TO_POINTER (recorder), NULL, NULL,
                           NULL);
  }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++) {
    g_thread_join (threads[i]);
    test_receive (PROCESS_DOWN);
  }
  g_assert_true (process_is_alive (recorder));
  kill_and_wait (recorder);
  test_end ();
}

static void
test_process_send_says_who_sent (void)
{
  process_send (process_self (), (Message) { .tag = PING, .sender = 7 });
  g_assert_cmpuint (test_receive (PING).sender, ==, process_self ());
  test_end ();
}

static void
test_process_send_carries_every_field (void)
{
  int data;
  Message message;

  process_send (process_self (), (Message) { .tag = NUMBER,
                                             .reason = REASON_SHUTDOWN,
                                             .pid = 1,
                                             .ref = 2,
                                             .number = -3,
                                             .data = &data });
  message = test_receive (NUMBER);
  g_assert_cmpuint (message.reason, ==, REASON_SHUTDOWN);
  g_assert_cmpuint (message.pid, ==, 1);
  g_assert_cmpuint (message.ref, ==, 2);
  g_assert_cmpint (message.number, ==, -3);
  g_assert_true (message.data == &data);
  test_end ();
}

/* DATA: freed once, whatever becomes of its message */

/* Keeps a cast's data, and leaves a call's alone. */

typedef struct {
  gpointer kept;
} Keeper;

static void
keeper_handle_call (gpointer state, Message *request, From from)
{
  gint *freed = request->data;

  (void) state;
  gen_server_reply (from, (Message) { .tag = PING });
  g_assert_cmpint (g_atomic_int_get (freed), ==, 0);
}

static void
keeper_handle_cast (gpointer state, Message *request)
{
  Keeper *self = state;

  self->kept = message_take_data (request);
  g_assert_nonnull (self->kept);
  g_assert_null (message_take_data (request));
}

static const GenServerClass keeper_class = {
  .name = "Keeper",
  .state_size = sizeof (Keeper),
  .handle_call = keeper_handle_call,
  .handle_cast = keeper_handle_cast,
};

/* Not before the handler has returned. */
static void
test_process_data_is_freed_after_the_handler (void)
{
  Pid keeper = start (&keeper_class);
  gint freed = 0, other = 0;

  test_call (keeper, (Message) { .data = &freed, .free_data = test_count });
  test_call (keeper, (Message) { .data = &other, .free_data = test_count });
  g_assert_cmpint (g_atomic_int_get (&freed), ==, 1);
  kill_and_wait (keeper);
  test_end ();
}

static void
test_process_data_taken_is_the_takers (void)
{
  Pid keeper = start (&keeper_class);
  gint freed = 0, other = 0;

  gen_server_cast (keeper,
                   (Message) { .data = &freed, .free_data = test_count });
  test_call (keeper, (Message) { .data = &other, .free_data = test_count });
  kill_and_wait (keeper);
  g_assert_cmpint (freed, ==, 0);
  test_end ();
}

/* A class without a handler ignores what that handler would have got. */
static void
check_unhandled_is_freed (const GenServerClass *klass)
{
  Pid pid = start (klass);
  gint freed = 0;
  Message message = { .tag = NUMBER, .data = &freed, .free_data = test_count };
  g_autoptr (GError) error = NULL;

  process_send (pid, message);
  gen_server_cast (pid, message);
  g_assert_false (gen_server_call (pid, message, 0, NULL, &error));
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_TIMEOUT);
  /* Stopped after what lies in its mailbox. */
  g_assert_true (
    gen_server_stop_sync (pid, REASON_NORMAL, test_limit (), NULL));
  g_assert_cmpint (g_atomic_int_get (&freed), ==, 3);
}

static void
test_process_data_unhandled_is_freed (void)
{
  static const GenServerClass long_class = { .name = "Nobody" };

  check_unhandled_is_freed (&nobody_class);
  check_unhandled_is_freed (&long_class);
  test_end ();
}

static void
test_process_data_in_a_dead_mailbox_is_freed (void)
{
  static Door door;
  Pid pid = start_standing (&door);
  gint freed = 0;
  Message message = { .tag = NUMBER, .data = &freed, .free_data = test_count };

  for (guint i = 0; i < 10; i++) {
    process_send (pid, message);
    gen_server_cast (pid, message);
  }
  kill_and_wait (pid);
  gate_open (&door.leave);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&freed), ==, 20);
  test_end ();
}

static void
test_process_data_received_is_the_receivers (void)
{
  gint freed = 0;
  Message message = { .tag = NUMBER, .data = &freed, .free_data = test_count };

  process_send (process_self (), message);
  message = test_receive (NUMBER);
  g_assert_cmpint (freed, ==, 0);
  message_clear (&message);
  g_assert_cmpint (freed, ==, 1);
  message_clear (&message);
  g_assert_cmpint (freed, ==, 1);

  message = (Message) { .tag = NUMBER,
                        .data = &freed,
                        .free_data = test_count };
  process_send (process_self (), message);
  message = test_receive (NUMBER);
  g_assert_true (message_take_data (&message) == &freed);
  message_clear (&message);
  g_assert_cmpint (freed, ==, 1);
  test_end ();
}

static void
stand_in_door (gpointer data)
{
  process_self ();
  door_stand (data);
}

static void
test_process_data_of_a_function_that_never_reads_is_freed (void)
{
  static Door door;
  gint freed = 0;
  Pid pid = process_spawn_monitor (stand_in_door, &door, NULL, NULL, NULL);

  process_send (pid, (Message) { .data = &freed, .free_data = test_count });
  gate_open (&door.leave);
  test_receive (PROCESS_DOWN);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&freed), ==, 1);
  test_end ();
}

/* FUNCTIONS */

static void
tell_pid (gpointer data)
{
  process_send (POINTER_TO_PID (data),
                (Message) { .tag = NUMBER, .pid = process_self () });
}

static void
test_process_function_is_a_process (void)
{
  Ref monitor;
  int cookie;
  Pid pid = process_spawn_monitor (tell_pid, PID_TO_POINTER (process_self ()),
                                   NULL, &cookie, &monitor);
  Message message = test_receive (NUMBER);

  g_assert_cmpuint (pid, !=, process_self ());
  g_assert_cmpuint (message.pid, ==, pid);
  g_assert_cmpuint (message.sender, ==, pid);
  message = test_receive (PROCESS_DOWN);
  g_assert_cmpuint (message.pid, ==, pid);
  g_assert_cmpuint (message.ref, ==, monitor);
  g_assert_true (message.data == &cookie);
  test_end ();
}

static void
return_at_once (gpointer data)
{
  (void) data;
}

/* Never `noproc`, however soon it ends. */
static void
test_process_function_that_returns_is_down_normal (void)
{
  for (guint i = 0; i < 1000; i++) {
    Pid pid = process_spawn_monitor (return_at_once, NULL, NULL, NULL, NULL);
    Message message = test_receive (PROCESS_DOWN);

    g_assert_cmpuint (message.pid, ==, pid);
    g_assert_cmpuint (message.reason, ==, REASON_NORMAL);
  }
  test_end ();
}

static void
exit_oneself (gpointer data)
{
  Reason *reason = data;

  process_exit (process_self (), *reason);
  g_assert_true (process_is_dying ());
}

static void
test_process_function_can_exit_itself (void)
{
  Reason crash = g_quark_from_static_string ("crash");

  process_spawn_monitor (exit_oneself, &crash, NULL, NULL, NULL);
  g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, crash);
  test_end ();
}

static void
test_process_function_killed_is_down_at_once (void)
{
  static Door door;
  Reason crash = g_quark_from_static_string ("crash");
  Pid pid = process_spawn_monitor (stand_in_door, &door, NULL, NULL, NULL);

  gate_wait (&door.entered);
  process_exit (pid, crash);
  g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, crash);
  gate_open (&door.leave);
  test_end ();
}

static gint n_runs;

static void
count_run (gpointer data)
{
  gint *freed = data;

  g_atomic_int_inc (&n_runs);
  g_assert_cmpint (g_atomic_int_get (freed), ==, 0);
}

/* Whether it was killed before it ran or ran before it was killed. */
static void
test_process_function_frees_its_data_once (void)
{
  guint count = test_scaled (1000);
  g_autofree gint *freed = g_new0 (gint, count);

  n_runs = 0;
  for (guint i = 0; i < count; i++) {
    Pid pid = process_spawn (count_run, &freed[i], test_count);

    if (i % 2 == 0)
      process_exit (pid, REASON_KILL);
    g_assert_true (process_wait_end (pid, test_limit ()));
  }
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  for (guint i = 0; i < count; i++)
    g_assert_cmpint (g_atomic_int_get (&freed[i]), ==, 1);
  g_assert_cmpint (n_runs, >=, (gint) count / 2);
  g_assert_cmpint (n_runs, <=, (gint) count);
  test_end ();
}

/* THREADS */

typedef struct {
  Door door;
  Pid  pid;
  gint freed;
} Stander;

static gpointer
stand_in_thread (gpointer data)
{
  Stander *self = data;

  self->pid = process_self ();
  g_assert_cmpuint (process_self (), ==, self->pid);
  door_stand (&self->door);
  return NULL;
}

static void
test_process_thread_that_ends_is_down_normal (void)
{
  static Stander stander;
  GThread *thread = g_thread_new ("stander", stand_in_thread, &stander);

  gate_wait (&stander.door.entered);
  g_assert_true (process_register ("Thread", stander.pid, NULL));
  process_monitor (stander.pid, NULL);
  process_send (stander.pid, (Message) { .tag = NUMBER,
                                         .data = &stander.freed,
                                         .free_data = test_count });
  gate_open (&stander.door.leave);
  g_thread_join (thread);

  g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, REASON_NORMAL);
  g_assert_false (process_is_alive (stander.pid));
  g_assert_cmpuint (process_whereis ("Thread"), ==, PID_NONE);
  g_assert_cmpint (stander.freed, ==, 1);
  test_end ();
}

static gpointer
return_self (gpointer data)
{
  Pid *pid = data;

  *pid = process_self ();
  return NULL;
}

static void
test_process_thread_has_a_pid_of_its_own (void)
{
  Pid first = PID_NONE, second = PID_NONE;

  g_thread_join (g_thread_new ("first", return_self, &first));
  g_thread_join (g_thread_new ("second", return_self, &second));
  g_assert_cmpuint (first, !=, PID_NONE);
  g_assert_cmpuint (first, !=, second);
  g_assert_cmpuint (first, !=, process_self ());
  g_assert_false (process_is_alive (first));
  test_end ();
}

static void
test_process_thread_killed_is_down_at_once (void)
{
  static Stander stander;
  GThread *thread = g_thread_new ("stander", stand_in_thread, &stander);

  gate_wait (&stander.door.entered);
  process_monitor (stander.pid, NULL);
  process_exit (stander.pid, REASON_KILL);
  g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, REASON_KILLED);
  gate_open (&stander.door.leave);
  g_thread_join (thread);
  test_end ();
}

/* RECEIVING */

static void
test_process_receive_is_in_order_of_arrival (void)
{
  for (gint64 i = 1; i <= 1000; i++)
    process_send (process_self (), (Message) { .tag = NUMBER, .number = i });
  for (gint64 i = 1; i <= 1000; i++)
    g_assert_cmpint (test_receive (NUMBER).number, ==, i);
  test_end ();
}

static void
test_process_receive_zero_does_not_wait (void)
{
  Message message = { 0 };

  g_assert_false (process_receive (&message, 0));
  process_send (process_self (), (Message) { .tag = PING });
  g_assert_true (process_receive (&message, 0));
  g_assert_cmpint (message.tag, ==, PING);
  test_end ();
}

static void
test_process_receive_waits_until_its_limit (void)
{
  Message message = { 0 };
  gint64 start = g_get_monotonic_time ();

  g_assert_false (process_receive (&message, 20));
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 20000);
  test_end ();
}

static void
ping_back (gpointer data)
{
  Message message = { 0 };

  process_send (POINTER_TO_PID (data), (Message) { .tag = PING });
  while (process_receive (&message, -1))
    process_send (message.sender, message);
}

/* Killed, it does not receive any more, and so it ends. */
static void
test_process_receive_for_ever_ends_when_killed (void)
{
  Pid pid = process_spawn_monitor (ping_back, PID_TO_POINTER (process_self ()),
                                   NULL, NULL, NULL);

  test_receive (PING);
  for (gint64 i = 1; i <= 1000; i++) {
    process_send (pid, (Message) { .tag = NUMBER, .number = i });
    g_assert_cmpint (test_receive (NUMBER).number, ==, i);
  }
  process_exit (pid, REASON_KILL);
  g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, REASON_KILLED);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  test_end ();
}

static void
receive_after_the_end (gpointer data)
{
  Message message = { 0 };

  process_send (process_self (), (Message) { .tag = PING });
  process_exit (process_self (), REASON_KILL);
  g_assert_false (process_receive (&message, -1));
  gate_open (data);
}

static void
test_process_receive_by_the_dead_is_refused (void)
{
  static Gate refused;

  process_spawn_monitor (receive_after_the_end, &refused, NULL, NULL, NULL);
  test_receive (PROCESS_DOWN);
  gate_wait (&refused);
  test_end ();
}

/* SLEEPING */

/* What comes meanwhile neither wakes it nor is lost. */
static void
test_process_sleep_waits (void)
{
  gint64 start_time = g_get_monotonic_time ();

  process_send_after (process_self (), (Message) { .tag = NUMBER }, 0);
  g_assert_true (process_sleep (20));
  g_assert_cmpint (g_get_monotonic_time () - start_time, >=, 20000);
  test_receive (NUMBER);
  test_end ();
}

static void
sleep_long (gpointer data)
{
  gate_open (data);
  g_assert_false (process_sleep (G_MAXINT));
  g_assert_false (process_sleep (G_MAXINT));
}

static void
test_process_sleep_ends_when_killed (void)
{
  static Gate begun;
  Pid pid = process_spawn (sleep_long, &begun, NULL);

  gate_wait (&begun);
  kill_and_wait (pid);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  test_end ();
}

/* TIMERS */

static void
test_process_timer_fires_once (void)
{
  gint freed = 0;
  gint64 start = g_get_monotonic_time ();
  Ref timer = process_send_after (process_self (),
                                  (Message) { .tag = NUMBER,
                                              .number = 7,
                                              .data = &freed,
                                              .free_data = test_count },
                                  20);
  Message message = test_receive (NUMBER);

  g_assert_cmpint (g_get_monotonic_time () - start, >=, 20000);
  g_assert_cmpuint (timer, !=, 0);
  g_assert_cmpuint (message.ref, ==, timer);
  g_assert_cmpint (message.number, ==, 7);
  message_clear (&message);
  g_assert_cmpint (freed, ==, 1);

  /* A second time would be before this one. */
  process_send_after (process_self (), (Message) { .tag = MARK }, 20);
  test_receive (MARK);
  test_end ();
}

static void
test_process_timer_same_delay_keeps_order (void)
{
  for (guint delay_ms = 0; delay_ms <= 1; delay_ms++) {
    for (gint64 i = 0; i < 100; i++)
      process_send_after (process_self (),
                          (Message) { .tag = NUMBER, .number = i }, delay_ms);
    for (gint64 i = 0; i < 100; i++)
      g_assert_cmpint (test_receive (NUMBER).number, ==, i);
  }
  test_end ();
}

/* When each was due is known between two bounds only, for time passes while
 * it is set: a pair whose bounds do not overlap must come in order. */
static void
test_process_timer_is_in_order_of_due_time (void)
{
  enum { COUNT = 200 };
  gint64 earliest[COUNT], latest[COUNT], reached = 0;

  for (guint i = 0; i < COUNT; i++) {
    guint delay_ms = g_test_rand_int_range (0, 50);

    earliest[i] = g_get_monotonic_time () + 1000 * (gint64) delay_ms;
    process_send_after (process_self (),
                        (Message) { .tag = NUMBER, .number = i }, delay_ms);
    latest[i] = g_get_monotonic_time () + 1000 * (gint64) delay_ms;
  }
  for (guint i = 0; i < COUNT; i++) {
    gint64 number = test_receive (NUMBER).number;

    g_assert_cmpint (latest[number], >=, reached);
    reached = MAX (reached, earliest[number]);
  }
  test_end ();
}

static void
test_process_timer_cancelled_never_comes (void)
{
  gint freed = 0;
  Ref timer = process_send_after (
    process_self (),
    (Message) { .tag = NUMBER, .data = &freed, .free_data = test_count }, 5);
  gboolean was_stopped = process_cancel_timer (timer);
  gboolean is_stopped_again = process_cancel_timer (timer);

  process_send_after (process_self (), (Message) { .tag = MARK }, 5);
  g_assert_true (was_stopped);
  g_assert_false (is_stopped_again);
  test_receive (MARK);
  g_assert_cmpint (freed, ==, 1);
  test_end ();
}

static void
open_when_told (gpointer data)
{
  Message message = { 0 };

  g_assert_true (process_receive (&message, -1));
  gate_open (data);
}

static void
test_process_timer_cancelled_in_the_mailbox_never_comes (void)
{
  static Gate fired;
  Pid later = process_spawn (open_when_told, &fired, NULL);
  gint freed = 0;
  Ref timer = process_send_after (
    process_self (),
    (Message) { .tag = NUMBER, .data = &freed, .free_data = test_count }, 0);

  /* What was due later has come, so ours lies in the mailbox. */
  process_send_after (later, (Message) { .tag = MARK }, 0);
  gate_wait (&fired);
  g_assert_true (process_cancel_timer (timer));
  g_assert_false (process_cancel_timer (timer));
  receive_mark ();
  g_assert_true (process_wait_end (later, test_limit ()));
  g_assert_cmpint (freed, ==, 1);
  test_end ();
}

static void
test_process_timer_fired_cannot_be_cancelled (void)
{
  Ref timer = process_send_after (process_self (), (Message) { .tag = NUMBER },
                                  0);

  test_receive (NUMBER);
  g_assert_false (process_cancel_timer (timer));
  test_end ();
}

/* Cancelled at the moment it fires: TRUE and never, or FALSE and once. */
static void
test_process_timer_is_cancelled_or_comes (void)
{
  guint count = test_scaled (5000);
  g_autofree gint *expected = g_new0 (gint, count);
  gint freed = 0;
  Message message = { 0 };

  for (guint i = 0; i < count; i++) {
    Ref timer = process_send_after (process_self (),
                                    (Message) { .tag = NUMBER,
                                                .number = i,
                                                .data = &freed,
                                                .free_data = test_count },
                                    0);

    test_spin (5 * (i % 16));
    expected[i] = process_cancel_timer (timer) ? 0 : 1;
  }
  process_send_after (process_self (), (Message) { .tag = MARK }, 0);
  while (process_receive (&message, test_limit ()) && message.tag == NUMBER) {
    expected[message.number]--;
    message_clear (&message);
  }
  g_assert_cmpint (message.tag, ==, MARK);
  for (guint i = 0; i < count; i++)
    g_assert_cmpint (expected[i], ==, 0);
  g_assert_cmpint (freed, ==, (gint) count);
  test_end ();
}

static void
test_process_timer_of_the_dead_is_freed (void)
{
  Pid pid = start (&nobody_class);
  gint freed = 0;

  process_send_after (
    pid, (Message) { .tag = NUMBER, .data = &freed, .free_data = test_count },
    5);
  kill_and_wait (pid);
  process_send_after (process_self (), (Message) { .tag = MARK }, 5);
  test_receive (MARK);
  g_assert_cmpint (g_atomic_int_get (&freed), ==, 1);
  test_end ();
}

/* WHO RUNS HERE */

static void
open_gate (GCancellable *cancellable, gpointer gate)
{
  (void) cancellable;
  gate_open (gate);
}

static void
wait_for_cancellable (gpointer data)
{
  Door *door = data;
  GCancellable *cancellable = process_cancellable ();

  g_assert_false (g_cancellable_is_cancelled (cancellable));
  g_assert_false (process_is_dying ());
  g_cancellable_connect (cancellable, G_CALLBACK (open_gate), &door->leave,
                         NULL);
  door_stand (door);
  g_assert_true (process_is_dying ());
}

static void
test_process_cancellable_is_cancelled_by_death (void)
{
  static Door door;
  Pid pid = process_spawn (wait_for_cancellable, &door, NULL);

  gate_wait (&door.entered);
  kill_and_wait (pid);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  test_end ();
}

static void
ask_cancellable_after_the_end (gpointer data)
{
  process_exit (process_self (), REASON_KILL);
  g_assert_true (g_cancellable_is_cancelled (process_cancellable ()));
  gate_open (data);
}

static void
test_process_cancellable_of_the_dead_is_cancelled (void)
{
  static Gate asked;
  Pid pid = process_spawn (ask_cancellable_after_the_end, &asked, NULL);

  gate_wait (&asked);
  g_assert_true (process_wait_end (pid, test_limit ()));
  test_end ();
}

/* Every callback of a server stores what process_self() is for it. */

static struct {
  Pid init, call, cast, info, terminate, finalize;
} self_in;

static gboolean
mirror_init (gpointer state, gconstpointer args, GError **error)
{
  (void) state;
  (void) args;
  (void) error;
  self_in.init = process_self ();
  return TRUE;
}

static void
mirror_handle_call (gpointer state, Message *request, From from)
{
  (void) state;
  (void) request;
  self_in.call = process_self ();
  gen_server_reply (from, (Message) { .tag = PING });
}

static void
mirror_handle_cast (gpointer state, Message *request)
{
  (void) state;
  (void) request;
  self_in.cast = process_self ();
}

static void
mirror_handle_info (gpointer state, Message *message)
{
  (void) state;
  (void) message;
  self_in.info = process_self ();
}

static void
mirror_terminate (gpointer state, Reason reason)
{
  (void) state;
  (void) reason;
  self_in.terminate = process_self ();
}

static void
mirror_finalize (gpointer state)
{
  (void) state;
  self_in.finalize = process_self ();
}

static const GenServerClass mirror_class = {
  .name = "Mirror",
  .init = mirror_init,
  .handle_call = mirror_handle_call,
  .handle_cast = mirror_handle_cast,
  .handle_info = mirror_handle_info,
  .terminate = mirror_terminate,
  .finalize = mirror_finalize,
};

static void
test_process_self_in_callbacks_is_the_server (void)
{
  Pid pid = start (&mirror_class);

  process_send (pid, (Message) { .tag = NUMBER });
  gen_server_cast (pid, (Message) { .tag = NUMBER });
  test_call (pid, (Message) { .tag = PING });
  g_assert_true (
    gen_server_stop_sync (pid, REASON_NORMAL, test_limit (), NULL));
  g_assert_cmpuint (self_in.init, ==, pid);
  g_assert_cmpuint (self_in.call, ==, pid);
  g_assert_cmpuint (self_in.cast, ==, pid);
  g_assert_cmpuint (self_in.info, ==, pid);
  g_assert_cmpuint (self_in.terminate, ==, pid);
  g_assert_cmpuint (self_in.finalize, ==, pid);
  test_end ();
}

/* WHO THERE IS */

static const ProcessInfo *
find (GArray *list, Pid pid)
{
  for (guint i = 0; i < list->len; i++)
    if (g_array_index (list, ProcessInfo, i).pid == pid)
      return &g_array_index (list, ProcessInfo, i);
  return NULL;
}

static gpointer
stand_in_task (gpointer data)
{
  door_stand (data);
  return NULL;
}

static void
test_process_list_says_what_each_is (void)
{
  static Door in_function, in_task;
  Pid server = start (&nobody_class);
  Pid function = process_spawn (stand_in_door, &in_function, NULL);
  g_autoptr (Task) task = task_async (stand_in_task, &in_task, NULL, NULL);
  Pid child = gen_server_start_link (&nobody_class, NULL, NULL, NULL);
  g_autoptr (GArray) list = process_list ();

  g_assert_cmpstr (find (list, process_self ())->kind, ==, "thread");
  g_assert_cmpstr (find (list, server)->kind, ==, "Nobody");
  g_assert_cmpstr (find (list, function)->kind, ==, "function");
  g_assert_cmpstr (find (list, task_get_pid (task))->kind, ==, "task");
  g_assert_cmpuint (find (list, server)->parent, ==, PID_NONE);
  g_assert_cmpuint (find (list, child)->parent, ==, process_self ());

  process_unlink (child);
  kill_and_wait (child);
  kill_and_wait (server);
  gate_open (&in_function.leave);
  gate_open (&in_task.leave);
  g_assert_true (process_wait_end (function, test_limit ()));
  g_assert_true (process_wait_end (task_get_pid (task), test_limit ()));
  test_end ();
}

/* Whatever their slots are: here the younger one's comes first. */
static void
test_process_list_is_in_order_of_birth (void)
{
  Pid first = start (&nobody_class), elder = start (&nobody_class);
  Pid younger = PID_NONE;
  g_autoptr (GArray) list = NULL;

  kill_and_wait (first);
  for (guint i = 0; i < 1 << 20; i++) {
    younger = start (&nobody_class);
    if (PID_SLOT (younger) < PID_SLOT (elder))
      break;
    kill_and_wait (younger);
  }
  list = process_list ();
  g_assert_cmpuint (list->len, ==, 3);
  g_assert_cmpuint (g_array_index (list, ProcessInfo, 0).pid, ==,
                    process_self ());
  g_assert_cmpuint (g_array_index (list, ProcessInfo, 1).pid, ==, elder);
  g_assert_cmpuint (g_array_index (list, ProcessInfo, 2).pid, ==, younger);
  g_assert_cmpuint (find (list, elder)->born, <, find (list, younger)->born);
  kill_and_wait (elder);
  kill_and_wait (younger);
  test_end ();
}

static void
test_process_list_says_what_each_does (void)
{
  static Door door;
  Pid idle = start (&nobody_class), busy = start_standing (&door);
  g_autoptr (GArray) alive = NULL, dying = NULL, gone = NULL;

  for (guint i = 0; i < 3; i++)
    gen_server_cast (busy, (Message) { .tag = PING });
  alive = process_list ();
  g_assert_cmpint (find (alive, idle)->state, ==, PROCESS_IDLE);
  g_assert_cmpuint (find (alive, idle)->n_messages, ==, 0);
  g_assert_cmpint (find (alive, busy)->state, ==, PROCESS_RUNNING);
  g_assert_cmpuint (find (alive, busy)->n_messages, ==, 3);

  kill_and_wait (idle);
  kill_and_wait (busy);
  dying = process_list ();
  g_assert_null (find (dying, idle));
  g_assert_cmpint (find (dying, busy)->state, ==, PROCESS_ZOMBIE);

  gate_open (&door.leave);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  gone = process_list ();
  g_assert_null (find (gone, busy));
  test_end ();
}

static void
wait_for_end (gpointer pid)
{
  process_wait_end (POINTER_TO_PID (pid), -1);
}

static gboolean
waits_on (Pid waiter, Pid pid)
{
  g_autoptr (GArray) list = process_list ();
  const ProcessInfo *info = find (list, waiter);

  return info != NULL && info->waits_on == pid;
}

/* Whoever looks in between must not take it for at rest. */
static void
test_process_list_has_none_wait_who_was_answered (void)
{
  Pid idle = start (&nobody_class);
  Pid waiter = process_spawn (wait_for_end, PID_TO_POINTER (idle), NULL);

  while (!waits_on (waiter, idle))
    process_sleep (1);
  process_exit (idle, REASON_KILL); /* which tells all on this thread */
  g_assert_false (waits_on (waiter, idle));
  g_assert_true (process_wait_end (waiter, test_limit ()));
  test_end ();
}

#define ADD(path, name) g_test_add_func ("/process/" path, test_process_##name)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("pid/is-never-reused", pid_is_never_reused);
  ADD ("pid/is-not-its-slot", pid_is_not_its_slot);
  ADD ("pid/none-is-safe", pid_none_is_safe);
  ADD ("pid/is-read-as-it-is-printed", pid_is_read_as_it_is_printed);
  ADD ("pid/is-read-from-nothing-else", pid_is_read_from_nothing_else);
  ADD ("pid/stale-is-safe", pid_stale_is_safe);
  ADD ("pid/made-up-is-safe", pid_made_up_is_safe);
  ADD ("ref/made-up-is-safe", ref_made_up_is_safe);
  ADD ("send/keeps-each-senders-order", send_keeps_each_senders_order);
  ADD ("send/says-who-sent", send_says_who_sent);
  ADD ("send/carries-every-field", send_carries_every_field);
  ADD ("data/is-freed-after-the-handler", data_is_freed_after_the_handler);
  ADD ("data/taken-is-the-takers", data_taken_is_the_takers);
  ADD ("data/unhandled-is-freed", data_unhandled_is_freed);
  ADD ("data/in-a-dead-mailbox-is-freed", data_in_a_dead_mailbox_is_freed);
  ADD ("data/received-is-the-receivers", data_received_is_the_receivers);
  ADD ("data/of-a-function-that-never-reads-is-freed",
       data_of_a_function_that_never_reads_is_freed);
  ADD ("function/is-a-process", function_is_a_process);
  ADD ("function/that-returns-is-down-normal",
       function_that_returns_is_down_normal);
  ADD ("function/can-exit-itself", function_can_exit_itself);
  ADD ("function/killed-is-down-at-once", function_killed_is_down_at_once);
  ADD ("function/frees-its-data-once", function_frees_its_data_once);
  ADD ("thread/that-ends-is-down-normal", thread_that_ends_is_down_normal);
  ADD ("thread/has-a-pid-of-its-own", thread_has_a_pid_of_its_own);
  ADD ("thread/killed-is-down-at-once", thread_killed_is_down_at_once);
  ADD ("receive/is-in-order-of-arrival", receive_is_in_order_of_arrival);
  ADD ("receive/zero-does-not-wait", receive_zero_does_not_wait);
  ADD ("receive/waits-until-its-limit", receive_waits_until_its_limit);
  ADD ("receive/for-ever-ends-when-killed", receive_for_ever_ends_when_killed);
  ADD ("receive/by-the-dead-is-refused", receive_by_the_dead_is_refused);
  ADD ("sleep/waits", sleep_waits);
  ADD ("sleep/ends-when-killed", sleep_ends_when_killed);
  ADD ("timer/fires-once", timer_fires_once);
  ADD ("timer/same-delay-keeps-order", timer_same_delay_keeps_order);
  ADD ("timer/is-in-order-of-due-time", timer_is_in_order_of_due_time);
  ADD ("timer/cancelled-never-comes", timer_cancelled_never_comes);
  ADD ("timer/cancelled-in-the-mailbox-never-comes",
       timer_cancelled_in_the_mailbox_never_comes);
  ADD ("timer/fired-cannot-be-cancelled", timer_fired_cannot_be_cancelled);
  ADD ("timer/is-cancelled-or-comes", timer_is_cancelled_or_comes);
  ADD ("timer/of-the-dead-is-freed", timer_of_the_dead_is_freed);
  ADD ("cancellable/is-cancelled-by-death", cancellable_is_cancelled_by_death);
  ADD ("cancellable/of-the-dead-is-cancelled",
       cancellable_of_the_dead_is_cancelled);
  ADD ("self/in-callbacks-is-the-server", self_in_callbacks_is_the_server);
  ADD ("list/says-what-each-is", list_says_what_each_is);
  ADD ("list/is-in-order-of-birth", list_is_in_order_of_birth);
  ADD ("list/says-what-each-does", list_says_what_each_does);
  ADD ("list/has-none-wait-who-was-answered",
       list_has_none_wait_who_was_answered);
  return g_test_run ();
}
