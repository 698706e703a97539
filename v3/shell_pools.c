/* Starting, stopping, and numbers. */
#include <string.h>

#include "names.h"
#include "shell_parts.h"

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

static gboolean
start_all (GError **error)
{
  PoolyConfig configs[] = {
    { .name = "Pool1", .worker = &sample_worker_class, .size = SIZE },
    { .name = "Pool2", .worker = &sample_worker_class, .size = SIZE },
  };

  return pooly_start_pools (configs, G_N_ELEMENTS (configs), error);
}

gboolean
command_start (char **args, GError **error)
{
  PoolyConfig config = { .name = args[0],
                         .worker = &sample_worker_class,
                         .size = SIZE };

  if (args[0] == NULL)
    return start_all (error);
  if (args[1] != NULL
      && !shell_parse_number (args[1], "SIZE", &config.size, error))
    return FALSE;
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
  PoolyStatus now;

  if (!pooly_status (pool, &now, error))
    return FALSE;
  shell_print ("%s: %u idle, %u busy\n", pool, now.idle, now.busy);
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
