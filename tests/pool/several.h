/* What the scenarios of several pools share.  They are version 3's. */
#ifndef SEVERAL_H
#define SEVERAL_H

#include "scenarios.h"

#if POOLY_VERSION >= 3

/* How many workers each of these pools has. */
#define POOL_SIZE 3

/* So they are called if nothing else is said: the scenario happens to the first
 * of them, and the others should not notice. */
#define POOLS \
  (const char *const[]) \
  { \
    "A", "B", "C", NULL \
  }

/* Mortals' pool; @lives is shared by all pools that are given it. */
PoolyConfig mortals (const char *name, Lives *lives);

/* Starts Pooly with those, which end with NULL. */
void start_mortals (const char *const *names, Lives *lives);

/* Starts one more, which must be had. */
void start_more (const char *name, Lives *lives);

/* Stops Pooly; each worker that has begun must be over, and nothing be left. */
void stop_mortals (const Lives *lives);

/* An init for those that shall be told to stop. */
gboolean init_trapping (gpointer state, gconstpointer args, GError **error);

/* The second of these that is started stands at that door. */
extern const GenServerClass standing_class;
extern Door standing_door;

/* Who is called <pool><part>, or PID_NONE. */
Pid find_part (const char *pool, const char *part);

/**
 * Family:
 * @supervisor: <pool>Supervisor
 * @server: <pool>Server
 * @worker_supervisor: <pool>WorkerSupervisor
 * @workers: in the order of their start; PID_NONE where there is none
 *
 * The processes of one pool, to be compared by memcmp().
 */
typedef struct {
  Pid supervisor;
  Pid server;
  Pid worker_supervisor;
  Pid workers[POOL_SIZE];
} Family;

Family get_family (const char *pool);

#define assert_same_family(pool, family) \
  do { \
    Family family_ = get_family (pool); \
    g_assert_cmpmem (&family_, sizeof (Family), family, sizeof (Family)); \
  } while (0)

/* Each of them is alive, and is the one that has its name. */
void assert_is_complete (const char *pool);

/* A worker of that pool, which must be had. */
#define take_from(pool) take_from_at (pool, __FILE__, __LINE__, G_STRFUNC)
Pid take_from_at (const char *pool, const char *file, int line,
                  const char *func);

/* The other way round: it must fail, and for that reason. */
#define assert_not_taken_from(pool, why) \
  do { \
    g_autoptr (GError) error_ = NULL; \
    g_assert_cmpuint (pooly_checkout (pool, &error_), ==, PID_NONE); \
    g_assert_error (error_, POOLY_ERROR, why); \
  } while (0)

#define assert_status_of(pool, n_idle, n_busy) \
  do { \
    g_autoptr (GError) error_ = NULL; \
    PoolyStatus status_ = { 0 }; \
    pooly_status (pool, &status_, &error_); \
    g_assert_no_error (error_); \
    g_assert_cmpuint (status_.idle, ==, n_idle); \
    g_assert_cmpuint (status_.busy, ==, n_busy); \
  } while (0)

/* An idle pool lends each of its own workers once, and takes them back. */
void assert_serves (const char *pool);

/* There is none, and nothing of one is left. */
void assert_is_no_pool (const char *pool);

/* Whether a pool is there, with all its workers.  Else it must say DOWN or
 * NO_SUCH_POOL, or have too few. */
gboolean is_whole (const char *pool);

/**
 * Load:
 * @pool: which one
 * @may_fail: whether a check-out may fail while the pool is healed, and a worker
 *   die in a consumer's hands
 * @n_served: (atomic): how often a worker has answered
 * @is_over: (atomic): whether they should end
 *
 * Consumers of one pool, threads: each borrows a worker, calls it and gives it
 * back, again and again.
 */
typedef struct {
  const char *pool;
  gboolean    may_fail;
  gint        n_served;
  gint        is_over;
  GThread    *consumers[2];
} Load;

void load_pool (Load *load, const char *pool, gboolean may_fail);
void load_finish (Load *load);

/* Until it was served again and again, from now on. */
void load_wait_served (Load *load);

/* several_simulated.c */

/* Mortals, and whether they are started and ended on the thread of whoever waits
 * for that is left to chance.  end_simulated() counts them. */
PoolyConfig choose_mortals (const char *name);

/* Starts A and B. */
void begin_simulated (void);
void end_simulated (void);

/* Waits until a pool is whole, or all of it is gone, and then looks closer. */
void assert_is_right (const char *pool);
void assert_is_over (const char *pool);

/* Takes, asks and gives back; nothing may fail but that all are lent. */
void borrow_some (gpointer pool);

/* The same; each call must end, but may fail; and not as if there were no such
 * pool, unless it is started or stopped meanwhile. */
void try_to_borrow (gpointer pool);
void try_to_borrow_unknown (gpointer pool);

Pid spawn_consumer (ProcessFunc func, const char *pool);

#endif
#endif
