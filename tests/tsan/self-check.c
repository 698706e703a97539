/* Does ThreadSanitizer understand GLib?  A checker that accuses the innocent
 * is switched off, and one that finds nothing is worse than none: so before it
 * judges the project, it is shown correct code, which must pass, and mistakes,
 * which it must find.
 */
#include <glib-object.h>

#define N_THREADS 3
#define N_ROUNDS 20
#define N_ITEMS 50

typedef struct {
  int   number;
  GList link;
} Item;

/* Each check uses what it needs of these, with some lock or with none. */
static GMutex mutex;
static GCond cond;
static GRWLock rw_locks[N_ROUNDS];
static GRWLock *rw_lock;
static GAsyncQueue *queue;
static GHashTable *table;
static GTree *tree;
static GQueue list = G_QUEUE_INIT;
static int counter;

static Item *
item_new (int number)
{
  Item *item = g_new0 (Item, 1);

  item->number = number;
  item->link.data = item;
  return item;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return GPOINTER_TO_INT (a) - GPOINTER_TO_INT (b);
}

static void
in_threads (GThreadFunc func)
{
  GThread *threads[N_THREADS];

  for (int i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("check", func, GINT_TO_POINTER (i));
  for (int i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
}

static void
in_rounds (gconstpointer func)
{
  for (int i = 0; i < N_ROUNDS; i++) {
    counter = 0;
    rw_lock = &rw_locks[i];
    queue = g_async_queue_new ();
    table = g_hash_table_new (NULL, NULL);
    tree = g_tree_new (compare);
    in_threads ((GThreadFunc) func);
    g_tree_destroy (tree);
    g_hash_table_unref (table);
    g_async_queue_unref (queue);
  }
}

/* --- Correct --- */

/* The threads take turns. */
static gpointer
wait_for_turn (gpointer turn)
{
  gint64 limit = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;

  for (int i = 0; i < N_ITEMS; i++) {
    if (i % 2 == 0 || !g_mutex_trylock (&mutex))
      g_mutex_lock (&mutex);
    while (counter % N_THREADS != GPOINTER_TO_INT (turn))
      if (i % 3 == 0)
        g_cond_wait (&cond, &mutex);
      else
        g_assert_true (g_cond_wait_until (&cond, &mutex, limit));
    counter++;
    g_cond_broadcast (&cond);
    g_mutex_unlock (&mutex);
  }
  return NULL;
}

static gpointer
read_and_write (gpointer unused)
{
  for (int i = 0; i < N_ITEMS; i++) {
    int before;

    g_rw_lock_reader_lock (rw_lock);
    before = counter;
    g_rw_lock_reader_unlock (rw_lock);
    g_rw_lock_writer_lock (rw_lock);
    counter = MAX (counter, before) + 1;
    g_rw_lock_writer_unlock (rw_lock);
  }
  return unused;
}

static Item *
take (int how)
{
  Item *item = NULL;

  switch (how % 4) {
  case 0:
    return g_async_queue_pop (queue);
  case 1:
    while (item == NULL)
      item = g_async_queue_timeout_pop (queue, 100);
    return item;
  case 2:
    while (item == NULL)
      item = g_async_queue_try_pop (queue);
    return item;
  default:
    g_async_queue_lock (queue);
    while (item == NULL)
      item = g_async_queue_timeout_pop_unlocked (queue, 100);
    counter++;
    g_async_queue_unlock (queue);
    return item;
  }
}

/* What is in an item belongs to who has it; the counter, to the queue's lock. */
static gpointer
hand_over (gpointer unused)
{
  for (int i = 0; i < N_ITEMS; i++) {
    Item *item;

    if (i % 2 == 0) {
      g_async_queue_push (queue, item_new (i));
    } else {
      g_async_queue_lock (queue);
      counter += g_async_queue_length_unlocked (queue);
      g_async_queue_push_front_unlocked (queue, item_new (i));
      g_async_queue_unlock (queue);
    }
    item = take (i);
    item->number++;
    g_free (item);
  }
  return unused;
}

static gpointer
fill_containers (gpointer thread)
{
  for (int i = 0; i < N_ITEMS; i++) {
    gpointer key = GINT_TO_POINTER (i * N_THREADS + GPOINTER_TO_INT (thread));
    Item *item = item_new (i);

    g_mutex_lock (&mutex);
    g_hash_table_insert (table, key, item);
    g_tree_insert (tree, key, item);
    g_queue_push_tail_link (&list, &item->link);
    g_mutex_unlock (&mutex);

    g_mutex_lock (&mutex);
    item = g_queue_peek_head (&list);
    item->number++;
    g_queue_unlink (&list, &((Item *) g_hash_table_lookup (table, key))->link);
    g_tree_remove (tree, key);
    g_hash_table_steal_extended (table, key, NULL, (gpointer *) &item);
    g_mutex_unlock (&mutex);
    g_free (item);
  }
  return NULL;
}

static gpointer
initialise_once (gpointer unused)
{
  static gsize made;

  if (g_once_init_enter (&made))
    g_once_init_leave (&made, (gsize) item_new (1));
  g_assert_cmpint (((Item *) made)->number, ==, 1);
  return unused;
}

static void
clear (gpointer number)
{
  g_assert_cmpint (*(int *) number, ==, 1);
}

/* The last to let go frees what the first has written. */
static gpointer
share (gpointer unused)
{
  static int *shared;
  int *ours;
  GObject *object;

  g_mutex_lock (&mutex);
  if (counter++ == 0) {
    shared = g_atomic_rc_box_new0 (int);
    g_hash_table_insert (table, NULL, g_object_new (G_TYPE_OBJECT, NULL));
  }
  ours = shared;
  object = g_hash_table_lookup (table, NULL);
  if (counter < N_THREADS) {
    g_atomic_rc_box_acquire (shared);
    g_object_ref (object);
  }
  g_mutex_unlock (&mutex);

  g_atomic_int_set (ours, 1);
  g_atomic_rc_box_release_full (ours, clear);
  g_object_unref (object);
  return unused;
}

static void
do_job (gpointer data, gpointer user_data)
{
  Item *item = data;

  item->number++;
  g_atomic_int_inc ((int *) user_data);
}

static void
test_thread_pool (void)
{
  for (int i = 0; i < N_ROUNDS; i++) {
    GThreadPool *pool;
    Item *items[N_ITEMS];
    int n_done = 0;

    pool = g_thread_pool_new (do_job, &n_done, N_THREADS, FALSE, NULL);
    for (int k = 0; k < N_ITEMS; k++) {
      items[k] = item_new (k);
      g_thread_pool_push (pool, items[k], NULL);
    }
    g_thread_pool_free (pool, FALSE, TRUE);
    g_assert_cmpint (n_done, ==, N_ITEMS);
    for (int k = 0; k < N_ITEMS; k++) {
      g_assert_cmpint (items[k]->number, ==, k + 1);
      g_free (items[k]);
    }
  }
}

/* --- Wrong --- */

static gpointer
forget_lock (gpointer unused)
{
  counter++;
  return unused;
}

static gpointer
forget_lock_of_table (gpointer key)
{
  g_hash_table_insert (table, key, key);
  return NULL;
}

static gpointer
forget_lock_of_tree (gpointer key)
{
  g_tree_insert (tree, key, key);
  return NULL;
}

static gpointer
forget_lock_of_list (gpointer unused)
{
  g_queue_push_tail_link (&list, &item_new (1)->link);
  return unused;
}

static gpointer
forget_lock_of_queue (gpointer unused)
{
  g_async_queue_push_unlocked (queue, &counter);
  return unused;
}

/* Its lock is not another's. */
static gpointer
take_wrong_lock (gpointer thread)
{
  if (thread == NULL) {
    g_async_queue_lock (queue);
    counter++;
    g_async_queue_unlock (queue);
  } else {
    g_mutex_lock (&mutex);
    counter++;
    g_mutex_unlock (&mutex);
  }
  return NULL;
}

/* What is handed over is the other's. */
static gpointer
use_after_push (gpointer thread)
{
  if (thread == NULL) {
    Item *item = item_new (1);

    g_async_queue_push (queue, item);
    item->number++;
  } else if (GPOINTER_TO_INT (thread) == 1) {
    ((Item *) g_async_queue_pop (queue))->number++;
  }
  return NULL;
}

static gpointer
lock_both_ways (gpointer thread)
{
  if (thread == NULL) {
    g_mutex_lock (&mutex);
    g_async_queue_push (queue, &counter);
    g_mutex_unlock (&mutex);
    g_atomic_int_set (&counter, 1);
  } else if (GPOINTER_TO_INT (thread) == 1) {
    while (g_atomic_int_get (&counter) == 0)
      g_thread_yield ();
    g_async_queue_lock (queue);
    g_mutex_lock (&mutex);
    g_mutex_unlock (&mutex);
    g_async_queue_unlock (queue);
  }
  return NULL;
}

static void
is_found (gconstpointer func)
{
  if (g_test_subprocess ()) {
    in_rounds (func);
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr (func == lock_both_ways
                               ? "*ThreadSanitizer: lock-order-inversion*"
                               : "*ThreadSanitizer: data race*");
}

#define PASSES(name, func) \
  g_test_add_data_func ("/passes/" name, func, in_rounds)
#define IS_FOUND(name, func) \
  g_test_add_data_func ("/is-found/" name, func, is_found)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  PASSES ("mutex-and-condition", wait_for_turn);
  PASSES ("reader-and-writer", read_and_write);
  PASSES ("handed-over", hand_over);
  PASSES ("containers-with-lock", fill_containers);
  PASSES ("initialised-once", initialise_once);
  PASSES ("shared", share);
  g_test_add_func ("/passes/thread-pool", test_thread_pool);

  IS_FOUND ("lock-forgotten", forget_lock);
  IS_FOUND ("lock-of-table-forgotten", forget_lock_of_table);
  IS_FOUND ("lock-of-tree-forgotten", forget_lock_of_tree);
  IS_FOUND ("lock-of-list-forgotten", forget_lock_of_list);
  IS_FOUND ("lock-of-queue-forgotten", forget_lock_of_queue);
  IS_FOUND ("wrong-lock", take_wrong_lock);
  IS_FOUND ("used-after-push", use_after_push);
  IS_FOUND ("locked-both-ways", lock_both_ways);

  return g_test_run ();
}
