#include "helper.h"

#include <pthread.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED TRUE
#else
#define IS_SANITIZED FALSE
#endif

#ifdef SIMULATED
#define IS_SIMULATED TRUE
#else
#define IS_SIMULATED FALSE
#endif

static gint64
from_environment (const char *name, gint64 otherwise)
{
  const char *text = g_getenv (name);

  return text == NULL ? otherwise : g_ascii_strtoll (text, NULL, 10);
}

static int
get_limit (void)
{
  return (int) (10000 * CLAMP (from_environment ("LIMIT", 1), 1, 1000));
}

int
test_limit (void)
{
  return IS_SIMULATED ? -1 : get_limit ();
}

guint
test_scaled (guint count)
{
  gint64 percent = CLAMP (from_environment ("POOLY_TEST_SCALE", 100), 0, 100);

  return MAX ((guint) (count * percent / 100), MIN (count, 10));
}

static void fail (const char *file, int line, const char *func,
                  const char *format, ...) G_GNUC_PRINTF (4, 5);

/* Fails in the test's own line, not in this file's. */
static void
fail (const char *file, int line, const char *func, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_assertion_message (G_LOG_DOMAIN, file, line, func, text);
}

/* MESSAGES */

Message
test_receive_at (int tag, const char *file, int line, const char *func)
{
  Message message = { 0 };

  if (!process_receive (&message, test_limit ()))
    fail (file, line, func, "no message came; expected tag %d", tag);
  if (message.tag != tag)
    fail (file, line, func,
          "a message with tag %d came (reason %s); "
          "expected tag %d",
          message.tag, g_quark_to_string (message.reason), tag);
  return message;
}

Message
test_call (Pid server, Message request)
{
  g_autoptr (GError) error = NULL;
  Message reply = { 0 };

  gen_server_call (server, request, test_limit (), &reply, &error);
  g_assert_no_error (error);
  return reply;
}

static ProcessInfo
get_info (Pid pid)
{
  g_autoptr (GArray) list = process_list ();

  for (guint i = 0; i < list->len; i++)
    if (g_array_index (list, ProcessInfo, i).pid == pid)
      return g_array_index (list, ProcessInfo, i);
  g_assert_not_reached ();
}

static gint64
get_deadline (void)
{
  return g_get_monotonic_time () + 1000 * (gint64) get_limit ();
}

void
test_wait_messages (Pid pid, guint n_messages)
{
  gint64 deadline = get_deadline ();

  while (get_info (pid).n_messages < n_messages) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_thread_yield ();
  }
}

void
test_wait_idle (Pid pid)
{
  gint64 deadline = get_deadline ();

  while (get_info (pid).state != PROCESS_IDLE) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_thread_yield ();
  }
}

void
test_spin (guint duration_us)
{
  gint64 end = g_get_monotonic_time () + duration_us;

  while (g_get_monotonic_time () < end)
    continue;
}

void
test_on_small_stack (GThreadFunc func, gpointer data)
{
  pthread_attr_t attributes;
  pthread_t thread;

  g_assert_cmpint (pthread_attr_init (&attributes), ==, 0);
  g_assert_cmpint (pthread_attr_setstacksize (&attributes, 256 * 1024), ==, 0);
  g_assert_cmpint (pthread_create (&thread, &attributes, func, data), ==, 0);
  g_assert_cmpint (pthread_join (thread, NULL), ==, 0);
  pthread_attr_destroy (&attributes);
}

gint64
test_resident_bytes (void)
{
  g_autofree char *text = NULL;
  const char *resident;

  if (IS_SANITIZED || g_getenv ("POOLY_TEST_SCALE") != NULL
      || !g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    return -1;
  resident = strchr (text, ' ');
  g_assert_nonnull (resident);
  return g_ascii_strtoll (resident, NULL, 10) * sysconf (_SC_PAGESIZE);
}

void
test_count (gpointer counter)
{
  g_atomic_int_inc ((gint *) counter);
}

/* GATES */

void
gate_wait_at (Gate *gate, const char *file, int line, const char *func)
{
  gint64 deadline = get_deadline ();
  gboolean in_time = TRUE;

  g_mutex_lock (&gate->mutex);
  while (!gate->is_open && in_time)
    in_time = g_cond_wait_until (&gate->cond, &gate->mutex, deadline);
  g_mutex_unlock (&gate->mutex);
  if (!in_time)
    fail (file, line, func, "nobody has opened the gate");
}

void
gate_open (Gate *gate)
{
  g_mutex_lock (&gate->mutex);
  gate->is_open = TRUE;
  g_cond_broadcast (&gate->cond);
  g_mutex_unlock (&gate->mutex);
}

gboolean
gate_is_open (Gate *gate)
{
  gboolean is_open;

  g_mutex_lock (&gate->mutex);
  is_open = gate->is_open;
  g_mutex_unlock (&gate->mutex);
  return is_open;
}

void
gate_reset (Gate *gate)
{
  g_mutex_lock (&gate->mutex);
  gate->is_open = FALSE;
  g_mutex_unlock (&gate->mutex);
}

void
door_stand (Door *door)
{
  gate_open (&door->entered);
  gate_wait (&door->leave);
}

/* CALLERS */

static gpointer
caller_run (gpointer data)
{
  Caller *self = data;

  self->pid = process_self ();
  gate_open (&self->started);
  self->answered = gen_server_call (self->server, self->request,
                                    self->timeout_ms, &self->reply,
                                    &self->error);
  return NULL;
}

Caller *
caller_start (Pid server, Message request, int timeout_ms)
{
  Caller *self = g_new0 (Caller, 1);

  self->server = server;
  self->request = request;
  self->timeout_ms = timeout_ms;
  g_mutex_init (&self->started.mutex);
  g_cond_init (&self->started.cond);
  self->thread = g_thread_new ("caller", caller_run, self);
  gate_wait (&self->started);
  return self;
}

void
caller_wait (Caller *caller)
{
  g_clear_pointer (&caller->thread, g_thread_join);
}

void
caller_free (Caller *caller)
{
  g_assert_null (caller->thread);
  message_clear (&caller->reply);
  g_clear_error (&caller->error);
  g_mutex_clear (&caller->started.mutex);
  g_cond_clear (&caller->started.cond);
  g_free (caller);
}

/* THE END */

static void
assert_nobody_else (void)
{
  g_autoptr (GArray) list = process_list ();
  guint n_others = 0;

  for (guint i = 0; i < list->len; i++) {
    ProcessInfo *info = &g_array_index (list, ProcessInfo, i);

    if (info->pid == process_self ())
      continue;
    n_others++;
    g_test_message ("left behind: %s " PID_FORMAT, info->kind,
                    PID_ARGS (info->pid));
  }
  g_assert_cmpuint (n_others, ==, 0);
}

void
test_end (void)
{
  g_autofree char *zombies = NULL;
  g_auto (Message) message = { 0 };
  guint n_zombies = process_wait_gone (get_limit () / 2, &zombies);
  gboolean is_left;

  if (n_zombies > 0)
    g_test_message ("not finalized: %s", zombies);
  g_assert_cmpuint (n_zombies, ==, 0);
  assert_nobody_else ();
  is_left = process_receive (&message, 0);
  if (is_left)
    g_test_message ("unexpected: a message with tag %d, reason %s", message.tag,
                    g_quark_to_string (message.reason));
  g_assert_false (is_left);
}
