/* The top of the tree.  one_for_all: the pools are there because Pooly.Server has
 * asked for them; without it nobody can, and without them it would have to know
 * which there were. */
#include "internal.h"

/* region: start */
Pid
pooly_supervisor_start (GPtrArray *configs, GError **error)
{
  ChildSpec children[] = {
    { .id = "PoolsSupervisor",
      .start = pools_supervisor_start_link,
      .is_supervisor = TRUE },
    { .id = "Server",
      .start = pooly_server_start_link,
      .args = g_ptr_array_ref (configs),
      .free_args = (GDestroyNotify) g_ptr_array_unref },
  };

  return supervisor_start (&(SupervisorSpec) { .name = "Pooly.Supervisor",
                                               .strategy = STRATEGY_ONE_FOR_ALL,
                                               .children = children,
                                               .n_children = 2 },
                           error);
}
/* end */
