/* A model of the pool: what poolboy's documentation and ours say of it, in as
 * few lines as possible.  Chance says what happens next; the model then says who
 * must have been lent which worker, who was told what, and how the pool is
 * doing.  All of that must be so, after each step. */
#include "lending.h"
#include "simulation.h"

#if POOLY_VERSION >= 4

#define N_PLAYERS 5
#define MAX_MINE 2 /* workers that one of them has */
#define N_STEPS 30
#define DAY_MS 86400000

typedef struct {
  Pid      pid;
  GArray  *mine; /* Pid of worker */
  gboolean is_waiting;
} Player;

/* What somebody must be told now. */
typedef struct {
  Pid player;
  Pid worker; /* or PID_NONE */
  int why;    /* a PoolyError, or -1 */
} Expected;

typedef struct {
  Pid      worker;
  gboolean is_kept; /* for a while */
} Idle;

static Lives lives;
static PoolyConfig config;
static Player players[N_PLAYERS];

static GArray *idle;     /* Idle; who came back last is the last */
static GPtrArray *line;  /* Player; who comes next is the first */
static guint n_workers;  /* all of them */
static gboolean is_ill;  /* one that there should be could not start */
static GArray *seen;     /* Pid of worker, of all there ever were */
static GArray *workers;  /* Pid, of those there must be now */
static GArray *expected; /* Expected */

/* THE MODEL */

static void
expect (const Player *player, Pid worker, int why)
{
  Expected report = { player->pid, worker, why };

  g_array_append_val (expected, report);
}

static guint
get_overflow (void)
{
  return MAX (n_workers, config.size) - config.size;
}

static gboolean
can_grow (void)
{
  return n_workers < config.size + config.max_overflow;
}

static void
lend (Player *player, Pid worker)
{
  g_array_append_val (player->mine, worker);
  player->is_waiting = FALSE;
  expect (player, worker, -1);
}

static gboolean
remove_pid (GArray *pids, Pid pid)
{
  for (guint i = 0; i < pids->len; i++)
    if (g_array_index (pids, Pid, i) == pid) {
      g_array_remove_index (pids, i);
      return TRUE;
    }
  return FALSE;
}

static void
come_back (Pid worker)
{
  Idle entry = { worker, get_overflow () > 0 };

  if (line->len > 0) {
    lend (g_ptr_array_steal_index (line, 0), worker);
  } else if (entry.is_kept && config.overflow_ttl_ms == 0) {
    n_workers--;
    remove_pid (workers, worker);
  } else {
    g_array_append_val (idle, entry);
  }
}

static gboolean
was_seen (Pid worker)
{
  return is_among (worker, (const Pid *) (gpointer) seen->data, seen->len);
}

/* The pool must have started one; which pid that has, the model can't know.
 *
 * Returns: the worker, or PID_NONE where it must have failed */
static Pid
start_worker (void)
{
  g_autoptr (GArray) there_are = list_workers ();

  if (lives.n_to_fail != 0)
    return PID_NONE;
  for (guint i = 0; i < there_are->len; i++) {
    Pid worker = g_array_index (there_are, Pid, i);

    if (was_seen (worker))
      continue;
    g_array_append_val (seen, worker);
    g_array_append_val (workers, worker);
    n_workers++;
    return worker;
  }
  g_assert_not_reached ();
}

static gboolean
is_one_missing (void)
{
  return n_workers < config.size || (line->len > 0 && can_grow ());
}

static void
fill_up (void)
{
  Pid worker;

  is_ill = FALSE;
  while (!is_ill && is_one_missing ()) {
    worker = start_worker ();
    is_ill = worker == PID_NONE;
    if (worker != PID_NONE)
      come_back (worker);
  }
}

static void
check_out (Player *player, gboolean is_patient)
{
  guint next = config.strategy == POOLY_FIFO ? 0 : idle->len - 1;
  Pid worker;

  if (idle->len > 0) {
    lend (player, g_array_index (idle, Idle, next).worker);
    g_array_remove_index (idle, next);
  } else if (is_ill) {
    expect (player, PID_NONE, POOLY_ERROR_WORKER);
  } else if (can_grow ()) {
    worker = start_worker ();
    if (worker != PID_NONE)
      lend (player, worker);
    else
      expect (player, PID_NONE, POOLY_ERROR_WORKER);
  } else if (is_patient) {
    player->is_waiting = TRUE;
    g_ptr_array_add (line, player);
  } else {
    expect (player, PID_NONE, POOLY_ERROR_FULL);
  }
}

static gboolean
must_wait (void)
{
  return idle->len == 0 && !is_ill && !can_grow ();
}

static void
worker_died (Pid worker)
{
  for (guint i = 0; i < idle->len; i++)
    if (g_array_index (idle, Idle, i).worker == worker)
      g_array_remove_index (idle, i--);
  for (guint i = 0; i < N_PLAYERS; i++)
    remove_pid (players[i].mine, worker);
  remove_pid (workers, worker);
  n_workers--;
  if (!is_ill)
    fill_up ();
}

/* Those who were kept, in the order in which they came back. */
static void
time_is_over (void)
{
  for (guint i = 0; i < idle->len; i++) {
    Idle *entry = &g_array_index (idle, Idle, i);

    if (entry->is_kept && get_overflow () > 0) {
      n_workers--;
      remove_pid (workers, entry->worker);
      g_array_remove_index (idle, i--);
    } else {
      entry->is_kept = FALSE;
    }
  }
}

static PoolyStatus
predict_status (void)
{
  PoolyStatus status = { .idle = idle->len,
                         .busy = n_workers - idle->len,
                         .overflow = get_overflow (),
                         .waiting = line->len };

  if (idle->len > 0 && status.overflow == 0)
    status.state = POOLY_READY;
  else if (idle->len > 0 || (can_grow () && !is_ill))
    status.state = POOLY_OVERFLOW;
  else
    status.state = POOLY_FULL;
  return status;
}

/* WHAT IS TRUE */

static void
assert_told (const Message *report)
{
  for (guint i = 0; i < expected->len; i++) {
    const Expected *one = &g_array_index (expected, Expected, i);

    if (one->player != report->sender)
      continue;
    g_assert_cmpuint (report->pid, ==, one->worker);
    g_assert_cmpint (report->number, ==, one->why);
    if (one->why == POOLY_ERROR_WORKER)
      g_assert_nonnull (strstr (report->data, LIVES_FAULT));
    g_array_remove_index (expected, i);
    return;
  }
  g_assert_not_reached ();
}

static void
assert_is_so (void)
{
  PoolyStatus status = predict_status ();
  g_autoptr (GArray) there_are = NULL;

  while (expected->len > 0) {
    g_auto (Message) report = test_receive (REPORT);

    assert_told (&report);
  }
  assert_state (status.idle, status.busy, status.state, status.overflow,
                status.waiting);
  there_are = list_workers ();
  g_assert_cmpuint (there_are->len, ==, workers->len);
  for (guint i = 0; i < workers->len; i++)
    g_assert_cmpuint (g_array_index (there_are, Pid, i), ==,
                      g_array_index (workers, Pid, i));
}

/* WHAT HAPPENS */

static Player *
any_player (void)
{
  return &players[test_random (N_PLAYERS)];
}

static void
ask_for_one (Player *player, Order order)
{
  guint n_waiting = line->len + (order == WAIT && must_wait ());
  Message message = { 0 };

  if (player->is_waiting || player->mine->len == MAX_MINE)
    return;
  tell (player->pid, order, -1);
  if (n_waiting > line->len) {
    await_waiting (n_waiting);
    check_out (player, TRUE);
    return;
  }
  message = test_receive (REPORT);
  check_out (player, order == WAIT);
  assert_told (&message);
  message_clear (&message);
}

static void
take_one (void)
{
  ask_for_one (any_player (), TAKE);
}

static void
wait_for_one (void)
{
  ask_for_one (any_player (), WAIT);
}

/* In vain, and leaves no trace. */
static void
wait_too_short (void)
{
  Player *player = any_player ();

  if (player->is_waiting || !must_wait ())
    return;
  tell (player->pid, WAIT, (int) test_random (2));
  hear_failure (player->pid, POOLY_ERROR_TIMEOUT);
}

static Pid
pick (GArray *pids)
{
  return pids->len == 0 ? PID_NONE
                        : g_array_index (pids, Pid, test_random (pids->len));
}

static void
give_one (void)
{
  Player *player = any_player ();
  Pid worker = pick (player->mine);

  if (player->is_waiting || worker == PID_NONE)
    return;
  process_send (player->pid, (Message) { .tag = GIVE, .pid = worker });
  expect (player, PID_NONE, -1);
  remove_pid (player->mine, worker);
  come_back (worker);
}

/* One that it does not have. */
static void
give_wrong_one (void)
{
  Player *player = any_player ();
  Pid worker = pick (seen);

  if (player->is_waiting
      || is_among (worker, (const Pid *) (gpointer) player->mine->data,
                   player->mine->len))
    return;
  let_give (player->pid, worker);
}

static void
kill_worker (void)
{
  Pid worker = pick (workers);

  if (worker == PID_NONE)
    return;
  kill_and_wait (worker);
  get_status (); /* has another one by now */
  worker_died (worker);
}

/* In what order two of its workers would come back, nobody says. */
static void
kill_player (void)
{
  Player *player = any_player ();
  Pid worker = pick (player->mine);

  if (player->mine->len > 1)
    return;
  kill_and_wait (player->pid);
  if (player->is_waiting)
    g_ptr_array_remove (line, player);
  player->is_waiting = FALSE;
  g_array_set_size (player->mine, 0);
  player->pid = consumer_new ();
  if (worker != PID_NONE)
    come_back (worker);
}

/* On real threads one would have to wait for what comes next. */
static void
break_down (void)
{
  if (time_is_simulated ())
    g_atomic_int_set (&lives.n_to_fail, -1);
}

/* Long enough for the next try, and for those who are slow to hear of it. */
static void
let_it_try (void)
{
  for (guint i = 0; i < 20; i++) {
    time_pass (11000);
    get_status ();
  }
  fill_up ();
}

static void
repair (void)
{
  g_atomic_int_set (&lives.n_to_fail, 0);
  if (is_ill)
    let_it_try ();
}

/* Whoever is kept has been so for long enough.  On real threads it would be;
 * and an ill pool would try too often. */
static void
rest (void)
{
  if (!time_is_simulated () || is_ill)
    return;
  time_pass (2 * DAY_MS);
  time_is_over ();
  while (get_status ().overflow != get_overflow ())
    process_sleep (1);
}

static void (*const steps[]) (void) = {
  take_one,     take_one,     take_one,     take_one,       wait_for_one,
  wait_for_one, wait_for_one, wait_for_one, wait_too_short, give_one,
  give_one,     give_one,     give_one,     give_wrong_one, kill_worker,
  kill_worker,  kill_player,  kill_player,  rest,           break_down,
  repair,       repair,
};

/* FROM BEGIN TO END */

static void
begin (void)
{
  config = elastic (choose_class (), &lives, 1 + test_random (3),
                    test_random (3));
  if (test_random (2) == 0)
    config.overflow_ttl_ms = time_is_simulated () ? DAY_MS : G_MAXINT;
  config.strategy = test_random (2) == 0 ? POOLY_LIFO : POOLY_FIFO;
  start_elastic (&config);
  time_hold ();
  for (guint i = 0; i < N_PLAYERS; i++)
    players[i] = (Player) { .pid = consumer_new (),
                            .mine = g_array_new (FALSE, FALSE, sizeof (Pid)) };
  idle = g_array_new (FALSE, FALSE, sizeof (Idle));
  line = g_ptr_array_new ();
  n_workers = 0;
  seen = g_array_new (FALSE, FALSE, sizeof (Pid));
  workers = g_array_new (FALSE, FALSE, sizeof (Pid));
  expected = g_array_new (FALSE, FALSE, sizeof (Expected));
  fill_up ();
  assert_is_so ();
}

/* Some are lent what others leave, and then leave, too. */
static void
end_players (void)
{
  Message report;

  for (guint i = 0; i < N_PLAYERS; i++) {
    kill_and_wait (players[i].pid);
    g_array_unref (players[i].mine);
  }
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  while (process_receive (&report, 0))
    message_clear (&report);
}

/* When all have left, the overflow is back at zero. */
static void
end (void)
{
  repair ();
  assert_is_so ();
  end_players ();
  if (time_is_simulated ())
    time_pass (2 * DAY_MS);
  time_free ();
  if (config.overflow_ttl_ms == 0 || time_is_simulated ())
    end_elastic (&config);
  else
    stop_elastic (&config);
  g_array_unref (idle);
  g_ptr_array_unref (line);
  g_array_unref (seen);
  g_array_unref (workers);
  g_array_unref (expected);
}

void
test_race_model (void)
{
  begin ();
  for (guint i = 0; i < N_STEPS; i++) {
    steps[test_random (G_N_ELEMENTS (steps))]();
    if (is_ill && !is_one_missing ())
      let_it_try (); /* in vain or not, it finds nothing to do */
    assert_is_so ();
  }
  end ();
}

#endif
