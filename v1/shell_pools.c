/* Starting, stopping, and numbers. */
#include "shell_parts.h"

#define SIZE 3

gboolean
command_start (char **args, GError **error)
{
  PoolyConfig config = { .worker = &sample_worker_class, .size = SIZE };

  if (args[0] != NULL
      && !shell_parse_number (args[0], "SIZE", &config.size, error))
    return FALSE;
  return pooly_start_pool (&config, error);
}

gboolean
command_stop (char **args G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  pooly_stop ();
  return TRUE;
}

gboolean
command_status (char **args G_GNUC_UNUSED, GError **error)
{
  PoolyStatus now;

  if (!pooly_status (&now, error))
    return FALSE;
  shell_print ("%u idle, %u busy\n", now.idle, now.busy);
  return TRUE;
}
