/* observer: the supervision tree, for people to look at.
 *
 * One look walks over the tree; what it has seen can be written as text, for
 * Graphviz, or as JSON, and compared with what an earlier one has seen.
 */
#ifndef OBSERVER_H
#define OBSERVER_H

#include "process.h"

/**
 * ObserverNode:
 * @pid: a process
 * @parent: the one above it in the tree, or %PID_NONE
 * @bars: what stands before it when the tree is drawn
 * @name: (nullable): the name it is registered under
 * @kind: its gen_server class, or "function", "task" or "thread"
 * @state: what it is doing: "idle", "queued", "running", "receiving", "zombie"
 * @n_messages: how many lie in its mailbox
 * @waits_on: (nullable): whose reply, or end, it waits for, for a person to read
 * @waits_on_pid: its pid, or %PID_NONE
 * @description: (nullable): what its class, or its label, says of it; "busy"
 *   when it can't be asked now
 *
 * A process as it was seen.
 */
typedef struct {
  Pid         pid;
  Pid         parent;
  char       *bars;
  char       *name;
  const char *kind;
  const char *state;
  guint       n_messages;
  char       *waits_on;
  Pid         waits_on_pid;
  char       *description;
} ObserverNode;

/**
 * observer_look:
 * @root: whose tree; %PID_NONE for every process that has no parent, but for the
 *   one that looks
 *
 * Nothing stands still meanwhile.
 *
 * Returns: (transfer full) (element-type ObserverNode): the tree, each process
 *   before those below it
 */
GPtrArray *observer_look (Pid root);

/**
 * observer_list:
 *
 * Returns: (transfer full) (element-type ObserverNode): every process but the one
 *   that asks, threads included, the oldest first; nobody is above another
 */
GPtrArray *observer_list (void);

/**
 * observer_escape:
 * @text: a text
 * @kept: the control characters that are left as they are
 *
 * A terminal obeys control characters, and a name may have some.
 *
 * Returns: (transfer full): the text, valid UTF-8, with `\x1b` instead of ESC, and
 *   so on
 */
char *observer_escape (const char *text, const char *kept);

/**
 * observer_write_text:
 * @now: what observer_look() gave
 * @before: (nullable): what it gave earlier
 * @text: where to write it
 *
 * Draws the tree, a process a line.  With @before each line begins with a mark:
 * `+` for a new process, `*` where something else has changed; and those that
 * have ended follow, with a `-`.
 */
void observer_write_text (GPtrArray *now, GPtrArray *before, GString *text);

/**
 * observer_write_dot:
 * @now: what observer_look() gave
 * @before: (nullable): what it gave earlier
 * @text: where to write it
 *
 * Writes the tree for Graphviz.  Dashed arrows lead to whom a process waits for,
 * and to those whose pids are in its description.  There are no pids and no
 * states in the picture, so that the same tree is the same picture.  Those that
 * are not in @before are bold.
 */
void observer_write_dot (GPtrArray *now, GPtrArray *before, GString *text);

/**
 * observer_write_json:
 * @now: what observer_look() gave
 * @before: (nullable): what it gave earlier
 * @text: where to write it
 *
 * Writes the tree as a JSON array of objects, a process a line, each before
 * those below it: strings `pid`, `parent`, `name`, `kind`, `state`, `waits_on`
 * and `description` (or null), the number `messages` and, with @before, the
 * boolean `new`.
 */
void observer_write_json (GPtrArray *now, GPtrArray *before, GString *text);

/**
 * observer_write_string:
 * @string: any text; what is not UTF-8 in it is replaced
 * @text: where to write it
 *
 * Writes a string as JSON, and Graphviz, want it: in quotes.
 */
void observer_write_string (const char *string, GString *text);

/**
 * observer_print_tree:
 * @root: whose tree; %PID_NONE for every process that has no parent
 * @text: where to write it
 *
 * Draws the tree below @root as it is now, a process a line: its name or class,
 * its pid, its state, how many messages wait for it, for whom it waits, and what
 * it says of its state.
 */
void observer_print_tree (Pid root, GString *text);

#endif
