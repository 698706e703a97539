/* A prompt at which one can use version 4, and break it. */
#include <locale.h>
#include <stdlib.h>

#include "shell_parts.h"
#include "workers.h"

static char **
list_words (const char *argument)
{
  static const char *kinds[] = { "SampleWorker", "ChuckFetcher", "SwapiFetcher",
                                 NULL };

  if (g_str_equal (argument, "KIND"))
    return g_strdupv ((char **) kinds);
  return g_str_equal (argument, "POOL") ? list_pools () : NULL;
}

static const ShellCommand commands[] = {
  { "start", "[POOL [SIZE [OVERFLOW [KIND]]]]", "start a pool, or Pooly",
    command_start },
  { "stop", "[POOL]", "stop a pool, or Pooly", command_stop },
  { "status", "[POOL]", "how many workers are idle, busy, …", command_status },
  { "checkout", "POOL [MS]",
    "have a consumer borrow a worker; wait until it has one",
    command_checkout },
  { "consumer", "POOL [N [MS]]",
    "start consumers that borrow one each, and keep it so long",
    command_consumer },
  { "checkin", "PID", "have a worker given back", command_checkin },
  { "worker", "[KIND]", "start a worker outside of any pool", command_worker },
  { "digest", "PID FILE", "have a worker digest a file", command_digest },
  { "fact", "PID", "have a worker tell a fact", command_fact },
  { "query", "PID NAME", "have a worker look for people and planets",
    command_query },
  { "transaction", "POOL WORD…",
    "for each word: borrow a worker, ask it, give it back; all at once",
    command_transaction },
  { NULL, NULL, NULL, NULL }
};

int
main (int argc G_GNUC_UNUSED, char **argv)
{
  static const ShellProgram program = { .prompt = "v4> ",
                                        .commands = commands,
                                        .list_words = list_words };
  g_autoptr (GError) error = NULL;
  char *no_args[] = { NULL };
  int exit_status = EXIT_FAILURE;

  setlocale (LC_ALL, "");
  if (workers_prepare (argv[0], &error) && command_start (no_args, &error))
    exit_status = shell_run (&program);
  else
    g_printerr ("%s\n", error->message);
  pooly_stop ();
  workers_clear ();
  return exit_status;
}
