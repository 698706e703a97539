/* The browser's side of the page: a small HTTP server on libsoup.
 *
 * Whoever comes meets the guard first (web_guard.c), then the routes
 * (web_routes.c); those who stay are kept among the streams (web_streams.c).
 *
 * All of it runs in one thread, with a main context of its own: nothing here is
 * locked but what others ask for, which is atomic.
 */
#include "web_soup.h"

#include <glib-unix.h>
#include <sys/socket.h>

#define SEND_BUFFER 65536

/* Whoever lost us comes again after a second. */
#define EVENT "retry: 1000\ndata: %s\n\n"

struct WebServer {
  GThread        *thread;
  GMainContext   *context;
  GMainLoop      *loop;
  GSocketService *service;
  SoupServer     *soup;
  WebSite         site;
  guint           port;
};

/* Requests */

/* No request has a body that is read here: what is sent all the same is dropped. */
static void
guard (SoupServer *soup G_GNUC_UNUSED, SoupServerMessage *message,
       const char *path G_GNUC_UNUSED, GHashTable *query G_GNUC_UNUSED,
       gpointer data)
{
  WebServer *self = data;

  soup_message_body_set_accumulate (soup_server_message_get_request_body (
                                      message),
                                    FALSE);
  if (!web_guard_allows (message, self->port))
    web_refuse (message, SOUP_STATUS_FORBIDDEN,
                "this page is for its own use\n");
}

/* libsoup asks the guard before this one handler, but would not ask it before one
 * for a deeper path. */
static void
handle (SoupServer *soup G_GNUC_UNUSED, SoupServerMessage *message,
        const char *path, GHashTable *query, gpointer data)
{
  WebServer *self = data;

  web_answer (&self->site, message, path, query);
}

/* The thread */

/* The second Ctrl-C is not caught. */
static gboolean
end (gpointer data)
{
  WebServer *self = data;

  process_send (self->site.owner, (Message) { .tag = WEB_END });
  return G_SOURCE_REMOVE;
}

static void
watch_signal (WebServer *self, int signal)
{
  g_autoptr (GSource) source = g_unix_signal_source_new (signal);

  g_source_set_callback (source, end, self, NULL);
  g_source_attach (source, self->context);
}

static gpointer
run (gpointer data)
{
  WebServer *self = data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  web_streams_end (self->site.streams, self->context);
  soup_server_disconnect (self->soup);
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

/* From the owner's thread */

/* libsoup gives no socket away, but the address that it got with it. */
GSocket *
web_socket_of (SoupServerMessage *message)
{
  GSocketAddress *there = soup_server_message_get_remote_address (message);

  return g_object_get_data (G_OBJECT (there), "socket");
}

/* The kernel, too, would keep megabytes for one who does not read. */
static gboolean
accept_connection (GSocketService *service G_GNUC_UNUSED,
                   GSocketConnection *connection, GObject *source G_GNUC_UNUSED,
                   gpointer soup)
{
  GSocket *socket = g_socket_connection_get_socket (connection);
  g_autoptr (GSocketAddress) here = g_socket_connection_get_local_address (
    connection, NULL);
  g_autoptr (GSocketAddress) there = g_socket_connection_get_remote_address (
    connection, NULL);

  if (here == NULL || there == NULL) /* it has gone already */
    return TRUE;
  g_socket_set_option (socket, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER, NULL);
  g_object_set_data_full (G_OBJECT (there), "socket", g_object_ref (socket),
                          g_object_unref);
  soup_server_accept_iostream (soup, G_IO_STREAM (connection), here, there,
                               NULL);
  return TRUE;
}

/* libsoup can listen by itself, but its version 3.2.3 loses a GSocket with each that
 * it accepts. */
static gboolean
start_listening (WebServer *self, guint port, GError **error)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (
    G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) wanted = g_inet_socket_address_new (
    loopback, (guint16) port);
  g_autoptr (GSocketAddress) got = NULL;

  if (!g_socket_listener_add_address (G_SOCKET_LISTENER (self->service), wanted,
                                      G_SOCKET_TYPE_STREAM,
                                      G_SOCKET_PROTOCOL_TCP, NULL, &got, error))
    return FALSE;
  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (got));
  g_signal_connect (self->service, "incoming", G_CALLBACK (accept_connection),
                    self->soup);
  soup_server_add_early_handler (self->soup, NULL, guard, self, NULL);
  soup_server_add_handler (self->soup, NULL, handle, self, NULL);
  return TRUE;
}

static void
web_server_free (WebServer *self)
{
  g_clear_object (&self->service);
  g_clear_object (&self->soup);
  web_streams_free (self->site.streams);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_free (self);
}

/* Both take the context that is the thread's default when they are made. */
WebServer *
web_server_start (guint port, Pid owner, GError **error)
{
  WebServer *self = g_new0 (WebServer, 1);
  gboolean is_up;

  self->site.owner = owner;
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->site.streams = web_streams_new ();
  g_main_context_push_thread_default (self->context);
  self->service = g_socket_service_new ();
  self->soup = soup_server_new ("server-header", "observer", NULL);
  is_up = start_listening (self, port, error);
  g_main_context_pop_thread_default (self->context);
  if (!is_up) {
    web_server_free (self);
    return NULL;
  }
  watch_signal (self, SIGINT);
  watch_signal (self, SIGTERM);
  self->thread = g_thread_new ("web", run, self);
  return self;
}

guint
web_server_get_port (WebServer *self)
{
  return self->port;
}

gboolean
web_server_is_watched (WebServer *self)
{
  return web_streams_count (self->site.streams) > 0;
}

typedef struct {
  WebServer *server;
  char      *event;
} News;

static gboolean
publish (gpointer data)
{
  News *news = data;

  web_streams_push (news->server->site.streams, g_steal_pointer (&news->event));
  return G_SOURCE_REMOVE;
}

static void
news_free (gpointer data)
{
  News *news = data;

  g_free (news->event);
  g_free (news);
}

/* An event's data is a line; JSON writes the line ends in its strings as \n. */
void
web_server_show (WebServer *self, char *json)
{
  News *news = g_new (News, 1);

  g_strdelimit (json, "\n", ' ');
  *news = (News) { self, g_strdup_printf (EVENT, json) };
  g_free (json);
  g_main_context_invoke_full (self->context, G_PRIORITY_DEFAULT, publish, news,
                              news_free);
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

void
web_server_stop (WebServer *self)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_callback (source, quit, self->loop, NULL);
  g_source_attach (source, self->context);
  g_thread_join (self->thread);
  web_server_free (self);
}
