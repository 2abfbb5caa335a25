# Webhooks from several sessions at once, in any order, doubled, with workers on the queue beside them and one of them
# killed: no deadlock, nothing lost, the mirror equal to the account after a sync; and nothing of a body in the log.

use strict;
use warnings;

use PipedriveTest;
use JSON::PP;
use List::Util qw(shuffle);
use PostgreSQL::Test::Utils;
use Test::More;

srand($ENV{PIPEDRIVE_TEST_SEED} || 4711);

my $simulator = start_simulator();
my $node = make_node(simulator => $simulator, conf => 'restart_after_crash = on');
$node->safe_psql('postgres', "SELECT count(*) FROM pipedrive.create_mirrors('crm')");
$node->safe_psql('postgres', "INSERT INTO pipedrive.settings VALUES ('max_deleted_percent', '100')"); # a history of few rows deletes many
$node->safe_psql('postgres', 'SET client_min_messages = warning; CALL pipedrive.sync()');

# ----------------------------------------------------------------------------------------------------------
# A history of the account, and its events
# ----------------------------------------------------------------------------------------------------------

my $SECRET = 'Zebulon-4d1f';
for my $i (1 .. 300)
{
    my $id = 1 + int rand 20;
    my ($entity, $fields) = @{ (['deals', { title => "$SECRET $i", value => $i }], ['persons', { name => "$SECRET $i" }], ['organizations', { name => "$SECRET $i" }])[int rand 3] };
    my $kind = (qw(change change change change create delete restore))[int rand 7];
    eval { $simulator->control('POST', 'mutate', { action => $kind, entity => $entity, ($kind eq 'create' ? () : (id => $id)),
        ($kind =~ /change|create/ ? (fields => $fields) : ()) }) };
}
my @events = map { $_->{body} } @{ $simulator->control('GET', 'webhooks?since=0&version=2.0') };
cmp_ok(scalar @events, '>', 150, 'the account has a history of ' . @events . ' events');

# One file of statements a session: every event once or twice in all, in any order, applied or queued.
my $json = JSON::PP->new->ascii->canonical;
my @deliveries = shuffle(@events, grep { rand() < 0.3 } @events);
my @scripts = map { PostgreSQL::Test::Utils::tempdir() . "/events-$_.sql" } 0 .. 3;
for my $n (0 .. 3)
{
    my $sql = "SET log_statement = none;\n";
    for my $i (grep { $_ % 4 == $n } 0 .. $#deliveries)
    {
        my $mode = $i % 3 == 0 ? 'queue' : 'apply';
        $sql .= 'SELECT pipedrive.ingest_webhook($event$' . $json->encode($deliveries[$i]) . "\$event\$::jsonb, '$mode');\n";
    }
    append_to_file($scripts[$n], $sql);
}

# ----------------------------------------------------------------------------------------------------------
# All at once
# ----------------------------------------------------------------------------------------------------------

my $mark = log_mark($node);
my @runs = map { my ($out, $err) = ('', ''); { script => $_, out => \$out, err => \$err } } @scripts;
for my $run (@runs)
{
    $run->{handle} = IPC::Run::start([ $node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres'), '-f', $run->{script} ], '>', $run->{out}, '2>', $run->{err});
}
my @workers = map { PipedriveTest::Session->new($node, name => "worker $_") } 1 .. 2;
for my $round (1 .. 8)
{
    $_->send('CALL pipedrive.apply_inbox(batch_size => 20)') for @workers;
    $_->answer for @workers;
}
$_->{handle}->finish for @runs;
my %outcomes;
$outcomes{$_}++ for map { split /\n/, ${ $_->{out} } } @runs;
is_deeply([ grep { !/^(?:applied|stale|deleted|duplicate|queued)$/ } keys %outcomes ], [], 'every event had an outcome: ' . join ', ', map { "$_ $outcomes{$_}" } sort keys %outcomes);
is(join('', map { ${ $_->{err} } } @runs), '', 'no session met an error');
my $log = log_since($node, $mark);
unlike($log, qr/deadlock|ERROR/, 'no deadlock and no error in the log');
unlike($log, qr/\Q$SECRET\E/, 'nothing of a body in the log');

# ----------------------------------------------------------------------------------------------------------
# A worker killed in the middle: its batch is taken again
# ----------------------------------------------------------------------------------------------------------

$node->safe_psql('postgres', "UPDATE pipedrive.inbox SET status = 'queued'");
my $queued = $node->safe_psql('postgres', 'SELECT count(*) FROM pipedrive.inbox');
$workers[0]->send('BEGIN; SELECT count(*) FROM (SELECT * FROM pipedrive.inbox ORDER BY seq LIMIT 10 FOR UPDATE) AS held');
$workers[0]->answer;
$workers[1]->value('SET statement_timeout = 0');
$workers[1]->send('CALL pipedrive.apply_inbox(batch_size => 20)');
my ($out, $err) = $workers[1]->answer;
is($err, '', 'a worker passes over what another one holds');
is($node->safe_psql('postgres', "SELECT count(*) FROM pipedrive.inbox WHERE status = 'queued'"), 10, 'and leaves just that');
kill 'KILL', $workers[0]{pid};
$workers[0]->kill;
until_true(sub { my ($code) = $node->psql('postgres', 'SELECT 1'); defined $code && $code == 0 }, 60) or BAIL_OUT('the server did not come back');
$node->safe_psql('postgres', 'CALL pipedrive.apply_inbox()');
is($node->safe_psql('postgres', "SELECT count(*) FROM pipedrive.inbox WHERE status = 'queued'"), 0, 'after a kill and a restart the next one applies the rest');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pipedrive.inbox'), $queued, 'no event is lost');

# ----------------------------------------------------------------------------------------------------------
# The mirror is the account, and stays so
# ----------------------------------------------------------------------------------------------------------

sub differences
{
    # computed columns change without their row: they are left out
    return $node->safe_psql('postgres', <<'END_OF_SQL');
SELECT format('CREATE TEMP TABLE a%s AS SELECT %s FROM %s', mirror_id, c, source), format('CREATE TEMP TABLE b%s AS SELECT %s FROM %s', mirror_id, c, target)
  FROM pipedrive_internal.mirror, LATERAL (SELECT string_agg(quote_ident(k), ', ') AS c FROM unnest(pipedrive_internal.mirror_columns(target)) AS k WHERE k !~ '_count$|_time$|activity_id$|acv|arr|mrr|smart_bcc_email') AS l \gexec
SELECT string_agg(format('%s %s', target, (xpath('/row/count/text()', query_to_xml(
       format('SELECT count(*) FROM ((TABLE a%1$s EXCEPT TABLE b%1$s) UNION ALL (TABLE b%1$s EXCEPT TABLE a%1$s)) AS d', mirror_id), false, true, '')))[1]), ', ' ORDER BY target::text)
  FROM pipedrive_internal.mirror WHERE entity IN ('deals', 'persons', 'organizations');
END_OF_SQL
}

$node->safe_psql('postgres', 'SET client_min_messages = warning; CALL pipedrive.sync()');
my $equal = 'crm_mirror.deals 0, crm_mirror.organizations 0, crm_mirror.persons 0';
is(differences(), $equal, 'after a sync the mirrors equal the account');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pipedrive_internal.refetch'), 0, 'nothing is left to read again');
my $serials = $node->safe_psql('postgres', 'SELECT string_agg(pipedrive_internal.change_serial(mirror_id)::text, $$ $$ ORDER BY mirror_id) FROM pipedrive_internal.mirror');
$node->safe_psql('postgres', 'SELECT * FROM pipedrive.replay(only_failed => false)');
is(differences(), $equal, 'replay of everything changes nothing');
is($node->safe_psql('postgres', 'SELECT string_agg(pipedrive_internal.change_serial(mirror_id)::text, $$ $$ ORDER BY mirror_id) FROM pipedrive_internal.mirror'), $serials, 'not even for a moment');

# ----------------------------------------------------------------------------------------------------------
# Bad bodies leave no trace in the log
# ----------------------------------------------------------------------------------------------------------

$mark = log_mark($node);
my $session = PipedriveTest::Session->new($node);
$session->value('SET log_statement = none');
for my $body ("{\"meta\": \"$SECRET", "{\"meta\": {\"version\": \"2.0\", \"id\": \"$SECRET\", \"entity\": \"deal\", \"entity_id\": \"1\", \"action\": \"change\", \"timestamp\": \"$SECRET\"}}",
    "{\"meta\": {\"version\": \"2.0\", \"id\": \"x\", \"entity\": \"deal\", \"entity_id\": \"1\", \"action\": \"change\", \"timestamp\": \"2030-01-01T00:00:00Z\"}, \"data\": {\"id\": 1, \"value\": \"$SECRET\"}}",
    "{\"meta\": {\"version\": \"2.0\", \"id\": \"y\", \"entity\": \"person\", \"entity_id\": \"1\", \"action\": \"change\", \"timestamp\": \"2030-01-01T00:00:00Z\"}, \"data\": {\"id\": 1, \"label\": \"$SECRET\"}}")
{
    like($session->value("SELECT pipedrive.ingest_webhook('$body')"), qr/^(?:failed: |applied$|stale$)/, 'a bad body, or a bad value of a good one, is no error');
}
unlike(log_since($node, $mark), qr/\Q$SECRET\E/, 'and is not in the log');
unlike($node->safe_psql('postgres', "SELECT string_agg(concat(outcome, error), ',') FROM pipedrive.inbox WHERE status = 'failed'"), qr/\Q$SECRET\E/, 'nor in the reasons');

# Somebody holds the row: the event waits in the queue instead of failing.
my $holder = PipedriveTest::Session->new($node);
my $id = $node->safe_psql('postgres', 'SELECT min(id) FROM crm_mirror.deals');
$holder->value("BEGIN; SELECT id FROM crm_mirror.deals WHERE id = $id FOR UPDATE");
is($session->value("SELECT pipedrive.ingest_webhook('{\"meta\": {\"version\": \"2.0\", \"id\": \"held\", \"entity\": \"deal\", \"entity_id\": \"$id\", \"action\": \"change\", \"timestamp\": \"2030-01-01T00:00:00Z\"}, \"data\": {\"id\": $id, \"title\": \"late\", \"update_time\": \"2030-01-01T00:00:00Z\"}}')"),
    'queued', 'an event whose row is locked is queued');
$holder->value('ROLLBACK');
$session->value('CALL pipedrive.apply_inbox()');
is($session->value("SELECT title FROM crm_mirror.deals WHERE id = $id"), 'late', 'and applied by the next worker');

$_->quit for $session, $holder, $workers[1];
$node->stop;
$simulator->stop;
done_testing();
