#include "children.h"

#include "scheduler.h"
#include "signals.h"

ChildSpec *
child_spec_take (const ChildSpec *spec)
{
  ChildSpec *copy = g_memdup2 (spec, sizeof *spec);

  copy->id = g_strdup (spec->id);
  if (spec->shutdown_ms == SHUTDOWN_DEFAULT)
    copy->shutdown_ms = spec->is_supervisor ? SHUTDOWN_INFINITY : 5000;
  return copy;
}

void
child_spec_free (gpointer data)
{
  ChildSpec *spec = data;

  if (spec->free_args != NULL && spec->args != NULL)
    spec->free_args (spec->args);
  g_free ((char *) spec->id);
  g_free (spec);
}

gboolean
child_spec_check (const ChildSpec *spec, gboolean needs_id, GError **error)
{
  const char *fault = NULL;

  if (spec == NULL)
    fault = "has no specification";
  else if (needs_id && spec->id == NULL)
    fault = "has no id";
  else if (spec->klass == NULL && spec->start == NULL)
    fault = "has neither klass nor start";
  else if (spec->klass != NULL && spec->start != NULL)
    fault = "has both klass and start";
  else if ((guint) spec->restart > RESTART_TEMPORARY)
    fault = "has no such restart";
  else if (spec->shutdown_ms < SHUTDOWN_BRUTAL_KILL)
    fault = "has no such shutdown_ms";
  if (fault != NULL)
    g_set_error (error, SUPERVISOR_ERROR, SUPERVISOR_ERROR_INVALID,
                 "child %s %s",
                 spec != NULL && spec->id != NULL ? spec->id : "(?)", fault);
  return fault == NULL;
}

gboolean
child_spec_is_short (const ChildSpec *spec)
{
  return spec->klass != NULL && spec->klass->is_short != NULL
         && !spec->is_supervisor;
}

void
children_init (Children *self)
{
  self->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  self->by_pid = g_hash_table_new (NULL, NULL);
}

void
children_clear (Children *self)
{
  while (self->list.head != NULL)
    children_forget (self, self->list.head->data);
  g_clear_pointer (&self->model, child_spec_free);
  g_clear_pointer (&self->by_id, g_hash_table_unref);
  g_clear_pointer (&self->by_pid, g_hash_table_unref);
}

static void
set_long (Children *self, Child *child, gboolean is_long)
{
  self->n_long += is_long;
  self->n_long -= child->is_long;
  child->is_long = is_long;
}

Child *
children_add (Children *self, ChildSpec *spec)
{
  Child *child = g_new0 (Child, 1);

  child->link.data = child;
  child->spec = spec;
  g_queue_push_tail_link (&self->list, &child->link);
  set_long (self, child, !child_spec_is_short (spec));
  if (spec != self->model)
    g_hash_table_insert (self->by_id, (gpointer) spec->id, child);
  return child;
}

/* Takes all of them, right or wrong: so the args of all are freed. */
gboolean
children_take (Children *self, const SupervisorSpec *spec, GError **error)
{
  gboolean is_simple = spec->strategy == STRATEGY_SIMPLE_ONE_FOR_ONE;
  gboolean is_right = !is_simple || spec->n_children == 1;

  if ((guint) spec->strategy > STRATEGY_SIMPLE_ONE_FOR_ONE) {
    g_set_error (error, SUPERVISOR_ERROR, SUPERVISOR_ERROR_INVALID,
                 "there is no such strategy: %d", (int) spec->strategy);
    is_right = FALSE;
  } else if (!is_right)
    g_set_error (error, SUPERVISOR_ERROR, SUPERVISOR_ERROR_INVALID,
                 "simple_one_for_one takes one child, the model of all");
  for (gsize i = 0; i < spec->n_children; i++) {
    ChildSpec *copy = child_spec_take (&spec->children[i]);

    is_right = is_right && child_spec_check (copy, !is_simple, error);
    if (is_right && !is_simple && children_find (self, copy->id) != NULL) {
      g_set_error (error, SUPERVISOR_ERROR, SUPERVISOR_ERROR_INVALID,
                   "there are two children %s", copy->id);
      is_right = FALSE;
    }
    if (!is_right)
      child_spec_free (copy);
    else if (is_simple)
      self->model = copy;
    else
      children_add (self, copy);
  }
  return is_right;
}

void
children_forget (Children *self, Child *child)
{
  g_queue_unlink (&self->list, &child->link);
  g_hash_table_remove (self->by_pid, PID_TO_POINTER (child->pid));
  set_long (self, child, FALSE);
  if (child->spec != self->model) {
    g_hash_table_remove (self->by_id, child->spec->id);
    child_spec_free (child->spec);
  }
  g_free (child);
}

Child *
children_find (const Children *self, const char *id)
{
  return g_hash_table_lookup (self->by_id, id);
}

Child *
children_find_pid (const Children *self, Pid pid)
{
  return g_hash_table_lookup (self->by_pid, PID_TO_POINTER (pid));
}

void
children_ended (Children *self, Child *child)
{
  child->state = STOPPED;
  if (child->spec == self->model || child->spec->restart == RESTART_TEMPORARY)
    children_forget (self, child);
}

static Pid
start (const ChildSpec *spec, GError **error)
{
  GError *why = NULL;
  Pid pid = spec->klass != NULL
              ? gen_server_start_link (spec->klass, NULL, spec->args, &why)
              : spec->start (spec->args, &why);

  if (pid == PID_NONE && why == NULL)
    g_set_error (&why, SUPERVISOR_ERROR, SUPERVISOR_ERROR_INVALID,
                 "its start function failed without an error");
  if (why != NULL)
    g_propagate_error (error, why);
  return pid;
}

gboolean
children_start (Children *self, Child *child, GError **error)
{
  Pid pid = start (child->spec, error);

  if (pid == PID_NONE)
    return FALSE;
  /* Who traps exits may be at work when it is told to end. */
  set_long (self, child,
            !child_spec_is_short (child->spec) || process_traps_exits (pid));
  g_hash_table_remove (self->by_pid, PID_TO_POINTER (child->pid));
  g_hash_table_insert (self->by_pid, PID_TO_POINTER (pid), child);
  child->pid = pid;
  child->state = RUNNING;
  return TRUE;
}

static void
tell_to_end (gpointer data, gpointer user_data G_GNUC_UNUSED)
{
  const Child *child = data;
  gboolean is_brutal = child->spec->shutdown_ms == SHUTDOWN_BRUTAL_KILL;

  if (child->state == RUNNING)
    process_exit (child->pid, is_brutal ? REASON_KILL : REASON_SHUTDOWN);
}

/* After a brutal kill it is for ever, too: nobody outlives that. */
static gint64
get_deadline (const ChildSpec *spec)
{
  return scheduler_deadline (MAX (spec->shutdown_ms, SHUTDOWN_INFINITY));
}

/* The link is left alone: should the supervisor be killed while it waits, the
 * child must hear of that; and the EXIT that comes of it is nobody's. */
static void
await_end (Children *self, Child *child, gint64 deadline)
{
  gint64 left_us = MAX (deadline - scheduler_now (), 0);
  int left_ms = deadline == SCHEDULER_NEVER
                  ? -1
                  : (int) MIN (left_us / 1000 + 1, G_MAXINT);

  if (child->state == RUNNING && !process_wait_end (child->pid, left_ms)) {
    process_exit (child->pid, REASON_KILL);
    process_wait_end (child->pid, -1);
  }
  children_ended (self, child);
}

void
children_stop (Children *self, Child *child)
{
  tell_to_end (child, NULL);
  await_end (self, child, get_deadline (child->spec));
}

Child *
children_start_after (Children *self, GList *link, GError **error)
{
  link = link != NULL ? link->next : self->list.head;
  while (link != NULL && children_start (self, link->data, error))
    link = link->next;
  return link != NULL ? link->data : NULL;
}

static void
stop_all_at_once (Children *self)
{
  gint64 deadline = get_deadline (self->model);

  g_queue_foreach (&self->list, tell_to_end, NULL);
  while (self->list.head != NULL)
    await_end (self, self->list.head->data, deadline);
}

void
children_stop_after (Children *self, GList *link)
{
  GList *last, *previous;

  if (self->model != NULL) {
    stop_all_at_once (self);
    return;
  }
  for (last = self->list.tail; last != link; last = previous) {
    previous = last->prev; /* who is stopped may be forgotten */
    children_stop (self, last->data);
  }
}
