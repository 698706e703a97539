/* Borrowing, and giving back.
 *
 * Whatever the shell borrows is borrowed by a consumer, a process of its own for
 * each worker: so one can be interrupted, or killed, without the others. */
#include "shell_parts.h"
#include "signals.h"

#define MAX_CONSUMERS 1000 /* each has a thread while it waits */

enum { SERVED = 1, GO };

typedef struct {
  Pid   asker;   /* who wants to hear what came of it, or PID_NONE */
  int   hold_ms; /* how long to keep the worker; -1: until told to go */
  char *pool;
  int   timeout_ms; /* how long to wait in line; -1 for ever */
} Wish;

static Wish *
wish_copy (const Wish *wish)
{
  Wish *copy = g_memdup2 (wish, sizeof *wish);

  copy->pool = g_strdup (wish->pool);
  return copy;
}

static void
wish_free (gpointer data)
{
  g_free (((Wish *) data)->pool);
  g_free (data);
}

/* Returns: the worker, or PID_NONE: then whoever should know has been told */
static Pid
borrow (const Wish *wish)
{
  GError *error = NULL;
  Pid worker = pooly_checkout_wait (wish->pool, wish->timeout_ms, &error);
  Message served = { .tag = SERVED, .pid = worker };

  if (worker != PID_NONE)
    shell_lend (worker, process_self ());
  if (wish->asker != PID_NONE) {
    process_send (wish->asker,
                  error == NULL ? served : message_error (SERVED, error));
  } else if (error == NULL) {
    shell_print_loan (worker, process_self ());
  } else {
    shell_print ("a consumer gets none: %s\n", error->message);
    g_error_free (error);
  }
  return worker;
}

static void
consume (gpointer data)
{
  const Wish *wish = data;
  g_autofree char *label = NULL;
  Message go;
  Pid worker;

  process_set_label ("consumer");
  if (wish->asker != PID_NONE)
    process_link (wish->asker);
  worker = borrow (wish);
  if (worker == PID_NONE)
    return;
  label = g_strdup_printf ("consumer, has " PID_FORMAT, PID_ARGS (worker));
  process_set_label (label);
  process_receive (&go, wish->hold_ms);
  pooly_checkin (wish->pool, worker);
}

/* Until the command has heard of it, the consumer ends with it: by Ctrl-C. */
gboolean
command_checkout (char **args, GError **error)
{
  Wish wish = {
    .asker = process_self (), .hold_ms = -1, .pool = args[0], .timeout_ms = -1
  };
  g_auto (Message) served = { 0 };
  guint timeout_ms;
  Pid consumer;

  if (args[1] != NULL) {
    if (!shell_parse_number (args[1], "MS", &timeout_ms, error))
      return FALSE;
    wish.timeout_ms = (int) timeout_ms;
  }
  consumer = process_spawn (consume, wish_copy (&wish), wish_free);
  if (!process_receive (&served, -1))
    return FALSE;
  process_unlink (consumer);
  if (served.data != NULL) {
    g_propagate_error (error, message_take_data (&served));
    return FALSE;
  }
  shell_print_loan (served.pid, consumer);
  return TRUE;
}

gboolean
command_consumer (char **args, GError **error)
{
  Wish wish = { .hold_ms = -1, .pool = args[0], .timeout_ms = -1 };
  guint n = 1, hold_ms;

  if (args[1] != NULL
      && !shell_parse_count (args[1], "N", MAX_CONSUMERS, &n, error))
    return FALSE;
  if (args[1] != NULL && args[2] != NULL) {
    if (!shell_parse_number (args[2], "MS", &hold_ms, error))
      return FALSE;
    wish.hold_ms = (int) hold_ms;
  }
  for (guint i = 0; i < n && !process_is_dying (); i++)
    process_spawn (consume, wish_copy (&wish), wish_free);
  return TRUE;
}

gboolean
command_checkin (char **args, GError **error)
{
  gboolean is_alive;
  Pid worker, consumer;

  if (!shell_parse_pid (args[0], &worker, error))
    return FALSE;
  consumer = shell_find_consumer (worker);
  if (consumer == PID_NONE) {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
                 "no consumer here has " PID_FORMAT, PID_ARGS (worker));
    return FALSE;
  }
  is_alive = process_is_alive (worker);
  process_send (consumer, (Message) { .tag = GO });
  if (!process_wait_end (consumer, -1))
    return FALSE;
  if (!is_alive)
    shell_print (PID_FORMAT " has ended; " PID_FORMAT " lets go of it\n",
                 PID_ARGS (worker), PID_ARGS (consumer));
  return TRUE;
}
