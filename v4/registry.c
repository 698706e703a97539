/* Which pools there are, and who serves each.  A pool is found here by its name:
 * no string is built for that, as for "<pool>Server", and no atom is made.
 *
 * An entry lasts as long as somebody keeps a configuration from which the pool
 * may be started.  There may be two of those: so they are counted.
 */
#include "internal.h"

#include <string.h>

typedef struct {
  Pid   server; /* maybe a dead one; PID_NONE where there is no such pool */
  guint n_kept;
} Entry;

static GRWLock lock;
static GHashTable *entries; /* name, owned → Entry; lock protects both */
static gint n_changes;      /* atomic, and changed under the lock */

/* What this thread has found last: it holds until something is changed. */
static _Thread_local struct {
  char name[64];
  Pid server;
  gint n_changes;
} latest;

static void
lock_to_change (void)
{
  g_rw_lock_writer_lock (&lock);
  g_atomic_int_inc (&n_changes);
}

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

  lock_to_change ();
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

  lock_to_change ();
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

  lock_to_change ();
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
static Pid
find (const char *name)
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

/* A name that is too long to be remembered is found as well. */
Pid
registry_find (const char *name)
{
  gint now = g_atomic_int_get (&n_changes);

  if (strlen (name) >= sizeof latest.name)
    return find (name);
  if (latest.n_changes != now || strcmp (latest.name, name) != 0) {
    latest.server = find (name);
    latest.n_changes = now;
    strcpy (latest.name, name);
  }
  return latest.server;
}
