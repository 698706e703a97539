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

/* shell_commands.c: what every shell has. */

extern const ShellCommand shell_commands[];

/* shell_words.c: words that stand for processes. */

/* Returns: (transfer full): all words that stand for one that is alive */
GPtrArray *shell_list_pids (void);
GPtrArray *shell_list_names (void);

/* shell_edit.c: lines from a terminal. */

/* Returns: (nullable): the next line, to free(); NULL at the end */
char *shell_edit_line (const char *prompt);

/* shell_complete.c: what may stand at the end of a line. */

/* Returns: (transfer full) (nullable): words that begin with the last, maybe
 * empty, word of @line; NULL: a path */
GPtrArray *shell_complete (const char *line);

#endif
