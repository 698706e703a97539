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
 * asked; its data is given away.  Without a message it waits for the end. */
RequestResult request (Pid pid, const Envelope *message, gint64 deadline,
                       Message *answer);

/* Whether who called still waits for an answer. */
gboolean request_is_open (From from);

/* What gen_server_reply() does, but also in the name of the dead. */
gboolean request_answer (From from, Message answer);

#endif
