#include "process.h"

#include "run.h"
#include "signals.h"

gpointer
message_take_data (Message *message)
{
  message->free_data = NULL;
  return g_steal_pointer (&message->data);
}

Message
message_error (int tag, GError *error)
{
  return (Message) { .tag = tag,
                     .data = error,
                     .free_data = (GDestroyNotify) g_error_free };
}

void
message_clear (Message *message)
{
  GDestroyNotify free_data = g_steal_pointer (&message->free_data);
  gpointer data = g_steal_pointer (&message->data);

  if (free_data != NULL && data != NULL)
    free_data (data);
}

Pid
process_self (void)
{
  return slot_current ()->pid;
}

gboolean
process_is_alive (Pid pid)
{
  Process *process = slot_lock_alive (pid);

  if (process == NULL)
    return FALSE;
  slot_unlock (process);
  return TRUE;
}

gboolean
process_is_dying (void)
{
  return !slot_is_alive (slot_current ());
}

/* A thread past its end has none: it is not a process any more. */
GCancellable *
process_cancellable (void)
{
  Process *self = slot_current ();
  GCancellable *cancellable;

  if (self->mailbox == NULL)
    return NULL;
  slot_lock (self);
  if (self->cancellable == NULL)
    self->cancellable = g_cancellable_new ();
  cancellable = self->cancellable;
  slot_unlock (self);
  if (!slot_is_alive (self))
    g_cancellable_cancel (cancellable);
  return cancellable;
}

gboolean
process_sleep (guint duration_ms)
{
  Process *self = slot_current ();
  gint64 deadline = scheduler_now () + duration_ms * G_TIME_SPAN_MILLISECOND;

  if (!slot_is_alive (self))
    return FALSE;
  slot_lock (self);
  while (slot_is_alive (self) && scheduler_now () < deadline)
    slot_park (self, WAITS_FOR_REPLY, deadline);
  slot_unlock (self);
  return slot_is_alive (self);
}

/* Functions that are processes */

typedef struct {
  ProcessFunc    func;
  gpointer       data;
  GDestroyNotify free_data;
} Function;

static void
function_run (gpointer state)
{
  Function *function = state;

  function->func (function->data);
}

static void
function_finalize (gpointer state)
{
  Function *function = state;

  if (function->free_data != NULL)
    function->free_data (function->data);
  g_free (function);
}

static const ProcessClass function_class = { .run = function_run,
                                             .finalize = function_finalize };

static Process *
function_new (ProcessFunc func, gpointer data, GDestroyNotify free_data)
{
  Function *function = g_new (Function, 1);

  *function = (Function) { func, data, free_data };
  return run_new (&function_class, "function", function, PID_NONE);
}

Pid
process_spawn (ProcessFunc func, gpointer data, GDestroyNotify free_data)
{
  Process *process;
  Pid pid;

  g_return_val_if_fail (func != NULL, PID_NONE);

  process = function_new (func, data, free_data);
  pid = process->pid;
  run_start (process);
  return pid;
}

Pid
process_spawn_monitor (ProcessFunc func, gpointer data,
                       GDestroyNotify free_data, gpointer cookie, Ref *ref)
{
  Process *process;
  Ref monitor;
  Pid pid;

  g_return_val_if_fail (func != NULL, PID_NONE);

  process = function_new (func, data, free_data);
  pid = process->pid;
  monitor = process_monitor (pid, cookie);
  run_start (process);
  if (ref != NULL)
    *ref = monitor;
  return pid;
}

/* Messages */

void
process_send (Pid pid, Message message)
{
  run_send (pid, (Envelope) { .message = message });
}

gboolean
process_receive (Message *message, int timeout_ms)
{
  Process *self = slot_current ();
  gint64 deadline = scheduler_deadline (timeout_ms);
  gboolean is_received = FALSE;

  *message = (Message) { 0 };
  g_return_val_if_fail (self->klass == NULL || self->klass->handle == NULL,
                        FALSE);
  if (!slot_is_alive (self))
    return FALSE;

  slot_lock (self);
  while (!is_received && slot_is_alive (self)) {
    Envelope *envelope = g_async_queue_try_pop_unlocked (self->mailbox);

    if (envelope != NULL) {
      slot_unlock (self);
      is_received = envelope->accept == NULL
                    || envelope->accept (self, &envelope->message);
      if (is_received) {
        *message = envelope->message;
        g_free (envelope);
      } else {
        envelope_free (envelope);
      }
      slot_lock (self);
    } else if (scheduler_now () < deadline) {
      slot_park (self, WAITS_FOR_MESSAGE, deadline);
    } else {
      break;
    }
  }
  slot_unlock (self);
  return is_received;
}

/* Timers: one is in the table until its message is handled, so that it can be
 * cancelled until then. */

typedef struct {
  Pid      pid;
  gint64   due;
  gboolean is_due; /* the message lies in the mailbox */
  Message  message;
} Timer;

static GMutex timers_lock;
static GHashTable *timers; /* Ref → Timer; timers_lock protects it */

static void
timer_free (gpointer data)
{
  Timer *timer = data;

  message_clear (&timer->message);
  g_free (timer);
}

static Timer *
take_timer (Ref ref)
{
  Timer *timer = NULL;

  g_mutex_lock (&timers_lock);
  if (timers != NULL)
    g_hash_table_steal_extended (timers, PID_TO_POINTER (ref), NULL,
                                 (gpointer *) &timer);
  g_mutex_unlock (&timers_lock);
  return timer;
}

static gboolean
accept_timer (Process *self G_GNUC_UNUSED, const Message *message)
{
  Timer *timer = take_timer (message->ref);

  if (timer == NULL)
    return FALSE;
  timer_free (timer);
  return TRUE;
}

/* Takes the message out, and leaves the timer in the table. */
static gboolean
take_due_message (Ref ref, Pid *pid, Message *message)
{
  Timer *timer;

  g_mutex_lock (&timers_lock);
  timer = g_hash_table_lookup (timers, PID_TO_POINTER (ref));
  if (timer != NULL) {
    *pid = timer->pid;
    *message = timer->message;
    timer->message = (Message) { 0 };
    timer->is_due = TRUE;
  }
  g_mutex_unlock (&timers_lock);
  return timer != NULL;
}

static void
timer_is_due (guint64 ref)
{
  Envelope envelope = { .accept = accept_timer };
  Process *receiver;
  Pid pid;

  if (!take_due_message (ref, &pid, &envelope.message))
    return;
  receiver = slot_lock_alive (pid);
  if (receiver != NULL) {
    run_post (receiver, envelope);
  } else {
    process_cancel_timer (ref);
    message_clear (&envelope.message);
  }
}

Ref
process_send_after (Pid pid, Message message, guint delay_ms)
{
  Process *self = slot_current ();
  Ref ref = slot_new_ref ();
  Timer *timer;

  if (!slot_is_alive (self)) {
    message_clear (&message);
    return ref;
  }
  message.sender = self->pid;
  message.ref = ref;
  timer = g_new (Timer, 1);
  *timer = (Timer) { .pid = pid,
                     .due = scheduler_now ()
                            + delay_ms * G_TIME_SPAN_MILLISECOND,
                     .message = message };
  g_mutex_lock (&timers_lock);
  if (timers == NULL)
    timers = g_hash_table_new (NULL, NULL);
  g_hash_table_insert (timers, PID_TO_POINTER (ref), timer);
  g_mutex_unlock (&timers_lock);
  scheduler_call_at (timer->due, ref, timer_is_due);
  return ref;
}

gboolean
process_cancel_timer (Ref ref)
{
  Timer *timer = take_timer (ref);

  if (timer == NULL)
    return FALSE;
  if (!timer->is_due)
    scheduler_forget (timer->due, ref);
  timer_free (timer);
  return TRUE;
}

/* For observers */

static void
add_info (Process *process, gpointer data)
{
  ProcessInfo info = { .pid = process->pid,
                       .parent = process->parent,
                       .born = process->born,
                       .kind = process->kind,
                       .state = process->state };

  /* A slot that is free holds one that has gone long ago. */
  if (process->n_holders == 0 && !slot_is_alive (process))
    return;
  info.n_messages = (guint) g_async_queue_length_unlocked (process->mailbox);
  g_array_append_val ((GArray *) data, info);
}

static gint
compare_births (gconstpointer a, gconstpointer b)
{
  const ProcessInfo *one = a, *other = b;

  return (one->born > other->born) - (one->born < other->born);
}

GArray *
process_list (void)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (ProcessInfo));

  slot_foreach (add_info, list);
  g_array_sort (list, compare_births);
  return list;
}
