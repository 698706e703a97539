/* The public face.  Only here are names known: everything behind it takes a
 * pid.  Starting and stopping the tree is what an application does in OTP. */
#include "pooly.h"

#include "internal.h"
#include "names.h"
#include "signals.h"

#define GONE_MS 5000

G_DEFINE_QUARK (pooly-error-quark, pooly_error)

static gboolean
check_config (const PoolyConfig *config, GError **error)
{
  if (config->worker == NULL) {
    g_set_error (error, POOLY_ERROR, POOLY_ERROR_INVALID_CONFIG,
                 "worker: a class is needed");
    return FALSE;
  }
  if (config->size < 1 || config->size > POOLY_MAX_SIZE) {
    g_set_error (error, POOLY_ERROR, POOLY_ERROR_INVALID_CONFIG,
                 "size: %u, but it must be from 1 to %d", config->size,
                 POOLY_MAX_SIZE);
    return FALSE;
  }
  return TRUE;
}

static void
stop (Pid supervisor)
{
  g_autofree char *zombies = NULL;

  supervisor_stop (supervisor, -1);
  if (process_wait_gone (GONE_MS, &zombies) > 0)
    g_message ("Pooly stopped, but these are still busy: %s", zombies);
}

gboolean
pooly_start_pool (const PoolyConfig *config, GError **error)
{
  g_autoptr (GError) start_error = NULL;
  Pid supervisor;

  g_return_val_if_fail (config != NULL, FALSE);

  /* region: start */
  if (!check_config (config, error))
    return FALSE;
  supervisor = pool_supervisor_start (config, &start_error);
  if (supervisor == PID_NONE) {
    gboolean is_taken = g_error_matches (start_error, NAMES_ERROR,
                                         NAMES_ERROR_TAKEN);

    g_set_error (error, POOLY_ERROR,
                 is_taken ? POOLY_ERROR_EXISTS : POOLY_ERROR_DOWN,
                 "the pool can't start: %s", start_error->message);
    return FALSE;
  }
  if (pool_server_ready (process_whereis ("Pooly.Server"), error))
    return TRUE;
  stop (supervisor);
  return FALSE;
  /* end */
}

void
pooly_stop (void)
{
  stop (process_whereis ("Pooly.Supervisor"));
}

/* region: client */
Pid
pooly_checkout (GError **error)
{
  return pool_server_checkout (process_whereis ("Pooly.Server"), error);
}

void
pooly_checkin (Pid worker)
{
  pool_server_checkin (process_whereis ("Pooly.Server"), worker);
}

gboolean
pooly_status (PoolyStatus *status, GError **error)
{
  g_return_val_if_fail (status != NULL, FALSE);

  return pool_server_status (process_whereis ("Pooly.Server"), status, error);
}
/* end */
