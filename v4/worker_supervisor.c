/* Starts workers, all after one model, when the pool server asks for one. */
#include "internal.h"

#define MAX_RESTARTS 5
#define MAX_SECONDS 5
#define WORKER_SHUTDOWN_MS 5000

/* region: start */
Pid
worker_supervisor_start_link (gconstpointer config, GError **error)
{
  const PoolyConfig *pool = config;
  g_autofree char *name = g_strconcat (pool->name, "WorkerSupervisor", NULL);
  ChildSpec worker = { .klass = pool->worker,
                       .args = (gpointer) pool->args,
                       .restart = RESTART_TEMPORARY,
                       .shutdown_ms = WORKER_SHUTDOWN_MS };

  await_orphan (name);
  return supervisor_start_link (
    &(SupervisorSpec) { .name = name,
                        .strategy = STRATEGY_SIMPLE_ONE_FOR_ONE,
                        .max_restarts = MAX_RESTARTS,
                        .max_seconds = MAX_SECONDS,
                        .children = &worker,
                        .n_children = 1 },
    error);
}
/* end */
