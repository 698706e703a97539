/* The pool's face as the scenarios see it: written once, for every version.
 *
 * What differs between the versions' faces stands here and nowhere else; so
 * which pool is meant, from v3 on, no scenario has to say.
 */
#ifndef FACE_H
#define FACE_H

#include "helper.h"
#include "internal.h"

#if POOLY_VERSION <= 2

#define FACE_SERVER "Pooly.Server"
#define FACE_WORKER_SUPERVISOR "Pooly.WorkerSupervisor"

static inline gboolean
face_start_with (const GenServerClass *worker, gconstpointer args, guint size,
                 GError **error)
{
  PoolyConfig config = { .worker = worker, .args = args, .size = size };

  return pooly_start_pool (&config, error);
}

static inline Pid
face_checkout (GError **error)
{
  return pooly_checkout (error);
}

static inline void
face_checkin (Pid worker)
{
  pooly_checkin (worker);
}

static inline gboolean
face_status (PoolyStatus *status, GError **error)
{
  return pooly_status (status, error);
}

#else

#define FACE_POOL "Pool"
#define FACE_SERVER FACE_POOL "Server"
#define FACE_WORKER_SUPERVISOR FACE_POOL "WorkerSupervisor"

static inline gboolean
face_start_with (const GenServerClass *worker, gconstpointer args, guint size,
                 GError **error)
{
  PoolyConfig config = {
    .name = FACE_POOL, .worker = worker, .args = args, .size = size
  };

  return pooly_start_pools (&config, 1, error);
}

static inline Pid
face_checkout (GError **error)
{
  return pooly_checkout (FACE_POOL, error);
}

static inline void
face_checkin (Pid worker)
{
  pooly_checkin (FACE_POOL, worker);
}

static inline gboolean
face_status (PoolyStatus *status, GError **error)
{
  return pooly_status (FACE_POOL, status, error);
}

#endif

/* The same in all versions. */

#define FACE_TOP "Pooly.Supervisor"

static inline void
face_start (guint size)
{
  g_autoptr (GError) error = NULL;

  face_start_with (&sample_worker_class, NULL, size, &error);
  g_assert_no_error (error);
}

#endif
