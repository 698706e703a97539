/* children: whom a supervisor looks after, and how one of them is started and
 * stopped.  Private to supervisor.c, which decides when.
 *
 * A child keeps its last pid until it has a new one.  No other process will
 * ever have that pid, so it can stand for a child that is about to be started
 * again; and what still arrives about a child that has been started again
 * meanwhile is about nobody.
 */
#ifndef CHILDREN_H
#define CHILDREN_H

#include "supervisor.h"

typedef enum { STOPPED, RUNNING, RESTARTING } ChildState;

typedef struct {
  GList      link; /* in the list */
  ChildSpec *spec; /* its own, or the model */
  Pid        pid;  /* the last it had */
  ChildState state;
  gboolean   is_long; /* its start or its end may take its time */
} Child;

/* With zeroed fields it has been cleared. */
typedef struct {
  GQueue      list;   /* Child, in the order of their start */
  GHashTable *by_id;  /* id → Child, unless there is a model */
  GHashTable *by_pid; /* Pid → Child */
  ChildSpec  *model;  /* in simple_one_for_one, of all of them */
  guint       n_long; /* those that are long */
} Children;

/* Returns: (transfer full): a copy, which has taken over the args */
ChildSpec *child_spec_take (const ChildSpec *spec);
void child_spec_free (gpointer spec);

gboolean child_spec_check (const ChildSpec *spec, gboolean needs_id,
                           GError **error);

/* Whether starting such a child waits for nothing else. */
gboolean child_spec_is_short (const ChildSpec *spec);

void children_init (Children *self);
void children_clear (Children *self);

/* Takes the specification, unless it is the model. */
Child *children_add (Children *self, ChildSpec *spec);
void children_forget (Children *self, Child *child);

/* Adds those that a supervisor starts with, or the model; if one is wrong
 * there is an error, and nothing but children_clear() to be done. */
gboolean children_take (Children *self, const SupervisorSpec *spec,
                        GError **error);

Child *children_find (const Children *self, const char *id);
Child *children_find_pid (const Children *self, Pid pid);

/* The child has no process any more; some are forgotten then. */
void children_ended (Children *self, Child *child);

gboolean children_start (Children *self, Child *child, GError **error);
void children_stop (Children *self, Child *child);

/* Starts who stands after @link (NULL: everybody), up to the first who can't
 * start, and returns that one. */
Child *children_start_after (Children *self, GList *link, GError **error);

/* Stops who stands after @link (NULL: everybody), the last one first; those
 * that have a model in no order, and in the time that one may take. */
void children_stop_after (Children *self, GList *link);

#endif
