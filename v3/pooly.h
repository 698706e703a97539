/* Pooly: pools of workers, started once and lent to whoever needs one. */
#ifndef POOLY_H
#define POOLY_H

#include "gen_server.h"

#define POOLY_VERSION 3

#define POOLY_ERROR (pooly_error_quark ())
GQuark pooly_error_quark (void);

/**
 * PoolyError:
 * @POOLY_ERROR_FULL: every worker is lent
 * @POOLY_ERROR_EXISTS: the pool was started already, or its name is taken
 * @POOLY_ERROR_DOWN: the pool is not there at the moment, or died meanwhile
 * @POOLY_ERROR_WORKER: a worker, or the supervisor of the workers, could not
 *   start; the message says why
 * @POOLY_ERROR_INVALID_CONFIG: the message says which field, and what is
 *   allowed
 * @POOLY_ERROR_NO_SUCH_POOL: no pool has that name
 */
typedef enum {
  POOLY_ERROR_FULL,
  POOLY_ERROR_EXISTS,
  POOLY_ERROR_DOWN,
  POOLY_ERROR_WORKER,
  POOLY_ERROR_INVALID_CONFIG,
  POOLY_ERROR_NO_SUCH_POOL
} PoolyError;

#define POOLY_MAX_SIZE 1000000

/**
 * PoolyConfig:
 * @name: the pool's name; not empty.  Its processes are registered as
 *   <name>Supervisor, <name>Server and <name>WorkerSupervisor
 * @worker: what a worker is; it must last until the last one is finalized, so it
 *   is best `static const`
 * @args: (nullable): for each worker's init; they must last until pooly_stop()
 *   has returned, for a worker that is busy may outlive its pool
 * @size: how many workers there are, from 1 to %POOLY_MAX_SIZE
 */
typedef struct {
  const char           *name;
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
 * pooly_start_pools:
 * @configs: (array length=n_configs): what kind of pools; needed during this
 *   call only, but for the workers' class and args
 * @n_configs: how many; there may be none to begin with
 * @error: (nullable): a #PoolyError
 *
 * Starts Pooly with these pools, and waits until all are ready.  They belong to
 * the program: they do not end with the thread that started them.
 *
 * Returns: whether all of them are there now; else nothing is left
 */
gboolean pooly_start_pools (const PoolyConfig *configs, gsize n_configs,
                            GError **error);

/**
 * pooly_start_pool:
 * @config: what kind of pool; needed during this call only, but for the
 *   workers' class and args
 * @error: (nullable): a #PoolyError
 *
 * Starts one more pool, once pooly_start_pools() has returned, and waits until
 * it is ready.  When Pooly.Server is started again this pool is gone.
 *
 * Returns: whether it was started; else nothing is left of it
 */
gboolean pooly_start_pool (const PoolyConfig *config, GError **error);

/**
 * pooly_stop_pool:
 * @name: a pool's name
 * @error: (nullable): a #PoolyError
 *
 * Stops one pool and its workers.  Who waits for them gets an error.
 *
 * Returns: whether there was such a pool
 */
gboolean pooly_stop_pool (const char *name, GError **error);

/**
 * pooly_stop:
 *
 * Stops every pool and every worker, and waits until they have freed what they
 * held; five seconds at most for those whose handlers run on, which it names then.
 * Does nothing when there is no pool.
 */
void pooly_stop (void);

/**
 * pooly_checkout:
 * @pool: a pool's name
 * @error: (nullable): a #PoolyError
 *
 * Borrows a worker.  It belongs to the process that asked until that gives it
 * back with pooly_checkin(), or ends.
 *
 * Returns: the worker, or %PID_NONE with @error set
 */
Pid pooly_checkout (const char *pool, GError **error);

/**
 * pooly_checkin:
 * @pool: the name of the pool that it was borrowed from
 * @worker: what pooly_checkout() gave
 *
 * Gives a worker back.  Does not wait.  Whoever did not borrow @worker can't
 * give it back: that is logged, and ignored, as is what no pool can hear.
 */
void pooly_checkin (const char *pool, Pid worker);

/**
 * pooly_status:
 * @pool: a pool's name
 * @status: (out): how the pool is doing
 * @error: (nullable): a #PoolyError
 *
 * Returns: whether there is a pool
 */
gboolean pooly_status (const char *pool, PoolyStatus *status, GError **error);

#endif
