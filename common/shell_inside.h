/* What the shell's files share.  Private to them. */
#ifndef SHELL_INSIDE_H
#define SHELL_INSIDE_H

#include "shell.h"

/* shell.c: reads lines and has them run. */

extern const ShellProgram *shell_program;

/* The process that reads the lines. */
extern Pid shell_pid;

/* Whether somebody has said `quit`, or the input has ended; atomic. */
extern gint shell_is_over;

/* Returns: (nullable): the command of that name */
const ShellCommand *shell_find (const char *name);

/* Returns: (transfer full): a command's name and arguments */
char *shell_make_usage (const ShellCommand *command);

/* Says of @word that no command has that name. */
void shell_set_no_command (const char *word, GError **error);

/* shell_signals.c: Ctrl-C, and being told to end, while a command runs. */

/* From now on signals are only noted. */
void shell_catch_signals (void);

/* From now on they do what they usually do, but Ctrl-C if that is kept; so does
 * the one that has told the shell to end meanwhile. */
void shell_release_signals (gboolean is_ctrl_c_kept);

/* Whether one has come: Ctrl-C, or one that tells the shell to end. */
gboolean shell_is_signalled (void);

/* Returns: whether Ctrl-C had come */
gboolean shell_forget_ctrl_c (void);

/* Waits for a signal, or for shell_wake_up(); or wakes for no reason. */
void shell_wait (void);
void shell_wake_up (void);

/* shell_output.c: what is written, beside shell_print(). */

/* Until it is released, what is written is kept: while a line is typed. */
void shell_hold_output (void);
void shell_release_output (void);

/* Like shell_print(), but the terminal obeys what is in it. */
void shell_draw (const char *text);

/* To stderr. */
void shell_complain (const char *format, ...) G_GNUC_PRINTF (1, 2);
void shell_print_trace (const char *line);

/* Whether the terminal cuts lines that are too long, or goes on below. */
void shell_cut_lines (gboolean is_on);

/* Returns: why something could not be written to standard output, or 0 */
int shell_get_output_errno (void);

/* shell_commands.c: what every shell has. */

extern const ShellCommand shell_commands[];

/* shell_words.c: words that stand for processes. */

/* Returns: (transfer full): all words that stand for one that is alive */
GPtrArray *shell_list_pids (void);
GPtrArray *shell_list_names (void);

/* shell_lent.c: who has which worker; all of it is in shell.h. */

/* shell_edit.c: lines from a terminal. */

/* Returns: (nullable): the next line, to free(); NULL at the end.  Empty if a
 * signal came */
char *shell_edit_line (const char *prompt);

/* shell_complete.c: what may stand at the end of a line. */

/* Returns: (transfer full) (nullable): words that begin with the last, maybe
 * empty, word of @line; NULL: a path */
GPtrArray *shell_complete (const char *line);

#endif
