/* shell: a prompt from which one can look at processes, and kill them.
 *
 * It has commands of its own (`help` lists them) and those of a program.  At a
 * terminal its lines can be edited and are completed; Ctrl-C ends the command
 * that runs, and no more.  Lines from elsewhere are a script, which ends with the
 * first command that fails.
 */
#ifndef SHELL_H
#define SHELL_H

#include "process.h"

#define SHELL_ERROR (shell_error_quark ())
GQuark shell_error_quark (void);

/**
 * ShellError:
 * @SHELL_ERROR_USAGE: there is no such command, or it takes other arguments
 * @SHELL_ERROR_INVALID: an argument is not what it should be
 * @SHELL_ERROR_INTERRUPTED: Ctrl-C came first
 * @SHELL_ERROR_KILLED: somebody has killed the command
 */
typedef enum {
  SHELL_ERROR_USAGE,
  SHELL_ERROR_INVALID,
  SHELL_ERROR_INTERRUPTED,
  SHELL_ERROR_KILLED
} ShellError;

/**
 * ShellFunc:
 * @args: (array zero-terminated=1): as many as the command takes
 * @error: why it failed
 *
 * Does what a command says.  It runs as a process of its own, which Ctrl-C kills:
 * that ends whatever it waits for, and whoever it is linked to.
 *
 * Returns: whether it succeeded
 */
typedef gboolean (*ShellFunc) (char **args, GError **error);

/**
 * ShellCommand:
 * @name: the word that one types
 * @arguments: the words that follow, with a space between them: `[N]` may be
 *   left out, `NAME…` may be repeated, and of `on|off` it is one.  They also say
 *   what is completed: PID a process, NAME a registered name, FILE a path, a word
 *   in small letters itself, and any other what the program says
 * @help: what it does, in a line
 * @run: does it
 */
typedef struct {
  const char *name;
  const char *arguments;
  const char *help;
  ShellFunc   run;
} ShellCommand;

/**
 * ShellProgram:
 * @prompt: what stands before the cursor
 * @commands: (array zero-terminated=1): the program's own
 * @list_words: (nullable): all words (transfer full) that may stand for an
 *   argument of that name; may be called at any time
 */
typedef struct {
  const char *prompt;
  const ShellCommand *commands;
  char **(*list_words) (const char *argument);
} ShellProgram;

/**
 * shell_run:
 * @program: whose shell it is
 *
 * Reads commands from standard input and runs them, one after the other, until
 * `quit`, the end of the input, or the first error in a script.
 *
 * Returns: the program's exit status: 0, or 1 after an error in a script, or when
 *   something could not be read or written
 */
int shell_run (const ShellProgram *program);

/* For commands: */

/**
 * shell_print:
 * @format: as for printf()
 *
 * Writes to standard output, in UTF-8 whatever the locale; but control characters
 * as `\x1b` and so on.  While a line is typed at the terminal it is kept back.
 * Nothing is written if the command was interrupted, or the shell has ended.
 */
void shell_print (const char *format, ...) G_GNUC_PRINTF (1, 2);

/**
 * shell_name:
 * @prefix: a letter
 * @pid: a process
 *
 * Gives a process a word by which one can speak of it at the prompt: `w1`, `w2`,
 * … for the prefix `w`.  It stands for @pid for ever, as a variable would.
 *
 * Returns: (transfer full): that word, a space, and the pid, to print
 */
char *shell_name (char prefix, Pid pid);

/**
 * shell_parse_pid:
 * @word: `<7.1>`, `7.1`, a word that shell_name() gave, or a registered name
 * @pid: (out): what it stands for; the process may have ended
 * @error: (nullable): a #ShellError
 *
 * Returns: whether it stands for a process
 */
gboolean shell_parse_pid (const char *word, Pid *pid, GError **error);

/**
 * shell_parse_server:
 * @word: as for shell_parse_pid()
 * @kind: a gen_server class's name
 * @pid: (out): what it stands for
 * @error: (nullable): a #ShellError
 *
 * Like shell_parse_pid(), but it must be alive and of that class: a message
 * means something else to the others.
 *
 * Returns: whether it stands for one
 */
gboolean shell_parse_server (const char *word, const char *kind, Pid *pid,
                             GError **error);

/**
 * shell_parse_number:
 * @word: digits
 * @what: what it is, for the error
 * @number: (out): their number
 * @error: (nullable): a #ShellError
 *
 * Returns: whether it is one, and at most %G_MAXINT
 */
gboolean shell_parse_number (const char *word, const char *what, guint *number,
                             GError **error);

/**
 * shell_parse_count:
 * @word: digits
 * @what: what it is, for the error
 * @most: how many there may be
 * @number: (out): their number
 * @error: (nullable): a #ShellError
 *
 * Returns: whether it is one, from 1 to @most
 */
gboolean shell_parse_count (const char *word, const char *what, guint most,
                            guint *number, GError **error);

/**
 * shell_lend:
 * @worker: who was borrowed
 * @consumer: who has it, until the next one has
 *
 * Remembers that, for `checkin`.
 */
void shell_lend (Pid worker, Pid consumer);

/**
 * shell_find_consumer:
 * @worker: any process
 *
 * Returns: who has it, and is alive; or %PID_NONE
 */
Pid shell_find_consumer (Pid worker);

/**
 * shell_print_loan:
 * @worker: who was borrowed
 * @consumer: who has it
 *
 * Says so, with a word for each: `w1 <5.1> is lent to c1 <7.1>`.
 */
void shell_print_loan (Pid worker, Pid consumer);

#endif
