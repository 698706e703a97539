/* The streams of events: one for each page that is open somewhere.
 *
 * Each event is a whole state.  So whoever is slow to read may miss some: the
 * newest is enough.
 */
#include "web_soup.h"

#include <string.h>

#define MAX_STREAMS 32
#define MAX_UNSENT 4 /* events, to one who is slow to read */
#define ENDING_MS 500

struct WebStreams {
  gint        n;          /* how many there are; atomic */
  GHashTable *by_message; /* SoupServerMessage (owned) → Stream */
  char       *newest;     /* (nullable): event; for those who are behind */
};

typedef struct {
  guint    n_unsent;  /* events */
  gboolean is_behind; /* the newest event was kept from it */
  GSource *client;    /* (owned): it has gone */
} Stream;

static void
stream_free (gpointer data)
{
  Stream *self = data;

  g_source_destroy (self->client);
  g_source_unref (self->client);
  g_free (self);
}

WebStreams *
web_streams_new (void)
{
  WebStreams *self = g_new0 (WebStreams, 1);

  self->by_message = g_hash_table_new_full (NULL, NULL, g_object_unref,
                                            stream_free);
  return self;
}

void
web_streams_free (WebStreams *self)
{
  g_hash_table_unref (self->by_message);
  g_free (self->newest);
  g_free (self);
}

guint
web_streams_count (WebStreams *self)
{
  return (guint) g_atomic_int_get (&self->n);
}

static void
send_event (SoupServerMessage *message, Stream *stream, const char *event)
{
  stream->is_behind = stream->n_unsent >= MAX_UNSENT;
  if (stream->is_behind)
    return;
  stream->n_unsent++;
  soup_message_body_append (soup_server_message_get_response_body (message),
                            SOUP_MEMORY_COPY, event, strlen (event));
  soup_server_message_unpause (message);
}

static void
event_is_sent (SoupServerMessage *message, gpointer data)
{
  WebStreams *self = data;
  Stream *stream = g_hash_table_lookup (self->by_message, message);

  if (stream == NULL)
    return;
  if (stream->n_unsent > 0)
    stream->n_unsent--;
  if (stream->is_behind && self->newest != NULL)
    send_event (message, stream, self->newest);
}

static void
count (WebStreams *self)
{
  g_atomic_int_set (&self->n, (gint) g_hash_table_size (self->by_message));
}

/* It may come twice for the same. */
static void
stream_is_over (SoupServerMessage *message, gpointer data)
{
  WebStreams *self = data;

  g_hash_table_remove (self->by_message, message);
  count (self);
}

static void
finish (SoupServerMessage *message)
{
  soup_message_body_complete (soup_server_message_get_response_body (message));
  soup_server_message_unpause (message);
}

static gboolean
client_has_gone (GSocket *socket G_GNUC_UNUSED,
                 GIOCondition condition G_GNUC_UNUSED, gpointer message)
{
  finish (message);
  return G_SOURCE_REMOVE;
}

/* Who looks has nothing more to say: what can be read from it is its end.  libsoup
 * would notice that by a write that fails, and without news none is written. */
static GSource *
watch_client (SoupServerMessage *message)
{
  GSource *source = g_socket_create_source (web_socket_of (message), G_IO_IN,
                                            NULL);

  g_source_set_callback (source, G_SOURCE_FUNC (client_has_gone), message,
                         NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
}

/* What is not accumulated is freed once it is sent. */
static void
write_head (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (
    message);

  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_headers_set_encoding (headers, SOUP_ENCODING_CHUNKED);
  soup_message_headers_set_content_type (headers, "text/event-stream", NULL);
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  soup_message_body_set_accumulate (soup_server_message_get_response_body (
                                      message),
                                    FALSE);
}

gboolean
web_streams_open (WebStreams *self, SoupServerMessage *message)
{
  Stream *stream;

  if (web_streams_count (self) >= MAX_STREAMS)
    return FALSE;
  stream = g_new0 (Stream, 1);
  stream->client = watch_client (message);
  write_head (message);
  g_hash_table_insert (self->by_message, g_object_ref (message), stream);
  count (self);
  g_signal_connect (message, "wrote-chunk", G_CALLBACK (event_is_sent), self);
  g_signal_connect (message, "finished", G_CALLBACK (stream_is_over), self);
  g_signal_connect (message, "disconnected", G_CALLBACK (stream_is_over), self);
  send_event (message, stream, ":\n\n"); /* so that the head is sent now */
  return TRUE;
}

void
web_streams_push (WebStreams *self, char *event)
{
  GHashTableIter iter;
  gpointer message, stream;

  g_free (self->newest);
  self->newest = event;
  g_hash_table_iter_init (&iter, self->by_message);
  while (g_hash_table_iter_next (&iter, &message, &stream))
    send_event (message, stream, event);
}

/* The end */

static void
finish_all (WebStreams *self)
{
  GHashTableIter iter;
  gpointer message;

  g_hash_table_iter_init (&iter, self->by_message);
  while (g_hash_table_iter_next (&iter, &message, NULL))
    finish (message);
}

static gboolean
wake_up (gpointer is_late)
{
  *(gboolean *) is_late = TRUE;
  return G_SOURCE_REMOVE;
}

/* Each stream's last chunk is to be sent yet; who does not read is not waited
 * for. */
void
web_streams_end (WebStreams *self, GMainContext *context)
{
  gboolean is_late = FALSE;
  g_autoptr (GSource) timer = g_timeout_source_new (ENDING_MS);

  finish_all (self);
  g_source_set_callback (timer, wake_up, &is_late, NULL);
  g_source_attach (timer, context);
  while (g_hash_table_size (self->by_message) > 0 && !is_late)
    g_main_context_iteration (context, TRUE);
  g_source_destroy (timer);
}
