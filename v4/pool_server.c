/* The brain of the operation: which workers are idle, and who has the others.
 *
 * It does not start its workers by itself.  It has a supervisor start them, and
 * that supervisor is started by its own supervisor, which is only free to do so
 * when this server's init is over: hence the message that it sends to itself.
 *
 * It hears of a consumer's death by a monitor, and of a worker's by a link, and
 * has another started if one is missing then.  Whatever way a worker comes back, it
 * goes through take_back(), and so does the one that replaces a dead one.
 */
#include "internal.h"
#include "signals.h"

/* region: messages */
/* clang-format off */
typedef enum {
  START_WORKER_SUPERVISOR = 1, READY, CHECKOUT, CHECKIN, STATUS, /* requests */
  LEAVE, EXPIRED, TRY_AGAIN,
  OK, LENT, FULL, FAILED                                         /* replies */
} PoolMessage;
/* clang-format on */
/* end */

#define RETRY_MS 100       /* after the first worker that could not start … */
#define MAX_RETRY_MS 10000 /* … and twice as long each time, up to this */

/* region: state */
typedef struct {
  Pid   pid;
  Pid   consumer; /* PID_NONE while it is idle */
  GList link;     /* in the server's workers while it is idle */
  Ref   monitor;  /* on the consumer, while it is lent */
  Ref   expiry;   /* the timer that dismisses it, while it is kept warm */
} Worker;

typedef struct {
  PoolyConfig config;
  Pid         pool_supervisor;
  Pid         worker_supervisor;
  GQueue      workers;      /* idle, the latest to come back first */
  GHashTable *by_pid;       /* Pid → Worker, all of them */
  GError     *worker_error; /* why a worker could not start */
  Line        line;         /* who waits for one */
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
  self->config.name = g_strdup (args->config->name);
  self->pool_supervisor = args->pool_supervisor;
  process_trap_exits (TRUE);
  self->by_pid = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  line_init (&self->line);
  process_send (process_self (), (Message) { .tag = START_WORKER_SUPERVISOR });
  registry_serve (self->config.name);
  return TRUE;
}
/* end */

/* region: overflow */
static guint
count_overflow (const PoolServer *self)
{
  guint size = self->config.size;

  return MAX (g_hash_table_size (self->by_pid), size) - size;
}

/* Not after a worker could not start: that is tried again later.  Nor while one
 * lies idle, dead or not: no death may change what is_short() has promised. */
static gboolean
may_grow (const PoolServer *self)
{
  return self->worker_error == NULL && self->workers.length == 0
         && count_overflow (self) < self->config.max_overflow;
}
/* end */

/* region: push-idle */
static void
push_idle (PoolServer *self, Worker *worker)
{
  Message expired = { .tag = EXPIRED, .pid = worker->pid };
  guint ttl_ms = self->config.overflow_ttl_ms;

  worker->consumer = PID_NONE;
  g_queue_push_head_link (&self->workers, &worker->link);
  if (count_overflow (self) > 0 && ttl_ms == 0)
    gen_server_continue (expired);
  else if (count_overflow (self) > 0)
    worker->expiry = process_send_after (process_self (), expired, ttl_ms);
}
/* end */

/* region: find-idle */
/* One that has died lies there until its EXIT comes. */
static Worker *
find_idle (const PoolServer *self)
{
  gboolean is_fifo = self->config.strategy == POOLY_FIFO;
  GList *link = is_fifo ? self->workers.tail : self->workers.head;

  for (; link != NULL; link = is_fifo ? link->prev : link->next)
    if (process_is_alive (((Worker *) link->data)->pid))
      return link->data;
  return NULL;
}
/* end */

static void
remove_idle (PoolServer *self, Worker *worker)
{
  g_queue_unlink (&self->workers, &worker->link);
  process_cancel_timer (worker->expiry);
  worker->expiry = 0;
}

/* region: start-worker */
static Worker *
start_worker (PoolServer *self, GError **error)
{
  Pid pid = supervisor_start_child (self->worker_supervisor, NULL, error);
  Worker *worker;

  if (pid == PID_NONE)
    return NULL;
  process_link (pid);
  worker = g_new0 (Worker, 1);
  worker->pid = pid;
  worker->link.data = worker;
  g_hash_table_insert (self->by_pid, PID_TO_POINTER (pid), worker);
  return worker;
}
/* end */

/* region: lend */
/* Whether the caller still waits is decided here, once and for all. */
static gboolean
lend (Worker *worker, From from)
{
  if (!gen_server_reply (from, (Message) { .tag = LENT, .pid = worker->pid }))
    return FALSE;
  worker->consumer = from.pid;
  worker->monitor = process_monitor (from.pid, PID_TO_POINTER (worker->pid));
  return TRUE;
}
/* end */

/* region: take-back */
static void
take_back (PoolServer *self, Worker *worker)
{
  From next;

  while (process_is_alive (worker->pid) && line_pop (&self->line, &next))
    if (lend (worker, next))
      return;
  push_idle (self, worker);
}
/* end */

/* region: missing */
static gboolean
is_one_missing (const PoolServer *self)
{
  return g_hash_table_size (self->by_pid) < self->config.size
         || (self->line.waiters.length > 0 && may_grow (self));
}
/* end */

/* region: fill-up */
static void
fill_up (PoolServer *self, guint retry_ms)
{
  Message try_again = { .tag = TRY_AGAIN,
                        .number = MIN (2 * retry_ms, MAX_RETRY_MS) };
  Worker *worker;

  g_clear_error (&self->worker_error);
  while (is_one_missing (self)
         && (worker = start_worker (self, &self->worker_error)) != NULL)
    take_back (self, worker);
  if (self->worker_error != NULL)
    process_send_after (process_self (), try_again, retry_ms);
}
/* end */

/* region: start-worker-supervisor */
static void
handle_start_worker_supervisor (PoolServer *self)
{
  ChildSpec spec = { .id = "WorkerSupervisor",
                     .start = worker_supervisor_start_link,
                     .args = config_copy (&self->config),
                     .free_args = config_free,
                     .restart = RESTART_TEMPORARY,
                     .is_supervisor = TRUE };

  self->worker_supervisor = supervisor_start_child (self->pool_supervisor,
                                                    &spec, &self->worker_error);
  if (self->worker_supervisor != PID_NONE) {
    process_link (self->worker_supervisor);
    fill_up (self, RETRY_MS);
  } else if (g_error_matches (self->worker_error, GEN_SERVER_ERROR,
                              GEN_SERVER_ERROR_INIT)) /* it was killed */
    gen_server_stop (REASON_KILLED);
}
/* end */

static void
reply_failed (From from, const GError *error)
{
  gen_server_reply (from, message_error (FAILED, g_error_copy (error)));
}

/* region: lend-new-one */
static void
lend_new_one (PoolServer *self, From from)
{
  g_autoptr (GError) error = NULL;
  Worker *worker = start_worker (self, &error);

  if (worker == NULL)
    reply_failed (from, error);
  else if (!lend (worker, from))
    take_back (self, worker);
}
/* end */

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
handle_checkout (PoolServer *self, From from, gboolean is_patient)
{
  Worker *worker = find_idle (self);

  if (worker != NULL && lend (worker, from))
    remove_idle (self, worker);
  else if (!gen_server_is_waiting (from))
    return; /* no worker need be started for one who has gone */
  else if (may_grow (self))
    lend_new_one (self, from);
  else if (self->worker_error != NULL)
    reply_failed (from, self->worker_error);
  else if (is_patient)
    line_join (&self->line, from);
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
  take_back (self, worker);
}
/* end */

/* region: consumer-down */
static void
handle_consumer_down (PoolServer *self, const Message *down)
{
  Worker *worker = g_hash_table_lookup (self->by_pid, down->data);

  if (worker != NULL && worker->consumer != PID_NONE
      && worker->consumer == down->pid)
    take_back (self, worker);
  else
    line_leave (&self->line, down->pid);
}
/* end */

/* region: exit */
static void
handle_exit (PoolServer *self, const Message *exit)
{
  gpointer pid = PID_TO_POINTER (exit->pid);
  Worker *worker = g_hash_table_lookup (self->by_pid, pid);

  if (exit->pid == self->worker_supervisor)
    gen_server_stop (exit->reason);
  if (worker == NULL)
    return;
  if (worker->consumer == PID_NONE)
    remove_idle (self, worker);
  else
    process_demonitor (worker->monitor);
  g_hash_table_remove (self->by_pid, pid);
  if (self->worker_error == NULL)
    fill_up (self, RETRY_MS);
}
/* end */

/* region: expired */
/* If others have died meanwhile, it is no overflow any more. */
static void
handle_expired (PoolServer *self, Pid pid)
{
  Worker *worker = g_hash_table_lookup (self->by_pid, PID_TO_POINTER (pid));

  if (worker == NULL || worker->consumer != PID_NONE || !process_is_alive (pid)
      || count_overflow (self) == 0)
    return;
  remove_idle (self, worker);
  process_unlink (pid);
  supervisor_terminate_pid (self->worker_supervisor, pid, NULL);
  g_hash_table_remove (self->by_pid, PID_TO_POINTER (pid));
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
  status->overflow = count_overflow (self);
  status->waiting = self->line.waiters.length;
  if (find_idle (self) == NULL)
    status->state = may_grow (self) ? POOLY_OVERFLOW : POOLY_FULL;
  else
    status->state = status->overflow > 0 ? POOLY_OVERFLOW : POOLY_READY;
  gen_server_reply (from, reply);
}
/* end */

static void
handle_call (gpointer state, Message *request, From from)
{
  if (request->tag == READY)
    handle_ready (state, from);
  else if (request->tag == CHECKOUT)
    handle_checkout (state, from, request->number);
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
  else if (request->tag == LEAVE)
    line_leave (&((PoolServer *) state)->line, request->sender);
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
  else if (message->tag == EXPIRED)
    handle_expired (state, message->pid);
  else if (message->tag == TRY_AGAIN)
    fill_up (state, (guint) message->number);
}

/* Starting the workers waits for two supervisors; starting or dismissing one
 * waits, too, unless its class promises that it does not; and so does a supervisor
 * that stops all its workers, and who dismisses one that is still at work. */
static gboolean
is_short (gconstpointer state, const Message *message)
{
  const PoolServer *self = state;
  gboolean is_worker_short = self->config.worker->is_short != NULL;

  if (message->tag == CHECKOUT)
    return is_worker_short || !may_grow (self);
  if (message->tag == PROCESS_EXIT || message->tag == TRY_AGAIN)
    return is_worker_short && message->reason != REASON_SHUTDOWN;
  if (message->tag == EXPIRED)
    return is_worker_short && process_is_idle (message->pid);
  return message->tag != START_WORKER_SUPERVISOR;
}

static void
finalize (gpointer state)
{
  PoolServer *self = state;

  g_free ((char *) self->config.name);
  g_clear_pointer (&self->by_pid, g_hash_table_unref);
  line_clear (&self->line);
  g_clear_error (&self->worker_error);
}

static void
describe (gpointer state, GString *text)
{
  PoolServer *self = state;
  guint idle = self->workers.length;

  g_string_append_printf (text, "%u idle, %u busy, %u overflow, %u waiting",
                          idle, g_hash_table_size (self->by_pid) - idle,
                          count_overflow (self), self->line.waiters.length);
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
              "LEAVE EXPIRED TRY_AGAIN OK LENT FULL FAILED",
};

/* Who starts it, and so runs this function, is its supervisor. */
Pid
pool_server_start_link (gconstpointer config, GError **error)
{
  Args args = { .config = config, .pool_supervisor = process_self () };
  g_autofree char *name = g_strconcat (args.config->name, "Server", NULL);

  await_orphan (name);
  return gen_server_start_link (&pool_server_class, name, &args, error);
}

/* The client half: what runs on the consumer's side. */

static gboolean
ask (Pid server, Message request, int timeout_ms, Message *reply,
     GError **error)
{
  g_autoptr (GError) call_error = NULL;

  gen_server_call (server, request, timeout_ms, reply, &call_error);
  if (g_error_matches (call_error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_TIMEOUT))
    g_set_error (error, POOLY_ERROR, POOLY_ERROR_TIMEOUT, "no worker in time");
  else if (call_error != NULL)
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
pool_server_checkout (Pid server, gboolean is_patient, int timeout_ms,
                      GError **error)
{
  Message request = { .tag = CHECKOUT, .number = is_patient };
  g_auto (Message) reply = { 0 };

  if (ask (server, request, timeout_ms, &reply, error))
    return reply.pid;
  if (is_patient) /* it may still stand in line */
    gen_server_cast (server, (Message) { .tag = LEAVE });
  return PID_NONE;
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

  return ask (server, (Message) { .tag = READY }, -1, &reply, error);
}

gboolean
pool_server_status (Pid server, PoolyStatus *status, GError **error)
{
  g_auto (Message) reply = { 0 };

  if (!ask (server, (Message) { .tag = STATUS }, -1, &reply, error))
    return FALSE;
  *status = *(PoolyStatus *) reply.data;
  return TRUE;
}
