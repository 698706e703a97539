/* Corners: rules that were broken once, where two things met that seldom do. */
#include "helper.h"

enum {
  ANSWER = 1, /* at once; opens the gate that is `data`, if there is one */
  KEEP,       /* in the door that is `data`; somebody else answers */
  ASK,        /* has `pid` KEEP, with that `data` */
  ASK_BACK,   /* opens the gate that is `data`, then asks `pid` */
  DONE
};

static Reason crash;
static From kept;

static gboolean
is_short (gconstpointer state, const Message *message)
{
  (void) state;
  (void) message;
  return TRUE;
}

static void
handle_call (gpointer state, Message *request, From from)
{
  (void) state;
  switch (request->tag) {
  case ANSWER:
    if (request->data != NULL)
      gate_open (request->data);
    break;
  case KEEP:
    kept = from;
    door_stand (request->data);
    return;
  case ASK:
    test_call (request->pid, (Message) { .tag = KEEP, .data = request->data });
    break;
  case ASK_BACK:
    gate_open (request->data);
    test_call (request->pid, (Message) { .tag = ANSWER });
    break;
  default:
    g_assert_not_reached ();
  }
  gen_server_reply (from, (Message) { .tag = DONE });
}

static const GenServerClass short_class = { .name = "Short",
                                            .is_short = is_short,
                                            .handle_call = handle_call };

static Pid
start (void)
{
  g_autoptr (GError) error = NULL;
  Pid pid = gen_server_start (&short_class, NULL, NULL, &error);

  g_assert_no_error (error);
  return pid;
}

static void
kill_and_wait (Pid pid)
{
  process_exit (pid, REASON_KILL);
  g_assert_true (process_wait_end (pid, test_limit ()));
}

/* SLOTS AND NUMBERS */

static void
use_every_slot (void)
{
  Pid first = start (), pid;

  kill_and_wait (first);
  do {
    pid = start ();
    kill_and_wait (pid);
  } while (PID_SLOT (pid) != PID_SLOT (first));
}

static void
wait_at_gate (gpointer data)
{
  gate_wait ((Gate *) data);
}

/* Nobody lends a thread to a function because its slot was a short server's. */
static void
test_corners_slot_does_not_remember (void)
{
  static Gate gate;
  /* More than there are threads: the last ones stand in line. */
  guint count = 4 * g_get_num_processors () + 20;
  g_autofree Pid *pids = g_new (Pid, count);
  g_autoptr (GError) error = NULL;
  gint freed = 0;
  Message message = { .tag = ANSWER, .data = &freed, .free_data = test_count };

  use_every_slot ();
  for (guint i = 0; i < count; i++)
    pids[i] = process_spawn (wait_at_gate, &gate, NULL);
  gen_server_cast (pids[count - 1], message);
  g_assert_false (gen_server_call (pids[count - 1], message, 0, NULL, &error));
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_TIMEOUT);
  gate_open (&gate);
  for (guint i = 0; i < count; i++)
    g_assert_true (process_wait_end (pids[i], test_limit ()));
  test_end ();
  g_assert_cmpint (g_atomic_int_get (&freed), ==, 2);
}

/* A ref is never a number that a pid could be, as both are keys of one table:
 * its top bit is set, and no PID_GENERATION ever gets there. */
static void
test_corners_ref_is_no_pid (void)
{
  Pid pid = start ();
  Ref monitor = process_monitor (pid, NULL);
  Ref timer = process_send_after (pid, (Message) { 0 }, 1000000);

  g_assert_cmpuint (monitor >> 63, ==, 1);
  g_assert_cmpuint (timer >> 63, ==, 1);
  g_assert_cmpuint (pid >> 63, ==, 0);
  g_assert_cmpuint (process_self () >> 63, ==, 0);
  g_assert_true (process_demonitor (monitor));
  g_assert_true (process_cancel_timer (timer));
  kill_and_wait (pid);
  test_end ();
}

/* LENT THREADS */

/* Who is lent a thread from inside a handler does not handle others' messages
 * there, even when its own is not answered yet. */
static void
test_corners_only_its_own_message (void)
{
  static Door door;
  static Gate asks_back;
  Pid below = start (), above = start ();
  g_autoptr (Caller) caller = NULL, other = NULL;

  caller = caller_start (below,
                         (Message) { .tag = ASK, .pid = above, .data = &door },
                         -1);
  gate_wait (&door.entered);
  other = caller_start (
    above, (Message) { .tag = ASK_BACK, .pid = below, .data = &asks_back }, -1);
  test_wait_messages (above, 1);
  gate_open (&door.leave);
  gate_wait (&asks_back);
  g_assert_true (gen_server_reply (kept, (Message) { .tag = DONE }));
  caller_wait (caller);
  caller_wait (other);
  g_assert_no_error (caller->error);
  g_assert_no_error (other->error);
  kill_and_wait (below);
  kill_and_wait (above);
  test_end ();
}

/* ENDS */

static guint
count_messages (Pid pid)
{
  g_autoptr (GArray) list = process_list ();

  for (guint i = 0; i < list->len; i++)
    if (g_array_index (list, ProcessInfo, i).pid == pid)
      return g_array_index (list, ProcessInfo, i).n_messages;
  g_assert_not_reached ();
}

static gpointer
kill_it (gpointer data)
{
  process_exit (POINTER_TO_PID (data), REASON_KILL);
  return NULL;
}

static void
check_wait_end_is_last (guint n_monitors)
{
  Pid pid = start ();
  GThread *killer;

  for (guint i = 0; i < n_monitors; i++)
    process_monitor (pid, NULL);
  killer = g_thread_new ("killer", kill_it, PID_TO_POINTER (pid));
  test_receive (PROCESS_DOWN);
  g_assert_true (process_wait_end (pid, test_limit ()));
  g_assert_cmpuint (count_messages (process_self ()), ==, n_monitors - 1);
  g_thread_join (killer);
  for (guint i = 1; i < n_monitors; i++)
    test_receive (PROCESS_DOWN);
}

/* process_wait_end() returns when all who watch have been told, also to one who
 * begins to wait in the middle of that. */
static void
test_corners_wait_end_is_last (void)
{
  for (guint i = 0; i < 5; i++)
    check_wait_end_is_last (test_scaled (20000));
  test_end ();
}

/* STARTS */

static void
start_and_kill (gpointer data)
{
  (void) data;
  process_trap_exits (TRUE);
  while (!process_is_dying ()) {
    Pid pid = gen_server_start_link (&short_class, "child", NULL, NULL);

    process_exit (pid, REASON_KILL);
    process_wait_end (pid, -1);
  }
}

static void
open_gate (gpointer data)
{
  gate_open (data);
}

/* A starter that is killed, at whatever moment, leaves no server behind. */
static void
test_corners_killed_starter_leaves_nobody (void)
{
  static Gate is_over;

  for (guint i = test_scaled (1000); i > 0; i--) {
    Pid pid;

    gate_reset (&is_over);
    pid = process_spawn (start_and_kill, &is_over, open_gate);
    test_spin (20 + i % 50);
    kill_and_wait (pid);
    gate_wait (&is_over);
    g_assert_cmpuint (process_whereis ("child"), ==, PID_NONE);
  }
  test_end ();
}

static gboolean
unwilling_init (gpointer state, gconstpointer args, GError **error)
{
  (void) state;
  (void) args;
  (void) error;
  gen_server_stop (crash);
  return TRUE;
}

static gint n_finalized;

static void
unwilling_finalize (gpointer state)
{
  (void) state;
  g_atomic_int_inc (&n_finalized);
}

#define UNWILLING \
  .name = "Unwilling", .init = unwilling_init, .finalize = unwilling_finalize

static const GenServerClass unwilling_class = { UNWILLING };
static const GenServerClass short_unwilling_class = { UNWILLING,
                                                      .is_short = is_short };

static void
check_start_fails (const GenServerClass *klass)
{
  g_autoptr (GError) error = NULL;

  n_finalized = 0;
  g_assert_cmpuint (gen_server_start_link (klass, "child", NULL, &error), ==,
                    PID_NONE);
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_INIT);
  g_assert_cmpint (g_atomic_int_get (&n_finalized), ==, 1);
  g_assert_cmpuint (process_whereis ("child"), ==, PID_NONE);
}

/* A server that stops itself in init has not been started, and leaves no EXIT
 * behind. */
static void
test_corners_stop_in_init_is_no_start (void)
{
  process_trap_exits (TRUE);
  check_start_fails (&unwilling_class);
  check_start_fails (&short_unwilling_class);
  test_end ();
  process_trap_exits (FALSE);
}

/* EXITS */

/* An exit without a reason is a mistake, and has no effect. */
static void
test_corners_exit_needs_a_reason (void)
{
  static Gate heard;
  Pid pid = start ();
  g_autoptr (Caller) caller = NULL;

  g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL,
                         "*process_exit*reason != 0*");
  process_exit (pid, 0);
  g_test_assert_expected_messages ();
  caller = caller_start (pid, (Message) { .tag = ANSWER, .data = &heard }, -1);
  gate_wait (&heard);
  caller_wait (caller);
  g_assert_no_error (caller->error);
  kill_and_wait (pid);
  test_end ();
}

#define CORNERS(path, name) \
  g_test_add_func ("/corners/" path, test_corners_##name)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  crash = g_quark_from_static_string ("crash");

  CORNERS ("slot-does-not-remember", slot_does_not_remember);
  CORNERS ("ref-is-no-pid", ref_is_no_pid);
  CORNERS ("only-its-own-message", only_its_own_message);
  CORNERS ("wait-end-is-last", wait_end_is_last);
  CORNERS ("killed-starter-leaves-nobody", killed_starter_leaves_nobody);
  CORNERS ("stop-in-init-is-no-start", stop_in_init_is_no_start);
  CORNERS ("exit-needs-a-reason", exit_needs_a_reason);
  return g_test_run ();
}
