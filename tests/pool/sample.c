/* SampleWorker: it digests files, and can be told to work, stop and crash. */
#include <glib/gstdio.h>

#include "scenarios.h"

static Pid
start_worker (void)
{
  g_autoptr (GError) error = NULL;
  Pid worker = gen_server_start (&sample_worker_class, NULL, NULL, &error);

  g_assert_no_error (error);
  return worker;
}

static char *
make_directory (void)
{
  g_autoptr (GError) error = NULL;
  char *path = g_dir_make_tmp ("pooly-XXXXXX", &error);

  g_assert_no_error (error);
  return path;
}

/* FILES */

#define N_FILES 4

/* Nothing, a little, a chunk exactly, and several. */
static const gsize sizes[N_FILES] = { 0, 5, 65536, 300000 };

typedef struct {
  char *directory;
  char *paths[N_FILES];
  char *digests[N_FILES];
} Files;

static void
files_make (Files *files)
{
  files->directory = make_directory ();
  for (guint i = 0; i < N_FILES; i++) {
    g_autofree char *name = g_strdup_printf ("%u", i);
    g_autofree guchar *bytes = g_malloc (sizes[i] + 1);
    g_autoptr (GError) error = NULL;

    for (gsize j = 0; j < sizes[i]; j++)
      bytes[j] = (guchar) (j * j >> 3);
    files->paths[i] = g_build_filename (files->directory, name, NULL);
    files->digests[i] = g_compute_checksum_for_data (G_CHECKSUM_SHA256, bytes,
                                                     sizes[i]);
    g_file_set_contents (files->paths[i], (char *) bytes, (gssize) sizes[i],
                         &error);
    g_assert_no_error (error);
  }
}

static void
files_remove (Files *files)
{
  for (guint i = 0; i < N_FILES; i++) {
    g_unlink (files->paths[i]);
    g_free (files->paths[i]);
    g_free (files->digests[i]);
  }
  g_rmdir (files->directory);
  g_free (files->directory);
}

static void
check_digests (Pid worker, const Files *files)
{
  for (guint i = 0; i < N_FILES; i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *digest = sample_worker_digest (worker, files->paths[i],
                                                    &error);

    g_assert_no_error (error);
    g_assert_cmpstr (digest, ==, files->digests[i]);
  }
}

void
test_sample_worker_digest (void)
{
  Pid worker = start_worker ();
  Files files;

  files_make (&files);
  check_digests (worker, &files);
  files_remove (&files);
  kill_and_wait (worker);
  test_end ();
}

/* The error is the caller's, and the worker works on. */
static void
check_no_digest (const char *path, GIOErrorEnum why)
{
  g_autoptr (GError) error = NULL;
  Pid worker = start_worker ();

  g_assert_null (sample_worker_digest (worker, path, &error));
  g_assert_error (error, G_IO_ERROR, (gint) why);
  g_assert_true (sample_worker_work_for (worker, 0, NULL));
  kill_and_wait (worker);
}

void
test_sample_worker_digest_of_no_file (void)
{
  g_autofree char *directory = make_directory ();
  g_autofree char *path = g_build_filename (directory, "none", NULL);

  check_no_digest (path, G_IO_ERROR_NOT_FOUND);
  g_rmdir (directory);
  test_end ();
}

void
test_sample_worker_digest_of_a_directory (void)
{
  g_autofree char *directory = make_directory ();

  check_no_digest (directory, G_IO_ERROR_IS_DIRECTORY);
  g_rmdir (directory);
  test_end ();
}

/* Not the digest of the half that could be read. */
void
test_sample_worker_digest_that_breaks_off (void)
{
  const char *path = "/proc/self/mem";

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    check_no_digest (path, G_IO_ERROR_FAILED);
  else
    g_test_skip ("a file that can be opened, but not read, is needed");
  test_end ();
}

static gpointer
borrow_and_digest (gpointer files)
{
  for (guint i = test_scaled (20); i > 0; i--) {
    Pid worker = take ();

    check_digests (worker, files);
    face_checkin (worker);
  }
  return NULL;
}

void
test_sample_worker_digests_by_many (void)
{
  Files files;

  files_make (&files);
  face_start (4);
  run_threads (4, borrow_and_digest, &files);
  assert_status (4, 0);
  pooly_stop ();
  files_remove (&files);
  test_end ();
}

/* WORK */

void
test_sample_worker_work_takes_its_time (void)
{
  Pid worker = start_worker ();
  gint64 begin = g_get_monotonic_time ();

  g_assert_true (sample_worker_work_for (worker, 20, NULL));
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 20000);
  kill_and_wait (worker);
  test_end ();
}

/* Its caller hears of it at once, and the work itself ends early. */
void
test_sample_worker_killed_at_work (void)
{
  Pid worker = start_worker ();
  Work work;

  process_monitor (worker, NULL);
  work_begin (&work, worker, G_MAXINT);
  process_exit (worker, REASON_KILL);
  work_end (&work);
  g_assert_false (work.is_done);
  g_assert_error (work.error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN);
  g_clear_error (&work.error);
  g_assert_cmpuint (test_receive (PROCESS_DOWN).reason, ==, REASON_KILLED);
  test_end ();
}

static void
check_ends_after_its_work (void (*tell) (Pid worker), const char *reason)
{
  Pid worker = start_worker ();
  Message down;
  Work work;

  process_monitor (worker, NULL);
  work_begin (&work, worker, 50);
  tell (worker);
  work_end (&work);
  g_assert_no_error (work.error);
  g_assert_true (work.is_done);
  down = test_receive (PROCESS_DOWN);
  g_assert_cmpstr (g_quark_to_string (down.reason), ==, reason);
}

void
test_sample_worker_stops_after_its_work (void)
{
  check_ends_after_its_work (sample_worker_stop, "normal");
  test_end ();
}

void
test_sample_worker_crashes_after_its_work (void)
{
  check_ends_after_its_work (sample_worker_crash, "crash");
  test_end ();
}
