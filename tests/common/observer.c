/* The observer's tree, as text.  Pids differ from run to run, so each is
 * written as <n>, in the order in which they come; a number that comes again
 * would be the same process drawn twice. */
#include "helper.h"
#include "observer.h"
#include "signals.h"
#include "supervisor.h"
#include "task.h"

#include <string.h>

enum { STAND = 1 };

static Reason crash;

static void
handle_call (gpointer state G_GNUC_UNUSED, Message *request, From from)
{
  door_stand (request->data);
  gen_server_reply (from, (Message) { 0 });
}

static void
describe (gpointer state G_GNUC_UNUSED, GString *text)
{
  g_string_append (text, "all well");
}

static gboolean
always_short (gconstpointer state G_GNUC_UNUSED,
              const Message *message G_GNUC_UNUSED)
{
  return TRUE;
}

/* One that speaks and is idle whenever nobody asks it, one that is silent. */
static const GenServerClass worker_class = { .name = "Worker",
                                             .is_short = always_short,
                                             .describe = describe };
static const GenServerClass silent_class = { .name = "Silent" };
static const GenServerClass busy_class = { .name = "Busy",
                                           .handle_call = handle_call,
                                           .describe = describe };

static gboolean
number_pid (const GMatchInfo *match, GString *text, gpointer data)
{
  g_autofree char *pid = g_match_info_fetch (match, 0);
  GPtrArray *pids = data;
  guint number;

  if (!g_ptr_array_find_with_equal_func (pids, pid, g_str_equal, &number)) {
    number = pids->len;
    g_ptr_array_add (pids, g_steal_pointer (&pid));
  }
  g_string_append_printf (text, "<%u>", number + 1);
  return FALSE;
}

static void
assert_text (const GString *text, const char *expected)
{
  g_autoptr (GRegex) regex = g_regex_new ("<[0-9]+\\.[0-9]+>", 0, 0, NULL);
  g_autoptr (GPtrArray) pids = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *found = NULL;

  found = g_regex_replace_eval (regex, text->str, -1, 0, 0, number_pid, pids,
                                NULL);
  g_assert_cmpstr (found, ==, expected);
}

static void
assert_tree (Pid root, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);

  observer_print_tree (root, text);
  assert_text (text, expected);
}

static Pid
start_workers (gconstpointer args, GError **error)
{
  ChildSpec model = { .klass = &worker_class, .restart = RESTART_TEMPORARY };
  SupervisorSpec spec = { .name = args,
                          .strategy = STRATEGY_SIMPLE_ONE_FOR_ONE,
                          .children = &model,
                          .n_children = 1 };

  return supervisor_start_link (&spec, error);
}

static Pid
start_tree (void)
{
  static char name[] = "WorkerSupervisor", last_name[] = "Last";
  ChildSpec children[] = { { .id = "server", .klass = &worker_class },
                           { .id = "workers",
                             .start = start_workers,
                             .args = name,
                             .is_supervisor = TRUE },
                           { .id = "silent", .klass = &silent_class },
                           { .id = "last",
                             .start = start_workers,
                             .args = last_name,
                             .is_supervisor = TRUE } };
  SupervisorSpec spec = { .name = "Supervisor",
                          .strategy = STRATEGY_ONE_FOR_ALL,
                          .children = children,
                          .n_children = 4 };
  Pid supervisor = supervisor_start (&spec, NULL);

  for (int i = 0; i < 3; i++)
    supervisor_start_child (process_whereis (i < 2 ? name : last_name), NULL,
                            NULL);
  return supervisor;
}

static void
wait_idle (Pid supervisor)
{
  test_wait_idle (supervisor);
  test_wait_idle (process_whereis ("WorkerSupervisor"));
  test_wait_idle (process_whereis ("Last"));
}

static void
finish (Pid supervisor)
{
  supervisor_stop (supervisor, test_limit ());
  test_end ();
}

static void
test_draws_who_started_whom (void)
{
  Pid supervisor = start_tree ();

  wait_idle (supervisor);
  assert_tree (supervisor,
               "Supervisor <1> idle · one_for_all, 4 children\n"
               "├─ Worker <2> idle · all well\n"
               "├─ WorkerSupervisor <3> idle · simple_one_for_one, 2 children\n"
               "│  ├─ Worker <4> idle · all well\n"
               "│  └─ Worker <5> idle · all well\n"
               "├─ Silent <6> idle\n"
               "└─ Last <7> idle · simple_one_for_one, 1 child\n"
               "   └─ Worker <8> idle · all well\n");
  finish (supervisor);
}

static void
test_draws_from_where_it_is_asked_to (void)
{
  Pid supervisor = start_tree ();

  wait_idle (supervisor);
  assert_tree (process_whereis ("WorkerSupervisor"),
               "WorkerSupervisor <1> idle · simple_one_for_one, 2 children\n"
               "├─ Worker <2> idle · all well\n"
               "└─ Worker <3> idle · all well\n");
  finish (supervisor);
}

static void
test_draws_the_order_of_birth (void)
{
  Pid supervisor = start_tree ();
  Pid server;

  {
    g_autoptr (GArray) infos = supervisor_which_children (supervisor, NULL);

    server = g_array_index (infos, ChildInfo, 0).pid;
  }
  /* All are new, and take the slots of the old: but not in their order. */
  gen_server_stop_sync (server, crash, test_limit (), NULL);
  supervisor_count_children (supervisor, &(ChildCount) { 0 }, NULL);
  wait_idle (supervisor);
  assert_tree (supervisor,
               "Supervisor <1> idle · one_for_all, 4 children, 1 restart\n"
               "├─ Worker <2> idle · all well\n"
               "├─ WorkerSupervisor <3> idle · simple_one_for_one, 0 children\n"
               "├─ Silent <4> idle\n"
               "└─ Last <5> idle · simple_one_for_one, 0 children\n");
  finish (supervisor);
}

static void
test_dead_root_is_no_tree (void)
{
  Pid supervisor = start_tree ();

  supervisor_stop (supervisor, test_limit ());
  process_wait_gone (test_limit (), NULL);
  assert_tree (supervisor, "");
  test_end ();
}

static void
test_none_is_everybody_without_a_parent (void)
{
  Pid first = start_tree (), second;

  second = gen_server_start (&worker_class, "Lonely", NULL, NULL);
  wait_idle (first);
  test_wait_idle (second);
  assert_tree (PID_NONE,
               "Supervisor <1> idle · one_for_all, 4 children\n"
               "├─ Worker <2> idle · all well\n"
               "├─ WorkerSupervisor <3> idle · simple_one_for_one, 2 children\n"
               "│  ├─ Worker <4> idle · all well\n"
               "│  └─ Worker <5> idle · all well\n"
               "├─ Silent <6> idle\n"
               "└─ Last <7> idle · simple_one_for_one, 1 child\n"
               "   └─ Worker <8> idle · all well\n"
               "Lonely <9> idle · all well\n");
  gen_server_stop_sync (second, REASON_NORMAL, test_limit (), NULL);
  finish (first);
}

static void
test_thread_is_drawn_above_its_children (void)
{
  Pid child;

  process_self ();
  assert_tree (PID_NONE, "");
  assert_tree (process_self (), "thread <1> running\n");
  child = gen_server_start_link (&worker_class, NULL, NULL, NULL);
  test_wait_idle (child);
  assert_tree (PID_NONE, "thread <1> running\n"
                         "└─ Worker <2> idle · all well\n");
  gen_server_stop_sync (child, REASON_NORMAL, test_limit (), NULL);
  test_end ();
}

static gpointer
stand_in_door (gpointer door)
{
  door_stand (door);
  return NULL;
}

static void
run_stand_in_door (gpointer door)
{
  door_stand (door);
}

static void
test_functions_and_tasks_are_drawn (void)
{
  static Door doors[2];
  Pid function = process_spawn (run_stand_in_door, &doors[0], NULL);
  g_autoptr (Task) task = NULL;

  gate_wait (&doors[0].entered);
  task = task_async (stand_in_door, &doors[1], NULL, NULL);
  gate_wait (&doors[1].entered);
  assert_tree (PID_NONE, "function <1> running\n"
                         "task <2> running\n");
  for (int i = 0; i < 2; i++)
    gate_open (&doors[i].leave);
  g_assert_true (process_wait_end (function, test_limit ()));
  g_assert_true (process_wait_end (task_get_pid (task), test_limit ()));
  test_end ();
}

/* What is left of a tree when its root has gone. */
static void
run_parent (gpointer child)
{
  *(Pid *) child = gen_server_start_link (&silent_class, NULL, NULL, NULL);
}

static void
test_orphan_is_drawn (void)
{
  Pid child = PID_NONE, parent = process_spawn (run_parent, &child, NULL);

  g_assert_true (process_wait_end (parent, test_limit ()));
  process_wait_gone (test_limit (), NULL);
  test_wait_idle (child);
  assert_tree (PID_NONE, "Silent <1> idle\n");
  process_exit (child, REASON_KILL);
  test_end ();
}

/* Who runs is not asked; then it is told to die. */
static void
test_busy_and_zombie (void)
{
  static Door door;
  g_autoptr (Caller) caller = NULL;
  Pid server = gen_server_start (&busy_class, NULL, NULL, NULL);

  caller = caller_start (server, (Message) { .tag = STAND, .data = &door }, -1);
  gate_wait (&door.entered);
  for (int i = 0; i < 2; i++)
    process_send (server, (Message) { .tag = STAND });
  assert_tree (server, "Busy <1> running, 2 waiting · busy\n");
  process_exit (server, REASON_KILL);
  assert_tree (server, "Busy <1> zombie\n");
  gate_open (&door.leave);
  caller_wait (caller);
  test_end ();
}

/* Comparing, and other forms */

static Pid
start_few (void)
{
  static char name[] = "Few";
  Pid supervisor = start_workers (name, NULL);

  for (int i = 0; i < 2; i++)
    supervisor_start_child (supervisor, NULL, NULL);
  test_wait_idle (supervisor);
  return supervisor;
}

static void
stop_few (Pid supervisor)
{
  process_unlink (supervisor);
  process_exit (supervisor, REASON_KILL);
  test_end ();
}

static void
test_marks_what_has_changed (void)
{
  Pid supervisor = start_few ();
  g_autoptr (GPtrArray) before = observer_look (supervisor), now = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  observer_write_text (before, before, text);
  assert_text (text, "  Few <1> idle · simple_one_for_one, 2 children\n"
                     "  ├─ Worker <2> idle · all well\n"
                     "  └─ Worker <3> idle · all well\n");
  process_exit (((ObserverNode *) before->pdata[1])->pid, REASON_KILL);
  supervisor_count_children (supervisor, &(ChildCount) { 0 }, NULL);
  for (int i = 0; i < 2; i++)
    supervisor_start_child (supervisor, NULL, NULL);
  test_wait_idle (supervisor);
  now = observer_look (supervisor);
  g_string_truncate (text, 0);
  observer_write_text (now, before, text);
  assert_text (text, "* Few <1> idle · simple_one_for_one, 3 children\n"
                     "  ├─ Worker <2> idle · all well\n"
                     "+ ├─ Worker <3> idle · all well\n"
                     "+ └─ Worker <4> idle · all well\n"
                     "- Worker <5> has ended\n");
  stop_few (supervisor);
}

static void
test_list_is_flat (void)
{
  Pid supervisor = start_few ();
  g_autoptr (GPtrArray) nodes = observer_list ();
  g_autoptr (GString) text = g_string_new (NULL);

  observer_write_text (nodes, NULL, text);
  assert_text (text, "Few <1> idle · simple_one_for_one, 2 children\n"
                     "Worker <2> idle · all well\n"
                     "Worker <3> idle · all well\n");
  stop_few (supervisor);
}

static void
test_json (void)
{
  Pid supervisor = start_few ();
  g_autoptr (GPtrArray) nodes = observer_look (supervisor);
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autoptr (GString) text = g_string_new (NULL);

  g_ptr_array_set_size (nodes, 2);
  observer_write_json (nodes, none, text);
  assert_text (
    text,
    "[\n"
    "  { \"pid\": \"<1>\", \"parent\": null, \"name\": \"Few\", \"kind\": "
    "\"supervisor\", \"state\": \"idle\", \"waits_on\": null, "
    "\"description\": \"simple_one_for_one, 2 children\", \"new\": true, "
    "\"messages\": 0 },\n"
    "  { \"pid\": \"<2>\", \"parent\": \"<1>\", \"name\": null, \"kind\": "
    "\"Worker\", \"state\": \"idle\", \"waits_on\": null, "
    "\"description\": \"all well\", \"new\": true, \"messages\": 0 }\n"
    "]\n");
  stop_few (supervisor);
}

static void
receive_go (gpointer data)
{
  Message go;

  process_set_label (data);
  process_receive (&go, -1);
}

static void
wait_receiving (Pid pid)
{
  for (;;) {
    g_autoptr (GPtrArray) nodes = observer_look (pid);
    const ObserverNode *node = nodes->pdata[0];

    if (g_str_equal (node->state, "receiving"))
      return;
    process_sleep (1);
  }
}

static void
test_label_is_escaped (void)
{
  static char label[] = "a \"quote\", a \\, a\nline, a\tjump, \x1b, \xff";
  Pid pid = process_spawn (receive_go, label, NULL);
  g_autoptr (GPtrArray) nodes = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  wait_receiving (pid);
  nodes = observer_look (pid);
  observer_write_json (nodes, NULL, text);
  g_assert_nonnull (strstr (text->str,
                            "\"description\": \"a \\\"quote\\\", a \\\\, "
                            "a\\nline, a\\u0009jump, \\u001b, \xef\xbf\xbd\""));
  process_exit (pid, REASON_KILL);
  test_end ();
}

static void
test_dot_has_arrows_and_no_pids (void)
{
  Pid supervisor = start_few ();
  g_autoptr (GPtrArray) before = observer_look (PID_NONE), now = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *label = g_strdup_printf (
    "holder, has " PID_FORMAT,
    PID_ARGS (((ObserverNode *) before->pdata[2])->pid));
  Pid holder = process_spawn (receive_go, label, NULL);

  wait_receiving (holder);
  now = observer_look (PID_NONE);
  observer_write_dot (now, before, text);
  g_assert_cmpstr (text->str, ==,
                   "digraph tree {\n"
                   "  node [shape=box, style=rounded];\n"
                   "  n1 [label=\"thread\"];\n"
                   "  n2 [label=\"Few\\nsimple_one_for_one, 2 children\"];\n"
                   "  n3 [label=\"Worker\\nall well\"];\n"
                   "  n4 [label=\"Worker\\nall well\"];\n"
                   "  n5 [label=\"function\\nholder\", "
                   "style=\"rounded,bold\"];\n"
                   "  n1 -> n2;\n"
                   "  n2 -> n3;\n"
                   "  n2 -> n4;\n"
                   "  n5 -> n3 [style=dashed, constraint=false];\n"
                   "}\n");
  process_exit (holder, REASON_KILL);
  g_assert_true (process_wait_end (holder, test_limit ()));
  stop_few (supervisor);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  crash = g_quark_from_static_string ("crash");

  g_test_add_func ("/observer/draws/who-started-whom",
                   test_draws_who_started_whom);
  g_test_add_func ("/observer/draws/from-where-it-is-asked-to",
                   test_draws_from_where_it_is_asked_to);
  g_test_add_func ("/observer/draws/the-order-of-birth",
                   test_draws_the_order_of_birth);
  g_test_add_func ("/observer/dead-root-is-no-tree", test_dead_root_is_no_tree);
  g_test_add_func ("/observer/none-is-everybody-without-a-parent",
                   test_none_is_everybody_without_a_parent);
  g_test_add_func ("/observer/thread-is-drawn-above-its-children",
                   test_thread_is_drawn_above_its_children);
  g_test_add_func ("/observer/functions-and-tasks-are-drawn",
                   test_functions_and_tasks_are_drawn);
  g_test_add_func ("/observer/orphan-is-drawn", test_orphan_is_drawn);
  g_test_add_func ("/observer/busy-and-zombie", test_busy_and_zombie);
  g_test_add_func ("/observer/marks-what-has-changed",
                   test_marks_what_has_changed);
  g_test_add_func ("/observer/list-is-flat", test_list_is_flat);
  g_test_add_func ("/observer/json", test_json);
  g_test_add_func ("/observer/label-is-escaped", test_label_is_escaped);
  g_test_add_func ("/observer/dot-has-arrows-and-no-pids",
                   test_dot_has_arrows_and_no_pids);
  return g_test_run ();
}
