/* Who waits in line, and leaves it.
 *
 * It is the server's own work that is measured: that of its line.  So those who
 * wait need no threads, which would have to be woken. */
#include "pooly.h"

#if POOLY_VERSION >= 4

#define N_LEAVING 100
#define N_ROUNDS 1000

/* Puts some of them, chosen at random, before the others. */
static void
choose (Pid *waiters, guint n_waiters)
{
  for (guint i = 0; i < N_LEAVING; i++) {
    guint other = (guint) g_random_int_range ((gint32) i, (gint32) n_waiters);
    Pid pid = waiters[i];

    waiters[i] = waiters[other];
    waiters[other] = pid;
  }
}

static void
join (Line *line, const Pid *waiters, guint n)
{
  for (guint i = 0; i < n; i++)
    line_join (line, (From) { .pid = waiters[i], .ref = 1 });
}

static gint64
time_leaving (Line *line, const Pid *waiters)
{
  gint64 begin = bench_now ();

  for (guint i = 0; i < N_LEAVING; i++)
    line_leave (line, waiters[i]);
  return bench_now () - begin;
}

double
measure_leaving (guint n_waiters)
{
  g_autofree Pid *waiters = g_new (Pid, n_waiters);
  gint64 sum = 0;
  Line line;

  line_init (&line);
  for (guint i = 0; i < n_waiters; i++)
    waiters[i] = gen_server_start (&short_class, NULL, NULL, NULL);
  join (&line, waiters, n_waiters);
  for (guint i = 0; i < N_ROUNDS; i++) {
    choose (waiters, n_waiters);
    sum += time_leaving (&line, waiters);
    join (&line, waiters, N_LEAVING);
  }
  return (double) sum / (N_LEAVING * N_ROUNDS);
}

#endif
