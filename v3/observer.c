/* Version 3 in a browser, under load. */
#include "internal.h"
#include "web.h"

static const char *const pools[] = { "Pool1", "Pool2", NULL };

static gboolean
start (GError **error)
{
  PoolyConfig configs[] = {
    { .name = "Pool1", .worker = &sample_worker_class, .size = 3 },
    { .name = "Pool2", .worker = &sample_worker_class, .size = 3 },
  };

  return pooly_start_pools (configs, G_N_ELEMENTS (configs), error);
}

static gboolean
write_numbers (const char *pool, GString *json)
{
  PoolyStatus now;

  if (!pooly_status (pool, &now, NULL))
    return FALSE;
  g_string_append_printf (json, "\"idle\": %u, \"busy\": %u", now.idle,
                          now.busy);
  return TRUE;
}

/* Consumers */

static void
use (Pid worker)
{
  g_autofree char *label = g_strdup_printf ("consumer, has " PID_FORMAT,
                                            PID_ARGS (worker));

  process_set_label (label);
  sample_worker_work_for (worker, (guint) g_random_int_range (300, 1500), NULL);
}

static void
consume (gpointer data G_GNUC_UNUSED)
{
  do {
    const char *pool = pools[g_random_int_range (0, 2)];
    Pid worker;

    process_set_label ("consumer");
    worker = pooly_checkout (pool, NULL);
    if (worker != PID_NONE) {
      use (worker);
      pooly_checkin (pool, worker);
    }
    process_set_label (worker != PID_NONE ? "consumer, rests"
                                          : "consumer, got none");
  } while (web_rest ((guint) g_random_int_range (200, 1000)));
}

int
main (int argc, char **argv)
{
  static const WebProgram program = { .title = "Pooly, version 3",
                                      .start = start,
                                      .gauges = pools,
                                      .write_gauge = write_numbers,
                                      .load = consume,
                                      .n_load = 6 };
  int exit_status = web_main (&program, argc, argv);

  pooly_stop ();
  return exit_status;
}
