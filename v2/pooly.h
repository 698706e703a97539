/* Pooly: a pool of workers, started once and lent to whoever needs one. */
#ifndef POOLY_H
#define POOLY_H

#include "gen_server.h"

#define POOLY_VERSION 2

#define POOLY_ERROR (pooly_error_quark ())
GQuark pooly_error_quark (void);

/**
 * PoolyError:
 * @POOLY_ERROR_FULL: every worker is lent
 * @POOLY_ERROR_EXISTS: the pool was started already
 * @POOLY_ERROR_DOWN: there is no pool, or it died meanwhile
 * @POOLY_ERROR_WORKER: a worker could not start; the message says why
 * @POOLY_ERROR_INVALID_CONFIG: the message says which field, and what is
 *   allowed
 */
typedef enum {
  POOLY_ERROR_FULL,
  POOLY_ERROR_EXISTS,
  POOLY_ERROR_DOWN,
  POOLY_ERROR_WORKER,
  POOLY_ERROR_INVALID_CONFIG
} PoolyError;

#define POOLY_MAX_SIZE 1000000

/**
 * PoolyConfig:
 * @worker: what a worker is; it must last as long as the pool
 * @args: (nullable): for each worker's init; they must last as long as the pool
 * @size: how many workers there are, from 1 to %POOLY_MAX_SIZE
 */
typedef struct {
  const GenServerClass *worker;
  gconstpointer         args;
  guint                 size;
} PoolyConfig;

/**
 * PoolyStatus:
 * @idle: how many workers can be had
 * @busy: how many are lent
 */
typedef struct {
  guint idle;
  guint busy;
} PoolyStatus;

/**
 * pooly_start_pool:
 * @config: what kind of pool; needed during this call only, but for what it
 *   points to
 * @error: (nullable): a #PoolyError
 *
 * Starts the pool and waits until it is ready.  It belongs to the program: it
 * does not end with the thread that started it.
 *
 * Returns: whether there is a pool now; else nothing is left of it
 */
gboolean pooly_start_pool (const PoolyConfig *config, GError **error);

/**
 * pooly_stop:
 *
 * Stops the pool and every worker, and waits until they have freed what they
 * held; five seconds at most for those whose handlers run on, which it names then.
 * Does nothing when there is no pool.
 */
void pooly_stop (void);

/**
 * pooly_checkout:
 * @error: (nullable): a #PoolyError
 *
 * Borrows a worker.  It belongs to the process that asked until that gives it
 * back with pooly_checkin(), or ends.
 *
 * Returns: the worker, or %PID_NONE with @error set
 */
Pid pooly_checkout (GError **error);

/**
 * pooly_checkin:
 * @worker: what pooly_checkout() gave
 *
 * Gives a worker back.  Does not wait.  Whoever did not borrow @worker can't
 * give it back: that is logged, and ignored.
 */
void pooly_checkin (Pid worker);

/**
 * pooly_status:
 * @status: (out): how the pool is doing
 * @error: (nullable): a #PoolyError
 *
 * Returns: whether there is a pool
 */
gboolean pooly_status (PoolyStatus *status, GError **error);

#endif
