/* What the shell's files give each other: the commands. */
#ifndef SHELL_PARTS_H
#define SHELL_PARTS_H

#include "internal.h"
#include "shell.h"

/* shell_pools.c: starting, stopping, and numbers. */

gboolean command_start (char **args, GError **error);
gboolean command_stop (char **args, GError **error);
gboolean command_status (char **args, GError **error);

/* shell_loans.c: borrowing, and giving back. */

gboolean command_checkout (char **args, GError **error);
gboolean command_consumer (char **args, GError **error);
gboolean command_checkin (char **args, GError **error);

/* shell_ask.c: workers, and asking them. */

gboolean command_worker (char **args, GError **error);
gboolean command_digest (char **args, GError **error);

#endif
