/* Workers that come back by themselves: transactions and loans. */
#include "lending.h"

#if POOLY_VERSION >= 4

static Lives lives;

static PoolyConfig
begin (guint size)
{
  PoolyConfig config = elastic (&short_mortal_class, &lives, size, 0);

  start_elastic (&config);
  return config;
}

static void
end (const PoolyConfig *config)
{
  assert_state (config->size, 0, POOLY_READY, 0, 0);
  stop_elastic (config);
  test_end ();
}

static gboolean
ask (Pid worker, gpointer answer, GError **error)
{
  Message reply;

  assert_state (0, 1, POOLY_FULL, 0, 0);
  if (!gen_server_call (worker, (Message) { .tag = 1 }, -1, &reply, error))
    return FALSE;
  *(int *) answer = reply.tag;
  return TRUE;
}

void
test_transaction_result_is_handed_through (void)
{
  PoolyConfig config = begin (1);
  g_autoptr (GError) error = NULL;
  int answer = 0;

  g_assert_true (pooly_transaction (FACE_POOL, ask, &answer, -1, &error));
  g_assert_no_error (error);
  g_assert_cmpint (answer, ==, LIVES_ANSWER);
  end (&config);
}

static gboolean
fail (Pid worker G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, "no luck");
  return FALSE;
}

static gboolean
fail_silently (Pid worker G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED,
               GError **error G_GNUC_UNUSED)
{
  return FALSE;
}

/* Its own error, and its own FALSE. */
void
test_transaction_fails (void)
{
  PoolyConfig config = begin (1);
  g_autoptr (GError) error = NULL;

  g_assert_false (pooly_transaction (FACE_POOL, fail, NULL, -1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_cmpstr (error->message, ==, "no luck");
  assert_state (1, 0, POOLY_READY, 0, 0);
  g_clear_error (&error);
  g_assert_false (pooly_transaction (FACE_POOL, fail, NULL, -1, NULL));
  g_assert_false (
    pooly_transaction (FACE_POOL, fail_silently, NULL, -1, &error));
  g_assert_no_error (error);
  end (&config);
}

static gboolean
count (Pid worker G_GNUC_UNUSED, gpointer counter, GError **error G_GNUC_UNUSED)
{
  ++*(guint *) counter;
  return TRUE;
}

static void
assert_not_run (const char *pool, int timeout_ms, PoolyError why,
                const char *message)
{
  g_autoptr (GError) error = NULL;
  guint n_run = 0;

  g_assert_false (pooly_transaction (pool, count, &n_run, timeout_ms, &error));
  g_assert_error (error, POOLY_ERROR, (int) why);
  g_assert_nonnull (strstr (error->message, message));
  g_assert_cmpuint (n_run, ==, 0);
}

/* Then there is nothing to run it with. */
void
test_transaction_without_worker (void)
{
  PoolyConfig config = begin (1);
  Pid worker;

  assert_not_run ("None", -1, POOLY_ERROR_NO_SUCH_POOL, "None");
  worker = take ();
  assert_not_run (FACE_POOL, 0, POOLY_ERROR_TIMEOUT, "in time");
  assert_not_run (FACE_POOL, 1, POOLY_ERROR_TIMEOUT, "in time");
  pooly_checkin (FACE_POOL, worker);
  assert_state (1, 0, POOLY_READY, 0, 0);
  stop_elastic (&config);
  assert_not_run (FACE_POOL, -1, POOLY_ERROR_DOWN, "Pooly is not there");
  test_end ();
}

/* NESTED */

static gboolean
use_both (Pid inner, gpointer outer, GError **error)
{
  g_assert_cmpuint (inner, !=, *(Pid *) outer);
  return gen_server_call (inner, (Message) { .tag = 1 }, -1, NULL, error)
         && gen_server_call (*(Pid *) outer, (Message) { .tag = 1 }, -1, NULL,
                             error);
}

static gboolean
use_other_pool (Pid worker, gpointer other, GError **error)
{
  return pooly_transaction (other, use_both, &worker, -1, error);
}

void
test_transaction_of_two_pools (void)
{
  PoolyConfig config = begin (1), other = config;
  g_autoptr (GError) error = NULL;
  PoolyStatus status;
  char name[] = "Other";

  other.name = name;
  g_assert_true (pooly_start_pool (&other, &error));
  g_assert_true (
    pooly_transaction (FACE_POOL, use_other_pool, name, -1, &error));
  g_assert_no_error (error);
  g_assert_true (pooly_status (name, &status, NULL));
  g_assert_cmpuint (status.idle, ==, 1);
  end (&config);
}

static gboolean
use_pool_again (Pid worker G_GNUC_UNUSED, gpointer n_run, GError **error)
{
  return pooly_transaction (FACE_POOL, count, n_run, 1, error);
}

/* It waits for itself, and its limit ends that. */
void
test_transaction_of_one_pool_twice (void)
{
  PoolyConfig config = begin (1);
  g_autoptr (GError) error = NULL;
  guint n_run = 0;

  g_assert_false (
    pooly_transaction (FACE_POOL, use_pool_again, &n_run, -1, &error));
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_TIMEOUT);
  g_assert_cmpstr (error->message, ==, "no worker in time");
  g_assert_cmpuint (n_run, ==, 0);
  end (&config);
}

/* ITS PROCESS ENDS */

/* It must be known not to return: then address sanitizer forgets what it knows
 * of the stack. */
static void end_thread (void) G_GNUC_NORETURN G_GNUC_NO_INLINE;

static void
end_thread (void)
{
  g_thread_exit (NULL);
  g_assert_not_reached ();
}

static gboolean
end_here (Pid worker G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED,
          GError **error G_GNUC_UNUSED)
{
  end_thread ();
}

static gpointer
end_in_a_transaction (gpointer data G_GNUC_UNUSED)
{
  pooly_transaction (FACE_POOL, end_here, NULL, -1, NULL);
  g_assert_not_reached ();
}

void
test_transaction_whose_thread_ends (void)
{
  PoolyConfig config = begin (1);

  run_threads (1, end_in_a_transaction, NULL);
  end (&config);
}

static gboolean
tell_and_wait (Pid worker, gpointer test, GError **error G_GNUC_UNUSED)
{
  Message message;

  process_send (POINTER_TO_PID (test),
                (Message) { .tag = REPORT, .pid = worker });
  process_receive (&message, -1);
  return TRUE;
}

static void
wait_in_a_transaction (gpointer test)
{
  pooly_transaction (FACE_POOL, tell_and_wait, test, -1, NULL);
}

void
test_race_transaction_is_killed (void)
{
  PoolyConfig config = elastic (choose_class (), &lives, 1, 1);
  Pid test = process_self (), consumers[2];

  start_elastic (&config);
  for (guint i = 0; i < 2; i++) {
    consumers[i] = spawn ("consumer", wait_in_a_transaction,
                          PID_TO_POINTER (test));
    test_receive (REPORT);
  }
  for (guint i = 0; i < 2; i++)
    kill_and_wait (consumers[i]);
  end_elastic (&config);
}

void
test_race_transaction_whose_worker_dies (void)
{
  PoolyConfig config = elastic (choose_class (), &lives, 1, 0);
  Pid consumer;

  start_elastic (&config);
  consumer = spawn ("consumer", wait_in_a_transaction,
                    PID_TO_POINTER (process_self ()));
  kill_and_wait (test_receive (REPORT).pid);
  assert_state (1, 0, POOLY_READY, 0, 0);
  process_send (consumer, (Message) { .tag = 1 });
  wait_for (consumer);
  end_elastic (&config);
}

/* LOANS */

static int
return_early (gboolean is_early)
{
  g_autoptr (GError) error = NULL;
  g_auto (PoolyLoan) loan = pooly_borrow (FACE_POOL, -1, &error);

  g_assert_no_error (error);
  g_assert_true (process_is_alive (loan.worker));
  assert_state (0, 1, POOLY_FULL, 0, 0);
  if (is_early)
    return 1;
  pooly_loan_clear (&loan);
  g_assert_cmpuint (loan.worker, ==, PID_NONE);
  assert_state (1, 0, POOLY_READY, 0, 0);
  return 2;
}

void
test_loan_ends_with_its_block (void)
{
  PoolyConfig config = begin (1);

  for (guint i = 0; i < 10; i++) {
    g_assert_cmpint (return_early (TRUE), ==, 1);
    assert_state (1, 0, POOLY_READY, 0, 0);
    g_assert_cmpint (return_early (FALSE), ==, 2);
    assert_state (1, 0, POOLY_READY, 0, 0);
  }
  end (&config);
}

/* One that was given back is not given back once more, when it is another's. */
void
test_loan_is_cleared_twice (void)
{
  PoolyConfig config = begin (1);
  PoolyLoan loan = pooly_borrow (FACE_POOL, -1, NULL);

  pooly_loan_clear (&loan);
  g_assert_cmpuint (take (), !=, PID_NONE);
  pooly_loan_clear (&loan);
  assert_state (0, 1, POOLY_FULL, 0, 0);
  stop_elastic (&config);
  test_end ();
}

void
test_loan_without_worker (void)
{
  PoolyConfig config = begin (1);
  Pid worker = take ();

  {
    g_autoptr (GError) error = NULL;
    g_auto (PoolyLoan) loan = pooly_borrow (FACE_POOL, 1, &error);

    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_TIMEOUT);
    g_assert_cmpuint (loan.worker, ==, PID_NONE);
  }
  assert_state (0, 1, POOLY_FULL, 0, 0);
  pooly_checkin (FACE_POOL, worker);
  end (&config);
}

#endif
