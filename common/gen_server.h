/* gen_server: a process with a state, and a function for each kind of message.
 *
 * What every server does alike stands here once: starting so that the starter
 * knows whether it worked, calls with their replies and limits, stopping.
 * What makes a server this server is its class, a struct of functions.
 */
#ifndef GEN_SERVER_H
#define GEN_SERVER_H

#include "process.h"

#define GEN_SERVER_ERROR (gen_server_error_quark ())
GQuark gen_server_error_quark (void);

/**
 * GenServerError:
 * @GEN_SERVER_ERROR_NOPROC: there was no such process when it was called
 * @GEN_SERVER_ERROR_DOWN: the server died before it answered, or the caller
 *   itself was told to die; the reply's `reason` says why
 * @GEN_SERVER_ERROR_TIMEOUT: no answer came in time
 * @GEN_SERVER_ERROR_CALLING_SELF: a server can't wait for itself
 * @GEN_SERVER_ERROR_INIT: the server died before its init was done
 *
 * Why a call, or a start, failed.
 */
typedef enum {
  GEN_SERVER_ERROR_NOPROC,
  GEN_SERVER_ERROR_DOWN,
  GEN_SERVER_ERROR_TIMEOUT,
  GEN_SERVER_ERROR_CALLING_SELF,
  GEN_SERVER_ERROR_INIT
} GenServerError;

/**
 * From:
 * @pid: who called
 * @ref: which of its calls
 *
 * Whom to answer.  It may be kept, and answered later or by another process.
 */
typedef struct {
  Pid pid;
  Ref ref;
} From;

/**
 * GenServerClass:
 * @name: what observers show
 * @state_size: bytes of state, zeroed at the start, handed to every callback
 * @is_short: (nullable): promises that handling this message now waits for
 *   nothing but the answers of other short servers to its calls, so that a caller,
 *   or whoever ends a process, may run it on its own thread.  It is asked before,
 *   so let it go by what only the server's own callbacks change.  A class that has
 *   it promises the same for @init, @terminate and @finalize.  %NULL: never.
 * @init: (nullable): makes the state from @args; %FALSE, with an error set,
 *   when the server can't start
 * @handle_call: (nullable): answers by gen_server_reply(), now or later
 * @handle_cast: (nullable): handles what nobody waits for
 * @handle_info: (nullable): handles everything else: process_send(), timers,
 *   DOWN, EXIT
 * @terminate: (nullable): says good-bye.  As in OTP it is called when the
 *   server stops itself or is stopped and, when it traps exits, when its
 *   parent exits; not when it is killed
 * @finalize: (nullable): frees and closes what the state holds.  Always
 *   called, once, also when @init failed or never ran: then on zeroed fields.
 *   The process is dead by then: it can't send, nor call
 * @describe: (nullable): says how the server is doing, in a few words
 * @messages: (nullable): the names of its tags, from 1 on, with a space between
 *   them: for traces
 *
 * What makes a server this server; OTP's callback module.  The runtime frees a
 * message's data after the callback, unless it took it (message_take_data()).
 */
typedef struct {
  const char *name;
  gsize       state_size;
  gboolean  (*is_short)    (gconstpointer state, const Message *message);
  gboolean  (*init)        (gpointer state, gconstpointer args, GError **error);
  void      (*handle_call) (gpointer state, Message *request, From from);
  void      (*handle_cast) (gpointer state, Message *request);
  void      (*handle_info) (gpointer state, Message *message);
  void      (*terminate)   (gpointer state, Reason reason);
  void      (*finalize)    (gpointer state);
  void      (*describe)    (gpointer state, GString *text);
  const char *messages;
} GenServerClass;

/**
 * gen_server_start_link:
 * @klass: what it is
 * @name: (nullable): the name to register before @init runs
 * @args: (nullable): for @init; needed during this call only
 * @error: (nullable): @init's own error, or why it never got there
 *
 * Starts a server that is linked to the caller, its parent, and waits until
 * its @init has returned, also when the server or the caller is told to die
 * meanwhile.  When it fails, the server has been finalized, its name is free,
 * and no EXIT of it is left behind.
 *
 * Returns: the server, or %PID_NONE with @error set
 */
Pid gen_server_start_link (const GenServerClass *klass, const char *name,
                           gconstpointer args, GError **error);

/**
 * gen_server_start:
 * @klass: what it is
 * @name: (nullable): the name to register before @init runs
 * @args: (nullable): for @init
 * @error: (nullable): @init's own error, or why it never got there
 *
 * Like gen_server_start_link(), without a link and without a parent.
 *
 * Returns: the server, or %PID_NONE with @error set
 */
Pid gen_server_start (const GenServerClass *klass, const char *name,
                      gconstpointer args, GError **error);

/**
 * gen_server_call:
 * @server: whom to ask.  A function that is a process may be asked as well: it
 *   receives @request, and answers the #From of its `sender` and `ref`
 * @request: what to ask; its data is given away, whatever comes of the call
 * @timeout_ms: how long to wait, in milliseconds; -1 for ever, 0 not at all.
 *   While the server handles it on this very thread, being short, the limit is
 *   not looked at
 * @reply: (out) (optional): the answer; message_clear() it.  When the call
 *   fails it is cleared, but for the `reason` of %GEN_SERVER_ERROR_DOWN
 * @error: (nullable): a #GenServerError
 *
 * Asks a server and waits for its answer.  An answer that comes after the
 * limit is dropped.
 *
 * Returns: whether there is an answer
 */
gboolean gen_server_call (Pid server, Message request, int timeout_ms,
                          Message *reply, GError **error);

/**
 * gen_server_cast:
 * @server: whom to tell
 * @request: what to tell; its data is given away
 *
 * Tells a server something and does not wait.
 */
void gen_server_cast (Pid server, Message request);

/**
 * gen_server_reply:
 * @from: whom to answer
 * @reply: the answer; its data is given away
 *
 * Answers a call: from its handler, or later, or from another process.
 *
 * Returns: whether the caller took the answer: it is alive and still waited
 *   (Erlang can't say)
 */
gboolean gen_server_reply (From from, Message reply);

/**
 * gen_server_is_waiting:
 * @from: who has called
 *
 * To be asked before what is costly and for that caller alone.  Erlang can't say
 * this, either.
 *
 * Returns: whether the caller is alive and still waits, at this moment
 */
gboolean gen_server_is_waiting (From from);

/**
 * gen_server_continue:
 * @message: what to handle next; its data is given away
 *
 * Has the server whose handler runs here handle @message, by its handle_info,
 * before whatever has been sent to it; OTP's `{continue, Continue}`.
 */
void gen_server_continue (Message message);

/**
 * gen_server_stop:
 * @reason: why
 *
 * Stops the server whose handler runs here, once that handler has returned;
 * OTP's `{stop, Reason, State}`.  Inside @init it makes the start fail with
 * %GEN_SERVER_ERROR_INIT.
 */
void gen_server_stop (Reason reason);

/**
 * gen_server_stop_sync:
 * @server: who shall stop
 * @reason: why
 * @timeout_ms: how long to wait, in milliseconds; -1 for ever, 0 not at all
 * @error: (nullable): a #GenServerError
 *
 * Asks a server to stop, after what is in its mailbox, and waits until it has;
 * OTP's `gen_server:stop/3`.
 *
 * Returns: whether it has stopped for that reason
 */
gboolean gen_server_stop_sync (Pid server, Reason reason, int timeout_ms,
                               GError **error);

/**
 * gen_server_trace:
 * @is_on: whether to
 *
 * Has all that happens between processes written to stderr from now on, or not
 * any more; see trace.h.  With POOLY_TRACE=1 in the environment it is from the
 * beginning.
 */
void gen_server_trace (gboolean is_on);

/**
 * gen_server_describe:
 * @server: whom to ask
 * @timeout_ms: how long to wait, in milliseconds; -1 for ever, 0 not at all
 *
 * Returns: (transfer full) (nullable): what the server's class says of its
 *   state; %NULL when it says nothing, is busy, or is no server
 */
char *gen_server_describe (Pid server, int timeout_ms);

#endif
