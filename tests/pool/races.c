/* Deaths at the wrong moment.  Each of these is the shortest way to meet one
 * race; in a simulation it is met in one order or another, a seed each.  What
 * must be true in the end is the same in all of them: there are as many workers
 * as there were, and each can be had once. */
#include "scenarios.h"
#include "simulation.h"

#define SIZE 3

static Lives lives;

/* Whether workers start and end on the thread of whoever waits for that is left
 * to chance. */
static void
begin (guint size)
{
  static const GenServerClass *const classes[] = { &mortal_class,
                                                   &short_mortal_class };

  lives = (Lives) { 0 };
  start_pool (classes[test_random (G_N_ELEMENTS (classes))], &lives, size);
}

static void
stop (void)
{
  stop_simulated ();
  g_assert_cmpint (lives.n_over, ==, lives.n_begun);
  test_end ();
}

/* Everybody who was to die is dead, and the server has been told.  But a zombie
 * may just be sending something.  And when the server comes to what the dead
 * have sent, it may lend to them, and be told of that death once more: hence it
 * is asked twice. */
static void
end (guint size)
{
  PoolyStatus earlier;
  Pid workers[SIZE];

  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  g_assert_true (face_status (&earlier, NULL));
  assert_status (size, 0);
  g_assert_cmpuint (count_children (FACE_WORKER_SUPERVISOR), ==, size);
  take_all (workers, size);
  stop ();
}

enum { READY = 1 };

static void
take_and_wait (gpointer test)
{
  Message message;

  face_checkout (NULL);
  process_send (POINTER_TO_PID (test), (Message) { .tag = READY });
  process_receive (&message, -1);
}

void
test_race_consumer_dies_at_checkout (void)
{
  Pid test = process_self (), consumer;
  Message message;

  begin (1);
  consumer = spawn ("consumer", take_and_wait, PID_TO_POINTER (test));
  kill_and_wait (consumer);
  process_receive (&message, 0); /* or it did not come so far */
  end (1);
}

static void
take_tell_and_check_in (gpointer test)
{
  Pid worker = take ();

  process_send (POINTER_TO_PID (test), (Message) { .tag = READY });
  face_checkin (worker);
}

void
test_race_consumer_dies_at_checkin (void)
{
  Pid test = process_self (), consumer;

  begin (1);
  consumer = spawn ("consumer", take_tell_and_check_in, PID_TO_POINTER (test));
  test_receive (READY);
  kill_and_wait (consumer);
  end (1);
}

static void
take_check_in_and_tell (gpointer test)
{
  face_checkin (take ());
  process_send (POINTER_TO_PID (test), (Message) { .tag = READY });
}

/* The worker is lent again while its last consumer dies. */
void
test_race_checkin_then_die (void)
{
  Pid test = process_self (), consumer, worker;

  begin (1);
  consumer = spawn ("consumer", take_check_in_and_tell, PID_TO_POINTER (test));
  test_receive (READY);
  worker = take ();
  wait_for (consumer);
  assert_status (0, 1);
  face_checkin (worker);
  end (1);
}

/* Returns: an idle worker, of a pool that has but one */
static Pid
find_idle (void)
{
  Pid worker = take ();

  face_checkin (worker);
  return worker;
}

/* From version 4 on a pool does not lend the dead; so it may have none. */
static Pid
take_while_one_dies (void)
{
  g_autoptr (GError) error = NULL;
  Pid worker = face_checkout (&error);

  if (POOLY_VERSION < 4
      || !g_error_matches (error, POOLY_ERROR, POOLY_ERROR_FULL))
    g_assert_no_error (error);
  return worker;
}

/* The one who dies, or the one who replaces it. */
void
test_race_worker_dies_at_checkout (void)
{
  Pid dying, lent;

  begin (1);
  dying = find_idle ();
  spawn_killer (dying);
  lent = take_while_one_dies ();
  wait_for (dying);
  if (lent == dying || lent == PID_NONE)
    assert_status (1, 0);
  else
    assert_status (0, 1);
  if (lent != PID_NONE)
    face_checkin (lent);
  end (1);
}

void
test_race_worker_dies_at_checkin (void)
{
  Pid worker;

  begin (1);
  worker = take ();
  spawn_killer (worker);
  face_checkin (worker);
  wait_for (worker);
  end (1);
}

/* A call to the worker is answered, or fails: none waits for the dead. */
void
test_race_idle_worker_dies_while_lent (void)
{
  g_autoptr (GError) error = NULL;
  Message reply = { 0 };
  Pid dying, lent;

  begin (1);
  dying = find_idle ();
  spawn_killer (dying);
  lent = take_while_one_dies ();
  if (gen_server_call (lent, (Message) { .tag = 1 }, -1, &reply, &error))
    g_assert_cmpint (reply.tag, ==, LIVES_ANSWER);
  else if (!g_error_matches (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_NOPROC))
    g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_assert_true (error == NULL || lent == dying || lent == PID_NONE);
  if (lent != PID_NONE)
    face_checkin (lent);
  wait_for (dying);
  end (1);
}

/* Starting another takes longer than whoever asks the server something else will
 * wait: that one is told so, and not made to start it. */
void
test_race_replacement_takes_its_time (void)
{
  Pid dying, server;
  g_autofree char *text = NULL;

  begin (1);
  server = process_whereis (FACE_SERVER);
  dying = find_idle ();
  process_exit (dying, REASON_KILL);
  text = gen_server_describe (server, 1);
  wait_for (dying);
  end (1);
}

static void
kill_children (gpointer pid)
{
  Pid *victim = pid;
  Pid supervisor = process_whereis (FACE_WORKER_SUPERVISOR);
  g_autoptr (GArray) children = supervisor_which_children (supervisor, NULL);

  for (guint i = 0; children != NULL && i < children->len; i++) {
    *victim = g_array_index (children, ChildInfo, i).pid;
    process_exit (*victim, REASON_KILL);
  }
}

/* The server may not even have linked to it. */
void
test_race_new_worker_dies (void)
{
  Pid old, victim = PID_NONE, killer;

  begin (1);
  old = find_idle ();
  killer = spawn ("killer", kill_children, &victim);
  kill_and_wait (old);
  wait_for (killer);
  wait_for (victim);
  end (1);
}

void
test_race_all_workers_die_at_once (void)
{
  Pid workers[SIZE];

  begin (SIZE);
  take_all (workers, SIZE);
  for (guint i = 0; i < SIZE; i++)
    spawn_killer (workers[i]);
  check_in_all (workers, SIZE);
  for (guint i = 0; i < SIZE; i++)
    wait_for (workers[i]);
  end (SIZE);
}

typedef struct {
  Pid test;
  Pid worker;
} Consumer;

static void
take_tell_and_wait (gpointer data)
{
  Consumer *consumer = data;
  Message message;

  consumer->worker = take ();
  process_send (consumer->test, (Message) { .tag = READY });
  process_receive (&message, -1);
}

void
test_race_consumer_and_worker_die_together (void)
{
  Consumer consumer = { .test = process_self () };
  Pid pid;

  begin (1);
  pid = spawn ("consumer", take_tell_and_wait, &consumer);
  test_receive (READY);
  spawn_killer (consumer.worker);
  kill_and_wait (pid);
  wait_for (consumer.worker);
  end (1);
}

static void
send_exit_to (gpointer pid)
{
  process_exit (POINTER_TO_PID (pid), crash ());
}

/* Nobody whom the server knows, and so none of its business. */
void
test_race_stranger_sends_exit (void)
{
  Pid server, worker, stranger;

  begin (1);
  server = process_whereis (FACE_SERVER);
  stranger = spawn ("stranger", send_exit_to, PID_TO_POINTER (server));
  worker = take ();
  wait_for (stranger);
  assert_status (0, 1);
  face_checkin (worker);
  g_assert_cmpuint (process_whereis (FACE_SERVER), ==, server);
  end (1);
}

/* Nobody answers that, so it has a limit. */
static void
call_unknown (gpointer server)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (gen_server_call (POINTER_TO_PID (server),
                                   (Message) { .tag = 12345 }, 1, NULL,
                                   &error));
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_TIMEOUT);
}

void
test_race_stranger_calls (void)
{
  Pid server, worker, stranger;

  begin (1);
  server = process_whereis (FACE_SERVER);
  stranger = spawn ("stranger", call_unknown, PID_TO_POINTER (server));
  worker = take ();
  wait_for (stranger);
  assert_status (0, 1);
  face_checkin (worker);
  g_assert_cmpuint (process_whereis (FACE_SERVER), ==, server);
  end (1);
}

/* A replacement may be starting meanwhile, or may not start any more. */
void
test_race_worker_dies_at_stop (void)
{
  begin (1);
  spawn_killer (find_idle ());
  stop ();
}

/* Its call ends, in a worker or in an error; and the pool comes back whole. */
void
test_race_server_dies_at_checkout (void)
{
  g_autoptr (GError) error = NULL;
  Pid server, worker;
  PoolyStatus status = { 0 };

  begin (1);
  server = process_whereis (FACE_SERVER);
  spawn_killer (server);
  worker = face_checkout (&error);
  if (worker == PID_NONE)
    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_DOWN);
  wait_for (server);
  face_checkin (worker);
  while (process_whereis (FACE_SERVER) == server
         || !face_status (&status, NULL))
    process_sleep (1);
  end (1);
}

/* RANDOM OPERATIONS */

#define N_CONSUMERS 3
#define N_OPERATIONS 8

typedef struct {
  guint32 seed;
  Pid     pid;
  GArray *mine; /* Pid of worker */
  GRand  *chance;
} Player;

static Player players[N_CONSUMERS];
static GMutex mutex; /* not held where anybody else might go on */
/* mutex protects: */
static GHashTable *owners; /* Pid of worker → Pid of its consumer, or of none */
static GArray *seen;       /* Pid of worker, of all that were ever lent */

static guint
draw (Player *self, guint n)
{
  return (guint) g_rand_int_range (self->chance, 0, (gint32) n);
}

/* Returns: the owner there was */
static Pid
exchange_owner (Pid worker, Pid owner)
{
  gpointer key = PID_TO_POINTER (worker), old;

  g_mutex_lock (&mutex);
  old = g_hash_table_lookup (owners, key);
  if (!g_hash_table_contains (owners, key))
    g_array_append_val (seen, worker);
  g_hash_table_insert (owners, key, PID_TO_POINTER (owner));
  g_mutex_unlock (&mutex);
  return POINTER_TO_PID (old);
}

/* Who is dead has nothing, and a zombie does not know yet that it is. */
static void
claim (Player *self, Pid worker)
{
  Pid owner = exchange_owner (worker, self->pid);
  gboolean is_lent_twice = owner != PID_NONE && process_is_alive (owner);

  g_assert_true (!is_lent_twice || process_is_dying ());
  g_array_append_val (self->mine, worker);
}

static Pid
pick_mine (Player *self, gboolean is_given_back)
{
  guint which;
  Pid worker;

  if (self->mine->len == 0)
    return PID_NONE;
  which = draw (self, self->mine->len);
  worker = g_array_index (self->mine, Pid, which);
  if (is_given_back)
    g_array_remove_index_fast (self->mine, which);
  return worker;
}

static Pid
pick_any (Player *self)
{
  Pid worker = PID_NONE;

  g_mutex_lock (&mutex);
  if (seen->len > 0)
    worker = g_array_index (seen, Pid, draw (self, seen->len));
  g_mutex_unlock (&mutex);
  return worker;
}

static void
check_out (Player *self)
{
  g_autoptr (GError) error = NULL;
  Pid worker = face_checkout (&error);

  if (worker != PID_NONE)
    claim (self, worker);
  else if (!process_is_dying ())
    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_FULL);
}

static void
check_in (Player *self)
{
  Pid worker = pick_mine (self, TRUE);

  if (worker == PID_NONE)
    return;
  exchange_owner (worker, PID_NONE);
  face_checkin (worker);
}

static void
check_in_another_s (Player *self)
{
  Pid worker = pick_any (self);

  if (!is_among (worker, (Pid *) (gpointer) self->mine->data, self->mine->len))
    face_checkin (worker);
}

static void
kill_mine (Player *self)
{
  process_exit (pick_mine (self, FALSE), REASON_KILL);
}

static void
kill_any (Player *self)
{
  process_exit (pick_any (self), crash ());
}

static void
kill_player (Player *self)
{
  const Player *player = &players[draw (self, N_CONSUMERS)];
  Pid pid;

  g_mutex_lock (&mutex);
  pid = player->pid;
  g_mutex_unlock (&mutex);
  process_exit (pid, REASON_KILL);
}

static void
send_exit (Player *self G_GNUC_UNUSED)
{
  send_exit_to (PID_TO_POINTER (process_whereis (FACE_SERVER)));
}

static void
ask_status (Player *self G_GNUC_UNUSED)
{
  PoolyStatus status = { 0 };

  if (face_status (&status, NULL))
    g_assert_cmpuint (status.idle + status.busy, <=, SIZE);
  else
    g_assert_true (process_is_dying ());
}

static void (*const operations[]) (Player *self) = {
  check_out, check_out, check_out, check_in,   check_in,           kill_mine,
  kill_any,  kill_any,  send_exit, ask_status, check_in_another_s, kill_player,
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

static void
play_all (void)
{
  Pid pids[N_CONSUMERS];

  for (guint i = 0; i < N_CONSUMERS; i++)
    players[i] = (Player) { .seed = test_random (G_MAXINT32) };
  for (guint i = 0; i < N_CONSUMERS; i++)
    pids[i] = spawn ("consumer", play, &players[i]);
  for (guint i = 0; i < N_CONSUMERS; i++)
    wait_for (pids[i]);
}

void
test_race_random_operations (void)
{
  Pid server;

  begin (SIZE);
  server = process_whereis (FACE_SERVER);
  owners = g_hash_table_new (NULL, NULL);
  seen = g_array_new (FALSE, FALSE, sizeof (Pid));
  play_all ();
  g_assert_cmpuint (process_whereis (FACE_SERVER), ==, server);
  end (SIZE);
  g_clear_pointer (&owners, g_hash_table_unref);
  g_clear_pointer (&seen, g_array_unref);
}
