/* Words that stand for processes: what one types instead of a pid. */
#include "shell_inside.h"

#include "names.h"

#include <string.h>

static GMutex lock;
/* lock protects: */
static GHashTable *pids;  /* word, owned → Pid */
static GHashTable *words; /* prefix and pid, owned → word, of pids */
static guint n_words[G_MAXUINT8 + 1];

/* HOLDS: lock.  @key is given away. */
static const char *
add_word (char prefix, Pid pid, char *key)
{
  char *word = g_strdup_printf ("%c%u", prefix, ++n_words[(guchar) prefix]);

  g_hash_table_insert (pids, word, PID_TO_POINTER (pid));
  g_hash_table_insert (words, key, word);
  return word;
}

char *
shell_name (char prefix, Pid pid)
{
  g_autofree char *key = g_strdup_printf ("%c" PID_FORMAT, prefix,
                                          PID_ARGS (pid));
  const char *word;
  char *text;

  g_mutex_lock (&lock);
  if (pids == NULL) {
    pids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    words = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  }
  word = g_hash_table_lookup (words, key);
  if (word == NULL)
    word = add_word (prefix, pid, g_steal_pointer (&key));
  text = g_strdup_printf ("%s " PID_FORMAT, word, PID_ARGS (pid));
  g_mutex_unlock (&lock);
  return text;
}

static Pid
look_up (const char *word)
{
  Pid pid = PID_NONE;

  g_mutex_lock (&lock);
  if (pids != NULL)
    pid = POINTER_TO_PID (g_hash_table_lookup (pids, word));
  g_mutex_unlock (&lock);
  return pid;
}

gboolean
shell_parse_pid (const char *word, Pid *pid, GError **error)
{
  *pid = PID_NONE;
  if (!pid_parse (word, pid))
    *pid = look_up (word);
  if (*pid == PID_NONE)
    *pid = process_whereis (word);
  if (*pid == PID_NONE)
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
                 "\"%s\" is neither a pid nor a name", word);
  return *pid != PID_NONE;
}

gboolean
shell_parse_server (const char *word, const char *kind, Pid *pid,
                    GError **error)
{
  g_autoptr (GArray) list = process_list ();

  if (!shell_parse_pid (word, pid, error))
    return FALSE;
  for (guint i = 0; i < list->len; i++) {
    const ProcessInfo *info = &g_array_index (list, ProcessInfo, i);

    if (info->pid != *pid)
      continue;
    if (g_str_equal (info->kind, kind))
      return TRUE;
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
                 PID_FORMAT " is a %s, no %s", PID_ARGS (*pid), info->kind,
                 kind);
    return FALSE;
  }
  g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
               "there is no process " PID_FORMAT, PID_ARGS (*pid));
  return FALSE;
}

static gboolean
parse_range (const char *word, const char *what, guint least, guint most,
             guint *number, GError **error)
{
  guint64 value;

  if (g_ascii_string_to_unsigned (word, 10, least, most, &value, NULL)) {
    *number = (guint) value;
    return TRUE;
  }
  g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
               "%s: \"%s\", but it must be a number from %u to %u", what, word,
               least, most);
  return FALSE;
}

gboolean
shell_parse_number (const char *word, const char *what, guint *number,
                    GError **error)
{
  return parse_range (word, what, 0, G_MAXINT, number, error);
}

gboolean
shell_parse_count (const char *word, const char *what, guint most,
                   guint *number, GError **error)
{
  return parse_range (word, what, 1, most, number, error);
}

/* All of them */

static void
add_words (GPtrArray *list)
{
  GHashTableIter iter;
  gpointer word, pid;

  g_mutex_lock (&lock);
  if (pids != NULL) {
    g_hash_table_iter_init (&iter, pids);
    while (g_hash_table_iter_next (&iter, &word, &pid))
      if (process_is_alive (POINTER_TO_PID (pid)))
        g_ptr_array_add (list, g_strdup (word));
  }
  g_mutex_unlock (&lock);
}

GPtrArray *
shell_list_pids (void)
{
  GPtrArray *all = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) list = process_list ();

  for (guint i = 0; i < list->len; i++) {
    Pid pid = g_array_index (list, ProcessInfo, i).pid;

    g_ptr_array_add (all, g_strdup_printf (PID_FORMAT, PID_ARGS (pid)));
  }
  add_words (all);
  return all;
}

GPtrArray *
shell_list_names (void)
{
  GPtrArray *all = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) list = process_list ();

  for (guint i = 0; i < list->len; i++) {
    char *name = process_get_name (g_array_index (list, ProcessInfo, i).pid);

    if (name != NULL)
      g_ptr_array_add (all, name);
  }
  return all;
}
