/* task: runs a function as a process, and waits for its result.
 *
 * After Elixir's Task.Supervisor.async_nolink: the task may crash without
 * taking its owner along, and the other way round.
 */
#ifndef TASK_H
#define TASK_H

#include "process.h"

#define TASK_ERROR (task_error_quark ())
GQuark task_error_quark (void);

/**
 * TaskError:
 * @TASK_ERROR_EXIT: the task, or whoever awaits it, was told to die before it was
 *   done
 * @TASK_ERROR_TIMEOUT: it is not done yet; await it again
 */
typedef enum { TASK_ERROR_EXIT, TASK_ERROR_TIMEOUT } TaskError;

/**
 * Task:
 *
 * A function at work.  task_free() it, or use `g_autoptr(Task)`; a task that
 * is freed before it is done goes on, and its result is freed.
 */
typedef struct Task Task;

/**
 * TaskFunc:
 * @data: (nullable): what was given to task_async()
 *
 * Returns: (nullable) (transfer full): the result
 */
typedef gpointer (*TaskFunc) (gpointer data);

/**
 * task_async:
 * @func: what to do
 * @data: (nullable) (transfer full): handed to @func
 * @free_data: (nullable): frees @data after @func, or when it was never run
 * @free_result: (nullable): frees a result that nobody awaits
 *
 * Returns: (transfer full): the task
 */
Task *task_async (TaskFunc func, gpointer data, GDestroyNotify free_data,
                  GDestroyNotify free_result);

/**
 * task_await:
 * @task: a task
 * @timeout_ms: how long to wait, in milliseconds; -1 for ever, 0 not at all
 * @result: (out) (optional) (transfer full): what the function returned; the
 *   first await takes it, a later one finds %NULL
 * @error: (nullable): a #TaskError
 *
 * Returns: whether the task is done
 */
gboolean task_await (Task *task, int timeout_ms, gpointer *result,
                     GError **error);

/**
 * task_get_pid:
 * @task: a task
 *
 * Returns: the process that runs it, to monitor or to kill
 */
Pid task_get_pid (Task *task);

/**
 * task_free:
 * @task: (nullable) (transfer full): a task; if it is not done, it goes on
 */
void task_free (Task *task);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Task, task_free)

#endif
