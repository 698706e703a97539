/* A counter that is called, crashed, healed and called again. */
#include "names.h"
#include "signals.h"
#include "supervisor.h"

/* region: state */
typedef enum { ADD = 1, READ, CRASH } CounterMessage;

typedef struct {
  gint64 count;
} Counter;
/* end */

/* region: handlers */
static void
handle_call (gpointer state, Message *request G_GNUC_UNUSED, From from)
{
  Counter *self = state;

  gen_server_reply (from, (Message) { .tag = READ, .number = self->count });
}

static void
handle_cast (gpointer state, Message *request)
{
  Counter *self = state;

  if (request->tag == ADD)
    self->count += request->number;
  else
    gen_server_stop (g_quark_from_static_string ("crash"));
}
/* end */

/* region: table */
static const GenServerClass counter_class = { .name = "Counter",
                                              .state_size = sizeof (Counter),
                                              .handle_call = handle_call,
                                              .handle_cast = handle_cast,
                                              .messages = "ADD READ CRASH" };

static Pid
counter_start_link (gconstpointer args G_GNUC_UNUSED, GError **error)
{
  return gen_server_start_link (&counter_class, "counter", NULL, error);
}
/* end */

/* region: ask */
static void
ask (const char *when)
{
  g_autoptr (GError) error = NULL;
  g_auto (Message) reply = { 0 };
  Pid counter = process_whereis ("counter");

  if (gen_server_call (counter, (Message) { .tag = READ }, 1000, &reply,
                       &error))
    g_print ("%-18s counter " PID_FORMAT " says %" G_GINT64_FORMAT "\n", when,
             PID_ARGS (counter), reply.number);
  else
    g_print ("%-18s %s\n", when, error->message);
}
/* end */

/* region: main */
int
main (void)
{
  ChildSpec child = { .id = "counter", .start = counter_start_link };
  SupervisorSpec spec = { .children = &child, .n_children = 1 };
  Pid supervisor = supervisor_start (&spec, NULL);
  Pid counter = process_whereis ("counter");

  ask ("at first:");
  gen_server_cast (counter, (Message) { .tag = ADD, .number = 42 });
  ask ("after 42 more:");
  gen_server_cast (counter, (Message) { .tag = CRASH });
  process_wait_end (counter, -1);
  /* Answered when the supervisor is done with what it has heard before. */
  supervisor_count_children (supervisor, &(ChildCount) { 0 }, NULL);
  ask ("after the crash:");

  supervisor_stop (supervisor, -1);
  ask ("without anybody:");
  return 0;
}
/* end */
