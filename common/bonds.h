/* bonds: what is to happen when a process ends.  Private to common/.
 *
 * Nothing here takes a lock: whoever calls HOLDS that of the process whose bonds
 * they are, or has stolen them.
 */
#ifndef BONDS_H
#define BONDS_H

#include "process.h"

typedef struct Bond Bond;

/* region: bond */
/* Something to do when a process ends: tell a link, tell a watcher, have a
 * monitor withdrawn, release a waiting caller.  It has a key by which it is
 * undone: a link has the other's pid, everything else its own ref. */
struct Bond {
  guint64  key;
  void   (*tell) (const Bond *bond, Pid dead, Reason reason);
  Pid      other;
  Ref      ref;
  gpointer cookie;
  gboolean waits; /* it is told last: then whoever watches has been told */
};
/* end */

/* The latest two are in place.  A worker has no more than those, and what a
 * server has many of, monitors and callers, often goes as soon as it came. */
typedef struct {
  Bond        latest[2];
  guint       n_latest;
  GHashTable *earlier; /* key → Bond; NULL until there are any */
} Bonds;

/* Returns: (nullable): that bond, until another is added or removed */
Bond *bonds_get (Bonds *bonds, guint64 key);

void bonds_add (Bonds *bonds, Bond bond);
void bonds_remove (Bonds *bonds, Bond *bond);

/* Tells those of a dead process that wait for its end, or all the others. */
void bonds_tell (const Bonds *bonds, gboolean who_wait, Pid dead,
                 Reason reason);

/* Returns: all of them, so that there are none left */
Bonds bonds_steal (Bonds *bonds);

void bonds_clear (Bonds *bonds);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bonds, bonds_clear)

#endif
