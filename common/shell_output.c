/* What the shell writes: nothing into a line that is being typed, and nothing that
 * a terminal would obey, but what draws a page.
 */
#include "shell_inside.h"

#include "observer.h"

#include <errno.h>
#include <stdio.h>

#define MAX_HELD 1000 /* one may be away from a prompt for long */

#define WRAP_ON "\033[?7h"
#define WRAP_OFF "\033[?7l"

typedef struct {
  FILE *file;
  char *text;
} Held;

static GMutex lock;
/* lock protects: */
static gboolean is_holding;
static GQueue held =
  G_QUEUE_INIT; /* Held, to be written when the line is typed */
static guint n_dropped;
static int output_errno; /* of the first thing that could not be written */
static gboolean is_cutting;

/* HOLDS: lock */
static void
write_now (FILE *file, const char *text)
{
  gboolean is_written = fputs (text, file) >= 0 && fflush (file) == 0;

  if (!is_written && file == stdout && output_errno == 0)
    output_errno = errno;
}

static void
write_raw (FILE *file, const char *text)
{
  g_mutex_lock (&lock);
  if (!is_holding) {
    write_now (file, text);
  } else if (held.length < MAX_HELD) {
    Held later = { .file = file, .text = g_strdup (text) };

    g_queue_push_tail (&held, g_memdup2 (&later, sizeof later));
  } else {
    n_dropped++;
  }
  g_mutex_unlock (&lock);
}

static void
write_plain (FILE *file, const char *text)
{
  g_autofree char *plain = observer_escape (text, "\n");

  write_raw (file, plain);
}

void
shell_hold_output (void)
{
  g_mutex_lock (&lock);
  is_holding = TRUE;
  g_mutex_unlock (&lock);
}

void
shell_release_output (void)
{
  Held *later;

  g_mutex_lock (&lock);
  is_holding = FALSE;
  while ((later = g_queue_pop_head (&held)) != NULL) {
    write_now (later->file, later->text);
    g_free (later->text);
    g_free (later);
  }
  if (n_dropped > 0)
    fprintf (stderr, "(%u more messages were dropped)\n", n_dropped);
  n_dropped = 0;
  g_mutex_unlock (&lock);
}

static gboolean
is_silent (void)
{
  return process_is_dying () || g_atomic_int_get (&shell_is_over);
}

void
shell_print (const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  if (is_silent ())
    return;
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  write_plain (stdout, text);
}

void
shell_draw (const char *text)
{
  if (!is_silent ())
    write_raw (stdout, text);
}

void
shell_complain (const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  write_plain (stderr, text);
}

void
shell_print_trace (const char *line)
{
  g_autofree char *text = g_strconcat (line, "\n", NULL);

  write_plain (stderr, text);
}

void
shell_cut_lines (gboolean is_on)
{
  g_mutex_lock (&lock);
  if (is_on != is_cutting && !(is_on && process_is_dying ())) {
    is_cutting = is_on;
    write_now (stdout, is_on ? WRAP_OFF : WRAP_ON);
  }
  g_mutex_unlock (&lock);
}

int
shell_get_output_errno (void)
{
  int number;

  g_mutex_lock (&lock);
  number = output_errno;
  g_mutex_unlock (&lock);
  return number;
}
