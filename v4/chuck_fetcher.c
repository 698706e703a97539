/* A worker that tells facts about programming.  It reads them once, when it
 * starts, and has them to itself. */
#include "internal.h"

typedef enum { FETCH = 1, FACT } ChuckMessage;

typedef struct {
  char **facts;
  guint  n_facts;
  guint  n_told; /* for whoever looks */
} ChuckFetcher;

/* region: init */
static gboolean
init (gpointer state, gconstpointer path, GError **error)
{
  ChuckFetcher *self = state;
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autofree char *text = NULL;

  if (!g_file_load_contents (file, process_cancellable (), &text, NULL, NULL,
                             error))
    return FALSE;
  self->facts = g_strsplit (g_strstrip (text), "\n", -1);
  self->n_facts = g_strv_length (self->facts);
  if (self->n_facts == 0)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 "there are no facts in %s", (const char *) path);
  return self->n_facts > 0;
}
/* end */

static void
handle_call (gpointer state, Message *request, From from)
{
  ChuckFetcher *self = state;
  gint32 which;

  if (request->tag != FETCH)
    return;
  which = g_random_int_range (0, (gint32) self->n_facts);
  self->n_told++;
  gen_server_reply (from, (Message) { .tag = FACT,
                                      .data = g_strdup (self->facts[which]),
                                      .free_data = g_free });
}

static void
finalize (gpointer state)
{
  ChuckFetcher *self = state;

  g_clear_pointer (&self->facts, g_strfreev);
}

static void
describe (gpointer state, GString *text)
{
  ChuckFetcher *self = state;

  g_string_append_printf (text, "%u told", self->n_told);
}

/* Not short: its init waits for a disk. */
const GenServerClass chuck_fetcher_class = {
  .name = "ChuckFetcher",
  .state_size = sizeof (ChuckFetcher),
  .init = init,
  .handle_call = handle_call,
  .finalize = finalize,
  .describe = describe,
  .messages = "FETCH FACT",
};

char *
chuck_fetcher_fetch (Pid worker, GError **error)
{
  g_auto (Message) reply = { 0 };

  if (!gen_server_call (worker, (Message) { .tag = FETCH }, -1, &reply, error))
    return NULL;
  return message_take_data (&reply);
}
