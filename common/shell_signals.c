/* Ctrl-C, and being told to end, while a command runs.
 *
 * A signal is only noted, and wakes the shell, which then ends the command.  While
 * a script's next line is read signals do what they usually do: so none is lost in
 * between.
 */
#include "shell_inside.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

static struct sigaction usual[G_N_ELEMENTS (numbers)];
static gboolean is_caught[G_N_ELEMENTS (numbers)];
static gint is_interrupted; /* atomic, as a handler needs it */
static gint end_signal;     /* atomic; 0: none has come */
static int wake_fds[2];     /* a pipe: whoever wakes the shell writes to it */

void
shell_wake_up (void)
{
  /* When the pipe is full, that wakes the shell as well. */
  G_GNUC_UNUSED gssize n = write (wake_fds[1], "", 1);
}

void
shell_wait (void)
{
  struct pollfd poll_fd = { .fd = wake_fds[0], .events = POLLIN };
  char bytes[64];

  if (poll (&poll_fd, 1, -1) > 0)
    while (read (wake_fds[0], bytes, sizeof bytes) > 0)
      ;
}

static void
note (int number)
{
  int saved_errno = errno;

  if (number == SIGINT)
    g_atomic_int_set (&is_interrupted, TRUE);
  else
    g_atomic_int_set (&end_signal, number);
  shell_wake_up ();
  errno = saved_errno;
}

static void
open_pipe (void)
{
  if (wake_fds[1] != 0)
    return;
  if (!g_unix_open_pipe (wake_fds, FD_CLOEXEC, NULL))
    g_error ("there is no pipe to wake the shell by: %s", g_strerror (errno));
  g_unix_set_fd_nonblocking (wake_fds[0], TRUE, NULL);
  g_unix_set_fd_nonblocking (wake_fds[1], TRUE, NULL);
}

/* A signal that was ignored stays so: as under nohup. */
void
shell_catch_signals (void)
{
  struct sigaction action = { .sa_handler = note, .sa_flags = SA_RESTART };

  open_pipe ();
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    if (is_caught[i])
      continue;
    sigaction (numbers[i], NULL, &usual[i]);
    is_caught[i] = usual[i].sa_handler != SIG_IGN;
    if (is_caught[i])
      sigaction (numbers[i], &action, NULL);
  }
}

void
shell_release_signals (gboolean is_ctrl_c_kept)
{
  int number;

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    if (!is_caught[i] || (numbers[i] == SIGINT && is_ctrl_c_kept))
      continue;
    sigaction (numbers[i], &usual[i], NULL);
    is_caught[i] = FALSE;
  }
  number = g_atomic_int_get (&end_signal);
  if (number != 0)
    raise (number);
}

gboolean
shell_is_signalled (void)
{
  return g_atomic_int_get (&is_interrupted)
         || g_atomic_int_get (&end_signal) != 0;
}

gboolean
shell_forget_ctrl_c (void)
{
  return g_atomic_int_compare_and_exchange (&is_interrupted, TRUE, FALSE);
}
