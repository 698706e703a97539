/* The state of the class follows what the runtime keeps, in the same piece of
 * memory.
 *
 * Starting is a call, to a server that was made but has not been run: its init
 * is the handler of its first message, so starting needs no waiting of its
 * own, is done on the starter's thread where the class allows that, and ends
 * by itself when the server dies.
 */
#include "gen_server.h"

#include "names.h"
#include "request.h"
#include "run.h"
#include "signals.h"
#include "trace.h"

#include <stddef.h>

G_DEFINE_QUARK (gen-server-error-quark, gen_server_error)

/* Its answer to a start that failed. */
enum { FAILED = 1 };

typedef struct {
  const GenServerClass *klass;
  gconstpointer args; /* for init */
  From starter;
  GError *error; /* of init */
  _Alignas(max_align_t) char state[];
} Server;

static void
stop (Server *server, Reason reason)
{
  Process *self = slot_current ();

  if (self->stop == 0)
    self->stop = reason;
  if (server->klass->terminate != NULL && slot_is_alive (self))
    server->klass->terminate (server->state, reason);
}

/* The starter hears of success when the server has stopped running, and of a
 * failure when it has been finalized. */
static void
handle_init (Server *server, From from)
{
  const GenServerClass *klass = server->klass;
  Process *self = slot_current ();

  if (klass->init != NULL
      && !klass->init (server->state, server->args, &server->error)) {
    server->starter = from;
    self->stop = g_quark_from_static_string ("init_failed");
  }
  if (self->stop != 0)
    process_unlink (self->parent);
}

static void
handle_describe (Server *server, From from)
{
  GString *text = g_string_new (NULL);

  if (server->klass->describe != NULL)
    server->klass->describe (server->state, text);
  gen_server_reply (from, (Message) { .data = g_string_free (text, FALSE),
                                      .free_data = g_free });
}

/* Returns: whether it was a message of the runtime's own */
static gboolean
handle_system (Server *server, const Envelope *envelope, From from)
{
  const Message *message = &envelope->message;

  if (envelope->kind == MESSAGE_START)
    handle_init (server, from);
  else if (envelope->kind == MESSAGE_CALL && message->tag == TAG_STOP)
    stop (server, message->reason);
  else if (envelope->kind == MESSAGE_CALL && message->tag == TAG_DESCRIBE)
    handle_describe (server, from);
  else if (message->tag == PROCESS_EXIT && message->pid != PID_NONE
           && message->pid == slot_current ()->parent)
    stop (server, message->reason);
  else
    return FALSE;
  return TRUE;
}

static void
handle (gpointer data, Envelope *envelope)
{
  Server *server = data;
  const GenServerClass *klass = server->klass;
  Message *message = &envelope->message;
  From from = { .pid = message->sender, .ref = message->ref };
  Process *self = slot_current ();

  if (handle_system (server, envelope, from))
    return;
  if (envelope->kind == MESSAGE_CALL && klass->handle_call != NULL)
    klass->handle_call (server->state, message, from);
  else if (envelope->kind == MESSAGE_CAST && klass->handle_cast != NULL)
    klass->handle_cast (server->state, message);
  else if (envelope->kind == MESSAGE_SENT && klass->handle_info != NULL)
    klass->handle_info (server->state, message);
  if (self->stop != 0)
    stop (server, self->stop);
}

static gboolean
is_short (gpointer data, const Envelope *envelope)
{
  Server *server = data;

  if (envelope->kind == MESSAGE_START)
    return TRUE;
  if (envelope->kind == MESSAGE_CALL && envelope->message.tag < 0)
    return envelope->message.tag != TAG_STOP;
  return server->klass->is_short (server->state, &envelope->message);
}

static void
finalize (gpointer data)
{
  Server *server = data;

  if (server->klass->finalize != NULL)
    server->klass->finalize (server->state);
  if (server->error != NULL)
    request_answer (server->starter, message_error (FAILED, server->error));
  g_free (server);
}

#define SERVER \
  .is_server = TRUE, .run = run_queued, .handle = handle, .finalize = finalize

static const ProcessClass long_class = { SERVER };
static const ProcessClass short_class = { SERVER, .is_short = is_short };

/* Whether the runtime's own requests are understood there. */
static gboolean
is_server (Pid pid)
{
  Process *process = slot_lock_alive (pid);
  gboolean is_one = process != NULL && process->klass->is_server;

  if (process != NULL)
    slot_unlock (process);
  return is_one;
}

static Pid
make (const GenServerClass *klass, gconstpointer args, Pid parent)
{
  Server *server = g_malloc0 (sizeof *server + klass->state_size);
  Pid pid = slot_new (klass->is_short != NULL ? &short_class : &long_class,
                      klass->name, server, parent)
              ->pid;

  server->klass = klass;
  server->args = args;
  trace_tags (pid, klass->messages);
  return pid;
}

/* Waits for init's end, or the server's, and no limit ends that. */
static gboolean
wait_for_init (Pid pid, GError **error)
{
  g_auto (Message) answer = { 0 };
  Envelope start = { .message.tag = TAG_START, .kind = MESSAGE_START };
  RequestResult result = request (pid, &start, SCHEDULER_NEVER, &answer);

  if (result == REQUEST_ANSWERED && answer.tag != FAILED)
    return TRUE;
  if (result == REQUEST_ANSWERED)
    g_propagate_error (error, message_take_data (&answer));
  else
    g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_INIT,
                 PID_FORMAT " ended before its init was done: %s",
                 PID_ARGS (pid),
                 g_quark_to_string (answer.reason != 0 ? answer.reason
                                                       : REASON_NOPROC));
  return FALSE;
}

/* Nobody will start it if its name was taken, or the starter told to die. */
static void
end_unstarted (Pid pid)
{
  Process *process = slot_lock_alive (pid);

  if (process != NULL && process->is_starting && process->state == PROCESS_IDLE)
    slot_end (process, REASON_KILLED);
  else if (process != NULL)
    slot_unlock (process);
}

/* The args are the starter's, and init may read them until it returns, also in
 * a server that is dead by then, or for a starter that is. */
static void
wait_until_init_is_over (Pid pid)
{
  Process *self = slot_current ();

  while (slot_has_init_to_run (pid)) {
    slot_lock (self);
    slot_park (self, WAITS_FOR_NOTHING, pid, scheduler_now () + 1000);
    slot_unlock (self);
  }
}

static Pid
start (const GenServerClass *klass, const char *name, gconstpointer args,
       gboolean with_link, GError **error)
{
  Process *self = slot_current ();
  Pid pid;

  g_return_val_if_fail (klass != NULL && klass->name != NULL, PID_NONE);

  if (!slot_is_alive (self)) {
    g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN,
                 "%s was told to die: it can't start %s", self->kind,
                 klass->name);
    return PID_NONE;
  }
  pid = make (klass, args, with_link ? self->pid : PID_NONE);
  if (name == NULL || process_register (name, pid, error)) {
    if (with_link)
      process_link (pid);
    if (wait_for_init (pid, error))
      return pid;
    process_unlink (pid);
  }
  end_unstarted (pid);
  wait_until_init_is_over (pid);
  return PID_NONE;
}

Pid
gen_server_start_link (const GenServerClass *klass, const char *name,
                       gconstpointer args, GError **error)
{
  return start (klass, name, args, TRUE, error);
}

Pid
gen_server_start (const GenServerClass *klass, const char *name,
                  gconstpointer args, GError **error)
{
  return start (klass, name, args, FALSE, error);
}

static void
set_call_error (GError **error, RequestResult result, Pid server,
                const Message *answer)
{
  const char *reason = g_quark_to_string (answer->reason);

  if (result == REQUEST_NOPROC && server == PID_NONE)
    g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_NOPROC,
                 "there is no such process");
  else if (result == REQUEST_NOPROC)
    g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_NOPROC,
                 "there is no process " PID_FORMAT, PID_ARGS (server));
  else if (result == REQUEST_TIMEOUT)
    g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_TIMEOUT,
                 PID_FORMAT " did not answer in time", PID_ARGS (server));
  else if (answer->tag == PROCESS_DOWN)
    g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN,
                 PID_FORMAT " died before it answered: %s", PID_ARGS (server),
                 reason);
  else
    g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN,
                 "the caller was told to die: %s", reason);
}

gboolean
gen_server_call (Pid server, Message message, int timeout_ms, Message *reply,
                 GError **error)
{
  g_auto (Message) unwanted = { 0 };
  Envelope envelope = { .message = message, .kind = MESSAGE_CALL };
  RequestResult result;

  if (reply == NULL)
    reply = &unwanted;
  if (server != PID_NONE && server == process_self ()) {
    message_clear (&message);
    *reply = (Message) { 0 };
    g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_CALLING_SELF,
                 PID_FORMAT " can't call itself", PID_ARGS (server));
    return FALSE;
  }
  result = request (server, &envelope, scheduler_deadline (timeout_ms), reply);
  if (result == REQUEST_ANSWERED)
    return TRUE;
  set_call_error (error, result, server, reply);
  *reply = (Message) { .reason = reply->reason };
  return FALSE;
}

void
gen_server_cast (Pid server, Message request)
{
  run_send (server, (Envelope) { .message = request, .kind = MESSAGE_CAST });
}

gboolean
gen_server_reply (From from, Message reply)
{
  if (!process_is_dying ())
    return request_answer (from, reply);
  message_clear (&reply);
  return FALSE;
}

gboolean
gen_server_is_waiting (From from)
{
  return request_is_open (from);
}

void
gen_server_continue (Message message)
{
  g_return_if_fail (slot_current ()->klass->is_server);

  run_next ((Envelope) { .message = message });
}

void
gen_server_stop (Reason reason)
{
  Process *self = slot_current ();

  g_return_if_fail (self->klass->is_server);
  g_return_if_fail (reason != 0);

  if (self->stop == 0)
    self->stop = reason;
}

gboolean
gen_server_stop_sync (Pid server, Reason reason, int timeout_ms, GError **error)
{
  g_autoptr (GError) local = NULL;
  Message reply;

  g_return_val_if_fail (reason != 0, FALSE);

  gen_server_call (is_server (server) ? server : PID_NONE,
                   (Message) { .tag = TAG_STOP, .reason = reason }, timeout_ms,
                   &reply, &local);
  if (g_error_matches (local, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN)
      && reply.reason == reason)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

char *
gen_server_describe (Pid server, int timeout_ms)
{
  g_auto (Message) reply = { 0 };
  char *text;

  if (!is_server (server)
      || !gen_server_call (server, (Message) { .tag = TAG_DESCRIBE },
                           timeout_ms, &reply, NULL))
    return NULL;
  text = reply.data;
  return text != NULL && *text != '\0' ? message_take_data (&reply) : NULL;
}

/* Traces */

static void
introduce (Process *process, gpointer data G_GNUC_UNUSED)
{
  if (!slot_is_alive (process))
    return;
  trace_set_label (process->pid,
                   process->label != NULL ? process->label : process->kind);
  if (process->klass->is_server)
    trace_set_tags (process->pid, ((Server *) process->data)->klass->messages);
}

/* Those that began while nobody traced were not introduced then. */
static void
introduce_all (void)
{
  g_autoptr (GArray) list = NULL;

  slot_foreach (introduce, NULL);
  list = process_list ();
  for (guint i = 0; i < list->len; i++) {
    Pid pid = g_array_index (list, ProcessInfo, i).pid;
    g_autofree char *name = process_get_name (pid);

    if (name != NULL)
      trace_set_name (pid, name);
  }
}

void
gen_server_trace (gboolean is_on)
{
  if (is_on)
    introduce_all ();
  g_atomic_int_set (&trace_is_on, is_on);
  if (!is_on)
    trace_forget ();
}
