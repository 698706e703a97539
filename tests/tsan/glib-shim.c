/* What GLib does, told to ThreadSanitizer.
 *
 * ThreadSanitizer knows the order of two accesses from the instructions it has
 * instrumented and from pthread's functions.  It sees nothing of libglib:
 * GMutex and GCond are futexes, and a queue's or a table's nodes are written
 * by code that is not instrumented.  So correct programs would be accused, and
 * races on a GHashTable overlooked.  `make tsan` links every program with this
 * file; the linker's --wrap sends our calls of a GLib function g_foo to
 * __wrap_g_foo below, which says what g_foo means and calls it, under the name
 * __real_g_foo.  GLib's own calls to itself don't come here, and need not.
 *
 * A GLib function that is wanted here and missing shows as a report in correct
 * code.  Not to be told are threads, which are pthreads, and g_atomic_…, which
 * the compiler instruments.  self-check.c shows that it works.
 */
#include <glib-object.h>
#include <sanitizer/tsan_interface.h>

#define UNSEEN __attribute__ ((no_sanitize ("thread")))

/* Defines what is called instead of a GLib function; the compiler checks that
 * the types are GLib's. */
#define WRAP(type, name, ...) \
  __typeof__ (name) __real_##name, __wrap_##name; \
  UNSEEN type __wrap_##name (__VA_ARGS__)

/* Not in the header, but what the compiler itself calls for an access. */
void __tsan_read8 (void *address);
void __tsan_write8 (void *address);

/* Races that are GLib's, and no danger:
 * - G_DEFINE_QUARK's cache may be written twice, with the same number;
 * - a GRWLock that is not initialised makes its pthread_rwlock_t when it is
 *   used first;
 * - a GThreadPool's job comes in a node of a queue within GLib, which is freed
 *   before run_job below can say that the push was earlier. */
const char *__tsan_default_suppressions (void);

UNSEEN const char *
__tsan_default_suppressions (void)
{
  return "race_top:_quark$\n"
         "race:^g_rw_lock_\n"
         "race:^g_queue_pop_tail$\n";
}

/* --- Locks ---
 *
 * That one has a lock must be told while one has it: after locking, and before
 * unlocking.
 */

#define EXCLUSIVE 0
#define SHARED __tsan_mutex_read_lock

#define LOCKED(lock, mode, call) \
  do { \
    __tsan_mutex_pre_lock (lock, mode); \
    call; \
    __tsan_mutex_post_lock (lock, mode, 0); \
  } while (0)

#define UNLOCKED(lock, mode, call) \
  do { \
    __tsan_mutex_pre_unlock (lock, mode); \
    call; \
    __tsan_mutex_post_unlock (lock, mode); \
  } while (0)

/* A call that gives up the lock while it waits, and comes back with it. */
#define WAITED(lock, call) \
  do { \
    UNLOCKED (lock, EXCLUSIVE, ); \
    LOCKED (lock, EXCLUSIVE, call); \
  } while (0)

WRAP (void, g_mutex_init, GMutex *mutex)
{
  __real_g_mutex_init (mutex);
  __tsan_mutex_create (mutex, __tsan_mutex_not_static);
}

WRAP (void, g_mutex_clear, GMutex *mutex)
{
  __tsan_mutex_destroy (mutex, 0);
  __real_g_mutex_clear (mutex);
}

WRAP (void, g_mutex_lock, GMutex *mutex)
{
  LOCKED (mutex, EXCLUSIVE, __real_g_mutex_lock (mutex));
}

WRAP (gboolean, g_mutex_trylock, GMutex *mutex)
{
  gboolean is_ours;

  __tsan_mutex_pre_lock (mutex, __tsan_mutex_try_lock);
  is_ours = __real_g_mutex_trylock (mutex);
  __tsan_mutex_post_lock (mutex,
                          __tsan_mutex_try_lock
                            | (is_ours ? 0 : __tsan_mutex_try_lock_failed),
                          0);
  return is_ours;
}

WRAP (void, g_mutex_unlock, GMutex *mutex)
{
  UNLOCKED (mutex, EXCLUSIVE, __real_g_mutex_unlock (mutex));
}

WRAP (void, g_cond_wait, GCond *cond, GMutex *mutex)
{
  WAITED (mutex, __real_g_cond_wait (cond, mutex));
}

WRAP (gboolean, g_cond_wait_until, GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean is_in_time;

  WAITED (mutex, is_in_time = __real_g_cond_wait_until (cond, mutex, end_time));
  return is_in_time;
}

WRAP (void, g_rw_lock_init, GRWLock *lock)
{
  __real_g_rw_lock_init (lock);
  __tsan_mutex_create (lock, __tsan_mutex_not_static);
}

WRAP (void, g_rw_lock_clear, GRWLock *lock)
{
  __tsan_mutex_destroy (lock, 0);
  __real_g_rw_lock_clear (lock);
}

WRAP (void, g_rw_lock_writer_lock, GRWLock *lock)
{
  LOCKED (lock, EXCLUSIVE, __real_g_rw_lock_writer_lock (lock));
}

WRAP (void, g_rw_lock_writer_unlock, GRWLock *lock)
{
  UNLOCKED (lock, EXCLUSIVE, __real_g_rw_lock_writer_unlock (lock));
}

WRAP (void, g_rw_lock_reader_lock, GRWLock *lock)
{
  LOCKED (lock, SHARED, __real_g_rw_lock_reader_lock (lock));
}

WRAP (void, g_rw_lock_reader_unlock, GRWLock *lock)
{
  UNLOCKED (lock, SHARED, __real_g_rw_lock_reader_unlock (lock));
}

/* The macros read the location themselves, and come here when it is 0. */
WRAP (gboolean, g_once_init_enter, volatile void *location)
{
  gboolean is_ours = __real_g_once_init_enter (location);

  __tsan_acquire ((void *) location);
  return is_ours;
}

WRAP (void, g_once_init_leave, volatile void *location, gsize result)
{
  __tsan_release ((void *) location);
  __real_g_once_init_leave (location, result);
}

/* --- Containers ---
 *
 * A function of a container reads or writes it, and that shall be: the word at
 * its address.
 */

#define READ(container) __tsan_read8 ((gpointer) (container))
#define WRITE(container) __tsan_write8 (container)

/* clang-format off */
#define WRAP_1(touch, type, name, A)                                           \
  WRAP (type, name, A a)                                                       \
  { touch (a); return __real_##name (a); }
#define WRAP_2(touch, type, name, A, B)                                        \
  WRAP (type, name, A a, B b)                                                  \
  { touch (a); return __real_##name (a, b); }
#define WRAP_3(touch, type, name, A, B, C)                                     \
  WRAP (type, name, A a, B b, C c)                                             \
  { touch (a); return __real_##name (a, b, c); }
#define WRAP_4(touch, type, name, A, B, C, D)                                  \
  WRAP (type, name, A a, B b, C c, D d)                                        \
  { touch (a); return __real_##name (a, b, c, d); }

WRAP_2 (READ, gpointer, g_hash_table_lookup, GHashTable *, gconstpointer)
WRAP_4 (READ, gboolean, g_hash_table_lookup_extended,
        GHashTable *, gconstpointer, gpointer *, gpointer *)
WRAP_2 (READ, gboolean, g_hash_table_contains, GHashTable *, gconstpointer)
WRAP_1 (READ, guint, g_hash_table_size, GHashTable *)
WRAP_3 (READ, gpointer, g_hash_table_find, GHashTable *, GHRFunc, gpointer)
WRAP_3 (READ, void, g_hash_table_foreach, GHashTable *, GHFunc, gpointer)
WRAP_1 (READ, GList *, g_hash_table_get_keys, GHashTable *)
WRAP_1 (READ, GList *, g_hash_table_get_values, GHashTable *)
WRAP_3 (WRITE, gboolean, g_hash_table_insert, GHashTable *, gpointer, gpointer)
WRAP_3 (WRITE, gboolean, g_hash_table_replace, GHashTable *, gpointer, gpointer)
WRAP_2 (WRITE, gboolean, g_hash_table_add, GHashTable *, gpointer)
WRAP_2 (WRITE, gboolean, g_hash_table_remove, GHashTable *, gconstpointer)
WRAP_1 (WRITE, void, g_hash_table_remove_all, GHashTable *)
WRAP_2 (WRITE, gboolean, g_hash_table_steal, GHashTable *, gconstpointer)
WRAP_4 (WRITE, gboolean, g_hash_table_steal_extended,
        GHashTable *, gconstpointer, gpointer *, gpointer *)
WRAP_3 (WRITE, guint, g_hash_table_foreach_remove,
        GHashTable *, GHRFunc, gpointer)
WRAP_1 (WRITE, void, g_hash_table_destroy, GHashTable *)

WRAP_1 (READ, gboolean, g_queue_is_empty, GQueue *)
WRAP_1 (READ, guint, g_queue_get_length, GQueue *)
WRAP_1 (READ, gpointer, g_queue_peek_head, GQueue *)
WRAP_1 (READ, gpointer, g_queue_peek_tail, GQueue *)
WRAP_1 (READ, GList *, g_queue_peek_head_link, GQueue *)
WRAP_1 (READ, GList *, g_queue_peek_tail_link, GQueue *)
WRAP_2 (READ, GList *, g_queue_find, GQueue *, gconstpointer)
WRAP_3 (READ, void, g_queue_foreach, GQueue *, GFunc, gpointer)
WRAP_1 (WRITE, void, g_queue_init, GQueue *)
WRAP_1 (WRITE, void, g_queue_clear, GQueue *)
WRAP_2 (WRITE, void, g_queue_push_head, GQueue *, gpointer)
WRAP_2 (WRITE, void, g_queue_push_tail, GQueue *, gpointer)
WRAP_2 (WRITE, void, g_queue_push_head_link, GQueue *, GList *)
WRAP_2 (WRITE, void, g_queue_push_tail_link, GQueue *, GList *)
WRAP_1 (WRITE, gpointer, g_queue_pop_head, GQueue *)
WRAP_1 (WRITE, gpointer, g_queue_pop_tail, GQueue *)
WRAP_1 (WRITE, GList *, g_queue_pop_head_link, GQueue *)
WRAP_1 (WRITE, GList *, g_queue_pop_tail_link, GQueue *)
WRAP_2 (WRITE, gboolean, g_queue_remove, GQueue *, gconstpointer)
WRAP_2 (WRITE, void, g_queue_unlink, GQueue *, GList *)
WRAP_2 (WRITE, void, g_queue_delete_link, GQueue *, GList *)

WRAP_2 (READ, gpointer, g_tree_lookup, GTree *, gconstpointer)
WRAP_1 (READ, gint, g_tree_nnodes, GTree *)
WRAP_3 (READ, void, g_tree_foreach, GTree *, GTraverseFunc, gpointer)
WRAP_1 (READ, GTreeNode *, g_tree_node_first, GTree *)
WRAP_3 (WRITE, void, g_tree_insert, GTree *, gpointer, gpointer)
WRAP_2 (WRITE, gboolean, g_tree_remove, GTree *, gconstpointer)
WRAP_2 (WRITE, gboolean, g_tree_steal, GTree *, gconstpointer)
WRAP_1 (WRITE, void, g_tree_destroy, GTree *)
/* clang-format on */

WRAP (void, g_hash_table_iter_init, GHashTableIter *iter, GHashTable *table)
{
  READ (table);
  __real_g_hash_table_iter_init (iter, table);
}

/* --- GAsyncQueue ---
 *
 * Its lock is a mutex, known here by the queue's address, which may protect
 * other data as well.  What locks for itself is done as what it is: lock, do,
 * unlock.
 */

WRAP (void, g_async_queue_lock, GAsyncQueue *queue)
{
  LOCKED (queue, EXCLUSIVE, __real_g_async_queue_lock (queue));
}

WRAP (void, g_async_queue_unlock, GAsyncQueue *queue)
{
  UNLOCKED (queue, EXCLUSIVE, __real_g_async_queue_unlock (queue));
}

/* The lock has the first word, so what it protects is at another. */
#define LOOK(queue) READ ((gpointer *) (queue) + 2)
#define ALTER(queue) WRITE ((gpointer *) (queue) + 2)

/* clang-format off */
WRAP_1 (LOOK, gint, g_async_queue_length_unlocked, GAsyncQueue *)
WRAP_2 (ALTER, void, g_async_queue_push_unlocked, GAsyncQueue *, gpointer)
WRAP_2 (ALTER, void, g_async_queue_push_front_unlocked, GAsyncQueue *, gpointer)
WRAP_1 (ALTER, gpointer, g_async_queue_try_pop_unlocked, GAsyncQueue *)
WRAP_2 (ALTER, gboolean, g_async_queue_remove_unlocked, GAsyncQueue *, gpointer)
/* clang-format on */

WRAP (gpointer, g_async_queue_pop_unlocked, GAsyncQueue *queue)
{
  gpointer item;

  ALTER (queue);
  WAITED (queue, item = __real_g_async_queue_pop_unlocked (queue));
  return item;
}

WRAP (gpointer, g_async_queue_timeout_pop_unlocked, GAsyncQueue *queue,
      guint64 limit_us)
{
  gpointer item;

  ALTER (queue);
  WAITED (queue,
          item = __real_g_async_queue_timeout_pop_unlocked (queue, limit_us));
  return item;
}

#define WITH_LOCK(queue, call) \
  do { \
    __wrap_g_async_queue_lock (queue); \
    call; \
    __wrap_g_async_queue_unlock (queue); \
  } while (0)

WRAP (void, g_async_queue_push, GAsyncQueue *queue, gpointer item)
{
  WITH_LOCK (queue, __wrap_g_async_queue_push_unlocked (queue, item));
}

WRAP (void, g_async_queue_push_front, GAsyncQueue *queue, gpointer item)
{
  WITH_LOCK (queue, __wrap_g_async_queue_push_front_unlocked (queue, item));
}

WRAP (gpointer, g_async_queue_pop, GAsyncQueue *queue)
{
  gpointer item;

  WITH_LOCK (queue, item = __wrap_g_async_queue_pop_unlocked (queue));
  return item;
}

WRAP (gpointer, g_async_queue_try_pop, GAsyncQueue *queue)
{
  gpointer item;

  WITH_LOCK (queue, item = __wrap_g_async_queue_try_pop_unlocked (queue));
  return item;
}

WRAP (gpointer, g_async_queue_timeout_pop, GAsyncQueue *queue, guint64 limit_us)
{
  gpointer item;

  WITH_LOCK (queue,
             item = __wrap_g_async_queue_timeout_pop_unlocked (queue,
                                                               limit_us));
  return item;
}

WRAP (gint, g_async_queue_length, GAsyncQueue *queue)
{
  gint length;

  WITH_LOCK (queue, length = __wrap_g_async_queue_length_unlocked (queue));
  return length;
}

WRAP (gboolean, g_async_queue_remove, GAsyncQueue *queue, gpointer item)
{
  gboolean is_removed;

  WITH_LOCK (queue,
             is_removed = __wrap_g_async_queue_remove_unlocked (queue, item));
  return is_removed;
}

/* --- References ---
 *
 * What others did before they let go happens before the last one frees.  It is
 * told of the second word, not to disturb a lock that has the first.
 */

UNSEEN static void
let_go (gpointer object)
{
  gpointer references = (gpointer *) object + 1;

  __tsan_release (references);
  __tsan_acquire (references);
}

WRAP (void, g_async_queue_unref, GAsyncQueue *queue)
{
  let_go (queue);
  __real_g_async_queue_unref (queue);
}

WRAP (void, g_hash_table_unref, GHashTable *table)
{
  let_go (table);
  __real_g_hash_table_unref (table);
}

WRAP (void, g_atomic_rc_box_release, gpointer box)
{
  let_go (box);
  __real_g_atomic_rc_box_release (box);
}

WRAP (void, g_atomic_rc_box_release_full, gpointer box, GDestroyNotify clear)
{
  let_go (box);
  __real_g_atomic_rc_box_release_full (box, clear);
}

WRAP (void, g_object_unref, gpointer object)
{
  let_go (object);
  __real_g_object_unref (object);
}

/* --- GThreadPool ---
 *
 * A push happens before its job, and every job before the return of the free
 * that waits for it.
 */

typedef struct {
  GFunc    func;
  gpointer user_data;
} Jobs;

typedef struct {
  gpointer data;
} Job;

UNSEEN static void
run_job (gpointer data, gpointer user_data)
{
  Job *job = data;
  Jobs *jobs = user_data;

  __tsan_acquire (job);
  data = job->data;
  g_free (job);
  jobs->func (data, jobs->user_data);
  __tsan_release (jobs);
}

WRAP (GThreadPool *, g_thread_pool_new, GFunc func, gpointer user_data,
      gint max_threads, gboolean exclusive, GError **error)
{
  Jobs *jobs = g_new (Jobs, 1);

  jobs->func = func;
  jobs->user_data = user_data;
  return __real_g_thread_pool_new (run_job, jobs, max_threads, exclusive,
                                   error);
}

WRAP (gboolean, g_thread_pool_push, GThreadPool *pool, gpointer data,
      GError **error)
{
  Job *job = g_new (Job, 1);

  job->data = data;
  __tsan_release (job);
  return __real_g_thread_pool_push (pool, job, error);
}

/* Threads that are not waited for may still want the jobs' function. */
WRAP (void, g_thread_pool_free, GThreadPool *pool, gboolean immediate,
      gboolean wait)
{
  Jobs *jobs = pool->user_data;

  __real_g_thread_pool_free (pool, immediate, wait);
  if (wait) {
    __tsan_acquire (jobs);
    g_free (jobs);
  }
}
