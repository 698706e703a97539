/* One table each way, under one lock.  A name is taken when the table says so,
 * and a process is told to forget its name, in the same locked step. */
#include "names.h"

#include "slot.h"
#include "trace.h"

G_DEFINE_QUARK (names-error-quark, names_error)

static GRWLock lock;
/* lock protects: */
static GHashTable *pids;  /* name, owned → Pid */
static GHashTable *names; /* Pid → name, owned by pids */

static __attribute__ ((constructor)) void
make_tables (void)
{
  pids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  names = g_hash_table_new (NULL, NULL);
}

static void
forget_name (Pid pid)
{
  gpointer name;

  scheduler_write_lock (&lock);
  if (g_hash_table_steal_extended (names, PID_TO_POINTER (pid), NULL, &name)) {
    trace (pid, "unregister", PID_NONE, name);
    g_hash_table_remove (pids, name);
  }
  g_rw_lock_writer_unlock (&lock);
}

/* HOLDS: lock, to write */
static gboolean
check (const char *name, Pid pid, GError **error)
{
  Pid owner = POINTER_TO_PID (g_hash_table_lookup (pids, name));
  const char *present = g_hash_table_lookup (names, PID_TO_POINTER (pid));

  if (owner != PID_NONE)
    g_set_error (error, NAMES_ERROR, NAMES_ERROR_TAKEN,
                 "the name %s is taken by " PID_FORMAT, name, PID_ARGS (owner));
  else if (present != NULL)
    g_set_error (error, NAMES_ERROR, NAMES_ERROR_NAMED,
                 PID_FORMAT " is called %s already", PID_ARGS (pid), present);
  return owner == PID_NONE && present == NULL;
}

/* HOLDS: lock, to write */
static gboolean
add (const char *name, Pid pid, GError **error)
{
  Process *process = slot_lock_untold (pid);
  gboolean is_alive = process != NULL && slot_is_alive (process);
  char *copy;

  if (is_alive)
    process->forget_name = forget_name;
  if (process != NULL)
    slot_unlock (process);
  if (!is_alive) {
    g_set_error (error, NAMES_ERROR, NAMES_ERROR_NOPROC,
                 "the dead can neither have nor give the name %s", name);
    return FALSE;
  }
  trace (pid, "register", PID_NONE, name);
  trace_name (pid, name);
  copy = g_strdup (name);
  g_hash_table_insert (pids, copy, PID_TO_POINTER (pid));
  g_hash_table_insert (names, PID_TO_POINTER (pid), copy);
  return TRUE;
}

gboolean
process_register (const char *name, Pid pid, GError **error)
{
  gboolean is_added;

  g_return_val_if_fail (name != NULL && *name != '\0', FALSE);

  scheduler_write_lock (&lock);
  if (process_is_dying ())
    pid = PID_NONE;
  is_added = check (name, pid, error) && add (name, pid, error);
  g_rw_lock_writer_unlock (&lock);
  return is_added;
}

gboolean
process_unregister (const char *name)
{
  Pid pid = PID_NONE;

  g_return_val_if_fail (name != NULL, FALSE);

  scheduler_write_lock (&lock);
  if (!process_is_dying ())
    pid = POINTER_TO_PID (g_hash_table_lookup (pids, name));
  if (pid != PID_NONE) {
    trace (pid, "unregister", PID_NONE, name);
    g_hash_table_remove (names, PID_TO_POINTER (pid));
    g_hash_table_remove (pids, name);
  }
  g_rw_lock_writer_unlock (&lock);
  return pid != PID_NONE;
}

Pid
process_whereis (const char *name)
{
  Pid pid;

  g_return_val_if_fail (name != NULL, PID_NONE);

  scheduler_read_lock (&lock);
  pid = POINTER_TO_PID (g_hash_table_lookup (pids, name));
  g_rw_lock_reader_unlock (&lock);
  return pid;
}

char *
process_get_name (Pid pid)
{
  char *name;

  scheduler_read_lock (&lock);
  name = g_strdup (g_hash_table_lookup (names, PID_TO_POINTER (pid)));
  g_rw_lock_reader_unlock (&lock);
  return name;
}
