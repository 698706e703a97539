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
draw (Pid root, Write write)
{
  g_autoptr (GPtrArray) now = observer_look (root);
  GString *text = g_string_new (NULL);

  g_mutex_lock (&lock);
  write (now, root == PID_NONE ? last : NULL, text);
  if (root == PID_NONE) {
    g_clear_pointer (&last, g_ptr_array_unref);
    last = g_steal_pointer (&now);
  }
  g_mutex_unlock (&lock);
  return g_string_free (text, FALSE);
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
  g_autofree char *text = NULL;
  Write write = find_writer (args[0]);
  Pid root = PID_NONE;

  args += write != NULL;
  if (args[0] != NULL && args[1] != NULL) {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
                 "one tree at a time, please");
    return FALSE;
  }
  if (args[0] != NULL && !shell_parse_pid (args[0], &root, error))
    return FALSE;
  text = draw (root, write != NULL ? write : observer_write_text);
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
  guint n_rows = count_rows ();

  shell_print ("\033[H");
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
    if (i + 2 < n_rows)
      shell_print ("%s\033[K\n", lines[i]);
  shell_print ("Ctrl-C ends this.\033[K\n\033[J");
}

/* Lines that are too long are cut, by the terminal. */
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
  shell_print ("\033[2J\033[?7l");
  do {
    g_autoptr (GPtrArray) now = observer_look (PID_NONE);
    g_autoptr (GString) text = g_string_new (NULL);

    observer_write_text (now, before, text);
    show_page (text->str);
  } while (process_sleep (MAX (interval_ms, 1)));
  fputs ("\033[?7h", stdout); /* also when this is dying */
  fflush (stdout);
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
  g_autofree char *name = process_get_name (pid);

  if (pid != PID_NONE)
    shell_print ("  %-10s %s%s" PID_FORMAT "\n", what, name != NULL ? name : "",
                 name != NULL ? " " : "", PID_ARGS (pid));
}

static gboolean
info (char **args, GError **error)
{
  g_autoptr (GPtrArray) nodes = NULL;
  g_autoptr (GArray) list = process_list ();
  g_autoptr (GString) line = g_string_new (NULL);
  Pid pid;

  if (!shell_parse_pid (args[0], &pid, error))
    return FALSE;
  nodes = observer_look (pid);
  if (nodes->len == 0) {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
                 "there is no process " PID_FORMAT, PID_ARGS (pid));
    return FALSE;
  }
  g_ptr_array_set_size (nodes, 1);
  observer_write_text (nodes, NULL, line);
  shell_print ("%s", line->str);
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
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
                 "there is no process " PID_FORMAT, PID_ARGS (pid));
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
                 "trace: %s, but it must be on or off", args[0]);
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

static void
print_help (const ShellCommand *command)
{
  g_autofree char *usage = g_strjoin (" ", command->name, command->arguments,
                                      NULL);
  int width = (int) (28 + strlen (usage)) - (int) g_utf8_strlen (usage, -1);

  shell_print ("  %-*s %s\n", width, usage, command->help);
}

static gboolean
help (char **args, GError **error)
{
  const ShellCommand *one = args[0] != NULL ? shell_find (args[0]) : NULL;

  if (one != NULL) {
    print_help (one);
    return TRUE;
  }
  if (args[0] != NULL) {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_USAGE,
                 "there is no command %s; help lists them", args[0]);
    return FALSE;
  }
  for (const ShellCommand *c = shell_program->commands; c->name != NULL; c++)
    print_help (c);
  for (const ShellCommand *c = shell_commands; c->name != NULL; c++)
    print_help (c);
  return TRUE;
}

const ShellCommand shell_commands[] = {
  { "tree", "[--dot|--json|PID|NAME…]",
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
