/* What the C programs of the benchmark share: a clock, clients that begin at the
 * same moment, and the command line.
 *
 *   PROGRAM --list    the names of its cases
 *   PROGRAM CASE      measures one of them, and prints a number
 *
 * Each case has an OS process to itself, so that none inherits the threads and
 * the memory of the one before. */
#ifndef BENCH_H
#define BENCH_H

#include <glib.h>

/**
 * BenchCase:
 * @name: the row of the table
 * @measure: does it: nanoseconds, or bytes, for each one
 * @n: its argument, what of depends on the case
 *
 * A list of them ends with one without a name.
 */
typedef struct {
  const char *name;
  double    (*measure) (guint n);
  guint       n;
} BenchCase;

int bench_main (int argc, char **argv, const BenchCase *cases);

/* Nanoseconds since some moment. */
gint64 bench_now (void);

/* CLIENTS
 *
 * Threads that share a number of operations among them.  Each does a tenth of
 * its share before it counts; and then none begins before all are ready. */

typedef void (*BenchFunc) (void);

/* Returns: the time from the first one's begin to the last one's end, divided by
 * the number of operations */
double bench_clients (guint n_clients, guint n_operations, BenchFunc operation);

/* Returns: how long that part of an operation took which is asked for */
typedef gint64 (*BenchTimedFunc) (void);

/* Returns: of the times of all operations that which so many percent of them do
 * not exceed */
double bench_percentile (guint n_clients, guint n_operations,
                         BenchTimedFunc operation, guint percent);

#endif
