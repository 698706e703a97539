/* A prompt at which one can use version 3, and break it.
 *
 * Whatever the shell borrows is borrowed by a consumer, a process of its own for
 * each worker: so one can be interrupted, or killed, without the others. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "names.h"
#include "shell.h"
#include "signals.h"

#define SIZE 3

/* Which pools there are is seen by the names of their servers. */
static char **
list_pools (void)
{
  g_autoptr (GArray) list = process_list ();
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < list->len; i++) {
    const ProcessInfo *info = &g_array_index (list, ProcessInfo, i);
    char *name = process_get_name (info->pid);

    if (g_str_equal (info->kind, "PoolServer") && name != NULL) {
      name[strlen (name) - strlen ("Server")] = '\0';
      g_ptr_array_add (names, name);
    } else {
      g_free (name);
    }
  }
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

static char **
list_words (const char *argument)
{
  return g_str_equal (argument, "POOL") ? list_pools () : NULL;
}

/* Starting and stopping */

static gboolean
start_all (GError **error)
{
  PoolyConfig configs[] = {
    { .name = "Pool1", .worker = &sample_worker_class, .size = SIZE },
    { .name = "Pool2", .worker = &sample_worker_class, .size = SIZE },
  };

  return pooly_start_pools (configs, G_N_ELEMENTS (configs), error);
}

static gboolean
start (char **args, GError **error)
{
  PoolyConfig config = { .name = args[0],
                         .worker = &sample_worker_class,
                         .size = SIZE };

  if (args[0] == NULL)
    return start_all (error);
  if (args[1] != NULL
      && !shell_parse_number (args[1], "SIZE", &config.size, error))
    return FALSE;
  return pooly_start_pool (&config, error);
}

static gboolean
stop (char **args, GError **error)
{
  if (args[0] != NULL)
    return pooly_stop_pool (args[0], error);
  pooly_stop ();
  return TRUE;
}

static gboolean
print_status (const char *pool, GError **error)
{
  PoolyStatus now;

  if (!pooly_status (pool, &now, error))
    return FALSE;
  shell_print ("%s: %u idle, %u busy\n", pool, now.idle, now.busy);
  return TRUE;
}

static gboolean
status (char **args, GError **error)
{
  g_auto (GStrv) pools = list_pools ();

  if (args[0] != NULL)
    return print_status (args[0], error);
  for (char **pool = pools; *pool != NULL; pool++)
    if (!print_status (*pool, error))
      return FALSE;
  return TRUE;
}

/* Who has which worker, of those that were borrowed here. */

static GMutex lock;
static GHashTable *consumers; /* worker → consumer; lock protects it */

static void
remember (Pid worker)
{
  g_mutex_lock (&lock);
  if (consumers == NULL)
    consumers = g_hash_table_new (NULL, NULL);
  g_hash_table_insert (consumers, PID_TO_POINTER (worker),
                       PID_TO_POINTER (process_self ()));
  g_mutex_unlock (&lock);
}

/* Returns: who has it, or PID_NONE */
static Pid
find_consumer (Pid worker)
{
  Pid consumer = PID_NONE;

  g_mutex_lock (&lock);
  if (consumers != NULL)
    consumer = POINTER_TO_PID (
      g_hash_table_lookup (consumers, PID_TO_POINTER (worker)));
  g_mutex_unlock (&lock);
  return process_is_alive (consumer) ? consumer : PID_NONE;
}

/* Consumers */

enum { SERVED = 1, GO };

typedef struct {
  Pid   asker;   /* who wants to hear what came of it, or PID_NONE */
  int   hold_ms; /* how long to keep the worker; -1: until told to go */
  char *pool;
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

static void
print_loan (Pid worker, Pid consumer)
{
  g_autofree char *what = NULL, *who = NULL;

  g_mutex_lock (&lock);
  what = shell_name ('w', worker);
  who = shell_name ('c', consumer);
  shell_print ("%s is lent to %s\n", what, who);
  g_mutex_unlock (&lock);
}

/* Returns: the worker, or PID_NONE: then whoever should know has been told */
static Pid
borrow (const Wish *wish)
{
  GError *error = NULL;
  Pid worker = pooly_checkout (wish->pool, &error);
  Message served = { .tag = SERVED, .pid = worker };

  if (worker != PID_NONE)
    remember (worker);
  if (wish->asker != PID_NONE) {
    process_send (wish->asker,
                  error == NULL ? served : message_error (SERVED, error));
  } else if (error == NULL) {
    print_loan (worker, process_self ());
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
static gboolean
checkout (char **args, GError **error)
{
  Wish wish = { .asker = process_self (), .hold_ms = -1, .pool = args[0] };
  g_auto (Message) served = { 0 };
  Pid consumer = process_spawn (consume, wish_copy (&wish), wish_free);

  if (!process_receive (&served, -1))
    return FALSE;
  process_unlink (consumer);
  if (served.data != NULL) {
    g_propagate_error (error, message_take_data (&served));
    return FALSE;
  }
  print_loan (served.pid, consumer);
  return TRUE;
}

static gboolean
start_consumers (char **args, GError **error)
{
  Wish wish = { .hold_ms = -1, .pool = args[0] };
  guint n = 1, hold_ms;

  if (args[1] != NULL && !shell_parse_number (args[1], "N", &n, error))
    return FALSE;
  if (args[1] != NULL && args[2] != NULL) {
    if (!shell_parse_number (args[2], "MS", &hold_ms, error))
      return FALSE;
    wish.hold_ms = (int) hold_ms;
  }
  for (guint i = 0; i < n; i++)
    process_spawn (consume, wish_copy (&wish), wish_free);
  return TRUE;
}

static gboolean
checkin (char **args, GError **error)
{
  Pid worker, consumer;

  if (!shell_parse_pid (args[0], &worker, error))
    return FALSE;
  consumer = find_consumer (worker);
  if (consumer == PID_NONE) {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
                 "no consumer here has " PID_FORMAT, PID_ARGS (worker));
    return FALSE;
  }
  process_send (consumer, (Message) { .tag = GO });
  return process_wait_end (consumer, -1);
}

/* Workers */

static gboolean
start_worker (char **args G_GNUC_UNUSED, GError **error)
{
  Pid worker = gen_server_start (&sample_worker_class, NULL, NULL, error);
  g_autofree char *what = NULL;

  if (worker == PID_NONE)
    return FALSE;
  what = shell_name ('w', worker);
  shell_print ("%s belongs to no pool\n", what);
  return TRUE;
}

static gboolean
print_digest (Pid worker, const char *path, GError **error)
{
  g_autofree char *text = sample_worker_digest (worker, path, error);

  if (text != NULL)
    shell_print ("%s  %s\n", text, path);
  return text != NULL;
}

static gboolean
digest (char **args, GError **error)
{
  Pid worker;

  return shell_parse_server (args[0], "SampleWorker", &worker, error)
         && print_digest (worker, args[1], error);
}

static const ShellCommand commands[] = {
  { "start", "[POOL [SIZE]]", "start a pool, or Pooly", start },
  { "stop", "[POOL]", "stop a pool, or Pooly", stop },
  { "status", "[POOL]", "how many workers are idle, and busy", status },
  { "checkout", "POOL", "borrow a worker, for this shell", checkout },
  { "consumer", "POOL [N [MS]]",
    "start consumers that borrow one each, and keep it so long",
    start_consumers },
  { "checkin", "PID", "have a worker given back", checkin },
  { "worker", "", "start a worker outside of any pool", start_worker },
  { "digest", "PID FILE", "have a worker digest a file", digest },
  { NULL, NULL, NULL, NULL }
};

int
main (void)
{
  static const ShellProgram program = { .prompt = "v3> ",
                                        .commands = commands,
                                        .list_words = list_words };
  g_autoptr (GError) error = NULL;
  char *no_args[] = { NULL };
  int exit_status = EXIT_FAILURE;

  setlocale (LC_ALL, "");
  if (start (no_args, &error))
    exit_status = shell_run (&program);
  else
    g_printerr ("%s\n", error->message);
  pooly_stop ();
  return exit_status;
}
