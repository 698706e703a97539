/* What the test programs share: limits that fail instead of hanging, gates in
 * place of sleeps, and an end that lets nothing be left behind.
 *
 * LIMIT in the environment multiplies every limit, for slow machines and slow
 * tools; POOLY_TEST_SCALE is the share, in percent, of the large counts.
 */
#ifndef HELPER_H
#define HELPER_H

#include "gen_server.h"
#include "names.h"
#include "signals.h"

/**
 * test_limit:
 *
 * Returns: in milliseconds, how long what must happen may take: ten seconds,
 *   times LIMIT.  In a simulation -1, for ever: any limit may strike there, and
 *   who waits for ever is found out at once
 */
int test_limit (void);

/**
 * test_scaled:
 * @count: how many there should be
 *
 * Returns: @count times POOLY_TEST_SCALE percent; not less than ten, unless
 *   @count is
 */
guint test_scaled (guint count);

/**
 * test_end:
 *
 * The last line of every test: fails when somebody else is alive or not yet
 * finalized, or a message that was not expected lies in one's own mailbox.
 */
void test_end (void);

/**
 * test_count:
 * @counter: a #gint
 *
 * A #GDestroyNotify that counts: `.data = &freed, .free_data = test_count`.
 */
void test_count (gpointer counter);

/**
 * test_receive:
 * @tag: what must come next
 *
 * Returns: the oldest message in one's own mailbox; fails when none comes, or
 *   another
 */
#define test_receive(tag) test_receive_at (tag, __FILE__, __LINE__, G_STRFUNC)
Message test_receive_at (int tag, const char *file, int line, const char *func);

/**
 * test_call:
 * @server: whom to ask
 * @request: what to ask
 *
 * Returns: the answer; fails when there is none
 */
Message test_call (Pid server, Message request);

/**
 * test_wait_messages:
 * @pid: a process that is busy
 * @n_messages: how many must lie in its mailbox
 *
 * Waits until they do.  For the one thing that no gate can tell: that another
 * thread's call is waiting now.
 */
void test_wait_messages (Pid pid, guint n_messages);

/**
 * test_wait_idle:
 * @pid: a process that will have nothing to do
 *
 * Waits until no handler of it runs: its answer comes before its handler has
 * returned.
 */
void test_wait_idle (Pid pid);

/**
 * test_spin:
 * @duration_us: how long, in microseconds
 *
 * Works for nothing, so that others are met at one moment or another.  (On a
 * machine that is busy, giving the processor away could take much longer.)
 */
void test_spin (guint duration_us);

/**
 * test_on_small_stack:
 * @func: what to do
 * @data: (nullable): handed to @func
 *
 * Does something on a thread with a stack of 256 KB, and waits for it: what
 * takes more with each round finds no room there.
 */
void test_on_small_stack (GThreadFunc func, gpointer data);

/**
 * test_resident_bytes:
 *
 * Returns: how much memory the program takes, or -1 where that says nothing:
 *   under a sanitizer or valgrind, or where nobody knows
 */
gint64 test_resident_bytes (void);

/**
 * Gate:
 *
 * Who comes to it waits until somebody opens it.  Make it `static`.
 */
typedef struct {
  GMutex   mutex;
  GCond    cond;
  gboolean is_open; /* protected by mutex, cond */
} Gate;

#define gate_wait(gate) gate_wait_at (gate, __FILE__, __LINE__, G_STRFUNC)
void gate_wait_at (Gate *gate, const char *file, int line, const char *func);
void gate_open (Gate *gate);
void gate_reset (Gate *gate);
gboolean gate_is_open (Gate *gate);

/**
 * Door:
 *
 * Where a handler stands while the test does something to its process:
 * door_stand() opens @entered and waits for @leave.  Make it `static`.
 */
typedef struct {
  Gate entered;
  Gate leave;
} Door;

void door_stand (Door *door);

/**
 * Caller:
 * @server: whom to call
 * @request: with what
 * @timeout_ms: for how long
 * @pid: who calls
 * @answered: what gen_server_call() has returned
 * @reply: its reply
 * @error: (nullable) (owned): its error
 *
 * A plain thread that makes one call.
 */
typedef struct {
  Pid      server;
  Message  request;
  int      timeout_ms;
  Pid      pid;
  gboolean answered;
  Message  reply;
  GError  *error;
  GThread *thread;
  Gate     started;
} Caller;

/**
 * caller_start:
 * @server: whom to call
 * @request: with what
 * @timeout_ms: for how long
 *
 * Returns: (transfer full): the caller, with its @pid; caller_free() it
 */
Caller *caller_start (Pid server, Message request, int timeout_ms);

/**
 * caller_wait:
 * @caller: a caller
 *
 * Waits until its call has returned and its thread has ended.
 */
void caller_wait (Caller *caller);

/**
 * caller_free:
 * @caller: a caller that was waited for
 */
void caller_free (Caller *caller);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Caller, caller_free)

#endif
