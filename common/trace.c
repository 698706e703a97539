#include "trace.h"

#include "scheduler.h"

#include <stdio.h>
#include <string.h>

typedef struct {
  char  *name;
  char **tags; /* (nullable) */
} Who;

gint trace_is_on;

static void
write_to_stderr (const char *line)
{
  fprintf (stderr, "%s\n", line);
}

static GMutex lock;
/* lock protects: */
static GHashTable *everybody; /* Pid → Who, the dead included; until the end */
static gint64 began;
static void (*write_line) (const char *line) = write_to_stderr;

void
trace_write_by (void (*write) (const char *line))
{
  g_mutex_lock (&lock);
  write_line = write;
  g_mutex_unlock (&lock);
}

static void
who_free (gpointer data)
{
  Who *self = data;

  g_free (self->name);
  g_strfreev (self->tags);
  g_free (self);
}

void
trace_forget (void)
{
  g_mutex_lock (&lock);
  g_clear_pointer (&everybody, g_hash_table_unref);
  g_mutex_unlock (&lock);
}

static __attribute__ ((constructor)) void
look_at_environment (void)
{
  const char *value = g_getenv ("POOLY_TRACE");

  trace_is_on = value != NULL && *value != '\0' && !g_str_equal (value, "0");
}

/* HOLDS: lock */
static Who *
get (Pid pid)
{
  Who *who;

  if (everybody == NULL) {
    everybody = g_hash_table_new_full (NULL, NULL, NULL, who_free);
    began = scheduler_now ();
  }
  who = g_hash_table_lookup (everybody, PID_TO_POINTER (pid));
  if (who == NULL) {
    who = g_new0 (Who, 1);
    g_hash_table_insert (everybody, PID_TO_POINTER (pid), who);
  }
  return who;
}

void
trace_set_name (Pid pid, const char *name)
{
  Who *who;

  g_mutex_lock (&lock);
  who = get (pid);
  g_free (who->name);
  who->name = g_strdup (name);
  g_mutex_unlock (&lock);
}

/* What it is; a comma, and what it is doing, may follow. */
void
trace_set_label (Pid pid, const char *label)
{
  g_autofree char *name = g_strndup (label, strcspn (label, ","));

  trace_set_name (pid, name);
}

void
trace_set_tags (Pid pid, const char *tags)
{
  Who *who;

  g_mutex_lock (&lock);
  who = get (pid);
  g_strfreev (who->tags);
  who->tags = tags != NULL ? g_strsplit (tags, " ", -1) : NULL;
  g_mutex_unlock (&lock);
}

/* HOLDS: lock */
static char *
label (Pid pid)
{
  const char *name = get (pid)->name;

  return g_strdup_printf ("%s%s" PID_FORMAT, name != NULL ? name : "",
                          name != NULL ? " " : "", PID_ARGS (pid));
}

void
trace_event (Pid who, const char *event, Pid whom, const char *what)
{
  g_autofree char *subject = NULL, *object = NULL, *line = NULL;

  g_mutex_lock (&lock);
  subject = label (who);
  object = whom != PID_NONE ? label (whom) : g_strdup ("");
  line = g_strdup_printf ("%10.3f  %-26s %-10s %s%s%s",
                          (double) (scheduler_now () - began) / 1000, subject,
                          event, object,
                          whom != PID_NONE && what != NULL ? ": " : "",
                          what != NULL ? what : "");
  write_line (g_strchomp (line));
  g_mutex_unlock (&lock);
}

/* HOLDS: lock */
static void
append_tag (GString *text, int tag, char **tags)
{
  static const char *const own[] = { "DOWN", "EXIT", "START", "STOP",
                                     "DESCRIBE" };
  int n_tags = tags != NULL ? (int) g_strv_length (tags) : 0;

  if (tag < 0 && -tag <= (int) G_N_ELEMENTS (own))
    g_string_append (text, own[-tag - 1]);
  else if (tag > 0 && tag <= n_tags)
    g_string_append (text, tags[tag - 1]);
  else
    g_string_append_printf (text, "tag %d", tag);
}

void
trace_message_event (Pid who, const char *event, Pid whom,
                     const Message *message, Pid server)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_mutex_lock (&lock);
  append_tag (text, message->tag, get (server)->tags);
  if (message->pid != PID_NONE && message->pid != who
      && message->pid != message->sender) {
    g_autofree char *pid = label (message->pid);

    g_string_append_printf (text, " %s", pid);
  }
  g_mutex_unlock (&lock);
  if (message->number != 0)
    g_string_append_printf (text, " %" G_GINT64_FORMAT, message->number);
  if (message->reason != 0)
    g_string_append_printf (text, " %s", g_quark_to_string (message->reason));
  trace_event (who, event, whom, text->str);
}
