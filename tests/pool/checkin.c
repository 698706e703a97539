/* Giving a worker back: only who has it can do that. */
#include "scenarios.h"
#include "task.h"

void
test_checkin_twice_is_ignored (void)
{
  Pid worker;

  face_start (2);
  worker = take ();
  face_checkin (worker);
  face_checkin (worker);
  assert_status (2, 0);
  g_assert_cmpuint (take (), !=, take ());
  assert_not_taken (POOLY_ERROR_FULL);
  pooly_stop ();
  test_end ();
}

/* What runs on a thread of its own, to be another process. */

static gpointer
take_it (gpointer worker)
{
  *(Pid *) worker = take ();
  return NULL;
}

static gpointer
check_it_in (gpointer worker)
{
  face_checkin (*(Pid *) worker);
  return NULL;
}

typedef struct {
  Pid  worker;
  Door door;
} Consumer;

static gpointer
take_and_stand (gpointer data)
{
  Consumer *consumer = data;

  consumer->worker = take ();
  door_stand (&consumer->door);
  return NULL;
}

/* Who once had the worker has no claim to it now. */
void
test_checkin_after_it_was_lent_again_is_ignored (void)
{
  static Consumer other;
  GThread *thread;
  Pid worker;

  face_start (1);
  worker = take ();
  face_checkin (worker);
  thread = g_thread_new ("consumer", take_and_stand, &other);
  gate_wait (&other.door.entered);
  g_assert_cmpuint (other.worker, ==, worker);

  face_checkin (worker);
  assert_status (0, 1);
  assert_not_taken (POOLY_ERROR_FULL);
  gate_open (&other.door.leave);
  g_thread_join (thread);
  pooly_stop ();
  test_end ();
}

void
test_checkin_of_no_worker_is_ignored (void)
{
  Pid no_workers[4] = { PID_NONE, process_self () };

  face_start (2);
  take ();
  no_workers[2] = process_whereis (FACE_SERVER);
  no_workers[3] = process_whereis (FACE_WORKER_SUPERVISOR);
  for (guint i = 0; i < G_N_ELEMENTS (no_workers); i++) {
    face_checkin (no_workers[i]);
    assert_status (1, 1);
  }
  take ();
  assert_not_taken (POOLY_ERROR_FULL);
  pooly_stop ();
  test_end ();
}

void
test_checkin_of_an_earlier_pool_is_ignored (void)
{
  Pid worker;

  face_start (1);
  worker = take ();
  pooly_stop ();
  face_start (1);
  g_assert_cmpuint (take (), !=, worker);
  face_checkin (worker);
  assert_status (0, 1);
  pooly_stop ();
  test_end ();
}

void
test_checkin_by_a_thread_is_ignored (void)
{
  Pid worker;

  face_start (2);
  worker = take ();
  run_threads (1, check_it_in, &worker);
  assert_status (1, 1);
  face_checkin (worker);
  assert_status (2, 0);
  pooly_stop ();
  test_end ();
}

void
test_checkin_by_a_task_is_ignored (void)
{
  g_autoptr (Task) task = NULL;
  Pid worker;

  face_start (2);
  worker = take ();
  task = task_async (check_it_in, &worker, NULL, NULL);
  g_assert_true (task_await (task, test_limit (), NULL, NULL));
  assert_status (1, 1);
  face_checkin (worker);
  assert_status (2, 0);
  pooly_stop ();
  test_end ();
}

/* A server that is a consumer.  It is short, so its handler runs on the thread
 * that calls it; and yet it is a process of its own. */

enum { TAKE = 1, CHECK_IN, DONE };

static void
consumer_handle_call (gpointer state G_GNUC_UNUSED, Message *request, From from)
{
  Message reply = { .tag = DONE };

  if (request->tag == TAKE)
    take_it (&reply.pid);
  else
    check_it_in (&request->pid);
  gen_server_reply (from, reply);
}

static gboolean
consumer_is_short (gconstpointer state G_GNUC_UNUSED,
                   const Message *message G_GNUC_UNUSED)
{
  return TRUE;
}

static const GenServerClass consumer_class = {
  .name = "Consumer",
  .is_short = consumer_is_short,
  .handle_call = consumer_handle_call,
};

void
test_checkin_by_a_server_is_ignored (void)
{
  Pid server = gen_server_start (&consumer_class, NULL, NULL, NULL), worker;

  face_start (2);
  worker = take ();
  test_call (server, (Message) { .tag = CHECK_IN, .pid = worker });
  assert_status (1, 1);
  face_checkin (worker);
  assert_status (2, 0);
  kill_and_wait (server);
  pooly_stop ();
  test_end ();
}

void
test_checkin_of_a_server_s_own (void)
{
  Pid server = gen_server_start (&consumer_class, NULL, NULL, NULL), worker;

  face_start (2);
  worker = test_call (server, (Message) { .tag = TAKE }).pid;
  face_checkin (worker);
  assert_status (1, 1);
  test_call (server, (Message) { .tag = CHECK_IN, .pid = worker });
  assert_status (2, 0);
  kill_and_wait (server);
  pooly_stop ();
  test_end ();
}

void
test_checkin_without_pool_is_ignored (void)
{
  Pid worker;

  face_checkin (PID_NONE);
  face_start (1);
  worker = take ();
  pooly_stop ();
  face_checkin (worker);
  test_end ();
}

#define MB (1024 * 1024)

/* Who lives long borrows often, and is watched only while it has something. */
void
test_checkin_leaves_nothing_behind (void)
{
  guint n_loans = test_scaled (50000);
  gint64 before = 0;

  face_start (1);
  for (guint i = 0; i < n_loans; i++) {
    if (i == n_loans / 2)
      before = test_resident_bytes ();
    face_checkin (take ());
  }
  g_assert_cmpint (test_resident_bytes () - before, <, MB / 2);
  pooly_stop ();
  test_end ();
}
