/* Signals: how a process hears that another one has ended.
 *
 * A link ties two lives together, in both directions; a monitor only watches.
 * Both are Erlang's, in every corner that its manual describes, but for one
 * promise more: after process_unlink() and process_demonitor() nothing of
 * that link or monitor is delivered, even where it was already on its way.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include "process.h"

/**
 * process_link:
 * @pid: another process
 *
 * Ties one's life to another's.  When either ends, the other gets an exit
 * signal: it dies for the same reason, unless that is %REASON_NORMAL or it
 * traps exits.  Linking twice is linking once.  A link to a dead process is
 * answered at once by an exit signal with %REASON_NOPROC.
 */
void process_link (Pid pid);

/**
 * process_unlink:
 * @pid: another process
 *
 * Cuts the link, if there is one.  A %PROCESS_EXIT of that link that nobody
 * has handled yet is dropped (Erlang: `unlink` and a `receive … after 0`).
 */
void process_unlink (Pid pid);

/**
 * process_monitor:
 * @pid: another process
 * @cookie: (nullable) (transfer none): comes back as the message's `data`
 *
 * Asks to be told when @pid ends: by one %PROCESS_DOWN message with @pid, the
 * monitor's `ref`, the `reason` and the cookie (OTP 24's tag), so a server
 * needs no table from monitors to what they are for.  A dead @pid is answered
 * at once, with %REASON_NOPROC.  Each call makes a monitor of its own.
 *
 * Returns: the monitor
 */
Ref process_monitor (Pid pid, gpointer cookie);

/**
 * process_demonitor:
 * @monitor: what process_monitor() gave to this process
 *
 * Ends a monitor; its %PROCESS_DOWN is not delivered any more (Erlang:
 * `demonitor (Ref, [flush])`).
 *
 * Returns: whether there was such a monitor, with its DOWN not yet handled
 */
gboolean process_demonitor (Ref monitor);

/**
 * process_trap_exits:
 * @trap: whether to trap
 *
 * Lets exit signals come as %PROCESS_EXIT messages (`pid`, `reason`) instead
 * of ending this process.
 */
void process_trap_exits (gboolean trap);

/**
 * process_traps_exits:
 * @pid: a process
 *
 * Returns: whether it is alive and traps exits
 */
gboolean process_traps_exits (Pid pid);

/**
 * process_exit:
 * @pid: who shall end; may be oneself
 * @reason: why
 *
 * Sends an exit signal.  %REASON_KILL ends @pid whether it traps or not, and
 * its links see %REASON_KILLED.  %REASON_NORMAL is ignored by another process
 * that does not trap, and ends oneself unless one traps.
 *
 * If no handler of @pid runs, it has been finalized before anyone is told.
 * If one runs, see process_is_dying().  Who is told may handle that on this
 * thread, before process_exit() returns, if that is short.
 */
void process_exit (Pid pid, Reason reason);

/**
 * process_wait_end:
 * @pid: another process
 * @timeout_ms: how long to wait, in milliseconds; -1 for ever, 0 not at all
 *
 * Waits until everybody who watches @pid has been told that it ended: their
 * messages lie in their mailboxes.
 *
 * Returns: whether it has ended in time
 */
gboolean process_wait_end (Pid pid, int timeout_ms);

/**
 * process_wait_gone:
 * @timeout_ms: how long to wait, in milliseconds; -1 for ever, 0 not at all
 * @zombies: (out) (optional) (transfer full) (nullable): who is left, for a
 *   person to read, or %NULL when nobody is
 *
 * Waits until every process that was told to die, in the whole program, has
 * been finalized.
 *
 * Returns: how many are left
 */
guint process_wait_gone (int timeout_ms, char **zombies);

#endif
