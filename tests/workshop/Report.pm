# What a reader is told about a scenario that has failed.
package Report;
use strict;
use warnings;
use Exporter qw(import);
use File::Temp;
use Scenarios qw($my read_text run_scenarios step_of place_of);
our @EXPORT_OK = qw(report_failure report_no_build look_closer why_no_sanitizer);

# In other words than the sanitizer's.
my %words = (
    'heap-use-after-free'   => 'memory was used after it had been freed',
    'attempting double-free' => 'memory was freed twice',
    'heap-buffer-overflow'  => 'memory was used beyond the end of a block',
    'stack-buffer-overflow' => 'memory was used beyond the end of a variable',
    'stack-overflow'        => 'the stack has overflowed: a recursion without end?',
    'SEGV'                  => 'a pointer leads nowhere: NULL, or never set?',
    'detected memory leaks' => 'memory was never freed',
);

# The files of a step, as they are called in my/.
sub places {
    my ($step) = @_;
    return $step->{look} =~ s{([a-z_]+\.[ch])}{$my/$1}gr;
}

# 16777221 is <5.1>, where an expression is about somebody, and not about how many.
sub with_pids {
    my ($text, $expression) = @_;
    return $text unless $expression =~ /\b(?!n_)\w*(?:pid|worker|consumer|server)s?\b|\bPID_NONE\b/;
    return $text =~ s{\b(\d{8,})\b}{'<' . ($1 & 0xffffff) . '.' . ($1 >> 24) . '>'}ger;
}

# Returns: what was expected, what was found, and where the test says so
sub expectation {
    my ($failure) = @_;
    my ($reason, $all) = ($failure->{reason}, join "\n", @{ $failure->{said} });
    my ($place) = $all =~ /ERROR:(tests\S+?:\d+)/;
    if ($reason =~ /^assertion failed \((.*)\): \((.*)\)$/) {
        my ($expected, $found) = ($1, $2);
        my $not = $expected =~ / == / ? 'not' : 'and';
        my ($right) = $expected =~ / (?:==|!=|<=?|>=?) (.*)$/;
        $found =~ s/ (?:==|!=|<=?|>=?) (.*)$/ defined $right && $1 eq $right ? '' : ", $not $1"/e;
        return ($expected, $found, $place);
    }
    return ("$1", "$2", $place) if $reason =~ /^assertion failed \((.*)\): (.*)$/;
    return ("$1", 'it is not so', $place) if $reason =~ /^assertion failed:? \((.*)\)$/;
    return ("$1", "was never so, in all the time it had", $place) if $reason =~ /^was never true: (.*)$/;
    for my $what (sort keys %words) {
        return (undef, "$words{$what} ($1)", undef) if $reason =~ /(\w+Sanitizer: \Q$what\E)/;
    }
    return (undef, $reason, $place);
}

# Runs a scenario that has failed once more, to learn where.
#
# Returns: the failure, with more to say
sub look_closer {
    my ($program, $failure) = @_;
    if ($failure->{reason} =~ /^ran longer/) {
        my @stack = where_it_runs($program, $failure->{path});
        push @{ $failure->{said} }, @stack;
        $failure->{reason} .= (@stack ? ': a loop without end?' : '.') . ' On a slow machine: make check LIMIT=3';
    } elsif ($failure->{reason} =~ /Sanitizer/) {
        # Slower, and through functions of libraries.
        local $ENV{ASAN_OPTIONS} = "$ENV{ASAN_OPTIONS}:fast_unwind_on_malloc=0";
        my $again;
        run_scenarios(
            $program,
            [$failure->{path}],
            sub {
                my ($path, $passed, $reason, $said) = @_;
                $again = { path => $path, reason => $reason, said => $said } if $reason =~ /Sanitizer/;
            });
        return $again if $again;
    }
    return $failure;
}

# The thread of an OS process that works most.
sub busy_thread {
    my ($pid) = @_;
    my ($busiest, $most) = (undef, 0);
    for my $file (glob "/proc/$pid/task/*/stat") {
        my ($id, $state, @numbers) = eval { read_text($file) } =~ /^(\d+) \(.*\) (\w)((?: -?\d+){12})/
          or next;
        my $ticks = (split ' ', $numbers[0])[10];
        ($busiest, $most) = ($id, $ticks) if $state eq 'R' && $ticks > $most;
    }
    return $busiest;
}

# The system call by which one thread gets a signal; it has no name in perl.
my %tgkill = (x86_64 => 234, aarch64 => 131);

# Returns: the sanitizer's report of where a program is that runs too long: none
#   where that can't be had, or it only waits
sub where_it_runs {
    my ($program, $path) = @_;
    my $call = $tgkill{ qx{uname -m} =~ s/\s//gr } // return;
    my $file = File::Temp->new;
    my $pid  = fork // return;
    if ($pid == 0) {
        open STDOUT, '>&', $file and open STDERR, '>&', $file or exit 1;
        exec $program, '-p', $path or exit 1;
    }
    sleep 3;
    if (my $thread = busy_thread($pid)) {
        syscall $call, $pid, $thread + 0, 4;    # an illegal instruction, it seems
        sleep 1;
    }
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return grep { /^\s*#\d+ 0x/ } split /\n/, read_text($file->filename);
}

# Lines of my/ in a sanitizer's report: of each stack the first, and what the
# report says above that stack.
sub own_lines {
    my ($failure) = @_;
    my ($title, %seen, @lines) = ('');
    for (@{ $failure->{said} }) {
        if (/^\s*#\d+ 0x\S+ in (\S+) (?:\S*\/)?(\Q$my\E\/\S+?\.[ch]:\d+)/) {
            push @lines, "$2  $1 ()" . ($title && @lines ? ", $title" : '')
              unless defined $title && $seen{$title}++;
        } elsif (/^(freed|previously allocated|allocated)\b/) {
            $title = $1 eq 'freed' ? 'where it was freed' : 'where it was allocated';
        } elsif (/^(?:\S*\/)?(\Q$my\E\/\S+?\.[ch]:\d+)[:\d]*: runtime error/) {
            push @lines, $1;
            $seen{''} = 1;
        } elsif (/^(Direct|Indirect) leak of (\d+ byte)/) {
            $title = "where those $2s were allocated";
        }
    }
    my %is_told;
    return grep { !$is_told{ (split)[0] }++ } @lines;
}

# What else it said that may tell something.
sub remarks {
    my ($failure) = @_;
    return () if grep { /Sanitizer|runtime error/ } @{ $failure->{said} };
    my @lines = grep { !/ERROR:(?:tests|waiting)|^(random seed|GLib)|^\*\*|^\s*#\d+ 0x/ } @{ $failure->{said} };
    s/\*\*$// for @lines;    # GLib's, behind what was printed without a newline
    return @lines > 6 ? (@lines[0 .. 4], '…') : @lines;
}

sub say_it {
    my ($word, @lines) = @_;
    for (@lines) {
        printf "%-10s%s\n", $word, $_;
        $word = '';
    }
    return;
}

sub keep_report {
    my ($failure) = @_;
    open my $file, '>', "$my/.report" or return;
    print $file "$failure->{path}: $failure->{reason}\n", map { "$_\n" } @{ $failure->{said} };
    close $file;
    return;
}

sub report_failure {
    my ($version, $failure) = @_;
    my ($step, $scenario) = step_of($version, $failure->{path});
    my ($expected, $found, $place) = expectation($failure);
    keep_report($failure);
    say_it('failed', $failure->{path}, $scenario ? $scenario->{text} : ());
    say_it('expected', with_pids($expected, $expected)) if defined $expected;
    say_it('found', defined $expected ? with_pids($found, $expected) : $found);
    say_it('', remarks($failure));
    say_it($failure->{reason} =~ /^it has only waited/ ? 'waits in' : 'in', own_lines($failure));
    say_it('test', $place // place_of($failure->{path}));
    say_it('look at', $step ? places($step) : 'what you have changed last');
    say_it('next', 'make hint' . (@{ $failure->{said} } > 8 ? ' (all that it said: ' . $my . '/.report)' : ''));
    return;
}

# What the linker has to say of functions, as a hash: their names, and those places
# that are in my/; of what is there twice, all places.
sub linker_says {
    my ($said, $what) = @_;
    my %names;
    for (grep { /$what/ } split /\n/, $said) {
        my ($name) = /$what [`'"‘]+(\w+)/ or next;
        my $places = $names{$name} //= [];
        my $dir = $what =~ /undefined/ ? qr/\Q$my\E/ : qr/\Q$my\E|tests|common/;
        for my $place (m{(?:^|[/\s])($dir/[\w./-]+\.[ch]:\d+)}g) {
            push @$places, $place unless grep { $_ eq $place } @$places;
        }
    }
    return %names;
}

# The compiler's output has been shown; not what the linker says, which is told here.
sub report_no_build {
    my ($version, $said) = @_;
    if ($said =~ /(?:cannot find|unable to find|no such file).*\b(?:lib)?(asan|ubsan)/i) {
        print "\nThere is no address sanitizer here (lib$1): ",
          "make check FLAVOUR=plain does without.\n";
        return;
    }
    my ($step) = step_of($version, 'compile');
    my ($line)    = $said =~ m{^(\Q$my\E/\S+?:\d+):(?:\d+:)? (?:fatal )?error}m;
    my %missing = linker_says($said, 'undefined reference to');
    my %twice   = linker_says($said, 'multiple definition of');
    my ($in_test) = $said =~ m{^(tests/\S+?:\d+):(?:\d+:)? (?:fatal )?error}m;
    print "\n";
    say_it('failed',  "$my/ does not compile");
    say_it('in',      $line) if $line;
    say_it('test',    "$in_test: it calls what $my/ does not have, or has otherwise")
      if $in_test && !$line;
    say_it('missing', map { @{ $missing{$_} } ? "$_, called in $missing{$_}[0]" : $_ } sort keys %missing);
    say_it('twice', map { "$_, in " . join ' and ', @{ $twice{$_} } } sort keys %twice);
    say_it('look at', $line ? 'the first message above' :
      $twice{main} ? "$my/: a pool has no main, for the scenarios have theirs" : places($step));
    say_it('next',    'make hint');
    return;
}

# Returns: why what was built with a sanitizer can't run here, or undef
sub why_no_sanitizer {
    my ($program) = @_;
    my $said = qx{timeout 60 $program -l 2>&1 </dev/null};
    return undef if $? == 0;
    return "Another make is just writing $program: make check again, when it has ended."
      if $said =~ /Text file busy/;
    my ($why) = $said =~ /(\S*Sanitizer.*)/;
    $why //= (split /\n/, $said)[0] // 'it says nothing';
    return "The program that tests $my/ can't start here, whatever is in it ($why): " .
      'make check FLAVOUR=plain does without sanitizer.';
}

1;
