/* What version 3 can do, and what it can't.
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
#define MAX_KILLS 1000
#define SETTLE_MS 10000

static int size = 3;
static int n_consumers = 5;
static int n_kills = SUPERVISOR_MAX_RESTARTS + 1;
static char **paths;

static const GOptionEntry options[] = {
  { "size", 's', 0, G_OPTION_ARG_INT, &size, "How many workers Digests has (3)",
    "N" },
  { "consumers", 'c', 0, G_OPTION_ARG_INT, &n_consumers,
    "How many threads share them (5)", "N" },
  { "kills", 'k', 0, G_OPTION_ARG_INT, &n_kills,
    "How often Digests' server is killed within five seconds (4)", "N" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &paths, NULL,
    "[FILE…]" },
  { NULL }
};

static gboolean
start_pools (GError **error)
{
  PoolyConfig configs[] = {
    { .name = "Digests", .worker = &sample_worker_class, .size = (guint) size },
    { .name = "Reports", .worker = &sample_worker_class, .size = 2 },
  };

  return pooly_start_pools (configs, G_N_ELEMENTS (configs), error);
}

static void
title (const char *text)
{
  g_printerr ("\n== %s\n", text);
}

/* Before whoever was not in the last tree stands a star. */
static void
print_tree (void)
{
  static char *last;
  g_autoptr (GString) text = g_string_new (NULL);
  g_auto (GStrv) lines = NULL;

  do { /* who has just answered may not be idle yet */
    g_string_truncate (text, 0);
    observer_print_tree (process_whereis ("Pooly.Supervisor"), text);
  } while (strstr (text->str, " running") != NULL);
  lines = g_strsplit (text->str, "\n", -1);
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++) {
    const char *begin = strchr (lines[i], '<');
    g_autofree char *pid = g_strndup (begin, strcspn (begin, ">") + 1);
    gboolean is_new = last != NULL && strstr (last, pid) == NULL;

    /* as it is, whatever the locale */
    fprintf (stderr, "%c %s\n", is_new ? '*' : ' ', lines[i]);
  }
  g_free (last);
  last = g_strdup (text->str);
}

static void
print_status (const char *pool)
{
  g_autoptr (GError) error = NULL;
  PoolyStatus status;

  if (pooly_status (pool, &status, &error))
    g_printerr ("%s: %u idle, %u busy\n", pool, status.idle, status.busy);
  else
    g_printerr ("%s: %s\n", pool, error->message);
}

/* Three calls, and what becomes of them. */

static void
tell (const char *call, const char *pool, const GError *error)
{
  g_printerr ("%s %s: %s\n", call, pool,
              error != NULL ? error->message : "done");
}

static void
start_pool (const char *name)
{
  PoolyConfig config = { .name = name,
                         .worker = &sample_worker_class,
                         .size = 1 };
  g_autoptr (GError) error = NULL;

  pooly_start_pool (&config, &error);
  tell ("start", name, error);
}

static void
stop_pool (const char *name)
{
  g_autoptr (GError) error = NULL;

  pooly_stop_pool (name, &error);
  tell ("stop", name, error);
}

static Pid
checkout (const char *pool)
{
  g_autoptr (GError) error = NULL;
  Pid worker = pooly_checkout (pool, &error);

  tell ("check-out of", pool, error);
  return worker;
}

/* Act 1: the consumers share the files, and one of the pools. */

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
checkout_digester (Work *work)
{
  Pid worker;

  /* Version 3 has no line to wait in: who finds it full must come again. */
  while ((worker = pooly_checkout ("Digests", NULL)) == PID_NONE) {
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
    Pid worker = checkout_digester (work);

    job->digest = sample_worker_digest (worker, job->path, &job->error);
    g_printerr ("worker " PID_FORMAT " %s %s\n", PID_ARGS (worker),
                job->digest != NULL ? "digested" : "could not read", job->path);
    pooly_checkin ("Digests", worker);
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

  work.jobs = jobs;
  for (guint i = 0; i < work.n_jobs; i++)
    jobs[i].path = paths[i];
  for (int i = 0; i < n_consumers; i++)
    consumers[i] = g_thread_new ("consumer", consume, &work);
  for (int i = 0; i < n_consumers; i++)
    g_thread_join (consumers[i]);
  g_printerr ("%d consumers, %d workers: %d times one found Digests full\n",
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

/* All of Reports is lent meanwhile, which is no matter to Digests. */
static gboolean
share_two_pools (void)
{
  Pid one = pooly_checkout ("Reports", NULL);
  Pid other = pooly_checkout ("Reports", NULL);
  gboolean is_all_read;

  title ("consumers digest files in one pool, while the other is full");
  is_all_read = digest_files ();
  print_status ("Digests");
  print_status ("Reports");
  checkout ("Reports");
  pooly_checkin ("Reports", one);
  pooly_checkin ("Reports", other);
  return is_all_read;
}

/* Act 2: pools come and go. */
static void
start_and_stop_a_pool (void)
{
  title ("a pool is started at run time, and stopped");
  start_pool ("Nightly");
  print_status ("Nightly");
  start_pool ("Nightly");
  start_pool ("DigestsWorker");
  stop_pool ("Nightly");
  stop_pool ("Nightly");
  checkout ("Nightly");
}

/* Act 3: each process is killed in its turn. */

static gboolean
answers (const char *supervisor)
{
  return supervisor_count_children (process_whereis (supervisor),
                                    &(ChildCount) { 0 }, NULL);
}

static gboolean
lends (const char *pool)
{
  return pooly_status (pool, &(PoolyStatus) { 0 }, NULL);
}

/* One round of questions, from the top down.  Each is answered after all that
 * was heard before; and who falls over it has told its supervisor by then, so
 * the next round finds a successor.
 *
 * Returns: whether everybody has answered */
static gboolean
is_whole (void)
{
  return answers ("Pooly.Supervisor")
         && pooly_server_ready (process_whereis ("Pooly.Server"), NULL)
         && answers ("Pooly.PoolsSupervisor") && answers ("DigestsSupervisor")
         && lends ("Digests") && answers ("ReportsSupervisor")
         && lends ("Reports");
}

/* Returns when the tree is whole again, or when it has gone. */
static void
settle (void)
{
  for (int i = 0; i < SETTLE_MS && !is_whole (); i++) {
    if (process_whereis ("Pooly.Supervisor") == PID_NONE)
      return;
    process_sleep (1);
  }
}

static void
kill_and_settle (Pid victim)
{
  process_exit (victim, REASON_KILL);
  process_wait_end (victim, -1);
  settle ();
}

/* One of each pool, when it happens. */
static struct {
  const char *pool;
  Pid         worker;
} lent[] = { { .pool = "Digests" }, { .pool = "Reports" } };

static void
borrow (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (lent); i++)
    if (!process_is_alive (lent[i].worker))
      lent[i].worker = pooly_checkout (lent[i].pool, NULL);
}

static void
kill_and_look (const char *what, Pid victim)
{
  g_printerr ("\n== killed: %s " PID_FORMAT "\n", what, PID_ARGS (victim));
  kill_and_settle (victim);
  print_tree ();
  for (guint i = 0; i < G_N_ELEMENTS (lent); i++) {
    g_autoptr (GError) error = NULL;

    sample_worker_work_for (lent[i].worker, 0, &error);
    g_printerr ("%s had lent " PID_FORMAT ": %s\n", lent[i].pool,
                PID_ARGS (lent[i].worker),
                error != NULL ? error->message : "it works");
  }
  borrow ();
}

static void
kill_by_name (const char *name)
{
  kill_and_look (name, process_whereis (name));
}

static void
lose_all_but_the_top (void)
{
  title ("before the killings");
  start_pool ("Nightly");
  borrow ();
  print_tree ();
  kill_and_look ("a worker", lent[0].worker);
  kill_by_name ("DigestsWorkerSupervisor");
  kill_by_name ("DigestsServer");
  kill_by_name ("DigestsSupervisor");
  kill_by_name ("Pooly.Server");
  checkout ("Nightly");
  kill_by_name ("Pooly.PoolsSupervisor");
}

/* Both branches below it end with it, each as soon as it hears. */
static void
lose_the_top (void)
{
  Pid pools_supervisor = process_whereis ("Pooly.PoolsSupervisor");
  Pid server = process_whereis ("Pooly.Server");

  title ("killed: Pooly.Supervisor, the top");
  kill_and_settle (process_whereis ("Pooly.Supervisor"));
  process_wait_end (pools_supervisor, -1);
  process_wait_end (server, -1);
  checkout ("Digests");
  start_pool ("Nightly");
  g_printerr ("start anew: %s\n", start_pools (NULL) ? "done" : "failed");
  print_tree ();
}

/* Act 4: once too often. */
static void
lose_the_server_too_often (void)
{
  g_printerr ("\n== killed: DigestsServer, %d times in a row\n", n_kills);
  for (int i = 0; i < n_kills; i++)
    kill_and_settle (process_whereis ("DigestsServer"));
  print_tree ();
  checkout ("Reports");
  pooly_stop ();
}

/* Act 5: what is wrong with this? */

static gboolean is_database_away;

static gboolean
connect_to_database (gpointer state G_GNUC_UNUSED,
                     gconstpointer args G_GNUC_UNUSED, GError **error)
{
  if (is_database_away)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED,
                 "the database is away");
  return !is_database_away;
}

static const GenServerClass connection_class = { .name = "Connection",
                                                 .init = connect_to_database };

static void
lose_a_worker_for_good (void)
{
  PoolyConfig config = { .name = "Connections",
                         .worker = &connection_class,
                         .size = 2 };
  Pid worker;

  title ("hole: a worker that can't be replaced");
  pooly_start_pools (&config, 1, NULL);
  worker = checkout ("Connections");
  print_status ("Connections");
  is_database_away = TRUE;
  process_exit (worker, REASON_KILL);
  process_wait_end (worker, -1);
  print_status ("Connections");
  is_database_away = FALSE;
  g_printerr ("the database was away when that worker died, and is back\n");
  checkout ("Connections");
  checkout ("Connections");
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
    context, "Pooly, version 3: threads share a pool of workers to digest "
             "files, beside\nanother pool; then each process of the tree is "
             "killed in its turn. Without a\nFILE: its own sources.");
  g_option_context_add_main_entries (context, options, NULL);
  return g_option_context_parse (context, argc, argv, error)
         && check ("--size", size, POOLY_MAX_SIZE, error)
         && check ("--consumers", n_consumers, MAX_CONSUMERS, error)
         && check ("--kills", n_kills, MAX_KILLS, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  gboolean is_all_read;

  setlocale (LC_ALL, "");
  if (!parse (&argc, &argv, &error) || !start_pools (&error)) {
    g_printerr ("%s: %s\n", argv[0], error->message);
    return EXIT_FAILURE;
  }
  if (paths == NULL)
    paths = list_sources (argv[0]);

  title ("two pools in one tree");
  print_tree ();
  is_all_read = share_two_pools ();
  start_and_stop_a_pool ();
  lose_all_but_the_top ();
  lose_the_top ();
  lose_the_server_too_often ();
  lose_a_worker_for_good ();
  g_printerr ("\nAnd who finds a pool full must come again.\n");

  pooly_stop ();
  g_strfreev (paths);
  return is_all_read ? EXIT_SUCCESS : EXIT_FAILURE;
}
