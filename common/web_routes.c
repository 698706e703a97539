/* What is answered:
 *
 *   GET  /               the page
 *   GET  /events         what it shows, as server-sent events, until somebody goes
 *   POST /kill?pid=7.1   kills a process
 *   POST /load?n=8       says how many processes shall make load
 *   POST /start          starts again what nobody else would
 */
#include "web_soup.h"

#include "signals.h"

#include <string.h>

static const char page[] =
#include "web_page.inc"
  ;

static void
answer (SoupServerMessage *message, guint status, const char *type,
        const char *text)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (
    message);

  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  soup_message_headers_replace (
    headers, "Content-Security-Policy",
    "default-src 'none'; script-src 'unsafe-inline'; style-src "
    "'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'");
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, type, SOUP_MEMORY_STATIC, text,
                                    strlen (text));
}

void
web_refuse (SoupServerMessage *message, guint status, const char *why)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (
    message);

  answer (message, status, "text/plain; charset=utf-8", why);
  soup_message_headers_replace (headers, "Connection", "close");
}

/* Routes */

static void
get_page (const WebSite *self G_GNUC_UNUSED, SoupServerMessage *message,
          GHashTable *query G_GNUC_UNUSED)
{
  answer (message, SOUP_STATUS_OK, "text/html; charset=utf-8", page);
}

static void
get_events (const WebSite *self, SoupServerMessage *message,
            GHashTable *query G_GNUC_UNUSED)
{
  if (web_streams_open (self->streams, message))
    process_send (self->owner, (Message) { .tag = WEB_SHOW });
  else
    web_refuse (message, SOUP_STATUS_SERVICE_UNAVAILABLE,
                "too many look already\n");
}

/* Whom the page does not show can't be killed: threads, such as this. */
static gboolean
is_shown (Pid pid)
{
  g_autoptr (GArray) list = process_list ();

  for (guint i = 0; i < list->len; i++) {
    const ProcessInfo *info = &g_array_index (list, ProcessInfo, i);

    if (info->pid == pid)
      return !g_str_equal (info->kind, "thread");
  }
  return FALSE;
}

static void
post_kill (const WebSite *self G_GNUC_UNUSED, SoupServerMessage *message,
           GHashTable *query)
{
  const char *text = query != NULL ? g_hash_table_lookup (query, "pid") : NULL;
  Pid pid;

  if (text == NULL || !pid_parse (text, &pid) || !is_shown (pid)) {
    web_refuse (message, SOUP_STATUS_NOT_FOUND, "there is no such process\n");
    return;
  }
  process_exit (pid, REASON_KILL);
  soup_server_message_set_status (message, SOUP_STATUS_NO_CONTENT, NULL);
}

static void
post_load (const WebSite *self, SoupServerMessage *message, GHashTable *query)
{
  const char *n = query != NULL ? g_hash_table_lookup (query, "n") : NULL;
  guint64 number;

  if (n == NULL
      || !g_ascii_string_to_unsigned (n, 10, 0, WEB_MAX_LOAD, &number, NULL)) {
    web_refuse (message, SOUP_STATUS_BAD_REQUEST, "n is not such a number\n");
    return;
  }
  process_send (self->owner,
                (Message) { .tag = WEB_SET_LOAD, .number = (gint64) number });
  soup_server_message_set_status (message, SOUP_STATUS_NO_CONTENT, NULL);
}

static void
post_start (const WebSite *self, SoupServerMessage *message,
            GHashTable *query G_GNUC_UNUSED)
{
  process_send (self->owner, (Message) { .tag = WEB_START });
  soup_server_message_set_status (message, SOUP_STATUS_NO_CONTENT, NULL);
}

static const struct {
  const char *method;
  const char *path;
  void (*answer) (const WebSite *self, SoupServerMessage *message,
                  GHashTable *query);
} routes[] = {
  { "GET", "/", get_page },         { "GET", "/events", get_events },
  { "POST", "/kill", post_kill },   { "POST", "/load", post_load },
  { "POST", "/start", post_start },
};

void
web_answer (const WebSite *self, SoupServerMessage *message, const char *path,
            GHashTable *query)
{
  const char *method = soup_server_message_get_method (message);

  for (guint i = 0; i < G_N_ELEMENTS (routes); i++)
    if (g_str_equal (path, routes[i].path)
        && g_str_equal (method, routes[i].method)) {
      routes[i].answer (self, message, query);
      return;
    }
  web_refuse (message, SOUP_STATUS_NOT_FOUND, "there is no such page\n");
}
