/* SQLite's connections, counted while workers die: at every moment as many are
 * open as there are workers, alive or zombies, and in the end none.
 *
 * A worker opens its connection in its init and closes it in its finalize.  So
 * each is counted at both ends of both; and where one number is looked at
 * before and another one after the connections, whatever happens in between is
 * no matter.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "helper.h"
#include "internal.h"

#define POOL "Stars"
#define SIZE 4
#define OVERFLOW 3
#define N_CONSUMERS 6
#define N_PEOPLE 1000 /* so that some die over a query */

static struct {
  gint n_begun;  /* who may have a connection: init was called, … */
  gint n_ready;  /* who must have: init has succeeded, … */
  gint n_ending; /* … and finalize was not yet called */
  gint n_over;   /* … and finalize has not yet returned */
} counts;        /* atomic */

/* THE WORKER: a SwapiFetcher that is counted */

typedef enum { NOT_BEGUN, BEGUN, READY } Stage;

/* Behind the state of the class. */
static guchar *
get_stage (gpointer state)
{
  return (guchar *) state + swapi_fetcher_class.state_size;
}

static gboolean
init (gpointer state, gconstpointer args, GError **error)
{
  g_atomic_int_inc (&counts.n_begun);
  *get_stage (state) = BEGUN;
  if (!swapi_fetcher_class.init (state, args, error))
    return FALSE;
  *get_stage (state) = READY;
  g_atomic_int_inc (&counts.n_ready);
  return TRUE;
}

static void
finalize (gpointer state)
{
  Stage stage = *get_stage (state);

  if (stage == READY)
    g_atomic_int_inc (&counts.n_ending);
  swapi_fetcher_class.finalize (state);
  if (stage != NOT_BEGUN)
    g_atomic_int_inc (&counts.n_over);
}

static void
check_now (void)
{
  gint n_over = g_atomic_int_get (&counts.n_over);
  gint n_ready = g_atomic_int_get (&counts.n_ready);
  gint n_open = (gint) swapi_fetcher_count_open ();
  gint n_begun = g_atomic_int_get (&counts.n_begun);
  gint n_ending = g_atomic_int_get (&counts.n_ending);

  g_assert_cmpint (n_open, <=, n_begun - n_over);
  g_assert_cmpint (n_open, >=, n_ready - n_ending);
}

/* THE DATABASE */

static char *directory;
static char *database;
static char *elsewhere;

static void
make_database (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < N_PEOPLE; i++)
    g_string_append_printf (text, "person\tTrooper %03u\tKamino\t183\t-\n", i);
  directory = g_dir_make_tmp ("pooly-XXXXXX", &error);
  g_assert_no_error (error);
  database = g_build_filename (directory, "stars.db", NULL);
  elsewhere = g_build_filename (directory, "elsewhere", NULL);
  swapi_database_build (text->str, database, &error);
  g_assert_no_error (error);
}

static void
remove_database (void)
{
  g_unlink (database);
  g_rmdir (directory);
  g_clear_pointer (&directory, g_free);
  g_clear_pointer (&database, g_free);
  g_clear_pointer (&elsewhere, g_free);
}

/* THE POOL */

static gboolean
start_pool (GError **error)
{
  static GenServerClass counted_class;
  PoolyConfig config = { .name = POOL,
                         .worker = &counted_class,
                         .args = database,
                         .size = SIZE,
                         .max_overflow = OVERFLOW };

  counted_class = swapi_fetcher_class;
  counted_class.state_size += 1;
  counted_class.init = init;
  counted_class.finalize = finalize;
  return pooly_start_pools (&config, 1, error);
}

static void
begin (void)
{
  g_autoptr (GError) error = NULL;

  start_pool (&error);
  g_assert_no_error (error);
}

/* Asks again and again, until the limit. */
static void
wait_until (gboolean (*is_true) (void))
{
  gint64 deadline = g_get_monotonic_time ()
                    + test_limit () * G_TIME_SPAN_MILLISECOND;

  while (!is_true ()) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    check_now ();
    g_thread_yield ();
  }
}

static gboolean
is_calm (void)
{
  PoolyStatus status;

  return pooly_status (POOL, &status, NULL) && status.idle == SIZE
         && status.busy == 0 && swapi_fetcher_count_open () == SIZE
         && g_atomic_int_get (&counts.n_begun)
                - g_atomic_int_get (&counts.n_over)
              == SIZE;
}

static gboolean
is_nobody_left (void)
{
  g_autoptr (GArray) list = process_list ();

  return list->len <= 1;
}

/* What the kernel knows, where it can be asked. */
static guint
count_descriptors (void)
{
  g_autoptr (GDir) descriptors = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;
  guint n = 0;

  while (descriptors != NULL
         && (name = g_dir_read_name (descriptors)) != NULL) {
    g_autofree char *link = g_build_filename ("/proc/self/fd", name, NULL);
    g_autofree char *path = g_file_read_link (link, NULL);

    n += g_strcmp0 (path, database) == 0;
  }
  return n;
}

static void
end (void)
{
  pooly_stop ();
  wait_until (is_nobody_left);
  g_assert_cmpuint (swapi_fetcher_count_open (), ==, 0);
  g_assert_cmpuint (count_descriptors (), ==, 0);
  g_assert_cmpint (counts.n_begun, ==, counts.n_over);
}

/* CONSUMERS */

static struct {
  GThread *consumers[N_CONSUMERS];
  gint     is_over;  /* atomic */
  gint     n_served; /* atomic */
  gpointer worker;   /* atomic: one that was lent last */
} load;

static gboolean
ask (Pid worker, gpointer data G_GNUC_UNUSED, GError **error)
{
  g_auto (GStrv) lines = NULL;

  g_atomic_pointer_set (&load.worker, PID_TO_POINTER (worker));
  lines = swapi_fetcher_find (worker, "999", error);
  if (lines == NULL)
    return FALSE;
  g_assert_cmpuint (g_strv_length (lines), ==, 1);
  g_assert_true (g_str_has_prefix (lines[0], "Trooper 999"));
  g_atomic_int_inc (&load.n_served);
  return TRUE;
}

static void
ask_once (void)
{
  g_autoptr (GError) error = NULL;

  if (!pooly_transaction (POOL, ask, NULL, test_limit (), &error))
    g_assert_true (error->domain == POOLY_ERROR
                   || error->domain == GEN_SERVER_ERROR);
  g_assert_false (g_error_matches (error, POOLY_ERROR, POOLY_ERROR_TIMEOUT));
  check_now ();
}

static gpointer
ask_on (gpointer data G_GNUC_UNUSED)
{
  while (!g_atomic_int_get (&load.is_over))
    ask_once ();
  return NULL;
}

static gboolean
is_served (void)
{
  return g_atomic_int_get (&load.n_served) > 0;
}

static void
wait_served (void)
{
  g_atomic_int_set (&load.n_served, 0);
  wait_until (is_served);
}

static void
load_begin (void)
{
  load.is_over = FALSE;
  for (guint i = 0; i < N_CONSUMERS; i++)
    load.consumers[i] = g_thread_new ("consumer", ask_on, NULL);
  wait_served ();
}

static void
load_end (void)
{
  g_atomic_int_set (&load.is_over, TRUE);
  for (guint i = 0; i < N_CONSUMERS; i++)
    g_thread_join (load.consumers[i]);
}

/* STORMS */

/* Returns: whether there was one that had not been killed yet */
static gboolean
kill_busy_worker (void)
{
  Pid worker = POINTER_TO_PID (g_atomic_pointer_get (&load.worker));
  gboolean is_alive = process_is_alive (worker);

  process_exit (worker, REASON_KILL);
  return is_alive;
}

static void
test_storm_workers_are_killed (void)
{
  make_database ();
  begin ();
  load_begin ();
  for (guint i = test_scaled (1000); i > 0; i--)
    wait_until (kill_busy_worker);
  wait_served ();
  load_end ();
  wait_until (is_calm);
  end ();
  remove_database ();
  test_end ();
}

static void
ask_as_process (gpointer data G_GNUC_UNUSED)
{
  ask_once ();
}

static void
test_storm_consumers_are_killed (void)
{
  make_database ();
  begin ();
  load_begin ();
  for (guint i = test_scaled (500); i > 0; i--) {
    Pid consumer = process_spawn (ask_as_process, NULL, NULL);

    test_spin ((guint) g_test_rand_int_range (0, 500));
    process_exit (consumer, REASON_KILL);
    check_now ();
  }
  load_end ();
  wait_until (is_calm);
  end ();
  remove_database ();
  test_end ();
}

/* Some worker or other, which may be in its init. */
static void
kill_a_worker (void)
{
  g_autoptr (GArray) list = process_list ();
  guint first = (guint) g_test_rand_int_range (0, (gint32) list->len);

  for (guint i = 0; i < list->len; i++) {
    const ProcessInfo *info = &g_array_index (list, ProcessInfo,
                                              (first + i) % list->len);

    if (g_str_equal (info->kind, swapi_fetcher_class.name)
        && info->state != PROCESS_ZOMBIE) {
      process_exit (info->pid, REASON_KILL);
      return;
    }
  }
}

static gboolean
is_complete (void)
{
  PoolyStatus status;

  return pooly_status (POOL, &status, NULL)
         && status.idle + status.busy >= SIZE;
}

static gboolean
is_incomplete_or_loses_one (void)
{
  if (!is_complete ())
    return TRUE;
  kill_a_worker ();
  return FALSE;
}

/* Workers that can't be replaced for a while. */
static void
test_storm_database_is_away (void)
{
  make_database ();
  begin ();
  load_begin ();
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpint (g_rename (database, elsewhere), ==, 0);
    wait_until (is_incomplete_or_loses_one);
    g_assert_cmpint (g_rename (elsewhere, database), ==, 0);
    wait_until (is_complete);
    wait_served ();
  }
  load_end ();
  wait_until (is_calm);
  end ();
  remove_database ();
  test_end ();
}

static void
test_storm_no_database (void)
{
  g_autoptr (GError) error = NULL;

  make_database ();
  g_unlink (database);
  g_assert_false (start_pool (&error));
  g_assert_error (error, POOLY_ERROR, POOLY_ERROR_WORKER);
  g_assert_nonnull (strstr (error->message, database));
  end ();
  remove_database ();
  test_end ();
}

/* Everybody above the workers, in turn; each time in a tree that is new, as no
 * restart limit is the matter here. */
static void
test_storm_tree_is_killed (void)
{
  static const char *const victims[] = {
    POOL "WorkerSupervisor", POOL "Server",           POOL "Supervisor",
    "Pooly.Server",          "Pooly.PoolsSupervisor", "Pooly.Supervisor"
  };

  make_database ();
  for (guint i = test_scaled (10 * G_N_ELEMENTS (victims)); i > 0; i--) {
    const char *victim = victims[i % G_N_ELEMENTS (victims)];

    begin ();
    load_begin ();
    process_exit (process_whereis (victim), REASON_KILL);
    check_now ();
    if (!g_str_equal (victim, "Pooly.Supervisor"))
      wait_served ();
    load_end ();
    end ();
  }
  remove_database ();
  test_end ();
}

#define ADD(path, name) g_test_add_func ("/storm/" path, test_storm_##name)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("workers-are-killed", workers_are_killed);
  ADD ("consumers-are-killed", consumers_are_killed);
  ADD ("database-is-away", database_is_away);
  ADD ("no-database", no_database);
  ADD ("tree-is-killed", tree_is_killed);
  return g_test_run ();
}
