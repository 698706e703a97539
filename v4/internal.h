/* The rooms of this version at a glance.
 *
 *   Pooly.Supervisor                 pooly_supervisor.c
 *   ├─ Pooly.PoolsSupervisor         pools_supervisor.c
 *   │  ├─ <pool>Supervisor           pool_supervisor.c
 *   │  │  ├─ <pool>Server            pool_server.c
 *   │  │  └─ <pool>WorkerSupervisor  worker_supervisor.c
 *   │  │     ├─ a worker             sample_worker.c, or your own
 *   │  │     └─ …
 *   │  └─ …
 *   └─ Pooly.Server                  pooly_server.c
 */
#ifndef INTERNAL_H
#define INTERNAL_H

#include "pooly.h"
#include "supervisor.h"

/* pooly_supervisor.c: the top. */

/* @configs: PoolyConfig, the pools to begin with */
Pid pooly_supervisor_start (GPtrArray *configs, GError **error);

/* pools_supervisor.c: has the pools under it, and keeps them apart. */

Pid pools_supervisor_start_link (gconstpointer args, GError **error);

/* pooly_server.c: has pools started and stopped. */

Pid pooly_server_start_link (gconstpointer configs, GError **error);

gboolean pooly_server_ready (Pid server, GError **error);
gboolean pooly_server_start_pool (Pid server, const PoolyConfig *config,
                                  GError **error);
gboolean pooly_server_stop_pool (Pid server, const char *name, GError **error);

/* registry.c: which pools there are, and who serves each. */

/* Copies a configuration.  A pool is known as long as somebody keeps one. */
PoolyConfig *registry_keep (const PoolyConfig *config);
void registry_forget (gpointer config);

/* The pool is served by the process that says so. */
void registry_serve (const char *name);

/* The pool was stopped: there is no such pool, until it is served again. */
void registry_stop (const char *name);

/* Returns: its server, dead or alive; PID_NONE: there is no such pool */
Pid registry_find (const char *name);

/* orphan.c: waits for the end of who has that registered name, if its supervisor
 * was killed. */
void await_orphan (const char *name);

/* pooly.c: a configuration, for those who keep it. */

PoolyConfig *config_copy (const PoolyConfig *config);
void config_free (gpointer config);

/* pool_supervisor.c: starts the pool server, again if need be. */

Pid pool_supervisor_start_link (gconstpointer config, GError **error);

/* pool_server.c: the brain; knows which workers are idle. */

Pid pool_server_start_link (gconstpointer config, GError **error);

gboolean pool_server_ready (Pid server, GError **error);
Pid pool_server_checkout (Pid server, gboolean is_patient, int timeout_ms,
                          GError **error);
void pool_server_checkin (Pid server, Pid worker);
gboolean pool_server_status (Pid server, PoolyStatus *status, GError **error);

/* line.c: who waits for a worker; first come, first served. */

typedef struct {
  GQueue      waiters;
  GHashTable *by_pid; /* Pid → waiter, all of them */
} Line;

void line_init (Line *line);
void line_clear (Line *line);
void line_join (Line *line, From from);

/* Returns: whether there was somebody; who is out of the line then */
gboolean line_pop (Line *line, From *from);

void line_leave (Line *line, Pid pid);

/* worker_supervisor.c: starts workers, and nothing else. */

Pid worker_supervisor_start_link (gconstpointer config, GError **error);

/* sample_worker.c: a worker that does real work. */

extern const GenServerClass sample_worker_class;

/* The SHA-256 digest of a file, in hexadecimal digits. */
char *sample_worker_digest (Pid worker, const char *path, GError **error);

/* Works for that long; FALSE, with an error, when it died over it. */
gboolean sample_worker_work_for (Pid worker, guint duration_ms, GError **error);

/* Ends with `normal`, after what it was asked before. */
void sample_worker_stop (Pid worker);

/* Ends with `crash`, after what it was asked before. */
void sample_worker_crash (Pid worker);

/* chuck_fetcher.c: a worker that tells facts; its args: their file's path. */

extern const GenServerClass chuck_fetcher_class;

/* Any of its facts. */
char *chuck_fetcher_fetch (Pid worker, GError **error);

/* swapi_fetcher.c: a worker that is a connection to a database of people and
 * planets; its args: the database's path. */

extern const GenServerClass swapi_fetcher_class;

/* A line for each whose name has @name in it; there may be none. */
char **swapi_fetcher_find (Pid worker, const char *name, GError **error);

/* How many connections are open in the whole program. */
guint swapi_fetcher_count_open (void);

/* swapi_database.c: makes that database from a text such as starwars.txt. */

gboolean swapi_database_build (const char *text, const char *path,
                               GError **error);

/* The path of one in the user's cache, built now unless it is there. */
char *swapi_database_in_cache (const char *text, GError **error);

#endif
