/* gen_server: starting, calling, stopping.
 *
 * Each test runs twice: with a class that is short, whose handlers run on
 * their callers' threads, and with one that is not.
 */
#include "helper.h"

enum {
  PING = 1, /* answered with number + 1 */
  LATER,    /* kept, until ANSWER */
  ANSWER,
  ANSWER_OLD, /* ANSWER, and then this one */
  DELEGATE,   /* answered by the process `pid` */
  ECHO,       /* answered with its own data */
  TWICE,      /* answered twice */
  SILENT,     /* never answered */
  STAND,      /* in the door that is `data`, then answered */
  ASK,        /* asks `pid` in turn, for `number` ms */
  CHAT,       /* sends the caller a message, then answers */
  STOP,
  ANSWER_AND_STOP,
  DONE,
  HEARD,
  STARTED
};

/* What was seen of the servers of a test. */
static struct {
  gint     n_init, n_terminate, n_finalize, n_info, n_cast; /* atomic */
  Reason   terminated;
  Reason   heard;     /* in a PROCESS_EXIT */
  gboolean was_taken; /* the answer that ANSWER gave */
} seen;

#define count(what) g_atomic_int_inc (&seen.what)
#define get(what) g_atomic_int_get (&seen.what)

typedef struct {
  gboolean fails;
  gboolean traps;
  Door    *door; /* (nullable): where init stands */
} Args;

typedef struct {
  Args args;
  From kept;
} Server;

static Reason crash;

static gboolean
always_short (gconstpointer state, const Message *message)
{
  (void) state;
  (void) message;
  return TRUE;
}

static gboolean
server_init (gpointer state, gconstpointer args, GError **error)
{
  Server *self = state;

  count (n_init);
  g_assert_cmpuint (self->kept.pid, ==, 0);
  g_assert_null (self->args.door);
  if (args == NULL)
    return TRUE;
  self->args = *(const Args *) args;
  process_trap_exits (self->args.traps);
  if (self->args.door != NULL)
    door_stand (self->args.door);
  if (!self->args.fails)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "no luck");
  return FALSE;
}

static gint64
ask (Pid pid, int timeout_ms)
{
  g_autoptr (GError) error = NULL;

  if (gen_server_call (pid, (Message) { .tag = PING }, timeout_ms, NULL,
                       &error))
    return -1;
  return error->code;
}

static void
handle_call (gpointer state, Message *request, From from)
{
  Server *self = state;
  Message done = { .tag = DONE };

  switch (request->tag) {
  case PING:
    gen_server_reply (from,
                      (Message) { .tag = PING, .number = request->number + 1 });
    break;
  case LATER:
    self->kept = from;
    if (request->data != NULL)
      gate_open (request->data);
    break;
  case ANSWER_OLD:
    g_assert_false (gen_server_reply (self->kept, (Message) { .tag = PING }));
    gen_server_reply (from, done);
    break;
  case DELEGATE:
    process_send (request->pid, (Message) { .pid = from.pid, .ref = from.ref });
    break;
  case ECHO:
    done.data = message_take_data (request);
    done.free_data = test_count;
    gen_server_reply (from, done);
    break;
  case TWICE:
    g_assert_true (gen_server_reply (from, done));
    g_assert_false (
      gen_server_reply (from, (Message) { .tag = PING,
                                          .data = request->data,
                                          .free_data = test_count }));
    break;
  case SILENT:
    break;
  case STAND:
    door_stand (request->data);
    gen_server_reply (from, done);
    break;
  case ASK:
    done.number = ask (request->pid, (int) request->number);
    gen_server_reply (from, done);
    break;
  case CHAT:
    process_send (from.pid, (Message) { .tag = HEARD });
    gen_server_reply (from, done);
    break;
  case ANSWER_AND_STOP:
    gen_server_reply (from, done);
    gen_server_stop (request->reason);
    break;
  case STOP:
    gen_server_stop (request->reason);
    break;
  default:
    g_assert_not_reached ();
  }
}

static void
handle_cast (gpointer state, Message *request)
{
  Server *self = state;

  count (n_cast);
  switch (request->tag) {
  case ANSWER:
    seen.was_taken = gen_server_reply (
      self->kept,
      (Message) { .tag = DONE,
                  .data = request->data,
                  .free_data = request->data != NULL ? test_count : NULL });
    break;
  case STOP:
    gen_server_stop (request->reason);
    process_send (request->sender, (Message) { .tag = HEARD });
    break;
  }
}

static void
handle_info (gpointer state, Message *message)
{
  (void) state;
  count (n_info);
  if (message->tag == PROCESS_EXIT)
    seen.heard = message->reason;
}

static void
terminate (gpointer state, Reason reason)
{
  (void) state;
  g_assert_cmpint (get (n_finalize), ==, 0);
  g_assert_true (process_is_alive (process_self ()));
  count (n_terminate);
  seen.terminated = reason;
}

static void
finalize (gpointer state)
{
  (void) state;
  count (n_finalize);
}

static void
describe (gpointer state, GString *text)
{
  (void) state;
  g_string_append_printf (text, PID_FORMAT " is well",
                          PID_ARGS (process_self ()));
}

#define CALLBACKS \
  .state_size = sizeof (Server), .init = server_init, \
  .handle_call = handle_call, .handle_cast = handle_cast, \
  .handle_info = handle_info, .terminate = terminate, .finalize = finalize, \
  .describe = describe

static const GenServerClass short_class = { .name = "Short",
                                            .is_short = always_short,
                                            CALLBACKS };

static const GenServerClass long_class = { .name = "Long", CALLBACKS };

static Pid
start (gconstpointer klass)
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

/* A caller in whose call the server is busy, until the door is opened. */
static Caller *
occupy (Pid server, Door *door)
{
  Caller *caller = caller_start (server,
                                 (Message) { .tag = STAND, .data = door },
                                 test_limit ());

  gate_wait (&door->entered);
  return caller;
}

static void
assert_answered (Caller *caller)
{
  caller_wait (caller);
  g_assert_no_error (caller->error);
  g_assert_true (caller->answered);
  g_assert_cmpint (caller->reply.tag, ==, DONE);
}

static void
assert_call_is_down (Caller *caller, Reason reason)
{
  caller_wait (caller);
  g_assert_false (caller->answered);
  g_assert_error (caller->error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_assert_cmpstr (g_quark_to_string (caller->reply.reason), ==,
                   g_quark_to_string (reason));
}

static void
assert_down (Reason reason)
{
  g_assert_cmpstr (g_quark_to_string (test_receive (PROCESS_DOWN).reason), ==,
                   g_quark_to_string (reason));
}

/* STARTING */

static void
test_start_runs_init (gconstpointer klass)
{
  Args args = { .traps = TRUE };
  g_autoptr (GError) error = NULL;
  Pid pid = gen_server_start (klass, "Server", &args, &error);

  g_assert_no_error (error);
  g_assert_cmpint (seen.n_init, ==, 1);
  g_assert_cmpuint (process_whereis ("Server"), ==, pid);
  kill_and_wait (pid);
  g_assert_cmpint (seen.n_finalize, ==, 1);
  test_end ();
}

static void
check_init_fails (const GenServerClass *klass, gboolean with_link)
{
  Args args = { .fails = TRUE };
  g_autoptr (GError) error = NULL;
  Pid pid = with_link ? gen_server_start_link (klass, "Server", &args, &error)
                      : gen_server_start (klass, "Server", &args, &error);

  g_assert_cmpuint (pid, ==, PID_NONE);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_cmpstr (error->message, ==, "no luck");
  g_assert_cmpuint (process_whereis ("Server"), ==, PID_NONE);
}

/* By then it has been finalized, once, and its name is free. */
static void
test_start_gives_inits_own_error (gconstpointer klass)
{
  check_init_fails (klass, FALSE);
  g_assert_cmpint (get (n_finalize), ==, 1);
  check_init_fails (klass, TRUE);
  g_assert_cmpint (get (n_finalize), ==, 2);
  g_assert_cmpint (get (n_terminate), ==, 0);
  test_end ();
}

/* Nor does it take the starter along, which does not trap here. */
static void
test_start_that_fails_leaves_the_parent_alone (gconstpointer klass)
{
  check_init_fails (klass, TRUE);
  g_assert_false (process_is_dying ());
  test_end ();
}

static void
test_start_that_fails_leaves_no_exit (gconstpointer klass)
{
  process_trap_exits (TRUE);
  for (guint i = 0; i < 100; i++)
    check_init_fails (klass, TRUE);
  test_end ();
}

static Door init_door;

static gpointer
kill_in_init (gpointer data)
{
  Door *door = data;
  Pid pid;

  gate_wait (&door->entered);
  pid = process_whereis ("Server");
  g_assert_cmpuint (pid, !=, PID_NONE);
  process_exit (pid, crash);
  g_assert_false (process_is_alive (pid));
  return NULL;
}

static gpointer
kill_in_init_and_let_go (gpointer data)
{
  kill_in_init (data);
  gate_open (&((Door *) data)->leave);
  return NULL;
}

/* When init returns, for until then it may read its args. */
static void
test_start_killed_in_init_fails (gconstpointer klass)
{
  static Door door;
  static Args args = { .door = &door };
  GThread *killer = g_thread_new ("killer", kill_in_init_and_let_go, &door);
  g_autoptr (GError) error = NULL;

  process_trap_exits (TRUE);
  g_assert_cmpuint (gen_server_start_link (klass, "Server", &args, &error), ==,
                    PID_NONE);
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_INIT);
  g_thread_join (killer);
  g_assert_cmpint (get (n_finalize), ==, 1);
  g_assert_cmpint (get (n_terminate), ==, 0);
  test_end ();
}

/* A slow reader looks at its args for the second time when it may go on. */

typedef struct {
  Door                  door;
  const GenServerClass *klass;
  gboolean              is_over; /* start has returned: these are gone */
} SlowArgs;

static gboolean
read_slowly (gpointer state, gconstpointer args, GError **error)
{
  const SlowArgs *slow = args;

  (void) state;
  (void) error;
  door_stand ((Door *) &slow->door);
  g_assert_false (slow->is_over);
  return TRUE;
}

static void
start_slow_reader (gpointer data)
{
  SlowArgs *slow = data;

  g_assert_cmpuint (gen_server_start_link (slow->klass, NULL, slow, NULL), ==,
                    PID_NONE);
  slow->is_over = TRUE;
}

/* The starter is dead at once, but start returns when init does. */
static void
test_start_outlasts_the_starters_death (gconstpointer klass)
{
  GenServerClass slow_class = {
    .name = "Slow",
    .is_short = ((const GenServerClass *) klass)->is_short,
    .init = read_slowly
  };
  SlowArgs slow = { .klass = &slow_class };
  Pid starter = process_spawn (start_slow_reader, &slow, NULL);

  gate_wait (&slow.door.entered);
  process_exit (starter, REASON_KILL);
  g_assert_true (process_wait_end (starter, 0));
  process_wait_gone (20, NULL); /* time enough to do it wrong */
  gate_open (&slow.door.leave);
  test_end ();
}

static gpointer
start_in_init_door (gpointer klass)
{
  static Args args;

  args.door = &init_door;
  g_assert_cmpuint (gen_server_start (klass, "Server", &args, NULL), ==,
                    PID_NONE);
  return NULL;
}

/* Nobody gets it, not even the next process in that place. */
static void
test_start_killed_in_init_drops_what_waits (gconstpointer klass)
{
  GThread *starter = g_thread_new ("starter", start_in_init_door,
                                   (gpointer) klass);
  g_autoptr (Caller) caller = NULL;
  gint freed = 0;
  Message message = { .tag = PING, .data = &freed, .free_data = test_count };
  Pid pid;

  gate_wait (&init_door.entered);
  pid = process_whereis ("Server");
  process_send (pid, message);
  gen_server_cast (pid, message);
  caller = caller_start (pid, (Message) { .tag = PING }, -1);
  process_exit (pid, crash);
  caller_wait (caller);
  g_assert_nonnull (caller->error);
  gate_open (&init_door.leave);
  g_thread_join (starter);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&freed), ==, 2);
  g_assert_cmpint (get (n_finalize), ==, 1);
  test_end ();
}

static gint has_ended; /* atomic: the storm is over */

static gpointer
kill_by_name (gpointer data)
{
  Pid last = PID_NONE;

  (void) data;
  while (!g_atomic_int_get (&has_ended)) {
    Pid pid = process_whereis ("Server");

    if (pid == last || pid == PID_NONE)
      continue;
    process_exit (pid, REASON_KILL);
    last = pid;
  }
  return NULL;
}

/* Before init, in it, or after it: finalized once each time. */
static void
test_start_killed_at_any_moment_finalizes_once (gconstpointer klass)
{
  guint count = test_scaled (2000), n_failed = 0;
  GThread *killer = g_thread_new ("killer", kill_by_name, NULL);

  process_trap_exits (TRUE);
  for (guint i = 0; i < count; i++) {
    g_autoptr (GError) error = NULL;
    Pid pid = gen_server_start_link (klass, "Server", NULL, &error);

    if (pid == PID_NONE) {
      g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_INIT);
      n_failed++;
    } else {
      process_exit (pid, REASON_KILL);
      g_assert_cmpuint (test_receive (PROCESS_EXIT).pid, ==, pid);
    }
  }
  g_atomic_int_set (&has_ended, TRUE);
  g_thread_join (killer);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  g_assert_cmpint (get (n_finalize), ==, (gint) count);
  g_assert_cmpint (get (n_init), <=, (gint) count);
  g_assert_cmpint (get (n_init), >=, (gint) (count - n_failed));
  test_end ();
}

static void
test_start_with_a_taken_name_fails (gconstpointer klass)
{
  Pid first = gen_server_start (klass, "Server", NULL, NULL);
  g_autoptr (GError) error = NULL;

  process_trap_exits (TRUE);
  g_assert_cmpuint (gen_server_start_link (klass, "Server", NULL, &error), ==,
                    PID_NONE);
  g_assert_error (error, NAMES_ERROR, NAMES_ERROR_TAKEN);
  g_assert_cmpint (get (n_init), ==, 1);
  g_assert_cmpuint (process_whereis ("Server"), ==, first);
  kill_and_wait (first);
  test_end ();
}

static gboolean
find_oneself (gpointer state, gconstpointer args, GError **error)
{
  (void) state;
  (void) args;
  (void) error;
  g_assert_cmpuint (process_whereis ("Finder"), ==, process_self ());
  count (n_init);
  return TRUE;
}

static void
test_start_registers_before_init (gconstpointer klass)
{
  GenServerClass finder_class = {
    .name = "Finder",
    .is_short = ((const GenServerClass *) klass)->is_short,
    .init = find_oneself
  };
  Pid pid = gen_server_start (&finder_class, "Finder", NULL, NULL);

  g_assert_cmpint (get (n_init), ==, 1);
  kill_and_wait (pid);
  test_end ();
}

/* A planner notes what it handles. */

static struct {
  Door   door;
  gint64 notes[4];
  guint  n_notes;
} planner;

static gboolean
planner_init (gpointer state, gconstpointer args, GError **error)
{
  (void) state;
  (void) args;
  (void) error;
  door_stand (&planner.door);
  process_send (process_self (), (Message) { .number = 1 });
  process_send (process_self (), (Message) { .number = 2 });
  return TRUE;
}

static void
planner_handle (gpointer state, Message *message)
{
  (void) state;
  planner.notes[planner.n_notes++] = message->number;
}

static void
planner_handle_call (gpointer state, Message *request, From from)
{
  planner_handle (state, request);
  gen_server_reply (from, (Message) { .tag = DONE });
}

static gpointer
start_planner (gpointer klass)
{
  g_assert_cmpuint (gen_server_start (klass, "Planner", NULL, NULL), !=,
                    PID_NONE);
  return NULL;
}

/* Before everything that others send, though they may know its name. */
static void
test_start_handles_first_what_init_sends_itself (gconstpointer klass)
{
  GenServerClass planner_class = {
    .name = "Planner",
    .is_short = ((const GenServerClass *) klass)->is_short,
    .init = planner_init,
    .handle_call = planner_handle_call,
    .handle_cast = planner_handle,
    .handle_info = planner_handle
  };
  GThread *starter = g_thread_new ("starter", start_planner, &planner_class);
  Pid pid;

  gate_wait (&planner.door.entered);
  pid = process_whereis ("Planner");
  process_send (pid, (Message) { .number = 3 });
  gate_open (&planner.door.leave);
  test_call (pid, (Message) { .number = 4 });
  g_thread_join (starter);
  g_assert_cmpuint (planner.n_notes, ==, 4);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpint (planner.notes[i], ==, i + 1);
  kill_and_wait (pid);
  test_end ();
}

/* A parent starts a child in a handler, and its child asks it something as soon
 * as it has started: the parent's handler has to be over first. */

static struct {
  const GenServerClass *child_class;
  Pid                   parent;
  int                   answer;
} curious;

static gboolean
curious_init (gpointer state, gconstpointer args, GError **error)
{
  (void) state;
  (void) args;
  (void) error;
  process_send (process_self (), (Message) { .tag = PING });
  return TRUE;
}

static void
curious_handle_info (gpointer state, Message *message)
{
  (void) state;
  (void) message;
  curious.answer = test_call (curious.parent, (Message) { .tag = PING }).tag;
}

static void
curious_parent_handle_call (gpointer state, Message *request, From from)
{
  Pid child = PID_NONE;

  (void) state;
  if (request->tag != PING)
    child = gen_server_start_link (curious.child_class, NULL, NULL, NULL);
  gen_server_reply (from, (Message) { .tag = DONE, .pid = child });
}

static void
curious_handle_call (gpointer state, Message *request, From from)
{
  (void) state;
  (void) request;
  gen_server_reply (from, (Message) { .tag = curious.answer });
}

static void
test_start_is_over_before_the_next_message (gconstpointer klass)
{
  GenServerClass child_class = {
    .name = "Curious",
    .is_short = ((const GenServerClass *) klass)->is_short,
    .init = curious_init,
    .handle_call = curious_handle_call,
    .handle_info = curious_handle_info
  };
  GenServerClass parent_class = { .name = "Parent",
                                  .is_short = child_class.is_short,
                                  .handle_call = curious_parent_handle_call };
  Pid child;

  curious.child_class = &child_class;
  curious.parent = start (&parent_class);
  child = test_call (curious.parent, (Message) { .tag = DONE }).pid;
  g_assert_cmpint (test_call (child, (Message) { .tag = PING }).tag, ==, DONE);
  kill_and_wait (curious.parent);
  g_assert_true (process_wait_end (child, test_limit ()));
  test_end ();
}

/* A class needs no callbacks. */
static void
test_start_needs_a_name_only (void)
{
  static const GenServerClass plain_class = { .name = "Plain" };
  Pid pid = start (&plain_class);

  g_assert_cmpint (ask (pid, 0), ==, GEN_SERVER_ERROR_TIMEOUT);
  gen_server_cast (pid, (Message) { .tag = PING });
  process_send (pid, (Message) { .tag = PING });
  g_assert_null (gen_server_describe (pid, test_limit ()));
  g_assert_true (
    gen_server_stop_sync (pid, REASON_NORMAL, test_limit (), NULL));
  test_end ();
}

/* PARENTS */

typedef struct {
  const GenServerClass *klass;
  Args                  args;
  Pid                   owner;
} Family;

/* A parent starts a child, and ends when it is sent something. */
static void
be_parent (gpointer data)
{
  Family *family = data;
  g_autoptr (GError) error = NULL;
  Message message = { 0 };
  Pid child = gen_server_start_link (family->klass, NULL, &family->args,
                                     &error);

  g_assert_no_error (error);
  process_send (family->owner, (Message) { .tag = STARTED, .pid = child });
  while (process_receive (&message, -1) && message.tag != STOP)
    process_exit (child, message.reason);
}

static Pid
start_family (gconstpointer klass, gboolean traps, Pid *child)
{
  static Family family;
  Message message;

  family = (Family) { .klass = klass,
                      .args.traps = traps,
                      .owner = process_self () };
  process_spawn (be_parent, &family, NULL);
  message = test_receive (STARTED);
  *child = message.pid;
  return message.sender;
}

static void
end_parent (Pid parent, Reason reason)
{
  if (reason == REASON_NORMAL)
    process_send (parent, (Message) { .tag = STOP });
  else
    process_exit (parent, reason);
  g_assert_true (process_wait_end (parent, test_limit ()));
}

static void
test_parent_that_crashes_ends_its_child (gconstpointer klass)
{
  Pid child, parent = start_family (klass, FALSE, &child);

  process_monitor (child, NULL);
  end_parent (parent, crash);
  assert_down (crash);
  g_assert_cmpint (get (n_terminate), ==, 0);
  test_end ();
}

static void
test_parent_that_ends_normally_leaves_its_child (gconstpointer klass)
{
  Pid child, parent = start_family (klass, FALSE, &child);

  end_parent (parent, REASON_NORMAL);
  test_call (child, (Message) { .tag = PING });
  kill_and_wait (child);
  test_end ();
}

static void
check_trapping_child (gconstpointer klass, Reason reason, Reason expected)
{
  Pid child, parent = start_family (klass, TRUE, &child);

  memset (&seen, 0, sizeof seen);
  process_monitor (child, NULL);
  end_parent (parent, reason);
  assert_down (expected);
  g_assert_cmpint (get (n_terminate), ==, 1);
  g_assert_cmpuint (seen.terminated, ==, expected);
  g_assert_cmpint (get (n_info), ==, 0);
}

/* It has trapped the signal, but who would stop it now? */
static void
test_parent_that_ends_ends_a_trapping_child (gconstpointer klass)
{
  check_trapping_child (klass, REASON_NORMAL, REASON_NORMAL);
  check_trapping_child (klass, REASON_SHUTDOWN, REASON_SHUTDOWN);
  check_trapping_child (klass, crash, crash);
  check_trapping_child (klass, REASON_KILL, REASON_KILLED);
  test_end ();
}

/* So a supervisor stops its children. */
static void
test_parent_that_says_exit_ends_a_trapping_child (gconstpointer klass)
{
  Pid child, parent = start_family (klass, TRUE, &child);

  process_monitor (child, NULL);
  process_send (parent, (Message) { .reason = REASON_SHUTDOWN });
  assert_down (REASON_SHUTDOWN);
  g_assert_cmpint (get (n_terminate), ==, 1);
  g_assert_cmpuint (seen.terminated, ==, REASON_SHUTDOWN);
  g_assert_true (process_wait_end (parent, test_limit ()));
  test_end ();
}

/* From anybody else it is a message like others. */
static void
test_parent_is_who_started_it (gconstpointer klass)
{
  Pid child, parent = start_family (klass, TRUE, &child);

  process_exit (child, crash);
  test_call (child, (Message) { .tag = PING });
  g_assert_cmpint (get (n_info), ==, 1);
  g_assert_cmpuint (seen.heard, ==, crash);
  g_assert_cmpint (get (n_terminate), ==, 0);
  end_parent (parent, crash);
  g_assert_true (process_wait_end (child, test_limit ()));
  test_end ();
}

typedef struct {
  Door door;
  Pid  pid;
} Starting;

static void
start_in_door (gpointer data)
{
  Starting *starting = data;
  Args args = { .door = &starting->door };
  g_autoptr (GError) error = NULL;

  starting->pid = process_self ();
  g_assert_cmpuint (gen_server_start_link (&long_class, "Server", &args,
                                           &error),
                    ==, PID_NONE);
  g_assert_nonnull (error);
}

/* Its child goes with it. */
static void
test_parent_killed_while_it_starts_a_child (void)
{
  static Starting starting;

  process_spawn (start_in_door, &starting, NULL);
  gate_wait (&starting.door.entered);
  process_monitor (process_whereis ("Server"), NULL);
  process_exit (starting.pid, crash);
  assert_down (crash);
  gate_open (&starting.door.leave);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  g_assert_cmpint (get (n_finalize), ==, 1);
  test_end ();
}

/* CALLING */

static void
test_call_is_answered (gconstpointer klass)
{
  Pid pid = start (klass);

  for (gint64 i = 0; i < 100; i++)
    g_assert_cmpint (
      test_call (pid, (Message) { .tag = PING, .number = i }).number, ==,
      i + 1);
  kill_and_wait (pid);
  test_end ();
}

static void
test_call_is_answered_later (gconstpointer klass)
{
  static Gate kept;
  Pid pid = start (klass);
  g_autoptr (Caller) caller = caller_start (
    pid, (Message) { .tag = LATER, .data = &kept }, -1);

  gate_wait (&kept);
  test_call (pid, (Message) { .tag = PING });
  gen_server_cast (pid, (Message) { .tag = ANSWER });
  assert_answered (caller);
  test_call (pid, (Message) { .tag = PING });
  g_assert_true (seen.was_taken);
  kill_and_wait (pid);
  test_end ();
}

static void
answer_for_another (gpointer data)
{
  Message message = { 0 };

  (void) data;
  g_assert_true (process_receive (&message, -1));
  g_assert_true (
    gen_server_reply ((From) { .pid = message.pid, .ref = message.ref },
                      (Message) { .tag = DONE }));
}

static void
test_call_is_answered_by_another (gconstpointer klass)
{
  Pid pid = start (klass);
  Pid other = process_spawn_monitor (answer_for_another, NULL, NULL, NULL,
                                     NULL);
  Message reply = test_call (pid, (Message) { .tag = DELEGATE, .pid = other });

  g_assert_cmpint (reply.tag, ==, DONE);
  assert_down (REASON_NORMAL);
  kill_and_wait (pid);
  test_end ();
}

/* Whoever gets an answer owns its data. */
static void
test_call_hands_over_the_answers_data (gconstpointer klass)
{
  gint freed = 0;
  Pid pid = start (klass);
  Message reply = test_call (pid, (Message) { .tag = ECHO, .data = &freed });

  g_assert_true (reply.data == &freed);
  g_assert_cmpint (freed, ==, 0);
  message_clear (&reply);
  g_assert_cmpint (freed, ==, 1);
  kill_and_wait (pid);
  test_end ();
}

/* An answer that nobody wants to see is freed. */
static void
test_call_may_ignore_the_answer (gconstpointer klass)
{
  Pid pid = start (klass);
  g_autoptr (GError) error = NULL;
  gint freed = 0;

  g_assert_true (gen_server_call (pid,
                                  (Message) { .tag = ECHO, .data = &freed },
                                  test_limit (), NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (freed, ==, 1);
  kill_and_wait (pid);
  test_end ();
}

static void
test_call_times_out (gconstpointer klass)
{
  Pid pid = start (klass);
  int limits[] = { 0, 20 };

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++) {
    gint64 begin = g_get_monotonic_time ();
    g_autoptr (GError) error = NULL;
    Message reply = { .tag = PING };

    g_assert_false (gen_server_call (pid, (Message) { .tag = SILENT },
                                     limits[i], &reply, &error));
    g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_TIMEOUT);
    g_assert_cmpint (reply.tag, ==, 0);
    g_assert_cmpuint (reply.reason, ==, 0);
    g_assert_cmpint (g_get_monotonic_time () - begin, >=, 1000 * limits[i]);
  }
  kill_and_wait (pid);
  test_end ();
}

static void
test_call_times_out_while_the_server_is_busy (gconstpointer klass)
{
  static Door door;
  Pid pid = start (klass);
  g_autoptr (Caller) caller = occupy (pid, &door);

  g_assert_cmpint (ask (pid, 0), ==, GEN_SERVER_ERROR_TIMEOUT);
  g_assert_cmpint (ask (pid, 10), ==, GEN_SERVER_ERROR_TIMEOUT);
  gate_open (&door.leave);
  assert_answered (caller);
  kill_and_wait (pid);
  test_end ();
}

/* The server is told, and the answer's data freed. */
static void
test_call_drops_the_late_answer (gconstpointer klass)
{
  Pid pid = start (klass);
  g_autoptr (GError) error = NULL;
  gint freed = 0;

  g_assert_false (
    gen_server_call (pid, (Message) { .tag = LATER }, 5, NULL, &error));
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_TIMEOUT);
  seen.was_taken = TRUE;
  gen_server_cast (pid, (Message) { .tag = ANSWER, .data = &freed });
  test_call (pid, (Message) { .tag = PING });
  g_assert_false (seen.was_taken);
  g_assert_cmpint (freed, ==, 1);
  kill_and_wait (pid);
  test_end ();
}

static void
test_call_does_not_take_the_late_answer_for_its_own (gconstpointer klass)
{
  Pid pid = start (klass);

  g_assert_false (
    gen_server_call (pid, (Message) { .tag = LATER }, 5, NULL, NULL));
  g_assert_cmpint (test_call (pid, (Message) { .tag = ANSWER_OLD }).tag, ==,
                   DONE);
  kill_and_wait (pid);
  test_end ();
}

static void
test_call_is_answered_once (gconstpointer klass)
{
  Pid pid = start (klass);
  gint freed = 0;

  g_assert_cmpint (
    test_call (pid, (Message) { .tag = TWICE, .data = &freed }).tag, ==, DONE);
  test_call (pid, (Message) { .tag = PING });
  g_assert_cmpint (freed, ==, 1);
  kill_and_wait (pid);
  test_end ();
}

/* What else comes meanwhile is received afterwards. */
static void
test_call_leaves_the_mailbox_alone (gconstpointer klass)
{
  Pid pid = start (klass);

  process_send (process_self (), (Message) { .tag = PING });
  g_assert_cmpint (test_call (pid, (Message) { .tag = CHAT }).tag, ==, DONE);
  test_receive (PING);
  test_receive (HEARD);
  kill_and_wait (pid);
  test_end ();
}

static void
test_call_of_the_dead_is_noproc (gconstpointer klass)
{
  Pid pid = start (klass);

  kill_and_wait (pid);
  g_assert_cmpint (ask (pid, -1), ==, GEN_SERVER_ERROR_NOPROC);
  g_assert_cmpint (ask (PID_NONE, -1), ==, GEN_SERVER_ERROR_NOPROC);
  test_end ();
}

static void
test_call_of_oneself_is_refused (gconstpointer klass)
{
  Pid pid = start (klass);

  g_assert_cmpint (
    test_call (pid, (Message) { .tag = ASK, .pid = pid, .number = -1 }).number,
    ==, GEN_SERVER_ERROR_CALLING_SELF);
  g_assert_cmpint (ask (process_self (), -1), ==,
                   GEN_SERVER_ERROR_CALLING_SELF);
  kill_and_wait (pid);
  test_end ();
}

static void
test_call_queued_hears_of_the_death (gconstpointer klass)
{
  static Door door;
  Pid pid = start (klass);
  g_autoptr (Caller) occupant = occupy (pid, &door);
  g_autoptr (Caller) queued = caller_start (pid, (Message) { .tag = PING }, -1);

  test_wait_messages (pid, 1);
  process_exit (pid, crash);
  assert_call_is_down (queued, crash);
  gate_open (&door.leave);
  assert_call_is_down (occupant, crash);
  test_end ();
}

/* Not on the caller's thread: its caller hears at once. */
static void
test_call_being_handled_hears_of_the_death (void)
{
  static Door door;
  Pid pid = start (&long_class);
  g_autoptr (Caller) caller = occupy (pid, &door);

  process_exit (pid, crash);
  assert_call_is_down (caller, crash);
  g_assert_cmpint (get (n_finalize), ==, 0);
  gate_open (&door.leave);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  g_assert_cmpint (get (n_finalize), ==, 1);
  test_end ();
}

static void
test_call_waiting_for_a_later_answer_hears_of_the_death (gconstpointer klass)
{
  static Gate kept;
  Pid pid = start (klass);
  g_autoptr (Caller) caller = caller_start (
    pid, (Message) { .tag = LATER, .data = &kept }, -1);

  gate_wait (&kept);
  test_call (pid, (Message) { .tag = PING });
  process_exit (pid, REASON_KILL);
  assert_call_is_down (caller, REASON_KILLED);
  test_end ();
}

static void
test_call_of_one_that_stops_is_down (gconstpointer klass)
{
  Pid pid = start (klass);
  g_autoptr (GError) error = NULL;
  Message reply;

  g_assert_false (gen_server_call (pid,
                                   (Message) { .tag = STOP, .reason = crash },
                                   -1, &reply, &error));
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_assert_cmpuint (reply.reason, ==, crash);
  test_end ();
}

static void
test_call_answered_before_it_stops_is_answered (gconstpointer klass)
{
  Pid pid = start (klass);

  process_monitor (pid, NULL);
  g_assert_cmpint (
    test_call (pid, (Message) { .tag = ANSWER_AND_STOP, .reason = crash }).tag,
    ==, DONE);
  assert_down (crash);
  test_end ();
}

/* Killed at any moment: every call comes back, and says what happened. */
static gpointer
call_until_down (gpointer data)
{
  Pid pid = POINTER_TO_PID (data);

  for (;;) {
    g_autoptr (GError) error = NULL;
    Message reply;

    if (gen_server_call (pid, (Message) { .tag = PING }, -1, &reply, &error)) {
      g_assert_cmpint (reply.number, ==, 1);
      continue;
    }
    if (g_error_matches (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN))
      g_assert_cmpuint (reply.reason, ==, crash);
    else
      g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_NOPROC);
    return NULL;
  }
}

static void
test_call_comes_back_whenever_the_server_dies (gconstpointer klass)
{
  for (guint round = 0; round < test_scaled (30); round++) {
    Pid pid = start (klass);
    GThread *threads[4];

    for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
      threads[i] = g_thread_new ("caller", call_until_down,
                                 PID_TO_POINTER (pid));
    test_spin ((guint) g_random_int_range (0, 200));
    process_exit (pid, crash);
    for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
      g_thread_join (threads[i]);
  }
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  test_end ();
}

/* The answer comes at the moment of the time-out: both sides agree on it. */

typedef struct {
  Pid  pid;
  gint n_taken; /* atomic */
} Racer;

static void
racer_handle_call (gpointer state, Message *request, From from)
{
  Racer *racer = request->data;

  (void) state;
  test_spin ((guint) request->number);
  if (gen_server_reply (from, (Message) { .tag = DONE }))
    g_atomic_int_inc (&racer->n_taken);
}

static void
test_call_agrees_whether_the_answer_was_taken (void)
{
  static const GenServerClass racer_class = {
    .name = "Racer", .handle_call = racer_handle_call
  };
  Pid pid = start (&racer_class);
  Racer racer = { .n_taken = 0 };
  gint n_answered = 0;

  for (guint i = 0; i < test_scaled (1000); i++)
    n_answered += gen_server_call (
      pid, (Message) { .data = &racer, .number = i % 50 }, i % 2, NULL, NULL);
  g_assert_true (
    gen_server_stop_sync (pid, REASON_NORMAL, test_limit (), NULL));
  g_assert_cmpint (g_atomic_int_get (&racer.n_taken), ==, n_answered);
  test_end ();
}

static void
check_caller_told_to_die (Caller *caller)
{
  process_exit (caller->pid, crash);
  assert_call_is_down (caller, crash);
}

/* However long it meant to wait. */
static void
test_call_by_one_told_to_die_stops_waiting (gconstpointer klass)
{
  static Door door;
  static Gate kept;
  Pid busy = start (klass), pid = start (klass);
  g_autoptr (Caller) occupant = occupy (busy, &door);
  g_autoptr (Caller) queued = caller_start (busy, (Message) { .tag = PING },
                                            -1);
  g_autoptr (Caller) waiting = caller_start (
    pid, (Message) { .tag = LATER, .data = &kept }, -1);

  test_wait_messages (busy, 1);
  check_caller_told_to_die (queued);
  gate_wait (&kept);
  check_caller_told_to_die (waiting);
  seen.was_taken = TRUE;
  gen_server_cast (pid, (Message) { .tag = ANSWER });
  test_call (pid, (Message) { .tag = PING });
  g_assert_false (seen.was_taken);

  gate_open (&door.leave);
  assert_answered (occupant);
  test_call (busy, (Message) { .tag = PING });
  kill_and_wait (busy);
  kill_and_wait (pid);
  test_end ();
}

/* A call comes first to one who is dead when it asks. */
static void
call_when_dead (gpointer data)
{
  Message reply;
  g_autoptr (GError) error = NULL;

  process_exit (process_self (), crash);
  g_assert_false (gen_server_call (POINTER_TO_PID (data),
                                   (Message) { .tag = PING }, -1, &reply,
                                   &error));
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_assert_cmpuint (reply.reason, ==, crash);
}

static void
test_call_by_the_dead_is_down (gconstpointer klass)
{
  Pid pid = start (klass);

  process_spawn_monitor (call_when_dead, PID_TO_POINTER (pid), NULL, NULL,
                         NULL);
  assert_down (crash);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  kill_and_wait (pid);
  test_end ();
}

/* Each waits for the other: whose limit comes first lets both go on. */
static void
back_handle_call (gpointer state, Message *request, From from)
{
  (void) state;
  if (request->tag == ASK)
    gen_server_reply (from, test_call (request->pid,
                                       (Message) { .tag = ANSWER,
                                                   .pid = process_self () }));
  else
    gen_server_reply (from, (Message) { .tag = DONE,
                                        .number = ask (request->pid, 20) });
}

static void
test_call_each_other_times_out (gconstpointer klass)
{
  GenServerClass back_class = {
    .name = "Back",
    .is_short = ((const GenServerClass *) klass)->is_short,
    .handle_call = back_handle_call
  };
  Pid one = start (&back_class), other = start (&back_class);

  g_assert_cmpint (
    test_call (one, (Message) { .tag = ASK, .pid = other }).number, ==,
    GEN_SERVER_ERROR_TIMEOUT);
  /* The question that timed out lies in its mailbox still. */
  g_assert_true (
    gen_server_stop_sync (one, REASON_NORMAL, test_limit (), NULL));
  kill_and_wait (other);
  test_end ();
}

static void
test_call_each_other_at_once_ends (gconstpointer klass)
{
  for (guint i = 0; i < 5; i++) {
    Pid one = start (klass), other = start (klass);
    g_autoptr (Caller) first = caller_start (
      one, (Message) { .tag = ASK, .pid = other, .number = 10 }, test_limit ());
    g_autoptr (Caller) second = caller_start (
      other, (Message) { .tag = ASK, .pid = one, .number = 10 }, test_limit ());

    assert_answered (first);
    assert_answered (second);
    kill_and_wait (one);
    kill_and_wait (other);
  }
  test_end ();
}

/* Each kind of message has its handler. */
static void
test_handlers_get_their_own_kind (gconstpointer klass)
{
  Pid pid = start (klass);

  process_send (pid, (Message) { .tag = PING });
  gen_server_cast (pid, (Message) { .tag = PING });
  gen_server_cast (pid, (Message) { .tag = PING });
  g_assert_cmpint (test_call (pid, (Message) { .tag = PING }).tag, ==, PING);
  g_assert_cmpint (get (n_info), ==, 1);
  g_assert_cmpint (get (n_cast), ==, 2);
  kill_and_wait (pid);
  test_end ();
}

/* STOPPING */

/* Its handler goes on to its end, as one of a process that is alive. */
static void
test_stop_comes_after_the_handler (gconstpointer klass)
{
  Pid pid = start (klass);
  Message message;

  process_monitor (pid, NULL);
  gen_server_cast (pid, (Message) { .tag = STOP, .reason = crash });
  message = test_receive (HEARD);
  g_assert_cmpuint (message.sender, ==, pid);
  assert_down (crash);
  g_assert_cmpint (get (n_terminate), ==, 1);
  g_assert_cmpuint (seen.terminated, ==, crash);
  g_assert_cmpint (get (n_finalize), ==, 1);
  test_end ();
}

/* What comes behind it in the mailbox is not handled any more. */
static void
test_stop_leaves_the_rest (gconstpointer klass)
{
  static Door door;
  Pid pid = start (klass);
  g_autoptr (Caller) occupant = occupy (pid, &door);
  gint freed = 0;

  gen_server_cast (pid, (Message) { .tag = STOP, .reason = crash });
  for (guint i = 0; i < 3; i++)
    process_send (pid, (Message) { .data = &freed, .free_data = test_count });
  gate_open (&door.leave);
  assert_answered (occupant);
  test_receive (HEARD);
  g_assert_true (process_wait_end (pid, test_limit ()));
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  g_assert_cmpint (get (n_info), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&freed), ==, 3);
  test_end ();
}

/* As in OTP: a signal that is not trapped, and `kill` always, ends at once. */
static void
test_terminate_is_not_called_on_exit (gconstpointer klass)
{
  Args args = { .traps = TRUE };
  Pid pid = start (klass), trapping;

  process_exit (pid, crash);
  g_assert_true (process_wait_end (pid, test_limit ()));
  trapping = gen_server_start (klass, NULL, &args, NULL);
  kill_and_wait (trapping);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  g_assert_cmpint (get (n_terminate), ==, 0);
  g_assert_cmpint (get (n_finalize), ==, 2);
  test_end ();
}

/* It is alive in terminate, under its name; in finalize it is dead. */

static Pid speaker_owner;

static void
speak (int tag)
{
  process_send (speaker_owner,
                (Message) { .tag = tag, .pid = process_whereis ("Speaker") });
}

static void
speaker_terminate (gpointer state, Reason reason)
{
  (void) state;
  (void) reason;
  speak (HEARD);
}

static void
speaker_finalize (gpointer state)
{
  (void) state;
  g_assert_true (process_is_dying ());
  g_assert_cmpuint (process_whereis ("Speaker"), ==, PID_NONE);
  speak (DONE);
}

static void
test_terminate_can_send_and_finalize_cannot (gconstpointer klass)
{
  GenServerClass speaker_class = {
    .name = "Speaker",
    .is_short = ((const GenServerClass *) klass)->is_short,
    .terminate = speaker_terminate,
    .finalize = speaker_finalize
  };
  Pid pid;

  speaker_owner = process_self ();
  pid = gen_server_start (&speaker_class, "Speaker", NULL, NULL);
  g_assert_true (
    gen_server_stop_sync (pid, REASON_NORMAL, test_limit (), NULL));
  g_assert_cmpuint (test_receive (HEARD).pid, ==, pid);
  test_end ();
}

static void
test_stop_sync_gives_the_reason (gconstpointer klass)
{
  Reason reasons[] = { REASON_NORMAL, REASON_SHUTDOWN, crash };

  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++) {
    Pid pid = start (klass);
    g_autoptr (GError) error = NULL;

    memset (&seen, 0, sizeof seen);
    process_monitor (pid, NULL);
    g_assert_true (
      gen_server_stop_sync (pid, reasons[i], test_limit (), &error));
    g_assert_no_error (error);
    g_assert_false (process_is_alive (pid));
    g_assert_cmpint (get (n_finalize), ==, 1);
    g_assert_cmpint (get (n_terminate), ==, 1);
    g_assert_cmpuint (seen.terminated, ==, reasons[i]);
    assert_down (reasons[i]);
  }
  test_end ();
}

static void
test_stop_sync_comes_after_the_mailbox (gconstpointer klass)
{
  Pid pid = start (klass);

  for (guint i = 0; i < 100; i++)
    process_send (pid, (Message) { .tag = PING });
  g_assert_true (
    gen_server_stop_sync (pid, REASON_NORMAL, test_limit (), NULL));
  g_assert_cmpint (get (n_info), ==, 100);
  test_end ();
}

static void
test_stop_sync_of_the_dead_is_noproc (gconstpointer klass)
{
  Pid pid = start (klass);
  g_autoptr (GError) error = NULL;

  kill_and_wait (pid);
  g_assert_false (gen_server_stop_sync (pid, REASON_NORMAL, -1, &error));
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_NOPROC);
  test_end ();
}

/* It stops all the same, once it gets to it. */
static void
test_stop_sync_times_out (gconstpointer klass)
{
  static Door door;
  Pid pid = start (klass);
  g_autoptr (Caller) occupant = occupy (pid, &door);
  g_autoptr (GError) error = NULL;

  process_monitor (pid, NULL);
  g_assert_false (gen_server_stop_sync (pid, crash, 5, &error));
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_TIMEOUT);
  gate_open (&door.leave);
  assert_answered (occupant);
  assert_down (crash);
  test_end ();
}

static gpointer
exit_after_one_message (gpointer data)
{
  test_wait_messages (POINTER_TO_PID (data), 1);
  process_exit (POINTER_TO_PID (data), crash);
  return NULL;
}

/* It ended, but not for that reason. */
static void
test_stop_sync_overtaken_is_down (gconstpointer klass)
{
  static Door door;
  Pid pid = start (klass);
  g_autoptr (Caller) occupant = occupy (pid, &door);
  GThread *killer = g_thread_new ("killer", exit_after_one_message,
                                  PID_TO_POINTER (pid));
  g_autoptr (GError) error = NULL;

  g_assert_false (gen_server_stop_sync (pid, REASON_NORMAL, -1, &error));
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_thread_join (killer);
  gate_open (&door.leave);
  assert_call_is_down (occupant, crash);
  test_end ();
}

/* DESCRIBING */

static void
test_describe_is_what_the_class_says (gconstpointer klass)
{
  Pid pid = start (klass);
  g_autofree char *text = gen_server_describe (pid, test_limit ());
  g_autofree char *expected = g_strdup_printf (PID_FORMAT " is well",
                                               PID_ARGS (pid));

  g_assert_cmpstr (text, ==, expected);
  kill_and_wait (pid);
  g_assert_null (gen_server_describe (pid, -1));
  test_end ();
}

static void
test_describe_of_the_busy_is_nothing (gconstpointer klass)
{
  static Door door;
  Pid pid = start (klass);
  g_autoptr (Caller) occupant = occupy (pid, &door);

  g_assert_null (gen_server_describe (pid, 0));
  g_assert_null (gen_server_describe (pid, 5));
  gate_open (&door.leave);
  assert_answered (occupant);
  kill_and_wait (pid);
  test_end ();
}

static void
stop_when_told (gpointer data)
{
  Message message = { 0 };

  (void) data;
  g_assert_true (process_receive (&message, -1));
  g_assert_cmpint (message.tag, ==, STOP);
}

static void
test_describe_of_a_function_is_nothing (void)
{
  Pid pid = process_spawn_monitor (stop_when_told, NULL, NULL, NULL, NULL);

  g_assert_null (gen_server_describe (pid, 0));
  g_assert_null (gen_server_describe (pid, 5));
  process_send (pid, (Message) { .tag = STOP });
  assert_down (REASON_NORMAL);
  test_end ();
}

static void
add (const char *path, GTestDataFunc func)
{
  g_autofree char *short_path = g_strdup_printf ("/gen-server/%s/short", path);
  g_autofree char *long_path = g_strdup_printf ("/gen-server/%s/long", path);

  g_test_add_data_func (short_path, &short_class, func);
  g_test_add_data_func (long_path, &long_class, func);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  crash = g_quark_from_static_string ("crash");

  add ("start/runs-init", test_start_runs_init);
  add ("start/gives-inits-own-error", test_start_gives_inits_own_error);
  add ("start/that-fails-leaves-the-parent-alone",
       test_start_that_fails_leaves_the_parent_alone);
  add ("start/that-fails-leaves-no-exit", test_start_that_fails_leaves_no_exit);
  add ("start/killed-in-init-fails", test_start_killed_in_init_fails);
  add ("start/outlasts-the-starters-death",
       test_start_outlasts_the_starters_death);
  add ("start/killed-in-init-drops-what-waits",
       test_start_killed_in_init_drops_what_waits);
  add ("start/killed-at-any-moment-finalizes-once",
       test_start_killed_at_any_moment_finalizes_once);
  add ("start/with-a-taken-name-fails", test_start_with_a_taken_name_fails);
  add ("start/registers-before-init", test_start_registers_before_init);
  add ("start/handles-first-what-init-sends-itself",
       test_start_handles_first_what_init_sends_itself);
  add ("start/is-over-before-the-next-message",
       test_start_is_over_before_the_next_message);
  g_test_add_func ("/gen-server/start/needs-a-name-only",
                   test_start_needs_a_name_only);

  add ("parent/that-crashes-ends-its-child",
       test_parent_that_crashes_ends_its_child);
  add ("parent/that-ends-normally-leaves-its-child",
       test_parent_that_ends_normally_leaves_its_child);
  add ("parent/that-ends-ends-a-trapping-child",
       test_parent_that_ends_ends_a_trapping_child);
  add ("parent/that-says-exit-ends-a-trapping-child",
       test_parent_that_says_exit_ends_a_trapping_child);
  add ("parent/is-who-started-it", test_parent_is_who_started_it);
  g_test_add_func ("/gen-server/parent/killed-while-it-starts-a-child",
                   test_parent_killed_while_it_starts_a_child);

  add ("call/is-answered", test_call_is_answered);
  add ("call/is-answered-later", test_call_is_answered_later);
  add ("call/is-answered-by-another", test_call_is_answered_by_another);
  add ("call/hands-over-the-answers-data",
       test_call_hands_over_the_answers_data);
  add ("call/may-ignore-the-answer", test_call_may_ignore_the_answer);
  add ("call/times-out", test_call_times_out);
  add ("call/times-out-while-the-server-is-busy",
       test_call_times_out_while_the_server_is_busy);
  add ("call/drops-the-late-answer", test_call_drops_the_late_answer);
  add ("call/does-not-take-the-late-answer-for-its-own",
       test_call_does_not_take_the_late_answer_for_its_own);
  add ("call/is-answered-once", test_call_is_answered_once);
  add ("call/leaves-the-mailbox-alone", test_call_leaves_the_mailbox_alone);
  add ("call/of-the-dead-is-noproc", test_call_of_the_dead_is_noproc);
  add ("call/of-oneself-is-refused", test_call_of_oneself_is_refused);
  add ("call/queued-hears-of-the-death", test_call_queued_hears_of_the_death);
  g_test_add_func ("/gen-server/call/being-handled-hears-of-the-death",
                   test_call_being_handled_hears_of_the_death);
  add ("call/waiting-for-a-later-answer-hears-of-the-death",
       test_call_waiting_for_a_later_answer_hears_of_the_death);
  add ("call/of-one-that-stops-is-down", test_call_of_one_that_stops_is_down);
  add ("call/answered-before-it-stops-is-answered",
       test_call_answered_before_it_stops_is_answered);
  add ("call/comes-back-whenever-the-server-dies",
       test_call_comes_back_whenever_the_server_dies);
  g_test_add_func ("/gen-server/call/agrees-whether-the-answer-was-taken",
                   test_call_agrees_whether_the_answer_was_taken);
  add ("call/by-one-told-to-die-stops-waiting",
       test_call_by_one_told_to_die_stops_waiting);
  add ("call/by-the-dead-is-down", test_call_by_the_dead_is_down);
  add ("call/each-other-times-out", test_call_each_other_times_out);
  add ("call/each-other-at-once-ends", test_call_each_other_at_once_ends);
  add ("handlers/get-their-own-kind", test_handlers_get_their_own_kind);

  add ("stop/comes-after-the-handler", test_stop_comes_after_the_handler);
  add ("stop/leaves-the-rest", test_stop_leaves_the_rest);
  add ("terminate/is-not-called-on-exit", test_terminate_is_not_called_on_exit);
  add ("terminate/can-send-and-finalize-cannot",
       test_terminate_can_send_and_finalize_cannot);
  add ("stop-sync/gives-the-reason", test_stop_sync_gives_the_reason);
  add ("stop-sync/comes-after-the-mailbox",
       test_stop_sync_comes_after_the_mailbox);
  add ("stop-sync/of-the-dead-is-noproc", test_stop_sync_of_the_dead_is_noproc);
  add ("stop-sync/times-out", test_stop_sync_times_out);
  add ("stop-sync/overtaken-is-down", test_stop_sync_overtaken_is_down);

  add ("describe/is-what-the-class-says", test_describe_is_what_the_class_says);
  add ("describe/of-the-busy-is-nothing", test_describe_of_the_busy_is_nothing);
  g_test_add_func ("/gen-server/describe/of-a-function-is-nothing",
                   test_describe_of_a_function_is_nothing);
  return g_test_run ();
}
