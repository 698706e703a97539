/* run: who runs a process's handlers.  Private to common/.
 *
 * A process with messages stands in line for a shared thread.  Or whoever
 * waits for it lends its own thread instead: a handler takes a tenth of a
 * microsecond, and having another thread woken for it a hundred times that.
 */
#ifndef RUN_H
#define RUN_H

#include "slot.h"

/* The classes' `run`: has this thread handle what is in the mailbox.  One that runs
 * somebody already is lent, and leaves what is not short to a shared one. */
void run_queued (Process *process);

/* A function that will be a process when run_start() says so. */
Pid run_new_function (const char *kind, ProcessFunc func, gpointer data,
                      GDestroyNotify free_data);
void run_start (Pid pid);

/* Locks @pid's process for a message from the one that runs here.  Looking at
 * that one under this lock makes its death, should it be told to die just now,
 * reach @pid after all that it has sent.
 *
 * Returns: (nullable): NULL unless both are alive */
Process *run_lock_receiver (Pid pid);

/* Sends a message from the process that runs here; from a dead one nothing is
 * taken.  A cast may run on this thread if that is not inside a handler: so
 * casts never nest. */
void run_send (Pid pid, Envelope envelope);

/* Sends a message from nobody in particular. */
void run_deliver (Pid pid, Envelope envelope);

/* The same, to a process whose lock it HOLDS and gives back. */
void run_post (Process *process, Envelope envelope);

/* Puts a message before all that waits for the process that runs here. */
void run_next (Envelope envelope);

/* Whether this thread may run @process instead of having it stand in line:
 * it is not running elsewhere, has started (or @envelope is to start it), and
 * its class says that it is worth asking.
 * HOLDS @process's lock. */
gboolean run_may_lend (Process *process, const Envelope *envelope);

/* Handles what is in the mailbox, then @envelope, then (unless this thread is
 * inside a handler) what has come in meanwhile, all of it on this thread as
 * long as it is short; the rest is left to a shared thread.  HOLDS @process's
 * lock and gives it back.  At @limit it goes on with nothing new.
 * @caller, if given, is added to the bonds unless it has its answer by then,
 * and told when @process died over it or (with reason 0) has started.
 *
 * Returns: whether @caller was added */
gboolean run_lent (Process *process, Envelope *envelope, gint64 limit,
                   const Bond *caller);

#endif
