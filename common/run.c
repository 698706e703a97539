#include "run.h"

#define BATCH 64      /* messages handled at a stretch */
#define MAX_NESTED 16 /* calls nested on one thread: its stack has an end */

static void run (Runnable *runnable);

Process *
run_new (const ProcessClass *klass, const char *kind, gpointer data, Pid parent)
{
  Process *process = slot_new (klass, kind, data, parent);

  if (process->runnable.run == NULL)
    process->runnable.run = run;
  return process;
}

/* Puts an idle process in line.  HOLDS its lock and gives it back. */
static void
put_in_line (Process *process)
{
  gboolean is_in_line = process->is_in_line;

  process->state = PROCESS_QUEUED;
  process->is_in_line = TRUE;
  slot_unlock (process);
  if (!is_in_line)
    scheduler_push (&process->runnable);
}

void
run_start (Process *process)
{
  slot_lock (process);
  put_in_line (process);
}

/* HOLDS @process's lock. */
static void
put_into_mailbox (Process *process, Envelope envelope)
{
  g_async_queue_push_unlocked (process->mailbox,
                               g_memdup2 (&envelope, sizeof envelope));
}

/* HOLDS @process's lock. */
static void
keep_until_started (Process *process, Envelope envelope)
{
  if (process->early == NULL)
    process->early = g_queue_new ();
  g_queue_push_tail (process->early, g_memdup2 (&envelope, sizeof envelope));
}

/* region: post */
void
run_post (Process *process, Envelope envelope)
{
  if (process->is_starting && envelope.kind != MESSAGE_START
      && envelope.message.sender != process->pid) {
    keep_until_started (process, envelope);
    slot_unlock (process);
    return;
  }
  put_into_mailbox (process, envelope);
  slot_wake (process, WAITS_FOR_MESSAGE);
  if (process->state == PROCESS_IDLE)
    put_in_line (process);
  else
    slot_unlock (process);
}
/* end */

void
run_send (Pid pid, Envelope envelope)
{
  Process *self = slot_current ();
  Process *receiver = slot_is_alive (self) ? slot_lock_alive (pid) : NULL;

  if (receiver == NULL) {
    message_clear (&envelope.message);
    return;
  }
  envelope.message.sender = self->pid;
  run_post (receiver, envelope);
}

static void
handle (Process *process, Envelope *envelope)
{
  Process *outer = this_thread.current;
  Message *message = &envelope->message;

  this_thread.current = process;
  if (envelope->accept == NULL || envelope->accept (process, message))
    process->klass->handle (process->data, envelope);
  message_clear (message);
  if (envelope->kind == MESSAGE_START)
    slot_open_mailbox (process);
  this_thread.current = outer;
}

/* HOLDS @process's lock and gives it back. */
static void
stop_running (Process *process)
{
  if (!slot_is_alive (process)) {
    slot_unlock (process);
    slot_finalize (process);
    slot_leave (process);
  } else if (process->stop != 0) {
    process->state = PROCESS_IDLE;
    slot_end (process, process->stop);
  } else if (g_async_queue_length_unlocked (process->mailbox) > 0) {
    put_in_line (process);
  } else {
    process->state = PROCESS_IDLE;
    slot_unlock (process);
  }
}

/* Stops running a process.  HOLDS its lock and gives it back. */
static void
release (Process *process)
{
  g_autofree Bond *bond = g_steal_pointer (&process->when_released);
  Reason reason = slot_is_alive (process) ? 0 : process->reason;
  Pid pid = process->pid;

  stop_running (process);
  if (bond != NULL)
    bond->tell (bond, pid, reason);
}

/* Gives a message back that is not for this thread to handle. */
static void
put_back (Process *process, Envelope *envelope)
{
  slot_lock (process);
  if (slot_is_alive (process)) {
    g_async_queue_push_front_unlocked (process->mailbox, envelope);
    return;
  }
  slot_unlock (process);
  if (envelope->accept != NULL)
    envelope->accept (process, &envelope->message);
  envelope_free (envelope);
  slot_lock (process);
}

/* region: goes-on */
/* Whether a thread that was lent goes on.  One that is inside a handler does
 * what it waits for and no more: another's message might call the very server
 * whose handler that is. */
static gboolean
goes_on (const Bond *caller)
{
  Process *self = this_thread.current;

  if (this_thread.limit != SCHEDULER_NEVER
      && scheduler_now () >= this_thread.limit)
    return FALSE;
  return self->klass->handle == NULL
         || (caller != NULL && slot_has_call (self, caller->ref));
}
/* end */

/* HOLDS the lock of @process, which this thread runs, and gives both up. */
static void
run_mailbox (Process *process, gboolean is_lent, const Bond *caller)
{
  for (guint i = 0; i < BATCH; i++) {
    Envelope *envelope;

    if (!slot_is_alive (process) || process->stop != 0
        || process->when_released != NULL)
      break;
    envelope = g_async_queue_try_pop_unlocked (process->mailbox);
    if (envelope == NULL)
      break;
    slot_unlock (process);
    if (is_lent
        && (!goes_on (caller)
            || !process->klass->is_short (process->data, envelope))) {
      put_back (process, envelope);
      break;
    }
    handle (process, envelope);
    g_free (envelope);
    slot_lock (process);
  }
  release (process);
}

static void
run_function (Process *process)
{
  this_thread.current = process;
  process->klass->run (process->data);
  this_thread.current = NULL;
  process->stop = REASON_NORMAL;
  slot_lock (process);
  release (process);
}

/* What the scheduler has in line may be out of date: the process may have been
 * run by somebody else meanwhile, or be another one in the same slot. */
static void
run (Runnable *runnable)
{
  Process *process = (Process *) runnable;

  slot_lock (process);
  process->is_in_line = FALSE;
  if (process->awaits_burial) {
    process->awaits_burial = FALSE;
    slot_unlock (process);
    slot_bury (process);
  } else if (process->state != PROCESS_QUEUED) {
    slot_unlock (process);
  } else if (process->klass->run != NULL) {
    process->state = PROCESS_RUNNING;
    slot_unlock (process);
    run_function (process);
  } else {
    process->state = PROCESS_RUNNING;
    run_mailbox (process, FALSE, NULL);
  }
}

/* region: may-lend */
gboolean
run_may_lend (Process *process, const Envelope *envelope)
{
  return process->may_lend && this_thread.n_lent < MAX_NESTED
         && (!process->is_starting || envelope->kind == MESSAGE_START)
         && (process->state == PROCESS_IDLE
             || process->state == PROCESS_QUEUED);
}
/* end */

/* With nothing before it, a message need not go through the mailbox.  HOLDS
 * @process's lock, but not while it handles. */
static void
handle_or_put_into_mailbox (Process *process, Envelope envelope)
{
  if (g_async_queue_length_unlocked (process->mailbox) == 0) {
    gboolean is_short;

    slot_unlock (process);
    is_short = process->klass->is_short (process->data, &envelope);
    if (is_short)
      handle (process, &envelope);
    slot_lock (process);
    if (is_short)
      return;
  }
  if (slot_is_alive (process)) {
    put_into_mailbox (process, envelope);
  } else {
    slot_unlock (process);
    message_clear (&envelope.message);
    slot_lock (process);
  }
}

gboolean
run_lent (Process *process, Envelope envelope, gint64 limit, const Bond *caller)
{
  gint64 outer_limit = this_thread.limit;
  Process *self = this_thread.current;
  Pid pid = process->pid;
  gboolean is_added = FALSE;
  Reason reason = 0;

  this_thread.limit = limit;
  this_thread.n_lent++;
  process->state = PROCESS_RUNNING;
  handle_or_put_into_mailbox (process, envelope);
  if (!slot_is_alive (process)) {
    reason = process->reason;
  } else if (caller != NULL && process->when_released == NULL
             && slot_has_call (self, caller->ref)) {
    slot_add_bond (process, caller->ref, *caller);
    is_added = TRUE;
  }
  run_mailbox (process, TRUE, caller);
  this_thread.n_lent--;
  this_thread.limit = outer_limit;
  if (caller != NULL && reason != 0)
    caller->tell (caller, pid, reason);
  return is_added;
}
