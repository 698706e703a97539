/* Supervisors: who is started, stopped and started again, when, in which
 * order, and how often.
 *
 * The children are parts, which note what becomes of them: "+a" when a has
 * started, "!a" when it could not, "~a" when a, which traps exits, has said
 * good-bye, "-a" when it was finalized.  Most tests are a list of these notes.
 * They run twice: with parts that are short, which the supervisor starts and
 * stops on its callers' threads, and with parts that are not.
 */
#include "helper.h"
#include "supervisor.h"
#include "task.h"

enum { STAND = 1, ASK_SUPERVISOR, UNLINK, ANSWER };

#define PART_ERROR (g_quark_from_static_string ("part-error"))
#define PART_ERROR_FAILS 7

/* What a child is made of: its args. */
typedef struct {
  const char *id;         /* NULL: nothing is noted */
  gint        n_failures; /* starts that will fail; atomic */
  gint        n_freed;    /* atomic */
  gboolean    traps;
  Door       *init_door; /* (nullable): where init stands … */
  Door       *stop_door; /* … and where terminate does */
  GThread    *thread;    /* that ran init, or finalize, last; atomic */
} Part;

typedef struct {
  Part *part; /* NULL unless it has started */
} State;

static Reason crash;
static const GenServerClass *part_class; /* short or long */

/* THE NOTES */

static GMutex notes_lock;
static GCond something_new;
static GString *notes; /* protected by notes_lock */

static void
note (const char *what, const char *id)
{
  if (id == NULL)
    return;
  g_mutex_lock (&notes_lock);
  g_string_append_printf (notes, "%s%s%s", notes->len > 0 ? " " : "", what, id);
  g_cond_broadcast (&something_new);
  g_mutex_unlock (&notes_lock);
}

/* Waits until there are as many notes as are expected: since the last time,
 * and no others. */
#define expect(text) expect_at (text, __FILE__, __LINE__, G_STRFUNC)

static void
expect_at (const char *text, const char *file, int line, const char *func)
{
  gint64 deadline = g_get_monotonic_time () + 1000 * (gint64) test_limit ();
  g_autofree char *found = NULL;

  g_mutex_lock (&notes_lock);
  while (notes->len < strlen (text)
         && g_cond_wait_until (&something_new, &notes_lock, deadline))
    continue;
  found = g_strdup (notes->str);
  g_string_truncate (notes, 0);
  g_mutex_unlock (&notes_lock);
  if (!g_str_equal (found, text))
    g_assertion_message_cmpstr (G_LOG_DOMAIN, file, line, func, "notes", found,
                                "==", text);
}

/* PARTS */

static gboolean
part_init (gpointer state, gconstpointer args, GError **error)
{
  State *self = state;
  Part *part = (Part *) args;

  g_atomic_pointer_set (&part->thread, g_thread_self ());
  if (part->init_door != NULL)
    door_stand (part->init_door);
  if (g_atomic_int_get (&part->n_failures) > 0) {
    g_atomic_int_add (&part->n_failures, -1);
    note ("!", part->id);
    g_set_error (error, PART_ERROR, PART_ERROR_FAILS, "%s fails", part->id);
    return FALSE;
  }
  self->part = part;
  process_trap_exits (part->traps);
  note ("+", part->id);
  return TRUE;
}

static void
part_handle_call (gpointer state G_GNUC_UNUSED, Message *request, From from)
{
  ChildCount count;

  if (request->tag == STAND)
    door_stand (request->data);
  else if (request->tag == UNLINK)
    process_unlink (request->pid);
  else
    supervisor_count_children (request->pid, &count, NULL);
  gen_server_reply (from, (Message) { .tag = ANSWER });
}

static void
part_terminate (gpointer state, Reason reason G_GNUC_UNUSED)
{
  State *self = state;

  if (self->part->stop_door != NULL)
    door_stand (self->part->stop_door);
  if (self->part->traps)
    note ("~", self->part->id);
}

static void
part_finalize (gpointer state)
{
  State *self = state;

  if (self->part == NULL)
    return;
  g_atomic_pointer_set (&self->part->thread, g_thread_self ());
  note ("-", self->part->id);
}

static gboolean
always_short (gconstpointer state G_GNUC_UNUSED,
              const Message *message G_GNUC_UNUSED)
{
  return TRUE;
}

static const GenServerClass short_class = { .name = "short part",
                                            .state_size = sizeof (State),
                                            .is_short = always_short,
                                            .init = part_init,
                                            .handle_call = part_handle_call,
                                            .terminate = part_terminate,
                                            .finalize = part_finalize };

static const GenServerClass long_class = { .name = "long part",
                                           .state_size = sizeof (State),
                                           .init = part_init,
                                           .handle_call = part_handle_call,
                                           .terminate = part_terminate,
                                           .finalize = part_finalize };

static void
part_free (gpointer part)
{
  g_atomic_int_inc (&((Part *) part)->n_freed);
}

static ChildSpec
spec_of (Part *part, Restart restart)
{
  return (ChildSpec) { .id = part->id,
                       .klass = part_class,
                       .args = part,
                       .free_args = part_free,
                       .restart = restart };
}

static Pid
start_part (gconstpointer args, GError **error)
{
  return gen_server_start_link (part_class, NULL, args, error);
}

/* Ends a child, and waits until its supervisor has been told. */
static void
end (Pid pid, Reason reason)
{
  if (reason == REASON_KILL)
    process_exit (pid, reason);
  else
    gen_server_stop_sync (pid, reason, test_limit (), NULL);
  g_assert_true (process_wait_end (pid, test_limit ()));
}

/* SUPERVISORS */

#define OFTEN 1000

static void
begin (gconstpointer klass)
{
  part_class = klass;
  if (notes == NULL)
    notes = g_string_new (NULL);
}

static Pid
start (Strategy strategy, const ChildSpec *children, gsize n_children)
{
  g_autoptr (GError) error = NULL;
  SupervisorSpec spec = { .strategy = strategy,
                          .max_restarts = OFTEN,
                          .max_seconds = 3600,
                          .children = children,
                          .n_children = n_children };
  Pid supervisor = supervisor_start (&spec, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (supervisor, !=, PID_NONE);
  return supervisor;
}

/* Permanent parts, started in this order. */
static Pid
start_parts (Strategy strategy, Part *parts, gsize n_parts)
{
  g_autofree ChildSpec *children = g_new0 (ChildSpec, n_parts);

  for (gsize i = 0; i < n_parts; i++)
    children[i] = spec_of (&parts[i], RESTART_PERMANENT);
  return start (strategy, children, n_parts);
}

static Pid
start_simple (Part *part, Restart restart)
{
  ChildSpec model = spec_of (part, restart);

  return start (STRATEGY_SIMPLE_ONE_FOR_ONE, &model, 1);
}

static Pid
start_child (Pid supervisor, const ChildSpec *spec)
{
  g_autoptr (GError) error = NULL;
  Pid pid = supervisor_start_child (supervisor, spec, &error);

  g_assert_no_error (error);
  g_assert_true (process_is_alive (pid));
  return pid;
}

/* What is the @i-th child, from 0?  This is also the round trip after which a
 * supervisor has handled what it was sent before. */
static ChildInfo
get_info (Pid supervisor, guint i)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) infos = supervisor_which_children (supervisor, &error);
  ChildInfo info;

  g_assert_no_error (error);
  g_assert_cmpuint (i, <, infos->len);
  info = g_array_index (infos, ChildInfo, i);
  info.id = NULL; /* it belongs to the array */
  return info;
}

static Pid
get_pid (Pid supervisor, guint i)
{
  return get_info (supervisor, i).pid;
}

#define assert_count(supervisor, specs, active, supervisors, workers) \
  G_STMT_START { \
    ChildCount count = { 0 }; \
    g_autoptr (GError) count_error = NULL; \
    supervisor_count_children (supervisor, &count, &count_error); \
    g_assert_no_error (count_error); \
    g_assert_cmpuint (count.n_specs, ==, specs); \
    g_assert_cmpuint (count.n_active, ==, active); \
    g_assert_cmpuint (count.n_supervisors, ==, supervisors); \
    g_assert_cmpuint (count.n_workers, ==, workers); \
  } G_STMT_END

/* Expects @call, which takes &refusal, to fail with SUPERVISOR_ERROR_@code. */
#define assert_refused(code, call) \
  G_STMT_START { \
    g_autoptr (GError) refusal = NULL; \
    g_assert_cmpuint (call, ==, 0); \
    g_assert_error (refusal, SUPERVISOR_ERROR, SUPERVISOR_ERROR_##code); \
  } G_STMT_END

#define assert_freed(part, times) \
  g_assert_cmpint (g_atomic_int_get (&(part)->n_freed), ==, times)

static void
finish (Pid supervisor, const char *expected)
{
  supervisor_stop (supervisor, test_limit ());
  g_assert_false (process_is_alive (supervisor));
  expect (expected);
}

/* The end of every test: nothing is left, and nothing more was noted. */
static void
check_end (void)
{
  test_end ();
  expect ("");
}

/* STARTING AND STOPPING */

static void
test_start_in_order_and_stop_in_reverse (gconstpointer klass)
{
  Part parts[] = { { .id = "a" }, { .id = "b" }, { .id = "c" } };
  Pid supervisor;

  begin (klass);
  supervisor = start_parts (STRATEGY_ONE_FOR_ONE, parts, 3);
  expect ("+a +b +c");
  assert_count (supervisor, 3, 3, 0, 3);
  for (int i = 0; i < 3; i++)
    assert_freed (&parts[i], 0);
  finish (supervisor, "-c -b -a");
  for (int i = 0; i < 3; i++)
    assert_freed (&parts[i], 1);
  check_end ();
}

static void
test_start_that_fails_is_undone (gconstpointer klass)
{
  g_autoptr (GError) error = NULL;
  Part parts[] = { { .id = "a", .traps = TRUE },
                   { .id = "b", .traps = TRUE },
                   { .id = "c", .traps = TRUE },
                   { .id = "d", .n_failures = 1 },
                   { .id = "e" } };
  ChildSpec children[5];
  SupervisorSpec spec = { .name = "top",
                          .children = children,
                          .n_children = 5 };

  begin (klass);
  for (int i = 0; i < 5; i++)
    children[i] = spec_of (&parts[i], RESTART_PERMANENT);
  g_assert_cmpuint (supervisor_start_link (&spec, &error), ==, PID_NONE);
  g_assert_error (error, PART_ERROR, PART_ERROR_FAILS);
  g_assert_cmpstr (error->message, ==, "d fails");
  expect ("+a +b +c !d ~c -c ~b -b ~a -a");
  for (int i = 0; i < 5; i++)
    assert_freed (&parts[i], 1);
  g_assert_cmpuint (process_whereis ("top"), ==, PID_NONE);
  check_end ();
}

static void
test_start_takes_a_function (gconstpointer klass)
{
  Part part = { .id = "a" };
  ChildSpec child = {
    .id = "a", .start = start_part, .args = &part, .free_args = part_free
  };
  Pid supervisor;

  begin (klass);
  supervisor = start (STRATEGY_ONE_FOR_ONE, &child, 1);
  expect ("+a");
  end (get_pid (supervisor, 0), crash);
  expect ("-a +a");
  finish (supervisor, "-a");
  assert_freed (&part, 1);
  check_end ();
}

static void
test_start_registers_the_name (gconstpointer klass)
{
  g_autoptr (GError) error = NULL;
  Part parts[] = { { .id = "a" }, { .id = "b" } };
  ChildSpec children[2];
  SupervisorSpec spec = { .name = "top",
                          .children = children,
                          .n_children = 1 };
  Pid supervisor;

  begin (klass);
  for (int i = 0; i < 2; i++)
    children[i] = spec_of (&parts[i], RESTART_PERMANENT);
  supervisor = supervisor_start (&spec, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (process_whereis ("top"), ==, supervisor);
  expect ("+a");

  spec.children = &children[1];
  g_assert_cmpuint (supervisor_start (&spec, &error), ==, PID_NONE);
  g_assert_error (error, NAMES_ERROR, NAMES_ERROR_TAKEN);
  assert_freed (&parts[1], 1);
  finish (supervisor, "-a");
  assert_freed (&parts[0], 1);
  check_end ();
}

static void
test_start_refuses_what_is_wrong (void)
{
  Part part = { .id = "a" };
  ChildSpec fine = {
    .id = "a", .klass = &long_class, .args = &part, .free_args = part_free
  };
  ChildSpec nameless = fine, nothing = fine, both = fine, other = fine;
  ChildSpec unknown = fine, hasty = fine;
  struct {
    Strategy strategy;
    ChildSpec children[2];
    gsize n_children;
    const char *says;
  } cases[] = {
    { STRATEGY_ONE_FOR_ONE, { fine, nameless }, 2, "*no id*" },
    { STRATEGY_ONE_FOR_ALL, { nothing, fine }, 2, "*a has neither*" },
    { STRATEGY_REST_FOR_ONE, { other, both }, 2, "*a has both*" },
    { STRATEGY_ONE_FOR_ONE, { fine, fine }, 2, "*two children a*" },
    { STRATEGY_SIMPLE_ONE_FOR_ONE, { fine }, 0, "*takes one child*" },
    { STRATEGY_SIMPLE_ONE_FOR_ONE, { fine, other }, 2, "*takes one child*" },
    { STRATEGY_SIMPLE_ONE_FOR_ONE, { nothing }, 1, "*a has neither*" },
    { STRATEGY_ONE_FOR_ONE, { unknown }, 1, "*a has no such restart*" },
    { STRATEGY_ONE_FOR_ONE, { hasty }, 1, "*a has no such shutdown_ms*" },
    { (Strategy) 4, { fine }, 1, "*no such strategy*" },
  };

  begin (&long_class);
  nameless.id = NULL;
  cases[0].children[1] = nameless;
  nothing.klass = NULL;
  cases[1].children[0] = cases[6].children[0] = nothing;
  both.start = start_part;
  cases[2].children[1] = both;
  other.id = "b";
  cases[2].children[0] = cases[5].children[1] = other;
  unknown.restart = (Restart) 3;
  cases[7].children[0] = unknown;
  hasty.shutdown_ms = SHUTDOWN_BRUTAL_KILL - 1;
  cases[8].children[0] = hasty;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    SupervisorSpec spec = { .strategy = cases[i].strategy,
                            .children = cases[i].children,
                            .n_children = cases[i].n_children };
    g_autoptr (GError) error = NULL;

    part.n_freed = 0;
    g_assert_cmpuint (supervisor_start (&spec, &error), ==, PID_NONE);
    g_assert_error (error, SUPERVISOR_ERROR, SUPERVISOR_ERROR_INVALID);
    g_test_message ("%s", error->message);
    g_assert_true (g_pattern_match_simple (cases[i].says, error->message));
    assert_freed (&part, (gint) cases[i].n_children);
  }
  check_end ();
}

static Pid
start_nothing (gconstpointer args G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  return PID_NONE;
}

static void
test_start_function_that_says_nothing (void)
{
  ChildSpec silent = { .id = "silent", .start = start_nothing };
  g_autoptr (GError) error = NULL;
  Pid supervisor;

  begin (&long_class);
  supervisor = supervisor_start (&(SupervisorSpec) { .name = "top" }, NULL);
  g_assert_cmpuint (supervisor_start_child (supervisor, &silent, &error), ==,
                    PID_NONE);
  g_assert_error (error, SUPERVISOR_ERROR, SUPERVISOR_ERROR_INVALID);
  supervisor_stop (supervisor, test_limit ());
  check_end ();
}

static void
test_shutdown_may_be_as_long_as_can_be (void)
{
  Part part = { .id = "a", .traps = TRUE };
  ChildSpec child;
  Pid supervisor;

  begin (&long_class);
  child = spec_of (&part, RESTART_PERMANENT);
  child.shutdown_ms = G_MAXINT;
  supervisor = start (STRATEGY_ONE_FOR_ONE, &child, 1);
  supervisor_stop (supervisor, test_limit ());
  expect ("+a ~a -a");
  check_end ();
}

static void
test_short_children_start_and_stop_on_the_callers_thread (void)
{
  Part part = { .id = "a" };
  Pid supervisor, child;

  begin (&short_class);
  supervisor = start_simple (&part, RESTART_TEMPORARY);
  child = start_child (supervisor, NULL);
  g_assert_true (part.thread == g_thread_self ());
  part.thread = NULL;
  g_assert_true (supervisor_terminate_pid (supervisor, child, NULL));
  g_assert_true (part.thread == g_thread_self ());
  finish (supervisor, "+a -a");
  check_end ();
}

static void
test_long_children_start_and_stop_on_another_thread (void)
{
  Part part = { .id = "a" };
  Pid supervisor, child;

  begin (&long_class);
  supervisor = start_simple (&part, RESTART_TEMPORARY);
  child = start_child (supervisor, NULL);
  g_assert_true (part.thread != g_thread_self ());
  g_assert_true (supervisor_terminate_pid (supervisor, child, NULL));
  g_assert_true (part.thread != g_thread_self ());
  finish (supervisor, "+a -a");
  check_end ();
}

/* The tree below this one is a child like others. */

static Part inner_parts[] = { { .id = "x" }, { .id = "y" } };

static Pid
start_inner (gconstpointer args, GError **error)
{
  ChildSpec children[] = { spec_of (&inner_parts[0], RESTART_PERMANENT),
                           spec_of (&inner_parts[1], RESTART_PERMANENT) };
  SupervisorSpec spec = { .strategy = STRATEGY_ONE_FOR_ONE,
                          .max_restarts = GPOINTER_TO_UINT (args),
                          .max_seconds = 3600,
                          .children = children,
                          .n_children = 2 };

  for (int i = 0; i < 2; i++)
    children[i].free_args = NULL;
  return supervisor_start_link (&spec, error);
}

static void
test_stop_takes_the_trees_below (gconstpointer klass)
{
  Part parts[] = { { .id = "a" }, { .id = "b" } };
  Pid supervisor;

  begin (klass);
  {
    ChildSpec children[] = {
      spec_of (&parts[0], RESTART_PERMANENT),
      { .id = "inner", .start = start_inner, .is_supervisor = TRUE },
      spec_of (&parts[1], RESTART_PERMANENT)
    };

    supervisor = start (STRATEGY_ONE_FOR_ONE, children, 3);
  }
  expect ("+a +x +y +b");
  assert_count (supervisor, 3, 3, 1, 2);
  g_assert_true (get_info (supervisor, 1).is_supervisor);
  finish (supervisor, "-b -y -x -a");
  check_end ();
}

static void
test_stop_of_the_dead_does_nothing (gconstpointer klass)
{
  Part part = { .id = "a" };
  Pid supervisor;

  begin (klass);
  supervisor = start_parts (STRATEGY_ONE_FOR_ONE, &part, 1);
  expect ("+a");
  finish (supervisor, "-a");
  supervisor_stop (supervisor, -1);
  supervisor_stop (PID_NONE, -1);
  check_end ();
}

static void
test_stop_that_takes_too_long_kills (void)
{
  static Door door;
  Part part = { .id = "a", .traps = TRUE, .stop_door = &door };
  ChildSpec child;
  Pid supervisor;

  begin (&long_class);
  child = spec_of (&part, RESTART_PERMANENT);
  child.shutdown_ms = SHUTDOWN_INFINITY;
  supervisor = start (STRATEGY_ONE_FOR_ONE, &child, 1);
  supervisor_stop (supervisor, 50);
  g_assert_false (process_is_alive (supervisor));
  gate_wait (&door.entered);
  gate_open (&door.leave);
  expect ("+a ~a -a");
  process_wait_gone (test_limit (), NULL);
  assert_freed (&part, 1);
  check_end ();
}

/* STRATEGIES AND RESTART TYPES */

typedef struct {
  Strategy              strategy;
  Restart               restart;
  const GenServerClass *klass;
} Combination;

/* What is noted when b ends and is restarted: b alone, then all, then those
 * after it; in simple_one_for_one all are called b. */
static const char *const restarted[] = {
  [STRATEGY_ONE_FOR_ONE] = "-b +b",
  [STRATEGY_ONE_FOR_ALL] = "-b -c -a +a +b +c",
  [STRATEGY_REST_FOR_ONE] = "-b -c +b +c",
  [STRATEGY_SIMPLE_ONE_FOR_ONE] = "-b +b"
};

static Pid
start_combination (const Combination *combination, Part *parts)
{
  ChildSpec children[] = { spec_of (&parts[0], RESTART_PERMANENT),
                           spec_of (&parts[1], combination->restart),
                           spec_of (&parts[2], RESTART_PERMANENT) };
  Pid supervisor;

  if (combination->strategy != STRATEGY_SIMPLE_ONE_FOR_ONE) {
    supervisor = start (combination->strategy, children, 3);
    expect ("+a +b +c");
    return supervisor;
  }
  supervisor = start_simple (&parts[1], combination->restart);
  for (int i = 0; i < 3; i++)
    start_child (supervisor, NULL);
  expect ("+b +b +b");
  return supervisor;
}

/* Who is the same process as before, as a string of three. */
static char *
compare (Pid supervisor, const Pid *before)
{
  g_autoptr (GArray) infos = supervisor_which_children (supervisor, NULL);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < infos->len; i++) {
    Pid now = g_array_index (infos, ChildInfo, i).pid;

    g_string_append (text, now == before[i]  ? "="
                           : now == PID_NONE ? "0"
                                             : "+");
  }
  return g_string_free (text, FALSE);
}

static void
check_restarted (const Combination *combination, Pid supervisor,
                 const Pid *before)
{
  static const char *const changes[] = { "=+=", "+++", "=++", "=+=" };
  g_autofree char *change = NULL;
  gboolean is_simple = combination->strategy == STRATEGY_SIMPLE_ONE_FOR_ONE;

  expect (restarted[combination->strategy]);
  change = compare (supervisor, before);
  g_assert_cmpstr (change, ==, changes[combination->strategy]);
  assert_count (supervisor, is_simple ? 1u : 3u, 3u, 0u, 3u);
}

static void
check_not_restarted (const Combination *combination, Pid supervisor)
{
  gboolean is_simple = combination->strategy == STRATEGY_SIMPLE_ONE_FOR_ONE;
  gboolean is_forgotten = is_simple
                          || combination->restart == RESTART_TEMPORARY;
  guint n = is_forgotten ? 2 : 3;

  assert_count (supervisor, is_simple ? 1u : n, 2u, 0u, n);
  expect ("-b");
}

static void
test_combination (gconstpointer data)
{
  const Combination *combination = data;
  gboolean is_simple = combination->strategy == STRATEGY_SIMPLE_ONE_FOR_ONE;
  Reason reasons[] = { crash, REASON_SHUTDOWN, REASON_NORMAL, REASON_KILL };
  gboolean needs_restart[3][4] = { { TRUE, TRUE, TRUE, TRUE },
                                   { TRUE, FALSE, FALSE, TRUE },
                                   { FALSE, FALSE, FALSE, FALSE } };

  begin (combination->klass);
  for (int i = 0; i < 4; i++) {
    gboolean is_restarted = needs_restart[combination->restart][i];
    Part parts[] = { { .id = "a" }, { .id = "b" }, { .id = "c" } };
    Pid supervisor = start_combination (combination, parts);
    Pid before[] = { get_pid (supervisor, 0), get_pid (supervisor, 1),
                     get_pid (supervisor, 2) };

    end (before[1], reasons[i]);
    if (is_restarted)
      check_restarted (combination, supervisor, before);
    else
      check_not_restarted (combination, supervisor);
    finish (supervisor, is_simple      ? is_restarted ? "-b -b -b" : "-b -b"
                        : is_restarted ? "-c -b -a"
                                       : "-c -a");
    assert_freed (&parts[1], 1);
  }
  check_end ();
}

static void
test_temporary_sibling_is_forgotten (gconstpointer klass)
{
  Strategy strategies[] = { STRATEGY_ONE_FOR_ALL, STRATEGY_REST_FOR_ONE };

  begin (klass);
  for (int i = 0; i < 2; i++) {
    Part parts[] = { { .id = "a" }, { .id = "b" }, { .id = "c" } };
    ChildSpec children[] = { spec_of (&parts[0], RESTART_PERMANENT),
                             spec_of (&parts[1], RESTART_TEMPORARY),
                             spec_of (&parts[2], RESTART_TRANSIENT) };
    Pid supervisor = start (strategies[i], children, 3);

    expect ("+a +b +c");
    end (get_pid (supervisor, 0), crash);
    expect ("-a -c -b +a +c");
    assert_count (supervisor, 2, 2, 0, 2);
    assert_freed (&parts[1], 1);
    finish (supervisor, "-c -a");
    assert_freed (&parts[0], 1);
    assert_freed (&parts[1], 1);
  }
  check_end ();
}

/* As in OTP: what is started again is all of it. */
static void
test_one_for_all_starts_also_who_was_stopped (gconstpointer klass)
{
  Part parts[] = { { .id = "a" }, { .id = "b" } };
  Pid supervisor;

  begin (klass);
  supervisor = start_parts (STRATEGY_ONE_FOR_ALL, parts, 2);
  g_assert_true (supervisor_terminate_child (supervisor, "b", NULL));
  expect ("+a +b -b");
  end (get_pid (supervisor, 0), crash);
  expect ("-a +a +b");
  finish (supervisor, "-b -a");
  check_end ();
}

static void
test_rest_for_one_leaves_those_before (gconstpointer klass)
{
  Part parts[] = { { .id = "a" }, { .id = "b" } };
  Pid supervisor, first;

  begin (klass);
  supervisor = start_parts (STRATEGY_REST_FOR_ONE, parts, 2);
  expect ("+a +b");
  first = get_pid (supervisor, 0);
  end (get_pid (supervisor, 1), crash);
  expect ("-b +b");
  g_assert_cmpuint (get_pid (supervisor, 0), ==, first);
  finish (supervisor, "-b -a");
  check_end ();
}

static void
test_exit_of_a_stranger_is_nothing (gconstpointer klass)
{
  Part part = { .id = "a" };
  Pid supervisor;

  begin (klass);
  supervisor = start_parts (STRATEGY_ONE_FOR_ALL, &part, 1);
  process_exit (supervisor, crash);
  process_exit (supervisor, REASON_NORMAL);
  process_exit (supervisor, REASON_SHUTDOWN);
  assert_count (supervisor, 1, 1, 0, 1);
  expect ("+a");
  finish (supervisor, "-a");
  check_end ();
}

/* Does what must wait, in a process of its own. */

typedef struct {
  Pid              supervisor;
  const ChildSpec *spec;
  Pid              pid;   /* (out) of the new child */
  GArray          *infos; /* (out) (owned) */
  GError          *error; /* (out) (owned) */
  Task            *task;
  Gate            *done; /* (nullable) */
} Request;

static gpointer
do_start (gpointer data)
{
  Request *self = data;

  self->pid = supervisor_start_child (self->supervisor, self->spec,
                                      &self->error);
  if (self->done != NULL)
    gate_open (self->done);
  return NULL;
}

static gpointer
do_restart (gpointer data)
{
  Request *self = data;

  self->pid = supervisor_restart_child (self->supervisor, "a", &self->error);
  return NULL;
}

static gpointer
do_delete (gpointer data)
{
  Request *self = data;

  supervisor_delete_child (self->supervisor, "a", &self->error);
  return NULL;
}

static gpointer
do_terminate (gpointer data)
{
  Request *self = data;

  supervisor_terminate_child (self->supervisor, "a", &self->error);
  if (self->done != NULL)
    gate_open (self->done);
  return NULL;
}

static gpointer
do_terminate_pid (gpointer data)
{
  Request *self = data;

  supervisor_terminate_pid (self->supervisor, self->pid, &self->error);
  return NULL;
}

static gpointer
do_which (gpointer data)
{
  Request *self = data;

  self->infos = supervisor_which_children (self->supervisor, &self->error);
  return NULL;
}

static void
request_begin (Request *self, TaskFunc func)
{
  self->task = task_async (func, self, NULL, NULL);
}

static void
request_end (Request *self)
{
  g_assert_true (task_await (self->task, test_limit (), NULL, NULL));
  g_assert_true (process_wait_end (task_get_pid (self->task), test_limit ()));
  g_clear_pointer (&self->task, task_free);
}

static void
request_clear (Request *self)
{
  g_clear_pointer (&self->infos, g_array_unref);
  g_clear_error (&self->error);
}

/* Two die before the supervisor has heard of one: it restarts once, and the
 * second EXIT is of one that is nobody's by then. */
static void
test_exits_of_two_at_once_are_one_restart (void)
{
  static Door door;
  g_autofree char *text = NULL;
  Part parts[] = { { .id = "a" }, { .id = "b" } };
  Part third = { .id = "c", .init_door = &door };
  Request request = { 0 };
  ChildSpec spec;
  Pid supervisor, first[2];

  begin (&long_class);
  supervisor = start_parts (STRATEGY_ONE_FOR_ALL, parts, 2);
  for (guint i = 0; i < 2; i++)
    first[i] = get_pid (supervisor, i);
  spec = spec_of (&third, RESTART_TEMPORARY);
  request = (Request) { .supervisor = supervisor, .spec = &spec };
  request_begin (&request, do_start);
  gate_wait (&door.entered);
  for (guint i = 0; i < 2; i++)
    end (first[i], crash);
  gate_open (&door.leave);
  request_end (&request);
  assert_count (supervisor, 2, 2, 0, 2);
  expect ("+a +b -a -b +c -c +a +b");
  text = gen_server_describe (supervisor, test_limit ());
  g_assert_cmpstr (text, ==, "one_for_all, 2 children, 1 restart");
  finish (supervisor, "-b -a");
  check_end ();
}

/* RESTARTS THAT FAIL */

static void
test_restart_that_fails_is_tried_again (gconstpointer klass)
{
  g_autofree char *text = NULL;
  Part parts[] = { { .id = "a" }, { .id = "b" } };
  Pid supervisor;

  begin (klass);
  supervisor = start_parts (STRATEGY_ONE_FOR_ONE, parts, 2);
  expect ("+a +b");
  parts[0].n_failures = 2;
  end (get_pid (supervisor, 0), crash);
  expect ("-a !a !a +a");
  text = gen_server_describe (supervisor, test_limit ());
  g_assert_cmpstr (text, ==, "one_for_one, 2 children, 3 restarts");
  assert_freed (&parts[0], 0);
  finish (supervisor, "-b -a");
  assert_freed (&parts[0], 1);
  check_end ();
}

static void
test_restart_that_fails_in_simple_one_for_one (gconstpointer klass)
{
  Part part = { .id = "a" };
  Pid supervisor;

  begin (klass);
  supervisor = start_simple (&part, RESTART_TRANSIENT);
  for (int i = 0; i < 2; i++)
    start_child (supervisor, NULL);
  expect ("+a +a");
  part.n_failures = 2;
  end (get_pid (supervisor, 0), crash);
  expect ("-a !a !a +a");
  assert_count (supervisor, 1, 2, 0, 2);
  finish (supervisor, "-a -a");
  assert_freed (&part, 1);
  check_end ();
}

static void
test_restart_that_fails_is_undone_in_one_for_all (gconstpointer klass)
{
  g_autofree char *text = NULL;
  Part parts[] = { { .id = "a" }, { .id = "b" }, { .id = "c" } };
  Pid supervisor;

  begin (klass);
  supervisor = start_parts (STRATEGY_ONE_FOR_ALL, parts, 3);
  expect ("+a +b +c");
  parts[1].n_failures = 2;
  end (get_pid (supervisor, 2), crash);
  expect ("-c -b -a +a !b -a +a !b -a +a +b +c");
  text = gen_server_describe (supervisor, test_limit ());
  g_assert_cmpstr (text, ==, "one_for_all, 3 children, 3 restarts");
  finish (supervisor, "-c -b -a");
  check_end ();
}

/* Those that could start do not have to again: they do not come after the one
 * that could not. */
static void
test_restart_that_fails_goes_on_in_rest_for_one (gconstpointer klass)
{
  Part parts[] = { { .id = "a" }, { .id = "b" }, { .id = "c" }, { .id = "d" } };
  Pid supervisor, first;

  begin (klass);
  supervisor = start_parts (STRATEGY_REST_FOR_ONE, parts, 4);
  expect ("+a +b +c +d");
  first = get_pid (supervisor, 0);
  parts[2].n_failures = 1;
  end (get_pid (supervisor, 1), crash);
  expect ("-b -d -c +b !c +c +d");
  g_assert_cmpuint (get_pid (supervisor, 0), ==, first);
  finish (supervisor, "-d -c -b -a");
  check_end ();
}

static void
test_restart_that_fails_counts_each_time (gconstpointer klass)
{
  Strategy strategies[] = { STRATEGY_ONE_FOR_ONE, STRATEGY_ONE_FOR_ALL };
  const char *expected[] = { "+a +b -a !a !a !a -b", "+a +b -a -b !a !a !a" };

  begin (klass);
  for (int i = 0; i < 2; i++) {
    Part parts[] = { { .id = "a" }, { .id = "b" } };
    ChildSpec children[] = { spec_of (&parts[0], RESTART_PERMANENT),
                             spec_of (&parts[1], RESTART_PERMANENT) };
    SupervisorSpec spec = { .strategy = strategies[i],
                            .max_restarts = 3,
                            .max_seconds = 3600,
                            .children = children,
                            .n_children = 2 };
    Pid supervisor = supervisor_start (&spec, NULL);

    process_monitor (supervisor, NULL);
    parts[0].n_failures = 100;
    end (get_pid (supervisor, 0), crash);
    g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, REASON_SHUTDOWN);
    g_assert_cmpint (parts[0].n_failures, ==, 97);
    expect (expected[i]);
    assert_freed (&parts[0], 1);
    assert_freed (&parts[1], 1);
  }
  check_end ();
}

/* A supervisor with a child "a" which can't start again, at the door; what
 * it is asked meanwhile comes before it tries again. */
static Pid
start_restarting (Strategy strategy, Part *part, Pid *first)
{
  ChildSpec child = spec_of (part, RESTART_PERMANENT);
  Door *door = part->init_door;
  Pid supervisor;

  part->init_door = NULL;
  supervisor = start (strategy, &child, 1);
  if (strategy == STRATEGY_SIMPLE_ONE_FOR_ONE)
    start_child (supervisor, NULL);
  expect ("+a");
  *first = get_pid (supervisor, 0);
  part->init_door = door;
  part->n_failures = 1;
  end (*first, crash);
  gate_wait (&door->entered);
  return supervisor;
}

static void
test_restarting_child (gconstpointer data)
{
  static Door door;
  const Combination *combination = data;
  TaskFunc funcs[] = { do_which, do_delete, do_restart, do_terminate };
  Part part = { .id = "a", .init_door = &door };
  Request requests[4] = { { 0 } };
  const ChildInfo *info;
  Pid supervisor, first;

  begin (&long_class);
  supervisor = start_restarting (combination->strategy, &part, &first);
  for (guint i = 0; i < 4; i++) {
    requests[i].supervisor = supervisor;
    request_begin (&requests[i], funcs[i]);
    test_wait_messages (supervisor, i + 1);
  }
  gate_open (&door.leave);
  for (guint i = 0; i < 4; i++)
    request_end (&requests[i]);

  g_assert_cmpuint (requests[0].infos->len, ==, 1);
  info = &g_array_index (requests[0].infos, ChildInfo, 0);
  g_assert_cmpstr (info->id, ==, "a");
  g_assert_cmpuint (info->pid, ==, PID_NONE);
  g_assert_true (info->is_restarting);
  for (int i = 1; i < 3; i++)
    g_assert_error (requests[i].error, SUPERVISOR_ERROR,
                    SUPERVISOR_ERROR_RESTARTING);
  g_assert_cmpuint (requests[2].pid, ==, PID_NONE);
  g_assert_no_error (requests[3].error);

  /* It was terminated, so it is not tried again. */
  assert_count (supervisor, 1, 0, 0, 1);
  g_assert_false (get_info (supervisor, 0).is_restarting);
  expect ("-a !a");
  g_assert_cmpuint (supervisor_restart_child (supervisor, "a", NULL), !=,
                    PID_NONE);
  finish (supervisor, "+a -a");
  for (int i = 0; i < 4; i++)
    request_clear (&requests[i]);
  check_end ();
}

static void
test_restarting_child_of_simple_one_for_one (void)
{
  static Door door;
  Part part = { .id = "a", .init_door = &door };
  TaskFunc funcs[] = { do_which, do_terminate_pid };
  Request requests[2] = { { 0 } };
  const ChildInfo *info;
  Pid supervisor, first;

  begin (&long_class);
  supervisor = start_restarting (STRATEGY_SIMPLE_ONE_FOR_ONE, &part, &first);
  for (guint i = 0; i < 2; i++) {
    requests[i] = (Request) { .supervisor = supervisor, .pid = first };
    request_begin (&requests[i], funcs[i]);
    test_wait_messages (supervisor, i + 1);
  }
  gate_open (&door.leave);
  for (guint i = 0; i < 2; i++) {
    request_end (&requests[i]);
    g_assert_no_error (requests[i].error);
  }
  info = &g_array_index (requests[0].infos, ChildInfo, 0);
  g_assert_null (info->id);
  g_assert_true (info->is_restarting);
  assert_count (supervisor, 1, 0, 0, 0);
  finish (supervisor, "-a !a");
  for (int i = 0; i < 2; i++)
    request_clear (&requests[i]);
  check_end ();
}

/* HOW OFTEN */

static Pid
start_limited (guint max_restarts, guint max_seconds, Part *parts)
{
  ChildSpec children[] = { spec_of (&parts[0], RESTART_PERMANENT),
                           spec_of (&parts[1], RESTART_PERMANENT) };
  SupervisorSpec spec = { .max_restarts = max_restarts,
                          .max_seconds = max_seconds,
                          .children = children,
                          .n_children = 2 };
  Pid supervisor = supervisor_start (&spec, NULL);

  expect ("+a +b");
  process_monitor (supervisor, NULL);
  return supervisor;
}

static void
test_intensity_is_exactly_max_restarts (gconstpointer klass)
{
  begin (klass);
  for (guint max_restarts = 0; max_restarts < 4; max_restarts++) {
    Part parts[] = { { .id = "a" }, { .id = "b" } };
    Pid supervisor = start_limited (max_restarts, 3600, parts);

    for (guint i = 0; i < max_restarts; i++) {
      end (get_pid (supervisor, i % 2), crash);
      expect (i % 2 == 0 ? "-a +a" : "-b +b");
      assert_count (supervisor, 2, 2, 0, 2);
    }
    end (get_pid (supervisor, 0), crash);
    g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, REASON_SHUTDOWN);
    expect ("-a -b");
    assert_freed (&parts[0], 1);
    assert_freed (&parts[1], 1);
  }
  check_end ();
}

/* The time is what is left out, so a machine may be too slow for this. */
static void
check_default (guint max_restarts, guint n_allowed)
{
  Part parts[] = { { .id = "a" }, { .id = "b" } };
  Pid supervisor = start_limited (max_restarts, 0, parts);
  gint64 began = g_get_monotonic_time ();

  for (guint i = 0; i < n_allowed; i++) {
    end (get_pid (supervisor, 0), crash);
    expect ("-a +a");
  }
  end (get_pid (supervisor, 0), crash);
  if (g_get_monotonic_time () - began
      >= SUPERVISOR_MAX_SECONDS * G_TIME_SPAN_SECOND) {
    supervisor_stop (supervisor, -1);
    g_string_truncate (notes, 0);
    g_test_skip ("this machine is too slow");
  } else {
    expect ("-a -b");
  }
  g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, REASON_SHUTDOWN);
}

static void
test_intensity_has_a_default (gconstpointer klass)
{
  begin (klass);
  check_default (0, SUPERVISOR_MAX_RESTARTS);
  check_default (SUPERVISOR_MAX_RESTARTS + 2, SUPERVISOR_MAX_RESTARTS + 2);
  check_end ();
}

/* The one place where time itself is what is tested. */
static void
test_intensity_is_within_max_seconds (void)
{
  Part parts[] = { { .id = "a" }, { .id = "b" } };
  Pid supervisor;

  begin (&long_class);
  supervisor = start_limited (2, 1, parts);
  for (int i = 0; i < 4; i++) {
    if (i == 2)
      process_sleep (1100);
    end (get_pid (supervisor, 0), crash);
    expect ("-a +a");
  }
  finish (supervisor, "-b -a");
  g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, REASON_SHUTDOWN);
  check_end ();
}

static void
test_intensity_does_not_count_what_needs_no_restart (gconstpointer klass)
{
  Part part = { .id = "a" };
  Pid supervisor;

  begin (klass);
  {
    ChildSpec model = spec_of (&part, RESTART_TRANSIENT);
    SupervisorSpec spec = { .strategy = STRATEGY_SIMPLE_ONE_FOR_ONE,
                            .max_restarts = 0,
                            .max_seconds = 3600,
                            .children = &model,
                            .n_children = 1 };

    supervisor = supervisor_start (&spec, NULL);
  }
  for (int i = 0; i < 3; i++)
    end (start_child (supervisor, NULL), REASON_NORMAL);
  g_assert_true (supervisor_terminate_pid (supervisor,
                                           start_child (supervisor, NULL),
                                           NULL));
  assert_count (supervisor, 1, 0, 0, 0);
  finish (supervisor, "+a -a +a -a +a -a +a -a");
  check_end ();
}

static void
test_intensity_reached_is_the_next_supervisors_turn (gconstpointer klass)
{
  Part part = { .id = "a" };
  Pid supervisor, inner;

  begin (klass);
  {
    ChildSpec children[] = { spec_of (&part, RESTART_PERMANENT),
                             { .id = "inner",
                               .start = start_inner,
                               .args = GUINT_TO_POINTER (1),
                               .is_supervisor = TRUE } };

    supervisor = start (STRATEGY_ONE_FOR_ALL, children, 2);
  }
  expect ("+a +x +y");
  inner = get_pid (supervisor, 1);
  end (get_pid (inner, 0), crash);
  expect ("-x +x");
  end (get_pid (inner, 0), crash);
  expect ("-x -y -a +a +x +y");
  g_assert_cmpuint (get_pid (supervisor, 1), !=, inner);
  finish (supervisor, "-y -x -a");
  check_end ();
}

/* HOW A CHILD STOPS */

static Pid
start_stubborn (Part *part, int shutdown_ms)
{
  ChildSpec child = spec_of (part, RESTART_PERMANENT);

  child.shutdown_ms = shutdown_ms;
  return start (STRATEGY_ONE_FOR_ONE, &child, 1);
}

static void
test_shutdown_lets_a_child_say_good_bye (gconstpointer klass)
{
  Part part = { .id = "a", .traps = TRUE };
  Pid supervisor;

  begin (klass);
  supervisor = start_stubborn (&part, SHUTDOWN_DEFAULT);
  finish (supervisor, "+a ~a -a");
  check_end ();
}

static void
test_shutdown_brutal_kill_does_not (gconstpointer klass)
{
  Part part = { .id = "a", .traps = TRUE };
  Pid supervisor;

  begin (klass);
  supervisor = start_stubborn (&part, SHUTDOWN_BRUTAL_KILL);
  g_assert_true (supervisor_terminate_child (supervisor, "a", NULL));
  expect ("+a -a");
  finish (supervisor, "");
  check_end ();
}

static void
test_shutdown_time_is_kept_then_it_is_killed (void)
{
  static Door door;
  Part part = { .id = "a", .traps = TRUE, .stop_door = &door };
  Pid supervisor, child;
  gint64 began = g_get_monotonic_time ();

  begin (&long_class);
  supervisor = start_stubborn (&part, 100);
  child = get_pid (supervisor, 0);
  g_assert_true (supervisor_terminate_child (supervisor, "a", NULL));
  g_assert_cmpint (g_get_monotonic_time () - began, >=, 100 * 1000);
  g_assert_false (process_is_alive (child));
  g_assert_cmpuint (process_wait_gone (0, NULL), ==, 1);
  expect ("+a");
  gate_open (&door.leave);
  expect ("~a -a");
  finish (supervisor, "");
  check_end ();
}

static void
test_shutdown_waits (void)
{
  static Door door;

  begin (&long_class);
  for (int i = 0; i < 3; i++) {
    Part part = { .id = "a", .traps = TRUE, .stop_door = &door };
    ChildSpec child = spec_of (&part, RESTART_PERMANENT);
    Request request = { 0 };

    child.shutdown_ms = i == 0 ? SHUTDOWN_INFINITY : SHUTDOWN_DEFAULT;
    child.is_supervisor = i == 2;
    gate_reset (&door.entered);
    gate_reset (&door.leave);
    request.supervisor = start (STRATEGY_ONE_FOR_ONE, &child, 1);
    request_begin (&request, do_terminate);
    gate_wait (&door.entered);
    g_assert_false (task_await (request.task, 100, NULL, NULL));
    gate_open (&door.leave);
    request_end (&request);
    finish (request.supervisor, "+a ~a -a");
  }
  check_end ();
}

/* Five seconds for a worker, for ever for a supervisor. */
static void
test_shutdown_has_a_default (void)
{
  static Door door;
  Part part = { .id = "a", .traps = TRUE, .stop_door = &door };
  ChildSpec child;
  gint64 began = g_get_monotonic_time ();
  Request request = { 0 };

  if (!g_test_slow ()) {
    g_test_skip ("it takes five seconds");
    return;
  }
  begin (&long_class);
  child = spec_of (&part, RESTART_PERMANENT);
  request.supervisor = start (STRATEGY_ONE_FOR_ONE, &child, 1);
  g_assert_true (supervisor_terminate_child (request.supervisor, "a", NULL));
  g_assert_cmpint (g_get_monotonic_time () - began, >=, 5000 * 1000);
  gate_open (&door.leave);
  finish (request.supervisor, "+a ~a -a");

  gate_reset (&door.leave);
  child.is_supervisor = TRUE;
  request.supervisor = start (STRATEGY_ONE_FOR_ONE, &child, 1);
  request_begin (&request, do_terminate);
  g_assert_false (task_await (request.task, 6000, NULL, NULL));
  gate_open (&door.leave);
  request_end (&request);
  finish (request.supervisor, "+a ~a -a");
  check_end ();
}

/* Each says good-bye only when all of them have been told. */
static gint n_leaving;
static Gate all_leave;

static void
leaving_terminate (gpointer state G_GNUC_UNUSED, Reason reason G_GNUC_UNUSED)
{
  if (g_atomic_int_dec_and_test (&n_leaving))
    gate_open (&all_leave);
  gate_wait (&all_leave);
}

static gboolean
leaving_init (gpointer state, gconstpointer args, GError **error)
{
  if (!part_init (state, args, error))
    return FALSE;
  process_trap_exits (TRUE);
  return TRUE;
}

static void
test_shutdown_of_simple_one_for_one_is_of_all_at_once (void)
{
  GenServerClass leaving_class = long_class;
  ChildSpec model = { .klass = &leaving_class,
                      .shutdown_ms = SHUTDOWN_INFINITY };
  Part part = { .id = "a" };
  Pid supervisor;

  begin (&long_class);
  leaving_class.init = leaving_init;
  leaving_class.terminate = leaving_terminate;
  model.args = &part;
  n_leaving = 4;
  supervisor = start (STRATEGY_SIMPLE_ONE_FOR_ONE, &model, 1);
  for (int i = 0; i < 4; i++)
    start_child (supervisor, NULL);
  finish (supervisor, "+a +a +a +a -a -a -a -a");
  check_end ();
}

static void
test_shutdown_of_simple_one_for_one_has_one_time_for_all (void)
{
  static Door door;
  Part part = { .id = "a", .traps = TRUE, .stop_door = &door };
  const int n_children = 10;
  ChildSpec model;
  gint64 began, took_ms;
  Pid supervisor;

  begin (&long_class);
  model = spec_of (&part, RESTART_TEMPORARY);
  model.shutdown_ms = 1000;
  supervisor = start (STRATEGY_SIMPLE_ONE_FOR_ONE, &model, 1);
  for (int i = 0; i < n_children; i++)
    start_child (supervisor, NULL);
  began = g_get_monotonic_time ();
  supervisor_stop (supervisor, test_limit ());
  took_ms = (g_get_monotonic_time () - began) / G_TIME_SPAN_MILLISECOND;
  g_assert_cmpint (took_ms, <, n_children * model.shutdown_ms);
  gate_open (&door.leave);
  process_wait_gone (test_limit (), NULL);
  g_string_truncate (notes, 0);
  check_end ();
}

static void
test_handler_that_never_returns_is_abandoned (void)
{
  static Door door;
  g_autoptr (Caller) caller = NULL;
  Part part = { .id = "a" };
  Pid supervisor, first;

  begin (&long_class);
  supervisor = start_stubborn (&part, SHUTDOWN_DEFAULT);
  first = get_pid (supervisor, 0);
  caller = caller_start (first, (Message) { .tag = STAND, .data = &door }, -1);
  gate_wait (&door.entered);
  process_exit (first, REASON_KILL);
  expect ("+a +a");
  g_assert_true (process_is_alive (get_pid (supervisor, 0)));
  g_assert_cmpuint (process_wait_gone (0, NULL), ==, 1);
  caller_wait (caller);
  gate_open (&door.leave);
  expect ("-a");
  finish (supervisor, "-a");
  check_end ();
}

static void
test_sibling_that_never_returns_is_abandoned (void)
{
  static Door door;
  g_autoptr (Caller) caller = NULL;
  Part parts[] = { { .id = "a", .traps = TRUE }, { .id = "b" } };
  ChildSpec children[2];
  Pid supervisor, first;

  begin (&long_class);
  for (int i = 0; i < 2; i++)
    children[i] = spec_of (&parts[i], RESTART_PERMANENT);
  children[0].shutdown_ms = 50;
  supervisor = start (STRATEGY_ONE_FOR_ALL, children, 2);
  expect ("+a +b");
  first = get_pid (supervisor, 0);
  caller = caller_start (first, (Message) { .tag = STAND, .data = &door }, -1);
  gate_wait (&door.entered);
  end (get_pid (supervisor, 1), crash);
  expect ("-b +a +b");
  g_assert_false (process_is_alive (first));
  caller_wait (caller);
  gate_open (&door.leave);
  expect ("-a");
  finish (supervisor, "-b ~a -a");
  check_end ();
}

/* As in OTP: neither can the supervisor answer, nor the child stop. */
static void
test_child_that_calls_its_supervisor_is_killed_in_time (void)
{
  static Door door;
  g_autoptr (Caller) stand = NULL, ask = NULL;
  Part part = { .id = "a", .traps = TRUE };
  Request request = { 0 };
  Pid child;

  begin (&long_class);
  request.supervisor = start_stubborn (&part, 500);
  child = get_pid (request.supervisor, 0);
  stand = caller_start (child, (Message) { .tag = STAND, .data = &door }, -1);
  gate_wait (&door.entered);
  ask = caller_start (
    child, (Message) { .tag = ASK_SUPERVISOR, .pid = request.supervisor }, -1);
  test_wait_messages (child, 1);
  request_begin (&request, do_terminate);
  test_wait_messages (child, 2);
  gate_open (&door.leave);
  request_end (&request);
  g_assert_no_error (request.error);
  caller_wait (stand);
  caller_wait (ask);
  g_assert_error (ask->error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  finish (request.supervisor, "+a -a");
  check_end ();
}

/* A child that has cut its link is stopped all the same. */
static void
test_child_that_unlinks_is_stopped (gconstpointer klass)
{
  Part part = { .id = "a" };
  Pid supervisor, child;

  begin (klass);
  supervisor = start_parts (STRATEGY_ONE_FOR_ONE, &part, 1);
  child = get_pid (supervisor, 0);
  test_call (child, (Message) { .tag = UNLINK, .pid = supervisor });
  g_assert_true (supervisor_terminate_child (supervisor, "a", NULL));
  g_assert_false (process_is_alive (child));
  finish (supervisor, "+a -a");
  check_end ();
}

/* A child that is a function, and heeds nothing but the supervisor's death. */

static Pid deaf;
static Gate is_deaf;

static void
deaf_run (gpointer data G_GNUC_UNUSED)
{
  Message message = { 0 };

  process_trap_exits (TRUE);
  gate_open (&is_deaf);
  while (message.reason != REASON_KILLED && !process_is_dying ())
    process_receive (&message, -1);
  note ("-", message.reason == REASON_KILLED ? "told" : "killed");
}

static Pid
deaf_start (gconstpointer args G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  deaf = process_spawn (deaf_run, NULL, NULL);
  process_link (deaf);
  gate_wait (&is_deaf);
  return deaf;
}

static void
test_function_that_does_not_stop_is_killed (void)
{
  ChildSpec child = { .id = "a", .start = deaf_start, .shutdown_ms = 50 };
  Pid supervisor;

  begin (NULL);
  supervisor = start (STRATEGY_ONE_FOR_ONE, &child, 1);
  g_assert_true (supervisor_terminate_child (supervisor, "a", NULL));
  finish (supervisor, "-killed");
  check_end ();
}

/* The link must still stand while the supervisor waits for the child's end. */
static void
test_supervisor_killed_while_it_waits_takes_the_child_along (void)
{
  ChildSpec child = { .id = "a",
                      .start = deaf_start,
                      .shutdown_ms = SHUTDOWN_INFINITY };
  Request request = { 0 };

  begin (NULL);
  request.supervisor = start (STRATEGY_ONE_FOR_ONE, &child, 1);
  request_begin (&request, do_terminate);
  g_assert_false (task_await (request.task, 100, NULL, NULL));
  process_exit (request.supervisor, REASON_KILL);
  request_end (&request);
  g_assert_error (request.error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  expect ("-told");
  g_assert_true (process_wait_end (deaf, test_limit ()));
  request_clear (&request);
  check_end ();
}

/* THE END OF A SUPERVISOR */

typedef struct {
  Part parts[2];
  Pid  test;
} Family;

static void
parent_run (gpointer data)
{
  Family *self = data;
  ChildSpec children[] = { spec_of (&self->parts[0], RESTART_PERMANENT),
                           spec_of (&self->parts[1], RESTART_PERMANENT) };
  SupervisorSpec spec = { .children = children, .n_children = 2 };
  Message message;

  process_send (self->test,
                (Message) { .tag = ANSWER,
                            .pid = supervisor_start_link (&spec, NULL) });
  process_receive (&message, -1);
}

static Pid
start_family (Family *family, Pid *parent)
{
  family->test = process_self ();
  *parent = process_spawn (parent_run, family, NULL);
  return test_receive (ANSWER).pid;
}

static void
test_parent_that_ends_stops_the_children_in_reverse (gconstpointer klass)
{
  begin (klass);
  for (int i = 0; i < 2; i++) {
    Family family = { .parts = { { .id = "a", .traps = TRUE },
                                 { .id = "b", .traps = TRUE } } };
    Pid parent, supervisor = start_family (&family, &parent);

    process_monitor (supervisor, NULL);
    if (i == 0)
      process_exit (parent, crash);
    else
      process_send (parent, (Message) { .tag = ANSWER });
    g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==,
                      i == 0 ? crash : REASON_NORMAL);
    expect ("+a +b ~b -b ~a -a");
    assert_freed (&family.parts[0], 1);
    assert_freed (&family.parts[1], 1);
  }
  check_end ();
}

static void
test_killed_supervisor_takes_the_children_along (gconstpointer klass)
{
  Part parts[] = { { .id = "a", .traps = TRUE }, { .id = "b" } };
  Pid supervisor, children[2];

  begin (klass);
  supervisor = start_parts (STRATEGY_ONE_FOR_ONE, parts, 2);
  expect ("+a +b");
  for (guint i = 0; i < 2; i++) {
    children[i] = get_pid (supervisor, i);
    process_monitor (children[i], NULL);
  }
  process_exit (supervisor, REASON_KILL);
  for (int i = 0; i < 2; i++)
    g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, REASON_KILLED);
  process_wait_gone (test_limit (), NULL);
  g_string_truncate (notes, 0);
  assert_freed (&parts[0], 1);
  assert_freed (&parts[1], 1);
  check_end ();
}

/* The args last until b's init has returned. */
static void
test_supervisor_killed_while_it_starts_a_child (void)
{
  static Door door;
  Part parts[] = { { .id = "a" }, { .id = "b", .init_door = &door } };
  Request request = { 0 };
  ChildSpec spec;

  begin (&long_class);
  request.supervisor = start_parts (STRATEGY_ONE_FOR_ONE, parts, 1);
  spec = spec_of (&parts[1], RESTART_PERMANENT);
  request.spec = &spec;
  request_begin (&request, do_start);
  gate_wait (&door.entered);
  process_exit (request.supervisor, REASON_KILL);
  request_end (&request);
  g_assert_error (request.error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  expect ("+a -a");
  process_wait_gone (20, NULL); /* time enough to free what init still reads */
  assert_freed (&parts[1], 0);
  gate_open (&door.leave);
  process_wait_gone (test_limit (), NULL);
  expect ("+b -b");
  assert_freed (&parts[0], 1);
  assert_freed (&parts[1], 1);
  request_clear (&request);
  check_end ();
}

static void
test_supervisor_killed_before_it_is_asked_frees_the_request (void)
{
  static Door door;
  Part parts[] = { { .id = "a", .init_door = &door }, { .id = "b" } };
  Request requests[2] = { { 0 } };
  ChildSpec specs[2];
  Pid supervisor;

  begin (&long_class);
  supervisor = start (STRATEGY_ONE_FOR_ONE, NULL, 0);
  for (guint i = 0; i < 2; i++) {
    specs[i] = spec_of (&parts[i], RESTART_PERMANENT);
    requests[i] = (Request) { .supervisor = supervisor, .spec = &specs[i] };
    request_begin (&requests[i], do_start);
    if (i == 0)
      gate_wait (&door.entered);
    else
      test_wait_messages (supervisor, 1);
  }
  process_exit (supervisor, REASON_KILL);
  for (int i = 0; i < 2; i++) {
    request_end (&requests[i]);
    g_assert_error (requests[i].error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
    request_clear (&requests[i]);
  }
  gate_open (&door.leave);
  process_wait_gone (test_limit (), NULL);
  assert_freed (&parts[0], 1);
  assert_freed (&parts[1], 1);
  expect ("+a -a");
  check_end ();
}

/* REQUESTS */

static void
test_start_child_adds_it (gconstpointer klass)
{
  g_autoptr (GArray) infos = NULL;
  Part parts[] = { { .id = "a" }, { .id = "b" } };
  ChildSpec spec;
  Pid supervisor, child;

  begin (klass);
  supervisor = start_parts (STRATEGY_ONE_FOR_ONE, parts, 1);
  spec = spec_of (&parts[1], RESTART_PERMANENT);
  child = start_child (supervisor, &spec);
  infos = supervisor_which_children (supervisor, NULL);
  g_assert_cmpuint (infos->len, ==, 2);
  g_assert_cmpstr (g_array_index (infos, ChildInfo, 0).id, ==, "a");
  g_assert_cmpstr (g_array_index (infos, ChildInfo, 1).id, ==, "b");
  g_assert_cmpuint (g_array_index (infos, ChildInfo, 1).pid, ==, child);
  end (child, crash);
  expect ("+a +b -b +b");
  assert_freed (&parts[1], 0);
  finish (supervisor, "-b -a");
  assert_freed (&parts[1], 1);
  check_end ();
}

static void
test_start_child_of_the_same_id_is_refused (gconstpointer klass)
{
  Part part = { .id = "a" }, second = { .id = "a" };
  ChildSpec spec;
  Pid supervisor;

  begin (klass);
  supervisor = start_parts (STRATEGY_ONE_FOR_ONE, &part, 1);
  expect ("+a");
  spec = spec_of (&second, RESTART_PERMANENT);
  assert_refused (EXISTS, supervisor_start_child (supervisor, &spec, &refusal));
  assert_freed (&second, 1);
  g_assert_true (supervisor_terminate_child (supervisor, "a", NULL));
  assert_refused (EXISTS, supervisor_start_child (supervisor, &spec, &refusal));
  assert_freed (&second, 2);
  assert_count (supervisor, 1, 0, 0, 1);
  finish (supervisor, "-a");
  assert_freed (&part, 1);
  check_end ();
}

static void
test_start_child_that_fails_is_not_added (gconstpointer klass)
{
  g_autoptr (GError) error = NULL;
  Part part = { .id = "a", .n_failures = 1 };
  ChildSpec spec;
  Pid supervisor;

  begin (klass);
  supervisor = start (STRATEGY_ONE_FOR_ONE, NULL, 0);
  spec = spec_of (&part, RESTART_PERMANENT);
  g_assert_cmpuint (supervisor_start_child (supervisor, &spec, &error), ==,
                    PID_NONE);
  g_assert_error (error, PART_ERROR, PART_ERROR_FAILS);
  g_assert_cmpstr (error->message, ==, "a fails");
  assert_freed (&part, 1);
  assert_count (supervisor, 0, 0, 0, 0);
  start_child (supervisor, &spec);
  finish (supervisor, "!a +a -a");
  assert_freed (&part, 2);
  check_end ();
}

static void
test_start_child_that_is_wrong_is_refused (gconstpointer klass)
{
  Part part = { .id = "a" };
  ChildSpec fine, wrong;
  Pid supervisor;

  begin (klass);
  supervisor = start (STRATEGY_ONE_FOR_ONE, NULL, 0);
  fine = wrong = spec_of (&part, RESTART_PERMANENT);
  wrong.id = NULL;
  assert_refused (INVALID,
                  supervisor_start_child (supervisor, &wrong, &refusal));
  assert_freed (&part, 1);
  wrong = fine;
  wrong.klass = NULL;
  assert_refused (INVALID,
                  supervisor_start_child (supervisor, &wrong, &refusal));
  assert_freed (&part, 2);
  wrong = fine;
  wrong.start = start_part;
  assert_refused (INVALID,
                  supervisor_start_child (supervisor, &wrong, &refusal));
  assert_freed (&part, 3);
  assert_refused (INVALID, supervisor_start_child (supervisor, NULL, &refusal));
  finish (supervisor, "");
  check_end ();
}

static void
test_terminate_child_keeps_the_specification (gconstpointer klass)
{
  Part part = { .id = "a" };
  Pid supervisor;

  begin (klass);
  supervisor = start_parts (STRATEGY_ONE_FOR_ONE, &part, 1);
  for (int i = 0; i < 2; i++)
    g_assert_true (supervisor_terminate_child (supervisor, "a", NULL));
  assert_count (supervisor, 1, 0, 0, 1);
  g_assert_cmpuint (get_pid (supervisor, 0), ==, PID_NONE);
  assert_refused (NOT_FOUND,
                  supervisor_terminate_child (supervisor, "b", &refusal));
  expect ("+a -a");
  assert_freed (&part, 0);
  finish (supervisor, "");
  assert_freed (&part, 1);
  check_end ();
}

static void
test_terminate_child_forgets_a_temporary_one (gconstpointer klass)
{
  Part part = { .id = "a" };
  ChildSpec spec;
  Pid supervisor;

  begin (klass);
  spec = spec_of (&part, RESTART_TEMPORARY);
  supervisor = start (STRATEGY_ONE_FOR_ONE, &spec, 1);
  g_assert_true (supervisor_terminate_child (supervisor, "a", NULL));
  assert_freed (&part, 1);
  assert_count (supervisor, 0, 0, 0, 0);
  assert_refused (NOT_FOUND,
                  supervisor_terminate_child (supervisor, "a", &refusal));
  finish (supervisor, "+a -a");
  check_end ();
}

/* It died a moment ago, and the EXIT is on its way. */
static void
test_terminate_child_that_is_dead_is_not_restarted (gconstpointer klass)
{
  Part part = { .id = "a" };
  Pid supervisor, child;

  begin (klass);
  for (int i = 0; i < 20; i++) {
    supervisor = start_parts (STRATEGY_ONE_FOR_ONE, &part, 1);
    child = get_pid (supervisor, 0);
    process_exit (child, crash);
    g_assert_true (supervisor_terminate_child (supervisor, "a", NULL));
    assert_count (supervisor, 1, 0, 0, 1);
    supervisor_stop (supervisor, test_limit ());
  }
  process_wait_gone (test_limit (), NULL);
  g_string_truncate (notes, 0);
  check_end ();
}

static void
test_terminate_pid_takes_children_and_the_dead (gconstpointer klass)
{
  Part parts[] = { { .id = "a" }, { .id = "b" } };
  Pid supervisor, child;

  begin (klass);
  supervisor = start_parts (STRATEGY_ONE_FOR_ONE, parts, 2);
  child = get_pid (supervisor, 0);
  for (int i = 0; i < 2; i++)
    g_assert_true (supervisor_terminate_pid (supervisor, child, NULL));
  g_assert_true (supervisor_terminate_pid (supervisor, PID_NONE, NULL));
  assert_refused (NOT_FOUND,
                  supervisor_terminate_pid (supervisor, process_self (),
                                            &refusal));
  expect ("+a +b -a");
  assert_count (supervisor, 2, 1, 0, 2);
  finish (supervisor, "-b");
  check_end ();
}

static void
test_restart_child_starts_it (gconstpointer klass)
{
  g_autoptr (GError) error = NULL;
  Part part = { .id = "a" };
  Pid supervisor, child;

  begin (klass);
  supervisor = start_parts (STRATEGY_ONE_FOR_ONE, &part, 1);
  assert_refused (RUNNING,
                  supervisor_restart_child (supervisor, "a", &refusal));
  assert_refused (NOT_FOUND,
                  supervisor_restart_child (supervisor, "b", &refusal));
  g_assert_true (supervisor_terminate_child (supervisor, "a", NULL));
  expect ("+a -a");

  part.n_failures = 1;
  g_assert_cmpuint (supervisor_restart_child (supervisor, "a", &error), ==,
                    PID_NONE);
  g_assert_error (error, PART_ERROR, PART_ERROR_FAILS);
  assert_freed (&part, 0);
  assert_count (supervisor, 1, 0, 0, 1);

  child = supervisor_restart_child (supervisor, "a", NULL);
  g_assert_cmpuint (get_pid (supervisor, 0), ==, child);
  end (child, crash);
  expect ("!a +a -a +a");
  finish (supervisor, "-a");
  assert_freed (&part, 1);
  check_end ();
}

static void
test_delete_child_forgets_it (gconstpointer klass)
{
  Part part = { .id = "a" };
  ChildSpec spec;
  Pid supervisor;

  begin (klass);
  supervisor = start_parts (STRATEGY_ONE_FOR_ONE, &part, 1);
  assert_refused (RUNNING, supervisor_delete_child (supervisor, "a", &refusal));
  assert_refused (NOT_FOUND,
                  supervisor_delete_child (supervisor, "b", &refusal));
  g_assert_true (supervisor_terminate_child (supervisor, "a", NULL));
  assert_freed (&part, 0);
  g_assert_true (supervisor_delete_child (supervisor, "a", NULL));
  assert_freed (&part, 1);
  assert_refused (NOT_FOUND,
                  supervisor_delete_child (supervisor, "a", &refusal));
  assert_count (supervisor, 0, 0, 0, 0);

  spec = spec_of (&part, RESTART_PERMANENT);
  start_child (supervisor, &spec);
  finish (supervisor, "+a -a +a -a");
  assert_freed (&part, 2);
  check_end ();
}

static void
test_transient_child_that_is_done_can_be_restarted (gconstpointer klass)
{
  Part part = { .id = "a" };
  ChildSpec spec;
  Pid supervisor;

  begin (klass);
  spec = spec_of (&part, RESTART_TRANSIENT);
  supervisor = start (STRATEGY_ONE_FOR_ONE, &spec, 1);
  end (get_pid (supervisor, 0), REASON_NORMAL);
  assert_count (supervisor, 1, 0, 0, 1);
  g_assert_cmpuint (supervisor_restart_child (supervisor, "a", NULL), !=,
                    PID_NONE);
  finish (supervisor, "+a -a +a -a");
  assert_freed (&part, 1);
  check_end ();
}

/* What may take its time does not take the caller's thread: who is told to die
 * stops waiting. */
static void
test_requests_that_take_long_can_be_left (void)
{
  static Door doors[2];
  static Gate done[2];
  Part part = {
    .id = "a", .traps = TRUE, .init_door = &doors[0], .stop_door = &doors[1]
  };
  TaskFunc funcs[] = { do_start, do_terminate };
  ChildSpec spec;
  Pid supervisor;

  begin (&long_class);
  spec = spec_of (&part, RESTART_TEMPORARY);
  spec.shutdown_ms = SHUTDOWN_INFINITY;
  supervisor = start (STRATEGY_ONE_FOR_ONE, NULL, 0);
  for (int i = 0; i < 2; i++) {
    Request request = { .supervisor = supervisor,
                        .spec = &spec,
                        .done = &done[i] };

    request_begin (&request, funcs[i]);
    gate_wait (&doors[i].entered);
    process_exit (task_get_pid (request.task), REASON_KILL);
    gate_wait (&done[i]);
    g_assert_error (request.error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
    gate_open (&doors[i].leave);
    assert_count (supervisor, 1 - i, 1 - i, 0, 1 - i);
    process_wait_gone (test_limit (), NULL);
    task_free (request.task);
    request_clear (&request);
  }
  finish (supervisor, "+a ~a -a");
  check_end ();
}

static Door free_door;

static void
part_free_slowly (gpointer part)
{
  door_stand (&free_door);
  part_free (part);
}

static void
test_requests_refused_are_freed_before_one_hears_of_it (void)
{
  Part parts[] = { { .id = "a" }, { .id = "a" } };
  Request request = { 0 };
  ChildSpec spec;

  begin (&long_class);
  request.supervisor = start_parts (STRATEGY_ONE_FOR_ONE, parts, 1);
  spec = spec_of (&parts[1], RESTART_PERMANENT);
  spec.free_args = part_free_slowly;
  request.spec = &spec;
  request_begin (&request, do_start);
  gate_wait (&free_door.entered);
  g_assert_false (task_await (request.task, 100, NULL, NULL));
  gate_open (&free_door.leave);
  request_end (&request);
  g_assert_error (request.error, SUPERVISOR_ERROR, SUPERVISOR_ERROR_EXISTS);
  assert_freed (&parts[1], 1);
  finish (request.supervisor, "+a -a");
  request_clear (&request);
  check_end ();
}

static void
test_requests_to_the_dead_are_noproc (void)
{
  GError *error = NULL;
  Part part = { .id = "a" };
  ChildSpec spec;
  ChildCount count = { 0 };
  Pid dead;

#define assert_noproc(call) \
  g_assert_cmpuint ((gsize) (call), ==, 0); \
  g_assert_error (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_NOPROC); \
  g_clear_error (&error)

  begin (&long_class);
  dead = start (STRATEGY_ONE_FOR_ONE, NULL, 0);
  supervisor_stop (dead, test_limit ());
  spec = spec_of (&part, RESTART_PERMANENT);
  assert_noproc (supervisor_start_child (dead, &spec, &error));
  assert_freed (&part, 1);
  assert_noproc (supervisor_terminate_child (dead, "a", &error));
  assert_noproc (supervisor_terminate_pid (dead, dead, &error));
  assert_noproc (supervisor_restart_child (dead, "a", &error));
  assert_noproc (supervisor_delete_child (dead, "a", &error));
  assert_noproc (supervisor_which_children (dead, &error));
  assert_noproc (supervisor_count_children (dead, &count, &error));
  assert_noproc (supervisor_which_children (PID_NONE, &error));
  check_end ();
}

/* SIMPLE_ONE_FOR_ONE */

static void
test_simple_knows_no_ids (gconstpointer klass)
{
  g_autoptr (GArray) infos = NULL;
  Part part = { .id = "a" }, second = { .id = "b" };
  ChildSpec spec;
  Pid supervisor;

  begin (klass);
  supervisor = start_simple (&part, RESTART_PERMANENT);
  assert_count (supervisor, 1, 0, 0, 0);
  start_child (supervisor, NULL);
  assert_refused (SIMPLE_ONE_FOR_ONE,
                  supervisor_terminate_child (supervisor, "a", &refusal));
  assert_refused (SIMPLE_ONE_FOR_ONE,
                  supervisor_restart_child (supervisor, "a", &refusal));
  assert_refused (SIMPLE_ONE_FOR_ONE,
                  supervisor_delete_child (supervisor, "a", &refusal));
  spec = spec_of (&second, RESTART_PERMANENT);
  assert_refused (SIMPLE_ONE_FOR_ONE,
                  supervisor_start_child (supervisor, &spec, &refusal));
  assert_freed (&second, 1);
  infos = supervisor_which_children (supervisor, NULL);
  g_assert_null (g_array_index (infos, ChildInfo, 0).id);
  finish (supervisor, "+a -a");
  assert_freed (&part, 1);
  check_end ();
}

static void
test_simple_needs_no_id (gconstpointer klass)
{
  Part part = { .id = "a" };
  ChildSpec model;
  Pid supervisor;

  begin (klass);
  model = spec_of (&part, RESTART_PERMANENT);
  model.id = NULL;
  supervisor = start (STRATEGY_SIMPLE_ONE_FOR_ONE, &model, 1);
  end (start_child (supervisor, NULL), crash);
  expect ("+a -a +a");
  finish (supervisor, "-a");
  check_end ();
}

static void
test_simple_terminates_by_pid (gconstpointer klass)
{
  Part part = { .id = "a" };
  Pid supervisor, children[3];

  begin (klass);
  supervisor = start_simple (&part, RESTART_PERMANENT);
  for (int i = 0; i < 3; i++)
    children[i] = start_child (supervisor, NULL);
  g_assert_true (supervisor_terminate_pid (supervisor, children[1], NULL));
  expect ("+a +a +a -a");
  g_assert_false (process_is_alive (children[1]));
  g_assert_cmpuint (get_pid (supervisor, 0), ==, children[0]);
  g_assert_cmpuint (get_pid (supervisor, 1), ==, children[2]);
  assert_count (supervisor, 1, 2, 0, 2);
  assert_freed (&part, 0);
  g_assert_true (supervisor_terminate_pid (supervisor, children[1], NULL));
  assert_refused (NOT_FOUND,
                  supervisor_terminate_pid (supervisor, process_self (),
                                            &refusal));
  finish (supervisor, "-a -a");
  assert_freed (&part, 1);
  check_end ();
}

static void
test_simple_start_that_fails_is_not_added (gconstpointer klass)
{
  g_autoptr (GError) error = NULL;
  Part part = { .id = "a", .n_failures = 1 };
  Pid supervisor;

  begin (klass);
  supervisor = start_simple (&part, RESTART_PERMANENT);
  g_assert_cmpuint (supervisor_start_child (supervisor, NULL, &error), ==,
                    PID_NONE);
  g_assert_error (error, PART_ERROR, PART_ERROR_FAILS);
  assert_count (supervisor, 1, 0, 0, 0);
  assert_freed (&part, 0);
  start_child (supervisor, NULL);
  finish (supervisor, "!a +a -a");
  assert_freed (&part, 1);
  check_end ();
}

static void
test_simple_with_many_children (gconstpointer klass)
{
  Part part = { .id = NULL };
  guint n = test_scaled (10000);
  ChildSpec model;
  Pid supervisor;

  begin (klass);
  model = spec_of (&part, RESTART_PERMANENT);
  supervisor = start (STRATEGY_SIMPLE_ONE_FOR_ONE, &model, 1);
  for (guint i = 0; i < n; i++)
    start_child (supervisor, NULL);
  assert_count (supervisor, 1, n, 0, n);
  for (guint i = 0; i < 10; i++)
    end (get_pid (supervisor, i * (n / 10)), crash);
  assert_count (supervisor, 1, n, 0, n);
  for (guint i = 0; i < 5; i++)
    g_assert_true (
      supervisor_terminate_pid (supervisor, get_pid (supervisor, 0), NULL));
  assert_count (supervisor, 1, n - 5, 0, n - 5);
  assert_freed (&part, 0);
  finish (supervisor, "");
  assert_freed (&part, 1);
  check_end ();
}

static void
test_one_for_all_with_many_children (gconstpointer klass)
{
  guint n = test_scaled (2000);
  g_autofree Part *parts = g_new0 (Part, n);
  g_autofree ChildSpec *children = g_new0 (ChildSpec, n);
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  Pid supervisor;

  begin (klass);
  for (guint i = 0; i < n; i++) {
    children[i] = spec_of (&parts[i], RESTART_PERMANENT);
    children[i].id = g_strdup_printf ("%u", i);
    g_ptr_array_add (ids, (gpointer) children[i].id);
  }
  supervisor = start (STRATEGY_ONE_FOR_ALL, children, n);
  end (get_pid (supervisor, n / 2), crash);
  assert_count (supervisor, n, n, 0, n);
  finish (supervisor, "");
  for (guint i = 0; i < n; i++)
    assert_freed (&parts[i], 1);
  check_end ();
}

static void
test_describe_counts (gconstpointer klass)
{
  const char *names[] = { "one_for_one, 1 child", "one_for_all, 1 child",
                          "rest_for_one, 1 child",
                          "simple_one_for_one, 0 children" };

  begin (klass);
  for (int i = 0; i < 4; i++) {
    Part part = { .id = NULL };
    ChildSpec child = spec_of (&part, RESTART_PERMANENT);
    g_autofree char *text = NULL;
    Pid supervisor;

    child.id = "a";
    supervisor = start ((Strategy) i, &child, 1);
    text = gen_server_describe (supervisor, test_limit ());
    g_assert_cmpstr (text, ==, names[i]);
    supervisor_stop (supervisor, test_limit ());
  }
  check_end ();
}

static void
add (const char *path, GTestDataFunc func)
{
  g_autofree char *short_path = g_strdup_printf ("/supervisor/%s/short", path);
  g_autofree char *long_path = g_strdup_printf ("/supervisor/%s/long", path);

  g_test_add_data_func (short_path, &short_class, func);
  g_test_add_data_func (long_path, &long_class, func);
}

static void
add_combinations (void)
{
  static Combination combinations[2][4][3];
  const char *strategies[] = { "one-for-one", "one-for-all", "rest-for-one",
                               "simple-one-for-one" };
  const char *restarts[] = { "permanent", "transient", "temporary" };

  for (int i = 0; i < 2; i++)
    for (int s = 0; s < 4; s++)
      for (int r = 0; r < 3; r++) {
        g_autofree char *path = g_strdup_printf ("/supervisor/%s/%s/%s",
                                                 strategies[s], restarts[r],
                                                 i == 0 ? "short" : "long");

        combinations[i][s][r] = (Combination) { .strategy = (Strategy) s,
                                                .restart = (Restart) r,
                                                .klass = i == 0 ? &short_class
                                                                : &long_class };
        g_test_add_data_func (path, &combinations[i][s][r], test_combination);
      }
  for (int s = 0; s < 3; s++) {
    g_autofree char *path = g_strdup_printf (
      "/supervisor/%s/child-that-is-restarting", strategies[s]);

    g_test_add_data_func (path, &combinations[1][s][0], test_restarting_child);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  crash = g_quark_from_static_string ("crash");
  add_combinations ();

  add ("start/in-order-and-stop-in-reverse",
       test_start_in_order_and_stop_in_reverse);
  add ("start/that-fails-is-undone", test_start_that_fails_is_undone);
  add ("start/takes-a-function", test_start_takes_a_function);
  add ("start/registers-the-name", test_start_registers_the_name);
  g_test_add_func ("/supervisor/start/by-a-function-that-says-nothing",
                   test_start_function_that_says_nothing);
  g_test_add_func ("/supervisor/start/refuses-what-is-wrong",
                   test_start_refuses_what_is_wrong);

  g_test_add_func (
    "/supervisor/short/children-start-and-stop-on-the-callers-thread",
    test_short_children_start_and_stop_on_the_callers_thread);

  g_test_add_func ("/supervisor/long/children-start-and-stop-on-another-thread",
                   test_long_children_start_and_stop_on_another_thread);

  add ("stop/takes-the-trees-below", test_stop_takes_the_trees_below);
  add ("stop/of-the-dead-does-nothing", test_stop_of_the_dead_does_nothing);
  g_test_add_func ("/supervisor/stop/that-takes-too-long-kills",
                   test_stop_that_takes_too_long_kills);

  add ("temporary/sibling-is-forgotten", test_temporary_sibling_is_forgotten);

  add ("one-for-all/starts-also-who-was-stopped",
       test_one_for_all_starts_also_who_was_stopped);

  add ("rest-for-one/leaves-those-before",
       test_rest_for_one_leaves_those_before);

  add ("exit/of-a-stranger-is-nothing", test_exit_of_a_stranger_is_nothing);

  g_test_add_func ("/supervisor/exits/of-two-at-once-are-one-restart",
                   test_exits_of_two_at_once_are_one_restart);

  add ("restart/that-fails-is-tried-again",
       test_restart_that_fails_is_tried_again);
  add ("restart/that-fails-in-simple-one-for-one",
       test_restart_that_fails_in_simple_one_for_one);
  add ("restart/that-fails-is-undone-in-one-for-all",
       test_restart_that_fails_is_undone_in_one_for_all);
  add ("restart/that-fails-goes-on-in-rest-for-one",
       test_restart_that_fails_goes_on_in_rest_for_one);
  add ("restart/that-fails-counts-each-time",
       test_restart_that_fails_counts_each_time);

  g_test_add_func ("/supervisor/restarting/child-of-simple-one-for-one",
                   test_restarting_child_of_simple_one_for_one);

  add ("intensity/is-exactly-max-restarts",
       test_intensity_is_exactly_max_restarts);
  add ("intensity/has-a-default", test_intensity_has_a_default);
  g_test_add_func ("/supervisor/intensity/is-within-max-seconds",
                   test_intensity_is_within_max_seconds);
  add ("intensity/does-not-count-what-needs-no-restart",
       test_intensity_does_not_count_what_needs_no_restart);
  add ("intensity/reached-is-the-next-supervisors-turn",
       test_intensity_reached_is_the_next_supervisors_turn);

  add ("shutdown/lets-a-child-say-good-bye",
       test_shutdown_lets_a_child_say_good_bye);
  add ("shutdown/brutal-kill-does-not", test_shutdown_brutal_kill_does_not);
  g_test_add_func ("/supervisor/shutdown/time-is-kept-then-it-is-killed",
                   test_shutdown_time_is_kept_then_it_is_killed);
  g_test_add_func ("/supervisor/shutdown/waits", test_shutdown_waits);
  g_test_add_func ("/supervisor/shutdown/has-a-default",
                   test_shutdown_has_a_default);
  g_test_add_func (
    "/supervisor/shutdown/of-simple-one-for-one-is-of-all-at-once",
    test_shutdown_of_simple_one_for_one_is_of_all_at_once);
  g_test_add_func (
    "/supervisor/shutdown/of-simple-one-for-one-has-one-time-for-all",
    test_shutdown_of_simple_one_for_one_has_one_time_for_all);
  g_test_add_func ("/supervisor/shutdown/may-be-as-long-as-can-be",
                   test_shutdown_may_be_as_long_as_can_be);

  g_test_add_func ("/supervisor/handler/that-never-returns-is-abandoned",
                   test_handler_that_never_returns_is_abandoned);

  g_test_add_func ("/supervisor/sibling/that-never-returns-is-abandoned",
                   test_sibling_that_never_returns_is_abandoned);

  g_test_add_func (
    "/supervisor/child/that-calls-its-supervisor-is-killed-in-time",
    test_child_that_calls_its_supervisor_is_killed_in_time);
  add ("child/that-unlinks-is-stopped", test_child_that_unlinks_is_stopped);

  g_test_add_func ("/supervisor/function/that-does-not-stop-is-killed",
                   test_function_that_does_not_stop_is_killed);

  g_test_add_func (
    "/supervisor/supervisor/killed-while-it-waits-takes-the-child-along",
    test_supervisor_killed_while_it_waits_takes_the_child_along);

  add ("parent/that-ends-stops-the-children-in-reverse",
       test_parent_that_ends_stops_the_children_in_reverse);

  add ("killed/supervisor-takes-the-children-along",
       test_killed_supervisor_takes_the_children_along);

  g_test_add_func ("/supervisor/supervisor/killed-while-it-starts-a-child",
                   test_supervisor_killed_while_it_starts_a_child);
  g_test_add_func (
    "/supervisor/supervisor/killed-before-it-is-asked-frees-the-request",
    test_supervisor_killed_before_it_is_asked_frees_the_request);

  add ("start-child/adds-it", test_start_child_adds_it);
  add ("start-child/of-the-same-id-is-refused",
       test_start_child_of_the_same_id_is_refused);
  add ("start-child/that-fails-is-not-added",
       test_start_child_that_fails_is_not_added);
  add ("start-child/that-is-wrong-is-refused",
       test_start_child_that_is_wrong_is_refused);

  add ("terminate-child/keeps-the-specification",
       test_terminate_child_keeps_the_specification);
  add ("terminate-child/forgets-a-temporary-one",
       test_terminate_child_forgets_a_temporary_one);
  add ("terminate-child/that-is-dead-is-not-restarted",
       test_terminate_child_that_is_dead_is_not_restarted);

  add ("terminate-pid/takes-children-and-the-dead",
       test_terminate_pid_takes_children_and_the_dead);

  add ("restart-child/starts-it", test_restart_child_starts_it);

  add ("delete-child/forgets-it", test_delete_child_forgets_it);

  add ("transient/child-that-is-done-can-be-restarted",
       test_transient_child_that_is_done_can_be_restarted);

  g_test_add_func ("/supervisor/requests/that-take-long-can-be-left",
                   test_requests_that_take_long_can_be_left);
  g_test_add_func (
    "/supervisor/requests/refused-are-freed-before-one-hears-of-it",
    test_requests_refused_are_freed_before_one_hears_of_it);
  g_test_add_func ("/supervisor/requests/to-the-dead-are-noproc",
                   test_requests_to_the_dead_are_noproc);

  add ("simple/knows-no-ids", test_simple_knows_no_ids);
  add ("simple/needs-no-id", test_simple_needs_no_id);
  add ("simple/terminates-by-pid", test_simple_terminates_by_pid);
  add ("simple/start-that-fails-is-not-added",
       test_simple_start_that_fails_is_not_added);
  add ("simple/with-many-children", test_simple_with_many_children);

  add ("one-for-all/with-many-children", test_one_for_all_with_many_children);

  add ("describe/counts", test_describe_counts);
  return g_test_run ();
}
