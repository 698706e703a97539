/* Version 4 in a browser, under load. */
#include <stdlib.h>

#include "web.h"
#include "workers.h"

#define LIMIT_MS 5000

static const char *const pools[] = { "ChuckNorris", "StarWars", NULL };

static gboolean
write_numbers (const char *pool, GString *json)
{
  PoolyStatus now;

  if (!pooly_status (pool, &now, NULL))
    return FALSE;
  g_string_append_printf (json,
                          "\"idle\": %u, \"busy\": %u, \"overflow\": %u, "
                          "\"waiting\": %u",
                          now.idle, now.busy, now.overflow, now.waiting);
  return TRUE;
}

/* Consumers */

static gboolean
use (Pid worker, gpointer pool, GError **error)
{
  g_autofree char *label = g_strdup_printf ("consumer, has " PID_FORMAT,
                                            PID_ARGS (worker));
  g_autofree char *fact = NULL;
  g_auto (GStrv) lines = NULL;

  process_set_label (label);
  if (g_str_equal (pool, "ChuckNorris"))
    fact = chuck_fetcher_fetch (worker, error);
  else
    lines = swapi_fetcher_find (worker, "Sky", error);
  process_sleep ((guint) g_random_int_range (300, 1500));
  return fact != NULL || lines != NULL;
}

static void
consume (gpointer data G_GNUC_UNUSED)
{
  do {
    const char *pool = pools[g_random_int_range (0, 2)];

    process_set_label ("consumer");
    pooly_transaction (pool, use, (gpointer) pool, LIMIT_MS, NULL);
    process_set_label ("consumer, rests");
  } while (web_rest ((guint) g_random_int_range (200, 1000)));
}

int
main (int argc, char **argv)
{
  static const WebProgram program = { .title = "Pooly, version 4",
                                      .start = workers_start_pools,
                                      .gauges = pools,
                                      .write_gauge = write_numbers,
                                      .load = consume,
                                      .n_load = 8 };
  g_autoptr (GError) error = NULL;
  int exit_status = EXIT_FAILURE;

  if (workers_prepare (argv[0], &error))
    exit_status = web_main (&program, argc, argv);
  else
    g_printerr ("%s\n", error->message);
  pooly_stop ();
  workers_clear ();
  return exit_status;
}
