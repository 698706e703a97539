/* scheduler: who runs, who waits, and what time it is.
 *
 * The only part of the program with threads, with waiting and with clocks, so
 * that another one can be put in its place.  It knows nothing of processes.
 *
 * There are two: scheduler.c on real threads, and scheduler_sim.c, where chance
 * decides who goes on, and the same seed always decides the same.  A program is
 * built with the one or the other.
 */
#ifndef SCHEDULER_H
#define SCHEDULER_H

#include <glib.h>

#define SCHEDULER_NEVER G_MAXINT64

/**
 * Runnable:
 * @run: called once for each scheduler_push(), on a shared thread
 *
 * Something to run; made to be the first member of a larger struct.
 */
typedef struct Runnable Runnable;
struct Runnable {
  void (*run) (Runnable *self);
};

/**
 * scheduler_push:
 * @runnable: (transfer none): what to run
 *
 * Has it run on one of the shared threads, after what was pushed before.
 */
void scheduler_push (Runnable *runnable);

/**
 * scheduler_now:
 *
 * Returns: the monotonic clock, in microseconds
 */
gint64 scheduler_now (void);

/**
 * scheduler_deadline:
 * @timeout_ms: milliseconds from now, or -1
 *
 * Returns: the time by scheduler_now(), or %SCHEDULER_NEVER for -1
 */
gint64 scheduler_deadline (int timeout_ms);

/**
 * Parker:
 *
 * Where one thread at a time waits to be woken.  It remembers being woken, so
 * that whoever decides to wait and is woken before it does, does not.
 */
typedef struct Parker Parker;

Parker *scheduler_parker_new (void);

/**
 * scheduler_park:
 * @parker: where to wait
 * @deadline: by scheduler_now(), or %SCHEDULER_NEVER
 *
 * Waits until woken, or until the deadline; now and then also for no reason,
 * so look again at what you wait for.  Meanwhile another shared thread may
 * run in the place of this one.
 */
void scheduler_park (Parker *parker, gint64 deadline);

void scheduler_wake (Parker *parker);

/**
 * scheduler_call_at:
 * @due: when, by scheduler_now()
 * @id: a number that no other call has
 * @func: what to call, with @id; it must not block
 *
 * Calls a function later, on a thread of the scheduler's.  What is due first
 * is called first; what is due at the same time, in the order of the numbers.
 */
void scheduler_call_at (gint64 due, guint64 id, void (*func) (guint64 id));

/**
 * scheduler_forget:
 * @due: as it was given to scheduler_call_at()
 * @id: as it was given to scheduler_call_at()
 *
 * Takes a call back, unless it is being made.
 */
void scheduler_forget (gint64 due, guint64 id);

/* What follows is for a simulation only, and costs real threads nothing. */
#ifdef SIMULATED

/**
 * scheduler_point:
 *
 * Says that it may matter who goes on here, because something that others see
 * is about to be read or changed: so before a lock is taken.  Only under locks
 * that were taken by scheduler_lock() or _write_lock() may there be such points.
 */
void scheduler_point (void);

/**
 * scheduler_lock:
 * @lock: a lock under which others may go on
 */
void scheduler_lock (GMutex *lock);

/**
 * scheduler_write_lock:
 * @lock: a lock under which others may go on
 */
void scheduler_write_lock (GRWLock *lock);

/**
 * scheduler_read_lock:
 * @lock: a lock that is taken by scheduler_write_lock() elsewhere
 */
void scheduler_read_lock (GRWLock *lock);

/**
 * scheduler_may_lend:
 *
 * Returns: whether a thread that could be lent shall be
 */
gboolean scheduler_may_lend (void);

#else
#define scheduler_point() ((void) 0)
#define scheduler_lock(lock) g_mutex_lock (lock)
#define scheduler_write_lock(lock) g_rw_lock_writer_lock (lock)
#define scheduler_read_lock(lock) g_rw_lock_reader_lock (lock)
#define scheduler_may_lend() TRUE
#endif

#endif
