/* The commands that every shell has: looking at processes, and killing them. */
#include "shell_inside.h"

#include "gen_server.h"
#include "names.h"
#include "observer.h"
#include "signals.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define OBSERVE_MS 500
#define LINES 24 /* of a terminal that doesn't say */

/* tree */

typedef void (*Write) (GPtrArray *now, GPtrArray *before, GString *text);

static GMutex lock;
/* lock protects: */
static GPtrArray *last; /* ObserverNode: what the last look at all has seen */

/* What is only a part is not compared: the rest would seem to have ended. */
static char *
draw (GPtrArray *now, gboolean is_all, Write write)
{
  GString *text = g_string_new (NULL);

  g_mutex_lock (&lock);
  write (now, is_all ? last : NULL, text);
  if (is_all) {
    g_clear_pointer (&last, g_ptr_array_unref);
    last = g_ptr_array_ref (now);
  }
  g_mutex_unlock (&lock);
  return g_string_free (text, FALSE);
}

static void
set_no_process (Pid pid, GError **error)
{
  g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
               "there is no process " PID_FORMAT, PID_ARGS (pid));
}

/* Returns: (transfer full) (nullable): the process and those below it; all, if
 * there is no @word */
static GPtrArray *
look (const char *word, GError **error)
{
  Pid root = PID_NONE;
  GPtrArray *nodes;

  if (word != NULL && !shell_parse_pid (word, &root, error))
    return NULL;
  nodes = observer_look (root);
  if (root == PID_NONE || nodes->len > 0)
    return nodes;
  set_no_process (root, error);
  g_ptr_array_unref (nodes);
  return NULL;
}

static Write
find_writer (const char *option)
{
  if (g_strcmp0 (option, "--dot") == 0)
    return observer_write_dot;
  return g_strcmp0 (option, "--json") == 0 ? observer_write_json : NULL;
}

static gboolean
tree (char **args, GError **error)
{
  Write write = find_writer (args[0]);
  const char *word = write != NULL ? args[1] : args[0];
  g_autoptr (GPtrArray) now = NULL;
  g_autofree char *text = NULL;

  if (write == NULL && args[0] != NULL && args[1] != NULL) {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
                 "\"%s\" is neither --dot nor --json", args[0]);
    return FALSE;
  }
  now = look (word, error);
  if (now == NULL)
    return FALSE;
  text = draw (now, word == NULL, write != NULL ? write : observer_write_text);
  shell_print ("%s", text);
  return TRUE;
}

/* observe */

static guint
count_rows (void)
{
  struct winsize size;

  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1)
    return size.ws_row;
  return LINES;
}

/* What does not fit is left out; \033[K ends a line, \033[J the page. */
static void
show_page (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GString) page = g_string_new ("\033[H");
  guint n_rows = count_rows ();

  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
    if (i + 2 < n_rows)
      g_string_append_printf (page, "%s\033[K\n", lines[i]);
  g_string_append (page, "Ctrl-C ends this.\033[K\n\033[J");
  shell_draw (page->str);
}

static gboolean
observe (char **args, GError **error)
{
  g_autoptr (GPtrArray) before = NULL;
  guint interval_ms = OBSERVE_MS;

  if (!isatty (STDOUT_FILENO)) {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
                 "observe needs a terminal to draw on; use tree");
    return FALSE;
  }
  if (args[0] != NULL
      && !shell_parse_number (args[0], "MS", &interval_ms, error))
    return FALSE;
  before = observer_look (PID_NONE);
  shell_draw ("\033[2J");
  shell_cut_lines (TRUE); /* until the shell hears of the end */
  do {
    g_autoptr (GPtrArray) now = observer_look (PID_NONE);
    g_autoptr (GString) text = g_string_new (NULL);

    observer_write_text (now, before, text);
    show_page (text->str);
  } while (process_sleep (MAX (interval_ms, 1)));
  return TRUE;
}

/* processes, info */

static gboolean
processes (char **args G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) nodes = observer_list ();
  g_autoptr (GString) text = g_string_new (NULL);

  observer_write_text (nodes, NULL, text);
  shell_print ("%s", text->str);
  return TRUE;
}

static void
print_relative (const char *what, Pid pid)
{
  g_autofree char *name = NULL;

  if (pid == PID_NONE)
    return;
  name = process_get_name (pid);
  shell_print ("  %-10s %s%s" PID_FORMAT "\n", what, name != NULL ? name : "",
               name != NULL ? " " : "", PID_ARGS (pid));
}

static void
print_relatives (Pid pid)
{
  g_autoptr (GArray) list = process_list ();

  for (guint i = 0; i < list->len; i++) {
    const ProcessInfo *other = &g_array_index (list, ProcessInfo, i);

    if (other->pid == pid) {
      shell_print ("  %-10s %s\n", "kind", other->kind);
      print_relative ("parent", other->parent);
      print_relative ("runs on", other->lender);
    }
    if (other->parent == pid)
      print_relative ("child", other->pid);
    if (other->waits_on == pid)
      print_relative ("awaited by", other->pid);
  }
}

static gboolean
info (char **args, GError **error)
{
  g_autoptr (GPtrArray) nodes = look (args[0], error);
  g_autoptr (GString) line = g_string_new (NULL);

  if (nodes == NULL)
    return FALSE;
  g_ptr_array_set_size (nodes, 1);
  observer_write_text (nodes, NULL, line);
  shell_print ("%s", line->str);
  print_relatives (((const ObserverNode *) nodes->pdata[0])->pid);
  return TRUE;
}

/* kill, exit */

static gboolean
end (const char *word, Reason reason, GError **error)
{
  Pid pid;

  if (!shell_parse_pid (word, &pid, error))
    return FALSE;
  if (pid == shell_pid || pid == process_self ()) {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
                 PID_FORMAT " is this shell; quit ends it", PID_ARGS (pid));
    return FALSE;
  }
  if (!process_is_alive (pid)) {
    set_no_process (pid, error);
    return FALSE;
  }
  process_exit (pid, reason);
  return TRUE;
}

static gboolean
kill_one (char **args, GError **error)
{
  return end (args[0], REASON_KILL, error);
}

static gboolean
exit_one (char **args, GError **error)
{
  return end (args[0], g_quark_from_string (args[1]), error);
}

/* sleep, trace, help, quit */

static gboolean
sleep_for (char **args, GError **error)
{
  guint duration_ms;

  return shell_parse_number (args[0], "MS", &duration_ms, error)
         && process_sleep (duration_ms);
}

static gboolean
trace (char **args, GError **error)
{
  gboolean is_on = g_str_equal (args[0], "on");

  if (!is_on && !g_str_equal (args[0], "off")) {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
                 "trace: \"%s\", but it must be on or off", args[0]);
    return FALSE;
  }
  gen_server_trace (is_on);
  return TRUE;
}

static gboolean
quit (char **args G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  g_atomic_int_set (&shell_is_over, TRUE);
  return TRUE;
}

/* How wide the column of their usages is: at least @width. */
static glong
measure (const ShellCommand *commands, glong width)
{
  for (const ShellCommand *c = commands; c->name != NULL; c++) {
    g_autofree char *usage = shell_make_usage (c);

    width = MAX (width, g_utf8_strlen (usage, -1));
  }
  return width;
}

static void
print_help (const ShellCommand *command, glong width)
{
  g_autofree char *usage = shell_make_usage (command);
  glong n_spaces = MAX (width - g_utf8_strlen (usage, -1), 0);

  shell_print ("  %s%*s  %s\n", usage, (int) n_spaces, "", command->help);
}

static gboolean
help (char **args, GError **error)
{
  const ShellCommand *one = args[0] != NULL ? shell_find (args[0]) : NULL;
  glong width = measure (shell_commands, measure (shell_program->commands, 0));

  if (one != NULL) {
    print_help (one, 0);
    return TRUE;
  }
  if (args[0] != NULL) {
    shell_set_no_command (args[0], error);
    return FALSE;
  }
  for (const ShellCommand *c = shell_program->commands; c->name != NULL; c++)
    print_help (c, width);
  for (const ShellCommand *c = shell_commands; c->name != NULL; c++)
    print_help (c, width);
  return TRUE;
}

const ShellCommand shell_commands[] = {
  { "tree", "[--dot|--json|PID|NAME [PID|NAME]]",
    "who has started whom; + is new, * has changed, - has ended", tree },
  { "observe", "[MS]", "the tree, drawn anew all the time", observe },
  { "processes", "", "all processes, the oldest first", processes },
  { "info", "PID|NAME", "what is known of one", info },
  { "kill", "PID|NAME", "end it; it is not asked", kill_one },
  { "exit", "PID|NAME REASON", "send it an exit signal", exit_one },
  { "trace", "on|off", "write down all that happens", trace },
  { "sleep", "MS", "wait so many milliseconds", sleep_for },
  { "help", "[COMMAND]", "this list, or what is said here of one", help },
  { "quit", "", "end the shell; so does the end of the input", quit },
  { NULL, NULL, NULL, NULL }
};
