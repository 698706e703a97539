/* Checks the simulation itself: what it promises, and that it finds fault.
 *
 * Each test runs this program again, with a seed, as one that simulates; and
 * looks at what that says.
 */
#include "helper.h"
#include "simulation.h"
#include "supervisor.h"

#include <gio/gio.h>

typedef enum { ASK = 1, ASK_BACK, DOZE, DONE } CheckMessage;

static void
handle_call (gpointer state G_GNUC_UNUSED, Message *request, From from)
{
  if (request->tag == ASK_BACK)
    gen_server_call (request->pid,
                     (Message) { .tag = ASK_BACK, .pid = process_self () }, -1,
                     NULL, NULL);
  else if (request->tag == DOZE)
    process_sleep ((guint) request->number);
  gen_server_reply (from, (Message) { .tag = DONE });
}

static gboolean
is_short (gconstpointer state G_GNUC_UNUSED, const Message *message)
{
  return message->tag == ASK || message->tag == ASK_BACK;
}

static const GenServerClass check_class = {
  .name = "Check",
  .is_short = is_short,
  .handle_call = handle_call,
  .messages = "ASK ASK_BACK DOZE DONE"
};

static Pid
start_server (const char *name)
{
  return gen_server_start (&check_class, name, NULL, NULL);
}

/* What is simulated */

static void
ask (gpointer server)
{
  test_call (POINTER_TO_PID (server), (Message) { .tag = ASK });
}

/* Whether the first is asked before the second is chance. */
static void
simulate_order (void)
{
  Pid server = start_server (NULL);
  Pid one = process_spawn (ask, PID_TO_POINTER (server), NULL);
  Pid other = process_spawn (ask, PID_TO_POINTER (server), NULL);

  process_wait_end (one, -1);
  process_wait_end (other, -1);
  gen_server_stop_sync (server, REASON_NORMAL, -1, NULL);
  test_end ();
}

static void
simulate_circle (void)
{
  Pid one = start_server ("One"), other = start_server ("Other");

  test_call (one, (Message) { .tag = ASK_BACK, .pid = other });
}

static void
simulate_silence (void)
{
  Message message;

  process_receive (&message, -1);
}

static gpointer
ask_from_a_thread (gpointer data G_GNUC_UNUSED)
{
  process_is_alive (process_self ());
  return NULL;
}

static void
simulate_plain_thread (void)
{
  process_self ();
  g_thread_join (g_thread_new ("plain", ask_from_a_thread, NULL));
}

/* An hour, and nobody waits for it. */
static void
simulate_hour (void)
{
  Pid server = start_server (NULL);

  test_call (server, (Message) { .tag = DOZE, .number = 3600 * 1000 });
  gen_server_stop_sync (server, REASON_NORMAL, -1, NULL);
  test_end ();
}

/* Fails where the limit strikes although the answer was on its way. */
static void
simulate_limit (void)
{
  g_autoptr (GError) error = NULL;
  Pid server = start_server (NULL);

  gen_server_call (server, (Message) { .tag = ASK }, 1000, NULL, &error);
  gen_server_stop_sync (server, REASON_NORMAL, -1, NULL);
  test_end ();
  g_assert_no_error (error);
}

/* Who looks but never waits. */
static void
simulate_loop (void)
{
  for (;;)
    process_is_alive (process_self ());
}

/* What that must look like */

/* Returns: (transfer full): what this program says when it simulates @test */
static char *
simulate (const char *test, const char *variable, const char *value,
          gboolean must_pass)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
    G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (GSubprocess) subprocess = NULL;
  g_autoptr (GError) error = NULL;
  char *output = NULL;

  g_subprocess_launcher_unsetenv (launcher, "SEEDS");
  g_subprocess_launcher_setenv (launcher, "TEST", test, TRUE);
  g_subprocess_launcher_setenv (launcher, variable, value, TRUE);
  subprocess = g_subprocess_launcher_spawn (launcher, &error, program,
                                            "simulate", NULL);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (subprocess, NULL, NULL, &output, NULL, &error);
  g_assert_no_error (error);
  if (g_subprocess_get_successful (subprocess) != must_pass)
    g_test_message ("%s", output);
  g_assert_cmpint (g_subprocess_get_successful (subprocess), ==, must_pass);
  return output;
}

static void
assert_says (const char *output, const char *pattern)
{
  if (!g_pattern_match_simple (pattern, output))
    g_test_message ("expected %s in:\n%s", pattern, output);
  g_assert_true (g_pattern_match_simple (pattern, output));
}

static void
test_same_seed_is_the_same_run (void)
{
  g_autofree char *one = simulate ("/order", "SEED", "5", TRUE);
  g_autofree char *again = simulate ("/order", "SEED", "5", TRUE);

  g_assert_cmpstr (one, ==, again);
  assert_says (one, "*call*handle*reply*end *finalize*");
}

static void
test_other_seeds_are_other_runs (void)
{
  g_autoptr (GHashTable) outputs = g_hash_table_new_full (g_str_hash,
                                                          g_str_equal, g_free,
                                                          NULL);

  for (guint seed = 1; seed <= 10; seed++) {
    g_autofree char *number = g_strdup_printf ("%u", seed);
    char *output = simulate ("/order", "SEED", number, TRUE);
    const char *second_line = strchr (output,
                                      '\n'); /* the first has the seed */

    g_hash_table_add (outputs, g_strdup (second_line));
    g_free (output);
  }
  g_assert_cmpuint (g_hash_table_size (outputs), >, 5);
}

static void
test_deadlock_is_reported (void)
{
  g_autofree char *output = simulate ("/circle", "SEEDS", "5", FALSE);

  assert_says (output, "*DEADLOCK*test <*> waits for One <*>, which waits"
                       " for Other <*>, which waits for One <*>\n*");
  assert_says (output, "*make sim TEST=/circle SEED=1\n*");
}

static void
test_endless_receive_is_reported (void)
{
  g_autofree char *output = simulate ("/silence", "SEED", "1", FALSE);

  assert_says (output, "*DEADLOCK*test <*> waits for a message\n*");
}

static void
test_plain_thread_is_refused (void)
{
  g_autofree char *output = simulate ("/plain-thread", "SEED", "1", FALSE);

  assert_says (output, "*a plain thread can't take part in a simulation*");
}

static void
test_time_costs_nothing (void)
{
  g_autofree char *output = simulate ("/hour", "SEED", "1", TRUE);

  assert_says (output, "*\n3600000.000 *reply*");
}

static void
test_limit_strikes_in_some (void)
{
  g_autofree char *first = simulate ("/limit", "SEED", "1", TRUE);
  g_autofree char *output = simulate ("/limit", "SEEDS", "3000", FALSE);

  assert_says (output, "*did not answer in time*");
}

static void
test_endless_loop_is_killed (void)
{
  g_autofree char *output = simulate ("/loop", "SEEDS", "1", FALSE);

  assert_says (output, "*neither ends nor waits*");
}

int
main (int argc, char **argv)
{
  if (argc > 1 && g_str_equal (argv[1], "simulate")) {
    test_add_simulated ("/order", simulate_order);
    test_add_simulated ("/circle", simulate_circle);
    test_add_simulated ("/silence", simulate_silence);
    test_add_simulated ("/plain-thread", simulate_plain_thread);
    test_add_simulated ("/hour", simulate_hour);
    test_add_simulated ("/limit", simulate_limit);
    test_add_simulated ("/loop", simulate_loop);
    return test_run ();
  }
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/simulation/same-seed-is-the-same-run",
                   test_same_seed_is_the_same_run);
  g_test_add_func ("/simulation/other-seeds-are-other-runs",
                   test_other_seeds_are_other_runs);
  g_test_add_func ("/simulation/deadlock-is-reported",
                   test_deadlock_is_reported);
  g_test_add_func ("/simulation/endless-receive-is-reported",
                   test_endless_receive_is_reported);
  g_test_add_func ("/simulation/plain-thread-is-refused",
                   test_plain_thread_is_refused);
  g_test_add_func ("/simulation/time-costs-nothing", test_time_costs_nothing);
  g_test_add_func ("/simulation/limit-strikes-in-some",
                   test_limit_strikes_in_some);
  if (g_test_slow ())
    g_test_add_func ("/simulation/endless-loop-is-killed",
                     test_endless_loop_is_killed);
  return g_test_run ();
}
