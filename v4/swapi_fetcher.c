/* A worker that is a connection to a database: opened by init, used by one
 * thread at a time, and closed by finalize, however the worker ends. */
#include <sqlite3.h>
#include <string.h>

#include "internal.h"

#define STEPS_BETWEEN_LOOKS 1000 /* of SQLite's machine */

typedef enum { FIND = 1, FOUND, FAILED } SwapiMessage;

/* region: state */
typedef struct {
  sqlite3      *connection;
  sqlite3_stmt *find;
  guint         n_asked; /* for whoever looks */
} SwapiFetcher;

static gint n_open; /* atomic */
/* end */

static const char find_sql[] =
  "SELECT name || ': from ' || coalesce (homeworld, 'nobody knows where')"
  "  || coalesce (', ' || height || ' cm', '')"
  "  || coalesce (', born ' || birth, '')"
  "  FROM people WHERE name LIKE ?1 ESCAPE '\\' "
  "UNION ALL "
  "SELECT name || ': a planet' || coalesce (', ' || climate, '')"
  "  || coalesce (', ' || terrain, '') || coalesce (', ' || diameter || ' km', '')"
  "  || coalesce (', ' || population || ' inhabitants', '')"
  "  || coalesce ('; from there: ' || (SELECT group_concat (name, ', ')"
  "       FROM people WHERE homeworld = planets.name), '')"
  "  FROM planets WHERE name LIKE ?1 ESCAPE '\\' "
  "ORDER BY 1";

static gboolean
fail (const SwapiFetcher *self, const char *what, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", what,
               sqlite3_errmsg (self->connection));
  return FALSE;
}

/* Who is told to die need not find it all. */
static int
breaks_off (gpointer data G_GNUC_UNUSED)
{
  return process_is_dying ();
}

/* region: init */
static gboolean
init (gpointer state, gconstpointer path, GError **error)
{
  SwapiFetcher *self = state;
  int status = sqlite3_open_v2 (path, &self->connection,
                                SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
                                NULL);

  if (self->connection != NULL) /* even where it could not be opened */
    g_atomic_int_inc (&n_open);
  if (status != SQLITE_OK
      || sqlite3_prepare_v2 (self->connection, find_sql, -1, &self->find, NULL)
           != SQLITE_OK)
    return fail (self, path, error);
  sqlite3_progress_handler (self->connection, STEPS_BETWEEN_LOOKS, breaks_off,
                            NULL);
  return TRUE;
}

static void
finalize (gpointer state)
{
  SwapiFetcher *self = state;

  if (self->connection == NULL)
    return;
  sqlite3_finalize (self->find);
  sqlite3_close (self->connection);
  g_atomic_int_add (&n_open, -1);
}
/* end */

/* Any name that has @name in it; what LIKE would understand in that is escaped. */
static char *
make_pattern (const char *name)
{
  GString *pattern = g_string_new ("%");

  for (; *name != '\0'; name++) {
    if (strchr ("%_\\", *name) != NULL)
      g_string_append_c (pattern, '\\');
    g_string_append_c (pattern, *name);
  }
  g_string_append_c (pattern, '%');
  return g_string_free (pattern, FALSE);
}

/* region: find */
static char **
find (SwapiFetcher *self, const char *name, GError **error)
{
  g_autofree char *pattern = make_pattern (name);
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  int status;

  sqlite3_bind_text (self->find, 1, pattern, -1, SQLITE_STATIC);
  while ((status = sqlite3_step (self->find)) == SQLITE_ROW)
    g_ptr_array_add (lines,
                     g_strdup (
                       (const char *) sqlite3_column_text (self->find, 0)));
  if (status != SQLITE_DONE)
    fail (self, name, error);
  sqlite3_reset (self->find);
  sqlite3_clear_bindings (self->find);
  if (status != SQLITE_DONE)
    return NULL;
  g_ptr_array_add (lines, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&lines), FALSE);
}
/* end */

static void
handle_call (gpointer state, Message *request, From from)
{
  SwapiFetcher *self = state;
  GError *error = NULL;
  char **lines;

  if (request->tag != FIND)
    return;
  self->n_asked++;
  lines = find (self, request->data, &error);
  gen_server_reply (from, lines == NULL
                            ? message_error (FAILED, error)
                            : (Message) {
                              .tag = FOUND,
                              .data = lines,
                              .free_data = (GDestroyNotify) g_strfreev,
                            });
}

static void
describe (gpointer state, GString *text)
{
  SwapiFetcher *self = state;

  g_string_append_printf (text, "connected, %u done", self->n_asked);
}

/* Not short: whatever it does waits for a disk. */
const GenServerClass swapi_fetcher_class = {
  .name = "SwapiFetcher",
  .state_size = sizeof (SwapiFetcher),
  .init = init,
  .handle_call = handle_call,
  .finalize = finalize,
  .describe = describe,
  .messages = "FIND FOUND FAILED",
};

char **
swapi_fetcher_find (Pid worker, const char *name, GError **error)
{
  Message request = { .tag = FIND,
                      .data = g_strdup (name),
                      .free_data = g_free };
  g_auto (Message) reply = { 0 };

  if (!gen_server_call (worker, request, -1, &reply, error))
    return NULL;
  if (reply.tag == FOUND)
    return message_take_data (&reply);
  g_propagate_error (error, message_take_data (&reply));
  return NULL;
}

guint
swapi_fetcher_count_open (void)
{
  return (guint) g_atomic_int_get (&n_open);
}
