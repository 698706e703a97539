/* Who has which worker, of those that were borrowed at the prompt. */
#include "shell_inside.h"

static GMutex lock;
static GHashTable *consumers; /* worker → consumer; lock protects it */

/* Has both be named, and printed, before the next loan is. */
static GMutex print_lock;

void
shell_lend (Pid worker, Pid consumer)
{
  g_mutex_lock (&lock);
  if (consumers == NULL)
    consumers = g_hash_table_new (NULL, NULL);
  g_hash_table_insert (consumers, PID_TO_POINTER (worker),
                       PID_TO_POINTER (consumer));
  g_mutex_unlock (&lock);
}

Pid
shell_find_consumer (Pid worker)
{
  Pid consumer = PID_NONE;

  g_mutex_lock (&lock);
  if (consumers != NULL)
    consumer = POINTER_TO_PID (
      g_hash_table_lookup (consumers, PID_TO_POINTER (worker)));
  g_mutex_unlock (&lock);
  return process_is_alive (consumer) ? consumer : PID_NONE;
}

void
shell_print_loan (Pid worker, Pid consumer)
{
  g_autofree char *what = NULL, *who = NULL;

  g_mutex_lock (&print_lock);
  what = shell_name ('w', worker);
  who = shell_name ('c', consumer);
  shell_print ("%s is lent to %s\n", what, who);
  g_mutex_unlock (&print_lock);
}
