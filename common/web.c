/* The program's side of the page: it looks, keeps the load up, and has the server
 * show what has changed.  This is the thread that called web_run(), and so not in
 * the tree that it looks at.
 */
#include "web_inside.h"

#include "observer.h"
#include "signals.h"

#include <stdio.h>
#include <stdlib.h>

#define LOOK_MS 250
#define DYING_MS 1000 /* what is left of the load is waited for so long */

typedef struct {
  const WebProgram *program;
  WebServer        *server;
  GQueue            load; /* Pid of each process that makes load */
  guint             n_load;
  GError           *failure; /* (nullable): why it was not started again */
  char             *shown;   /* (nullable): as JSON */
  gboolean          is_over;
} Web;

/* Load */

static void
start_load (Web *self)
{
  Pid pid = process_spawn_monitor (self->program->load, NULL, NULL, NULL, NULL);

  g_queue_push_tail (&self->load, PID_TO_POINTER (pid));
}

/* Any message does. */
gboolean
web_rest (guint duration_ms)
{
  g_auto (Message) stop = { 0 };

  return !process_receive (&stop, (int) duration_ms) && !process_is_dying ();
}

/* Who is to stop gives back first what it has: so less load is no death.  It is
 * forgotten at once, and its DOWN says nothing new. */
static void
keep_load (Web *self)
{
  while (self->load.length < self->n_load)
    start_load (self);
  while (self->load.length > self->n_load)
    process_send (POINTER_TO_PID (g_queue_pop_tail (&self->load)),
                  (Message) { .tag = WEB_END });
}

static void
end_load (Web *self)
{
  while (self->load.length > 0)
    process_exit (POINTER_TO_PID (g_queue_pop_tail (&self->load)), REASON_KILL);
}

/* Looking */

static void
write_gauges (const WebProgram *program, GString *json)
{
  for (guint i = 0; program->gauges[i] != NULL; i++) {
    g_autoptr (GString) values = g_string_new (NULL);

    g_string_append (json, i > 0 ? ", {\"name\": " : "{\"name\": ");
    observer_write_string (program->gauges[i], json);
    g_string_append (json, ", \"values\": ");
    if (program->write_gauge (program->gauges[i], values))
      g_string_append_printf (json, "{%s}}", values->str);
    else
      g_string_append (json, "null}");
  }
}

static char *
look (Web *self)
{
  g_autoptr (GPtrArray) nodes = observer_look (PID_NONE);
  GString *json = g_string_new (NULL);

  g_string_append (json, "{\"title\": ");
  observer_write_string (self->program->title, json);
  g_string_append_printf (json, ", \"load\": %u, \"gauges\": [", self->n_load);
  write_gauges (self->program, json);
  g_string_append (json, "], \"failure\": ");
  observer_write_string (self->failure != NULL ? self->failure->message : "",
                         json);
  g_string_append (json, ", \"processes\": ");
  observer_write_json (nodes, NULL, json);
  g_string_append_c (json, '}');
  return g_string_free (json, FALSE);
}

static void
show (Web *self)
{
  g_autofree char *json = look (self);

  if (g_strcmp0 (json, self->shown) == 0)
    return;
  web_server_show (self->server, g_strdup (json));
  g_free (self->shown);
  self->shown = g_steal_pointer (&json);
}

/* Life */

static gboolean
is_up (const WebProgram *program)
{
  g_autoptr (GString) unused = g_string_new (NULL);

  for (guint i = 0; program->gauges[i] != NULL; i++)
    if (program->write_gauge (program->gauges[i], unused))
      return TRUE;
  return FALSE;
}

/* Who clicks twice, or in two windows, asks for it twice. */
static void
start_again (Web *self)
{
  g_clear_error (&self->failure);
  if (!is_up (self->program))
    self->program->start (&self->failure);
}

static void
handle (Web *self, const Message *message)
{
  switch (message->tag) {
  case WEB_END:
    self->is_over = TRUE;
    break;
  case WEB_START:
    start_again (self);
    break;
  case WEB_SHOW:
    g_clear_pointer (&self->shown, g_free);
    break;
  case WEB_SET_LOAD:
    self->n_load = (guint) message->number;
    keep_load (self);
    break;
  case PROCESS_DOWN:
    g_queue_remove (&self->load, PID_TO_POINTER (message->pid));
    break;
  default:
    break;
  }
}

static void
live (Web *self)
{
  gint64 next_look = 0;

  while (!self->is_over) {
    gint64 now = g_get_monotonic_time ();
    g_auto (Message) message = { 0 };

    if (process_receive (&message, (int) (MAX (next_look - now, 0) / 1000))) {
      handle (self, &message);
      continue;
    }
    keep_load (self);
    if (web_server_is_watched (self->server))
      show (self);
    next_look = g_get_monotonic_time () + LOOK_MS * G_TIME_SPAN_MILLISECOND;
  }
}

gboolean
web_run (const WebProgram *program, guint port, GError **error)
{
  Web self = { .program = program, .n_load = program->n_load };

  if (!program->start (error))
    return FALSE;
  self.server = web_server_start (port, process_self (), error);
  if (self.server == NULL)
    return FALSE;
  printf ("http://127.0.0.1:%u/ shows it.  Ctrl-C ends this.\n",
          web_server_get_port (self.server));
  fflush (stdout);
  live (&self);
  end_load (&self);
  web_server_stop (self.server);
  process_wait_gone (DYING_MS, NULL);
  g_clear_error (&self.failure);
  g_free (self.shown);
  return TRUE;
}

int
web_main (const WebProgram *program, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  guint64 port = WEB_PORT;

  if (argc > 1
      && !g_ascii_string_to_unsigned (argv[1], 10, 0, G_MAXUINT16, &port,
                                      NULL)) {
    g_printerr ("port: %s, but it must be a number from 0 to %d\n", argv[1],
                G_MAXUINT16);
    return EXIT_FAILURE;
  }
  if (web_run (program, (guint) port, &error))
    return EXIT_SUCCESS;
  g_printerr ("%s\n", error->message);
  return EXIT_FAILURE;
}
