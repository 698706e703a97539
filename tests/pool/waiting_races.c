/* Time over, deaths, check-ins and the end of the pool, against each other: in
 * whatever order they meet, no worker is lost, nor lent twice. */
#include "lending.h"
#include "simulation.h"

#if POOLY_VERSION >= 4

static Lives lives;
static PoolyConfig config;

static void
begin (guint size, guint max_overflow)
{
  config = elastic (choose_class (), &lives, size, max_overflow);
  config.overflow_ttl_ms = test_random (2);
  config.strategy = test_random (2) == 0 ? POOLY_LIFO : POOLY_FIFO;
  start_elastic (&config);
}

static void
end (void)
{
  end_elastic (&config);
}

/* WHO WAITS, AND WHAT MAY COME OF IT */

static gboolean
may_end_so (const GError *error)
{
  return g_error_matches (error, POOLY_ERROR, POOLY_ERROR_TIMEOUT)
         || process_is_dying ();
}

static Pid
wait_and_ask (int timeout_ms)
{
  g_autoptr (GError) error = NULL;
  Pid worker = pooly_checkout_wait (FACE_POOL, timeout_ms, &error);

  if (worker == PID_NONE)
    g_assert_true (may_end_so (error));
  else
    gen_server_call (worker, (Message) { .tag = 1 }, -1, NULL, NULL);
  return worker;
}

/* A while or for ever: it gives back what it was lent, or dies with that. */
static void
wait_for_some_time (gpointer timeout_ms)
{
  Pid worker = wait_and_ask (GPOINTER_TO_INT (timeout_ms));

  if (PID_SLOT (process_self ()) % 2 == 0)
    pooly_checkin (FACE_POOL, worker);
}

static Pid
spawn_waiter (int timeout_ms)
{
  return spawn ("waiter", wait_for_some_time, GINT_TO_POINTER (timeout_ms));
}

/* Whoever was lent it, it comes back. */

void
test_race_time_is_over_at_checkin (void)
{
  Pid worker, waiter;

  begin (1, 0);
  worker = take ();
  waiter = spawn_waiter (1);
  pooly_checkin (FACE_POOL, worker);
  wait_for (waiter);
  end ();
}

void
test_race_time_is_over_at_worker_s_death (void)
{
  Pid worker, waiter;

  begin (1, 0);
  worker = take ();
  waiter = spawn_waiter (1);
  spawn_killer (worker);
  wait_for (worker);
  wait_for (waiter);
  end ();
}

void
test_race_time_is_over_while_overflow_starts (void)
{
  Pid worker, waiter;

  begin (1, 1);
  worker = take ();
  waiter = spawn_waiter (1);
  wait_for (waiter);
  g_assert_cmpuint (get_status ().waiting, ==, 0);
  pooly_checkin (FACE_POOL, worker);
  end ();
}

void
test_race_waiter_dies_at_checkin (void)
{
  Pid worker, waiter, next;

  begin (1, 0);
  worker = take ();
  waiter = spawn_waiter (-1);
  next = spawn_waiter (-1);
  spawn_killer (waiter);
  pooly_checkin (FACE_POOL, worker);
  wait_for (waiter);
  wait_for (next);
  end ();
}

void
test_race_waiter_dies_at_worker_s_death (void)
{
  Pid worker, waiter, next;

  begin (1, 0);
  worker = take ();
  waiter = spawn_waiter (-1);
  next = spawn_waiter (-1);
  spawn_killer (waiter);
  spawn_killer (worker);
  wait_for (worker);
  wait_for (waiter);
  wait_for (next);
  end ();
}

void
test_race_waiter_dies_when_its_time_is_over (void)
{
  Pid worker, waiter;

  begin (1, 0);
  worker = take ();
  waiter = spawn_waiter (1);
  spawn_killer (waiter);
  wait_for (waiter);
  assert_status (0, 1);
  pooly_checkin (FACE_POOL, worker);
  end ();
}

/* The one who waits, the worker and its owner. */
void
test_race_all_of_them_die (void)
{
  Pid owner, worker, waiters[2];

  begin (1, 1);
  owner = consumer_new ();
  worker = let_take (owner);
  for (guint i = 0; i < 2; i++)
    waiters[i] = spawn_waiter (i == 0 ? -1 : 1);
  spawn_killer (owner);
  spawn_killer (worker);
  spawn_killer (waiters[0]);
  wait_for (owner);
  wait_for (worker);
  wait_for (waiters[0]);
  wait_for (waiters[1]);
  end ();
}

static void
wait_again_and_again (gpointer unused G_GNUC_UNUSED)
{
  for (guint i = 0; i < 4; i++)
    pooly_checkin (FACE_POOL, wait_and_ask (i == 3 ? -1 : (int) i));
}

/* One that gave up and is back is in line once. */
void
test_race_wait_again_and_again (void)
{
  Pid worker, waiters[2];

  begin (1, 0);
  worker = take ();
  for (guint i = 0; i < 2; i++)
    waiters[i] = spawn ("waiter", wait_again_and_again, NULL);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (get_status ().waiting, <=, 2);
  pooly_checkin (FACE_POOL, worker);
  for (guint i = 0; i < 2; i++)
    wait_for (waiters[i]);
  end ();
}

/* FIRST COME */

#define N_IN_LINE 5

static GArray *served; /* guint: the numbers of those who had the worker */

static void
wait_and_say_so (gpointer number)
{
  guint me = GPOINTER_TO_UINT (number);
  Pid worker = pooly_checkout_wait (FACE_POOL, me % 2 == 0 ? -1 : 50, NULL);

  if (worker == PID_NONE || process_is_dying ())
    return;
  g_array_append_val (served, me); /* nobody else has it now */
  if (me % 3 != 0)
    pooly_checkin (FACE_POOL, worker);
}

static gboolean
waits_on (Pid pid, Pid server)
{
  g_autoptr (GArray) list = process_list ();

  for (guint i = 0; i < list->len; i++)
    if (g_array_index (list, ProcessInfo, i).pid == pid)
      return g_array_index (list, ProcessInfo, i).waits_on == server;
  return FALSE;
}

/* It is in line when this returns, unless its time is over already. */
static void
await_in_line (Pid waiter)
{
  Pid server = process_whereis (FACE_SERVER);

  while (process_is_alive (waiter) && !waits_on (waiter, server))
    process_sleep (1);
  get_status (); /* has heard of it */
}

/* Some die, and for some the time is over: the others keep their order.  (On
 * real threads one that has died may not know yet, and say it was served.) */
void
test_race_first_come_first_served (void)
{
  Pid worker, waiters[N_IN_LINE];

  begin (1, 0);
  served = g_array_new (FALSE, FALSE, sizeof (guint));
  worker = take ();
  for (guint i = 0; i < N_IN_LINE; i++) {
    waiters[i] = spawn ("waiter", wait_and_say_so, GUINT_TO_POINTER (i));
    await_in_line (waiters[i]);
  }
  if (time_is_simulated ())
    spawn_killer (waiters[test_random (N_IN_LINE)]);
  pooly_checkin (FACE_POOL, worker);
  for (guint i = 0; i < N_IN_LINE; i++)
    wait_for (waiters[i]);
  for (guint i = 1; i < served->len; i++)
    g_assert_cmpuint (g_array_index (served, guint, i - 1), <,
                      g_array_index (served, guint, i));
  g_assert_cmpuint (served->len, >=, 2);
  g_array_unref (served);
  end ();
}

/* THE END */

static void
wait_until_the_end (gpointer timeout_ms)
{
  g_autoptr (GError) error = NULL;
  Pid worker = pooly_checkout_wait (FACE_POOL, GPOINTER_TO_INT (timeout_ms),
                                    &error);

  if (worker == PID_NONE && !may_end_so (error))
    g_assert_true (may_be_unknown (error));
}

static void
check_end (void (*end_it) (gpointer unused))
{
  Pid worker, waiters[3], ender;

  begin (1, 1);
  worker = take ();
  for (guint i = 0; i < 3; i++)
    waiters[i] = spawn ("waiter", wait_until_the_end,
                        GINT_TO_POINTER (i == 0 ? 1 : -1));
  ender = spawn ("ender", end_it, NULL);
  if (test_random (2) == 0)
    spawn_killer (waiters[1]);
  if (test_random (2) == 0)
    spawn_killer (worker);
  pooly_checkin (FACE_POOL, worker);
  for (guint i = 0; i < 3; i++)
    wait_for (waiters[i]);
  wait_for (ender);
  stop_simulated ();
  assert_lives (&lives, g_atomic_int_get (&lives.n_begun));
  test_end ();
}

static void
stop_the_pool (gpointer unused G_GNUC_UNUSED)
{
  g_assert_true (pooly_stop_pool (FACE_POOL, NULL));
}

void
test_race_pool_is_stopped_while_they_wait (void)
{
  check_end (stop_the_pool);
}

static void
stop_all (gpointer unused G_GNUC_UNUSED)
{
  pooly_stop ();
}

void
test_race_all_is_stopped_while_they_wait (void)
{
  check_end (stop_all);
}

static void
kill_the_server (gpointer unused G_GNUC_UNUSED)
{
  kill_and_wait (process_whereis (FACE_SERVER));
}

void
test_race_server_dies_while_they_wait (void)
{
  check_end (kill_the_server);
}

static void
kill_the_worker_supervisor (gpointer unused G_GNUC_UNUSED)
{
  kill_and_wait (process_whereis (FACE_WORKER_SUPERVISOR));
}

void
test_race_worker_supervisor_dies_while_they_wait (void)
{
  check_end (kill_the_worker_supervisor);
}

/* RANDOM OPERATIONS */

#define N_PLAYERS 4
#define N_OPERATIONS 8

typedef struct {
  guint32 seed;
  GRand  *chance;
  Pid     pid;
  GArray *mine;   /* Pid of worker */
  gint    n_lent; /* how often it was lent one */
} Player;

static Player players[N_PLAYERS];
static GMutex mutex;       /* not held where anybody else might go on */
static GHashTable *owners; /* Pid of worker → of its consumer; protected */

static guint
draw (Player *self, guint n)
{
  return (guint) g_rand_int_range (self->chance, 0, (gint32) n);
}

static Pid
exchange_owner (Pid worker, Pid owner)
{
  gpointer key = PID_TO_POINTER (worker), old;

  g_mutex_lock (&mutex);
  old = g_hash_table_lookup (owners, key);
  g_hash_table_insert (owners, key, PID_TO_POINTER (owner));
  g_mutex_unlock (&mutex);
  return POINTER_TO_PID (old);
}

/* Who is dead has nothing, and a zombie does not know yet that it is. */
static void
claim (Player *self, Pid worker)
{
  Pid owner = exchange_owner (worker, self->pid);

  g_assert_true (owner == PID_NONE || !process_is_alive (owner)
                 || process_is_dying ());
  g_array_append_val (self->mine, worker);
}

static void
take_some (Player *self)
{
  g_autoptr (GError) error = NULL;
  Pid worker = pooly_checkout (FACE_POOL, &error);

  if (worker != PID_NONE)
    claim (self, worker);
  else if (!process_is_dying ())
    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_FULL);
}

/* Who has one already does not wait for ever: others may do the same. */
static void
wait_for_some (Player *self)
{
  g_autoptr (GError) error = NULL;
  int timeout_ms = self->mine->len == 0 ? -1 : (int) draw (self, 3);
  Pid worker = pooly_checkout_wait (FACE_POOL, timeout_ms, &error);

  if (worker != PID_NONE)
    claim (self, worker);
  else
    g_assert_true (may_end_so (error));
}

static Pid
pick (Player *self)
{
  return self->mine->len == 0
           ? PID_NONE
           : g_array_index (self->mine, Pid, draw (self, self->mine->len));
}

static void
give_some (Player *self)
{
  Pid worker = pick (self);

  for (guint i = 0; i < self->mine->len; i++)
    if (g_array_index (self->mine, Pid, i) == worker)
      g_array_remove_index_fast (self->mine, i);
  if (worker == PID_NONE)
    return;
  exchange_owner (worker, PID_NONE);
  pooly_checkin (FACE_POOL, worker);
}

static void
kill_mine (Player *self)
{
  process_exit (pick (self), REASON_KILL);
}

static void
kill_player (Player *self)
{
  const Player *player = &players[draw (self, N_PLAYERS)];
  Pid pid;

  g_mutex_lock (&mutex);
  pid = player->pid;
  g_mutex_unlock (&mutex);
  process_exit (pid, REASON_KILL);
}

static void
ask_status (Player *self G_GNUC_UNUSED)
{
  PoolyStatus status = { 0 };

  if (!pooly_status (FACE_POOL, &status, NULL)) {
    g_assert_true (process_is_dying ());
    return;
  }
  g_assert_cmpuint (status.idle + status.busy, >=, config.size);
  g_assert_cmpuint (status.overflow, ==,
                    status.idle + status.busy - config.size);
  g_assert_cmpuint (status.overflow, <=, config.max_overflow);
  g_assert_true (status.waiting == 0 || status.state == POOLY_FULL);
  g_assert_cmpuint (status.waiting, <=, N_PLAYERS);
}

static void (*const operations[]) (Player *self) = {
  take_some, take_some, wait_for_some, wait_for_some, wait_for_some, give_some,
  give_some, give_some, kill_mine,     kill_player,   ask_status,
};

/* Whatever it has in the end it keeps. */
static void
play (gpointer data)
{
  Player *self = data;

  g_mutex_lock (&mutex);
  self->pid = process_self ();
  g_mutex_unlock (&mutex);
  self->mine = g_array_new (FALSE, FALSE, sizeof (Pid));
  self->chance = g_rand_new_with_seed (self->seed);
  for (guint i = 0; i < N_OPERATIONS; i++)
    operations[draw (self, G_N_ELEMENTS (operations))](self);
  g_rand_free (self->chance);
  g_array_unref (self->mine);
}

void
test_race_random_operations_and_waiting (void)
{
  Pid server, pids[N_PLAYERS];

  begin (1 + test_random (2), test_random (3));
  server = process_whereis (FACE_SERVER);
  owners = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < N_PLAYERS; i++)
    players[i] = (Player) { .seed = test_random (G_MAXINT32) };
  for (guint i = 0; i < N_PLAYERS; i++)
    pids[i] = spawn ("player", play, &players[i]);
  for (guint i = 0; i < N_PLAYERS; i++)
    wait_for (pids[i]);
  g_assert_cmpuint (process_whereis (FACE_SERVER), ==, server);
  end ();
  g_clear_pointer (&owners, g_hash_table_unref);
}

#endif
