/* What version 4 can do, and what it still can't.
 *
 * Answers to --query go to standard output; the story goes to standard error. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"
#include "names.h"
#include "observer.h"
#include "signals.h"
#include "task.h"

#define LIMIT_MS 5000
#define SHORT_LIMIT_MS 200

static char **queries; /* as they are, whatever the locale */

static const GOptionEntry options[] = {
  { "query", 'q', 0, G_OPTION_ARG_FILENAME_ARRAY, &queries,
    "Only look for people and planets with NAME in their names", "NAME" },
  { NULL }
};

void
title (const char *text)
{
  g_printerr ("\n== %s\n", text);
}

/* Who has just answered may not be idle yet: it is given a little time. */
static char *
get_tree (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (int i = 0; i < SETTLE_MS; i++) {
    g_string_truncate (text, 0);
    observer_print_tree (process_whereis ("Pooly.Supervisor"), text);
    if (strstr (text->str, " running") == NULL)
      break;
    process_sleep (1);
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
has_pid_of (const char *tree, const char *line)
{
  const char *begin = strchr (line, '<');
  g_autofree char *pid = begin != NULL
                           ? g_strndup (begin, strcspn (begin, ">") + 1)
                           : NULL;

  return pid == NULL || strstr (tree, pid) != NULL;
}

/* Before whoever was not in the last tree stands a star. */
void
print_tree (void)
{
  static char *last;
  char *tree = get_tree ();
  g_auto (GStrv) lines = g_strsplit (tree, "\n", -1);

  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++) {
    gboolean is_new = last != NULL && !has_pid_of (last, lines[i]);

    /* as it is, whatever the locale */
    fprintf (stderr, "%c %s\n", is_new ? '*' : ' ', lines[i]);
  }
  g_free (last);
  last = tree;
}

void
print_status (const char *pool)
{
  static const char *const states[] = { "ready", "overflow", "full" };
  g_autoptr (GError) error = NULL;
  PoolyStatus status;

  if (pooly_status (pool, &status, &error))
    g_printerr ("%s: %u idle, %u busy, %u overflow, %u waiting: %s\n", pool,
                status.idle, status.busy, status.overflow, status.waiting,
                states[status.state]);
  else
    g_printerr ("%s: %s\n", pool, error->message);
}

/* Two calls, and what becomes of them. */

void
tell (const char *call, const char *pool, const GError *error)
{
  g_printerr ("%s %s: %s\n", call, pool,
              error != NULL ? error->message : "done");
}

Pid
checkout (const char *pool)
{
  g_autoptr (GError) error = NULL;
  Pid worker = pooly_checkout (pool, &error);

  tell ("check-out of", pool, error);
  return worker;
}

void
fetch (Pid worker)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *fact = chuck_fetcher_fetch (worker, &error);

  g_printerr ("worker " PID_FORMAT ": %s\n", PID_ARGS (worker),
              fact != NULL ? fact : error->message);
}

/* Several workers at once. */

void
checkout_all (Pid *workers, guint n_workers)
{
  for (guint i = 0; i < n_workers; i++)
    workers[i] = pooly_checkout (CHUCK, NULL);
}

void
checkin_all (const Pid *workers, guint n_workers)
{
  for (guint i = 0; i < n_workers; i++)
    pooly_checkin (CHUCK, workers[i]);
}

/* Act 1: a worker is a process like any other. */
static void
use_no_pool (void)
{
  g_autoptr (GError) error = NULL;
  Pid worker;

  title ("a worker without a pool: who starts it has to stop it");
  worker = gen_server_start (&chuck_fetcher_class, NULL, workers_facts_path,
                             NULL);
  fetch (worker);
  gen_server_stop_sync (worker, REASON_NORMAL, -1, NULL);
  fetch (worker);
  gen_server_start (&chuck_fetcher_class, NULL, "no-such-file", &error);
  g_printerr ("one more, without facts: %s\n", error->message);
}

/* Act 2: as in the versions before. */
static void
check_out_and_in (void)
{
  Pid worker;

  title ("a worker of a pool is checked out, asked, and checked in");
  print_status (CHUCK);
  worker = checkout (CHUCK);
  print_status (CHUCK);
  fetch (worker);
  pooly_checkin (CHUCK, worker);
  print_status (CHUCK);
}

/* Act 3: the rush hour. */
static void
overflow (void)
{
  Pid workers[CHUCK_MOST];

  title ("overflow: five workers out of a pool of two");
  for (guint i = 0; i < CHUCK_MOST; i++) {
    workers[i] = checkout (CHUCK);
    print_status (CHUCK);
  }
  checkout (CHUCK);
  print_tree ();
  title ("overflow: they come back, and three are dismissed");
  for (guint i = 0; i < CHUCK_MOST; i++) {
    pooly_checkin (CHUCK, workers[i]);
    print_status (CHUCK);
  }
  print_tree ();
}

/* Act 4: first come, first served. */

/* What a consumer and main say to each other. */
enum { SERVED = 1, GO };

/* region: consumer */
static void
consume (gpointer data)
{
  Pid narrator = POINTER_TO_PID (data);
  GError *error = NULL;
  Pid worker = pooly_checkout_wait (CHUCK, LIMIT_MS, &error);
  Message served = { .tag = SERVED, .pid = worker }, go;

  process_send (narrator,
                error == NULL ? served : message_error (SERVED, error));
  process_receive (&go, -1); /* its loan ends with it */
}
/* end */

/* Returns: a consumer that stands in line, after all that did so before */
Pid
get_in_line (void)
{
  PoolyStatus before = { 0 }, now = { 0 };
  Pid consumer;

  pooly_status (CHUCK, &before, NULL);
  consumer = process_spawn (consume, PID_TO_POINTER (process_self ()), NULL);
  for (int i = 0; i < SETTLE_MS && now.waiting <= before.waiting; i++) {
    process_sleep (1);
    pooly_status (CHUCK, &now, NULL);
  }
  g_printerr ("consumer " PID_FORMAT " waits\n", PID_ARGS (consumer));
  return consumer;
}

/* Waits until the next consumer is served, and tells of that. */
void
hear_of_service (void)
{
  g_auto (Message) served = { 0 };

  if (!process_receive (&served, LIMIT_MS)) {
    g_printerr ("no consumer was served within %d ms\n", LIMIT_MS);
    return;
  }
  g_printerr ("consumer " PID_FORMAT, PID_ARGS (served.sender));
  if (served.data != NULL)
    g_printerr (": %s\n", ((GError *) served.data)->message);
  else
    g_printerr (" gets worker " PID_FORMAT "\n", PID_ARGS (served.pid));
}

void
let_go (Pid consumer)
{
  process_send (consumer, (Message) { .tag = GO });
  process_wait_end (consumer, -1);
}

static void
wait_in_vain (void)
{
  g_autoptr (GError) error = NULL;

  pooly_checkout_wait (CHUCK, SHORT_LIMIT_MS, &error);
  tell ("check-out, with a time limit, of", CHUCK, error);
}

static void
wait_in_line (void)
{
  Pid workers[CHUCK_MOST], consumers[3];

  title ("queueing: who finds it full can wait; first come, first served");
  checkout_all (workers, CHUCK_MOST);
  for (guint i = 0; i < G_N_ELEMENTS (consumers); i++)
    consumers[i] = get_in_line ();
  print_status (CHUCK);
  wait_in_vain ();
  g_printerr ("worker " PID_FORMAT " comes back\n", PID_ARGS (workers[0]));
  pooly_checkin (CHUCK, workers[0]);
  for (guint i = 0; i < G_N_ELEMENTS (consumers); i++) {
    hear_of_service ();
    let_go (consumers[i]);
  }
  checkin_all (workers + 1, CHUCK_MOST - 1);
  print_status (CHUCK);
}

/* Act 5: what is borrowed comes back by itself. */

typedef struct {
  const char *name;
  Pid         narrator; /* PID_NONE: nobody wants to look meanwhile */
  Task       *task;
  char      **lines; /* the answer */
} Question;

/* region: ask */
static gboolean
ask (Pid worker, gpointer data, GError **error)
{
  Question *question = data;
  Message go;

  if (question->narrator != PID_NONE) {
    process_send (question->narrator, (Message) { .tag = SERVED });
    process_receive (&go, LIMIT_MS);
  }
  question->lines = swapi_fetcher_find (worker, question->name, error);
  return question->lines != NULL;
}

/* Returns: (nullable): why there is no answer */
static gpointer
transact (gpointer question)
{
  GError *error = NULL;

  pooly_transaction ("StarWars", ask, question, LIMIT_MS, &error);
  return error;
}
/* end */

static void
begin_asking (Question *question, const char *name, Pid narrator)
{
  *question = (Question) { .name = name, .narrator = narrator };
  question->task = task_async (transact, question, NULL, NULL);
}

/* Returns: whether there is anybody of that name */
static gboolean
end_asking (Question *question, FILE *file)
{
  g_autoptr (GError) error = NULL;
  gboolean is_found;

  task_await (question->task, -1, (gpointer *) &error, NULL);
  task_free (question->task);
  is_found = error == NULL && *question->lines != NULL;
  if (error != NULL)
    g_printerr ("error: %s: %s\n", question->name, error->message);
  else if (!is_found)
    g_printerr ("nobody, and no planet, has \"%s\" in the name\n",
                question->name);
  else
    for (char **line = question->lines; *line != NULL; line++)
      fprintf (file, "%s\n", *line); /* as it is, whatever the locale */
  g_strfreev (question->lines);
  return is_found;
}

static gboolean
transact_five_times (void)
{
  static const char *const names[5] = { "Skywalker", "Leia", "Yoda", "Hoth",
                                        "Spock" };
  Question questions[5];
  guint n_found = 0;

  title ("five transactions at once, on the four connections of StarWars");
  for (guint i = 0; i < 5; i++)
    begin_asking (&questions[i], names[i], process_self ());
  for (guint i = 0; i < 5; i++) {
    Message served;

    process_receive (&served, LIMIT_MS);
  }
  print_status ("StarWars");
  for (guint i = 0; i < 5; i++) {
    process_send (task_get_pid (questions[i].task), (Message) { .tag = GO });
    n_found += end_asking (&questions[i], stderr);
  }
  print_status ("StarWars");
  return n_found == 4;
}

/* Act 6: one inside the other. */

static gboolean
nest (Pid worker G_GNUC_UNUSED, gpointer depth, GError **error)
{
  ++*(guint *) depth;
  return pooly_transaction (CHUCK, nest, depth, SHORT_LIMIT_MS, error);
}

static void
nest_transactions (void)
{
  g_autoptr (GError) error = NULL;
  guint depth = 0;

  title ("transactions inside of transactions, as many as there are workers");
  pooly_transaction (CHUCK, nest, &depth, SHORT_LIMIT_MS, &error);
  g_printerr ("inside of %u one more: %s\n", depth, error->message);
  print_status (CHUCK);
}

static gboolean
tell_the_story (void)
{
  gboolean is_answered, is_healed;

  title ("two pools in one tree");
  print_tree ();
  use_no_pool ();
  check_out_and_in ();
  overflow ();
  wait_in_line ();
  is_answered = transact_five_times ();
  nest_transactions ();
  kill_one_after_the_other ();
  is_healed = lose_the_database (workers_star_wars);
  use_what_was_given_back ();
  g_printerr ("\nAnd a worker that crashes whenever it is used is replaced for "
              "ever: nobody counts.\n");
  return is_answered && is_healed;
}

/* Returns: whether somebody was found for each */
static gboolean
answer_queries (void)
{
  gboolean is_all_found = TRUE;

  for (guint i = 0; queries[i] != NULL; i++) {
    Question question;

    begin_asking (&question, queries[i], PID_NONE);
    is_all_found = end_asking (&question, stdout) && is_all_found;
  }
  if (fflush (stdout) == 0)
    return is_all_found;
  g_printerr ("error: standard output: %s\n", g_strerror (errno));
  return FALSE;
}

static gboolean
parse (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (
    context, "Pooly, version 4: overflow, queueing and transactions, on a pool "
             "of workers that\ntell facts and a pool of connections to a "
             "database; then some are killed.");
  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc > 1)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                 "%s is no option; --help lists them", (*argv)[1]);
  return *argc == 1;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  gboolean is_answered = FALSE;

  setlocale (LC_ALL, "");
  if (parse (&argc, &argv, &error) && workers_prepare (argv[0], &error)
      && workers_start_pools (&error))
    is_answered = queries != NULL ? answer_queries () : tell_the_story ();
  else
    g_printerr ("%s: %s\n", argv[0], error->message);

  pooly_stop ();
  workers_clear ();
  g_strfreev (queries);
  return is_answered ? EXIT_SUCCESS : EXIT_FAILURE;
}
