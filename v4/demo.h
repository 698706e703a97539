/* What the two halves of the demo share. */
#ifndef DEMO_H
#define DEMO_H

#include "workers.h"

#define CHUCK_MOST (CHUCK_SIZE + CHUCK_OVERFLOW)

/* What must happen soon is awaited so long. */
#define SETTLE_MS 10000

/* demo.c: telling what happens */

void title (const char *text);
void print_tree (void);
void print_status (const char *pool);
void tell (const char *call, const char *pool, const GError *error);

/* Each of these tells what has become of it. */

Pid checkout (const char *pool);
void fetch (Pid worker);

/* Those of ChuckNorris. */
void checkout_all (Pid *workers, guint n_workers);
void checkin_all (const Pid *workers, guint n_workers);

/* Returns: a consumer that stands in ChuckNorris' line, after all that did so
 * before */
Pid get_in_line (void);

/* Waits until the next consumer has a worker, or an error. */
void hear_of_service (void);

/* Waits for its end, and with it ends its loan. */
void let_go (Pid consumer);

/* demo_killings.c: the second half's acts */

void kill_one_after_the_other (void);
/* Returns: whether there was one to lose */
gboolean lose_the_database (const char *text);
void use_what_was_given_back (void);

#endif
