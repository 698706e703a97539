#include "pooly.h"

/* THE SERVERS */

static gboolean
is_short (gconstpointer state G_GNUC_UNUSED,
          const Message *message G_GNUC_UNUSED)
{
  return TRUE;
}

static void
handle_call (gpointer state G_GNUC_UNUSED, Message *request G_GNUC_UNUSED,
             From from)
{
  gen_server_reply (from, (Message) { .tag = 1 });
}

static void
handle_cast (gpointer state G_GNUC_UNUSED, Message *request G_GNUC_UNUSED)
{
}

const GenServerClass short_class = { .name = "ShortWorker",
                                     .is_short = is_short,
                                     .handle_call = handle_call,
                                     .handle_cast = handle_cast };

const GenServerClass long_class = { .name = "LongWorker",
                                    .handle_call = handle_call,
                                    .handle_cast = handle_cast };

void
start_pool (const GenServerClass *worker, guint size)
{
  g_autoptr (GError) error = NULL;

  if (!face_start_with (worker, NULL, size, &error))
    g_error ("no pool: %s", error->message);
}

void
call (Pid server)
{
  g_autoptr (GError) error = NULL;

  if (!gen_server_call (server, (Message) { .tag = 1 }, -1, NULL, &error))
    g_error ("no answer: %s", error->message);
}

/* THE CASES */

static const BenchCase cases[] = {
  { "check-out + check-in, 1 client", measure_checkouts, 1 },
  { "check-out + check-in, 2 clients", measure_checkouts, 2 },
  { "check-out + check-in, 4 clients", measure_checkouts, 4 },
  { "check-out + check-in, 10 clients", measure_checkouts, 10 },
#if POOLY_VERSION >= 4
  { "check-out + check-in, 16 clients", measure_waiting_checkouts, 16 },
  { "check-out + check-in, 64 clients", measure_waiting_checkouts, 64 },
  { "waiting check-out, 64 clients: median", measure_latency, 50 },
  { "waiting check-out, 64 clients: 99 %", measure_latency, 99 },
  { "waiting check-out, 64 clients: max", measure_latency, 100 },
  { "transaction with a call", measure_transactions, 200000 },
  { "transaction with a call, not short", measure_transactions_long, 20000 },
#endif
  { "start of a worker, pool of 100", measure_start, 100 },
  { "start of a worker, pool of 1 000", measure_start, 1000 },
  { "start of a worker, pool of 10 000", measure_start, 10000 },
  { "start of a worker, pool of 10 000, not short", measure_start_long, 10000 },
  { "memory of a worker, pool of 10 000", measure_memory, 10000 },
#if POOLY_VERSION >= 2
  { "worker killed, pool whole again", measure_kill, 5000 },
  { "worker killed, pool whole again, not short", measure_kill_long, 2000 },
#endif
#if POOLY_VERSION >= 4
  { "overflow worker made and dismissed", measure_overflow, 50000 },
  { "overflow worker made and dismissed, not short", measure_overflow_long,
    10000 },
  { "a waiter leaves a line of 100", measure_leaving, 100 },
  { "a waiter leaves a line of 1 000", measure_leaving, 1000 },
  { "a waiter leaves a line of 10 000", measure_leaving, 10000 },
  { "call to a gen_server", measure_calls, 200000 },
  { "call to a gen_server, not short", measure_calls_long, 20000 },
  { "cast to a gen_server", measure_casts, 200000 },
  { "cast to a gen_server, not short", measure_casts_long, 200000 },
  { "spawn and exit of a process", measure_spawns, 20000 },
  { "start and exit of a gen_server", measure_servers, 20000 },
#endif
  { NULL, NULL, 0 }
};

int
main (int argc, char **argv)
{
  return bench_main (argc, argv, cases);
}
