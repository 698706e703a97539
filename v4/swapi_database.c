/* Builds SwapiFetcher's database from a text: a person or a planet a line,
 * tabs between what is known of it, and "-" for what is not.
 *
 * It is built under another name and then renamed: whoever finds it finds all
 * of it, and who has the one before open keeps that.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <sqlite3.h>

#include "internal.h"

/* Nobody else sees it yet: neither a journal nor the disk need be awaited. */
static const char schema_sql[] =
  "PRAGMA journal_mode = OFF;"
  "PRAGMA synchronous = OFF;"
  "CREATE TABLE people (name TEXT PRIMARY KEY, homeworld TEXT,"
  "  height INTEGER, birth TEXT);"
  "CREATE TABLE planets (name TEXT PRIMARY KEY, climate TEXT, terrain TEXT,"
  "  diameter INTEGER, population INTEGER);"
  "BEGIN;";

typedef struct {
  const char *name;
  guint       n_fields; /* itself included */
  const char *insert_sql;
} Kind;

static const Kind kinds[] = {
  { "person", 5,
    "INSERT INTO people VALUES (?1, nullif (?2, '-'), nullif (?3, '-'),"
    "  nullif (?4, '-'))" },
  { "planet", 6,
    "INSERT INTO planets VALUES (?1, nullif (?2, '-'), nullif (?3, '-'),"
    "  nullif (?4, '-'), nullif (?5, '-'))" },
};

static const Kind *
find_kind (char **fields)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_strcmp0 (fields[0], kinds[i].name) == 0
        && g_strv_length (fields) == kinds[i].n_fields)
      return &kinds[i];
  return NULL;
}

static gboolean
fail (sqlite3 *connection, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s",
               sqlite3_errmsg (connection));
  return FALSE;
}

static gboolean
insert (sqlite3 *connection, const char *line, GError **error)
{
  g_auto (GStrv) fields = g_strsplit (line, "\t", -1);
  const Kind *kind = find_kind (fields);
  sqlite3_stmt *statement = NULL;
  int status;

  if (kind == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 "neither a person nor a planet, with all that belongs to it");
    return FALSE;
  }
  if (sqlite3_prepare_v2 (connection, kind->insert_sql, -1, &statement, NULL)
      != SQLITE_OK)
    return fail (connection, error);
  for (guint i = 1; i < kind->n_fields; i++)
    sqlite3_bind_text (statement, (int) i, fields[i], -1, SQLITE_STATIC);
  status = sqlite3_step (statement);
  if (status != SQLITE_DONE)
    fail (connection, error);
  sqlite3_finalize (statement);
  return status == SQLITE_DONE;
}

static gboolean
insert_all (sqlite3 *connection, const char *text, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0' && *lines[i] != '#'
        && !insert (connection, lines[i], error)) {
      g_prefix_error (error, "line %u: ", i + 1);
      return FALSE;
    }
  return TRUE;
}

static gboolean
fill (const char *path, const char *text, GError **error)
{
  sqlite3 *connection;
  gboolean is_filled;

  if (sqlite3_open (path, &connection) != SQLITE_OK
      || sqlite3_exec (connection, schema_sql, NULL, NULL, NULL) != SQLITE_OK)
    is_filled = fail (connection, error);
  else
    is_filled = insert_all (connection, text, error)
                && (sqlite3_exec (connection, "COMMIT", NULL, NULL, NULL)
                      == SQLITE_OK
                    || fail (connection, error));
  sqlite3_close (connection);
  return is_filled;
}

static gboolean
fail_at (const char *path, GError **error)
{
  int code = errno;

  g_set_error (error, G_IO_ERROR, (gint) g_io_error_from_errno (code), "%s: %s",
               path, g_strerror (code));
  return FALSE;
}

gboolean
swapi_database_build (const char *text, const char *path, GError **error)
{
  g_autofree char *other = g_strconcat (path, ".XXXXXX", NULL);
  int fd = g_mkstemp (other);
  gboolean is_built;

  if (fd < 0)
    return fail_at (path, error);
  g_close (fd, NULL);
  is_built = fill (other, text, error)
             && (g_rename (other, path) == 0 || fail_at (path, error));
  if (!is_built)
    g_unlink (other);
  return is_built;
}

/* Its name tells what it was made of: another text has a database of its own. */
static char *
make_name (const char *text)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  g_checksum_update (checksum, (const guchar *) schema_sql, -1);
  g_checksum_update (checksum, (const guchar *) text, -1);
  return g_strdup_printf ("starwars-%.12s.db",
                          g_checksum_get_string (checksum));
}

char *
swapi_database_in_cache (const char *text, GError **error)
{
  g_autofree char *directory = g_build_filename (g_get_user_cache_dir (),
                                                 "pooly", NULL);
  g_autofree char *name = make_name (text);
  g_autofree char *path = g_build_filename (directory, name, NULL);

  if (g_file_test (path, G_FILE_TEST_EXISTS)
      || ((g_mkdir_with_parents (directory, 0700) == 0
           || fail_at (directory, error))
          && swapi_database_build (text, path, error)))
    return g_steal_pointer (&path);
  g_prefix_error (error, "in the cache (XDG_CACHE_HOME says where): ");
  return NULL;
}
