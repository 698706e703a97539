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

#define DESCRIBE_MS 100

typedef struct {
  GArray     *list;     /* ProcessInfo, in the order of birth */
  GHashTable *children; /* Pid → GPtrArray of ProcessInfo */
  GHashTable *infos;    /* Pid → ProcessInfo, in the list */
  GString    *text;
} Tree;

static void
tree_init (Tree *self, GString *text)
{
  self->text = text;
  self->list = process_list ();
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

/* Whoever is busy would let us wait, and a zombie for ever. */
static char *
describe (const ProcessInfo *info)
{
  char *text = NULL;

  if (info->state == PROCESS_ZOMBIE || !is_server (info))
    return NULL;
  text = gen_server_describe (info->pid, DESCRIBE_MS);
  if (text == NULL && info->state != PROCESS_IDLE)
    text = g_strdup ("busy");
  return text;
}

static void
print_process (Tree *self, const ProcessInfo *info)
{
  static const char *const states[] = { "idle", "queued", "running", "zombie" };
  g_autofree char *name = process_get_name (info->pid);
  g_autofree char *description = describe (info);

  g_string_append_printf (self->text, "%s " PID_FORMAT " %s",
                          name != NULL ? name : info->kind,
                          PID_ARGS (info->pid), states[info->state]);
  if (info->n_messages > 0)
    g_string_append_printf (self->text, ", %u waiting", info->n_messages);
  if (description != NULL)
    g_string_append_printf (self->text, " · %s", description);
  g_string_append_c (self->text, '\n');
}

/* The lines below a process begin with the bars of those above it. */
static void
print_tree (Tree *self, const ProcessInfo *root, const char *bars)
{
  GPtrArray *children = g_hash_table_lookup (self->children,
                                             PID_TO_POINTER (root->pid));

  print_process (self, root);
  for (guint i = 0; children != NULL && i < children->len; i++) {
    gboolean is_last = i + 1 == children->len;
    g_autofree char *below = g_strconcat (bars, is_last ? "   " : "│  ", NULL);

    g_string_append_printf (self->text, "%s%s ", bars, is_last ? "└─" : "├─");
    print_tree (self, children->pdata[i], below);
  }
}

static gboolean
is_root (const Tree *self, const ProcessInfo *info)
{
  gboolean is_thread = g_str_equal (info->kind, "thread");
  gpointer pid = PID_TO_POINTER (info->pid);

  return !g_hash_table_contains (self->infos, PID_TO_POINTER (info->parent))
         && (!is_thread || g_hash_table_contains (self->children, pid));
}

void
observer_print_tree (Pid root, GString *text)
{
  Tree tree;

  tree_init (&tree, text);
  for (guint i = 0; i < tree.list->len; i++) {
    const ProcessInfo *info = &g_array_index (tree.list, ProcessInfo, i);

    if (root == PID_NONE ? is_root (&tree, info) : info->pid == root)
      print_tree (&tree, info, "");
  }
  tree_clear (&tree);
}
