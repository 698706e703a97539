/* Pooly: pools of workers, started once and lent to whoever needs one. */
#ifndef POOLY_H
#define POOLY_H

#include "gen_server.h"

#define POOLY_VERSION 4

#define POOLY_ERROR (pooly_error_quark ())
GQuark pooly_error_quark (void);

/**
 * PoolyError:
 * @POOLY_ERROR_FULL: every worker is lent, overflow included
 * @POOLY_ERROR_EXISTS: the pool was started already, or its name is taken
 * @POOLY_ERROR_DOWN: the pool is not there at the moment, or died meanwhile
 * @POOLY_ERROR_WORKER: a worker, or the supervisor of the workers, could not
 *   start; the message says why
 * @POOLY_ERROR_INVALID_CONFIG: the message says which field, and what is
 *   allowed
 * @POOLY_ERROR_NO_SUCH_POOL: no pool has that name
 * @POOLY_ERROR_TIMEOUT: no worker in time: none was free, or the pool too busy
 */
typedef enum {
  POOLY_ERROR_FULL,
  POOLY_ERROR_EXISTS,
  POOLY_ERROR_DOWN,
  POOLY_ERROR_WORKER,
  POOLY_ERROR_INVALID_CONFIG,
  POOLY_ERROR_NO_SUCH_POOL,
  POOLY_ERROR_TIMEOUT
} PoolyError;

#define POOLY_MAX_SIZE 1000000

/**
 * PoolyStrategy:
 * @POOLY_LIFO: the idle worker that came back last; the others may rest
 * @POOLY_FIFO: the one that came back first, so that all have about as much to do
 *
 * Which of the idle workers is lent next.
 */
typedef enum { POOLY_LIFO, POOLY_FIFO } PoolyStrategy;

/**
 * PoolyConfig:
 * @name: the pool's name; not empty.  Its processes are registered as
 *   <name>Supervisor, <name>Server and <name>WorkerSupervisor
 * @worker: what a worker is; it must last until the last one is finalized, so it
 *   is best `static const`
 * @args: (nullable): for each worker's init; they must last until pooly_stop()
 *   has returned, for a worker that is busy may outlive its pool
 * @size: how many workers there are at least, from 1 to %POOLY_MAX_SIZE
 * @max_overflow: how many more there may be while all of those are lent, from 0
 *   to %POOLY_MAX_SIZE
 * @overflow_ttl_ms: how long, in milliseconds, one that came back while there was
 *   overflow is kept for the next consumer, at most %G_MAXINT; 0: not at all
 * @strategy: which idle worker is lent next
 */
typedef struct {
  const char           *name;
  const GenServerClass *worker;
  gconstpointer         args;
  guint                 size;
  guint                 max_overflow;
  guint                 overflow_ttl_ms;
  PoolyStrategy         strategy;
} PoolyConfig;

/**
 * PoolyState:
 * @POOLY_READY: the next check-out gets an idle worker
 * @POOLY_OVERFLOW: none is idle, but one more may start; or some are idle, and
 *   there is overflow
 * @POOLY_FULL: it gets none now
 */
typedef enum { POOLY_READY, POOLY_OVERFLOW, POOLY_FULL } PoolyState;

/**
 * PoolyStatus:
 * @idle: how many workers can be had; one that has just died is counted until
 *   the pool has heard of it
 * @busy: how many are lent
 * @state: in one word
 * @overflow: how many workers there are above the pool's size
 * @waiting: how many consumers wait in line
 */
typedef struct {
  guint      idle;
  guint      busy;
  PoolyState state;
  guint      overflow;
  guint      waiting;
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
 * pooly_checkout_wait:
 * @pool: a pool's name
 * @timeout_ms: how long to wait, in milliseconds; -1 for ever; 0 not at all: then
 *   it gets only what can be had at once
 * @error: (nullable): a #PoolyError
 *
 * Like pooly_checkout(), but where that says %POOLY_ERROR_FULL this waits in
 * line: first come, first served.  The time is the caller's own; it is over
 * also while the pool is busy with something else.  While a worker that is missing
 * can't start, whoever finds none idle is told %POOLY_ERROR_WORKER at once.
 *
 * Returns: the worker, or %PID_NONE with @error set
 */
Pid pooly_checkout_wait (const char *pool, int timeout_ms, GError **error);

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

/**
 * PoolyFunc:
 * @worker: borrowed for this call
 * @user_data: (nullable): what was given to pooly_transaction()
 * @error: (nullable): why it failed
 *
 * What to do with a worker.  It need not be given back.
 *
 * Returns: whether all went well
 */
typedef gboolean (*PoolyFunc) (Pid worker, gpointer user_data, GError **error);

/**
 * pooly_transaction:
 * @pool: a pool's name
 * @func: what to do
 * @user_data: (nullable): handed to @func
 * @timeout_ms: how long to wait for a worker, in milliseconds; -1 for ever; 0 not
 *   at all
 * @error: (nullable): a #PoolyError, or what @func has set
 *
 * Borrows a worker, as pooly_checkout_wait() does, for as long as @func runs.
 * It comes back whatever happens there, even when its thread ends.  (If @func
 * gives it back itself and borrows it again, that loan, too, ends here.)
 *
 * Returns: what @func has returned; %FALSE if there was no worker for it
 */
gboolean pooly_transaction (const char *pool, PoolyFunc func,
                            gpointer user_data, int timeout_ms, GError **error);

/**
 * PoolyLoan:
 * @pool: the pool's name, which must last as long as the loan
 * @worker: the worker, or %PID_NONE
 *
 * A worker that is given back at the end of the block, also by an early return:
 *
 *   g_auto (PoolyLoan) loan = pooly_borrow ("StarWars", 1000, &error);
 */
typedef struct {
  const char *pool;
  Pid         worker;
} PoolyLoan;

/**
 * pooly_borrow:
 * @pool: a pool's name
 * @timeout_ms: how long to wait, in milliseconds; -1 for ever; 0 not at all
 * @error: (nullable): a #PoolyError
 *
 * pooly_checkout_wait() for `g_auto (PoolyLoan)`.
 *
 * Returns: a loan; without a worker, @error is set
 */
PoolyLoan pooly_borrow (const char *pool, int timeout_ms, GError **error);

/**
 * pooly_loan_clear:
 * @loan: a loan, with or without a worker
 *
 * Gives the worker back.
 */
void pooly_loan_clear (PoolyLoan *loan);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PoolyLoan, pooly_loan_clear)

#endif
