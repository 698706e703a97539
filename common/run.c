#include "run.h"

#include "trace.h"

#define BATCH 64      /* messages handled at a stretch */
#define MAX_NESTED 16 /* calls nested on one thread: its stack has an end */

/* region: post */
void
run_post (Process *process, Envelope envelope)
{
  Envelope *copy = g_memdup2 (&envelope, sizeof envelope);

  if (process->is_starting && envelope.kind != MESSAGE_START
      && envelope.message.sender != process->pid) {
    g_queue_push_tail (&process->early, copy);
    slot_unlock (process);
    return;
  }
  g_async_queue_push_unlocked (process->mailbox, copy);
  slot_wake (process, WAITS_FOR_MESSAGE);
  if (process->state == PROCESS_IDLE || process->state == PROCESS_QUEUED)
    slot_queue (process);
  else
    slot_unlock (process);
}
/* end */

void
run_deliver (Pid pid, Envelope envelope)
{
  Process *receiver = slot_lock_alive (pid);

  if (receiver != NULL)
    run_post (receiver, envelope);
  else
    slot_drop_message (pid, &envelope);
}

void
run_next (Envelope envelope)
{
  Process *self = slot_lock_alive (slot_current ()->pid);

  if (self == NULL) {
    message_clear (&envelope.message);
    return;
  }
  envelope.message.sender = self->pid;
  trace_message (self->pid, "continue", self->pid, &envelope.message,
                 self->pid);
  g_async_queue_push_front_unlocked (self->mailbox,
                                     g_memdup2 (&envelope, sizeof envelope));
  slot_unlock (self);
}

Process *
run_lock_receiver (Pid pid)
{
  Process *receiver = slot_lock_alive (pid);

  if (receiver == NULL || slot_is_alive (slot_current ()))
    return receiver;
  slot_unlock (receiver);
  return NULL;
}

/* Returns: whether a cast was handled on this thread */
static gboolean
cast_lent (Pid pid, Envelope *envelope)
{
  Process *receiver = run_lock_receiver (pid);
  gboolean may_lend = receiver != NULL && run_may_lend (receiver, envelope);

  if (may_lend)
    run_lent (receiver, envelope, SCHEDULER_NEVER, NULL);
  else if (receiver != NULL)
    slot_unlock (receiver);
  return may_lend;
}

/* Letting go of the lock in between is on purpose: where clients contend for a
 * server, its runner gets it, and a pair of call and cast takes half as long. */
void
run_send (Pid pid, Envelope envelope)
{
  Process *self = slot_current ();
  Process *receiver = NULL;

  envelope.message.sender = self->pid;
  if (slot_is_alive (self)) {
    trace_message (self->pid, envelope.kind == MESSAGE_CAST ? "cast" : "send",
                   pid, &envelope.message, pid);
    if (envelope.kind == MESSAGE_CAST && !self->klass->is_server
        && cast_lent (pid, &envelope))
      return;
    receiver = run_lock_receiver (pid);
  }
  if (receiver != NULL)
    run_post (receiver, envelope);
  else
    message_clear (&envelope.message);
}

static void
handle (Process *process, Envelope *envelope)
{
  Process *outer = this_thread.current;
  Message *message = &envelope->message;
  gboolean is_accepted;

  this_thread.current = process;
  is_accepted = envelope->accept == NULL
                || envelope->accept (process->pid, message);
  trace_message (process->pid, is_accepted ? "handle" : "ignore",
                 message->sender, message, process->pid);
  if (is_accepted)
    process->klass->handle (process->data, envelope);
  message_clear (message);
  if (envelope->kind == MESSAGE_START)
    slot_open_mailbox (process);
  this_thread.current = outer;
}

/* region: goes-on */
/* Whether a thread that was lent goes on.  One that is inside a handler does
 * what it waits for and no more: another's message might call the very server
 * whose handler that is. */
static gboolean
goes_on (gboolean is_own_to_come, gint64 limit)
{
  if (limit != SCHEDULER_NEVER && scheduler_now () >= limit)
    return FALSE;
  return is_own_to_come || !this_thread.current->klass->is_server;
}
/* end */

/* Has the one who started @process go on when that has stopped running, whatever
 * else there is to handle.  HOLDS @process's lock and gives it back. */
static void
release_started (Process *process, Ref start)
{
  Bond *bond = slot_is_alive (process) && process->stop == 0
                 ? bonds_get (&process->bonds, start)
                 : NULL;
  Bond starter = bond != NULL ? *bond : (Bond) { 0 };
  Pid pid = process->pid;

  slot_release (process);
  if (starter.tell != NULL)
    starter.tell (&starter, pid, 0);
}

/* HOLDS the lock of @process, which this thread runs, and gives both up.  For a
 * thread that was lent until @limit, the last of the first @n_own messages is its
 * own. */
static void
run_mailbox (Process *process, gboolean is_lent, guint n_own, gint64 limit)
{
  for (guint i = 0; i < BATCH; i++) {
    Envelope *envelope;
    Ref start;

    if (!slot_is_alive (process) || process->stop != 0)
      break;
    envelope = g_async_queue_try_pop_unlocked (process->mailbox);
    if (envelope == NULL)
      break;
    slot_unlock (process);
    if (is_lent
        && (!goes_on (i < n_own, limit)
            || !process->klass->is_short (process->data, envelope))) {
      slot_lock (process);
      g_async_queue_push_front_unlocked (process->mailbox, envelope);
      break;
    }
    handle (process, envelope);
    start = envelope->kind == MESSAGE_START ? envelope->message.ref : 0;
    g_free (envelope);
    slot_lock (process);
    if (start != 0) {
      release_started (process, start);
      return;
    }
  }
  slot_release (process);
}

void
run_queued (Process *process)
{
  const Process *lender = this_thread.current;

  process->state = PROCESS_RUNNING;
  process->lender = lender != NULL ? lender->pid : PID_NONE;
  run_mailbox (process, lender != NULL, 0, SCHEDULER_NEVER);
}

/* region: may-lend */
gboolean
run_may_lend (Process *process, const Envelope *envelope)
{
  return process->klass->is_short != NULL && this_thread.n_lent < MAX_NESTED
         && (!process->is_starting || envelope->kind == MESSAGE_START)
         && (process->state == PROCESS_IDLE || process->state == PROCESS_QUEUED)
         && scheduler_may_lend ();
}
/* end */

/* With nothing before it, a message need not go through the mailbox.  HOLDS
 * @process's lock, but not while it handles.
 *
 * Returns: how many messages there are to handle, the last of them this one */
static guint
handle_or_put_into_mailbox (Process *process, Envelope *envelope)
{
  gboolean is_short;

  if (g_async_queue_length_unlocked (process->mailbox) > 0) {
    g_async_queue_push_unlocked (process->mailbox,
                                 g_memdup2 (envelope, sizeof *envelope));
    return (guint) g_async_queue_length_unlocked (process->mailbox);
  }
  slot_unlock (process);
  is_short = process->klass->is_short (process->data, envelope);
  if (is_short)
    handle (process, envelope);
  slot_lock (process);
  if (is_short)
    return 0;
  /* What came meanwhile is younger. */
  g_async_queue_push_front_unlocked (process->mailbox,
                                     g_memdup2 (envelope, sizeof *envelope));
  return 1;
}

gboolean
run_lent (Process *process, Envelope *envelope, gint64 limit,
          const Bond *caller)
{
  Pid pid = process->pid;
  gboolean is_added, is_alive, has_started, has_own_line;
  Reason reason;
  guint n_own;

  has_own_line = slot_open_own_line ();
  this_thread.n_lent++;
  process->state = PROCESS_RUNNING;
  process->lender = this_thread.current->pid;
  n_own = handle_or_put_into_mailbox (process, envelope);
  is_alive = slot_is_alive (process);
  reason = is_alive ? 0 : process->reason;
  has_started = is_alive && envelope->kind == MESSAGE_START
                && process->stop == 0;
  is_added = is_alive && !has_started && caller != NULL
             && slot_has_call (this_thread.current, caller->ref);
  if (is_added)
    bonds_add (&process->bonds, *caller);
  if (has_started)
    slot_release (process);
  else
    run_mailbox (process, TRUE, n_own, limit);
  this_thread.n_lent--;
  if (has_own_line)
    slot_run_own_line (limit);
  if (caller != NULL && (has_started || reason != 0))
    caller->tell (caller, pid, reason);
  return is_added;
}

/* Functions that are processes: the first message runs them. */

typedef struct {
  ProcessFunc    func;
  gpointer       data;
  GDestroyNotify free_data;
} Function;

static void
handle_start (gpointer state, Envelope *envelope G_GNUC_UNUSED)
{
  const Function *function = state;
  Process *self = slot_current ();

  slot_open_mailbox (self);
  function->func (function->data);
  self->stop = REASON_NORMAL;
}

static void
finalize (gpointer state)
{
  Function *function = state;

  if (function->free_data != NULL)
    function->free_data (function->data);
  g_free (function);
}

Pid
run_new_function (const char *kind, ProcessFunc func, gpointer data,
                  GDestroyNotify free_data)
{
  static const ProcessClass function_class = { .run = run_queued,
                                               .handle = handle_start,
                                               .finalize = finalize };
  Function function = { func, data, free_data };

  return slot_new (&function_class, kind,
                   g_memdup2 (&function, sizeof function), PID_NONE)
    ->pid;
}

/* Whoever was told to die starts nobody. */
void
run_start (Pid pid)
{
  Envelope start = { .message.tag = TAG_START, .kind = MESSAGE_START };
  Process *process = run_lock_receiver (pid);

  if (process != NULL)
    run_post (process, start);
  else if ((process = slot_lock_alive (pid)) != NULL)
    slot_end (process, REASON_KILLED);
}
