#include "several.h"

#if POOLY_VERSION >= 3

/* STARTING AND STOPPING */

PoolyConfig
mortals (const char *name, Lives *lives)
{
  return (PoolyConfig) {
    .name = name, .worker = &mortal_class, .args = lives, .size = POOL_SIZE
  };
}

void
start_mortals (const char *const *names, Lives *lives)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) configs = g_array_new (FALSE, FALSE, sizeof (PoolyConfig));

  *lives = (Lives) { 0 };
  for (; *names != NULL; names++) {
    PoolyConfig config = mortals (*names, lives);

    g_array_append_val (configs, config);
  }
  pooly_start_pools ((const PoolyConfig *) (gpointer) configs->data,
                     configs->len, &error);
  g_assert_no_error (error);
}

void
start_more (const char *name, Lives *lives)
{
  g_autoptr (GError) error = NULL;
  PoolyConfig config = mortals (name, lives);

  pooly_start_pool (&config, &error);
  g_assert_no_error (error);
}

void
stop_mortals (const Lives *lives)
{
  pooly_stop ();
  assert_nothing_is_left ();
  assert_lives (lives, g_atomic_int_get (&lives->n_begun));
}

/* WORKERS */

gboolean
init_trapping (gpointer state G_GNUC_UNUSED, gconstpointer args G_GNUC_UNUSED,
               GError **error G_GNUC_UNUSED)
{
  process_trap_exits (TRUE);
  return TRUE;
}

Door standing_door;
static gint n_begun; /* atomic */

static gboolean
stand_at_second (gpointer state G_GNUC_UNUSED, gconstpointer args G_GNUC_UNUSED,
                 GError **error G_GNUC_UNUSED)
{
  if (g_atomic_int_add (&n_begun, 1) == 1)
    door_stand (&standing_door);
  return TRUE;
}

const GenServerClass standing_class = { .name = "Standing",
                                        .init = stand_at_second };

/* WHO BELONGS TO A POOL */

Pid
find_part (const char *pool, const char *part)
{
  g_autofree char *name = g_strconcat (pool, part, NULL);

  return process_whereis (name);
}

Family
get_family (const char *pool)
{
  Family family = { .supervisor = find_part (pool, "Supervisor"),
                    .server = find_part (pool, "Server"),
                    .worker_supervisor = find_part (pool, "WorkerSupervisor") };
  g_autoptr (GArray) workers = supervisor_which_children (
    family.worker_supervisor, NULL);

  if (workers != NULL)
    for (guint i = 0; i < MIN (workers->len, POOL_SIZE); i++)
      family.workers[i] = g_array_index (workers, ChildInfo, i).pid;
  return family;
}

static Pid
find_child (Pid supervisor, const char *id)
{
  g_autoptr (GArray) children = supervisor_which_children (supervisor, NULL);

  for (guint i = 0; children != NULL && i < children->len; i++)
    if (g_str_equal (g_array_index (children, ChildInfo, i).id, id))
      return g_array_index (children, ChildInfo, i).pid;
  return PID_NONE;
}

/* Whether each is the one its supervisor knows: not one whose supervisor has
 * been killed and who has not heard of it yet. */
static gboolean
is_supervised (const char *pool, const Family *family)
{
  Pid top = process_whereis (FACE_TOP), pools;

  pools = find_child (top, "PoolsSupervisor");
  return pools != PID_NONE && find_child (top, "Server") != PID_NONE
         && family->supervisor != PID_NONE && family->server != PID_NONE
         && family->worker_supervisor != PID_NONE
         && find_child (pools, pool) == family->supervisor
         && find_child (family->supervisor, "Server") == family->server
         && find_child (family->supervisor, "WorkerSupervisor")
              == family->worker_supervisor
         && registry_find (pool) == family->server;
}

void
assert_is_complete (const char *pool)
{
  Family family = get_family (pool);
  g_autofree char *name = process_get_name (family.worker_supervisor);

  g_assert_true (is_supervised (pool, &family));
  g_assert_cmpuint (count_children (name), ==, POOL_SIZE);
  g_assert_cmpuint (process_whereis ("Pooly.PoolsSupervisor"), !=, PID_NONE);
  g_assert_cmpuint (process_whereis ("Pooly.Server"), !=, PID_NONE);
  for (guint i = 0; i < POOL_SIZE; i++)
    g_assert_true (process_is_alive (family.workers[i]));
}

/* ASKING A POOL */

Pid
take_from_at (const char *pool, const char *file, int line, const char *func)
{
  g_autoptr (GError) error = NULL;
  Pid worker = pooly_checkout (pool, &error);

  if (error != NULL)
    g_assertion_message_error (G_LOG_DOMAIN, file, line, func, "no worker",
                               error, 0, 0);
  return worker;
}

void
assert_serves (const char *pool)
{
  PoolyStatus earlier;
  Family family;
  Pid workers[POOL_SIZE];

  g_assert_true (pooly_status (pool, &earlier, NULL)); /* has heard all now */
  family = get_family (pool);
  for (guint i = 0; i < POOL_SIZE; i++) {
    workers[i] = take_from (pool);
    g_assert_true (is_among (workers[i], family.workers, POOL_SIZE));
    g_assert_false (is_among (workers[i], workers, i));
    g_assert_true (process_is_alive (workers[i]));
  }
  assert_not_taken_from (pool, POOLY_ERROR_FULL);
  for (guint i = 0; i < POOL_SIZE; i++)
    pooly_checkin (pool, workers[i]);
  assert_status_of (pool, POOL_SIZE, 0);
}

void
assert_is_no_pool (const char *pool)
{
  Family family = get_family (pool), none = { 0 };
  g_autoptr (GError) error = NULL;
  PoolyStatus status;

  assert_not_taken_from (pool, POOLY_ERROR_NO_SUCH_POOL);
  g_assert_false (pooly_status (pool, &status, &error));
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_NO_SUCH_POOL);
  pooly_checkin (pool, process_self ());
  g_assert_cmpmem (&family, sizeof family, &none, sizeof none);
  g_assert_cmpuint (registry_find (pool), ==, PID_NONE);
}

gboolean
is_whole (const char *pool)
{
  g_autoptr (GError) error = NULL;
  PoolyStatus status = { 0 };

  if (pooly_status (pool, &status, &error)) {
    Family family = get_family (pool);

    return status.idle + status.busy == POOL_SIZE
           && is_supervised (pool, &family);
  }
  if (!g_error_matches (error, POOLY_ERROR, POOLY_ERROR_NO_SUCH_POOL))
    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_DOWN);
  return FALSE;
}

/* LOAD */

/* One that was named at the start may be down, but is never unknown. */
static gboolean
may_fail_so_at (const char *pool, const GError *error)
{
  return g_strv_contains (POOLS, pool) ? may_fail_so (error)
                                       : may_be_unknown (error);
}

static gboolean
ask_worker (Load *load, Pid worker)
{
  g_autoptr (GError) error = NULL;
  Message reply = { 0 };

  if (gen_server_call (worker, (Message) { .tag = 1 }, -1, &reply, &error)) {
    g_assert_cmpint (reply.tag, ==, LIVES_ANSWER);
    return TRUE;
  }
  if (!load->may_fail)
    g_assert_no_error (error);
  return FALSE;
}

static void
borrow_once (Load *load)
{
  g_autoptr (GError) error = NULL;
  Pid worker = pooly_checkout (load->pool, &error);

  if (worker == PID_NONE) {
    if (!load->may_fail || !may_fail_so_at (load->pool, error))
      g_assert_error (error, POOLY_ERROR, POOLY_ERROR_FULL);
    return;
  }
  if (ask_worker (load, worker))
    g_atomic_int_inc (&load->n_served);
  pooly_checkin (load->pool, worker);
}

static gpointer
borrow (gpointer data)
{
  Load *load = data;

  while (!g_atomic_int_get (&load->is_over))
    borrow_once (load);
  return NULL;
}

void
load_pool (Load *load, const char *pool, gboolean may_fail)
{
  *load = (Load) { .pool = pool, .may_fail = may_fail };
  for (guint i = 0; i < G_N_ELEMENTS (load->consumers); i++)
    load->consumers[i] = g_thread_new ("consumer", borrow, load);
}

void
load_finish (Load *load)
{
  g_atomic_int_set (&load->is_over, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (load->consumers); i++)
    g_thread_join (load->consumers[i]);
}

void
load_wait_served (Load *load)
{
  gint n_served = g_atomic_int_get (&load->n_served);

  wait_until (g_atomic_int_get (&load->n_served) >= n_served + 10);
}

#endif
