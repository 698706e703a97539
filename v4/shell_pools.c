/* Starting, stopping, and numbers. */
#include <string.h>

#include "names.h"
#include "shell_parts.h"
#include "workers.h"

#define SIZE 3

/* Which pools there are is seen by the names of their servers. */
char **
list_pools (void)
{
  g_autoptr (GArray) list = process_list ();
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < list->len; i++) {
    const ProcessInfo *info = &g_array_index (list, ProcessInfo, i);
    char *name = process_get_name (info->pid);

    if (g_str_equal (info->kind, "PoolServer") && name != NULL) {
      name[strlen (name) - strlen ("Server")] = '\0';
      g_ptr_array_add (names, name);
    } else {
      g_free (name);
    }
  }
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

gboolean
set_kind (PoolyConfig *config, const char *kind, GError **error)
{
  config->args = NULL;
  if (g_str_equal (kind, "SampleWorker")) {
    config->worker = &sample_worker_class;
  } else if (g_str_equal (kind, "ChuckFetcher")) {
    config->worker = &chuck_fetcher_class;
    config->args = workers_facts_path;
  } else if (g_str_equal (kind, "SwapiFetcher")) {
    config->worker = &swapi_fetcher_class;
    config->args = workers_database_path;
  } else {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
                 "KIND: \"%s\", but it must be SampleWorker, ChuckFetcher or "
                 "SwapiFetcher",
                 kind);
    return FALSE;
  }
  return TRUE;
}

gboolean
command_start (char **args, GError **error)
{
  PoolyConfig config = { .name = args[0],
                         .worker = &sample_worker_class,
                         .size = SIZE };

  if (args[0] == NULL)
    return workers_start_pools (error);
  if (args[1] != NULL
      && !shell_parse_number (args[1], "SIZE", &config.size, error))
    return FALSE;
  if (args[1] != NULL && args[2] != NULL) {
    if (!shell_parse_number (args[2], "OVERFLOW", &config.max_overflow, error)
        || (args[3] != NULL && !set_kind (&config, args[3], error)))
      return FALSE;
  }
  return pooly_start_pool (&config, error);
}

gboolean
command_stop (char **args, GError **error)
{
  if (args[0] != NULL)
    return pooly_stop_pool (args[0], error);
  pooly_stop ();
  return TRUE;
}

static gboolean
print_status (const char *pool, GError **error)
{
  static const char *const states[] = { "ready", "overflow", "full" };
  PoolyStatus now;

  if (!pooly_status (pool, &now, error))
    return FALSE;
  shell_print ("%s: %u idle, %u busy, %u overflow, %u waiting: %s\n", pool,
               now.idle, now.busy, now.overflow, now.waiting,
               states[now.state]);
  return TRUE;
}

gboolean
command_status (char **args, GError **error)
{
  g_auto (GStrv) pools = list_pools ();

  if (args[0] != NULL)
    return print_status (args[0], error);
  for (char **pool = pools; *pool != NULL; pool++)
    if (!print_status (*pool, error))
      return FALSE;
  return TRUE;
}
