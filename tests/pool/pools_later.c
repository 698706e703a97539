/* Starting and stopping one pool while the others live. */
#include "several.h"

#if POOLY_VERSION >= 3

static Lives lives;

/* A, B and C, of which one worker each is lent, must not notice. */

static Family families[3];
static Pid lent[3];

static void
begin (void)
{
  start_mortals (POOLS, &lives);
  for (guint i = 0; i < 3; i++) {
    lent[i] = take_from (POOLS[i]);
    families[i] = get_family (POOLS[i]);
  }
}

static void
assert_is_unmoved (guint which)
{
  assert_same_family (POOLS[which], &families[which]);
  assert_status_of (POOLS[which], POOL_SIZE - 1, 1);
}

static void
end (void)
{
  for (guint i = 0; i < 3; i++) {
    assert_is_unmoved (i);
    pooly_checkin (POOLS[i], lent[i]);
    assert_serves (POOLS[i]);
  }
  stop_mortals (&lives);
  test_end ();
}

void
test_later_one_more_starts (void)
{
  begin ();
  start_more ("D", &lives);
  assert_is_complete ("D");
  assert_serves ("D");
  end ();
}

static void
assert_not_stopped (const char *pool, PoolyError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (pooly_stop_pool (pool, &error));
  g_assert_error (error, POOLY_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, pool));
}

static void
assert_not_more (const PoolyConfig *config, PoolyError code, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (pooly_start_pool (config, &error));
  g_assert_error (error, POOLY_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, text));
}

void
test_later_one_stops (void)
{
  begin ();
  start_more ("D", &lives);
  take_from ("D");
  g_assert_true (pooly_stop_pool ("D", NULL));
  assert_is_no_pool ("D");
  g_assert_cmpint (lives.n_over, ==, POOL_SIZE);
  assert_not_stopped ("D", POOLY_ERROR_NO_SUCH_POOL);

  start_more ("D", &lives);
  assert_is_complete ("D");
  assert_serves ("D");
  end ();
}

/* One that was named at the start is like any other. */
void
test_later_first_one_stops (void)
{
  begin ();
  g_assert_true (pooly_stop_pool ("A", NULL));
  assert_is_no_pool ("A");
  assert_is_unmoved (1);
  assert_is_unmoved (2);
  pooly_checkin ("A", lent[0]);
  start_more ("A", &lives);
  assert_serves ("A");
  lent[0] = take_from ("A");
  families[0] = get_family ("A");
  end ();
}

/* A thread remembers where a pool is, but not for longer than it is true. */

static Door is_found, is_stopped;

static gpointer
look_three_times (gpointer data G_GNUC_UNUSED)
{
  assert_serves ("D");
  door_stand (&is_found);
  assert_not_taken_from ("D", POOLY_ERROR_NO_SUCH_POOL);
  door_stand (&is_stopped);
  assert_serves ("D");
  return NULL;
}

void
test_later_all_threads_notice (void)
{
  GThread *thread;

  begin ();
  start_more ("D", &lives);
  thread = g_thread_new ("consumer", look_three_times, NULL);
  gate_wait (&is_found.entered);
  g_assert_true (pooly_stop_pool ("D", NULL));
  gate_open (&is_found.leave);
  gate_wait (&is_stopped.entered);
  start_more ("D", &lives);
  gate_open (&is_stopped.leave);
  g_thread_join (thread);
  end ();
}

void
test_later_name_is_unknown (void)
{
  begin ();
  assert_not_stopped ("D", POOLY_ERROR_NO_SUCH_POOL);
  assert_not_stopped ("a", POOLY_ERROR_NO_SUCH_POOL);
  assert_is_no_pool ("");
  assert_is_no_pool ("D");
  end ();
}

void
test_later_name_is_taken (void)
{
  PoolyConfig config = mortals ("B", &lives);

  begin ();
  config.size = 1;
  assert_not_more (&config, POOLY_ERROR_EXISTS, "B");
  config.worker = &sample_worker_class;
  assert_not_more (&config, POOLY_ERROR_EXISTS, "B");
  end ();
}

void
test_later_field_is_wrong (void)
{
  PoolyConfig config = mortals (NULL, &lives);

  begin ();
  assert_not_more (&config, POOLY_ERROR_INVALID_CONFIG, "name");
  config.name = "";
  assert_not_more (&config, POOLY_ERROR_INVALID_CONFIG, "name");
  config.name = "D";
  config.size = 0;
  assert_not_more (&config, POOLY_ERROR_INVALID_CONFIG, "size");
  config.size = 1;
  config.worker = NULL;
  assert_not_more (&config, POOLY_ERROR_INVALID_CONFIG, "worker");
  assert_is_no_pool ("D");
  end ();
}

void
test_later_worker_fails (void)
{
  Lives others;
  PoolyConfig config = mortals ("D", &others);

  begin ();
  for (gint which = 1; which <= POOL_SIZE; which++) {
    others = (Lives) { .fails_at = which };
    assert_not_more (&config, POOLY_ERROR_WORKER, LIVES_FAULT);
    assert_lives (&others, which);
    assert_is_no_pool ("D");
  }
  others = (Lives) { 0 };
  start_more ("D", &others);
  assert_serves ("D");
  end ();
}

void
test_later_without_pooly_is_down (void)
{
  PoolyConfig config = mortals ("A", &lives);
  g_autoptr (GError) error = NULL;

  lives = (Lives) { 0 };
  assert_not_more (&config, POOLY_ERROR_DOWN, "Pooly");
  g_assert_false (pooly_stop_pool ("A", &error));
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_DOWN);
  assert_not_taken_from ("A", POOLY_ERROR_DOWN);
  assert_nothing_is_left ();
  g_assert_cmpint (lives.n_begun, ==, 0);
  test_end ();
}

/* HOW A POOL STOPS */

/* Workers that say goodbye: their pool server is still there. */

static gint n_goodbyes; /* atomic */

static void
say_goodbye (gpointer state G_GNUC_UNUSED, Reason reason)
{
  g_assert_cmpuint (reason, ==, REASON_SHUTDOWN);
  g_assert_true (process_is_alive (find_part ("D", "Server")));
  g_atomic_int_inc (&n_goodbyes);
}

static const GenServerClass polite_class = {
  .name = "Polite",
  .init = init_trapping,
  .terminate = say_goodbye,
};

void
test_later_workers_are_told_to_stop (void)
{
  PoolyConfig config = { .name = "D", .worker = &polite_class, .size = 10 };

  n_goodbyes = 0;
  begin ();
  g_assert_true (pooly_start_pool (&config, NULL));
  take_from ("D");
  g_assert_true (pooly_stop_pool ("D", NULL));
  g_assert_cmpint (g_atomic_int_get (&n_goodbyes), ==, 10);
  end ();
}

/* Who waits for one of its workers. */
void
test_later_stop_ends_a_call (void)
{
  PoolyConfig config = { .name = "D",
                         .worker = &sample_worker_class,
                         .size = 1 };
  Work work;

  begin ();
  g_assert_true (pooly_start_pool (&config, NULL));
  work_begin (&work, take_from ("D"), G_MAXINT);
  g_assert_true (pooly_stop_pool ("D", NULL));
  work_end (&work);
  g_assert_false (work.is_done);
  g_assert_error (work.error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_clear_error (&work.error);
  end ();
}

/* Who waits for the pool server, which waits for a worker to begin: it may still
 * have that one, but it does not wait any longer. */

static gpointer
check_out (gpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (pooly_checkout ("D", &error) != PID_NONE
                 || may_be_unknown (error));
  return NULL;
}

static gpointer
stop_d (gpointer data G_GNUC_UNUSED)
{
  g_assert_true (pooly_stop_pool ("D", NULL));
  return NULL;
}

void
test_later_stop_ends_a_checkout (void)
{
  PoolyConfig config = { .name = "D", .worker = &standing_class, .size = 1 };
  GThread *consumer, *stopper;

  begin ();
  g_assert_true (pooly_start_pool (&config, NULL));
  process_exit (take_from ("D"), REASON_KILL);
  gate_wait (&standing_door.entered);
  consumer = g_thread_new ("consumer", check_out, NULL);
  test_wait_messages (find_part ("D", "Server"), 1);
  stopper = g_thread_new ("stopper", stop_d, NULL);
  test_wait_messages (find_part ("D", "WorkerSupervisor"), 1);
  gate_open (&standing_door.leave);
  g_thread_join (stopper);
  g_thread_join (consumer);
  assert_is_no_pool ("D");
  end ();
}

#endif
