/* The second half of the demo: what dies, what comes back, and what does not. */
#include <glib/gstdio.h>

#include "demo.h"
#include "names.h"
#include "signals.h"

/* Act 7: the killings. */

static gboolean
answers (const char *supervisor)
{
  return supervisor_count_children (process_whereis (supervisor),
                                    &(ChildCount) { 0 }, NULL);
}

static gboolean
lends (const char *pool)
{
  return pooly_status (pool, &(PoolyStatus) { 0 }, NULL);
}

/* One round of questions, from the top down, as in version 3. */
static gboolean
is_whole (void)
{
  return answers ("Pooly.Supervisor") && answers ("Pooly.PoolsSupervisor")
         && answers (CHUCK "Supervisor") && lends (CHUCK)
         && answers ("StarWarsSupervisor") && lends ("StarWars");
}

static void
kill_and_look (const char *what, Pid victim)
{
  g_printerr ("\n== killed: %s " PID_FORMAT "\n", what, PID_ARGS (victim));
  process_exit (victim, REASON_KILL);
  process_wait_end (victim, -1);
  for (int i = 0; i < SETTLE_MS && !is_whole (); i++)
    process_sleep (1);
  print_tree ();
}

/* A new one takes its place, and goes to who waits. */
static void
kill_busy_one (Pid *workers)
{
  Pid consumer;

  title ("before the killings");
  checkout_all (workers, CHUCK_MOST);
  consumer = get_in_line ();
  print_tree ();
  kill_and_look ("a busy worker", workers[0]);
  fetch (workers[0]);
  hear_of_service ();
  let_go (consumer);
}

/* Nobody takes its place: above its size a pool has only what is asked for. */
static void
kill_overflow_one (Pid *workers)
{
  print_status (CHUCK);
  kill_and_look ("a worker while there is overflow", workers[1]);
  print_status (CHUCK);
  checkin_all (workers + 2, CHUCK_MOST - 2);
}

static void
kill_idle_one (void)
{
  Pid worker = pooly_checkout (CHUCK, NULL);

  pooly_checkin (CHUCK, worker);
  kill_and_look ("an idle worker", worker);
}

static void
kill_server (void)
{
  Pid workers[CHUCK_MOST], consumer;

  title ("before the last killing");
  checkout_all (workers, CHUCK_MOST);
  consumer = get_in_line ();
  kill_and_look ("the server of " CHUCK, process_whereis (CHUCK "Server"));
  hear_of_service ();
  let_go (consumer);
  fetch (workers[0]);
}

void
kill_one_after_the_other (void)
{
  Pid workers[CHUCK_MOST];

  kill_busy_one (workers);
  kill_overflow_one (workers);
  kill_idle_one ();
  kill_server ();
}

/* Act 8: version 3 had one worker less from then on. */

static gboolean
wait_until_healed (const char *pool, guint n_workers)
{
  PoolyStatus status = { 0 };

  for (int i = 0; i < SETTLE_MS && status.idle + status.busy < n_workers; i++) {
    process_sleep (1);
    pooly_status (pool, &status, NULL);
  }
  return status.idle + status.busy == n_workers;
}

static gboolean
lose_a_worker (const char *path, const char *away)
{
  Pid worker = checkout ("FarAway");
  gboolean is_healed;

  g_rename (path, away);
  process_exit (worker, REASON_KILL);
  process_wait_end (worker, -1);
  g_printerr ("killed while the database is away: " PID_FORMAT "\n",
              PID_ARGS (worker));
  print_status ("FarAway");
  checkout ("FarAway");
  checkout ("FarAway");
  g_rename (away, path);
  g_printerr ("the database is back\n");
  is_healed = wait_until_healed ("FarAway", 2);
  print_status ("FarAway");
  checkout ("FarAway");
  return is_healed;
}

gboolean
lose_the_database (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = g_dir_make_tmp ("pooly-XXXXXX", &error);
  g_autofree char *path = g_strconcat (directory, "/starwars.db", NULL);
  g_autofree char *away = g_strconcat (directory, "/away.db", NULL);
  PoolyConfig config = {
    .name = "FarAway", .worker = &swapi_fetcher_class, .args = path, .size = 2
  };
  gboolean is_healed = FALSE;

  title ("a worker dies while its database is away: the pool tries again");
  if (directory == NULL) {
    g_printerr ("error: %s\n", error->message);
    return FALSE;
  }
  if (swapi_database_build (text, path, &error)
      && pooly_start_pool (&config, &error)) {
    is_healed = lose_a_worker (path, away);
    pooly_stop_pool ("FarAway", NULL);
  }
  if (error != NULL)
    g_printerr ("error: %s\n", error->message);
  g_unlink (path);
  g_rmdir (directory);
  return is_healed;
}

/* Act 9: a pid is not taken away from who has it. */
void
use_what_was_given_back (void)
{
  Pid worker;

  title ("hole: who has given a worker back can still use it");
  worker = checkout (CHUCK);
  pooly_checkin (CHUCK, worker);
  print_status (CHUCK);
  fetch (worker);
}
