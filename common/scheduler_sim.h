/* A simulation: the scheduler that can be played again.
 *
 * The thread that begins it takes part; so does everything that is made of
 * processes, functions and tasks.  Other threads must not.
 */
#ifndef SCHEDULER_SIM_H
#define SCHEDULER_SIM_H

#include <glib.h>

/**
 * simulation_begin:
 * @seed: which of all the runs that could be
 * @is_stuck: called when everybody waits and nothing is due; must not return
 *
 * Makes the rest of this OS process a simulation.  It must not have had a
 * thread, or a process, before: begin it in a child that was just forked.
 */
void simulation_begin (guint32 seed, void (*is_stuck) (void));

#endif
