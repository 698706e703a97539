/* Words that stand for processes: what one types instead of a pid. */
#include "shell_inside.h"

#include "names.h"

#include <stdio.h>
#include <string.h>

static GMutex lock;
/* lock protects: */
static GHashTable *pids; /* word, owned → Pid */
static guint n_words[G_MAXUINT8 + 1];

/* HOLDS: lock */
static const char *
find_word (char prefix, Pid pid)
{
  GHashTableIter iter;
  gpointer word, value;

  g_hash_table_iter_init (&iter, pids);
  while (g_hash_table_iter_next (&iter, &word, &value))
    if (POINTER_TO_PID (value) == pid && *(char *) word == prefix)
      return word;
  return NULL;
}

char *
shell_name (char prefix, Pid pid)
{
  const char *word;
  char *text;

  g_mutex_lock (&lock);
  if (pids == NULL)
    pids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  word = find_word (prefix, pid);
  if (word == NULL) {
    char *new_word = g_strdup_printf ("%c%u", prefix,
                                      ++n_words[(guchar) prefix]);

    g_hash_table_insert (pids, new_word, PID_TO_POINTER (pid));
    word = new_word;
  }
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

/* Only what was a process once: the others can't be told from a slip. */
static Pid
parse_digits (const char *word)
{
  guint64 slot, generation;
  int length = 0;

  if (*word == '<')
    word++;
  if (!g_ascii_isdigit (*word)
      || sscanf (word, "%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT "%n", &slot,
                 &generation, &length)
           != 2
      || (word[length] != '\0' && !g_str_equal (word + length, ">"))
      || slot >= 1u << PID_SLOT_BITS || generation == 0
      || generation >= G_GUINT64_CONSTANT (1) << (64 - PID_SLOT_BITS))
    return PID_NONE;
  return slot | generation << PID_SLOT_BITS;
}

gboolean
shell_parse_pid (const char *word, Pid *pid, GError **error)
{
  *pid = parse_digits (word);
  if (*pid == PID_NONE)
    *pid = look_up (word);
  if (*pid == PID_NONE)
    *pid = process_whereis (word);
  if (*pid == PID_NONE)
    g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
                 "%s is neither a pid nor a name", word);
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

gboolean
shell_parse_number (const char *word, const char *what, guint *number,
                    GError **error)
{
  guint64 value;

  if (g_ascii_string_to_unsigned (word, 10, 0, G_MAXINT, &value, NULL)) {
    *number = (guint) value;
    return TRUE;
  }
  g_set_error (error, SHELL_ERROR, SHELL_ERROR_INVALID,
               "%s: %s, but it must be a number from 0 to %d", what, word,
               G_MAXINT);
  return FALSE;
}

/* All of them */

static void
add_words (GPtrArray *words)
{
  GHashTableIter iter;
  gpointer word, pid;

  g_mutex_lock (&lock);
  if (pids != NULL) {
    g_hash_table_iter_init (&iter, pids);
    while (g_hash_table_iter_next (&iter, &word, &pid))
      if (process_is_alive (POINTER_TO_PID (pid)))
        g_ptr_array_add (words, g_strdup (word));
  }
  g_mutex_unlock (&lock);
}

GPtrArray *
shell_list_pids (void)
{
  GPtrArray *words = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) list = process_list ();

  for (guint i = 0; i < list->len; i++) {
    Pid pid = g_array_index (list, ProcessInfo, i).pid;

    g_ptr_array_add (words, g_strdup_printf (PID_FORMAT, PID_ARGS (pid)));
  }
  add_words (words);
  return words;
}

GPtrArray *
shell_list_names (void)
{
  GPtrArray *words = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) list = process_list ();

  for (guint i = 0; i < list->len; i++) {
    char *name = process_get_name (g_array_index (list, ProcessInfo, i).pid);

    if (name != NULL)
      g_ptr_array_add (words, name);
  }
  return words;
}
