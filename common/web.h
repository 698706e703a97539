/* web: the supervision tree as a page in a browser, live.
 *
 * The page is served on loopback only.  It shows what observer_look() sees, and
 * numbers of the program's own; one can kill whom it shows, and watch what
 * becomes of that under load.
 */
#ifndef WEB_H
#define WEB_H

#include "process.h"

#define WEB_PORT 4040

/**
 * WebProgram:
 * @title: what stands above the page
 * @start: starts the processes that are to be seen, and waits until they are
 *   ready; also again, when their last supervisor was killed
 * @gauges: (array zero-terminated=1): the names of what has numbers
 * @write_gauge: writes the numbers of one of them as members of a JSON object:
 *   `"idle": 1, "busy": 2`.  Returns: whether there are any now
 * @load: what makes load: borrows and gives back, again and again, for as long as
 *   web_rest() says so.  It runs as a process, or as several; each that is killed
 *   is replaced
 * @n_load: how many there are to begin with; the page changes that
 *
 * What is to be seen.
 */
typedef struct {
  const char *title;
  gboolean  (*start)       (GError **error);
  const char *const *gauges;
  gboolean  (*write_gauge) (const char *gauge, GString *json);
  ProcessFunc load;
  guint       n_load;
} WebProgram;

/**
 * web_run:
 * @program: what is to be seen
 * @port: where; 0 for any that is free
 * @error: (nullable): why the program can't start, or the page not be served
 *
 * Starts the program and serves the page, and says where on standard output,
 * until SIGINT or SIGTERM.  It does not stop what it has started.
 *
 * Returns: whether it was served
 */
gboolean web_run (const WebProgram *program, guint port, GError **error);

/**
 * web_main:
 * @program: what is to be seen
 * @argc: as main() got them: a port may be given
 * @argv: (array length=argc): as main() got them
 *
 * web_run() for main(), on %WEB_PORT unless told otherwise.
 *
 * Returns: the program's exit status
 */
int web_main (const WebProgram *program, int argc, char **argv);

/**
 * web_rest:
 * @duration_ms: how long, in milliseconds
 *
 * For a process that makes load, when it has given back what it had: has it wait.
 *
 * Returns: whether to go on; %FALSE: there shall be less load
 */
gboolean web_rest (guint duration_ms);

#endif
