/* Who waits for a worker: first come, first served.
 *
 * A process waits for one thing at a time, so its pid tells which waiter it is.
 * Whoever leaves, for whatever reason, is found and taken out without a search.
 */
#include "internal.h"
#include "signals.h"

typedef struct {
  From  from;
  GList link;    /* in the line's waiters */
  Ref   monitor; /* tells of its death */
} Waiter;

void
line_init (Line *line)
{
  g_queue_init (&line->waiters);
  line->by_pid = g_hash_table_new_full (NULL, NULL, NULL, g_free);
}

void
line_clear (Line *line)
{
  g_clear_pointer (&line->by_pid, g_hash_table_unref);
}

/* region: join */
void
line_join (Line *line, From from)
{
  Waiter *waiter = g_new0 (Waiter, 1);

  line_leave (line, from.pid); /* it may have gone without a word */
  waiter->from = from;
  waiter->link.data = waiter;
  waiter->monitor = process_monitor (from.pid, NULL);
  g_queue_push_tail_link (&line->waiters, &waiter->link);
  g_hash_table_insert (line->by_pid, PID_TO_POINTER (from.pid), waiter);
}
/* end */

static void
take_out (Line *line, Waiter *waiter)
{
  process_demonitor (waiter->monitor);
  g_queue_unlink (&line->waiters, &waiter->link);
  g_hash_table_remove (line->by_pid, PID_TO_POINTER (waiter->from.pid));
}

/* region: pop */
gboolean
line_pop (Line *line, From *from)
{
  Waiter *first;

  if (line->waiters.head == NULL)
    return FALSE;
  first = line->waiters.head->data;
  *from = first->from;
  take_out (line, first);
  return TRUE;
}
/* end */

/* region: leave */
/* It may have been handed a worker meanwhile, or was never here. */
void
line_leave (Line *line, Pid pid)
{
  Waiter *waiter = g_hash_table_lookup (line->by_pid, PID_TO_POINTER (pid));

  if (waiter != NULL)
    take_out (line, waiter);
}
/* end */
