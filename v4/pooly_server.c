/* Has pools started and stopped, by those whose work that is.
 *
 * It keeps no books on them: what there is, the supervisor of the pools knows.
 * A server that knows little can't lose much.
 */
#include "internal.h"
#include "names.h"

/* clang-format off */
typedef enum {
  START_POOLS = 1, READY, START_POOL, STOP_POOL, /* requests */
  OK, FAILED                                     /* replies */
} PoolyMessage;
/* clang-format on */

/* region: state */
typedef struct {
  GPtrArray *configs; /* PoolyConfig, the pools to begin with */
  GError    *error;   /* why the first of those could not start */
} PoolyServer;
/* end */

/* region: init */
static gboolean
init (gpointer state, gconstpointer configs, GError **error G_GNUC_UNUSED)
{
  PoolyServer *self = state;

  self->configs = g_ptr_array_ref ((GPtrArray *) configs);
  process_send (process_self (), (Message) { .tag = START_POOLS });
  return TRUE;
}
/* end */

static Pid
pools_supervisor (void)
{
  return process_whereis ("Pooly.PoolsSupervisor");
}

/* region: stop-pool */
static gboolean
stop_pool (const char *name, GError **error)
{
  g_autoptr (GError) why = NULL;

  if (supervisor_terminate_child (pools_supervisor (), name, &why)
      && supervisor_delete_child (pools_supervisor (), name, &why)) {
    registry_stop (name);
    return TRUE;
  }
  if (g_error_matches (why, SUPERVISOR_ERROR, SUPERVISOR_ERROR_NOT_FOUND))
    g_set_error (error, POOLY_ERROR, POOLY_ERROR_NO_SUCH_POOL,
                 "there is no pool %s", name);
  else
    g_set_error (error, POOLY_ERROR, POOLY_ERROR_DOWN,
                 "pool %s can't be stopped: %s", name, why->message);
  return FALSE;
}
/* end */

static void
set_start_error (GError **error, const char *name, const GError *why)
{
  gboolean is_taken = g_error_matches (why, SUPERVISOR_ERROR,
                                       SUPERVISOR_ERROR_EXISTS)
                      || g_error_matches (why, NAMES_ERROR, NAMES_ERROR_TAKEN);

  g_set_error (error, POOLY_ERROR,
               is_taken ? POOLY_ERROR_EXISTS : POOLY_ERROR_DOWN,
               "pool %s can't start: %s", name, why->message);
}

/* region: start-pool */
static gboolean
start_pool (const PoolyConfig *config, GError **error)
{
  ChildSpec spec = { .id = config->name,
                     .start = pool_supervisor_start_link,
                     .args = registry_keep (config),
                     .free_args = registry_forget,
                     .is_supervisor = TRUE };
  g_autoptr (GError) why = NULL;

  if (supervisor_start_child (pools_supervisor (), &spec, &why) == PID_NONE) {
    set_start_error (error, config->name, why);
    return FALSE;
  }
  return TRUE;
}
/* end */

/* @error: (transfer full) (nullable) */
static void
reply (From from, GError *error)
{
  gen_server_reply (from, error == NULL ? (Message) { .tag = OK }
                                        : message_error (FAILED, error));
}

/* region: handle-start-pools */
/* When somebody dies over it, so does this server: then all are started anew.  A
 * pool that can't start does not keep the others from starting. */
static void
handle_start_pools (PoolyServer *self)
{
  for (guint i = 0; i < self->configs->len; i++) {
    g_autoptr (GError) error = NULL;

    if (start_pool (self->configs->pdata[i], &error))
      continue;
    if (g_error_matches (error, POOLY_ERROR, POOLY_ERROR_DOWN)) {
      gen_server_stop (g_quark_from_static_string ("pool_down"));
      return;
    }
    if (self->error == NULL)
      self->error = g_steal_pointer (&error);
  }
}
/* end */

static void
handle_ready (PoolyServer *self, From from)
{
  GError *error = self->error != NULL ? g_error_copy (self->error) : NULL;

  for (guint i = 0; i < self->configs->len && error == NULL; i++) {
    const PoolyConfig *config = self->configs->pdata[i];

    pool_server_ready (registry_find (config->name), &error);
  }
  reply (from, error);
}

/* region: handle-start-pool */
static void
handle_start_pool (const PoolyConfig *config, From from)
{
  GError *error = NULL;

  if (start_pool (config, &error)
      && !pool_server_ready (registry_find (config->name), &error))
    stop_pool (config->name, NULL);
  reply (from, error);
}
/* end */

static void
handle_stop_pool (const char *name, From from)
{
  GError *error = NULL;

  stop_pool (name, &error);
  reply (from, error);
}

static void
handle_call (gpointer state, Message *request, From from)
{
  switch (request->tag) {
  case READY:
    handle_ready (state, from);
    break;
  case START_POOL:
    handle_start_pool (request->data, from);
    break;
  case STOP_POOL:
    handle_stop_pool (request->data, from);
    break;
  default:
    g_info ("Pooly.Server: unknown call %d", request->tag);
    break;
  }
}

static void
handle_info (gpointer state, Message *message)
{
  if (message->tag == START_POOLS)
    handle_start_pools (state);
}

static void
finalize (gpointer state)
{
  PoolyServer *self = state;

  g_clear_pointer (&self->configs, g_ptr_array_unref);
  g_clear_error (&self->error);
}

static const GenServerClass pooly_server_class = {
  .name = "PoolyServer",
  .state_size = sizeof (PoolyServer),
  .init = init,
  .handle_call = handle_call,
  .handle_info = handle_info,
  .finalize = finalize,
  .messages = "START_POOLS READY START_POOL STOP_POOL OK FAILED",
};

Pid
pooly_server_start_link (gconstpointer configs, GError **error)
{
  await_orphan ("Pooly.Server");
  return gen_server_start_link (&pooly_server_class, "Pooly.Server", configs,
                                error);
}

/* The client half. */

static gboolean
ask (Pid server, Message request, GError **error)
{
  g_autoptr (GError) call_error = NULL;
  g_auto (Message) reply = { 0 };

  if (!gen_server_call (server, request, -1, &reply, &call_error)) {
    g_set_error (error, POOLY_ERROR, POOLY_ERROR_DOWN, "Pooly is not there: %s",
                 call_error->message);
    return FALSE;
  }
  if (reply.tag == FAILED)
    g_propagate_error (error, message_take_data (&reply));
  return reply.tag == OK;
}

gboolean
pooly_server_ready (Pid server, GError **error)
{
  return ask (server, (Message) { .tag = READY }, error);
}

gboolean
pooly_server_start_pool (Pid server, const PoolyConfig *config, GError **error)
{
  Message request = { .tag = START_POOL,
                      .data = config_copy (config),
                      .free_data = config_free };

  return ask (server, request, error);
}

gboolean
pooly_server_stop_pool (Pid server, const char *name, GError **error)
{
  Message request = { .tag = STOP_POOL,
                      .data = g_strdup (name),
                      .free_data = g_free };

  return ask (server, request, error);
}
