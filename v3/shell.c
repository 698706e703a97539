/* A prompt at which one can use version 3, and break it. */
#include <locale.h>
#include <stdlib.h>

#include "shell_parts.h"

static char **
list_words (const char *argument)
{
  return g_str_equal (argument, "POOL") ? list_pools () : NULL;
}

static const ShellCommand commands[] = {
  { "start", "[POOL [SIZE]]", "start a pool, or Pooly", command_start },
  { "stop", "[POOL]", "stop a pool, or Pooly", command_stop },
  { "status", "[POOL]", "how many workers are idle, and busy", command_status },
  { "checkout", "POOL", "have a consumer borrow a worker", command_checkout },
  { "consumer", "POOL [N [MS]]",
    "start consumers that borrow one each, and keep it so long",
    command_consumer },
  { "checkin", "PID", "have a worker given back", command_checkin },
  { "worker", "", "start a worker outside of any pool", command_worker },
  { "digest", "PID FILE", "have a worker digest a file", command_digest },
  { NULL, NULL, NULL, NULL }
};

int
main (void)
{
  static const ShellProgram program = { .prompt = "v3> ",
                                        .commands = commands,
                                        .list_words = list_words };
  g_autoptr (GError) error = NULL;
  char *no_args[] = { NULL };
  int exit_status = EXIT_FAILURE;

  setlocale (LC_ALL, "");
  if (command_start (no_args, &error))
    exit_status = shell_run (&program);
  else
    g_printerr ("%s\n", error->message);
  pooly_stop ();
  return exit_status;
}
