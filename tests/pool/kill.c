/* Killing by name: what the tree of supervisors heals, and what it does not. */
#include "scenarios.h"

#define SIZE 3

/* It has its name before it has begun. */
static gboolean
is_back (Pid old_server)
{
  Pid server = process_whereis (FACE_SERVER);
  PoolyStatus status;

  return server != PID_NONE && server != old_server
         && face_status (&status, NULL);
}

/* One for all: server, worker supervisor and workers are new, and nobody has
 * one of them. */
void
test_kill_server_comes_back_fresh (void)
{
  Pid server, worker_supervisor, workers[SIZE];

  face_start (SIZE);
  server = process_whereis (FACE_SERVER);
  worker_supervisor = process_whereis (FACE_WORKER_SUPERVISOR);
  for (guint i = 0; i < SIZE; i++)
    workers[i] = take ();
  kill_and_wait (server);
  wait_until (is_back (server));
  assert_status (SIZE, 0);

  g_assert_cmpuint (process_whereis (FACE_WORKER_SUPERVISOR), !=, PID_NONE);
  g_assert_false (process_is_alive (worker_supervisor));
  for (guint i = 0; i < SIZE; i++) {
    g_assert_false (process_is_alive (workers[i]));
    face_checkin (workers[i]);
    assert_status (SIZE, 0);
  }
  for (guint i = 0; i < SIZE; i++)
    g_assert_true (process_is_alive (take ()));
  assert_status (0, SIZE);
  pooly_stop ();
  test_end ();
}

/* While the pool is not there a call says DOWN; when it is, it is whole. */
static gboolean
is_whole (void)
{
  g_autoptr (GError) error = NULL;
  PoolyStatus status = { 0 };

  if (!face_status (&status, &error)) {
    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_DOWN);
    return FALSE;
  }
  g_assert_cmpuint (status.idle + status.busy, ==, SIZE);
  return TRUE;
}

/* Again and again, but not more often than the tree of one pool allows. */
void
test_kill_server_under_load (void)
{
  guint n_pools = test_scaled (10);

  load_begin ();
  for (guint i = 0; i < n_pools; i++) {
    face_start (SIZE);
    for (guint n_kills = 0; n_kills < 3; n_kills++) {
      guint n_lent = load_count ();

      kill_and_wait (process_whereis (FACE_SERVER));
      wait_until (is_whole ());
      wait_until (load_count () > n_lent + 10);
    }
    pooly_stop ();
  }
  load_end ();
  test_end ();
}

/* A worker whose init stands in a door. */

static Door door;

static gboolean
init (gpointer state G_GNUC_UNUSED, gconstpointer args G_GNUC_UNUSED,
      GError **error G_GNUC_UNUSED)
{
  door_stand (&door);
  return TRUE;
}

static const GenServerClass standing_class = { .name = "Standing",
                                               .init = init };

static gpointer
start_standing (gpointer data G_GNUC_UNUSED)
{
  GError *error = NULL;

  g_assert_false (face_start_with (&standing_class, NULL, SIZE, &error));
  return error;
}

static gpointer
check_out (gpointer data G_GNUC_UNUSED)
{
  GError *error = NULL;

  g_assert_cmpuint (face_checkout (&error), ==, PID_NONE);
  return error;
}

/* Both the start that waits and a check-out that waits hear of it. */
void
test_kill_server_while_it_starts_workers (void)
{
  g_autoptr (GError) start_error = NULL, checkout_error = NULL;
  GThread *starter, *consumer;
  Pid server;

  starter = g_thread_new ("starter", start_standing, NULL);
  gate_wait (&door.entered);
  server = process_whereis (FACE_SERVER);
  consumer = g_thread_new ("consumer", check_out, NULL);
  test_wait_messages (server, 2);

  kill_and_wait (server);
  checkout_error = g_thread_join (consumer);
  g_assert_error (checkout_error, POOLY_ERROR, POOLY_ERROR_DOWN);
  gate_open (&door.leave);
  start_error = g_thread_join (starter);
  g_assert_error (start_error, POOLY_ERROR, POOLY_ERROR_DOWN);
  assert_nothing_is_left ();
  test_end ();
}

/* Nobody is above it to start it again; but the program can. */
void
test_kill_top_leaves_nothing (void)
{
  g_autoptr (GArray) list = NULL;

  face_start (SIZE);
  take ();
  list = process_list ();
  process_exit (process_whereis (FACE_TOP), REASON_KILL);
  for (guint i = 0; i < list->len; i++) {
    Pid pid = g_array_index (list, ProcessInfo, i).pid;

    if (pid != process_self ())
      g_assert_true (process_wait_end (pid, test_limit ()));
  }
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  assert_nothing_is_left ();
  assert_not_taken (POOLY_ERROR_DOWN);

  face_start (SIZE);
  assert_status (SIZE, 0);
  pooly_stop ();
  test_end ();
}
