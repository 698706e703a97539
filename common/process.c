#include "process.h"

#include "run.h"
#include "signals.h"
#include "trace.h"

/* Moves @text past a number.  It has digits only: strtoull() would take spaces and
 * a sign, too.  It returns G_MAXUINT64 for what is too large, so @max is less. */
static gboolean
parse_number (const char **text, guint64 max, guint64 *number)
{
  char *end;

  if (!g_ascii_isdigit (**text))
    return FALSE;
  *number = g_ascii_strtoull (*text, &end, 10);
  *text = end;
  return *number <= max;
}

/* What is too large is refused: the slot's upper bits would be the generation's
 * lower ones, and name somebody else.  The first generation is 1. */
gboolean
pid_parse (const char *text, Pid *pid)
{
  gboolean is_in_brackets = *text == '<';
  guint64 slot, generation;

  if (is_in_brackets)
    text++;
  if (!parse_number (&text, PID_SLOT (G_MAXUINT64), &slot) || *text++ != '.'
      || !parse_number (&text, PID_GENERATION (G_MAXUINT64), &generation)
      || generation == 0)
    return FALSE;
  if (is_in_brackets && *text++ != '>')
    return FALSE;
  if (*text != '\0')
    return FALSE;
  *pid = slot | generation << PID_SLOT_BITS;
  return TRUE;
}

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
process_is_idle (Pid pid)
{
  Process *process = slot_lock_alive (pid);
  gboolean is_idle = process != NULL && process->state == PROCESS_IDLE;

  if (process != NULL)
    slot_unlock (process);
  return is_idle;
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
  gint64 deadline = scheduler_now () + duration_ms * G_TIME_SPAN_MILLISECOND;
  Process *self = slot_lock_alive (process_self ());

  if (self == NULL)
    return FALSE;
  while (slot_is_alive (self) && scheduler_now () < deadline)
    slot_park (self, WAITS_FOR_REPLY, PID_NONE, deadline);
  slot_unlock (self);
  return slot_is_alive (self);
}

void
process_set_label (const char *label)
{
  Process *self = slot_lock_alive (process_self ());

  if (self == NULL)
    return;
  g_free (self->label);
  self->label = g_strdup (label);
  trace_label (self->pid, label != NULL ? label : self->kind);
  slot_unlock (self);
}

Pid
process_spawn (ProcessFunc func, gpointer data, GDestroyNotify free_data)
{
  Pid pid;

  g_return_val_if_fail (func != NULL, PID_NONE);

  pid = run_new_function ("function", func, data, free_data);
  run_start (pid);
  return pid;
}

Pid
process_spawn_monitor (ProcessFunc func, gpointer data,
                       GDestroyNotify free_data, gpointer cookie, Ref *ref)
{
  Ref monitor;
  Pid pid;

  g_return_val_if_fail (func != NULL, PID_NONE);

  pid = run_new_function ("function", func, data, free_data);
  monitor = process_monitor (pid, cookie);
  run_start (pid);
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

/* Returns: (nullable): what is first in the mailbox before the deadline */
static Envelope *
wait_for_envelope (gint64 deadline)
{
  Process *self = slot_lock_alive (process_self ());
  Envelope *envelope = NULL;

  if (self == NULL)
    return NULL;
  while (slot_is_alive (self)
         && (envelope = g_async_queue_try_pop_unlocked (self->mailbox)) == NULL
         && scheduler_now () < deadline)
    slot_park (self, WAITS_FOR_MESSAGE, PID_NONE, deadline);
  slot_unlock (self);
  return envelope;
}

gboolean
process_receive (Message *message, int timeout_ms)
{
  gint64 deadline = scheduler_deadline (timeout_ms);
  Process *self = slot_current ();
  gboolean is_received = FALSE;
  Envelope *envelope;

  *message = (Message) { 0 };
  g_return_val_if_fail (!self->klass->is_server, FALSE);

  while (!is_received && (envelope = wait_for_envelope (deadline)) != NULL) {
    is_received = envelope->accept == NULL
                  || envelope->accept (self->pid, &envelope->message);
    trace_message (self->pid, is_received ? "receive" : "ignore",
                   envelope->message.sender, &envelope->message, PID_NONE);
    if (is_received)
      *message = envelope->message;
    else
      message_clear (&envelope->message);
    g_free (envelope);
  }
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
lock_timers (void)
{
  scheduler_point ();
  g_mutex_lock (&timers_lock);
}

gboolean
process_cancel_timer (Ref ref)
{
  Timer *timer = NULL;

  if (ref == 0)
    return FALSE;
  lock_timers ();
  if (timers != NULL)
    g_hash_table_steal_extended (timers, PID_TO_POINTER (ref), NULL,
                                 (gpointer *) &timer);
  g_mutex_unlock (&timers_lock);
  if (timer == NULL)
    return FALSE;

  if (!timer->is_due)
    scheduler_forget (timer->due, ref);
  message_clear (&timer->message);
  g_free (timer);
  return TRUE;
}

static gboolean
accept_timer (Pid receiver G_GNUC_UNUSED, const Message *message)
{
  return process_cancel_timer (message->ref);
}

/* The message goes on its way, and leaves the timer in the table. */
static void
timer_is_due (guint64 ref)
{
  Envelope envelope = { .accept = accept_timer };
  Pid receiver = PID_NONE;
  Timer *timer;

  lock_timers ();
  timer = g_hash_table_lookup (timers, PID_TO_POINTER (ref));
  if (timer != NULL) {
    receiver = timer->pid;
    envelope.message = timer->message;
    timer->message = (Message) { 0 };
    timer->is_due = TRUE;
  }
  g_mutex_unlock (&timers_lock);
  if (timer != NULL) {
    trace_message (envelope.message.sender, "timer", receiver,
                   &envelope.message, receiver);
    run_deliver (receiver, envelope);
  }
}

Ref
process_send_after (Pid pid, Message message, guint delay_ms)
{
  Process *self = slot_current ();
  Timer timer = { .pid = pid,
                  .due = scheduler_now () + delay_ms * G_TIME_SPAN_MILLISECOND,
                  .message = message };
  Ref ref = slot_new_ref ();

  if (!slot_is_alive (self)) {
    message_clear (&message);
    return ref;
  }
  timer.message.sender = self->pid;
  timer.message.ref = ref;
  lock_timers ();
  if (timers == NULL)
    timers = g_hash_table_new (NULL, NULL);
  g_hash_table_insert (timers, PID_TO_POINTER (ref),
                       g_memdup2 (&timer, sizeof timer));
  g_mutex_unlock (&timers_lock);
  scheduler_call_at (timer.due, ref, timer_is_due);
  return ref;
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
  info.waits_on = process->waits_on;
  info.lender = info.state == PROCESS_RUNNING ? process->lender : PID_NONE;
  info.is_receiving = process->waits_for == WAITS_FOR_MESSAGE;
  info.label = g_strdup (process->label);
  g_array_append_val ((GArray *) data, info);
}

static void
clear_info (gpointer info)
{
  g_free (((ProcessInfo *) info)->label);
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

  g_array_set_clear_func (list, clear_info);
  slot_foreach (add_info, list);
  g_array_sort (list, compare_births);
  return list;
}
