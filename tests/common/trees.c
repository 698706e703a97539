/* Random trees of processes that do random things to each other, and what must
 * hold whatever they do.
 *
 * The test casts random commands to its actors: servers that lend and servers
 * that don't, and functions.  Each of them keeps books on what it has done and
 * what it hears, and checks one against the other.  What it does while it is
 * told to die may or may not have an effect: so books count only while it is
 * not dying afterwards.  At the end all are killed, and the test compares. */
#include "helper.h"
#include "simulation.h"
#include "supervisor.h"

#define MAX_ACTORS 6
#define MAX_LEAVES 96
#define MAX_PARCELS 512
#define MAX_ENTRIES 32
#define NOBODY (-1)
#define THE_TEST MAX_ACTORS /* as a sender */
#define A_LEAF MAX_ACTORS   /* as an index */
#define N_NAMES 3
#define TIME_TO_END_MS MAX (test_limit (), 10000) /* also in a simulation */

/* What the test casts to an actor: do it, to the peer in the parcel. */
enum {
  LINK = 1,
  UNLINK,
  TRAP, /* exits from now on, if it does not, or no more */
  EXIT,
  KILL,
  STOP,
  STOP_PEER,
  MONITOR,
  DEMONITOR,
  CALL,
  NOTE,
  TIMER,
  CANCEL,
  NAME,
  UNNAME,
  LEAF, /* start a server, which may fail, stop soon or stay */
  N_COMMANDS,
  /* And what it calls with: */
  BEAR,  /* start the actor that is the peer, linked */
  AUDIT, /* the peer is a mask of the dead, of whom all have been told */
  /* And what actors send each other: */
  QUESTION,
  ANSWER_LATER,
  ANSWER,
  TIMED,
  WORD
};

typedef enum { NO, YES, UNSURE } Knowledge;

/* The data of each message.  It is never freed, to see who tries to. */
typedef struct {
  int      sender; /* or NOBODY, when order is not promised */
  guint    order;  /* among those from its sender to its receiver */
  int      peer;
  guint    chance;
  From     from;
  gint64   question;
  gpointer timer;
  gint     n_freed; /* atomic */
} Parcel;

/* Of a monitor or a timer. */
typedef struct {
  Ref      ref;
  int      peer;
  gboolean was_alive;
  gboolean is_active;
} Entry;

/* That somebody ended. */
typedef struct {
  int      peer;
  Reason   reason;
  gboolean was_alive; /* after it had been linked, monitored or called */
} News;

/* Of two, it is the lower that links them: so the books know what is true.  A
 * leaf, which an actor or a supervisor has started, only waits for its end. */
typedef struct {
  int                   index;
  const GenServerClass *klass; /* or NULL: a function */
  gboolean              is_child;
  Pid                   pid;
  gboolean              traps;
  gboolean              has_changed; /* whether it traps */
  gboolean              is_over;
  gint                  links[MAX_ACTORS]; /* Knowledge; atomic */
  gboolean              was_alive[MAX_ACTORS];
  guint                 n_exits[MAX_ACTORS];
  guint                 n_received[MAX_ACTORS + 1];
  Entry                 monitors[MAX_ENTRIES];
  Entry                 timers[MAX_ENTRIES];
  News                  news[MAX_ENTRIES];
  guint                 n_monitors, n_timers, n_news;
  const char           *name;
  gint                  n_started, n_finalized; /* atomic */
} Actor;

static struct {
  Actor    actors[MAX_ACTORS];
  int      n_actors;
  Actor    leaves[MAX_LEAVES];
  gint     n_leaves;            /* atomic */
  gint     is_to_fail;          /* atomic: the next leaf's init */
  Reason   reasons[MAX_ACTORS]; /* of those that the test knows to be dead */
  guint    n_sent[MAX_ACTORS + 1][MAX_ACTORS];
  gint     n_taken, n_answered; /* atomic: replies and answers */
  gpointer holders[N_NAMES];    /* Pid; atomic */
  Parcel   parcels[MAX_PARCELS];
  gint     n_parcels; /* atomic */
} play;

static const char *const names[N_NAMES] = { "anne", "bob", "carl" };
static Reason sent;                /* by a process to another */
static Reason own[MAX_ACTORS + 1]; /* why it stops */

static const GenServerClass long_actor, short_actor;

/* PARCELS */

static void
parcel_free (gpointer data)
{
  g_assert_cmpint (g_atomic_int_add (&((Parcel *) data)->n_freed, 1), ==, 0);
}

static Message
pack (int tag, int sender, int receiver)
{
  gint n = g_atomic_int_add (&play.n_parcels, 1);
  Parcel *parcel = &play.parcels[n];

  g_assert_cmpint (n, <, MAX_PARCELS);
  parcel->sender = sender;
  if (sender != NOBODY)
    parcel->order = play.n_sent[sender][receiver]++;
  return (Message) {
    .tag = tag, .number = n, .data = parcel, .free_data = parcel_free
  };
}

/* Nobody waits for timers, nor for a process that answers for another. */
static void
check_parcels (void)
{
  for (gint i = 0; i < g_atomic_int_get (&play.n_parcels); i++) {
    for (int ms = 0; ms < TIME_TO_END_MS; ms++)
      if (g_atomic_int_get (&play.parcels[i].n_freed) == 0)
        process_sleep (1);
    g_assert_cmpint (g_atomic_int_get (&play.parcels[i].n_freed), ==, 1);
  }
}

/* Who is told to end ends soon: nobody else is to be killed for that. */
static void
wait_until_alone (void)
{
  for (int ms = 0; ms < TIME_TO_END_MS; ms++) {
    g_autoptr (GArray) list = process_list ();

    if (list->len == 1)
      break;
    process_sleep (1);
  }
  test_end ();
}

/* BOOKS */

static int
find (Pid pid)
{
  for (int i = 0; i < play.n_actors; i++)
    if (play.actors[i].pid == pid)
      return i;
  return NOBODY;
}

static Entry *
add_entry (Entry *entries, guint *n)
{
  g_assert_cmpuint (*n, <, MAX_ENTRIES);
  return &entries[(*n)++];
}

/* Who ended by itself ran no handler any more, and so was finalized first. */
static void
hear (Actor *self, int peer, Reason reason, gboolean was_alive)
{
  const Actor *dead = &play.actors[peer];
  g_autofree char *name = NULL;

  g_assert_cmpuint (self->n_news, <, MAX_ENTRIES);
  self->news[self->n_news++] = (News) { peer, reason, was_alive };
  name = process_get_name (dead->pid);
  g_assert_null (name);
  for (int i = 0; i < N_NAMES; i++)
    g_assert_cmpuint (process_whereis (names[i]), !=, dead->pid);
  if (reason == own[peer] || reason == REASON_NORMAL)
    g_assert_cmpint (g_atomic_int_get (&dead->n_finalized), ==, 1);
}

static void
hear_exit (Actor *self, int peer, Reason reason)
{
  gint *owner = peer > self->index ? &self->links[peer]
                                   : &play.actors[peer].links[self->index];

  g_assert_cmpint (g_atomic_int_get (owner), !=, NO);
  if (peer > self->index) {
    g_atomic_int_set (owner, NO);
    hear (self, peer, reason, self->was_alive[peer]);
  } else {
    g_assert_cmpuint (self->n_exits[peer]++, ==, 0);
    hear (self, peer, reason, TRUE);
  }
}

static void
hear_down (Actor *self, const Message *message)
{
  Entry *monitor = message->data;

  g_assert_true (monitor->is_active);
  g_assert_cmpuint (monitor->ref, ==, message->ref);
  g_assert_cmpuint (play.actors[monitor->peer].pid, ==, message->pid);
  monitor->is_active = FALSE;
  hear (self, monitor->peer, message->reason, monitor->was_alive);
}

/* @self is alive, and should have heard of @dead. */
static void
audit (const Actor *self, int dead)
{
  int lower = MIN (self->index, dead), higher = MAX (self->index, dead);
  gint link = g_atomic_int_get (&play.actors[lower].links[higher]);

  for (guint i = 0; i < self->n_monitors; i++)
    g_assert_false (self->monitors[i].is_active
                    && self->monitors[i].peer == dead);
  if (link == UNSURE && self->index == higher) {
    /* It died in the midst: if its link is left, a new one is none. */
    process_trap_exits (FALSE);
    process_link (play.actors[dead].pid);
    g_assert_true (process_is_dying ());
  }
  if (self->has_changed || link == UNSURE)
    return;
  if (link == YES && !self->traps)
    g_assert_cmpuint (play.reasons[dead], ==, REASON_NORMAL);
  if (self->index == lower)
    g_assert_true (link == NO || !self->traps);
  else if (self->traps)
    g_assert_cmpuint (self->n_exits[dead], ==, link == YES);
}

/* COMMANDS */

static void
link_to (Actor *self, int peer)
{
  gint *link = &self->links[peer], before = g_atomic_int_get (link);
  Pid pid = play.actors[peer].pid;
  gboolean was_alive = process_is_alive (pid);

  g_atomic_int_set (link, UNSURE);
  process_link (pid);
  if (process_is_dying ())
    return;
  g_assert_true (was_alive || self->traps || before == YES);
  self->was_alive[peer] = process_is_alive (pid);
  g_atomic_int_set (link, YES);
}

static void
unlink_from (Actor *self, int peer)
{
  g_atomic_int_set (&self->links[peer], UNSURE);
  process_unlink (play.actors[peer].pid);
  if (!process_is_dying ())
    g_atomic_int_set (&self->links[peer], NO);
}

static void
monitor (Actor *self, int peer)
{
  Entry *entry = add_entry (self->monitors, &self->n_monitors);
  Pid pid = play.actors[peer].pid;

  *entry = (Entry) { .peer = peer, .is_active = TRUE };
  entry->ref = process_monitor (pid, entry);
  entry->was_alive = process_is_alive (pid);
}

static void
end_entry (Entry *entry, gboolean (*func) (Ref ref))
{
  gboolean was_active = func (entry->ref);

  if (!process_is_dying ())
    g_assert_cmpint (was_active, ==, entry->is_active);
  entry->is_active = FALSE;
}

static void
set_timer (Actor *self, int peer, guint delay_ms)
{
  Message message = pack (TIMED, NOBODY, peer);
  Entry *timer = NULL;
  Ref ref;

  if (peer == self->index)
    timer = add_entry (self->timers, &self->n_timers);
  ((Parcel *) message.data)->timer = timer;
  ref = process_send_after (play.actors[peer].pid, message, delay_ms);
  if (timer != NULL)
    *timer = (Entry) { .ref = ref, .is_active = TRUE };
}

/* Whoever waits for ever waits for a higher one, so there is no circle. */
static int
choose_limit (const Actor *self, int peer, guint chance)
{
  return peer > self->index && chance % 4 > 0 ? -1 : (int) (chance % 3);
}

static void
call (Actor *self, int peer, guint chance)
{
  Pid pid = play.actors[peer].pid;
  g_auto (Message) reply = { 0 };
  g_autoptr (GError) error = NULL;
  Message question = pack (QUESTION, self->index, peer);
  int limit_ms = choose_limit (self, peer, chance);

  ((Parcel *) question.data)->chance = chance / 8;
  if (gen_server_call (pid, question, limit_ms, &reply, &error)) {
    g_assert_cmpint (reply.number, ==, question.number);
    g_atomic_int_inc (&play.n_answered);
  } else if (process_is_dying ()) {
    return;
  } else if (g_error_matches (error, GEN_SERVER_ERROR, GEN_SERVER_ERROR_DOWN)) {
    hear (self, peer, reply.reason, TRUE);
  } else if (error->code == GEN_SERVER_ERROR_TIMEOUT) {
    /* A server may run on the thread of one that has a limit. */
    g_assert_true (limit_ms >= 0 || self->klass != NULL);
  } else {
    g_assert_cmpint (error->code, ==, GEN_SERVER_ERROR_NOPROC);
    g_assert_false (process_is_alive (pid));
  }
}

static void
answer (From from, gint64 question)
{
  Message message = pack (ANSWER, NOBODY, NOBODY);
  gboolean was_dying = process_is_dying ();

  message.number = question;
  if (gen_server_reply (from, message)) {
    g_atomic_int_inc (&play.n_taken);
    g_assert_false (was_dying);
  }
}

static void
answer_for_another (gpointer data)
{
  const Parcel *parcel = data;

  answer (parcel->from, parcel->question);
}

static void
answer_somehow (const Actor *self, guint chance, From from, gint64 question)
{
  Message later = pack (ANSWER_LATER, NOBODY, NOBODY);
  Parcel *parcel = later.data;

  parcel->from = from;
  parcel->question = question;
  if (chance % 4 == 0) {
    process_spawn (answer_for_another, parcel, parcel_free);
  } else if (chance % 4 == 1) {
    parcel->sender = self->index;
    parcel->order = play.n_sent[self->index][self->index]++;
    gen_server_cast (self->pid, later);
  } else {
    if (chance % 4 == 2 && self->klass != &short_actor)
      process_sleep (1); /* so that it may die meanwhile */
    answer (from, question);
    message_clear (&later);
  }
}

/* Who had the name before must be dead, or have given it back. */
static void
take_name (Actor *self, guint chance)
{
  int i = (int) (chance % N_NAMES);
  g_autoptr (GError) error = NULL;
  Pid holder;

  if (process_register (names[i], self->pid, &error)) {
    holder = POINTER_TO_PID (g_atomic_pointer_get (&play.holders[i]));
    g_atomic_pointer_set (&play.holders[i], PID_TO_POINTER (self->pid));
    g_assert_true (!process_is_alive (holder) || process_is_dying ());
    g_assert_true (process_whereis (names[i]) == self->pid
                   || process_is_dying ());
    g_assert_null (self->name);
    self->name = names[i];
  } else if (error->code == NAMES_ERROR_NAMED) {
    g_assert_nonnull (self->name);
  } else if (error->code == NAMES_ERROR_NOPROC) {
    g_assert_true (process_is_dying ());
  }
}

static void
give_name_back (Actor *self)
{
  for (int i = 0; i < N_NAMES; i++)
    if (self->name == names[i]) {
      g_atomic_pointer_set (&play.holders[i], NULL);
      g_assert_true (process_unregister (names[i]) || process_is_dying ());
      self->name = NULL;
    }
}

static Message
pack_stop (gboolean is_normal)
{
  Message message = pack (STOP, NOBODY, NOBODY);

  ((Parcel *) message.data)->chance = !is_normal;
  return message;
}

static void
start_leaf (guint chance)
{
  const GenServerClass *klass = chance % 3 == 0 ? &long_actor : &short_actor;
  Pid pid;

  if (chance % 8 == 0)
    g_atomic_int_set (&play.is_to_fail, TRUE);
  if (chance % 8 < 4)
    pid = gen_server_start_link (klass, NULL, NULL, NULL);
  else
    pid = gen_server_start (klass, NULL, NULL, NULL);
  if (chance % 4 == 3)
    gen_server_stop_sync (pid, REASON_NORMAL, -1, NULL);
  else if (chance % 4 == 2)
    gen_server_cast (pid, pack_stop (chance % 8 == 2));
}

static void
stop (Actor *self, gboolean is_normal)
{
  if (self->klass != NULL)
    gen_server_stop (is_normal ? REASON_NORMAL : own[self->index]);
  self->is_over = TRUE;
}

static void
stop_peer (const Actor *self, int peer, guint chance)
{
  Pid pid = play.actors[peer].pid;

  if (gen_server_stop_sync (pid, own[peer], choose_limit (self, peer, chance),
                            NULL))
    g_assert_false (process_is_alive (pid));
}

static void
start (Actor *actor, gboolean with_link)
{
  g_autoptr (GError) error = NULL;

  actor->pid = (with_link
                  ? gen_server_start_link
                  : gen_server_start) (actor->klass, NULL, actor, &error);
  g_assert_no_error (error);
}

static void
carry_out (Actor *self, int tag, const Parcel *parcel)
{
  int peer = parcel->peer;
  guint chance = parcel->chance;
  Pid pid = peer < MAX_ACTORS ? play.actors[peer].pid : PID_NONE;

  if (tag == LINK && peer > self->index)
    link_to (self, peer);
  else if (tag == UNLINK && peer > self->index)
    unlink_from (self, peer);
  else if (tag == TRAP) {
    self->has_changed = TRUE;
    self->traps = !self->traps;
    process_trap_exits (self->traps);
  } else if (tag == EXIT)
    process_exit (pid, chance % 2 == 0 ? sent : REASON_SHUTDOWN);
  else if (tag == KILL)
    process_exit (pid, REASON_KILL);
  else if (tag == STOP)
    stop (self, chance % 4 == 0);
  else if (tag == STOP_PEER && peer != self->index)
    stop_peer (self, peer, chance);
  else if (tag == MONITOR && peer != self->index)
    monitor (self, peer);
  else if (tag == DEMONITOR && self->n_monitors > 0)
    end_entry (&self->monitors[chance % self->n_monitors], process_demonitor);
  else if (tag == CALL && peer != self->index)
    call (self, peer, chance);
  else if (tag == NOTE && chance % 2 == 0)
    gen_server_cast (pid, pack (WORD, self->index, peer));
  else if (tag == NOTE)
    process_send (pid, pack (WORD, self->index, peer));
  else if (tag == TIMER)
    set_timer (self, peer, chance % 4);
  else if (tag == CANCEL && self->n_timers > 0)
    end_entry (&self->timers[chance % self->n_timers], process_cancel_timer);
  else if (tag == NAME)
    take_name (self, chance);
  else if (tag == UNNAME)
    give_name_back (self);
  else if (tag == LEAF)
    start_leaf (chance);
}

/* ACTORS */

static void
handle_timed (const Parcel *parcel, Ref ref)
{
  Entry *timer = parcel->timer;

  if (timer == NULL)
    return;
  g_assert_true (timer->is_active);
  g_assert_cmpuint (timer->ref, ==, ref);
  timer->is_active = FALSE;
}

static void
handle_call (Actor *self, const Message *message, From from)
{
  const Parcel *parcel = message->data;

  if (message->tag == BEAR) {
    g_atomic_int_set (&self->links[parcel->peer], YES);
    self->was_alive[parcel->peer] = TRUE;
    play.actors[parcel->peer].is_child = TRUE;
    start (&play.actors[parcel->peer], TRUE);
  }
  for (int i = 0; message->tag == AUDIT && i < play.n_actors; i++)
    if (parcel->peer & (1 << i) && !process_is_dying ())
      audit (self, i);
  if (message->tag == QUESTION)
    answer_somehow (self, parcel->chance, from, message->number);
  else
    answer (from, message->number);
}

static void
handle (Actor *self, Message *message)
{
  const Parcel *parcel = message->data;
  From from = { .pid = message->sender, .ref = message->ref };

  if (process_is_dying ())
    return;
  if (message->tag > 0 && parcel->sender != NOBODY)
    g_assert_cmpuint (parcel->order, ==, self->n_received[parcel->sender]++);
  if (message->tag == PROCESS_DOWN)
    hear_down (self, message);
  else if (message->tag == PROCESS_EXIT && message->ref != 0
           && find (message->pid) != NOBODY)
    hear_exit (self, find (message->pid), message->reason);
  else if (message->tag == TIMED)
    handle_timed (parcel, message->ref);
  else if (message->tag == ANSWER_LATER)
    answer (parcel->from, parcel->question);
  else if (message->tag >= BEAR && message->tag <= QUESTION)
    handle_call (self, message, from);
  else if (message->tag > 0)
    carry_out (self, message->tag, parcel);
}

static void
begin (Actor *self)
{
  g_assert_cmpint (g_atomic_int_add (&self->n_started, 1), ==, 0);
  process_trap_exits (self->traps);
}

static const Actor trapping_leaf = { .index = A_LEAF, .traps = TRUE };

static Actor *
add_leaf (gconstpointer args)
{
  gint n = g_atomic_int_add (&play.n_leaves, 1);
  Actor *leaf = &play.leaves[n];

  g_assert_cmpint (n, <, MAX_LEAVES);
  leaf->index = A_LEAF;
  leaf->klass = &long_actor;
  leaf->pid = process_self ();
  leaf->traps = args != NULL;
  return leaf;
}

/* @args: an actor, or %NULL or &trapping_leaf */
static gboolean
actor_init (gpointer state, gconstpointer args, GError **error)
{
  gboolean is_leaf = args == NULL || args == &trapping_leaf;
  Actor *self = is_leaf ? add_leaf (args) : (Actor *) args;

  *(Actor **) state = self;
  begin (self);
  if (!is_leaf
      || !g_atomic_int_compare_and_exchange (&play.is_to_fail, TRUE, FALSE))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "as it was told");
  return FALSE;
}

static void
actor_handle_call (gpointer state, Message *request, From from G_GNUC_UNUSED)
{
  handle (*(Actor **) state, request);
}

static void
actor_handle_info (gpointer state, Message *message)
{
  handle (*(Actor **) state, message);
}

static void
end (gpointer actor)
{
  gint *n_finalized = &((Actor *) actor)->n_finalized;

  g_assert_cmpint (g_atomic_int_add (n_finalized, 1), ==, 0);
}

static void
actor_finalize (gpointer state)
{
  if (*(Actor **) state != NULL)
    end (*(Actor **) state);
}

static gboolean
actor_is_short (gconstpointer state G_GNUC_UNUSED, const Message *message)
{
  if (message->tag == CALL)
    return play.actors[((Parcel *) message->data)->peer].klass == &short_actor;
  return message->tag != STOP_PEER && message->tag != LEAF
         && message->tag != BEAR;
}

#define ACTOR \
  .state_size = sizeof (Actor *), .init = actor_init, \
  .handle_call = actor_handle_call, .handle_cast = actor_handle_info, \
  .handle_info = actor_handle_info, .finalize = actor_finalize, \
  .messages = "LINK UNLINK TRAP EXIT KILL STOP STOP_PEER MONITOR DEMONITOR " \
              "CALL NOTE TIMER CANCEL NAME UNNAME LEAF N_COMMANDS BEAR AUDIT " \
              "QUESTION ANSWER_LATER ANSWER TIMED WORD"

static const GenServerClass long_actor = { .name = "long actor", ACTOR };
static const GenServerClass short_actor = { .name = "short actor",
                                            .is_short = actor_is_short,
                                            ACTOR };

static void
be_function (gpointer data)
{
  Actor *self = data;
  Message message;

  begin (self);
  while (!self->is_over && process_receive (&message, -1)) {
    handle (self, &message);
    message_clear (&message);
  }
}

/* PLAYS */

/* What has no answer is about somebody dead. */
static void
ask (int tag, int i, int peer)
{
  Message request = pack (tag, THE_TEST, i);
  g_auto (Message) reply = { 0 };
  g_autoptr (GError) error = NULL;

  ((Parcel *) request.data)->peer = peer;
  if (gen_server_call (play.actors[i].pid, request, test_limit (), &reply,
                       &error)) {
    g_assert_cmpint (reply.number, ==, request.number);
    g_atomic_int_inc (&play.n_answered);
  } else {
    g_assert_cmpint (error->code, !=, GEN_SERVER_ERROR_TIMEOUT);
    g_assert_false (process_is_alive (play.actors[i].pid));
  }
}

static void
add_actor (int i)
{
  static const GenServerClass *const kinds[] = { NULL, &long_actor,
                                                 &short_actor };
  Actor *self = &play.actors[i];

  self->index = i;
  self->klass = kinds[test_random (G_N_ELEMENTS (kinds))];
  self->traps = test_random (2) == 0;
  if (self->klass == NULL)
    self->pid = process_spawn (be_function, self, end);
  else if (i > 0 && test_random (2) == 0)
    ask (BEAR, (int) test_random ((guint) i), i);
  else
    start (self, FALSE);
  process_monitor (self->pid, NULL);
  ask (AUDIT, i, 0); /* a function may not have begun */
}

static void
command (int tag)
{
  int i = (int) test_random ((guint) play.n_actors);
  Message message = pack (tag, THE_TEST, i);
  Parcel *parcel = message.data;

  parcel->peer = (int) test_random ((guint) play.n_actors);
  parcel->chance = test_random (64);
  gen_server_cast (play.actors[i].pid, message);
}

/* Asks all who live, when they have done what they were told, whether they have
 * heard of all deaths. */
static void
audit_all (void)
{
  int dead = 0;
  Message down;

  while (process_receive (&down, 0)) {
    int i = find (down.pid);

    g_assert_cmpint (down.tag, ==, PROCESS_DOWN);
    g_assert_cmpuint (play.reasons[i], ==, 0);
    play.reasons[i] = down.reason;
  }
  for (int i = 0; i < play.n_actors; i++)
    if (play.reasons[i] != 0) {
      g_assert_true (process_wait_end (play.actors[i].pid, test_limit ()));
      dead |= 1 << i;
    }
  for (int i = 0; i < play.n_actors; i++)
    if (play.reasons[i] == 0)
      ask (AUDIT, i, dead);
}

static void
check_books (const Actor *self)
{
  g_assert_cmpint (g_atomic_int_get (&self->n_finalized), ==, 1);
  g_assert_cmpuint (play.reasons[self->index], !=, REASON_KILL);
  if (play.reasons[self->index] == REASON_NORMAL)
    g_assert_true (self->is_over || self->is_child); /* by itself, then */
  for (guint i = 0; i < self->n_news; i++) {
    const News *news = &self->news[i];

    if (news->was_alive || news->reason != REASON_NOPROC)
      g_assert_cmpuint (news->reason, ==, play.reasons[news->peer]);
  }
}

static void
check_leaves (void)
{
  for (gint i = 0; i < play.n_leaves; i++)
    g_assert_cmpint (g_atomic_int_get (&play.leaves[i].n_finalized), ==, 1);
}

static void
run_play (guint commands)
{
  memset (&play, 0, sizeof play);
  for (guint n = 2 + test_random (MAX_ACTORS - 1); n > 0; n--)
    add_actor (play.n_actors++);
  for (guint n = 10 + test_random (40); n > 0;) {
    int tag = 1 + (int) test_random (N_COMMANDS - 1);

    if (commands & (1u << tag)) {
      command (tag);
      n--;
    }
  }
  for (int i = 0; i < play.n_actors; i++)
    ask (AUDIT, i, 0); /* when it is answered, all commands are carried out */
  audit_all ();
  for (int i = 0; i < play.n_actors; i++) {
    process_exit (play.actors[i].pid, REASON_KILL);
    g_assert_true (process_wait_end (play.actors[i].pid, test_limit ()));
    if (i % 2 == 0 || i == play.n_actors - 1)
      audit_all ();
  }
  g_assert_cmpuint (process_wait_gone (TIME_TO_END_MS, NULL), ==, 0);
  for (gint i = 0; i < play.n_leaves; i++)
    process_exit (play.leaves[i].pid, REASON_KILL);
  check_parcels ();
  wait_until_alone ();
  for (int i = 0; i < play.n_actors; i++)
    check_books (&play.actors[i]);
  check_leaves ();
  g_assert_cmpint (play.n_taken, ==, play.n_answered);
}

#define DO(command) (1u << (command))
#define DEATHS (DO (EXIT) | DO (KILL) | DO (STOP))

#define PLAY(name, commands) \
  static void test_##name (void) \
  { \
    run_play (commands); \
  }

PLAY (links, DO (LINK) | DO (UNLINK) | DO (TRAP) | DEATHS)
PLAY (monitors, DO (MONITOR) | DO (DEMONITOR) | DEATHS)
PLAY (calls, DO (CALL) | DO (STOP_PEER) | DO (NOTE) | DO (TIMER) | DO (CANCEL)
               | DO (KILL))
PLAY (names, DO (NAME) | DO (UNNAME) | DO (MONITOR) | DO (LINK) | DEATHS)
PLAY (everything, DO (N_COMMANDS) - 1)

/* SUPERVISORS */

#define MAX_CHILDREN 4

/* What the supervisor should say of a child. */
typedef struct {
  const char *id;
  Restart     restart;
  Pid         pid;
  gboolean    is_team, is_running, is_new, is_gone;
} Row;

static struct {
  Pid      pid;
  Strategy strategy;
  guint    max_restarts;
  guint    least_restarts; /* it must have counted */
  guint    most_restarts;  /* it may have */
  gboolean had_orphans;
  Row      rows[MAX_CHILDREN];
  guint    n_rows;
} tree;

static Pid
start_team (gconstpointer args, GError **error)
{
  const ChildSpec workers[] = {
    { .id = "short", .klass = &short_actor, .args = (gpointer) args },
    { .id = "long", .klass = &long_actor, .args = (gpointer) args }
  };
  SupervisorSpec spec = { .children = workers, .n_children = 2 };

  return supervisor_start_link (&spec, error);
}

static ChildSpec
choose_child (const char *id)
{
  static const int shutdowns[] = { SHUTDOWN_DEFAULT, SHUTDOWN_INFINITY,
                                   SHUTDOWN_BRUTAL_KILL };
  ChildSpec spec = { .id = id, .restart = (Restart) test_random (3) };

  if (test_random (2) == 0)
    spec.args = (gpointer) &trapping_leaf;
  if (test_random (6) == 0) {
    spec.start = start_team;
    spec.shutdown_ms = SHUTDOWN_INFINITY;
    spec.is_supervisor = TRUE;
  } else {
    spec.klass = test_random (2) == 0 ? &long_actor : &short_actor;
    spec.shutdown_ms = shutdowns[test_random (3)];
  }
  return spec;
}

/* When none is about to be started again.
 *
 * Returns: (nullable): the children */
static GArray *
look (void)
{
  for (;;) {
    GArray *infos = supervisor_which_children (tree.pid, NULL);
    gboolean is_quiet = TRUE;

    for (guint i = 0; infos != NULL && i < infos->len; i++)
      is_quiet &= !g_array_index (infos, ChildInfo, i).is_restarting;
    if (is_quiet)
      return infos;
    g_array_unref (infos);
  }
}

/* Returns: whether the supervisor lives; then its children are as expected */
static gboolean
compare (void)
{
  g_autoptr (GArray) infos = look ();
  guint n = 0;

  if (infos == NULL) {
    g_assert_cmpuint (tree.most_restarts, >, tree.max_restarts);
    return FALSE;
  }
  g_assert_cmpuint (tree.least_restarts, <=, tree.max_restarts);
  for (guint i = 0; i < tree.n_rows; i++) {
    Row *row = &tree.rows[i];
    const ChildInfo *info = &g_array_index (infos, ChildInfo, n);

    if (row->is_gone)
      continue;
    g_assert_cmpuint (n, <, infos->len);
    g_assert_cmpint (info->pid != PID_NONE, ==, row->is_running);
    if (row->is_running) {
      g_assert_cmpint (info->pid != row->pid, ==, row->is_new);
      g_assert_true (process_is_alive (info->pid));
      row->pid = info->pid;
    }
    row->is_new = FALSE;
    tree.rows[n++] = *row;
  }
  g_assert_cmpuint (n, ==, infos->len);
  tree.n_rows = n;
  return TRUE;
}

static void
start_tree (void)
{
  static const char *const ids[MAX_CHILDREN] = { "a", "b", "c", "d" };
  ChildSpec children[MAX_CHILDREN];
  SupervisorSpec spec = { .strategy = (Strategy) test_random (4),
                          .max_restarts = test_random (7),
                          .max_seconds = 100000,
                          .children = children,
                          .n_children = 1 + test_random (MAX_CHILDREN) };
  gboolean is_simple = spec.strategy == STRATEGY_SIMPLE_ONE_FOR_ONE;

  memset (&play, 0, sizeof play);
  memset (&tree, 0, sizeof tree);
  tree.strategy = spec.strategy;
  tree.max_restarts = spec.max_restarts;
  tree.n_rows = (guint) spec.n_children;
  if (is_simple)
    spec.n_children = 1;
  for (guint i = 0; i < spec.n_children; i++)
    children[i] = choose_child (ids[i]);
  tree.pid = supervisor_start (&spec, NULL);
  for (guint i = 0; i < tree.n_rows; i++) {
    const ChildSpec *child = &children[is_simple ? 0 : i];

    tree.rows[i] = (Row) { .id = ids[i],
                           .restart = child->restart,
                           .is_team = child->is_supervisor,
                           .is_running = TRUE,
                           .is_new = TRUE };
    if (is_simple)
      supervisor_start_child (tree.pid, NULL, NULL);
  }
  g_assert_true (compare ());
}

static gboolean
is_for_one (void)
{
  return tree.strategy == STRATEGY_ONE_FOR_ONE
         || tree.strategy == STRATEGY_SIMPLE_ONE_FOR_ONE;
}

static gboolean
is_started_again (const Row *row, Reason reason)
{
  return row->restart == RESTART_PERMANENT
         || (row->restart == RESTART_TRANSIENT && reason != REASON_NORMAL);
}

static void
expect_end (guint first, gboolean is_restart)
{
  guint end = tree.n_rows;

  if (!is_restart || is_for_one ())
    end = first + 1;
  else if (tree.strategy == STRATEGY_ONE_FOR_ALL)
    first = 0;
  for (guint i = first; i < end; i++) {
    Row *row = &tree.rows[i];

    row->is_gone |= row->restart == RESTART_TEMPORARY
                    || (!is_restart
                        && tree.strategy == STRATEGY_SIMPLE_ONE_FOR_ONE);
    row->is_running = row->is_new = is_restart && !row->is_gone;
  }
}

static void
tell_child_to_end (const Row *row, Reason reason)
{
  if (row->is_team)
    tree.had_orphans = TRUE;
  if (reason == REASON_KILL)
    process_exit (row->pid, reason);
  else
    gen_server_cast (row->pid, pack_stop (reason == REASON_NORMAL));
}

/* One, or two at a time: the second's end may come while the first is started
 * again, and its EXIT when it is not the same any more. */
static void
end_children (guint n_victims)
{
  guint first = test_random (tree.n_rows), n = 0, n_restarts = 0;
  Reason reasons[MAX_CHILDREN] = { 0 };

  for (guint k = 0; k < tree.n_rows && n < n_victims; k++) {
    guint i = (first + k) % tree.n_rows;
    const Row *row = &tree.rows[i];

    if (!row->is_running)
      continue;
    n++;
    reasons[i] = row->is_team || test_random (2) == 0 ? REASON_KILL
                 : test_random (2) == 0               ? REASON_NORMAL
                                                      : sent;
    n_restarts += is_started_again (row, reasons[i]);
  }
  if (n_victims == 1 && n_restarts == 1 && test_random (4) == 0) {
    n_restarts++;
    g_atomic_int_set (&play.is_to_fail, TRUE);
  }
  tree.most_restarts += n_restarts;
  if (n_victims == 2 && n_restarts == 2 && !is_for_one ())
    n_restarts = 1; /* the other may have been stopped, or was */
  tree.least_restarts += n_restarts;

  for (guint i = 0; i < tree.n_rows; i++)
    if (reasons[i] != 0)
      tell_child_to_end (&tree.rows[i], reasons[i]);
  for (guint i = 0; i < tree.n_rows; i++)
    if (reasons[i] != 0)
      g_assert_true (process_wait_end (tree.rows[i].pid, test_limit ()));
  for (gboolean is_restart = FALSE; is_restart <= TRUE; is_restart++)
    for (guint i = 0; i < tree.n_rows; i++)
      if (reasons[i] != 0
          && is_started_again (&tree.rows[i], reasons[i]) == is_restart)
        expect_end (i, is_restart);
}

static void
end_on_request (void)
{
  guint i = test_random (tree.n_rows);
  const Row *row = &tree.rows[i];

  if (tree.strategy == STRATEGY_SIMPLE_ONE_FOR_ONE)
    g_assert_true (supervisor_terminate_pid (tree.pid, row->pid, NULL));
  else
    g_assert_true (supervisor_terminate_child (tree.pid, row->id, NULL));
  expect_end (i, FALSE);
  if (!row->is_gone && test_random (2) == 0) {
    supervisor_restart_child (tree.pid, row->id, NULL);
    tree.rows[i].is_running = tree.rows[i].is_new = TRUE;
  }
}

static void
test_supervisors (void)
{
  gboolean is_alive = TRUE, is_killed;
  Reason reason;

  start_tree ();
  process_monitor (tree.pid, NULL);
  for (guint n = test_random (6); n > 0 && is_alive && tree.n_rows > 0; n--) {
    if (test_random (5) == 0)
      end_on_request ();
    else
      end_children (1 + test_random (2));
    is_alive = compare ();
  }
  is_killed = is_alive && test_random (2) == 0;
  if (is_killed) {
    if (tree.n_rows > 0)
      process_exit (tree.rows[0].pid, REASON_KILL);
    process_exit (tree.pid, REASON_KILL);
  } else {
    supervisor_stop (tree.pid, -1);
  }
  reason = test_receive (PROCESS_DOWN).reason;
  g_assert_true (reason == REASON_SHUTDOWN
                 || (is_killed && reason == REASON_KILLED));
  for (gint i = 0; i < g_atomic_int_get (&play.n_leaves); i++)
    if (!is_killed && !tree.had_orphans)
      g_assert_false (process_is_alive (play.leaves[i].pid));
  check_parcels ();
  wait_until_alone ();
  check_leaves ();
}

#define ADD(path, name) test_add_simulated ("/trees/" path, test_##name)

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);

  sent = g_quark_from_static_string ("sent");
  for (int i = 0; i <= A_LEAF; i++) {
    g_autofree char *reason = g_strdup_printf ("actor %d stopped", i);

    own[i] = g_quark_from_string (reason);
  }
  ADD ("links", links);
  ADD ("monitors", monitors);
  ADD ("calls", calls);
  ADD ("names", names);
  ADD ("everything", everything);
  ADD ("supervisors", supervisors);
  return test_run ();
}
