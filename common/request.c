#include "request.h"

#include "run.h"

/* Parking and being woken takes as long as many a handler. */
#define YIELDS_BEFORE_PARKING 10

gint64
request_deadline (int timeout_ms)
{
  gint64 deadline = scheduler_deadline (timeout_ms);

  return this_thread.limit != 0 ? MIN (this_thread.limit, deadline) : deadline;
}

gboolean
request_answer (From from, Message answer)
{
  Process *caller = slot_lock_alive (from.pid);

  if (caller != NULL) {
    if (from.ref != 0 && slot_has_call (caller, from.ref)) {
      *caller->reply = answer;
      slot_set_call (caller, 0);
      slot_wake (caller, WAITS_FOR_REPLY);
      slot_unlock (caller);
      return TRUE;
    }
    slot_unlock (caller);
  }
  message_clear (&answer);
  return FALSE;
}

static void
tell_caller (const Bond *bond, Pid dead, Reason reason)
{
  From from = { .pid = bond->other, .ref = bond->ref };

  request_answer (from, (Message) { .tag = reason != 0 ? PROCESS_DOWN : 0,
                                    .pid = dead,
                                    .reason = reason });
}

void
request_answer_when_released (From from)
{
  Bond bond = { .tell = tell_caller, .other = from.pid, .ref = from.ref };

  slot_current ()->when_released = g_memdup2 (&bond, sizeof bond);
}

static Ref
begin (Process *self, Message *answer)
{
  Ref ref = slot_new_ref ();

  *answer = (Message) { 0 };
  self->reply = answer; /* who has no ref of this call never looks at it */
  slot_set_call (self, ref);
  return ref;
}

static void
withdraw (Pid pid, Ref ref)
{
  Process *process = slot_lock_alive (pid);

  if (process == NULL)
    return;
  slot_drop_bond (process, ref);
  slot_unlock (process);
}

static void
wait (Process *self, Ref ref, gint64 deadline)
{
  for (int i = 0; i < YIELDS_BEFORE_PARKING && slot_has_call (self, ref); i++)
    scheduler_yield ();

  slot_lock (self);
  while (slot_has_call (self, ref) && slot_is_alive (self)
         && scheduler_now () < deadline)
    slot_park (self, WAITS_FOR_REPLY, deadline);
  slot_unlock (self);
}

/* Decides what has come of a request. */
static RequestResult
end (Process *self, Ref ref, Message *answer)
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
  if (slot_is_alive (self))
    return REQUEST_TIMEOUT;
  answer->reason = self->reason;
  return REQUEST_DOWN;
}

RequestResult
request_call (Pid pid, Envelope envelope, gint64 deadline, Message *answer)
{
  Process *self = slot_current (), *process;
  Bond caller = { .tell = tell_caller, .other = self->pid, .waits = TRUE };
  gboolean is_added = TRUE;

  *answer = (Message) { 0 };
  if (!slot_is_alive (self)) {
    message_clear (&envelope.message);
    answer->reason = self->reason;
    return REQUEST_DOWN;
  }
  process = slot_lock_alive (pid);
  if (process == NULL) {
    message_clear (&envelope.message);
    return REQUEST_NOPROC;
  }
  caller.ref = begin (self, answer);
  envelope.message.sender = self->pid;
  envelope.message.ref = caller.ref;
  if (run_may_lend (process, &envelope)) {
    is_added = run_lent (process, envelope, deadline, &caller);
  } else {
    slot_add_bond (process, caller.ref, caller);
    run_post (process, envelope);
  }
  if (is_added) {
    wait (self, caller.ref, deadline);
    withdraw (pid, caller.ref);
  }
  return end (self, caller.ref, answer);
}

RequestResult
request_end (Pid pid, gint64 deadline, Message *answer)
{
  Process *self = slot_current (), *process;
  Bond caller = { .tell = tell_caller, .other = self->pid, .waits = TRUE };

  *answer = (Message) { 0 };
  if (!slot_is_alive (self))
    return REQUEST_TIMEOUT;
  process = slot_lock_untold (pid);
  if (process == NULL)
    return REQUEST_NOPROC;
  caller.ref = begin (self, answer);
  slot_add_bond (process, caller.ref, caller);
  slot_unlock (process);
  wait (self, caller.ref, deadline);
  withdraw (pid, caller.ref);
  return end (self, caller.ref, answer);
}
