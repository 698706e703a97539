/* The top of the tree.  It starts the pool server, and the pool server has it
 * start the worker supervisor later.  one_for_all: a pool server that is started
 * again knows nothing of the workers there are, so they go, too. */
#include "internal.h"

/* The pool server traps exits, so being told to stop is one more message for
 * it; and while it calls this supervisor, which waits for its end, neither gets
 * any further.  So it is given less than the usual five seconds. */
#define SERVER_SHUTDOWN_MS 20

/* region: start */
Pid
pool_supervisor_start (const PoolyConfig *config, GError **error)
{
  ChildSpec children[] = {
    { .id = "Server",
      .start = pool_server_start_link,
      .args = g_memdup2 (config, sizeof *config),
      .free_args = g_free,
      .shutdown_ms = SERVER_SHUTDOWN_MS },
  };

  return supervisor_start (&(SupervisorSpec) { .name = "Pooly.Supervisor",
                                               .strategy = STRATEGY_ONE_FOR_ALL,
                                               .children = children,
                                               .n_children = 1 },
                           error);
}
/* end */
