/* observer: the supervision tree, for people to look at. */
#ifndef OBSERVER_H
#define OBSERVER_H

#include "process.h"

/**
 * observer_print_tree:
 * @root: whose tree; %PID_NONE for every process that has no parent
 * @text: where to write it
 *
 * Draws the tree below @root, a process a line: its name or class, its pid,
 * its state, how many messages wait for it, and what its class says of its
 * state ("busy" when it can't be asked now).
 */
void observer_print_tree (Pid root, GString *text);

#endif
