/* The public face.  Here a pool's name becomes its server's pid, once a call.
 * Starting and stopping the tree is what an application does in OTP. */
#include "pooly.h"

#include "internal.h"
#include "names.h"
#include "signals.h"

#define GONE_MS 5000

G_DEFINE_QUARK (pooly-error-quark, pooly_error)

PoolyConfig *
config_copy (const PoolyConfig *config)
{
  PoolyConfig *copy = g_memdup2 (config, sizeof *config);

  copy->name = g_strdup (config->name);
  return copy;
}

void
config_free (gpointer config)
{
  g_free ((char *) ((PoolyConfig *) config)->name);
  g_free (config);
}

static gboolean
check_config (const PoolyConfig *config, GError **error)
{
  if (config->name == NULL || *config->name == '\0') {
    g_set_error (error, POOLY_ERROR, POOLY_ERROR_INVALID_CONFIG,
                 "name: a pool needs one");
    return FALSE;
  }
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
  if (config->max_overflow > POOLY_MAX_SIZE) {
    g_set_error (error, POOLY_ERROR, POOLY_ERROR_INVALID_CONFIG,
                 "max_overflow: %u, but it must be from 0 to %d",
                 config->max_overflow, POOLY_MAX_SIZE);
    return FALSE;
  }
  if (config->overflow_ttl_ms > G_MAXINT) {
    g_set_error (error, POOLY_ERROR, POOLY_ERROR_INVALID_CONFIG,
                 "overflow_ttl_ms: %u, but it must be from 0 to %d",
                 config->overflow_ttl_ms, G_MAXINT);
    return FALSE;
  }
  if (config->strategy != POOLY_LIFO && config->strategy != POOLY_FIFO) {
    g_set_error (error, POOLY_ERROR, POOLY_ERROR_INVALID_CONFIG,
                 "strategy: %d, but it must be POOLY_LIFO or POOLY_FIFO",
                 (int) config->strategy);
    return FALSE;
  }
  return TRUE;
}

static void
stop (Pid supervisor)
{
  g_autofree char *zombies = NULL;

  supervisor_stop (supervisor, -1);
  await_orphan ("Pooly.PoolsSupervisor");
  await_orphan ("Pooly.Server");
  if (process_wait_gone (GONE_MS, &zombies) > 0)
    g_message ("Pooly stopped, but these are still busy: %s", zombies);
}

gboolean
pooly_start_pools (const PoolyConfig *configs, gsize n_configs, GError **error)
{
  g_autoptr (GPtrArray) copies = g_ptr_array_new_with_free_func (
    registry_forget);
  g_autoptr (GError) start_error = NULL;
  Pid supervisor;

  g_return_val_if_fail (configs != NULL || n_configs == 0, FALSE);

  /* region: start */
  for (gsize i = 0; i < n_configs; i++) {
    if (!check_config (&configs[i], error))
      return FALSE;
    g_ptr_array_add (copies, registry_keep (&configs[i]));
  }
  supervisor = pooly_supervisor_start (copies, &start_error);
  if (supervisor == PID_NONE) {
    gboolean is_taken = g_error_matches (start_error, NAMES_ERROR,
                                         NAMES_ERROR_TAKEN);

    g_set_error (error, POOLY_ERROR,
                 is_taken ? POOLY_ERROR_EXISTS : POOLY_ERROR_DOWN,
                 "the pools can't start: %s", start_error->message);
    return FALSE;
  }
  if (pooly_server_ready (process_whereis ("Pooly.Server"), error))
    return TRUE;
  stop (supervisor);
  return FALSE;
  /* end */
}

gboolean
pooly_start_pool (const PoolyConfig *config, GError **error)
{
  g_return_val_if_fail (config != NULL, FALSE);

  return check_config (config, error)
         && pooly_server_start_pool (process_whereis ("Pooly.Server"), config,
                                     error);
}

gboolean
pooly_stop_pool (const char *name, GError **error)
{
  g_return_val_if_fail (name != NULL, FALSE);

  return pooly_server_stop_pool (process_whereis ("Pooly.Server"), name, error);
}

void
pooly_stop (void)
{
  stop (process_whereis ("Pooly.Supervisor"));
}

/* region: client */
static Pid
find (const char *pool, GError **error)
{
  Pid server = registry_find (pool);

  if (server == PID_NONE && process_whereis ("Pooly.Supervisor") == PID_NONE)
    g_set_error (error, POOLY_ERROR, POOLY_ERROR_DOWN, "Pooly is not there");
  else if (server == PID_NONE)
    g_set_error (error, POOLY_ERROR, POOLY_ERROR_NO_SUCH_POOL,
                 "there is no pool %s", pool);
  return server;
}

static Pid
checkout (const char *pool, gboolean is_patient, int timeout_ms, GError **error)
{
  Pid server = find (pool, error);

  if (server == PID_NONE)
    return PID_NONE;
  return pool_server_checkout (server, is_patient, timeout_ms, error);
}

Pid
pooly_checkout (const char *pool, GError **error)
{
  g_return_val_if_fail (pool != NULL, PID_NONE);

  return checkout (pool, FALSE, -1, error);
}

Pid
pooly_checkout_wait (const char *pool, int timeout_ms, GError **error)
{
  g_return_val_if_fail (pool != NULL && timeout_ms >= -1, PID_NONE);

  return checkout (pool, TRUE, timeout_ms, error);
}

void
pooly_checkin (const char *pool, Pid worker)
{
  Pid server;

  g_return_if_fail (pool != NULL);

  server = registry_find (pool);
  if (server == PID_NONE)
    g_info ("there is no pool %s to check in to", pool);
  pool_server_checkin (server, worker);
}

gboolean
pooly_status (const char *pool, PoolyStatus *status, GError **error)
{
  Pid server;

  g_return_val_if_fail (pool != NULL && status != NULL, FALSE);

  server = find (pool, error);
  return server != PID_NONE && pool_server_status (server, status, error);
}
/* end */

/* region: transaction */
gboolean
pooly_transaction (const char *pool, PoolyFunc func, gpointer user_data,
                   int timeout_ms, GError **error)
{
  g_auto (PoolyLoan) loan = { 0 };

  g_return_val_if_fail (func != NULL, FALSE);

  loan = pooly_borrow (pool, timeout_ms, error);
  return loan.worker != PID_NONE && func (loan.worker, user_data, error);
}
/* end */

/* region: loan */
PoolyLoan
pooly_borrow (const char *pool, int timeout_ms, GError **error)
{
  return (PoolyLoan) { pool, pooly_checkout_wait (pool, timeout_ms, error) };
}

void
pooly_loan_clear (PoolyLoan *loan)
{
  if (loan->worker != PID_NONE)
    pooly_checkin (loan->pool, loan->worker);
  loan->worker = PID_NONE;
}
/* end */
