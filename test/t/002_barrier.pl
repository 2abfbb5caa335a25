# A scan that hangs holds nobody up: commands that need every backend's acknowledgement (PROCSIGNAL barrier) in
# other databases, pg_terminate_backend, and the shutdown of the server.

use strict;
use warnings;

use PipedriveTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $simulator = start_simulator();
my $node = make_node(simulator => $simulator);
my $space = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql('postgres', <<"END_OF_SQL");
SET log_statement = none;
CREATE SERVER nowhere FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url '$simulator->{urls}{hang_connect}', connect_timeout '1h', request_timeout '1h');
CREATE USER MAPPING FOR CURRENT_USER SERVER nowhere OPTIONS (api_token 'sim-token-admin');
CREATE FOREIGN TABLE nowhere (id bigint, title text) SERVER nowhere OPTIONS (entity 'deals');
END_OF_SQL
$node->safe_psql('postgres', "CREATE TABLESPACE elsewhere LOCATION '$space'");

my $deals = 'SELECT count(*), max(title) FROM crm.deals';
my $lists = { path_regex => 'deals$' };
my @states = (
    { name => 'connecting', sql => 'SELECT count(*) FROM nowhere' },
    { name => 'hanging', sql => $deals, fault => { kind => 'hang', match => $lists } },
    { name => 'hanging in the body', sql => $deals, fault => { kind => 'hang_mid_body', match => $lists } },
    { name => 'slow drip', sql => $deals, fault => { kind => 'slow_drip', bytes => 1, interval_ms => 20, match => $lists } },
    { name => 'backing off', sql => $deals,
      fault => { kind => 'status', status => 429, headers => { 'x-ratelimit-reset' => 60, 'retry-after' => 9 }, match => $lists } },
);

# A session that is caught in the state.
sub caught_in
{
    my ($state) = @_;
    $simulator->no_faults;
    $simulator->clear;
    $simulator->fault($state->{fault}) if $state->{fault};
    my $session = PipedriveTest::Session->new($node);
    $session->send($state->{sql});
    until_true(sub { scalar(my @all = $simulator->journal) }) if $state->{fault};
    $session->waits_for_api or die "the session never waited";
    return $session;
}

# Each of these waits for a barrier on 15 and later, and would wait as long as the scan does.
my @commands = (
    'CREATE DATABASE other TEMPLATE template0',
    'ALTER DATABASE other SET TABLESPACE elsewhere',
    'ALTER DATABASE other SET TABLESPACE pg_default',
    'CREATE DATABASE third TEMPLATE other' . ($node->pg_version >= 15 ? ' STRATEGY file_copy' : ''),
    'DROP DATABASE third',
    'DROP DATABASE other',
);
for my $state (@states)
{
    my $session = caught_in($state);
    for my $command (@commands)
    {
        my $start = time;
        my $timed_out;
        my ($status, undef, $err) = $node->psql('postgres', $command, timeout => 30, timed_out => \$timed_out);
        my $seconds = time - $start;
        ok(!$timed_out && defined $status && $status == 0 && $seconds < 10, "$state->{name}: $command")
          or diag(sprintf '%.1f s, %s', $seconds, $err // '');
    }
    ok(!$session->is_done, "$state->{name}: the scan went on meanwhile");
    $node->safe_psql('postgres', "SELECT pg_cancel_backend($session->{pid})");
    $session->answer;
    is($session->value('SELECT 1'), '1', "$state->{name}: its session is well");
    $session->quit;
}

# pg_terminate_backend: by the server's own clock.
for my $state (@states)
{
    my $best;
    for (1 .. 5)
    {
        my $session = caught_in($state);
        my $mark = log_mark($node);
        my $signal = $node->safe_psql('postgres',
            "SELECT extract(epoch FROM clock_timestamp()) FROM pg_terminate_backend($session->{pid})");
        my $fatal = until_true(sub {
            log_since($node, $mark) =~ /^([0-9.]+) \[$session->{pid}\][^\n]*FATAL:  terminating connection due to administrator command/m ? $1 : undef });
        my $gone = until_true(sub { !-d "/proc/$session->{pid}" });
        $session->kill;
        last unless $fatal && $gone;
        my $ms = ($fatal - $signal) * 1000;
        $best = $ms if !defined $best || $ms < $best;
        last if $best < 100;
    }
    cmp_ok($best // 1e9, '<', 100, "$state->{name}: pg_terminate_backend within 100 ms");
}

# Fast shutdown; before it a smart one, which waits for the session as it should and does not end it.
for my $state (@states)
{
    my $session = caught_in($state);
    if ($state == $states[0])
    {
        system_or_bail('pg_ctl', '-D', $node->data_dir, '-m', 'smart', '--no-wait', 'stop');
        sleep 0.3;
        ok(!$session->is_done && -d "/proc/$session->{pid}", 'a smart shutdown lets the scan go on');
    }
    my $start = time;
    $node->stop('fast');
    my $seconds = time - $start;
    # a checkpoint and pg_ctl's own pace are included
    cmp_ok($seconds, '<', 2, sprintf '%s: fast shutdown', $state->{name});
    note(sprintf '%.2f s', $seconds);
    $session->kill;
    $node->start;
}

# A smart shutdown ends as soon as the scan is cancelled and its session leaves.
{
    my $session = caught_in($states[1]);
    system_or_bail('pg_ctl', '-D', $node->data_dir, '-m', 'smart', '--no-wait', 'stop');
    sleep 0.2;
    kill 'INT', $session->{pid};
    my (undef, $err) = $session->answer;
    like($err, qr/57014/, 'smart shutdown: the scan can still be cancelled');
    $session->quit;
    ok(until_true(sub { !-e $node->data_dir . '/postmaster.pid' }, 30), 'smart shutdown: ends with the last session');
    $node->_update_pid(0);
    $node->start;
}
is($node->safe_psql('postgres', 'SELECT 1'), '1', 'the server starts again');

stop_quietly($node);
$simulator->stop;
done_testing();
