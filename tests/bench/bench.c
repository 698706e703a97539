#include "bench.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

gint64
bench_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * (gint64) 1000000000 + now.tv_nsec;
}

/* CLIENTS */

typedef struct {
  pthread_barrier_t *ready;
  BenchFunc          operation; /* this one, … */
  BenchTimedFunc     timed;     /* … or this one */
  gint64            *times;     /* of the timed one */
  guint              n_operations;
  gint64             begin;
  gint64             end;
} Client;

static void
operate (const Client *self, guint n)
{
  for (guint i = 0; i < n; i++)
    if (self->timed != NULL)
      self->times[i] = self->timed ();
    else
      self->operation ();
}

static gpointer
run_client (gpointer data)
{
  Client *self = data;

  operate (self, self->n_operations / 10);
  pthread_barrier_wait (self->ready);
  self->begin = bench_now ();
  operate (self, self->n_operations);
  self->end = bench_now ();
  return NULL;
}

/* @model: what all of them do
 *
 * Returns: from the first one's begin to the last one's end */
static gint64
run_clients (guint n_clients, const Client *model)
{
  g_autofree Client *clients = g_new (Client, n_clients);
  g_autofree GThread **threads = g_new (GThread *, n_clients);
  gint64 begin = G_MAXINT64, end = 0;
  pthread_barrier_t ready;

  pthread_barrier_init (&ready, NULL, n_clients);
  for (guint i = 0; i < n_clients; i++) {
    clients[i] = *model;
    clients[i].ready = &ready;
    if (model->times != NULL)
      clients[i].times = model->times + i * model->n_operations;
    threads[i] = g_thread_new ("client", run_client, &clients[i]);
  }
  for (guint i = 0; i < n_clients; i++) {
    g_thread_join (threads[i]);
    begin = MIN (begin, clients[i].begin);
    end = MAX (end, clients[i].end);
  }
  pthread_barrier_destroy (&ready);
  return end - begin;
}

double
bench_clients (guint n_clients, guint n_operations, BenchFunc operation)
{
  Client model = { .operation = operation,
                   .n_operations = n_operations / n_clients };

  return (double) run_clients (n_clients, &model)
         / (model.n_operations * n_clients);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

double
bench_percentile (guint n_clients, guint n_operations, BenchTimedFunc operation,
                  guint percent)
{
  Client model = { .timed = operation,
                   .n_operations = n_operations / n_clients };
  gsize n = (gsize) model.n_operations * n_clients;
  g_autofree gint64 *times = g_new (gint64, n);

  model.times = times;
  run_clients (n_clients, &model);
  qsort (times, n, sizeof *times, compare);
  return (double) times[(n - 1) * percent / 100];
}

/* COMMAND LINE */

static int
list (const BenchCase *cases)
{
  for (; cases->name != NULL; cases++)
    g_print ("%s\n", cases->name);
  return 0;
}

int
bench_main (int argc, char **argv, const BenchCase *cases)
{
  if (argc == 2 && strcmp (argv[1], "--list") == 0)
    return list (cases);
  for (; argc == 2 && cases->name != NULL; cases++)
    if (strcmp (argv[1], cases->name) == 0) {
      g_print ("%.1f\n", cases->measure (cases->n));
      return 0;
    }
  g_printerr (
    "Usage: %s --list | CASE\n"
    "Measures one of the cases that --list lists, and prints how many "
    "nanoseconds,\nor bytes, each takes.  `make bench` runs them all.\n",
    argv[0]);
  return argc == 2 && strcmp (argv[1], "--help") == 0 ? 0 : 2;
}
