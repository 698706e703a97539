/* What the files of the browser's side share; only they know libsoup.  All of it
 * runs in the server's thread, but for what is said to be atomic. */
#ifndef WEB_SOUP_H
#define WEB_SOUP_H

#include "web_inside.h"

#include <libsoup/soup.h>

/* web_guard.c: whose requests are answered at all. */

/* @port: ours */
gboolean web_guard_allows (SoupServerMessage *message, guint port);

/* web_server.c */

/* Returns: (transfer none): where @message came from */
GSocket *web_socket_of (SoupServerMessage *message);

/* web_streams.c: those who look, and what they have still to be sent. */

typedef struct WebStreams WebStreams;

WebStreams *web_streams_new (void);

/* Returns: whether there was room for one more */
gboolean web_streams_open (WebStreams *self, SoupServerMessage *message);

/* Atomic. */
guint web_streams_count (WebStreams *self);

/* Sends @event (transfer full) to all. */
void web_streams_push (WebStreams *self, char *event);

/* Sends each its end, and waits for a while until they have got it. */
void web_streams_end (WebStreams *self, GMainContext *context);

void web_streams_free (WebStreams *self);

/* web_routes.c: what is answered. */

/* Who is needed for an answer. */
typedef struct {
  WebStreams *streams;
  Pid         owner;
} WebSite;

void web_answer (const WebSite *self, SoupServerMessage *message,
                 const char *path, GHashTable *query);

void web_refuse (SoupServerMessage *message, guint status, const char *why);

#endif
