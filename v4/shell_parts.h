/* What the shell's files give each other: the commands. */
#ifndef SHELL_PARTS_H
#define SHELL_PARTS_H

#include "internal.h"
#include "shell.h"

/* shell_pools.c: starting, stopping, and numbers. */

gboolean command_start (char **args, GError **error);
gboolean command_stop (char **args, GError **error);
gboolean command_status (char **args, GError **error);

/* Returns: (transfer full): the names of the pools that there are */
char **list_pools (void);

/* Returns: whether there is such a kind of worker; then @config has it */
gboolean set_kind (PoolyConfig *config, const char *kind, GError **error);

/* shell_loans.c: borrowing, and giving back. */

gboolean command_checkout (char **args, GError **error);
gboolean command_consumer (char **args, GError **error);
gboolean command_checkin (char **args, GError **error);

/* shell_ask.c: workers, and asking them. */

gboolean command_worker (char **args, GError **error);
gboolean command_digest (char **args, GError **error);
gboolean command_fact (char **args, GError **error);
gboolean command_query (char **args, GError **error);
gboolean command_transaction (char **args, GError **error);

#endif
