# The scenarios of tests/pool/main.c, the order in which a chapter teaches them
# (v2.md and so on, beside this file), and how they are run.
package Scenarios;
use strict;
use warnings;
use Exporter qw(import);
use File::Temp;
our @EXPORT_OK = qw($my read_text scenarios read_chapter chapters suite step_of place_of run_scenarios);

# The reader's own pool.
our $my = $ENV{DIR} || 'my';

sub read_text {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!\n";
    local $/;
    return scalar <$file>;
}

# All that there are, in the order of main.c, for pools with that version's face.
sub scenarios {
    my ($face) = @_;
    my ($table) = read_text('tests/pool/main.c') =~ /scenarios\[\] = \{\n(.*?)\n\};/s
      or die "tests/pool/main.c: there is no table of scenarios\n";
    my ($is_there, @all) = (1);
    while ($table =~ m{(?:^\#(?:if\ POOLY_VERSION\ >=\ (\d)|(else)|(endif)))
                       | \{\ "(/[^"]+)",\s*(\w+),\s*(\d),\s*(\d)\ \}}gmx) {
        if    ($1) { $is_there = $face >= $1 }
        elsif ($2) { $is_there = !$is_there }
        elsif ($3) { $is_there = 1 }
        elsif ($is_there) {
            push @all, { path => $4, func => $5, since => $6, until => $7 };
        }
    }
    return @all;
}

# What stands in a chapter's file, vN.md:
#
#     # Chapter N: its title
#
#     What it wants.
#
#     ## A step
#
#     Look at: pool_server.c, handle_info
#
#     - `/path`: what must be so
#     - `/path` (already): what is so at the start, and must stay so
#     - `/path` (by chance): what is so at the start in some runs
#
#     1. A hint,
#     2. one that tells more,
#     3. and one that is nearly the code.
#
# In place of a scenario there may be `compile`: that my/ can be built.
sub read_chapter {
    my ($version) = @_;
    my $path = "tests/workshop/v$version.md";
    my ($head, @parts) = split /^## /m, read_text($path);
    my ($title, $wants) = $head =~ /^# ([^\n]*)\n+(.*?)\s*\z/s or die "$path: no title\n";
    my @steps;
    for (@parts) {
        my ($name, $look, $list, $hints) =
          /^(.*)\n\nLook at: (.*)\n\n((?:- .*\n(?:  .*\n)*)+)\n((?:\d\. .*\n(?:   .*\n)*)+)\s*\z/
          or die "$path: step «" . (/^(.*)/)[0] . "» is not as tests/workshop/Scenarios.pm says\n";
        my %step = (name => $name, look => $look, version => $version);
        for (split /^- /m, $list) {
            next if $_ eq '';
            my ($scenario, $when, $text) = /^`([^`]+)`(?: \((already|by chance)\))?: (.*)/s
              or die "$path: not a scenario: $_";
            push @{ $step{scenarios} },
              { path => $scenario, at_start => $when // 'fails', text => join ' ', split ' ', $text };
        }
        $step{hints} = [map { s/^   //mgr =~ s/\n\z//r } grep { $_ ne '' } split /^\d\. /m, $hints];
        push @steps, \%step;
    }
    return { title => $title, wants => $wants, version => $version, steps => \@steps };
}

sub chapters {
    return sort map { /v(\d)\.md$/ } glob 'tests/workshop/v[1-9].md';
}

# The step of the latest chapter up to this one that teaches a scenario, and what
# it says of it; or nothing.
sub step_of {
    my ($version, $path) = @_;
    for my $chapter (map { read_chapter($_) } grep { $_ <= $version } reverse(chapters())) {
        for my $step (@{ $chapter->{steps} }) {
            for my $scenario (@{ $step->{scenarios} }) {
                return ($step, $scenario) if $scenario->{path} eq $path;
            }
        }
    }
    return;
}

# The paths of a version's suite, in the order in which its chapter teaches them:
# those that it names, then all the others.
sub suite {
    my ($version) = @_;
    my @all =
      grep { $_->{since} <= $version && (!$_->{until} || $version <= $_->{until}) }
      scenarios($version);
    my %is_left = map { $_->{path} => 1 } @all;
    my @named = map { $_->{path} } map { @{ $_->{scenarios} } } @{ read_chapter($version)->{steps} };
    return ((grep { delete $is_left{$_} } @named), grep { $is_left{$_} } map { $_->{path} } @all);
}

# Where a scenario's function stands.
sub place_of {
    my ($path) = @_;
    my ($scenario) = grep { $_->{path} eq $path } scenarios(9) or return '';
    for my $file (glob 'tests/pool/*.c') {
        my $number = 0;
        for (split /\n/, read_text($file)) {
            $number++;
            return "$file:$number" if /^\Q$scenario->{func}\E \(/;
        }
    }
    return '';
}

# Runs those of a program, in their order, each in an OS process of its own, and
# hands what became of each to $on_result: its path, whether it passed, the
# reason, and what it said.  With STOP=1 it ends with the first that fails.
sub run_scenarios {
    my ($program, $paths, $on_result) = @_;
    my $list = File::Temp->new;
    print $list "$_\n" for @$paths;
    close $list;
    local $ENV{LIST} = $list->filename;
    delete local $ENV{TEST};    # @$paths has been chosen by it
    open my $tap, '-|', 'tests/isolate', $program or die "tests/isolate: $!\n";
    my $failed;
    my $end_failed = sub {
        $on_result->(@$failed{qw(path passed reason said)}) if $failed;
        undef $failed;
    };
    while (<$tap>) {
        if ($failed && /^#   (.*)/) {
            push @{ $failed->{said} }, $1;
            next;
        }
        $end_failed->();
        if (m{^ok \d+ (/\S+)}) {
            $on_result->($1, 1, '', []);
        } elsif (m{^not ok \d+ (\S+)(?: - (.*))?}) {
            $failed = { path => $1, passed => 0, reason => $2 // '', said => [] };
        }
    }
    $end_failed->();
    close $tap;
    return;
}

1;
