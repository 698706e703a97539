/* Many pools, and many who start and stop them. */
#include "several.h"

#if POOLY_VERSION >= 3

static Lives lives;

/* The others never wait for it, nor fail. */
void
test_many_starts_and_stops_under_load (void)
{
  Load a, b, d;

  start_mortals (POOLS, &lives);
  load_pool (&a, "A", FALSE);
  load_pool (&b, "B", FALSE);
  load_pool (&d, "D", TRUE);
  for (guint i = test_scaled (50); i > 0; i--) {
    start_more ("D", &lives);
    load_wait_served (&d);
    load_wait_served (&a);
    g_assert_true (pooly_stop_pool ("D", NULL));
  }
  load_finish (&d);
  load_finish (&b);
  load_finish (&a);
  assert_is_no_pool ("D");
  assert_serves ("A");
  assert_serves ("B");
  stop_mortals (&lives);
  test_end ();
}

/* One name, many who want it. */

static gint n_started; /* atomic */
static gint n_stopped; /* atomic */

static gpointer
start_d (gpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  PoolyConfig config = mortals ("D", &lives);

  if (pooly_start_pool (&config, &error))
    g_atomic_int_inc (&n_started);
  else
    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_EXISTS);
  return NULL;
}

static gpointer
stop_d (gpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  if (pooly_stop_pool ("D", &error))
    g_atomic_int_inc (&n_stopped);
  else
    g_assert_error (error, POOLY_ERROR, POOLY_ERROR_NO_SUCH_POOL);
  return NULL;
}

void
test_many_start_one_name (void)
{
  start_mortals (POOLS, &lives);
  for (guint i = test_scaled (50); i > 0; i--) {
    n_started = n_stopped = 0;
    run_threads (8, start_d, NULL);
    g_assert_cmpint (n_started, ==, 1);
    assert_serves ("D");
    run_threads (8, stop_d, NULL);
    g_assert_cmpint (n_stopped, ==, 1);
    assert_is_no_pool ("D");
  }
  stop_mortals (&lives);
  test_end ();
}

/* Starts, uses and stops some of four pools, one of which, A, was there from the
 * start. */
static gpointer
start_and_stop (gpointer data G_GNUC_UNUSED)
{
  static const char *const names[] = { "D", "E", "F", "A" };
  static gint n_threads; /* atomic */
  guint chance = (guint) g_atomic_int_add (&n_threads, 1);

  for (guint i = test_scaled (100); i > 0; i--) {
    const char *name = names[(i * 7 + chance * i) % G_N_ELEMENTS (names)];
    g_autoptr (GError) error = NULL, stop_error = NULL;
    PoolyConfig config = mortals (name, &lives);
    Pid worker;

    if (!pooly_start_pool (&config, &error))
      g_assert_error (error, POOLY_ERROR, POOLY_ERROR_EXISTS);
    g_clear_error (&error);
    worker = pooly_checkout (name, &error);
    if (worker != PID_NONE)
      pooly_checkin (name, worker);
    else if (!may_be_unknown (error))
      g_assert_no_error (error);
    if (!pooly_stop_pool (name, &stop_error))
      g_assert_error (stop_error, POOLY_ERROR, POOLY_ERROR_NO_SUCH_POOL);
  }
  return NULL;
}

void
test_many_start_and_stop (void)
{
  start_mortals (POOLS, &lives);
  run_threads (4, start_and_stop, NULL);
  assert_is_no_pool ("A");
  assert_is_no_pool ("D");
  assert_is_no_pool ("E");
  assert_is_no_pool ("F");
  assert_serves ("B");
  assert_serves ("C");
  stop_mortals (&lives);
  test_end ();
}

/* HUNDREDS */

static char *
make_name (guint number)
{
  return g_strdup_printf ("Pool %u", number);
}

static void
start_half (guint n_pools)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < n_pools / 2; i++)
    g_ptr_array_add (names, make_name (i));
  g_ptr_array_add (names, NULL);
  start_mortals ((const char *const *) names->pdata, &lives);
}

/* Half of them are started together, half one after the other; each second of
 * them is stopped. */
void
test_many_at_once (void)
{
  guint n_pools = test_scaled (400);

  start_half (n_pools);
  for (guint i = n_pools / 2; i < n_pools; i++) {
    g_autofree char *name = make_name (i);

    start_more (name, &lives);
  }
  g_assert_cmpuint (count_children ("Pooly.PoolsSupervisor"), ==, n_pools);
  for (guint i = 0; i < n_pools; i++) {
    g_autofree char *name = make_name (i);

    assert_is_complete (name);
    assert_serves (name);
  }
  for (guint i = 0; i < n_pools; i += 2) {
    g_autofree char *name = make_name (i);

    g_assert_true (pooly_stop_pool (name, NULL));
  }
  for (guint i = 1; i < n_pools; i += 2) {
    g_autofree char *name = make_name (i);

    assert_serves (name);
  }
  stop_mortals (&lives);
  test_end ();
}

/* NAMES THAT ARE NOT USED ANY MORE */

static guint n_names;

/* One whose pool has been forgotten meanwhile. */
void
test_many_late_server_is_not_kept (void)
{
  registry_serve ("nobody");
  g_assert_cmpuint (registry_find ("nobody"), ==, PID_NONE);
  registry_stop ("nobody");
  test_end ();
}

static void
start_and_stop_others (guint n_pools)
{
  for (guint i = 0; i < n_pools; i++) {
    g_autofree char *name = make_name (n_names++);

    start_more (name, &lives);
    g_assert_true (process_is_alive (take_from (name)));
    g_assert_true (pooly_stop_pool (name, NULL));
    assert_not_taken_from (name, POOLY_ERROR_NO_SUCH_POOL);
    g_assert_cmpuint (registry_find (name), ==, PID_NONE);
  }
}

/* A name takes more than fifty bytes wherever it is kept. */
void
test_many_names_are_not_kept (void)
{
  guint n_pools = test_scaled (3000);
  gint64 before, after;

  start_mortals ((const char *const[]) { NULL }, &lives);
  start_and_stop_others (n_pools / 2);
  before = test_resident_bytes ();
  start_and_stop_others (n_pools);
  after = test_resident_bytes ();
  if (before >= 0)
    g_assert_cmpint (after - before, <, 40 * (gint64) n_pools);
  stop_mortals (&lives);
  test_end ();
}

#endif
