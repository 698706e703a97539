/* A supervisor that is killed can't stop its children.  They end by themselves,
 * when they hear of it, and have their registered names until then. */
#include "internal.h"
#include "names.h"
#include "signals.h"

static gboolean
is_orphan (Pid pid)
{
  g_autoptr (GArray) list = process_list ();
  Pid parent = PID_NONE;

  for (guint i = 0; i < list->len; i++)
    if (g_array_index (list, ProcessInfo, i).pid == pid)
      parent = g_array_index (list, ProcessInfo, i).parent;
  return parent != PID_NONE && !process_is_alive (parent);
}

/* region: await */
void
await_orphan (const char *name)
{
  Pid pid;

  while ((pid = process_whereis (name)) != PID_NONE && is_orphan (pid)
         && !process_is_dying ())
    process_wait_end (pid, -1);
}
/* end */
