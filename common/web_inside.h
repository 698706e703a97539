/* What the two halves of the page's server share. */
#ifndef WEB_INSIDE_H
#define WEB_INSIDE_H

#include "web.h"

#define WEB_MAX_LOAD 40

/* web_server.c: the browser's side.  It has a thread of its own. */

typedef struct WebServer WebServer;

/* What @owner is told: to end, to start the program again, to show even what has
 * not changed, because somebody has come who has seen nothing yet; and, in
 * `number`, how much load there shall be. */
enum { WEB_END = 1, WEB_START, WEB_SHOW, WEB_SET_LOAD };

WebServer *web_server_start (guint port, Pid owner, GError **error);

guint web_server_get_port (WebServer *self);

/* Whether anybody looks at the page. */
gboolean web_server_is_watched (WebServer *self);

/* Shows @json (transfer full) to all who look. */
void web_server_show (WebServer *self, char *json);

/* Ends each stream, and the thread. */
void web_server_stop (WebServer *self);

#endif
