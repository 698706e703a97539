/* Workers, and asking them. */
#include "shell_parts.h"

gboolean
command_worker (char **args G_GNUC_UNUSED, GError **error)
{
  Pid worker = gen_server_start (&sample_worker_class, NULL, NULL, error);
  g_autofree char *what = NULL;

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
