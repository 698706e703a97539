/* Processes: a pid, a mailbox, and someone to run them.
 *
 * A process is Erlang's: it shares nothing by intention, is reached by its
 * pid only, and dies without taking others along unless they asked for it
 * (signals.h).  It has no thread of its own: see INSIDE.md for who runs it.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <gio/gio.h>

/**
 * Pid:
 *
 * Names one process for ever: it may be copied, compared and kept, never
 * dangles, belongs to nobody, and is not given to another process later.
 * Whatever is asked of a dead pid, or of %PID_NONE, is safely without effect.
 */
typedef guint64 Pid;

#define PID_NONE ((Pid) 0)

/* A pid is 24 bits of slot and 40 of generation, printed as <slot.generation>:
 *   g_print ("started " PID_FORMAT "\n", PID_ARGS (pid)); */
#define PID_SLOT_BITS 24
#define PID_SLOT(pid) ((guint) ((pid) & ((1u << PID_SLOT_BITS) - 1)))
#define PID_GENERATION(pid) ((pid) >> PID_SLOT_BITS)
#define PID_FORMAT "<%u.%" G_GUINT64_FORMAT ">"
#define PID_ARGS(pid) PID_SLOT (pid), PID_GENERATION (pid)

/**
 * pid_parse:
 * @text: a pid as it is printed, or without the brackets, and nothing else
 * @pid: (out): the pid; on failure it is left alone
 *
 * Reads what a person, or another program, has written.
 *
 * Returns: whether @text is a pid that some process may have, or have had
 */
gboolean pid_parse (const char *text, Pid *pid);

/* As integers are put into GLib's containers; 64-bit machines only. */
#define PID_TO_POINTER(pid) ((gpointer) (guintptr) (pid))
#define POINTER_TO_PID(pointer) ((Pid) (guintptr) (pointer))
G_STATIC_ASSERT (sizeof (gpointer) == sizeof (Pid));

/**
 * Ref:
 *
 * Names one monitor, timer or request for ever; 0 names none.
 */
typedef guint64 Ref;

/**
 * Reason:
 *
 * Why a process ended: a #GQuark, which is GLib's atom.  A program makes its
 * own with g_quark_from_static_string().
 */
typedef GQuark Reason;

extern Reason REASON_NORMAL;   /* its work was done */
extern Reason REASON_SHUTDOWN; /* its supervisor, or the program, stopped it */
extern Reason REASON_KILL;     /* as a signal: can't be trapped */
extern Reason REASON_KILLED;   /* what became of whom REASON_KILL has hit */
extern Reason REASON_NOPROC;   /* it was dead before the question was asked */

/**
 * Message:
 * @tag: what it is; a program's own tags start at 1, the runtime's are negative
 * @sender: who sent it; set by the runtime
 * @pid: a process it speaks of
 * @ref: a monitor, timer or request it speaks of
 * @reason: why @pid ended
 * @number: a number
 * @data: (nullable): whatever else there is to say
 * @free_data: (nullable): frees @data
 *
 * A small value.  Sending one gives @data away, whether or not somebody
 * receives it: the runtime calls @free_data when the handler has returned, or
 * when nobody will read the message any more.
 *
 * The half words come last: so a message that was written just now is copied
 * without waiting, and a check-out is a tenth faster.
 */
typedef struct {
  Pid            sender;
  Pid            pid;
  Ref            ref;
  gint64         number;
  gpointer       data;
  GDestroyNotify free_data;
  int            tag;
  Reason         reason;
} Message;

/* The runtime's own tags.  See process_monitor() and process_trap_exits(). */
enum { PROCESS_DOWN = -1, PROCESS_EXIT = -2 };

/**
 * message_take_data:
 * @message: a message in its receiver's hands
 *
 * Takes the data out, so that the runtime does not free it.
 *
 * Returns: (transfer full) (nullable): the message's data
 */
gpointer message_take_data (Message *message);

/**
 * message_error:
 * @tag: what it is
 * @error: (transfer full): what went wrong
 *
 * Returns: a message with @error as its data
 */
Message message_error (int tag, GError *error);

/**
 * message_clear:
 * @message: a message
 *
 * Frees the message's data.  For messages that process_receive() and
 * gen_server_call() have handed out; `g_auto(Message)` does it by itself.
 */
void message_clear (Message *message);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Message, message_clear)

/**
 * process_self:
 *
 * Inside a handler this is the process that handles the message, whoever's
 * thread it runs on.  A plain thread, `main` included, becomes a process when
 * it first asks, and ends as one with %REASON_NORMAL when the thread ends.
 *
 * Returns: the pid of the process that runs here
 */
Pid process_self (void);

/**
 * process_is_alive:
 * @pid: a pid
 *
 * The answer may be out of date when you read it; a monitor is better.
 *
 * Returns: whether @pid is a process that has not been told to die
 */
gboolean process_is_alive (Pid pid);

/**
 * process_is_idle:
 * @pid: a pid
 *
 * As with process_is_alive(), the answer may be out of date when you read it.
 *
 * Returns: whether @pid is alive, runs nothing and has nothing to do
 */
gboolean process_is_idle (Pid pid);

/**
 * process_is_dying:
 *
 * A C thread can't be killed.  A process that is told to die while its
 * handler runs is dead for everybody else at once.  The handler runs on, but
 * what it sends, answers, links, monitors or registers is dropped, and its
 * calls fail.  One that works for long may look here and return early.
 *
 * Returns: whether the process that runs here has been told to die
 */
gboolean process_is_dying (void);

/**
 * process_cancellable:
 *
 * For GIO: it is cancelled when the process is told to die.
 *
 * Returns: (transfer none) (nullable): valid until the handler, or function,
 *   returns; %NULL on a thread that is past its end
 */
GCancellable *process_cancellable (void);

/**
 * process_sleep:
 * @duration_ms: how long, in milliseconds
 *
 * Has the process that runs here wait; Erlang's `timer:sleep`.  One that is
 * told to die wakes up.
 *
 * Returns: whether the time is over; %FALSE: it was told to die
 */
gboolean process_sleep (guint duration_ms);

/**
 * process_set_label:
 * @label: (nullable): a few words, in place of those before
 *
 * Has the process that runs here say what it is, or is doing, to whoever looks
 * at it; OTP's `proc_lib:set_label`.  For functions and threads: a gen_server
 * has its class's `describe`.  In a trace it is called by what stands before a
 * comma: "consumer, rests" is a consumer.
 */
void process_set_label (const char *label);

/**
 * ProcessFunc:
 * @data: what was given to process_spawn()
 *
 * A function that is a process.  It may block and receive, and ends with
 * %REASON_NORMAL when it returns.
 */
typedef void (*ProcessFunc) (gpointer data);

/**
 * process_spawn:
 * @func: what the process does
 * @data: (nullable) (transfer full): handed to @func
 * @free_data: (nullable): frees @data after @func, or when it was never run
 *
 * Runs a function as a process, on a shared thread; Erlang's `spawn`.
 *
 * Returns: the new process; one that is dead if who asks has been told to die
 */
Pid process_spawn (ProcessFunc func, gpointer data, GDestroyNotify free_data);

/**
 * process_spawn_monitor:
 * @func: what the process does
 * @data: (nullable) (transfer full): handed to @func
 * @free_data: (nullable): frees @data after @func, or when it was never run
 * @cookie: (nullable): see process_monitor()
 * @ref: (out) (optional): the monitor
 *
 * Like process_spawn(), monitored from before its first moment, so that the
 * DOWN has the reason it ended with however soon that was.
 *
 * Returns: the new process
 */
Pid process_spawn_monitor (ProcessFunc func, gpointer data,
                           GDestroyNotify free_data, gpointer cookie, Ref *ref);

/**
 * process_send:
 * @pid: who shall get it
 * @message: the message; its data is given away
 *
 * Puts a message into a mailbox, and does not wait.  One process's messages to
 * another arrive in the order in which they were sent.
 */
void process_send (Pid pid, Message message);

/**
 * process_send_after:
 * @pid: who shall get it
 * @message: the message; its data is given away, its `ref` is set to the timer
 * @delay_ms: when, in milliseconds from now
 *
 * Sends a message later, once; Erlang's `start_timer`.
 *
 * Returns: the timer
 */
Ref process_send_after (Pid pid, Message message, guint delay_ms);

/**
 * process_cancel_timer:
 * @timer: what process_send_after() gave
 *
 * After this the message is not delivered, even where it already lies in the
 * mailbox (Erlang's does not promise that much).
 *
 * Returns: whether there was a message left to stop
 */
gboolean process_cancel_timer (Ref timer);

/**
 * process_receive:
 * @message: (out): the oldest message in the mailbox; message_clear() it.
 *   Zeroed when there is none
 * @timeout_ms: how long to wait, in milliseconds; -1 for ever, 0 not at all
 *
 * Takes a message out of one's own mailbox, in the order of arrival.  For
 * functions and plain threads: never in a gen_server, which is handed its
 * messages.  One that is told to die stops waiting.
 *
 * Returns: whether there was a message in time
 */
gboolean process_receive (Message *message, int timeout_ms);

/**
 * ProcessState:
 * @PROCESS_IDLE: nothing to do
 * @PROCESS_QUEUED: has messages, and waits for a thread
 * @PROCESS_RUNNING: a thread runs it
 * @PROCESS_ZOMBIE: told to die, but not finalized yet
 */
typedef enum {
  PROCESS_IDLE,
  PROCESS_QUEUED,
  PROCESS_RUNNING,
  PROCESS_ZOMBIE
} ProcessState;

/**
 * ProcessInfo:
 * @pid: the process
 * @parent: who start_linked it, or %PID_NONE
 * @born: grows with each process that is made
 * @kind: its gen_server class, or "function", "task" or "thread"
 * @state: what it is doing
 * @n_messages: how many lie in its mailbox
 * @waits_on: whose reply, or end, it waits for, or %PID_NONE
 * @lender: who lends it the thread that it runs on, and goes on when it is
 *   done, or %PID_NONE
 * @is_receiving: whether it waits for a message
 * @label: (nullable): what it has said by process_set_label()
 */
typedef struct {
  Pid          pid;
  Pid          parent;
  guint64      born;
  const char  *kind;
  ProcessState state;
  guint        n_messages;
  Pid          waits_on;
  Pid          lender;
  gboolean     is_receiving;
  char        *label;
} ProcessInfo;

/**
 * process_list:
 *
 * For observers.  Nothing stands still meanwhile.
 *
 * Returns: (transfer full) (element-type ProcessInfo): alive or zombie, in
 *   the order in which they were made
 */
GArray *process_list (void);

#endif
