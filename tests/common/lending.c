/* Lending: who waits for a short server runs it on its own thread.
 *
 * Some handlers here break their promise and stand in a door although their
 * message is short: how else could a test hold a lent thread?
 */
#include "helper.h"

enum {
  NOTE = 1,   /* notes number and thread */
  SLOW,       /* the same, but is not short */
  STAND,      /* in the door that is `data` */
  SLOW_STAND, /* the same, but is not short */
  ASK,        /* asks `pid`, for `number` ms */
  TELL,       /* casts to `pid`, and opens the gate that is `data` */
  SIGN_OFF,   /* STAND, and then tells `pid` so */
  STOP,
  WATCH, /* monitors `pid`; at its end asks the one whose pid is `data` */
  DONE,
  HEARD
};

typedef struct {
  GArray *numbers; /* what was noted, in order */
} Server;

/* The threads on which each callback ran last, and as whom. */
typedef struct {
  GThread *thread;
  Pid      self;
} Place;

static struct {
  Place init, call, cast, info, terminate, finalize, describe;
} places;

static Reason crash;

/* Two servers may note at the same time. */
static void
note_place (Place *place)
{
  g_atomic_pointer_set (&place->thread, g_thread_self ());
  g_atomic_pointer_set (&place->self, process_self ());
}

static gboolean
is_short (gconstpointer state, const Message *message)
{
  (void) state;
  return message->tag != SLOW && message->tag != SLOW_STAND;
}

static gboolean
server_init (gpointer state, gconstpointer args, GError **error)
{
  Server *self = state;

  (void) error;
  note_place (&places.init);
  self->numbers = g_array_new (FALSE, FALSE, sizeof (gint64));
  if (args != NULL)
    door_stand ((Door *) args);
  return TRUE;
}

static gint64
ask (Pid pid, int tag, int timeout_ms)
{
  g_autoptr (GError) error = NULL;

  if (gen_server_call (pid, (Message) { .tag = tag }, timeout_ms, NULL, &error))
    return -1;
  return error->code;
}

static void
note (Server *self, const Message *message)
{
  g_array_append_val (self->numbers, message->number);
}

static void
handle_call (gpointer state, Message *request, From from)
{
  Message reply = { .tag = DONE };

  note_place (&places.call);
  switch (request->tag) {
  case NOTE:
  case SLOW:
    note (state, request);
    break;
  case STAND:
  case SLOW_STAND:
    door_stand (request->data);
    break;
  case SIGN_OFF:
    door_stand (request->data);
    g_assert_false (process_is_dying ());
    process_send (request->pid, (Message) { .tag = HEARD });
    break;
  case ASK:
    reply.number = ask (request->pid, NOTE, (int) request->number);
    break;
  case STOP:
    gen_server_stop (request->reason);
    return;
  default:
    g_assert_not_reached ();
  }
  gen_server_reply (from, reply);
}

static void
handle_cast (gpointer state, Message *request)
{
  note_place (&places.cast);
  if (request->tag == STAND || request->tag == SLOW_STAND)
    door_stand (request->data);
  else
    note (state, request);
}

static void
handle_info (gpointer state, Message *message)
{
  note_place (&places.info);
  note (state, message);
}

static void
server_terminate (gpointer state, Reason reason)
{
  (void) state;
  (void) reason;
  note_place (&places.terminate);
}

static void
server_finalize (gpointer state)
{
  Server *self = state;

  note_place (&places.finalize);
  g_clear_pointer (&self->numbers, g_array_unref);
}

static void
server_describe (gpointer state, GString *text)
{
  Server *self = state;

  note_place (&places.describe);
  for (guint i = 0; i < self->numbers->len; i++)
    g_string_append_printf (text, "%s%" G_GINT64_FORMAT, i > 0 ? " " : "",
                            g_array_index (self->numbers, gint64, i));
}

#define CALLBACKS \
  .state_size = sizeof (Server), .init = server_init, \
  .handle_call = handle_call, .handle_cast = handle_cast, \
  .handle_info = handle_info, .terminate = server_terminate, \
  .finalize = server_finalize, .describe = server_describe

static const GenServerClass short_class = { .name = "Short",
                                            .is_short = is_short,
                                            CALLBACKS };

static const GenServerClass long_class = { .name = "Long", CALLBACKS };

static Pid
start (const GenServerClass *klass)
{
  g_autoptr (GError) error = NULL;
  Pid pid = gen_server_start (klass, NULL, NULL, &error);

  g_assert_no_error (error);
  return pid;
}

static void
kill_and_wait (Pid pid)
{
  process_exit (pid, REASON_KILL);
  g_assert_true (process_wait_end (pid, test_limit ()));
}

static Caller *
occupy (Pid server, int tag, Door *door)
{
  Caller *caller = caller_start (server, (Message) { .tag = tag, .data = door },
                                 test_limit ());

  gate_wait (&door->entered);
  return caller;
}

static void
release (Caller *caller, Door *door)
{
  gate_open (&door->leave);
  caller_wait (caller);
  g_assert_no_error (caller->error);
}

#define assert_here(callback) \
  g_assert_true (places.callback.thread == g_thread_self ())
#define assert_elsewhere(callback) \
  g_assert_true (places.callback.thread != g_thread_self ())

/* WHOSE THREAD */

static void
test_lending_call_runs_on_the_callers_thread (void)
{
  Pid pid = start (&short_class);

  for (guint i = 0; i < 100; i++) {
    places.call.thread = NULL;
    test_call (pid, (Message) { .tag = NOTE });
    assert_here (call);
  }
  kill_and_wait (pid);
  test_end ();
}

static gpointer
call_from_thread (gpointer data)
{
  test_call (POINTER_TO_PID (data), (Message) { .tag = NOTE });
  assert_here (call);
  return NULL;
}

static void
test_lending_any_callers_thread (void)
{
  Pid pid = start (&short_class);

  for (guint i = 0; i < 10; i++) {
    g_thread_join (
      g_thread_new ("caller", call_from_thread, PID_TO_POINTER (pid)));
    assert_elsewhere (call);
  }
  kill_and_wait (pid);
  test_end ();
}

static void
test_lending_cast_runs_on_the_casters_thread (void)
{
  Pid pid = start (&short_class);

  for (guint i = 0; i < 100; i++) {
    places.cast.thread = NULL;
    gen_server_cast (pid, (Message) { .tag = NOTE });
    assert_here (cast);
  }
  kill_and_wait (pid);
  test_end ();
}

static void
test_lending_is_not_for_a_long_class (void)
{
  Pid pid = start (&long_class);

  assert_elsewhere (init);
  test_call (pid, (Message) { .tag = NOTE });
  assert_elsewhere (call);
  gen_server_cast (pid, (Message) { .tag = NOTE });
  test_call (pid, (Message) { .tag = NOTE });
  assert_elsewhere (cast);
  kill_and_wait (pid);
  assert_elsewhere (finalize);
  test_end ();
}

/* A class may be short for some of its messages. */
static void
test_lending_is_not_for_a_long_message (void)
{
  Pid pid = start (&short_class);

  test_call (pid, (Message) { .tag = SLOW });
  assert_elsewhere (call);
  test_wait_idle (pid);
  test_call (pid, (Message) { .tag = NOTE });
  assert_here (call);
  gen_server_cast (pid, (Message) { .tag = SLOW });
  test_call (pid, (Message) { .tag = SLOW });
  assert_elsewhere (cast);
  kill_and_wait (pid);
  test_end ();
}

/* Who starts a short server runs its init, who ends it its finalize. */
static void
test_lending_starts_and_ends_it (void)
{
  Pid pid = start (&short_class);

  assert_here (init);
  process_exit (pid, crash);
  assert_here (finalize);
  test_end ();
}

static void
assert_place (Place place, Pid self)
{
  g_assert_true (place.thread == g_thread_self ());
  g_assert_cmpuint (place.self, ==, self);
}

/* Whoever's thread it is. */
static void
test_lending_self_is_the_server (void)
{
  Pid pid = start (&short_class), self = process_self ();
  g_autofree char *text = NULL;

  assert_place (places.init, pid);
  test_call (pid, (Message) { .tag = NOTE });
  assert_place (places.call, pid);
  gen_server_cast (pid, (Message) { .tag = NOTE });
  assert_place (places.cast, pid);
  text = gen_server_describe (pid, test_limit ());
  assert_place (places.describe, pid);
  g_assert_false (gen_server_call (pid,
                                   (Message) { .tag = STOP, .reason = crash },
                                   -1, NULL, NULL));
  assert_place (places.terminate, pid);
  assert_place (places.finalize, pid);
  g_assert_cmpuint (process_self (), ==, self);
  test_end ();
}

/* So are its cancellable and its death. */

typedef struct {
  Door     door;
  gboolean was_dying, was_cancelled;
} Look;

static void
look_handle_call (gpointer state, Message *request, From from)
{
  Look *look = request->data;

  (void) state;
  door_stand (&look->door);
  look->was_dying = process_is_dying ();
  look->was_cancelled = g_cancellable_is_cancelled (process_cancellable ());
  gen_server_reply (from, (Message) { .tag = DONE });
}

static const GenServerClass look_class = { .name = "Look",
                                           .is_short = is_short,
                                           .handle_call = look_handle_call };

static void
test_lending_death_is_the_servers (void)
{
  static Look server_dies, caller_dies;
  Pid pid = start (&look_class);
  g_autoptr (Caller) first = NULL, second = NULL;

  first = caller_start (pid, (Message) { .data = &caller_dies }, -1);
  gate_wait (&caller_dies.door.entered);
  process_exit (first->pid, crash);
  gate_open (&caller_dies.door.leave);
  caller_wait (first);
  g_assert_false (caller_dies.was_dying);
  g_assert_false (caller_dies.was_cancelled);

  second = caller_start (pid, (Message) { .data = &server_dies }, -1);
  gate_wait (&server_dies.door.entered);
  process_exit (pid, crash);
  gate_open (&server_dies.door.leave);
  caller_wait (second);
  g_assert_true (server_dies.was_dying);
  g_assert_true (server_dies.was_cancelled);
  test_end ();
}

/* QUEUES */

static char *
get_numbers (Pid pid)
{
  return gen_server_describe (pid, test_limit ());
}

/* What was there before is handled before. */
static void
test_lending_comes_after_what_is_queued (void)
{
  static Door door;
  Pid pid = start (&short_class);
  g_autoptr (Caller) caller = occupy (pid, SLOW_STAND, &door);
  g_autofree char *numbers = NULL;

  gen_server_cast (pid, (Message) { .tag = NOTE, .number = 1 });
  process_send (pid, (Message) { .tag = NOTE, .number = 2 });
  gen_server_cast (pid, (Message) { .tag = SLOW, .number = 3 });
  gen_server_cast (pid, (Message) { .tag = NOTE, .number = 4 });
  release (caller, &door);
  test_call (pid, (Message) { .tag = NOTE, .number = 5 });
  numbers = get_numbers (pid);
  g_assert_cmpstr (numbers, ==, "1 2 3 4 5");
  kill_and_wait (pid);
  test_end ();
}

static Pid interrupted;

static gboolean
interrupt (gconstpointer state, const Message *message)
{
  if (message->tag == SLOW)
    process_send (interrupted, (Message) { .tag = NOTE, .number = 2 });
  return is_short (state, message);
}

/* What comes while the server is asked whether a message is short stands behind
 * that one: the EXIT of who has sent it, say. */
static void
test_lending_comes_before_what_interrupts (void)
{
  GenServerClass klass = short_class;
  g_autofree char *numbers = NULL;

  klass.is_short = interrupt;
  interrupted = start (&klass);
  test_call (interrupted, (Message) { .tag = SLOW, .number = 1 });
  numbers = get_numbers (interrupted);
  g_assert_true (g_str_has_prefix (numbers, "1 2"));
  kill_and_wait (interrupted);
  test_end ();
}

/* A relay casts and then calls, inside its handler: the cast is queued, and
 * run with the call by whoever is quicker, a shared thread or the caller. */

static void
relay_handle_call (gpointer state, Message *request, From from)
{
  (void) state;
  gen_server_cast (request->pid, (Message) { .tag = NOTE, .number = 1 });
  test_call (request->pid, (Message) { .tag = NOTE, .number = 2 });
  gen_server_reply (from, (Message) { .tag = DONE });
}

static const GenServerClass relay_class = { .name = "Relay",
                                            .is_short = is_short,
                                            .handle_call = relay_handle_call };

static void
test_lending_takes_over_a_queued_server (void)
{
  Pid relay = start (&relay_class);
  gint64 deadline = g_get_monotonic_time () + 1000 * (gint64) test_limit ();
  gboolean was_taken_over = FALSE;

  while (!was_taken_over) {
    Pid pid = start (&short_class);
    g_autofree char *numbers = NULL;

    test_call (relay, (Message) { .pid = pid });
    was_taken_over = places.cast.thread == g_thread_self ();
    numbers = get_numbers (pid);
    g_assert_cmpstr (numbers, ==, "1 2");
    kill_and_wait (pid);
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
  }
  kill_and_wait (relay);
  test_end ();
}

/* A teller casts inside its handler: the thread that is lent to it handles that,
 * too, when the teller is done. */

typedef struct {
  Pid      other;
  gboolean is_telling;
  gboolean is_nested;
  Pid      lender;
  GThread *thread;
} Tale;

static Pid
get_lender (Pid pid)
{
  g_autoptr (GArray) list = process_list ();

  for (guint i = 0; i < list->len; i++)
    if (g_array_index (list, ProcessInfo, i).pid == pid)
      return g_array_index (list, ProcessInfo, i).lender;
  return PID_NONE;
}

static void
listener_handle_cast (gpointer state, Message *request)
{
  Tale *tale = request->data;

  (void) state;
  tale->is_nested = tale->is_telling;
  tale->thread = g_thread_self ();
  tale->lender = get_lender (process_self ());
}

static void
teller_handle_call (gpointer state, Message *request, From from)
{
  Tale *tale = request->data;

  (void) state;
  tale->is_telling = TRUE;
  gen_server_cast (tale->other, (Message) { .data = tale });
  tale->is_telling = FALSE;
  gen_server_reply (from, (Message) { .tag = DONE });
}

static const GenServerClass listener_class = {
  .name = "Listener", .is_short = is_short, .handle_cast = listener_handle_cast
};

static const GenServerClass teller_class = {
  .name = "Teller", .is_short = is_short, .handle_call = teller_handle_call
};

static void
test_lending_casts_do_not_nest (void)
{
  Pid teller = start (&teller_class), listener = start (&listener_class);

  for (guint i = 0; i < 100; i++) {
    Tale tale = { .other = listener };

    test_call (teller, (Message) { .data = &tale });
    g_assert_true (tale.thread == g_thread_self ());
    g_assert_cmpuint (tale.lender, ==, process_self ());
    g_assert_false (tale.is_nested);
  }
  kill_and_wait (listener);
  kill_and_wait (teller);
  test_end ();
}

/* A teller casts to somebody who is dead by the time its turn comes: it is the
 * turn of another one with the same slot, a function.  The thread that was lent
 * to the teller must not become that one's. */

typedef struct {
  Pid      victim;
  Pid      functions[1100]; /* more than there are slots */
  GThread *lender;
  gint     n_nested; /* atomic */
} Heritage;

static void
note_nested (gpointer data)
{
  Heritage *heritage = data;

  if (g_thread_self () == heritage->lender)
    g_atomic_int_inc (&heritage->n_nested);
}

static void
heritage_handle_call (gpointer state, Message *request, From from)
{
  Heritage *heritage = request->data;

  (void) state;
  gen_server_cast (heritage->victim, (Message) { .tag = NOTE });
  kill_and_wait (heritage->victim);
  for (guint i = 0; i < G_N_ELEMENTS (heritage->functions); i++)
    heritage->functions[i] = process_spawn (note_nested, heritage, NULL);
  gen_server_reply (from, (Message) { .tag = DONE });
}

static const GenServerClass heritage_class = {
  .name = "Heritage", .is_short = is_short, .handle_call = heritage_handle_call
};

static void
test_lending_is_not_for_who_has_the_slot_now (void)
{
  Pid teller = start (&heritage_class);
  Heritage heritage = { .victim = start (&short_class),
                        .lender = g_thread_self () };

  test_call (teller, (Message) { .data = &heritage });
  for (guint i = 0; i < G_N_ELEMENTS (heritage.functions); i++)
    process_wait_end (heritage.functions[i], -1);
  kill_and_wait (teller);
  test_end ();
  g_assert_cmpint (heritage.n_nested, ==, 0);
}

/* A teller that does not come back keeps the one to whom it has cast from nobody
 * else, nor from others who have that one's slot later. */

static void
stuck_handle_call (gpointer state, Message *request, From from)
{
  (void) state;
  gen_server_cast (request->pid, (Message) { .tag = NOTE });
  door_stand (request->data);
  gen_server_reply (from, (Message) { .tag = DONE });
}

static const GenServerClass stuck_class = { .name = "Stuck",
                                            .is_short = is_short,
                                            .handle_call = stuck_handle_call };

static void
do_nothing (gpointer data)
{
  (void) data;
}

static void
test_lending_does_not_keep_from_others (void)
{
  static Door door;
  static Pid functions[1100]; /* more than there are slots */
  Pid teller = start (&stuck_class), other = start (&short_class);
  Message request = { .pid = other, .data = &door };
  Caller *caller = caller_start (teller, request, test_limit ());

  gate_wait (&door.entered);
  test_call (other, (Message) { .tag = SLOW });
  gen_server_cast (other, (Message) { .tag = NOTE });
  kill_and_wait (other);
  for (guint i = 0; i < G_N_ELEMENTS (functions); i++)
    functions[i] = process_spawn (do_nothing, NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (functions); i++)
    g_assert_true (process_wait_end (functions[i], test_limit ()));
  release (caller, &door);
  caller_free (caller);
  kill_and_wait (teller);
  test_end ();
}

/* A link of a chain asks the next one, and adds one to its answer. */

static Pid *chain;

static void
chain_handle_call (gpointer state, Message *request, From from)
{
  Pid next = chain[request->number];
  Message reply = { .tag = DONE };

  (void) state;
  if (next != PID_NONE)
    reply = test_call (next, (Message) { .number = request->number + 1 });
  reply.number++;
  gen_server_reply (from, reply);
}

static const GenServerClass chain_class = { .name = "Chain",
                                            .is_short = is_short,
                                            .handle_call = chain_handle_call };

static gpointer
ask_chain (gpointer data)
{
  gint64 *number = data;

  *number = test_call (chain[0], (Message) { .number = 1 }).number;
  return NULL;
}

/* Deeper than the caller's stack is: another thread takes over at last. */
static void
test_lending_has_a_flat_stack (void)
{
  guint count = test_scaled (300);
  gint64 number = 0;

  chain = g_new0 (Pid, count + 1);
  for (guint i = 0; i < count; i++)
    chain[i] = start (&chain_class);
  test_on_small_stack (ask_chain, &number);
  g_assert_cmpint (number, ==, count);
  for (guint i = 0; i < count; i++)
    kill_and_wait (chain[i]);
  g_free (chain);
  test_end ();
}

/* A counter that only one thread may touch at a time, run by eight, and by
 * the shared ones. */

typedef struct {
  gint64   count;
  gboolean is_inside;
} Counter;

static gint64 counted;

static gboolean
counter_is_short (gconstpointer state, const Message *message)
{
  (void) state;
  return message->number % 7 != 0;
}

static void
count_one (gpointer state, Message *message)
{
  Counter *self = state;

  (void) message;
  g_assert_false (self->is_inside);
  self->is_inside = TRUE;
  self->count++;
  if (self->count % 64 == 0)
    test_spin (5);
  self->is_inside = FALSE;
}

static void
counter_handle_call (gpointer state, Message *request, From from)
{
  count_one (state, request);
  gen_server_reply (from, (Message) { .tag = DONE });
}

static void
counter_finalize (gpointer state)
{
  Counter *self = state;

  g_assert_false (self->is_inside);
  counted = self->count;
}

static const GenServerClass counter_class = {
  .name = "Counter",
  .state_size = sizeof (Counter),
  .is_short = counter_is_short,
  .handle_call = counter_handle_call,
  .handle_cast = count_one,
  .handle_info = count_one,
  .finalize = counter_finalize,
};

enum { HAMMERS = 8 };

static gpointer
hammer (gpointer data)
{
  Pid pid = POINTER_TO_PID (data);
  guint count = test_scaled (10000);

  for (guint i = 1; i <= count; i++) {
    Message message = { .number = i };

    if (i % 8 == 0)
      process_send (pid, message);
    else if (i % 8 == 1)
      test_call (pid, message);
    else
      gen_server_cast (pid, message);
  }
  return NULL;
}

static void
test_lending_never_two_at_once (void)
{
  Pid pid = start (&counter_class);
  GThread *threads[HAMMERS];

  for (guint i = 0; i < HAMMERS; i++)
    threads[i] = g_thread_new ("hammer", hammer, PID_TO_POINTER (pid));
  for (guint i = 0; i < HAMMERS; i++)
    g_thread_join (threads[i]);
  g_assert_true (
    gen_server_stop_sync (pid, REASON_NORMAL, test_limit (), NULL));
  g_assert_cmpint (counted, ==, HAMMERS * (gint64) test_scaled (10000));
  test_end ();
}

/* LIMITS hold, whatever the server is doing */

static void
check_limits_hold (Pid pid)
{
  gint64 begin = g_get_monotonic_time ();

  g_assert_cmpint (ask (pid, NOTE, 0), ==, GEN_SERVER_ERROR_TIMEOUT);
  g_assert_cmpint (ask (pid, NOTE, 10), ==, GEN_SERVER_ERROR_TIMEOUT);
  g_assert_cmpint (ask (pid, SLOW, 10), ==, GEN_SERVER_ERROR_TIMEOUT);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 20000);
  gen_server_cast (pid, (Message) { .tag = NOTE });
  gen_server_cast (pid, (Message) { .tag = SLOW });
}

static void
test_limits_hold_on_anothers_lent_thread (void)
{
  static Door door;
  Pid pid = start (&short_class);
  g_autoptr (Caller) caller = occupy (pid, STAND, &door);

  check_limits_hold (pid);
  release (caller, &door);
  kill_and_wait (pid);
  test_end ();
}

static void
test_limits_hold_on_a_shared_thread (void)
{
  static Door door;
  Pid pid = start (&short_class);
  g_autoptr (Caller) caller = occupy (pid, SLOW_STAND, &door);

  check_limits_hold (pid);
  release (caller, &door);
  kill_and_wait (pid);
  test_end ();
}

typedef struct {
  const GenServerClass *klass;
  Door                  door;
} Init;

static gpointer
start_in_door (gpointer data)
{
  Init *init = data;
  g_autoptr (GError) error = NULL;

  gen_server_start (init->klass, "Slow", &init->door, &error);
  g_assert_no_error (error);
  return NULL;
}

static void
check_limits_hold_in_init (const GenServerClass *klass)
{
  static Init init;
  GThread *starter;
  Pid pid;

  init.klass = klass;
  starter = g_thread_new ("starter", start_in_door, &init);
  gate_wait (&init.door.entered);
  pid = process_whereis ("Slow");
  g_assert_cmpuint (pid, !=, PID_NONE);
  check_limits_hold (pid);
  gate_open (&init.door.leave);
  g_thread_join (starter);
  kill_and_wait (pid);
  test_end ();
}

static void
test_limits_hold_in_a_slow_init (void)
{
  check_limits_hold_in_init (&long_class);
}

static void
test_limits_hold_in_a_slow_init_on_a_lent_thread (void)
{
  check_limits_hold_in_init (&short_class);
}

/* Its callers are told of the death when it has been finalized: those who
 * would not wait so long hear before. */

static Door finalize_door;

static void
slow_handle_call (gpointer state, Message *request, From from)
{
  (void) state;
  (void) from;
  gate_open (request->data);
}

static void
slow_finalize (gpointer state)
{
  (void) state;
  door_stand (&finalize_door);
}

static const GenServerClass slow_class = {
  .name = "Slow",
  .handle_call = slow_handle_call,
  .finalize = slow_finalize,
};

static gpointer
kill_idle (gpointer data)
{
  test_wait_idle (POINTER_TO_PID (data));
  process_exit (POINTER_TO_PID (data), REASON_KILL);
  return NULL;
}

static void
test_limits_hold_in_a_slow_finalize (void)
{
  static Gate asked;
  Pid pid = start (&slow_class);
  g_autoptr (Caller) caller = caller_start (pid, (Message) { .data = &asked },
                                            50);
  GThread *killer;

  gate_wait (&asked);
  killer = g_thread_new ("killer", kill_idle, PID_TO_POINTER (pid));
  gate_wait (&finalize_door.entered);
  caller_wait (caller);
  g_assert_error (caller->error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_TIMEOUT);
  g_assert_cmpint (ask (pid, NOTE, -1), ==, GEN_SERVER_ERROR_NOPROC);
  gen_server_cast (pid, (Message) { .tag = NOTE });
  gate_open (&finalize_door.leave);
  g_thread_join (killer);
  test_end ();
}

/* A calls B, B calls A, both on the thread of A's caller. */

static void
chat_handle_call (gpointer state, Message *request, From from)
{
  Message reply = { .tag = DONE };
  Pid *others = request->data;

  (void) state;
  if (request->number == 1)
    reply = test_call (others[1], (Message) { .number = 2, .data = others });
  if (request->number == 2)
    reply.number = ask (others[0], NOTE, 20);
  gen_server_reply (from, reply);
}

static const GenServerClass chat_class = { .name = "Chat",
                                           .is_short = is_short,
                                           .handle_call = chat_handle_call };

static void
test_limits_hold_when_two_call_each_other (void)
{
  Pid pids[] = { start (&chat_class), start (&chat_class) };

  g_assert_cmpint (
    test_call (pids[0], (Message) { .number = 1, .data = pids }).number, ==,
    GEN_SERVER_ERROR_TIMEOUT);
  test_call (pids[0], (Message) { .number = 0, .data = pids });
  kill_and_wait (pids[0]);
  kill_and_wait (pids[1]);
  test_end ();
}

static gpointer
ask_for_ever (gpointer data)
{
  Pid *pids = data;

  for (guint i = 0; i < 20; i++)
    g_assert_cmpint (
      test_call (pids[0], (Message) { .tag = ASK, .pid = pids[1], .number = 5 })
        .tag,
      ==, DONE);
  return NULL;
}

/* Two threads, each on its way to the other's server. */
static void
test_limits_hold_when_two_lend_to_each_other (void)
{
  Pid one = start (&short_class), other = start (&short_class);
  Pid ways[2][2] = { { one, other }, { other, one } };
  GThread *thread = g_thread_new ("other", ask_for_ever, ways[1]);

  ask_for_ever (ways[0]);
  g_thread_join (thread);
  kill_and_wait (one);
  kill_and_wait (other);
  test_end ();
}

/* A caller has its answer, and is left two casts of the server's to see to.  The
 * first takes until the caller's time is over: so the second is not its. */

typedef struct {
  Pid      others[2];
  gint64   until; /* the first one's work */
  Gate     done;
  GThread *thread; /* the second one's */
} Errands;

static void
errand_handle_call (gpointer state, Message *request, From from)
{
  Errands *errands = request->data;

  (void) state;
  for (int i = 0; i < 2; i++)
    gen_server_cast (errands->others[i],
                     (Message) { .number = i, .data = errands });
  gen_server_reply (from, (Message) { .tag = DONE });
}

static void
errand_handle_cast (gpointer state, Message *request)
{
  Errands *errands = request->data;

  (void) state;
  while (request->number == 0 && g_get_monotonic_time () < errands->until)
    test_spin (100);
  if (request->number == 0)
    return;
  errands->thread = g_thread_self ();
  gate_open (&errands->done);
}

static const GenServerClass errand_class = {
  .name = "Errand",
  .is_short = is_short,
  .handle_call = errand_handle_call,
  .handle_cast = errand_handle_cast
};

static void
test_limits_hold_for_what_a_handler_casts (void)
{
  static Errands errands;
  Pid server = start (&errand_class);
  const int limit_ms = 50;

  errands.others[0] = start (&errand_class);
  errands.others[1] = start (&errand_class);
  errands.until = g_get_monotonic_time () + 1000 * 2 * limit_ms;
  gen_server_call (server, (Message) { .data = &errands }, limit_ms, NULL,
                   NULL);
  gate_wait (&errands.done);
  g_assert_true (errands.thread != g_thread_self ());
  kill_and_wait (errands.others[0]);
  kill_and_wait (errands.others[1]);
  kill_and_wait (server);
  test_end ();
}

/* What a lent handler waits for, it waits for as long as it wants to, whoever is
 * in a hurry; the one who lent has its answer late. */
static void
test_limits_of_the_lender_are_not_the_servers (void)
{
  static Door door;
  Pid busy = start (&long_class), pid = start (&short_class);
  g_autoptr (Caller) caller = occupy (busy, STAND, &door);
  g_autoptr (Caller) hasty = caller_start (
    pid, (Message) { .tag = ASK, .pid = busy, .number = -1 }, 0);

  test_wait_messages (busy, 1);
  release (caller, &door);
  caller_wait (hasty);
  g_assert_no_error (hasty->error);
  g_assert_cmpint (hasty->reply.number, ==, -1);
  kill_and_wait (pid);
  kill_and_wait (busy);
  test_end ();
}

/* DEATHS on lent threads */

/* The others hear at once, the one who lent when the handler returns. */
static void
test_death_of_the_server_on_a_lent_thread (void)
{
  static Door door;
  Pid pid = start (&short_class);
  g_autoptr (Caller) lender = occupy (pid, STAND, &door);
  g_autoptr (Caller) other = caller_start (pid, (Message) { .tag = NOTE }, -1);

  test_wait_messages (pid, 1);
  process_monitor (pid, NULL);
  process_exit (pid, crash);
  g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, crash);
  caller_wait (other);
  g_assert_error (other->error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_assert_cmpuint (process_wait_gone (0, NULL), ==, 1);

  gate_open (&door.leave);
  caller_wait (lender);
  g_assert_false (lender->answered);
  g_assert_error (lender->error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_assert_cmpuint (lender->reply.reason, ==, crash);
  test_end ();
}

/* It has no say over the server, whose handler goes on, with effect. */
static void
test_death_of_the_lender_is_its_own (void)
{
  static Door door;
  Pid pid = start (&short_class);
  g_autoptr (Caller) lender = caller_start (
    pid, (Message) { .tag = SIGN_OFF, .pid = process_self (), .data = &door },
    -1);

  gate_wait (&door.entered);
  process_monitor (lender->pid, NULL);
  process_exit (lender->pid, crash);
  g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, crash);
  g_assert_true (process_is_alive (pid));

  gate_open (&door.leave);
  g_assert_cmpuint (test_receive (HEARD).sender, ==, pid);
  caller_wait (lender);
  g_assert_error (lender->error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_assert_cmpuint (lender->reply.reason, ==, crash);
  test_call (pid, (Message) { .tag = NOTE });
  kill_and_wait (pid);
  test_end ();
}

/* A short server's handler calls on, lent, and dies there; who lent the thread
 * to it is alive and waits for both. */
static void
test_death_in_the_middle_of_nested_calls (void)
{
  static Door door;
  Pid inner = start (&long_class), outer = start (&short_class);
  g_autoptr (Caller) occupant = occupy (inner, STAND, &door);
  g_autoptr (Caller) caller = caller_start (
    outer, (Message) { .tag = ASK, .pid = inner, .number = -1 }, -1);

  test_wait_messages (inner, 1);
  process_exit (outer, crash);
  caller_wait (caller);
  g_assert_error (caller->error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_assert_cmpuint (caller->reply.reason, ==, crash);
  release (occupant, &door);
  test_call (inner, (Message) { .tag = NOTE });
  kill_and_wait (inner);
  test_end ();
}

/* One heir asks the other, who has heard as well, by a message that is not short:
 * so both are the killer's to run, and one waits there for the other. */

static void
heir_handle_call (gpointer state G_GNUC_UNUSED, Message *request, From from)
{
  if (request->tag == WATCH)
    process_monitor (request->pid, request->data);
  gen_server_reply (from, (Message) { .tag = DONE });
}

static void
heir_handle_info (gpointer state G_GNUC_UNUSED, Message *down)
{
  if (down->data == NULL)
    return;
  note_place (&places.info);
  g_assert_cmpint (ask (POINTER_TO_PID (down->data), SLOW, -1), ==, -1);
}

static const GenServerClass heir_class = { .name = "Heir",
                                           .is_short = is_short,
                                           .handle_call = heir_handle_call,
                                           .handle_info = heir_handle_info };

static void
test_death_is_heard_on_the_killers_thread (void)
{
  Pid victim = start (&short_class);
  Pid heir = start (&heir_class), other = start (&heir_class);

  places.info.thread = NULL;
  test_call (heir, (Message) { .tag = WATCH,
                               .pid = victim,
                               .data = PID_TO_POINTER (other) });
  test_call (other, (Message) { .tag = WATCH, .pid = victim });
  process_exit (victim, crash);
  assert_here (info);
  kill_and_wait (heir);
  kill_and_wait (other);
  test_end ();
}

#define LENDING(path, name) \
  g_test_add_func ("/lending/" path, test_lending_##name)
#define LIMITS(path, name) \
  g_test_add_func ("/lending/limits/" path, test_limits_##name)
#define DEATH(path, name) \
  g_test_add_func ("/lending/death/" path, test_death_##name)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  crash = g_quark_from_static_string ("crash");

  LENDING ("call-runs-on-the-callers-thread", call_runs_on_the_callers_thread);
  LENDING ("any-callers-thread", any_callers_thread);
  LENDING ("cast-runs-on-the-casters-thread", cast_runs_on_the_casters_thread);
  LENDING ("is-not-for-a-long-class", is_not_for_a_long_class);
  LENDING ("is-not-for-a-long-message", is_not_for_a_long_message);
  LENDING ("starts-and-ends-it", starts_and_ends_it);
  LENDING ("self-is-the-server", self_is_the_server);
  LENDING ("death-is-the-servers", death_is_the_servers);
  LENDING ("comes-after-what-is-queued", comes_after_what_is_queued);
  LENDING ("comes-before-what-interrupts", comes_before_what_interrupts);
  LENDING ("takes-over-a-queued-server", takes_over_a_queued_server);
  LENDING ("casts-do-not-nest", casts_do_not_nest);
  LENDING ("is-not-for-who-has-the-slot-now", is_not_for_who_has_the_slot_now);
  LENDING ("does-not-keep-from-others", does_not_keep_from_others);
  LENDING ("has-a-flat-stack", has_a_flat_stack);
  LENDING ("never-two-at-once", never_two_at_once);
  LIMITS ("hold-for-what-a-handler-casts", hold_for_what_a_handler_casts);
  LIMITS ("hold-on-anothers-lent-thread", hold_on_anothers_lent_thread);
  LIMITS ("hold-on-a-shared-thread", hold_on_a_shared_thread);
  LIMITS ("hold-in-a-slow-init", hold_in_a_slow_init);
  LIMITS ("hold-in-a-slow-init-on-a-lent-thread",
          hold_in_a_slow_init_on_a_lent_thread);
  LIMITS ("hold-in-a-slow-finalize", hold_in_a_slow_finalize);
  LIMITS ("hold-when-two-call-each-other", hold_when_two_call_each_other);
  LIMITS ("hold-when-two-lend-to-each-other", hold_when_two_lend_to_each_other);
  LIMITS ("of-the-lender-are-not-the-servers",
          of_the_lender_are_not_the_servers);
  DEATH ("of-the-server-on-a-lent-thread", of_the_server_on_a_lent_thread);
  DEATH ("of-the-lender-is-its-own", of_the_lender_is_its_own);
  DEATH ("in-the-middle-of-nested-calls", in_the_middle_of_nested_calls);
  DEATH ("is-heard-on-the-killers-thread", is_heard_on_the_killers_thread);
  return g_test_run ();
}
