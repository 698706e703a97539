/* What the simulated scenarios share. */
#include "scenarios.h"
#include "trace.h"

/* Names are for the trace: it is what there is to see. */
Pid
spawn (const char *name, ProcessFunc func, gpointer data)
{
  Pid pid = process_spawn (func, data, NULL);

  trace_name (pid, name);
  return pid;
}

static void
kill_it (gpointer pid)
{
  process_exit (POINTER_TO_PID (pid), REASON_KILL);
}

Pid
spawn_killer (Pid victim)
{
  return spawn ("killer", kill_it, PID_TO_POINTER (victim));
}

void
wait_for (Pid pid)
{
  g_assert_true (process_wait_end (pid, test_limit ()));
}

/* Returns: somebody else who is alive */
static Pid
find_another (void)
{
  g_autoptr (GArray) list = process_list ();

  for (guint i = 0; i < list->len; i++) {
    Pid pid = g_array_index (list, ProcessInfo, i).pid;

    if (pid != process_self () && process_is_alive (pid))
      return pid;
  }
  return PID_NONE;
}

void
wait_for_all (void)
{
  Pid pid;

  while ((pid = find_another ()) != PID_NONE)
    wait_for (pid);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
}

void
assert_server_waits_on_its_own (void)
{
  Pid server = process_whereis (FACE_SERVER);
  g_autoptr (GArray) list = process_list ();

  for (guint i = 0; i < list->len; i++) {
    const ProcessInfo *info = &g_array_index (list, ProcessInfo, i);

    g_assert_true (info->pid != server || info->lender == PID_NONE
                   || info->waits_on == PID_NONE);
  }
}

void
stop_simulated (void)
{
  pooly_stop ();
  wait_for_all ();
}
