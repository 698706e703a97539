/* A supervisor is a gen_server whose state is its children.
 *
 * It traps exits, so a child's end comes as a message, and everything is
 * decided in handlers, one after the other: whether the child is started
 * again, who else is stopped and started with it, whether that was once too
 * often.  What must wait for a turn of its own, the next attempt after a start
 * that failed, it casts to itself.
 *
 * While a handler starts or stops a child it waits, and so does everybody who
 * wants something of this supervisor: nobody sees a tree half built.
 */
#include "supervisor.h"

#include "children.h"
#include "scheduler.h"
#include "signals.h"

G_DEFINE_QUARK (supervisor-error-quark, supervisor_error)

typedef enum {
  START_CHILD = 1,
  TERMINATE_CHILD,
  RESTART_CHILD,
  DELETE_CHILD,
  WHICH_CHILDREN,
  TRY_AGAIN, /* to itself */
  DONE,      /* replies */
  REFUSED
} SupervisorMessage;

typedef struct {
  Strategy strategy;
  guint    max_restarts;
  guint    max_seconds;
  Children children;
  GQueue   restarts;   /* when, in the last max_seconds */
  guint    n_restarts; /* ever */
} Supervisor;

/* Starting again */

/* Returns: whether one more is allowed */
static gboolean
count_restart (Supervisor *self)
{
  gint64 now = scheduler_now ();
  gint64 begin = now - self->max_seconds * G_TIME_SPAN_SECOND;

  g_queue_push_tail (&self->restarts, GSIZE_TO_POINTER (now));
  while ((gint64) g_queue_peek_head (&self->restarts) < begin)
    g_queue_pop_head (&self->restarts);
  self->n_restarts++;
  return self->restarts.length <= self->max_restarts;
}

/* Returns: (nullable): the child that could not start */
static Child *
start_again (Supervisor *self, Child *child, GError **error)
{
  GList *before = child->link.prev;

  switch (self->strategy) {
  case STRATEGY_ONE_FOR_ALL:
    before = NULL;
    G_GNUC_FALLTHROUGH;
  case STRATEGY_REST_FOR_ONE:
    children_stop_after (&self->children, before);
    return children_start_after (&self->children, before, error);
  default:
    return children_start (&self->children, child, error) ? NULL : child;
  }
}

/* After a failure others have their turn before it is tried again: somebody
 * may want the child, or this supervisor, to stop. */
static void
restart (Supervisor *self, Child *child)
{
  g_autoptr (GError) error = NULL;
  Pid me = process_self ();

  if (!count_restart (self)) {
    g_message ("supervisor " PID_FORMAT " gives up after %u restarts in %u s",
               PID_ARGS (me), self->max_restarts, self->max_seconds);
    gen_server_stop (REASON_SHUTDOWN);
    return;
  }
  child = start_again (self, child, &error);
  if (child == NULL)
    return;
  g_info ("supervisor " PID_FORMAT " could not replace " PID_FORMAT ": %s",
          PID_ARGS (me), PID_ARGS (child->pid), error->message);
  child->state = RESTARTING;
  gen_server_cast (me, (Message) { .tag = TRY_AGAIN, .pid = child->pid });
}

static void
handle_exit (Supervisor *self, Child *child, Reason reason)
{
  Restart type = child->spec->restart;
  gboolean is_normal = reason == REASON_NORMAL || reason == REASON_SHUTDOWN;

  if (type == RESTART_TEMPORARY || (type == RESTART_TRANSIENT && is_normal)) {
    children_ended (&self->children, child);
    return;
  }
  g_info ("supervisor " PID_FORMAT ": child " PID_FORMAT " ended: %s",
          PID_ARGS (process_self ()), PID_ARGS (child->pid),
          g_quark_to_string (reason));
  child->state = STOPPED;
  restart (self, child);
}

/* Requests */

static void
refuse (GError **error, SupervisorError code, const char *id, const char *why)
{
  g_set_error (error, SUPERVISOR_ERROR, (int) code, "child %s %s", id, why);
}

static Child *
find (const Supervisor *self, const char *id, GError **error)
{
  Child *child = children_find (&self->children, id);

  if (self->children.model != NULL)
    refuse (error, SUPERVISOR_ERROR_SIMPLE_ONE_FOR_ONE, id, "has only a pid");
  else if (child == NULL)
    refuse (error, SUPERVISOR_ERROR_NOT_FOUND, id, "does not exist");
  return child;
}

static Child *
find_stopped (const Supervisor *self, const char *id, GError **error)
{
  Child *child = find (self, id, error);

  if (child == NULL || child->state == STOPPED)
    return child;
  if (child->state == RUNNING)
    refuse (error, SUPERVISOR_ERROR_RUNNING, id, "runs");
  else
    refuse (error, SUPERVISOR_ERROR_RESTARTING, id, "is being restarted");
  return NULL;
}

static Child *
add (Supervisor *self, Message *request, GError **error)
{
  Children *children = &self->children;
  const ChildSpec *spec = request->data;

  if (children->model != NULL && spec == NULL)
    return children_add (children, children->model);
  if (children->model != NULL)
    g_set_error (error, SUPERVISOR_ERROR, SUPERVISOR_ERROR_SIMPLE_ONE_FOR_ONE,
                 "the children of simple_one_for_one have a model");
  else if (!child_spec_check (spec, TRUE, error))
    return NULL;
  else if (children_find (children, spec->id) == NULL)
    return children_add (children, message_take_data (request));
  else
    refuse (error, SUPERVISOR_ERROR_EXISTS, spec->id, "exists");
  return NULL;
}

static void
handle_start_child (Supervisor *self, Message *request, Message *reply,
                    GError **error)
{
  Child *child = add (self, request, error);

  if (child == NULL)
    return;
  if (children_start (&self->children, child, error))
    reply->pid = child->pid;
  else
    children_forget (&self->children, child);
}

static void
handle_terminate_child (Supervisor *self, Message *request, GError **error)
{
  Child *child = request->data != NULL
                   ? find (self, request->data, error)
                   : children_find_pid (&self->children, request->pid);

  if (child != NULL)
    children_stop (&self->children, child);
  else if (process_is_alive (request->pid))
    g_set_error (error, SUPERVISOR_ERROR, SUPERVISOR_ERROR_NOT_FOUND,
                 PID_FORMAT " is not a child", PID_ARGS (request->pid));
}

static void
handle_restart_child (Supervisor *self, const char *id, Message *reply,
                      GError **error)
{
  Child *child = find_stopped (self, id, error);

  if (child != NULL && children_start (&self->children, child, error))
    reply->pid = child->pid;
}

static void
handle_delete_child (Supervisor *self, const char *id, GError **error)
{
  Child *child = find_stopped (self, id, error);

  if (child != NULL)
    children_forget (&self->children, child);
}

static void
info_clear (gpointer info)
{
  g_free (((ChildInfo *) info)->id);
}

/* The number beside them is that of the specifications. */
static void
handle_which_children (const Supervisor *self, Message *reply)
{
  gboolean is_simple = self->children.model != NULL;
  GArray *infos = g_array_new (FALSE, FALSE, sizeof (ChildInfo));

  g_array_set_clear_func (infos, info_clear);
  for (GList *l = self->children.list.head; l != NULL; l = l->next) {
    const Child *child = l->data;
    ChildInfo info = { .id = is_simple ? NULL : g_strdup (child->spec->id),
                       .pid = child->state == RUNNING ? child->pid : PID_NONE,
                       .is_restarting = child->state == RESTARTING,
                       .is_supervisor = child->spec->is_supervisor };

    g_array_append_val (infos, info);
  }
  reply->data = infos;
  reply->free_data = (GDestroyNotify) g_array_unref;
  reply->number = is_simple ? 1 : infos->len;
}

/* Callbacks */

/* A specification that was refused is freed before its sender hears of it. */
static void
handle_call (gpointer state, Message *request, From from)
{
  Message reply = { .tag = DONE };
  GError *error = NULL;

  switch ((SupervisorMessage) request->tag) {
  case START_CHILD:
    handle_start_child (state, request, &reply, &error);
    break;
  case TERMINATE_CHILD:
    handle_terminate_child (state, request, &error);
    break;
  case RESTART_CHILD:
    handle_restart_child (state, request->data, &reply, &error);
    break;
  case DELETE_CHILD:
    handle_delete_child (state, request->data, &error);
    break;
  case WHICH_CHILDREN:
    handle_which_children (state, &reply);
    break;
  default:
    return;
  }
  message_clear (request);
  if (error != NULL)
    reply = message_error (REFUSED, error);
  gen_server_reply (from, reply);
}

static void
handle_cast_or_info (gpointer state, Message *message)
{
  Supervisor *self = state;
  Child *child = children_find_pid (&self->children, message->pid);

  if (child == NULL)
    return;
  if (message->tag == PROCESS_EXIT && child->state == RUNNING)
    handle_exit (self, child, message->reason);
  else if (message->tag == TRY_AGAIN && child->state == RESTARTING)
    restart (self, child);
}

/* What happens to one child may, in the end, happen to all. */
static gboolean
is_short (gconstpointer state, const Message *message)
{
  const Supervisor *self = state;
  const ChildSpec *model = self->children.model;

  if (message->tag == WHICH_CHILDREN)
    return TRUE;
  if (message->tag == START_CHILD && (model != NULL || message->data != NULL))
    return child_spec_is_short (model != NULL ? model : message->data);
  return self->children.n_long == 0;
}

static gboolean
init (gpointer state, gconstpointer args, GError **error)
{
  Supervisor *self = state;

  /* What was the starter's is this process's now. */
  *self = *(const Supervisor *) args;
  *(Supervisor *) args = (Supervisor) { 0 };

  process_trap_exits (TRUE);
  if (children_start_after (&self->children, NULL, error) == NULL)
    return TRUE;
  children_stop_after (&self->children, NULL);
  return FALSE;
}

static void
terminate (gpointer state, Reason reason G_GNUC_UNUSED)
{
  Supervisor *self = state;

  children_stop_after (&self->children, NULL);
}

static void
finalize (gpointer state)
{
  Supervisor *self = state;

  children_clear (&self->children);
  g_queue_clear (&self->restarts);
}

static void
describe (gpointer state, GString *text)
{
  static const char *const names[] = { "one_for_one", "one_for_all",
                                       "rest_for_one", "simple_one_for_one" };
  const Supervisor *self = state;
  guint n = self->children.list.length;

  g_string_append_printf (text, "%s, %u %s", names[self->strategy], n,
                          n == 1 ? "child" : "children");
  if (self->n_restarts > 0)
    g_string_append_printf (text, ", %u %s", self->n_restarts,
                            self->n_restarts == 1 ? "restart" : "restarts");
}

/* region: class */
static const GenServerClass supervisor_class = {
  .name = "supervisor",
  .state_size = sizeof (Supervisor),
  .is_short = is_short,
  .init = init,
  .handle_call = handle_call,
  .handle_cast = handle_cast_or_info,
  .handle_info = handle_cast_or_info,
  .terminate = terminate,
  .finalize = finalize,
  .describe = describe,
  .messages = "START_CHILD TERMINATE_CHILD RESTART_CHILD DELETE_CHILD "
              "WHICH_CHILDREN TRY_AGAIN DONE REFUSED",
};
/* end */

/* Clients */

typedef Pid (*StartServer) (const GenServerClass *klass, const char *name,
                            gconstpointer args, GError **error);

static Pid
start (StartServer start_server, const SupervisorSpec *spec, GError **error)
{
  gboolean has_limit = spec->max_restarts > 0 || spec->max_seconds > 0;
  Supervisor self = { .strategy = spec->strategy,
                      .max_restarts = has_limit ? spec->max_restarts
                                                : SUPERVISOR_MAX_RESTARTS,
                      .max_seconds = spec->max_seconds > 0
                                       ? spec->max_seconds
                                       : SUPERVISOR_MAX_SECONDS };
  Pid pid = PID_NONE;

  children_init (&self.children);
  if (children_take (&self.children, spec, error))
    pid = start_server (&supervisor_class, spec->name, &self, error);
  finalize (&self);
  return pid;
}

Pid
supervisor_start_link (const SupervisorSpec *spec, GError **error)
{
  return start (gen_server_start_link, spec, error);
}

Pid
supervisor_start (const SupervisorSpec *spec, GError **error)
{
  return start (gen_server_start, spec, error);
}

void
supervisor_stop (Pid supervisor, int timeout_ms)
{
  if (gen_server_stop_sync (supervisor, REASON_SHUTDOWN, timeout_ms, NULL))
    return;
  process_exit (supervisor, REASON_KILL);
  process_wait_end (supervisor, -1);
}

/* For ever, as in OTP: a child may take its time. */
static Message
ask (Pid supervisor, Message request, GError **error)
{
  Message reply;

  if (gen_server_call (supervisor, request, -1, &reply, error)
      && reply.tag == REFUSED)
    g_propagate_error (error, message_take_data (&reply));
  return reply;
}

static Message
ask_by_id (Pid supervisor, int tag, const char *id, GError **error)
{
  Message request = { .tag = tag, .data = g_strdup (id), .free_data = g_free };

  g_return_val_if_fail (id != NULL, (Message) { 0 });

  return ask (supervisor, request, error);
}

Pid
supervisor_start_child (Pid supervisor, const ChildSpec *spec, GError **error)
{
  Message request = { .tag = START_CHILD, .free_data = child_spec_free };

  if (spec != NULL)
    request.data = child_spec_take (spec);
  return ask (supervisor, request, error).pid;
}

gboolean
supervisor_terminate_child (Pid supervisor, const char *id, GError **error)
{
  return ask_by_id (supervisor, TERMINATE_CHILD, id, error).tag == DONE;
}

gboolean
supervisor_terminate_pid (Pid supervisor, Pid pid, GError **error)
{
  Message request = { .tag = TERMINATE_CHILD, .pid = pid };

  return ask (supervisor, request, error).tag == DONE;
}

Pid
supervisor_restart_child (Pid supervisor, const char *id, GError **error)
{
  return ask_by_id (supervisor, RESTART_CHILD, id, error).pid;
}

gboolean
supervisor_delete_child (Pid supervisor, const char *id, GError **error)
{
  return ask_by_id (supervisor, DELETE_CHILD, id, error).tag == DONE;
}

GArray *
supervisor_which_children (Pid supervisor, GError **error)
{
  return ask (supervisor, (Message) { .tag = WHICH_CHILDREN }, error).data;
}

gboolean
supervisor_count_children (Pid supervisor, ChildCount *count, GError **error)
{
  Message reply = ask (supervisor, (Message) { .tag = WHICH_CHILDREN }, error);
  g_autoptr (GArray) infos = reply.data;

  *count = (ChildCount) { .n_specs = (guint) reply.number };
  for (guint i = 0; infos != NULL && i < infos->len; i++) {
    const ChildInfo *info = &g_array_index (infos, ChildInfo, i);

    count->n_active += process_is_alive (info->pid);
    count->n_supervisors += info->is_supervisor;
    count->n_workers += !info->is_supervisor;
  }
  return infos != NULL;
}
