/* Tests that are run in simulation, too.
 *
 * `make test` runs such a test once, on real threads; `make sim` runs it many
 * times, each time in a child of its own with another seed (scheduler_sim.c).
 * In both the test is a process and so is everybody in it: it has no threads of
 * its own, no gates, no test_wait_idle() and no clock but process_sleep().
 *
 *   SEEDS=N       that many, from 1 on
 *   SEED=N        this one alone, with its trace
 *   TEST=/path    only the tests whose path begins so
 *   LIMIT=N       N times the limit of 20 seconds for each child
 */
#ifndef SIMULATION_H
#define SIMULATION_H

#include <glib.h>

/**
 * test_init:
 * @argc: (inout): of main()
 * @argv: (inout): of main()
 *
 * What stands in place of g_test_init().
 */
void test_init (int *argc, char ***argv);

/**
 * test_add_simulated:
 * @path: its path
 * @func: the test
 *
 * Like g_test_add_func(), for a test that can be simulated.
 */
void test_add_simulated (const char *path, void (*func) (void));

/**
 * test_run:
 *
 * What stands in place of g_test_run().
 *
 * Returns: the exit status of the program
 */
int test_run (void);

/**
 * test_random:
 * @n: how many there are to choose from
 *
 * Returns: a number from 0 to @n - 1; in a simulation the seed says which
 */
guint test_random (guint n);

#endif
