/* What version 1 can do, and what it can't.
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

static int size = 3;
static int n_consumers = 5;
static char **paths;

static const GOptionEntry options[] = {
  { "size", 's', 0, G_OPTION_ARG_INT, &size, "How many workers (3)", "N" },
  { "consumers", 'c', 0, G_OPTION_ARG_INT, &n_consumers,
    "How many threads share them (5)", "N" },
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
  PoolyStatus status;

  if (pooly_status (&status, NULL))
    g_printerr ("status: %u idle, %u busy\n", status.idle, status.busy);
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

  /* Version 1 has no line to wait in: who finds it full must come again. */
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

/* Act 3: what is wrong with this? */

static gpointer
borrow_and_die (gpointer data G_GNUC_UNUSED)
{
  pooly_checkout (NULL);
  return NULL;
}

static void
lose_a_worker (void)
{
  title ("hole 1: a consumer dies with a worker in its hands");
  g_thread_join (g_thread_new ("consumer", borrow_and_die, NULL));
  print_status ();
  g_printerr ("nobody has it, nobody can give it back: it is lost\n");
}

static void
lend_a_dead_one (void)
{
  g_autoptr (GError) error = NULL;
  Pid worker;

  title ("hole 2: a worker dies (in a new pool)");
  pooly_stop ();
  start_pool (NULL);
  print_tree ();
  worker = pooly_checkout (NULL);
  pooly_checkin (worker);
  sample_worker_crash (worker);
  process_wait_end (worker, -1);
  g_printerr ("worker " PID_FORMAT " has crashed\n", PID_ARGS (worker));
  supervisor_count_children (process_whereis ("Pooly.WorkerSupervisor"),
                             &(ChildCount) { 0 }, NULL);
  print_tree ();
  g_printerr ("its supervisor has a new one, but the pool server was not "
              "told:\n");
  worker = pooly_checkout (NULL);
  g_printerr ("check-out gives " PID_FORMAT, PID_ARGS (worker));
  sample_worker_work_for (worker, 0, &error);
  g_printerr (": %s\n", error != NULL ? error->message : "alive?");
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
    context, "Pooly, version 1: threads share a pool of workers to digest "
             "files; then\nthe pool is full, and then its holes are shown. "
             "Without a FILE: its own sources.");
  g_option_context_add_main_entries (context, options, NULL);
  return g_option_context_parse (context, argc, argv, error)
         && check ("--size", size, POOLY_MAX_SIZE, error)
         && check ("--consumers", n_consumers, MAX_CONSUMERS, error);
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
  lose_a_worker ();
  lend_a_dead_one ();

  pooly_stop ();
  g_strfreev (paths);
  return is_all_read ? EXIT_SUCCESS : EXIT_FAILURE;
}
