#include "bonds.h"

Bond *
bonds_get (Bonds *bonds, guint64 key)
{
  for (guint i = 0; i < bonds->n_latest; i++)
    if (bonds->latest[i].key == key)
      return &bonds->latest[i];
  if (bonds->earlier == NULL)
    return NULL;
  return g_hash_table_lookup (bonds->earlier, PID_TO_POINTER (key));
}

static void
add_to_earlier (Bonds *bonds, const Bond *bond)
{
  if (bonds->earlier == NULL)
    bonds->earlier = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_hash_table_insert (bonds->earlier, PID_TO_POINTER (bond->key),
                       g_memdup2 (bond, sizeof *bond));
}

void
bonds_add (Bonds *bonds, Bond bond)
{
  if (bonds->n_latest == G_N_ELEMENTS (bonds->latest)) {
    add_to_earlier (bonds, &bonds->latest[0]);
    bonds_remove (bonds, &bonds->latest[0]);
  }
  bonds->latest[bonds->n_latest++] = bond;
}

void
bonds_remove (Bonds *bonds, Bond *bond)
{
  Bond *end = bonds->latest + bonds->n_latest;

  if (bond < bonds->latest || bond >= end) {
    g_hash_table_remove (bonds->earlier, PID_TO_POINTER (bond->key));
    return;
  }
  bonds->n_latest--;
  for (; bond < end - 1; bond++)
    bond[0] = bond[1];
}

static void
tell (const Bond *bond, gboolean who_wait, Pid dead, Reason reason)
{
  if (bond->waits == who_wait)
    bond->tell (bond, dead, reason);
}

/* In the order of the hash table, which is of numbers and so the same in each
 * run. */
void
bonds_tell (const Bonds *bonds, gboolean who_wait, Pid dead, Reason reason)
{
  GHashTableIter iter;
  gpointer bond;

  for (guint i = 0; i < bonds->n_latest; i++)
    tell (&bonds->latest[i], who_wait, dead, reason);
  if (bonds->earlier == NULL)
    return;
  g_hash_table_iter_init (&iter, bonds->earlier);
  while (g_hash_table_iter_next (&iter, NULL, &bond))
    tell (bond, who_wait, dead, reason);
}

Bonds
bonds_steal (Bonds *bonds)
{
  Bonds stolen = *bonds;

  *bonds = (Bonds) { 0 };
  return stolen;
}

void
bonds_clear (Bonds *bonds)
{
  g_clear_pointer (&bonds->earlier, g_hash_table_unref);
  bonds->n_latest = 0;
}
