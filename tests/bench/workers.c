/* Workers that start, and that die. */
#include "pooly.h"

#include <malloc.h>

/* START */

static gint64
time_start (const GenServerClass *worker, guint n_workers)
{
  gint64 begin = bench_now ();
  gint64 duration;

  start_pool (worker, n_workers);
  duration = bench_now () - begin;
  pooly_stop ();
  return duration;
}

/* The first pool does not count. */
static double
measure_start_of (const GenServerClass *worker, guint n_workers, guint n_pools)
{
  gint64 sum = 0;

  time_start (worker, n_workers);
  for (guint i = 0; i < n_pools; i++)
    sum += time_start (worker, n_workers);
  return (double) sum / (n_pools * n_workers);
}

double
measure_start (guint n_workers)
{
  return measure_start_of (&short_class, n_workers, 50000 / n_workers);
}

/* Once is enough: that takes half a second. */
double
measure_start_long (guint n_workers)
{
  return measure_start_of (&long_class, n_workers, 1);
}

/* What malloc has given away, a large piece of its own each or not. */
static double
get_allocated (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return (double) (info.uordblks + info.hblkhd);
}

double
measure_memory (guint n_workers)
{
  double before = get_allocated ();

  start_pool (&short_class, n_workers);
  return (get_allocated () - before) / n_workers;
}

/* DEATH */

#if POOLY_VERSION >= 2

static Pid
take (void)
{
  g_autoptr (GError) error = NULL;
  Pid worker = face_checkout (&error);

  if (worker == PID_NONE)
    g_error ("no worker: %s", error->message);
  return worker;
}

static void
wait_until_whole (void)
{
  PoolyStatus status;

  do
    if (!face_status (&status, NULL))
      g_error ("no status");
  while (status.idle < POOL_SIZE);
}

/* A worker that is lent: so the pool can't seem whole before it has heard. */
static double
measure_kill_of (const GenServerClass *worker, guint n_kills)
{
  gint64 sum = 0;

  start_pool (worker, POOL_SIZE);
  for (guint i = 0; i < n_kills; i++) {
    Pid victim = take ();
    gint64 begin = bench_now ();

    process_exit (victim, REASON_KILL);
    wait_until_whole ();
    sum += bench_now () - begin;
  }
  return (double) sum / n_kills;
}

double
measure_kill (guint n_kills)
{
  return measure_kill_of (&short_class, n_kills);
}

double
measure_kill_long (guint n_kills)
{
  return measure_kill_of (&long_class, n_kills);
}

#endif
