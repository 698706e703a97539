/* Which pools there are, and who serves each.  A pool is found here by its name:
 * no string is built for that, as for "<pool>Server", and no atom is made.
 *
 * An entry lasts as long as somebody keeps a configuration from which the pool
 * may be started.  There may be two of those: so they are counted.
 */
#include "internal.h"

typedef struct {
  Pid   server; /* maybe a dead one; PID_NONE where there is no such pool */
  guint n_kept;
} Entry;

static GRWLock lock;
static GHashTable *entries; /* name, owned → Entry; lock protects both */

/* HOLDS: lock */
static Entry *
lookup (const char *name)
{
  return entries != NULL ? g_hash_table_lookup (entries, name) : NULL;
}

PoolyConfig *
registry_keep (const PoolyConfig *config)
{
  Entry *entry;

  g_rw_lock_writer_lock (&lock);
  if (entries == NULL)
    entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  entry = lookup (config->name);
  if (entry == NULL) {
    entry = g_new0 (Entry, 1);
    g_hash_table_insert (entries, g_strdup (config->name), entry);
  }
  entry->n_kept++;
  g_rw_lock_writer_unlock (&lock);
  return config_copy (config);
}

/* region: forget */
void
registry_forget (gpointer config)
{
  const char *name = ((PoolyConfig *) config)->name;

  g_rw_lock_writer_lock (&lock);
  if (--lookup (name)->n_kept == 0)
    g_hash_table_remove (entries, name);
  g_rw_lock_writer_unlock (&lock);
  config_free (config);
}
/* end */

static void
set_server (const char *name, Pid server)
{
  Entry *entry;

  g_rw_lock_writer_lock (&lock);
  entry = lookup (name);
  if (entry != NULL && !process_is_dying ())
    entry->server = server;
  g_rw_lock_writer_unlock (&lock);
}

/* Who was killed meanwhile has no say: maybe its successor is here already. */
void
registry_serve (const char *name)
{
  set_server (name, process_self ());
}

void
registry_stop (const char *name)
{
  set_server (name, PID_NONE);
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
