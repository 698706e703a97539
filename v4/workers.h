/* The workers of this version's demo, shell and observer, and their pools. */
#ifndef WORKERS_H
#define WORKERS_H

#include "internal.h"

#define CHUCK "ChuckNorris"
#define CHUCK_SIZE 2
#define CHUCK_OVERFLOW 3

/* What is needed to start workers; NULL before workers_prepare(). */
extern char *workers_facts_path;
extern char *workers_star_wars; /* a text, and what was built from it: */
extern char *workers_database_path;

/* @program: argv[0]; the texts stand beside the program */
gboolean workers_prepare (const char *program, GError **error);

/* Starts Pooly, with ChuckNorris and StarWars. */
gboolean workers_start_pools (GError **error);

/* When no worker is left. */
void workers_clear (void);

#endif
