# The seeds' table: what each version can do, as its scenarios tell.
package Matrix;
use strict;
use warnings;
use Exporter qw(import);
use Text::Wrap qw(wrap);
use Scenarios qw($my read_text run_scenarios);
our @EXPORT_OK = qw(rows measure measure_mine print_mine recall_mine table);

my $width = 15;    # of a cell

# The table's rows: a name, and the cells there may be, each with its scenarios.
sub rows {
    my @rows;
    for (split /\n/, read_text('tests/workshop/matrix')) {
        if (/^([^#\s].*)/) {
            push @rows, { name => $1, cells => [] };
        } elsif (/^  (\S.*?) = (.*)/) {
            push @{ $rows[-1]{cells} }, { text => $1, scenarios => [split ' ', $2] };
        }
    }
    return @rows;
}

# It takes a while; who reads the table from a pipe need not know.
sub show_progress {
    my ($name, $n_done, $n_all) = @_;
    return unless -t STDERR;
    print STDERR "\r\e[K", $n_done < $n_all ? "measuring $name: $n_done of $n_all" : '';
    return;
}

# What stands in the column of a program.  Its scenarios are asked for whatever its
# version is; of those that are not in it, none passes.
sub measure {
    my ($program, $name) = @_;
    my %is_asked = map { s/^!//r => 1 } map { @{ $_->{scenarios} } } map { @{ $_->{cells} } } rows();
    my %has_passed;
    local $ENV{POOLY_TEST_ALL} = 1;
    delete local $ENV{STOP};
    my ($n_done, $n_all) = (0, scalar keys %is_asked);
    show_progress($name, 0, $n_all);
    run_scenarios(
        $program,
        [sort keys %is_asked],
        sub {
            my ($path, $passed) = @_;
            $has_passed{$path} = $passed;
            show_progress($name, ++$n_done, $n_all);
        });
    show_progress($name, $n_all, $n_all);    # those that are not in it were not run
    my @column;
    for my $row (rows()) {
        my ($cell) = grep {
            !grep { /^!(.*)/ ? $has_passed{$1} : !$has_passed{$_} } @{ $_->{scenarios} }
        } @{ $row->{cells} };
        push @column, $cell ? $cell->{text} : 'not yet';
    }
    return \@column;
}

# The column of my/ is that of its last green suite: kept in my/.matrix.

sub measure_mine {
    my ($program) = @_;
    my $column = measure($program, "$my/");
    open my $file, '>', "$my/.matrix" or die "$my/.matrix: $!\n";
    print $file map { "$_\n" } @$column;
    close $file or die "$my/.matrix: $!\n";
    return $column;
}

sub recall_mine {
    return -f "$my/.matrix" ? [split /\n/, read_text("$my/.matrix")] : undef;
}

sub print_mine {
    my ($version, $column) = @_;
    print "What $my/ can do now (make matrix shows it beside ours):\n";
    my @rows = rows();
    printf "  %-28s%s\n", $rows[$_]{name}, $column->[$_] for 0 .. $#rows;
    return;
}

# As lines that fit on a terminal: cells are wrapped.
sub table {
    my ($names, @columns) = @_;
    my @rows = rows();
    my @lines;
    local ($Text::Wrap::columns, $Text::Wrap::unexpand) = ($width, 0);
    for my $row (['', @$names], map { my $i = $_; [$rows[$i]{name}, map { $_->[$i] // '' } @columns] } 0 .. $#rows) {
        my @cells = map { [split /\n/, wrap('', '', $_)] } @$row;
        while (grep { @$_ } @cells) {
            push @lines, join('  ', map { sprintf "%-${width}s", shift @$_ // '' } @cells) =~ s/ +$//r . "\n";
        }
        push @lines, "\n";
    }
    pop @lines;
    return @lines;
}

1;
