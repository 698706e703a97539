/* A command runs as a process of its own.  Its death ends whatever it waits for,
 * so killing it is all that Ctrl-C has to do; and whatever it has still to say
 * to others is dropped, so nothing is done by halves.  Meanwhile the shell waits,
 * and is woken by the command's end and by Ctrl-C.
 *
 * When a command has ended, the shell waits until what it has set off has come to
 * rest: so a line of a script finds what the line before has brought about.
 */
#include "shell_inside.h"

#include "signals.h"
#include "trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What takes longer than that is not waited for.  A script can wait longer than a
 * person, and what it finds must not depend on how fast the machine is. */
#define REST_MS 500
#define SCRIPT_REST_MS 5000

#define DYING_MS 200 /* a killed command's last words are awaited so long */

G_DEFINE_QUARK (shell-error-quark, shell_error)

const ShellProgram *shell_program;
Pid shell_pid;
gint shell_is_over;

static gboolean is_terminal; /* what the lines come from */

const ShellCommand *
shell_find (const char *name)
{
  for (const ShellCommand *c = shell_program->commands; c->name != NULL; c++)
    if (g_str_equal (c->name, name))
      return c;
  for (const ShellCommand *c = shell_commands; c->name != NULL; c++)
    if (g_str_equal (c->name, name))
      return c;
  return NULL;
}

char *
shell_make_usage (const ShellCommand *command)
{
  gboolean has_arguments = *command->arguments != '\0';

  return g_strconcat (command->name, has_arguments ? " " : "",
                      command->arguments, NULL);
}

void
shell_set_no_command (const char *word, GError **error)
{
  g_set_error (error, SHELL_ERROR, SHELL_ERROR_USAGE,
               "there is no command \"%s\"; help lists them", word);
}

/* A job is shared by the shell and the process that runs it, which may outlive
 * the shell's interest. */
typedef struct {
  const ShellCommand *command;
  char              **args;
  gint                is_over; /* atomic; when it is set, these are: */
  gboolean            is_ok;
  GError             *error;
} Job;

static void
job_clear (gpointer data)
{
  Job *job = data;

  g_strfreev (job->args);
  g_clear_error (&job->error);
}

static void
job_unref (gpointer job)
{
  g_atomic_rc_box_release_full (job, job_clear);
}

static void
run_job (gpointer data)
{
  Job *job = data;

  process_set_label (job->command->name);
  job->is_ok = job->command->run (job->args, &job->error);
}

/* Also when somebody has killed its process before it ran. */
static void
job_is_over (gpointer data)
{
  Job *job = data;

  g_atomic_int_set (&job->is_over, TRUE);
  shell_wake_up ();
  job_unref (job);
}

/* Whoever is stuck outside of the runtime is left to itself. */
static void
kill_job (Job *job, Pid pid)
{
  process_exit (pid, REASON_KILL);
  for (guint i = 0; i < DYING_MS && !g_atomic_int_get (&job->is_over); i++)
    process_sleep (1);
}

static gboolean
wait_for_job (Job *job, Pid pid, GError **error)
{
  while (!g_atomic_int_get (&job->is_over) && !shell_is_signalled ())
    shell_wait ();
  if (!g_atomic_int_get (&job->is_over)) {
    kill_job (job, pid);
    shell_forget_ctrl_c ();
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INTERRUPTED, "interrupted");
  } else if (job->error != NULL) {
    g_propagate_error (error, g_steal_pointer (&job->error));
  } else if (!job->is_ok) {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_KILLED,
                 "%s was ended before it was done", job->command->name);
  } else {
    return TRUE;
  }
  return FALSE;
}

/* Whether all wait for something to happen. */
static gboolean
is_at_rest (void)
{
  g_autoptr (GArray) list = process_list ();

  for (guint i = 0; i < list->len; i++) {
    const ProcessInfo *info = &g_array_index (list, ProcessInfo, i);
    gboolean waits = info->is_receiving || info->waits_on != PID_NONE;

    if (info->state != PROCESS_IDLE && !waits
        && !g_str_equal (info->kind, "thread"))
      return FALSE;
  }
  return TRUE;
}

/* One look does not see all at the same moment, so it takes two. */
static void
wait_for_rest (void)
{
  guint n_looks = 0, limit = is_terminal ? REST_MS : SCRIPT_REST_MS;

  for (guint i = 0; i < limit && n_looks < 2 && !shell_is_signalled (); i++) {
    if (i > 0)
      process_sleep (1);
    n_looks = is_at_rest () ? n_looks + 1 : 0;
  }
}

static gboolean
run_command (const ShellCommand *command, char **args, GError **error)
{
  Job *job = g_atomic_rc_box_new0 (Job);
  gboolean is_ok;
  Pid pid;

  shell_catch_signals ();
  if (is_terminal)
    shell_forget_ctrl_c (); /* it came late, for the command before */
  job->command = command;
  job->args = g_strdupv (args);
  pid = process_spawn (run_job, g_atomic_rc_box_acquire (job), job_is_over);
  is_ok = wait_for_job (job, pid, error);
  job_unref (job);
  shell_cut_lines (FALSE);
  wait_for_rest ();
  shell_release_signals (is_terminal);
  return is_ok;
}

/* Reading lines */

/* `[N [MS]]` may be left out, and `NAME…` may be many. */
static gboolean
check_arguments (const ShellCommand *command, char **args, GError **error)
{
  g_auto (GStrv) words = g_strsplit (command->arguments, " ", -1);
  g_autofree char *usage = shell_make_usage (command);
  guint n = g_strv_length (args), least = 0, most = 0;

  for (char **word = words; *word != NULL && **word != '\0'; word++) {
    least += **word != '[';
    most++;
    if (strstr (*word, "…") != NULL)
      most = G_MAXUINT - 1;
  }
  if (n >= least && n <= most)
    return TRUE;
  g_set_error (error, SHELL_ERROR, SHELL_ERROR_USAGE, "usage: %s", usage);
  return FALSE;
}

static gboolean
run_line (const char *line, GError **error)
{
  g_autoptr (GError) parse_error = NULL;
  g_auto (GStrv) words = NULL;
  const ShellCommand *command;

  if (!g_utf8_validate (line, -1, NULL)) {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID, "this is not UTF-8");
    return FALSE;
  }
  if (!g_shell_parse_argv (line, NULL, &words, &parse_error)) {
    if (g_error_matches (parse_error, G_SHELL_ERROR,
                         G_SHELL_ERROR_EMPTY_STRING))
      return TRUE;
    g_propagate_error (error, g_steal_pointer (&parse_error));
    return FALSE;
  }
  command = shell_find (words[0]);
  if (command == NULL) {
    shell_set_no_command (words[0], error);
    return FALSE;
  }
  return check_arguments (command, words + 1, error)
         && run_command (command, words + 1, error);
}

/* Returns: (nullable): the next line, to free() */
static char *
ask_for_line (void)
{
  char *line;

  shell_hold_output ();
  line = shell_edit_line (shell_program->prompt);
  shell_release_output ();
  return line;
}

static void
talk (void)
{
  g_autofree char *line = NULL;

  while (!g_atomic_int_get (&shell_is_over)
         && (line = ask_for_line ()) != NULL) {
    g_autoptr (GError) error = NULL;

    if (!run_line (line, &error)) {
      /* The terminal has written ^C into the line. */
      gboolean is_in_line = g_error_matches (error, SHELL_ERROR,
                                             SHELL_ERROR_INTERRUPTED);

      shell_complain ("%s%s\n", is_in_line ? "\n" : "", error->message);
    }
    g_clear_pointer (&line, free);
  }
}

/* Whoever sends Ctrl-C to a script means all of it. */
static gboolean
run_script_line (char *line, gsize length, GError **error)
{
  if (strlen (line) != length) {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
                 "there is a NUL in it");
    return FALSE;
  }
  if (!run_line (g_strchomp (line), error))
    return FALSE;
  if (shell_forget_ctrl_c ()) {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INTERRUPTED,
                 "interrupted after it was done");
    return FALSE;
  }
  return TRUE;
}

/* Returns: whether all went well */
static gboolean
run_script (FILE *file)
{
  g_autofree char *line = NULL;
  gsize size = 0;
  gssize length;
  guint number = 1;

  while (!g_atomic_int_get (&shell_is_over)
         && (length = getline (&line, &size, file)) >= 0) {
    g_autoptr (GError) error = NULL;

    if (!run_script_line (line, (gsize) length, &error)) {
      shell_complain ("line %u: %s\n", number, error->message);
      return FALSE;
    }
    number++;
  }
  if (ferror (file))
    shell_complain ("line %u: standard input: %s\n", number,
                    g_strerror (errno));
  return !ferror (file);
}

static void
begin (const ShellProgram *program)
{
  shell_program = program;
  shell_pid = process_self ();
  is_terminal = isatty (STDIN_FILENO);
  process_set_label ("shell");
  trace_write_by (shell_print_trace);
  shell_catch_signals ();
  wait_for_rest ();
  shell_release_signals (is_terminal);
}

int
shell_run (const ShellProgram *program)
{
  gboolean is_ok = TRUE;

  begin (program);
  if (is_terminal)
    talk ();
  else
    is_ok = run_script (stdin);
  g_atomic_int_set (&shell_is_over, TRUE);
  if (shell_get_output_errno () == 0)
    return is_ok ? 0 : 1;
  shell_complain ("standard output: %s\n",
                  g_strerror (shell_get_output_errno ()));
  return 1;
}
