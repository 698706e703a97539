#include "workers.h"

char *workers_facts_path;
char *workers_star_wars;
char *workers_database_path;

gboolean
workers_prepare (const char *program, GError **error)
{
  g_autofree char *found = g_find_program_in_path (program);
  g_autofree char *directory = g_path_get_dirname (found != NULL ? found
                                                                 : program);
  g_autofree char *text_path = g_build_filename (directory, "starwars.txt",
                                                 NULL);

  workers_facts_path = g_build_filename (directory, "facts.txt", NULL);
  if (!g_file_get_contents (text_path, &workers_star_wars, NULL, error))
    return FALSE;
  workers_database_path = swapi_database_in_cache (workers_star_wars, error);
  if (workers_database_path == NULL)
    g_prefix_error (error, "no database can be made from %s: ", text_path);
  return workers_database_path != NULL;
}

gboolean
workers_start_pools (GError **error)
{
  PoolyConfig configs[] = {
    { .name = CHUCK,
      .worker = &chuck_fetcher_class,
      .args = workers_facts_path,
      .size = CHUCK_SIZE,
      .max_overflow = CHUCK_OVERFLOW },
    { .name = "StarWars",
      .worker = &swapi_fetcher_class,
      .args = workers_database_path,
      .size = 4,
      .max_overflow = 3 },
  };

  return pooly_start_pools (configs, G_N_ELEMENTS (configs), error);
}

void
workers_clear (void)
{
  g_free (workers_facts_path);
  g_free (workers_star_wars);
  g_free (workers_database_path);
}
