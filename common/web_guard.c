/* Loopback is not private: every page in the user's browser can send requests to
 * it.  So this guard stands before everything else, and turns away what other
 * sites send, also under a name that they have pointed here.
 */
#include "web_soup.h"

#define HTTP_PORT 80 /* which a browser leaves out */

static gboolean
is_ours (guint port, const char *prefix, const char *value)
{
  static const char *const names[] = { "127.0.0.1", "localhost" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *name = g_strconcat (prefix, names[i], NULL);
    g_autofree char *full = g_strdup_printf ("%s:%u", name, port);

    if (g_strcmp0 (value, full) == 0
        || (port == HTTP_PORT && g_strcmp0 (value, name) == 0))
      return TRUE;
  }
  return FALSE;
}

/* A browser says so of each request of its own making, also of those that have no
 * origin, such as an image's.  "none" is what the user typed. */
static gboolean
is_from_elsewhere (const char *site)
{
  return site != NULL && !g_str_equal (site, "same-origin")
         && !g_str_equal (site, "none");
}

/* A name that leads here, but is not ours, is another site's; so is an origin.
 * A browser asks before it sends another site's request with a header that is
 * not one of the usual: and that question has an origin. */
gboolean
web_guard_allows (SoupServerMessage *message, guint port)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (
    message);
  const char *method = soup_server_message_get_method (message);
  const char *origin = soup_message_headers_get_list (headers, "Origin");

  if (!is_ours (port, "", soup_message_headers_get_list (headers, "Host")))
    return FALSE;
  if (origin != NULL && !is_ours (port, "http://", origin))
    return FALSE;
  if (is_from_elsewhere (
        soup_message_headers_get_list (headers, "Sec-Fetch-Site")))
    return FALSE;
  return g_str_equal (method, "GET")
         || soup_message_headers_get_one (headers, "X-Observer") != NULL;
}
