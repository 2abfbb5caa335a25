# Crashes: a scanning backend killed, the postmaster killed, an immediate shutdown. Whatever hangs does not stand
# in the way, and the next session works.

use strict;
use warnings;

use PipedriveTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $simulator = start_simulator();
my $node = make_node(simulator => $simulator, conf => "restart_after_crash = on\n");
my $rows = $node->safe_psql('postgres', 'SELECT count(*) FROM crm.deals');
my $lists = { path_regex => 'deals$' };

sub hanging_sessions
{
    my ($n, $kind) = @_;
    $simulator->no_faults;
    $simulator->clear;
    $simulator->fault({ kind => $kind, match => $lists });
    my @sessions = map { PipedriveTest::Session->new($node) } 1 .. $n;
    $_->send('SELECT count(*), max(title) FROM crm.deals') for @sessions;
    until_true(sub { scalar(my @all = $simulator->journal) >= $n });
    $_->waits_for_api for @sessions;
    return @sessions;
}

sub works
{
    my ($name) = @_;
    $simulator->no_faults;
    my $now;
    until_true(sub {
        my ($status, $out) = $node->psql('postgres', 'SELECT count(*) FROM crm.deals');
        $now = $out if defined $status && $status == 0;
        return defined $now;
    });
    is($now, $rows, "$name: the next session works");
    return;
}

for my $kind ('hang', 'hang_mid_body')
{
    my @sessions = hanging_sessions(2, $kind);
    my $mark = log_mark($node);
    my $start = time;
    kill 'KILL', $sessions[0]{pid};
    ok(until_true(sub { log_since($node, $mark) =~ /all server processes terminated; reinitializing/ }), "$kind: the server restarts when a scanning backend is killed");
    cmp_ok(time - $start, '<', 5, "$kind: without waiting for the other scan");
    ok(until_true(sub { !-d "/proc/$sessions[1]{pid}" }), "$kind: the other scan is gone");
    $_->kill for @sessions;
    works($kind);
}

{
    my @sessions = hanging_sessions(2, 'hang');
    my $start = time;
    $node->stop('immediate');
    cmp_ok(time - $start, '<', 2, 'an immediate shutdown does not wait for scans');
    $_->kill for @sessions;
    $node->start;
    works('immediate shutdown');
}

{
    my @sessions = hanging_sessions(2, 'hang');
    my $start = time;
    $node->kill9;
    ok(until_true(sub { !grep { -d "/proc/$_->{pid}" } @sessions }, 20), 'backends end when the postmaster has died');
    cmp_ok(time - $start, '<', 3, 'at once');
    $_->kill for @sessions;
    # it refuses to start while a process of the old one is left
    ok(until_true(sub { $node->start(fail_ok => 1) }, 20), 'the server starts again');
    works('death of the postmaster');
}

# The peer dies and comes back in the middle of everything.
{
    my $mortal = start_simulator();
    $node->safe_psql('postgres', "ALTER SERVER crm OPTIONS (SET api_base_url '$mortal->{url}', SET max_retries '1')");
    my $session = PipedriveTest::Session->new($node);
    is($session->value('SELECT count(*) FROM crm.deals'), $rows, 'a new address');
    $mortal->stop;
    like(($session->query('SELECT count(*) FROM crm.deals'))[1], qr/ERROR:  (?:HV00N|08006)/, 'a peer that has died is an error');
    $node->safe_psql('postgres', "ALTER SERVER crm OPTIONS (SET api_base_url '$simulator->{url}')");
    is($session->value('SELECT count(*) FROM crm.deals'), $rows, 'and the same session reads the next one');
    $session->quit;
}

stop_quietly($node);
$simulator->stop;
done_testing();
