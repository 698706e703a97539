/* What version 2 can do, and what it can't.
 *
 * The digests go to standard output, as sha256sum prints them; the story goes
 * to standard error. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "names.h"
#include "observer.h"
#include "signals.h"

#define MAX_CONSUMERS 1000
#define MAX_DEATHS 1000

static int size = 3;
static int n_consumers = 5;
static int n_deaths = 1;
static char **paths;

static const GOptionEntry options[] = {
  { "size", 's', 0, G_OPTION_ARG_INT, &size, "How many workers (3)", "N" },
  { "consumers", 'c', 0, G_OPTION_ARG_INT, &n_consumers,
    "How many threads share them (5)", "N" },
  { "deaths", 'd', 0, G_OPTION_ARG_INT, &n_deaths,
    "How many idle workers die, one after the other (1)", "N" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &paths, NULL,
    "[FILE…]" },
  { NULL }
};

static gboolean
start_pool (GError **error)
{
  PoolyConfig config = { .worker = &sample_worker_class, .size = (guint) size };

  return pooly_start_pool (&config, error);
}

static void
title (const char *text)
{
  g_printerr ("\n== %s\n", text);
}

static void
print_tree (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  do { /* who has just answered may not be idle yet */
    g_string_truncate (text, 0);
    observer_print_tree (process_whereis ("Pooly.Supervisor"), text);
  } while (strstr (text->str, " running") != NULL);
  fputs (text->str, stderr); /* as it is, whatever the locale */
}

static void
print_status (void)
{
  g_autoptr (GError) error = NULL;
  PoolyStatus status;

  if (pooly_status (&status, &error))
    g_printerr ("status: %u idle, %u busy\n", status.idle, status.busy);
  else
    g_printerr ("status: %s\n", error->message);
}

/* Act 1: the consumers share the files, and the pool. */

typedef struct {
  const char *path;
  char       *digest; /* or */
  GError     *error;
} Job;

typedef struct {
  Job  *jobs;
  guint n_jobs;
  gint  n_taken; /* atomic */
  gint  n_full;  /* atomic */
} Work;

static Pid
checkout (Work *work)
{
  Pid worker;

  /* Version 2 has no line to wait in: who finds it full must come again. */
  while ((worker = pooly_checkout (NULL)) == PID_NONE) {
    g_atomic_int_inc (&work->n_full);
    process_sleep (1);
  }
  return worker;
}

/* region: consume */
static gpointer
consume (gpointer data)
{
  Work *work = data;
  guint i;

  while ((i = (guint) g_atomic_int_add (&work->n_taken, 1)) < work->n_jobs) {
    Job *job = &work->jobs[i];
    Pid worker = checkout (work);

    job->digest = sample_worker_digest (worker, job->path, &job->error);
    g_printerr ("worker " PID_FORMAT " %s %s\n", PID_ARGS (worker),
                job->digest != NULL ? "digested" : "could not read", job->path);
    pooly_checkin (worker);
  }
  return NULL;
}
/* end */

/* Returns: whether every file could be read */
static gboolean
digest_files (void)
{
  Work work = { .n_jobs = g_strv_length (paths) };
  g_autofree GThread **consumers = g_new (GThread *, n_consumers);
  g_autofree Job *jobs = g_new0 (Job, work.n_jobs);
  gboolean is_all_read = TRUE;

  title ("consumers share the pool to digest files");
  work.jobs = jobs;
  for (guint i = 0; i < work.n_jobs; i++)
    jobs[i].path = paths[i];
  for (int i = 0; i < n_consumers; i++)
    consumers[i] = g_thread_new ("consumer", consume, &work);
  for (int i = 0; i < n_consumers; i++)
    g_thread_join (consumers[i]);
  g_printerr ("%d consumers, %d workers: %d times one found the pool full\n\n",
              n_consumers, size, work.n_full);

  for (guint i = 0; i < work.n_jobs; i++) {
    if (jobs[i].digest != NULL)
      printf ("%s  %s\n", jobs[i].digest, jobs[i].path);
    else
      g_printerr ("error: %s\n", jobs[i].error->message);
    is_all_read = is_all_read && jobs[i].digest != NULL;
    g_clear_error (&jobs[i].error);
    g_free (jobs[i].digest);
  }
  return is_all_read;
}

/* Act 2: one more than there are. */
static void
fill_the_pool (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree Pid *workers = g_new (Pid, size);

  title ("a pool of fixed size can be full");
  for (int i = 0; i < size; i++)
    workers[i] = pooly_checkout (NULL);
  print_status ();
  pooly_checkout (&error);
  g_printerr ("one more check-out: %s\n", error->message);
  for (int i = 0; i < size; i++)
    pooly_checkin (workers[i]);
  print_status ();
}

/* Act 3: consumers die. */

static gpointer
borrow_and_die (gpointer n_workers)
{
  for (int i = 0; i < GPOINTER_TO_INT (n_workers); i++)
    pooly_checkout (NULL);
  print_status ();
  return NULL;
}

static void
lose_a_consumer (int n_workers)
{
  g_thread_join (
    g_thread_new ("consumer", borrow_and_die, GINT_TO_POINTER (n_workers)));
  g_printerr ("the consumer has died\n");
  print_status ();
}

/* Act 4: workers die. */

/* Returns when the pool has dealt with all that it has heard of before. */
static void
settle (void)
{
  ChildCount count;

  pooly_status (&(PoolyStatus) { 0 }, NULL);
  supervisor_count_children (process_whereis ("Pooly.WorkerSupervisor"), &count,
                             NULL);
  supervisor_count_children (process_whereis ("Pooly.Supervisor"), &count,
                             NULL);
}

static void
lose_idle_workers (void)
{
  g_autoptr (GError) error = NULL;
  Pid worker;

  title ("a worker dies while it is idle");
  print_tree ();
  for (int i = 0; i < n_deaths; i++) {
    worker = pooly_checkout (&error);
    if (worker == PID_NONE) {
      g_printerr ("check-out: %s\n", error->message);
      return;
    }
    pooly_checkin (worker);
    sample_worker_crash (worker);
    process_wait_end (worker, -1);
    g_printerr ("worker " PID_FORMAT " has crashed\n", PID_ARGS (worker));
    settle ();
  }
  print_tree ();
  worker = pooly_checkout (NULL);
  sample_worker_work_for (worker, 0, &error);
  g_printerr ("check-out gives " PID_FORMAT ": %s\n", PID_ARGS (worker),
              error != NULL ? error->message : "it works");
  pooly_checkin (worker);
}

static gboolean
is_waited_for (Pid worker)
{
  g_autoptr (GArray) list = process_list ();
  gboolean is_found = FALSE;

  for (guint i = 0; i < list->len; i++)
    is_found |= g_array_index (list, ProcessInfo, i).waits_on == worker;
  return is_found;
}

static gpointer
kill_at_work (gpointer worker)
{
  while (!is_waited_for (*(Pid *) worker))
    process_sleep (1);
  process_exit (*(Pid *) worker, REASON_KILL);
  return NULL;
}

static void
lose_a_busy_worker (void)
{
  g_autoptr (GError) error = NULL;
  Pid worker = pooly_checkout (NULL);
  GThread *killer;

  title ("a worker dies at work");
  print_status ();
  killer = g_thread_new ("killer", kill_at_work, &worker);
  sample_worker_work_for (worker, 60000, &error);
  g_thread_join (killer);
  g_printerr ("its consumer's call fails: %s\n", error->message);
  print_status ();
  pooly_checkin (worker);
  g_printerr ("the consumer checks it in all the same\n");
  print_status ();
}

/* Act 5: what is wrong with this? */
static void
lose_the_worker_supervisor (void)
{
  g_autoptr (GError) error = NULL;
  Pid supervisor = process_whereis ("Pooly.WorkerSupervisor");
  g_autoptr (GArray) workers = supervisor_which_children (supervisor, NULL);

  title ("hole: the worker supervisor dies");
  process_exit (supervisor, REASON_KILL);
  process_wait_end (supervisor, -1);
  for (guint i = 0; workers != NULL && i < workers->len; i++)
    process_wait_end (g_array_index (workers, ChildInfo, i).pid, -1);
  settle ();
  print_tree ();
  if (pooly_checkout (&error) == PID_NONE)
    g_printerr (
      "the pool server was told of each worker, and nobody is left to "
      "start others:\n");
  g_printerr ("check-out: %s\n", error != NULL ? error->message : "works");
}

/* Workers of which only so many can start. */

static gint n_licences = 2;

static gboolean
take_licence (gpointer state G_GNUC_UNUSED, gconstpointer args G_GNUC_UNUSED,
              GError **error)
{
  if (n_licences-- > 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, "no licence is left");
  return FALSE;
}

static const GenServerClass licensed_class = { .name = "LicensedWorker",
                                               .init = take_licence };

static void
lose_for_good (void)
{
  PoolyConfig config = { .worker = &licensed_class, .size = 2 };
  g_autoptr (GError) error = NULL;
  Pid worker;

  title ("hole: a worker dies that can't be replaced (in a new pool)");
  pooly_stop ();
  pooly_start_pool (&config, NULL);
  print_status ();
  worker = pooly_checkout (NULL);
  process_exit (worker, REASON_KILL);
  process_wait_end (worker, -1);
  print_status ();
  pooly_checkout (NULL);
  pooly_checkout (&error);
  g_printerr ("one is lent; one more check-out: %s\n", error->message);
}

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(char *const *) a, *(char *const *) b);
}

/* The sources this program was made from stand beside it. */
static char **
list_sources (const char *program)
{
  g_autofree char *directory = g_path_get_dirname (program);
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  GPtrArray *sources = g_ptr_array_new ();
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ".c") || g_str_has_suffix (name, ".h"))
      g_ptr_array_add (sources, g_build_filename (directory, name, NULL));
  g_ptr_array_sort (sources, compare_paths);
  g_ptr_array_add (sources, NULL);
  return (char **) g_ptr_array_free (sources, FALSE);
}

static gboolean
check (const char *option, int value, int most, GError **error)
{
  if (value >= 1 && value <= most)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "%s: %d, but it must be from 1 to %d", option, value, most);
  return FALSE;
}

static gboolean
parse (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (
    context, "Pooly, version 2: threads share a pool of workers to digest "
             "files; then\nthe pool is full, and then consumers and workers "
             "die. Without a FILE: its own\nsources.");
  g_option_context_add_main_entries (context, options, NULL);
  return g_option_context_parse (context, argc, argv, error)
         && check ("--size", size, POOLY_MAX_SIZE, error)
         && check ("--consumers", n_consumers, MAX_CONSUMERS, error)
         && check ("--deaths", n_deaths, MAX_DEATHS, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  gboolean is_all_read;

  setlocale (LC_ALL, "");
  if (!parse (&argc, &argv, &error) || !start_pool (&error)) {
    g_printerr ("%s: %s\n", argv[0], error->message);
    return EXIT_FAILURE;
  }
  if (paths == NULL)
    paths = list_sources (argv[0]);

  title ("a supervised pool");
  print_tree ();
  is_all_read = digest_files ();
  fill_the_pool ();
  title ("a consumer dies with a worker in its hands");
  lose_a_consumer (1);
  title ("a consumer dies with all of them");
  lose_a_consumer (size);
  lose_idle_workers ();
  lose_a_busy_worker ();
  lose_the_worker_supervisor ();
  lose_for_good ();
  g_printerr ("\nThere is one pool only, and who finds it full must come "
              "again.\n");

  pooly_stop ();
  g_strfreev (paths);
  return is_all_read ? EXIT_SUCCESS : EXIT_FAILURE;
}
