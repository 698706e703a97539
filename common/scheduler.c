/* The scheduler on real threads.
 *
 * Runnables stand in line for one GThreadPool, which has as many threads as
 * the machine has cores, and one more for each that is parked.  A thread can
 * also be blocked where nobody can see it: in a read, in a lock of somebody
 * else's.  So while work is in line a clock ticks, and when nothing was taken
 * up for two whole ticks although the cores were not busy, the pool grows by
 * half of itself.  It shrinks again when there was nothing to do.
 *
 * The ticking, and the calls that are due at a time, share one thread.
 */
#include "scheduler.h"

#include <time.h>

#define TICK_US 10000
#define BUSY_PERCENT 60   /* above this the cores are busy, not blocked */
#define STUCK_TICKS 2     /* that many with nothing taken up, and it grows */
#define QUIET_TICKS 10    /* that many without work, and the ticking stops */
#define MAX_THREADS 10000 /* and no more, whatever happens */
#define MAX_IDLE_THREADS 64

/* Sleeping and being woken takes as long as many a handler.  But on a machine
 * that others keep busy a single yield may take much longer than that. */
#define YIELDS_BEFORE_SLEEP 10
#define YIELDING_US 50

typedef struct {
  gint64  due;
  guint64 id;
  void  (*func) (guint64 id);
} Call;

static GThreadPool *pool;

/* atomic: */
static gint n_in_line; /* pushed, not yet taken up */
static gint n_taken;   /* taken up, ever */
static gint is_ticking;

/* the lock protects: */
static GMutex lock;
static GCond something_new; /* for the clock thread: a call, or work in line */
static GTree *calls;        /* Call → itself, by due, then by id */
static guint n_threads;     /* how many the pool may have, … */
static guint n_parked;      /* … not counting one for each of these */

static _Thread_local gboolean is_shared_thread;

/* HOLDS: lock */
static void
set_max_threads (void)
{
  static gboolean has_warned;
  g_autoptr (GError) error = NULL;

  g_thread_pool_set_max_threads (pool, (int) (n_threads + n_parked), &error);
  if (error != NULL && !has_warned) {
    has_warned = TRUE;
    g_message ("Can't have %u threads: %s", n_threads + n_parked,
               error->message);
  }
}

static gint
compare_calls (gconstpointer a, gconstpointer b, gpointer data G_GNUC_UNUSED)
{
  const Call *one = a, *other = b;

  return one->due != other->due ? (one->due < other->due ? -1 : 1)
                                : (one->id > other->id) - (one->id < other->id);
}

static const Call *
first_call (void)
{
  GTreeNode *node = g_tree_node_first (calls);

  return node != NULL ? g_tree_node_key (node) : NULL;
}

/* HOLDS: lock, but not while it calls.
 *
 * Returns: when the next call is due, or %SCHEDULER_NEVER */
static gint64
make_due_calls (void)
{
  const Call *first;

  while ((first = first_call ()) != NULL && first->due <= scheduler_now ()) {
    Call call = *first;

    g_tree_remove (calls, first);
    g_mutex_unlock (&lock);
    call.func (call.id);
    g_mutex_lock (&lock);
  }
  return first != NULL ? first->due : SCHEDULER_NEVER;
}

static gint64
cpu_time_us (void)
{
  struct timespec used;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
}

/* Returns: whether the cores were busy since it was last asked, with this
 * program or with others: then the clock comes late itself */
static gboolean
was_busy (void)
{
  static gint64 last_time, last_cpu_time;
  gint64 time = scheduler_now (), cpu_time = cpu_time_us ();
  gint64 cores_time = (time - last_time) * g_get_num_processors ();
  gint64 used = cpu_time - last_cpu_time;
  gboolean is_late = time - last_time > 2 * TICK_US;

  last_time = time;
  last_cpu_time = cpu_time;
  return is_late || used * 100 >= cores_time * BUSY_PERCENT;
}

/* HOLDS: lock.  Looks at what has happened since the last tick. */
static void
tick (void)
{
  static gint last_taken;
  static guint n_stuck, n_quiet;
  gboolean is_busy = was_busy ();
  gint taken = g_atomic_int_get (&n_taken);
  gboolean has_moved = taken != last_taken;
  gboolean has_line = g_atomic_int_get (&n_in_line) > 0;

  last_taken = taken;
  n_stuck = has_line && !has_moved && !is_busy ? n_stuck + 1 : 0;
  n_quiet = has_line || has_moved ? 0 : n_quiet + 1;
  if (n_stuck == STUCK_TICKS) {
    n_stuck = 0;
    n_threads = MIN (n_threads + MAX (1, n_threads / 2), MAX_THREADS);
    set_max_threads ();
  } else if (n_quiet == QUIET_TICKS) {
    n_quiet = 0;
    n_threads = g_get_num_processors ();
    set_max_threads ();
    g_atomic_int_set (&is_ticking, FALSE);
    /* Work that came before it could see this still wants its ticks. */
    if (g_atomic_int_get (&n_in_line) > 0)
      g_atomic_int_set (&is_ticking, TRUE);
  }
}

static gpointer
run_clock (gpointer data G_GNUC_UNUSED)
{
  gint64 next_tick = 0;

  g_mutex_lock (&lock);
  for (;;) {
    gint64 wake_up = make_due_calls ();

    if (g_atomic_int_get (&is_ticking) && scheduler_now () >= next_tick) {
      tick ();
      next_tick = scheduler_now () + TICK_US;
    }
    if (g_atomic_int_get (&is_ticking))
      wake_up = MIN (wake_up, next_tick);
    if (wake_up == SCHEDULER_NEVER)
      g_cond_wait (&something_new, &lock);
    else
      g_cond_wait_until (&something_new, &lock, wake_up);
  }
  return NULL;
}

static void
run_next (gpointer data, gpointer user_data G_GNUC_UNUSED)
{
  Runnable *runnable = data;

  g_atomic_int_add (&n_in_line, -1);
  g_atomic_int_inc (&n_taken);
  is_shared_thread = TRUE;
  runnable->run (runnable);
  is_shared_thread = FALSE; /* GLib may have the thread serve another pool */
}

/* GLib keeps two, and ends the others at once; but each time somebody parks
 * there is one more, and soon one less. */
static void
keep_idle_threads (void)
{
  int n_kept = g_thread_pool_get_max_unused_threads (); /* -1: all */

  if (n_kept >= 0 && n_kept < MAX_IDLE_THREADS)
    g_thread_pool_set_max_unused_threads (MAX_IDLE_THREADS);
}

static void
start (void)
{
  static gsize is_started;

  if (g_once_init_enter (&is_started)) {
    calls = g_tree_new_full (compare_calls, NULL, g_free, NULL);
    n_threads = g_get_num_processors ();
    keep_idle_threads ();
    pool = g_thread_pool_new (run_next, NULL, (int) n_threads, FALSE, NULL);
    g_thread_unref (g_thread_new ("clock", run_clock, NULL));
    g_once_init_leave (&is_started, 1);
  }
}

void
scheduler_push (Runnable *runnable)
{
  start ();
  g_atomic_int_inc (&n_in_line);
  g_thread_pool_push (pool, runnable, NULL);
  if (g_atomic_int_get (&is_ticking))
    return;
  g_mutex_lock (&lock);
  g_atomic_int_set (&is_ticking, TRUE);
  g_cond_signal (&something_new);
  g_mutex_unlock (&lock);
}

gint64
scheduler_now (void)
{
  return g_get_monotonic_time ();
}

gint64
scheduler_deadline (int timeout_ms)
{
  if (timeout_ms < 0)
    return SCHEDULER_NEVER;
  return scheduler_now () + timeout_ms * G_TIME_SPAN_MILLISECOND;
}

/* A parker is a GAsyncQueue, and a token in it says that it was woken. */

Parker *
scheduler_parker_new (void)
{
  return (Parker *) g_async_queue_new ();
}

static void
count_parked (gint change)
{
  if (!is_shared_thread)
    return;
  g_mutex_lock (&lock);
  n_parked += change;
  set_max_threads ();
  g_mutex_unlock (&lock);
}

/* Returns: whether it was woken meanwhile */
static gboolean
yield (GAsyncQueue *tokens, gint64 deadline)
{
  gint64 until = MIN (deadline, scheduler_now () + YIELDING_US);

  for (int i = 0; i < YIELDS_BEFORE_SLEEP && scheduler_now () < until; i++) {
    if (g_async_queue_try_pop (tokens) != NULL)
      return TRUE;
    g_thread_yield ();
  }
  return FALSE;
}

void
scheduler_park (Parker *parker, gint64 deadline)
{
  GAsyncQueue *tokens = (GAsyncQueue *) parker;
  gint64 now;

  if (yield (tokens, deadline))
    return;
  count_parked (+1);
  if (deadline == SCHEDULER_NEVER)
    g_async_queue_pop (tokens);
  else if ((now = scheduler_now ()) < deadline)
    g_async_queue_timeout_pop (tokens, deadline - now);
  count_parked (-1);
}

void
scheduler_wake (Parker *parker)
{
  g_async_queue_push ((GAsyncQueue *) parker, parker);
}

void
scheduler_call_at (gint64 due, guint64 id, void (*func) (guint64 id))
{
  Call *call = g_memdup2 (&(Call) { due, id, func }, sizeof *call);

  start ();
  g_mutex_lock (&lock);
  g_tree_insert (calls, call, call);
  if (first_call () == call)
    g_cond_signal (&something_new);
  g_mutex_unlock (&lock);
}

void
scheduler_forget (gint64 due, guint64 id)
{
  Call call = { .due = due, .id = id };

  g_mutex_lock (&lock);
  g_tree_remove (calls, &call);
  g_mutex_unlock (&lock);
}
