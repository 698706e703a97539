/* Races that were lost once, here or elsewhere: each test is the shortest way to
 * meet one.  tests/bugs/ has the bugs, to be put back; `make bug N=1` shows what
 * happens then. */
#include "gen_server.h"
#include "helper.h"
#include "simulation.h"
#include "supervisor.h"
#include "task.h"
#include "trace.h"

/* Names are for the trace: it is what there is to see. */
static Pid
spawn (const char *name, ProcessFunc func)
{
  Pid pid = process_spawn (func, NULL, NULL);

  trace_name (pid, name);
  return pid;
}

/* Before, while or after the test does something with it. */
static void
end_at_once (gpointer data G_GNUC_UNUSED)
{
}

static void
wait_for_message (gpointer data G_GNUC_UNUSED)
{
  g_auto (Message) message = { 0 };

  process_receive (&message, -1);
}

/* The DOWN may be nowhere yet, or on its way, or in the mailbox. */
static void
test_demonitor_flushes (void)
{
  Pid pid = spawn ("brief", end_at_once);
  Ref monitor = process_monitor (pid, NULL);
  Message message;

  process_demonitor (monitor);
  g_assert_true (process_wait_end (pid, -1));
  g_assert_false (process_receive (&message, 0));
  test_end ();
}

static void
test_name_is_free_before_signals (void)
{
  Pid first = spawn ("first", wait_for_message);
  Pid second = spawn ("second", wait_for_message);
  g_autoptr (GError) error = NULL;

  process_register ("chief", first, &error);
  g_assert_no_error (error);
  process_monitor (first, NULL);
  process_exit (first, REASON_SHUTDOWN);
  test_receive (PROCESS_DOWN);
  process_register ("chief", second, &error);
  g_assert_no_error (error);
  process_exit (second, REASON_SHUTDOWN);
  test_end ();
}

enum { ASK = 1, ANSWER };

typedef struct {
  gboolean is_taken; /* what gen_server_reply() has said */
  gint     n_freed;  /* how often the answer's data was freed */
} Answer;

static void
handle_call (gpointer state G_GNUC_UNUSED, Message *request, From from)
{
  Answer *answer = request->data;
  Message reply = { .tag = ANSWER,
                    .data = &answer->n_freed,
                    .free_data = test_count };

  answer->is_taken = gen_server_reply (from, reply);
}

static const GenServerClass server_class = { .name = "server",
                                             .handle_call = handle_call,
                                             .messages = "ASK ANSWER" };

static void
test_reply_or_time_limit (void)
{
  Pid server = gen_server_start (&server_class, NULL, NULL, NULL);
  Answer answer = { 0 };
  Message request = { .tag = ASK, .data = &answer }, reply;
  gboolean is_answered;

  is_answered = gen_server_call (server, request, 1, &reply, NULL);
  message_clear (&reply);
  g_assert_true (gen_server_stop_sync (server, REASON_SHUTDOWN, -1, NULL));
  g_assert_cmpint (answer.is_taken, ==, is_answered);
  g_assert_cmpint (answer.n_freed, ==, 1);
  test_end ();
}

static void
test_link_to_the_dying (void)
{
  Pid pid = spawn ("brief", end_at_once);
  Message message;

  process_trap_exits (TRUE);
  process_link (pid);
  message = test_receive (PROCESS_EXIT);
  g_assert_cmpuint (message.pid, ==, pid);
  test_end ();
}

/* A name may be known before init is over: what is sent to it waits until then,
 * in order, and is freed if that never comes. */
#define N_EARLY 3

typedef struct {
  gboolean is_ready;
  gint64   last;
} Slow;

static gboolean
init_slowly (gpointer state, gconstpointer args G_GNUC_UNUSED, GError **error)
{
  gboolean is_registered = process_register ("slow", process_self (), error);

  process_sleep (1);
  ((Slow *) state)->is_ready = TRUE;
  return is_registered;
}

static void
handle_early (gpointer state, Message *message)
{
  Slow *self = state;

  g_assert_true (self->is_ready);
  g_assert_cmpint (message->number, >, self->last);
  self->last = message->number;
}

static const GenServerClass slow_class = { .name = "slow",
                                           .state_size = sizeof (Slow),
                                           .init = init_slowly,
                                           .handle_cast = handle_early,
                                           .messages = "EARLY" };

static void
send_early (gpointer n_freed)
{
  for (gint64 i = 1; i <= N_EARLY; i++)
    gen_server_cast (process_whereis ("slow"),
                     (Message) { .tag = 1,
                                 .number = i,
                                 .data = n_freed,
                                 .free_data = test_count });
}

static void
kill_slow (gpointer data G_GNUC_UNUSED)
{
  process_exit (process_whereis ("slow"), REASON_KILL);
}

static void
test_early_mail_waits (void)
{
  gint n_freed = 0;
  Pid sender = process_spawn (send_early, &n_freed, NULL);
  Pid killer = test_random (2) == 0 ? spawn ("killer", kill_slow) : PID_NONE;
  Pid server = gen_server_start (&slow_class, NULL, NULL, NULL);

  process_wait_end (sender, -1);
  process_wait_end (killer, -1);
  gen_server_stop_sync (server, REASON_SHUTDOWN, -1, NULL);
  test_end ();
  g_assert_cmpint (n_freed, ==, N_EARLY);
}

/* It may be killed before it begins: then nobody handles what waits for that. */
static void
test_early_mail_is_freed (void)
{
  gint n_freed = 0;
  Pid pid = spawn ("brief", end_at_once);

  process_send (pid, (Message) {
                       .tag = 1, .data = &n_freed, .free_data = test_count });
  process_exit (pid, REASON_KILL);
  process_wait_end (pid, -1);
  test_end ();
  g_assert_cmpint (n_freed, ==, 1);
}

enum { POKE = 1, PEEK };

static Pid asked;
static gint n_failed; /* atomic */

static gboolean
is_short (gconstpointer state G_GNUC_UNUSED,
          const Message *message G_GNUC_UNUSED)
{
  return TRUE;
}

static void
handle_poke (gpointer state G_GNUC_UNUSED, Message *message G_GNUC_UNUSED)
{
  if (!gen_server_call (asked, (Message) { .tag = PEEK }, -1, NULL, NULL))
    g_atomic_int_inc (&n_failed);
}

static void
handle_peek (gpointer state G_GNUC_UNUSED, Message *request G_GNUC_UNUSED,
             From from)
{
  gen_server_reply (from, (Message) { .tag = PEEK });
}

static const GenServerClass poked_class = { .name = "poked",
                                            .is_short = is_short,
                                            .handle_call = handle_peek,
                                            .handle_info = handle_poke,
                                            .messages = "POKE PEEK" };

/* Whoever calls with a limit may have to handle what somebody else has sent:
 * that has no limit. */
static void
test_limit_is_the_caller_s (void)
{
  Pid poked = gen_server_start (&poked_class, NULL, NULL, NULL);

  asked = gen_server_start (&poked_class, NULL, NULL, NULL);
  process_send (poked, (Message) { .tag = POKE });
  gen_server_call (poked, (Message) { .tag = PEEK }, 1, NULL, NULL);
  g_assert_true (gen_server_stop_sync (poked, REASON_NORMAL, -1, NULL));
  g_assert_true (gen_server_stop_sync (asked, REASON_NORMAL, -1, NULL));
  g_assert_cmpint (n_failed, ==, 0);
  test_end ();
}

static gpointer
think (gpointer n_freed)
{
  process_sleep (1);
  return n_freed;
}

/* It ends in its own time, or is killed; who awaits it may lose patience. */
static void
test_task_is_awaited (void)
{
  gint n_freed = 0;
  g_autoptr (GError) error = NULL;
  Task *task = task_async (think, &n_freed, NULL, test_count);
  gpointer result = NULL;

  if (test_random (2) == 0)
    process_exit (task_get_pid (task), REASON_KILL);
  while (!task_await (task, 1, &result, &error)
         && g_error_matches (error, TASK_ERROR, TASK_ERROR_TIMEOUT))
    g_clear_error (&error);
  g_assert_true (result == &n_freed || error != NULL);
  task_free (task);
  g_assert_cmpuint (process_wait_gone (-1, NULL), ==, 0);
  g_assert_cmpint (n_freed, <=, result == NULL);
  test_end ();
}

/* Whoever is killed next comes as far as chance will have it. */
static void
let_go_on (void)
{
  for (guint i = test_random (30); i > 0; i--)
    process_whereis ("nobody");
}

static void
send_words (gpointer receiver)
{
  process_send (POINTER_TO_PID (receiver), (Message) { .tag = 1 });
  gen_server_cast (POINTER_TO_PID (receiver), (Message) { .tag = 1 });
  process_exit (POINTER_TO_PID (receiver), REASON_SHUTDOWN);
  gen_server_call (POINTER_TO_PID (receiver), (Message) { .tag = 1 }, 1, NULL,
                   NULL);
}

/* Its handler may run on, but what it sends from now on is dropped. */
static void
test_the_dead_are_silent (void)
{
  Message message;
  Pid pid;

  process_trap_exits (TRUE);
  pid = process_spawn (send_words, PID_TO_POINTER (process_self ()), NULL);
  trace_name (pid, "sender");
  let_go_on ();
  process_exit (pid, REASON_KILL);
  g_assert_true (process_wait_end (pid, -1));
  while (process_receive (&message, 0))
    continue;
  g_assert_cmpuint (process_wait_gone (-1, NULL), ==, 0);
  g_assert_false (process_receive (&message, 0));
  process_trap_exits (FALSE);
  test_end ();
}

static void
come_and_go (gpointer data G_GNUC_UNUSED)
{
  process_register ("chief", process_self (), NULL);
  process_unregister ("chief");
}

/* Somebody else may have the name by now. */
static void
test_the_dead_give_no_name_away (void)
{
  Pid first = spawn ("first", come_and_go);
  Pid second = spawn ("second", wait_for_message);
  g_autoptr (GError) error = NULL;

  let_go_on ();
  process_exit (first, REASON_KILL);
  g_assert_true (process_wait_end (first, -1));
  process_register ("chief", second, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (process_wait_gone (-1, NULL), ==, 0);
  g_assert_cmpuint (process_whereis ("chief"), ==, second);
  process_exit (second, REASON_KILL);
  g_assert_true (process_wait_end (second, -1));
  test_end ();
}

static gpointer
count_task (gpointer counter)
{
  test_count (counter);
  return NULL;
}

static void
start_others_late (gpointer counter)
{
  Message message;

  process_receive (&message, -1);
  process_spawn (test_count, counter, NULL);
  process_spawn_monitor (test_count, counter, NULL, NULL, NULL);
  task_free (task_async (count_task, counter, NULL, NULL));
}

static void
test_the_dead_start_nobody (void)
{
  gint n_started = 0;
  Pid pid = process_spawn (start_others_late, &n_started, NULL);

  process_exit (pid, REASON_KILL);
  g_assert_true (process_wait_end (pid, -1));
  g_assert_cmpuint (process_wait_gone (-1, NULL), ==, 0);
  g_assert_cmpint (n_started, ==, 0);
  test_end ();
}

static gpointer
wait_long (gpointer data G_GNUC_UNUSED)
{
  wait_for_message (NULL);
  return NULL;
}

static void
await_again_and_again (gpointer data)
{
  Task *task = data;
  g_autoptr (GError) error = NULL;

  while (!task_await (task, 1, NULL, &error)
         && g_error_matches (error, TASK_ERROR, TASK_ERROR_TIMEOUT))
    g_clear_error (&error);
}

/* Whoever was told to die does not go on for as long as the task does. */
static void
test_the_dead_await_nobody (void)
{
  Task *task = task_async (wait_long, NULL, NULL, NULL);
  Pid pid = process_spawn (await_again_and_again, task, NULL);

  process_exit (pid, REASON_KILL);
  g_assert_true (process_wait_end (pid, -1));
  g_assert_cmpuint (process_wait_gone (100, NULL), ==, 0);
  process_exit (task_get_pid (task), REASON_KILL);
  g_assert_true (process_wait_end (task_get_pid (task), -1));
  g_assert_cmpuint (process_wait_gone (-1, NULL), ==, 0);
  task_free (task);
  test_end ();
}

/* WHO STOPS ONE THAT IS AT WORK */

enum { CRASH = 1, WORK, GO };

static gboolean
init_trapping (gpointer state G_GNUC_UNUSED, gconstpointer args G_GNUC_UNUSED,
               GError **error G_GNUC_UNUSED)
{
  process_trap_exits (TRUE);
  return TRUE;
}

static gboolean
is_no_work (gconstpointer state G_GNUC_UNUSED, const Message *message)
{
  return message->tag != WORK;
}

static void
crash (gpointer state G_GNUC_UNUSED, Message *request G_GNUC_UNUSED, From from)
{
  gen_server_reply (from, (Message) { 0 });
  gen_server_stop (g_quark_from_static_string ("crash"));
}

static void
work (gpointer state G_GNUC_UNUSED, Message *request)
{
  gen_server_call (request->pid, (Message) { .tag = WORK }, -1, NULL, NULL);
}

static const GenServerClass brief_class = { .name = "brief",
                                            .is_short = is_no_work,
                                            .handle_call = crash };
static const GenServerClass busy_class = { .name = "busy",
                                           .is_short = is_no_work,
                                           .init = init_trapping,
                                           .handle_cast = work };

/* Lets the work be done when it is told to, and somebody is at work. */
static void
keep_gate (gpointer data G_GNUC_UNUSED)
{
  From from = { 0 };
  Message message;

  for (int i = 0; i < 2; i++)
    if (process_receive (&message, -1) && message.tag == WORK)
      from = (From) { .pid = message.sender, .ref = message.ref };
  gen_server_reply (from, (Message) { 0 });
}

static Pid
get_child (Pid supervisor, guint number)
{
  g_autoptr (GArray) children = supervisor_which_children (supervisor, NULL);

  return g_array_index (children, ChildInfo, number).pid;
}

/* Both classes are short.  But the supervisor waits for the second one, and no
 * thread that was lent to the first must wait with it. */
static void
test_limit_holds_while_a_sibling_is_stopped (void)
{
  ChildSpec children[] = {
    { .id = "brief", .klass = &brief_class },
    { .id = "busy", .klass = &busy_class, .shutdown_ms = SHUTDOWN_INFINITY }
  };
  SupervisorSpec spec = { .strategy = STRATEGY_ONE_FOR_ALL,
                          .children = children,
                          .n_children = G_N_ELEMENTS (children) };
  Pid supervisor = supervisor_start (&spec, NULL);
  Pid gate = spawn ("gate", keep_gate);

  gen_server_cast (get_child (supervisor, 1),
                   (Message) { .tag = WORK, .pid = gate });
  process_sleep (1);
  gen_server_call (get_child (supervisor, 0), (Message) { .tag = CRASH }, 10,
                   NULL, NULL);
  process_send (gate, (Message) { .tag = GO });
  g_assert_true (process_wait_end (gate, -1));
  supervisor_stop (supervisor, -1);
  test_end ();
}

#define ADD(path, name) test_add_simulated ("/races/" path, test_##name)

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);

  ADD ("demonitor-flushes", demonitor_flushes);
  ADD ("name-is-free-before-signals", name_is_free_before_signals);
  ADD ("reply-or-time-limit", reply_or_time_limit);
  ADD ("link-to-the-dying", link_to_the_dying);
  ADD ("early-mail-waits", early_mail_waits);
  ADD ("early-mail-is-freed", early_mail_is_freed);
  ADD ("task-is-awaited", task_is_awaited);
  ADD ("the-dead-are-silent", the_dead_are_silent);
  ADD ("the-dead-give-no-name-away", the_dead_give_no_name_away);
  ADD ("the-dead-start-nobody", the_dead_start_nobody);
  ADD ("the-dead-await-nobody", the_dead_await_nobody);
  ADD ("limit-holds-while-a-sibling-is-stopped",
       limit_holds_while_a_sibling_is_stopped);
  ADD ("limit-is-the-caller-s", limit_is_the_caller_s);
  return test_run ();
}
