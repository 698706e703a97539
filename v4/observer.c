/* Version 4 in a browser, under load. */
#include <stdlib.h>

#include "internal.h"
#include "web.h"

#define LIMIT_MS 5000

static const char *const pools[] = { "ChuckNorris", "StarWars", NULL };

/* What is needed to start workers. */
static char *facts_path;
static char *database_path;

static gboolean
start (GError **error)
{
  PoolyConfig configs[] = {
    { .name = "ChuckNorris",
      .worker = &chuck_fetcher_class,
      .args = facts_path,
      .size = 2,
      .max_overflow = 3 },
    { .name = "StarWars",
      .worker = &swapi_fetcher_class,
      .args = database_path,
      .size = 4,
      .max_overflow = 3 },
  };

  return pooly_start_pools (configs, G_N_ELEMENTS (configs), error);
}

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

/* The texts stand beside the program. */
static gboolean
prepare (const char *program, GError **error)
{
  g_autofree char *found = g_find_program_in_path (program);
  g_autofree char *directory = g_path_get_dirname (found != NULL ? found
                                                                 : program);
  g_autofree char *path = g_build_filename (directory, "starwars.txt", NULL);
  g_autofree char *text = NULL;

  facts_path = g_build_filename (directory, "facts.txt", NULL);
  if (!g_file_get_contents (path, &text, NULL, error))
    return FALSE;
  database_path = swapi_database_in_cache (text, error);
  return database_path != NULL;
}

int
main (int argc, char **argv)
{
  static const WebProgram program = { .title = "Pooly, version 4",
                                      .start = start,
                                      .gauges = pools,
                                      .write_gauge = write_numbers,
                                      .load = consume,
                                      .n_load = 8 };
  g_autoptr (GError) error = NULL;
  int exit_status = EXIT_FAILURE;

  if (prepare (argv[0], &error))
    exit_status = web_main (&program, argc, argv);
  else
    g_printerr ("%s\n", error->message);
  pooly_stop ();
  g_free (facts_path);
  g_free (database_path);
  return exit_status;
}
