/* The trace: what a program writes with POOLY_TRACE=1.  Each test has this
 * program run once more, with it or without. */
#include "helper.h"
#include "supervisor.h"

typedef enum { ADD = 1, READ } CounterMessage;

static gint64 count;

static void
handle_call (gpointer state G_GNUC_UNUSED, Message *request, From from)
{
  gen_server_reply (from, (Message) { .tag = request->tag, .number = count });
}

static void
handle_cast (gpointer state G_GNUC_UNUSED, Message *request)
{
  count += request->number;
}

static const GenServerClass counter_class = { .name = "Counter",
                                              .handle_call = handle_call,
                                              .handle_cast = handle_cast,
                                              .messages = "ADD READ" };

/* Everything here is one process's doing, or waits for it: one order. */
static void
count_and_kill (void)
{
  Pid pid = gen_server_start (&counter_class, "tally", NULL, NULL);

  gen_server_cast (pid, (Message) { .tag = ADD, .number = 42 });
  g_assert_cmpint (test_call (pid, (Message) { .tag = READ }).number, ==, 42);
  test_call (pid, (Message) { .tag = 77 });
  test_wait_idle (pid);
  process_monitor (pid, NULL);
  process_exit (pid, REASON_KILL);
  test_receive (PROCESS_DOWN);
  test_end ();
}

/* Runs @test in a process of its own. */
static void
run (const char *test, const char *trace)
{
  g_setenv ("POOLY_TRACE", trace, TRUE);
  g_test_trap_subprocess (test, 0, 0);
  g_unsetenv ("POOLY_TRACE");
  g_test_trap_assert_passed ();
}

static void
test_trace_tells_what_happens (void)
{
  run ("/trace/subprocess/count-and-kill", "1");
  g_test_trap_assert_stderr ("*thread <0.1> * begin\n*");
  g_test_trap_assert_stderr ("*Counter <1.1> * register   tally\n*");
  g_test_trap_assert_stderr ("*thread <0.1> * cast       tally <1.1>: ADD 42\n"
                             "*tally <1.1> * handle     thread <0.1>: ADD 42\n"
                             "*tally <1.1> * handle     thread <0.1>: READ\n"
                             "*tally <1.1> * reply      thread <0.1>: READ 42\n"
                             "*");
  g_test_trap_assert_stderr ("*: tag 77\n*");
  g_test_trap_assert_stderr ("*thread <0.1> * monitor    tally <1.1>\n"
                             "*thread <0.1> * exit       tally <1.1>: kill\n"
                             "*tally <1.1> * end        killed\n"
                             "*tally <1.1> * unregister tally\n"
                             "*tally <1.1> * finalize\n"
                             "*tally <1.1> * DOWN       thread <0.1>: killed\n"
                             "*thread <0.1> * receive    tally <1.1>: DOWN "
                             "killed\n*");
}

static void
test_trace_is_silent_unless_asked (void)
{
  run ("/trace/subprocess/count-and-kill", "0");
  g_test_trap_assert_stderr ("");
}

static void
switch_on_and_off (void)
{
  Pid pid = gen_server_start (&counter_class, "tally", NULL, NULL);

  gen_server_trace (TRUE);
  gen_server_cast (pid, (Message) { .tag = ADD, .number = 42 });
  gen_server_trace (FALSE);
  gen_server_cast (pid, (Message) { .tag = ADD, .number = 43 });
  g_assert_cmpint (test_call (pid, (Message) { .tag = READ }).number, ==, 85);
  process_exit (pid, REASON_KILL);
  test_end ();
}

/* Who began before that has its name, and its words, all the same. */
static void
test_trace_is_switched_on_and_off (void)
{
  run ("/trace/subprocess/switch-on-and-off", "0");
  g_test_trap_assert_stderr (
    "*thread <0.1> * cast       tally <1.1>: ADD 42\n*");
  g_test_trap_assert_stderr_unmatched ("*begin*");
  g_test_trap_assert_stderr_unmatched ("*ADD 43*");
}

/* Whoever is watched must not do anything else for that. */
static void
test_trace_makes_no_process (void)
{
  run ("/trace/subprocess/count-and-kill", "1");
  g_test_trap_assert_stderr_unmatched ("*<2.1>*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/trace/subprocess/count-and-kill", count_and_kill);
  g_test_add_func ("/trace/subprocess/switch-on-and-off", switch_on_and_off);
  g_test_add_func ("/trace/tells-what-happens", test_trace_tells_what_happens);
  g_test_add_func ("/trace/is-silent-unless-asked",
                   test_trace_is_silent_unless_asked);
  g_test_add_func ("/trace/is-switched-on-and-off",
                   test_trace_is_switched_on_and_off);
  g_test_add_func ("/trace/makes-no-process", test_trace_makes_no_process);
  return g_test_run ();
}
