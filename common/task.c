/* The process and its owner share what the function returns, and whoever comes
 * second frees it.  That the task is done is told by its end, as with every
 * other process. */
#include "task.h"

#include "run.h"
#include "signals.h"

G_DEFINE_QUARK (task-error-quark, task_error)

typedef struct {
  TaskFunc       func;
  gpointer       data;
  GDestroyNotify free_data;
  GDestroyNotify free_result;
  /* atomic: */
  gint     n_owners;
  gint     is_done;
  gpointer result;
  gsize    reason; /* why its process ended */
} Work;

struct Task {
  Pid   pid;
  Work *work;
};

static void
work_unref (Work *work)
{
  if (!g_atomic_int_dec_and_test (&work->n_owners))
    return;
  if (work->result != NULL && work->free_result != NULL)
    work->free_result (work->result);
  g_free (work);
}

static void
task_run (gpointer data)
{
  Work *work = data;

  g_atomic_pointer_set (&work->result, work->func (work->data));
  g_atomic_int_set (&work->is_done, !process_is_dying ());
}

static void
task_finalize (gpointer data)
{
  Work *work = data;

  if (work->free_data != NULL)
    work->free_data (work->data);
  work_unref (work);
}

/* Before any waiter is told. */
static void
tell_work (const Bond *bond, Pid dead G_GNUC_UNUSED, Reason reason)
{
  Work *work = bond->cookie;

  g_atomic_pointer_set (&work->reason, reason);
  work_unref (work);
}

static const ProcessClass task_class = { .run = task_run,
                                         .finalize = task_finalize };

Task *
task_async (TaskFunc func, gpointer data, GDestroyNotify free_data,
            GDestroyNotify free_result)
{
  Task *task;
  Work *work;
  Process *process;

  g_return_val_if_fail (func != NULL, NULL);

  work = g_new (Work, 1);
  *work = (Work) { .func = func,
                   .data = data,
                   .free_data = free_data,
                   .free_result = free_result,
                   .n_owners = 3 /* the process, its bond, and the task */ };
  process = run_new (&task_class, "task", work, PID_NONE);
  slot_lock (process);
  slot_add_bond (process, slot_new_ref (),
                 (Bond) { .tell = tell_work, .cookie = work });
  slot_unlock (process);
  task = g_new (Task, 1);
  *task = (Task) { .pid = process->pid, .work = work };
  run_start (process);
  return task;
}

gboolean
task_await (Task *task, int timeout_ms, gpointer *result, GError **error)
{
  gpointer value;

  g_return_val_if_fail (task != NULL, FALSE);

  if (!process_wait_end (task->pid, timeout_ms)) {
    g_set_error (error, TASK_ERROR, TASK_ERROR_TIMEOUT,
                 "task " PID_FORMAT " is not done yet", PID_ARGS (task->pid));
    return FALSE;
  }
  if (!g_atomic_int_get (&task->work->is_done)) {
    Reason reason = (Reason) g_atomic_pointer_get (&task->work->reason);

    g_set_error (error, TASK_ERROR, TASK_ERROR_EXIT,
                 "task " PID_FORMAT " ended before it was done: %s",
                 PID_ARGS (task->pid), g_quark_to_string (reason));
    return FALSE;
  }
  value = g_atomic_pointer_get (&task->work->result);
  g_atomic_pointer_set (&task->work->result, NULL);
  if (result != NULL)
    *result = value;
  else if (value != NULL && task->work->free_result != NULL)
    task->work->free_result (value);
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
  if (task == NULL)
    return;
  work_unref (task->work);
  g_free (task);
}
