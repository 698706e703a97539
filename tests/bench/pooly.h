/* The program that measures one version of the pool, and the runtime under it. */
#ifndef BENCH_POOLY_H
#define BENCH_POOLY_H

#include "bench.h"
#include "face.h"

/* Servers that do nothing but answer, and cost what any server costs: one whose
 * messages may be handled on their sender's thread, and one whose may not. */
extern const GenServerClass short_class;
extern const GenServerClass long_class;

#define POOL_SIZE 10

void start_pool (const GenServerClass *worker, guint size);
void call (Pid server);

/* borrowing.c */
double measure_checkouts (guint n_clients);

/* workers.c: of the short class, or the long one */
double measure_start (guint n_workers);
double measure_start_long (guint n_workers);
double measure_memory (guint n_workers);
#if POOLY_VERSION >= 2
double measure_kill (guint n_kills);
double measure_kill_long (guint n_kills);
#endif

#if POOLY_VERSION >= 4

/* borrowing.c */
double measure_waiting_checkouts (guint n_clients);
double measure_latency (guint percent);
double measure_transactions (guint n_operations);
double measure_transactions_long (guint n_operations);
double measure_overflow (guint n_operations);
double measure_overflow_long (guint n_operations);

/* waiters.c */
double measure_leaving (guint n_waiters);

/* runtime.c: the same in all versions, and measured once */
double measure_calls (guint n_calls);
double measure_calls_long (guint n_calls);
double measure_casts (guint n_casts);
double measure_casts_long (guint n_casts);
double measure_spawns (guint n_processes);
double measure_servers (guint n_servers);

#endif
#endif
