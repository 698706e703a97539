# Whether a machine has what the workshop takes.  Installs nothing.
package Ready;
use strict;
use warnings;
use Exporter qw(import);
use Cwd qw(getcwd);
use File::Temp qw(tempdir);
our @EXPORT_OK = qw(is_ready);

my $n_missing;

sub line {
    my ($word, $what) = @_;
    printf "%-8s%s\n", $word, $what;
    return;
}

# What must be there.
sub need {
    my ($is_there, $what, $help) = @_;
    line($is_there ? 'ok' : 'MISSING', $is_there ? $what : "$what: $help");
    $n_missing++ unless $is_there;
    return $is_there;
}

# What is only better to have.
sub like {
    my ($is_there, $what, $otherwise) = @_;
    line($is_there ? 'ok' : 'without', $is_there ? $what : "$what: $otherwise");
    return;
}

sub works {
    my ($command) = @_;
    return system("{ $command; } >/dev/null 2>&1 </dev/null") == 0;
}

# Builds and runs a program of a line with the sanitizers.
sub has_sanitizer {
    my $dir = tempdir(CLEANUP => 1);
    open my $file, '>', "$dir/empty.c" or return 0;
    print $file "int main (void) { return 0; }\n";
    close $file;
    my $cc = $ENV{CC} || 'cc';
    return works("$cc -fsanitize=address,undefined -o $dir/empty $dir/empty.c && $dir/empty");
}

sub is_ready {
    my $cc = $ENV{CC} || 'cc';
    my $glib = $ENV{GLIB} || '2.68';
    $n_missing = 0;
    need(works("$cc --version"), 'a C compiler', 'install gcc, or clang');
    need(works("pkg-config --atleast-version=$glib gio-2.0"), "GLib $glib or newer", 'make setup');
    need(works('prove --version'), 'prove', 'make setup');
    need(works('timeout 1 true'), 'timeout', 'install coreutils');
    like(has_sanitizer(), 'address sanitizer',
        'make check FLAVOUR=plain does, but finds no bad pointers');
    like(works('entr true </dev/null; [ $? != 127 ]'), 'entr', 'make setup, or make watch POLL=1 does without');
    like(works('gdb --version'), 'gdb', 'make setup; only make debug needs it');
    like(getcwd() !~ m{^/mnt/[a-z]/}, 'a file system of its own',
        'this is a Windows drive; all is slow here: clone to your home directory');
    print $n_missing ? "Not ready.\n" : "Ready.\n";
    return !$n_missing;
}

1;
