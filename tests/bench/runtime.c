/* What the pool is made of: servers and processes, without a pool. */
#include "pooly.h"
#include "signals.h"

#if POOLY_VERSION >= 4

static Pid server;

static void
start_server (const GenServerClass *klass)
{
  server = gen_server_start (klass, NULL, NULL, NULL);
}

static void
call_server (void)
{
  call (server);
}

double
measure_calls (guint n_calls)
{
  start_server (&short_class);
  return bench_clients (1, n_calls, call_server);
}

double
measure_calls_long (guint n_calls)
{
  start_server (&long_class);
  return bench_clients (1, n_calls, call_server);
}

/* CASTS */

static void
cast_all (guint n_casts)
{
  for (guint i = 0; i < n_casts; i++)
    gen_server_cast (server, (Message) { .tag = 1 });
  call_server (); /* has handled them all */
}

static double
measure_casts_to (const GenServerClass *klass, guint n_casts)
{
  gint64 begin;

  start_server (klass);
  cast_all (n_casts / 10);
  begin = bench_now ();
  cast_all (n_casts);
  return (double) (bench_now () - begin) / n_casts;
}

double
measure_casts (guint n_casts)
{
  return measure_casts_to (&short_class, n_casts);
}

double
measure_casts_long (guint n_casts)
{
  return measure_casts_to (&long_class, n_casts);
}

/* LIVES */

static void
do_nothing (gpointer unused G_GNUC_UNUSED)
{
}

static void
spawn_one (void)
{
  Message down;

  process_spawn_monitor (do_nothing, NULL, NULL, NULL, NULL);
  process_receive (&down, -1);
}

double
measure_spawns (guint n_processes)
{
  return bench_clients (1, n_processes, spawn_one);
}

static void
start_and_kill (void)
{
  Pid pid = gen_server_start (&short_class, NULL, NULL, NULL);

  process_exit (pid, REASON_KILL);
  process_wait_end (pid, -1);
}

double
measure_servers (guint n_servers)
{
  return bench_clients (1, n_servers, start_and_kill);
}

#endif
