/* The scheduler of a simulation.
 *
 * Threads are real here, too, but exactly one goes on at a time, and hands over
 * only at a point.  There a generator of random numbers picks who is next among
 * all who could go on.  So the seed of the generator is the whole schedule:
 * the same seed makes the same run, event for event.
 *
 * Whatever is pushed gets a thread of its own at once, so that no order is
 * impossible.  (The real scheduler has fewer threads, but nobody may rely on
 * that.)
 *
 * Some are fast and some are slow, up to 64 times, for as long as they run one
 * thing: so that one can come late for many points in a row, as on a busy
 * machine.  With equal chances that would hardly ever happen.
 *
 * The clock stands still while somebody can go on.  When nobody can, it jumps
 * to what is due next; and now and then it does so before, or else no time
 * limit would ever strike while something else happens.
 *
 * Nothing here needs a lock: only the one who goes on touches it, and handing
 * over by a semaphore makes the next one see it.
 */
#include "scheduler_sim.h"

#include "scheduler.h"

#include <errno.h>
#include <semaphore.h>

#define TIME_PASSES_ONCE_IN 16 /* points */

typedef struct {
  sem_t     turn;
  guint     speed; /* how often it is picked, compared with others */
  Runnable *runnable;
  Parker   *parker; /* where it waits, or NULL */
  gint64    deadline;
} Thread;

struct Parker {
  Thread  *thread; /* who waits here, or NULL */
  gboolean is_woken;
};

typedef struct {
  gint64  due;
  guint64 id;
  void  (*func) (guint64 id);
} Call;

static GRand *chance;
static gint64 now = G_USEC_PER_SEC;
static void (*tell_stuck) (void);
static gboolean is_over;  /* somebody tells what has become of it */
static GPtrArray *ready;  /* Thread: those who could go on, and who does */
static GPtrArray *parked; /* Thread, in the order in which they began to wait */
static GQueue unused;     /* Thread */
static GQueue calls;      /* Call, by due, then by id */
static gboolean clock_is_pushed;

static _Thread_local Thread *self;

static guint
draw (guint n)
{
  return (guint) g_rand_int_range (chance, 0, (gint32) n);
}

static Thread *
thread_new (void)
{
  Thread *thread = g_new0 (Thread, 1);

  sem_init (&thread->turn, 0, 0);
  return thread;
}

static void
draw_speed (Thread *thread)
{
  static const guint speeds[] = { 1, 4, 16, 64 };

  thread->speed = speeds[draw (G_N_ELEMENTS (speeds))];
}

static void
wait_for_turn (void)
{
  while (sem_wait (&self->turn) != 0 && errno == EINTR)
    continue;
}

static void
unpark (Thread *thread)
{
  g_ptr_array_remove (parked, thread);
  g_ptr_array_add (ready, thread);
  thread->parker->thread = NULL;
  thread->parker = NULL;
}

static void
make_due_calls (Runnable *runnable G_GNUC_UNUSED)
{
  const Call *first;

  while ((first = g_queue_peek_head (&calls)) != NULL && first->due <= now) {
    g_autofree Call *call = g_queue_pop_head (&calls);

    call->func (call->id);
  }
  clock_is_pushed = FALSE;
}

/* Jumps to what is due next.
 *
 * Returns: whether there is anything */
static gboolean
pass_time (void)
{
  static Runnable clock = { make_due_calls };
  const Call *first = g_queue_peek_head (&calls);
  gint64 next = first != NULL && !clock_is_pushed ? first->due
                                                  : SCHEDULER_NEVER;

  for (guint i = 0; i < parked->len; i++)
    next = MIN (next, ((Thread *) parked->pdata[i])->deadline);
  if (next == SCHEDULER_NEVER)
    return FALSE;

  now = MAX (now, next);
  for (guint i = parked->len; i-- > 0;)
    if (((Thread *) parked->pdata[i])->deadline <= now)
      unpark (parked->pdata[i]);
  if (first != NULL && first->due <= now && !clock_is_pushed) {
    clock_is_pushed = TRUE;
    scheduler_push (&clock);
  }
  return TRUE;
}

static Thread *
pick (void)
{
  guint sum = 0, chosen, i = 0;

  for (guint j = 0; j < ready->len; j++)
    sum += ((Thread *) ready->pdata[j])->speed;
  chosen = draw (sum);
  while (chosen >= ((Thread *) ready->pdata[i])->speed)
    chosen -= ((Thread *) ready->pdata[i++])->speed;
  return ready->pdata[i];
}

/* Lets somebody go on: maybe who was going on, if that is among the ready. */
static void
hand_over (void)
{
  Thread *next;

  if (draw (TIME_PASSES_ONCE_IN) == 0)
    pass_time ();
  while (ready->len == 0)
    if (!pass_time ()) {
      is_over = TRUE;
      tell_stuck ();
    }
  next = pick ();
  if (next != self) {
    sem_post (&next->turn);
    wait_for_turn ();
  }
}

static gpointer
run_thread (gpointer thread)
{
  self = thread;
  wait_for_turn ();
  for (;;) {
    self->runnable->run (self->runnable);
    g_ptr_array_remove (ready, self);
    g_queue_push_head (&unused, self);
    hand_over ();
  }
  return NULL;
}

void
scheduler_push (Runnable *runnable)
{
  Thread *thread = g_queue_pop_head (&unused);

  if (thread == NULL) {
    thread = thread_new ();
    g_thread_unref (g_thread_new ("simulated", run_thread, thread));
  }
  thread->runnable = runnable;
  draw_speed (thread);
  g_ptr_array_add (ready, thread);
}

void
simulation_begin (guint32 seed, void (*is_stuck) (void))
{
  chance = g_rand_new_with_seed (seed);
  tell_stuck = is_stuck;
  ready = g_ptr_array_new ();
  parked = g_ptr_array_new ();
  self = thread_new ();
  draw_speed (self);
  g_ptr_array_add (ready, self);
}

void
scheduler_point (void)
{
  if (is_over)
    return;
  if (self == NULL)
    g_error ("a plain thread can't take part in a simulation: "
             "make it a process, by process_spawn() or task_async()");
  hand_over ();
}

/* Nobody is blocked by a lock here: who can't have it has had its turn. */
void
scheduler_lock (GMutex *lock)
{
  do
    scheduler_point ();
  while (!g_mutex_trylock (lock));
}

void
scheduler_write_lock (GRWLock *lock)
{
  do
    scheduler_point ();
  while (!g_rw_lock_writer_trylock (lock));
}

void
scheduler_read_lock (GRWLock *lock)
{
  do
    scheduler_point ();
  while (!g_rw_lock_reader_trylock (lock));
}

gboolean
scheduler_may_lend (void)
{
  return draw (2) == 0;
}

gint64
scheduler_now (void)
{
  return now;
}

gint64
scheduler_deadline (int timeout_ms)
{
  if (timeout_ms < 0)
    return SCHEDULER_NEVER;
  return now + timeout_ms * G_TIME_SPAN_MILLISECOND;
}

Parker *
scheduler_parker_new (void)
{
  return g_new0 (Parker, 1);
}

void
scheduler_park (Parker *parker, gint64 deadline)
{
  if (!parker->is_woken && now < deadline) {
    g_ptr_array_remove (ready, self);
    g_ptr_array_add (parked, self);
    self->parker = parker;
    self->deadline = deadline;
    parker->thread = self;
  }
  hand_over ();
  parker->is_woken = FALSE;
}

void
scheduler_wake (Parker *parker)
{
  parker->is_woken = TRUE;
  if (parker->thread != NULL)
    unpark (parker->thread);
}

static gint
compare_calls (gconstpointer a, gconstpointer b, gpointer data G_GNUC_UNUSED)
{
  const Call *one = a, *other = b;

  return one->due != other->due ? (one->due < other->due ? -1 : 1)
                                : (one->id > other->id) - (one->id < other->id);
}

void
scheduler_call_at (gint64 due, guint64 id, void (*func) (guint64 id))
{
  Call call = { due, id, func };

  g_queue_insert_sorted (&calls, g_memdup2 (&call, sizeof call), compare_calls,
                         NULL);
}

void
scheduler_forget (gint64 due G_GNUC_UNUSED, guint64 id)
{
  for (GList *l = calls.head; l != NULL; l = l->next)
    if (((Call *) l->data)->id == id) {
      g_free (l->data);
      g_queue_delete_link (&calls, l);
      return;
    }
}
