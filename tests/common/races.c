/* Races that were lost once, here or elsewhere: each test is the shortest way to
 * meet one.  tests/bugs/ has the bugs, to be put back; `make bug N=1` shows what
 * happens then. */
#include "gen_server.h"
#include "helper.h"
#include "simulation.h"
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

static void
send_words (gpointer receiver)
{
  process_send (POINTER_TO_PID (receiver), (Message) { .tag = 1 });
  gen_server_cast (POINTER_TO_PID (receiver), (Message) { .tag = 1 });
  gen_server_call (POINTER_TO_PID (receiver), (Message) { .tag = 1 }, 1, NULL,
                   NULL);
}

/* Its handler may run on, but what it sends from now on is dropped. */
static void
test_the_dead_are_silent (void)
{
  Pid pid = process_spawn (send_words, PID_TO_POINTER (process_self ()), NULL);
  Message message;

  trace_name (pid, "sender");
  process_exit (pid, REASON_KILL);
  g_assert_true (process_wait_end (pid, -1));
  while (process_receive (&message, 0))
    continue;
  g_assert_cmpuint (process_wait_gone (-1, NULL), ==, 0);
  g_assert_false (process_receive (&message, 0));
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
  ADD ("the-dead-are-silent", the_dead_are_silent);
  ADD ("limit-is-the-caller-s", limit_is_the_caller_s);
  return test_run ();
}
