/* A gen_server's state begins with a header that the runtime keeps; the
 * class's own state follows it, in the same piece of memory.
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

G_DEFINE_QUARK (gen-server-error-quark, gen_server_error)

/* The runtime's own calls. */
enum { STOP = -10, DESCRIBE = -11 };

/* Its answer to a start that failed. */
enum { FAILED = 1 };

typedef struct {
  const GenServerClass *klass;
  gconstpointer         args; /* for init */
  From                  starter;
  GError               *error; /* of init */
} Header;

#define HEADER_SIZE ((sizeof (Header) + 15) & ~(gsize) 15)

static gpointer
get_state (Header *header)
{
  return (char *) header + HEADER_SIZE;
}

static void
stop (Header *header, Reason reason)
{
  Process *self = slot_current ();

  if (self->stop == 0)
    self->stop = reason;
  if (header->klass->terminate != NULL && slot_is_alive (self))
    header->klass->terminate (get_state (header), reason);
}

/* The starter hears of success when the handler has returned, and of a failure
 * when the server has been finalized. */
static void
handle_init (Header *header, From from)
{
  const GenServerClass *klass = header->klass;
  Process *self = slot_current ();

  if (klass->init == NULL
      || klass->init (get_state (header), header->args, &header->error)) {
    request_answer_when_released (from);
    return;
  }
  header->starter = from;
  process_unlink (self->parent);
  self->stop = g_quark_from_static_string ("init_failed");
}

static void
handle_describe (Header *header, From from)
{
  GString *text = g_string_new (NULL);
  Message reply = { .free_data = g_free };

  if (header->klass->describe != NULL)
    header->klass->describe (get_state (header), text);
  reply.data = g_string_free (text, FALSE);
  gen_server_reply (from, reply);
}

/* Returns: whether it was a message of the runtime's own */
static gboolean
handle_system (Header *header, const Envelope *envelope, From from)
{
  const Message *message = &envelope->message;

  if (envelope->kind == MESSAGE_START)
    handle_init (header, from);
  else if (envelope->kind == MESSAGE_CALL && message->tag == STOP)
    stop (header, message->reason);
  else if (envelope->kind == MESSAGE_CALL && message->tag == DESCRIBE)
    handle_describe (header, from);
  else if (message->tag == PROCESS_EXIT && message->pid != PID_NONE
           && message->pid == slot_current ()->parent)
    stop (header, message->reason);
  else
    return FALSE;
  return TRUE;
}

static void
handle (gpointer data, Envelope *envelope)
{
  Header *header = data;
  const GenServerClass *klass = header->klass;
  Message *message = &envelope->message;
  From from = { .pid = message->sender, .ref = message->ref };
  Process *self = slot_current ();
  gpointer state = get_state (header);

  if (handle_system (header, envelope, from))
    return;
  if (envelope->kind == MESSAGE_CALL && klass->handle_call != NULL)
    klass->handle_call (state, message, from);
  else if (envelope->kind == MESSAGE_CAST && klass->handle_cast != NULL)
    klass->handle_cast (state, message);
  else if (envelope->kind == MESSAGE_SENT && klass->handle_info != NULL)
    klass->handle_info (state, message);
  if (self->stop != 0)
    stop (header, self->stop);
}

static gboolean
is_short (gpointer data, const Envelope *envelope)
{
  Header *header = data;

  if (envelope->kind == MESSAGE_START)
    return TRUE;
  if (envelope->kind == MESSAGE_CALL && envelope->message.tag < 0)
    return envelope->message.tag != STOP;
  return header->klass->is_short (get_state (header), &envelope->message);
}

static void
finalize (gpointer data)
{
  Header *header = data;

  if (header->klass->finalize != NULL)
    header->klass->finalize (get_state (header));
  if (header->error != NULL)
    request_answer (header->starter, message_error (FAILED, header->error));
  g_free (header);
}

static const ProcessClass gen_server_class = { .handle = handle,
                                               .is_short = is_short,
                                               .finalize = finalize };

/* Whether the runtime's own requests are understood there. */
static gboolean
is_server (Pid pid)
{
  Process *process = slot_lock_alive (pid);
  gboolean is_one;

  if (process == NULL)
    return FALSE;
  is_one = process->klass == &gen_server_class;
  slot_unlock (process);
  return is_one;
}

static Pid
make (const GenServerClass *klass, gconstpointer args, Pid parent)
{
  Header *header = g_malloc0 (HEADER_SIZE + klass->state_size);
  Process *process;

  header->klass = klass;
  header->args = args;
  process = run_new (&gen_server_class, klass->name, header, parent);
  process->may_lend = klass->is_short != NULL;
  process->is_starting = TRUE;
  return process->pid;
}

/* Waits for init's end, or the server's, and no limit ends that. */
static gboolean
wait_for_init (Pid pid, GError **error)
{
  g_auto (Message) answer = { 0 };

  switch (request_call (pid, (Envelope) { .kind = MESSAGE_START },
                        SCHEDULER_NEVER, &answer)) {
  case REQUEST_ANSWERED:
    if (answer.tag != FAILED)
      return TRUE;
    g_propagate_error (error, message_take_data (&answer));
    return FALSE;
  case REQUEST_DOWN:
    g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_INIT,
                 PID_FORMAT " ended before its init was done: %s",
                 PID_ARGS (pid), g_quark_to_string (answer.reason));
    return FALSE;
  default:
    process_wait_end (pid, -1); /* somebody may just be finalizing it */
    g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_INIT,
                 PID_FORMAT " ended before its init", PID_ARGS (pid));
    return FALSE;
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
  if (name != NULL && !process_register (name, pid, error)) {
    process_exit (pid, REASON_KILL);
    process_wait_end (pid, -1);
    return PID_NONE;
  }
  if (with_link)
    process_link (pid);
  if (wait_for_init (pid, error))
    return pid;
  if (with_link)
    process_unlink (pid);
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
  switch (result) {
  case REQUEST_NOPROC:
    if (server == PID_NONE)
      g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_NOPROC,
                   "there is no such process");
    else
      g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_NOPROC,
                   "there is no process " PID_FORMAT, PID_ARGS (server));
    break;
  case REQUEST_TIMEOUT:
    g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_TIMEOUT,
                 PID_FORMAT " did not answer in time", PID_ARGS (server));
    break;
  case REQUEST_DOWN:
    if (answer->tag == PROCESS_DOWN)
      g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN,
                   PID_FORMAT " died before it answered: %s", PID_ARGS (server),
                   g_quark_to_string (answer->reason));
    else
      g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN,
                   "the caller was told to die: %s",
                   g_quark_to_string (answer->reason));
    break;
  default:
    break;
  }
}

static gboolean
call (Pid server, Message request, int timeout_ms, Message *reply,
      GError **error)
{
  Message answer;
  RequestResult result;

  if (server != PID_NONE && server == process_self ()) {
    message_clear (&request);
    *reply = (Message) { 0 };
    g_set_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_CALLING_SELF,
                 PID_FORMAT " can't call itself", PID_ARGS (server));
    return FALSE;
  }
  result = request_call (server,
                         (Envelope) { .message = request,
                                      .kind = MESSAGE_CALL },
                         request_deadline (timeout_ms), &answer);
  if (result == REQUEST_ANSWERED) {
    *reply = answer;
    return TRUE;
  }
  set_call_error (error, result, server, &answer);
  *reply = (Message) { .reason = answer.reason };
  return FALSE;
}

gboolean
gen_server_call (Pid server, Message request, int timeout_ms, Message *reply,
                 GError **error)
{
  g_auto (Message) unwanted = { 0 };

  return call (server, request, timeout_ms, reply != NULL ? reply : &unwanted,
               error);
}

/* Only a thread that is not inside a handler lends itself to a cast: so casts
 * never nest. */
void
gen_server_cast (Pid server, Message request)
{
  Process *self = slot_current ();
  Envelope envelope = { .message = request, .kind = MESSAGE_CAST };
  Process *process = slot_is_alive (self) && self->klass->handle == NULL
                       ? slot_lock_alive (server)
                       : NULL;

  if (process != NULL && run_may_lend (process, &envelope)) {
    envelope.message.sender = self->pid;
    run_lent (process, envelope, SCHEDULER_NEVER, NULL);
    return;
  }
  if (process != NULL)
    slot_unlock (process);
  run_send (server, envelope);
}

gboolean
gen_server_reply (From from, Message reply)
{
  if (!process_is_dying ())
    return request_answer (from, reply);
  message_clear (&reply);
  return FALSE;
}

void
gen_server_stop (Reason reason)
{
  Process *self = slot_current ();

  g_return_if_fail (self->klass == &gen_server_class);
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

  call (is_server (server) ? server : PID_NONE,
        (Message) { .tag = STOP, .reason = reason }, timeout_ms, &reply,
        &local);
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
      || !gen_server_call (server, (Message) { .tag = DESCRIBE }, timeout_ms,
                           &reply, NULL))
    return NULL;
  text = message_take_data (&reply);
  if (text != NULL && *text == '\0')
    g_clear_pointer (&text, g_free);
  return text;
}
