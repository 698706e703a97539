/* Workers that are lent and given back. */
#include "pooly.h"

/* So many that on two cores clients meet: with a tenth of these each had done its
 * share within one or two of its time slices, and hardly met anybody. */
#define N_PAIRS 500000

static void
borrow (void)
{
  g_autoptr (GError) error = NULL;
  Pid worker = face_checkout (&error);

  if (worker == PID_NONE)
    g_error ("no worker: %s", error->message);
  face_checkin (worker);
}

double
measure_checkouts (guint n_clients)
{
  start_pool (&short_class, POOL_SIZE);
  return bench_clients (n_clients, N_PAIRS, borrow);
}

#if POOLY_VERSION >= 4

static Pid
wait_for_worker (void)
{
  g_autoptr (GError) error = NULL;
  Pid worker = pooly_checkout_wait (FACE_POOL, -1, &error);

  if (worker == PID_NONE)
    g_error ("no worker: %s", error->message);
  return worker;
}

static void
borrow_waiting (void)
{
  pooly_checkin (FACE_POOL, wait_for_worker ());
}

double
measure_waiting_checkouts (guint n_clients)
{
  start_pool (&short_class, POOL_SIZE);
  return bench_clients (n_clients, N_PAIRS, borrow_waiting);
}

static gint64
borrow_timed (void)
{
  gint64 begin = bench_now ();
  Pid worker = wait_for_worker ();
  gint64 duration = bench_now () - begin;

  pooly_checkin (FACE_POOL, worker);
  return duration;
}

double
measure_latency (guint percent)
{
  start_pool (&short_class, POOL_SIZE);
  return bench_percentile (64, 100000, borrow_timed, percent);
}

/* TRANSACTIONS */

static gboolean
call_worker (Pid worker, gpointer unused G_GNUC_UNUSED, GError **error)
{
  return gen_server_call (worker, (Message) { .tag = 1 }, -1, NULL, error);
}

static void
transact (void)
{
  g_autoptr (GError) error = NULL;

  if (!pooly_transaction (FACE_POOL, call_worker, NULL, -1, &error))
    g_error ("no transaction: %s", error->message);
}

double
measure_transactions (guint n_operations)
{
  start_pool (&short_class, POOL_SIZE);
  return bench_clients (1, n_operations, transact);
}

double
measure_transactions_long (guint n_operations)
{
  start_pool (&long_class, POOL_SIZE);
  return bench_clients (1, n_operations, transact);
}

/* OVERFLOW */

/* Everyone else is lent already, to this thread, which is not a client. */
static double
measure_overflow_of (const GenServerClass *worker, guint n_operations)
{
  PoolyConfig config = {
    .name = FACE_POOL, .worker = worker, .size = POOL_SIZE, .max_overflow = 1
  };
  g_autoptr (GError) error = NULL;

  if (!pooly_start_pools (&config, 1, &error))
    g_error ("no pool: %s", error->message);
  for (guint i = 0; i < POOL_SIZE; i++)
    wait_for_worker ();
  return bench_clients (1, n_operations, borrow);
}

double
measure_overflow (guint n_operations)
{
  return measure_overflow_of (&short_class, n_operations);
}

double
measure_overflow_long (guint n_operations)
{
  return measure_overflow_of (&long_class, n_operations);
}

#endif
