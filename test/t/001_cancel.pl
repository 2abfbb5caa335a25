# A statement ends within 100 ms of pg_cancel_backend, statement_timeout or Ctrl-C in every state in which a scan
# waits, as 57014; the session goes on working and nothing stays behind: no socket, no memory.

use strict;
use warnings;

use PipedriveTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $LIMIT_MS = 100;
my $TRIES = 5;

my $simulator = start_simulator();
my $node = make_node(simulator => $simulator);
$node->safe_psql('postgres', <<"END_OF_SQL");
SET log_statement = none;
CREATE SERVER nowhere FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url '$simulator->{urls}{hang_connect}', connect_timeout '1h', request_timeout '1h');
CREATE USER MAPPING FOR CURRENT_USER SERVER nowhere OPTIONS (api_token 'sim-token-admin');
CREATE SERVER silent FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url '$simulator->{urls}{never_answers}', connect_timeout '1h', request_timeout '1h');
CREATE USER MAPPING FOR CURRENT_USER SERVER silent OPTIONS (api_token 'sim-token-admin');
CREATE FOREIGN TABLE nowhere (id bigint, title text) SERVER nowhere OPTIONS (entity 'deals');
CREATE FOREIGN TABLE silent (id bigint, title text) SERVER silent OPTIONS (entity 'deals');
CREATE SCHEMA again;
END_OF_SQL

my $deals = 'SELECT count(*), max(title) FROM crm.deals';
my $lists = { path_regex => 'deals$' };
my @states = (
    { name => 'connecting', sql => 'SELECT count(*) FROM nowhere' },
    { name => 'connected, never answered', sql => 'SELECT count(*) FROM silent' },
    { name => 'hanging before the headers', sql => $deals, fault => { kind => 'hang', match => $lists }, requests => 1 },
    { name => 'hanging in the body', sql => $deals, fault => { kind => 'hang_mid_body', match => $lists }, requests => 1 },
    { name => 'slow drip', sql => $deals, fault => { kind => 'slow_drip', bytes => 1, interval_ms => 20, match => $lists }, requests => 1 },
    { name => 'backing off after 429', sql => $deals, requests => 1,
      fault => { kind => 'status', status => 429, headers => { 'x-ratelimit-reset' => 60, 'retry-after' => 9 }, match => $lists } },
    { name => 'backing off after 503', sql => $deals, requests => 3, fault => { kind => 'status', status => 503, match => $lists } },
    { name => 'second page hangs', sql => $deals, requests => 1, fault => { kind => 'hang', match => { path_regex => 'archived$' } } },
    { name => 'reading field definitions (import)', requests => 1,
      sql => 'IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO again', fault => { kind => 'hang', match => { path_regex => 'personFields' } } },
    { name => 'inside plpgsql', requests => 1, fault => { kind => 'hang', match => $lists },
      sql => 'DO $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM crm.deals; EXCEPTION WHEN division_by_zero THEN NULL; END $$' },
);

# Each way to end a statement returns the time of the signal, in seconds since 1970. The error's time is that of
# its line in the server log, so neither client nor network are in between.
my @ways = (
    { name => 'pg_cancel_backend', message => 'canceling statement due to user request', signal => sub {
        my ($session) = @_;
        my $answer = $node->safe_psql('postgres',
            "SELECT extract(epoch FROM clock_timestamp()) FROM (SELECT clock_timestamp() OFFSET 0) t, pg_cancel_backend($session->{pid})");
        return $answer;
    } },
    # psql sends the cancel request over a connection of its own; that time is included. Not being on a terminal it
    # ends afterwards, so it needs a session of its own.
    { name => 'Ctrl-C in psql', own_session => 1, message => 'canceling statement due to user request', signal => sub {
        my ($session) = @_;
        my $now = time;
        kill 'INT', $session->psql_pid;
        return $now;
    } },
    { name => 'statement_timeout', message => 'canceling statement due to statement timeout', timeout => 400 },
);

sub error_time
{
    my ($mark, $pid, $message) = @_;
    my $found = until_true(sub { log_since($node, $mark) =~ /^([0-9.]+) \[$pid\][^\n]*ERROR:  \Q$message\E/m ? $1 : undef });
    return $found;
}

# Milliseconds from signal to error in one try; undef if it went wrong.
sub one_try
{
    my ($session, $state, $way, $problems) = @_;
    $simulator->no_faults;
    $simulator->clear;
    $simulator->fault($state->{fault}) if $state->{fault};
    my $mark = log_mark($node);
    my ($signal, $sent);
    if ($way->{timeout})
    {
        $session->send("SET statement_timeout = $way->{timeout};\n$state->{sql}");
        $session->waits_for_api or push @$problems, 'never waited';
    }
    else
    {
        $session->send($state->{sql});
        $session->waits_for_api or push @$problems, 'never waited';
        if ($state->{requests})
        {
            until_true(sub { scalar(my @all = $simulator->journal) >= $state->{requests} }) or push @$problems, 'no request';
            sleep 0.05;
            $session->waits_for_api;
        }
        $signal = $way->{signal}->($session);
    }
    my $error = error_time($mark, $session->{pid}, $way->{message});
    $session->query('RESET statement_timeout') unless $way->{own_session};
    if (!$error)
    {
        push @$problems, 'no error in the log: ' . log_since($node, $mark);
        return;
    }
    if ($way->{timeout})
    {
        # the timer starts when the statement arrives, just before it is logged
        my $first = (split ' ', $state->{sql})[0];
        log_since($node, $mark) =~ /^([0-9.]+) \[$session->{pid}\][^\n]*LOG:  statement: $first/m or return;
        $signal = $1 + $way->{timeout} / 1000;
    }
    return ($error - $signal) * 1000;
}

my $session = PipedriveTest::Session->new($node);
for my $state (@states)
{
    for my $way (@ways)
    {
        my ($best, @problems);
        for (1 .. $TRIES)
        {
            my $here = $way->{own_session} ? PipedriveTest::Session->new($node) : $session;
            my $ms = one_try($here, $state, $way, \@problems);
            $here->kill if $way->{own_session};
            last if @problems;
            $best = $ms if !defined $best || $ms < $best;
            last if $best < $LIMIT_MS;
        }
        is_deeply(\@problems, [], "$state->{name}, $way->{name}: the statement is cancelled");
        cmp_ok($best // 1e9, '<', $LIMIT_MS, sprintf '%s, %s: within %d ms', $state->{name}, $way->{name}, $LIMIT_MS);
    }
}
$simulator->no_faults;

# The SQLSTATE that the client sees is that of a cancelled query, with nothing of ours around it.
for my $state (@states)
{
    $simulator->fault($state->{fault}) if $state->{fault};
    my (undef, $err) = $session->query("SET statement_timeout = 100;\n$state->{sql}");
    like($err, qr/ERROR:  57014: canceling statement due to statement timeout/, "$state->{name}: 57014");
    unlike($err, qr/could not|timed out|Pipedrive/, "$state->{name}: no error of the network");
    $session->query('RESET statement_timeout');
    $simulator->no_faults;
    is($session->value('SELECT count(*) > 0 FROM crm.deals'), 't', "$state->{name}: the session works");
}

# Nothing stays behind, however often.
sub cancel_often
{
    my ($times) = @_;
    for my $i (1 .. $times)
    {
        for my $state (@states)
        {
            $simulator->fault($state->{fault}) if $state->{fault};
            $session->query("SET statement_timeout = 15;\n$state->{sql}");
            $session->query('RESET statement_timeout');
            $simulator->no_faults if $state->{fault};
        }
    }
    $session->value('SELECT count(*) FROM crm.deals');
    return;
}

my $contexts = q{SELECT coalesce(sum(total_bytes), 0) FROM pg_backend_memory_contexts};
cancel_often(3);
my ($fds, $bytes, $rss) = (fds_of($session->{pid}), $session->value($contexts), memory_of($session->{pid}, 'VmRSS'));
cancel_often(12);
my ($fds_now, $bytes_now, $rss_now) = (fds_of($session->{pid}), $session->value($contexts), memory_of($session->{pid}, 'VmRSS'));
cmp_ok($fds_now, '<=', $fds, 'no socket stays open after cancelled scans');
cmp_ok($bytes_now, '<=', $bytes + 64 * 1024, 'no memory context stays or grows');
cmp_ok($rss_now, '<=', $rss + 2048, 'no memory of the library stays');
is($session->value(q{SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'pipedrive%'}), '0',
    'no context of a scan outlives it');
my $before = $session->value('SELECT count(*) FROM crm.deals');
my $others = fds_of($session->{pid});
$simulator->fault({ kind => 'hang', match => $lists });
$session->query("SET statement_timeout = 100;\n$deals");
cmp_ok(fds_of($session->{pid}), '<=', $others, 'the connection of a cancelled request is closed at once');
$simulator->no_faults;
$session->quit;

stop_quietly($node);
$simulator->stop;
done_testing();
