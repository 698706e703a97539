/* Which pools there are, and who serves each.  A pool is found here by its name:
 * no string is built for that, as for "<pool>Server", and no atom is made.
 *
 * An entry lasts as long as the specification that a pool is started by, and
 * there may be two of those for a moment: so they are counted.
 */
#include "internal.h"
#include "names.h"
#include "signals.h"

typedef struct {
  Pid   server; /* dead or alive */
  guint n_specs;
} Entry;

static GRWLock lock;
static GHashTable *entries; /* name, owned → Entry; lock protects both */

/* HOLDS: lock */
static Entry *
lookup (const char *name)
{
  return entries != NULL ? g_hash_table_lookup (entries, name) : NULL;
}

/* region: add */
void
registry_add (const char *name)
{
  Entry *entry;

  g_rw_lock_writer_lock (&lock);
  if (entries == NULL)
    entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  entry = lookup (name);
  if (entry == NULL) {
    entry = g_new0 (Entry, 1);
    g_hash_table_insert (entries, g_strdup (name), entry);
  }
  entry->n_specs++;
  g_rw_lock_writer_unlock (&lock);
}

void
registry_remove (const char *name)
{
  Entry *entry;

  g_rw_lock_writer_lock (&lock);
  entry = lookup (name);
  if (--entry->n_specs == 0)
    g_hash_table_remove (entries, name);
  g_rw_lock_writer_unlock (&lock);
}
/* end */

/* One that is started when its pool has been forgotten stays unknown. */
void
registry_set_server (const char *name, Pid server)
{
  Entry *entry;

  g_rw_lock_writer_lock (&lock);
  entry = lookup (name);
  if (entry != NULL)
    entry->server = server;
  g_rw_lock_writer_unlock (&lock);
}

/* region: find */
Pid
registry_find (const char *name)
{
  const Entry *entry;
  Pid server;

  g_rw_lock_reader_lock (&lock);
  entry = lookup (name);
  server = entry != NULL ? entry->server : PID_NONE;
  g_rw_lock_reader_unlock (&lock);
  return server;
}
/* end */

static gboolean
is_orphan (Pid pid)
{
  g_autoptr (GArray) list = process_list ();
  Pid parent = PID_NONE;

  for (guint i = 0; i < list->len; i++)
    if (g_array_index (list, ProcessInfo, i).pid == pid)
      parent = g_array_index (list, ProcessInfo, i).parent;
  return parent != PID_NONE && !process_is_alive (parent);
}

/* region: await-orphan */
void
registry_await_orphan (const char *name)
{
  Pid pid;

  while ((pid = process_whereis (name)) != PID_NONE && is_orphan (pid))
    process_wait_end (pid, -1);
}
/* end */
