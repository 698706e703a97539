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

/* Two processes may link to, and unlink from, each other at the same time: one
 * after the other then.  Taken before a process's lock; deaths do without it. */
static GMutex links_lock;

/* region: accept */
static gboolean
accept_link_exit (Process *self, const Message *message)
{
  Bond *bond;
  gboolean stands;

  slot_lock (self);
  bond = slot_get_bond (self, message->pid);
  stands = bond != NULL && bond->ref == message->ref;
  if (stands)
    slot_drop_bond (self, message->pid);
  slot_unlock (self);
  return stands;
}
/* end */

static gboolean
accept_down (Process *self, const Message *message)
{
  gboolean stands;

  slot_lock (self);
  stands = slot_drop_bond (self, message->ref);
  slot_unlock (self);
  return stands;
}

/* An exit signal arrives, by a link with that number, or (0) by itself.  HOLDS
 * @process's lock and gives it back. */
static void
receive_exit (Process *process, Pid from, Reason reason, Ref link)
{
  if (process->traps_exits) {
    Envelope exit = { .message = { .tag = PROCESS_EXIT,
                                   .sender = from,
                                   .pid = from,
                                   .ref = link,
                                   .reason = reason },
                      .accept = link != 0 ? accept_link_exit : NULL };

    run_post (process, exit);
    return;
  }
  if (link != 0)
    slot_drop_bond (process, from);
  if (reason == REASON_NORMAL && from != process->pid)
    slot_unlock (process);
  else
    slot_end (process, reason);
}

static void
tell_link (const Bond *bond, Pid dead, Reason reason)
{
  Process *other = slot_lock_alive (bond->other);
  Bond *half = other != NULL ? slot_get_bond (other, dead) : NULL;

  if (half != NULL && half->ref == bond->ref)
    receive_exit (other, dead, reason, bond->ref);
  else if (other != NULL)
    slot_unlock (other);
}

static void
add_half_link (Process *process, Pid other, Ref number)
{
  slot_add_bond (process, other,
                 (Bond) { .tell = tell_link, .other = other, .ref = number });
}

/* Takes the half of a link away that @pid has, if it is that link. */
static void
drop_half_link (Pid pid, Pid other, Ref number)
{
  Process *process = slot_lock_alive (pid);
  Bond *bond;

  if (process == NULL)
    return;
  bond = slot_get_bond (process, other);
  if (bond != NULL && bond->ref == number)
    slot_drop_bond (process, other);
  slot_unlock (process);
}

/* HOLDS: links_lock.  Returns: whether the other one was dead already */
static gboolean
link_to_dead (Process *self, Pid pid, Ref number)
{
  Process *other;
  gboolean is_linked;

  slot_lock (self);
  is_linked = !slot_is_alive (self) || slot_get_bond (self, pid) != NULL;
  if (!is_linked)
    add_half_link (self, pid, number);
  slot_unlock (self);
  if (is_linked)
    return FALSE;

  other = slot_lock_alive (pid);
  if (other == NULL)
    return TRUE;
  add_half_link (other, self->pid, number);
  slot_unlock (other);
  if (!slot_is_alive (self))
    drop_half_link (pid, self->pid, number);
  return FALSE;
}

void
process_link (Pid pid)
{
  Process *self = slot_current ();
  Ref number = slot_new_ref ();
  gboolean is_dead;

  if (!slot_is_alive (self) || pid == self->pid)
    return;
  g_mutex_lock (&links_lock);
  is_dead = link_to_dead (self, pid, number);
  g_mutex_unlock (&links_lock);
  if (!is_dead)
    return;
  slot_lock (self);
  if (slot_is_alive (self))
    receive_exit (self, pid, REASON_NOPROC, number);
  else
    slot_unlock (self);
}

void
process_unlink (Pid pid)
{
  Process *self = slot_current ();
  Bond *bond;
  Ref number = 0;

  if (!slot_is_alive (self))
    return;
  g_mutex_lock (&links_lock);
  slot_lock (self);
  bond = slot_get_bond (self, pid);
  if (bond != NULL && slot_is_alive (self)) {
    number = bond->ref;
    slot_drop_bond (self, pid);
  }
  slot_unlock (self);
  if (number != 0)
    drop_half_link (pid, self->pid, number);
  g_mutex_unlock (&links_lock);
}

/* The watcher's end. */
static void
withdraw_monitor (Pid pid, Ref ref)
{
  Process *watched = slot_lock_alive (pid);

  if (watched == NULL)
    return;
  slot_drop_bond (watched, ref);
  slot_unlock (watched);
}

static void
tell_watched (const Bond *bond, Pid dead G_GNUC_UNUSED,
              Reason reason G_GNUC_UNUSED)
{
  withdraw_monitor (bond->other, bond->ref);
}

/* The end of the one who is watched.  HOLDS @watcher's lock and gives it
 * back. */
static void
post_down (Process *watcher, Ref ref, Pid dead, Reason reason, gpointer cookie)
{
  Envelope down = { .message = { .tag = PROCESS_DOWN,
                                 .sender = dead,
                                 .pid = dead,
                                 .ref = ref,
                                 .reason = reason,
                                 .data = cookie },
                    .accept = accept_down };

  if (slot_get_bond (watcher, ref) != NULL)
    run_post (watcher, down);
  else
    slot_unlock (watcher);
}

static void
tell_watcher (const Bond *bond, Pid dead, Reason reason)
{
  Process *watcher = slot_lock_alive (bond->other);

  if (watcher != NULL)
    post_down (watcher, bond->ref, dead, reason, bond->cookie);
}

Ref
process_monitor (Pid pid, gpointer cookie)
{
  Process *self = slot_current (), *watched;
  Ref ref = slot_new_ref ();

  if (!slot_is_alive (self))
    return ref;
  slot_lock (self);
  if (!slot_is_alive (self)) {
    slot_unlock (self);
    return ref;
  }
  slot_add_bond (self, ref,
                 (Bond) { .tell = tell_watched, .other = pid, .ref = ref });
  slot_unlock (self);

  watched = pid != self->pid ? slot_lock_alive (pid) : NULL;
  if (watched != NULL) {
    slot_add_bond (watched, ref,
                   (Bond) { .tell = tell_watcher,
                            .other = self->pid,
                            .ref = ref,
                            .cookie = cookie });
    slot_unlock (watched);
    if (!slot_is_alive (self))
      withdraw_monitor (pid, ref);
  } else if (pid != self->pid) {
    slot_lock (self);
    if (slot_is_alive (self))
      post_down (self, ref, pid, REASON_NOPROC, cookie);
    else
      slot_unlock (self);
  }
  return ref;
}

gboolean
process_demonitor (Ref monitor)
{
  Process *self = slot_current ();
  Bond *bond;
  Pid pid = PID_NONE;
  gboolean is_mine;

  if (!slot_is_alive (self))
    return FALSE;
  slot_lock (self);
  bond = slot_get_bond (self, monitor);
  is_mine = bond != NULL && bond->tell == tell_watched && slot_is_alive (self);
  if (is_mine) {
    pid = bond->other;
    slot_drop_bond (self, monitor);
  }
  slot_unlock (self);
  if (is_mine)
    withdraw_monitor (pid, monitor);
  return is_mine;
}

void
process_trap_exits (gboolean trap)
{
  Process *self = slot_current ();

  if (!slot_is_alive (self))
    return;
  slot_lock (self);
  self->traps_exits = trap;
  slot_unlock (self);
}

void
process_exit (Pid pid, Reason reason)
{
  Process *self = slot_current ();
  Process *process = slot_is_alive (self) ? slot_lock_alive (pid) : NULL;

  g_return_if_fail (reason != 0);
  if (process == NULL)
    return;
  if (reason == REASON_KILL)
    slot_end (process, REASON_KILLED);
  else
    receive_exit (process, self->pid, reason, 0);
}

gboolean
process_wait_end (Pid pid, int timeout_ms)
{
  Message answer;

  switch (request_end (pid, scheduler_deadline (timeout_ms), &answer)) {
  case REQUEST_NOPROC:
    return TRUE;
  case REQUEST_DOWN:
    return answer.tag == PROCESS_DOWN;
  default:
    return FALSE;
  }
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
