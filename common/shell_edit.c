/* Lines from a terminal, by libedit: with history, editing and completion. */
#include "shell_inside.h"

#include <editline/readline.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static GPtrArray *candidates;

/* libedit asks for one after the other, and frees them. */
static char *
next_candidate (const char *word G_GNUC_UNUSED, int n_given)
{
  return (guint) n_given < candidates->len ? strdup (candidates->pdata[n_given])
                                           : NULL;
}

static char **
complete (const char *word, int start G_GNUC_UNUSED, int end)
{
  g_autofree char *line = g_strndup (rl_line_buffer, (gsize) end);
  char **matches;

  candidates = shell_complete (line);
  if (candidates == NULL)
    return NULL; /* libedit knows the files itself */
  rl_attempted_completion_over = 1;
  matches = rl_completion_matches (word, next_candidate);
  g_clear_pointer (&candidates, g_ptr_array_unref);
  return matches;
}

/* While a line is edited Ctrl-C drops it, and is no signal.  Each time, for
 * libedit forgets. */
static int
make_ctrl_c_a_key (void)
{
  return rl_parse_and_bind ("setty -d -isig");
}

static void
set_up (void)
{
  static char word_breaks[] = " \t";

  rl_readline_name = "pooly";
  rl_initialize ();
  rl_attempted_completion_function = complete;
  rl_basic_word_break_characters = word_breaks;
  using_history ();
  rl_pre_input_hook = make_ctrl_c_a_key;
  rl_parse_and_bind ("bind ^C em-kill-line");
}

/* A signal from elsewhere ends libedit's reading, and is sent on by it: to the whole
 * process group, which can't be avoided. */
char *
shell_edit_line (const char *prompt)
{
  static gboolean is_set_up;
  gboolean is_interrupted = FALSE;
  char *line;

  if (!is_set_up)
    set_up ();
  is_set_up = TRUE;
  errno = 0;
  line = readline (prompt);
  if (line == NULL) {
    is_interrupted = errno == EINTR;
    puts ("");
  } else if (*line != '\0') {
    add_history (line);
  }
  return is_interrupted ? strdup ("") : line;
}
