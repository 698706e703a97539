#define _GNU_SOURCE /* sched_setaffinity() */

#include "simulation.h"

#include "helper.h"

#ifndef SIMULATED

void
test_init (int *argc, char ***argv)
{
  g_test_init (argc, argv, NULL);
}

void
test_add_simulated (const char *path, void (*func) (void))
{
  g_test_add_func (path, func);
}

int
test_run (void)
{
  return g_test_run ();
}

guint
test_random (guint n)
{
  return (guint) g_test_rand_int_range (0, (gint32) n);
}

#else

#include "scheduler_sim.h"
#include "trace.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#define IS_SANITIZED TRUE
#else
#define IS_SANITIZED FALSE
#endif

#define DEFAULT_SEEDS 500
#define NO_SUCH_TEST 77 /* as automake has it for tests that are skipped */
#define LIMIT_SECONDS 20
#define BAR_WIDTH 40

typedef struct {
  const char *path;
  void      (*func) (void);
} Test;

/* A child at a time, on a processor of its own. */
typedef struct {
  int     cpu;
  pid_t   child; /* or 0 */
  guint32 seed;
  FILE   *output; /* what it has said */
} Slot;

/* What has come of one test. */
typedef struct {
  const Test *test;
  guint32     n_seeds;
  guint32     n_done;
  guint32     failed; /* the lowest seed that did, or 0 */
  char       *why;    /* (nullable) (owned): what that one said */
} Run;

static GArray *tests;  /* Test, in the order in which they were added */
static GArray *slots;  /* Slot */
static GRand *choices; /* of the test in this child */
static Pid test_pid;

/* GLib's runner is not needed, nor the seed of its generator. */
void
test_init (int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
}

void
test_add_simulated (const char *path, void (*func) (void))
{
  Test test = { path, func };

  if (tests == NULL)
    tests = g_array_new (FALSE, FALSE, sizeof (Test));
  g_array_append_val (tests, test);
}

guint
test_random (guint n)
{
  return (guint) g_rand_int_range (choices, 0, (gint32) n);
}

/* DEADLOCKS */

static const ProcessInfo *
find_info (const GArray *list, Pid pid)
{
  for (guint i = 0; i < list->len; i++)
    if (g_array_index (list, ProcessInfo, i).pid == pid)
      return &g_array_index (list, ProcessInfo, i);
  return NULL;
}

/* Returns: (nullable): whom it waits for: also one who runs on its thread */
static const ProcessInfo *
find_awaited (const GArray *list, const ProcessInfo *info)
{
  for (guint i = 0; i < list->len; i++)
    if (g_array_index (list, ProcessInfo, i).lender == info->pid)
      return &g_array_index (list, ProcessInfo, i);
  return find_info (list, info->waits_on);
}

static void
print_label (const ProcessInfo *info)
{
  g_autofree char *name = info->pid == test_pid ? g_strdup ("test")
                                                : process_get_name (info->pid);

  fprintf (stderr, "%s " PID_FORMAT, name != NULL ? name : info->kind,
           PID_ARGS (info->pid));
}

/* "A waits for B, which waits for C, which waits for a message"; who was named
 * before is named, and no more: there it turns in a circle, or joins one. */
static void
print_chain (const GArray *list, const ProcessInfo *info, GHashTable *named)
{
  const char *which = "";

  fputs ("  ", stderr);
  print_label (info);
  while (g_hash_table_add (named, PID_TO_POINTER (info->pid))) {
    const ProcessInfo *next = find_awaited (list, info);

    if (next == NULL) {
      fprintf (stderr, info->is_receiving ? "%s waits for a message" : "",
               which);
      break;
    }
    fprintf (stderr, "%s waits for ", which);
    print_label (next);
    info = next;
    which = ", which";
  }
  fputc ('\n', stderr);
}

static void
tell_deadlock (void)
{
  g_autoptr (GArray) list = process_list ();
  g_autoptr (GHashTable) named = g_hash_table_new (NULL, NULL);

  fprintf (stderr, "DEADLOCK: everybody waits, and nothing is due.\n");
  for (guint i = 0; i < list->len; i++) {
    const ProcessInfo *info = &g_array_index (list, ProcessInfo, i);

    if (!g_hash_table_contains (named, PID_TO_POINTER (info->pid))
        && (find_awaited (list, info) != NULL || info->is_receiving))
      print_chain (list, info, named);
  }
  _exit (1);
}

/* CHILDREN */

static guint32
from_environment (const char *name, guint32 otherwise)
{
  const char *text = g_getenv (name);
  guint64 number;

  if (text == NULL || *text == '\0')
    return otherwise;
  if (!g_ascii_string_to_unsigned (text, 10, 1, G_MAXINT32, &number, NULL)) {
    fprintf (stderr, "%s=%s is not a number from 1 on\n", name, text);
    exit (2);
  }
  return (guint32) number;
}

/* GLib's own would say what time it is. */
static void
print_log (const char *domain, GLogLevelFlags level G_GNUC_UNUSED,
           const char *message, gpointer data G_GNUC_UNUSED)
{
  fprintf (stderr, "%s: %s\n", domain, message);
}

/* The test is the first process, with or without a trace. */
static void
be_child (const Test *test, guint32 seed)
{
  alarm (LIMIT_SECONDS * from_environment ("LIMIT", 1));
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
  g_log_set_default_handler (print_log, NULL);
  choices = g_rand_new_with_seed (seed);
  simulation_begin (seed, tell_deadlock);
  test_pid = process_self ();
  trace_name (test_pid, "test");
  test->func ();
  g_rand_free (choices);
  exit (0);
}

/* So early that nobody else runs: handing over costs a fifth on one processor
 * of what it costs between two. */
static void
pin_to (int cpu)
{
  cpu_set_t set;

  CPU_ZERO (&set);
  CPU_SET (cpu, &set);
  sched_setaffinity (0, sizeof set, &set);
}

static void
begin (Slot *slot, const Test *test, guint32 seed)
{
  rewind (slot->output);
  if (ftruncate (fileno (slot->output), 0) != 0)
    g_error ("can't empty a temporary file");
  fflush (NULL);
  slot->seed = seed;
  slot->child = fork ();
  if (slot->child < 0)
    g_error ("can't fork");
  if (slot->child > 0)
    return;
  pin_to (slot->cpu);
  dup2 (fileno (slot->output), STDOUT_FILENO);
  dup2 (fileno (slot->output), STDERR_FILENO);
  be_child (test, seed);
}

static char *
read_output (Slot *slot)
{
  GString *text = g_string_new (NULL);
  char piece[4096];
  size_t n;

  rewind (slot->output);
  while ((n = fread (piece, 1, sizeof piece, slot->output)) > 0)
    g_string_append_len (text, piece, (gssize) n);
  return g_string_free (text, FALSE);
}

static Slot *
wait_for_one (int *status)
{
  pid_t child = wait (status);

  for (guint i = 0; i < slots->len; i++)
    if (g_array_index (slots, Slot, i).child == child)
      return &g_array_index (slots, Slot, i);
  g_assert_not_reached ();
}

static void
end (Run *run, Slot *slot, int status)
{
  slot->child = 0;
  run->n_done++;
  if (status == 0 || (run->failed != 0 && run->failed < slot->seed))
    return;
  run->failed = slot->seed;
  g_free (run->why);
  run->why = WIFSIGNALED (status) && WTERMSIG (status) == SIGALRM
               ? g_strdup ("it neither ends nor waits\n")
               : read_output (slot);
}

/* TESTS */

static void
show_progress (const Run *run)
{
  guint filled = BAR_WIDTH * run->n_done / run->n_seeds;
  static const char bar[] = "########################################";
  static const char rest[] = "----------------------------------------";

  if (!isatty (STDERR_FILENO))
    return;
  fprintf (stderr, "\r[%.*s%.*s] %u/%u %s\033[K", (int) filled, bar,
           (int) (BAR_WIDTH - filled), rest, run->n_done, run->n_seeds,
           run->test->path);
  if (run->n_done == run->n_seeds || run->failed != 0)
    fputs ("\r\033[K", stderr);
}

/* Up to the first that fails. */
static void
run_seeds (Run *run)
{
  guint32 next = 1;
  guint n_running = 0;

  while (n_running > 0 || (next <= run->n_seeds && run->failed == 0)) {
    Slot *slot = NULL;
    int status;

    for (guint i = 0; i < slots->len; i++)
      if (g_array_index (slots, Slot, i).child == 0)
        slot = &g_array_index (slots, Slot, i);
    if (slot != NULL && next <= run->n_seeds && run->failed == 0) {
      begin (slot, run->test, next++);
      n_running++;
      continue;
    }
    slot = wait_for_one (&status);
    end (run, slot, status);
    n_running--;
    show_progress (run);
  }
}

static char *
get_trace (const Test *test, guint32 seed)
{
  Slot *slot = &g_array_index (slots, Slot, 0);
  int status;

  trace_is_on = TRUE;
  begin (slot, test, seed);
  trace_is_on = FALSE;
  wait_for_one (&status);
  slot->child = 0;
  return read_output (slot);
}

/* The promise that everything here rests on. */
static gboolean
is_same_twice (const Test *test, guint32 seed)
{
  g_autofree char *one = get_trace (test, seed);
  g_autofree char *other = get_trace (test, seed);

  return *one != '\0' && g_str_equal (one, other);
}

static gboolean
run_test (const Test *test, guint number)
{
  Run run = { .test = test,
              .n_seeds = from_environment ("SEEDS", DEFAULT_SEEDS) };
  gint64 began = g_get_monotonic_time ();
  gboolean is_same;

  run_seeds (&run);
  is_same = run.failed != 0 || is_same_twice (test, run.n_seeds);
  if (run.failed == 0 && is_same) {
    printf ("ok %u - %s (%u seeds, %.1f ms each)\n", number, test->path,
            run.n_seeds,
            (double) (g_get_monotonic_time () - began) / 1000 / run.n_seeds);
    return TRUE;
  }
  printf ("not ok %u - %s\n", number, test->path);
  if (!is_same)
    printf ("# seed %u was not the same twice\n", run.n_seeds);
  else
    printf ("%s# seed %u; this replays it, with its trace:\n"
            "#   make sim%s TEST=%s SEED=%u\n",
            run.why, run.failed, IS_SANITIZED ? " FLAVOUR=sim-asan" : "",
            test->path, run.failed);
  g_free (run.why);
  return FALSE;
}

/* Returns: the exit status */
static int
replay (const Test *test, guint32 seed)
{
  int status;
  pid_t child;

  printf ("# %s, seed %u\n", test->path, seed);
  fflush (NULL);
  child = fork ();
  if (child == 0) {
    pin_to (g_array_index (slots, Slot, 0).cpu);
    dup2 (STDOUT_FILENO, STDERR_FILENO); /* one stream: `| tests/tools/chart` */
    trace_is_on = TRUE;
    be_child (test, seed);
  }
  waitpid (child, &status, 0);
  if (WIFSIGNALED (status) && WTERMSIG (status) != SIGABRT)
    printf ("killed by signal %d, %s\n", WTERMSIG (status),
            g_strsignal (WTERMSIG (status)));
  printf ("# %s\n", status == 0 ? "passed" : "FAILED");
  return status == 0 ? 0 : 1;
}

static void
make_slots (void)
{
  cpu_set_t set;

  slots = g_array_new (FALSE, FALSE, sizeof (Slot));
  sched_getaffinity (0, sizeof set, &set);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    Slot slot = { .cpu = cpu };

    if (!CPU_ISSET (cpu, &set))
      continue;
    slot.output = tmpfile ();
    if (slot.output == NULL)
      g_error ("can't make a temporary file");
    g_array_append_val (slots, slot);
  }
}

int
test_run (void)
{
  const char *prefix = g_getenv ("TEST");
  guint32 seed = from_environment ("SEED", 0);
  guint n_run = 0, n_failed = 0;

  make_slots ();
  for (guint i = 0; tests != NULL && i < tests->len; i++) {
    const Test *test = &g_array_index (tests, Test, i);

    if (prefix != NULL && !g_str_has_prefix (test->path, prefix))
      continue;
    n_run++;
    n_failed += seed != 0 ? replay (test, seed) != 0 : !run_test (test, n_run);
    fflush (stdout);
  }
  return n_run == 0 ? NO_SUCH_TEST : n_failed > 0;
}

#endif
