#include "request.h"

#include "run.h"
#include "trace.h"

/* Returns: (nullable): the caller, locked, if it still waits */
static Process *
lock_waiting (From from)
{
  Process *caller = slot_lock_alive (from.pid);

  if (caller == NULL || (from.ref != 0 && slot_has_call (caller, from.ref)))
    return caller;
  slot_unlock (caller);
  return NULL;
}

gboolean
request_is_open (From from)
{
  Process *caller = lock_waiting (from);

  if (caller != NULL)
    slot_unlock (caller);
  return caller != NULL;
}

static gboolean
answer_as (Pid who, From from, Message answer)
{
  Process *caller = lock_waiting (from);

  trace_message (who, caller != NULL ? "reply" : "late reply", from.pid,
                 &answer, who);
  if (caller == NULL) {
    message_clear (&answer);
    return FALSE;
  }
  *caller->reply = answer;
  slot_set_call (caller, 0);
  slot_wake (caller, WAITS_FOR_REPLY);
  slot_unlock (caller);
  return TRUE;
}

gboolean
request_answer (From from, Message answer)
{
  return answer_as (process_self (), from, answer);
}

static void
tell_caller (const Bond *bond, Pid dead, Reason reason)
{
  From from = { .pid = bond->other, .ref = bond->ref };

  answer_as (dead, from,
             (Message) { .tag = reason != 0 ? PROCESS_DOWN : TAG_START,
                         .pid = dead,
                         .reason = reason });
}

static void
wait (Process *self, Pid pid, Ref ref, gint64 deadline)
{
  slot_lock (self);
  while (slot_has_call (self, ref) && slot_is_alive (self)
         && scheduler_now () < deadline)
    slot_park (self, WAITS_FOR_REPLY, pid, deadline);
  slot_unlock (self);
}

static RequestResult
unanswered (Process *self, RequestResult result, Message *answer)
{
  if (slot_is_alive (self))
    return result;
  answer->reason = self->reason;
  return REQUEST_DOWN;
}

/* Decides what has come of a request. */
static RequestResult
end (Process *self, Pid pid, Ref ref, Message *answer)
{
  gboolean is_answered = !slot_has_call (self, ref);

  if (!is_answered) {
    slot_lock (self);
    is_answered = !slot_has_call (self, ref);
    slot_set_call (self, 0);
    slot_unlock (self);
  }
  if (is_answered)
    return answer->tag == PROCESS_DOWN ? REQUEST_DOWN : REQUEST_ANSWERED;
  trace (self->pid, "give up", pid, NULL);
  return unanswered (self, REQUEST_TIMEOUT, answer);
}

RequestResult
request (Pid pid, const Envelope *message, gint64 deadline, Message *answer)
{
  Envelope envelope = message != NULL ? *message : (Envelope) { 0 };
  Process *self = slot_current (), *process = NULL;
  Ref ref = slot_new_ref ();
  Bond caller = { .key = ref,
                  .tell = tell_caller,
                  .other = self->pid,
                  .ref = ref,
                  .waits = TRUE };
  gboolean is_added = TRUE;

  *answer = (Message) { 0 };
  if (slot_is_alive (self))
    process = message != NULL ? run_lock_receiver (pid)
                              : slot_lock_untold (pid);
  if (process == NULL) {
    message_clear (&envelope.message);
    return unanswered (self, REQUEST_NOPROC, answer);
  }
  self->reply = answer; /* who has no ref of this call never looks at it */
  slot_set_call (self, ref);
  envelope.message.sender = self->pid;
  envelope.message.ref = ref;
  if (message != NULL)
    trace_message (self->pid, "call", pid, &message->message, pid);
  else
    trace (self->pid, "await", pid, NULL);
  if (message != NULL && run_may_lend (process, &envelope)) {
    is_added = run_lent (process, &envelope, deadline, &caller);
  } else {
    bonds_add (&process->bonds, caller);
    if (message != NULL)
      run_post (process, envelope);
    else
      slot_unlock (process);
  }
  if (is_added) {
    wait (self, pid, ref, deadline);
    slot_drop_bond (pid, ref, ref);
  }
  return end (self, pid, ref, answer);
}
