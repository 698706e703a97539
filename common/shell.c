/* A command runs as a process of its own.  Its death ends whatever it waits for,
 * so killing it is all that Ctrl-C has to do; and whatever it has still to say
 * to others is dropped, so nothing is done by halves.  Meanwhile the shell waits
 * in GLib's main context, where both the command's end and Ctrl-C are heard.
 *
 * When a command has ended, the shell waits until what it has set off has come to
 * rest: so a line of a script finds what the line before has brought about.
 */
#include "shell_inside.h"

#include "signals.h"

#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REST_MS 500  /* what takes longer than that is not waited for */
#define DYING_MS 200 /* a killed command's last words are */

G_DEFINE_QUARK (shell-error-quark, shell_error)

const ShellProgram *shell_program;
Pid shell_pid;
gint shell_is_over;

static gboolean is_interrupted;

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

void
shell_print (const char *format, ...)
{
  va_list args;

  if (process_is_dying () || g_atomic_int_get (&shell_is_over))
    return;
  va_start (args, format);
  vprintf (format, args);
  va_end (args);
  fflush (stdout);
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
  g_main_context_wakeup (NULL);
  job_unref (job);
}

static gboolean
interrupt (gpointer data G_GNUC_UNUSED)
{
  is_interrupted = TRUE;
  return G_SOURCE_CONTINUE;
}

static gboolean
wake_up (gpointer data G_GNUC_UNUSED)
{
  return G_SOURCE_CONTINUE;
}

/* Whoever is stuck outside of the runtime is left to itself. */
static void
kill_job (Job *job, Pid pid)
{
  gint64 limit = g_get_monotonic_time () + DYING_MS * G_TIME_SPAN_MILLISECOND;
  guint timer = g_timeout_add (DYING_MS, wake_up, NULL);

  process_exit (pid, REASON_KILL);
  while (!g_atomic_int_get (&job->is_over) && g_get_monotonic_time () < limit)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timer);
}

static gboolean
wait_for_job (Job *job, Pid pid, GError **error)
{
  while (!g_atomic_int_get (&job->is_over) && !is_interrupted)
    g_main_context_iteration (NULL, TRUE);
  if (is_interrupted) {
    kill_job (job, pid);
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INTERRUPTED, "interrupted");
  } else if (job->error != NULL) {
    g_propagate_error (error, g_steal_pointer (&job->error));
  } else if (!job->is_ok) {
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INTERRUPTED,
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
  guint n_looks = 0;

  for (guint i = 0; i < REST_MS && n_looks < 2; i++) {
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

  while (g_main_context_iteration (NULL, FALSE)) /* a Ctrl-C that came late */
    ;
  is_interrupted = FALSE;
  job->command = command;
  job->args = g_strdupv (args);
  pid = process_spawn (run_job, g_atomic_rc_box_acquire (job), job_is_over);
  is_ok = wait_for_job (job, pid, error);
  job_unref (job);
  wait_for_rest ();
  return is_ok;
}

/* Reading lines */

/* `[N [MS]]` may be left out, and `NAME…` may be many. */
static gboolean
check_arguments (const ShellCommand *command, char **args, GError **error)
{
  g_auto (GStrv) words = g_strsplit (command->arguments, " ", -1);
  guint n = g_strv_length (args), least = 0, most = 0;

  for (char **word = words; *word != NULL && **word != '\0'; word++) {
    least += **word != '[';
    most++;
    if (strstr (*word, "…") != NULL)
      most = G_MAXUINT - 1;
  }
  if (n >= least && n <= most)
    return TRUE;
  g_set_error (error, SHELL_ERROR, SHELL_ERROR_USAGE, "usage: %s%s%s",
               command->name, most > 0 ? " " : "", command->arguments);
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
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_USAGE,
                 "there is no command %s; help lists them", words[0]);
    return FALSE;
  }
  return check_arguments (command, words + 1, error)
         && run_command (command, words + 1, error);
}

static void
talk (void)
{
  g_autofree char *line = NULL;

  while (!g_atomic_int_get (&shell_is_over)
         && (line = shell_edit_line (shell_program->prompt)) != NULL) {
    g_autoptr (GError) error = NULL;

    if (!run_line (line, &error))
      fprintf (stderr, "%s%s\n", is_interrupted ? "\n" : "", error->message);
    g_clear_pointer (&line, free);
  }
}

/* Returns: whether all went well */
static gboolean
run_script (FILE *file)
{
  g_autofree char *line = NULL;
  gsize size = 0;

  for (guint number = 1; getline (&line, &size, file) >= 0; number++) {
    g_autoptr (GError) error = NULL;

    g_strchomp (line);
    if (!run_line (line, &error)) {
      fprintf (stderr, "line %u: %s\n", number, error->message);
      return FALSE;
    }
    if (g_atomic_int_get (&shell_is_over))
      break;
  }
  return TRUE;
}

int
shell_run (const ShellProgram *program)
{
  guint source = g_unix_signal_add (SIGINT, interrupt, NULL);
  gboolean is_ok = TRUE;

  shell_program = program;
  shell_pid = process_self ();
  process_set_label ("shell");
  wait_for_rest ();
  if (isatty (STDIN_FILENO))
    talk ();
  else
    is_ok = run_script (stdin);
  g_source_remove (source);
  g_atomic_int_set (&shell_is_over, TRUE);
  return is_ok ? 0 : 1;
}
