/* supervisor: starts processes, watches them, and starts them again.
 *
 * Behaviour in every corner is OTP's: its manual is the specification.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include "gen_server.h"

#define SUPERVISOR_ERROR (supervisor_error_quark ())
GQuark supervisor_error_quark (void);

/**
 * SupervisorError:
 * @SUPERVISOR_ERROR_EXISTS: there is a child, or its specification, of that id
 * @SUPERVISOR_ERROR_NOT_FOUND: there is no such child
 * @SUPERVISOR_ERROR_RUNNING: the child runs
 * @SUPERVISOR_ERROR_RESTARTING: the child is about to be started again
 * @SUPERVISOR_ERROR_SIMPLE_ONE_FOR_ONE: not for a supervisor of that strategy
 * @SUPERVISOR_ERROR_INVALID: the specification is wrong; the message says how
 */
typedef enum {
  SUPERVISOR_ERROR_EXISTS,
  SUPERVISOR_ERROR_NOT_FOUND,
  SUPERVISOR_ERROR_RUNNING,
  SUPERVISOR_ERROR_RESTARTING,
  SUPERVISOR_ERROR_SIMPLE_ONE_FOR_ONE,
  SUPERVISOR_ERROR_INVALID
} SupervisorError;

/**
 * Strategy:
 * @STRATEGY_ONE_FOR_ONE: a child that ends is restarted alone
 * @STRATEGY_ONE_FOR_ALL: all are stopped, and all are started again
 * @STRATEGY_REST_FOR_ONE: so are those that were started after it
 * @STRATEGY_SIMPLE_ONE_FOR_ONE: one_for_one, for any number of children that
 *   are all alike and start at run time
 */
typedef enum {
  STRATEGY_ONE_FOR_ONE,
  STRATEGY_ONE_FOR_ALL,
  STRATEGY_REST_FOR_ONE,
  STRATEGY_SIMPLE_ONE_FOR_ONE
} Strategy;

/**
 * Restart:
 * @RESTART_PERMANENT: always restarted
 * @RESTART_TRANSIENT: unless it ended with `normal` or `shutdown`
 * @RESTART_TEMPORARY: never, and forgotten when it ends
 */
typedef enum {
  RESTART_PERMANENT,
  RESTART_TRANSIENT,
  RESTART_TEMPORARY
} Restart;

/* How long a child may take to stop, in ms, or one of these. */
#define SHUTDOWN_DEFAULT 0   /* 5000 for a worker, for ever for a supervisor */
#define SHUTDOWN_INFINITY -1 /* for ever */
#define SHUTDOWN_BRUTAL_KILL -2 /* not at all: it is killed */

/* What holds for a specification that leaves the limit out. */
#define SUPERVISOR_MAX_RESTARTS 3
#define SUPERVISOR_MAX_SECONDS 5

/**
 * StartFunc:
 * @args: what the child's specification says
 * @error: why it could not start
 *
 * Starts a process that is linked to the caller.
 *
 * Returns: the process, or %PID_NONE with @error set
 */
typedef Pid (*StartFunc) (gconstpointer args, GError **error);

/**
 * ChildSpec:
 * @id: what the supervisor calls it; copied.  Needless in simple_one_for_one
 * @klass: (nullable): the gen_server to start, or %NULL when @start does it
 * @start: (nullable): starts and links the child, when @klass is %NULL
 * @args: (nullable): for the class's init, or for @start
 * @free_args: (nullable): frees @args when the specification goes, which is
 *   also when the supervisor refuses it or fails to start the child
 * @restart: whether to start it again
 * @shutdown_ms: how long it may take to stop, in ms, or a SHUTDOWN_… value
 * @is_supervisor: whether the child is a supervisor itself
 *
 * How to start, restart and stop a child.
 */
typedef struct {
  const char           *id;
  const GenServerClass *klass;
  StartFunc             start;
  gpointer              args;
  GDestroyNotify        free_args;
  Restart               restart;
  int                   shutdown_ms;
  gboolean              is_supervisor;
} ChildSpec;

/**
 * SupervisorSpec:
 * @name: (nullable): the name to register
 * @strategy: what a child's end means for the others
 * @max_restarts: how many restarts are allowed …
 * @max_seconds: … within how many seconds; 0: %SUPERVISOR_MAX_SECONDS.  With
 *   both left out %SUPERVISOR_MAX_RESTARTS are allowed; with @max_seconds alone,
 *   none.  With one more the supervisor stops its children and ends with
 *   `shutdown`
 * @children: (array length=n_children): started in this order, stopped in
 *   reverse.  simple_one_for_one: exactly one, the model of all, not started
 * @n_children: how many
 */
typedef struct {
  const char      *name;
  Strategy         strategy;
  guint            max_restarts;
  guint            max_seconds;
  const ChildSpec *children;
  gsize            n_children;
} SupervisorSpec;

/**
 * supervisor_start_link:
 * @spec: what to supervise; needed during this call only, but for its `args`
 * @error: (nullable): the error of the child that could not start
 *
 * Starts a supervisor, linked to the caller, and its children.  When a child
 * can't start, those before it are stopped again.
 *
 * Returns: the supervisor, or %PID_NONE with @error set
 */
Pid supervisor_start_link (const SupervisorSpec *spec, GError **error);

/**
 * supervisor_start:
 * @spec: what to supervise
 * @error: (nullable): the error of the child that could not start
 *
 * Like supervisor_start_link(), without a link: for the top of a tree that
 * belongs to the program, not to the thread that started it.
 *
 * Returns: the supervisor, or %PID_NONE with @error set
 */
Pid supervisor_start (const SupervisorSpec *spec, GError **error);

/**
 * supervisor_stop:
 * @supervisor: a supervisor that has no parent
 * @timeout_ms: how long to wait, in milliseconds; -1 for ever
 *
 * Stops its children in reverse order, then itself, with `shutdown`; kills it
 * when that takes too long.  Does nothing when it is dead.
 */
void supervisor_stop (Pid supervisor, int timeout_ms);

/**
 * supervisor_start_child:
 * @supervisor: a supervisor
 * @spec: (nullable): the new child's specification; %NULL in
 *   simple_one_for_one: one more after its model
 * @error: (nullable): the child's own error, a #SupervisorError or a
 *   #GenServerError
 *
 * Adds a child and starts it.
 *
 * Returns: the child, or %PID_NONE with @error set: then it was not added
 */
Pid supervisor_start_child (Pid supervisor, const ChildSpec *spec,
                            GError **error);

/**
 * supervisor_terminate_child:
 * @supervisor: a supervisor; not simple_one_for_one
 * @id: a child's id
 * @error: (nullable): a #SupervisorError or a #GenServerError
 *
 * Stops a child and waits until it has ended.  Its specification stays, unless
 * it is temporary.  A child that does not run is fine.
 *
 * Returns: whether there is such a child
 */
gboolean supervisor_terminate_child (Pid supervisor, const char *id,
                                     GError **error);

/**
 * supervisor_terminate_pid:
 * @supervisor: a supervisor
 * @pid: a child's pid
 * @error: (nullable): a #SupervisorError or a #GenServerError
 *
 * Like supervisor_terminate_child(), for the only name that a child of a
 * simple_one_for_one supervisor has.
 *
 * Returns: whether there was such a child, or @pid is dead
 */
gboolean supervisor_terminate_pid (Pid supervisor, Pid pid, GError **error);

/**
 * supervisor_restart_child:
 * @supervisor: a supervisor; not simple_one_for_one
 * @id: the id of a child that does not run
 * @error: (nullable): the child's own error, a #SupervisorError or a
 *   #GenServerError
 *
 * Returns: the new process, or %PID_NONE with @error set
 */
Pid supervisor_restart_child (Pid supervisor, const char *id, GError **error);

/**
 * supervisor_delete_child:
 * @supervisor: a supervisor; not simple_one_for_one
 * @id: the id of a child that does not run
 * @error: (nullable): a #SupervisorError or a #GenServerError
 *
 * Forgets a child's specification.
 *
 * Returns: whether it is gone
 */
gboolean supervisor_delete_child (Pid supervisor, const char *id,
                                  GError **error);

/**
 * ChildInfo:
 * @id: (nullable): the child's id; %NULL in simple_one_for_one
 * @pid: the process, or %PID_NONE
 * @is_restarting: it is about to be started again
 * @is_supervisor: it is a supervisor itself
 */
typedef struct {
  char    *id;
  Pid      pid;
  gboolean is_restarting;
  gboolean is_supervisor;
} ChildInfo;

/**
 * supervisor_which_children:
 * @supervisor: a supervisor
 * @error: (nullable): a #GenServerError
 *
 * Returns: (transfer full) (element-type ChildInfo): the children in the
 *   order of their start, or %NULL with @error set
 */
GArray *supervisor_which_children (Pid supervisor, GError **error);

/**
 * ChildCount:
 * @n_specs: specifications, dead ones included
 * @n_active: running children
 * @n_supervisors: specifications that are supervisors, dead ones included
 * @n_workers: the others
 */
typedef struct {
  guint n_specs;
  guint n_active;
  guint n_supervisors;
  guint n_workers;
} ChildCount;

/**
 * supervisor_count_children:
 * @supervisor: a supervisor
 * @count: (out): how many there are
 * @error: (nullable): a #GenServerError
 *
 * Returns: whether it could be asked
 */
gboolean supervisor_count_children (Pid supervisor, ChildCount *count,
                                    GError **error);

#endif
