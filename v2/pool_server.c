/* The brain of the operation: which workers are idle, and who has the others.
 *
 * It does not start its workers by itself.  It has a supervisor start them, and
 * that supervisor is started by its own supervisor, which is only free to do so
 * when this server's init is over: hence the message that it sends to itself.
 *
 * It hears of a consumer's death by a monitor, and of a worker's by a link, and
 * has another started in that one's place.
 */
#include "internal.h"
#include "signals.h"

/* region: messages */
/* clang-format off */
typedef enum {
  START_WORKER_SUPERVISOR = 1, READY, CHECKOUT, CHECKIN, STATUS, /* requests */
  OK, LENT, FULL, FAILED                                         /* replies */
} PoolMessage;
/* clang-format on */
/* end */

/* region: state */
typedef struct {
  Pid   pid;
  Pid   consumer; /* PID_NONE while it is idle */
  GList link;     /* in the server's workers while it is idle */
  Ref   monitor;  /* on the consumer, while it is lent */
} Worker;

typedef struct {
  PoolyConfig config;
  Pid         pool_supervisor;
  Pid         worker_supervisor;
  GQueue      workers;      /* idle; last one in is first one out */
  GHashTable *by_pid;       /* Pid → Worker, all of them */
  GError     *worker_error; /* why a worker could not start */
} PoolServer;
/* end */

typedef struct {
  const PoolyConfig *config;
  Pid                pool_supervisor;
} Args;

/* region: init */
static gboolean
init (gpointer state, gconstpointer data, GError **error G_GNUC_UNUSED)
{
  PoolServer *self = state;
  const Args *args = data;

  self->config = *args->config;
  self->pool_supervisor = args->pool_supervisor;
  process_trap_exits (TRUE);
  self->by_pid = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  process_send (process_self (), (Message) { .tag = START_WORKER_SUPERVISOR });
  return TRUE;
}
/* end */

/* region: push-idle */
static void
push_idle (PoolServer *self, Worker *worker)
{
  worker->consumer = PID_NONE;
  g_queue_push_head_link (&self->workers, &worker->link);
}

static Worker *
pop_idle (PoolServer *self)
{
  GList *link = g_queue_pop_head_link (&self->workers);

  return link != NULL ? link->data : NULL;
}
/* end */

/* region: start-worker */
static gboolean
start_worker (PoolServer *self, GError **error)
{
  Pid pid = supervisor_start_child (self->worker_supervisor, NULL, error);
  Worker *worker;

  if (pid == PID_NONE)
    return FALSE;
  process_link (pid);
  worker = g_new0 (Worker, 1);
  worker->pid = pid;
  worker->link.data = worker;
  g_hash_table_insert (self->by_pid, PID_TO_POINTER (pid), worker);
  push_idle (self, worker);
  return TRUE;
}
/* end */

/* region: lend */
static void
lend (Worker *worker, Pid consumer)
{
  worker->consumer = consumer;
  worker->monitor = process_monitor (consumer, PID_TO_POINTER (worker->pid));
}
/* end */

/* region: start-worker-supervisor */
static void
handle_start_worker_supervisor (PoolServer *self)
{
  ChildSpec spec = { .id = "WorkerSupervisor",
                     .start = worker_supervisor_start_link,
                     .args = g_memdup2 (&self->config, sizeof self->config),
                     .free_args = g_free,
                     .restart = RESTART_TEMPORARY,
                     .is_supervisor = TRUE };

  self->worker_supervisor = supervisor_start_child (self->pool_supervisor,
                                                    &spec, &self->worker_error);
  for (guint i = 0; i < self->config.size; i++)
    if (self->worker_error == NULL)
      start_worker (self, &self->worker_error);
}
/* end */

static void
reply_failed (From from, const GError *error)
{
  gen_server_reply (from, message_error (FAILED, g_error_copy (error)));
}

static void
handle_ready (PoolServer *self, From from)
{
  if (self->worker_error != NULL)
    reply_failed (from, self->worker_error);
  else
    gen_server_reply (from, (Message) { .tag = OK });
}

/* region: checkout */
static void
handle_checkout (PoolServer *self, From from)
{
  Worker *worker = pop_idle (self);

  if (worker != NULL) {
    lend (worker, from.pid);
    gen_server_reply (from, (Message) { .tag = LENT, .pid = worker->pid });
  } else if (self->worker_error != NULL)
    reply_failed (from, self->worker_error);
  else
    gen_server_reply (from, (Message) { .tag = FULL });
}
/* end */

/* region: checkin */
static void
handle_checkin (PoolServer *self, Pid pid, Pid consumer)
{
  Worker *worker = g_hash_table_lookup (self->by_pid, PID_TO_POINTER (pid));

  if (worker == NULL || worker->consumer != consumer) {
    g_info (PID_FORMAT " checks in " PID_FORMAT ", which it does not have",
            PID_ARGS (consumer), PID_ARGS (pid));
    return;
  }
  process_demonitor (worker->monitor);
  push_idle (self, worker);
}
/* end */

/* region: consumer-down */
static void
handle_consumer_down (PoolServer *self, const Message *down)
{
  Worker *worker = g_hash_table_lookup (self->by_pid, down->data);

  if (worker != NULL && worker->consumer != PID_NONE
      && worker->consumer == down->pid)
    push_idle (self, worker);
}
/* end */

/* region: exit */
static void
handle_exit (PoolServer *self, const Message *exit)
{
  gpointer pid = PID_TO_POINTER (exit->pid);
  Worker *worker = g_hash_table_lookup (self->by_pid, pid);

  if (worker == NULL)
    return;
  if (worker->consumer == PID_NONE)
    g_queue_unlink (&self->workers, &worker->link);
  else
    process_demonitor (worker->monitor);
  g_hash_table_remove (self->by_pid, pid);
  start_worker (self, self->worker_error == NULL ? &self->worker_error : NULL);
}
/* end */

/* region: status */
static void
handle_status (PoolServer *self, From from)
{
  PoolyStatus *status = g_new (PoolyStatus, 1);
  Message reply = { .tag = OK, .data = status, .free_data = g_free };

  status->idle = self->workers.length;
  status->busy = g_hash_table_size (self->by_pid) - status->idle;
  gen_server_reply (from, reply);
}
/* end */

static void
handle_call (gpointer state, Message *request, From from)
{
  if (request->tag == READY)
    handle_ready (state, from);
  else if (request->tag == CHECKOUT)
    handle_checkout (state, from);
  else if (request->tag == STATUS)
    handle_status (state, from);
  else
    g_info ("pool server: unknown call %d", request->tag);
}

static void
handle_cast (gpointer state, Message *request)
{
  if (request->tag == CHECKIN)
    handle_checkin (state, request->pid, request->sender);
}

static void
handle_info (gpointer state, Message *message)
{
  if (message->tag == START_WORKER_SUPERVISOR)
    handle_start_worker_supervisor (state);
  else if (message->tag == PROCESS_DOWN && !process_is_alive (message->pid))
    handle_consumer_down (state, message);
  else if (message->tag == PROCESS_EXIT && !process_is_alive (message->pid))
    handle_exit (state, message);
}

/* Starting the workers waits for two supervisors; the rest for nobody, or for
 * the worker that replaces a dead one. */
static gboolean
is_short (gconstpointer state, const Message *message)
{
  const PoolServer *self = state;

  /* Such a class promises that its init does not wait, either.  But a supervisor
   * that stops its workers has no time for another one. */
  if (message->tag == PROCESS_EXIT)
    return self->config.worker->is_short != NULL
           && message->reason != REASON_SHUTDOWN;
  return message->tag != START_WORKER_SUPERVISOR;
}

static void
finalize (gpointer state)
{
  PoolServer *self = state;

  g_clear_pointer (&self->by_pid, g_hash_table_unref);
  g_clear_error (&self->worker_error);
}

static void
describe (gpointer state, GString *text)
{
  PoolServer *self = state;
  guint idle = self->workers.length;

  g_string_append_printf (text, "%u idle, %u busy", idle,
                          g_hash_table_size (self->by_pid) - idle);
}

static const GenServerClass pool_server_class = {
  .name = "PoolServer",
  .state_size = sizeof (PoolServer),
  .is_short = is_short,
  .init = init,
  .handle_call = handle_call,
  .handle_cast = handle_cast,
  .handle_info = handle_info,
  .finalize = finalize,
  .describe = describe,
  .messages = "START_WORKER_SUPERVISOR READY CHECKOUT CHECKIN STATUS "
              "OK LENT FULL FAILED",
};

/* Who starts it, and so runs this function, is its supervisor. */
Pid
pool_server_start_link (gconstpointer config, GError **error)
{
  Args args = { .config = config, .pool_supervisor = process_self () };

  return gen_server_start_link (&pool_server_class, "Pooly.Server", &args,
                                error);
}

/* The client half: what runs on the consumer's side. */

static gboolean
ask (Pid server, PoolMessage tag, Message *reply, GError **error)
{
  g_autoptr (GError) call_error = NULL;

  gen_server_call (server, (Message) { .tag = tag }, -1, reply, &call_error);
  if (call_error != NULL)
    g_set_error (error, POOLY_ERROR, POOLY_ERROR_DOWN,
                 "the pool is not there: %s", call_error->message);
  else if (reply->tag == FULL)
    g_set_error (error, POOLY_ERROR, POOLY_ERROR_FULL, "every worker is lent");
  else if (reply->tag == FAILED)
    g_set_error (error, POOLY_ERROR, POOLY_ERROR_WORKER,
                 "a worker could not start: %s",
                 ((GError *) reply->data)->message);
  else
    return TRUE;
  return FALSE;
}

/* region: client */
Pid
pool_server_checkout (Pid server, GError **error)
{
  g_auto (Message) reply = { 0 };

  return ask (server, CHECKOUT, &reply, error) ? reply.pid : PID_NONE;
}

void
pool_server_checkin (Pid server, Pid worker)
{
  gen_server_cast (server, (Message) { .tag = CHECKIN, .pid = worker });
}
/* end */

gboolean
pool_server_ready (Pid server, GError **error)
{
  g_auto (Message) reply = { 0 };

  return ask (server, READY, &reply, error);
}

gboolean
pool_server_status (Pid server, PoolyStatus *status, GError **error)
{
  g_auto (Message) reply = { 0 };

  if (!ask (server, STATUS, &reply, error))
    return FALSE;
  *status = *(PoolyStatus *) reply.data;
  return TRUE;
}
