/* The tree is who has start_linked whom, as process_list() tells it.
 *
 * Whoever started it stands above a process for ever; when that one has gone,
 * what is left of its tree is drawn as a tree of its own, so that nobody is
 * missing.  A plain thread is shown where it stands above others or was asked
 * for: the rest of a program's threads are nobody's business here.
 */
#include "observer.h"

#include "gen_server.h"
#include "names.h"

#include <string.h>

#define DESCRIBE_MS 100
#define PATIENCE_MS 20 /* of a look, with all that are busy together */

static const char *
name_state (const ProcessInfo *info)
{
  static const char *const names[] = { "idle", "queued", "running", "zombie" };

  return info->is_receiving ? "receiving" : names[info->state];
}

/* Looking */

typedef struct {
  GArray     *list;     /* ProcessInfo, in the order of birth */
  GHashTable *children; /* Pid → GPtrArray of ProcessInfo */
  GHashTable *infos;    /* Pid → ProcessInfo, in the list */
  GPtrArray  *nodes;    /* what has been seen so far */
  guint       patience_ms;
} Tree;

static void
tree_init (Tree *self)
{
  self->list = process_list ();
  self->patience_ms = PATIENCE_MS;
  self->infos = g_hash_table_new (NULL, NULL);
  self->children = g_hash_table_new_full (NULL, NULL, NULL,
                                          (GDestroyNotify) g_ptr_array_unref);
  for (guint i = 0; i < self->list->len; i++) {
    ProcessInfo *info = &g_array_index (self->list, ProcessInfo, i);
    gpointer parent = PID_TO_POINTER (info->parent);
    GPtrArray *siblings = g_hash_table_lookup (self->children, parent);

    g_hash_table_insert (self->infos, PID_TO_POINTER (info->pid), info);
    if (siblings == NULL) {
      siblings = g_ptr_array_new ();
      g_hash_table_insert (self->children, parent, siblings);
    }
    g_ptr_array_add (siblings, info);
  }
}

static void
tree_clear (Tree *self)
{
  g_array_unref (self->list);
  g_hash_table_unref (self->infos);
  g_hash_table_unref (self->children);
}

static gboolean
is_server (const ProcessInfo *info)
{
  return !g_str_equal (info->kind, "function")
         && !g_str_equal (info->kind, "task")
         && !g_str_equal (info->kind, "thread");
}

/* A question to whoever is busy would wait in its mailbox, and the next look would
 * count it there. */
static gboolean
is_idle_soon (Tree *self, Pid pid)
{
  while (!process_is_idle (pid)) {
    if (self->patience_ms == 0 || !process_sleep (1))
      return FALSE;
    self->patience_ms--;
  }
  return TRUE;
}

static char *
describe (Tree *self, const ProcessInfo *info)
{
  if (info->state == PROCESS_ZOMBIE || !is_server (info))
    return g_strdup (info->label);
  if (!process_is_alive (info->pid))
    return NULL;
  if (!is_idle_soon (self, info->pid))
    return g_strdup ("busy");
  return gen_server_describe (info->pid, DESCRIBE_MS);
}

static char *
name_whom_it_waits_on (const Tree *self, Pid pid)
{
  const ProcessInfo *info = g_hash_table_lookup (self->infos,
                                                 PID_TO_POINTER (pid));
  g_autofree char *name = process_get_name (pid);

  if (pid == PID_NONE)
    return NULL;
  if (name == NULL && info != NULL)
    name = g_strdup (info->kind);
  return g_strdup_printf ("%s%s" PID_FORMAT, name != NULL ? name : "",
                          name != NULL ? " " : "", PID_ARGS (pid));
}

static void
node_free (gpointer data)
{
  ObserverNode *self = data;

  g_free (self->bars);
  g_free (self->name);
  g_free (self->waits_on);
  g_free (self->description);
  g_free (self);
}

static void
add_node (Tree *self, const ProcessInfo *info, const char *bars)
{
  ObserverNode *node = g_new0 (ObserverNode, 1);

  node->pid = info->pid;
  node->parent = *bars != '\0' ? info->parent : PID_NONE;
  node->bars = g_strdup (bars);
  node->name = process_get_name (info->pid);
  node->kind = info->kind;
  node->state = name_state (info);
  node->n_messages = info->n_messages;
  node->waits_on = name_whom_it_waits_on (self, info->waits_on);
  node->waits_on_pid = info->waits_on;
  node->description = describe (self, info);
  g_ptr_array_add (self->nodes, node);
}

/* The lines below a process begin with the bars of those above it. */
static void
add_tree (Tree *self, const ProcessInfo *root, const char *bars,
          const char *corner)
{
  GPtrArray *children = g_hash_table_lookup (self->children,
                                             PID_TO_POINTER (root->pid));
  g_autofree char *before = g_strconcat (bars, corner, NULL);
  g_autofree char *below = NULL;

  add_node (self, root, before);
  if (*corner != '\0')
    below = g_strconcat (bars, g_str_has_prefix (corner, "└") ? "   " : "│  ",
                         NULL);
  for (guint i = 0; children != NULL && i < children->len; i++)
    add_tree (self, children->pdata[i], below != NULL ? below : "",
              i + 1 == children->len ? "└─ " : "├─ ");
}

static gboolean
is_root (const Tree *self, const ProcessInfo *info)
{
  gboolean is_thread = g_str_equal (info->kind, "thread");
  gpointer pid = PID_TO_POINTER (info->pid);

  if (g_hash_table_contains (self->infos, PID_TO_POINTER (info->parent)))
    return FALSE;
  return g_hash_table_contains (self->children, pid)
         || (!is_thread && info->pid != process_self ());
}

GPtrArray *
observer_look (Pid root)
{
  Tree tree = { .nodes = g_ptr_array_new_with_free_func (node_free) };

  tree_init (&tree);
  for (guint i = 0; i < tree.list->len; i++) {
    const ProcessInfo *info = &g_array_index (tree.list, ProcessInfo, i);

    if (root == PID_NONE ? is_root (&tree, info) : info->pid == root)
      add_tree (&tree, info, "", "");
  }
  tree_clear (&tree);
  return tree.nodes;
}

GPtrArray *
observer_list (void)
{
  Tree tree = { .nodes = g_ptr_array_new_with_free_func (node_free) };

  tree_init (&tree);
  for (guint i = 0; i < tree.list->len; i++) {
    const ProcessInfo *info = &g_array_index (tree.list, ProcessInfo, i);

    if (info->pid != process_self ())
      add_node (&tree, info, "");
  }
  tree_clear (&tree);
  return tree.nodes;
}

/* Comparing */

/* Returns: (transfer full) (nullable): Pid → ObserverNode, in @nodes */
static GHashTable *
index_nodes (GPtrArray *nodes)
{
  GHashTable *index = g_hash_table_new (NULL, NULL);

  for (guint i = 0; nodes != NULL && i < nodes->len; i++) {
    ObserverNode *node = nodes->pdata[i];

    g_hash_table_insert (index, PID_TO_POINTER (node->pid), node);
  }
  return index;
}

static const ObserverNode *
find (GHashTable *index, const ObserverNode *node)
{
  return g_hash_table_lookup (index, PID_TO_POINTER (node->pid));
}

/* As text */

char *
observer_escape (const char *text, const char *kept)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *plain = g_string_new (NULL);

  for (const char *c = valid; *c != '\0'; c = g_utf8_next_char (c)) {
    gunichar character = g_utf8_get_char (c);

    if (g_unichar_iscntrl (character) && strchr (kept, *c) == NULL)
      g_string_append_printf (plain, "\\x%02x", character);
    else
      g_string_append_unichar (plain, character);
  }
  return g_string_free (plain, FALSE);
}

static char *
make_line (const ObserverNode *node)
{
  g_autoptr (GString) line = g_string_new (NULL);

  g_string_printf (line, "%s " PID_FORMAT " %s",
                   node->name != NULL ? node->name : node->kind,
                   PID_ARGS (node->pid), node->state);
  if (node->n_messages > 0)
    g_string_append_printf (line, ", %u waiting", node->n_messages);
  if (node->waits_on != NULL)
    g_string_append_printf (line, ", waits for %s", node->waits_on);
  if (node->description != NULL)
    g_string_append_printf (line, " · %s", node->description);
  return observer_escape (line->str, "");
}

static char
mark (const ObserverNode *before, const char *line)
{
  g_autofree char *old_line = before != NULL ? make_line (before) : NULL;

  if (before == NULL)
    return '+';
  return g_str_equal (old_line, line) ? ' ' : '*';
}

static void
write_ended (GPtrArray *now, GPtrArray *before, GString *text)
{
  g_autoptr (GHashTable) index = index_nodes (now);

  for (guint i = 0; i < before->len; i++) {
    const ObserverNode *node = before->pdata[i];
    g_autofree char *name = observer_escape (node->name != NULL ? node->name
                                                                : node->kind,
                                             "");

    if (find (index, node) == NULL)
      g_string_append_printf (text, "- %s " PID_FORMAT " has ended\n", name,
                              PID_ARGS (node->pid));
  }
}

void
observer_write_text (GPtrArray *now, GPtrArray *before, GString *text)
{
  g_autoptr (GHashTable) index = index_nodes (before);

  for (guint i = 0; i < now->len; i++) {
    const ObserverNode *node = now->pdata[i];
    g_autofree char *line = make_line (node);

    if (before != NULL)
      g_string_append_printf (text, "%c ", mark (find (index, node), line));
    g_string_append_printf (text, "%s%s\n", node->bars, line);
  }
  if (before != NULL)
    write_ended (now, before, text);
}

void
observer_print_tree (Pid root, GString *text)
{
  g_autoptr (GPtrArray) nodes = observer_look (root);

  observer_write_text (nodes, NULL, text);
}

/* For other programs */

void
observer_write_string (const char *string, GString *text)
{
  g_autofree char *valid = g_utf8_make_valid (string, -1);

  g_string_append_c (text, '"');
  for (const char *c = valid; *c != '\0'; c++)
    if (*c == '"' || *c == '\\')
      g_string_append_printf (text, "\\%c", *c);
    else if (*c == '\n')
      g_string_append (text, "\\n");
    else if ((guchar) *c < ' ')
      g_string_append_printf (text, "\\u%04x", (guint) (guchar) *c);
    else
      g_string_append_c (text, *c);
  g_string_append_c (text, '"');
}

static void
append_member (GString *text, const char *key, const char *value)
{
  g_string_append_printf (text, "\"%s\": ", key);
  if (value != NULL)
    observer_write_string (value, text);
  else
    g_string_append (text, "null");
  g_string_append (text, ", ");
}

static void
append_pid (GString *text, const char *key, Pid pid)
{
  g_autofree char *value = g_strdup_printf (PID_FORMAT, PID_ARGS (pid));

  append_member (text, key, pid != PID_NONE ? value : NULL);
}

void
observer_write_json (GPtrArray *now, GPtrArray *before, GString *text)
{
  g_autoptr (GHashTable) index = index_nodes (before);

  g_string_append_c (text, '[');
  for (guint i = 0; i < now->len; i++) {
    const ObserverNode *node = now->pdata[i];

    g_string_append (text, i > 0 ? ",\n  { " : "\n  { ");
    append_pid (text, "pid", node->pid);
    append_pid (text, "parent", node->parent);
    append_member (text, "name", node->name);
    append_member (text, "kind", node->kind);
    append_member (text, "state", node->state);
    append_pid (text, "waits_on", node->waits_on_pid);
    append_member (text, "description", node->description);
    if (before != NULL)
      g_string_append_printf (text, "\"new\": %s, ",
                              find (index, node) == NULL ? "true" : "false");
    g_string_append_printf (text, "\"messages\": %u }", node->n_messages);
  }
  g_string_append (text, "\n]\n");
}

/* A node's name in the picture is its place in the tree. */
static void
append_arrow (GString *text, GHashTable *places, Pid from, Pid to,
              const char *style)
{
  guint tail = GPOINTER_TO_UINT (
    g_hash_table_lookup (places, PID_TO_POINTER (from)));
  guint head = GPOINTER_TO_UINT (
    g_hash_table_lookup (places, PID_TO_POINTER (to)));

  if (tail != 0 && head != 0)
    g_string_append_printf (text, "  n%u -> n%u%s;\n", tail, head, style);
}

static void
append_arrows_to_the_named (GString *text, GHashTable *places,
                            const ObserverNode *node)
{
  const char *next = node->description;

  while (next != NULL && (next = strchr (next, '<')) != NULL) {
    g_autofree char *word = g_strndup (next, strcspn (next, ">") + 1);
    Pid pid;

    if (pid_parse (word, &pid))
      append_arrow (text, places, node->pid, pid,
                    " [style=dashed, constraint=false]");
    next++;
  }
}

static void
append_arrows (GString *text, GHashTable *places, const ObserverNode *node)
{
  append_arrow (text, places, node->parent, node->pid, "");
  append_arrow (text, places, node->pid, node->waits_on_pid,
                " [style=dashed, constraint=false]");
  append_arrows_to_the_named (text, places, node);
}

/* A pid differs from run to run, and an arrow says as much: so a description is
 * left out from where it comes to speak of one. */
static void
append_label (GString *text, const ObserverNode *node)
{
  const char *name = node->name != NULL ? node->name : node->kind;
  const char *words = node->description != NULL ? node->description : "";
  gsize length = strcspn (words, strchr (words, '<') != NULL ? ",<" : "");
  g_autofree char *description = g_strndup (words, length);
  g_autofree char *label = g_strconcat (name, length > 0 ? "\n" : NULL,
                                        description, NULL);

  observer_write_string (label, text);
}

void
observer_write_dot (GPtrArray *now, GPtrArray *before, GString *text)
{
  g_autoptr (GHashTable) index = index_nodes (before);
  g_autoptr (GHashTable) places = g_hash_table_new (NULL, NULL);

  g_string_append (text,
                   "digraph tree {\n  node [shape=box, style=rounded];\n");
  for (guint i = 0; i < now->len; i++) {
    const ObserverNode *node = now->pdata[i];

    g_hash_table_insert (places, PID_TO_POINTER (node->pid),
                         GUINT_TO_POINTER (i + 1));
    g_string_append_printf (text, "  n%u [label=", i + 1);
    append_label (text, node);
    g_string_append (text, before != NULL && find (index, node) == NULL
                             ? ", style=\"rounded,bold\"];\n"
                             : "];\n");
  }
  for (guint i = 0; i < now->len; i++)
    append_arrows (text, places, now->pdata[i]);
  g_string_append (text, "}\n");
}
