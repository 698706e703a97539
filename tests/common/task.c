/* Tasks: functions that are processes, and their results. */
#include "task.h"
#include "helper.h"

static Reason crash;

typedef struct {
  Door door;
  gint n_data_freed, n_results_freed; /* atomic */
} Job;

static void
free_data (gpointer data)
{
  test_count (&((Job *) data)->n_data_freed);
}

static void
free_result (gpointer result)
{
  test_count (&((Job *) result)->n_results_freed);
}

/* Its result is the job itself. */
static gpointer
run (gpointer data)
{
  Job *job = data;

  g_assert_cmpint (g_atomic_int_get (&job->n_data_freed), ==, 0);
  return job;
}

static gpointer
run_in_door (gpointer data)
{
  door_stand (&((Job *) data)->door);
  return run (data);
}

static Task *
start (TaskFunc func, Job *job)
{
  return task_async (func, job, free_data, free_result);
}

static void
wait_end (Pid pid)
{
  g_assert_true (process_wait_end (pid, test_limit ()));
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
}

static void
assert_freed (Job *job, gint n_data, gint n_results)
{
  g_assert_cmpint (g_atomic_int_get (&job->n_data_freed), ==, n_data);
  g_assert_cmpint (g_atomic_int_get (&job->n_results_freed), ==, n_results);
}

static void
test_task_gives_its_result (void)
{
  static Job job;
  g_autoptr (Task) task = start (run, &job);
  g_autoptr (GError) error = NULL;
  gpointer result = NULL;

  g_assert_true (task_await (task, -1, &result, &error));
  g_assert_no_error (error);
  g_assert_true (result == &job);
  wait_end (task_get_pid (task));
  /* Now the result is ours to free. */
  g_clear_pointer (&task, task_free);
  assert_freed (&job, 1, 0);
  test_end ();
}

static gpointer
return_nothing (gpointer data)
{
  return data;
}

/* As a result like others. */
static void
test_task_may_give_nothing (void)
{
  g_autoptr (Task) task = task_async (return_nothing, NULL, NULL, NULL);
  gpointer result = &task;

  g_assert_true (task_await (task, test_limit (), &result, NULL));
  g_assert_null (result);
  wait_end (task_get_pid (task));
  test_end ();
}

static void
test_task_gives_its_result_once (void)
{
  static Job job;
  g_autoptr (Task) task = start (run, &job);
  gpointer result = NULL;

  g_assert_true (task_await (task, test_limit (), &result, NULL));
  g_assert_true (result == &job);
  g_assert_true (task_await (task, test_limit (), &result, NULL));
  g_assert_null (result);
  wait_end (task_get_pid (task));
  g_clear_pointer (&task, task_free);
  assert_freed (&job, 1, 0);
  test_end ();
}

static void
test_task_awaited_by_time (void)
{
  static Job job;
  g_autoptr (Task) task = start (run_in_door, &job);
  gint64 begin = g_get_monotonic_time ();
  int limits[] = { 0, 20 };
  gpointer result = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (task_await (task, limits[i], &result, &error));
    g_assert_error (error, TASK_ERROR, TASK_ERROR_TIMEOUT);
    g_assert_null (result);
  }
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 20000);
  gate_open (&job.door.leave);
  g_assert_true (task_await (task, test_limit (), &result, NULL));
  g_assert_true (result == &job);
  wait_end (task_get_pid (task));
  test_end ();
}

static gpointer
kill_in_door (gpointer data)
{
  Task *task = data;

  process_exit (task_get_pid (task), crash);
  return NULL;
}

/* The message says why. */
static void
assert_killed (Task *task)
{
  g_autoptr (GError) error = NULL;
  gpointer result = NULL;

  g_assert_false (task_await (task, -1, &result, &error));
  g_assert_error (error, TASK_ERROR, TASK_ERROR_EXIT);
  g_assert_nonnull (strstr (error->message, "crash"));
  g_assert_null (result);
}

/* Who awaits it hears at once; its function runs on. */
static void
test_task_killed_is_an_error (void)
{
  static Job job;
  g_autoptr (Task) task = start (run_in_door, &job);
  GThread *killer;

  gate_wait (&job.door.entered);
  killer = g_thread_new ("killer", kill_in_door, task);
  assert_killed (task);
  assert_killed (task);
  assert_freed (&job, 0, 0);
  g_thread_join (killer);

  gate_open (&job.door.leave);
  wait_end (task_get_pid (task));
  g_clear_pointer (&task, task_free);
  assert_freed (&job, 1, 1);
  test_end ();
}

static void
test_task_freed_before_it_is_done_goes_on (void)
{
  static Job job;
  Task *task = start (run_in_door, &job);
  Pid pid = task_get_pid (task);

  gate_wait (&job.door.entered);
  process_monitor (pid, NULL);
  task_free (task);
  g_assert_true (process_is_alive (pid));
  assert_freed (&job, 0, 0);
  gate_open (&job.door.leave);
  g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, REASON_NORMAL);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  assert_freed (&job, 1, 1);
  test_end ();
}

static void
test_task_result_that_nobody_awaits_is_freed (void)
{
  static Job job;
  Task *task = start (run, &job);

  wait_end (task_get_pid (task));
  assert_freed (&job, 1, 0);
  task_free (task);
  assert_freed (&job, 1, 1);
  test_end ();
}

/* Who awaits the end only has no use for it either. */
static void
test_task_result_that_nobody_takes_is_freed (void)
{
  static Job job;
  Task *task = start (run, &job);

  g_assert_true (task_await (task, test_limit (), NULL, NULL));
  wait_end (task_get_pid (task));
  task_free (task);
  assert_freed (&job, 1, 1);
  test_end ();
}

static gpointer
return_self (gpointer data)
{
  Pid *pid = data;

  *pid = process_self ();
  return NULL;
}

static void
test_task_is_a_process_that_ends_normally (void)
{
  static Job job;
  Pid self = PID_NONE;
  g_autoptr (Task) task = start (run_in_door, &job), other = NULL;

  process_monitor (task_get_pid (task), NULL);
  gate_open (&job.door.leave);
  g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, REASON_NORMAL);

  other = task_async (return_self, &self, NULL, NULL);
  g_assert_true (task_await (other, test_limit (), NULL, NULL));
  g_assert_cmpuint (task_get_pid (other), ==, self);
  wait_end (self);
  test_end ();
}

typedef struct {
  Job   job;
  Task *task;
} Owner;

static void
own_task (gpointer data)
{
  Owner *owner = data;

  owner->task = start (run_in_door, &owner->job);
  gate_wait (&owner->job.door.entered);
  process_exit (process_self (), crash);
}

/* Nor does its end end its owner. */
static void
test_task_survives_its_owner (void)
{
  static Owner owner;
  gpointer result = NULL;

  process_spawn_monitor (own_task, &owner, NULL, NULL, NULL);
  g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, crash);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  gate_open (&owner.job.door.leave);
  g_assert_true (task_await (owner.task, test_limit (), &result, NULL));
  g_assert_true (result == &owner.job);
  wait_end (task_get_pid (owner.task));
  task_free (owner.task);
  test_end ();
}

static void
test_task_killed_leaves_its_owner_alone (void)
{
  static Job job;
  g_autoptr (Task) task = start (run_in_door, &job);

  gate_wait (&job.door.entered);
  process_exit (task_get_pid (task), crash);
  g_assert_true (process_wait_end (task_get_pid (task), test_limit ()));
  g_assert_false (process_is_dying ());
  gate_open (&job.door.leave);
  test_end ();
}

/* Killed, awaited and freed at any moment, each is freed once. */
static void
test_task_storm_frees_each_once (void)
{
  guint count = test_scaled (1000);
  g_autofree Job *jobs = g_new0 (Job, count);
  g_autofree gint *n_taken = g_new0 (gint, count);

  for (guint i = 0; i < count; i++) {
    Task *task = start (run, &jobs[i]);
    gpointer result = NULL;

    if (i % 3 == 1)
      process_exit (task_get_pid (task), REASON_KILL);
    if (i % 2 == 1)
      task_await (task, (int) (i % 5) - 1, &result, NULL);
    n_taken[i] = result != NULL;
    if (i % 7 == 0)
      g_assert_true (process_wait_end (task_get_pid (task), test_limit ()));
    else
      process_monitor (task_get_pid (task), NULL);
    task_free (task);
    if (i % 7 != 0)
      test_receive (PROCESS_DOWN);
  }
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  for (guint i = 0; i < count; i++) {
    g_assert_cmpint (jobs[i].n_data_freed, ==, 1);
    g_assert_cmpint (jobs[i].n_results_freed + n_taken[i], <=, 1);
    /* One that was killed may never have run. */
    if (i % 3 != 1)
      g_assert_cmpint (jobs[i].n_results_freed + n_taken[i], ==, 1);
  }
  test_end ();
}

#define ADD(path, name) g_test_add_func ("/task/" path, test_task_##name)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  crash = g_quark_from_static_string ("crash");

  ADD ("gives-its-result", gives_its_result);
  ADD ("may-give-nothing", may_give_nothing);
  ADD ("gives-its-result-once", gives_its_result_once);
  ADD ("awaited-by-time", awaited_by_time);
  ADD ("killed-is-an-error", killed_is_an_error);
  ADD ("freed-before-it-is-done-goes-on", freed_before_it_is_done_goes_on);
  ADD ("result-that-nobody-awaits-is-freed",
       result_that_nobody_awaits_is_freed);
  ADD ("result-that-nobody-takes-is-freed", result_that_nobody_takes_is_freed);
  ADD ("is-a-process-that-ends-normally", is_a_process_that_ends_normally);
  ADD ("survives-its-owner", survives_its_owner);
  ADD ("killed-leaves-its-owner-alone", killed_leaves_its_owner_alone);
  ADD ("storm-frees-each-once", storm_frees_each_once);
  return g_test_run ();
}
