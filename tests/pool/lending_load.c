/* Everything at once, on real threads: consumers that wait, and some that die,
 * workers that die, and one who looks at the pool again and again. */
#include "lending.h"

#if POOLY_VERSION >= 4

#define SIZE 2
#define MAX_OVERFLOW 2
#define N_CONSUMERS 6

static Lives lives;
static gint is_over;     /* atomic */
static gint n_consumers; /* atomic; so many have begun */

static GMutex lock;
static GHashTable *held; /* Pid, of those that somebody has; lock protects it */

static void
hold (Pid worker)
{
  g_mutex_lock (&lock);
  g_assert_true (g_hash_table_add (held, PID_TO_POINTER (worker)));
  g_mutex_unlock (&lock);
}

static void
let_go (Pid worker)
{
  g_mutex_lock (&lock);
  g_assert_true (g_hash_table_remove (held, PID_TO_POINTER (worker)));
  g_mutex_unlock (&lock);
}

static void
assert_may_fail (const GError *error)
{
  if (!g_error_matches (error, POOLY_ERROR, POOLY_ERROR_FULL))
    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_TIMEOUT);
}

/* Each third time it is lent another one meanwhile, or not. */
static void
borrow (guint round, guint me)
{
  static const int limits_ms[] = { -1, 0, 1, -1, 1000 };
  g_autoptr (GError) error = NULL;
  g_auto (PoolyLoan) loan = pooly_borrow (FACE_POOL,
                                          limits_ms[(round + me) % 5], &error);

  if (loan.worker == PID_NONE) {
    assert_may_fail (error);
    return;
  }
  hold (loan.worker);
  if (round % 3 == 0) {
    pooly_checkin (FACE_POOL, pooly_checkout (FACE_POOL, &error));
    if (error != NULL)
      assert_may_fail (error);
  }
  if (round % 7 == 0)
    process_exit (loan.worker, REASON_KILL);
  else
    gen_server_call (loan.worker, (Message) { .tag = 1 }, -1, NULL, NULL);
  let_go (loan.worker);
}

static gpointer
consume (gpointer data G_GNUC_UNUSED)
{
  guint me = (guint) g_atomic_int_add (&n_consumers, 1);

  for (guint i = test_scaled (1000); i > 0; i--)
    borrow (i, me);
  return NULL;
}

static gpointer
take_and_die (gpointer data G_GNUC_UNUSED)
{
  pooly_checkout_wait (FACE_POOL, 1, NULL);
  return NULL;
}

static gpointer
die_again_and_again (gpointer data G_GNUC_UNUSED)
{
  while (!g_atomic_int_get (&is_over)) {
    run_threads (2, take_and_die, NULL);
    process_sleep (1); /* or there were nothing but deaths on a busy machine */
  }
  return NULL;
}

static gpointer
look (gpointer data G_GNUC_UNUSED)
{
  while (!g_atomic_int_get (&is_over)) {
    PoolyStatus status = get_status ();
    guint n_workers = status.idle + status.busy;

    g_assert_cmpuint (n_workers, >=, SIZE);
    g_assert_cmpuint (n_workers, <=, SIZE + MAX_OVERFLOW);
    g_assert_cmpuint (status.overflow, ==, n_workers - SIZE);
    g_assert_true (status.waiting == 0 || status.state == POOLY_FULL);
    g_assert_true (status.state != POOLY_READY
                   || (status.idle > 0 && status.overflow == 0));
    process_sleep (1);
  }
  return NULL;
}

static void
check_load (const GenServerClass *worker, guint ttl_ms, PoolyStrategy strategy)
{
  PoolyConfig config = elastic (worker, &lives, SIZE, MAX_OVERFLOW);
  GThread *others[2];

  config.overflow_ttl_ms = ttl_ms;
  config.strategy = strategy;
  is_over = FALSE;
  n_consumers = 0;
  held = g_hash_table_new (NULL, NULL);
  start_elastic (&config);
  others[0] = g_thread_new ("observer", look, NULL);
  others[1] = g_thread_new ("mortal", die_again_and_again, NULL);
  run_threads (N_CONSUMERS, consume, NULL);
  g_atomic_int_set (&is_over, TRUE);
  for (guint i = 0; i < 2; i++)
    g_thread_join (others[i]);
  g_hash_table_unref (held);
  wait_until (get_status ().overflow == 0);
  assert_state (SIZE, 0, POOLY_READY, 0, 0);
  g_assert_cmpuint (count_children (FACE_WORKER_SUPERVISOR), ==, SIZE);
  stop_elastic (&config);
}

void
test_load_of_short_workers (void)
{
  check_load (&short_mortal_class, 0, POOLY_LIFO);
  check_load (&short_mortal_class, 1, POOLY_FIFO);
  test_end ();
}

void
test_load_of_long_workers (void)
{
  check_load (&mortal_class, 0, POOLY_FIFO);
  check_load (&mortal_class, 1, POOLY_LIFO);
  test_end ();
}

#endif
