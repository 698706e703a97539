/* Links, monitors and exits.
 *
 * A link is a bond on both sides, under the other's pid and with the same
 * number; a monitor one on both sides under its ref.  Made on one's own side
 * first, then on the other's; and should this process have been told to die in
 * between, its teller may have come too early for the second half, which is
 * then taken back.
 *
 * A message of the kind DOWN or EXIT that lies in a mailbox counts only while
 * the receiver's own half still stands: that is what makes unlink and
 * demonitor flush.
 */
#include "signals.h"

#include "request.h"
#include "run.h"
#include "trace.h"

/* Two processes may link to, and unlink from, each other at the same time: one
 * after the other then.  Taken before a process's lock; deaths do without it. */
static GMutex links_lock;

/* region: accept */
static gboolean
accept_link_exit (Pid receiver, const Message *message)
{
  return slot_drop_bond (receiver, message->pid, message->ref);
}
/* end */

static gboolean
accept_down (Pid receiver, const Message *message)
{
  return slot_drop_bond (receiver, message->ref, message->ref);
}

/* An exit signal arrives, by a link with that number, or (0) by itself.  HOLDS
 * @process's lock and gives it back. */
static void
receive_exit (Process *process, Pid from, Reason reason, Ref link)
{
  Envelope exit = { .message = { .tag = PROCESS_EXIT,
                                 .sender = from,
                                 .pid = from,
                                 .ref = link,
                                 .reason = reason },
                    .accept = link != 0 ? accept_link_exit : NULL };

  if (process->traps_exits)
    run_post (process, exit);
  else if (reason == REASON_NORMAL && from != process->pid)
    slot_unlock (process);
  else
    slot_end (process, reason);
}

/* Who traps keeps its half until the EXIT is handled. */
static void
tell_link (const Bond *bond, Pid dead, Reason reason)
{
  Process *other = slot_lock_alive (bond->other);
  Bond *half = other != NULL ? bonds_get (&other->bonds, dead) : NULL;

  if (half != NULL && half->ref == bond->ref) {
    trace (dead, "EXIT", bond->other, g_quark_to_string (reason));
    if (!other->traps_exits)
      bonds_remove (&other->bonds, half);
    receive_exit (other, dead, reason, bond->ref);
  } else if (other != NULL) {
    slot_unlock (other);
  }
}

/* Returns: whether @pid is alive and had none to @other */
static gboolean
add_half_link (Pid pid, Pid other, Ref number)
{
  Process *process = slot_lock_alive (pid);
  gboolean is_new = process != NULL
                    && bonds_get (&process->bonds, other) == NULL;
  Bond half = {
    .key = other, .tell = tell_link, .other = other, .ref = number
  };

  if (is_new)
    bonds_add (&process->bonds, half);
  if (process != NULL)
    slot_unlock (process);
  return is_new;
}

void
process_link (Pid pid)
{
  Pid me = process_self ();
  Ref number = slot_new_ref ();
  Process *self = NULL;

  if (pid == me)
    return;
  trace (me, "link", pid, NULL);
  scheduler_lock (&links_lock);
  if (add_half_link (me, pid, number) && !add_half_link (pid, me, number))
    self = slot_lock_alive (me);
  else if (process_is_dying ())
    slot_drop_bond (pid, me, number);
  g_mutex_unlock (&links_lock);
  if (self != NULL)
    receive_exit (self, pid, REASON_NOPROC, number);
}

void
process_unlink (Pid pid)
{
  Pid me = process_self ();

  trace (me, "unlink", pid, NULL);
  scheduler_lock (&links_lock);
  if (slot_drop_bond (me, pid, 0))
    slot_drop_bond (pid, me, 0);
  g_mutex_unlock (&links_lock);
}

/* The watcher's end. */
static void
tell_watched (const Bond *bond, Pid dead G_GNUC_UNUSED,
              Reason reason G_GNUC_UNUSED)
{
  slot_drop_bond (bond->other, bond->ref, bond->ref);
}

/* The end of the one who is watched. */
static void
tell_watcher (const Bond *bond, Pid dead, Reason reason)
{
  trace (dead, "DOWN", bond->other, g_quark_to_string (reason));
  run_deliver (bond->other, (Envelope) { .message = { .tag = PROCESS_DOWN,
                                                      .sender = dead,
                                                      .pid = dead,
                                                      .ref = bond->ref,
                                                      .reason = reason,
                                                      .data = bond->cookie },
                                         .accept = accept_down });
}

Ref
process_monitor (Pid pid, gpointer cookie)
{
  Ref ref = slot_new_ref ();
  Bond mine = { .key = ref, .tell = tell_watched, .other = pid, .ref = ref };
  Bond theirs = { .key = ref,
                  .tell = tell_watcher,
                  .other = process_self (),
                  .ref = ref,
                  .cookie = cookie };
  Process *self = slot_lock_alive (theirs.other), *watched;

  if (self == NULL)
    return ref;
  trace (self->pid, "monitor", pid, NULL);
  bonds_add (&self->bonds, mine);
  slot_unlock (self);
  if (pid == theirs.other)
    return ref;

  watched = slot_lock_alive (pid);
  if (watched == NULL) {
    tell_watcher (&theirs, pid, REASON_NOPROC);
    return ref;
  }
  bonds_add (&watched->bonds, theirs);
  slot_unlock (watched);
  if (process_is_dying ())
    slot_drop_bond (pid, ref, ref);
  return ref;
}

gboolean
process_demonitor (Ref monitor)
{
  Process *self = slot_lock_alive (process_self ());
  Bond *bond;
  Pid pid = PID_NONE;
  gboolean is_mine;

  if (self == NULL)
    return FALSE;
  bond = bonds_get (&self->bonds, monitor);
  is_mine = bond != NULL && bond->tell == tell_watched;
  if (is_mine) {
    pid = bond->other;
    trace (self->pid, "demonitor", pid, NULL);
    bonds_remove (&self->bonds, bond);
  }
  slot_unlock (self);
  if (is_mine)
    slot_drop_bond (pid, monitor, monitor);
  return is_mine;
}

void
process_trap_exits (gboolean trap)
{
  Process *self = slot_lock_alive (process_self ());

  if (self == NULL)
    return;
  self->traps_exits = trap;
  slot_unlock (self);
}

gboolean
process_traps_exits (Pid pid)
{
  Process *process = slot_lock_alive (pid);
  gboolean does = process != NULL && process->traps_exits;

  if (process != NULL)
    slot_unlock (process);
  return does;
}

void
process_exit (Pid pid, Reason reason)
{
  Pid me = process_self ();
  Process *process;

  g_return_if_fail (reason != 0);
  trace (me, "exit", pid, g_quark_to_string (reason));

  process = run_lock_receiver (pid);
  if (process == NULL)
    return;
  if (reason == REASON_KILL)
    slot_end (process, REASON_KILLED);
  else
    receive_exit (process, me, reason, 0);
}

gboolean
process_wait_end (Pid pid, int timeout_ms)
{
  Message answer;
  RequestResult result = request (pid, NULL, scheduler_deadline (timeout_ms),
                                  &answer);

  return result == REQUEST_NOPROC
         || (result == REQUEST_DOWN && answer.tag == PROCESS_DOWN);
}

static char *
name_zombies (void)
{
  g_autoptr (GArray) list = process_list ();
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < list->len; i++) {
    ProcessInfo *info = &g_array_index (list, ProcessInfo, i);

    if (info->state == PROCESS_ZOMBIE)
      g_string_append_printf (names, "%s%s " PID_FORMAT,
                              names->len > 0 ? ", " : "", info->kind,
                              PID_ARGS (info->pid));
  }
  return g_string_free (names, FALSE);
}

/* It looks now and then, so that a death costs nothing for those who wait. */
guint
process_wait_gone (int timeout_ms, char **zombies)
{
  gint64 deadline = scheduler_deadline (timeout_ms);
  gint n_left;

  while ((n_left = slot_count_dying ()) > 0 && scheduler_now () < deadline
         && process_sleep (1))
    ;
  if (zombies != NULL)
    *zombies = n_left > 0 ? name_zombies () : NULL;
  return (guint) n_left;
}
