/* request: asks a process something and waits for the answer.  Private to
 * common/.
 *
 * A process waits for one answer at a time.  Whether the answer or the time
 * limit came first is decided once, under the lock of who waits.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "gen_server.h"
#include "slot.h"

typedef enum {
  REQUEST_ANSWERED,
  REQUEST_NOPROC, /* there was nobody to ask */
  REQUEST_DOWN, /* it died, or this process was told to: the answer's reason */
  REQUEST_TIMEOUT
} RequestResult;

/* Sends a message as a call or a start, maybe lending this thread to whoever is
 * asked; its data is given away. */
RequestResult request_call (Pid pid, Envelope envelope, gint64 deadline,
                            Message *answer);

/* Sends nothing, and has REQUEST_DOWN for an answer. */
RequestResult request_end (Pid pid, gint64 deadline, Message *answer);

/* What gen_server_reply() does, but also in the name of the dead. */
gboolean request_answer (From from, Message answer);

/* Answers the call of the process that runs here once that stops running: by
 * the tag 0, or PROCESS_DOWN when it was told to die meanwhile. */
void request_answer_when_released (From from);

/* The earlier of a call's own limit and that of the call which lent this
 * thread. */
gint64 request_deadline (int timeout_ms);

#endif
