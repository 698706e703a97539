# Starts and ends a version's observer, and prints TAP, for the tests beside this.
#
#   LIMIT=N        N times the limit of 20 seconds for each wait
#   WRAPPER="..."  the command to run it under
package Program;
use strict;
use warnings;
use Cwd;
use Exporter 'import';
use File::Basename;
use File::Temp;
use Socket;
use Time::HiRes qw(sleep time);
our @EXPORT = qw(start_program run_another end_program lose_texts give_texts url port memory open_sockets ok skip wait_until done watch come read_to);

my $n     = 0;
my $limit = 20 * ($ENV{LIMIT} || 1);
my @wrapper = split ' ', $ENV{WRAPPER} || '';
my ($dir, $version, $pid, $port, $out);
$| = 1;

sub url  { return "http://127.0.0.1:$port" }
sub port { return $port }

# It looks for its texts beside itself.
sub give_texts { symlink Cwd::abs_path($_), "$dir/" . basename($_) for glob "$version/*.txt" }
sub lose_texts { unlink glob "$dir/*.txt" }

# On any port that is free, unless told which.  Returns the version whose observer it is.
sub start_program {
    my ($program, $wanted) = @_;
    ($version) = ($program // '') =~ m{(v\d)/observer$} or die "which vN/observer?\n";
    $dir = File::Temp->newdir;
    symlink Cwd::abs_path($program), "$dir/observer";
    give_texts;
    $pid = open $out, '-|', @wrapper, "$dir/observer", $wanted // 0 or die "$program: $!\n";
    ($port) = (<$out> // '') =~ /:(\d+)\// or die "$program says no port\n";
    return $version;
}

# Starts one more, with other arguments.  Returns what it says, and its exit status.
sub run_another {
    my $said = qx(@wrapper $dir/observer @_ 2>&1);
    return ($said, $? >> 8);
}

# Returns its exit status, or -1 when it had to be killed.
sub end_program {
    my ($signal) = @_;
    return -1 unless $pid;
    kill $signal || 'INT', $pid;
    my $status = -1;
    local $SIG{ALRM} = sub { kill 'KILL', $pid };
    alarm $limit;
    waitpid $pid, 0;
    alarm 0;
    $status = $? & 127 ? -1 : $? >> 8;
    close $out;
    $pid    = 0;
    return $status;
}

END { my $status = $?; end_program('KILL') if $pid; $? = $status }

# In kB.
sub memory {
    open my $in, '<', "/proc/$pid/status" or return 0;
    my ($rss) = join('', <$in>) =~ /^VmRSS:\s+(\d+)/m;
    return $rss;
}

# How many it has: one that listens, and one for each that is connected.
sub open_sockets() {
    return scalar grep { (readlink // '') =~ /^socket:/ } glob "/proc/$pid/fd/*";
}

# Connects, and asks for the events.  With a size for what the kernel keeps of them.
sub watch {
    my ($kept) = @_;
    socket my $socket, PF_INET, SOCK_STREAM, 0 or die "socket: $!\n";
    setsockopt $socket, SOL_SOCKET, SO_RCVBUF, pack 'i', $kept if $kept;
    connect $socket, sockaddr_in($port, INADDR_LOOPBACK) or die "connect: $!\n";
    syswrite $socket, "GET /events HTTP/1.1\r\nHost: 127.0.0.1:$port\r\n\r\n";
    return $socket;
}

# Reads from it until the condition is met.  Returns all it has read, or undef if
# that comes to an end, or to a stop, before.
sub read_to {
    my ($socket, $is_met) = @_;
    my $end  = time + $limit;
    my $text = '';
    while (!$is_met->($text)) {
        vec(my $set = '', fileno $socket, 1) = 1;
        return undef unless $end > time && select $set, undef, undef, $end - time;
        sysread $socket, $text, 65536, length $text or return undef;
    }
    return $text;
}

# The first bytes say whether it may.  Returns the socket, too.  Who comes only then
# does not overrun those that wait to be accepted, which would cost a second.
sub come {
    my $socket = watch(@_);
    my $answer = read_to($socket, sub { length $_[0] }) // '';
    return ($answer =~ m{^HTTP/1.1 (\d+)}, $socket);
}

sub ok {
    my ($ok, $title, @notes) = @_;
    printf "%s %d - %s\n", $ok ? 'ok' : 'not ok', ++$n, $title;
    print map { "# $_\n" } map { split /\n/ } grep { defined } @notes unless $ok;
    return $ok;
}

sub skip {
    my ($title, $why) = @_;
    printf "ok %d - %s # SKIP %s\n", ++$n, $title, $why;
}

# Returns what it gave at last.
sub wait_until {
    my ($what) = @_;
    my $end = time + $limit;
    my $is;
    sleep 0.05 until $is = $what->() or time > $end;
    return $is;
}

sub done { print "1..$n\n" }

1;
