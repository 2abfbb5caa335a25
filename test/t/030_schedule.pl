# Materialized views between sessions, NOTIFY, dump and restore; and pg_cron: a change in Pipedrive reaches a dashboard by itself.

use strict;
use warnings;

use JSON::PP;
use PipedriveTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $simulator = start_simulator();
my $libdir = do { my ($out) = run_command([ 'pg_config', '--pkglibdir' ]); $out };
my $has_cron = -e "$libdir/pg_cron.so";
# One server for both databases: crm, where pg_cron lives, and other, where it does not.
my $node = make_node(name => 'schedule', conf => $has_cron ? <<'END_OF_CONF' : '');
shared_preload_libraries = 'pg_cron'
cron.database_name = 'crm'
END_OF_CONF
# Jobs connect as clients do by default, and this server listens on its socket only.
if ($has_cron)
{
    $node->append_conf('postgresql.conf', sprintf "cron.host = '%s'\n", $node->host);
    $node->restart;
}
$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(crm other);
import_crm($node, $_, $simulator) for qw(crm other);
$node->safe_psql('crm', <<'END_OF_SQL');
SET client_min_messages = warning;
SELECT pipedrive.create_mirrors('crm');
CALL pipedrive.sync();
SELECT pipedrive.create_dashboards('crm_mirror');
END_OF_SQL

sub touch
{
    my ($entity) = @_;
    $node->safe_psql('crm', "SELECT pipedrive_internal.record_change_count(mirror_id, 1) FROM pipedrive_internal.mirror WHERE entity = '$entity'");
    return;
}

# -- two sessions --------------------------------------------------------------------------------------------

my ($one, $two) = map { PipedriveTest::Session->new($node, name => $_, database => 'crm') } qw(one two);
{
    $one->value('CALL pipedrive.refresh_views()');
    touch('stages');
    $one->value(q{BEGIN; SELECT pipedrive_internal.refresh_if_due('crm_dashboards.stage_conversion', false)});
    is($two->value(q{SELECT waits_for FROM pipedrive.tracked_views WHERE view = 'crm_dashboards.stage_conversion'::regclass}),
        'the refresh under way', 'a refresh under way is seen');
    my ($out, $err) = $two->query(q{CALL pipedrive.refresh_views('crm_dashboards.stage_conversion')});
    like($err, qr/NOTICE:.*another session refreshes materialized view crm_dashboards\.stage_conversion/, 'the second refresher says so and leaves');
    unlike($err, qr/ERROR/, '... without an error');
    $two->value(q{CALL pipedrive.refresh_views('crm_dashboards.deal_ageing')});
    is($two->value(q{SELECT due FROM pipedrive.tracked_views WHERE view = 'crm_dashboards.deal_ageing'::regclass}), 'f', 'other views do not wait');
    # A change while it runs, committed after its state was read, is not lost.
    touch('stages');
    $one->value('COMMIT');
    is($two->value(q{SELECT due FROM pipedrive.tracked_views WHERE view = 'crm_dashboards.stage_conversion'::regclass}), 't', 'a change during a refresh leads to the next');
    $two->value('CALL pipedrive.refresh_views()');
    is($two->value('SELECT count(*) FROM pipedrive.tracked_views WHERE due'), '0', 'which catches up');
}

# -- cancelled --------------------------------------------------------------------------------------------------

{
    $node->safe_psql('crm', <<'END_OF_SQL');
CREATE TABLE public.nap (seconds float8);
INSERT INTO public.nap VALUES (0);
CREATE MATERIALIZED VIEW public.slow AS SELECT id, pg_sleep((SELECT seconds FROM public.nap)) IS NULL AS slept FROM crm_mirror.pipelines;
SELECT pipedrive.track_view('public.slow');
UPDATE public.nap SET seconds = 60;
END_OF_SQL
    $two->send('CALL pipedrive.refresh_views()');
    until_true(sub { $one->value("SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $two->{pid}") eq 't' });
    $one->value("SELECT pg_cancel_backend($two->{pid})");
    like(($two->answer)[1], qr/ERROR:  57014/, 'a cancel ends the call, not only the view');
    $one->value('DROP MATERIALIZED VIEW public.slow');
}

# -- NOTIFY ------------------------------------------------------------------------------------------------------

{
    $one->value('LISTEN pipedrive_changes');
    touch('stages');
    $two->value('CALL pipedrive.refresh_views()');
    my $out = $one->value('SELECT 1');
    my %told = map { my $told = decode_json($_); ($told->{view} => $told->{rows}) } $out =~ /with payload "(\{.*?\})" received/g;
    is_deeply([ sort keys %told ], [ map { "crm_dashboards.$_" } qw(deal_ageing pipeline_by_stage stage_conversion) ], 'listeners are told which views are new')
      or diag($out);
    is($told{'crm_dashboards.stage_conversion'}, $one->value('SELECT count(*) FROM crm_mirror.stages'), '... with their rows');
    $one->value('UNLISTEN *');
}

# -- dump and restore ------------------------------------------------------------------------------------------------

{
    $node->safe_psql('crm', 'CALL pipedrive.apply_retention()');
    my $dump = $node->basedir . '/crm.dump';
    $node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr('crm') ], 'pg_dump');
    $node->safe_psql('postgres', 'CREATE DATABASE restored');
    # pg_cron is not part of what is restored
    $node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $dump ], 'pg_restore');
    my $views = 'SELECT view, mirrors, max_age FROM pipedrive.tracked_views ORDER BY view::text';
    is($node->safe_psql('restored', $views), $node->safe_psql('crm', $views), 'tracked views, dashboards and partitions of the history come back');
    is($node->safe_psql('restored', 'SELECT count(*) FROM pipedrive.tracked_views WHERE due'), '0', 'current as they were dumped');
    $node->safe_psql('postgres', 'DROP DATABASE restored');
}

# -- where pg_cron is not --------------------------------------------------------------------------------------------------

{
    my ($out, $err) = PipedriveTest::Session->new($node, database => 'other')->query('SELECT job, scheduled, statement FROM pipedrive.schedule()');
    is(scalar(my @f = $out =~ /\|f\|SELECT cron\.schedule_in_database\(/g), 5, 'elsewhere: statements to run where pg_cron lives') or diag($out);
    like($err, $has_cron ? qr/NOTICE:.*pg_cron lives in database "crm"/ : qr/NOTICE:.*pg_cron is not installed/, 'and it says so');
}

SKIP:
{
    skip 'pg_cron is not installed: no test of scheduled jobs (Debian: postgresql-N-cron)', 1 unless $has_cron;
    like(($one->query('SELECT * FROM pipedrive.schedule()'))[1], qr/HINT:.*CREATE EXTENSION pg_cron/, 'where it lives, but was not created');
    $one->value('SET client_min_messages = warning; CREATE EXTENSION pg_cron; RESET client_min_messages');

    # The statements for the other database work where pg_cron lives.
    my $statements = $node->safe_psql('other', q{SET client_min_messages = warning; SELECT string_agg(statement, '; ') FROM pipedrive.schedule()});
    $one->value($statements);
    is($one->value(q{SELECT count(*) FROM cron.job WHERE database = 'other' AND jobname LIKE 'pipedrive\_other\_%'}), '5', 'the statements for another database work');
    $one->value($node->safe_psql('other', q{SET client_min_messages = warning; SELECT string_agg(statement, '; ') FROM pipedrive.unschedule()}));
    is($one->value('SELECT count(*) FROM cron.job'), '0', '... and those that end it');

    is($one->value('SELECT job, scheduled FROM pipedrive.schedule()'),
        join("\n", map { "pipedrive_crm_$_|t" } qw(sync apply views reconcile retention)), 'jobs are scheduled');
    is($one->value(q{SELECT job, schedule FROM pipedrive.schedule(sync_every => '* * * * *', reconcile_every => NULL)}),
        "pipedrive_crm_sync|* * * * *\npipedrive_crm_apply|* * * * *\npipedrive_crm_views|* * * * *\npipedrive_crm_retention|43 2 * * *", 'and changed');
    is($one->value('SELECT count(*), count(DISTINCT database) FROM cron.job'), '4|1', 'no job twice, none that is not wanted');
    like(($one->query(q{SELECT pipedrive.schedule(sync_every => 'often')}))[1], qr/ERROR:.*invalid schedule/, 'a wrong time is an error');

    # pg_cron shows a role its own jobs only: that another one has some is told all the same.
    $one->value(q{CREATE ROLE second; GRANT USAGE ON SCHEMA cron TO second; SELECT pipedrive.grant_mirrors('second'); SET ROLE second});
    my ($jobs, $told) = $one->query('SELECT count(*) FROM pipedrive.schedule()');
    like($told, qr/WARNING:.*other roles have scheduled jobs.*DETAIL:.*pipedrive_crm_apply, pipedrive_crm_retention, pipedrive_crm_sync, pipedrive_crm_views/s, 'a second role is told that jobs exist');
    like($jobs, qr/5/, 'and gets its own');
    $one->value('SELECT count(*) FROM pipedrive.unschedule(); RESET ROLE');
    unlike(($one->query(q{SELECT count(*) FROM pipedrive.schedule(sync_every => '* * * * *', reconcile_every => NULL)}))[1], qr/WARNING/, 'the first one is not told of its own');
    is($one->value('SELECT count(*), count(DISTINCT username) FROM cron.job'), '4|1', 'each has its own jobs only');

    # A change in Pipedrive, and nobody calls anything.
    my $deals = q{SELECT sum(deals) FROM crm_dashboards.pipeline_by_stage};
    my $before = $one->value($deals);
    my $stage = $one->value('SELECT stage_id FROM crm_mirror.deals ORDER BY id LIMIT 1');
    my $began = time;
    $simulator->control('POST', 'mutate', { action => 'create', entity => 'deals',
        fields => { title => 'By itself', value => 12345, currency => 'EUR', status => 'open', stage_id => $stage + 0 } });
    my $arrived = until_true(sub { sleep 0.5; $one->value($deals) == $before + 1 }, 150);
    ok($arrived, sprintf 'a change in Pipedrive reaches the dashboard by itself, after %.0f s', time - $began)
      or diag($one->value('SELECT command, status, return_message, start_time, end_time FROM cron.job_run_details ORDER BY runid'), $one->value('SELECT * FROM pipedrive.mirrors'));
    is($one->value(q{SELECT count(*) FROM cron.job_run_details WHERE status = 'failed'}), '0', 'no job failed')
      or diag($one->value('SELECT command, return_message FROM cron.job_run_details'));

    # Its own log of runs is cleaned up too.
    $one->value(q{UPDATE cron.job_run_details SET end_time = end_time - interval '8 days' WHERE status = 'succeeded'; CALL pipedrive.apply_retention()});
    is($one->value(q{SELECT count(*) FROM cron.job_run_details WHERE end_time < now() - interval '7 days'}), '0', 'old runs are forgotten');

    is($one->value('SELECT job, unscheduled FROM pipedrive.unschedule() ORDER BY job'),
        join("\n", map { "pipedrive_crm_$_|t" } qw(apply retention sync views)), 'and the jobs go');
    is($one->value('SELECT count(*) FROM cron.job'), '0', 'all of them');
}

$_->quit for $one, $two;
stop_quietly($node);
$simulator->stop;
done_testing();
