/* trace: what happens between processes, a line an event.  Private to common/.
 *
 * With POOLY_TRACE=1 in the environment any program writes to stderr, as it
 * goes:
 *
 *   time (ms)  who                      event     whom: what
 *       0.000  main <1.1>               call      counter <2.1>: ADD 5
 *       0.000  counter <2.1>            handle    main <1.1>: ADD 5
 *
 * In a simulation the time is virtual.  There is nothing else in it but names,
 * pids and messages, so that one run's trace can be compared with another's.
 */
#ifndef TRACE_H
#define TRACE_H

#include "process.h"

extern gint trace_is_on; /* atomic; gen_server_trace() switches it */

/* Says that @who does, or is, @event: to @whom, unless that is PID_NONE. */
#define trace(...) trace_if_on (trace_event, __VA_ARGS__)

/* The same of a message, in the words of @server, whose tags it has. */
#define trace_message(...) trace_if_on (trace_message_event, __VA_ARGS__)

/* How @pid is called from now on. */
#define trace_name(...) trace_if_on (trace_set_name, __VA_ARGS__)

/* The same by its label: by what stands there before a comma. */
#define trace_label(...) trace_if_on (trace_set_label, __VA_ARGS__)

/* The words for its own tags, from 1 on, with spaces between them. */
#define trace_tags(...) trace_if_on (trace_set_tags, __VA_ARGS__)

#define trace_if_on(func, ...) \
  do { \
    if (G_UNLIKELY (g_atomic_int_get (&trace_is_on))) \
      func (__VA_ARGS__); \
  } while (0)

/* Has @write write each line from now on, instead of to stderr.  It must not trace. */
void trace_write_by (void (*write) (const char *line));

/* Forgets everybody's name and tags, the dead's too. */
void trace_forget (void);

void trace_event (Pid who, const char *event, Pid whom, const char *what);
void trace_message_event (Pid who, const char *event, Pid whom,
                          const Message *message, Pid server);
void trace_set_name (Pid pid, const char *name);
void trace_set_label (Pid pid, const char *label);
void trace_set_tags (Pid pid, const char *tags);

#endif
