/* Has the pools under it.  one_for_one: when a pool's supervisor dies, that pool
 * is started again, and the others are left alone.  It begins with no children;
 * Pooly.Server asks for each. */
#include "internal.h"

/* region: start */
Pid
pools_supervisor_start_link (gconstpointer args G_GNUC_UNUSED, GError **error)
{
  await_orphan ("Pooly.PoolsSupervisor");
  return supervisor_start_link (
    &(SupervisorSpec) { .name = "Pooly.PoolsSupervisor",
                        .strategy = STRATEGY_ONE_FOR_ONE },
    error);
}
/* end */
