/* What the scenarios of overflow and of waiting share.  They are version 4's. */
#ifndef LENDING_H
#define LENDING_H

#include "scenarios.h"

#if POOLY_VERSION >= 4

/* A pool of mortals, of one class or the other; what is left out is 0. */
PoolyConfig elastic (const GenServerClass *worker, Lives *lives, guint size,
                     guint max_overflow);

/* Whether workers start and end on the thread of whoever waits for that is left
 * to chance. */
const GenServerClass *choose_class (void);

/* Starts Pooly with that pool, which must be had.  @lives is set anew, if there
 * is one. */
void start_elastic (const PoolyConfig *config);

/* Stops Pooly; each worker that has begun must be over, and nothing be left. */
void stop_elastic (const PoolyConfig *config);

/* The same in a simulation; and before that: whoever lives is idle, all can be
 * had, and the overflow is back at zero. */
void end_elastic (const PoolyConfig *config);

PoolyStatus get_status (void);

#define assert_state(n_idle, n_busy, in_a_word, n_overflow, n_waiting) \
  do { \
    PoolyStatus status_ = get_status (); \
    g_assert_cmpuint (status_.idle, ==, n_idle); \
    g_assert_cmpuint (status_.busy, ==, n_busy); \
    g_assert_cmpint (status_.state, ==, in_a_word); \
    g_assert_cmpuint (status_.overflow, ==, n_overflow); \
    g_assert_cmpuint (status_.waiting, ==, n_waiting); \
  } while (0)

/* Those whom the worker supervisor has, in the order of their start. */
GArray *list_workers (void);

/* CONSUMERS
 *
 * Processes that do as they are told, so that they may wait in line while the
 * test goes on.  What comes of it they report, each time. */

typedef enum { TAKE = 1, WAIT, GIVE, LEAVE_US, REPORT } Order;

/**
 * Report:
 * @worker: what it was lent, or %PID_NONE
 * @why: a #PoolyError, or -1
 * @message: (nullable): that error's message
 */
typedef struct {
  Pid   worker;
  int   why;
  char *message;
} Report;

void report_clear (Report *report);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Report, report_clear)

Pid consumer_new (void);

/* TAKE, or WAIT with a limit in milliseconds. */
void tell (Pid consumer, Order order, int timeout_ms);

/* The next report, which must be from that one. */
Report hear (Pid consumer);

/* It takes a worker, which must be had. */
Pid let_take (Pid consumer);

/* It gives one back, and has done so when this returns. */
void let_give (Pid consumer, Pid worker);

/* It is lent one now. */
Pid hear_worker (Pid consumer);

/* It is not, and for that reason. */
void hear_failure (Pid consumer, PoolyError why);

/* It waits, for ever, and is in line, @n_waiting with it, when this returns. */
void let_wait (Pid consumer, guint n_waiting);

/* Until so many wait. */
void await_waiting (guint n_waiting);

/* Has it end, and with it what it has borrowed come back. */
void dismiss (Pid consumer);

/* TIME
 *
 * Any limit may strike at any time in a simulation, unless time is held: then
 * it passes in milliseconds, but for those who sleep. */

gboolean time_is_simulated (void);
void time_hold (void);

/* On real threads this is process_sleep(). */
void time_pass (guint duration_ms);
void time_free (void);

#endif
#endif
