/* What a gen_server can do for itself: go on with something first, and look
 * whether somebody still waits. */
#include "helper.h"

enum {
  NOTE = 1, /* is written down */
  GO_ON,    /* stands in the door that is `data`, then continues with a NOTE */
  DIE,      /* dies, and then continues with data */
  KEEP,     /* is not answered; `data` is a gate to open */
  IS_WAITING,
  READ /* answered with what was written down, first to last */
};

typedef struct {
  gint64 notes; /* a digit each */
  From   kept;
} Server;

static gboolean
is_short (gconstpointer state, const Message *message)
{
  (void) state;
  return message->tag != GO_ON;
}

static void
write_down (Server *self, const Message *note)
{
  g_assert_cmpint (note->tag, ==, NOTE);
  self->notes = self->notes * 10 + note->number;
}

static void
handle_call (gpointer state, Message *request, From from)
{
  Server *self = state;

  if (request->tag == KEEP) {
    self->kept = from;
    gate_open (request->data);
    return;
  }
  gen_server_reply (from, (Message) {
                            .number = request->tag == READ
                                        ? self->notes
                                        : gen_server_is_waiting (self->kept) });
}

static void
handle_cast (gpointer state, Message *request)
{
  if (request->tag == GO_ON) {
    door_stand (request->data);
    gen_server_continue ((Message) { .tag = NOTE, .number = 1 });
    gen_server_continue ((Message) { .tag = NOTE, .number = 2 });
  } else if (request->tag == DIE) {
    process_exit (process_self (), REASON_KILL);
    gen_server_continue (
      (Message) { .data = request->data, .free_data = test_count });
  } else {
    write_down (state, request);
  }
}

static void
handle_info (gpointer state, Message *message)
{
  write_down (state, message);
}

static const GenServerClass class = { .name = "Continuing",
                                      .state_size = sizeof (Server),
                                      .is_short = is_short,
                                      .handle_call = handle_call,
                                      .handle_cast = handle_cast,
                                      .handle_info = handle_info };

static Pid
start (void)
{
  return gen_server_start (&class, NULL, NULL, NULL);
}

static void
kill_and_wait (Pid pid)
{
  process_exit (pid, REASON_KILL);
  g_assert_true (process_wait_end (pid, test_limit ()));
}

/* The last that was said is the first to be done. */
static void
test_continue_comes_before_what_was_sent (void)
{
  static Door door;
  Pid pid = start ();

  gen_server_cast (pid, (Message) { .tag = GO_ON, .data = &door });
  gate_wait (&door.entered);
  gen_server_cast (pid, (Message) { .tag = NOTE, .number = 3 });
  process_send (pid, (Message) { .tag = NOTE, .number = 4 });
  gate_open (&door.leave);
  g_assert_cmpint (test_call (pid, (Message) { .tag = READ }).number, ==, 2134);
  kill_and_wait (pid);
  test_end ();
}

static void
test_continue_of_the_dead_is_dropped (void)
{
  gint n_freed = 0;
  Pid pid = start ();

  gen_server_cast (pid, (Message) { .tag = DIE, .data = &n_freed });
  process_wait_end (pid, test_limit ());
  g_assert_cmpint (g_atomic_int_get (&n_freed), ==, 1);
  test_end ();
}

static gint64
is_waiting (Pid pid)
{
  return test_call (pid, (Message) { .tag = IS_WAITING }).number;
}

static void
test_waiting_is_known (void)
{
  static Gate asked;
  Pid pid = start ();
  g_autoptr (Caller) caller = NULL;

  g_assert_false (is_waiting (pid));
  caller = caller_start (pid, (Message) { .tag = KEEP, .data = &asked }, -1);
  gate_wait (&asked);
  g_assert_true (is_waiting (pid));
  process_exit (caller->pid, REASON_KILL);
  caller_wait (caller);
  g_assert_false (is_waiting (pid));
  kill_and_wait (pid);
  test_end ();
}

static void
test_waiting_is_over_with_the_limit (void)
{
  static Gate asked;
  Pid pid = start ();

  g_assert_false (gen_server_call (pid,
                                   (Message) { .tag = KEEP, .data = &asked }, 1,
                                   NULL, NULL));
  g_assert_false (is_waiting (pid));
  kill_and_wait (pid);
  test_end ();
}

static void
test_idle_is_known (void)
{
  static Door door;
  Pid pid = start ();

  test_wait_idle (pid);
  g_assert_true (process_is_idle (pid));
  gen_server_cast (pid, (Message) { .tag = GO_ON, .data = &door });
  g_assert_false (process_is_idle (pid));
  gate_wait (&door.entered);
  g_assert_false (process_is_idle (pid));
  gate_open (&door.leave);
  kill_and_wait (pid);
  g_assert_false (process_is_idle (pid));
  test_end ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/continue/comes-before-what-was-sent",
                   test_continue_comes_before_what_was_sent);
  g_test_add_func ("/continue/of-the-dead-is-dropped",
                   test_continue_of_the_dead_is_dropped);
  g_test_add_func ("/waiting/is-known", test_waiting_is_known);
  g_test_add_func ("/waiting/is-over-with-the-limit",
                   test_waiting_is_over_with_the_limit);
  g_test_add_func ("/idle/is-known", test_idle_is_known);
  return g_test_run ();
}
