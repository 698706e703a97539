#include "scenarios.h"

/* MORTALS */

typedef struct {
  Lives   *lives; /* NULL when init never ran */
  gboolean is_over;
} Mortal;

/* One at a time where there is more to come: they are one server's. */
static gboolean
is_to_fail (Lives *lives, gint number)
{
  gint n_left = g_atomic_int_get (&lives->n_to_fail);

  if (n_left > 0)
    g_atomic_int_add (&lives->n_to_fail, -1);
  return n_left != 0 || number == lives->fails_at;
}

static gboolean
init (gpointer state, gconstpointer args, GError **error)
{
  Mortal *self = state;
  gint number;

  self->lives = (gpointer) args;
  number = g_atomic_int_add (&self->lives->n_begun, 1) + 1;
  if (!is_to_fail (self->lives, number))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, LIVES_FAULT);
  return FALSE;
}

static void
finalize (gpointer state)
{
  Mortal *self = state;

  g_assert_false (self->is_over);
  self->is_over = TRUE;
  if (self->lives != NULL)
    g_atomic_int_inc (&self->lives->n_over);
}

static void
handle_call (gpointer state G_GNUC_UNUSED, Message *request G_GNUC_UNUSED,
             From from)
{
  gen_server_reply (from, (Message) { .tag = LIVES_ANSWER });
}

static gboolean
always_short (gconstpointer state G_GNUC_UNUSED,
              const Message *message G_GNUC_UNUSED)
{
  return TRUE;
}

const GenServerClass short_mortal_class = {
  .name = "ShortMortal",
  .state_size = sizeof (Mortal),
  .is_short = always_short,
  .init = init,
  .handle_call = handle_call,
  .finalize = finalize,
};

const GenServerClass mortal_class = {
  .name = "Mortal",
  .state_size = sizeof (Mortal),
  .init = init,
  .handle_call = handle_call,
  .finalize = finalize,
};

/* THE POOL */

Pid
take_at (const char *file, int line, const char *func)
{
  g_autoptr (GError) error = NULL;
  Pid worker = face_checkout (&error);

  if (error != NULL)
    g_assertion_message_error (G_LOG_DOMAIN, file, line, func, "no worker",
                               error, 0, 0);
  return worker;
}

void
take_all (Pid *workers, guint size)
{
  for (guint i = 0; i < size; i++) {
    workers[i] = take ();
    g_assert_true (process_is_alive (workers[i]));
    g_assert_false (is_among (workers[i], workers, i));
  }
  assert_not_taken (POOLY_ERROR_FULL);
}

void
check_in_all (const Pid *workers, guint n_workers)
{
  for (guint i = 0; i < n_workers; i++)
    face_checkin (workers[i]);
}

/* OTHERS */

gboolean
is_among (Pid pid, const Pid *pids, guint n_pids)
{
  for (guint i = 0; i < n_pids; i++)
    if (pids[i] == pid)
      return TRUE;
  return FALSE;
}

guint
count_children (const char *supervisor)
{
  ChildCount count;
  g_autoptr (GError) error = NULL;

  supervisor_count_children (process_whereis (supervisor), &count, &error);
  g_assert_no_error (error);
  return count.n_active;
}

Reason
crash (void)
{
  return g_quark_from_static_string ("crash");
}

void
kill_and_wait (Pid pid)
{
  process_exit (pid, REASON_KILL);
  g_assert_true (process_wait_end (pid, test_limit ()));
}

void
run_threads (guint n_threads, GThreadFunc func, gpointer data)
{
  GThread **threads = g_newa (GThread *, n_threads);

  for (guint i = 0; i < n_threads; i++)
    threads[i] = g_thread_new ("one of many", func, data);
  for (guint i = 0; i < n_threads; i++)
    g_thread_join (threads[i]);
}

/* WORK */

static gpointer
work_run (gpointer data)
{
  Work *work = data;

  work->is_done = sample_worker_work_for (work->worker, work->duration_ms,
                                          &work->error);
  g_atomic_int_set (&work->is_over, TRUE);
  return NULL;
}

static gboolean
is_running (Pid pid)
{
  g_autoptr (GArray) list = process_list ();

  for (guint i = 0; i < list->len; i++)
    if (g_array_index (list, ProcessInfo, i).pid == pid)
      return g_array_index (list, ProcessInfo, i).state == PROCESS_RUNNING;
  return FALSE;
}

void
work_begin (Work *work, Pid worker, guint duration_ms)
{
  *work = (Work) { .worker = worker, .duration_ms = duration_ms };
  work->thread = g_thread_new ("consumer", work_run, work);
  wait_until (is_running (worker) || g_atomic_int_get (&work->is_over));
}

void
work_end (Work *work)
{
  g_thread_join (work->thread);
}

/* LOAD */

#define N_CONSUMERS 4

static struct {
  GThread *consumers[N_CONSUMERS];
  gint     is_over; /* atomic */
  gint     n_lent;  /* atomic */
} load;

/* From version 2 on a pool that is being stopped may say that it can't replace
 * the workers that have just been stopped. */
gboolean
may_fail_so (const GError *error)
{
  if (error->domain != POOLY_ERROR)
    return FALSE;
  switch (error->code) {
  case POOLY_ERROR_FULL:
  case POOLY_ERROR_DOWN:
    return TRUE;
  case POOLY_ERROR_WORKER:
    return POOLY_VERSION >= 2;
  default:
    return FALSE;
  }
}

gboolean
may_be_unknown (const GError *error)
{
#if POOLY_VERSION >= 3
  if (g_error_matches (error, POOLY_ERROR, POOLY_ERROR_NO_SUCH_POOL))
    return TRUE;
#endif
  return may_fail_so (error);
}

static void
borrow_once (void)
{
  g_autoptr (GError) error = NULL;
  Pid worker = face_checkout (&error);

  if (worker != PID_NONE) {
    g_atomic_int_inc (&load.n_lent);
    face_checkin (worker);
  } else if (!may_be_unknown (error)) {
    g_assert_no_error (error);
  }
}

static gpointer
borrow (gpointer data G_GNUC_UNUSED)
{
  while (!g_atomic_int_get (&load.is_over))
    borrow_once ();
  return NULL;
}

void
load_begin (void)
{
  load.is_over = FALSE;
  load.n_lent = 0;
  for (guint i = 0; i < N_CONSUMERS; i++)
    load.consumers[i] = g_thread_new ("consumer", borrow, NULL);
}

void
load_end (void)
{
  g_atomic_int_set (&load.is_over, TRUE);
  for (guint i = 0; i < N_CONSUMERS; i++)
    g_thread_join (load.consumers[i]);
}

guint
load_count (void)
{
  return (guint) g_atomic_int_get (&load.n_lent);
}
