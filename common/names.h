/* Names: strings under which a process can be found.
 *
 * A name belongs to its process and is free again before anybody hears of the
 * process's death, so whoever is told may register its successor.
 */
#ifndef NAMES_H
#define NAMES_H

#include "process.h"

#define NAMES_ERROR (names_error_quark ())
GQuark names_error_quark (void);

/**
 * NamesError:
 * @NAMES_ERROR_TAKEN: another process has that name
 * @NAMES_ERROR_NAMED: the process already has a name
 * @NAMES_ERROR_NOPROC: the process is dead, or the one that asks is
 */
typedef enum {
  NAMES_ERROR_TAKEN,
  NAMES_ERROR_NAMED,
  NAMES_ERROR_NOPROC
} NamesError;

/**
 * process_register:
 * @name: a name
 * @pid: a process
 * @error: (nullable): where to say why not
 *
 * Gives a process its name; Erlang's `register`.  A process has one name at
 * the most.
 *
 * Returns: whether @pid has that name now; else nothing has changed
 */
gboolean process_register (const char *name, Pid pid, GError **error);

/**
 * process_unregister:
 * @name: a name
 *
 * Returns: whether a process had that name
 */
gboolean process_unregister (const char *name);

/**
 * process_whereis:
 * @name: a name
 *
 * Returns: who has that name, or %PID_NONE
 */
Pid process_whereis (const char *name);

/**
 * process_get_name:
 * @pid: a pid
 *
 * Returns: (transfer full) (nullable): the name @pid is registered under
 */
char *process_get_name (Pid pid);

#endif
