/* slot: where a process lives, and how it ends.  Private to common/.
 *
 * A slot is never given back to the C library, only to the next process; so a
 * stale pid always leads to a slot, and the slot's lock and its present pid
 * tell that the one who is meant has gone.
 *
 * The lock is the mailbox's.  Nobody holds two: what concerns two processes is
 * done on one's own side first, then on the other's, and then one looks again
 * whether one has died meanwhile.
 */
#ifndef SLOT_H
#define SLOT_H

#include "bonds.h"
#include "process.h"
#include "scheduler.h"

typedef struct Process Process;
typedef struct ThisThread ThisThread;
typedef struct Envelope Envelope;

/* What a process is made of.  A server is handed its messages; a function only
 * the first one, and a plain thread none: they receive. */
typedef struct {
  gboolean   is_server;
  void     (*run)      (Process *process); /* HOLDS its lock, gives it back */
  void     (*handle)   (gpointer state, Envelope *envelope);
  gboolean (*is_short) (gpointer state, const Envelope *envelope);
  void     (*finalize) (gpointer state);
} ProcessClass;

typedef enum {
  MESSAGE_SENT,
  MESSAGE_CAST,
  MESSAGE_CALL,
  MESSAGE_START /* a call, and the first message that is handled at all */
} MessageKind;

/* The tags that follow PROCESS_EXIT are the runtime's own business; trace.c has
 * their names, in this order. */
enum { TAG_START = -3, TAG_STOP = -4, TAG_DESCRIBE = -5 };

/* A message on its way.  A DOWN, an EXIT of a link or a timer's message may
 * have been called off since: `accept` is asked when its turn has come, under
 * no lock, and never twice. */
struct Envelope {
  Message     message;
  MessageKind kind;
  gboolean  (*accept) (Pid receiver, const Message *message);
};

typedef enum { WAITS_FOR_NOTHING, WAITS_FOR_REPLY, WAITS_FOR_MESSAGE } Wait;

struct Process {
  Runnable     runnable;
  GAsyncQueue *mailbox; /* of Envelope; never changes */
  GList        link;    /* among the free slots, or one thread's dead */

  /* constant while it is alive: */
  const ProcessClass *klass;
  const char         *kind;
  gpointer            data; /* the class's state */
  Pid                 parent;
  guint64             born; /* later ones have a higher one */

  /* atomic, and changed under the lock: */
  Pid  pid;
  gint is_alive;

  /* the lock protects: */
  ProcessState state;
  gboolean is_in_line; /* the scheduler has it, maybe since its last life */
  const ThisThread *keeper; /* in whose own line it is, maybe since then, too */
  gboolean traps_exits;
  gboolean is_told;       /* whoever wanted to know of its end does */
  gboolean awaits_burial; /* a shared thread shall finalize it */
  Reason reason;          /* why it ended */
  gboolean has_runner;    /* a handler ran when it died: it finalizes */
  guint n_holders;        /* once dead: its teller, and that runner */
  Bonds bonds;            /* once dead, its teller's */
  gboolean is_starting;   /* it has not handled its MESSAGE_START yet; … */
  GQueue early;           /* … meanwhile others' envelopes wait here */
  void (*forget_name) (Pid pid);
  GCancellable *cancellable;
  char *label; /* what it says of itself */
  Wait waits_for;
  Pid waits_on; /* whose reply, or end, that is */
  Pid lender;   /* while it runs: on whose thread, or PID_NONE */
  Parker *parker;
  Ref call;       /* what it waits for an answer to, or 0; atomic */
  Message *reply; /* where that answer goes */

  /* only its runner touches: */
  Reason stop; /* why it shall end when its handler returns */
};

/* What a thread knows of itself. */
struct ThisThread {
  Process *current; /* who runs here */
  guint    n_lent;  /* how deep calls are nested on it */
  GQueue   dead;    /* Process, to be told of */
  gboolean is_telling;
  gboolean has_own_line; /* who comes in line on it is run by it, … */
  GQueue   own_line;     /* … Process: these */
  gboolean has_ended;
};

extern _Thread_local ThisThread this_thread;

/* A new process, alive, with @data as its class's state.  It does nothing
 * before it is sent a MESSAGE_START; a plain thread runs already. */
Process *slot_new (const ProcessClass *klass, const char *kind, gpointer data,
                   Pid parent);

/* Who runs here; a plain thread becomes a process.  Never NULL: a thread that
 * is past its end is a process that is dead. */
Process *slot_current (void);

/* The process of that pid, alive and locked, or NULL. */
Process *slot_lock_alive (Pid pid);

/* The same, dead or alive, as long as there are things to tell of its end. */
Process *slot_lock_untold (Pid pid);

void slot_lock (Process *process);
void slot_unlock (Process *process);

#define slot_is_alive(process) (g_atomic_int_get (&(process)->is_alive) != 0)

/* Whether a process still waits for the answer to that request. */
#define slot_has_call(process, ref) \
  ((Ref) g_atomic_pointer_get (&(process)->call) == (ref))
#define slot_set_call(process, ref) \
  g_atomic_pointer_set (&(process)->call, (ref))

/* Puts a process in line for a shared thread, or for this one.  HOLDS its lock
 * and gives it back. */
void slot_queue (Process *process);

/* Stops running a process: it may have to end, or to stand in line again.
 * HOLDS its lock and gives it back. */
void slot_release (Process *process);

/* Ends a process: HOLDS its lock, gives it back, and tells everybody. */
void slot_end (Process *process, Reason reason);

/* Whether a process has yet to return from its first handler, or to be gone
 * when it is dead. */
gboolean slot_has_init_to_run (Pid pid);

/* The first message has been handled: now what others have sent may come. */
void slot_open_mailbox (Process *process);

/* Waits on behalf of @self, whose lock it HOLDS, but not while it waits, for
 * something of @whom's. */
void slot_park (Process *self, Wait what, Pid whom, gint64 deadline);

/* HOLDS @process's lock. */
void slot_wake (Process *process, Wait what);

/* Takes a bond away from @pid, if that is alive and the bond has this ref; 0
 * stands for any.  Returns: whether it had it */
gboolean slot_drop_bond (Pid pid, guint64 key, Ref ref);

/* From now on, some servers that are short and come in line on this thread wait
 * until it runs them itself, but for those whose turn comes after a limit.
 *
 * Returns: whether it may, and has to */
gboolean slot_open_own_line (void);
void slot_run_own_line (gint64 limit);

/* A number that was never used before, and is no pid. */
Ref slot_new_ref (void);

/* Calls a function with each slot that was ever used, locked. */
void slot_foreach (void (*func) (Process *process, gpointer data),
                   gpointer data);

/* How many processes have died and are not gone yet. */
gint slot_count_dying (void);

/* Frees what nobody will handle. */
void slot_drop_message (Pid receiver, Envelope *envelope);

#endif
