#include "slot.h"

#define CHUNK_BITS 10
#define CHUNK_SIZE (1u << CHUNK_BITS)
#define N_CHUNKS (1u << (PID_SLOT_BITS - CHUNK_BITS))

Reason REASON_NORMAL, REASON_SHUTDOWN, REASON_KILL, REASON_KILLED,
  REASON_NOPROC;

_Thread_local ThisThread this_thread;

static Process *chunks[N_CHUNKS]; /* atomic; each of CHUNK_SIZE slots */
static guint64 n_born;            /* atomic */
static Ref last_ref;              /* atomic */
static gint n_dying;              /* atomic */

/* slots_lock protects: */
static GMutex slots_lock;
static guint n_slots;
static Process *first_free, *last_free; /* first in, first out */

static __attribute__ ((constructor)) void
make_reasons (void)
{
  REASON_NORMAL = g_quark_from_static_string ("normal");
  REASON_SHUTDOWN = g_quark_from_static_string ("shutdown");
  REASON_KILL = g_quark_from_static_string ("kill");
  REASON_KILLED = g_quark_from_static_string ("killed");
  REASON_NOPROC = g_quark_from_static_string ("noproc");
}

static guint64
next_number (guint64 *counter)
{
  return (guint64) g_atomic_pointer_add (counter, 1) + 1;
}

Ref
slot_new_ref (void)
{
  return next_number (&last_ref);
}

void
slot_lock (Process *process)
{
  g_async_queue_lock (process->mailbox);
}

void
slot_unlock (Process *process)
{
  g_async_queue_unlock (process->mailbox);
}

static Pid
get_pid (Process *process)
{
  return (Pid) g_atomic_pointer_get (&process->pid);
}

static void
set_pid (Process *process, Pid pid)
{
  g_atomic_pointer_set (&process->pid, pid);
}

static Process *
find (Pid pid)
{
  guint slot = PID_SLOT (pid);
  Process *chunk = g_atomic_pointer_get (&chunks[slot >> CHUNK_BITS]);

  return chunk != NULL ? &chunk[slot % CHUNK_SIZE] : NULL;
}

Process *
slot_lock_untold (Pid pid)
{
  Process *process = pid != PID_NONE ? find (pid) : NULL;

  if (process == NULL || get_pid (process) != pid)
    return NULL;
  slot_lock (process);
  if (get_pid (process) == pid && !process->is_told)
    return process;
  slot_unlock (process);
  return NULL;
}

Process *
slot_lock_alive (Pid pid)
{
  Process *process = slot_lock_untold (pid);

  if (process == NULL || slot_is_alive (process))
    return process;
  slot_unlock (process);
  return NULL;
}

/* HOLDS: slots_lock */
static void
free_slot (Process *process)
{
  process->next_free = NULL;
  if (first_free == NULL)
    first_free = process;
  else
    last_free->next_free = process;
  last_free = process;
}

/* HOLDS: slots_lock */
static void
add_chunk (void)
{
  Process *chunk = g_new0 (Process, CHUNK_SIZE);

  if (n_slots == CHUNK_SIZE * N_CHUNKS)
    g_error ("More than %u processes", n_slots);
  for (guint i = 0; i < CHUNK_SIZE; i++) {
    chunk[i].mailbox = g_async_queue_new ();
    chunk[i].pid = n_slots + i;
    chunk[i].is_told = TRUE;
  }
  g_atomic_pointer_set (&chunks[n_slots >> CHUNK_BITS], chunk);
  n_slots += CHUNK_SIZE;
  for (guint i = 0; i < CHUNK_SIZE; i++)
    free_slot (&chunk[i]);
}

static Process *
take_slot (void)
{
  Process *process;

  g_mutex_lock (&slots_lock);
  if (first_free == NULL)
    add_chunk ();
  process = first_free;
  first_free = process->next_free;
  g_mutex_unlock (&slots_lock);
  return process;
}

Process *
slot_new (const ProcessClass *klass, const char *kind, gpointer data,
          Pid parent)
{
  Process *process = take_slot ();

  slot_lock (process);
  set_pid (process,
           get_pid (process) + (G_GUINT64_CONSTANT (1) << PID_SLOT_BITS));
  process->klass = klass;
  process->kind = kind;
  process->data = data;
  process->parent = parent;
  process->born = next_number (&n_born);
  process->state = PROCESS_IDLE;
  process->is_told = FALSE;
  process->traps_exits = FALSE;
  process->reason = 0;
  process->stop = 0;
  g_atomic_int_set (&process->is_alive, TRUE);
  slot_unlock (process);
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
  if (!slot_is_alive (process)) {
    slot_unlock (process);
    slot_leave (process);
    return;
  }
  process->state = PROCESS_IDLE;
  slot_end (process, REASON_NORMAL);
}

static GPrivate thread_process = G_PRIVATE_INIT (thread_ended);
static Process nobody;

Process *
slot_current (void)
{
  ThisThread *self = &this_thread;

  if (G_LIKELY (self->current != NULL))
    return self->current;
  if (self->has_ended)
    return &nobody;
  self->current = slot_new (&thread_class, "thread", NULL, PID_NONE);
  slot_lock (self->current);
  self->current->state = PROCESS_RUNNING;
  slot_unlock (self->current);
  g_private_set (&thread_process, self->current);
  return self->current;
}

Bond *
slot_get_bond (Process *process, guint64 key)
{
  if (process->bonds == NULL)
    return NULL;
  return g_hash_table_lookup (process->bonds, PID_TO_POINTER (key));
}

void
slot_add_bond (Process *process, guint64 key, Bond bond)
{
  if (process->bonds == NULL)
    process->bonds = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_hash_table_insert (process->bonds, PID_TO_POINTER (key),
                       g_memdup2 (&bond, sizeof bond));
}

gboolean
slot_drop_bond (Process *process, guint64 key)
{
  return process->bonds != NULL
         && g_hash_table_remove (process->bonds, PID_TO_POINTER (key));
}

void
envelope_free (Envelope *envelope)
{
  message_clear (&envelope->message);
  g_free (envelope);
}

void
slot_finalize (Process *process)
{
  Process *outer = this_thread.current;

  this_thread.current = process;
  if (process->klass->finalize != NULL)
    process->klass->finalize (process->data);
  this_thread.current = outer;
}

void
slot_open_mailbox (Process *process)
{
  g_autoptr (GQueue) early = NULL;
  Envelope *envelope;

  slot_lock (process);
  process->is_starting = FALSE;
  early = g_steal_pointer (&process->early);
  while (early != NULL && (envelope = g_queue_pop_head (early)) != NULL)
    g_async_queue_push_unlocked (process->mailbox, envelope);
  slot_unlock (process);
}

/* In the order of the hash table, which is of numbers and so the same in each
 * run.  Returns: whether there were others */
static gboolean
tell_those (Process *process, GHashTable *bonds, gboolean who_wait)
{
  gboolean are_others = FALSE;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, bonds);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const Bond *bond = value;

    if (bond->waits == who_wait)
      bond->tell (bond, get_pid (process), process->reason);
    else
      are_others = TRUE;
  }
  return are_others;
}

static void
tell_bonds (Process *process)
{
  g_autoptr (GHashTable) bonds = NULL;

  slot_lock (process);
  process->is_told = TRUE;
  bonds = g_steal_pointer (&process->bonds);
  slot_unlock (process);
  if (bonds != NULL && tell_those (process, bonds, FALSE))
    tell_those (process, bonds, TRUE);
}

static void
empty_mailbox (Process *process)
{
  Process *outer = this_thread.current;
  Envelope *envelope;

  slot_open_mailbox (process);
  this_thread.current = process; /* whatever runs in free_data is its doing */
  while ((envelope = g_async_queue_try_pop (process->mailbox)) != NULL) {
    if (envelope->accept != NULL)
      envelope->accept (process, &envelope->message);
    envelope_free (envelope);
  }
  this_thread.current = outer;
}

/* region: bury */
void
slot_bury (Process *process)
{
  if (!process->has_runner)
    slot_finalize (process);
  empty_mailbox (process);
  tell_bonds (process);
  slot_leave (process);
}
/* end */

static void
cancel (Process *process)
{
  g_autoptr (GCancellable) cancellable = NULL;

  slot_lock (process);
  g_set_object (&cancellable, process->cancellable);
  slot_unlock (process);
  g_cancellable_cancel (cancellable);
}

/* Finalizing may take its time.  A class that is short does it here, and so
 * does a thread that runs nobody; else a shared thread does. */
static void
bury_or_pass_on (Process *process)
{
  gboolean is_in_line;

  if (process->forget_name != NULL)
    process->forget_name (get_pid (process));
  cancel (process);
  if (process->has_runner || process->klass->finalize == NULL
      || process->may_lend || this_thread.current == NULL) {
    slot_bury (process);
    return;
  }
  slot_lock (process);
  process->awaits_burial = TRUE;
  is_in_line = process->is_in_line;
  process->is_in_line = TRUE;
  slot_unlock (process);
  if (!is_in_line)
    scheduler_push (&process->runnable);
}

/* One death may cause many, and each of those many more: they stand in line
 * on this thread, so that the stack stays flat. */
static void
tell_the_deaths (void)
{
  ThisThread *self = &this_thread;
  gboolean was_telling = self->is_telling;
  Process *process;

  self->is_telling = TRUE;
  while ((process = g_queue_pop_head (&self->dead)) != NULL)
    bury_or_pass_on (process);
  self->is_telling = was_telling;
}

void
slot_end (Process *process, Reason reason)
{
  process->has_runner = process->state == PROCESS_RUNNING;
  process->n_holders = process->has_runner ? 2 : 1;
  process->state = PROCESS_ZOMBIE;
  process->reason = reason;
  g_atomic_int_set (&process->is_alive, FALSE);
  g_atomic_int_inc (&n_dying);
  slot_wake (process, process->waits_for);
  slot_unlock (process);

  g_queue_push_tail (&this_thread.dead, process);
  if (!this_thread.is_telling)
    tell_the_deaths ();
}

void
slot_leave (Process *process)
{
  gboolean is_last;

  slot_lock (process);
  is_last = --process->n_holders == 0;
  if (is_last)
    process->forget_name = NULL;
  slot_unlock (process);
  if (!is_last)
    return;

  g_clear_object (&process->cancellable);
  g_mutex_lock (&slots_lock);
  free_slot (process);
  g_mutex_unlock (&slots_lock);
  g_atomic_int_add (&n_dying, -1);
}

gint
slot_count_dying (void)
{
  return g_atomic_int_get (&n_dying);
}

void
slot_park (Process *self, Wait what, gint64 deadline)
{
  if (self->parker == NULL)
    self->parker = scheduler_parker_new ();
  self->waits_for = what;
  slot_unlock (self);
  tell_the_deaths (); /* what it waits for may be that others hear of them */
  scheduler_park (self->parker, deadline);
  slot_lock (self);
  self->waits_for = WAITS_FOR_NOTHING;
}

void
slot_wake (Process *process, Wait what)
{
  if (process->waits_for != what || what == WAITS_FOR_NOTHING)
    return;
  process->waits_for = WAITS_FOR_NOTHING;
  scheduler_wake (process->parker);
}

void
slot_foreach (void (*func) (Process *process, gpointer data), gpointer data)
{
  for (guint i = 0; i < N_CHUNKS; i++) {
    Process *chunk = g_atomic_pointer_get (&chunks[i]);

    if (chunk == NULL)
      return;
    for (guint j = 0; j < CHUNK_SIZE; j++) {
      slot_lock (&chunk[j]);
      func (&chunk[j], data);
      slot_unlock (&chunk[j]);
    }
  }
}
