#include "slot.h"

#include "trace.h"

#ifndef CHUNK_BITS
#define CHUNK_BITS 10
#endif
#define CHUNK_SIZE (1u << CHUNK_BITS)
#define MAX_OWN_LINE 4 /* a worker's death is heard by two */
#define N_CHUNKS (1u << (PID_SLOT_BITS - CHUNK_BITS))

Reason REASON_NORMAL, REASON_SHUTDOWN, REASON_KILL, REASON_KILLED,
  REASON_NOPROC;

_Thread_local ThisThread this_thread;

static Process *chunks[N_CHUNKS]; /* atomic; each of CHUNK_SIZE slots */
static gint n_dying;              /* atomic */

/* Atomic.  Refs and pids are keys of the same table, so they are kept apart:
 * no generation is that high. */
static Ref last_ref = G_GUINT64_CONSTANT (1) << 63;

/* slots_lock protects: */
static GMutex slots_lock;
static guint n_slots;
static GQueue free_slots; /* first in, first out */

static __attribute__ ((constructor)) void
make_reasons (void)
{
  REASON_NORMAL = g_quark_from_static_string ("normal");
  REASON_SHUTDOWN = g_quark_from_static_string ("shutdown");
  REASON_KILL = g_quark_from_static_string ("kill");
  REASON_KILLED = g_quark_from_static_string ("killed");
  REASON_NOPROC = g_quark_from_static_string ("noproc");
}

static void run (Runnable *runnable);

Ref
slot_new_ref (void)
{
  return (Ref) g_atomic_pointer_add (&last_ref, 1) + 1;
}

void
slot_lock (Process *process)
{
  scheduler_point ();
  g_async_queue_lock (process->mailbox);
}

void
slot_unlock (Process *process)
{
  g_async_queue_unlock (process->mailbox);
}

/* Returns: (nullable): the process of that pid, locked, gone or not */
static Process *
lock_slot (Pid pid)
{
  guint slot = PID_SLOT (pid);
  Process *chunk = g_atomic_pointer_get (&chunks[slot >> CHUNK_BITS]);
  Process *process = chunk != NULL ? &chunk[slot % CHUNK_SIZE] : NULL;

  if (process == NULL || (Pid) g_atomic_pointer_get (&process->pid) != pid)
    return NULL;
  slot_lock (process);
  if (process->pid == pid)
    return process;
  slot_unlock (process);
  return NULL;
}

Process *
slot_lock_untold (Pid pid)
{
  Process *process = lock_slot (pid);

  if (process == NULL || !process->is_told)
    return process;
  slot_unlock (process);
  return NULL;
}

gboolean
slot_has_init_to_run (Pid pid)
{
  Process *process = lock_slot (pid);
  gboolean has_it;

  if (process == NULL)
    return FALSE;
  has_it = slot_is_alive (process) ? process->is_starting
                                   : process->n_holders > 0;
  slot_unlock (process);
  return has_it;
}

/* Whoever finds that it has just died must find its name free, too: it may not
 * have been released yet, and releasing it twice does no harm. */
Process *
slot_lock_alive (Pid pid)
{
  Process *process = slot_lock_untold (pid);
  void (*forget_name) (Pid pid);

  if (process == NULL || slot_is_alive (process))
    return process;
  forget_name = process->forget_name;
  slot_unlock (process);
  if (forget_name != NULL)
    forget_name (pid);
  return NULL;
}

/* HOLDS: slots_lock */
static void
add_chunk (void)
{
  Process *chunk = g_new0 (Process, CHUNK_SIZE);

  if (n_slots == CHUNK_SIZE * N_CHUNKS)
    g_error ("More than %u processes", n_slots);
  for (guint i = 0; i < CHUNK_SIZE; i++) {
    chunk[i] = (Process) { .runnable.run = run,
                           .mailbox = g_async_queue_new (),
                           .link.data = &chunk[i],
                           .pid = n_slots + i,
                           .is_told = TRUE };
    g_queue_push_tail_link (&free_slots, &chunk[i].link);
  }
  g_atomic_pointer_set (&chunks[n_slots >> CHUNK_BITS], chunk);
  n_slots += CHUNK_SIZE;
}

static Process *
take_slot (void)
{
  GList *link;

  g_mutex_lock (&slots_lock);
  if (free_slots.length == 0)
    add_chunk ();
  link = g_queue_pop_head_link (&free_slots);
  g_mutex_unlock (&slots_lock);
  return link->data;
}

Process *
slot_new (const ProcessClass *klass, const char *kind, gpointer data,
          Pid parent)
{
  Process *process = take_slot ();
  gboolean runs = klass->run == NULL;

  slot_lock (process);
  g_atomic_pointer_set (&process->pid,
                        process->pid
                          + (G_GUINT64_CONSTANT (1) << PID_SLOT_BITS));
  process->klass = klass;
  process->kind = kind;
  process->data = data;
  process->parent = parent;
  process->born = slot_new_ref ();
  process->state = runs ? PROCESS_RUNNING : PROCESS_IDLE;
  process->is_starting = !runs;
  process->is_told = FALSE;
  process->traps_exits = FALSE;
  process->lender = PID_NONE;
  process->forget_name = NULL;
  process->reason = 0;
  process->stop = 0;
  g_atomic_int_set (&process->is_alive, TRUE);
  slot_unlock (process);
  trace_name (process->pid, kind);
  trace (process->pid, "begin", parent, NULL);
  return process;
}

/* A plain thread is a process that runs from its first question to its end. */

static const ProcessClass thread_class = { 0 };

static void
thread_ended (gpointer data)
{
  Process *process = data;

  this_thread.current = NULL;
  this_thread.has_ended = TRUE; /* or the next destroy notify made another */
  slot_lock (process);
  process->stop = REASON_NORMAL;
  slot_release (process);
}

static GPrivate thread_process = G_PRIVATE_INIT (thread_ended);
static Process nobody = { .klass = &thread_class, .kind = "thread" };

Process *
slot_current (void)
{
  ThisThread *self = &this_thread;

  if (G_LIKELY (self->current != NULL))
    return self->current;
  if (self->has_ended)
    return &nobody;
  self->current = slot_new (&thread_class, "thread", NULL, PID_NONE);
  g_private_set (&thread_process, self->current);
  return self->current;
}

gboolean
slot_drop_bond (Pid pid, guint64 key, Ref ref)
{
  Process *process = slot_lock_alive (pid);
  Bond *bond;
  gboolean is_it;

  if (process == NULL)
    return FALSE;
  bond = bonds_get (&process->bonds, key);
  is_it = bond != NULL && (ref == 0 || bond->ref == ref);
  if (is_it)
    bonds_remove (&process->bonds, bond);
  slot_unlock (process);
  return is_it;
}

void
slot_drop_message (Pid receiver, Envelope *envelope)
{
  trace_message (receiver, "drop", PID_NONE, &envelope->message, receiver);
  if (envelope->accept != NULL)
    envelope->accept (receiver, &envelope->message);
  message_clear (&envelope->message);
}

void
slot_open_mailbox (Process *process)
{
  Envelope *envelope;

  slot_lock (process);
  process->is_starting = FALSE;
  while ((envelope = g_queue_pop_head (&process->early)) != NULL)
    g_async_queue_push_unlocked (process->mailbox, envelope);
  slot_unlock (process);
}

/* HOLDS the lock and gives it back. */
static void
push (Process *process)
{
  gboolean is_in_line = process->is_in_line;

  process->is_in_line = TRUE;
  slot_unlock (process);
  if (!is_in_line)
    scheduler_push (&process->runnable);
}

/* Returns: whether this thread will run it */
static gboolean
keep (Process *process)
{
  ThisThread *self = &this_thread;

  if (process->klass->is_short == NULL)
    return FALSE;
  if (self->has_own_line && self->own_line.length < MAX_OWN_LINE
      && process->keeper == NULL && !process->is_in_line) {
    process->keeper = self;
    g_queue_push_tail (&self->own_line, process);
  }
  return process->keeper == self;
}

/* HOLDS the lock and gives it back. */
static void
put_in_line (Process *process)
{
  if (keep (process))
    slot_unlock (process);
  else
    push (process);
}

void
slot_queue (Process *process)
{
  process->state = PROCESS_QUEUED;
  put_in_line (process);
}

/* Whatever is done here is this process's doing. */
static void
as (Process *process, void (*func) (Process *process))
{
  Process *outer = this_thread.current;

  this_thread.current = process;
  func (process);
  this_thread.current = outer;
}

static void
finalize (Process *process)
{
  trace (process->pid, "finalize", PID_NONE, NULL);
  if (process->klass->finalize != NULL)
    process->klass->finalize (process->data);
}

static void
empty_mailbox (Process *process)
{
  Envelope *envelope;

  slot_open_mailbox (process);
  while ((envelope = g_async_queue_try_pop (process->mailbox)) != NULL) {
    slot_drop_message (process->pid, envelope);
    g_free (envelope);
  }
}

static Bonds
take_bonds (Process *process, gboolean is_told)
{
  Bonds bonds;

  slot_lock (process);
  process->is_told = is_told;
  bonds = bonds_steal (&process->bonds);
  slot_unlock (process);
  return bonds;
}

/* Who waits for its end may begin to until all others have been told. */
static void
tell_bonds (Process *process)
{
  Pid pid = process->pid;
  Reason reason = process->reason;
  g_auto (Bonds) bonds = take_bonds (process, FALSE);
  g_auto (Bonds) late = { 0 };

  bonds_tell (&bonds, FALSE, pid, reason);
  late = take_bonds (process, TRUE);
  bonds_tell (&bonds, TRUE, pid, reason);
  bonds_tell (&late, TRUE, pid, reason);
}

/* The teller, or the runner, of a dead process has done its part. */
static void
leave (Process *process)
{
  gboolean is_last;

  slot_lock (process);
  is_last = --process->n_holders == 0;
  slot_unlock (process);
  if (!is_last)
    return;

  g_clear_object (&process->cancellable);
  g_mutex_lock (&slots_lock);
  g_queue_push_tail_link (&free_slots, &process->link);
  g_mutex_unlock (&slots_lock);
  g_atomic_int_add (&n_dying, -1);
}

/* region: bury */
static void
bury (Process *process)
{
  if (!process->has_runner)
    finalize (process);
  empty_mailbox (process);
  tell_bonds (process);
  leave (process);
}
/* end */

static void
cancel (Process *process)
{
  GCancellable *cancellable;

  slot_lock (process);
  cancellable = process->cancellable; /* which lasts until its teller leaves */
  slot_unlock (process);
  g_cancellable_cancel (cancellable);
}

/* Finalizing may take its time.  A class that is short does it here, and so
 * does a thread that runs nobody; else a shared thread does. */
static void
bury_or_pass_on (Process *process)
{
  if (process->has_runner || process->klass->finalize == NULL
      || process->klass->is_short != NULL || this_thread.current == NULL) {
    as (process, bury);
  } else {
    slot_lock (process);
    process->awaits_burial = TRUE;
    put_in_line (process);
  }
}

static void
run_kept (Process *process)
{
  slot_lock (process);
  process->keeper = NULL;
  if (process->state == PROCESS_QUEUED && process->klass->is_short != NULL)
    process->klass->run (process);
  else
    slot_unlock (process);
}

static void
pass_own_line_on (void)
{
  Process *process;

  while ((process = g_queue_pop_head (&this_thread.own_line)) != NULL) {
    slot_lock (process);
    process->keeper = NULL;
    if (process->state == PROCESS_QUEUED)
      push (process);
    else
      slot_unlock (process);
  }
}

/* region: own-line */
/* Who is told of a death, or was left a message, has something to do.  Having
 * another thread woken for that takes longer than doing it; so a thread that
 * lends itself does it too, when it is done.  What comes of that is others'. */
gboolean
slot_open_own_line (void)
{
  ThisThread *self = &this_thread;

  if (self->has_own_line || self->n_lent > 0 || self->current == NULL
      || self->current->klass->is_server || !scheduler_may_lend ())
    return FALSE;
  self->has_own_line = TRUE;
  return TRUE;
}

void
slot_run_own_line (gint64 limit)
{
  ThisThread *self = &this_thread;

  self->has_own_line = FALSE;
  self->n_lent++;
  while (self->own_line.length > 0
         && (limit == SCHEDULER_NEVER || scheduler_now () < limit))
    run_kept (g_queue_pop_head (&self->own_line));
  self->n_lent--;
  pass_own_line_on ();
}
/* end */

/* One death may cause many, and each of those many more: they stand in line
 * on this thread, so that the stack stays flat. */
static void
tell (Process *process)
{
  ThisThread *self = &this_thread;
  gboolean has_own_line;
  GList *link;

  g_queue_push_tail_link (&self->dead, &process->link);
  if (self->is_telling)
    return;
  self->is_telling = TRUE;
  has_own_line = slot_open_own_line ();
  while ((link = g_queue_pop_head_link (&self->dead)) != NULL)
    bury_or_pass_on (link->data);
  self->is_telling = FALSE;
  if (has_own_line)
    slot_run_own_line (SCHEDULER_NEVER);
}

void
slot_end (Process *process, Reason reason)
{
  process->has_runner = process->state == PROCESS_RUNNING;
  process->n_holders = process->has_runner ? 2 : 1;
  process->state = PROCESS_ZOMBIE;
  process->reason = reason;
  g_clear_pointer (&process->label, g_free);
  trace (process->pid, "end", PID_NONE, g_quark_to_string (reason));
  g_atomic_int_set (&process->is_alive, FALSE);
  g_atomic_int_inc (&n_dying);
  slot_wake (process, process->waits_for);
  slot_unlock (process);

  if (process->forget_name != NULL)
    process->forget_name (process->pid);
  as (process, cancel);
  tell (process);
}

void
slot_release (Process *process)
{
  if (!slot_is_alive (process)) {
    slot_unlock (process);
    as (process, finalize);
    as (process, empty_mailbox); /* it may have put something back */
    leave (process);
    return;
  }
  process->state = PROCESS_IDLE;
  if (process->stop != 0)
    slot_end (process, process->stop);
  else if (g_async_queue_length_unlocked (process->mailbox) > 0)
    slot_queue (process);
  else
    slot_unlock (process);
}

/* What the scheduler has in line may be out of date: the process may have been
 * run by somebody else meanwhile, or be another one in the same slot. */
static void
run (Runnable *runnable)
{
  Process *process = (Process *) runnable;
  Process *outer = this_thread.current;

  this_thread.current = NULL; /* a thread that GLib shares may be somebody */
  slot_lock (process);
  process->is_in_line = FALSE;
  if (process->awaits_burial) {
    process->awaits_burial = FALSE;
    slot_unlock (process);
    tell (process);
  } else if (process->state == PROCESS_QUEUED) {
    process->klass->run (process);
  } else {
    slot_unlock (process);
  }
  this_thread.current = outer;
}

gint
slot_count_dying (void)
{
  return g_atomic_int_get (&n_dying);
}

void
slot_park (Process *self, Wait what, Pid whom, gint64 deadline)
{
  if (self->parker == NULL)
    self->parker = scheduler_parker_new ();
  self->waits_for = what;
  self->waits_on = whom;
  slot_unlock (self);
  pass_own_line_on (); /* it might be waiting for one of these */
  scheduler_park (self->parker, deadline);
  slot_lock (self);
  self->waits_for = WAITS_FOR_NOTHING;
  self->waits_on = PID_NONE;
}

void
slot_wake (Process *process, Wait what)
{
  if (process->waits_for != what || what == WAITS_FOR_NOTHING)
    return;
  process->waits_for = WAITS_FOR_NOTHING;
  process->waits_on = PID_NONE; /* from now on, however late its thread comes */
  scheduler_wake (process->parker);
}

void
slot_foreach (void (*func) (Process *process, gpointer data), gpointer data)
{
  scheduler_point ();
  for (guint i = 0; i < N_CHUNKS; i++) {
    Process *chunk = g_atomic_pointer_get (&chunks[i]);

    if (chunk == NULL)
      return;
    for (guint j = 0; j < CHUNK_SIZE; j++) {
      g_async_queue_lock (chunk[j].mailbox); /* one point for all of them */
      func (&chunk[j], data);
      slot_unlock (&chunk[j]);
    }
  }
}
