/* The C pool that Apache's programs use.  It lends resources, not processes: who
 * has one nobody knows, and who waits is served in no order. */
#include "bench.h"

#include <apr_general.h>
#include <apr_reslist.h>

#define POOL_SIZE 10

static apr_reslist_t *list;

static void
check (apr_status_t status, const char *what)
{
  char text[120];

  if (status != APR_SUCCESS)
    g_error ("%s: %s", what, apr_strerror (status, text, sizeof text));
}

static apr_status_t
construct (void **resource, void *unused G_GNUC_UNUSED, apr_pool_t *pool)
{
  *resource = apr_palloc (pool, sizeof (int));
  return APR_SUCCESS;
}

static apr_status_t
destruct (void *resource G_GNUC_UNUSED, void *unused G_GNUC_UNUSED,
          apr_pool_t *pool G_GNUC_UNUSED)
{
  return APR_SUCCESS;
}

static void
start_list (void)
{
  apr_pool_t *pool;

  check (apr_initialize (), "apr_initialize");
  check (apr_pool_create (&pool, NULL), "apr_pool_create");
  check (apr_reslist_create (&list, POOL_SIZE, POOL_SIZE, POOL_SIZE, 0,
                             construct, destruct, NULL, pool),
         "apr_reslist_create");
}

static void
borrow (void)
{
  void *resource;

  check (apr_reslist_acquire (list, &resource), "apr_reslist_acquire");
  check (apr_reslist_release (list, resource), "apr_reslist_release");
}

static double
measure_checkouts (guint n_clients)
{
  start_list ();
  return bench_clients (n_clients, 500000, borrow);
}

static gint64
borrow_timed (void)
{
  gint64 begin = bench_now (), duration;
  void *resource;

  check (apr_reslist_acquire (list, &resource), "apr_reslist_acquire");
  duration = bench_now () - begin;
  check (apr_reslist_release (list, resource), "apr_reslist_release");
  return duration;
}

static double
measure_latency (guint percent)
{
  start_list ();
  return bench_percentile (64, 100000, borrow_timed, percent);
}

static const BenchCase cases[] = {
  { "check-out + check-in, 1 client", measure_checkouts, 1 },
  { "check-out + check-in, 2 clients", measure_checkouts, 2 },
  { "check-out + check-in, 4 clients", measure_checkouts, 4 },
  { "check-out + check-in, 10 clients", measure_checkouts, 10 },
  { "check-out + check-in, 16 clients", measure_checkouts, 16 },
  { "check-out + check-in, 64 clients", measure_checkouts, 64 },
  { "waiting check-out, 64 clients: median", measure_latency, 50 },
  { "waiting check-out, 64 clients: 99 %", measure_latency, 99 },
  { "waiting check-out, 64 clients: max", measure_latency, 100 },
  { NULL, NULL, 0 }
};

int
main (int argc, char **argv)
{
  return bench_main (argc, argv, cases);
}
