/* A consumer dies: what it had comes back, and nothing else does. */
#include "scenarios.h"
#include "task.h"

#define SIZE 5

typedef struct {
  Pid   test;
  guint n_workers; /* how many it takes */
  Pid   workers[SIZE];
} Consumer;

static gpointer
take_some (gpointer data)
{
  Consumer *consumer = data;

  for (guint i = 0; i < consumer->n_workers; i++)
    consumer->workers[i] = take ();
  return NULL;
}

/* How to live as a consumer, and how to end.  When such a function returns, all
 * who watch have been told. */

static void
live_as_thread (Consumer *consumer)
{
  run_threads (1, take_some, consumer);
}

static void
live_as_task (Consumer *consumer)
{
  g_autoptr (Task) task = task_async (take_some, consumer, NULL, NULL);

  g_assert_true (task_await (task, test_limit (), NULL, NULL));
}

static void
take_and_return (gpointer consumer)
{
  take_some (consumer);
}

static void
take_and_exit (gpointer consumer)
{
  take_some (consumer);
  process_exit (process_self (), crash ());
}

static void
live_as_process (ProcessFunc func, Consumer *consumer)
{
  Pid pid = process_spawn (func, consumer, NULL);

  g_assert_true (process_wait_end (pid, test_limit ()));
}

static void
live_and_return (Consumer *consumer)
{
  live_as_process (take_and_return, consumer);
}

static void
live_and_exit (Consumer *consumer)
{
  live_as_process (take_and_exit, consumer);
}

enum { TAKEN = 1 };

static void
take_and_wait (gpointer data)
{
  Consumer *consumer = data;
  Pid test = consumer->test;
  Message message;

  take_some (consumer);
  process_send (test, (Message) { .tag = TAKEN });
  process_receive (&message, -1);
}

static void
live_and_be_killed (Consumer *consumer)
{
  Pid pid = process_spawn (take_and_wait, consumer, NULL);

  test_receive (TAKEN);
  kill_and_wait (pid);
}

static void
take_and_stop (gpointer state G_GNUC_UNUSED, Message *request)
{
  take_some (request->data);
  gen_server_stop (crash ());
}

static const GenServerClass consumer_class = {
  .name = "Consumer",
  .handle_cast = take_and_stop,
};

static void
live_as_server (Consumer *consumer)
{
  Pid pid = gen_server_start (&consumer_class, NULL, NULL, NULL);

  gen_server_cast (pid, (Message) { .tag = 1, .data = consumer });
  g_assert_true (process_wait_end (pid, test_limit ()));
}

/* The workers themselves come back: they have done nothing wrong. */
static void
check_come_back (void (*live) (Consumer *consumer), guint n_workers)
{
  Consumer consumer = { .test = process_self (), .n_workers = n_workers };
  Pid workers[SIZE];

  face_start (SIZE);
  live (&consumer);
  assert_status (SIZE, 0);
  take_all (workers, SIZE);
  for (guint i = 0; i < n_workers; i++)
    g_assert_true (is_among (consumer.workers[i], workers, SIZE));
  pooly_stop ();
}

static void
check_one_and_all (void (*live) (Consumer *consumer))
{
  check_come_back (live, 1);
  check_come_back (live, SIZE);
  test_end ();
}

void
test_consumer_death_thread_ends (void)
{
  check_one_and_all (live_as_thread);
}

void
test_consumer_death_task_returns (void)
{
  check_one_and_all (live_as_task);
}

void
test_consumer_death_process_returns (void)
{
  check_one_and_all (live_and_return);
}

void
test_consumer_death_process_exits (void)
{
  check_one_and_all (live_and_exit);
}

void
test_consumer_death_process_is_killed (void)
{
  check_one_and_all (live_and_be_killed);
}

void
test_consumer_death_server_crashes (void)
{
  check_one_and_all (live_as_server);
}

void
test_consumer_death_only_its_own_come_back (void)
{
  Consumer consumer = { .n_workers = 2 };
  Pid worker;

  face_start (SIZE);
  worker = take ();
  live_as_thread (&consumer);
  assert_status (SIZE - 1, 1);
  for (guint i = 1; i < SIZE; i++)
    g_assert_cmpuint (take (), !=, worker);
  assert_not_taken (POOLY_ERROR_FULL);
  face_checkin (worker);
  assert_status (1, SIZE - 1);
  pooly_stop ();
  test_end ();
}

static gpointer
take_and_check_in (gpointer data)
{
  Consumer *consumer = data;

  take_some (consumer);
  check_in_all (consumer->workers, consumer->n_workers);
  return NULL;
}

/* Back is back: they do not come a second time. */
void
test_consumer_death_after_its_check_in (void)
{
  Consumer consumer = { .n_workers = SIZE };
  Pid workers[SIZE];

  face_start (SIZE);
  run_threads (1, take_and_check_in, &consumer);
  assert_status (SIZE, 0);
  take_all (workers, SIZE);
  pooly_stop ();
  test_end ();
}

static void
take_check_in_and_wait (gpointer data)
{
  Consumer *consumer = data;
  Pid test = consumer->test;
  Message message;

  take_and_check_in (consumer);
  process_send (test, (Message) { .tag = TAKEN });
  process_receive (&message, -1);
}

/* It is another's now, who keeps it. */
void
test_consumer_death_after_it_was_lent_again (void)
{
  Consumer consumer = { .test = process_self (), .n_workers = 1 };
  Pid pid, worker;

  face_start (1);
  pid = process_spawn (take_check_in_and_wait, &consumer, NULL);
  test_receive (TAKEN);
  worker = take ();
  g_assert_cmpuint (worker, ==, consumer.workers[0]);
  kill_and_wait (pid);
  assert_status (0, 1);
  assert_not_taken (POOLY_ERROR_FULL);
  face_checkin (worker);
  assert_status (1, 0);
  pooly_stop ();
  test_end ();
}

/* Whether it finds one is a matter of luck; whether it gives it back, of its
 * number. */
static void
live_briefly (gpointer number)
{
  Pid worker = face_checkout (NULL);

  if (GPOINTER_TO_UINT (number) % 2 == 0)
    face_checkin (worker);
}

void
test_consumer_death_of_thousands (void)
{
  guint n_consumers = test_scaled (10000);
  g_autofree Pid *consumers = g_new (Pid, n_consumers);
  Pid server, workers[SIZE];

  face_start (SIZE);
  server = process_whereis (FACE_SERVER);
  for (guint i = 0; i < n_consumers; i++)
    consumers[i] = process_spawn (live_briefly, GUINT_TO_POINTER (i), NULL);
  for (guint i = 0; i < n_consumers; i++)
    g_assert_true (process_wait_end (consumers[i], test_limit ()));
  assert_status (SIZE, 0);
  take_all (workers, SIZE);
  g_assert_cmpuint (process_whereis (FACE_SERVER), ==, server);
  pooly_stop ();
  test_end ();
}
