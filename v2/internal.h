/* The rooms of this version at a glance.
 *
 *   Pooly.Supervisor            pool_supervisor.c
 *   ├─ Pooly.Server             pool_server.c
 *   └─ Pooly.WorkerSupervisor   worker_supervisor.c
 *      ├─ a worker              sample_worker.c, or your own
 *      └─ …
 */
#ifndef INTERNAL_H
#define INTERNAL_H

#include "pooly.h"
#include "supervisor.h"

/* pool_supervisor.c: the top; starts the pool server, again if need be. */

Pid pool_supervisor_start (const PoolyConfig *config, GError **error);

/* pool_server.c: the brain; knows which workers are idle. */

Pid pool_server_start_link (gconstpointer config, GError **error);

gboolean pool_server_ready (Pid server, GError **error);
Pid pool_server_checkout (Pid server, GError **error);
void pool_server_checkin (Pid server, Pid worker);
gboolean pool_server_status (Pid server, PoolyStatus *status, GError **error);

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

#endif
