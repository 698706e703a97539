/* A prompt at which one can use version 2, and break it. */
#include <locale.h>
#include <stdlib.h>

#include "shell_parts.h"

static const ShellCommand commands[] = {
  { "start", "[SIZE]", "start the pool", command_start },
  { "stop", "", "stop the pool", command_stop },
  { "status", "", "how many workers are idle, and busy", command_status },
  { "checkout", "", "have a consumer borrow a worker", command_checkout },
  { "consumer", "[N [MS]]",
    "start consumers that borrow one each, and keep it so long",
    command_consumer },
  { "checkin", "PID", "have a worker given back", command_checkin },
  { "worker", "", "start a worker outside of the pool", command_worker },
  { "digest", "PID FILE", "have a worker digest a file", command_digest },
  { NULL, NULL, NULL, NULL }
};

int
main (void)
{
  static const ShellProgram program = { .prompt = "v2> ",
                                        .commands = commands };
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
