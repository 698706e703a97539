/* Stopping a pool.  When pooly_stop() returns, everything is freed. */
#include "scenarios.h"

static Lives lives;

static void
check_stop (const GenServerClass *worker)
{
  lives = (Lives) { 0 };
  start_pool (worker, &lives, 10);
  take ();
  take ();
  pooly_stop ();
  assert_lives (&lives, 10);
  assert_nothing_is_left ();
}

/* The lent ones, too. */
void
test_stop_ends_every_worker_once (void)
{
  check_stop (&mortal_class);
  check_stop (&short_mortal_class);
  test_end ();
}

/* Whoever waits for it is told. */
void
test_stop_ends_a_worker_at_work (void)
{
  Work work;

  face_start (2);
  work_begin (&work, take (), G_MAXINT);
  pooly_stop ();
  work_end (&work);
  g_assert_false (work.is_done);
  g_assert_error (work.error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_clear_error (&work.error);
  assert_nothing_is_left ();
  test_end ();
}

/* A worker that stands in a door. */

static Door door;
static gint is_over; /* atomic */

static void
stand (gpointer state G_GNUC_UNUSED, Message *request G_GNUC_UNUSED)
{
  door_stand (&door);
}

static void
be_over (gpointer state G_GNUC_UNUSED)
{
  g_atomic_int_set (&is_over, TRUE);
}

static const GenServerClass standing_class = {
  .name = "Standing",
  .handle_cast = stand,
  .finalize = be_over,
};

/* The tree has ended by then; a stop that did not wait has time to return. */
static gpointer
open_when_top_has_ended (gpointer top)
{
  g_assert_true (process_wait_end (*(Pid *) top, test_limit ()));
  g_assert_cmpuint (process_wait_gone (20, NULL), >=, 1);
  gate_open (&door.leave);
  return NULL;
}

/* A handler can't be killed: its worker is freed when it has returned. */
void
test_stop_waits_for_a_handler (void)
{
  GThread *thread;
  Pid top;

  start_pool (&standing_class, NULL, 1);
  top = process_whereis (FACE_TOP);
  gen_server_cast (take (), (Message) { .tag = 1 });
  gate_wait (&door.entered);
  thread = g_thread_new ("opener", open_when_top_has_ended, &top);
  pooly_stop ();
  g_assert_true (g_atomic_int_get (&is_over));
  g_thread_join (thread);
  test_end ();
}

void
test_stop_without_pool (void)
{
  pooly_stop ();
  face_start (1);
  pooly_stop ();
  pooly_stop ();
  test_end ();
}

void
test_stop_and_start_again (void)
{
  guint n_pools = test_scaled (200);

  lives = (Lives) { 0 };
  for (guint i = 0; i < n_pools; i++) {
    start_pool (&mortal_class, &lives, 3);
    assert_status (3, 0);
    take ();
    assert_status (2, 1);
    pooly_stop ();
  }
  assert_lives (&lives, (gint) (3 * n_pools));
  test_end ();
}

static gpointer
start_and_stop (gpointer data G_GNUC_UNUSED)
{
  for (guint i = test_scaled (100); i > 0; i--) {
    g_autoptr (GError) error = NULL;

    if (!face_start_with (&mortal_class, &lives, 2, &error))
      g_assert_cmpuint (error->domain, ==, POOLY_ERROR);
    pooly_stop ();
  }
  return NULL;
}

/* Some starts fail; nothing is left of those, either. */
void
test_stop_and_start_by_many (void)
{
  lives = (Lives) { 0 };
  run_threads (4, start_and_stop, NULL);
  assert_nothing_is_left ();
  assert_lives (&lives, g_atomic_int_get (&lives.n_begun));
  test_end ();
}

/* A check-out ends, in a worker or in an error, whatever becomes of the
 * pool. */
void
test_stop_under_load (void)
{
  load_begin ();
  for (guint i = 0; i < 10; i++) {
    guint n_lent = load_count ();

    face_start (2);
    wait_until (load_count () > n_lent + 10);
    pooly_stop ();
  }
  load_end ();
  assert_not_taken (POOLY_ERROR_DOWN);
  test_end ();
}
