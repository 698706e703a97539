/* What may stand at the end of a line: the table of the commands says it. */
#include "shell_inside.h"

#include <string.h>

static void
add_if (GPtrArray *words, const char *word, const char *prefix)
{
  if (g_str_has_prefix (word, prefix))
    g_ptr_array_add (words, g_strdup (word));
}

static void
add_commands (GPtrArray *words, const ShellCommand *commands,
              const char *prefix)
{
  for (const ShellCommand *c = commands; c->name != NULL; c++)
    add_if (words, c->name, prefix);
}

static void
add_all (GPtrArray *words, GPtrArray *all, const char *prefix)
{
  for (guint i = 0; i < all->len; i++)
    add_if (words, all->pdata[i], prefix);
  g_ptr_array_unref (all);
}

static void
add_programs (GPtrArray *words, const char *argument, const char *prefix)
{
  g_auto (GStrv) all = shell_program->list_words != NULL
                         ? shell_program->list_words (argument)
                         : NULL;

  for (char **word = all; word != NULL && *word != NULL; word++)
    add_if (words, *word, prefix);
}

static void
add_argument (GPtrArray *words, const char *argument, const char *prefix)
{
  if (g_str_equal (argument, "PID"))
    add_all (words, shell_list_pids (), prefix);
  else if (g_str_equal (argument, "NAME"))
    add_all (words, shell_list_names (), prefix);
  else if (g_str_equal (argument, "COMMAND")) {
    add_commands (words, shell_program->commands, prefix);
    add_commands (words, shell_commands, prefix);
  } else if (g_ascii_islower (*argument) || *argument == '-')
    add_if (words, argument, prefix);
  else
    add_programs (words, argument, prefix);
}

/* Returns: (transfer full): what the argument of that number is called, without
 * brackets; the last one may be many */
static char *
find_argument (const char *arguments, guint number)
{
  g_auto (GStrv) all = g_strsplit_set (arguments, " []", -1);
  const char *found = "";
  guint n = 0;

  for (char **argument = all; *argument != NULL; argument++) {
    if (**argument == '\0')
      continue;
    if (n == number || (n < number && g_str_has_suffix (*argument, "…")))
      found = *argument;
    n++;
  }
  return g_strndup (found, strcspn (found, "…"));
}

/* Returns: whether a path may stand there: libedit knows those itself */
static gboolean
add_choices (GPtrArray *words, const char *argument, const char *prefix)
{
  g_auto (GStrv) choices = g_strsplit (argument, "|", -1);

  for (char **choice = choices; *choice != NULL; choice++)
    if (!g_str_equal (*choice, "FILE"))
      add_argument (words, *choice, prefix);
  return g_strv_contains ((const char *const *) choices, "FILE");
}

/* Returns: (transfer full) (nullable): @words, with those that may stand for the
 * argument of that number; NULL: a path */
static GPtrArray *
complete_argument (GPtrArray *words, const char *name, guint number,
                   const char *prefix)
{
  const ShellCommand *command = shell_find (name);
  g_autofree char *argument = NULL;

  if (command == NULL)
    return words;
  argument = find_argument (command->arguments, number);
  if (!add_choices (words, argument, prefix))
    return words;
  g_ptr_array_unref (words);
  return NULL;
}

GPtrArray *
shell_complete (const char *line)
{
  GPtrArray *words = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) typed = g_strsplit_set (line, " \t", -1);
  const char *prefix = "", *name = NULL;
  guint n_before = 0;

  for (char **word = typed; *word != NULL; word++) {
    if (**word != '\0' && word[1] != NULL && n_before++ == 0)
      name = *word;
    prefix = *word;
  }
  if (n_before > 0)
    return complete_argument (words, name, n_before - 1, prefix);
  add_argument (words, "COMMAND", prefix);
  return words;
}
