# A page of 60 MB is decoded in slices: whenever statement_timeout strikes, while the page arrives, is decoded or
# becomes rows, the statement ends within 100 ms.

use strict;
use warnings;

use PipedriveTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $LIMIT_MS = 100;
my $TRIES = 5;
my $MESSAGE = 'canceling statement due to statement timeout';
my $SQL = 'SELECT count(*), max(octet_length(title)) FROM crm.deals WHERE NOT is_archived';

my $simulator = start_simulator();
my $node = make_node(simulator => $simulator);
my $session = PipedriveTest::Session->new($node);

# Milliseconds from the time-out to the error in the server's log; undef when there was none.
sub late_by
{
    my ($timeout) = @_;
    my $mark = log_mark($node);
    my (undef, $err) = $session->query("SET statement_timeout = $timeout;\n$SQL");
    $session->query('RESET statement_timeout');
    return undef unless $err =~ /\Q$MESSAGE\E/;
    my $log = log_since($node, $mark);
    my ($start) = $log =~ /^([0-9.]+) \[$session->{pid}\][^\n]*LOG:  statement: SELECT count/m;
    my ($error) = $log =~ /^([0-9.]+) \[$session->{pid}\][^\n]*ERROR:  \Q$MESSAGE\E/m;
    return ($error - $start) * 1000 - $timeout;
}

for my $rows (20, 500, 60000)
{
    $simulator->fault({ kind => 'huge', bytes => 60_000_000, rows => $rows, match => { path_regex => 'deals$' } });
    my $start = time;
    my $answer = $session->value($SQL);
    my $whole = (time - $start) * 1000;
    is($answer, "$rows|" . int(60_000_000 / $rows), "$rows rows: the page is read");
    my ($worst, $struck) = (0, 0);
    for my $part (1 .. 9)
    {
        my $best;
        for (1 .. $TRIES)
        {
            my $ms = late_by(int($whole * $part / 10) || 1);
            next unless defined $ms;
            $best = $ms if !defined $best || $ms < $best;
            last if $best < $LIMIT_MS;
        }
        next unless defined $best; # it was faster this time
        $struck++;
        $worst = $best if $best > $worst;
    }
    cmp_ok($struck, '>', 3, "$rows rows: the statement was struck in its course");
    cmp_ok($worst, '<', $LIMIT_MS, sprintf '%d rows, %d ms in all: ended within %d ms', $rows, $whole, $LIMIT_MS);
    $simulator->no_faults;
}

$session->quit;
stop_quietly($node);
$simulator->stop;
done_testing();
