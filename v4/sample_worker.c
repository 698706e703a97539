/* A worker that does real work: it digests files.  It can also be told to work
 * for a given time, to stop, and to crash: for those who want to see what the
 * pool makes of that. */
#include "internal.h"

#define CHUNK_BYTES 65536

/* region: messages */
typedef enum { DIGEST = 1, WORK_FOR, STOP, CRASH, DONE, FAILED } WorkerMessage;
/* end */

typedef struct {
  guint n_done; /* requests, for whoever looks */
} SampleWorker;

/* region: digest */
static char *
digest_file (const char *path, GError **error)
{
  GCancellable *cancellable = process_cancellable ();
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guchar *chunk = g_malloc (CHUNK_BYTES);
  g_autoptr (GFileInputStream) stream = g_file_read (file, cancellable, error);
  gssize n_read = -1;

  if (stream == NULL)
    return NULL;
  while ((n_read = g_input_stream_read (G_INPUT_STREAM (stream), chunk,
                                        CHUNK_BYTES, cancellable, error))
         > 0)
    g_checksum_update (checksum, chunk, n_read);
  return n_read == 0 ? g_strdup (g_checksum_get_string (checksum)) : NULL;
}

static void
handle_digest (const char *path, From from)
{
  GError *error = NULL;
  char *digest = digest_file (path, &error);
  Message done = { .tag = DONE, .data = digest, .free_data = g_free };

  gen_server_reply (from,
                    digest != NULL ? done : message_error (FAILED, error));
}
/* end */

static void
handle_call (gpointer state, Message *request, From from)
{
  SampleWorker *self = state;

  self->n_done++;
  switch (request->tag) {
  case DIGEST:
    handle_digest (request->data, from);
    break;
  case WORK_FOR:
    process_sleep ((guint) request->number);
    gen_server_reply (from, (Message) { .tag = DONE });
    break;
  default:
    break;
  }
}

static void
handle_cast (gpointer state G_GNUC_UNUSED, Message *request)
{
  if (request->tag == STOP)
    gen_server_stop (REASON_NORMAL);
  else if (request->tag == CRASH)
    gen_server_stop (g_quark_from_static_string ("crash"));
}

/* Files and time make it wait. */
static gboolean
is_short (gconstpointer state G_GNUC_UNUSED, const Message *message)
{
  return message->tag != DIGEST && message->tag != WORK_FOR;
}

static void
describe (gpointer state, GString *text)
{
  SampleWorker *self = state;

  g_string_append_printf (text, "%u done", self->n_done);
}

/* region: class */
const GenServerClass sample_worker_class = {
  .name = "SampleWorker",
  .state_size = sizeof (SampleWorker),
  .is_short = is_short,
  .handle_call = handle_call,
  .handle_cast = handle_cast,
  .describe = describe,
  .messages = "DIGEST WORK_FOR STOP CRASH DONE FAILED",
};
/* end */

char *
sample_worker_digest (Pid worker, const char *path, GError **error)
{
  Message request = { .tag = DIGEST,
                      .data = g_strdup (path),
                      .free_data = g_free };
  g_auto (Message) reply = { 0 };

  if (!gen_server_call (worker, request, -1, &reply, error))
    return NULL;
  if (reply.tag == DONE)
    return message_take_data (&reply);
  g_propagate_error (error, message_take_data (&reply));
  return NULL;
}

gboolean
sample_worker_work_for (Pid worker, guint duration_ms, GError **error)
{
  Message request = { .tag = WORK_FOR, .number = duration_ms };

  return gen_server_call (worker, request, -1, NULL, error);
}

void
sample_worker_stop (Pid worker)
{
  gen_server_cast (worker, (Message) { .tag = STOP });
}

void
sample_worker_crash (Pid worker)
{
  gen_server_cast (worker, (Message) { .tag = CRASH });
}
