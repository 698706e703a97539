/* Signals: links, monitors, exits, names, and the order of a death. */
#include "helper.h"

/* An actor does what it is told, for itself, and tells its owner what it
 * hears. */

enum {
  LINK = 1,
  UNLINK,
  MONITOR,
  TRAP,
  EXIT,  /* process_exit (pid, reason) */
  STOP,  /* gen_server_stop (reason) */
  STAND, /* in the door that is `data` */
  UNLINK_IN_DOOR,
  WORK, /* for a moment */
  PING,
  DONE,
  HEARD_DOWN,
  HEARD_EXIT
};

typedef struct {
  Pid  owner;
  gint n_finalized; /* atomic */
} Play;

typedef struct {
  Play *play;
} Actor;

static Reason crash, other_crash;

static gboolean
actor_is_short (gconstpointer state, const Message *message)
{
  (void) state;
  return message->tag != STAND && message->tag != UNLINK_IN_DOOR;
}

static gboolean
actor_init (gpointer state, gconstpointer args, GError **error)
{
  Actor *self = state;

  (void) error;
  self->play = (Play *) args;
  return TRUE;
}

static void
actor_handle_call (gpointer state, Message *request, From from)
{
  (void) state;
  switch (request->tag) {
  case LINK:
    process_link (request->pid);
    break;
  case UNLINK:
    process_unlink (request->pid);
    break;
  case MONITOR:
    process_monitor (request->pid, NULL);
    break;
  case TRAP:
    process_trap_exits (TRUE);
    break;
  case EXIT:
    process_exit (request->pid, request->reason);
    break;
  }
  gen_server_reply (from, (Message) { .tag = DONE });
}

static void
actor_handle_cast (gpointer state, Message *request)
{
  (void) state;
  switch (request->tag) {
  case STOP:
    gen_server_stop (request->reason);
    break;
  case STAND:
    door_stand (request->data);
    break;
  case UNLINK_IN_DOOR:
    door_stand (request->data);
    process_unlink (request->pid);
    break;
  case WORK:
    test_spin (20);
    break;
  default:
    g_assert_not_reached ();
  }
}

static void
actor_handle_info (gpointer state, Message *message)
{
  Actor *self = state;

  process_send (self->play->owner,
                (Message) { .tag = message->tag == PROCESS_DOWN ? HEARD_DOWN
                                                                : HEARD_EXIT,
                            .pid = message->pid,
                            .reason = message->reason });
}

static void
actor_finalize (gpointer state)
{
  Actor *self = state;

  g_atomic_int_inc (&self->play->n_finalized);
}

static const GenServerClass actor_class = {
  .name = "Actor",
  .state_size = sizeof (Actor),
  .is_short = actor_is_short,
  .init = actor_init,
  .handle_call = actor_handle_call,
  .handle_cast = actor_handle_cast,
  .handle_info = actor_handle_info,
  .finalize = actor_finalize,
};

/* The same, on shared threads only. */
static const GenServerClass long_actor_class = {
  .name = "LongActor",
  .state_size = sizeof (Actor),
  .init = actor_init,
  .handle_call = actor_handle_call,
  .handle_cast = actor_handle_cast,
  .handle_info = actor_handle_info,
  .finalize = actor_finalize,
};

static Play play;

static Pid
start_class (const GenServerClass *klass, const char *name)
{
  g_autoptr (GError) error = NULL;
  Pid pid;

  play.owner = process_self ();
  pid = gen_server_start (klass, name, &play, &error);
  g_assert_no_error (error);
  return pid;
}

static Pid
start (void)
{
  return start_class (&actor_class, NULL);
}

static void
tell (Pid actor, int tag, Pid pid)
{
  test_call (actor, (Message) { .tag = tag, .pid = pid });
}

static Pid
start_linked_to (Pid pid)
{
  Pid actor = start ();

  tell (actor, LINK, pid);
  return actor;
}

static void
kill_and_wait (Pid pid)
{
  process_exit (pid, REASON_KILL);
  g_assert_true (process_wait_end (pid, test_limit ()));
}

/* Kills a process that must be alive. */
static void
end (Pid pid)
{
  g_assert_true (process_is_alive (pid));
  process_unlink (pid);
  kill_and_wait (pid);
}

static void
assert_down (Pid pid, Reason reason)
{
  Message message = test_receive (PROCESS_DOWN);

  g_assert_cmpuint (message.pid, ==, pid);
  g_assert_cmpstr (g_quark_to_string (message.reason), ==,
                   g_quark_to_string (reason));
}

static void
assert_heard (int tag, Pid pid, Reason reason)
{
  Message message = test_receive (tag);

  g_assert_cmpuint (message.pid, ==, pid);
  g_assert_cmpstr (g_quark_to_string (message.reason), ==,
                   g_quark_to_string (reason));
}

/* LINKS */

static void
test_signals_link_ends_the_other (void)
{
  for (guint direction = 0; direction < 2; direction++) {
    Pid first = start (), second = start_linked_to (first);
    Pid victim = direction == 0 ? first : second;
    Pid other = direction == 0 ? second : first;

    process_monitor (other, NULL);
    process_exit (victim, crash);
    assert_down (other, crash);
    g_assert_false (process_is_alive (victim));
  }
  test_end ();
}

static void
test_signals_link_passes_the_reason_along (void)
{
  Pid first = start (), second = start_linked_to (first);
  Pid third = start_linked_to (second);

  process_monitor (third, NULL);
  process_exit (first, crash);
  assert_down (third, crash);
  test_end ();
}

static void
test_signals_link_of_a_normal_end_is_ignored (void)
{
  Pid first = start (), second = start_linked_to (first);

  gen_server_stop_sync (first, REASON_NORMAL, test_limit (), NULL);
  test_call (second, (Message) { .tag = PING });
  end (second);
  test_end ();
}

static void
test_signals_link_trapped_is_a_message (void)
{
  Reason reasons[] = { REASON_NORMAL, REASON_SHUTDOWN, crash };

  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++) {
    Pid first = start (), second = start ();

    tell (second, TRAP, PID_NONE);
    tell (second, LINK, first);
    gen_server_stop_sync (first, reasons[i], test_limit (), NULL);
    assert_heard (HEARD_EXIT, first, reasons[i]);
    end (second);
  }
  test_end ();
}

static void
test_signals_link_twice_is_once (void)
{
  Pid first = start (), second = start_linked_to (first);

  tell (second, LINK, first);
  tell (first, LINK, second);
  tell (second, UNLINK, first);
  kill_and_wait (first);
  test_call (second, (Message) { .tag = PING });
  end (second);

  /* And heard of once. */
  first = start ();
  process_trap_exits (TRUE);
  process_link (first);
  process_link (first);
  kill_and_wait (first);
  assert_heard (PROCESS_EXIT, first, REASON_KILLED);
  test_end ();
}

/* A link has two ends: either may cut it. */
static void
test_signals_link_is_cut_from_both_ends (void)
{
  Pid first = start (), second = start_linked_to (first);
  Pid third = start_linked_to (first);

  tell (second, UNLINK, first);
  tell (first, UNLINK, third);
  kill_and_wait (first);
  end (second);
  end (third);
  test_end ();
}

static void
test_signals_link_again_holds (void)
{
  Pid first = start (), second = start_linked_to (first);

  tell (second, UNLINK, first);
  tell (second, LINK, first);
  process_monitor (second, NULL);
  process_exit (first, crash);
  assert_down (second, crash);
  test_end ();
}

static void
test_signals_link_to_the_dead_is_noproc (void)
{
  Pid dead = start (), trapping = start (), other = start ();
  g_autoptr (GError) error = NULL;
  Message reply;

  kill_and_wait (dead);
  tell (trapping, TRAP, PID_NONE);
  tell (trapping, LINK, dead);
  assert_heard (HEARD_EXIT, dead, REASON_NOPROC);
  end (trapping);

  g_assert_false (gen_server_call (other,
                                   (Message) { .tag = LINK, .pid = dead },
                                   test_limit (), &reply, &error));
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_assert_cmpuint (reply.reason, ==, REASON_NOPROC);
  test_end ();
}

static void
test_signals_link_to_oneself_is_nothing (void)
{
  Pid pid = start ();

  tell (pid, LINK, pid);
  tell (pid, UNLINK, pid);
  tell (pid, LINK, pid);
  process_monitor (pid, NULL);
  process_exit (pid, crash);
  assert_down (pid, crash);
  test_end ();
}

/* A pid and a ref may be the same number, and mean two things. */
static void
test_signals_link_is_not_a_ref (void)
{
  Pid pid = start (), other = start ();
  Ref monitor = process_monitor (other, NULL);

  process_trap_exits (TRUE);
  process_link (pid);
  while (monitor < pid) {
    g_assert_true (process_demonitor (monitor));
    monitor = process_monitor (other, NULL);
  }
  kill_and_wait (pid);
  assert_heard (PROCESS_EXIT, pid, REASON_KILLED);
  kill_and_wait (other);
  assert_down (other, REASON_KILLED);
  test_end ();
}

/* Its EXIT lies in the mailbox of one who traps, and is dropped. */
static void
test_signals_unlink_drops_what_is_on_its_way (void)
{
  Pid pid = start ();

  process_trap_exits (TRUE);
  process_link (pid);
  kill_and_wait (pid);
  process_unlink (pid);
  test_end ();
}

/* The same in a server, which is handed its messages. */
static void
test_signals_unlink_in_a_handler_drops_what_is_on_its_way (void)
{
  static Door door;
  Pid first = start (), second = start ();

  tell (second, TRAP, PID_NONE);
  tell (second, LINK, first);
  gen_server_cast (second, (Message) { .tag = UNLINK_IN_DOOR,
                                       .pid = first,
                                       .data = &door });
  gate_wait (&door.entered);
  kill_and_wait (first);
  gate_open (&door.leave);
  test_call (second, (Message) { .tag = PING });
  end (second);
  test_end ();
}

/* Only the link's own: what was sent by process_exit() counts all the same. */
static void
test_signals_unlink_does_not_drop_an_exit (void)
{
  Pid pid = start ();

  process_trap_exits (TRUE);
  process_link (pid);
  test_call (pid, (Message) {
                    .tag = EXIT, .pid = process_self (), .reason = crash });
  kill_and_wait (pid);
  process_unlink (pid);
  assert_heard (PROCESS_EXIT, pid, crash);
  test_end ();
}

static void
test_signals_unlink_then_link_is_noproc_once (void)
{
  Pid pid = start ();

  process_trap_exits (TRUE);
  process_link (pid);
  kill_and_wait (pid);
  process_unlink (pid);
  process_link (pid);
  assert_heard (PROCESS_EXIT, pid, REASON_NOPROC);
  test_end ();
}

/* EXITS */

static void
test_signals_exit_ends_with_its_reason (void)
{
  Pid pid = start ();

  process_monitor (pid, NULL);
  process_exit (pid, crash);
  g_assert_false (process_is_alive (pid));
  assert_down (pid, crash);
  test_end ();
}

static void
test_signals_exit_normal_of_another_is_ignored (void)
{
  Pid pid = start ();

  process_exit (pid, REASON_NORMAL);
  test_call (pid, (Message) { .tag = PING });
  end (pid);
  test_end ();
}

static void
test_signals_exit_normal_of_oneself_ends (void)
{
  Pid pid = start ();

  process_monitor (pid, NULL);
  g_assert_false (gen_server_call (
    pid, (Message) { .tag = EXIT, .pid = pid, .reason = REASON_NORMAL },
    test_limit (), NULL, NULL));
  assert_down (pid, REASON_NORMAL);
  test_end ();
}

static void
test_signals_exit_trapped_is_a_message (void)
{
  Reason reasons[] = { REASON_NORMAL, REASON_SHUTDOWN, REASON_KILLED, crash };
  Pid pid = start ();

  tell (pid, TRAP, PID_NONE);
  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++) {
    process_exit (pid, reasons[i]);
    assert_heard (HEARD_EXIT, process_self (), reasons[i]);
  }
  end (pid);
  test_end ();
}

static void
test_signals_exit_of_oneself_can_be_trapped (void)
{
  process_trap_exits (TRUE);
  process_exit (process_self (), REASON_NORMAL);
  assert_heard (PROCESS_EXIT, process_self (), REASON_NORMAL);
  process_exit (process_self (), crash);
  assert_heard (PROCESS_EXIT, process_self (), crash);
  g_assert_false (process_is_dying ());
  test_end ();
}

/* Whoever is linked hears `killed`, which is a reason like others. */
static void
test_signals_exit_kill_is_not_trapped (void)
{
  Pid pid = start (), trapping = start (), other = start_linked_to (pid);

  tell (pid, TRAP, PID_NONE);
  tell (trapping, TRAP, PID_NONE);
  tell (trapping, LINK, pid);
  process_exit (pid, REASON_KILL);
  assert_heard (HEARD_EXIT, pid, REASON_KILLED);
  g_assert_true (process_wait_end (other, test_limit ()));
  end (trapping);
  test_end ();
}

static void
test_signals_exit_killed_is_what_watchers_hear (void)
{
  Pid pid = start (), other = start_linked_to (pid);

  process_monitor (pid, NULL);
  process_exit (pid, REASON_KILL);
  assert_down (pid, REASON_KILLED);
  g_assert_true (process_wait_end (other, test_limit ()));

  pid = start ();
  other = start_linked_to (pid);
  process_monitor (other, NULL);
  process_exit (pid, REASON_KILL);
  assert_down (other, REASON_KILLED);
  test_end ();
}

/* Who ends with the reason `kill` has not killed its links. */
static void
test_signals_exit_with_kill_is_ordinary_to_links (void)
{
  Pid pid = start (), trapping = start (), other = start_linked_to (pid);

  tell (trapping, TRAP, PID_NONE);
  tell (trapping, LINK, pid);
  gen_server_cast (pid, (Message) { .tag = STOP, .reason = REASON_KILL });
  assert_heard (HEARD_EXIT, pid, REASON_KILL);
  g_assert_true (process_wait_end (other, test_limit ()));
  end (trapping);
  test_end ();
}

static void
test_signals_exit_counts_once (void)
{
  Pid pid = start ();

  process_monitor (pid, NULL);
  process_exit (pid, crash);
  process_exit (pid, other_crash);
  process_exit (pid, REASON_KILL);
  assert_down (pid, crash);
  test_end ();
}

static void
test_signals_trap_can_be_ended (void)
{
  Pid pid = start ();

  process_trap_exits (TRUE);
  process_link (pid);
  kill_and_wait (pid);
  assert_heard (PROCESS_EXIT, pid, REASON_KILLED);

  process_trap_exits (FALSE);
  pid = start ();
  process_link (pid);
  gen_server_stop_sync (pid, REASON_NORMAL, test_limit (), NULL);
  test_end ();
}

/* MONITORS */

/* Each has its own ref and cookie, and is told once. */
static void
test_signals_monitor_many_on_one (void)
{
  enum { COUNT = 100 };
  Pid pid = start ();
  Ref refs[COUNT];
  gboolean told[COUNT] = { FALSE };

  for (guint i = 0; i < COUNT; i++)
    refs[i] = process_monitor (pid, &told[i]);
  process_exit (pid, crash);
  for (guint i = 0; i < COUNT; i++) {
    Message message = test_receive (PROCESS_DOWN);
    gboolean *cookie = message.data;

    g_assert_cmpuint (message.ref, ==, refs[cookie - told]);
    g_assert_cmpuint (message.pid, ==, pid);
    g_assert_cmpuint (message.reason, ==, crash);
    g_assert_false (*cookie);
    *cookie = TRUE;
  }
  test_end ();
}

static void
test_signals_monitor_by_many (void)
{
  Pid pid = start (), watchers[10];

  for (guint i = 0; i < G_N_ELEMENTS (watchers); i++) {
    watchers[i] = start ();
    tell (watchers[i], MONITOR, pid);
  }
  process_exit (pid, crash);
  for (guint i = 0; i < G_N_ELEMENTS (watchers); i++)
    assert_heard (HEARD_DOWN, pid, crash);
  for (guint i = 0; i < G_N_ELEMENTS (watchers); i++)
    end (watchers[i]);
  test_end ();
}

/* It watches, and does not tie. */
static void
test_signals_monitor_does_not_end_the_watcher (void)
{
  Pid pid = start (), watcher = start (), second = start ();

  tell (watcher, MONITOR, pid);
  kill_and_wait (pid);
  assert_heard (HEARD_DOWN, pid, REASON_KILLED);
  tell (watcher, MONITOR, second);
  kill_and_wait (watcher);
  end (second);
  test_end ();
}

static void
test_signals_monitor_of_the_dead_is_noproc (void)
{
  Pid pid = start ();

  kill_and_wait (pid);
  process_monitor (pid, NULL);
  assert_down (pid, REASON_NOPROC);
  test_end ();
}

static void
test_signals_demonitor_ends_one_monitor (void)
{
  Pid pid = start ();
  Ref first = process_monitor (pid, (gpointer) "first");
  Ref second = process_monitor (pid, (gpointer) "second");
  Message message;

  g_assert_cmpuint (first, !=, second);
  g_assert_true (process_demonitor (first));
  g_assert_false (process_demonitor (first));
  process_exit (pid, crash);
  message = test_receive (PROCESS_DOWN);
  g_assert_cmpstr (message.data, ==, "second");
  g_assert_false (process_demonitor (second));
  test_end ();
}

static void
test_signals_demonitor_drops_what_is_on_its_way (void)
{
  Pid pid = start ();
  Ref monitor = process_monitor (pid, NULL);

  kill_and_wait (pid);
  g_assert_true (process_demonitor (monitor));
  g_assert_false (process_demonitor (monitor));
  test_end ();
}

static gpointer
demonitor_in_thread (gpointer data)
{
  return GINT_TO_POINTER (process_demonitor (*(Ref *) data));
}

static void
test_signals_demonitor_by_another_is_nothing (void)
{
  Pid pid = start ();
  Ref monitor = process_monitor (pid, NULL);
  GThread *thread = g_thread_new ("other", demonitor_in_thread, &monitor);

  g_assert_false (GPOINTER_TO_INT (g_thread_join (thread)));
  process_exit (pid, crash);
  assert_down (pid, crash);
  test_end ();
}

static void
test_signals_wait_end_has_a_limit (void)
{
  Pid pid = start ();

  g_assert_false (process_wait_end (pid, 0));
  g_assert_false (process_wait_end (pid, 5));
  kill_and_wait (pid);
  g_assert_true (process_wait_end (pid, 0));
  test_end ();
}

/* NAMES */

static void
test_names_register_and_find (void)
{
  Pid pid = start ();
  char name[] = "Actor";
  g_autofree char *found = NULL;

  g_assert_cmpuint (process_whereis ("Actor"), ==, PID_NONE);
  g_assert_null (process_get_name (pid));
  g_assert_true (process_register (name, pid, NULL));
  name[0] = 'X';
  g_assert_cmpuint (process_whereis ("Actor"), ==, pid);
  g_assert_cmpuint (process_whereis ("Xctor"), ==, PID_NONE);
  found = process_get_name (pid);
  g_assert_cmpstr (found, ==, "Actor");
  end (pid);
  g_assert_cmpuint (process_whereis ("Actor"), ==, PID_NONE);
  test_end ();
}

static void
test_names_taken_is_refused (void)
{
  Pid first = start (), second = start ();
  g_autoptr (GError) error = NULL;

  g_assert_true (process_register ("Actor", first, NULL));
  g_assert_false (process_register ("Actor", second, &error));
  g_assert_error (error, NAMES_ERROR, NAMES_ERROR_TAKEN);
  g_assert_cmpuint (process_whereis ("Actor"), ==, first);
  g_assert_null (process_get_name (second));
  end (second);
  g_assert_cmpuint (process_whereis ("Actor"), ==, first);
  end (first);
  test_end ();
}

static void
test_names_second_is_refused (void)
{
  Pid pid = start ();
  g_autoptr (GError) error = NULL;

  g_assert_true (process_register ("One", pid, NULL));
  g_assert_false (process_register ("Two", pid, &error));
  g_assert_error (error, NAMES_ERROR, NAMES_ERROR_NAMED);
  g_assert_cmpuint (process_whereis ("One"), ==, pid);
  g_assert_cmpuint (process_whereis ("Two"), ==, PID_NONE);
  g_assert_false (process_register ("One", pid, NULL));
  g_assert_cmpuint (process_whereis ("One"), ==, pid);
  end (pid);
  test_end ();
}

static void
test_names_of_the_dead_is_refused (void)
{
  Pid pid = start ();
  g_autoptr (GError) error = NULL;

  kill_and_wait (pid);
  g_assert_false (process_register ("Actor", pid, &error));
  g_assert_error (error, NAMES_ERROR, NAMES_ERROR_NOPROC);
  g_assert_cmpuint (process_whereis ("Actor"), ==, PID_NONE);
  test_end ();
}

static void
test_names_unregister_frees_it (void)
{
  Pid first = start (), second = start ();

  g_assert_false (process_unregister ("Actor"));
  g_assert_true (process_register ("Actor", first, NULL));
  g_assert_true (process_unregister ("Actor"));
  g_assert_false (process_unregister ("Actor"));
  g_assert_cmpuint (process_whereis ("Actor"), ==, PID_NONE);
  g_assert_true (process_register ("Actor", second, NULL));
  g_assert_true (process_register ("Other", first, NULL));
  /* It has given the first one up: its death does not touch it. */
  end (first);
  g_assert_cmpuint (process_whereis ("Actor"), ==, second);
  end (second);
  test_end ();
}

/* A phoenix starts its successor the moment it hears of the death, and gives
 * it the same name. */

enum { ROUNDS = 1, RISEN };

typedef struct {
  const GenServerClass *child_class;
  Pid                   owner;
  guint                 n_left;
  gboolean              with_link;
} Phoenix;

static void
phoenix_rise (Phoenix *self)
{
  g_autoptr (GError) error = NULL;
  Pid pid = PID_NONE;

  if (self->n_left-- == 0) {
    gen_server_stop (REASON_NORMAL);
    return;
  }
  if (self->with_link) {
    pid = gen_server_start_link (self->child_class, "Child", &play, &error);
  } else {
    pid = gen_server_start (self->child_class, "Child", &play, &error);
    process_monitor (pid, NULL);
  }
  g_assert_no_error (error);
  process_send (self->owner, (Message) { .tag = RISEN, .pid = pid });
}

static gboolean
phoenix_init (gpointer state, gconstpointer args, GError **error)
{
  Phoenix *self = state;

  (void) error;
  *self = *(const Phoenix *) args;
  process_trap_exits (TRUE);
  phoenix_rise (self);
  return TRUE;
}

static void
phoenix_handle_info (gpointer state, Message *message)
{
  Phoenix *self = state;

  g_assert_cmpint (message->tag, ==,
                   self->with_link ? PROCESS_EXIT : PROCESS_DOWN);
  phoenix_rise (self);
}

static const GenServerClass phoenix_class = {
  .name = "Phoenix",
  .state_size = sizeof (Phoenix),
  .init = phoenix_init,
  .handle_info = phoenix_handle_info,
};

/* Ended while idle, while it runs, and by itself. */
static void
check_name_is_free (const GenServerClass *child_class, gboolean with_link)
{
  guint count = test_scaled (1000);
  Phoenix args = { .child_class = child_class,
                   .owner = process_self (),
                   .n_left = count,
                   .with_link = with_link };
  Pid phoenix = gen_server_start (&phoenix_class, NULL, &args, NULL);

  for (guint i = 0; i < count; i++) {
    Pid child = test_receive (RISEN).pid;

    if (i % 3 == 1)
      gen_server_cast (child, (Message) { .tag = WORK });
    if (i % 3 == 2)
      gen_server_cast (child, (Message) { .tag = STOP, .reason = crash });
    else
      process_exit (child, REASON_KILL);
  }
  g_assert_true (process_wait_end (phoenix, test_limit ()));
}

static void
test_names_free_before_down (void)
{
  check_name_is_free (&actor_class, FALSE);
  check_name_is_free (&long_actor_class, FALSE);
  test_end ();
}

static void
test_names_free_before_exit (void)
{
  check_name_is_free (&actor_class, TRUE);
  check_name_is_free (&long_actor_class, TRUE);
  test_end ();
}

/* DEATH */

/* Slow to finalize: who were told before it is done would see that. */

static gint is_finalized; /* atomic */

static void
slow_finalize (gpointer state)
{
  (void) state;
  test_spin (20);
  g_atomic_int_set (&is_finalized, TRUE);
}

static gboolean
always_short (gconstpointer state, const Message *message)
{
  (void) state;
  (void) message;
  return TRUE;
}

static void
slow_handle_cast (gpointer state, Message *request)
{
  (void) state;
  gen_server_stop (request->reason);
}

static const GenServerClass slow_short_class = {
  .name = "SlowShort",
  .is_short = always_short,
  .handle_cast = slow_handle_cast,
  .finalize = slow_finalize,
};

static const GenServerClass slow_class = {
  .name = "Slow",
  .handle_cast = slow_handle_cast,
  .finalize = slow_finalize,
};

typedef enum { BY_MONITOR, BY_LINK, BY_WAITING, N_WAYS } Way;

static void
check_finalized_before_told (const GenServerClass *klass, Way way,
                             gboolean by_itself)
{
  Pid pid = gen_server_start (klass, "Slow", NULL, NULL);

  g_atomic_int_set (&is_finalized, FALSE);
  if (way == BY_MONITOR)
    process_monitor (pid, NULL);
  if (way == BY_LINK)
    process_link (pid);
  if (by_itself)
    gen_server_cast (pid, (Message) { .tag = STOP, .reason = crash });
  else
    process_exit (pid, crash);
  if (way == BY_MONITOR)
    assert_down (pid, crash);
  else if (way == BY_LINK)
    assert_heard (PROCESS_EXIT, pid, crash);
  else
    g_assert_true (process_wait_end (pid, test_limit ()));
  g_assert_true (g_atomic_int_get (&is_finalized));
  g_assert_cmpuint (process_whereis ("Slow"), ==, PID_NONE);
}

static void
check_all_ways (gboolean by_itself)
{
  process_trap_exits (TRUE);
  for (guint i = 0; i < test_scaled (200); i++)
    for (Way way = 0; way < N_WAYS; way++) {
      check_finalized_before_told (&slow_short_class, way, by_itself);
      check_finalized_before_told (&slow_class, way, by_itself);
    }
  test_end ();
}

static void
test_death_of_the_idle_is_told_when_finalized (void)
{
  check_all_ways (FALSE);
}

/* It ends when its handler has returned. */
static void
test_death_by_itself_is_told_when_finalized (void)
{
  check_all_ways (TRUE);
}

/* While its handler runs: told at once, finalized at the handler's return. */
static void
test_death_inside_a_handler_is_told_first (void)
{
  static Door door;
  Pid pid = start_class (&long_actor_class, "Actor");
  g_autofree char *zombies = NULL, *none = NULL;

  play.n_finalized = 0;
  gen_server_cast (pid, (Message) { .tag = STAND, .data = &door });
  gate_wait (&door.entered);
  process_monitor (pid, NULL);
  process_exit (pid, crash);
  assert_down (pid, crash);
  g_assert_false (process_is_alive (pid));
  g_assert_cmpuint (process_whereis ("Actor"), ==, PID_NONE);
  g_assert_cmpint (g_atomic_int_get (&play.n_finalized), ==, 0);

  g_assert_cmpuint (process_wait_gone (0, &zombies), ==, 1);
  g_assert_nonnull (strstr (zombies, "LongActor"));
  g_assert_cmpuint (process_wait_gone (5, NULL), ==, 1);

  gate_open (&door.leave);
  g_assert_cmpuint (process_wait_gone (test_limit (), &none), ==, 0);
  g_assert_null (none);
  g_assert_cmpint (g_atomic_int_get (&play.n_finalized), ==, 1);
  test_end ();
}

/* What a handler does after its process was told to die reaches nobody. */

typedef struct {
  Door door;
  Pid  other;
  From waiting;
  gint freed;
} Act;

static void
act_after_the_end (Act *act)
{
  Message message = { .tag = PING,
                      .data = &act->freed,
                      .free_data = test_count };
  g_autoptr (GError) error = NULL;

  process_send (act->other, message);
  gen_server_cast (act->other, message);
  process_send_after (act->other, message, 0);
  g_assert_false (gen_server_reply (act->waiting, message));
  g_assert_false (gen_server_call (act->other, message, -1, NULL, &error));
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_assert_false (process_register ("Ghost", process_self (), NULL));
  process_link (act->other);
  process_monitor (act->other, NULL);
  process_exit (act->other, REASON_KILL);
}

static void
ghost_handle_call (gpointer state, Message *request, From from)
{
  Act *act = request->data;

  (void) state;
  g_assert_false (process_is_dying ());
  act->waiting = from;
  door_stand (&act->door);
  g_assert_true (process_is_dying ());
  act_after_the_end (act);
}

static const GenServerClass ghost_class = {
  .name = "Ghost",
  .handle_call = ghost_handle_call,
};

static void
test_death_leaves_the_handler_without_effect (void)
{
  static Act act;
  Pid ghost = gen_server_start (&ghost_class, NULL, NULL, NULL);
  g_autoptr (Caller) caller = NULL;

  act.other = start ();
  caller = caller_start (ghost, (Message) { .data = &act }, -1);
  gate_wait (&act.door.entered);
  process_exit (ghost, crash);
  caller_wait (caller);
  g_assert_error (caller->error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_assert_cmpuint (caller->reply.reason, ==, crash);

  gate_open (&act.door.leave);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&act.freed), ==, 5);
  /* An actor says so when it gets a message that it does not know. */
  test_call (act.other, (Message) { .tag = PING });
  end (act.other);
  test_end ();
}

/* CHAINS: deaths that cause deaths */

static gboolean
chain_init (gpointer state, gconstpointer args, GError **error)
{
  (void) state;
  (void) error;
  process_link (*(const Pid *) args);
  return TRUE;
}

static gint n_chain_finalized;

static void
chain_finalize (gpointer state)
{
  (void) state;
  g_atomic_int_inc (&n_chain_finalized);
}

static const GenServerClass short_chain_class = {
  .name = "ShortChain",
  .is_short = always_short,
  .init = chain_init,
  .finalize = chain_finalize,
};

static const GenServerClass long_chain_class = {
  .name = "LongChain",
  .init = chain_init,
  .finalize = chain_finalize,
};

static gpointer
end_chain (gpointer data)
{
  process_exit (*(Pid *) data, crash);
  return NULL;
}

/* Each is linked to the one before it. */
static void
check_chain (const GenServerClass *klass, guint count)
{
  Pid first = start (), last = first;

  g_atomic_int_set (&n_chain_finalized, 0);
  for (guint i = 0; i < count; i++)
    last = gen_server_start (klass, NULL, &last, NULL);
  process_monitor (last, NULL);
  test_on_small_stack (end_chain, &first);
  assert_down (last, crash);
  g_assert_cmpuint (process_wait_gone (test_limit (), NULL), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&n_chain_finalized), ==, (gint) count);
}

static void
test_chain_of_links_has_a_flat_stack (void)
{
  check_chain (&short_chain_class, test_scaled (100000));
  test_end ();
}

static void
test_chain_of_links_of_long_servers_has_a_flat_stack (void)
{
  check_chain (&long_chain_class, test_scaled (20000));
  test_end ();
}

/* All are linked to one. */
static void
test_chain_in_a_star_ends_whole (void)
{
  Pid first = start ();
  guint count = test_scaled (20000);

  for (guint i = 0; i < count; i++)
    process_monitor (gen_server_start (&short_chain_class, NULL, &first, NULL),
                     NULL);
  test_on_small_stack (end_chain, &first);
  for (guint i = 0; i < count; i++)
    g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, crash);
  test_end ();
}

/* STORMS: everything at once, and what must hold afterwards */

typedef struct {
  Pid  victim;
  Gate go;
  Gate told; /* the victim has ended */
} Storm;

/* Each monitor that was not taken back is told once, each other never. */
static gpointer
storm_monitors (gpointer data)
{
  enum { COUNT = 300 };
  Storm *storm = data;
  gint expected[COUNT];
  Message message = { 0 };

  gate_wait (&storm->go);
  for (guint i = 0; i < COUNT; i++) {
    Ref monitor = process_monitor (storm->victim, &expected[i]);

    expected[i] = 1;
    if (i % 3 == 0 && process_demonitor (monitor))
      expected[i] = 0;
  }
  gate_wait (&storm->told);
  while (process_receive (&message, 0))
    --*(gint *) message.data;
  for (guint i = 0; i < COUNT; i++)
    g_assert_cmpint (expected[i], ==, 0);
  return NULL;
}

/* Whatever came before: the last link is told once, the last unlink leaves
 * nothing. */
static gpointer
storm_links (gpointer data)
{
  Storm *storm = data;
  Message message = { 0 };
  gboolean is_last_a_link = g_random_boolean ();

  process_trap_exits (TRUE);
  gate_wait (&storm->go);
  for (guint i = 0; i < 300; i++) {
    process_link (storm->victim);
    process_unlink (storm->victim);
  }
  if (is_last_a_link)
    process_link (storm->victim);
  gate_wait (&storm->told);
  g_assert_cmpint (process_receive (&message, 0), ==, is_last_a_link);
  g_assert_false (process_receive (&message, 0));
  return NULL;
}

/* The victim ends at any moment of it. */
static void
check_storm (GThreadFunc func)
{
  static Storm storm;

  for (guint round = 0; round < test_scaled (30); round++) {
    GThread *threads[4];

    gate_reset (&storm.go);
    gate_reset (&storm.told);
    storm.victim = start ();
    for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
      threads[i] = g_thread_new ("storm", func, &storm);
    gate_open (&storm.go);
    test_spin ((guint) g_random_int_range (0, 300));
    kill_and_wait (storm.victim);
    gate_open (&storm.told);
    for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
      g_thread_join (threads[i]);
  }
  test_end ();
}

static void
test_storm_of_monitors_tells_each_once (void)
{
  check_storm (storm_monitors);
}

static void
test_storm_of_links_tells_each_once (void)
{
  check_storm (storm_links);
}

/* Two that link to each other, and cut that, at the same time agree at last:
 * a link made when all is quiet ties both, one cut then ties neither. */

typedef struct {
  Pid   pid;
  Pid   other;
  Gate *go;
} Half;

static gpointer
storm_half (gpointer data)
{
  Half *half = data;

  gate_wait (half->go);
  for (guint i = 0; i < 100; i++)
    tell (half->pid, g_random_boolean () ? LINK : UNLINK, half->other);
  return NULL;
}

static void
test_storm_of_two_sides_agrees (void)
{
  static Gate go;

  for (guint round = 0; round < test_scaled (60); round++) {
    Pid one = start (), other = start ();
    Half halves[] = { { one, other, &go }, { other, one, &go } };
    GThread *threads[2];
    gboolean is_link = round % 2 == 0;

    tell (one, TRAP, PID_NONE);
    tell (other, TRAP, PID_NONE);
    gate_reset (&go);
    for (guint i = 0; i < 2; i++)
      threads[i] = g_thread_new ("storm", storm_half, &halves[i]);
    gate_open (&go);
    for (guint i = 0; i < 2; i++)
      g_thread_join (threads[i]);

    tell (round % 4 < 2 ? one : other, is_link ? LINK : UNLINK,
          round % 4 < 2 ? other : one);
    kill_and_wait (one);
    test_call (other, (Message) { .tag = PING });
    if (is_link)
      assert_heard (HEARD_EXIT, one, REASON_KILLED);
    kill_and_wait (other);
  }
  test_end ();
}

/* Many link each other while some are killed: whoever is linked to one who
 * has ended ends as well. */

enum { N_ACTORS = 60, N_EDGES = 120, N_LINKERS = 4 };

typedef struct {
  Pid  actors[N_ACTORS];
  Gate go;
} Crowd;

typedef struct {
  Crowd *crowd;
  Pid    edges[N_EDGES][2];
  guint  n_edges;
} Linker;

static gpointer
link_crowd (gpointer data)
{
  Linker *self = data;

  gate_wait (&self->crowd->go);
  for (guint i = 0; i < N_EDGES; i++) {
    Pid one = self->crowd->actors[g_random_int_range (0, N_ACTORS)];
    Pid other = self->crowd->actors[g_random_int_range (0, N_ACTORS)];

    if (gen_server_call (one, (Message) { .tag = LINK, .pid = other },
                         test_limit (), NULL, NULL)) {
      self->edges[self->n_edges][0] = one;
      self->edges[self->n_edges++][1] = other;
    }
  }
  return NULL;
}

/* Returns: whether one more has ended */
static gboolean
follow_edges (Linker *linker)
{
  gboolean has_changed = FALSE;

  for (guint i = 0; i < linker->n_edges; i++) {
    Pid one = linker->edges[i][0], other = linker->edges[i][1];

    if (process_is_alive (one) == process_is_alive (other))
      continue;
    g_assert_true (process_wait_end (one, test_limit ()));
    g_assert_true (process_wait_end (other, test_limit ()));
    has_changed = TRUE;
  }
  return has_changed;
}

static void
test_storm_of_links_and_exits_leaves_no_half_link (void)
{
  static Crowd crowd;

  for (guint round = 0; round < test_scaled (20); round++) {
    g_autofree Linker *linkers = g_new0 (Linker, N_LINKERS);
    GThread *threads[N_LINKERS];
    gboolean has_changed = TRUE;

    gate_reset (&crowd.go);
    for (guint i = 0; i < N_ACTORS; i++)
      crowd.actors[i] = start ();
    for (guint i = 0; i < N_LINKERS; i++) {
      linkers[i].crowd = &crowd;
      threads[i] = g_thread_new ("linker", link_crowd, &linkers[i]);
    }
    gate_open (&crowd.go);
    for (guint i = 0; i < 3; i++)
      process_exit (crowd.actors[g_random_int_range (0, N_ACTORS)], crash);
    for (guint i = 0; i < N_LINKERS; i++)
      g_thread_join (threads[i]);

    while (has_changed) {
      has_changed = FALSE;
      for (guint i = 0; i < N_LINKERS; i++)
        has_changed |= follow_edges (&linkers[i]);
    }
    for (guint i = 0; i < N_ACTORS; i++)
      kill_and_wait (crowd.actors[i]);
  }
  test_end ();
}

#define SIGNALS(path, name) \
  g_test_add_func ("/signals/" path, test_signals_##name)
#define NAMES(path, name) g_test_add_func ("/names/" path, test_names_##name)
#define DEATH(path, name) g_test_add_func ("/death/" path, test_death_##name)
#define CHAIN(path, name) g_test_add_func ("/chain/" path, test_chain_##name)
#define STORM(path, name) g_test_add_func ("/storm/" path, test_storm_##name)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  crash = g_quark_from_static_string ("crash");
  other_crash = g_quark_from_static_string ("other_crash");

  SIGNALS ("link/ends-the-other", link_ends_the_other);
  SIGNALS ("link/passes-the-reason-along", link_passes_the_reason_along);
  SIGNALS ("link/of-a-normal-end-is-ignored", link_of_a_normal_end_is_ignored);
  SIGNALS ("link/trapped-is-a-message", link_trapped_is_a_message);
  SIGNALS ("link/twice-is-once", link_twice_is_once);
  SIGNALS ("link/is-cut-from-both-ends", link_is_cut_from_both_ends);
  SIGNALS ("link/again-holds", link_again_holds);
  SIGNALS ("link/to-the-dead-is-noproc", link_to_the_dead_is_noproc);
  SIGNALS ("link/to-oneself-is-nothing", link_to_oneself_is_nothing);
  SIGNALS ("link/is-not-a-ref", link_is_not_a_ref);
  SIGNALS ("unlink/drops-what-is-on-its-way", unlink_drops_what_is_on_its_way);
  SIGNALS ("unlink/in-a-handler-drops-what-is-on-its-way",
           unlink_in_a_handler_drops_what_is_on_its_way);
  SIGNALS ("unlink/does-not-drop-an-exit", unlink_does_not_drop_an_exit);
  SIGNALS ("unlink/then-link-is-noproc-once", unlink_then_link_is_noproc_once);
  SIGNALS ("exit/ends-with-its-reason", exit_ends_with_its_reason);
  SIGNALS ("exit/normal-of-another-is-ignored",
           exit_normal_of_another_is_ignored);
  SIGNALS ("exit/normal-of-oneself-ends", exit_normal_of_oneself_ends);
  SIGNALS ("exit/trapped-is-a-message", exit_trapped_is_a_message);
  SIGNALS ("exit/of-oneself-can-be-trapped", exit_of_oneself_can_be_trapped);
  SIGNALS ("exit/kill-is-not-trapped", exit_kill_is_not_trapped);
  SIGNALS ("exit/killed-is-what-watchers-hear",
           exit_killed_is_what_watchers_hear);
  SIGNALS ("exit/with-kill-is-ordinary-to-links",
           exit_with_kill_is_ordinary_to_links);
  SIGNALS ("exit/counts-once", exit_counts_once);
  SIGNALS ("trap/can-be-ended", trap_can_be_ended);
  SIGNALS ("monitor/many-on-one", monitor_many_on_one);
  SIGNALS ("monitor/by-many", monitor_by_many);
  SIGNALS ("monitor/does-not-end-the-watcher",
           monitor_does_not_end_the_watcher);
  SIGNALS ("monitor/of-the-dead-is-noproc", monitor_of_the_dead_is_noproc);
  SIGNALS ("demonitor/ends-one-monitor", demonitor_ends_one_monitor);
  SIGNALS ("demonitor/drops-what-is-on-its-way",
           demonitor_drops_what_is_on_its_way);
  SIGNALS ("demonitor/by-another-is-nothing", demonitor_by_another_is_nothing);
  SIGNALS ("wait-end/has-a-limit", wait_end_has_a_limit);
  NAMES ("register-and-find", register_and_find);
  NAMES ("taken-is-refused", taken_is_refused);
  NAMES ("second-is-refused", second_is_refused);
  NAMES ("of-the-dead-is-refused", of_the_dead_is_refused);
  NAMES ("unregister-frees-it", unregister_frees_it);
  NAMES ("free-before-down", free_before_down);
  NAMES ("free-before-exit", free_before_exit);
  DEATH ("of-the-idle-is-told-when-finalized",
         of_the_idle_is_told_when_finalized);
  DEATH ("by-itself-is-told-when-finalized", by_itself_is_told_when_finalized);
  DEATH ("inside-a-handler-is-told-first", inside_a_handler_is_told_first);
  DEATH ("leaves-the-handler-without-effect",
         leaves_the_handler_without_effect);
  CHAIN ("of-links-has-a-flat-stack", of_links_has_a_flat_stack);
  CHAIN ("of-links-of-long-servers-has-a-flat-stack",
         of_links_of_long_servers_has_a_flat_stack);
  CHAIN ("in-a-star-ends-whole", in_a_star_ends_whole);
  STORM ("of-monitors-tells-each-once", of_monitors_tells_each_once);
  STORM ("of-links-tells-each-once", of_links_tells_each_once);
  STORM ("of-two-sides-agrees", of_two_sides_agrees);
  STORM ("of-links-and-exits-leaves-no-half-link",
         of_links_and_exits_leaves_no_half_link);
  return g_test_run ();
}
