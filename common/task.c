/* Three share a task: its process, what hears of that one's end, and the owner.
 * Whoever is the last frees it.  That it is done is told by its end, as with
 * every other process. */
#include "task.h"

#include "run.h"
#include "signals.h"

G_DEFINE_QUARK (task-error-quark, task_error)

struct Task {
  Pid            pid;
  TaskFunc       func;
  gpointer       data;
  GDestroyNotify free_data;
  GDestroyNotify free_result;
  /* atomic: */
  gint     is_done;
  gpointer result;
  gsize    reason; /* why its process ended */
};

static void
clear (gpointer data)
{
  Task *task = data;

  if (task->result != NULL && task->free_result != NULL)
    task->free_result (task->result);
}

static void
run (gpointer data)
{
  Task *task = data;

  g_atomic_pointer_set (&task->result, task->func (task->data));
  g_atomic_int_set (&task->is_done, !process_is_dying ());
}

static void
run_is_over (gpointer data)
{
  Task *task = data;

  if (task->free_data != NULL)
    task->free_data (task->data);
  task_free (task);
}

/* Before any waiter is told. */
static void
tell_task (const Bond *bond, Pid dead G_GNUC_UNUSED, Reason reason)
{
  Task *task = bond->cookie;

  g_atomic_pointer_set (&task->reason, reason);
  task_free (task);
}

Task *
task_async (TaskFunc func, gpointer data, GDestroyNotify free_data,
            GDestroyNotify free_result)
{
  Ref ref = slot_new_ref ();
  Process *process;
  Task *task;

  g_return_val_if_fail (func != NULL, NULL);

  task = g_atomic_rc_box_new0 (Task);
  *task = (Task) { .func = func,
                   .data = data,
                   .free_data = free_data,
                   .free_result = free_result };
  task->pid = run_new_function ("task", run, g_atomic_rc_box_acquire (task),
                                run_is_over);
  process = slot_lock_alive (task->pid);
  if (process != NULL) {
    bonds_add (&process->bonds,
               (Bond) { .key = ref,
                        .tell = tell_task,
                        .ref = ref,
                        .cookie = g_atomic_rc_box_acquire (task) });
    slot_unlock (process);
  }
  run_start (task->pid);
  return task;
}

gboolean
task_await (Task *task, int timeout_ms, gpointer *result, GError **error)
{
  gboolean has_ended;
  gpointer value;

  g_return_val_if_fail (task != NULL, FALSE);

  has_ended = process_wait_end (task->pid, timeout_ms);
  if (!has_ended && process_is_dying ()) {
    g_set_error (error, TASK_ERROR, TASK_ERROR_EXIT,
                 "who awaits task " PID_FORMAT " was told to die",
                 PID_ARGS (task->pid));
    return FALSE;
  }
  if (!has_ended) {
    g_set_error (error, TASK_ERROR, TASK_ERROR_TIMEOUT,
                 "task " PID_FORMAT " is not done yet", PID_ARGS (task->pid));
    return FALSE;
  }
  if (!g_atomic_int_get (&task->is_done)) {
    Reason reason = (Reason) g_atomic_pointer_get (&task->reason);

    g_set_error (error, TASK_ERROR, TASK_ERROR_EXIT,
                 "task " PID_FORMAT " ended before it was done: %s",
                 PID_ARGS (task->pid), g_quark_to_string (reason));
    return FALSE;
  }
  value = g_atomic_pointer_get (&task->result);
  g_atomic_pointer_set (&task->result, NULL);
  if (result != NULL)
    *result = value;
  else if (value != NULL && task->free_result != NULL)
    task->free_result (value);
  return TRUE;
}

Pid
task_get_pid (Task *task)
{
  g_return_val_if_fail (task != NULL, PID_NONE);

  return task->pid;
}

void
task_free (Task *task)
{
  if (task != NULL)
    g_atomic_rc_box_release_full (task, clear);
}
