/* What others may send to the server, of which it wants nothing. */
#include "scenarios.h"

#define SIZE 3

/* A pool of which one worker is lent. */
typedef struct {
  Pid server;
  Pid busy;
  Pid idle;
} Pool;

static Pool
start (void)
{
  Pool pool;

  face_start (SIZE);
  pool.server = process_whereis (FACE_SERVER);
  pool.busy = take ();
  pool.idle = take ();
  face_checkin (pool.idle);
  return pool;
}

/* Books and server are as they were; the loan is, too. */
static void
assert_is_unmoved (const Pool *pool)
{
  assert_status (SIZE - 1, 1);
  g_assert_cmpuint (process_whereis (FACE_SERVER), ==, pool->server);
}

static void
stop (const Pool *pool)
{
  Pid workers[SIZE];

  assert_is_unmoved (pool);
  take_all (workers, SIZE - 1);
  g_assert_false (is_among (pool->busy, workers, SIZE - 1));
  g_assert_true (is_among (pool->idle, workers, SIZE - 1));
  face_checkin (pool->busy);
  g_assert_cmpuint (take (), ==, pool->busy);
  pooly_stop ();
  test_end ();
}

static gpointer
send_exits (gpointer pool)
{
  Pid server = ((const Pool *) pool)->server;

  process_exit (server, crash ());
  process_exit (server, REASON_NORMAL);
  process_exit (server, REASON_SHUTDOWN);
  process_exit (server, REASON_KILLED); /* what a link to a killed one sends */
  return NULL;
}

void
test_stranger_exit_is_ignored (void)
{
  Pool pool = start ();

  run_threads (1, send_exits, &pool);
  stop (&pool);
}

/* It says that it ends, but does not. */
void
test_stranger_consumer_s_exit_is_ignored (void)
{
  Pool pool = start ();

  send_exits (&pool);
  stop (&pool);
}

/* About somebody who is no worker and has none: as if from a link or a monitor
 * that is no more. */
static void
send_forged (const Pool *pool, int tag, Pid stranger)
{
  gpointer cookies[] = { NULL, PID_TO_POINTER (pool->busy),
                         PID_TO_POINTER (pool->idle), PID_TO_POINTER (stranger),
                         PID_TO_POINTER (pool->server) };

  for (guint i = 0; i < G_N_ELEMENTS (cookies); i++) {
    process_send (pool->server, (Message) { .tag = tag,
                                            .pid = stranger,
                                            .reason = crash (),
                                            .data = cookies[i] });
    assert_is_unmoved (pool);
  }
}

static gpointer
get_self (gpointer pid)
{
  *(Pid *) pid = process_self ();
  return NULL;
}

static void
check_forged (int tag)
{
  Pool pool = start ();
  Pid dead;

  run_threads (1, get_self, &dead);
  send_forged (&pool, tag, dead);
  send_forged (&pool, tag, process_whereis (FACE_WORKER_SUPERVISOR));
  send_forged (&pool, tag, PID_NONE);
  stop (&pool);
}

void
test_stranger_forged_down_is_ignored (void)
{
  check_forged (PROCESS_DOWN);
}

void
test_stranger_forged_exit_is_ignored (void)
{
  check_forged (PROCESS_EXIT);
}

#define UNKNOWN 12345

/* Nobody answers the call, so it has a limit. */
void
test_stranger_unknown_message_is_ignored (void)
{
  g_autoptr (GError) error = NULL;
  Pool pool = start ();
  Message unknown = { .tag = UNKNOWN, .pid = pool.busy };

  process_send (pool.server, unknown);
  gen_server_cast (pool.server, unknown);
  g_assert_false (gen_server_call (pool.server, unknown, 1, NULL, &error));
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_TIMEOUT);
  stop (&pool);
}
