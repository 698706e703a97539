/* Workers, and asking them. */
#include "shell_parts.h"
#include "signals.h"
#include "task.h"
#include "workers.h"

gboolean
command_worker (char **args, GError **error)
{
  PoolyConfig config = { .worker = &sample_worker_class };
  g_autofree char *what = NULL;
  Pid worker;

  if (args[0] != NULL && !set_kind (&config, args[0], error))
    return FALSE;
  worker = gen_server_start (config.worker, NULL, config.args, error);
  if (worker == PID_NONE)
    return FALSE;
  what = shell_name ('w', worker);
  shell_print ("%s belongs to no pool\n", what);
  return TRUE;
}

/* Others, such as devices, may have no end. */
static gboolean
is_other_than_file (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS)
         && !g_file_test (path, G_FILE_TEST_IS_REGULAR);
}

static gboolean
print_digest (Pid worker, const char *path, GError **error)
{
  g_autofree char *text = NULL;

  if (is_other_than_file (path)) {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
                 "\"%s\" is no regular file", path);
    return FALSE;
  }
  text = sample_worker_digest (worker, path, error);
  if (text != NULL)
    shell_print ("%s  %s\n", text, path);
  return text != NULL;
}

gboolean
command_digest (char **args, GError **error)
{
  Pid worker;

  return shell_parse_server (args[0], "SampleWorker", &worker, error)
         && print_digest (worker, args[1], error);
}

static gboolean
print_fact (Pid worker, GError **error)
{
  g_autofree char *fact = chuck_fetcher_fetch (worker, error);

  if (fact != NULL)
    shell_print ("%s\n", fact);
  return fact != NULL;
}

gboolean
command_fact (char **args, GError **error)
{
  Pid worker;

  return shell_parse_server (args[0], "ChuckFetcher", &worker, error)
         && print_fact (worker, error);
}

static gboolean
print_found (Pid worker, const char *name, GError **error)
{
  g_auto (GStrv) lines = swapi_fetcher_find (worker, name, error);

  if (lines != NULL && *lines == NULL)
    shell_print ("nobody, and no planet, has \"%s\" in the name\n", name);
  for (char **line = lines; line != NULL && *line != NULL; line++)
    shell_print ("%s\n", *line);
  return lines != NULL;
}

gboolean
command_query (char **args, GError **error)
{
  Pid worker;

  return shell_parse_server (args[0], "SwapiFetcher", &worker, error)
         && print_found (worker, args[1], error);
}

/* Transactions */

/* What there is to ask depends on who is there to be asked. */
static gboolean
ask (Pid worker, gpointer word, GError **error)
{
  g_autofree char *pid = g_strdup_printf (PID_FORMAT, PID_ARGS (worker));
  g_autofree char *label = g_strdup_printf ("transaction, has %s", pid);
  Pid same;

  process_set_label (label);
  if (shell_parse_server (pid, "ChuckFetcher", &same, NULL))
    return print_fact (worker, error);
  if (shell_parse_server (pid, "SwapiFetcher", &same, NULL))
    return print_found (worker, word, error);
  return print_digest (worker, word, error);
}

/* Which pool, and what to ask there. */
typedef struct {
  char *pool;
  char *word;
  Pid   asker;
} Question;

static void
question_free (gpointer data)
{
  Question *question = data;

  g_free (question->pool);
  g_free (question->word);
  g_free (question);
}

/* It ends with the command, so also by Ctrl-C.
 *
 * Returns: (nullable): why it failed */
static gpointer
transact (gpointer data)
{
  const Question *question = data;
  GError *error = NULL;

  process_set_label ("transaction");
  process_link (question->asker);
  pooly_transaction (question->pool, ask, question->word, -1, &error);
  return error;
}

static Task *
begin_transaction (const char *pool, const char *word)
{
  Question question = { .pool = g_strdup (pool),
                        .word = g_strdup (word),
                        .asker = process_self () };

  return task_async (transact, g_memdup2 (&question, sizeof question),
                     question_free, (GDestroyNotify) g_error_free);
}

static gboolean
end_transaction (Task *task, GError **error)
{
  GError *why = NULL;
  gboolean is_done = task_await (task, -1, (gpointer *) &why, error);

  if (why != NULL)
    g_propagate_error (error, why);
  return is_done && why == NULL;
}

/* All at once; the first error is the command's. */
gboolean
command_transaction (char **args, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (
    (GDestroyNotify) task_free);
  gboolean is_ok = TRUE;

  for (char **word = args + 1; *word != NULL; word++)
    g_ptr_array_add (tasks, begin_transaction (args[0], *word));
  for (guint i = 0; i < tasks->len; i++)
    is_ok = end_transaction (tasks->pdata[i], is_ok ? error : NULL) && is_ok;
  return is_ok;
}
