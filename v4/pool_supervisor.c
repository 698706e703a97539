/* The top of one pool.  It starts the pool server, and the pool server has it
 * start the worker supervisor later.  one_for_all: a pool server that is started
 * again knows nothing of the workers there are, so they go, too. */
#include "internal.h"

/* The pool server traps exits, so being told to stop is one more message for
 * it; and while it calls this supervisor, which waits for its end, neither gets
 * any further.  So it is given less than the usual five seconds. */
#define SERVER_SHUTDOWN_MS 20

/* region: start */
Pid
pool_supervisor_start_link (gconstpointer config, GError **error)
{
  const PoolyConfig *pool = config;
  g_autofree char *name = g_strconcat (pool->name, "Supervisor", NULL);
  ChildSpec children[] = {
    { .id = "Server",
      .start = pool_server_start_link,
      .args = config_copy (pool),
      .free_args = config_free,
      .shutdown_ms = SERVER_SHUTDOWN_MS },
  };

  await_orphan (name);
  return supervisor_start_link (
    &(SupervisorSpec) { .name = name,
                        .strategy = STRATEGY_ONE_FOR_ALL,
                        .children = children,
                        .n_children = 1 },
    error);
}
/* end */
